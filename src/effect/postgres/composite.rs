//! Attributes of composite types, and of the tables made OF them.
//!
//! PostgreSQL 12 to 18, tablecmds.c: find_composite_type_dependencies; manual: ALTER TYPE;
//! measured, testdata/servers/postgres.

use super::sheet::Sheet;
use super::target::{Beside, Target};
use super::type_change;
use crate::effect::LockMode::AccessExclusive;
use crate::schema::{Name, Relation, Type, TypeBody};
use crate::sql::ast::{ObjectKind, TypeAction};

/// Effects of ALTER TYPE … ATTRIBUTE.
///
/// PostgreSQL 12 to 18: columns of the type are left alone, but a new type of an attribute is
/// refused where there are any. Tables made OF the type change with it, which CASCADE allows
/// (manual: ALTER TYPE; measured).
#[expect(clippy::wildcard_enum_match_arm, reason = "called for attributes alone")]
pub(super) fn attribute(
    sheet: &mut Sheet<'_>,
    found: Option<&Type>,
    full: &Name,
    action: &TypeAction,
) {
    if let Some(found) = found
        && !matches!(found.kind, TypeBody::Composite(_))
    {
        let detail = format!("\"{full}\" is not a composite type");
        sheet.fails("wrong-object-kind", "42809", detail);
        return;
    }
    if field_refused(sheet, found, full, action) {
        return;
    }
    let (how, cascade) = match action {
        TypeAction::AddAttribute { cascade, .. } => ("attribute-added", *cascade),
        TypeAction::DropAttribute { cascade, .. } => ("attribute-dropped", *cascade),
        TypeAction::AlterAttribute { cascade, .. } => ("attribute-type", *cascade),
        TypeAction::RenameAttribute { cascade, .. } => ("attribute-renamed", *cascade),
        _ => return,
    };
    if how == "attribute-type" && is_used_as_column(sheet, full) {
        let detail = format!("cannot alter type \"{full}\": a column uses it");
        sheet.fails("column-in-use", "0A000", detail);
        return;
    }
    let typed = sheet.schema.typed_tables(full);
    if !typed.is_empty() && !cascade {
        let detail = format!("cannot alter type \"{full}\": a table is made of it");
        sheet.fails("dependents-exist", "2BP01", detail);
        return;
    }
    sheet.breaks(how, ObjectKind::Type, full.to_string(), full);
    if let TypeAction::DropAttribute { name, .. } = action {
        sheet.lose(ObjectKind::Attribute, &format!("{full}.{name}"), true, false);
    }
    for table in typed {
        of_table(sheet, &table, action);
    }
}

/// Notes an attribute that is missing, or has the new name already, and a type that is missing.
#[expect(clippy::wildcard_enum_match_arm, reason = "called for attributes alone")]
fn field_refused(
    sheet: &mut Sheet<'_>,
    found: Option<&Type>,
    full: &Name,
    action: &TypeAction,
) -> bool {
    let Some(TypeBody::Composite(fields)) = found.map(|found| &found.kind) else { return false };
    let has = |name: &crate::sql::Ident| fields.iter().any(|(field, _)| *field == name.value);
    let (old, new, data_type) = match action {
        TypeAction::AddAttribute { name, data_type, .. } => (None, Some(name), Some(data_type)),
        TypeAction::DropAttribute { name, if_exists: false, .. } => (Some(name), None, None),
        TypeAction::AlterAttribute { name, data_type, .. } => (Some(name), None, Some(data_type)),
        TypeAction::RenameAttribute { from, to, .. } => (Some(from), Some(to), None),
        _ => return false,
    };
    if let Some(missing) = old.filter(|name| !has(name)) {
        let detail = format!("column \"{missing}\" of relation \"{full}\" does not exist");
        sheet.fails("missing-column", "42703", detail);
        return true;
    }
    if let Some(taken) = new.filter(|name| has(name)) {
        let detail = format!("column \"{taken}\" of relation \"{full}\" already exists");
        sheet.fails("duplicate-object", "42701", detail);
        return true;
    }
    data_type.is_some_and(|data_type| super::there::lacks_type(sheet, data_type))
}

/// The same change on a table made OF the type, and on those below it.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others only change catalogs")]
fn of_table(sheet: &mut Sheet<'_>, table: &Name, action: &TypeAction) {
    for member in sheet.family(table, false) {
        sheet.lock(&member, AccessExclusive, "type-change");
    }
    match action {
        TypeAction::AlterAttribute { name, data_type, .. } => {
            let target = Target { name: table.clone(), only: false, beside: Beside::default() };
            type_change::change(sheet, &target, name.as_str(), data_type, None);
        }
        TypeAction::DropAttribute { name, .. } => {
            sheet.lose_part(ObjectKind::Column, table, name.as_str(), true, true);
        }
        _ => {}
    }
}

fn is_used_as_column(sheet: &Sheet<'_>, name: &Name) -> bool {
    let uses = |table: &Relation| {
        table.columns.iter().any(|column| {
            let data_type = column.data_type.as_ref();
            let known = data_type.and_then(|data_type| sheet.schema.type_of(data_type));
            known.is_some_and(|known| known.name == *name)
        })
    };
    sheet.schema.all_relations().any(uses)
}
