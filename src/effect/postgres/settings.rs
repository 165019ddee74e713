//! Generated expressions, identities, and the actions that concern a table as a whole.
//!
//! PostgreSQL 12 to 18, tablecmds.c: ATExecAddIdentity and the other ATExec… of each action;
//! manual: ALTER TABLE; measured, testdata/servers/postgres.

use super::sheet::Sheet;
use super::target::Target;
use super::{object, partition, referential, reloptions, source, table_refused, there, types};
use crate::effect::LockMode::{
    AccessExclusive, AccessShare, ShareRowExclusive, ShareUpdateExclusive,
};
use crate::schema::{Column, Demand, Name, Origin, Relation, RelationKind, Trigger};
use crate::sql::Ident;
use crate::sql::ast::{GeneratedStorage, ObjectKind, PgAction, ReplicaIdentity, TriggerState};

use super::column::check_there;

/// Effects of SET EXPRESSION (PostgreSQL 17): a stored column is computed anew for every row.
pub(super) fn set_expression(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &str) {
    if sheet.needs_version(17, "SET EXPRESSION") || !check_there(sheet, target, column) {
        return;
    }
    let found = sheet.table(&target.name).and_then(|table| table.column(column));
    let Some(found) = found else {
        sheet.rewrite(&target.name, "generated-expression", source::ALTER_TABLE);
        return;
    };
    let full = format!("{}.{column}", target.name);
    let Some(generated) = &found.generated else {
        let detail = format!("column \"{column}\" is not a generated column");
        sheet.fails("column-in-use", "55000", detail);
        return;
    };
    if generated.storage == GeneratedStorage::Stored {
        for member in sheet.family(&target.name, target.only) {
            sheet.rewrite(&member, "generated-expression", source::ALTER_TABLE);
        }
    } else if let Some(table) = sheet.table(&target.name) {
        let checked = table.constraints.iter().any(
            |constraint| matches!(&constraint.kind, Demand::Check(check) if names(check, column)),
        );
        if checked {
            let detail = "SET EXPRESSION is not supported for virtual generated columns in tables \
                          with check constraints"
                .to_owned();
            sheet.fails("column-in-use", "0A000", detail);
            return;
        }
    }
    sheet.breaks("generated-expression", ObjectKind::Column, full, &target.name);
}

/// Effects of DROP EXPRESSION (PostgreSQL 13).
pub(super) fn drop_expression(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    column: &str,
    if_exists: bool,
) {
    if sheet.needs_version(13, "DROP EXPRESSION") || !check_there(sheet, target, column) {
        return;
    }
    let found = sheet.table(&target.name).and_then(|table| table.column(column));
    let generated = found.map(|found| found.generated.as_ref());
    match generated {
        Some(None) if !if_exists => {
            let detail = format!("column \"{column}\" is not a stored generated column");
            sheet.fails("column-in-use", "55000", detail);
        }
        Some(Some(generated)) if generated.storage != GeneratedStorage::Stored => {
            let detail =
                "DROP EXPRESSION is not supported for virtual generated columns".to_owned();
            sheet.fails("column-in-use", "0A000", detail);
        }
        Some(None) => {}
        Some(Some(_)) | None => {
            let full = format!("{}.{column}", target.name);
            sheet.breaks("drop-expression", ObjectKind::Column, full, &target.name);
        }
    }
}

/// Values of a fixed length are always stored as they are.
pub(super) fn needs_variable_length(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &str) {
    let data_type = column_of(sheet, target, column).and_then(|found| found.data_type.as_ref());
    if let Some(data_type) = data_type.filter(|t| types::is_fixed_length(sheet.schema, t)) {
        let detail = format!("column data type {} can only have storage PLAIN", data_type.name);
        sheet.fails("type-mismatch", "0A000", detail);
    }
}

/// Values that are never moved out of their row are not compressed.
pub(super) fn needs_toast(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &str) {
    let data_type = column_of(sheet, target, column).and_then(|found| found.data_type.as_ref());
    if let Some(data_type) = data_type.filter(|t| types::is_fixed_length(sheet.schema, t)) {
        let detail = format!("column data type {} does not support compression", data_type.name);
        sheet.fails("type-mismatch", "0A000", detail);
    }
}

fn column_of<'s>(sheet: &Sheet<'s>, target: &Target<'_>, column: &str) -> Option<&'s Column> {
    sheet.table(&target.name).and_then(|table| table.column(column))
}

