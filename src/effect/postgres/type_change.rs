//! ALTER COLUMN … TYPE.
//!
//! PostgreSQL 12 to 18, tablecmds.c: ATPrepAlterColumnType, ATColumnChangeRequiresRewrite,
//! ATPostAlterTypeCleanup; CheckIndexCompatible (indexcmds.c); measured, testdata/servers/postgres.

use super::sheet::Sheet;
use super::target::Target;
use super::types::{self, Cost};
use super::{column, literal, method, source, there};
use crate::effect::LockMode::{AccessExclusive, ShareRowExclusive};
use crate::schema::{Constraint, Demand, Index, Name, Relation, RelationKind};
use crate::sql::ast::{DataType, Expr, ExprShape, IndexKind, Key, ObjectKind};

/// Effects of `ALTER COLUMN … TYPE`.
///
/// PostgreSQL 12 to 18: rows are written again unless the cast changes nothing; indexes that rely
/// on the old type are built again; CHECKs on the column are checked again; foreign keys on either
/// side are made anew, which locks the other table.
pub(super) fn change(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    column: &str,
    data_type: &DataType,
    using: Option<&Expr>,
) {
    if !column::check_there_first(sheet, target, column)
        || refused(sheet, target, column)
        || has_other_parent(sheet, target, column)
        || using.is_some_and(|using| using_refused(sheet, target, column, using))
    {
        return;
    }
    let full = format!("{}.{column}", target.name);
    let old = sheet
        .table(&target.name)
        .and_then(|table| table.column(column))
        .and_then(|found| found.data_type.clone());
    let Some(old) = old else {
        sheet.rewrite(&target.name, "type-change", source::TYPE_CHANGE);
        sheet.breaks("type-change", ObjectKind::Column, full, &target.name);
        if !types::takes_all(sheet.schema, None, data_type) {
            sheet.may_fail("values-do-not-fit", "22001", "values may not fit".to_owned());
        }
        return;
    };
    let virtual_column = sheet
        .table(&target.name)
        .and_then(|table| table.column(column))
        .and_then(|found| found.generated.as_ref())
        .is_some_and(|g| g.storage != crate::sql::ast::GeneratedStorage::Stored);
    let cost = types::cost(sheet.schema, sheet.context, &old, data_type, using);
    // No value of a foreign table is here to be cast.
    let foreign =
        sheet.table(&target.name).is_some_and(|table| table.kind == RelationKind::Foreign);
    if (cost == Cost::NoCast && !foreign)
        || using.is_some_and(|using| literal::is_of_other_type(sheet, using, data_type))
    {
        let detail = format!("column \"{column}\" cannot be cast to the new type");
        sheet.fails("type-mismatch", "42804", detail);
        return;
    }
    if default_does_not_cast(sheet, target, column, &old, data_type) {
        return;
    }
    if type_refused(sheet, target, column, data_type)
        || cannot_be_compared(sheet, target, column, (&old, data_type))
    {
        return;
    }
    if old != *data_type {
        sheet.breaks("type-change", ObjectKind::Column, full, &target.name);
    }
    let rewrites = cost == Cost::Rewrite && !virtual_column;
    for member in sheet.family(&target.name, target.only) {
        if rewrites {
            sheet.rewrite(&member, "type-change", source::TYPE_CHANGE);
        }
        let Some(table) = sheet.table(&member) else { continue };
        dependent_parts(sheet, target, table, column, &old, data_type, rewrites);
    }
    let identity = sheet
        .table(&target.name)
        .and_then(|table| table.column(column))
        .is_some_and(|found| found.identity.is_some());
    if identity {
        // The sequence of an identity column gets the type too.
        for sequence in sheet.schema.owned_sequences(&target.name, Some(column)) {
            sheet.lock(&sequence.name, ShareRowExclusive, "type-change");
        }
    }
    if rewrites && using.is_some_and(|using| using.shape != ExprShape::Column) {
        computed_keys(sheet, target, column);
    }
    if rewrites && !types::takes_all(sheet.schema, Some(&old), data_type) {
        let detail = format!("values of \"{column}\" may not fit the new type");
        sheet.may_fail("values-do-not-fit", "22001", detail);
    }
}

/// A column that a table below has from another parent too keeps its type (PostgreSQL 12 to 18,
/// ATPrepAlterColumnType).
fn has_other_parent(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &str) -> bool {
    let from_elsewhere = |above: &Relation| above.column(column).is_some();
    let has = !target.only && column::has_other_source(sheet, &target.name, from_elsewhere);
    if has {
        let detail = format!("cannot alter inherited column \"{column}\"");
        sheet.fails("column-in-use", "42P16", detail);
    }
    has
}

