//! CREATE TABLE of MySQL and MariaDB, and the parts that ALTER TABLE adds too.
//!
//! MySQL 8.0 to 9.x manual, CREATE TABLE, FOREIGN KEY Constraints; measured on MariaDB 10.11, 11.8
//! and MySQL 9.7, testdata/servers.

use super::super::super::change::add;
use super::super::super::charset::Charset;
use super::super::super::model::{
    Column, Constraint, Demand, Index, Relation, RelationKind, Schema,
};
use super::super::create as shared;
use super::same;
use crate::sql::ast::{
    ColumnDef, ConstraintKind, CreateTable, IndexDef, IndexKind, Key, KeyConstraint, KeyPart,
    TableConstraint,
};
use crate::sql::{Ident, ServerKind};

/// Makes a table.
pub(super) fn create(schema: &mut Schema, create: &CreateTable) {
    let name = schema.new_name(&create.name);
    let known = schema
        .relation(&name)
        .is_some_and(|old| old.origin != super::super::super::model::Origin::Assumed);
    if known && !create.or_replace {
        return;
    }
    if known {
        schema.take_relation(&name);
    }
    let mut table = Relation::new(name, RelationKind::Table, schema.origin());
    table.complete = true;
    table.persistence = create.persistence;
    table.options = create.options.iter().cloned().collect();
    table.partition_by.clone_from(&create.partition_by);
    table.system_versioning =
        create.system_versioning || table.options.remove("system versioning").is_some();
    if let Some(like) = create.likes.first() {
        take_like(schema, &mut table, like);
    }
    for definition in &create.columns {
        add_column(schema, &mut table, definition, None);
    }
    for constraint in &create.constraints {
        add_constraint(schema, &mut table, constraint, None);
    }
    for index in &create.indexes {
        add_index(schema, &mut table, index);
    }
    add_foreign_key_indexes(schema, &mut table);
    if let Some(query) = &create.query {
        super::from_query(schema, &mut table, query);
        table.has_rows = true;
    }
    schema.put_relation(table);
}

/// LIKE copies columns, keys, checks, options and partitions, and no foreign keys.
fn take_like(schema: &Schema, table: &mut Relation, like: &crate::sql::ast::LikeClause) {
    let Some(source) = schema.find(&like.source) else {
        table.complete = false;
        return;
    };
    let origin = schema.origin();
    table.complete = source.complete;
    table.columns.clone_from(&source.columns);
    table.indexes.clone_from(&source.indexes);
    table.options.clone_from(&source.options);
    table.partition_by.clone_from(&source.partition_by);
    let kept = |constraint: &&Constraint| constraint.parent().is_none();
    table.constraints = source.constraints.iter().filter(kept).cloned().collect();
    table.columns.iter_mut().for_each(|column| column.origin = origin);
    table.indexes.iter_mut().for_each(|index| index.origin = origin);
    table.constraints.iter_mut().for_each(|constraint| constraint.origin = origin);
}

/// Returns a column with the character set that it gets in a table.
pub(super) fn column(schema: &Schema, table: &Relation, definition: &ColumnDef) -> Column {
    let mut column = shared::column(definition, schema.origin());
    let default = Charset::of_table(schema.server, table);
    if let Some(data_type) = &mut column.data_type
        && let Some(found) = Charset::of_type(schema.server, data_type, &default)
    {
        data_type.charset = Some(found.name);
        data_type.collation = Some(found.collation);
        data_type.binary = false;
    }
    let is_timestamp = column.data_type.as_ref().is_some_and(|t| t.name == "timestamp");
    if is_timestamp && definition.nullability.is_none() && !explicit_timestamps(schema) {
        column.not_null = true;
    }
    let is_key = definition
        .constraints
        .iter()
        .any(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey(_)));
    column.not_null |= is_key || definition.auto_increment;
    column
}

/// `explicit_defaults_for_timestamp` is on in MySQL 8.0, in MariaDB since 10.10.
fn explicit_timestamps(schema: &Schema) -> bool {
    schema.server.kind == ServerKind::Mysql || schema.server.version.at_least(10, 10, 0)
}

/// Adds a column at a place, or at the end, with what is written on it.
pub(super) fn add_column(
    schema: &Schema,
    table: &mut Relation,
    definition: &ColumnDef,
    at: Option<usize>,
) {
    let new = column(schema, table, definition);
    let at = at.unwrap_or(table.columns.len()).min(table.columns.len());
    table.columns.insert(at, new);
    add_written_on(schema, table, definition);
}

