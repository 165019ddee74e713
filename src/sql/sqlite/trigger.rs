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
    let temporary =
        temporary || trigger_name.schema().is_some_and(|home| home.eq_ignore_ascii_case("temp"));
    let statements = statements(cursor, temporary)?;
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
fn statements(cursor: &mut Cursor<'_>, temporary: bool) -> Parsed<Vec<Statement>> {
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
        narrower(&mut cursor.sub(start, cursor.position()), temporary)?;
        let statement = parse::statement(cursor.sub(start, cursor.position()));
        if let StatementKind::Unknown { reason, .. } = &statement.kind {
            return Err(SyntaxError { message: reason.clone(), at: statement.span });
        }
        if let StatementKind::Dml(dml) = &statement.kind
            && dml.tree.get().is_some_and(returns)
        {
            let message = "cannot use RETURNING in a trigger".to_owned();
            return Err(SyntaxError { message, at: statement.span });
        }
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

const fn returns(change: &Change) -> bool {
    match change {
        Change::Insert(insert) => !insert.returning.is_empty(),
        Change::Update(update) => !update.returning.is_empty(),
        Change::Delete(delete) => !delete.returning.is_empty(),
        Change::Select(_) => false,
    }
}

/// Refuses what INSERT, UPDATE and DELETE may have everywhere but in a trigger: WITH, RETURNING,
/// INDEXED BY, DEFAULT VALUES, and until 3.53 an alias; a database before the table is for
/// temporary ones since 3.53 alone
/// (<https://sqlite.org/lang_createtrigger.html>, section 2; measured on 3.35 to 3.54).
fn narrower(cursor: &mut Cursor<'_>, temporary: bool) -> Parsed<()> {
    if cursor.at(&["WITH"]) && !queries(cursor) {
        return Err(cursor.expected("SELECT behind WITH, as in every trigger"));
    }
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
    let wider = cursor.server().version.at_least(3, 53, 0);
    name(cursor)?;
    if wider && temporary && cursor.accept_symbol(".") {
        name(cursor)?;
    }
    if wider && cursor.accept(&["AS"]) {
        name(cursor)?;
    }
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

/// Says whether a WITH clause belongs to a query.
fn queries(cursor: &Cursor<'_>) -> bool {
    let mut rest = cursor.clone();
    while !rest.is_at_end() {
        if rest.at_symbol("(") {
            if rest.parentheses().is_err() {
                return true;
            }
        } else if ["INSERT", "REPLACE", "UPDATE", "DELETE"].iter().any(|word| rest.at(&[word])) {
            return false;
        } else {
            rest.advance();
        }
    }
    true
}
