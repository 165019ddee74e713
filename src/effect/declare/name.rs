//! Names of new objects: their length, their words, whether they are qualified.

use super::Teller;
use crate::effect::TableState;
use crate::sql::ast::{CreateSchema, ObjectKind, Rename};
use crate::sql::{Ident, ObjectName, ServerKind, ident_if_needed};

impl Teller<'_> {
    /// Tells the name of a new object that stands by itself.
    pub(super) fn named(&mut self, what: &'static str, object: ObjectKind, name: &ObjectName) {
        let full = self.full(name).to_string();
        self.tell(what, object, full.clone(), name.name());
        let places = matches!(self.kind(), ServerKind::Postgres);
        if places && name.schema().is_none() && object != ObjectKind::Index {
            self.tell("unqualified-name", object, full.clone(), name.name());
        }
        if let Some(last) = name.parts.last() {
            self.identifier(object, &full, last);
        }
    }

    /// Tells the name of a part of a table: a column, a constraint, an index.
    pub(super) fn part(
        &mut self,
        what: &'static str,
        object: ObjectKind,
        table: &str,
        name: &Ident,
        state: TableState,
    ) {
        let full = format!("{table}.{name}");
        self.add(what, object, full.clone(), name.as_str(), None, state);
        self.identifier(object, &full, name);
    }

    /// Tells what is remarkable about any new name.
    pub(super) fn identifier(&mut self, object: ObjectKind, full: &str, name: &Ident) {
        let text = name.as_str();
        let state = TableState::Existing;
        // PostgreSQL cuts names at 63 bytes (manual, 4.1.1); MySQL and MariaDB refuse more than
        // 64 characters (manual, "Identifier Length Limits"); SQLite has no limit.
        let (length, limit) = match self.kind() {
            ServerKind::Postgres => (text.len(), 63),
            ServerKind::Mysql | ServerKind::Mariadb => (text.chars().count(), 64),
            ServerKind::Sqlite => (0, usize::MAX),
        };
        let full = full.to_owned();
        let number = u64::try_from(length).ok();
        if length > limit {
            self.add("identifier-too-long", object, full.clone(), text, number, state);
        }
        self.add("identifier", object, full.clone(), text, number, state);
        // What needs no quotes but for a reserved word.
        let plain = text.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit());
        let lower = text.to_ascii_lowercase();
        if plain && ident_if_needed(self.kind(), &lower) != lower {
            self.add("reserved-word", object, full, text, None, state);
        }
    }

    /// `RENAME`: the new name is a name like any other.
    pub(super) fn rename(&mut self, rename: &Rename) {
        for (_, to) in &rename.pairs {
            let known = [
                (ObjectKind::Table, "table-name"),
                (ObjectKind::Index, "index-name"),
                (ObjectKind::Sequence, "sequence-name"),
                (ObjectKind::Schema, "schema-name"),
                (ObjectKind::View, "view-name"),
            ];
            let Some(&(_, what)) = known.iter().find(|(object, _)| *object == rename.object) else {
                continue;
            };
            let full = self.full(to).to_string();
            self.tell(what, rename.object, full.clone(), to.name());
            if let Some(last) = to.parts.last() {
                self.identifier(rename.object, &full, last);
            }
        }
    }

    /// `CREATE SCHEMA`.
    pub(super) fn create_schema(&mut self, create: &CreateSchema) {
        if let Some(name) = &create.name {
            self.tell("schema-name", ObjectKind::Schema, name.value.clone(), name.as_str());
            self.identifier(ObjectKind::Schema, name.as_str(), name);
        }
    }
}
