//! ALTER TABLE of MySQL and MariaDB: the table before and its actions to the table after.
//!
//! As the servers do it: columns that stay are gone through in their old order, with every name in
//! DROP, CHANGE, MODIFY and RENAME meaning the table before; then columns are moved and added in
//! the order of the statement; then come keys, whose names mean the table after.
//!
//! MySQL: mysql_prepare_alter_table (sql_table.cc), MariaDB the same; measured on MariaDB 10.11,
//! 11.8 and MySQL 9.7, testdata/servers.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an action or statement that is not named here does not touch what is changed"
)]

use super::super::super::charset::{Charset, max_bytes};
use super::super::super::model::{Column, Demand, Name, Relation, Schema};
use super::table::{
    add_column, add_constraint, add_foreign_key_indexes, add_index, add_written_on, column,
    column_mut, drop_index,
};
use super::{assumed, rename_table, same};
use crate::sql::ast::{
    ActionKind, AlterTable, ColumnDef, ColumnPosition, Expr, ExprShape, Key, MyAction,
    PartitionAction, PartitionBy,
};
use crate::sql::{Ident, ServerKind};

/// A table as ALTER TABLE leaves it.
#[derive(Debug, Clone)]
pub struct Altered {
    /// The table, still under its old name.
    pub table: Relation,
    /// The old column behind each new one, by position in the table before; none for a new one.
    pub origins: Vec<Option<usize>>,
}

/// Returns what ALTER TABLE makes of a table.
pub fn altered(schema: &Schema, before: &Relation, alter: &AlterTable) -> Altered {
    let mut draft = Draft { schema, alter, table: before.clone(), origins: Vec::new() };
    // First, since columns that are defined anew take the character set that the table gets.
    draft.options();
    draft.keep_columns(before);
    draft.rename_in_parts();
    draft.drop_parts();
    draft.place_columns();
    draft.add_parts();
    add_foreign_key_indexes(schema, &mut draft.table);
    Altered { table: draft.table, origins: draft.origins }
}

/// Runs ALTER TABLE.
pub(super) fn apply(schema: &mut Schema, alter: &AlterTable) {
    if schema.is_absent(&alter.name) {
        return;
    }
    let name = assumed(schema, &alter.name);
    let Some(before) = schema.relation(&name).cloned() else { return };
    let after = altered(schema, &before, alter).table;
    schema.put_relation(after);
    let renames = column_renames(alter);
    let children: Vec<Name> =
        schema.foreign_keys_to(&name).into_iter().map(|(child, _)| child.name.clone()).collect();
    for child in children {
        schema.edit(&child, |_, child| follow_in_child(child, &name, &renames));
    }
    for action in &alter.actions {
        match &action.kind {
            ActionKind::RenameTo(to) => {
                let home = to.schema().map_or_else(|| name.schema.clone(), ToOwned::to_owned);
                rename_table(schema, &name, Name::new(home, to.name()));
            }
            ActionKind::Mysql(MyAction::Partition(PartitionAction::Convert {
                table,
                to_table,
                ..
            })) => {
                let other = schema.resolve(table);
                if *to_table {
                    let mut made = before.clone();
                    made.name = other;
                    made.origin = schema.origin();
                    made.has_rows = true;
                    made.partition_by = None;
                    schema.put_relation(made);
                } else {
                    schema.take_relation(&other);
                }
            }
            _ => {}
        }
    }
}

/// Returns the old and new names of columns that a statement renames.
fn column_renames(alter: &AlterTable) -> Vec<(String, String)> {
    alter
        .actions
        .iter()
        .filter_map(|action| match &action.kind {
            ActionKind::RenameColumn { from, to, .. } => {
                Some((from.value.clone(), to.value.clone()))
            }
            ActionKind::Mysql(MyAction::ChangeColumn { from, column, .. }) => {
                Some((from.value.clone(), column.name.value.clone()))
            }
            _ => None,
        })
        .collect()
}

