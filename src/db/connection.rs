//! One dedicated session on a database.
//!
//! Never a pool: the migration lock, the settings and the transaction live on the session that runs
//! the DDL.

use std::time::Duration;

use super::driver::{self, Driver, SqliteOpening};
use super::error::{Attempt as _, Error, ErrorKind, ServerError};
use super::rows::Rows;
use super::session::{self, PoolerSign, Timeouts};
use super::target::{Place, Target};
use crate::sql::{Server, ServerKind, ServerVersion};

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing but reading; the server itself refuses the rest.
    ReadOnly,
    /// Everything its login may.
    ReadWrite,
}

/// What to do about a SQLite file that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingFile {
    /// It is an error.
    Refuse,
    /// Create it.
    Create,
    /// Use an empty database in memory instead, so that nothing is created.
    Empty,
}

/// How a session is opened.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// The name that the server shows to others: `lockwise/<run>`.
    pub application_name: String,
    /// What it may do.
    pub access: Access,
    /// How long to try.
    pub connect_timeout_ms: u64,
    /// What to do about a SQLite file that does not exist.
    pub missing_file: MissingFile,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            application_name: "lockwise".to_owned(),
            access: Access::ReadWrite,
            connect_timeout_ms: 10_000,
            missing_file: MissingFile::Refuse,
        }
    }
}

/// Whether a transaction is open, as far as [`Connection::begin`] and its kin were used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    Open,
    /// PostgreSQL refuses everything until it is rolled back.
    Failed,
}

/// One session on a database.
#[derive(Debug)]
pub struct Connection {
    driver: Driver,
    target: Target,
    server: Server,
    server_text: String,
    database: String,
    backend: u64,
    access: Access,
    transaction: Transaction,
    /// What goes ahead of the next statement in one message with it.
    opening: Option<String>,
    /// The limits in force, as far as they are known.
    limits: Option<Timeouts>,
    /// What showed already that a pooler is in the path.
    pooler: Option<PoolerSign>,
    /// The session does not refuse writes as it should: each query says so itself.
    guarded: bool,
}

impl Connection {
    /// Opens a session and sets it up.
    pub async fn open(target: &Target, options: &ConnectOptions) -> Result<Self, Error> {
        let limit = Duration::from_millis(options.connect_timeout_ms);
        let opened = tokio::time::timeout(limit, Self::open_unlimited(target, options)).await;
        let late = || {
            let seconds = limit.as_secs_f32();
            let message = format!("no answer within {seconds} seconds");
            Err(ServerError::local(ErrorKind::Unreachable, message))
        };
        let connection = opened.unwrap_or_else(|_| late());
        connection
            .map_err(|cause| Error::Connect { target: target.to_string(), cause: Box::new(cause) })
    }

    /// Opens a session without a limit of time.
    async fn open_unlimited(
        target: &Target,
        options: &ConnectOptions,
    ) -> Result<Self, ServerError> {
        let read_only = options.access == Access::ReadOnly;
        let mut pooler = None;
        let mut driver = match &target.place {
            Place::Postgres(network) => {
                let name = &options.application_name;
                let (driver, sign) = session::open_postgres(network, name, read_only).await?;
                pooler = sign;
                driver
            }
            Place::Mysql(network) => driver::open_mysql(network).await?,
            Place::SqliteFile(path) => {
                let missing = !path.exists();
                let create = missing && options.missing_file == MissingFile::Create && !read_only;
                let empty = missing && options.missing_file == MissingFile::Empty;
                if missing && !create && !empty {
                    let message = format!("no file {}", path.display());
                    return Err(ServerError::local(ErrorKind::MissingDatabase, message));
                }
                let path = (!empty).then_some(path.as_path());
                driver::open_sqlite(SqliteOpening { path, read_only, create }).await?
            }
            Place::SqliteMemory => {
                driver::open_sqlite(SqliteOpening { path: None, read_only: false, create: false })
                    .await?
            }
        };
        let identity = identify(&mut driver).await?;
        let Identity { server, server_text, database, backend, refuses_writes } = identity;
        let guarded = read_only && server.kind == ServerKind::Postgres && !refuses_writes;
        if guarded && pooler.is_none() {
            pooler = Some(PoolerSign { seen: "settings of a new session are ignored".to_owned() });
        }
        let setup = session::setup(server.kind, read_only);
        for (needed, sql) in setup {
            let done = driver.execute(&sql).await;
            if needed {
                done?;
            }
        }
        let (target, access) = (target.clone(), options.access);
        let (transaction, opening, limits) = (Transaction::None, None, None);
        Ok(Self {
            driver,
            target,
            server,
            server_text,
            database,
            backend,
            access,
            transaction,
            opening,
            limits,
            pooler,
            guarded,
        })
    }

