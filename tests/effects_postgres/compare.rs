//! Where a prediction and a recording differ.

use std::collections::BTreeSet;

use lockwise::effect::LockMode;
use lockwise::schema::{Name, Schema};
use serde_json::Value;

use crate::recorded::strings;
use crate::told::{Told, short};

/// Returns the differences between what is predicted and what was recorded.
pub(crate) fn disagreements(before: &Schema, told: &Told, result: &Value) -> Vec<String> {
    if result["ok"] == Value::Bool(true) {
        compare(before, told, result)
    } else {
        compare_failure(told, result)
    }
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
    let of_server = ["tablespace", "role", "collation"]
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
    compare_losses(before, told, result, &mut wrong);
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
    let may = |name: &String| told.looked_up.contains(name) || told.unless_indexed.contains(name);
    let certain = |name: &&String| seen.contains(*name) || !may(name);
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

/// What is told with the table or the view that it belongs to, and not by itself.
const PARTS: &[&str] =
    &["not null ", "default ", "enum value ", "inherits ", "publication member ", "rule "];
/// What has a name of its own, and goes with its table without being told.
const WITH_TABLE: &[&str] = &["index ", "statistics "];
const WHOLE: &[&str] = &["table ", "view ", "materialized view ", "foreign table "];
const OTHERS: &[&str] = &[
    "column ",
    "check ",
    "foreign key ",
    "primary key ",
    "unique ",
    "exclude ",
    "trigger ",
    "policy ",
    "sequence ",
];

/// Losses by name; what vanishes with a whole table or view is not told one by one.
fn compare_losses(before: &Schema, told: &Told, result: &Value, wrong: &mut Vec<String>) {
    let lost = strings(result, "lost");
    let kinds = || WHOLE.iter().chain(WITH_TABLE).chain(OTHERS);
    let name_of = |text: &'_ str| -> String {
        let name = kinds().find_map(|kind| text.strip_prefix(kind));
        name.unwrap_or_else(|| text.rsplit(' ').next().unwrap_or(text)).to_owned()
    };
    let whole = |name: &str| {
        let kinds = WHOLE.iter().map(|kind| format!("{kind}{name}"));
        kinds.into_iter().any(|text| lost.contains(&text))
            // One that is made anew under its name is not lost, but what it had is.
            || (told.losses.contains(name) && before.relations.contains_key(&full(name)))
    };
    let any_whole = lost.iter().any(|text| WHOLE.iter().any(|kind| text.starts_with(kind)))
        || told.losses.iter().any(|name| whole(name));
    for text in &lost {
        if PARTS.iter().any(|kind| text.starts_with(kind)) {
            continue;
        }
        let name = name_of(text);
        let inside = name.rsplit_once('.').is_some_and(|(table, _)| whole(table));
        let with_table = any_whole && WITH_TABLE.iter().any(|kind| text.starts_with(kind));
        if !inside && !with_table && !told.losses.contains(&name) {
            wrong.push(format!("loses {text}, predicted {:?}", told.losses));
        }
    }
}
