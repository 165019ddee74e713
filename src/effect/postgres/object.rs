//! Statements that look alike for every kind of object, and those of lesser objects: RENAME, SET
//! SCHEMA, OWNER, COMMENT, GRANT, sequences, routines, publications.
//!
//! PostgreSQL 12 to 18: CommentObject (comment.c), ExecGrant_Relation (aclchk.c), AlterSequence
//! (sequence.c), check_publication_add_relation (pg_publication.c), CreateStatistics (statscmds.c);
//! the manual's page of each; measured, testdata/servers/postgres.

use super::missing::{self, Named};
use super::permits::is_of_other_kind;
use super::sheet::Sheet;
use super::{dml, drop, partition, there, trigger};
use crate::effect::LockMode::{
    self, AccessExclusive, AccessShare, ShareRowExclusive, ShareUpdateExclusive,
};
use crate::schema::{Name, Origin, RelationKind, Routine, TypeBody};
use crate::sql::ObjectName;
use crate::sql::ast::{
    Comment, CreateSchema, DoBlock, Extension, ObjectKind, OwnerTo, Persistence, Publication,
    Rename, Sequence, SetSchema, Statement, StatementKind,
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
                if is_of_other_kind(sheet, rename.object, &name) {
                    continue;
                }
                sheet.lock(&name, AccessExclusive, "rename-table");
                rename_relation(sheet, &name, to.name());
            }
            ObjectKind::Index => {
                if !missing::lacks(sheet, of_rename(rename, from)) {
                    let full = sheet.schema.resolve_index(from);
                    sheet.lock_index(&full, ShareUpdateExclusive, "alter-index");
                }
            }
            ObjectKind::Trigger | ObjectKind::Rule | ObjectKind::Policy => {
                trigger::rename(sheet, rename, from.name());
            }
            ObjectKind::Schema => {
                if there::lacks_schema(sheet, from.name())
                    || there::is_reserved_schema(sheet, to.name())
                {
                    continue;
                }
                if sheet.schema.schemas.contains_key(to.name()) || to.name() == "public" {
                    let detail = format!("schema \"{to}\" exists already");
                    sheet.fails("duplicate-object", "42P06", detail);
                    continue;
                }
                let full = Name::new(from.name(), "");
                let name = from.to_string();
                sheet.breaks("rename-schema", ObjectKind::Schema, name, &full);
            }
            _ if missing::lacks(sheet, of_rename(rename, from)) => {}
            _ if new_name_is_taken(sheet, rename, from, to.name()) => {}
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

fn of_rename<'r>(rename: &'r Rename, name: &'r ObjectName) -> Named<'r> {
    let (on, signature) = (rename.on.as_ref(), rename.signature.as_ref());
    Named { kind: rename.object, name, on, signature }
}

/// Notes that a type, a routine or a lesser object has the new name already.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are kept by kind and name alone")]
fn new_name_is_taken(sheet: &mut Sheet<'_>, rename: &Rename, from: &ObjectName, to: &str) -> bool {
    let schema = sheet.schema;
    let (taken, code) = match rename.object {
        ObjectKind::Type | ObjectKind::Domain => {
            let Some(old) = schema.find_type(from) else { return is_row_type(sheet, from) };
            let new = Name::new(old.name.schema.clone(), to);
            (schema.types.contains_key(&new) || schema.relations.contains_key(&new), "42710")
        }
        ObjectKind::Function
        | ObjectKind::Procedure
        | ObjectKind::Routine
        | ObjectKind::Aggregate => {
            let Some((old, all)) = schema.find_routines(from) else { return false };
            let mut meant = all.iter().filter(|own| {
                rename.signature.as_ref().is_none_or(|types| missing::takes(own, types))
            });
            let new = schema.routines.get(&Name::new(old.schema, to));
            let same = |own: &Routine| {
                new.into_iter()
                    .flatten()
                    .any(|other| missing::same_types(&own.arguments, &other.arguments))
            };
            (meant.any(same), "42723")
        }
        ObjectKind::Publication => (schema.publications.contains_key(to), "42710"),
        kind => {
            let old = schema.find_other(kind, from);
            let home = old.map_or_else(String::new, |(old, _)| old.schema);
            (missing::is_taken(schema, kind, &Name::new(home, to)), "42710")
        }
    };
    if taken {
        let detail = format!("{} \"{to}\" already exists", rename.object.as_str());
        sheet.fails("duplicate-object", code, detail);
    }
    taken
}

