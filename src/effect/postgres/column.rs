//! Columns: added, dropped, renamed, made NOT NULL, given defaults and identities.
//!
//! PostgreSQL 12 to 18, tablecmds.c: ATExecAddColumn, renameatt_internal, ATExecColumnDefault;
//! manual: ALTER TABLE, Notes; measured, testdata/servers/postgres.

use super::sheet::Sheet;
use super::target::Target;
use super::{constraint, functions, literal, source, there, types};
use crate::effect::LockMode::RowExclusive;

pub(super) use super::not_null::*;
use crate::schema::{Name, Relation, RelationKind, TypeBody};
use crate::sql::Ident;
use crate::sql::ast::{
    ColumnDef, ConstraintKind, DataType, Expr, ExprShape, GeneratedStorage, Nullability,
    ObjectKind, TableConstraint,
};

/// Effects of ADD COLUMN.
///
/// PostgreSQL 12 to 18 keep a default that is the same for all rows in the catalog; one that is
/// computed for every row, an identity, a stored generated column and a constrained domain write
/// every row again.
pub(super) fn add(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    column: &ColumnDef,
    if_not_exists: bool,
) {
    let name = column.name.as_str();
    let table = sheet.table(&target.name);
    if table.is_some_and(|table| table.partition_of.is_some()) {
        sheet.fails("wrong-object-kind", "42809", "cannot add column to a partition".to_owned());
        return;
    }
    let dropped = target.beside.dropped_columns.contains(&name);
    if !dropped && table.is_some_and(|table| table.column(name).is_some()) {
        if !if_not_exists {
            let detail = format!("column \"{name}\" exists already");
            sheet.fails("duplicate-object", "42701", detail);
        }
        return;
    }
    if refused(sheet, target, column) {
        return;
    }
    let full = format!("{}.{name}", target.name);
    sheet.breaks("add-column", ObjectKind::Column, full.clone(), &target.name);
    let required = is_required(column);
    if required {
        sheet.breaks("required-column", ObjectKind::Column, full, &target.name);
        let empty = domain_default(sheet, column).is_none();
        if empty {
            let detail = format!("column \"{name}\" has no value for the rows that exist");
            sheet.may_fail("nulls-present", "23502", detail);
        }
    }
    if refuses_null(sheet, column) {
        let detail = format!("the domain of column \"{name}\" does not allow NULL");
        sheet.may_fail("nulls-present", "23502", detail);
    }
    let cause = rewrite_cause(sheet, column);
    let mut members = vec![target.name.clone()];
    members.extend(reached_by_add(sheet, target, name));
    for member in members {
        // A column that is there already is merged with the new one, whose NOT NULL goes down from
        // PostgreSQL 18 on.
        let there = sheet.table(&member).and_then(|table| table.column(name));
        if let Some(there) = there.filter(|_| !dropped) {
            let not_null = matches!(column.nullability, Some(Nullability::NotNull { .. }));
            if (not_null || is_serial(column)) && !there.not_null && sheet.since(18) {
                sheet.scan(&member, "add-column-not-null", source::ADD_COLUMN);
                let detail = format!("column \"{name}\" of \"{member}\" may hold NULL");
                sheet.may_fail("nulls-present", "23502", detail);
            }
            continue;
        }
        if let Some(cause) = cause {
            sheet.rewrite(&member, cause, source::ADD_COLUMN);
        } else if scans(sheet, column) {
            sheet.scan(&member, scan_cause(column, required), source::ADD_COLUMN);
        }
    }
    if has_check(column) {
        // A CHECK goes down to all tables below, whatever became of the column there.
        for member in sheet.family(&target.name, target.only) {
            sheet.scan(&member, "add-column-check", source::ADD_COLUMN);
        }
    }
    let stored = table.is_none_or(|table| table.kind != RelationKind::Foreign);
    if cause.is_some() && stored {
        used_sequences(sheet, column.default.as_ref());
    }
    for added in &column.constraints {
        sheet.at(added.span);
        constraint::add_with_column(sheet, target, added, column);
    }
}

