//! The migration lock: one run at a time on a database.
//!
//! It lives on the session that runs the DDL, so holding it proves that a run that died is really
//! finished. It is taken by trying again, never by waiting in the server: a session that waits in
//! `pg_advisory_lock` makes `CREATE INDEX CONCURRENTLY` a deadlock victim (measured on PostgreSQL
//! 15). SQLite has no session locks; there an operating system lock on a file beside the database
//! does the same, and the kernel releases it when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::connection::Connection;
use super::error::{Attempt as _, Error};
use super::snapshot::hex;
use crate::sql::ServerKind;
use crate::sql::literal;

/// How to take the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockOptions {
    /// What is locked besides the database itself: the name of the journal table.
    pub scope: String,
    /// How long to try.
    pub wait_ms: u64,
    /// Who we are, for those who wait: `lockwise/<run>`.
    pub holder: String,
}

/// Who holds the lock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holder {
    /// The number of the session, or of the process on SQLite.
    pub backend: u64,
    /// The name that it shows: `lockwise/<run>`.
    pub application: String,
    /// The user.
    pub user: String,
    /// Where it comes from.
    pub client: String,
    /// What it runs now, or ran last.
    pub query: String,
    /// How many seconds ago that statement, or its session, began.
    pub age_seconds: Option<u64>,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "session {}", self.backend)?;
        let facts = [("", &self.application), ("user ", &self.user), ("from ", &self.client)];
        for (word, fact) in facts.into_iter().filter(|(_, fact)| !fact.is_empty()) {
            write!(f, ", {word}{fact}")?;
        }
        if let Some(age) = self.age_seconds {
            write!(f, ", for {age} s")?;
        }
        if !self.query.is_empty() {
            write!(f, ", running {}", self.query.split_whitespace().collect::<Vec<_>>().join(" "))?;
        }
        Ok(())
    }
}

/// The lock, held. Release it with [`Self::release`]; the end of the session releases it too.
#[derive(Debug)]
pub struct MigrationLock {
    held: Held,
}

/// What is held.
#[derive(Debug)]
enum Held {
    Advisory(i64),
    Named(String),
    File(LockFile),
    Nothing,
}

impl MigrationLock {
    /// Takes the lock, trying again for as long as the options allow.
    ///
    /// `waiting` hears who holds it after each failed try.
    pub async fn acquire(
        connection: &mut Connection,
        options: &LockOptions,
        mut waiting: impl FnMut(Option<&Holder>),
    ) -> Result<Self, Error> {
        let started = Instant::now();
        let limit = Duration::from_millis(options.wait_ms);
        let mut pause_ms = 100_u64;
        loop {
            if let Some(lock) = Self::try_acquire(connection, options).await? {
                return Ok(lock);
            }
            let holder = Self::holder(connection, options).await?;
            if started.elapsed() >= limit {
                let waited_ms = options.wait_ms;
                return Err(Error::Locked { waited_ms, holder: holder.map(Box::new) });
            }
            waiting(holder.as_ref());
            let jitter = fastrand::u64(pause_ms / 2..=pause_ms);
            let rest = limit.saturating_sub(started.elapsed());
            tokio::time::sleep(Duration::from_millis(jitter).min(rest)).await;
            pause_ms = (pause_ms * 2).min(2000);
        }
    }

    /// Tries once.
    pub async fn try_acquire(
        connection: &mut Connection,
        options: &LockOptions,
    ) -> Result<Option<Self>, Error> {
        let attempt = "cannot take the migration lock";
        let held = match connection.server().kind {
            ServerKind::Postgres => {
                let key = advisory_key(&options.scope);
                let sql = format!("SELECT pg_try_advisory_lock({key})");
                let rows = connection.query(&sql).await.attempt(attempt)?;
                rows.first().is_some_and(|row| row.flag(0)).then_some(Held::Advisory(key))
            }
            ServerKind::Mysql | ServerKind::Mariadb => {
                let name = lock_name(connection.database(), &options.scope);
                let sql = format!("SELECT GET_LOCK('{name}', 0)");
                let rows = connection.query(&sql).await.attempt(attempt)?;
                (rows.scalar() == Some("1")).then_some(Held::Named(name))
            }
            ServerKind::Sqlite => match connection.target().path() {
                Some(path) => {
                    LockFile::try_new(path, &options.scope, &options.holder)?.map(Held::File)
                }
                None => Some(Held::Nothing),
            },
        };
        Ok(held.map(|held| Self { held }))
    }

    /// Tries once to take it for the open transaction alone, whose end gives it back: the way
    /// behind a pooler. Only PostgreSQL has locks that end with a transaction.
    pub async fn try_in_transaction(
        connection: &mut Connection,
        options: &LockOptions,
    ) -> Result<bool, Error> {
        let sql = format!("SELECT pg_try_advisory_xact_lock({})", advisory_key(&options.scope));
        let rows = connection.query(&sql).await.attempt("cannot take the migration lock")?;
        Ok(rows.first().is_some_and(|row| row.flag(0)))
    }

