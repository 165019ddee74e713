//! An application that goes on while a migration waits for a table.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Answer, Kind, Project, Session, mysql, shop};

/// How long a session holds the table.
const HELD: Duration = Duration::from_secs(20);
/// How long a migration may make others wait.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);
/// What a waiting statement may take besides.
const GRACE: Duration = Duration::from_millis(300);

/// Runs statements on threads of their own until told to stop; each returns its slowest one.
fn clients(
    sessions: Vec<Session>,
    statements: &'static [&'static str],
    end: &Arc<AtomicBool>,
) -> Vec<std::thread::JoinHandle<Duration>> {
    let client = |(number, mut session): (usize, Session)| {
        let end = Arc::clone(end);
        std::thread::spawn(move || {
            let mut slowest = Duration::ZERO;
            for statement in statements.iter().cycle().skip(number) {
                let started = Instant::now();
                session.query(statement);
                slowest = slowest.max(started.elapsed());
                if end.load(Ordering::SeqCst) {
                    break;
                }
            }
            slowest
        })
    };
    sessions.into_iter().enumerate().map(client).collect()
}

/// Adds a column to a table that one session holds and eight clients use.
#[track_caller]
fn nobody_waits_long(kind: Kind) {
    let project = Project::new(kind);
    shop(&project);
    project.expect(0, &["apply", "--yes"]);
    project.config("[runner]\nlock_timeout = \"1s\"\nblocking_budget = \"60s\"\n");
    project.write("0006_note.sql", "ALTER TABLE orders ADD COLUMN note varchar(9);\n");
    let end = Arc::new(AtomicBool::new(false));
    let statements: &[&str] = &[
        "SELECT count(*) FROM orders",
        "INSERT INTO orders (customer_id, total) VALUES (1, 1)",
        "UPDATE orders SET total = total + 1 WHERE id = 1",
        "SELECT total FROM orders WHERE id = 2",
    ];
    let sessions = (0..8).map(|_| project.session()).collect();
    // What a machine under load adds to any statement shows in one that needs no table.
    let control = clients(vec![project.session()], &["SELECT 1"], &end);
    let users = clients(sessions, statements, &end);
    let mut holder = project.session();
    holder.execute("BEGIN");
    holder.execute("SELECT * FROM orders");
    let since = Instant::now();
    let run = project.start(&["apply", "--yes"]);
    let held = "SELECT 1 FROM lockwise_journal WHERE event = 'failed'";
    project.wait_for(held);
    std::thread::park_timeout(HELD.saturating_sub(since.elapsed()));
    holder.execute("ROLLBACK");
    let answer = Answer::of(&run.wait_with_output().unwrap());
    end.store(true, Ordering::SeqCst);
    let slowest = |list: Vec<std::thread::JoinHandle<Duration>>| {
        list.into_iter().map(|client| client.join().unwrap()).max().unwrap_or_default()
    };
    let (waited, noise) = (slowest(users), slowest(control));
    assert_eq!(answer.code, Some(0), "{}", answer.all());
    assert!(since.elapsed() >= HELD, "the table was held");
    let limit = LOCK_TIMEOUT + GRACE + noise;
    assert!(waited <= limit, "{kind:?}: a client waited {waited:?}, more than {limit:?}");
    answer.says("in the way: session").says("attempt 2").says("applied: 0006");
    project.expect(0, &["verify"]);
}

#[test]
fn f01_postgres_clients_wait_no_longer_than_the_lock_timeout() {
    nobody_waits_long(Kind::Postgres);
}

#[test]
fn f01_f09_mysql_clients_wait_no_longer_than_the_lock_timeout() {
    if let Some(kind) = mysql() {
        nobody_waits_long(kind);
    }
}

#[test]
fn f01_f09_mariadb_clients_wait_no_longer_than_the_lock_timeout() {
    nobody_waits_long(Kind::Mariadb);
}
