//! INSERT, UPDATE, DELETE, LOCK TABLES, and the statements that look after tables.
//!
//! MySQL manual, Locks Set by Different SQL Statements in InnoDB, LOCK TABLES; MariaDB the same;
//! measured on MariaDB 10.11, 11.8 and MySQL 9.7, testdata/servers.

use super::{Scene, same};
use crate::effect::{During, HeldUntil, LockMode, TableState};
use crate::schema::{Column, Demand, Name, RelationKind};
use crate::sql::ast::{
    Dml, DmlKind, LockTables, Maintenance, MaintenanceKind, ObjectKind, ReferentialAction,
};

impl Scene<'_> {
    pub(super) fn dml(&mut self, dml: &Dml) {
        let (cause, every) = match dml.kind {
            DmlKind::Select => {
                self.locked_reads(dml);
                return;
            }
            DmlKind::Insert => ("insert", false),
            DmlKind::Update => ("update", dml.filter.is_none() && !dml.limit),
            DmlKind::Delete => ("delete", dml.filter.is_none() && !dml.limit),
            DmlKind::Merge | DmlKind::Replace | DmlKind::Load => ("merge", false),
        };
        let end = self.end();
        let during = if every || dml.from_query || dml.filter.is_some() {
            During::Scan
        } else {
            During::Instant
        };
        let inserts = matches!(dml.kind, DmlKind::Insert | DmlKind::Replace | DmlKind::Load);
        for target in &dml.targets {
            if self.table(target).is_none() && self.schema().is_absent(target) {
                continue;
            }
            let name = self.schema().resolve(target);
            if self.is_temporary(self.schema().relation(&name)) {
                continue;
            }
            self.told.lock(&name, LockMode::MdlSharedWrite, cause, (end, during));
            let rows = dml.kind != DmlKind::Insert || dml.on_conflict;
            if rows && self.locks_rows(dml, &name) {
                // Every row that is looked at stays locked until the transaction ends.
                self.told.lock(&name, LockMode::InnodbExclusiveRows, cause, (end, during));
            }
            if dml.kind == DmlKind::Delete {
                self.told.loses(ObjectKind::Table, name.to_string(), true, &name);
                self.cascades(&name);
            }
            self.written_columns(dml, &name);
            self.values_missing(dml, &name);
            self.set_to_null(dml, &name);
            self.set_generated(dml, &name);
            self.unique_rows(dml, &name);
            if let Some(table) = self.schema().relation(&name).filter(|_| inserts) {
                self.counted_through(table, table);
            }
        }
        // REPEATABLE READ: rows that INSERT … SELECT reads are locked against writers.
        for read in dml.query.reads.iter().filter(|read| !dml.targets.contains(read)) {
            if self.table(read).is_none() && self.schema().is_absent(read) {
                continue;
            }
            let name = self.schema().resolve(read);
            self.told.lock(&name, LockMode::MdlSharedRead, cause, (end, during));
            self.told.lock(&name, LockMode::InnodbSharedRows, cause, (end, during));
        }
    }

    fn end(&self) -> HeldUntil {
        if self.context.in_transaction {
            HeldUntil::TransactionEnd
        } else {
            HeldUntil::StatementEnd
        }
    }

    /// InnoDB locks the rows that are looked at; none is where a NOT NULL column is to be NULL.
    fn locks_rows(&self, dml: &Dml, name: &Name) -> bool {
        let Some(table) = self.schema().relation(name) else { return true };
        let never = dml.filter.as_ref().is_some_and(|filter| {
            let [column] = filter.columns.as_slice() else { return false };
            let asked = filter.text.trim().to_lowercase();
            asked == format!("{} is null", column.to_lowercase())
                && table.column_any_case(column).is_some_and(|found| found.not_null)
        });
        super::is_innodb(table) && !never
    }

    /// What INSERT and UPDATE write are columns of the table, if it is only one.
    fn written_columns(&mut self, dml: &Dml, name: &Name) {
        let Some(table) = self.schema().relation(name).filter(|found| found.complete) else {
            return;
        };
        let missing = |column: &&crate::sql::Ident| {
            table.kind == RelationKind::Table && table.column_any_case(column.as_str()).is_none()
        };
        if let Some(column) = dml.columns.iter().find(missing).filter(|_| dml.targets.len() == 1) {
            let detail = format!("unknown column '{column}' in 'field list'");
            self.told.fails("missing-column", "1054", detail);
        }
    }

    /// Tells of a column that INSERT gives no value and that has no default (strict mode; measured
    /// on 10.11, 11.8 and 9.7).
    ///
    /// An ENUM has its first member, a trigger may give a value, IGNORE takes the type's own zero.
    /// MySQL looks at it row by row, MariaDB also where a query returns none.
    fn values_missing(&mut self, dml: &Dml, name: &Name) {
        let inserts = matches!(dml.kind, DmlKind::Insert | DmlKind::Replace);
        let Some(table) = self.schema().relation(name).filter(|found| found.complete) else {
            return;
        };
        if !inserts || dml.columns.is_empty() || !self.is_strict() {
            return;
        }
        let enumerated =
            |column: &Column| column.data_type.as_ref().is_some_and(|found| found.name == "enum");
        let missing = table.columns.iter().find(|column| {
            column.not_null
                && column.default.is_none()
                && column.generated.is_none()
                && !column.auto_increment
                && !enumerated(column)
                && !dml.columns.iter().any(|given| same(given.as_str(), &column.name))
        });
        if let Some(column) = missing {
            let detail = format!("field '{}' doesn't have a default value", column.name);
            // A trigger may give the value.
            let given = !table.triggers.is_empty();
            if given || dml.on_conflict || dml.from_query && !self.is_mariadb() {
                self.told.may_fail("value-missing", "1364", detail);
            } else {
                self.told.fails("value-missing", "1364", detail);
            }
        }
    }

    /// Tells of a NOT NULL column that UPDATE sets to NULL. It fails at the first row, so not on
    /// a table without any, nor where a trigger gives the value; IGNORE takes the type's own zero,
    /// and so does a server that is not strict (MySQL manual, "UPDATE Statement"; measured on 9.7,
    /// 10.11 and 11.8).
    fn set_to_null(&mut self, dml: &Dml, name: &Name) {
        let Some(table) = self.schema().relation(name) else { return };
        if dml.kind != DmlKind::Update || dml.on_conflict || !self.is_strict() {
            return;
        }
        let values = dml.rows.iter().flatten().flatten();
        let set = dml.columns.iter().zip(values).find(|(column, value)| {
            value.eq_ignore_ascii_case("null")
                && table.column_any_case(column.as_str()).is_some_and(|found| found.not_null)
        });
        if let Some((column, _)) = set.filter(|_| dml.targets.len() == 1) {
            let detail = format!("column '{column}' cannot be null");
            self.told.may_fail("nulls-present", "1048", detail);
        }
    }

    /// MySQL computes a generated column and takes nothing but DEFAULT for it (manual, "UPDATE
    /// Statement"); MariaDB takes NULL too.
    fn set_generated(&mut self, dml: &Dml, name: &Name) {
        let Some(table) = self.schema().relation(name) else { return };
        let values = dml.rows.iter().flatten().flatten();
        let set = dml.columns.iter().zip(values).find(|(column, value)| {
            !value.eq_ignore_ascii_case("default")
                && table.column_any_case(column.as_str()).is_some_and(|c| c.generated.is_some())
        });
        let update = dml.kind == DmlKind::Update && dml.targets.len() == 1 && !dml.on_conflict;
        if let Some((column, _)) = set.filter(|_| update && !self.is_mariadb()) {
            let detail = format!("the value specified for generated column '{column}'");
            self.told.fails("identity-misuse", "3105", format!("{detail} is not allowed"));
        }
    }

    fn unique_rows(&mut self, dml: &Dml, name: &Name) {
        let adds = matches!(dml.kind, DmlKind::Insert) && !dml.on_conflict;
        let empty = matches!(self.told.state(name), TableState::NewEmpty | TableState::Empty);
        let keyed = self.schema().relation(name).is_some_and(|table| {
            table.constraints.iter().any(crate::schema::Constraint::has_index)
        });
        if adds && keyed && !empty && !dml.from_query {
            let detail = "fails if a row with the same key is there".to_owned();
            self.told.may_fail("duplicates-present", "1062", detail);
        }
    }

    fn locked_reads(&mut self, dml: &Dml) {
        let end = self.end();
        for read in &dml.query.row_locks {
            let name = self.schema().resolve(read);
            let cause = "select-for-update";
            self.told.lock(&name, LockMode::MdlSharedWrite, cause, (end, During::Scan));
            self.told.lock(&name, LockMode::InnodbExclusiveRows, cause, (end, During::Scan));
        }
    }

    /// Rows of children that go, or lose their reference, with those of their parent.
    fn cascades(&mut self, parent: &Name) {
        if !self.foreign_key_checks() {
            return;
        }
        for (child, constraint) in self.schema().foreign_keys_to(parent) {
            let Demand::ForeignKey { on_delete, .. } = &constraint.kind else { continue };
            match on_delete {
                ReferentialAction::Cascade => {
                    let name = child.name.to_string();
                    self.told.loses_too(ObjectKind::Table, name, true, &child.name);
                }
                ReferentialAction::NoAction | ReferentialAction::Restrict => {
                    let detail = format!("fails if {} has rows that reference it", child.name);
                    self.told.may_fail("foreign-key-references", "1451", detail);
                }
                ReferentialAction::SetNull | ReferentialAction::SetDefault => {}
            }
        }
    }

    /// LOCK TABLES commits what is open, and holds until UNLOCK TABLES.
    pub(super) fn lock_tables(&mut self, lock: &LockTables) {
        if lock.unlock {
            // It commits what LOCK TABLES began, and nothing else (measured on 10.11 and 9.7).
            return;
        }
        self.commits();
        for table in &lock.tables {
            let known = self.table(table);
            if known.is_none() && self.schema().is_absent(table) {
                continue;
            }
            let mode = if lock.read.contains(table) {
                LockMode::MdlSharedNoWrite
            } else {
                LockMode::MdlExclusive
            };
            let name = self.schema().resolve(table);
            let held = (HeldUntil::TransactionEnd, During::Instant);
            // A view has no rows: the tables that it reads are locked.
            let view = known.filter(|found| found.kind == RelationKind::View);
            for (read, _) in view.into_iter().flat_map(|view| &view.reads) {
                self.told.lock(read, mode, "explicit-lock", held);
            }
            if view.is_none() {
                self.told.lock(&name, mode, "explicit-lock", held);
                self.relatives(&name, "explicit-lock");
            }
        }
    }

    pub(super) fn maintenance(&mut self, maintenance: &Maintenance) {
        // CHECKSUM only reads (measured on 10.11, 11.8 and 9.7).
        if maintenance.kind != MaintenanceKind::Checksum {
            self.commits();
        }
        for table in maintenance.tables.iter().filter(|name| !self.told.schema.is_absent(name)) {
            let name = self.schema().resolve(table);
            let known = self.schema().relation(&name);
            match maintenance.kind {
                MaintenanceKind::Optimize => {
                    // The history of a versioned table would change with its rows (MariaDB).
                    if known.is_some_and(|table| table.system_versioning) {
                        continue;
                    }
                    // Told in the rows of the answer: it would make a table without a key.
                    let keyless = known.is_some_and(|table| table.primary_key().is_none());
                    if keyless && self.flag("sql_require_primary_key") == Some(true) {
                        continue;
                    }
                    let online = known.map(|table| self.optimize_online(table));
                    self.told.rewrite(&name, "optimize");
                    if let Some(online) = online {
                        self.online_locks(&name, "optimize", online, During::Rewrite);
                    } else {
                        self.exclusive(&name, "optimize", During::Instant);
                    }
                    self.relatives(&name, "optimize");
                }
                MaintenanceKind::Check | MaintenanceKind::Checksum => {
                    self.told.scan(&name, "check-table");
                    // MySQL opens the definition anew (measured on 9.7).
                    let upgrade = maintenance.options.iter().any(|option| option == "upgrade");
                    if upgrade && !self.is_mariadb() {
                        self.exclusive(&name, "check-table", During::Instant);
                    }
                }
                MaintenanceKind::Repair => {
                    // MariaDB 11.8 makes an InnoDB table anew; 10.11 and MySQL 9.7 refuse it.
                    let own = known.is_some_and(|found| !super::is_innodb(found));
                    if own || known.is_some() && self.mariadb_since(11, 8) {
                        self.told.rewrite(&name, "check-table");
                        self.exclusive(&name, "check-table", During::Rewrite);
                    }
                }
                MaintenanceKind::Flush => {
                    let reads =
                        maintenance.options.iter().any(|option| option.contains("read lock"));
                    // MariaDB closes the table for everybody (measured on 10.11 and 11.8).
                    if !reads && self.is_mariadb() {
                        self.exclusive(&name, "flush", During::Instant);
                    }
                    if reads {
                        let held = (HeldUntil::TransactionEnd, During::Instant);
                        self.told.lock(&name, LockMode::MdlSharedNoWrite, "explicit-lock", held);
                    }
                }
                MaintenanceKind::Analyze
                | MaintenanceKind::Vacuum
                | MaintenanceKind::Cluster
                | MaintenanceKind::Checkpoint => {}
            }
        }
    }
}
