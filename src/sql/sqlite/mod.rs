//! The grammar of SQLite 3.35 and later, as in its own `parse.y`.
//!
//! Where SQLite refuses what other servers take (`ALTER TABLE … MODIFY`), this does too: the
//! statement becomes unknown, with that reason. Where it takes what looks like a mistake, so does
//! this: `ADD COLUMN n INTEGER AFTER a` makes a column of the type `integer after a`.
//!
//! A type is its words as written, in lower case, white space folded to one blank; the numbers in
//! parentheses are the arguments. There are no synonyms to fold: what a type means is decided by
//! the letters in it (<https://sqlite.org/datatype3.html>, section 3.1).

mod alter;
mod change;
mod column;
mod command;
mod name;
mod select;
mod table;
mod term;
mod token;
mod trigger;

use super::ast::{
    CreateIndex, CreateView, Drop, IndexDef, IndexKind, ObjectKind, Statement, StatementKind,
};
use super::cursor::{Cursor, Parsed};
use super::parse;
use column::key_parts;
use name::{full_name, name};
use term::expression;

/// Reads one statement to its end.
pub(super) fn statement(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    token::all_known(cursor)?;
    if cursor.accept(&["CREATE"]) {
        return create(cursor);
    }
    if cursor.accept(&["ALTER"]) {
        cursor.expect(&["TABLE"])?;
        return alter::table(cursor);
    }
    if cursor.accept(&["DROP"]) {
        return drop(cursor);
    }
    if cursor.accept(&["EXPLAIN"]) {
        cursor.accept(&["QUERY", "PLAN"]);
        if cursor.is_at_end() || cursor.at(&["EXPLAIN"]) {
            return Err(cursor.expected("a statement"));
        }
        let rest = cursor.sub(cursor.position(), cursor.tokens().len());
        let statement = parse::statement(rest);
        cursor.skip_rest();
        return explain(statement);
    }
    let data = ["SELECT", "WITH", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE"];
    if data.into_iter().any(|word| cursor.at(&[word])) {
        return Ok(StatementKind::Dml(Box::new(change::dml(cursor)?)));
    }
    command::command(cursor)
}

fn explain(statement: Statement) -> Parsed<StatementKind> {
    Ok(StatementKind::Explain { analyze: false, statement: Box::new(statement) })
}

fn create(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let temporary = cursor.accept_any(&["TEMP", "TEMPORARY"]).is_some();
    if cursor.accept(&["TABLE"]) {
        return table::create(cursor, temporary);
    }
    if cursor.accept(&["VIEW"]) {
        return view(cursor, temporary);
    }
    if cursor.accept(&["TRIGGER"]) {
        return trigger::create(cursor, temporary);
    }
    if temporary {
        return Err(cursor.expected("TABLE, VIEW or TRIGGER"));
    }
    if cursor.accept(&["VIRTUAL", "TABLE"]) {
        return table::create_virtual(cursor);
    }
    let unique = cursor.accept(&["UNIQUE"]);
    if cursor.accept(&["INDEX"]) {
        return index(cursor, unique);
    }
    Err(cursor.expected("TABLE, INDEX, VIEW, TRIGGER or VIRTUAL TABLE"))
}

fn index(cursor: &mut Cursor<'_>, unique: bool) -> Parsed<StatementKind> {
    let start = cursor.position();
    let if_not_exists = cursor.accept(&["IF", "NOT", "EXISTS"]);
    let mut parts = full_name(cursor)?.parts;
    let index_name = parts.pop();
    cursor.expect(&["ON"])?;
    let table = super::name::ObjectName::bare(name(cursor)?);
    cursor.expect_symbol("(")?;
    let key = key_parts(cursor)?;
    cursor.expect_symbol(")")?;
    let predicate = if cursor.accept(&["WHERE"]) { Some(expression(cursor)?) } else { None };
    let index = IndexDef {
        span: cursor.span_from(start),
        name: index_name,
        kind: if unique { IndexKind::Unique } else { IndexKind::Plain },
        method: None,
        parts: key,
        include: Vec::new(),
        predicate,
        nulls_not_distinct: false,
        tablespace: None,
        options: Vec::new(),
        invisible: false,
    };
    Ok(StatementKind::CreateIndex(Box::new(CreateIndex {
        table,
        index,
        schema: parts.pop(),
        concurrently: false,
        if_not_exists,
        or_replace: false,
        only: false,
        algorithm: None,
        lock: None,
    })))
}

fn view(cursor: &mut Cursor<'_>, temporary: bool) -> Parsed<StatementKind> {
    let start = cursor.position();
    let if_not_exists = cursor.accept(&["IF", "NOT", "EXISTS"]);
    let view_name = full_name(cursor)?;
    let mut columns = Vec::new();
    if cursor.accept_symbol("(") {
        columns.push(name(cursor)?);
        while cursor.accept_symbol(",") {
            columns.push(name(cursor)?);
        }
        cursor.expect_symbol(")")?;
    }
    cursor.expect(&["AS"])?;
    if !["SELECT", "WITH", "VALUES"].into_iter().any(|word| cursor.at(&[word])) {
        return Err(cursor.expected("a query"));
    }
    let query = select::query(cursor)?;
    select::without_parameters(cursor, start, "parameters are not allowed in views")?;
    Ok(StatementKind::CreateView(Box::new(CreateView {
        name: view_name,
        materialized: false,
        or_replace: false,
        if_not_exists,
        temporary,
        recursive: false,
        columns,
        query,
        with_no_data: false,
        options: Vec::new(),
    })))
}

fn drop(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let object = match cursor.accept_any(&["TABLE", "VIEW", "INDEX", "TRIGGER"]) {
        Some("TABLE") => ObjectKind::Table,
        Some("VIEW") => ObjectKind::View,
        Some("INDEX") => ObjectKind::Index,
        Some(_) => ObjectKind::Trigger,
        None => return Err(cursor.expected("TABLE, INDEX, VIEW or TRIGGER")),
    };
    let if_exists = cursor.accept(&["IF", "EXISTS"]);
    Ok(StatementKind::Drop(Drop {
        object,
        names: vec![full_name(cursor)?],
        signatures: Vec::new(),
        on_table: None,
        if_exists,
        cascade: false,
        concurrently: false,
        temporary: false,
        algorithm: None,
        lock: None,
        wait_seconds: None,
    }))
}

#[cfg(test)]
mod tests;
