//! SQLite snapshots against the file's own schema.

use std::collections::BTreeSet;

use lockwise::db::{Connection, Snapshot, SnapshotOptions, load, snapshot};
use lockwise::schema::Name;
use lockwise::sql::ServerKind;

use crate::support::{Database, run};

const SCHEMA: &[&str] = &[
    "CREATE TABLE customers (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE)",
    "CREATE TABLE orders (\n  id INTEGER PRIMARY KEY, -- the key\n  customer_id INTEGER NOT NULL \
     REFERENCES customers (id) ON DELETE CASCADE,\n  total REAL CHECK (total >= 0)\n) STRICT",
    "CREATE INDEX orders_customer ON orders (customer_id) WHERE total > 0",
    "CREATE VIEW big AS SELECT * FROM orders WHERE total > 100 -- big ones",
    "CREATE TRIGGER t AFTER INSERT ON orders BEGIN UPDATE customers SET email = 'a;b'; END",
    "CREATE VIRTUAL TABLE words USING fts5(body)",
    "CREATE TABLE \"odd name\" (b PRIMARY KEY, a GENERATED ALWAYS AS (b + 1)) WITHOUT ROWID",
    "PRAGMA user_version = 7",
];

async fn schema_of(connection: &mut Connection) -> Vec<String> {
    let sql =
        "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1";
    let rows = connection.query(sql).await.expect("schema");
    rows.iter().map(|row| row.text(0).to_owned()).collect()
}

#[test]
fn a_snapshot_loads_into_an_empty_file_and_gives_the_same_schema() {
    run(async {
        let (source, copy) =
            (Database::new(ServerKind::Sqlite).await, Database::new(ServerKind::Sqlite).await);
        let mut from = source.connect().await;
        let wrong =
            "CREATE TABLE \"odd name\" (a GENERATED ALWAYS AS (1) VIRTUAL, b) WITHOUT ROWID";
        for sql in SCHEMA.iter().filter(|sql| **sql != wrong) {
            from.execute(sql).await.expect(sql);
        }
        let options = SnapshotOptions { sizes: true, ..SnapshotOptions::default() };
        let taken = snapshot(&mut from, &options).await.expect("snapshot");
        assert_eq!(Snapshot::from_file(&taken.to_file()).expect("file"), taken);
        let mut to = copy.connect().await;
        assert!(load(&mut to, &taken).await.expect("load").skipped.is_empty());
        assert_eq!(schema_of(&mut to).await, schema_of(&mut from).await);
        let again = snapshot(&mut to, &options).await.expect("snapshot");
        assert_eq!(again.text(), taken.text());
        let orders = BTreeSet::from([Name::new("main", "orders")]);
        let before = taken.fingerprint_of(&orders);
        to.execute("DROP INDEX orders_customer").await.expect("drop");
        let after = snapshot(&mut to, &options).await.expect("snapshot");
        assert_ne!(after.fingerprint_of(&orders), before);
        assert_ne!(after.fingerprint(), taken.fingerprint());
    });
}
