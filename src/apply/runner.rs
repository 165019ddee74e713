//! Performs a plan: one session that holds the migration lock and runs the statements.
//!
//! In: a plan that was shown and agreed to. Out: a changed database, and a journal that says how.
//! What to do about a step after a crash is decided by [`super::next`]; everything here looks
//! things up, sends statements and writes rows, with a place for a crash between any two of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::backoff::{Patience, Spent, pause_ms};
use super::cancel::{CancelRule, End};
use super::error::ApplyError;
use super::faults::Faults;
use super::progress::Progress;
use super::watch::{self, Blocker};
use crate::db::{
    self, Access, ConnectOptions, Connection, ErrorKind, Event, Journal, LockOptions,
    MigrationLock, NewEntry, Scope, ServerError, Snapshot, Target,
};
use crate::plan::{History, Plan, PlannedMigration, snapshot_options};

/// Up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Migrations are applied.
    Up,
    /// Migrations are rolled back.
    Down,
}

/// How a run goes about it.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// What the run is called in the journal and in the server's list of sessions.
    pub run_id: String,
    /// How often and how long it tries.
    pub patience: Patience,
    /// How long it waits for another run to end.
    pub lock_wait_ms: u64,
    /// How long a concurrent build may wait for old transactions before it is given up.
    pub build_wait_ms: u64,
    /// Up or down.
    pub direction: Direction,
    /// Replicas that batches wait for.
    pub replicas: Vec<Target>,
    /// Whose work may be ended where it is in the way.
    pub cancel: Vec<CancelRule>,
    /// A pooler lends the session to others between transactions.
    pub pooled: bool,
}

/// How patient a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    /// It has limits of its own.
    Limited,
    /// It has none: when it waits longer than the run allows, it is cancelled on purpose rather
    /// than left to fail by accident.
    Patient,
    /// It tidies up after another one: a wish to stop gives it some more time.
    TidyUp,
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Versions that were applied or rolled back, in order.
    pub done: Vec<String>,
    /// Attempts beyond the first.
    pub retries: u32,
    /// How long others may have been kept waiting.
    pub blocking_ms: u64,
}

/// Says that a person or a signal wants the run to end.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<StopInner>);

#[derive(Debug, Default)]
struct StopInner {
    wanted: AtomicBool,
    notify: tokio::sync::Notify,
}

impl Stop {
    /// Asks the run to end.
    pub fn ask(&self) {
        self.0.wanted.store(true, Ordering::SeqCst);
        self.0.notify.notify_waiters();
        self.0.notify.notify_one();
    }

    /// Says whether somebody asked.
    pub fn is_wanted(&self) -> bool {
        self.0.wanted.load(Ordering::SeqCst)
    }

    pub(super) async fn wanted(&self) {
        if !self.is_wanted() {
            self.0.notify.notified().await;
        }
    }
}

/// Who hears what goes on.
pub type Tell<'a> = &'a mut (dyn FnMut(Progress) + Send);

/// One run on one database.
pub struct Runner<'a> {
    pub(super) options: RunOptions,
    pub(super) target: Target,
    pub(super) connection: Connection,
    lock: Option<MigrationLock>,
    watch: Option<Connection>,
    pub(super) journal: Journal,
    pub(super) faults: Faults,
    pub(super) stop: Stop,
    tell: Tell<'a>,
    pub(super) spent: Spent,
    pub(super) retries: u32,
    pub(super) plan_digest: String,
    /// Who was in the way of the last statement that waited.
    pub(super) blockers: Vec<Blocker>,
    /// How many rows the server said it has committed.
    pub(super) written: u64,
    /// Sessions whose work was ended because they were in the way.
    ended: Vec<String>,
    /// How many rows of other runs settled something when the history was read.
    pub(super) fence: Option<u64>,
    /// The intent that is written together with the end of the present migration, and whose it is.
    pub(super) next_intent: Option<(String, NewEntry)>,
    /// The version whose intent is in the journal already.
    pub(super) intended: Option<String>,
}

impl<'a> Runner<'a> {
    /// Opens the session that will do the work.
    pub async fn open(
        target: Target,
        connect: ConnectOptions,
        journal: Journal,
        options: RunOptions,
        (stop, faults): (Stop, Faults),
        tell: Tell<'a>,
    ) -> Result<Self, ApplyError> {
        let connection = Connection::open(&target, &connect).await?;
        Ok(Self {
            options,
            target,
            connection,
            lock: None,
            watch: None,
            journal,
            faults,
            stop,
            tell,
            spent: Spent::default(),
            retries: 0,
            plan_digest: String::new(),
            blockers: Vec::new(),
            written: 0,
            ended: Vec::new(),
            fence: None,
            next_intent: None,
            intended: None,
        })
    }