/// USING computes rows: a foreign table has none here, and a generated column computes its own.
fn using_refused(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &str, using: &Expr) -> bool {
    let Some(table) = sheet.table(&target.name) else { return false };
    if table.kind == RelationKind::Foreign {
        let detail = format!("\"{}\" is not a table", target.name);
        sheet.fails("wrong-object-kind", "42809", detail);
        return true;
    }
    if table.column(column).is_some_and(|found| found.generated.is_some()) {
        let detail = "cannot specify USING when altering type of generated column".to_owned();
        sheet.fails("column-in-use", "42611", detail);
        return true;
    }
    there::expr_lacks_column(sheet, &target.name, using)
}

/// What USING computes may be the same for two rows, or a key without a parent.
fn computed_keys(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &str) {
    let Some(table) = sheet.table(&target.name) else { return };
    let unique = |index: &&Index| index.kind == IndexKind::Unique && index.mentions_column(column);
    if let Some(index) = table.indexes.iter().find(unique) {
        let detail = format!("rows may get the same key of index \"{}\"", index.name);
        sheet.may_fail("duplicates-present", "23505", detail);
    }
    let keys = table.constraints.iter().filter(|own| own.parent().is_some());
    let own = keys.filter(|own| own.columns().contains(&column)).map(|own| own.name.clone());
    let others = sheet.schema.foreign_keys_to(&target.name).into_iter();
    let key = own.chain(others.map(|(_, key)| key.name.clone())).next();
    if let Some(key) = key {
        let detail = format!("rows may violate foreign key constraint \"{key}\"");
        sheet.may_fail("orphans-present", "23503", detail);
    }
}

/// What the server refuses whatever the rows are.
fn refused(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &str) -> bool {
    let name = &target.name;
    let Some(table) = sheet.table(name) else { return false };
    let Some(found) = table.column(column) else { return false };
    if found.inherited {
        let detail = format!("cannot alter inherited column \"{column}\"");
        sheet.fails("column-in-use", "42P16", detail);
        return true;
    }
    if target.only && !sheet.schema.children(name).is_empty() {
        let detail = "type must be changed in child tables too".to_owned();
        sheet.fails("wrong-object-kind", "42P16", detail);
        return true;
    }
    let of_key = |table: &Relation| super::drop_column::is_partition_key(table, column);
    if of_key(table) || sheet.schema.descendants(name).into_iter().any(of_key) {
        let detail = format!("\"{column}\" is part of the partition key");
        sheet.fails("column-in-use", "42P16", detail);
        return true;
    }
    let generated = table.columns.iter().any(|other| {
        let dropped = target.beside.dropped_columns.contains(&other.name.as_str());
        !dropped
            && other.generated.as_ref().is_some_and(|g| g.expr.columns.iter().any(|c| c == column))
    });
    if generated {
        let code = if sheet.since(15) { "0A000" } else { "42601" };
        let detail = "cannot alter type of a column used by a generated column".to_owned();
        sheet.fails("column-in-use", code, detail);
        return true;
    }
    if !sheet.schema.views_of_column(name, column).is_empty() || in_rule(table, column) {
        let detail = "cannot alter type of a column used by a view or rule".to_owned();
        sheet.fails("column-in-use", "0A000", detail);
        return true;
    }
    if table.triggers.iter().any(|trigger| trigger.columns.iter().any(|c| c == column)) {
        let detail = "cannot alter type of a column used in a trigger definition".to_owned();
        sheet.fails("column-in-use", "0A000", detail);
        return true;
    }
    if !sheet.schema.routines_of_column(name, column).is_empty() {
        let detail = "cannot alter type of a column used by a function".to_owned();
        sheet.fails("column-in-use", "0A000", detail);
        return true;
    }
    if table.policies.iter().any(|policy| policy.columns.iter().any(|c| c == column)) {
        let detail = "cannot alter type of a column used in a policy definition".to_owned();
        sheet.fails("column-in-use", "0A000", detail);
        return true;
    }
    false
}

