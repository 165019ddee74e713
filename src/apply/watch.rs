//! Looks at a running statement from a second session: who is in its way, how far it has come.

use super::progress::Progress;
use crate::db::{Connection, Row};
use crate::sql::ServerKind;

/// Returns who keeps a session waiting, one line each; nothing where nobody does or nobody knows.
pub(super) async fn blockers(watch: &mut Connection, backend: u64) -> Vec<String> {
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
    watch.query(&sql).await.map(|rows| rows.iter().map(describe).collect()).unwrap_or_default()
}

fn describe(row: &Row) -> String {
    let mut text = format!("session {}", row.text(0));
    for (word, index) in [("user ", 1), ("", 2), ("from ", 3)] {
        if !row.text(index).is_empty() {
            text = format!("{text}, {word}{}", row.text(index));
        }
    }
    if !row.text(4).is_empty() {
        text = format!("{text}, {}", row.text(4).to_lowercase());
    }
    text = format!("{text} for {} s", row.text(5));
    let query: Vec<&str> = row.text(6).split_whitespace().collect();
    if query.is_empty() { text } else { format!("{text}: {}", query.join(" ")) }
}

/// Returns how far a statement has come, where the server tells.
pub(super) async fn progress(watch: &mut Connection, backend: u64) -> Option<Progress> {
    let sql = match watch.server().kind {
        // Building concurrently goes through several phases, each with its own count.
        ServerKind::Postgres => format!(
            "SELECT phase, CASE WHEN blocks_total > 0 THEN blocks_done * 100 / blocks_total \
             WHEN tuples_total > 0 THEN tuples_done * 100 / tuples_total END \
             FROM pg_stat_progress_create_index WHERE pid = {backend}"
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
