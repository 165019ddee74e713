//! Indexes: created, altered, rebuilt. DROP INDEX is in `drop`.
//!
//! PostgreSQL 12 to 18, indexcmds.c: DefineIndex, ReindexTable, CheckIndexCompatible; reindex_index
//! (index.c); manual: CREATE INDEX, REINDEX; measured, testdata/servers/postgres.

use super::sheet::Sheet;
use super::{index_as_table, index_refused, part_index, reloptions, source};
use crate::effect::LockMode::{AccessExclusive, Share, ShareUpdateExclusive};
use crate::schema::{Index, Name, Relation, RelationKind, made_up_name};
use crate::sql::ast::{
    AlterIndex, CreateIndex, IndexAction, IndexKind, Key, ObjectKind, Reindex, ReindexTarget,
};

/// Effects of CREATE INDEX.
///
/// A plain build holds SHARE until the last row is indexed: writes wait, reads go on. CONCURRENTLY
/// holds SHARE UPDATE EXCLUSIVE: neither waits, but the build cannot be part of a transaction and a
/// failed one leaves an index that is not valid.
pub(super) fn create(sheet: &mut Sheet<'_>, create: &CreateIndex) {
    let Some(table) = sheet.existing(&create.table, false) else {
        if create.concurrently {
            sheet.refuses_transaction("CREATE INDEX CONCURRENTLY");
        }
        return;
    };
    if create.concurrently {
        sheet.refuses_transaction("CREATE INDEX CONCURRENTLY");
    }
    let index = index_name(sheet, create, &table);
    if wrong_table(sheet, create, &table) {
        return;
    }
    let mode = if create.concurrently { ShareUpdateExclusive } else { Share };
    sheet.lock(&table, mode, "create-index");
    if sheet.table(&table).is_some_and(Relation::is_partitioned) && !create.only {
        // Before anything is looked at, the name included.
        for child in sheet.family(&table, false).into_iter().skip(1) {
            sheet.lock(&child, mode, "create-index");
        }
    }
    if index_refused::refused(sheet, create, &table) {
        return;
    }
    if sheet.schema.is_taken(&index) && create.index.name.is_some() {
        taken(sheet, create, &index);
        return;
    }
    if create.index.kind == IndexKind::Unique {
        let full = index.to_string();
        sheet.breaks("new-unique", ObjectKind::Index, full, &table);
        let detail = crate::sql::ast::same_key(&create.index.parts);
        sheet.may_fail("duplicates-present", "23505", detail);
    }
    if create.concurrently {
        sheet.leaves("invalid-index", index.to_string(), &table);
    }
    if sheet.table(&table).is_none_or(Relation::has_storage) {
        sheet.scan(&table, "create-index", source::INDEX);
        sheet.build(&table, &index, "create-index", create.concurrently);
    } else if create.only {
        if !sheet.schema.partitions(&table).is_empty() {
            sheet.leaves("index-not-attached", index.to_string(), &table);
        }
    } else {
        on_partitions(sheet, create, &table);
    }
}

fn index_name(sheet: &Sheet<'_>, create: &CreateIndex, table: &Name) -> Name {
    let home = table.schema.clone();
    let name = create.index.name.as_ref().map(|name| name.value.clone()).unwrap_or_else(|| {
        let columns: Vec<String> = column_names(create);
        let taken = |name: &str| sheet.schema.is_taken(&Name::new(home.clone(), name));
        made_up_name(&table.name, &columns.join("_"), "idx", taken)
    });
    Name::new(home, name)
}

fn column_names(create: &CreateIndex) -> Vec<String> {
    crate::schema::index_column_names(&create.index.parts, &create.index.include)
}

fn wrong_table(sheet: &mut Sheet<'_>, create: &CreateIndex, table: &Name) -> bool {
    let Some(found) = sheet.table(table) else { return false };
    if matches!(found.kind, RelationKind::View | RelationKind::Sequence | RelationKind::Foreign) {
        let detail = format!("cannot create index on relation \"{table}\"");
        sheet.fails("wrong-object-kind", "42809", detail);
        return true;
    }
    if create.concurrently && found.partition_by.is_some() {
        let detail = format!("cannot create index on partitioned table \"{table}\" concurrently");
        sheet.fails("concurrently-on-partitioned", "0A000", detail);
        return true;
    }
    false
}

