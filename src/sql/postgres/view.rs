//! Views and materialized views.

use super::{names, options, select, table};
use crate::sql::ast::{CreateView, RefreshMaterializedView, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};

/// What is written between CREATE and VIEW.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// `TEMP`.
    pub temporary: bool,
    /// `RECURSIVE`.
    pub recursive: bool,
}

/// Takes what follows `CREATE … VIEW`.
pub(super) fn create(c: &mut Cursor<'_>, before: Before) -> Parsed<StatementKind> {
    let name = names::qualified(c, "a view name")?;
    let columns = names::optional_column_list(c)?;
    if before.recursive && columns.is_empty() {
        return Err(c.expected("("));
    }
    let mut settings = if c.accept(&["WITH"]) { options::settings(c)? } else { Vec::new() };
    c.expect(&["AS"])?;
    let mut query = select::query(c)?;
    if before.recursive {
        query.reads.retain(|read| !super::found::same(read, &name));
    }
    if c.accept(&["WITH"]) {
        let word = c.accept_any(&["CASCADED", "LOCAL"]).unwrap_or("CASCADED");
        c.expect(&["CHECK", "OPTION"])?;
        settings.push(("check_option".to_owned(), word.to_ascii_lowercase()));
    }
    Ok(StatementKind::CreateView(Box::new(CreateView {
        name,
        materialized: false,
        or_replace: before.or_replace,
        if_not_exists: false,
        temporary: before.temporary,
        recursive: before.recursive,
        columns,
        query,
        with_no_data: false,
        options: settings,
    })))
}

/// Takes what follows `CREATE MATERIALIZED VIEW`.
pub(super) fn create_materialized(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let if_not_exists = names::if_not_exists(c);
    let name = names::qualified(c, "a view name")?;
    let columns = names::optional_column_list(c)?;
    let mut settings = Vec::new();
    if c.accept(&["USING"]) {
        let method = names::column_id(c, "an access method")?.value;
        settings.push(("access method".to_owned(), method));
    }
    if c.accept(&["WITH"]) {
        settings.extend(options::settings(c)?);
    }
    if c.accept(&["TABLESPACE"]) {
        let tablespace = names::column_id(c, "a tablespace")?.value;
        settings.push(("tablespace".to_owned(), tablespace));
    }
    c.expect(&["AS"])?;
    let query = select::query(c)?;
    let with_no_data = table::with_no_data(c)?;
    Ok(StatementKind::CreateView(Box::new(CreateView {
        name,
        materialized: true,
        or_replace: false,
        if_not_exists,
        temporary: false,
        recursive: false,
        columns,
        query,
        with_no_data,
        options: settings,
    })))
}

/// Takes what follows `REFRESH`.
pub(super) fn refresh(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    c.expect(&["MATERIALIZED", "VIEW"])?;
    let concurrently = c.accept(&["CONCURRENTLY"]);
    let name = names::qualified(c, "a view name")?;
    let with_no_data = table::with_no_data(c)?;
    Ok(StatementKind::RefreshMaterializedView(RefreshMaterializedView {
        name,
        concurrently,
        with_no_data,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn forms() {
        check(
            "CREATE OR REPLACE TEMP VIEW v (a) WITH (security_barrier) AS SELECT b FROM t \
            WITH LOCAL CHECK OPTION",
            "CreateView(CreateView { name: v, or_replace: true, temporary: true, columns: \
            [a], query: Query { reads: [t], columns: [\"b\"] }, options: \
            [(\"security_barrier\", \"\"), (\"check_option\", \"local\")] })",
        );
        check(
            "CREATE RECURSIVE VIEW v (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM v",
            "CreateView(CreateView { name: v, recursive: true, columns: [n], query: Query { \
            columns: [\"n\"] } })",
        );
        check(
            "CREATE MATERIALIZED VIEW IF NOT EXISTS v USING heap TABLESPACE x AS SELECT a \
            FROM t WITH NO DATA",
            "CreateView(CreateView { name: v, materialized: true, if_not_exists: true, query: \
            Query { reads: [t], columns: [\"a\"] }, with_no_data: true, options: [(\"access \
            method\", \"heap\"), (\"tablespace\", \"x\")] })",
        );
        check(
            "REFRESH MATERIALIZED VIEW CONCURRENTLY v WITH NO DATA",
            "RefreshMaterializedView(RefreshMaterializedView { name: v, concurrently: true, \
            with_no_data: true })",
        );
        check("CREATE VIEW v", "! expected AS, found the end of the statement");
        check("REFRESH VIEW v", "! expected MATERIALIZED VIEW, found \"VIEW\"");
    }
}
