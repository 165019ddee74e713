//! Literals that are no values of a type.
//!
//! PostgreSQL 12 to 18 read a literal when the default is set, so that one which is no value of the
//! column's type fails there (manual: Data Types; measured, testdata/servers/postgres). Only the
//! types whose input is simple are looked at; what is not understood is let through.

use super::sheet::Sheet;
use crate::schema::{Origin, TypeBody};
use crate::sql::ast::{DataType, Expr, ExprShape};

/// Notes a default that is no value of its column's type. Says whether it is so.
pub(super) fn refused(sheet: &mut Sheet<'_>, data_type: &DataType, default: &Expr) -> bool {
    let plain = default.shape == ExprShape::Literal && default.casts.is_empty();
    if !plain || data_type.array_dims > 0 {
        return false;
    }
    let quoted = default.text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let Some(text) = quoted else { return false };
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
        _ => false,
    }
}

/// Says whether a text cannot be a number: later versions read prefixes and underscores too.
fn is_no_number(text: &str, besides: &[char]) -> bool {
    let rest = text.trim_start_matches(['-', '+']);
    let allowed = |c: char| c.is_ascii_hexdigit() || besides.contains(&c) || "+-".contains(c);
    !rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !rest.chars().all(allowed)
}
