//! The journal in the target: what was intended, what was done, in order.
//!
//! `lockwise_journal` is only ever appended to; `lockwise_history` is a view on it that shows
//! what is applied. An append inside an open transaction commits or vanishes with it. Times are
//! the server's.

use std::fmt;
use std::str::FromStr;

use super::connection::{Access, Connection};
use super::error::{Attempt as _, Error, ErrorKind, ServerError};
use super::rows::Row;
use crate::sql::ServerKind;
use crate::sql::{ident, literal};

/// The format of the rows that this version writes.
pub const JOURNAL_FORMAT: u32 = 1;

/// Where the journal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalOptions {
    /// The schema; the server's default one where none is named. PostgreSQL only.
    pub schema: Option<String>,
    /// What the names begin with.
    pub prefix: String,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self { schema: None, prefix: "lockwise_".to_owned() }
    }
}

/// What a row of the journal reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Event {
    /// A run began.
    RunStarted,
    /// A run came to its end.
    RunFinished,
    /// A run was interrupted by a person or a signal.
    RunInterrupted,
    /// An approval was used.
    Approval,
    /// A step is about to be sent.
    Intent,
    /// A step was done.
    Applied,
    /// A step failed and changed nothing.
    Failed,
    /// A step was found done after a crash.
    Recovered,
    /// A step reported its progress: the key of the last batch is in the detail.
    Progress,
    /// Something was removed that a failed step left behind.
    CleanedUp,
    /// A person decided what the journal could not know.
    Decision,
    /// A migration is applied as a whole.
    MigrationApplied,
    /// A migration was rolled back as a whole.
    MigrationRolledBack,
    /// A migration counts as applied without having been run.
    Baseline,
    /// A migration was taken over from another tool's history.
    Adopted,
    /// The file of an applied migration was changed with approval.
    Amended,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 16] = [
        Self::RunStarted,
        Self::RunFinished,
        Self::RunInterrupted,
        Self::Approval,
        Self::Intent,
        Self::Applied,
        Self::Failed,
        Self::Recovered,
        Self::Progress,
        Self::CleanedUp,
        Self::Decision,
        Self::MigrationApplied,
        Self::MigrationRolledBack,
        Self::Baseline,
        Self::Adopted,
        Self::Amended,
    ];

    /// The events that settle a step or a migration.
    pub const SETTLING: [Self; 7] = [
        Self::Applied,
        Self::Recovered,
        Self::MigrationApplied,
        Self::MigrationRolledBack,
        Self::Baseline,
        Self::Adopted,
        Self::Amended,
    ];

    /// Says whether it settles a step or a migration.
    pub fn settles(self) -> bool {
        Self::SETTLING.contains(&self)
    }

    /// Returns the word that stands in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunStarted => "run-started",
            Self::RunFinished => "run-finished",
            Self::RunInterrupted => "run-interrupted",
            Self::Approval => "approval",
            Self::Intent => "intent",
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Recovered => "recovered",
            Self::Progress => "progress",
            Self::CleanedUp => "cleaned-up",
            Self::Decision => "decision",
            Self::MigrationApplied => "migration-applied",
            Self::MigrationRolledBack => "migration-rolled-back",
            Self::Baseline => "baseline",
            Self::Adopted => "adopted",
            Self::Amended => "amended",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Event {
    type Err = UnknownEvent;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|event| event.as_str() == text);
        found.ok_or_else(|| UnknownEvent(text.to_owned()))
    }
}

/// A word that is no event of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown journal event \"{0}\"")]
pub struct UnknownEvent(pub String);

/// A row to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// The run.
    pub run_id: String,
    /// The digest of the plan.
    pub plan_digest: String,
    /// The version of the migration; empty where the row is about the run.
    pub version: String,
    /// The name of the migration.
    pub name: String,
    /// The step within the migration, from 1.
    pub step_no: Option<u32>,
    /// The attempt, from 1.
    pub attempt: Option<u32>,
    /// What happened.
    pub event: Event,
    /// The fingerprint before the step.
    pub fp_before: Option<String>,
    /// The fingerprint after the step.
    pub fp_after: Option<String>,
    /// The digest of the bytes.
    pub raw_digest: Option<String>,
    /// The digest of the meaning.
    pub semantic_digest: Option<String>,
    /// Everything else, as JSON.
    pub detail: Option<String>,
}

impl NewEntry {
    /// Returns a row about a run, with nothing else in it.
    pub fn new(run_id: impl Into<String>, plan_digest: impl Into<String>, event: Event) -> Self {
        Self {
            run_id: run_id.into(),
            plan_digest: plan_digest.into(),
            version: String::new(),
            name: String::new(),
            step_no: None,
            attempt: None,
            event,
            fp_before: None,
            fp_after: None,
            raw_digest: None,
            semantic_digest: None,
            detail: None,
        }
    }
}

