//! Constraints: added, dropped, validated, altered, renamed.

use super::alter_table::Target;
use super::sheet::Sheet;
use super::{column, dependents, functions, source};
use crate::effect::LockMode::{
    AccessExclusive, AccessShare, RowShare, Share, ShareRowExclusive, ShareUpdateExclusive,
};
use crate::schema::{Constraint, Demand, Index, Name, Relation, RelationKind, made_up_name};
use crate::sql::Ident;
use crate::sql::ast::{
    ColumnDef, ConstraintKind, DataType, ExprShape, ForeignKey, IndexKind, Key, KeyConstraint,
    ObjectKind, Persistence, TableConstraint,
};

/// Says whether an index stands behind a constraint.
pub(super) const fn has_index(kind: &ConstraintKind) -> bool {
    match kind {
        ConstraintKind::PrimaryKey(_)
        | ConstraintKind::Unique(_)
        | ConstraintKind::PrimaryKeyUsingIndex(_)
        | ConstraintKind::UniqueUsingIndex(_)
        | ConstraintKind::Exclude(_) => true,
        ConstraintKind::Check(_) | ConstraintKind::ForeignKey(_) | ConstraintKind::NotNull(_) => {
            false
        }
    }
}

/// The operation that ADD CONSTRAINT is.
pub(super) const fn add_cause(kind: &ConstraintKind) -> &'static str {
    match kind {
        ConstraintKind::PrimaryKey(_) => "add-primary-key",
        ConstraintKind::Unique(_) => "add-unique",
        ConstraintKind::PrimaryKeyUsingIndex(_) => "add-primary-key-using-index",
        ConstraintKind::UniqueUsingIndex(_) => "add-unique-using-index",
        ConstraintKind::Check(_) => "add-check",
        ConstraintKind::ForeignKey(_) => "add-foreign-key",
        ConstraintKind::Exclude(_) => "add-exclusion",
        ConstraintKind::NotNull(_) => "add-not-null",
    }
}

