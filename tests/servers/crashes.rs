//! The process ends after every single action; running again finishes, and nothing is done twice.

use crate::support::{Kind, Project, mysql};

/// Writes two migrations with every kind of step: data, DDL in a transaction, DDL on its own.
fn shop(project: &Project) {
    let text = if project.kind.is_mysql_family() { "varchar(100)" } else { "text" };
    let concurrently = if project.kind == Kind::Postgres { "CONCURRENTLY " } else { "" };
    project.write(
        "0001_customers.sql",
        format!(
            "CREATE TABLE customers (id int, email {text});\n\
             INSERT INTO customers VALUES (1, 'mina@shop.example');\n"
        ),
    );
    project.write(
        "0002_email.sql",
        format!(
            "ALTER TABLE customers ADD COLUMN phone {text};\n\
             CREATE UNIQUE INDEX {concurrently}customers_email ON customers (email);\n\
             UPDATE customers SET phone = '1';\n"
        ),
    );
    if project.kind == Kind::Postgres {
        project.write(
            "0003_kin.sql",
            "REINDEX INDEX CONCURRENTLY customers_email;\n\
             DROP INDEX CONCURRENTLY customers_email;\n",
        );
    }
}

/// Applies with a crash at each action in turn.
#[track_caller]
fn crash_everywhere(kind: Kind) {
    let (schema, history) = {
        let project = Project::new(kind);
        shop(&project);
        project.expect(0, &["apply", "--yes"]);
        (project.schema(), project.history())
    };
    let mut crashes = 0;
    for action in 1.. {
        let project = Project::new(kind);
        shop(&project);
        let mut command = project.command(&["apply", "--yes"]);
        command.env("LOCKWISE_CRASH_AT", action.to_string());
        let first = crate::support::Answer::of(&command.output().unwrap());
        if first.code == Some(0) {
            break;
        }
        assert_eq!(first.code, None, "{kind:?}, action {action}: {}", first.all());
        crashes += 1;
        project.expect(0, &["apply", "--yes"]);
        assert_eq!(project.schema(), schema, "{kind:?}, crash at action {action}");
        assert_eq!(project.history(), history, "{kind:?}, crash at action {action}");
        project.expect(0, &["apply", "--yes"]).says("nothing to do");
    }
    assert!(crashes > 12, "{kind:?}: only {crashes} actions");
}

#[test]
fn f04_f07_sqlite_survives_a_crash_at_every_action() {
    crash_everywhere(Kind::Sqlite);
}

#[test]
fn f04_f07_postgres_survives_a_crash_at_every_action() {
    crash_everywhere(Kind::Postgres);
}

#[test]
fn f04_f06_f07_mariadb_survives_a_crash_at_every_action() {
    crash_everywhere(Kind::Mariadb);
}

#[test]
fn f04_f07_mysql_survives_a_crash_at_every_action() {
    if let Some(kind) = mysql() {
        crash_everywhere(kind);
        crash_on_the_way_back(kind);
    }
}

/// Rolls back with a crash at each action in turn.
#[track_caller]
fn crash_on_the_way_back(kind: Kind) {
    let expected = {
        let project = Project::new(kind);
        shop(&project);
        project.expect(0, &["apply", "--yes"]);
        project.expect(0, &["rollback", "--steps", "1", "--yes"]);
        project.schema()
    };
    for action in 1.. {
        let project = Project::new(kind);
        shop(&project);
        project.expect(0, &["apply", "--yes"]);
        let mut command = project.command(&["rollback", "--to", "0001", "--yes"]);
        command.env("LOCKWISE_CRASH_AT", action.to_string());
        if command.output().unwrap().status.code() == Some(0) {
            assert!(action > 6, "{kind:?}: only {action} actions");
            break;
        }
        project.expect(0, &["rollback", "--to", "0001", "--yes"]);
        assert_eq!(project.schema(), expected, "{kind:?}, crash at action {action}");
        project.expect(0, &["status"]).says("1 applied, 1 pending");
    }
}

#[test]
fn a_rollback_survives_a_crash_at_every_action_on_sqlite() {
    crash_on_the_way_back(Kind::Sqlite);
}

#[test]
fn a_rollback_survives_a_crash_at_every_action_on_mariadb() {
    crash_on_the_way_back(Kind::Mariadb);
}

#[test]
fn f06_a_half_applied_file_goes_on_where_it_stopped() {
    let project = Project::new(Kind::Mariadb);
    project.write("0001_a.sql", "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1), (1);\n");
    project.expect(0, &["apply", "--yes"]);
    project.write(
        "0002_b.sql",
        "CREATE TABLE b (id int);\nCREATE UNIQUE INDEX a_id ON a (id);\nCREATE TABLE c (id int);\n",
    );
    let answer = project.expect(3, &["apply", "--yes"]);
    answer.says("0002 stopped at statement 2 of 3").says("line 2").says("Duplicate");
    project.expect(1, &["status"]).says("begun");
    project.execute(&["DELETE FROM a LIMIT 1"]);
    project.expect(0, &["apply", "--yes"]).says("applied: 0002");
    assert_eq!(project.query("SHOW TABLES LIKE '_'"), ["a", "b", "c"]);
    project.expect(0, &["verify"]);
}

#[test]
fn f16_a_half_applied_file_that_was_edited_is_refused() {
    let project = Project::new(Kind::Mariadb);
    project.write("0001_a.sql", "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1), (1);\n");
    project.expect(0, &["apply", "--yes"]);
    project.write("0002_b.sql", "CREATE TABLE b (id int);\nCREATE UNIQUE INDEX u ON a (id);\n");
    project.expect(3, &["apply", "--yes"]);
    project.write("0002_b.sql", "CREATE TABLE d (id int);\nCREATE UNIQUE INDEX u ON a (id);\n");
    project.expect(1, &["apply", "--yes"]).says("half done").says("0002_b.sql");
}

#[test]
fn f08_a_connection_that_is_cut_is_opened_again() {
    let project = Project::new(Kind::Postgres);
    project.write("0001_a.sql", "CREATE TABLE a (id int);\nSELECT pg_sleep(2);\n");
    let child = project.start(&["apply", "--yes"]);
    let running = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(2)%' \
                   AND state = 'active' AND application_name LIKE 'lockwise/%' \
                   AND datname = current_database()";
    project.wait_for(running);
    project.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(2)%' \
         AND application_name LIKE 'lockwise/%' AND datname = current_database()",
    );
    let answer = crate::support::Answer::of(&child.wait_with_output().unwrap());
    assert_eq!(answer.code, Some(0), "{}", answer.all());
    assert_eq!(project.query("SELECT count(*) FROM a"), ["0"]);
    assert_eq!(project.history().len(), 3, "{:?}", project.history());
}