fn renamed(name: &str, renames: &[(String, String)]) -> Option<String> {
    renames.iter().find(|(from, _)| same(from, name)).map(|(_, to)| to.clone())
}

fn follow_in_child(child: &mut Relation, parent: &Name, renames: &[(String, String)]) {
    for constraint in &mut child.constraints {
        if let Demand::ForeignKey { parent: of, parent_columns, .. } = &mut constraint.kind
            && of == parent
        {
            rename_all(parent_columns, renames);
        }
    }
}

fn rename_all(columns: &mut [String], renames: &[(String, String)]) {
    for column in columns {
        if let Some(to) = renamed(column, renames) {
            *column = to;
        }
    }
}

fn rename_in_expr(expr: &mut Expr, renames: &[(String, String)]) {
    let named = expr.columns.iter().any(|column| renamed(column, renames).is_some());
    if named {
        // The text is no longer what is written, but still differs from that of other expressions.
        expr.text.push(' ');
    }
    rename_all(&mut expr.columns, renames);
}

/// A table that is being altered.
struct Draft<'a> {
    schema: &'a Schema,
    alter: &'a AlterTable,
    table: Relation,
    origins: Vec<Option<usize>>,
}

impl<'a> Draft<'a> {
    fn actions(&self) -> impl Iterator<Item = &'a ActionKind> + use<'a> {
        self.alter.actions.iter().map(|action| &action.kind)
    }

    fn keep_columns(&mut self, before: &Relation) {
        let mut kept: Vec<(Column, usize)> = Vec::new();
        for (at, old) in before.columns.iter().enumerate() {
            if let Some(found) = self.kept(old) {
                kept.push((found, at));
            }
        }
        self.origins = kept.iter().map(|(_, at)| Some(*at)).collect();
        self.table.columns = kept.into_iter().map(|(column, _)| column).collect();
    }

    /// Returns what becomes of a column; none if it is dropped.
    fn kept(&self, old: &Column) -> Option<Column> {
        let mut new = old.clone();
        let is = |name: &Ident| same(name.as_str(), &old.name);
        for action in self.actions() {
            match action {
                ActionKind::DropColumn { column, .. } if is(column) => return None,
                ActionKind::RenameColumn { from, to, .. } if is(from) => {
                    to.value.clone_into(&mut new.name);
                }
                ActionKind::SetDefault { column, default } if is(column) => {
                    new.default = Some(Box::new(default.clone()));
                }
                ActionKind::DropDefault { column } if is(column) => new.default = None,
                ActionKind::Mysql(MyAction::ModifyColumn { column, .. }) if is(&column.name) => {
                    new = self.redefined(old, column);
                }
                ActionKind::Mysql(MyAction::ChangeColumn { from, column, .. }) if is(from) => {
                    new = self.redefined(old, column);
                }
                ActionKind::Mysql(MyAction::ColumnVisibility { column, visible }) if is(column) => {
                    new.invisible = !visible;
                }
                _ => {}
            }
        }
        if let Some(converted) = self.conversion()
            && let Some(data_type) = &mut new.data_type
        {
            // JSON of MariaDB and the like keep a character set of their own.
            if data_type.charset.as_deref().is_some_and(|name| name != "binary") {
                let old = data_type.charset.as_deref().map_or(1, max_bytes);
                if max_bytes(&converted.name) > old {
                    longer_text(&mut data_type.name);
                }
                data_type.charset = Some(converted.name);
                data_type.collation = Some(converted.collation);
            }
        }
        Some(new)
    }

    /// MODIFY and CHANGE replace the whole definition; only keys stay.
    fn redefined(&self, old: &Column, definition: &ColumnDef) -> Column {
        let mut new = column(self.schema, &self.table, definition);
        new.origin = old.origin;
        let in_key =
            self.table.indexes.iter().any(|index| {
                index.primary && index.key_columns().iter().any(|c| same(c, &old.name))
            });
        let in_period = self.table.options.iter().any(|(option, columns)| {
            option.starts_with("period ") && columns.split(' ').any(|c| same(c, &old.name))
        });
        new.not_null |= in_period;
        let written_null = definition.nullability == Some(crate::sql::ast::Nullability::Null);
        // A column of the primary key stays NOT NULL: MySQL refuses NULL, MariaDB ignores it.
        new.not_null |= in_key && !(written_null && self.schema.server.kind == ServerKind::Mysql);
        new
    }

