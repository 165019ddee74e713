//! What PostgreSQL 12 to 18 were seen doing, and what is predicted for it.
//!
//! A case says what exists before (`setup_sql`), what is run (`sql`), and for each group of
//! versions what happened: locks on relations that existed before, rewrites, full scans, index
//! builds, the transaction rule, losses, or the error. `tests/record_postgres.rs` records more of
//! them. Locks of statements that refuse a transaction were read with a debugger in
//! `wide.jsonl`: every request that the session made of the lock manager.

#![expect(
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "rows of JSON that are not as they should be fail the test; it looks at some effects only"
)]

mod recorded;

use std::collections::{BTreeMap, BTreeSet};

use lockwise::effect::{
    self, EffectKind, HeldUntil, LockMode, MigrationEffects, TransactionRule, WalkOptions,
};
use lockwise::schema::{Name, Schema};
use lockwise::sql::{Server, ServerKind, ServerVersion, TransactionMode};
use recorded::{migration, rows, set_gaps_aside, strings, summary};
use serde_json::Value;

#[test]
fn recorded_cases_agree() {
    let mut all = Vec::new();
    let mut versions: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
    for file in ["postgres/cases.jsonl", "postgres/recorded.jsonl", "postgres/wide.jsonl"] {
        for row in rows(file) {
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
    assert!(all.len() >= 2_100, "only {} cases were read", all.len());
    set_gaps_aside(&mut all, include_str!("../testdata/servers/postgres/gaps.txt"));
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
    if result["ok"] == Value::Bool(true) {
        compare(&before, &told, result)
    } else {
        compare_failure(&told, result)
    }
}

/// What is predicted, in the words of the recordings.
#[derive(Debug, Default)]
struct Told {
    locks: BTreeMap<String, LockMode>,
    /// Locks that end with the statement: a transaction is not seen holding them.
    brief: BTreeSet<String>,
    /// Locks of tables that rows found lead to.
    by_rows: BTreeSet<String>,
    rewrites: BTreeSet<String>,
    scans: BTreeSet<String>,
    /// Scans that only keys in the other table cause.
    looked_up: BTreeSet<String>,
    builds: BTreeSet<String>,
    losses: BTreeSet<String>,
    certain: Vec<String>,
    possible: Vec<String>,
    unknown: Vec<String>,
    forbidden: bool,
}

impl Told {
    fn new(before: &Schema, effects: &MigrationEffects) -> Self {
        let mut told = Self::default();
        for run in &effects.statements {
            told.forbidden |= run.effects.transaction == TransactionRule::Forbidden;
            for effect in &run.effects.effects {
                told.note(before, &effect.kind);
            }
        }
        told
    }

    fn note(&mut self, before: &Schema, kind: &EffectKind) {
        let there = |name: &Name| {
            before.relations.contains_key(name) || before.index_tables.contains_key(name)
        };
        match kind {
            EffectKind::Lock(lock) if there(&lock.relation.name) => {
                if lock.held_until == HeldUntil::StatementEnd {
                    self.brief.insert(short(&lock.relation.name));
                }
                if lock.cause == "foreign-key-rows" {
                    self.by_rows.insert(short(&lock.relation.name));
                }
                let mode = self.locks.entry(short(&lock.relation.name)).or_insert(lock.mode);
                *mode = (*mode).max(lock.mode);
            }
            EffectKind::Rewrite { relation, .. } if there(&relation.name) => {
                self.rewrites.insert(short(&relation.name));
            }
            EffectKind::Scan { relation, cause } if there(&relation.name) => {
                self.scans.insert(short(&relation.name));
                if cause.ends_with("-parent") || *cause == "foreign-key-rows" {
                    self.looked_up.insert(short(&relation.name));
                }
            }
            EffectKind::IndexBuild { index, .. } => {
                self.builds.insert(short(index));
            }
            EffectKind::Loss(loss) => {
                let name = loss.name.strip_prefix("public.").unwrap_or(&loss.name);
                self.losses.insert(name.to_owned());
            }
            EffectKind::Failure(failure) if failure.when != "in-transaction" => {
                let text = format!("{} {}", failure.code.unwrap_or("-"), failure.detail);
                if failure.certain {
                    self.certain.push(text);
                } else {
                    self.possible.push(text);
                }
            }
            EffectKind::Unknown { reason } => self.unknown.push(reason.clone()),
            _ => {}
        }
    }
}

fn short(name: &Name) -> String {
    let text = name.to_string();
    text.strip_prefix("public.").unwrap_or(&text).to_owned()
}

fn set(result: &Value, field: &str) -> BTreeSet<String> {
    strings(result, field).into_iter().collect()
}

fn compare_failure(told: &Told, result: &Value) -> Vec<String> {
    let error = format!("{} {}", result["sqlstate"], result["error"]);
    let none = told.certain.is_empty() && told.possible.is_empty() && told.unknown.is_empty();
    if none {
        return vec![format!("fails ({error}), predicted to succeed")];
    }
    // What the rows decide is possible, everything else is certain.
    let state = result["sqlstate"].as_str().unwrap_or_default();
    // 58: the machine decides. What belongs to the whole server is made by no migration.
    let of_server = ["tablespace", "role"]
        .iter()
        .any(|kind| result["error"].as_str().is_some_and(|text| text.starts_with(kind)));
    let by_data =
        of_server || ["22", "23", "58", "25001"].iter().any(|class| state.starts_with(class));
    if !by_data && told.certain.is_empty() && told.unknown.is_empty() {
        return vec![format!("always fails ({error}), predicted: {:?}", told.possible)];
    }
    Vec::new()
}

fn compare(before: &Schema, told: &Told, result: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    if !told.certain.is_empty() {
        wrong.push(format!("succeeds, predicted to fail: {:?}", told.certain));
        return wrong;
    }
    if !told.unknown.is_empty() {
        wrong.push(format!("not analysed: {:?}", told.unknown));
    }
    if tx_ok(result) == told.forbidden {
        wrong.push(format!("allowed in a transaction: {}", tx_ok(result)));
    }
    compare_locks(before, told, result, &mut wrong);
    let rewrites = set(result, "rewrite");
    if rewrites != told.rewrites {
        wrong.push(format!("rewrites {rewrites:?}, predicted {:?}", told.rewrites));
    }
    compare_scans(before, told, result, &mut wrong);
    compare_builds(told, result, &mut wrong);
    compare_losses(told, result, &mut wrong);
    wrong
}

fn tx_ok(result: &Value) -> bool {
    result["tx_ok"].as_bool().unwrap_or(true)
}

fn compare_locks(before: &Schema, told: &Told, result: &Value, wrong: &mut Vec<String>) {
    let Some(locks) = result["locks"].as_object() else { return };
    let transient = result["transient_locks"].as_object();
    let names: BTreeSet<&String> = locks.keys().chain(told.locks.keys()).collect();
    for name in names {
        if transient.is_some_and(|transient| transient.contains_key(name)) {
            continue;
        }
        let seen = locks.get(name).and_then(Value::as_str).map(mode);
        let predicted = told.locks.get(name).copied();
        let unseen = (told.brief.contains(name) && tx_ok(result)) || told.by_rows.contains(name);
        if seen == predicted || (seen.is_none() && unseen) {
            continue;
        }
        let full = full(name);
        // A composite type is a relation too, with nothing in it.
        if before.types.contains_key(&full) {
            continue;
        }
        // A lock on an index is left out where the lock on its table says as much.
        let table = before.index_tables.get(&full).map(short);
        let covered = match (&table, seen, predicted) {
            (Some(table), Some(seen), None) => {
                told.locks.get(table).is_some_and(|lock| covers(*lock, seen))
            }
            _ => false,
        };
        if !covered {
            let text = |lock: Option<LockMode>| lock.map_or("no lock", LockMode::as_str);
            wrong.push(format!("{name}: {}, predicted {}", text(seen), text(predicted)));
        }
    }
}

fn full(name: &str) -> Name {
    match name.split_once('.') {
        Some((schema, name)) => Name::new(schema, name),
        None => Name::new("public", name),
    }
}

/// Says whether whatever waits for the second lock waits for the first too.
fn covers(table: LockMode, index: LockMode) -> bool {
    let weak = |mode: LockMode| matches!(mode, LockMode::AccessShare | LockMode::RowShare);
    let row = |mode: LockMode| mode <= LockMode::RowExclusive;
    table >= index
        && (table != LockMode::Share || weak(index) || index == LockMode::Share)
        && (table != LockMode::ShareUpdateExclusive
            || row(index)
            || index == LockMode::ShareUpdateExclusive)
}

fn mode(name: &str) -> LockMode {
    match name {
        "AccessShareLock" => LockMode::AccessShare,
        "RowShareLock" => LockMode::RowShare,
        "RowExclusiveLock" => LockMode::RowExclusive,
        "ShareUpdateExclusiveLock" => LockMode::ShareUpdateExclusive,
        "ShareLock" => LockMode::Share,
        "ShareRowExclusiveLock" => LockMode::ShareRowExclusive,
        "ExclusiveLock" => LockMode::Exclusive,
        _ => LockMode::AccessExclusive,
    }
}

/// A rewrite reads the table, and is told alone. Tables without rows show no scan.
fn compare_scans(before: &Schema, told: &Told, result: &Value, wrong: &mut Vec<String>) {
    if result.get("full_scan").is_none() {
        return;
    }
    let mut rewrites = set(result, "rewrite");
    // The counters of a table go with it, and those of a file with the file.
    rewrites.extend(set(result, "emptied"));
    rewrites.extend(told.losses.iter().cloned());
    let seen: BTreeSet<String> = set(result, "full_scan").difference(&rewrites).cloned().collect();
    let filled =
        |name: &&String| before.relation(&full(name)).is_none_or(|relation| relation.has_rows);
    // A parent is only read when the child holds keys, which the rows decide.
    let certain = |name: &&String| seen.contains(*name) || !told.looked_up.contains(*name);
    let predicted: BTreeSet<String> = told
        .scans
        .iter()
        .filter(filled)
        .filter(certain)
        .filter(|name| !rewrites.contains(*name))
        .cloned()
        .collect();
    if seen != predicted {
        wrong.push(format!("scans {seen:?}, predicted {predicted:?}"));
    }
}

/// Indexes that the server says it builds, and those whose file is another afterwards.
fn compare_builds(told: &Told, result: &Value, wrong: &mut Vec<String>) {
    let Some(rebuilt) = result.get("index_rebuilt") else { return };
    let _ = rebuilt;
    let messages = strings(result, "messages");
    let named = |message: &String| -> Option<String> {
        let rest = message.strip_prefix("DEBUG: building index \"")?;
        let name = rest.split('"').next()?;
        Some(name.split("_ccnew").next().unwrap_or(name).to_owned())
    };
    let last = |name: &String| name.rsplit('.').next().unwrap_or(name).to_owned();
    let user = |name: &String| !name.starts_with("pg_toast");
    let mut seen: BTreeSet<String> = messages.iter().filter_map(named).filter(user).collect();
    // One that is dropped while another takes its name is not rebuilt.
    let kept = |name: &String| !told.losses.contains(name);
    seen.extend(set(result, "index_rebuilt").iter().filter(|name| kept(name)).map(last));
    let predicted: BTreeSet<String> = told.builds.iter().map(last).collect();
    if seen != predicted {
        wrong.push(format!("builds {seen:?}, predicted {predicted:?}"));
    }
}

/// Losses by name; what vanishes with a whole table or view is not told one by one.
fn compare_losses(told: &Told, result: &Value, wrong: &mut Vec<String>) {
    let lost = strings(result, "lost");
    let whole: Vec<&str> = lost
        .iter()
        .filter_map(|text| {
            ["table ", "view ", "materialized view ", "foreign table "]
                .iter()
                .find_map(|kind| text.strip_prefix(kind))
        })
        .collect();
    for text in &lost {
        let skipped =
            ["not null ", "default ", "enum value ", "inherits ", "publication member ", "rule "];
        if skipped.iter().any(|kind| text.starts_with(kind)) {
            continue;
        }
        let name = text.rsplit(' ').next().unwrap_or(text);
        let inside = whole
            .iter()
            .any(|table| name.strip_prefix(table).is_some_and(|rest| rest.starts_with('.')));
        let index = text.starts_with("index ") && !whole.is_empty();
        if !inside && !index && !told.losses.contains(name) {
            wrong.push(format!("loses {text}, predicted {:?}", told.losses));
        }
    }
}
