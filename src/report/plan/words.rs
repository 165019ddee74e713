//! Sentences that every form of a plan uses.

use crate::plan::{
    DataLoss, Estimate, Plan, PlannedBatch, PlannedLock, Proof, Rollback, RollbackSource, Step,
    Verdict,
};

/// The verdict in one word.
pub(super) const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Nothing => "nothing to do",
        Verdict::Ready => "ready",
        Verdict::Careful => "look closely",
        Verdict::Blocked => "blocked",
    }
}

/// The first line: how much, for which database.
pub(super) fn title(plan: &Plan) -> String {
    let number = count(plan.migrations.len(), "migration");
    format!("{number} for {} ({} {})", plan.target.name, plan.server.kind, plan.server.version)
}

/// `1 row`, `2 rows`.
pub(super) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// What goes, how much of it, and where it is kept.
pub(super) fn loss(loss: &DataLoss) -> String {
    let what = if loss.kind == "column" { "value" } else { "row" };
    let rows = match loss.rows {
        Some(rows) => format!(": {}", count(usize::try_from(rows).unwrap_or(usize::MAX), what)),
        None => String::new(),
    };
    let kept = loss.kept.as_ref().map_or_else(String::new, |kept| format!(", kept in {kept}"));
    format!("{} {}{rows}{kept}", loss.kind, loss.name)
}

/// The locks worth telling: of those on one relation the one that makes the most trouble, and none
/// on what nobody can be using.
pub(in crate::report) fn telling_locks(step: &Step) -> Vec<&PlannedLock> {
    let mut telling: Vec<&PlannedLock> = Vec::new();
    for lock in step.locks.iter().filter(|lock| lock.in_use && !lock.blocks.is_empty()) {
        // SQLite's catalog: every statement that changes the schema locks it for a moment.
        if lock.relation.ends_with("sqlite_schema") {
            continue;
        }
        match telling.iter_mut().find(|other| other.relation == lock.relation) {
            Some(other) if other.weight() < lock.weight() => *other = lock,
            Some(_) => {}
            None => telling.push(lock),
        }
    }
    telling
}

/// A lock: mode, relation, who waits, for how long.
pub(super) fn lock(lock: &PlannedLock) -> String {
    let blocks: Vec<&str> =
        lock.blocks.iter().map(String::as_str).filter(|what| *what != "schema-changes").collect();
    let blocks = match blocks.as_slice() {
        [] => "blocks nobody".to_owned(),
        [one] => format!("blocks {one}"),
        [first, rest @ ..] => format!("blocks {first} and {}", rest.join(" and ")),
    };
    let rows = match lock.rows {
        Some(rows) => format!(" ({})", count(usize::try_from(rows).unwrap_or(usize::MAX), "row")),
        None => String::new(),
    };
    let during =
        if lock.during == "instant" { String::new() } else { format!(", {}", lock.during) };
    let estimate = lock.estimate.as_ref().map(|e| format!(", {}", estimate(e)));
    format!(
        "{} on {}{rows}: {blocks}{during}{}",
        lock.mode,
        lock.relation,
        estimate.unwrap_or_default()
    )
}

/// A span of time with what it rests on.
pub(super) fn estimate(estimate: &Estimate) -> String {
    let low = duration(estimate.low_ms);
    let high = duration(estimate.high_ms);
    let time = if low == high { low } else { format!("{low} to {high}") };
    format!("about {time} ({})", estimate.basis)
}

/// `40 ms`, `2.5 s`, `3 min`.
pub(super) fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        1000..60_000 => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
        _ => format!("{} min", milliseconds / 60_000),
    }
}

/// How a step runs where it is not sent as it is: the command that it is handed over to, batches.
pub(in crate::report) fn course(step: &Step) -> Vec<String> {
    let mut course = Vec::new();
    if !step.tool.is_empty() {
        course.push(format!("handed over: {}", shell(&step.tool)));
    }
    if let Some(batch) = &step.batch {
        let pause = if batch.pause_ms == 0 {
            String::new()
        } else {
            format!(", {} between two", duration(batch.pause_ms))
        };
        let PlannedBatch { table, key, size, .. } = batch;
        course.push(format!("in batches of {size} rows of {table} by {key}{pause}"));
        if let Some(lag) = batch.max_lag_ms {
            course.push(format!("waits while a replica is more than {} behind", duration(lag)));
        }
    }
    course
}

/// What a step does besides taking locks; nothing where there is nothing to say.
pub(super) fn work(step: &Step) -> Vec<String> {
    let mut work = course(step);
    for (word, list) in
        [("rewrites", &step.rewrites), ("reads all of", &step.scans), ("builds", &step.builds)]
    {
        if !list.is_empty() {
            work.push(format!("{word} {}", list.join(", ")));
        }
    }
    if let Some((algorithm, lock)) = &step.online {
        work.push(format!("ALGORITHM={algorithm}, LOCK={lock}"));
    }
    work.extend(step.breaks.iter().map(|breaks| format!("breaks old code: {breaks}")));
    work.extend(step.loses.iter().map(|one| format!("loses {}", loss(one))));
    work.extend(step.unknown.iter().map(|reason| format!("not understood: {reason}")));
    work
}

/// A command as one would type it.
fn shell(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./,:{}".contains(c);
    let quoted = |word: &String| match word.chars().all(plain) && !word.is_empty() {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// Who wrote the way back, and whether it is proven.
pub(super) fn rollback(rollback: &Rollback) -> String {
    let source = match rollback.source {
        RollbackSource::Authored => "written by the author",
        RollbackSource::Generated => "generated",
        RollbackSource::None if matches!(rollback.proof, Proof::Unseen { .. }) => {
            "nothing undoes all of it"
        }
        RollbackSource::None if matches!(rollback.proof, Proof::NotRun { .. }) => "none yet",
        RollbackSource::None => "nothing to undo",
    };
    let proof = match &rollback.proof {
        Proof::Restores => "proven on the shadow: it restores the schema".to_owned(),
        Proof::ColumnOrder { .. } => {
            "run on the shadow: it restores the schema but for the order of columns".to_owned()
        }
        Proof::Unseen { what } => format!("NOT proven: {}", what.join("; ")),
        Proof::Differs { .. } => "run on the shadow: the schema is NOT as before".to_owned(),
        Proof::Fails { error, .. } => format!("run on the shadow: it FAILS: {error}"),
        Proof::NotRun { reason } => format!("not run: {reason}"),
    };
    format!("{source}; {proof}")
}

/// Who has to approve.
pub(super) fn approvals(plan: &Plan) -> String {
    match (plan.policy.is_some(), plan.needs.is_empty()) {
        (false, _) => "no policy: whoever runs it confirms it".to_owned(),
        (true, true) => "the policy asks for none".to_owned(),
        (true, false) => format!("needed: {}", plan.needs.join(", ")),
    }
}
