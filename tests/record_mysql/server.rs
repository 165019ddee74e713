//! A server that is asked: databases made anew, statements tried, rows seen.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

/// A statement and what it meets.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) family: String,
    pub(crate) schema: String,
    pub(crate) before: Vec<String>,
    pub(crate) rows: u64,
    pub(crate) session: Vec<String>,
    pub(crate) sql: String,
    pub(crate) waits: bool,
}

impl Case {
    /// Reads a case from a row.
    pub(crate) fn of(row: &Value) -> Self {
        let text =
            |field: &str| row.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let list = |field: &str| -> Vec<String> {
            let items = row.get(field).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
        };
        Self {
            name: text("case"),
            family: text("family"),
            schema: text("schema"),
            before: list("schema_sql"),
            rows: row.get("seed_rows").and_then(Value::as_u64).unwrap_or(0),
            session: list("session"),
            sql: text("sql"),
            waits: row.get("waits") == Some(&Value::Bool(true)),
        }
    }
}

/// What a statement did when it ran as it is.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// Code and message of the error.
    pub(crate) error: Option<(u16, String)>,
    /// The rows of a table were written anew.
    pub(crate) rebuilt: bool,
    /// What was open before is committed.
    pub(crate) committed: bool,
    /// Indexes that were built although the table was not.
    pub(crate) built: Vec<String>,
    /// Objects that a failed statement left otherwise than it met them.
    pub(crate) left: Vec<String>,
}

/// Numbers by table and index; a table's own is that of its rows.
type Indexes = BTreeMap<(String, String), u64>;

/// A server and a database on it that belongs to the recorder.
#[derive(Debug)]
pub(crate) struct Recorder {
    runtime: tokio::runtime::Runtime,
    options: MySqlConnectOptions,
    database: String,
    version: String,
    mariadb: bool,
}

impl Recorder {
    /// Looks at the server behind a URL.
    pub(crate) fn new(url: &str, database: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let options: MySqlConnectOptions = url.parse().expect("a URL");
        // The session is as the server has it.
        let options = options
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .timezone(None)
            .disable_statement_logging();
        let version: String = runtime.block_on(async {
            let mut at = options.connect().await.expect("a connection");
            let rows = fetch(&mut at, "SELECT VERSION()").await.expect("a version");
            rows.first().expect("a row").get(0)
        });
        let mariadb = version.contains("MariaDB");
        let version = version.split('-').next().unwrap_or_default().to_owned();
        Self { runtime, options, database: database.to_owned(), version, mariadb }
    }

    pub(crate) const fn engine(&self) -> &'static str {
        if self.mariadb { "mariadb" } else { "mysql" }
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Returns the first two numbers of the version.
    pub(crate) fn series(&self) -> String {
        self.version.split('.').take(2).collect::<Vec<_>>().join(".")
    }

    async fn connect(&self) -> MySqlConnection {
        self.options.connect().await.expect("a connection")
    }

    /// Makes the database anew, as the case wants it, and returns a connection to it.
    async fn fresh(&self, case: &Case) -> Result<MySqlConnection, String> {
        let mut at = self.connect().await;
        let database = &self.database;
        let said = |(code, message): (u16, String)| format!("{code}: {message}");
        for made in [
            format!("DROP DATABASE IF EXISTS {database}"),
            format!("DROP DATABASE IF EXISTS {database}_other"),
            format!("CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"),
            format!("CREATE DATABASE IF NOT EXISTS {database}_beside"),
            format!("CREATE TABLE IF NOT EXISTS {database}_beside.open (i INT)"),
            format!("DELETE FROM {database}_beside.open"),
            format!("USE {database}"),
        ]
        .iter()
        .chain(&case.before)
        {
            run(&mut at, made).await.map_err(said)?;
        }
        if case.rows > 0 {
            self.fill(&mut at, case).await.map_err(said)?;
        }
        for set in &case.session {
            run(&mut at, set).await.map_err(said)?;
        }
        Ok(at)
    }

