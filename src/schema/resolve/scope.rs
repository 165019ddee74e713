//! Where a name is looked for: the sources of a query, those of the queries around it, aliases.

use super::super::model::Name;
use super::{Checked, Meaning, Reason, Refusal, Resolver, refused, same};
use crate::sql::ast::DataType;
use crate::sql::{Ident, Span};

/// The names of the number of a row.
const ROWID: [&str; 3] = ["rowid", "oid", "_rowid_"];

/// What a table, a view or a query shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The columns, as far as they are known.
    pub(crate) columns: Vec<ShownColumn>,
    /// There are no others.
    pub(crate) complete: bool,
    /// Its rows have numbers.
    pub(super) rowid: bool,
}

/// A column of what is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ShownColumn {
    /// Its name.
    pub(crate) name: String,
    /// The type of the column that it is.
    pub(crate) data_type: Option<DataType>,
    /// The column that it is.
    pub(super) of: Option<(Name, String)>,
    /// `*` leaves it out.
    pub(super) hidden: bool,
    /// It is a row or several columns of a query: whoever reads it fails.
    pub(super) several: bool,
}

impl Shown {
    /// Returns something of which nothing is known.
    pub(super) const fn unknown() -> Self {
        Self { columns: Vec::new(), complete: false, rowid: true }
    }

    pub(super) fn column(&self, name: &str) -> Option<&ShownColumn> {
        self.columns.iter().find(|column| same(&column.name, name))
    }
}

/// A source of a query, as names find it.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    /// The name before a dot.
    pub(super) known_as: String,
    /// The table that it is, if it is one.
    pub(super) table: Option<Name>,
    /// It has an alias: its own name does not mean it.
    pub(super) aliased: bool,
    pub(super) shown: Shown,
    /// Columns that it shares with what stands before it.
    pub(super) using: Vec<String>,
}

/// An alias of a select list.
#[derive(Debug, Clone)]
pub(super) struct Alias {
    pub(super) name: String,
    pub(super) aggregate: bool,
    pub(super) window: bool,
    pub(super) width: usize,
}

/// What may be named in a part of a query.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope<'s> {
    pub(super) bound: Vec<Bound>,
    /// The select list has been read.
    pub(super) aliases: Vec<Alias>,
    /// The windows that have names.
    pub(super) windows: Vec<String>,
    /// The row that an INSERT did not make because of a conflict.
    pub(super) excluded: Option<Bound>,
    pub(super) outer: Option<&'s Scope<'s>>,
}

/// What may be used in a part of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowed {
    pub(super) aggregate: bool,
    pub(super) window: bool,
    pub(super) place: super::Place,
}

/// What a name was found to be.
#[derive(Debug, Clone)]
pub(super) enum Found {
    /// A column.
    Column(ShownColumn),
    /// The number of a row.
    Rowid,
    /// An alias.
    Alias(Alias),
    /// A string, or TRUE or FALSE.
    Literal,
    /// It cannot be told.
    Unknown,
}

impl Bound {
    fn is_called(&self, home: Option<&str>, name: &str) -> bool {
        let at_home = home
            .is_none_or(|home| self.table.as_ref().is_some_and(|table| same(&table.schema, home)));
        at_home && same(&self.known_as, name)
    }
}

