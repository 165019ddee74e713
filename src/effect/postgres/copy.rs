//! COPY.
//!
//! PostgreSQL 12 to 18, DoCopy (copy.c); manual: COPY; measured, testdata/servers/postgres.

use super::dml::{Use, lock_ancestors, look_up, reads};
use super::sheet::Sheet;
use super::source;
use crate::effect::LockMode::{AccessShare, RowExclusive};
use crate::schema::Relation;
use crate::sql::ast::Copy;

/// Effects of COPY.
pub(super) fn copy(sheet: &mut Sheet<'_>, copy: &Copy) {
    if let Some(query) = &copy.query {
        reads(sheet, query, "copy", Use::Run);
    }
    let Some(written) = &copy.table else { return };
    let Some(table) = sheet.existing(written, false) else { return };
    if copy.from {
        sheet.lock(&table, RowExclusive, "copy");
        lock_ancestors(sheet, &table, "copy");
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
