//! Statements that look alike for every kind of object, and those of lesser objects: RENAME, SET
//! SCHEMA, OWNER, COMMENT, GRANT, sequences, routines, triggers, rules, policies, publications.

use super::dml;
use super::settings;
use super::sheet::Sheet;
use crate::effect::LockMode::{
    self, AccessExclusive, AccessShare, ShareRowExclusive, ShareUpdateExclusive,
};
use crate::schema::{Name, RelationKind};
use crate::sql::ObjectName;
use crate::sql::ast::{
    AlterRoutine, Comment, CreateRoutine, CreateRule, CreateTrigger, DoBlock, Expr, Extension,
    Grant, ObjectKind, Other, OwnerTo, Policy, Publication, Rename, Sequence, SetSchema, Statement,
    StatementKind, Statistics,
};

/// Effects of `ALTER … RENAME TO` of what is no table.
#[expect(clippy::wildcard_enum_match_arm, reason = "other kinds touch no relation")]
pub(super) fn rename(sheet: &mut Sheet<'_>, rename: &Rename) {
    for (from, to) in &rename.pairs {
        match rename.object {
            ObjectKind::Table
            | ObjectKind::ForeignTable
            | ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::Sequence => {
                let Some(name) = sheet.existing(from, rename.if_exists) else { continue };
                sheet.lock(&name, AccessExclusive, "rename-table");
                rename_relation(sheet, &name, to.name());
            }
            ObjectKind::Index => {
                let full = sheet.schema.resolve_index(from);
                sheet.lock_index(&full, ShareUpdateExclusive, "alter-index");
            }
            ObjectKind::Trigger | ObjectKind::Rule | ObjectKind::Policy => {
                rename_part(sheet, rename, from.name());
            }
            ObjectKind::Schema => {
                let full = Name::new(from.name(), "");
                let name = from.to_string();
                sheet.breaks("rename-schema", ObjectKind::Schema, name, &full);
            }
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
                let full = sheet.schema.new_name(from);
                let name = full.to_string();
                sheet.breaks("rename-function", ObjectKind::Function, name, &full);
            }
            ObjectKind::Database => {
                sheet.breaks("rename-object", rename.object, from.to_string(), &Name::new("", ""));
            }
            other => {
                let full = sheet.schema.new_name(from);
                sheet.breaks("rename-object", other, full.to_string(), &full);
            }
        }
    }
}

/// Notes what renaming a relation breaks, and a name that is taken.
pub(super) fn rename_relation(sheet: &mut Sheet<'_>, name: &Name, to: &str) {
    let new = Name::new(name.schema.clone(), to);
    if sheet.schema.is_taken(&new) {
        let detail = format!("relation \"{to}\" exists already");
        sheet.fails("duplicate-object", "42P07", detail);
        return;
    }
    let (how, object) = match sheet.table(name).map(|found| found.kind) {
        Some(RelationKind::View) => ("rename-view", ObjectKind::View),
        Some(RelationKind::MaterializedView) => ("rename-view", ObjectKind::MaterializedView),
        Some(RelationKind::Sequence) => ("rename-sequence", ObjectKind::Sequence),
        Some(RelationKind::Table | RelationKind::Foreign) | None => {
            ("rename-table", ObjectKind::Table)
        }
    };
    sheet.breaks(how, object, name.to_string(), name);
}

fn rename_part(sheet: &mut Sheet<'_>, rename: &Rename, name: &str) {
    let Some(table) = rename.on.as_ref().and_then(|on| sheet.existing(on, rename.if_exists)) else {
        return;
    };
    let cause = if rename.object == ObjectKind::Trigger { "alter-trigger" } else { "rename" };
    sheet.lock(&table, AccessExclusive, cause);
    // PostgreSQL 15 and later rename the copies of the partitions with it.
    let rows = settings::fires_for_rows(sheet, &table, None);
    let partitioned = sheet.table(&table).is_some_and(|found| found.partition_by.is_some());
    if rename.object == ObjectKind::Trigger && sheet.since(15) && partitioned && rows {
        for child in sheet.family(&table, false).into_iter().skip(1) {
            sheet.lock(&child, AccessExclusive, cause);
        }
    }
    sheet.breaks("rename-object", rename.object, format!("{table}.{name}"), &table);
}

