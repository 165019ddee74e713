//! The step machine: what was written down and what is really there to what to do next.
//!
//! Pure. The driver looks things up, asks here, and does what it is told. Nothing is ever run
//! again on a guess: where the two cannot be told apart, a person decides.

use crate::plan::Nature;

/// The last thing the journal says about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Journal {
    /// Nothing.
    Absent,
    /// The intent was written: the statement may have been sent.
    Started,
    /// The server refused it, and the schema was seen to be as before.
    Failed,
    /// It is done.
    Done,
}

/// What the live schema shows of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Live {
    /// Every object it changes is as before it.
    Before,
    /// Every object it changes is as after it.
    After,
    /// An invalid index of its own making is in the way.
    Leftover,
    /// Something else: part of it, or somebody else's work.
    Neither,
    /// It was not looked at, or cannot be seen.
    Unseen,
}

/// What to do about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Nothing: it is done.
    Skip,
    /// Look at the live schema and ask again.
    Look,
    /// Run it.
    Run,
    /// Remove the leftover and ask again.
    CleanUp,
    /// Write down that it is done.
    RecordDone,
    /// Stop and tell a person.
    Stop(Reason),
}

/// Why a person has to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The change is there and lockwise did not make it.
    MadeBySomebodyElse,
    /// The objects are neither as before nor as after.
    NeitherBeforeNorAfter,
    /// The statement may have run, and the schema cannot show it.
    MayHaveRun,
    /// It ran without an error and the schema is not what the shadow run showed.
    UnexpectedEffect,
}

impl Reason {
    /// Returns the word kept in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MadeBySomebodyElse => "made-by-somebody-else",
            Self::NeitherBeforeNorAfter => "neither-before-nor-after",
            Self::MayHaveRun => "may-have-run",
            Self::UnexpectedEffect => "unexpected-effect",
        }
    }
}

/// Decides what to do about the first step that is not done.
pub const fn next(nature: Nature, journal: Journal, live: Live) -> Action {
    match (nature, journal) {
        (_, Journal::Done) => Action::Skip,
        // The row commits with the statement: no row, no change.
        (Nature::Atomic, Journal::Absent | Journal::Started | Journal::Failed)
        | (Nature::Repeatable, Journal::Absent | Journal::Started | Journal::Failed)
        // Each batch commits with its own row, which says where the next one begins.
        | (Nature::Batched, Journal::Absent | Journal::Started | Journal::Failed)
        | (Nature::Blind, Journal::Absent | Journal::Failed) => Action::Run,
        (Nature::Blind, Journal::Started) => Action::Stop(Reason::MayHaveRun),
        (Nature::Visible, Journal::Absent) => match live {
            Live::Before => Action::Run,
            Live::After => Action::Stop(Reason::MadeBySomebodyElse),
            // It is not ours: nothing of ours was sent.
            Live::Leftover | Live::Neither => Action::Stop(Reason::NeitherBeforeNorAfter),
            Live::Unseen => Action::Look,
        },
        (Nature::Visible, Journal::Started | Journal::Failed) => match live {
            Live::Before => Action::Run,
            Live::After => Action::RecordDone,
            Live::Leftover => Action::CleanUp,
            Live::Neither => Action::Stop(Reason::NeitherBeforeNorAfter),
            Live::Unseen => Action::Look,
        },
    }
}

/// What the server answered to a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It succeeded.
    Ok,
    /// It was refused for a reason that may pass: a lock, a deadlock, a serialization failure.
    Passing,
    /// It was refused for a reason that will not pass.
    Refused,
    /// No answer came.
    Lost,
}

/// What to do after a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Look at the live schema and ask again.
    Look,
    /// Write down that it is done.
    RecordDone,
    /// Write down that it failed, wait, and try again.
    Retry,
    /// Remove the leftover, wait, and try again.
    CleanUpAndRetry,
    /// Write down that it failed and report the server's error.
    Fail,
    /// Remove the leftover, then write down the failure and report the server's error.
    CleanUpAndFail,
    /// Connect again, take the lock again, and begin with [`next`].
    Recover,
    /// Stop and tell a person.
    Stop(Reason),
}

