//! What has to be known of a table to copy its rows, and to find them again.

use super::items::{TableText, items};
use crate::db::Snapshot;
use crate::sql::ast::{ColumnDef, ConstraintKind, DataType, IdentityKind, KeyPart};
use crate::sql::{ServerKind, ident, literal};

/// A table as far as its rows are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFacts {
    /// Its name as a plan writes it.
    pub relation: String,
    /// Its name as SQL.
    pub name: String,
    /// Columns that are not generated, as SQL.
    pub stored: Vec<String>,
    /// Columns of the primary key, as SQL.
    pub key: Vec<String>,
    /// The primary key is over whole columns, not over the beginnings of some.
    pub whole_key: bool,
    /// Columns that a sequence fills (PostgreSQL), by name.
    counted: Vec<String>,
    /// A column takes no value unless it is forced to (`GENERATED ALWAYS`).
    forced: bool,
}

/// Returns what is known of a table, by the name that a plan writes.
pub fn table_facts(snapshot: &Snapshot, relation: &str) -> Option<TableFacts> {
    let last = relation.rsplit('.').next().unwrap_or(relation);
    let object = snapshot.objects.iter().find(|object| {
        let name = &object.name;
        object.kind == "table"
            && (name.to_string() == relation || name.schema.is_empty() && name.name == last)
    })?;
    let table = items(object, snapshot.server).into_iter().find_map(|item| item.parts)?;
    if table.ast.foreign {
        return None;
    }
    let kind = snapshot.server.kind;
    let columns = &table.ast.columns;
    let stored = columns.iter().filter(|column| column.generated.is_none());
    let counted = columns.iter().filter(|column| {
        let default = column.default.as_ref().map_or("", |default| default.text.as_str());
        column.identity.is_some() || default.starts_with("nextval(")
    });
    Some(TableFacts {
        relation: relation.to_owned(),
        name: table.name.clone(),
        stored: stored.map(|column| ident(kind, column.name.as_str())).collect(),
        key: key(&table).iter().map(|name| ident(kind, name)).collect(),
        whole_key: key_parts(&table).all(|part| part.prefix.is_none()),
        counted: counted.map(|column| column.name.value.clone()).collect(),
        forced: columns.iter().any(|column| column.identity == Some(IdentityKind::Always)),
    })
}

/// Returns the columns of the primary key.
fn key(table: &TableText) -> Vec<String> {
    let mut names: Vec<String> =
        key_parts(table).filter_map(|part| part.key.column().map(str::to_owned)).collect();
    let own = table.ast.columns.iter().filter(|column| {
        let mut constraints = column.constraints.iter();
        constraints.any(|one| matches!(one.kind, ConstraintKind::PrimaryKey(_)))
    });
    names.extend(own.map(|column| column.name.value.clone()));
    names.dedup();
    names
}

/// Returns the parts of a primary key that stands apart from its columns.
fn key_parts(table: &TableText) -> impl Iterator<Item = &KeyPart> {
    let keys = table.ast.constraints.iter().filter_map(|constraint| {
        if let ConstraintKind::PrimaryKey(key) = &constraint.kind { Some(key) } else { None }
    });
    keys.flat_map(|key| &key.parts)
}

impl TableFacts {
    /// Returns the statement that fills the table from a copy of all its columns.
    pub fn insert_from(&self, copy: &str, kind: ServerKind) -> String {
        let columns = self.stored.join(", ");
        let forced = kind == ServerKind::Postgres && self.forced;
        let overriding = if forced { " OVERRIDING SYSTEM VALUE" } else { "" };
        format!("INSERT INTO {} ({columns}){overriding} SELECT {columns} FROM {copy}", self.name)
    }

    /// Returns the statement that fills one column from a copy that has the key beside it.
    pub fn update_from(&self, copy: &str, column: &str, kind: ServerKind) -> String {
        let table = &self.name;
        let pairs = self.key.iter().map(|key| format!("kept.{key} = {table}.{key}"));
        let found = pairs.collect::<Vec<_>>().join(" AND ");
        if kind.is_mysql_family() {
            return format!(
                "UPDATE {table} JOIN {copy} AS kept ON {found} SET {table}.{column} = kept.{column}"
            );
        }
        format!("UPDATE {table} SET {column} = kept.{column} FROM {copy} AS kept WHERE {found}")
    }

    /// Returns what sets the sequences of a table that has been filled (PostgreSQL).
    pub fn counters(&self, kind: ServerKind) -> Vec<String> {
        if kind != ServerKind::Postgres {
            return Vec::new();
        }
        let table = literal(kind, &self.name);
        let one = |column: &String| {
            let (name, quoted) = (literal(kind, column), ident(kind, column));
            format!(
                "SELECT setval(pg_get_serial_sequence({table}, {name}), max({quoted})) FROM {} \
                 HAVING max({quoted}) IS NOT NULL",
                self.name
            )
        };
        self.counted.iter().map(one).collect()
    }
}

/// Returns a value for a column that comes back without its values and takes no NULL; none where
/// no value is plain enough to be taken for what it is.
pub(super) fn filler(column: &ColumnDef, kind: ServerKind) -> Option<&'static str> {
    let data_type: &DataType = column.data_type.as_ref()?;
    if data_type.array_dims > 0 {
        return Some("'{}'");
    }
    let is_text = ["char", "text", "clob", "varchar", "character varying", "bpchar", "citext"];
    let name = data_type.name.as_str();
    if kind == ServerKind::Sqlite {
        return Some(if is_text.iter().any(|word| name.contains(word)) { "''" } else { "0" });
    }
    match name {
        "smallint" | "integer" | "int" | "bigint" | "numeric" | "decimal" | "real" | "money"
        | "double precision" | "int2" | "int4" | "int8" | "float4" | "float8" => Some("0"),
        "boolean" | "bool" => Some("false"),
        "date"
        | "timestamp"
        | "timestamptz"
        | "timestamp with time zone"
        | "timestamp without time zone" => Some("'epoch'"),
        "time" | "time without time zone" => Some("'00:00'"),
        "interval" => Some("'0'"),
        "uuid" => Some("'00000000-0000-0000-0000-000000000000'"),
        "json" | "jsonb" => Some("'{}'"),
        "bytea" => Some("''"),
        text if is_text.contains(&text) => Some("''"),
        _ => None,
    }
}
