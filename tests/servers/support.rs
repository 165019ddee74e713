//! A database of its own with a folder of migrations, and the command run on it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use lockwise::db::{self, ConnectOptions, Connection, Secrets, SnapshotOptions, Target};

/// The servers that are tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    Mariadb,
    /// Where `LOCKWISE_TEST_MYSQL` is set: not part of the tests that everybody runs.
    Mysql,
}

impl Kind {
    pub(crate) const fn is_mysql_family(self) -> bool {
        matches!(self, Self::Mariadb | Self::Mysql)
    }
}

/// Every server there is: MySQL where `tests/run --with-mysql` started one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct All;

pub(crate) const ALL: All = All;

impl IntoIterator for All {
    type Item = Kind;
    type IntoIter = std::vec::IntoIter<Kind>;

    fn into_iter(self) -> Self::IntoIter {
        let mut kinds = vec![Kind::Sqlite, Kind::Postgres, Kind::Mariadb];
        kinds.extend(mysql());
        kinds.into_iter()
    }
}

/// Returns MySQL where there is one.
pub(crate) fn mysql() -> Option<Kind> {
    std::env::var_os("LOCKWISE_TEST_MYSQL").map(|_| Kind::Mysql)
}

/// A project: a folder with migrations and a database for them, gone at the end.
pub(crate) struct Project {
    pub(crate) kind: Kind,
    pub(crate) url: String,
    folder: tempfile::TempDir,
    database: Option<String>,
    /// The login that makes and drops the database.
    admin: String,
}

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a future to its end.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

/// Returns the URL of a login that may create databases.
pub(crate) fn admin_url(kind: Kind) -> String {
    let variable = match kind {
        Kind::Sqlite => return String::new(),
        Kind::Postgres => "LOCKWISE_TEST_POSTGRES",
        Kind::Mariadb => "LOCKWISE_TEST_MARIADB",
        Kind::Mysql => "LOCKWISE_TEST_MYSQL",
    };
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run the tests with tests/run"))
}

/// Replaces the database in a URL.
pub(crate) fn with_database(url: &str, database: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (address, parameters) = match rest.split_once('?') {
        Some((address, parameters)) => (address, format!("?{parameters}")),
        None => (rest, String::new()),
    };
    let host = address.split('/').next().unwrap();
    format!("{scheme}://{host}/{database}{parameters}")
}

async fn open(url: &str) -> Connection {
    let target = Target::parse(url, &Secrets::default()).unwrap();
    let options =
        ConnectOptions { missing_file: db::MissingFile::Create, ..ConnectOptions::default() };
    Connection::open(&target, &options).await.unwrap()
}

impl Project {
    pub(crate) fn new(kind: Kind) -> Self {
        Self::on(kind, admin_url(kind))
    }

    /// Returns a project on another server than that of all tests.
    pub(crate) fn on(kind: Kind, admin: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("migrations")).unwrap();
        if kind == Kind::Sqlite {
            let url = format!("sqlite:{}", folder.path().join("shop.db").display());
            return Self { kind, url, folder, database: None, admin };
        }
        let database = format!("lockwise_test_{:016x}", fastrand::u64(..));
        block_on(async {
            let mut connection = open(&admin).await;
            connection.execute(&format!("CREATE DATABASE {database}")).await.unwrap();
        });
        let url = with_database(&admin, &database);
        Self { kind, url, folder, database: Some(database), admin }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn migration(&self, name: &str) -> PathBuf {
        self.path().join("migrations").join(name)
    }

    pub(crate) fn write(&self, name: &str, sql: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.migration(name), sql).unwrap();
        self
    }

    pub(crate) fn config(&self, text: &str) -> &Self {
        std::fs::write(self.path().join("lockwise.toml"), text).unwrap();
        self
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockwise"));
        command
            .current_dir(self.path())
            .env_remove("DATABASE_URL")
            .env_remove("LOCKWISE_CRASH_AT")
            .env("NO_COLOR", "1")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let shadowed = ["plan", "apply", "rollback", "verify", "approve", "amend"];
        let first = arguments.first().copied().unwrap_or_default();
        if !arguments.contains(&"--url") && first != "lint" {
            command.args(["--url", &self.url]);
        }
        let own = arguments.contains(&"--shadow") || arguments.contains(&"--plan");
        if shadowed.contains(&first) && self.kind != Kind::Sqlite && !own {
            command.args(["--shadow", &admin_url(self.kind)]);
        }
        command
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        Answer::of(&self.command(arguments).output().unwrap())
    }

    /// Starts the command.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Runs the command and demands an exit code.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, arguments: &[&str]) -> Answer {
        let answer = self.run(arguments);
        let (kind, found) = (self.kind, answer.code);
        assert_eq!(found, Some(code), "{kind:?} {arguments:?}\n{}", answer.all());
        answer
    }

    /// Sends statements on a session of its own.
    pub(crate) fn execute(&self, statements: &[&str]) {
        block_on(async {
            let mut connection = open(&self.url).await;
            for statement in statements {
                connection.execute(statement).await.unwrap();
            }
            connection.close().await.unwrap();
        });
    }

    /// Opens a session and keeps it.
    pub(crate) fn session(&self) -> Session {
        Session::open(&self.url)
    }

    /// Returns the rows of a query, cells joined by `|`.
    pub(crate) fn query(&self, sql: &str) -> Vec<String> {
        self.session().query(sql)
    }

    /// Returns the schema, without the journal.
    pub(crate) fn schema(&self) -> String {
        block_on(async {
            let mut connection = open(&self.url).await;
            let options = lockwise::plan::snapshot_options();
            let options = SnapshotOptions { grants: false, ..options };
            db::snapshot(&mut connection, &options).await.unwrap().text()
        })
    }

    /// Returns applied versions and how often each of their steps was done.
    pub(crate) fn history(&self) -> Vec<String> {
        self.query(
            "SELECT version, step_no, event, count(*) FROM lockwise_journal \
             WHERE event IN ('applied', 'recovered', 'migration-applied', 'migration-rolled-back') \
             GROUP BY version, step_no, event ORDER BY version, step_no, event",
        )
        .into_iter()
        // Whether a step was seen done or found done is the difference that a crash makes.
        .map(|row| row.replace("|recovered|", "|applied|"))
        .collect()
    }

    /// Starts the command, waits until a query has rows, and kills it: nothing is cleaned up.
    #[track_caller]
    pub(crate) fn kill_when(&self, arguments: &[&str], sql: &str) {
        let mut child = self.start(arguments);
        self.wait_for(sql);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Waits until a query has rows. There is a limit, so that a bug does not hang the tests.
    #[track_caller]
    pub(crate) fn wait_for(&self, sql: &str) {
        let started = std::time::Instant::now();
        let mut session = self.session();
        while session.try_query(sql).is_none_or(|rows| rows.is_empty()) {
            assert!(started.elapsed().as_secs() < 60, "never true: {sql}");
            std::thread::yield_now();
        }
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let Some(database) = self.database.take() else { return };
        let admin = self.admin.clone();
        let force = if self.kind == Kind::Postgres { " WITH (FORCE)" } else { "" };
        block_on(async {
            let mut connection = open(&admin).await;
            let _ = connection.execute(&format!("DROP DATABASE {database}{force}")).await;
        });
    }
}

