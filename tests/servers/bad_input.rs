//! What a runner is given and should not be given: an answer, a way forward, nothing lost.

use crate::support::{ALL, Kind, Project, admin_url, shop, with_database};

fn applied(kind: Kind) -> Project {
    let project = Project::new(kind);
    shop(&project);
    project.expect(0, &["apply", "--yes"]);
    project
}

#[test]
fn f15_an_edited_applied_migration_is_refused() {
    for kind in ALL {
        let project = applied(kind);
        project.write("0005_no_fax.sql", "ALTER TABLE customers DROP COLUMN email;\n");
        let answer = project.expect(1, &["apply", "--yes"]);
        answer.says("0005 was applied and its statements were changed").says("0005_no_fax.sql");
        answer.says("hint: restore the file");
        project.expect(1, &["verify"]);
        project.expect(1, &["plan"]);
        project.expect(1, &["status"]);
    }
}

#[test]
fn f12_line_ends_and_comments_are_a_note() {
    for kind in ALL {
        let project = applied(kind);
        let file = project.migration("0002_orders.sql");
        let text = std::fs::read_to_string(&file).unwrap();
        let text = format!("\u{feff}-- as Windows has it\n{text}").replace('\n', "\r\n");
        project.write("0002_orders.sql", text);
        project.expect(0, &["verify"]).says("was reformatted after it was applied");
        project.expect(0, &["apply", "--yes"]).says("nothing to do");
    }
}

#[test]
fn a_missing_applied_migration_is_refused() {
    let project = applied(Kind::Sqlite);
    std::fs::remove_file(project.migration("0003_email.sql")).unwrap();
    let answer = project.expect(1, &["apply", "--yes"]);
    answer.says("migration 0003 (email) is applied and has no file").says("hint:");
}

#[test]
fn f13_a_lower_version_that_appears_later_is_refused() {
    let project = Project::new(Kind::Sqlite);
    project.write("0001_a.sql", "CREATE TABLE a (id int);");
    project.write("0003_c.sql", "CREATE TABLE c (id int);");
    project.expect(0, &["apply", "--yes"]);
    project.write("0002_b.sql", "CREATE TABLE b (id int);");
    let answer = project.expect(1, &["apply", "--yes"]);
    answer.says("0002 is new and comes before 0003").says("--out-of-order");
    project.expect(0, &["apply", "--yes", "--out-of-order"]).says("applied: 0002");
}

#[test]
fn f13_two_files_with_one_version_are_refused() {
    let project = Project::new(Kind::Sqlite);
    project.write("0001_a.sql", "CREATE TABLE a (id int);");
    project.write("0001_b.sql", "CREATE TABLE b (id int);");
    let answer = project.run(&["apply", "--yes"]);
    assert!(matches!(answer.code, Some(1 | 2)), "{}", answer.all());
    answer.says("0001_a.sql").says("0001_b.sql");
}

#[test]
fn files_without_statements_are_applied() {
    for kind in ALL {
        let project = Project::new(kind);
        project.write("0001_nothing.sql", "");
        project.write("0002_words.sql", "-- only words\n/* and more */\n");
        project.expect(0, &["apply", "--yes"]).says("applied: 0001, 0002");
        project.expect(0, &["apply", "--yes"]).says("nothing to do");
        project.expect(0, &["rollback", "--steps", "2", "--yes"]);
        project.expect(0, &["status"]).says("0 applied, 2 pending");
    }
}

#[test]
fn windows_files_run() {
    let project = Project::new(Kind::Sqlite);
    project.write("0001_a.sql", "\u{feff}CREATE TABLE a (\r\n  id int\r\n);\r\n");
    project.expect(0, &["apply", "--yes"]).says("applied: 0001");
}

#[test]
fn bytes_that_are_no_utf8_are_named() {
    let project = Project::new(Kind::Sqlite);
    project.write("0001_a.sql", b"CREATE TABLE a (id int);\n-- caf\xe9\n");
    project.expect(2, &["apply", "--yes"]).says("0001_a.sql").says("UTF-8");
}

#[test]
fn an_error_in_the_third_statement_changes_nothing() {
    for kind in ALL {
        let project = Project::new(kind);
        project.write("0001_a.sql", "CREATE TABLE a (id int);");
        project.expect(0, &["apply", "--yes"]);
        project.write(
            "0002_b.sql",
            "CREATE TABLE b (id int);\nCREATE TABLE c (id int);\nCREATE TABEL d (id int);\n",
        );
        let before = project.schema();
        let answer = project.expect(1, &["apply", "--yes"]);
        answer.says("the dry run failed").says("line 3");
        assert_eq!(project.schema(), before, "{kind:?}");
    }
}

#[test]
fn a_failing_statement_rolls_its_migration_back() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let project = Project::new(kind);
        project.write("0001_a.sql", "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1), (1);\n");
        project.expect(0, &["apply", "--yes"]);
        let before = project.schema();
        project.write("0002_u.sql", "CREATE TABLE b (id int);\nCREATE UNIQUE INDEX u ON a (id);\n");
        let answer = project.expect(3, &["apply", "--yes"]);
        answer.says("0002 stopped at statement 2 of 2").says("the migration was rolled back");
        assert_eq!(project.schema(), before, "{kind:?}");
        project.write("0002_u.sql", "CREATE TABLE b (id int);\n");
        project.expect(0, &["apply", "--yes"]).says("applied: 0002");
    }
}

