//! VACUUM, ANALYZE, CLUSTER, TRUNCATE.

use super::{from, names, options};
use crate::sql::ast::{Maintenance, MaintenanceKind, StatementKind, Truncate};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::name::ObjectName;

/// Takes what follows `VACUUM`.
pub(super) fn vacuum(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let words = if c.at_symbol("(") {
        options::words(options::utility(c)?)
    } else {
        let mut words = Vec::new();
        for word in ["FULL", "FREEZE", "VERBOSE"] {
            if c.accept(&[word]) {
                words.push(word.to_ascii_lowercase());
            }
        }
        if c.accept(&["ANALYZE"]) || c.accept(&["ANALYSE"]) {
            words.push("analyze".to_owned());
        }
        words
    };
    relations(c, MaintenanceKind::Vacuum, words)
}

/// Takes what follows `ANALYZE`.
pub(super) fn analyze(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let words = if c.at_symbol("(") {
        options::words(options::utility(c)?)
    } else if c.accept(&["VERBOSE"]) {
        vec!["verbose".to_owned()]
    } else {
        Vec::new()
    };
    relations(c, MaintenanceKind::Analyze, words)
}

fn relations(
    c: &mut Cursor<'_>,
    kind: MaintenanceKind,
    options: Vec<String>,
) -> Parsed<StatementKind> {
    let (mut tables, mut columns) = (Vec::new(), Vec::new());
    if !c.is_at_end() {
        tables = names::list(c, |c| {
            let name = from::relation(c)?;
            let listed = names::optional_column_list(c)?;
            columns.extend(listed.into_iter().map(|column| (name.clone(), column)));
            Ok(name)
        })?;
    }
    Ok(StatementKind::Maintenance(Maintenance { kind, tables, columns, options, index: None }))
}

/// Takes what follows `CLUSTER`.
pub(super) fn cluster(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let words = if c.at_symbol("(") {
        options::words(options::utility(c)?)
    } else if c.accept(&["VERBOSE"]) {
        vec!["verbose".to_owned()]
    } else {
        Vec::new()
    };
    let mut found = Maintenance {
        kind: MaintenanceKind::Cluster,
        tables: Vec::new(),
        columns: Vec::new(),
        options: words,
        index: None,
    };
    if !c.is_at_end() {
        let name = names::qualified(c, "a table name")?;
        if c.accept(&["USING"]) {
            found.index = Some(names::column_id(c, "an index name")?);
            found.tables.push(name);
        } else if c.accept(&["ON"]) {
            // The order of PostgreSQL before 8.3, read to this day: `CLUSTER index ON table`.
            found.index = name.parts.last().cloned();
            found.tables.push(names::qualified(c, "a table name")?);
        } else {
            found.tables.push(name);
        }
    }
    Ok(StatementKind::Maintenance(found))
}

/// Takes what follows `TRUNCATE`.
pub(super) fn truncate(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    c.accept(&["TABLE"]);
    let mut only = false;
    let tables: Vec<ObjectName> = names::list(c, |c| {
        only |= c.at(&["ONLY"]);
        from::relation(c)
    })?;
    let restart_identity = c.accept(&["RESTART", "IDENTITY"]);
    if !restart_identity {
        c.accept(&["CONTINUE", "IDENTITY"]);
    }
    let cascade = names::cascade(c);
    Ok(StatementKind::Truncate(Truncate { tables, only, restart_identity, cascade }))
}

/// Takes what follows `CHECKPOINT`.
pub(super) fn checkpoint(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let words = match c.at_symbol("(") {
        true => options::words(options::utility(c)?),
        false => Vec::new(),
    };
    Ok(StatementKind::Maintenance(Maintenance {
        kind: MaintenanceKind::Checkpoint,
        tables: Vec::new(),
        columns: Vec::new(),
        options: words,
        index: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn forms() {
        check(
            "VACUUM FULL FREEZE VERBOSE ANALYZE t (a), u",
            "Maintenance(Maintenance { kind: Vacuum, tables: [t, u], columns: [(t, a)], \
            options: [\"full\", \"freeze\", \"verbose\", \"analyze\"] })",
        );
        check(
            "VACUUM (FULL, TRUNCATE off, PARALLEL 2) t",
            "Maintenance(Maintenance { kind: Vacuum, tables: [t], options: [\"full\", \
            \"truncate=false\", \"parallel=2\"] })",
        );
        check("VACUUM", "Maintenance(Maintenance { kind: Vacuum })");
        check(
            "ANALYZE VERBOSE t (a)",
            "Maintenance(Maintenance { kind: Analyze, tables: [t], columns: [(t, a)], options: \
            [\"verbose\"] })",
        );
        check(
            "CLUSTER t USING i",
            "Maintenance(Maintenance { kind: Cluster, tables: [t], index: Some(i) })",
        );
        check(
            "CLUSTER (VERBOSE)",
            "Maintenance(Maintenance { kind: Cluster, options: [\"verbose\"] })",
        );
        check(
            "TRUNCATE TABLE ONLY a, b RESTART IDENTITY CASCADE",
            "Truncate(Truncate { tables: [a, b], only: true, restart_identity: true, cascade: \
            true })",
        );
        check("CHECKPOINT", "Maintenance(Maintenance { kind: Checkpoint })");
        check("VACUUM FULL t, ANALYZE", "! expected a table name, found \"ANALYZE\"");
    }
}
