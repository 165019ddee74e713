//! DROP COLUMN: what goes with the column, on the table and below it.
//!
//! PostgreSQL 12 to 18, tablecmds.c: ATExecDropColumn; measured, testdata/servers/postgres.

use super::column::check_there_first;
use super::dependents;
use super::sheet::Sheet;
use super::target::Target;
use crate::effect::LockMode::AccessExclusive;
use crate::schema::{Name, Relation};
use crate::sql::ast::ObjectKind;

/// Effects of DROP COLUMN.
pub(super) fn drop(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    column: &str,
    if_exists: bool,
    cascade: bool,
) {
    let name = &target.name;
    if let Some(table) = sheet.table(name) {
        if table.complete && table.column(column).is_none() {
            if !if_exists {
                check_there_first(sheet, target, column);
            }
            return;
        }
        if table.of_type.is_some() {
            let detail = "cannot drop column from typed table".to_owned();
            sheet.fails("wrong-object-kind", "42809", detail);
            return;
        }
        if table.column(column).is_some_and(|found| found.inherited) {
            let detail = format!("cannot drop inherited column \"{column}\"");
            sheet.fails("column-in-use", "42P16", detail);
            return;
        }
        if is_partition_key(table, column) {
            let detail = format!("column \"{column}\" is part of the partition key");
            sheet.fails("column-in-use", "42P16", detail);
            return;
        }
    }
    let below =
        if target.only { Vec::new() } else { sheet.schema.losing_column(name, column).losing };
    let keyed =
        |child: &&Name| sheet.table(child).is_some_and(|table| is_partition_key(table, column));
    if let Some(child) = below.iter().find(keyed) {
        let detail = format!("column \"{column}\" is part of the partition key of \"{child}\"");
        sheet.fails("column-in-use", "42P16", detail);
        return;
    }
    if target.only && sheet.table(name).is_some_and(|table| table.partition_by.is_some()) {
        let detail = "cannot drop column from only the partitioned table".to_owned();
        sheet.fails("wrong-object-kind", "42P16", detail);
        return;
    }
    sheet.breaks("drop-column", ObjectKind::Column, format!("{name}.{column}"), name);
    for child in reached_by_drop(sheet, target, column) {
        sheet.lock(&child, AccessExclusive, "drop-column");
    }
    for (at, member) in std::iter::once(name.clone()).chain(below).enumerate() {
        sheet.lose_part(ObjectKind::Column, &member, column, true, at > 0);
        let found = sheet.schema.dependents_of_column(&member, column);
        let what = format!("column {member}.{column}");
        dependents::drop_with(sheet, &what, &found, &[], cascade, "drop-column");
    }
}

/// Returns the tables below that DROP COLUMN changes: those that lose the column, and those next to
/// them that keep it as their own.
fn reached_by_drop(sheet: &Sheet<'_>, target: &Target<'_>, column: &str) -> Vec<Name> {
    if target.only {
        let children = sheet.schema.children(&target.name);
        return children.iter().map(|child| child.name.clone()).collect();
    }
    let found = sheet.schema.losing_column(&target.name, column);
    found.losing.into_iter().chain(found.keeping).collect()
}

/// Says whether a table is partitioned by a column.
pub(super) fn is_partition_key(table: &Relation, column: &str) -> bool {
    table.partition_by.iter().flat_map(|by| &by.keys).any(|part| match &part.key {
        crate::sql::ast::Key::Column(ident) => ident.as_str() == column,
        crate::sql::ast::Key::Expr(expr) => expr.columns.iter().any(|name| name == column),
    })
}
