//! What MySQL and MariaDB were seen doing, and what is predicted for it.
//!
//! `LOCKWISE_RECORDED=folder` compares what `record_mysql` wrote there instead.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "rows of JSON that are not as they should be fail the test; it looks at some effects only"
)]

mod recorded;

use std::collections::{BTreeMap, BTreeSet};

use lockwise::effect::{EffectKind, LockMode, StatementRun, TransactionRule};
use lockwise::sql::ServerKind;
use recorded::{predict, rows, server, set_gaps_aside, strings, summary};
use serde_json::Value;

#[test]
fn recorded_cases_of_mariadb_agree() {
    let gaps = include_str!("../testdata/servers/mariadb/gaps.txt");
    check(ServerKind::Mariadb, "mariadb", 13_500, gaps);
}

#[test]
fn recorded_cases_of_mysql_agree() {
    let gaps = include_str!("../testdata/servers/mysql/gaps.txt");
    check(ServerKind::Mysql, "mysql", 6_300, gaps);
}

/// The statement that stands for an operation of the manual's tables, by its id: what is there
/// before, the settings, the statement.
const OPERATIONS: &[(&str, &str, &str, &str)] = &[
    ("column/renaming_a_column", "", "", "RENAME COLUMN b TO b2"),
    ("column/reordering_columns", "", "", "MODIFY b INT NULL FIRST"),
    ("column/changing_the_column_data_type", "", "", "MODIFY b BIGINT NULL"),
    (
        "column/modifying_the_definition_of_an_enum_or_set_column",
        "",
        "",
        "MODIFY e ENUM('x','y','z') NULL",
    ),
    ("generated_column/adding_a_stored_column", "", "", "ADD COLUMN g INT AS (a + 1) STORED"),
    ("generated_column/dropping_a_virtual_column", ", v INT AS (a) VIRTUAL", "", "DROP COLUMN v"),
    (
        "foreign_key/adding_a_foreign_key_constraint",
        "",
        "SET foreign_key_checks=0",
        "ADD FOREIGN KEY (b) REFERENCES t (id)",
    ),
    ("table/changing_the_key_block_size", "", "", "KEY_BLOCK_SIZE=8"),
    ("table/rebuilding_with_the_force_option", "", "", "FORCE"),
    ("table/performing_a_null_rebuild", "", "", "ENGINE=InnoDB"),
];

