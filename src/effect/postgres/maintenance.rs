//! VACUUM, ANALYZE, CLUSTER, REFRESH, LOCK TABLE.
//!
//! PostgreSQL 12 to 18, vacuum_rel (vacuum.c), cluster_rel (cluster.c), ExecRefreshMatView
//! (matview.c), LockTableCommand (lockcmds.c); the manual's page of each; measured,
//! testdata/servers/postgres.

use super::sheet::Sheet;
use super::{dml, foreign_table, object, source, table_refused, there};
use crate::effect::LockMode::{AccessExclusive, AccessShare, Exclusive, ShareUpdateExclusive};
use crate::schema::{Name, Relation, RelationKind};
use crate::sql::ast::{
    IndexKind, LockTables, Maintenance, MaintenanceKind, RefreshMaterializedView,
};

/// Effects of VACUUM, ANALYZE and CLUSTER.
pub(super) fn run(sheet: &mut Sheet<'_>, maintenance: &Maintenance) {
    match maintenance.kind {
        MaintenanceKind::Vacuum => vacuum(sheet, maintenance),
        MaintenanceKind::Analyze => analyze(sheet, maintenance),
        MaintenanceKind::Cluster => cluster(sheet, maintenance),
        MaintenanceKind::Checkpoint
        | MaintenanceKind::Optimize
        | MaintenanceKind::Repair
        | MaintenanceKind::Check
        | MaintenanceKind::Checksum
        | MaintenanceKind::Flush => {}
    }
}

/// Says whether an option is written and not switched off.
fn has(maintenance: &Maintenance, option: &str) -> bool {
    maintenance.options.iter().any(|written| {
        let (name, value) = written.split_once('=').unwrap_or((written, "true"));
        name == option && !matches!(value, "false" | "off" | "0")
    })
}

/// Returns the tables that a command without names works on.
fn all_tables(sheet: &Sheet<'_>) -> Vec<Name> {
    let tables = sheet.schema.relations.values().filter(|table| table.has_storage());
    tables.map(|table| table.name.clone()).collect()
}

fn named(sheet: &mut Sheet<'_>, maintenance: &Maintenance) -> Vec<Name> {
    if maintenance.tables.is_empty() {
        return all_tables(sheet);
    }
    let mut names = Vec::new();
    for written in &maintenance.tables {
        let Some(table) = sheet.existing(written, false) else { return Vec::new() };
        let kind = sheet.table(&table).map(|found| found.kind);
        if matches!(kind, Some(RelationKind::View | RelationKind::Sequence)) {
            // A WARNING, and the relation is left out.
            continue;
        }
        let listed =
            maintenance.columns.iter().filter(|(of, _)| of.to_string() == written.to_string());
        if there::lacks_column(sheet, &table, listed.map(|(_, column)| column.as_str())) {
            return Vec::new();
        }
        let partitioned = sheet.table(&table).is_some_and(|found| found.partition_by.is_some());
        // From PostgreSQL 18 on children by inheritance are done too.
        names.extend(sheet.family(&table, !(partitioned || sheet.since(18))));
    }
    names
}

fn vacuum(sheet: &mut Sheet<'_>, maintenance: &Maintenance) {
    sheet.refuses_transaction("VACUUM");
    for (option, major) in [
        ("parallel", 13),
        ("process_toast", 14),
        ("process_main", 16),
        ("skip_database_stats", 16),
        ("only_database_stats", 16),
        ("buffer_usage_limit", 16),
    ] {
        let written = maintenance.options.iter().any(|o| o.split('=').next() == Some(option));
        if written && sheet.needs_version(major, "this VACUUM option") {
            return;
        }
    }
    if has(maintenance, "only_database_stats") {
        return;
    }
    if has(maintenance, "analyze") {
        analyze(sheet, maintenance);
    }
    let full = has(maintenance, "full");
    for table in named(sheet, maintenance) {
        if full {
            sheet.lock(&table, AccessExclusive, "vacuum-full");
            sheet.rewrite(&table, "vacuum-full", source::LOCKING);
        } else {
            sheet.lock(&table, ShareUpdateExclusive, "vacuum");
            // Empty pages at the end are cut off under the strongest lock, for a moment.
            let cuts = !maintenance.options.iter().any(|option| {
                matches!(option.as_str(), "truncate=false" | "truncate=off" | "truncate=0")
            });
            // From PostgreSQL 16 on the load of a materialized view leaves such pages (measured).
            let empty = |found: &Relation| {
                found.rows_deleted
                    || (found.kind == RelationKind::MaterializedView && sheet.since(16))
            };
            if cuts && sheet.table(&table).is_some_and(empty) {
                sheet.lock(&table, AccessExclusive, "vacuum");
            }
        }
    }
}