/// IF NOT EXISTS skips whatever index has the name, also one that is not valid.
fn taken(sheet: &mut Sheet<'_>, create: &CreateIndex, index: &Name) {
    if !create.if_not_exists {
        let detail = format!("relation \"{}\" exists already", index.name);
        sheet.fails("duplicate-object", "42P07", detail);
        return;
    }
    let table = sheet.schema.index_tables.get(index).cloned();
    let found = table.as_ref().and_then(|t| sheet.table(t)).and_then(|t| t.index(&index.name));
    if let (Some(table), Some(false)) = (table, found.map(|found| found.valid)) {
        sheet.leaves("invalid-index-kept", index.to_string(), &table);
    }
}

/// The index of a partitioned table is built on every partition that has no equal one.
fn on_partitions(sheet: &mut Sheet<'_>, create: &CreateIndex, table: &Name) {
    if let Some(found) = sheet.table(table) {
        part_index::build_on_partitions(sheet, found, &as_index(create));
    }
}

fn as_index(create: &CreateIndex) -> Index {
    let definition = &create.index;
    Index {
        name: String::new(),
        kind: definition.kind,
        primary: false,
        constraint: None,
        method: definition.method.clone().unwrap_or_else(|| "btree".to_owned()),
        parts: definition.parts.clone(),
        include: definition.include.iter().map(|column| column.value.clone()).collect(),
        predicate: definition.predicate.clone().map(Box::new),
        valid: true,
        invisible: false,
        parent: None,
        tablespace: definition.tablespace.clone(),
        nulls_not_distinct: definition.nulls_not_distinct,
        origin: crate::schema::Origin::Assumed,
    }
}

/// Effects of ALTER INDEX.
pub(super) fn alter(sheet: &mut Sheet<'_>, alter: &AlterIndex) {
    if let IndexAction::AllInTablespace(to) = &alter.action {
        move_all(sheet, alter.name.name(), to);
        return;
    }
    let found = sheet
        .schema
        .find_index(&alter.name)
        .map(|(full, table, index)| (full, table.name.clone(), index.tablespace.clone()));
    let Some((full, table, tablespace)) = found else {
        if let Some(table) = sheet.schema.find(&alter.name).map(|found| found.name.clone()) {
            index_as_table::alter_index(sheet, alter, &table);
            return;
        }
        if sheet.schema.is_absent(&alter.name) {
            if !alter.if_exists {
                let detail = format!("relation \"{}\" does not exist", alter.name);
                sheet.fails("missing-object", "42P01", detail);
            }
            return;
        }
        if !alter.if_exists {
            let detail = format!("\"{}\" is made by no migration that was read", alter.name);
            sheet.may_fail("missing-object", "42P01", detail);
        }
        let full = sheet.schema.resolve_index(&alter.name);
        one(sheet, alter, &full, &full, None);
        return;
    };
    one(sheet, alter, &full, &table, tablespace.as_deref());
}

