//! What a schema is made of.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use crate::sql::ast::{
    Change, DataType, Expr, Generated, IdentityKind, KeyPart, PartitionBound, PartitionBy,
    Persistence, ReferentialAction, Select, Term, Tree, TypeParts, Volatility,
};
use crate::sql::{Ident, Server};

/// The full name of an object: `public.orders`; the schema is empty in MySQL's current database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// The schema (PostgreSQL), the database (MySQL), `main` or `temp` (SQLite).
    pub schema: String,
    /// The object.
    pub name: String,
}

impl Name {
    /// Returns the name of those two parts.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.schema.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}.{}", self.schema, self.name)
        }
    }
}

/// A whole schema, as far as it is known.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The server it lives on.
    pub server: Server,
    /// Nothing exists besides what is in here: built from an empty or a live database.
    pub complete: bool,
    /// Where unqualified names are looked for and made, first entry first.
    pub search_path: Vec<String>,
    /// The search path that a new session has.
    pub session_path: Vec<String>,
    /// Tables, views, sequences and foreign tables share one name space.
    pub relations: BTreeMap<Name, Box<Relation>>,
    /// To which table an index belongs; in MySQL index names are the table's own.
    pub index_tables: BTreeMap<Name, Name>,
    /// Enums, composites, ranges, base types, domains.
    pub types: BTreeMap<Name, Type>,
    /// Functions and procedures by name; overloads in one entry.
    pub routines: BTreeMap<Name, Vec<Routine>>,
    /// Schemas, databases.
    pub schemas: BTreeMap<String, Origin>,
    /// Extensions.
    pub extensions: BTreeMap<String, Origin>,
    /// Publications.
    pub publications: BTreeMap<String, Publication>,
    /// Objects of other kinds, by kind and name.
    pub others: BTreeMap<(&'static str, Name), OtherObject>,
    /// Objects that were dropped or renamed away and by which migration: known to be absent.
    pub gone: BTreeMap<Name, Origin>,
    /// The session of this migration may have drawn a value from a sequence (PostgreSQL).
    pub drawn: bool,
    /// Counts the migrations replayed.
    pub migration: u32,
    /// Which relations may mention a relation: by foreign key, inheritance, query or ownership.
    /// A superset: whoever asks looks at the relation itself, so nothing is ever removed here.
    /// Sorted; most have one.
    pub(super) referrers: BTreeMap<Name, Vec<Name>>,
    /// What the types of columns are made of, each once.
    pub(super) type_parts: HashSet<Arc<TypeParts>>,
    /// Open transactions and savepoints, and how to undo what happened in them.
    pub(super) levels: Vec<super::change::Level>,
}

/// An object of a kind that has no model of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherObject {
    /// Where it comes from.
    pub origin: Origin,
    /// The object without which it is nothing: the foreign data wrapper of a server, the server of
    /// a user mapping, the handler of a wrapper. Mostly empty (PostgreSQL).
    pub of: String,
}

/// Where an object comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Read from a live database or a snapshot.
    Live,
    /// Made by the replayed migration of this number.
    Migration(u32),
    /// Nobody was seen making it; a statement only mentioned it.
    Assumed,
}

/// A table, a view, a sequence.
#[derive(Debug, Clone)]
pub struct Relation {
    /// Its full name.
    pub name: Name,
    /// What it is.
    pub kind: RelationKind,
    /// Where it comes from.
    pub origin: Origin,
    /// Everything about it is known: its creation was seen and understood.
    pub complete: bool,
    /// How long it lives.
    pub persistence: Persistence,
    /// Rows and bytes where they are known from a live database or a snapshot.
    pub size: Option<Size>,
    /// Rows may have been inserted since it was made in the replayed history.
    pub has_rows: bool,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Constraints in order of their making; keys too (each has its index in `indexes`).
    pub constraints: Vec<Constraint>,
    /// Copies of its foreign keys, one for each partition that they reference (PostgreSQL).
    pub key_copies: Vec<KeyCopy>,
    /// Indexes.
    pub indexes: Vec<Index>,
    /// Triggers.
    pub triggers: Vec<Trigger>,
    /// Policies.
    pub policies: Vec<Policy>,
    /// Rules.
    pub rules: Vec<Rule>,
    /// Extended statistics objects on it: name and columns.
    pub statistics: Vec<(Name, Vec<String>)>,
    /// Row level security is enabled.
    pub row_security: bool,
    /// How it is partitioned.
    pub partition_by: Option<PartitionBy>,
    /// Which partition of what it is.
    pub partition_of: Option<(Name, PartitionBound)>,
    /// Parents by inheritance.
    pub inherits: Vec<Name>,
    /// The composite type of which it is a table (PostgreSQL).
    pub of_type: Option<Name>,
    /// What a view reads: relation and, as far as known, the columns by word.
    pub reads: Vec<(Name, Vec<String>)>,
    /// Functions that a view calls, unqualified.
    pub calls: Vec<String>,
    /// The owner, where a statement named one.
    pub owner: Option<String>,
    /// Rows were deleted from it in the replayed history.
    pub rows_deleted: bool,
    /// `engine`, `row_format`, `charset`, `collate`, `fillfactor`, `strict`, `without rowid`, …
    pub options: BTreeMap<String, String>,
    /// The access method, where it is not the default.
    pub access_method: Option<String>,
    /// The tablespace, where it is not the default.
    pub tablespace: Option<String>,
    /// The index that CLUSTER follows.
    pub clustered_on: Option<String>,
    /// The index of `REPLICA IDENTITY USING INDEX`.
    pub replica_identity: Option<String>,
    /// The table and column that own a sequence.
    pub owned_by: Option<(Name, String)>,
    /// The query or body of a view, the text of a trigger-bearing definition: for printing.
    pub definition: Option<String>,
    /// The columns and the query of a view (SQLite).
    pub body: Tree<ViewBody>,
    /// `WITH SYSTEM VERSIONING` (MariaDB).
    pub system_versioning: bool,
    /// How often columns came or went INSTANT since its rows were last written anew (MySQL), as far
    /// as the replayed history tells.
    pub row_versions: u64,
}

