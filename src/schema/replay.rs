//! Runs a statement on a schema.

use super::model::Schema;
use crate::sql::ast::Statement;

impl Schema {
    /// Changes the schema as the statement would.
    pub fn apply(&mut self, statement: &Statement) {
        let _ = statement;
    }
}
