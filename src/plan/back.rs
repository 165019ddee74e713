//! Applied migrations to migrations that take them back.

use serde::Deserialize;

use super::history::Applied;
use super::model::{ObjectChange, Proof, Rollback};
use crate::db::{Entry, Event};
use crate::sql::{
    Convention, Migration, Section, Server, Source, Span, TransactionMode, Version, parse,
};

/// What the journal keeps about an applied migration.
#[derive(Debug, Clone, Deserialize)]
pub struct Kept {
    /// The way back, as it was planned and proven.
    pub rollback: Rollback,
    /// The objects that the migration changed.
    pub change: Vec<ObjectChange>,
    /// The file.
    pub path: String,
}

/// Why a migration cannot be taken back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoWayBack {
    /// It was never run by lockwise.
    #[error("migration {version} was {how}: lockwise did not run it and cannot take it back")]
    NotRun {
        /// The version.
        version: String,
        /// `baseline`, `adopted`.
        how: &'static str,
    },
    /// The journal holds no way back.
    #[error("the journal holds no way back from migration {0}")]
    NotKept(String),
    /// The way back failed when it was tried.
    #[error("the way back from migration {version} failed when it was tried: {error}")]
    Failed {
        /// The version.
        version: String,
        /// The server's words.
        error: String,
    },
}

/// Returns what the journal keeps about an applied migration.
pub fn kept(entries: &[Entry], applied: &Applied) -> Result<Kept, NoWayBack> {
    let version = applied.version.clone();
    if matches!(applied.event, Event::Baseline | Event::Adopted) {
        return Err(NoWayBack::NotRun { version, how: applied.event.as_str() });
    }
    let row = entries.iter().find(|row| row.seq == applied.seq);
    let detail = row.and_then(|row| row.entry.detail.as_deref());
    let kept: Option<Kept> = detail.and_then(|text| serde_json::from_str(text).ok());
    let kept = kept.ok_or(NoWayBack::NotKept(version.clone()))?;
    if let Proof::Fails { error, .. } = &kept.rollback.proof {
        return Err(NoWayBack::Failed { version, error: error.clone() });
    }
    Ok(kept)
}

/// Returns a migration that runs the way back.
pub fn as_migration(applied: &Applied, kept: &Kept, server: Server) -> Migration {
    let text: String =
        kept.rollback.statements.iter().map(|statement| format!("{statement};\n")).collect();
    let range = Span::new(0, u32::try_from(text.len()).unwrap_or(u32::MAX));
    let source = Source::new(format!("rollback of {}", kept.path), text);
    Migration {
        version: Version::new(applied.version.clone()),
        name: applied.name.clone(),
        convention: Convention::Lockwise,
        transaction: TransactionMode::Grouped,
        marker: None,
        repeatable: false,
        after_unknown: false,
        up: parse(Section { source, range, reading: Default::default() }, server),
        down: None,
    }
}
