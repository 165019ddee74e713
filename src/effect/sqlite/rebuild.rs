//! The table rebuild of sqlite.org/lang_altertable.html, section 7, seen across statements
//! (SQLite 3.35 and later).
//!
//! In: the statements of a migration. Out: which of them together make a table anew. A DROP TABLE
//! inside one is not the end of the table's rows.

use super::same;
use crate::sql::ObjectName;
use crate::sql::ast::{ActionKind, CreateTable, DmlKind, ObjectKind, Statement, StatementKind};

/// A table made anew under another name, filled, and given the name of the old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuild {
    /// The table, by the name it has before and after.
    pub table: ObjectName,
    /// The name that the new table has meanwhile, or the old one if that is renamed first.
    pub temporary: ObjectName,
    /// The statement that makes the new table, by position.
    pub created: usize,
    /// The statement that copies the rows, by position; none if they are lost.
    pub copied: Option<usize>,
    /// The statement that drops the old table, by position.
    pub dropped: usize,
    /// The statement that renames, by position.
    pub renamed: usize,
    /// The old table is renamed before the new one is made: references of other tables follow it,
    /// and dangle once it is dropped, unless `legacy_alter_table` is on.
    pub old_first: bool,
}

/// Returns the rebuilds among statements, in order.
pub fn rebuilds(statements: &[Statement]) -> Vec<Rebuild> {
    let mut found = Vec::new();
    for (at, statement) in statements.iter().enumerate() {
        if let StatementKind::CreateTable(create) = &statement.kind {
            let new_first = new_table_first(statements, at, create);
            found.extend(new_first.or_else(|| old_table_first(statements, at, create)));
        }
    }
    found
}

/// CREATE new, INSERT … SELECT, DROP old, RENAME new TO old.
fn new_table_first(
    statements: &[Statement],
    created: usize,
    create: &CreateTable,
) -> Option<Rebuild> {
    let temporary = &create.name;
    let (renamed, table) = after(statements, created).find_map(|(at, statement)| {
        let (from, to) = rename(statement)?;
        equal(from, temporary).then_some((at, to))
    })?;
    let dropped = after(statements, created)
        .find(|(at, statement)| *at < renamed && drops(statement, table))
        .map(|(at, _)| at)?;
    let filled_by_query =
        create.query.as_ref().is_some_and(|query| query.reads.iter().any(|r| equal(r, table)));
    let copied = if filled_by_query {
        Some(created)
    } else {
        copy(statements, (created, dropped), temporary, table)
    };
    Some(Rebuild {
        table: table.clone(),
        temporary: temporary.clone(),
        created,
        copied,
        dropped,
        renamed,
        old_first: false,
    })
}

/// RENAME t TO old, CREATE t, INSERT … SELECT, DROP old.
fn old_table_first(
    statements: &[Statement],
    created: usize,
    create: &CreateTable,
) -> Option<Rebuild> {
    let table = &create.name;
    let before = statements.iter().enumerate().take(created);
    let (renamed, temporary) = before.rev().find_map(|(at, statement)| {
        let (from, to) = rename(statement)?;
        equal(from, table).then_some((at, to))
    })?;
    let dropped = after(statements, created)
        .find(|(_, statement)| drops(statement, temporary))
        .map(|(at, _)| at)?;
    let copied = copy(statements, (created, dropped), table, temporary);
    Some(Rebuild {
        table: table.clone(),
        temporary: temporary.clone(),
        created,
        copied,
        dropped,
        renamed,
        old_first: true,
    })
}

fn after(statements: &[Statement], at: usize) -> impl Iterator<Item = (usize, &Statement)> {
    statements.iter().enumerate().skip(at + 1)
}

fn rename(statement: &Statement) -> Option<(&ObjectName, &ObjectName)> {
    let StatementKind::AlterTable(alter) = &statement.kind else { return None };
    alter.actions.iter().find_map(|action| match &action.kind {
        ActionKind::RenameTo(to) => Some((&alter.name, to)),
        ActionKind::AddColumn { .. }
        | ActionKind::DropColumn { .. }
        | ActionKind::RenameColumn { .. }
        | ActionKind::SetDefault { .. }
        | ActionKind::DropDefault { .. }
        | ActionKind::SetNotNull { .. }
        | ActionKind::DropNotNull { .. }
        | ActionKind::AddConstraint(_)
        | ActionKind::DropConstraint { .. }
        | ActionKind::Postgres(_)
        | ActionKind::Mysql(_) => None,
    })
}

fn drops(statement: &Statement, table: &ObjectName) -> bool {
    matches!(&statement.kind, StatementKind::Drop(drop)
        if drop.object == ObjectKind::Table && drop.names.iter().any(|name| equal(name, table)))
}

fn copy(
    statements: &[Statement],
    (created, dropped): (usize, usize),
    into: &ObjectName,
    from: &ObjectName,
) -> Option<usize> {
    after(statements, created)
        .take_while(|(at, _)| *at < dropped)
        .find(|(_, statement)| {
            let StatementKind::Dml(dml) = &statement.kind else { return false };
            matches!(dml.kind, DmlKind::Insert | DmlKind::Replace)
                && dml.targets.iter().any(|target| equal(target, into))
                && dml.query.reads.iter().any(|read| equal(read, from))
        })
        .map(|(at, _)| at)
}

fn equal(left: &ObjectName, right: &ObjectName) -> bool {
    same(left.name(), right.name())
}
