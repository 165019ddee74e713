//! The facts that are told about a statement.

use crate::schema::Name;
use crate::sql::Span;
use crate::sql::ast::ObjectKind;

/// All that one statement does.
#[derive(Debug, Clone, Default)]
pub struct StatementEffects {
    /// The effects in the order they happen.
    pub effects: Vec<Effect>,
    /// The MySQL or MariaDB algorithm and lock, where the statement has one.
    pub online: Option<Online>,
    /// Whether it may run in a transaction.
    pub transaction: TransactionRule,
}

/// One fact. Every fact points at the clause that causes it.
#[derive(Debug, Clone)]
pub struct Effect {
    /// The clause.
    pub span: Span,
    /// What happens.
    pub kind: EffectKind,
    /// Where the fact is known from: server, versions, and manual section or measurement.
    pub source: &'static str,
}

impl Effect {
    /// Returns the lock, where it is one.
    pub const fn lock(&self) -> Option<&Lock> {
        if let EffectKind::Lock(lock) = &self.kind { Some(lock) } else { None }
    }

    /// Returns the failure, where it is one.
    pub const fn failure(&self) -> Option<&Failure> {
        if let EffectKind::Failure(failure) = &self.kind { Some(failure) } else { None }
    }

    /// Returns the failure to change, where it is one.
    pub const fn failure_mut(&mut self) -> Option<&mut Failure> {
        if let EffectKind::Failure(failure) = &mut self.kind { Some(failure) } else { None }
    }

    /// Returns the word and the object of what is left behind, where it is that.
    pub fn left_behind(&self) -> Option<(&'static str, &str)> {
        if let EffectKind::LeftBehind { what, name, .. } = &self.kind {
            Some((what, name))
        } else {
            None
        }
    }

    /// Returns the word and the value of a session fact, where it is one.
    pub fn session(&self) -> Option<(&'static str, &str)> {
        if let EffectKind::Session { what, value } = &self.kind {
            Some((what, value))
        } else {
            None
        }
    }

    /// Returns the table whose rows are worked on, and what is done: no other effect is work.
    pub const fn work(&self) -> Option<(&Subject, During)> {
        match &self.kind {
            EffectKind::Rewrite { relation, .. } => Some((relation, During::Rewrite)),
            EffectKind::Scan { relation, .. } => Some((relation, During::Scan)),
            EffectKind::IndexBuild { relation, .. } => Some((relation, During::IndexBuild)),
            EffectKind::Lock(_)
            | EffectKind::Loss(_)
            | EffectKind::Break { .. }
            | EffectKind::Failure(_)
            | EffectKind::LeftBehind { .. }
            | EffectKind::Declares(_)
            | EffectKind::Session { .. }
            | EffectKind::Unknown { .. } => None,
        }
    }
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EffectKind {
    /// A lock on a relation that existed before the statement.
    Lock(Lock),
    /// Every row is written again.
    Rewrite {
        /// The table.
        relation: Subject,
        /// Why, one of [`super::words::CAUSES`]: `type-change`, `volatile-default`, …
        cause: &'static str,
    },
    /// Every row is read.
    Scan {
        /// The table.
        relation: Subject,
        /// Why, one of [`super::words::CAUSES`]: `validate-check`, `set-not-null`, …
        cause: &'static str,
        /// The planner may find the rows by an index instead: the data decide (PostgreSQL).
        unless_indexed: bool,
    },
    /// An index is built or rebuilt.
    IndexBuild {
        /// The table.
        relation: Subject,
        /// The full name of the index.
        index: Name,
        /// Why, one of [`super::words::CAUSES`]: `create-index`, `add-unique`, `rewrite`, …
        cause: &'static str,
        /// Readers and writers go on meanwhile.
        concurrent: bool,
    },
    /// Something vanishes.
    Loss(Loss),
    /// Code that runs now may fail or err afterwards.
    Break {
        /// How, one of [`super::words::HOWS`]: `drop-column`, `required-column`, …
        how: &'static str,
        /// What kind of object.
        object: ObjectKind,
        /// Its full name, `schema.table.column` for columns.
        name: String,
        /// The state of the table concerned.
        state: TableState,
    },
    /// The statement or a later one fails, always or when the data are such.
    Failure(Failure),
    /// Something is left to do or to regret.
    LeftBehind {
        /// What, one of [`super::words::LEFT_BEHIND`]: `fk-without-index`, `not-valid`, …
        what: &'static str,
        /// The object concerned.
        name: String,
        /// Another object that makes it so: the index that makes one superfluous. Mostly empty.
        by: String,
        /// The state of the table concerned.
        state: TableState,
    },
    /// A plain fact about what is written, which policy rules match: types, names, options, grants.
    Declares(Declaration),
    /// A session or transaction command, a setting, or its absence where it matters.
    Session {
        /// What, one of [`super::words::SESSIONS`].
        what: &'static str,
        /// The value or name.
        value: String,
    },
    /// The statement was not analysed.
    Unknown {
        /// Why, one lower-case line.
        reason: String,
    },
}

/// A relation an effect is about, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The full name.
    pub name: Name,
    /// Its state.
    pub state: TableState,
    /// Rows where they are known.
    pub rows: Option<u64>,
    /// Bytes where they are known.
    pub bytes: Option<u64>,
}

