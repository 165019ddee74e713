//! Names, and the keywords that cannot be names.
//!
//! Source of the lists: PostgreSQL 18 manual, appendix C, "SQL Key Words".

use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::lexer::{Token, TokenKind};
use crate::sql::name::{Ident, ObjectName};

/// Reserved: names only when quoted or behind a dot.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "current_catalog",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "in",
    "initially",
    "intersect",
    "into",
    "lateral",
    "leading",
    "limit",
    "localtime",
    "localtimestamp",
    "not",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "placing",
    "primary",
    "references",
    "returning",
    "select",
    "session_user",
    "some",
    "symmetric",
    "table",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "when",
    "where",
    "window",
    "with",
];

/// Names of functions and types, but not of tables and columns.
const TYPE_OR_FUNCTION: &[&str] = &[
    "authorization",
    "binary",
    "collation",
    "concurrently",
    "cross",
    "current_schema",
    "freeze",
    "full",
    "ilike",
    "inner",
    "is",
    "isnull",
    "join",
    "left",
    "like",
    "natural",
    "notnull",
    "outer",
    "overlaps",
    "right",
    "similar",
    "tablesample",
    "verbose",
];

/// Names of tables and columns, but not of functions and types.
const COLUMN_ONLY: &[&str] = &[
    "between",
    "bigint",
    "bit",
    "boolean",
    "char",
    "character",
    "coalesce",
    "dec",
    "decimal",
    "exists",
    "extract",
    "float",
    "greatest",
    "grouping",
    "inout",
    "int",
    "integer",
    "interval",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "least",
    "merge_action",
    "national",
    "nchar",
    "none",
    "normalize",
    "nullif",
    "numeric",
    "out",
    "overlay",
    "position",
    "precision",
    "real",
    "row",
    "setof",
    "smallint",
    "substring",
    "time",
    "timestamp",
    "treat",
    "trim",
    "values",
    "varchar",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

/// Words that name a result column only behind AS.
const NEEDS_AS: &[&str] = &[
    "array",
    "as",
    "char",
    "character",
    "create",
    "day",
    "except",
    "fetch",
    "filter",
    "for",
    "from",
    "grant",
    "group",
    "having",
    "hour",
    "intersect",
    "into",
    "isnull",
    "limit",
    "minute",
    "month",
    "notnull",
    "offset",
    "on",
    "order",
    "over",
    "overlaps",
    "precision",
    "returning",
    "second",
    "to",
    "union",
    "varying",
    "where",
    "window",
    "with",
    "within",
    "without",
    "year",
];

/// What an unquoted word may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Anything.
    Free,
    /// A table or a column.
    ColumnOnly,
    /// A function or a type.
    TypeOrFunction,
    /// Nothing.
    Reserved,
}

/// Returns what a word may name.
pub(super) fn class(word: &str) -> Class {
    if holds(RESERVED, word) {
        Class::Reserved
    } else if holds(COLUMN_ONLY, word) {
        Class::ColumnOnly
    } else if holds(TYPE_OR_FUNCTION, word) {
        Class::TypeOrFunction
    } else {
        Class::Free
    }
}

/// Looks a word up in a sorted list of lower-case words.
fn holds(sorted: &[&str], word: &str) -> bool {
    // The longest keyword has 17 letters.
    if word.len() > 17 || !word.is_ascii() {
        return false;
    }
    let order = |entry: &&str| {
        let entry = entry.bytes();
        entry.cmp(word.bytes().map(|b| b.to_ascii_lowercase()))
    };
    sorted.binary_search_by(order).is_ok()
}

fn named(c: &Cursor<'_>, allowed: impl Fn(Class) -> bool) -> Option<Token> {
    let token = c.peek()?;
    let text = c.slice(token.span);
    let is_name = token.kind == TokenKind::QuotedName && text != "\"\""
        || token.kind == TokenKind::Word && allowed(class(text));
    // Into a placeholder psql or a tool puts the name before the server sees it.
    (is_name || c.at_placeholder()).then_some(token)
}

fn take(c: &mut Cursor<'_>, token: Option<Token>, what: &str) -> Parsed<Ident> {
    match token {
        Some(token) => {
            c.advance();
            if token.kind == TokenKind::QuotedName && c.at(&["UESCAPE"]) {
                c.advance();
                c.string()?;
            }
            Ok(Ident::new(c.fold(token), token.span))
        }
        None => Err(c.expected(what)),
    }
}

/// Says whether a table, a column or another object may be named here.
pub(super) fn at_column_id(c: &Cursor<'_>) -> bool {
    named(c, |class| matches!(class, Class::Free | Class::ColumnOnly)).is_some()
}