/// Effects of ADD CONSTRAINT.
pub(super) fn add(sheet: &mut Sheet<'_>, target: &Target<'_>, added: &TableConstraint) {
    if name_is_taken(sheet, target, added) {
        return;
    }
    match &added.kind {
        ConstraintKind::PrimaryKey(key) => {
            key_constraint(sheet, target, added, key, true);
        }
        ConstraintKind::Unique(key) => key_constraint(sheet, target, added, key, false),
        ConstraintKind::PrimaryKeyUsingIndex(index) => {
            using_index(sheet, target, added, index, true);
        }
        ConstraintKind::UniqueUsingIndex(index) => {
            using_index(sheet, target, added, index, false);
        }
        ConstraintKind::Check(check) => {
            if check.has_subquery {
                let detail = "cannot use a subquery in a check constraint".to_owned();
                sheet.fails("check-with-subquery", "0A000", detail);
                return;
            }
            if !fresh_values(sheet, target, check) && !check_refused(sheet, target, added, check) {
                add_check(sheet, target, added);
            }
        }
        ConstraintKind::ForeignKey(key) => foreign_key(sheet, target, added, key, None),
        ConstraintKind::Exclude(exclude) => {
            let key = KeyConstraint { parts: exclude.parts.clone(), ..KeyConstraint::default() };
            let index = index_name(sheet, target, added, &key, "excl");
            build(sheet, &target.name, &index, "add-exclusion");
            sheet.may_fail("rows-violate", "23P01", "rows conflict with each other".to_owned());
            let full = constraint_name(target, added, &index);
            sheet.breaks("new-exclusion", ObjectKind::Constraint, full, &target.name);
        }
        ConstraintKind::NotNull(column) => {
            if sheet.needs_version(18, "NOT NULL as a table constraint") {
                return;
            }
            if added.not_valid {
                left_not_valid(sheet, target, added);
                let full = format!("{}.{column}", target.name);
                sheet.breaks("new-not-null", ObjectKind::Column, full, &target.name);
            } else {
                column::set_not_null(sheet, target, column.as_str(), "add-not-null");
            }
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the others are alike here")]
fn name_is_taken(sheet: &mut Sheet<'_>, target: &Target<'_>, added: &TableConstraint) -> bool {
    let Some(name) = &added.name else { return false };
    let dropped = target.beside.dropped_constraints.contains(&name.as_str());
    let table = sheet.table(&target.name);
    let taken = table.and_then(|table| table.constraint(name.as_str()));
    let merged = taken.is_some_and(|old| matches!(old.kind, Demand::NotNull(_)));
    if taken.is_some() && !dropped && !merged {
        let detail =
            format!("constraint \"{name}\" for relation \"{}\" exists already", target.name);
        sheet.fails("duplicate-object", "42710", detail);
        return true;
    }
    let full = Name::new(target.name.schema.clone(), name.as_str());
    let renames_itself = match &added.kind {
        ConstraintKind::PrimaryKeyUsingIndex(index) | ConstraintKind::UniqueUsingIndex(index) => {
            index == name || index.value == name.value
        }
        _ => !has_index(&added.kind),
    };
    if !renames_itself && !dropped && sheet.schema.is_taken(&full) {
        let detail = format!("relation \"{name}\" exists already");
        sheet.fails("duplicate-object", "42P07", detail);
        return true;
    }
    false
}

/// What the server refuses of a CHECK whatever the rows are.
fn check_refused(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    added: &TableConstraint,
    check: &crate::sql::ast::Expr,
) -> bool {
    let table = sheet.table(&target.name);
    let partitioned = table.is_some_and(|table| table.partition_by.is_some());
    let children = !sheet.schema.children(&target.name).is_empty();
    let alone = target.only && children && !added.no_inherit;
    if alone || (partitioned && added.no_inherit) {
        let detail = "constraint must be added to child tables too".to_owned();
        sheet.fails("wrong-object-kind", "42P16", detail);
        return true;
    }
    // Fields of a composite column and whole rows have the form of columns too.
    let plain = !check.text.contains(").") && !check.has_subquery;
    let own = |word: &&String| **word != target.name.name;
    plain && check.columns.iter().filter(own).any(|word| !column::check_there(sheet, target, word))
}

fn fresh_values(sheet: &mut Sheet<'_>, target: &Target<'_>, check: &crate::sql::ast::Expr) -> bool {
    let Some(table) = sheet.table(&target.name) else { return false };
    let columns = check.columns.iter().filter_map(|name| table.column(name));
    let types: Vec<&DataType> =
        columns.filter_map(|column| column.data_type.as_ref()).chain(&check.casts).collect();
    let fresh = types.into_iter().find_map(|t| column::fresh_value(sheet, t, &check.text));
    if let Some(value) = &fresh {
        let detail = format!("unsafe use of new value \"{value}\" of an enum type");
        sheet.fails("enum-value-uncommitted", "55P04", detail);
    }
    fresh.is_some()
}

fn add_check(sheet: &mut Sheet<'_>, target: &Target<'_>, added: &TableConstraint) {
    let full = added
        .name
        .as_ref()
        .map_or_else(|| format!("{}.check", target.name), |name| format!("{}.{name}", target.name));
    if added.not_enforced {
        sheet.needs_version(18, "NOT ENFORCED");
        return;
    }
    sheet.breaks("new-check", ObjectKind::Constraint, full, &target.name);
    if added.not_valid {
        left_not_valid(sheet, target, added);
        return;
    }
    for member in sheet.family(&target.name, target.only || added.no_inherit) {
        sheet.scan(&member, "add-check", source::ALTER_TABLE);
    }
    sheet.may_fail("rows-violate", "23514", "rows violate the new check".to_owned());
}

fn left_not_valid(sheet: &mut Sheet<'_>, target: &Target<'_>, added: &TableConstraint) {
    let name = added.name.as_ref().map_or("constraint", Ident::as_str);
    sheet.leaves("not-valid", format!("{}.{name}", target.name), &target.name);
}

fn constraint_name(target: &Target<'_>, added: &TableConstraint, index: &Name) -> String {
    let name = added.name.as_ref().map_or(index.name.as_str(), Ident::as_str);
    format!("{}.{name}", target.name)
}

/// Returns the name of the index behind a key, made up as the server does.
fn index_name(
    sheet: &Sheet<'_>,
    target: &Target<'_>,
    added: &TableConstraint,
    key: &KeyConstraint,
    label: &str,
) -> Name {
    let home = target.name.schema.clone();
    if let Some(name) = &added.name {
        return Name::new(home, name.as_str());
    }
    let columns: Vec<&str> = key
        .parts
        .iter()
        .map(|part| part.key.column().unwrap_or("expr"))
        .chain(key.include.iter().map(Ident::as_str))
        .collect();
    let columns = if label == "pkey" { String::new() } else { columns.join("_") };
    let dropped = &target.beside.dropped_constraints;
    let taken = |name: &str| {
        !dropped.contains(&name) && sheet.schema.is_taken(&Name::new(home.clone(), name))
    };
    let name = made_up_name(&target.name.name, &columns, label, taken);
    Name::new(home, name)
}

/// Notes an index build that reads the whole table.
pub(super) fn build(sheet: &mut Sheet<'_>, table: &Name, index: &Name, cause: &'static str) {
    if sheet.table(table).is_some_and(|found| !found.has_storage()) {
        return;
    }
    sheet.scan(table, cause, source::INDEX);
    sheet.build(table, index, cause, false);
}

fn key_constraint(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    added: &TableConstraint,
    key: &KeyConstraint,
    primary: bool,
) {
    let (cause, label) = if primary { ("add-primary-key", "pkey") } else { ("add-unique", "key") };
    if (key.nulls_not_distinct && sheet.needs_version(15, "NULLS NOT DISTINCT"))
        || (key.without_overlaps && sheet.needs_version(18, "WITHOUT OVERLAPS"))
        || key_refused(sheet, target, key, primary)
    {
        return;
    }
    let index = index_name(sheet, target, added, key, label);
    let full = constraint_name(target, added, &index);
    sheet.breaks("new-unique", ObjectKind::Constraint, full, &target.name);
    let detail = "rows have the same key".to_owned();
    sheet.may_fail("duplicates-present", "23505", detail);
    let columns: Vec<&str> = key.parts.iter().filter_map(|part| part.key.column()).collect();
    if primary {
        for column in &columns {
            not_null_by_key(sheet, target, column);
        }
    }
    build(sheet, &target.name, &index, cause);
    partition_keys(sheet, target, key, primary, cause);
}

/// What the server refuses whatever the rows are.
fn key_refused(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    key: &KeyConstraint,
    primary: bool,
) -> bool {
    let Some(table) = sheet.table(&target.name) else { return false };
    if primary {
        let other = table.constraints.iter().find(|constraint| {
            matches!(constraint.kind, Demand::PrimaryKey(_))
                && !target.beside.dropped_constraints.contains(&constraint.name.as_str())
        });
        if other.is_some() {
            let detail = format!("multiple primary keys for table \"{}\"", table.name);
            sheet.fails("duplicate-object", "42P16", detail);
            return true;
        }
    }
    for column in key.parts.iter().filter_map(|part| part.key.column()) {
        if !column::check_there(sheet, target, column) {
            return true;
        }
        let invalid = table.column(column).is_some_and(|found| found.not_null_not_valid);
        if primary && invalid {
            let detail = format!("the NOT NULL of column \"{column}\" is not valid");
            sheet.fails("nulls-present", "55000", detail);
            return true;
        }
    }
    let Some(by) = &table.partition_by else { return false };
    let named = |column: &str| key.parts.iter().any(|part| part.key.column() == Some(column));
    let covered = by.keys.iter().all(|part| match &part.key {
        Key::Column(column) => named(column.as_str()),
        Key::Expr(_) => false,
    });
    if !covered {
        let detail = "a unique key of a partitioned table has to hold all partition columns";
        sheet.fails("unique-on-expression", "0A000", detail.to_owned());
    }
    !covered
}

/// PRIMARY KEY makes its columns NOT NULL: rows are read for that unless it is known.
fn not_null_by_key(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &str) {
    for member in sheet.family(&target.name, target.only) {
        if column::is_proven(sheet, target, &member, column) {
            continue;
        }
        let partition = member != target.name
            && sheet.table(&member).is_some_and(|table| table.partition_of.is_some());
        if member == target.name || partition {
            sheet.scan(&member, "primary-key-not-null", source::ALTER_TABLE);
            if partition {
                sheet.lock(&member, AccessExclusive, "add-primary-key");
            }
            let detail = format!("column \"{column}\" of \"{member}\" may hold NULL");
            sheet.may_fail("nulls-present", "23502", detail);
        }
    }
}

/// The key of a partitioned table is built on every partition that has no equal one.
fn partition_keys(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    key: &KeyConstraint,
    primary: bool,
    cause: &'static str,
) {
    if sheet.table(&target.name).is_none_or(|table| table.partition_by.is_none()) {
        return;
    }
    // PostgreSQL 18 makes NOT NULL a constraint of the partitions too, which takes more.
    let mode = if sheet.since(18) { AccessExclusive } else { Share };
    let columns: Vec<&str> = key.parts.iter().filter_map(|part| part.key.column()).collect();
    for child in sheet.family(&target.name, target.only).into_iter().skip(1) {
        sheet.lock(&child, mode, cause);
        let Some(table) = sheet.table(&child) else { continue };
        let has = table.indexes.iter().any(|index| {
            index.kind == IndexKind::Unique
                && index.constraint.is_some()
                && index.key_columns() == columns
                && index.parent.is_none()
        });
        if !has {
            let label = if primary { "pkey" } else { "key" };
            let index = part_index_name(sheet, table, &columns, label);
            build(sheet, &child, &index, cause);
        }
    }
}

/// Returns the name that an index of a partitioned table gets on a partition.
pub(super) fn part_index_name(
    sheet: &Sheet<'_>,
    table: &Relation,
    columns: &[&str],
    label: &str,
) -> Name {
    let home = table.name.schema.clone();
    let columns = if label == "pkey" { String::new() } else { columns.join("_") };
    let taken = |name: &str| sheet.schema.is_taken(&Name::new(home.clone(), name));
    let name = made_up_name(&table.name.name, &columns, label, taken);
    Name::new(home, name)
}

fn using_index(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    added: &TableConstraint,
    index: &Ident,
    primary: bool,
) {
    let table = sheet.table(&target.name);
    let cause = if primary { "add-primary-key-using-index" } else { "add-unique-using-index" };
    if table.is_some_and(|table| table.partition_by.is_some()) {
        let detail = "USING INDEX is not supported on partitioned tables".to_owned();
        sheet.fails("wrong-object-kind", "0A000", detail);
        return;
    }
    let Some(found) = table.and_then(|table| table.index(index.as_str())) else {
        if table.is_some_and(|table| table.complete) {
            let detail = format!("index \"{index}\" does not exist");
            sheet.fails("missing-object", "42704", detail);
        } else if primary {
            sheet.may_fail("nulls-present", "23502", "columns may hold NULL".to_owned());
        }
        return;
    };
    if !is_usable_for_key(sheet, found) {
        return;
    }
    let full = Name::new(target.name.schema.clone(), index.as_str());
    // The index takes the constraint's name.
    if added.name.as_ref().is_some_and(|name| name.value != index.value) {
        sheet.lock_index(&full, ShareUpdateExclusive, cause);
    }
    if primary {
        for column in found.key_columns() {
            not_null_by_key(sheet, target, column);
        }
    }
}

fn is_usable_for_key(sheet: &mut Sheet<'_>, index: &Index) -> bool {
    let (code, what) = if !index.valid {
        ("55000", "is not valid")
    } else if index.constraint.is_some() {
        ("55000", "is already associated with a constraint")
    } else if index.kind != IndexKind::Unique {
        ("42809", "is not a unique index")
    } else if index.predicate.is_some() {
        ("42809", "is a partial index")
    } else if index.parts.iter().any(|part| part.key.column().is_none()) {
        ("42809", "contains expressions")
    } else if index.method != "btree" {
        ("42809", "is not a b-tree")
    } else if index.parts.iter().any(|part| part.descending || part.nulls_first == Some(true)) {
        ("42809", "does not have default sorting behavior")
    } else {
        return true;
    };
    sheet.fails("index-not-unique", code, format!("index \"{}\" {what}", index.name));
    false
}

/// Effects of the constraints written on a new column.
pub(super) fn add_with_column(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    added: &TableConstraint,
    column: &ColumnDef,
) {
    match &added.kind {
        // ADD COLUMN has noted the scan; it may also have been refused.
        ConstraintKind::Check(_) => {
            let full = format!("{}.{}", target.name, column.name);
            sheet.breaks("new-check", ObjectKind::Constraint, full, &target.name);
            let null = column.default.as_ref().is_none_or(|d| d.shape == ExprShape::Null);
            if !null {
                sheet.may_fail("rows-violate", "23514", "the default may violate it".to_owned());
            }
        }
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
            let primary = matches!(added.kind, ConstraintKind::PrimaryKey(_));
            if key_refused(sheet, target, key, primary) {
                return;
            }
            let label = if primary { "pkey" } else { "key" };
            let index = index_name(sheet, target, added, key, label);
            build(sheet, &target.name, &index, "add-column-unique");
            let constant = column.default.as_ref().is_some_and(|default| {
                default.shape != ExprShape::Null && !functions::is_volatile(sheet.schema, default)
            });
            if constant {
                let detail = "all rows get the same value".to_owned();
                sheet.may_fail("duplicates-present", "23505", detail);
            }
        }
        ConstraintKind::ForeignKey(key) => {
            foreign_key(sheet, target, added, key, Some(column));
        }
        ConstraintKind::Exclude(_)
        | ConstraintKind::NotNull(_)
        | ConstraintKind::PrimaryKeyUsingIndex(_)
        | ConstraintKind::UniqueUsingIndex(_) => {}
    }
}

/// Effects of a foreign key added to a table that exists.
///
/// PostgreSQL 12 to 18 lock both tables against writes and read both to check the rows. A new
/// column without a default is not checked: it holds NULL.
fn foreign_key(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    added: &TableConstraint,
    key: &ForeignKey,
    inline: Option<&ColumnDef>,
) {
    if (key.period && sheet.needs_version(18, "PERIOD"))
        || (key.set_columns && sheet.needs_version(15, "SET NULL (columns)"))
        || (added.not_enforced && sheet.needs_version(18, "NOT ENFORCED"))
    {
        return;
    }
    let table = sheet.table(&target.name);
    let partitioned = table.is_some_and(|table| table.partition_by.is_some());
    if partitioned && (target.only || (added.not_valid && !sheet.since(18))) {
        let detail = "cannot add such a foreign key on a partitioned table".to_owned();
        sheet.fails("foreign-key-unsupported", "42809", detail);
        return;
    }
    for child in &key.columns {
        if inline.is_none() && !column::check_there(sheet, target, child.as_str()) {
            return;
        }
    }
    let persistence = table.map(|table| table.persistence);
    let Some(parent) = referenced(sheet, &target.name, persistence, key) else { return };
    if type_mismatch(sheet, target, key, &parent, inline) {
        return;
    }
    let cause = if inline.is_some() { "add-column-foreign-key" } else { "add-foreign-key-parent" };
    lock_referenced(sheet, &parent, cause);
    if partitioned && has_equal_below(sheet, target, key, &parent) {
        // The foreign key of the partition is merged, and its triggers go.
        sheet.lock(&parent, AccessExclusive, cause);
    }
    let name = added.name.as_ref().map_or("foreign key", Ident::as_str);
    let full = format!("{}.{name}", target.name);
    sheet.breaks("new-foreign-key", ObjectKind::Constraint, full.clone(), &target.name);
    lacks_index(sheet, target, key, &full);
    if added.not_enforced {
        return;
    }
    if added.not_valid {
        left_not_valid(sheet, target, added);
        return;
    }
    let filled = |column: &ColumnDef| {
        column.default.as_ref().is_some_and(|d| d.shape != ExprShape::Null)
            || column.identity.is_some()
    };
    let new = key.columns.first().and_then(|first| {
        target.beside.new_columns.iter().find(|new| new.name.value == first.value)
    });
    if inline.is_some_and(|column| !filled(column)) {
        return;
    }
    let cause = if inline.is_some() { "add-column-foreign-key" } else { "add-foreign-key" };
    for member in sheet.family(&target.name, !partitioned) {
        sheet.scan(&member, cause, source::FOREIGN_KEY);
    }
    // The parent is read when the child has keys to look up.
    if new.is_some_and(|column| !filled(column)) || is_empty(sheet, &target.name) {
        return;
    }
    scan_referenced(sheet, &parent, key, "add-foreign-key-parent");
    let detail = format!("rows of \"{}\" have no parent in \"{parent}\"", target.name);
    sheet.may_fail("orphans-present", "23503", detail);
}

/// Says whether a partition has the same foreign key already.
fn has_equal_below(
    sheet: &Sheet<'_>,
    target: &Target<'_>,
    key: &ForeignKey,
    parent: &Name,
) -> bool {
    sheet.schema.descendants(&target.name).iter().any(|child| {
        child.constraints.iter().any(|own| {
            own.parent() == Some(parent)
                && own.columns() == key.columns.iter().map(Ident::as_str).collect::<Vec<_>>()
        })
    })
}

/// Says whether a table made in this migration has no rows yet.
fn is_empty(sheet: &Sheet<'_>, table: &Name) -> bool {
    matches!(
        sheet.state(table),
        crate::effect::TableState::NewEmpty | crate::effect::TableState::Empty
    )
}

/// A check of all rows reads both tables, but the parent by its index for periods.
fn scan_referenced(sheet: &mut Sheet<'_>, parent: &Name, key: &ForeignKey, cause: &'static str) {
    if key.period {
        return;
    }
    for member in partitions_of(sheet, parent) {
        sheet.scan(&member, cause, source::FOREIGN_KEY);
    }
}

/// Returns a table with its partitions.
pub(super) fn partitions_of(sheet: &Sheet<'_>, table: &Name) -> Vec<Name> {
    let partitioned = sheet.table(table).is_some_and(|found| found.partition_by.is_some());
    sheet.family(table, !partitioned)
}

/// Locks the table that a foreign key references, and its partitions, against writes.
pub(super) fn lock_referenced(sheet: &mut Sheet<'_>, parent: &Name, cause: &'static str) {
    for member in partitions_of(sheet, parent) {
        sheet.lock(&member, ShareRowExclusive, cause);
    }
}

/// Returns the referenced table, where the foreign key is possible.
pub(super) fn referenced(
    sheet: &mut Sheet<'_>,
    child: &Name,
    persistence: Option<Persistence>,
    key: &ForeignKey,
) -> Option<Name> {
    let own = key.parent.name() == child.name
        && key.parent.schema().is_none_or(|schema| schema == child.schema);
    let parent = if own { child.clone() } else { sheet.existing(&key.parent, false)? };
    let Some(table) = sheet.table(&parent) else { return Some(parent) };
    if matches!(
        table.kind,
        RelationKind::View | RelationKind::MaterializedView | RelationKind::Sequence
    ) {
        let detail = format!("referenced relation \"{parent}\" is not a table");
        sheet.fails("wrong-object-kind", "42809", detail);
        return None;
    }
    let mismatch = match (persistence, table.persistence) {
        (Some(Persistence::Permanent), Persistence::Unlogged | Persistence::Temporary)
        | (Some(Persistence::Unlogged), Persistence::Temporary)
        | (Some(Persistence::Temporary), Persistence::Permanent | Persistence::Unlogged) => !own,
        _ => false,
    };
    if mismatch {
        let detail = "a permanent table may reference only permanent ones".to_owned();
        sheet.fails("foreign-key-unsupported", "42P16", detail);
        return None;
    }
    if !own && !is_unique(table, key) {
        let detail = format!("no unique key of \"{parent}\" matches the referenced columns");
        let code = if key.parent_columns.is_empty() { "42704" } else { "42830" };
        sheet.fails("parent-not-unique", code, detail);
        return None;
    }
    Some(parent)
}

/// Says whether the referenced columns may be a key of the parent.
fn is_unique(parent: &Relation, key: &ForeignKey) -> bool {
    if !parent.complete {
        return true;
    }
    if key.parent_columns.is_empty() {
        return parent.primary_key().is_some();
    }
    let mut wanted: Vec<&str> = key.parent_columns.iter().map(Ident::as_str).collect();
    if wanted.iter().any(|column| parent.column(column).is_none()) {
        return true;
    }
    wanted.sort_unstable();
    parent.indexes.iter().any(|index| {
        let mut columns = index.key_columns();
        columns.sort_unstable();
        let unique = index.kind == IndexKind::Unique || index.constraint.is_some();
        unique
            && index.predicate.is_none()
            && index.parts.len() == columns.len()
            && columns == wanted
    })
}

fn type_mismatch(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    key: &ForeignKey,
    parent: &Name,
    inline: Option<&ColumnDef>,
) -> bool {
    let Some(parent_table) = sheet.table(parent) else { return false };
    let primary: Vec<String> = match key.parent_columns.as_slice() {
        [] => parent_table.primary_key().map(<[String]>::to_vec).unwrap_or_default(),
        written => written.iter().map(|column| column.value.clone()).collect(),
    };
    for (child, other) in key.columns.iter().zip(&primary) {
        let Some(other_type) = parent_table.column(other).and_then(|c| c.data_type.as_ref()) else {
            if parent_table.complete && parent_table.column(other).is_none() {
                let detail = format!("column \"{other}\" referenced by the key does not exist");
                sheet.fails("missing-column", "42703", detail);
                return true;
            }
            continue;
        };
        let own = target.beside.new_columns.iter().find(|new| new.name.value == child.value);
        let own_type =
            inline.or(own.copied()).and_then(|column| column.data_type.as_ref()).or_else(|| {
                let table = sheet.table(&target.name)?;
                table.column(child.as_str())?.data_type.as_ref()
            });
        let Some(own_type) = own_type else { continue };
        let (left, right) = (comparable(own_type), comparable(other_type));
        if let (Some(left), Some(right)) = (left, right)
            && left != right
        {
            let detail = format!(
                "key columns \"{child}\" ({}) and \"{other}\" ({}) are of incompatible types",
                own_type.name, other_type.name
            );
            sheet.fails("type-mismatch", "42804", detail);
            return true;
        }
        if same_but_not_equal(own_type, other_type) {
            let full = format!("{}.{child}", target.name);
            sheet.leaves("fk-type-mismatch", full, &target.name);
        }
    }
    false
}

/// Types that foreign keys compare with each other, by the group they are in.
fn comparable(data_type: &DataType) -> Option<&'static str> {
    if data_type.array_dims > 0 || data_type.schema.is_some() {
        return None;
    }
    Some(match data_type.name.as_str() {
        "smallint" | "integer" | "bigint" | "serial" | "bigserial" | "smallserial" | "numeric"
        | "real" | "double precision" => "number",
        "text" | "varchar" | "char" | "bpchar" | "name" => "string",
        "uuid" => "uuid",
        "boolean" => "boolean",
        "date" | "timestamp" | "timestamptz" => "time",
        "bytea" => "bytea",
        "inet" | "cidr" => "inet",
        _ => return None,
    })
}

fn same_but_not_equal(left: &DataType, right: &DataType) -> bool {
    let base = |name: &str| match name {
        "serial" => "integer".to_owned(),
        "bigserial" => "bigint".to_owned(),
        "smallserial" => "smallint".to_owned(),
        other => other.to_owned(),
    };
    base(&left.name) != base(&right.name)
}

/// Notes a foreign key whose columns lead no index: each change of the parent reads the child.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are alike here")]
pub(super) fn lacks_index(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    key: &ForeignKey,
    full: &str,
) {
    let wanted: Vec<&str> = key.columns.iter().map(Ident::as_str).collect();
    let leads = |columns: &[&str]| {
        columns.len() >= wanted.len()
            && columns.iter().take(wanted.len()).all(|column| wanted.contains(column))
    };
    let table = sheet.table(&target.name);
    if table.is_none_or(|table| !table.complete && table.indexes.is_empty()) && table.is_none() {
        return;
    }
    let indexed = table.is_some_and(|table| {
        table.indexes.iter().any(|index| index.predicate.is_none() && leads(&index.key_columns()))
    });
    let beside = target.beside.added.iter().any(|added| match &added.kind {
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
            let columns: Vec<&str> = key.parts.iter().filter_map(|p| p.key.column()).collect();
            leads(&columns)
        }
        _ => false,
    });
    if !indexed && !beside {
        sheet.leaves("fk-without-index", full.to_owned(), &target.name);
    }
}