/// Adds the constraints that are written on a column.
pub(super) fn add_written_on(schema: &Schema, table: &mut Relation, definition: &ColumnDef) {
    for constraint in &definition.constraints {
        let is_key = matches!(constraint.kind, ConstraintKind::ForeignKey(_));
        if is_key && !reads_inline_references(schema) {
            continue;
        }
        add_constraint(schema, table, constraint, Some(definition.name.as_str()));
    }
}

/// REFERENCES on a column is a foreign key in MariaDB since 10.5 and in MySQL since 9.0 (measured
/// on 10.11 and 9.7; MySQL 8.4 manual: "parsed but ignored").
fn reads_inline_references(schema: &Schema) -> bool {
    match schema.server.kind {
        ServerKind::Mariadb => schema.server.version.at_least(10, 5, 0),
        ServerKind::Mysql | ServerKind::Postgres | ServerKind::Sqlite => {
            schema.server.version.at_least(9, 0, 0)
        }
    }
}

/// Adds a constraint, and the index behind a key.
pub(super) fn add_constraint(
    schema: &Schema,
    table: &mut Relation,
    constraint: &TableConstraint,
    written_on: Option<&str>,
) {
    let written = constraint.name.as_ref().map(|name| name.value.clone());
    let (name, kind) = match &constraint.kind {
        ConstraintKind::PrimaryKey(key) => {
            for column in key_columns(&key.parts) {
                if let Some(found) = column_mut(table, &column) {
                    found.not_null = true;
                }
            }
            push_key(schema, table, key, "PRIMARY".to_owned(), true);
            ("PRIMARY".to_owned(), Demand::PrimaryKey(key_columns(&key.parts)))
        }
        ConstraintKind::Unique(key) => {
            let given = key.index_name.as_ref().map(|name| name.value.clone());
            let name = written.or(given).unwrap_or_else(|| index_name(table, &key.parts));
            push_key(schema, table, key, name.clone(), false);
            (name, Demand::Unique(key_columns(&key.parts)))
        }
        ConstraintKind::Check(check) => {
            let name = written.unwrap_or_else(|| check_name(schema, table, written_on));
            (name, Demand::Check(check.clone()))
        }
        ConstraintKind::ForeignKey(key) => {
            let name = written.unwrap_or_else(|| foreign_key_name(table));
            (name, shared::foreign_key(schema, table, key))
        }
        ConstraintKind::PrimaryKeyUsingIndex(_)
        | ConstraintKind::UniqueUsingIndex(_)
        | ConstraintKind::Exclude(_)
        | ConstraintKind::NotNull(_) => return,
    };
    table.constraints.push(Constraint {
        name,
        kind,
        valid: !constraint.not_enforced,
        enforced: !constraint.not_enforced,
        written_on: written_on.map(ToOwned::to_owned),
        deferrable: false,
        inherited: false,
        no_inherit: false,
        origin: schema.origin(),
    });
}

fn push_key(schema: &Schema, table: &mut Relation, key: &KeyConstraint, name: String, pk: bool) {
    let mut index = plain_index(schema, name.clone(), key.parts.clone(), IndexKind::Unique);
    index.primary = pk;
    index.constraint = Some(name);
    index.invisible =
        key.options.iter().any(|(option, _)| option == "invisible" || option == "ignored");
    drop_covered_auto_indexes(table, &index);
    add(&mut table.indexes, index);
}

/// Adds an index that is no constraint.
pub(super) fn add_index(schema: &Schema, table: &mut Relation, definition: &IndexDef) {
    let name = definition
        .name
        .as_ref()
        .map_or_else(|| index_name(table, &definition.parts), |name| name.value.clone());
    if table.indexes.iter().any(|index| same(&index.name, &name)) {
        // Refused: error 1061, duplicate key name.
        return;
    }
    let mut index = plain_index(schema, name, definition.parts.clone(), definition.kind);
    if let Some(method) = &definition.method {
        method.clone_into(&mut index.method);
    }
    index.invisible = definition.invisible;
    if definition.kind == IndexKind::Unique {
        index.constraint = Some(index.name.clone());
        table.constraints.push(Constraint {
            name: index.name.clone(),
            kind: Demand::Unique(key_columns(&definition.parts)),
            valid: true,
            enforced: true,
            written_on: None,
            deferrable: false,
            inherited: false,
            no_inherit: false,
            origin: schema.origin(),
        });
    }
    drop_covered_auto_indexes(table, &index);
    add(&mut table.indexes, index);
}

fn plain_index(schema: &Schema, name: String, parts: Vec<KeyPart>, kind: IndexKind) -> Index {
    Index {
        name,
        kind,
        primary: false,
        constraint: None,
        method: "btree".to_owned(),
        parts,
        include: Vec::new(),
        predicate: None,
        valid: true,
        invisible: false,
        parent: None,
        tablespace: None,
        nulls_not_distinct: false,
        origin: schema.origin(),
    }
}

