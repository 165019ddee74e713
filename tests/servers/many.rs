//! Long histories: the work grows with the number of migrations, and the way back comes later.

use crate::support::{ALL, Answer, Kind, Project, mysql};

/// Writes so many migrations, four about each table.
fn many(project: &Project, count: usize) {
    for number in 1..=count {
        let table = format!("t{}", (number - 1) / 4 + 1);
        let sql = match number % 4 {
            1 => format!("CREATE TABLE {table} (id int PRIMARY KEY, name varchar(20));\n"),
            2 => format!("ALTER TABLE {table} ADD COLUMN note varchar(20);\n"),
            3 => format!("CREATE INDEX {table}_name ON {table} (name);\n"),
            _ => format!("INSERT INTO {table} (id, name) VALUES (1, 'one');\n"),
        };
        project.write(&format!("{number:04}_step.sql"), sql);
    }
}

#[test]
fn the_way_back_of_a_long_history_is_worked_out_when_it_is_asked_for() {
    for kind in ALL {
        let project = Project::new(kind);
        many(&project, 60);
        let answer = project.expect(0, &["apply", "--yes"]);
        answer.says("applied: 0001 to 0060, 60 migrations").says("worked out and proven");
        project.expect(0, &["verify"]).says("as the migrations make it");
        let before = project.schema();
        project.expect(0, &["rollback", "--to", "0056", "--yes"]).says("proven on the shadow");
        project.expect(0, &["status"]).says("56 applied, 4 pending");
        project.expect(0, &["verify"]).says("as the migrations make it");
        project.expect(0, &["apply", "--yes"]).says("applied: 0057");
        assert_eq!(project.schema(), before, "{kind:?}");
    }
}

#[test]
fn a_dry_run_of_many_stops_at_the_first_failure() {
    let project = Project::new(Kind::Sqlite);
    // An empty database would be filled without a dry run.
    project.execute(&["CREATE TABLE there (id int)"]);
    let before = project.schema();
    many(&project, 60);
    project.write("0058_bad.sql", "CREATE TABLE t1 (id int);\n");
    std::fs::remove_file(project.migration("0058_step.sql")).unwrap();
    let answer = project.expect(1, &["apply", "--yes"]);
    answer.says("blocked").says("t1 already exists");
    assert_eq!(project.schema(), before, "nothing was changed");
}

#[test]
fn a_rollback_of_several_sees_what_was_changed_below_the_last() {
    for kind in ALL {
        let project = Project::new(kind);
        many(&project, 8);
        project.expect(0, &["apply", "--yes"]);
        project.execute(&["ALTER TABLE t1 ADD COLUMN by_hand int"]);
        project.expect(0, &["rollback", "--steps", "2", "--yes"]).says("rolled back: 0008, 0007");
        let answer = project.expect(1, &["rollback", "--to", "0001", "--yes"]);
        answer.says("the database changed since migration 0002").says("t1");
        project.expect(0, &["status"]).says("6 applied, 2 pending");
    }
}

/// Statements of MySQL and MariaDB that reach further than the table they name.
fn far_reaching(project: &Project) {
    many(project, 52);
    let files = [
        "ALTER TABLE t1 ADD COLUMN t2 int, ADD CONSTRAINT t1_t2 FOREIGN KEY (t2) REFERENCES t2 (id);",
        "RENAME TABLE t2 TO parents;",
        "CREATE VIEW names AS SELECT name FROM t3;",
        "DELIMITER //\nCREATE PROCEDURE make() BEGIN CREATE TABLE made (id int); \
         ALTER TABLE t4 ADD COLUMN made int; END//\nDELIMITER ;",
        "CALL make();",
        "DELIMITER //\nCREATE TRIGGER stamp BEFORE INSERT ON t5 FOR EACH ROW BEGIN \
         SET new.note = 'x'; END//\nDELIMITER ;",
        "ALTER TABLE t5 RENAME TO stamped;",
        "CREATE OR REPLACE VIEW names AS SELECT name, id FROM t3;",
        "DROP TRIGGER stamp;",
        "CREATE TABLE copied LIKE t6;\nCREATE TABLE selected AS SELECT id FROM t6;",
        "DROP PROCEDURE make;\nDROP TABLE copied, selected;",
        "CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM t6;",
    ];
    for (number, sql) in (53..).zip(files) {
        project.write(&format!("{number:04}_far.sql"), format!("{sql}\n"));
    }
}

#[test]
fn f07_what_a_statement_of_many_changes_is_known_before_it_runs() {
    for kind in [Some(Kind::Mariadb), mysql()].into_iter().flatten() {
        let undisturbed = Project::new(kind);
        far_reaching(&undisturbed);
        undisturbed.expect(0, &["apply", "--yes"]).says("applied: 0001 to 0064");
        undisturbed.expect(0, &["verify"]);
        let project = Project::new(kind);
        far_reaching(&project);
        let mut crashes = 0;
        loop {
            let mut command = project.command(&["apply", "--yes"]);
            command.env("LOCKWISE_CRASH_AT", (20 + crashes % 7).to_string());
            let answer = Answer::of(&command.output().unwrap());
            if answer.code == Some(0) {
                break;
            }
            assert_eq!(answer.code, None, "{kind:?}, crash {crashes}: {}", answer.all());
            crashes += 1;
        }
        assert!(crashes > 8, "{kind:?}: only {crashes} crashes");
        project.expect(0, &["apply", "--yes"]).says("nothing to do");
        assert_eq!(project.schema(), undisturbed.schema(), "{kind:?}");
        assert_eq!(project.history(), undisturbed.history(), "{kind:?}");
        project.expect(0, &["verify"]);
    }
}
