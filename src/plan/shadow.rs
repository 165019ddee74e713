//! The throw-away databases that dry runs are made in.

use super::model::Shadow as Described;
use crate::db::{self, ConnectOptions, Connection, Snapshot, SnapshotOptions, Target};

/// Where empty databases come from.
#[derive(Debug)]
pub enum Shadow {
    /// SQLite in memory.
    Memory,
    /// There is none, for that reason.
    None(String),
}

impl Shadow {
    /// Returns what the plan says about it.
    pub fn described(&self) -> Described {
        let (kind, detail) = match self {
            Self::Memory => ("memory", "an empty SQLite database in memory".to_owned()),
            Self::None(reason) => ("none", reason.clone()),
        };
        Described { kind: kind.to_owned(), detail }
    }

    /// Opens an empty database and loads a schema into it; nothing where there is no shadow.
    pub async fn seeded(&self, with: &Snapshot) -> Result<Option<Connection>, db::Error> {
        let mut connection = match self {
            Self::Memory => Connection::open(&Target::memory(), &ConnectOptions::default()).await?,
            Self::None(_) => return Ok(None),
        };
        db::load(&mut connection, with).await?;
        Ok(Some(connection))
    }
}

/// Returns what snapshots are compared by: neither owners nor our own tables nor the attic.
pub fn snapshot_options() -> SnapshotOptions {
    let mut options = SnapshotOptions { grants: true, ..SnapshotOptions::default() };
    options.without_schemas.insert(super::attic::SCHEMA.to_owned());
    options
}
