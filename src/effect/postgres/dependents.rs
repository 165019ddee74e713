//! What goes with an object, and what stands in its way.
//!
//! PostgreSQL 12 to 18, dependency.c: findDependentObjects, reportDependentObjects; manual:
//! Dependency Tracking; measured, testdata/servers/postgres.

use super::sheet::Sheet;
use crate::effect::LockMode::AccessExclusive;
use crate::schema::{Dependent, Name, Part, RelationKind};
use crate::sql::ast::ObjectKind;

/// Notes what dependents mean for a drop: a failure where they stand in the way, else the locks on
/// their tables and what is lost with them.
///
/// Names of `ours` go in the same statement and stand in nobody's way.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are alike here")]
pub(super) fn drop_with(
    sheet: &mut Sheet<'_>,
    what: &str,
    dependents: &[Dependent],
    ours: &[Name],
    cascade: bool,
    cause: &'static str,
) {
    let others: Vec<&Dependent> =
        dependents.iter().filter(|dependent| !ours.contains(&dependent.relation)).collect();
    let blocking = others.iter().find(|dependent| !dependent.automatic);
    if let (Some(blocking), false) = (blocking, cascade) {
        let when = match blocking.part {
            Part::Constraint(_) => "foreign-key-references",
            _ => "dependents-exist",
        };
        let detail = format!("cannot drop {what}: {} depends on it", describe(blocking));
        sheet.fails(when, "2BP01", detail);
        return;
    }
    for dependent in others {
        let cause = if dependent.automatic { cause } else { "drop-cascade" };
        lose(sheet, dependent, cause);
    }
}

fn describe(dependent: &Dependent) -> String {
    let relation = &dependent.relation;
    match &dependent.part {
        Part::Whole => format!("{} {relation}", dependent.object.as_str()),
        Part::Column(name) => format!("column {relation}.{name}"),
        Part::Default(name) => format!("the default of column {relation}.{name}"),
        Part::Constraint(name) => format!("constraint {name} on {relation}"),
        Part::Index(name) => format!("index {name} on {relation}"),
        Part::Trigger(name) => format!("trigger {name} on {relation}"),
        Part::Policy(name) => format!("policy {name} on {relation}"),
        Part::Rule(name) => format!("rule {name} on {relation}"),
        Part::Statistics(name) => format!("statistics object {name}"),
        Part::Published(name) => format!("publication {name} of {relation}"),
    }
}