/// What the server refuses whatever the rows are.
fn refused(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &ColumnDef) -> bool {
    let table = sheet.table(&target.name);
    if table.is_some_and(|table| table.of_type.is_some()) {
        sheet.fails("wrong-object-kind", "42809", "cannot add column to typed table".to_owned());
        return true;
    }
    if target.only && !sheet.schema.children(&target.name).is_empty() {
        let detail = "column must be added to child tables too".to_owned();
        sheet.fails("wrong-object-kind", "42P16", detail);
        return true;
    }
    let children = sheet.schema.children(&target.name);
    let partitions = children.iter().all(|child| child.partition_of.is_some());
    if column.identity.is_some() && !children.is_empty() && !(partitions && sheet.since(17)) {
        let detail = "cannot add an identity column to a table with child tables".to_owned();
        sheet.fails("identity-misuse", "42P16", detail);
        return true;
    }
    if child_differs(sheet, target, column) {
        return true;
    }
    if type_refused(sheet, column) {
        return true;
    }
    if let Some(default) = &column.default {
        if default_reads(sheet, default) {
            return true;
        }
        if missing_function(sheet, default) || uses_fresh_value(sheet, column) {
            return true;
        }
        let data_type = column.data_type.as_ref();
        if violates_domain(sheet, column, default)
            || data_type.is_some_and(|t| literal::refused(sheet, t, default))
        {
            return true;
        }
    }
    if super::foreign_table::constraint_refused(sheet, table, &column.constraints) {
        return true;
    }
    let compressed = column.options.iter().any(|(option, _)| option == "compression");
    let stored = column.options.iter().any(|(option, _)| option == "storage");
    (compressed && sheet.needs_version(14, "COMPRESSION"))
        || (stored && sheet.needs_version(16, "STORAGE in a column definition"))
        || generated_refused(sheet, target, column)
}

/// Notes a name that is the server's own, and a type that is not there or that an identity cannot
/// have.
pub(super) fn type_refused(sheet: &mut Sheet<'_>, column: &ColumnDef) -> bool {
    let Some(data_type) = &column.data_type else { return false };
    if there::is_system_column(sheet, column.name.as_str()) || there::lacks_type(sheet, data_type) {
        return true;
    }
    let refused = column.identity.is_some() && !types::may_be_identity(sheet.schema, data_type);
    if refused {
        let detail = "identity column type must be smallint, integer, or bigint".to_owned();
        sheet.fails("identity-misuse", "22023", detail);
    }
    refused
}

/// Notes a DEFAULT that reads rows: with a query inside, or of another column.
pub(super) fn default_reads(sheet: &mut Sheet<'_>, default: &Expr) -> bool {
    if default.has_subquery {
        let detail = "cannot use a subquery in a DEFAULT expression".to_owned();
        sheet.fails("check-with-subquery", "0A000", detail);
    } else if !default.columns.is_empty() {
        let detail = "cannot use a column in a DEFAULT expression".to_owned();
        sheet.fails("column-in-use", "0A000", detail);
    }
    default.has_subquery || !default.columns.is_empty()
}

/// Notes a table below whose column of that name has another type.
fn child_differs(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &ColumnDef) -> bool {
    let Some(wanted) = &column.data_type else { return false };
    let name = column.name.as_str();
    if target.beside.dropped_columns.contains(&name) {
        return false;
    }
    // The server compares what it stores: `serial` is an integer.
    let base = |data_type: &DataType| match data_type.name.as_str() {
        "serial" => "integer".to_owned(),
        "bigserial" => "bigint".to_owned(),
        "smallserial" => "smallint".to_owned(),
        other => other.to_owned(),
    };
    let differs = reached_by_add(sheet, target, name).into_iter().find(|child| {
        let own = sheet.table(child).and_then(|child| child.column(name));
        own.and_then(|own| own.data_type.as_ref()).is_some_and(|own| {
            (base(own), &own.args, own.array_dims > 0)
                != (base(wanted), &wanted.args, wanted.array_dims > 0)
        })
    });
    if let Some(child) = &differs {
        let detail = format!("child table \"{child}\" has different type for column \"{name}\"");
        sheet.fails("type-mismatch", "42804", detail);
    }
    differs.is_some()
}

