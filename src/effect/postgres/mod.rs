//! What PostgreSQL does when it runs a statement.

use super::{Context, StatementEffects};
use crate::schema::Schema;
use crate::sql::ast::Statement;

/// Returns the effects of one statement.
pub(super) fn effects(
    statement: &Statement,
    schema: &Schema,
    context: &Context,
) -> StatementEffects {
    let _ = (statement, schema, context);
    StatementEffects::default()
}
