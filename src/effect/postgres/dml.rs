//! Queries and data changes.
//!
//! PostgreSQL 12 to 18, manual: Explicit Locking, the notes of each command; ri_triggers.c for the
//! rows of foreign keys; measured, testdata/servers/postgres.

use super::insert::{insert, takes_defaults};
use super::sheet::Sheet;
use super::{bounds, column, foreign_key, foreign_table, source, there, words};
use crate::effect::LockMode::{AccessShare, RowExclusive, RowShare};
use crate::schema::{Demand, Name, Relation, RelationKind, Rule};
use crate::sql::ObjectName;
use crate::sql::ast::{
    Dml, DmlKind, Expr, IndexKind, ObjectKind, PartitionBound, PartitionBy, Query,
    ReferentialAction,
};

/// How a query is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It is stored: what it names is locked.
    Stored,
    /// It is stored as the server has rewritten it: what views read is locked too.
    Rewritten,
    /// It is planned, which locks what lies below tables and views too (EXPLAIN).
    Planned,
    /// It runs.
    Run,
}

/// Locks what a query reads, and notes the scans where it runs.
pub(super) fn reads(sheet: &mut Sheet<'_>, query: &Query, cause: &'static str, how: Use) {
    // `max(id)` is found by an index too.
    sheet.planner_chooses =
        !query.functions.is_empty() || query.outline.get().is_none_or(|outline| outline.chooses);
    for read in &query.reads {
        if let Some(name) = sheet.existing(read, false) {
            let only = is_only(query, read);
            read_one(sheet, &name, cause, how, only);
            if matches!(how, Use::Planned | Use::Run)
                && sheet.table(&name).is_some_and(Relation::is_partitioned)
            {
                // The planner looks at the bounds of a partition that is partitioned itself.
                lock_ancestors(sheet, &name, cause);
            }
        }
    }
    for locked in &query.row_locks {
        let name = sheet.schema.resolve(locked);
        row_locks(sheet, &name, is_only(query, locked), 0);
    }
    for written in &query.writes {
        let name = sheet.schema.resolve(written);
        write_lock(sheet, &name, cause);
        if how == Use::Run {
            // Its condition is not known apart: it may change every row.
            sheet.planner_chooses = true;
            read_rows(sheet, &name, cause);
        }
    }
    if how == Use::Run {
        undrawn(sheet, query);
        for sequence in &query.sequences {
            column::sequence_by_text(sheet, sequence);
        }
        for (table, column) in &query.serials {
            let table = column::named_in_quotes(sheet, table);
            for sequence in sheet.schema.owned_sequences(&table, Some(column)) {
                sheet.lock(&sequence.name, RowExclusive, cause);
            }
        }
        called(sheet, query, cause);
    }
}

/// currval() and lastval() tell what the session has drawn, and fail where it has drawn nothing.
fn undrawn(sheet: &mut Sheet<'_>, query: &Query) {
    let calls = |name: &str| query.functions.iter().any(|function| function.name() == name);
    let drawn = sheet.schema.drawn || sheet.has_variables || calls("nextval") || calls("setval");
    let asked = ["currval", "lastval"].into_iter().find(|name| calls(name));
    if let (Some(asked), false) = (asked, drawn) {
        let detail = format!("{asked} is not yet defined in this session");
        sheet.fails("missing-object", "55000", detail);
    }
}

/// FOR UPDATE of a view locks rows of what it reads.
fn row_locks(sheet: &mut Sheet<'_>, name: &Name, only: bool, depth: u8) {
    let kind = sheet.table(name).map(|found| found.kind);
    let unfit = match kind {
        Some(RelationKind::Sequence) => Some("sequence"),
        // Inside of a view it is left alone.
        Some(RelationKind::MaterializedView) if depth == 0 => Some("materialized view"),
        _ => None,
    };
    if let Some(unfit) = unfit {
        let detail = format!("cannot lock rows in {unfit} \"{name}\"");
        sheet.fails("wrong-object-kind", "42809", detail);
        return;
    }
    for member in sheet.family(name, only) {
        sheet.lock(&member, RowShare, "select-for-update");
    }
    let view = sheet.table(name).filter(|found| found.kind == RelationKind::View && depth < 32);
    for (read, _) in view.into_iter().flat_map(|view| &view.reads) {
        row_locks(sheet, read, false, depth + 1);
    }
}

/// SQL functions run their bodies; what others do is not known.
fn called(sheet: &mut Sheet<'_>, query: &Query, cause: &'static str) {
    for function in &query.functions {
        let Some((_, [routine])) = sheet.schema.find_routines(function) else { continue };
        for written in &routine.writes {
            sheet.lock(written, RowExclusive, cause);
        }
        for touched in &routine.touches {
            read_one(sheet, touched, cause, Use::Run, false);
        }
    }
}