fn generated_refused(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &ColumnDef) -> bool {
    let Some(generated) = &column.generated else { return false };
    let known = match generated.storage {
        GeneratedStorage::Stored => true,
        GeneratedStorage::Virtual => !sheet.needs_version(18, "VIRTUAL"),
        GeneratedStorage::Unspecified => !sheet.needs_version(18, "GENERATED without STORED"),
    };
    if !known {
        return true;
    }
    if let Some(function) = functions::not_immutable(sheet.schema, &generated.expr) {
        let detail = format!("generation expression is not immutable: {function}()");
        sheet.fails("not-immutable", "42P17", detail);
        return true;
    }
    let plain = !generated.expr.has_subquery && !generated.expr.text.contains(").");
    let mut words = generated.expr.columns.iter().filter(|word| **word != target.name.name);
    if plain
        && words.any(|word| !there::SYSTEM.contains(&word.as_str()) && !stays(sheet, target, word))
    {
        return true;
    }
    let itself = generated.expr.columns.contains(&column.name.value);
    let of_generated = itself
        || sheet.table(&target.name).is_some_and(|table| {
            generated
                .expr
                .columns
                .iter()
                .any(|used| table.column(used).is_some_and(|column| column.generated.is_some()))
        });
    if of_generated {
        let detail = "cannot use a generated column in a column generation expression".to_owned();
        sheet.fails("column-in-use", "42P17", detail);
    }
    of_generated
}

/// Notes a function that this version lacks.
pub(super) fn missing_function(sheet: &mut Sheet<'_>, expr: &Expr) -> bool {
    let Some((function, since)) = functions::missing(sheet.schema, expr) else { return false };
    let detail = format!("function {function}() exists from PostgreSQL {since} on");
    sheet.fails("unsupported-version", "42883", detail);
    true
}

/// Says whether the default names a value that ALTER TYPE … ADD VALUE made in this transaction.
pub(super) fn uses_fresh_value(sheet: &mut Sheet<'_>, column: &ColumnDef) -> bool {
    let (Some(data_type), Some(default)) = (&column.data_type, &column.default) else {
        return false;
    };
    let casts = default.casts.iter().chain([data_type]);
    let fresh = casts.filter_map(|t| fresh_value(sheet, t, &default.text)).next();
    match fresh {
        Some(value) => {
            let detail = format!("unsafe use of new value \"{value}\" of an enum type");
            sheet.fails("enum-value-uncommitted", "55P04", detail);
            true
        }
        None => false,
    }
}

/// Returns the new enum value that a text names in quotes.
///
/// PostgreSQL 12 to 16 refuse it in the transaction that added it; 17 and 18 allow it when the
/// enum itself was made there.
pub(super) fn fresh_value(
    sheet: &Sheet<'_>,
    data_type: &crate::sql::ast::DataType,
    text: &str,
) -> Option<String> {
    let found = sheet.schema.type_of(data_type)?;
    let TypeBody::Enum { fresh, .. } = &found.kind else { return None };
    if !sheet.context.in_transaction {
        return None;
    }
    let own = found.origin == sheet.schema.origin() && sheet.since(17);
    let named = |value: &&String| text.contains(&format!("'{value}'"));
    if own { None } else { fresh.iter().find(named).cloned() }
}

/// A literal default of zero or less against `VALUE > 0` and its like cannot be told here: only a
/// domain that is NOT NULL and a default NULL is.
fn violates_domain(sheet: &mut Sheet<'_>, column: &ColumnDef, default: &Expr) -> bool {
    let Some(data_type) = &column.data_type else { return false };
    if !types::is_constrained(sheet.schema, data_type) {
        return false;
    }
    let detail = "the default may violate a constraint of the domain".to_owned();
    if default.shape != ExprShape::Null {
        sheet.may_fail("rows-violate", "23514", detail);
    }
    false
}

