//! An ALTER TABLE looked at as a whole: the table it makes, what its clauses name, and which of
//! them an effect comes from.
//!
//! MySQL manual, ALTER TABLE Statement, MariaDB the same; how clauses weigh is measured on MariaDB
//! 10.11, 11.8 and MySQL 9.7, testdata/servers.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use super::change::Changes;
use crate::schema::{Altered, Index, Relation, Schema, altered};
use crate::sql::Span;
use crate::sql::ast::{
    ActionKind, AlterTable, ColumnDef, ColumnPosition, ConstraintKind, GeneratedStorage, IndexKind,
    KeyPart, MyAction, TableAction, TableConstraint,
};

/// A statement together with the table it makes.
pub(super) struct Alteration<'a> {
    statement: &'a AlterTable,
    /// The table afterwards.
    pub(super) after: Altered,
    /// The rows stay where they are, or the engine makes them anew.
    pub(super) in_place: bool,
    dropped: BTreeSet<String>,
    renamed: BTreeSet<String>,
    made: BTreeSet<String>,
    constraints: BTreeSet<String>,
    dropped_indexes: BTreeSet<String>,
    /// Clauses by the names of columns they write, old and new.
    columns: BTreeMap<String, Span>,
    /// Clauses by the names of indexes they write.
    indexes: BTreeMap<String, Span>,
}

impl Deref for Alteration<'_> {
    type Target = AlterTable;

    fn deref(&self) -> &AlterTable {
        self.statement
    }
}

impl<'a> Alteration<'a> {
    /// Looks at a statement about a table.
    pub(super) fn new(schema: &Schema, before: &Relation, statement: &'a AlterTable) -> Self {
        let mut all = Self {
            statement,
            after: altered(schema, before, statement),
            in_place: false,
            dropped: BTreeSet::new(),
            renamed: BTreeSet::new(),
            made: BTreeSet::new(),
            constraints: BTreeSet::new(),
            dropped_indexes: BTreeSet::new(),
            columns: BTreeMap::new(),
            indexes: BTreeMap::new(),
        };
        for action in &statement.actions {
            all.note(action);
        }
        all
    }

    fn note(&mut self, action: &TableAction) {
        let span = action.span;
        match &action.kind {
            ActionKind::AddColumn { column, .. } => {
                self.made.insert(fold(column.name.as_str()));
                self.names_column(column.name.as_str(), span);
            }
            ActionKind::DropColumn { column, .. } => {
                self.dropped.insert(fold(column.as_str()));
                self.names_column(column.as_str(), span);
            }
            ActionKind::RenameColumn { from, to, .. } => {
                self.moves_name(from.as_str(), to.as_str(), span);
            }
            ActionKind::Mysql(MyAction::ChangeColumn { from, column, .. }) => {
                self.moves_name(from.as_str(), column.name.as_str(), span);
            }
            ActionKind::Mysql(MyAction::ModifyColumn { column, .. }) => {
                self.names_column(column.name.as_str(), span);
            }
            ActionKind::SetDefault { column, .. }
            | ActionKind::DropDefault { column }
            | ActionKind::Mysql(MyAction::ColumnVisibility { column, .. }) => {
                self.names_column(column.as_str(), span);
            }
            ActionKind::DropConstraint { name, .. } => {
                self.constraints.insert(fold(name.as_str()));
                self.dropped_indexes.insert(fold(name.as_str()));
            }
            ActionKind::Mysql(
                MyAction::DropForeignKey { name, .. } | MyAction::DropCheck { name },
            ) => {
                self.constraints.insert(fold(name.as_str()));
            }
            ActionKind::Mysql(MyAction::DropIndex { name, .. }) => {
                self.dropped_indexes.insert(fold(name.as_str()));
            }
            ActionKind::Mysql(MyAction::DropPrimaryKey { .. }) => {
                self.dropped_indexes.insert(fold("PRIMARY"));
            }
            ActionKind::AddConstraint(added) => {
                if let Some(name) = name_of(added) {
                    self.indexes.entry(fold(name)).or_insert(span);
                }
            }
            ActionKind::Mysql(MyAction::AddIndex { index, .. }) => {
                if let Some(name) = &index.name {
                    self.indexes.entry(fold(name.as_str())).or_insert(span);
                }
            }
            ActionKind::RenameTo(_)
            | ActionKind::SetNotNull { .. }
            | ActionKind::DropNotNull { .. }
            | ActionKind::Postgres(_)
            | ActionKind::Mysql(_) => {}
        }
    }

    fn names_column(&mut self, name: &str, span: Span) {
        self.columns.entry(fold(name)).or_insert(span);
    }

    fn moves_name(&mut self, from: &str, to: &str, span: Span) {
        self.renamed.insert(fold(from));
        self.made.insert(fold(to));
        self.names_column(from, span);
        self.names_column(to, span);
    }

    /// Says whether a column is dropped.
    pub(super) fn drops(&self, column: &str) -> bool {
        self.dropped.contains(&fold(column))
    }