    /// Describes who holds the lock.
    pub async fn holder(
        connection: &mut Connection,
        options: &LockOptions,
    ) -> Result<Option<Holder>, Error> {
        let attempt = "cannot find out who holds the migration lock";
        let sql = match connection.server().kind {
            ServerKind::Postgres => postgres_holder(advisory_key(&options.scope)),
            ServerKind::Mysql | ServerKind::Mariadb => {
                let name = lock_name(connection.database(), &options.scope);
                format!(
                    "SELECT p.id, '', p.user, p.host, coalesce(p.info, ''), p.time \
                     FROM information_schema.processlist p WHERE p.id = IS_USED_LOCK('{name}')"
                )
            }
            ServerKind::Sqlite => {
                let path = connection.target().path();
                return Ok(path.and_then(|path| LockFile::holder(path, &options.scope)));
            }
        };
        let rows = connection.query(&sql).await.attempt(attempt)?;
        Ok(rows.first().map(|row| Holder {
            backend: row.count(0),
            application: row.text(1).to_owned(),
            user: row.text(2).to_owned(),
            client: row.text(3).to_owned(),
            query: row.text(4).to_owned(),
            age_seconds: row.number(5).and_then(|age| u64::try_from(age).ok()),
        }))
    }

    /// Gives the lock back, and makes sure that it was ours until now.
    pub async fn release(self, connection: &mut Connection) -> Result<(), Error> {
        let attempt = "cannot release the migration lock";
        let sql = match self.held {
            Held::Advisory(key) => format!("SELECT pg_advisory_unlock({key})"),
            Held::Named(name) => format!("SELECT RELEASE_LOCK('{name}')"),
            Held::File(file) => {
                file.release();
                return Ok(());
            }
            Held::Nothing => return Ok(()),
        };
        let rows = connection.query(&sql).await.attempt(attempt)?;
        if rows.first().is_some_and(|row| row.flag(0)) { Ok(()) } else { Err(Error::LockLost) }
    }
}

/// Returns the advisory lock key of a scope; advisory locks are per database already.
fn advisory_key(scope: &str) -> i64 {
    let digest = Sha256::digest(format!("lockwise\0{scope}"));
    digest.iter().take(8).fold(0_i64, |key, byte| (key << 8) | i64::from(*byte))
}

/// Returns the name of a lock, which must not exceed 64 characters on MySQL.
fn lock_name(database: &str, scope: &str) -> String {
    let digest = Sha256::digest(format!("{database}\0{scope}"));
    let short: String = hex(&digest).chars().take(32).collect();
    format!("lockwise:{short}")
}

/// Asks which session holds an advisory lock. A 64-bit key is shown in two halves.
fn postgres_holder(key: i64) -> String {
    let scope = literal(ServerKind::Postgres, &key.to_string());
    format!(
        "SELECT a.pid, a.application_name, a.usename, coalesce(host(a.client_addr), 'local'), \
                CASE WHEN a.state = 'active' THEN a.query ELSE '' END, \
                extract(epoch FROM clock_timestamp() - \
                coalesce(a.query_start, a.backend_start))::int \
         FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
           AND (l.classid::bigint << 32) | l.objid::bigint = {scope}::bigint LIMIT 1"
    )
}

/// A file beside the database that is locked while a run goes on, and removed afterwards.
#[derive(Debug)]
struct LockFile {
    file: File,
    path: PathBuf,
}

impl LockFile {
    /// Names the file: `shop.db-lockwise_journal.lock`.
    fn path(database: &Path, scope: &str) -> PathBuf {
        let mut name = database.as_os_str().to_owned();
        name.push(format!("-{}.lock", scope.replace(['/', '\\'], "_")));
        PathBuf::from(name)
    }

    /// Tries to lock the file, which is made for this.
    fn try_new(database: &Path, scope: &str, holder: &str) -> Result<Option<Self>, Error> {
        let path = Self::path(database, scope);
        let failed = |cause| Error::File { path: path.display().to_string(), cause };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        // The former holder removes the file before it lets go: what was locked may be gone.
        if !is_same_file(&file, &path) {
            return Ok(None);
        }
        let about = format!("{} {holder}\n", std::process::id());
        file.set_len(0).and_then(|()| file.write_all(about.as_bytes())).map_err(failed)?;
        Ok(Some(Self { file, path }))
    }

    /// Reads who wrote its name into the file.
    fn holder(database: &Path, scope: &str) -> Option<Holder> {
        let mut file = File::open(Self::path(database, scope)).ok()?;
        let mut about = String::new();
        file.rewind().ok()?;
        file.read_to_string(&mut about).ok()?;
        let (process, application) = about.trim().split_once(' ')?;
        let backend = process.parse().ok()?;
        Some(Holder { backend, application: application.to_owned(), ..Holder::default() })
    }

    /// Removes the file, then lets go of it.
    fn release(self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

/// Says whether the path still leads to the open file.
#[cfg(unix)]
fn is_same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(there)) => ours.ino() == there.ino() && ours.dev() == there.dev(),
        (Ok(_) | Err(_), _) => false,
    }
}

/// Says whether the path still leads to the open file: an open file cannot be removed here.
#[cfg(not(unix))]
fn is_same_file(_file: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_stable() {
        // Runs of different versions must exclude each other, so these never change.
        assert_eq!(advisory_key("lockwise_journal"), advisory_key("lockwise_journal"));
        assert_ne!(advisory_key("lockwise_journal"), advisory_key("other"));
        let name = lock_name("shop", "lockwise_journal");
        assert!(name.len() <= 64 && name.starts_with("lockwise:"));
    }
}
