//! What names in queries, changes and expressions of SQLite mean.
//!
//! In: a tree, and the schema it meets. Out: what it shows, which table or column each name means,
//! or why SQLite refuses it. The rules are those of SQLite's own name resolution: a column is
//! looked for from the inside out, then among the aliases, then a word in double quotes is a
//! string. Where a table is not known to be there, or not all of its columns are known, nothing is
//! refused.

mod change;
mod cte;
mod definition;
mod function;
mod scope;
mod select;
mod term;

use std::collections::{BTreeMap, BTreeSet};

pub use definition::Object;
pub(crate) use function::is_collation;
pub(crate) use scope::{Shown, ShownColumn};
pub use term::is_constant;

use self::select::Frame;
use super::model::{Name, Relation, Schema};
use crate::sql::Span;

/// Why SQLite refuses a name or what is done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it is about.
    pub reason: Reason,
    /// In SQLite's words.
    pub detail: String,
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A table, function, index, collation or window is not there.
    Missing,
    /// A column is not there.
    NoColumn,
    /// Several columns have the name.
    Ambiguous,
    /// It is there, and not to be used so.
    Misused,
    /// There are more or fewer values than are wanted.
    Count,
    /// It is not to be written.
    NotWritable,
    /// A trigger refuses a row.
    Raised,
}

/// Something that SQLite takes or refuses.
pub type Checked<T> = Result<T, Refusal>;

/// Returns a refusal.
fn refused<T>(reason: Reason, detail: impl Into<String>) -> Checked<T> {
    Err(Refusal { reason, detail: detail.into() })
}

/// What names are looked up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A statement is run.
    Run,
    /// A definition is read again because the schema changes: functions are not looked up then.
    Reread,
}

/// What a written name was found to mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// A table or view.
    Table(Name),
    /// A column of one.
    Column(Name, String),
}

/// What an expression stands in, which decides about what it may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A query or a change.
    Query,
    /// CHECK.
    Check,
    /// The condition of a partial index.
    PartialIndex,
    /// A key of an index.
    IndexKey,
    /// A generated column.
    Generated,
    /// The default of a column.
    Default,
}

/// Looks names up.
#[derive(Debug)]
pub struct Resolver<'a> {
    schema: &'a Schema,
    purpose: Purpose,
    /// The database of the view or trigger that is looked at: names in it mean what is there.
    home: Option<String>,
    /// What the server was built with, where that is known.
    options: Option<String>,
    /// The table of the trigger that is looked at, and whether it has OLD and NEW rows.
    row: Option<TriggerRow<'a>>,
    frames: Vec<Frame<'a>>,
    /// How many queries there are around this one whose FROM it is in.
    nested: usize,
    /// Triggers that were looked into already.
    fired: Vec<(Name, String)>,
    /// Views that are being looked into.
    inside: Vec<Name>,
    /// Views that were looked into already.
    shown: BTreeMap<Name, Shown>,
    /// Names by place, in the order in which they were looked up.
    meanings: Vec<(Span, Meaning)>,
    /// What may be refused, as far as is known.
    doubts: Vec<Refusal>,
    /// Words in double quotes that are strings, by place.
    strings: BTreeSet<Span>,
    /// Those alone may be: SQLite has put the others into single quotes.
    only_strings: Option<BTreeSet<Span>>,
}

/// The rows that a trigger names.
#[derive(Debug, Clone, Copy)]
struct TriggerRow<'a> {
    table: &'a Relation,
    old: bool,
    new: bool,
}

impl<'a> Resolver<'a> {
    /// Returns a resolver of names in a schema.
    pub fn new(schema: &'a Schema, purpose: Purpose) -> Self {
        Self {
            schema,
            purpose,
            home: None,
            options: None,
            row: None,
            frames: Vec::new(),
            nested: 0,
            fired: Vec::new(),
            inside: Vec::new(),
            shown: BTreeMap::new(),
            meanings: Vec::new(),
            doubts: Vec::new(),
            strings: BTreeSet::new(),
            only_strings: None,
        }
    }

    /// Says what the server was built with (`PRAGMA compile_options`).
    #[must_use]
    pub fn built_with(self, options: Option<&str>) -> Self {
        Self { options: options.map(str::to_ascii_uppercase), ..self }
    }

    /// Takes only these words in double quotes for strings.
    #[must_use]
    pub fn with_strings(self, strings: BTreeSet<Span>) -> Self {
        Self { only_strings: Some(strings), ..self }
    }

    /// Returns the words in double quotes that were found to be strings.
    pub const fn strings(&self) -> &BTreeSet<Span> {
        &self.strings
    }

    /// Returns what each name looked up so far means.
    pub fn meanings(&self) -> &[(Span, Meaning)] {
        &self.meanings
    }

    /// Returns what may be refused by a server of which more is known.
    pub fn doubts(&self) -> &[Refusal] {
        &self.doubts
    }

    /// Says whether a server was built with an option, where that is known.
    fn has_option(&self, option: &str) -> Option<bool> {
        let options = self.options.as_ref()?;
        Some(options.split([',', ' ']).any(|known| known == option))
    }

    fn is_run(&self) -> bool {
        self.purpose == Purpose::Run
    }

    fn note(&mut self, at: Span, meaning: Meaning) {
        self.meanings.push((at, meaning));
    }
}

/// Says whether two names are the same to SQLite.
fn same(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}
