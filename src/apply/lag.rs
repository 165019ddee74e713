//! How far replicas are behind, for work that can wait for them.
//!
//! PostgreSQL's primary knows its replicas (`pg_stat_replication`); those of MySQL and MariaDB are
//! asked themselves, and so are those of PostgreSQL that the configuration names.
//!
//! What the primary says of time is what the last change took that was replayed: a replica that
//! stands still soon has no lag at all there (manual, 28.2.4 "pg_stat_replication", 10 to 18). So the
//! run remembers when the primary was where, and sees since when a replica lacks something.

use std::collections::VecDeque;
use std::time::Instant;

use super::runner::milliseconds;
use crate::db::{Access, ConnectOptions, Connection, Error, ServerError, Target};
use crate::sql::ServerKind;

/// The replicas that a run looks at.
pub(super) struct Replicas {
    max_lag_ms: Option<u64>,
    named: Vec<(Target, Option<Connection>)>,
    /// When PostgreSQL's log was how far, as far back as a replica has not got.
    written: VecDeque<(Instant, u64)>,
}

impl Replicas {
    /// Returns the replicas that are named, to be looked at where there is a limit.
    pub(super) fn new(max_lag_ms: Option<u64>, named: &[Target]) -> Self {
        let named = named.iter().map(|target| (target.clone(), None)).collect();
        Self { max_lag_ms, named, written: VecDeque::new() }
    }

    /// Returns a replica that is further behind than allowed, if one is, and by how much.
    ///
    /// One that does not answer counts as behind without end: nobody knows.
    pub(super) async fn behind(
        &mut self,
        primary: &mut Connection,
    ) -> Result<Option<(String, Option<u64>)>, Error> {
        let Some(limit) = self.max_lag_ms else { return Ok(None) };
        if primary.server().kind == ServerKind::Postgres {
            let slowest = self.slowest(primary).await;
            if let Some((who, lag)) = slowest.filter(|(_, lag)| *lag > limit) {
                return Ok(Some((who, Some(lag))));
            }
        }
        for (target, session) in &mut self.named {
            let lag = lag_of(target, session).await;
            match lag {
                Ok(Some(lag)) if lag <= limit => {}
                Ok(lag) => return Ok(Some((target.to_string(), lag))),
                Err(_) => {
                    *session = None;
                    return Ok(Some((target.to_string(), None)));
                }
            }
        }
        Ok(None)
    }

    /// Returns the replica that PostgreSQL's primary sees furthest behind; nobody where it has none
    /// or does not say.
    async fn slowest(&mut self, primary: &mut Connection) -> Option<(String, u64)> {
        let sql = "SELECT coalesce(nullif(application_name, ''), host(client_addr), 'replica'), \
                   coalesce((extract(epoch FROM replay_lag) * 1000)::bigint, 0), \
                   (replay_lsn - '0/0')::bigint, (pg_current_wal_lsn() - '0/0')::bigint \
                   FROM pg_stat_replication WHERE replay_lsn IS NOT NULL";
        let rows = primary.query(sql).await.ok()?;
        let now = Instant::now();
        self.written.push_back((now, rows.first()?.count(3)));
        let behind = rows.iter().map(|row| {
            let replayed = row.count(2);
            let lacking = self.written.iter().find(|(_, written)| *written > replayed);
            let since = lacking.map_or(0, |(since, _)| milliseconds(now.duration_since(*since)));
            (row.text(0).to_owned(), row.count(1).max(since))
        });
        let slowest = behind.max_by_key(|(_, lag)| *lag);
        let everywhere = rows.iter().map(|row| row.count(2)).min().unwrap_or(0);
        self.written.retain(|(_, written)| *written > everywhere);
        slowest
    }
}

/// Asks a replica how far it is behind; none where it does not replicate.
async fn lag_of(
    target: &Target,
    session: &mut Option<Connection>,
) -> Result<Option<u64>, ServerError> {
    if session.is_none() {
        let options = ConnectOptions {
            application_name: "lockwise/lag".to_owned(),
            access: Access::ReadOnly,
            connect_timeout_ms: 2_000,
            ..ConnectOptions::default()
        };
        *session = Connection::open(target, &options).await.ok();
    }
    let Some(session) = session.as_mut() else { return Ok(None) };
    let server = session.server();
    // The 33rd column is Seconds_Behind_Source (MySQL 8.0.22 and later), Seconds_Behind_Master
    // (MariaDB): both manuals, SHOW REPLICA STATUS.
    const BEHIND: usize = 32;
    let (sql, column, unit) = match server.kind {
        ServerKind::Postgres => (
            "SELECT CASE WHEN NOT pg_is_in_recovery() THEN NULL \
             WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0 \
             ELSE (extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) \
             * 1000)::bigint END",
            0,
            1,
        ),
        ServerKind::Mysql => ("SHOW REPLICA STATUS", BEHIND, 1000),
        ServerKind::Mariadb => ("SHOW SLAVE STATUS", BEHIND, 1000),
        ServerKind::Sqlite => return Ok(Some(0)),
    };
    let rows = session.query(sql).await?;
    let lag = rows.first().and_then(|row| row.number(column));
    Ok(lag.and_then(|lag| u64::try_from(lag).ok()).map(|lag| lag * unit))
}
