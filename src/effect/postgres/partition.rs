//! Partitions: attached, detached, created.
//!
//! PostgreSQL 12 to 18, tablecmds.c: ATExecAttachPartition, ATExecDetachPartition, DefineRelation;
//! check_new_partition_bound (partbounds.c); manual: Table Partitioning; measured,
//! testdata/servers/postgres.

use super::foreign_key;
use super::part_index::{build_below, is_equal};
use super::sheet::Sheet;
use super::target::Target;
use super::{bounds, literal, referential, source};
use crate::effect::LockMode::{
    self, AccessExclusive, AccessShare, ShareRowExclusive, ShareUpdateExclusive,
};
use crate::schema::{Column, Constraint, Demand, Name, Origin, Relation};
use crate::sql::ObjectName;
use crate::sql::ast::{DetachMode, ObjectKind, PartitionBound, Publication};

/// The lock that DETACH PARTITION needs on the parent.
pub(super) const fn detach_level(mode: DetachMode) -> LockMode {
    match mode {
        DetachMode::Plain => AccessExclusive,
        DetachMode::Concurrently | DetachMode::Finalize => ShareUpdateExclusive,
    }
}

/// Copies of foreign keys to a partition go, and the row triggers that it took over, on the tables
/// below it too.
fn lose_taken_over(sheet: &mut Sheet<'_>, child: &Name) {
    sheet.lose_copies_of(child);
    let schema = sheet.schema;
    for member in sheet.family(child, false) {
        let found = schema.relation(&member).into_iter().flat_map(|table| &table.triggers);
        for trigger in found.filter(|trigger| trigger.inherited) {
            sheet.lose_part(ObjectKind::Trigger, &member, &trigger.name, false, true);
        }
    }
}

/// Effects of ATTACH PARTITION.
pub(super) fn attach(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    written: &ObjectName,
    bound: &PartitionBound,
) {
    let Some(child) = sheet.existing(written, false) else { return };
    let parent = &target.name;
    if refused(sheet, parent, &child) {
        return;
    }
    for member in sheet.family(&child, false) {
        sheet.lock(&member, AccessExclusive, "attach-partition");
    }
    super::dml::lock_ancestors(sheet, parent, "attach-partition");
    if bound_refused(sheet, parent, bound) {
        return;
    }
    let by = sheet.table(parent).and_then(|table| table.partition_by.as_ref());
    for member in sheet.family(&child, false) {
        let proven = match (by, sheet.table(&member)) {
            (Some(by), Some(table)) => bounds::implies(table, by, bound),
            _ => false,
        };
        let default_alone =
            *bound == PartitionBound::Default && sheet.schema.partitions(parent).is_empty();
        if !proven && !default_alone {
            sheet.scan(&member, "attach-partition", source::PARTITION);
            let detail = format!("rows of \"{member}\" may be outside the bound");
            sheet.may_fail("rows-violate", "23514", detail);
        }
    }
    default_partition(sheet, parent, bound, "attach-partition-default");
    let (Some(from), Some(to)) = (sheet.table(parent), sheet.table(&child)) else { return };
    attach_indexes(sheet, from, to);
    attach_foreign_keys(sheet, from, to);
    referencing(sheet, parent, "attach-partition-foreign-key");
    sheet.breaks("new-check", ObjectKind::Table, child.to_string(), &child);
}

/// What the server refuses whatever the rows are.
fn refused(sheet: &mut Sheet<'_>, parent: &Name, child: &Name) -> bool {
    let (Some(from), Some(to)) = (sheet.table(parent), sheet.table(child)) else { return false };
    if from.complete && from.partition_by.is_none() {
        let detail = format!("table \"{parent}\" is not partitioned");
        sheet.fails("wrong-object-kind", "42P16", detail);
        return true;
    }
    if to.partition_of.is_some() {
        let detail = format!("\"{child}\" is already a partition");
        sheet.fails("wrong-object-kind", "42809", detail);
        return true;
    }
    if !to.inherits.is_empty() {
        let detail = "cannot attach inheritance child as partition".to_owned();
        sheet.fails("wrong-object-kind", "42809", detail);
        return true;
    }
    let below = sheet.schema.children(child);
    if below.iter().any(|below| below.inherits.contains(child)) {
        let detail = "cannot attach inheritance parent as partition".to_owned();
        sheet.fails("wrong-object-kind", "42809", detail);
        return true;
    }
    if sheet.family(child, false).contains(parent) {
        let detail = "circular inheritance not allowed".to_owned();
        sheet.fails("duplicate-object", "42P07", detail);
        return true;
    }
    if !from.complete || !to.complete {
        return false;
    }
    if differs_from_parent(sheet, from, to) {
        return true;
    }
    let extra = to.columns.iter().find(|own| from.column(&own.name).is_none());
    if let Some(extra) = extra {
        let detail =
            format!("table \"{child}\" has column \"{}\" that the parent lacks", extra.name);
        sheet.fails("type-mismatch", "42804", detail);
        return true;
    }
    false
}

