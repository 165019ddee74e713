//! `CREATE INDEX`, `DROP …` and `RENAME …` of MySQL and MariaDB.

use super::constraint::{index_def, index_options, key_parts, method};
use super::name::{
    account, at_name, full_name, full_names, is_mariadb, mariadb_if_exists, mariadb_if_not_exists,
    mariadb_since, name, wait,
};
use super::option::{algorithm, lock};
use crate::sql::ast::{CreateIndex, Drop, IndexKind, ObjectKind, Rename, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::name::{Ident, ObjectName};

/// Reads `[UNIQUE | FULLTEXT | SPATIAL | VECTOR] INDEX …` behind `CREATE [OR REPLACE]`.
pub(super) fn create(cursor: &mut Cursor<'_>, or_replace: bool) -> Parsed<StatementKind> {
    let start = cursor.position();
    let kind = match cursor.accept_any(&["UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR"]) {
        Some("UNIQUE") => IndexKind::Unique,
        Some("FULLTEXT") => IndexKind::Fulltext,
        Some("SPATIAL") => IndexKind::Spatial,
        Some(_) => IndexKind::Vector,
        None => IndexKind::Plain,
    };
    cursor.expect(&["INDEX"])?;
    let if_not_exists = mariadb_if_not_exists(cursor);
    let index_name = name(cursor)?;
    let mut using = method(cursor)?;
    cursor.expect(&["ON"])?;
    let table = full_name(cursor)?;
    let (parts, _) = key_parts(cursor)?;
    let mut options = index_options(cursor)?;
    if let Some(seconds) = wait(cursor)? {
        options.push(("wait".to_owned(), seconds.to_string()));
    }
    using = using.take();
    let index = index_def(cursor.span_from(start), Some(index_name), kind, using, parts, options);
    let (algorithm, lock) = algorithm_and_lock(cursor)?;
    Ok(StatementKind::CreateIndex(Box::new(CreateIndex {
        table,
        index,
        schema: None,
        concurrently: false,
        if_not_exists,
        or_replace,
        only: false,
        algorithm,
        lock,
    })))
}

fn algorithm_and_lock(cursor: &mut Cursor<'_>) -> Parsed<(Option<String>, Option<String>)> {
    let (mut algorithms, mut locks) = (None, None);
    loop {
        if algorithms.is_none() && cursor.at(&["ALGORITHM"]) {
            algorithms = algorithm(cursor)?;
        } else if locks.is_none() && cursor.at(&["LOCK"]) {
            locks = lock(cursor)?;
        } else {
            return Ok((algorithms, locks));
        }
    }
}

/// Reads what follows DROP.
pub(super) fn drop(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let temporary = cursor.accept(&["TEMPORARY"]);
    let mut drop = Drop {
        object: ObjectKind::Table,
        names: Vec::new(),
        signatures: Vec::new(),
        on_table: None,
        if_exists: false,
        cascade: false,
        concurrently: false,
        temporary,
        algorithm: None,
        lock: None,
        wait_seconds: None,
    };
    if cursor.accept_any(&["TABLE", "TABLES"]).is_some() {
        drop.if_exists = cursor.accept(&["IF", "EXISTS"]);
        drop.names = full_names(cursor)?;
        drop.wait_seconds = wait(cursor)?;
        drop.cascade = cascade(cursor);
        return Ok(StatementKind::Drop(drop));
    }
    if is_mariadb(cursor) && cursor.accept(&["SEQUENCE"]) {
        drop.object = ObjectKind::Sequence;
        drop.if_exists = cursor.accept(&["IF", "EXISTS"]);
        drop.names = full_names(cursor)?;
        return Ok(StatementKind::Drop(drop));
    }
    if temporary {
        return Err(cursor.expected("TABLE"));
    }
    if cursor.accept(&["INDEX"]) {
        return drop_index(cursor, drop);
    }
    drop_object(cursor, drop)
}

/// RESTRICT and CASCADE are accepted and do nothing (manual, "DROP TABLE Statement").
fn cascade(cursor: &mut Cursor<'_>) -> bool {
    cursor.accept_any(&["RESTRICT", "CASCADE"]) == Some("CASCADE")
}

fn drop_index(cursor: &mut Cursor<'_>, mut drop: Drop) -> Parsed<StatementKind> {
    drop.object = ObjectKind::Index;
    drop.if_exists = mariadb_if_exists(cursor);
    // The primary key's index is called PRIMARY, quoted or not in DROP INDEX.
    drop.names = vec![ObjectName::bare(name(cursor)?)];
    cursor.expect(&["ON"])?;
    drop.on_table = Some(full_name(cursor)?);
    drop.wait_seconds = wait(cursor)?;
    // MariaDB refuses both clauses here, and takes them in CREATE INDEX and ALTER TABLE.
    if !is_mariadb(cursor) {
        (drop.algorithm, drop.lock) = algorithm_and_lock(cursor)?;
    }
    Ok(StatementKind::Drop(drop))
}

fn drop_object(cursor: &mut Cursor<'_>, mut drop: Drop) -> Parsed<StatementKind> {
    let kinds = [
        (&["VIEW"][..], ObjectKind::View),
        (&["DATABASE"], ObjectKind::Schema),
        (&["SCHEMA"], ObjectKind::Schema),
        (&["TRIGGER"], ObjectKind::Trigger),
        (&["PROCEDURE"], ObjectKind::Procedure),
        (&["FUNCTION"], ObjectKind::Function),
        (&["EVENT"], ObjectKind::Event),
        (&["USER"], ObjectKind::Role),
        (&["ROLE"], ObjectKind::Role),
        (&["SERVER"], ObjectKind::Server),
        (&["TABLESPACE"], ObjectKind::Tablespace),
        (&["UNDO", "TABLESPACE"], ObjectKind::Tablespace),
        (&["PACKAGE", "BODY"], ObjectKind::Package),
        (&["PACKAGE"], ObjectKind::Package),
    ];
    let Some((_, object)) = kinds.into_iter().find(|(words, _)| cursor.accept(words)) else {
        return Err(cursor.expected("a kind of object"));
    };
    let refused = object == ObjectKind::Tablespace && is_mariadb(cursor)
        || object == ObjectKind::Package && !mariadb_since(cursor, 11, 4);
    if refused {
        return Err(cursor.expected("a kind of object that this server has"));
    }
    drop.object = object;
    drop.if_exists = cursor.accept(&["IF", "EXISTS"]);
    if object == ObjectKind::View {
        drop.names = full_names(cursor)?;
        drop.cascade = cascade(cursor);
    } else if object == ObjectKind::Role {
        drop.names = accounts(cursor)?;
    } else {
        drop.names = vec![full_name(cursor)?];
    }
    if object == ObjectKind::Tablespace {
        cursor.skip_rest();
    }
    Ok(StatementKind::Drop(drop))
}

/// Takes accounts as names of one part: `name@host`.
fn accounts(cursor: &mut Cursor<'_>) -> Parsed<Vec<ObjectName>> {
    let mut names = Vec::new();
    loop {
        let start = cursor.position();
        let account = account(cursor)?;
        names.push(ObjectName::bare(Ident::new(account, cursor.span_from(start))));
        if !cursor.accept_symbol(",") {
            return Ok(names);
        }
    }
}

/// Reads what follows RENAME: TABLE or USER, several at once.
pub(super) fn rename(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    if cursor.accept(&["USER"]) {
        let mut pairs = Vec::new();
        loop {
            let from = account_name(cursor)?;
            cursor.expect(&["TO"])?;
            pairs.push((from, account_name(cursor)?));
            if !cursor.accept_symbol(",") {
                break;
            }
        }
        let object = ObjectKind::Role;
        return Ok(StatementKind::Rename(Rename {
            object,
            pairs,
            on: None,
            signature: None,
            if_exists: false,
        }));
    }
    if cursor.accept_any(&["TABLE", "TABLES"]).is_none() {
        return Err(cursor.expected("TABLE or USER"));
    }
    let if_exists = mariadb_if_exists(cursor);
    let mut pairs = Vec::new();
    loop {
        let from = full_name(cursor)?;
        wait(cursor)?;
        cursor.expect(&["TO"])?;
        pairs.push((from, full_name(cursor)?));
        if !cursor.accept_symbol(",") {
            break;
        }
    }
    let object = ObjectKind::Table;
    Ok(StatementKind::Rename(Rename { object, pairs, on: None, signature: None, if_exists }))
}

fn account_name(cursor: &mut Cursor<'_>) -> Parsed<ObjectName> {
    let start = cursor.position();
    let account = account(cursor)?;
    Ok(ObjectName::bare(Ident::new(account, cursor.span_from(start))))
}

/// Says whether an account may be next.
pub(super) fn at_account(cursor: &Cursor<'_>) -> bool {
    at_name(cursor)
        || cursor.at(&["CURRENT_USER"])
        || cursor.peek().is_some_and(|token| token.kind == crate::sql::lexer::TokenKind::String)
}
