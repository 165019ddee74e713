//! Runs one migration, group by group.

use std::time::Instant;

use super::error::{ApplyError, Left};
use super::next::Journal;
use super::pooled::Entered;
use super::progress::Progress;
use super::runner::{Direction, Runner, Sending, milliseconds};
use crate::db::{Event, NewEntry, ServerError, Timeouts};
use crate::plan::{Begun, Group, PlannedMigration, Step, foreign_keys_switch};
use crate::sql::ServerKind;

/// A step and its place in its migration.
#[derive(Clone, Copy)]
pub(super) struct Placed<'p> {
    pub(super) migration: &'p PlannedMigration,
    pub(super) step: &'p Step,
    /// From 1.
    pub(super) number: usize,
    pub(super) of: usize,
}

impl Placed<'_> {
    pub(super) fn step_no(&self) -> Option<u32> {
        u32::try_from(self.number).ok()
    }
}

/// What running a transaction came to.
enum Tried {
    Committed,
    /// The database said no, and what was done in the transaction is undone.
    Refused {
        at: usize,
        error: ServerError,
    },
    /// Nobody knows: the connection broke.
    Unknown,
    /// Rows refer to missing rows.
    Orphans(Vec<String>),
    /// Another run settled migrations meanwhile.
    Overtaken,
}

