//! Whether what a statement names is there: columns, types, schemas, roles.
//!
//! PostgreSQL 12 to 18 look every name up before they do anything (manual: SQL Commands; measured,
//! testdata/servers/postgres). What is not there is only told where all is known: of a table that
//! was made in view, or of a schema that is complete.

use super::sheet::Sheet;
use super::types;
use crate::schema::{Name, Relation, RelationKind, Schema};
use crate::sql::ObjectName;
use crate::sql::ast::{DataType, Expr, ObjectKind};

/// Columns that every table has (manual: System Columns).
pub(super) const SYSTEM: &[&str] = &["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// Notes a name that a column cannot have: every table has such a column. Says whether it is one.
pub(super) fn is_system_column(sheet: &mut Sheet<'_>, column: &str) -> bool {
    let system = SYSTEM.contains(&column);
    if system {
        let detail = format!("column name \"{column}\" conflicts with a system column name");
        sheet.fails("duplicate-object", "42701", detail);
    }
    system
}

/// Returns a column among those words that a table, known to the last column, lacks.
pub(super) fn lacking<'w>(
    table: &Relation,
    mut words: impl Iterator<Item = &'w str>,
) -> Option<&'w str> {
    words.find(|word| table.complete && !has_word(table, word))
}

/// Notes a column that a table lacks. Says whether it lacks one.
pub(super) fn lacks_column<'w>(
    sheet: &mut Sheet<'_>,
    table: &Name,
    words: impl Iterator<Item = &'w str>,
) -> bool {
    let missing = sheet.table(table).and_then(|found| lacking(found, words));
    if let Some(missing) = missing {
        let detail = format!("column \"{missing}\" of relation \"{table}\" does not exist");
        sheet.fails("missing-column", "42703", detail);
    }
    missing.is_some()
}

/// Notes a column in an expression over one table that the table lacks. Fields of a composite
/// column and what a subquery names have the form of columns too, and prove nothing.
pub(super) fn expr_lacks_column(sheet: &mut Sheet<'_>, table: &Name, expr: &Expr) -> bool {
    if expr.text.contains(").") {
        return false;
    }
    if expr.has_subquery {
        return query_lacks_column(sheet, table, expr);
    }
    lacks_column(sheet, table, expr.columns.iter().map(String::as_str))
}

/// The same where one plain query stands in the expression: a word is a column of the table or of
/// what the query reads.
fn query_lacks_column(sheet: &mut Sheet<'_>, table: &Name, expr: &Expr) -> bool {
    let schema = sheet.schema;
    let known = |relation: &&Relation| relation.complete;
    let read = expr.reads.iter().map(|name| schema.find(name).filter(known));
    let Some(read) = read.collect::<Option<Vec<&Relation>>>() else { return false };
    let labels = expr.text.to_ascii_lowercase().contains(" as ");
    if !expr.plain_query || labels || read.is_empty() {
        return false;
    }
    let of_query = |word: &&str| read.iter().any(|relation| has_word(relation, word));
    let words = expr.columns.iter().map(String::as_str);
    lacks_column(sheet, table, words.filter(|word| *word != "*" && !of_query(word)))
}

/// Says whether a word in an expression over a relation has a meaning there: the name of the
/// relation stands for its rows.
pub(super) fn has_word(relation: &Relation, word: &str) -> bool {
    SYSTEM.contains(&word)
        || word == relation.name.name
        || relation.column(word).is_some()
        || (relation.kind == RelationKind::Sequence && SEQUENCE.contains(&word))
}

/// The columns of every sequence (PostgreSQL 12 to 18, pg_attribute).
const SEQUENCE: &[&str] = &["last_value", "log_cnt", "is_called"];

/// Notes a type that nobody made. Says whether it is missing.
pub(super) fn lacks_type(sheet: &mut Sheet<'_>, data_type: &DataType) -> bool {
    let written = data_type.schema.iter().chain([&data_type.name]);
    let name = ObjectName {
        parts: written.map(|part| crate::sql::Ident::new(part.as_str(), data_type.span)).collect(),
    };
    let schema = sheet.schema;
    let own = data_type.schema.as_deref().is_none_or(|schema| schema == "pg_catalog");
    // From PostgreSQL 14 on sequences have no type of their rows.
    let since_14 = sheet.since(14);
    let has_rows = |relation: &Relation| relation.kind != RelationKind::Sequence || !since_14;
    let known = (own && (types::is_known(&data_type.name) || data_type.name.contains(' ')))
        || data_type.schema.as_deref() == Some("pg_catalog")
        || schema.find_type(&name).is_some()
        || schema.find(&name).is_some_and(has_rows)
        // The array of a user's type has a name of its own.
        || data_type.name.starts_with('_')
        || data_type.name.contains('%');
    // An extension brings types that no statement names.
    let missing = !known && schema.complete && schema.extensions.is_empty();
    if missing {
        let detail = format!("type \"{name}\" does not exist");
        sheet.fails("missing-object", "42704", detail);
    }
    missing
}

