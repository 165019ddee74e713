//! `CREATE` of anything.

use super::view::Before;
use super::{foreign, index, sequence, table, view};
use crate::sql::ast::{Persistence, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};

/// Takes what follows `CREATE`.
pub(super) fn create(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let or_replace = c.accept(&["OR", "REPLACE"]);
    if or_replace {
        return replaceable(c, true);
    }
    let start = c.position();
    if let Some(persistence) = table::persistence(c) {
        if c.accept(&["TABLE"]) {
            return table::create(c, persistence);
        }
        if c.accept(&["SEQUENCE"]) {
            return sequence::create(c, persistence);
        }
        c.reset(start);
    }
    if c.accept(&["TABLE"]) {
        return table::create(c, Persistence::Permanent);
    }
    if c.accept(&["INDEX"]) {
        return index::create(c, false);
    }
    if c.accept(&["UNIQUE", "INDEX"]) {
        return index::create(c, true);
    }
    if c.accept(&["SEQUENCE"]) {
        return sequence::create(c, Persistence::Permanent);
    }
    if c.accept(&["MATERIALIZED", "VIEW"]) {
        return view::create_materialized(c);
    }
    if c.accept(&["FOREIGN", "TABLE"]) {
        return table::create_foreign(c);
    }
    if c.accept(&["FOREIGN", "DATA", "WRAPPER"]) {
        return foreign::create_wrapper(c);
    }
    if c.accept(&["SERVER"]) {
        return foreign::create_server(c);
    }
    if c.accept(&["USER", "MAPPING"]) {
        return foreign::user_mapping(c, false);
    }
    replaceable(c, false)
}

/// Takes what may stand behind `CREATE OR REPLACE`.
fn replaceable(c: &mut Cursor<'_>, or_replace: bool) -> Parsed<StatementKind> {
    let start = c.position();
    let temporary = table::persistence(c) == Some(Persistence::Temporary);
    let recursive = c.accept(&["RECURSIVE"]);
    if c.accept(&["VIEW"]) {
        return view::create(c, Before { or_replace, temporary, recursive });
    }
    c.reset(start);
    Err(c.expected("TABLE, INDEX, VIEW, FUNCTION or another kind of object"))
}
