//! Queries: SELECT, VALUES, TABLE, WITH, set operations.

use super::expr::{Level, full, full_list, operators, primary, walk};
use super::found::{Found, Into};
use super::{dml, from, names, shown, window};
use crate::sql::ast::{Persistence, Query, Shown};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::expr as facts;

/// What stands in parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Enclosed {
    /// A query.
    Query,
    /// One expression, or several: a row.
    Expression,
}

/// Takes a whole query and returns what it touches.
pub(super) fn query(c: &mut Cursor<'_>) -> Parsed<Query> {
    let (start, mut found) = (c.position(), Found::default());
    statement(c, &mut found)?;
    // The grammar reads INTO here too; the server refuses it later on.
    let only_of = found.only_of();
    Ok(Query { only_of, ..found.into_query(c, start) })
}

/// Takes a SELECT behind its first word, which PL/pgSQL spells PERFORM.
pub(super) fn without_verb(c: &mut Cursor<'_>, start: usize) -> Parsed<Query> {
    let mut found = Found::default();
    simple(c, &mut found)?;
    set_operations(c, &mut found)?;
    tail(c, &mut found, 0)?;
    c.end()?;
    Ok(found.into_query(c, start))
}

/// Says whether a query begins here, parentheses around it not counted.
pub(super) fn at_query(c: &Cursor<'_>) -> bool {
    let mut ahead = 0;
    while c.text_at(ahead) == "(" {
        ahead += 1;
    }
    let word = c.text_at(ahead);
    ["SELECT", "WITH", "VALUES", "TABLE"].iter().any(|w| word.eq_ignore_ascii_case(w))
}

/// Says whether a query without parentheses begins here.
fn at_bare_query(c: &Cursor<'_>) -> bool {
    !c.at_symbol("(") && at_query(c)
}

/// Walks over a query: WITH, the set operations, ORDER BY, LIMIT, FOR UPDATE.
pub(super) fn statement(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    f.enter(c)?;
    let (with, sources) = (f.with.len(), f.sources.len());
    if c.at(&["WITH"]) {
        with_clause(c, f)?;
    }
    operand(c, f)?;
    set_operations(c, f)?;
    tail(c, f, sources)?;
    f.find_owners();
    f.with.truncate(with);
    f.leave();
    Ok(())
}

/// Takes what may follow the first operand of a query; says whether there was anything.
pub(super) fn set_operations_and_tail(
    c: &mut Cursor<'_>,
    f: &mut Found,
    sources: usize,
) -> Parsed<bool> {
    if !at_query_tail(c) {
        return Ok(false);
    }
    set_operations(c, f)?;
    tail(c, f, sources)?;
    Ok(true)
}

fn set_operations(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    while c.accept_any(&["UNION", "INTERSECT", "EXCEPT"]).is_some() {
        c.accept_any(&["ALL", "DISTINCT"]);
        operand(c, f)?;
    }
    Ok(())
}

/// Takes an operand of a set operation.
fn operand(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    f.queries += 1;
    if c.at_symbol("(") {
        let start = c.position();
        f.enter(c)?;
        let enclosed = inside(c, f)?;
        f.leave();
        if enclosed == Enclosed::Query {
            return Ok(());
        }
        c.reset(start + 1);
        return Err(c.expected("SELECT, VALUES, TABLE or WITH"));
    }
    if c.accept(&["SELECT"]) {
        return simple(c, f);
    }
    if c.accept(&["VALUES"]) {
        f.other_sources = true;
        loop {
            c.expect_symbol("(")?;
            full_list(c, f)?;
            c.expect_symbol(")")?;
            if !c.accept_symbol(",") {
                return Ok(());
            }
        }
    }
    if c.accept(&["TABLE"]) {
        let name = from::relation(c)?;
        f.all_columns(None);
        f.outline.shown.push(Shown::All(None));
        f.read(&name);
        f.sources.push((name.name().to_owned(), name));
        return Ok(());
    }
    Err(c.expected("SELECT, VALUES, TABLE or WITH"))
}