/// What makes a view (SQLite).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewBody {
    /// Its columns, where they are written before the query.
    pub columns: Vec<Ident>,
    /// Its query.
    pub select: Select,
}

/// What makes a trigger (SQLite).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerBody {
    /// It lives in the database `temp`.
    pub temporary: bool,
    /// `before`, `after`, `instead of`.
    pub timing: String,
    /// `insert`, `update`, `delete`.
    pub event: String,
    /// The columns of UPDATE OF.
    pub columns: Vec<Ident>,
    /// WHEN.
    pub when: Option<Term>,
    /// What it does.
    pub steps: Vec<Change>,
}

/// The kinds of relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKind {
    /// Table; partitioned when `partition_by` is set.
    Table,
    /// Foreign table, SQLite virtual table.
    Foreign,
    /// View.
    View,
    /// Materialized view.
    MaterializedView,
    /// Sequence.
    Sequence,
}

/// How large a relation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Rows, estimated by the server.
    pub rows: u64,
    /// Bytes with indexes and out-of-line values.
    pub bytes: u64,
    /// MySQL: in how many ways rows are laid out; each INSTANT change of columns adds one.
    pub row_versions: Option<u64>,
    /// MySQL, MariaDB: the next value of AUTO_INCREMENT.
    pub auto_increment: Option<u64>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name.
    pub name: String,
    /// The type; none in SQLite where none is written.
    pub data_type: Option<DataType>,
    /// NULL is not allowed.
    pub not_null: bool,
    /// PostgreSQL 18: the NOT NULL constraint is NOT VALID.
    pub not_null_not_valid: bool,
    /// The default; apart, since most columns have none and a schema has many columns.
    pub default: Option<Box<Expr>>,
    /// Generated from an expression.
    pub generated: Option<Box<Generated>>,
    /// Identity.
    pub identity: Option<IdentityKind>,
    /// `serial`, `AUTO_INCREMENT`, `AUTOINCREMENT`.
    pub auto_increment: bool,
    /// `ON UPDATE` (MySQL).
    pub on_update: bool,
    /// Invisible (MySQL, MariaDB).
    pub invisible: bool,
    /// It comes from a parent table (PostgreSQL).
    pub inherited: bool,
    /// It was defined on the table itself: it stays when the parents lose theirs (PostgreSQL).
    pub local: bool,
    /// The migration that made it.
    pub origin: Origin,
}

/// A constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// The name, made up as the server makes it up where none is written.
    pub name: String,
    /// What it demands.
    pub kind: Demand,
    /// Checked against the rows that were there.
    pub valid: bool,
    /// Enforced at all.
    pub enforced: bool,
    /// The column it is written on: SQLite drops it with that column, and refuses to drop a column
    /// that a constraint standing apart needs.
    pub written_on: Option<String>,
    /// It can be checked at the end of the transaction.
    pub deferrable: bool,
    /// It comes from a parent table (PostgreSQL).
    pub inherited: bool,
    /// NO INHERIT (PostgreSQL).
    pub no_inherit: bool,
    /// The migration that made it.
    pub origin: Origin,
}

/// A copy of a foreign key, which references a partition of the referenced table (PostgreSQL).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCopy {
    /// The foreign key.
    pub key: String,
    /// The partition.
    pub of: Name,
    /// The name that the server made up for it.
    pub name: String,
}