fn find<'s>(sheet: &Sheet<'s>, table: &Name, constraint: &str) -> Option<&'s Constraint> {
    sheet.table(table).and_then(|table| table.constraint(constraint))
}

/// Says whether a constraint is one of partitions or children too.
pub(super) fn reaches_children(sheet: &Sheet<'_>, table: &Name, constraint: &str) -> bool {
    let partitioned = sheet.table(table).is_some_and(|found| found.partition_by.is_some());
    match find(sheet, table, constraint).map(|found| (&found.kind, found.no_inherit)) {
        Some((Demand::Check(_) | Demand::NotNull(_), no_inherit)) => !no_inherit,
        Some((_, _)) => partitioned,
        None => partitioned,
    }
}

/// Says whether a constraint is a CHECK.
pub(super) fn is_check(sheet: &Sheet<'_>, table: &Name, constraint: &str) -> bool {
    let found = find(sheet, table, constraint);
    found.is_some_and(|found| matches!(found.kind, Demand::Check(_)))
}

fn is_missing(sheet: &mut Sheet<'_>, target: &Target<'_>, name: &str, if_exists: bool) -> bool {
    let complete = sheet.table(&target.name).is_some_and(|table| table.complete);
    let missing = complete && find(sheet, &target.name, name).is_none();
    if missing && !if_exists {
        let detail =
            format!("constraint \"{name}\" of relation \"{}\" does not exist", target.name);
        sheet.fails("missing-object", "42704", detail);
    }
    missing
}

