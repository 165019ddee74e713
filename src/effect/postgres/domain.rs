//! Types, enums and domains.
//!
//! PostgreSQL 12 to 18, AlterDomainAddConstraint, AlterDomainNotNull (typecmds.c), AddEnumLabel
//! (pg_enum.c); manual: ALTER TYPE, ALTER DOMAIN; measured, testdata/servers/postgres.

use super::sheet::Sheet;
use super::{source, there};
use crate::effect::LockMode::Share;
use crate::schema::{Name, Relation, Type, TypeBody};
use crate::sql::ObjectName;
use crate::sql::ast::{
    AlterDomain, AlterType, CreateDomain, CreateType, DataType, DomainAction, Expr, ObjectKind,
    TypeAction, TypeKind,
};

/// Effects of CREATE TYPE.
pub(super) fn create_type(sheet: &mut Sheet<'_>, create: &CreateType) {
    if is_taken(sheet, &create.name) || there::lacks_home(sheet, &create.name) {
        return;
    }
    match &create.kind {
        TypeKind::Composite(fields) => {
            for (at, (name, data_type)) in fields.iter().enumerate() {
                if fields.iter().take(at).any(|(other, _)| other.value == name.value) {
                    let detail = format!("column \"{name}\" specified more than once");
                    sheet.fails("duplicate-parts", "42701", detail);
                    return;
                }
                if there::lacks_type(sheet, data_type) {
                    return;
                }
            }
        }
        TypeKind::Enum(values) => {
            let twice =
                values.iter().enumerate().find(|(at, v)| values.iter().take(*at).any(|o| o == *v));
            if let Some((_, value)) = twice {
                let detail = format!("enum label \"{value}\" is used twice");
                sheet.fails("duplicate-parts", "23505", detail);
            }
        }
        TypeKind::Range | TypeKind::Base => {}
    }
}

fn is_taken(sheet: &mut Sheet<'_>, written: &ObjectName) -> bool {
    let name = sheet.schema.new_name(written);
    let taken =
        sheet.schema.types.contains_key(&name) || sheet.schema.relations.contains_key(&name);
    if taken {
        let detail = format!("type \"{written}\" exists already");
        sheet.fails("duplicate-object", "42710", detail);
    }
    taken
}

fn existing<'s>(sheet: &mut Sheet<'s>, written: &ObjectName) -> Option<&'s Type> {
    let found = sheet.schema.find_type(written);
    if found.is_none() && sheet.schema.complete {
        let detail = format!("type \"{written}\" does not exist");
        sheet.fails("missing-object", "42704", detail);
    } else if found.is_none() {
        let detail = format!("type \"{written}\" is made by no migration that was read");
        sheet.may_fail("missing-object", "42704", detail);
    }
    found
}

/// Effects of ALTER TYPE.
pub(super) fn alter_type(sheet: &mut Sheet<'_>, alter: &AlterType) {
    let found = existing(sheet, &alter.name);
    let full = found.map_or_else(|| sheet.schema.new_name(&alter.name), |found| found.name.clone());
    for action in &alter.actions {
        match action {
            TypeAction::AddValue { value, if_not_exists, beside } => {
                add_value(sheet, found, (value, beside.as_deref()), *if_not_exists, &full);
            }
            TypeAction::RenameValue { from, to } => {
                rename_value(sheet, found, from, to, &full);
            }
            TypeAction::AddAttribute { .. }
            | TypeAction::DropAttribute { .. }
            | TypeAction::AlterAttribute { .. }
            | TypeAction::RenameAttribute { .. } => {
                super::composite::attribute(sheet, found, &full, action);
            }
            TypeAction::Options => {
                sheet.needs_version(13, "ALTER TYPE … SET");
            }
        }
    }
}