/// Takes the name of a table, a column, an index, …
pub(super) fn column_id(c: &mut Cursor<'_>, what: &str) -> Parsed<Ident> {
    let token = named(c, |class| matches!(class, Class::Free | Class::ColumnOnly));
    take(c, token, what)
}

/// Says whether a function or a type may be named here.
pub(super) fn at_type_name(c: &Cursor<'_>) -> bool {
    named(c, |class| matches!(class, Class::Free | Class::TypeOrFunction)).is_some()
}

/// Takes the first part of the name of a function or a type.
pub(super) fn type_name(c: &mut Cursor<'_>, what: &str) -> Parsed<Ident> {
    let token = named(c, |class| matches!(class, Class::Free | Class::TypeOrFunction));
    take(c, token, what)
}

/// Takes any word that is not reserved.
pub(super) fn word(c: &mut Cursor<'_>, what: &str) -> Parsed<Ident> {
    let token = named(c, |class| class != Class::Reserved);
    take(c, token, what)
}

/// Takes any word, reserved ones included.
pub(super) fn label(c: &mut Cursor<'_>, what: &str) -> Parsed<Ident> {
    let token = named(c, |_| true);
    take(c, token, what)
}

/// Says whether a result column may be named here without AS.
pub(super) fn at_bare_label(c: &Cursor<'_>) -> bool {
    let quoted = c.peek().is_some_and(|token| token.kind == TokenKind::QuotedName);
    quoted || (named(c, |_| true).is_some() && !holds(NEEDS_AS, c.text_at(0)))
}

/// Takes the name of a relation or another object with its schema.
pub(super) fn qualified(c: &mut Cursor<'_>, what: &str) -> Parsed<ObjectName> {
    let first = column_id(c, what)?;
    rest(c, first, what)
}

/// Takes the parts behind the first one.
pub(super) fn rest(c: &mut Cursor<'_>, first: Ident, what: &str) -> Parsed<ObjectName> {
    let mut parts = vec![first];
    while c.accept_symbol(".") {
        parts.push(label(c, what)?);
    }
    Ok(ObjectName { parts })
}

/// Takes the name of a function with its schema.
pub(super) fn function(c: &mut Cursor<'_>, what: &str) -> Parsed<ObjectName> {
    let behind = c.peek_at(1).map_or("", |token| c.slice(token.span));
    let first = if behind == "." { column_id(c, what)? } else { type_name(c, what)? };
    rest(c, first, what)
}

/// Takes names of relations separated by commas.
pub(super) fn qualified_list(c: &mut Cursor<'_>, what: &str) -> Parsed<Vec<ObjectName>> {
    list(c, |c| qualified(c, what))
}

/// Takes items separated by commas.
pub(super) fn list<'a, T>(
    c: &mut Cursor<'a>,
    mut item: impl FnMut(&mut Cursor<'a>) -> Parsed<T>,
) -> Parsed<Vec<T>> {
    let mut items = vec![item(c)?];
    while c.accept_symbol(",") {
        items.push(item(c)?);
    }
    Ok(items)
}

/// Takes column names in parentheses.
pub(super) fn column_list(c: &mut Cursor<'_>) -> Parsed<Vec<Ident>> {
    c.expect_symbol("(")?;
    let columns = list(c, |c| column_id(c, "a column name"))?;
    c.expect_symbol(")")?;
    Ok(columns)
}

/// Takes column names in parentheses, where there are any.
pub(super) fn optional_column_list(c: &mut Cursor<'_>) -> Parsed<Vec<Ident>> {
    if c.at_symbol("(") { column_list(c) } else { Ok(Vec::new()) }
}

/// Takes a role: a name, `CURRENT_USER`, `SESSION_USER`, `PUBLIC`.
pub(super) fn role(c: &mut Cursor<'_>) -> Parsed<String> {
    if let Some(special) = c.accept_any(&["CURRENT_USER", "CURRENT_ROLE", "SESSION_USER"]) {
        return Ok(special.to_ascii_lowercase());
    }
    Ok(word(c, "a role")?.value)
}

/// Takes roles separated by commas.
pub(super) fn roles(c: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    list(c, role)
}

/// Takes `IF EXISTS`.
pub(super) fn if_exists(c: &mut Cursor<'_>) -> bool {
    c.accept(&["IF", "EXISTS"])
}

/// Takes `IF NOT EXISTS`.
pub(super) fn if_not_exists(c: &mut Cursor<'_>) -> bool {
    c.accept(&["IF", "NOT", "EXISTS"])
}

