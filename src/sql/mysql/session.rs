//! Transactions, settings and locks of MySQL and MariaDB.

use super::data_type::at_charset;
use super::name::{full_name, is_mariadb, name, name_or_string, wait};
use crate::sql::ast::{LockTables, ObjectKind, Other, Set, SetScope, StatementKind, Transaction};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::lexer::TokenKind;
use crate::sql::{expr, parse};

/// Reads a statement about the session, if it is one.
pub(super) fn statement(cursor: &mut Cursor<'_>) -> Parsed<Option<StatementKind>> {
    if cursor.accept(&["SET"]) {
        return set(cursor).map(Some);
    }
    if cursor.accept(&["XA"]) {
        return xa(cursor).map(Some);
    }
    if let Some(transaction) = transaction(cursor)? {
        return Ok(Some(StatementKind::Transaction(transaction)));
    }
    if cursor.accept(&["LOCK", "TABLES"]) || cursor.accept(&["LOCK", "TABLE"]) {
        return lock_tables(cursor).map(Some);
    }
    if cursor.accept(&["UNLOCK", "TABLES"]) || cursor.accept(&["UNLOCK", "TABLE"]) {
        return Ok(Some(StatementKind::Lock(LockTables {
            tables: Vec::new(),
            read: Vec::new(),
            mode: String::new(),
            only: Vec::new(),
            nowait: false,
            unlock: true,
        })));
    }
    Ok(None)
}

fn transaction(cursor: &mut Cursor<'_>) -> Parsed<Option<Transaction>> {
    let transaction = if cursor.accept(&["BEGIN"]) {
        cursor.accept(&["WORK"]);
        Transaction::Begin(Vec::new())
    } else if cursor.accept(&["START", "TRANSACTION"]) {
        Transaction::Begin(modes(cursor)?)
    } else if cursor.accept(&["COMMIT"]) {
        cursor.accept(&["WORK"]);
        Transaction::Commit { chain: completion(cursor)? }
    } else if cursor.accept(&["ROLLBACK"]) {
        cursor.accept(&["WORK"]);
        if cursor.accept(&["TO"]) {
            cursor.accept(&["SAVEPOINT"]);
            Transaction::RollbackTo(name(cursor)?)
        } else {
            Transaction::Rollback { chain: completion(cursor)? }
        }
    } else if cursor.accept(&["SAVEPOINT"]) {
        Transaction::Savepoint(name(cursor)?)
    } else if cursor.accept(&["RELEASE", "SAVEPOINT"]) {
        Transaction::Release(name(cursor)?)
    } else {
        return Ok(None);
    };
    Ok(Some(transaction))
}

fn modes(cursor: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    let mut modes = Vec::new();
    if cursor.is_at_end() {
        return Ok(modes);
    }
    loop {
        if cursor.accept(&["WITH", "CONSISTENT", "SNAPSHOT"]) {
            modes.push("with consistent snapshot".to_owned());
        } else if cursor.accept(&["READ", "ONLY"]) {
            modes.push("read only".to_owned());
        } else if cursor.accept(&["READ", "WRITE"]) {
            modes.push("read write".to_owned());
        } else {
            return Err(cursor.expected("READ ONLY, READ WRITE or WITH CONSISTENT SNAPSHOT"));
        }
        if !cursor.accept_symbol(",") {
            return Ok(modes);
        }
    }
}

/// Takes `[AND [NO] CHAIN] [[NO] RELEASE]` and says whether a new transaction follows at once.
fn completion(cursor: &mut Cursor<'_>) -> Parsed<bool> {
    let chain = cursor.accept(&["AND", "CHAIN"]);
    if !chain {
        cursor.accept(&["AND", "NO", "CHAIN"]);
    }
    if !cursor.accept(&["NO", "RELEASE"]) {
        cursor.accept(&["RELEASE"]);
    }
    Ok(chain)
}

