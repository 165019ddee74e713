//! Queries and data changes, COPY, TRUNCATE.

use super::sheet::Sheet;
use super::{column, source};
use crate::effect::LockMode::{AccessExclusive, AccessShare, RowExclusive, RowShare};
use crate::schema::{Demand, Name, Relation, RelationKind};
use crate::sql::ast::{
    Copy, Dml, DmlKind, Expr, Key, ObjectKind, Query, ReferentialAction, Truncate,
};

/// Locks what a query reads, and notes the scans where it runs.
pub(super) fn reads(sheet: &mut Sheet<'_>, query: &Query, cause: &'static str, runs: bool) {
    for read in &query.reads {
        if let Some(name) = sheet.existing(read, false) {
            read_one(sheet, &name, cause, runs, 0);
        }
    }
    for locked in &query.row_locks {
        let name = sheet.schema.resolve(locked);
        sheet.lock(&name, RowShare, "select-for-update");
    }
    for written in &query.writes {
        let name = sheet.schema.resolve(written);
        write_lock(sheet, &name, cause);
        if runs {
            // Its condition is not known apart: it may change every row.
            sheet.scan(&name, cause, source::LOCKING);
        }
    }
    for sequence in query.sequences.iter().filter(|_| runs) {
        column::sequence_by_text(sheet, sequence);
    }
}

/// Locks one relation that is read, what a view reads, and what lies below a table.
pub(super) fn read_one(
    sheet: &mut Sheet<'_>,
    name: &Name,
    cause: &'static str,
    runs: bool,
    depth: u8,
) {
    sheet.lock(name, AccessShare, cause);
    let Some(found) = sheet.table(name) else {
        if runs {
            sheet.scan(name, cause, source::LOCKING);
        }
        return;
    };
    match found.kind {
        RelationKind::View => {
            if runs && depth < 32 {
                for (read, _) in &found.reads {
                    read_one(sheet, read, cause, runs, depth + 1);
                }
            }
        }
        RelationKind::Table | RelationKind::MaterializedView => {
            if runs {
                for member in sheet.family(name, false) {
                    sheet.lock(&member, AccessShare, cause);
                    sheet.scan(&member, cause, source::LOCKING);
                }
            }
        }
        RelationKind::Foreign | RelationKind::Sequence => {}
    }
}

/// Locks the targets of a change, what a view as target stands for, and what lies below a table.
fn write_lock(sheet: &mut Sheet<'_>, name: &Name, cause: &'static str) {
    sheet.lock(name, RowExclusive, cause);
    let Some(found) = sheet.table(name) else { return };
    if found.kind == RelationKind::View {
        for (read, _) in &found.reads {
            sheet.lock(read, RowExclusive, cause);
        }
    }
}

/// Locks that planning the statement takes, without running it.
pub(super) fn planned_locks(sheet: &mut Sheet<'_>, dml: &Dml, cause: &'static str) {
    reads(sheet, &dml.query, cause, false);
    for target in &dml.targets {
        let name = sheet.schema.resolve(target);
        write_lock(sheet, &name, cause);
    }
}

/// Effects of SELECT, INSERT, UPDATE, DELETE and MERGE.
pub(super) fn dml(sheet: &mut Sheet<'_>, dml: &Dml) {
    if dml.kind == DmlKind::Merge && sheet.needs_version(15, "MERGE") {
        return;
    }
    let cause = match dml.kind {
        DmlKind::Select => "select",
        DmlKind::Insert => "insert",
        DmlKind::Update => "update",
        DmlKind::Delete => "delete",
        DmlKind::Merge | DmlKind::Replace | DmlKind::Load => "merge",
    };
    let mut targets = Vec::new();
    for written in &dml.targets {
        let Some(name) = sheet.existing(written, false) else { return };
        targets.push(name);
    }
    for target in &targets {
        change(sheet, dml, target, cause);
    }
    reads(sheet, &dml.query, cause, true);
}

fn change(sheet: &mut Sheet<'_>, dml: &Dml, target: &Name, cause: &'static str) {
    write_lock(sheet, target, cause);
    let base = base_table(sheet, target);
    match dml.kind {
        DmlKind::Insert | DmlKind::Replace | DmlKind::Load => insert(sheet, dml, &base, cause),
        DmlKind::Update | DmlKind::Delete => {
            let whole = !uses_index(sheet, &base, dml.filter.as_ref());
            for member in sheet.family(&base, false) {
                sheet.lock(&member, RowExclusive, cause);
                if whole {
                    sheet.scan(&member, cause, source::LOCKING);
                }
            }
            referential(sheet, dml, &base);
            if dml.kind == DmlKind::Delete && dml.filter.is_none() {
                sheet.lose(ObjectKind::Table, &base.to_string(), true, false);
            }
        }
        DmlKind::Merge => {
            for member in sheet.family(&base, false) {
                sheet.lock(&member, RowExclusive, cause);
                sheet.scan(&member, cause, source::LOCKING);
            }
        }
        DmlKind::Select => {}
    }
}

/// Returns the table behind a simple view.
fn base_table(sheet: &Sheet<'_>, target: &Name) -> Name {
    let view = sheet.table(target).filter(|found| found.kind == RelationKind::View);
    let first = view.and_then(|view| view.reads.first()).map(|(name, _)| name.clone());
    first.unwrap_or_else(|| target.clone())
}

