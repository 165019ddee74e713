//! What is known of a step that commits by itself, while it is worked on.

use super::error::ApplyError;
use super::leftover::Leftover;
use super::migration::Placed;
use super::next::{Journal, Live, Reason};

/// What is known of a step while it is worked on.
pub(super) struct Case<'p> {
    pub(super) placed: Placed<'p>,
    pub(super) journal: Journal,
    pub(super) live: Live,
    pub(super) attempt: u32,
    /// The fingerprint of the whole schema before it, where no shadow run showed its effect; the
    /// invalid indexes before a REINDEX.
    pub(super) before: Option<String>,
    /// What an attempt of ours left behind.
    pub(super) leftover: Option<Leftover>,
    /// What was seen, for people.
    pub(super) seen: String,
}

impl Case<'_> {
    /// Returns the stop that a step comes to when only people can decide.
    pub(super) fn stop(&self, reason: Reason) -> ApplyError {
        let what = match reason {
            Reason::MadeBySomebodyElse => {
                "its change is there already, and lockwise did not make it"
            }
            Reason::NeitherBeforeNorAfter => "the schema is neither as before nor as after it",
            Reason::MayHaveRun => "it may have run before a crash, and the schema cannot show it",
            Reason::UnexpectedEffect => "it ran, and its effect is not the one that was planned",
        };
        let seen = if self.seen.is_empty() { String::new() } else { format!(" ({})", self.seen) };
        ApplyError::NeedsDecision {
            version: self.placed.migration.version.clone(),
            step: self.placed.number,
            line: self.placed.step.line,
            reason,
            what: format!("{what}{seen}"),
        }
    }
}
