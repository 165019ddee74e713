//! Constraints: added, dropped, validated, altered, renamed.
//!
//! PostgreSQL 12 to 18, transformIndexConstraint (parse_utilcmd.c), DefineIndex (indexcmds.c),
//! index_check_primary_key (index.c); manual: ALTER TABLE, ADD table_constraint; measured,
//! testdata/servers/postgres.

use super::foreign_key::foreign_key;
use super::key::{
    Kind, constraint_name, index_name, key_constraint, key_refused, partition_keys, using_index,
};
use super::part_index::build;
use super::sheet::Sheet;
use super::target::Target;
use super::{column, create_refused, functions, method, source, there};
use crate::schema::{Constraint, Demand, Name, Relation};
use crate::sql::Ident;
use crate::sql::ast::{
    ColumnDef, ConstraintKind, DataType, ExcludeConstraint, ExprShape, Key, KeyConstraint,
    ObjectKind, TableConstraint,
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
                target.left_not_valid(sheet, added);
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
    let merged = taken.is_some_and(|old| match &old.kind {
        Demand::NotNull(_) => true,
        // One that is inherited alone becomes the table's own too.
        Demand::Check(_) => {
            let partition = table.is_some_and(|table| table.partition_of.is_some());
            old.inherited && !partition && says_the_same(old, added)
        }
        _ => false,
    });
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
        target.left_not_valid(sheet, added);
        return;
    }
    let Some(members) = reached_by_check(sheet, target, added) else { return };
    for member in &members {
        sheet.scan(member, "add-check", source::ALTER_TABLE);
    }
    if !members.is_empty() {
        sheet.may_fail("rows-violate", "23514", "rows violate the new check".to_owned());
    }
}

/// Says whether a constraint is a CHECK of the same words as a new one.
fn says_the_same(known: &Constraint, added: &TableConstraint) -> bool {
    match (&known.kind, &added.kind) {
        (Demand::Check(old), ConstraintKind::Check(new)) => {
            create_refused::said(old) == create_refused::said(new)
        }
        _ => false,
    }
}

/// Returns the tables below that ADD CHECK comes to: none behind one that has the constraint.
pub(super) fn looked_at_for_check(
    sheet: &Sheet<'_>,
    target: &Target<'_>,
    added: &TableConstraint,
) -> Vec<Name> {
    let (mut found, mut queue) = (Vec::new(), vec![target.name.clone()]);
    while let Some(member) = queue.pop() {
        let known =
            added.name.as_ref().and_then(|name| sheet.table(&member)?.constraint(name.as_str()));
        let dropped =
            |known: &Constraint| target.beside.dropped_constraints.contains(&known.name.as_str());
        if known.is_some_and(|known| !dropped(known)) {
            continue;
        }
        for child in sheet.schema.children(&member) {
            if !found.contains(&child.name) {
                found.push(child.name.clone());
                queue.push(child.name.clone());
            }
        }
    }
    found
}

/// Returns the tables that a new CHECK is made on. One that has it already keeps it, and nothing
/// below is looked at (PostgreSQL 12 to 18, ATAddCheckNNConstraint); none where one of the name
/// says something else.
fn reached_by_check(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    added: &TableConstraint,
) -> Option<Vec<Name>> {
    let (mut found, mut queue) = (Vec::new(), vec![target.name.clone()]);
    let name = added.name.as_ref().map(Ident::as_str);
    while let Some(member) = queue.pop() {
        let known = name.and_then(|name| sheet.table(&member)?.constraint(name));
        if let Some(known) = known
            && !target.beside.dropped_constraints.contains(&known.name.as_str())
        {
            if !says_the_same(known, added) {
                let detail =
                    format!("constraint \"{}\" for \"{member}\" exists already", known.name);
                sheet.fails("duplicate-object", "42710", detail);
                return None;
            }
            continue;
        }
        if found.contains(&member) {
            continue;
        }
        if !target.only && !added.no_inherit {
            queue.extend(sheet.schema.children(&member).iter().map(|child| child.name.clone()));
        }
        found.push(member);
    }
    Some(found)
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
