//! Transactions, settings, and other statements about the session.

use super::{names, other};
use crate::sql::ast::{LockTables, Set, SetScope, StatementKind, Transaction};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::lexer::TokenKind;

/// Takes a transaction command, its first word included.
pub(super) fn transaction(c: &mut Cursor<'_>) -> Parsed<Transaction> {
    let Some(verb) = c.accept_any(&[
        "BEGIN",
        "START",
        "COMMIT",
        "END",
        "ROLLBACK",
        "ABORT",
        "SAVEPOINT",
        "RELEASE",
        "PREPARE",
    ]) else {
        return Err(c.expected("a transaction command"));
    };
    let noise = |c: &mut Cursor<'_>| {
        c.accept_any(&["WORK", "TRANSACTION"]);
    };
    match verb {
        "BEGIN" => {
            noise(c);
            Ok(Transaction::Begin(modes(c)?))
        }
        "START" => {
            c.expect(&["TRANSACTION"])?;
            Ok(Transaction::Begin(modes(c)?))
        }
        "COMMIT" | "ROLLBACK" if c.accept(&["PREPARED"]) => {
            names::string(c)?;
            Ok(Transaction::FinishPrepared)
        }
        "COMMIT" | "END" => {
            noise(c);
            Ok(Transaction::Commit { chain: chain(c)? })
        }
        "SAVEPOINT" => Ok(Transaction::Savepoint(names::column_id(c, "a savepoint")?)),
        "RELEASE" => {
            c.accept(&["SAVEPOINT"]);
            Ok(Transaction::Release(names::column_id(c, "a savepoint")?))
        }
        "PREPARE" => {
            c.expect(&["TRANSACTION"])?;
            names::string(c)?;
            Ok(Transaction::Prepare)
        }
        _ => {
            noise(c);
            if verb == "ROLLBACK" && c.accept(&["TO"]) {
                c.accept(&["SAVEPOINT"]);
                return Ok(Transaction::RollbackTo(names::column_id(c, "a savepoint")?));
            }
            Ok(Transaction::Rollback { chain: chain(c)? })
        }
    }
}

fn chain(c: &mut Cursor<'_>) -> Parsed<bool> {
    if !c.accept(&["AND"]) {
        return Ok(false);
    }
    let no = c.accept(&["NO"]);
    c.expect(&["CHAIN"])?;
    Ok(!no)
}

/// Takes `ISOLATION LEVEL …, READ ONLY, DEFERRABLE`, commas optional.
fn modes(c: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    let mut modes = Vec::new();
    loop {
        let comma = !modes.is_empty() && c.accept_symbol(",");
        let mode = if c.accept(&["ISOLATION", "LEVEL"]) {
            format!("isolation level {}", isolation(c)?)
        } else if c.accept(&["READ"]) {
            match c.accept_any(&["ONLY", "WRITE"]) {
                Some(word) => format!("read {}", word.to_ascii_lowercase()),
                None => return Err(c.expected("ONLY or WRITE")),
            }
        } else if c.accept(&["DEFERRABLE"]) {
            "deferrable".to_owned()
        } else if c.accept(&["NOT", "DEFERRABLE"]) {
            "not deferrable".to_owned()
        } else if comma {
            return Err(c.expected("a transaction mode"));
        } else {
            return Ok(modes);
        };
        modes.push(mode);
    }
}

