//! `CREATE TABLE`: columns and constraints.

use super::expr::{DataType, Expr, KeyPart};
use super::index::IndexDef;
use super::query::Query;
use crate::sql::name::{Ident, ObjectName};
use crate::sql::source::Span;

/// `CREATE TABLE`, `CREATE TABLE … AS`, `CREATE FOREIGN TABLE`, `CREATE VIRTUAL TABLE`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CreateTable {
    /// The table.
    pub name: ObjectName,
    /// How long it lives and where.
    pub persistence: Persistence,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `OR REPLACE` (MariaDB).
    pub or_replace: bool,
    /// FOREIGN TABLE (PostgreSQL) or VIRTUAL TABLE (SQLite).
    pub foreign: bool,
    /// Columns in order.
    pub columns: Vec<ColumnDef>,
    /// Table constraints, and the column constraints that are not part of [`ColumnDef`].
    pub constraints: Vec<TableConstraint>,
    /// Indexes declared inside (MySQL).
    pub indexes: Vec<IndexDef>,
    /// `INHERITS (…)`.
    pub inherits: Vec<ObjectName>,
    /// `LIKE source INCLUDING …`.
    pub likes: Vec<LikeClause>,
    /// `PARTITION OF parent bound`.
    pub partition_of: Option<PartitionOf>,
    /// `PARTITION BY …`.
    pub partition_by: Option<PartitionBy>,
    /// `OF type`.
    pub of_type: Option<ObjectName>,
    /// `USING method` (PostgreSQL), the module (SQLite virtual tables).
    pub access_method: Option<String>,
    /// `TABLESPACE name`.
    pub tablespace: Option<String>,
    /// `ENGINE=…`, `ROW_FORMAT=…`, `fillfactor`, `STRICT`, `WITHOUT ROWID`: names lower-case.
    pub options: Vec<(String, String)>,
    /// `AS SELECT …`.
    pub query: Option<Query>,
    /// `WITH NO DATA`.
    pub with_no_data: bool,
    /// `WITH SYSTEM VERSIONING` (MariaDB).
    pub system_versioning: bool,
}

/// How long a table lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Persistence {
    /// Ordinary.
    #[default]
    Permanent,
    /// `UNLOGGED`.
    Unlogged,
    /// `TEMP`.
    Temporary,
}

/// `LIKE source [INCLUDING …]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LikeClause {
    /// The table copied.
    pub source: ObjectName,
    /// Lower-case words after INCLUDING (`all`, `indexes`, …).
    pub including: Vec<String>,
    /// Lower-case words after EXCLUDING.
    pub excluding: Vec<String>,
}

/// `PARTITION OF parent …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionOf {
    /// The partitioned table.
    pub parent: ObjectName,
    /// The bound.
    pub bound: PartitionBound,
}

/// `FOR VALUES …` or `DEFAULT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionBound {
    /// `DEFAULT`.
    Default,
    /// `FOR VALUES IN (…)`: the values as text.
    In(Vec<String>),
    /// `FOR VALUES FROM (…) TO (…)`.
    Range {
        /// Lower bound, included.
        from: Vec<String>,
        /// Upper bound, excluded.
        to: Vec<String>,
    },
    /// `FOR VALUES WITH (MODULUS m, REMAINDER r)`.
    Hash {
        /// Into how many parts keys are divided.
        modulus: u32,
        /// Which of them it is.
        remainder: u32,
    },
}

/// `PARTITION BY strategy (keys)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionBy {
    /// Lower-case: `range`, `list`, `hash`, `key`, `range columns`, `system_time`, …
    pub strategy: String,
    /// Columns and expressions.
    pub keys: Vec<KeyPart>,
    /// Names of the partitions declared with it (MySQL), in order.
    pub partitions: Vec<Ident>,
}

/// A column, in `CREATE TABLE`, `ADD COLUMN`, `MODIFY` or `CHANGE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDef {
    /// Where the whole definition stands.
    pub span: Span,
    /// The name.
    pub name: Ident,
    /// The type; SQLite allows none.
    pub data_type: Option<DataType>,
    /// `NOT NULL` or `NULL`, where written.
    pub nullability: Option<Nullability>,
    /// `DEFAULT …`.
    pub default: Option<Expr>,
    /// `GENERATED … AS (…)`.
    pub generated: Option<Generated>,
    /// `GENERATED … AS IDENTITY`.
    pub identity: Option<IdentityKind>,
    /// `AUTO_INCREMENT` / `AUTOINCREMENT`.
    pub auto_increment: bool,
    /// `ON UPDATE CURRENT_TIMESTAMP` (MySQL).
    pub on_update: Option<Expr>,
    /// `PRIMARY KEY`, `UNIQUE`, `CHECK`, `REFERENCES` written on the column. Their column lists are
    /// filled in with this column.
    pub constraints: Vec<TableConstraint>,
    /// `COMMENT '…'` (MySQL).
    pub comment: Option<String>,
    /// `INVISIBLE` (MySQL, MariaDB).
    pub invisible: bool,
    /// `STORAGE …` / `COMPRESSION …` (PostgreSQL) and others: names lower-case.
    pub options: Vec<(String, String)>,
}

