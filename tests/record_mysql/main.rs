//! Records what MySQL and MariaDB really do, in the form of `testdata/servers/{mysql,mariadb}`.
//!
//! Without further ado a part of the recordings is asked again from the MariaDB of `tests/run`. To
//! record, name servers and files:
//!
//! ```text
//! LOCKWISE_RECORD_MYSQL='mysql://root@127.0.0.1:3306/;mysql://root@127.0.0.1:3307/' \
//! LOCKWISE_RECORD_CASES=cases-to-run.jsonl LOCKWISE_RECORD_OUT=folder \
//! cargo test --test record_mysql
//! ```
//!
//! A case to run has `case`, `family`, `schema`, `schema_sql`, `seed_rows`, `session`, `sql` and
//! maybe `waits`.
//! The statement runs as it is, inside a transaction; then with every ALGORITHM and LOCK from the
//! best to the worst, until one is accepted; then beside idle transactions that read or wrote a
//! table. Each time the database is made anew. A rebuild shows by the number of the table, index
//! work by the numbers of its indexes. `folder/mysql.jsonl` and
//! `folder/mariadb.jsonl` get the rows.

#![expect(clippy::expect_used, reason = "a server that cannot be asked fails the test")]
#![expect(clippy::indexing_slicing, reason = "fields of a JSON object are set by name")]
#![expect(clippy::print_stderr, reason = "a recorder tells what it leaves out")]

mod server;

use serde_json::{Value, json};
use server::{Attempt, Case, Recorder};

/// How many recordings are skipped for each that is asked again.
const EVERY: usize = 24;

#[test]
fn record() {
    let Ok(urls) = std::env::var("LOCKWISE_RECORD_MYSQL") else { return };
    let cases = rows(&std::env::var("LOCKWISE_RECORD_CASES").expect("cases to run"));
    let folder = std::env::var("LOCKWISE_RECORD_OUT").expect("a folder for the recordings");
    let columns: Vec<Vec<Value>> = std::thread::scope(|scope| {
        let run = |url: &str| -> Vec<Value> {
            let mut recorder = Recorder::new(url, "lockwise_record");
            cases.iter().filter_map(|case| recorded(&mut recorder, case)).collect()
        };
        let threads: Vec<_> =
            urls.split(';').map(|url| scope.spawn(move || run(url.trim()))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a recording")).collect()
    });
    for engine in ["mysql", "mariadb"] {
        let longest = columns.iter().map(Vec::len).max().unwrap_or(0);
        let lines: String = (0..longest)
            .flat_map(|at| columns.iter().filter_map(move |column| column.get(at)))
            .filter(|row| row.get("engine").and_then(Value::as_str) == Some(engine))
            .map(|row| format!("{row}\n"))
            .collect();
        std::fs::write(format!("{folder}/{engine}.jsonl"), lines).expect("a file to write");
    }
}

#[test]
fn recordings_are_what_the_server_does() {
    let url = std::env::var("LOCKWISE_TEST_MARIADB")
        .expect("LOCKWISE_TEST_MARIADB is not set: run the tests with tests/run");
    let mut recorder = Recorder::new(&url.replace("mariadb://", "mysql://"), "lockwise_again");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/servers/mariadb/recorded.jsonl");
    let series = recorder.series();
    // Older recordings were made beside other rows, and tell less.
    let of_version = |row: &Value| {
        if row.get("case").is_none() {
            return false;
        }
        let version = row.get("version").and_then(Value::as_str).unwrap_or_default();
        version.starts_with(&format!("{series}."))
    };
    let mut changed = Vec::new();
    for row in rows(path).into_iter().filter(of_version).step_by(EVERY) {
        let again = recorded(&mut recorder, &row).unwrap_or_default();
        if row.get("verdict") != again.get("verdict") {
            let [old, new] = [&row, &again].map(|row| row.get("verdict").cloned());
            changed.push(format!("{}: {old:?}\n  today: {new:?}", row["id"]));
        }
    }
    assert!(changed.is_empty(), "another verdict today:\n{}", changed.join("\n"));
}

fn rows(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a file of rows");
    text.lines().map(|line| serde_json::from_str(line).expect("a row of JSON")).collect()
}

/// Runs a case on a server and returns its row, if the server is one of those it is for.
fn recorded(recorder: &mut Recorder, row: &Value) -> Option<Value> {
    let engine = recorder.engine();
    if row.get("engine").and_then(Value::as_str).is_some_and(|only| only != engine) {
        return None;
    }
    let case = Case::of(row);
    let id = format!("{engine}-{}/{}", recorder.series(), case.name);
    let alone = match recorder.alone(&case) {
        Ok(alone) => alone,
        Err(message) => {
            eprintln!("{id}: what is before cannot be made: {message}");
            return None;
        }
    };
    let mut verdict = json!({
        "ok": alone.error.is_none(),
        "errno": alone.error.as_ref().map(|(code, _)| code),
        "strongest_algorithm": null,
        "weakest_lock": null,
        "rebuilds": alone.error.is_none().then_some(alone.rebuilt),
        "implicit_commit": alone.committed,
    });
    if alone.error.is_none() {
        if let Some((algorithm, lock)) = recorder.weakest(&case) {
            verdict["strongest_algorithm"] = json!(algorithm);
            verdict["weakest_lock"] = json!(lock);
        }
        // MySQL does not list the indexes of partitions.
        let unseen = recorder.engine() == "mysql" && case.before.join(" ").contains("PARTITION BY");
        verdict["built"] = if unseen { Value::Null } else { json!(alone.built) };
    } else {
        verdict["left"] = json!(alone.left);
    }
    if case.waits && alone.error.is_none() {
        verdict["waits_for_idle_transactions_on"] = json!(recorder.waits(&case));
    }
    Some(row_of(&case, &id, recorder, verdict, &alone))
}

fn row_of(case: &Case, id: &str, at: &Recorder, verdict: Value, alone: &Attempt) -> Value {
    let message = alone.error.as_ref().map_or("", |(_, message)| message.as_str());
    json!({
        "id": id, "case": case.name, "engine": at.engine(), "version": at.version(),
        "family": case.family, "schema": case.schema, "schema_sql": case.before,
        "seed_rows": case.rows, "session": case.session, "sql": case.sql, "waits": case.waits,
        "verdict": verdict, "message": message,
    })
}
