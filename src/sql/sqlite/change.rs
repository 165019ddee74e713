//! INSERT, UPDATE and DELETE of SQLite, read into a tree.

use super::name::name;
use super::select::{
    at_select, limit, names, order_by, outputs, select, sources, target, unless_filled, with,
};
use super::term::{Reader, term};
use crate::sql::ast::{
    Assignment, Change, Delete, Dml, Insert, OnConflict, Output, Tail, Update, Upsert,
};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::query;

const OUTSIDE: Reader = Reader { depth: 0 };

/// Takes a query or a change of data to its end.
pub(super) fn dml(c: &mut Cursor<'_>) -> Parsed<Dml> {
    let tree = unless_filled(c, change(&mut c.clone()))?;
    Ok(Dml { tree, ..query::dml(c)? })
}

fn change(c: &mut Cursor<'_>) -> Parsed<Change> {
    let start = c.position();
    let with = with(c, OUTSIDE)?;
    let change = match c.accept_any(&["INSERT", "REPLACE", "UPDATE", "DELETE"]) {
        Some("UPDATE") => {
            let mut update = update(c)?;
            update.with = with;
            Change::Update(update)
        }
        Some("DELETE") => {
            c.expect(&["FROM"])?;
            let target = target(c)?;
            let filter = if c.accept(&["WHERE"]) { Some(term(c)?) } else { None };
            let returning = returning(c)?;
            Change::Delete(Delete { with, target, filter, returning, tail: tail(c)? })
        }
        Some(verb) => {
            let mut insert = insert(c, verb == "REPLACE")?;
            insert.with = with;
            Change::Insert(insert)
        }
        None => {
            c.reset(start);
            Change::Select(select(c, OUTSIDE)?)
        }
    };
    c.end()?;
    Ok(change)
}

/// `OR REPLACE` and its like.
fn or(c: &mut Cursor<'_>) -> Parsed<OnConflict> {
    if !c.accept(&["OR"]) {
        return Ok(OnConflict::Fail);
    }
    match c.accept_any(&["ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE"]) {
        Some("IGNORE") => Ok(OnConflict::Ignore),
        Some("REPLACE") => Ok(OnConflict::Replace),
        Some(_) => Ok(OnConflict::Fail),
        None => Err(c.expected("ROLLBACK, ABORT, FAIL, IGNORE or REPLACE")),
    }
}

fn insert(c: &mut Cursor<'_>, replace: bool) -> Parsed<Insert> {
    let on_conflict = if replace { OnConflict::Replace } else { or(c)? };
    c.expect(&["INTO"])?;
    let target = target(c)?;
    let columns = if c.at_symbol("(") { names(c)? } else { Vec::new() };
    let mut insert = Insert {
        with: Vec::new(),
        target,
        on_conflict,
        columns,
        rows: None,
        upserts: Vec::new(),
        returning: Vec::new(),
    };
    if c.accept(&["DEFAULT", "VALUES"]) {
        insert.returning = returning(c)?;
        return Ok(insert);
    }
    if !at_select(c) {
        return Err(c.expected("VALUES, SELECT or DEFAULT VALUES"));
    }
    insert.rows = Some(select(c, OUTSIDE)?);
    // Only the last may leave open which key is meant.
    while insert.upserts.last().is_none_or(|upsert| !upsert.key.is_empty())
        && c.accept(&["ON", "CONFLICT"])
    {
        insert.upserts.push(upsert(c)?);
    }
    insert.returning = returning(c)?;
    Ok(insert)
}

fn upsert(c: &mut Cursor<'_>) -> Parsed<Upsert> {
    let mut upsert = Upsert { key: Vec::new(), key_filter: None, set: None, filter: None };
    if c.accept_symbol("(") {
        loop {
            upsert.key.push(term(c)?);
            c.accept_any(&["ASC", "DESC"]);
            if !c.accept_symbol(",") {
                break;
            }
        }
        c.expect_symbol(")")?;
        if c.accept(&["WHERE"]) {
            upsert.key_filter = Some(term(c)?);
        }
    }
    c.expect(&["DO"])?;
    if c.accept(&["NOTHING"]) {
        return Ok(upsert);
    }
    c.expect(&["UPDATE", "SET"])?;
    upsert.set = Some(assignments(c)?);
    if c.accept(&["WHERE"]) {
        upsert.filter = Some(term(c)?);
    }
    Ok(upsert)
}

fn assignments(c: &mut Cursor<'_>) -> Parsed<Vec<Assignment>> {
    let mut found = Vec::new();
    loop {
        let columns = if c.at_symbol("(") { names(c)? } else { vec![name(c)?] };
        c.expect_symbol("=")?;
        found.push(Assignment { columns, value: term(c)? });
        if !c.accept_symbol(",") {
            return Ok(found);
        }
    }
}

fn update(c: &mut Cursor<'_>) -> Parsed<Update> {
    let on_conflict = or(c)?;
    let target = target(c)?;
    c.expect(&["SET"])?;
    let set = assignments(c)?;
    let from = if c.accept(&["FROM"]) { sources(c, OUTSIDE)? } else { Vec::new() };
    let filter = if c.accept(&["WHERE"]) { Some(term(c)?) } else { None };
    let returning = returning(c)?;
    let with = Vec::new();
    Ok(Update { with, target, on_conflict, set, from, filter, returning, tail: tail(c)? })
}

fn returning(c: &mut Cursor<'_>) -> Parsed<Vec<Output>> {
    if c.accept(&["RETURNING"]) { outputs(c, OUTSIDE) } else { Ok(Vec::new()) }
}

/// A build may lack these clauses (`SQLITE_ENABLE_UPDATE_DELETE_LIMIT`): that is told of the
/// statement, not refused here.
fn tail(c: &mut Cursor<'_>) -> Parsed<Tail> {
    Ok(Tail { order_by: order_by(c)?, limit: limit(c)? })
}