/// Notes what a child has to have as its parent has it: columns of the same types, NOT NULL, checks
/// (PostgreSQL 12 to 18, MergeAttributesIntoExisting, MergeConstraintsIntoExisting). Says whether
/// it lacks something.
pub(super) fn differs_from_parent(sheet: &mut Sheet<'_>, from: &Relation, to: &Relation) -> bool {
    for column in &from.columns {
        let Some(own) = to.column(&column.name) else {
            let detail = format!("child table is missing column \"{}\"", column.name);
            sheet.fails("missing-column", "42804", detail);
            return true;
        };
        let types = (&column.data_type, &own.data_type);
        if let (Some(wanted), Some(has)) = types
            && (&wanted.name, &wanted.args, wanted.array_dims)
                != (&has.name, &has.args, has.array_dims)
            && !wanted.name.ends_with("serial")
            && !has.name.ends_with("serial")
        {
            let detail = format!("child table has different type for column \"{}\"", column.name);
            sheet.fails("type-mismatch", "42804", detail);
            return true;
        }
        if column.not_null && !own.not_null {
            let detail = format!("column \"{}\" must be marked NOT NULL", column.name);
            sheet.fails("nulls-present", "42804", detail);
            return true;
        }
    }
    let mut checks = from.constraints.iter();
    let lacks = |check: &&Constraint| {
        let passed_on = matches!(check.kind, Demand::Check(_)) && !check.no_inherit;
        passed_on && to.constraint(&check.name).is_none()
    };
    if let Some(check) = checks.find(lacks).map(|check| check.name.as_str()) {
        let detail = format!("child table is missing constraint \"{check}\"");
        sheet.fails("missing-object", "42804", detail);
        return true;
    }
    false
}

/// A bound that is empty, or that another partition has already, in part or whole.
fn bound_refused(sheet: &mut Sheet<'_>, parent: &Name, bound: &PartitionBound) -> bool {
    if bounds::is_empty(bound) {
        let detail = "empty range bound specified for the partition".to_owned();
        sheet.fails("partition-bound", "42P17", detail);
        return true;
    }
    let by = sheet.table(parent).and_then(|table| table.partition_by.as_ref());
    if by.is_some_and(|by| !bounds::is_of_strategy(bound, &by.strategy)) {
        let detail = format!("invalid bound specification for a partition of \"{parent}\"");
        sheet.fails("partition-bound", "42P16", detail);
        return true;
    }
    if by.is_some_and(|by| bounds::width(bound).is_some_and(|width| width != by.keys.len())) {
        let detail = "FROM and TO must specify exactly one value per partitioning column";
        sheet.fails("partition-bound", "42P16", detail.to_owned());
        return true;
    }
    if *bound == PartitionBound::Default {
        return false;
    }
    if value_refused(sheet, parent, bound) {
        return true;
    }
    let parts = sheet.schema.partitions(parent);
    let known: Vec<&PartitionBound> =
        parts.iter().filter_map(|part| part.partition_of.as_ref()).map(|(_, b)| b).collect();
    if let Some(wrong) = bounds::wrong_hash(bound, &known) {
        sheet.fails("partition-bound", "42P16", wrong.to_owned());
        return true;
    }
    let other = parts.into_iter().find(|part| {
        part.partition_of.as_ref().is_some_and(|(_, known)| bounds::overlap(bound, known))
    });
    if let Some(other) = other {
        let detail = format!("the partition would overlap partition \"{}\"", other.name);
        sheet.fails("partition-bound", "42P17", detail);
    }
    other.is_some()
}

