//! What a change of rows looks up beside them: parents and children by foreign key, and the
//! partition that a row moves to.
//!
//! PostgreSQL 12 to 18, ri_triggers.c; ExecCrossPartitionUpdate (nodeModifyTable.c); measured,
//! testdata/servers/postgres.

use super::dml::partition_columns;
use super::sheet::Sheet;
use super::{foreign_key, source};
use crate::effect::LockMode::{RowExclusive, RowShare};
use crate::schema::{Constraint, Demand, Name, Relation};
use crate::sql::ast::{Dml, DmlKind, ReferentialAction};

/// A row whose partition key changes moves to another partition: it is inserted there, where its
/// parents are looked up (PostgreSQL 12 to 18, ExecCrossPartitionUpdate; measured). In a partition
/// that is changed by itself it has to stay.
pub(super) fn moves(sheet: &mut Sheet<'_>, dml: &Dml, base: &Name, members: &[Name]) {
    let assigned = |key: &String| dml.columns.iter().any(|column| column.as_str() == key);
    if dml.kind == DmlKind::Delete {
        return;
    }
    let mut above = sheet.table(base).and_then(|found| found.partition_of.as_ref());
    while let Some((parent, _)) = above {
        if partition_columns(sheet, parent).iter().any(assigned) {
            let detail = format!("new rows may violate the partition constraint of \"{base}\"");
            sheet.may_fail("rows-violate", "23514", detail);
            break;
        }
        above = sheet.table(parent).and_then(|found| found.partition_of.as_ref());
    }
    if !partition_columns(sheet, base).iter().any(assigned) {
        return;
    }
    let family = sheet.family(base, false);
    for member in family.iter().filter(|member| !members.contains(member)) {
        sheet.lock(member, RowExclusive, "partition-routing");
    }
    let tables = family.iter().filter_map(|member| sheet.table(member));
    let keys: Vec<&Constraint> = tables.flat_map(|table| &table.constraints).collect();
    for parent in keys.into_iter().filter(|key| key.enforced).filter_map(Constraint::parent) {
        look_up(sheet, parent);
    }
}

/// UPDATE, DELETE and MERGE look up or change rows of the other tables of foreign keys, and of
/// those that reference them in turn where rows are changed there.
pub(super) fn look(sheet: &mut Sheet<'_>, dml: &Dml, members: &[Name]) {
    let assigned = |name: &str| dml.columns.iter().any(|column| column.as_str() == name);
    let deletes = dml.kind == DmlKind::Delete;
    let schema = sheet.schema;
    for table in members.iter().filter(|_| !deletes).filter_map(|name| schema.relation(name)) {
        for constraint in &table.constraints {
            if let Demand::ForeignKey { columns, parent, .. } = &constraint.kind
                && constraint.enforced
                && columns.iter().any(|column| assigned(column))
            {
                look_up(sheet, parent);
            }
        }
    }
    let columns: Vec<&str> = dml.columns.iter().map(crate::sql::Ident::as_str).collect();
    let change = if deletes { Gone::Rows } else { Gone::Values(columns) };
    let mut seen = Vec::new();
    follow(sheet, members, &change, &mut seen);
}

/// What goes from referenced tables.
enum Gone<'c> {
    /// Whole rows.
    Rows,
    /// The values of columns.
    Values(Vec<&'c str>),
}

fn follow(sheet: &mut Sheet<'_>, members: &[Name], gone: &Gone<'_>, seen: &mut Vec<Name>) {
    let schema = sheet.schema;
    let referencing: Vec<_> = members.iter().flat_map(|name| keys_to(sheet, name)).collect();
    for (child, constraint) in referencing {
        let Demand::ForeignKey { columns, parent, parent_columns, on_delete, on_update } =
            &constraint.kind
        else {
            continue;
        };
        let (action, touched) = match gone {
            Gone::Rows => (on_delete, true),
            Gone::Values(values) => {
                let assigned = |column: &String| values.contains(&column.as_str());
                (on_update, parent_columns.iter().any(assigned))
            }
        };
        if !touched || !constraint.enforced {
            continue;
        }
        let mode = match action {
            ReferentialAction::NoAction | ReferentialAction::Restrict => RowShare,
            ReferentialAction::Cascade
            | ReferentialAction::SetNull
            | ReferentialAction::SetDefault => RowExclusive,
        };
        if mode == RowShare {
            let detail = format!("rows of \"{}\" may reference those of \"{parent}\"", child.name);
            sheet.may_fail("rows-referenced", "23503", detail);
        }
        let wanted: Vec<&str> = columns.iter().map(String::as_str).collect();
        let indexed = child
            .indexes
            .iter()
            .any(|index| index.key_columns().first().is_some_and(|first| wanted.contains(first)));
        let below = foreign_key::partitions_of(sheet, &child.name);
        for member in &below {
            sheet.lock(member, mode, "foreign-key-rows");
            if !indexed {
                sheet.scan(member, "foreign-key-rows", source::FOREIGN_KEY);
            }
        }
        if mode == RowExclusive && !seen.contains(&child.name) && schema.relation(parent).is_some()
        {
            seen.push(child.name.clone());
            let deleted = matches!((gone, action), (Gone::Rows, ReferentialAction::Cascade));
            let next = if deleted { Gone::Rows } else { Gone::Values(wanted) };
            follow(sheet, &below, &next, seen);
        }
    }
}

/// A foreign key's check locks the rows it finds, in the partitions too.
pub(super) fn look_up(sheet: &mut Sheet<'_>, parent: &Name) {
    for member in foreign_key::partitions_of(sheet, parent) {
        sheet.lock(&member, RowShare, "foreign-key-rows");
    }
}

/// Returns the foreign keys that reference a table: those to a partitioned table are ones to its
/// partitions too.
pub(super) fn keys_to<'s>(sheet: &Sheet<'s>, table: &Name) -> Vec<(&'s Relation, &'s Constraint)> {
    let mut found = sheet.schema.foreign_keys_to(table);
    let mut current = sheet.table(table);
    for _ in 0..32 {
        let Some((above, _)) = current.and_then(|table| table.partition_of.as_ref()) else { break };
        found.extend(sheet.schema.foreign_keys_to(above));
        current = sheet.table(above);
    }
    found
}
