//! What no column, index or CHECK may say, whatever table it is for.
//!
//! sqlite.org/lang_createtable.html; measured on SQLite 3.40 to 3.54, testdata/servers/sqlite.

use super::{SQL_ERROR, Scene, same};
use crate::sql::ast::{ColumnDef, ConstraintKind, Expr, ExprShape};

/// Functions that give another value each time (sqlite.org/deterministic.html).
const CHANGING: [&str; 5] =
    ["random", "randomblob", "changes", "total_changes", "last_insert_rowid"];

/// Functions over many rows; `max` and `min` are such with one argument.
const AGGREGATES: [&str; 6] = ["avg", "count", "group_concat", "string_agg", "sum", "total"];

impl Scene<'_> {
    /// Tells what is wrong with the clauses of a column.
    pub(super) fn column_clauses(&mut self, column: &ColumnDef) {
        let written = column.options.iter().find(|(name, _)| name == "collate");
        let collation = column.data_type.as_ref().and_then(|found| found.collation.as_deref());
        self.collation(collation.or(written.map(|(_, name)| name.as_str())));
        if let Some(generated) = &column.generated {
            self.expression(&generated.expr, "generated columns", true);
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
                self.expression(check, "CHECK constraints", false);
            }
        }
        let Some(default) = &column.default else { return };
        let is_column = default.shape == ExprShape::Column && default.text.starts_with('(');
        if is_column || default.has_subquery {
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

    /// What is kept with a row, or decides about it, is computed from that row alone
    /// (sqlite.org/gencol.html, section 2.3; sqlite.org/expridx.html, section 2). A CHECK may call
    /// what changes.
    pub(super) fn expression(&mut self, expr: &Expr, place: &str, lasting: bool) {
        let calls = |names: &[&str]| {
            let mut called = expr.functions.iter();
            called.any(|function| names.iter().any(|name| same(name, function.name())))
        };
        let text = expr.text.to_ascii_lowercase();
        let single = ["max(", "min("].iter().any(|call| {
            let rest = text.split_once(call).map(|(_, rest)| rest);
            rest.and_then(|rest| rest.split_once(')')).is_some_and(|(args, _)| !args.contains(','))
        });
        let detail = if expr.has_subquery {
            format!("subqueries prohibited in {place}")
        } else if lasting && calls(&CHANGING) {
            format!("non-deterministic functions prohibited in {place}")
        } else if calls(&AGGREGATES) || single {
            "misuse of aggregate function".to_owned()
        } else {
            return;
        };
        self.told.fails("type-mismatch", SQL_ERROR, detail);
    }
}

/// Says whether a name is one of the collations that are always there.
pub(super) fn is_collation(name: &str) -> bool {
    ["binary", "nocase", "rtrim"].iter().any(|known| same(known, name))
}