/// Takes `WITH name AS (…), …`, which is next. The names stay in force; the caller ends that.
pub(super) fn with_clause(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    c.expect(&["WITH"])?;
    let recursive = c.accept(&["RECURSIVE"]);
    loop {
        let name = names::column_id(c, "a name for the query")?;
        if recursive {
            f.with.push(name.value.clone());
        }
        names::optional_column_list(c)?;
        c.expect(&["AS"])?;
        c.accept(&["NOT"]);
        c.accept(&["MATERIALIZED"]);
        c.expect_symbol("(")?;
        let (with, sources) = (f.with.len(), f.sources.len());
        with_body(c, f)?;
        f.with.truncate(with);
        f.sources.truncate(sources);
        c.expect_symbol(")")?;
        search_and_cycle(c, f)?;
        if !recursive {
            f.with.push(name.value);
        }
        if !c.accept_symbol(",") {
            return Ok(());
        }
    }
}

fn with_body(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    f.has_subquery = true;
    f.other_sources = true;
    if let Some(change) = dml::any(c, f)? {
        for target in &change.targets {
            f.write(target);
        }
    }
    Ok(())
}

fn search_and_cycle(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    let columns = |c: &mut Cursor<'_>| names::list(c, |c| names::column_id(c, "a column name"));
    if c.accept(&["SEARCH"]) {
        if c.accept_any(&["DEPTH", "BREADTH"]).is_none() {
            return Err(c.expected("DEPTH or BREADTH"));
        }
        c.expect(&["FIRST", "BY"])?;
        columns(c)?;
        c.expect(&["SET"])?;
        names::column_id(c, "a column name")?;
    }
    if c.accept(&["CYCLE"]) {
        columns(c)?;
        c.expect(&["SET"])?;
        names::column_id(c, "a column name")?;
        if c.accept(&["TO"]) {
            primary(c, f)?;
            c.expect(&["DEFAULT"])?;
            primary(c, f)?;
        }
        c.expect(&["USING"])?;
        names::column_id(c, "a column name")?;
    }
    Ok(())
}

/// Takes what follows SELECT up to the end of WINDOW.
fn simple(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    f.has_subquery = true;
    let distinct = c.accept(&["DISTINCT"]);
    f.outline.chooses |= distinct;
    if distinct {
        if c.accept(&["ON"]) {
            c.expect_symbol("(")?;
            full_list(c, f)?;
            c.expect_symbol(")")?;
        }
    } else {
        c.accept(&["ALL"]);
    }
    if distinct || !at_end_of_targets(c) {
        targets(c, f)?;
    }
    if c.at(&["INTO"]) {
        into(c, f)?;
    }
    if c.accept(&["FROM"]) {
        from::list(c, f)?;
    }
    if c.accept(&["WHERE"]) {
        f.outline.chooses = true;
        let start = c.position();
        full(c, f)?;
        if f.queries == 1 {
            f.outline.filter = Some(facts::text(c, c.sub(start, c.position()).tokens()));
        }
    }
    if c.accept(&["GROUP", "BY"]) {
        f.outline.chooses = true;
        c.accept_any(&["ALL", "DISTINCT"]);
        group_items(c, f)?;
    }
    if c.accept(&["HAVING"]) {
        full(c, f)?;
    }
    if c.accept(&["WINDOW"]) {
        loop {
            names::column_id(c, "a window name")?;
            c.expect(&["AS"])?;
            window::specification(c, f)?;
            if !c.accept_symbol(",") {
                break;
            }
        }
    }
    Ok(())
}

/// A select list may be empty: `SELECT FROM t`, `SELECT WHERE …`.
fn at_end_of_targets(c: &Cursor<'_>) -> bool {
    const NEXT: &[&str] = &[
        "FROM",
        "INTO",
        "WHERE",
        "GROUP",
        "HAVING",
        "WINDOW",
        "UNION",
        "INTERSECT",
        "EXCEPT",
        "ORDER",
        "LIMIT",
        "OFFSET",
        "FETCH",
        "FOR",
    ];
    c.is_at_end() || c.at_symbol(")") || c.at_symbol(";") || NEXT.iter().any(|word| c.at(&[word]))
}

/// Takes a select list.
pub(super) fn targets(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    loop {
        if c.accept_symbol("*") {
            f.all_columns(None);
            f.outline.shown.push(Shown::All(None));
        } else {
            let start = c.position();
            full(c, f)?;
            let end = c.position();
            let label = if c.accept(&["AS"]) || names::at_bare_label(c) {
                Some(names::label(c, "a column name")?.value)
            } else {
                None
            };
            let entry = shown::entry(&c.sub(start, end), f.casts.last(), label);
            f.outline.shown.push(entry);
        }
        if !c.accept_symbol(",") {
            return Ok(());
        }
    }
}

