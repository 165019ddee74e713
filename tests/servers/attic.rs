//! Rows of dropped tables and columns are kept aside, and a rollback brings them back.

use crate::support::{ALL, Kind, Project, mysql};

fn text(kind: Kind) -> &'static str {
    match kind {
        Kind::Mysql | Kind::Mariadb => "varchar(40)",
        Kind::Sqlite | Kind::Postgres => "text",
    }
}

#[test]
fn keep_dropped_brings_rows_back() {
    for kind in ALL {
        let project = Project::new(kind);
        let (key, text) = match kind {
            Kind::Sqlite => ("integer PRIMARY KEY", text(kind)),
            Kind::Postgres => ("bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", text(kind)),
            Kind::Mysql | Kind::Mariadb => ("bigint AUTO_INCREMENT PRIMARY KEY", text(kind)),
        };
        project.config("[runner]\nkeep_dropped = true\n");
        project.write(
            "0001_start.sql",
            format!(
                "CREATE TABLE people (id {key}, name {text} NOT NULL, fax {text} NOT NULL);\n\
                 INSERT INTO people (name, fax) VALUES ('Mina', '1'), ('Joon', '2');\n\
                 CREATE TABLE notes (id {key}, body {text});\n\
                 INSERT INTO notes (body) VALUES ('one'), ('two'), ('three');\n"
            ),
        );
        project.expect(0, &["apply", "--yes"]);
        // SQLite quotes a name that a rename wrote.
        let schema = || project.schema().replace('"', "");
        let before = schema();
        project.write("0002_no_fax.sql", "ALTER TABLE people DROP COLUMN fax;\n");
        project.write("0003_no_notes.sql", "DROP TABLE notes;\n");
        project.expect(0, &["plan"]).says("kept");
        project.expect(0, &["apply", "--yes"]).never_says("surprise");
        assert_ne!(schema(), before, "{kind:?}");
        project.expect(0, &["verify"]);
        project.expect(0, &["rollback", "--steps", "2", "--yes"]);
        assert_eq!(schema(), before, "{kind:?}");
        let people = project.query("SELECT id, name, fax FROM people ORDER BY id");
        assert_eq!(people, ["1|Mina|1", "2|Joon|2"], "{kind:?}");
        let notes = project.query("SELECT id, body FROM notes ORDER BY id");
        assert_eq!(notes, ["1|one", "2|two", "3|three"], "{kind:?}");
        // New rows go on where the old ones ended.
        project.execute(&["INSERT INTO notes (body) VALUES ('four')"]);
        assert_eq!(project.query("SELECT max(id) FROM notes"), ["4"], "{kind:?}");
        let kept = match kind {
            Kind::Sqlite => "SELECT name FROM sqlite_schema WHERE name LIKE 'lockwise_attic%'",
            Kind::Postgres => {
                "SELECT relname FROM pg_class WHERE relnamespace::regnamespace::text = \
                 'lockwise_attic'"
            }
            Kind::Mysql | Kind::Mariadb => {
                "SELECT table_name FROM information_schema.tables WHERE table_schema = database() \
                 AND table_name LIKE 'lockwise_attic%'"
            }
        };
        assert_eq!(project.query(kept), Vec::<String>::new(), "{kind:?}");
        // And forward again, as if nothing had been.
        project.expect(0, &["apply", "--yes"]);
        assert_eq!(project.query(kept).len(), 2, "{kind:?}");
    }
}

#[test]
fn a_table_that_lost_a_column_first_comes_back_whole() {
    for kind in ALL {
        let project = Project::new(kind);
        let text = text(kind);
        project.config("[runner]\nkeep_dropped = true\n");
        project.execute(&[
            &format!(
                "CREATE TABLE people (id int PRIMARY KEY, name {text}, fax {text}, tel {text})"
            ),
            "INSERT INTO people VALUES (1, 'Mina', '1', '2'), (2, 'Joon', NULL, '3')",
        ]);
        project.write("0001_no_tel.sql", "ALTER TABLE people DROP COLUMN tel;\n");
        project
            .write("0002_nobody.sql", "ALTER TABLE people DROP COLUMN fax;\nDROP TABLE people;\n");
        project.expect(0, &["apply", "--yes"]);
        project.expect(0, &["rollback", "--steps", "2", "--yes"]);
        let rows = project.query("SELECT id, name, fax, tel FROM people ORDER BY id");
        assert_eq!(rows, ["1|Mina|1|2", "2|Joon||3"], "{kind:?}");
    }
}