/// What a constraint demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// PRIMARY KEY over these columns.
    PrimaryKey(Vec<String>),
    /// UNIQUE over these columns.
    Unique(Vec<String>),
    /// CHECK.
    Check(Expr),
    /// EXCLUDE over these columns.
    Exclude(Vec<String>),
    /// FOREIGN KEY.
    ForeignKey {
        /// The referencing columns.
        columns: Vec<String>,
        /// The referenced table.
        parent: Name,
        /// The referenced columns; empty where the parent's primary key is meant and not known.
        parent_columns: Vec<String>,
        /// ON DELETE.
        on_delete: ReferentialAction,
        /// ON UPDATE.
        on_update: ReferentialAction,
    },
    /// NOT NULL with a name of its own (PostgreSQL 18).
    NotNull(String),
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The name, made up as the server makes it up where none is written.
    pub name: String,
    /// Unique, full text, spatial or plain.
    pub kind: crate::sql::ast::IndexKind,
    /// It belongs to a primary key.
    pub primary: bool,
    /// The constraint it belongs to.
    pub constraint: Option<String>,
    /// The lower-case method (`btree`).
    pub method: String,
    /// The key.
    pub parts: Vec<KeyPart>,
    /// INCLUDE columns.
    pub include: Vec<String>,
    /// WHERE; apart, since most indexes have none.
    pub predicate: Option<Box<Expr>>,
    /// Usable: not the leftover of a failed concurrent build, not `ON ONLY` without its parts.
    pub valid: bool,
    /// INVISIBLE / IGNORED.
    pub invisible: bool,
    /// The partitioned index it is attached to.
    pub parent: Option<Name>,
    /// The tablespace, where it is not the default.
    pub tablespace: Option<String>,
    /// NULLS NOT DISTINCT.
    pub nulls_not_distinct: bool,
    /// The migration that made it.
    pub origin: Origin,
}

/// A trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The name.
    pub name: String,
    /// The function it calls (PostgreSQL).
    pub function: Option<Name>,
    /// Columns it names (UPDATE OF, WHEN, the body as far as it was read).
    pub columns: Vec<String>,
    /// Relations its body reads or writes (MySQL, SQLite).
    pub touches: Vec<Name>,
    /// FOR EACH ROW.
    pub for_each_row: bool,
    /// It comes from the partitioned parent (PostgreSQL).
    pub inherited: bool,
    /// What makes it, behind `CREATE TRIGGER`; none once a renaming may have changed it (SQLite).
    pub text: Option<String>,
    /// What it does (SQLite).
    pub body: Tree<TriggerBody>,
}

/// A rewrite rule (PostgreSQL).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The name.
    pub name: String,
    /// `select`, `insert`, `update`, `delete`.
    pub event: String,
    /// Words in its commands that may be columns.
    pub columns: Vec<String>,
    /// Relations that its commands read.
    pub reads: Vec<Name>,
    /// Relations that its commands change.
    pub writes: Vec<Name>,
}

/// A row level security policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The name.
    pub name: String,
    /// Words in its conditions that may be columns.
    pub columns: Vec<String>,
    /// Functions it calls, unqualified.
    pub calls: Vec<String>,
    /// Relations that its subqueries may read.
    pub reads: Vec<Name>,
}

/// A type or domain.
#[derive(Debug, Clone)]
pub struct Type {
    /// The full name.
    pub name: Name,
    /// What it is.
    pub kind: TypeBody,
    /// Where it comes from.
    pub origin: Origin,
}

/// What a type is.
#[derive(Debug, Clone)]
pub enum TypeBody {
    /// Enum with its values in order, and those added by the migration being replayed.
    Enum {
        /// All values.
        values: Vec<String>,
        /// Values not usable before the transaction commits.
        fresh: Vec<String>,
    },
    /// Composite.
    Composite(Vec<(String, DataType)>),
    /// Range.
    Range,
    /// Base type or not known.
    Base,
    /// Domain.
    Domain(Box<Domain>),
}

/// A domain.
#[derive(Debug, Clone)]
pub struct Domain {
    /// The type below.
    pub base: DataType,
    /// Its own default.
    pub default: Option<Expr>,
    /// NOT NULL.
    pub not_null: bool,
    /// CHECK constraints: name, condition, valid.
    pub checks: Vec<(String, Expr, bool)>,
}

/// A function or procedure.
#[derive(Debug, Clone)]
pub struct Routine {
    /// Argument types.
    pub arguments: Vec<DataType>,
    /// A procedure.
    pub procedure: bool,
    /// An aggregate.
    pub aggregate: bool,
    /// The return type, if it has one.
    pub returns: Option<DataType>,
    /// The lower-case language.
    pub language: String,
    /// Volatility.
    pub volatility: Volatility,
    /// What its body reads and writes, where it was read.
    pub touches: Vec<Name>,
    /// What its body writes.
    pub writes: Vec<Name>,
    /// Words in its body that may be columns.
    pub columns: Vec<String>,
    /// What a body of one expression calls: the server puts the expression in place of the call.
    pub inlined: Option<Vec<crate::sql::ObjectName>>,
    /// The dependencies are recorded by the server (RETURN and BEGIN ATOMIC bodies).
    pub parsed_body: bool,
    /// Where it comes from.
    pub origin: Origin,
}

/// A publication.
#[derive(Debug, Clone)]
pub struct Publication {
    /// FOR ALL TABLES.
    pub all_tables: bool,
    /// Tables.
    pub tables: Vec<Name>,
    /// Columns that it lists or filters rows by (PostgreSQL 15 and later).
    pub columns: Vec<(Name, String)>,
    /// Tables of which it lists columns or filters rows.
    pub restricted: Vec<Name>,
    /// Changes of partitions are published as those of the table above (PostgreSQL 13 and later).
    pub via_root: bool,
    /// Where it comes from.
    pub origin: Origin,
}
