//! The wire is cut, the process is killed while the server works: the next look settles it.

use crate::proxy::{CUTS, Proxy};
use crate::support::{Answer, Kind, Project, mysql};

/// Applies through a wire that is cut at the first COMMIT.
#[track_caller]
fn cut_at_commit(kind: Kind, files: &[(&str, &str)]) {
    for cut in CUTS {
        let project = Project::new(kind);
        project.write("0001_a.sql", "CREATE TABLE a (id int);\n");
        project.expect(0, &["apply", "--yes"]);
        for (name, sql) in files {
            project.write(name, sql);
        }
        let proxy = Proxy::start(&project.url, cut);
        let url = proxy.url(&project.url);
        project.expect(0, &["apply", "--yes", "--url", &url]).says("applied: 0002, 0003");
        assert!(proxy.was_cut(), "{kind:?} {cut:?}: there was no COMMIT");
        assert_eq!(project.query("SELECT count(*), sum(id) FROM a"), ["2|3"], "{kind:?} {cut:?}");
        let twice: Vec<String> =
            project.history().into_iter().filter(|row| !row.ends_with("|1")).collect();
        assert!(twice.is_empty(), "{kind:?} {cut:?}: {twice:?}");
        project.expect(0, &["verify"]);
    }
}

#[test]
fn f08_postgres_knows_what_became_of_a_commit() {
    let files = [
        ("0002_b.sql", "INSERT INTO a VALUES (1);\nALTER TABLE a ADD COLUMN b int;\n"),
        ("0003_c.sql", "INSERT INTO a VALUES (2);\n"),
    ];
    cut_at_commit(Kind::Postgres, &files);
}

#[test]
fn f08_mariadb_knows_what_became_of_a_commit() {
    let files = [
        ("0002_b.sql", "INSERT INTO a VALUES (1);\nALTER TABLE a ADD COLUMN b int;\n"),
        ("0003_c.sql", "INSERT INTO a (id) VALUES (2);\n"),
    ];
    cut_at_commit(Kind::Mariadb, &files);
}