/// A row of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number; later rows have higher numbers.
    pub seq: u64,
    /// When the server wrote it, in UTC: `2026-03-01T12:00:00.123456Z`.
    pub at: String,
    /// The user of the database that wrote it.
    pub db_user: String,
    /// What it says.
    pub entry: NewEntry,
}

/// The journal of one database.
#[derive(Debug, Clone)]
pub struct Journal {
    kind: ServerKind,
    schema: Option<String>,
    prefix: String,
}

impl Journal {
    /// Returns the journal as the options place it.
    pub fn new(kind: ServerKind, options: &JournalOptions) -> Self {
        let schema = match kind {
            ServerKind::Postgres => {
                Some(options.schema.clone().unwrap_or_else(|| "public".to_owned()))
            }
            ServerKind::Mysql | ServerKind::Mariadb | ServerKind::Sqlite => None,
        };
        Self { kind, schema, prefix: options.prefix.clone() }
    }

    /// Returns the names of its table and view, for snapshots to leave out.
    pub fn own_names(&self) -> [String; 2] {
        [format!("{}journal", self.prefix), format!("{}history", self.prefix)]
    }

    /// Returns what the migration lock is named after.
    pub fn scope(&self) -> String {
        let schema = self.schema.as_deref().map(|schema| format!("{schema}."));
        format!("{}{}journal", schema.unwrap_or_default(), self.prefix)
    }

    /// Returns the quoted name of the table or the view.
    fn quoted(&self, name: &str) -> String {
        let name = ident(self.kind, &format!("{}{name}", self.prefix));
        match &self.schema {
            Some(schema) => format!("{}.{name}", ident(self.kind, schema)),
            None => name,
        }
    }

    /// Says whether the journal is there.
    pub async fn exists(&self, connection: &mut Connection) -> Result<bool, Error> {
        let name = format!("{}journal", self.prefix);
        let name = literal(self.kind, &name);
        let sql = match self.kind {
            ServerKind::Postgres => {
                let schema = literal(self.kind, self.schema.as_deref().unwrap_or("public"));
                format!(
                    "SELECT count(*) FROM pg_catalog.pg_class c \
                     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                     WHERE n.nspname = {schema} AND c.relname = {name}"
                )
            }
            ServerKind::Mysql | ServerKind::Mariadb => format!(
                "SELECT count(*) FROM information_schema.tables \
                 WHERE table_schema = database() AND table_name = {name}"
            ),
            ServerKind::Sqlite => {
                format!("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = {name}")
            }
        };
        let rows = connection.query(&sql).await.attempt("cannot look for the journal")?;
        Ok(rows.first().is_some_and(|row| row.count(0) > 0))
    }

    /// Makes the journal if it is not there. Hold the migration lock: two servers' `IF NOT EXISTS`
    /// still collide.
    pub async fn create(&self, connection: &mut Connection) -> Result<(), Error> {
        if self.exists(connection).await? {
            return Ok(());
        }
        let attempt = "cannot create the journal";
        if connection.access() == Access::ReadOnly {
            let message = "the session is read-only";
            return Err(ServerError::local(ErrorKind::ReadOnly, message)).attempt(attempt);
        }
        if let (ServerKind::Postgres, Some(schema)) = (self.kind, &self.schema)
            && schema != "public"
        {
            let sql = format!("CREATE SCHEMA IF NOT EXISTS {}", ident(self.kind, schema));
            connection.execute(&sql).await.attempt(attempt)?;
        }
        for sql in self.definition() {
            connection.execute(&sql).await.attempt(attempt)?;
        }
        Ok(())
    }

