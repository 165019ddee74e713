//! What a statement really did: locks held, files written anew, tables scanned.
//!
//! Looked at on a shadow database from inside the transaction, to be compared with what was
//! predicted.

use std::collections::BTreeMap;

use super::connection::Connection;
use super::error::{Attempt as _, Error};
use super::rows::Rows;
use crate::schema::Name;
use crate::sql::ServerKind;

/// What can be seen of a session and its database at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// The strongest lock that this session holds on each relation, in the server's words
    /// (PostgreSQL). Locks last to the end of the transaction, so look before that.
    pub locks: BTreeMap<Name, String>,
    /// What holds the rows of each relation: another number means that it was written anew. Zero
    /// where it holds none (views, partitioned tables).
    pub files: BTreeMap<Name, u64>,
    /// How often this transaction has read each table from one end to the other (PostgreSQL).
    pub scans: BTreeMap<Name, u64>,
}

impl Observation {
    /// Returns the relations that were there before and are kept elsewhere now.
    pub fn rewritten_since(&self, before: &Self) -> Vec<Name> {
        let changed = self
            .files
            .iter()
            .filter(|(name, file)| before.files.get(*name).is_some_and(|earlier| earlier != *file));
        changed.map(|(name, _)| name.clone()).collect()
    }

    /// Returns the tables that were there before and were read from end to end since.
    pub fn scanned_since(&self, before: &Self) -> Vec<Name> {
        let scanned = self.scans.iter().filter(|(name, count)| {
            before.files.contains_key(*name)
                && before.scans.get(*name).copied().unwrap_or(0) < **count
        });
        scanned.map(|(name, _)| name.clone()).collect()
    }
}

/// The lock modes of PostgreSQL from weak to strong (manual, 13.3.1).
const MODES: [(&str, &str); 8] = [
    ("AccessShareLock", "ACCESS SHARE"),
    ("RowShareLock", "ROW SHARE"),
    ("RowExclusiveLock", "ROW EXCLUSIVE"),
    ("ShareUpdateExclusiveLock", "SHARE UPDATE EXCLUSIVE"),
    ("ShareLock", "SHARE"),
    ("ShareRowExclusiveLock", "SHARE ROW EXCLUSIVE"),
    ("ExclusiveLock", "EXCLUSIVE"),
    ("AccessExclusiveLock", "ACCESS EXCLUSIVE"),
];

/// Returns the strength and the SQL name of a mode as `pg_locks` prints it.
fn mode(printed: &str) -> Option<(usize, &'static str)> {
    let found = MODES.iter().enumerate().find(|(_, (own, _))| *own == printed);
    found.map(|(strength, (_, name))| (strength, *name))
}

const POSTGRES_LOCKS: &str = "
SELECT n.nspname, c.relname, l.mode FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

const POSTGRES_FILES: &str = "
SELECT n.nspname, c.relname, pg_catalog.pg_relation_filenode(c.oid) FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'i', 'p', 'v', 'S', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

const POSTGRES_SCANS: &str = "
SELECT schemaname, relname, seq_scan FROM pg_catalog.pg_stat_xact_user_tables WHERE seq_scan > 0";

/// The table's own id changes when the server builds it anew; an index has one of its own.
const MARIADB_FILES: &str = "
SELECT '', substring_index(name, '/', -1), table_id FROM information_schema.innodb_sys_tables
WHERE name LIKE concat(database(), '/%')";

/// The file of a table, which is another one when the server builds it anew: a table has a file of
/// its own (`innodb_file_per_table`, the default). To tell the ids of tables MySQL 9.7 opens every
/// table of the server: 2 s for 10,000 of them, where this view takes 20 ms (measured).
const MYSQL_FILES: &str = "
SELECT '', substring_index(name, '/', -1), space FROM information_schema.innodb_tablespaces_brief
WHERE name LIKE concat(database(), '/%')";

const SQLITE_FILES: &str = "
SELECT 'main', name, rootpage FROM sqlite_schema WHERE rootpage > 0";

/// Looks at this session and its database.
pub async fn observe(connection: &mut Connection) -> Result<Observation, Error> {
    let attempt = "cannot observe the shadow database";
    let mut seen = Observation::default();
    let files = match connection.server().kind {
        ServerKind::Postgres => {
            let locks = connection.query(POSTGRES_LOCKS).await.attempt(attempt)?;
            seen.locks = strongest(&locks);
            let scans = connection.query(POSTGRES_SCANS).await.attempt(attempt)?;
            seen.scans = numbers(&scans);
            POSTGRES_FILES
        }
        ServerKind::Mariadb => MARIADB_FILES,
        ServerKind::Mysql => MYSQL_FILES,
        ServerKind::Sqlite => SQLITE_FILES,
    };
    let files = connection.query(files).await.attempt(attempt)?;
    seen.files = numbers(&files);
    Ok(seen)
}

/// Keeps the strongest lock on each relation.
fn strongest(rows: &Rows) -> BTreeMap<Name, String> {
    let mut locks: BTreeMap<Name, (usize, &'static str)> = BTreeMap::new();
    for row in rows {
        let Some(found) = mode(row.text(2)) else { continue };
        let held = locks.entry(Name::new(row.text(0), row.text(1))).or_insert(found);
        *held = (*held).max(found);
    }
    locks.into_iter().map(|(name, (_, mode))| (name, mode.to_owned())).collect()
}

/// Reads a number for each name.
fn numbers(rows: &Rows) -> BTreeMap<Name, u64> {
    rows.iter().map(|row| (Name::new(row.text(0), row.text(1)), row.count(2))).collect()
}
