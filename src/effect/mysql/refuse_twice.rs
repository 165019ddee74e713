//! What ALTER TABLE refuses because two of its actions name the same thing.
//!
//! The servers look for the column of an action among those that no other action took: a second
//! MODIFY, CHANGE, RENAME or ALTER of a column, or one beside its DROP, finds none. Measured on
//! MySQL 9.7, MariaDB 10.11 and 11.8 (testdata/servers, schema `pair`).

use super::{Scene, same};
use crate::schema::Relation;
use crate::sql::Ident;
use crate::sql::ast::{ActionKind, AlterTable, ColumnPosition, MyAction};

/// What an action does to the column or the index that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Add,
    Drop,
    Define,
    Default,
    AddIndex,
    DropIndex,
    RenameIndex,
}

impl Scene<'_> {
    /// Tells which actions find that another one took what they name.
    pub(super) fn named_twice(&mut self, before: &Relation, alter: &AlterTable) {
        let uses: Vec<_> = alter
            .actions
            .iter()
            .filter_map(|action| Some((action.span, used(&action.kind)?)))
            .collect();
        for (at, (span, (use_of, name))) in uses.iter().enumerate() {
            let earlier = |wanted: Use| {
                uses.iter().take(at).any(|(_, (found, other))| {
                    *found == wanted && same(other.as_str(), name.as_str())
                })
            };
            let anywhere = |wanted: Use| {
                uses.iter().any(|(_, (found, other))| {
                    *found == wanted && same(other.as_str(), name.as_str())
                })
            };
            let taken = match use_of {
                Use::Add => earlier(Use::Add),
                Use::AddIndex => earlier(Use::AddIndex),
                Use::Drop => earlier(Use::Drop),
                Use::Define => earlier(Use::Define) || anywhere(Use::Drop),
                Use::Default => {
                    // MariaDB finds a column that MODIFY puts elsewhere all the same.
                    let modified = self.is_mariadb() && modifies(alter, name);
                    earlier(Use::Default)
                        || anywhere(Use::Define) && !modified
                        || anywhere(Use::Drop)
                }
                Use::DropIndex => earlier(Use::DropIndex),
                Use::RenameIndex => {
                    anywhere(Use::DropIndex) || self.loses_index(before, alter, name)
                }
            };
            if !taken {
                continue;
            }
            self.told.span = *span;
            let (code, detail) = match use_of {
                Use::Drop | Use::DropIndex => {
                    ("1091", format!("can't DROP '{name}': another action drops it"))
                }
                Use::Define | Use::Default => {
                    ("1054", format!("unknown column '{name}': another action took it"))
                }
                Use::RenameIndex => ("1176", format!("key '{name}' is dropped by another action")),
                Use::Add => ("1060", format!("duplicate column name '{name}'")),
                Use::AddIndex => ("1061", format!("duplicate key name '{name}'")),
            };
            let when = match use_of {
                Use::Add | Use::AddIndex => "duplicate-object",
                Use::DropIndex | Use::RenameIndex => "missing-object",
                Use::Drop | Use::Define | Use::Default => "missing-column",
            };
            self.told.fails(when, code, detail);
        }
    }

    /// Tells which written expression of a generated column names one that another action takes.
    pub(super) fn generated_from_dropped(&mut self, alter: &AlterTable) {
        for action in &alter.actions {
            let (ActionKind::AddColumn { column, .. }
            | ActionKind::Mysql(
                MyAction::ModifyColumn { column, .. } | MyAction::ChangeColumn { column, .. },
            )) = &action.kind
            else {
                continue;
            };
            let words = column.generated.iter().flat_map(|generated| &generated.expr.columns);
            for word in words {
                let taken = super::refuse::drops_or_renames(alter, word);
                if taken && !super::refuse_key::makes(alter, word) {
                    self.told.span = action.span;
                    let detail = format!("unknown column '{word}' in 'GENERATED ALWAYS AS'");
                    self.told.fails("missing-column", "1054", detail);
                }
            }
        }
    }

    /// MySQL takes an index away with its last column before it looks for the one to rename.
    fn loses_index(&self, before: &Relation, alter: &AlterTable, name: &Ident) -> bool {
        let index = before.indexes.iter().find(|index| same(&index.name, name.as_str()));
        let gone = index.is_some_and(|index| {
            let columns = index.key_columns();
            !columns.is_empty() && columns.iter().all(|c| super::refuse::drops(alter, c))
        });
        gone && !self.is_mariadb()
    }
}

fn modifies(alter: &AlterTable, name: &Ident) -> bool {
    alter.actions.iter().any(|action| {
        matches!(&action.kind, ActionKind::Mysql(MyAction::ModifyColumn { column, position, .. })
            if same(column.name.as_str(), name.as_str()) && *position != ColumnPosition::Unchanged)
    })
}

fn used(action: &ActionKind) -> Option<(Use, &Ident)> {
    match action {
        ActionKind::AddColumn { column, if_not_exists: false, .. } => {
            Some((Use::Add, &column.name))
        }
        ActionKind::Mysql(MyAction::AddIndex { index, if_not_exists: false }) => {
            Some((Use::AddIndex, index.name.as_ref()?))
        }
        ActionKind::DropColumn { column, .. } => Some((Use::Drop, column)),
        ActionKind::RenameColumn { from, .. }
        | ActionKind::Mysql(MyAction::ChangeColumn { from, .. }) => Some((Use::Define, from)),
        ActionKind::Mysql(MyAction::ModifyColumn { column, .. }) => {
            Some((Use::Define, &column.name))
        }
        ActionKind::SetDefault { column, .. }
        | ActionKind::DropDefault { column }
        | ActionKind::Mysql(MyAction::ColumnVisibility { column, .. }) => {
            Some((Use::Default, column))
        }
        ActionKind::Mysql(MyAction::DropIndex { name, .. }) => Some((Use::DropIndex, name)),
        ActionKind::Mysql(MyAction::RenameIndex { from, .. }) => Some((Use::RenameIndex, from)),
        ActionKind::Mysql(_)
        | ActionKind::Postgres(_)
        | ActionKind::AddColumn { .. }
        | ActionKind::RenameTo(_)
        | ActionKind::SetNotNull { .. }
        | ActionKind::DropNotNull { .. }
        | ActionKind::AddConstraint(_)
        | ActionKind::DropConstraint { .. } => None,
    }
}