impl Resolver<'_> {
    /// Looks for a column.
    pub(super) fn look_up(
        &mut self,
        path: &[Ident],
        quoted: bool,
        scope: &Scope<'_>,
        allowed: Allowed,
    ) -> Checked<Found> {
        let (column, table, home) = match path {
            [column] => (column, None, None),
            [table, column] => (column, Some(table), None),
            [home, table, column, ..] => (column, Some(table), Some(home.as_str())),
            [] => return Ok(Found::Unknown),
        };
        // A CHECK and the condition of an index belong to one table in one database.
        let ignores = matches!(allowed.place, super::Place::Check | super::Place::PartialIndex);
        let home = home.filter(|_| !ignores);
        let (mut level, mut innermost, mut undecided) = (Some(scope), true, false);
        while let Some(here) = level {
            match self.among(here, (column, table, home), allowed) {
                Step::Found(found) => return Ok(*found),
                Step::Several => return refused(Reason::Ambiguous, several(path)),
                Step::Undecided => undecided = true,
                Step::Nothing => {}
            }
            let alias = here.aliases.iter().find(|alias| same(&alias.name, column.as_str()));
            if let (None, Some(alias)) = (table, alias) {
                self.alias_allowed(alias, allowed, innermost)?;
                return Ok(Found::Alias(alias.clone()));
            }
            level = here.outer;
            innermost = false;
        }
        if undecided {
            return Ok(Found::Unknown);
        }
        let known = |only: &std::collections::BTreeSet<Span>| only.contains(&column.span);
        if quoted && self.only_strings.as_ref().is_none_or(known) {
            self.strings.insert(column.span);
            return Ok(Found::Literal);
        }
        if table.is_none() && ["true", "false"].iter().any(|w| same(w, column.as_str())) {
            return Ok(Found::Literal);
        }
        refused(Reason::NoColumn, format!("no such column: {}", dotted(path)))
    }

    fn alias_allowed(&self, alias: &Alias, allowed: Allowed, innermost: bool) -> Checked<()> {
        if alias.aggregate && !allowed.aggregate {
            let detail = format!("misuse of aliased aggregate {}", alias.name);
            return refused(Reason::Misused, detail);
        }
        if alias.window && !(allowed.window && innermost) {
            let detail = format!("misuse of aliased window function {}", alias.name);
            return refused(Reason::Misused, detail);
        }
        if alias.width > 1 {
            return refused(Reason::Misused, "row value misused");
        }
        Ok(())
    }

    /// Looks for a column among the sources of one query.
    fn among(
        &mut self,
        scope: &Scope<'_>,
        (column, table, home): (&Ident, Option<&Ident>, Option<&str>),
        allowed: Allowed,
    ) -> Step {
        // The schema table goes by its newer name since 3.41 (measured on 3.40.1 and 3.41.2).
        let renamed = self.schema.server.version.at_least(3, 41, 0);
        let called = |bound: &&Bound| {
            table.is_none_or(|table| {
                let catalog = renamed && !bound.aliased && same(table.as_str(), "sqlite_schema");
                let name = if catalog { "sqlite_master" } else { table.as_str() };
                bound.is_called(home, name)
            })
        };
        let mut hits: Vec<(&Bound, &ShownColumn)> = Vec::new();
        let (mut numbered, mut undecided) = (Vec::new(), false);
        for bound in scope.bound.iter().filter(called) {
            undecided |= !bound.shown.complete;
            match bound.shown.column(column.as_str()) {
                Some(_) if !hits.is_empty() && shares(bound, column.as_str()) => {}
                Some(found) => hits.push((bound, found)),
                None if bound.shown.rowid => numbered.push(bound),
                None => {}
            }
        }
        match hits.as_slice() {
            [(bound, found)] => {
                self.note_column(bound, table, column.span, Some(found));
                return Step::Found(Box::new(Found::Column((*found).clone())));
            }
            [] => {}
            _ => return Step::Several,
        }
        if home.is_none()
            && let Some(step) = self.row_of_trigger(scope, column, table)
        {
            return step;
        }
        let computed = matches!(allowed.place, super::Place::IndexKey | super::Place::Generated);
        let is_rowid = ROWID.iter().any(|name| same(name, column.as_str()));
        if is_rowid && !computed && !undecided {
            match numbered.as_slice() {
                [] => {}
                [bound] => {
                    self.note_column(bound, table, column.span, None);
                    return Step::Found(Box::new(Found::Rowid));
                }
                _ => return Step::Several,
            }
        }
        if undecided { Step::Undecided } else { Step::Nothing }
    }

    fn note_column(
        &mut self,
        bound: &Bound,
        table: Option<&Ident>,
        at: Span,
        found: Option<&ShownColumn>,
    ) {
        if let (Some(written), Some(name), false) = (table, &bound.table, bound.aliased) {
            self.note(written.span, Meaning::Table(name.clone()));
        }
        if let (Some(found), Some(name)) = (found, &bound.table) {
            self.note(at, Meaning::Column(name.clone(), found.name.clone()));
        } else if let Some((name, column)) = found.and_then(|found| found.of.clone()) {
            self.note(at, Meaning::Column(name, column));
        }
    }

    /// NEW and OLD in a trigger, EXCLUDED behind ON CONFLICT.
    fn row_of_trigger(
        &mut self,
        scope: &Scope<'_>,
        column: &Ident,
        table: Option<&Ident>,
    ) -> Option<Step> {
        let table = table?;
        let bound = if let Some(excluded) =
            scope.excluded.as_ref().filter(|_| same(table.as_str(), "excluded"))
        {
            excluded.clone()
        } else {
            let row = self.row?;
            let there =
                row.new && same(table.as_str(), "new") || row.old && same(table.as_str(), "old");
            if !there {
                return None;
            }
            let shown = self.shown_by(row.table).unwrap_or(Shown::unknown());
            let known_as = table.value.clone();
            let name = Some(row.table.name.clone());
            Bound { known_as, table: name, aliased: true, shown, using: Vec::new() }
        };
        if let Some(found) = bound.shown.column(column.as_str()) {
            self.note_column(&bound, None, column.span, Some(found));
            return Some(Step::Found(Box::new(Found::Column(found.clone()))));
        }
        let is_rowid = ROWID.iter().any(|name| same(name, column.as_str()));
        if bound.shown.rowid && is_rowid {
            return Some(Step::Found(Box::new(Found::Rowid)));
        }
        (!bound.shown.complete).then_some(Step::Undecided)
    }
}

/// What came of looking at the sources of one query.
#[derive(Debug)]
enum Step {
    Found(Box<Found>),
    Several,
    Undecided,
    Nothing,
}

fn shares(bound: &Bound, column: &str) -> bool {
    bound.using.iter().any(|name| same(name, column))
}

fn several(path: &[Ident]) -> String {
    format!("ambiguous column name: {}", dotted(path))
}

fn dotted(path: &[Ident]) -> String {
    path.iter().map(Ident::as_str).collect::<Vec<_>>().join(".")
}

impl Refusal {
    /// Returns a refusal about something that is not there.
    pub(super) fn missing(what: &str, name: impl std::fmt::Display) -> Self {
        Self { reason: Reason::Missing, detail: format!("no such {what}: {name}") }
    }
}