    /// Takes the migration lock and makes the journal where there is none.
    pub async fn lock(&mut self) -> Result<(), ApplyError> {
        self.faults.pass("connected");
        if self.options.pooled {
            return self.create_pooled().await;
        }
        self.take_lock(self.options.lock_wait_ms).await?;
        self.faults.pass("locked");
        self.journal.create(&mut self.connection).await?;
        self.faults.pass("journal made");
        Ok(())
    }

    async fn take_lock(&mut self, wait_ms: u64) -> Result<(), ApplyError> {
        let options = LockOptions {
            scope: self.journal.scope(),
            wait_ms,
            holder: format!("lockwise/{}", self.options.run_id),
        };
        let tell = &mut self.tell;
        let waiting = |holder: Option<&db::Holder>| {
            tell(Progress::WaitingForRun { holder: holder.map(ToString::to_string) });
        };
        let lock = MigrationLock::acquire(&mut self.connection, &options, waiting).await?;
        self.lock = Some(lock);
        if !self.options.pooled {
            self.connection.keep_commits().await;
        }
        Ok(())
    }

    /// Reads the history; the lock must be held.
    pub async fn history(&mut self) -> Result<History, ApplyError> {
        let entries = self.journal.read(&mut self.connection).await?;
        let others = entries
            .iter()
            .filter(|row| row.entry.event.settles() && row.entry.run_id != self.options.run_id);
        let fence = u64::try_from(others.count()).unwrap_or(u64::MAX);
        self.fence.get_or_insert(fence);
        Ok(History::of(&entries))
    }

    /// Reads the journal.
    pub async fn entries(&mut self) -> Result<Vec<db::Entry>, ApplyError> {
        Ok(self.journal.read(&mut self.connection).await?)
    }

    /// Reads the live schema.
    pub async fn snapshot(&mut self) -> Result<Snapshot, ApplyError> {
        Ok(db::snapshot(&mut self.connection, &snapshot_options()).await?)
    }

    /// Reads these objects of the live schema.
    pub(super) async fn snapshot_of(&mut self, scope: &Scope) -> Result<Snapshot, ApplyError> {
        Ok(db::snapshot_of(&mut self.connection, &snapshot_options(), scope).await?)
    }

    /// Returns the session, for looking at the database while the lock is held.
    pub const fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Performs a plan. `audit` are details of approvals, one JSON text each.
    pub async fn run(
        &mut self,
        plan: &Plan,
        history: &History,
        audit: &[String],
    ) -> Result<Summary, ApplyError> {
        plan.digest.as_str().clone_into(&mut self.plan_digest);
        let mut rows = vec![NewEntry {
            detail: serde_json::to_string(plan).ok(),
            ..self.entry("", "", Event::RunStarted)
        }];
        rows.extend(audit.iter().map(|detail| NewEntry {
            detail: Some(detail.clone()),
            ..self.entry("", "", Event::Approval)
        }));
        self.append(&rows).await?;
        self.faults.pass("run noted");
        let result = self.migrations(plan, history).await;
        let event = match &result {
            Ok(_) => Event::RunFinished,
            Err(_) => Event::RunInterrupted,
        };
        let mut detail = serde_json::Map::new();
        if let Err(error) = &result {
            detail.insert("error".to_owned(), error.to_string().into());
        }
        if !self.ended.is_empty() {
            detail.insert("ended".to_owned(), self.ended.clone().into());
        }
        let detail = (!detail.is_empty()).then(|| serde_json::Value::Object(detail).to_string());
        let row = NewEntry { detail, ..self.entry("", "", event) };
        match self.append(&[row]).await {
            Ok(()) => {}
            // The reason why the run failed matters more than the row that says so.
            Err(_) if result.is_err() => {}
            Err(error) => return Err(error),
        }
        self.faults.pass("run finished");
        result
    }

