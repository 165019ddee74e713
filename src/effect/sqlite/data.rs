//! INSERT, UPDATE, DELETE and SELECT.
//!
//! sqlite.org/lockingv3.html, foreignkeys.html; measured on SQLite 3.40 to 3.54,
//! testdata/servers/sqlite.

use super::{CONSTRAINT, SQL_ERROR, Scene, same};
use crate::effect::{During, HeldUntil, LockMode};
use crate::schema::{Demand, Relation, RelationKind};
use crate::sql::Ident;
use crate::sql::ast::{Dml, DmlKind, ObjectKind, ReferentialAction};

impl Scene<'_> {
    pub(super) fn dml(&mut self, dml: &Dml) {
        let cause = match dml.kind {
            DmlKind::Select => {
                self.read_tables(dml);
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
                if table.kind == RelationKind::View && table.triggers.is_empty() {
                    let detail = format!("cannot modify {} because it is a view", target.name());
                    self.told.fails("wrong-object-kind", SQL_ERROR, detail);
                }
                for column in &dml.columns {
                    self.written_column(table, column);
                }
                self.filtered_by(table, dml);
                self.left_null(table, dml);
                self.counted(table, dml);
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
        self.read_tables(dml);
    }

    fn written_column(&mut self, table: &Relation, column: &Ident) {
        let rowid = ["rowid", "oid", "_rowid_"].iter().any(|name| same(name, column.as_str()));
        let known = table.columns.iter().any(|found| same(&found.name, column.as_str()));
        if table.complete && table.kind == RelationKind::Table && !known && !rowid {
            let detail = format!("table {} has no column named {column}", table.name.name);
            self.told.fails("missing-column", SQL_ERROR, detail);
        }
    }

    /// UPDATE and DELETE of one table alone know the columns of that table.
    fn filtered_by(&mut self, table: &Relation, dml: &Dml) {
        let alone = dml.query.reads.iter().all(|read| dml.targets.contains(read));
        if let Some(filter) = &dml.filter
            && alone
            && table.kind == RelationKind::Table
            && matches!(dml.kind, DmlKind::Update | DmlKind::Delete)
        {
            self.words_exist(table, filter);
        }
    }

    /// A row has a value for each column named, or for each that is not generated.
    fn counted(&mut self, table: &Relation, dml: &Dml) {
        let Some(row) = dml.rows.iter().flatten().next() else { return };
        let own = table.columns.iter().filter(|column| column.generated.is_none()).count();
        let detail = if !dml.columns.is_empty() && dml.columns.len() != row.len() {
            format!("{} values for {} columns", row.len(), dml.columns.len())
        } else if dml.columns.is_empty()
            && table.complete
            && table.kind == RelationKind::Table
            && own > 0
            && own != row.len()
        {
            let name = &table.name.name;
            format!("table {name} has {own} columns but {} values were supplied", row.len())
        } else {
            return;
        };
        self.told.fails("type-mismatch", SQL_ERROR, detail);
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

    fn read_tables(&mut self, dml: &Dml) {
        let missing = dml
            .query
            .reads
            .iter()
            .find(|read| self.schema().is_absent(read) && !Self::is_catalog(read));
        if let Some(read) = missing {
            let detail = format!("no such table: {read}");
            self.told.fails("missing-object", SQL_ERROR, detail);
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
