//! Several runs at once, sessions in the way, signals.

use crate::support::{ALL, Answer, Kind, Project, mysql, shop, signal};

#[test]
fn f03_f04_eight_runs_at_once_apply_everything_once() {
    for kind in ALL {
        let project = Project::new(kind);
        shop(&project);
        let runs: Vec<_> = (0..8).map(|_| project.start(&["apply", "--yes"])).collect();
        for run in runs {
            let answer = Answer::of(&run.wait_with_output().unwrap());
            assert_eq!(answer.code, Some(0), "{kind:?}: {}", answer.all());
        }
        let twice: Vec<String> =
            project.history().into_iter().filter(|row| !row.ends_with("|1")).collect();
        assert!(twice.is_empty(), "{kind:?}: {twice:?}");
        project.expect(0, &["status"]).says("5 applied, 0 pending");
    }
}

/// Holds a lock on a table until the run has given up once, then lets go.
#[track_caller]
fn blocked(kind: Kind, hold: &[&str], change: &str) -> Answer {
    let project = Project::new(kind);
    shop(&project);
    project.expect(0, &["apply", "--yes"]);
    project.config("[runner]\nlock_timeout = \"1s\"\n");
    project.write("0006_note.sql", change);
    let mut session = project.session();
    for statement in hold {
        session.execute(statement);
    }
    let run = project.start(&["apply", "--yes"]);
    project.wait_for("SELECT 1 FROM lockwise_journal WHERE event = 'failed'");
    session.execute("ROLLBACK");
    let answer = Answer::of(&run.wait_with_output().unwrap());
    assert_eq!(answer.code, Some(0), "{}", answer.all());
    project.expect(0, &["verify"]);
    answer
}

#[test]
fn f01_postgres_gives_up_in_time_names_the_blocker_and_succeeds_afterwards() {
    let change = "ALTER TABLE orders ADD COLUMN note text;\n";
    let answer = blocked(Kind::Postgres, &["BEGIN", "SELECT * FROM orders"], change);
    answer.says("in the way: session").says("attempt 2").says("applied: 0006");
    answer.says("user lockwise").says("idle in transaction for").says(": SELECT * FROM orders");
}

#[test]
fn f01_f09_mariadb_gives_up_in_time_and_succeeds_afterwards() {
    let change = "ALTER TABLE orders ADD COLUMN note text;\n";
    let hold = ["START TRANSACTION", "SELECT * FROM orders"];
    blocked(Kind::Mariadb, &hold, change).says("attempt 2").says("applied: 0006");
}

#[test]
fn f01_f09_mysql_gives_up_in_time_and_succeeds_afterwards() {
    let Some(kind) = mysql() else { return };
    let change = "ALTER TABLE orders ADD COLUMN note text;\n";
    let hold = ["START TRANSACTION", "SELECT * FROM orders"];
    blocked(kind, &hold, change).says("attempt 2").says("applied: 0006");
}

#[test]
fn f17_sqlite_waits_for_a_writer() {
    let change = "ALTER TABLE orders ADD COLUMN note text;\n";
    let project = Project::new(Kind::Sqlite);
    shop(&project);
    project.expect(0, &["apply", "--yes"]);
    project.write("0006_note.sql", change);
    let mut session = project.session();
    session.execute("BEGIN IMMEDIATE");
    let run = project.start(&["apply", "--yes"]);
    session.execute("INSERT INTO orders (customer_id) VALUES (7)");
    session.execute("COMMIT");
    let answer = Answer::of(&run.wait_with_output().unwrap());
    assert_eq!(answer.code, Some(0), "{}", answer.all());
    assert_eq!(project.query("SELECT count(note), count(*) FROM orders"), ["0|3"]);
}

