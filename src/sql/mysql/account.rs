//! GRANT and REVOKE of MySQL and MariaDB.

use super::index::at_account;
use super::name::{
    account, full_name, is_mariadb, is_reserved, mariadb_since, mysql_since, name, name_list,
};
use crate::sql::ast::{Grant, ObjectKind, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::name::{Ident, ObjectName};

/// Reads what follows GRANT.
pub(super) fn grant(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    privileges(cursor, false)
}

/// Reads what follows REVOKE.
pub(super) fn revoke(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    if mysql_since(cursor, 8, 0, 30) {
        cursor.accept(&["IF", "EXISTS"]);
    } else if is_mariadb(cursor) {
        cursor.accept(&["ADMIN", "OPTION", "FOR"]);
    }
    privileges(cursor, true)
}

fn privileges(cursor: &mut Cursor<'_>, revoke: bool) -> Parsed<StatementKind> {
    let direction = if revoke { "FROM" } else { "TO" };
    let mut grant = Grant {
        revoke,
        privileges: Vec::new(),
        columns: Vec::new(),
        object: ObjectKind::Role,
        names: Vec::new(),
        signatures: Vec::new(),
        all_in_schema: Vec::new(),
        grantees: Vec::new(),
        grant_option: false,
        cascade: false,
    };
    loop {
        let privilege = privilege(cursor, direction, &mut grant.columns)?;
        grant.privileges.push(privilege);
        if !cursor.accept_symbol(",") {
            break;
        }
    }
    if cursor.accept(&["ON"]) {
        target(cursor, &mut grant)?;
    } else {
        roles(cursor, &grant)?;
    }
    cursor.expect(&[direction])?;
    loop {
        if !at_account(cursor) {
            return Err(cursor.expected("an account"));
        }
        grant.grantees.push(account(cursor)?);
        identified(cursor)?;
        if !cursor.accept_symbol(",") {
            break;
        }
    }
    options(cursor, &mut grant);
    Ok(StatementKind::Grant(grant))
}

/// Without ON the names are roles: none is a reserved word, but for REVOKE ALL.
fn roles(cursor: &Cursor<'_>, grant: &Grant) -> Parsed<()> {
    let all = grant.revoke && grant.privileges.first().is_some_and(|first| first == "all");
    let reserved = |role: &String| is_reserved(role, cursor.server());
    let several = is_mariadb(cursor) && grant.privileges.len() > 1;
    if !all && (several || grant.privileges.iter().any(reserved)) {
        return Err(cursor.expected("ON"));
    }
    Ok(())
}

/// Takes a privilege (`SELECT`, `ALL PRIVILEGES`, `SELECT (a, b)`) or a role.
fn privilege(cursor: &mut Cursor<'_>, direction: &str, columns: &mut Vec<Ident>) -> Parsed<String> {
    let mut words: Vec<String> = Vec::new();
    if cursor.peek().is_some_and(|token| token.kind == crate::sql::lexer::TokenKind::String) {
        return account(cursor);
    }
    while !cursor.at(&["ON"]) && !cursor.at(&[direction]) && cursor.at_name() {
        let start = cursor.position();
        cursor.advance();
        if cursor.peek().is_some_and(|t| t.kind == crate::sql::lexer::TokenKind::Variable) {
            cursor.reset(start);
            return account(cursor);
        }
        words.push(cursor.slice(cursor.span_from(start)).trim_matches('`').to_ascii_lowercase());
    }
    if words.is_empty() {
        return Err(cursor.expected("a privilege"));
    }
    if cursor.at_symbol("(") {
        columns.extend(name_list(cursor)?);
    }
    if words == ["all", "privileges"] {
        words.truncate(1);
    }
    Ok(words.join(" "))
}

/// Takes what stands behind ON: `*`, `*.*`, `db.*`, a table, a routine, an account.
fn target(cursor: &mut Cursor<'_>, grant: &mut Grant) -> Parsed<()> {
    let mut kinds = vec!["TABLE", "FUNCTION", "PROCEDURE"];
    kinds.extend(mariadb_since(cursor, 11, 4).then_some("PACKAGE"));
    let object = match cursor.accept_any(&kinds) {
        Some("FUNCTION") => ObjectKind::Function,
        Some("PROCEDURE") => ObjectKind::Procedure,
        Some("PACKAGE") => ObjectKind::Package,
        Some(_) | None => ObjectKind::Table,
    };
    if object == ObjectKind::Package {
        cursor.accept(&["BODY"]);
    }
    if cursor.accept_symbol("*") {
        grant.object = ObjectKind::Schema;
        if cursor.accept_symbol(".") {
            cursor.expect_symbol("*")?;
            grant.object = ObjectKind::Database;
        }
        return Ok(());
    }
    if grant.privileges == ["proxy"] {
        account(cursor)?;
        return Ok(());
    }
    if cursor.text_at(1) == "." && cursor.text_at(2) == "*" {
        grant.object = ObjectKind::Schema;
        grant.names.push(ObjectName::bare(name(cursor)?));
        cursor.expect_symbol(".")?;
        return cursor.expect_symbol("*");
    }
    grant.object = object;
    grant.names.push(full_name(cursor)?);
    Ok(())
}

/// Takes `IDENTIFIED BY 'password'` and its like (MariaDB).
fn identified(cursor: &mut Cursor<'_>) -> Parsed<()> {
    if !is_mariadb(cursor) || !cursor.accept(&["IDENTIFIED"]) {
        return Ok(());
    }
    while !cursor.is_at_end() && !cursor.at_symbol(",") && !cursor.at(&["WITH", "GRANT"]) {
        cursor.advance();
    }
    Ok(())
}

/// Takes REQUIRE, WITH … OPTION, AS, resource limits: whatever is left.
fn options(cursor: &mut Cursor<'_>, grant: &mut Grant) {
    let starts: &[&str] =
        if is_mariadb(cursor) { &["REQUIRE", "WITH"] } else { &["WITH", "AS", "IGNORE"] };
    if !starts.iter().any(|word| cursor.at(&[word])) {
        return;
    }
    while !cursor.is_at_end() {
        grant.grant_option |= cursor.at(&["GRANT", "OPTION"]) || cursor.at(&["ADMIN", "OPTION"]);
        cursor.advance();
    }
}