/// Notes a value that is none of its key column's type: another kind of literal is turned into it
/// where an assignment would (PostgreSQL 12 to 18, transformPartitionBoundValue).
fn value_refused(sheet: &mut Sheet<'_>, parent: &Name, bound: &PartitionBound) -> bool {
    let Some(table) = sheet.table(parent) else { return false };
    let Some(by) = &table.partition_by else { return false };
    let columns: Vec<Option<&Column>> =
        by.keys.iter().map(|part| table.column(part.key.column()?)).collect();
    let values: Vec<(usize, &String)> = match bound {
        PartitionBound::Range { from, to } => {
            from.iter().enumerate().chain(to.iter().enumerate()).collect()
        }
        PartitionBound::In(values) => values.iter().map(|value| (0, value)).collect(),
        PartitionBound::Default | PartitionBound::Hash { .. } => Vec::new(),
    };
    for (at, value) in values {
        let Some(column) = columns.get(at).copied().flatten() else { continue };
        let Some(data_type) = &column.data_type else { continue };
        if literal::is_misread(sheet.schema, data_type, value) {
            let detail = format!("invalid input syntax for type {}: {value}", data_type.name);
            sheet.fails("partition-bound", "22P02", detail);
            return true;
        }
        if literal::is_unassignable(sheet.schema, data_type, value) {
            let detail = format!(
                "specified value cannot be cast to type {} for column \"{}\"",
                data_type.name, column.name
            );
            sheet.fails("partition-bound", "42804", detail);
            return true;
        }
    }
    false
}

/// The default partition must not hold rows of a new bound: it is locked, and read unless a CHECK
/// rules such rows out.
fn default_partition(
    sheet: &mut Sheet<'_>,
    parent: &Name,
    bound: &PartitionBound,
    cause: &'static str,
) {
    let Some(default) = sheet.schema.default_partition(parent) else { return };
    let by = sheet.table(parent).and_then(|table| table.partition_by.as_ref());
    if *bound == PartitionBound::Default {
        let detail = format!("partition \"{}\" is the default already", default.name);
        sheet.fails("partition-bound", "42P17", detail);
        return;
    }
    let names = foreign_key::partitions_of(sheet, &default.name);
    for member in names {
        sheet.lock(&member, AccessExclusive, cause);
        let ruled_out = match (by, sheet.table(&member)) {
            (Some(by), Some(table)) => bounds::excludes(table, by, bound),
            _ => false,
        };
        if !ruled_out {
            sheet.scan(&member, cause, source::PARTITION);
            let detail = format!("rows of \"{member}\" belong into the new partition");
            sheet.may_fail("default-partition-rows", "23514", detail);
        }
    }
}

/// Indexes of the parent that the partition has no equal of are built, on its partitions too.
fn attach_indexes(sheet: &mut Sheet<'_>, parent: &Relation, child: &Relation) {
    let mut used: Vec<&str> = Vec::new();
    for index in &parent.indexes {
        let own = child
            .indexes
            .iter()
            .find(|own| !used.contains(&own.name.as_str()) && is_equal(index, own));
        match own {
            Some(own) => used.push(&own.name),
            None => build_below(sheet, child, index),
        }
    }
}

/// Foreign keys of the parent are made on the partition and checked; one that both have already is
/// merged, which takes the stronger lock on the referenced table.
fn attach_foreign_keys(sheet: &mut Sheet<'_>, parent: &Relation, child: &Relation) {
    for key in &parent.constraints {
        let Demand::ForeignKey { parent: referenced, .. } = &key.kind else { continue };
        let otherwise = child
            .constraints
            .iter()
            .find(|own| own.kind == key.kind && own.enforced != key.enforced);
        if let Some(own) = otherwise {
            foreign_key::enforced_otherwise(sheet, &own.name, &child.name);
            return;
        }
        let own = child.constraints.iter().any(|own| is_same_key(key, own));
        let referenced = referenced.clone();
        if own {
            for member in foreign_key::partitions_of(sheet, &referenced) {
                sheet.lock(&member, AccessExclusive, "attach-partition-foreign-key");
            }
            continue;
        }
        foreign_key::lock_referenced(sheet, &referenced, "attach-partition-foreign-key");
        if key.enforced && key.valid {
            sheet.scan(&child.name, "add-foreign-key", source::PARTITION);
            for member in foreign_key::partitions_of(sheet, &referenced) {
                sheet.scan_unless_indexed(&member, "add-foreign-key-parent", source::PARTITION);
            }
            let detail = format!("rows of \"{}\" may lack a parent", child.name);
            sheet.may_fail("orphans-present", "23503", detail);
        }
    }
}