fn xa(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let words = ["START", "BEGIN", "END", "PREPARE", "COMMIT", "ROLLBACK", "RECOVER"];
    let Some(word) = cursor.accept_any(&words) else {
        return Err(cursor.expected("START, END, PREPARE, COMMIT, ROLLBACK or RECOVER"));
    };
    if word != "RECOVER" && cursor.peek().is_none_or(|token| token.kind == TokenKind::Word) {
        return Err(cursor.expected("the name of a transaction"));
    }
    cursor.skip_rest();
    let transaction = match word {
        "START" | "BEGIN" => Transaction::Begin(vec!["xa".to_owned()]),
        "PREPARE" => Transaction::Prepare,
        "COMMIT" | "ROLLBACK" => Transaction::FinishPrepared,
        _ => return super::command::other(cursor, "xa", None),
    };
    Ok(StatementKind::Transaction(transaction))
}

fn lock_tables(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let (mut tables, mut read) = (Vec::new(), Vec::new());
    let mut mode = "READ";
    loop {
        let table = full_name(cursor)?;
        if cursor.accept(&["AS"]) || !at_lock_mode(cursor) {
            name(cursor)?;
        }
        if is_mariadb(cursor) {
            cursor.accept(&["LOW_PRIORITY"]);
        }
        if cursor.accept(&["WRITE"]) {
            mode = "WRITE";
            if is_mariadb(cursor) {
                cursor.accept(&["CONCURRENT"]);
            }
        } else {
            cursor.expect(&["READ"])?;
            cursor.accept(&["LOCAL"]);
            read.push(table.clone());
        }
        tables.push(table);
        if !cursor.accept_symbol(",") {
            break;
        }
    }
    let nowait = wait(cursor)? == Some(0);
    Ok(StatementKind::Lock(LockTables {
        tables,
        read,
        only: Vec::new(),
        mode: mode.to_owned(),
        nowait,
        unlock: false,
    }))
}

fn at_lock_mode(cursor: &Cursor<'_>) -> bool {
    ["READ", "WRITE", "LOW_PRIORITY"].iter().any(|word| cursor.at(&[word]))
}

/// Reads what follows SET.
fn set(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    if is_mariadb(cursor) && cursor.accept(&["STATEMENT"]) {
        return set_statement(cursor);
    }
    if let Some(kind) = set_account(cursor)? {
        return Ok(kind);
    }
    let start = cursor.position();
    let wider = cursor.accept_any(&["GLOBAL", "SESSION", "LOCAL"]).is_some();
    if cursor.accept(&["TRANSACTION"]) {
        let next = transaction_mode(cursor)?;
        // That of the session is for later transactions, and may be said at any time.
        return if wider {
            super::command::other(cursor, "set-transaction", None)
        } else {
            Ok(next)
        };
    }
    cursor.reset(start);
    let mut sets = assignments(cursor)?.into_iter();
    let Some(first) = sets.next() else { return Err(cursor.expected("an assignment")) };
    Ok(StatementKind::Set(Set { more: sets.collect(), ..first }))
}

fn transaction_mode(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    loop {
        let level = ["READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"];
        let mut words = level.iter().map(|text| text.split(' ').collect::<Vec<_>>());
        let known = if cursor.accept(&["ISOLATION", "LEVEL"]) {
            words.any(|words| cursor.accept(&words))
        } else {
            cursor.accept(&["READ", "ONLY"]) || cursor.accept(&["READ", "WRITE"])
        };
        if !known {
            return Err(cursor.expected("ISOLATION LEVEL, READ ONLY or READ WRITE"));
        }
        if !cursor.accept_symbol(",") {
            return Ok(StatementKind::Transaction(Transaction::SetMode));
        }
    }
}

/// Reads `SET PASSWORD`, `SET [DEFAULT] ROLE` and `SET RESOURCE GROUP`.
fn set_account(cursor: &mut Cursor<'_>) -> Parsed<Option<StatementKind>> {
    let password = cursor.at(&["PASSWORD"]) && !matches!(cursor.text_at(1), "," | "");
    let what = if password {
        "set-password"
    } else if cursor.at(&["DEFAULT", "ROLE"]) || (cursor.at(&["ROLE"]) && cursor.text_at(1) != "=")
    {
        "set-role"
    } else if !is_mariadb(cursor) && cursor.at(&["RESOURCE", "GROUP"]) {
        "set-resource-group"
    } else {
        return Ok(None);
    };
    cursor.skip_rest();
    let object = Some(ObjectKind::Role);
    let other = Other { what, object, names: Vec::new(), options: Vec::new() };
    Ok(Some(StatementKind::Other(other)))
}

