//! `CREATE TRIGGER` of SQLite.

use super::name::{full_name, name};
use super::select::without_parameters;
use super::term::expression;
use crate::sql::ast::{Change, CreateTrigger, Delete, Statement, StatementKind, Tail, Update};
use crate::sql::cursor::{Cursor, Parsed, SyntaxError};
use crate::sql::name::Ident;
use crate::sql::parse;

/// Reads what follows `CREATE [TEMP] TRIGGER`; a temporary one is named as one of `temp`.
pub(super) fn create(cursor: &mut Cursor<'_>, temporary: bool) -> Parsed<StatementKind> {
    let if_not_exists = cursor.accept(&["IF", "NOT", "EXISTS"]);
    let start = cursor.position();
    let mut trigger_name = full_name(cursor)?;
    if temporary {
        trigger_name.parts.insert(0, Ident::new("temp", trigger_name.span()));
    }
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
    let when = if cursor.accept(&["WHEN"]) { Some(expression(cursor)?) } else { None };
    let body = cursor.position();
    cursor.expect(&["BEGIN"])?;
    let statements = statements(cursor)?;
    cursor.expect(&["END"])?;
    without_parameters(cursor, start, "trigger cannot use variables")?;
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
        transition_tables: false,
        when,
        function: None,
        statements,
        body: cursor.span_from(body),
        text: Some(cursor.slice(cursor.span_from(start)).to_owned()),
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
        narrower(&mut cursor.sub(start, cursor.position()))?;
        let statement = parse::statement(cursor.sub(start, cursor.position()));
        if let StatementKind::Dml(dml) = &statement.kind
            && let Some(Change::Update(Update { tail, .. }) | Change::Delete(Delete { tail, .. })) =
                dml.tree.get()
            && *tail != Tail::default()
        {
            let message = "near \"LIMIT\": syntax error in a trigger".to_owned();
            return Err(SyntaxError { message, at: statement.span });
        }
        statements.push(statement);
        cursor.expect_symbol(";")?;
    }
    if statements.is_empty() {
        return Err(cursor.expected("a statement"));
    }
    Ok(statements)
}

/// Refuses what INSERT, UPDATE and DELETE may have everywhere but in a trigger: a database before
/// the table, an alias, INDEXED BY, DEFAULT VALUES (<https://sqlite.org/lang_createtrigger.html>,
/// section 2; measured on 3.40 and 3.51).
fn narrower(cursor: &mut Cursor<'_>) -> Parsed<()> {
    if cursor.at(&["SELECT"]) || cursor.at(&["WITH"]) || cursor.at(&["VALUES"]) {
        return Ok(());
    }
    let inserts = cursor.accept_any(&["INSERT", "REPLACE"]).is_some();
    if !inserts && cursor.accept_any(&["UPDATE", "DELETE"]).is_none() {
        return Ok(());
    }
    if cursor.accept(&["OR"]) {
        cursor.advance();
    }
    let _ = cursor.accept_any(&["INTO", "FROM"]);
    name(cursor)?;
    let refused = cursor.at_symbol(".")
        || cursor.at(&["AS"])
        || cursor.at(&["INDEXED"])
        || cursor.at(&["NOT", "INDEXED"]);
    if refused {
        return Err(cursor.expected("the bare name of a table, as in every trigger"));
    }
    if inserts && cursor.at_symbol("(") {
        cursor.parentheses()?;
    }
    if inserts && cursor.at(&["DEFAULT"]) {
        return Err(cursor.expected("VALUES or SELECT: triggers have no DEFAULT VALUES"));
    }
    Ok(())
}
