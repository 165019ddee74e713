//! Constraints that exist: dropped, validated, altered, renamed.
//!
//! PostgreSQL 12 to 18, tablecmds.c: ATExecDropConstraint, ATExecValidateConstraint,
//! ATExecAlterConstraint; manual: ALTER TABLE; measured, testdata/servers/postgres.

use super::foreign_key::{lock_referenced, partitions_of, scan_referenced};
use super::sheet::Sheet;
use super::target::Target;
use super::{column, dependents, source};
use crate::effect::LockMode::{AccessExclusive, AccessShare, RowShare};
use crate::schema::{Constraint, Demand, Name, Relation};
use crate::sql::ast::{ConstraintKind, ObjectKind, TableConstraint};

pub(super) fn find<'s>(
    sheet: &Sheet<'s>,
    table: &Name,
    constraint: &str,
) -> Option<&'s Constraint> {
    sheet.table(table).and_then(|table| table.constraint(constraint))
}

/// Says whether a constraint is one of partitions or children too.
pub(super) fn reaches_children(sheet: &Sheet<'_>, table: &Name, constraint: &str) -> bool {
    let partitioned = sheet.table(table).is_some_and(|found| found.partition_by.is_some());
    match find(sheet, table, constraint).map(|found| (&found.kind, found.no_inherit)) {
        Some((Demand::Check(_) | Demand::NotNull(_), no_inherit)) => !no_inherit,
        Some((_, _)) => partitioned,
        None => partitioned,
    }
}

/// Says whether a constraint is a CHECK.
pub(super) fn is_check(sheet: &Sheet<'_>, table: &Name, constraint: &str) -> bool {
    let found = find(sheet, table, constraint);
    found.is_some_and(|found| matches!(found.kind, Demand::Check(_)))
}

pub(super) fn is_missing(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    name: &str,
    if_exists: bool,
) -> bool {
    let complete = sheet.table(&target.name).is_some_and(|table| table.complete);
    let missing = complete && find(sheet, &target.name, name).is_none();
    if missing && !if_exists {
        let detail =
            format!("constraint \"{name}\" of relation \"{}\" does not exist", target.name);
        sheet.fails("missing-object", "42704", detail);
    }
    missing
}

/// Effects of DROP CONSTRAINT.
pub(super) fn drop(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    name: &str,
    if_exists: bool,
    cascade: bool,
) {
    if is_missing(sheet, target, name, if_exists) {
        return;
    }
    let full = format!("{}.{name}", target.name);
    let Some(found) = find(sheet, &target.name, name) else {
        sheet.lose_part(ObjectKind::Constraint, &target.name, name, false, false);
        sheet.breaks("drop-constraint", ObjectKind::Constraint, full, &target.name);
        return;
    };
    if found.inherited {
        let detail = format!("cannot drop inherited constraint \"{name}\"");
        sheet.fails("column-in-use", "42P16", detail);
        return;
    }
    let check = matches!(found.kind, Demand::Check(_)) && !found.no_inherit;
    let parts = !sheet.schema.partitions(&target.name).is_empty();
    // PostgreSQL 18 leaves the CHECKs of the partitions as their own.
    if target.only && check && parts && !sheet.since(18) {
        let detail = "cannot remove constraint from only the partitioned table when partitions \
                      exist";
        sheet.fails("wrong-object-kind", "42P16", detail.to_owned());
        return;
    }
    let cause = match found.kind {
        Demand::ForeignKey { .. } => "drop-foreign-key",
        Demand::Check(_) => "drop-check",
        Demand::PrimaryKey(_) => "drop-primary-key",
        Demand::Unique(_) | Demand::Exclude(_) | Demand::NotNull(_) => "drop-constraint",
    };
    if found.has_index() {
        let used = sheet.schema.dependents_of_key(&target.name, name);
        let what = format!("constraint {name} on {}", target.name);
        let blocked = !used.is_empty() && !cascade;
        dependents::drop_with(sheet, &what, &used, &[], cascade, cause);
        if blocked {
            return;
        }
        let index = Name::new(target.name.schema.clone(), name);
        sheet.lose(ObjectKind::Index, &index.to_string(), false, true);
    }
    if let Demand::NotNull(column) = &found.kind {
        column::drop_not_null(sheet, target, column);
    }
    if target.only && reaches_children(sheet, &target.name, name) {
        for child in sheet.schema.children(&target.name) {
            sheet.lock(&child.name, AccessExclusive, cause);
        }
    }
    lose_attached(sheet, target, name);
    // A foreign key goes from all partitions, ONLY or not.
    let only = target.only && found.parent().is_none();
    for member in sheet.family(&target.name, only).into_iter().skip(1) {
        if find(sheet, &member, name).is_some_and(|part| part.inherited) {
            sheet.lose_part(ObjectKind::Constraint, &member, name, false, true);
        }
    }
    dependents::constraint(sheet, &target.name, name, false, cause);
    sheet.breaks("drop-constraint", ObjectKind::Constraint, full, &target.name);
}

