//! `CREATE INDEX`, `ALTER INDEX`, `REINDEX`.

use super::{constraint, expr, names, options};
use crate::sql::ast::{
    AlterIndex, CreateIndex, IndexAction, IndexDef, IndexKind, Key, KeyPart, Reindex,
    ReindexTarget, StatementKind,
};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::name::ObjectName;

/// Takes what follows `CREATE [UNIQUE] INDEX`.
pub(super) fn create(c: &mut Cursor<'_>, unique: bool) -> Parsed<StatementKind> {
    let start = c.position();
    let concurrently = c.accept(&["CONCURRENTLY"]);
    let if_not_exists = names::if_not_exists(c);
    let name = match c.at(&["ON"]) && !if_not_exists {
        true => None,
        false => Some(names::column_id(c, "an index name")?),
    };
    c.expect(&["ON"])?;
    let only = c.accept(&["ONLY"]);
    let table = names::qualified(c, "a table name")?;
    c.accept_symbol("*");
    let method = method(c)?;
    let parts = key_parts(c)?;
    let include = if c.accept(&["INCLUDE"]) { include(c)? } else { Vec::new() };
    let nulls_not_distinct = constraint::nulls(c)?;
    let options = if c.accept(&["WITH"]) { options::settings(c)? } else { Vec::new() };
    let tablespace = match c.accept(&["TABLESPACE"]) {
        true => Some(names::column_id(c, "a tablespace")?.value),
        false => None,
    };
    let predicate = if c.accept(&["WHERE"]) { Some(expr::a_expr(c)?) } else { None };
    let index = IndexDef {
        span: c.span_from(start),
        name,
        kind: if unique { IndexKind::Unique } else { IndexKind::Plain },
        method,
        parts,
        include,
        predicate,
        nulls_not_distinct,
        tablespace,
        options,
        invisible: false,
    };
    Ok(StatementKind::CreateIndex(Box::new(CreateIndex {
        table,
        index,
        schema: None,
        concurrently,
        if_not_exists,
        or_replace: false,
        only,
        algorithm: None,
        lock: None,
    })))
}

/// Takes `USING method`, where it is next.
pub(super) fn method(c: &mut Cursor<'_>) -> Parsed<Option<String>> {
    if !c.accept(&["USING"]) {
        return Ok(None);
    }
    Ok(Some(names::column_id(c, "an index method")?.value))
}

fn include(c: &mut Cursor<'_>) -> Parsed<Vec<crate::sql::name::Ident>> {
    let parts = key_parts(c)?;
    let column = |part: KeyPart| match part.key {
        Key::Column(column) => Some(column),
        Key::Expr(_) => None,
    };
    Ok(parts.into_iter().filter_map(column).collect())
}

/// Takes `(a, lower(b), (c || d) DESC)`.
pub(super) fn key_parts(c: &mut Cursor<'_>) -> Parsed<Vec<KeyPart>> {
    c.expect_symbol("(")?;
    let parts = names::list(c, key_part)?;
    c.expect_symbol(")")?;
    Ok(parts)
}

/// Takes a column, a function call or an expression in parentheses, and how it is ordered.
pub(super) fn key_part(c: &mut Cursor<'_>) -> Parsed<KeyPart> {
    let start = c.position();
    let key = if c.at_symbol("(") {
        Key::Expr(expr::in_parentheses(c)?)
    } else if names::at_column_id(c) && !matches!(c.text_at(1), "(" | ".") {
        Key::Column(names::column_id(c, "a column name")?)
    } else if names::at_column_id(c) || names::at_type_name(c) || at_call(c) {
        Key::Expr(expr::call_like(c)?)
    } else {
        return Err(c.expected("a column name or an expression"));
    };
    let collation = match c.accept(&["COLLATE"]) {
        true => Some(names::qualified(c, "a collation")?.to_string()),
        false => None,
    };
    let mut opclass = None;
    let nulls = c.at(&["NULLS"]) && !matches!(c.text_at(1), "," | ")");
    if names::at_column_id(c) && !c.at(&["WITH"]) && !nulls && !c.at(&["WITHOUT"]) {
        opclass = Some(names::qualified(c, "an operator class")?.to_string());
        if c.at_symbol("(") {
            options::settings(c)?;
        }
    }
    let descending = c.accept_any(&["ASC", "DESC"]) == Some("DESC");
    let mut nulls_first = None;
    if c.accept(&["NULLS"]) {
        nulls_first = match c.accept_any(&["FIRST", "LAST"]) {
            Some(word) => Some(word == "FIRST"),
            None => return Err(c.expected("FIRST or LAST")),
        };
    }
    let span = c.span_from(start);
    Ok(KeyPart { span, key, collation, opclass, prefix: None, descending, nulls_first })
}

