//! Several runs at once, sessions in the way, signals.

use std::process::Command;

use crate::support::{ALL, Answer, Kind, Project, shop};

#[test]
fn f3_f4_eight_runs_at_once_apply_everything_once() {
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
fn f1_postgres_gives_up_in_time_names_the_blocker_and_succeeds_afterwards() {
    let change = "ALTER TABLE orders ADD COLUMN note text;\n";
    let answer = blocked(Kind::Postgres, &["BEGIN", "SELECT * FROM orders"], change);
    answer.says("in the way: session").says("attempt 2").says("applied: 0006");
}

#[test]
fn f1_f9_mariadb_gives_up_in_time_and_succeeds_afterwards() {
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
fn f2_an_invalid_index_of_ours_is_removed_and_built_again() {
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
fn f2_an_invalid_index_of_somebody_else_is_left_alone() {
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
    let kill = Command::new("kill").args(["-TERM", &run.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let answer = Answer::of(&run.wait_with_output().unwrap());
    assert_eq!(answer.code, Some(3), "{}", answer.all());
    answer.says("interrupted").says("run `lockwise apply` again");
    session.execute("ROLLBACK");
    project.expect(0, &["apply", "--yes"]).says("applied: 0006");
}