    /// Puts rows into every table, in the order they were made.
    async fn fill(&self, at: &mut MySqlConnection, case: &Case) -> Result<(), (u16, String)> {
        run(at, "SET @mode = @@sql_mode, sql_mode = '', foreign_key_checks = 0").await?;
        for table in case.before.iter().filter_map(|sql| created_table(sql)) {
            let columns = fetch(at, &format!("SHOW FULL COLUMNS FROM {table}")).await?;
            let columns: Vec<(String, String, String)> = columns
                .iter()
                .map(|row| (text(row, 0), text(row, 1), text(row, 6).to_uppercase()))
                .filter(|(_, _, extra)| {
                    !extra.contains("GENERATED") || extra == "DEFAULT_GENERATED"
                })
                .collect();
            let names: Vec<String> = columns
                .iter()
                .map(|(name, _, _)| format!("`{}`", name.replace('`', "``")))
                .collect();
            for row in 1..=case.rows {
                let values: Vec<String> = columns
                    .iter()
                    .map(|(name, data_type, _)| value(name, &data_type.to_lowercase(), row))
                    .collect();
                let insert = format!(
                    "INSERT IGNORE INTO {table} ({}) VALUES ({})",
                    names.join(", "),
                    values.join(", ")
                );
                run(at, &insert).await?;
            }
        }
        run(at, "SET sql_mode = @mode, foreign_key_checks = 1").await
    }

    /// Runs a case as it is, in a transaction that is rolled back.
    pub(crate) fn alone(&self, case: &Case) -> Result<Attempt, String> {
        self.runtime.block_on(async {
            let mut at = self.fresh(case).await?;
            let mut other = self.connect().await;
            let numbers = self.indexes(&mut other).await;
            let objects = self.objects(&mut other).await;
            let mark = format!("INSERT INTO {}_beside.open VALUES (1)", self.database);
            let failed = |(code, message): (u16, String)| format!("{code}: {message}");
            run(&mut at, "START TRANSACTION").await.map_err(failed)?;
            run(&mut at, &mark).await.map_err(failed)?;
            let error = run(&mut at, &case.sql).await.err();
            let _ = run(&mut at, "ROLLBACK").await;
            let _ = run(&mut at, "UNLOCK TABLES").await;
            drop(at);
            let mut at = self.connect().await;
            let count = format!("SELECT COUNT(*) FROM {}_beside.open", self.database);
            let rows = fetch(&mut at, &count).await.map_err(failed)?;
            let committed = rows.first().is_some_and(|row| row.get::<i64, _>(0) == 1);
            let later = self.indexes(&mut at).await;
            let rebuilt = rebuilt(&numbers, &later, &case.sql);
            let built = if rebuilt { Vec::new() } else { built(&numbers, &later) };
            let after = self.objects(&mut at).await;
            let mut left: Vec<String> = objects
                .iter()
                .filter(|(name, text)| after.get(*name) != Some(text))
                .map(|(name, _)| name.clone())
                .chain(after.keys().filter(|name| !objects.contains_key(*name)).cloned())
                .collect();
            left.sort();
            Ok(Attempt { error, rebuilt, committed, built, left })
        })
    }

