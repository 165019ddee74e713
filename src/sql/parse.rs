//! A section of a file to its statements.

use super::ast::{Statement, StatementKind};
use super::cursor::{Cursor, Parsed};
use super::lexer::Lexing;
use super::migration::{Script, Section};
use super::server::{Server, ServerKind};
use super::split::{PieceKind, split_each};

/// Splits a section and reads its statements.
pub fn parse(section: Section, server: Server) -> Script {
    let text = section.source.text();
    let lexing = Lexing { placeholders: section.reading.placeholders, ..Lexing::of(server) };
    let mut statements: Vec<Statement> = Vec::new();
    let mut others = Vec::new();
    let comments = split_each(text, lexing, section.range, &section.reading, |piece, tokens| {
        if piece.kind != PieceKind::Statement {
            others.push(piece);
            return;
        }
        let mut read = statement(Cursor::new(text, tokens, server));
        if statements.len() > MANY {
            forget_rows(&mut read);
        }
        statements.push(read);
    });
    statements.shrink_to_fit();
    Script { section, statements, comments, others }
}

/// From how many statements on a file is data rather than schema work.
const MANY: usize = 1_000;

/// What an INSERT writes decides at most which partitions it locks: in a file of data, all may be.
fn forget_rows(statement: &mut Statement) {
    if let StatementKind::Dml(dml) = &mut statement.kind {
        dml.rows = None;
        dml.columns.shrink_to_fit();
        dml.targets.shrink_to_fit();
    }
}

/// Reads one statement; what is not understood says why.
pub(super) fn statement(mut cursor: Cursor<'_>) -> Statement {
    let kind = match grammar(&mut cursor).and_then(|kind| ended(&mut cursor, kind)) {
        Ok(kind) => kind,
        Err(error) => StatementKind::Unknown { reason: error.message, at: Some(error.at) },
    };
    cursor.statement(kind)
}

/// Nothing follows a statement but, behind CREATE TABLE, options that a tool puts in.
fn ended(cursor: &mut Cursor<'_>, kind: StatementKind) -> Parsed<StatementKind> {
    if matches!(kind, StatementKind::CreateTable(_)) && cursor.at_placeholder() {
        cursor.advance();
    }
    cursor.end().map(|()| kind)
}

fn grammar(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    match cursor.server().kind {
        ServerKind::Postgres => super::postgres::statement(cursor),
        ServerKind::Mysql | ServerKind::Mariadb => super::mysql::statement(cursor),
        ServerKind::Sqlite => super::sqlite::statement(cursor),
    }
}
