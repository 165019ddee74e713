//! Functions and procedures.
//!
//! PostgreSQL 12 to 18, CreateFunction (functioncmds.c), ProcedureCreate (pg_proc.c),
//! check_sql_fn_retval (functions.c); manual: CREATE FUNCTION; measured, testdata/servers/postgres.

use super::missing::{self, Named};
use super::sheet::Sheet;
use super::{dml, returned, there, words};
use crate::schema::Name;
use crate::sql::ast::{AlterRoutine, CreateRoutine, DmlKind, ObjectKind, Statement, StatementKind};
use crate::sql::{Ident, ObjectName};

/// Effects of CREATE FUNCTION: an SQL body is checked, which locks what it uses.
///
/// A body in PL/pgSQL runs nothing and locks nothing when it is made: the server reads its syntax,
/// and looks for its tables when it is called (PostgreSQL 12 to 18, manual: CREATE FUNCTION;
/// check_function_bodies; measured).
pub(super) fn create_routine(sheet: &mut Sheet<'_>, create: &CreateRoutine) {
    if create.parsed_body && sheet.needs_version(14, "a RETURN or BEGIN ATOMIC body") {
        return;
    }
    if parts_missing(sheet, create) {
        return;
    }
    let name = sheet.schema.new_name(&create.name);
    if kind_differs(sheet, create, &name) {
        return;
    }
    if let Some(old) = same_routine(sheet, create, &name) {
        if !create.or_replace {
            let detail = format!("function {} exists already", create.name);
            sheet.fails("duplicate-object", "42723", detail);
            return;
        }
        if old != create.returns && !create.procedure {
            let detail = "cannot change return type of existing function".to_owned();
            sheet.fails("type-mismatch", "42P13", detail);
            return;
        }
        sheet.breaks("replace-function", ObjectKind::Function, name.to_string(), &name);
    }
    if create.language == "sql" {
        sheet.has_variables = !create.arguments.is_empty();
        for statement in &create.statements {
            if body_refused(sheet, statement) {
                return;
            }
        }
        if returned::refused(sheet, create) {
            return;
        }
        for statement in &create.statements {
            body_locks(sheet, statement);
        }
    }
}

/// Notes a type, a language or a schema that a new routine names and that is missing.
fn parts_missing(sheet: &mut Sheet<'_>, create: &CreateRoutine) -> bool {
    let language = ObjectName::bare(Ident::new(create.language.as_str(), sheet.span()));
    let kind = ObjectKind::Language;
    let types = create.arguments.iter().chain(&create.returns).chain(&create.returns_table);
    let mut types = types.filter(|data_type| !data_type.name.contains('%'));
    missing::lacks(sheet, Named { kind, name: &language, on: None, signature: None })
        || there::lacks_home(sheet, &create.name)
        || types.any(|data_type| there::lacks_type(sheet, data_type))
}

/// The queries of a body name columns that are there.
#[expect(clippy::wildcard_enum_match_arm, reason = "other statements are not looked into")]
fn body_refused(sheet: &mut Sheet<'_>, statement: &Statement) -> bool {
    match &statement.kind {
        StatementKind::Dml(dml) => dml.kind == DmlKind::Select && words::refused(sheet, &dml.query),
        _ => false,
    }
}

/// Notes a routine that would be replaced by one of another kind. Says whether it is so.
fn kind_differs(sheet: &mut Sheet<'_>, create: &CreateRoutine, name: &Name) -> bool {
    let overloads = sheet.schema.routines.get(name).into_iter().flatten();
    let mut same = overloads.filter(|old| missing::same_types(&old.arguments, &create.arguments));
    let kind = (create.procedure, create.aggregate);
    let differs = create.or_replace && same.any(|old| (old.procedure, old.aggregate) != kind);
    if differs {
        sheet.fails("wrong-object-kind", "42809", "cannot change routine kind".to_owned());
    }
    differs
}

/// Returns the return type of the routine that is replaced.
fn same_routine(
    sheet: &Sheet<'_>,
    create: &CreateRoutine,
    name: &Name,
) -> Option<Option<crate::sql::ast::DataType>> {
    let overloads = sheet.schema.routines.get(name)?;
    let key = |types: &[crate::sql::ast::DataType]| -> Vec<(String, u8)> {
        types.iter().map(|t| (t.name.clone(), t.array_dims)).collect()
    };
    let wanted = key(&create.arguments);
    let old = overloads.iter().find(|routine| key(&routine.arguments) == wanted)?;
    let same = match (&old.returns, &create.returns) {
        (Some(left), Some(right)) => left.name == right.name && left.array_dims == right.array_dims,
        _ => true,
    };
    Some(if same { create.returns.clone() } else { old.returns.clone() })
}

fn body_locks(sheet: &mut Sheet<'_>, statement: &Statement) {
    if let StatementKind::Dml(dml) = &statement.kind {
        dml::stored_locks(sheet, dml, "create-routine", dml::Use::Rewritten);
    }
}

/// Effects of ALTER FUNCTION.
pub(super) fn alter_routine(sheet: &mut Sheet<'_>, alter: &AlterRoutine) {
    let (kind, signature) = (alter.object, alter.signature.as_ref());
    let named = Named { kind, name: &alter.name, on: None, signature };
    if missing::lacks(sheet, named) || missing::is_aggregate(sheet, named) {
        return;
    }
    let name = sheet.schema.new_name(&alter.name);
    let how = if alter.volatility.is_some() { "function-volatility" } else { "object-options" };
    sheet.breaks(how, ObjectKind::Function, name.to_string(), &name);
}