fn one(
    sheet: &mut Sheet<'_>,
    alter: &AlterIndex,
    full: &Name,
    table: &Name,
    tablespace: Option<&str>,
) {
    match &alter.action {
        IndexAction::RenameTo(to) => {
            sheet.lock_index(full, ShareUpdateExclusive, "alter-index");
            let new = Name::new(full.schema.clone(), to.as_str());
            if sheet.schema.is_taken(&new) {
                let detail = format!("relation \"{to}\" exists already");
                sheet.fails("duplicate-object", "42P07", detail);
            } else {
                sheet.breaks("rename-index", ObjectKind::Index, full.to_string(), table);
            }
        }
        IndexAction::SetTablespace(to) => {
            sheet.lock_index(full, AccessExclusive, "index-tablespace");
            if tablespace.unwrap_or("pg_default") != to {
                sheet.build(table, full, "index-tablespace", false);
            }
        }
        IndexAction::AttachPartition(child) => attach(sheet, full, table, child),
        IndexAction::DependsOnExtension(_) | IndexAction::OwnerTo => {
            sheet.lock_index(full, AccessExclusive, "alter-index");
        }
        IndexAction::Options(options) => {
            if sheet.table(table).is_some_and(|found| found.partition_by.is_some()) {
                let detail = format!("\"{full}\" is a partitioned index");
                sheet.fails("wrong-object-kind", "42809", detail);
                return;
            }
            let dedup = options.iter().any(|option| option == "deduplicate_items");
            if dedup && sheet.needs_version(13, "deduplicate_items") {
                return;
            }
            let own = sheet.table(table).and_then(|table| table.index(&full.name));
            let method = own.map(|own| own.method.as_str());
            if reloptions::index_names_refused(sheet, method, options.iter().map(String::as_str)) {
                return;
            }
            let strong = options.iter().any(|option| {
                matches!(
                    option.as_str(),
                    "fastupdate"
                        | "gin_pending_list_limit"
                        | "buffering"
                        | "pages_per_range"
                        | "autosummarize"
                )
            });
            let mode = if strong { AccessExclusive } else { ShareUpdateExclusive };
            sheet.lock_index(full, mode, "alter-index");
        }
        IndexAction::SetStatistics(number) => {
            if lacks_expression(sheet, full, table, *number) {
                return;
            }
            for index in attached(sheet, full, table) {
                sheet.lock_index(&index, ShareUpdateExclusive, "alter-statistics");
            }
        }
        IndexAction::AllInTablespace(_) => {}
    }
}

/// Only expressions have statistics of their own: columns have those of the table.
fn lacks_expression(
    sheet: &mut Sheet<'_>,
    index: &Name,
    table: &Name,
    number: Option<usize>,
) -> bool {
    let found = sheet.table(table).and_then(|table| table.index(&index.name));
    let (Some(found), Some(number)) = (found, number) else { return false };
    let part = number.checked_sub(1).and_then(|at| found.parts.get(at));
    let included = number > found.parts.len() && number <= found.parts.len() + found.include.len();
    let (code, detail) = match part.map(|part| &part.key) {
        Some(Key::Expr(_)) => return false,
        Some(Key::Column(column)) => {
            ("0A000", format!("cannot alter statistics on non-expression column \"{column}\""))
        }
        None if included => ("0A000", "cannot alter statistics on included column".to_owned()),
        None => ("42703", format!("column number {number} of the index does not exist")),
    };
    sheet.fails("missing-column", code, detail);
    true
}

/// Returns an index with those that are attached to it, level by level.
fn attached(sheet: &Sheet<'_>, index: &Name, table: &Name) -> Vec<Name> {
    let mut found = vec![index.clone()];
    let mut at = 0;
    while let Some(parent) = found.get(at).cloned() {
        for child in sheet.schema.descendants(table) {
            let parts = child.indexes.iter().filter(|own| own.parent.as_ref() == Some(&parent));
            found.extend(parts.map(|own| Name::new(child.name.schema.clone(), own.name.clone())));
        }
        at += 1;
    }
    found
}

/// ATTACH PARTITION of an index looks at both tables for a moment.
fn attach(
    sheet: &mut Sheet<'_>,
    parent: &Name,
    parent_table: &Name,
    child: &crate::sql::ObjectName,
) {
    let found = sheet.schema.find_index(child).map(|(full, table, _)| (full, table.name.clone()));
    sheet.lock_index(parent, ShareUpdateExclusive, "attach-index");
    let Some((child, child_table)) = found else {
        let child = sheet.schema.resolve_index(child);
        sheet.lock_index(&child, AccessExclusive, "attach-index");
        return;
    };
    if !fits_above(sheet, (parent, parent_table), (&child, &child_table)) {
        let detail =
            format!("cannot attach index \"{child}\" as a partition of index \"{parent}\"");
        sheet.fails("wrong-object-kind", "42P17", detail);
        return;
    }
    sheet.lock_index(&child, AccessExclusive, "attach-index");
    sheet.lock(parent_table, crate::effect::LockMode::AccessShare, "attach-index");
    sheet.lock(&child_table, crate::effect::LockMode::AccessShare, "attach-index");
}

