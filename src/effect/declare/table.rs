//! Tables: columns, constraints, options, and what ALTER TABLE adds to them.

use super::Teller;
use super::column::{Written, type_name};
use crate::effect::TableState;
use crate::sql::ServerKind;
use crate::sql::ast::{
    ActionKind, AlterTable, ColumnDef, ConstraintKind, CreateTable, CreateView, Drop, Expr,
    ForeignKey, Key, MyAction, Nullability, ObjectKind, Persistence, PgAction, ReferentialAction,
    TableAction, TableConstraint,
};

impl Teller<'_> {
    /// `CREATE TABLE`.
    pub(super) fn create_table(&mut self, create: &CreateTable) {
        let temporary = create.persistence == Persistence::Temporary;
        let table = self.full(&create.name).to_string();
        let state = TableState::NewEmpty;
        let object = ObjectKind::Table;
        if !temporary {
            let part = create.partition_of.is_some();
            let what = if part { "partition-name" } else { "table-name" };
            self.named(what, object, &create.name);
        }
        for column in &create.columns {
            self.column(&table, column, state, Written::New);
            for constraint in &column.constraints {
                self.constraint(&table, constraint, std::slice::from_ref(column), state);
            }
        }
        for constraint in &create.constraints {
            self.constraint(&table, constraint, &create.columns, state);
        }
        for index in &create.indexes {
            self.within(index.span, |teller| teller.index(&table, index, state));
        }
        self.table_shape(create, &table);
        for (name, value) in &create.options {
            self.table_option(&table, name, value, state);
        }
        if create.persistence == Persistence::Unlogged {
            self.add("unlogged-table", object, table.clone(), "unlogged", None, state);
        }
        if !create.inherits.is_empty() {
            self.add("table-inheritance", object, table.clone(), "INHERITS", None, state);
        }
        if let Some(of) = &create.of_type {
            self.add("typed-table", object, table.clone(), &of.to_string(), None, state);
        }
        if create.query.is_some() {
            self.add("create-table-as", object, table, "SELECT", None, state);
        }
    }

    fn table_shape(&mut self, create: &CreateTable, table: &str) {
        let object = ObjectKind::Table;
        let state = TableState::NewEmpty;
        let count = u64::try_from(create.columns.len()).ok();
        self.add("table-columns", object, table.to_owned(), "columns", count, state);
        let names: Vec<&str> = create.columns.iter().map(|column| column.name.as_str()).collect();
        if create.persistence == Persistence::Permanent && create.partition_of.is_none() {
            self.add("table-column-list", object, table.to_owned(), &names.join(","), None, state);
        }
        if let Some(by) = &create.partition_by {
            let keys = u64::try_from(by.keys.len()).ok();
            self.add("partitioned-table", object, table.to_owned(), &by.strategy, keys, state);
        }
        let plain = create.persistence == Persistence::Permanent && create.partition_of.is_none();
        if self.kind().is_mysql_family() || (self.kind() == ServerKind::Postgres && plain) {
            let option = |name: &str| create.options.iter().any(|(known, _)| known == name);
            if !option("comment") && create.likes.is_empty() && create.query.is_none() {
                self.add("table-without-comment", object, table.to_owned(), "", None, state);
            }
        }
        let blobs = create.columns.iter().filter(|column| {
            let name = column.data_type.as_ref().map(type_name).unwrap_or_default();
            name.ends_with("text") || name.ends_with("blob")
        });
        let blobs = u64::try_from(blobs.count()).ok();
        self.add("blob-columns", object, table.to_owned(), "blob columns", blobs, state);
        self.padding(create, table);
    }

    /// Tells the bytes that alignment wastes in each row (PostgreSQL manual, 73.6.1).
    fn padding(&mut self, create: &CreateTable, table: &str) {
        let widths: Option<Vec<(u64, u64)>> = create.columns.iter().map(width).collect();
        let Some(mut widths) = widths.filter(|widths| widths.len() > 1) else { return };
        let written = row_bytes(&widths);
        widths.sort_by(|a, b| b.1.cmp(&a.1).then(b.0.cmp(&a.0)));
        let wasted = written.saturating_sub(row_bytes(&widths));
        let state = TableState::NewEmpty;
        let object = ObjectKind::Table;
        self.add("wasted-bytes", object, table.to_owned(), "bytes a row", Some(wasted), state);
    }

    pub(super) fn table_option(&mut self, table: &str, name: &str, value: &str, state: TableState) {
        let what = match name {
            "engine" => "table-engine",
            "charset" => "table-charset",
            "collate" => "table-collation",
            "row_format" | "compression" | "page_compressed" => "table-compression",
            "auto_increment" => "auto-increment-start",
            "comment" => "table-comment",
            _ => return,
        };
        let number = value.parse().ok();
        self.add(what, ObjectKind::Table, table.to_owned(), value, number, state);
    }

    /// `ALTER TABLE`.
    pub(super) fn alter_table(&mut self, alter: &AlterTable) {
        let table = self.schema.resolve(&alter.name).to_string();
        let state = self.state(&alter.name);
        for action in &alter.actions {
            self.within(action.span, |teller| teller.action(alter, action, &table, state));
        }
        if alter.object == ObjectKind::Table {
            self.online_clauses(alter, &table, state);
            self.counts(alter, &table, state);
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "most actions declare nothing")]
    fn action(&mut self, alter: &AlterTable, action: &TableAction, table: &str, state: TableState) {
        match &action.kind {
            ActionKind::AddColumn { column, .. } => {
                self.column(table, column, state, Written::Added);
                for constraint in &column.constraints {
                    self.constraint(table, constraint, std::slice::from_ref(column), state);
                }
            }
            ActionKind::AddConstraint(constraint) => self.constraint(table, constraint, &[], state),
            ActionKind::RenameColumn { to, .. } => {
                self.part("column-name", ObjectKind::Column, table, to, state);
            }
            ActionKind::RenameTo(to) => {
                self.tell("table-name", alter.object, self.full(to).to_string(), to.name());
                if let Some(last) = to.parts.last() {
                    self.identifier(alter.object, to.name(), last);
                }
            }
            ActionKind::Postgres(PgAction::AlterType { column, data_type, using }) => {
                self.new_type(table, column, data_type, (action.span, state));
                let stranger = using.as_ref().and_then(|using| {
                    let own = using.columns.iter().any(|name| name == column.as_str());
                    using.columns.first().filter(|_| !own)
                });
                if let Some(stranger) = stranger {
                    let name = format!("{table}.{column}");
                    let object = ObjectKind::Column;
                    self.add("using-other-column", object, name, stranger, None, state);
                }
            }
            ActionKind::DropColumn { column, cascade: true, .. } => {
                let name = format!("{table}.{column}");
                self.add("drop-cascade", ObjectKind::Column, name, "column", None, state);
            }
            ActionKind::DropConstraint { name, cascade: true, .. } => {
                let name = format!("{table}.{name}");
                self.add("drop-cascade", ObjectKind::Constraint, name, "constraint", None, state);
            }
            ActionKind::Mysql(MyAction::ModifyColumn { column, .. }) => {
                self.column(table, column, state, Written::Again);
                self.members(alter, column.name.as_str(), column, state);
            }
            ActionKind::Mysql(MyAction::ChangeColumn { column, from, .. }) => {
                let again = from.as_str().eq_ignore_ascii_case(column.name.as_str());
                let written = if again { Written::Again } else { Written::Added };
                self.column(table, column, state, written);
                self.members(alter, from.as_str(), column, state);
            }
            ActionKind::Mysql(MyAction::AddIndex { index, .. }) => self.index(table, index, state),
            ActionKind::Mysql(MyAction::Option { name, value }) => {
                self.table_option(table, name, value, state);
            }
            ActionKind::Mysql(MyAction::PartitionBy(by)) => {
                let keys = u64::try_from(by.keys.len()).ok();
                let name = table.to_owned();
                self.add("partitioned-table", ObjectKind::Table, name, &by.strategy, keys, state);
            }
            ActionKind::Postgres(PgAction::Inherit(parent)) => {
                let (name, value) = (table.to_owned(), parent.to_string());
                self.add("table-inheritance", ObjectKind::Table, name, &value, None, state);
            }
            _ => {}
        }
    }

    /// MySQL and MariaDB: whether the statement says how it may run.
    fn online_clauses(&mut self, alter: &AlterTable, table: &str, state: TableState) {
        if !self.kind().is_mysql_family() {
            return;
        }
        let object = ObjectKind::Table;
        let algorithm = alter.actions.iter().find_map(|action| {
            if let ActionKind::Mysql(MyAction::Algorithm(word)) = &action.kind {
                Some(word.as_str())
            } else {
                None
            }
        });
        let lock = alter.actions.iter().find_map(|action| {
            if let ActionKind::Mysql(MyAction::Lock(word)) = &action.kind {
                Some(word.as_str())
            } else {
                None
            }
        });
        if algorithm.is_none() {
            self.add("algorithm-clause-missing", object, table.to_owned(), "", None, state);
        }
        match lock {
            Some(word) => self.add("lock-clause", object, table.to_owned(), word, None, state),
            None if !alter.online => {
                self.add("lock-clause-missing", object, table.to_owned(), "", None, state);
            }
            None => {}
        }
    }

    /// Tells how many columns and indexes the table has after the statement.
    fn counts(&mut self, alter: &AlterTable, table: &str, state: TableState) {
        let Some(relation) = self.schema.find(&alter.name).filter(|found| found.complete) else {
            return;
        };
        let added = alter
            .actions
            .iter()
            .filter(|action| matches!(action.kind, ActionKind::AddColumn { .. }));
        let (added, before) = (added.count(), relation.columns.len());
        let indexes = relation.indexes.len();
        let object = ObjectKind::Table;
        if added > 0 {
            let count = u64::try_from(before + added).ok();
            self.add("table-columns", object, table.to_owned(), "columns", count, state);
        }
        let new_indexes = alter.actions.iter().filter(|action| {
            let key = matches!(&action.kind, ActionKind::AddConstraint(constraint)
            if matches!(
                constraint.kind,
                ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_)
            ));
            key || matches!(action.kind, ActionKind::Mysql(MyAction::AddIndex { .. }))
        });
        let new_indexes = new_indexes.count();
        if new_indexes > 0 {
            let count = u64::try_from(indexes + new_indexes).ok();
            self.add("table-indexes", object, table.to_owned(), "indexes", count, state);
        }
    }

    /// A constraint of a table or a column; `columns` are those written beside it.
    fn constraint(
        &mut self,
        table: &str,
        constraint: &TableConstraint,
        columns: &[ColumnDef],
        state: TableState,
    ) {
        self.within(constraint.span, |teller| {
            let object = ObjectKind::Constraint;
            let kind = constraint_kind(&constraint.kind);
            match &constraint.name {
                Some(name) => teller.part("constraint-name", object, table, name, state),
                None if kind != "NOT NULL" => {
                    teller.add("unnamed-constraint", object, table.to_owned(), kind, None, state);
                }
                None => {}
            }
            match &constraint.kind {
                ConstraintKind::ForeignKey(key) => teller.foreign_key(table, key, columns, state),
                ConstraintKind::PrimaryKey(key) => {
                    for part in &key.parts {
                        teller.key_column(table, &part.key, columns, state);
                    }
                }
                ConstraintKind::Check(check) => teller.check(table, check, state),
                ConstraintKind::Unique(_)
                | ConstraintKind::PrimaryKeyUsingIndex(_)
                | ConstraintKind::UniqueUsingIndex(_)
                | ConstraintKind::Exclude(_)
                | ConstraintKind::NotNull(_) => {}
            }
        });
    }

    fn key_column(&mut self, table: &str, key: &Key, columns: &[ColumnDef], state: TableState) {
        let Key::Column(name) = key else { return };
        // A key written on its column was told with the column.
        let column = columns.iter().find(|column| column.name.as_str() == name.as_str());
        let here = |column: &ColumnDef| {
            column.constraints.iter().any(|c| matches!(c.kind, ConstraintKind::PrimaryKey(_)))
        };
        if let Some(column) = column.filter(|column| !here(column))
            && let Some(data_type) = &column.data_type
        {
            let name = format!("{table}.{name}");
            let value = type_name(data_type);
            self.add("primary-key-type", ObjectKind::Column, name, &value, None, state);
        }
    }

    fn check(&mut self, table: &str, check: &Expr, state: TableState) {
        let object = ObjectKind::Constraint;
        self.add("check-constraint", object, table.to_owned(), &check.text, None, state);
    }

    fn foreign_key(
        &mut self,
        table: &str,
        key: &ForeignKey,
        columns: &[ColumnDef],
        state: TableState,
    ) {
        let object = ObjectKind::Constraint;
        let parent = self.schema.resolve(&key.parent).to_string();
        self.add("foreign-key", object, table.to_owned(), &parent, None, state);
        for (event, action) in [("ON DELETE", key.on_delete), ("ON UPDATE", key.on_update)] {
            let word = match action {
                ReferentialAction::Cascade => "CASCADE",
                ReferentialAction::SetNull => "SET NULL",
                ReferentialAction::SetDefault => "SET DEFAULT",
                ReferentialAction::NoAction | ReferentialAction::Restrict => continue,
            };
            let value = format!("{event} {word}");
            self.add("foreign-key-action", object, table.to_owned(), &value, None, state);
        }
        for name in &key.columns {
            let written = columns.iter().find(|column| column.name.as_str() == name.as_str());
            let nullable = match written {
                Some(column) => {
                    !matches!(column.nullability, Some(Nullability::NotNull { .. }))
                        && !column
                            .constraints
                            .iter()
                            .any(|c| matches!(c.kind, ConstraintKind::PrimaryKey(_)))
                }
                None => continue,
            };
            if nullable {
                let full = format!("{table}.{name}");
                let object = ObjectKind::Column;
                self.add("nullable-foreign-key", object, full, &parent, None, state);
            }
        }
    }

    /// `DROP`.
    pub(super) fn drop(&mut self, drop: &Drop) {
        for name in &drop.names {
            if drop.object == ObjectKind::Table {
                let full = self.schema.resolve(name).to_string();
                let state = self.state(name);
                self.add("dropped-table", drop.object, full, name.name(), None, state);
            } else if drop.object == ObjectKind::Schema && self.kind().is_mysql_family() {
                // A schema is a database there.
                self.tell("dropped", ObjectKind::Database, name.to_string(), "database");
            } else {
                self.tell("dropped", drop.object, name.to_string(), drop.object.as_str());
            }
        }
        if drop.cascade && self.kind() == crate::sql::ServerKind::Postgres {
            let names: Vec<String> = drop.names.iter().map(ToString::to_string).collect();
            let new = drop.object == ObjectKind::Table
                && drop.names.iter().all(|name| self.state(name) != TableState::Existing);
            let state = if new { TableState::NewEmpty } else { TableState::Existing };
            let value = drop.object.as_str();
            self.add("drop-cascade", drop.object, names.join(", "), value, None, state);
        }
    }

    /// `CREATE VIEW`.
    pub(super) fn create_view(&mut self, view: &CreateView) {
        let object =
            if view.materialized { ObjectKind::MaterializedView } else { ObjectKind::View };
        if !view.temporary {
            self.named("view-name", object, &view.name);
        }
        let full = self.full(&view.name).to_string();
        if !view.materialized {
            self.tell("stored-program", object, full.clone(), "view");
        }
        if view.query.star {
            self.tell("select-star", object, full.clone(), "*");
        }
        if !view.or_replace && !view.if_not_exists && !view.materialized {
            self.tell("without-or-replace", object, full.clone(), object.as_str());
        }
        for (name, value) in &view.options {
            if name == "definer" {
                self.tell("definer", object, full.clone(), value);
            }
        }
    }
}

