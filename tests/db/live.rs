//! What the live database is doing, and what a statement really did.

use std::collections::BTreeSet;

use lockwise::db::{dependents, held_locks, live_queries, observe, pooler};
use lockwise::schema::Name;
use lockwise::sql::ServerKind;

use crate::support::{ALL, on_each};

fn table(kind: ServerKind, name: &str) -> Name {
    match kind {
        ServerKind::Postgres => Name::new("public", name),
        ServerKind::Mysql | ServerKind::Mariadb => Name::new("", name),
        ServerKind::Sqlite => Name::new("main", name),
    }
}

#[test]
fn rewrites_are_seen_and_plain_changes_are_none() {
    on_each(&ALL[..2], async |database| {
        let mut connection = database.connect().await;
        connection.execute("CREATE TABLE t (id int, name varchar(20))").await.expect("ddl");
        let before = observe(&mut connection).await.expect("observe");
        connection.execute("ALTER TABLE t ADD COLUMN a int").await.expect("ddl");
        let instant = observe(&mut connection).await.expect("observe");
        assert_eq!(instant.rewritten_since(&before), []);
        let rewrite = match database.kind {
            ServerKind::Postgres => "ALTER TABLE t ALTER COLUMN id TYPE bigint",
            _ => "ALTER TABLE t MODIFY COLUMN id bigint",
        };
        connection.execute(rewrite).await.expect("ddl");
        let after = observe(&mut connection).await.expect("observe");
        assert_eq!(after.rewritten_since(&before), [table(database.kind, "t")]);
    });
}

#[test]
fn locks_and_scans_of_a_transaction_are_seen() {
    on_each(&[ServerKind::Postgres], async |database| {
        let mut connection = database.connect().await;
        connection.execute("CREATE TABLE t (id int)").await.expect("ddl");
        connection.begin().await.expect("begin");
        let before = observe(&mut connection).await.expect("observe");
        assert!(before.locks.is_empty());
        connection.execute("ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0)").await.expect("ddl");
        let after = observe(&mut connection).await.expect("observe");
        let name = table(database.kind, "t");
        assert_eq!(after.locks.get(&name).map(String::as_str), Some("ACCESS EXCLUSIVE"));
        assert_eq!(after.scanned_since(&before), std::slice::from_ref(&name));
        assert_eq!(after.rewritten_since(&before), []);
        let mut other = database.connect().await;
        let held = held_locks(&mut other, &BTreeSet::from([name])).await.expect("locks");
        let held = held.expect("PostgreSQL always says");
        assert!(held.iter().any(|lock| {
            lock.mode == "AccessExclusiveLock" && lock.holder.backend == connection.backend_id()
        }));
    });
}

#[test]
fn what_hangs_on_a_table_is_named() {
    on_each(&[ServerKind::Postgres], async |database| {
        let mut connection = database.connect().await;
        for sql in [
            "CREATE TABLE parents (id int PRIMARY KEY)",
            "CREATE TABLE children (id int, parent_id int, CONSTRAINT to_parent \
             FOREIGN KEY (parent_id) REFERENCES parents (id))",
            "CREATE VIEW readers AS SELECT id FROM parents",
        ] {
            connection.execute(sql).await.expect("ddl");
        }
        let names = BTreeSet::from([table(database.kind, "parents")]);
        let found = dependents(&mut connection, &names).await.expect("dependents");
        let found: Vec<(&str, &str)> =
            found.iter().map(|one| (one.kind.as_str(), one.name.as_str())).collect();
        let wanted = [("foreign-key", "to_parent on children"), ("view", "public.readers")];
        assert_eq!(found, wanted);
    });
}

#[test]
fn the_queries_that_a_server_keeps_can_be_asked_for() {
    on_each(ALL, async |database| {
        let mut connection = database.connect().await;
        // Whether the server keeps queries is its own business; asking must not fail.
        live_queries(&mut connection, 10).await.expect("queries");
    });
}

#[test]
fn a_direct_session_shows_no_pooler() {
    on_each(ALL, async |database| {
        let mut connection = database.connect().await;
        let seen = pooler(&database.target, &mut connection).await.expect("probed");
        assert_eq!(seen, None);
    });
}
