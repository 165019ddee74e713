//! Keys, indexes, foreign keys and checks inside CREATE TABLE and ALTER TABLE.

use super::column::{at_engine_option, engine_option};
use super::name::{
    at_name, full_name, is_mariadb, mariadb_if_not_exists, mariadb_since, mysql_since, name,
    name_list, number,
};
use crate::sql::ast::{
    ConstraintKind, ForeignKey, IndexDef, IndexKind, Key, KeyConstraint, KeyPart,
    ReferentialAction, TableConstraint,
};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::expr;
use crate::sql::name::Ident;
use crate::sql::source::Span;

/// What stands among the columns of a table and is none.
pub(super) enum Element {
    /// A key or a constraint.
    Constraint(TableConstraint),
    /// An index that constrains nothing, and `IF NOT EXISTS`.
    Index(IndexDef, bool),
    /// `PERIOD [IF NOT EXISTS] FOR name (a, b)` (MariaDB): the name and the columns.
    Period(Ident, Vec<Ident>, bool),
}

/// Says whether an element that is no column is next.
pub(super) fn at_element(cursor: &Cursor<'_>) -> bool {
    let words = ["CONSTRAINT", "PRIMARY", "UNIQUE", "INDEX", "KEY", "FULLTEXT", "SPATIAL"];
    words.iter().any(|word| cursor.at(&[word]))
        || cursor.at(&["FOREIGN"])
        || cursor.at(&["CHECK"])
        || (is_mariadb(cursor)
            && (cursor.at(&["PERIOD", "FOR"]) || cursor.at(&["PERIOD", "IF", "NOT"])))
        || (mariadb_since(cursor, 11, 7) && cursor.at(&["VECTOR"]))
}

/// Takes an element; `IF NOT EXISTS` belongs to ALTER TABLE alone (measured on MariaDB 11.8).
pub(super) fn element(cursor: &mut Cursor<'_>, alter: bool) -> Parsed<Element> {
    let start = cursor.position();
    if is_mariadb(cursor) && cursor.accept(&["PERIOD"]) {
        let optional = alter && mariadb_if_not_exists(cursor);
        cursor.expect(&["FOR"])?;
        if optional && cursor.at(&["SYSTEM_TIME"]) {
            return Err(cursor.expected("the name of an application period"));
        }
        let period = name(cursor)?;
        return Ok(Element::Period(period, name_list(cursor)?, optional));
    }
    let keyword = cursor.accept(&["CONSTRAINT"]);
    let check_if_not_exists = keyword && alter && mariadb_if_not_exists(cursor);
    let named = if keyword && at_name(cursor) { Some(name(cursor)?) } else { None };
    let mut constraint = if check_if_not_exists || cursor.at(&["CHECK"]) {
        check(cursor, named)?
    } else if cursor.accept(&["PRIMARY", "KEY"]) {
        let if_not_exists = alter && mariadb_if_not_exists(cursor);
        let key = key_constraint(cursor, true)?;
        with_if_not_exists(named, ConstraintKind::PrimaryKey(key), if_not_exists)
    } else if cursor.accept(&["UNIQUE"]) {
        cursor.accept_any(&["INDEX", "KEY"]);
        let if_not_exists = alter && mariadb_if_not_exists(cursor);
        let key = key_constraint(cursor, false)?;
        with_if_not_exists(named, ConstraintKind::Unique(key), if_not_exists)
    } else if cursor.accept(&["FOREIGN", "KEY"]) {
        let if_not_exists = alter && mariadb_if_not_exists(cursor);
        let key = foreign_key(cursor)?;
        with_if_not_exists(named, ConstraintKind::ForeignKey(key), if_not_exists)
    } else if keyword {
        return Err(cursor.expected("PRIMARY KEY, UNIQUE, FOREIGN KEY or CHECK"));
    } else {
        let (index, if_not_exists) = index(cursor, start, alter)?;
        return Ok(Element::Index(index, if_not_exists));
    };
    constraint.if_not_exists |= check_if_not_exists;
    constraint.span = cursor.span_from(start);
    Ok(Element::Constraint(constraint))
}

/// Returns a constraint without place and attributes.
pub(super) fn table_constraint(name: Option<Ident>, kind: ConstraintKind) -> TableConstraint {
    TableConstraint {
        span: Span::default(),
        name,
        kind,
        not_valid: false,
        not_enforced: false,
        deferrable: false,
        initially_deferred: false,
        no_inherit: false,
        if_not_exists: false,
    }
}

fn with_if_not_exists(
    name: Option<Ident>,
    kind: ConstraintKind,
    if_not_exists: bool,
) -> TableConstraint {
    TableConstraint { if_not_exists, ..table_constraint(name, kind) }
}

