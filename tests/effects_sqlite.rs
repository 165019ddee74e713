//! What SQLite was seen doing, and what is predicted for it.
//!
//! `LOCKWISE_RECORDED=folder` compares the rows of `folder/sqlite.jsonl` instead.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "rows of JSON that are not as they should be fail the test; it looks at some effects only"
)]

mod recorded;

use std::collections::BTreeMap;

use lockwise::effect::{During, EffectKind, MigrationEffects, rebuilds};
use lockwise::sql::ServerKind;
use lockwise::sql::ast::StatementKind;
use recorded::{Prediction, predict, rows, server, set_gaps_aside, strings, summary};
use serde_json::Value;

#[test]
fn recorded_cases_agree() {
    let mut all = Vec::new();
    let (least, files) = match std::env::var("LOCKWISE_RECORDED") {
        Ok(elsewhere) => (1, vec![format!("{elsewhere}/sqlite.jsonl")]),
        Err(_) => (284, ["cases", "recorded"].map(|f| format!("sqlite/{f}.jsonl")).to_vec()),
    };
    let builds = builds(std::env::var("LOCKWISE_RECORDED").as_deref().unwrap_or("sqlite"));
    for file in files {
        for row in rows(&file) {
            let id = row["id"].as_str().expect("an id").to_owned();
            let family = row["family"].as_str().expect("a family").to_owned();
            // A row is of one version, and of others that answered the same.
            for version in [vec![row["version"].clone()], versions(&row)].concat() {
                let mut row = row.clone();
                let id = format!("{id} on {}", version.as_str().unwrap_or_default());
                row["version"] = version;
                all.push((id, family.clone(), disagreements(&row, &builds)));
            }
        }
    }
    assert!(all.len() >= least, "only {} cases were read", all.len());
    set_gaps_aside(&mut all, include_str!("../testdata/servers/sqlite/gaps.txt"));
    let wrong = all.iter().filter(|(_, _, wrong)| !wrong.is_empty()).count();
    assert!(wrong == 0, "{wrong} of {} disagree\n{}", all.len(), summary(&all));
}

fn versions(row: &Value) -> Vec<Value> {
    row["also"].as_array().cloned().unwrap_or_default()
}

fn disagreements(row: &Value, builds: &Value) -> Vec<String> {
    let server = server(row, ServerKind::Sqlite);
    let foreign_keys = if row["foreign_keys"] == Value::Bool(true) { "on" } else { "off" };
    // The recorder makes each file anew, and a new file has a rollback journal.
    let settings = [("foreign_keys", foreign_keys), ("journal_mode", "delete")];
    let settings = settings.into_iter().chain(built_with(builds, row));
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings: BTreeMap<String, String> = settings.collect();
    let sql: Vec<String> = strings(row, "session").into_iter().chain(strings(row, "sql")).collect();
    let filled = row["seed_rows"].as_u64().is_some_and(|count| count > 0);
    let found = predict(server, &strings(row, "schema_sql"), filled, &sql, settings);
    let verdict = &row["verdict"];
    let mut wrong = Vec::new();
    let (certain, possible) = failures(&found.effects);
    let ok = verdict["ok"] == Value::Bool(true);
    if ok && !certain.is_empty() {
        wrong.push(format!("succeeds, predicted to fail: {certain:?}"));
    }
    if !ok && certain.is_empty() && possible.is_empty() {
        wrong.push(format!("fails ({}), predicted to succeed", row["result"]["msg"]));
    }
    // What a program or the build may bring is told as possible, in SQLite's words.
    let said = row["result"]["msg"].as_str().unwrap_or_default();
    let told = possible.iter().any(|detail| detail.eq_ignore_ascii_case(said));
    let decided = told || data_decides(&row["result"]["msg"]);
    if !ok && verdict["code"] == "SQL" && certain.is_empty() && !decided {
        wrong.push(format!("always fails ({}), predicted: {possible:?}", row["result"]["msg"]));
    }
    if let (true, Some(class)) = (ok, verdict["class"].as_str()) {
        let told = classes(&found);
        if !told.contains(&class) {
            wrong.push(format!("class {class}, predicted {told:?}"));
        }
    }
    if let (true, Some(seen)) = (ok, verdict["rewritten"].as_bool()) {
        wrong.extend(rewritten_otherwise(&found, row, seen));
    }
    if let Some(lost) = verdict["rows_lost"].as_object() {
        let losses = losses(&found.effects);
        for table in lost.keys() {
            let shadow = strings(row, "schema_sql").iter().any(|sql| holds(sql, table));
            if shadow || is_renamed(&found, table) {
                continue;
            }
            if !losses.iter().any(|name| name == &format!("main.{table}")) {
                wrong.push(format!("rows of {table} are lost, predicted {losses:?}"));
            }
        }
    }
    wrong
}

/// What each version that answered was built with.
fn builds(folder: &str) -> Value {
    let all = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/servers");
    let path = std::path::Path::new(all).join(folder).join("builds.json");
    let text = std::fs::read_to_string(path).expect("a file of builds");
    serde_json::from_str(&text).expect("an object of JSON")
}

/// What the SQLite of a recording was built with.
fn built_with<'b>(builds: &'b Value, row: &Value) -> Option<(&'static str, &'b str)> {
    let version = row["version"].as_str().unwrap_or_default();
    builds[version].as_str().map(|options| ("compile_options", options))
}

