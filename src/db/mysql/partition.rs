//! Partitions.

use std::collections::{BTreeMap, HashMap};

use super::Reader;
use super::text::without_database;
use crate::db::error::ServerError;
use crate::db::rows::Row;

/// Reads `PARTITION BY …` of all tables that have it.
pub(super) async fn partitions(
    reader: &mut Reader<'_>,
) -> Result<HashMap<String, String>, ServerError> {
    let rows = reader
        .ask_on(
            "SELECT table_name, partition_name, partition_method, partition_expression, \
             partition_description, subpartition_name, subpartition_method, \
             subpartition_expression, partition_ordinal_position, \
             coalesce(subpartition_ordinal_position, 0), partition_comment \
             FROM information_schema.partitions \
             WHERE table_schema = {db} AND partition_name IS NOT NULL",
            &["table_name"],
        )
        .await?;
    let mut tables: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        tables.entry(row.text(0).to_owned()).or_default().push(row);
    }
    let mut clauses = HashMap::new();
    for (table, mut rows) in tables {
        rows.sort_by_key(|row| (row.count(8), row.count(9)));
        let default = default_partition(reader, &table, &rows).await?;
        clauses.insert(table, clause(reader, &rows, default.as_deref()));
    }
    Ok(clauses)
}

/// Finds the DEFAULT partition of a LIST table (MariaDB), which `information_schema` shows as the
/// list `0`, or as `MAXVALUE` where columns are listed (measured on 10.11): only the statement of
/// the table itself tells the first from a partition for the value 0.
async fn default_partition(
    reader: &mut Reader<'_>,
    table: &str,
    rows: &[&Row],
) -> Result<Option<String>, ServerError> {
    let by_description = |text: &str| rows.iter().find(|row| row.text(4) == text);
    let Some(first) = rows.first().filter(|row| row.text(2).starts_with("LIST")) else {
        return Ok(None);
    };
    if first.text(2) == "LIST COLUMNS" {
        return Ok(by_description("MAXVALUE").map(|row| row.text(1).to_owned()));
    }
    let Some(candidate) = by_description("0") else { return Ok(None) };
    let sql = format!("SHOW CREATE TABLE {}", reader.quote(table));
    let created = reader.connection.query(&sql).await?;
    let mark = format!("PARTITION {} DEFAULT", reader.quote(candidate.text(1)));
    let is_default = created.first().is_some_and(|row| row.text(1).contains(&mark));
    Ok(is_default.then(|| candidate.text(1).to_owned()))
}

/// Writes the clause of one table.
fn clause(reader: &Reader<'_>, rows: &[&Row], default: Option<&str>) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let method = first.text(2);
    let expression = without_database(first.text(3), &reader.database);
    let mut sql = if method == "SYSTEM_TIME" {
        "PARTITION BY SYSTEM_TIME".to_owned()
    } else {
        format!("PARTITION BY {method} ({expression})")
    };
    let subpartitions = rows.iter().filter(|row| row.count(8) == first.count(8)).count();
    if let Some(sub_method) = first.get(6) {
        let expression = without_database(first.text(7), &reader.database);
        sql.push_str(&format!("\nSUBPARTITION BY {sub_method} ({expression})"));
        sql.push_str(&format!("\nSUBPARTITIONS {subpartitions}"));
    }
    let mut parts: Vec<&Row> = Vec::new();
    for row in rows {
        if parts.last().is_none_or(|last| last.count(8) != row.count(8)) {
            parts.push(row);
        }
    }
    let is_counted = method.ends_with("HASH") || method.ends_with("KEY");
    let usual = |(number, row): (usize, &&Row)| row.text(1) == format!("p{number}");
    if is_counted && parts.iter().enumerate().all(usual) {
        sql.push_str(&format!("\nPARTITIONS {}", parts.len()));
        return sql;
    }
    let lines: Vec<String> = parts.iter().map(|row| line(reader, row, default)).collect();
    sql.push_str(&format!("\n(\n  {}\n)", lines.join(",\n  ")));
    sql
}

/// Writes one partition.
fn line(reader: &Reader<'_>, row: &Row, default: Option<&str>) -> String {
    let (method, description) = (row.text(2), row.text(4));
    let mut line = format!("PARTITION {}", reader.quote(row.text(1)));
    if method.starts_with("RANGE") {
        let is_open = description == "MAXVALUE" && method == "RANGE";
        let bound = if is_open { "MAXVALUE".to_owned() } else { format!("({description})") };
        line.push_str(&format!(" VALUES LESS THAN {bound}"));
    } else if method.starts_with("LIST") {
        if default == Some(row.text(1)) {
            line.push_str(" DEFAULT");
        } else {
            line.push_str(&format!(" VALUES IN ({description})"));
        }
    }
    if !row.text(10).is_empty() {
        line.push_str(&format!(" COMMENT = {}", reader.text(row.text(10))));
    }
    line
}