/// The keys of partitions that are attached to a key go with it.
pub(super) fn lose_attached(sheet: &mut Sheet<'_>, target: &Target<'_>, name: &str) {
    let mut above = vec![Name::new(target.name.schema.clone(), name)];
    while let Some(full) = above.pop() {
        for child in sheet.schema.descendants(&target.name) {
            for index in child.indexes.iter().filter(|index| index.parent.as_ref() == Some(&full)) {
                let own = Name::new(child.name.schema.clone(), index.name.clone());
                sheet.lose(ObjectKind::Index, &own.to_string(), false, true);
                sheet.lose_part(ObjectKind::Constraint, &child.name, &index.name, false, true);
                above.push(own);
            }
        }
    }
}

/// Effects of VALIDATE CONSTRAINT: all rows are read while reads and writes go on.
pub(super) fn validate(sheet: &mut Sheet<'_>, target: &Target<'_>, name: &str) {
    let added = target
        .beside
        .added
        .iter()
        .find(|added| added.name.as_ref().is_some_and(|written| written.as_str() == name));
    if let Some(added) = added {
        validate_added(sheet, target, added);
        return;
    }
    if is_missing(sheet, target, name, false) {
        return;
    }
    let Some(found) = find(sheet, &target.name, name) else {
        sheet.scan(&target.name, "validate-check", source::ALTER_TABLE);
        sheet.may_fail("rows-violate", "23514", format!("rows violate \"{name}\""));
        return;
    };
    if !found.enforced {
        let detail = format!("cannot validate NOT ENFORCED constraint \"{name}\"");
        sheet.fails("rows-violate", "42809", detail);
        return;
    }
    match &found.kind {
        Demand::PrimaryKey(_) | Demand::Unique(_) | Demand::Exclude(_) => {
            let detail = format!("constraint \"{name}\" is not a foreign key or check constraint");
            sheet.fails("wrong-object-kind", "42809", detail);
        }
        _ if found.valid => {}
        Demand::ForeignKey { parent, .. } => {
            let parent = parent.clone();
            sheet.lock(&parent, RowShare, "validate-foreign-key-parent");
            for member in partitions_of(sheet, &parent) {
                if member != parent {
                    sheet.lock(&member, AccessShare, "validate-foreign-key-parent");
                }
                sheet.scan_unless_indexed(
                    &member,
                    "validate-foreign-key-parent",
                    source::FOREIGN_KEY,
                );
            }
            for member in partitions_of(sheet, &target.name) {
                sheet.scan(&member, "validate-foreign-key", source::FOREIGN_KEY);
            }
            let detail = format!("rows have no parent in \"{parent}\"");
            sheet.may_fail("orphans-present", "23503", detail);
        }
        Demand::Check(_) => {
            let children = !sheet.schema.children(&target.name).is_empty();
            if target.only && children && !found.no_inherit {
                let detail = "constraint must be validated on child tables too".to_owned();
                sheet.fails("wrong-object-kind", "42P16", detail);
                return;
            }
            for member in sheet.family(&target.name, target.only || found.no_inherit) {
                let valid = find(sheet, &member, name).is_some_and(|part| part.valid);
                if !valid {
                    sheet.scan(&member, "validate-check", source::ALTER_TABLE);
                }
            }
            sheet.may_fail("rows-violate", "23514", format!("rows violate \"{name}\""));
        }
        Demand::NotNull(column) => {
            for member in sheet.family(&target.name, target.only) {
                sheet.scan(&member, "validate-not-null", source::ALTER_TABLE);
            }
            let detail = format!("column \"{column}\" may hold NULL");
            sheet.may_fail("nulls-present", "23502", detail);
        }
    }
}

