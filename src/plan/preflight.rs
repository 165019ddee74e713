//! Looks at the live database before a change: what would make it fail, or stall others.

use super::model::{Check, CheckState, Plan};
use crate::db::{self, Connection, PoolerSign};
use crate::sql::ServerKind;

/// Looks at everything; what cannot be seen is told as unknown, never left out.
pub async fn look(live: &mut Connection) -> Vec<Check> {
    let kind = live.server().kind;
    let mut checks = Vec::new();
    for question in questions(kind) {
        let check = |state, detail| Check { what: question.what.to_owned(), state, detail };
        match live.query(question.sql).await {
            Err(error) => {
                checks.push(check(CheckState::Unknown, format!("cannot be seen: {error}")));
            }
            Ok(rows) if rows.is_empty() => {
                checks.push(check(CheckState::Fine, question.fine.to_owned()));
            }
            Ok(rows) => {
                let lines = rows.iter().map(|row| check(question.state, row.text(0).to_owned()));
                checks.extend(lines);
            }
        }
    }
    checks
}

/// Looks whether a pooler lends our session to others; none where there are no such poolers.
pub async fn pooler(live: &mut Connection, pooled: Pooled) -> Option<Check> {
    if live.server().kind != ServerKind::Postgres {
        return None;
    }
    let target = live.target().clone();
    let (state, detail) = match (db::pooler(&target, live).await, pooled) {
        (Err(error), _) => (CheckState::Unknown, format!("cannot be seen: {error}")),
        (Ok(None), _) => (CheckState::Fine, "the session is ours alone".to_owned()),
        (Ok(Some(sign)), Pooled::Yes) => {
            (CheckState::Fine, format!("a pooler is in the path, as --pooled says: {}", sign.seen))
        }
        (Ok(Some(sign)), Pooled::No) => (
            CheckState::Blocked,
            format!("a pooler lends the session to others: {}; {}", sign.seen, PoolerSign::hint()),
        ),
    };
    Some(Check { what: "pooler".to_owned(), state, detail })
}

/// Whether the run is made for a pooler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooled {
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// Returns the first statement of a plan that cannot run behind a pooler, and why.
pub fn not_pooled(plan: &Plan) -> Option<String> {
    plan.migrations.iter().find_map(|migration| {
        let groups = migration.groups.iter();
        let mut steps = groups.flat_map(|group| group.steps.iter().map(move |step| (group, step)));
        steps.find_map(|(group, step)| {
            let words: Vec<&str> = step.sql.split_whitespace().take(2).collect();
            let local = words.get(1).is_some_and(|word| word.eq_ignore_ascii_case("LOCAL"));
            let why = if step.batch.is_some() {
                "runs in batches"
            } else if !group.transaction {
                "runs outside of a transaction"
            } else if step.session && !local {
                "sets something for the session: write SET LOCAL"
            } else {
                return None;
            };
            Some(format!("{}:{} {why}, which --pooled does not", migration.path, step.line))
        })
    })
}

/// A query whose rows speak against the change, one sentence each.
struct Question {
    what: &'static str,
    state: CheckState,
    fine: &'static str,
    sql: &'static str,
}

const fn questions(kind: ServerKind) -> &'static [Question] {
    match kind {
        ServerKind::Postgres => POSTGRES,
        ServerKind::Mysql => MYSQL,
        ServerKind::Mariadb => MARIADB,
        ServerKind::Sqlite => SQLITE,
    }
}

const SQLITE: &[Question] = &[
    Question {
        what: "integrity",
        state: CheckState::Blocked,
        fine: "the file passes quick_check",
        sql: "SELECT quick_check FROM pragma_quick_check WHERE quick_check <> 'ok'",
    },
    Question {
        what: "foreign-keys",
        state: CheckState::Warning,
        fine: "every row refers to a row that is there",
        sql: "SELECT count(*) || ' rows of ' || \"table\" || ' refer to missing rows of ' || parent \
              FROM pragma_foreign_key_check GROUP BY \"table\", parent",
    },
];

const LONG_TRANSACTIONS: Question = Question {
    what: "long-transactions",
    state: CheckState::Warning,
    fine: "no transaction is older than a minute",
    sql: "SELECT concat('session ', trx_mysql_thread_id, ' has a transaction open since ', \
          trx_started) FROM information_schema.innodb_trx \
          WHERE trx_started < now() - INTERVAL 1 MINUTE AND trx_mysql_thread_id <> \
          connection_id() ORDER BY trx_started LIMIT 5",
};

const READ_ONLY: Question = Question {
    what: "read-only",
    state: CheckState::Blocked,
    fine: "the server takes writes",
    sql: "SELECT 'the server is read-only: it may be a replica' WHERE @@global.read_only",
};

