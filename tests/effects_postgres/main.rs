//! What PostgreSQL 12 to 18 were seen doing, and what is predicted for it.
//!
//! A case says what exists before (`setup_sql`), what is run (`sql`), and for each group of
//! versions what happened: locks on relations that existed before, rewrites, full scans, index
//! builds, the transaction rule, losses, or the error. `tests/record_postgres.rs` records more of
//! them. Locks of statements that refuse a transaction were read with a debugger in
//! `wide.jsonl`: every request that the session made of the lock manager.
//!
//! `LOCKWISE_RECORDED=file` compares what `record_postgres` wrote there instead.

#![expect(
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "rows of JSON that are not as they should be fail the test; it looks at some effects only"
)]

mod compare;
#[path = "../recorded/mod.rs"]
mod recorded;
mod told;
mod worlds;

use std::collections::BTreeMap;

use lockwise::effect::{self, WalkOptions};
use lockwise::schema::Schema;
use lockwise::sql::{Server, ServerKind, ServerVersion, TransactionMode};
use recorded::{migration, rows, set_gaps_aside, strings, summary};
use serde_json::Value;
use told::Told;

#[test]
fn recorded_cases_agree() {
    let mut all = Vec::new();
    let mut versions: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
    let (least, gaps, files) = match std::env::var("LOCKWISE_RECORDED") {
        Ok(file) => (1, "", vec![file]),
        Err(_) => {
            let files = ["cases", "recorded", "wide"].map(|name| format!("postgres/{name}.jsonl"));
            let gaps = include_str!("../../testdata/servers/postgres/gaps.txt");
            (2_100, gaps, files.to_vec())
        }
    };
    for file in files {
        for row in rows(&file) {
            let id = row["id"].as_str().expect("an id").to_owned();
            let family = row["family"].as_str().expect("a family").to_owned();
            let mut wrong = Vec::new();
            for result in row["results"].as_array().expect("results") {
                for version in result["versions"].as_array().expect("versions") {
                    let version = version.as_u64().expect("a number");
                    let found = disagreements(&row, result, version);
                    let entry = versions.entry(version).or_default();
                    entry.0 += 1;
                    entry.1 += usize::from(found.is_empty());
                    wrong.extend(found.into_iter().map(|line| (version, line)));
                }
            }
            let sql = row["sql"].as_str().unwrap_or_default().replace('\n', " ");
            let mut lines: Vec<String> = grouped(wrong);
            if !lines.is_empty() {
                lines.insert(0, sql);
            }
            all.push((id, family, lines));
        }
    }
    assert!(all.len() >= least, "only {} cases were read", all.len());
    set_gaps_aside(&mut all, gaps);
    let wrong = all.iter().filter(|(_, _, wrong)| !wrong.is_empty()).count();
    let versions = versions
        .into_iter()
        .map(|(version, (cases, right))| format!("PostgreSQL {version}: {right} of {cases}\n"))
        .collect::<String>();
    assert!(wrong == 0, "{wrong} of {} disagree\n{}{versions}", all.len(), summary(&all));
}

/// Joins the versions that have the same disagreement.
fn grouped(wrong: Vec<(u64, String)>) -> Vec<String> {
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (version, line) in wrong {
        lines.entry(line).or_default().push(version.to_string());
    }
    lines.into_iter().map(|(line, versions)| format!("{}: {line}", versions.join(","))).collect()
}

fn disagreements(row: &Value, result: &Value, version: u64) -> Vec<String> {
    if result["setup_failed"] == Value::Bool(true) {
        return Vec::new();
    }
    let major = u16::try_from(version).expect("a small number");
    let server = Server { kind: ServerKind::Postgres, version: ServerVersion::new(major, 0, 0) };
    let mut schema = Schema::new(server, true);
    let options = WalkOptions::default();
    effect::walk(&migration(server, "0001", &strings(row, "setup_sql")), &mut schema, &options);
    let before = schema.clone();
    let sql: Vec<String> =
        strings(row, "session_sql").into_iter().chain(strings(row, "sql")).collect();
    let mut second = migration(server, "0002", &sql);
    if row["in_txn"] == Value::Bool(true) {
        second.transaction = TransactionMode::Wrapped;
    }
    let effects = effect::walk(&second, &mut schema, &options);
    let told = Told::new(&before, &effects);
    compare::disagreements(&before, &told, result)
}

/// A case: its id, its family, and where prediction and recording differ.
type Case = (String, String, Vec<String>);
