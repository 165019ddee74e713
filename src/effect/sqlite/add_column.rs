//! ADD COLUMN: instant for most definitions, refused or dependent on the rows for some.
//!
//! sqlite.org/lang_altertable.html, section 4; measured on SQLite 3.40 to 3.54,
//! testdata/servers/sqlite.

use super::{CONSTRAINT, SQL_ERROR, Scene, same};
use crate::effect::During;
use crate::schema::{Column, Name, Origin, Relation, RelationKind};
use crate::sql::ast::{
    ColumnDef, ConstraintKind, DataType, Expr, ExprShape, GeneratedStorage, Nullability, ObjectKind,
};

/// The types of a STRICT table (sqlite.org/stricttables.html, section 2).
const STRICT_TYPES: &[&str] = &["int", "integer", "real", "text", "blob", "any"];

impl Scene<'_> {
    pub(super) fn add_column(&mut self, name: &Name, table: Option<&Relation>, column: &ColumnDef) {
        if let Some(table) = table {
            match table.kind {
                RelationKind::View => return self.refuse_kind("Cannot add a column to a view"),
                RelationKind::Foreign => {
                    return self.refuse_kind("virtual tables may not be altered");
                }
                RelationKind::Table | RelationKind::MaterializedView | RelationKind::Sequence => {}
            }
            if table.columns.iter().any(|old| same(&old.name, column.name.as_str())) {
                let detail = format!("duplicate column name: {}", column.name);
                self.told.fails("duplicate-object", SQL_ERROR, detail);
            }
        }
        self.hides_rowid(table, column.name.as_str(), "add");
        self.refused_constraints(column);
        let mut with_new = table
            .cloned()
            .unwrap_or_else(|| Relation::new(name.clone(), RelationKind::Table, Origin::Assumed));
        with_new.columns.push(Column::named(column.name.as_str()));
        self.column_clauses(column, &with_new);
        self.refused_with_rows(name, column);
        let strict = table.is_some_and(|found| found.options.contains_key("strict"));
        if strict {
            self.strict_type(column.data_type.as_ref(), column.name.as_str());
        }
        self.unknown_type(name, column, strict);
        let during =
            if self.reads_rows(name, column, strict) { During::Scan } else { During::Instant };
        let not_null = matches!(column.nullability, Some(Nullability::NotNull { .. }));
        let full = format!("{name}.{}", column.name);
        let required = not_null && column.default.is_none() && column.generated.is_none();
        let how = if required { "required-column" } else { "add-column" };
        self.told.breaks(how, ObjectKind::Column, full, name);
        self.locks(name, "add-column", during);
    }

    fn refuse_kind(&mut self, detail: &str) {
        self.told.fails("wrong-object-kind", SQL_ERROR, detail.to_owned());
    }

    fn refused_constraints(&mut self, column: &ColumnDef) {
        for constraint in &column.constraints {
            if let ConstraintKind::ForeignKey(key) = &constraint.kind
                && key.parent_columns.len() > 1
            {
                let (column, parent) = (&column.name, key.parent.name());
                let detail = format!(
                    "foreign key on {column} should reference only one column of table {parent}"
                );
                self.told.fails("type-mismatch", SQL_ERROR, detail);
            }
            let kind = match constraint.kind {
                ConstraintKind::PrimaryKey(_) => "PRIMARY KEY",
                ConstraintKind::Unique(_) => "UNIQUE",
                ConstraintKind::PrimaryKeyUsingIndex(_)
                | ConstraintKind::UniqueUsingIndex(_)
                | ConstraintKind::Check(_)
                | ConstraintKind::ForeignKey(_)
                | ConstraintKind::Exclude(_)
                | ConstraintKind::NotNull(_) => continue,
            };
            let detail = format!("Cannot add a {kind} column");
            self.told.fails("column-constraint-refused", SQL_ERROR, detail);
        }
    }

    /// What passes on an empty table and fails on one with rows.
    fn refused_with_rows(&mut self, name: &Name, column: &ColumnDef) {
        if self.is_known_empty(name) {
            return;
        }
        let default = column.default.as_ref();
        let is_null = default.is_none_or(|expr| expr.shape == ExprShape::Null);
        let not_null = matches!(column.nullability, Some(Nullability::NotNull { .. }));
        let references =
            column.constraints.iter().any(|c| matches!(c.kind, ConstraintKind::ForeignKey(_)));
        if let Some(generated) = &column.generated {
            if generated.storage == GeneratedStorage::Stored {
                let detail = "cannot add a STORED column to a table with rows".to_owned();
                self.told.may_fail("rows-present", SQL_ERROR, detail);
            }
            return;
        }
        if references && !is_null && self.foreign_keys() != Some(false) {
            let text =
                "Cannot add a REFERENCES column with non-NULL default value to a table with rows";
            self.told.may_fail("rows-present", SQL_ERROR, text.to_owned());
        }
        if references && !is_null && self.foreign_keys() != Some(true) {
            self.told.leaves("orphans-accepted", format!("{name}.{}", column.name), name);
        }
        if not_null && is_null {
            let text = "Cannot add a NOT NULL column with default value NULL to a table with rows";
            self.told.may_fail("default-missing", SQL_ERROR, text.to_owned());
        }
        if default.is_some_and(|expr| !is_constant(expr)) {
            let text = "Cannot add a column with non-constant default to a table with rows";
            self.told.may_fail("default-not-constant", SQL_ERROR, text.to_owned());
        }
    }

    /// Says whether a table was made in this migration and got no rows, or is known to have none.
    pub(super) fn is_known_empty(&self, name: &Name) -> bool {
        use crate::effect::TableState;
        match self.told.state(name) {
            TableState::NewEmpty | TableState::Empty => true,
            TableState::NewFilled | TableState::Existing => false,
        }
    }

    pub(super) fn strict_type(&mut self, data_type: Option<&DataType>, column: &str) {
        let known = data_type.is_some_and(|t| {
            t.args.is_empty() && STRICT_TYPES.contains(&t.name.to_ascii_lowercase().as_str())
        });
        if !known {
            let detail = match data_type {
                Some(t) => format!("unknown datatype for {column}: \"{}\"", t.name),
                None => format!("missing datatype for {column}"),
            };
            self.told.fails("type-mismatch", SQL_ERROR, detail);
        }
    }

    /// A type that SQLite does not know is taken as it stands: `SERIAL` makes no sequence, and
    /// `INTEGER AFTER a` is the type of a column at the end.
    fn unknown_type(&mut self, name: &Name, column: &ColumnDef, strict: bool) {
        let Some(data_type) = &column.data_type else { return };
        let words = data_type.name.split_whitespace();
        let misread = words.clone().any(|word| matches!(word, "after" | "first"))
            || matches!(data_type.name.as_str(), "serial" | "bigserial" | "smallserial");
        if misread && !strict {
            self.told.leaves("type-means-nothing", format!("{name}.{}", column.name), name);
        }
    }

    /// Says whether the rows are checked: for a CHECK, for a generated NOT NULL column, and in a
    /// STRICT table, there since 3.44 (not on 3.43.1).
    fn reads_rows(&mut self, name: &Name, column: &ColumnDef, strict: bool) -> bool {
        let has_check =
            column.constraints.iter().any(|c| matches!(c.kind, ConstraintKind::Check(_)));
        let not_null = matches!(column.nullability, Some(Nullability::NotNull { .. }));
        let checks_strict = strict && self.schema().server.version.at_least(3, 44, 0);
        let generated = column.generated.is_some() && not_null;
        if has_check || generated {
            let detail = "fails if a row violates the new column's constraint".to_owned();
            self.told.may_fail("rows-violate", CONSTRAINT, detail);
        }
        let reads = has_check || generated || checks_strict;
        if checks_strict && column.default.as_ref().is_some_and(|value| other_type(column, value)) {
            let detail = "type mismatch on DEFAULT".to_owned();
            self.told.may_fail("rows-violate", SQL_ERROR, detail);
        }
        if reads {
            let cause = if has_check { "add-column-check" } else { "add-column-default-check" };
            self.told.scan(name, cause);
        }
        reads
    }
}

/// Says whether a default is a literal of another type than its column in a STRICT table.
fn other_type(column: &ColumnDef, value: &Expr) -> bool {
    let name = column.data_type.as_ref().map_or("", |found| found.name.as_str());
    let is = |names: &[&str]| names.iter().any(|known| same(known, name));
    let text = value.text.trim_start_matches(['-', '+', '(', ' ']);
    match value.shape {
        ExprShape::Literal | ExprShape::ParenthesizedLiteral if text.starts_with('\'') => {
            is(&["int", "integer", "real", "blob"])
        }
        ExprShape::Literal | ExprShape::ParenthesizedLiteral => {
            is(&["blob"]) && !text.starts_with(['x', 'X'])
        }
        ExprShape::Null | ExprShape::Column | ExprShape::Other => false,
    }
}

/// Says whether a default is constant to ADD COLUMN: a literal, in parentheses or not, or a bare
/// word, which SQLite reads as a string.
fn is_constant(default: &Expr) -> bool {
    match default.shape {
        ExprShape::Null | ExprShape::Literal | ExprShape::ParenthesizedLiteral => true,
        ExprShape::Column => !default.text.starts_with('('),
        ExprShape::Other => false,
    }
}