/// Notes that a dependent goes.
fn lose(sheet: &mut Sheet<'_>, dependent: &Dependent, cause: &'static str) {
    let relation = &dependent.relation;
    let cascade = !dependent.automatic;
    match &dependent.part {
        Part::Whole => whole(sheet, dependent, cause),
        Part::Column(name) => {
            sheet.lock(relation, AccessExclusive, cause);
            sheet.lose_part(ObjectKind::Column, relation, name, true, cascade);
            // Its indexes and the like go with it; it is a generated one, so no other is below.
            for below in sheet.schema.dependents_of_column(relation, name) {
                if below.automatic && !matches!(below.part, Part::Column(_)) {
                    lose(sheet, &below, cause);
                }
            }
        }
        Part::Default(name) => {
            sheet.lock(relation, AccessExclusive, cause);
            sheet.breaks(
                "drop-default",
                ObjectKind::Column,
                format!("{relation}.{name}"),
                relation,
            );
        }
        Part::Constraint(name) => {
            constraint(sheet, relation, name, cascade, cause);
        }
        Part::Index(name) => {
            sheet.lock(relation, AccessExclusive, cause);
            let full = Name::new(relation.schema.clone(), name.as_str());
            sheet.lose(ObjectKind::Index, &full.to_string(), false, cascade);
        }
        Part::Trigger(name) => {
            sheet.lock(relation, AccessExclusive, cause);
            sheet.lose_part(ObjectKind::Trigger, relation, name, false, cascade);
        }
        Part::Policy(name) => {
            sheet.lock(relation, AccessExclusive, cause);
            sheet.lose_part(ObjectKind::Policy, relation, name, false, cascade);
        }
        Part::Rule(name) => {
            sheet.lock(relation, AccessExclusive, cause);
            sheet.lose_part(ObjectKind::Rule, relation, name, false, cascade);
        }
        Part::Statistics(name) => {
            sheet.lose(ObjectKind::Statistics, &name.to_string(), false, cascade);
        }
        Part::Published(name) => {
            sheet.lock(relation, AccessExclusive, cause);
            sheet.lose_part(ObjectKind::Publication, relation, name, false, cascade);
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "every other kind is a relation")]
fn whole(sheet: &mut Sheet<'_>, dependent: &Dependent, cause: &'static str) {
    let relation = &dependent.relation;
    let cascade = !dependent.automatic;
    match dependent.object {
        ObjectKind::Type
        | ObjectKind::Domain
        | ObjectKind::Function
        | ObjectKind::Server
        | ObjectKind::UserMapping
        | ObjectKind::EventTrigger
        | ObjectKind::Cast => {
            sheet.lose(dependent.object, &relation.to_string(), false, cascade);
        }
        object => {
            sheet.lock(relation, AccessExclusive, cause);
            let rows = sheet.table(relation).is_some_and(|table| {
                matches!(table.kind, RelationKind::Table | RelationKind::MaterializedView)
            });
            sheet.lose(object, &relation.to_string(), rows, cascade);
            foreign_key_parents(sheet, relation, "drop-table-parent");
        }
    }
}

/// Notes that a constraint goes: a foreign key takes the lock on its other table too.
pub(super) fn constraint(
    sheet: &mut Sheet<'_>,
    table: &Name,
    name: &str,
    cascade: bool,
    cause: &'static str,
) {
    sheet.lock(table, AccessExclusive, cause);
    sheet.lose_part(ObjectKind::Constraint, table, name, false, cascade);
    let parent = sheet
        .table(table)
        .and_then(|found| found.constraint(name))
        .and_then(|found| found.parent())
        .cloned();
    if let Some(parent) = parent {
        let cause = match cause {
            "drop-foreign-key" => "drop-foreign-key-parent",
            "drop-column" => "drop-column-parent",
            other => other,
        };
        // DROP CONSTRAINT opens the other table; what else drops the key, up to PostgreSQL 14, only
        // those where its triggers are: the partitions.
        let partitioned = sheet.table(&parent).is_some_and(|p| p.partition_by.is_some());
        let named = matches!(cause, "drop-foreign-key-parent" | "drop-constraint");
        if partitioned && !named && !sheet.since(15) {
            lock_leaves(sheet, &parent, cause);
        } else {
            lock_partitions(sheet, &parent, cause);
        }
    }
    if sheet.table(table).is_some_and(|found| found.partition_by.is_some()) {
        for child in sheet.family(table, false).into_iter().skip(1) {
            sheet.lock(&child, AccessExclusive, cause);
        }
    }
}

/// Locks a table and its partitions as strongly as there is: where the triggers of a key are.
fn lock_partitions(sheet: &mut Sheet<'_>, table: &Name, cause: &'static str) {
    sheet.lock(table, AccessExclusive, cause);
    if sheet.table(table).is_some_and(|found| found.partition_by.is_some()) {
        lock_leaves(sheet, table, cause);
    }
}

/// Locks the partitions that have triggers of a key: those that are partitioned themselves have
/// them from PostgreSQL 15 on.
fn lock_leaves(sheet: &mut Sheet<'_>, table: &Name, cause: &'static str) {
    for child in sheet.family(table, false).into_iter().skip(1) {
        if sheet.since(15) || sheet.table(&child).is_none_or(|child| !child.is_partitioned()) {
            sheet.lock(&child, AccessExclusive, cause);
        }
    }
}

/// Locks the tables that the foreign keys of a table reference: their triggers go.
pub(super) fn foreign_key_parents(sheet: &mut Sheet<'_>, table: &Name, cause: &'static str) {
    let Some(found) = sheet.table(table) else { return };
    // What a partition has from its parent goes without the other table.
    let own = found.constraints.iter().filter(|constraint| !constraint.inherited);
    let parents: Vec<Name> = own.filter_map(|c| c.parent()).cloned().collect();
    for parent in parents {
        let partitioned = sheet.table(&parent).is_some_and(|p| p.partition_by.is_some());
        if partitioned && !sheet.since(15) {
            // PostgreSQL 12 to 14 lock the partitions alone.
            lock_leaves(sheet, &parent, cause);
        } else {
            lock_partitions(sheet, &parent, cause);
        }
    }
}
