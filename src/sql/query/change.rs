//! INSERT, REPLACE, UPDATE, DELETE and LOAD DATA of MySQL, MariaDB and SQLite.

use std::ops::Range;

use super::walk::{Walk, at_conflict};
use crate::sql::ast::{Dml, DmlKind, Query, Tree};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::expr;
use crate::sql::name::{Ident, ObjectName};
use crate::sql::picked::Clauses;
use crate::sql::server::ServerKind;

/// Reads a query or a data change to its end.
pub(super) fn dml(c: &mut Cursor<'_>) -> Parsed<Dml> {
    let start = c.position();
    let mut walk = Walk::new();
    if c.at(&["WITH"]) {
        walk.with_clause(c)?;
    }
    let with = start..c.position();
    let mut dml = match c.accept_any(&["INSERT", "REPLACE", "UPDATE", "DELETE", "LOAD"]) {
        Some("INSERT") => insert(c, &mut walk, DmlKind::Insert)?,
        Some("REPLACE") => insert(c, &mut walk, DmlKind::Replace)?,
        Some("UPDATE") => update(c, &mut walk)?,
        Some("DELETE") => delete(c, &mut walk)?,
        Some(_) => load(c)?,
        None => {
            walk.query(c)?;
            // A query in parentheses may have more behind it.
            if !c.is_at_end() {
                walk.rest(c, |_| false)?;
            }
            empty(DmlKind::Select)
        }
    };
    if matches!(dml.kind, DmlKind::Update | DmlKind::Delete) {
        dml.picked = clauses(c, with).pick_few(c);
    }
    dml.query = walk.finish(c.span_from(start));
    Ok(dml)
}

/// Finds the joined tables and the condition of a change that was read to its end.
fn clauses(c: &Cursor<'_>, with: Range<usize>) -> Clauses {
    let (mut depth, mut set, mut filter) = (0_u32, None, None);
    let tokens = c.sub(with.end, c.position());
    for (at, token) in (with.end..).zip(tokens.tokens()) {
        match c.slice(token.span).to_ascii_uppercase().as_str() {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "SET" if depth == 0 => set = set.or(Some(at)),
            "WHERE" if depth == 0 => filter = filter.or(Some(at)),
            _ => {}
        }
    }
    let end = c.position();
    let filter = filter.unwrap_or(end);
    Clauses { from: with.end..set.unwrap_or(filter), filter: filter..end, with }
}

fn empty(kind: DmlKind) -> Dml {
    Dml {
        kind,
        targets: Vec::new(),
        query: Query::default(),
        filter: None,
        columns: Vec::new(),
        from_query: false,
        rows: None,
        limit: false,
        picked: false,
        order_by: false,
        on_conflict: false,
        tree: Tree::default(),
    }
}

fn is_mysql(c: &Cursor<'_>) -> bool {
    c.server().kind.is_mysql_family()
}

/// Takes `LOW_PRIORITY`, `IGNORE`, `OR REPLACE` and their like; says whether one of them decides
/// about duplicates.
fn modifiers(c: &mut Cursor<'_>) -> bool {
    let mut conflict = false;
    if !is_mysql(c) {
        conflict = c.accept(&["OR"]);
        if conflict {
            c.accept_any(&["REPLACE", "ROLLBACK", "ABORT", "FAIL", "IGNORE"]);
        }
        return conflict;
    }
    loop {
        if c.accept(&["IGNORE"]) {
            conflict = true;
        } else if c.accept_any(&["LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK"]).is_none() {
            return conflict;
        }
    }
}

fn insert(c: &mut Cursor<'_>, walk: &mut Walk, kind: DmlKind) -> Parsed<Dml> {
    let mut dml = empty(kind);
    dml.on_conflict = modifiers(c) || kind == DmlKind::Replace;
    c.accept(&["INTO"]);
    dml.targets.push(c.object_name()?);
    if c.accept(&["PARTITION"]) {
        c.ident_list()?;
    }
    if c.accept(&["AS"]) {
        c.ident()?;
    }
    if c.at_symbol("(") && !Walk::at_query(c) {
        dml.columns = columns(c)?;
    }
    if c.accept(&["DEFAULT", "VALUES"]) {
    } else if c.at(&["VALUES"]) || c.at(&["VALUE"]) {
        if c.server().kind == ServerKind::Sqlite {
            dml.rows = Some(vec![first_row(&mut c.sub(c.position(), c.tokens().len()))?]);
        }
        walk.rest(c, at_conflict)?;
    } else if is_mysql(c) && c.accept(&["SET"]) {
        dml.columns = assignments(c, walk)?;
    } else if Walk::at_query(c) {
        dml.from_query = true;
        walk.query(c)?;
        walk.rest(c, at_conflict)?;
    } else {
        return Err(c.expected("VALUES, SET or a query"));
    }
    if at_conflict(c) && !c.at(&["RETURNING"]) {
        dml.on_conflict = true;
        walk.rest(c, |c| c.at(&["RETURNING"]))?;
    }
    if c.at(&["RETURNING"]) {
        returning(c, walk, kind)?;
    }
    Ok(dml)
}

