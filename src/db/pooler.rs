//! Is the session really ours, or does a pooler lend it to others between transactions?
//!
//! Behind a pooler that does, the migration lock, the settings and the journal of a session are
//! worthless: two clients get the same lock, and a setting is seen by a third (measured through
//! PgBouncer 1.18).

use super::connection::{ConnectOptions, Connection};
use super::error::{Attempt as _, Error, ServerError};
use super::session::PoolerSign;
use super::target::Target;
use crate::sql::ServerKind;

/// How many sessions are opened beside the one under test.
const OTHERS: usize = 4;

/// How long a probe may take: a pool with one server session makes the others wait for it.
const PATIENCE_MS: u64 = 2_000;

/// Tries whether a session keeps its server process and its settings while others are busy.
///
/// A setting is made on the session; others begin transactions, which makes a pooler hand out its
/// server sessions; then the setting is looked for. Only PostgreSQL has such poolers in use.
pub async fn pooler(
    target: &Target,
    connection: &mut Connection,
) -> Result<Option<PoolerSign>, Error> {
    if connection.server().kind != ServerKind::Postgres {
        return Ok(None);
    }
    // A pooler may be in the path and still leave the session to us: that alone is no reason. What
    // is set in a transaction of its own is lost in any case, so the process has to tell then.
    let in_path = connection.pooler_sign().is_some();
    let attempt = "cannot find out whether a pooler is in the path";
    let token = format!("{:016x}", fastrand::u64(..));
    let before = probe(connection, Some(&token)).await.attempt(attempt)?;
    let options = ConnectOptions {
        application_name: "lockwise/probe".to_owned(),
        connect_timeout_ms: PATIENCE_MS,
        ..ConnectOptions::default()
    };
    let mut others = Vec::with_capacity(OTHERS);
    for _ in 0..OTHERS {
        // A server that is short of connections is no reason to give up: fewer probes then.
        let Ok(mut other) = Connection::open(target, &options).await else { break };
        let limit = std::time::Duration::from_millis(PATIENCE_MS);
        match tokio::time::timeout(limit, other.begin()).await {
            Ok(begun) => begun.attempt(attempt)?,
            Err(_) => break,
        }
        others.push(other);
    }
    let limit = std::time::Duration::from_millis(PATIENCE_MS);
    let Ok(after) = tokio::time::timeout(limit, probe(connection, None)).await else {
        let seen = "the session waits for the transactions of others".to_owned();
        return Ok(Some(PoolerSign { seen }));
    };
    let after = after.attempt(attempt)?;
    for mut other in others {
        let _ = other.rollback().await;
        let _ = other.close().await;
    }
    let seen = if after.0 != before.0 {
        Some(format!("the server process changed from {} to {}", before.0, after.0))
    } else if after.1 != token && !in_path {
        Some("a setting of the session was lost".to_owned())
    } else {
        None
    };
    Ok(seen.map(|seen| PoolerSign { seen }))
}

/// Reads server process and setting, after setting it where a value is given.
async fn probe(
    connection: &mut Connection,
    token: Option<&str>,
) -> Result<(u64, String), ServerError> {
    let setting = match token {
        Some(token) => format!("set_config('lockwise.probe', '{token}', false)"),
        None => "coalesce(current_setting('lockwise.probe', true), '')".to_owned(),
    };
    let rows = connection.query(&format!("SELECT pg_backend_pid(), {setting}")).await?;
    let row = rows.first().cloned().unwrap_or_default();
    Ok((row.count(0), row.text(1).to_owned()))
}
