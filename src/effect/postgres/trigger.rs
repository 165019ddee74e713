//! Triggers and policies. DROP of them is in `drop`, rules are in `rule`.
//!
//! PostgreSQL 12 to 18, CreateTrigger and renametrig (trigger.c), CreatePolicy
//! (policy.c); the manual's page of each; measured,
//! testdata/servers/postgres.

use super::sheet::Sheet;
use super::{functions, settings, there};
use crate::effect::LockMode::{AccessExclusive, AccessShare, ShareRowExclusive};
use crate::schema::{Name, Relation, RelationKind};
use crate::sql::ObjectName;
use crate::sql::ast::{CreateTrigger, Expr, ObjectKind, Policy, Rename};

/// Effects of ALTER TRIGGER, RULE and POLICY … RENAME TO.
pub(super) fn rename(sheet: &mut Sheet<'_>, rename: &Rename, name: &str) {
    let Some(table) = rename.on.as_ref().and_then(|on| sheet.existing(on, rename.if_exists)) else {
        return;
    };
    let cause = if rename.object == ObjectKind::Trigger { "alter-trigger" } else { "rename" };
    if rename_refused(sheet, rename, &table, name) {
        return;
    }
    sheet.lock(&table, AccessExclusive, cause);
    // PostgreSQL 15 and later rename the copies of the partitions with it.
    let rows = settings::fires_for_rows(sheet, &table, None, true);
    let partitioned = sheet.table(&table).is_some_and(|found| found.partition_by.is_some());
    if rename.object == ObjectKind::Trigger && sheet.since(15) && partitioned && rows {
        for child in sheet.family(&table, false).into_iter().skip(1) {
            sheet.lock(&child, AccessExclusive, cause);
        }
    }
    sheet.breaks("rename-object", rename.object, format!("{table}.{name}"), &table);
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the others have no name of their own")]
fn rename_refused(sheet: &mut Sheet<'_>, rename: &Rename, table: &Name, name: &str) -> bool {
    let Some(found) = sheet.table(table) else { return false };
    let missing = match rename.object {
        ObjectKind::Rule => !found.rules.iter().any(|rule| rule.name == name),
        ObjectKind::Policy => !found.policies.iter().any(|policy| policy.name == name),
        _ => false,
    };
    if missing && found.complete {
        let detail = format!("{} \"{name}\" does not exist", rename.object.as_str());
        sheet.fails("missing-object", "42704", detail);
        return true;
    }
    if rename.object != ObjectKind::Trigger {
        return false;
    }
    let trigger = found.triggers.iter().find(|trigger| trigger.name == name);
    if trigger.is_none() && found.complete {
        let detail = format!("trigger \"{name}\" for table \"{table}\" does not exist");
        sheet.fails("missing-object", "42704", detail);
        return true;
    }
    // Before, the copy of a partition could get a name of its own.
    if trigger.is_some_and(|trigger| trigger.inherited) && sheet.since(15) {
        let detail = format!("cannot rename trigger \"{name}\" on table \"{table}\"");
        let code = if sheet.since(18) { "0A000" } else { "XX000" };
        sheet.fails("dependents-exist", code, detail);
        return true;
    }
    false
}

/// The server's own functions that return `trigger` (pg_proc of PostgreSQL 12 to 18).
const TRIGGER_FUNCTIONS: &[&str] = &[
    "suppress_redundant_updates_trigger",
    "tsvector_update_trigger",
    "tsvector_update_trigger_column",
    "unique_key_recheck",
];

/// Effects of CREATE TRIGGER: writers wait.
pub(super) fn create_trigger(sheet: &mut Sheet<'_>, create: &CreateTrigger) {
    if create.or_replace && sheet.needs_version(14, "CREATE OR REPLACE TRIGGER") {
        return;
    }
    let Some(table) = sheet.existing(&create.table, false) else { return };
    let name = create.name.name();
    let found = sheet.table(&table);
    let there = found.is_some_and(|found| found.triggers.iter().any(|t| t.name == name));
    if there && !create.or_replace {
        let detail = format!("trigger \"{name}\" for relation \"{table}\" exists already");
        sheet.fails("duplicate-object", "42710", detail);
        return;
    }
    if trigger_refused(sheet, create, found, &table) {
        return;
    }
    if create.function.as_ref().is_some_and(|function| lacks_function(sheet, function)) {
        return;
    }
    if function_refused(sheet, create) {
        return;
    }
    if let Some(found) = found {
        let unfit = matches!(found.kind, RelationKind::MaterializedView | RelationKind::Sequence);
        if unfit {
            let detail = format!("relation \"{table}\" cannot have triggers");
            sheet.fails("wrong-object-kind", "42809", detail);
            return;
        }
        let view = found.kind == RelationKind::View;
        let foreign = found.kind == RelationKind::Foreign;
        let truncates = create.events.iter().any(|event| event == "truncate");
        let wrong = match create.timing.as_str() {
            "instead of" => !view,
            _ => {
                view && (create.for_each_row || truncates)
                    // Foreign tables have triggers on TRUNCATE from PostgreSQL 16 on.
                    || foreign && truncates && !sheet.since(16)
            }
        } || create.constraint && (view || foreign);
        if wrong && found.origin != crate::schema::Origin::Assumed {
            let detail = format!("such a trigger is not possible on \"{table}\"");
            sheet.fails("wrong-object-kind", "42809", detail);
            return;
        }
        let missing = create
            .columns
            .iter()
            .find(|column| found.complete && found.column(column.as_str()).is_none());
        if let Some(missing) = missing {
            let detail = format!("column \"{missing}\" of relation \"{table}\" does not exist");
            sheet.fails("missing-column", "42703", detail);
            return;
        }
    }
    let condition = create.when.as_ref();
    if condition.is_some_and(|when| there::expr_lacks_column(sheet, &table, when)) {
        return;
    }
    sheet.lock(&table, ShareRowExclusive, "create-trigger");
    if let Some(from) = &create.from
        && let Some(from) = sheet.existing(from, false)
    {
        sheet.lock(&from, AccessShare, "create-trigger");
    }
    if create.for_each_row && found.is_some_and(|found| found.partition_by.is_some()) {
        for child in sheet.family(&table, false).into_iter().skip(1) {
            sheet.lock(&child, ShareRowExclusive, "create-trigger");
        }
    }
    let how = if there { "replace-trigger" } else { "new-trigger" };
    sheet.breaks(how, ObjectKind::Trigger, format!("{table}.{name}"), &table);
}

/// Notes a function that nobody made: it may have come with an extension. Says whether it is
/// missing for sure.
pub(super) fn lacks_function(sheet: &mut Sheet<'_>, function: &ObjectName) -> bool {
    let own = TRIGGER_FUNCTIONS.contains(&function.name()) || functions::is_built_in(function);
    if own || !sheet.schema.complete || sheet.schema.find_routines(function).is_some() {
        return false;
    }
    let detail = format!("function {function}() does not exist");
    let missing = sheet.schema.extensions.is_empty();
    if missing {
        sheet.fails("missing-object", "42883", detail);
    } else {
        sheet.may_fail("missing-object", "42883", detail);
    }
    missing
}

/// A trigger calls a function without arguments that returns `trigger`.
fn function_refused(sheet: &mut Sheet<'_>, create: &CreateTrigger) -> bool {
    let Some(function) = &create.function else { return false };
    let Some((_, routines)) = sheet.schema.find_routines(function) else { return false };
    let plain = routines.iter().find(|routine| routine.arguments.is_empty());
    let Some(plain) = plain else {
        let detail = format!("function {function}() does not exist");
        sheet.fails("missing-object", "42883", detail);
        return true;
    };
    let wrong = plain.returns.as_ref().is_some_and(|returns| returns.name != "trigger");
    if wrong {
        let detail = format!("function {function} must return type trigger");
        sheet.fails("type-mismatch", "42P17", detail);
    }
    wrong
}

/// Effects of CREATE POLICY and ALTER POLICY.
pub(super) fn policy(sheet: &mut Sheet<'_>, policy: &Policy) {
    let Some(table) = sheet.existing(&policy.table, false) else { return };
    let name = policy.name.as_str();
    if let Some(found) = sheet.table(&table) {
        let there = found.policies.iter().any(|known| known.name == name);
        if there && !policy.alter {
            let detail = format!("policy \"{name}\" for table \"{table}\" exists already");
            sheet.fails("duplicate-object", "42710", detail);
            return;
        }
        if !there && policy.alter && found.complete {
            let detail = format!("policy \"{name}\" for table \"{table}\" does not exist");
            sheet.fails("missing-object", "42704", detail);
            return;
        }
    }
    if policy_refused(sheet, policy, &table) {
        return;
    }
    sheet.lock(&table, AccessExclusive, "create-policy");
    for expr in policy.using.iter().chain(&policy.with_check) {
        subquery_locks(sheet, expr, &table, "create-policy");
    }
    sheet.breaks("policy", ObjectKind::Policy, format!("{table}.{name}"), &table);
}

/// Policies are for tables, and name columns and roles that are there.
fn policy_refused(sheet: &mut Sheet<'_>, policy: &Policy, table: &Name) -> bool {
    there::roles(sheet, &policy.roles);
    let kind = sheet.table(table).map(|found| found.kind);
    if kind.is_some_and(|kind| kind != RelationKind::Table) {
        sheet.fails("wrong-object-kind", "42809", format!("\"{table}\" is not a table"));
        return true;
    }
    let mut conditions = policy.using.iter().chain(&policy.with_check);
    conditions.any(|condition| there::expr_lacks_column(sheet, table, condition))
}

fn subquery_locks(sheet: &mut Sheet<'_>, expr: &Expr, table: &Name, cause: &'static str) {
    for read in sheet.schema.relations_named(expr) {
        if read != *table {
            sheet.lock(&read, AccessShare, cause);
        }
    }
}

/// Kinds of trigger that do not exist.
fn trigger_refused(
    sheet: &mut Sheet<'_>,
    create: &CreateTrigger,
    found: Option<&Relation>,
    table: &Name,
) -> bool {
    if create.for_each_row && create.events.iter().any(|event| event == "truncate") {
        let detail = "TRUNCATE FOR EACH ROW triggers are not supported".to_owned();
        sheet.fails("wrong-object-kind", "0A000", detail);
        return true;
    }
    if create.transition_tables && transition_refused(sheet, create, found, table) {
        return true;
    }
    let partitioned = found.is_some_and(Relation::is_partitioned);
    if create.for_each_row && partitioned && create.timing == "before" && !sheet.since(13) {
        let detail = format!("\"{table}\" is a partitioned table");
        sheet.fails("unsupported-version", "42809", detail);
        return true;
    }
    false
}

/// Transition tables are for AFTER triggers of one event, on plain tables; for each row, the table
/// has none above it (PostgreSQL 12 to 18, CreateTriggerFiringOn; measured).
fn transition_refused(
    sheet: &mut Sheet<'_>,
    create: &CreateTrigger,
    found: Option<&Relation>,
    table: &Name,
) -> bool {
    let rows = create.for_each_row;
    let above = |found: &Relation| found.partition_of.is_some() || !found.inherits.is_empty();
    let (code, detail) = if found.is_some_and(|found| found.kind != RelationKind::Table) {
        ("42809", format!("\"{table}\" is not a table"))
    } else if rows && found.is_some_and(|found| found.is_partitioned() || above(found)) {
        ("0A000", "no trigger for each row of such a table has transition tables".to_owned())
    } else if create.timing != "after" {
        ("42P17", "transition table name can only be specified for an AFTER trigger".to_owned())
    } else if create.events.iter().any(|event| event == "truncate")
        || create.events.len() > 1
        || !create.columns.is_empty()
    {
        ("0A000", "transition tables are for one event, of all columns".to_owned())
    } else {
        return false;
    };
    sheet.fails("wrong-object-kind", code, detail);
    true
}
