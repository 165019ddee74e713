//! What the live database is doing right now, as far as it matters to a change.
//!
//! Queries seen by the server, who holds a table, what hangs on it. The caller judges; here stands
//! only what the server says, or that it does not say.

use std::collections::BTreeSet;

use super::connection::Connection;
use super::error::{Attempt as _, Error};
use super::lock::Holder;
use crate::schema::Name;
use crate::sql::{ServerKind, ident};

/// A query that the server has seen, with its constants replaced by marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveQuery {
    /// The text as the server keeps it.
    pub text: String,
    /// How often it ran.
    pub calls: u64,
    /// How long it takes on average, in microseconds.
    pub mean_us: u64,
    /// Who runs it, where the server says.
    pub user: String,
}

/// Returns the queries that the server has seen on this database, the most frequent first; nothing
/// where it does not keep them (no `pg_stat_statements`, no `performance_schema`).
pub async fn live_queries(
    connection: &mut Connection,
    limit: u32,
) -> Result<Option<Vec<LiveQuery>>, Error> {
    let attempt = "cannot read the queries that the server has seen";
    let sql = match connection.server().kind {
        ServerKind::Postgres => {
            let place = "SELECT n.nspname FROM pg_extension x JOIN pg_namespace n \
                         ON n.oid = x.extnamespace WHERE x.extname = 'pg_stat_statements'";
            let rows = connection.query(place).await.attempt(attempt)?;
            let Some(schema) = rows.scalar() else { return Ok(None) };
            let schema = ident(ServerKind::Postgres, schema);
            // Named `mean_time` before 13.
            let is_old = !connection.server().version.at_least(13, 0, 0);
            let mean = if is_old { "mean_time" } else { "mean_exec_time" };
            format!(
                "SELECT s.query, s.calls, (s.{mean} * 1000)::bigint, pg_get_userbyid(s.userid) \
                 FROM {schema}.pg_stat_statements s WHERE s.dbid = (SELECT oid FROM pg_database \
                 WHERE datname = current_database()) AND s.query IS NOT NULL \
                 ORDER BY s.calls DESC, s.query LIMIT {limit}"
            )
        }
        ServerKind::Mysql | ServerKind::Mariadb => {
            let on = connection.query("SELECT @@performance_schema").await.attempt(attempt)?;
            if on.scalar() != Some("1") {
                return Ok(None);
            }
            format!(
                "SELECT digest_text, count_star, round(avg_timer_wait / 1000000), '' \
                 FROM performance_schema.events_statements_summary_by_digest \
                 WHERE schema_name = database() AND digest_text IS NOT NULL \
                 ORDER BY count_star DESC, digest_text LIMIT {limit}"
            )
        }
        ServerKind::Sqlite => return Ok(None),
    };
    // The extension can be there without being loaded; then the view itself is an error.
    let Ok(rows) = connection.query(&sql).await else { return Ok(None) };
    let query = |row: &super::rows::Row| LiveQuery {
        text: row.text(0).to_owned(),
        calls: row.count(1),
        mean_us: row.count(2),
        user: row.text(3).to_owned(),
    };
    Ok(Some(rows.iter().map(query).collect()))
}

/// A lock that another session holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLock {
    /// On what.
    pub relation: Name,
    /// The server's word for the mode.
    pub mode: String,
    /// By whom.
    pub holder: Holder,
}

