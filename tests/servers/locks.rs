//! Several runs at once, sessions in the way, signals.

use crate::support::{ALL, Answer, Kind, Project, shop, signal};

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

#[test]
fn f20_statements_that_refuse_transactions_are_found() {
    let project = Project::new(Kind::Postgres);
    project.write(
        "0001_a.sql",
        "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY a_id ON a (id);\nVACUUM a;\n\
         REINDEX INDEX CONCURRENTLY a_id;\nALTER TABLE a ADD COLUMN b int;\n\
         DROP INDEX CONCURRENTLY a_id;\n",
    );
    project.expect(0, &["apply", "--yes"]).says("applied: 0001");
    project.expect(0, &["verify"]);
}

#[cfg(unix)]
#[test]
fn f19_a_signal_leaves_a_known_state() {
    let project = Project::new(Kind::Postgres);
    shop(&project);
    project.expect(0, &["apply", "--yes"]);
    project.config("[runner]\nlock_timeout = \"30s\"\n");
    project.write("0006_note.sql", "ALTER TABLE orders ADD COLUMN note text;\n");
    let mut session = project.session();
    session.execute("BEGIN");
    session.execute("SELECT * FROM orders");
    let run = project.start(&["apply", "--yes"]);
    project.wait_for(
        "SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted \
         AND a.application_name LIKE 'lockwise/%' AND a.datname = current_database()",
    );
    let answer = signal(run, "TERM");
    assert_eq!(answer.code, Some(3), "{}", answer.all());
    answer.says("interrupted").says("run `lockwise apply` again");
    session.execute("ROLLBACK");
    project.expect(0, &["apply", "--yes"]).says("applied: 0006");
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
fn f10_f11_a_plan_looks_at_replication_and_wraparound_vacuum() {
    let project = Project::new(Kind::Postgres);
    shop(&project);
    let answer = project.expect(0, &["plan"]);
    answer.says("wraparound vacuum:").says("replication lag:").says("replication slots:");
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
