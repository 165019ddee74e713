//! Statements about partitions and tablespaces, which run alone and have rules of their own.

use super::{Scene, same};
use crate::effect::{Algorithm, During, HeldUntil, LockMode, Online, OnlineLock};
use crate::schema::Relation;
use crate::sql::Ident;
use crate::sql::ObjectName;
use crate::sql::ast::{ActionKind, AlterTable, MyAction, ObjectKind, PartitionAction, PartitionBy};

impl Scene<'_> {
    /// Tells of a statement about partitions or the tablespace; says whether it was one.
    #[expect(clippy::wildcard_enum_match_arm, reason = "two actions are looked for above")]
    pub(super) fn partition_statement(&mut self, table: &Relation, alter: &AlterTable) -> bool {
        let found = alter.actions.iter().find_map(|action| match &action.kind {
            ActionKind::Mysql(found @ (MyAction::Partition(_) | MyAction::Tablespace { .. })) => {
                Some((action.span, found))
            }
            ActionKind::Mysql(_)
            | ActionKind::Postgres(_)
            | ActionKind::AddColumn { .. }
            | ActionKind::DropColumn { .. }
            | ActionKind::RenameColumn { .. }
            | ActionKind::RenameTo(_)
            | ActionKind::SetDefault { .. }
            | ActionKind::DropDefault { .. }
            | ActionKind::SetNotNull { .. }
            | ActionKind::DropNotNull { .. }
            | ActionKind::AddConstraint(_)
            | ActionKind::DropConstraint { .. } => None,
        });
        let Some((span, found)) = found else { return false };
        self.told.span = span;
        match found {
            MyAction::Partition(action) => self.partition(table, action),
            _ => self.tablespace(table),
        }
        true
    }

    /// DISCARD TABLESPACE throws the data file away.
    fn tablespace(&mut self, table: &Relation) {
        let name = &table.name;
        self.told.loses(ObjectKind::Table, name.to_string(), true, name);
        self.exclusive(name, "tablespace-discard", During::Instant);
        self.relatives(name, "tablespace-discard");
    }

    fn partition(&mut self, table: &Relation, action: &PartitionAction) {
        let by = table.partition_by.as_ref();
        if by.is_none() && table.complete && !matches!(action, PartitionAction::Convert { .. }) {
            let detail = format!("partition management on table '{}', which has none", table.name);
            self.told.fails("partition-bound", "1505", detail);
            return;
        }
        let hashed =
            by.is_some_and(|by| by.strategy.ends_with("hash") || by.strategy.ends_with("key"));
        match action {
            PartitionAction::Add { names } => self.add_partitions(table, names, hashed),
            PartitionAction::Drop(names) => self.drop_partitions(table, names, hashed),
            PartitionAction::Truncate(names) => {
                self.known_partitions(by, names);
                for partition in names {
                    let full = format!("{}.{partition}", table.name);
                    self.told.loses(ObjectKind::Table, full, true, &table.name);
                }
                if names.is_empty() {
                    let full = table.name.to_string();
                    self.told.loses(ObjectKind::Table, full, true, &table.name);
                }
                self.metadata_only(table, "truncate-partition");
            }
            PartitionAction::Coalesce => {
                if !hashed && by.is_some() {
                    let detail = "COALESCE PARTITION is for HASH and KEY".to_owned();
                    self.told.fails("partition-bound", "1509", detail);
                }
                self.copied(table, "reorganize-partition");
            }
            PartitionAction::Reorganize { from, .. } => {
                self.known_partitions(by, from);
                let detail = "fails if the new partitions do not cover the same range".to_owned();
                self.told.may_fail("partition-bound", "1520", detail);
                self.copied(table, "reorganize-partition");
            }
            PartitionAction::Exchange { partition, table: other, without_validation } => {
                self.known_partitions(by, std::slice::from_ref(partition));
                self.exchange(table, other, *without_validation);
            }
            PartitionAction::Convert { table: other, .. } => {
                self.metadata_only(table, "exchange-partition");
                let other = self.schema().resolve(other);
                if self.schema().relation(&other).is_some() {
                    self.exclusive(&other, "exchange-partition", During::Instant);
                }
            }
            PartitionAction::Maintain { what } => self.maintained(table, what),
        }
    }

    fn known_partitions(&mut self, by: Option<&PartitionBy>, names: &[Ident]) {
        let Some(by) = by.filter(|by| !by.partitions.is_empty()) else { return };
        let missing = |name: &&Ident| !by.partitions.iter().any(|p| same(&p.value, name.as_str()));
        if let Some(name) = names.iter().find(missing) {
            let code = self.code("1507", "1507");
            let detail = format!("there is no partition '{name}'");
            self.told.fails("missing-object", code, detail);
        }
    }

    fn add_partitions(&mut self, table: &Relation, names: &[Ident], hashed: bool) {
        let by = table.partition_by.as_ref();
        let there = names.iter().find(|name| {
            by.is_some_and(|by| by.partitions.iter().any(|p| same(&p.value, name.as_str())))
        });
        if let Some(name) = there {
            let detail = format!("duplicate partition name {name}");
            self.told.fails("duplicate-object", "1517", detail);
        }
        if hashed {
            // Rows move to where the new count of partitions puts them.
            self.copied(table, "reorganize-partition");
            return;
        }
        let detail = "fails if the bound is not above the last one, or its values are taken";
        self.told.may_fail("partition-bound", "1493", detail.to_owned());
        self.metadata_only(table, "add-partition");
    }

    fn drop_partitions(&mut self, table: &Relation, names: &[Ident], hashed: bool) {
        if hashed {
            let detail = "DROP PARTITION is for RANGE and LIST".to_owned();
            self.told.fails("partition-bound", "1512", detail);
        }
        let by = table.partition_by.as_ref();
        self.known_partitions(by, names);
        let all = by.is_some_and(|by| {
            !by.partitions.is_empty()
                && by.partitions.iter().all(|p| names.iter().any(|n| same(n.as_str(), &p.value)))
        });
        if all {
            let detail = "cannot remove all partitions: use DROP TABLE".to_owned();
            self.told.fails("partition-bound", "1508", detail);
        }
        for partition in names {
            let full = format!("{}.{partition}", table.name);
            self.told.loses(ObjectKind::Table, full, true, &table.name);
        }
        self.metadata_only(table, "drop-partition");
    }

    /// The other table has to have the same columns, indexes and options.
    fn exchange(&mut self, table: &Relation, other: &ObjectName, without_validation: bool) {
        let name = self.schema().resolve(other);
        if let Some(other) = self.table(other) {
            let key = |table: &Relation| {
                let mut all: Vec<Vec<String>> = table
                    .indexes
                    .iter()
                    .map(|i| i.key_columns().iter().map(|c| c.to_lowercase()).collect())
                    .collect();
                all.sort();
                all
            };
            let columns = |table: &Relation| {
                table
                    .columns
                    .iter()
                    .map(|c| {
                        (
                            c.name.to_lowercase(),
                            c.data_type.clone().map(|t| (t.name, t.args)),
                            c.not_null,
                        )
                    })
                    .collect::<Vec<_>>()
            };
            let known = table.complete && other.complete;
            if known && (key(table) != key(other) || columns(table) != columns(other)) {
                let detail = "the two tables have different definitions".to_owned();
                self.told.fails("type-mismatch", "1736", detail);
            }
            if other.partition_by.is_some() {
                let detail = format!("table to exchange with partition is partitioned: '{name}'");
                self.told.fails("wrong-object-kind", "1732", detail);
            }
        }
        if without_validation {
            self.told.leaves("not-valid", table.name.to_string(), &table.name);
        } else {
            let detail = "fails if a row of the table does not belong into the partition";
            self.told.may_fail("rows-violate", "1737", detail.to_owned());
            self.told.scan(&name, "exchange-partition");
        }
        self.metadata_only(table, "exchange-partition");
        self.exclusive(&name, "exchange-partition", During::Instant);
    }

    /// ADD, DROP, TRUNCATE and EXCHANGE change no rows one by one. MariaDB takes no ALGORITHM or
    /// LOCK here (a syntax error), MySQL calls it INPLACE.
    fn metadata_only(&mut self, table: &Relation, cause: &'static str) {
        if !self.is_mariadb() && cause != "exchange-partition" {
            self.told.out.online = Some(Online {
                algorithm: Algorithm::Inplace,
                lock: OnlineLock::None,
                rebuilds: false,
            });
        }
        self.exclusive(&table.name, cause, During::Instant);
        self.relatives(&table.name, cause);
    }

    /// REORGANIZE, COALESCE, REBUILD and ADD to HASH copy rows while writers wait, on 11.8 too.
    fn copied(&mut self, table: &Relation, cause: &'static str) {
        if !self.is_mariadb() {
            self.told.out.online = Some(Online {
                algorithm: Algorithm::Inplace,
                lock: OnlineLock::Shared,
                rebuilds: true,
            });
        }
        self.told.rewrite(&table.name, cause);
        self.exclusive(&table.name, cause, During::Instant);
        let held = (HeldUntil::StatementEnd, During::Rewrite);
        self.told.lock(&table.name, LockMode::MdlSharedNoWrite, cause, held);
        self.relatives(&table.name, cause);
    }

    fn maintained(&mut self, table: &Relation, what: &str) {
        match what.to_ascii_lowercase().as_str() {
            "rebuild" => self.copied(table, "reorganize-partition"),
            "optimize" => {
                // InnoDB rebuilds all partitions, whichever is named.
                if !self.is_mariadb() {
                    self.told.out.online = Some(Online {
                        algorithm: Algorithm::Inplace,
                        lock: OnlineLock::None,
                        rebuilds: true,
                    });
                }
                self.told.rewrite(&table.name, "optimize");
                self.exclusive(&table.name, "optimize", During::Instant);
            }
            "check" | "repair" => self.told.scan(&table.name, "check-table"),
            _ => {}
        }
    }
}
