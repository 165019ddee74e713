//! Row level security policies.

use super::{expr, names, object};
use crate::sql::ast::{ObjectKind, Policy, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};

/// Takes what follows `CREATE POLICY`.
pub(super) fn create(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let name = names::column_id(c, "a policy name")?;
    c.expect(&["ON"])?;
    let table = names::qualified(c, "a table name")?;
    let mut policy = Policy {
        alter: false,
        name,
        table,
        restrictive: false,
        command: "all".to_owned(),
        roles: Vec::new(),
        using: None,
        with_check: None,
    };
    if c.accept(&["AS"]) {
        match c.accept_any(&["PERMISSIVE", "RESTRICTIVE"]) {
            Some(word) => policy.restrictive = word == "RESTRICTIVE",
            None => return Err(c.expected("PERMISSIVE or RESTRICTIVE")),
        }
    }
    if c.accept(&["FOR"]) {
        match c.accept_any(&["ALL", "SELECT", "INSERT", "UPDATE", "DELETE"]) {
            Some(word) => policy.command = word.to_ascii_lowercase(),
            None => return Err(c.expected("ALL, SELECT, INSERT, UPDATE or DELETE")),
        }
    }
    conditions(c, &mut policy)?;
    Ok(StatementKind::Policy(Box::new(policy)))
}

/// Takes what follows `ALTER POLICY`.
pub(super) fn alter(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let if_exists = names::if_exists(c);
    let address = object::address(c, ObjectKind::Policy)?;
    if let Some(common) = object::common_action(c, &address, if_exists)? {
        return Ok(common);
    }
    let (Some(name), Some(table)) = (address.name.parts.into_iter().next_back(), address.on) else {
        return Err(c.expected("a policy"));
    };
    let mut policy = Policy {
        alter: true,
        name,
        table,
        restrictive: false,
        command: "all".to_owned(),
        roles: Vec::new(),
        using: None,
        with_check: None,
    };
    conditions(c, &mut policy)?;
    Ok(StatementKind::Policy(Box::new(policy)))
}

fn conditions(c: &mut Cursor<'_>, policy: &mut Policy) -> Parsed<()> {
    if c.accept(&["TO"]) {
        policy.roles = names::roles(c)?;
    }
    if c.accept(&["USING"]) {
        policy.using = Some(expr::in_parentheses(c)?);
    }
    if c.accept(&["WITH"]) {
        c.expect(&["CHECK"])?;
        policy.with_check = Some(expr::in_parentheses(c)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn forms() {
        check(
            "CREATE POLICY p ON t AS RESTRICTIVE FOR SELECT TO PUBLIC, joe USING (a = \
            current_user) WITH CHECK (b)",
            "Policy(Policy { name: p, table: t, restrictive: true, command: \"select\", \
            roles: [\"public\", \"joe\"], using: Some(Expr { text: \"a = current_user\", \
            columns: [\"a\"], functions: [current_user] }), with_check: Some(Expr { text: \
            \"b\", columns: [\"b\"], shape: Column }) })",
        );
        check(
            "ALTER POLICY p ON t TO joe USING (true)",
            "Policy(Policy { alter: true, name: p, table: t, command: \"all\", roles: \
            [\"joe\"], using: Some(Expr { text: \"true\", shape: Literal }) })",
        );
        check(
            "ALTER POLICY p ON t RENAME TO q",
            "Rename(Rename { object: Policy, pairs: [(p, q)], on: Some(t) })",
        );
        check(
            "CREATE POLICY p ON t FOR MERGE",
            "! expected ALL, SELECT, INSERT, UPDATE or DELETE, found \"MERGE\"",
        );
    }
}