/// Effects of `ALTER … SET SCHEMA` of what is no table.
#[expect(clippy::wildcard_enum_match_arm, reason = "other kinds touch no relation")]
pub(super) fn set_schema(sheet: &mut Sheet<'_>, set: &SetSchema) {
    let name = match set.object {
        ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Sequence => {
            let Some(name) = sheet.existing(&set.name, set.if_exists) else { return };
            if sheet.table(&name).is_some_and(|sequence| sequence.owned_by.is_some()) {
                let detail = "cannot move an owned sequence into another schema".to_owned();
                sheet.fails("column-in-use", "0A000", detail);
                return;
            }
            sheet.lock(&name, AccessExclusive, "set-schema");
            name
        }
        _ => sheet.schema.new_name(&set.name),
    };
    sheet.breaks("set-schema", set.object, name.to_string(), &name);
}

/// Effects of `ALTER … OWNER TO` of what is no table.
#[expect(clippy::wildcard_enum_match_arm, reason = "other kinds touch no relation")]
pub(super) fn owner_to(sheet: &mut Sheet<'_>, owner: &OwnerTo) {
    let name = match owner.object {
        ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Sequence => {
            let Some(name) = sheet.existing(&owner.name, false) else { return };
            if sheet.table(&name).is_some_and(|sequence| sequence.owned_by.is_some()) {
                let detail = "cannot change owner of a sequence that a table owns".to_owned();
                sheet.fails("column-in-use", "0A000", detail);
                return;
            }
            sheet.lock(&name, AccessExclusive, "owner");
            name
        }
        _ => sheet.schema.new_name(&owner.name),
    };
    sheet.breaks("owner", owner.object, name.to_string(), &name);
}

/// Effects of COMMENT ON.
#[expect(clippy::wildcard_enum_match_arm, reason = "other kinds touch no relation")]
pub(super) fn comment(sheet: &mut Sheet<'_>, comment: &Comment) {
    match comment.object {
        ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Sequence => {
            if let Some(name) = sheet.existing(&comment.name, false) {
                sheet.lock(&name, ShareUpdateExclusive, "comment");
            }
        }
        ObjectKind::Column => {
            let table = comment.name.parts.split_last().map(|(_, table)| table.to_vec());
            let table = ObjectName { parts: table.unwrap_or_default() };
            if let Some(name) = sheet.existing(&table, false) {
                sheet.lock(&name, ShareUpdateExclusive, "comment");
            }
        }
        ObjectKind::Index => {
            let full = sheet.schema.resolve_index(&comment.name);
            sheet.lock_index(&full, ShareUpdateExclusive, "comment");
        }
        ObjectKind::Constraint | ObjectKind::Trigger | ObjectKind::Rule | ObjectKind::Policy => {
            if let Some(on) = &comment.on
                && let Some(name) = sheet.existing(on, false)
            {
                sheet.lock(&name, AccessShare, "comment");
            }
        }
        _ => {}
    }
}

/// Effects of GRANT and REVOKE: no relation is locked before PostgreSQL 18.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are alike here")]
pub(super) fn grant(sheet: &mut Sheet<'_>, grant: &Grant) {
    let relations = matches!(
        grant.object,
        ObjectKind::Table | ObjectKind::Sequence | ObjectKind::View | ObjectKind::ForeignTable
    );
    if grant.revoke {
        let name = grant.names.first().map_or_else(String::new, ObjectName::to_string);
        let table =
            grant.names.first().map_or_else(|| Name::new("", ""), |n| sheet.schema.resolve(n));
        sheet.breaks("revoke", grant.object, name, &table);
    }
    if !relations || !sheet.since(18) {
        return;
    }
    for name in &grant.names {
        if let Some(name) = sheet.existing(name, false) {
            sheet.lock(&name, AccessShare, "grant");
        }
    }
    let wanted = |kind: RelationKind| match grant.object {
        ObjectKind::Sequence => kind == RelationKind::Sequence,
        _ => kind != RelationKind::Sequence,
    };
    for schema in &grant.all_in_schema {
        let names: Vec<Name> = sheet
            .schema
            .relations
            .values()
            .filter(|found| found.name.schema == schema.value && wanted(found.kind))
            .map(|found| found.name.clone())
            .collect();
        for name in names {
            sheet.lock(&name, AccessShare, "grant");
        }
    }
}

/// Effects of CREATE SEQUENCE.
pub(super) fn create_sequence(sheet: &mut Sheet<'_>, create: &Sequence) {
    if create.persistence == crate::sql::ast::Persistence::Unlogged
        && sheet.needs_version(15, "CREATE UNLOGGED SEQUENCE")
    {
        return;
    }
    let name = sheet.schema.new_name(&create.name);
    if sheet.schema.is_taken(&name) {
        if !create.if_exists {
            let detail = format!("relation \"{}\" exists already", create.name);
            sheet.fails("duplicate-object", "42P07", detail);
        }
        return;
    }
    owned_by(sheet, create);
}

