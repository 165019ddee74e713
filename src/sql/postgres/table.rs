//! `CREATE TABLE`, `CREATE FOREIGN TABLE`, `CREATE TABLE … AS`.

use super::found::Into;
use super::{column, constraint, names, options, partition, select};
use crate::sql::ast::{CreateTable, LikeClause, Persistence, Query, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};

/// Takes `TEMP`, `LOCAL TEMPORARY`, `UNLOGGED` and their like, where one is next.
pub(super) fn persistence(c: &mut Cursor<'_>) -> Option<Persistence> {
    if c.accept(&["UNLOGGED"]) {
        return Some(Persistence::Unlogged);
    }
    let start = c.position();
    c.accept_any(&["LOCAL", "GLOBAL"]);
    if c.accept_any(&["TEMPORARY", "TEMP"]).is_some() {
        return Some(Persistence::Temporary);
    }
    c.reset(start);
    None
}

/// Takes what follows `CREATE … TABLE`.
pub(super) fn create(c: &mut Cursor<'_>, persistence: Persistence) -> Parsed<StatementKind> {
    let if_not_exists = names::if_not_exists(c);
    let name = names::qualified(c, "a table name")?;
    let mut table = CreateTable { name, persistence, if_not_exists, ..CreateTable::default() };
    let body = body(c, &mut table)?;
    tail(c, &mut table)?;
    if c.at(&["AS"]) && body != Body::Parts {
        as_query(c, &mut table)?;
    } else if body == Body::None || body == Body::Names {
        return Err(c.expected(if body == Body::None { "( or AS" } else { "AS" }));
    }
    Ok(StatementKind::CreateTable(Box::new(table)))
}

/// What stands behind the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    /// Nothing: AS must follow.
    None,
    /// Names of columns: AS must follow.
    Names,
    /// Columns and constraints, or a type or a parent that has them.
    Parts,
}

fn body(c: &mut Cursor<'_>, table: &mut CreateTable) -> Parsed<Body> {
    if c.accept(&["OF"]) {
        table.of_type = Some(names::qualified(c, "a type name")?);
        typed_elements(c, table)?;
        partition_by(c, table)?;
        return Ok(Body::Parts);
    }
    if c.accept(&["PARTITION", "OF"]) {
        let parent = names::qualified(c, "a table name")?;
        typed_elements(c, table)?;
        let bound = partition::bound(c)?;
        table.partition_of = Some(crate::sql::ast::PartitionOf { parent, bound });
        partition_by(c, table)?;
        return Ok(Body::Parts);
    }
    if !c.at_symbol("(") {
        return Ok(Body::None);
    }
    if at_names_only(c) {
        let columns = names::column_list(c)?;
        table.columns.extend(columns.into_iter().map(column::empty));
        return Ok(Body::Names);
    }
    c.expect_symbol("(")?;
    if !c.at_symbol(")") {
        names::list(c, |c| element(c, table))?;
    }
    c.expect_symbol(")")?;
    if c.accept(&["INHERITS"]) {
        c.expect_symbol("(")?;
        table.inherits = names::qualified_list(c, "a table name")?;
        c.expect_symbol(")")?;
    }
    partition_by(c, table)?;
    Ok(Body::Parts)
}

/// `(a, b)` names the columns of a query; a definition has a type behind its first name.
fn at_names_only(c: &Cursor<'_>) -> bool {
    matches!(c.text_at(2), "," | ")") && c.text_at(1) != ")"
}

fn element(c: &mut Cursor<'_>, table: &mut CreateTable) -> Parsed<()> {
    if c.accept(&["LIKE"]) {
        table.likes.push(like(c)?);
    } else if constraint::at_table_constraint(c) {
        table.constraints.push(constraint::table_constraint(c)?);
    } else {
        table.columns.push(column::definition(c)?);
    }
    Ok(())
}

fn like(c: &mut Cursor<'_>) -> Parsed<LikeClause> {
    const PARTS: &[&str] = &[
        "ALL",
        "COMMENTS",
        "COMPRESSION",
        "CONSTRAINTS",
        "DEFAULTS",
        "GENERATED",
        "IDENTITY",
        "INDEXES",
        "STATISTICS",
        "STORAGE",
    ];
    let source = names::qualified(c, "a table name")?;
    let mut clause = LikeClause { source, including: Vec::new(), excluding: Vec::new() };
    while let Some(word) = c.accept_any(&["INCLUDING", "EXCLUDING"]) {
        let Some(part) = c.accept_any(PARTS) else {
            return Err(c.expected("ALL, DEFAULTS, INDEXES or another part to copy"));
        };
        let parts = if word == "INCLUDING" { &mut clause.including } else { &mut clause.excluding };
        parts.push(part.to_ascii_lowercase());
    }
    Ok(clause)
}

