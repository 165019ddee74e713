//! A table as it is and as it was to the statements that bring it back.

use super::items::{TableText, drop_constraint_words};
use crate::sql::ast::{ColumnDef, Nullability, TableConstraint};
use crate::sql::{Server, ServerKind, ident};

/// What brings a table back, and what it cannot bring back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TableWay {
    /// Statements in order.
    pub(super) statements: Vec<String>,
    /// Columns that come back without their values.
    pub(super) empty_columns: Vec<String>,
    /// The table is made anew: what is attached to it (indexes, triggers) has to be made again.
    pub(super) rebuilt: bool,
    /// Something differs that no statement here changes.
    pub(super) notes: Vec<String>,
}

/// Returns the way from `now` back to `before`.
pub(super) fn way_back(before: &TableText, now: &TableText, server: Server) -> TableWay {
    let gone = missing(&before.ast.columns, &now.ast.columns);
    let empty_columns = gone.iter().map(|column| column.name.value.clone()).collect();
    let pair = Pair { before, now, server };
    let mut way = TableWay { empty_columns, ..TableWay::default() };
    match server.kind {
        ServerKind::Sqlite => pair.sqlite(&mut way),
        ServerKind::Postgres => pair.postgres(&mut way),
        ServerKind::Mysql | ServerKind::Mariadb => pair.mysql(&mut way),
    }
    way
}

struct Pair<'a> {
    before: &'a TableText,
    now: &'a TableText,
    server: Server,
}

/// Returns the columns of one list that the other does not have.
fn missing<'a>(these: &'a [ColumnDef], those: &[ColumnDef]) -> Vec<&'a ColumnDef> {
    let has = |column: &ColumnDef| those.iter().any(|other| same_name(other, column));
    these.iter().filter(|column| !has(column)).collect()
}

fn same_name(one: &ColumnDef, other: &ColumnDef) -> bool {
    one.name.value.eq_ignore_ascii_case(&other.name.value)
}

