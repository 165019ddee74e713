//! Queries and data changes.
//!
//! PostgreSQL 12 to 18, manual: Explicit Locking, the notes of each command; measured,
//! testdata/servers/postgres.

use super::insert::{insert, sets_checked, takes_defaults};
use super::sheet::Sheet;
use super::{column, foreign_table, prune, referential, source, there, words};
use crate::effect::LockMode::{AccessShare, RowExclusive, RowShare};
use crate::schema::{Name, Relation, RelationKind, Rule};
use crate::sql::ObjectName;
use crate::sql::ast::{Dml, DmlKind, Expr, IndexKind, Key, ObjectKind, Query};

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
    // What UPDATE, DELETE and MERGE join is read in either way.
    sheet.planner_chooses = !query.functions.is_empty()
        || query.outline.get().is_none_or(|outline| outline.chooses || !outline.plain);
    for read in &query.reads {
        if let Some(name) = sheet.existing(read, false) {
            let reach = reach(sheet, query, read);
            read_through(sheet, &name, cause, how, &reach);
            if matches!(how, Use::Planned | Use::Run)
                && !reach.only
                && sheet.table(&name).is_some_and(Relation::is_partitioned)
            {
                // The planner looks at the bounds of a partition that is partitioned itself.
                lock_ancestors(sheet, &name, cause);
            }
        }
    }
    for locked in &query.row_locks {
        let name = sheet.schema.resolve(locked);
        row_locks(sheet, &name, &reach(sheet, query, locked));
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
fn row_locks(sheet: &mut Sheet<'_>, name: &Name, reach: &Reach<'_>) {
    let kind = sheet.table(name).map(|found| found.kind);
    let unfit = match kind {
        Some(RelationKind::Sequence) => Some("sequence"),
        // Inside of a view it is left alone.
        Some(RelationKind::MaterializedView) if reach.depth == 0 => Some("materialized view"),
        _ => None,
    };
    if let Some(unfit) = unfit {
        let detail = format!("cannot lock rows in {unfit} \"{name}\"");
        sheet.fails("wrong-object-kind", "42809", detail);
        return;
    }
    for member in members(sheet, name, reach) {
        sheet.lock(&member, RowShare, "select-for-update");
    }
    let view = sheet.table(name).filter(|found| found.kind == RelationKind::View);
    for (read, _) in view.filter(|_| reach.depth < 32).into_iter().flat_map(|view| &view.reads) {
        row_locks(sheet, read, &reach.inside());
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

/// How far a statement reaches from a relation that it names.
#[derive(Debug, Clone, Copy, Default)]
struct Reach<'c> {
    /// It is written with ONLY.
    only: bool,
    /// The condition that its rows meet, as far as it is known: partitions may be ruled out.
    condition: Option<&'c str>,
    /// How many views lead to it.
    depth: u8,
}

impl Reach<'_> {
    /// Returns how far a view reaches.
    const fn inside(&self) -> Self {
        Self { only: false, condition: None, depth: self.depth + 1 }
    }
}

/// Returns how far a query reaches from a relation that it reads.
fn reach<'q>(sheet: &Sheet<'_>, query: &'q Query, name: &ObjectName) -> Reach<'q> {
    let outline = query.outline.get().filter(|outline| outline.plain);
    let condition = outline.and_then(|outline| {
        let told = sheet.schema.find(name)?;
        let others = outline.sources.iter().map(|(_, other)| other);
        let others: Vec<&ObjectName> =
            others.filter(|other| other.to_string() != name.to_string()).collect();
        let once = outline.sources.len() == others.len() + 1;
        (once && is_alone_in(sheet, told, &others)).then_some(outline.filter.as_deref()).flatten()
    });
    Reach { only: is_only(query, name), condition, depth: 0 }
}

/// Says whether the columns that partition a table can only be its own among some relations.
fn is_alone_in(sheet: &Sheet<'_>, table: &Relation, others: &[&ObjectName]) -> bool {
    let mut keys = partition_columns(sheet, &table.name).into_iter();
    let lacks = |key: &str| {
        others.iter().all(|other| {
            let known = sheet.schema.find(other).filter(|other| other.complete);
            known.is_some_and(|other| other.column(key).is_none())
        })
    };
    keys.all(|key| lacks(&key))
}

/// Returns the columns by which a table and its partitions are partitioned.
pub(super) fn partition_columns(sheet: &Sheet<'_>, table: &Name) -> Vec<String> {
    let family = sheet.family(table, false);
    let divided = family.iter().filter_map(|member| sheet.table(member)?.partition_by.as_ref());
    let words = divided.flat_map(|by| &by.keys).flat_map(|part| match &part.key {
        Key::Column(column) => vec![column.value.clone()],
        Key::Expr(expr) => expr.columns.clone(),
    });
    words.collect()
}

/// Locks one relation that is read, what a view reads, and what lies below a table.
pub(super) fn read_one(
    sheet: &mut Sheet<'_>,
    name: &Name,
    cause: &'static str,
    how: Use,
    only: bool,
) {
    read_through(sheet, name, cause, how, &Reach { only, ..Reach::default() });
}

fn read_through(
    sheet: &mut Sheet<'_>,
    name: &Name,
    cause: &'static str,
    how: Use,
    reach: &Reach<'_>,
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
            for (read, _) in found.reads.iter().filter(|_| reach.depth < 32) {
                read_through(sheet, read, cause, how, &reach.inside());
            }
        }
        RelationKind::Table | RelationKind::MaterializedView => {
            for member in members(sheet, name, reach) {
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
        let Some(name) = sheet.existing(target, false) else { return };
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
        // From PostgreSQL 14 on the first row that is written makes it look.
        let by_rows = sheet.since(14) && dml.kind != DmlKind::Insert && !partitioned;
        lock_ancestors(sheet, &base, if by_rows { "partition-check" } else { cause });
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
            let members = members(sheet, &base, &changed(sheet, dml, &base, only));
            for member in &members {
                sheet.lock(member, RowExclusive, cause);
                let access = match joined {
                    true => Access::ByIndex,
                    false => access(sheet, member, dml.filter.as_ref()),
                };
                sheet.planner_chooses = access == Access::ByIndex;
                if access != Access::ByKey && how == Use::Run {
                    read_rows(sheet, member, cause);
                }
            }
            if how == Use::Planned {
                return;
            }
            takes_defaults(sheet, dml, &base);
            sets_checked(sheet, dml, &base);
            referential::moves(sheet, dml, &base, &members);
            referential::look(sheet, dml, &members);
            if dml.kind == DmlKind::Delete && dml.filter.is_none() {
                sheet.lose(ObjectKind::Table, &base.to_string(), true, false);
            }
        }
        DmlKind::Merge => {
            let members = sheet.family(&base, only);
            for member in &members {
                sheet.lock(member, RowExclusive, cause);
                if how == Use::Run {
                    sheet.planner_chooses = true;
                    read_rows(sheet, member, cause);
                }
            }
            if how == Use::Run {
                referential::moves(sheet, dml, &base, &members);
                referential::look(sheet, dml, &members);
            }
        }
        DmlKind::Select => {}
    }
}