/// Drops an index and the key that it stands behind.
pub(super) fn drop_index(table: &mut Relation, name: &str) {
    table.indexes.retain(|index| !same(&index.name, name));
    table.constraints.retain(|found| !found.has_index() || !same(&found.name, name));
}

/// Makes the index that a foreign key needs and no other index gives.
///
/// Its name is that of the constraint where one is written, else that of its first column.
pub(super) fn add_foreign_key_indexes(schema: &Schema, table: &mut Relation) {
    let keys: Vec<(String, Vec<String>)> = table
        .constraints
        .iter()
        .filter_map(|constraint| match &constraint.kind {
            Demand::ForeignKey { columns, .. } => Some((constraint.name.clone(), columns.clone())),
            Demand::PrimaryKey(_)
            | Demand::Unique(_)
            | Demand::Check(_)
            | Demand::Exclude(_)
            | Demand::NotNull(_) => None,
        })
        .collect();
    for (name, columns) in keys {
        if table.indexes.iter().any(|index| auto_index_covers(index, &columns)) {
            continue;
        }
        let parts: Vec<KeyPart> = columns.iter().map(|column| column_part(column)).collect();
        let made_up = name.starts_with(&format!("{}_ibfk_", table.name.name));
        let index = if made_up { index_name(table, &parts) } else { name.clone() };
        let mut index = plain_index(schema, index, parts, IndexKind::Plain);
        index.constraint = Some(name);
        add(&mut table.indexes, index);
    }
}

/// Says whether an index leads with these columns, whole and in this order.
fn auto_index_covers(index: &Index, columns: &[String]) -> bool {
    let usable = matches!(index.kind, IndexKind::Plain | IndexKind::Unique);
    usable
        && index.parts.len() >= columns.len()
        && columns.iter().zip(&index.parts).all(|(column, part)| {
            part.prefix.is_none() && part.key.column().is_some_and(|found| same(found, column))
        })
}

/// An index made for a foreign key goes when a written one takes its place.
fn drop_covered_auto_indexes(table: &mut Relation, new: &Index) {
    table.indexes.retain(|old| {
        let is_auto = old.kind == IndexKind::Plain && old.constraint.is_some();
        let columns: Vec<String> = old.key_columns().into_iter().map(ToOwned::to_owned).collect();
        !(is_auto && auto_index_covers(new, &columns))
    });
}

fn column_part(column: &str) -> KeyPart {
    KeyPart {
        span: Default::default(),
        key: Key::Column(Ident::new(column, Default::default())),
        collation: None,
        opclass: None,
        prefix: None,
        descending: false,
        nulls_first: None,
    }
}

/// Returns the name of an index that has none written: its first column, numbered where taken.
fn index_name(table: &Relation, parts: &[KeyPart]) -> String {
    let base = parts.first().and_then(|part| part.key.column()).unwrap_or("functional_index");
    let taken = |name: &str| table.indexes.iter().any(|index| same(&index.name, name));
    let numbered = (2..100).map(|number| format!("{base}_{number}"));
    std::iter::once(base.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}

/// `t_chk_1` in MySQL, `CONSTRAINT_1` in MariaDB, where a CHECK on a column has the column's name.
fn check_name(schema: &Schema, table: &Relation, written_on: Option<&str>) -> String {
    let mariadb = schema.server.kind == ServerKind::Mariadb;
    if let (true, Some(column)) = (mariadb, written_on) {
        return column.to_owned();
    }
    let start =
        if mariadb { "CONSTRAINT_".to_owned() } else { format!("{}_chk_", table.name.name) };
    numbered_name(table, &start)
}

fn foreign_key_name(table: &Relation) -> String {
    numbered_name(table, &format!("{}_ibfk_", table.name.name))
}

fn numbered_name(table: &Relation, start: &str) -> String {
    let numbers = table.constraints.iter().filter_map(|constraint| {
        constraint.name.strip_prefix(start).and_then(|rest| rest.parse::<u32>().ok())
    });
    format!("{start}{}", numbers.max().unwrap_or(0) + 1)
}

/// Returns the plain columns of a key.
pub(super) fn key_columns(parts: &[KeyPart]) -> Vec<String> {
    parts.iter().filter_map(|part| part.key.column()).map(ToOwned::to_owned).collect()
}

/// Returns a column to change.
pub(super) fn column_mut<'t>(table: &'t mut Relation, name: &str) -> Option<&'t mut Column> {
    table.columns.iter_mut().find(|column| same(&column.name, name))
}
