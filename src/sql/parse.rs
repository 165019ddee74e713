//! A section of a file to its statements.

use super::ast::{Statement, StatementKind};
use super::cursor::{Cursor, Parsed};
use super::lexer::Lexing;
use super::migration::{Script, Section};
use super::server::{Server, ServerKind};
use super::split::{Piece, PieceKind, Pieces, split};

/// Splits a section and reads its statements.
pub fn parse(section: Section, server: Server) -> Script {
    let text = section.source.text();
    let lexing = Lexing { placeholders: section.reading.placeholders, ..Lexing::of(server) };
    let pieces = split(text, lexing, section.range, &section.reading);
    let Pieces { tokens, comments, pieces } = pieces;
    let mut statements = Vec::new();
    let mut others = Vec::new();
    for piece in pieces {
        if piece.kind == PieceKind::Statement {
            let tokens = tokens.get(piece.tokens.clone()).unwrap_or(&[]);
            statements.push(statement(Cursor::new(text, tokens, server)));
        } else {
            others.push(Piece { tokens: 0..0, ..piece });
        }
    }
    Script { section, statements, comments, others }
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
