//! Statements of MySQL and MariaDB.

use super::super::model::Schema;
use crate::sql::ast::Statement;

/// Runs a statement.
pub(super) fn apply(schema: &mut Schema, statement: &Statement) {
    super::apply_shared(schema, statement);
}
