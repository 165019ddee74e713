//! ALTER TABLE: the lock of the whole statement, then every action in the order of its pass.
//!
//! PostgreSQL 12 to 18 take the strongest lock that any action needs, for all of them, and run the
//! actions in passes: drops first, then type changes, new columns, NOT NULL, keys, constraints.
//! That is why a CHECK dropped in the same statement proves nothing any more.
//!
//! PostgreSQL 12 to 18, tablecmds.c: AlterTableGetLockLevel for the lock, ATPrepCmd for the tables
//! below, ATRewriteCatalogs for the passes; manual: ALTER TABLE; measured,
//! testdata/servers/postgres.

use super::permits::{is_of_other_kind, permits};
use super::sheet::Sheet;
use super::target::{Beside, Target};
use super::{column, constraint, drop_column, partition, source, type_change};
use super::{index_as_table, reloptions, settings, standing};
use crate::effect::LockMode::{self, AccessExclusive, ShareRowExclusive, ShareUpdateExclusive};
use crate::schema::{Name, Relation, RelationKind};
use crate::sql::ast::{ActionKind, AlterTable, ConstraintKind, ObjectKind, PgAction, TableAction};

/// Effects of `ALTER TABLE` and its like on views.
pub(super) fn alter(sheet: &mut Sheet<'_>, alter: &AlterTable) {
    if let Some(tablespace) = all_in_tablespace(alter) {
        move_all(sheet, alter, tablespace);
        return;
    }
    if let Some((index, _, _)) = sheet.schema.find_index(&alter.name) {
        index_as_table::alter_table(sheet, alter, &index);
        return;
    }
    let Some(name) = sheet.existing(&alter.name, alter.if_exists) else { return };
    if !is_right_kind(sheet, alter, &name) {
        return;
    }
    let beside = Beside::of(&alter.actions);
    let levels = alter.actions.iter().map(level);
    let mode = levels.max().unwrap_or(AccessExclusive);
    let target = Target { name, only: alter.only, beside };
    for action in &alter.actions {
        sheet.at(action.span);
        let cause = cause(&action.kind);
        let on_table = target.name.clone();
        sheet.lock(&on_table, mode, cause);
        if let ActionKind::AddColumn { column, .. } = &action.kind {
            let mut below = column::reached_by_add(sheet, &target, column.name.as_str());
            if column::has_check(column) {
                below.extend(sheet.family(&target.name, alter.only).into_iter().skip(1));
            }
            for child in below {
                sheet.lock(&child, mode, cause);
            }
        } else {
            for child in reached(sheet, &target, &action.kind) {
                sheet.lock(&child, mode, cause);
            }
        }
    }
    let mut actions: Vec<&TableAction> = alter.actions.iter().collect();
    actions.sort_by_key(|action| action.kind.pass());
    for action in actions {
        sheet.at(action.span);
        run(sheet, &target, action);
    }
}

/// ALTER VIEW of a table, ALTER SEQUENCE of a view and their like are refused.
fn is_right_kind(sheet: &mut Sheet<'_>, alter: &AlterTable, name: &Name) -> bool {
    let Some(table) = sheet.table(name) else { return true };
    let renames = |action: &TableAction| matches!(action.kind, ActionKind::RenameColumn { .. });
    if alter.object == ObjectKind::View
        && alter.actions.iter().any(renames)
        && sheet.needs_version(13, "ALTER VIEW … RENAME COLUMN")
    {
        return false;
    }
    if is_of_other_kind(sheet, alter.object, name) {
        return false;
    }
    let known = table.origin != crate::schema::Origin::Assumed;
    let refused = alter.actions.iter().find(|action| !permits(sheet, &action.kind, table.kind));
    if let (Some(refused), true) = (refused, known) {
        sheet.at(refused.span);
        let detail = format!("the action cannot be performed on relation \"{}\"", name.name);
        sheet.fails("wrong-object-kind", "42809", detail);
    }
    refused.is_none() || !known
}

#[expect(clippy::wildcard_enum_match_arm, reason = "looks for one action")]
fn all_in_tablespace(alter: &AlterTable) -> Option<&str> {
    alter.actions.iter().find_map(|action| match &action.kind {
        ActionKind::Postgres(PgAction::AllInTablespace(to)) => Some(to.as_str()),
        _ => None,
    })
}

