//! Queries of SQLite, read into a tree (<https://sqlite.org/lang_select.html>).

use super::name::{full_name, name};
use super::term::{Reader, sorts, term, window};
use crate::sql::ast::{
    Core, Cte, Join, Output, OutputKind, Query, Select, Source, SourceItem, Target, Term, TermKind,
    Tree,
};
use crate::sql::cursor::{Cursor, Parsed, SyntaxError};
use crate::sql::lexer::{Token, TokenKind};
use crate::sql::name::Ident;

/// Says whether a query is next.
pub(super) fn at_select(c: &Cursor<'_>) -> bool {
    ["SELECT", "VALUES", "WITH"].iter().any(|word| c.at(&[word]))
}

/// Takes a query.
pub(super) fn select(c: &mut Cursor<'_>, reader: Reader) -> Parsed<Select> {
    let reader = reader.deeper(c)?;
    let with = with(c, reader)?;
    let mut select = Select { with, ..Select::default() };
    select.cores.push(core(c, reader)?);
    while let Some(operator) = c.accept_any(&["UNION", "EXCEPT", "INTERSECT"]) {
        let union = operator == "UNION";
        if union {
            c.accept(&["ALL"]);
        }
        select.cores.push(Core { union, ..core(c, reader)? });
    }
    // Rows of VALUES are neither sorted nor limited.
    if select.cores.last().is_none_or(|core| !core.values) {
        select.order_by = order_by(c)?;
        select.limit = limit(c)?;
    }
    Ok(select)
}

/// Takes a query to the end of the statement.
pub(super) fn query(c: &mut Cursor<'_>) -> Parsed<Query> {
    let rest = c.sub(c.position(), c.tokens().len());
    let mut whole = c.clone();
    let tree = select(&mut whole, Reader { depth: 0 }).and_then(|tree| whole.end().map(|()| tree));
    let tree = unless_filled(c, tree)?;
    c.skip_rest();
    Ok(Query { tree, ..crate::sql::query::query(&rest)? })
}

/// Refuses what a program would have to fill in each time, in what is kept.
pub(super) fn without_parameters(c: &Cursor<'_>, start: usize, message: &str) -> Parsed<()> {
    let parameter =
        |token: &&Token| token.kind == TokenKind::Parameter && !c.slice(token.span).contains("${");
    match c.sub(start, c.position()).tokens().iter().find(parameter) {
        Some(token) => Err(SyntaxError { message: message.to_owned(), at: token.span }),
        None => Ok(()),
    }
}

/// Returns a tree that was read; where a tool fills something in, what it is may be beyond us.
pub(super) fn unless_filled<T>(c: &Cursor<'_>, read: Parsed<T>) -> Parsed<Tree<T>> {
    let filled =
        |token: &Token| token.kind == TokenKind::Parameter && c.slice(token.span).contains("${");
    match read {
        Ok(whole) => Ok(Tree::of(whole)),
        Err(_) if c.tokens().iter().any(filled) => Ok(Tree::default()),
        Err(error) => Err(error),
    }
}

/// Takes `ORDER BY …`, if it is next.
pub(super) fn order_by(c: &mut Cursor<'_>) -> Parsed<Vec<crate::sql::ast::Sort>> {
    if c.accept(&["ORDER", "BY"]) { sorts(c) } else { Ok(Vec::new()) }
}

/// Takes `LIMIT …`, if it is next.
pub(super) fn limit(c: &mut Cursor<'_>) -> Parsed<Vec<Term>> {
    if !c.accept(&["LIMIT"]) {
        return Ok(Vec::new());
    }
    let mut limit = vec![term(c)?];
    if c.accept(&["OFFSET"]) || c.accept_symbol(",") {
        limit.push(term(c)?);
    }
    Ok(limit)
}

