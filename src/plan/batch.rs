//! A data change in batches: the statements that go through the table range by range.
//!
//! Pure. Keys travel as SQL literals, as the server itself writes them, so that the driver never
//! converts a value. Each range begins behind the last key of the one before.

use serde::{Deserialize, Serialize};

use super::digest::Canon;
use crate::sql::{Batch, ServerKind, literal};

/// How a step goes through a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedBatch {
    /// The table whose keys are gone through.
    pub table: String,
    /// The key column, as the statement has to write it.
    pub column: String,
    /// The key column alone.
    pub key: String,
    /// The statement up to the range.
    pub head: String,
    /// What follows the range.
    pub tail: String,
    /// Keys in a batch.
    pub size: u64,
    /// The rest between two batches.
    pub pause_ms: u64,
    /// Replicas may be behind by so much.
    pub max_lag_ms: Option<u64>,
    /// The size is changed until a batch takes about so long.
    pub adapt_ms: Option<u64>,
}

/// Where a back-fill stands: the detail of its last row in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The smallest key at the beginning.
    pub from: String,
    /// The last key that is done; none before the first batch.
    pub after: Option<String>,
    /// The largest key at the beginning: rows that are added later are not its business.
    pub until: String,
    /// Rows changed so far.
    pub rows: u64,
    /// Batches so far.
    pub batches: u64,
    /// Keys in the next batch.
    pub size: u64,
}

impl Position {
    /// Says whether every key was gone through.
    pub fn is_done(&self) -> bool {
        self.after.as_ref() == Some(&self.until)
    }

    /// Returns how much is done in thousandths, where keys are numbers.
    pub fn permille(&self) -> Option<u64> {
        let number = |key: &str| key.trim_matches('\'').parse::<i128>().ok();
        let (from, until) = (number(&self.from)?, number(&self.until)?);
        let Some(after) = &self.after else { return Some(0) };
        let (done, all) = (number(after)? - from + 1, until - from + 1);
        u64::try_from(done * 1000 / all.max(1)).ok()
    }
}

impl PlannedBatch {
    /// Returns what the plan keeps of a declared batch.
    pub(super) fn of(batch: Batch) -> Self {
        let milliseconds =
            |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let Batch { table, column, key, head, tail, pace } = batch;
        Self {
            table,
            column,
            key,
            head,
            tail,
            size: pace.size,
            pause_ms: milliseconds(pace.pause),
            max_lag_ms: pace.max_lag.map(milliseconds),
            adapt_ms: pace.adapt.map(milliseconds),
        }
    }

    /// Adds what decides how it runs to a digest.
    pub(super) fn digest(&self, canon: &mut Canon) {
        let number = |number: Option<u64>| number.map_or_else(String::new, |n| n.to_string());
        canon.text("batch", &self.statement(None, ""));
        canon.text("key", &format!("{} {}", self.table, self.key));
        canon.text("size", &self.size.to_string());
        canon.text("pause", &self.pause_ms.to_string());
        canon.text("max-lag", &number(self.max_lag_ms));
        canon.text("adapt", &number(self.adapt_ms));
    }

    /// Returns the statement for the keys behind one up to another.
    pub fn statement(&self, after: Option<&str>, upto: &str) -> String {
        let Self { head, tail, column, .. } = self;
        let above = after.map_or_else(String::new, |after| format!("{column} > {after} AND "));
        format!("{head}{above}{column} <= {upto}{tail}")
    }

    /// Returns the query for the smallest and the largest key, and the one for a row without key.
    pub fn bounds(&self, keys: Keys) -> [String; 3] {
        let Self { table, key, .. } = self;
        let shown = keys.shown(key);
        let end = |order: &str| {
            format!(
                "SELECT {shown} FROM {table} WHERE {key} IS NOT NULL ORDER BY {key}{order} LIMIT 1"
            )
        };
        [end(""), end(" DESC"), format!("SELECT 1 FROM {table} WHERE {key} IS NULL LIMIT 1")]
    }

    /// Returns the query for the last key of the next batch; no row means that the rest is smaller.
    pub fn next(&self, position: &Position, keys: Keys) -> String {
        let Self { table, key, .. } = self;
        let Position { after, until, size, .. } = position;
        let above =
            after.as_ref().map_or_else(String::new, |after| format!("{key} > {after} AND "));
        let skip = size.saturating_sub(1);
        format!(
            "SELECT {} FROM {table} WHERE {above}{key} <= {until} ORDER BY {key} LIMIT 1 \
             OFFSET {skip}",
            keys.shown(key)
        )
    }

