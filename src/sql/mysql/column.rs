//! Column definitions of MySQL and MariaDB.

use super::constraint::{column_key, references, table_constraint};
use super::data_type::{collation_name, data_type};
use super::name::{
    at_name, column_name, is_mariadb, is_reserved, mysql_since, name, name_or_string, number,
};
use crate::sql::ast::{
    ColumnDef, ColumnPosition, ConstraintKind, DataType, Expr, ForeignKey, Generated,
    GeneratedStorage, Nullability,
};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::expr;
use crate::sql::lexer::TokenKind;
use crate::sql::name::Ident;

/// Takes a column of CREATE TABLE or ADD COLUMN: name, definition, REFERENCES.
pub(super) fn column(cursor: &mut Cursor<'_>) -> Parsed<ColumnDef> {
    let start = cursor.position();
    let name = column_name(cursor)?;
    let mut column = definition(cursor, name)?;
    let from = cursor.position();
    let named = if is_mariadb(cursor) && cursor.accept(&["CONSTRAINT"]) {
        Some(super::name::name(cursor)?)
    } else {
        None
    };
    if cursor.accept(&["REFERENCES"]) {
        let columns = vec![column.name.clone()];
        let key = ForeignKey { columns, ..references(cursor)? };
        let mut constraint = table_constraint(named, ConstraintKind::ForeignKey(key));
        constraint.span = cursor.span_from(from);
        column.constraints.push(constraint);
    } else if named.is_some() {
        return Err(cursor.expected("REFERENCES"));
    }
    column.span = cursor.span_from(start);
    Ok(column)
}

/// Takes what follows the name of a column: the type and the attributes.
pub(super) fn definition(cursor: &mut Cursor<'_>, name: Ident) -> Parsed<ColumnDef> {
    let start = cursor.position();
    let mut column = ColumnDef {
        span: name.span,
        name,
        data_type: None,
        nullability: None,
        default: None,
        generated: None,
        identity: None,
        auto_increment: false,
        on_update: None,
        constraints: Vec::new(),
        comment: None,
        invisible: false,
        options: Vec::new(),
    };
    if cursor.accept(&["SERIAL"]) {
        // SERIAL is BIGINT UNSIGNED NOT NULL AUTO_INCREMENT UNIQUE (manual, "Numeric Types").
        let span = cursor.span_from(start);
        let mut bigint = DataType { span, ..DataType::named("bigint") };
        bigint.unsigned = true;
        column.data_type = Some(bigint);
        serial(cursor, &mut column, start);
    } else {
        column.data_type = Some(data_type(cursor)?);
        collation(cursor, &mut column)?;
        generated(cursor, &mut column)?;
    }
    while attribute(cursor, &mut column)? {}
    if is_mariadb(cursor) {
        last_check(cursor, &mut column)?;
    }
    column.span = column.span.to(cursor.last_span());
    Ok(column)
}

/// Takes `FIRST` or `AFTER column`.
pub(super) fn position(cursor: &mut Cursor<'_>) -> Parsed<ColumnPosition> {
    if cursor.accept(&["FIRST"]) {
        Ok(ColumnPosition::First)
    } else if cursor.accept(&["AFTER"]) {
        Ok(ColumnPosition::After(name(cursor)?))
    } else {
        Ok(ColumnPosition::Unchanged)
    }
}

fn serial(cursor: &Cursor<'_>, column: &mut ColumnDef, start: usize) {
    column.nullability = Some(Nullability::NotNull { name: None });
    column.auto_increment = true;
    let key = column_key(&column.name);
    let mut unique = table_constraint(None, ConstraintKind::Unique(key));
    unique.span = cursor.span_from(start);
    column.constraints.push(unique);
}

fn collation(cursor: &mut Cursor<'_>, column: &mut ColumnDef) -> Parsed<bool> {
    if !cursor.accept(&["COLLATE"]) {
        return Ok(false);
    }
    let collation = if is_mariadb(cursor) && cursor.accept(&["DEFAULT"]) {
        "default".to_owned()
    } else {
        collation_name(cursor)?
    };
    if let Some(data_type) = &mut column.data_type {
        data_type.collation = Some(collation);
    }
    Ok(true)
}