/// ADD VALUE locks no table; the value cannot be used before the transaction commits.
fn add_value(
    sheet: &mut Sheet<'_>,
    found: Option<&Type>,
    (value, beside): (&str, Option<&str>),
    if_not_exists: bool,
    full: &Name,
) {
    match found.map(|found| &found.kind) {
        Some(TypeBody::Enum { values, .. }) if values.iter().any(|known| known == value) => {
            if !if_not_exists {
                let detail = format!("enum label \"{value}\" exists already");
                sheet.fails("duplicate-object", "42710", detail);
            }
            return;
        }
        Some(TypeBody::Enum { values, .. }) => {
            if let Some(beside) = beside.filter(|beside| !values.iter().any(|v| v == beside)) {
                let detail = format!("\"{beside}\" is not an existing enum label");
                sheet.fails("missing-object", "22023", detail);
                return;
            }
        }
        Some(_) => {
            let detail = format!("\"{full}\" is not an enum");
            sheet.fails("wrong-object-kind", "42809", detail);
            return;
        }
        None => {}
    }
    sheet.breaks("enum-value-added", ObjectKind::Type, format!("{full}.{value}"), full);
}

fn rename_value(sheet: &mut Sheet<'_>, found: Option<&Type>, from: &str, to: &str, full: &Name) {
    if let Some(TypeBody::Enum { values, .. }) = found.map(|found| &found.kind) {
        if !values.iter().any(|value| value == from) {
            let detail = format!("\"{from}\" is not an existing enum label");
            sheet.fails("missing-object", "22023", detail);
            return;
        }
        if values.iter().any(|value| value == to) {
            let detail = format!("enum label \"{to}\" exists already");
            sheet.fails("duplicate-object", "42710", detail);
            return;
        }
    }
    sheet.breaks("rename-enum-value", ObjectKind::Type, format!("{full}.{from}"), full);
}

/// Effects of CREATE DOMAIN.
pub(super) fn create(sheet: &mut Sheet<'_>, create: &CreateDomain) {
    if create.checks.iter().any(|(_, check)| check.has_subquery) {
        let detail = "cannot use a subquery in a check constraint".to_owned();
        sheet.fails("check-with-subquery", "0A000", detail);
        return;
    }
    if !is_taken(sheet, &create.name)
        && !there::lacks_home(sheet, &create.name)
        && !there::lacks_type(sheet, &create.data_type)
    {
        for (_, check) in &create.checks {
            if names_column(sheet, check) {
                return;
            }
        }
    }
}

/// Notes a word in a CHECK of a domain that would be a column: there is VALUE alone.
fn names_column(sheet: &mut Sheet<'_>, check: &Expr) -> bool {
    let word = check.columns.iter().find(|word| *word != "value");
    let word = word.filter(|_| !check.text.contains(").")).cloned();
    if let Some(word) = &word {
        let detail = format!("column \"{word}\" does not exist");
        sheet.fails("missing-column", "42703", detail);
    }
    word.is_some()
}

