//! Indexes.

use super::expr::{Expr, KeyPart};
use crate::sql::name::{Ident, ObjectName};
use crate::sql::source::Span;

/// An index as it is written, in `CREATE INDEX` or inside a table (MySQL).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexDef {
    /// Where it stands.
    pub span: Span,
    /// The name; the server makes one up where it is missing.
    pub name: Option<Ident>,
    /// Plain, unique, full text or spatial.
    pub kind: IndexKind,
    /// `USING btree`, lower-case.
    pub method: Option<String>,
    /// The key.
    pub parts: Vec<KeyPart>,
    /// `INCLUDE (…)`.
    pub include: Vec<Ident>,
    /// `WHERE …`.
    pub predicate: Option<Expr>,
    /// `NULLS NOT DISTINCT`.
    pub nulls_not_distinct: bool,
    /// `TABLESPACE …`.
    pub tablespace: Option<String>,
    /// Storage parameters and other options: names lower-case (`fillfactor`, `comment`, `parser`).
    pub options: Vec<(String, String)>,
    /// `INVISIBLE` (MySQL) / `IGNORED` (MariaDB).
    pub invisible: bool,
}

/// The kinds of index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// Ordinary.
    Plain,
    /// UNIQUE.
    Unique,
    /// FULLTEXT (MySQL).
    Fulltext,
    /// SPATIAL (MySQL).
    Spatial,
    /// VECTOR (MariaDB).
    Vector,
}

/// `CREATE INDEX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateIndex {
    /// The table.
    pub table: ObjectName,
    /// The index.
    pub index: IndexDef,
    /// The schema written before the index name (SQLite).
    pub schema: Option<Ident>,
    /// `CONCURRENTLY`.
    pub concurrently: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `OR REPLACE` (MariaDB).
    pub or_replace: bool,
    /// `ON ONLY table`.
    pub only: bool,
    /// `ALGORITHM=…` (MySQL), upper-case.
    pub algorithm: Option<String>,
    /// `LOCK=…` (MySQL), upper-case.
    pub lock: Option<String>,
}

/// `ALTER INDEX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterIndex {
    /// The index.
    pub name: ObjectName,
    /// `IF EXISTS`.
    pub if_exists: bool,
    /// What it does.
    pub action: IndexAction,
}

/// What `ALTER INDEX` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexAction {
    /// `RENAME TO`.
    RenameTo(Ident),
    /// `SET TABLESPACE`.
    SetTablespace(String),
    /// `ATTACH PARTITION index`.
    AttachPartition(ObjectName),
    /// `[NO] DEPENDS ON EXTENSION`.
    DependsOnExtension(Ident),
    /// `SET (…)` / `RESET (…)`: names lower-case.
    Options(Vec<String>),
    /// `ALTER COLUMN n SET STATISTICS`: the column by its number, where one is written.
    SetStatistics(Option<usize>),
    /// `OWNER TO`: the server reads it, warns, and leaves the owner as it is.
    OwnerTo,
    /// `ALL IN TABLESPACE … SET TABLESPACE …`.
    AllInTablespace(String),
}

/// `REINDEX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reindex {
    /// What is rebuilt.
    pub target: ReindexTarget,
    /// The name; none for the current database, or everything (SQLite).
    pub name: Option<ObjectName>,
    /// `CONCURRENTLY`.
    pub concurrently: bool,
    /// `TABLESPACE …`.
    pub tablespace: Option<String>,
}

/// What `REINDEX` rebuilds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReindexTarget {
    /// One index.
    Index,
    /// All indexes of a table.
    Table,
    /// All of a schema.
    Schema,
    /// All of the database.
    Database,
    /// The system catalogs.
    System,
    /// SQLite: a table, an index or a collation by one name.
    Any,
}
