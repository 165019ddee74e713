//! Queries and data changes with all their parts, as far as names in them are looked up (SQLite).

use std::fmt;
use std::sync::Arc;

use super::expr::DataType;
use crate::sql::name::{Ident, ObjectName};
use crate::sql::source::Span;

/// All parts of something, kept beside the facts that were drawn from it, where it was read so.
///
/// It adds nothing to what is written: two that differ in it alone are the same.
#[derive(Clone)]
pub struct Tree<T>(Option<Arc<T>>);

impl<T> Tree<T> {
    /// Returns the tree of something that was read.
    pub fn of(whole: T) -> Self {
        Self(Some(Arc::new(whole)))
    }

    /// Returns all parts, if they were read.
    pub fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }
}

impl<T: Clone> Tree<T> {
    /// Returns all parts to be changed, if they were read.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.0.as_mut().map(Arc::make_mut)
    }
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> PartialEq for Tree<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Tree<T> {}

impl<T> fmt::Debug for Tree<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tree")
    }
}

/// A query: `WITH … SELECT … UNION SELECT … ORDER BY … LIMIT …`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Select {
    /// What WITH names.
    pub with: Vec<Cte>,
    /// The SELECTs and VALUES between UNION, EXCEPT and INTERSECT; at least one.
    pub cores: Vec<Core>,
    /// ORDER BY.
    pub order_by: Vec<Sort>,
    /// LIMIT and OFFSET.
    pub limit: Vec<Term>,
}

/// One part of a WITH clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cte {
    /// Its name.
    pub name: Ident,
    /// The names of its columns, where written.
    pub columns: Vec<Ident>,
    /// What it stands for.
    pub select: Select,
}

/// One SELECT or VALUES.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Core {
    /// Where it stands.
    pub span: Span,
    /// It stands behind UNION or UNION ALL, so that it may name the part of WITH it is in.
    pub union: bool,
    /// DISTINCT.
    pub distinct: bool,
    /// The select list; the first row of VALUES.
    pub outputs: Vec<Output>,
    /// The further rows of VALUES that hold more than literals.
    pub rows: Vec<Vec<Term>>,
    /// Not all rows of VALUES have as many values.
    pub uneven: bool,
    /// It is VALUES.
    pub values: bool,
    /// FROM.
    pub from: Vec<Source>,
    /// WHERE.
    pub filter: Option<Term>,
    /// GROUP BY.
    pub group_by: Vec<Term>,
    /// HAVING.
    pub having: Option<Term>,
    /// WINDOW.
    pub windows: Vec<(Ident, Window)>,
}

/// One entry of a select list or of RETURNING.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// What it shows.
    pub kind: OutputKind,
    /// AS.
    pub alias: Option<Ident>,
    /// The text as written, which is the name of a column that has no better one.
    pub text: String,
}

/// What an entry of a select list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputKind {
    /// `*`.
    All,
    /// `t.*`.
    AllOf(Ident),
    /// An expression.
    Term(Term),
}

/// A table, a query or a join in FROM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What is read.
    pub item: SourceItem,
    /// AS.
    pub alias: Option<Ident>,
    /// INDEXED BY.
    pub indexed_by: Option<Ident>,
    /// How it is joined to what stands before it.
    pub join: Join,
    /// ON.
    pub on: Option<Term>,
    /// USING.
    pub using: Vec<Ident>,
}

/// How a source is joined to what stands before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Join {
    /// NATURAL.
    pub natural: bool,
    /// LEFT or FULL.
    pub left: bool,
    /// RIGHT or FULL.
    pub right: bool,
}

/// What a source reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceItem {
    /// A table, a view, or a part of WITH.
    Table(ObjectName),
    /// A function that gives rows.
    Function(ObjectName, Vec<Term>),
    /// A query in parentheses.
    Select(Box<Select>),
    /// A join in parentheses.
    Joined(Vec<Source>),
}

/// An entry of ORDER BY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// What is sorted by.
    pub term: Term,
}

/// What stands behind OVER or in WINDOW.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Window {
    /// The window it is made from.
    pub base: Option<Ident>,
    /// PARTITION BY.
    pub partition_by: Vec<Term>,
    /// ORDER BY.
    pub order_by: Vec<Sort>,
    /// The bounds of the frame.
    pub bounds: Vec<Term>,
}

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: TermKind,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TermKind {
    /// NULL.
    Null,
    /// A whole number, signed or not, that a row or column may be counted by.
    Integer(i64),
    /// Any other literal.
    Literal,
    /// What a program or a tool fills in: `?`, `:name`.
    Parameter,
    /// Something that a tool writes anew: nothing is known of it.
    Filled,
    /// A name with up to two names before it.
    Column {
        /// The parts.
        path: Vec<Ident>,
        /// It is one name in double quotes: a string where no column has that name.
        quoted: bool,
    },
    /// A function.
    Call(Box<Call>),
    /// `(a, b)`.
    Row(Vec<Term>),
    /// A query in parentheses.
    Select(Box<Select>),
    /// EXISTS.
    Exists(Box<Select>),
    /// IN.
    In(Box<Term>, InList),
    /// COLLATE.
    Collate(Box<Term>, Ident),
    /// CAST.
    Cast(Box<Term>, Option<DataType>),
    /// RAISE, with its message.
    Raise(Option<Box<Term>>),
    /// An operator over what it is applied to.
    Apply(Operator, Vec<Term>),
}

