//! Rewrite rules. DROP of them is in `drop`.
//!
//! PostgreSQL 12 to 18, DefineQueryRewrite and checkRuleResultList (rewriteDefine.c); manual:
//! CREATE RULE; measured, testdata/servers/postgres.

use super::sheet::Sheet;
use super::{dml, there};
use crate::effect::LockMode::AccessExclusive;
use crate::schema::{Name, Relation, RelationKind};
use crate::sql::ast::{CreateRule, Dml, DmlKind, ObjectKind, Statement, StatementKind};

/// Effects of CREATE RULE.
pub(super) fn create_rule(sheet: &mut Sheet<'_>, create: &CreateRule) {
    let Some(table) = sheet.existing(&create.table, false) else { return };
    let name = create.name.as_str();
    let there =
        sheet.table(&table).is_some_and(|found| found.rules.iter().any(|rule| rule.name == name));
    if there && !create.or_replace {
        let detail = format!("rule \"{name}\" for relation \"{table}\" exists already");
        sheet.fails("duplicate-object", "42710", detail);
        return;
    }
    if rule_refused(sheet, create, &table) {
        return;
    }
    let columns = create.row_columns.iter().map(crate::sql::Ident::as_str);
    if there::lacks_column(sheet, &table, columns) {
        return;
    }
    for command in &create.statements {
        if command_refused(sheet, create, command) {
            return;
        }
    }
    sheet.lock(&table, AccessExclusive, "create-rule");
    for command in &create.statements {
        rule_locks(sheet, command);
    }
    sheet.breaks("replace-rule", ObjectKind::Rule, format!("{table}.{name}"), &table);
}

/// ON SELECT is the rule that makes a view: tables have none (PostgreSQL 16 to 18); before, a table
/// that is empty and plain became a view by it.
fn rule_refused(sheet: &mut Sheet<'_>, create: &CreateRule, table: &Name) -> bool {
    let Some(found) = sheet.table(table) else { return false };
    if matches!(found.kind, RelationKind::Sequence | RelationKind::Foreign)
        || (found.kind == RelationKind::MaterializedView)
    {
        sheet.fails("wrong-object-kind", "42809", format!("\"{table}\" is not a table or view"));
        return true;
    }
    if create.event != "select" {
        return false;
    }
    let plain = !found.is_partitioned()
        && found.partition_of.is_none()
        && found.inherits.is_empty()
        && sheet.schema.children(table).is_empty()
        && found.triggers.is_empty()
        && found.indexes.is_empty()
        && found.policies.is_empty()
        && !found.row_security;
    let view = found.kind == RelationKind::View && !create.or_replace;
    if found.complete && found.kind == RelationKind::Table && (sheet.since(16) || !plain) || view {
        let detail = format!("relation \"{table}\" cannot have ON SELECT rules");
        sheet.fails("wrong-object-kind", "42809", detail);
        return true;
    }
    if found.kind == RelationKind::Table && shows_others(sheet, create, found) {
        return true;
    }
    if found.kind == RelationKind::Table && create.name.as_str() != "_RETURN" {
        let detail = format!("view rule for \"{table}\" must be named \"_RETURN\"");
        sheet.fails("wrong-object-kind", "42P17", detail);
        return true;
    }
    if found.kind == RelationKind::Table {
        let detail = format!("could not convert table \"{table}\" to a view");
        sheet.may_fail("rows-present", "55000", detail);
    }
    false
}

/// A table becomes a view by a query with its very columns.
fn shows_others(sheet: &mut Sheet<'_>, create: &CreateRule, table: &Relation) -> bool {
    let [one] = create.statements.as_slice() else { return false };
    let StatementKind::Dml(dml) = &one.kind else { return false };
    let shown = dml.query.outline.get().and_then(|outline| sheet.schema.shown(outline));
    let Some(shown) = shown.filter(|_| table.complete) else { return false };
    let differs = shown.len() != table.columns.len()
        || shown
            .iter()
            .zip(&table.columns)
            .any(|(shown, column)| shown.name.as_ref().is_some_and(|name| *name != column.name));
    if differs {
        let detail = format!("the columns of the query are not those of \"{}\"", table.name);
        sheet.fails("type-mismatch", "42P17", detail);
    }
    differs
}

/// The commands of a rule are analysed when it is made, OLD and NEW aside.
fn rule_locks(sheet: &mut Sheet<'_>, command: &Statement) {
    if let StatementKind::Dml(dml) = &command.kind {
        dml::stored_locks(sheet, &without_rows(dml), "create-rule", dml::Use::Stored);
    }
}

fn without_rows(dml: &Dml) -> Dml {
    let mut dml = dml.clone();
    dml.query.reads.retain(|read| !matches!(read.name(), "old" | "new"));
    dml
}

/// Notes a target of a command that is missing, and a column that a condition over it alone names.
fn command_refused(sheet: &mut Sheet<'_>, create: &CreateRule, command: &Statement) -> bool {
    let StatementKind::Dml(dml) = &command.kind else { return false };
    for target in &dml.targets {
        if sheet.existing(target, false).is_none() {
            return true;
        }
    }
    let alone = dml.query.outline.get().is_some_and(|outline| outline.alone);
    let (Some(filter), [target], true) = (&dml.filter, dml.targets.as_slice(), alone) else {
        return false;
    };
    if !matches!(dml.kind, DmlKind::Update | DmlKind::Delete) || filter.text.contains(").") {
        return false;
    }
    let target = sheet.schema.resolve(target);
    let of_row =
        |word: &&String| create.row_columns.iter().any(|own| own.as_str() == word.as_str());
    let own: Vec<&str> =
        filter.columns.iter().filter(|word| !of_row(word)).map(String::as_str).collect();
    there::lacks_column(sheet, &target, own.into_iter())
}