/// Returns the values of the first row as they are written.
fn first_row(c: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    c.accept(&["VALUES"]);
    let (start, end) = c.parentheses()?;
    let (mut depth, mut row) = (0_u32, vec![String::new()]);
    for token in c.sub(start, end).tokens() {
        let text = c.slice(token.span);
        match text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if text == "," && depth == 0 {
            row.push(String::new());
        } else if let Some(value) = row.last_mut() {
            value.push_str(text);
        }
    }
    Ok(row)
}

/// Takes `(a, t.b)`, which may be empty.
fn columns(c: &mut Cursor<'_>) -> Parsed<Vec<Ident>> {
    c.expect_symbol("(")?;
    let mut columns = Vec::new();
    while !c.at_symbol(")") {
        columns.extend(c.object_name()?.parts.pop());
        if !c.accept_symbol(",") {
            break;
        }
    }
    c.expect_symbol(")")?;
    Ok(columns)
}

/// Takes `a = 1, t.b = 2` up to a clause, and returns the columns.
fn assignments(c: &mut Cursor<'_>, walk: &mut Walk) -> Parsed<Vec<Ident>> {
    Ok(targets_of(c, walk)?.into_iter().filter_map(|mut name| name.parts.pop()).collect())
}

fn targets_of(c: &mut Cursor<'_>, walk: &mut Walk) -> Parsed<Vec<ObjectName>> {
    let mut found = Vec::new();
    loop {
        if c.at_symbol("(") {
            found.extend(columns(c)?.into_iter().map(ObjectName::bare));
        } else if is_mysql(c) {
            found.push(c.object_name()?);
        } else {
            found.push(ObjectName::bare(c.ident()?));
        }
        if !c.accept_symbol("=") {
            c.expect_symbol(":=")?;
        }
        let before = c.position();
        walk.rest(c, |c| c.at_symbol(",") || at_end_of_assignments(c))?;
        if c.position() == before {
            return Err(c.expected("an expression"));
        }
        if !c.accept_symbol(",") {
            return Ok(found);
        }
    }
}

/// Returns what stands behind each `=` of `a = 1, b = f(2, 3)`.
fn assigned_values(assignments: &Cursor<'_>) -> Vec<String> {
    let mut c = assignments.clone();
    let mut values: Vec<String> = Vec::new();
    let (mut depth, mut behind) = (0_usize, false);
    while let Some(token) = c.advance() {
        let text = c.slice(token.span);
        match text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && text == "," {
            behind = false;
        } else if !behind {
            behind = matches!(text, "=" | ":=");
            values.extend(behind.then(String::new));
        } else if let Some(value) = values.last_mut() {
            value.push_str(text);
        }
    }
    values
}

fn at_end_of_assignments(c: &Cursor<'_>) -> bool {
    ["WHERE", "ORDER", "LIMIT", "FROM"].iter().any(|word| c.at(&[word])) || at_conflict(c)
}

fn update(c: &mut Cursor<'_>, walk: &mut Walk) -> Parsed<Dml> {
    let mut dml = empty(DmlKind::Update);
    dml.on_conflict = modifiers(c);
    let first = walk.sources.len();
    walk.relations(c)?;
    let sources: Vec<_> = walk.sources.get(first..).unwrap_or(&[]).to_vec();
    c.expect(&["SET"])?;
    let start = c.position();
    let assigned = targets_of(c, walk)?;
    if is_mysql(c) {
        dml.rows = Some(vec![assigned_values(&c.sub(start, c.position()))]);
    }
    dml.targets = assigned_tables(&assigned, &sources);
    dml.columns = assigned.into_iter().filter_map(|mut name| name.parts.pop()).collect();
    // One table is changed, not read.
    if sources.len() == 1 {
        walk.forget_reads();
    }
    if c.accept(&["FROM"]) {
        walk.relations(c)?;
    }
    tail(c, walk, &mut dml)?;
    if sources.len() == 1 && (dml.limit || dml.order_by) {
        walk.read_all(&dml.targets);
    }
    Ok(dml)
}

/// The tables whose columns are assigned: by their qualifier, or any of them where there is none.
fn assigned_tables(assigned: &[ObjectName], sources: &[(String, ObjectName)]) -> Vec<ObjectName> {
    let mut tables: Vec<ObjectName> = Vec::new();
    for (alias, name) in sources {
        let meant = assigned
            .iter()
            .any(|column| column.schema().is_none_or(|table| table.eq_ignore_ascii_case(alias)));
        if meant && !tables.contains(name) {
            tables.push(name.clone());
        }
    }
    tables
}