/// What stands behind IN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InList {
    /// `(a, b)`.
    Terms(Vec<Term>),
    /// `(SELECT …)`.
    Select(Box<Select>),
    /// The name of a table, or a function that gives rows.
    Table(ObjectName, Vec<Term>),
}

/// Operators, by what they ask of their operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`, `<`, `IS`, … compare two values or two rows.
    Compare,
    /// BETWEEN compares one with two.
    Between,
    /// CASE: the base, the branches, ELSE.
    Case,
    /// Everything else wants single values.
    Plain,
}

/// The call of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The function.
    pub name: Ident,
    /// The arguments.
    pub arguments: Vec<Term>,
    /// `count(*)`.
    pub star: bool,
    /// DISTINCT.
    pub distinct: bool,
    /// ORDER BY among the arguments.
    pub order_by: Vec<Sort>,
    /// FILTER.
    pub filter: Option<Term>,
    /// OVER.
    pub over: Option<Window>,
}

impl Call {
    /// Returns a call with nothing but arguments.
    pub const fn of(name: Ident, arguments: Vec<Term>) -> Self {
        Self {
            name,
            arguments,
            star: false,
            distinct: false,
            order_by: Vec::new(),
            filter: None,
            over: None,
        }
    }
}

/// INSERT, UPDATE, DELETE or a query, with all its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A query.
    Select(Select),
    /// INSERT and REPLACE.
    Insert(Insert),
    /// UPDATE.
    Update(Update),
    /// DELETE.
    Delete(Delete),
}

/// The table that a change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The table.
    pub table: ObjectName,
    /// AS.
    pub alias: Option<Ident>,
    /// INDEXED BY.
    pub indexed_by: Option<Ident>,
}

/// What INSERT OR …, UPDATE OR … say about rows that violate a constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// The statement fails.
    #[default]
    Fail,
    /// The row is left out.
    Ignore,
    /// The rows in the way are deleted.
    Replace,
}

/// INSERT or REPLACE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insert {
    /// What WITH names.
    pub with: Vec<Cte>,
    /// The table.
    pub target: Target,
    /// OR IGNORE, OR REPLACE.
    pub on_conflict: OnConflict,
    /// The columns, where written.
    pub columns: Vec<Ident>,
    /// The rows; none for DEFAULT VALUES.
    pub rows: Option<Select>,
    /// ON CONFLICT.
    pub upserts: Vec<Upsert>,
    /// RETURNING.
    pub returning: Vec<Output>,
}

/// ON CONFLICT … DO ….
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upsert {
    /// The key that is in conflict; none for any.
    pub key: Vec<Term>,
    /// WHERE behind the key.
    pub key_filter: Option<Term>,
    /// DO UPDATE SET; none for DO NOTHING.
    pub set: Option<Vec<Assignment>>,
    /// WHERE of DO UPDATE.
    pub filter: Option<Term>,
}

/// `a = 1`, `(a, b) = (1, 2)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The columns.
    pub columns: Vec<Ident>,
    /// What they get.
    pub value: Term,
}

/// UPDATE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// What WITH names.
    pub with: Vec<Cte>,
    /// The table.
    pub target: Target,
    /// OR IGNORE, OR REPLACE.
    pub on_conflict: OnConflict,
    /// SET.
    pub set: Vec<Assignment>,
    /// FROM.
    pub from: Vec<Source>,
    /// WHERE.
    pub filter: Option<Term>,
    /// RETURNING.
    pub returning: Vec<Output>,
    /// ORDER BY and LIMIT.
    pub tail: Tail,
}

/// DELETE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete {
    /// What WITH names.
    pub with: Vec<Cte>,
    /// The table.
    pub target: Target,
    /// WHERE.
    pub filter: Option<Term>,
    /// RETURNING.
    pub returning: Vec<Output>,
    /// ORDER BY and LIMIT.
    pub tail: Tail,
}

/// ORDER BY and LIMIT of UPDATE and DELETE.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tail {
    /// ORDER BY.
    pub order_by: Vec<Sort>,
    /// LIMIT and OFFSET.
    pub limit: Vec<Term>,
}