#[test]
fn f17_orphans_are_found_before_commit() {
    let project = Project::new(Kind::Sqlite);
    project.write(
        "0001_a.sql",
        "CREATE TABLE a (id integer PRIMARY KEY);\n\
         CREATE TABLE b (a integer REFERENCES a (id));\n\
         INSERT INTO a VALUES (1);\nINSERT INTO b VALUES (1);\n",
    );
    project.expect(0, &["apply", "--yes"]);
    project.write("0002_gone.sql", "DELETE FROM a;\n");
    let answer = project.expect(3, &["apply", "--yes"]);
    answer.says("refer to missing rows").says("row 1 of b refers to a");
    assert_eq!(project.query("SELECT count(*) FROM a"), ["1"]);
}

#[test]
fn f17_a_rebuild_keeps_the_rows_that_refer_to_the_table() {
    let project = Project::new(Kind::Sqlite);
    project.write(
        "0001_a.sql",
        "CREATE TABLE a (id integer PRIMARY KEY, n int);\n\
         CREATE TABLE b (a integer REFERENCES a (id) ON DELETE CASCADE);\n\
         INSERT INTO a VALUES (1, 1);\nINSERT INTO b VALUES (1);\n",
    );
    project.expect(0, &["apply", "--yes"]);
    // The pragma does nothing inside a transaction: with foreign keys on, DROP TABLE empties b.
    project.write(
        "0002_rebuild.sql",
        "PRAGMA foreign_keys = OFF;\nBEGIN;\n\
         CREATE TABLE a2 (id integer PRIMARY KEY, n int NOT NULL);\n\
         INSERT INTO a2 SELECT id, n FROM a;\nDROP TABLE a;\nALTER TABLE a2 RENAME TO a;\n\
         COMMIT;\nPRAGMA foreign_keys = ON;\n",
    );
    project.expect(0, &["apply", "--yes"]).says("applied: 0002");
    assert_eq!(project.query("SELECT a FROM b"), ["1"]);
    assert!(project.query("PRAGMA foreign_key_check").is_empty());
    project.expect(0, &["verify"]);
}

#[test]
fn f17_what_refuses_a_transaction_runs_outside_of_one() {
    let project = Project::new(Kind::Sqlite);
    project.write(
        "0001_a.sql",
        "CREATE TABLE a (id integer PRIMARY KEY);\nPRAGMA journal_mode = WAL;\nVACUUM;\n\
         INSERT INTO a VALUES (1);\n",
    );
    project.expect(0, &["apply", "--yes"]).says("applied: 0001");
    assert_eq!(project.query("PRAGMA journal_mode"), ["wal"]);
    assert_eq!(project.query("SELECT count(*) FROM a"), ["1"]);
}

#[test]
fn what_only_psql_can_run_is_refused() {
    let project = Project::new(Kind::Postgres);
    project.write("0001_a.sql", "\\set x 1\nCREATE TABLE a (id int);\n");
    project.expect(2, &["plan"]).says("0001_a.sql:1:1").says("psql");
}

#[test]
fn nobody_to_ask_is_said() {
    let project = Project::new(Kind::Sqlite);
    shop(&project);
    project.expect(2, &["apply"]).says("--yes");
    assert!(!project.path().join("shop.db").exists(), "nothing was created");
}

#[test]
fn a_server_that_is_not_there_is_said() {
    let project = Project::new(Kind::Sqlite);
    shop(&project);
    for url in ["postgres://app:geheim@127.0.0.1:1/shop", "mysql://app:geheim@127.0.0.1:1/shop"] {
        let answer = project.expect(2, &["apply", "--yes", "--url", url]);
        answer.says("cannot connect to").says("127.0.0.1:1/shop").says("hint:");
        answer.never_says("geheim");
    }
}

#[test]
fn a_database_that_is_not_there_is_said() {
    for kind in [Kind::Postgres, Kind::Mariadb] {
        let project = Project::new(kind);
        shop(&project);
        let url = with_database(&admin_url(kind), "no_such_database");
        let answer = project.expect(2, &["apply", "--yes", "--url", &url]);
        answer.says("no_such_database").says("hint: create the database first");
    }
}

#[test]
fn a_wrong_password_is_said_and_never_printed() {
    for kind in [Kind::Postgres, Kind::Mariadb] {
        let project = Project::new(kind);
        shop(&project);
        let (_, rest) = project.url.split_once("://").unwrap();
        let (_, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let scheme = if kind == Kind::Postgres { "postgres" } else { "mysql" };
        let url = format!("{scheme}://nobody_known:geheim@{place}");
        let answer = project.expect(2, &["apply", "--yes", "--url", &url]);
        answer.never_says("geheim").says("cannot connect to").says("hint:");
    }
}

#[test]
fn a_user_who_may_only_read_is_told() {
    let project = Project::new(Kind::Postgres);
    shop(&project);
    let role = format!("lockwise_reader_{:08x}", fastrand::u32(..));
    project.execute(&[
        &format!("CREATE ROLE {role} LOGIN PASSWORD 'geheim'"),
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    ]);
    let (scheme, rest) = project.url.split_once("://").unwrap();
    let (_, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    let url = format!("{scheme}://{role}:geheim@{place}");
    project.expect(0, &["plan", "--url", &url]);
    let answer = project.expect(2, &["apply", "--yes", "--url", &url]);
    answer.says("cannot create the journal").says("permission denied");
    project.execute(&[&format!("DROP ROLE {role}")]);
}

#[test]
fn a_folder_that_is_not_there_is_said() {
    let project = Project::new(Kind::Sqlite);
    project.expect(2, &["plan", "--dir", "nowhere"]).says("no folder nowhere").says("--dir");
}

#[test]
fn no_database_named_is_said() {
    let project = Project::new(Kind::Sqlite);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_lockwise"));
    command.current_dir(project.path()).env_remove("DATABASE_URL").args(["plan"]);
    let answer = crate::support::Answer::of(&command.output().unwrap());
    assert_eq!(answer.code, Some(2));
    answer.says("no database is named").says("DATABASE_URL");
}
