//! `CREATE TRIGGER` of SQLite.

use super::name::{full_name, name};
use crate::sql::ast::{CreateTrigger, Statement, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::{expr, parse};

/// Reads what follows `CREATE [TEMP] TRIGGER`.
pub(super) fn create(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let if_not_exists = cursor.accept(&["IF", "NOT", "EXISTS"]);
    let trigger_name = full_name(cursor)?;
    let timing = timing(cursor);
    let Some(event) = cursor.accept_any(&["delete", "insert", "update"]) else {
        return Err(cursor.expected("DELETE, INSERT or UPDATE"));
    };
    let mut columns = Vec::new();
    if event == "update" && cursor.accept(&["OF"]) {
        columns.push(name(cursor)?);
        while cursor.accept_symbol(",") {
            columns.push(name(cursor)?);
        }
    }
    cursor.expect(&["ON"])?;
    let table = full_name(cursor)?;
    let for_each_row = cursor.accept(&["FOR", "EACH", "ROW"]);
    let when = if cursor.accept(&["WHEN"]) { Some(expr::until(cursor, &["BEGIN"])?) } else { None };
    let body = cursor.position();
    cursor.expect(&["BEGIN"])?;
    let statements = statements(cursor)?;
    cursor.expect(&["END"])?;
    Ok(StatementKind::CreateTrigger(Box::new(CreateTrigger {
        name: trigger_name,
        table,
        or_replace: false,
        if_not_exists,
        constraint: false,
        from: None,
        timing: timing.to_owned(),
        events: vec![event.to_owned()],
        columns,
        for_each_row,
        when,
        function: None,
        statements,
        body: cursor.span_from(body),
    })))
}

/// BEFORE is what nothing written means (<https://sqlite.org/lang_createtrigger.html>).
fn timing(cursor: &mut Cursor<'_>) -> &'static str {
    if cursor.accept(&["INSTEAD", "OF"]) {
        "instead of"
    } else if cursor.accept(&["AFTER"]) {
        "after"
    } else {
        cursor.accept(&["BEFORE"]);
        "before"
    }
}

/// Takes the statements of the body; each ends in a semicolon, and there is at least one.
fn statements(cursor: &mut Cursor<'_>) -> Parsed<Vec<Statement>> {
    let mut statements = Vec::new();
    while !cursor.at(&["END"]) {
        let data = ["SELECT", "WITH", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE"];
        if !data.into_iter().any(|word| cursor.at(&[word])) {
            return Err(cursor.expected("SELECT, INSERT, UPDATE or DELETE"));
        }
        let start = cursor.position();
        while !cursor.is_at_end() && !cursor.at_symbol(";") {
            cursor.advance();
        }
        statements.push(parse::statement(cursor.sub(start, cursor.position())));
        cursor.expect_symbol(";")?;
    }
    if statements.is_empty() {
        return Err(cursor.expected("a statement"));
    }
    Ok(statements)
}