    async fn migrations(&mut self, plan: &Plan, history: &History) -> Result<Summary, ApplyError> {
        let mut summary = Summary::default();
        let up = self.options.direction == Direction::Up;
        let left: Vec<&PlannedMigration> = plan
            .migrations
            .iter()
            .filter(|migration| history.applied(&migration.version).is_some() != up)
            .collect();
        for (index, migration) in left.iter().enumerate() {
            if self.stop.is_wanted() {
                return Err(ApplyError::Interrupted);
            }
            let (version, name) = (migration.version.clone(), migration.name.clone());
            let (number, of) = (index + 1, left.len());
            self.tell(Progress::Migration { version: version.clone(), name, number, of });
            let started = Instant::now();
            self.prepare_intent(left.get(index + 1).copied());
            let begun = history.begun.get(&self.step_version(&version)).cloned();
            self.migration(migration, &begun.unwrap_or_default(), started).await?;
            let took_ms = milliseconds(started.elapsed());
            self.tell(Progress::Done { version: version.clone(), took_ms });
            summary.done.push(version);
        }
        summary.retries = self.retries;
        summary.blocking_ms = self.spent.blocking_ms;
        Ok(summary)
    }

    /// Ends the run: gives the lock back and closes the sessions.
    pub async fn finish(mut self) -> Result<(), ApplyError> {
        if let Some(lock) = self.lock.take() {
            lock.release(&mut self.connection).await?;
        }
        if let Some(watch) = self.watch.take() {
            // A session that only looked: how it ends does not matter.
            let _ = watch.close().await;
        }
        self.connection.close().await?;
        Ok(())
    }

    pub(super) fn tell(&mut self, progress: Progress) {
        (self.tell)(progress);
    }

    /// Returns the version under which the steps of a migration stand in the journal: those of a
    /// rollback are not those of the migration.
    pub(super) fn step_version(&self, version: &str) -> String {
        match self.options.direction {
            Direction::Up => version.to_owned(),
            Direction::Down => format!("{version}/down"),
        }
    }

    /// Returns a row of this run.
    pub(super) fn entry(&self, version: &str, name: &str, event: Event) -> NewEntry {
        let mut entry = NewEntry::new(self.options.run_id.clone(), self.plan_digest.clone(), event);
        version.clone_into(&mut entry.version);
        name.clone_into(&mut entry.name);
        entry
    }

    pub(super) async fn append(&mut self, rows: &[NewEntry]) -> Result<(), ApplyError> {
        self.journal.append(&mut self.connection, rows).await?;
        self.count(rows);
        Ok(())
    }

    /// Remembers that rows are committed.
    pub(super) fn count(&mut self, rows: &[NewEntry]) {
        self.written += u64::try_from(rows.len()).unwrap_or(0);
    }

    pub(super) fn wants_stop(&self) -> bool {
        self.stop.is_wanted()
    }

    /// Waits before another attempt, without holding anything.
    pub(super) async fn pause(&mut self, attempt: u32, error: &ServerError) {
        let pause = pause_ms(attempt, fastrand::u64(..));
        self.retries += 1;
        let error = error.to_string();
        self.tell(Progress::Retry { attempt: attempt + 1, pause_ms: pause, error });
        self.sleep(Duration::from_millis(pause)).await;
    }