fn owned_by(sheet: &mut Sheet<'_>, sequence: &Sequence) {
    let path = sequence.owned_by.as_deref().and_then(<[_]>::split_last);
    if let Some((_, table)) = path
        && !table.is_empty()
    {
        let table = ObjectName { parts: table.to_vec() };
        if let Some(table) = sheet.existing(&table, false) {
            sheet.lock(&table, AccessShare, "alter-sequence");
        }
    }
}

/// Effects of ALTER SEQUENCE: nextval(), and so every INSERT with that default, waits.
pub(super) fn alter_sequence(sheet: &mut Sheet<'_>, alter: &Sequence) {
    let Some(name) = sheet.existing(&alter.name, alter.if_exists) else { return };
    let persistence =
        alter.options.iter().any(|o| matches!(o.as_str(), "set logged" | "set unlogged"));
    if persistence && sheet.needs_version(15, "ALTER SEQUENCE … SET LOGGED") {
        return;
    }
    let mode = if persistence { AccessExclusive } else { ShareRowExclusive };
    sheet.lock(&name, mode, "alter-sequence");
    owned_by(sheet, alter);
    // OWNED BY alone changes no numbers.
    if alter.options.iter().any(|option| !option.starts_with("owned by")) {
        sheet.breaks("alter-sequence", ObjectKind::Sequence, name.to_string(), &name);
    }
}

/// Effects of CREATE FUNCTION: an SQL body is checked, which locks what it uses.
pub(super) fn create_routine(sheet: &mut Sheet<'_>, create: &CreateRoutine) {
    if create.parsed_body && sheet.needs_version(14, "a RETURN or BEGIN ATOMIC body") {
        return;
    }
    let name = sheet.schema.new_name(&create.name);
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
        for statement in &create.statements {
            body_locks(sheet, statement);
        }
    }
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
        dml::stored_locks(sheet, dml, "create-routine");
    }
}

/// Effects of ALTER FUNCTION.
pub(super) fn alter_routine(sheet: &mut Sheet<'_>, alter: &AlterRoutine) {
    let name = sheet.schema.new_name(&alter.name);
    let how = if alter.volatility.is_some() { "function-volatility" } else { "object-options" };
    sheet.breaks(how, ObjectKind::Function, name.to_string(), &name);
}

/// Effects of CREATE TRIGGER: writers wait.
pub(super) fn create_trigger(sheet: &mut Sheet<'_>, create: &CreateTrigger) {
    if create.or_replace && sheet.needs_version(14, "CREATE OR REPLACE TRIGGER") {
        return;
    }
    let Some(table) = sheet.existing(&create.table, false) else { return };
    let name = create.name.name();
    let found = sheet.table(&table);
    let there = found.is_some_and(|found| found.triggers.iter().any(|t| t.name == name));
    if there && !create.or_replace {
        let detail = format!("trigger \"{name}\" for relation \"{table}\" exists already");
        sheet.fails("duplicate-object", "42710", detail);
        return;
    }
    if let (Some(function), true) = (&create.function, sheet.schema.complete)
        && sheet.schema.find_routines(function).is_none()
    {
        let detail = format!("function {function}() does not exist");
        sheet.may_fail("missing-object", "42883", detail);
    }
    if let Some(found) = found {
        let view = found.kind == RelationKind::View;
        let wrong = match create.timing.as_str() {
            "instead of" => !view,
            _ => view && create.for_each_row,
        };
        if wrong && found.origin != crate::schema::Origin::Assumed {
            let detail = format!("such a trigger is not possible on \"{table}\"");
            sheet.fails("wrong-object-kind", "42809", detail);
            return;
        }
        let missing = create
            .columns
            .iter()
            .find(|column| found.complete && found.column(column.as_str()).is_none());
        if let Some(missing) = missing {
            let detail = format!("column \"{missing}\" of relation \"{table}\" does not exist");
            sheet.fails("missing-column", "42703", detail);
            return;
        }
    }
    sheet.lock(&table, ShareRowExclusive, "create-trigger");
    if let Some(from) = &create.from
        && let Some(from) = sheet.existing(from, false)
    {
        sheet.lock(&from, AccessShare, "create-trigger");
    }
    if create.for_each_row && found.is_some_and(|found| found.partition_by.is_some()) {
        for child in sheet.family(&table, false).into_iter().skip(1) {
            sheet.lock(&child, ShareRowExclusive, "create-trigger");
        }
    }
    let how = if there { "replace-trigger" } else { "new-trigger" };
    sheet.breaks(how, ObjectKind::Trigger, format!("{table}.{name}"), &table);
}

