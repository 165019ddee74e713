//! Table options of MySQL and MariaDB, and the ALGORITHM and LOCK clauses.

use super::column::{at_engine_option, engine_option};
use super::data_type::{at_charset, charset_name, collation_name};
use super::name::{full_names, is_mariadb, name, name_or_string, number};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::lexer::TokenKind;

/// What an option is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Number,
    /// A number or DEFAULT.
    NumberOrDefault,
    /// 0, 1 or DEFAULT.
    Switch,
    /// 1 to 65535, or DEFAULT.
    Pages,
    Text,
    Name,
}

/// The options that both servers have.
const OPTIONS: &[(&[&str], Value)] = &[
    (&["ENGINE"], Value::Name),
    (&["AUTO_INCREMENT"], Value::Number),
    (&["AVG_ROW_LENGTH"], Value::Number),
    (&["CHECKSUM"], Value::Number),
    (&["TABLE_CHECKSUM"], Value::Number),
    (&["COMMENT"], Value::Text),
    (&["CONNECTION"], Value::Text),
    (&["DATA", "DIRECTORY"], Value::Text),
    (&["INDEX", "DIRECTORY"], Value::Text),
    (&["DELAY_KEY_WRITE"], Value::Number),
    (&["INSERT_METHOD"], Value::Name),
    (&["KEY_BLOCK_SIZE"], Value::Number),
    (&["MAX_ROWS"], Value::Number),
    (&["MIN_ROWS"], Value::Number),
    (&["PACK_KEYS"], Value::Switch),
    (&["PASSWORD"], Value::Text),
    (&["STATS_AUTO_RECALC"], Value::Switch),
    (&["STATS_PERSISTENT"], Value::Switch),
    (&["STATS_SAMPLE_PAGES"], Value::Pages),
];

/// The options that only MySQL has by name; MariaDB takes any name with `=`.
const MYSQL_OPTIONS: &[(&[&str], Value)] = &[
    (&["COMPRESSION"], Value::Text),
    (&["ENCRYPTION"], Value::Text),
    (&["ENGINE_ATTRIBUTE"], Value::Text),
    (&["SECONDARY_ENGINE_ATTRIBUTE"], Value::Text),
    (&["AUTOEXTEND_SIZE"], Value::Name),
    (&["TABLESPACE"], Value::Name),
];

/// The options that only MariaDB has by name.
const MARIADB_OPTIONS: &[(&[&str], Value)] = &[
    (&["TRANSACTIONAL"], Value::NumberOrDefault),
    (&["PAGE_CHECKSUM"], Value::Number),
    (&["SEQUENCE"], Value::Number),
];

/// Takes one table option, if one is next: its lower-case name, its value without quotes.
pub(super) fn table_option(cursor: &mut Cursor<'_>) -> Parsed<Option<(String, String)>> {
    let own = if is_mariadb(cursor) { MARIADB_OPTIONS } else { MYSQL_OPTIONS };
    for (words, value) in OPTIONS.iter().chain(own) {
        if cursor.accept(words) {
            cursor.accept_symbol("=");
            let value = option_value(cursor, *value)?;
            return Ok(Some((words.join(" ").to_ascii_lowercase(), value)));
        }
    }
    if let Some(option) = charset_or_collation(cursor)? {
        return Ok(Some(option));
    }
    special_option(cursor)
}

fn option_value(cursor: &mut Cursor<'_>, value: Value) -> Parsed<String> {
    match value {
        Value::Number => number(cursor),
        Value::NumberOrDefault | Value::Switch | Value::Pages if cursor.accept(&["DEFAULT"]) => {
            Ok("default".to_owned())
        }
        Value::NumberOrDefault => number(cursor),
        Value::Switch if !["0", "1"].contains(&cursor.text_at(0)) => {
            Err(cursor.expected("0, 1 or DEFAULT"))
        }
        Value::Pages if !cursor.text_at(0).parse().is_ok_and(|n: u16| n > 0) => {
            Err(cursor.expected("a number of pages from 1 to 65535"))
        }
        Value::Switch | Value::Pages => number(cursor),
        Value::Text => cursor.string(),
        Value::Name if cursor.peek().is_some_and(|token| token.kind == TokenKind::Number) => {
            number(cursor)
        }
        Value::Name => name_or_string(cursor),
    }
}