fn typed_elements(c: &mut Cursor<'_>, table: &mut CreateTable) -> Parsed<()> {
    if !c.accept_symbol("(") {
        return Ok(());
    }
    names::list(c, |c| {
        if constraint::at_table_constraint(c) {
            table.constraints.push(constraint::table_constraint(c)?);
        } else {
            table.columns.push(column::typed(c)?);
        }
        Ok(())
    })?;
    c.expect_symbol(")")
}

fn partition_by(c: &mut Cursor<'_>, table: &mut CreateTable) -> Parsed<()> {
    if c.at(&["PARTITION", "BY"]) {
        table.partition_by = Some(partition::by(c)?);
    }
    Ok(())
}

/// Takes `USING method WITH (…) ON COMMIT … TABLESPACE …`.
fn tail(c: &mut Cursor<'_>, table: &mut CreateTable) -> Parsed<()> {
    if c.accept(&["USING"]) {
        table.access_method = Some(names::column_id(c, "an access method")?.value);
    }
    if c.at(&["WITH"]) && c.text_at(1) == "(" {
        c.advance();
        table.options = options::settings(c)?;
    } else {
        c.accept(&["WITHOUT", "OIDS"]);
    }
    if c.accept(&["ON", "COMMIT"]) {
        let action = if c.accept(&["DROP"]) {
            "drop"
        } else if c.accept(&["DELETE", "ROWS"]) {
            "delete rows"
        } else if c.accept(&["PRESERVE", "ROWS"]) {
            "preserve rows"
        } else {
            return Err(c.expected("DROP, DELETE ROWS or PRESERVE ROWS"));
        };
        table.options.push(("on commit".to_owned(), action.to_owned()));
    }
    if c.accept(&["TABLESPACE"]) {
        table.tablespace = Some(names::column_id(c, "a tablespace")?.value);
    }
    Ok(())
}

fn as_query(c: &mut Cursor<'_>, table: &mut CreateTable) -> Parsed<()> {
    c.expect(&["AS"])?;
    table.query = Some(if c.accept(&["EXECUTE"]) {
        let start = c.position();
        names::column_id(c, "a prepared statement")?;
        let mut found = super::found::Found::default();
        if c.accept_symbol("(") {
            super::expr::full_list(c, &mut found)?;
            c.expect_symbol(")")?;
        }
        found.into_query(c, start)
    } else {
        select::query(c)?
    });
    table.with_no_data = with_no_data(c)?;
    Ok(())
}

/// Takes `WITH [NO] DATA`, where it is next.
pub(super) fn with_no_data(c: &mut Cursor<'_>) -> Parsed<bool> {
    if !c.accept(&["WITH"]) {
        return Ok(false);
    }
    let no = c.accept(&["NO"]);
    c.expect(&["DATA"])?;
    Ok(no)
}

/// Returns the table that `SELECT … INTO` makes.
pub(super) fn select_into(into: Into, query: Query) -> StatementKind {
    StatementKind::CreateTable(Box::new(CreateTable {
        name: into.name,
        persistence: into.persistence,
        query: Some(query),
        ..CreateTable::default()
    }))
}

