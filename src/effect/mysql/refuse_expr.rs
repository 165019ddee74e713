//! What the servers refuse in the expressions of a table: of generated columns, defaults, checks
//! and indexes.
//!
//! MySQL manual, CREATE TABLE and Generated Columns, Data Type Default Values, CHECK Constraints;
//! MariaDB manual, Generated Columns; measured on MariaDB 10.11, 11.8 and MySQL 9.7,
//! testdata/servers.

use super::definition::{is_now, is_stored, outside_quotes};
use super::{Scene, same};
use crate::schema::{Column, Relation};
use crate::sql::ast::{ColumnDef, Expr, ExprShape};

/// Where an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A generated column that is computed when it is read.
    Virtual,
    /// One that is computed when its row is written.
    Stored,
    /// A default.
    Default,
    /// A CHECK.
    Check,
    /// An index over an expression.
    Index,
}

/// Functions that no expression of a table may call.
const NEVER: &[&str] = &[
    "benchmark",
    "found_rows",
    "get_lock",
    "is_free_lock",
    "is_used_lock",
    "last_insert_id",
    "load_file",
    "master_pos_wait",
    "name_const",
    "release_all_locks",
    "release_lock",
    "row_count",
    "sleep",
    "source_pos_wait",
    "values",
];

/// Functions whose value depends on the session or the time.
const PASSING: &[&str] = &[
    "connection_id",
    "curdate",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "curtime",
    "database",
    "localtime",
    "localtimestamp",
    "now",
    "rand",
    "random_bytes",
    "schema",
    "session_user",
    "sysdate",
    "system_user",
    "user",
    "utc_date",
    "utc_time",
    "utc_timestamp",
    "uuid",
    "uuid_short",
    "version",
];

/// Functions whose value depends on the language or the time zone of the session: MariaDB keeps
/// none.
const LOCAL: &[&str] = &["date_format", "dayname", "from_unixtime", "monthname"];

/// Functions over several rows.
const AGGREGATES: &[&str] = &["avg", "count", "group_concat", "max", "min", "std", "sum"];

