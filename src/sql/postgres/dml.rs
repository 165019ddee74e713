//! INSERT, UPDATE, DELETE and MERGE.

use std::ops::Range;

use super::call::enclosed;
use super::expr::{self, full};
use super::found::Found;
use super::{from, index, names, select};
use crate::sql::ast::{Dml, DmlKind, Expr, Key, Query, StatementKind, Tree};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::expr as facts;
use crate::sql::name::{Ident, ObjectName};
use crate::sql::picked::Clauses;

/// What a data change does, beside what it reads.
#[derive(Debug)]
pub(super) struct Change {
    /// The kind.
    pub kind: DmlKind,
    /// The table.
    pub targets: Vec<ObjectName>,
    filter: Option<Expr>,
    columns: Vec<Ident>,
    from_query: bool,
    rows: Option<Vec<Vec<String>>>,
    picked: bool,
    on_conflict: bool,
}

impl Change {
    fn of(kind: DmlKind, target: ObjectName) -> Self {
        Self {
            kind,
            targets: vec![target],
            filter: None,
            columns: Vec::new(),
            from_query: false,
            rows: None,
            picked: false,
            on_conflict: false,
        }
    }
}

/// Takes a query or a data change as a statement.
pub(super) fn statement(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let (start, mut found) = (c.position(), Found::default());
    let change = any(c, &mut found)?;
    // INTO in the query of an INSERT is read by the grammar and refused by the server.
    if change.is_none()
        && let Some(into) = found.into.take()
    {
        let query = found.into_query(c, start);
        return Ok(super::table::select_into(into, query));
    }
    let only_of = found.only_of();
    let query = Query { only_of, ..found.into_query(c, start) };
    Ok(StatementKind::Dml(Box::new(dml(change, query))))
}

fn dml(change: Option<Change>, query: Query) -> Dml {
    let change = change.unwrap_or(Change {
        kind: DmlKind::Select,
        targets: Vec::new(),
        filter: None,
        columns: Vec::new(),
        from_query: false,
        rows: None,
        picked: false,
        on_conflict: false,
    });
    Dml {
        kind: change.kind,
        targets: change.targets,
        query,
        filter: change.filter,
        columns: change.columns,
        from_query: change.from_query,
        rows: change.rows,
        limit: false,
        picked: change.picked,
        order_by: false,
        on_conflict: change.on_conflict,
        tree: Tree::default(),
    }
}