/// Identities of partitions are those of the partitioned table (PostgreSQL 17 and later).
fn identity_is_above(sheet: &mut Sheet<'_>, target: &Target<'_>) -> bool {
    let Some(table) = sheet.table(&target.name).filter(|_| sheet.since(17)) else { return false };
    let detail = if table.partition_of.is_some() {
        "cannot change the identity of a column of a partition"
    } else if table.is_partitioned() && target.only {
        "cannot change the identity of a column of only the partitioned table"
    } else {
        return false;
    };
    sheet.fails("identity-misuse", "42P16", detail.to_owned());
    true
}

/// Effects of ADD GENERATED AS IDENTITY.
pub(super) fn add_identity(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &str) {
    if identity_is_above(sheet, target) || !check_there(sheet, target, column) {
        return;
    }
    if let Some(found) = column_of(sheet, target, column) {
        if found.identity.is_some() {
            let detail = format!("column \"{column}\" is already an identity column");
            sheet.fails("identity-misuse", "55000", detail);
            return;
        }
        let has_default = found.default.is_some() || found.auto_increment;
        if has_default && !target.beside.dropped_defaults.contains(&column) {
            let detail = format!("column \"{column}\" already has a default value");
            sheet.fails("identity-misuse", "55000", detail);
            return;
        }
        if !found.not_null {
            let detail = format!("column \"{column}\" must be declared NOT NULL first");
            sheet.fails("identity-misuse", "55000", detail);
            return;
        }
        let data_type = found.data_type.as_ref();
        if data_type.is_some_and(|t| !types::may_be_identity(sheet.schema, t)) {
            let detail = "identity column type must be smallint, integer, or bigint".to_owned();
            sheet.fails("identity-misuse", "22023", detail);
            return;
        }
    }
    let full = format!("{}.{column}", target.name);
    sheet.breaks("identity", ObjectKind::Column, full, &target.name);
}

/// Effects of SET GENERATED, RESTART and other options of an identity column.
pub(super) fn set_identity(sheet: &mut Sheet<'_>, target: &Target<'_>, column: &str) {
    if identity_is_above(sheet, target) || !check_there(sheet, target, column) {
        return;
    }
    if let Some(found) = column_of(sheet, target, column)
        && found.identity.is_none()
    {
        let detail = format!("column \"{column}\" is not an identity column");
        sheet.fails("identity-misuse", "55000", detail);
        return;
    }
    let owned = sheet.schema.owned_sequences(&target.name, Some(column));
    for sequence in owned {
        sheet.lock(&sequence.name, ShareRowExclusive, "alter-sequence");
    }
    let full = format!("{}.{column}", target.name);
    sheet.breaks("identity", ObjectKind::Column, full, &target.name);
}

/// Effects of DROP IDENTITY: its sequence goes.
pub(super) fn drop_identity(
    sheet: &mut Sheet<'_>,
    target: &Target<'_>,
    column: &str,
    if_exists: bool,
) {
    if identity_is_above(sheet, target) || !check_there(sheet, target, column) {
        return;
    }
    if let Some(found) = column_of(sheet, target, column)
        && found.identity.is_none()
    {
        if !if_exists {
            let detail = format!("column \"{column}\" is not an identity column");
            sheet.fails("identity-misuse", "55000", detail);
        }
        return;
    }
    for sequence in sheet.schema.owned_sequences(&target.name, Some(column)) {
        sheet.lock(&sequence.name, AccessExclusive, "drop-identity");
        sheet.lose(ObjectKind::Sequence, &sequence.name.to_string(), false, true);
    }
    let full = format!("{}.{column}", target.name);
    sheet.breaks("drop-identity", ObjectKind::Column, full, &target.name);
}

/// Says whether the trigger named, or any of the table, fires for each row; `keys` counts those
/// of foreign keys too.
pub(super) fn fires_for_rows(
    sheet: &Sheet<'_>,
    table: &Name,
    name: Option<&Ident>,
    keys: bool,
) -> bool {
    let Some(table) = sheet.table(table) else { return true };
    // Copies on partitions are the server's own triggers in PostgreSQL 12.
    let own = |trigger: &Trigger| sheet.since(13) || !trigger.inherited || keys;
    let named = |trigger: &&Trigger| name.map_or(own(trigger), |name| trigger.name == name.value);
    table.triggers.iter().filter(named).any(|trigger| trigger.for_each_row)
        || (keys
            && sheet.since(15)
            && (table.constraints.iter().any(|c| c.parent().is_some())
                || !sheet.schema.foreign_keys_to(&table.name).is_empty()))
}