impl Runner<'_> {
    /// Runs what is left of a migration.
    pub(super) async fn migration(
        &mut self,
        migration: &PlannedMigration,
        begun: &Begun,
        started: Instant,
    ) -> Result<(), ApplyError> {
        let of = migration.steps().count();
        let mut number = 1;
        let mut noted = false;
        for (index, group) in migration.groups.iter().enumerate() {
            let placed: Vec<Placed<'_>> = group
                .steps
                .iter()
                .enumerate()
                .map(|(offset, step)| Placed { migration, step, number: number + offset, of })
                .collect();
            number += group.steps.len();
            let last = index + 1 == migration.groups.len();
            if group.transaction {
                let done = placed.iter().all(|step| state(begun, step) == Journal::Done);
                let again = placed.iter().any(|step| step.step.session);
                if !done || again {
                    self.transaction(group, &placed, (last, done), started).await?;
                    noted = last && !done;
                }
            } else {
                for step in placed {
                    match &step.step.batch {
                        Some(batch) => self.batched(step, batch, begun).await?,
                        None => self.alone(step, begun).await?,
                    }
                }
            }
        }
        if !noted {
            let mut rows = vec![self.migration_row(migration, started)];
            rows.extend(self.next_intent.iter().map(|(_, row)| row.clone()));
            self.append(&rows).await?;
            self.note_next(true);
            self.faults.pass("migration noted");
        }
        if migration.steps().any(|step| step.session) && !self.options.pooled {
            self.reset_session().await;
        }
        Ok(())
    }

    /// Runs a group that commits together with its journal rows, until it is committed.
    async fn transaction(
        &mut self,
        group: &Group,
        placed: &[Placed<'_>],
        (last, done): (bool, bool),
        started: Instant,
    ) -> Result<(), ApplyError> {
        let Some(first) = placed.first().copied() else { return Ok(()) };
        let mut rows = if done { Vec::new() } else { self.step_rows(placed) };
        let mut attempt = 1;
        let mut tolerate = 0;
        loop {
            if self.wants_stop() {
                return Err(ApplyError::Interrupted);
            }
            self.intend(&first, attempt).await?;
            if last && !done {
                rows.truncate(placed.len());
                rows.push(self.migration_row(first.migration, started));
                rows.extend(self.next_intent.iter().map(|(_, row)| row.clone()));
            }
            let begun_at = Instant::now();
            match self.attempt(group, placed, &rows, tolerate).await {
                Tried::Committed => {
                    self.note_next(last && !done);
                    return Ok(());
                }
                Tried::Unknown => {
                    self.reconnect().await?;
                    if self.was_committed(&first).await? {
                        self.note_next(last && !done);
                        return Ok(());
                    }
                }
                Tried::Overtaken => return Err(ApplyError::HistoryChanged),
                Tried::Orphans(found) => {
                    let before = self.orphans().await.map_or(0, |rows| rows.len());
                    if before < found.len() || tolerate > 0 {
                        let version = first.migration.version.clone();
                        let detail = found.first().cloned().unwrap_or_default();
                        return Err(ApplyError::ForeignKeys { version, detail });
                    }
                    // They were there before: this migration has not made them.
                    tolerate = before;
                    continue;
                }
                Tried::Refused { at, error } => {
                    let waited = milliseconds(begun_at.elapsed());
                    let step = placed.get(at).copied().unwrap_or(first);
                    self.refused(step, &error, attempt, waited).await?;
                }
            }
            attempt += 1;
        }
    }

    /// Notes the intent of a transaction. There is no step number in the row: it is there for
    /// people, and recovery needs it not. That of a first attempt was mostly written together with
    /// the migration before, which saves a COMMIT for each migration.
    async fn intend(&mut self, first: &Placed<'_>, attempt: u32) -> Result<(), ApplyError> {
        let version = self.step_version(&first.migration.version);
        let noted = self.intended.take();
        if first.number == 1 && attempt == 1 && noted.as_ref() == Some(&version) {
            return Ok(());
        }
        let row = self.intent(first.migration, attempt);
        self.append(&[row]).await?;
        self.faults.pass("intent noted");
        Ok(())
    }

    /// Returns the row that says that a transaction is about to begin.
    fn intent(&self, migration: &PlannedMigration, attempt: u32) -> NewEntry {
        let version = self.step_version(&migration.version);
        NewEntry { attempt: Some(attempt), ..self.entry(&version, &migration.name, Event::Intent) }
    }

    /// Prepares the intent of the migration after this one, where it begins with a transaction.
    pub(super) fn prepare_intent(&mut self, next: Option<&PlannedMigration>) {
        self.next_intent = next
            .filter(|next| next.groups.first().is_some_and(|group| group.transaction))
            .map(|next| (self.step_version(&next.version), self.intent(next, 1)));
    }

    /// Remembers that the intent of the next migration is in the journal.
    fn note_next(&mut self, written: bool) {
        if written {
            self.intended = self.next_intent.take().map(|(version, _)| version);
        }
    }

    /// Notes a refusal, and returns an error when there is to be no other attempt.
    pub(super) async fn refused(
        &mut self,
        placed: Placed<'_>,
        error: &ServerError,
        attempt: u32,
        waited_ms: u64,
    ) -> Result<(), ApplyError> {
        let version = self.step_version(&placed.migration.version);
        let blockers: Vec<String> = self.blockers.iter().map(ToString::to_string).collect();
        let detail = serde_json::json!({
            "error": error.to_string(), "kind": error.kind.as_str(), "line": placed.step.line,
            "blockers": blockers, "waited_ms": waited_ms,
        });
        let in_group = placed.step.nature == crate::plan::Nature::Atomic;
        let row = NewEntry {
            attempt: Some(attempt),
            // A group that was rolled back leaves nothing for recovery to look at.
            step_no: if in_group { None } else { placed.step_no() },
            raw_digest: Some(placed.step.raw.to_string()),
            detail: Some(detail.to_string()),
            ..self.entry(&version, &placed.migration.name, Event::Failed)
        };
        self.append(&[row]).await?;
        self.faults.pass("failure noted");
        if self.wants_stop() {
            return Err(ApplyError::Interrupted);
        }
        let version = placed.migration.version.clone();
        let (step, line, cause) = (placed.number, placed.step.line, Box::new(error.clone()));
        if !error.kind.is_transient() {
            let left = if in_group && placed.number_of_group_is_first() {
                Left::Nothing
            } else {
                Left::EarlierStatements
            };
            let steps = placed.of;
            return Err(ApplyError::Step { version, step, steps, line, left, blockers, cause });
        }
        if placed.step.locks.iter().any(|lock| lock.in_use && lock.blocks.len() > 1) {
            self.spent.blocking_ms += waited_ms;
        }
        let next_ms = placed.step.timeouts.lock_ms;
        if let Some(limit) = self.options.patience.refuses(attempt, self.spent, next_ms) {
            let (steps, attempts) = (placed.of, attempt);
            return Err(ApplyError::GaveUp {
                version,
                step,
                steps,
                line,
                attempts,
                limit,
                blockers,
                cause,
            });
        }
        self.pause(attempt, error).await;
        Ok(())
    }

    /// Runs a group once.
    async fn attempt(
        &mut self,
        group: &Group,
        placed: &[Placed<'_>],
        rows: &[NewEntry],
        tolerate: usize,
    ) -> Tried {
        let settled = |at: usize, error: ServerError| {
            if error.was_answered() { Tried::Refused { at, error } } else { Tried::Unknown }
        };
        let Some(first) = placed.first() else { return Tried::Committed };
        match self.enter(group, first.step).await {
            Ok(Entered::Yes) => {}
            Ok(Entered::Overtaken) => return Tried::Overtaken,
            Err(error) => return settled(0, error),
        }
        self.faults.pass("transaction begun");
        for (at, step) in placed.iter().enumerate() {
            let (number, of) = (step.number, step.of);
            self.tell(Progress::Step { step: number, of, sql: first_words(&step.step.sql) });
            let sent = match self.limit(step.step).await {
                Ok(()) => self.send(&step.step.sql, Sending::Limited).await.map(drop),
                Err(error) => Err(error),
            };
            self.faults.pass("statement sent");
            if step.step.session {
                self.connection.forget_limits();
            }
            if let Err(error) = sent {
                return self.leave(at, error).await;
            }
        }
        self.settle(group, (placed.len().saturating_sub(1), rows), tolerate).await
    }

    /// Writes the rows of a transaction and commits it; `at` is its last step.
    ///
    /// PostgreSQL and SQLite take both in one message, which saves waiting for an answer: they are
    /// in a transaction that was begun before, so that they are committed together or not at all.
    async fn settle(
        &mut self,
        group: &Group,
        (at, rows): (usize, &[NewEntry]),
        tolerate: usize,
    ) -> Tried {
        let checked = self.connection.target().is_sqlite() && !group.foreign_keys;
        let insert = if checked {
            let few = format!("(SELECT count(*) FROM pragma_foreign_key_check) <= {tolerate}");
            self.journal.insert_only_if(rows, &few)
        } else {
            self.journal.insert(rows)
        };
        self.faults.pass("rows written");
        let done = match (self.connection.server().kind, insert) {
            (ServerKind::Postgres | ServerKind::Sqlite, Some(insert)) => {
                self.connection.commit_with(&insert).await
            }
            (ServerKind::Mysql | ServerKind::Mariadb, Some(insert)) => {
                match self.connection.execute(&insert).await {
                    Ok(_) => self.connection.commit().await,
                    Err(error) => Err(error),
                }
            }
            (_, None) => self.connection.commit().await,
        };
        let Err(error) = done else {
            self.count(rows);
            self.faults.pass("committed");
            return Tried::Committed;
        };
        // The rows may be refused because of others, which can be seen before they are undone.
        let orphans = if checked { self.orphans().await.unwrap_or_default() } else { Vec::new() };
        let left = self.leave(at, error).await;
        let rolled_back = matches!(left, Tried::Refused { .. });
        if rolled_back && orphans.len() > tolerate { Tried::Orphans(orphans) } else { left }
    }

    async fn enter(&mut self, group: &Group, first: &Step) -> Result<Entered, ServerError> {
        if self.options.pooled {
            return self.enter_pooled().await;
        }
        let switch = foreign_keys_switch(self.connection.server().kind, group.foreign_keys);
        self.connection.begin_with(limits(first), switch).await.map(|()| Entered::Yes)
    }

    /// Rolls back after an error.
    async fn leave(&mut self, at: usize, error: ServerError) -> Tried {
        if !error.was_answered() {
            return Tried::Unknown;
        }
        match self.connection.rollback().await {
            Ok(()) => Tried::Refused { at, error },
            // SQLite rolls back by itself after some errors; then there is nothing to roll back.
            Err(again) if again.was_answered() => Tried::Refused { at, error },
            Err(_) => Tried::Unknown,
        }
    }

    /// Sets the limits of a statement.
    pub(super) async fn limit(&mut self, step: &Step) -> Result<(), ServerError> {
        self.connection.set_timeouts(limits(step)).await
    }

    /// Returns rows of SQLite that refer to rows which are not there.
    async fn orphans(&mut self) -> Result<Vec<String>, ServerError> {
        let rows = self.connection.query("PRAGMA foreign_key_check").await?;
        let describe = |row: &crate::db::Row| {
            format!("row {} of {} refers to {}", row.text(1), row.text(0), row.text(2))
        };
        Ok(rows.iter().map(describe).collect())
    }

    /// Says whether the group that begins with this step is committed: the row is there or not.
    async fn was_committed(&mut self, first: &Placed<'_>) -> Result<bool, ApplyError> {
        let version = self.step_version(&first.migration.version);
        let history = self.history().await?;
        let steps = history.begun.get(&version).map(|begun| &begun.steps);
        let step = first.step_no().and_then(|number| steps?.get(&number));
        let settled = match self.options.direction {
            Direction::Up => history.applied(&first.migration.version).is_some(),
            Direction::Down => history.applied(&first.migration.version).is_none(),
        };
        Ok(settled || step.is_some_and(|step| step.event == Event::Applied))
    }

    fn step_rows(&self, placed: &[Placed<'_>]) -> Vec<NewEntry> {
        let row = |step: &Placed<'_>| {
            let version = self.step_version(&step.migration.version);
            NewEntry {
                step_no: step.step_no(),
                raw_digest: Some(step.step.raw.to_string()),
                semantic_digest: Some(step.step.semantic.to_string()),
                ..self.entry(&version, &step.migration.name, Event::Applied)
            }
        };
        placed.iter().map(row).collect()
    }

    /// Returns the row that settles a migration; it carries the way back.
    fn migration_row(&self, migration: &PlannedMigration, started: Instant) -> NewEntry {
        let event = match self.options.direction {
            Direction::Up => Event::MigrationApplied,
            Direction::Down => Event::MigrationRolledBack,
        };
        let detail = serde_json::json!({
            "took_ms": milliseconds(started.elapsed()),
            "path": migration.path,
            "rollback": migration.rollback,
            "change": migration.change,
        });
        NewEntry {
            raw_digest: Some(migration.raw.to_string()),
            semantic_digest: Some(migration.semantic.to_string()),
            detail: Some(detail.to_string()),
            ..self.entry(&migration.version, &migration.name, event)
        }
    }

    /// Takes back what the SET statements of a migration set for the session.
    async fn reset_session(&mut self) {
        let kind = self.connection.server().kind;
        self.connection.forget_limits();
        for sql in crate::plan::session_reset(kind) {
            // A setting that cannot be reset is one the next statement does not depend on either.
            let _ = self.connection.execute(sql).await;
        }
        self.connection.keep_commits().await;
    }
}

impl Placed<'_> {
    /// Says whether the group of this step is the first of its migration, so that rolling it back
    /// leaves nothing of the migration.
    fn number_of_group_is_first(&self) -> bool {
        let first = self.migration.groups.first();
        first.is_some_and(|group| group.steps.iter().any(|step| step.number == self.step.number))
    }
}

/// Returns the limits of a step in the words of the session.
const fn limits(step: &Step) -> Timeouts {
    Timeouts {
        lock_timeout_ms: step.timeouts.lock_ms,
        statement_timeout_ms: step.timeouts.statement_ms,
    }
}

/// Returns what the journal says about a step.
pub(super) fn state(begun: &Begun, placed: &Placed<'_>) -> Journal {
    let entry = placed.step_no().and_then(|number| begun.steps.get(&number));
    match entry.map(|entry| entry.event) {
        Some(Event::Applied | Event::Recovered) => Journal::Done,
        Some(Event::Failed) => Journal::Failed,
        Some(_) => Journal::Started,
        None => Journal::Absent,
    }
}

/// Returns the beginning of a statement on one line.
pub(super) fn first_words(sql: &str) -> String {
    let mut line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(72) {
        line.truncate(end);
        line.push('…');
    }
    line
}