/// Effects of CREATE RULE.
pub(super) fn create_rule(sheet: &mut Sheet<'_>, create: &CreateRule) {
    let Some(table) = sheet.existing(&create.table, false) else { return };
    let name = create.name.as_str();
    let there =
        sheet.table(&table).is_some_and(|found| found.rules.iter().any(|rule| rule.name == name));
    if there && !create.or_replace {
        let detail = format!("rule \"{name}\" for relation \"{table}\" exists already");
        sheet.fails("duplicate-object", "42710", detail);
        return;
    }
    sheet.lock(&table, AccessExclusive, "create-rule");
    for command in &create.statements {
        rule_locks(sheet, command);
    }
    sheet.breaks("replace-rule", ObjectKind::Rule, format!("{table}.{name}"), &table);
}

/// The commands of a rule are analysed when it is made, OLD and NEW aside.
fn rule_locks(sheet: &mut Sheet<'_>, command: &Statement) {
    if let StatementKind::Dml(dml) = &command.kind {
        let mut dml = dml.clone();
        dml.query.reads.retain(|read| !matches!(read.name(), "old" | "new"));
        dml::stored_locks(sheet, &dml, "create-rule");
    }
}

/// Effects of CREATE POLICY and ALTER POLICY.
pub(super) fn policy(sheet: &mut Sheet<'_>, policy: &Policy) {
    let Some(table) = sheet.existing(&policy.table, false) else { return };
    let name = policy.name.as_str();
    if let Some(found) = sheet.table(&table) {
        let there = found.policies.iter().any(|known| known.name == name);
        if there && !policy.alter {
            let detail = format!("policy \"{name}\" for table \"{table}\" exists already");
            sheet.fails("duplicate-object", "42710", detail);
            return;
        }
        if !there && policy.alter && found.complete {
            let detail = format!("policy \"{name}\" for table \"{table}\" does not exist");
            sheet.fails("missing-object", "42704", detail);
            return;
        }
    }
    sheet.lock(&table, AccessExclusive, "create-policy");
    for expr in policy.using.iter().chain(&policy.with_check) {
        subquery_locks(sheet, expr, &table, "create-policy");
    }
    sheet.breaks("policy", ObjectKind::Policy, format!("{table}.{name}"), &table);
}

fn subquery_locks(sheet: &mut Sheet<'_>, expr: &Expr, table: &Name, cause: &'static str) {
    for read in sheet.schema.relations_named(expr) {
        if read != *table {
            sheet.lock(&read, AccessShare, cause);
        }
    }
}

/// Effects of CREATE EXTENSION and ALTER EXTENSION.
pub(super) fn extension(sheet: &mut Sheet<'_>, extension: &Extension) {
    let name = extension.name.as_str();
    let there = sheet.schema.extensions.contains_key(name);
    if !extension.alter && there && !extension.if_not_exists {
        let detail = format!("extension \"{name}\" exists already");
        sheet.fails("duplicate-object", "42710", detail);
    }
    if extension.alter && extension.action.as_deref() == Some("update") {
        let full = Name::new("", name);
        sheet.breaks("extension-update", ObjectKind::Extension, name.to_owned(), &full);
    }
}

/// Effects of CREATE PUBLICATION and ALTER PUBLICATION.
pub(super) fn publication(sheet: &mut Sheet<'_>, publication: &Publication) {
    let name = publication.name.as_str();
    let there = sheet.schema.publications.contains_key(name);
    if !publication.alter && there {
        let detail = format!("publication \"{name}\" exists already");
        sheet.fails("duplicate-object", "42710", detail);
        return;
    }
    if (!publication.schemas.is_empty() && sheet.needs_version(15, "TABLES IN SCHEMA"))
        || (!publication.columns.is_empty() && sheet.needs_version(15, "columns of a publication"))
    {
        return;
    }
    let mut tables: Vec<Name> = Vec::new();
    for table in &publication.tables {
        let Some(table) = sheet.existing(table, false) else { return };
        tables.push(table);
    }
    for table in &tables {
        sheet.lock(table, ShareUpdateExclusive, "create-publication");
    }
    let set = publication.action.as_deref() == Some("set");
    if let (Some(old), true) = (sheet.schema.publications.get(name), set && !tables.is_empty()) {
        for table in old.tables.clone() {
            sheet.lock(&table, ShareUpdateExclusive, "create-publication");
        }
    }
    if publication.alter {
        let full = Name::new("", name);
        sheet.breaks("publication", ObjectKind::Publication, name.to_owned(), &full);
    }
}

