//! The table that a statement alters, and what the other actions of the statement change there.
//!
//! PostgreSQL 12 to 18, tablecmds.c: ATRewriteCatalogs runs drops first, whatever their place in
//! the statement; manual: ALTER TABLE, Notes; measured, testdata/servers/postgres.

use super::sheet::Sheet;
use crate::schema::Name;
use crate::sql::Ident;
use crate::sql::ast::{ActionKind, ColumnDef, PgAction, TableAction, TableConstraint};

/// The table that a statement alters.
pub(super) struct Target<'a> {
    /// Its full name.
    pub(super) name: Name,
    /// ONLY is written.
    pub(super) only: bool,
    /// What the other actions change.
    pub(super) beside: Beside<'a>,
}

impl Target<'_> {
    /// Notes that a constraint is left to be validated.
    pub(super) fn left_not_valid(&self, sheet: &mut Sheet<'_>, added: &TableConstraint) {
        let name = added.name.as_ref().map_or("constraint", Ident::as_str);
        sheet.leaves("not-valid", format!("{}.{name}", self.name), &self.name);
    }
}

/// What the other actions of the statement change for one of them.
#[derive(Debug, Default)]
pub(super) struct Beside<'a> {
    /// Columns that the statement adds.
    pub(super) new_columns: Vec<&'a ColumnDef>,
    /// Columns that the statement drops.
    pub(super) dropped_columns: Vec<&'a str>,
    /// Constraints that the statement drops, which happens first.
    pub(super) dropped_constraints: Vec<&'a str>,
    /// Constraints that the statement adds.
    pub(super) added: Vec<&'a TableConstraint>,
    /// Columns whose default the statement drops before it changes types.
    pub(super) dropped_defaults: Vec<&'a str>,
    /// Columns whose type the statement changes.
    pub(super) retyped: Vec<&'a str>,
}

impl<'a> Beside<'a> {
    /// Gathers what the actions of a statement change.
    pub(super) fn of(actions: &'a [TableAction]) -> Self {
        let mut beside = Self::default();
        for action in actions {
            match &action.kind {
                ActionKind::AddColumn { column, .. } => beside.new_columns.push(column),
                ActionKind::DropColumn { column, .. } => {
                    beside.dropped_columns.push(column.as_str());
                }
                ActionKind::DropConstraint { name, .. } => {
                    beside.dropped_constraints.push(name.as_str());
                }
                ActionKind::AddConstraint(constraint) => beside.added.push(constraint),
                ActionKind::DropDefault { column } => beside.dropped_defaults.push(column.as_str()),
                ActionKind::Postgres(PgAction::AlterType { column, .. }) => {
                    beside.retyped.push(column.as_str());
                }
                ActionKind::RenameColumn { .. }
                | ActionKind::RenameTo(_)
                | ActionKind::SetDefault { .. }
                | ActionKind::SetNotNull { .. }
                | ActionKind::DropNotNull { .. }
                | ActionKind::Postgres(_)
                | ActionKind::Mysql(_) => {}
            }
        }
        beside
    }
}
