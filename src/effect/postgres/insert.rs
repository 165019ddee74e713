//! What INSERT does beyond its own table: partitions that take the rows, parents that are looked
//! up, sequences that give values.
//!
//! PostgreSQL 12 to 18, manual: INSERT; ri_triggers.c for the rows of foreign keys; execPartition.c
//! for the partitions; measured, testdata/servers/postgres.

use super::prune::{self, Division};
use super::referential::look_up;
use super::sheet::Sheet;
use super::{column, terms};
use crate::effect::LockMode::RowExclusive;
use crate::schema::{Column, Constraint, Demand, Index, Name, Relation};
use crate::sql::ast::{Dml, IndexKind};

/// INSERT looks up parents by foreign key and takes values of sequences.
pub(super) fn insert(sheet: &mut Sheet<'_>, dml: &Dml, table: &Name, cause: &'static str) {
    let Some(found) = sheet.table(table) else { return };
    let values = Values { dml, table: found };
    let mut members = vec![table.clone()];
    if found.is_partitioned() {
        members = routed(sheet, &values, table);
        // Which partitions get rows is known of literals alone.
        let told = values.dml.rows.is_some();
        for member in &members {
            let cause = if told || member == table { cause } else { "partition-routing" };
            sheet.lock(member, RowExclusive, cause);
        }
    }
    if is_outside(sheet, &values, table)
        || is_homeless(sheet, &values, table)
        || violates_check(sheet, &values, table)
    {
        return;
    }
    for column in &found.columns {
        let written = values.written(&column.name).unwrap_or_default();
        let data_type = column.data_type.as_ref();
        let mut fresh =
            written.iter().filter_map(|value| column::fresh_value(sheet, data_type?, value));
        if let Some(value) = fresh.next() {
            let detail = format!("unsafe use of new value \"{value}\" of an enum type");
            sheet.fails("enum-value-uncommitted", "55P04", detail);
            return;
        }
    }
    let required = |column: &&Column| {
        column.not_null
            && !column.auto_increment
            && values
                .given(&column.name)
                .is_some_and(|given| given.iter().any(|value| value.eq_ignore_ascii_case("null")))
    };
    if let Some(column) = found.columns.iter().find(required) {
        let detail = format!("column \"{}\" of \"{table}\" gets no value", column.name);
        sheet.may_fail("value-missing", "23502", detail);
    }
    if found.has_rows && given_key(&values).is_some() {
        let detail = format!("a row of \"{table}\" may have the same key");
        sheet.may_fail("value-refused", "23505", detail);
    }
    let of_members = members.iter().filter_map(|member| sheet.table(member));
    let constraints: Vec<&Constraint> = of_members.flat_map(|table| &table.constraints).collect();
    for constraint in constraints {
        let checked = matches!(constraint.kind, Demand::Check(_)) && constraint.enforced;
        if checked && constraint.columns().iter().any(|column| values.written(column).is_some()) {
            let detail = format!("\"{}\" may refuse a value", constraint.name);
            sheet.may_fail("value-refused", "23514", detail);
        }
        if let Demand::ForeignKey { columns, parent, .. } = &constraint.kind
            && constraint.enforced
            && columns.iter().all(|column| values.may_fill(column))
        {
            look_up(sheet, parent);
        }
    }
    for column in found.columns.iter().filter(|column| values.takes_default(&column.name)) {
        column::used_sequences(sheet, column.default.as_deref());
        if column.auto_increment || column.identity.is_some() {
            for sequence in sheet.schema.owned_sequences(table, Some(&column.name)) {
                sheet.lock(&sequence.name, RowExclusive, cause);
            }
        }
    }
}

/// Returns a unique index whose columns all get values that are written, or constant defaults.
fn given_key<'v>(values: &Values<'v>) -> Option<&'v Index> {
    let given = |column: &&str| {
        let given = values.given(column);
        given.is_some_and(|all| all.iter().any(|value| !value.eq_ignore_ascii_case("null")))
    };
    values.table.indexes.iter().find(|index| {
        let columns = index.key_columns();
        let unique = index.kind == IndexKind::Unique || index.primary;
        unique && columns.len() == index.parts.len() && columns.iter().all(given)
    })
}

