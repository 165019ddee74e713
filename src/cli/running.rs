//! A plan on a live database: what apply and rollback share.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::live::{Live, database};
use super::telemetry::Telemetry;
use crate::apply::{
    ApplyError, CancelRule, Direction, End, Faults, Patience, Progress, RunOptions, Runner, Stop,
    Summary,
};
use crate::db::{Access, ConnectOptions, Event, MissingFile, NewEntry};
use crate::plan::{Digest, History, ObjectChange, Plan, PlannedMigration, Proof, drifted};
use crate::report::progress;
use crate::sql::ServerKind;

/// What was agreed to.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Approvals that were used, one JSON text each.
    pub(super) audit: Vec<String>,
}

/// Takes the lock, makes sure that nothing changed meanwhile, and performs the plan.
pub(super) async fn perform(
    live: &mut Live,
    plan: &Plan,
    asked: Asked,
    direction: Direction,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let (options, connect) = options(live, direction);
    let stop = Stop::default();
    let signals = listen(stop.clone());
    let (colors, quiet) = (console.err.colors, console.global.quiet);
    let terminal = console.err.terminal;
    let mut lines = progress::Lines::new(colors, terminal);
    let err = &mut console.err;
    let word = match direction {
        Direction::Up => "apply",
        Direction::Down => "rollback",
    };
    let mut telemetry = Telemetry::begin(word, about(live, plan, &options.run_id));
    let mut tell = |progress: Progress| {
        telemetry.hear(&progress);
        if !quiet {
            // Whoever closed stderr does not want to be told.
            let _ = lines.write(&progress, err);
            let _ = err.flush();
        }
    };
    let runner = Runner::open(
        live.target.clone(),
        connect,
        live.journal.clone(),
        options,
        (stop, faults()),
        &mut tell,
    );
    let mut runner = runner.await.map_err(|error| failure(&error, Exit::NoAnswer))?;
    let result = locked(&mut runner, live, plan, &asked, direction).await;
    let finished = runner.finish().await;
    signals.abort();
    let error = result.as_ref().err().map(|(error, _)| error.to_string());
    telemetry.finish(error.as_deref(), console).await;
    let done = result.map_err(|(error, exit)| failure(&error, exit))?;
    finished.map_err(|error| failure(&error, Exit::Unfinished))?;
    report(&done, plan, direction, console)
}

