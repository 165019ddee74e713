//! Expressions and data types, reduced to what a server's behaviour depends on.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::select::{Term, Tree};
use crate::sql::name::{Ident, ObjectName};
use crate::sql::source::Span;

/// An expression: its place, and the facts about it that decide locks, rewrites and failures.
///
/// The text stays in the file; take it with [`crate::sql::Source::slice`]. For an expression made
/// up while replaying, `text` keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expr {
    /// Where it stands.
    pub span: Span,
    /// The text with white space and comments folded, for comparing and printing.
    pub text: String,
    /// Columns it names, unqualified part only, in order of appearance, each once.
    pub columns: Vec<String>,
    /// Functions it calls, keywords that act as functions (`CURRENT_TIMESTAMP`) included.
    pub functions: Vec<ObjectName>,
    /// What kind of value it is.
    pub shape: ExprShape,
    /// Columns that cannot be NULL where this expression is true: AND terms `c IS NOT NULL` and
    /// `NOT (c IS NULL)`.
    pub proves_not_null: Vec<String>,
    /// Types it casts to (`x::app.status`, `CAST(x AS date)`).
    pub casts: Vec<DataType>,
    /// It contains a SELECT.
    pub has_subquery: bool,
    /// Relations that its SELECTs read (PostgreSQL), each once.
    pub reads: Vec<ObjectName>,
    /// It has one SELECT, over relations alone: its words are columns of these, or of the table
    /// around it (PostgreSQL).
    pub plain_query: bool,
    /// All its parts (SQLite).
    pub tree: Tree<Term>,
}

/// What kind of value an expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExprShape {
    /// The literal NULL, a cast of it included.
    Null,
    /// One literal, signed or cast, parentheses not counted.
    Literal,
    /// The same in parentheses, which some servers treat as an expression.
    ParenthesizedLiteral,
    /// One column and nothing else.
    Column,
    /// Anything else.
    #[default]
    Other,
}

/// A data type as it is written. Columns of one type share what it is made of.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct DataType {
    /// Where it stands.
    pub span: Span,
    /// What it is made of.
    pub parts: Arc<TypeParts>,
}

/// What a data type is made of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TypeParts {
    /// The schema, if written.
    pub schema: Option<String>,
    /// The canonical lower-case name without arguments: `varchar`, `timestamptz`, `int4` spelled
    /// the common way (see the grammar of each server for its list), or a user's type.
    pub name: String,
    /// Arguments: lengths, precisions, ENUM and SET members (unquoted).
    pub args: Vec<String>,
    /// Array dimensions; 0 for a scalar.
    pub array_dims: u8,
    /// COLLATE, where it is written as part of the type or beside it.
    pub collation: Option<String>,
    /// MySQL's CHARACTER SET.
    pub charset: Option<String>,
    /// MySQL's UNSIGNED.
    pub unsigned: bool,
    /// MySQL's ZEROFILL.
    pub zerofill: bool,
    /// MySQL's BINARY attribute (the binary collation of the character set).
    pub binary: bool,
}

impl DataType {
    /// Returns a type of that name without arguments.
    pub fn named(name: impl Into<String>) -> Self {
        TypeParts { name: name.into(), ..TypeParts::default() }.into()
    }

    /// Returns the type of arrays with so many dimensions over the same elements; 0 for these.
    #[must_use]
    pub fn with_dims(&self, array_dims: u8) -> Self {
        let parts = TypeParts { array_dims, ..TypeParts::clone(self) };
        Self { span: self.span, ..parts.into() }
    }

    /// Returns the argument at a position, if it is a number.
    pub fn number(&self, position: usize) -> Option<u64> {
        self.args.get(position).and_then(|arg| arg.parse().ok())
    }
}

impl From<TypeParts> for DataType {
    fn from(parts: TypeParts) -> Self {
        Self { span: Span::default(), parts: Arc::new(parts) }
    }
}

impl Deref for DataType {
    type Target = TypeParts;

    fn deref(&self) -> &TypeParts {
        &self.parts
    }
}

impl DerefMut for DataType {
    fn deref_mut(&mut self) -> &mut TypeParts {
        Arc::make_mut(&mut self.parts)
    }
}

impl fmt::Debug for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataType")
            .field("span", &self.span)
            .field("schema", &self.schema)
            .field("name", &self.name)
            .field("args", &self.args)
            .field("array_dims", &self.array_dims)
            .field("collation", &self.collation)
            .field("charset", &self.charset)
            .field("unsigned", &self.unsigned)
            .field("zerofill", &self.zerofill)
            .field("binary", &self.binary)
            .finish()
    }
}

/// The key part of an index, or a column of a key constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPart {
    /// Where it stands.
    pub span: Span,
    /// A column or an expression.
    pub key: Key,
    /// COLLATE.
    pub collation: Option<String>,
    /// The operator class (PostgreSQL), without parameters.
    pub opclass: Option<String>,
    /// The prefix length in `c(10)` (MySQL).
    pub prefix: Option<u32>,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST (`Some(true)`) or NULLS LAST (`Some(false)`), where written.
    pub nulls_first: Option<bool>,
}

/// What a key part is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A column.
    Column(Ident),
    /// An expression.
    Expr(Expr),
}

impl Key {
    /// Returns the column, if it is one.
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::Column(ident) => Some(ident.as_str()),
            Self::Expr(_) => None,
        }
    }
}

/// Returns what a unique key does not allow, as the end of a sentence: `two rows with the same a`.
pub fn same_key(parts: &[KeyPart]) -> String {
    let parts: Vec<&str> = parts
        .iter()
        .map(|part| match &part.key {
            Key::Column(column) => column.as_str(),
            Key::Expr(expr) => expr.text.as_str(),
        })
        .collect();
    format!("two rows with the same {}", parts.join(", "))
}
