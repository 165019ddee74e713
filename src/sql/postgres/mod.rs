//! The grammar of PostgreSQL.

use super::ast::StatementKind;
use super::cursor::{Cursor, Parsed};

/// Reads one statement to its end.
pub(super) fn statement(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    Err(cursor.expected("a statement"))
}
