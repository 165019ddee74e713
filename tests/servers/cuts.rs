//! The wire is cut, the process is killed while the server works: the next look settles it.

use crate::proxy::{CUTS, Proxy};
use crate::support::{Kind, Project};

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
