//! `ALTER TABLE` of SQLite: what the server takes, and a reason for what it does not.

use super::column::{column, conflict, table_constraint};
use super::name::{full_name, name};
use super::term::in_parentheses;
use crate::sql::ast::{
    ActionKind, AlterTable, ColumnPosition, ConstraintKind, ObjectKind, StatementKind, TableAction,
};
use crate::sql::cursor::{Cursor, Parsed, SyntaxError};
use crate::sql::name::ObjectName;

/// Reads what follows `ALTER TABLE`: one action.
pub(super) fn table(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    if cursor.at(&["IF", "EXISTS"]) {
        return Err(refused(cursor, "ALTER TABLE IF EXISTS"));
    }
    let name = full_name(cursor)?;
    let start = cursor.position();
    let kind = action(cursor)?;
    if cursor.at_symbol(",") {
        return Err(refused(cursor, "ALTER TABLE with several actions"));
    }
    let action = TableAction { span: cursor.span_from(start), kind };
    Ok(StatementKind::AlterTable(Box::new(AlterTable {
        name,
        object: ObjectKind::Table,
        if_exists: false,
        only: false,
        ignore: false,
        online: false,
        wait_seconds: None,
        actions: vec![action],
    })))
}

fn refused(cursor: &Cursor<'_>, what: &str) -> SyntaxError {
    let version = cursor.server().version;
    SyntaxError { message: format!("SQLite {version} has no {what}"), at: cursor.place() }
}

fn action(cursor: &mut Cursor<'_>) -> Parsed<ActionKind> {
    if cursor.accept(&["RENAME", "TO"]) {
        Ok(ActionKind::RenameTo(ObjectName::bare(name(cursor)?)))
    } else if cursor.accept(&["RENAME"]) {
        rename_column(cursor)
    } else if cursor.accept(&["ADD"]) {
        add(cursor)
    } else if cursor.accept(&["DROP"]) {
        drop(cursor)
    } else if cursor.at(&["ALTER"]) {
        alter_column(cursor)
    } else {
        let word = cursor.text_at(0).to_ascii_uppercase();
        Err(refused(cursor, &format!("ALTER TABLE … {word}")))
    }
}

fn rename_column(cursor: &mut Cursor<'_>) -> Parsed<ActionKind> {
    cursor.accept(&["COLUMN"]);
    let from = name(cursor)?;
    cursor.expect(&["TO"])?;
    Ok(ActionKind::RenameColumn { from, to: name(cursor)?, if_exists: false })
}

/// `CHECK` constraints are added since 3.53 (measured on 3.51.3 and 3.53.4).
fn add(cursor: &mut Cursor<'_>) -> Parsed<ActionKind> {
    let constraint = ["CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "FOREIGN"];
    if let Some(word) = constraint.into_iter().find(|word| cursor.at(&[word])) {
        let start = cursor.position();
        let named = if cursor.accept(&["CONSTRAINT"]) { Some(name(cursor)?) } else { None };
        if !has_constraint_changes(cursor) || !cursor.accept(&["CHECK"]) {
            let word = if named.is_some() { cursor.text_at(0) } else { word };
            let what = format!("ALTER TABLE … ADD {}", word.to_ascii_uppercase());
            return Err(refused(cursor, &what));
        }
        let check = in_parentheses(cursor)?;
        conflict(cursor)?;
        let mut constraint = table_constraint(named, ConstraintKind::Check(check));
        constraint.span = cursor.span_from(start);
        return Ok(ActionKind::AddConstraint(Box::new(constraint)));
    }
    cursor.accept(&["COLUMN"]);
    if cursor.at(&["IF", "NOT", "EXISTS"]) {
        return Err(refused(cursor, "ALTER TABLE … ADD COLUMN IF NOT EXISTS"));
    }
    let column = Box::new(column(cursor)?);
    let position = ColumnPosition::Unchanged;
    Ok(ActionKind::AddColumn { column, if_not_exists: false, position })
}

fn drop(cursor: &mut Cursor<'_>) -> Parsed<ActionKind> {
    if cursor.at(&["CONSTRAINT"]) {
        if !has_constraint_changes(cursor) {
            return Err(refused(cursor, "ALTER TABLE … DROP CONSTRAINT"));
        }
        cursor.accept(&["CONSTRAINT"]);
        let name = name(cursor)?;
        return Ok(ActionKind::DropConstraint { name, if_exists: false, cascade: false });
    }
    cursor.accept(&["COLUMN"]);
    if cursor.at(&["IF", "EXISTS"]) {
        return Err(refused(cursor, "ALTER TABLE … DROP COLUMN IF EXISTS"));
    }
    let column = name(cursor)?;
    if let Some(word) = cursor.accept_any(&["CASCADE", "RESTRICT"]) {
        return Err(refused(cursor, &format!("ALTER TABLE … DROP COLUMN … {word}")));
    }
    Ok(ActionKind::DropColumn { column, if_exists: false, cascade: false })
}

/// `SET NOT NULL` and `DROP NOT NULL` since 3.53.
fn alter_column(cursor: &mut Cursor<'_>) -> Parsed<ActionKind> {
    if !has_constraint_changes(cursor) {
        return Err(refused(cursor, "ALTER TABLE … ALTER COLUMN"));
    }
    cursor.expect(&["ALTER"])?;
    cursor.accept(&["COLUMN"]);
    let column = name(cursor)?;
    if cursor.accept(&["SET", "NOT", "NULL"]) {
        conflict(cursor)?;
        Ok(ActionKind::SetNotNull { column })
    } else if cursor.accept(&["DROP", "NOT", "NULL"]) {
        Ok(ActionKind::DropNotNull { column })
    } else {
        Err(refused(cursor, "ALTER COLUMN but SET NOT NULL and DROP NOT NULL"))
    }
}

fn has_constraint_changes(cursor: &Cursor<'_>) -> bool {
    cursor.server().version.at_least(3, 53, 0)
}