    fn conversion(&self) -> Option<Charset> {
        self.actions().find_map(|action| match action {
            ActionKind::Mysql(MyAction::ConvertTo { charset, collation }) => {
                let server = self.schema.server;
                let outer = Charset::of_server(server);
                let (charset, collation) = (charset.as_deref(), collation.as_deref());
                Some(Charset::written(server, charset, collation, &outer).unwrap_or(outer))
            }
            _ => None,
        })
    }

    /// Keys, expressions and foreign keys follow the columns that are renamed.
    fn rename_in_parts(&mut self) {
        let renames = column_renames(self.alter);
        if renames.is_empty() {
            return;
        }
        for part in self.table.indexes.iter_mut().flat_map(|index| &mut index.parts) {
            match &mut part.key {
                Key::Column(column) => {
                    if let Some(to) = renamed(column.as_str(), &renames) {
                        column.value = to;
                    }
                }
                Key::Expr(expr) => rename_in_expr(expr, &renames),
            }
        }
        let own = self.table.name.clone();
        for constraint in &mut self.table.constraints {
            match &mut constraint.kind {
                Demand::PrimaryKey(columns) | Demand::Unique(columns) => {
                    rename_all(columns, &renames);
                }
                Demand::Check(check) => rename_in_expr(check, &renames),
                Demand::ForeignKey { columns, parent, parent_columns, .. } => {
                    rename_all(columns, &renames);
                    if *parent == own {
                        rename_all(parent_columns, &renames);
                    }
                }
                Demand::Exclude(_) | Demand::NotNull(_) => {}
            }
            if let Some(on) = &mut constraint.written_on
                && let Some(to) = renamed(on, &renames)
            {
                *on = to;
            }
        }
        for generated in self.table.columns.iter_mut().filter_map(|c| c.generated.as_mut()) {
            rename_in_expr(&mut generated.expr, &renames);
        }
        for part in self.table.partition_by.iter_mut().flat_map(|by| &mut by.keys) {
            if let Key::Column(column) = &mut part.key
                && let Some(to) = renamed(column.as_str(), &renames)
            {
                column.value = to;
            }
        }
    }

    fn drop_parts(&mut self) {
        for action in self.actions() {
            match action {
                ActionKind::DropColumn { column, .. } => self.shrink_keys(column.as_str()),
                ActionKind::DropConstraint { name, .. } => {
                    drop_index_of_constraint(&mut self.table, name.as_str());
                    self.table.constraints.retain(|c| !same(&c.name, name.as_str()));
                }
                ActionKind::Mysql(MyAction::DropIndex { name, .. }) => {
                    drop_index(&mut self.table, name.as_str());
                }
                ActionKind::Mysql(MyAction::DropPrimaryKey { .. }) => {
                    drop_index(&mut self.table, "PRIMARY");
                }
                ActionKind::Mysql(
                    MyAction::DropForeignKey { name, .. } | MyAction::DropCheck { name },
                ) => {
                    let goes = |c: &super::super::super::model::Constraint| {
                        !c.has_index() && same(&c.name, name.as_str())
                    };
                    self.table.constraints.retain(|constraint| !goes(constraint));
                }
                ActionKind::Mysql(MyAction::RenameIndex { from, to }) => {
                    rename_index(&mut self.table, from.as_str(), to.as_str());
                }
                ActionKind::Mysql(MyAction::IndexVisibility { name, visible }) => {
                    let found =
                        self.table.indexes.iter_mut().find(|i| same(&i.name, name.as_str()));
                    if let Some(index) = found {
                        index.invisible = !visible;
                    }
                }
                ActionKind::Mysql(MyAction::AlterCheck { name, enforced }) => {
                    let mut all = self.table.constraints.iter_mut();
                    if let Some(check) = all.find(|c| same(&c.name, name.as_str())) {
                        check.enforced = *enforced;
                    }
                }
                _ => {}
            }
        }
    }

