//! `CREATE TABLE` and `CREATE VIRTUAL TABLE` of SQLite.

use super::column::{column, conflict, defer, foreign_key, key_parts, table_constraint};
use super::name::{full_name, name};
use super::select::query;
use super::term::in_parentheses;
use crate::sql::ast::{
    ColumnDef, ConstraintKind, CreateTable, ForeignKey, KeyConstraint, Persistence, StatementKind,
    TableConstraint,
};
use crate::sql::cursor::{Cursor, Parsed};

/// Reads what follows `CREATE [TEMP] TABLE`.
pub(super) fn create(cursor: &mut Cursor<'_>, temporary: bool) -> Parsed<StatementKind> {
    let persistence = if temporary { Persistence::Temporary } else { Persistence::Permanent };
    let if_not_exists = cursor.accept(&["IF", "NOT", "EXISTS"]);
    let name = full_name(cursor)?;
    let mut table = CreateTable { name, persistence, if_not_exists, ..CreateTable::default() };
    if cursor.accept(&["AS"]) {
        if cursor.is_at_end() {
            return Err(cursor.expected("a query"));
        }
        table.query = Some(query(cursor)?);
        return Ok(StatementKind::CreateTable(Box::new(table)));
    }
    cursor.expect_symbol("(")?;
    elements(cursor, &mut table)?;
    cursor.expect_symbol(")")?;
    table_options(cursor, &mut table)?;
    Ok(StatementKind::CreateTable(Box::new(table)))
}

/// Columns first, then constraints; only between constraints may the comma be missing.
fn elements(cursor: &mut Cursor<'_>, table: &mut CreateTable) -> Parsed<()> {
    let start = cursor.position();
    table.columns.push(column(cursor)?);
    while cursor.accept_symbol(",") {
        if at_constraint(cursor) {
            break;
        }
        table.columns.push(column(cursor)?);
    }
    while at_constraint(cursor) {
        let start = cursor.position();
        if let Some(constraint) = constraint(cursor)? {
            let text = cursor.slice(cursor.span_from(start)).to_ascii_lowercase();
            if let ConstraintKind::PrimaryKey(key) = &constraint.kind
                && text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "autoincrement")
            {
                counts(&mut table.columns, key);
            }
            table.constraints.push(constraint);
        }
        if cursor.accept_symbol(",") && !at_constraint(cursor) {
            return Err(cursor.expected("a table constraint"));
        }
    }
    // Constraints do not say it one by one: who writes the table anew has to know that it is there.
    let text = cursor.slice(cursor.span_from(start)).to_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.contains(&"conflict") {
        let replaces = words.windows(2).any(|pair| pair == ["conflict", "replace"]);
        let what = if replaces { "replace" } else { "" };
        table.options.push(("on conflict".to_owned(), what.to_owned()));
    }
    Ok(())
}

/// AUTOINCREMENT in a key of the table is one of its only column.
fn counts(columns: &mut [ColumnDef], key: &KeyConstraint) {
    let [part] = key.parts.as_slice() else { return };
    let named = |column: &&mut ColumnDef| {
        part.key.column().is_some_and(|name| column.name.value.eq_ignore_ascii_case(name))
    };
    columns.iter_mut().filter(named).for_each(|column| column.auto_increment = true);
}

fn at_constraint(cursor: &Cursor<'_>) -> bool {
    [&["CONSTRAINT"][..], &["PRIMARY", "KEY"], &["UNIQUE"], &["CHECK"], &["FOREIGN", "KEY"]]
        .iter()
        .any(|words| cursor.at(words))
}

