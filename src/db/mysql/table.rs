//! Tables: their columns, keys, checks and options in one statement each.

use std::collections::HashMap;

use super::text::{unescaped, without_database};
use super::{Reader, key, object, partition};
use crate::db::error::ServerError;
use crate::db::rows::Row;
use crate::db::snapshot::SnapshotObject;
use crate::schema::Size;

/// What `information_schema.tables` says.
#[derive(Debug, Clone)]
pub(super) struct TableFacts {
    pub(super) name: String,
    kind: String,
    engine: String,
    collation: String,
    options: String,
    comment: String,
    pub(super) size: Size,
}

impl TableFacts {
    /// Says whether it holds rows of its own.
    pub(super) fn is_table(&self) -> bool {
        matches!(self.kind.as_str(), "BASE TABLE" | "SYSTEM VERSIONED")
    }
}

/// Reads the list of tables, views and sequences.
pub(super) async fn tables(reader: &mut Reader<'_>) -> Result<Vec<TableFacts>, ServerError> {
    // MySQL asks the engine for each of these, and stores the answers.
    let sizes = if reader.with_sizes {
        "coalesce(table_rows, 0), coalesce(data_length, 0) + coalesce(index_length, 0), \
         auto_increment"
    } else {
        "0, 0, NULL"
    };
    let sql = format!(
        "SELECT table_name, table_type, coalesce(engine, ''), coalesce(table_collation, ''), \
         coalesce(create_options, ''), table_comment, {sizes} \
         FROM information_schema.tables WHERE table_schema = {{db}}"
    );
    let rows = reader.ask_on(&sql, &["table_name"]).await?;
    let mut tables: Vec<TableFacts> = rows
        .iter()
        .filter(|row| !reader.own.contains(row.text(0)))
        .map(|row| TableFacts {
            name: row.text(0).to_owned(),
            kind: row.text(1).to_owned(),
            engine: row.text(2).to_owned(),
            collation: row.text(3).to_owned(),
            options: row.text(4).to_owned(),
            comment: row.text(5).to_owned(),
            size: Size {
                rows: row.count(6),
                bytes: row.count(7),
                row_versions: None,
                auto_increment: row.number(8).and_then(|next| u64::try_from(next).ok()),
            },
        })
        .collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tables)
}

/// Writes sequences (MariaDB), which defaults may use.
pub(super) async fn sequences(
    reader: &mut Reader<'_>,
    tables: &[TableFacts],
    objects: &mut Vec<SnapshotObject>,
) -> Result<(), ServerError> {
    for table in tables.iter().filter(|table| table.kind == "SEQUENCE") {
        let sql = format!("SHOW CREATE SEQUENCE {}", reader.quote(&table.name));
        let rows = reader.connection.query(&sql).await?;
        let create = rows.first().map_or("", |row| row.text(1));
        objects.push(object("sequence", &table.name, vec![create.to_owned()]));
    }
    Ok(())
}

/// Writes tables.
pub(super) async fn write(
    reader: &mut Reader<'_>,
    tables: &[TableFacts],
    objects: &mut Vec<SnapshotObject>,
) -> Result<(), ServerError> {
    let mut checks = checks(reader).await?;
    let mut columns = columns(reader, tables, &mut checks).await?;
    let mut keys = key::keys(reader).await?;
    // The view of partitions opens every table: it is asked where there are some only.
    let is_partitioned = |table: &TableFacts| table.options.contains("partitioned");
    let mut partitions = HashMap::new();
    if tables.iter().any(is_partitioned) {
        partitions = partition::partitions(reader).await?;
    }
    for table in tables.iter().filter(|table| table.is_table()) {
        let create = if table.kind == "SYSTEM VERSIONED" {
            versioned(reader, &table.name).await?
        } else {
            let mut lines = columns.remove(&table.name).unwrap_or_default();
            lines.extend(keys.remove(&table.name).unwrap_or_default());
            let mut own = checks.remove(&(table.name.clone(), String::new())).unwrap_or_default();
            own.sort();
            lines.extend(own);
            let partition = partitions.remove(&table.name);
            assembled(reader, table, &lines, partition)
        };
        objects.push(object("table", &table.name, vec![create]));
    }
    Ok(())
}

