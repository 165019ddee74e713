//! Columns: types, nullability, defaults, character sets.

use super::Teller;
use crate::effect::TableState;
use crate::sql::ast::{
    ColumnDef, ConstraintKind, DataType, ExprShape, IdentityKind, Nullability, ObjectKind,
};
use crate::sql::{Ident, ServerKind, Span};

/// How a column came to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// In CREATE TABLE.
    New,
    /// In ADD COLUMN.
    Added,
    /// In MODIFY or CHANGE: the column was there.
    Again,
}

impl Teller<'_> {
    /// Tells everything about a column definition.
    pub(super) fn column(
        &mut self,
        table: &str,
        column: &ColumnDef,
        state: TableState,
        written: Written,
    ) {
        self.within(column.span, |teller| {
            let name = format!("{table}.{}", column.name);
            if written != Written::Again {
                let object = ObjectKind::Column;
                teller.part("column-name", object, table, &column.name, state);
                let last = table.rsplit('.').next().unwrap_or(table);
                if column.name.as_str() == last {
                    teller.add("column-named-like-table", object, name.clone(), last, None, state);
                }
            }
            if let Some(data_type) = &column.data_type {
                teller.column_type(&name, data_type, state);
                teller.old_enough(&name, column, data_type, state);
            }
            teller.nullability(&name, column, state);
            teller.identity(&name, column, state);
            if let Some(comment) = &column.comment {
                teller.add("column-comment", ObjectKind::Column, name, comment, None, state);
            } else if teller.kind() != ServerKind::Sqlite {
                teller.add("column-without-comment", ObjectKind::Column, name, "", None, state);
            }
        });
    }

    /// Tells a type, written in a column or in ALTER COLUMN … TYPE.
    pub(super) fn column_type(&mut self, name: &str, data_type: &DataType, state: TableState) {
        let object = ObjectKind::Column;
        let full = type_name(data_type);
        let number = data_type.number(0);
        self.add("column-type", object, name.to_owned(), &full, number, state);
        if let Some(charset) = &data_type.charset {
            self.add("column-charset", object, name.to_owned(), charset, None, state);
        }
        if let Some(collation) = &data_type.collation {
            self.add("column-collation", object, name.to_owned(), collation, None, state);
        }
        let integer = matches!(
            data_type.name.as_str(),
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint"
        );
        // tinyint(1) is how clients recognise a boolean; MySQL warns of all others (8.0.17).
        let boolean = data_type.name == "tinyint" && number == Some(1);
        if integer && number.is_some() && !boolean && self.kind().is_mysql_family() {
            self.add("display-width", object, name.to_owned(), &full, number, state);
        }
    }

    /// A key of few bytes runs out.
    fn old_enough(
        &mut self,
        name: &str,
        column: &ColumnDef,
        data_type: &DataType,
        state: TableState,
    ) {
        let key = column
            .constraints
            .iter()
            .any(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey(_)));
        if key {
            let full = type_name(data_type);
            self.add("primary-key-type", ObjectKind::Column, name.to_owned(), &full, None, state);
        }
    }

    fn nullability(&mut self, name: &str, column: &ColumnDef, state: TableState) {
        let object = ObjectKind::Column;
        let value = column.data_type.as_ref().map(type_name).unwrap_or_default();
        let key = column
            .constraints
            .iter()
            .any(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey(_)));
        let serial = value.ends_with("serial") || column.identity.is_some();
        let not_null = matches!(column.nullability, Some(Nullability::NotNull { .. }));
        if !not_null && !key && !serial {
            self.add("nullable-column", object, name.to_owned(), &value, None, state);
            if value == "boolean" {
                self.add("nullable-boolean", object, name.to_owned(), &value, None, state);
            }
        }
        if column.nullability == Some(Nullability::Null) {
            self.add("explicit-null", object, name.to_owned(), &value, None, state);
        }
        let filled = column.default.is_some() || column.generated.is_some();
        if !filled && !key && !serial && !column.auto_increment {
            self.add("column-without-default", object, name.to_owned(), &value, None, state);
            if not_null {
                let what = "not-null-without-default";
                self.add(what, object, name.to_owned(), &value, None, state);
            }
        }
        if let Some(default) = &column.default {
            let text = default.text.trim_matches('\'');
            self.add("column-default", object, name.to_owned(), &default.text, None, state);
            if text.starts_with("0000-00-00") {
                self.add("zero-date-default", object, name.to_owned(), text, None, state);
            }
            let large = value.ends_with("text") || value.ends_with("blob");
            if large && default.shape != ExprShape::Null {
                self.add("blob-default", object, name.to_owned(), &value, None, state);
            }
        }
        if (value.ends_with("text") || value.ends_with("blob")) && not_null {
            self.add("blob-not-null", object, name.to_owned(), &value, None, state);
        }
    }

    fn identity(&mut self, name: &str, column: &ColumnDef, state: TableState) {
        let object = ObjectKind::Column;
        let value = column.data_type.as_ref().map(type_name).unwrap_or_default();
        if column.identity == Some(IdentityKind::ByDefault) {
            self.add("identity-by-default", object, name.to_owned(), &value, None, state);
        }
        if column.auto_increment {
            self.add("auto-increment", object, name.to_owned(), &value, None, state);
        }
        if let Some(generated) = &column.generated
            && generated.expr.columns.is_empty()
            && !generated.expr.has_subquery
            && generated.expr.functions.is_empty()
        {
            let text = &generated.expr.text;
            self.add("constant-generated-column", object, name.to_owned(), text, None, state);
        }
    }

    /// Tells a type that ALTER COLUMN writes.
    pub(super) fn new_type(
        &mut self,
        table: &str,
        column: &Ident,
        data_type: &DataType,
        (span, state): (Span, TableState),
    ) {
        let name = format!("{table}.{column}");
        self.within(span, |teller| teller.column_type(&name, data_type, state));
    }
}

/// Returns a type as policies name it: `bigint unsigned`, `integer[]`.
pub(super) fn type_name(data_type: &DataType) -> String {
    let unsigned = if data_type.unsigned { " unsigned" } else { "" };
    let array = "[]".repeat(usize::from(data_type.array_dims));
    format!("{}{unsigned}{array}", data_type.name)
}