    /// Sleeps until the time is over or somebody wants the run to end.
    pub(super) async fn sleep(&self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.stop.wanted() => {}
        }
    }

    /// Sends a statement and looks at it from a second session while it runs; returns how many
    /// rows the server says it touched.
    pub(super) async fn send(&mut self, sql: &str, sending: Sending) -> Result<u64, ServerError> {
        self.blockers.clear();
        let backend = self.connection.backend_id();
        let started = Instant::now();
        let (options, target, stop) = (&self.options, &self.target, &self.stop);
        let (watch, tell, blockers) = (&mut self.watch, &mut self.tell, &mut self.blockers);
        let work = self.connection.execute(sql);
        tokio::pin!(work);
        let mut next_look = Duration::from_millis(300);
        let (mut heard, mut gave_up) = (false, false);
        let mut blocked_since: Option<Instant> = None;
        loop {
            let sleep = tokio::time::sleep(next_look);
            // What tidies up is not interrupted at once.
            let stoppable = !heard && sending != Sending::TidyUp;
            tokio::select! {
                done = &mut work => return if gave_up { done.map_err(waited) } else { done },
                () = sleep => {}
                () = stop.wanted(), if stoppable => {}
            }
            next_look = Duration::from_secs(1);
            heard |= stop.is_wanted();
            if target.is_sqlite() {
                // No other session can look.
                continue;
            }
            if watch.is_none() {
                *watch = open_watch(target, &options.run_id).await;
            }
            let Some(session) = watch.as_mut() else { continue };
            let worked_ms = milliseconds(started.elapsed());
            let asked = stop.is_wanted() && (sending != Sending::TidyUp || worked_ms > TIDY_UP_MS);
            if asked || gave_up {
                // Once a second: MariaDB forgets a cancel that comes before the statement reads
                // rows (measured on 10.11).
                let _ = session.cancel(backend).await;
                continue;
            }
            let by = watch::blockers(session, backend).await;
            if by.is_empty() {
                blocked_since = None;
                if let Some(working) = watch::progress(session, backend).await {
                    tell(working);
                }
                continue;
            }
            // Time spent working is not time spent waiting.
            let since = *blocked_since.get_or_insert_with(Instant::now);
            let waited_ms = milliseconds(since.elapsed());
            tell(Progress::Blocked { by: by.iter().map(ToString::to_string).collect(), waited_ms });
            let ended = end_by_rule(session, &options.cancel, &by).await;
            for who in &ended {
                tell(Progress::Ended { who: who.clone() });
            }
            self.ended.extend(ended);
            *blockers = by;
            if sending == Sending::Patient && waited_ms > options.build_wait_ms {
                gave_up = session.cancel(backend).await.unwrap_or(false);
            }
        }
    }

    /// Connects again after the connection broke, and takes the lock again. Holding the lock
    /// proves that the old session is finished, whatever it was doing.
    pub(super) async fn reconnect(&mut self) -> Result<(), ApplyError> {
        self.lock = None;
        self.watch = None;
        let connect = ConnectOptions {
            application_name: format!("lockwise/{}", self.options.run_id),
            ..ConnectOptions::default()
        };
        let mut attempt = 1;
        loop {
            match Connection::open(&self.target, &connect).await {
                Ok(connection) => {
                    self.connection = connection;
                    break;
                }
                Err(error) if attempt > RECONNECTS || self.stop.is_wanted() => {
                    return Err(error.into());
                }
                Err(error) => {
                    let pause = pause_ms(attempt, fastrand::u64(..));
                    let error = error.to_string();
                    self.tell(Progress::Retry { attempt, pause_ms: pause, error });
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    attempt += 1;
                }
            }
        }
        if self.options.pooled {
            return Ok(());
        }
        self.take_lock(self.options.lock_wait_ms.max(60_000)).await?;
        // A server that crashed, or another one that took over, may have lost what it confirmed.
        let found = self.journal.count_of(&mut self.connection, &self.options.run_id).await?;
        match self.written.checked_sub(found) {
            Some(rows @ 1..) => Err(ApplyError::CommitsLost { rows }),
            Some(0) | None => Ok(()),
        }
    }
}

/// A statement that was cancelled because it waited too long may be tried again.
fn waited(mut error: ServerError) -> ServerError {
    if error.kind == ErrorKind::Cancelled {
        error.kind = ErrorKind::LockTimeout;
    }
    error
}

/// Ends what is in the way where a rule allows it; returns whose work was ended.
async fn end_by_rule(
    session: &mut Connection,
    rules: &[CancelRule],
    blockers: &[Blocker],
) -> Vec<String> {
    let mut ended = Vec::new();
    for blocker in blockers {
        let Some(rule) = rules.iter().find(|rule| rule.allows(blocker)) else { continue };
        let (what, done) = match rule.end {
            End::Statement => ("the statement", session.cancel(blocker.session).await),
            End::Session => ("the session", session.terminate(blocker.session).await),
        };
        // A login that may not end others is told by the lock timeout all the same.
        if done.unwrap_or(false) {
            ended.push(format!("{what} of {blocker}"));
        }
    }
    ended
}

/// How long a statement that tidies up may go on after somebody asked the run to end.
const TIDY_UP_MS: u64 = 10_000;

/// How often a broken connection is opened again: about a minute and a half with the pauses.
const RECONNECTS: u32 = 10;

/// Opens the session that looks at the other one; without it the run goes on all the same.
async fn open_watch(target: &Target, run_id: &str) -> Option<Connection> {
    let options = ConnectOptions {
        application_name: format!("lockwise/{run_id}/watch"),
        access: Access::ReadOnly,
        connect_timeout_ms: 2_000,
        ..ConnectOptions::default()
    };
    Connection::open(target, &options).await.ok()
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
