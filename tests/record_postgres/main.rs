//! Records what PostgreSQL really does, in the form of `testdata/servers/postgres`.
//!
//! Nothing happens unless `LOCKWISE_RECORD_POSTGRES` names servers (`12=postgres://…;15=…`):
//!
//! ```text
//! LOCKWISE_RECORD_POSTGRES='15=postgres://postgres@127.0.0.1:5432/postgres' \
//! LOCKWISE_RECORD_CASES=cases-to-run.jsonl LOCKWISE_RECORD_OUT=recorded.jsonl \
//! cargo test --test record_postgres
//! ```
//!
//! A case to run has `id`, `family`, `setup_sql`, `sql` and maybe `session_sql`. It runs through
//! psql in a transaction that is rolled back: locks come from pg_locks, rewrites from file numbers,
//! scans from pg_stat_xact_all_tables, builds from DEBUG1 messages. A statement that refuses a
//! transaction runs alone, and only what it leaves is recorded. Without `LOCKWISE_RECORD_CASES` the
//! cases that are recorded already are run again and compared.
//!
//! `LOCKWISE_RECORD_WORLDS=plain,views` records the files of these worlds (`all`: every one)
//! instead, for the versions of the servers named; `clauses.txt` beside them lists what is tried.
//!
//! `wide.jsonl` can be recorded again in the same way. Its results with `"observed": "debugger"` are
//! of statements that refuse a transaction: a debugger stood at LockAcquireExtended of the session
//! and noted every lock asked for, which no client can. They are compared in what a client sees:
//! success or error, rewrites, indexes rebuilt, messages.

#![expect(clippy::expect_used, reason = "a server that cannot be asked fails the test")]

#[path = "../recorded/mod.rs"]
mod recorded;
mod server;
mod worlds;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use server::attempt;

#[test]
fn record() {
    let Ok(servers) = std::env::var("LOCKWISE_RECORD_POSTGRES") else { return };
    let servers = servers_in(&servers);
    if let Ok(wanted) = std::env::var("LOCKWISE_RECORD_WORLDS") {
        worlds::record(&servers, &wanted);
        return;
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/servers/postgres");
    let cases = std::env::var("LOCKWISE_RECORD_CASES")
        .unwrap_or_else(|_| format!("{folder}/recorded.jsonl"));
    let out = std::env::var("LOCKWISE_RECORD_OUT").unwrap_or_default();
    let cases: Vec<Value> = std::fs::read_to_string(cases)
        .expect("cases to run")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a case"))
        .collect();
    let columns: Vec<Vec<Value>> = std::thread::scope(|scope| {
        let run = |server: &(u64, String)| -> Vec<Value> {
            cases.iter().map(|case| run(case, &server.1)).collect()
        };
        let threads: Vec<_> =
            servers.iter().map(|server| scope.spawn(move || run(server))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a recording")).collect()
    });
    let mut lines = String::new();
    let mut changed = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        let results = servers
            .iter()
            .zip(&columns)
            .filter_map(|((version, _), column)| Some((*version, column.get(at)?.clone())));
        let row = with_results(case, grouped(results));
        if case.get("results").is_some() && !agrees(case, &row) {
            changed.push(case.get("id").cloned().unwrap_or_default());
        }
        lines.push_str(&format!("{row}\n"));
    }
    if out.is_empty() {
        assert!(changed.is_empty(), "these cases are another today: {changed:?}");
    } else {
        std::fs::write(out, lines).expect("a file for the recordings");
    }
}

/// Reads `12=postgres://…;15=…`.
fn servers_in(text: &str) -> Vec<(u64, String)> {
    text.split(';')
        .filter_map(|entry| entry.split_once('='))
        .map(|(version, url)| (version.trim().parse().expect("a version"), url.to_owned()))
        .collect()
}

fn with_results(case: &Value, results: Vec<Value>) -> Value {
    let mut row = Map::new();
    for field in ["id", "family", "setup_sql", "session_sql", "sql"] {
        if let Some(value) = case.get(field) {
            row.insert(field.to_owned(), value.clone());
        }
    }
    let in_txn = results.iter().all(|result| result.get("tx_ok") != Some(&Value::Bool(false)));
    row.insert("in_txn".to_owned(), Value::Bool(in_txn));
    row.insert("results".to_owned(), Value::Array(results));
    Value::Object(row)
}

/// Joins the versions with the same result.
fn grouped(results: impl Iterator<Item = (u64, Value)>) -> Vec<Value> {
    let mut groups: Vec<(Vec<u64>, Value)> = Vec::new();
    for (version, result) in results {
        match groups.iter_mut().find(|(_, known)| *known == result) {
            Some((versions, _)) => versions.push(version),
            None => groups.push((vec![version], result)),
        }
    }
    groups
        .into_iter()
        .map(|(versions, result)| {
            let mut object = Map::from_iter([("versions".to_owned(), json!(versions))]);
            if let Value::Object(fields) = result {
                object.extend(fields);
            }
            Value::Object(object)
        })
        .collect()
}

/// Says whether the versions that were run again did what was recorded for them.
fn agrees(old: &Value, new: &Value) -> bool {
    let by_version = |row: &Value| -> BTreeMap<u64, Value> {
        let results = row.get("results").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut found = BTreeMap::new();
        for mut result in results {
            let versions = result.as_object_mut().and_then(|object| object.remove("versions"));
            for version in versions.as_ref().and_then(Value::as_array).into_iter().flatten() {
                found.insert(version.as_u64().unwrap_or(0), result.clone());
            }
        }
        found
    };
    let old = by_version(old);
    by_version(new).iter().all(|(version, result)| {
        old.get(version).is_some_and(|known| visible(known, result) == visible(result, known))
    })
}

/// Leaves out the fields that one of two results does not have: where a debugger saw more, or a
/// version was recorded before scans were.
fn visible(result: &Value, other: &Value) -> Value {
    let mut result = result.clone();
    // The script ends every statement, and so the place of a syntax error may be another.
    let syntax = result.get("sqlstate").and_then(Value::as_str) == Some("42601");
    if let Some(object) = result.as_object_mut() {
        let by_debugger = [&*object, other.as_object().unwrap_or(&Map::new())]
            .iter()
            .any(|fields| fields.contains_key("observed"));
        object.retain(|field, _| {
            let unseen = by_debugger && matches!(field.as_str(), "locks" | "observed");
            let elsewhere = syntax && field == "error";
            !(unseen || elsewhere) && other.get(field).is_some()
        });
    }
    result
}

/// Runs a case, in a transaction if it may, and returns what was seen.
fn run(case: &Value, url: &str) -> Value {
    let inside = attempt(case, url, true);
    let refused = inside.get("sqlstate").and_then(Value::as_str) == Some("25001");
    if !refused {
        return inside;
    }
    let mut alone = attempt(case, url, false);
    if let Some(object) = alone.as_object_mut()
        && object.get("ok") == Some(&Value::Bool(true))
    {
        object.insert("tx_ok".to_owned(), Value::Bool(false));
        for unseen in ["locks", "full_scan", "lost"] {
            object.remove(unseen);
        }
    }
    alone
}