/// A type that the column, or an index of it, cannot have.
fn type_refused(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &str, new: &DataType) -> bool {
    if there::lacks_type(sheet, new) {
        return true;
    }
    let Some(table) = sheet.table(&target.name) else { return false };
    let identity = table.column(column).is_some_and(|found| found.identity.is_some());
    if identity && !types::may_be_identity(sheet.schema, new) {
        let detail = "identity column type must be smallint, integer, or bigint".to_owned();
        sheet.fails("identity-misuse", "22023", detail);
        return true;
    }
    let over = |index: &&Index| {
        index.parts.iter().any(|part| part.key.column() == Some(column) && part.opclass.is_none())
    };
    let methods: Vec<String> =
        table.indexes.iter().filter(over).map(|index| index.method.clone()).collect();
    methods.iter().any(|known| method::type_lacks_class(sheet, new, known))
}

/// A number that becomes a text is not compared with numbers any more: the CHECKs and the partial
/// indexes that do so are made again, and fail (PostgreSQL 12 to 18, ATPostAlterTypeParse).
#[expect(clippy::wildcard_enum_match_arm, reason = "the others compare nothing")]
fn cannot_be_compared(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    column: &str,
    (old, new): (&DataType, &DataType),
) -> bool {
    let scalar = |data_type: &DataType| types::scalar(sheet.schema, data_type).unwrap_or_default();
    let number = |name: &str| {
        matches!(name, "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision")
    };
    let text = |name: &str| matches!(name, "text" | "varchar" | "char" | "bpchar");
    let Some(table) = sheet.table(&target.name) else { return false };
    if !number(&scalar(old)) || !text(&scalar(new)) {
        return false;
    }
    let stays = |constraint: &&Constraint| {
        !target.beside.dropped_constraints.contains(&constraint.name.as_str())
    };
    let checks = table.constraints.iter().filter(stays).filter_map(|own| match &own.kind {
        Demand::Check(check) => Some(check),
        _ => None,
    });
    let predicates = table.indexes.iter().filter_map(|index| index.predicate.as_deref());
    let compared = checks.chain(predicates).any(|expr| compares_number(&expr.text, column));
    if compared {
        let detail = format!("no operator compares the new type of \"{column}\" with a number");
        sheet.fails("type-mismatch", "42883", detail);
    }
    compared
}

/// Says whether an expression has the form `column < 3` somewhere.
fn compares_number(text: &str, column: &str) -> bool {
    text.match_indices(column).any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let rest = text.get(at + column.len()..).unwrap_or("").trim_start_matches('"').trim_start();
        let operand = rest.trim_start_matches(['<', '>', '=', '!']);
        before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '.' | '\''))
            && operand.len() < rest.len()
            && operand
                .trim_start()
                .trim_start_matches('-')
                .starts_with(|c: char| c.is_ascii_digit())
    })
}

fn in_rule(table: &Relation, column: &str) -> bool {
    table.rules.iter().any(|rule| rule.columns.iter().any(|word| word == column))
}

/// A default that the server would have to cast by itself and cannot.
fn default_does_not_cast(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    column: &str,
    old: &DataType,
    new: &DataType,
) -> bool {
    let found = sheet.table(&target.name).and_then(|table| table.column(column));
    let Some(default) = found.and_then(|found| found.default.as_ref()) else { return false };
    let null = default.shape == ExprShape::Null;
    if null || target.beside.dropped_defaults.contains(&column) {
        return false;
    }
    let cost = types::cost(sheet.schema, sheet.context, old, new, None);
    if cost == Cost::NoCast {
        let detail = format!("default for column \"{column}\" cannot be cast automatically");
        sheet.fails("type-mismatch", "42804", detail);
        return true;
    }
    false
}