    /// Says whether a name of a column is given up.
    pub(super) fn drops_or_renames(&self, column: &str) -> bool {
        self.drops(column) || self.renamed.contains(&fold(column))
    }

    /// Says whether a column of a name is made, new or of another one.
    pub(super) fn makes(&self, column: &str) -> bool {
        self.made.contains(&fold(column))
    }

    /// Says whether a clause names a column.
    pub(super) fn names(&self, column: &str) -> bool {
        self.columns.contains_key(&fold(column))
    }

    /// Says whether a constraint is dropped by its name.
    pub(super) fn drops_constraint(&self, name: &str) -> bool {
        self.constraints.contains(&fold(name))
    }

    /// Says whether an index is dropped by its name.
    pub(super) fn drops_index(&self, name: &str) -> bool {
        self.dropped_indexes.contains(&fold(name))
    }

    /// Returns the clause that names a column, else the only one, else the statement's table.
    pub(super) fn clause_of_column(&self, name: &str) -> Span {
        self.columns.get(&fold(name)).copied().unwrap_or_else(|| self.first())
    }

    /// Returns the clause that adds an index: by its name, or for the columns it is over.
    pub(super) fn clause_of_index(&self, index: &Index) -> Span {
        let named = self.indexes.get(&fold(&index.name)).copied();
        let adds = |action: &&TableAction| match &action.kind {
            ActionKind::AddConstraint(added) => constrains(added, index),
            ActionKind::Mysql(MyAction::AddIndex { index: added, .. }) => {
                added.name.is_none() && is_over(&added.parts, index)
            }
            ActionKind::AddColumn { column, .. }
            | ActionKind::Mysql(
                MyAction::ModifyColumn { column, .. } | MyAction::ChangeColumn { column, .. },
            ) => column.constraints.iter().any(|added| {
                constrains(added, index) || index.key_columns() == [column.name.as_str()]
            }),
            ActionKind::DropColumn { .. }
            | ActionKind::RenameColumn { .. }
            | ActionKind::RenameTo(_)
            | ActionKind::SetDefault { .. }
            | ActionKind::DropDefault { .. }
            | ActionKind::SetNotNull { .. }
            | ActionKind::DropNotNull { .. }
            | ActionKind::DropConstraint { .. }
            | ActionKind::Postgres(_)
            | ActionKind::Mysql(_) => false,
        };
        named.or_else(|| self.actions.iter().find(adds).map(|action| action.span)).unwrap_or_else(
            || {
                index
                    .key_columns()
                    .first()
                    .map_or_else(|| self.first(), |c| self.clause_of_column(c))
            },
        )
    }

    /// Returns the clause that an effect with a cause comes from.
    pub(super) fn clause_of(&self, cause: &str, changes: &Changes) -> Span {
        let guilty = |action: &&TableAction| is_guilty(&action.kind, cause, changes);
        self.actions.iter().find(guilty).map_or_else(|| self.first(), |action| action.span)
    }

    /// Returns the first clause, or the name of the table where there is none.
    fn first(&self) -> Span {
        self.actions.first().map_or_else(|| self.name.span(), |action| action.span)
    }
}

fn fold(name: &str) -> String {
    name.to_lowercase()
}

fn name_of(added: &TableConstraint) -> Option<&str> {
    let written = match &added.kind {
        ConstraintKind::Unique(key) => added.name.as_ref().or(key.index_name.as_ref()),
        ConstraintKind::PrimaryKey(_) => return Some("PRIMARY"),
        ConstraintKind::ForeignKey(_)
        | ConstraintKind::Check(_)
        | ConstraintKind::PrimaryKeyUsingIndex(_)
        | ConstraintKind::UniqueUsingIndex(_)
        | ConstraintKind::Exclude(_)
        | ConstraintKind::NotNull(_) => added.name.as_ref(),
    };
    written.map(|name| name.as_str())
}

fn is_over(parts: &[KeyPart], index: &Index) -> bool {
    parts.len() == index.parts.len()
        && parts.iter().zip(&index.parts).all(|(left, right)| {
            left.key.column().zip(right.key.column()).is_some_and(|(l, r)| super::same(l, r))
        })
}

/// Says whether an index is that of a constraint, or the one a foreign key brings along.
fn constrains(added: &TableConstraint, index: &Index) -> bool {
    match &added.kind {
        ConstraintKind::PrimaryKey(_) => index.primary,
        ConstraintKind::Unique(key) => {
            index.kind == IndexKind::Unique && is_over(&key.parts, index)
        }
        ConstraintKind::ForeignKey(key) => {
            let columns: Vec<&str> = key.columns.iter().map(|column| column.as_str()).collect();
            index.kind == IndexKind::Plain && index.key_columns() == columns
        }
        ConstraintKind::Check(_)
        | ConstraintKind::PrimaryKeyUsingIndex(_)
        | ConstraintKind::UniqueUsingIndex(_)
        | ConstraintKind::Exclude(_)
        | ConstraintKind::NotNull(_) => false,
    }
}