/// Takes `CASCADE` or `RESTRICT`; says whether it was CASCADE.
pub(super) fn cascade(c: &mut Cursor<'_>) -> bool {
    c.accept_any(&["CASCADE", "RESTRICT"]) == Some("CASCADE")
}

/// Takes a string, its continuations on later lines included, and returns what it stands for.
pub(super) fn string(c: &mut Cursor<'_>) -> Parsed<String> {
    let mut value = c.string()?;
    while continues(c) {
        value.push_str(&c.string()?);
    }
    if c.accept(&["UESCAPE"]) {
        c.string()?;
    }
    Ok(value)
}

/// Says whether the next token continues the string before: only a line break stands between.
fn continues(c: &Cursor<'_>) -> bool {
    let Some(token) = c.peek() else { return false };
    token.kind == TokenKind::String && c.slice(token.span).starts_with('\'') && {
        let between = crate::sql::source::Span::new(c.last_span().end, token.span.start);
        let between = c.slice(between);
        between.contains('\n') && !between.contains("/*")
    }
}

/// Takes a whole number, signed or not, and returns its text.
pub(super) fn integer(c: &mut Cursor<'_>) -> Parsed<String> {
    let sign = if c.accept_symbol("-") {
        "-"
    } else {
        c.accept_symbol("+");
        ""
    };
    match c.peek() {
        Some(token) if token.kind == TokenKind::Number => {
            c.advance();
            Ok(format!("{sign}{}", c.slice(token.span)))
        }
        _ => Err(c.expected("a number")),
    }
}

/// Says whether the next token is of a kind.
pub(super) fn at_kind(c: &Cursor<'_>, kind: TokenKind) -> bool {
    c.peek().is_some_and(|token| token.kind == kind)
}

/// Says whether a string is next.
pub(super) fn at_string(c: &Cursor<'_>) -> bool {
    at_kind(c, TokenKind::String) || at_kind(c, TokenKind::DollarString)
}

#[cfg(test)]
mod tests {
    use super::super::check::check;
    use super::*;

    #[test]
    fn the_lists_are_sorted() {
        for list in [RESERVED, TYPE_OR_FUNCTION, COLUMN_ONLY, NEEDS_AS] {
            assert!(list.is_sorted());
        }
    }

    #[test]
    fn words_are_classed_without_case() {
        assert_eq!(class("SELECT"), Class::Reserved);
        assert_eq!(class("Left"), Class::TypeOrFunction);
        assert_eq!(class("values"), Class::ColumnOnly);
        assert_eq!(class("name"), Class::Free);
    }

    #[test]
    fn keywords() {
        check(
            "CREATE TABLE \"order\" (\"select\" int, name text, value int, date date, time \
            time, values int)",
            "CreateTable(CreateTable { name: order, columns: [ColumnDef { name: select, \
            data_type: Some(DataType { name: \"integer\" }) }, ColumnDef { name: name, \
            data_type: Some(DataType { name: \"text\" }) }, ColumnDef { name: value, \
            data_type: Some(DataType { name: \"integer\" }) }, ColumnDef { name: date, \
            data_type: Some(DataType { name: \"date\" }) }, ColumnDef { name: time, \
            data_type: Some(DataType { name: \"time\" }) }, ColumnDef { name: values, \
            data_type: Some(DataType { name: \"integer\" }) }] })",
        );
        check("CREATE TABLE t (user int)", "! expected a column name, found \"user\"");
        check(
            "CREATE FUNCTION left() RETURNS int LANGUAGE sql RETURN 1",
            "CreateRoutine(CreateRoutine { name: left, returns: Some(DataType { name: \
            \"integer\" }), language: \"sql\", volatility: Volatile, body: 48..56, \
            statements: [Statement { kind: Dml(Dml { kind: Select, query: Query {} }) }], \
            parsed_body: true })",
        );
        check("CREATE TABLE left (a int)", "! expected a table name, found \"left\"");
        check(
            "DROP TABLE Mixed, \"Mixed\"",
            "Drop(Drop { object: Table, names: [mixed, Mixed], signatures: [None, None] })",
        );
        check(
            "SELECT a AS select, b day FROM t",
            "! expected the end of the statement, found \"day\"",
        );
        check("SELECT a year", "! expected the end of the statement, found \"year\"");
        check("DROP TABLE \"\"", "! expected a name, found \"\"\"\"");
        check(
            "DROP TABLE a.select",
            "Drop(Drop { object: Table, names: [a.select], signatures: [None] })",
        );
    }
}
