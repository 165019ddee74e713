//! Constraints: added, dropped, validated, altered, renamed.
//!
//! PostgreSQL 12 to 18, transformIndexConstraint (parse_utilcmd.c), DefineIndex (indexcmds.c),
//! index_check_primary_key (index.c); manual: ALTER TABLE, ADD table_constraint; measured,
//! testdata/servers/postgres.

use super::foreign_key::*;
use super::sheet::Sheet;
use super::target::Target;
use super::{column, functions, method, partition, source, there};
use crate::effect::LockMode::{AccessExclusive, Share, ShareRowExclusive, ShareUpdateExclusive};
use crate::schema::{Demand, Index, Name, Relation, made_up_name};
use crate::sql::Ident;
use crate::sql::ast::{
    ColumnDef, ConstraintKind, DataType, ExcludeConstraint, ExprShape, IndexKind, Key,
    KeyConstraint, KeyPart, ObjectKind, PartitionBy, TableConstraint,
};

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
            if exclusion_refused(sheet, target, exclude) {
                return;
            }
            let key = KeyConstraint { parts: exclude.parts.clone(), ..KeyConstraint::default() };
            if key_refused(sheet, target, &key, false) {
                return;
            }
            let index = index_name(sheet, target, added, &key, "excl");
            build(sheet, &target.name, &index, "add-exclusion");
            sheet.may_fail("rows-violate", "23P01", "rows conflict with each other".to_owned());
            let full = constraint_name(target, added, &index);
            sheet.breaks("new-exclusion", ObjectKind::Constraint, full, &target.name);
            partition_keys(sheet, target, &key, (Kind::Exclusion, false), "add-exclusion");
        }
        ConstraintKind::NotNull(column) => {
            if sheet.needs_version(18, "NOT NULL as a table constraint") {
                return;
            }
            if !column::check_there(sheet, target, column.as_str())
                || column::has_other_not_null(sheet, target, added, column.as_str())
                || column::is_alone(sheet, target, added, column.as_str())
            {
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

/// What the server refuses of EXCLUDE whatever the rows are.
fn exclusion_refused(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    exclude: &ExcludeConstraint,
) -> bool {
    let table = sheet.table(&target.name);
    if table.is_some_and(Relation::is_partitioned) && !sheet.since(17) {
        let detail = "exclusion constraints are not supported on partitioned tables".to_owned();
        sheet.fails("wrong-object-kind", "0A000", detail);
        return true;
    }
    for part in &exclude.parts {
        let lacks = match &part.key {
            Key::Column(name) => !column::check_there(sheet, target, name.as_str()),
            Key::Expr(expr) => there::expr_lacks_column(sheet, &target.name, expr),
        };
        let method = exclude.method.as_deref().unwrap_or("btree");
        if lacks || method::lacks_class(sheet, part, method, table) {
            return true;
        }
    }
    let condition = exclude.predicate.as_ref();
    condition.is_some_and(|condition| there::expr_lacks_column(sheet, &target.name, condition))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the others are alike here")]
pub(super) fn name_is_taken(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    added: &TableConstraint,
) -> bool {
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
        _ => !added.kind.has_index(),
    };
    if !renames_itself && !dropped && sheet.schema.is_taken(&full) {
        let detail = format!("relation \"{name}\" exists already");
        sheet.fails("duplicate-object", "42P07", detail);
        return true;
    }
    false
}

/// What the server refuses of a CHECK whatever the rows are.
pub(super) fn check_refused(
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

pub(super) fn fresh_values(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    check: &crate::sql::ast::Expr,
) -> bool {
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

pub(super) fn add_check(sheet: &mut Sheet<'_>, target: &Target<'_>, added: &TableConstraint) {
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

pub(super) fn left_not_valid(sheet: &mut Sheet<'_>, target: &Target<'_>, added: &TableConstraint) {
    let name = added.name.as_ref().map_or("constraint", Ident::as_str);
    sheet.leaves("not-valid", format!("{}.{name}", target.name), &target.name);
}

pub(super) fn constraint_name(
    target: &Target<'_>,
    added: &TableConstraint,
    index: &Name,
) -> String {
    let name = added.name.as_ref().map_or(index.name.as_str(), Ident::as_str);
    format!("{}.{name}", target.name)
}

/// Returns the name of the index behind a key, made up as the server does.
pub(super) fn index_name(
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
    let columns = crate::schema::index_column_names(&key.parts, &key.include);
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

pub(super) fn key_constraint(
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
        || (primary && nulls_below(sheet, target, key))
    {
        return;
    }
    let index = index_name(sheet, target, added, key, label);
    let full = constraint_name(target, added, &index);
    sheet.breaks("new-unique", ObjectKind::Constraint, full, &target.name);
    let detail = crate::sql::ast::same_key(&key.parts);
    sheet.may_fail("duplicates-present", "23505", detail);
    let columns: Vec<&str> = key.parts.iter().filter_map(|part| part.key.column()).collect();
    if primary {
        for column in &columns {
            not_null_by_key(sheet, target, column);
        }
    }
    build(sheet, &target.name, &index, cause);
    let deferred = added.deferrable || added.initially_deferred;
    let kind = if primary { Kind::Primary } else { Kind::Unique };
    partition_keys(sheet, target, key, (kind, deferred), cause);
}

/// Notes a primary key that the table has and the statement does not drop. Says whether there is
/// one.
fn has_other_primary(sheet: &mut Sheet<'_>, target: &Target<'_>, table: &Relation) -> bool {
    let other = table.constraints.iter().any(|constraint| {
        matches!(constraint.kind, Demand::PrimaryKey(_))
            && !target.beside.dropped_constraints.contains(&constraint.name.as_str())
    });
    if other {
        let detail = format!("multiple primary keys for table \"{}\"", table.name);
        sheet.fails("duplicate-object", "42P16", detail);
    }
    other
}

/// What the server refuses whatever the rows are.
pub(super) fn key_refused(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    key: &KeyConstraint,
    primary: bool,
) -> bool {
    if key.without_overlaps && key.parts.len() < 2 {
        let detail = "constraint using WITHOUT OVERLAPS needs at least two columns".to_owned();
        sheet.fails("syntax", "42601", detail);
        return true;
    }
    let Some(table) = sheet.table(&target.name) else { return false };
    if primary && has_other_primary(sheet, target, table) {
        return true;
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
    let mut below = sheet.schema.descendants(&target.name);
    below.retain(|_| !target.only);
    let covered = std::iter::once(table)
        .chain(below)
        .filter_map(|table| table.partition_by.as_ref())
        .all(|by| covers(&key.parts, by));
    if !covered {
        let detail = "a unique key of a partitioned table has to hold all partition columns";
        sheet.fails("unique-on-expression", "0A000", detail.to_owned());
    }
    !covered
}

/// A primary key of a table alone needs its columns NOT NULL below: of partitions always, of
/// children from PostgreSQL 18 on (ATPrepSetNotNull; ATPrepAddPrimaryKey, which gives XX000).
fn nulls_below(sheet: &mut Sheet<'_>, target: &Target<'_>, key: &KeyConstraint) -> bool {
    let partitioned = sheet.table(&target.name).is_some_and(Relation::is_partitioned);
    if !target.only || !(partitioned || sheet.since(18)) {
        return false;
    }
    let columns: Vec<&str> = key.parts.iter().filter_map(|part| part.key.column()).collect();
    let children = sheet.schema.children(&target.name);
    let open = columns.into_iter().find_map(|column| {
        let lacks = |child: &&&Relation| {
            child.complete && child.column(column).is_some_and(|column| !column.not_null)
        };
        let marked = !sheet.since(18) && column::is_marked(sheet, &target.name, column);
        let child = children.iter().find(lacks).filter(|_| !marked)?;
        Some((column, child.name.clone()))
    });
    let Some((column, child)) = open else { return false };
    if sheet.since(18) {
        let detail = format!("column \"{column}\" of table \"{child}\" is not marked NOT NULL");
        sheet.fails("wrong-object-kind", "XX000", detail);
    } else {
        let detail = "constraint must be added to child tables too".to_owned();
        sheet.fails("wrong-object-kind", "42P16", detail);
    }
    true
}

/// Says whether a key holds all columns by which a table is partitioned.
pub(super) fn covers(parts: &[KeyPart], by: &PartitionBy) -> bool {
    by.keys.iter().all(|key| match &key.key {
        Key::Column(column) => parts.iter().any(|part| part.key.column() == Some(column.as_str())),
        Key::Expr(_) => false,
    })
}

/// PRIMARY KEY makes its columns NOT NULL: rows are read for that unless it is known.
pub(super) fn not_null_by_key(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &str) {
    let marked = column::is_marked(sheet, &target.name, column);
    // SET NOT NULL goes down to all tables below; partitions are known to have what their parent
    // has, and PostgreSQL 18 knows it of children too.
    let partitioned = sheet.table(&target.name).is_some_and(Relation::is_partitioned);
    let known = marked && (partitioned || sheet.since(18));
    for member in sheet.family(&target.name, target.only) {
        if !known && member != target.name {
            sheet.lock(&member, AccessExclusive, "add-primary-key");
        }
        if marked || column::is_proven(sheet, target, &member, column) {
            continue;
        }
        sheet.scan(&member, "primary-key-not-null", source::ALTER_TABLE);
        let detail = format!("column \"{column}\" of \"{}\" may hold NULL", member.name);
        sheet.may_fail("nulls-present", "23502", detail);
    }
}

/// What an index of a partitioned table stands behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Primary,
    Unique,
    Exclusion,
}

/// The key of a partitioned table is built on every partition that has no equal one.
pub(super) fn partition_keys(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    key: &KeyConstraint,
    (kind, deferred): (Kind, bool),
    cause: &'static str,
) {
    if sheet.table(&target.name).is_none_or(|table| table.partition_by.is_none()) {
        return;
    }
    // PostgreSQL 18 makes NOT NULL a constraint of the partitions too, which takes more.
    // A key that can be deferred is checked by a trigger, which the partitions get too.
    let mode = match (sheet.since(18), deferred) {
        (true, _) => AccessExclusive,
        (false, true) => ShareRowExclusive,
        (false, false) => Share,
    };
    for child in sheet.family(&target.name, target.only).into_iter().skip(1) {
        sheet.lock(&child, mode, cause);
    }
    let Some(table) = sheet.table(&target.name).filter(|_| !target.only) else { return };
    let index = Index {
        name: String::new(),
        kind: if kind == Kind::Exclusion { IndexKind::Plain } else { IndexKind::Unique },
        primary: kind == Kind::Primary,
        constraint: Some(String::new()),
        method: "btree".to_owned(),
        parts: key.parts.clone(),
        include: key.include.iter().map(|column| column.value.clone()).collect(),
        predicate: None,
        valid: true,
        invisible: false,
        parent: None,
        tablespace: None,
        nulls_not_distinct: key.nulls_not_distinct,
        origin: sheet.schema.origin(),
    };
    partition::build_on_partitions(sheet, table, &index);
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

pub(super) fn using_index(
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
    if primary && table.is_some_and(|table| has_other_primary(sheet, target, table)) {
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

pub(super) fn is_usable_for_key(sheet: &mut Sheet<'_>, index: &Index) -> bool {
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
                let detail = "two rows, which get the same value".to_owned();
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
