//! `DROP` of anything.

use super::{names, object};
use crate::sql::ast::{Drop, ObjectKind, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::name::{Ident, ObjectName};

/// Takes what follows `DROP`.
pub(super) fn drop(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    if c.accept(&["OWNED", "BY"]) {
        let roles = names::roles(c)?;
        let mut other = super::other("drop-owned", None, Vec::new());
        other.options = roles;
        names::cascade(c);
        return Ok(StatementKind::Other(other));
    }
    if c.accept(&["USER", "MAPPING"]) {
        return user_mapping(c);
    }
    if c.accept_any(&["ROLE", "USER", "GROUP"]).is_some() {
        return of_kind(c, ObjectKind::Role);
    }
    match object::kind(c) {
        Some(object) => of_kind(c, object),
        None => Err(c.expected("TABLE, INDEX, VIEW or another kind of object")),
    }
}

fn empty(object: ObjectKind) -> Drop {
    Drop {
        object,
        names: Vec::new(),
        signatures: Vec::new(),
        on_table: None,
        if_exists: false,
        cascade: false,
        concurrently: false,
        temporary: false,
        algorithm: None,
        lock: None,
        wait_seconds: None,
    }
}

fn of_kind(c: &mut Cursor<'_>, object: ObjectKind) -> Parsed<StatementKind> {
    use ObjectKind as K;
    if matches!(object, K::Column | K::Constraint | K::LargeObject) {
        return Err(c.expected("a kind of object that can be dropped by itself"));
    }
    let mut drop = empty(object);
    drop.concurrently = object == K::Index && c.accept(&["CONCURRENTLY"]);
    drop.if_exists = names::if_exists(c);
    let one = matches!(
        object,
        K::Trigger
            | K::Rule
            | K::Policy
            | K::Cast
            | K::Transform
            | K::OperatorClass
            | K::OperatorFamily
            | K::Database
            | K::Subscription
            | K::Tablespace
            | K::Language
    );
    loop {
        let address = object::address(c, object)?;
        drop.names.push(address.name);
        drop.signatures.push(address.signature);
        drop.on_table = address.on;
        if one || !c.accept_symbol(",") {
            break;
        }
    }
    if object == K::Database {
        force(c)?;
    } else if !matches!(object, K::Role | K::Tablespace) {
        drop.cascade = names::cascade(c);
    }
    Ok(StatementKind::Drop(drop))
}

/// Takes `[WITH] (FORCE)`, where it is next.
fn force(c: &mut Cursor<'_>) -> Parsed<()> {
    let with = c.accept(&["WITH"]);
    if with || c.at_symbol("(") {
        c.expect_symbol("(")?;
        names::list(c, |c| c.expect(&["FORCE"]))?;
        c.expect_symbol(")")?;
    }
    Ok(())
}

fn user_mapping(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let if_exists = names::if_exists(c);
    let name = super::foreign::mapping(c)?;
    Ok(StatementKind::Drop(Drop {
        names: vec![name],
        signatures: vec![None],
        if_exists,
        ..empty(ObjectKind::UserMapping)
    }))
}

/// Returns a name of two parts.
pub(super) fn pair(first: Ident, second: Ident) -> ObjectName {
    ObjectName { parts: vec![first, second] }
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn kinds() {
        check(
            "DROP TABLE IF EXISTS a, app.b CASCADE",
            "Drop(Drop { object: Table, names: [a, app.b], signatures: [None, None], \
            if_exists: true, cascade: true })",
        );
        check(
            "DROP INDEX CONCURRENTLY i",
            "Drop(Drop { object: Index, names: [i], signatures: [None], concurrently: true })",
        );
        check(
            "DROP FUNCTION f(a int, OUT b text), g",
            "Drop(Drop { object: Function, names: [f, g], signatures: [Some(Signature { types: \
            [DataType { name: \"integer\" }, DataType { name: \"text\" }], input: [DataType { \
            name: \"integer\" }] }), None] })",
        );
        check(
            "DROP AGGREGATE s (*)",
            "Drop(Drop { object: Aggregate, names: [s], signatures: [Some(Signature {})] })",
        );
        check(
            "DROP TRIGGER g ON t",
            "Drop(Drop { object: Trigger, names: [g], signatures: [None], on_table: Some(t) \
            })",
        );
        check(
            "DROP OPERATOR app.+ (int, NONE)",
            "Drop(Drop { object: Operator, names: [app.+], signatures: [Some(Signature { types: \
            [DataType { name: \"integer\" }] })] })",
        );
        check(
            "DROP TYPE IF EXISTS app.ty[]",
            "Drop(Drop { object: Type, names: [app.ty], signatures: [None], if_exists: true \
            })",
        );
        check(
            "DROP SCHEMA a, b",
            "Drop(Drop { object: Schema, names: [a, b], signatures: [None, None] })",
        );
        check(
            "DROP USER MAPPING IF EXISTS FOR joe SERVER s",
            "Drop(Drop { object: UserMapping, names: [joe.s], signatures: [None], if_exists: \
            true })",
        );
        check(
            "DROP OWNED BY joe CASCADE",
            "Other(Other { what: \"drop-owned\", options: [\"joe\"] })",
        );
        check(
            "DROP DATABASE d WITH (FORCE)",
            "Drop(Drop { object: Database, names: [d], signatures: [None] })",
        );
        check(
            "DROP CAST (text AS int)",
            "Drop(Drop { object: Cast, names: [(text AS int)], signatures: [Some(Signature { \
            types: [DataType { name: \"text\" }, DataType { name: \"integer\" }] })] })",
        );
        check(
            "DROP ROLE joe, jane",
            "Drop(Drop { object: Role, names: [joe, jane], signatures: [None, None] })",
        );
        check(
            "DROP TABEL t",
            "! expected TABLE, INDEX, VIEW or another kind of object, found \"TABEL\"",
        );
        check("DROP TABLE", "! expected a name, found the end of the statement");
        check("DROP TABLE a b", "! expected the end of the statement, found \"b\"");
        check("DROP POLICY p", "! expected ON, found the end of the statement");
    }
}
