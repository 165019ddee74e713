//! What the server refuses of the actions that concern a table as a whole.
//!
//! PostgreSQL 12 to 18, manual: ALTER TABLE; measured, testdata/servers/postgres.

use super::missing::{self, Named};
use super::sheet::Sheet;
use crate::schema::{Name, TypeBody};
use crate::sql::ObjectName;
use crate::sql::ast::{IndexKind, ObjectKind, PgAction};

/// Notes an index that a table does not have. Says whether it lacks it.
pub(super) fn lacks_index(sheet: &mut Sheet<'_>, table: &Name, index: &str) -> bool {
    let Some(found) = sheet.table(table) else { return false };
    if !found.complete || found.index(index).is_some() {
        return false;
    }
    let other = sheet.schema.is_taken(&Name::new(table.schema.clone(), index));
    let (when, code) =
        if other { ("wrong-object-kind", "42809") } else { ("missing-object", "42704") };
    sheet.fails(when, code, format!("index \"{index}\" for table \"{table}\" does not exist"));
    true
}

/// An index that CLUSTER cannot follow: partitioned, partial, or of a method without an order.
pub(super) fn cluster_refused(sheet: &mut Sheet<'_>, table: &Name, index: Option<&str>) -> bool {
    if index.is_some_and(|index| lacks_index(sheet, table, index)) {
        return true;
    }
    let Some(found) = sheet.table(table) else { return false };
    if found.is_partitioned() {
        let detail = "cannot mark index clustered in partitioned table".to_owned();
        sheet.fails("wrong-object-kind", "0A000", detail);
        return true;
    }
    let own = index.and_then(|index| found.index(index));
    let wrong = own.and_then(|own| {
        if own.predicate.is_some() {
            Some("partial index")
        } else if !matches!(own.method.as_str(), "btree" | "gist") {
            Some("index of a method that does not support clustering")
        } else if !own.valid {
            Some("invalid index")
        } else {
            None
        }
    });
    if let Some(wrong) = wrong {
        sheet.fails("wrong-object-kind", "0A000", format!("cannot cluster on {wrong}"));
    }
    wrong.is_some()
}

/// REPLICA IDENTITY needs a unique index over columns that are NOT NULL, without WHERE.
pub(super) fn identity_refused(sheet: &mut Sheet<'_>, table: &Name, index: &str) -> bool {
    if lacks_index(sheet, table, index) {
        return true;
    }
    let Some(found) = sheet.table(table) else { return false };
    let Some(own) = found.index(index) else { return false };
    let nullable = |column: &&str| found.column(column).is_some_and(|column| !column.not_null);
    let (code, what) = if own.kind != IndexKind::Unique {
        ("42809", "as it is not unique")
    } else if own.predicate.is_some() {
        ("0A000", "as it is partial")
    } else if own.parts.iter().any(|part| part.key.column().is_none()) {
        ("0A000", "as it is over expressions")
    } else if own.key_columns().iter().any(nullable) {
        ("42809", "because a column of it is nullable")
    } else {
        return false;
    };
    let detail = format!("index \"{index}\" cannot be used as replica identity {what}");
    sheet.fails("wrong-object-kind", code, detail);
    true
}

/// Notes a type that is missing, or not one made by CREATE TYPE … AS (…). Says whether it is so.
pub(super) fn no_composite(sheet: &mut Sheet<'_>, of: &ObjectName) -> bool {
    let found = sheet.schema.find_type(of);
    if found.is_some_and(|found| matches!(found.kind, TypeBody::Composite(_))) {
        return false;
    }
    let kind = ObjectKind::Type;
    if missing::lacks(sheet, Named { kind, name: of, on: None, signature: None }) {
        return true;
    }
    let other = found.is_some() || sheet.schema.find(of).is_some();
    if other {
        sheet.fails("wrong-object-kind", "42809", format!("type {of} is not a composite type"));
    }
    other
}

/// OF needs the very columns of the type, in order.
pub(super) fn of_type(sheet: &mut Sheet<'_>, name: &Name, of: &ObjectName) {
    let Some(table) = sheet.table(name).filter(|table| table.complete) else { return };
    if no_composite(sheet, of) {
        return;
    }
    let Some(TypeBody::Composite(fields)) = sheet.schema.find_type(of).map(|found| &found.kind)
    else {
        return;
    };
    let own = table.columns.iter().map(|column| column.name.as_str());
    let same = own.eq(fields.iter().map(|(field, _)| field.as_str()));
    if !same || !table.inherits.is_empty() {
        let detail = format!("the columns of \"{name}\" are not those of type {of}");
        sheet.fails("type-mismatch", "42804", detail);
    }
}

/// PostgreSQL 12 goes down to the copies of a trigger by name, and then leaves them out: they are
/// the server's own (measured).
#[expect(clippy::wildcard_enum_match_arm, reason = "called for triggers alone")]
pub(super) fn user_triggers_refused(
    sheet: &mut Sheet<'_>,
    table: &Name,
    action: &PgAction,
) -> bool {
    let user = match action {
        PgAction::Trigger { name, all, .. } => name.is_none() && !all,
        _ => false,
    };
    let copied = sheet.table(table).filter(|found| found.is_partitioned()).and_then(|found| {
        found.triggers.iter().find(|trigger| trigger.for_each_row && !trigger.inherited)
    });
    let Some(copied) = copied.filter(|_| user && !sheet.since(13)) else { return false };
    let Some(part) = sheet.schema.partitions(table).first().map(|part| part.name.clone()) else {
        return false;
    };
    let detail = format!("trigger \"{}\" for table \"{part}\" does not exist", copied.name);
    sheet.fails("missing-object", "42704", detail);
    true
}