/// The type of a table's rows is changed with the table alone.
fn is_row_type(sheet: &mut Sheet<'_>, name: &ObjectName) -> bool {
    let rows = sheet.schema.find_type(name).is_none() && sheet.schema.find(name).is_some();
    if rows {
        let detail = format!("{name} is a table's row type");
        sheet.fails("wrong-object-kind", "42809", detail);
    }
    rows
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
            if is_of_other_kind(sheet, set.object, &name)
                || moved_is_refused(sheet, &name, set.schema.as_str())
            {
                return;
            }
            if sheet.table(&name).is_some_and(|sequence| sequence.owned_by.is_some()) {
                let detail = "cannot move an owned sequence into another schema".to_owned();
                sheet.fails("column-in-use", "0A000", detail);
                return;
            }
            sheet.lock(&name, AccessExclusive, "set-schema");
            name
        }
        kind => {
            let (name, signature) = (&set.name, set.signature.as_ref());
            let object = Named { kind, name, on: None, signature };
            let types = matches!(kind, ObjectKind::Type | ObjectKind::Domain);
            if missing::lacks(sheet, object)
                || (types && is_row_type(sheet, name))
                || there::lacks_schema(sheet, set.schema.as_str())
                || type_moves_to_taken(sheet, set)
            {
                return;
            }
            sheet.schema.new_name(name)
        }
    };
    sheet.breaks("set-schema", set.object, name.to_string(), &name);
}

/// Notes that the schema to which a type is moved has one of its name.
fn type_moves_to_taken(sheet: &mut Sheet<'_>, set: &SetSchema) -> bool {
    let new = Name::new(set.schema.as_str(), set.name.name());
    let old = sheet.schema.find_type(&set.name).map(|found| &found.name);
    let types = matches!(set.object, ObjectKind::Type | ObjectKind::Domain);
    let taken = types && old != Some(&new) && sheet.schema.types.contains_key(&new);
    if taken {
        let detail = format!("type \"{}\" already exists in schema \"{}\"", new.name, new.schema);
        sheet.fails("duplicate-object", "42710", detail);
    }
    taken
}

/// Notes a schema that is missing, or has something of the name already.
pub(super) fn moved_is_refused(sheet: &mut Sheet<'_>, name: &Name, to: &str) -> bool {
    if to.starts_with("pg_temp") || to.starts_with("pg_toast") {
        let detail = "cannot move objects into or out of temporary schemas".to_owned();
        sheet.fails("wrong-object-kind", "0A000", detail);
        return true;
    }
    if there::lacks_schema(sheet, to) {
        return true;
    }
    let new = Name::new(to, name.name.as_str());
    // Into its own schema is no move.
    let taken = to != name.schema && sheet.schema.is_taken(&new);
    if taken {
        let detail = format!("relation \"{}\" already exists in schema \"{to}\"", name.name);
        sheet.fails("duplicate-object", "42P07", detail);
    }
    taken
}

/// Effects of `ALTER … OWNER TO` of what is no table.
#[expect(clippy::wildcard_enum_match_arm, reason = "other kinds touch no relation")]
pub(super) fn owner_to(sheet: &mut Sheet<'_>, owner: &OwnerTo) {
    there::roles(sheet, std::slice::from_ref(&owner.owner));
    let name = match owner.object {
        ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Sequence => {
            let Some(name) = sheet.existing(&owner.name, false) else { return };
            if is_of_other_kind(sheet, owner.object, &name) {
                return;
            }
            if sheet.table(&name).is_some_and(|sequence| sequence.owned_by.is_some()) {
                let detail = "cannot change owner of a sequence that a table owns".to_owned();
                sheet.fails("column-in-use", "0A000", detail);
                return;
            }
            sheet.lock(&name, AccessExclusive, "owner");
            name
        }
        kind => {
            let (name, signature) = (&owner.name, owner.signature.as_ref());
            let object = Named { kind, name, on: None, signature };
            let types = matches!(kind, ObjectKind::Type | ObjectKind::Domain);
            if missing::lacks(sheet, object) || (types && is_row_type(sheet, name)) {
                return;
            }
            sheet.schema.new_name(name)
        }
    };
    sheet.breaks("owner", owner.object, name.to_string(), &name);
}

