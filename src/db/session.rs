//! What a session is told about time limits and writing, in each server's words.

use super::driver::{self, Driver};
use super::error::ServerError;
use super::target::Network;
use crate::sql::ServerKind;

/// Time limits of a session; zero means without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timeouts {
    /// How long a statement waits for a lock.
    pub lock_timeout_ms: u64,
    /// How long a statement runs, waiting included.
    pub statement_timeout_ms: u64,
}

/// What was seen of a pooler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolerSign {
    /// What showed it.
    pub seen: String,
}

impl PoolerSign {
    /// Returns what to do about it.
    pub const fn hint() -> &'static str {
        "use the server's own address, or a session pool, for migrations; --pooled runs \
         migrations that are transactions through and through"
    }
}

/// Opens a session on PostgreSQL with its settings in the first message.
///
/// Not with SET: behind a pooler a setting stays with the server's session, and the next client of
/// it would find itself read-only (measured through PgBouncer 1.18). A pooler refuses settings in
/// the first message, which is the first sign of it, or ignores them.
pub(super) async fn open_postgres(
    network: &Network,
    name: &str,
    read_only: bool,
) -> Result<(Driver, Option<PoolerSign>), ServerError> {
    let opened = match driver::open_postgres(network, name, &startup(read_only, true)).await {
        // 42704: PostgreSQL 12 and 13 lack two of them. 22023: so do some platforms.
        Err(error) if matches!(error.code.as_deref(), Some("42704" | "22023")) => {
            driver::open_postgres(network, name, &startup(read_only, false)).await
        }
        opened => opened,
    };
    match opened {
        Err(error) if refuses_settings(&error) => {
            let driver = driver::open_postgres(network, name, &[]).await?;
            let seen = format!("it refuses settings of a new session: {}", error.message);
            Ok((driver, Some(PoolerSign { seen })))
        }
        opened => opened.map(|driver| (driver, None)),
    }
}

/// PgBouncer: `unsupported startup parameter: options`; RDS Proxy: `RDS Proxy currently doesn't
/// support command-line options`.
fn refuses_settings(error: &ServerError) -> bool {
    let message = error.message.to_ascii_lowercase();
    message.contains("startup parameter") || message.contains("command-line options")
}

/// Settings that make a session fit for long DDL, and read-only where asked.
fn startup(read_only: bool, recent: bool) -> Vec<(&'static str, &'static str)> {
    let mut settings = vec![
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
    ];
    if recent {
        // PostgreSQL 14 and later notice a dead client while a statement runs (manual, 20.3.1
        // "Connection Settings"); not on every platform.
        settings.push(("client_connection_check_interval", "1s"));
        settings.push(("idle_session_timeout", "0"));
    }
    if read_only {
        settings.push(("default_transaction_read_only", "on"));
    }
    settings
}

/// Statements that make a new session fit for long DDL, and read-only where asked.
///
/// The first of a pair says whether a refusal matters.
pub(super) fn setup(kind: ServerKind, read_only: bool) -> Vec<(bool, String)> {
    let mut setup = Vec::new();
    match kind {
        // Its settings come with the first message of the session.
        ServerKind::Postgres => {}
        ServerKind::Mysql | ServerKind::Mariadb => {
            // A session that holds the migration lock may be idle while another one works.
            // The driver asks for IGNORE_SPACE when it connects, which would stay in every routine
            // that is made (MariaDB 10.11, measured): the server's own mode is set again.
            let words = "SET SESSION wait_timeout = 86400, SESSION sql_mode = DEFAULT";
            setup.push((false, words.to_owned()));
            if read_only {
                setup.push((true, "SET SESSION TRANSACTION READ ONLY".to_owned()));
            }
        }
        ServerKind::Sqlite => {
            if read_only {
                setup.push((true, "PRAGMA query_only = ON".to_owned()));
            }
        }
    }
    setup
}

/// With `synchronous_commit = off` a crash of PostgreSQL takes back what it said was committed
/// (manual, 20.5.1); a journal must not promise more than is kept. Other values stay.
pub(super) fn durable(local: bool) -> String {
    format!(
        "SELECT set_config('synchronous_commit', 'on', {local}) \
         WHERE current_setting('synchronous_commit') = 'off'"
    )
}

/// Statements that set time limits; `local` binds them to the open transaction where that exists.
///
/// MySQL and MariaDB count `lock_wait_timeout` and `innodb_lock_wait_timeout` in whole seconds
/// with a minimum of one; part of a second is rounded up. A limit on DDL statements exists on
/// MariaDB only (`max_statement_time`); MySQL's `max_execution_time` is for SELECT alone (manual,
/// 7.1.8). SQLite's `busy_timeout` is the lock limit.
pub(super) fn timeouts(kind: ServerKind, timeouts: Timeouts, local: bool) -> Vec<String> {
    let Timeouts { lock_timeout_ms, statement_timeout_ms } = timeouts;
    match kind {
        ServerKind::Postgres => {
            let scope = if local { "LOCAL " } else { "" };
            vec![
                format!("SET {scope}lock_timeout = {lock_timeout_ms}"),
                format!("SET {scope}statement_timeout = {statement_timeout_ms}"),
            ]
        }
        ServerKind::Mysql | ServerKind::Mariadb => {
            let seconds = match lock_timeout_ms {
                0 => 31_536_000,
                limit => limit.div_ceil(1000),
            };
            let row_seconds = seconds.min(100_000_000);
            let mut set = vec![
                format!("SET SESSION lock_wait_timeout = {seconds}"),
                format!("SET SESSION innodb_lock_wait_timeout = {row_seconds}"),
            ];
            if kind == ServerKind::Mariadb {
                let whole = statement_timeout_ms / 1000;
                let part = statement_timeout_ms % 1000;
                set.push(format!("SET SESSION max_statement_time = {whole}.{part:03}"));
            }
            set
        }
        ServerKind::Sqlite => {
            let limit = if lock_timeout_ms == 0 { 2_147_483_647 } else { lock_timeout_ms };
            vec![format!("PRAGMA busy_timeout = {limit}")]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_second_servers_round_up() {
        let limits = Timeouts { lock_timeout_ms: 1500, statement_timeout_ms: 2500 };
        let set = timeouts(ServerKind::Mariadb, limits, false);
        assert_eq!(set.first().map(String::as_str), Some("SET SESSION lock_wait_timeout = 2"));
        assert_eq!(set.last().map(String::as_str), Some("SET SESSION max_statement_time = 2.500"));
    }
}