/// Says whether a condition compares the first column of an index for equality.
fn uses_index(sheet: &Sheet<'_>, table: &Name, filter: Option<&Expr>) -> bool {
    let (Some(found), Some(filter)) = (sheet.table(table), filter) else { return false };
    if filter.has_subquery {
        return false;
    }
    let text = filter.text.to_ascii_lowercase();
    if text.contains(" or ") {
        return false;
    }
    found.indexes.iter().any(|index| {
        let first = index.parts.first().and_then(|part| match &part.key {
            Key::Column(column) => Some(column.as_str()),
            Key::Expr(_) => None,
        });
        first.is_some_and(|column| {
            index.predicate.is_none()
                && [format!("{column} ="), format!("{column}="), format!("{column} in ")]
                    .iter()
                    .any(|wanted| contains_word(&text, wanted))
        })
    })
}

fn contains_word(text: &str, wanted: &str) -> bool {
    text.match_indices(wanted).any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
    })
}

/// INSERT looks up parents by foreign key and takes values of sequences.
fn insert(sheet: &mut Sheet<'_>, dml: &Dml, table: &Name, cause: &'static str) {
    let Some(found) = sheet.table(table) else { return };
    if found.partition_by.is_some() {
        // The rows decide which partitions are written; all of them may be.
        for member in sheet.family(table, false).into_iter().skip(1) {
            sheet.lock(&member, RowExclusive, cause);
        }
    }
    let listed = |name: &str| dml.columns.iter().any(|column| column.as_str() == name);
    let written = |name: &str| dml.columns.is_empty() || listed(name) || has_default(found, name);
    for constraint in &found.constraints {
        if let Demand::ForeignKey { columns, parent, .. } = &constraint.kind
            && constraint.enforced
            && columns.iter().all(|column| written(column))
        {
            sheet.lock(parent, RowShare, "foreign-key-rows");
        }
    }
    for column in &found.columns {
        if !dml.columns.is_empty() && !listed(&column.name) {
            column::used_sequences(sheet, column.default.as_ref());
            if column.auto_increment || column.identity.is_some() {
                let owned = sheet.schema.owned_sequences(table, Some(&column.name));
                for sequence in owned {
                    sheet.lock(&sequence.name, RowExclusive, cause);
                }
            }
        }
    }
}

fn has_default(table: &Relation, column: &str) -> bool {
    table.column(column).is_some_and(|column| column.default.is_some())
}

/// UPDATE and DELETE look up or change rows of the other tables of foreign keys.
fn referential(sheet: &mut Sheet<'_>, dml: &Dml, table: &Name) {
    let assigned = |name: &str| dml.columns.iter().any(|column| column.as_str() == name);
    let deletes = dml.kind == DmlKind::Delete;
    if let (Some(found), false) = (sheet.table(table), deletes) {
        for constraint in &found.constraints {
            if let Demand::ForeignKey { columns, parent, .. } = &constraint.kind
                && constraint.enforced
                && columns.iter().any(|column| assigned(column))
            {
                sheet.lock(parent, RowShare, "foreign-key-rows");
            }
        }
    }
    for (child, constraint) in sheet.schema.foreign_keys_to(table) {
        let Demand::ForeignKey { columns, parent_columns, on_delete, on_update, .. } =
            &constraint.kind
        else {
            continue;
        };
        let action = if deletes { on_delete } else { on_update };
        let touched = deletes || parent_columns.iter().any(|column| assigned(column));
        if !touched || !constraint.enforced {
            continue;
        }
        let mode = match action {
            ReferentialAction::NoAction | ReferentialAction::Restrict => RowShare,
            ReferentialAction::Cascade
            | ReferentialAction::SetNull
            | ReferentialAction::SetDefault => RowExclusive,
        };
        let wanted: Vec<&str> = columns.iter().map(String::as_str).collect();
        let indexed = child
            .indexes
            .iter()
            .any(|index| index.key_columns().first().is_some_and(|first| wanted.contains(first)));
        for member in super::foreign_key::partitions_of(sheet, &child.name) {
            sheet.lock(&member, mode, "foreign-key-rows");
            if !indexed {
                sheet.scan(&member, "foreign-key-rows", source::FOREIGN_KEY);
            }
        }
    }
}

/// Effects of COPY.
pub(super) fn copy(sheet: &mut Sheet<'_>, copy: &Copy) {
    if let Some(query) = &copy.query {
        reads(sheet, query, "copy", true);
    }
    let Some(written) = &copy.table else { return };
    let Some(table) = sheet.existing(written, false) else { return };
    if copy.from {
        sheet.lock(&table, RowExclusive, "copy");
        let Some(found) = sheet.table(&table) else { return };
        for parent in found.constraints.iter().filter_map(|c| c.parent()) {
            sheet.lock(parent, RowShare, "foreign-key-rows");
        }
    } else {
        sheet.lock(&table, AccessShare, "copy");
        sheet.scan(&table, "copy", source::LOCKING);
    }
}

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
        if view {
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
        // A foreign key to a partitioned table is one to its partitions too.
        let mut names = vec![name.clone()];
        let parent = sheet.table(&name).and_then(|found| found.partition_of.as_ref());
        names.extend(parent.map(|(parent, _)| parent.clone()));
        let others: Vec<Name> = names
            .iter()
            .flat_map(|name| sheet.schema.foreign_keys_to(name))
            .map(|(other, _)| other.name.clone())
            .collect();
        for other in others {
            for member in sheet.family(&other, false) {
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
    if let Some((parent, _)) = sheet.table(name).and_then(|found| found.partition_of.as_ref())
        && !sheet.since(14)
    {
        sheet.lock(parent, AccessShare, cause);
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