/// Effects of DROP CONSTRAINT.
pub(super) fn drop(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    name: &str,
    if_exists: bool,
    cascade: bool,
) {
    if is_missing(sheet, target, name, if_exists) {
        return;
    }
    let full = format!("{}.{name}", target.name);
    let Some(found) = find(sheet, &target.name, name) else {
        sheet.lose_part(ObjectKind::Constraint, &target.name, name, false, false);
        sheet.breaks("drop-constraint", ObjectKind::Constraint, full, &target.name);
        return;
    };
    if found.inherited {
        let detail = format!("cannot drop inherited constraint \"{name}\"");
        sheet.fails("column-in-use", "42P16", detail);
        return;
    }
    let cause = match found.kind {
        Demand::ForeignKey { .. } => "drop-foreign-key",
        Demand::Check(_) => "drop-check",
        Demand::PrimaryKey(_) => "drop-primary-key",
        Demand::Unique(_) | Demand::Exclude(_) | Demand::NotNull(_) => "drop-constraint",
    };
    if found.has_index() {
        let used = sheet.schema.dependents_of_key(&target.name, &found.columns());
        let what = format!("constraint {name} on {}", target.name);
        let blocked = !used.is_empty() && !cascade;
        dependents::drop_with(sheet, &what, &used, &[], cascade, cause);
        if blocked {
            return;
        }
        let index = Name::new(target.name.schema.clone(), name);
        sheet.lose(ObjectKind::Index, &index.to_string(), false, true);
    }
    if let Demand::NotNull(column) = &found.kind {
        column::drop_not_null(sheet, target, column);
    }
    if target.only && reaches_children(sheet, &target.name, name) {
        for child in sheet.schema.children(&target.name) {
            sheet.lock(&child.name, AccessExclusive, cause);
        }
    }
    lose_attached(sheet, target, name);
    for member in sheet.family(&target.name, target.only).into_iter().skip(1) {
        if find(sheet, &member, name).is_some_and(|part| part.inherited) {
            sheet.lose_part(ObjectKind::Constraint, &member, name, false, true);
        }
    }
    dependents::constraint(sheet, &target.name, name, false, cause);
    sheet.breaks("drop-constraint", ObjectKind::Constraint, full, &target.name);
}

