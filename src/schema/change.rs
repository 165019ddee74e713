//! Changes to a schema, and how a ROLLBACK takes them back.
//!
//! Every change goes through the functions here. While a transaction is open, the first change of
//! an object keeps a copy of it, so that a ROLLBACK costs what the transaction changed and a
//! history without one costs nothing but these copies.

use std::collections::BTreeSet;

use super::model::{
    Name, Origin, OtherObject, Publication, Relation, RelationKind, Routine, Schema, Type,
};
use crate::sql::Server;

/// Adds to a list of the model. Lists grow seldom and are kept for long, so little room is left.
pub(super) fn add<T>(list: &mut Vec<T>, one: T) {
    if list.len() == list.capacity() {
        list.reserve_exact(1 + list.len() / 4);
    }
    list.push(one);
}

/// A transaction or savepoint that is open, and how to undo it.
#[derive(Debug, Clone, Default)]
pub(super) struct Level {
    /// The name of a savepoint; none for the transaction itself.
    savepoint: Option<String>,
    /// What stood there before, latest last.
    undo: Vec<Undo>,
    /// Relations that this level has a copy of.
    kept: BTreeSet<Name>,
    /// The search path to return to when `SET LOCAL` changed it.
    outer_path: Option<Vec<String>>,
}

/// One object as it was.
#[derive(Debug, Clone)]
enum Undo {
    Relation(Name, Option<Box<Relation>>),
    IndexTable(Name, Option<Name>),
    Type(Name, Option<Box<Type>>),
    Routines(Name, Option<Vec<Routine>>),
    Schema(String, Option<Origin>),
    Extension(String, Option<Origin>),
    Publication(String, Option<Publication>),
    Other((&'static str, Name), Option<OtherObject>),
    Gone(Name, Option<Origin>),
    SearchPath(Vec<String>),
}

impl Schema {
    /// Returns an empty schema; `complete` says whether a server with nothing in it is meant.
    pub fn new(server: Server, complete: bool) -> Self {
        let home = server.kind.default_schema().to_owned();
        Self {
            server,
            complete,
            search_path: vec![home.clone()],
            session_path: vec![home],
            relations: Default::default(),
            index_tables: Default::default(),
            types: Default::default(),
            routines: Default::default(),
            schemas: Default::default(),
            extensions: Default::default(),
            publications: Default::default(),
            others: Default::default(),
            gone: Default::default(),
            drawn: false,
            migration: 0,
            referrers: Default::default(),
            type_parts: Default::default(),
            levels: Vec::new(),
        }
    }

    /// Starts the next migration, in a session of its own.
    pub fn next_migration(&mut self) {
        self.migration += 1;
        self.levels.clear();
        self.drawn = false;
        self.search_path.clone_from(&self.session_path);
        self.settle_enums();
    }

    /// Returns the origin of what is made now.
    pub fn origin(&self) -> Origin {
        Origin::Migration(self.migration)
    }

    /// Makes the enum values that this transaction added usable.
    pub(super) fn settle_enums(&mut self) {
        for kind in self.types.values_mut().map(|found| &mut found.kind) {
            if let super::model::TypeBody::Enum { fresh, .. } = kind {
                fresh.clear();
            }
        }
    }

    /// Opens a transaction, or a savepoint inside one.
    pub(super) fn open_level(&mut self, savepoint: Option<String>) {
        if savepoint.is_none() {
            self.levels.clear();
        }
        self.levels.push(Level { savepoint, ..Level::default() });
    }

    /// Commits the transaction.
    pub(super) fn commit(&mut self) {
        let path = self.levels.iter_mut().find_map(|level| level.outer_path.take());
        self.levels.clear();
        if let Some(path) = path {
            self.search_path = path;
        }
        self.settle_enums();
    }

    /// Takes back the whole transaction; nothing happens where none was opened in view.
    pub(super) fn roll_back(&mut self) {
        while let Some(level) = self.levels.pop() {
            self.undo(level);
        }
    }

    /// Takes back what happened since a savepoint, which stays open.
    pub(super) fn roll_back_to(&mut self, savepoint: &str) {
        let named = |level: &Level| level.savepoint.as_deref() == Some(savepoint);
        let Some(at) = self.levels.iter().rposition(named) else { return };
        while self.levels.len() > at {
            if let Some(level) = self.levels.pop() {
                self.undo(level);
            }
        }
        self.open_level(Some(savepoint.to_owned()));
    }

    /// Forgets a savepoint and keeps what happened since.
    pub(super) fn release(&mut self, savepoint: &str) {
        let named = |level: &Level| level.savepoint.as_deref() == Some(savepoint);
        let Some(at) = self.levels.iter().rposition(named) else { return };
        for inner in self.levels.split_off(at) {
            if let Some(outer) = self.levels.last_mut() {
                outer.undo.extend(inner.undo);
                outer.outer_path = outer.outer_path.take().or(inner.outer_path);
            }
        }
    }

    fn undo(&mut self, level: Level) {
        for step in level.undo.into_iter().rev() {
            match step {
                Undo::Relation(name, before) => {
                    restore(&mut self.relations, name, before);
                }
                Undo::IndexTable(name, before) => restore(&mut self.index_tables, name, before),
                Undo::Type(name, before) => restore(&mut self.types, name, before.map(|b| *b)),
                Undo::Routines(name, before) => restore(&mut self.routines, name, before),
                Undo::Schema(name, before) => restore(&mut self.schemas, name, before),
                Undo::Extension(name, before) => restore(&mut self.extensions, name, before),
                Undo::Publication(name, before) => restore(&mut self.publications, name, before),
                Undo::Other(name, before) => restore(&mut self.others, name, before),
                Undo::Gone(name, before) => restore(&mut self.gone, name, before),
                Undo::SearchPath(path) => self.search_path = path,
            }
        }
        if let Some(path) = level.outer_path {
            self.search_path = path;
        }
    }

    fn keep(&mut self, step: impl FnOnce(&Self) -> Undo) {
        if self.levels.is_empty() {
            return;
        }
        let step = step(self);
        if let Some(level) = self.levels.last_mut() {
            level.undo.push(step);
        }
    }

    fn keep_relation(&mut self, name: &Name) {
        let kept = self.levels.last().is_none_or(|level| level.kept.contains(name));
        if kept {
            return;
        }
        let before = self.relations.get(name).cloned();
        if let Some(level) = self.levels.last_mut() {
            level.kept.insert(name.clone());
            level.undo.push(Undo::Relation(name.clone(), before));
        }
    }

    /// Returns a relation to change.
    pub fn relation_mut(&mut self, name: &Name) -> Option<&mut Relation> {
        self.keep_relation(name);
        self.relations.get_mut(name).map(Box::as_mut)
    }

    /// Returns a relation to change; one that nobody was seen making is assumed to be a table.
    pub fn relation_or_assumed(&mut self, name: &Name) -> &mut Relation {
        self.keep_relation(name);
        self.relations.entry(name.clone()).or_insert_with(|| Box::new(assumed(name)))
    }

    /// Takes a relation out, hands it over together with the rest, and puts it back.
    ///
    /// One that nobody was seen making is assumed to be a table.
    pub fn edit<R>(&mut self, name: &Name, change: impl FnOnce(&Self, &mut Relation) -> R) -> R {
        self.keep_relation(name);
        let mut relation = self.relations.remove(name).unwrap_or_else(|| Box::new(assumed(name)));
        let before: Vec<String> = relation.indexes.iter().map(|i| i.name.clone()).collect();
        let result = change(self, &mut relation);
        for index in before.into_iter().filter(|index| relation.index(index).is_none()) {
            self.set_index_table(Name::new(name.schema.clone(), index), None);
        }
        self.put(relation);
        result
    }

    /// Puts a relation in, and notes what it mentions.
    pub fn put_relation(&mut self, relation: Relation) {
        self.put(Box::new(relation));
    }

    fn put(&mut self, mut relation: Box<Relation>) {
        self.share_types(&mut relation);
        let name = relation.name.clone();
        self.keep_relation(&name);
        self.forget_gone(&name);
        for mentioned in relation.mentions() {
            self.note_mention(&mentioned, &name);
        }
        // Index names are the table's own in MySQL and MariaDB.
        let named =
            if self.server.kind.is_mysql_family() { &[] } else { relation.indexes.as_slice() };
        for index in named {
            let full = self.key(&Name::new(name.schema.clone(), index.name.clone()));
            if self.index_tables.get(&full) != Some(&name) {
                self.set_index_table(full, Some(name.clone()));
            }
        }
        self.relations.insert(name, relation);
    }

    /// Lets columns of one type share what it is made of: a schema has many columns of few types.
    fn share_types(&mut self, relation: &mut Relation) {
        for data_type in relation.columns.iter_mut().filter_map(|found| found.data_type.as_mut()) {
            match self.type_parts.get(&data_type.parts) {
                Some(known) => data_type.parts = known.clone(),
                None => drop(self.type_parts.insert(data_type.parts.clone())),
            }
        }
    }

    /// Takes a relation out with its indexes and notes that it is gone.
    pub fn take_relation(&mut self, name: &Name) -> Option<Relation> {
        self.keep_relation(name);
        let relation = self.relations.remove(name);
        for index in relation.iter().flat_map(|found| &found.indexes) {
            self.set_index_table(Name::new(name.schema.clone(), index.name.clone()), None);
        }
        self.note_gone(name.clone());
        relation.map(|relation| *relation)
    }

    /// Notes that one relation mentions another.
    pub fn note_mention(&mut self, mentioned: &Name, by: &Name) {
        let known = self.referrers.entry(mentioned.clone()).or_default();
        if let Err(place) = known.binary_search(by) {
            known.reserve_exact(1 + known.len() / 4);
            known.insert(place, by.clone());
        }
    }

    /// Says to which table an index belongs; none takes it out.
    pub fn set_index_table(&mut self, index: Name, table: Option<Name>) {
        self.keep(|schema| {
            Undo::IndexTable(index.clone(), schema.index_tables.get(&index).cloned())
        });
        restore(&mut self.index_tables, index, table);
    }

    /// Puts in or takes out a type.
    pub fn set_type(&mut self, name: Name, body: Option<Type>) {
        self.keep(|schema| {
            Undo::Type(name.clone(), schema.types.get(&name).cloned().map(Box::new))
        });
        restore(&mut self.types, name, body);
    }

    /// Returns a type to change.
    pub fn type_mut(&mut self, name: &Name) -> Option<&mut Type> {
        self.keep(|schema| Undo::Type(name.clone(), schema.types.get(name).cloned().map(Box::new)));
        self.types.get_mut(name)
    }

    /// Puts in or takes out the routines of a name.
    pub fn set_routines(&mut self, name: Name, routines: Option<Vec<Routine>>) {
        self.keep(|schema| Undo::Routines(name.clone(), schema.routines.get(&name).cloned()));
        restore(&mut self.routines, name, routines);
    }

    /// Puts in or takes out a schema.
    pub fn set_schema(&mut self, name: String, origin: Option<Origin>) {
        self.keep(|schema| Undo::Schema(name.clone(), schema.schemas.get(&name).copied()));
        restore(&mut self.schemas, name, origin);
    }

    /// Puts in or takes out an extension.
    pub fn set_extension(&mut self, name: String, origin: Option<Origin>) {
        self.keep(|schema| Undo::Extension(name.clone(), schema.extensions.get(&name).copied()));
        restore(&mut self.extensions, name, origin);
    }

    /// Puts in or takes out a publication.
    pub fn set_publication(&mut self, name: String, publication: Option<Publication>) {
        self.keep(|schema| {
            Undo::Publication(name.clone(), schema.publications.get(&name).cloned())
        });
        restore(&mut self.publications, name, publication);
    }

    /// Puts in or takes out an object of another kind.
    pub fn set_other(&mut self, kind: &'static str, name: Name, origin: Option<Origin>) {
        let object = origin.map(|origin| OtherObject { origin, of: String::new() });
        self.set_other_object(kind, name, object);
    }

    /// Puts in or takes out an object of another kind, with what it is made of.
    pub fn set_other_object(
        &mut self,
        kind: &'static str,
        name: Name,
        object: Option<OtherObject>,
    ) {
        let key = (kind, name);
        self.keep(|schema| Undo::Other(key.clone(), schema.others.get(&key).cloned()));
        restore(&mut self.others, key, object);
    }

    /// Notes that an object is known to be absent.
    pub fn note_gone(&mut self, name: Name) {
        self.keep(|schema| Undo::Gone(name.clone(), schema.gone.get(&name).copied()));
        let origin = self.origin();
        self.gone.insert(name, origin);
    }

    /// Notes that an object is there again, though nothing else is known of it.
    pub(super) fn forget_gone(&mut self, name: &Name) {
        if self.gone.contains_key(name) {
            self.keep(|schema| Undo::Gone(name.clone(), schema.gone.get(name).copied()));
            self.gone.remove(name);
        }
    }

    /// Changes where unqualified names are looked for.
    pub fn set_search_path(&mut self, path: Vec<String>, local: bool) {
        if local {
            let before = self.search_path.clone();
            if let Some(level) = self.levels.first_mut() {
                level.outer_path.get_or_insert(before);
            }
        } else {
            self.keep(|schema| Undo::SearchPath(schema.search_path.clone()));
        }
        self.search_path = path;
    }
}

/// A relation that nobody was seen making.
fn assumed(name: &Name) -> Relation {
    Relation::new(name.clone(), RelationKind::Table, Origin::Assumed)
}

fn restore<K: Ord, V>(map: &mut std::collections::BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}