/// Notes keys and CHECKs over the columns that an UPDATE sets.
pub(super) fn sets_checked(sheet: &mut Sheet<'_>, dml: &Dml, table: &Name) {
    let Some(found) = sheet.table(table) else { return };
    let sets = |column: &&str| dml.columns.iter().any(|set| set.as_str() == *column);
    let unique = |index: &&Index| {
        (index.kind == IndexKind::Unique || index.primary) && index.key_columns().iter().any(sets)
    };
    if let Some(index) = found.indexes.iter().find(unique) {
        let detail = format!("a row may have the same key in \"{}\"", index.name);
        sheet.may_fail("value-refused", "23505", detail);
    }
    let check = found.constraints.iter().find(|own| {
        matches!(own.kind, Demand::Check(_)) && own.enforced && own.columns().iter().any(sets)
    });
    if let Some(check) = check {
        let detail = format!("\"{}\" may refuse a value", check.name);
        sheet.may_fail("value-refused", "23514", detail);
    }
}

/// `SET x = DEFAULT` takes values of sequences as INSERT does.
pub(super) fn takes_defaults(sheet: &mut Sheet<'_>, dml: &Dml, table: &Name) {
    let Some(outline) = dml.query.outline.get() else { return };
    for name in &outline.defaulted {
        let found = sheet.table(table).and_then(|found| found.column(name));
        let Some(column) = found else { continue };
        column::used_sequences(sheet, column.default.as_deref());
        if column.auto_increment || column.identity.is_some() {
            for sequence in sheet.schema.owned_sequences(table, Some(name)) {
                sheet.lock(&sequence.name, RowExclusive, "update");
            }
        }
    }
}

/// What an INSERT gives to the columns of its table.
struct Values<'v> {
    dml: &'v Dml,
    table: &'v Relation,
}

impl Values<'_> {
    /// Returns the place of a column in the rows, none where it is not among them.
    fn place(&self, column: &str) -> Option<usize> {
        if !self.dml.columns.is_empty() {
            return self.dml.columns.iter().position(|listed| listed.as_str() == column);
        }
        let at = self.table.columns.iter().position(|known| known.name == column)?;
        let width = self.dml.rows.iter().flatten().map(Vec::len).max();
        width.is_none_or(|width| at < width).then_some(at)
    }

    /// Returns what is written for a column, none where that is not known.
    fn written(&self, column: &str) -> Option<Vec<&str>> {
        let at = self.place(column)?;
        let rows = self.dml.rows.as_ref()?;
        rows.iter().map(|row| row.get(at).map(String::as_str)).collect()
    }

    /// Returns what rows get for a column, its default included, none where that is not known.
    fn given(&self, column: &str) -> Option<Vec<&str>> {
        if self.place(column).is_some() {
            return self.written(column);
        }
        let found = self.table.column(column)?;
        let computed = found.generated.is_some() || found.identity.is_some();
        match &found.default {
            _ if computed || found.auto_increment => None,
            Some(default) => Some(vec![default.text.as_str()]),
            None => Some(vec!["NULL"]),
        }
    }

    /// Returns the keys that rows have over some columns, none where they are not known.
    fn keys(&self, columns: &[&str]) -> Option<Vec<Vec<&str>>> {
        let given: Option<Vec<Vec<&str>>> =
            columns.iter().map(|column| self.given(column)).collect();
        let given = given?;
        let rows = given.iter().map(Vec::len).max()?;
        // A default is one for all rows.
        let key = |row: usize| -> Option<Vec<&str>> {
            given.iter().map(|column| column.get(row).or(column.first()).copied()).collect()
        };
        (0..rows).map(key).collect()
    }

    /// Says whether a row may get the column's default.
    fn takes_default(&self, column: &str) -> bool {
        match (self.place(column), self.written(column)) {
            (None, _) => true,
            (Some(_), Some(values)) => values.iter().any(|v| v.eq_ignore_ascii_case("default")),
            (Some(_), None) => false,
        }
    }

    /// Says whether the column may get a value that is not NULL.
    fn may_fill(&self, column: &str) -> bool {
        let default = self.table.column(column).is_some_and(|column| column.default.is_some());
        match (self.place(column), self.written(column)) {
            (None, _) => default,
            (Some(_), Some(values)) => values.iter().any(|value| {
                let defaulted = value.eq_ignore_ascii_case("default");
                if defaulted { default } else { !value.eq_ignore_ascii_case("null") }
            }),
            (Some(_), None) => true,
        }
    }
}