/// An index is attached to one of the same definition, on the table above its own, that has no
/// other part there.
fn fits_above(sheet: &Sheet<'_>, above: (&Name, &Name), below: (&Name, &Name)) -> bool {
    let (Some(table), Some(part)) = (sheet.table(above.1), sheet.table(below.1)) else {
        return true;
    };
    let (Some(index), Some(own)) = (table.index(&above.0.name), part.index(&below.0.name)) else {
        return true;
    };
    if own.parent.as_ref() == Some(above.0) {
        return true;
    }
    let is_part = part.partition_of.as_ref().is_some_and(|(of, _)| of == above.1);
    let other = part.indexes.iter().any(|other| other.parent.as_ref() == Some(above.0));
    is_part && !other && part_index::is_equal(index, own)
}

fn move_all(sheet: &mut Sheet<'_>, from: &str, to: &str) {
    if from == to {
        return;
    }
    let mut moved: Vec<(Name, Name)> = Vec::new();
    for table in sheet.schema.relations.values() {
        for index in &table.indexes {
            if index.tablespace.as_deref().unwrap_or("pg_default") == from {
                let full = Name::new(table.name.schema.clone(), index.name.clone());
                moved.push((table.name.clone(), full));
            }
        }
    }
    for (table, index) in moved {
        sheet.lock_index(&index, AccessExclusive, "index-tablespace");
        sheet.build(&table, &index, "index-tablespace", false);
    }
}

/// Effects of REINDEX.
///
/// PostgreSQL 12 to 18: the table is locked with SHARE, every index rebuilt with ACCESS EXCLUSIVE,
/// which makes every planned query of the table wait. On partitioned tables and indexes it works
/// from 14 on, partition by partition, outside of a transaction.
pub(super) fn reindex(sheet: &mut Sheet<'_>, reindex: &Reindex) {
    if reindex.tablespace.is_some() && sheet.needs_version(14, "REINDEX (TABLESPACE …)") {
        return;
    }
    if reindex.concurrently {
        sheet.refuses_transaction("REINDEX CONCURRENTLY");
    }
    match (reindex.target, &reindex.name) {
        (ReindexTarget::Index, Some(name)) => {
            let found = sheet.schema.find_index(name);
            let found = found.map(|(full, table, _)| (full, table.name.clone()));
            let Some((full, table)) = found else {
                if sheet.schema.find(name).is_some() {
                    let detail = format!("\"{name}\" is not an index");
                    sheet.fails("wrong-object-kind", "42809", detail);
                    return;
                }
                if sheet.schema.is_absent(name) {
                    let detail = format!("relation \"{name}\" does not exist");
                    sheet.fails("missing-object", "42P01", detail);
                    return;
                }
                let detail = format!("index \"{name}\" is made by no migration that was read");
                sheet.may_fail("missing-object", "42P01", detail);
                let full = sheet.schema.resolve_index(name);
                sheet.lock_index(&full, AccessExclusive, "reindex");
                sheet.build(&full, &full, "reindex", reindex.concurrently);
                return;
            };
            reindex_one(sheet, &table, &full, reindex.concurrently);
        }
        (ReindexTarget::Table | ReindexTarget::Any, Some(name)) => {
            let Some(table) = sheet.existing(name, false) else { return };
            let kind = sheet.table(&table).map(|found| found.kind);
            if matches!(
                kind,
                Some(RelationKind::View | RelationKind::Sequence | RelationKind::Foreign)
            ) {
                let detail = format!("\"{name}\" is not a table or materialized view");
                sheet.fails("wrong-object-kind", "42809", detail);
                return;
            }
            reindex_table(sheet, &table, reindex.concurrently);
        }
        (ReindexTarget::Schema, Some(name)) => {
            sheet.refuses_transaction("REINDEX SCHEMA");
            let home = name.name().to_owned();
            reindex_all(sheet, reindex.concurrently, |table| table.name.schema == home);
        }
        (ReindexTarget::Database | ReindexTarget::System, None)
            if sheet.needs_version(16, "REINDEX without a name") => {}
        (ReindexTarget::Database, _) => {
            sheet.refuses_transaction("REINDEX DATABASE");
            reindex_all(sheet, reindex.concurrently, |_| true);
        }
        (ReindexTarget::System, _) => {
            sheet.refuses_transaction("REINDEX SYSTEM");
            if reindex.concurrently {
                let detail = "cannot reindex system catalogs concurrently".to_owned();
                sheet.fails("concurrently-on-partitioned", "0A000", detail);
            }
        }
        (_, None) => {}
    }
}