    /// A dropped column leaves the keys it was part of; a key without columns goes.
    fn shrink_keys(&mut self, column: &str) {
        // A column that comes back under the same name is in the same keys.
        let comes_back = self.actions().any(|action| {
            matches!(action, ActionKind::AddColumn { column: new, .. }
                if same(new.name.as_str(), column))
        });
        if comes_back {
            return;
        }
        for index in &mut self.table.indexes {
            index.parts.retain(|part| !part.key.column().is_some_and(|found| same(found, column)));
        }
        let gone: Vec<String> = self
            .table
            .indexes
            .iter()
            .filter(|index| index.parts.is_empty())
            .map(|index| index.name.clone())
            .collect();
        for name in gone {
            drop_index(&mut self.table, &name);
        }
        self.table.constraints.retain_mut(|constraint| match &mut constraint.kind {
            Demand::PrimaryKey(columns) | Demand::Unique(columns) => {
                columns.retain(|found| !same(found, column));
                true
            }
            Demand::Check(check) => {
                !(constraint.written_on.as_ref().is_some_and(|on| same(on, column))
                    || check.columns.iter().all(|found| same(found, column)))
            }
            Demand::ForeignKey { .. } | Demand::Exclude(_) | Demand::NotNull(_) => true,
        });
    }

    fn place_columns(&mut self) {
        for action in self.actions() {
            match action {
                ActionKind::AddColumn { column, if_not_exists, position } => {
                    let name = column.name.as_str();
                    let there = self.table.columns.iter().any(|found| same(&found.name, name));
                    if there && (*if_not_exists || self.table.complete) {
                        continue;
                    }
                    let at = self.index_of(position).unwrap_or(self.table.columns.len());
                    self.origins.insert(at.min(self.origins.len()), None);
                    add_column(self.schema, &mut self.table, column, Some(at));
                }
                ActionKind::Mysql(
                    MyAction::ModifyColumn { column, position, .. }
                    | MyAction::ChangeColumn { column, position, .. },
                ) => {
                    self.move_column(column.name.as_str(), position);
                    add_written_on(self.schema, &mut self.table, column);
                }
                _ => {}
            }
        }
    }

    fn move_column(&mut self, name: &str, position: &ColumnPosition) {
        if *position == ColumnPosition::Unchanged {
            return;
        }
        let Some(from) = self.table.columns.iter().position(|c| same(&c.name, name)) else {
            return;
        };
        let column = self.table.columns.remove(from);
        let origin = self.origins.remove(from);
        let at = self.index_of(position).unwrap_or(from);
        self.table.columns.insert(at, column);
        self.origins.insert(at, origin);
    }

    fn index_of(&self, position: &ColumnPosition) -> Option<usize> {
        match position {
            ColumnPosition::Unchanged => None,
            ColumnPosition::First => Some(0),
            ColumnPosition::After(name) => self
                .table
                .columns
                .iter()
                .position(|column| same(&column.name, name.as_str()))
                .map(|at| at + 1),
        }
    }

    fn add_parts(&mut self) {
        for action in self.actions() {
            match action {
                ActionKind::AddConstraint(constraint) => {
                    let there = constraint.name.as_ref().is_some_and(|name| {
                        self.table.constraints.iter().any(|c| same(&c.name, name.as_str()))
                    });
                    if !(there && constraint.if_not_exists) {
                        add_constraint(self.schema, &mut self.table, constraint, None);
                    }
                }
                ActionKind::Mysql(MyAction::AddIndex { index, if_not_exists }) => {
                    let there = index.name.as_ref().is_some_and(|name| {
                        self.table.indexes.iter().any(|i| same(&i.name, name.as_str()))
                    });
                    if !(there && *if_not_exists) {
                        add_index(self.schema, &mut self.table, index);
                    }
                }
                _ => {}
            }
        }
        let keys: Vec<String> = self.table.primary_key().unwrap_or_default().to_vec();
        for key in keys {
            if let Some(column) = column_mut(&mut self.table, &key) {
                // MySQL keeps NULL here, for its check to find.
                let written_null = column.default.as_ref().map(|d| d.shape);
                column.not_null |= written_null != Some(ExprShape::Null);
            }
        }
    }