/// Indexes, CHECKs and foreign keys on the column.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are alike here")]
fn dependent_parts(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    table: &Relation,
    column: &str,
    old: &DataType,
    new: &DataType,
    rewrites: bool,
) {
    let name = &table.name;
    let collation = |data_type: &DataType| data_type.collation.clone();
    let collation_changes = collation(old) != collation(new);
    let family_changes = types::index_family(sheet.schema, old)
        != types::index_family(sheet.schema, new)
        || collation_changes;
    for index in table.indexes.iter().filter(|index| index.mentions_column(column)) {
        if !rewrites && is_rebuilt(index, column, family_changes, old.collation.as_ref()) {
            let full = Name::new(name.schema.clone(), index.name.clone());
            super::part_index::build(sheet, name, &full, "type-change");
        }
    }
    for constraint in table.constraints.iter().filter(|c| c.columns().contains(&column)) {
        let dropped = target.beside.dropped_constraints.contains(&constraint.name.as_str());
        if dropped {
            continue;
        }
        match &constraint.kind {
            Demand::Check(_) if constraint.valid && constraint.enforced => {
                sheet.scan(name, "type-change-check", source::TYPE_CHANGE);
            }
            Demand::ForeignKey { parent, .. } => {
                let parent = parent.clone();
                let other = of_parent(sheet, constraint, column);
                if cannot_compare(sheet, constraint, (Some(new), other.as_ref())) {
                    return;
                }
                recheck(sheet, name, &parent, constraint, family_changes || rewrites, &parent);
            }
            _ => {}
        }
    }
    for (other, constraint) in sheet.schema.foreign_keys_to(name) {
        let Demand::ForeignKey { parent_columns, .. } = &constraint.kind else { continue };
        let primary = table.primary_key().unwrap_or(&[]);
        let used = if parent_columns.is_empty() { primary } else { parent_columns.as_slice() };
        let dropped = other.name == target.name
            && target.beside.dropped_constraints.contains(&constraint.name.as_str());
        if used.iter().any(|used| used == column) && !dropped {
            let child = other.name.clone();
            let at = used.iter().position(|used| used == column);
            let own =
                at.and_then(|at| other.column(constraint.columns().get(at)?)?.data_type.clone());
            let own = own.filter(|_| child != target.name);
            if cannot_compare(sheet, constraint, (own.as_ref(), Some(new))) {
                return;
            }
            recheck(sheet, &child, name, constraint, family_changes || rewrites, &child);
        }
    }
}

/// Returns the type of the column that one of a foreign key references.
fn of_parent(sheet: &Sheet<'_>, constraint: &Constraint, column: &str) -> Option<DataType> {
    let Demand::ForeignKey { columns, parent, parent_columns, .. } = &constraint.kind else {
        return None;
    };
    let table = sheet.table(parent)?;
    let at = columns.iter().position(|own| own == column)?;
    let referenced = match parent_columns.is_empty() {
        true => table.primary_key()?.get(at)?,
        false => parent_columns.get(at)?,
    };
    table.column(referenced)?.data_type.clone()
}

/// Notes a foreign key between types that cannot be compared any more. Says whether it is one.
fn cannot_compare(
    sheet: &mut Sheet<'_>,
    constraint: &Constraint,
    (child, parent): (Option<&DataType>, Option<&DataType>),
) -> bool {
    let wrong = child
        .zip(parent)
        .is_some_and(|(child, parent)| super::foreign_key::are_incomparable(sheet, child, parent));
    if wrong {
        let detail =
            format!("foreign key constraint \"{}\" cannot be implemented", constraint.name);
        sheet.fails("type-mismatch", "42804", detail);
    }
    wrong
}

/// A foreign key is made anew, and checked again where the comparison changes.
fn recheck(
    sheet: &mut Sheet<'_>,
    child: &Name,
    parent: &Name,
    constraint: &Constraint,
    changes: bool,
    other: &Name,
) {
    let partitioned = sheet.table(other).is_some_and(Relation::is_partitioned);
    for member in super::foreign_key::partitions_of(sheet, other) {
        // PostgreSQL 12 to 14 drop the old key from the partitions alone.
        let above = partitioned && member == *other && other == parent && !sheet.since(15);
        let mode = if above { ShareRowExclusive } else { AccessExclusive };
        sheet.lock(&member, mode, "type-change-foreign-key");
    }
    if changes && constraint.valid && constraint.enforced {
        for member in super::foreign_key::partitions_of(sheet, child) {
            sheet.scan(&member, "type-change-check", source::TYPE_CHANGE);
        }
        for member in super::foreign_key::partitions_of(sheet, parent) {
            sheet.scan_unless_indexed(&member, "type-change-check", source::TYPE_CHANGE);
        }
    }
}

/// An index is kept when it is over plain columns, without WHERE, and the operator class and the
/// collation stay. The server compares no expressions, and none of the indexes of partitions.
fn is_rebuilt(
    index: &Index,
    column: &str,
    family_changes: bool,
    old_collation: Option<&String>,
) -> bool {
    let expressions = index.parts.iter().any(|part| matches!(part.key, Key::Expr(_)));
    if expressions || index.predicate.is_some() || index.parent.is_some() {
        return true;
    }
    let key = index.parts.iter().find(|part| part.key.column() == Some(column));
    key.is_some_and(|part| {
        // An index with a collation of its own does not follow the column's.
        let by_collation = part.collation.is_some() && part.collation.as_ref() != old_collation;
        family_changes && !by_collation
    })
}
