//! Literals that are no values of a type.
//!
//! PostgreSQL 12 to 18 read a literal when the default is set, so that one which is no value of the
//! column's type fails there (manual: Data Types; measured, testdata/servers/postgres). Only the
//! types whose input is simple are looked at; what is not understood is let through.

use super::casts;
use super::sheet::Sheet;
use super::types;
use crate::schema::{Origin, Schema, TypeBody};
use crate::sql::ast::{DataType, Expr, ExprShape};

/// Notes a default that is no value of its column's type. Says whether it is so.
pub(super) fn refused(sheet: &mut Sheet<'_>, data_type: &DataType, default: &Expr) -> bool {
    let plain = default.shape == ExprShape::Literal && default.casts.is_empty();
    if !plain {
        return false;
    }
    let quoted = default.text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let Some(text) = quoted else { return is_of_other_type(sheet, default, data_type) };
    if let Some(what) = malformed(sheet, data_type, text.trim_start()) {
        sheet.fails("type-mismatch", "22P02", format!("malformed {what} literal: \"{text}\""));
        return true;
    }
    if data_type.array_dims > 0 {
        return false;
    }
    if is_no_label(sheet, data_type, text) {
        let detail = format!("invalid input value for enum {}: \"{text}\"", data_type.name);
        let code = match data_type.name.as_str() {
            "date" | "timestamp" | "timestamptz" => "22007",
            _ => "22P02",
        };
        sheet.fails("type-mismatch", code, detail);
        return true;
    }
    if data_type.schema.is_some() {
        return false;
    }
    let wrong = is_wrong(&data_type.name, text.trim());
    if wrong {
        let detail = format!("invalid input syntax for type {}: \"{text}\"", data_type.name);
        sheet.fails("type-mismatch", "22P02", detail);
    }
    wrong
}

/// Returns what a text is no literal of: arrays, rows and ranges begin with their brackets
/// (array_in, record_in and range_in of the server; manual: Arrays, Composite Types, Range Types).
fn malformed(sheet: &Sheet<'_>, data_type: &DataType, text: &str) -> Option<&'static str> {
    let range = data_type.name.ends_with("range") && data_type.schema.is_none();
    let made = sheet.schema.type_of(data_type).map(|found| &found.kind);
    let empty = text.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("empty"));
    match made {
        _ if data_type.array_dims > 0 => (!text.starts_with(['{', '['])).then_some("array"),
        Some(TypeBody::Composite(_)) => (!text.starts_with('(')).then_some("record"),
        None if range && data_type.name.ends_with("multirange") => {
            (!text.starts_with('{')).then_some("multirange")
        }
        None if range => (!empty && !text.starts_with(['[', '('])).then_some("range"),
        _ => None,
    }
}

/// Notes a literal without quotes that the server does not store as a type by itself. Says whether
/// it is one.
pub(super) fn is_of_other_type(sheet: &mut Sheet<'_>, expr: &Expr, wanted: &DataType) -> bool {
    let plain = expr.shape == ExprShape::Literal && expr.casts.is_empty();
    let own = own_type(&expr.text).filter(|_| plain);
    let other = own.is_some_and(|own| {
        !casts::exists(sheet.schema, &DataType::named(own), wanted, casts::Context::Assignment)
    });
    if let (Some(own), true) = (own, other) {
        let detail = format!("the expression is of type {own}, not {}", wanted.name);
        sheet.fails("type-mismatch", "42804", detail);
    }
    other
}

/// Returns the type that a literal without quotes has (manual: Constants).
pub(super) fn own_type(text: &str) -> Option<&'static str> {
    let digits = text.trim_start_matches(['-', '+', ' ']);
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return Some("boolean");
    }
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return None;
    }
    Some(match digits.parse::<i64>() {
        Ok(number) if i32::try_from(number).is_ok() => "integer",
        Ok(_) => "bigint",
        Err(_) => "numeric",
    })
}

fn is_no_label(sheet: &Sheet<'_>, data_type: &DataType, text: &str) -> bool {
    let found = sheet.schema.type_of(data_type).filter(|found| found.origin != Origin::Assumed);
    matches!(found.map(|found| &found.kind), Some(TypeBody::Enum { values, .. })
        if !text.contains('\'') && !values.iter().any(|value| value == text))
}