/// Effects of ALTER DOMAIN: a new constraint is checked in every table that uses the domain.
pub(super) fn alter(sheet: &mut Sheet<'_>, alter: &AlterDomain) {
    let Some(found) = existing(sheet, &alter.name) else { return };
    let TypeBody::Domain(domain) = &found.kind else {
        let detail = format!("\"{}\" is not a domain", alter.name);
        sheet.fails("wrong-object-kind", "42809", detail);
        return;
    };
    let name = found.name.clone();
    match &alter.action {
        DomainAction::SetNotNull => {
            if !domain.not_null {
                check_users(sheet, &name, "domain-not-null", "nulls-present", "23502");
            }
        }
        DomainAction::AddNotNull { .. } => {
            if !sheet.needs_version(17, "ADD CONSTRAINT … NOT NULL") && !domain.not_null {
                check_users(sheet, &name, "domain-not-null", "nulls-present", "23502");
            }
        }
        DomainAction::AddCheck { name: written, not_valid, check } => {
            if let Some(written) = written
                && domain.checks.iter().any(|(known, _, _)| known == written.as_str())
            {
                let detail = format!("constraint \"{written}\" for domain exists already");
                sheet.fails("duplicate-object", "42710", detail);
                return;
            }
            if check.has_subquery {
                let detail = "cannot use a subquery in a check constraint".to_owned();
                sheet.fails("check-with-subquery", "0A000", detail);
                return;
            }
            if names_column(sheet, check) {
                return;
            }
            if *not_valid {
                sheet.leaves("not-valid", name.to_string(), &name);
            } else {
                check_users(sheet, &name, "domain-check", "rows-violate", "23514");
            }
            sheet.breaks("new-check", ObjectKind::Domain, name.to_string(), &name);
        }
        DomainAction::ValidateConstraint(constraint) => {
            if !domain.checks.iter().any(|(known, _, _)| known == constraint.as_str()) {
                missing(sheet, constraint.as_str());
                return;
            }
            check_users(sheet, &name, "domain-validate", "rows-violate", "23514");
        }
        DomainAction::DropConstraint { name: constraint, if_exists } => {
            if domain.checks.iter().any(|(known, _, _)| known == constraint.as_str()) {
                let lost = format!("{name}.{constraint}");
                sheet.lose(ObjectKind::DomainConstraint, &lost, false, false);
            } else if !if_exists {
                missing(sheet, constraint.as_str());
            }
        }
        DomainAction::SetDefault(default) => {
            super::literal::refused(sheet, &domain.base, default);
        }
        DomainAction::DropDefault | DomainAction::DropNotNull => {}
    }
}

fn missing(sheet: &mut Sheet<'_>, constraint: &str) {
    let detail = format!("constraint \"{constraint}\" of the domain does not exist");
    sheet.fails("missing-object", "42704", detail);
}

/// Locks and reads every table with a column of the domain, or of a domain over it.
///
/// A column of an array or a composite with it makes the server refuse the statement.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are alike here")]
fn check_users(
    sheet: &mut Sheet<'_>,
    domain: &Name,
    cause: &'static str,
    when: &'static str,
    code: &'static str,
) {
    let mut domains = vec![domain.clone()];
    let mut composites: Vec<Name> = Vec::new();
    let mut at = 0;
    while let Some(current) = domains.get(at).cloned() {
        for (name, found) in &sheet.schema.types {
            let over = |t: &DataType| sheet.schema.type_of(t).is_some_and(|t| t.name == current);
            match &found.kind {
                TypeBody::Domain(body)
                    if over(&body.base) && body.base.array_dims == 0 && !domains.contains(name) =>
                {
                    domains.push(name.clone());
                }
                TypeBody::Composite(fields) if fields.iter().any(|(_, t)| over(t)) => {
                    composites.push(name.clone());
                }
                _ => {}
            }
        }
        at += 1;
    }
    let mut tables: Vec<Name> = Vec::new();
    for table in sheet.schema.relations.values() {
        for column in &table.columns {
            let Some(data_type) = &column.data_type else { continue };
            let Some(used) = sheet.schema.type_of(data_type) else { continue };
            let inside = composites.contains(&used.name)
                || (domains.contains(&used.name) && data_type.array_dims > 0);
            if inside && table.kind != crate::schema::RelationKind::View {
                let detail =
                    format!("cannot alter type \"{domain}\": column \"{}\" uses it", column.name);
                sheet.fails("column-in-use", "0A000", detail);
                return;
            }
            if domains.contains(&used.name) && !tables.contains(&table.name) {
                tables.push(table.name.clone());
            }
        }
    }
    let users: Vec<&Relation> = tables.iter().filter_map(|name| sheet.table(name)).collect();
    let mut checked = false;
    for table in users {
        if table.has_storage() {
            sheet.lock(&table.name, Share, cause);
            sheet.scan(&table.name, cause, source::DOMAIN);
            checked = true;
        }
    }
    if checked {
        sheet.may_fail(when, code, format!("rows violate the domain \"{domain}\""));
    }
}