/// Effects of CREATE STATISTICS and ALTER STATISTICS.
pub(super) fn statistics(sheet: &mut Sheet<'_>, statistics: &Statistics) {
    if statistics.alter {
        sheet.needs_version(13, "ALTER STATISTICS … SET STATISTICS");
        return;
    }
    if let Some(name) = &statistics.name {
        let full = sheet.schema.new_name(name);
        let there = sheet
            .schema
            .relations
            .values()
            .any(|table| table.statistics.iter().any(|(name, _)| *name == full));
        if there && statistics.if_exists {
            if let Some(table) = &statistics.table
                && let Some(table) = sheet.existing(table, false)
            {
                sheet.lock(&table, ShareUpdateExclusive, "create-statistics");
            }
            return;
        }
    }
    if let Some(table) = &statistics.table
        && let Some(table) = sheet.existing(table, false)
    {
        sheet.lock(&table, ShareUpdateExclusive, "create-statistics");
    }
}

/// EXPLAIN without ANALYZE plans the statement, which locks as much as running it would.
#[expect(clippy::wildcard_enum_match_arm, reason = "other statements are not planned")]
pub(super) fn explain(sheet: &mut Sheet<'_>, statement: &Statement) {
    match &statement.kind {
        StatementKind::Dml(dml) => dml::dml(sheet, dml, dml::Use::Planned),
        StatementKind::CreateTable(create) => {
            if let Some(query) = &create.query {
                dml::reads(sheet, query, "select", dml::Use::Planned);
            }
        }
        _ => {}
    }
}

/// Effects of DO: those of its plain statements; what it makes up at run time is not known.
pub(super) fn block(sheet: &mut Sheet<'_>, block: &DoBlock) {
    for statement in &block.statements {
        sheet.at(statement.span);
        super::statement_effects(sheet, statement);
    }
    if block.dynamic {
        sheet.unknown("the block runs statements made up at run time");
    }
}

/// Effects of statements recognised by their first words.
pub(super) fn other(sheet: &mut Sheet<'_>, other: &Other) {
    let has = |word: &str| other.options.iter().any(|option| option == word);
    match other.what {
        "create-database" => sheet.refuses_transaction("CREATE DATABASE"),
        "create-tablespace" => {
            sheet.refuses_transaction("CREATE TABLESPACE");
            let detail = "the directory may be missing or not the server's own".to_owned();
            sheet.may_fail("privilege", "58P01", detail);
        }
        "alter-system" => sheet.refuses_transaction("ALTER SYSTEM"),
        "discard-all" => sheet.refuses_transaction("DISCARD ALL"),
        "alter-database" if has("set tablespace") => {
            sheet.refuses_transaction("ALTER DATABASE SET TABLESPACE");
        }
        "create-subscription" if !(has("create_slot=false") || has("connect=false")) => {
            sheet.refuses_transaction("CREATE SUBSCRIPTION with a replication slot");
        }
        "reassign-owned" => reassign(sheet, other),
        "drop-owned" => {}
        _ => {}
    }
}

/// REASSIGN OWNED locks what the role is known to own.
fn reassign(sheet: &mut Sheet<'_>, other: &Other) {
    let owned: Vec<Name> = sheet
        .schema
        .relations
        .values()
        .filter(|found| found.owner.as_ref().is_some_and(|owner| other.options.contains(owner)))
        .map(|found| found.name.clone())
        .collect();
    for name in owned {
        sheet.lock(&name, AccessExclusive, "owner");
    }
}

/// Returns the lock mode of that name.
pub(super) fn mode_named(name: &str) -> LockMode {
    match name {
        "ACCESS SHARE" => LockMode::AccessShare,
        "ROW SHARE" => LockMode::RowShare,
        "ROW EXCLUSIVE" => LockMode::RowExclusive,
        "SHARE UPDATE EXCLUSIVE" => LockMode::ShareUpdateExclusive,
        "SHARE" => LockMode::Share,
        "SHARE ROW EXCLUSIVE" => LockMode::ShareRowExclusive,
        "EXCLUSIVE" => LockMode::Exclusive,
        _ => LockMode::AccessExclusive,
    }
}
