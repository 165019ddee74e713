//! The grammar of MySQL 8.0 to 9.x and MariaDB 10.6 to 11.x.
//!
//! One grammar with two servers in it: where they differ, the server and its version decide, and
//! what this server refuses is an error here, too (`NOWAIT` and `IF EXISTS` on MySQL, functional
//! key parts on MariaDB). The differences were measured with PREPARE on MySQL 9.7.4, MariaDB
//! 10.11.19 and 11.8.9 unless a line says otherwise. Sessions are taken to have the default
//! `sql_mode`: no ANSI_QUOTES, no Oracle mode.
//!
//! # Canonical data types
//!
//! | canonical | also written |
//! | --- | --- |
//! | `tinyint`, `smallint`, `int`, `bigint` | `int1`, `int2`, `int4` and `integer`, `int8` |
//! | `mediumint` | `int3`, `middleint` |
//! | `tinyint` with the argument 1 | `bool`, `boolean` |
//! | `bigint`, unsigned, with its constraints | `serial` |
//! | `decimal` | `dec`, `numeric`, `fixed` |
//! | `float` | `float4`, `float(p)` with p up to 24 (the argument is dropped) |
//! | `double` | `double precision`, `float8`, `real`, `float(p)` with p above 24 |
//! | `char`, `varchar` | `character`, `character varying`, `varcharacter` |
//! | `char`, `varchar` with the charset utf8mb3 | `nchar`, `national char`, `nvarchar`, … |
//! | `binary`, `varbinary`, `blob`, … | `char byte`, `varchar byte`, `text byte`, … |
//! | `mediumtext`, `mediumblob` | `long`, `long varchar`; `long varbinary` |
//! | `geometrycollection` | `geomcollection` (MySQL) |
//!
//! The others are themselves. `json` stays `json` on MariaDB, where it means `longtext` with
//! `utf8mb4_bin` and a check; `text(n)` and `blob(n)` keep their argument, from which the server
//! chooses the smallest type. Character sets and collations are in lower case, `utf8` is
//! `utf8mb3`, `ASCII` is `latin1`, `UNICODE` is `ucs2`.

mod account;
mod alter;
mod body;
mod column;
mod command;
mod constraint;
mod data_type;
mod index;
mod name;
mod option;
mod partition;
mod routine;
mod sequence;
mod session;
mod table;
mod view;

use super::ast::{CreateSchema, ObjectKind, Other, StatementKind, Truncate};
use super::cursor::{Cursor, Parsed};
use super::name::ObjectName;
use super::query;
use name::{definer, full_name, is_mariadb, mariadb_since, name, wait};

/// Reads one statement to its end.
pub(super) fn statement(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    if cursor.accept(&["CREATE"]) {
        return create(cursor);
    }
    if cursor.accept(&["ALTER"]) {
        return alter(cursor);
    }
    if cursor.at(&["DROP"]) && !cursor.at(&["DROP", "PREPARE"]) {
        cursor.accept(&["DROP"]);
        return index::drop(cursor);
    }
    if cursor.accept(&["RENAME"]) {
        return index::rename(cursor);
    }
    if cursor.accept(&["TRUNCATE"]) {
        return truncate(cursor);
    }
    if at_data(cursor) {
        return Ok(StatementKind::Dml(Box::new(query::dml(cursor)?)));
    }
    if is_mariadb(cursor) && at_block(cursor) {
        return routine::block(cursor);
    }
    if let Some(kind) = session::statement(cursor)? {
        return Ok(kind);
    }
    command::statement(cursor)
}

/// Blocks that MariaDB runs outside of stored programs.
fn at_block(cursor: &Cursor<'_>) -> bool {
    let words = ["IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR"];
    words.iter().any(|word| cursor.at(&[word])) || cursor.at(&["BEGIN", "NOT", "ATOMIC"])
}

fn at_data(cursor: &Cursor<'_>) -> bool {
    let words = ["INSERT", "REPLACE", "UPDATE", "DELETE"];
    at_query(cursor) || words.iter().any(|word| cursor.at(&[word]))
}

/// Says whether a query is next: `TABLE t` and `VALUES ROW (…)` are MySQL's, `VALUES (…)` is
/// MariaDB's.
fn at_query(cursor: &Cursor<'_>) -> bool {
    let mariadb = is_mariadb(cursor);
    let values = if mariadb { cursor.text_at(1) == "(" } else { cursor.at(&["VALUES", "ROW"]) };
    cursor.at(&["SELECT"])
        || cursor.at(&["WITH"])
        || cursor.at_symbol("(")
        || (cursor.at(&["VALUES"]) && values)
        || (cursor.at(&["TABLE"]) && !mariadb)
}

fn truncate(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    cursor.accept(&["TABLE"]);
    let tables = vec![full_name(cursor)?];
    wait(cursor)?;
    Ok(StatementKind::Truncate(Truncate {
        tables,
        only: false,
        restart_identity: false,
        cascade: false,
    }))
}

