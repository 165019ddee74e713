//! Keys and foreign keys.

use std::collections::{BTreeMap, HashMap};

use super::text::{unescaped, without_database};
use super::{Reader, object};
use crate::db::error::ServerError;
use crate::db::rows::Row;
use crate::db::snapshot::SnapshotObject;
use crate::schema::Name;

/// A key while its parts are read.
#[derive(Debug, Default)]
struct Key {
    is_unique: bool,
    kind: String,
    comment: String,
    is_hidden: bool,
    parts: Vec<(u64, String)>,
}

/// Reads the lines of all keys, by table: the primary key first, then by name.
///
/// The server keeps the order in which keys were made; that order means nothing to a schema, and a
/// key dropped and made again stands last.
pub(super) async fn keys(
    reader: &mut Reader<'_>,
) -> Result<HashMap<String, Vec<String>>, ServerError> {
    let special = if reader.is_mysql() {
        "expression, CASE is_visible WHEN 'NO' THEN 1 ELSE 0 END"
    } else {
        "NULL, CASE ignored WHEN 'YES' THEN 1 ELSE 0 END"
    };
    let sql = format!(
        "SELECT table_name, index_name, non_unique, seq_in_index, column_name, collation, \
         sub_part, index_type, index_comment, {special} \
         FROM information_schema.statistics WHERE table_schema = {{db}}"
    );
    let rows = reader.ask_on(&sql, &["table_name"]).await?;
    let mut keys: BTreeMap<(String, bool, String), Key> = BTreeMap::new();
    for row in &rows {
        let (table, name) = (row.text(0).to_owned(), row.text(1).to_owned());
        let key = keys.entry((table, name != "PRIMARY", name)).or_default();
        key.is_unique = row.text(2) == "0";
        row.text(7).clone_into(&mut key.kind);
        row.text(8).clone_into(&mut key.comment);
        key.is_hidden = row.flag(10);
        key.parts.push((row.count(3), part(reader, row)));
    }
    let mut lines: HashMap<String, Vec<String>> = HashMap::new();
    for ((table, is_secondary, name), key) in keys {
        let line = line(reader, (!is_secondary).then_some("PRIMARY KEY"), &name, key);
        lines.entry(table).or_default().push(line);
    }
    Ok(lines)
}

/// Writes one part of a key.
fn part(reader: &Reader<'_>, row: &Row) -> String {
    let mut part = match row.get(9) {
        Some(expression) => format!("({})", unescaped(expression)),
        None => reader.quote(row.text(4)),
    };
    // A spatial key always shows a length of 32.
    if let Some(length) = row.get(6).filter(|_| row.text(7) != "SPATIAL") {
        part.push_str(&format!("({length})"));
    }
    if row.text(5) == "D" {
        part.push_str(" DESC");
    }
    part
}

/// Writes one key.
fn line(reader: &Reader<'_>, primary: Option<&str>, name: &str, mut key: Key) -> String {
    key.parts.sort();
    let parts: Vec<String> = key.parts.into_iter().map(|(_, part)| part).collect();
    let words = match (key.kind.as_str(), key.is_unique) {
        ("FULLTEXT", _) => "FULLTEXT KEY",
        ("SPATIAL" | "RTREE", _) => "SPATIAL KEY",
        (_, true) => "UNIQUE KEY",
        (_, false) => "KEY",
    };
    let mut line = match primary {
        Some(words) => words.to_owned(),
        None => format!("{words} {}", reader.quote(name)),
    };
    line.push_str(&format!(" ({})", parts.join(", ")));
    if key.kind == "HASH" {
        line.push_str(" USING HASH");
    }
    if !key.comment.is_empty() {
        line.push_str(&format!(" COMMENT {}", reader.text(&key.comment)));
    }
    if key.is_hidden {
        line.push_str(if reader.is_mysql() { " INVISIBLE" } else { " IGNORED" });
    }
    line
}

/// A foreign key while its columns are read.
#[derive(Debug, Default)]
struct ForeignKey {
    columns: Vec<String>,
    parent: String,
    parent_columns: Vec<String>,
    on_delete: String,
    on_update: String,
}

/// Writes foreign keys, each as a statement of its own after all tables.
pub(super) async fn foreign_keys(
    reader: &mut Reader<'_>,
    objects: &mut Vec<SnapshotObject>,
) -> Result<(), ServerError> {
    // Either view opens every table, and a join of the two does so twice for each (MariaDB): the
    // second one is asked where there are foreign keys only.
    let rows = reader
        .ask_on(
            "SELECT table_name, constraint_name, column_name, referenced_table_schema, \
             referenced_table_name, referenced_column_name, ordinal_position \
             FROM information_schema.key_column_usage \
             WHERE table_schema = {db} AND referenced_table_name IS NOT NULL",
            &["table_name"],
        )
        .await?;
    if rows.is_empty() {
        return Ok(());
    }
    let rules = reader
        .ask_on(
            "SELECT table_name, constraint_name, delete_rule, update_rule \
             FROM information_schema.referential_constraints WHERE constraint_schema = {db}",
            &["table_name"],
        )
        .await?;
    let rules: BTreeMap<(&str, &str), &Row> =
        rules.iter().map(|row| ((row.text(0), row.text(1)), row)).collect();
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by_key(|row| (row.text(0), row.text(1), row.count(6)));
    let mut keys: BTreeMap<(String, String), ForeignKey> = BTreeMap::new();
    for row in rows {
        let key = keys.entry((row.text(0).to_owned(), row.text(1).to_owned())).or_default();
        key.columns.push(reader.quote(row.text(2)));
        key.parent = reader.quote(row.text(4));
        if row.text(3) != reader.database {
            key.parent = format!("{}.{}", reader.quote(row.text(3)), key.parent);
        }
        key.parent_columns.push(reader.quote(row.text(5)));
        if let Some(rule) = rules.get(&(row.text(0), row.text(1))) {
            rule.text(2).clone_into(&mut key.on_delete);
            rule.text(3).clone_into(&mut key.on_update);
        }
    }
    // What the server takes where nothing is written: the same thing under two names.
    let usual = if reader.is_mysql() { "NO ACTION" } else { "RESTRICT" };
    for ((table, name), key) in keys {
        let mut sql = format!(
            "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({})",
            reader.quote(&table),
            reader.quote(&name),
            key.columns.join(", "),
            key.parent,
            key.parent_columns.join(", "),
        );
        for (word, rule) in [("DELETE", key.on_delete), ("UPDATE", key.on_update)] {
            if !rule.is_empty() && rule != usual {
                sql.push_str(&format!(" ON {word} {rule}"));
            }
        }
        let mut object = object("foreign-key", &name, vec![sql]);
        object.relation = Some(Name::new("", without_database(&table, &reader.database)));
        objects.push(object);
    }
    Ok(())
}
