//! What PostgreSQL leaves behind when something concurrent is stopped: ours goes, others' stays.

use crate::support::{Answer, Kind, Project, signal};

const INVALID: &str = "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
                       WHERE NOT i.indisvalid ORDER BY 1";

/// Returns a project with a table, a valid index, and an invalid one that is not ours.
fn with_foreign_leftover() -> Project {
    let project = Project::new(Kind::Postgres);
    project.write(
        "0001_a.sql",
        "CREATE TABLE a (id int, b int);\nINSERT INTO a VALUES (1, 1), (2, 1);\n\
         CREATE INDEX a_id ON a (id);\n",
    );
    project.expect(0, &["apply", "--yes"]);
    let mut session = project.session();
    let made = session.try_query("CREATE UNIQUE INDEX CONCURRENTLY b_ccnew ON a (b)");
    assert!(made.is_none(), "there are duplicates");
    assert_eq!(project.query(INVALID), ["b_ccnew"]);
    project
}

#[cfg(unix)]
#[test]
fn f02_f19_an_interrupted_build_leaves_no_invalid_index() {
    let project = with_foreign_leftover();
    project.write("0002_i.sql", "CREATE INDEX CONCURRENTLY a_b ON a (b);\n");
    let mut session = project.session();
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
    session.execute("SELECT * FROM a");
    let run = project.start(&["apply", "--yes"]);
    project.wait_for(&waiting("CREATE INDEX"));
    let kill = std::process::Command::new("kill").args(["-INT", &run.id().to_string()]).status();
    assert!(kill.unwrap().success());
    project.wait_for(
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'DROP INDEX CONCURRENTLY%' \
         AND datname = current_database() AND application_name LIKE 'lockwise/%'",
    );
    session.execute("COMMIT");
    let answer = Answer::of(&run.wait_with_output().unwrap());
    assert_eq!(answer.code, Some(3), "{}", answer.all());
    answer.says("interrupted");
    assert_eq!(project.query(INVALID), ["b_ccnew"]);
    project.expect(0, &["apply", "--yes"]).says("applied: 0002");
    assert_eq!(project.query(INVALID), ["b_ccnew"], "it was not ours to drop");
}

#[cfg(unix)]
#[test]
fn f02_an_interrupted_reindex_leaves_none_of_its_own() {
    let project = with_foreign_leftover();
    project.write("0002_r.sql", "REINDEX INDEX CONCURRENTLY a_id;\n");
    let mut session = project.session();
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
    session.execute("SELECT * FROM a");
    let run = project.start(&["apply", "--yes"]);
    project.wait_for(&waiting("REINDEX"));
    let answer = signal(run, "TERM");
    assert_eq!(answer.code, Some(3), "{}", answer.all());
    session.execute("COMMIT");
    project.expect(0, &["apply", "--yes"]).says("applied: 0002");
    assert_eq!(project.query(INVALID), ["b_ccnew"], "ours is gone, the other one is not ours");
}

#[test]
fn f02_a_killed_reindex_leaves_none_of_its_own() {
    let project = with_foreign_leftover();
    project.write("0002_r.sql", "REINDEX INDEX CONCURRENTLY a_id;\n");
    let mut session = project.session();
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
    session.execute("SELECT * FROM a");
    project.kill_when(&["apply", "--yes"], &waiting("REINDEX"));
    session.execute("COMMIT");
    project.expect(0, &["apply", "--yes"]).says("applied: 0002");
    assert_eq!(project.query(INVALID), ["b_ccnew"]);
}

#[test]
fn f02_a_partition_that_is_half_detached_is_detached() {
    let project = Project::new(Kind::Postgres);
    project.write(
        "0001_p.sql",
        "CREATE TABLE p (id int NOT NULL) PARTITION BY RANGE (id);\n\
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);\n\
         CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);\n\
         INSERT INTO p VALUES (1), (11);\n",
    );
    project.expect(0, &["apply", "--yes"]);
    project.write("0002_d.sql", "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;\n");
    let mut session = project.session();
    session.execute("BEGIN");
    session.execute("SELECT * FROM p");
    project.kill_when(&["apply", "--yes"], "SELECT 1 FROM pg_inherits WHERE inhdetachpending");
    // The orphan would finish by itself once nobody is in its way.
    let ours = "FROM pg_stat_activity WHERE datname = current_database() \
                AND query LIKE 'ALTER TABLE p DETACH%'";
    project.query(&format!("SELECT pg_terminate_backend(pid) {ours}"));
    project.wait_for(&format!("SELECT 1 WHERE NOT EXISTS (SELECT {ours})"));
    session.execute("COMMIT");
    let answer = project.expect(0, &["apply", "--yes"]);
    answer.says("finished the detaching of the partition").says("applied: 0002");
    let attached = "SELECT inhrelid::regclass::text FROM pg_inherits ORDER BY 1";
    assert_eq!(project.query(attached), ["p2"]);
    assert_eq!(project.query("SELECT count(*) FROM p1"), ["1"], "its rows are in it");
    project.expect(0, &["verify"]);
}

/// Returns the query that is true while a concurrent statement of ours waits for transactions.
fn waiting(command: &str) -> String {
    format!(
        "SELECT 1 FROM pg_stat_progress_create_index WHERE datname = current_database() \
         AND command LIKE '{command}%' AND phase LIKE 'waiting for%'"
    )
}