/// What every span of a run says of it, in the words of OpenTelemetry's conventions.
fn about(live: &Live, plan: &Plan, run_id: &str) -> Vec<(String, String)> {
    let system = match live.server.kind {
        ServerKind::Postgres => "postgresql",
        ServerKind::Mysql => "mysql",
        ServerKind::Mariadb => "mariadb",
        ServerKind::Sqlite => "sqlite",
    };
    [
        ("db.system.name", system.to_owned()),
        ("db.namespace", plan.target.database.clone()),
        ("lockwise.run", run_id.to_owned()),
        ("lockwise.plan", plan.digest.to_string()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .to_vec()
}

/// What came of it.
enum Done {
    Performed(Summary),
    /// Another run was faster.
    Nothing,
}

fn report(
    done: &Done,
    plan: &Plan,
    direction: Direction,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let word = match direction {
        Direction::Up => "applied",
        Direction::Down => "rolled back",
    };
    match done {
        Done::Performed(summary) => {
            writeln!(console.out, "{word}: {}", list(&summary.done))?;
            if direction == Direction::Up {
                aftermath(plan, console)?;
            }
            if summary.retries > 0 {
                let waited = summary.blocking_ms;
                let retries = summary.retries;
                console.note(&format!(
                    "{retries} retries; others may have waited for {waited} ms in all"
                ));
            }
        }
        Done::Nothing => writeln!(console.out, "nothing to do: another run was faster")?,
    }
    Ok(Exit::Yes)
}

/// Names versions; of a long list the first and the last.
fn list(versions: &[String]) -> String {
    match versions {
        [first, .., last] if versions.len() > LISTED => {
            format!("{first} to {last}, {} migrations", versions.len())
        }
        _ => versions.join(", "),
    }
}

/// So many versions are named one by one.
const LISTED: usize = 20;

/// Says what somebody wants to know right after a change: what is gone, and the way back.
fn aftermath(plan: &Plan, console: &mut Console) -> Result<(), Failure> {
    for loss in plan.losses() {
        let rows = loss.rows.map_or_else(String::new, |rows| format!(" with {rows} values"));
        writeln!(console.out, "gone: {} {}{rows}", loss.kind, loss.name)?;
    }
    let proven = |migration: &&PlannedMigration| match migration.rollback.proof {
        Proof::Restores | Proof::ColumnOrder { .. } => true,
        Proof::Unseen { .. }
        | Proof::Differs { .. }
        | Proof::Fails { .. }
        | Proof::NotRun { .. } => false,
    };
    let count = plan.migrations.iter().filter(proven).count();
    let all = plan.migrations.len();
    let tried = |m: &PlannedMigration| !matches!(m.rollback.proof, Proof::NotRun { .. });
    let proven = if plan.migrations.iter().any(tried) {
        format!("proven for {count} of {all}")
    } else {
        "worked out and proven when it is asked for".to_owned()
    };
    writeln!(console.out, "way back: {proven}; `lockwise rollback --steps 1` takes back the last")?;
    Ok(())
}

/// Does the work; the runner is released by the caller, whatever happens here.
async fn locked(
    runner: &mut Runner<'_>,
    live: &Live,
    plan: &Plan,
    asked: &Asked,
    direction: Direction,
) -> Result<Done, (ApplyError, Exit)> {
    runner.lock().await.map_err(|error| (error, Exit::NoAnswer))?;
    let before = |error| (error, Exit::No);
    let history = runner.history().await.map_err(|error| (error, Exit::NoAnswer))?;
    let up = direction == Direction::Up;
    let versions = || plan.migrations.iter().map(|migration| migration.version.as_str());
    if versions().all(|version| history.applied(version).is_some() == up) {
        return Ok(Done::Nothing);
    }
    let resumed = versions().any(|version| is_begun(&history, version, direction));
    if history.last_seq != live.history.last_seq && !same_state(&history, &live.history) {
        return Err(before(ApplyError::HistoryChanged));
    }
    let done: Vec<&[ObjectChange]> = plan
        .migrations
        .iter()
        .rev()
        .filter(|migration| up && history.applied(&migration.version).is_some())
        .map(|migration| migration.change.as_slice())
        .collect();
    if !resumed && !done.is_empty() {
        // A run of this plan stopped between two migrations: what it did is there, or it drifted.
        let snapshot = runner.snapshot().await.map_err(|error| (error, Exit::NoAnswer))?;
        if !drifted(done, &snapshot).is_empty() {
            return Err(before(ApplyError::SchemaChanged));
        }
    } else if !resumed {
        let snapshot = runner.snapshot().await.map_err(|error| (error, Exit::NoAnswer))?;
        if Digest::of_bytes(snapshot.text().as_bytes()) != plan.base {
            return Err(before(ApplyError::SchemaChanged));
        }
    }
    let run = runner.run(plan, &history, &asked.audit).await;
    run.map(Done::Performed).map_err(|error| {
        let exit = if error.touched() { Exit::Unfinished } else { Exit::No };
        (error, exit)
    })
}

/// Says whether two histories have the same migrations applied and begun.
fn same_state(one: &History, other: &History) -> bool {
    let versions = |history: &History| -> Vec<(String, u64)> {
        history.applied.iter().map(|applied| (applied.version.clone(), applied.seq)).collect()
    };
    versions(one) == versions(other) && one.begun.keys().eq(other.begun.keys())
}

fn is_begun(history: &History, version: &str, direction: Direction) -> bool {
    let key = match direction {
        Direction::Up => version.to_owned(),
        Direction::Down => format!("{version}/down"),
    };
    history.begun.get(&key).is_some_and(|begun| !begun.steps.is_empty())
}

/// Writes down what a person found out about statements that may have run.
pub(super) async fn settle(
    mut live: Live,
    decisions: &[String],
    reason: &str,
    console: &mut Console,
) -> Result<Live, Failure> {
    let (options, connect) = options(&live, Direction::Up);
    let run_id = options.run_id.clone();
    let mut silent = |_: Progress| {};
    let (stop, faults) = (Stop::default(), Faults::default());
    let runner = Runner::open(
        live.target.clone(),
        connect,
        live.journal.clone(),
        options,
        (stop, faults),
        &mut silent,
    );
    let mut runner = runner.await.map_err(|error| failure(&error, Exit::NoAnswer))?;
    runner.lock().await.map_err(|error| failure(&error, Exit::NoAnswer))?;
    for decision in decisions {
        let (place, word) = decision.split_once('=').unwrap_or((decision, ""));
        let (version, step) = place.rsplit_once('.').unwrap_or((place, ""));
        let event = match word {
            "done" => Event::Recovered,
            "undone" => Event::Failed,
            _ => {
                return Err(Failure::new(format!("\"{decision}\" is no decision"))
                    .hint("write VERSION.STEP=done or VERSION.STEP=undone"));
            }
        };
        let step: u32 = step.parse().map_err(|_| {
            Failure::new(format!("\"{decision}\" names no statement"))
                .hint("write VERSION.STEP=done or VERSION.STEP=undone")
        })?;
        let known = live.history.begun.get(version).and_then(|begun| begun.steps.get(&step));
        let Some(known) = known else {
            return Err(Failure::new(format!("statement {step} of {version} was not begun")));
        };
        let detail = serde_json::json!({ "decision": word, "reason": reason }).to_string();
        let of = |event| NewEntry {
            version: version.to_owned(),
            step_no: Some(step),
            attempt: Some(known.attempt),
            raw_digest: known.raw.clone(),
            detail: Some(detail.clone()),
            // The run that began it keeps its plan.
            ..NewEntry::new(run_of(&live, version).unwrap_or_else(|| run_id.clone()), "", event)
        };
        let rows = [of(Event::Decision), of(event)];
        let written = live.journal.append(runner.connection(), &rows).await;
        written.map_err(database)?;
        console.note(&format!("statement {step} of {version} counts as {word}"));
    }
    runner.finish().await.map_err(|error| failure(&error, Exit::NoAnswer))?;
    live.entries = live.journal.read(&mut live.connection).await.map_err(database)?;
    live.history = History::of(&live.entries);
    Ok(live)
}

fn run_of(live: &Live, version: &str) -> Option<String> {
    let row = live.entries.iter().rev().find(|row| row.entry.version == version)?;
    Some(row.entry.run_id.clone())
}

/// Returns how this run goes about it.
pub(super) fn options(live: &Live, direction: Direction) -> (RunOptions, ConnectOptions) {
    let runner = &live.project.config.runner;
    let milliseconds = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(0);
    let run_id = run_id();
    let connect = ConnectOptions {
        application_name: format!("lockwise/{run_id}"),
        access: Access::ReadWrite,
        missing_file: MissingFile::Create,
        ..ConnectOptions::default()
    };
    let options = RunOptions {
        run_id,
        patience: Patience {
            retries: u32::try_from(runner.retries).unwrap_or(u32::MAX),
            blocking_budget_ms: milliseconds(runner.blocking_budget),
        },
        lock_wait_ms: milliseconds(runner.lock_wait),
        build_wait_ms: milliseconds(runner.build_wait),
        direction,
        replicas: live.replicas.clone(),
        cancel: runner.cancel.iter().map(cancel_rule).collect(),
        pooled: live.pooled,
    };
    (options, connect)
}

fn cancel_rule(rule: &crate::config::Cancel) -> CancelRule {
    CancelRule {
        user: rule.user.clone(),
        application: rule.application.clone(),
        older_than_s: rule.older_than.as_secs(),
        end: if rule.session { End::Session } else { End::Statement },
    }
}

/// Returns a name for a run: its time, and enough chance that no two are the same.
pub(super) fn run_id() -> String {
    let now = crate::plan::Instant::from_unix(now());
    let time: String = now.to_string().chars().filter(char::is_ascii_digit).collect();
    format!("{time}-{:08x}", fastrand::u32(..))
}

/// Returns the seconds since the first of January 1970.
pub(super) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Listens for Ctrl-C and SIGTERM. The first asks the run to end in a known state; a second one
/// ends the process, from which the next run recovers.
fn listen(stop: Stop) -> tokio::task::JoinHandle<()> {
    static TWICE: AtomicBool = AtomicBool::new(false);
    tokio::spawn(async move {
        loop {
            if !signal().await {
                return;
            }
            if TWICE.swap(true, Ordering::SeqCst) {
                std::process::exit(Exit::Unfinished as i32);
            }
            stop.ask();
        }
    })
}

#[cfg(unix)]
async fn signal() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return false;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    true
}

#[cfg(not(unix))]
async fn signal() -> bool {
    tokio::signal::ctrl_c().await.is_ok()
}

/// Tests of crashes name the action at which the process ends; ordinary builds do not listen.
fn faults() -> Faults {
    if !cfg!(debug_assertions) {
        return Faults::default();
    }
    let at = std::env::var("LOCKWISE_CRASH_AT").ok().and_then(|at| at.parse().ok());
    at.map_or_else(Faults::default, Faults::at)
}

/// Returns why a run did not come to its end.
pub(super) fn failure(error: &ApplyError, exit: Exit) -> Failure {
    let mut failure = Failure::of(error).exit(exit);
    if let ApplyError::Step { blockers, .. } | ApplyError::GaveUp { blockers, .. } = error {
        for blocker in blockers {
            failure = failure.cause(format!("in the way: {blocker}"));
        }
    }
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
