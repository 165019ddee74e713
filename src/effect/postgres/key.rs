//! Keys of tables that exist: PRIMARY KEY, UNIQUE, USING INDEX, and what EXCLUDE has of them.
//!
//! PostgreSQL 12 to 18, transformIndexConstraint (parse_utilcmd.c), DefineIndex (indexcmds.c),
//! index_check_primary_key (index.c); manual: ALTER TABLE, ADD table_constraint; measured,
//! testdata/servers/postgres.

use super::part_index::{build, build_on_partitions};
use super::sheet::Sheet;
use super::target::Target;
use super::{column, source};
use crate::effect::LockMode::{AccessExclusive, Share, ShareRowExclusive, ShareUpdateExclusive};
use crate::schema::{Demand, Index, Name, Relation, made_up_name};
use crate::sql::Ident;
use crate::sql::ast::{
    IndexKind, Key, KeyConstraint, KeyPart, ObjectKind, PartitionBy, TableConstraint,
};

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
    build_on_partitions(sheet, table, &index);
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