const MYSQL: &[Question] = &[
    LONG_TRANSACTIONS,
    READ_ONLY,
    Question {
        what: "group-replication",
        state: CheckState::Warning,
        fine: "no group replication",
        sql: "SELECT concat('a replication group: ', member_host, ' is ', member_state, '; DDL and \
              writes of the same table on two members end in an error') \
              FROM performance_schema.replication_group_members WHERE member_state <> 'OFFLINE'",
    },
    Question {
        what: "replication-lag",
        state: CheckState::Warning,
        fine: "no change waits to be applied here",
        sql: "SELECT concat('changes received since ', \
              last_applied_transaction_original_commit_timestamp, ' wait to be applied') \
              FROM performance_schema.replication_applier_status_by_worker \
              WHERE applying_transaction <> ''",
    },
];

const MARIADB: &[Question] = &[
    LONG_TRANSACTIONS,
    READ_ONLY,
    Question {
        what: "galera",
        state: CheckState::Warning,
        fine: "no Galera cluster",
        sql: "SELECT 'a Galera cluster: DDL blocks every node, and the migration lock holds on \
              this one alone' FROM information_schema.global_variables \
              WHERE variable_name = 'WSREP_ON' AND variable_value = 'ON'",
    },
    Question {
        what: "replication-lag",
        state: CheckState::Warning,
        fine: "no replica's thread is behind",
        sql: "SELECT concat('session ', id, ' applies changes that are ', time, ' s old') \
              FROM information_schema.processlist \
              WHERE command LIKE 'Slave_%' AND state LIKE 'Waiting for%lock%' AND time > 10",
    },
];

const POSTGRES: &[Question] = &[
    Question {
        what: "long-transactions",
        state: CheckState::Warning,
        fine: "no transaction is older than a minute",
        sql: "SELECT format('session %s (%s, %s) has a transaction open for %s s', pid, usename, \
              application_name, extract(epoch FROM clock_timestamp() - xact_start)::bigint) \
              FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
              AND backend_type = 'client backend' \
              AND xact_start < clock_timestamp() - interval '1 minute' ORDER BY xact_start LIMIT 5",
    },
    Question {
        what: "prepared-transactions",
        state: CheckState::Warning,
        fine: "no prepared transaction",
        sql: "SELECT format('prepared transaction %s of %s holds its locks since %s', gid, owner, \
              prepared) FROM pg_prepared_xacts WHERE database = current_database() LIMIT 5",
    },
    Question {
        what: "invalid-indexes",
        state: CheckState::Warning,
        fine: "no invalid index",
        sql: "SELECT format('index %s is invalid and still costs every write', \
              i.indexrelid::regclass) FROM pg_index i WHERE NOT i.indisvalid \
              AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_create_index p \
              WHERE p.index_relid = i.indexrelid) LIMIT 5",
    },
    Question {
        what: "wraparound-vacuum",
        state: CheckState::Warning,
        fine: "no anti-wraparound vacuum is running",
        sql: "SELECT format('session %s: %s; it does not give way to DDL', pid, query) \
              FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' \
              AND query LIKE '%(to prevent wraparound)' AND datname = current_database()",
    },
    Question {
        what: "replication-lag",
        state: CheckState::Warning,
        fine: "no replica is behind",
        sql: "SELECT format('replica %s is %s behind', application_name, \
              pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn))) \
              FROM pg_stat_replication \
              WHERE NOT pg_is_in_recovery() \
              AND pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) > 16 * 1024 * 1024",
    },
    Question {
        what: "replication-slots",
        state: CheckState::Warning,
        fine: "no idle replication slot",
        sql: "SELECT format('slot %s is idle and keeps %s of WAL', slot_name, \
              pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn))) \
              FROM pg_replication_slots WHERE NOT active AND restart_lsn IS NOT NULL \
              AND NOT pg_is_in_recovery()",
    },
    Question {
        what: "read-only",
        state: CheckState::Blocked,
        fine: "the server takes writes",
        sql: "SELECT 'the server is a standby: it takes no writes' WHERE pg_is_in_recovery()",
    },
    Question {
        what: "privileges",
        state: CheckState::Warning,
        fine: "the login owns every table, or is a member of the owner",
        sql: "SELECT format('%s tables belong to %s, which %s is no member of: they cannot be \
              altered', count(*), pg_get_userbyid(c.relowner), current_user) \
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
              WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' \
              AND n.nspname <> 'information_schema' \
              AND NOT pg_has_role(c.relowner, 'USAGE') GROUP BY c.relowner",
    },
];