/// A foreign key is merged with one that differs in nothing but its name.
fn is_same_key(key: &Constraint, own: &Constraint) -> bool {
    own.kind == key.kind && own.deferrable == key.deferrable && own.enforced == key.enforced
}

/// Tables that reference the partitioned one: PostgreSQL 15 and later lock out their writers.
pub(super) fn referencing(sheet: &mut Sheet<'_>, parent: &Name, cause: &'static str) {
    let mode = if sheet.since(15) { ShareRowExclusive } else { AccessShare };
    let others: Vec<Name> =
        referential::keys_to(sheet, parent).iter().map(|(t, _)| t.name.clone()).collect();
    for other in others {
        sheet.lock(&other, mode, cause);
    }
}

/// Effects of DETACH PARTITION.
pub(super) fn detach(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    written: &ObjectName,
    mode: DetachMode,
) {
    let parent = &target.name;
    let concurrent = mode != DetachMode::Plain;
    if concurrent && sheet.needs_version(14, "DETACH PARTITION CONCURRENTLY") {
        return;
    }
    let Some(child) = sheet.existing(written, false) else { return };
    let default = sheet.schema.default_partition(parent).map(|found| found.name.clone());
    if mode == DetachMode::Concurrently {
        sheet.refuses_transaction("ALTER TABLE ... DETACH CONCURRENTLY");
        if default.is_some() {
            let detail = "cannot detach concurrently when a default partition exists".to_owned();
            sheet.fails("default-partition-exists", "55000", detail);
            return;
        }
    }
    let is_part = sheet.table(&child).is_none_or(|table| {
        table.partition_of.as_ref().is_some_and(|(of, _)| of == parent) || !table.complete
    });
    if mode == DetachMode::Finalize {
        finalize(sheet, &child, is_part);
        return;
    }
    if !is_part {
        let detail = format!("\"{child}\" is not a partition of \"{parent}\"");
        sheet.fails("wrong-object-kind", "42P01", detail);
        return;
    }
    // PostgreSQL 12 and 13 leave readers and writers of the partition alone.
    // Triggers taken over from the parent are dropped, which takes more.
    let cloned = sheet
        .table(&child)
        .is_some_and(|table| table.triggers.iter().any(|trigger| trigger.inherited));
    let weak = !sheet.since(14) && !cloned;
    let on_child = if weak { ShareUpdateExclusive } else { AccessExclusive };
    sheet.lock(&child, on_child, "detach-partition");
    if weak {
        lock_attached_indexes(sheet, &child);
    }
    for member in sheet.family(&child, false).into_iter().skip(1) {
        sheet.lock(&member, AccessExclusive, "detach-partition");
    }
    if let Some(default) = default {
        sheet.lock(&default, AccessExclusive, "detach-partition-default");
    }
    lose_taken_over(sheet, &child);
    // The partition's foreign keys become its own.
    let referenced: Vec<Name> = sheet
        .table(&child)
        .into_iter()
        .flat_map(|table| &table.constraints)
        .filter(|constraint| constraint.inherited)
        .filter_map(|constraint| constraint.parent())
        .cloned()
        .collect();
    for other in referenced {
        foreign_key::lock_referenced(sheet, &other, "detach-partition-foreign-key");
    }
    detach_from_keys(sheet, parent, &child);
    sheet.breaks("detach-partition", ObjectKind::Table, child.to_string(), &child);
}

