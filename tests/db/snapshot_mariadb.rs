//! MariaDB snapshots against mariadb-dump.

use std::process::Command;

use lockwise::db::{Scope, Snapshot, SnapshotOptions, load, snapshot, snapshot_of};
use lockwise::schema::Name;
use lockwise::sql::ServerKind;

use crate::snapshot_postgres::{similar_asserts, statements};
use crate::support::{Database, run};

/// Dumps a schema with the server's own tool; keys of a table are sorted, since their order means
/// nothing, and counters are taken out.
fn dump(database: &Database) -> String {
    let url = std::env::var("LOCKWISE_TEST_MARIADB").expect("set by tests/run");
    let place = url.split("://").nth(1).expect("a URL").split('/').next().expect("a host");
    let (login, address) = place.split_once('@').expect("a login");
    let (host, port) = address.split_once(':').unwrap_or((address, "3306"));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let mut command = Command::new("mariadb-dump");
    command.args(["--no-defaults", "-h", host, "-P", port, "-u", user, "--protocol=tcp"]);
    command.args(["--no-data", "--routines", "--events", "--triggers", "--skip-comments"]);
    command.arg(format!("--password={password}")).arg(database.name());
    let output = command.output().expect("mariadb-dump");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).replace(database.name(), "the_database");
    let mut lines: Vec<String> = Vec::new();
    let mut keys: Vec<String> = Vec::new();
    for line in text.lines() {
        let words = line.trim_start().trim_end_matches(',');
        let is_key = ["UNIQUE KEY", "KEY", "FULLTEXT KEY", "SPATIAL KEY", "CONSTRAINT"];
        if is_key.iter().any(|word| words.starts_with(word)) {
            keys.push(words.to_owned());
            continue;
        }
        keys.sort();
        lines.append(&mut keys);
        let rest = line.split(' ').filter(|word| !word.starts_with("AUTO_INCREMENT="));
        lines.push(rest.collect::<Vec<_>>().join(" ").trim_end_matches(',').to_owned());
    }
    lines.join("\n")
}

async fn check(script: &str) -> Snapshot {
    let source = Database::new(ServerKind::Mariadb).await;
    let copy = Database::new(ServerKind::Mariadb).await;
    let mut from = source.connect().await;
    let major = from.server().version.major;
    for sql in statements(script, major) {
        from.execute(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    }
    let options = SnapshotOptions { sizes: true, ..SnapshotOptions::default() };
    let taken = snapshot(&mut from, &options).await.expect("snapshot");
    assert_eq!(Snapshot::from_file(&taken.to_file()).expect("file"), taken);
    let mut to = copy.connect().await;
    let report = load(&mut to, &taken).await.unwrap_or_else(|error| {
        panic!("{error:?} {:?}\n{}", error.cause(), taken.text());
    });
    assert!(report.skipped.is_empty(), "{:?}", report.skipped);
    similar_asserts(&dump(&copy), &dump(&source), &taken);
    let again = snapshot(&mut to, &options).await.expect("snapshot");
    similar_asserts(&again.text(), &taken.text(), &taken);
    drop((from, to));
    source.drop().await;
    copy.drop().await;
    taken
}

#[test]
fn a_snapshot_loads_into_an_empty_database_and_dumps_the_same() {
    run(async {
        let taken = check(include_str!("schema_mariadb.sql")).await;
        assert!(taken.objects.len() > 20, "{}", taken.objects.len());
        let customers = Name::new("", "customers");
        assert!(taken.sizes.contains_key(&customers));
        let table = taken.object("table", &customers).expect("the table").sql();
        assert!(!table.contains("AUTO_INCREMENT="), "{table}");
    });
}

#[test]
fn the_mode_that_a_routine_was_made_under_is_kept() {
    run(async {
        let script = "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'\n;;\n\
             CREATE FUNCTION f() RETURNS varchar(9) NO SQL RETURN '\\'\n;;\n\
             SET SESSION sql_mode = DEFAULT";
        let taken = check(script).await;
        let routine = taken.object("function", &Name::new("", "f")).expect("it");
        assert!(routine.sql().contains("ANSI_QUOTES"), "{}", routine.sql());
    });
}

#[test]
fn more_tables_than_the_server_keeps_open_are_read_in_parts() {
    run(async {
        let database = Database::new(ServerKind::Mariadb).await;
        let mut connection = database.connect().await;
        let cache = connection.query("SELECT @@table_definition_cache").await.expect("a number");
        let count = cache.first().expect("a row").count(0);
        // Two names that differ in case alone stand on either side of the other letters.
        let number = |at: u64| if at == 0 { "T0001".to_owned() } else { format!("t{at:04}") };
        for at in 0..count {
            let parent = number(at.saturating_sub(1));
            let sql = format!(
                "CREATE TABLE {} (id int PRIMARY KEY, CHECK (id > {at}), CONSTRAINT f{at} \
                 FOREIGN KEY (id) REFERENCES {parent} (id))",
                number(at)
            );
            connection.execute(&sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
        }
        let options = SnapshotOptions { sizes: true, ..SnapshotOptions::default() };
        let taken = snapshot(&mut connection, &options).await.expect("snapshot");
        let names = |kind: &str| -> Vec<String> {
            let objects = taken.objects.iter().filter(|object| object.kind == kind);
            objects.map(|object| object.name.name.clone()).collect()
        };
        let wanted: Vec<String> = (0..count).map(number).collect();
        assert_eq!(names("table"), wanted);
        assert_eq!(names("foreign-key").len(), wanted.len());
        assert_eq!(taken.sizes.len(), wanted.len());
        let scope = Scope { relations: wanted.into_iter().collect(), ..Scope::default() };
        let each = snapshot_of(&mut connection, &options, &scope).await.expect("snapshot");
        assert_eq!(each.text(), taken.text());
        drop(connection);
        database.drop().await;
    });
}
