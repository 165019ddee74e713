//! Why a run did not come to its end.

use super::next::Reason;
use crate::db::{self, ServerError};

/// Everything that can stop a run.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The connection, the lock or the journal failed.
    #[error(transparent)]
    Database(#[from] db::Error),
    /// The schema is not the one that the plan was made for.
    #[error("the schema of the database changed after the plan was made")]
    SchemaChanged,
    /// The history is not the one that the plan was made for.
    #[error("the history of the database changed after the plan was made")]
    HistoryChanged,
    /// The server does not have what it said it had committed.
    #[error("the server lost {rows} rows of the journal that it had committed")]
    CommitsLost {
        /// How many.
        rows: u64,
    },
    /// A statement failed.
    #[error("migration {version} stopped at statement {step} of {steps} (line {line})")]
    Step {
        /// The migration.
        version: String,
        /// The statement, from 1.
        step: usize,
        /// How many there are.
        steps: usize,
        /// Its line.
        line: u32,
        /// What is left of it.
        left: Left,
        /// Who was in the way.
        blockers: Vec<String>,
        /// What the server said.
        #[source]
        cause: Box<ServerError>,
    },
    /// A lock could not be had within the limits of the run.
    #[error(
        "migration {version} gave up at statement {step} of {steps} (line {line}) after \
         {attempts} attempts"
    )]
    GaveUp {
        /// The migration.
        version: String,
        /// The statement, from 1.
        step: usize,
        /// How many there are.
        steps: usize,
        /// Its line.
        line: u32,
        /// How often it was tried.
        attempts: u32,
        /// Which limit was reached.
        limit: &'static str,
        /// Who was in the way.
        blockers: Vec<String>,
        /// What the server said last.
        #[source]
        cause: Box<ServerError>,
    },
    /// Rows refer to rows that are not there; SQLite, checked before COMMIT.
    #[error("migration {version} leaves rows that refer to missing rows: {detail}")]
    ForeignKeys {
        /// The migration.
        version: String,
        /// Which ones.
        detail: String,
    },
    /// A table cannot be gone through in batches.
    #[error("migration {version} stopped at statement {step} (line {line}): {what}")]
    Batch {
        /// The migration.
        version: String,
        /// The statement, from 1.
        step: usize,
        /// Its line.
        line: u32,
        /// Why.
        what: String,
    },
    /// A person has to decide.
    #[error("migration {version} needs a decision about statement {step} (line {line}): {what}")]
    NeedsDecision {
        /// The migration.
        version: String,
        /// The statement, from 1.
        step: usize,
        /// Its line.
        line: u32,
        /// Why.
        reason: Reason,
        /// What was seen.
        what: String,
    },
    /// A person or a signal ended the run.
    #[error("the run was interrupted")]
    Interrupted,
}

/// What is left of a migration that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Nothing: the transaction was rolled back.
    Nothing,
    /// The statements before, each committed on its own.
    EarlierStatements,
}

impl ApplyError {
    /// Returns what to do next, in one sentence.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Database(error) => return error.hint(),
            Self::SchemaChanged => "make the plan again and have it approved again",
            Self::HistoryChanged => "another run was faster: run the command again",
            Self::CommitsLost { .. } => {
                "it crashed or failed over without keeping them: run the command again, it goes on \
                 from what is there"
            }
            Self::Step { left: Left::Nothing, .. } => {
                "the migration was rolled back; correct it and run `lockwise apply` again"
            }
            Self::Step { left: Left::EarlierStatements, .. } => {
                "earlier statements of the migration stay; correct what is in the way and run \
                 `lockwise apply` again, it goes on where it stopped"
            }
            Self::GaveUp { .. } => {
                "nothing is half done; end what is in the way or choose a quieter hour, then run \
                 `lockwise apply` again"
            }
            Self::ForeignKeys { .. } => {
                "the migration was rolled back; correct the rows or the migration"
            }
            Self::Batch { .. } => {
                "no row was changed by this statement; give the comment above it a key that every \
                 row has, then run `lockwise apply` again"
            }
            Self::NeedsDecision { version, step, .. } => {
                return Some(format!(
                    "look at the schema, then run `lockwise apply --settle {version}.{step}=done` \
                     or `=undone`"
                ));
            }
            Self::Interrupted => "run `lockwise apply` again: it goes on where it stopped",
        };
        Some(hint.to_owned())
    }

    /// Says whether the database was touched before this happened.
    pub const fn touched(&self) -> bool {
        match self {
            Self::SchemaChanged | Self::HistoryChanged => false,
            Self::Database(_)
            | Self::CommitsLost { .. }
            | Self::Step { .. }
            | Self::GaveUp { .. }
            | Self::ForeignKeys { .. }
            | Self::Batch { .. }
            | Self::NeedsDecision { .. }
            | Self::Interrupted => true,
        }
    }
}
