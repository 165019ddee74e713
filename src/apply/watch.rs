//! Looks at a running statement from a second session: who is in its way, how far it has come.

use std::fmt;

use super::progress::Progress;
use crate::db::{Connection, Row};
use crate::sql::ServerKind;

/// A session that is in the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Blocker {
    /// Its number on the server.
    pub(super) session: u64,
    pub(super) user: String,
    /// The name that it gave itself; MySQL and MariaDB have none.
    pub(super) application: String,
    pub(super) client: String,
    /// What it does: `active`, `idle in transaction`, `Sleep`.
    pub(super) state: String,
    /// Seconds since its transaction began.
    pub(super) age_s: u64,
    /// What it runs, or ran last.
    pub(super) query: String,
}

/// Returns who keeps a session waiting; nobody where nobody does or the server does not tell.
pub(super) async fn blockers(watch: &mut Connection, backend: u64) -> Vec<Blocker> {
    let sql = match watch.server().kind {
        // pg_blocking_pids is in PostgreSQL since 9.6 (manual, 9.27.5).
        ServerKind::Postgres => format!(
            "SELECT a.pid, a.usename, a.application_name, coalesce(host(a.client_addr), 'local'), \
                    a.state, extract(epoch FROM clock_timestamp() - \
                    coalesce(a.xact_start, a.query_start, a.backend_start))::bigint, \
                    left(a.query, 80) \
             FROM pg_stat_activity a WHERE a.pid = ANY (pg_blocking_pids({backend})) ORDER BY a.pid"
        ),
        // METADATA_LOCK_INFO is a plugin and performance_schema is off by default in MariaDB, so
        // the transactions that are open while the other one waits are named instead.
        ServerKind::Mysql | ServerKind::Mariadb => format!(
            "SELECT p.id, p.user, '', p.host, p.command, \
                    greatest(coalesce(timestampdiff(SECOND, t.trx_started, now()), 0), p.time), \
                    left(coalesce(p.info, ''), 80) \
             FROM information_schema.processlist p \
             LEFT JOIN information_schema.innodb_trx t ON t.trx_mysql_thread_id = p.id \
             WHERE p.id <> {backend} AND p.id <> connection_id() \
               AND (t.trx_id IS NOT NULL OR (p.command = 'Query' AND p.state NOT LIKE 'Waiting%')) \
               AND EXISTS (SELECT 1 FROM information_schema.processlist w WHERE w.id = {backend} \
                           AND w.state LIKE 'Waiting for%') ORDER BY p.id"
        ),
        ServerKind::Sqlite => return Vec::new(),
    };
    // Not being told is not worth stopping for.
    watch.query(&sql).await.map(|rows| rows.iter().map(blocker).collect()).unwrap_or_default()
}

fn blocker(row: &Row) -> Blocker {
    let query: Vec<&str> = row.text(6).split_whitespace().collect();
    Blocker {
        session: row.count(0),
        user: row.text(1).to_owned(),
        application: row.text(2).to_owned(),
        client: row.text(3).to_owned(),
        state: row.text(4).to_lowercase(),
        age_s: row.count(5),
        query: query.join(" "),
    }
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {}", self.session)?;
        let facts = [
            ("user ", &self.user),
            ("", &self.application),
            ("from ", &self.client),
            ("", &self.state),
        ];
        for (word, fact) in facts.into_iter().filter(|(_, fact)| !fact.is_empty()) {
            write!(f, ", {word}{fact}")?;
        }
        write!(f, " for {} s", self.age_s)?;
        if self.query.is_empty() { Ok(()) } else { write!(f, ": {}", self.query) }
    }
}

/// Returns how far a statement has come, where the server tells.
pub(super) async fn progress(watch: &mut Connection, backend: u64) -> Option<Progress> {
    let sql = match watch.server().kind {
        // Each command has a view of its own (manual, 28.4 "Progress Reporting", PostgreSQL 12 to
        // 18). Building concurrently goes through several phases, each with its own count.
        ServerKind::Postgres => format!(
            "SELECT phase, percent FROM (SELECT pid, phase, CASE \
               WHEN blocks_total > 0 THEN blocks_done * 100 / blocks_total \
               WHEN tuples_total > 0 THEN tuples_done * 100 / tuples_total END AS percent \
             FROM pg_stat_progress_create_index \
             UNION ALL SELECT pid, phase, heap_blks_scanned * 100 / nullif(heap_blks_total, 0) \
             FROM pg_stat_progress_vacuum \
             UNION ALL SELECT pid, phase, heap_blks_scanned * 100 / nullif(heap_blks_total, 0) \
             FROM pg_stat_progress_cluster) working WHERE pid = {backend}"
        ),
        ServerKind::Mariadb => format!(
            "SELECT state, CASE WHEN progress > 0 THEN floor(progress) END \
             FROM information_schema.processlist WHERE id = {backend} AND progress > 0"
        ),
        ServerKind::Mysql => format!(
            "SELECT s.event_name, CASE WHEN s.work_estimated > 0 \
             THEN floor(s.work_completed * 100 / s.work_estimated) END \
             FROM performance_schema.events_stages_current s \
             JOIN performance_schema.threads t ON t.thread_id = s.thread_id \
             WHERE t.processlist_id = {backend}"
        ),
        ServerKind::Sqlite => return None,
    };
    let rows = watch.query(&sql).await.ok()?;
    let row = rows.first()?;
    let percent = row.number(1).and_then(|number| u8::try_from(number.clamp(0, 100)).ok());
    Some(Progress::Working { phase: row.text(0).to_owned(), percent })
}