/// Says whether rows inserted without the column fail.
fn is_required(column: &ColumnDef) -> bool {
    let primary =
        column.constraints.iter().any(|c| matches!(c.kind, ConstraintKind::PrimaryKey(_)));
    let not_null = matches!(column.nullability, Some(Nullability::NotNull { .. })) || primary;
    let filled = column.default.as_ref().is_some_and(|d| d.shape != ExprShape::Null)
        || column.identity.is_some()
        || column.generated.is_some()
        || is_serial(column);
    not_null && !filled
}

fn is_serial(column: &ColumnDef) -> bool {
    column.data_type.as_ref().is_some_and(|t| {
        t.schema.is_none() && matches!(t.name.as_str(), "serial" | "bigserial" | "smallserial")
    })
}

/// Says whether a column without a value is of a domain that is NOT NULL.
fn refuses_null(sheet: &Sheet<'_>, column: &ColumnDef) -> bool {
    let filled = column.default.is_some()
        || column.generated.is_some()
        || column.identity.is_some()
        || domain_default(sheet, column).is_some();
    let mut data_type = column.data_type.as_ref();
    for _ in 0..32 {
        let Some(found) = data_type.and_then(|t| sheet.schema.type_of(t)) else { return false };
        let TypeBody::Domain(domain) = &found.kind else { return false };
        if domain.not_null && !filled {
            return true;
        }
        data_type = Some(&domain.base);
    }
    false
}

fn domain_default<'s>(sheet: &Sheet<'s>, column: &ColumnDef) -> Option<&'s Expr> {
    let mut data_type = column.data_type.as_ref()?;
    for _ in 0..32 {
        let TypeBody::Domain(domain) = &sheet.schema.type_of(data_type)?.kind else { return None };
        if let Some(default) = &domain.default {
            return Some(default);
        }
        data_type = &domain.base;
    }
    None
}