    /// Returns the query for the type of the key and the engine of the table, where the way to
    /// write a key as a literal depends on it.
    pub fn type_query(&self, kind: ServerKind) -> Option<String> {
        if !kind.is_mysql_family() {
            return None;
        }
        let plain = |name: &str| name.trim_matches('`').replace("``", "`");
        let (schema, table) = match self.table.rsplit_once('.') {
            Some((schema, table)) => (literal(kind, &plain(schema)), plain(table)),
            None => ("database()".to_owned(), plain(&self.table)),
        };
        let (table, key) = (literal(kind, &table), literal(kind, &plain(&self.key)));
        Some(format!(
            "SELECT c.data_type, t.engine FROM information_schema.columns c \
             JOIN information_schema.tables t ON t.table_schema = c.table_schema \
             AND t.table_name = c.table_name WHERE c.table_schema = {schema} \
             AND c.table_name = {table} AND c.column_name = {key}"
        ))
    }
}

/// How the server writes a key as a literal that it reads back as the same value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// PostgreSQL: an untyped string takes the type of the column.
    Postgres,
    /// SQLite: `quote` keeps numbers, texts and blobs apart.
    Sqlite,
    /// MySQL, MariaDB: a number that is compared with a string is compared as a float (MySQL 8.4
    /// manual, 14.3 "Type Conversion"), so numbers stay bare.
    Number,
    /// MySQL, MariaDB: a string of bytes.
    Bytes,
    /// MySQL, MariaDB: text, dates and times.
    Text,
}

impl Keys {
    /// Returns the way for a server and, on MySQL and MariaDB, a type of column.
    pub fn of(kind: ServerKind, data_type: &str) -> Self {
        match kind {
            ServerKind::Postgres => Self::Postgres,
            ServerKind::Sqlite => Self::Sqlite,
            ServerKind::Mysql | ServerKind::Mariadb => {
                match data_type.to_ascii_lowercase().as_str() {
                    "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal"
                    | "numeric" | "year" | "bit" => Self::Number,
                    "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => {
                        Self::Bytes
                    }
                    _ => Self::Text,
                }
            }
        }
    }

    fn shown(self, key: &str) -> String {
        match self {
            Self::Postgres => format!("quote_literal({key}::text)"),
            Self::Sqlite => format!("quote({key})"),
            Self::Number => format!("cast({key} AS char)"),
            Self::Bytes => format!("concat('0x', hex({key}))"),
            Self::Text => format!("quote(cast({key} AS char))"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(after: Option<&str>) -> Position {
        Position {
            from: "'1'".to_owned(),
            after: after.map(str::to_owned),
            until: "'1000'".to_owned(),
            rows: 0,
            batches: 0,
            size: 100,
        }
    }

    #[test]
    fn numbers_say_how_far_it_is() {
        assert_eq!(position(None).permille(), Some(0));
        assert_eq!(position(Some("'500'")).permille(), Some(500));
        assert_eq!(position(Some("'1000'")).permille(), Some(1000));
        assert!(position(Some("'1000'")).is_done());
        assert_eq!(position(Some("'a'")).permille(), None);
    }

    #[test]
    fn ranges_meet_without_a_gap() {
        let batch = PlannedBatch {
            table: "orders".to_owned(),
            column: "o.id".to_owned(),
            key: "id".to_owned(),
            head: "UPDATE orders o SET a = 1 WHERE (b) AND ".to_owned(),
            tail: " RETURNING a".to_owned(),
            size: 100,
            pause_ms: 0,
            max_lag_ms: None,
            adapt_ms: None,
        };
        assert_eq!(
            batch.statement(None, "'5'"),
            "UPDATE orders o SET a = 1 WHERE (b) AND o.id <= '5' RETURNING a"
        );
        assert_eq!(
            batch.statement(Some("'5'"), "'9'"),
            "UPDATE orders o SET a = 1 WHERE (b) AND o.id > '5' AND o.id <= '9' RETURNING a"
        );
        assert_eq!(
            batch.next(&position(Some("'5'")), Keys::Postgres),
            "SELECT quote_literal(id::text) FROM orders WHERE id > '5' AND id <= '1000' ORDER BY \
             id LIMIT 1 OFFSET 99"
        );
    }
}