/// `ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b`: every table kept there is copied.
#[expect(clippy::wildcard_enum_match_arm, reason = "indexes have a statement of their own")]
fn move_all(sheet: &mut Sheet<'_>, alter: &AlterTable, to: &str) {
    let from = alter.name.name();
    if from == to {
        return;
    }
    let wanted = match alter.object {
        ObjectKind::MaterializedView => RelationKind::MaterializedView,
        _ => RelationKind::Table,
    };
    let here = |tablespace: &Option<String>| tablespace.as_deref().unwrap_or("pg_default") == from;
    let names: Vec<Name> = sheet
        .schema
        .relations
        .values()
        .filter(|table| table.kind == wanted && here(&table.tablespace))
        .map(|table| table.name.clone())
        .collect();
    for name in names {
        sheet.lock(&name, AccessExclusive, "set-tablespace");
        if sheet.table(&name).is_some_and(|table| table.has_storage()) {
            sheet.rewrite_rows(&name, "set-tablespace", source::ALTER_TABLE);
        }
    }
}

/// The lock that an action needs on the table itself.
#[expect(clippy::wildcard_enum_match_arm, reason = "only foreign keys differ")]
fn level(action: &TableAction) -> LockMode {
    match &action.kind {
        ActionKind::AddConstraint(constraint) => match constraint.kind {
            ConstraintKind::ForeignKey(_) => ShareRowExclusive,
            _ => AccessExclusive,
        },
        ActionKind::Postgres(action) => postgres_level(action),
        ActionKind::AddColumn { .. }
        | ActionKind::DropColumn { .. }
        | ActionKind::RenameColumn { .. }
        | ActionKind::RenameTo(_)
        | ActionKind::SetDefault { .. }
        | ActionKind::DropDefault { .. }
        | ActionKind::SetNotNull { .. }
        | ActionKind::DropNotNull { .. }
        | ActionKind::DropConstraint { .. }
        | ActionKind::Mysql(_) => AccessExclusive,
    }
}

fn postgres_level(action: &PgAction) -> LockMode {
    match action {
        PgAction::SetStatistics { .. }
        | PgAction::ColumnOptions { .. }
        | PgAction::ValidateConstraint { .. }
        | PgAction::ClusterOn(_)
        | PgAction::SetWithoutCluster
        | PgAction::AttachPartition { .. } => ShareUpdateExclusive,
        PgAction::DetachPartition { mode, .. } => partition::detach_level(*mode),
        PgAction::Trigger { .. } => ShareRowExclusive,
        PgAction::SetOptions(options) => {
            options_level(options.iter().map(|(name, _)| name.as_str()))
        }
        PgAction::ResetOptions(options) => options_level(options.iter().map(String::as_str)),
        PgAction::AlterType { .. }
        | PgAction::SetExpression { .. }
        | PgAction::DropExpression { .. }
        | PgAction::AddIdentity { .. }
        | PgAction::SetIdentity { .. }
        | PgAction::DropIdentity { .. }
        | PgAction::SetStorage { .. }
        | PgAction::SetCompression { .. }
        | PgAction::AlterConstraint { .. }
        | PgAction::RenameConstraint { .. }
        | PgAction::Rule { .. }
        | PgAction::RowSecurity(_)
        | PgAction::SetWithoutOids
        | PgAction::SetLogged
        | PgAction::SetUnlogged
        | PgAction::SetAccessMethod(_)
        | PgAction::SetTablespace(_)
        | PgAction::Inherit(_)
        | PgAction::NoInherit(_)
        | PgAction::Of(_)
        | PgAction::NotOf
        | PgAction::OwnerTo(_)
        | PgAction::ReplicaIdentity(_)
        | PgAction::SetSchema(_)
        | PgAction::ForeignOptions
        | PgAction::AllInTablespace(_)
        | PgAction::DependsOnExtension(_) => AccessExclusive,
    }
}

/// Storage parameters need a weak lock, but for those of views and `user_catalog_table`.
fn options_level<'o>(mut options: impl Iterator<Item = &'o str>) -> LockMode {
    let strong = options.any(|option| {
        matches!(
            option,
            "user_catalog_table" | "security_barrier" | "security_invoker" | "check_option"
        )
    });
    if strong { AccessExclusive } else { ShareUpdateExclusive }
}

