//! A table as it is and as it was to the statements that bring it back.

use super::altered;
use super::facts::filler;
use super::items::{TableText, drop_constraint_words};
use super::mysql_tables;
use crate::sql::ast::{ColumnDef, ConstraintKind, IdentityKind, Nullability, TableConstraint};
use crate::sql::{Server, ServerKind, ident};

/// What brings a table back, and what it cannot bring back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TableWay {
    /// Actions of ALTER TABLE by which what the table got since goes away (PostgreSQL).
    pub(super) shrink: Vec<String>,
    /// Actions that add columns again (PostgreSQL).
    pub(super) adds: Vec<String>,
    /// Actions that bring everything else back (PostgreSQL).
    pub(super) actions: Vec<String>,
    /// Statements that bring the table back (the other servers).
    pub(super) statements: Vec<String>,
    /// Columns that come back without their values.
    pub(super) empty_columns: Vec<String>,
    /// The table is made anew, so that what is attached to it (indexes, triggers) has to be made
    /// again (SQLite), or has columns of another type, so that views on it make way (PostgreSQL).
    pub(super) rebuilt: bool,
    /// Something differs that no statement here changes.
    pub(super) notes: Vec<String>,
}

/// Returns the way from `now` back to `before`.
pub(super) fn way_back(before: &TableText, now: &TableText, server: Server) -> TableWay {
    let gone = missing(&before.ast.columns, &now.ast.columns);
    let stored = gone.iter().filter(|column| column.generated.is_none());
    let empty_columns = stored.map(|column| column.name.value.clone()).collect();
    let pair = Pair { before, now, server };
    let mut way = TableWay { empty_columns, ..TableWay::default() };
    match server.kind {
        ServerKind::Sqlite => pair.sqlite(&mut way),
        ServerKind::Postgres => pair.postgres(&mut way),
        ServerKind::Mysql | ServerKind::Mariadb => mysql_tables::way_back(&pair, &mut way),
    }
    way
}

/// A table before and now.
pub(super) struct Pair<'a> {
    pub(super) before: &'a TableText,
    pub(super) now: &'a TableText,
    pub(super) server: Server,
}

/// Returns the columns of one list that the other does not have.
pub(super) fn missing<'a>(these: &'a [ColumnDef], those: &[ColumnDef]) -> Vec<&'a ColumnDef> {
    let has = |column: &ColumnDef| those.iter().any(|other| same_name(other, column));
    these.iter().filter(|column| !has(column)).collect()
}

pub(super) fn same_name(one: &ColumnDef, other: &ColumnDef) -> bool {
    one.name.value.eq_ignore_ascii_case(&other.name.value)
}