#[test]
fn f04_f07_postgres_a_killed_run_leaves_neither_a_lock_nor_an_invalid_index() {
    let project = Project::new(Kind::Postgres);
    project.write("0001_a.sql", "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\n");
    project.expect(0, &["apply", "--yes"]);
    project.write("0002_i.sql", "CREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);\n");
    let mut session = project.session();
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
    session.execute("SELECT * FROM a");
    let building = "SELECT 1 FROM pg_stat_progress_create_index p \
                    WHERE p.datname = current_database() AND p.phase LIKE 'waiting for%'";
    project.kill_when(&["apply", "--yes"], building);
    session.execute("COMMIT");
    project.expect(0, &["apply", "--yes"]).says("applied: 0002");
    assert_eq!(project.query("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), ["0"]);
    assert_eq!(
        project.query("SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'a_id%'"),
        ["1"]
    );
    project.expect(0, &["verify"]);
}

#[test]
fn f04_f07_mariadb_a_killed_run_is_waited_for_and_not_repeated() {
    let project = Project::new(Kind::Mariadb);
    project.write("0001_a.sql", "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\n");
    project.expect(0, &["apply", "--yes"]);
    project.config("[runner]\nlock_timeout = \"30s\"\n");
    project.write("0002_b.sql", "ALTER TABLE a ADD COLUMN b int;\nUPDATE a SET b = 1;\n");
    let mut session = project.session();
    session.execute("START TRANSACTION");
    session.execute("SELECT * FROM a");
    let waiting = "SELECT 1 FROM information_schema.processlist WHERE db = database() \
                   AND state LIKE 'Waiting for table metadata lock%'";
    project.kill_when(&["apply", "--yes"], waiting);
    session.execute("COMMIT");
    project.expect(0, &["apply", "--yes"]).says("applied: 0002");
    assert_eq!(project.query("SELECT b FROM a"), ["1"]);
    project.expect(0, &["verify"]);
}

/// Kills the run while the server copies a table, which goes on without it.
#[track_caller]
fn killed_while_copying(kind: Kind) {
    let project = Project::new(kind);
    project.write("0001_a.sql", "CREATE TABLE a (id int PRIMARY KEY AUTO_INCREMENT, t text);\n");
    project.expect(0, &["apply", "--yes"]);
    let mut fill = vec!["INSERT INTO a (t) VALUES (repeat('x', 200))".to_owned()];
    fill.extend((0..17).map(|_| "INSERT INTO a (t) SELECT t FROM a".to_owned()));
    project.execute(&fill.iter().map(String::as_str).collect::<Vec<_>>());
    project.write(
        "0002_b.sql",
        "ALTER TABLE a MODIFY t varchar(300), ALGORITHM=COPY;\nUPDATE a SET t = 'y' WHERE id = 1;\n",
    );
    let copying = "SELECT 1 FROM information_schema.processlist WHERE db = database() \
                   AND state LIKE 'copy to tmp table%'";
    project.kill_when(&["apply", "--yes"], copying);
    assert!(!project.query(copying).is_empty(), "{kind:?}: the server goes on alone");
    let answer = project.expect(0, &["apply", "--yes"]);
    answer.says("waiting for another run").says("1 was done before the interruption");
    answer.says("applied: 0002");
    assert_eq!(project.query("SELECT count(*) FROM a WHERE t = 'y'"), ["1"], "{kind:?}");
    let twice: Vec<String> =
        project.history().into_iter().filter(|row| !row.ends_with("|1")).collect();
    assert!(twice.is_empty(), "{kind:?}: {twice:?}");
    project.expect(0, &["verify"]);
}

#[test]
fn f07_what_the_server_finishes_alone_is_not_done_again() {
    killed_while_copying(Kind::Mariadb);
    if let Some(kind) = mysql() {
        killed_while_copying(kind);
    }
}

/// Calls a procedure that fails on the live database only, before or after it made something.
#[track_caller]
fn fails_with_an_effect(kind: Kind, after: &str) -> (Project, Answer) {
    let project = Project::new(kind);
    let fail = "IF (SELECT count(*) FROM a) > 0 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = \
                'not on a full table'; END IF;";
    project.write(
        "0001_a.sql",
        format!(
            "CREATE TABLE a (id int);\nDELIMITER //\nCREATE PROCEDURE make() BEGIN \
             CREATE TABLE b (id int); {} CREATE TABLE c (id int); {} END//\nDELIMITER ;\n",
            if after == "b" { fail } else { "" },
            if after == "c" { fail } else { "" },
        ),
    );
    project.expect(0, &["apply", "--yes"]);
    project.execute(&["INSERT INTO a VALUES (1)"]);
    project.write("0002_call.sql", "CALL make();\n");
    let answer = project.run(&["apply", "--yes"]);
    (project, answer)
}

#[test]
fn f06_an_error_may_have_had_an_effect() {
    for kind in [Some(Kind::Mariadb), mysql()].into_iter().flatten() {
        // All of it: the error is no reason to do it again.
        let (project, answer) = fails_with_an_effect(kind, "c");
        assert_eq!(answer.code, Some(0), "{kind:?}: {}", answer.all());
        project.expect(0, &["verify"]);
        // A part of it: nobody but a person knows what to do.
        let (project, answer) = fails_with_an_effect(kind, "b");
        assert_eq!(answer.code, Some(3), "{kind:?}: {}", answer.all());
        answer.says("neither as before nor as after").says("--settle 0002.1=done");
        project.expect(3, &["apply", "--yes"]).says("neither as before nor as after");
        project.execute(&["CREATE TABLE c (id int)"]);
        project.expect(0, &["apply", "--yes"]).says("applied: 0002");
        project.expect(0, &["verify"]);
    }
}

#[test]
fn f06_mysql_drops_several_tables_or_none() {
    let Some(kind) = mysql() else { return };
    let project = Project::new(kind);
    project.write("0001_ab.sql", "CREATE TABLE a (id int);\nCREATE TABLE b (id int);\n");
    project.expect(0, &["apply", "--yes"]);
    project.config("[runner]\nlock_timeout = \"1s\"\nretries = 1\n");
    project.write("0002_drop.sql", "DROP TABLE a, b;\n");
    let mut session = project.session();
    session.execute("START TRANSACTION");
    session.execute("SELECT * FROM b");
    project.expect(3, &["apply", "--yes"]).says("gave up");
    let left = "SELECT table_name FROM information_schema.tables \
                WHERE table_schema = database() AND length(table_name) = 1 ORDER BY 1";
    assert_eq!(project.query(left), ["a", "b"]);
    session.execute("COMMIT");
    project.expect(0, &["apply", "--yes"]).says("applied: 0002");
    assert!(project.query(left).is_empty());
}

/// The live table has as many versions of its rows as it may have (error 4092, measured on MySQL
/// 9.7); the shadow's is new.
#[test]
fn f09_mysql_refuses_rather_than_copies() {
    let Some(kind) = mysql() else { return };
    let project = Project::new(kind);
    project.write("0001_a.sql", "CREATE TABLE a (id int PRIMARY KEY);\n");
    project.expect(0, &["apply", "--yes"]);
    let mut session = project.session();
    let instantly = |what: &str| format!("ALTER TABLE a {what}, ALGORITHM=INSTANT");
    while session.try_query(&instantly("ADD COLUMN b int")).is_some()
        && session.try_query(&instantly("DROP COLUMN b")).is_some()
    {}
    project.write("0002_c.sql", "ALTER TABLE a ADD COLUMN c int, ALGORITHM=INSTANT;\n");
    let answer = project.expect(3, &["apply", "--yes"]);
    answer.says("Maximum row versions reached").says("stopped at statement 1 of 1");
    let there = "SELECT count(*) FROM information_schema.columns \
                 WHERE table_schema = database() AND table_name = 'a' AND column_name = 'c'";
    assert_eq!(project.query(there), ["0"], "the table was not copied behind anybody's back");
    // Nothing of it is there: the file may be corrected. The plan knows that it is a rebuild now.
    project.write("0002_c.sql", "ALTER TABLE a ADD COLUMN c int;\n");
    let answer = project.expect(0, &["apply", "--yes"]);
    answer.says("rewrites a").says("ALGORITHM=INPLACE, LOCK=NONE").says("applied: 0002");
    assert_eq!(project.query(there), ["1"]);
}

#[test]
fn f06_mariadb_drops_several_tables_one_by_one() {
    let project = Project::new(Kind::Mariadb);
    project.write("0001_ab.sql", "CREATE TABLE a (id int);\nCREATE TABLE b (id int);\n");
    project.expect(0, &["apply", "--yes"]);
    project.config("[runner]\nlock_timeout = \"1s\"\n");
    project.write("0002_drop.sql", "DROP TABLE a, b;\n");
    let mut session = project.session();
    session.execute("START TRANSACTION");
    session.execute("SELECT * FROM b");
    let run = project.start(&["apply", "--yes"]);
    project.wait_for("SELECT 1 FROM lockwise_journal WHERE event = 'failed'");
    let left = "SELECT table_name FROM information_schema.tables \
                WHERE table_schema = database() AND length(table_name) = 1";
    assert_eq!(project.query(left), ["b"], "a is gone while b is waited for");
    session.execute("COMMIT");
    let answer = crate::support::Answer::of(&run.wait_with_output().unwrap());
    assert_eq!(answer.code, Some(0), "{}", answer.all());
    assert!(project.query(left).is_empty());
    project.expect(0, &["rollback", "--steps", "1", "--yes"]).says("rolled back: 0002");
    assert_eq!(project.query(left), ["a", "b"]);
}

#[cfg(unix)]
#[test]
fn f06_a_full_disk_leaves_nothing_half_done() {
    let project = Project::new(Kind::Sqlite);
    project.write("0001_a.sql", "CREATE TABLE a (t text);\nINSERT INTO a VALUES ('kept');\n");
    project.expect(0, &["apply", "--yes"]);
    project.write(
        "0002_fill.sql",
        "INSERT INTO a SELECT hex(randomblob(1000)) FROM \
         (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) \
         SELECT i FROM n);\n",
    );
    // Files may have so many blocks; a write beyond fails as on a full disk.
    let mut command = std::process::Command::new("sh");
    command.current_dir(project.path()).env("NO_COLOR", "1");
    command.args(["-c", "trap '' XFSZ; ulimit -f 2000; exec \"$@\"", "sh"]);
    command.arg(env!("CARGO_BIN_EXE_lockwise"));
    command.args(["apply", "--yes", "--url", &project.url]);
    let answer = crate::support::Answer::of(&command.output().unwrap());
    assert_eq!(answer.code, Some(3), "{}", answer.all());
    assert_eq!(project.query("SELECT count(*) FROM a"), ["1"]);
    assert_eq!(project.query("PRAGMA integrity_check"), ["ok"]);
    project.expect(0, &["apply", "--yes"]).says("applied: 0002");
    assert_eq!(project.query("SELECT count(*) FROM a"), ["3001"]);
}