/// Effects of COMMENT ON.
#[expect(clippy::wildcard_enum_match_arm, reason = "other kinds touch no relation")]
pub(super) fn comment(sheet: &mut Sheet<'_>, comment: &Comment) {
    let (name, on) = (&comment.name, comment.on.as_ref());
    let object = Named { kind: comment.object, name, on, signature: comment.signature.as_ref() };
    match comment.object {
        ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Sequence => {
            if let Some(name) = sheet.existing(&comment.name, false) {
                let found = sheet.table(&name).filter(|found| found.origin != Origin::Assumed);
                if found.is_some_and(|found| !drop::fits(comment.object, found.kind)) {
                    let detail = format!("\"{}\" is not a {}", name.name, comment.object.as_str());
                    sheet.fails("wrong-object-kind", "42809", detail);
                    return;
                }
                sheet.lock(&name, ShareUpdateExclusive, "comment");
            }
        }
        ObjectKind::Column => {
            let Some((column, table)) = comment.name.parts.split_last() else { return };
            let table = ObjectName { parts: table.to_vec() };
            if let Some(TypeBody::Composite(fields)) =
                sheet.schema.find_type(&table).map(|found| &found.kind)
            {
                if !fields.iter().any(|(field, _)| field == column.as_str()) {
                    let detail =
                        format!("column \"{column}\" of relation \"{table}\" does not exist");
                    sheet.fails("missing-column", "42703", detail);
                }
            } else if let Some(name) = sheet.existing(&table, false)
                && !lacks_column(sheet, &name, column.as_str())
            {
                sheet.lock(&name, ShareUpdateExclusive, "comment");
            }
        }
        _ if missing::lacks(sheet, object) => {}
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

/// Notes that a table, known to the last column, has no column of a name. Says whether it lacks it.
fn lacks_column(sheet: &mut Sheet<'_>, table: &Name, column: &str) -> bool {
    let lacks =
        sheet.table(table).is_some_and(|found| found.complete && found.column(column).is_none());
    if lacks {
        let detail = format!("column \"{column}\" of relation \"{table}\" does not exist");
        sheet.fails("missing-column", "42703", detail);
    }
    lacks
}

/// Effects of CREATE SEQUENCE.
pub(super) fn create_sequence(sheet: &mut Sheet<'_>, create: &Sequence) {
    if create.persistence == crate::sql::ast::Persistence::Unlogged
        && sheet.needs_version(15, "CREATE UNLOGGED SEQUENCE")
    {
        return;
    }
    let name = sheet.schema.new_name(&create.name);
    if there::lacks_home(sheet, &create.name) {
        return;
    }
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
    if let Some((column, table)) = path
        && !table.is_empty()
    {
        let table = ObjectName { parts: table.to_vec() };
        if let Some(table) = sheet.existing(&table, false)
            && !there::lacks_column(sheet, &table, std::iter::once(column.as_str()))
        {
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
    let kind = sheet.table(&name).filter(|found| found.complete).map(|found| found.kind);
    if kind.is_some_and(|kind| kind != RelationKind::Sequence) {
        let detail = format!("\"{name}\" is not a sequence");
        sheet.fails("wrong-object-kind", "42809", detail);
        return;
    }
    let mode = if persistence { AccessExclusive } else { ShareRowExclusive };
    if alter.owned_by.is_some() && drop::is_of_identity(sheet, &name) {
        let detail = "cannot change ownership of identity sequence".to_owned();
        sheet.fails("identity-misuse", "0A000", detail);
        return;
    }
    sheet.lock(&name, mode, "alter-sequence");
    owned_by(sheet, alter);
    // OWNED BY alone changes no numbers.
    if alter.options.iter().any(|option| !option.starts_with("owned by")) {
        sheet.breaks("alter-sequence", ObjectKind::Sequence, name.to_string(), &name);
    }
}

/// Effects of CREATE EXTENSION and ALTER EXTENSION.
pub(super) fn extension(sheet: &mut Sheet<'_>, extension: &Extension) {
    let name = extension.name.as_str();
    let there = there::has_extension(sheet.schema, name);
    if extension.alter && !there && sheet.schema.complete {
        let detail = format!("extension \"{name}\" does not exist");
        sheet.fails("missing-object", "42704", detail);
        return;
    }
    if let Some(member) = &extension.member {
        let (name, signature) = (&member.name, member.signature.as_ref());
        if missing::lacks(sheet, Named { kind: member.object, name, on: None, signature }) {
            return;
        }
    }
    if !extension.alter && there && !extension.if_not_exists {
        let detail = format!("extension \"{name}\" exists already");
        sheet.fails("duplicate-object", "42710", detail);
    }
    if extension.alter && extension.action.as_deref() == Some("update") {
        let full = Name::new("", name);
        sheet.breaks("extension-update", ObjectKind::Extension, name.to_owned(), &full);
    }
}

/// Notes a schema that exists. Says whether it does.
pub(super) fn schema_is_taken(sheet: &mut Sheet<'_>, create: &CreateSchema) -> bool {
    let Some(name) = &create.name else { return false };
    if there::is_reserved_schema(sheet, name.as_str()) {
        return true;
    }
    let there = sheet.schema.schemas.contains_key(name.as_str()) || name.as_str() == "public";
    if there && !create.if_not_exists {
        let detail = format!("schema \"{name}\" exists already");
        sheet.fails("duplicate-object", "42P06", detail);
    }
    there
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
    if publication.alter && !there && sheet.schema.complete {
        let detail = format!("publication \"{name}\" does not exist");
        sheet.fails("missing-object", "42704", detail);
        return;
    }
    if (!publication.schemas.is_empty() && sheet.needs_version(15, "TABLES IN SCHEMA"))
        || (!publication.columns.is_empty() && sheet.needs_version(15, "columns of a publication"))
    {
        return;
    }
    let mut tables: Vec<Name> = Vec::new();
    for written in &publication.tables {
        let Some(table) = sheet.existing(written, false) else { return };
        if publication_refuses(sheet, publication, &table) {
            return;
        }
        // Children by inheritance are published with their parent, partitions through theirs.
        let only = publication.only.iter().any(|only| only.to_string() == written.to_string());
        let partitioned = sheet.table(&table).is_some_and(|found| found.is_partitioned());
        tables.extend(sheet.family(&table, only || partitioned));
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

/// Relations that cannot be published, and tables that are in the publication already or not.
fn publication_refuses(sheet: &mut Sheet<'_>, publication: &Publication, table: &Name) -> bool {
    let kind = sheet.table(table).map(|found| found.kind);
    if kind.is_some_and(|kind| kind != RelationKind::Table) {
        let detail = format!("cannot add relation \"{table}\" to a publication");
        sheet.fails("wrong-object-kind", "22023", detail);
        return true;
    }
    let persistence = sheet.table(table).map(|found| found.persistence);
    if matches!(persistence, Some(Persistence::Unlogged | Persistence::Temporary)) {
        let detail = format!("cannot add relation \"{table}\" to a publication: it is not logged");
        sheet.fails("wrong-object-kind", "22023", detail);
        return true;
    }
    let listed = publication.columns.iter().filter(|(of, _)| sheet.schema.resolve(of) == *table);
    if there::lacks_column(sheet, table, listed.map(|(_, column)| column.as_str())) {
        return true;
    }
    let partitioned = sheet.table(table).is_some_and(|found| found.is_partitioned());
    if partitioned && !sheet.since(13) {
        let detail = format!("\"{table}\" is a partitioned table");
        sheet.fails("unsupported-version", "0A000", detail);
        return true;
    }
    if partition::is_published_in_part(sheet, publication, table) {
        return true;
    }
    let known = sheet.schema.publications.get(publication.name.as_str());
    let Some(known) = known.filter(|known| known.origin != crate::schema::Origin::Assumed) else {
        return false;
    };
    let there = known.tables.contains(table);
    match publication.action.as_deref() {
        Some("add") if there => {
            let detail = format!("relation \"{table}\" is already in the publication");
            sheet.fails("duplicate-object", "42710", detail);
            true
        }
        Some("drop") if !there => {
            let detail = format!("relation \"{table}\" is not part of the publication");
            sheet.fails("missing-object", "42704", detail);
            true
        }
        _ => false,
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
    sheet.has_variables = true;
    for statement in &block.statements {
        sheet.at(statement.span);
        super::statement_effects(sheet, statement);
    }
    if block.dynamic {
        sheet.unknown("the block runs statements made up at run time");
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