    /// Returns the statements that make table and view.
    fn definition(&self) -> [String; 2] {
        let (key, at, user, text, short, suffix) = match self.kind {
            ServerKind::Postgres => (
                "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
                "timestamptz NOT NULL DEFAULT clock_timestamp()",
                "text NOT NULL DEFAULT session_user",
                "text",
                "text",
                "",
            ),
            // A TIMESTAMP would depend on the session's time zone; expression defaults need MySQL
            // 8.0.13 or MariaDB 10.2.1.
            ServerKind::Mysql => (
                "bigint NOT NULL AUTO_INCREMENT PRIMARY KEY",
                "datetime(6) NOT NULL DEFAULT (utc_timestamp(6))",
                "varchar(300) NOT NULL DEFAULT (current_user())",
                "longtext",
                "varchar(255)",
                " ENGINE = InnoDB DEFAULT CHARSET = utf8mb4",
            ),
            ServerKind::Mariadb => (
                "bigint NOT NULL AUTO_INCREMENT PRIMARY KEY",
                "datetime(6) NOT NULL DEFAULT (utc_timestamp(6))",
                "varchar(300) NOT NULL DEFAULT (current_user())",
                "longtext",
                "varchar(255)",
                " ENGINE = InnoDB DEFAULT CHARSET = utf8mb4",
            ),
            ServerKind::Sqlite => (
                "integer PRIMARY KEY",
                "text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
                "text NOT NULL DEFAULT ''",
                "text",
                "text",
                "",
            ),
        };
        let journal = self.quoted("journal");
        let table = format!(
            "CREATE TABLE {journal} (\n    seq {key},\n    at {at},\n    db_user {user},\n    \
             format int NOT NULL,\n    run_id {short} NOT NULL,\n    \
             plan_digest {short} NOT NULL,\n    \
             version {short} NOT NULL,\n    name {short} NOT NULL,\n    step_no int,\n    \
             attempt int,\n    event {short} NOT NULL,\n    fp_before {short},\n    \
             fp_after {short},\n    raw_digest {short},\n    semantic_digest {short},\n    \
             detail {text}\n){suffix}"
        );
        let states =
            "'migration-applied', 'migration-rolled-back', 'baseline', 'adopted', 'amended'";
        let view = format!(
            "CREATE VIEW {} AS SELECT j.seq, j.version, j.name, j.event, j.at, j.db_user, \
             j.run_id, j.plan_digest, j.raw_digest, j.semantic_digest FROM {journal} j \
             WHERE j.event IN ({states}) AND j.event <> 'migration-rolled-back' \
             AND NOT EXISTS (SELECT 1 FROM {journal} k WHERE k.version = j.version \
             AND k.event IN ({states}) AND k.seq > j.seq)",
            self.quoted("history"),
        );
        [table, view]
    }

    /// Reads the whole journal; nothing where there is none.
    pub async fn read(&self, connection: &mut Connection) -> Result<Vec<Entry>, Error> {
        if self.exists(connection).await? {
            self.read_after(connection, 0).await
        } else {
            Ok(vec![])
        }
    }

    /// Reads every row without its details, but for the progress of back-fills: plans and ways
    /// back are most of the journal, and few commands look at them.
    pub async fn read_states(&self, connection: &mut Connection) -> Result<Vec<Entry>, Error> {
        if self.exists(connection).await? {
            let detail = "CASE WHEN event = 'progress' THEN detail END";
            self.read_columns(connection, 0, detail).await
        } else {
            Ok(vec![])
        }
    }

    /// Reads what came after a row.
    pub async fn read_after(
        &self,
        connection: &mut Connection,
        seq: u64,
    ) -> Result<Vec<Entry>, Error> {
        self.read_columns(connection, seq, "detail").await
    }

    /// Reads rows with the last column as given.
    async fn read_columns(
        &self,
        connection: &mut Connection,
        seq: u64,
        detail: &str,
    ) -> Result<Vec<Entry>, Error> {
        let at = match self.kind {
            ServerKind::Postgres => {
                "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
            }
            ServerKind::Mysql | ServerKind::Mariadb => "date_format(at, '%Y-%m-%dT%H:%i:%s.%fZ')",
            ServerKind::Sqlite => "at",
        };
        // A back-fill writes a row for each batch, and only its last one says anything.
        let journal = self.quoted("journal");
        let sql = format!(
            "SELECT seq, {at}, db_user, format, run_id, plan_digest, version, name, step_no, \
             attempt, event, fp_before, fp_after, raw_digest, semantic_digest, {detail} \
             FROM {journal} WHERE seq > {seq} AND (event <> 'progress' OR seq IN \
             (SELECT max(seq) FROM {journal} WHERE event = 'progress' GROUP BY version, step_no)) \
             ORDER BY seq",
        );
        let rows = connection.query(&sql).await.attempt("cannot read the journal")?;
        rows.iter().map(entry).collect()
    }

    /// Returns the number of the last row; zero where there is none.
    pub async fn last_seq(&self, connection: &mut Connection) -> Result<u64, Error> {
        let sql = format!("SELECT coalesce(max(seq), 0) FROM {}", self.quoted("journal"));
        let rows = connection.query(&sql).await.attempt("cannot read the journal")?;
        Ok(rows.first().map_or(0, |row| row.count(0)))
    }