/// Puts a table together.
fn assembled(
    reader: &Reader<'_>,
    table: &TableFacts,
    lines: &[String],
    partition: Option<String>,
) -> String {
    let name = reader.quote(&table.name);
    let mut sql = format!("CREATE TABLE {name} (\n  {}\n)", lines.join(",\n  "));
    if !table.engine.is_empty() {
        sql.push_str(&format!(" ENGINE={}", table.engine));
    }
    if !table.collation.is_empty() {
        let charset = table.collation.split('_').next().unwrap_or("");
        sql.push_str(&format!(" DEFAULT CHARSET={charset} COLLATE={}", table.collation));
    }
    for option in table.options.split_whitespace().filter(|option| *option != "partitioned") {
        sql.push(' ');
        sql.push_str(option);
    }
    if !table.comment.is_empty() {
        sql.push_str(&format!(" COMMENT={}", reader.text(&table.comment)));
    }
    if let Some(partition) = partition {
        sql.push('\n');
        sql.push_str(&partition);
    }
    sql
}

/// Asks for a system-versioned table as a whole: its periods stand nowhere else. Foreign keys are
/// taken out, since they are added to all tables later.
async fn versioned(reader: &mut Reader<'_>, name: &str) -> Result<String, ServerError> {
    let sql = format!("SHOW CREATE TABLE {}", reader.quote(name));
    let rows = reader.connection.query(&sql).await?;
    let create = rows.first().map_or("", |row| row.text(1));
    let (body, options) = create.rsplit_once("\n)").unwrap_or((create, ""));
    let mut lines = body.lines();
    let head = lines.next().unwrap_or("");
    let kept: Vec<&str> = lines
        .map(|line| line.trim().trim_end_matches(','))
        .filter(|line| !(line.starts_with("CONSTRAINT ") && line.contains(" FOREIGN KEY ")))
        .collect();
    let mut words: Vec<&str> = options.split(' ').collect();
    words.retain(|word| !word.starts_with("AUTO_INCREMENT="));
    Ok(format!("{head}\n  {}\n){}", kept.join(",\n  "), words.join(" ")))
}

/// Checks by table and column; the column is empty for those of the table.
type Checks = HashMap<(String, String), Vec<String>>;

/// Reads checks. MariaDB knows checks of a column, MySQL turns them into checks of the table.
async fn checks(reader: &mut Reader<'_>) -> Result<Checks, ServerError> {
    let sql = if reader.is_mysql() {
        "SELECT t.table_name, 'Table', c.constraint_name, c.check_clause, t.enforced \
         FROM information_schema.check_constraints c \
         JOIN information_schema.table_constraints t \
           ON t.constraint_schema = c.constraint_schema AND t.constraint_name = c.constraint_name \
         WHERE c.constraint_schema = {db} AND t.constraint_type = 'CHECK'"
    } else {
        "SELECT table_name, level, constraint_name, check_clause, 'YES' \
         FROM information_schema.check_constraints WHERE constraint_schema = {db}"
    };
    let mut checks = Checks::new();
    let column = if reader.is_mysql() { "t.table_name" } else { "table_name" };
    for row in &reader.ask_on(sql, &[column]).await? {
        let (table, name) = (row.text(0).to_owned(), row.text(2));
        let clause = if reader.is_mysql() {
            unescaped(row.text(3))
        } else {
            format!("({})", without_database(row.text(3), &reader.database))
        };
        let not_enforced = if row.text(4) == "NO" { " NOT ENFORCED" } else { "" };
        if row.text(1) == "Column" {
            let place = (table, name.to_owned());
            checks.entry(place).or_default().push(format!("CHECK {clause}"));
        } else {
            let name = reader.quote(name);
            let line = format!("CONSTRAINT {name} CHECK {clause}{not_enforced}");
            checks.entry((table, String::new())).or_default().push(line);
        }
    }
    Ok(checks)
}