/// Takes `[GENERATED ALWAYS] AS (…)`, or `AS ROW START` of system versioning (MariaDB).
fn generated(cursor: &mut Cursor<'_>, column: &mut ColumnDef) -> Parsed<()> {
    if !cursor.at(&["GENERATED", "ALWAYS", "AS"]) && !cursor.at(&["AS"]) {
        return Ok(());
    }
    cursor.accept(&["GENERATED", "ALWAYS"]);
    cursor.expect(&["AS"])?;
    if is_mariadb(cursor) && cursor.accept(&["ROW"]) {
        let Some(end) = cursor.accept_any(&["start", "end"]) else {
            return Err(cursor.expected("START or END"));
        };
        column.options.push((format!("row {end}"), String::new()));
        column.nullability = Some(Nullability::NotNull { name: None });
        return Ok(());
    }
    let expr = expr::in_parentheses(cursor)?;
    let words: &[&str] = if is_mariadb(cursor) {
        &["VIRTUAL", "STORED", "PERSISTENT"]
    } else {
        &["VIRTUAL", "STORED"]
    };
    let storage = match cursor.accept_any(words) {
        Some("VIRTUAL") => GeneratedStorage::Virtual,
        Some(_) => GeneratedStorage::Stored,
        None => GeneratedStorage::Unspecified,
    };
    column.generated = Some(Generated { expr, storage });
    Ok(())
}

/// Takes one attribute, if one is next.
fn attribute(cursor: &mut Cursor<'_>, column: &mut ColumnDef) -> Parsed<bool> {
    let start = cursor.position();
    // MariaDB takes neither a nullability nor a key for a generated column (measured on 11.8).
    let computed = is_mariadb(cursor) && column.generated.is_some();
    if cursor.accept(&["COMMENT"]) {
        column.comment = Some(cursor.string()?);
    } else if cursor.accept(&["INVISIBLE"]) {
        column.invisible = true;
    } else if cursor.accept(&["UNIQUE"]) {
        cursor.accept(&["KEY"]);
        let unique = ConstraintKind::Unique(column_key(&column.name));
        push_constraint(cursor, column, start, unique);
    } else if computed {
        return own_attribute(cursor, column);
    } else if cursor.accept(&["NOT", "NULL"]) {
        column.nullability = Some(Nullability::NotNull { name: None });
    } else if cursor.accept(&["NULL"]) {
        column.nullability = Some(Nullability::Null);
    } else if cursor.accept(&["DEFAULT"]) {
        column.default = Some(default_value(cursor)?);
    } else if cursor.accept(&["ON", "UPDATE"]) {
        column.on_update = Some(now(cursor)?);
    } else if cursor.accept(&["AUTO_INCREMENT"]) {
        column.auto_increment = true;
    } else if cursor.accept(&["SERIAL", "DEFAULT", "VALUE"]) {
        serial(cursor, column, start);
    } else if cursor.accept(&["PRIMARY", "KEY"]) || cursor.accept(&["KEY"]) {
        let primary = ConstraintKind::PrimaryKey(column_key(&column.name));
        push_constraint(cursor, column, start, primary);
    } else if !collation(cursor, column)? {
        return own_attribute(cursor, column);
    }
    Ok(true)
}

fn push_constraint(
    cursor: &Cursor<'_>,
    column: &mut ColumnDef,
    start: usize,
    kind: ConstraintKind,
) {
    let mut constraint = table_constraint(None, kind);
    constraint.span = cursor.span_from(start);
    column.constraints.push(constraint);
}

/// Takes an attribute that only one of the servers has.
fn own_attribute(cursor: &mut Cursor<'_>, column: &mut ColumnDef) -> Parsed<bool> {
    if is_mariadb(cursor) {
        mariadb_attribute(cursor, column)
    } else {
        mysql_attribute(cursor, column)
    }
}