    /// Counts the rows of other runs that settle something.
    pub async fn settled_by_others(
        &self,
        connection: &mut Connection,
        run_id: &str,
    ) -> Result<u64, Error> {
        let words = Event::SETTLING.map(|event| literal(self.kind, event.as_str()));
        let sql = format!(
            "SELECT count(*) FROM {} WHERE event IN ({}) AND run_id <> {}",
            self.quoted("journal"),
            words.join(", "),
            literal(self.kind, run_id),
        );
        let rows = connection.query(&sql).await.attempt("cannot read the journal")?;
        Ok(rows.first().map_or(0, |row| row.count(0)))
    }

    /// Counts the rows of a run.
    pub async fn count_of(&self, connection: &mut Connection, run_id: &str) -> Result<u64, Error> {
        let run = literal(self.kind, run_id);
        let sql = format!("SELECT count(*) FROM {} WHERE run_id = {run}", self.quoted("journal"));
        let rows = connection.query(&sql).await.attempt("cannot read the journal")?;
        Ok(rows.first().map_or(0, |row| row.count(0)))
    }

    /// Appends rows in one statement, in the transaction that is open, if one is.
    pub async fn append(
        &self,
        connection: &mut Connection,
        entries: &[NewEntry],
    ) -> Result<(), Error> {
        if let Some(sql) = self.insert(entries) {
            connection.execute(&sql).await.attempt("cannot write to the journal")?;
        }
        Ok(())
    }

    /// Returns the statement that appends rows; none for no rows.
    pub fn insert(&self, entries: &[NewEntry]) -> Option<String> {
        self.insert_where(entries, None)
    }

    /// Returns the statement that appends rows where a condition holds, and fails where it does
    /// not: `format` is NOT NULL. A message that ends with COMMIT needs no answer in between then.
    pub fn insert_only_if(&self, entries: &[NewEntry], condition: &str) -> Option<String> {
        self.insert_where(entries, Some(condition))
    }

    fn insert_where(&self, entries: &[NewEntry], condition: Option<&str>) -> Option<String> {
        let format = match condition {
            Some(condition) => format!("CASE WHEN {condition} THEN {JOURNAL_FORMAT} END"),
            None => JOURNAL_FORMAT.to_string(),
        };
        let rows: Vec<String> = entries.iter().map(|entry| self.values(entry, &format)).collect();
        let sql = format!(
            "INSERT INTO {} (format, run_id, plan_digest, version, name, step_no, attempt, event, \
             fp_before, fp_after, raw_digest, semantic_digest, detail) VALUES {}",
            self.quoted("journal"),
            rows.join(", "),
        );
        (!rows.is_empty()).then_some(sql)
    }

    /// Returns one row as SQL values.
    fn values(&self, entry: &NewEntry, format: &str) -> String {
        let text = |value: &str| literal(self.kind, value);
        let optional = |value: &Option<String>| {
            value.as_deref().map_or_else(|| "NULL".to_owned(), |value| literal(self.kind, value))
        };
        let number =
            |value: Option<u32>| value.map_or_else(|| "NULL".to_owned(), |value| value.to_string());
        let values = [
            format.to_owned(),
            text(&entry.run_id),
            text(&entry.plan_digest),
            text(&entry.version),
            text(&entry.name),
            number(entry.step_no),
            number(entry.attempt),
            text(entry.event.as_str()),
            optional(&entry.fp_before),
            optional(&entry.fp_after),
            optional(&entry.raw_digest),
            optional(&entry.semantic_digest),
            optional(&entry.detail),
        ];
        format!("({})", values.join(", "))
    }
}

/// Reads one row; a format or an event of a later version is an error, never skipped.
fn entry(row: &Row) -> Result<Entry, Error> {
    let unreadable = |why: String| Error::Journal { seq: row.count(0), why };
    let format = row.count(3);
    if format != u64::from(JOURNAL_FORMAT) {
        return Err(unreadable(format!("format {format} is not known to this version")));
    }
    let event =
        row.text(10).parse().map_err(|error: UnknownEvent| unreadable(error.to_string()))?;
    let optional = |index: usize| row.get(index).map(str::to_owned);
    let number = |index: usize| row.number(index).and_then(|number| u32::try_from(number).ok());
    let entry = NewEntry {
        run_id: row.text(4).to_owned(),
        plan_digest: row.text(5).to_owned(),
        version: row.text(6).to_owned(),
        name: row.text(7).to_owned(),
        step_no: number(8),
        attempt: number(9),
        event,
        fp_before: optional(11),
        fp_after: optional(12),
        raw_digest: optional(13),
        semantic_digest: optional(14),
        detail: optional(15),
    };
    let (seq, at, db_user) = (row.count(0), row.text(1).to_owned(), row.text(2).to_owned());
    Ok(Entry { seq, at, db_user, entry })
}
