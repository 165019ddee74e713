//! What the index methods of the server can do, and which types they have operators for.
//!
//! PostgreSQL 12 to 18: pg_am, pg_opclass (opcdefault) and the answers of the methods
//! (pg_indexam_has_property), read from the servers; manual: Index Types.

use super::sheet::Sheet;
use super::there;
use super::types;
use crate::schema::Relation;
use crate::sql::ast::{DataType, IndexDef, IndexKind, Key, KeyPart};

/// The methods of the server itself.
const METHODS: &[&str] = &["brin", "btree", "gin", "gist", "hash", "spgist"];

/// Scalar types without a default operator class for B-trees.
const NO_BTREE: &str = "json xml point line lseg path polygon circle";

/// Scalar types without a default operator class for hashes.
const NO_HASH: &str =
    "json xml point line lseg path polygon circle box bit varbit money tsvector tsquery pg_lsn";

/// Scalar types with a default operator class for GiST; ranges and multiranges have one too.
const GIST: &str = "box circle point polygon tsvector tsquery";

/// Notes what a method cannot do for an index over the columns of a table. Says whether there is
/// anything.
pub(super) fn refused(sheet: &mut Sheet<'_>, index: &IndexDef, table: Option<&Relation>) -> bool {
    let method = index.method.as_deref().unwrap_or("btree");
    if there::lacks_method(sheet, method, METHODS) {
        return true;
    }
    if !METHODS.contains(&method) {
        return false;
    }
    let lacks = |what: &str| format!("access method \"{method}\" does not support {what}");
    let included = match method {
        "gist" => !index.include.is_empty() && !sheet.since(12),
        "spgist" => !index.include.is_empty() && !sheet.since(14),
        other => !index.include.is_empty() && other != "btree",
    };
    let ordered = |part: &KeyPart| part.descending || part.nulls_first.is_some();
    let cannot = if index.kind == IndexKind::Unique && method != "btree" {
        Some(lacks("unique indexes"))
    } else if included {
        Some(lacks("included columns"))
    } else if index.parts.len() > 1 && matches!(method, "hash" | "spgist") {
        Some(lacks("multicolumn indexes"))
    } else if method != "btree" && index.parts.iter().any(ordered) {
        Some(lacks("ASC/DESC or NULLS FIRST/LAST options"))
    } else {
        None
    };
    if let Some(detail) = cannot {
        sheet.fails("index-method", "0A000", detail);
        return true;
    }
    index.parts.iter().any(|part| lacks_class(sheet, part, method, table))
}

/// Notes a key part whose type has no default operator class for the method. Says whether it is
/// so.
pub(super) fn lacks_class(
    sheet: &mut Sheet<'_>,
    part: &KeyPart,
    method: &str,
    table: Option<&Relation>,
) -> bool {
    let Key::Column(column) = &part.key else { return false };
    let found = table.and_then(|table| table.column(column.as_str()));
    let data_type =
        found.and_then(|found| found.data_type.as_ref()).filter(|_| part.opclass.is_none());
    data_type.is_some_and(|data_type| type_lacks_class(sheet, data_type, method))
}

/// The same for a type.
pub(super) fn type_lacks_class(sheet: &mut Sheet<'_>, data_type: &DataType, method: &str) -> bool {
    // Extensions bring operator classes: btree_gin, btree_gist, pg_trgm, …
    if !sheet.schema.extensions.is_empty() || has_class(sheet, data_type, method) {
        return false;
    }
    let detail = format!(
        "data type {} has no default operator class for access method \"{method}\"",
        data_type.name
    );
    if sheet.schema.complete || method == "btree" {
        sheet.fails("index-method", "42704", detail);
        return true;
    }
    sheet.may_fail("index-method", "42704", detail);
    false
}

fn has_class(sheet: &Sheet<'_>, data_type: &DataType, method: &str) -> bool {
    let Some(scalar) = types::scalar(sheet.schema, data_type) else {
        // Arrays have classes for B-trees, hashes and GIN; others are not known.
        return data_type.array_dims == 0 || matches!(method, "btree" | "hash" | "gin");
    };
    let listed = |list: &str| list.split(' ').any(|known| known == scalar);
    let range = scalar.ends_with("range");
    match method {
        "btree" => !listed(NO_BTREE),
        "hash" => !listed(NO_HASH),
        "gin" => listed("jsonb tsvector"),
        "gist" => range || listed(GIST),
        "spgist" => range || listed("box point polygon text varchar inet cidr"),
        _ => true,
    }
}
