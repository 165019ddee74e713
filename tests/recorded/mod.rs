//! Reads recorded cases and asks the library what it predicts for them.

#![allow(dead_code, reason = "each file of tests uses its part")]

pub(crate) mod worlds;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lockwise::effect::{self, MigrationEffects, WalkOptions};
use lockwise::schema::Schema;
use lockwise::sql::{
    self, Convention, Migration, Section, Server, ServerKind, Source, Span, TransactionMode,
    Version,
};
use serde_json::Value;

/// Returns the rows of a file of recorded cases.
pub(crate) fn rows(path: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/servers").join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a row of JSON")).collect()
}

/// Returns the strings of a field that is a list, or one string.
pub(crate) fn strings(row: &Value, field: &str) -> Vec<String> {
    match row.get(field) {
        Some(Value::Array(items)) => {
            items.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
        }
        Some(Value::String(text)) => vec![text.clone()],
        _ => Vec::new(),
    }
}

/// Returns the server of a row.
pub(crate) fn server(row: &Value, kind: ServerKind) -> Server {
    let version = row["version"].as_str().expect("a version").parse().expect("numbers");
    Server { kind, version }
}

/// Returns a migration of statements that nobody wraps in a transaction.
pub(crate) fn migration(server: Server, version: &str, statements: &[String]) -> Migration {
    let mut text = String::new();
    for statement in statements {
        // A body with semicolons is one statement to the client that recorded it.
        let compound = server.kind.is_mysql_family() && statement.contains("; ");
        if compound {
            text.push_str(&format!("DELIMITER //\n{statement}//\nDELIMITER ;\n"));
        } else {
            text.push_str(statement);
            text.push_str(";\n");
        }
    }
    let end = u32::try_from(text.len()).expect("a short text");
    let source = Source::new(format!("{version}.sql"), text);
    let section = Section { source, range: Span::new(0, end), reading: Default::default() };
    Migration {
        version: Version::new(version),
        name: version.to_owned(),
        convention: Convention::Plain,
        transaction: TransactionMode::Unwrapped,
        marker: None,
        repeatable: false,
        after_unknown: false,
        up: sql::parse(section, server),
        down: None,
    }
}

/// What is predicted for a case.
pub(crate) struct Prediction {
    /// The migration.
    pub(crate) migration: Migration,
    /// Its effects.
    pub(crate) effects: MigrationEffects,
}

/// Returns what is predicted for statements that meet a schema with rows in its tables.
pub(crate) fn predict(
    server: Server,
    schema_sql: &[String],
    rows: bool,
    sql: &[String],
    settings: BTreeMap<String, String>,
) -> Prediction {
    let mut schema = Schema::new(server, true);
    let mut before = schema_sql.to_vec();
    if rows {
        for statement in schema_sql {
            if let Some(table) = table_of(statement) {
                before.push(format!("INSERT INTO {table} SELECT * FROM {table}"));
            }
        }
    }
    let options = WalkOptions { settings, ..WalkOptions::default() };
    effect::walk(&migration(server, "0001", &before), &mut schema, &options);
    let migration = migration(server, "0002", sql);
    let effects = effect::walk(&migration, &mut schema, &options);
    Prediction { migration, effects }
}

fn table_of(statement: &str) -> Option<&str> {
    let rest = statement.strip_prefix("CREATE ")?;
    let rest = rest.strip_prefix("TEMPORARY ").unwrap_or(rest).strip_prefix("TABLE ")?;
    match rest.strip_prefix('"') {
        Some(quoted) => rest.get(..quoted.find('"')? + 2),
        None => rest.split([' ', '(']).next(),
    }
}

/// Sets aside the cases that `gaps` names: those known not to be predicted, one a line, each with
/// its reason. A gap that is none any more fails the test.
#[track_caller]
pub(crate) fn set_gaps_aside(all: &mut Vec<(String, String, Vec<String>)>, gaps: &str) {
    let first = |line: &str| line.split(' ').next().map(ToOwned::to_owned);
    let known: BTreeSet<String> = gaps.lines().filter_map(first).collect();
    let is_known = |id: &str| first(id).is_some_and(|id| known.contains(&id));
    let closed = all.iter().filter(|(id, _, wrong)| wrong.is_empty() && is_known(id));
    let closed: Vec<&str> = closed.map(|(id, _, _)| id.as_str()).collect();
    assert!(closed.is_empty(), "no gaps any more: {}", closed.join(", "));
    all.retain(|(id, _, wrong)| wrong.is_empty() || !is_known(id));
}

/// Returns the disagreements as one text, and how many rows there are by family.
pub(crate) fn summary(all: &[(String, String, Vec<String>)]) -> String {
    let mut families: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut text = String::new();
    for (id, family, wrong) in all {
        let entry = families.entry(family).or_default();
        entry.0 += 1;
        entry.1 += usize::from(wrong.is_empty());
        if !wrong.is_empty() {
            text.push_str(&format!("{id}\n"));
            for line in wrong {
                text.push_str(&format!("    {line}\n"));
            }
        }
    }
    for (family, (rows, right)) in families {
        text.push_str(&format!("{family}: {right} of {rows}\n"));
    }
    text
}