/// Returns the key that a column attribute makes.
pub(super) fn column_key(column: &Ident) -> KeyConstraint {
    let part = KeyPart {
        span: column.span,
        key: Key::Column(column.clone()),
        collation: None,
        opclass: None,
        prefix: None,
        descending: false,
        nulls_first: None,
    };
    KeyConstraint { parts: vec![part], ..KeyConstraint::default() }
}

fn check(cursor: &mut Cursor<'_>, named: Option<Ident>) -> Parsed<TableConstraint> {
    cursor.expect(&["CHECK"])?;
    let check = expr::in_parentheses(cursor)?;
    let mut constraint = table_constraint(named, ConstraintKind::Check(check));
    if !is_mariadb(cursor) {
        constraint.not_enforced = cursor.accept(&["NOT", "ENFORCED"]);
        cursor.accept(&["ENFORCED"]);
    }
    Ok(constraint)
}

/// Takes `[name] [USING type] (parts) options` behind PRIMARY KEY or UNIQUE.
fn key_constraint(cursor: &mut Cursor<'_>, primary: bool) -> Parsed<KeyConstraint> {
    let mut key = KeyConstraint::default();
    if at_name(cursor) && (primary || !at_method(cursor)) {
        key.index_name = Some(name(cursor)?);
    }
    if let Some(method) = method(cursor)? {
        key.options.push(("using".to_owned(), method));
    }
    let (parts, without_overlaps) = key_parts(cursor)?;
    key.parts = parts;
    key.without_overlaps = without_overlaps;
    key.options.extend(index_options(cursor)?);
    Ok(key)
}

/// Takes `INDEX`, `KEY`, `FULLTEXT`, `SPATIAL` or `VECTOR` and what follows.
fn index(cursor: &mut Cursor<'_>, start: usize, alter: bool) -> Parsed<(IndexDef, bool)> {
    let kind = match cursor.accept_any(&["INDEX", "KEY", "FULLTEXT", "SPATIAL", "VECTOR"]) {
        Some("FULLTEXT") => IndexKind::Fulltext,
        Some("SPATIAL") => IndexKind::Spatial,
        Some("VECTOR") => IndexKind::Vector,
        Some(_) => IndexKind::Plain,
        None => return Err(cursor.expected("a column, a key or a constraint")),
    };
    if kind != IndexKind::Plain {
        cursor.accept_any(&["INDEX", "KEY"]);
    }
    let if_not_exists = alter && mariadb_if_not_exists(cursor);
    let named = if at_name(cursor) && !at_method(cursor) { Some(name(cursor)?) } else { None };
    let index = index_rest(cursor, start, kind, named)?;
    Ok((index, if_not_exists))
}

/// Takes `[USING type] (parts) options`.
fn index_rest(
    cursor: &mut Cursor<'_>,
    start: usize,
    kind: IndexKind,
    name: Option<Ident>,
) -> Parsed<IndexDef> {
    let method = method(cursor)?;
    let (parts, _) = key_parts(cursor)?;
    let options = index_options(cursor)?;
    if kind != IndexKind::Fulltext && options.iter().any(|(name, _)| name == "parser") {
        return Err(cursor.expected("a FULLTEXT index for the parser"));
    }
    Ok(index_def(cursor.span_from(start), name, kind, method, parts, options))
}

/// Puts an index together; a `USING` among its options overrules the one before its key.
pub(super) fn index_def(
    span: Span,
    name: Option<Ident>,
    kind: IndexKind,
    method: Option<String>,
    parts: Vec<KeyPart>,
    mut options: Vec<(String, String)>,
) -> IndexDef {
    let last = options.iter().rev().find(|(name, _)| name == "using").map(|(_, v)| v.clone());
    let invisible = options.iter().any(|(name, _)| name == "invisible");
    options.retain(|(name, _)| !matches!(name.as_str(), "using" | "invisible"));
    IndexDef {
        span,
        name,
        kind,
        method: last.or(method),
        parts,
        include: Vec::new(),
        predicate: None,
        nulls_not_distinct: false,
        tablespace: None,
        options,
        invisible,
    }
}

fn at_method(cursor: &Cursor<'_>) -> bool {
    let kind = |ahead: usize| cursor.text_at(ahead).to_ascii_lowercase();
    let known = matches!(kind(1).as_str(), "btree" | "rtree" | "hash");
    matches!(kind(0).as_str(), "using" | "type") && known
}

/// Takes `USING BTREE` or `TYPE BTREE`.
pub(super) fn method(cursor: &mut Cursor<'_>) -> Parsed<Option<String>> {
    if !at_method(cursor) {
        return Ok(None);
    }
    cursor.advance();
    Ok(Some(cursor.ident()?.value.to_ascii_lowercase()))
}

