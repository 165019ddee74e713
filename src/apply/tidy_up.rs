//! Tidies up what a stopped statement left behind: only what the step itself made.

use super::case::Case;
use super::error::ApplyError;
use super::leftover::Leftover;
use super::next::Live;
use super::progress::Progress;
use super::runner::{Runner, Sending};
use crate::db::{Event, NewEntry};
use crate::plan::{Nature, Step};
use crate::sql::ServerKind;

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
        case.live = Live::Unseen;
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