/// Sends a signal to a command that runs, and waits for its answer.
#[cfg(unix)]
pub(crate) fn signal(child: Child, name: &str) -> Answer {
    let id = child.id().to_string();
    let kill = Command::new("kill").args([format!("-{name}"), id]).status().unwrap();
    assert!(kill.success());
    Answer::of(&child.wait_with_output().unwrap())
}

/// A session that stays open.
pub(crate) struct Session {
    runtime: tokio::runtime::Runtime,
    connection: Connection,
}

impl Session {
    pub(crate) fn open(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connection = runtime.block_on(open(url));
        Self { runtime, connection }
    }

    /// Says whether a server takes connections.
    pub(crate) fn answers(url: &str) -> bool {
        let target = Target::parse(url, &Secrets::default()).unwrap();
        let options = ConnectOptions { connect_timeout_ms: 1_000, ..ConnectOptions::default() };
        block_on(async { Connection::open(&target, &options).await.is_ok() })
    }

    pub(crate) fn execute(&mut self, sql: &str) {
        self.runtime.block_on(self.connection.execute(sql)).unwrap();
    }

    pub(crate) fn query(&mut self, sql: &str) -> Vec<String> {
        self.try_query(sql).unwrap_or_else(|| panic!("{sql} failed"))
    }

    pub(crate) fn try_query(&mut self, sql: &str) -> Option<Vec<String>> {
        let rows = self.runtime.block_on(self.connection.query(sql)).ok()?;
        let line = |row: &db::Row| {
            let cells = row.0.iter().map(|cell| cell.clone().unwrap_or_default());
            cells.collect::<Vec<_>>().join("|")
        };
        Some(rows.iter().map(line).collect())
    }
}

impl Answer {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub(crate) fn all(&self) -> String {
        format!("{:?}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout, self.stderr)
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        let found = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(found, "nothing says \"{text}\"\n{}", self.all());
        self
    }

    #[track_caller]
    pub(crate) fn never_says(&self, text: &str) -> &Self {
        let found = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(!found, "something says \"{text}\"\n{}", self.all());
        self
    }
}

/// Writes the history of a small shop, in the words of each server.
pub(crate) fn shop(project: &Project) {
    let (key, text, money) = match project.kind {
        Kind::Sqlite => ("integer PRIMARY KEY", "text", "integer"),
        Kind::Postgres => ("bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "text", "numeric"),
        Kind::Mariadb | Kind::Mysql => {
            ("bigint AUTO_INCREMENT PRIMARY KEY", "varchar(200)", "decimal(12,2)")
        }
    };
    project.write(
        "0001_customers.sql",
        format!(
            "-- Who buys.\nCREATE TABLE customers (id {key}, email {text} NOT NULL, fax {text});\n\
             INSERT INTO customers (email, fax) VALUES ('mina@shop.example', '1'), \
             ('joon@shop.example', NULL);\n"
        ),
    );
    project.write(
        "0002_orders.sql",
        format!(
            "CREATE TABLE orders (id {key}, customer bigint NOT NULL, total {money} DEFAULT 0);\n\
             CREATE INDEX orders_customer ON orders (customer);\n\
             INSERT INTO orders (customer, total) VALUES (1, 10), (2, 20);\n"
        ),
    );
    let concurrently = if project.kind == Kind::Postgres { "CONCURRENTLY " } else { "" };
    project.write(
        "0003_email.sql",
        format!("CREATE UNIQUE INDEX {concurrently}customers_email ON customers (email);\n"),
    );
    project.write(
        "0004_rename.sql",
        "ALTER TABLE orders RENAME COLUMN customer TO customer_id;\n\
         CREATE VIEW order_totals AS SELECT customer_id, sum(total) AS total FROM orders \
         GROUP BY customer_id;\n",
    );
    project.write("0005_no_fax.sql", "ALTER TABLE customers DROP COLUMN fax;\n");
}