fn delete(c: &mut Cursor<'_>, walk: &mut Walk) -> Parsed<Dml> {
    let mut dml = empty(DmlKind::Delete);
    dml.on_conflict = modifiers(c);
    let mariadb = c.server().kind == ServerKind::Mariadb;
    if mariadb && c.accept(&["HISTORY"]) {
        return delete_history(c, dml);
    }
    if c.accept(&["FROM"]) {
        let start = c.position();
        let first = target(c)?;
        if is_mysql(c) && (c.at_symbol(",") || c.at(&["USING"])) {
            let mut named = vec![first];
            while c.accept_symbol(",") {
                named.push(target(c)?);
            }
            c.expect(&["USING"])?;
            walk.relations(c)?;
            dml.targets = resolve(named, walk);
        } else {
            if mariadb && c.accept(&["FOR", "PORTION", "OF"]) {
                c.ident()?;
                c.expect(&["FROM"])?;
                expr::until(c, &["TO"])?;
                c.expect(&["TO"])?;
                expr::until(c, &["WHERE", "ORDER", "LIMIT"])?;
                dml.targets = vec![first];
                tail(c, walk, &mut dml)?;
                return Ok(dml);
            }
            c.reset(start);
            walk.relations(c)?;
            dml.targets = walk.sources.iter().map(|(_, name)| name.clone()).collect();
            walk.forget_reads();
        }
    } else {
        let mut named = vec![target(c)?];
        while c.accept_symbol(",") {
            named.push(target(c)?);
        }
        c.expect(&["FROM"])?;
        walk.relations(c)?;
        dml.targets = resolve(named, walk);
    }
    tail(c, walk, &mut dml)?;
    Ok(dml)
}

/// Takes `FROM t [BEFORE SYSTEM_TIME time]` behind `DELETE HISTORY` (MariaDB).
fn delete_history(c: &mut Cursor<'_>, mut dml: Dml) -> Parsed<Dml> {
    c.expect(&["FROM"])?;
    dml.targets = vec![target(c)?];
    if c.accept(&["BEFORE", "SYSTEM_TIME"]) {
        let time = expr::until(c, &[])?;
        dml.filter = Some(time);
    }
    Ok(dml)
}

/// Takes RETURNING, which MySQL has nowhere and MariaDB everywhere but in UPDATE.
fn returning(c: &mut Cursor<'_>, walk: &mut Walk, kind: DmlKind) -> Parsed<()> {
    let refused = match c.server().kind {
        ServerKind::Mysql => true,
        ServerKind::Mariadb => kind == DmlKind::Update,
        ServerKind::Sqlite | ServerKind::Postgres => false,
    };
    if refused {
        return Err(c.expected("the end of the statement"));
    }
    c.expect(&["RETURNING"])?;
    walk.rest(c, |_| false)
}

/// Takes `t`, `db.t`, `t.*`.
fn target(c: &mut Cursor<'_>) -> Parsed<ObjectName> {
    let mut name = ObjectName::bare(c.ident()?);
    while c.accept_symbol(".") {
        if c.accept_symbol("*") {
            break;
        }
        name.parts.push(c.ident()?);
    }
    Ok(name)
}

/// Returns the tables that aliases stand for.
fn resolve(named: Vec<ObjectName>, walk: &Walk) -> Vec<ObjectName> {
    let table = |name: ObjectName| {
        let known = walk
            .sources
            .iter()
            .find(|(alias, _)| name.parts.len() == 1 && alias.eq_ignore_ascii_case(name.name()));
        known.map_or(name, |(_, table)| table.clone())
    };
    named.into_iter().map(table).collect()
}

/// Takes WHERE, ORDER BY, LIMIT and RETURNING.
fn tail(c: &mut Cursor<'_>, walk: &mut Walk, dml: &mut Dml) -> Parsed<()> {
    if c.accept(&["WHERE"]) {
        let start = c.position();
        let clause =
            |c: &Cursor<'_>| c.at(&["ORDER", "BY"]) || c.at(&["LIMIT"]) || c.at(&["RETURNING"]);
        walk.rest(c, clause)?;
        if c.position() == start {
            return Err(c.expected("a condition"));
        }
        dml.filter = Some(expr::facts(&c.sub(start, c.position())));
    }
    if c.accept(&["ORDER", "BY"]) {
        dml.order_by = true;
        walk.rest(c, |c| c.at(&["LIMIT"]) || c.at(&["RETURNING"]))?;
    }
    if c.accept(&["LIMIT"]) {
        dml.limit = true;
        walk.rest(c, |c| c.at(&["RETURNING"]))?;
    }
    if c.at(&["RETURNING"]) {
        returning(c, walk, dml.kind)?;
    }
    if c.is_at_end() { Ok(()) } else { Err(c.expected("WHERE, ORDER BY or LIMIT")) }
}

/// Takes `LOAD DATA … INTO TABLE t …` or `LOAD XML …`.
fn load(c: &mut Cursor<'_>) -> Parsed<Dml> {
    if c.accept_any(&["DATA", "XML"]).is_none() {
        return Err(c.expected("DATA"));
    }
    let mut dml = empty(DmlKind::Load);
    while !c.is_at_end() && !c.at(&["INTO"]) {
        dml.on_conflict |= c.at(&["REPLACE"]) || c.at(&["IGNORE"]);
        c.advance();
    }
    c.expect(&["INTO", "TABLE"])?;
    dml.targets.push(c.object_name()?);
    c.skip_rest();
    Ok(dml)
}