/// Compares the pages that were others afterwards with what was predicted to write them: a table
/// as a whole, all of its rows, or an index over them.
fn rewritten_otherwise(found: &Prediction, row: &Value, seen: bool) -> Option<String> {
    let effects = || found.effects.statements.iter().flat_map(|run| &run.effects.effects);
    let rewrites = effects().any(|effect| matches!(effect.kind, EffectKind::Rewrite { .. }));
    let writes_many = effects().any(|effect| match &effect.kind {
        EffectKind::IndexBuild { .. } => true,
        EffectKind::Loss(loss) => loss.rows,
        // How many rows a condition finds, and what triggers write, the data decide.
        EffectKind::Lock(lock) => {
            lock.during != During::Instant
                || matches!(lock.cause, "insert" | "update" | "delete" | "merge")
        }
        _ => false,
    });
    let statements = &found.migration.up.statements;
    let from_query = statements.iter().any(|statement| {
        matches!(&statement.kind, StatementKind::CreateTable(create) if create.query.is_some())
    });
    if seen && !(rewrites || writes_many || from_query) {
        return Some("pages of a whole table are written, predicted: none".to_owned());
    }
    // Fewer rows than these fill too few pages to tell.
    let rows = row["seed_rows"].as_u64().unwrap_or(0);
    let undone = statements.iter().any(|s| matches!(s.kind, StatementKind::Transaction(_)));
    if !seen && rewrites && rows >= 1_000 && !undone {
        return Some("a table is predicted to be written anew, and is not".to_owned());
    }
    None
}

/// Failures that a table without rows does not have.
fn data_decides(message: &Value) -> bool {
    let text = message.as_str().unwrap_or_default();
    ["Cannot add a NOT NULL", "Cannot add a REFERENCES", "non-constant default", "STORED column"]
        .iter()
        .any(|part| text.contains(part))
        || text.contains("foreign key mismatch")
        || text.contains("constraint failed")
        || [
            "malformed JSON",
            "SQL logic error",
            "ESCAPE expression",
            "datatype mismatch",
            "type mismatch on DEFAULT",
        ]
        .iter()
        .any(|part| text.contains(part))
}

fn failures(effects: &MigrationEffects) -> (Vec<String>, Vec<String>) {
    let (mut certain, mut possible) = (Vec::new(), Vec::new());
    for effect in effects.statements.iter().flat_map(|run| &run.effects.effects) {
        if let EffectKind::Failure(failure) = &effect.kind {
            let list = if failure.certain { &mut certain } else { &mut possible };
            list.push(failure.detail.clone());
        }
    }
    let left = effects.statements.iter().flat_map(|run| &run.effects.effects);
    for effect in left {
        if let EffectKind::LeftBehind { what: "fk-parent-not-unique", name, .. } = &effect.kind {
            possible.push(format!("{name}: foreign key mismatch"));
        }
    }
    (certain, possible)
}

fn losses(effects: &MigrationEffects) -> Vec<String> {
    effects
        .statements
        .iter()
        .flat_map(|run| &run.effects.effects)
        .filter_map(|effect| match &effect.kind {
            EffectKind::Loss(loss) if loss.rows => Some(loss.name.clone()),
            _ => None,
        })
        .collect()
}

/// Says whether a table is one in which a virtual table keeps its rows: what a change of the one
/// means for the other is the business of its module.
fn holds(sql: &str, table: &str) -> bool {
    let name = sql.strip_prefix("CREATE VIRTUAL TABLE ").and_then(|rest| rest.split(' ').next());
    name.is_some_and(|name| table.strip_prefix(name).is_some_and(|rest| rest.starts_with('_')))
}

fn is_renamed(found: &Prediction, table: &str) -> bool {
    found.migration.up.statements.iter().any(|statement| {
        matches!(&statement.kind, StatementKind::AlterTable(alter) if alter.name.name() == table)
    })
}

/// Returns the classes that the predicted effects amount to: the heaviest, and what else may be
/// seen where several statements ran or nothing was left to do.
fn classes(found: &Prediction) -> Vec<&'static str> {
    let statements = &found.migration.up.statements;
    if !rebuilds(statements).is_empty() {
        return vec!["TABLE_COPY"];
    }
    let rolled_back = statements.iter().any(|statement| {
        let transaction = matches!(statement.kind, StatementKind::Transaction(_));
        transaction && found.migration.up.slice(statement.span).starts_with("ROLLBACK")
    });
    if rolled_back {
        return vec!["NOOP"];
    }
    let (mut rewrite, mut copy, mut build, mut scan, mut lock) =
        (false, false, false, false, false);
    let (mut rows, mut freed) = (false, false);
    for effect in found.effects.statements.iter().flat_map(|run| &run.effects.effects) {
        match &effect.kind {
            EffectKind::Rewrite { cause, .. } => {
                copy |= *cause == "vacuum";
                rewrite |= *cause != "vacuum";
            }
            EffectKind::IndexBuild { .. } => build = true,
            EffectKind::Scan { .. } => scan = true,
            EffectKind::Lock(found) => {
                lock = true;
                rows |= matches!(found.cause, "insert" | "update" | "delete" | "merge");
                freed |= matches!(found.cause, "drop-table" | "drop-index");
            }
            _ => {}
        }
    }
    if copy || rewrite {
        vec![if copy { "TABLE_COPY" } else { "TABLE_REWRITE" }]
    } else if build {
        vec!["INDEX_BUILD"]
    } else if scan {
        vec!["SCAN"]
    } else if freed {
        vec!["PAGES_FREED"]
    } else if rows {
        vec!["ROWS_WRITTEN", "METADATA"]
    } else if lock {
        vec!["METADATA"]
    } else {
        vec!["NOOP"]
    }
}
