//! Small questions about definitions, which comparing and deciding share.
//!
//! MySQL manual, Clustered and Secondary Indexes; measured on MariaDB 10.11, 11.8 and MySQL 9.7,
//! testdata/servers.

use super::alteration::Alteration;
use super::{Scene, same};
use crate::schema::{Column, Index, Relation};
use crate::sql::ast::{
    ActionKind, AlterTable, Expr, ExprShape, GeneratedStorage, IndexKind, MyAction,
};

pub(super) fn index_renames(alter: &AlterTable) -> Vec<(&str, &str)> {
    alter
        .actions
        .iter()
        .filter_map(|action| {
            let ActionKind::Mysql(MyAction::RenameIndex { from, to }) = &action.kind else {
                return None;
            };
            Some((from.as_str(), to.as_str()))
        })
        .collect()
}

/// Returns the index that orders the rows.
pub(super) fn clustered_key(table: &Relation) -> Option<&Index> {
    let unique = |index: &&Index| {
        index.kind == IndexKind::Unique
            && !index.parts.is_empty()
            && index.parts.iter().all(|part| {
                let column = part.key.column().and_then(|name| table.column_any_case(name));
                part.prefix.is_none() && column.is_some_and(|found| found.not_null)
            })
    };
    table.indexes.iter().find(|index| index.primary).or_else(|| table.indexes.iter().find(unique))
}

/// Says whether a unique key without NULLs tells rows apart while a column begins to count: one
/// that is not over this column and loses none of its own.
pub(super) fn keeps_unique_key(table: &Relation, alter: &Alteration<'_>) -> bool {
    let after = &alter.after;
    let counts = |name: &str| {
        let at = table.columns.iter().position(|column| same(&column.name, name));
        let new = after.origins.iter().position(|origin| origin.is_some() && *origin == at);
        new.and_then(|new| after.table.columns.get(new)).is_some_and(|column| column.auto_increment)
    };
    table.indexes.iter().any(|index| {
        index.kind == IndexKind::Unique
            && index.parts.iter().all(|part| {
                let column = part.key.column().and_then(|name| table.column_any_case(name));
                column.is_some_and(|found| {
                    found.not_null && !alter.drops(&found.name) && !counts(&found.name)
                })
            })
    })
}

/// Says whether a column is there, as far as the columns are known.
pub(super) fn knows(table: &Relation, column: &str) -> bool {
    !table.complete || table.column_any_case(column).is_some()
}

/// Says whether an index is added with its method written.
pub(super) fn names_method(alter: &AlterTable, name: &str) -> bool {
    alter.actions.iter().any(|action| {
        matches!(&action.kind, ActionKind::Mysql(MyAction::AddIndex { index, .. })
            if index.method.is_some()
                && index.name.as_ref().is_some_and(|written| same(written.as_str(), name)))
    })
}

/// Says whether a column is computed when it is read.
pub(super) fn is_virtual(column: &Column) -> bool {
    column.generated.as_ref().is_some_and(|found| found.storage != GeneratedStorage::Stored)
}

/// Says whether a column is computed when its row is written.
pub(super) fn is_stored(column: &Column) -> bool {
    column.generated.as_ref().is_some_and(|found| found.storage == GeneratedStorage::Stored)
}

/// Returns the text of an expression without white space, quotes of names and case.
pub(super) fn fold(expr: &Expr) -> String {
    expr.text.chars().filter(|c| !c.is_whitespace() && *c != '`').collect::<String>().to_lowercase()
}

/// Functions whose value MariaDB cannot compute once for all rows.
pub(super) const PER_ROW: &[&str] = &[
    "uuid",
    "uuid_short",
    "sys_guid",
    "uuidv4",
    "uuid_v4",
    "uuid_v7",
    "nextval",
    "sysdate",
    "utc_timestamp",
];

impl Scene<'_> {
    /// Says whether the default of an added column keeps the change from being INSTANT.
    ///
    /// MySQL 9.7: every expression in parentheses, a literal included, `CURRENT_TIMESTAMP` not.
    /// MariaDB 10.11, 11.8: one that names a column, or gives another value each time (`UUID()`,
    /// but not `RAND()`, which is computed once).
    pub(super) fn computes_default(&self, default: &Expr) -> bool {
        let plain = matches!(default.shape, ExprShape::Null | ExprShape::Literal);
        if plain || is_now(default) {
            return false;
        }
        if !self.is_mariadb() {
            return true;
        }
        let names_column = !default.columns.is_empty() && default.shape != ExprShape::Literal;
        let per_row = default
            .functions
            .iter()
            .any(|function| PER_ROW.iter().any(|name| same(name, function.name())));
        names_column || per_row || outside_quotes(&default.text).contains('@')
    }
}

/// Says whether a default is the time of the statement, written without parentheses.
pub(super) fn is_now(default: &Expr) -> bool {
    let text = default.text.to_ascii_lowercase();
    ["current_timestamp", "now", "localtime", "localtimestamp"].iter().any(|name| {
        text.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('('))
    })
}

/// Returns the text of an expression without its strings.
pub(super) fn outside_quotes(text: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None => out.push(c),
        }
    }
    out
}
