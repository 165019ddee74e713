//! What the exit code of the process says.

use std::process::ExitCode;

/// The answer of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Exit {
    /// Yes: nothing blocks.
    Yes = 0,
    /// No: findings at or over the limit, drift, missing approval.
    No = 1,
    /// No answer: bad arguments or configuration, unreadable file, unreachable server.
    NoAnswer = 2,
    /// A database was touched and the run did not finish.
    Unfinished = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
