//! Runs behind a pooler that lends its sessions to others between transactions.
//!
//! Nothing there belongs to us from one transaction to the next: no lock, no setting. So each
//! transaction takes the migration lock for itself as its first statement, sets limits for itself
//! alone, and makes sure that nobody else settled a migration since the history was read.

use std::time::{Duration, Instant};

use super::error::ApplyError;
use super::progress::Progress;
use super::runner::Runner;
use crate::db::{Error, ErrorKind, LockOptions, MigrationLock, ServerError};

/// What came of entering a transaction.
pub(super) enum Entered {
    /// It is open, and it is ours to go on in.
    Yes,
    /// Another run settled migrations since the history was read.
    Overtaken,
}

/// How long to wait before the lock is tried again.
const AGAIN: Duration = Duration::from_millis(250);

impl Runner<'_> {
    fn pooled_lock(&self) -> LockOptions {
        LockOptions {
            scope: self.journal.scope(),
            wait_ms: self.options.lock_wait_ms,
            holder: format!("lockwise/{}", self.options.run_id),
        }
    }

    /// Makes the journal where there is none, in a transaction that holds the lock.
    pub(super) async fn create_pooled(&mut self) -> Result<(), ApplyError> {
        self.begin_locked().await?;
        let made = self.journal.create(&mut self.connection).await;
        let ended = match &made {
            Ok(()) => self.connection.commit().await,
            Err(_) => self.connection.rollback().await,
        };
        made?;
        ended.map_err(|cause| of_server("cannot create the journal", cause))?;
        Ok(())
    }

    /// Opens a transaction that holds the migration lock; sleeps outside of transactions.
    async fn begin_locked(&mut self) -> Result<(), ApplyError> {
        let options = self.pooled_lock();
        let started = Instant::now();
        loop {
            let attempt = "cannot take the migration lock";
            self.connection.begin().await.map_err(|cause| of_server(attempt, cause))?;
            if MigrationLock::try_in_transaction(&mut self.connection, &options).await? {
                self.connection.keep_commits().await;
                return Ok(());
            }
            self.connection.rollback().await.map_err(|cause| of_server(attempt, cause))?;
            if started.elapsed() >= Duration::from_millis(options.wait_ms) {
                return Err(Error::Locked { waited_ms: options.wait_ms, holder: None }.into());
            }
            self.tell(Progress::WaitingForRun { holder: None });
            self.sleep(AGAIN).await;
            if self.wants_stop() {
                return Err(ApplyError::Interrupted);
            }
        }
    }

    /// Opens the transaction of a group.
    pub(super) async fn enter_pooled(&mut self) -> Result<Entered, ServerError> {
        let failed = |error: &ApplyError| {
            let cause =
                if let ApplyError::Database(error) = error { error.cause().cloned() } else { None };
            cause.unwrap_or_else(|| ServerError::own(ErrorKind::LockTimeout, error.to_string()))
        };
        self.begin_locked().await.map_err(|error| failed(&error))?;
        // The server process may be another one in each transaction.
        self.connection.ask_backend().await?;
        let run = self.options.run_id.clone();
        let settled = self.journal.settled_by_others(&mut self.connection, &run).await;
        let settled = settled.map_err(|error| failed(&ApplyError::Database(error)))?;
        if self.fence == Some(settled) {
            return Ok(Entered::Yes);
        }
        self.connection.rollback().await?;
        Ok(Entered::Overtaken)
    }
}

fn of_server(attempt: &str, cause: ServerError) -> ApplyError {
    Error::Server { attempt: attempt.to_owned(), cause: Box::new(cause) }.into()
}
