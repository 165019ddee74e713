//! What no column, index or CHECK may say, whatever table it is for.
//!
//! sqlite.org/lang_createtable.html; measured on SQLite 3.40 to 3.54, testdata/servers/sqlite.

use super::{SQL_ERROR, Scene};
use crate::schema::{Place, Relation, is_collation, is_constant};
use crate::sql::ast::{ColumnDef, ConstraintKind};

impl Scene<'_> {
    /// Tells what is wrong with the clauses of a column of a table, which has it already.
    pub(super) fn column_clauses(&mut self, column: &ColumnDef, table: &Relation) {
        let written = column.options.iter().find(|(name, _)| name == "collate");
        let collation = column.data_type.as_ref().and_then(|found| found.collation.as_deref());
        self.collation(collation.or(written.map(|(_, name)| name.as_str())));
        if let Some(generated) = &column.generated {
            self.expression(&generated.expr, table, Place::Generated);
            if column.default.is_some() {
                let detail = "cannot use DEFAULT on a generated column".to_owned();
                self.told.fails("default-not-constant", SQL_ERROR, detail);
            }
            let keyed = |kind: &ConstraintKind| matches!(kind, ConstraintKind::PrimaryKey(_));
            if column.constraints.iter().any(|constraint| keyed(&constraint.kind)) {
                let detail = "generated columns cannot be part of the PRIMARY KEY".to_owned();
                self.told.fails("type-mismatch", SQL_ERROR, detail);
            }
        }
        for constraint in &column.constraints {
            if let ConstraintKind::Check(check) = &constraint.kind {
                self.expression(check, table, Place::Check);
            }
        }
        let Some(default) = &column.default else { return };
        if default.tree.get().is_some_and(|term| !is_constant(term)) {
            let detail = format!("default value of column [{}] is not constant", column.name);
            self.told.fails("default-not-constant", SQL_ERROR, detail);
        }
    }

    /// A collation is one of those that are always there, unless a program brings others.
    pub(super) fn collation(&mut self, name: Option<&str>) {
        let Some(name) = name.filter(|name| !is_collation(name)) else { return };
        let detail = format!("no such collation sequence: {name}");
        self.told.fails("missing-object", SQL_ERROR, detail);
    }
}