    /// Returns what showed that a pooler is in the path, if opening the session showed it.
    pub const fn pooler_sign(&self) -> Option<&PoolerSign> {
        self.pooler.as_ref()
    }

    /// Asks for the server process anew: behind a pooler each transaction may have another one.
    pub async fn ask_backend(&mut self) -> Result<(), ServerError> {
        let rows = self.query("SELECT pg_backend_pid()").await?;
        self.backend = rows.first().map_or(0, |row| row.count(0));
        Ok(())
    }

    /// Returns the database this session was opened on.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Returns the kind and version that the server says it is.
    pub const fn server(&self) -> Server {
        self.server
    }

    /// Returns the server's own version text.
    pub fn server_text(&self) -> &str {
        &self.server_text
    }

    /// Returns the name of the database in use; `main` on SQLite, empty where none is chosen.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Returns the number of this session on its server; zero on SQLite.
    pub const fn backend_id(&self) -> u64 {
        self.backend
    }

    /// Returns what this session may do.
    pub const fn access(&self) -> Access {
        self.access
    }

    /// Says whether [`Self::begin`] opened a transaction that is not ended.
    pub fn in_transaction(&self) -> bool {
        self.transaction != Transaction::None
    }

    /// Sends one statement and returns how many rows it says to have touched.
    ///
    /// Exactly one statement: several in one message are one transaction on PostgreSQL, whose
    /// outcome cannot be found out after a crash.
    pub async fn execute(&mut self, sql: &str) -> Result<u64, ServerError> {
        let done = match self.opening.take() {
            Some(opening) => self.driver.execute(&format!("{opening}; {sql}")).await,
            None => self.driver.execute(sql).await,
        };
        self.note_failure(done)
    }

    /// Sends one query and returns its rows.
    pub async fn query(&mut self, sql: &str) -> Result<Rows, ServerError> {
        if let Some(opening) = self.opening.take() {
            self.driver.execute(&opening).await?;
        }
        if self.guarded && self.transaction == Transaction::None {
            self.driver.execute("BEGIN READ ONLY").await?;
            let rows = self.driver.query(sql).await;
            let ended = self.driver.execute("ROLLBACK").await;
            return rows.and_then(|rows| ended.map(|_| rows));
        }
        let rows = self.driver.query(sql).await;
        self.note_failure(rows)
    }

    /// Makes sure that what the server says is committed stays so after a crash: for the open
    /// transaction alone, or for the session where none is open.
    pub async fn keep_commits(&mut self) {
        if self.server.kind == ServerKind::Postgres {
            let local = self.transaction == Transaction::Open;
            // What is lost all the same is found out when it connects again.
            let _ = self.driver.execute(&session::durable(local)).await;
        }
    }

    /// Sends one query for a purpose, which an error names.
    pub async fn ask(&mut self, sql: &str, attempt: &str) -> Result<Rows, Error> {
        self.query(sql).await.attempt(attempt)
    }

    /// Remembers that PostgreSQL turned the open transaction into one that can only roll back.
    fn note_failure<T>(&mut self, result: Result<T, ServerError>) -> Result<T, ServerError> {
        let open = self.transaction == Transaction::Open;
        if result.is_err() && open && self.server.kind == ServerKind::Postgres {
            self.transaction = Transaction::Failed;
        }
        result
    }