/// Effects of the actions that concern the table as a whole.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others only change catalogs")]
pub(super) fn table_wide(sheet: &mut Sheet<'_>, target: &Target<'_>, action: &PgAction) {
    let name = &target.name;
    let table = sheet.table(name);
    match action {
        PgAction::SetLogged => set_persistence(sheet, target, true),
        PgAction::SetUnlogged => set_persistence(sheet, target, false),
        PgAction::SetTablespace(to) => {
            set_tablespace(sheet, name, to);
        }
        PgAction::SetAccessMethod(method) => set_access_method(sheet, target, method),
        PgAction::Trigger { state, name: trigger, .. } => {
            if !target.only && table_refused::user_triggers_refused(sheet, name, action) {
                return;
            }
            trigger_state(sheet, name, *state, trigger.as_ref());
        }
        PgAction::Rule { name: rule, .. } => {
            let known = |table: &Relation| table.rules.iter().any(|own| own.name == rule.value);
            if table.is_some_and(|table| table.complete && !known(table)) {
                let detail = format!("rule \"{rule}\" for relation \"{name}\" does not exist");
                sheet.fails("missing-object", "42704", detail);
                return;
            }
            sheet.breaks("disable-rule", ObjectKind::Rule, name.to_string(), name);
        }
        PgAction::RowSecurity(_) => {
            sheet.breaks("row-security", ObjectKind::Table, name.to_string(), name);
        }
        PgAction::ReplicaIdentity(identity) => {
            if let ReplicaIdentity::Index(index) = identity
                && table_refused::identity_refused(sheet, name, index.as_str())
            {
                return;
            }
            sheet.breaks("replica-identity", ObjectKind::Table, name.to_string(), name);
        }
        PgAction::OwnerTo(role) => {
            there::roles(sheet, std::slice::from_ref(role));
            // A table that is given to its owner is left as it is.
            let gives = !table.is_some_and(|table| is_owner(table, role));
            for sequence in sheet.schema.owned_sequences(name, None).into_iter().filter(|_| gives) {
                sheet.lock(&sequence.name, AccessExclusive, "owner");
            }
            sheet.breaks("owner", ObjectKind::Table, name.to_string(), name);
        }
        PgAction::SetSchema(to) => set_schema(sheet, target, to),
        PgAction::Inherit(parent) => inherit(sheet, target, parent),
        PgAction::NoInherit(_) if table.is_some_and(|table| table.partition_of.is_some()) => {
            let detail = "cannot change inheritance of a partition".to_owned();
            sheet.fails("wrong-object-kind", "42809", detail);
        }
        PgAction::NoInherit(parent) => {
            no_inherit(sheet, name, parent);
        }
        PgAction::ClusterOn(index) => {
            table_refused::cluster_refused(sheet, name, Some(index.as_str()));
        }
        PgAction::SetWithoutCluster => {
            table_refused::cluster_refused(sheet, name, None);
        }
        PgAction::NotOf if table.is_some_and(|table| table.complete && table.of_type.is_none()) => {
            let detail = format!("\"{name}\" is not a typed table");
            sheet.fails("wrong-object-kind", "42809", detail);
        }
        PgAction::Of(of) => table_refused::of_type(sheet, name, of),
        PgAction::SetOptions(options) => storage_options(sheet, target, options),
        _ => {}
    }
}

/// Says whether a role owns a table (PostgreSQL 12 to 18, ATExecChangeOwner). What a migration
/// makes is owned by who runs it: `postgres`, the first role of a server, unless a statement says
/// more.
fn is_owner(table: &Relation, role: &str) -> bool {
    let runs = matches!(role, "current_user" | "session_user" | "current_role" | "postgres");
    let made = matches!(table.origin, Origin::Migration(_));
    table.owner.as_deref().map_or(runs && made, |owner| owner == role)
}