/// ANALYZE reads a sample of the rows.
fn analyze(sheet: &mut Sheet<'_>, maintenance: &Maintenance) {
    for table in named(sheet, maintenance) {
        if !maintenance.tables.is_empty() && foreign_table::lacks_handler(sheet, &table) {
            return;
        }
        sheet.lock(&table, ShareUpdateExclusive, "analyze");
        // Rows of the tables below are sampled for the statistics of the whole.
        for child in sheet.family(&table, false).into_iter().skip(1) {
            sheet.lock(&child, AccessShare, "analyze");
        }
    }
}

/// CLUSTER writes the table anew in the order of an index.
fn cluster(sheet: &mut Sheet<'_>, maintenance: &Maintenance) {
    if maintenance.tables.is_empty() {
        sheet.refuses_transaction("CLUSTER");
        let marked: Vec<Name> = sheet
            .schema
            .relations
            .values()
            .filter(|table| table.clustered_on.is_some())
            .map(|table| table.name.clone())
            .collect();
        for table in marked {
            sheet.lock(&table, AccessExclusive, "cluster");
            sheet.rewrite(&table, "cluster", source::LOCKING);
        }
        return;
    }
    for written in &maintenance.tables {
        let Some(table) = sheet.existing(written, false) else { return };
        if let Some(found) = sheet.table(&table) {
            if found.partition_by.is_some() {
                let index = maintenance.index.as_ref().map(crate::sql::Ident::as_str);
                cluster_partitions(sheet, &table, index);
                continue;
            }
            if maintenance.index.is_none() && found.clustered_on.is_none() && found.complete {
                let detail = format!("there is no previously clustered index for \"{table}\"");
                sheet.fails("missing-object", "42704", detail);
                return;
            }
            let index = maintenance.index.as_ref().map(crate::sql::Ident::as_str);
            if index.is_some() && table_refused::cluster_refused(sheet, &table, index) {
                return;
            }
        }
        sheet.lock(&table, AccessExclusive, "cluster");
        sheet.rewrite(&table, "cluster", source::LOCKING);
    }
}

/// PostgreSQL 15 and later cluster partition by partition, outside of a transaction.
///
/// The index is looked for first; none of a partitioned table can be the one to follow always.
fn cluster_partitions(sheet: &mut Sheet<'_>, table: &Name, index: Option<&str>) {
    if !sheet.since(15) {
        let detail = "cannot cluster a partitioned table".to_owned();
        sheet.fails("unsupported-version", "0A000", detail);
        return;
    }
    let Some(index) = index else {
        let detail = format!("there is no previously clustered index for \"{table}\"");
        sheet.fails("missing-object", "42704", detail);
        return;
    };
    // Whether it is one of the table is looked at later.
    let there = sheet.schema.is_taken(&Name::new(table.schema.clone(), index));
    if !there && table_refused::lacks_index(sheet, table, index) {
        return;
    }
    sheet.refuses_transaction("CLUSTER of a partitioned table");
    if table_refused::lacks_index(sheet, table, index) {
        return;
    }
    sheet.lock(table, AccessExclusive, "cluster");
    for child in sheet.family(table, false).into_iter().skip(1) {
        sheet.lock(&child, AccessExclusive, "cluster");
        sheet.rewrite(&child, "cluster", source::LOCKING);
    }
}

