//! Names in SQLite, and the words that cannot be one without quotes.
//!
//! Most keywords of SQLite fall back to being names; the rest is a syntax error. The list is what
//! `CREATE TABLE t(<word>)` refuses (measured on 3.40.1; <https://sqlite.org/lang_keywords.html>).

use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::lexer::TokenKind;
use crate::sql::name::{Ident, ObjectName};

/// Words that are never names, sorted.
const RESERVED: &[&str] = &[
    "add",
    "all",
    "alter",
    "and",
    "as",
    "autoincrement",
    "between",
    "case",
    "check",
    "collate",
    "commit",
    "constraint",
    "create",
    "default",
    "deferrable",
    "delete",
    "distinct",
    "drop",
    "else",
    "escape",
    "except",
    "exists",
    "foreign",
    "from",
    "group",
    "having",
    "in",
    "index",
    "insert",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "limit",
    "not",
    "nothing",
    "notnull",
    "null",
    "on",
    "or",
    "order",
    "primary",
    "references",
    "returning",
    "select",
    "set",
    "table",
    "then",
    "to",
    "transaction",
    "union",
    "unique",
    "update",
    "using",
    "values",
    "when",
    "where",
];

/// Words that are names of tables and columns, but not of types, collations and defaults.
const JOIN_WORDS: &[&str] =
    &["cross", "full", "indexed", "inner", "left", "natural", "outer", "right"];

fn is_reserved(word: &str) -> bool {
    RESERVED.binary_search(&word.to_ascii_lowercase().as_str()).is_ok()
}

/// Takes the name of a table, a column, a constraint, an index, …
pub(super) fn name(cursor: &mut Cursor<'_>) -> Parsed<Ident> {
    let reserved = cursor.peek().is_some_and(|token| {
        token.kind == TokenKind::Word && is_reserved(cursor.slice(token.span))
    });
    if reserved { Err(cursor.expected("a name")) } else { cursor.ident() }
}

/// Takes a name that may have a schema in front.
pub(super) fn full_name(cursor: &mut Cursor<'_>) -> Parsed<ObjectName> {
    let mut parts = vec![name(cursor)?];
    if cursor.accept_symbol(".") {
        parts.push(name(cursor)?);
    }
    Ok(ObjectName { parts })
}

/// Says whether the next token can be part of a type name, or a bare default.
pub(super) fn at_plain_word(cursor: &Cursor<'_>) -> bool {
    cursor.peek().is_some_and(|token| match token.kind {
        TokenKind::Word => {
            let word = cursor.slice(token.span).to_ascii_lowercase();
            !is_reserved(&word) && !JOIN_WORDS.contains(&word.as_str())
        }
        TokenKind::QuotedName | TokenKind::String => true,
        TokenKind::DollarString
        | TokenKind::Number
        | TokenKind::Punctuation
        | TokenKind::Operator
        | TokenKind::Parameter
        | TokenKind::Variable
        | TokenKind::Comment
        | TokenKind::Unterminated
        | TokenKind::Stray => false,
    })
}
