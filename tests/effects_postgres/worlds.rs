//! Many statements, each on the same few schemas.

use std::collections::BTreeMap;

use lockwise::effect::{self, WalkOptions};
use lockwise::schema::Schema;
use lockwise::sql::{Server, ServerKind, ServerVersion, TransactionMode};
use serde_json::Value;

use crate::recorded::worlds::{NAMES, World, world};
use crate::recorded::{migration, rows, strings, summary};
use crate::told::Told;
use crate::{Case, compare, grouped};

#[test]
fn recorded_worlds_agree() {
    let mut all: Vec<Case> = Vec::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            NAMES.iter().map(|name| scope.spawn(|| judged(&world(name)))).collect();
        for thread in threads {
            all.extend(thread.join().expect("a world"));
        }
    });
    assert!(all.len() >= 2_000, "only {} statements were read", all.len());
    let all = without_gaps(all);
    let wrong = all.iter().filter(|(_, _, wrong)| !wrong.is_empty()).count();
    assert!(wrong == 0, "{wrong} of {} disagree\n{}", all.len(), summary(&all));
}

/// Compares what was recorded on a world with what is predicted.
fn judged(world: &World) -> Vec<Case> {
    let mut before: BTreeMap<u64, Schema> = BTreeMap::new();
    let mut all = Vec::new();
    for row in rows(&format!("postgres/worlds/{}.jsonl", world.name)) {
        for sql in strings(&row, "sql") {
            let mut wrong = Vec::new();
            for result in list(&row, "results") {
                let full = written_out(result);
                for version in list(result, "versions") {
                    let version = version.as_u64().expect("a number");
                    let schema = before.entry(version).or_insert_with(|| made(world, version));
                    let found = disagreements(schema, &sql, &full);
                    wrong.extend(found.into_iter().map(|line| (version, line)));
                }
            }
            all.push((format!("{}: {sql}", world.name), world.name.to_owned(), grouped(wrong)));
        }
    }
    all
}

fn list<'r>(row: &'r Value, field: &str) -> impl Iterator<Item = &'r Value> {
    row.get(field).and_then(Value::as_array).into_iter().flatten()
}

/// Returns the schema of a world.
fn made(world: &World, version: u64) -> Schema {
    let major = u16::try_from(version).expect("a small number");
    let server = Server { kind: ServerKind::Postgres, version: ServerVersion::new(major, 0, 0) };
    let mut schema = Schema::new(server, true);
    let setup = migration(server, "0001", std::slice::from_ref(&world.setup));
    effect::walk(&setup, &mut schema, &WalkOptions::default());
    schema
}

fn disagreements(before: &Schema, sql: &str, result: &Value) -> Vec<String> {
    let mut schema = before.clone();
    let mut second = migration(before.server, "0002", &[sql.to_owned()]);
    second.transaction = TransactionMode::Wrapped;
    let effects = effect::walk(&second, &mut schema, &WalkOptions::default());
    let told = Told::new(before, &effects);
    if result.get("sqlstate").and_then(Value::as_str) != Some("25001") {
        return compare::disagreements(before, &told, result);
    }
    if told.forbidden { Vec::new() } else { vec!["refused in a transaction".to_owned()] }
}

/// Adds what a recording leaves out because it says nothing.
fn written_out(result: &Value) -> Value {
    let mut full = result.as_object().cloned().unwrap_or_default();
    let ok = !full.contains_key("sqlstate");
    full.insert("ok".to_owned(), Value::Bool(ok));
    full.entry("locks").or_insert_with(|| Value::Object(serde_json::Map::new()));
    for list in ["rewrite", "index_rebuilt", "full_scan", "lost", "emptied", "messages"] {
        full.entry(list).or_insert_with(|| Value::Array(Vec::new()));
    }
    Value::Object(full)
}

/// Leaves out what is known not to be predicted: `worlds/gaps.txt` lists it, each with its reason.
/// What is listed and agrees fails the test.
fn without_gaps(mut all: Vec<Case>) -> Vec<Case> {
    let gaps = include_str!("../../testdata/servers/postgres/worlds/gaps.txt");
    let known: Vec<&str> =
        gaps.lines().map(|line| line.rsplit_once(" | ").expect("a case and a reason").0).collect();
    let differs = |gap: &str| all.iter().any(|(id, _, wrong)| id == gap && !wrong.is_empty());
    let closed: Vec<&&str> = known.iter().filter(|gap| !differs(gap)).collect();
    assert!(closed.is_empty(), "no gaps any more: {closed:?}");
    all.retain(|(id, _, wrong)| wrong.is_empty() || !known.contains(&id.as_str()));
    all
}