fn reindex_all(sheet: &mut Sheet<'_>, concurrently: bool, wanted: impl Fn(&Relation) -> bool) {
    let tables: Vec<Name> = sheet
        .schema
        .relations
        .values()
        .filter(|table| table.has_storage() && wanted(table))
        .map(|table| table.name.clone())
        .collect();
    for table in tables {
        reindex_table(sheet, &table, concurrently);
    }
}

fn reindex_table(sheet: &mut Sheet<'_>, table: &Name, concurrently: bool) {
    let partitioned = sheet.table(table).is_some_and(|found| found.partition_by.is_some());
    if partitioned {
        if !sheet.since(14) {
            // A WARNING, and nothing is rebuilt.
            let mode = if concurrently { ShareUpdateExclusive } else { Share };
            sheet.lock(table, mode, "reindex");
            return;
        }
        sheet.refuses_transaction("REINDEX TABLE of a partitioned table");
        let mode = if concurrently { ShareUpdateExclusive } else { Share };
        sheet.lock(table, mode, "reindex");
        for child in sheet.family(table, false).into_iter().skip(1) {
            let storage = sheet.table(&child).is_some_and(Relation::has_storage);
            if storage {
                reindex_table(sheet, &child, concurrently);
                // The list of indexes is made under SHARE for a moment (14 to 18).
                sheet.lock(&child, Share, "reindex");
            }
        }
        return;
    }
    let mode = if concurrently { ShareUpdateExclusive } else { Share };
    sheet.lock(table, mode, "reindex");
    let Some(found) = sheet.table(table) else { return };
    for index in &found.indexes {
        // Of a table as a whole those that CONCURRENTLY cannot build are left out with a warning.
        if !(concurrently && is_exclusion(index)) {
            let full = Name::new(table.schema.clone(), index.name.clone());
            reindex_one(sheet, table, &full, concurrently);
        }
    }
}

fn is_exclusion(index: &Index) -> bool {
    index.constraint.is_some() && index.kind != IndexKind::Unique
}

fn reindex_one(sheet: &mut Sheet<'_>, table: &Name, index: &Name, concurrently: bool) {
    let found = sheet.table(table);
    if found.is_some_and(|found| found.partition_by.is_some()) {
        if !sheet.since(14) {
            let detail = "REINDEX is not yet implemented for partitioned indexes".to_owned();
            sheet.fails("unsupported-version", "0A000", detail);
            return;
        }
        sheet.refuses_transaction("REINDEX INDEX of a partitioned index");
        // The table and its index are locked while the parts are looked up.
        let mode = if concurrently { ShareUpdateExclusive } else { Share };
        sheet.lock(table, mode, "reindex");
        if !concurrently {
            sheet.lock_index(index, AccessExclusive, "reindex");
        }
        let children: Vec<(Name, Name)> = sheet
            .schema
            .descendants(table)
            .iter()
            .flat_map(|child| {
                child.indexes.iter().filter(|own| own.parent.as_ref() == Some(index)).map(|own| {
                    let full = Name::new(child.name.schema.clone(), own.name.clone());
                    (child.name.clone(), full)
                })
            })
            .collect();
        for (child, own) in children {
            reindex_one(sheet, &child, &own, concurrently);
        }
        return;
    }
    let exclusion = found.and_then(|found| found.index(&index.name)).is_some_and(is_exclusion);
    if concurrently && exclusion {
        let detail = "exclusion constraint indexes cannot be rebuilt concurrently".to_owned();
        sheet.fails("concurrently-on-partitioned", "0A000", detail);
        return;
    }
    let mode = if concurrently { ShareUpdateExclusive } else { Share };
    sheet.lock(table, mode, "reindex");
    sheet.lock_index(index, AccessExclusive, "reindex");
    sheet.scan(table, "reindex", source::INDEX);
    sheet.build(table, index, "reindex", concurrently);
}