fn mysql_attribute(cursor: &mut Cursor<'_>, column: &mut ColumnDef) -> Parsed<bool> {
    let start = cursor.position();
    let mut option = |name: &str, value: String| column.options.push((name.to_owned(), value));
    if cursor.accept(&["VISIBLE"]) {
        column.invisible = false;
    } else if cursor.accept(&["COLUMN_FORMAT"]) {
        option("column_format", one_of(cursor, &["default", "fixed", "dynamic"])?);
    } else if cursor.accept(&["STORAGE"]) {
        option("storage", one_of(cursor, &["default", "disk", "memory"])?);
    } else if cursor.accept(&["SRID"]) {
        option("srid", number(cursor)?);
    } else if cursor.accept(&["NOT", "SECONDARY"]) {
        option("not secondary", String::new());
    } else if let Some(word) =
        cursor.accept_any(&["engine_attribute", "secondary_engine_attribute"])
    {
        cursor.accept_symbol("=");
        option(word, cursor.string()?);
    } else if cursor.at(&["CONSTRAINT"]) || cursor.at(&["CHECK"]) {
        let named = if cursor.accept(&["CONSTRAINT"]) && at_name(cursor) {
            Some(name(cursor)?)
        } else {
            None
        };
        cursor.expect(&["CHECK"])?;
        let check = ConstraintKind::Check(expr::in_parentheses(cursor)?);
        let mut constraint = table_constraint(named, check);
        constraint.not_enforced = cursor.accept(&["NOT", "ENFORCED"]);
        cursor.accept(&["ENFORCED"]);
        constraint.span = cursor.span_from(start);
        column.constraints.push(constraint);
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn one_of(cursor: &mut Cursor<'_>, words: &[&str]) -> Parsed<String> {
    match cursor.accept_any(words) {
        Some(word) => Ok(word.to_owned()),
        None => Err(cursor.expected(&words.join(", ").to_uppercase())),
    }
}

fn mariadb_attribute(cursor: &mut Cursor<'_>, column: &mut ColumnDef) -> Parsed<bool> {
    let mut option = |name: &str, value: String| column.options.push((name.to_owned(), value));
    if cursor.accept(&["COMPRESSED"]) {
        let method = if cursor.accept_symbol("=") { name(cursor)?.value } else { String::new() };
        option("compressed", method);
    } else if cursor.accept(&["WITHOUT", "SYSTEM", "VERSIONING"]) {
        option("without system versioning", String::new());
    } else if cursor.accept(&["WITH", "SYSTEM", "VERSIONING"]) {
        option("with system versioning", String::new());
    } else if cursor.accept(&["REF_SYSTEM_ID"]) {
        cursor.expect_symbol("=")?;
        option("ref_system_id", number(cursor)?);
    } else if at_engine_option(cursor) {
        let (name, value) = engine_option(cursor)?;
        column.options.push((name, value));
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Says whether MariaDB would read `name = value` for the storage engine here: the name is none of
/// its keywords.
pub(super) fn at_engine_option(cursor: &Cursor<'_>) -> bool {
    let keywords = [
        "algorithm",
        "auto_increment",
        "autoextend_size",
        "checksum",
        "comment",
        "data",
        "engine",
        "row_format",
        "tablespace",
        "type",
    ];
    let keyword = keywords.iter().any(|word| cursor.at(&[word]));
    at_name(cursor) && cursor.text_at(1) == "=" && !keyword
}

/// Takes `name = value` for the storage engine (MariaDB).
pub(super) fn engine_option(cursor: &mut Cursor<'_>) -> Parsed<(String, String)> {
    let name = name(cursor)?.value.to_ascii_lowercase();
    cursor.expect_symbol("=")?;
    let value = match cursor.peek().map(|token| token.kind) {
        Some(TokenKind::Number) => number(cursor)?,
        _ if cursor.accept(&["DEFAULT"]) => "default".to_owned(),
        _ => name_or_string(cursor)?,
    };
    Ok((name, value))
}

/// MariaDB takes one unnamed CHECK, behind all attributes.
fn last_check(cursor: &mut Cursor<'_>, column: &mut ColumnDef) -> Parsed<()> {
    let start = cursor.position();
    if cursor.accept(&["CHECK"]) {
        let check = ConstraintKind::Check(expr::in_parentheses(cursor)?);
        push_constraint(cursor, column, start, check);
    }
    Ok(())
}

/// Takes `CURRENT_TIMESTAMP` and its synonyms.
fn now(cursor: &mut Cursor<'_>) -> Parsed<Expr> {
    let start = cursor.position();
    let word = cursor.accept_any(&["CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "NOW"]);
    if word.is_none() || (word == Some("NOW") && !cursor.at_symbol("(")) {
        return Err(cursor.expected("CURRENT_TIMESTAMP"));
    }
    if cursor.at_symbol("(") {
        cursor.parentheses()?;
    }
    Ok(expr::facts(&cursor.sub(start, cursor.position())))
}

/// Takes the value behind DEFAULT: a literal, CURRENT_TIMESTAMP, an expression in parentheses;
/// in MariaDB also a function, a column or CASE without them.
pub(super) fn default_value(cursor: &mut Cursor<'_>) -> Parsed<Expr> {
    let start = cursor.position();
    if cursor.at_symbol("(") {
        // Expression defaults exist since MySQL 8.0.13 (manual, "Data Type Default Values").
        if !is_mariadb(cursor) && !mysql_since(cursor, 8, 0, 13) {
            return Err(cursor.expected("a literal"));
        }
        cursor.parentheses()?;
    } else if !literal(cursor)? {
        let synonyms = ["CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "NOW"];
        if synonyms.iter().any(|word| cursor.at(&[word])) {
            now(cursor)?;
        } else if is_mariadb(cursor) {
            primary(cursor)?;
        } else {
            return Err(cursor.expected("a literal or an expression in parentheses"));
        }
    }
    Ok(expr::facts(&cursor.sub(start, cursor.position())))
}

/// Takes a literal, signed or typed, if one is next.
fn literal(cursor: &mut Cursor<'_>) -> Parsed<bool> {
    let signed = cursor.accept_symbol("-") || cursor.accept_symbol("+");
    let string =
        |ahead: usize| cursor.peek_at(ahead).is_some_and(|token| token.kind == TokenKind::String);
    if signed || cursor.peek().is_some_and(|token| token.kind == TokenKind::Number) {
        number(cursor)?;
    } else if string(0) {
        while cursor.peek().is_some_and(|token| token.kind == TokenKind::String) {
            cursor.advance();
        }
    } else if string(1) && ["DATE", "TIME", "TIMESTAMP"].iter().any(|word| cursor.at(&[word])) {
        cursor.advance();
        cursor.advance();
    } else {
        return Ok(cursor.accept_any(&["NULL", "TRUE", "FALSE"]).is_some());
    }
    Ok(true)
}

/// Takes a function call, a column, CASE … END or NEXT VALUE FOR (MariaDB).
fn primary(cursor: &mut Cursor<'_>) -> Parsed<()> {
    if cursor.at(&["CASE"]) {
        let mut depth = 0_usize;
        while let Some(token) = cursor.advance() {
            let word = cursor.slice(token.span);
            depth += usize::from(word.eq_ignore_ascii_case("case"));
            depth -= usize::from(word.eq_ignore_ascii_case("end"));
            if depth == 0 {
                return Ok(());
            }
        }
        return Err(cursor.expected("END"));
    }
    if cursor.accept(&["NEXT", "VALUE", "FOR"]) || cursor.accept(&["PREVIOUS", "VALUE", "FOR"]) {
        super::name::full_name(cursor)?;
        return Ok(());
    }
    let bare = ["current_date", "current_time", "current_user", "current_role"];
    let word = cursor.text_at(0).to_ascii_lowercase();
    let called = bare.contains(&word.as_str())
        || word.starts_with("utc_")
        || (is_reserved(&word, cursor.server()) && cursor.text_at(1) == "(");
    if called {
        cursor.advance();
    } else {
        super::name::full_name(cursor)?;
    }
    if cursor.at_symbol("(") {
        cursor.parentheses()?;
    }
    Ok(())
}