fn isolation(c: &mut Cursor<'_>) -> Parsed<&'static str> {
    let levels: [(&[&str], &'static str); 4] = [
        (&["READ", "UNCOMMITTED"], "read uncommitted"),
        (&["READ", "COMMITTED"], "read committed"),
        (&["REPEATABLE", "READ"], "repeatable read"),
        (&["SERIALIZABLE"], "serializable"),
    ];
    let found = levels.iter().find(|(words, _)| c.accept(words));
    found.map(|&(_, level)| level).ok_or_else(|| c.expected("an isolation level"))
}

/// Takes what follows `SET`.
pub(super) fn set(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    if c.accept(&["CONSTRAINTS"]) {
        if !c.accept(&["ALL"]) {
            names::qualified_list(c, "a constraint name")?;
        }
        if c.accept_any(&["DEFERRED", "IMMEDIATE"]).is_none() {
            return Err(c.expected("DEFERRED or IMMEDIATE"));
        }
        return Ok(StatementKind::Transaction(Transaction::SetConstraints));
    }
    let scope = match c.accept_any(&["LOCAL", "SESSION"]) {
        Some("LOCAL") => SetScope::Local,
        Some(_) if c.accept(&["CHARACTERISTICS", "AS", "TRANSACTION"]) => {
            modes(c)?;
            let name = "transaction characteristics".to_owned();
            let set = Set { name, value: None, scope: SetScope::Session, more: Vec::new() };
            return Ok(StatementKind::Set(set));
        }
        Some(_) | None => SetScope::Session,
    };
    if c.accept(&["TRANSACTION"]) {
        if c.accept(&["SNAPSHOT"]) {
            names::string(c)?;
        } else if modes(c)?.is_empty() {
            return Err(c.expected("a transaction mode"));
        }
        return Ok(StatementKind::Transaction(Transaction::SetMode));
    }
    let (name, value) = setting(c)?;
    Ok(StatementKind::Set(Set { name, value, scope, more: Vec::new() }))
}

/// Takes a setting and its value, as SET and `ALTER … SET` write them.
pub(super) fn setting(c: &mut Cursor<'_>) -> Parsed<(String, Option<String>)> {
    let special: &[(&[&str], &str)] = &[
        (&["TIME", "ZONE"], "timezone"),
        (&["SCHEMA"], "search_path"),
        (&["NAMES"], "client_encoding"),
        (&["ROLE"], "role"),
        (&["SESSION", "AUTHORIZATION"], "session_authorization"),
        (&["AUTHORIZATION"], "session_authorization"),
        (&["XML", "OPTION"], "xmloption"),
        (&["CATALOG"], "catalog"),
    ];
    let behind = |c: &Cursor<'_>, words: &[&str]| {
        matches!(c.text_at(words.len()), "=" | ".") || {
            words.len() == 1 && c.text_at(1).eq_ignore_ascii_case("to")
        }
    };
    for &(words, name) in special {
        if c.at(words) && !behind(c, words) {
            c.accept(words);
            let empty = c.is_at_end() && name == "client_encoding";
            let value = if empty { None } else { special_value(c)? };
            return Ok((name.to_owned(), value));
        }
    }
    let name = names::qualified(c, "a setting")?.to_string().to_ascii_lowercase();
    if c.accept(&["FROM", "CURRENT"]) {
        return Ok((name, None));
    }
    if !c.accept_symbol("=") && !c.accept(&["TO"]) {
        return Err(c.expected("= or TO"));
    }
    if c.accept(&["DEFAULT"]) {
        return Ok((name, None));
    }
    let values = names::list(c, value)?;
    Ok((name, Some(values.join(", "))))
}

/// Takes the value of `TIME ZONE`, `ROLE` and their like.
fn special_value(c: &mut Cursor<'_>) -> Parsed<Option<String>> {
    if c.accept_any(&["DEFAULT", "LOCAL"]).is_some() {
        return Ok(None);
    }
    if c.at(&["INTERVAL"]) {
        return Ok(Some(super::expr::call_like(c)?.text));
    }
    value(c).map(Some)
}

fn value(c: &mut Cursor<'_>) -> Parsed<String> {
    if names::at_string(c) {
        return names::string(c);
    }
    if names::at_kind(c, TokenKind::Number) || matches!(c.text_at(0), "-" | "+") {
        return names::integer(c);
    }
    if let Some(word) = c.accept_any(&["TRUE", "FALSE", "ON"]) {
        return Ok(word.to_ascii_lowercase());
    }
    Ok(names::word(c, "a value")?.value)
}

/// Takes what follows `RESET`, also in `ALTER … RESET`.
pub(super) fn reset(c: &mut Cursor<'_>) -> Parsed<Set> {
    let name = if c.accept(&["ALL"]) { "all".to_owned() } else { setting_name(c)? };
    Ok(Set { name, value: None, scope: SetScope::Session, more: Vec::new() })
}

fn setting_name(c: &mut Cursor<'_>) -> Parsed<String> {
    if c.accept(&["TIME", "ZONE"]) {
        return Ok("timezone".to_owned());
    }
    if c.accept(&["TRANSACTION", "ISOLATION", "LEVEL"]) {
        return Ok("transaction_isolation".to_owned());
    }
    if c.accept(&["SESSION", "AUTHORIZATION"]) {
        return Ok("session_authorization".to_owned());
    }
    Ok(names::qualified(c, "a setting")?.to_string().to_ascii_lowercase())
}

/// Takes what follows `SHOW`.
pub(super) fn show(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    if !c.accept(&["ALL"]) {
        setting_name(c)?;
    }
    Ok(StatementKind::Other(other("show", None, Vec::new())))
}

/// Takes what follows `LOCK`.
pub(super) fn lock(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    c.accept(&["TABLE"]);
    let mut only = Vec::new();
    let tables = names::list(c, |c| {
        let alone = c.at(&["ONLY"]);
        let table = super::from::relation(c)?;
        only.extend(alone.then(|| table.clone()));
        Ok(table)
    })?;
    let mut mode = "ACCESS EXCLUSIVE".to_owned();
    if c.accept(&["IN"]) {
        let modes: [&[&str]; 8] = [
            &["ACCESS", "SHARE"],
            &["ROW", "SHARE"],
            &["ROW", "EXCLUSIVE"],
            &["SHARE", "UPDATE", "EXCLUSIVE"],
            &["SHARE", "ROW", "EXCLUSIVE"],
            &["SHARE"],
            &["EXCLUSIVE"],
            &["ACCESS", "EXCLUSIVE"],
        ];
        match modes.iter().find(|words| c.accept(words)) {
            Some(words) => mode = words.join(" "),
            None => return Err(c.expected("a lock mode")),
        }
        c.expect(&["MODE"])?;
    }
    let nowait = c.accept(&["NOWAIT"]);
    Ok(StatementKind::Lock(LockTables {
        tables,
        read: Vec::new(),
        only,
        mode,
        nowait,
        unlock: false,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn forms() {
        check(
            "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY",
            "Transaction(Begin([\"isolation level serializable\", \"read only\"]))",
        );
        check("START TRANSACTION", "Transaction(Begin([]))");
        check("COMMIT AND CHAIN", "Transaction(Commit { chain: true })");
        check("END", "Transaction(Commit {})");
        check("ROLLBACK TO SAVEPOINT s", "Transaction(RollbackTo(s))");
        check("ROLLBACK", "Transaction(Rollback {})");
        check("SAVEPOINT s", "Transaction(Savepoint(s))");
        check("RELEASE s", "Transaction(Release(s))");
        check("PREPARE TRANSACTION 'x'", "Transaction(Prepare)");
        check("COMMIT PREPARED 'x'", "Transaction(FinishPrepared)");
        check(
            "SET LOCAL lock_timeout = '2s'",
            "Set(Set { name: \"lock_timeout\", value: Some(\"2s\"), scope: Local })",
        );
        check(
            "SET SESSION search_path TO app, \"$user\", DEFAULT",
            "! expected a value, found \"DEFAULT\"",
        );
        check(
            "SET search_path TO app, public",
            "Set(Set { name: \"search_path\", value: Some(\"app, public\"), scope: Session })",
        );
        check(
            "SET TIME ZONE 'UTC'",
            "Set(Set { name: \"timezone\", value: Some(\"UTC\"), scope: Session })",
        );
        check("SET ROLE joe", "Set(Set { name: \"role\", value: Some(\"joe\"), scope: Session })");
        check(
            "SET app.x = on",
            "Set(Set { name: \"app.x\", value: Some(\"on\"), scope: Session })",
        );
        check("SET a = -1", "Set(Set { name: \"a\", value: Some(\"-1\"), scope: Session })");
        check("SET TRANSACTION READ ONLY", "Transaction(SetMode)");
        check("SET CONSTRAINTS ALL DEFERRED", "Transaction(SetConstraints)");
        check("RESET ALL", "Set(Set { name: \"all\", scope: Session })");
        check("RESET lock_timeout", "Set(Set { name: \"lock_timeout\", scope: Session })");
        check("SHOW ALL", "Other(Other { what: \"show\" })");
        check(
            "LOCK TABLE ONLY a, b IN SHARE ROW EXCLUSIVE MODE NOWAIT",
            "Lock(LockTables { tables: [a, b], only: [a], mode: \"SHARE ROW EXCLUSIVE\", nowait: true })",
        );
        check("LOCK a", "Lock(LockTables { tables: [a], mode: \"ACCESS EXCLUSIVE\" })");
        check("SET a", "! expected = or TO, found the end of the statement");
        check("BEGIN x", "! expected the end of the statement, found \"x\"");
        check("COMMIT x", "! expected the end of the statement, found \"x\"");
    }
}