/// VALIDATE of a constraint that the same statement adds NOT VALID.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are alike here")]
pub(super) fn validate_added(sheet: &mut Sheet<'_>, target: &Target<'_>, added: &TableConstraint) {
    match &added.kind {
        ConstraintKind::ForeignKey(key) => {
            for member in partitions_of(sheet, &target.name) {
                sheet.scan(&member, "validate-foreign-key", source::FOREIGN_KEY);
            }
            let parent = sheet.schema.resolve(&key.parent);
            scan_referenced(sheet, &parent, key, "validate-foreign-key-parent");
            let detail = format!("rows have no parent in \"{parent}\"");
            sheet.may_fail("orphans-present", "23503", detail);
        }
        _ => {
            for member in sheet.family(&target.name, target.only) {
                sheet.scan(&member, "validate-check", source::ALTER_TABLE);
            }
            sheet.may_fail("rows-violate", "23514", "rows violate the check".to_owned());
        }
    }
}

/// Effects of ALTER CONSTRAINT. NOT ENFORCED removes the triggers of both tables, ENFORCED makes
/// them again and reads all rows (PostgreSQL 18).
pub(super) fn alter(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    name: &str,
    enforced: Option<bool>,
) {
    if enforced.is_some() && sheet.needs_version(18, "ALTER CONSTRAINT … ENFORCED") {
        return;
    }
    let partitioned = sheet.table(&target.name).is_some_and(Relation::is_partitioned);
    if target.only && partitioned && sheet.since(18) {
        let detail = "constraint must be altered in child tables too".to_owned();
        sheet.fails("wrong-object-kind", "42P16", detail);
        return;
    }
    if is_missing(sheet, target, name, false) {
        return;
    }
    let Some(found) = find(sheet, &target.name, name) else { return };
    if found.inherited && found.parent().is_some() {
        let detail = format!("cannot alter constraint \"{name}\" on relation \"{}\"", target.name);
        let code = if sheet.since(18) { "55000" } else { "XX000" };
        sheet.fails("column-in-use", code, detail);
        return;
    }
    let Demand::ForeignKey { parent, .. } = &found.kind else {
        if matches!(found.kind, Demand::NotNull(_)) && sheet.since(18) && enforced.is_none() {
            return;
        }
        let detail = format!("constraint \"{name}\" is not a foreign key constraint");
        sheet.fails("wrong-object-kind", "42809", detail);
        return;
    };
    match enforced {
        Some(true) if !found.enforced => {
            lock_referenced(sheet, parent, "alter-constraint");
            sheet.scan(&target.name, "validate-foreign-key", source::FOREIGN_KEY);
            sheet.scan_unless_indexed(parent, "validate-foreign-key-parent", source::FOREIGN_KEY);
            let detail = format!("rows have no parent in \"{parent}\"");
            sheet.may_fail("orphans-present", "23503", detail);
        }
        Some(false) if found.enforced => {
            for member in partitions_of(sheet, parent) {
                sheet.lock(&member, AccessExclusive, "alter-constraint");
            }
        }
        Some(_) | None => {}
    }
}

/// Effects of RENAME CONSTRAINT.
pub(super) fn rename(sheet: &mut Sheet<'_>, target: &Target<'_>, from: &str, to: &str) {
    if is_missing(sheet, target, from, false) {
        return;
    }
    let table = sheet.table(&target.name);
    if find(sheet, &target.name, from).is_some_and(|found| found.inherited) {
        let detail = format!("cannot rename inherited constraint \"{from}\"");
        sheet.fails("column-in-use", "42P16", detail);
        return;
    }
    if table.is_some_and(|table| table.constraint(to).is_some()) {
        let detail = format!("constraint \"{to}\" exists already");
        sheet.fails("duplicate-object", "42710", detail);
        return;
    }
    let found = find(sheet, &target.name, from);
    let passed_on = found.is_some_and(|found| match found.kind {
        Demand::Check(_) => !found.no_inherit,
        Demand::NotNull(_) => sheet.since(18) && !found.no_inherit,
        Demand::PrimaryKey(_)
        | Demand::Unique(_)
        | Demand::Exclude(_)
        | Demand::ForeignKey { .. } => false,
    });
    if passed_on && target.only && !sheet.schema.children(&target.name).is_empty() {
        let detail = format!("inherited constraint \"{from}\" must be renamed in child tables too");
        sheet.fails("wrong-object-kind", "42P16", detail);
        return;
    }
    if passed_on
        && column::has_other_source(sheet, &target.name, |above| above.constraint(from).is_some())
    {
        let detail = format!("cannot rename inherited constraint \"{from}\"");
        sheet.fails("column-in-use", "42P16", detail);
        return;
    }
    let full = format!("{}.{from}", target.name);
    sheet.breaks("rename-constraint", ObjectKind::Constraint, full, &target.name);
}
