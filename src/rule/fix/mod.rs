//! Rewrites of risky statements into their safe form.
//!
//! In: migrations, and for a statement the schema it meets. Out: the steps that replace it, and
//! from those the text of changed and new files. A rewrite is offered only where the schema after
//! it is the same as before; what the steps cost instead of what they replace is the reason.
//!
//! A step says how it wants to run: in a transaction with its neighbours, in one of its own, or in
//! none. [`files`] turns that into files by the convention of the folder: where the tool that runs
//! them wraps a file in one transaction, steps that do not fit into it move to files of their own.

mod files;
mod mysql;
mod postgres;
mod sqlite;

pub use files::{FileEdit, FixedMigration, files};

use crate::effect::StatementEffects;
use crate::schema::Schema;
use crate::sql::ast::Statement;
use crate::sql::{Lexer, Lexing, Migration, Script, ServerKind, Span, Token, TokenKind};

/// How one statement is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The rules whose findings it answers.
    pub rules: Vec<&'static str>,
    /// The statement it replaces.
    pub span: Span,
    /// What it does.
    pub kind: FixKind,
    /// What comes instead, in order.
    pub steps: Vec<Step>,
}

/// What a fix does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FixKind {
    /// CREATE INDEX becomes CREATE INDEX CONCURRENTLY.
    BuildConcurrently,
    /// DROP INDEX becomes DROP INDEX CONCURRENTLY.
    DropConcurrently,
    /// REINDEX becomes REINDEX … CONCURRENTLY.
    ReindexConcurrently,
    /// REFRESH becomes REFRESH … CONCURRENTLY.
    RefreshConcurrently,
    /// A CHECK or foreign key is added NOT VALID and validated later.
    ValidateLater,
    /// A key adopts an index that was built before.
    AdoptIndex,
    /// SET NOT NULL behind a CHECK that proves it (PostgreSQL before 18).
    ProveNotNull,
    /// NOT NULL is added NOT VALID and validated later (PostgreSQL 18 and later).
    ValidateNotNull,
    /// ALGORITHM and LOCK are written out (MySQL, MariaDB).
    NameAlgorithm,
    /// The table is built anew (SQLite).
    RebuildTable,
}

impl FixKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::BuildConcurrently,
        Self::DropConcurrently,
        Self::ReindexConcurrently,
        Self::RefreshConcurrently,
        Self::ValidateLater,
        Self::AdoptIndex,
        Self::ProveNotNull,
        Self::ValidateNotNull,
        Self::NameAlgorithm,
        Self::RebuildTable,
    ];

    /// Says what it does, in one line for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::BuildConcurrently => "build the index CONCURRENTLY: writes go on",
            Self::DropConcurrently => "drop the index CONCURRENTLY",
            Self::ReindexConcurrently => "rebuild the index CONCURRENTLY",
            Self::RefreshConcurrently => "refresh CONCURRENTLY: reads go on",
            Self::ValidateLater => "add it NOT VALID, validate it in a transaction of its own",
            Self::AdoptIndex => "build the index CONCURRENTLY, then adopt it",
            Self::ProveNotNull => "prove it by a validated CHECK first: no scan under a lock",
            Self::ValidateNotNull => "add NOT NULL as NOT VALID, then validate it",
            Self::NameAlgorithm => {
                "name ALGORITHM and LOCK: the server refuses instead of degrading"
            }
            Self::RebuildTable => "build the table anew, as SQLite has no such ALTER TABLE",
        }
    }
}

/// One statement of a fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The statement without its semicolon.
    pub sql: String,
    /// How it wants to run.
    pub runs: Runs,
}

/// How a statement wants to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// In the transaction of its neighbours, if there is one.
    WithNeighbours,
    /// In a transaction that begins with it: what came before is committed first.
    InNewTransaction,
    /// Outside of any transaction.
    WithoutTransaction,
}

/// Returns the safe form of a statement, if there is one that leads to the same schema.
///
/// `schema` is the schema before the statement, `effects` what it would do.
pub fn fix(
    migration: &Migration,
    statement: &Statement,
    schema: &Schema,
    effects: &StatementEffects,
) -> Option<Fix> {
    let script = &migration.up;
    match schema.server.kind {
        ServerKind::Postgres => postgres::fix(script, statement, schema),
        ServerKind::Mysql | ServerKind::Mariadb => mysql::fix(script, statement, schema, effects),
        ServerKind::Sqlite => sqlite::fix(migration, statement, schema),
    }
}

/// Returns the tokens of a statement with their words, comments left out.
fn tokens<'a>(script: &'a Script, statement: &Statement, schema: &Schema) -> Vec<(Token, &'a str)> {
    let text = script.section.source.text();
    let end = statement.span.end as usize;
    let placeholders = script.section.reading.placeholders;
    let lexing = Lexing { placeholders, ..Lexing::of(schema.server) };
    let mut lexer = Lexer::new(text.get(..end).unwrap_or(text), lexing);
    lexer.seek(statement.span.start as usize);
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next_token() {
        if token.kind != TokenKind::Comment {
            tokens.push((token, script.slice(token.span)));
        }
    }
    tokens
}

/// A change of some bytes of a statement.
struct Edit {
    at: Span,
    text: String,
}

/// Returns the text of a statement with changes made to it.
fn edited(script: &Script, statement: Span, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| edit.at.start);
    let mut out = String::new();
    let mut from = statement.start;
    for edit in edits {
        out.push_str(script.slice(Span::new(from, edit.at.start)));
        out.push_str(&edit.text);
        from = edit.at.end;
    }
    out.push_str(script.slice(Span::new(from, statement.end)));
    out
}

/// Returns a change that puts text behind a place.
fn insert_after(at: Span, text: &str) -> Edit {
    Edit { at: Span::new(at.end, at.end), text: text.to_owned() }
}
