//! The `[runner]` table: how migrations run.

use std::time::Duration;

use super::{number, online, period};
use crate::plan::OnlineTool;
use crate::rule::{Reader, Table};

/// How migrations run.
///
/// | key | meaning | default |
/// |---|---|---|
/// | `lock_timeout` | a statement that makes others wait gives up waiting itself after this | `2s` |
/// | `statement_timeout` | a statement in a transaction is stopped after this | none |
/// | `blocking_budget` | the application waits no longer than this for one run, all told | `30s` |
/// | `retries` | how often a statement that gave up is tried again | `20` |
/// | `lock_wait` | how long to wait for another run of lockwise to end | `1m` |
/// | `build_wait` | a concurrent build waits no longer than this for old transactions before it is cancelled, tidied up and tried again | `10m` |
/// | `keep_dropped` | keep dropped tables and columns aside, so that a rollback brings rows back | `false` |
/// | `pooled` | run through a pooler that lends sessions to others | `false` |
/// | `replicas` | URLs of replicas that batches with `max_lag` wait for | none |
/// | `cancel` | whose work may be ended where it is in the way: tables with `user`, `application` (`*` stands for anything), `older_than` and `end` = `statement` or `session` | nobody's |
/// | `online_tool` | the tool that changes large tables of MySQL and MariaDB: a table with `command` and `over` | none |
/// | `shadow` | throw-away database for the dry run: a URL, `auto` or `off` | `auto` |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runner {
    /// A statement that makes others wait gives up waiting itself after this.
    pub lock_timeout: Duration,
    /// A statement in a transaction is stopped after this.
    pub statement_timeout: Option<Duration>,
    /// The application waits no longer than this for one run, all told.
    pub blocking_budget: Duration,
    /// How often a statement that gave up is tried again.
    pub retries: u64,
    /// How long to wait for another run of lockwise to end.
    pub lock_wait: Duration,
    /// How long a concurrent build may wait for old transactions.
    pub build_wait: Duration,
    /// Dropped tables and columns are kept aside.
    pub keep_dropped: bool,
    /// Whose work may be ended where it is in the way.
    pub cancel: Vec<Cancel>,
    /// Where the dry run happens.
    pub shadow: Shadow,
    /// A pooler lends sessions to others between transactions (PostgreSQL).
    pub pooled: bool,
    /// URLs of replicas that batches wait for.
    pub replicas: Vec<String>,
    /// What changes large tables instead of the server (MySQL, MariaDB).
    pub online_tool: Option<OnlineTool>,
}

/// Whose work may be ended where it is in the way of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancel {
    /// A pattern of users.
    pub user: Option<String>,
    /// A pattern of application names.
    pub application: Option<String>,
    /// Only transactions that are older.
    pub older_than: Duration,
    /// The whole session, not only its statement.
    pub session: bool,
}

/// Where the dry run happens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Shadow {
    /// A server started for it, or a database in memory.
    #[default]
    Auto,
    /// Nowhere.
    Off,
    /// In a database that is there for it.
    Url(String),
}

impl Default for Runner {
    fn default() -> Self {
        Self {
            lock_timeout: Duration::from_secs(2),
            statement_timeout: None,
            blocking_budget: Duration::from_secs(30),
            retries: 20,
            lock_wait: Duration::from_secs(60),
            build_wait: Duration::from_secs(600),
            keep_dropped: false,
            cancel: Vec::new(),
            shadow: Shadow::Auto,
            pooled: false,
            replicas: Vec::new(),
            online_tool: None,
        }
    }
}

/// Reads one `[[runner.cancel]]`. It has to name somebody.
fn cancel(reader: &mut Reader, mut table: Table<'_>) -> Cancel {
    let user = table.text(reader, "user").map(|(text, _)| text);
    let application = table.text(reader, "application").map(|(text, _)| text);
    if user.is_none() && application.is_none() {
        let hint = "write user = \"…\" or application = \"…\"; \"*\" stands for everybody";
        let message = "[[runner.cancel]] names nobody".to_owned();
        reader.error(&table.span(), message, Some(hint.to_owned()));
    }
    let older_than = period(reader, &mut table, "older_than").unwrap_or_default();
    let session = match table.text(reader, "end") {
        None => false,
        Some((word, _)) if word == "statement" => false,
        Some((word, _)) if word == "session" => true,
        Some((word, span)) => {
            let message = format!("end is \"{word}\"");
            reader.error(&span, message, Some("write \"statement\" or \"session\"".to_owned()));
            false
        }
    };
    table.finish(reader);
    Cancel { user, application, older_than, session }
}

pub(super) fn read(reader: &mut Reader, mut table: Table<'_>) -> Runner {
    let default = Runner::default();
    let rules = table.tables(reader, "cancel", "[[runner.cancel]]");
    let online_tool = table
        .table(reader, "online_tool", "[runner.online_tool]")
        .and_then(|table| online::read(reader, table));
    let runner = Runner {
        online_tool,
        lock_timeout: period(reader, &mut table, "lock_timeout").unwrap_or(default.lock_timeout),
        statement_timeout: period(reader, &mut table, "statement_timeout"),
        blocking_budget: period(reader, &mut table, "blocking_budget")
            .unwrap_or(default.blocking_budget),
        retries: number(reader, &mut table, "retries").unwrap_or(default.retries),
        lock_wait: period(reader, &mut table, "lock_wait").unwrap_or(default.lock_wait),
        build_wait: period(reader, &mut table, "build_wait").unwrap_or(default.build_wait),
        keep_dropped: table.flag(reader, "keep_dropped").unwrap_or(default.keep_dropped),
        cancel: rules.into_iter().map(|rule| cancel(reader, rule)).collect(),
        shadow: match table.text(reader, "shadow") {
            None => Shadow::Auto,
            Some((word, _)) if word == "auto" => Shadow::Auto,
            Some((word, _)) if word == "off" => Shadow::Off,
            Some((url, _)) => Shadow::Url(url),
        },
        pooled: table.flag(reader, "pooled").unwrap_or(default.pooled),
        replicas: table.texts(reader, "replicas").into_iter().map(|(url, _)| url).collect(),
    };
    table.finish(reader);
    runner
}