/// Takes what follows `CREATE FOREIGN TABLE`.
pub(super) fn create_foreign(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let if_not_exists = names::if_not_exists(c);
    let name = names::qualified(c, "a table name")?;
    let mut table = CreateTable { name, if_not_exists, foreign: true, ..CreateTable::default() };
    if !c.at_symbol("(") && !c.at(&["PARTITION", "OF"]) {
        return Err(c.expected("("));
    }
    if c.at_symbol("(") && c.text_at(1) == ")" {
        c.parentheses()?;
        if c.accept(&["INHERITS"]) {
            c.expect_symbol("(")?;
            table.inherits = names::qualified_list(c, "a table name")?;
            c.expect_symbol(")")?;
        }
    } else {
        body(c, &mut table)?;
    }
    c.expect(&["SERVER"])?;
    let server = names::column_id(c, "a server")?.value;
    table.options.push(("server".to_owned(), server));
    options::optional_foreign(c)?;
    Ok(StatementKind::CreateTable(Box::new(table)))
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn forms() {
        check(
            "CREATE UNLOGGED TABLE IF NOT EXISTS app.t (a int, LIKE u INCLUDING ALL EXCLUDING \
            INDEXES) INHERITS (p, q) WITH (fillfactor = 70, toast.autovacuum_enabled = \
            false) TABLESPACE fast",
            "CreateTable(CreateTable { name: app.t, persistence: Unlogged, if_not_exists: \
            true, columns: [ColumnDef { name: a, data_type: Some(DataType { name: \
            \"integer\" }) }], inherits: [p, q], likes: [LikeClause { source: u, including: \
            [\"all\"], excluding: [\"indexes\"] }], tablespace: Some(\"fast\"), options: \
            [(\"fillfactor\", \"70\"), (\"toast.autovacuum_enabled\", \"false\")] })",
        );
        check(
            "CREATE TEMP TABLE t (a) ON COMMIT DROP AS SELECT 1 WITH NO DATA",
            "CreateTable(CreateTable { name: t, persistence: Temporary, columns: [ColumnDef { \
            name: a }], options: [(\"on commit\", \"drop\")], query: Some(Query {}), \
            with_no_data: true })",
        );
        check(
            "CREATE TABLE t OF app.ty (a WITH OPTIONS DEFAULT 1, PRIMARY KEY (a))",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, default: \
            Some(Expr { text: \"1\", shape: Literal }) }], constraints: [TableConstraint { \
            kind: PrimaryKey(KeyConstraint { parts: [KeyPart { key: Column(a) }] }) }], \
            of_type: Some(app.ty) })",
        );
        check(
            "CREATE TABLE t PARTITION OF p (b NOT NULL) FOR VALUES FROM (1, MINVALUE) TO (2, \
            MAXVALUE) PARTITION BY LIST (lower(b) text_ops)",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: b, nullability: \
            Some(NotNull {}) }], partition_of: Some(PartitionOf { parent: p, bound: Range { \
            from: [\"1\", \"MINVALUE\"], to: [\"2\", \"MAXVALUE\"] } }), partition_by: \
            Some(PartitionBy { strategy: \"list\", keys: [KeyPart { key: Expr(Expr { text: \
            \"lower(b)\", columns: [\"b\"], functions: [lower] }), opclass: \
            Some(\"text_ops\") }] }) })",
        );
        check(
            "CREATE TABLE t PARTITION OF p FOR VALUES IN ('a', NULL)",
            "CreateTable(CreateTable { name: t, partition_of: Some(PartitionOf { parent: p, \
            bound: In([\"'a'\", \"NULL\"]) }) })",
        );
        check(
            "CREATE TABLE t PARTITION OF p FOR VALUES WITH (MODULUS 4, REMAINDER 1)",
            "CreateTable(CreateTable { name: t, partition_of: Some(PartitionOf { parent: p, \
            bound: Hash { modulus: 4, remainder: 1 } }) })",
        );
        check(
            "CREATE TABLE t PARTITION OF p DEFAULT",
            "CreateTable(CreateTable { name: t, partition_of: Some(PartitionOf { parent: p, \
            bound: Default }) })",
        );
        check(
            "CREATE FOREIGN TABLE t (a int OPTIONS (column_name 'x')) SERVER s OPTIONS (a \
            'b')",
            "CreateTable(CreateTable { name: t, foreign: true, columns: [ColumnDef { name: a, \
            data_type: Some(DataType { name: \"integer\" }) }], options: [(\"server\", \
            \"s\")] })",
        );
        check(
            "CREATE TABLE t AS EXECUTE q (1)",
            "CreateTable(CreateTable { name: t, query: Some(Query {}) })",
        );
    }

    #[test]
    fn what_is_no_table_is_refused() {
        check("CREATE TABLE t", "! expected ( or AS, found the end of the statement");
        check("CREATE TABLE t (a int,)", "! expected a column name, found \")\"");
        check("CREATE TABLE order (a int)", "! expected a table name, found \"order\"");
        check(
            "CREATE TABLE t (a int) PARTITION BY MAGIC (a)",
            "! expected RANGE, LIST or HASH, found \"magic\"",
        );
        check(
            "CREATE TABEL t (a int)",
            "! expected TABLE, INDEX, VIEW, FUNCTION or another kind of object, found \
            \"TABEL\"",
        );
        check("CREATE TABLE t (primary int)", "! expected KEY, found \"int\"");
    }
}