/// `CURRENT_DATE` and other reserved words that are calls.
fn at_call(c: &Cursor<'_>) -> bool {
    c.text_at(1) == "("
        || names::class(c.text_at(0)) == names::Class::Reserved && {
            let word = c.text_at(0).to_ascii_lowercase();
            word.starts_with("current_") || word.starts_with("local") || word == "session_user"
        }
}

/// Takes what follows `ALTER INDEX`.
pub(super) fn alter(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    if c.at(&["ALL", "IN", "TABLESPACE"]) {
        let (from, to) = super::alter_table::all_in_tablespace(c)?;
        let action = IndexAction::AllInTablespace(to);
        let name = ObjectName::bare(from);
        return Ok(StatementKind::AlterIndex(AlterIndex { name, if_exists: false, action }));
    }
    let if_exists = names::if_exists(c);
    let name = names::qualified(c, "an index name")?;
    if c.accept(&["RENAME"]) {
        return rename(c, name, if_exists);
    }
    let action = if c.accept(&["SET", "TABLESPACE"]) {
        let tablespace = names::column_id(c, "a tablespace")?.value;
        c.accept(&["NOWAIT"]);
        IndexAction::SetTablespace(tablespace)
    } else if c.accept(&["OWNER", "TO"]) {
        names::column_id(c, "a role")?;
        IndexAction::OwnerTo
    } else if c.accept(&["ATTACH", "PARTITION"]) {
        IndexAction::AttachPartition(names::qualified(c, "an index name")?)
    } else if let Some(extension) = super::object::depends_on_extension(c)? {
        IndexAction::DependsOnExtension(extension)
    } else if c.accept_any(&["SET", "RESET"]).is_some() {
        IndexAction::Options(options::setting_names(c)?)
    } else if c.accept(&["ALTER"]) {
        c.accept(&["COLUMN"]);
        let number = super::names::integer(c).ok();
        if number.is_none() {
            names::column_id(c, "a column number")?;
        }
        column_action(c, number.and_then(|number| number.parse().ok()))?
    } else {
        return Err(c.expected("RENAME, SET, RESET, ATTACH PARTITION or another action"));
    };
    Ok(StatementKind::AlterIndex(AlterIndex { name, if_exists, action }))
}

/// Takes what is set for a column of an index. The grammar reads options too, which the server
/// refuses later on.
fn column_action(c: &mut Cursor<'_>, number: Option<usize>) -> Parsed<IndexAction> {
    c.expect(&["SET"])?;
    if c.at_symbol("(") {
        return Ok(IndexAction::Options(options::setting_names(c)?));
    }
    c.expect(&["STATISTICS"])?;
    if !c.accept(&["DEFAULT"]) {
        names::integer(c)?;
    }
    Ok(IndexAction::SetStatistics(number))
}

fn rename(c: &mut Cursor<'_>, name: ObjectName, if_exists: bool) -> Parsed<StatementKind> {
    c.expect(&["TO"])?;
    let to = names::column_id(c, "an index name")?;
    let action = IndexAction::RenameTo(to);
    Ok(StatementKind::AlterIndex(AlterIndex { name, if_exists, action }))
}