/// The keys of partitions that are attached to a key go with it.
fn lose_attached(sheet: &mut Sheet<'_>, target: &Target<'_>, name: &str) {
    let full = Name::new(target.name.schema.clone(), name);
    for child in sheet.schema.descendants(&target.name) {
        for index in child.indexes.iter().filter(|index| index.parent.as_ref() == Some(&full)) {
            let own = Name::new(child.name.schema.clone(), index.name.clone());
            sheet.lose(ObjectKind::Index, &own.to_string(), false, true);
            sheet.lose_part(ObjectKind::Constraint, &child.name, &index.name, false, true);
        }
    }
}

/// Effects of VALIDATE CONSTRAINT: all rows are read while reads and writes go on.
pub(super) fn validate(sheet: &mut Sheet<'_>, target: &Target<'_>, name: &str) {
    let added = target
        .beside
        .added
        .iter()
        .find(|added| added.name.as_ref().is_some_and(|written| written.as_str() == name));
    if let Some(added) = added {
        validate_added(sheet, target, added);
        return;
    }
    if is_missing(sheet, target, name, false) {
        return;
    }
    let Some(found) = find(sheet, &target.name, name) else {
        sheet.scan(&target.name, "validate-check", source::ALTER_TABLE);
        sheet.may_fail("rows-violate", "23514", format!("rows violate \"{name}\""));
        return;
    };
    if !found.enforced {
        let detail = format!("cannot validate NOT ENFORCED constraint \"{name}\"");
        sheet.fails("rows-violate", "42809", detail);
        return;
    }
    match &found.kind {
        Demand::PrimaryKey(_) | Demand::Unique(_) | Demand::Exclude(_) => {
            let detail = format!("constraint \"{name}\" is not a foreign key or check constraint");
            sheet.fails("wrong-object-kind", "42809", detail);
        }
        _ if found.valid => {}
        Demand::ForeignKey { parent, .. } => {
            let parent = parent.clone();
            sheet.lock(&parent, RowShare, "validate-foreign-key-parent");
            for member in partitions_of(sheet, &parent) {
                if member != parent {
                    sheet.lock(&member, AccessShare, "validate-foreign-key-parent");
                }
                sheet.scan(&member, "validate-foreign-key-parent", source::FOREIGN_KEY);
            }
            for member in partitions_of(sheet, &target.name) {
                sheet.scan(&member, "validate-foreign-key", source::FOREIGN_KEY);
            }
            let detail = format!("rows have no parent in \"{parent}\"");
            sheet.may_fail("orphans-present", "23503", detail);
        }
        Demand::Check(_) => {
            let children = !sheet.schema.children(&target.name).is_empty();
            if target.only && children && !found.no_inherit {
                let detail = "constraint must be validated on child tables too".to_owned();
                sheet.fails("wrong-object-kind", "42P16", detail);
                return;
            }
            for member in sheet.family(&target.name, target.only || found.no_inherit) {
                let valid = find(sheet, &member, name).is_some_and(|part| part.valid);
                if !valid {
                    sheet.scan(&member, "validate-check", source::ALTER_TABLE);
                }
            }
            sheet.may_fail("rows-violate", "23514", format!("rows violate \"{name}\""));
        }
        Demand::NotNull(column) => {
            for member in sheet.family(&target.name, target.only) {
                sheet.scan(&member, "validate-not-null", source::ALTER_TABLE);
            }
            let detail = format!("column \"{column}\" may hold NULL");
            sheet.may_fail("nulls-present", "23502", detail);
        }
    }
}