/// Takes `WITH name AS (…), …`, if it is next.
pub(super) fn with(c: &mut Cursor<'_>, reader: Reader) -> Parsed<Vec<Cte>> {
    let mut found = Vec::new();
    if !c.accept(&["WITH"]) {
        return Ok(found);
    }
    c.accept(&["RECURSIVE"]);
    loop {
        let cte = name(c)?;
        let columns = if c.at_symbol("(") { names(c)? } else { Vec::new() };
        c.expect(&["AS"])?;
        if c.accept(&["NOT"]) {
            c.expect(&["MATERIALIZED"])?;
        } else {
            c.accept(&["MATERIALIZED"]);
        }
        c.expect_symbol("(")?;
        let query = select(c, reader)?;
        c.expect_symbol(")")?;
        found.push(Cte { name: cte, columns, select: query });
        if !c.accept_symbol(",") {
            return Ok(found);
        }
    }
}

/// Takes names in parentheses.
pub(super) fn names(c: &mut Cursor<'_>) -> Parsed<Vec<Ident>> {
    c.expect_symbol("(")?;
    let mut names = vec![name(c)?];
    while c.accept_symbol(",") {
        names.push(name(c)?);
    }
    c.expect_symbol(")")?;
    Ok(names)
}

fn core(c: &mut Cursor<'_>, reader: Reader) -> Parsed<Core> {
    let start = c.position();
    let mut core = Core::default();
    if c.accept(&["VALUES"]) {
        rows(c, reader, &mut core)?;
        core.span = c.span_from(start);
        return Ok(core);
    }
    c.expect(&["SELECT"])?;
    core.distinct = c.accept_any(&["DISTINCT", "ALL"]) == Some("DISTINCT");
    core.outputs = outputs(c, reader)?;
    if c.accept(&["FROM"]) {
        core.from = sources(c, reader)?;
    }
    if c.accept(&["WHERE"]) {
        core.filter = Some(reader.term(c, 0)?);
    }
    if c.accept(&["GROUP", "BY"]) {
        core.group_by = reader.terms(c)?;
    }
    if c.accept(&["HAVING"]) {
        core.having = Some(reader.term(c, 0)?);
    }
    if c.accept(&["WINDOW"]) {
        loop {
            let window_name = name(c)?;
            c.expect(&["AS"])?;
            core.windows.push((window_name, window(c)?));
            if !c.accept_symbol(",") {
                break;
            }
        }
    }
    core.span = c.span_from(start);
    Ok(core)
}

/// Takes the rows of VALUES. Rows of literals say nothing that the first does not.
fn rows(c: &mut Cursor<'_>, reader: Reader, core: &mut Core) -> Parsed<()> {
    core.values = true;
    loop {
        c.expect_symbol("(")?;
        let row = reader.terms(c)?;
        c.expect_symbol(")")?;
        if core.outputs.is_empty() {
            let output =
                |term| Output { kind: OutputKind::Term(term), alias: None, text: String::new() };
            core.outputs = row.into_iter().map(output).collect();
        } else {
            core.uneven |= row.len() != core.outputs.len();
            let literal = |term: &Term| {
                matches!(term.kind, TermKind::Null | TermKind::Integer(_) | TermKind::Literal)
            };
            if !row.iter().all(literal) {
                core.rows.push(row);
            }
        }
        if !c.accept_symbol(",") {
            return Ok(());
        }
    }
}

/// Takes a select list.
pub(super) fn outputs(c: &mut Cursor<'_>, reader: Reader) -> Parsed<Vec<Output>> {
    let mut found = Vec::new();
    loop {
        found.push(output(c, reader)?);
        if !c.accept_symbol(",") {
            return Ok(found);
        }
    }
}

fn output(c: &mut Cursor<'_>, reader: Reader) -> Parsed<Output> {
    let bare = |kind| Output { kind, alias: None, text: String::new() };
    if c.accept_symbol("*") {
        return Ok(bare(OutputKind::All));
    }
    if c.text_at(1) == "." && c.text_at(2) == "*" {
        let table = name(c)?;
        c.advance();
        c.advance();
        return Ok(bare(OutputKind::AllOf(table)));
    }
    let start = c.position();
    let term = reader.term(c, 0)?;
    let text = c.slice(c.span_from(start)).to_owned();
    Ok(Output { kind: OutputKind::Term(term), alias: alias(c)?, text })
}