/// Takes the parts of a key in parentheses, and says whether the last is `WITHOUT OVERLAPS`.
pub(super) fn key_parts(cursor: &mut Cursor<'_>) -> Parsed<(Vec<KeyPart>, bool)> {
    cursor.expect_symbol("(")?;
    let mut parts = vec![key_part(cursor)?];
    let mut without_overlaps = false;
    while !without_overlaps {
        without_overlaps = is_mariadb(cursor) && cursor.accept(&["WITHOUT", "OVERLAPS"]);
        if !cursor.accept_symbol(",") {
            break;
        }
        parts.push(key_part(cursor)?);
    }
    cursor.expect_symbol(")")?;
    Ok((parts, without_overlaps))
}

fn key_part(cursor: &mut Cursor<'_>) -> Parsed<KeyPart> {
    let start = cursor.position();
    // Functional key parts: MySQL since 8.0.13, never MariaDB (measured on 11.8).
    let functional = mysql_since(cursor, 8, 0, 13) && cursor.at_symbol("(");
    let (key, prefix) = if functional {
        (Key::Expr(expr::in_parentheses(cursor)?), None)
    } else {
        let column = name(cursor)?;
        let mut prefix = None;
        if cursor.accept_symbol("(") {
            prefix = number(cursor)?.parse().ok();
            cursor.expect_symbol(")")?;
        }
        (Key::Column(column), prefix)
    };
    let descending = cursor.accept_any(&["ASC", "DESC"]) == Some("DESC");
    Ok(KeyPart {
        span: cursor.span_from(start),
        key,
        collation: None,
        opclass: None,
        prefix,
        descending,
        nulls_first: None,
    })
}

/// Takes the options of an index: `using`, `comment`, `parser`, `key_block_size`, `invisible`, …
pub(super) fn index_options(cursor: &mut Cursor<'_>) -> Parsed<Vec<(String, String)>> {
    let mut options = Vec::new();
    while let Some(option) = index_option(cursor)? {
        options.push(option);
    }
    Ok(options)
}

fn index_option(cursor: &mut Cursor<'_>) -> Parsed<Option<(String, String)>> {
    let mariadb = is_mariadb(cursor);
    let option = |name: &str, value: String| Ok(Some((name.to_owned(), value)));
    if let Some(method) = method(cursor)? {
        return option("using", method);
    }
    if cursor.accept(&["COMMENT"]) {
        return option("comment", cursor.string()?);
    }
    if cursor.accept(&["WITH", "PARSER"]) {
        return option("parser", name(cursor)?.value);
    }
    if cursor.accept(&["KEY_BLOCK_SIZE"]) {
        cursor.accept_symbol("=");
        return option("key_block_size", number(cursor)?);
    }
    // MariaDB takes VISIBLE and does nothing with it (measured on 10.11 and 11.8).
    if cursor.accept(&["VISIBLE"]) || (mariadb && cursor.accept(&["NOT", "IGNORED"])) {
        return option("visible", String::new());
    }
    if !mariadb && cursor.accept(&["INVISIBLE"]) || mariadb && cursor.accept(&["IGNORED"]) {
        return option("invisible", String::new());
    }
    let attributes = ["engine_attribute", "secondary_engine_attribute"];
    if !mariadb && let Some(word) = cursor.accept_any(&attributes) {
        cursor.accept_symbol("=");
        return option(word, cursor.string()?);
    }
    if mariadb && at_engine_option(cursor) {
        return Ok(Some(engine_option(cursor)?));
    }
    Ok(None)
}

fn foreign_key(cursor: &mut Cursor<'_>) -> Parsed<ForeignKey> {
    let index_name = if at_name(cursor) { Some(name(cursor)?) } else { None };
    let columns = name_list(cursor)?;
    cursor.expect(&["REFERENCES"])?;
    Ok(ForeignKey { columns, index_name, ..references(cursor)? })
}

/// Takes the parent, its columns and the actions behind `REFERENCES`.
pub(super) fn references(cursor: &mut Cursor<'_>) -> Parsed<ForeignKey> {
    let parent = full_name(cursor)?;
    let parent_columns = if cursor.at_symbol("(") { name_list(cursor)? } else { Vec::new() };
    let mut key = ForeignKey {
        columns: Vec::new(),
        parent,
        parent_columns,
        on_delete: ReferentialAction::NoAction,
        on_update: ReferentialAction::NoAction,
        match_full: false,
        set_columns: false,
        period: false,
        index_name: None,
    };
    if cursor.accept(&["MATCH"]) {
        let Some(word) = cursor.accept_any(&["FULL", "PARTIAL", "SIMPLE"]) else {
            return Err(cursor.expected("FULL, PARTIAL or SIMPLE"));
        };
        key.match_full = word == "FULL";
    }
    let (mut delete, mut update) = (false, false);
    loop {
        if !delete && cursor.accept(&["ON", "DELETE"]) {
            key.on_delete = cursor.referential_action()?;
            delete = true;
        } else if !update && cursor.accept(&["ON", "UPDATE"]) {
            key.on_update = cursor.referential_action()?;
            update = true;
        } else {
            return Ok(key);
        }
    }
}
