//! INSERT, UPDATE, DELETE and SELECT.
//!
//! sqlite.org/lockingv3.html, foreignkeys.html; measured on SQLite 3.40 to 3.54,
//! testdata/servers/sqlite.

use super::{CONSTRAINT, SQL_ERROR, Scene, same};
use crate::effect::{During, HeldUntil, LockMode};
use crate::schema::{Demand, Relation, RelationKind};
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
            if let Some(table) = table {
                self.left_null(table, dml);
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
                self.cascaded(&name);
            }
        }
        self.change(dml);
    }

    /// An INSERT that names its columns leaves the others NULL unless they have a default; the key
    /// that is the rowid takes the next number.
    fn left_null(&mut self, table: &Relation, dml: &Dml) {
        let inserts = matches!(dml.kind, DmlKind::Insert | DmlKind::Replace);
        if !inserts || dml.columns.is_empty() || table.kind != RelationKind::Table {
            return;
        }
        let rowid = |name: &str| {
            !table.options.contains_key("without rowid")
                && table.constraints.iter().any(|constraint| {
                    matches!(&constraint.kind, Demand::PrimaryKey(key)
                        if key.len() == 1 && key.iter().any(|column| same(column, name)))
                })
        };
        let left = table.columns.iter().find(|column| {
            let given = dml.columns.iter().any(|name| same(name.as_str(), &column.name));
            let filled = column.default.is_some() || column.generated.is_some();
            column.not_null && !given && !filled && !rowid(&column.name)
        });
        let Some(column) = left else { return };
        let detail = format!("NOT NULL constraint failed: {}.{}", table.name.name, column.name);
        if dml.from_query || dml.on_conflict {
            self.told.may_fail("value-missing", CONSTRAINT, detail);
        } else {
            self.told.fails("value-missing", CONSTRAINT, detail);
        }
    }

    fn cascaded(&mut self, parent: &crate::schema::Name) {
        if self.foreign_keys() == Some(false) {
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
                    self.told.may_fail("foreign-key-references", CONSTRAINT, detail);
                }
                ReferentialAction::SetNull | ReferentialAction::SetDefault => {}
            }
        }
    }
}
