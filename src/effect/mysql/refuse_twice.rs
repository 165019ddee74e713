//! What ALTER TABLE refuses because two of its actions name the same thing.
//!
//! The servers look for the column of an action among those that no other action took: a second
//! MODIFY, CHANGE, RENAME or ALTER of a column, or one beside its DROP, finds none. Measured on
//! MySQL 9.7, MariaDB 10.11 and 11.8 (testdata/servers, schema `pair`).

use std::collections::BTreeMap;

use super::alteration::Alteration;
use super::refuse::moved_column;
use super::{Scene, same};
use crate::schema::Relation;
use crate::sql::ast::{ActionKind, ConstraintKind, MyAction};

/// What an action does to the column or the index that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    Add,
    /// With IF NOT EXISTS: it takes the name, and does not mind another.
    AddUnlessThere,
    Drop,
    Define,
    Default,
    AddIndex,
    AddCheck,
    DropIndex,
    RenameIndex,
    /// MySQL: shown or hidden from the optimizer.
    ShowIndex,
}

impl Scene<'_> {
    /// Tells which actions find that another one took what they name.
    pub(super) fn named_twice(&mut self, before: &Relation, alter: &Alteration<'_>) {
        let uses: Vec<_> = alter
            .actions
            .iter()
            .filter_map(|action| Some((action.span, used(&action.kind)?)))
            .collect();
        let mut by_name: BTreeMap<(Use, String), usize> = BTreeMap::new();
        for (at, (_, (use_of, name))) in uses.iter().enumerate() {
            by_name.entry((*use_of, name.to_lowercase())).or_insert(at);
        }
        for (at, (span, (use_of, name))) in uses.iter().enumerate() {
            let places = |wanted: Use| by_name.get(&(wanted, name.to_lowercase()));
            let earlier = |wanted: Use| places(wanted).is_some_and(|first| *first < at);
            let anywhere = |wanted: Use| places(wanted).is_some();
            let taken = match use_of {
                Use::Add => earlier(Use::Add) || earlier(Use::AddUnlessThere),
                Use::AddUnlessThere => false,
                Use::AddIndex => earlier(Use::AddIndex),
                Use::AddCheck => earlier(Use::AddCheck),
                Use::Drop => earlier(Use::Drop),
                Use::Define => earlier(Use::Define) || anywhere(Use::Drop),
                Use::Default => {
                    // MariaDB finds a column that is put elsewhere all the same.
                    let modified = self.is_mariadb() && moved_column(alter, name).is_some();
                    earlier(Use::Default)
                        || anywhere(Use::Define) && !modified
                        || anywhere(Use::Drop)
                }
                Use::DropIndex => earlier(Use::DropIndex),
                Use::RenameIndex => {
                    anywhere(Use::DropIndex) || self.loses_index(before, alter, name)
                }
                Use::ShowIndex => {
                    !self.is_mariadb()
                        && (anywhere(Use::DropIndex)
                            || anywhere(Use::RenameIndex)
                            || self.loses_index(before, alter, name))
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
                Use::RenameIndex | Use::ShowIndex => {
                    ("1176", format!("key '{name}' is dropped by another action"))
                }
                Use::Add | Use::AddUnlessThere => {
                    ("1060", format!("duplicate column name '{name}'"))
                }
                Use::AddCheck => {
                    let detail = format!("duplicate check constraint name '{name}'");
                    (self.code("1826", "3822"), detail)
                }
                Use::AddIndex => ("1061", format!("duplicate key name '{name}'")),
            };
            let when = match use_of {
                Use::Add | Use::AddUnlessThere | Use::AddIndex | Use::AddCheck => {
                    "duplicate-object"
                }
                Use::DropIndex | Use::RenameIndex | Use::ShowIndex => "missing-object",
                Use::Drop | Use::Define | Use::Default => "missing-column",
            };
            self.told.fails(when, code, detail);
        }
    }

    /// Tells which written expression of a generated column names one that another action takes.
    pub(super) fn generated_from_dropped(&mut self, alter: &Alteration<'_>) {
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
                let taken = alter.drops_or_renames(word);
                if taken && !alter.makes(word) {
                    self.told.span = action.span;
                    let detail = format!("unknown column '{word}' in 'GENERATED ALWAYS AS'");
                    self.told.fails("missing-column", "1054", detail);
                }
            }
        }
    }

    /// MySQL takes an index away with its last column before it looks for the one to rename.
    fn loses_index(&self, before: &Relation, alter: &Alteration<'_>, name: &str) -> bool {
        let index = before.indexes.iter().find(|index| same(&index.name, name));
        let gone = index.is_some_and(|index| {
            let columns = index.key_columns();
            !columns.is_empty() && columns.iter().all(|c| alter.drops(c))
        });
        gone && !self.is_mariadb()
    }
}

fn used(action: &ActionKind) -> Option<(Use, &str)> {
    match action {
        ActionKind::AddColumn { column, if_not_exists, .. } => Some((
            if *if_not_exists { Use::AddUnlessThere } else { Use::Add },
            column.name.as_str(),
        )),
        ActionKind::Mysql(MyAction::AddIndex { index, if_not_exists: false }) => {
            Some((Use::AddIndex, index.name.as_ref()?.as_str()))
        }
        ActionKind::AddConstraint(added)
            if matches!(added.kind, ConstraintKind::Check(_)) && !added.if_not_exists =>
        {
            Some((Use::AddCheck, added.name.as_ref()?.as_str()))
        }
        ActionKind::DropColumn { column, .. } => Some((Use::Drop, column.as_str())),
        ActionKind::RenameColumn { from, .. }
        | ActionKind::Mysql(MyAction::ChangeColumn { from, .. }) => {
            Some((Use::Define, from.as_str()))
        }
        ActionKind::Mysql(MyAction::ModifyColumn { column, .. }) => {
            Some((Use::Define, column.name.as_str()))
        }
        ActionKind::SetDefault { column, .. }
        | ActionKind::DropDefault { column }
        | ActionKind::Mysql(MyAction::ColumnVisibility { column, .. }) => {
            Some((Use::Default, column.as_str()))
        }
        ActionKind::Mysql(MyAction::DropIndex { name, .. }) => {
            Some((Use::DropIndex, name.as_str()))
        }
        ActionKind::Mysql(MyAction::DropPrimaryKey { .. }) => Some((Use::DropIndex, "PRIMARY")),
        ActionKind::Mysql(MyAction::IndexVisibility { name, .. }) => {
            Some((Use::ShowIndex, name.as_str()))
        }
        ActionKind::AddConstraint(added)
            if matches!(added.kind, ConstraintKind::ForeignKey(_)) && !added.if_not_exists =>
        {
            Some((Use::AddIndex, added.name.as_ref()?.as_str()))
        }
        ActionKind::Mysql(MyAction::RenameIndex { from, .. }) => {
            Some((Use::RenameIndex, from.as_str()))
        }
        ActionKind::Mysql(_)
        | ActionKind::Postgres(_)
        | ActionKind::RenameTo(_)
        | ActionKind::SetNotNull { .. }
        | ActionKind::DropNotNull { .. }
        | ActionKind::AddConstraint(_)
        | ActionKind::DropConstraint { .. } => None,
    }
}
