//! The grammar of PostgreSQL up to version 18.
//!
//! In: the tokens of one statement. Out: our own small statement, or a syntax error with its place.
//! Every file reads one family of statements; `expr`, `select` and `from` read what they share.

mod names;
mod types;
mod options;
mod found;
mod expr;
mod call;
mod documents;
mod window;
mod from;
mod select;
mod dml;
mod object;
mod table;
mod column;
mod constraint;
mod partition;
mod alter_table;
mod alter_column;
mod index;
mod sequence;
mod view;
mod drop;
mod foreign;
mod routine;
mod session;
mod maintenance;
mod create;
mod alter;

use super::ast::{ObjectKind, Other, StatementKind};
use super::cursor::{Cursor, Parsed};
use super::name::ObjectName;

/// Reads one statement to its end.
pub(super) fn statement(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    const TRANSACTIONS: &[&str] =
        &["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"];
    const QUERIES: &[&str] =
        &["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES", "TABLE", "MERGE"];
    let c = cursor;
    if c.at_symbol("(") || QUERIES.iter().any(|word| c.at(&[word])) {
        return dml::statement(c);
    }
    let transaction = TRANSACTIONS.iter().any(|word| c.at(&[word]));
    if transaction || c.at(&["PREPARE", "TRANSACTION"]) {
        return Ok(StatementKind::Transaction(session::transaction(c)?));
    }
    let Some(verb) = c.accept_any(&[
        "CREATE", "ALTER", "DROP", "SET", "RESET", "SHOW", "TRUNCATE", "VACUUM", "ANALYZE",
        "ANALYSE", "CLUSTER", "REINDEX", "REFRESH", "LOCK", "IMPORT",
    ]) else {
        return Err(c.expected("a statement"));
    };
    match verb {
        "CREATE" => create::create(c),
        "ALTER" => alter::alter(c),
        "DROP" => drop::drop(c),
        "SET" => session::set(c),
        "RESET" => Ok(StatementKind::Set(session::reset(c)?)),
        "SHOW" => session::show(c),
        "TRUNCATE" => maintenance::truncate(c),
        "VACUUM" => maintenance::vacuum(c),
        "CLUSTER" => maintenance::cluster(c),
        "REINDEX" => index::reindex(c),
        "REFRESH" => view::refresh(c),
        "LOCK" => session::lock(c),
        "IMPORT" => {
            c.expect(&["FOREIGN", "SCHEMA"])?;
            foreign::import(c)
        }
        _ => maintenance::analyze(c),
    }
}

/// Returns a statement that is recognised by its first words alone.
fn other(what: &'static str, object: Option<ObjectKind>, names: Vec<ObjectName>) -> Other {
    Other { what, object, names, options: Vec::new() }
}
