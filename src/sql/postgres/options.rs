//! Options in parentheses: storage parameters, definitions, `(VERBOSE, FULL false)`.

use super::names;
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::lexer::TokenKind;

/// An option: its lower-case name and its value as text.
pub(super) type Setting = (String, String);

/// Takes `(name = value, schema.name = value, name)`.
pub(super) fn settings(c: &mut Cursor<'_>) -> Parsed<Vec<Setting>> {
    c.expect_symbol("(")?;
    let settings = names::list(c, setting)?;
    c.expect_symbol(")")?;
    Ok(settings)
}

fn setting(c: &mut Cursor<'_>) -> Parsed<Setting> {
    let mut name = names::label(c, "an option")?.value;
    if c.accept_symbol(".") {
        name = format!("{name}.{}", names::label(c, "an option")?);
    }
    let value = if c.accept_symbol("=") { value(c)? } else { String::new() };
    Ok((name.to_ascii_lowercase(), value))
}

/// Takes `(name, name)`, values allowed as the server's grammar allows them.
pub(super) fn setting_names(c: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    Ok(settings(c)?.into_iter().map(|(name, _)| name).collect())
}

/// Takes a value: a type, a keyword, an operator, a number, a string.
pub(super) fn value(c: &mut Cursor<'_>) -> Parsed<String> {
    let start = c.position();
    if names::at_string(c) {
        return names::string(c);
    }
    if names::at_kind(c, TokenKind::Number) || matches!(c.text_at(0), "-" | "+") {
        let number = names::integer(c);
        if number.is_ok() {
            return number;
        }
        c.reset(start);
    }
    if c.accept(&["NONE"]) {
    } else if names::at_kind(c, TokenKind::Operator) {
        super::expr::any_operator(c)?;
    } else if c.at(&["OPERATOR"]) && c.text_at(1) == "(" {
        c.advance();
        c.expect_symbol("(")?;
        super::expr::any_operator(c)?;
        c.expect_symbol(")")?;
    } else if names::at_type_name(c) || names::at_column_id(c) || c.at(&["SETOF"]) {
        super::types::function_type(c)?;
    } else {
        names::label(c, "a value")?;
    }
    let taken = c.sub(start, c.position());
    Ok(crate::sql::expr::text(c, taken.tokens()))
}

/// Takes `(name [value], …)` as VACUUM, EXPLAIN, COPY and REINDEX write their options.
pub(super) fn utility(c: &mut Cursor<'_>) -> Parsed<Vec<Setting>> {
    c.expect_symbol("(")?;
    let settings = names::list(c, |c| {
        let name = names::label(c, "an option")?.value.to_ascii_lowercase();
        if c.at_symbol(",") || c.at_symbol(")") {
            return Ok((name, String::new()));
        }
        Ok((name, utility_value(c)?))
    })?;
    c.expect_symbol(")")?;
    Ok(settings)
}

fn utility_value(c: &mut Cursor<'_>) -> Parsed<String> {
    if c.at_symbol("(") {
        let start = c.position();
        c.parentheses()?;
        return Ok(crate::sql::expr::text(c, c.sub(start, c.position()).tokens()));
    }
    if c.accept_symbol("*") {
        return Ok("*".to_owned());
    }
    if names::at_string(c) {
        return names::string(c);
    }
    if names::at_kind(c, TokenKind::Number) || matches!(c.text_at(0), "-" | "+") {
        return names::integer(c);
    }
    Ok(names::label(c, "a value")?.value.to_ascii_lowercase())
}

/// Returns options as words: `full`, `truncate=false`. An option that is written on is its name.
pub(super) fn words(settings: Vec<Setting>) -> Vec<String> {
    let word = |(name, value): Setting| match value.to_ascii_lowercase().as_str() {
        "" | "true" | "on" | "1" => name,
        "false" | "off" | "0" => format!("{name}=false"),
        other => format!("{name}={other}"),
    };
    settings.into_iter().map(word).collect()
}

/// Takes `OPTIONS (name 'value', ADD name 'value', DROP name)` without its first word.
pub(super) fn foreign(c: &mut Cursor<'_>) -> Parsed<()> {
    c.expect_symbol("(")?;
    names::list(c, |c| {
        let verb = c.at(&["ADD"]) || c.at(&["SET"]) || c.at(&["DROP"]);
        let verb = verb && !matches!(c.peek_at(1).map(|t| t.kind), Some(TokenKind::String));
        let drop = verb && c.at(&["DROP"]);
        if verb {
            c.advance();
        }
        names::label(c, "an option")?;
        if !drop {
            names::string(c)?;
        }
        Ok(())
    })?;
    c.expect_symbol(")")
}

/// Takes `OPTIONS (…)`, where it is next.
pub(super) fn optional_foreign(c: &mut Cursor<'_>) -> Parsed<bool> {
    if c.accept(&["OPTIONS"]) { foreign(c).map(|()| true) } else { Ok(false) }
}
