//! Views, triggers, routines, events, databases: definitions that lock little.
//!
//! MySQL manual, Statements That Cause an Implicit Commit and the page of each statement, MariaDB
//! the same; measured on MariaDB 10.11, 11.8 and MySQL 9.7, testdata/servers.

use super::{Scene, same};
use crate::effect::During;
use crate::schema::RelationKind;
use crate::sql::ObjectName;
use crate::sql::ast::{
    CreateEvent, CreateRoutine, CreateSchema, CreateTrigger, CreateView, Drop, ObjectKind, Other,
};

impl Scene<'_> {
    /// What a view reads has to be there; it waits for nobody who reads it.
    pub(super) fn create_view(&mut self, view: &CreateView) {
        self.commits();
        let name = self.schema().new_name(&view.name);
        if let Some(old) = self.schema().relation(&name) {
            if old.kind != RelationKind::View {
                let code = if view.or_replace { "1347" } else { "1050" };
                let detail = format!("'{name}' is not a view");
                self.told.fails("wrong-object-kind", code, detail);
            } else if view.or_replace {
                self.told.breaks("replace-view", ObjectKind::View, name.to_string(), &name);
                self.exclusive(&name, "create-view", During::Instant);
            } else if !view.if_not_exists {
                let detail = format!("table '{name}' already exists");
                self.told.fails("duplicate-object", "1050", detail);
            }
        }
        for read in &view.query.reads {
            let _ = self.table(read);
        }
        self.view_columns(view);
    }

    fn view_columns(&mut self, view: &CreateView) {
        let [read] = view.query.reads.as_slice() else { return };
        let Some(source) = self.schema().find(read) else { return };
        if !source.complete || view.query.star || !view.query.functions.is_empty() {
            return;
        }
        // Words may be aliases too: only a view without any known column is surely wrong.
        let none = !view.query.columns.is_empty()
            && view.query.columns.iter().all(|word| source.column_any_case(word).is_none());
        if none {
            let detail = "unknown column in the field list of the view".to_owned();
            self.told.may_fail("missing-column", "1054", detail);
        }
    }

    /// The table is locked exclusively: CREATE TRIGGER waits for its readers.
    pub(super) fn create_trigger(&mut self, trigger: &CreateTrigger) {
        self.commits();
        let known = self.table(&trigger.table);
        if known.is_none() && self.schema().is_absent(&trigger.table) {
            return;
        }
        let name = self.schema().resolve(&trigger.table);
        let written = trigger.name.name();
        let there = self
            .schema()
            .relations
            .values()
            .any(|found| found.triggers.iter().any(|t| same(&t.name, written)));
        if there && !trigger.or_replace {
            if !trigger.if_not_exists {
                let detail = format!("trigger '{written}' already exists");
                self.told.fails("duplicate-object", "1359", detail);
            }
            if trigger.if_not_exists {
                self.exclusive(&name, "create-trigger", During::Instant);
            }
            return;
        }
        if known.is_some_and(|found| found.kind == RelationKind::View) {
            let detail = format!("'{name}' is not a base table");
            self.told.fails("wrong-object-kind", "1347", detail);
        }
        let full = format!("{name}.{written}");
        self.told.breaks("new-trigger", ObjectKind::Trigger, full, &name);
        self.exclusive(&name, "create-trigger", During::Instant);
        self.relatives(&name, "create-trigger");
    }

    /// Bodies are not looked at: what they name may be missing.
    pub(super) fn create_routine(&mut self, routine: &CreateRoutine) {
        self.commits();
        let name = self.schema().new_name(&routine.name);
        let there = self
            .schema()
            .routines
            .get(&name)
            .is_some_and(|found| found.iter().any(|old| old.procedure == routine.procedure));
        if there && !routine.or_replace && !routine.if_not_exists {
            let detail = format!("'{name}' already exists");
            self.told.fails("duplicate-object", "1304", detail);
        }
    }

    pub(super) fn create_event(&mut self, event: &CreateEvent) {
        self.commits();
        let name = self.schema().new_name(&event.name);
        let there = self.schema().others.contains_key(&(ObjectKind::Event.as_str(), name.clone()));
        if there && !event.or_replace && !event.if_not_exists {
            let detail = format!("event '{name}' already exists");
            self.told.fails("duplicate-object", "1537", detail);
        }
    }

    pub(super) fn create_schema(&mut self, create: &CreateSchema) {
        self.commits();
        let Some(name) = &create.name else { return };
        if self.schema().schemas.contains_key(name.as_str()) && !create.if_not_exists {
            let detail = format!("can't create database '{name}': it exists");
            self.told.fails("duplicate-object", "1007", detail);
        }
    }

    /// DROP of what has neither rows nor a table of its own.
    #[expect(clippy::wildcard_enum_match_arm, reason = "objects without a model")]
    pub(super) fn drop_object(&mut self, statement: &Drop) {
        for name in &statement.names {
            match statement.object {
                ObjectKind::Trigger => self.drop_trigger(statement, name),
                ObjectKind::Schema | ObjectKind::Database => self.drop_database(statement, name),
                ObjectKind::Function | ObjectKind::Procedure => {
                    self.drop_routine(statement, name);
                }
                ObjectKind::Event => self.drop_event(statement, name),
                _ => {}
            }
        }
    }

    fn drop_trigger(&mut self, statement: &Drop, name: &ObjectName) {
        let schema = self.schema();
        let has = |t: &crate::schema::Trigger| same(&t.name, name.name());
        let owner = schema.relations.values().find(|found| found.triggers.iter().any(has));
        match owner {
            Some(owner) => {
                let full = format!("{}.{}", owner.name, name.name());
                self.told.loses(ObjectKind::Trigger, full, false, &owner.name);
                self.exclusive(&owner.name, "drop-trigger", During::Instant);
                self.relatives(&owner.name, "drop-trigger");
            }
            None if schema.complete && !statement.if_exists => {
                let detail = format!("trigger '{name}' does not exist");
                self.told.fails("missing-object", "1360", detail);
            }
            None => {}
        }
    }

    fn drop_routine(&mut self, statement: &Drop, name: &ObjectName) {
        let schema = self.schema();
        match schema.find_routines(name) {
            Some((full, _)) => {
                let object = statement.object;
                self.told.loses(object, full.to_string(), false, &full);
                self.told.breaks("drop-function", object, full.to_string(), &full);
            }
            None if schema.complete && !statement.if_exists => {
                let detail = format!("'{name}' does not exist");
                self.told.fails("missing-object", "1305", detail);
            }
            None => {}
        }
    }

    fn drop_event(&mut self, statement: &Drop, name: &ObjectName) {
        let schema = self.schema();
        let full = schema.new_name(name);
        let there = schema.others.contains_key(&(ObjectKind::Event.as_str(), full));
        if !there && schema.complete && !statement.if_exists {
            let detail = format!("unknown event '{name}'");
            self.told.fails("missing-object", "1539", detail);
        }
    }

    /// CALL and ALTER PROCEDURE want a procedure that is there.
    pub(super) fn existing_routine(&mut self, name: &ObjectName) {
        if self.schema().complete && self.schema().find_routines(name).is_none() {
            let detail = format!("procedure '{name}' does not exist");
            self.told.fails("missing-object", "1305", detail);
        }
    }

    fn drop_database(&mut self, statement: &Drop, name: &ObjectName) {
        let schema = self.schema();
        let inside = |full: &&crate::schema::Name| full.schema == name.name();
        let tables: Vec<_> = schema.relations.keys().filter(inside).cloned().collect();
        let known = schema.schemas.contains_key(name.name()) || !tables.is_empty();
        let full = crate::schema::Name::new("", name.name());
        if !known && schema.complete && !schema.schemas.is_empty() && !statement.if_exists {
            let detail = format!("can't drop database '{name}': it doesn't exist");
            self.told.fails("missing-object", "1008", detail);
            return;
        }
        self.told.loses(ObjectKind::Schema, name.to_string(), true, &full);
        self.told.breaks("drop-object", ObjectKind::Schema, name.to_string(), &full);
        for table in tables {
            self.told.loses_too(ObjectKind::Table, table.to_string(), true, &table);
            self.exclusive(&table, "drop-table", During::Instant);
        }
    }

    /// Users, roles, databases and the like: all of them commit.
    pub(super) fn other(&mut self, other: &Other) {
        let words =
            ["create-", "alter-", "drop-", "rename-", "set-password", "install-", "uninstall-"];
        if words.iter().any(|start| other.what.starts_with(start)) || other.what == "flush" {
            self.commits();
        }
    }
}