fn set_statement(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let mut settings = assignments(cursor)?;
    for setting in &mut settings {
        setting.scope = SetScope::Statement;
    }
    cursor.expect(&["FOR"])?;
    // One inside another has no use, and no bottom.
    if cursor.is_at_end() || cursor.at(&["SET", "STATEMENT"]) {
        return Err(cursor.expected("a statement"));
    }
    let rest = cursor.sub(cursor.position(), cursor.tokens().len());
    let statement = Box::new(parse::statement(rest));
    cursor.skip_rest();
    Ok(StatementKind::SetStatement { settings, statement })
}

fn assignments(cursor: &mut Cursor<'_>) -> Parsed<Vec<Set>> {
    // The scope holds for the assignments behind it, too (manual, "SET Syntax for Variable
    // Assignment").
    let mut scope = SetScope::Session;
    let mut sets = Vec::new();
    loop {
        sets.push(assignment(cursor, &mut scope)?);
        if !cursor.accept_symbol(",") {
            return Ok(sets);
        }
    }
}

fn assignment(cursor: &mut Cursor<'_>, scope: &mut SetScope) -> Parsed<Set> {
    let new = |name: String, value: Option<String>, scope: SetScope| Set {
        name,
        value,
        scope,
        more: Vec::new(),
    };
    if cursor.accept(&["NAMES"]) {
        return Ok(new("names".to_owned(), charset_value(cursor)?, SetScope::Session));
    }
    if at_charset(cursor) {
        return Ok(new("character set".to_owned(), charset_value(cursor)?, SetScope::Session));
    }
    let scopes: &[&str] = if is_mariadb(cursor) {
        &["GLOBAL", "SESSION", "LOCAL"]
    } else {
        &["GLOBAL", "PERSIST", "PERSIST_ONLY", "SESSION", "LOCAL"]
    };
    match cursor.accept_any(scopes) {
        Some("SESSION" | "LOCAL") => *scope = SetScope::Session,
        Some("PERSIST_ONLY") => *scope = SetScope::NextStart,
        Some(_) => *scope = SetScope::Global,
        None => {}
    }
    let (name, scope) = variable(cursor, *scope)?;
    if !cursor.accept_symbol("=") {
        cursor.expect_symbol(":=")?;
    }
    Ok(new(name, value(cursor)?, scope))
}

fn charset_value(cursor: &mut Cursor<'_>) -> Parsed<Option<String>> {
    if cursor.accept(&["DEFAULT"]) {
        return Ok(None);
    }
    let charset = name_or_string(cursor)?;
    if cursor.accept(&["COLLATE"]) {
        name_or_string(cursor)?;
    }
    Ok(Some(charset))
}

/// Takes the name of a variable: `x`, `new.x`, `@x`, `@@x`, `@@global.x`.
fn variable(cursor: &mut Cursor<'_>, scope: SetScope) -> Parsed<(String, SetScope)> {
    let Some(token) = cursor.peek() else { return Err(cursor.expected("a variable")) };
    if token.kind != TokenKind::Variable {
        return Ok((full_name(cursor)?.to_string().to_lowercase(), scope));
    }
    cursor.advance();
    let text = cursor.slice(token.span).to_lowercase();
    let Some(system) = text.strip_prefix("@@") else {
        return Ok((text.replace(['`', '\'', '"'], ""), SetScope::Session));
    };
    let (prefix, name) = system.split_once('.').unwrap_or(("", system));
    let name = name.trim_matches('`').to_owned();
    match prefix {
        "global" | "persist" => Ok((name, SetScope::Global)),
        "persist_only" => Ok((name, SetScope::NextStart)),
        "" | "session" | "local" => Ok((name, SetScope::Session)),
        _ => Ok((system.to_owned(), SetScope::Session)),
    }
}

/// Takes the value: a string without its quotes, everything else as text.
fn value(cursor: &mut Cursor<'_>) -> Parsed<Option<String>> {
    let start = cursor.position();
    let expr = expr::until(cursor, &["FOR"])?;
    let mut alone = cursor.sub(start, cursor.position());
    if alone.accept(&["DEFAULT"]) && alone.is_at_end() {
        return Ok(None);
    }
    match alone.string() {
        Ok(text) if alone.is_at_end() => Ok(Some(text)),
        Ok(_) | Err(_) => Ok(Some(expr.text)),
    }
}
