//! Runs one statement that commits by itself: what it did is looked up, never assumed.

use super::case::Case;
use super::error::ApplyError;
use super::leftover::Leftover;
use super::migration::{Placed, first_words, state};
use super::next::{Action, Answer, Journal, Live, Outcome, Reason, after, next};
use super::progress::Progress;
use super::runner::{Runner, Sending, milliseconds};
use crate::db::{Event, NewEntry, ServerError};
use crate::plan::{Begun, Digest, Nature, Seen, Step, scope_of, see};

impl Runner<'_> {
    /// Brings one step to its end.
    pub(super) async fn alone(
        &mut self,
        placed: Placed<'_>,
        begun: &Begun,
    ) -> Result<(), ApplyError> {
        let entry = placed.step_no().and_then(|number| begun.steps.get(&number));
        let mut case = Case {
            placed,
            journal: state(begun, &placed),
            live: Live::Unseen,
            attempt: entry.map_or(0, |entry| entry.attempt),
            before: entry.and_then(|entry| entry.before.clone()),
            leftover: None,
            seen: String::new(),
        };
        if placed.step.session {
            // It is about the session, which is new.
            case.journal = Journal::Absent;
        }
        loop {
            match next(placed.step.nature, case.journal, case.live) {
                Action::Skip => return Ok(()),
                Action::Look => self.look(&mut case).await?,
                Action::CleanUp => self.clean_up(&mut case).await?,
                Action::RecordDone => {
                    self.record(&case, Event::Recovered).await?;
                    self.tell(Progress::Recovered { step: placed.number });
                    return Ok(());
                }
                Action::Stop(reason) => return Err(case.stop(reason)),
                Action::Run => {
                    if self.run_once(&mut case).await? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Sends the statement once; says whether the step is done.
    async fn run_once(&mut self, case: &mut Case<'_>) -> Result<bool, ApplyError> {
        if self.wants_stop() {
            return Err(ApplyError::Interrupted);
        }
        let Placed { step, number, of, .. } = case.placed;
        case.attempt += 1;
        if step.nature == Nature::Visible && step.change.is_empty() && case.before.is_none() {
            let text = self.snapshot().await?.text();
            case.before = Some(Digest::of_bytes(text.as_bytes()).to_string());
        }
        self.sweep(case).await?;
        self.record(case, Event::Intent).await?;
        case.journal = Journal::Started;
        self.faults.pass("intent noted");
        self.tell(Progress::Step { step: number, of, sql: first_words(&step.sql) });
        let started = std::time::Instant::now();
        let sent = self.send_step(step).await;
        self.faults.pass("statement sent");
        if step.session {
            self.connection.forget_limits();
        }
        let waited_ms = milliseconds(started.elapsed());
        let answer = match &sent {
            Ok(()) => Answer::Ok,
            Err(error) if !error.was_answered() => Answer::Lost,
            Err(error) if error.kind.is_transient() => Answer::Passing,
            Err(_) => Answer::Refused,
        };
        case.live = Live::Unseen;
        loop {
            match after(step.nature, answer, case.live) {
                Outcome::Look => self.look_after(case, answer).await?,
                Outcome::RecordDone => {
                    self.record(case, Event::Applied).await?;
                    self.faults.pass("step noted");
                    return Ok(true);
                }
                Outcome::Recover => {
                    self.reconnect().await?;
                    case.live = Live::Unseen;
                    return Ok(false);
                }
                Outcome::Retry => {
                    self.give_up_or_wait(case, &sent, waited_ms).await?;
                    return Ok(false);
                }
                Outcome::Fail => {
                    self.sweep(case).await?;
                    self.give_up_or_wait(case, &sent, waited_ms).await?;
                    return Ok(false);
                }
                // What was begun is finished: there is nothing to try again.
                Outcome::CleanUpAndRetry | Outcome::CleanUpAndFail
                    if case.leftover == Some(Leftover::Detaching) =>
                {
                    self.clean_up(case).await?;
                }
                Outcome::CleanUpAndRetry | Outcome::CleanUpAndFail => {
                    self.clean_up(case).await?;
                    self.give_up_or_wait(case, &sent, waited_ms).await?;
                    return Ok(false);
                }
                Outcome::Stop(reason) => return Err(case.stop(reason)),
            }
        }
    }

    /// Sends the statement of a step with its limits, and what surrounds it, or hands it over. What
    /// comes after is sent whatever happened before, unless nobody is there to hear it.
    async fn send_step(&mut self, step: &Step) -> Result<(), ServerError> {
        if !step.tool.is_empty() {
            return self.hand_over(step).await;
        }
        self.limit(step).await?;
        let patient = step.timeouts.lock_ms == 0;
        let sending = if patient { Sending::Patient } else { Sending::Limited };
        let mut sent = Ok(());
        for sql in step.before().iter().chain([&step.sql]) {
            sent = self.send(sql, sending).await.map(drop);
            self.faults.pass("statement of a step sent");
            if sent.is_err() {
                break;
            }
        }
        if sent.as_ref().is_err_and(|error| !error.was_answered()) {
            return sent;
        }
        for sql in step.after() {
            sent = sent.and(self.connection.execute(sql).await.map(drop));
        }
        sent
    }

    /// Notes a failure; waits where another attempt may follow.
    async fn give_up_or_wait(
        &mut self,
        case: &mut Case<'_>,
        sent: &Result<(), ServerError>,
        waited_ms: u64,
    ) -> Result<(), ApplyError> {
        case.journal = Journal::Failed;
        case.live = Live::Unseen;
        match sent {
            Err(error) => self.refused(case.placed, error, case.attempt, waited_ms).await,
            // It succeeded over an invalid index, which is gone now: the next attempt builds it.
            Ok(()) if case.attempt <= self.options.patience.retries => Ok(()),
            Ok(()) => Err(case.stop(Reason::UnexpectedEffect)),
        }
    }

    /// Writes a row about the step.
    async fn record(&mut self, case: &Case<'_>, event: Event) -> Result<(), ApplyError> {
        let Placed { migration, step, .. } = case.placed;
        let version = self.step_version(&migration.version);
        let row = NewEntry {
            step_no: case.placed.step_no(),
            attempt: Some(case.attempt.max(1)),
            fp_before: case.before.clone(),
            raw_digest: Some(step.raw.to_string()),
            semantic_digest: Some(step.semantic.to_string()),
            ..self.entry(&version, &migration.name, event)
        };
        self.append(&[row]).await
    }

    /// Looks at the live schema.
    async fn look(&mut self, case: &mut Case<'_>) -> Result<(), ApplyError> {
        self.faults.pass("looking");
        let step = case.placed.step;
        if step.change.is_empty() {
            // No shadow run showed what it does: the schema as a whole is compared.
            let live = self.snapshot().await?;
            let now = Digest::of_bytes(live.text().as_bytes()).to_string();
            let same = case.before.as_ref().is_none_or(|before| *before == now);
            case.live = if same { Live::Before } else { Live::Neither };
            "the schema is not as it was before the statement".clone_into(&mut case.seen);
            return Ok(());
        }
        let live = self.snapshot_of(&scope_of(&step.change)).await?;
        case.live = match see(&step.change, &live) {
            Seen::Before => Live::Before,
            Seen::After => Live::After,
            Seen::Invalid(index) => {
                case.seen = format!("the index {index} is invalid");
                case.leftover = Some(Leftover::Index(index));
                Live::Leftover
            }
            Seen::Detaching => {
                "the partition is detached half-way".clone_into(&mut case.seen);
                case.leftover = Some(Leftover::Detaching);
                Live::Leftover
            }
            Seen::Neither(objects) => {
                case.seen = format!("not as planned: {}", objects.join(", "));
                Live::Neither
            }
        };
        Ok(())
    }

    /// Looks at the live schema after the statement; without a shadow run there is nothing to
    /// compare a success with.
    async fn look_after(&mut self, case: &mut Case<'_>, answer: Answer) -> Result<(), ApplyError> {
        if case.placed.step.change.is_empty() && answer == Answer::Ok {
            case.live = Live::After;
            return Ok(());
        }
        self.look(case).await
    }
}
