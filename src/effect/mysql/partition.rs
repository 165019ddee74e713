//! Statements about partitions and tablespaces, which run alone and have rules of their own.
//!
//! MySQL manual, ALTER TABLE Partition Operations; MariaDB manual, Partitioning Overview; measured
//! on MariaDB 10.11, 11.8 and MySQL 9.7, testdata/servers.

use super::{Scene, same};
use crate::effect::{Algorithm, During, HeldUntil, LockMode, Online, OnlineLock};
use crate::schema::Relation;
use crate::sql::Ident;
use crate::sql::ObjectName;
use crate::sql::ast::{
    ActionKind, AlterTable, MyAction, ObjectKind, PartitionAction, PartitionBy, PartitionValues,
};

impl Scene<'_> {
    /// Tells of a statement about partitions or the tablespace; says whether it was one.
    pub(super) fn partition_statement(&mut self, table: &Relation, alter: &AlterTable) -> bool {
        for action in &alter.actions {
            if let ActionKind::Mysql(MyAction::Partition(found)) = &action.kind {
                self.told.span = action.span;
                self.partition(table, found);
                return true;
            }
            if let ActionKind::Mysql(MyAction::Tablespace { discard }) = &action.kind {
                self.told.span = action.span;
                self.tablespace(table, *discard);
                return true;
            }
        }
        false
    }

    /// DISCARD TABLESPACE throws the data file away; IMPORT takes another one in its place.
    fn tablespace(&mut self, table: &Relation, discard: bool) {
        let name = &table.name;
        if !discard {
            let detail = "fails unless the tablespace was discarded before".to_owned();
            self.told.may_fail("duplicate-object", "1813", detail);
            self.exclusive(name, "tablespace-discard", During::Instant);
            return;
        }
        self.told.loses(ObjectKind::Table, name.to_string(), true, name);
        self.exclusive(name, "tablespace-discard", During::Instant);
        self.relatives(name, "tablespace-discard");
    }

    fn partition(&mut self, table: &Relation, action: &PartitionAction) {
        let by = table.partition_by.as_ref();
        if by.is_none() && table.complete {
            // MySQL: what only looks after rows takes the whole table.
            let looks_after = matches!(action, PartitionAction::Maintain { what, .. }
                if what != "rebuild");
            if looks_after && !self.is_mariadb() {
                let (algorithm, lock) = (Algorithm::Instant, OnlineLock::Default);
                self.told.out.online = Some(Online { algorithm, lock, rebuilds: false });
            } else {
                let detail = format!("'{}' has no partitions to manage", table.name);
                self.told.fails("partition-bound", "1505", detail);
            }
            return;
        }
        let hashed = by.is_some_and(is_hashed);
        match action {
            PartitionAction::Add { names, values, if_not_exists } => {
                self.add_partitions(table, names, *values, *if_not_exists);
            }
            PartitionAction::Drop { names, if_exists } => {
                self.drop_partitions(table, names, *if_exists);
            }
            PartitionAction::Truncate(names) => self.truncate_partitions(table, names),
            PartitionAction::Coalesce => {
                if !hashed && by.is_some() {
                    let detail = "COALESCE PARTITION is for HASH and KEY".to_owned();
                    self.told.fails("partition-bound", "1509", detail);
                }
                let detail = "fails if it takes all partitions".to_owned();
                self.told.may_fail("partition-bound", "1508", detail);
                let detail = "fails if it takes no partition".to_owned();
                self.told.may_fail("partition-bound", "1515", detail);
                self.copied(table, "reorganize-partition");
            }
            PartitionAction::Reorganize { from, values, .. } => {
                self.other_values(by, *values);
                if from.is_empty() && !hashed {
                    let detail = "without names it is for HASH and KEY".to_owned();
                    self.told.fails("partition-bound", "1511", detail);
                }
                self.known_partitions(by, from, "1507");
                let detail = "fails if the new partitions do not cover the same range".to_owned();
                self.told.may_fail("partition-bound", "1520", detail);
                self.copied(table, "reorganize-partition");
            }
            PartitionAction::Exchange { partition, table: other, without_validation } => {
                self.known_partitions(by, std::slice::from_ref(partition), "1735");
                self.exchange(table, other, *without_validation);
            }
            PartitionAction::Convert { table: other, partition, to_table, values } => {
                self.other_values(by, *values);
                self.convert(table, other, partition, *to_table);
            }
            PartitionAction::Maintain { what, names } => self.maintained(table, what, names),
        }
    }

    fn truncate_partitions(&mut self, table: &Relation, names: &[Ident]) {
        self.known_partitions(table.partition_by.as_ref(), names, "1735");
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

    /// MariaDB makes a table of a partition, or a partition of a table.
    fn convert(&mut self, table: &Relation, other: &ObjectName, partition: &Ident, to_table: bool) {
        let by = table.partition_by.as_ref();
        if by.is_some_and(is_hashed) {
            let detail = "CONVERT is for RANGE and LIST".to_owned();
            self.told.fails("partition-bound", "1512", detail);
        }
        if to_table {
            self.known_partitions(by, std::slice::from_ref(partition), "1507");
        } else {
            let _ = self.table(other);
            for code in ["1737", "1736", "1481", "1493", "1480"] {
                let detail = "fails if the table does not fit as a partition".to_owned();
                self.told.may_fail("rows-violate", code, detail);
            }
        }
        self.metadata_only(table, "exchange-partition");
        let other = self.schema().resolve(other);
        if self.schema().relation(&other).is_some() {
            self.exclusive(&other, "exchange-partition", During::Instant);
        }
    }

    fn missing_partition<'n>(by: Option<&PartitionBy>, names: &'n [Ident]) -> Option<&'n Ident> {
        let by = by.filter(|by| !by.partitions.is_empty())?;
        let missing = |name: &&Ident| !by.partitions.iter().any(|p| same(&p.value, name.as_str()));
        names.iter().find(missing)
    }

    fn known_partitions(&mut self, by: Option<&PartitionBy>, names: &[Ident], code: &'static str) {
        if let Some(name) = Self::missing_partition(by, names) {
            let detail = format!("there is no partition '{name}'");
            self.told.fails("missing-object", code, detail);
        } else if by.is_some_and(|by| by.partitions.is_empty()) && !names.is_empty() {
            // Partitions that are only counted have names of the server's own.
            let detail = "fails if there is no such partition".to_owned();
            self.told.may_fail("missing-object", code, detail);
        }
    }

    /// `VALUES LESS THAN` is for RANGE, `VALUES IN` for LIST, and HASH and KEY take neither.
    fn other_values(&mut self, by: Option<&PartitionBy>, values: Option<PartitionValues>) {
        let Some((by, values)) = by.zip(values) else { return };
        let fits = match values {
            PartitionValues::LessThan(_) => by.strategy.starts_with("range"),
            PartitionValues::In(_) => by.strategy.starts_with("list"),
        };
        let columns = by.strategy.ends_with("columns");
        if columns && values.width() != by.keys.len() {
            let detail = "inconsistency in usage of column lists for partitioning".to_owned();
            self.told.fails("partition-bound", "1653", detail);
        }
        if !fits {
            let detail = format!("the values are not those of {} partitions", by.strategy);
            self.told.fails("partition-bound", "1480", detail);
        }
    }

    fn add_partitions(
        &mut self,
        table: &Relation,
        names: &[Ident],
        values: Option<PartitionValues>,
        if_not_exists: bool,
    ) {
        let by = table.partition_by.as_ref();
        let there = names.iter().find(|name| {
            by.is_some_and(|by| by.partitions.iter().any(|p| same(&p.value, name.as_str())))
        });
        if there.is_some() && if_not_exists {
            return;
        }
        if let Some(name) = there {
            let detail = format!("duplicate partition name {name}");
            self.told.fails("duplicate-object", "1517", detail);
        }
        let hashed = by.is_some_and(is_hashed);
        if hashed && if_not_exists {
            return;
        }
        self.other_values(by, values);
        if hashed {
            // Rows move to where the new count of partitions puts them.
            self.copied(table, "reorganize-partition");
            return;
        }
        if names.is_empty() && by.is_some() {
            let detail = "a count is for HASH and KEY: RANGE and LIST want values".to_owned();
            self.told.fails("partition-bound", "1492", detail);
        }
        let ranged = by.is_some_and(|by| !by.strategy.starts_with("system"));
        if values.is_none() && !names.is_empty() && ranged {
            let detail = "RANGE and LIST want VALUES for each partition".to_owned();
            self.told.fails("partition-bound", "1479", detail);
        }
        for code in ["1493", "1481", "1495"] {
            let detail = "fails if the bound is not above the last one, or its values are taken";
            self.told.may_fail("partition-bound", code, detail.to_owned());
        }
        self.metadata_only(table, "add-partition");
    }

    fn drop_partitions(&mut self, table: &Relation, names: &[Ident], if_exists: bool) {
        let by = table.partition_by.as_ref();
        if if_exists && Self::missing_partition(by, names).is_some() {
            return;
        }
        if by.is_some_and(is_hashed) {
            if if_exists {
                return;
            }
            let detail = "DROP PARTITION is for RANGE and LIST".to_owned();
            self.told.fails("partition-bound", "1512", detail);
        }
        if by.is_some_and(|by| by.strategy == "system_time") {
            self.history_partitions(table, names);
        }
        let all =
            by.is_some_and(|by| !by.partitions.is_empty() && names.len() >= by.partitions.len());
        if all {
            let detail = "cannot remove all partitions: use DROP TABLE".to_owned();
            self.told.fails("partition-bound", "1508", detail);
        } else {
            self.known_partitions(by, names, "1507");
        }
        for partition in names {
            let full = format!("{}.{partition}", table.name);
            self.told.loses(ObjectKind::Table, full, true, &table.name);
        }
        self.metadata_only(table, "drop-partition");
    }

    /// The partition of the present and one of the past stay (MariaDB, error 4128).
    fn history_partitions(&mut self, table: &Relation, names: &[Ident]) {
        let all = table.partition_by.as_ref().map_or(&[][..], |by| by.partitions.as_slice());
        let gone = |found: &Ident| names.iter().any(|name| same(name.as_str(), found.as_str()));
        let current = all.last().is_some_and(gone);
        let history = all.iter().rev().skip(1).filter(|found| !gone(found)).count();
        if !all.is_empty() && (current || history == 0) {
            let detail = "there must be at least one HISTORY and exactly one last CURRENT";
            self.told.fails("partition-bound", "4128", detail.to_owned());
        }
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
                            c.data_type.as_ref().map(|t| (t.name.clone(), t.args.clone())),
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
        if !self.is_mariadb() {
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

    /// A partition that is not there is told in the rows of the answer, except by REBUILD.
    fn maintained(&mut self, table: &Relation, what: &str, names: &[Ident]) {
        let by = table.partition_by.as_ref();
        let missing = Self::missing_partition(by, names).is_some();
        if what == "rebuild" {
            self.known_partitions(by, names, "1507");
            self.copied(table, "reorganize-partition");
            return;
        }
        let optimizes = what == "optimize" && !missing;
        if !self.is_mariadb() {
            let online = if optimizes {
                (Algorithm::Inplace, OnlineLock::None)
            } else {
                (Algorithm::Instant, OnlineLock::Default)
            };
            let (algorithm, lock) = online;
            self.told.out.online = Some(Online { algorithm, lock, rebuilds: optimizes });
        }
        match what {
            "optimize" if optimizes => {
                // InnoDB rebuilds all partitions, whichever is named.
                self.told.rewrite(&table.name, "optimize");
                self.exclusive(&table.name, "optimize", During::Instant);
            }
            "check" => self.told.scan(&table.name, "check-table"),
            "repair" => {
                self.told.scan(&table.name, "check-table");
                if !self.is_mariadb() {
                    self.exclusive(&table.name, "check-table", During::Instant);
                }
            }
            _ => {}
        }
    }
}

fn is_hashed(by: &PartitionBy) -> bool {
    by.strategy.ends_with("hash") || by.strategy.ends_with("key")
}
