//! Files to migrations to statements, every one with its place in the file.
//!
//! In: paths and texts. Out: [`Migration`]s whose [`ast::Statement`]s are our own small types. The
//! parser's types stay in here. A statement that is not understood becomes
//! [`ast::StatementKind::Unknown`] and hides none of its neighbours.

mod source;
mod server;
mod name;
mod quote;
mod lexer;
mod split;
pub mod ast;
mod migration;
pub mod layout;
mod parse;
mod cursor;
mod expr;
mod query;
mod postgres;
mod mysql;
mod sqlite;
mod nearest;
mod batch;
mod picked;
#[cfg(test)]
mod brief;

pub use batch::{Batch, Declared, Pace, batches, duration};
pub use cursor::SyntaxError;
pub use lexer::{Lexer, Lexing, Token, TokenKind};
pub use migration::{
    Convention, Delimiter, Migration, Reading, Script, Section, TransactionMode, Version,
};
pub use name::{Ident, ObjectName};
pub use nearest::nearest;
pub use parse::{parse, skim};
pub use quote::{ident, ident_if_needed, literal};
pub use server::{BadVersion, Server, ServerKind, ServerVersion, UnknownServer};
pub use source::{Position, Source, Span};
pub use split::{Piece, PieceKind, Pieces, split};