/// Returns why a new column writes every row again, none where it does not.
fn rewrite_cause(sheet: &Sheet<'_>, column: &ColumnDef) -> Option<&'static str> {
    if column.identity.is_some() {
        return Some("identity");
    }
    if is_serial(column) {
        return Some("serial");
    }
    if let Some(generated) = &column.generated {
        let stored = generated.storage == GeneratedStorage::Stored;
        return stored.then_some("stored-generated");
    }
    let volatile = |default: &Expr| functions::is_volatile(sheet.schema, default);
    let constrained =
        column.data_type.as_ref().is_some_and(|t| types::is_constrained(sheet.schema, t));
    if constrained {
        return Some("constrained-domain");
    }
    match &column.default {
        Some(default) if volatile(default) => {
            let sequence = default.functions.iter().any(|f| f.name() == "nextval");
            Some(if sequence { "serial" } else { "volatile-default" })
        }
        Some(_) => None,
        // PostgreSQL 12 computes a domain's own volatile default once, later versions for each row.
        None if sheet.since(13) => {
            domain_default(sheet, column).filter(|d| volatile(d)).map(|_| "volatile-default")
        }
        None => None,
    }
}

/// Says whether a new column makes the server read every row: a CHECK, or NOT NULL on a virtual
/// generated column (PostgreSQL 18).
fn scans(sheet: &Sheet<'_>, column: &ColumnDef) -> bool {
    let virtual_column = column.generated.is_some() && sheet.since(18);
    let not_null = matches!(column.nullability, Some(Nullability::NotNull { .. }));
    // A NOT NULL without any value fails; the server finds out by reading.
    let fails = is_required(column) && domain_default(sheet, column).is_none();
    has_check(column) || fails || (virtual_column && not_null)
}

/// Says whether the rows are checked against a CHECK of a new column.
pub(super) fn has_check(column: &ColumnDef) -> bool {
    column.constraints.iter().any(|added| {
        matches!(added.kind, ConstraintKind::Check(_)) && !added.not_valid && !added.not_enforced
    })
}

/// Locks the sequences that a default reads.
pub(super) fn used_sequences(sheet: &mut Sheet<'_>, default: Option<&Expr>) {
    let Some(default) = default else { return };
    let calls = default.functions.iter().any(|f| matches!(f.name(), "nextval" | "setval"));
    if !calls {
        return;
    }
    let written: Vec<String> =
        default.text.split('\'').skip(1).step_by(2).map(ToOwned::to_owned).collect();
    for name in written {
        sequence_by_text(sheet, &name);
    }
}

/// Returns the full name that a text in quotes stands for.
pub(super) fn named_in_quotes(sheet: &Sheet<'_>, written: &str) -> Name {
    let part = |text: &str| match text.strip_prefix('"') {
        Some(quoted) => Ident::new(quoted.trim_end_matches('"'), sheet.span()),
        None => Ident::new(text.to_ascii_lowercase(), sheet.span()),
    };
    let parts = written.split('.').map(part).collect();
    sheet.schema.resolve(&crate::sql::ObjectName { parts })
}

/// Locks the sequence that a text in quotes names.
pub(super) fn sequence_by_text(sheet: &mut Sheet<'_>, written: &str) {
    let name = named_in_quotes(sheet, written);
    let known = sheet.table(&name).is_some_and(|found| found.kind == RelationKind::Sequence);
    if known || sheet.table(&name).is_none() {
        sheet.lock(&name, RowExclusive, "insert");
    }
}

/// Notes a column that does not exist. Says whether it may exist.
pub(super) fn check_there(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &str) -> bool {
    let Some(table) = sheet.table(&target.name) else { return true };
    let new = target.beside.new_columns.iter().any(|new| new.name.as_str() == column);
    let numbered = column.bytes().all(|byte| byte.is_ascii_digit());
    if table.complete && table.column(column).is_none() && !new && !numbered {
        lacks_column(sheet, target, column);
        return false;
    }
    true
}

/// Notes a column that an expression of a new column names and the table lacks, those that the
/// statement drops or adds considered. Says whether it may be there.
fn stays(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &str) -> bool {
    let new = target.beside.new_columns.iter().any(|new| new.name.as_str() == column);
    if target.beside.dropped_columns.contains(&column) && !new {
        lacks_column(sheet, target, column);
        return false;
    }
    check_there(sheet, target, column)
}

fn lacks_column(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &str) {
    let detail = format!("column \"{column}\" of relation \"{}\" does not exist", target.name);
    sheet.fails("missing-column", "42703", detail);
}

/// The same as [`check_there`] for actions of the first passes: they run before columns are added
/// (PostgreSQL 12 to 18, ATRewriteCatalogs).
pub(super) fn check_there_first(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &str) -> bool {
    let known = sheet.table(&target.name).filter(|table| table.complete);
    let missing = known.is_some_and(|table| table.column(column).is_none());
    if missing {
        lacks_column(sheet, target, column);
    }
    !missing
}

/// Returns the tables below that ADD COLUMN changes: it goes no further down where a table has the
/// column already (PostgreSQL 12 to 18, ATExecAddColumn; measured).
pub(super) fn reached_by_add(sheet: &Sheet<'_>, target: &Target<'_>, column: &str) -> Vec<Name> {
    let mut found: Vec<Name> = Vec::new();
    let dropped = target.beside.dropped_columns.contains(&column);
    let there = |table: &Relation| table.column(column).is_some() && !dropped;
    if sheet.table(&target.name).is_some_and(there) {
        return found;
    }
    let mut queue = vec![target.name.clone()];
    while let Some(parent) = queue.pop() {
        for child in sheet.schema.children(&parent) {
            if found.contains(&child.name) {
                continue;
            }
            found.push(child.name.clone());
            if !there(child) {
                queue.push(child.name.clone());
            }
        }
    }
    found
}

/// Effects of RENAME COLUMN.
pub(super) fn rename(sheet: &mut Sheet<'_>, target: &Target<'_>, from: &str, to: &str) {
    if !check_there(sheet, target, from) {
        return;
    }
    let name = &target.name;
    let table = sheet.table(name);
    if table.and_then(|table| table.column(from)).is_some_and(|column| column.inherited) {
        let detail = format!("cannot rename inherited column \"{from}\"");
        sheet.fails("column-in-use", "42P16", detail);
        return;
    }
    if table.is_some_and(|table| table.of_type.is_some()) {
        let detail = "cannot rename column of typed table".to_owned();
        sheet.fails("wrong-object-kind", "42809", detail);
        return;
    }
    if there::is_system_column(sheet, to) {
        return;
    }
    if table.is_some_and(|table| table.column(to).is_some()) {
        let detail = format!("column \"{to}\" exists already");
        sheet.fails("duplicate-object", "42701", detail);
        return;
    }
    if target.only && !sheet.schema.children(name).is_empty() {
        let detail = "inherited column must be renamed in child tables too".to_owned();
        sheet.fails("wrong-object-kind", "42P16", detail);
        return;
    }
    let family = sheet.family(name, false);
    let taken = family
        .iter()
        .find(|member| sheet.table(member).is_some_and(|child| child.column(to).is_some()));
    if let Some(child) = taken.cloned() {
        let detail = format!("column \"{to}\" of relation \"{child}\" exists already");
        sheet.fails("duplicate-object", "42701", detail);
        return;
    }
    if has_other_source(sheet, name, |above| above.column(from).is_some()) {
        let detail = format!("cannot rename inherited column \"{from}\"");
        sheet.fails("column-in-use", "42P16", detail);
        return;
    }
    sheet.breaks("rename-column", ObjectKind::Column, format!("{name}.{from}"), name);
}

/// Effects of SET DEFAULT and DROP DEFAULT.
pub(super) fn set_default(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    column: &str,
    default: Option<&Expr>,
) {
    let there = match default {
        Some(_) => check_there(sheet, target, column),
        None => check_there_first(sheet, target, column),
    };
    if !there {
        return;
    }
    let name = &target.name;
    let found = sheet.table(name).and_then(|table| table.column(column));
    if found.is_some_and(|found| found.identity.is_some()) {
        let detail = format!("column \"{column}\" is an identity column");
        sheet.fails("identity-misuse", "42601", detail);
        return;
    }
    if found.is_some_and(|found| found.generated.is_some()) {
        let detail = format!("column \"{column}\" is a generated column");
        sheet.fails("column-in-use", "42601", detail);
        return;
    }
    let full = format!("{name}.{column}");
    match default {
        Some(default) => {
            if default_reads(sheet, default) {
                return;
            }
            missing_function(sheet, default);
            let data_type = found.and_then(|found| found.data_type.as_ref());
            if data_type.is_some_and(|data_type| literal::refused(sheet, data_type, default)) {
                return;
            }
            let fresh = found
                .and_then(|found| found.data_type.as_ref())
                .and_then(|data_type| fresh_value(sheet, data_type, &default.text));
            if let Some(value) = fresh {
                let detail = format!("unsafe use of new value \"{value}\" of an enum type");
                sheet.fails("enum-value-uncommitted", "55P04", detail);
            }
            sheet.breaks("change-default", ObjectKind::Column, full, name);
        }
        None => sheet.breaks("drop-default", ObjectKind::Column, full, name),
    }
}

/// Names what a scan by ADD COLUMN looks for.
fn scan_cause(column: &ColumnDef, required: bool) -> &'static str {
    let check = |added: &TableConstraint| matches!(added.kind, ConstraintKind::Check(_));
    if required && column.generated.is_none() && !column.constraints.iter().any(check) {
        "add-column-not-null"
    } else {
        "add-column-check"
    }
}