#[test]
fn what_has_no_key_is_named_as_not_kept() {
    let project = Project::new(Kind::Postgres);
    project.config("[runner]\nkeep_dropped = true\n");
    project.write("0001_start.sql", "CREATE TABLE loose (a int, b int);\n");
    project.expect(0, &["apply", "--yes"]);
    project.execute(&["INSERT INTO loose VALUES (1, 2)"]);
    project.write("0002_less.sql", "ALTER TABLE loose DROP COLUMN b;\n");
    project.expect(0, &["plan"]).says("column public.loose.b is not kept");
}

/// Tables of which a column and the whole go with one migration: with a key, and without.
fn going(project: &Project) {
    project.config("[runner]\nkeep_dropped = true\n");
    project.execute(&[
        "CREATE TABLE people (id int PRIMARY KEY, fax varchar(40))",
        "CREATE TABLE notes (id varchar(40) PRIMARY KEY, body varchar(40))",
        "CREATE TABLE loose (body varchar(40))",
        "INSERT INTO people VALUES (0, '0')",
        "INSERT INTO notes VALUES ('gone', ''), ('case', 'a')",
        "INSERT INTO loose VALUES ('0')",
    ]);
    project.write(
        "0001_less.sql",
        "ALTER TABLE people DROP COLUMN fax;\nDROP TABLE notes;\nDROP TABLE loose;\n",
    );
}

/// What must be in the attic: the last that was written of each, before it went.
fn assert_kept(project: &Project, fax: &str, notes: &[String], loose: &[String], when: &str) {
    let found = |name: &str, columns: &str| {
        let sql = format!("SELECT {columns} FROM lockwise_attic_0001_{name} ORDER BY 1");
        project.query(&sql)
    };
    assert_eq!(found("people_fax", "fax"), [fax], "{:?} {when}", project.kind);
    assert_eq!(found("notes", "id, body"), notes, "{:?} {when}", project.kind);
    assert_eq!(found("loose", "body"), loose, "{:?} {when}", project.kind);
}

#[test]
fn what_is_written_after_a_crash_is_kept_too() {
    for kind in [Some(Kind::Mariadb), mysql()].into_iter().flatten() {
        for action in 1.. {
            let project = Project::new(kind);
            going(&project);
            let mut command = project.command(&["apply", "--yes"]);
            command.env("LOCKWISE_CRASH_AT", action.to_string());
            if command.output().unwrap().status.code() == Some(0) {
                assert!(action > 15, "{kind:?}: only {action} actions");
                break;
            }
            // What is gone already takes no more rows.
            let mut session = project.session();
            let mut wrote = |sql: &str| session.try_query(sql).is_some();
            let fax = if wrote("UPDATE people SET fax = '1'") { "1" } else { "0" };
            let case =
                if wrote("UPDATE notes SET body = 'A' WHERE id = 'case'") { "A" } else { "a" };
            let mut notes = vec![format!("case|{case}")];
            if !wrote("DELETE FROM notes WHERE id = 'gone'") {
                notes.push("gone|".to_owned());
            }
            let mut loose = vec!["0".to_owned()];
            if wrote("INSERT INTO loose VALUES ('1')") {
                loose.push("1".to_owned());
            }
            project.expect(0, &["apply", "--yes"]);
            assert_kept(&project, fax, &notes, &loose, &format!("crash at action {action}"));
        }
    }
}

#[test]
fn what_is_written_up_to_the_drop_is_kept() {
    for kind in [Some(Kind::Mariadb), mysql()].into_iter().flatten() {
        let project = Project::new(kind);
        going(&project);
        project.execute(&["DELETE FROM notes", "DELETE FROM loose"]);
        let (fax, notes, loose) = std::thread::scope(|scope| {
            // Each writes until its table or column is gone, and says what was acknowledged.
            let writer = |sql: fn(u32) -> String| {
                let mut session = project.session();
                move || (1..).take_while(|at| session.try_query(&sql(*at)).is_some()).last()
            };
            let fax = scope.spawn(writer(|at| format!("UPDATE people SET fax = '{at}'")));
            let notes =
                scope.spawn(writer(|at| format!("INSERT INTO notes VALUES ('{at:09}', '')")));
            let loose = scope.spawn(writer(|at| format!("INSERT INTO loose VALUES ('{at:09}')")));
            project.wait_for("SELECT 1 FROM loose LIMIT 1");
            project.expect(0, &["apply", "--yes"]);
            let end = |thread: std::thread::ScopedJoinHandle<'_, Option<u32>>| {
                thread.join().unwrap().expect("it wrote something")
            };
            (end(fax), end(notes), end(loose))
        });
        let notes: Vec<String> = (1..=notes).map(|at| format!("{at:09}|")).collect();
        let loose: Vec<String> = (1..=loose).map(|at| format!("{at:09}")).collect();
        assert_kept(&project, &fax.to_string(), &notes, &loose, "with writers");
    }
}