fn trigger_state(sheet: &mut Sheet<'_>, name: &Name, state: TriggerState, trigger: Option<&Ident>) {
    let how = match state {
        TriggerState::Disable => "disable-trigger",
        TriggerState::Enable | TriggerState::EnableReplica | TriggerState::EnableAlways => {
            "enable-trigger"
        }
    };
    let trigger = trigger.map_or("*", Ident::as_str);
    if let Some(table) = sheet.table(name)
        && table.complete
        && trigger != "*"
        && !table.triggers.iter().any(|known| known.name == trigger)
    {
        let detail = format!("trigger \"{trigger}\" for table \"{name}\" does not exist");
        sheet.fails("missing-object", "42704", detail);
        return;
    }
    sheet.breaks(how, ObjectKind::Trigger, format!("{name}.{trigger}"), name);
}

/// Effects of NO INHERIT.
fn no_inherit(sheet: &mut Sheet<'_>, name: &Name, parent: &crate::sql::ObjectName) {
    let table = sheet.table(name);
    let Some(parent) = sheet.existing(parent, false) else { return };
    if table.is_some_and(|table| table.complete && !table.inherits.contains(&parent)) {
        let detail = format!("\"{parent}\" is not a parent of relation \"{name}\"");
        sheet.fails("missing-object", "42P01", detail);
        return;
    }
    sheet.lock(&parent, AccessShare, "no-inherit");
    sheet.breaks("detach-inheritance", ObjectKind::Table, name.to_string(), name);
}

/// Effects of SET TABLESPACE: the table is copied, and its indexes stay where they are.
fn set_tablespace(sheet: &mut Sheet<'_>, name: &Name, to: &str) {
    let table = sheet.table(name);
    let now = table.and_then(|table| table.tablespace.as_deref()).unwrap_or("pg_default");
    if !matches!(to, "pg_default" | "pg_global") {
        // Tablespaces belong to the whole server, and no migration tells of them.
        let detail = format!("tablespace \"{to}\" may be missing");
        sheet.may_fail("missing-object", "42704", detail);
    }
    if now != to && table.is_none_or(Relation::has_storage) {
        sheet.rewrite_rows(name, "set-tablespace", source::ALTER_TABLE);
    }
}

/// Effects of SET SCHEMA: owned sequences move with the table.
fn set_schema(sheet: &mut Sheet<'_>, target: &Target<'_>, to: &Ident) {
    let name = &target.name;
    if object::moved_is_refused(sheet, name, to.as_str()) {
        return;
    }
    for sequence in sheet.schema.owned_sequences(name, None) {
        sheet.lock(&sequence.name, AccessExclusive, "set-schema");
    }
    sheet.breaks("set-schema", ObjectKind::Table, name.to_string(), name);
}

fn storage_options(sheet: &mut Sheet<'_>, target: &Target<'_>, options: &[(String, String)]) {
    let partitioned = sheet.table(&target.name).is_some_and(|table| table.partition_by.is_some());
    let invoker = options.iter().any(|(option, _)| option == "security_invoker");
    if invoker && sheet.needs_version(15, "security_invoker") {
        return;
    }
    // Those of the TOAST table are read and forgotten.
    if partitioned && options.iter().any(|(option, _)| !option.contains('.')) {
        // PostgreSQL 12 to 15 say 22023, later versions 42809.
        let code = if sheet.since(16) { "42809" } else { "22023" };
        let detail = "a partitioned table has no storage parameters".to_owned();
        sheet.fails("wrong-object-kind", code, detail);
        return;
    }
    let table = sheet.table(&target.name);
    if table.is_some_and(|table| table.kind == RelationKind::View) {
        reloptions::view_refused(sheet, options);
    }
    let heap = table.is_some_and(|table| table.has_storage() && table.access_method.is_none());
    if heap {
        reloptions::refused(sheet, options);
    }
}

fn inherit(sheet: &mut Sheet<'_>, target: &Target<'_>, parent: &crate::sql::ObjectName) {
    if sheet.table(&target.name).is_some_and(|table| table.partition_of.is_some()) {
        let detail = "cannot change inheritance of a partition".to_owned();
        sheet.fails("wrong-object-kind", "42809", detail);
        return;
    }
    if sheet.table(&target.name).is_some_and(Relation::is_partitioned) {
        let detail = "cannot change inheritance of partitioned table".to_owned();
        sheet.fails("wrong-object-kind", "42809", detail);
        return;
    }
    let Some(parent) = sheet.existing(parent, false) else { return };
    let found = sheet.table(&parent);
    if found.is_some_and(|found| found.is_partitioned() || found.partition_of.is_some()) {
        let detail = format!("cannot inherit from \"{parent}\": it is partitioned, or a partition");
        sheet.fails("wrong-object-kind", "42809", detail);
        return;
    }
    if sheet.family(&target.name, false).contains(&parent) {
        let detail = format!("circular inheritance: \"{parent}\" is below \"{}\"", target.name);
        sheet.fails("duplicate-object", "42P07", detail);
        return;
    }
    sheet.lock(&parent, ShareUpdateExclusive, "inherit");
    let (Some(from), Some(child)) = (sheet.table(&parent), sheet.table(&target.name)) else {
        return;
    };
    if parent == target.name || sheet.family(&target.name, false).contains(&parent) {
        let detail = "circular inheritance not allowed".to_owned();
        sheet.fails("duplicate-object", "42P07", detail);
        return;
    }
    if child.inherits.contains(&parent) {
        let detail = format!("relation \"{parent}\" would be inherited from more than once");
        sheet.fails("duplicate-object", "42P07", detail);
        return;
    }
    if child.complete && from.complete {
        partition::differs_from_parent(sheet, from, child);
    }
}

