//! How far replicas are behind, for work that can wait for them.
//!
//! PostgreSQL's primary knows its replicas (`pg_stat_replication`); those of MySQL and MariaDB are
//! asked themselves, and so are those of PostgreSQL that the configuration names.

use crate::db::{Access, ConnectOptions, Connection, Error, ServerError, Target};
use crate::sql::ServerKind;

/// The replicas that a run looks at.
pub(super) struct Replicas {
    max_lag_ms: Option<u64>,
    named: Vec<(Target, Option<Connection>)>,
}

impl Replicas {
    /// Returns the replicas that are named, to be looked at where there is a limit.
    pub(super) fn new(max_lag_ms: Option<u64>, named: &[Target]) -> Self {
        let named = named.iter().map(|target| (target.clone(), None)).collect();
        Self { max_lag_ms, named }
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
            // PostgreSQL 10 and later (manual, 27.2.4); NULL when everything is replayed.
            let sql = "SELECT coalesce(nullif(application_name, ''), host(client_addr), 'replica'), \
                       (extract(epoch FROM replay_lag) * 1000)::bigint FROM pg_stat_replication \
                       WHERE replay_lag IS NOT NULL ORDER BY replay_lag DESC LIMIT 1";
            if let Ok(rows) = primary.query(sql).await
                && let Some(row) = rows.first()
                && row.count(1) > limit
            {
                return Ok(Some((row.text(0).to_owned(), Some(row.count(1)))));
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
