//! Tables by their written names, and the definitions of views and triggers.

use super::scope::{Shown, ShownColumn};
use super::select::renamed;
use super::{Checked, Meaning, Reason, Refusal, Resolver, refused, same};
use crate::schema::model::{Name, Relation, RelationKind};
use crate::sql::ObjectName;

/// What a definition that is read again makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// A view.
    View(Name),
    /// A trigger, and its table.
    Trigger(Name, String),
}

/// The columns of the table that holds all definitions.
const CATALOG: [&str; 5] = ["type", "name", "tbl_name", "rootpage", "sql"];

/// What json_each and json_tree show (sqlite.org/json1.html, section 4.23).
const JSON: [&str; 8] = ["key", "value", "type", "atom", "id", "parent", "fullkey", "path"];

/// Functions that give rows where SQLite was built with them, or a program brings them.
const OPTIONAL_ROWS: &[&str] = &[
    "generate_series",
    "dbstat",
    "sqlite_stmt",
    "sqlite_dbpage",
    "sqlite_dbdata",
    "sqlite_dbptr",
    "bytecode",
    "tables_used",
    "fsdir",
    "zipfile",
    "csv",
    "completion",
    "carray",
    "sqlite_memstat",
];

impl<'a> Resolver<'a> {
    /// Reads all views and triggers of a database again, and those of `temp`, as ALTER TABLE does;
    /// returns the first that is refused.
    pub fn reread(&mut self, database: &str) -> Option<(Object, Refusal)> {
        let schema = self.schema;
        let here = |name: &Name| same(&name.schema, database) || same(&name.schema, "temp");
        for relation in schema.relations.values() {
            if relation.kind == RelationKind::View && here(&relation.name) {
                self.meanings.clear();
                if let Err(refusal) = self.view(relation) {
                    return Some((Object::View(relation.name.clone()), refusal));
                }
            }
            for trigger in &relation.triggers {
                let temporary = trigger.body.get().is_some_and(|body| body.temporary);
                if !here(&relation.name) && !temporary {
                    continue;
                }
                if let Err(refusal) = self.trigger(relation, trigger) {
                    let object = Object::Trigger(relation.name.clone(), trigger.name.clone());
                    return Some((object, refusal));
                }
            }
        }
        None
    }

    /// Returns what a relation shows.
    pub(crate) fn shown_by(&mut self, relation: &'a Relation) -> Checked<Shown> {
        match relation.kind {
            RelationKind::View => self.shown_by_view(relation),
            RelationKind::Foreign => Ok(shown_by_module(relation)),
            RelationKind::Table | RelationKind::MaterializedView | RelationKind::Sequence => {
                let columns = relation.columns.iter().map(|column| ShownColumn {
                    name: column.name.clone(),
                    data_type: column.data_type.clone(),
                    ..ShownColumn::default()
                });
                let rowid = !relation.options.contains_key("without rowid");
                Ok(Shown { columns: columns.collect(), complete: relation.complete, rowid })
            }
        }
    }

    fn shown_by_view(&mut self, view: &'a Relation) -> Checked<Shown> {
        if let Some(shown) = self.shown.get(&view.name) {
            return Ok(shown.clone());
        }
        let Some(body) = view.body.get() else { return Ok(Shown::unknown()) };
        let meanings = self.meanings.len();
        let mut shown = self.view(view)?;
        self.meanings.truncate(meanings);
        shown.rowid = self.rows_have_numbers();
        if !body.columns.is_empty() {
            let (has, wanted) = (shown.columns.len(), body.columns.len());
            if shown.complete && has != wanted {
                let name = &view.name.name;
                let detail = format!("expected {wanted} columns for '{name}' but got {has}");
                return refused(Reason::Count, detail);
            }
            let names = body.columns.iter().map(|column| column.value.clone()).collect();
            shown = Shown { rowid: shown.rowid, ..renamed(names, shown) };
        }
        self.shown.insert(view.name.clone(), shown.clone());
        Ok(shown)
    }

    /// Looks up the names of a view's query.
    pub(crate) fn view(&mut self, view: &'a Relation) -> Checked<Shown> {
        let Some(body) = view.body.get() else { return Ok(Shown::unknown()) };
        if self.inside.contains(&view.name) {
            let detail = format!("view {} is circularly defined", view.name.name);
            return refused(Reason::Misused, detail);
        }
        self.inside.push(view.name.clone());
        let outside = (
            self.row.take(),
            self.home.replace(view.name.schema.clone()),
            std::mem::take(&mut self.frames),
        );
        let shown = self.nested_query(&body.select, None);
        (self.row, self.home, self.frames) = outside;
        self.inside.pop();
        shown
    }