fn is_wrong(data_type: &str, text: &str) -> bool {
    match data_type {
        "smallint" | "integer" | "bigint" => is_no_number(text, &['_', 'x', 'X', 'o', 'b']),
        "numeric" | "real" | "double precision" => {
            let special = ["nan", "infinity", "-infinity", "inf", "-inf"];
            !special.contains(&text.to_ascii_lowercase().as_str())
                && is_no_number(text, &['.', 'e', 'E', '_', 'x', 'X', 'o', 'b'])
        }
        "boolean" => {
            let text = text.to_ascii_lowercase();
            let begins = |word: &str| !text.is_empty() && word.starts_with(&text);
            let words = ["true", "false", "yes", "no"].iter().any(|word| begins(word));
            !(words || matches!(text.as_str(), "on" | "of" | "off" | "1" | "0"))
        }
        "uuid" => {
            let digits = text.chars().filter(|c| c.is_ascii_hexdigit()).count();
            digits != 32 || text.chars().any(|c| !c.is_ascii_hexdigit() && !"{}-".contains(c))
        }
        // A lone number of a digit or two is no date in any style.
        "date" | "timestamp" | "timestamptz" => {
            text.len() < 3 && text.chars().all(|c| c.is_ascii_digit())
        }
        "json" | "jsonb" => {
            let undoubled = text.replace("''", "'");
            serde_json::from_str::<serde::de::IgnoredAny>(&undoubled).is_err()
        }
        _ => false,
    }
}

/// Says whether a text cannot be a number: later versions read prefixes and underscores too.
fn is_no_number(text: &str, besides: &[char]) -> bool {
    let rest = text.trim_start_matches(['-', '+']);
    let allowed = |c: char| c.is_ascii_hexdigit() || besides.contains(&c) || "+-".contains(c);
    !rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !rest.chars().all(allowed)
}

/// Says whether a literal in quotes is no value of a type.
pub(super) fn is_misread(schema: &Schema, data_type: &DataType, literal: &str) -> bool {
    let plain = literal.trim();
    let quoted = plain.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let to = types::scalar(schema, data_type);
    quoted.zip(to).is_some_and(|(text, to)| is_wrong(&to, text.trim()))
}

/// Says whether a literal that is not in quotes is of a type which no assignment casts to another
/// (PostgreSQL 12 to 18, pg_cast: contexts `i` and `a`; everything becomes a string by itself).
pub(super) fn is_unassignable(schema: &Schema, data_type: &DataType, literal: &str) -> bool {
    const NUMBERS: &[&str] =
        &["smallint", "integer", "bigint", "numeric", "real", "double precision", "money"];
    const STRINGS: &[&str] = &["text", "varchar", "char", "bpchar"];
    let made = schema.type_of(data_type).map(|found| &found.kind);
    let to = match types::scalar(schema, data_type) {
        Some(to) => to,
        None if matches!(made, Some(TypeBody::Enum { .. })) => "enum".to_owned(),
        None => return false,
    };
    let is = |list: &[&str]| list.contains(&to.as_str());
    let lower = literal.to_ascii_lowercase();
    if matches!(lower.as_str(), "true" | "false") {
        return !is(STRINGS) && to != "boolean";
    }
    let plain = lower.trim_start_matches(['-', '+', ' ']);
    if plain.parse::<f64>().is_err() || !plain.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let whole = plain.chars().all(|c| c.is_ascii_digit());
    let id = to == "oid" || to.starts_with("reg");
    !(is(NUMBERS) || is(STRINGS) || (whole && id))
}

/// Returns the value that a literal is written for, without quotes and casts; none where a text is
/// no literal of that plain kind.
pub(super) fn unquoted(literal: &str) -> Option<String> {
    let literal = literal.trim();
    let Some(open) = literal.find('\'') else {
        let plain = literal.split("::").next().unwrap_or(literal).trim();
        return (!plain.is_empty()).then(|| plain.to_owned());
    };
    let (head, rest) = literal.split_at_checked(open)?;
    let close = rest.rfind('\'').filter(|close| *close > 0)?;
    let (inner, tail) = (rest.get(1..close)?, rest.get(close + 1..)?);
    let typed = head.trim().chars().all(|c| c.is_ascii_alphabetic());
    let cast = tail.is_empty() || tail.trim_start().starts_with("::");
    let doubled = inner.replace("''", "");
    let whole = !doubled.contains('\'') && !head.eq_ignore_ascii_case("e");
    (typed && cast && whole).then(|| inner.replace("''", "'"))
}
