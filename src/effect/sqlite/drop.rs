//! DROP TABLE, INDEX, VIEW and TRIGGER.
//!
//! sqlite.org/lang_droptable.html; measured on SQLite 3.40 to 3.54, testdata/servers/sqlite.

use super::{SQL_ERROR, Scene, is_reserved, same};
use crate::effect::During;
use crate::schema::{Name, Relation, RelationKind};
use crate::sql::ObjectName;
use crate::sql::ast::{Drop, ObjectKind};

impl Scene<'_> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the grammar has these four")]
    pub(super) fn drop(&mut self, statement: &Drop) {
        for name in &statement.names {
            match statement.object {
                ObjectKind::Table => self.drop_relation(statement, name, false),
                ObjectKind::View => self.drop_relation(statement, name, true),
                ObjectKind::Index => self.drop_index(statement, name),
                ObjectKind::Trigger => self.drop_trigger(statement, name),
                _ => {}
            }
        }
    }

    fn missing(&mut self, statement: &Drop, what: &str, name: &ObjectName) {
        if !statement.if_exists {
            let detail = format!("no such {what}: {name}");
            self.told.fails("missing-object", SQL_ERROR, detail);
        }
    }

    fn drop_relation(&mut self, statement: &Drop, name: &ObjectName, view: bool) {
        let what = if view { "view" } else { "table" };
        let lower = name.name().to_ascii_lowercase();
        let free = ["sqlite_stat", "sqlite_parameters"].iter().any(|own| lower.starts_with(own));
        if is_reserved(&lower) && !free {
            if self.schema().is_absent(name) && !Self::is_catalog(name) {
                self.missing(statement, what, name);
            } else {
                let detail = format!("table {} may not be dropped", name.name());
                self.told.fails("wrong-object-kind", SQL_ERROR, detail);
            }
            return;
        }
        let full = self.schema().resolve(name);
        let Some(found) = self.schema().find(name) else {
            if self.schema().is_absent(name) || self.schema().find_index(name).is_some() {
                self.missing(statement, what, name);
                return;
            }
            if !statement.if_exists {
                self.may_miss(name);
            }
            self.told.loses(statement.object, full.to_string(), !view, &full);
            self.told.breaks(
                if view { "drop-view" } else { "drop-table" },
                statement.object,
                full.to_string(),
                &full,
            );
            self.locks(&full, if view { "drop-view" } else { "drop-table" }, During::Instant);
            return;
        };
        if (found.kind == RelationKind::View) != view {
            let other = if view { "TABLE" } else { "VIEW" };
            let detail =
                format!("use DROP {other} to delete {} {}", other.to_lowercase(), found.name.name);
            self.told.fails("wrong-object-kind", SQL_ERROR, detail);
            return;
        }
        let (how, cause) =
            if view { ("drop-view", "drop-view") } else { ("drop-table", "drop-table") };
        if !view {
            // With foreign keys on, DROP TABLE deletes the rows first, and their children feel it
            // (sqlite.org/foreignkeys.html, section 5).
            self.cascaded(&full, false);
            self.lose_shadows(found);
        }
        for trigger in &found.triggers {
            let trigger = format!("{full}.{}", trigger.name);
            self.told.loses_too(ObjectKind::Trigger, trigger, false, &full);
        }
        self.told.loses(statement.object, full.to_string(), !view, &full);
        self.told.breaks(how, statement.object, full.to_string(), &full);
        self.broken_views(&full);
        self.locks(&full, cause, During::Instant);
    }

    /// The tables in which a virtual table keeps its rows go with it (sqlite.org/fts5.html, section
    /// 9; sqlite.org/rtree.html, section 6.1).
    fn lose_shadows(&mut self, table: &Relation) {
        for shadow in table.shadows() {
            let name = format!("{}_{shadow}", table.name);
            self.told.loses_too(ObjectKind::Table, name, true, &table.name);
        }
    }

    /// A view that names something gone stays, and blocks DROP COLUMN and RENAME everywhere.
    fn broken_views(&mut self, gone: &Name) {
        let schema = self.schema();
        for view in schema.referrers(gone).filter(|found| found.kind == RelationKind::View) {
            if view.reads.iter().any(|(read, _)| read == gone) {
                self.told.leaves("view-broken", view.name.to_string(), &view.name);
            }
        }
    }

    fn drop_index(&mut self, statement: &Drop, name: &ObjectName) {
        let schema = self.schema();
        let automatic = name.name().to_ascii_lowercase().starts_with("sqlite_autoindex_");
        if automatic && (schema.find_index(name).is_some() || !schema.complete) {
            let text = "index associated with UNIQUE or PRIMARY KEY constraint cannot be dropped";
            self.told.fails("dependents-exist", SQL_ERROR, text.to_owned());
            return;
        }
        let full = schema.resolve_index(name);
        let Some((_, table, _)) = schema.find_index(name) else {
            if schema.is_absent(name) || schema.find(name).is_some() {
                self.missing(statement, "index", name);
            } else {
                self.told.loses(ObjectKind::Index, full.to_string(), false, &full);
                self.locks(&Self::catalog(), "drop-index", During::Instant);
            }
            return;
        };
        self.told.loses(ObjectKind::Index, full.to_string(), false, &table.name);
        self.told.breaks("drop-index", ObjectKind::Index, full.to_string(), &table.name);
        self.locks(&table.name, "drop-index", During::Instant);
    }

    fn drop_trigger(&mut self, statement: &Drop, name: &ObjectName) {
        let schema = self.schema();
        let has = |t: &crate::schema::Trigger| same(&t.name, name.name());
        let owner = schema.relations.values().find(|found| found.triggers.iter().any(has));
        let Some(owner) = owner else {
            if schema.complete {
                self.missing(statement, "trigger", name);
            }
            return;
        };
        let full = format!("{}.{}", owner.name, name.name());
        self.told.loses(ObjectKind::Trigger, full, false, &owner.name);
        self.locks(&owner.name, "drop-trigger", During::Instant);
    }
}