/// VALIDATE of a constraint that the same statement adds NOT VALID.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are alike here")]
fn validate_added(sheet: &mut Sheet<'_>, target: &Target<'_>, added: &TableConstraint) {
    match &added.kind {
        ConstraintKind::ForeignKey(key) => {
            for member in partitions_of(sheet, &target.name) {
                sheet.scan(&member, "validate-foreign-key", source::FOREIGN_KEY);
            }
            let parent = sheet.schema.resolve(&key.parent);
            scan_referenced(sheet, &parent, key, "validate-foreign-key-parent");
            let detail = format!("rows have no parent in \"{parent}\"");
            sheet.may_fail("orphans-present", "23503", detail);
        }
        _ => {
            for member in sheet.family(&target.name, target.only) {
                sheet.scan(&member, "validate-check", source::ALTER_TABLE);
            }
            sheet.may_fail("rows-violate", "23514", "rows violate the check".to_owned());
        }
    }
}

/// Effects of ALTER CONSTRAINT. NOT ENFORCED removes the triggers of both tables, ENFORCED makes
/// them again and reads all rows (PostgreSQL 18).
pub(super) fn alter(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    name: &str,
    enforced: Option<bool>,
) {
    if enforced.is_some() && sheet.needs_version(18, "ALTER CONSTRAINT … ENFORCED") {
        return;
    }
    if is_missing(sheet, target, name, false) {
        return;
    }
    let Some(found) = find(sheet, &target.name, name) else { return };
    let Demand::ForeignKey { parent, .. } = &found.kind else {
        if matches!(found.kind, Demand::NotNull(_)) && sheet.since(18) && enforced.is_none() {
            return;
        }
        let detail = format!("constraint \"{name}\" is not a foreign key constraint");
        sheet.fails("wrong-object-kind", "42809", detail);
        return;
    };
    match enforced {
        Some(true) if !found.enforced => {
            lock_referenced(sheet, parent, "alter-constraint");
            sheet.scan(&target.name, "validate-foreign-key", source::FOREIGN_KEY);
            sheet.scan(parent, "validate-foreign-key-parent", source::FOREIGN_KEY);
            let detail = format!("rows have no parent in \"{parent}\"");
            sheet.may_fail("orphans-present", "23503", detail);
        }
        Some(false) if found.enforced => {
            sheet.lock(parent, AccessExclusive, "alter-constraint");
        }
        Some(_) | None => {}
    }
}

/// Effects of RENAME CONSTRAINT.
pub(super) fn rename(sheet: &mut Sheet<'_>, target: &Target<'_>, from: &str, to: &str) {
    if is_missing(sheet, target, from, false) {
        return;
    }
    let table = sheet.table(&target.name);
    if find(sheet, &target.name, from).is_some_and(|found| found.inherited) {
        let detail = format!("cannot rename inherited constraint \"{from}\"");
        sheet.fails("column-in-use", "42P16", detail);
        return;
    }
    if table.is_some_and(|table| table.constraint(to).is_some()) {
        let detail = format!("constraint \"{to}\" exists already");
        sheet.fails("duplicate-object", "42710", detail);
        return;
    }
    let full = format!("{}.{from}", target.name);
    sheet.breaks("rename-constraint", ObjectKind::Constraint, full, &target.name);
}
