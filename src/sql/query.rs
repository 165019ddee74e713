//! Queries and data changes: what they read, write and lock.

use super::ast::{Dml, Query};
use super::cursor::{Cursor, Parsed};

/// Returns what the query that all tokens of a cursor make touches.
pub(super) fn query(cursor: &Cursor<'_>) -> Query {
    let _ = cursor;
    Query::default()
}

/// Reads SELECT, INSERT, UPDATE, DELETE, MERGE, REPLACE, WITH, VALUES or TABLE to the end.
pub(super) fn dml(cursor: &mut Cursor<'_>) -> Parsed<Dml> {
    Err(cursor.expected("a query"))
}