/// Foreign keys that reference the whole lose their part for the partition.
fn detach_from_keys(sheet: &mut Sheet<'_>, parent: &Name, child: &Name) {
    let referencing: Vec<Name> =
        referential::keys_to(sheet, parent).iter().map(|(t, _)| t.name.clone()).collect();
    if !referencing.is_empty() {
        super::dml::lock_ancestors(sheet, child, "detach-partition");
        sheet.lock(child, AccessExclusive, "detach-partition");
    }
    for other in referencing {
        sheet.lock(&other, AccessExclusive, "detach-partition-foreign-key");
        // No row of the other table may reference one of the partition, where there are rows.
        if !sheet.table(&other).is_some_and(|table| table.has_rows) {
            continue;
        }
        for member in foreign_key::partitions_of(sheet, child) {
            let cause = "detach-partition-foreign-key";
            sheet.scan_unless_indexed(&member, cause, source::PARTITION);
        }
        let detail = format!("rows of \"{other}\" may reference those of \"{child}\"");
        sheet.may_fail("rows-referenced", "23503", detail);
        sheet.scan(&other, "detach-partition-foreign-key", source::PARTITION);
    }
}

/// FINALIZE ends what a concurrent detachment that was stopped has left.
fn finalize(sheet: &mut Sheet<'_>, child: &Name, is_part: bool) {
    // One that was seen being detached may have stopped half-way.
    if is_part && sheet.table(child).is_some_and(|table| table.complete) {
        let detail = format!("cannot complete detaching partition \"{child}\"");
        sheet.fails("wrong-object-kind", "55000", detail);
        return;
    }
    sheet.lock(child, AccessExclusive, "detach-partition");
    sheet.breaks("detach-partition", ObjectKind::Table, child.to_string(), child);
}

/// PostgreSQL 12 and 13 lock the indexes that are detached, and no more than that.
fn lock_attached_indexes(sheet: &mut Sheet<'_>, child: &Name) {
    let Some(table) = sheet.table(child) else { return };
    for index in table.indexes.iter().filter(|index| index.parent.is_some()) {
        let full = Name::new(child.schema.clone(), index.name.clone());
        sheet.lock_index(&full, AccessExclusive, "detach-partition");
    }
}

/// Effects of CREATE TABLE … PARTITION OF.
pub(super) fn create_of(sheet: &mut Sheet<'_>, parent: &Name, bound: &PartitionBound) {
    sheet.lock(parent, AccessExclusive, "create-partition");
    let Some(table) = sheet.table(parent) else { return };
    if table.complete && table.partition_by.is_none() {
        let detail = format!("\"{parent}\" is not partitioned");
        sheet.fails("wrong-object-kind", "42809", detail);
        return;
    }
    if bound_refused(sheet, parent, bound) {
        return;
    }
    default_partition(sheet, parent, bound, "create-partition-default");
    let referenced: Vec<Name> =
        table.constraints.iter().filter_map(|c| c.parent()).cloned().collect();
    for other in referenced {
        foreign_key::lock_referenced(sheet, &other, "create-partition-foreign-key");
    }
    referencing(sheet, parent, "create-partition-foreign-key");
}

/// Locks what dropping a partition locks: its parent and the default partition beside it.
pub(super) fn lock_parent_of(sheet: &mut Sheet<'_>, partition: &Name) {
    let of = sheet.table(partition).and_then(|table| table.partition_of.as_ref());
    let Some((parent, _)) = of else { return };
    sheet.lock(parent, AccessExclusive, "drop-partition");
    let default = sheet.schema.default_partition(parent).map(|found| found.name.clone());
    if let Some(default) = default {
        sheet.lock(&default, AccessExclusive, "drop-partition");
    }
}

/// Columns and rows of a partitioned table are chosen only where its partitions are published as
/// the whole (PostgreSQL 15 to 18, TransformPubWhereClauses, CheckPubRelationColumnList).
pub(super) fn is_published_in_part(
    sheet: &mut Sheet<'_>,
    publication: &Publication,
    table: &Name,
) -> bool {
    let known = sheet.schema.publications.get(publication.name.as_str());
    let via_root = publication.via_root.unwrap_or(known.is_some_and(|known| known.via_root));
    let unseen = publication.alter && known.is_none_or(|known| known.origin == Origin::Assumed);
    let chosen = publication.restricted.iter().any(|of| sheet.schema.resolve(of) == *table);
    let partitioned = sheet.table(table).is_some_and(Relation::is_partitioned);
    let refused = chosen && partitioned && !via_root && !unseen;
    if refused {
        let detail = format!(
            "columns and rows of the partitioned table \"{table}\" cannot be chosen without \
             publish_via_partition_root"
        );
        sheet.fails("wrong-object-kind", "22023", detail);
    }
    refused
}