/// Returns who holds locks on these relations now; nothing where the server does not say (MariaDB
/// without the plugin `METADATA_LOCK_INFO`, MySQL without `performance_schema`).
pub async fn held_locks(
    connection: &mut Connection,
    relations: &BTreeSet<Name>,
) -> Result<Option<Vec<HeldLock>>, Error> {
    let sql = match connection.server().kind {
        ServerKind::Postgres => {
            "SELECT n.nspname, c.relname, l.mode, a.pid, a.application_name, \
                    coalesce(a.usename::text, ''), coalesce(host(a.client_addr), 'local'), \
                    left(a.query, 200), extract(epoch FROM clock_timestamp() - \
                    coalesce(a.xact_start, a.query_start, a.backend_start))::bigint \
             FROM pg_locks l JOIN pg_class c ON c.oid = l.relation \
             JOIN pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_stat_activity a ON a.pid = l.pid \
             WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid() \
               AND a.datname = current_database() ORDER BY 1, 2, 3, 4"
        }
        ServerKind::Mysql => {
            "SELECT '', m.object_name, m.lock_type, t.processlist_id, '', \
                    coalesce(t.processlist_user, ''), coalesce(t.processlist_host, ''), \
                    left(coalesce(t.processlist_info, ''), 200), t.processlist_time \
             FROM performance_schema.metadata_locks m \
             JOIN performance_schema.threads t ON t.thread_id = m.owner_thread_id \
             WHERE m.object_type = 'TABLE' AND m.object_schema = database() \
               AND m.lock_status = 'GRANTED' AND t.processlist_id <> connection_id() \
             ORDER BY 2, 3, 4"
        }
        ServerKind::Mariadb => {
            "SELECT '', m.table_name, m.lock_mode, m.thread_id, '', coalesce(p.user, ''), \
                    coalesce(p.host, ''), left(coalesce(p.info, ''), 200), p.time \
             FROM information_schema.metadata_lock_info m \
             LEFT JOIN information_schema.processlist p ON p.id = m.thread_id \
             WHERE m.lock_type = 'Table metadata lock' AND m.table_schema = database() \
               AND m.thread_id <> connection_id() ORDER BY 2, 3, 4"
        }
        ServerKind::Sqlite => return Ok(None),
    };
    let Ok(rows) = connection.query(sql).await else { return Ok(None) };
    let locks = rows.iter().map(|row| HeldLock {
        relation: Name::new(row.text(0), row.text(1)),
        mode: row.text(2).to_owned(),
        holder: Holder {
            backend: row.count(3),
            application: row.text(4).to_owned(),
            user: row.text(5).to_owned(),
            client: row.text(6).to_owned(),
            query: row.text(7).to_owned(),
            age_seconds: row.number(8).and_then(|age| u64::try_from(age).ok()),
        },
    });
    Ok(Some(locks.filter(|lock| relations.contains(&lock.relation)).collect()))
}

/// Something that uses a table or view.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependent {
    /// What is used.
    pub relation: Name,
    /// What uses it: `view`, `foreign-key`, `function`, `policy`, `trigger`.
    pub kind: String,
    /// Its name; a foreign key with its table.
    pub name: String,
}

/// Returns what uses these relations, as far as PostgreSQL itself records it: bodies of functions
/// that are strings are not among it.
pub async fn dependents(
    connection: &mut Connection,
    relations: &BTreeSet<Name>,
) -> Result<BTreeSet<Dependent>, Error> {
    let rows = connection.query(POSTGRES_DEPENDENTS).await;
    let rows = rows.attempt("cannot read what depends on the tables")?;
    let found = rows.iter().map(|row| Dependent {
        relation: Name::new(row.text(0), row.text(1)),
        kind: row.text(2).to_owned(),
        name: row.text(3).to_owned(),
    });
    Ok(found.filter(|dependent| relations.contains(&dependent.relation)).collect())
}

const POSTGRES_DEPENDENTS: &str = "
SELECT n.nspname, c.relname, CASE WHEN r.oid IS NOT NULL THEN CASE v.relkind WHEN 'm'
    THEN 'materialized-view' WHEN 'v' THEN 'view' ELSE 'rule' END
  WHEN k.oid IS NOT NULL THEN 'foreign-key' WHEN p.oid IS NOT NULL THEN 'function'
  WHEN o.oid IS NOT NULL THEN 'policy' ELSE 'trigger' END,
  coalesce(vn.nspname || '.' || v.relname, k.conname || ' on ' || k.conrelid::regclass,
    p.oid::regprocedure::text, o.polname || ' on ' || o.polrelid::regclass, t.tgname)
FROM pg_depend d
JOIN pg_class c ON c.oid = d.refobjid AND d.refclassid = 'pg_class'::regclass
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
LEFT JOIN pg_class v ON v.oid = r.ev_class
LEFT JOIN pg_namespace vn ON vn.oid = v.relnamespace
LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
  AND k.contype = 'f' AND k.confrelid = c.oid
LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
LEFT JOIN pg_policy o ON d.classid = 'pg_policy'::regclass AND o.oid = d.objid
LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
  AND NOT t.tgisinternal
WHERE c.oid >= 16384 AND (v.oid IS NULL OR v.oid <> c.oid)
  AND coalesce(r.oid, k.oid, p.oid, o.oid, t.oid) IS NOT NULL";
