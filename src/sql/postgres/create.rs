//! `CREATE` of anything.

use super::view::Before;
use super::{
    definition, extension, foreign, index, policy, role, routine, schema, sequence, table, trigger,
    user_type, view,
};
use crate::sql::ast::{Persistence, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};

/// Takes what follows `CREATE`.
pub(super) fn create(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    if c.accept(&["OR", "REPLACE"]) {
        return replaceable(c, true);
    }
    let start = c.position();
    let persistence = table::persistence(c).unwrap_or_default();
    if c.accept(&["TABLE"]) {
        return table::create(c, persistence);
    }
    if c.accept(&["SEQUENCE"]) {
        return sequence::create(c, persistence);
    }
    c.reset(start);
    if c.accept(&["INDEX"]) {
        return index::create(c, false);
    }
    if c.accept(&["UNIQUE", "INDEX"]) {
        return index::create(c, true);
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
    if c.accept(&["USER", "MAPPING"]) {
        return foreign::user_mapping(c, false);
    }
    if c.accept(&["EVENT", "TRIGGER"]) {
        return trigger::create_event(c);
    }
    if let Some(found) = by_word(c)? {
        return Ok(found);
    }
    match definition::create(c)? {
        Some(found) => Ok(found),
        None => replaceable(c, false),
    }
}

/// Takes the kinds of object that one word tells.
fn by_word(c: &mut Cursor<'_>) -> Parsed<Option<StatementKind>> {
    let Some(word) = c.accept_any(&[
        "TYPE",
        "DOMAIN",
        "POLICY",
        "SCHEMA",
        "DATABASE",
        "TABLESPACE",
        "EXTENSION",
        "PUBLICATION",
        "SUBSCRIPTION",
        "STATISTICS",
        "SERVER",
        "ROLE",
        "USER",
        "GROUP",
    ]) else {
        return Ok(None);
    };
    let found = match word {
        "TYPE" => user_type::create(c),
        "DOMAIN" => user_type::create_domain(c),
        "POLICY" => policy::create(c),
        "SCHEMA" => schema::create(c),
        "DATABASE" => schema::create_database(c),
        "TABLESPACE" => schema::create_tablespace(c),
        "EXTENSION" => extension::create(c),
        "PUBLICATION" => extension::create_publication(c),
        "SUBSCRIPTION" => extension::create_subscription(c),
        "STATISTICS" => extension::create_statistics(c),
        "SERVER" => foreign::create_server(c),
        _ => role::create(c),
    };
    found.map(Some)
}

/// Takes what may stand behind `CREATE OR REPLACE`.
fn replaceable(c: &mut Cursor<'_>, or_replace: bool) -> Parsed<StatementKind> {
    if c.accept(&["FUNCTION"]) {
        return routine::create(c, false, or_replace);
    }
    if c.accept(&["PROCEDURE"]) {
        return routine::create(c, true, or_replace);
    }
    if c.accept(&["AGGREGATE"]) {
        return routine::create_aggregate(c, or_replace);
    }
    if c.accept(&["TRIGGER"]) {
        return trigger::create(c, or_replace, false);
    }
    if c.accept(&["CONSTRAINT", "TRIGGER"]) {
        return trigger::create(c, or_replace, true);
    }
    if c.accept(&["RULE"]) {
        return trigger::create_rule(c, or_replace);
    }
    if c.accept(&["TRANSFORM"]) {
        return definition::create_transform(c);
    }
    let start = c.position();
    c.accept(&["TRUSTED"]);
    c.accept(&["PROCEDURAL"]);
    if c.accept(&["LANGUAGE"]) {
        return definition::create_language(c, or_replace);
    }
    c.reset(start);
    let temporary = table::persistence(c) == Some(Persistence::Temporary);
    let recursive = c.accept(&["RECURSIVE"]);
    if c.accept(&["VIEW"]) {
        return view::create(c, Before { or_replace, temporary, recursive });
    }
    c.reset(start);
    Err(c.expected("TABLE, INDEX, VIEW, FUNCTION or another kind of object"))
}
