//! Function calls, and the functions whose arguments have a grammar of their own.

use super::expr::{full, full_list};
use super::found::Found;
use super::{names, select, types, window};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::name::ObjectName;

/// What turned out to stand in front of the parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Called {
    /// A function.
    Function,
    /// A type with arguments in front of a literal: `numeric(3, 1) '1.5'`.
    Literal,
}

/// Takes `CURRENT_TIMESTAMP`, `SESSION_USER` and other calls without parentheses.
pub(super) fn keyword_value(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<bool> {
    const PLAIN: &[&str] = &[
        "CURRENT_CATALOG",
        "CURRENT_DATE",
        "CURRENT_ROLE",
        "CURRENT_USER",
        "SESSION_USER",
        "USER",
    ];
    const PRECISE: &[&str] = &["CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"];
    if let Some(word) = c.accept_any(PLAIN) {
        f.keyword_function(word, c);
        return Ok(true);
    }
    if let Some(word) = c.accept_any(PRECISE) {
        f.keyword_function(word, c);
        if c.accept_symbol("(") {
            names::integer(c)?;
            c.expect_symbol(")")?;
        }
        return Ok(true);
    }
    let bare = |word: &str| c.at(&[word]) && !matches!(c.text_at(1), "(" | ".");
    // PostgreSQL 16 added SYSTEM_USER (release notes).
    let system_user = c.server().version.major >= 16 && bare("SYSTEM_USER");
    if bare("CURRENT_SCHEMA") || system_user {
        let word = c.text_at(0);
        c.advance();
        f.keyword_function(word, c);
        return Ok(true);
    }
    Ok(false)
}

/// Takes CAST, EXTRACT, SUBSTRING, … , where one is next.
pub(super) fn special(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<bool> {
    if c.at(&["COLLATION", "FOR"]) {
        c.accept(&["COLLATION", "FOR"]);
        return enclosed(c, |c| full(c, f)).map(|()| true);
    }
    if c.text_at(1) != "(" || !names::at_kind(c, crate::sql::lexer::TokenKind::Word) {
        return Ok(false);
    }
    if let Some(word) = c.accept_any(&["CAST", "TREAT"]) {
        return enclosed(c, |c| {
            full(c, f)?;
            c.expect(&["AS"])?;
            let data_type = types::data_type(c)?;
            if word == "CAST" {
                f.casts.push(data_type);
            }
            Ok(())
        })
        .map(|()| true);
    }
    // These are no functions to the server, and depend on nothing but their arguments.
    if c.accept_any(&["COALESCE", "GREATEST", "LEAST", "GROUPING"]).is_some() {
        return enclosed(c, |c| full_list(c, f)).map(|()| true);
    }
    if c.accept(&["NULLIF"]) {
        return enclosed(c, |c| {
            full(c, f)?;
            c.expect_symbol(",")?;
            full(c, f)
        })
        .map(|()| true);
    }
    text_functions(c, f)
}

fn text_functions(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<bool> {
    let Some(word) = c.accept_any(&[
        "EXTRACT",
        "NORMALIZE",
        "OVERLAY",
        "POSITION",
        "SUBSTRING",
        "TRIM",
        "MERGE_ACTION",
    ]) else {
        return super::documents::special(c, f);
    };
    f.keyword_function(word, c);
    c.expect_symbol("(")?;
    match word {
        "EXTRACT" => {
            if names::at_string(c) {
                names::string(c)?;
            } else {
                names::label(c, "a field such as YEAR")?;
            }
            c.expect(&["FROM"])?;
            full(c, f)?;
        }
        "NORMALIZE" => {
            full(c, f)?;
            if c.accept_symbol(",") {
                names::word(c, "a normal form")?;
            }
        }
        "POSITION" => {
            super::expr::walk(c, f, super::expr::Level::Restricted)?;
            c.expect(&["IN"])?;
            super::expr::walk(c, f, super::expr::Level::Restricted)?;
        }
        "MERGE_ACTION" => {}
        "TRIM" => trim(c, f)?,
        _ => pieces(c, f)?,
    }
    c.expect_symbol(")")?;
    Ok(true)
}

fn trim(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    c.accept_any(&["BOTH", "LEADING", "TRAILING"]);
    if c.accept(&["FROM"]) {
        return full_list(c, f);
    }
    full_list(c, f)?;
    if c.accept(&["FROM"]) {
        full_list(c, f)?;
    }
    Ok(())
}

/// Takes the arguments of SUBSTRING and OVERLAY, by words or by commas.
fn pieces(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    if c.at_symbol(")") {
        return Ok(());
    }
    argument(c, f)?;
    loop {
        let word = c.accept_any(&["FROM", "FOR", "PLACING", "SIMILAR", "ESCAPE"]);
        if word.is_none() && !c.accept_symbol(",") {
            return Ok(());
        }
        if word.is_some() {
            full(c, f)?;
        } else {
            argument(c, f)?;
        }
    }
}

/// Takes something in parentheses.
pub(super) fn enclosed<'a>(
    c: &mut Cursor<'a>,
    inner: impl FnOnce(&mut Cursor<'a>) -> Parsed<()>,
) -> Parsed<()> {
    c.expect_symbol("(")?;
    inner(c)?;
    c.expect_symbol(")")
}

/// Takes the arguments of a function, next, and what may follow them.
pub(super) fn arguments(c: &mut Cursor<'_>, f: &mut Found, name: ObjectName) -> Parsed<Called> {
    if matches!(name.name(), "nextval" | "currval" | "setval") {
        let written = c.text_at(1);
        if let Some(sequence) = written.strip_prefix('\'').and_then(|w| w.strip_suffix('\'')) {
            f.sequences.push(sequence.to_owned());
        }
        if let Some(serial) = serial_of(c) {
            f.serials.push(serial);
        }
    }
    arguments_only(c, f)?;
    if names::at_string(c) {
        names::string(c)?;
        let parts = crate::sql::ast::TypeParts {
            schema: name.schema().map(ToOwned::to_owned),
            name: name.name().to_owned(),
            ..crate::sql::ast::TypeParts::default()
        };
        f.casts.push(crate::sql::ast::DataType { span: name.span(), ..parts.into() });
        return Ok(Called::Literal);
    }
    f.function(name);
    tail(c, f)?;
    Ok(Called::Function)
}

/// Returns table and column of `(pg_get_serial_sequence('t', 'c')…`, where that is next.
fn serial_of(c: &Cursor<'_>) -> Option<(String, String)> {
    let text = |ahead: usize| c.text_at(ahead).strip_prefix('\'')?.strip_suffix('\'');
    let called = c.text_at(1).eq_ignore_ascii_case("pg_get_serial_sequence");
    let both = called && c.text_at(2) == "(" && c.text_at(4) == ",";
    if both { Some((text(3)?.to_owned(), text(5)?.to_owned())) } else { None }
}

/// Takes the arguments of a function, next.
pub(super) fn arguments_only(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    f.enter(c)?;
    c.expect_symbol("(")?;
    if !c.accept_symbol("*") && !c.at_symbol(")") {
        c.accept_any(&["ALL", "DISTINCT"]);
        argument(c, f)?;
        while c.accept_symbol(",") {
            argument(c, f)?;
        }
        if c.at(&["ORDER", "BY"]) {
            window::order_by(c, f)?;
        }
    }
    f.leave();
    c.expect_symbol(")")
}

/// Takes WITHIN GROUP, FILTER and OVER.
pub(super) fn tail(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    if c.accept(&["WITHIN", "GROUP"]) {
        enclosed(c, |c| window::order_by(c, f))?;
    }
    if c.at(&["FILTER"]) && c.text_at(1) == "(" {
        c.advance();
        enclosed(c, |c| {
            c.expect(&["WHERE"])?;
            full(c, f)
        })?;
    }
    if c.accept(&["OVER"]) {
        if c.at_symbol("(") {
            window::specification(c, f)?;
        } else {
            names::column_id(c, "a window")?;
        }
    }
    Ok(())
}

/// Takes one argument: `x`, `name => x`, `VARIADIC x`.
pub(super) fn argument(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    c.accept(&["VARIADIC"]);
    if names::at_type_name(c) && matches!(c.text_at(1), "=>" | ":=") {
        c.advance();
        c.advance();
    }
    if select::at_query(c) && !c.at_symbol("(") {
        return Err(c.expected("an argument; a query stands in parentheses of its own"));
    }
    full(c, f)
}
