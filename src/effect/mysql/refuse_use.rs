//! What uses a column, and so keeps it as it is: keys, partitions, indexes, checks, defaults.
//!
//! MySQL manual, Server Error Message Reference, MariaDB the same; measured on MariaDB 10.11, 11.8
//! and MySQL 9.7, testdata/servers.

use super::alteration::Alteration;
use super::{Scene, same};
use crate::schema::{Demand, Relation};
use crate::sql::ast::{ColumnDef, ExprShape, Key};

impl Scene<'_> {
    /// Foreign keys keep the columns they are over, on both sides.
    pub(super) fn keeps_column(&mut self, before: &Relation, alter: &Alteration<'_>, name: &str) {
        for constraint in &before.constraints {
            let Demand::ForeignKey { columns, .. } = &constraint.kind else { continue };
            let over = columns.iter().any(|found| same(found, name));
            if over && !alter.drops_constraint(&constraint.name) {
                let mariadb = if self.foreign_key_checks() { "1553" } else { "1828" };
                let code = self.code(mariadb, "1828");
                let detail = format!("column '{name}' is needed in '{}'", constraint.name);
                self.told.fails("foreign-key-references", code, detail);
            }
        }
        let schema = self.schema();
        for (child, constraint) in schema.foreign_keys_to(&before.name) {
            let Demand::ForeignKey { parent_columns, .. } = &constraint.kind else { continue };
            let over = parent_columns.iter().any(|found| same(found, name));
            if over && (child.name != before.name || self.is_mariadb()) {
                // MariaDB finds the index first that goes with the column.
                let primary =
                    before.primary_key().is_some_and(|key| key.iter().any(|c| same(c, name)));
                let index = self.is_mariadb() && !primary && self.foreign_key_checks();
                let code = if index { "1553" } else { "1829" };
                let detail = format!("column '{name}' is needed in a key of '{}'", child.name);
                self.told.fails("foreign-key-references", code, detail);
            }
        }
    }

    pub(super) fn partition_column(
        &mut self,
        before: &Relation,
        name: &str,
        mariadb: &'static str,
        drops: bool,
    ) {
        let used = before.partition_by.iter().flat_map(|by| &by.keys).any(|part| match &part.key {
            Key::Column(column) => same(column.as_str(), name),
            Key::Expr(expr) => expr.columns.iter().any(|c| same(c, name)),
        });
        if used && (drops || !self.is_mariadb()) {
            let code = self.code(mariadb, "3855");
            let detail = format!("column '{name}' has a partitioning function dependency");
            self.told.fails("column-in-use", code, detail);
        }
    }

    /// MySQL: an index over an expression keeps the columns of it.
    pub(super) fn functional_index(
        &mut self,
        before: &Relation,
        alter: &Alteration<'_>,
        name: &str,
    ) {
        let needs = before.indexes.iter().any(|index| {
            let over = index.parts.iter().any(|part| {
                matches!(&part.key, Key::Expr(expr)
                    if expr.columns.iter().any(|column| same(column, name)))
            });
            over && !alter.drops_index(&index.name)
        });
        if needs && !self.is_mariadb() {
            let detail = format!("column '{name}' has a functional index dependency");
            self.told.fails("column-in-use", "3837", detail);
        }
    }

    /// The function that parts a table is over whole numbers and dates.
    pub(super) fn partition_type(&mut self, before: &Relation, name: &str, definition: &ColumnDef) {
        let Some(by) = &before.partition_by else { return };
        if by.strategy.ends_with("columns") || by.strategy.ends_with("key") {
            return;
        }
        let data_type = definition.data_type.as_ref().map_or("", |found| found.name.as_str());
        let whole = data_type.ends_with("int") || matches!(data_type, "bit" | "year" | "");
        for part in &by.keys {
            let (code, detail) = match &part.key {
                Key::Expr(expr) if expr.columns.iter().any(|column| same(column, name)) => {
                    let broken = matches!(data_type, "decimal" | "float" | "double");
                    (broken.then_some("1491"), "the partition function returns the wrong type")
                }
                Key::Column(column) if same(column.as_str(), name) => {
                    ((!whole).then_some("1659"), "a column of this type parts no table")
                }
                Key::Expr(_) | Key::Column(_) => continue,
            };
            if let Some(code) = code {
                self.told.fails("partition-bound", code, detail.to_owned());
            }
        }
    }

    /// MariaDB compares and counts geometries, addresses and UUIDs among themselves and with text
    /// alone (measured on 10.11 and 11.8).
    pub(super) fn types_compared(
        &mut self,
        before: &Relation,
        after: &Relation,
        alter: &Alteration<'_>,
    ) {
        if !self.is_mariadb() {
            return;
        }
        let apart = |word: &String| {
            let data_type = after.column_any_case(word).and_then(|c| c.data_type.as_ref());
            data_type.is_some_and(|found| {
                super::refuse::is_geometry(&found.name)
                    || matches!(found.name.as_str(), "uuid" | "inet4" | "inet6")
            })
        };
        let counts = |expr: &crate::sql::ast::Expr| {
            let sign = |c: char| "+-*/%<>=".contains(c);
            let compares = expr.text.contains(sign) || expr.text.to_lowercase().contains(" in ");
            compares && expr.columns.iter().any(apart)
        };
        let old = |name: &str| before.constraints.iter().any(|found| same(&found.name, name));
        let check = after.constraints.iter().any(|found| {
            matches!(&found.kind, Demand::Check(check) if counts(check)) && !old(&found.name)
        });
        let computed = after.columns.iter().zip(&alter.after.origins).find(|(column, origin)| {
            let expr = column.generated.as_ref().map(|generated| &generated.expr);
            origin.is_none()
                && expr.is_some_and(|expr| {
                    counts(expr)
                        || expr.shape == ExprShape::Column && expr.columns.iter().any(apart)
                })
        });
        if check {
            self.told.span = alter.clause_of("add-check", &super::change::Changes::default());
        } else if let Some((column, _)) = computed {
            self.told.span = alter.clause_of_column(&column.name);
        } else {
            return;
        }
        let detail = "fails if values of types that do not compare are compared".to_owned();
        self.told.may_fail("type-mismatch", "4078", detail);
    }

    /// A CHECK over this column alone goes with it; one over others too is in the way.
    pub(super) fn check_column(&mut self, before: &Relation, alter: &Alteration<'_>, name: &str) {
        for constraint in &before.constraints {
            let Demand::Check(check) = &constraint.kind else { continue };
            let uses = check.columns.iter().any(|word| same(word, name));
            let others = check
                .columns
                .iter()
                .any(|word| !same(word, name) && before.column_any_case(word).is_some());
            if uses && others && !alter.drops_constraint(&constraint.name) {
                let code = self.code("1054", "3959");
                let detail = format!("check constraint '{}' uses column '{name}'", constraint.name);
                self.told.fails("column-in-use", code, detail);
            }
        }
    }

    pub(super) fn default_column(&mut self, before: &Relation, alter: &Alteration<'_>, name: &str) {
        for other in before.columns.iter().filter(|other| !same(&other.name, name)) {
            let uses = other.default.as_ref().is_some_and(|default| {
                default.shape == ExprShape::Other && default.columns.iter().any(|c| same(c, name))
            });
            if uses && !alter.drops(&other.name) {
                let code = self.code("1054", "3774");
                let detail = format!("column '{name}' has a default value expression dependency");
                self.told.fails("column-in-use", code, detail);
            }
        }
    }
}
