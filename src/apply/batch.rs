//! Goes through a table in batches; each commits together with the row that says how far it is.
//!
//! A batch that is committed is in the journal and one that is not is undone, so no key is gone
//! through twice, whenever the run ends. Nothing is held between two batches: no locks, no
//! transaction.

use std::time::{Duration, Instant};

use super::error::ApplyError;
use super::lag::Replicas;
use super::migration::{Placed, first_words, state};
use super::next::Journal;
use super::progress::Progress;
use super::runner::{Runner, Sending, milliseconds};
use crate::db::{Event, NewEntry, ServerError};
use crate::plan::{Begun, Keys, PlannedBatch, Position, enforce_foreign_keys};

/// How often a run that waits for replicas looks again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// A size that is adapted stays within these factors of the one that was declared.
const FACTOR: u64 = 20;

/// A back-fill while it is worked on.
struct Filling<'p> {
    placed: Placed<'p>,
    batch: &'p PlannedBatch,
    keys: Option<Keys>,
    attempt: u32,
    /// When this run began with it, and how far it was then.
    began: Instant,
    rows_before: u64,
    permille_before: u64,
    replicas: Replicas,
}

impl Runner<'_> {
    /// Brings a step in batches to its end.
    pub(super) async fn batched(
        &mut self,
        placed: Placed<'_>,
        batch: &PlannedBatch,
        begun: &Begun,
    ) -> Result<(), ApplyError> {
        if state(begun, &placed) == Journal::Done {
            return Ok(());
        }
        let entry = placed.step_no().and_then(|number| begun.steps.get(&number));
        let mut position = entry.and_then(|entry| entry.position());
        let mut filling = Filling {
            placed,
            batch,
            keys: None,
            attempt: entry.map_or(1, |entry| entry.attempt + 1),
            began: Instant::now(),
            rows_before: position.as_ref().map_or(0, |at| at.rows),
            permille_before: position.as_ref().and_then(Position::permille).unwrap_or(0),
            replicas: Replicas::new(batch.max_lag_ms, &self.options.replicas),
        };
        self.note(&filling, Event::Intent, None).await?;
        self.faults.pass("intent noted");
        let (step, of) = (placed.number, placed.of);
        self.tell(Progress::Step { step, of, sql: first_words(&placed.step.sql) });
        loop {
            if self.wants_stop() {
                return Err(ApplyError::Interrupted);
            }
            let started = Instant::now();
            match self.next_batch(&mut filling, position.as_ref()).await {
                Ok(Some(at)) if at.is_done() => {
                    let at = self.paced(&filling, at, started.elapsed());
                    let detail = serde_json::to_string(&at).ok();
                    self.note(&filling, Event::Applied, detail).await?;
                    self.faults.pass("step noted");
                    return Ok(());
                }
                Ok(Some(at)) => {
                    filling.attempt = 1;
                    position = Some(self.paced(&filling, at, started.elapsed()));
                    self.rest(&mut filling).await?;
                }
                Ok(None) => {
                    self.note(&filling, Event::Applied, None).await?;
                    return Ok(());
                }
                Err(Stopped::Wrong(what)) => return Err(wrong(&filling, what)),
                Err(Stopped::Server(error)) if !error.was_answered() => {
                    self.reconnect().await?;
                    position = self.last_position(&placed).await?;
                }
                Err(Stopped::Server(error)) => {
                    let waited_ms = milliseconds(started.elapsed());
                    // A transaction that was not begun is not there to be rolled back.
                    let _ = self.connection.rollback().await;
                    self.refused(placed, &error, filling.attempt, waited_ms).await?;
                    filling.attempt += 1;
                    position = position.map(|at| smaller(batch, at));
                }
            }
        }
    }

    /// Runs the next batch and returns where it ends; none where there is no row at all.
    async fn next_batch(
        &mut self,
        filling: &mut Filling<'_>,
        position: Option<&Position>,
    ) -> Result<Option<Position>, Stopped> {
        let batch = filling.batch;
        let keys = match filling.keys {
            Some(keys) => keys,
            None => self.keys(batch).await?,
        };
        filling.keys = Some(keys);
        let mut at = match position {
            Some(at) => at.clone(),
            None => match self.first_position(batch, keys).await? {
                Some(at) => at,
                None => return Ok(None),
            },
        };
        let rows = self.connection.query(&batch.next(&at, keys)).await?;
        let upto = rows.scalar().map_or_else(|| at.until.clone(), str::to_owned);
        enforce_foreign_keys(&mut self.connection, true).await?;
        self.connection.begin().await?;
        self.faults.pass("batch begun");
        self.limit(filling.placed.step).await?;
        let sql = batch.statement(at.after.as_deref(), &upto);
        at.rows += self.send(&sql, Sending::Limited).await?;
        self.faults.pass("batch sent");
        at.after = Some(upto);
        at.batches += 1;
        let row = self.row(filling, Event::Progress, serde_json::to_string(&at).ok());
        let written = self.journal.append(&mut self.connection, &[row]).await;
        written.map_err(|error| Stopped::of(&error))?;
        self.connection.commit().await?;
        self.faults.pass("batch committed");
        Ok(Some(at))
    }

    /// Looks at the table: its first and last key, and whether every row has one.
    async fn first_position(
        &mut self,
        batch: &PlannedBatch,
        keys: Keys,
    ) -> Result<Option<Position>, Stopped> {
        let [first, last, without] = batch.bounds(keys);
        if !self.connection.query(&without).await?.is_empty() {
            return Err(Stopped::Wrong(format!(
                "rows of {} have no {}, so no batch would reach them",
                batch.table, batch.key
            )));
        }
        let from = self.connection.query(&first).await?.scalar().map(str::to_owned);
        let until = self.connection.query(&last).await?.scalar().map(str::to_owned);
        let (Some(from), Some(until)) = (from, until) else { return Ok(None) };
        let size = batch.size;
        Ok(Some(Position { from, after: None, until, rows: 0, batches: 0, size }))
    }

    /// Finds out how the server writes the key.
    async fn keys(&mut self, batch: &PlannedBatch) -> Result<Keys, Stopped> {
        let kind = self.connection.server().kind;
        let Some(sql) = batch.type_query(kind) else { return Ok(Keys::of(kind, "")) };
        let rows = self.connection.query(&sql).await?;
        let Some(row) = rows.first() else {
            let (table, key) = (&batch.table, &batch.key);
            return Err(Stopped::Wrong(format!("{table} has no column {key}")));
        };
        if !row.text(1).eq_ignore_ascii_case("InnoDB") {
            return Err(Stopped::Wrong(format!(
                "the engine of {} is {}: its changes do not commit together with the journal",
                batch.table,
                row.text(1)
            )));
        }
        Ok(Keys::of(kind, row.text(0)))
    }

    /// Reads where it stands after the connection broke.
    async fn last_position(&mut self, placed: &Placed<'_>) -> Result<Option<Position>, ApplyError> {
        let version = self.step_version(&placed.migration.version);
        let history = self.history().await?;
        let steps = history.begun.get(&version).map(|begun| &begun.steps);
        let entry = placed.step_no().and_then(|number| steps?.get(&number));
        Ok(entry.and_then(|entry| entry.position()))
    }

    /// Tells how far it is, and sets the size of the next batch.
    fn paced(&mut self, filling: &Filling<'_>, mut at: Position, took: Duration) -> Position {
        let elapsed_ms = milliseconds(filling.began.elapsed()).max(1);
        let rows_per_second = (at.rows - filling.rows_before) * 1000 / elapsed_ms;
        let permille = at.permille();
        let left_ms = permille.and_then(|now| {
            let done = now.checked_sub(filling.permille_before).filter(|done| *done > 0)?;
            Some(elapsed_ms * 1000_u64.saturating_sub(now) / done)
        });
        self.tell(Progress::Batch {
            rows: at.rows,
            batches: at.batches,
            percent: permille.and_then(|now| u8::try_from(now / 10).ok()),
            rows_per_second,
            left_ms,
        });
        if let Some(wanted) = filling.batch.adapt_ms {
            at.size = adapted(filling.batch.size, at.size, milliseconds(took), wanted);
        }
        at
    }

    /// Rests between two batches, longer while replicas are behind.
    async fn rest(&mut self, filling: &mut Filling<'_>) -> Result<(), ApplyError> {
        self.sleep(Duration::from_millis(filling.batch.pause_ms)).await;
        loop {
            let behind = filling.replicas.behind(&mut self.connection).await?;
            let Some((who, lag_ms)) = behind else { return Ok(()) };
            if self.wants_stop() {
                return Err(ApplyError::Interrupted);
            }
            self.tell(Progress::WaitingForReplica { who, lag_ms });
            self.sleep(LOOK_AGAIN).await;
        }
    }

    fn row(&self, filling: &Filling<'_>, event: Event, detail: Option<String>) -> NewEntry {
        let Placed { migration, step, .. } = filling.placed;
        NewEntry {
            step_no: filling.placed.step_no(),
            attempt: Some(filling.attempt),
            raw_digest: Some(step.raw.to_string()),
            semantic_digest: Some(step.semantic.to_string()),
            detail,
            ..self.entry(&self.step_version(&migration.version), &migration.name, event)
        }
    }

    async fn note(
        &mut self,
        filling: &Filling<'_>,
        event: Event,
        detail: Option<String>,
    ) -> Result<(), ApplyError> {
        let row = self.row(filling, event, detail);
        self.append(&[row]).await
    }
}