/// Whether anybody can be using a table yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableState {
    /// Made earlier in the same migration, and nothing was inserted since.
    NewEmpty,
    /// Made earlier in the same migration, with rows inserted since.
    NewFilled,
    /// Existed before the migration, or not known to be new.
    Existing,
    /// Existed before and is known to have no rows.
    Empty,
}

/// A lock on one relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// The relation.
    pub relation: Subject,
    /// The server's own name of the mode.
    pub mode: LockMode,
    /// The operation that asks for it, one of [`super::words::CAUSES`].
    pub cause: &'static str,
    /// When it is released.
    pub held_until: HeldUntil,
    /// What the statement does while it holds it.
    pub during: During,
    /// An index is locked, not a table.
    pub index: bool,
}

/// Lock modes of all servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LockMode {
    /// PostgreSQL.
    AccessShare,
    /// PostgreSQL.
    RowShare,
    /// PostgreSQL.
    RowExclusive,
    /// PostgreSQL.
    ShareUpdateExclusive,
    /// PostgreSQL.
    Share,
    /// PostgreSQL.
    ShareRowExclusive,
    /// PostgreSQL.
    Exclusive,
    /// PostgreSQL.
    AccessExclusive,
    /// MySQL, MariaDB: shared metadata lock of a reader.
    MdlSharedRead,
    /// MySQL, MariaDB: shared metadata lock of a writer.
    MdlSharedWrite,
    /// MySQL, MariaDB: metadata lock that lets others read and write.
    MdlSharedUpgradable,
    /// MySQL, MariaDB: metadata lock that lets others read only.
    MdlSharedNoWrite,
    /// MySQL, MariaDB: metadata lock that lets nobody in.
    MdlExclusive,
    /// InnoDB: rows that are read are locked against writers.
    InnodbSharedRows,
    /// InnoDB: rows are locked against other writers.
    InnodbExclusiveRows,
    /// SQLite: readers go on, other writers wait.
    SqliteReserved,
    /// SQLite in rollback-journal mode: readers wait too, while pages are written.
    SqliteExclusive,
}

impl LockMode {
    /// Returns the name as the server spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive | Self::MdlExclusive | Self::SqliteExclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
            Self::MdlSharedRead => "SHARED_READ",
            Self::MdlSharedWrite => "SHARED_WRITE",
            Self::MdlSharedUpgradable => "SHARED_UPGRADABLE",
            Self::MdlSharedNoWrite => "SHARED_NO_WRITE",
            Self::InnodbSharedRows => "S rows",
            Self::InnodbExclusiveRows => "X rows",
            Self::SqliteReserved => "RESERVED",
        }
    }

    /// Says whether readers wait.
    pub const fn blocks_reads(self) -> bool {
        matches!(self, Self::AccessExclusive | Self::MdlExclusive | Self::SqliteExclusive)
    }

    /// Says whether writers wait.
    pub const fn blocks_writes(self) -> bool {
        matches!(
            self,
            Self::Share
                | Self::ShareRowExclusive
                | Self::Exclusive
                | Self::MdlSharedNoWrite
                | Self::InnodbSharedRows
                | Self::InnodbExclusiveRows
                | Self::SqliteReserved
        ) || self.blocks_reads()
    }

    /// Says whether other schema changes of the same relation wait.
    pub const fn blocks_schema_changes(self) -> bool {
        matches!(self, Self::ShareUpdateExclusive | Self::MdlSharedUpgradable)
            || self.blocks_writes()
    }
}