/// Takes `[DEFAULT] CHARACTER SET [=] name` or `[DEFAULT] COLLATE [=] name`.
pub(super) fn charset_or_collation(cursor: &mut Cursor<'_>) -> Parsed<Option<(String, String)>> {
    let start = cursor.position();
    cursor.accept(&["DEFAULT"]);
    let default = is_mariadb(cursor);
    if at_charset(cursor) {
        cursor.accept_symbol("=");
        let charset = if default && cursor.accept(&["DEFAULT"]) {
            "default".to_owned()
        } else {
            charset_name(cursor)?
        };
        return Ok(Some(("charset".to_owned(), charset)));
    }
    if cursor.accept(&["COLLATE"]) {
        cursor.accept_symbol("=");
        let collation = if default && cursor.accept(&["DEFAULT"]) {
            "default".to_owned()
        } else {
            collation_name(cursor)?
        };
        return Ok(Some(("collate".to_owned(), collation)));
    }
    cursor.reset(start);
    Ok(None)
}

/// Takes the options whose values have a form of their own.
fn special_option(cursor: &mut Cursor<'_>) -> Parsed<Option<(String, String)>> {
    let option = |name: &str, value: String| Ok(Some((name.to_owned(), value)));
    let mariadb = is_mariadb(cursor);
    if cursor.accept(&["ROW_FORMAT"]) {
        cursor.accept_symbol("=");
        let mut formats = vec!["default", "fixed", "dynamic", "compressed", "redundant", "compact"];
        formats.extend(mariadb.then_some("page"));
        return match cursor.accept_any(&formats) {
            Some(format) => option("row_format", format.to_owned()),
            None => Err(cursor.expected("a row format")),
        };
    }
    if cursor.accept(&["UNION"]) {
        cursor.accept_symbol("=");
        cursor.expect_symbol("(")?;
        let tables = full_names(cursor)?;
        cursor.expect_symbol(")")?;
        let names: Vec<String> = tables.iter().map(ToString::to_string).collect();
        return option("union", names.join(", "));
    }
    if let Some(word) = ["disk", "memory"].into_iter().find(|w| cursor.at(&["STORAGE", w])) {
        cursor.accept(&["STORAGE", word]);
        return option("storage", word.to_owned());
    }
    if !mariadb && cursor.accept(&["SECONDARY_ENGINE"]) {
        cursor.accept_symbol("=");
        let none = cursor.accept(&["NULL"]);
        let engine = if none { "null".to_owned() } else { name_or_string(cursor)? };
        return option("secondary_engine", engine);
    }
    if !mariadb && cursor.accept(&["START", "TRANSACTION"]) {
        return option("start transaction", String::new());
    }
    if mariadb && cursor.accept(&["WITH", "SYSTEM", "VERSIONING"]) {
        return option("system versioning", String::new());
    }
    if mariadb && cursor.at(&["TABLESPACE"]) && cursor.text_at(1) != "=" {
        cursor.advance();
        return option("tablespace", name(cursor)?.value);
    }
    if mariadb && at_engine_option(cursor) {
        return Ok(Some(engine_option(cursor)?));
    }
    Ok(None)
}

/// Takes `ALGORITHM [=] name`, in upper case. A name that the server does not have is an error of
/// its own (1800), not one of syntax.
pub(super) fn algorithm(cursor: &mut Cursor<'_>) -> Parsed<Option<String>> {
    if !cursor.accept(&["ALGORITHM"]) {
        return Ok(None);
    }
    cursor.accept_symbol("=");
    if cursor.accept(&["DEFAULT"]) {
        return Ok(Some("DEFAULT".to_owned()));
    }
    Ok(Some(name(cursor)?.value.to_uppercase()))
}

/// Takes `LOCK [=] name`, in upper case. Here too an unknown name is an error of its own (1801).
pub(super) fn lock(cursor: &mut Cursor<'_>) -> Parsed<Option<String>> {
    if !cursor.accept(&["LOCK"]) {
        return Ok(None);
    }
    cursor.accept_symbol("=");
    if cursor.accept(&["DEFAULT"]) {
        return Ok(Some("DEFAULT".to_owned()));
    }
    Ok(Some(name(cursor)?.value.to_uppercase()))
}
