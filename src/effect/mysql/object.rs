//! Views, triggers, routines, events, databases: definitions that lock little, and what drops them.
//!
//! MySQL manual, Statements That Cause an Implicit Commit and the page of each statement, MariaDB
//! the same; measured on MariaDB 10.11, 11.8 and MySQL 9.7, testdata/servers.

use super::{Scene, same};
use crate::effect::During;
use crate::schema::{Relation, RelationKind};
use crate::sql::ObjectName;
use crate::sql::ast::{
    CreateEvent, CreateRoutine, CreateSchema, CreateTrigger, CreateView, Drop, ObjectKind, Query,
    Set, StatementKind,
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
        } else if view.options.iter().any(|(option, _)| option == "alter") {
            let _ = self.table(&view.name);
        }
        for read in &view.query.reads {
            let _ = self.table(read);
        }
        let listed = view.options.iter().find(|(option, _)| option == "selected");
        if let Some((_, selected)) = listed
            && *selected != view.columns.len().to_string()
        {
            let detail = "the view's column list and the query have different column counts";
            self.told.fails("type-mismatch", "1353", detail.to_owned());
        }
        self.selected_columns(&view.query);
    }

    /// Tells of a query whose columns are none of the one table that it reads.
    pub(super) fn selected_columns(&mut self, query: &Query) {
        let [read] = query.reads.as_slice() else { return };
        let Some(source) = self.schema().find(read) else { return };
        if !source.complete || query.star || !query.functions.is_empty() {
            return;
        }
        // Words may be aliases too: only a query without any known column is surely wrong.
        let none = !query.columns.is_empty()
            && query.columns.iter().all(|word| source.column_any_case(word).is_none());
        if none {
            let detail = "unknown column in the field list of the query".to_owned();
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
        self.assigned_columns(trigger, known);
        let full = format!("{name}.{written}");
        self.told.breaks("new-trigger", ObjectKind::Trigger, full, &name);
        self.exclusive(&name, "create-trigger", During::Instant);
        self.relatives(&name, "create-trigger");
    }

    /// A trigger sets columns of the new row, before it is stored.
    #[expect(clippy::wildcard_enum_match_arm, reason = "assignments are looked for")]
    fn assigned_columns(&mut self, trigger: &CreateTrigger, table: Option<&Relation>) {
        let sets = trigger.statements.iter().filter_map(|statement| match &statement.kind {
            StatementKind::Set(set) => Some(set),
            _ => None,
        });
        for set in sets.flat_map(Set::each) {
            let Some((row, column)) = set.name.split_once('.') else { continue };
            let late = trigger.timing == "after";
            if row == "old" || row == "new" && late {
                let detail =
                    format!("updating of {row} row is not allowed in a trigger {}", trigger.timing);
                self.told.fails("trigger-misuse", "1362", detail);
                self.does_not_commit();
            } else if row == "new"
                && table.is_some_and(|t| t.complete && t.column_any_case(column).is_none())
            {
                let detail = format!("unknown column '{column}' in 'NEW'");
                self.told.fails("missing-column", "1054", detail);
            }
        }
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
                _ => self.drop_unknown(statement),
            }
        }
    }

    /// Accounts, servers, tablespaces and sequences are not modelled: they may be missing.
    #[expect(clippy::wildcard_enum_match_arm, reason = "objects without a model")]
    fn drop_unknown(&mut self, statement: &Drop) {
        let (code, what) = match statement.object {
            ObjectKind::Role => ("1396", "account"),
            ObjectKind::Server => ("1477", "server"),
            ObjectKind::Tablespace => ("3510", "tablespace"),
            ObjectKind::Sequence => ("4091", "sequence"),
            _ => return,
        };
        if !statement.if_exists {
            self.told.may_fail("missing-object", code, format!("fails if there is no such {what}"));
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
        if !known && !statement.if_exists {
            let detail = format!("can't drop database '{name}': it doesn't exist");
            if schema.complete && !schema.schemas.is_empty() {
                return self.told.fails("missing-object", "1008", detail);
            }
            self.told.may_fail("missing-object", "1008", detail);
        }
        self.told.loses(ObjectKind::Schema, name.to_string(), true, &full);
        self.told.breaks("drop-object", ObjectKind::Schema, name.to_string(), &full);
        for table in tables {
            self.told.loses_too(ObjectKind::Table, table.to_string(), true, &table);
            self.exclusive(&table, "drop-table", During::Instant);
        }
    }
}
