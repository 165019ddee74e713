//! On which kinds of relation ALTER TABLE allows an action.
//!
//! PostgreSQL 12 to 18, ATSimplePermissions; measured, testdata/servers/postgres. The name of the
//! relation's kind in the statement does not matter here.

use super::sheet::Sheet;
use crate::schema::RelationKind::{self, Foreign, MaterializedView, Sequence, Table, View};
use crate::schema::{Name, Origin};
use crate::sql::ast::{ActionKind, ConstraintKind, ObjectKind, PgAction};

const ANY: &[RelationKind] = &[Table, Foreign, View, MaterializedView, Sequence];
const ROWS: &[RelationKind] = &[Table, Foreign];
const STORED: &[RelationKind] = &[Table, MaterializedView];
const COLUMNS: &[RelationKind] = &[Table, Foreign, MaterializedView];
const DEFAULTS: &[RelationKind] = &[Table, Foreign, View];

/// Says whether ALTER of a kind of object takes a relation: ALTER TABLE takes all.
#[expect(clippy::wildcard_enum_match_arm, reason = "ALTER TABLE works on every kind")]
pub(super) fn is_altered_as(object: ObjectKind, kind: RelationKind) -> bool {
    match object {
        ObjectKind::View => kind == View,
        ObjectKind::MaterializedView => kind == MaterializedView,
        ObjectKind::ForeignTable => kind == Foreign,
        ObjectKind::Sequence => kind == Sequence,
        _ => true,
    }
}

/// Notes that a relation is of another kind than the statement says. Says whether it is so.
pub(super) fn is_of_other_kind(sheet: &mut Sheet<'_>, object: ObjectKind, name: &Name) -> bool {
    let Some(table) = sheet.table(name).filter(|table| table.origin != Origin::Assumed) else {
        return false;
    };
    let other = !is_altered_as(object, table.kind);
    if other {
        let detail = format!("\"{}\" is not a {}", name.name, object.as_str());
        sheet.fails("wrong-object-kind", "42809", detail);
    }
    other
}

/// Says whether the server allows an action on a kind of relation.
pub(super) fn permits(sheet: &Sheet<'_>, action: &ActionKind, kind: RelationKind) -> bool {
    // Sequences are logged or not by themselves from PostgreSQL 15 on.
    let logs = matches!(action, ActionKind::Postgres(PgAction::SetLogged | PgAction::SetUnlogged));
    kinds(action).contains(&kind) && !(logs && kind == Sequence && !sheet.since(15))
}

fn kinds(action: &ActionKind) -> &'static [RelationKind] {
    match action {
        ActionKind::AddColumn { .. }
        | ActionKind::DropColumn { .. }
        | ActionKind::SetNotNull { .. }
        | ActionKind::DropNotNull { .. }
        | ActionKind::DropConstraint { .. } => ROWS,
        ActionKind::SetDefault { .. } | ActionKind::DropDefault { .. } => DEFAULTS,
        ActionKind::AddConstraint(added) => match added.kind {
            ConstraintKind::Check(_) | ConstraintKind::NotNull(_) => ROWS,
            ConstraintKind::PrimaryKey(_)
            | ConstraintKind::Unique(_)
            | ConstraintKind::PrimaryKeyUsingIndex(_)
            | ConstraintKind::UniqueUsingIndex(_)
            | ConstraintKind::Exclude(_)
            | ConstraintKind::ForeignKey(_) => &[Table],
        },
        ActionKind::RenameColumn { .. } => &[Table, Foreign, View, MaterializedView],
        ActionKind::RenameTo(_) | ActionKind::Mysql(_) => ANY,
        ActionKind::Postgres(action) => postgres_kinds(action),
    }
}

fn postgres_kinds(action: &PgAction) -> &'static [RelationKind] {
    match action {
        PgAction::AlterType { .. }
        | PgAction::SetExpression { .. }
        | PgAction::DropExpression { .. }
        | PgAction::ValidateConstraint { .. }
        | PgAction::RenameConstraint { .. }
        | PgAction::SetWithoutOids
        | PgAction::Inherit(_)
        | PgAction::NoInherit(_)
        | PgAction::Trigger { .. } => ROWS,
        PgAction::AddIdentity { .. }
        | PgAction::SetIdentity { .. }
        | PgAction::DropIdentity { .. } => DEFAULTS,
        PgAction::SetStatistics { .. }
        | PgAction::ColumnOptions { .. }
        | PgAction::SetStorage { .. } => COLUMNS,
        PgAction::SetCompression { .. }
        | PgAction::ClusterOn(_)
        | PgAction::SetWithoutCluster
        | PgAction::SetAccessMethod(_)
        | PgAction::SetTablespace(_)
        | PgAction::ReplicaIdentity(_) => STORED,
        PgAction::AlterConstraint { .. }
        | PgAction::Rule { .. }
        | PgAction::RowSecurity(_)
        | PgAction::Of(_)
        | PgAction::NotOf
        | PgAction::AttachPartition { .. }
        | PgAction::DetachPartition { .. } => &[Table],
        PgAction::SetLogged | PgAction::SetUnlogged => &[Table, Sequence],
        PgAction::SetOptions(_) | PgAction::ResetOptions(_) => &[Table, View, MaterializedView],
        PgAction::ForeignOptions => &[Foreign],
        PgAction::OwnerTo(_)
        | PgAction::SetSchema(_)
        | PgAction::AllInTablespace(_)
        | PgAction::DependsOnExtension(_) => ANY,
    }
}