/// Says whether a relation is written with ONLY.
fn is_only(query: &Query, name: &ObjectName) -> bool {
    query.only.iter().any(|only| only.to_string() == name.to_string())
}

/// Locks one relation that is read, what a view reads, and what lies below a table.
pub(super) fn read_one(
    sheet: &mut Sheet<'_>,
    name: &Name,
    cause: &'static str,
    how: Use,
    only: bool,
) {
    read_through(sheet, name, cause, how, (only, 0));
}

fn read_through(
    sheet: &mut Sheet<'_>,
    name: &Name,
    cause: &'static str,
    how: Use,
    (only, depth): (bool, u8),
) {
    sheet.lock(name, AccessShare, cause);
    let Some(found) = sheet.table(name) else {
        if how == Use::Run {
            read_rows(sheet, name, cause);
        }
        return;
    };
    if how == Use::Stored || (how == Use::Rewritten && found.kind != RelationKind::View) {
        return;
    }
    match found.kind {
        RelationKind::View => {
            for (read, _) in found.reads.iter().filter(|_| depth < 32) {
                read_through(sheet, read, cause, how, (false, depth + 1));
            }
        }
        RelationKind::Table | RelationKind::MaterializedView => {
            for member in sheet.family(name, only) {
                sheet.lock(&member, AccessShare, cause);
                if how == Use::Run {
                    read_rows(sheet, &member, cause);
                }
            }
        }
        RelationKind::Foreign => {
            if matches!(how, Use::Planned | Use::Run) {
                foreign_table::lacks_handler(sheet, name);
            }
        }
        RelationKind::Sequence => {}
    }
}

/// Notes that rows are read: all of them, unless an index may lead to those that are wanted, or
/// enough of them are found in another table of the family.
fn read_rows(sheet: &mut Sheet<'_>, name: &Name, cause: &'static str) {
    let choice = sheet.table(name).is_some_and(|table| {
        !table.indexes.is_empty() || table.partition_of.is_some() || !table.inherits.is_empty()
    });
    if sheet.planner_chooses && choice {
        sheet.scan_unless_indexed(name, cause, source::LOCKING);
    } else {
        sheet.scan(name, cause, source::LOCKING);
    }
}

/// A partition's bounds are known from the tables above it (PostgreSQL 12 to 18, measured).
pub(super) fn lock_ancestors(sheet: &mut Sheet<'_>, partition: &Name, cause: &'static str) {
    let mut current = partition.clone();
    for _ in 0..32 {
        let of = sheet.table(&current).and_then(|table| table.partition_of.as_ref());
        let Some((parent, _)) = of else { return };
        let parent = parent.clone();
        sheet.lock(&parent, AccessShare, cause);
        current = parent;
    }
}

/// Locks the targets of a change, and what a view as target stands for.
fn write_lock(sheet: &mut Sheet<'_>, name: &Name, cause: &'static str) {
    sheet.lock(name, RowExclusive, cause);
    let Some(found) = sheet.table(name) else { return };
    if found.kind == RelationKind::View {
        for (read, _) in &found.reads {
            sheet.lock(read, RowExclusive, cause);
        }
    }
}

/// Locks that storing a command takes, without planning it: in SQL functions and rules.
pub(super) fn stored_locks(sheet: &mut Sheet<'_>, dml: &Dml, cause: &'static str, how: Use) {
    reads(sheet, &dml.query, cause, how);
    for target in &dml.targets {
        let name = sheet.schema.resolve(target);
        // A rule is kept as it is written: what a view as target stands for is looked up later.
        match how {
            Use::Stored => sheet.lock(&name, RowExclusive, cause),
            Use::Rewritten | Use::Planned | Use::Run => write_lock(sheet, &name, cause),
        }
    }
}

/// Effects of SELECT, INSERT, UPDATE, DELETE and MERGE.
pub(super) fn dml(sheet: &mut Sheet<'_>, dml: &Dml, how: Use) {
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
        targets.push((name, is_only(&dml.query, written)));
    }
    if let [(target, _)] = targets.as_slice() {
        let names = dml.columns.iter().map(crate::sql::Ident::as_str);
        let columns: Vec<&str> = names.collect();
        if there::lacks_column(sheet, target, columns.into_iter()) {
            return;
        }
    }
    if dml.kind == DmlKind::Select && words::refused(sheet, &dml.query) {
        return;
    }
    // The words of a condition over the target alone are its columns.
    if let ([(target, _)], Some(filter), false) =
        (targets.as_slice(), &dml.filter, sheet.has_variables)
        && dml.query.outline.get().is_some_and(|outline| outline.alone)
        && matches!(dml.kind, DmlKind::Update | DmlKind::Delete)
        && there::expr_lacks_column(sheet, target, filter)
    {
        return;
    }
    for (target, only) in &targets {
        if cannot_change(sheet, target) {
            return;
        }
        let ruled = sheet.table(target).is_some_and(|found| !found.rules.is_empty());
        if dml.kind == DmlKind::Merge && ruled {
            let detail = format!("cannot execute MERGE on relation \"{target}\" with rules");
            sheet.fails("wrong-object-kind", "0A000", detail);
            return;
        }
        change(sheet, dml, target, *only, how);
        rules(sheet, dml, target, cause);
    }
    reads(sheet, &dml.query, cause, how);
}

