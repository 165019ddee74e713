//! NOT NULL: set, dropped, and known from elsewhere.
//!
//! PostgreSQL 12 to 18, tablecmds.c: ATExecSetNotNull, NotNullImpliedByRelConstraints,
//! ATExecDropNotNull; manual: ALTER TABLE; measured, testdata/servers/postgres.

use super::column::{check_there, check_there_first};
use super::sheet::Sheet;
use super::source;
use super::target::Target;
use crate::schema::{Demand, Name, Relation};
use crate::sql::ast::{ExprShape, ObjectKind, TableConstraint};

/// Effects of SET NOT NULL: every row is read, unless a valid CHECK proves it.
pub(super) fn set_not_null(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    column: &str,
    cause: &'static str,
) {
    if !check_there(sheet, target, column) {
        return;
    }
    let partitioned = sheet.table(&target.name).is_some_and(|table| table.partition_by.is_some());
    let marked = is_marked(sheet, &target.name, column);
    let open = |child: &&Relation| !is_marked(sheet, &child.name, column);
    let lacking = sheet.schema.children(&target.name).iter().any(open);
    if target.only && partitioned && !marked && lacking {
        let detail = "constraint must be added to child tables too".to_owned();
        sheet.fails("wrong-object-kind", "42P16", detail);
        return;
    }
    let new = target.beside.new_columns.iter().find(|new| new.name.as_str() == column);
    let mut changes = false;
    for member in sheet.family(&target.name, target.only) {
        if is_proven(sheet, target, &member, column) {
            continue;
        }
        changes = true;
        let filled = new.is_some_and(|new| {
            new.default.as_ref().is_some_and(|d| d.shape != ExprShape::Null)
                || new.identity.is_some()
        });
        sheet.scan(&member, cause, source::ALTER_TABLE);
        if !filled {
            let detail = format!("column \"{column}\" of \"{}\" may hold NULL", member.name);
            sheet.may_fail("nulls-present", "23502", detail);
        }
    }
    let found = sheet.table(&target.name).and_then(|table| table.column(column));
    if changes || !found.is_some_and(|found| found.not_null) {
        let full = format!("{}.{column}", target.name);
        sheet.breaks("new-not-null", ObjectKind::Column, full, &target.name);
    }
}

/// Says whether a column cannot hold NULL: it is NOT NULL, or a valid CHECK says so that the same
/// statement does not drop.
pub(super) fn is_proven(
    sheet: &Sheet<'_>,
    target: &Target<'_>,
    table: &Name,
    column: &str,
) -> bool {
    let Some(found) = sheet.table(table) else { return false };
    is_marked(sheet, table, column)
        || found.constraints.iter().any(|constraint| {
            let dropped = target.beside.dropped_constraints.contains(&constraint.name.as_str());
            let proves = matches!(
                &constraint.kind,
                Demand::Check(check) if check.proves_not_null.iter().any(|name| name == column)
            );
            proves && constraint.valid && constraint.enforced && !dropped
        })
}

/// Says whether a column is NOT NULL already.
pub(super) fn is_marked(sheet: &Sheet<'_>, table: &Name, column: &str) -> bool {
    let column = sheet.table(table).and_then(|found| found.column(column));
    column.is_some_and(|found| found.not_null && !found.not_null_not_valid)
}

/// Effects of DROP NOT NULL.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are alike here")]
pub(super) fn drop_not_null(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &str) {
    if !check_there_first(sheet, target, column) {
        return;
    }
    let name = &target.name;
    let partitioned = sheet.table(name).is_some_and(Relation::is_partitioned);
    let parts = !sheet.schema.partitions(name).is_empty();
    if target.only && partitioned && parts && !sheet.since(18) {
        let detail = "cannot remove constraint from only the partitioned table when partitions \
                      exist";
        sheet.fails("wrong-object-kind", "42P16", detail.to_owned());
        return;
    }
    if let Some(table) = sheet.table(name) {
        let dropped = |constraint: &str| target.beside.dropped_constraints.contains(&constraint);
        let key = table.constraints.iter().any(|constraint| match &constraint.kind {
            Demand::PrimaryKey(columns) => {
                columns.iter().any(|key| key == column) && !dropped(&constraint.name)
            }
            _ => false,
        });
        if key {
            let detail = format!("column \"{column}\" is in a primary key");
            sheet.fails("column-in-use", "42P16", detail);
            return;
        }
        if table.column(column).is_some_and(|found| found.identity.is_some()) {
            let detail = format!("column \"{column}\" is an identity column");
            sheet.fails("identity-misuse", "42601", detail);
            return;
        }
        let parent = table.partition_of.as_ref().and_then(|(parent, _)| sheet.table(parent));
        if parent.and_then(|parent| parent.column(column)).is_some_and(|found| found.not_null) {
            let detail = format!("column \"{column}\" is marked NOT NULL in the parent table");
            sheet.fails("column-in-use", "42P16", detail);
            return;
        }
        // PostgreSQL 18 keeps NOT NULL as a constraint that children inherit.
        let marked = |above: &&Relation| {
            let passed_on = !above.constraints.iter().any(|own| {
                own.no_inherit && matches!(&own.kind, Demand::NotNull(of) if of == column)
            });
            passed_on && above.column(column).is_some_and(|found| found.not_null)
        };
        if sheet.since(18) && sheet.schema.parents(name).iter().any(marked) {
            let detail = format!("cannot drop the inherited NOT NULL of column \"{column}\"");
            sheet.fails("column-in-use", "42P16", detail);
            return;
        }
    }
    let full = format!("{name}.{column}");
    sheet.breaks("drop-not-null", ObjectKind::Column, full, name);
}

/// A column has one NOT NULL constraint, which keeps its name (PostgreSQL 18, measured).
pub(super) fn has_other_not_null(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    added: &TableConstraint,
    column: &str,
) -> bool {
    let Some(name) = &added.name else { return false };
    let table = sheet.table(&target.name).filter(|table| table.complete);
    let other = table.into_iter().flat_map(|table| &table.constraints).any(|known| {
        let of = matches!(&known.kind, Demand::NotNull(of) if of == column);
        let dropped = target.beside.dropped_constraints.contains(&known.name.as_str());
        of && known.name != name.value && !dropped
    });
    if other {
        let detail = format!("cannot create not-null constraint \"{name}\" on column \"{column}\"");
        sheet.fails("duplicate-object", "55000", detail);
    }
    other
}

/// A NOT NULL that children inherit is not made on the parent alone (PostgreSQL 18,
/// ATAddCheckNNConstraint); one that is there already is merged.
pub(super) fn is_alone(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    added: &TableConstraint,
    column: &str,
) -> bool {
    let children = !sheet.schema.children(&target.name).is_empty();
    let there = sheet.table(&target.name).and_then(|table| table.column(column));
    let merged = there.is_some_and(|column| column.not_null);
    let alone = target.only && children && !added.no_inherit && !merged;
    if alone {
        let detail = "constraint must be added to child tables too".to_owned();
        sheet.fails("wrong-object-kind", "42P16", detail);
    }
    alone
}

/// Says whether a table below one inherits the same from a table that is not among those below.
pub(super) fn has_other_source(
    sheet: &Sheet<'_>,
    table: &Name,
    has: impl Fn(&Relation) -> bool,
) -> bool {
    let family = sheet.family(table, false);
    let below = family.iter().skip(1);
    let mut above = below.flat_map(|member| sheet.schema.parents(member));
    above.any(|above| !family.contains(&above.name) && has(above))
}