impl Pair<'_> {
    fn alter(&self, actions: &[String]) -> Option<String> {
        let table = &self.now.name;
        (!actions.is_empty()).then(|| format!("ALTER TABLE {table} {}", actions.join(", ")))
    }

    fn quoted(&self, name: &str) -> String {
        ident(self.server.kind, name)
    }

    /// SQLite drops and renames columns; everything else takes a new table (manual, "ALTER TABLE",
    /// section 7). A column is dropped when nothing else is different and no constraint is on it.
    fn sqlite(&self, way: &mut TableWay) {
        let added = missing(&self.now.ast.columns, &self.before.ast.columns);
        let kept = self.now.ast.columns.iter().filter(|c| !added.iter().any(|a| same_name(a, c)));
        let same = kept.map(|column| self.now.slice(column.span)).eq(self
            .before
            .ast
            .columns
            .iter()
            .map(|column| self.before.slice(column.span)));
        let plain = added.iter().all(|column| column.constraints.is_empty())
            && self.now.ast.constraints.len() == self.before.ast.constraints.len()
            && self.server.version.at_least(3, 35, 0);
        if same && plain && !added.is_empty() {
            way.statements = added
                .iter()
                .map(|column| {
                    let name = self.now.slice(column.name.span);
                    format!("ALTER TABLE {} DROP COLUMN {name}", self.now.name)
                })
                .collect();
            return;
        }
        self.rebuild(way);
    }

    fn rebuild(&self, way: &mut TableWay) {
        let scratch = self.quoted(&format!("lockwise_rebuild_{}", self.before.ast.name.name()));
        let range = self.before.name_range();
        let mut create = self.before.text.clone();
        create.replace_range(range, &scratch);
        let stored = |column: &&ColumnDef| column.generated.is_none();
        let common: Vec<String> = self
            .before
            .ast
            .columns
            .iter()
            .filter(stored)
            .filter(|column| self.now.ast.columns.iter().any(|now| same_name(now, column)))
            .map(|column| self.before.slice(column.name.span).to_owned())
            .collect();
        let common = common.join(", ");
        let table = &self.now.name;
        way.rebuilt = true;
        way.statements = vec![
            create,
            format!("INSERT INTO {scratch} ({common}) SELECT {common} FROM {table}"),
            format!("DROP TABLE {table}"),
            format!("ALTER TABLE {scratch} RENAME TO {}", self.before.name),
        ];
        if common.is_empty() {
            way.statements.remove(1);
        }
    }

    fn postgres(&self, way: &mut TableWay) {
        let mut actions = self.constraints_to_drop();
        for column in missing(&self.now.ast.columns, &self.before.ast.columns) {
            actions.push(format!("DROP COLUMN {}", self.now.slice(column.name.span)));
        }
        for column in &self.before.ast.columns {
            match self.now.ast.columns.iter().find(|now| same_name(now, column)) {
                None => actions.push(format!("ADD COLUMN {}", self.before.slice(column.span))),
                Some(now) => self.postgres_column(column, now, &mut actions),
            }
        }
        actions.extend(self.constraints_to_add());
        self.postgres_settings(&mut actions, way);
        way.statements.extend(self.alter(&actions));
    }

    /// Brings back type, default, nullability and identity of a column.
    fn postgres_column(&self, before: &ColumnDef, now: &ColumnDef, actions: &mut Vec<String>) {
        if self.before.slice(before.span) == self.now.slice(now.span) {
            return;
        }
        let name = self.now.slice(now.name.span);
        let was_generated = before.generated.as_ref().map(|g| g.expr.text.as_str());
        let is_generated = now.generated.as_ref().map(|g| g.expr.text.as_str());
        if was_generated != is_generated {
            // The values follow from the other columns, so nothing is lost by making it again.
            if was_generated.is_some() {
                actions.push(format!("DROP COLUMN {name}"));
                actions.push(format!("ADD COLUMN {}", self.before.slice(before.span)));
                return;
            }
            actions.push(format!("ALTER COLUMN {name} DROP EXPRESSION"));
        }
        let default = |table: &TableText, column: &ColumnDef| {
            column.default.as_ref().map(|default| table.slice(default.span).to_owned())
        };
        let (was_default, is_default) = (default(self.before, before), default(self.now, now));
        let (was_type, is_type) = (self.type_of(self.before, before), self.type_of(self.now, now));
        let retyped = was_type != is_type;
        if (retyped || was_default.is_none()) && is_default.is_some() {
            actions.push(format!("ALTER COLUMN {name} DROP DEFAULT"));
        }
        if retyped {
            let cast = was_type.split(" COLLATE ").next().unwrap_or(&was_type);
            actions.push(format!("ALTER COLUMN {name} TYPE {was_type} USING {name}::{cast}"));
        }
        if let Some(default) = was_default
            && (retyped || is_default.as_ref() != Some(&default))
        {
            actions.push(format!("ALTER COLUMN {name} SET DEFAULT {default}"));
        }
        let required =
            |column: &ColumnDef| matches!(column.nullability, Some(Nullability::NotNull { .. }));
        match (required(before), required(now)) {
            (true, false) => actions.push(format!("ALTER COLUMN {name} SET NOT NULL")),
            (false, true) => actions.push(format!("ALTER COLUMN {name} DROP NOT NULL")),
            (true, true) | (false, false) => {}
        }
        if before.identity != now.identity {
            if now.identity.is_some() {
                actions.push(format!("ALTER COLUMN {name} DROP IDENTITY"));
            }
            if let Some(identity) = before.identity {
                let kind = match identity {
                    crate::sql::ast::IdentityKind::Always => "ALWAYS",
                    crate::sql::ast::IdentityKind::ByDefault => "BY DEFAULT",
                };
                actions.push(format!("ALTER COLUMN {name} ADD GENERATED {kind} AS IDENTITY"));
            }
        }
    }

    fn type_of(&self, table: &TableText, column: &ColumnDef) -> String {
        let Some(data_type) = &column.data_type else { return String::new() };
        let written = table.slice(data_type.span).to_owned();
        match &data_type.collation {
            Some(collation) if !written.to_uppercase().contains("COLLATE") => {
                let parts = collation.split('.').map(|part| self.quoted(part.trim_matches('"')));
                format!("{written} COLLATE {}", parts.collect::<Vec<_>>().join("."))
            }
            Some(_) | None => written,
        }
    }

    /// Brings back what PostgreSQL lets be set on a whole table.
    fn postgres_settings(&self, actions: &mut Vec<String>, way: &mut TableWay) {
        let (before, now) = (&self.before.ast, &self.now.ast);
        if before.persistence != now.persistence {
            let unlogged = before.persistence == crate::sql::ast::Persistence::Unlogged;
            actions.push(if unlogged { "SET UNLOGGED" } else { "SET LOGGED" }.to_owned());
        }
        if before.access_method != now.access_method {
            let method = before.access_method.as_deref().unwrap_or("heap");
            actions.push(format!("SET ACCESS METHOD {}", self.quoted(method)));
        }
        if before.tablespace != now.tablespace {
            let tablespace = before.tablespace.as_deref().unwrap_or("pg_default");
            actions.push(format!("SET TABLESPACE {}", self.quoted(tablespace)));
        }
        for (name, value) in &before.options {
            if !now.options.contains(&(name.clone(), value.clone())) {
                actions.push(format!("SET ({name} = {value})"));
            }
        }
        for (name, _) in &now.options {
            if !before.options.iter().any(|(other, _)| other == name) {
                actions.push(format!("RESET ({name})"));
            }
        }
        let names = |table: &TableText| -> Vec<String> {
            table.ast.inherits.iter().map(|name| table.slice(name.span()).to_owned()).collect()
        };
        let (were, are) = (names(self.before), names(self.now));
        actions.extend(
            are.iter().filter(|p| !were.contains(p)).map(|parent| format!("NO INHERIT {parent}")),
        );
        actions.extend(
            were.iter().filter(|p| !are.contains(p)).map(|parent| format!("INHERIT {parent}")),
        );
        if before.partition_by.is_some() != now.partition_by.is_some() {
            way.notes.push(format!("how {} is partitioned cannot be changed back", self.now.name));
        }
    }

    fn named<'t>(table: &'t TableText, constraint: &'t TableConstraint) -> Option<&'t str> {
        constraint.name.as_ref().map(|name| table.slice(name.span))
    }

    /// Returns what drops the constraints that are new or different.
    fn constraints_to_drop(&self) -> Vec<String> {
        let texts: Vec<&str> = all_constraints(self.before).map(|(_, text)| text).collect();
        all_constraints(self.now)
            .filter(|(_, text)| !texts.contains(text))
            .filter_map(|(constraint, _)| {
                let words = drop_constraint_words(&constraint.kind, self.server.kind);
                if words == "PRIMARY KEY" {
                    return Some("DROP PRIMARY KEY".to_owned());
                }
                let name = Self::named(self.now, constraint)?;
                Some(format!("DROP {words} {name}"))
            })
            .collect()
    }

    /// Returns what adds the constraints that are gone or different.
    fn constraints_to_add(&self) -> Vec<String> {
        let texts: Vec<&str> = all_constraints(self.now).map(|(_, text)| text).collect();
        let gone = all_constraints(self.before).filter(|(_, text)| !texts.contains(text));
        gone.map(|(_, text)| format!("ADD {text}")).collect()
    }

    fn mysql(&self, way: &mut TableWay) {
        let mut actions = self.constraints_to_drop();
        let index_texts = |table: &TableText| -> Vec<String> {
            table.ast.indexes.iter().map(|index| table.slice(index.span).to_owned()).collect()
        };
        let (were, are) = (index_texts(self.before), index_texts(self.now));
        for index in &self.now.ast.indexes {
            if !were.iter().any(|text| text == self.now.slice(index.span))
                && let Some(name) = &index.name
            {
                actions.push(format!("DROP INDEX {}", self.now.slice(name.span)));
            }
        }
        for column in missing(&self.now.ast.columns, &self.before.ast.columns) {
            actions.push(format!("DROP COLUMN {}", self.now.slice(column.name.span)));
        }
        self.mysql_columns(&mut actions);
        actions.extend(were.iter().filter(|t| !are.contains(t)).map(|text| format!("ADD {text}")));
        actions.extend(self.constraints_to_add());
        for (name, value) in &self.before.ast.options {
            // The counter is data: it goes back by itself or not at all.
            if name != "auto_increment"
                && !self.now.ast.options.contains(&(name.clone(), value.clone()))
            {
                actions.push(mysql_option(name, value));
            }
        }
        let gone =
            self.now.ast.options.iter().filter(|(name, _)| {
                !self.before.ast.options.iter().any(|(other, _)| other == name)
            });
        for (name, _) in gone {
            match name.as_str() {
                "comment" => actions.push("COMMENT = ''".to_owned()),
                "row_format" => actions.push("ROW_FORMAT = DEFAULT".to_owned()),
                "auto_increment" => {}
                other => way.notes.push(format!("the table option {other} stays as it is")),
            }
        }
        way.statements.extend(self.alter(&actions));
    }

    /// Adds, changes and moves columns until they are as before.
    fn mysql_columns(&self, actions: &mut Vec<String>) {
        let mut order: Vec<&str> = self
            .now
            .ast
            .columns
            .iter()
            .filter(|now| self.before.ast.columns.iter().any(|column| same_name(column, now)))
            .map(|now| now.name.as_str())
            .collect();
        let mut last: Option<&str> = None;
        for (index, column) in self.before.ast.columns.iter().enumerate() {
            let text = self.before.slice(column.span);
            let place = match last {
                None => "FIRST".to_owned(),
                Some(name) => format!("AFTER {}", self.quoted(name)),
            };
            let name = column.name.as_str();
            let at = order.iter().position(|other| other.eq_ignore_ascii_case(name));
            let now = self.now.ast.columns.iter().find(|now| same_name(now, column));
            match (now, at) {
                (Some(now), Some(at)) if at == index => {
                    if self.now.slice(now.span) != text {
                        actions.push(format!("MODIFY COLUMN {text}"));
                    }
                }
                (Some(_), at) => {
                    actions.push(format!("MODIFY COLUMN {text} {place}"));
                    if let Some(at) = at {
                        order.remove(at);
                    }
                    order.insert(index.min(order.len()), name);
                }
                (None, _) => {
                    actions.push(format!("ADD COLUMN {text} {place}"));
                    order.insert(index.min(order.len()), name);
                }
            }
            last = Some(name);
        }
    }
}

/// Returns the constraints of a table with their texts; those written on a column only where they
/// stand as clauses of their own (SQLite and MySQL write them with the column, which is compared).
fn all_constraints(table: &TableText) -> impl Iterator<Item = (&TableConstraint, &str)> {
    table.ast.constraints.iter().map(|constraint| (constraint, table.slice(constraint.span)))
}

fn mysql_option(name: &str, value: &str) -> String {
    match name {
        "comment" => format!("COMMENT = '{}'", value.replace('\'', "''")),
        "charset" => format!("DEFAULT CHARSET = {value}"),
        "collate" => format!("COLLATE = {value}"),
        other => format!("{} = {value}", other.to_uppercase()),
    }
}
