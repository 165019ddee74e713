//! Rows of dropped tables and columns are kept aside, and a rollback brings them back.

use crate::support::{ALL, Kind, Project};

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
fn what_has_no_key_is_named_as_not_kept() {
    let project = Project::new(Kind::Postgres);
    project.config("[runner]\nkeep_dropped = true\n");
    project.write("0001_start.sql", "CREATE TABLE loose (a int, b int);\n");
    project.expect(0, &["apply", "--yes"]);
    project.execute(&["INSERT INTO loose VALUES (1, 2)"]);
    project.write("0002_less.sql", "ALTER TABLE loose DROP COLUMN b;\n");
    project.expect(0, &["plan"]).says("column public.loose.b is not kept");
}
