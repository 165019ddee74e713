//! Transactions, PRAGMA, ATTACH, VACUUM and the like of SQLite.

use super::name::{full_name, name};
use crate::sql::ast::{
    Maintenance, MaintenanceKind, ObjectKind, Other, Pragma, Reindex, ReindexTarget, StatementKind,
    Transaction,
};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::expr;
use crate::sql::lexer::TokenKind;
use crate::sql::name::ObjectName;

/// Reads a statement about the session, the transaction or the file.
pub(super) fn command(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    if cursor.accept(&["PRAGMA"]) {
        return pragma(cursor);
    }
    if let Some(transaction) = transaction(cursor)? {
        return Ok(StatementKind::Transaction(transaction));
    }
    if cursor.accept(&["VACUUM"]) {
        return vacuum(cursor);
    }
    if cursor.accept(&["ANALYZE"]) {
        let tables = if cursor.is_at_end() { Vec::new() } else { vec![full_name(cursor)?] };
        return Ok(maintenance(MaintenanceKind::Analyze, tables, Vec::new()));
    }
    if cursor.accept(&["REINDEX"]) {
        let name = if cursor.is_at_end() { None } else { Some(full_name(cursor)?) };
        let target = ReindexTarget::Any;
        return Ok(StatementKind::Reindex(Reindex {
            target,
            name,
            concurrently: false,
            tablespace: None,
        }));
    }
    if cursor.accept(&["ATTACH"]) {
        cursor.accept(&["DATABASE"]);
        let file = expr::until(cursor, &["AS"])?;
        cursor.expect(&["AS"])?;
        return database(cursor, "attach", vec![file.text]);
    }
    if cursor.accept(&["DETACH"]) {
        cursor.accept(&["DATABASE"]);
        return database(cursor, "detach", Vec::new());
    }
    Err(cursor.expected("a statement of SQLite"))
}

/// Takes the name of a database; for one that is attached the file is kept.
fn database(
    cursor: &mut Cursor<'_>,
    what: &'static str,
    options: Vec<String>,
) -> Parsed<StatementKind> {
    let names = vec![ObjectName::bare(name(cursor)?)];
    if cursor.accept(&["KEY"]) {
        expr::until(cursor, &[])?;
    }
    let object = Some(ObjectKind::Database);
    Ok(StatementKind::Other(Other { what, object, names, options }))
}

fn maintenance(
    kind: MaintenanceKind,
    tables: Vec<ObjectName>,
    options: Vec<String>,
) -> StatementKind {
    StatementKind::Maintenance(Maintenance {
        kind,
        tables,
        columns: Vec::new(),
        options,
        index: None,
    })
}

/// `VACUUM [schema] [INTO file]`; the first writes the whole file anew, the second a copy of it.
fn vacuum(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let mut tables = Vec::new();
    if !cursor.is_at_end() && !cursor.at(&["INTO"]) {
        tables.push(ObjectName::bare(name(cursor)?));
    }
    let mut options = Vec::new();
    if cursor.accept(&["INTO"]) {
        expr::until(cursor, &[])?;
        options.push("into".to_owned());
    }
    Ok(maintenance(MaintenanceKind::Vacuum, tables, options))
}

fn pragma(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let mut parts = full_name(cursor)?.parts;
    let name = parts.pop().map(|name| name.value.to_ascii_lowercase()).unwrap_or_default();
    let schema = parts.pop();
    let value = if cursor.accept_symbol("=") {
        Some(pragma_value(cursor)?)
    } else if cursor.accept_symbol("(") {
        let value = pragma_value(cursor)?;
        cursor.expect_symbol(")")?;
        Some(value)
    } else {
        None
    };
    Ok(StatementKind::Pragma(Pragma { schema, name, value }))
}

/// A signed number, a name, or one of the reserved words that a value may be.
fn pragma_value(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let negative = cursor.accept_symbol("-");
    if !negative {
        cursor.accept_symbol("+");
    }
    if let Some(token) = cursor.peek().filter(|token| token.kind == TokenKind::Number) {
        cursor.advance();
        let sign = if negative { "-" } else { "" };
        return Ok(format!("{sign}{}", cursor.slice(token.span)));
    }
    match cursor.accept_any(&["on", "delete", "default"]) {
        Some(word) => Ok(word.to_owned()),
        None => Ok(name(cursor)?.value.to_ascii_lowercase()),
    }
}

fn transaction(cursor: &mut Cursor<'_>) -> Parsed<Option<Transaction>> {
    let transaction = if cursor.accept(&["BEGIN"]) {
        let mode = cursor.accept_any(&["deferred", "immediate", "exclusive"]);
        transaction_name(cursor)?;
        Transaction::Begin(mode.map(ToOwned::to_owned).into_iter().collect())
    } else if cursor.accept_any(&["COMMIT", "END"]).is_some() {
        transaction_name(cursor)?;
        Transaction::Commit { chain: false }
    } else if cursor.accept(&["ROLLBACK"]) {
        transaction_name(cursor)?;
        if cursor.accept(&["TO"]) {
            cursor.accept(&["SAVEPOINT"]);
            Transaction::RollbackTo(name(cursor)?)
        } else {
            Transaction::Rollback { chain: false }
        }
    } else if cursor.accept(&["SAVEPOINT"]) {
        Transaction::Savepoint(name(cursor)?)
    } else if cursor.accept(&["RELEASE"]) {
        cursor.accept(&["SAVEPOINT"]);
        Transaction::Release(name(cursor)?)
    } else {
        return Ok(None);
    };
    Ok(Some(transaction))
}

fn transaction_name(cursor: &mut Cursor<'_>) -> Parsed<()> {
    if cursor.accept(&["TRANSACTION"]) && !cursor.is_at_end() && !cursor.at(&["TO"]) {
        name(cursor)?;
    }
    Ok(())
}