#[test]
fn operations_of_the_manual_agree() {
    let rows = rows("mysql/manual.jsonl");
    let mut wrong = Vec::new();
    for (id, columns, session, action) in OPERATIONS {
        let wanted = format!("mysqldoc/{id}");
        let row = rows.iter().find(|row| row["id"] == wanted.as_str()).expect("a row");
        let create = format!(
            "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a INT NOT NULL, b INT NULL, \
             e ENUM('x','y') NULL{columns}, KEY b (b))"
        );
        for version in ["8.0.36", "8.4.3"] {
            let server = lockwise::sql::Server {
                kind: ServerKind::Mysql,
                version: version.parse().expect("numbers"),
            };
            let sql: Vec<String> = [(*session).to_owned(), format!("ALTER TABLE t {action}")]
                .into_iter()
                .filter(|statement| !statement.is_empty())
                .collect();
            let found = predict(server, std::slice::from_ref(&create), true, &sql, BTreeMap::new());
            let run = found.effects.statements.last().expect("a statement");
            let online = run.effects.online.expect("an algorithm");
            let yes = |field: &str| row[field].as_str().is_some_and(|cell| cell.starts_with("yes"));
            let algorithm = match (yes("instant"), yes("in_place")) {
                (true, _) => "INSTANT",
                (false, true) => "INPLACE",
                (false, false) => "COPY",
            };
            let rewrites = run.effects.effects.iter();
            let rebuilt = rewrites.clone().any(|e| matches!(e.kind, EffectKind::Rewrite { .. }));
            let told = (online.algorithm.as_str(), rebuilt, online.lock.as_str() != "SHARED");
            let seen = (algorithm, yes("rebuilds_table"), yes("permits_concurrent_dml"));
            if told != seen {
                wrong.push(format!("{id} on {version}: the manual {seen:?}, predicted {told:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What changed between versions, as release notes and manuals say it.
#[test]
fn versions_of_the_manual_agree() {
    let mut wrong = Vec::new();
    let all = rows("mysql/manual.jsonl");
    for row in all.iter().filter(|row| row["answers"].is_array()) {
        let kind = if row["engine"] == "mysql" { ServerKind::Mysql } else { ServerKind::Mariadb };
        for answer in row["answers"].as_array().expect("a list") {
            let server = server(answer, kind);
            let (before, sql) = (strings(row, "schema_sql"), strings(row, "sql"));
            let found = predict(server, &before, true, &sql, BTreeMap::new());
            let run = found.effects.statements.last().expect("a statement");
            let mut told = serde_json::json!({ "version": answer["version"] });
            let online = run.effects.online;
            let mut tell = |field: &str, value: Value| {
                if answer.get(field).is_some() {
                    told[field] = value;
                }
            };
            tell("algorithm", online.map(|online| online.algorithm.as_str()).into());
            tell("lock", online.map(|online| online.lock.as_str()).into());
            let effects = || run.effects.effects.iter().map(|effect| &effect.kind);
            let rebuilds = effects().any(|kind| matches!(kind, EffectKind::Rewrite { .. }));
            tell("rebuilds", rebuilds.into());
            let versions = effects().find_map(|kind| match kind {
                EffectKind::Declares(found) if found.what == "row-versions-left" => {
                    Some(found.value.clone())
                }
                _ => None,
            });
            tell("row_versions", versions.into());
            let refused = effects().find_map(|kind| match kind {
                EffectKind::Failure(failure) if failure.certain => failure.code,
                _ => None,
            });
            tell("errno", refused.into());
            if told != *answer {
                wrong.push(format!("{}: {answer}, predicted {told}", row["id"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check(kind: ServerKind, folder: &str, least: usize, gaps: &str) {
    let mut all = Vec::new();
    let (least, gaps, files) = match std::env::var("LOCKWISE_RECORDED") {
        Ok(elsewhere) => (1, "", vec![format!("{elsewhere}/{folder}.jsonl")]),
        Err(_) => {
            let files = ["cases", "recorded"].map(|file| format!("{folder}/{file}.jsonl"));
            (least, gaps, files.to_vec())
        }
    };
    for file in files {
        for row in rows(&file) {
            let family = row["family"].as_str().expect("a family").to_owned();
            let sql = strings(&row, "sql").join("; ");
            let short: String = sql.chars().take(120).collect();
            let session = strings(&row, "session").join("; ");
            let id = format!(
                "{} [{}] {session} {short}",
                row["id"].as_str().expect("an id"),
                row["schema"].as_str().unwrap_or_default()
            );
            all.push((id, family, disagreements(&row, kind)));
        }
    }
    assert!(all.len() >= least, "only {} cases were read", all.len());
    set_gaps_aside(&mut all, gaps);
    let wrong = all.iter().filter(|(_, _, wrong)| !wrong.is_empty()).count();
    assert!(wrong == 0, "{wrong} of {} disagree\n{}", all.len(), summary(&all));
}

fn disagreements(row: &Value, kind: ServerKind) -> Vec<String> {
    let server = server(row, kind);
    let filled = row["seed_rows"].as_u64().is_some_and(|count| count > 0);
    let mut sql = strings(row, "session");
    // The recorder runs every statement of its own in a transaction.
    let own = row["waits"].is_boolean();
    sql.extend(own.then(|| "START TRANSACTION".to_owned()));
    sql.extend(strings(row, "sql"));
    let found = predict(server, &strings(row, "schema_sql"), filled, &sql, BTreeMap::new());
    let Some(run) = found.effects.statements.last() else { return vec!["not read".to_owned()] };
    let verdict = &row["verdict"];
    let ok = verdict["ok"] == Value::Bool(true);
    let mut wrong = Vec::new();
    outcome(run, verdict, ok, &mut wrong);
    // COMMIT says that it commits.
    if sql.last().is_none_or(|last| last != "COMMIT") {
        commit(run, verdict, &mut wrong);
    }
    if ok {
        online(run, row, &mut wrong);
        builds(run, verdict, &mut wrong);
        rebuilds(run, row, &mut wrong);
        if filled {
            waits(run, verdict, own, &mut wrong);
        }
    }
    wrong
}

fn outcome(run: &StatementRun, verdict: &Value, ok: bool, wrong: &mut Vec<String>) {
    let failures: Vec<_> = run
        .effects
        .effects
        .iter()
        .filter_map(|effect| match &effect.kind {
            EffectKind::Failure(failure) => Some(failure),
            _ => None,
        })
        .collect();
    let unknown = run.effects.effects.iter().find_map(|effect| match &effect.kind {
        EffectKind::Unknown { reason } => Some(reason.clone()),
        _ => None,
    });
    if ok {
        if let Some(reason) = unknown {
            wrong.push(format!("succeeds, but is unknown: {reason}"));
        }
        for failure in failures.iter().filter(|failure| failure.certain) {
            wrong.push(format!("succeeds, predicted: {} {:?}", failure.detail, failure.code));
        }
        return;
    }
    let errno = verdict["errno"].to_string();
    let codes: Vec<&str> = failures.iter().filter_map(|failure| failure.code).collect();
    if !codes.contains(&errno.as_str()) {
        wrong.push(format!("fails with {errno}, predicted {codes:?}"));
    }
}

fn commit(run: &StatementRun, verdict: &Value, wrong: &mut Vec<String>) {
    let seen = verdict["implicit_commit"] == Value::Bool(true);
    let told = run.effects.transaction == TransactionRule::CommitsImplicitly;
    if seen != told {
        wrong.push(format!("commits: {seen}, predicted {told}"));
    }
}

fn online(run: &StatementRun, row: &Value, wrong: &mut Vec<String>) {
    let verdict = &row["verdict"];
    let seen = verdict["strongest_algorithm"]
        .as_str()
        .zip(verdict["weakest_lock"].as_str())
        .map(|(algorithm, lock)| format!("{algorithm}/{lock}"));
    let told = run
        .effects
        .online
        .map(|online| format!("{}/{}", online.algorithm.as_str(), online.lock.as_str()));
    // Statements that take no such clause may have an answer all the same.
    if seen.is_some() && seen != told {
        wrong.push(format!("runs as {seen:?}, predicted {told:?}"));
    }
}

fn rebuilds(run: &StatementRun, row: &Value, wrong: &mut Vec<String>) {
    let sql = strings(row, "sql").join(" ").to_uppercase();
    let swap = ["TRUNCATE", "CREATE OR REPLACE", "DISCARD", "EXCHANGE", "RENAME TABLE"];
    let create: String = strings(row, "schema_sql").join(" ").to_uppercase();
    // Engines without InnoDB ids, temporary tables and swaps are not seen by their ids.
    let blind = swap.iter().any(|word| sql.contains(word))
        || ["MYISAM", "ARIA", "MEMORY", "TEMPORARY"]
            .iter()
            .any(|word| create.contains(word) || sql.contains(word));
    if blind {
        return;
    }
    // Where nothing asks for INSTANT, MySQL makes a table without rows anew: whether there are rows
    // is nothing that the statements tell.
    let instant = run.effects.online.is_some_and(|online| online.algorithm.as_str() == "INSTANT");
    if row["engine"] == "mysql" && row["seed_rows"] == 0 && instant {
        return;
    }
    let Some(seen) = row["verdict"]["rebuilds"].as_bool() else { return };
    let told =
        run.effects.effects.iter().any(|effect| matches!(effect.kind, EffectKind::Rewrite { .. }));
    if seen != told {
        wrong.push(format!("rebuilds: {seen}, predicted {told}"));
    }
}

/// Compares the indexes that are built where the table stays as it is.
fn builds(run: &StatementRun, verdict: &Value, wrong: &mut Vec<String>) {
    let Some(seen) = verdict["built"].as_array() else { return };
    let seen: BTreeSet<String> =
        seen.iter().filter_map(Value::as_str).map(str::to_lowercase).collect();
    let mut told = BTreeSet::new();
    for effect in &run.effects.effects {
        match &effect.kind {
            EffectKind::Rewrite { .. } => return,
            EffectKind::IndexBuild { index, .. } => {
                told.insert(index.name.to_lowercase());
            }
            _ => {}
        }
    }
    if seen != told && verdict["rebuilds"] != Value::Bool(true) {
        wrong.push(format!("builds {seen:?}, predicted {told:?}"));
    }
}

fn waits(run: &StatementRun, verdict: &Value, own: bool, wrong: &mut Vec<String>) {
    let Some(list) = verdict["waits_for_idle_transactions_on"].as_array() else { return };
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for wait in list.iter().filter_map(Value::as_str) {
        seen.insert(wait.to_owned());
        // Whoever waits for readers waits for writers too.
        if let Some(table) = wait.strip_suffix(".read") {
            seen.insert(format!("{table}.write"));
        }
    }
    let mut told: BTreeSet<String> = BTreeSet::new();
    for effect in &run.effects.effects {
        if let EffectKind::Lock(lock) = &effect.kind {
            let name = &lock.relation.name.name;
            if lock.mode.blocks_reads() {
                told.insert(format!("{name}.read"));
            }
            // The older recordings probed the table that is written with readers only.
            let own_rows = lock.mode == LockMode::InnodbExclusiveRows && !own;
            if lock.mode.blocks_writes() && !own_rows {
                told.insert(format!("{name}.write"));
            }
        }
    }
    if seen != told {
        wrong.push(format!("waits for {seen:?}, predicted {told:?}"));
    }
}