/// Says whether an action is one that makes a change of a cause.
fn is_guilty(action: &ActionKind, cause: &str, changes: &Changes) -> bool {
    match action {
        ActionKind::AddColumn { column, .. } => adds_for(column, cause),
        ActionKind::DropColumn { .. } => {
            matches!(cause, "drop-column" | "row-version-limit" | "virtual-generated")
                || (cause == "drop-index" || cause == "drop-primary-key")
                    && !changes.dropped.is_empty()
        }
        ActionKind::RenameColumn { .. } => cause == "rename",
        ActionKind::RenameTo(_) => cause == "rename-table",
        ActionKind::SetDefault { .. } | ActionKind::DropDefault { .. } => cause == "alter-table",
        ActionKind::AddConstraint(added) => constraint_for(added, cause),
        ActionKind::DropConstraint { .. } => {
            matches!(cause, "drop-check" | "drop-foreign-key" | "drop-index" | "drop-primary-key")
        }
        ActionKind::Mysql(action) => mysql_for(action, cause, changes),
        ActionKind::SetNotNull { .. }
        | ActionKind::DropNotNull { .. }
        | ActionKind::Postgres(_) => false,
    }
}

fn adds_for(column: &ColumnDef, cause: &str) -> bool {
    let storage = column.generated.as_ref().map(|generated| generated.storage);
    match cause {
        "add-column" | "row-version-limit" => storage.is_none(),
        "stored-generated" => storage == Some(GeneratedStorage::Stored),
        "virtual-generated" => storage == Some(GeneratedStorage::Virtual),
        "expression-default" => column.default.is_some(),
        "auto-increment" => column.auto_increment,
        _ => column.constraints.iter().any(|added| constraint_for(added, cause)),
    }
}

fn constraint_for(added: &TableConstraint, cause: &str) -> bool {
    match &added.kind {
        ConstraintKind::PrimaryKey(_) => cause == "add-primary-key",
        ConstraintKind::Unique(_) => matches!(cause, "create-index" | "add-unique"),
        ConstraintKind::Check(_) => cause == "add-check",
        ConstraintKind::ForeignKey(_) => cause == "add-foreign-key",
        ConstraintKind::PrimaryKeyUsingIndex(_)
        | ConstraintKind::UniqueUsingIndex(_)
        | ConstraintKind::Exclude(_)
        | ConstraintKind::NotNull(_) => false,
    }
}

fn mysql_for(action: &MyAction, cause: &str, changes: &Changes) -> bool {
    match action {
        MyAction::ModifyColumn { column, position, .. }
        | MyAction::ChangeColumn { column, position, .. } => {
            let name = column.name.as_str();
            match cause {
                "column-order" => *position != ColumnPosition::Unchanged,
                "rename" => matches!(action, MyAction::ChangeColumn { .. }),
                _ => {
                    changes.caused(name, cause)
                        || column.constraints.iter().any(|added| constraint_for(added, cause))
                }
            }
        }
        MyAction::AddIndex { index, .. } => match index.kind {
            IndexKind::Fulltext => cause == "fulltext-index",
            IndexKind::Plain | IndexKind::Unique | IndexKind::Spatial | IndexKind::Vector => {
                cause == "create-index"
            }
        },
        MyAction::DropIndex { .. } => cause == "drop-index",
        MyAction::DropPrimaryKey { .. } => matches!(cause, "drop-primary-key" | "drop-index"),
        MyAction::DropForeignKey { .. } => cause == "drop-foreign-key",
        MyAction::DropCheck { .. } => cause == "drop-check",
        MyAction::AlterCheck { enforced, .. } => {
            cause == if *enforced { "add-check" } else { "drop-check" }
        }
        MyAction::RenameIndex { .. } => cause == "rename",
        MyAction::IndexVisibility { .. } => cause == "alter-index",
        MyAction::ColumnVisibility { .. } => cause == "alter-table",
        MyAction::Option { name, .. } => match name.as_str() {
            "engine" => matches!(cause, "engine" | "row-format"),
            "row_format" | "key_block_size" => cause == "row-format",
            _ => matches!(cause, "table-options" | "row-format"),
        },
        MyAction::ConvertTo { .. } => matches!(cause, "convert-charset" | "table-options"),
        MyAction::Force => cause == "row-format",
        MyAction::OrderBy => cause == "order-by",
        MyAction::Keys { .. } => cause == "table-options",
        MyAction::PartitionBy(_) | MyAction::RemovePartitioning => cause == "partition-by",
        MyAction::AddSystemVersioning | MyAction::DropSystemVersioning => {
            cause == "system-versioning"
        }
        MyAction::AddPeriod { .. } | MyAction::DropPeriod { .. } => cause == "period",
        MyAction::Tablespace { .. }
        | MyAction::Algorithm(_)
        | MyAction::Lock(_)
        | MyAction::Validation(_)
        | MyAction::Partition(_) => false,
    }
}
