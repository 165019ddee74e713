//! MySQL itself: `tests/run --with-mysql --test mysql` starts one and sets `LOCKWISE_TEST_MYSQL`.
//!
//! Not part of plain `cargo test`, since Debian has no MySQL in its stable releases.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::indexing_slicing, clippy::wildcard_enum_match_arm)]

#[path = "../db/support.rs"]
mod support;

use lockwise::db::{
    Connection, Event, Journal, JournalOptions, LockOptions, MigrationLock, NewEntry, Snapshot,
    SnapshotOptions, load, observe, snapshot,
};
use lockwise::schema::Name;
use lockwise::sql::ServerKind;

use support::{Database, run};

/// What the server itself says about every table and view.
async fn shown(connection: &mut Connection) -> Vec<String> {
    let names = "SELECT table_name FROM information_schema.tables \
                 WHERE table_schema = database() ORDER BY table_name";
    let names = connection.query(names).await.expect("names");
    let mut shown = Vec::new();
    for row in &names {
        let sql = format!("SHOW CREATE TABLE `{}`", row.text(0).replace('`', "``"));
        let created = connection.query(&sql).await.expect("show");
        let text = created.first().map_or("", |row| row.text(1));
        let mut lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches(',')).collect();
        lines.sort_unstable();
        let text = lines.join("\n").replace(connection.database(), "the_database");
        let words = text.split(' ').filter(|word| !word.starts_with("AUTO_INCREMENT="));
        shown.push(words.collect::<Vec<_>>().join(" "));
    }
    shown
}

#[test]
fn a_snapshot_loads_into_an_empty_database_and_shows_the_same() {
    run(async {
        let source = Database::new(ServerKind::Mysql).await;
        let copy = Database::new(ServerKind::Mysql).await;
        let mut from = source.connect().await;
        for sql in include_str!("schema.sql").split("\n;;\n").map(str::trim) {
            from.execute(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
        }
        let options = SnapshotOptions { sizes: true, ..SnapshotOptions::default() };
        let taken = snapshot(&mut from, &options).await.expect("snapshot");
        assert_eq!(Snapshot::from_file(&taken.to_file()).expect("file"), taken);
        let mut to = copy.connect().await;
        load(&mut to, &taken).await.unwrap_or_else(|error| {
            panic!("{error:?} {:?}\n{}", error.cause(), taken.text());
        });
        assert_eq!(shown(&mut to).await, shown(&mut from).await, "{}", taken.text());
        let again = snapshot(&mut to, &options).await.expect("snapshot");
        assert_eq!(again.text(), taken.text());
        drop((from, to));
        source.drop().await;
        copy.drop().await;
    });
}

#[test]
fn journal_lock_and_rewrites_work() {
    run(async {
        let database = Database::new(ServerKind::Mysql).await;
        let (mut first, mut second) = (database.connect().await, database.connect().await);
        assert_eq!(first.server().kind, ServerKind::Mysql);
        let journal = Journal::new(ServerKind::Mysql, &JournalOptions::default());
        journal.create(&mut first).await.expect("create");
        let entry = NewEntry::new("run", "digest", Event::RunStarted);
        journal.append(&mut first, &[entry]).await.expect("append");
        assert_eq!(journal.read(&mut second).await.expect("read").len(), 1);
        let options = LockOptions { scope: journal.scope(), wait_ms: 0, holder: "test".to_owned() };
        let lock = MigrationLock::acquire(&mut first, &options, |_| {}).await.expect("free");
        assert!(MigrationLock::acquire(&mut second, &options, |_| {}).await.is_err());
        lock.release(&mut first).await.expect("released");
        first.execute("CREATE TABLE t (id int)").await.expect("ddl");
        let before = observe(&mut first).await.expect("observe");
        first.execute("ALTER TABLE t MODIFY COLUMN id bigint").await.expect("ddl");
        let after = observe(&mut first).await.expect("observe");
        assert_eq!(after.rewritten_since(&before), [Name::new("", "t")]);
        drop((first, second));
        database.drop().await;
    });
}
