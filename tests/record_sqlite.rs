//! Records what SQLite really does, in the form of `testdata/servers/sqlite`.
//!
//! Without further ado a part of the recordings made with the version that is linked in is asked
//! again. To record, name files:
//!
//! ```text
//! LOCKWISE_RECORD_CASES=cases-to-run.jsonl LOCKWISE_RECORD_OUT=folder \
//! cargo test --test record_sqlite
//! ```
//!
//! A case to run has `case`, `family`, `schema`, `schema_sql`, `seed_rows`, `foreign_keys`,
//! `session` and `sql`, a list of statements. It runs on the SQLite that is linked in and, where
//! they are of other versions, on those of the commands in `LOCKWISE_RECORD_COMMANDS`, divided by
//! commas: `sqlite3` if none are named, and whatever else takes a file, reads statements and says
//! errors as it does. Each time the file is made anew. A rewrite shows by the pages that are others
//! afterwards. `folder/sqlite.jsonl` gets the rows, `folder/builds.json` what each version was
//! built with.

#![expect(clippy::expect_used, reason = "a database that cannot be asked fails the test")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

/// Pages are small, so that few rows fill many of them.
const PAGE: usize = 512;

/// How many recordings are skipped for each that is asked again.
const EVERY: usize = 12;

#[test]
fn record() {
    let Ok(folder) = std::env::var("LOCKWISE_RECORD_OUT") else { return };
    let cases = rows(&std::env::var("LOCKWISE_RECORD_CASES").expect("cases to run"));
    let mut ways = vec![Recorder::new(Way::Linked)];
    let commands = std::env::var("LOCKWISE_RECORD_COMMANDS").unwrap_or("sqlite3".to_owned());
    for command in commands.split(',') {
        let command = Recorder::new(Way::Command(command.to_owned()));
        if ways.iter().all(|way| way.version != command.version) {
            ways.push(command);
        }
    }
    let lines =
        cases.iter().flat_map(|case| merged(ways.iter().filter_map(|way| way.row(case)).collect()));
    let text: String = lines.map(|row| format!("{row}\n")).collect();
    std::fs::write(format!("{folder}/sqlite.jsonl"), text).expect("a file to write");
    let builds: BTreeMap<&str, String> =
        ways.iter().map(|way| (way.version.as_str(), way.options())).collect();
    let text = serde_json::to_string_pretty(&builds).expect("text");
    std::fs::write(format!("{folder}/builds.json"), text + "\n").expect("a file to write");
}

/// Returns the rows of a case, those that say the same as one: `also` names its other versions.
fn merged(rows: Vec<Value>) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for row in rows {
        let same = |known: &&mut Value| {
            ["verdict", "result"].iter().all(|part| known.get(part) == row.get(part))
        };
        let version = row.get("version").cloned().unwrap_or_default();
        match all.iter_mut().find(same).and_then(Value::as_object_mut) {
            Some(known) => {
                let also = known.entry("also").or_insert_with(|| json!([]));
                also.as_array_mut().into_iter().for_each(|also| also.push(version.clone()));
            }
            None => all.push(row),
        }
    }
    all
}

#[test]
fn recordings_are_what_sqlite_does() {
    let recorder = Recorder::new(Way::Linked);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/servers/sqlite/recorded.jsonl");
    let mut asked = 0;
    let mut changed = Vec::new();
    // Older recordings were made beside other rows, and tell less.
    let own = |row: &Value| row["verdict"].get("rewritten").is_some();
    let all = rows(path);
    let linked = all.iter().filter(|row| own(row) && row["version"] == recorder.version);
    for row in linked.step_by(EVERY) {
        let again = recorder.row(row).unwrap_or_default();
        asked += 1;
        if row["verdict"] != again["verdict"] || row["result"] != again["result"] {
            let [old, new] =
                [row, &again].map(|row| format!("{} {}", row["verdict"], row["result"]));
            changed.push(format!("{}: {old}\n  today: {new}", row["id"]));
        }
    }
    assert!(asked > 0, "no recording was made with SQLite {}", recorder.version);
    assert!(changed.is_empty(), "another verdict today:\n{}", changed.join("\n"));
}

fn rows(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a file of rows");
    text.lines().map(|line| serde_json::from_str(line).expect("a row of JSON")).collect()
}