/// Takes `AS name`, or a name alone; the words of a join are none without AS.
fn alias(c: &mut Cursor<'_>) -> Parsed<Option<Ident>> {
    if c.accept(&["AS"]) {
        return Ok(Some(name(c)?));
    }
    let joins = ["LEFT", "RIGHT", "FULL", "INNER", "OUTER", "CROSS", "NATURAL", "INDEXED"];
    let window = c.at(&["WINDOW"]) && c.text_at(2).eq_ignore_ascii_case("as");
    let keyword = window || joins.iter().any(|word| c.at(&[word]));
    let start = c.position();
    let found = if keyword { None } else { name(c).ok() };
    if found.is_none() {
        c.reset(start);
    }
    Ok(found)
}

/// Takes what stands behind FROM.
pub(super) fn sources(c: &mut Cursor<'_>, reader: Reader) -> Parsed<Vec<Source>> {
    let mut found = vec![source(c, reader, Join::default())?];
    while let Some(join) = join(c)? {
        found.push(source(c, reader, join)?);
    }
    Ok(found)
}

/// Takes a comma or the words of a join.
fn join(c: &mut Cursor<'_>) -> Parsed<Option<Join>> {
    if c.accept_symbol(",") {
        return Ok(Some(Join::default()));
    }
    let mut join = Join::default();
    let mut words = false;
    while let Some(word) =
        c.accept_any(&["NATURAL", "LEFT", "RIGHT", "FULL", "INNER", "OUTER", "CROSS"])
    {
        words = true;
        join.natural |= word == "NATURAL";
        join.left |= matches!(word, "LEFT" | "FULL");
        join.right |= matches!(word, "RIGHT" | "FULL");
    }
    // sqlite.org/releaselog/3_39_0.html
    if join.right && !c.server().version.at_least(3, 39, 0) {
        let message = "RIGHT and FULL OUTER JOINs are not currently supported".to_owned();
        return Err(SyntaxError { message, at: c.place() });
    }
    if c.accept(&["JOIN"]) {
        Ok(Some(join))
    } else if words {
        Err(c.expected("JOIN"))
    } else {
        Ok(None)
    }
}

fn source(c: &mut Cursor<'_>, reader: Reader, join: Join) -> Parsed<Source> {
    let item = if c.at_symbol("(") {
        let reader = reader.deeper(c)?;
        c.expect_symbol("(")?;
        let item = if at_select(c) {
            SourceItem::Select(Box::new(select(c, reader)?))
        } else {
            SourceItem::Joined(sources(c, reader)?)
        };
        c.expect_symbol(")")?;
        item
    } else {
        let table = full_name(c)?;
        if c.at_symbol("(") {
            SourceItem::Function(table, reader.arguments(c)?)
        } else {
            SourceItem::Table(table)
        }
    };
    let alias = alias_of_source(c)?;
    let indexed_by = indexed(c)?;
    let mut source = Source { item, alias, indexed_by, join, on: None, using: Vec::new() };
    if c.accept(&["ON"]) {
        source.on = Some(reader.term(c, 0)?);
    } else if c.at(&["USING"]) && c.text_at(1) == "(" {
        c.advance();
        source.using = names(c)?;
    }
    Ok(source)
}

fn alias_of_source(c: &mut Cursor<'_>) -> Parsed<Option<Ident>> {
    let indexed = c.at(&["NOT", "INDEXED"]) || c.at(&["INDEXED"]);
    if indexed || c.at(&["ON"]) || c.at(&["USING"]) { Ok(None) } else { alias(c) }
}

/// Takes `INDEXED BY name` or `NOT INDEXED`.
pub(super) fn indexed(c: &mut Cursor<'_>) -> Parsed<Option<Ident>> {
    if c.accept(&["INDEXED", "BY"]) {
        return Ok(Some(name(c)?));
    }
    c.accept(&["NOT", "INDEXED"]);
    Ok(None)
}

/// Takes the table that a change is about, with `AS alias` and `INDEXED BY`.
pub(super) fn target(c: &mut Cursor<'_>) -> Parsed<Target> {
    let table = full_name(c)?;
    let alias = if c.accept(&["AS"]) { Some(name(c)?) } else { None };
    Ok(Target { table, alias, indexed_by: indexed(c)? })
}
