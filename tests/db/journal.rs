//! Journal and migration lock.

use lockwise::db::{
    Error, ErrorKind, Event, Journal, JournalOptions, LockOptions, MigrationLock, NewEntry,
};

use crate::support::{ALL, on_each};

fn entry(version: &str, event: Event) -> NewEntry {
    NewEntry {
        version: version.to_owned(),
        name: "it's \\ a name".to_owned(),
        step_no: Some(1),
        detail: Some("{\"why\": \"ä 'quoted' \\\\ \"}".to_owned()),
        ..NewEntry::new("run1", "v1:abc", event)
    }
}

#[test]
fn what_is_appended_is_read_back_in_order() {
    on_each(ALL, async |database| {
        let mut connection = database.connect().await;
        let journal = Journal::new(database.kind, &JournalOptions::default());
        assert_eq!(journal.read(&mut connection).await.expect("nothing there"), []);
        journal.create(&mut connection).await.expect("create");
        journal.create(&mut connection).await.expect("create again");
        let entries = [entry("1", Event::Intent), entry("1", Event::MigrationApplied)];
        journal.append(&mut connection, &entries).await.expect("append");
        let read = journal.read(&mut connection).await.expect("read");
        assert_eq!(read.iter().map(|e| e.entry.clone()).collect::<Vec<_>>(), entries);
        assert!(read[0].seq < read[1].seq && read[1].at.ends_with('Z'), "{read:?}");
        assert_eq!(journal.last_seq(&mut connection).await.expect("seq"), read[1].seq);
    });
}

#[test]
fn rows_vanish_with_their_transaction() {
    on_each(ALL, async |database| {
        let mut connection = database.connect().await;
        let journal = Journal::new(database.kind, &JournalOptions::default());
        journal.create(&mut connection).await.expect("create");
        connection.begin().await.expect("begin");
        journal.append(&mut connection, &[entry("1", Event::Applied)]).await.expect("append");
        connection.rollback().await.expect("rollback");
        assert_eq!(journal.read(&mut connection).await.expect("read"), []);
    });
}

#[test]
fn history_shows_what_is_applied_now() {
    on_each(ALL, async |database| {
        let mut connection = database.connect().await;
        let options = JournalOptions { prefix: "my_".to_owned(), ..JournalOptions::default() };
        let journal = Journal::new(database.kind, &options);
        journal.create(&mut connection).await.expect("create");
        let entries = [
            entry("1", Event::MigrationApplied),
            entry("2", Event::MigrationApplied),
            entry("2", Event::MigrationRolledBack),
            entry("3", Event::Baseline),
            entry("3", Event::Intent),
        ];
        journal.append(&mut connection, &entries).await.expect("append");
        let rows = connection.query("SELECT version FROM my_history ORDER BY seq").await;
        let rows = rows.expect("history");
        assert_eq!(rows.iter().map(|row| row.text(0)).collect::<Vec<_>>(), ["1", "3"]);
    });
}

#[test]
fn a_read_only_session_makes_no_journal() {
    on_each(ALL, async |database| {
        let mut connection = database.connect_read_only().await;
        let journal = Journal::new(database.kind, &JournalOptions::default());
        let error = journal.create(&mut connection).await.expect_err("refused");
        assert_eq!(error.cause().map(|cause| cause.kind), Some(ErrorKind::ReadOnly));
        assert!(error.hint().is_some());
        assert!(!journal.exists(&mut connection).await.expect("look"));
    });
}

fn options(wait_ms: u64) -> LockOptions {
    LockOptions {
        scope: "lockwise_journal".to_owned(),
        wait_ms,
        holder: "lockwise/test".to_owned(),
    }
}

#[test]
fn one_run_at_a_time_and_the_holder_is_named() {
    on_each(ALL, async |database| {
        let (mut first, mut second) = (database.connect().await, database.connect().await);
        let lock = MigrationLock::acquire(&mut first, &options(0), |_| {}).await.expect("free");
        let mut seen = Vec::new();
        let brief = options(250);
        let refused = MigrationLock::acquire(&mut second, &brief, |holder| {
            seen.push(holder.cloned());
        });
        let Err(Error::Locked { holder, .. }) = refused.await else { panic!("not refused") };
        let holder = holder.expect("a holder");
        if first.backend_id() > 0 {
            assert_eq!(holder.backend, first.backend_id());
        } else {
            assert_eq!(holder.application, "lockwise/test");
        }
        assert!(!seen.is_empty());
        lock.release(&mut first).await.expect("released");
        let again = MigrationLock::acquire(&mut second, &options(0), |_| {}).await.expect("free");
        again.release(&mut second).await.expect("released");
    });
}

#[test]
fn the_end_of_the_session_frees_the_lock() {
    on_each(ALL, async |database| {
        let (mut first, mut second) = (database.connect().await, database.connect().await);
        let lock = MigrationLock::acquire(&mut first, &options(0), |_| {}).await.expect("free");
        drop(lock);
        first.close().await.expect("closed");
        MigrationLock::acquire(&mut second, &options(5000), |_| {}).await.expect("free again");
    });
}

#[test]
fn a_lost_lock_is_noticed() {
    on_each(&ALL[..2], async |database| {
        let mut connection = database.connect().await;
        let lock =
            MigrationLock::acquire(&mut connection, &options(0), |_| {}).await.expect("free");
        let other_session = &mut database.connect().await;
        assert!(matches!(lock.release(other_session).await, Err(Error::LockLost)));
    });
}
