//! Sessions: who the server is, one statement at a time, errors by kind.

use lockwise::db::{ConnectOptions, Connection, ErrorKind, Secrets, Target, Timeouts};
use lockwise::sql::ServerKind;

use crate::support::{ALL, admin, on_each, run};

#[test]
fn the_server_says_who_it_is() {
    on_each(ALL, async |database| {
        let connection = database.connect().await;
        assert_eq!(connection.server().kind, database.kind);
        assert!(connection.server().version.major >= 3);
    });
}

#[test]
fn cells_come_as_text_and_null_as_none() {
    on_each(ALL, async |database| {
        let mut connection = database.connect().await;
        let rows = connection.query("SELECT 1, 'ä', NULL, 1.5").await.expect("rows");
        let row = rows.first().expect("a row");
        assert_eq!(
            row.0.iter().map(Option::as_deref).collect::<Vec<_>>(),
            [Some("1"), Some("ä"), None, Some("1.5")]
        );
    });
}

#[test]
fn ddl_dml_and_errors_by_kind() {
    on_each(ALL, async |database| {
        let mut connection = database.connect().await;
        connection.execute("CREATE TABLE t (id int PRIMARY KEY)").await.expect("ddl");
        let touched = connection.execute("INSERT INTO t VALUES (1), (2)").await.expect("dml");
        assert_eq!(touched, 2);
        let error = connection.execute("INSERT INTO t VALUES (1)").await.expect_err("duplicate");
        assert_eq!(error.kind, ErrorKind::Constraint, "{error:?}");
        let error = connection.execute("CREATE TABEL u (id int)").await.expect_err("syntax");
        assert_eq!(error.kind, ErrorKind::Syntax, "{error:?}");
        assert!(error.was_answered());
        if database.kind == ServerKind::Postgres {
            assert_eq!(error.position, Some(7));
        }
    });
}

#[test]
fn a_read_only_session_writes_nothing() {
    on_each(ALL, async |database| {
        let mut connection = database.connect().await;
        connection.execute("CREATE TABLE t (id int)").await.expect("ddl");
        let mut reader = database.connect_read_only().await;
        for sql in ["INSERT INTO t VALUES (1)", "CREATE TABLE u (id int)"] {
            let error = reader.execute(sql).await.expect_err("read-only");
            assert_eq!(error.kind, ErrorKind::ReadOnly, "{error:?}");
        }
    });
}

#[test]
fn a_lock_timeout_is_told_apart() {
    on_each(ALL, async |database| {
        let mut holder = database.connect().await;
        holder.execute("CREATE TABLE t (id int)").await.expect("ddl");
        holder.begin().await.expect("begin");
        holder.execute("INSERT INTO t VALUES (1)").await.expect("dml");
        let mut waiter = database.connect().await;
        let limits = Timeouts { lock_timeout_ms: 300, statement_timeout_ms: 0 };
        waiter.set_timeouts(limits).await.expect("limits");
        let error = waiter.execute("ALTER TABLE t ADD COLUMN a int").await.expect_err("blocked");
        assert_eq!(error.kind, ErrorKind::LockTimeout, "{error:?}");
        assert!(error.kind.is_transient());
        holder.rollback().await.expect("rollback");
        waiter.execute("ALTER TABLE t ADD COLUMN a int").await.expect("free again");
    });
}

#[test]
fn a_failed_transaction_does_not_commit_as_a_success() {
    on_each(&[ServerKind::Postgres], async |database| {
        let mut connection = database.connect().await;
        connection.begin().await.expect("begin");
        connection.execute("SELECT no_such_column").await.expect_err("fails");
        assert!(connection.commit().await.is_err());
        assert!(!connection.in_transaction());
        connection.execute("SELECT 1").await.expect("usable again");
    });
}

#[test]
fn another_session_can_be_cancelled_or_ended() {
    on_each(&[ServerKind::Postgres, ServerKind::Mariadb], async |database| {
        let mut sleeper = database.connect().await;
        let mut other = database.connect().await;
        let backend = sleeper.backend_id();
        let sleep = match database.kind {
            ServerKind::Postgres => "SELECT pg_sleep(60)",
            _ => "SELECT sum(seq % 7) FROM seq_1_to_100000000000",
        };
        let sleeping = tokio::spawn(async move {
            let cancelled = sleeper.execute(sleep).await;
            (sleeper, cancelled)
        });
        wait_until_running(&mut other, backend).await;
        assert!(other.cancel(backend).await.expect("cancel"));
        let (mut sleeper, cancelled) = sleeping.await.expect("join");
        assert_eq!(cancelled.expect_err("cancelled").kind, ErrorKind::Cancelled);
        sleeper.execute("SELECT 1").await.expect("the session lives on");
        assert!(other.terminate(backend).await.expect("terminate"));
        let error = sleeper.execute("SELECT 1").await.expect_err("gone");
        assert_eq!(error.kind, ErrorKind::ConnectionLost, "{error:?}");
        assert!(!error.was_answered());
        assert!(!other.cancel(999_999).await.expect("nobody there"));
    });
}

/// Waits until a session is busy.
async fn wait_until_running(connection: &mut Connection, backend: u64) {
    let sql = match connection.server().kind {
        ServerKind::Postgres => {
            format!(
                "SELECT count(*) FROM pg_stat_activity WHERE pid = {backend} AND state = 'active'"
            )
        }
        // A KILL QUERY that comes before the rows are read is forgotten when the query begins.
        _ => format!(
            "SELECT count(*) FROM information_schema.processlist \
             WHERE id = {backend} AND state = 'Sending data'"
        ),
    };
    loop {
        let rows = connection.query(&sql).await.expect("activity");
        if rows.scalar() == Some("1") {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[test]
fn what_cannot_be_reached_says_so_without_the_password() {
    let open = |url: &str| {
        let target = Target::parse(url, &Secrets::default()).expect("a URL");
        let options = ConnectOptions { connect_timeout_ms: 3000, ..ConnectOptions::default() };
        run(async { Connection::open(&target, &options).await.expect_err("refused") })
    };
    for url in ["postgres://app:geheim@127.0.0.1:9/d", "mysql://app:geheim@127.0.0.1:9/d"] {
        let error = open(url);
        assert_eq!(error.cause().map(|cause| cause.kind), Some(ErrorKind::Unreachable));
        assert!(!format!("{error} {error:?}").contains("geheim"));
    }
    let error = open("sqlite:/nowhere/at/all.db");
    assert_eq!(error.cause().map(|cause| cause.kind), Some(ErrorKind::MissingDatabase));
    for kind in [ServerKind::Postgres, ServerKind::Mariadb] {
        let missing = admin(kind).with_database("no_such_database");
        let error = run(async {
            Connection::open(&missing, &ConnectOptions::default()).await.expect_err("missing")
        });
        assert_eq!(error.cause().map(|cause| cause.kind), Some(ErrorKind::MissingDatabase));
    }
}