/// Returns how far UPDATE and DELETE reach from their table.
fn changed<'d>(sheet: &Sheet<'_>, dml: &'d Dml, base: &Name, only: bool) -> Reach<'d> {
    let filter = dml.filter.as_ref().filter(|filter| !filter.has_subquery);
    let others: Vec<&ObjectName> = dml.query.reads.iter().collect();
    let alone = sheet.table(base).is_some_and(|table| is_alone_in(sheet, table, &others));
    let condition = filter.filter(|_| alone).map(|filter| filter.text.as_str());
    Reach { only, condition, depth: 0 }
}

/// Returns the tables whose rows a statement may touch: partitions that its condition rules out are
/// left alone.
fn members(sheet: &Sheet<'_>, base: &Name, reach: &Reach<'_>) -> Vec<Name> {
    let partitioned = sheet.table(base).is_some_and(Relation::is_partitioned);
    match reach.condition {
        Some(condition) if partitioned && !reach.only => prune::reached(sheet, base, condition),
        _ => sheet.family(base, reach.only),
    }
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
    // PostgreSQL 18 skips through the values of columns that come first.
    let named = |column: &&str| filter.columns.iter().any(|named| named == column);
    let parent = !found.is_partitioned() && !sheet.schema.children(table).is_empty();
    let usable = found.indexes.iter().filter(|index| index.predicate.is_none());
    let by = usable.filter_map(|index| {
        let columns: Option<Vec<&str>> = index.parts.iter().map(|part| part.key.column()).collect();
        let first = index.parts.first()?.key.column()?;
        let unique = index.kind == IndexKind::Unique || index.primary;
        let whole_key = unique && columns.is_some_and(|all| all.into_iter().all(compared));
        let reaches = named(&first) || (sheet.since(18) && index.key_columns().iter().any(named));
        match (whole_key, reaches) {
            // A table with children is not taken to be of ten pages at least.
            (true, _) if !parent => Some(Access::ByKey),
            (true, _) | (false, true) => Some(Access::ByIndex),
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