/// `NULL` or `NOT NULL` on a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nullability {
    /// `NULL`.
    Null,
    /// `NOT NULL`, with its constraint name if it has one.
    NotNull {
        /// `CONSTRAINT name NOT NULL`.
        name: Option<Ident>,
    },
}

/// A generated column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// What it is computed from.
    pub expr: Expr,
    /// Where it is kept.
    pub storage: GeneratedStorage,
}

/// Where a generated column is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneratedStorage {
    /// `STORED` / `PERSISTENT`.
    Stored,
    /// `VIRTUAL`.
    Virtual,
    /// Neither word written; what it means depends on server and version.
    Unspecified,
}

/// `GENERATED ALWAYS AS IDENTITY` or `BY DEFAULT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityKind {
    /// `ALWAYS`.
    Always,
    /// `BY DEFAULT`.
    ByDefault,
}

/// A table constraint, or a column constraint with its column filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableConstraint {
    /// Where it stands, from `CONSTRAINT` or its first word on.
    pub span: Span,
    /// The name, if one is written.
    pub name: Option<Ident>,
    /// What it demands.
    pub kind: ConstraintKind,
    /// `NOT VALID`.
    pub not_valid: bool,
    /// `NOT ENFORCED`.
    pub not_enforced: bool,
    /// `DEFERRABLE`.
    pub deferrable: bool,
    /// `INITIALLY DEFERRED`.
    pub initially_deferred: bool,
    /// `NO INHERIT`.
    pub no_inherit: bool,
    /// `ADD CONSTRAINT IF NOT EXISTS` (MariaDB).
    pub if_not_exists: bool,
}

/// What a constraint demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConstraintKind {
    /// `PRIMARY KEY (…)`.
    PrimaryKey(KeyConstraint),
    /// `UNIQUE (…)`.
    Unique(KeyConstraint),
    /// `PRIMARY KEY USING INDEX name`.
    PrimaryKeyUsingIndex(Ident),
    /// `UNIQUE USING INDEX name`.
    UniqueUsingIndex(Ident),
    /// `CHECK (…)`.
    Check(Expr),
    /// `FOREIGN KEY (…) REFERENCES …`.
    ForeignKey(ForeignKey),
    /// `EXCLUDE USING … (…)`.
    Exclude(ExcludeConstraint),
    /// `NOT NULL column` as a table constraint (PostgreSQL 18).
    NotNull(Ident),
}

impl ConstraintKind {
    /// Says whether an index stands behind it (PostgreSQL).
    pub const fn has_index(&self) -> bool {
        match self {
            Self::PrimaryKey(_)
            | Self::Unique(_)
            | Self::PrimaryKeyUsingIndex(_)
            | Self::UniqueUsingIndex(_)
            | Self::Exclude(_) => true,
            Self::Check(_) | Self::ForeignKey(_) | Self::NotNull(_) => false,
        }
    }

    /// Keys come before other constraints, which may rely on them.
    pub(super) const fn pass(&self) -> u8 {
        if self.has_index() { 5 } else { 6 }
    }
}

/// A key constraint that makes its own index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyConstraint {
    /// The key.
    pub parts: Vec<KeyPart>,
    /// `INCLUDE (…)`.
    pub include: Vec<Ident>,
    /// `NULLS NOT DISTINCT`.
    pub nulls_not_distinct: bool,
    /// `WITHOUT OVERLAPS` on the last part.
    pub without_overlaps: bool,
    /// The index name written beside `UNIQUE KEY` (MySQL).
    pub index_name: Option<Ident>,
    /// `USING INDEX TABLESPACE …`.
    pub tablespace: Option<String>,
    /// Options of its index (MySQL): names lower-case (`using`, `comment`, `invisible`).
    pub options: Vec<(String, String)>,
}

/// An exclusion constraint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExcludeConstraint {
    /// The index method.
    pub method: Option<String>,
    /// The parts.
    pub parts: Vec<KeyPart>,
    /// `WHERE (…)`.
    pub predicate: Option<Expr>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The referencing columns.
    pub columns: Vec<Ident>,
    /// The referenced table.
    pub parent: ObjectName,
    /// The referenced columns; empty means the primary key.
    pub parent_columns: Vec<Ident>,
    /// `ON DELETE`.
    pub on_delete: ReferentialAction,
    /// `ON UPDATE`.
    pub on_update: ReferentialAction,
    /// `MATCH FULL`.
    pub match_full: bool,
    /// `SET NULL (columns)` or `SET DEFAULT (columns)` (PostgreSQL 15).
    pub set_columns: bool,
    /// `PERIOD` on the last columns.
    pub period: bool,
    /// The index name written after `FOREIGN KEY` (MySQL).
    pub index_name: Option<Ident>,
}

/// What happens to children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReferentialAction {
    /// `NO ACTION`, also where nothing is written.
    #[default]
    NoAction,
    /// `RESTRICT`.
    Restrict,
    /// `CASCADE`.
    Cascade,
    /// `SET NULL`.
    SetNull,
    /// `SET DEFAULT`.
    SetDefault,
}
