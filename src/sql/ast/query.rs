//! Queries and data changes, reduced to what they touch.

use super::expr::{DataType, Expr};
use super::select::{Change, Select, Tree};
use crate::sql::name::{Ident, ObjectName};
use crate::sql::source::Span;

/// A SELECT, VALUES, TABLE or WITH query: what it reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Where it stands.
    pub span: Span,
    /// Relations it reads, each once; names of its own WITH clauses left out.
    pub reads: Vec<ObjectName>,
    /// Relations it locks with FOR UPDATE, FOR SHARE and their kin.
    pub row_locks: Vec<ObjectName>,
    /// Relations changed by data-modifying WITH clauses.
    pub writes: Vec<ObjectName>,
    /// Sequences named in quotes by nextval(), currval() and setval() (PostgreSQL).
    pub sequences: Vec<String>,
    /// Tables and columns named in quotes by pg_get_serial_sequence() inside of those (PostgreSQL).
    pub serials: Vec<(String, String)>,
    /// Functions it calls.
    pub functions: Vec<ObjectName>,
    /// Words in it that may be columns, unqualified part only, each once.
    pub columns: Vec<String>,
    /// Columns that are written with their relation only (`o.id`), and which that is: a relation
    /// that is read, or the name of a part of the query (PostgreSQL). `*` stands for `o.*`.
    pub only_of: Vec<(ObjectName, String)>,
    /// Relations written with ONLY (PostgreSQL), the target included.
    pub only: Vec<ObjectName>,
    /// It has `*` in a select list.
    pub star: bool,
    /// sqlparser refused it: the facts above come from its tokens alone.
    pub refused: Option<String>,
    /// All its parts (SQLite).
    pub tree: Tree<Select>,
    /// How it is built, as far as its select list and its choice of rows go (PostgreSQL).
    pub outline: Tree<Outline>,
}

/// The outermost SELECT of a query (PostgreSQL).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// It is one SELECT over relations: no query inside, no WITH, no function in FROM, no join by
    /// the names of columns. Each of its words that may be columns is one of these relations.
    pub plain: bool,
    /// There is no query in it and no FROM or USING: UPDATE or DELETE of a table alone.
    pub alone: bool,
    /// A condition, an order or a limit lets the planner read other than whole tables.
    pub chooses: bool,
    /// Its condition, where it is plain.
    pub filter: Option<String>,
    /// The relations in FROM, by the names they go by.
    pub sources: Vec<(String, ObjectName)>,
    /// The select list.
    pub shown: Vec<Shown>,
    /// Words that are written without a relation and may be columns.
    pub bare: Vec<String>,
    /// RETURNING is written.
    pub returns: bool,
    /// Columns that an UPDATE sets to DEFAULT.
    pub defaulted: Vec<String>,
}

/// An entry of a select list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// `*`, or `t.*`.
    All(Option<String>),
    /// A column, as it is or as another type.
    Column {
        /// The relation before the dot.
        owner: Option<String>,
        /// The column.
        column: String,
        /// The type it is cast to.
        cast: Option<DataType>,
        /// The name written behind it.
        label: Option<String>,
    },
    /// A constant.
    Constant {
        /// The type it has by itself.
        data_type: DataType,
        /// The name it has.
        label: String,
    },
    /// An expression, and the name it has where that is known.
    Other(Option<String>),
}

impl Query {
    /// Says whether a column, or `*`, may be one of a relation that is told by `is`.
    pub fn may_mean(&self, column: &str, is: impl Fn(&ObjectName) -> bool) -> bool {
        let mut owners = self.only_of.iter().filter(|(_, name)| name == column).peekable();
        owners.peek().is_none() || owners.any(|(owner, _)| is(owner))
    }
}

/// INSERT, UPDATE, DELETE, MERGE, REPLACE, or a bare query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dml {
    /// What it does.
    pub kind: DmlKind,
    /// The tables it changes.
    pub targets: Vec<ObjectName>,
    /// What it reads, calls and locks besides.
    pub query: Query,
    /// The condition of UPDATE and DELETE: none means every row.
    pub filter: Option<Expr>,
    /// Columns assigned (UPDATE) or listed (INSERT).
    pub columns: Vec<Ident>,
    /// INSERT has a SELECT as its source.
    pub from_query: bool,
    /// The values of an INSERT as they are written, row by row, where they are few (PostgreSQL);
    /// the first row only in SQLite.
    /// `DEFAULT VALUES` is one row without values. What an UPDATE assigns is one row (MySQL).
    pub rows: Option<Vec<Vec<String>>>,
    /// LIMIT on UPDATE or DELETE (MySQL).
    pub limit: bool,
    /// A query with LIMIT picks the rows of UPDATE or DELETE: no more than that are changed.
    pub picked: bool,
    /// ORDER BY on UPDATE or DELETE (MySQL).
    pub order_by: bool,
    /// ON CONFLICT, ON DUPLICATE KEY, INSERT IGNORE, INSERT OR REPLACE.
    pub on_conflict: bool,
    /// All its parts (SQLite).
    pub tree: Tree<Change>,
}

/// The kinds of data statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DmlKind {
    /// SELECT, VALUES, TABLE, WITH.
    Select,
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
    /// MERGE.
    Merge,
    /// REPLACE (MySQL, SQLite).
    Replace,
    /// LOAD DATA (MySQL).
    Load,
}

/// `COPY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// The table; none for COPY of a query.
    pub table: Option<ObjectName>,
    /// The columns listed.
    pub columns: Vec<Ident>,
    /// The query copied.
    pub query: Option<Query>,
    /// FROM (else TO).
    pub from: bool,
    /// `FROM STDIN`: the data follow in the file (psql).
    pub stdin: bool,
}

/// `TRUNCATE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truncate {
    /// The tables.
    pub tables: Vec<ObjectName>,
    /// `ONLY` on any of them.
    pub only: bool,
    /// `RESTART IDENTITY`.
    pub restart_identity: bool,
    /// `CASCADE`.
    pub cascade: bool,
}