/// Returns the partitions that the rows of an INSERT go to: all that may be, where the rows are
/// not known. Only partitions that get rows are locked (PostgreSQL 12 to 18, measured).
fn routed(sheet: &Sheet<'_>, values: &Values<'_>, table: &Name) -> Vec<Name> {
    prune::filtered(sheet, table, &|division, bound| {
        let keys = division.columns().and_then(|columns| values.keys(&columns));
        keys.is_none_or(|keys| keys.iter().any(|key| division.takes(key, bound) != Some(false)))
    })
}

/// Notes rows that are outside of the partition they are put into. Says whether there are such.
fn is_outside(sheet: &mut Sheet<'_>, values: &Values<'_>, table: &Name) -> bool {
    let mut below = table.clone();
    for _ in 0..32 {
        let of = sheet.table(&below).and_then(|found| found.partition_of.as_ref());
        let Some((above, bound)) = of else { return false };
        let outside = Division::of(sheet, above).is_some_and(|division| {
            let keys = division.columns().and_then(|columns| values.keys(&columns));
            keys.is_some_and(|keys| keys.iter().any(|k| division.takes(k, bound) == Some(false)))
        });
        if outside {
            let detail = format!("a new row for \"{table}\" violates the partition constraint");
            // A trigger may give the row another key first.
            if values.table.triggers.is_empty() {
                sheet.fails("rows-violate", "23514", detail);
            } else {
                sheet.may_fail("rows-violate", "23514", detail);
            }
            return true;
        }
        below = above.clone();
    }
    false
}

/// Notes rows that no partition takes. Says whether there are such.
fn is_homeless(sheet: &mut Sheet<'_>, values: &Values<'_>, table: &Name) -> bool {
    let Some(division) = Division::of(sheet, table) else { return false };
    let Some(keys) = division.columns().and_then(|columns| values.keys(&columns)) else {
        return false;
    };
    let parts = sheet.schema.partitions(table);
    let known = values.table.complete;
    let homeless = known
        && keys.iter().any(|key| {
            let bounds = parts.iter().filter_map(|part| part.partition_of.as_ref());
            bounds.map(|(_, bound)| division.takes(key, bound)).all(|taken| taken == Some(false))
        });
    if homeless {
        let detail = format!("no partition of relation \"{table}\" found for row");
        sheet.fails("rows-violate", "23514", detail);
    }
    homeless
}

/// Notes a literal that a CHECK does not let through. Says whether there is one.
fn violates_check(sheet: &mut Sheet<'_>, values: &Values<'_>, table: &Name) -> bool {
    let checks = values.table.constraints.iter().filter(|check| check.enforced);
    let violated = checks.filter_map(|known| match &known.kind {
        Demand::Check(check) => Some((known, check)),
        Demand::PrimaryKey(_)
        | Demand::Unique(_)
        | Demand::Exclude(_)
        | Demand::ForeignKey { .. }
        | Demand::NotNull(_) => None,
    });
    let mut violated = violated.filter(|(_, check)| {
        check.columns.iter().any(|column| {
            let given = values.given(column).unwrap_or_default();
            let said = terms::terms_of(&check.text, column);
            given.iter().any(|value| said.iter().any(|term| term.refuses(value)))
        })
    });
    let Some((known, _)) = violated.next() else { return false };
    let detail = format!("a new row for \"{table}\" violates check constraint \"{}\"", known.name);
    // A trigger may give the row another value first.
    if values.table.triggers.is_empty() {
        sheet.fails("rows-violate", "23514", detail);
    } else {
        sheet.may_fail("rows-violate", "23514", detail);
    }
    true
}