/// Walks over a query or a data change, WITH in front included.
pub(super) fn any(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<Option<Change>> {
    f.enter(c)?;
    let with = f.with.len();
    let start = c.position();
    if c.at(&["WITH"]) {
        select::with_clause(c, f)?;
    }
    let with_clause = start..c.position();
    let change = match c.accept_any(&["INSERT", "UPDATE", "DELETE", "MERGE"]) {
        Some("INSERT") => Some(insert(c, f)?),
        Some("UPDATE") => Some(update(c, f, with_clause)?),
        Some("DELETE") => Some(delete(c, f, with_clause)?),
        Some(_) => Some(merge(c, f)?),
        None => {
            select::statement(c, f)?;
            None
        }
    };
    f.with.truncate(with);
    f.leave();
    Ok(change)
}

fn insert(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<Change> {
    c.expect(&["INTO"])?;
    let name = names::qualified(c, "a table name")?;
    if c.accept(&["AS"]) {
        names::column_id(c, "an alias")?;
    }
    let mut change = Change::of(DmlKind::Insert, name);
    if c.at_symbol("(") && !select::at_query(c) {
        change.columns = target_columns(c, f)?;
    }
    overriding(c)?;
    if c.accept(&["DEFAULT", "VALUES"]) {
        change.rows = Some(vec![Vec::new()]);
    } else {
        change.from_query = !c.at(&["VALUES"]);
        let start = c.position() + 1;
        select::statement(c, f)?;
        if !change.from_query {
            change.rows = rows(c, start);
        } else if f.queries == 1 && f.sources.is_empty() && !f.other_sources {
            change.rows = selected(c, start).map(|row| vec![row]);
        }
    }
    if c.accept(&["ON", "CONFLICT"]) {
        change.on_conflict = true;
        on_conflict(c, f)?;
    }
    returning(c, f)?;
    Ok(change)
}

/// The tokens that the rows of an INSERT may have to be kept: more is data, not schema work.
const FEW_TOKENS: usize = 400;

/// Returns the rows written since `start`, as `(a, b), (c, d)`, where they are few.
fn rows(c: &Cursor<'_>, start: usize) -> Option<Vec<Vec<String>>> {
    if c.position().saturating_sub(start) > FEW_TOKENS {
        return None;
    }
    let inner = c.sub(start, c.position());
    let (mut rows, mut row, mut depth, mut from) = (Vec::new(), Vec::new(), 0_u32, 0);
    let tokens = inner.tokens();
    for (at, token) in tokens.iter().enumerate() {
        let ends = match c.slice(token.span) {
            "(" | "[" => {
                depth += 1;
                if depth == 1 {
                    from = at + 1;
                }
                false
            }
            ")" | "]" => {
                depth = depth.saturating_sub(1);
                depth == 0
            }
            "," => depth == 1,
            _ => false,
        };
        if ends {
            row.push(facts::text(c, tokens.get(from..at)?));
            from = at + 1;
        }
        if ends && depth == 0 {
            rows.push(std::mem::take(&mut row));
        }
    }
    Some(rows)
}

/// Returns the values of a SELECT list since `start`, where nothing follows it: one row.
fn selected(c: &Cursor<'_>, start: usize) -> Option<Vec<String>> {
    const MORE: &[&str] = &[
        "AS", "FROM", "WHERE", "LIMIT", "OFFSET", "FETCH", "ORDER", "GROUP", "HAVING", "DISTINCT",
    ];
    if c.position().saturating_sub(start) > FEW_TOKENS {
        return None;
    }
    let inner = c.sub(start, c.position());
    let tokens = inner.tokens();
    let (mut row, mut depth, mut from) = (Vec::new(), 0_u32, 0);
    for (at, token) in tokens.iter().enumerate() {
        match c.slice(token.span) {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "," if depth == 0 => {
                row.push(facts::text(c, tokens.get(from..at)?));
                from = at + 1;
            }
            word if depth == 0 && MORE.iter().any(|more| more.eq_ignore_ascii_case(word)) => {
                return None;
            }
            _ => {}
        }
    }
    row.push(facts::text(c, tokens.get(from..)?));
    Some(row)
}

fn overriding(c: &mut Cursor<'_>) -> Parsed<()> {
    if !c.accept(&["OVERRIDING"]) {
        return Ok(());
    }
    match c.accept_any(&["USER", "SYSTEM"]) {
        Some(_) => c.expect(&["VALUE"]),
        None => Err(c.expected("SYSTEM or USER")),
    }
}

/// Takes `(a, b.x, c[1])`.
fn target_columns(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<Vec<Ident>> {
    c.expect_symbol("(")?;
    let columns = names::list(c, |c| target(c, f))?;
    c.expect_symbol(")")?;
    Ok(columns)
}

fn target(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<Ident> {
    let column = names::column_id(c, "a column name")?;
    if expr::indirection(c, f)? {
        return Err(c.expected("a column name"));
    }
    Ok(column)
}

fn on_conflict(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    if c.accept(&["ON", "CONSTRAINT"]) {
        names::column_id(c, "a constraint name")?;
    } else if c.at_symbol("(") {
        for part in index::key_parts(c)? {
            match part.key {
                Key::Column(column) => f.column(column.as_str()),
                Key::Expr(expr) => f.expr(expr),
            }
        }
        if c.accept(&["WHERE"]) {
            full(c, f)?;
        }
    }
    c.expect(&["DO"])?;
    if c.accept(&["NOTHING"]) {
        return Ok(());
    }
    c.expect(&["UPDATE", "SET"])?;
    assignments(c, f)?;
    if c.accept(&["WHERE"]) {
        full(c, f)?;
    }
    Ok(())
}

/// Takes `RETURNING [WITH (OLD AS o, NEW AS n)] …`, where it is next.
fn returning(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    if !c.accept(&["RETURNING"]) {
        return Ok(());
    }
    if c.at(&["WITH"]) {
        c.expect(&["WITH"])?;
        enclosed(c, |c| {
            loop {
                if c.accept_any(&["OLD", "NEW"]).is_none() {
                    return Err(c.expected("OLD or NEW"));
                }
                c.expect(&["AS"])?;
                names::column_id(c, "a name")?;
                if !c.accept_symbol(",") {
                    return Ok(());
                }
            }
        })?;
    }
    f.outline.returns = true;
    // What RETURNING shows does not read whole rows of other tables.
    let star = f.star;
    select::targets(c, f)?;
    f.star = star;
    Ok(())
}

/// Takes `a = 1, (b, c) = (2, 3)` and returns the columns.
fn assignments(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<Vec<Ident>> {
    let mut columns = Vec::new();
    loop {
        if c.at_symbol("(") {
            columns.extend(target_columns(c, f)?);
        } else {
            let column = target(c, f)?;
            if c.at_symbol("=") && c.text_at(1).eq_ignore_ascii_case("DEFAULT") {
                f.outline.defaulted.push(column.value.clone());
            }
            columns.push(column);
        }
        c.expect_symbol("=")?;
        full(c, f)?;
        if !c.accept_symbol(",") {
            return Ok(columns);
        }
    }
}

/// Takes the table of UPDATE and DELETE with its alias.
fn changed_relation(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<ObjectName> {
    let only = c.at(&["ONLY"]);
    let name = from::relation(c)?;
    if only {
        f.alone(&name);
    }
    if c.accept(&["AS"]) || (names::at_column_id(c) && !c.at(&["SET"])) {
        names::column_id(c, "an alias")?;
    }
    Ok(name)
}

fn update(c: &mut Cursor<'_>, f: &mut Found, with: Range<usize>) -> Parsed<Change> {
    let mut change = Change::of(DmlKind::Update, changed_relation(c, f)?);
    c.expect(&["SET"])?;
    change.columns = assignments(c, f)?;
    let start = c.position();
    if c.accept(&["FROM"]) {
        from::list(c, f)?;
    }
    let from = start..c.position();
    change.filter = filter(c, f)?;
    change.picked = Clauses { with, filter: from.end..c.position(), from }.pick_few(c);
    returning(c, f)?;
    Ok(change)
}

fn delete(c: &mut Cursor<'_>, f: &mut Found, with: Range<usize>) -> Parsed<Change> {
    c.expect(&["FROM"])?;
    let mut change = Change::of(DmlKind::Delete, changed_relation(c, f)?);
    let start = c.position();
    if c.accept(&["USING"]) {
        from::list(c, f)?;
    }
    let from = start..c.position();
    change.filter = filter(c, f)?;
    change.picked = Clauses { with, filter: from.end..c.position(), from }.pick_few(c);
    returning(c, f)?;
    Ok(change)
}

/// Takes `WHERE …`; what it reads is noted for the whole statement too.
fn filter(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<Option<Expr>> {
    if !c.accept(&["WHERE"]) {
        return Ok(None);
    }
    let start = c.position();
    if c.accept(&["CURRENT", "OF"]) {
        names::column_id(c, "a cursor")?;
        return Ok(Some(Found::default().into_expr(c, start)));
    }
    let mut inner = f.part();
    full(c, &mut inner)?;
    f.absorb(&mut inner);
    Ok(Some(inner.into_expr(c, start)))
}

fn merge(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<Change> {
    c.expect(&["INTO"])?;
    let mut change = Change::of(DmlKind::Merge, changed_relation_of_merge(c)?);
    c.expect(&["USING"])?;
    from::item(c, f)?;
    c.expect(&["ON"])?;
    full(c, f)?;
    if !c.at(&["WHEN"]) {
        return Err(c.expected("WHEN"));
    }
    while c.accept(&["WHEN"]) {
        let matched = !c.accept(&["NOT"]);
        c.expect(&["MATCHED"])?;
        let mut by_source = false;
        if !matched && c.accept(&["BY"]) {
            by_source = c.accept(&["SOURCE"]);
            if !by_source {
                c.expect(&["TARGET"])?;
            }
        }
        if c.accept(&["AND"]) {
            full(c, f)?;
        }
        c.expect(&["THEN"])?;
        // A row that is in the source only can be inserted, and nothing else.
        let insert = !matched && !by_source;
        merge_action(c, f, &mut change, insert)?;
    }
    returning(c, f)?;
    Ok(change)
}

fn changed_relation_of_merge(c: &mut Cursor<'_>) -> Parsed<ObjectName> {
    let name = from::relation(c)?;
    from::alias(c)?;
    Ok(name)
}

fn merge_action(
    c: &mut Cursor<'_>,
    f: &mut Found,
    change: &mut Change,
    insert: bool,
) -> Parsed<()> {
    if c.accept(&["DO", "NOTHING"]) {
        return Ok(());
    }
    if !insert {
        if c.accept(&["DELETE"]) {
            return Ok(());
        }
        c.expect(&["UPDATE", "SET"])?;
        change.columns.extend(assignments(c, f)?);
        return Ok(());
    }
    c.expect(&["INSERT"])?;
    if c.accept(&["DEFAULT", "VALUES"]) {
        return Ok(());
    }
    if c.at_symbol("(") {
        change.columns.extend(target_columns(c, f)?);
    }
    overriding(c)?;
    c.expect(&["VALUES"])?;
    enclosed(c, |c| expr::full_list(c, f))
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn targets_columns_and_filters() {
        check(
            "INSERT INTO t (a, b.c) VALUES (1, DEFAULT) ON CONFLICT (a) WHERE b DO UPDATE SET \
            a = excluded.a WHERE t.x RETURNING a",
            "Dml(Dml { kind: Insert, targets: [t], query: Query { columns: [\"a\", \"b\", \
            \"x\"], only_of: [(t, \"x\")] }, columns: [a, b], rows: Some([[\"1\", \
            \"DEFAULT\"]]), on_conflict: true })",
        );
        check(
            "INSERT INTO t DEFAULT VALUES",
            "Dml(Dml { kind: Insert, targets: [t], query: Query {}, rows: Some([[]]) })",
        );
        check(
            "INSERT INTO t SELECT * FROM u",
            "Dml(Dml { kind: Insert, targets: [t], query: Query { reads: [u], star: true }, \
            from_query: true })",
        );
        check(
            "UPDATE ONLY t AS x SET a = 1, (b, c) = (SELECT 2, 3 FROM u) FROM v WHERE x.id = \
            v.id",
            "Dml(Dml { kind: Update, targets: [t], query: Query { reads: [u, v], columns: \
            [\"id\"], only_of: [(x, \"id\"), (v, \"id\")], only: [t] }, filter: Some(Expr { \
            text: \"x.id = v.id\", columns: [\"id\"] }), columns: [a, b, c] })",
        );
        check(
            "UPDATE t SET a = 1",
            "Dml(Dml { kind: Update, targets: [t], query: Query {}, columns: [a] })",
        );
        check(
            "DELETE FROM t USING u WHERE t.a IN (SELECT b FROM w)",
            "Dml(Dml { kind: Delete, targets: [t], query: Query { reads: [u, w], columns: \
            [\"a\", \"b\"], only_of: [(t, \"a\")] }, filter: Some(Expr { text: \"t.a IN (SELECT \
            b FROM w)\", columns: [\"a\", \"b\"], has_subquery: true, reads: [w], plain_query: \
            true }) })",
        );
        check(
            "DELETE FROM t WHERE CURRENT OF c",
            "Dml(Dml { kind: Delete, targets: [t], query: Query {}, filter: Some(Expr { text: \
            \"CURRENT OF c\" }) })",
        );
        check(
            "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED AND s.b THEN DELETE WHEN NOT \
            MATCHED THEN INSERT (a) VALUES (s.a) RETURNING merge_action(), t.*",
            "Dml(Dml { kind: Merge, targets: [t], query: Query { reads: [s], functions: \
            [merge_action], columns: [\"a\", \"b\"], only_of: [(t, \"a\"), (s, \"a\"), (s, \
            \"b\"), (t, \"*\")] }, columns: [a] })",
        );
    }

    #[test]
    fn what_is_no_change_is_refused() {
        check("UPDATE t STE x = 1", "! expected SET, found \"x\"");
        check(
            "INSERT INTO t VALUES (1,",
            "! expected an expression, found the end of the statement",
        );
        check(
            "INSERT INTO t (a) VALEUS (1)",
            "! expected SELECT, VALUES, TABLE or WITH, found \"VALEUS\"",
        );
        check("DELETE t WHERE a", "! expected FROM, found \"t\"");
        check("UPDATE t SET a", "! expected =, found the end of the statement");
        check(
            "MERGE INTO t USING s ON a WHEN MATCHED THEN INSERT DEFAULT VALUES",
            "! expected UPDATE SET, found \"INSERT\"",
        );
    }
}