/// Returns the tables below that an action locks as it locks the table (measured).
#[expect(clippy::wildcard_enum_match_arm, reason = "the others leave ONLY alone")]
fn reached(sheet: &Sheet<'_>, target: &Target<'_>, action: &ActionKind) -> Vec<Name> {
    let name = &target.name;
    let partitioned = sheet.table(name).is_some_and(Relation::is_partitioned);
    let below =
        |only: bool| -> Vec<Name> { sheet.family(name, only).into_iter().skip(1).collect() };
    let children = || -> Vec<Name> {
        sheet.schema.children(name).iter().map(|child| child.name.clone()).collect()
    };
    match action {
        // The partitions must not be in use, ONLY or not.
        ActionKind::DropConstraint { .. } if partitioned => below(false),
        ActionKind::Postgres(PgAction::AlterConstraint { .. })
            if partitioned && !sheet.since(18) =>
        {
            below(false)
        }
        // PostgreSQL 18 looks for the constraints below, and for none where nothing changes.
        ActionKind::SetNotNull { column } | ActionKind::DropNotNull { column }
            if sheet.since(18) =>
        {
            let marked = column::is_marked(sheet, name, column.as_str());
            match (action, marked) {
                (ActionKind::SetNotNull { .. }, true) | (ActionKind::DropNotNull { .. }, false) => {
                    Vec::new()
                }
                (ActionKind::DropNotNull { .. }, _) if target.only => children(),
                (_, _) => below(target.only),
            }
        }
        ActionKind::SetNotNull { column } if partitioned => {
            if column::is_marked(sheet, name, column.as_str()) { Vec::new() } else { below(false) }
        }
        ActionKind::AddConstraint(added)
            if matches!(added.kind, ConstraintKind::Check(_)) && !sheet.since(18) =>
        {
            if target.only || added.no_inherit {
                return Vec::new();
            }
            constraint::looked_at_for_check(sheet, target, added)
        }
        _ if recurses(sheet, target, action) => below(target.only),
        _ => Vec::new(),
    }
}

/// Says whether an action goes down to partitions and children, and locks them as the table.
fn recurses(sheet: &Sheet<'_>, target: &Target<'_>, action: &ActionKind) -> bool {
    let table = sheet.table(&target.name);
    let partitioned = table.is_some_and(|table| table.partition_by.is_some());
    match action {
        ActionKind::RenameColumn { .. }
        | ActionKind::SetDefault { .. }
        | ActionKind::DropDefault { .. }
        | ActionKind::SetNotNull { .. }
        | ActionKind::DropNotNull { .. } => true,
        // They go down step by step, and look at what each table has.
        ActionKind::AddColumn { .. } | ActionKind::DropColumn { .. } => false,
        // PostgreSQL 18 looks at the tables below for constraints of every kind.
        ActionKind::AddConstraint(_) if sheet.since(18) => true,
        ActionKind::AddConstraint(constraint) => match &constraint.kind {
            ConstraintKind::Check(_) => !constraint.no_inherit,
            ConstraintKind::NotNull(_) => true,
            ConstraintKind::ForeignKey(_) => partitioned,
            // The indexes of the partitions ask for locks of their own.
            ConstraintKind::PrimaryKey(_)
            | ConstraintKind::Unique(_)
            | ConstraintKind::PrimaryKeyUsingIndex(_)
            | ConstraintKind::UniqueUsingIndex(_)
            | ConstraintKind::Exclude(_) => false,
        },
        ActionKind::DropConstraint { name, .. } => {
            standing::reaches_children(sheet, &target.name, name.as_str())
        }
        ActionKind::Postgres(action) => postgres_recurses(sheet, target, action, partitioned),
        ActionKind::RenameTo(_) | ActionKind::Mysql(_) => false,
    }
}