fn strings(row: &Value, field: &str) -> Vec<String> {
    let items = row.get(field).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Which SQLite runs the statements.
#[derive(Debug)]
enum Way {
    /// The one that is linked into lockwise.
    Linked,
    /// That of a command, which is `sqlite3` or does what it does.
    Command(String),
}

/// Runs cases on one SQLite.
struct Recorder {
    runtime: tokio::runtime::Runtime,
    way: Way,
    version: String,
    folder: tempfile::TempDir,
}

/// A failed statement: the primary result code and what SQLite says.
type Refusal = (u32, String);

impl Recorder {
    fn new(way: Way) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let mut recorder = Self {
            runtime: runtime.expect("a runtime"),
            way,
            version: String::new(),
            folder: tempfile::tempdir().expect("a folder"),
        };
        let version = match &recorder.way {
            Way::Linked => recorder.values("SELECT sqlite_version()").expect("a version"),
            Way::Command(name) => {
                let output = Command::new(name).arg("--version").output();
                let text = output.map(|output| output.stdout).unwrap_or_default();
                let text = String::from_utf8_lossy(&text).into_owned();
                text.split_whitespace().take(1).map(str::to_owned).collect()
            }
        };
        recorder.version = version.into_iter().next().unwrap_or_default();
        recorder
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("case.db")
    }

    /// Makes the file of a case, runs it, and tells what happened.
    fn row(&self, case: &Value) -> Option<Value> {
        let _ = std::fs::remove_file(self.path());
        let mut before = vec![format!("PRAGMA page_size = {PAGE}")];
        before.extend(strings(case, "schema_sql"));
        self.linked(&before).ok()?;
        self.fill(case["seed_rows"].as_u64().unwrap_or(0));
        let counts = self.counts();
        let pages = std::fs::read(self.path()).expect("a file");
        let table_pages = self.table_pages();
        let keys = if case["foreign_keys"] == Value::Bool(true) { "ON" } else { "OFF" };
        let mut script = vec![format!("PRAGMA foreign_keys = {keys}")];
        script.extend(strings(case, "session"));
        script.extend(strings(case, "sql"));
        let refusal = match &self.way {
            Way::Linked => self.linked(&script),
            Way::Command(name) => self.command(name, &script).map(drop),
        };
        let later = self.counts();
        let lost: BTreeMap<&String, Value> = counts
            .iter()
            .filter(|(table, rows)| later.get(*table).is_none_or(|now| now < rows))
            .map(|(table, rows)| (table, json!([rows, later.get(table)])))
            .collect();
        let changed = changed_pages(&pages, &self.path());
        let error = refusal.as_ref().err();
        let code = error.map(|(code, _)| match code {
            1 => "SQL".to_owned(),
            19 => "Constraint".to_owned(),
            other => other.to_string(),
        });
        let series: Vec<&str> = self.version.split('.').take(2).collect();
        let name = case["case"].as_str().unwrap_or_default();
        Some(json!({
            "id": format!("sqlite-{}/{name}", series.join(".")), "case": name, "engine": "sqlite",
            "version": self.version, "family": case["family"], "schema": case["schema"],
            "schema_sql": case["schema_sql"], "seed_rows": case["seed_rows"],
            "foreign_keys": case["foreign_keys"], "session": case["session"], "sql": case["sql"],
            "verdict": {
                "ok": error.is_none(), "code": code,
                "rows_lost": (!lost.is_empty()).then_some(lost),
                "changed": changed > 0,
                "rewritten": changed > 8 && changed * 2 > table_pages,
            },
            "result": { "msg": error.map(|(_, message)| message) },
        }))
    }

    /// Runs statements on the SQLite that is linked in, until one fails.
    fn linked(&self, script: &[String]) -> Result<(), Refusal> {
        self.runtime.block_on(async {
            let mut at = self.open().await;
            let mut done = Ok(());
            for sql in script {
                let sql = AssertSqlSafe(sql.clone());
                done = sqlx::raw_sql(sql).execute(&mut at).await.map(drop).map_err(refusal);
                if done.is_err() {
                    break;
                }
            }
            at.close().await.expect("a closed file");
            done
        })
    }

    /// Returns what it was built with, as far as that decides about statements.
    fn options(&self) -> String {
        let query = "PRAGMA compile_options";
        let options = match &self.way {
            Way::Linked => self.values(query),
            Way::Command(name) => self.command(name, &[query.to_owned()]),
        };
        let decides = |option: &String| {
            ["ENABLE_", "OMIT_", "ALLOW_", "DQS", "SOUNDEX"]
                .iter()
                .any(|part| option.starts_with(part))
        };
        options.into_iter().flatten().filter(decides).collect::<Vec<_>>().join(",")
    }

    /// Runs statements with a command, until one fails, and returns the lines it writes.
    fn command(&self, name: &str, script: &[String]) -> Result<Vec<String>, Refusal> {
        let mut child = Command::new(name)
            .args(["-bail", "-batch"])
            .arg(self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command sqlite3");
        let text: String = script.iter().map(|sql| format!("{sql}\n;\n")).collect();
        let mut input = child.stdin.take().expect("an open input");
        // It stops reading at the first error.
        let _ = input.write_all(text.as_bytes());
        drop(input);
        let output = child.wait_with_output().expect("an answer");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let Some(line) = said.lines().next() else {
            let written = String::from_utf8_lossy(&output.stdout).into_owned();
            return Ok(written.lines().map(str::to_owned).collect());
        };
        let message = line.split_once(": ").map_or(line, |(_, message)| message);
        let code = message.rsplit_once(" (").and_then(|(text, code)| {
            Some((text.to_owned(), code.strip_suffix(')')?.parse::<u32>().ok()?))
        });
        Err(code.map_or((1, message.to_owned()), |(text, code)| (code, text)))
    }

    async fn open(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path()).create_if_missing(true);
        let options = options.foreign_keys(false).disable_statement_logging();
        options.connect().await.expect("a database")
    }

    /// Returns the first column of a query.
    fn values(&self, sql: &str) -> Result<Vec<String>, Refusal> {
        self.runtime.block_on(async {
            let mut at = self.open().await;
            let sql = AssertSqlSafe(sql.to_owned());
            let rows = sqlx::raw_sql(sql).fetch_all(&mut at).await.map_err(refusal);
            at.close().await.expect("a closed file");
            let first = |row: &sqlx::sqlite::SqliteRow| row.try_get_unchecked(0);
            Ok(rows?.iter().map(|row| first(row).unwrap_or_default()).collect())
        })
    }

    fn tables(&self) -> Vec<String> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' \
                   AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND sql NOT LIKE 'CREATE VIRTUAL%' \
                   ORDER BY rowid";
        self.values(sql).unwrap_or_default()
    }

    /// Puts rows into every table; what a column is called decides about its values.
    fn fill(&self, count: u64) {
        if count == 0 {
            return;
        }
        for table in self.tables() {
            let quoted = format!("\"{}\"", table.replace('"', "\"\""));
            let columns = format!(
                "SELECT name || ' ' || lower(type) FROM pragma_table_xinfo('{}') WHERE hidden = 0",
                table.replace('\'', "''")
            );
            let columns = self.values(&columns).unwrap_or_default();
            let names = columns.iter().map(|column| {
                format!("\"{}\"", column.rsplit_once(' ').map_or("", |(name, _)| name))
            });
            let names = names.collect::<Vec<_>>().join(", ");
            let values = columns.iter().map(|column| value(column)).collect::<Vec<_>>().join(", ");
            let insert = format!(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                 WHERE i < {count}) \
                 INSERT OR IGNORE INTO {quoted} ({names}) SELECT {values} FROM n"
            );
            let _ = self.linked(&[insert]);
        }
    }

    fn counts(&self) -> BTreeMap<String, u64> {
        let count = |table: String| {
            let sql = format!("SELECT count(*) || '' FROM \"{}\"", table.replace('"', "\"\""));
            let rows = self.values(&sql).ok()?.first()?.parse().ok()?;
            Some((table, rows))
        };
        self.tables().into_iter().filter_map(count).collect()
    }

    /// Returns how many pages the largest table has.
    fn table_pages(&self) -> usize {
        let largest = self.counts().into_values().max().unwrap_or(0);
        // A row of the tables that are recorded takes at least 8 bytes.
        usize::try_from(largest).unwrap_or(0) * 8 / PAGE
    }
}

