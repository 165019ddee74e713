//! Schemas, databases, tablespaces, the server's own settings.

use super::{body, names, object, options, other, session};
use crate::sql::ast::{CreateSchema, ObjectKind, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::lexer::TokenKind;
use crate::sql::name::ObjectName;

/// Takes what follows `CREATE SCHEMA`.
pub(super) fn create(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let if_not_exists = names::if_not_exists(c);
    let mut name = None;
    if !c.at(&["AUTHORIZATION"]) {
        name = Some(names::column_id(c, "a schema name")?);
    }
    if c.accept(&["AUTHORIZATION"]) {
        let start = c.position();
        let role = names::role(c)?;
        // Without a name of its own the schema is called like its owner.
        if name.is_none() {
            name = Some(crate::sql::name::Ident::new(role, c.span_from(start)));
        }
    }
    let mut elements = Vec::new();
    while !if_not_exists && (c.at(&["CREATE"]) || c.at(&["GRANT"])) {
        elements.push(body::nested(c)?);
    }
    Ok(StatementKind::CreateSchema(CreateSchema { name, if_not_exists, elements }))
}

/// Takes what follows `CREATE DATABASE`.
pub(super) fn create_database(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let name = ObjectName::bare(names::column_id(c, "a database name")?);
    c.accept(&["WITH"]);
    database_options(c)?;
    Ok(StatementKind::Other(other("create-database", Some(ObjectKind::Database), vec![name])))
}

/// Takes `owner = x encoding 'UTF8' connection limit 5`.
fn database_options(c: &mut Cursor<'_>) -> Parsed<bool> {
    let mut any = false;
    while !c.is_at_end() {
        if !c.accept(&["CONNECTION", "LIMIT"]) {
            names::word(c, "an option")?;
        }
        c.accept_symbol("=");
        if c.accept(&["DEFAULT"]) {
        } else if names::at_string(c) {
            names::string(c)?;
        } else if names::at_kind(c, TokenKind::Number) || matches!(c.text_at(0), "-" | "+") {
            names::integer(c)?;
        } else {
            names::label(c, "a value")?;
        }
        any = true;
    }
    Ok(any)
}

/// Takes what follows `ALTER DATABASE`.
pub(super) fn alter_database(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let address = object::address(c, ObjectKind::Database)?;
    if let Some(common) = object::common_action(c, &address, false)? {
        return Ok(common);
    }
    let mut found = other("alter-database", Some(address.object), vec![address.name]);
    if c.accept(&["SET", "TABLESPACE"]) {
        names::column_id(c, "a tablespace")?;
        found.options.push("set tablespace".to_owned());
    } else if c.accept(&["REFRESH", "COLLATION", "VERSION"]) {
        found.options.push("refresh collation version".to_owned());
    } else if let Some(word) = set_or_reset(c)? {
        found.options.push(word);
    } else {
        let with = c.accept(&["WITH"]);
        if !database_options(c)? && !with {
            return Err(c.expected("RENAME TO, OWNER TO, SET or an option"));
        }
    }
    Ok(StatementKind::Other(found))
}

/// Takes `SET name = value` or `RESET name`, where one is next; returns `set name`.
pub(super) fn set_or_reset(c: &mut Cursor<'_>) -> Parsed<Option<String>> {
    if c.accept(&["SET"]) {
        let (name, _) = session::setting(c)?;
        return Ok(Some(format!("set {name}")));
    }
    if c.accept(&["RESET"]) {
        return Ok(Some(format!("reset {}", session::reset(c)?.name)));
    }
    Ok(None)
}

/// Takes what follows `ALTER SYSTEM`.
pub(super) fn alter_system(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let mut found = other("alter-system", None, Vec::new());
    match set_or_reset(c)? {
        Some(word) => found.options.push(word),
        None => return Err(c.expected("SET or RESET")),
    }
    Ok(StatementKind::Other(found))
}

/// Takes what follows `CREATE TABLESPACE`.
pub(super) fn create_tablespace(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let name = ObjectName::bare(names::column_id(c, "a tablespace name")?);
    if c.accept(&["OWNER"]) {
        names::role(c)?;
    }
    c.expect(&["LOCATION"])?;
    names::string(c)?;
    if c.accept(&["WITH"]) {
        options::settings(c)?;
    }
    let object = Some(ObjectKind::Tablespace);
    Ok(StatementKind::Other(other("create-tablespace", object, vec![name])))
}

/// Takes what follows `ALTER TABLESPACE`.
pub(super) fn alter_tablespace(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let address = object::address(c, ObjectKind::Tablespace)?;
    if let Some(common) = object::common_action(c, &address, false)? {
        return Ok(common);
    }
    if c.accept_any(&["SET", "RESET"]).is_none() {
        return Err(c.expected("SET, RESET, OWNER TO or RENAME TO"));
    }
    options::settings(c)?;
    Ok(StatementKind::Other(other("alter-tablespace", Some(address.object), vec![address.name])))
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn forms() {
        check(
            "CREATE SCHEMA IF NOT EXISTS app AUTHORIZATION joe",
            "CreateSchema(CreateSchema { name: Some(app), if_not_exists: true })",
        );
        check(
            "CREATE SCHEMA AUTHORIZATION joe CREATE TABLE t (a int) CREATE VIEW v AS SELECT 1",
            "CreateSchema(CreateSchema { name: Some(joe), elements: [Statement { kind: \
            CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"integer\" }) }] }) }, Statement { kind: \
            CreateView(CreateView { name: v, query: Query {} }) }] })",
        );
        check(
            "CREATE DATABASE d WITH OWNER = joe CONNECTION LIMIT 5",
            "Other(Other { what: \"create-database\", object: Some(Database), names: [d] })",
        );
        check(
            "ALTER DATABASE d SET TABLESPACE x",
            "Other(Other { what: \"alter-database\", object: Some(Database), names: [d], \
            options: [\"set tablespace\"] })",
        );
        check(
            "ALTER DATABASE d SET work_mem TO '1MB'",
            "Other(Other { what: \"alter-database\", object: Some(Database), names: [d], \
            options: [\"set work_mem\"] })",
        );
        check(
            "ALTER SYSTEM SET wal_level = logical",
            "Other(Other { what: \"alter-system\", options: [\"set wal_level\"] })",
        );
        check(
            "CREATE TABLESPACE x LOCATION '/x'",
            "Other(Other { what: \"create-tablespace\", object: Some(Tablespace), names: [x] \
            })",
        );
    }
}