/// Says whether an extension is there: one is from the start (manual: PL/pgSQL, Overview).
pub(super) fn has_extension(schema: &Schema, name: &str) -> bool {
    let from_start = name == "plpgsql" && !schema.gone.contains_key(&Name::new("", name));
    from_start || schema.extensions.contains_key(name)
}

/// Says whether an extended statistics object is there.
pub(super) fn has_statistics(schema: &Schema, name: &ObjectName) -> bool {
    let candidates = schema.candidates(name);
    let own = |table: &Relation| table.statistics.iter().any(|(own, _)| candidates.contains(own));
    schema.all_relations().any(own)
}

/// Says whether a schema is known to be there, or may be.
pub(super) fn may_have_schema(sheet: &Sheet<'_>, name: &str) -> bool {
    let schema = sheet.schema;
    !schema.complete
        || matches!(name, "public" | "information_schema")
        || matches!(name, "pg_catalog" | "pg_toast" | "pg_temp")
        || name.starts_with("pg_temp_")
        || name.starts_with("pg_toast_")
        || schema.schemas.contains_key(name)
        || schema.relations.keys().any(|known| known.schema == name)
        || schema.types.keys().any(|known| known.schema == name)
}

/// Notes a schema that nobody made. Says whether it is missing.
pub(super) fn lacks_schema(sheet: &mut Sheet<'_>, name: &str) -> bool {
    let missing = !may_have_schema(sheet, name);
    if missing {
        let detail = format!("schema \"{name}\" does not exist");
        sheet.fails("missing-object", "3F000", detail);
    }
    missing
}

/// Notes a name that is kept for the server's own schemas. Says whether it is one.
pub(super) fn is_reserved_schema(sheet: &mut Sheet<'_>, name: &str) -> bool {
    let reserved = name.starts_with("pg_");
    if reserved {
        let detail = format!("unacceptable schema name \"{name}\"");
        sheet.fails("duplicate-object", "42939", detail);
    }
    reserved
}

/// Notes a missing schema that is written before the name of what is made.
pub(super) fn lacks_home(sheet: &mut Sheet<'_>, name: &ObjectName) -> bool {
    name.schema().is_some_and(|schema| lacks_schema(sheet, schema))
}

/// Notes roles that may be missing: they belong to the whole server.
pub(super) fn roles(sheet: &mut Sheet<'_>, roles: &[String]) {
    const KNOWN: &[&str] = &["public", "current_user", "session_user", "current_role", "postgres"];
    for role in roles {
        let known = KNOWN.contains(&role.as_str()) || role.starts_with("pg_");
        let made = (ObjectKind::Role.as_str(), Name::new("", role.as_str()));
        if sheet.schema.complete && !known && !sheet.schema.others.contains_key(&made) {
            sheet.may_fail("missing-object", "42704", format!("role \"{role}\" does not exist"));
        }
    }
}

/// Notes a tablespace that may be missing: it belongs to the whole server.
pub(super) fn may_lack_tablespace(sheet: &mut Sheet<'_>, tablespace: &str) {
    if !matches!(tablespace, "pg_default" | "pg_global") && sheet.schema.complete {
        let detail = format!("tablespace \"{tablespace}\" may be missing");
        sheet.may_fail("missing-object", "42704", detail);
    }
}

/// Notes a table access method, or one of indexes, that nobody made. Says whether it is missing.
pub(super) fn lacks_method(sheet: &mut Sheet<'_>, method: &str, own: &[&str]) -> bool {
    let key = (ObjectKind::AccessMethod.as_str(), Name::new("", method));
    let known = own.contains(&method) || sheet.schema.others.contains_key(&key);
    // An extension may have brought one.
    let missing = !known && sheet.schema.complete && sheet.schema.extensions.is_empty();
    if missing {
        let detail = format!("access method \"{method}\" does not exist");
        sheet.fails("missing-object", "42704", detail);
    }
    missing
}
