//! Plain facts about what is written, straight from the syntax: types, names, options, grants.
//!
//! Policy rules match them. They say nothing about locks or work.

use super::{Effect, EffectKind};
use crate::schema::Schema;
use crate::sql::ast::Statement;

/// Adds the declarations of a statement, given the schema before it.
pub(super) fn declare(statement: &Statement, schema: &Schema, out: &mut Vec<Effect>) {
    let _ = (statement, schema, out);
    let _: Option<EffectKind> = None;
}