/// Notes a relation whose rows cannot be changed. Says whether it is one.
fn cannot_change(sheet: &mut Sheet<'_>, target: &Name) -> bool {
    match sheet.table(target).map(|found| found.kind) {
        Some(kind @ (RelationKind::MaterializedView | RelationKind::Sequence)) => {
            let what =
                if kind == RelationKind::Sequence { "sequence" } else { "materialized view" };
            let detail = format!("cannot change {what} \"{target}\"");
            sheet.fails("wrong-object-kind", "42809", detail);
            true
        }
        Some(RelationKind::Foreign) => foreign_table::lacks_handler(sheet, target),
        Some(RelationKind::Table | RelationKind::View) | None => false,
    }
}

/// Rules add their commands to those of the statement.
fn rules(sheet: &mut Sheet<'_>, dml: &Dml, target: &Name, cause: &'static str) {
    let event = match dml.kind {
        DmlKind::Insert => "insert",
        DmlKind::Update => "update",
        DmlKind::Delete => "delete",
        DmlKind::Select | DmlKind::Merge | DmlKind::Replace | DmlKind::Load => return,
    };
    let Some(found) = sheet.table(target) else { return };
    for rule in found.rules.iter().filter(|rule: &&Rule| rule.event == event) {
        for written in &rule.writes {
            sheet.lock(written, RowExclusive, cause);
        }
        for read in &rule.reads {
            sheet.lock(read, AccessShare, cause);
        }
    }
}

fn change(sheet: &mut Sheet<'_>, dml: &Dml, target: &Name, only: bool, how: Use) {
    let cause = match dml.kind {
        DmlKind::Insert | DmlKind::Replace | DmlKind::Load => "insert",
        DmlKind::Update => "update",
        DmlKind::Delete => "delete",
        DmlKind::Merge | DmlKind::Select => "merge",
    };
    write_lock(sheet, target, cause);
    let base = base_table(sheet, target);
    let partitioned = sheet.table(&base).is_some_and(Relation::is_partitioned);
    // DELETE stopped looking at the bounds of its table with PostgreSQL 14.
    let looks_up = match dml.kind {
        DmlKind::Delete => partitioned || !sheet.since(14),
        DmlKind::Insert | DmlKind::Update | DmlKind::Merge => true,
        DmlKind::Select | DmlKind::Replace | DmlKind::Load => false,
    };
    if looks_up {
        lock_ancestors(sheet, &base, cause);
    }
    match dml.kind {
        DmlKind::Insert | DmlKind::Replace | DmlKind::Load => {
            if how == Use::Run {
                insert(sheet, dml, &base, cause);
            }
        }
        DmlKind::Update | DmlKind::Delete => {
            // A condition that joins tables says little of the rows of one.
            let joined = !dml.query.reads.is_empty();
            let access =
                if joined { Access::ByIndex } else { access(sheet, &base, dml.filter.as_ref()) };
            sheet.planner_chooses = access == Access::ByIndex;
            for member in members(sheet, &base, only, dml.filter.as_ref()) {
                sheet.lock(&member, RowExclusive, cause);
                if access != Access::ByKey && how == Use::Run {
                    read_rows(sheet, &member, cause);
                }
            }
            if how == Use::Planned {
                return;
            }
            takes_defaults(sheet, dml, &base);
            referential(sheet, dml, &base);
            if dml.kind == DmlKind::Delete && dml.filter.is_none() {
                sheet.lose(ObjectKind::Table, &base.to_string(), true, false);
            }
        }
        DmlKind::Merge => {
            for member in sheet.family(&base, only) {
                sheet.lock(&member, RowExclusive, cause);
                if how == Use::Run {
                    sheet.planner_chooses = true;
                    read_rows(sheet, &member, cause);
                }
            }
        }
        DmlKind::Select => {}
    }
}

