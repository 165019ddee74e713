//! ALTER TABLE of an index, and ALTER INDEX of a table: either names the other kind too.
//!
//! PostgreSQL 12 to 18, ATSimplePermissions and RangeVarCallbackForAlterRelation (tablecmds.c);
//! measured, testdata/servers/postgres.

use super::index;
use super::object;
use super::sheet::Sheet;
use crate::effect::LockMode::AccessExclusive;
use crate::schema::Name;
use crate::sql::ast::{ActionKind, AlterIndex, AlterTable, IndexAction, ObjectKind, PgAction};

/// ALTER TABLE of an index does what ALTER INDEX does; a new name takes a stronger lock here.
pub(super) fn alter_table(sheet: &mut Sheet<'_>, alter: &AlterTable, full: &Name) {
    for action in &alter.actions {
        sheet.at(action.span);
        if let ActionKind::RenameTo(_) | ActionKind::RenameColumn { .. } = &action.kind {
            sheet.lock_index(full, AccessExclusive, "alter-index");
        }
        let Some(own) = as_index_action(&action.kind) else {
            if !matches!(
                action.kind,
                ActionKind::RenameColumn { .. }
                    | ActionKind::Postgres(PgAction::RenameConstraint { .. })
            ) {
                let detail = format!("the action cannot be performed on index \"{full}\"");
                sheet.fails("wrong-object-kind", "42809", detail);
            }
            continue;
        };
        let name = alter.name.clone();
        index::alter(sheet, &AlterIndex { name, if_exists: alter.if_exists, action: own });
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "tables alone have the others")]
fn as_index_action(action: &ActionKind) -> Option<IndexAction> {
    Some(match action {
        ActionKind::RenameTo(to) => IndexAction::RenameTo(to.parts.last()?.clone()),
        ActionKind::Postgres(PgAction::SetOptions(options)) => {
            IndexAction::Options(options.iter().map(|(name, _)| name.clone()).collect())
        }
        ActionKind::Postgres(PgAction::ResetOptions(names)) => IndexAction::Options(names.clone()),
        ActionKind::Postgres(PgAction::SetTablespace(to)) => IndexAction::SetTablespace(to.clone()),
        ActionKind::Postgres(PgAction::SetStatistics { column, .. }) => {
            IndexAction::SetStatistics(column.as_str().parse().ok())
        }
        ActionKind::Postgres(PgAction::OwnerTo(_)) => IndexAction::OwnerTo,
        _ => return None,
    })
}

/// ALTER INDEX of a table renames it, and is refused for everything else.
pub(super) fn alter_index(sheet: &mut Sheet<'_>, alter: &AlterIndex, table: &Name) {
    if let IndexAction::RenameTo(to) = &alter.action {
        sheet.lock(table, AccessExclusive, "rename-table");
        object::rename_relation(sheet, table, to.as_str());
        return;
    }
    let detail = format!("\"{table}\" is not an {}", ObjectKind::Index.as_str());
    sheet.fails("wrong-object-kind", "42809", detail);
}
