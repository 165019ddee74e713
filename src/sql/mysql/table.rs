//! `CREATE TABLE` of MySQL and MariaDB.

use super::at_query;
use super::column::column;
use super::constraint::{Element, at_element, element};
use super::name::full_name;
use super::option::table_option;
use super::partition::partition_by;
use crate::sql::ast::{CreateTable, LikeClause, Persistence, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::query;

/// Reads what follows `CREATE [OR REPLACE] [TEMPORARY] TABLE`.
pub(super) fn create(
    cursor: &mut Cursor<'_>,
    or_replace: bool,
    temporary: bool,
) -> Parsed<StatementKind> {
    let persistence = if temporary { Persistence::Temporary } else { Persistence::Permanent };
    let if_not_exists = cursor.accept(&["IF", "NOT", "EXISTS"]);
    let name = full_name(cursor)?;
    let mut table =
        CreateTable { name, persistence, if_not_exists, or_replace, ..CreateTable::default() };
    if cursor.at(&["LIKE"]) {
        like(cursor, &mut table)?;
        return Ok(StatementKind::CreateTable(Box::new(table)));
    }
    let query_in_parentheses = ["SELECT", "WITH", "VALUES", "TABLE"];
    let selects =
        query_in_parentheses.iter().any(|word| cursor.text_at(1).eq_ignore_ascii_case(word))
            || cursor.text_at(1) == "(";
    if cursor.at_symbol("(") && !selects {
        cursor.expect_symbol("(")?;
        if cursor.at(&["LIKE"]) {
            like(cursor, &mut table)?;
            cursor.expect_symbol(")")?;
            return Ok(StatementKind::CreateTable(Box::new(table)));
        }
        let read = elements(cursor, &mut table).and_then(|()| cursor.expect_symbol(")"));
        if let Err(error) = read {
            cursor.leave(StatementKind::CreateTable(Box::new(table)));
            return Err(error);
        }
    }
    options(cursor, &mut table)?;
    table.partition_by = partition_by(cursor)?;
    select(cursor, &mut table)?;
    if table.columns.is_empty() && table.query.is_none() {
        return Err(cursor.expected("columns or a query"));
    }
    Ok(StatementKind::CreateTable(Box::new(table)))
}

fn like(cursor: &mut Cursor<'_>, table: &mut CreateTable) -> Parsed<()> {
    cursor.expect(&["LIKE"])?;
    let source = full_name(cursor)?;
    table.likes.push(LikeClause { source, including: Vec::new(), excluding: Vec::new() });
    Ok(())
}

fn elements(cursor: &mut Cursor<'_>, table: &mut CreateTable) -> Parsed<()> {
    loop {
        if at_element(cursor) {
            match element(cursor, false)? {
                Element::Constraint(constraint) => table.constraints.push(constraint),
                Element::Index(index, _) => table.indexes.push(index),
                Element::Period(name, columns, _) => {
                    let columns: Vec<&str> = columns.iter().map(|c| c.as_str()).collect();
                    table.options.push((format!("period {name}"), columns.join(" ")));
                }
            }
        } else {
            table.columns.push(column(cursor)?);
        }
        if !cursor.accept_symbol(",") {
            return Ok(());
        }
    }
}

/// Takes table options, separated by commas or by nothing.
fn options(cursor: &mut Cursor<'_>, table: &mut CreateTable) -> Parsed<()> {
    while let Some(option) = table_option(cursor)? {
        table.system_versioning |= option.0 == "system versioning";
        table.options.push(option);
        if cursor.accept_symbol(",") && at_query(cursor) {
            return Err(cursor.expected("a table option"));
        }
    }
    Ok(())
}

/// Takes `[IGNORE | REPLACE] [AS] query`, if it is next.
fn select(cursor: &mut Cursor<'_>, table: &mut CreateTable) -> Parsed<()> {
    if let Some(word) = cursor.accept_any(&["ignore", "replace"]) {
        table.options.push(("duplicates".to_owned(), word.to_owned()));
    }
    let keyword = cursor.accept(&["AS"]);
    if !at_query(cursor) {
        return if keyword { Err(cursor.expected("a query")) } else { Ok(()) };
    }
    let rest = cursor.sub(cursor.position(), cursor.tokens().len());
    table.query = Some(query::query(&rest)?);
    cursor.skip_rest();
    Ok(())
}
