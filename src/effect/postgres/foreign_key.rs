//! Foreign keys added to tables that exist.
//!
//! PostgreSQL 12 to 18, tablecmds.c: ATAddForeignKeyConstraint, transformFkeyCheckAttrs,
//! validateForeignKeyConstraint; manual: ALTER TABLE; measured, testdata/servers/postgres.

use super::sheet::Sheet;
use super::target::Target;
use super::{casts, column, source, there, types};
use crate::effect::LockMode::{AccessExclusive, ShareRowExclusive};
use crate::schema::{Constraint, Demand, Name, Relation, RelationKind};
use crate::sql::Ident;
use crate::sql::ast::{
    ColumnDef, ConstraintKind, DataType, ExprShape, ForeignKey, IndexKind, ObjectKind, Persistence,
    TableConstraint,
};

/// Effects of a foreign key added to a table that exists.
///
/// PostgreSQL 12 to 18 lock both tables against writes and read both to check the rows. A new
/// column without a default is not checked: it holds NULL.
pub(super) fn foreign_key(
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
    if parent == target.name && lacks_own_key(sheet, target, key) {
        return;
    }
    if width_differs(sheet, key, &parent) || type_mismatch(sheet, target, key, &parent, inline) {
        return;
    }
    if partitioned && is_enforced_otherwise(sheet, target, added, key, &parent) {
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
        target.left_not_valid(sheet, added);
        return;
    }
    let filled = |column: &ColumnDef| {
        column.default.as_ref().is_some_and(|d| d.shape != ExprShape::Null)
            || column.identity.is_some()
    };
    let new = key.columns.first().and_then(|first| {
        target.beside.new_columns.iter().find(|new| new.name.value == first.value)
    });
    // Any DEFAULT, of NULL too, makes the server look at the rows.
    if inline.is_some_and(|column| column.default.is_none() && !filled(column)) {
        return;
    }
    let cause = if inline.is_some() { "add-column-foreign-key" } else { "add-foreign-key" };
    for member in sheet.family(&target.name, !partitioned) {
        // The rows of a partition that has the same foreign key are known to be right.
        if member == target.name || !has_equal(sheet, &member, key, &parent) {
            sheet.scan(&member, cause, source::FOREIGN_KEY);
        }
    }
    // The parent is read when the child has keys to look up.
    if new.is_some_and(|column| !filled(column)) || is_empty(sheet, &target.name) {
        return;
    }
    scan_referenced(sheet, &parent, key, "add-foreign-key-parent");
    let detail = format!("rows of \"{}\" have no parent in \"{parent}\"", target.name);
    sheet.may_fail("orphans-present", "23503", detail);
}

/// Notes referenced columns of the table itself that no key of it holds, one that the statement
/// adds considered. Says whether there is none.
fn lacks_own_key(sheet: &mut Sheet<'_>, target: &Target<'_>, key: &ForeignKey) -> bool {
    let Some(table) = sheet.table(&target.name) else { return false };
    let beside = &target.beside;
    let mut inline = beside.new_columns.iter().flat_map(|column| &column.constraints);
    let made = beside.added.iter().any(|added| added.kind.has_index())
        || inline.any(|added| added.kind.has_index());
    let lacks = !made && !is_unique(table, key);
    if lacks {
        not_unique(sheet, &target.name, key);
    }
    lacks
}

fn not_unique(sheet: &mut Sheet<'_>, parent: &Name, key: &ForeignKey) {
    let detail = format!("no unique key of \"{parent}\" matches the referenced columns");
    let code = if key.parent_columns.is_empty() { "42704" } else { "42830" };
    sheet.fails("parent-not-unique", code, detail);
}

/// A partition that has the foreign key keeps it only where both are enforced, or both are not
/// (PostgreSQL 18, tryAttachPartitionForeignKey).
fn is_enforced_otherwise(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    added: &TableConstraint,
    key: &ForeignKey,
    parent: &Name,
) -> bool {
    let columns: Vec<&str> = key.columns.iter().map(Ident::as_str).collect();
    let primary = sheet.table(parent).and_then(Relation::primary_key).map(<[String]>::to_vec);
    let written = key.parent_columns.iter().map(|column| column.value.clone()).collect();
    let wanted = if key.parent_columns.is_empty() { primary.unwrap_or_default() } else { written };
    let differs = |own: &&Constraint| match &own.kind {
        Demand::ForeignKey { parent: other, parent_columns, .. } => {
            own.enforced == added.not_enforced
                && other == parent
                && own.columns() == columns
                && *parent_columns == wanted
        }
        Demand::PrimaryKey(_)
        | Demand::Unique(_)
        | Demand::Check(_)
        | Demand::Exclude(_)
        | Demand::NotNull(_) => false,
    };
    let below = sheet.schema.descendants(&target.name);
    let other = below.into_iter().find_map(|part| {
        part.constraints.iter().find(differs).map(|own| (own.name.as_str(), &part.name))
    });
    if let Some((own, part)) = other {
        enforced_otherwise(sheet, own, part);
    }
    other.is_some()
}