    fn options(&mut self) {
        for action in self.actions() {
            let ActionKind::Mysql(action) = action else { continue };
            match action {
                MyAction::Option { name, value } => {
                    if name == "charset" {
                        self.table.options.remove("collate");
                    }
                    self.table.options.insert(name.clone(), value.clone());
                }
                MyAction::ConvertTo { .. } => {
                    if let Some(found) = self.conversion() {
                        self.table.options.insert("charset".to_owned(), found.name);
                        self.table.options.insert("collate".to_owned(), found.collation);
                    }
                }
                MyAction::PartitionBy(by) => self.table.partition_by = Some(by.clone()),
                MyAction::RemovePartitioning => self.table.partition_by = None,
                MyAction::Partition(change) => {
                    if let Some(by) = &mut self.table.partition_by {
                        change_partitions(by, change);
                    }
                }
                MyAction::AddPeriod { name, columns, .. } => {
                    let columns: Vec<&str> = columns.iter().map(|c| c.as_str()).collect();
                    self.table.options.insert(format!("period {name}"), columns.join(" "));
                }
                MyAction::DropPeriod { name, .. } => {
                    self.table.options.remove(&format!("period {name}"));
                }
                MyAction::AddSystemVersioning => self.table.system_versioning = true,
                MyAction::DropSystemVersioning => self.table.system_versioning = false,
                _ => {}
            }
        }
    }
}

/// Values that may get more bytes go to the next longer type (MySQL manual, "ALTER TABLE
/// Statement", Changing the Character Set; MariaDB 10.11 and 11.8 measured).
fn longer_text(name: &mut String) {
    let longer = match name.as_str() {
        "tinytext" => "text",
        "text" => "mediumtext",
        "mediumtext" => "longtext",
        _ => return,
    };
    longer.clone_into(name);
}

fn drop_index_of_constraint(table: &mut Relation, name: &str) {
    let is_key = table.constraints.iter().any(|found| found.has_index() && same(&found.name, name));
    if is_key {
        drop_index(table, name);
    }
}

fn rename_index(table: &mut Relation, from: &str, to: &str) {
    for index in table.indexes.iter_mut().filter(|index| same(&index.name, from)) {
        to.clone_into(&mut index.name);
        if index.kind == crate::sql::ast::IndexKind::Unique {
            index.constraint = Some(to.to_owned());
        }
    }
    for constraint in &mut table.constraints {
        if constraint.has_index() && same(&constraint.name, from) {
            to.clone_into(&mut constraint.name);
        }
    }
}

fn change_partitions(by: &mut PartitionBy, change: &PartitionAction) {
    let is_in =
        |list: &[Ident], found: &Ident| list.iter().any(|name| same(&name.value, &found.value));
    match change {
        PartitionAction::Add { names, .. } => by.partitions.extend(names.iter().cloned()),
        PartitionAction::Drop { names, .. } => by.partitions.retain(|found| !is_in(names, found)),
        PartitionAction::Reorganize { from, into, .. } => {
            let at = by.partitions.iter().position(|found| is_in(from, found));
            by.partitions.retain(|found| !is_in(from, found));
            let at = at.unwrap_or(by.partitions.len());
            by.partitions.splice(at..at, into.iter().cloned());
        }
        PartitionAction::Convert { partition, to_table, .. } => {
            if *to_table {
                by.partitions.retain(|found| !same(&found.value, &partition.value));
            } else {
                by.partitions.push(partition.clone());
            }
        }
        PartitionAction::Truncate(_)
        | PartitionAction::Coalesce
        | PartitionAction::Exchange { .. }
        | PartitionAction::Maintain { .. } => {}
    }
}