/// Reads the lines of all columns, by table.
async fn columns(
    reader: &mut Reader<'_>,
    tables: &[TableFacts],
    checks: &mut Checks,
) -> Result<HashMap<String, Vec<String>>, ServerError> {
    let srs = if reader.is_mysql() { "srs_id" } else { "NULL" };
    let sql = format!(
        "SELECT table_name, column_name, column_type, collation_name, is_nullable, column_default, \
         extra, column_comment, generation_expression, data_type, ordinal_position, {srs} \
         FROM information_schema.columns WHERE table_schema = {{db}}"
    );
    let rows = reader.ask_on(&sql, &["table_name"]).await?;
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by_key(|row| (row.text(0), row.count(10)));
    let collations: HashMap<&str, &str> =
        tables.iter().map(|table| (table.name.as_str(), table.collation.as_str())).collect();
    let mut columns: HashMap<String, Vec<String>> = HashMap::new();
    for row in rows {
        let table = row.text(0);
        let collation = collations.get(table).copied().unwrap_or("");
        let mut line = column(reader, row, collation);
        let place = (table.to_owned(), row.text(1).to_owned());
        for check in checks.remove(&place).unwrap_or_default() {
            line.push(' ');
            line.push_str(&check);
        }
        columns.entry(table.to_owned()).or_default().push(line);
    }
    Ok(columns)
}

/// Writes one column.
fn column(reader: &Reader<'_>, row: &Row, table_collation: &str) -> String {
    let (data_type, extra) = (row.text(9), row.text(6).to_ascii_lowercase());
    let mut line = format!("{} {}", reader.quote(row.text(1)), row.text(2));
    if let Some(collation) = row.get(3).filter(|collation| *collation != table_collation) {
        let charset = collation.split('_').next().unwrap_or("");
        line.push_str(&format!(" CHARACTER SET {charset} COLLATE {collation}"));
    }
    let generated = row.get(8).filter(|expression| !expression.is_empty());
    if let Some(expression) = generated {
        let expression = if reader.is_mysql() {
            unescaped(expression)
        } else {
            without_database(expression, &reader.database)
        };
        let is_stored = extra.contains("stored") || extra.contains("persistent");
        let kind = if is_stored { "STORED" } else { "VIRTUAL" };
        line.push_str(&format!(" GENERATED ALWAYS AS ({expression}) {kind}"));
    }
    let is_nullable = row.text(4) == "YES";
    if !is_nullable && (generated.is_none() || reader.is_mysql()) {
        line.push_str(" NOT NULL");
    } else if is_nullable && data_type == "timestamp" && generated.is_none() {
        // Without a word, a timestamp may be NOT NULL (explicit_defaults_for_timestamp).
        line.push_str(" NULL");
    }
    if generated.is_none() {
        line.push_str(&default(reader, row, &extra));
    }
    if let Some((_, update)) = extra.split_once("on update ") {
        line.push_str(&format!(" ON UPDATE {update}"));
    }
    if extra.contains("auto_increment") {
        line.push_str(" AUTO_INCREMENT");
    }
    for (word, sql) in
        [("invisible", " INVISIBLE"), ("without system", " WITHOUT SYSTEM VERSIONING")]
    {
        if extra.contains(word) {
            line.push_str(sql);
        }
    }
    if let Some(srs) = row.get(11) {
        line.push_str(&format!(" SRID {srs}"));
    }
    if !row.text(7).is_empty() {
        line.push_str(&format!(" COMMENT {}", reader.text(row.text(7))));
    }
    line
}

/// Writes the default. MariaDB prints it as SQL; MySQL prints a bare value, or an expression that
/// it marks as one.
fn default(reader: &Reader<'_>, row: &Row, extra: &str) -> String {
    let (data_type, is_nullable) = (row.text(9), row.text(4) == "YES");
    let Some(value) = row.get(5) else {
        let has_none = ["blob", "text", "json", "geometry", "point"];
        let takes_null = !has_none.iter().any(|kind| data_type.ends_with(kind));
        let is_written = reader.is_mysql() && is_nullable && takes_null;
        return if is_written { " DEFAULT NULL".to_owned() } else { String::new() };
    };
    if !reader.is_mysql() {
        return format!(" DEFAULT {}", without_database(value, &reader.database));
    }
    if extra.contains("default_generated") {
        let is_now = value.to_ascii_uppercase().starts_with("CURRENT_TIMESTAMP");
        return if is_now {
            format!(" DEFAULT {value}")
        } else {
            format!(" DEFAULT ({})", without_database(&unescaped(value), &reader.database))
        };
    }
    if value.starts_with("b'") || value.starts_with("0x") {
        return format!(" DEFAULT {value}");
    }
    format!(" DEFAULT {}", reader.text(value))
}