impl Pair<'_> {
    pub(super) fn alter(&self, actions: &[String]) -> Option<String> {
        let table = &self.now.name;
        (!actions.is_empty()).then(|| format!("ALTER TABLE {table} {}", actions.join(", ")))
    }

    pub(super) fn quoted(&self, name: &str) -> String {
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
        let gone = missing(&self.before.ast.columns, &self.now.ast.columns);
        let (mut into, mut from) = (common.clone(), common.clone());
        for column in gone {
            if let Some(value) = self.filler(column, way) {
                into.push(self.before.slice(column.name.span).to_owned());
                from.push(value.to_owned());
            }
        }
        let (into, from) = (into.join(", "), from.join(", "));
        let table = &self.now.name;
        way.rebuilt = true;
        way.statements = vec![
            create,
            format!("INSERT INTO {scratch} ({into}) SELECT {from} FROM {table}"),
            format!("DROP TABLE {table}"),
            format!("ALTER TABLE {scratch} RENAME TO {}", self.before.name),
        ];
        if common.is_empty() {
            way.statements.remove(1);
        }
    }

    fn postgres(&self, way: &mut TableWay) {
        // What a parent had is the table's own once it inherits no more.
        let own = self.now.ast.inherits.len() >= self.before.ast.inherits.len();
        let mut shrink = if own { self.constraints_to_drop() } else { Vec::new() };
        let new = missing(&self.now.ast.columns, &self.before.ast.columns);
        for column in new.into_iter().filter(|_| own) {
            shrink.push(format!("DROP COLUMN {}", self.now.slice(column.name.span)));
        }
        let (mut adds, mut actions) = (Vec::new(), Vec::new());
        for column in &self.before.ast.columns {
            match self.now.ast.columns.iter().find(|now| same_name(now, column)) {
                None => self.add_column(column, (&mut adds, &mut actions), way),
                Some(now) => {
                    way.rebuilt |= self.type_of(self.before, column) != self.type_of(self.now, now);
                    self.postgres_column(column, now, (&mut shrink, &mut actions));
                }
            }
        }
        way.shrink = shrink;
        actions.extend(self.constraints_to_add());
        self.postgres_settings(&mut actions, way);
        way.adds = adds;
        way.actions = actions;
    }

    /// Adds a column again. One that takes no NULL and has no default could not be added to a table
    /// with rows, so they get a value that the column does not keep as its default.
    fn add_column(
        &self,
        column: &ColumnDef,
        (adds, actions): (&mut Vec<String>, &mut Vec<String>),
        way: &mut TableWay,
    ) {
        let text = self.before.slice(column.span);
        match self.filler(column, way) {
            None => adds.push(format!("ADD COLUMN {text}")),
            Some(value) => {
                adds.push(format!("ADD COLUMN {text} DEFAULT {value}"));
                let name = self.before.slice(column.name.span);
                actions.push(format!("ALTER COLUMN {name} DROP DEFAULT"));
            }
        }
    }

    /// Returns what rows get in a column that comes back, takes no NULL and has no default.
    fn filler(&self, column: &ColumnDef, way: &mut TableWay) -> Option<&'static str> {
        let required = matches!(column.nullability, Some(Nullability::NotNull { .. }));
        if !required
            || column.default.is_some()
            || column.generated.is_some()
            || column.identity.is_some()
        {
            return None;
        }
        let value = filler(column, self.server.kind)?;
        let name = self.before.slice(column.name.span);
        way.notes.push(format!(
            "{}.{name} comes back with {value} in the rows that are there: it takes no NULL",
            self.before.ast.name
        ));
        Some(value)
    }

    /// Brings back type, default, nullability and identity of a column.
    fn postgres_column(
        &self,
        before: &ColumnDef,
        now: &ColumnDef,
        (shrink, actions): (&mut Vec<String>, &mut Vec<String>),
    ) {
        if self.before.slice(before.span) == self.now.slice(now.span) {
            return;
        }
        let name = self.now.slice(now.name.span);
        let was_generated = before.generated.as_ref().map(|g| g.expr.text.as_str());
        let is_generated = now.generated.as_ref().map(|g| g.expr.text.as_str());
        if was_generated != is_generated {
            // The values follow from the other columns, so nothing is lost by making it again.
            if was_generated.is_some() {
                shrink.push(format!("DROP COLUMN {name}"));
                actions.push(format!("ADD COLUMN {}", self.before.slice(before.span)));
                return;
            }
            shrink.push(format!("ALTER COLUMN {name} DROP EXPRESSION"));
        }
        let default = |table: &TableText, column: &ColumnDef| {
            column.default.as_ref().map(|default| table.slice(default.span).to_owned())
        };
        let (was_default, is_default) = (default(self.before, before), default(self.now, now));
        let (was_type, is_type) = (self.type_of(self.before, before), self.type_of(self.now, now));
        let retyped = was_type != is_type;
        if (retyped || was_default != is_default) && is_default.is_some() {
            shrink.push(format!("ALTER COLUMN {name} DROP DEFAULT"));
        }
        if retyped {
            let cast = was_type.split(" COLLATE ").next().unwrap_or(&was_type);
            let value = cast_back(before, now, name, cast);
            actions.push(format!("ALTER COLUMN {name} TYPE {was_type} USING {value}"));
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
        self.identity((before, now), name, (shrink, actions));
    }

    fn identity(
        &self,
        (before, now): (&ColumnDef, &ColumnDef),
        name: &str,
        (shrink, actions): (&mut Vec<String>, &mut Vec<String>),
    ) {
        let word = |identity: IdentityKind| match identity {
            IdentityKind::Always => "ALWAYS",
            IdentityKind::ByDefault => "BY DEFAULT",
        };
        let options = |table: &TableText, column: &ColumnDef| -> String {
            let text = table.slice(column.span);
            let inside = text.split(" AS IDENTITY (").nth(1).unwrap_or("");
            inside.split(')').next().unwrap_or("").to_owned()
        };
        let alter = format!("ALTER COLUMN {name}");
        match (before.identity, now.identity) {
            (None, None) => {}
            (None, Some(_)) => shrink.push(format!("{alter} DROP IDENTITY")),
            (Some(identity), None) => {
                let (kind, options) = (word(identity), options(self.before, before));
                let options =
                    if options.is_empty() { String::new() } else { format!(" ({options})") };
                actions.push(format!("{alter} ADD GENERATED {kind} AS IDENTITY{options}"));
            }
            (Some(identity), Some(other)) => {
                if identity != other {
                    actions.push(format!("{alter} SET GENERATED {}", word(identity)));
                }
                let was = options(self.before, before);
                if was != options(self.now, now) {
                    let all = altered::sequence_options(&was);
                    actions.push(format!("{alter} SET {}", all.join(" SET ")));
                }
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
        let index = match &constraint.kind {
            ConstraintKind::Unique(key) => key.index_name.as_ref(),
            ConstraintKind::PrimaryKey(_)
            | ConstraintKind::PrimaryKeyUsingIndex(_)
            | ConstraintKind::UniqueUsingIndex(_)
            | ConstraintKind::Check(_)
            | ConstraintKind::ForeignKey(_)
            | ConstraintKind::Exclude(_)
            | ConstraintKind::NotNull(_) => None,
        };
        constraint.name.as_ref().or(index).map(|name| table.slice(name.span))
    }

    /// Returns what drops the constraints that are new or different.
    pub(super) fn constraints_to_drop(&self) -> Vec<String> {
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
    pub(super) fn constraints_to_add(&self) -> Vec<String> {
        let texts: Vec<&str> = all_constraints(self.now).map(|(_, text)| text).collect();
        let gone = all_constraints(self.before).filter(|(_, text)| !texts.contains(text));
        gone.map(|(_, text)| format!("ADD {text}")).collect()
    }
}

/// Returns the constraints of a table with their texts; those written on a column only where they
/// stand as clauses of their own (SQLite and MySQL write them with the column, which is compared).
pub(super) fn all_constraints(table: &TableText) -> impl Iterator<Item = (&TableConstraint, &str)> {
    table.ast.constraints.iter().map(|constraint| (constraint, table.slice(constraint.span)))
}

/// Returns the old value of a column made from the new one. A cast of which the server may have
/// none goes by way of text, which every type has.
fn cast_back(before: &ColumnDef, now: &ColumnDef, name: &str, cast: &str) -> String {
    let family = |column: &ColumnDef| {
        let data_type = column.data_type.as_ref();
        match data_type.map_or("", |data_type| data_type.name.as_str()) {
            "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision"
            | "boolean" | "oid" => 1,
            "text" | "varchar" | "char" | "bpchar" | "name" | "citext" => 2,
            "date" | "timestamp" | "timestamptz" | "time" | "timetz" => 3,
            "json" | "jsonb" => 4,
            _ => 0,
        }
    };
    let dims = |column: &ColumnDef| column.data_type.as_ref().map_or(0, |t| t.array_dims);
    match (dims(before), dims(now)) {
        (0, 1..) => return format!("({name})[1]::{cast}"),
        (1.., 0) => return format!("ARRAY[{name}]::{cast}"),
        (0, 0) | (1.., 1..) => {}
    }
    match (family(before), family(now)) {
        (2, 4) => format!("({name} #>> '{{}}')::{cast}"),
        (one, other) if one == other || one == 2 || other == 2 => format!("{name}::{cast}"),
        _ => format!("{name}::text::{cast}"),
    }
}
