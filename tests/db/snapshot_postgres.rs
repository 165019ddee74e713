//! PostgreSQL snapshots against pg_dump.

use std::collections::BTreeSet;
use std::process::Command;

use lockwise::db::{Snapshot, SnapshotOptions, load, snapshot};
use lockwise::schema::Name;
use lockwise::sql::ServerKind;

use crate::support::{Database, run};

/// Dumps a schema with the server's own tool.
pub(crate) fn dump(database: &Database) -> Option<String> {
    let url = std::env::var("LOCKWISE_TEST_POSTGRES").expect("set by tests/run");
    let url = format!("{}/{}", url.rsplit_once('/').expect("a path").0, database.name());
    let output = Command::new("pg_dump").args(["--schema-only", &url]).output().expect("pg_dump");
    let error = String::from_utf8_lossy(&output.stderr);
    if error.contains("server version mismatch") {
        // An older pg_dump; the snapshots are compared all the same.
        return None;
    }
    assert!(output.status.success(), "{error}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // Since a security release, dumps carry a random word.
    let lines = text.lines().filter(|line| !line.contains("restrict"));
    Some(lines.collect::<Vec<_>>().join("\n"))
}

/// Splits a script at lines of two semicolons; `-- since 15` is for that version and later ones.
pub(crate) fn statements(script: &str, major: u16) -> impl Iterator<Item = &str> {
    let pieces = script.split("\n;;\n").map(str::trim).filter(|sql| !sql.is_empty());
    pieces.filter(move |sql| {
        let since = sql.strip_prefix("-- since ").and_then(|rest| rest.split('\n').next());
        since.is_none_or(|since| since.parse::<u16>().expect("a version") <= major)
    })
}

async fn check(script: &str, options: SnapshotOptions) -> Snapshot {
    let source = Database::new(ServerKind::Postgres).await;
    let copy = Database::new(ServerKind::Postgres).await;
    let mut from = source.connect().await;
    let major = from.server().version.major;
    for sql in statements(script, major) {
        from.execute(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    }
    let taken = snapshot(&mut from, &options).await.expect("snapshot");
    assert_eq!(Snapshot::from_file(&taken.to_file()).expect("file"), taken);
    let mut to = copy.connect().await;
    let report = load(&mut to, &taken).await.unwrap_or_else(|error| {
        panic!("{error:?} {:?}\n{}", error.cause(), taken.text());
    });
    assert!(report.skipped.is_empty(), "{:?}", report.skipped);
    if let (Some(got), Some(wanted)) = (dump(&copy), dump(&source)) {
        similar_asserts(&got, &wanted, &taken);
    }
    let again = snapshot(&mut to, &options).await.expect("snapshot");
    similar_asserts(&again.text(), &taken.text(), &taken);
    assert_eq!(again.fingerprint(), taken.fingerprint());
    drop((from, to));
    source.drop().await;
    copy.drop().await;
    taken
}

/// Compares two texts and shows the difference.
pub(crate) fn similar_asserts(got: &str, wanted: &str, taken: &Snapshot) {
    if got != wanted {
        let diff = similar::TextDiff::from_lines(wanted, got);
        panic!("{}\n{}", diff.unified_diff(), taken.text());
    }
}

#[test]
fn a_snapshot_loads_into_an_empty_database_and_dumps_the_same() {
    run(async {
        let options = SnapshotOptions { sizes: true, ..SnapshotOptions::default() };
        let taken = check(include_str!("schema_postgres.sql"), options).await;
        assert!(taken.objects.len() > 80, "{}", taken.objects.len());
        assert!(taken.sizes.contains_key(&Name::new("shop", "orders")));
        let index = taken.object("index", &Name::new("shop", "orders_broken"));
        assert_eq!(index.and_then(|index| index.note.as_deref()), Some("invalid"));
    });
}

#[test]
fn what_a_list_defines_dumps_the_same() {
    run(async {
        let taken = check(include_str!("schema_definitions.sql"), SnapshotOptions::default()).await;
        let kinds: BTreeSet<&str> = taken.objects.iter().map(|one| one.kind.as_str()).collect();
        for kind in [
            "language",
            "access-method",
            "foreign-data-wrapper",
            "server",
            "user-mapping",
            "foreign-table",
            "collation",
            "conversion",
            "text-search-parser",
            "text-search-template",
            "text-search-dictionary",
            "text-search-configuration",
            "cast",
            "transform",
            "operator",
            "operator-family",
            "operator-class",
            "operator-family-members",
            "shell-type",
            "aggregate",
        ] {
            assert!(kinds.contains(kind), "{kind} is not among {kinds:?}");
        }
    });
}

#[test]
fn a_subscription_is_seen_without_its_connection() {
    run(async {
        let database = Database::new(ServerKind::Postgres).await;
        let mut connection = database.connect().await;
        let name = format!("{}_sub", database.name());
        let create = format!(
            "CREATE SUBSCRIPTION {name} CONNECTION 'host=127.0.0.1 password=geheim' PUBLICATION p \
             WITH (connect = false, slot_name = NONE)"
        );
        connection.execute(&create).await.expect("a subscription");
        let taken = snapshot(&mut connection, &SnapshotOptions::default()).await.expect("snapshot");
        let seen = taken.object("subscription", &Name::new("", name.clone()));
        let sql = seen.expect("it").sql();
        assert!(sql.contains("slot_name = NONE") && !sql.contains("geheim"), "{sql}");
        connection.execute(&format!("DROP SUBSCRIPTION {name}")).await.expect("drop");
        drop(connection);
        database.drop().await;
    });
}

#[test]
fn a_snapshot_inside_a_transaction_sees_it_and_leaves_the_session_as_it_was() {
    run(async {
        let database = Database::new(ServerKind::Postgres).await;
        let mut connection = database.connect().await;
        connection.execute("SET search_path = pg_catalog, public").await.expect("set");
        connection.begin().await.expect("begin");
        connection.execute("CREATE TABLE public.t (id int)").await.expect("ddl");
        let options = SnapshotOptions::default();
        let taken = snapshot(&mut connection, &options).await.expect("snapshot");
        assert!(taken.object("table", &Name::new("public", "t")).is_some());
        let path = connection.query("SHOW search_path").await.expect("show");
        assert_eq!(path.scalar(), Some("pg_catalog, public"));
        connection.rollback().await.expect("rollback");
        let taken = snapshot(&mut connection, &options).await.expect("snapshot");
        assert!(taken.objects.is_empty());
        drop(connection);
        database.drop().await;
    });
}

#[test]
fn owners_and_grants_are_kept_on_request() {
    run(async {
        let role = format!("lw_role_{}", std::process::id());
        let script = format!(
            "CREATE ROLE {role}\n;;\nCREATE TABLE t (id int, secret text)\n;;\n\
             ALTER TABLE t OWNER TO {role}\n;;\nGRANT SELECT (id) ON t TO PUBLIC\n;;\n\
             CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'\n;;\n\
             REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC\n;;\n\
             GRANT USAGE ON SCHEMA public TO {role} WITH GRANT OPTION\n;;\n\
             ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {role}"
        );
        let options = SnapshotOptions { owners: true, ..SnapshotOptions::default() };
        let taken = check(&script, options).await;
        assert!(taken.roles.contains(&role));
        let database = Database::new(ServerKind::Postgres).await;
        database.connect().await.execute(&format!("DROP ROLE {role}")).await.expect("drop");
        database.drop().await;
    });
}

#[test]
fn ten_thousand_tables_take_seconds() {
    run(async {
        let database = Database::new(ServerKind::Postgres).await;
        let mut connection = database.connect().await;
        let make = "DO $$ BEGIN FOR i IN 1..10000 LOOP EXECUTE format('CREATE TABLE t%s (id bigint \
                    PRIMARY KEY, name varchar(9) NOT NULL DEFAULT ''x'', other_id bigint CHECK \
                    (other_id > 0))', i); IF i % 200 = 0 THEN COMMIT; END IF; END LOOP; END $$";
        connection.execute(make).await.expect("tables");
        let started = std::time::Instant::now();
        let options = SnapshotOptions { sizes: true, ..SnapshotOptions::default() };
        let taken = snapshot(&mut connection, &options).await.expect("snapshot");
        let took = started.elapsed();
        assert_eq!(taken.objects.len(), 10_000);
        let names = BTreeSet::from([Name::new("public", "t5000")]);
        assert_ne!(taken.fingerprint_of(&names), taken.fingerprint());
        assert!(took.as_secs() < 15, "{took:?}");
        drop(connection);
        database.drop().await;
    });
}
