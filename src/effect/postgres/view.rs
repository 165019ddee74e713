//! Columns of views: those of the query, by the names that are written for them.
//!
//! CREATE OR REPLACE VIEW may add columns at the end, and never drop, rename or retype one
//! (PostgreSQL 12 to 18, checkViewColumns; manual: CREATE VIEW; measured,
//! testdata/servers/postgres: wide_view_15).

use super::sheet::Sheet;
use crate::schema::{Relation, ShownColumn};
use crate::sql::Ident;
use crate::sql::ast::{CreateView, DataType, Query};

/// Notes what the new query of a view does to the columns that it has.
pub(super) fn replaced(sheet: &mut Sheet<'_>, view: &CreateView, old: &Relation) {
    let Some(new) = columns(sheet, view) else {
        if old.complete {
            let detail = "columns of the view may be missing or others".to_owned();
            sheet.may_fail("column-in-use", "42P16", detail);
        }
        return;
    };
    if !old.complete {
        return;
    }
    if new.len() < old.columns.len() {
        sheet.fails("column-in-use", "42P16", "cannot drop columns from view".to_owned());
        return;
    }
    for (old, new) in old.columns.iter().zip(&new) {
        let name = &old.name;
        let Some(called) = &new.name else {
            let detail = format!("view column \"{name}\" may get another name");
            sheet.may_fail("column-in-use", "42P16", detail);
            continue;
        };
        if called != name {
            let detail = format!("cannot change name of view column \"{name}\" to \"{called}\"");
            sheet.fails("column-in-use", "42P16", detail);
            return;
        }
        let (Some(from), Some(to)) = (&old.data_type, &new.data_type) else { continue };
        if differs(from, to) {
            let detail = format!("cannot change data type of view column \"{name}\"");
            sheet.fails("column-in-use", "42P16", detail);
            return;
        }
    }
}

/// Returns the columns of a view, as far as they are known.
fn columns(sheet: &Sheet<'_>, view: &CreateView) -> Option<Vec<ShownColumn>> {
    named_columns(sheet, &view.query, view.columns.iter())
}

/// Returns the columns of a query, the first ones by the names that are written for them.
fn named_columns<'w>(
    sheet: &Sheet<'_>,
    query: &Query,
    written: impl Iterator<Item = &'w Ident>,
) -> Option<Vec<ShownColumn>> {
    let mut shown = sheet.schema.shown(query.outline.get()?)?;
    for (column, written) in shown.iter_mut().zip(written) {
        column.name = Some(written.value.clone());
    }
    Some(shown)
}

fn differs(from: &DataType, to: &DataType) -> bool {
    let plain = |name: &str| match name {
        "serial" => "integer".to_owned(),
        "bigserial" => "bigint".to_owned(),
        "smallserial" => "smallint".to_owned(),
        other => other.to_owned(),
    };
    plain(&from.name) != plain(&to.name)
        || from.args != to.args
        || from.array_dims.min(1) != to.array_dims.min(1)
}

/// Notes names for more columns than the query of a new view shows. Says whether it has them.
pub(super) fn names_too_many(sheet: &mut Sheet<'_>, view: &CreateView) -> bool {
    let shown = view.query.outline.get().and_then(|outline| sheet.schema.shown(outline));
    let more = shown.is_some_and(|shown| shown.len() < view.columns.len());
    if more {
        let detail = "more column names are specified than the query has columns".to_owned();
        sheet.fails("duplicate-parts", "42601", detail);
    }
    more
}

/// Notes two columns of one name. Says whether there are any.
pub(super) fn names_twice<'w>(
    sheet: &mut Sheet<'_>,
    query: &Query,
    written: impl Iterator<Item = &'w Ident>,
) -> bool {
    let shown = named_columns(sheet, query, written).into_iter().flatten();
    let names: Vec<String> = shown.filter_map(|column| column.name).collect();
    let twice =
        names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|n| n == *name));
    if let Some((_, name)) = twice {
        let detail = format!("column \"{name}\" specified more than once");
        sheet.fails("duplicate-parts", "42701", detail);
    }
    twice.is_some()
}
