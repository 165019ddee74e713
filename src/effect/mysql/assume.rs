//! What is not known of a table is taken for the worst.
//!
//! It states no facts: the words that it chooses from are those of `decide` (MySQL manual, Online
//! DDL Operations; measured on MariaDB 10.11, 11.8 and MySQL 9.7, testdata/servers).

use super::alteration::Alteration;
use super::change::Changes;
use crate::schema::Relation;
use crate::sql::ast::{ActionKind, IndexKind, MyAction};

pub(super) fn index_cause(index: &crate::schema::Index) -> &'static str {
    match (index.primary, index.kind) {
        (true, _) => "add-primary-key",
        (false, IndexKind::Unique) => "add-unique",
        (false, IndexKind::Fulltext) => "fulltext-index",
        (false, IndexKind::Plain | IndexKind::Spatial | IndexKind::Vector) => "create-index",
    }
}

impl Changes {
    /// Says whether an index is built or rebuilt: dropping one is no work.
    pub(super) fn builds_something(&self) -> bool {
        !(self.built.is_empty()
            && self.collated_indexes.is_empty()
            && self.lengthened_indexes.is_empty())
    }

    /// What is not known to be harmless is taken for a copy.
    pub(super) fn assume_unknown(&mut self, before: &Relation, alter: &Alteration<'_>) {
        if before.complete {
            return;
        }
        let knows = |column: &str| before.column_any_case(column).is_some();
        for action in &alter.actions {
            match &action.kind {
                ActionKind::Mysql(MyAction::ModifyColumn { column, .. })
                    if !knows(column.name.as_str()) =>
                {
                    self.copy_cause = self.copy_cause.or(Some("type-change"));
                }
                ActionKind::Mysql(MyAction::ChangeColumn { from, .. }) if !knows(from.as_str()) => {
                    self.copy_cause = self.copy_cause.or(Some("type-change"));
                }
                ActionKind::DropColumn { column, .. } if !knows(column.as_str()) => {
                    self.drop_base = true;
                }
                ActionKind::RenameColumn { from, .. } if !knows(from.as_str()) => {
                    self.renamed.push(from.value.clone());
                }
                ActionKind::Mysql(MyAction::ConvertTo { .. }) => {
                    self.copy_cause = self.copy_cause.or(Some("convert-charset"));
                }
                ActionKind::Mysql(MyAction::DropIndex { name, .. })
                    if before.index(name.as_str()).is_none() =>
                {
                    self.dropped.push(name.value.clone());
                }
                ActionKind::Mysql(MyAction::DropPrimaryKey { .. }) => self.drop_primary = true,
                ActionKind::Mysql(MyAction::DropForeignKey { .. }) => {
                    self.drop_foreign_key = true;
                }
                ActionKind::Mysql(MyAction::DropCheck { .. })
                | ActionKind::DropConstraint { .. } => self.drop_check = true,
                ActionKind::Mysql(_)
                | ActionKind::Postgres(_)
                | ActionKind::AddColumn { .. }
                | ActionKind::DropColumn { .. }
                | ActionKind::RenameColumn { .. }
                | ActionKind::RenameTo(_)
                | ActionKind::SetDefault { .. }
                | ActionKind::DropDefault { .. }
                | ActionKind::SetNotNull { .. }
                | ActionKind::DropNotNull { .. }
                | ActionKind::AddConstraint(_) => {}
            }
        }
    }

    /// Returns the change that weighs most, in the word for rules.
    pub(super) fn cause(&self) -> &'static str {
        let fulltext = self.builds_kind(IndexKind::Fulltext);
        let all = [
            (self.lacks_row_version, "row-version-limit"),
            (self.copy_cause.is_some(), self.copy_cause.unwrap_or("type-change")),
            (self.add_stored, "stored-generated"),
            (self.add_computed_default, "expression-default"),
            (self.add_check, "add-check"),
            (self.add_foreign_key, "add-foreign-key"),
            (self.drop_primary && !self.add_primary, "drop-primary-key"),
            (self.add_primary, "add-primary-key"),
            (self.other_engine, "engine"),
            (self.repartition, "partition-by"),
            (self.add_versioning || self.drop_versioning, "system-versioning"),
            (self.add_auto_increment || self.gains_auto_increment, "auto-increment"),
            (!self.not_null.is_empty() || self.nullable, "nullability"),
            (self.rebuild_option, "row-format"),
            (self.copy_option, "row-format"),
            (self.order_by, "order-by"),
            (fulltext, "fulltext-index"),
            (!self.built.is_empty(), "create-index"),
            (self.add_base, "add-column"),
            (self.drop_base, "drop-column"),
            (self.reorder_base, "column-order"),
            (self.loses_auto_increment, "auto-increment"),
            (self.collation, "convert-charset"),
            (!self.dropped.is_empty(), "drop-index"),
            (self.add_virtual || self.drop_virtual, "virtual-generated"),
            (self.virtual_expression || self.reorder_virtual, "virtual-generated"),
            (!self.renamed.is_empty() || self.renamed_indexes, "rename"),
            (self.rename_table, "rename-table"),
            (self.drop_foreign_key, "drop-foreign-key"),
            (self.drop_check, "drop-check"),
            (self.option || self.default_charset || self.converts || self.keys, "table-options"),
            (self.index_visibility, "alter-index"),
            (self.longer, "type-change"),
        ];
        all.into_iter().find(|(holds, _)| *holds).map_or("alter-table", |(_, cause)| cause)
    }
}