    /// Returns the relation that a written name means; none if it cannot be told.
    pub(super) fn relation(&mut self, name: &ObjectName) -> Checked<Option<&'a Relation>> {
        let schema = self.schema;
        let home = self.home.as_deref().filter(|home| !same(home, "temp"));
        let found = match (home, name.schema()) {
            (Some(home), None) => schema.relation(&schema.key(&Name::new(home, name.name()))),
            (Some(_) | None, _) => schema.find(name).or_else(|| self.attached(name)),
        };
        if found.is_some() || is_own(name.name()) {
            return Ok(found);
        }
        let known = match home {
            Some(home) if name.schema().is_none() => {
                let full = schema.key(&Name::new(home, name.name()));
                schema.complete || schema.gone.contains_key(&full)
            }
            Some(_) | None => schema.is_absent(name),
        };
        if known {
            return Err(Refusal::missing("table", name));
        }
        Ok(None)
    }

    /// An attached database is looked at after `main` and `temp`.
    fn attached(&self, name: &ObjectName) -> Option<&'a Relation> {
        let schema = self.schema;
        let databases = schema.schemas.keys().filter(|_| name.schema().is_none());
        databases
            .map(|database| schema.key(&Name::new(database.as_str(), name.name())))
            .find_map(|full| schema.relation(&full))
    }

    /// Returns a table that FROM names and what it shows.
    pub(super) fn table(&mut self, name: &ObjectName) -> Checked<(Option<Name>, Shown)> {
        if is_catalog(name.name()) {
            return Ok((None, listed(&CATALOG)));
        }
        if name.schema().is_none() && is_rows(name.name()) {
            return self.table_function(name).map(|shown| (None, shown));
        }
        let Some(relation) = self.relation(name)? else { return Ok((None, Shown::unknown())) };
        let at = name.parts.last().map_or_else(Default::default, |part| part.span);
        self.note(at, Meaning::Table(relation.name.clone()));
        let shown = self.shown_by(relation)?;
        Ok((Some(relation.name.clone()), shown))
    }

    /// Returns what one of the server's own tables shows.
    pub(super) fn own_table(&self, name: &ObjectName) -> Shown {
        if is_catalog(name.name()) { listed(&CATALOG) } else { Shown::unknown() }
    }

    /// Says whether the rows of views and queries have numbers, which are NULL: until 3.35, and in
    /// builds that say so (sqlite.org/releaselog/3_36_0.html; Debian's is one).
    pub(super) fn rows_have_numbers(&self) -> bool {
        !self.schema.server.version.at_least(3, 36, 0)
            || self.has_option("ALLOW_ROWID_IN_VIEW") == Some(true)
    }

    /// Returns what a table, a view or a part of WITH shows that IN names.
    pub(super) fn any_table(&mut self, name: &ObjectName) -> Checked<Shown> {
        self.table(name).map(|(_, shown)| shown)
    }

    /// Returns what a function shows that gives rows.
    pub(super) fn table_function(&mut self, name: &ObjectName) -> Checked<Shown> {
        let word = name.name();
        if ["json_each", "json_tree"].iter().any(|known| same(known, word)) {
            let mut shown = listed(&JSON);
            let hidden = ["json", "root"].map(|name| ShownColumn {
                name: name.to_owned(),
                hidden: true,
                ..ShownColumn::default()
            });
            shown.columns.extend(hidden);
            if self.is_run() {
                let detail = "malformed JSON".to_owned();
                self.doubts.push(Refusal { reason: Reason::Misused, detail });
            }
            return Ok(shown);
        }
        let optional = OPTIONAL_ROWS.contains(&word.to_ascii_lowercase().as_str());
        if optional && self.is_run() && self.schema.find(name).is_none() {
            self.doubts.push(Refusal::missing("table", name));
        }
        // sqlite.org/releaselog/3_51_0.html
        let newer = ["jsonb_each", "jsonb_tree"].iter().any(|known| same(known, word));
        if newer && self.is_run() && !self.schema.server.version.at_least(3, 51, 0) {
            return Err(Refusal::missing("table", name));
        }
        if is_rows(word) {
            return Ok(Shown::unknown());
        }
        match self.relation(name)? {
            Some(found) if found.kind != RelationKind::Foreign => {
                refused(Reason::Misused, format!("'{word}' is not a function"))
            }
            Some(_) | None => Ok(Shown::unknown()),
        }
    }

    /// INDEXED BY names an index of the table.
    pub(super) fn indexed_by(&mut self, table: &Name, index: &str) -> Checked<()> {
        let Some(relation) = self.schema.relation(table) else { return Ok(()) };
        let there = relation.indexes.iter().find(|found| same(&found.name, index));
        if self.is_run() && there.is_some_and(|found| found.predicate.is_some()) {
            let detail = "no query solution".to_owned();
            self.doubts.push(Refusal { reason: Reason::Misused, detail });
        }
        if there.is_some() || !relation.complete {
            return Ok(());
        }
        Err(Refusal::missing("index", index))
    }
}

/// A virtual table of text search has columns that `*` leaves out (sqlite.org/fts5.html, section
/// 4.1; sqlite.org/fts3.html, section 1.4).
fn shown_by_module(relation: &Relation) -> Shown {
    let module = relation.access_method.as_deref().unwrap_or("");
    let hidden: &[&str] = match module {
        "fts5" => &["rank"],
        "fts3" | "fts4" => &["docid", "content", "__langid"],
        "rtree" | "rtree_i32" => &[],
        _ => return Shown::unknown(),
    };
    let column = |name: &str, hidden| ShownColumn {
        name: name.to_owned(),
        hidden,
        ..ShownColumn::default()
    };
    let mut columns: Vec<ShownColumn> =
        relation.columns.iter().map(|own| column(&own.name, false)).collect();
    if columns.is_empty() {
        return Shown::unknown();
    }
    if !hidden.is_empty() {
        columns.push(column(&relation.name.name, true));
    }
    columns.extend(hidden.iter().map(|name| column(name, true)));
    Shown { columns, complete: true, rowid: true }
}

fn listed(names: &[&str]) -> Shown {
    let column = |name: &&str| ShownColumn { name: (*name).to_owned(), ..ShownColumn::default() };
    Shown { columns: names.iter().map(column).collect(), complete: true, rowid: true }
}

fn is_rows(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with("pragma_")
        || ["json_each", "json_tree", "jsonb_each", "jsonb_tree"].contains(&lower.as_str())
        || OPTIONAL_ROWS.contains(&lower.as_str())
}

/// Says whether a name means the table of all definitions.
fn is_catalog(name: &str) -> bool {
    ["sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema"]
        .iter()
        .any(|own| same(own, name))
}

/// Says whether a name is one of the server's own tables, which may be there or not.
fn is_own(name: &str) -> bool {
    name.get(..7).is_some_and(|start| same(start, "sqlite_"))
}
