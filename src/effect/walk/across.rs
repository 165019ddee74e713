//! What two statements of one migration do together, whatever their transactions.

use super::{StatementRun, Walker, session};
use crate::effect::{EffectKind, TableState};
use crate::schema::{Name, Origin};
use crate::sql::ast::{
    ActionKind, AlterTable, ColumnDef, CreateIndex, Drop, Key, MyAction, Nullability, ObjectKind,
    Statement, StatementKind,
};
use crate::sql::{ObjectName, Span};

/// What earlier statements of the migration did to tables in use.
#[derive(Debug, Default)]
pub(super) struct Across {
    dropped_columns: Vec<(Name, String)>,
    /// Columns added NOT NULL with a default.
    defaulted_columns: Vec<(Name, String)>,
    dropped_tables: Vec<Name>,
    /// Indexes dropped: table, key columns, name.
    dropped_indexes: Vec<(Name, Vec<String>, String)>,
    /// Tables that an ALTER TABLE read or wrote in full.
    worked_on: Vec<Name>,
}

impl Walker<'_> {
    /// Compares a statement with those before it. Called before the schema changes.
    pub(super) fn across(&mut self, statement: &Statement, run: &mut StatementRun) {
        if let StatementKind::AlterTable(alter) = &statement.kind {
            self.alter_table(alter, statement.span, run);
        } else if let StatementKind::Drop(drop) = &statement.kind {
            self.drop(drop);
        } else if let StatementKind::CreateTable(create) = &statement.kind {
            let name = self.schema.new_name(&create.name);
            if self.across.dropped_tables.contains(&name) && create.query.is_none() {
                let value = name.to_string();
                run.effects.effects.push(session(statement.span, "create-table-replaces", value));
            }
        } else if let StatementKind::CreateIndex(create) = &statement.kind {
            self.create_index(create, run, statement.span);
        }
    }

    /// Says whether a table was there before the migration, as far as is known.
    fn in_use(&self, table: &ObjectName) -> bool {
        self.schema
            .find(table)
            .is_none_or(|found| found.origin != Origin::Migration(self.schema.migration))
    }

    fn alter_table(&mut self, alter: &AlterTable, span: Span, run: &mut StatementRun) {
        if !self.in_use(&alter.name) {
            return;
        }
        let table = self.schema.resolve(&alter.name);
        for action in &alter.actions {
            let at = if action.span.is_empty() { span } else { action.span };
            if let ActionKind::AddColumn { column, .. } = &action.kind {
                self.add_column(&table, column, at, run);
            } else if let ActionKind::DropColumn { column, .. } = &action.kind {
                self.across.dropped_columns.push((table.clone(), column.value.clone()));
            } else if let ActionKind::DropDefault { column } = &action.kind {
                let key = (table.clone(), column.value.clone());
                if self.across.defaulted_columns.contains(&key) {
                    let value = format!("{table}.{}", column.value);
                    run.effects.effects.push(session(at, "new-default-dropped", value));
                }
            } else if let ActionKind::Mysql(MyAction::DropIndex { name, .. }) = &action.kind {
                self.drop_index(&table, name.as_str());
            } else if let ActionKind::Mysql(MyAction::AddIndex { index, .. }) = &action.kind {
                self.replaces(&table, &index.parts, at, run);
            }
        }
        self.merge(&table, span, run);
    }

    fn add_column(&mut self, table: &Name, column: &ColumnDef, at: Span, run: &mut StatementRun) {
        let key = (table.clone(), column.name.value.clone());
        if self.across.dropped_columns.contains(&key) {
            let value = format!("{table}.{}", column.name);
            run.effects.effects.push(session(at, "column-dropped-and-added", value));
        }
        let required = matches!(column.nullability, Some(Nullability::NotNull { .. }));
        if required && column.default.is_some() {
            self.across.defaulted_columns.push(key);
        }
    }

    /// Two ALTER TABLEs that each go through the whole table could be one.
    fn merge(&mut self, table: &Name, span: Span, run: &mut StatementRun) {
        let works = run.effects.effects.iter().any(|effect| match &effect.kind {
            EffectKind::Rewrite { relation, .. } | EffectKind::Scan { relation, .. } => {
                relation.name == *table && relation.state == TableState::Existing
            }
            EffectKind::Lock(_)
            | EffectKind::IndexBuild { .. }
            | EffectKind::Loss(_)
            | EffectKind::Break { .. }
            | EffectKind::Failure(_)
            | EffectKind::LeftBehind { .. }
            | EffectKind::Declares(_)
            | EffectKind::Session { .. }
            | EffectKind::Unknown { .. } => false,
        });
        let rebuilds = run.effects.online.is_some_and(|online| online.rebuilds);
        if !works && !rebuilds {
            return;
        }
        if self.across.worked_on.contains(table) {
            run.effects.effects.push(session(span, "separate-alter-tables", table.to_string()));
        } else {
            self.across.worked_on.push(table.clone());
        }
    }

    fn drop(&mut self, drop: &Drop) {
        for name in &drop.names {
            if drop.object == ObjectKind::Table && self.in_use(name) {
                self.across.dropped_tables.push(self.schema.resolve(name));
            } else if drop.object == ObjectKind::Index {
                match &drop.on_table {
                    Some(table) => {
                        let table = self.schema.resolve(table);
                        self.drop_index(&table, name.name());
                    }
                    None => {
                        let table = self.schema.find_index(name).map(|(_, t, _)| t.name.clone());
                        if let Some(table) = table {
                            self.drop_index(&table, name.name());
                        }
                    }
                }
            }
        }
    }

    fn drop_index(&mut self, table: &Name, index: &str) {
        let Some(relation) = self.schema.relation(table) else { return };
        if relation.origin == Origin::Migration(self.schema.migration) {
            return;
        }
        let Some(found) = relation.index(index) else { return };
        let columns: Vec<String> = found.key_columns().into_iter().map(str::to_owned).collect();
        self.across.dropped_indexes.push((table.clone(), columns, index.to_owned()));
    }

    fn create_index(&mut self, create: &CreateIndex, run: &mut StatementRun, span: Span) {
        let table = self.schema.resolve(&create.table);
        self.replaces(&table, &create.index.parts, span, run);
    }

    /// An index that serves the queries of one dropped before is built too late.
    fn replaces(
        &self,
        table: &Name,
        parts: &[crate::sql::ast::KeyPart],
        at: Span,
        run: &mut StatementRun,
    ) {
        let first = parts.first().and_then(|part| match &part.key {
            Key::Column(column) => Some(column.as_str()),
            Key::Expr(_) => None,
        });
        let replaced = self.across.dropped_indexes.iter().find(|(dropped_table, columns, _)| {
            dropped_table == table
                && first.is_some()
                && columns.first().map(String::as_str) == first
        });
        if let Some((_, _, name)) = replaced {
            run.effects.effects.push(session(at, "index-dropped-before-its-successor", name));
        }
    }
}
