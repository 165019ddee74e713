//! GRANT and REVOKE.
//!
//! PostgreSQL 12 to 18, ExecuteGrantStmt and ExecGrant_Relation (aclchk.c); manual: GRANT,
//! Privileges; measured, testdata/servers/postgres.

use super::missing::{self, Named};
use super::sheet::Sheet;
use super::there;
use crate::effect::LockMode::AccessShare;
use crate::schema::{Name, Origin, RelationKind};
use crate::sql::ObjectName;
use crate::sql::ast::{Grant, ObjectKind};

#[expect(clippy::wildcard_enum_match_arm, reason = "other kinds are looked up alike")]
/// Effects of GRANT and REVOKE: no relation is locked before PostgreSQL 18.
pub(super) fn grant(sheet: &mut Sheet<'_>, grant: &Grant) {
    there::roles(sheet, &grant.grantees);
    if grant.revoke {
        let name = grant.names.first().map_or_else(String::new, ObjectName::to_string);
        let table =
            grant.names.first().map_or_else(|| Name::new("", ""), |n| sheet.schema.resolve(n));
        sheet.breaks("revoke", grant.object, name, &table);
    }
    if is_unknown_privilege(sheet, grant) {
        return;
    }
    for schema in &grant.all_in_schema {
        if there::lacks_schema(sheet, schema.as_str()) {
            return;
        }
    }
    for (at, name) in grant.names.iter().enumerate() {
        let signature = grant.signatures.get(at).and_then(Option::as_ref);
        match grant.object {
            ObjectKind::Table
            | ObjectKind::Sequence
            | ObjectKind::View
            | ObjectKind::ForeignTable => {
                if relation_refused(sheet, grant, name) {
                    return;
                }
            }
            kind => {
                if missing::lacks(sheet, Named { kind, name, on: None, signature })
                    || is_array(sheet, kind, name)
                    || is_untrusted(sheet, kind, name.name())
                {
                    return;
                }
            }
        }
    }
}

fn relation_refused(sheet: &mut Sheet<'_>, grant: &Grant, written: &ObjectName) -> bool {
    if sheet.schema.find(written).is_none() && sheet.schema.find_index(written).is_some() {
        sheet.fails("wrong-object-kind", "42809", format!("\"{written}\" is an index"));
        return true;
    }
    let Some(name) = sheet.existing(written, false) else { return true };
    let found = sheet.table(&name).filter(|found| found.origin != Origin::Assumed);
    let sequence = found.map(|found| found.kind == RelationKind::Sequence);
    if grant.object == ObjectKind::Sequence && sequence == Some(false) {
        sheet.fails("wrong-object-kind", "42809", format!("\"{written}\" is not a sequence"));
        return true;
    }
    let columns = grant.columns.iter().map(crate::sql::Ident::as_str);
    if there::lacks_column(sheet, &name, columns) {
        return true;
    }
    if sheet.since(18) {
        sheet.lock(&name, AccessShare, "grant");
    }
    false
}

/// Notes a privilege that objects of the kind do not have (manual: Privileges, table 5.2). Says
/// whether there is one.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others have no privileges")]
fn is_unknown_privilege(sheet: &mut Sheet<'_>, grant: &Grant) -> bool {
    const TABLE: &str = "select insert update delete truncate references trigger";
    let known = match grant.object {
        ObjectKind::Table if sheet.since(17) => &format!("{TABLE} maintain"),
        ObjectKind::Table => TABLE,
        ObjectKind::Sequence => "usage select update",
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => "execute",
        ObjectKind::Schema => "usage create",
        ObjectKind::Type
        | ObjectKind::Domain
        | ObjectKind::Language
        | ObjectKind::Server
        | ObjectKind::ForeignDataWrapper => "usage",
        ObjectKind::Database => "create connect temporary temp",
        ObjectKind::Tablespace => "create",
        ObjectKind::LargeObject => "select update",
        _ => return false,
    };
    let sequences = grant.names.iter().all(|name| {
        sheet.schema.find(name).is_none_or(|found| found.kind == RelationKind::Sequence)
    });
    let has = |privilege: &str| {
        privilege == "all"
            || known.split(' ').any(|own| own == privilege)
            // What sequences have may be granted as if they were tables.
            || (privilege == "usage" && grant.object == ObjectKind::Table && sequences)
    };
    let wrong = grant.privileges.iter().find(|privilege| !has(privilege)).cloned();
    if let Some(wrong) = &wrong {
        let detail = format!("no privilege {wrong} on a {}", grant.object.as_str());
        sheet.fails("wrong-object-kind", "0LP01", detail);
    }
    wrong.is_some()
}

/// Arrays have no privileges of their own.
fn is_array(sheet: &mut Sheet<'_>, kind: ObjectKind, name: &ObjectName) -> bool {
    let array = kind == ObjectKind::Type
        && name.name().starts_with('_')
        && sheet.schema.find_type(name).is_none();
    if array {
        sheet.fails(
            "wrong-object-kind",
            "0LP01",
            "cannot set privileges of array types".to_owned(),
        );
    }
    array
}

/// Languages that may do anything are not for everybody to use.
fn is_untrusted(sheet: &mut Sheet<'_>, kind: ObjectKind, name: &str) -> bool {
    let untrusted = kind == ObjectKind::Language && matches!(name, "c" | "internal");
    if untrusted {
        sheet.fails("wrong-object-kind", "42809", format!("language \"{name}\" is not trusted"));
    }
    untrusted
}