/// Takes what follows `REINDEX`.
pub(super) fn reindex(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let mut concurrently = false;
    let mut tablespace = None;
    if c.at_symbol("(") {
        for (name, value) in options::utility(c)? {
            let off = matches!(value.to_ascii_lowercase().as_str(), "false" | "off" | "0");
            match name.as_str() {
                // PostgreSQL 14 made it an option (release notes).
                "concurrently" if c.server().version.major < 14 => {
                    return Err(c.expected("VERBOSE"));
                }
                "concurrently" => concurrently = !off,
                "tablespace" => tablespace = Some(value),
                _ => {}
            }
        }
    }
    let target = match c.accept_any(&["INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM"]) {
        Some("INDEX") => ReindexTarget::Index,
        Some("TABLE") => ReindexTarget::Table,
        Some("SCHEMA") => ReindexTarget::Schema,
        Some("DATABASE") => ReindexTarget::Database,
        Some(_) => ReindexTarget::System,
        None => return Err(c.expected("INDEX, TABLE, SCHEMA, DATABASE or SYSTEM")),
    };
    concurrently |= c.accept(&["CONCURRENTLY"]);
    let optional = matches!(target, ReindexTarget::Database | ReindexTarget::System);
    let name = match c.is_at_end() && optional {
        true => None,
        false => Some(names::qualified(c, "a name")?),
    };
    Ok(StatementKind::Reindex(Reindex { target, name, concurrently, tablespace }))
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn forms() {
        check(
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY app.t USING gin (a \
            COLLATE \"C\" text_pattern_ops DESC NULLS LAST, lower(b), (c || d) \
            jsonb_path_ops (siglen = 8)) INCLUDE (e) NULLS NOT DISTINCT WITH (fastupdate = \
            off) TABLESPACE x WHERE f IS NULL",
            "CreateIndex(CreateIndex { table: app.t, index: IndexDef { name: Some(i), kind: \
            Unique, method: Some(\"gin\"), parts: [KeyPart { key: Column(a), collation: \
            Some(\"C\"), opclass: Some(\"text_pattern_ops\"), descending: true, nulls_first: \
            Some(false) }, KeyPart { key: Expr(Expr { text: \"lower(b)\", columns: [\"b\"], \
            functions: [lower] }) }, KeyPart { key: Expr(Expr { text: \"c || d\", columns: \
            [\"c\", \"d\"] }), opclass: Some(\"jsonb_path_ops\") }], include: [e], \
            predicate: Some(Expr { text: \"f IS NULL\", columns: [\"f\"] }), \
            nulls_not_distinct: true, tablespace: Some(\"x\"), options: [(\"fastupdate\", \
            \"off\")] }, concurrently: true, if_not_exists: true, only: true })",
        );
        check(
            "CREATE INDEX ON t (a)",
            "CreateIndex(CreateIndex { table: t, index: IndexDef { kind: Plain, parts: \
            [KeyPart { key: Column(a) }] } })",
        );
        check("CREATE INDEX i ON t", "! expected (, found the end of the statement");
        check(
            "CREATE INDEX CONCURRENTLY ON t (a)",
            "CreateIndex(CreateIndex { table: t, index: IndexDef { kind: Plain, parts: \
            [KeyPart { key: Column(a) }] }, concurrently: true })",
        );
        check("CREATE INDEX IF NOT EXISTS ON t (a)", "! expected an index name, found \"ON\"");
        check(
            "ALTER INDEX IF EXISTS i RENAME TO j",
            "AlterIndex(AlterIndex { name: i, if_exists: true, action: RenameTo(j) })",
        );
        check(
            "ALTER INDEX i SET (fillfactor = 70)",
            "AlterIndex(AlterIndex { name: i, action: Options([\"fillfactor\"]) })",
        );
        check(
            "ALTER INDEX i ATTACH PARTITION app.j",
            "AlterIndex(AlterIndex { name: i, action: AttachPartition(app.j) })",
        );
        check(
            "ALTER INDEX i ALTER COLUMN 2 SET STATISTICS 100",
            "AlterIndex(AlterIndex { name: i, action: SetStatistics(Some(2)) })",
        );
        check(
            "ALTER INDEX i SET TABLESPACE x",
            "AlterIndex(AlterIndex { name: i, action: SetTablespace(\"x\") })",
        );
        check(
            "REINDEX INDEX CONCURRENTLY i",
            "Reindex(Reindex { target: Index, name: Some(i), concurrently: true })",
        );
        check(
            "REINDEX (CONCURRENTLY, TABLESPACE x) TABLE t",
            "Reindex(Reindex { target: Table, name: Some(t), concurrently: true, tablespace: \
            Some(\"x\") })",
        );
        check(
            "REINDEX (CONCURRENTLY off) SCHEMA app",
            "Reindex(Reindex { target: Schema, name: Some(app) })",
        );
        check("REINDEX DATABASE", "Reindex(Reindex { target: Database })");
        check("REINDEX i", "! expected INDEX, TABLE, SCHEMA, DATABASE or SYSTEM, found \"i\"");
    }
}