/// Takes a table constraint; a name with nothing behind it is accepted and means nothing.
fn constraint(cursor: &mut Cursor<'_>) -> Parsed<Option<TableConstraint>> {
    let start = cursor.position();
    let constraint_name = if cursor.accept(&["CONSTRAINT"]) { Some(name(cursor)?) } else { None };
    let kind = if cursor.accept(&["PRIMARY", "KEY"]) {
        let parts = table_key(cursor, true)?;
        ConstraintKind::PrimaryKey(KeyConstraint { parts, ..KeyConstraint::default() })
    } else if cursor.accept(&["UNIQUE"]) {
        let parts = table_key(cursor, false)?;
        ConstraintKind::Unique(KeyConstraint { parts, ..KeyConstraint::default() })
    } else if cursor.accept(&["CHECK"]) {
        let check = in_parentheses(cursor)?;
        conflict(cursor)?;
        ConstraintKind::Check(check)
    } else if cursor.accept(&["FOREIGN", "KEY"]) {
        cursor.expect_symbol("(")?;
        let mut columns = vec![name(cursor)?];
        while cursor.accept_symbol(",") {
            columns.push(name(cursor)?);
        }
        cursor.expect_symbol(")")?;
        cursor.expect(&["REFERENCES"])?;
        ConstraintKind::ForeignKey(ForeignKey { columns, ..foreign_key(cursor)? })
    } else {
        return Ok(None);
    };
    let mut constraint = table_constraint(constraint_name, kind);
    if matches!(constraint.kind, ConstraintKind::ForeignKey(_)) {
        defer(cursor, &mut constraint);
    }
    constraint.span = cursor.span_from(start);
    Ok(Some(constraint))
}

fn table_key(cursor: &mut Cursor<'_>, primary: bool) -> Parsed<Vec<crate::sql::ast::KeyPart>> {
    cursor.expect_symbol("(")?;
    let parts = key_parts(cursor)?;
    if primary {
        cursor.accept(&["AUTOINCREMENT"]);
    }
    cursor.expect_symbol(")")?;
    conflict(cursor)?;
    Ok(parts)
}

/// `STRICT` (3.37 and later) and `WITHOUT ROWID`, in any order.
fn table_options(cursor: &mut Cursor<'_>, table: &mut CreateTable) -> Parsed<()> {
    if cursor.is_at_end() {
        return Ok(());
    }
    loop {
        if cursor.accept(&["WITHOUT", "ROWID"]) {
            table.options.push(("without rowid".to_owned(), String::new()));
        } else if cursor.server().version.at_least(3, 37, 0) && cursor.accept(&["STRICT"]) {
            table.options.push(("strict".to_owned(), String::new()));
        } else {
            return Err(cursor.expected("STRICT or WITHOUT ROWID"));
        }
        if !cursor.accept_symbol(",") {
            return Ok(());
        }
    }
}

/// Modules whose arguments are the columns, but for options with an equals sign
/// (sqlite.org/fts5.html, section 4; sqlite.org/rtree.html, section 3.1).
const COLUMNS_AS_ARGUMENTS: &[&str] = &["fts3", "fts4", "fts5", "rtree", "rtree_i32"];

/// Reads the arguments that are columns; an R-tree marks those beside its key with a plus.
fn arguments(whole: &Cursor<'_>) -> (Vec<ColumnDef>, Vec<(String, String)>) {
    let (mut columns, mut options) = (Vec::new(), Vec::new());
    let mut rest = whole.clone();
    while !rest.is_at_end() {
        let start = rest.position();
        let mut depth = 0_u32;
        while let Some(token) = rest.peek() {
            match rest.slice(token.span) {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                "," if depth == 0 => break,
                _ => {}
            }
            rest.advance();
        }
        let mut argument = rest.sub(start, rest.position());
        let beside = argument.accept_symbol("+");
        let option = argument.tokens().iter().any(|token| argument.slice(token.span) == "=");
        if option {
            let word = argument.text_at(0).trim_matches(['"', '`', '[', ']', '\'']);
            options.push((format!("argument {}", word.to_ascii_lowercase()), String::new()));
        } else {
            let read = column(&mut argument).ok();
            columns.extend(read.map(|read| ColumnDef { invisible: beside, ..read }));
        }
        rest.advance();
    }
    (columns, options)
}

/// Reads what follows `CREATE VIRTUAL TABLE`: the arguments belong to the module.
pub(super) fn create_virtual(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let if_not_exists = cursor.accept(&["IF", "NOT", "EXISTS"]);
    let table_name = full_name(cursor)?;
    cursor.expect(&["USING"])?;
    let module = name(cursor)?.value.to_ascii_lowercase();
    let (mut columns, mut options) = (Vec::new(), Vec::new());
    if cursor.at_symbol("(") {
        let (start, end) = cursor.parentheses()?;
        if COLUMNS_AS_ARGUMENTS.contains(&module.as_str()) {
            (columns, options) = arguments(&cursor.sub(start, end));
        }
    }
    Ok(StatementKind::CreateTable(Box::new(CreateTable {
        name: table_name,
        if_not_exists,
        foreign: true,
        columns,
        options,
        access_method: Some(module),
        ..CreateTable::default()
    })))
}
