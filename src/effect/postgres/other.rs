//! Statements recognised by their first words: those of the whole server, of the session, and of
//! objects that no table depends on.
//!
//! PostgreSQL 12 to 18, PreventInTransactionBlock and its callers; the manual's page of each;
//! measured, testdata/servers/postgres.

use super::missing::{self, Named};
use super::sheet::Sheet;
use super::{dml, foreign_table, there, trigger};
use crate::effect::LockMode::{self, AccessExclusive, AccessShare};
use crate::schema::{Name, Relation};
use crate::sql::ast::{DataType, ObjectKind, Other};
use crate::sql::{Ident, ObjectName};

/// Effects of statements recognised by their first words.
pub(super) fn other(sheet: &mut Sheet<'_>, other: &Other) {
    let has = |word: &str| other.options.iter().any(|option| option == word);
    if object_refused(sheet, other) {
        return;
    }
    match other.what {
        "import-foreign-schema" => import(sheet, other),
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
        "prepare" => prepare(sheet, other),
        "create-language"
            if other.names.iter().any(|name| name.name() == "plpgsql") && !has("or replace") =>
        {
            let detail = "language \"plpgsql\" exists already".to_owned();
            sheet.fails("duplicate-object", "42710", detail);
        }
        "create-cast" => {
            for written in other.names.iter().skip(1) {
                let mut data_type = DataType::named(written.name().to_owned());
                data_type.schema = written.schema().map(ToOwned::to_owned);
                if there::lacks_type(sheet, &data_type) {
                    return;
                }
            }
        }
        "create-event-trigger" => event_function(sheet, other),
        "security-label" => {
            let detail = "no security label provider may be loaded".to_owned();
            sheet.may_fail("missing-object", "22023", detail);
        }
        "depends-on-extension" => {
            if has("no") && sheet.needs_version(13, "NO DEPENDS ON EXTENSION") {
                return;
            }
            // The table of a trigger is looked at (ALTER TABLE and ALTER INDEX have their own).
            if let [_, _, table] = other.names.as_slice()
                && let Some(table) = sheet.existing(table, false)
            {
                sheet.lock(&table, AccessShare, "alter-trigger");
            }
        }
        "declare-cursor" => {
            for name in &other.names {
                let Some(name) = sheet.existing(name, false) else { return };
                dml::read_one(sheet, &name, "select", dml::Use::Planned, false);
                if sheet.table(&name).is_some_and(Relation::is_partitioned) {
                    dml::lock_ancestors(sheet, &name, "select");
                }
            }
        }
        _ => {}
    }
}

/// Notes an object that is altered and missing, or made and there already, or made of one that is
/// missing. Says whether it is so.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are made of nothing that is told")]
fn object_refused(sheet: &mut Sheet<'_>, other: &Other) -> bool {
    let (Some(kind), Some(name)) = (other.object, other.names.first()) else { return false };
    let named = Named { kind, name, on: None, signature: None };
    if other.what.starts_with("alter-") || other.what == "depends-on-extension" {
        let parts = [ObjectKind::Trigger, ObjectKind::Rule, ObjectKind::Policy];
        // Which overload is meant is not kept.
        if other.what == "depends-on-extension" && sheet.schema.find_routines(name).is_some() {
            return false;
        }
        return !parts.contains(&kind) && missing::lacks(sheet, named);
    }
    if !other.what.starts_with("create-") {
        return false;
    }
    let key = sheet.schema.other_key(kind, name);
    let there = missing::is_taken(sheet.schema, kind, &key);
    let quietly = other.options.iter().any(|o| o == "if not exists" || o == "or replace");
    if there && !quietly {
        let detail = format!("{} \"{name}\" already exists", kind.as_str());
        sheet.fails("duplicate-object", "42710", detail);
        return true;
    }
    let written = |option: &String| {
        option
            .strip_prefix("handler ")
            .or_else(|| option.strip_prefix("validator "))
            .map(str::to_owned)
    };
    let mut functions: Vec<String> = other.options.iter().filter_map(written).collect();
    if kind == ObjectKind::EventTrigger {
        functions.extend(other.names.get(1).map(ToString::to_string));
    }
    for function in functions {
        let parts = function.split('.').map(|part| Ident::new(part, sheet.span())).collect();
        if trigger::lacks_function(sheet, &ObjectName { parts }) {
            return true;
        }
    }
    let needed = match kind {
        ObjectKind::Server => {
            other.names.get(1).cloned().map(|of| (of, ObjectKind::ForeignDataWrapper))
        }
        ObjectKind::UserMapping => {
            name.parts.last().cloned().map(|server| (ObjectName::bare(server), ObjectKind::Server))
        }
        _ => None,
    };
    needed.is_some_and(|(name, kind)| {
        missing::lacks(sheet, Named { kind, name: &name, on: None, signature: None })
    })
}

/// PREPARE locks what the statement names.
fn prepare(sheet: &mut Sheet<'_>, other: &Other) {
    let changes = other.options.iter().any(|option| option == "changes");
    for (at, name) in other.names.iter().enumerate() {
        let Some(name) = sheet.existing(name, false) else { return };
        if changes && at == 0 {
            sheet.lock(&name, LockMode::RowExclusive, "select");
        } else {
            dml::read_one(sheet, &name, "select", dml::Use::Rewritten, false);
        }
    }
}

/// IMPORT FOREIGN SCHEMA asks the server.
fn import(sheet: &mut Sheet<'_>, other: &Other) {
    let [home, server] = other.names.as_slice() else { return };
    let kind = ObjectKind::Server;
    if !missing::lacks(sheet, Named { kind, name: server, on: None, signature: None })
        && !foreign_table::server_lacks_handler(sheet, server.name())
    {
        there::lacks_schema(sheet, home.name());
    }
}

/// An event trigger calls a function that returns `event_trigger`.
fn event_function(sheet: &mut Sheet<'_>, other: &Other) {
    let [_, function] = other.names.as_slice() else { return };
    let Some((_, routines)) = sheet.schema.find_routines(function) else { return };
    let fits = |returns: &crate::sql::ast::DataType| returns.name == "event_trigger";
    if !routines.iter().any(|routine| routine.returns.as_ref().is_none_or(fits)) {
        let detail = format!("function {function} must return type event_trigger");
        sheet.fails("type-mismatch", "42P17", detail);
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
