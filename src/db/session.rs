//! What a session is told about time limits and writing, in each server's words.

use crate::sql::{ServerKind, ServerVersion};

/// Time limits of a session; zero means without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timeouts {
    /// How long a statement waits for a lock.
    pub lock_timeout_ms: u64,
    /// How long a statement runs, waiting included.
    pub statement_timeout_ms: u64,
}

/// Statements that make a new session fit for long DDL, and read-only where asked.
///
/// The first of a pair says whether a refusal matters.
pub(super) fn setup(
    kind: ServerKind,
    version: ServerVersion,
    read_only: bool,
) -> Vec<(bool, String)> {
    let mut setup = Vec::new();
    match kind {
        ServerKind::Postgres => {
            // PostgreSQL 14 and later notice a dead client while a statement runs (manual, 20.3.1
            // "Connection Settings"); not on every platform.
            if version.at_least(14, 0, 0) {
                setup.push((false, "SET client_connection_check_interval = '1s'".to_owned()));
                setup.push((false, "SET idle_session_timeout = 0".to_owned()));
            }
            for keepalive in [
                "SET tcp_keepalives_idle = 10",
                "SET tcp_keepalives_interval = 5",
                "SET tcp_keepalives_count = 3",
            ] {
                setup.push((false, keepalive.to_owned()));
            }
            if read_only {
                setup.push((true, "SET default_transaction_read_only = on".to_owned()));
            }
        }
        ServerKind::Mysql | ServerKind::Mariadb => {
            // A session that holds the migration lock may be idle while another one works.
            setup.push((false, "SET SESSION wait_timeout = 86400".to_owned()));
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
