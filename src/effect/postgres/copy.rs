//! COPY.
//!
//! PostgreSQL 12 to 18, DoCopy (copy.c); manual: COPY; measured, testdata/servers/postgres.

use super::dml::{Use, lock_ancestors, reads};
use super::referential::look_up;
use super::sheet::Sheet;
use super::{source, there};
use crate::effect::LockMode::{AccessShare, RowExclusive};
use crate::schema::{Name, Relation, RelationKind};
use crate::sql::ast::Copy;

/// Notes a relation that COPY does not take: it reads tables and, from PostgreSQL 18 on, filled
/// materialized views; it writes tables, and views with a trigger.
fn kind_refused(sheet: &mut Sheet<'_>, copy: &Copy, table: &Name) -> bool {
    let direction = if copy.from { "to" } else { "from" };
    let what = match sheet.table(table).map(|found| found.kind) {
        Some(RelationKind::View) => "view",
        Some(RelationKind::MaterializedView) if copy.from || !sheet.since(18) => {
            "materialized view"
        }
        Some(RelationKind::Sequence) => "sequence",
        Some(RelationKind::Foreign) if copy.from => {
            return super::foreign_table::lacks_handler(sheet, table);
        }
        Some(RelationKind::Foreign) => "foreign table",
        Some(RelationKind::Table | RelationKind::MaterializedView) | None => return false,
    };
    let triggered = sheet.table(table).is_some_and(|found| !found.triggers.is_empty());
    if copy.from && what == "view" && triggered {
        return false;
    }
    sheet.fails(
        "wrong-object-kind",
        "42809",
        format!("cannot copy {direction} {what} \"{table}\""),
    );
    true
}

/// Effects of COPY.
pub(super) fn copy(sheet: &mut Sheet<'_>, copy: &Copy) {
    if let Some(query) = &copy.query {
        reads(sheet, query, "copy", Use::Run);
    }
    let Some(written) = &copy.table else { return };
    let Some(table) = sheet.existing(written, false) else { return };
    let columns = copy.columns.iter().map(crate::sql::Ident::as_str);
    if kind_refused(sheet, copy, &table) || there::lacks_column(sheet, &table, columns) {
        return;
    }
    if copy.from {
        sheet.lock(&table, RowExclusive, "copy");
        lock_ancestors(sheet, &table, "copy");
        for member in sheet.family(&table, false).into_iter().skip(1) {
            if sheet.table(&member).is_some_and(|part| part.partition_of.is_some()) {
                sheet.lock(&member, RowExclusive, "partition-routing");
            }
        }
        let Some(found) = sheet.table(&table) else { return };
        for parent in found.constraints.iter().filter_map(|c| c.parent()) {
            look_up(sheet, parent);
        }
    } else {
        if sheet.table(&table).is_some_and(Relation::is_partitioned) {
            let detail = format!("cannot copy from partitioned table \"{table}\"");
            sheet.fails("wrong-object-kind", "42809", detail);
            return;
        }
        // PostgreSQL 12 does not keep the lock (measured).
        if sheet.since(13) {
            sheet.lock(&table, AccessShare, "copy");
        } else {
            sheet.lock_briefly(&table, AccessShare, "copy");
        }
        sheet.scan(&table, "copy", source::LOCKING);
    }
}
