//! XML and JSON: functions with clauses of their own, XMLTABLE and JSON_TABLE.

use super::call::enclosed;
use super::expr::{full, full_list, primary};
use super::found::Found;
use super::{call, names, select, types, window};
use crate::sql::cursor::{Cursor, Parsed};

/// Takes an XML or JSON function, where one is next; its parenthesis is known to follow.
pub(super) fn special(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<bool> {
    const XML: &[&str] = &[
        "XMLCONCAT",
        "XMLELEMENT",
        "XMLEXISTS",
        "XMLFOREST",
        "XMLPARSE",
        "XMLPI",
        "XMLROOT",
        "XMLSERIALIZE",
    ];
    const JSON: &[&str] = &[
        "JSON_OBJECT",
        "JSON_ARRAY",
        "JSON",
        "JSON_SCALAR",
        "JSON_SERIALIZE",
        "JSON_QUERY",
        "JSON_EXISTS",
        "JSON_VALUE",
        "JSON_OBJECTAGG",
        "JSON_ARRAYAGG",
    ];
    if let Some(word) = c.accept_any(XML) {
        f.keyword_function(word, c);
        enclosed(c, |c| xml(c, f, word))?;
        return Ok(true);
    }
    if let Some(word) = c.accept_any(JSON) {
        f.keyword_function(word, c);
        enclosed(c, |c| json(c, f, word))?;
        call::tail(c, f)?;
        return Ok(true);
    }
    Ok(false)
}

fn xml(c: &mut Cursor<'_>, f: &mut Found, function: &str) -> Parsed<()> {
    match function {
        "XMLCONCAT" => full_list(c, f),
        "XMLFOREST" => attributes(c, f),
        "XMLELEMENT" => {
            c.expect(&["NAME"])?;
            names::label(c, "an element name")?;
            while c.accept_symbol(",") {
                if c.accept(&["XMLATTRIBUTES"]) {
                    enclosed(c, |c| attributes(c, f))?;
                } else {
                    full(c, f)?;
                }
            }
            Ok(())
        }
        "XMLPI" => {
            c.expect(&["NAME"])?;
            names::label(c, "a target name")?;
            if c.accept_symbol(",") { full(c, f) } else { Ok(()) }
        }
        "XMLEXISTS" => {
            primary(c, f)?;
            passing(c, f)
        }
        "XMLPARSE" => {
            document_or_content(c)?;
            full(c, f)?;
            if c.accept_any(&["PRESERVE", "STRIP"]).is_some() {
                c.expect(&["WHITESPACE"])?;
            }
            Ok(())
        }
        "XMLSERIALIZE" => {
            document_or_content(c)?;
            full(c, f)?;
            c.expect(&["AS"])?;
            types::data_type(c)?;
            c.accept(&["NO"]);
            c.accept(&["INDENT"]);
            Ok(())
        }
        _ => {
            full(c, f)?;
            c.expect_symbol(",")?;
            c.expect(&["VERSION"])?;
            if !c.accept(&["NO", "VALUE"]) {
                full(c, f)?;
            }
            if c.accept_symbol(",") {
                c.expect(&["STANDALONE"])?;
                c.accept(&["NO"]);
                c.accept_any(&["YES", "VALUE"]);
            }
            Ok(())
        }
    }
}

fn document_or_content(c: &mut Cursor<'_>) -> Parsed<()> {
    match c.accept_any(&["DOCUMENT", "CONTENT"]) {
        Some(_) => Ok(()),
        None => Err(c.expected("DOCUMENT or CONTENT")),
    }
}

fn attributes(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    loop {
        full(c, f)?;
        if c.accept(&["AS"]) {
            names::label(c, "a name")?;
        }
        if !c.accept_symbol(",") {
            return Ok(());
        }
    }
}

/// Takes `PASSING [BY REF] x [BY REF]`.
fn passing(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    let mechanism = |c: &mut Cursor<'_>| c.accept(&["BY", "REF"]) || c.accept(&["BY", "VALUE"]);
    c.expect(&["PASSING"])?;
    mechanism(c);
    primary(c, f)?;
    mechanism(c);
    Ok(())
}

fn json(c: &mut Cursor<'_>, f: &mut Found, function: &str) -> Parsed<()> {
    match function {
        "JSON_OBJECT" | "JSON_OBJECTAGG" => {
            if !c.at_symbol(")") && !c.at(&["RETURNING"]) {
                json_pairs(c, f)?;
            }
        }
        "JSON_ARRAY" | "JSON_ARRAYAGG" => {
            if select::at_query(c) {
                select::statement(c, f)?;
                format(c)?;
            } else if !c.at_symbol(")") && !c.at(&["RETURNING"]) {
                value(c, f)?;
                while c.accept_symbol(",") {
                    value(c, f)?;
                }
                if c.at(&["ORDER", "BY"]) {
                    window::order_by(c, f)?;
                }
            }
        }
        "JSON_SCALAR" => full(c, f)?,
        "JSON" | "JSON_SERIALIZE" => value(c, f)?,
        _ => {
            value(c, f)?;
            c.expect_symbol(",")?;
            full(c, f)?;
            json_passing(c, f)?;
        }
    }
    json_clauses(c, f)
}

/// Takes `key : value`, `key VALUE value` or plain arguments.
fn json_pairs(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    loop {
        call::argument(c, f)?;
        if c.accept_symbol(":") || c.accept(&["VALUE"]) {
            value(c, f)?;
        } else if c.text_at(0).starts_with(':') {
            // The lexer takes `'key':name` for a parameter.
            c.advance();
            super::expr::operators(c, f, super::expr::Level::Full)?;
        }
        if !c.accept_symbol(",") {
            return Ok(());
        }
    }
}

fn value(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    full(c, f)?;
    format(c)
}

/// Takes `FORMAT JSON [ENCODING UTF8]`, where it is next.
fn format(c: &mut Cursor<'_>) -> Parsed<()> {
    if c.accept(&["FORMAT", "JSON"]) && c.accept(&["ENCODING"]) {
        names::word(c, "an encoding")?;
    }
    Ok(())
}

fn json_passing(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    if c.accept(&["PASSING"]) {
        loop {
            value(c, f)?;
            c.expect(&["AS"])?;
            names::label(c, "a name")?;
            if !c.accept_symbol(",") {
                break;
            }
        }
    }
    Ok(())
}

/// Takes the clauses that may follow the arguments of a JSON function, in any number.
fn json_clauses(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    loop {
        if c.accept(&["RETURNING"]) {
            types::data_type(c)?;
            format(c)?;
        } else if c.accept(&["ABSENT", "ON", "NULL"])
            || c.accept(&["NULL", "ON", "NULL"])
            || c.accept(&["OMIT", "QUOTES"])
            || c.accept(&["KEEP", "QUOTES"])
            || c.accept(&["ON", "SCALAR", "STRING"])
        {
        } else if c.at(&["WITH"]) || c.at(&["WITHOUT"]) {
            wrapper_or_unique(c)?;
        } else if !behavior(c, f)? {
            return Ok(());
        }
    }
}

fn wrapper_or_unique(c: &mut Cursor<'_>) -> Parsed<()> {
    c.accept_any(&["WITH", "WITHOUT"]);
    if c.accept(&["UNIQUE"]) {
        c.accept(&["KEYS"]);
        return Ok(());
    }
    c.accept_any(&["CONDITIONAL", "UNCONDITIONAL"]);
    c.accept(&["ARRAY"]);
    c.expect(&["WRAPPER"])
}

/// Takes `NULL ON EMPTY`, `DEFAULT x ON ERROR`, …
fn behavior(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<bool> {
    if c.accept(&["DEFAULT"]) {
        full(c, f)?;
    } else if c.accept(&["EMPTY"]) {
        c.accept_any(&["ARRAY", "OBJECT"]);
    } else if c.accept_any(&["ERROR", "NULL", "TRUE", "FALSE", "UNKNOWN"]).is_none() {
        return Ok(false);
    }
    c.expect(&["ON"])?;
    match c.accept_any(&["EMPTY", "ERROR"]) {
        Some(_) => Ok(true),
        None => Err(c.expected("EMPTY or ERROR")),
    }
}

/// Takes `XMLTABLE (…)` or `JSON_TABLE (…)`, where one is next.
pub(super) fn table(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<bool> {
    if c.at(&["XMLTABLE"]) && c.text_at(1) == "(" {
        c.advance();
        return enclosed(c, |c| xml_table(c, f)).map(|()| true);
    }
    if c.at(&["JSON_TABLE"]) && c.text_at(1) == "(" {
        c.advance();
        return enclosed(c, |c| json_table(c, f)).map(|()| true);
    }
    Ok(false)
}

fn xml_table(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    if c.accept(&["XMLNAMESPACES"]) {
        enclosed(c, |c| {
            loop {
                c.accept(&["DEFAULT"]);
                full(c, f)?;
                if c.accept(&["AS"]) {
                    names::label(c, "a name")?;
                }
                if !c.accept_symbol(",") {
                    return Ok(());
                }
            }
        })?;
        c.expect_symbol(",")?;
    }
    primary(c, f)?;
    passing(c, f)?;
    c.expect(&["COLUMNS"])?;
    loop {
        names::column_id(c, "a column name")?;
        if !c.accept(&["FOR", "ORDINALITY"]) {
            types::data_type(c)?;
            while xml_column_option(c, f)? {}
        }
        if !c.accept_symbol(",") {
            return Ok(());
        }
    }
}

fn xml_column_option(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<bool> {
    if c.accept_any(&["DEFAULT", "PATH"]).is_some() {
        super::expr::walk(c, f, super::expr::Level::Restricted)?;
        return Ok(true);
    }
    Ok(c.accept(&["NOT", "NULL"]) || c.accept(&["NULL"]))
}

fn json_table(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    value(c, f)?;
    c.expect_symbol(",")?;
    full(c, f)?;
    if c.accept(&["AS"]) {
        names::label(c, "a name")?;
    }
    json_passing(c, f)?;
    json_columns(c, f)?;
    behavior(c, f).map(|_| ())
}

fn json_columns(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    f.enter(c)?;
    c.expect(&["COLUMNS"])?;
    c.expect_symbol("(")?;
    loop {
        if c.accept(&["NESTED"]) {
            c.accept(&["PATH"]);
            names::string(c)?;
            if c.accept(&["AS"]) {
                names::label(c, "a name")?;
            }
            json_columns(c, f)?;
        } else {
            json_column(c, f)?;
        }
        if !c.accept_symbol(",") {
            break;
        }
    }
    f.leave();
    c.expect_symbol(")")
}

fn json_column(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    names::column_id(c, "a column name")?;
    if c.accept(&["FOR", "ORDINALITY"]) {
        return Ok(());
    }
    types::data_type(c)?;
    format(c)?;
    c.accept(&["EXISTS"]);
    if c.accept(&["PATH"]) {
        names::string(c)?;
    }
    json_clauses(c, f)
}
