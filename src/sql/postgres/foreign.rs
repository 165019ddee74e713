//! Foreign data wrappers, servers, user mappings, IMPORT FOREIGN SCHEMA.

use super::{names, object, options, other};
use crate::sql::ast::{ObjectKind, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::name::{Ident, ObjectName};

/// Takes `FOR role SERVER server`; the name is `role.server`.
pub(super) fn mapping(c: &mut Cursor<'_>) -> Parsed<ObjectName> {
    c.expect(&["FOR"])?;
    let start = c.position();
    let role = if c.accept(&["USER"]) { "user".to_owned() } else { names::role(c)? };
    let role = Ident::new(role, c.span_from(start));
    c.expect(&["SERVER"])?;
    let server = names::column_id(c, "a server")?;
    Ok(super::drop::pair(role, server))
}

/// Takes what follows `CREATE USER MAPPING` or `ALTER USER MAPPING`.
pub(super) fn user_mapping(c: &mut Cursor<'_>, alter: bool) -> Parsed<StatementKind> {
    let if_not_exists = !alter && names::if_not_exists(c);
    let name = mapping(c)?;
    if !options::optional_foreign(c)? && alter {
        return Err(c.expected("OPTIONS"));
    }
    let what = if alter { "alter-user-mapping" } else { "create-user-mapping" };
    let mut found = other(what, Some(ObjectKind::UserMapping), vec![name]);
    found.options.extend(if_not_exists.then(|| "if not exists".to_owned()));
    Ok(StatementKind::Other(found))
}

/// Takes what follows `CREATE FOREIGN DATA WRAPPER`.
pub(super) fn create_wrapper(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let name = ObjectName::bare(names::column_id(c, "a name")?);
    let object = Some(ObjectKind::ForeignDataWrapper);
    let mut found = other("create-foreign-data-wrapper", object, vec![name]);
    found.options = wrapper_functions(c)?;
    options::optional_foreign(c)?;
    Ok(StatementKind::Other(found))
}

/// Takes the functions of a wrapper: `handler f` or `no handler`, and the same of the validator.
fn wrapper_functions(c: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    let mut found = Vec::new();
    loop {
        if let Some(word) = c.accept_any(&["HANDLER", "VALIDATOR"]) {
            let function = names::qualified(c, "a function name")?;
            found.push(format!("{} {function}", word.to_ascii_lowercase()));
        } else if c.accept(&["NO", "HANDLER"]) {
            found.push("no handler".to_owned());
        } else if c.accept(&["NO", "VALIDATOR"]) {
            found.push("no validator".to_owned());
        } else {
            return Ok(found);
        }
    }
}

/// Takes what follows `ALTER FOREIGN DATA WRAPPER`.
pub(super) fn alter_wrapper(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let address = object::address(c, ObjectKind::ForeignDataWrapper)?;
    if let Some(common) = object::common_action(c, &address, false)? {
        return Ok(common);
    }
    let functions = wrapper_functions(c)?;
    if !options::optional_foreign(c)? && functions.is_empty() {
        return Err(c.expected("HANDLER, VALIDATOR, OPTIONS, OWNER TO or RENAME TO"));
    }
    let object = Some(address.object);
    let mut found = other("alter-foreign-data-wrapper", object, vec![address.name]);
    found.options = functions;
    Ok(StatementKind::Other(found))
}

/// Takes what follows `CREATE SERVER`.
pub(super) fn create_server(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let if_not_exists = names::if_not_exists(c);
    let name = ObjectName::bare(names::column_id(c, "a server name")?);
    if c.accept(&["TYPE"]) {
        names::string(c)?;
    }
    version(c)?;
    c.expect(&["FOREIGN", "DATA", "WRAPPER"])?;
    let wrapper = ObjectName::bare(names::column_id(c, "a foreign data wrapper")?);
    options::optional_foreign(c)?;
    let mut found = other("create-server", Some(ObjectKind::Server), vec![name, wrapper]);
    found.options.extend(if_not_exists.then(|| "if not exists".to_owned()));
    Ok(StatementKind::Other(found))
}

fn version(c: &mut Cursor<'_>) -> Parsed<bool> {
    if !c.accept(&["VERSION"]) {
        return Ok(false);
    }
    if !c.accept(&["NULL"]) {
        names::string(c)?;
    }
    Ok(true)
}

/// Takes what follows `ALTER SERVER`.
pub(super) fn alter_server(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let address = object::address(c, ObjectKind::Server)?;
    if let Some(common) = object::common_action(c, &address, false)? {
        return Ok(common);
    }
    let version = version(c)?;
    if !options::optional_foreign(c)? && !version {
        return Err(c.expected("VERSION, OPTIONS, OWNER TO or RENAME TO"));
    }
    Ok(StatementKind::Other(other("alter-server", Some(address.object), vec![address.name])))
}

/// Takes what follows `IMPORT FOREIGN SCHEMA`.
pub(super) fn import(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    names::column_id(c, "a schema")?;
    if c.accept(&["LIMIT", "TO"]) || c.accept(&["EXCEPT"]) {
        c.expect_symbol("(")?;
        names::list(c, super::from::relation)?;
        c.expect_symbol(")")?;
    }
    c.expect(&["FROM", "SERVER"])?;
    let server = ObjectName::bare(names::column_id(c, "a server")?);
    c.expect(&["INTO"])?;
    let schema = ObjectName::bare(names::column_id(c, "a schema")?);
    options::optional_foreign(c)?;
    Ok(StatementKind::Other(other(
        "import-foreign-schema",
        Some(ObjectKind::Schema),
        vec![schema, server],
    )))
}