fn value(column: &str) -> String {
    let (name, data_type) = column.rsplit_once(' ').unwrap_or((column, ""));
    let text = ["char", "text", "clob", "blob", "any"].iter().any(|word| data_type.contains(word));
    match name {
        _ if name.contains("null") => "CASE i % 2 WHEN 0 THEN NULL ELSE i END".to_owned(),
        _ if name.starts_with("dup") => "1".to_owned(),
        _ if name.starts_with("orphan") => "900000 + i".to_owned(),
        _ if text => "'v' || i".to_owned(),
        _ => "i".to_owned(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
fn refusal(error: sqlx::Error) -> Refusal {
    let Some(found) = error.as_database_error() else { return (0, error.to_string()) };
    let code = found.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or(1);
    (code & 0xff, found.message().to_owned())
}

/// Counts the pages of a file that are others than they were, but for the counters of changes in
/// its head.
fn changed_pages(before: &[u8], path: &Path) -> usize {
    let after = std::fs::read(path).unwrap_or_default();
    let head =
        |file: &[u8]| [file.get(28..92), file.get(100..PAGE)].map(|part| part.map(<[u8]>::to_vec));
    let (old, new) = (before.chunks(PAGE).skip(1), after.chunks(PAGE).skip(1));
    let grown = after.len().abs_diff(before.len()) / PAGE;
    let others = old.zip(new).filter(|(old, new)| old != new).count();
    others + grown + usize::from(head(before) != head(&after))
}
