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
mod user_type;
mod routine;
mod body;
mod plpgsql;
mod trigger;
mod policy;
mod schema;
mod extension;
mod role;
mod definition;
mod grant;
mod comment;
mod session;
mod shown;
mod maintenance;
mod copy;
mod command;
mod create;
mod alter;
#[cfg(test)]
mod check;

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
    if let Some(verb) = c.accept_any(command::VERBS) {
        return command::command(c, verb);
    }
    by_verb(c)
}

fn by_verb(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    type Grammar = fn(&mut Cursor<'_>) -> Parsed<StatementKind>;
    const GRAMMARS: &[(&[&str], Grammar)] = &[
        (&["CREATE"], create::create),
        (&["ALTER"], alter::alter),
        (&["DROP"], drop::drop),
        (&["COMMENT"], comment::comment),
        (&["SET"], session::set),
        (&["RESET"], |c| Ok(StatementKind::Set(session::reset(c)?))),
        (&["GRANT"], |c| grant::grant(c, false)),
        (&["REVOKE"], |c| grant::grant(c, true)),
        (&["DO"], body::anonymous),
        (&["EXPLAIN"], command::explain),
        (&["COPY"], copy::copy),
        (&["TRUNCATE"], maintenance::truncate),
        (&["VACUUM"], maintenance::vacuum),
        (&["ANALYZE"], maintenance::analyze),
        (&["ANALYSE"], maintenance::analyze),
        (&["CLUSTER"], maintenance::cluster),
        (&["CHECKPOINT"], maintenance::checkpoint),
        (&["REINDEX"], index::reindex),
        (&["REFRESH"], view::refresh),
        (&["LOCK"], session::lock),
        (&["SHOW"], session::show),
        (&["CALL"], command::call),
        (&["PREPARE"], command::prepare),
        (&["EXECUTE"], command::execute),
        (&["DECLARE"], copy::declare),
        (&["FETCH"], copy::fetch),
        (&["MOVE"], copy::fetch),
        (&["SECURITY", "LABEL"], comment::security_label),
        (&["IMPORT", "FOREIGN", "SCHEMA"], foreign::import),
    ];
    match GRAMMARS.iter().find(|(words, _)| c.accept(words)) {
        Some((_, grammar)) => grammar(c),
        None => Err(c.expected("a statement")),
    }
}

/// Returns a statement that is recognised by its first words alone.
fn other(what: &'static str, object: Option<ObjectKind>, names: Vec<ObjectName>) -> Other {
    Other { what, object, names, options: Vec::new() }
}
