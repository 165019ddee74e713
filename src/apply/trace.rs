//! What a run tells, turned into spans of time: the run, its migrations, their statements.
//!
//! Pure: whoever hears the run gives the times. A statement ends when the next one begins, when its
//! migration ends, or when the run does.

use super::progress::Progress;

/// A span of time and what happened in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// What it is.
    pub kind: SpanKind,
    /// The migration; empty for the run.
    pub version: String,
    /// The statement, from 1; zero for runs and migrations.
    pub step: usize,
    /// The first words of the statement, or the name of the migration.
    pub what: String,
    /// The place of the span around it in the list.
    pub parent: Option<usize>,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds since 1970.
    pub end: u64,
    /// How long it waited for locks.
    pub lock_wait_ms: u64,
    /// Attempts beyond the first.
    pub retries: u64,
    /// Rows changed, where it went through a table in batches.
    pub rows: u64,
    /// Why it failed.
    pub error: Option<String>,
}

/// What a span is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// The whole run.
    Run,
    /// A migration.
    Migration,
    /// A statement.
    Step,
}

/// The spans of a run so far; the first is the run itself.
#[derive(Debug, Clone)]
pub struct Trace {
    spans: Vec<Span>,
    migration: Option<usize>,
    step: Option<usize>,
    /// The wait that is going on, as it was told last.
    waiting_ms: u64,
}

impl Trace {
    /// Begins a run.
    pub fn begin(what: &str, now: u64) -> Self {
        let run = span(SpanKind::Run, what, None, now);
        Self { spans: vec![run], migration: None, step: None, waiting_ms: 0 }
    }

    /// Hears what goes on.
    pub fn hear(&mut self, progress: &Progress, now: u64) {
        match progress {
            Progress::Migration { version, name, .. } => {
                self.end_step(now);
                let mut migration = span(SpanKind::Migration, name, Some(0), now);
                migration.version.clone_from(version);
                self.migration = Some(self.spans.len());
                self.spans.push(migration);
            }
            Progress::Step { step, sql, .. } => self.step(*step, sql, now),
            Progress::Blocked { waited_ms, .. } => {
                if *waited_ms < self.waiting_ms {
                    self.end_wait();
                }
                self.waiting_ms = *waited_ms;
            }
            Progress::Retry { .. } => {
                self.end_wait();
                if let Some(span) = self.current() {
                    span.retries += 1;
                }
            }
            Progress::Batch { rows, .. } => {
                if let Some(span) = self.current() {
                    span.rows = *rows;
                }
            }
            Progress::Done { .. } => {
                self.end_step(now);
                self.end(self.migration, now);
                self.migration = None;
            }
            Progress::WaitingForRun { .. }
            | Progress::Resuming { .. }
            | Progress::Working { .. }
            | Progress::WaitingForReplica { .. }
            | Progress::CleanedUp { .. }
            | Progress::Ended { .. }
            | Progress::Recovered { .. } => {}
        }
    }

    /// Ends the run and returns its spans.
    pub fn finish(mut self, error: Option<&str>, now: u64) -> Vec<Span> {
        let failed = [Some(0), self.migration, self.step];
        self.end_step(now);
        self.end(self.migration, now);
        self.end(Some(0), now);
        if let Some(error) = error {
            for at in failed.into_iter().flatten() {
                if let Some(span) = self.spans.get_mut(at) {
                    span.error = Some(error.to_owned());
                }
            }
        }
        self.spans
    }

    /// Begins a statement, or its next attempt.
    fn step(&mut self, step: usize, sql: &str, now: u64) {
        let again = self.current().is_some_and(|open| open.step == step);
        if again {
            return;
        }
        self.end_step(now);
        let mut span = span(SpanKind::Step, sql, self.migration.or(Some(0)), now);
        span.step = step;
        span.version = self.migration_version();
        self.step = Some(self.spans.len());
        self.spans.push(span);
    }

    fn migration_version(&self) -> String {
        let open = self.migration.and_then(|at| self.spans.get(at));
        open.map_or_else(String::new, |migration| migration.version.clone())
    }

    /// Returns the statement that runs.
    fn current(&mut self) -> Option<&mut Span> {
        self.step.and_then(|at| self.spans.get_mut(at))
    }

    fn end_wait(&mut self) {
        let waited = std::mem::take(&mut self.waiting_ms);
        if let Some(span) = self.current() {
            span.lock_wait_ms += waited;
        }
    }

    fn end_step(&mut self, now: u64) {
        self.end_wait();
        self.end(self.step, now);
        self.step = None;
    }

    fn end(&mut self, at: Option<usize>, now: u64) {
        if let Some(span) = at.and_then(|at| self.spans.get_mut(at)) {
            span.end = now;
        }
    }
}

fn span(kind: SpanKind, what: &str, parent: Option<usize>, now: u64) -> Span {
    Span {
        kind,
        version: String::new(),
        step: 0,
        what: what.to_owned(),
        parent,
        start: now,
        end: now,
        lock_wait_ms: 0,
        retries: 0,
        rows: 0,
        error: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_when_the_next_begins_and_keep_their_waits() {
        let mut trace = Trace::begin("apply", 0);
        let migration = Progress::Migration {
            version: "1".to_owned(),
            name: "orders".to_owned(),
            number: 1,
            of: 1,
        };
        let step = |step| Progress::Step { step, of: 2, sql: format!("ALTER {step}") };
        let blocked = |waited_ms| Progress::Blocked { by: Vec::new(), waited_ms };
        let retry = Progress::Retry { attempt: 2, pause_ms: 1, error: String::new() };
        let done = Progress::Done { version: "1".to_owned(), took_ms: 5 };
        let story = [
            (10, migration),
            (11, step(1)),
            (12, blocked(1000)),
            (13, blocked(2000)),
            (14, retry),
            (15, step(1)),
            (16, blocked(500)),
            (20, step(2)),
            (30, done),
        ];
        for (now, progress) in story {
            trace.hear(&progress, now);
        }
        let spans = trace.finish(Some("lost"), 40);
        let times: Vec<(usize, u64, u64)> =
            spans.iter().map(|span| (span.step, span.start, span.end)).collect();
        assert_eq!(times, [(0, 0, 40), (0, 10, 30), (1, 11, 20), (2, 20, 30)]);
        assert_eq!((spans[2].lock_wait_ms, spans[2].retries), (2500, 1));
        assert_eq!(spans[2].parent, Some(1));
        assert_eq!(spans[2].version, "1");
        assert_eq!(spans[0].error.as_deref(), Some("lost"));
        assert_eq!(spans[3].error, None, "it had ended before");
    }
}