/// Why a batch did not come about.
enum Stopped {
    /// The server said no, or nothing.
    Server(ServerError),
    /// The table cannot be gone through this way.
    Wrong(String),
}

impl From<ServerError> for Stopped {
    fn from(error: ServerError) -> Self {
        Self::Server(error)
    }
}

impl Stopped {
    fn of(error: &crate::db::Error) -> Self {
        match error.cause() {
            Some(cause) => Self::Server(cause.clone()),
            None => Self::Wrong(error.to_string()),
        }
    }
}

fn wrong(filling: &Filling<'_>, what: String) -> ApplyError {
    ApplyError::Batch {
        version: filling.placed.migration.version.clone(),
        step: filling.placed.number,
        line: filling.placed.step.line,
        what,
    }
}

/// Returns half the size after a failure, where the size may change at all.
fn smaller(batch: &PlannedBatch, mut at: Position) -> Position {
    if batch.adapt_ms.is_some() {
        at.size = (at.size / 2).max(batch.size.div_ceil(FACTOR));
    }
    at
}

/// Returns the size with which a batch should take as long as wanted: at most twice or half as
/// many keys as the last one, within limits of the size that was declared.
fn adapted(declared: u64, size: u64, took_ms: u64, wanted_ms: u64) -> u64 {
    let fitting = size.saturating_mul(wanted_ms) / took_ms.max(1);
    let near = fitting.clamp((size / 2).max(1), size.saturating_mul(2));
    near.clamp(declared.div_ceil(FACTOR), declared.saturating_mul(FACTOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_the_time_a_batch_takes() {
        assert_eq!(adapted(1000, 1000, 500, 500), 1000);
        assert_eq!(adapted(1000, 1000, 250, 500), 2000);
        assert_eq!(adapted(1000, 1000, 1, 500), 2000, "not more than twice as many at once");
        assert_eq!(adapted(1000, 1000, 60_000, 500), 500);
        assert_eq!(adapted(1000, 60, 60_000, 500), 50, "not below a twentieth");
        assert_eq!(adapted(1000, 20_000, 1, 500), 20_000, "not above twenty times");
    }
}
