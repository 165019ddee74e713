//! ALTER TABLE: what it refuses, how it runs, what it leaves.
//!
//! MySQL 8.0 to 9.x and MariaDB 10.6 to 11.x, manuals: ALTER TABLE, Online DDL; measured on MariaDB
//! 10.11, 11.8 and MySQL 9.7, testdata/servers.

use std::collections::BTreeSet;

use super::alteration::Alteration;
use super::assume::*;
use super::change::Changes;
use super::decide::Shape;
use super::definition::is_virtual;
use super::{Scene, same};
use crate::effect::{Algorithm, During, Online, OnlineLock};
use crate::schema::{Altered, Name, Origin, Relation, RelationKind};
use crate::sql::ast::{
    ActionKind, AlterTable, ColumnDef, ConstraintKind, IndexKind, MyAction, ObjectKind,
};

impl Scene<'_> {
    pub(super) fn alter_table(&mut self, alter: &AlterTable) {
        self.commits();
        let name = self.schema().resolve(&alter.name);
        let Some(found) = self.schema().find(&alter.name) else {
            if self.schema().is_absent(&alter.name) {
                self.absent(alter);
                return;
            }
            if !alter.if_exists {
                self.may_miss(&alter.name, "1146");
            }
            let unknown = Relation::new(name, RelationKind::Table, Origin::Assumed);
            self.alter_known(&unknown, alter);
            return;
        };
        if found.kind == RelationKind::View {
            let detail = format!("'{name}' is not a base table");
            self.told.fails("wrong-object-kind", "1347", detail);
            return;
        }
        self.alter_known(found, alter);
    }

    /// MariaDB: `ALTER TABLE IF EXISTS` of a table that is not there is accepted with any clause.
    fn absent(&mut self, alter: &AlterTable) {
        if alter.if_exists {
            let (algorithm, lock) = (Algorithm::Instant, OnlineLock::None);
            self.told.out.online = Some(Online { algorithm, lock, rebuilds: false });
            return;
        }
        let _ = self.table(&alter.name);
    }

    fn alter_known(&mut self, before: &Relation, statement: &AlterTable) {
        if self.partition_statement(before, statement) {
            return;
        }
        let start = self.told.span;
        let mut alteration = Alteration::new(self.schema(), before, statement);
        let mut changes = Changes::between(self, before, &alteration);
        changes.assume_unknown(before, &alteration);
        if self.is_mariadb() && !self.foreign_key_checks() {
            // A foreign key whose index goes gets no other one.
            changes.built.retain(|index| {
                index.primary
                    || index.constraint.is_none()
                    || !super::foreign_key::added_keys(&alteration).is_empty()
                    || index.kind != IndexKind::Plain
            });
        }
        let shape = Shape::of(before, &alteration.after.table);
        let best = self.decide(shape, &changes, before);
        alteration.in_place = best.algorithm != Algorithm::Copy;
        let alter = &alteration;
        let after = &alter.after;
        self.refused_as_written(&alter.actions);
        self.refusals(before, alter);
        self.named_twice(before, alter);
        self.generated_from_dropped(alter);
        self.refusals_of_result(before, &after.table, alter);
        self.types_compared(before, &after.table, alter);
        changes.lacks_row_version = self.lacks_row_version(before, &changes)
            && shape.innodb
            && self.mysql_instant(shape, &changes, before);
        self.key_block_size(&after.table, alter, best);
        self.changed_by_copy(before, alter, &changes, best);
        self.data_failures(before, alter, &changes, best);
        changes.unexplained = !shape.innodb
            || changes.switches_keys_beside()
            || changes.add_check
                && !changes.adds_only_column_checks
                && changes.copy_cause.is_none()
            || !self.is_mariadb()
                && (changes.add_check || changes.order_by || self.rechecks(before, &changes))
            || self.is_mariadb() && changes.copies_generated();
        changes.explained |=
            self.is_mariadb() && (shape.fulltexts > 1 || changes.builds_long_unique);
        changes.ignores_algorithm = self.is_mariadb()
            && (changes.repartition || shape.temporary && !self.mariadb_since(11, 2));
        if best.algorithm == Algorithm::Copy {
            self.without_primary_key(&after.table);
        }
        changes.copy_lock = Some(if self.is_mariadb() {
            self.mariadb_copy(&changes, before).lock
        } else {
            OnlineLock::Shared
        });
        let online = self.explicit(alter, best, &changes);
        self.told.span = alter.clause_of(changes.cause(), &changes);
        self.told.out.online = Some(online);
        self.row_versions(before, &changes, online);
        self.counted_through(before, &after.table);
        self.work(before, alter, &changes, online);
        self.locks_of(before, alter, &changes, online);
        for action in &alter.actions {
            self.told.span = action.span;
            self.told_of(before, alter, &action.kind);
        }
        self.told.span = start;
    }

    /// Says whether the type of a column changes that a CHECK names: MySQL checks it anew.
    fn rechecks(&self, before: &Relation, changes: &Changes) -> bool {
        before.constraints.iter().any(|constraint| {
            let copied =
                |word: &String| changes.copied.iter().any(|(column, _)| same(column, word));
            matches!(&constraint.kind, crate::schema::Demand::Check(check)
                if check.columns.iter().any(copied))
        })
    }

    /// Tells what is written, read and built.
    fn work(
        &mut self,
        before: &Relation,
        alter: &Alteration<'_>,
        changes: &Changes,
        online: Online,
    ) {
        let name = &before.name;
        let cause = changes.cause();
        let guilty = alter.clause_of(cause, changes);
        let copies = online.rebuilds || online.algorithm == Algorithm::Copy;
        // MySQL copies when told to, even if there is nothing to change.
        let told = !self.is_mariadb() && online.algorithm == Algorithm::Copy;
        if copies && (told || !changes.is_nothing()) {
            self.told.span = guilty;
            self.told.rewrite(name, cause);
            let concurrent = online.lock == OnlineLock::None;
            let built: BTreeSet<&str> = changes.built.iter().map(|i| i.name.as_str()).collect();
            for index in &alter.after.table.indexes {
                let new = built.contains(index.name.as_str());
                self.told.span = if new { alter.clause_of_index(index) } else { guilty };
                let cause = if new { index_cause(index) } else { "rewrite" };
                self.told.build(name, &index.name, cause, concurrent);
            }
            return;
        }
        let concurrent = online.lock == OnlineLock::None;
        for index in &changes.built {
            self.told.span = alter.clause_of_index(index);
            self.told.build(name, &index.name, index_cause(index), concurrent);
        }
        self.told.span = guilty;
        for index in &changes.lengthened_indexes {
            self.told.build(name, index, "type-change", concurrent);
        }
        if online.algorithm == Algorithm::Nocopy {
            for index in &changes.collated_indexes {
                self.told.build(name, index, "convert-charset", concurrent);
            }
        }
    }

    fn locks_of(
        &mut self,
        before: &Relation,
        alter: &Alteration<'_>,
        changes: &Changes,
        online: Online,
    ) {
        // MariaDB switches the keys of MyISAM under a lock that readers do not wait for.
        let switches = changes.keys && self.is_mariadb() && !super::is_innodb(before);
        if self.is_temporary(Some(before)) || changes.is_nothing() || switches {
            return;
        }
        let cause = changes.cause();
        self.told.span = alter.clause_of(cause, changes);
        let copies = online.rebuilds || online.algorithm == Algorithm::Copy;
        let builds = !changes.built.is_empty()
            || !changes.lengthened_indexes.is_empty()
            || online.algorithm == Algorithm::Nocopy;
        let during = if copies {
            During::Rewrite
        } else if builds && changes.builds_something() {
            During::IndexBuild
        } else {
            During::Instant
        };
        let online = self.really_blocks(before, changes, online);
        self.online_locks(&before.name, cause, online, during);
        self.parents(&before.name, cause);
        if !(self.is_mariadb() && changes.is_ignored_by_engine()) {
            self.children(&before.name, cause);
        }
        self.new_parents(before, alter, changes);
    }

    /// MariaDB 11.8 accepts LOCK=NONE for MyISAM and Aria, and blocks reads and writes all the
    /// same (measured: `addcol_aria`).
    fn really_blocks(&self, before: &Relation, changes: &Changes, online: Online) -> Online {
        let engine_without_log = !super::is_innodb(before) && !changes.other_engine;
        let copies = online.algorithm == Algorithm::Copy;
        if self.mariadb_since(11, 2) && engine_without_log && copies {
            return Online { lock: OnlineLock::Exclusive, ..online };
        }
        online
    }

    /// Tells what an action takes away, breaks or leaves behind.
    fn told_of(&mut self, before: &Relation, alter: &Alteration<'_>, action: &ActionKind) {
        let name = &before.name;
        match action {
            ActionKind::AddColumn { column, .. } => self.added_column(before, column),
            ActionKind::DropColumn { column, .. } => {
                self.dropped_column(before, &alter.after.table, column.as_str());
            }
            ActionKind::RenameColumn { from, .. } => {
                self.breaks_column("rename-column", name, from.as_str());
                self.leaves_broken(name, Some(from.as_str()));
            }
            ActionKind::RenameTo(_) => {
                self.told.breaks("rename-table", ObjectKind::Table, name.to_string(), name);
                self.leaves_broken(name, None);
            }
            ActionKind::SetDefault { column, .. } => {
                self.breaks_column("change-default", name, column.as_str());
            }
            ActionKind::DropDefault { column } => {
                self.breaks_column("drop-default", name, column.as_str());
            }
            ActionKind::AddConstraint(constraint) => {
                let index = match &constraint.kind {
                    ConstraintKind::Unique(key) => key.index_name.as_ref(),
                    ConstraintKind::PrimaryKey(_)
                    | ConstraintKind::ForeignKey(_)
                    | ConstraintKind::Check(_)
                    | ConstraintKind::PrimaryKeyUsingIndex(_)
                    | ConstraintKind::UniqueUsingIndex(_)
                    | ConstraintKind::Exclude(_)
                    | ConstraintKind::NotNull(_) => None,
                };
                let written = constraint.name.as_ref().or(index);
                let written = written.map_or("", |name| name.as_str());
                self.added_constraint(before, &constraint.kind, written);
            }
            ActionKind::DropConstraint { name: gone, .. } => {
                self.lost_constraint(name, gone.as_str());
            }
            ActionKind::Mysql(action) => self.told_of_mysql(before, alter, action),
            ActionKind::SetNotNull { .. }
            | ActionKind::DropNotNull { .. }
            | ActionKind::Postgres(_) => {}
        }
    }

    fn breaks_index(&mut self, how: &'static str, table: &Name, index: &str) {
        self.told.breaks(how, ObjectKind::Index, format!("{table}.{index}"), table);
    }

    fn dropped_column(&mut self, before: &Relation, after: &Relation, column: &str) {
        let name = &before.name;
        let stored = !before.column_any_case(column).is_some_and(is_virtual);
        self.told.loses(ObjectKind::Column, format!("{name}.{column}"), stored, name);
        self.breaks_column("drop-column", name, column);
        self.leaves_broken(name, Some(column));
        self.lost_indexes(before, after, column);
    }

    fn lost_constraint(&mut self, name: &Name, constraint: &str) {
        let full = format!("{name}.{constraint}");
        self.told.loses(ObjectKind::Constraint, full.clone(), false, name);
        self.told.breaks("drop-constraint", ObjectKind::Constraint, full, name);
    }

    fn told_of_mysql(&mut self, before: &Relation, alter: &Alteration<'_>, action: &MyAction) {
        let name = &before.name;
        match action {
            MyAction::ModifyColumn { column, .. } => {
                self.redefined(before, &alter.after, column.name.as_str(), column);
            }
            MyAction::ChangeColumn { from, column, .. } => {
                if !same(from.as_str(), column.name.as_str()) {
                    self.breaks_column("rename-column", name, from.as_str());
                    self.leaves_broken(name, Some(from.as_str()));
                }
                self.redefined(before, &alter.after, from.as_str(), column);
            }
            MyAction::DropIndex { name: index, .. } => {
                let full = format!("{name}.{index}");
                self.told.loses(ObjectKind::Index, full.clone(), false, name);
                self.told.breaks("drop-index", ObjectKind::Index, full, name);
            }
            MyAction::DropPrimaryKey { .. } => {
                self.lost_constraint(name, "PRIMARY");
                if alter.after.table.primary_key().is_none() {
                    self.told.leaves("no-primary-key", name.to_string(), name);
                }
            }
            MyAction::DropForeignKey { name: gone, .. } | MyAction::DropCheck { name: gone } => {
                self.lost_constraint(name, gone.as_str());
            }
            MyAction::AlterCheck { name: check, enforced } => {
                let how = if *enforced { "new-check" } else { "drop-constraint" };
                let full = format!("{name}.{check}");
                self.told.breaks(how, ObjectKind::Constraint, full, name);
            }
            MyAction::RenameIndex { from, .. } => {
                self.breaks_index("rename-index", name, from.as_str());
            }
            MyAction::IndexVisibility { name: index, visible } if !visible => {
                self.breaks_index("index-invisible", name, index.as_str());
            }
            MyAction::Option { name: option, .. }
                if matches!(option.as_str(), "charset" | "collate") =>
            {
                let converts = alter.actions.iter().any(|other| {
                    matches!(other.kind, ActionKind::Mysql(MyAction::ConvertTo { .. }))
                });
                if !converts {
                    self.told.leaves("table-charset-only", name.to_string(), name);
                }
            }
            MyAction::AddIndex { index, .. } => self.index_remarks(before, index),
            MyAction::DropSystemVersioning => {
                self.told.loses(ObjectKind::Table, format!("{name} (history)"), true, name);
            }
            MyAction::Tablespace { .. }
            | MyAction::IndexVisibility { .. }
            | MyAction::Option { .. }
            | MyAction::ColumnVisibility { .. }
            | MyAction::ConvertTo { .. }
            | MyAction::Force
            | MyAction::OrderBy
            | MyAction::Keys { .. }
            | MyAction::Algorithm(_)
            | MyAction::Lock(_)
            | MyAction::Validation(_)
            | MyAction::Partition(_)
            | MyAction::PartitionBy(_)
            | MyAction::RemovePartitioning
            | MyAction::AddSystemVersioning
            | MyAction::AddPeriod { .. }
            | MyAction::DropPeriod { .. } => {}
        }
    }

    /// A dropped column takes its indexes along, and leaves the others shorter.
    fn lost_indexes(&mut self, before: &Relation, after: &Relation, column: &str) {
        let name = &before.name;
        for index in &before.indexes {
            let over = index.key_columns().iter().any(|c| same(c, column));
            if over && !after.indexes.iter().any(|kept| same(&kept.name, &index.name)) {
                let full = format!("{name}.{}", index.name);
                self.told.loses_too(ObjectKind::Index, full, false, name);
            } else if over {
                let full = format!("{name}.{}", index.name);
                self.told.leaves("index-shrunk", full, name);
            }
        }
    }

    fn added_column(&mut self, before: &Relation, column: &ColumnDef) {
        let name = &before.name;
        let full = format!("{name}.{}", column.name);
        let not_null =
            matches!(column.nullability, Some(crate::sql::ast::Nullability::NotNull { .. }));
        let bare = not_null
            && column.default.is_none()
            && column.generated.is_none()
            && !column.auto_increment;
        let how = if bare && self.is_strict() { "required-column" } else { "add-column" };
        self.told.breaks(how, ObjectKind::Column, full.clone(), name);
        if bare {
            self.told.leaves("implicit-values", full.clone(), name);
        }
        for constraint in &column.constraints {
            let is_check = matches!(constraint.kind, ConstraintKind::Check(_));
            if is_check && self.is_mariadb() && column.default.is_some() {
                // Measured: `addcol_with_check_default_violates`.
                self.told.leaves("check-skipped", full.clone(), name);
            }
            if matches!(constraint.kind, ConstraintKind::ForeignKey(_))
                && !self.mysql_since(9, 0, 0)
                && !self.mariadb_since(10, 5)
            {
                self.told.leaves("fk-ignored", full.clone(), name);
            }
        }
    }

    pub(super) fn added_constraint(
        &mut self,
        before: &Relation,
        kind: &ConstraintKind,
        written: &str,
    ) {
        let name = &before.name;
        let how = match kind {
            ConstraintKind::PrimaryKey(_) | ConstraintKind::Unique(_) => "new-unique",
            ConstraintKind::Check(_) => "new-check",
            ConstraintKind::ForeignKey(_) => {
                if !self.foreign_key_checks() {
                    self.told.leaves("orphans-accepted", format!("{name}.{written}"), name);
                }
                "new-foreign-key"
            }
            ConstraintKind::PrimaryKeyUsingIndex(_)
            | ConstraintKind::UniqueUsingIndex(_)
            | ConstraintKind::Exclude(_)
            | ConstraintKind::NotNull(_) => return,
        };
        self.told.breaks(how, ObjectKind::Constraint, format!("{name}.{written}"), name);
    }

    /// Tells what MODIFY and CHANGE take from a column by not repeating it.
    fn redefined(
        &mut self,
        before: &Relation,
        after: &Altered,
        from: &str,
        definition: &ColumnDef,
    ) {
        let name = &before.name;
        let Some(old) = before.column_any_case(from) else { return };
        let Some(new) = after.table.column_any_case(definition.name.as_str()) else { return };
        let full = format!("{name}.{}", old.name);
        if old.data_type.as_ref().map(|t| (&t.name, &t.args, t.unsigned))
            != new.data_type.as_ref().map(|t| (&t.name, &t.args, t.unsigned))
        {
            self.told.breaks("type-change", ObjectKind::Column, full.clone(), name);
        }
        let mut drops = |what: &'static str| {
            self.told.leaves("attribute-dropped", format!("{full}: {what}"), name);
        };
        if old.not_null && !new.not_null && definition.nullability.is_none() {
            drops("NOT NULL");
        }
        if old.default.is_some() && new.default.is_none() && definition.generated.is_none() {
            drops("DEFAULT");
        }
        if old.auto_increment && !new.auto_increment {
            drops("AUTO_INCREMENT");
        }
        if old.on_update && !new.on_update {
            drops("ON UPDATE");
        }
        let charset = |column: &crate::schema::Column| {
            column.data_type.as_ref().and_then(|t| t.charset.clone())
        };
        let written = definition.data_type.as_ref().and_then(|t| t.charset.as_ref());
        if charset(old).is_some() && charset(old) != charset(new) && written.is_none() {
            drops("CHARACTER SET");
        }
        if old.not_null && !new.not_null {
            self.breaks_column("drop-not-null", name, &old.name);
        }
        if !old.not_null && new.not_null {
            self.breaks_column("new-not-null", name, &old.name);
        }
        if old.default.is_some() && new.default.is_none() {
            self.breaks_column("drop-default", name, &old.name);
        }
        if !old.not_null && new.not_null && !self.is_strict() {
            self.told.leaves("implicit-values-for-nulls", full, name);
        }
    }
}