fn into(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    c.expect(&["INTO"])?;
    let persistence = super::table::persistence(c);
    c.accept(&["TABLE"]);
    let name = names::qualified(c, "a table name")?;
    f.into = Some(Into { name, persistence: persistence.unwrap_or(Persistence::Permanent) });
    Ok(())
}

fn group_items(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    loop {
        if c.accept(&["GROUPING", "SETS"]) {
            c.expect_symbol("(")?;
            f.enter(c)?;
            group_items(c, f)?;
            f.leave();
            c.expect_symbol(")")?;
        } else if c.at_symbol("(") && c.text_at(1) == ")" {
            c.advance();
            c.advance();
        } else if c.at(&["ROLLUP"]) || c.at(&["CUBE"]) {
            c.advance();
            c.expect_symbol("(")?;
            full_list(c, f)?;
            c.expect_symbol(")")?;
        } else {
            full(c, f)?;
        }
        if !c.accept_symbol(",") {
            return Ok(());
        }
    }
}

/// Takes ORDER BY, LIMIT, OFFSET, FETCH and the locking clauses.
fn tail(c: &mut Cursor<'_>, f: &mut Found, sources: usize) -> Parsed<()> {
    f.outline.chooses |= ["ORDER", "LIMIT", "OFFSET", "FETCH"].iter().any(|word| c.at(&[word]));
    if c.at(&["ORDER"]) {
        window::order_by(c, f)?;
    }
    loop {
        if c.accept(&["LIMIT"]) {
            if !c.accept(&["ALL"]) {
                full(c, f)?;
            }
            if c.at_symbol(",") {
                return Err(c.expected("OFFSET: \"LIMIT a, b\" is not PostgreSQL"));
            }
        } else if c.accept(&["OFFSET"]) {
            full(c, f)?;
            c.accept_any(&["ROW", "ROWS"]);
        } else if c.accept(&["FETCH"]) {
            fetch(c, f)?;
        } else if c.at(&["FOR"]) {
            locking(c, f, sources)?;
        } else {
            return Ok(());
        }
    }
}

fn fetch(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    if c.accept_any(&["FIRST", "NEXT"]).is_none() {
        return Err(c.expected("FIRST or NEXT"));
    }
    if !c.at(&["ROW"]) && !c.at(&["ROWS"]) {
        walk(c, f, Level::Restricted)?;
    }
    if c.accept_any(&["ROW", "ROWS"]).is_none() {
        return Err(c.expected("ROWS"));
    }
    if c.accept(&["ONLY"]) || c.accept(&["WITH", "TIES"]) {
        return Ok(());
    }
    Err(c.expected("ONLY or WITH TIES"))
}

fn locking(c: &mut Cursor<'_>, f: &mut Found, sources: usize) -> Parsed<()> {
    c.expect(&["FOR"])?;
    if c.accept(&["READ", "ONLY"]) {
        return Ok(());
    }
    let strength = c.accept(&["UPDATE"])
        || c.accept(&["SHARE"])
        || c.accept(&["NO", "KEY", "UPDATE"])
        || c.accept(&["KEY", "SHARE"]);
    if !strength {
        return Err(c.expected("UPDATE, NO KEY UPDATE, SHARE or KEY SHARE"));
    }
    let of = if c.accept(&["OF"]) { names::qualified_list(c, "a table")? } else { Vec::new() };
    if !c.accept(&["NOWAIT"]) {
        c.accept(&["SKIP", "LOCKED"]);
    }
    let range = f.sources.get(sources..).unwrap_or(&[]);
    let locked: Vec<_> = range
        .iter()
        .filter(|(alias, _)| of.is_empty() || of.iter().any(|name| name.name() == alias))
        .map(|(_, relation)| relation.clone())
        .collect();
    for relation in &locked {
        f.lock(relation);
    }
    Ok(())
}

/// Takes a query in parentheses inside an expression: EXISTS, ARRAY, a scalar.
pub(super) fn subquery(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    if !c.at_symbol("(") {
        return Err(c.expected("("));
    }
    let start = c.position();
    match parentheses(c, f)? {
        Enclosed::Query => Ok(()),
        Enclosed::Expression => {
            c.reset(start + 1);
            Err(c.expected("a query"))
        }
    }
}