fn postgres_recurses(
    sheet: &Sheet<'_>,
    target: &Target<'_>,
    action: &PgAction,
    partitioned: bool,
) -> bool {
    match action {
        PgAction::AlterType { .. }
        | PgAction::SetExpression { .. }
        | PgAction::DropExpression { .. }
        | PgAction::SetStatistics { .. }
        | PgAction::SetStorage { .. } => true,
        PgAction::AddIdentity { .. } | PgAction::SetIdentity { .. } => {
            sheet.since(17) && partitioned
        }
        PgAction::DropIdentity { column, .. } => {
            let table = sheet.table(&target.name);
            let found = table.and_then(|table| table.column(column.as_str()));
            sheet.since(17) && partitioned && found.is_none_or(|found| found.identity.is_some())
        }
        PgAction::ValidateConstraint { name } => {
            let valid = standing::find(sheet, &target.name, name.as_str()).is_some_and(|c| c.valid);
            !valid && standing::reaches_children(sheet, &target.name, name.as_str())
        }
        PgAction::RenameConstraint { from, .. } => {
            standing::reaches_children(sheet, &target.name, from.as_str())
                && standing::is_check(sheet, &target.name, from.as_str())
        }
        PgAction::AlterConstraint { .. } => partitioned,
        PgAction::Trigger { name, all, .. } => {
            let keys = *all && name.is_none();
            partitioned && settings::fires_for_rows(sheet, &target.name, name.as_ref(), keys)
        }
        PgAction::ColumnOptions { .. }
        | PgAction::SetCompression { .. }
        | PgAction::Rule { .. }
        | PgAction::RowSecurity(_)
        | PgAction::ClusterOn(_)
        | PgAction::SetWithoutCluster
        | PgAction::SetWithoutOids
        | PgAction::SetLogged
        | PgAction::SetUnlogged
        | PgAction::SetAccessMethod(_)
        | PgAction::SetTablespace(_)
        | PgAction::SetOptions(_)
        | PgAction::ResetOptions(_)
        | PgAction::Inherit(_)
        | PgAction::NoInherit(_)
        | PgAction::Of(_)
        | PgAction::NotOf
        | PgAction::OwnerTo(_)
        | PgAction::ReplicaIdentity(_)
        | PgAction::SetSchema(_)
        | PgAction::AttachPartition { .. }
        | PgAction::DetachPartition { .. }
        | PgAction::ForeignOptions
        | PgAction::AllInTablespace(_)
        | PgAction::DependsOnExtension(_) => false,
    }
}

/// The operation that asks for a lock.
pub(super) fn cause(action: &ActionKind) -> &'static str {
    match action {
        ActionKind::AddColumn { .. } => "add-column",
        ActionKind::DropColumn { .. } => "drop-column",
        ActionKind::RenameColumn { .. } => "rename",
        ActionKind::RenameTo(_) => "rename-table",
        ActionKind::SetDefault { .. } => "set-default",
        ActionKind::DropDefault { .. } => "drop-default",
        ActionKind::SetNotNull { .. } => "set-not-null",
        ActionKind::DropNotNull { .. } => "drop-not-null",
        ActionKind::AddConstraint(constraint) => constraint::add_cause(&constraint.kind),
        ActionKind::DropConstraint { .. } => "drop-constraint",
        ActionKind::Postgres(action) => postgres_cause(action),
        ActionKind::Mysql(_) => "alter-table",
    }
}

fn postgres_cause(action: &PgAction) -> &'static str {
    match action {
        PgAction::AlterType { .. } => "type-change",
        PgAction::SetExpression { .. } => "generated-expression",
        PgAction::DropExpression { .. } => "drop-expression",
        PgAction::AddIdentity { .. } | PgAction::SetIdentity { .. } => "add-identity",
        PgAction::DropIdentity { .. } => "drop-identity",
        PgAction::SetStatistics { .. } => "alter-statistics",
        PgAction::SetStorage { .. } => "set-storage",
        PgAction::SetCompression { .. } => "set-compression",
        PgAction::AlterConstraint { .. } => "alter-constraint",
        PgAction::ValidateConstraint { .. } => "validate-check",
        PgAction::RenameConstraint { .. } => "rename",
        PgAction::Trigger { .. } => "enable-trigger",
        PgAction::Rule { .. } => "enable-rule",
        PgAction::RowSecurity(_) => "row-security",
        PgAction::SetLogged => "set-logged",
        PgAction::SetUnlogged => "set-unlogged",
        PgAction::SetAccessMethod(_) => "set-access-method",
        PgAction::SetTablespace(_) | PgAction::AllInTablespace(_) => "set-tablespace",
        PgAction::SetOptions(_) | PgAction::ResetOptions(_) | PgAction::ColumnOptions { .. } => {
            "set-options"
        }
        PgAction::Inherit(_) => "inherit",
        PgAction::NoInherit(_) => "no-inherit",
        PgAction::OwnerTo(_) => "owner",
        PgAction::ReplicaIdentity(_) => "replica-identity",
        PgAction::SetSchema(_) => "set-schema",
        PgAction::AttachPartition { .. } => "attach-partition",
        PgAction::DetachPartition { .. } => "detach-partition",
        PgAction::ClusterOn(_)
        | PgAction::SetWithoutCluster
        | PgAction::SetWithoutOids
        | PgAction::Of(_)
        | PgAction::NotOf
        | PgAction::ForeignOptions
        | PgAction::DependsOnExtension(_) => "alter-table",
    }
}

