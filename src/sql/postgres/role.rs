//! Roles, users and groups.

use super::{names, object, other, schema};
use crate::sql::ast::{ObjectKind, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::name::{Ident, ObjectName};

fn name(c: &mut Cursor<'_>) -> Parsed<ObjectName> {
    let start = c.position();
    let role = names::role(c)?;
    Ok(ObjectName::bare(Ident::new(role, c.span_from(start))))
}

/// Takes what follows `CREATE ROLE`, `CREATE USER`, `CREATE GROUP`.
pub(super) fn create(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let mut found = other("create-role", Some(ObjectKind::Role), vec![name(c)?]);
    c.accept(&["WITH"]);
    while let Some(word) = option(c)? {
        found.options.push(word);
    }
    Ok(StatementKind::Other(found))
}

/// Takes one option, where one is next, and returns its word.
fn option(c: &mut Cursor<'_>) -> Parsed<Option<String>> {
    const FLAGS: &[&str] = &[
        "SUPERUSER",
        "NOSUPERUSER",
        "CREATEDB",
        "NOCREATEDB",
        "CREATEROLE",
        "NOCREATEROLE",
        "LOGIN",
        "NOLOGIN",
        "REPLICATION",
        "NOREPLICATION",
        "BYPASSRLS",
        "NOBYPASSRLS",
        "INHERIT",
        "NOINHERIT",
        "CREATEUSER",
        "NOCREATEUSER",
    ];
    if let Some(word) = c.accept_any(FLAGS) {
        return Ok(Some(word.to_ascii_lowercase()));
    }
    c.accept_any(&["ENCRYPTED", "UNENCRYPTED"]);
    if c.accept(&["PASSWORD"]) {
        if !c.accept(&["NULL"]) {
            names::string(c)?;
        }
        return Ok(Some("password".to_owned()));
    }
    if c.accept(&["CONNECTION", "LIMIT"]) {
        names::integer(c)?;
        return Ok(Some("connection limit".to_owned()));
    }
    if c.accept(&["VALID", "UNTIL"]) {
        names::string(c)?;
        return Ok(Some("valid until".to_owned()));
    }
    if c.accept(&["SYSID"]) {
        names::integer(c)?;
        return Ok(Some("sysid".to_owned()));
    }
    if c.accept(&["IN"]) {
        if c.accept_any(&["ROLE", "GROUP"]).is_none() {
            return Err(c.expected("ROLE or GROUP"));
        }
        names::roles(c)?;
        return Ok(Some("in role".to_owned()));
    }
    if let Some(word) = c.accept_any(&["ADMIN", "ROLE", "USER"]) {
        names::roles(c)?;
        return Ok(Some(word.to_ascii_lowercase()));
    }
    Ok(None)
}

/// Takes what follows `ALTER ROLE`, `ALTER USER`, `ALTER GROUP`.
pub(super) fn alter(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let name = if c.accept(&["ALL"]) {
        ObjectName::bare(Ident::new("all", c.last_span()))
    } else {
        name(c)?
    };
    let address = object::Address::named(ObjectKind::Role, name);
    if c.at(&["RENAME"])
        && let Some(common) = object::common_action(c, &address, false)?
    {
        return Ok(common);
    }
    let mut found = other("alter-role", Some(ObjectKind::Role), vec![address.name]);
    if c.accept(&["IN", "DATABASE"]) {
        names::column_id(c, "a database")?;
        match schema::set_or_reset(c)? {
            Some(word) => found.options.push(word),
            None => return Err(c.expected("SET or RESET")),
        }
        return Ok(StatementKind::Other(found));
    }
    if let Some(word) = schema::set_or_reset(c)? {
        found.options.push(word);
        return Ok(StatementKind::Other(found));
    }
    if let Some(word) = c.accept_any(&["ADD", "DROP"]) {
        c.expect(&["USER"])?;
        names::roles(c)?;
        found.options.push(format!("{} user", word.to_ascii_lowercase()));
        return Ok(StatementKind::Other(found));
    }
    c.accept(&["WITH"]);
    while let Some(word) = option(c)? {
        found.options.push(word);
    }
    Ok(StatementKind::Other(found))
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn forms() {
        check(
            "CREATE ROLE joe WITH LOGIN PASSWORD 'x' IN ROLE a, b CONNECTION LIMIT 5",
            "Other(Other { what: \"create-role\", object: Some(Role), names: [joe], options: \
            [\"login\", \"password\", \"in role\", \"connection limit\"] })",
        );
        check(
            "ALTER ROLE joe IN DATABASE d SET search_path TO app",
            "Other(Other { what: \"alter-role\", object: Some(Role), names: [joe], options: \
            [\"set search_path\"] })",
        );
        check(
            "ALTER USER joe RENAME TO jane",
            "Rename(Rename { object: Role, pairs: [(joe, jane)] })",
        );
        check(
            "ALTER GROUP g ADD USER joe",
            "Other(Other { what: \"alter-role\", object: Some(Role), names: [g], options: \
            [\"add user\"] })",
        );
        check("CREATE ROLE joe LOGN", "! expected the end of the statement, found \"LOGN\"");
    }
}