#[test]
fn the_blocking_budget_ends_the_attempts() {
    let project = Project::new(Kind::Postgres);
    shop(&project);
    project.expect(0, &["apply", "--yes"]);
    project.config("[runner]\nlock_timeout = \"200ms\"\nblocking_budget = \"500ms\"\n");
    project.write("0006_note.sql", "ALTER TABLE orders ADD COLUMN note text;\n");
    let mut session = project.session();
    session.execute("BEGIN");
    session.execute("SELECT * FROM orders");
    let answer = project.expect(3, &["apply", "--yes"]);
    answer.says("gave up at statement 1 of 1").says("hint: nothing is half done");
    session.execute("ROLLBACK");
    project.expect(0, &["apply", "--yes"]).says("applied: 0006");
}

#[test]
fn f02_an_invalid_index_of_ours_is_removed_and_built_again() {
    let project = Project::new(Kind::Postgres);
    project.write("0001_a.sql", "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1), (1);\n");
    project.expect(0, &["apply", "--yes"]);
    project.write("0002_u.sql", "CREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);\n");
    project.expect(3, &["apply", "--yes"]).says("stopped at statement 1 of 1");
    let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    assert_eq!(project.query(invalid), ["0"], "the leftover is gone");
    project.execute(&["DELETE FROM a WHERE ctid IN (SELECT max(ctid) FROM a)"]);
    project.expect(0, &["apply", "--yes"]).says("applied: 0002");
    assert_eq!(project.query(invalid), ["0"]);
}

#[test]
fn f02_an_invalid_index_of_somebody_else_is_left_alone() {
    let project = Project::new(Kind::Postgres);
    project.write("0001_a.sql", "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1), (1);\n");
    project.expect(0, &["apply", "--yes"]);
    let mut session = project.session();
    let made = session.try_query("CREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id)");
    assert!(made.is_none());
    project.execute(&["DELETE FROM a"]);
    project.write("0002_u.sql", "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_id ON a (id);\n");
    let answer = project.expect(1, &["apply", "--yes"]);
    answer.says("a_id is there and invalid").says("nothing was changed");
    let there = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    assert_eq!(project.query(there), ["1"], "it was not ours to drop");
}

/// Statements of PostgreSQL 15 that are errors inside a transaction (25001, measured), each beside
/// a change that belongs into one.
#[test]
fn f20_statements_that_refuse_transactions_are_found() {
    let project = Project::new(Kind::Postgres);
    project.write(
        "0001_a.sql",
        "CREATE TABLE a (id int);\nCREATE TABLE p (id int NOT NULL) PARTITION BY RANGE (id);\n\
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);\n\
         CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);\n\
         CREATE INDEX p_id ON p (id);\nCREATE TYPE mood AS ENUM ('ok');\n",
    );
    project.expect(0, &["apply", "--yes"]);
    let other = format!("lockwise_test_other_{:08x}", fastrand::u32(..));
    let statements = [
        "CREATE INDEX CONCURRENTLY a_id ON a (id)",
        "REINDEX INDEX CONCURRENTLY a_id",
        "REINDEX TABLE CONCURRENTLY a",
        "REINDEX INDEX p_id",
        "REINDEX TABLE p",
        "REINDEX SCHEMA public",
        "DROP INDEX CONCURRENTLY a_id",
        "VACUUM a",
        "VACUUM (ANALYZE, VERBOSE) a",
        "CLUSTER",
        &format!("CREATE DATABASE {other}"),
        "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY",
        "ALTER SYSTEM RESET deadlock_timeout",
        // Not an error by itself, but what is added cannot be used before it is committed.
        "ALTER TYPE mood ADD VALUE 'happy'",
    ];
    for (number, statement) in (2..).zip(statements) {
        let file = format!("{number:04}_one.sql");
        project.write(
            &file,
            format!(
                "ALTER TABLE a ADD COLUMN c{number} int;\n{statement};\n\
                 UPDATE a SET c{number} = 1;\n"
            ),
        );
        // What is about the whole server must not be tried on the one that the tests share.
        let shared = !statement.contains("DATABASE") && !statement.contains("SYSTEM");
        let own = ["apply", "--yes", "--shadow", "auto"];
        let answer = project.run(if shared { &own[..2] } else { &own });
        assert_eq!(answer.code, Some(0), "{statement}: {}", answer.all());
    }
    project.execute(&[&format!("DROP DATABASE {other}")]);
    let last = format!("{:04}_use.sql", statements.len() + 2);
    project.write(&last, "CREATE TABLE m (m mood DEFAULT 'happy');\nDISCARD TEMP;\n");
    project.expect(0, &["apply", "--yes"]);
    project.expect(0, &["verify"]);
    project.write("9999_all.sql", "DISCARD ALL;\n");
    project.expect(2, &["apply", "--yes"]).says("gives back the migration lock");
}