/// Takes parentheses and what is in them, a query or expressions, whichever it turns out to be.
///
/// `((SELECT 1))` is a query and `((SELECT 1) + 1)` is none, which shows at the end only.
pub(super) fn parentheses(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<Enclosed> {
    f.enter(c)?;
    let sources = f.sources.len();
    let found = inside(c, f)?;
    f.sources.truncate(sources);
    f.leave();
    Ok(found)
}

/// The same, leaving the sources of a query for the locking clause behind it.
fn inside(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<Enclosed> {
    c.expect_symbol("(")?;
    if at_bare_query(c) {
        statement(c, f)?;
        c.expect_symbol(")")?;
        return Ok(Enclosed::Query);
    }
    if c.at_symbol("(") && at_query(c) {
        let sources = f.sources.len();
        if parentheses(c, f)? == Enclosed::Query {
            if c.accept_symbol(")") {
                return Ok(Enclosed::Query);
            }
            if set_operations_and_tail(c, f, sources)? {
                c.expect_symbol(")")?;
                return Ok(Enclosed::Query);
            }
        }
        super::expr::indirection(c, f)?;
        operators(c, f, Level::Full)?;
    } else {
        full(c, f)?;
    }
    while c.accept_symbol(",") {
        full(c, f)?;
    }
    c.expect_symbol(")")?;
    Ok(Enclosed::Expression)
}

fn at_query_tail(c: &Cursor<'_>) -> bool {
    ["UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR"]
        .iter()
        .any(|word| c.at(&[word]))
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn relations_and_row_locks() {
        check(
            "SELECT * FROM a, LATERAL (SELECT 1 FROM b) x JOIN c.d USING (id) FOR UPDATE OF a \
            SKIP LOCKED",
            "Dml(Dml { kind: Select, query: Query { reads: [a, b, c.d], row_locks: [a], \
            columns: [\"id\"], star: true } })",
        );
        check(
            "WITH a AS (SELECT 1 FROM b) SELECT FROM a, app.a",
            "Dml(Dml { kind: Select, query: Query { reads: [b, app.a] } })",
        );
        check(
            "(SELECT 1 FROM a) UNION ((SELECT 2 FROM b) ORDER BY 1) LIMIT 1",
            "Dml(Dml { kind: Select, query: Query { reads: [a, b] } })",
        );
        check(
            "SELECT ((SELECT 1 FROM a) + 1), f(x) OVER (PARTITION BY y ROWS BETWEEN 1 \
            PRECEDING AND CURRENT ROW) FROM ((b JOIN c ON true) JOIN d ON x = y)",
            "Dml(Dml { kind: Select, query: Query { reads: [a, b, c, d], functions: [f], \
            columns: [\"x\", \"y\"] } })",
        );
        check(
            "WITH d AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM d",
            "Dml(Dml { kind: Insert, targets: [b], query: Query { writes: [a], star: true }, \
            from_query: true })",
        );
        check(
            "SELECT * INTO TEMP t FROM u",
            "CreateTable(CreateTable { name: t, persistence: Temporary, query: Some(Query { \
            reads: [u], star: true }) })",
        );
        check("TABLE t", "Dml(Dml { kind: Select, query: Query { reads: [t], star: true } })");
        check("VALUES (1, 2), (3, 4)", "Dml(Dml { kind: Select, query: Query {} })");
        check(
            "SELECT count(*) FILTER (WHERE a) FROM generate_series(1, 2) WITH ORDINALITY AS g \
            (a, b) GROUP BY GROUPING SETS ((a), ())",
            "Dml(Dml { kind: Select, query: Query { functions: [count, generate_series], \
            columns: [\"a\"] } })",
        );
    }

    #[test]
    fn what_is_no_query_is_refused() {
        check("SELECT FROM WHERE", "! expected a table name, found \"WHERE\"");
        check("SELECT * FROM", "! expected a table name, found the end of the statement");
        check("SELECT * FRM t", "! expected the end of the statement, found \"FRM\"");
        check(
            "SELECT a FROM t LIMIT 1, 2",
            "! expected OFFSET: \"LIMIT a, b\" is not PostgreSQL, found \",\"",
        );
        check("SELECT a FROM t JOIN u", "! expected ON or USING, found the end of the statement");
        check("SELECT a FROM (SELECT 1", "! expected ), found the end of the statement");
        check("SELEKT 1", "! expected a statement, found \"SELEKT\"");
        check("VALUES ()", "! expected an expression, found \")\"");
        check("SELECT a FROM t ORDER x", "! expected ORDER BY, found \"ORDER\"");
    }
}
