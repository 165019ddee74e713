//! What the last statement of an SQL body returns, and what its routine says it returns.
//!
//! PostgreSQL 12 to 18, check_sql_fn_retval (functions.c); manual: SQL Functions; measured,
//! testdata/servers/postgres. From PostgreSQL 13 on what is returned is cast as if it were stored;
//! before, it has to be of the type, or one that is kept in the same way.

use super::sheet::Sheet;
use super::{casts, types};
use crate::schema::{RelationKind, Schema, ShownColumn, TypeBody};
use crate::sql::ObjectName;
use crate::sql::ast::{CreateRoutine, DataType, DmlKind, StatementKind};

/// Notes a body that returns something else than its routine. Says whether it does.
pub(super) fn refused(sheet: &mut Sheet<'_>, create: &CreateRoutine) -> bool {
    let Some(returns) = create.returns.as_ref().filter(|returns| returns.name != "void") else {
        return false;
    };
    if create.parsed_body {
        return false;
    }
    if matches!(returns.name.as_str(), "trigger" | "event_trigger") {
        let detail = format!("SQL functions cannot return type {}", returns.name);
        sheet.fails("type-mismatch", "42P13", detail);
        return true;
    }
    let Some(wrong) = mismatch(sheet, create, returns) else { return false };
    let detail =
        format!("return type mismatch in function declared to return {}: {wrong}", returns.name);
    sheet.fails("type-mismatch", "42P13", detail);
    true
}

fn mismatch(sheet: &Sheet<'_>, create: &CreateRoutine, returns: &DataType) -> Option<String> {
    let Some(last) = create.statements.last() else {
        let empty = create.body.start == create.body.end;
        return empty.then(|| "there is no statement".to_owned());
    };
    let StatementKind::Dml(dml) = &last.kind else { return None };
    let outline = dml.query.outline.get()?;
    if dml.kind != DmlKind::Select {
        return (!outline.returns).then(|| "the last statement returns nothing".to_owned());
    }
    let shown = sheet.schema.shown(outline)?;
    let wanted = wanted(sheet.schema, create, returns)?;
    let row = matches!(wanted, Wanted::Row(_));
    let wanted = match wanted {
        Wanted::Scalar(data_type) => vec![data_type],
        Wanted::Row(fields) => fields,
    };
    // One column may be the whole row.
    if row && shown.len() == 1 && shown.iter().all(|column| column.data_type.is_none()) {
        return None;
    }
    if shown.len() != wanted.len() {
        return Some(format!("it returns {} columns, not {}", shown.len(), wanted.len()));
    }
    let differs = |(column, wanted): &(&ShownColumn, &DataType)| {
        let own = column.data_type.as_ref();
        own.is_some_and(|own| !is_returned_as(sheet, own, wanted))
    };
    let (column, wanted) = shown.iter().zip(&wanted).find(differs)?;
    let own = column.data_type.as_ref()?;
    Some(format!("it returns {}, not {}", own.name, wanted.name))
}

/// What a routine says it returns.
enum Wanted {
    /// One column.
    Scalar(DataType),
    /// A row of these.
    Row(Vec<DataType>),
}

fn wanted(schema: &Schema, create: &CreateRoutine, returns: &DataType) -> Option<Wanted> {
    if !create.returns_table.is_empty() {
        return Some(Wanted::Row(create.returns_table.clone()));
    }
    if let Some(TypeBody::Composite(fields)) = schema.type_of(returns).map(|found| &found.kind) {
        return Some(Wanted::Row(fields.iter().map(|(_, field)| field.clone()).collect()));
    }
    let name = crate::sql::Ident::new(returns.name.as_str(), returns.span);
    let table = schema.find(&ObjectName::bare(name)).filter(|_| returns.schema.is_none());
    if let Some(table) = table {
        let listed = table.complete && table.kind != RelationKind::Sequence;
        let columns = table.columns.iter().map(|column| column.data_type.clone());
        return columns.collect::<Option<_>>().filter(|_| listed).map(Wanted::Row);
    }
    let scalar = types::scalar(schema, returns).is_some() || schema.type_of(returns).is_some();
    scalar.then(|| Wanted::Scalar(returns.clone()))
}

fn is_returned_as(sheet: &Sheet<'_>, own: &DataType, wanted: &DataType) -> bool {
    if sheet.since(13) {
        return casts::exists(sheet.schema, own, wanted, casts::Context::Assignment);
    }
    types::is_kept_alike(sheet.schema, own, wanted)
}