#[test]
fn f02_a_build_that_waits_too_long_is_given_up_on_purpose_and_tried_again() {
    let project = with_foreign_leftover();
    project.config("[runner]\nbuild_wait = \"1s\"\n");
    project.write("0002_i.sql", "CREATE INDEX CONCURRENTLY a_b ON a (b);\n");
    let mut session = project.session();
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
    session.execute("SELECT * FROM a");
    let run = project.start(&["apply", "--yes"]);
    // What is left of it is removed, which waits for the same transaction.
    project.wait_for(
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'DROP INDEX CONCURRENTLY%' \
         AND datname = current_database() AND application_name LIKE 'lockwise/%'",
    );
    session.execute("COMMIT");
    let answer = Answer::of(&run.wait_with_output().unwrap());
    assert_eq!(answer.code, Some(0), "{}", answer.all());
    answer.says("in the way: session").says("removed the invalid index");
    answer.says("attempt 2").says("applied: 0002");
    assert_eq!(project.query(INVALID), ["b_ccnew"]);
}

#[test]
fn f02_if_not_exists_over_an_invalid_index_of_ours_is_no_success() {
    let project = with_foreign_leftover();
    project.write("0002_i.sql", "CREATE INDEX CONCURRENTLY IF NOT EXISTS a_b ON a (b);\n");
    let mut session = project.session();
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
    session.execute("SELECT * FROM a");
    project.kill_when(&["apply", "--yes"], &waiting("CREATE INDEX"));
    // The orphan would finish by itself once nobody is in its way.
    let ours = "FROM pg_stat_activity WHERE datname = current_database() \
                AND query LIKE 'CREATE INDEX CONCURRENTLY%'";
    project.query(&format!("SELECT pg_terminate_backend(pid) {ours}"));
    project.wait_for(&format!("SELECT 1 WHERE NOT EXISTS (SELECT {ours})"));
    session.execute("COMMIT");
    assert_eq!(project.query(INVALID), ["a_b", "b_ccnew"]);
    let answer = project.expect(0, &["apply", "--yes"]);
    answer.says("removed the invalid index").says("applied: 0002");
    assert_eq!(project.query(INVALID), ["b_ccnew"], "ours is built, the other one is not ours");
    assert_eq!(project.query("SELECT count(*) FROM pg_indexes WHERE indexname = 'a_b'"), ["1"]);
}

#[test]
fn f02_a_view_is_refreshed_concurrently_and_again_after_a_crash() {
    let project = Project::new(Kind::Postgres);
    project.write(
        "0001_v.sql",
        "CREATE TABLE a (id int);\nCREATE MATERIALIZED VIEW v AS SELECT id FROM a;\n\
         CREATE UNIQUE INDEX v_id ON v (id);\n",
    );
    project.expect(0, &["apply", "--yes"]);
    project.execute(&["INSERT INTO a VALUES (1), (2)"]);
    project.write("0002_r.sql", "REFRESH MATERIALIZED VIEW CONCURRENTLY v;\n");
    let mut session = project.session();
    session.execute("BEGIN");
    session.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY v");
    project.kill_when(
        &["apply", "--yes"],
        "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'v'::regclass",
    );
    session.execute("COMMIT");
    project.expect(0, &["apply", "--yes"]).says("applied: 0002");
    assert_eq!(project.query("SELECT count(*) FROM v"), ["2"]);
    let twice: Vec<String> =
        project.history().into_iter().filter(|row| !row.ends_with("|1")).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn f03_a_run_that_waits_does_not_make_a_concurrent_build_a_deadlock_victim() {
    let project = with_foreign_leftover();
    project.write("0002_i.sql", "CREATE INDEX CONCURRENTLY a_b ON a (b);\n");
    let mut session = project.session();
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
    session.execute("SELECT * FROM a");
    let first = project.start(&["apply", "--yes"]);
    project.wait_for(&waiting("CREATE INDEX"));
    let second = project.start(&["apply", "--yes"]);
    project.wait_for(
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory_lock%' \
         AND datname = current_database() AND pid <> pg_backend_pid()",
    );
    // Deadlocks are looked for after a second; whoever waits in the server is a part of one.
    project.wait_for(
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' \
         AND datname = current_database() AND clock_timestamp() - query_start > interval '4 s'",
    );
    let blocked = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    assert_eq!(project.query(blocked), ["0"], "nobody waits for the lock inside the server");
    session.execute("COMMIT");
    let first = Answer::of(&first.wait_with_output().unwrap());
    assert_eq!(first.code, Some(0), "{}", first.all());
    first.says("applied: 0002").never_says("deadlock");
    let second = Answer::of(&second.wait_with_output().unwrap());
    assert_eq!(second.code, Some(0), "{}", second.all());
    // f04: who holds the lock is named, and what it does.
    second.says("waiting for another run: session").says("lockwise/");
    second.says("CREATE INDEX CONCURRENTLY a_b");
    assert_eq!(
        project.query("SELECT count(*) FROM lockwise_journal WHERE event = 'failed'"),
        ["0"]
    );
    assert_eq!(project.query(INVALID), ["b_ccnew"]);
}
