//! Throw-away databases on the test servers.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};

use lockwise::db::{Access, ConnectOptions, Connection, MissingFile, Secrets, Target};
use lockwise::sql::ServerKind;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Runs a future to its end.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(future)
}

/// Returns the admin login of a test server.
pub(crate) fn admin(kind: ServerKind) -> Target {
    let variable = match kind {
        ServerKind::Postgres => "LOCKWISE_TEST_POSTGRES",
        ServerKind::Mysql => "LOCKWISE_TEST_MYSQL",
        ServerKind::Mariadb => "LOCKWISE_TEST_MARIADB",
        ServerKind::Sqlite => panic!("SQLite has no server"),
    };
    let url = std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: start the tests with tests/run"));
    Target::parse(&url, &Secrets::default()).expect("a URL")
}

/// A database of one test.
pub(crate) struct Database {
    pub(crate) kind: ServerKind,
    pub(crate) target: Target,
    name: String,
    folder: Option<tempfile::TempDir>,
}

impl Database {
    /// Makes an empty database.
    pub(crate) async fn new(kind: ServerKind) -> Self {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("lw_test_{}_{count}", std::process::id());
        if kind == ServerKind::Sqlite {
            let folder = tempfile::tempdir().expect("a folder");
            let target = Target::file(folder.path().join("test.db"));
            let options =
                ConnectOptions { missing_file: MissingFile::Create, ..ConnectOptions::default() };
            Connection::open(&target, &options).await.expect("a file").close().await.expect("end");
            return Self { kind, target, name, folder: Some(folder) };
        }
        let admin = admin(kind);
        let mut connection = open(&admin).await;
        connection.execute(&format!("CREATE DATABASE {name}")).await.expect("a database");
        Self { kind, target: admin.with_database(&name), name, folder: None }
    }

    /// Returns its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Opens a session on it.
    pub(crate) async fn connect(&self) -> Connection {
        open(&self.target).await
    }

    /// Opens a session that may only read.
    pub(crate) async fn connect_read_only(&self) -> Connection {
        let options = ConnectOptions { access: Access::ReadOnly, ..ConnectOptions::default() };
        Connection::open(&self.target, &options).await.expect("a session")
    }

    /// Drops it.
    pub(crate) async fn drop(self) {
        if self.folder.is_some() {
            return;
        }
        let mut connection = open(&admin(self.kind)).await;
        let server = connection.server();
        let forced = server.kind == ServerKind::Postgres && server.version.at_least(13, 0, 0);
        let force = if forced { " WITH (FORCE)" } else { "" };
        let sql = format!("DROP DATABASE {}{force}", self.name);
        connection.execute(&sql).await.expect("drop");
    }
}

/// Opens a session with the usual options.
pub(crate) async fn open(target: &Target) -> Connection {
    Connection::open(target, &ConnectOptions::default()).await.expect("a session")
}

/// Runs a test on each kind of server given, in a database of its own.
pub(crate) fn on_each<F>(kinds: &[ServerKind], test: impl Fn(std::sync::Arc<Database>) -> F)
where
    F: Future<Output = ()>,
{
    for kind in kinds {
        run(async {
            let database = std::sync::Arc::new(Database::new(*kind).await);
            test(database.clone()).await;
            if let Ok(database) = std::sync::Arc::try_unwrap(database).map_err(|_| ()) {
                database.drop().await;
            }
        });
    }
}

/// The servers that are there in every test run.
pub(crate) const ALL: &[ServerKind] =
    &[ServerKind::Postgres, ServerKind::Mariadb, ServerKind::Sqlite];
