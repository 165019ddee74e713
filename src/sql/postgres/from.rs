//! FROM: relations, functions, subqueries and joins.

use super::call::{self, enclosed};
use super::expr::{full, full_list};
use super::found::Found;
use super::select::{self, Enclosed};
use super::{documents, names, types};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::name::{Ident, ObjectName};

/// Takes table expressions separated by commas.
pub(super) fn list(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    item(c, f)?;
    while c.accept_symbol(",") {
        item(c, f)?;
    }
    Ok(())
}

/// Takes one table expression with its joins.
pub(super) fn item(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    f.enter(c)?;
    factor(c, f)?;
    joins(c, f)?;
    f.leave();
    Ok(())
}

fn joins(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    while let Some(needs_condition) = join_words(c, f)? {
        item_without_joins(c, f)?;
        // `a JOIN b JOIN c ON … ON …`: the inner join ends first.
        if needs_condition {
            while !c.at(&["ON"]) && !c.at(&["USING"]) {
                let Some(inner) = join_words(c, f)? else {
                    return Err(c.expected("ON or USING"));
                };
                nested_join(c, f, inner)?;
            }
            condition(c, f)?;
        }
    }
    Ok(())
}

fn nested_join(c: &mut Cursor<'_>, f: &mut Found, needs_condition: bool) -> Parsed<()> {
    f.enter(c)?;
    item_without_joins(c, f)?;
    if needs_condition {
        while !c.at(&["ON"]) && !c.at(&["USING"]) {
            let Some(inner) = join_words(c, f)? else { return Err(c.expected("ON or USING")) };
            nested_join(c, f, inner)?;
        }
        condition(c, f)?;
    }
    f.leave();
    Ok(())
}

fn item_without_joins(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    f.enter(c)?;
    factor(c, f)?;
    f.leave();
    Ok(())
}