fn run(sheet: &mut Sheet<'_>, target: &Target<'_>, action: &TableAction) {
    match &action.kind {
        ActionKind::AddColumn { column, if_not_exists, .. } => {
            column::add(sheet, target, column, *if_not_exists);
        }
        ActionKind::DropColumn { column, if_exists, cascade } => {
            drop_column::drop(sheet, target, column.as_str(), *if_exists, *cascade);
        }
        ActionKind::RenameColumn { from, to, .. } => {
            column::rename(sheet, target, from.as_str(), to.as_str());
        }
        ActionKind::RenameTo(to) => super::object::rename_relation(sheet, &target.name, to.name()),
        ActionKind::SetDefault { column, default } => {
            column::set_default(sheet, target, column.as_str(), Some(default));
        }
        ActionKind::DropDefault { column } => {
            column::set_default(sheet, target, column.as_str(), None);
        }
        ActionKind::SetNotNull { column } => {
            column::set_not_null(sheet, target, column.as_str(), "set-not-null");
        }
        ActionKind::DropNotNull { column } => {
            column::drop_not_null(sheet, target, column.as_str());
        }
        ActionKind::AddConstraint(added) => constraint::add(sheet, target, added),
        ActionKind::DropConstraint { name, if_exists, cascade } => {
            standing::drop(sheet, target, name.as_str(), *if_exists, *cascade);
        }
        ActionKind::Postgres(action) => postgres(sheet, target, action),
        ActionKind::Mysql(_) => sheet.unknown("not a statement of PostgreSQL"),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the next function matches what is left")]
fn postgres(sheet: &mut Sheet<'_>, target: &Target<'_>, action: &PgAction) {
    match action {
        PgAction::AlterType { column, data_type, using } => {
            if sheet.table(&target.name).is_some_and(|table| table.of_type.is_some()) {
                let detail = "cannot alter column type of typed table".to_owned();
                sheet.fails("wrong-object-kind", "42809", detail);
                return;
            }
            type_change::change(sheet, target, column.as_str(), data_type, using.as_ref());
        }
        PgAction::SetExpression { column, .. } => {
            settings::set_expression(sheet, target, column.as_str());
        }
        PgAction::DropExpression { column, if_exists } => {
            settings::drop_expression(sheet, target, column.as_str(), *if_exists);
        }
        PgAction::AddIdentity { column, .. } => {
            settings::add_identity(sheet, target, column.as_str());
        }
        PgAction::SetIdentity { column } => {
            settings::set_identity(sheet, target, column.as_str());
        }
        PgAction::DropIdentity { column, if_exists } => {
            settings::drop_identity(sheet, target, column.as_str(), *if_exists);
        }
        PgAction::SetStatistics { column, to_default } => {
            if !(*to_default && sheet.needs_version(17, "SET STATISTICS DEFAULT")) {
                column::check_there(sheet, target, column.as_str());
            }
        }
        PgAction::ColumnOptions { column, options } => {
            if column::check_there(sheet, target, column.as_str()) {
                reloptions::column_refused(sheet, options);
            }
        }
        PgAction::SetStorage { column, storage } => {
            let default = storage == "default";
            if default && sheet.needs_version(16, "SET STORAGE DEFAULT") {
                return;
            }
            if column::check_there(sheet, target, column.as_str()) && storage != "plain" && !default
            {
                settings::needs_variable_length(sheet, target, column.as_str());
            }
        }
        PgAction::SetCompression { column, .. } => {
            if !sheet.needs_version(14, "SET COMPRESSION")
                && column::check_there(sheet, target, column.as_str())
            {
                settings::needs_toast(sheet, target, column.as_str());
            }
        }
        PgAction::AlterConstraint { name, enforced, .. } => {
            standing::alter(sheet, target, name.as_str(), *enforced);
        }
        PgAction::ValidateConstraint { name } => {
            standing::validate(sheet, target, name.as_str());
        }
        PgAction::RenameConstraint { from, to } => {
            standing::rename(sheet, target, from.as_str(), to.as_str());
        }
        PgAction::AttachPartition { partition, bound } => {
            partition::attach(sheet, target, partition, bound);
        }
        PgAction::DetachPartition { partition, mode } => {
            partition::detach(sheet, target, partition, *mode);
        }
        other => settings::table_wide(sheet, target, other),
    }
}