    /// Returns the best algorithm and the weakest lock that are accepted, and not ignored.
    pub(crate) fn weakest(&self, case: &Case) -> Option<(&'static str, &'static str)> {
        let algorithms: &[&str] = if self.mariadb {
            &["INSTANT", "NOCOPY", "INPLACE", "COPY"]
        } else {
            &["INSTANT", "INPLACE", "COPY"]
        };
        with_clauses(&case.sql, "COPY", "SHARED")?;
        self.runtime.block_on(async {
            let mut at = self.fresh(case).await.ok()?;
            let mut other = self.connect().await;
            for algorithm in algorithms {
                for lock in ["NONE", "SHARED", "EXCLUSIVE"] {
                    // MySQL takes no LOCK with INSTANT (manual, "ALTER TABLE Statement").
                    let bare = !self.mariadb && *algorithm == "INSTANT";
                    let lock = if bare { "DEFAULT" } else { lock };
                    let statement = with_clauses(&case.sql, algorithm, lock)?;
                    let numbers = self.indexes(&mut other).await;
                    match affected(&mut at, &statement).await {
                        Ok(rows) => {
                            // A copy tells how many rows it wrote, the others tell of none.
                            let later = self.indexes(&mut other).await;
                            let quick = matches!(*algorithm, "INSTANT" | "NOCOPY");
                            let copied = *algorithm != "COPY" && rows > 0;
                            if !(copied || quick && rebuilt(&numbers, &later, &case.sql)) {
                                return Some((*algorithm, lock));
                            }
                            at = self.fresh(case).await.ok()?;
                            break;
                        }
                        // The algorithm or the lock is not supported: the table is as it was.
                        Err((1845 | 1846, message)) if !message.contains("LOCK=") || bare => break,
                        Err((1845 | 1846, _)) => {}
                        // The server takes no such clause here.
                        Err((1064 | 1221 | 1505 | 1517, _)) => return None,
                        Err(_) => {
                            at = self.fresh(case).await.ok()?;
                            break;
                        }
                    }
                }
            }
            None
        })
    }

    /// Returns whose idle transactions hold the statement up.
    pub(crate) fn waits(&self, case: &Case) -> Vec<String> {
        let tables: Vec<&str> = case
            .before
            .iter()
            .filter(|sql| !sql.contains("TEMPORARY"))
            .filter_map(|sql| created_table(sql))
            .collect();
        let mut found = Vec::new();
        for table in tables {
            for write in [false, true] {
                let held = self.runtime.block_on(self.is_held_up(case, table, write));
                if held {
                    found.push(format!("{table}.{}", if write { "write" } else { "read" }));
                    break;
                }
            }
        }
        found
    }

