//! Histories of other tools, in tables as each of them writes them.
//!
//! The tables are those of the tools' sources, the checksums those that the tools (sqlx, refinery,
//! Flyway, Prisma, Sqitch 1.3) or their algorithms gave for the same files.

use crate::support::{ALL, Kind, Project};

const PERSONS: &str = "CREATE TABLE persons (id int);\nINSERT INTO persons VALUES (1);\n";
const MORE: &str = "CREATE TABLE more (id int);\n";

/// A tool's folder and history.
struct Case {
    tool: &'static str,
    /// Files in the folder of the migrations.
    files: &'static [(&'static str, &'static str)],
    /// What the tool made and wrote.
    history: Vec<String>,
    /// Its table, which stays as it is.
    table: &'static str,
    /// How the applied file compares.
    says: &'static str,
    /// The version that is left to apply.
    left: &'static str,
}

/// Takes a history over, applies what is left, and demands that the tool's table stays as it is.
#[track_caller]
fn taken_over(kind: Kind, case: &Case) {
    let project = Project::new(kind);
    for (path, text) in case.files {
        let path = project.migration(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    project.execute(&["CREATE TABLE persons (id int)", "INSERT INTO persons VALUES (1)"]);
    let history: Vec<&str> = case.history.iter().map(String::as_str).collect();
    project.execute(&history);
    let rows = format!("SELECT * FROM {} ORDER BY 1, 2", case.table);
    let rows = if case.table == "schema_migrations" {
        "SELECT * FROM schema_migrations ORDER BY 1".to_owned()
    } else {
        rows
    };
    let before = project.query(&rows);
    let answer = project.expect(0, &["adopt", "--yes"]);
    answer.says(&format!("history of {}", case.tool)).says(case.says).says("adopted: 1");
    let applied = project.expect(0, &["apply", "--yes"]);
    applied.says(&format!("applied: {}", case.left));
    assert_eq!(project.query("SELECT count(*) FROM persons"), ["1"], "{kind:?} {}", case.tool);
    assert_eq!(project.query(&rows), before, "{kind:?} {}", case.tool);
    project.expect(0, &["verify"]);
}

/// Returns a binary value.
fn bytes(kind: Kind, hex: &str) -> String {
    if kind == Kind::Postgres { format!("'\\x{hex}'") } else { format!("x'{hex}'") }
}

#[test]
fn sqlx() {
    let sum = "a65598b9e07a1cf250597ad3152cb60801a17d8e14e01f7050775af7f6dd648a1849992709eefe46875c1a9\
               bf3e591a9";
    for kind in ALL {
        let (blob, time) = match kind {
            Kind::Postgres => ("bytea", "timestamptz NOT NULL DEFAULT now()"),
            Kind::Sqlite | Kind::Mariadb | Kind::Mysql => {
                ("blob", "timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP")
            }
        };
        let history = vec![
            format!(
                "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT \
                 NULL, installed_on {time}, success boolean NOT NULL, checksum {blob} NOT NULL, \
                 execution_time bigint NOT NULL)"
            ),
            format!(
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
                 execution_time) VALUES (20240101000000, 'persons', true, {}, 1)",
                bytes(kind, sum)
            ),
        ];
        let files: &[_] = &[
            ("20240101000000_persons.up.sql", PERSONS),
            ("20240101000000_persons.down.sql", "DROP TABLE persons;\n"),
            ("20240102000000_more.up.sql", MORE),
            ("20240102000000_more.down.sql", "DROP TABLE more;\n"),
        ];
        let (tool, table) = ("sqlx", "_sqlx_migrations");
        let (says, left) = ("persons: same", "20240102000000");
        taken_over(kind, &Case { tool, files, history, table, says, left });
    }
}

#[test]
fn refinery_in_both_widths() {
    for (kind, width, sum) in [
        (Kind::Postgres, "int4", "1091441964215326441"),
        (Kind::Postgres, "int8", "17850160248500988789"),
        (Kind::Sqlite, "int4", "1091441964215326441"),
        (Kind::Mariadb, "int", "1091441964215326441"),
    ] {
        let history = vec![
            format!(
                "CREATE TABLE refinery_schema_history (version {width} PRIMARY KEY, name \
                 varchar(255), applied_on varchar(255), checksum varchar(255))"
            ),
            format!(
                "INSERT INTO refinery_schema_history VALUES (1, 'initial', \
                 '2024-01-01T00:00:00.123456789Z', '{sum}')"
            ),
        ];
        let files: &[_] = &[
            ("V1__initial.sql", "CREATE TABLE persons (id int);\n"),
            ("V2__add_x.sql", "ALTER TABLE persons ADD COLUMN x int;\n"),
        ];
        let (tool, table) = ("refinery", "refinery_schema_history");
        let (says, left) = ("initial: same", "2");
        taken_over(kind, &Case { tool, files, history, table, says, left });
    }
}

#[test]
fn diesel() {
    for kind in ALL {
        let history = vec![
            "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
             run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"
                .to_owned(),
            "INSERT INTO __diesel_schema_migrations (version) VALUES ('20240101000000')".to_owned(),
        ];
        let files: &[_] = &[
            ("2024-01-01-000000_persons/up.sql", PERSONS),
            ("2024-01-01-000000_persons/down.sql", "DROP TABLE persons;\n"),
            ("2024-01-02-000000_more/up.sql", MORE),
            ("2024-01-02-000000_more/down.sql", "DROP TABLE more;\n"),
        ];
        let (tool, table) = ("diesel", "__diesel_schema_migrations");
        let (says, left) = ("no checksum to compare", "2024");
        taken_over(kind, &Case { tool, files, history, table, says, left });
    }
}

#[test]
fn golang_migrate_and_what_it_left_dirty() {
    let files: &[_] = &[
        ("000001_persons.up.sql", PERSONS),
        ("000001_persons.down.sql", "DROP TABLE persons;\n"),
        ("000002_more.up.sql", MORE),
        ("000002_more.down.sql", "DROP TABLE more;\n"),
    ];
    for kind in ALL {
        let history = vec![
            "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean \
             NOT NULL)"
                .to_owned(),
            "INSERT INTO schema_migrations VALUES (1, false)".to_owned(),
        ];
        let (tool, table) = ("golang-migrate", "schema_migrations");
        let (says, left) = ("no checksum to compare", "000002");
        taken_over(kind, &Case { tool, files, history, table, says, left });
    }
    let project = Project::new(Kind::Sqlite);
    project.write("000001_persons.up.sql", PERSONS);
    project.execute(&[
        "CREATE TABLE schema_migrations (version uint64, dirty bool)",
        "INSERT INTO schema_migrations VALUES (1, true)",
    ]);
    project.expect(1, &["adopt", "--yes"]).says("failed or is not finished");
}

#[test]
fn dbmate() {
    for kind in ALL {
        let history = vec![
            "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)".to_owned(),
            "INSERT INTO schema_migrations VALUES ('20240101000000')".to_owned(),
        ];
        let files: &[_] = &[
            (
                "20240101000000_persons.sql",
                "-- migrate:up\nCREATE TABLE persons (id int);\n\n-- migrate:down\nDROP TABLE \
                 persons;\n",
            ),
            (
                "20240102000000_more.sql",
                "-- migrate:up\nCREATE TABLE more (id int);\n\n-- migrate:down\nDROP TABLE more;\n",
            ),
        ];
        let (tool, table) = ("dbmate", "schema_migrations");
        let (says, left) = ("no checksum to compare", "20240102000000");
        taken_over(kind, &Case { tool, files, history, table, says, left });
    }
}

#[test]
fn goose_counts_the_newest_row_of_a_version() {
    for kind in ALL {
        let key = match kind {
            Kind::Postgres => "integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY",
            Kind::Sqlite => "INTEGER PRIMARY KEY AUTOINCREMENT",
            Kind::Mariadb | Kind::Mysql => {
                "bigint(20) unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY"
            }
        };
        let history = vec![
            format!(
                "CREATE TABLE goose_db_version (id {key}, version_id bigint NOT NULL, is_applied \
                 boolean NOT NULL, tstamp timestamp DEFAULT CURRENT_TIMESTAMP)"
            ),
            "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), \
             (2, true), (2, false)"
                .to_owned(),
        ];
        let files: &[_] = &[
            (
                "00001_persons.sql",
                "-- +goose Up\nCREATE TABLE persons (id int);\n-- +goose Down\nDROP TABLE \
                 persons;\n",
            ),
            (
                "00002_more.sql",
                "-- +goose Up\nCREATE TABLE more (id int);\n-- +goose Down\nDROP TABLE more;\n",
            ),
        ];
        let (tool, table) = ("goose", "goose_db_version");
        let (says, left) = ("no checksum to compare", "00002");
        taken_over(kind, &Case { tool, files, history, table, says, left });
    }
}

#[test]
fn flyway() {
    for kind in ALL {
        let time = if kind == Kind::Sqlite { "text" } else { "timestamp" };
        let history = vec![
            format!(
                "CREATE TABLE flyway_schema_history (installed_rank int NOT NULL PRIMARY KEY, \
                 version varchar(50), description varchar(200) NOT NULL, type varchar(20) NOT \
                 NULL, script varchar(1000) NOT NULL, checksum int, installed_by varchar(100) \
                 NOT NULL, installed_on {time} NOT NULL DEFAULT CURRENT_TIMESTAMP, \
                 execution_time int NOT NULL, success boolean NOT NULL)"
            ),
            "CREATE INDEX flyway_schema_history_s_idx ON flyway_schema_history (success)".to_owned(),
            "INSERT INTO flyway_schema_history (installed_rank, version, description, type, script, \
             checksum, installed_by, execution_time, success) VALUES \
             (1, '1', 'persons', 'SQL', 'V1__persons.sql', 1867760328, 'ann', 5, true)"
                .to_owned(),
        ];
        let files: &[_] = &[("V1__persons.sql", PERSONS), ("V2__more.sql", MORE)];
        let (tool, table) = ("Flyway", "flyway_schema_history");
        let (says, left) = ("persons: same", "2");
        taken_over(kind, &Case { tool, files, history, table, says, left });
    }
}

#[test]
fn atlas_sums_up_all_files_so_far() {
    for kind in ALL {
        let json = if kind == Kind::Postgres { "jsonb" } else { "json" };
        let history = vec![
            format!(
                "CREATE TABLE atlas_schema_revisions (version varchar(255) NOT NULL PRIMARY KEY, \
                 description varchar(255) NOT NULL, type bigint NOT NULL DEFAULT 2, applied bigint \
                 NOT NULL DEFAULT 0, total bigint NOT NULL DEFAULT 0, executed_at timestamp NOT \
                 NULL, execution_time bigint NOT NULL, error text NULL, error_stmt text NULL, \
                 hash varchar(255) NOT NULL, partial_hashes {json} NULL, operator_version \
                 varchar(255) NOT NULL)"
            ),
            "INSERT INTO atlas_schema_revisions VALUES ('20240101000000', 'a', 2, 2, 2, \
             '2024-01-01 00:00:00', 5, NULL, NULL, \
             'StUse5pRJuVLaoHq9bkxvmXRZNW+hvDDvPgxt3rvH/Y=', NULL, 'Atlas CLI v0.30.0')"
                .to_owned(),
        ];
        let files: &[_] = &[
            ("20240101000000_a.sql", PERSONS),
            ("20240102000000_b.sql", MORE),
            ("atlas.sum", "h1:x=\n20240101000000_a.sql h1:y=\n20240102000000_b.sql h1:z=\n"),
        ];
        let (tool, table) = ("Atlas", "atlas_schema_revisions");
        let (says, left) = ("a: same", "20240102000000");
        taken_over(kind, &Case { tool, files, history, table, says, left });
    }
}

#[test]
fn prisma() {
    for kind in ALL {
        let time = if kind == Kind::Postgres { "timestamptz" } else { "timestamp" };
        let history = vec![
            format!(
                "CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY NOT NULL, checksum \
                 varchar(64) NOT NULL, finished_at {time} NULL, migration_name varchar(255) NOT \
                 NULL, logs text, rolled_back_at {time} NULL, started_at {time} NOT NULL DEFAULT \
                 CURRENT_TIMESTAMP, applied_steps_count integer NOT NULL DEFAULT 0)"
            ),
            "INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name) VALUES \
             ('b2c1a5f0-0000-4000-8000-000000000001', \
             '57a1612773f58ee2cc530b7d1b6d23593e4a9056708d58375effdb4a8cd7927a', \
             CURRENT_TIMESTAMP, '20240101000000_persons')"
                .to_owned(),
        ];
        let files: &[_] = &[
            ("20240101000000_persons/migration.sql", PERSONS),
            ("20240102000000_more/migration.sql", MORE),
            ("migration_lock.toml", "provider = \"postgresql\"\n"),
        ];
        let (tool, table) = ("Prisma", "_prisma_migrations");
        let (says, left) = ("persons: same", "20240102000000");
        taken_over(kind, &Case { tool, files, history, table, says, left });
    }
}

#[test]
fn liquibase() {
    for kind in ALL {
        let time = if kind == Kind::Postgres { "timestamp" } else { "datetime" };
        let history = vec![
            format!(
                "CREATE TABLE DATABASECHANGELOG (ID varchar(255) NOT NULL, AUTHOR varchar(255) NOT \
                 NULL, FILENAME varchar(255) NOT NULL, DATEEXECUTED {time} NOT NULL, ORDEREXECUTED \
                 int NOT NULL, EXECTYPE varchar(10) NOT NULL, MD5SUM varchar(35), DESCRIPTION \
                 varchar(255), COMMENTS varchar(255), TAG varchar(255), LIQUIBASE varchar(20), \
                 CONTEXTS varchar(255), LABELS varchar(255), DEPLOYMENT_ID varchar(10))"
            ),
            format!(
                "CREATE TABLE DATABASECHANGELOGLOCK (ID int NOT NULL PRIMARY KEY, LOCKED boolean \
                 NOT NULL, LOCKGRANTED {time}, LOCKEDBY varchar(255))"
            ),
            "INSERT INTO DATABASECHANGELOGLOCK VALUES (1, false, NULL, NULL)".to_owned(),
            "INSERT INTO DATABASECHANGELOG VALUES ('1', 'ann', 'changelog.sql', \
             '2024-01-01 00:00:00', 1, 'EXECUTED', '9:0123456789abcdef0123456789abcdef', 'sql', '', \
             NULL, '4.31.1', NULL, NULL, '4000000000')"
                .to_owned(),
        ];
        let files: &[_] = &[(
            "changelog.sql",
            "--liquibase formatted sql\n\n--changeset ann:1\nCREATE TABLE persons (id int);\n\
             --rollback DROP TABLE persons;\n\n--changeset ann:2\nCREATE TABLE more (id int);\n\
             --rollback DROP TABLE more;\n",
        )];
        let (tool, table) = ("Liquibase", "DATABASECHANGELOG");
        let (says, left) = ("its checksum cannot be compared", "ann:2");
        taken_over(kind, &Case { tool, files, history, table, says, left });
    }
}

/// Checksums as Liquibase 4.28.0 wrote them after `liquibase update` of this very file.
#[test]
fn what_liquibase_itself_wrote_is_the_same() {
    let project = Project::new(Kind::Sqlite);
    project.write("changelog.sql", include_str!("../../testdata/adopt/liquibase.sql"));
    let sums = [
        ("mina", "9:bba029c06ff14c4d76ddc7191e1a3bbf"),
        ("mina", "9:b9e4db9c61e48b258e340635c481d305"),
        ("mina", "9:332a9efeb871f97998bd8611e43f7188"),
        ("joon", "9:7cfa0a20a3e00898217548e391a2e359"),
        ("joon", "9:ece432937aa9a257f3fe285588bbcc1c"),
        ("joon", "9:d2fa1bae60032538b6fab7e26357e0d7"),
        ("joon", "9:3b28d514d9ed42ac994005dbac8edea3"),
    ];
    project.execute(&[
        "CREATE TABLE DATABASECHANGELOG (ID text, AUTHOR text, FILENAME text, DATEEXECUTED text, \
         ORDEREXECUTED int, EXECTYPE text, MD5SUM text)",
        "CREATE TABLE DATABASECHANGELOGLOCK (ID int, LOCKED boolean, LOCKGRANTED text, LOCKEDBY \
         text)",
        "INSERT INTO DATABASECHANGELOGLOCK VALUES (1, false, NULL, NULL)",
    ]);
    for (number, (author, sum)) in (1..).zip(sums) {
        project.execute(&[&format!(
            "INSERT INTO DATABASECHANGELOG VALUES ('{number}', '{author}', 'changelog.sql', \
             '2026-01-01', {number}, 'EXECUTED', '{sum}')"
        )]);
    }
    let answer = project.expect(0, &["adopt", "--yes"]);
    answer.says("adopted: 7 migrations").never_says("cannot be compared");
    for (number, (author, _)) in (1..).zip(sums) {
        // What runs whenever it changes is kept under a name of its own.
        let version = if number == 4 || number == 7 { "R:" } else { "" };
        answer.says(&format!("{version}{author}:{number} : same"));
    }
    project.expect(0, &["status"]).says("7 applied, 0 pending");
}

#[test]
fn f04_liquibase_that_holds_its_lock_is_left_alone() {
    let project = Project::new(Kind::Sqlite);
    project.write("changelog.sql", "--liquibase formatted sql\n--changeset ann:1\nSELECT 1;\n");
    project.execute(&[
        "CREATE TABLE DATABASECHANGELOG (ID text, AUTHOR text, FILENAME text, ORDEREXECUTED int, \
         EXECTYPE text, MD5SUM text)",
        "CREATE TABLE DATABASECHANGELOGLOCK (ID int, LOCKED boolean, LOCKGRANTED text, LOCKEDBY \
         text)",
        "INSERT INTO DATABASECHANGELOGLOCK VALUES (1, true, '2024-01-01', 'build-7 (10.0.0.7)')",
    ]);
    let answer = project.expect(1, &["adopt", "--yes"]);
    answer.says("the lock of Liquibase is taken by build-7").says("release-locks");
}

/// The tables and rows of Sqitch 1.3.1 after `sqitch deploy --to orders`.
fn sqitch_history(kind: Kind) -> (String, Vec<String>) {
    let (schema, quoted) = match kind {
        Kind::Postgres => ("sqitch", "change"),
        Kind::Mariadb | Kind::Mysql => ("sqitch", "`change`"),
        Kind::Sqlite => ("main", "change"),
    };
    let table = format!("{schema}.changes");
    let history = vec![
        format!(
            "CREATE TABLE {table} (change_id varchar(40) PRIMARY KEY, script_hash varchar(40) NULL, \
             {quoted} varchar(255) NOT NULL, project varchar(255) NOT NULL, note varchar(255) NOT \
             NULL DEFAULT '', committed_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, \
             committer_name varchar(255) NOT NULL, committer_email varchar(255) NOT NULL, \
             planned_at timestamp NOT NULL, planner_name varchar(255) NOT NULL, planner_email \
             varchar(255) NOT NULL)"
        ),
        format!(
            "INSERT INTO {table} VALUES ('00911f31e059f1e51965855122e43510af584388', \
             'aa43361f70d114b20f0c34ef062c78eaee9eedba', 'orders', 'shop', 'Who orders.', \
             '2026-01-02 12:38:45', 'Ann', 'ann@shop.example', '2026-01-02 12:38:39', 'Ann', \
             'ann@shop.example')"
        ),
    ];
    (table, history)
}

fn sqitch_files(project: &Project) {
    for (path, text) in [
        ("sqitch.conf", "[core]\n\tengine = pg\n"),
        (
            "sqitch.plan",
            "%syntax-version=1.0.0\n%project=shop\n\norders 2026-01-02T12:38:39Z Ann \
             <ann@shop.example> # Who orders.\nnote [orders] 2026-01-02T12:38:41Z Ann \
             <ann@shop.example> # A note.\n",
        ),
        ("deploy/orders.sql", "BEGIN;\nCREATE TABLE orders (id int);\nCOMMIT;\n"),
        ("revert/orders.sql", "BEGIN;\nDROP TABLE orders;\nCOMMIT;\n"),
        ("deploy/note.sql", "ALTER TABLE orders ADD COLUMN note varchar(20);\n"),
        ("revert/note.sql", "ALTER TABLE orders DROP COLUMN note;\n"),
    ] {
        let path = project.migration(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

#[test]
fn sqitch_in_a_schema_of_its_own() {
    let project = Project::new(Kind::Postgres);
    sqitch_files(&project);
    let (table, history) = sqitch_history(Kind::Postgres);
    project.execute(&["CREATE TABLE orders (id int)", "CREATE SCHEMA sqitch"]);
    project.execute(&history.iter().map(String::as_str).collect::<Vec<_>>());
    let rows = format!("SELECT * FROM {table}");
    let before = project.query(&rows);
    let answer = project.expect(0, &["adopt", "--yes"]);
    answer.says("history of Sqitch").says("orders: same").says("adopted: 1");
    project.expect(0, &["apply", "--yes"]).says("applied: note");
    assert_eq!(project.query(&rows), before);
    project.write("deploy/orders.sql", "CREATE TABLE orders (id bigint);\n");
    project.execute(&["DROP VIEW lockwise_history", "DROP TABLE lockwise_journal"]);
    project.expect(1, &["adopt", "--yes"]).says("deploy/orders.sql is not what Sqitch applied");
}

#[test]
fn sqitch_in_a_file_beside_the_database() {
    let project = Project::new(Kind::Sqlite);
    sqitch_files(&project);
    project.execute(&["CREATE TABLE orders (id int)"]);
    let registry = project.path().join("sqitch.db");
    let (_, history) = sqitch_history(Kind::Sqlite);
    let script = format!("{};", history.join(";\n"));
    let done = std::process::Command::new("sqlite3").arg(&registry).arg(script).status().unwrap();
    assert!(done.success());
    let before = std::fs::read(&registry).unwrap();
    project.expect(0, &["adopt", "--yes"]).says("history of Sqitch").says("orders: same");
    project.expect(0, &["apply", "--yes"]).says("applied: note");
    assert_eq!(std::fs::read(&registry).unwrap(), before);
}

#[test]
fn a_tool_that_runs_is_left_alone() {
    let crc = |text: &str| i64::from(lockwise::plan::adopt::checksum::crc32(text.as_bytes()));
    let project = Project::new(Kind::Postgres);
    let database = project.url.rsplit('/').next().unwrap().to_owned();
    project.write("V1__persons.sql", PERSONS);
    let sqlx = 0x3d32_ad9e_i64.wrapping_mul(crc(&database));
    let rails = 2_053_462_845_i64.wrapping_mul(crc(&database));
    for (ddl, drop, key, tool) in [
        (
            "CREATE TABLE _sqlx_migrations (version bigint, success boolean, checksum bytea)",
            "DROP TABLE _sqlx_migrations",
            sqlx,
            "sqlx",
        ),
        (
            "CREATE TABLE schema_migrations (version varchar PRIMARY KEY)",
            "DROP TABLE schema_migrations",
            rails,
            "dbmate or Rails",
        ),
        (
            "CREATE TABLE goose_db_version (id int, version_id bigint, is_applied boolean)",
            "DROP TABLE goose_db_version",
            4_097_083_626,
            "goose",
        ),
        (
            "CREATE TABLE _prisma_migrations (migration_name text, checksum text, started_at \
             timestamptz, finished_at timestamptz, rolled_back_at timestamptz)",
            "DROP TABLE _prisma_migrations",
            72_707_369,
            "Prisma",
        ),
    ] {
        project.execute(&[ddl]);
        let mut other = project.session();
        other.execute(&format!("SELECT pg_advisory_lock({key})"));
        let answer = project.expect(1, &["adopt", "--yes"]);
        answer.says(&format!("{tool} holds its migration lock: it is running"));
        other.execute(drop);
    }
}

#[test]
fn the_tool_can_be_named() {
    let project = Project::new(Kind::Sqlite);
    project.write("20240101000000_persons.sql", PERSONS);
    project.execute(&[
        "CREATE TABLE schema_migrations (version varchar PRIMARY KEY)",
        "CREATE TABLE __diesel_schema_migrations (version varchar PRIMARY KEY, run_on text)",
        "INSERT INTO schema_migrations VALUES ('20240101000000')",
    ]);
    project.expect(0, &["adopt"]).says("history of diesel").says("nothing to take over");
    project.expect(0, &["adopt", "--from", "rails", "--yes"]).says("adopted: 1");
    project.expect(2, &["adopt", "--from", "flywya"]).says("flyway");
}
