//! Prepared statements, EXPLAIN, CALL, notifications and other commands of a few words.

use super::{body, call, expr, names, options, other, types};
use crate::sql::ast::{Other, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};

fn plain(what: &'static str) -> StatementKind {
    StatementKind::Other(other(what, None, Vec::new()))
}

/// Takes what follows `EXPLAIN`.
pub(super) fn explain(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let mut analyze = false;
    if c.at_symbol("(") && !super::select::at_query(c) {
        let off = |value: &str| ["false", "off", "0"].contains(&value);
        for (name, value) in options::utility(c)? {
            if matches!(name.as_str(), "analyze" | "analyse") {
                analyze = !off(&value);
            }
        }
    } else {
        analyze = c.accept_any(&["ANALYZE", "ANALYSE"]).is_some();
        c.accept(&["VERBOSE"]);
    }
    const EXPLAINED: &[&str] = &[
        "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE", "WITH", "DECLARE",
        "CREATE", "REFRESH", "EXECUTE",
    ];
    if !c.at_symbol("(") && !EXPLAINED.iter().any(|word| c.at(&[word])) {
        return Err(c.expected("a query or a data change"));
    }
    let statement = Box::new(body::nested(c)?);
    Ok(StatementKind::Explain { analyze, statement })
}

/// Takes what follows `PREPARE`.
pub(super) fn prepare(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    names::column_id(c, "a name")?;
    if c.at_symbol("(") {
        call::enclosed(c, |c| names::list(c, types::data_type).map(|_| ()))?;
    }
    c.expect(&["AS"])?;
    let mut found = other("prepare", None, Vec::new());
    if let StatementKind::Dml(dml) = super::dml::statement(c)? {
        // The table that is changed stands first.
        found.options.extend((!dml.targets.is_empty()).then(|| "changes".to_owned()));
        found.names.extend(dml.targets);
        found.names.extend(dml.query.reads);
    }
    Ok(StatementKind::Other(found))
}

/// Takes what follows `EXECUTE`.
pub(super) fn execute(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    names::column_id(c, "a prepared statement")?;
    if c.at_symbol("(") {
        let mut found = super::found::Found::default();
        call::enclosed(c, |c| expr::full_list(c, &mut found))?;
    }
    Ok(plain("execute"))
}

/// Takes what follows `CALL`.
pub(super) fn call(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let mut found = super::found::Found::default();
    let name = super::from::function_call(c, &mut found)?;
    Ok(StatementKind::Call { name })
}

/// Takes what follows one of the words of [`VERBS`].
pub(super) fn command(c: &mut Cursor<'_>, verb: &str) -> Parsed<StatementKind> {
    match verb {
        "DEALLOCATE" => {
            c.accept(&["PREPARE"]);
            all_or_name(c)?;
            Ok(plain("deallocate"))
        }
        "CLOSE" => {
            all_or_name(c)?;
            Ok(plain("close"))
        }
        "LISTEN" => {
            names::column_id(c, "a channel")?;
            Ok(plain("listen"))
        }
        "UNLISTEN" => {
            if !c.accept_symbol("*") {
                names::column_id(c, "a channel")?;
            }
            Ok(plain("unlisten"))
        }
        "NOTIFY" => {
            names::column_id(c, "a channel")?;
            if c.accept_symbol(",") {
                names::string(c)?;
            }
            Ok(plain("notify"))
        }
        "LOAD" => {
            names::string(c)?;
            Ok(plain("load"))
        }
        "DISCARD" => {
            let words = ["ALL", "TEMP", "TEMPORARY", "PLANS", "SEQUENCES"];
            match c.accept_any(&words) {
                Some("ALL") => Ok(plain("discard-all")),
                Some(_) => Ok(plain("discard")),
                None => Err(c.expected("ALL, PLANS, SEQUENCES or TEMP")),
            }
        }
        _ => {
            c.expect(&["OWNED", "BY"])?;
            let roles = names::roles(c)?;
            c.expect(&["TO"])?;
            names::role(c)?;
            // Roles are no objects of a schema: they stand among the options.
            let found = other("reassign-owned", None, Vec::new());
            Ok(StatementKind::Other(Other { options: roles, ..found }))
        }
    }
}

/// Words that begin a command of a few words.
pub(super) const VERBS: &[&str] =
    &["DEALLOCATE", "CLOSE", "LISTEN", "UNLISTEN", "NOTIFY", "LOAD", "DISCARD", "REASSIGN"];

fn all_or_name(c: &mut Cursor<'_>) -> Parsed<()> {
    if !c.accept(&["ALL"]) {
        names::column_id(c, "a name")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn forms() {
        check(
            "EXPLAIN ANALYZE VERBOSE DELETE FROM t",
            "Explain { analyze: true, statement: Statement { kind: Dml(Dml { kind: Delete, \
            targets: [t], query: Query {} }) } }",
        );
        check(
            "EXPLAIN (ANALYZE off, FORMAT json) SELECT 1",
            "Explain { statement: Statement { kind: Dml(Dml { kind: Select, query: Query {} \
            }) } }",
        );
        check("EXPLAIN DROP TABLE t", "! expected a query or a data change, found \"DROP\"");
        check("PREPARE p (int) AS SELECT $1", "Other(Other { what: \"prepare\" })");
        check("EXECUTE p (1)", "Other(Other { what: \"execute\" })");
        check("DEALLOCATE ALL", "Other(Other { what: \"deallocate\" })");
        check("CALL app.p(1, x => 2)", "Call { name: app.p }");
        check("LISTEN c", "Other(Other { what: \"listen\" })");
        check("NOTIFY c, 'x'", "Other(Other { what: \"notify\" })");
        check("DISCARD ALL", "Other(Other { what: \"discard-all\" })");
        check("LOAD 'x'", "Other(Other { what: \"load\" })");
        check(
            "REASSIGN OWNED BY a TO b",
            "Other(Other { what: \"reassign-owned\", options: [\"a\"] })",
        );
        check(
            "IMPORT FOREIGN SCHEMA a LIMIT TO (t) FROM SERVER s INTO b",
            "Other(Other { what: \"import-foreign-schema\", object: Some(Schema), names: [b, s] \
            })",
        );
        check("CALL p", "! expected (, found the end of the statement");
        check("FOO BAR", "! expected a statement, found \"FOO\"");
    }
}
