//! TRUNCATE.
//!
//! PostgreSQL 12 to 18, tablecmds.c: ExecuteTruncateGuts, truncate_check_rel; manual: TRUNCATE;
//! measured, testdata/servers/postgres.

use super::referential;
use super::sheet::Sheet;
use super::{dml, foreign_key, foreign_table};
use crate::effect::LockMode::AccessExclusive;
use crate::schema::{Name, Relation, RelationKind};
use crate::sql::ast::{ObjectKind, Truncate};

/// Effects of TRUNCATE: the tables, those below them and, with CASCADE, those that reference them
/// are emptied under the strongest lock.
pub(super) fn truncate(sheet: &mut Sheet<'_>, truncate: &Truncate) {
    let mut tables: Vec<(Name, bool)> = Vec::new();
    for written in &truncate.tables {
        let Some(name) = sheet.existing(written, false) else { return };
        let found = sheet.table(&name);
        if truncate.only && found.is_some_and(|found| found.partition_by.is_some()) {
            let detail = "cannot truncate only a partitioned table".to_owned();
            sheet.fails("wrong-object-kind", "42809", detail);
            return;
        }
        let view = found.is_some_and(|found| {
            matches!(
                found.kind,
                RelationKind::View | RelationKind::Sequence | RelationKind::MaterializedView
            )
        });
        let foreign = found.is_some_and(|found| found.kind == RelationKind::Foreign);
        if foreign && sheet.since(14) && foreign_table::lacks_handler(sheet, &name) {
            return;
        }
        if view || (foreign && !sheet.since(14)) {
            let detail = format!("\"{name}\" is not a table");
            sheet.fails("wrong-object-kind", "42809", detail);
            return;
        }
        for member in sheet.family(&name, truncate.only) {
            if !tables.iter().any(|(known, _)| *known == member) {
                tables.push((member, false));
            }
        }
    }
    if !referencing(sheet, truncate, &mut tables) {
        return;
    }
    for (name, cascaded) in tables {
        empty(sheet, truncate, &name, cascaded);
    }
}

/// Adds the tables that reference those to be emptied, or notes that they stand in the way.
fn referencing(sheet: &mut Sheet<'_>, truncate: &Truncate, tables: &mut Vec<(Name, bool)>) -> bool {
    let mut at = 0;
    while let Some((name, _)) = tables.get(at).cloned() {
        let keys = referential::keys_to(sheet, &name);
        let others: Vec<Name> = keys.into_iter().map(|(other, _)| other.name.clone()).collect();
        for other in others {
            // Children by inheritance do not have the key.
            for member in foreign_key::partitions_of(sheet, &other) {
                if tables.iter().any(|(known, _)| *known == member) {
                    continue;
                }
                if !truncate.cascade {
                    let detail = format!("\"{other}\" references \"{name}\"");
                    sheet.fails("foreign-key-references", "0A000", detail);
                    return false;
                }
                tables.push((member, true));
            }
        }
        at += 1;
    }
    true
}

fn empty(sheet: &mut Sheet<'_>, truncate: &Truncate, name: &Name, cascaded: bool) {
    let cause = if cascaded { "truncate-cascade" } else { "truncate" };
    sheet.lock(name, AccessExclusive, cause);
    if !sheet.since(14) {
        dml::lock_ancestors(sheet, name, cause);
    }
    if sheet.table(name).is_none_or(Relation::has_storage) {
        for index in sheet.indexes_of(name) {
            sheet.build_empty(name, &index, cause);
        }
        sheet.lose(ObjectKind::Table, &name.to_string(), true, cascaded);
    }
    if truncate.restart_identity {
        for sequence in sheet.schema.owned_sequences(name, None) {
            sheet.lock(&sequence.name, AccessExclusive, cause);
        }
    }
}
