//! Our own small statements: what a linter and a runner need, and nothing a parser would add.

use super::name::ObjectName;
use super::source::Span;

mod alter;
mod expr;
mod index;
mod kind;
mod object;
mod query;
mod routine;
mod select;
mod select_names;
mod session;
mod table;
mod word;

pub use alter::*;
pub use expr::*;
pub use index::*;
pub use kind::*;
pub use object::*;
pub use query::*;
pub use routine::*;
pub use select::*;
pub use session::*;
pub use table::*;

/// One statement and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// From its first word to its last token; the semicolon is not part of it.
    pub span: Span,
    /// What it is.
    pub kind: StatementKind,
}

/// What a statement is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementKind {
    /// `CREATE TABLE`.
    CreateTable(Box<CreateTable>),
    /// `ALTER TABLE` and its like on foreign tables, views and materialized views.
    AlterTable(Box<AlterTable>),
    /// `CREATE INDEX`.
    CreateIndex(Box<CreateIndex>),
    /// `ALTER INDEX`.
    AlterIndex(AlterIndex),
    /// `REINDEX`.
    Reindex(Reindex),
    /// `DROP` of anything.
    Drop(Drop),
    /// `ALTER … RENAME TO` of anything but tables (PostgreSQL), `RENAME TABLE` (MySQL).
    Rename(Rename),
    /// `ALTER … SET SCHEMA` of anything but tables.
    SetSchema(SetSchema),
    /// `ALTER … OWNER TO` of anything but tables.
    OwnerTo(OwnerTo),
    /// `COMMENT ON`.
    Comment(Comment),
    /// `GRANT`, `REVOKE`.
    Grant(Grant),
    /// `CREATE VIEW`, `CREATE MATERIALIZED VIEW`.
    CreateView(Box<CreateView>),
    /// `REFRESH MATERIALIZED VIEW`.
    RefreshMaterializedView(RefreshMaterializedView),
    /// `CREATE SEQUENCE`.
    CreateSequence(Sequence),
    /// `ALTER SEQUENCE`.
    AlterSequence(Sequence),
    /// `CREATE TYPE`.
    CreateType(CreateType),
    /// `ALTER TYPE`.
    AlterType(AlterType),
    /// `CREATE DOMAIN`.
    CreateDomain(Box<CreateDomain>),
    /// `ALTER DOMAIN`.
    AlterDomain(Box<AlterDomain>),
    /// `CREATE FUNCTION`, `CREATE PROCEDURE`, `CREATE AGGREGATE`.
    CreateRoutine(Box<CreateRoutine>),
    /// `ALTER FUNCTION`, `ALTER PROCEDURE`, `ALTER ROUTINE`.
    AlterRoutine(AlterRoutine),
    /// `CREATE TRIGGER`.
    CreateTrigger(Box<CreateTrigger>),
    /// `CREATE EVENT` (MySQL).
    CreateEvent(Box<CreateEvent>),
    /// `CREATE RULE`.
    CreateRule(CreateRule),
    /// `CREATE POLICY`, `ALTER POLICY`.
    Policy(Box<Policy>),
    /// `CREATE SCHEMA`.
    CreateSchema(CreateSchema),
    /// `CREATE EXTENSION`, `ALTER EXTENSION`.
    Extension(Extension),
    /// `CREATE PUBLICATION`, `ALTER PUBLICATION`.
    Publication(Publication),
    /// `CREATE STATISTICS`, `ALTER STATISTICS`.
    Statistics(Statistics),
    /// `DO` (PostgreSQL), `BEGIN NOT ATOMIC` and `EXECUTE` (MySQL).
    Do(Box<DoBlock>),
    /// `TRUNCATE`.
    Truncate(Truncate),
    /// SELECT, INSERT, UPDATE, DELETE, MERGE.
    Dml(Box<Dml>),
    /// `COPY`.
    Copy(Box<Copy>),
    /// BEGIN, COMMIT, SAVEPOINT, …
    Transaction(Transaction),
    /// SET, RESET.
    Set(Set),
    /// `SET STATEMENT … FOR statement` (MariaDB).
    SetStatement {
        /// What is set for the one statement.
        settings: Vec<Set>,
        /// The statement.
        statement: Box<Statement>,
    },
    /// LOCK TABLE, UNLOCK TABLES.
    Lock(LockTables),
    /// VACUUM, ANALYZE, CLUSTER, OPTIMIZE.
    Maintenance(Maintenance),
    /// PRAGMA.
    Pragma(Pragma),
    /// CALL.
    Call {
        /// The procedure.
        name: ObjectName,
    },
    /// EXPLAIN, with the statement explained when ANALYZE runs it.
    Explain {
        /// EXPLAIN ANALYZE.
        analyze: bool,
        /// The statement.
        statement: Box<Statement>,
    },
    /// Recognised, and of no consequence for tables: CREATE ROLE, CREATE CAST, LISTEN, USE, …
    Other(Other),
    /// Not understood.
    Unknown {
        /// Why, one lower-case line without a full stop.
        reason: String,
        /// The exact place, where one is known.
        at: Option<Span>,
        /// The clauses before that place (MySQL, MariaDB): what is wrong with them is the error.
        begun: Option<Box<Self>>,
    },
}

/// A statement that is recognised by its first words alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Its first words in lower case with hyphens: `create-role`, `alter-system`.
    pub what: &'static str,
    /// The kind of object, where it concerns one.
    pub object: Option<ObjectKind>,
    /// The objects named, where they are names.
    pub names: Vec<ObjectName>,
    /// Lower-case words that matter: `set tablespace`, `create_slot=false`.
    pub options: Vec<String>,
}
