//! What a statement of PostgreSQL leaves behind when it is stopped half-way, and how it is tidied
//! up: only what the step itself made.
//!
//! `CREATE INDEX CONCURRENTLY` leaves an invalid index of its name, `REINDEX CONCURRENTLY` indexes
//! whose names end in `_ccnew` or `_ccold` (manual, "REINDEX", "Rebuilding Indexes Concurrently"),
//! `DETACH PARTITION CONCURRENTLY` a partition that waits for `FINALIZE` (manual, "ALTER TABLE",
//! 14 and later).

use super::alone::Case;
use super::error::ApplyError;
use super::progress::Progress;
use super::runner::{Runner, Sending};
use crate::db::{Event, NewEntry};
use crate::plan::{Nature, Step};
use crate::sql::ServerKind;

/// What is left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Leftover {
    /// An invalid index, by its quoted full name.
    Index(String),
    /// A partition that is detached half-way.
    Detaching,
}

impl Leftover {
    /// Returns the statement that tidies up after a step.
    pub(super) fn statement(&self, step: &Step) -> String {
        match self {
            Self::Index(name) => format!("DROP INDEX CONCURRENTLY IF EXISTS {name}"),
            Self::Detaching => finalize(&step.sql),
        }
    }

    /// Returns it in words.
    fn words(&self) -> String {
        match self {
            Self::Index(name) => format!("removed the invalid index {name}"),
            Self::Detaching => "finished the detaching of the partition".to_owned(),
        }
    }
}

/// `… DETACH PARTITION p CONCURRENTLY` becomes `… DETACH PARTITION p FINALIZE`.
fn finalize(sql: &str) -> String {
    let word = "CONCURRENTLY";
    let at = sql.to_ascii_uppercase().rfind(word).unwrap_or(sql.len());
    let (before, rest) = sql.split_at(at);
    format!("{before}FINALIZE{}", rest.get(word.len()..).unwrap_or_default())
}

/// Invalid indexes with the names that `REINDEX CONCURRENTLY` gives.
const REINDEXING: &str = "SELECT format('%I.%I', n.nspname, c.relname) \
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
     JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$' ORDER BY 1";

impl Runner<'_> {
    /// Says whether a step may leave indexes of `REINDEX CONCURRENTLY` behind.
    fn reindexes(&self, step: &Step) -> bool {
        self.connection.server().kind == ServerKind::Postgres
            && step.nature == Nature::Repeatable
            && !step.builds.is_empty()
    }

    /// Notes which leftovers of `REINDEX CONCURRENTLY` are there before the step begins, or removes
    /// those that its earlier attempts added. The list goes into the journal with the intent.
    pub(super) async fn sweep(&mut self, case: &mut Case<'_>) -> Result<(), ApplyError> {
        if !self.reindexes(case.placed.step) {
            return Ok(());
        }
        let rows = self.connection.ask(REINDEXING, "cannot look for invalid indexes").await?;
        let now: Vec<String> = rows.iter().map(|row| row.text(0).to_owned()).collect();
        let Some(before) = &case.before else {
            case.before = Some(now.join(" "));
            return Ok(());
        };
        let before: Vec<String> = before.split(' ').map(str::to_owned).collect();
        for name in now.into_iter().filter(|name| !before.contains(name)) {
            case.leftover = Some(Leftover::Index(name));
            self.clean_up(case).await?;
        }
        Ok(())
    }

    /// Tidies up what an attempt of this very step left behind.
    pub(super) async fn clean_up(&mut self, case: &mut Case<'_>) -> Result<(), ApplyError> {
        let Some(leftover) = case.leftover.take() else { return Ok(()) };
        let sql = leftover.statement(case.placed.step);
        let done = self.send(&sql, Sending::TidyUp).await;
        self.faults.pass("leftover removed");
        case.live = super::next::Live::Unseen;
        if let Err(error) = done {
            let (placed, attempt) = (case.placed, case.attempt);
            return self.refused(placed, &error, attempt, 0).await;
        }
        let what = leftover.words();
        let version = self.step_version(&case.placed.migration.version);
        let row = NewEntry {
            attempt: Some(case.attempt),
            detail: Some(serde_json::json!({ "done": what }).to_string()),
            ..self.entry(&version, &case.placed.migration.name, Event::CleanedUp)
        };
        self.append(&[row]).await?;
        self.tell(Progress::CleanedUp { what });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detaching_is_finished_in_the_words_of_the_step() {
        assert_eq!(
            finalize("alter table p detach partition \"concurrently\" concurrently"),
            "alter table p detach partition \"concurrently\" FINALIZE"
        );
    }
}
