//! Transactions, settings and other statements about the session or the server.

use crate::sql::name::{Ident, ObjectName};

/// A transaction command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transaction {
    /// `BEGIN` / `START TRANSACTION`; the lower-case mode words (`immediate`, `read only`, …).
    Begin(Vec<String>),
    /// `COMMIT` / `END`; with `AND CHAIN`.
    Commit {
        /// `AND CHAIN`.
        chain: bool,
    },
    /// `ROLLBACK` / `ABORT`; with `AND CHAIN`.
    Rollback {
        /// `AND CHAIN`.
        chain: bool,
    },
    /// `SAVEPOINT`.
    Savepoint(Ident),
    /// `RELEASE SAVEPOINT`.
    Release(Ident),
    /// `ROLLBACK TO SAVEPOINT`.
    RollbackTo(Ident),
    /// `PREPARE TRANSACTION`.
    Prepare,
    /// `COMMIT PREPARED` / `ROLLBACK PREPARED`.
    FinishPrepared,
    /// `SET TRANSACTION …`.
    SetMode,
    /// `SET CONSTRAINTS …`.
    SetConstraints,
}

/// `SET`, `RESET`, `SET LOCAL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// Lower-case name, dotted for custom settings; `all` for RESET ALL; a MySQL variable keeps
    /// its `@` but loses `SESSION` and `@@`.
    pub name: String,
    /// The value as text without quotes; several joined by `, `; none for DEFAULT and RESET.
    pub value: Option<String>,
    /// Session, transaction (`LOCAL`) or server.
    pub scope: SetScope,
    /// The other assignments of the same statement (`SET a = 1, b = 2`, MySQL), each without more.
    pub more: Vec<Set>,
}

impl Set {
    /// Returns all assignments of the statement in order.
    pub fn each(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.more)
    }
}

/// How far a setting reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetScope {
    /// The session.
    Session,
    /// The transaction.
    Local,
    /// The server (`GLOBAL`, `PERSIST`).
    Global,
    /// The server from its next start on (`PERSIST_ONLY`, MySQL).
    NextStart,
    /// The next statement (`SET STATEMENT … FOR`, MariaDB) wraps it.
    Statement,
}

/// `LOCK TABLE` / `LOCK TABLES`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockTables {
    /// The tables; empty for `UNLOCK TABLES`.
    pub tables: Vec<ObjectName>,
    /// Those of them that are written with ONLY (PostgreSQL).
    pub only: Vec<ObjectName>,
    /// Upper-case mode: `ACCESS EXCLUSIVE`, …; the strongest of `READ` / `WRITE` (MySQL).
    pub mode: String,
    /// Those of the tables that are locked with READ (MySQL).
    pub read: Vec<ObjectName>,
    /// `NOWAIT`.
    pub nowait: bool,
    /// `UNLOCK TABLES`.
    pub unlock: bool,
}

/// `VACUUM`, `ANALYZE`, `CLUSTER`, `OPTIMIZE TABLE` and their kin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// Which.
    pub kind: MaintenanceKind,
    /// The tables; empty means all.
    pub tables: Vec<ObjectName>,
    /// Columns listed, with their tables (PostgreSQL).
    pub columns: Vec<(ObjectName, Ident)>,
    /// Lower-case options written (`full`, `freeze`, `analyze`, `concurrently`); a value follows
    /// after `=` (`truncate=false`).
    pub options: Vec<String>,
    /// The index (`CLUSTER t USING index`).
    pub index: Option<Ident>,
}

/// The kinds of maintenance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaintenanceKind {
    /// `VACUUM`.
    Vacuum,
    /// `ANALYZE`.
    Analyze,
    /// `CLUSTER`.
    Cluster,
    /// `OPTIMIZE TABLE` (MySQL).
    Optimize,
    /// `REPAIR TABLE` (MySQL).
    Repair,
    /// `CHECK TABLE` (MySQL).
    Check,
    /// `CHECKSUM TABLE` (MySQL).
    Checksum,
    /// `FLUSH TABLES …` (MySQL).
    Flush,
    /// `CHECKPOINT`.
    Checkpoint,
}

/// `PRAGMA` (SQLite).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pragma {
    /// The database it is about.
    pub schema: Option<Ident>,
    /// Lower-case name.
    pub name: String,
    /// The value, unquoted, lower-case.
    pub value: Option<String>,
}