fn create(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let or_replace = cursor.accept(&["OR", "REPLACE"]);
    if or_replace && !is_mariadb(cursor) {
        if cursor.accept(&["SPATIAL", "REFERENCE", "SYSTEM"]) {
            return command::other(cursor, "create-spatial-reference-system", None);
        }
        return view::create(cursor, or_replace);
    }
    if is_mariadb(cursor) && (cursor.at(&["SEQUENCE"]) || cursor.at(&["TEMPORARY", "SEQUENCE"])) {
        return sequence::create(cursor, or_replace);
    }
    let temporary = cursor.accept(&["TEMPORARY"]);
    if cursor.accept(&["TABLE"]) {
        return table::create(cursor, or_replace, temporary);
    }
    if temporary {
        return Err(cursor.expected("TABLE"));
    }
    if cursor.at(&["SPATIAL", "REFERENCE"]) {
        return command::create(cursor);
    }
    let mut kinds = vec!["INDEX", "UNIQUE", "FULLTEXT", "SPATIAL"];
    kinds.extend(mariadb_since(cursor, 11, 7).then_some("VECTOR"));
    if kinds.iter().any(|word| cursor.at(&[word])) {
        return index::create(cursor, or_replace);
    }
    if cursor.accept_any(&["DATABASE", "SCHEMA"]).is_some() {
        return create_database(cursor);
    }
    if cursor.at(&["VIEW"]) || cursor.at(&["ALGORITHM"]) || cursor.at(&["SQL", "SECURITY"]) {
        return view::create(cursor, or_replace);
    }
    let start = cursor.position();
    let definer = definer(cursor)?;
    if cursor.at(&["VIEW"]) || cursor.at(&["SQL", "SECURITY"]) {
        cursor.reset(start);
        return view::create(cursor, or_replace);
    }
    match routine::create(cursor, or_replace, definer)? {
        Some(kind) => Ok(kind),
        None => command::create(cursor),
    }
}

fn create_database(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let if_not_exists = cursor.accept(&["IF", "NOT", "EXISTS"]);
    let name = Some(name(cursor)?);
    while database_option(cursor, false)? {}
    Ok(StatementKind::CreateSchema(CreateSchema { name, if_not_exists, elements: Vec::new() }))
}

fn database_option(cursor: &mut Cursor<'_>, alter: bool) -> Parsed<bool> {
    if option::charset_or_collation(cursor)?.is_some() {
        return Ok(true);
    }
    let start = cursor.position();
    let mariadb = is_mariadb(cursor);
    cursor.accept(&["DEFAULT"]);
    if cursor.accept(&[if mariadb { "COMMENT" } else { "ENCRYPTION" }]) {
        cursor.accept_symbol("=");
        cursor.string()?;
        return Ok(true);
    }
    if alter && !mariadb && cursor.accept(&["READ", "ONLY"]) {
        cursor.accept_symbol("=");
        if !cursor.accept(&["DEFAULT"]) {
            name::number(cursor)?;
        }
        return Ok(true);
    }
    cursor.reset(start);
    Ok(false)
}

fn alter(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let online = is_mariadb(cursor) && (cursor.at(&["ONLINE"]) || cursor.at(&["IGNORE"]));
    if cursor.at(&["TABLE"]) || online {
        return alter::table(cursor);
    }
    if cursor.accept_any(&["DATABASE", "SCHEMA"]).is_some() {
        return alter_database(cursor);
    }
    if is_mariadb(cursor) && cursor.accept(&["SEQUENCE"]) {
        return sequence::alter(cursor);
    }
    if cursor.accept_any(&["PROCEDURE", "FUNCTION"]).is_some() {
        return routine::alter(cursor);
    }
    if cursor.at(&["VIEW"]) || cursor.at(&["ALGORITHM"]) || cursor.at(&["SQL", "SECURITY"]) {
        return view::alter(cursor);
    }
    if cursor.at(&["DEFINER"]) {
        let start = cursor.position();
        definer(cursor)?;
        if !cursor.at(&["EVENT"]) {
            cursor.reset(start);
            return view::alter(cursor);
        }
    }
    if cursor.accept(&["EVENT"]) {
        return routine::alter_event(cursor);
    }
    command::alter(cursor)
}

fn alter_database(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let mut names = Vec::new();
    let options = ["DEFAULT", "CHARACTER", "CHARSET", "CHAR", "COLLATE"];
    if !options.iter().any(|word| cursor.at(&[word])) {
        names.push(ObjectName::bare(name(cursor)?));
    }
    let mut words = Vec::new();
    if is_mariadb(cursor) && cursor.accept(&["UPGRADE", "DATA", "DIRECTORY", "NAME"]) {
        words.push("upgrade data directory name".to_owned());
    }
    loop {
        let start = cursor.position();
        if !database_option(cursor, true)? {
            break;
        }
        words.push(cursor.slice(cursor.span_from(start)).to_ascii_lowercase());
    }
    if words.is_empty() {
        return Err(cursor.expected("an option of a database"));
    }
    let object = Some(ObjectKind::Schema);
    Ok(StatementKind::Other(Other { what: "alter-database", object, names, options: words }))
}

#[cfg(test)]
mod tests;