/// Takes `LEFT OUTER JOIN` and its like; says whether a condition must follow.
fn join_words(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<Option<bool>> {
    if c.accept(&["CROSS", "JOIN"]) {
        return Ok(Some(false));
    }
    let natural = c.accept(&["NATURAL"]);
    f.other_sources |= natural;
    let kind = c.accept_any(&["LEFT", "RIGHT", "FULL", "INNER"]);
    if kind.is_some_and(|kind| kind != "INNER") {
        c.accept(&["OUTER"]);
    }
    if c.accept(&["JOIN"]) {
        return Ok(Some(!natural));
    }
    if natural || kind.is_some() { Err(c.expected("JOIN")) } else { Ok(None) }
}

fn condition(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    f.outline.chooses = true;
    if c.accept(&["ON"]) {
        return full(c, f);
    }
    f.other_sources = true;
    c.expect(&["USING"])?;
    for column in names::column_list(c)? {
        f.column(column.as_str());
    }
    if c.accept(&["AS"]) {
        names::column_id(c, "an alias")?;
    }
    Ok(())
}

fn factor(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    if c.at_symbol("(") {
        return parentheses(c, f);
    }
    let lateral = c.accept(&["LATERAL"]);
    f.other_sources |= lateral;
    if lateral && c.at_symbol("(") {
        select::subquery(c, f)?;
        return function_alias(c, f);
    }
    if documents::table(c, f)? {
        f.other_sources = true;
        return alias(c).map(|_| ());
    }
    if c.at(&["ROWS", "FROM"]) && c.text_at(2) == "(" {
        f.other_sources = true;
        c.accept(&["ROWS", "FROM"]);
        enclosed(c, |c| rows_from(c, f))?;
        c.accept(&["WITH", "ORDINALITY"]);
        return function_alias(c, f);
    }
    if !lateral && c.at(&["ONLY"]) {
        let name = relation(c)?;
        f.alone(&name);
        return source(c, f, name);
    }
    if at_function(c) {
        f.other_sources = true;
        function(c, f)?;
        c.accept(&["WITH", "ORDINALITY"]);
        return function_alias(c, f);
    }
    if lateral {
        return Err(c.expected("a function or a query in parentheses"));
    }
    let name = relation(c)?;
    source(c, f, name)
}

/// Says whether a function call is next: a name with dots, then a parenthesis; or a keyword.
fn at_function(c: &Cursor<'_>) -> bool {
    const KEYWORDS: &[&str] = &[
        "CURRENT_CATALOG",
        "CURRENT_DATE",
        "CURRENT_ROLE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "CURRENT_USER",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "SESSION_USER",
        "USER",
    ];
    let mut ahead = 0;
    while c.text_at(ahead + 1) == "." {
        ahead += 2;
    }
    c.text_at(ahead + 1) == "("
        || c.at(&["COLLATION", "FOR"])
        || c.at(&["CURRENT_SCHEMA"])
        || (c.at(&["SYSTEM_USER"]) && c.server().version.major >= 16)
        || KEYWORDS.iter().any(|word| c.at(&[word]))
}

/// Takes a function call as a relation: nothing like OVER may follow it.
fn function(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    if call::keyword_value(c, f)? || call::special(c, f)? {
        return Ok(());
    }
    let name = names::function(c, "a function name")?;
    call::arguments_only(c, f)?;
    f.function(name);
    Ok(())
}

fn source(c: &mut Cursor<'_>, f: &mut Found, name: ObjectName) -> Parsed<()> {
    f.read(&name);
    let start = c.position();
    let alias = alias(c)?;
    // An alias may name the columns too; a part of WITH has its own.
    f.other_sources |= c.sub(start, c.position()).tokens().len() > 2;
    if c.accept(&["TABLESAMPLE"]) {
        names::function(c, "a sampling method")?;
        enclosed(c, |c| full_list(c, f))?;
        if c.accept(&["REPEATABLE"]) {
            enclosed(c, |c| full(c, f))?;
        }
    }
    let known_as = alias.map_or_else(|| name.name().to_owned(), |alias| alias.value);
    f.sources.push((known_as, name));
    Ok(())
}

/// Takes `name`, `name *`, `ONLY name`, `ONLY (name)`.
pub(super) fn relation(c: &mut Cursor<'_>) -> Parsed<ObjectName> {
    if c.accept(&["ONLY"]) {
        if c.accept_symbol("(") {
            let name = names::qualified(c, "a table name")?;
            c.expect_symbol(")")?;
            return Ok(name);
        }
        return names::qualified(c, "a table name");
    }
    let name = names::qualified(c, "a table name")?;
    c.accept_symbol("*");
    Ok(name)
}

/// Takes `[AS] alias [(columns)]`, where it is next.
pub(super) fn alias(c: &mut Cursor<'_>) -> Parsed<Option<Ident>> {
    let written = c.accept(&["AS"]);
    if !written && !names::at_column_id(c) {
        return Ok(None);
    }
    let alias = names::column_id(c, "an alias")?;
    names::optional_column_list(c)?;
    Ok(Some(alias))
}

/// Takes the alias of a function, which may define its columns: `AS x (a int, b text)`.
fn function_alias(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    let written = c.accept(&["AS"]);
    if !written && !names::at_column_id(c) {
        return Ok(());
    }
    if !(written && c.at_symbol("(")) {
        names::column_id(c, "an alias")?;
    }
    if c.at_symbol("(") {
        enclosed(c, |c| column_definitions(c, f))?;
    }
    Ok(())
}

fn column_definitions(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    loop {
        names::column_id(c, "a column name")?;
        if !c.at_symbol(",") && !c.at_symbol(")") {
            f.casts.push(types::data_type(c)?);
            if c.accept(&["COLLATE"]) {
                names::qualified(c, "a collation")?;
            }
        }
        if !c.accept_symbol(",") {
            return Ok(());
        }
    }
}

fn rows_from(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    loop {
        function(c, f)?;
        if c.accept(&["AS"]) {
            enclosed(c, |c| column_definitions(c, f))?;
        }
        if !c.accept_symbol(",") {
            return Ok(());
        }
    }
}

/// Takes a query or a join in parentheses, whichever it turns out to be, and its alias.
fn parentheses(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    match inside(c, f)? {
        Enclosed::Query => function_alias(c, f),
        Enclosed::Expression => alias(c).map(|_| ()),
    }
}

/// Takes parentheses and what is in them, without going back: `((SELECT 1) AS a JOIN b ON true)`
/// shows late that it is a join. Joins count as expressions here.
fn inside(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<Enclosed> {
    f.enter(c)?;
    c.expect_symbol("(")?;
    let found = if select::at_query(c) && !c.at_symbol("(") {
        select::statement(c, f)?;
        Enclosed::Query
    } else if c.at_symbol("(") {
        after_parentheses(c, f)?
    } else {
        factor(c, f)?;
        joined(c, f)?;
        Enclosed::Expression
    };
    f.leave();
    c.expect_symbol(")")?;
    Ok(found)
}

fn after_parentheses(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<Enclosed> {
    let sources = f.sources.len();
    if inside(c, f)? == Enclosed::Query {
        if c.at_symbol(")") {
            return Ok(Enclosed::Query);
        }
        if select::set_operations_and_tail(c, f, sources)? {
            return Ok(Enclosed::Query);
        }
        function_alias(c, f)?;
        joined(c, f)?;
    } else {
        alias(c)?;
        joins(c, f)?;
    }
    Ok(Enclosed::Expression)
}

/// Takes at least one join.
fn joined(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    let before = c.position();
    joins(c, f)?;
    if c.position() == before { Err(c.expected("JOIN")) } else { Ok(()) }
}

/// Takes a function call that must be one, for CALL and for triggers.
pub(super) fn function_call(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<ObjectName> {
    let name = names::function(c, "a function name")?;
    if !c.at_symbol("(") {
        return Err(c.expected("("));
    }
    call::arguments_only(c, f)?;
    f.function(name.clone());
    Ok(name)
}