#[test]
fn f20_a_value_added_to_an_enum_is_not_used_in_its_own_transaction() {
    let project = Project::new(Kind::Postgres);
    project.write(
        "0001_m.sql",
        "CREATE TYPE mood AS ENUM ('ok');\nCREATE TABLE a (m mood);\nINSERT INTO a VALUES ('ok');\n",
    );
    project.expect(0, &["apply", "--yes"]);
    project.write("0002_m.sql", "ALTER TYPE mood ADD VALUE 'happy';\nUPDATE a SET m = 'happy';\n");
    // Refused by the dry run, with the server's words, before anything is touched.
    let answer = project.expect(1, &["apply", "--yes"]);
    answer.says("unsafe use of new value").says("nothing was changed");
    assert_eq!(project.query("SELECT count(*) FROM pg_enum"), ["1"]);
    project.write("0002_m.sql", "ALTER TYPE mood ADD VALUE 'happy';\n");
    project.write("0003_m.sql", "UPDATE a SET m = 'happy';\n");
    project.expect(0, &["apply", "--yes"]).says("applied: 0002, 0003");
}

/// Asks a run to end while its statement waits for a lock.
#[cfg(unix)]
#[track_caller]
fn asked_to_end(kind: Kind, name: &str) {
    let project = Project::new(kind);
    shop(&project);
    project.expect(0, &["apply", "--yes"]);
    project.config("[runner]\nlock_timeout = \"30s\"\n");
    project.write("0006_note.sql", "ALTER TABLE orders ADD COLUMN note varchar(9);\n");
    if kind == Kind::Sqlite {
        // In WAL mode readers see the journal while somebody writes.
        project.query("PRAGMA journal_mode = WAL");
    }
    let mut session = project.session();
    session.execute(if kind == Kind::Sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" });
    session.execute("SELECT * FROM orders");
    let run = project.start(&["apply", "--yes"]);
    match kind {
        Kind::Postgres => project.wait_for(
            "SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted \
             AND a.application_name LIKE 'lockwise/%' AND a.datname = current_database()",
        ),
        Kind::Mariadb | Kind::Mysql => project.wait_for(
            "SELECT 1 FROM information_schema.processlist WHERE db = database() \
             AND state LIKE 'Waiting for table metadata lock%'",
        ),
        // The file beside the database says that the run has begun.
        Kind::Sqlite => {
            let lock = project.path().join("shop.db-lockwise_journal.lock");
            let started = std::time::Instant::now();
            while !lock.exists() {
                assert!(started.elapsed().as_secs() < 60, "the run does not begin");
                std::thread::yield_now();
            }
        }
    }
    let answer = signal(run, name);
    assert_eq!(answer.code, Some(3), "{kind:?} {name}: {}", answer.all());
    if kind != Kind::Sqlite {
        answer.says("interrupted").says("run `lockwise apply` again");
    }
    session.execute("ROLLBACK");
    let columns = project.query("SELECT * FROM orders LIMIT 1").concat().split('|').count();
    assert_eq!(columns, 3, "{kind:?}: the column is not there");
    project.run(&["status"]).says("5 applied, 1 pending");
    project.expect(0, &["apply", "--yes"]).says("applied: 0006");
    project.expect(0, &["verify"]);
}

#[cfg(unix)]
#[test]
fn f19_a_signal_leaves_a_known_state() {
    for kind in ALL {
        for name in ["INT", "TERM"] {
            asked_to_end(kind, name);
        }
    }
}

#[test]
fn f01_what_a_rule_names_is_ended_and_nothing_else() {
    let project = Project::new(Kind::Postgres);
    shop(&project);
    project.expect(0, &["apply", "--yes"]);
    let rule = "[[runner.cancel]]\napplication = \"reporting*\"\nend = \"session\"\n";
    project.config(&format!("[runner]\nlock_timeout = \"1s\"\nretries = 2\n{rule}"));
    project.write("0006_note.sql", "ALTER TABLE orders ADD COLUMN note text;\n");
    let mut session = project.session();
    session.execute("SET application_name = 'shop'");
    session.execute("BEGIN");
    session.execute("SELECT * FROM orders");
    let answer = project.expect(3, &["apply", "--yes"]);
    answer.says("gave up").never_says("ended the session");
    session.execute("SET application_name = 'reporting 7'");
    let answer = project.expect(0, &["apply", "--yes"]);
    answer.says("ended the session of session").says("reporting 7").says("applied: 0006");
    assert!(session.try_query("SELECT 1").is_none(), "the session was ended");
    let noted = "SELECT count(*) FROM lockwise_journal WHERE detail LIKE '%reporting 7%' \
                 AND event = 'run-finished'";
    assert_eq!(project.query(noted), ["1"]);
}

#[test]
fn f17_sqlite_tries_again_where_a_writer_stays_longer() {
    let project = Project::new(Kind::Sqlite);
    shop(&project);
    project.expect(0, &["apply", "--yes"]);
    project.config("[runner]\nlock_timeout = \"200ms\"\n");
    project.write("0006_note.sql", "ALTER TABLE orders ADD COLUMN note text;\n");
    // In WAL mode readers see the journal while somebody writes.
    project.query("PRAGMA journal_mode = WAL");
    let mut session = project.session();
    session.execute("BEGIN IMMEDIATE");
    let answer = project.expect(3, &["apply", "--yes"]);
    answer.says("database is locked");
    session.execute("COMMIT");
    project.expect(0, &["apply", "--yes"]).says("applied: 0006");
}

#[test]
fn f16_statements_run_in_the_order_of_the_file() {
    let project = Project::new(Kind::Postgres);
    project.write("0001_a.sql", "CREATE TABLE a (id int NOT NULL);\n");
    project.write(
        "0002_key.sql",
        "CREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);\n\
         ALTER TABLE a ADD CONSTRAINT a_key PRIMARY KEY USING INDEX a_id;\n\
         CREATE INDEX CONCURRENTLY a_other ON a ((id + 1));\n",
    );
    project.expect(0, &["apply", "--yes"]).says("applied: 0001, 0002");
    assert_eq!(
        project.query("SELECT conname FROM pg_constraint WHERE conname = 'a_key'"),
        ["a_key"]
    );
}

#[test]
fn f14_the_order_is_that_of_the_journal_whatever_its_clock_says() {
    for kind in ALL {
        let project = Project::new(kind);
        shop(&project);
        project.expect(0, &["apply", "--yes"]);
        project.execute(&["UPDATE lockwise_journal SET at = '2031-01-01 00:00:00' \
             WHERE version = '0002'"]);
        project.expect(0, &["status"]).says("5 applied, 0 pending");
        project.expect(0, &["rollback", "--steps", "1", "--yes"]).says("rolled back: 0005");
        project.expect(0, &["apply", "--yes"]).says("applied: 0005");
    }
}

#[test]
fn a_long_build_says_how_far_it_is() {
    let project = Project::new(Kind::Postgres);
    project.write(
        "0001_a.sql",
        "CREATE TABLE a (id int);\nINSERT INTO a SELECT generate_series(1, 300);\n\
         CREATE FUNCTION slow(id int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS \
         'BEGIN PERFORM pg_sleep(0.01); RETURN id; END';\n",
    );
    project.expect(0, &["apply", "--yes"]);
    project.write("0002_i.sql", "CREATE INDEX a_slow ON a (slow(id));\n");
    let answer = project.expect(0, &["apply", "--yes"]);
    answer.says("building index: scanning table").says("applied: 0002");
}