/// Returns the tables whose rows a change may touch: partitions that its condition rules out are
/// left alone.
fn members(sheet: &Sheet<'_>, base: &Name, only: bool, filter: Option<&Expr>) -> Vec<Name> {
    let partitioned = sheet.table(base).is_some_and(Relation::is_partitioned);
    match filter {
        Some(filter) if partitioned && !only => reached(sheet, base, &|by, parent, bound| {
            let parts = sheet.schema.partitions(parent);
            let bounds = parts.iter().filter_map(|part| part.partition_of.as_ref());
            let others: Vec<_> = bounds.map(|(_, other)| other).collect();
            !bounds::rules_out(filter, by, bound, &others)
        }),
        _ => sheet.family(base, only),
    }
}

/// Returns a partitioned table with the partitions that a test lets in, level by level.
pub(super) fn reached(
    sheet: &Sheet<'_>,
    table: &Name,
    fits: &dyn Fn(&PartitionBy, &Name, &PartitionBound) -> bool,
) -> Vec<Name> {
    let mut found = vec![table.clone()];
    let Some(by) = sheet.table(table).and_then(|table| table.partition_by.as_ref()) else {
        return found;
    };
    for child in sheet.schema.partitions(table) {
        let bound = child.partition_of.as_ref().map(|(_, bound)| bound);
        if bound.is_none_or(|bound| fits(by, table, bound)) {
            found.extend(reached(sheet, &child.name, fits));
        }
    }
    found
}

/// Returns the table behind a simple view.
fn base_table(sheet: &Sheet<'_>, target: &Name) -> Name {
    let view = sheet.table(target).filter(|found| found.kind == RelationKind::View);
    let first = view.and_then(|view| view.reads.first()).map(|(name, _)| name.clone());
    first.unwrap_or_else(|| target.clone())
}

/// How the rows that a condition wants can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// By reading all of them.
    Whole,
    /// By an index, where the planner expects few of them.
    ByIndex,
    /// By a key that is given: one row.
    ByKey,
}

/// Says how a condition that compares columns of an index for equality can be met.
fn access(sheet: &Sheet<'_>, table: &Name, filter: Option<&Expr>) -> Access {
    let (Some(found), Some(filter)) = (sheet.table(table), filter) else { return Access::Whole };
    let text = filter.text.to_ascii_lowercase();
    if filter.has_subquery || text.contains(" or ") {
        return Access::Whole;
    }
    let compared = |column: &str| {
        [format!("{column} ="), format!("{column}="), format!("{column} in ")]
            .iter()
            .any(|wanted| contains_word(&text, wanted))
    };
    let usable = found.indexes.iter().filter(|index| index.predicate.is_none());
    let by = usable.filter_map(|index| {
        let columns: Option<Vec<&str>> = index.parts.iter().map(|part| part.key.column()).collect();
        let first = index.parts.first()?.key.column()?;
        let unique = index.kind == IndexKind::Unique || index.primary;
        let whole_key = unique && columns.is_some_and(|all| all.into_iter().all(compared));
        match (whole_key, compared(first)) {
            (true, _) => Some(Access::ByKey),
            (false, true) => Some(Access::ByIndex),
            (false, false) => None,
        }
    });
    by.max_by_key(|access| *access == Access::ByKey).unwrap_or(Access::Whole)
}

fn contains_word(text: &str, wanted: &str) -> bool {
    text.match_indices(wanted).any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
    })
}

/// A foreign key's check locks the rows it finds, in the partitions too.
pub(super) fn look_up(sheet: &mut Sheet<'_>, parent: &Name) {
    for member in foreign_key::partitions_of(sheet, parent) {
        sheet.lock(&member, RowShare, "foreign-key-rows");
    }
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
                look_up(sheet, parent);
            }
        }
    }
    // A foreign key to a partitioned table is one to its partitions.
    let above = sheet.table(table).and_then(|found| found.partition_of.as_ref());
    let mut keys = sheet.schema.foreign_keys_to(table);
    keys.extend(above.into_iter().flat_map(|(above, _)| sheet.schema.foreign_keys_to(above)));
    for (child, constraint) in keys {
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
        if mode == RowShare {
            let detail = format!("rows of \"{}\" may reference those of \"{table}\"", child.name);
            sheet.may_fail("rows-referenced", "23503", detail);
        }
        let wanted: Vec<&str> = columns.iter().map(String::as_str).collect();
        let indexed = child
            .indexes
            .iter()
            .any(|index| index.key_columns().first().is_some_and(|first| wanted.contains(first)));
        for member in foreign_key::partitions_of(sheet, &child.name) {
            sheet.lock(&member, mode, "foreign-key-rows");
            if !indexed {
                sheet.scan(&member, "foreign-key-rows", source::FOREIGN_KEY);
            }
        }
    }
}
