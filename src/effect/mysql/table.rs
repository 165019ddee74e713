//! CREATE TABLE, CREATE INDEX, DROP, RENAME TABLE, TRUNCATE.
//!
//! MySQL manual, Data Definition Statements; MariaDB the same where nothing else is said; measured
//! on MariaDB 10.11, 11.8 and MySQL 9.7, testdata/servers.

use super::change::Changes;
use super::decide::Shape;
use super::refuse_expr::Place;
use super::{Scene, same};
use crate::effect::{Algorithm, During, HeldUntil, LockMode, Online, OnlineLock, TransactionRule};
use crate::schema::{Name, Relation, RelationKind, Schema};
use crate::sql::ast::ActionKind;
use crate::sql::ast::{
    AlterTable, ConstraintKind, CreateIndex, CreateTable, Drop, Expr, IndexKind, MyAction,
    ObjectKind, Persistence, Rename, Statement, StatementKind, TableAction, Truncate,
};

impl Scene<'_> {
    pub(super) fn create_table(&mut self, create: &CreateTable) {
        let temporary = create.persistence == Persistence::Temporary;
        if !temporary {
            self.commits();
        }
        let name = self.schema().new_name(&create.name);
        if let Some(old) = self.schema().relation(&name) {
            if create.or_replace {
                self.replaced(old);
            } else if create.if_not_exists {
                return;
            } else if !temporary {
                let detail = format!("table '{name}' already exists");
                self.told.fails("duplicate-object", "1050", detail);
                return;
            }
        }
        self.new_table(create, &name);
        self.sources(create);
        for parent in create_parents(create) {
            let parent = self.schema().resolve(&parent);
            // MariaDB looks at the definition of the parent and waits for nobody.
            let waits = !self.is_mariadb();
            if waits && parent != name && self.schema().relation(&parent).is_some() {
                self.lock_parent(&parent, "create-table-foreign-key");
            }
        }
    }

    /// CREATE OR REPLACE drops the old table with its rows, without asking (MariaDB).
    fn replaced(&mut self, old: &Relation) {
        let name = &old.name;
        self.told.loses(ObjectKind::Table, name.to_string(), true, name);
        self.told.breaks("drop-table", ObjectKind::Table, name.to_string(), name);
        self.exclusive(name, "drop-table", During::Instant);
        self.relatives(name, "drop-table");
    }

    /// Tells what is wrong with the definition, looking at the table it would make.
    fn new_table(&mut self, create: &CreateTable, name: &Name) {
        let mut made = Schema::new(self.schema().server, false);
        let kind = StatementKind::CreateTable(Box::new(CreateTable {
            likes: Vec::new(),
            or_replace: false,
            ..create.clone()
        }));
        made.apply(&Statement { span: self.told.span, kind });
        let Some(table) = made.relation(name).cloned() else { return };
        let start = self.told.span;
        for (at, column) in create.columns.iter().enumerate() {
            self.told.span = column.span;
            let earlier = create.columns.iter().take(at);
            if earlier.into_iter().any(|c| same(c.name.as_str(), column.name.as_str())) {
                let detail = format!("duplicate column name '{}'", column.name);
                self.told.fails("duplicate-parts", "1060", detail);
            }
            self.written_column(column);
            self.column_definition(&table, column);
            self.expressions_of(&table, column);
        }
        for (option, value) in &create.options {
            match option.as_str() {
                "engine" => self.known_engine(value),
                "charset" => self.charset(Some(value), None),
                "collate" => self.charset(None, Some(value)),
                _ => {}
            }
        }
        self.new_keys(create, &table);
        self.told.span = start;
        if create.query.is_none() {
            self.auto_increment_key(&table);
            self.counted_through(&table, &table);
        }
        self.engine_limits(&table, None);
        let empty = Relation::new(name.clone(), RelationKind::Table, table.origin);
        self.row_size(&empty, &table);
        if let Some(by) = &create.partition_by {
            self.partition_keys(&table, by);
        }
        // A query gives columns and no key.
        let keyless = Relation { complete: true, ..table.clone() };
        self.without_primary_key(if create.query.is_some() { &keyless } else { &table });
        let remarks = create.query.is_none()
            && create.likes.is_empty()
            && create.persistence != Persistence::Temporary;
        if remarks && table.primary_key().is_none() {
            self.told.leaves("no-primary-key", name.to_string(), name);
        }
        if create.query.is_some() && table.primary_key().is_none() {
            self.told.leaves("constraints-lost", name.to_string(), name);
        }
    }

    fn new_keys(&mut self, create: &CreateTable, table: &Relation) {
        let mut names: Vec<String> = Vec::new();
        let mut checks = std::collections::BTreeSet::new();
        let mut primaries = 0;
        for column in &create.columns {
            for constraint in &column.constraints {
                self.told.span = constraint.span;
                self.check_of_column(column.name.as_str(), constraint);
            }
        }
        let written = create.columns.iter().flat_map(|column| &column.constraints);
        for constraint in written.chain(&create.constraints) {
            self.told.span = constraint.span;
            match &constraint.kind {
                ConstraintKind::PrimaryKey(key) => {
                    primaries += 1;
                    self.key_parts_of(table, &key.parts, IndexKind::Unique);
                    self.long_primary_key(table, &key.parts);
                }
                ConstraintKind::Unique(key) => {
                    self.key_parts_of(table, &key.parts, IndexKind::Unique);
                    let name = constraint.name.as_ref().or(key.index_name.as_ref());
                    names.extend(name.map(|name| name.value.to_lowercase()));
                }
                ConstraintKind::ForeignKey(key) => self.refused_key(table, key, None),
                ConstraintKind::Check(check) => {
                    let written = constraint.name.as_ref().map(|name| name.value.to_lowercase());
                    if written.is_some_and(|name| !checks.insert(name)) {
                        let code = self.code("1826", "3822");
                        let detail = "duplicate check constraint name".to_owned();
                        self.told.fails("duplicate-object", code, detail);
                    }
                    self.check_of_new(table, check);
                    self.expression(Place::Check, check);
                    if check.has_subquery {
                        let code = self.code("1064", "3815");
                        let detail = "a CHECK may not contain a query".to_owned();
                        self.told.fails("check-with-subquery", code, detail);
                    }
                }
                ConstraintKind::PrimaryKeyUsingIndex(_)
                | ConstraintKind::UniqueUsingIndex(_)
                | ConstraintKind::Exclude(_)
                | ConstraintKind::NotNull(_) => {}
            }
        }
        for index in &create.indexes {
            self.told.span = index.span;
            self.order_of_hash(index);
            self.key_parts_of(table, &index.parts, index.kind);
            names.extend(index.name.as_ref().map(|name| name.value.to_lowercase()));
        }
        if primaries > 1 {
            let detail = "multiple primary key defined".to_owned();
            self.told.fails("duplicate-object", "1068", detail);
        }
        names.sort();
        if names.windows(2).any(|pair| matches!(pair, [left, right] if left == right)) {
            let detail = "duplicate key name".to_owned();
            self.told.fails("duplicate-object", "1061", detail);
        }
    }

    /// The columns that a CHECK names are those of the table.
    fn check_of_new(&mut self, table: &Relation, check: &Expr) {
        let missing = check.columns.iter().find(|word| table.column_any_case(word).is_none());
        if let Some(word) = missing.filter(|_| table.complete) {
            let code = self.code("1054", "3820");
            let detail = format!("the CHECK names an unknown column '{word}'");
            self.told.fails("missing-column", code, detail);
        }
    }

    /// LIKE reads a definition; SELECT reads rows, and locks them against writers meanwhile.
    fn sources(&mut self, create: &CreateTable) {
        for like in &create.likes {
            let source = self.table(&like.source);
            if source.is_some_and(|found| found.kind == RelationKind::View) {
                let detail = format!("'{}' is not a base table", like.source);
                self.told.fails("wrong-object-kind", "1347", detail);
            }
        }
        let Some(query) = &create.query else { return };
        self.selected_columns(query);
        for read in &query.reads {
            if self.table(read).is_none() && self.schema().is_absent(read) {
                continue;
            }
            let source = self.schema().resolve(read);
            let held = (HeldUntil::StatementEnd, During::Scan);
            self.told.lock(&source, LockMode::MdlSharedRead, "create-table-as", held);
            if !self.is_temporary(self.schema().relation(&source)) {
                self.told.lock(&source, LockMode::InnodbSharedRows, "create-table-as", held);
            }
        }
    }

    pub(super) fn create_index(&mut self, create: &CreateIndex) {
        self.commits();
        let name = self.schema().resolve(&create.table);
        let known = self.table(&create.table);
        if known.is_none() && self.schema().is_absent(&create.table) {
            return;
        }
        let there = known.is_some_and(|table| {
            create.index.name.as_ref().is_some_and(|index| {
                table.indexes.iter().any(|old| same(&old.name, index.as_str()))
            })
        });
        let mut actions = Vec::new();
        let action =
            |kind: MyAction| TableAction { span: create.index.span, kind: ActionKind::Mysql(kind) };
        if let (true, true, Some(index)) = (there, create.or_replace, &create.index.name) {
            actions.push(action(MyAction::DropIndex { name: index.clone(), if_exists: false }));
        }
        if !(there && create.if_not_exists) {
            let index = Box::new(create.index.clone());
            actions.push(action(MyAction::AddIndex { index, if_not_exists: false }));
        }
        actions.extend(create.algorithm.clone().map(|a| action(MyAction::Algorithm(a))));
        actions.extend(create.lock.clone().map(|l| action(MyAction::Lock(l))));
        let _ = name;
        self.alter_table(&AlterTable {
            name: create.table.clone(),
            object: ObjectKind::Table,
            if_exists: false,
            only: false,
            ignore: false,
            online: false,
            wait_seconds: None,
            actions,
        });
        if create.index.kind == IndexKind::Unique {
            let index = create.index.name.as_ref().map_or("", |found| found.as_str());
            let full = format!("{name}.{index}");
            self.told.breaks("new-unique", ObjectKind::Index, full, &name);
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "objects without rows or locks")]
    pub(super) fn drop(&mut self, statement: &Drop) {
        if !statement.temporary {
            self.commits();
        }
        match statement.object {
            ObjectKind::Table => self.drop_tables(statement),
            ObjectKind::View => self.drop_views(statement),
            ObjectKind::Index => self.drop_index(statement),
            _ => self.drop_object(statement),
        }
    }

    /// DROP TABLE of several tables: MySQL drops all or none. MariaDB drops those it can, and
    /// reports the rest as errors afterwards.
    fn drop_tables(&mut self, statement: &Drop) {
        let all: Vec<Name> =
            statement.names.iter().map(|name| self.schema().resolve(name)).collect();
        for (written, name) in statement.names.iter().zip(&all) {
            let Some(found) = self.schema().relation(name) else {
                if self.schema().is_absent(written) {
                    if !statement.if_exists {
                        let detail = format!("unknown table '{name}'");
                        self.told.fails("missing-object", "1051", detail);
                    }
                    continue;
                }
                if !statement.if_exists {
                    self.may_miss(written, "1051");
                }
                self.dropped_table(name);
                continue;
            };
            if found.kind == RelationKind::View {
                if !statement.if_exists {
                    let code = self.code("1965", "1051");
                    let detail = format!("'{name}' is a view");
                    self.told.fails("wrong-object-kind", code, detail);
                }
                continue;
            }
            if found.persistence == Persistence::Temporary {
                self.told.loses(ObjectKind::Table, name.to_string(), true, name);
                continue;
            }
            if statement.temporary {
                if !statement.if_exists {
                    let detail = format!("'{name}' is not a temporary table");
                    self.told.fails("missing-object", "1051", detail);
                }
                continue;
            }
            self.referenced(name, &all, statement);
            self.dropped_table(name);
        }
        if statement.temporary {
            self.told.out.transaction = TransactionRule::Allowed;
        }
        if self.told.is_refused() && all.len() > 1 && self.is_mariadb() {
            for name in &all {
                self.told.leaves("partly-done", name.to_string(), name);
            }
        }
    }

    fn dropped_table(&mut self, name: &Name) {
        self.told.loses(ObjectKind::Table, name.to_string(), true, name);
        self.told.breaks("drop-table", ObjectKind::Table, name.to_string(), name);
        self.leaves_broken(name, None);
        self.exclusive(name, "drop-table", During::Instant);
        self.relatives(name, "drop-table");
    }

    /// A table that another one references stays, unless checks are off, or that one goes too:
    /// in MySQL in any order, in MariaDB only before it.
    fn referenced(&mut self, name: &Name, all: &[Name], _statement: &Drop) {
        if !self.foreign_key_checks() {
            let children = !self.schema().foreign_keys_to(name).is_empty();
            if children {
                self.told.leaves("orphans-accepted", name.to_string(), name);
            }
            return;
        }
        let position = |wanted: &Name| all.iter().position(|found| found == wanted);
        for (child, constraint) in self.schema().foreign_keys_to(name) {
            if child.name == *name {
                continue;
            }
            let goes = match (position(&child.name), position(name)) {
                (Some(child), Some(parent)) => !self.is_mariadb() || child < parent,
                (None, _) | (_, None) => false,
            };
            if !goes {
                let code = self.code("1451", "3730");
                let detail = format!(
                    "table '{name}' is referenced by '{}' of table '{}'",
                    constraint.name, child.name
                );
                self.told.fails("foreign-key-references", code, detail);
            }
        }
    }

    fn drop_views(&mut self, statement: &Drop) {
        for written in &statement.names {
            let name = self.schema().resolve(written);
            match self.schema().relation(&name) {
                Some(found) if found.kind != RelationKind::View => {
                    let detail = format!("'{name}' is not a view");
                    let code = self.code("4092", "1347");
                    self.told.fails("wrong-object-kind", code, detail);
                }
                Some(_) => {
                    self.told.loses(ObjectKind::View, name.to_string(), false, &name);
                    self.told.breaks("drop-view", ObjectKind::View, name.to_string(), &name);
                    self.exclusive(&name, "drop-view", During::Instant);
                }
                None if self.schema().is_absent(written) => {
                    if !statement.if_exists {
                        let code = self.code("4092", "1051");
                        let detail = format!("unknown view '{name}'");
                        self.told.fails("missing-object", code, detail);
                    }
                }
                None => {
                    self.told.loses(ObjectKind::View, name.to_string(), false, &name);
                    self.exclusive(&name, "drop-view", During::Instant);
                }
            }
        }
    }

    /// DROP INDEX is ALTER TABLE DROP INDEX; MariaDB takes no ALGORITHM here that was measured.
    fn drop_index(&mut self, statement: &Drop) {
        let Some(table) = &statement.on_table else { return };
        for name in &statement.names {
            let Some(index) = name.parts.last() else { continue };
            let span = self.told.span;
            let action = |kind| TableAction { span, kind: ActionKind::Mysql(kind) };
            let if_exists = statement.if_exists;
            let mut actions = vec![action(MyAction::DropIndex { name: index.clone(), if_exists })];
            if same(index.as_str(), "PRIMARY") {
                actions = vec![action(MyAction::DropPrimaryKey { if_exists })];
            }
            actions.extend(statement.algorithm.clone().map(|a| action(MyAction::Algorithm(a))));
            actions.extend(statement.lock.clone().map(|l| action(MyAction::Lock(l))));
            self.alter_table(&AlterTable {
                name: table.clone(),
                object: ObjectKind::Table,
                if_exists: false,
                only: false,
                ignore: false,
                online: false,
                wait_seconds: None,
                actions,
            });
        }
    }

    pub(super) fn rename(&mut self, statement: &Rename) {
        self.commits();
        if statement.object == ObjectKind::Role {
            let detail = "fails if there is no such account, or the other one is".to_owned();
            self.told.may_fail("missing-object", "1396", detail);
        }
        if statement.object != ObjectKind::Table {
            return;
        }
        // Each name means what the pairs before it have left.
        let mut taken: Vec<Name> = Vec::new();
        let mut free: Vec<Name> = Vec::new();
        for (from, to) in &statement.pairs {
            let (old, new) = (self.schema().resolve(from), self.schema().resolve(to));
            let made = taken.contains(&old);
            let gone = free.contains(&old);
            let absent = self.schema().is_absent(from);
            if (absent && !made) || gone {
                if !statement.if_exists {
                    let detail = format!("table '{old}' doesn't exist");
                    self.told.fails("missing-object", "1146", detail);
                }
                continue;
            }
            let there = self.schema().relation(&new).is_some() && !free.contains(&new);
            if there || taken.contains(&new) {
                let detail = format!("table '{new}' already exists");
                self.told.fails("duplicate-object", "1050", detail);
            }
            // RENAME TABLE of MySQL does not see the tables of the session (measured on 9.7).
            if self.is_temporary(self.schema().relation(&old)) && !self.is_mariadb() {
                let detail = format!("'{old}' is a temporary table");
                self.told.fails("missing-object", "1146", detail);
            }
            if !made {
                if !statement.if_exists {
                    self.may_miss(from, "1146");
                }
                self.told.breaks("rename-table", ObjectKind::Table, old.to_string(), &old);
                self.leaves_broken(&old, None);
                // The definition of a view is a file of its own: nobody is waited for.
                let schema = self.schema();
                if schema.relation(&old).is_none_or(|found| found.kind != RelationKind::View) {
                    self.exclusive(&old, "rename-table", During::Instant);
                    self.relatives(&old, "rename-table");
                }
            }
            taken.retain(|name| *name != old);
            free.retain(|name| *name != new);
            free.push(old);
            taken.push(new);
        }
    }

    /// TRUNCATE makes the table anew, empty.
    pub(super) fn truncate(&mut self, statement: &Truncate) {
        self.commits();
        for written in &statement.tables {
            let known = self.table(written);
            if known.is_none() && self.schema().is_absent(written) {
                continue;
            }
            let name = self.schema().resolve(written);
            let child = self
                .schema()
                .foreign_keys_to(&name)
                .into_iter()
                .find(|(child, _)| child.name != name);
            if let (Some((child, constraint)), true) = (child, self.foreign_key_checks()) {
                let detail = format!(
                    "cannot truncate a table referenced by '{}' of '{}'",
                    constraint.name, child.name
                );
                self.told.fails("foreign-key-references", "1701", detail);
            }
            if let Some(table) = known {
                if table.system_versioning {
                    let detail = format!("system-versioned table '{name}' cannot be truncated");
                    self.told.fails("dependents-exist", "4137", detail);
                }
                if table.kind == RelationKind::View {
                    let detail = format!("'{name}' is a view");
                    self.told.fails("wrong-object-kind", "1146", detail);
                }
                if table.persistence == Persistence::Temporary {
                    self.told.loses(ObjectKind::Table, name.to_string(), true, &name);
                    continue;
                }
            }
            self.told.loses(ObjectKind::Table, name.to_string(), true, &name);
            self.exclusive(&name, "truncate", During::Instant);
            self.relatives(&name, "truncate");
        }
    }

    /// Returns how OPTIMIZE TABLE runs: a rebuild, a copy where there is a FULLTEXT index.
    pub(super) fn optimize_online(&self, table: &Relation) -> Online {
        let shape = Shape::of(table, table);
        let changes = Changes { rebuild_option: true, ..Changes::default() };
        if shape.innodb {
            self.decide(shape, &changes, table)
        } else {
            Online { algorithm: Algorithm::Copy, lock: OnlineLock::Exclusive, rebuilds: true }
        }
    }
}

fn create_parents(create: &CreateTable) -> Vec<crate::sql::ObjectName> {
    let written = create.columns.iter().flat_map(|column| &column.constraints);
    written
        .chain(&create.constraints)
        .filter_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey(key) => Some(key.parent.clone()),
            ConstraintKind::PrimaryKey(_)
            | ConstraintKind::Unique(_)
            | ConstraintKind::PrimaryKeyUsingIndex(_)
            | ConstraintKind::UniqueUsingIndex(_)
            | ConstraintKind::Check(_)
            | ConstraintKind::Exclude(_)
            | ConstraintKind::NotNull(_) => None,
        })
        .collect()
}