const fn constraint_kind(kind: &ConstraintKind) -> &'static str {
    match kind {
        ConstraintKind::PrimaryKey(_) | ConstraintKind::PrimaryKeyUsingIndex(_) => "PRIMARY KEY",
        ConstraintKind::Unique(_) | ConstraintKind::UniqueUsingIndex(_) => "UNIQUE",
        ConstraintKind::Check(_) => "CHECK",
        ConstraintKind::ForeignKey(_) => "FOREIGN KEY",
        ConstraintKind::Exclude(_) => "EXCLUDE",
        ConstraintKind::NotNull(_) => "NOT NULL",
    }
}

/// Returns the bytes of a value and its alignment; variable lengths count as four aligned to four
/// and end the reckoning of what follows, so they come last in the best order.
fn width(column: &ColumnDef) -> Option<(u64, u64)> {
    let data_type = column.data_type.as_ref()?;
    if data_type.array_dims > 0 {
        return Some((4, 4));
    }
    Some(match data_type.name.as_str() {
        "bigint" | "bigserial" | "double precision" | "timestamp" | "timestamptz" | "money"
        | "time" => (8, 8),
        "integer" | "serial" | "real" | "date" | "oid" => (4, 4),
        "smallint" | "smallserial" => (2, 2),
        "boolean" | "\"char\"" => (1, 1),
        "uuid" => (16, 1),
        "interval" => (16, 8),
        "timetz" => (12, 8),
        "text" | "varchar" | "char" | "numeric" | "bytea" | "json" | "jsonb" | "xml" | "inet"
        | "cidr" => (4, 4),
        _ => return None,
    })
}

fn row_bytes(widths: &[(u64, u64)]) -> u64 {
    let mut offset = 0_u64;
    for &(bytes, align) in widths {
        offset = offset.div_ceil(align) * align + bytes;
    }
    offset
}