    /// Begins a transaction; on SQLite it takes the write lock at once.
    ///
    /// SQLite's plain `BEGIN` takes the lock at the first write, where `busy_timeout` is not
    /// honoured once another session has written in between (measured on 3.40).
    pub async fn begin(&mut self) -> Result<(), ServerError> {
        self.begin_message(self.begin_words()).await
    }

    const fn begin_words(&self) -> &'static str {
        match self.server.kind {
            ServerKind::Postgres => "BEGIN",
            ServerKind::Mysql | ServerKind::Mariadb => "START TRANSACTION",
            ServerKind::Sqlite => "BEGIN IMMEDIATE",
        }
    }

    async fn begin_message(&mut self, sql: &str) -> Result<(), ServerError> {
        self.driver.execute(sql).await?;
        self.transaction = Transaction::Open;
        Ok(())
    }

    /// Begins a transaction whose statements have these limits, after a setting that has to be made
    /// outside; in one message where the server takes several: nothing can be committed by it.
    pub async fn begin_with(
        &mut self,
        timeouts: Timeouts,
        before: Option<&str>,
    ) -> Result<(), ServerError> {
        if self.server.kind == ServerKind::Postgres {
            let set = session::timeouts(self.server.kind, timeouts, true).join("; ");
            self.begin_message(&format!("{}; {set}", self.begin_words())).await?;
        } else {
            self.set_timeouts(timeouts).await?;
            self.begin_after(before).await?;
        }
        self.limits = Some(timeouts);
        Ok(())
    }

    /// Begins a transaction after a setting that has to be made outside.
    ///
    /// On SQLite, where each message is handed to another thread and back, that message is the one
    /// of the first statement: what may go wrong at BEGIN is told then.
    pub async fn begin_after(&mut self, before: Option<&str>) -> Result<(), ServerError> {
        let words: Vec<&str> = before.into_iter().chain([self.begin_words()]).collect();
        let message = words.join("; ");
        if self.server.kind != ServerKind::Sqlite {
            return self.begin_message(&message).await;
        }
        self.opening = Some(message);
        self.transaction = Transaction::Open;
        Ok(())
    }

    /// Commits. A transaction that failed on PostgreSQL is an error here: the server itself would
    /// roll it back and call that a success.
    pub async fn commit(&mut self) -> Result<(), ServerError> {
        if self.transaction == Transaction::Failed {
            self.rollback().await?;
            let message = "the transaction had failed and was rolled back";
            return Err(ServerError::local(ErrorKind::Other, message));
        }
        let done = self.execute("COMMIT").await;
        // A COMMIT that is refused, by a deferred constraint, has rolled back on PostgreSQL.
        self.transaction = Transaction::None;
        self.forget_local_limits();
        done.map(|_| ())
    }

    /// Sends a last statement and COMMIT in one message, which PostgreSQL and SQLite take. When the
    /// statement fails, COMMIT is not run; when no answer comes, nobody knows.
    pub async fn commit_with(&mut self, last: &str) -> Result<(), ServerError> {
        let done = self.execute(&format!("{last}; COMMIT")).await;
        if done.is_ok() {
            self.transaction = Transaction::None;
        }
        self.forget_local_limits();
        done.map(|_| ())
    }

    /// Rolls back.
    pub async fn rollback(&mut self) -> Result<(), ServerError> {
        self.transaction = Transaction::None;
        self.forget_local_limits();
        if self.opening.take().is_some() {
            return Ok(());
        }
        self.driver.execute("ROLLBACK").await.map(|_| ())
    }

    /// The end of a transaction of PostgreSQL takes its limits with it.
    fn forget_local_limits(&mut self) {
        if self.server.kind == ServerKind::Postgres {
            self.limits = None;
        }
    }

    /// Makes sure that the limits are set anew: a statement may have changed them.
    pub const fn forget_limits(&mut self) {
        self.limits = None;
    }

    /// Sets the time limits of the session, or of the open transaction on PostgreSQL, where they
    /// are not in force already.
    pub async fn set_timeouts(&mut self, timeouts: Timeouts) -> Result<(), ServerError> {
        if self.limits == Some(timeouts) {
            return Ok(());
        }
        let local = self.transaction == Transaction::Open;
        for sql in session::timeouts(self.server.kind, timeouts, local) {
            self.execute(&sql).await?;
        }
        self.limits = Some(timeouts);
        Ok(())
    }

    /// Asks the server to stop the statement that another session runs; the session itself stays.
    ///
    /// Returns whether there was such a session. SQLite knows no other sessions.
    pub async fn cancel(&mut self, backend: u64) -> Result<bool, ServerError> {
        let sql = match self.server.kind {
            ServerKind::Postgres => format!("SELECT pg_cancel_backend({backend})"),
            ServerKind::Mysql | ServerKind::Mariadb => format!("KILL QUERY {backend}"),
            ServerKind::Sqlite => return Ok(false),
        };
        self.signal(&sql).await
    }

    /// Asks the server to end another session.
    ///
    /// Returns whether there was such a session. SQLite knows no other sessions.
    pub async fn terminate(&mut self, backend: u64) -> Result<bool, ServerError> {
        let sql = match self.server.kind {
            ServerKind::Postgres => format!("SELECT pg_terminate_backend({backend})"),
            ServerKind::Mysql | ServerKind::Mariadb => format!("KILL CONNECTION {backend}"),
            ServerKind::Sqlite => return Ok(false),
        };
        self.signal(&sql).await
    }

    /// Sends a signal to another session; one that is gone is no error.
    async fn signal(&mut self, sql: &str) -> Result<bool, ServerError> {
        if self.server.kind == ServerKind::Postgres {
            let rows = self.query(sql).await?;
            return Ok(rows.first().is_some_and(|row| row.flag(0)));
        }
        match self.execute(sql).await {
            Ok(_) => Ok(true),
            // ER_NO_SUCH_THREAD on MySQL and MariaDB.
            Err(error) if error.code.as_deref() == Some("1094") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Runs a script of statements that were split before, and stops at the first error.
    pub async fn execute_all<'a>(
        &mut self,
        statements: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), ServerError> {
        for sql in statements {
            self.execute(sql).await?;
        }
        Ok(())
    }

    /// Ends the session and waits until the server has seen it.
    pub async fn close(self) -> Result<(), Error> {
        self.driver.close().await.attempt("cannot close the session")
    }
}