/// Notes a foreign key of a partition that cannot be merged with one of the table above.
pub(super) fn enforced_otherwise(sheet: &mut Sheet<'_>, own: &str, part: &Name) {
    let detail = format!("its enforceability conflicts with constraint \"{own}\" on \"{part}\"");
    sheet.fails("foreign-key-unsupported", "42P17", detail);
}

/// Says whether a partition has the same foreign key already.
pub(super) fn has_equal_below(
    sheet: &Sheet<'_>,
    target: &Target<'_>,
    key: &ForeignKey,
    parent: &Name,
) -> bool {
    let below = sheet.schema.descendants(&target.name);
    below.iter().any(|child| has_equal(sheet, &child.name, key, parent))
}

/// Says whether a partition has the same foreign key by itself.
fn has_equal(sheet: &Sheet<'_>, table: &Name, key: &ForeignKey, parent: &Name) -> bool {
    let columns: Vec<&str> = key.columns.iter().map(Ident::as_str).collect();
    sheet.table(table).is_some_and(|table| {
        table.constraints.iter().any(|own| {
            !own.inherited && own.valid && own.parent() == Some(parent) && own.columns() == columns
        })
    })
}

/// Says whether a table made in this migration has no rows yet.
pub(super) fn is_empty(sheet: &Sheet<'_>, table: &Name) -> bool {
    matches!(
        sheet.state(table),
        crate::effect::TableState::NewEmpty | crate::effect::TableState::Empty
    )
}

/// A check of all rows joins both tables: the planner reads the parent whole or by its key, and
/// always by its key for periods.
pub(super) fn scan_referenced(
    sheet: &mut Sheet<'_>,
    parent: &Name,
    key: &ForeignKey,
    cause: &'static str,
) {
    if key.period {
        return;
    }
    for member in partitions_of(sheet, parent) {
        sheet.scan_unless_indexed(&member, cause, source::FOREIGN_KEY);
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
    let written = key.parent_columns.iter().map(Ident::as_str);
    if !own && there::lacks_column(sheet, &parent, written) {
        return None;
    }
    if !own && !is_unique(table, key) {
        not_unique(sheet, &parent, key);
        return None;
    }
    Some(parent)
}

/// Says whether the referenced columns may be a key of the parent.
pub(super) fn is_unique(parent: &Relation, key: &ForeignKey) -> bool {
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

/// Notes key columns that differ in number from those referenced. Says whether they do.
pub(super) fn width_differs(sheet: &mut Sheet<'_>, key: &ForeignKey, parent: &Name) -> bool {
    let primary = sheet.table(parent).and_then(Relation::primary_key).map(<[String]>::len);
    let wanted = match key.parent_columns.len() {
        0 => primary,
        written => Some(written),
    };
    let differs = wanted.is_some_and(|wanted| wanted != key.columns.len());
    if differs {
        let detail =
            "number of referencing and referenced columns for foreign key disagree".to_owned();
        sheet.fails("parent-not-unique", "42830", detail);
    }
    differs
}

pub(super) fn type_mismatch(
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
        if are_incomparable(sheet, own_type, other_type) {
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

/// Says whether a foreign key from a column of one type cannot reference one of another: the key of
/// the parent has no operator for them, and no cast leads from the child's type to the parent's
/// (PostgreSQL 12 to 18, ATAddForeignKeyConstraint; pg_amop, pg_cast).
pub(super) fn are_incomparable(sheet: &Sheet<'_>, child: &DataType, parent: &DataType) -> bool {
    let schema = sheet.schema;
    let (child, parent) = (casts::base(schema, child), casts::base(schema, parent));
    // Of arrays the elements are compared.
    if child.array_dims > 0 && parent.array_dims > 0 {
        return false;
    }
    let scalar = |data_type: &DataType| types::scalar(schema, data_type);
    let compared = scalar(&child).zip(scalar(&parent));
    if compared.is_some_and(|(child, parent)| family(&child) == family(&parent)) {
        return false;
    }
    casts::are_known(schema, &child, &parent)
        && !casts::exists(schema, &child, &parent, casts::Context::Implicit)
}

/// Returns the family of B-tree operators that compares a type with others (pg_opfamily).
fn family(name: &str) -> &str {
    match name {
        "smallint" | "integer" | "bigint" => "integer_ops",
        "real" | "double precision" => "float_ops",
        "text" | "varchar" | "name" => "text_ops",
        "char" | "bpchar" => "bpchar_ops",
        "date" | "timestamp" | "timestamptz" => "datetime_ops",
        "inet" | "cidr" => "network_ops",
        "bit" | "varbit" => "varbit_ops",
        other => other,
    }
}

pub(super) fn same_but_not_equal(left: &DataType, right: &DataType) -> bool {
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