/// Decides what to do after a statement was sent; also an error may have had an effect.
///
/// MariaDB 10.11, measured: `DROP TABLE a, missing` gives error 1051 and `a` is gone.
pub const fn after(nature: Nature, answer: Answer, live: Live) -> Outcome {
    match (nature, answer) {
        (_, Answer::Lost) => Outcome::Recover,
        (Nature::Atomic | Nature::Repeatable | Nature::Batched | Nature::Blind, Answer::Ok) => {
            Outcome::RecordDone
        }
        (
            Nature::Atomic | Nature::Repeatable | Nature::Batched | Nature::Blind,
            Answer::Passing,
        ) => Outcome::Retry,
        (
            Nature::Atomic | Nature::Repeatable | Nature::Batched | Nature::Blind,
            Answer::Refused,
        ) => Outcome::Fail,
        (Nature::Visible, Answer::Ok) => match live {
            Live::After => Outcome::RecordDone,
            Live::Unseen => Outcome::Look,
            // `CREATE INDEX CONCURRENTLY IF NOT EXISTS` succeeds over an invalid index.
            Live::Leftover => Outcome::CleanUpAndRetry,
            Live::Before | Live::Neither => Outcome::Stop(Reason::UnexpectedEffect),
        },
        (Nature::Visible, Answer::Passing) => match live {
            Live::Before => Outcome::Retry,
            Live::After => Outcome::RecordDone,
            Live::Leftover => Outcome::CleanUpAndRetry,
            Live::Neither => Outcome::Stop(Reason::NeitherBeforeNorAfter),
            Live::Unseen => Outcome::Look,
        },
        (Nature::Visible, Answer::Refused) => match live {
            Live::Before => Outcome::Fail,
            Live::After => Outcome::RecordDone,
            Live::Leftover => Outcome::CleanUpAndFail,
            Live::Neither => Outcome::Stop(Reason::NeitherBeforeNorAfter),
            Live::Unseen => Outcome::Look,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NATURES: [Nature; 5] =
        [Nature::Atomic, Nature::Visible, Nature::Repeatable, Nature::Batched, Nature::Blind];
    const JOURNALS: [Journal; 4] =
        [Journal::Absent, Journal::Started, Journal::Failed, Journal::Done];
    const LIVES: [Live; 5] =
        [Live::Before, Live::After, Live::Leftover, Live::Neither, Live::Unseen];
    const ANSWERS: [Answer; 4] = [Answer::Ok, Answer::Passing, Answer::Refused, Answer::Lost];

    #[test]
    fn every_visible_case_is_decided() {
        use Action::{CleanUp, Look, RecordDone, Run, Skip, Stop};
        use Reason::{MadeBySomebodyElse, NeitherBeforeNorAfter};
        let neither = Stop(NeitherBeforeNorAfter);
        // before, after, leftover, neither, unseen
        let table = [
            (Journal::Absent, [Run, Stop(MadeBySomebodyElse), neither, neither, Look]),
            (Journal::Started, [Run, RecordDone, CleanUp, neither, Look]),
            (Journal::Failed, [Run, RecordDone, CleanUp, neither, Look]),
            (Journal::Done, [Skip; 5]),
        ];
        for (journal, row) in table {
            for (live, expected) in LIVES.into_iter().zip(row) {
                assert_eq!(next(Nature::Visible, journal, live), expected, "{journal:?} {live:?}");
            }
        }
    }

    #[test]
    fn the_other_natures_follow_the_journal_alone() {
        use Action::{Run, Skip, Stop};
        let blind = Stop(Reason::MayHaveRun);
        let table = [
            (Nature::Atomic, [Run, Run, Run, Skip]),
            (Nature::Repeatable, [Run, Run, Run, Skip]),
            (Nature::Batched, [Run, Run, Run, Skip]),
            (Nature::Blind, [Run, blind, Run, Skip]),
        ];
        for (nature, row) in table {
            for (journal, expected) in JOURNALS.into_iter().zip(row) {
                for live in LIVES {
                    assert_eq!(next(nature, journal, live), expected, "{nature:?} {journal:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_that_is_done_runs_again() {
        for nature in NATURES {
            for live in LIVES {
                assert_eq!(next(nature, Journal::Done, live), Action::Skip);
            }
        }
    }

    #[test]
    fn a_statement_that_may_have_run_runs_again_only_when_it_is_proven_not_to_have() {
        for live in LIVES {
            let again = next(Nature::Visible, Journal::Started, live) == Action::Run;
            assert_eq!(again, live == Live::Before);
        }
        assert_ne!(next(Nature::Blind, Journal::Started, Live::Before), Action::Run);
    }

    #[test]
    fn no_foreign_object_is_removed() {
        for nature in NATURES {
            for live in LIVES {
                assert_ne!(next(nature, Journal::Absent, live), Action::CleanUp);
            }
        }
    }

    #[test]
    fn every_answer_of_a_visible_step_is_decided() {
        use Outcome::{
            CleanUpAndFail, CleanUpAndRetry, Fail, Look, RecordDone, Recover, Retry, Stop,
        };
        let unexpected = Stop(Reason::UnexpectedEffect);
        let neither = Stop(Reason::NeitherBeforeNorAfter);
        // before, after, leftover, neither, unseen
        let table = [
            (Answer::Ok, [unexpected, RecordDone, CleanUpAndRetry, unexpected, Look]),
            (Answer::Passing, [Retry, RecordDone, CleanUpAndRetry, neither, Look]),
            (Answer::Refused, [Fail, RecordDone, CleanUpAndFail, neither, Look]),
            (Answer::Lost, [Recover; 5]),
        ];
        for (answer, row) in table {
            for (live, expected) in LIVES.into_iter().zip(row) {
                assert_eq!(after(Nature::Visible, answer, live), expected, "{answer:?} {live:?}");
            }
        }
    }

    #[test]
    fn the_other_natures_follow_the_answer_alone() {
        use Outcome::{Fail, RecordDone, Recover, Retry};
        for nature in [Nature::Atomic, Nature::Repeatable, Nature::Blind] {
            let row = [RecordDone, Retry, Fail, Recover];
            for (answer, expected) in ANSWERS.into_iter().zip(row) {
                for live in LIVES {
                    assert_eq!(after(nature, answer, live), expected, "{nature:?} {answer:?}");
                }
            }
        }
    }

    #[test]
    fn looking_settles_every_question() {
        // Once something was seen, nobody is told to look again.
        for nature in NATURES {
            for live in LIVES.into_iter().filter(|live| *live != Live::Unseen) {
                for journal in JOURNALS {
                    assert_ne!(next(nature, journal, live), Action::Look);
                }
                for answer in ANSWERS {
                    assert_ne!(after(nature, answer, live), Outcome::Look);
                }
            }
        }
    }
}