/// Effects of SET LOGGED and SET UNLOGGED: the table, its indexes and, from PostgreSQL 15 on, the
/// sequences that it owns are written anew.
fn set_persistence(sheet: &mut Sheet<'_>, target: &Target<'_>, logged: bool) {
    use crate::sql::ast::Persistence;
    let name = &target.name;
    let cause = if logged { "set-logged" } else { "set-unlogged" };
    let wanted = if logged { Persistence::Permanent } else { Persistence::Unlogged };
    if let Some(table) = sheet.table(name) {
        if table.persistence == wanted && !(table.is_partitioned() && sheet.since(18)) {
            return;
        }
        if table.persistence == Persistence::Temporary {
            let detail = "cannot change logged status of a temporary table".to_owned();
            sheet.fails("wrong-object-kind", "42P16", detail);
            return;
        }
        if table.is_partitioned() && sheet.since(18) {
            let detail = format!("not possible on the partitioned table \"{name}\"");
            sheet.fails("wrong-object-kind", "42809", detail);
            return;
        }
        let referenced = if logged {
            table.constraints.iter().filter_map(|c| c.parent()).any(|parent| {
                *parent != *name
                    && sheet.table(parent).is_some_and(|p| p.persistence == Persistence::Unlogged)
            })
        } else {
            referential::keys_to(sheet, name).iter().any(|(other, _)| {
                other.name != *name && other.persistence == Persistence::Permanent
            })
        };
        if referenced {
            let detail = "a logged table references an unlogged one".to_owned();
            sheet.fails("foreign-key-references", "42P16", detail);
            return;
        }
        if table.is_partitioned() {
            return;
        }
    }
    sheet.rewrite(name, cause, source::ALTER_TABLE);
    if sheet.since(15) {
        for sequence in sheet.schema.owned_sequences(name, None) {
            sheet.lock(&sequence.name, AccessExclusive, cause);
        }
    }
}

/// Effects of SET ACCESS METHOD (PostgreSQL 15).
fn set_access_method(sheet: &mut Sheet<'_>, target: &Target<'_>, method: &str) {
    if sheet.needs_version(15, "SET ACCESS METHOD") {
        return;
    }
    if method == "default" && sheet.needs_version(17, "SET ACCESS METHOD DEFAULT") {
        return;
    }
    let table = sheet.table(&target.name);
    let partitioned = table.is_some_and(|table| table.partition_by.is_some());
    if partitioned && !sheet.since(17) {
        let detail = "cannot change access method of a partitioned table".to_owned();
        sheet.fails("wrong-object-kind", "42809", detail);
        return;
    }
    let key = (ObjectKind::AccessMethod.as_str(), Name::new("", method));
    let unknown = !matches!(method, "heap" | "default") && !sheet.schema.others.contains_key(&key);
    // An extension may have brought one.
    if unknown && sheet.schema.complete && sheet.schema.extensions.is_empty() {
        let detail = format!("access method \"{method}\" does not exist");
        sheet.fails("missing-object", "42704", detail);
        return;
    }
    if partitioned {
        return;
    }
    let now = table.and_then(|table| table.access_method.as_deref()).unwrap_or("heap");
    let wanted = if method == "default" { "heap" } else { method };
    if now != wanted {
        sheet.rewrite(&target.name, "set-access-method", source::ALTER_TABLE);
    }
}

fn names(check: &crate::sql::ast::Expr, column: &str) -> bool {
    check.columns.iter().any(|named| named == column)
}
