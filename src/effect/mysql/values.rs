//! What the rows decide: duplicates, NULLs, values that do not fit, missing parents.
//!
//! MySQL manual, Server SQL Modes, Server Error Message Reference; MariaDB the same; measured on
//! MariaDB 10.11, 11.8 and MySQL 9.7, testdata/servers.

use super::alteration::Alteration;
use super::change::Changes;
use super::definition::is_virtual;
use super::types::{length_bytes, may_not_fit, removed_member};
use super::{Scene, same};
use crate::effect::{Algorithm, Online, TableState};
use crate::schema::{Charset, Column, Demand, Relation, Schema};
use crate::sql::ast::{ColumnDef, DataType, Expr, IndexKind, same_key};

impl Scene<'_> {
    /// Tells what fails if the rows are such; nothing of a table that is known to have none.
    pub(super) fn data_failures(
        &mut self,
        before: &Relation,
        alter: &Alteration<'_>,
        changes: &Changes,
        online: Online,
    ) {
        match self.told.state(&before.name) {
            TableState::NewEmpty | TableState::Empty => return,
            TableState::NewFilled | TableState::Existing => {}
        }
        for index in &changes.built {
            if index.kind == IndexKind::Unique {
                self.told.span = alter.clause_of_index(index);
                let detail = same_key(&index.parts);
                self.told.may_fail("duplicates-present", "1062", detail);
            }
        }
        for name in &changes.not_null {
            self.told.span = alter.clause_of_column(name);
            if !self.is_strict() {
                self.told.leaves(
                    "implicit-values-for-nulls",
                    format!("{}.{name}", before.name),
                    &before.name,
                );
                continue;
            }
            // A copy tells of the first value that does not fit, a rebuild of the NULL.
            let copies = online.algorithm == Algorithm::Copy;
            let code = if self.is_mariadb() || copies { "1265" } else { "1138" };
            let detail = format!("column `{name}` of `{}` may hold NULL", before.name.name);
            self.told.may_fail("nulls-present", code, detail);
        }
        self.told.span = alter.clause_of("add-foreign-key", changes);
        if changes.add_foreign_key && self.foreign_key_checks() {
            let detail = "fails if a row references a parent that is not there".to_owned();
            self.told.may_fail("orphans-present", "1452", detail);
        }
        let has_key = before.constraints.iter().any(|c| c.parent().is_some());
        let copies = online.algorithm == Algorithm::Copy && !self.is_mariadb();
        self.told.span = alter.clause_of(changes.cause(), changes);
        if has_key && copies && self.foreign_key_checks() {
            let detail = "the copy checks its foreign keys: fails on rows without a parent";
            self.told.may_fail("orphans-present", "1452", detail.to_owned());
        }
        if changes.ignore {
            let object = crate::sql::ast::ObjectKind::Table;
            self.told.loses_too(object, before.name.to_string(), true, &before.name);
        }
        self.told.span = alter.clause_of("add-check", changes);
        if changes.add_check && !(self.is_mariadb() && changes.adds_only_column_checks) {
            let code = self.code("4025", "3819");
            let detail = "fails if a row violates the CHECK".to_owned();
            self.told.may_fail("rows-violate", code, detail);
        }
        self.implicit_values(alter, changes);
        self.values_fit(before, alter);
        let copies = online.algorithm == Algorithm::Copy || online.rebuilds;
        self.computed_values(before, alter, copies || changes.built_over_new_virtual);
    }

    /// A new column that is NOT NULL has a value of the type's own in the rows that are there: no
    /// date is zero, and no geometry is empty.
    fn implicit_values(&mut self, alter: &Alteration<'_>, changes: &Changes) {
        let after = &alter.after;
        let implicit = after.table.columns.iter().zip(&after.origins).find(|(column, origin)| {
            let name = column.data_type.as_ref().map_or("", |t| t.name.as_str());
            let dated = matches!(name, "date" | "datetime") || super::refuse::is_geometry(name);
            origin.is_none() && column.not_null && column.default.is_none() && dated
        });
        if let Some((column, _)) = implicit {
            self.told.span = alter.clause_of_column(&column.name);
        }
        let refused = self.no_zero_date() && (self.is_strict() || self.is_mariadb());
        if changes.add_zero_date && refused {
            let detail = "fails on a table with rows: they get '0000-00-00'".to_owned();
            self.told.may_fail("values-do-not-fit", "1292", detail);
        }
        let geometry = implicit.is_some_and(|(column, _)| {
            column.data_type.as_ref().is_some_and(|t| super::refuse::is_geometry(&t.name))
        });
        if geometry && !self.is_mariadb() {
            let detail = "fails on a table with rows: there is no implicit geometry".to_owned();
            self.told.may_fail("nulls-present", "1138", detail);
        }
    }

    /// Values that the statement computes for the rows that are there may not be what they are
    /// taken for: text is counted with.
    fn computed_values(&mut self, before: &Relation, alter: &Alteration<'_>, computes: bool) {
        let table = &alter.after.table;
        let textual = |word: &String| {
            table.column_any_case(word).and_then(|c| c.data_type.as_ref()).is_some_and(|t| {
                t.name.contains("char") || t.name.ends_with("text") || t.name.contains("binary")
            })
        };
        let reads_text = |expr: &Expr| expr.columns.iter().any(textual);
        let reads_dates = |expr: &Expr| {
            let dated = |word: &String| {
                table.column_any_case(word).and_then(|c| c.data_type.as_ref()).is_some_and(|t| {
                    matches!(t.name.as_str(), "date" | "datetime" | "timestamp" | "time")
                })
            };
            let text = expr.text.to_lowercase();
            let compared = text.contains(|c: char| "<>=".contains(c))
                || text.contains(" in ")
                || text.contains(" between ");
            expr.columns.iter().any(dated) && compared
        };
        let counts =
            |expr: &Expr| expr.text.contains(|c: char| "+-*/%<>=".contains(c)) && reads_text(expr);
        for (column, origin) in table.columns.iter().zip(&alter.after.origins) {
            if origin.is_some() {
                continue;
            }
            self.told.span = alter.clause_of_column(&column.name);
            let name = column.data_type.as_ref().map_or("", |found| found.name.as_str());
            let detail = format!("a value computed for '{}' may not fit", column.name);
            if column.default.as_ref().is_some_and(|found| !found.columns.is_empty()) {
                let text = column.default.as_deref().is_some_and(reads_text);
                let code = if text { "1366" } else { "1264" };
                self.told.may_fail("values-do-not-fit", code, detail.clone());
            }
            // A virtual column is computed if it has an index or must not be NULL (MySQL).
            let looked_at = computes || column.not_null && !self.is_mariadb();
            let generated = column.generated.as_ref().filter(|_| looked_at);
            if generated.is_some_and(|found| counts(&found.expr)) {
                self.told.may_fail("values-do-not-fit", "1292", detail.clone());
            }
            if name == "json" && column.not_null && computes {
                // The implicit value, and a number, are no JSON.
                let (when, code) = ("rows-violate", self.code("4025", "3140"));
                self.told.may_fail(when, code, detail);
            }
        }
        for constraint in &table.constraints {
            let old = before.constraints.iter().any(|found| found.name == constraint.name);
            if let Demand::Check(check) = &constraint.kind
                && !old
                && computes
                && (counts(check)
                    || reads_dates(check)
                    || self.is_mariadb() && check.text.contains('\''))
            {
                self.told.span = alter.clause_of("add-check", &Changes::default());
                let detail = "a value that the CHECK reads may be no number".to_owned();
                self.told.may_fail("values-do-not-fit", "1292", detail);
            }
        }
    }

    fn values_fit(&mut self, before: &Relation, alter: &Alteration<'_>) {
        let after = &alter.after;
        for (at, new) in after.table.columns.iter().enumerate() {
            let origin = after.origins.get(at).copied().flatten();
            let Some(old) = origin.and_then(|origin| before.columns.get(origin)) else { continue };
            if is_virtual(new) {
                continue;
            }
            let types = old.data_type.as_ref().zip(new.data_type.as_ref());
            if let Some((left, right)) = types.filter(|(left, right)| left != right) {
                self.told.span = alter.clause_of_column(&new.name);
                self.value_fits(before, old, (left, right));
            }
        }
    }

    fn value_fits(
        &mut self,
        before: &Relation,
        old: &Column,
        (left, right): (&DataType, &DataType),
    ) {
        let members = matches!(left.name.as_str(), "enum" | "set") && left.name == right.name;
        let gone = if members { removed_member(left, right) } else { None };
        if !(gone.is_some() || (!members && may_not_fit(left, right))) {
            return;
        }
        let full = format!("{}.{}", before.name, old.name);
        let geometry = super::refuse::is_geometry(&right.name);
        if !self.is_strict() && !geometry {
            self.told.leaves("values-truncated", full.clone(), &before.name);
            let object = crate::sql::ast::ObjectKind::Column;
            self.told.loses_too(object, full, true, &before.name);
            return;
        }
        let detail = match gone {
            Some(member) => format!("fails if a row of {full} holds '{member}'"),
            None => format!("a value of {full} may not fit into {}", right.name),
        };
        let code = self.misfit_code(left, right);
        self.told.may_fail("values-do-not-fit", code, detail);
    }

    /// The error depends on the new type: too long, out of range, or not a value at all.
    fn misfit_code(&self, old: &DataType, new: &DataType) -> &'static str {
        let text = |name: &str| {
            matches!(name, "char" | "varchar" | "binary" | "varbinary")
                || name.ends_with("text")
                || name.ends_with("blob")
        };
        let number = |name: &str| {
            matches!(
                name,
                "tinyint"
                    | "smallint"
                    | "mediumint"
                    | "int"
                    | "bigint"
                    | "decimal"
                    | "float"
                    | "double"
            )
        };
        match (old.name.as_str(), new.name.as_str()) {
            // MariaDB casts between types of its own by way of text only.
            (before, after)
                if self.is_mariadb() && self.is_strict() && lacks_cast(before, after) =>
            {
                "4078"
            }
            (before, after) if super::refuse::is_geometry(before) && !self.is_mariadb() => {
                if after == "json" {
                    "3144"
                } else if super::refuse::is_geometry(after) {
                    "1416"
                } else {
                    "1366"
                }
            }
            (_, "enum" | "set") => "1265",
            (_, "bit") => "1406",
            (before, after) if super::refuse::is_geometry(after) => {
                let textual = text(before) || super::refuse::is_geometry(before);
                if textual || !self.is_strict() { "1416" } else { self.code("4078", "1416") }
            }
            (_, "json") => self.code("4025", "3140"),
            (before, after) if text(before) && text(after) => {
                let shortened = before == "varchar" && after == "varchar";
                if old.charset != new.charset {
                    self.code("1977", "1366")
                } else if shortened && length_bytes(old) == length_bytes(new) {
                    // The values are cut where they are, not stored anew.
                    "1265"
                } else {
                    "1406"
                }
            }
            (_, after) if text(after) => "1406",
            (before, after) if number(before) && number(after) => "1264",
            (before, after) if text(before) && number(after) => self.code("1292", "1366"),
            (_, "date" | "datetime" | "timestamp" | "time" | "year") => "1292",
            _ => "1265",
        }
    }
}

/// Returns the type of a definition with the character set that it gets in a table.
pub(super) fn resolved(
    schema: &Schema,
    table: &Relation,
    definition: &ColumnDef,
) -> Option<DataType> {
    let mut data_type = definition.data_type.clone()?;
    let default = Charset::of_table(schema.server, table);
    if let Some(found) = Charset::of_type(schema.server, &data_type, &default) {
        data_type.charset = Some(found.name);
        data_type.collation = Some(found.collation);
        data_type.binary = false;
    }
    let _ = same;
    Some(data_type)
}

/// Says whether MariaDB does not cast one type to the other: those it has beside numbers, dates and
/// text are cast to text and back alone, and geometries and addresses among themselves (measured on
/// 10.11 and 11.8).
fn lacks_cast(from: &str, to: &str) -> bool {
    let family = |name: &str| match name {
        "inet4" | "inet6" => Some("inet"),
        "uuid" => Some("uuid"),
        _ => super::refuse::is_geometry(name).then_some("geometry"),
    };
    let text = |name: &str| {
        ["char", "text", "blob", "binary"].iter().any(|end| name.ends_with(end))
            || matches!(name, "enum" | "set" | "json")
    };
    family(from) != family(to) && !text(from) && !text(to)
}
