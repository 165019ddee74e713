//! Foreign keys: who is locked on the other side, and what is refused.
//!
//! MySQL manual, FOREIGN KEY Constraints; MariaDB manual, Foreign Keys; measured on MariaDB 10.11,
//! 11.8 and MySQL 9.7, testdata/servers.

use super::alteration::Alteration;
use super::change::Changes;
use super::{Scene, same};
use crate::effect::{Algorithm, During, HeldUntil, LockMode, Online};
use crate::schema::{Demand, Name, Relation};
use crate::sql::Span;
use crate::sql::ast::{
    ActionKind, AlterTable, ConstraintKind, DataType, ForeignKey, IndexKind, ReferentialAction,
};

impl Scene<'_> {
    /// Tells of the locks on tables that become, or cease to be, parents.
    ///
    /// MySQL 8.0 and later lock the parent exclusively for every change of a foreign key, and so
    /// wait for whoever reads it. MariaDB reads it for the check, and not at all with
    /// `foreign_key_checks=0`.
    pub(super) fn new_parents(
        &mut self,
        before: &Relation,
        alter: &Alteration<'_>,
        changes: &Changes,
    ) {
        let mut parents: Vec<(Name, &'static str, Span)> = Vec::new();
        for (span, key) in added_keys(alter) {
            let parent = self.schema().resolve(&key.parent);
            parents.push((parent, "add-foreign-key-parent", span));
        }
        if changes.drop_foreign_key {
            let span = alter.clause_of("drop-foreign-key", changes);
            for constraint in &before.constraints {
                let dropped = alter.drops_constraint(&constraint.name);
                if let (true, Some(parent)) = (dropped, constraint.parent()) {
                    parents.push((parent.clone(), "drop-foreign-key-parent", span));
                }
            }
        }
        let schema = self.schema();
        let there = |parent: &Name| schema.relation(parent).is_some() || !schema.complete;
        let others = parents.into_iter().filter(|(p, ..)| *p != before.name && there(p));
        for (parent, cause, span) in others {
            self.told.span = span;
            self.lock_parent(&parent, cause);
        }
    }

    /// Takes the lock on the parent of a foreign key that is made or dropped.
    pub(super) fn lock_parent(&mut self, parent: &Name, cause: &'static str) {
        let end = (HeldUntil::StatementEnd, During::Instant);
        if !self.is_mariadb() {
            self.told.lock(parent, LockMode::MdlExclusive, cause, end);
        } else if self.foreign_key_checks() || cause == "drop-foreign-key-parent" {
            self.told.lock(parent, LockMode::MdlSharedNoWrite, cause, end);
        }
    }

    /// Tells why a foreign key is refused.
    ///
    /// Engines other than InnoDB read it and keep none.
    pub(super) fn refused_key(
        &mut self,
        table: &Relation,
        key: &ForeignKey,
        alter: Option<&Alteration<'_>>,
    ) {
        if !super::is_innodb(table) {
            return;
        }
        if self.is_temporary(Some(table)) && !self.is_mariadb() {
            let detail = "a temporary table has no foreign keys".to_owned();
            self.told.fails("foreign-key-unsupported", "1215", detail);
            return;
        }
        self.key_over(table, key);
        let columns: Vec<&str> = key.columns.iter().map(|column| column.as_str()).collect();
        for column in &columns {
            if table.complete && table.column_any_case(column).is_none() {
                let detail = format!("key column '{column}' doesn't exist in table");
                self.told.fails("missing-column", "1072", detail);
                return;
            }
        }
        let set_null = [key.on_delete, key.on_update].contains(&ReferentialAction::SetNull);
        let not_null = columns
            .iter()
            .filter_map(|column| table.column_any_case(column))
            .find(|column| column.not_null);
        if let (true, Some(column)) = (set_null, not_null) {
            let code = self.code("1005", "1830");
            let detail = format!("column '{}' cannot be NOT NULL: SET NULL", column.name);
            self.told.fails("foreign-key-unsupported", code, detail);
        }
        if table.partition_by.is_some() && super::is_innodb(table) {
            let detail = "foreign keys are not supported in conjunction with partitioning";
            self.told.fails("foreign-key-unsupported", "1506", detail.to_owned());
        }
        let own = same(key.parent.name(), &table.name.name);
        let parent = if own { Some(table) } else { self.schema().find(&key.parent) };
        let Some(parent) = parent else {
            if self.schema().is_absent(&key.parent) && self.foreign_key_checks() {
                let code = self.code("1005", "1824");
                let detail = format!("failed to open the referenced table '{}'", key.parent);
                self.told.fails("missing-object", code, detail);
            }
            return;
        };
        let itself = own
            && key.columns.len() == key.parent_columns.len()
            && key
                .columns
                .iter()
                .zip(&key.parent_columns)
                .all(|(a, b)| same(a.as_str(), b.as_str()));
        if itself && !self.is_mariadb() {
            let detail = "a column cannot reference itself".to_owned();
            self.told.fails("parent-not-unique", "6125", detail);
            return;
        }
        if !super::is_innodb(parent) {
            let detail = format!("failed to open the referenced table '{}'", key.parent);
            self.told.fails("foreign-key-unsupported", self.code("1005", "1824"), detail);
        }
        if parent.partition_by.is_some() {
            let detail = "foreign keys are not supported in conjunction with partitioning";
            let code = self.code("1005", "1506");
            self.told.fails("foreign-key-unsupported", code, detail.to_owned());
        }
        self.refused_parent(table, parent, key, alter);
    }

    /// Tells which columns have no foreign key over them: those that no index is over, and those
    /// that are computed where it would change them.
    fn key_over(&mut self, table: &Relation, key: &ForeignKey) {
        use ReferentialAction::{Cascade, SetNull};
        let changes =
            matches!(key.on_delete, SetNull) || matches!(key.on_update, SetNull | Cascade);
        for name in &key.columns {
            let Some(column) = table.column_any_case(name.as_str()) else { continue };
            if column.generated.is_some() && changes {
                let detail = format!("column '{name}' is generated: nothing else sets it");
                let code = self.code("1905", "3104");
                self.told.fails("foreign-key-unsupported", code, detail);
            }
            let data_type = column.data_type.as_ref().map_or("", |found| found.name.as_str());
            let long = data_type.ends_with("text") || data_type.ends_with("blob");
            if super::definition::is_virtual(column) && !self.is_mariadb() {
                let detail = format!("a foreign key uses virtual column '{name}'");
                self.told.fails("foreign-key-unsupported", "3733", detail);
            }
            if long {
                let detail = format!("column '{name}' is in a key without a length");
                self.told.fails("blob-key-without-length", self.code("1005", "1170"), detail);
            } else if data_type == "json" && !self.is_mariadb() {
                let detail = format!("JSON column '{name}' cannot be indexed directly");
                self.told.fails("type-mismatch", "3152", detail);
            }
        }
    }

    /// A CHECK is not over columns that a foreign key changes on its own.
    pub(super) fn checks_beside_keys(&mut self, alter: &Alteration<'_>) {
        use ReferentialAction::{Cascade, SetDefault, SetNull};
        let table = &alter.after.table;
        let new = |action: &&crate::sql::ast::TableAction| {
            matches!(&action.kind, ActionKind::AddConstraint(added)
                if matches!(added.kind, ConstraintKind::Check(_) | ConstraintKind::ForeignKey(_)))
        };
        let Some(action) = alter.actions.iter().find(new) else { return };
        for key in &table.constraints {
            let Demand::ForeignKey { columns, on_delete, on_update, .. } = &key.kind else {
                continue;
            };
            let changes = matches!(on_delete, SetNull | SetDefault)
                || matches!(on_update, SetNull | SetDefault | Cascade);
            let check = table.constraints.iter().find(|found| {
                matches!(&found.kind, Demand::Check(check)
                    if check.columns.iter().any(|word| columns.iter().any(|c| same(c, word))))
            });
            if let Some(check) = check.filter(|_| changes) {
                self.told.span = action.span;
                let detail = format!("check '{}' is over a column that a key changes", check.name);
                let code = self.code("1901", "3823");
                self.told.fails("foreign-key-unsupported", code, detail);
            }
        }
    }

    fn refused_parent(
        &mut self,
        table: &Relation,
        parent: &Relation,
        key: &ForeignKey,
        alter: Option<&Alteration<'_>>,
    ) {
        let written: Vec<String> = key.parent_columns.iter().map(|c| c.value.clone()).collect();
        let referenced = if written.is_empty() {
            parent.primary_key().map(<[String]>::to_vec).unwrap_or_default()
        } else {
            written
        };
        if !parent.complete {
            return;
        }
        for (child, referenced) in key.columns.iter().zip(&referenced) {
            let Some(target) = parent.column_any_case(referenced) else {
                let mariadb = if self.foreign_key_checks() { "1005" } else { "1822" };
                let code = self.code(mariadb, "3734");
                let detail = format!("missing column '{referenced}' in the referenced table");
                self.told.fails("missing-column", code, detail);
                return;
            };
            let source = table.column_any_case(child.as_str());
            let types = source.and_then(|c| c.data_type.as_ref()).zip(target.data_type.as_ref());
            let unfit = types.is_some_and(|(left, right)| !compatible(left, right))
                || self.fitted_before(table, parent, (child.as_str(), referenced)) == Some(false);
            if unfit {
                let late = self.fitted_before(table, parent, (child.as_str(), referenced));
                if late == Some(true) && !self.foreign_key_checks() {
                    return;
                }
                let mariadb = match late {
                    Some(true) => "1025",
                    Some(false) | None => self.unfit(table, child.as_str(), alter),
                };
                let code = self.code(mariadb, "3780");
                let detail = format!(
                    "referencing column '{child}' and referenced column '{referenced}' are incompatible"
                );
                self.told.fails("type-mismatch", code, detail);
                return;
            }
        }
        self.refused_parent_key(parent, &referenced);
    }

    /// MariaDB looks at the old table first where a table references itself: what does not fit
    /// only in the end is found when the copy takes its name, and with `foreign_key_checks=0` not
    /// at all (measured on 10.11 and 11.8). Says whether it fitted there, if that table is itself.
    fn fitted_before(
        &self,
        table: &Relation,
        parent: &Relation,
        (child, referenced): (&str, &str),
    ) -> Option<bool> {
        let itself = table.name == parent.name && self.is_mariadb();
        let old = self.schema().relation(&parent.name).filter(|_| itself)?;
        let data_type = |from: &'_ Relation, column: &str| {
            from.column_any_case(column).and_then(|found| found.data_type.clone())
        };
        let types = data_type(table, child).zip(data_type(old, referenced));
        Some(types.is_some_and(|(left, right)| compatible(&left, &right)))
    }

    /// MariaDB without checks adds a foreign key in place, and has other words for one that does
    /// not fit, by whether an index is over its column already (measured on 10.11 and 11.8).
    fn unfit(&self, table: &Relation, child: &str, alter: Option<&Alteration<'_>>) -> &'static str {
        if self.foreign_key_checks() || !alter.is_some_and(|alter| alter.in_place) {
            return "1005";
        }
        let old = self.schema().relation(&table.name);
        let indexed = old.is_some_and(|found| {
            found.indexes.iter().any(|i| i.key_columns().first().is_some_and(|c| same(c, child)))
        });
        if indexed { "1822" } else { "1825" }
    }

    /// MySQL since 8.4 wants a unique key over just these columns
    /// (`restrict_fk_on_non_standard_key`), before it and MariaDB any index that begins with them.
    fn refused_parent_key(&mut self, parent: &Relation, referenced: &[String]) {
        let leads = |index: &crate::schema::Index| {
            index.parts.len() >= referenced.len()
                && referenced.iter().zip(&index.parts).all(|(column, part)| {
                    part.prefix.is_none()
                        && part.key.column().is_some_and(|found| same(found, column))
                })
        };
        let indexed = parent.indexes.iter().any(leads);
        let unique = parent.indexes.iter().any(|index| {
            index.kind == IndexKind::Unique && index.parts.len() == referenced.len() && leads(index)
        });
        if !indexed && !self.foreign_key_checks() {
            return;
        }
        if !indexed {
            let code = self.code("1005", if self.mysql_since(8, 4, 0) { "6125" } else { "1822" });
            let detail = "missing index for the constraint in the referenced table".to_owned();
            self.told.fails("parent-not-unique", code, detail);
        } else if !unique && self.mysql_since(8, 4, 0) {
            let strict = self.flag("restrict_fk_on_non_standard_key").unwrap_or(true);
            if strict {
                let detail = "missing unique key for the constraint in the referenced table";
                self.told.fails("parent-not-unique", "6125", detail.to_owned());
            }
        }
    }

    /// A copy does not rename the columns of a foreign key, on either side; that of MySQL does not
    /// change their values either: no other type, no NULL less, no AUTO_INCREMENT more or less
    /// (measured on 9.7, 10.11 and 11.8).
    pub(super) fn changed_by_copy(
        &mut self,
        before: &Relation,
        alter: &Alteration<'_>,
        changes: &Changes,
        best: Online,
    ) {
        if best.algorithm != Algorithm::Copy || !self.foreign_key_checks() {
            return;
        }
        for (new, origin) in alter.after.table.columns.iter().zip(&alter.after.origins) {
            let Some(old) = origin.and_then(|at| before.columns.get(at)) else { continue };
            let is = |name: &String| same(name, &new.name);
            let changed = old.auto_increment != new.auto_increment
                || changes.not_null.iter().any(is)
                || changes.copied.iter().any(|(name, _)| is(name));
            if changed && !self.is_mariadb() {
                self.refused_change(before, alter, &old.name, ("1832", "1833"));
            }
        }
        for column in &changes.renamed {
            self.refused_change(before, alter, column, ("1846", "1846"));
        }
        self.kept_by_copy(before, alter, changes);
    }

    /// MariaDB reads which foreign keys go from the words DROP FOREIGN KEY: where it copies, DROP
    /// CONSTRAINT leaves the key, and the copy takes the name of the table only if its types still
    /// fit (measured on 10.11 and 11.8).
    fn kept_by_copy(&mut self, before: &Relation, alter: &Alteration<'_>, changes: &Changes) {
        if !self.is_mariadb() {
            return;
        }
        for action in &alter.actions {
            let ActionKind::DropConstraint { name, .. } = &action.kind else { continue };
            let changed = before.constraints.iter().any(|found| {
                let over = |column: &String| changes.copied.iter().any(|(c, _)| same(c, column));
                matches!(&found.kind, Demand::ForeignKey { columns, .. }
                    if same(&found.name, name.as_str()) && columns.iter().any(over))
            });
            if changed {
                self.told.span = action.span;
                let detail = "error on rename: DROP CONSTRAINT leaves the foreign key in a copy";
                self.told.fails("type-mismatch", "1025", detail.to_owned());
            }
        }
    }

    /// Tells which foreign key keeps a column's type as it is: on MySQL one whose columns would no
    /// longer fit each other, on MariaDB any.
    pub(super) fn refused_type_change(
        &mut self,
        table: &Relation,
        alter: &Alteration<'_>,
        column: &str,
    ) {
        if self.is_mariadb() {
            return self.refused_change(table, alter, column, ("1832", "1833"));
        }
        let new = |name: &str| {
            let at = table.columns.iter().position(|found| same(&found.name, name))?;
            let now = alter.after.origins.iter().position(|origin| *origin == Some(at))?;
            alter.after.table.columns.get(now)?.data_type.clone()
        };
        let there = |of: &Relation, name: &str| {
            if of.name == table.name {
                return new(name);
            }
            of.column_any_case(name)?.data_type.clone()
        };
        let schema = self.schema();
        let own = table.constraints.iter().map(|constraint| (table, constraint));
        let misfit = own.chain(schema.foreign_keys_to(&table.name)).any(|(child, constraint)| {
            let Demand::ForeignKey { columns, parent, parent_columns, .. } = &constraint.kind
            else {
                return false;
            };
            let dropped = child.name == table.name && alter.drops_constraint(&constraint.name);
            let parent = schema.relation(parent).filter(|_| !dropped);
            let mut pairs = columns.iter().zip(parent_columns);
            parent.is_some_and(|parent| {
                pairs.any(|(from, to)| {
                    let ours = child.name == table.name && same(from, column)
                        || parent.name == table.name && same(to, column);
                    let types = there(child, from).zip(there(parent, to));
                    ours && types.is_some_and(|(left, right)| !compatible(&left, &right))
                })
            })
        });
        if misfit {
            let detail = format!("cannot change column '{column}': used in a foreign key");
            self.told.fails("foreign-key-references", "3780", detail);
        }
    }

    fn refused_change(
        &mut self,
        table: &Relation,
        alter: &Alteration<'_>,
        column: &str,
        (of_child, of_parent): (&'static str, &'static str),
    ) {
        let child = table.constraints.iter().any(|constraint| {
            matches!(&constraint.kind, Demand::ForeignKey { columns, .. }
                if columns.iter().any(|c| same(c, column))
                    && !alter.drops_constraint(&constraint.name))
        });
        let parent =
            self.schema().foreign_keys_to(&table.name).iter().any(|(child, constraint)| {
                let dropped = child.name == table.name && alter.drops_constraint(&constraint.name);
                matches!(&constraint.kind, Demand::ForeignKey { parent_columns, .. }
                if !dropped && parent_columns.iter().any(|c| same(c, column)))
            });
        if child || parent {
            let code = if child { of_child } else { of_parent };
            let detail = format!("cannot change column '{column}': used in a foreign key");
            self.told.fails("foreign-key-references", code, detail);
        }
    }
}