/// What a server says about itself and this session.
struct Identity {
    server: Server,
    server_text: String,
    database: String,
    backend: u64,
    /// PostgreSQL: transactions are read-only unless they say otherwise.
    refuses_writes: bool,
}

/// Asks the server who it is.
async fn identify(driver: &mut Driver) -> Result<Identity, ServerError> {
    let sql = match driver {
        Driver::Postgres(_) => {
            "SELECT current_setting('server_version'), current_database(), pg_backend_pid(), \
             current_setting('default_transaction_read_only')"
        }
        Driver::Mysql(_) => "SELECT version(), database(), connection_id()",
        Driver::Sqlite(_) => "SELECT sqlite_version(), 'main', 0",
    };
    let rows = driver.query(sql).await?;
    let row = rows.first().cloned().unwrap_or_default();
    let server_text = row.text(0).to_owned();
    let kind = match driver {
        Driver::Postgres(_) => ServerKind::Postgres,
        Driver::Mysql(_) if server_text.to_ascii_lowercase().contains("mariadb") => {
            ServerKind::Mariadb
        }
        Driver::Mysql(_) => ServerKind::Mysql,
        Driver::Sqlite(_) => ServerKind::Sqlite,
    };
    let version = server_text.parse::<ServerVersion>();
    let version = version.map_err(|e| ServerError::local(ErrorKind::Other, e.to_string()))?;
    let server = Server { kind, version };
    let database = row.text(1).to_owned();
    let (backend, refuses_writes) = (row.count(2), row.flag(3));
    Ok(Identity { server, server_text, database, backend, refuses_writes })
}