    async fn is_held_up(&self, case: &Case, table: &str, write: bool) -> bool {
        let mut at = self.fresh(case).await.expect("a database");
        let mut idle = self.connect().await;
        let mut watch = self.connect().await;
        let rows = fetch(&mut at, "SELECT CONNECTION_ID()").await.expect("a number");
        let id = rows.first().expect("a row").get::<u64, _>(0);
        let columns = fetch(&mut at, &format!("SHOW FULL COLUMNS FROM {table}")).await;
        let columns = columns.expect("columns");
        let plain = |row: &&MySqlRow| !text(row, 6).to_uppercase().contains("GENERATED");
        let column = text(columns.iter().rfind(plain).expect("a column"), 0);
        let mut open = vec![
            format!("USE {}", self.database),
            "START TRANSACTION".to_owned(),
            format!("SELECT * FROM {table} LIMIT 1"),
        ];
        if write {
            open.push(format!("UPDATE {table} SET `{column}` = `{column}`"));
        }
        for statement in open {
            run(&mut idle, &statement).await.expect("an idle transaction");
        }
        run(&mut at, "SET innodb_lock_wait_timeout = 1").await.expect("a setting");
        let sql = case.sql.clone();
        let running = tokio::spawn(async move { run(&mut at, &sql).await });
        let state = format!("SELECT state FROM information_schema.processlist WHERE id = {id}");
        let mut held = false;
        while !running.is_finished() {
            let rows = fetch(&mut watch, &state).await.unwrap_or_default();
            held = rows.first().is_some_and(|row| text(row, 0).starts_with("Waiting for"));
            if held {
                break;
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        run(&mut idle, "ROLLBACK").await.expect("the end of an idle transaction");
        let done = running.await.expect("an answer");
        // Rows that the other transaction changed are waited for, too.
        held || done.is_err_and(|(code, _)| code == 1205)
    }

    async fn indexes(&self, at: &mut MySqlConnection) -> Indexes {
        let kind = if self.mariadb { "SYS_" } else { "" };
        // MySQL lists no indexes of partitions: the number of the table stands for its rows.
        let sql = format!(
            "SELECT CAST(t.name AS CHAR), '', CAST(t.table_id AS CHAR) \
             FROM information_schema.INNODB_{kind}TABLES t WHERE t.name LIKE '{0}/%' \
             UNION ALL SELECT CAST(t.name AS CHAR), CAST(i.name AS CHAR), CAST(i.index_id AS CHAR) \
             FROM information_schema.INNODB_{kind}TABLES t \
             JOIN information_schema.INNODB_{kind}INDEXES i ON i.table_id = t.table_id \
             WHERE t.name LIKE '{0}/%' AND i.type & 1 = 0",
            self.database.replace('_', "\\_")
        );
        let rows = fetch(at, &sql).await.expect("index numbers");
        rows.iter()
            .filter(|row| !text(row, 0).to_lowercase().contains("/fts_"))
            .map(|row| ((text(row, 0), text(row, 1)), text(row, 2).parse().unwrap_or(0)))
            .collect()
    }

    async fn objects(&self, at: &mut MySqlConnection) -> BTreeMap<String, String> {
        let sql = format!("SHOW FULL TABLES FROM {}", self.database);
        let mut found = BTreeMap::new();
        for row in fetch(at, &sql).await.unwrap_or_default() {
            let name = text(&row, 0);
            let show = format!("SHOW CREATE TABLE {}.`{name}`", self.database);
            let rows = fetch(at, &show).await.unwrap_or_default();
            let create = rows.first().map(|row| text(row, 1)).unwrap_or_default();
            found.insert(name, create);
        }
        found
    }
}

fn text(row: &MySqlRow, at: usize) -> String {
    let bytes = row.try_get_unchecked::<Vec<u8>, _>(at).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
fn failure(error: sqlx::Error) -> (u16, String) {
    match error.as_database_error() {
        Some(found) => {
            let found = found.downcast_ref::<MySqlDatabaseError>();
            (found.number(), found.message().to_owned())
        }
        None => (0, error.to_string()),
    }
}

async fn run(at: &mut MySqlConnection, sql: &str) -> Result<(), (u16, String)> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(at).await.map(drop).map_err(failure)
}

async fn affected(at: &mut MySqlConnection, sql: &str) -> Result<u64, (u16, String)> {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(at).await;
    done.map(|done| done.rows_affected()).map_err(failure)
}

async fn fetch(at: &mut MySqlConnection, sql: &str) -> Result<Vec<MySqlRow>, (u16, String)> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(at).await.map_err(failure)
}

/// Returns the name of the table that a statement makes.
fn created_table(sql: &str) -> Option<&str> {
    let rest = sql.strip_prefix("CREATE ")?;
    let rest = rest.strip_prefix("TEMPORARY ").unwrap_or(rest).strip_prefix("TABLE ")?;
    let end =
        if rest.starts_with('`') { rest.get(1..)?.find('`')? + 2 } else { rest.find([' ', '('])? };
    rest.get(..end)
}

/// Returns a value for a column, another one for each row, except where the name says otherwise.
fn value(name: &str, data_type: &str, row: u64) -> String {
    if name.contains("null") && row.is_multiple_of(2) {
        return "NULL".to_owned();
    }
    let number = match name {
        _ if name.starts_with("dup") => 1,
        _ if name.starts_with("orphan") => 900_000 + row,
        _ => row,
    };
    let word = data_type.split(['(', ' ']).next().unwrap_or_default();
    let member = || {
        let list = data_type.split('\'').skip(1).step_by(2).collect::<Vec<_>>();
        let at = usize::try_from(row).unwrap_or(0) % list.len().max(1);
        format!("'{}'", list.get(at).copied().unwrap_or_default())
    };
    match word {
        "enum" => member(),
        "set" => format!("'{}'", data_type.split('\'').nth(1).unwrap_or_default()),
        "date" | "datetime" | "timestamp" => format!("'2024-01-{:02} 00:00:00'", row % 28 + 1),
        "time" => format!("'00:00:{:02}'", row % 60),
        "year" => "2024".to_owned(),
        "json" => format!("'{{\"k\": {number}}}'"),
        "bit" => "b'1'".to_owned(),
        "uuid" => format!("'00000000-0000-0000-0000-{row:012}'"),
        "inet4" => format!("'10.0.0.{}'", row % 250),
        "inet6" => format!("'::{}'", row % 250),
        "vector" => vector(data_type),
        "point" | "geometry" => format!("ST_GeomFromText('POINT({row} {row})')"),
        "linestring" => "ST_GeomFromText('LINESTRING(0 0, 1 1)')".to_owned(),
        "polygon" => "ST_GeomFromText('POLYGON((0 0, 1 0, 1 1, 0 0))')".to_owned(),
        _ if word.contains("char")
            || word.contains("text")
            || word.contains("b") && word != "bigint" && word != "double" =>
        {
            format!("'v{number}'")
        }
        _ => number.to_string(),
    }
}

/// Returns a vector of the dimension that is written.
fn vector(data_type: &str) -> String {
    let count = data_type.split(['(', ')']).nth(1).and_then(|n| n.parse().ok()).unwrap_or(3);
    format!("x'{}'", "0000803f".repeat(count))
}

/// Says whether a table, or what its partitions are made of, has another number than before.
fn rebuilt(before: &Indexes, after: &Indexes, sql: &str) -> bool {
    let sql = sql.to_uppercase();
    let renames = ["RENAME", "REORGANIZE", "REMOVE PART", "PARTITION BY", "COALESCE", "ADD PART"]
        .iter()
        .any(|word| sql.contains(word));
    before.iter().filter(|((_, index), _)| index.is_empty()).any(|(key, number)| {
        match after.get(key) {
            Some(now) => now != number,
            None => renames && !after.values().any(|now| now == number),
        }
    })
}

/// Returns the indexes of tables that are there still, under whatever name, with numbers of their
/// own.
fn built(before: &Indexes, after: &Indexes) -> Vec<String> {
    let rows = |numbers: &Indexes, table: &str| -> Option<u64> {
        numbers.get(&(table.to_owned(), String::new())).copied()
    };
    let mut names: Vec<String> = after
        .iter()
        .filter(|((table, index), number)| {
            let now = rows(after, table);
            let was =
                before.iter().find(|((_, index), old)| index.is_empty() && Some(**old) == now);
            let hidden = index.starts_with("FTS_") || index.starts_with('\u{fffd}');
            let old = was.is_some_and(|((table, _), _)| {
                before
                    .iter()
                    .any(|((at, name), old)| at == table && !name.is_empty() && old == *number)
            });
            !index.is_empty() && was.is_some() && !hidden && !old
        })
        .map(|((_, index), _)| index.clone())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Returns a statement with ALGORITHM and LOCK, if it is one that may have them.
fn with_clauses(sql: &str, algorithm: &str, lock: &str) -> Option<String> {
    let upper = sql.to_uppercase();
    if upper.contains("ALGORITHM") || upper.contains("LOCK=") || upper.contains("LOCK =") {
        return None;
    }
    let words: Vec<&str> = upper.split_whitespace().collect();
    if words.contains(&"INDEX") && matches!(words.first(), Some(&("CREATE" | "DROP"))) {
        return Some(format!("{sql} ALGORITHM={algorithm} LOCK={lock}"));
    }
    let skip = match words.as_slice() {
        ["ALTER", "TABLE", "IF", "EXISTS", ..] => 4,
        ["ALTER", "TABLE", ..] => 2,
        ["ALTER", "ONLINE" | "IGNORE", "TABLE", ..] => 3,
        _ => return None,
    };
    // The clauses go first: after PARTITION BY there is no place for them.
    let mut rest = sql;
    for _ in 0..=skip {
        let at = rest.find(char::is_whitespace)?;
        rest = rest.get(at..)?.trim_start();
    }
    let head = sql.get(..sql.len() - rest.len())?;
    let partition = rest.to_uppercase().starts_with("PARTITION BY")
        || rest.to_uppercase().starts_with("REMOVE PARTITIONING");
    let comma = if partition { "" } else { "," };
    Some(format!("{head} ALGORITHM={algorithm}, LOCK={lock}{comma} {rest}"))
}