/// Returns the foreign keys that ALTER TABLE makes, and the clauses that do.
pub(super) fn added_keys(alter: &AlterTable) -> Vec<(Span, &ForeignKey)> {
    let mut keys = Vec::new();
    for action in &alter.actions {
        let constraints = if let ActionKind::AddConstraint(constraint) = &action.kind {
            std::slice::from_ref(constraint.as_ref())
        } else if let ActionKind::AddColumn { column, .. } = &action.kind {
            column.constraints.as_slice()
        } else {
            continue;
        };
        for constraint in constraints {
            if let ConstraintKind::ForeignKey(key) = &constraint.kind {
                keys.push((action.span, key));
            }
        }
    }
    keys
}

/// Says whether a foreign key may be over two types: the same integer width and sign, the same
/// character set and collation; lengths may differ.
fn compatible(left: &DataType, right: &DataType) -> bool {
    if left.name != right.name {
        let text = |t: &DataType| matches!(t.name.as_str(), "char" | "varchar");
        let binary = |t: &DataType| matches!(t.name.as_str(), "binary" | "varbinary");
        let same_kind = (text(left) && text(right)) || (binary(left) && binary(right));
        return same_kind && left.charset == right.charset && left.collation == right.collation;
    }
    let decimal = left.name != "decimal" || left.args == right.args;
    left.unsigned == right.unsigned
        && decimal
        && left.charset == right.charset
        && left.collation == right.collation
}