/// Effects of REFRESH MATERIALIZED VIEW.
pub(super) fn refresh(sheet: &mut Sheet<'_>, refresh: &RefreshMaterializedView) {
    let Some(view) = sheet.existing(&refresh.name, false) else { return };
    let found = sheet.table(&view);
    if let Some(found) = found
        && found.kind != RelationKind::MaterializedView
        && found.origin != crate::schema::Origin::Assumed
    {
        let detail = format!("\"{view}\" is not a materialized view");
        sheet.fails("wrong-object-kind", "0A000", detail);
        return;
    }
    if refresh.concurrently {
        if refresh.with_no_data {
            let detail = "CONCURRENTLY and WITH NO DATA cannot be used together".to_owned();
            sheet.fails("syntax", "42601", detail);
            return;
        }
        if let Some(found) = found {
            if !has_unique_index(found) && found.kind == RelationKind::MaterializedView {
                let detail = "CONCURRENTLY needs a unique index over columns, without WHERE";
                sheet.fails("missing-unique-index", "55000", detail.to_owned());
                return;
            }
            if !found.has_rows && found.kind == RelationKind::MaterializedView {
                let detail = "CONCURRENTLY needs a view that is populated".to_owned();
                sheet.may_fail("missing-unique-index", "55000", detail);
            }
        }
        sheet.lock(&view, Exclusive, "refresh-matview");
    } else {
        sheet.lock(&view, AccessExclusive, "refresh-matview");
        if refresh.with_no_data {
            // The new file is empty: nothing is written.
            for index in sheet.indexes_of(&view) {
                sheet.build_empty(&view, &index, "refresh-matview");
            }
        } else {
            sheet.rewrite(&view, "refresh-matview", source::LOCKING);
        }
    }
    let reads: Vec<Name> =
        found.iter().flat_map(|found| &found.reads).map(|(name, _)| name.clone()).collect();
    if refresh.with_no_data {
        return;
    }
    for read in reads {
        dml::read_one(sheet, &read, "refresh-matview", dml::Use::Run, false);
    }
    if refresh.concurrently {
        sheet.scan(&view, "refresh-matview", source::LOCKING);
    }
}

fn has_unique_index(view: &Relation) -> bool {
    view.indexes.iter().any(|index| {
        index.kind == IndexKind::Unique
            && index.predicate.is_none()
            && index.valid
            && index.parts.iter().all(|part| part.key.column().is_some())
    })
}

/// Effects of LOCK TABLE: a view locks what it reads, a table those below it.
pub(super) fn lock(sheet: &mut Sheet<'_>, lock: &LockTables) {
    if !sheet.context.in_transaction && !lock.unlock {
        let detail = "LOCK TABLE can only be used in transaction blocks".to_owned();
        sheet.may_fail("in-transaction", "25P01", detail);
    }
    let mode = object::mode_named(&lock.mode);
    for written in &lock.tables {
        let Some(table) = sheet.existing(written, false) else { return };
        let kind = sheet.table(&table).map(|found| found.kind);
        if matches!(
            kind,
            Some(RelationKind::MaterializedView | RelationKind::Sequence | RelationKind::Foreign)
        ) {
            let detail = format!("cannot lock relation \"{written}\"");
            sheet.fails("wrong-object-kind", "42809", detail);
            return;
        }
        // Of a view ONLY says nothing.
        let only = lock.only.iter().any(|only| only.to_string() == written.to_string());
        if only && kind != Some(RelationKind::View) {
            sheet.lock(&table, mode, "explicit-lock");
        } else {
            lock_with(sheet, &table, mode, 0);
        }
    }
}

fn lock_with(sheet: &mut Sheet<'_>, table: &Name, mode: crate::effect::LockMode, depth: u8) {
    for member in sheet.family(table, false) {
        sheet.lock(&member, mode, "explicit-lock");
    }
    let view = sheet.table(table).filter(|found| found.kind == RelationKind::View);
    let reads: Vec<Name> =
        view.into_iter().flat_map(|found| &found.reads).map(|(name, _)| name.clone()).collect();
    if depth < 32 {
        for read in reads {
            lock_with(sheet, &read, mode, depth + 1);
        }
    }
}
