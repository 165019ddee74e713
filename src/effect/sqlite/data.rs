//! INSERT, UPDATE, DELETE and SELECT.
//!
//! sqlite.org/lockingv3.html, foreignkeys.html; measured on SQLite 3.40 to 3.54,
//! testdata/servers/sqlite.

use super::{CONSTRAINT, SQL_ERROR, Scene};
use crate::effect::{During, HeldUntil, LockMode};
use crate::schema::{Demand, Name};
use crate::sql::ast::{Dml, DmlKind, ObjectKind, ReferentialAction};

impl Scene<'_> {
    pub(super) fn dml(&mut self, dml: &Dml) {
        let cause = match dml.kind {
            DmlKind::Select => {
                self.change(dml);
                return;
            }
            DmlKind::Insert => "insert",
            DmlKind::Update => "update",
            DmlKind::Delete => "delete",
            DmlKind::Merge | DmlKind::Replace | DmlKind::Load => "merge",
        };
        for target in &dml.targets {
            if Self::is_catalog(target) {
                if self.flag("writable_schema") != Some(true) {
                    let detail = format!("table {} may not be modified", target.name());
                    self.told.fails("wrong-object-kind", SQL_ERROR, detail);
                }
                let catalog = Self::catalog();
                self.locks(&catalog, cause, During::Instant);
                continue;
            }
            let table = self.table(target);
            if table.is_none() && self.schema().is_absent(target) {
                continue;
            }
            if let (Some(table), Some(change)) = (table, dml.tree.get()) {
                self.rows_written(table, change);
                self.deleted_by_triggers(table, change);
            }
            let name = self.schema().resolve(target);
            let every_row =
                dml.filter.is_none() && matches!(dml.kind, DmlKind::Update | DmlKind::Delete);
            let during = if every_row || dml.from_query { During::Scan } else { During::Instant };
            let end = if self.context.in_transaction {
                HeldUntil::TransactionEnd
            } else {
                HeldUntil::StatementEnd
            };
            self.told.lock(&name, LockMode::SqliteReserved, cause, (end, during));
            if dml.kind == DmlKind::Delete {
                self.told.loses(ObjectKind::Table, name.to_string(), true, &name);
                self.cascaded(&name, true);
            }
        }
        self.change(dml);
    }

    /// Deleting a parent's rows deletes those of its children, and theirs, or fails. A table that
    /// goes as a whole need not mind the keys within it.
    pub(super) fn cascaded(&mut self, parent: &Name, mind_own: bool) {
        if self.foreign_keys() == Some(false) {
            return;
        }
        let (mut queue, mut seen) = (vec![parent.clone()], Vec::new());
        while let Some(parent) = queue.pop() {
            for (child, constraint) in self.schema().foreign_keys_to(&parent) {
                let Demand::ForeignKey { on_delete, columns, .. } = &constraint.kind else {
                    continue;
                };
                if child.name == parent && !mind_own {
                    continue;
                }
                match on_delete {
                    ReferentialAction::Cascade if !seen.contains(&child.name) => {
                        let name = child.name.to_string();
                        self.told.loses_too(ObjectKind::Table, name, true, &child.name);
                        seen.push(child.name.clone());
                        queue.push(child.name.clone());
                    }
                    ReferentialAction::NoAction | ReferentialAction::Restrict => {
                        let detail = format!("fails if {} has rows that reference it", child.name);
                        self.told.may_fail("foreign-key-references", CONSTRAINT, detail);
                    }
                    ReferentialAction::SetNull | ReferentialAction::SetDefault => {
                        for column in columns {
                            let full = format!("{}.{column}", child.name);
                            self.told.loses_too(ObjectKind::Column, full, true, &child.name);
                        }
                    }
                    ReferentialAction::Cascade => {}
                }
            }
        }
    }
}