/// When a lock is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldUntil {
    /// When the statement ends.
    StatementEnd,
    /// When the transaction ends, which is later.
    TransactionEnd,
}

/// What a statement does while it holds a lock; later variants take longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum During {
    /// Changes catalogs only.
    Instant,
    /// Reads a whole table.
    Scan,
    /// Builds an index.
    IndexBuild,
    /// Writes a whole table.
    Rewrite,
}

impl During {
    /// Returns the word used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instant => "instant",
            Self::Scan => "scan",
            Self::IndexBuild => "index build",
            Self::Rewrite => "rewrite",
        }
    }
}

/// The MySQL or MariaDB way of running a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Online {
    /// The best algorithm the server accepts.
    pub algorithm: Algorithm,
    /// The weakest lock the server accepts with it.
    pub lock: OnlineLock,
    /// The table is built anew.
    pub rebuilds: bool,
}

/// ALGORITHM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// Metadata only.
    Instant,
    /// No copy of the table (MariaDB).
    Nocopy,
    /// Inside the engine, possibly a rebuild.
    Inplace,
    /// All rows copied by the server.
    Copy,
}

impl Algorithm {
    /// Returns the word of the ALGORITHM clause.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instant => "INSTANT",
            Self::Nocopy => "NOCOPY",
            Self::Inplace => "INPLACE",
            Self::Copy => "COPY",
        }
    }
}

/// LOCK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OnlineLock {
    /// The clause may not be written (MySQL with INSTANT).
    Default,
    /// Reads and writes go on.
    None,
    /// Reads go on.
    Shared,
    /// Nothing goes on.
    Exclusive,
}

impl OnlineLock {
    /// Returns the word of the LOCK clause.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "DEFAULT",
            Self::None => "NONE",
            Self::Shared => "SHARED",
            Self::Exclusive => "EXCLUSIVE",
        }
    }
}

/// Something that vanishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// What kind of object; `rows` is told by [`Loss::rows`].
    pub object: ObjectKind,
    /// Its full name, `schema.table.column` for columns.
    pub name: String,
    /// Rows or values go with it (else only a definition).
    pub rows: bool,
    /// It was not named: it depends on what was.
    pub cascade: bool,
    /// The state of the table concerned.
    pub state: TableState,
}

/// A way to fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// When, one of [`super::words::WHENS`]: `nulls-present`, `in-transaction`, …
    pub when: &'static str,
    /// It fails whatever the data are.
    pub certain: bool,
    /// One lower-case line for people.
    pub detail: String,
    /// The server's error code, where known: SQLSTATE, errno.
    pub code: Option<&'static str>,
}

/// A plain fact about what is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// What, one of [`super::words::DECLARES`]: `column-type`, `table-name`, …
    pub what: &'static str,
    /// What kind of object declares it.
    pub object: ObjectKind,
    /// The object's full name.
    pub name: String,
    /// The value: a type name, an option, a role.
    pub value: String,
    /// A number where the fact has one: a length, a count.
    pub number: Option<u64>,
    /// The state of the table concerned.
    pub state: TableState,
}

/// Whether a statement may run in a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TransactionRule {
    /// It may.
    #[default]
    Allowed,
    /// The server refuses it there.
    Forbidden,
    /// It commits whatever is open (MySQL, MariaDB).
    CommitsImplicitly,
}

impl TransactionRule {
    /// Returns the word used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Forbidden => "forbidden",
            Self::CommitsImplicitly => "commits implicitly",
        }
    }
}