impl Scene<'_> {
    /// Tells what is refused of the expressions of a column; the table is as it is in the end.
    pub(super) fn expressions_of(&mut self, table: &Relation, column: &ColumnDef) {
        let name = column.name.as_str();
        if let Some(generated) = &column.generated {
            let new = table.column_any_case(name);
            let stored = new.is_some_and(is_stored);
            let place = if stored { Place::Stored } else { Place::Virtual };
            self.expression(place, &generated.expr);
            self.columns_of(table, name, place, &generated.expr);
        }
        if let Some(default) = &column.default {
            self.default_expression(table, name, default);
        }
    }

    /// Tells what is refused of a default that is computed.
    pub(super) fn default_expression(&mut self, table: &Relation, name: &str, default: &Expr) {
        let plain = matches!(default.shape, ExprShape::Null | ExprShape::Literal);
        if plain || is_now(default) {
            return;
        }
        self.expression(Place::Default, default);
        let missing = default.columns.iter().find(|word| table.column_any_case(word).is_none());
        if let Some(word) = missing.filter(|_| table.complete) {
            let detail = format!("unknown column '{word}' in 'DEFAULT'");
            self.told.fails("missing-column", "1054", detail);
        }
        self.columns_of(table, name, Place::Default, default);
    }

    /// Tells which functions, variables and queries an expression may not have at its place.
    pub(super) fn expression(&mut self, place: Place, expr: &Expr) {
        if let Some(code) = self.refused_expression(place, expr) {
            let detail = format!("the expression '{}' is not one that is allowed here", expr.text);
            self.told.fails("type-mismatch", code, detail);
            let function = |name: &str| calls(expr, &[name]);
            let late = function("sysdate") || function("random_bytes");
            let early = match place {
                Place::Virtual | Place::Stored | Place::Default => self.is_mariadb() || !late,
                Place::Check | Place::Index => false,
            };
            if early {
                self.does_not_commit();
            }
        }
    }

    fn refused_expression(&self, place: Place, expr: &Expr) -> Option<&'static str> {
        let bare = outside_quotes(&expr.text).to_lowercase();
        let routine = expr
            .functions
            .iter()
            .any(|name| self.schema().routines.contains_key(&self.schema().resolve(name)));
        let never = routine || calls(expr, NEVER) || bare.contains("against (");
        let passing = calls(expr, PASSING) || bare.contains("unix_timestamp()");
        let kept = matches!(place, Place::Stored | Place::Check);
        let aggregate = calls(expr, AGGREGATES);
        if self.is_mariadb() {
            let local = calls(expr, LOCAL) || bare.contains('@');
            let query = expr.has_subquery && place != Place::Check;
            let refused = never || aggregate || query || kept && (passing || local);
            return refused.then_some("1901");
        }
        if place == Place::Check && is_no_condition(expr, &bare) {
            return Some("3812");
        }
        let by_place = |generated, default, check, index| match place {
            Place::Virtual | Place::Stored => Some(generated),
            Place::Default => Some(default),
            Place::Check => Some(check),
            Place::Index => Some(index),
        };
        if bare.contains('@') {
            return by_place("3772", "3772", "3816", "3772");
        }
        if expr.has_subquery {
            return by_place("3102", "3769", "3815", "3758").filter(|_| place != Place::Check);
        }
        if aggregate {
            let window = bare.contains(" over ");
            let code = if window { "3593" } else { "1111" };
            return by_place(code, code, "3814", code);
        }
        let refused = match place {
            Place::Default => never || calls(expr, &["version"]),
            Place::Virtual | Place::Stored | Place::Check | Place::Index => {
                never || passing || calls(expr, &["unix_timestamp"])
            }
        };
        by_place("3763", "3770", "3814", "3758").filter(|_| refused)
    }

    /// Tells which columns an expression may not name: itself, and one that counts, whose value is
    /// not there yet.
    fn columns_of(&mut self, table: &Relation, name: &str, place: Place, expr: &Expr) {
        let named = |wanted: &dyn Fn(&Column) -> bool| {
            let mut columns = expr.columns.iter().filter_map(|word| table.column_any_case(word));
            columns.any(wanted)
        };
        let default = place == Place::Default;
        if expr.columns.iter().any(|word| same(word, name)) {
            let code = self.code("4029", if default { "3767" } else { "3107" });
            let detail = format!("the expression of '{name}' refers to the column itself");
            self.told.fails("column-in-use", code, detail);
        } else if named(&|column| column.auto_increment)
            && !(self.is_mariadb() && place == Place::Virtual)
        {
            let code = self.code("1901", if default { "3768" } else { "3109" });
            let detail = format!("the expression of '{name}' refers to an AUTO_INCREMENT column");
            self.told.fails("column-in-use", code, detail);
        } else if default && self.is_mariadb() && named(&|column| column.generated.is_some()) {
            let detail = format!("the default of '{name}' refers to a generated column");
            self.told.fails("column-in-use", "4029", detail);
        }
    }
}

fn calls(expr: &Expr, names: &[&str]) -> bool {
    expr.functions.iter().any(|function| names.iter().any(|name| same(name, function.name())))
}

/// Says whether an expression is a value and no condition: MySQL takes none for a CHECK.
fn is_no_condition(expr: &Expr, bare: &str) -> bool {
    if matches!(expr.shape, ExprShape::Column) {
        return true;
    }
    // What a query gives is not looked at before it is refused for being one.
    if expr.has_subquery {
        return false;
    }
    if matches!(expr.shape, ExprShape::Literal | ExprShape::ParenthesizedLiteral) {
        return !bare.contains("true") && !bare.contains("false");
    }
    let signs = bare.contains(|c: char| "<>=!&|".contains(c));
    let words = ["and", "or", "xor", "not", "is", "in", "between", "like", "regexp", "rlike"];
    let word = bare.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| words.contains(&w));
    let condition = expr.functions.iter().any(|function| {
        let name = function.name().to_lowercase();
        let starts = ["is_", "isnull", "st_", "mbr", "regexp_like", "json_contains", "json_valid"];
        starts.iter().any(|start| name.starts_with(start))
            || matches!(name.as_str(), "json_overlaps" | "json_schema_valid")
    });
    !signs && !word && !condition
}
