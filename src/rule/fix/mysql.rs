//! Safe forms for MySQL and MariaDB: the clause that makes the server refuse instead of degrade.
//!
//! Without ALGORITHM and LOCK the server silently takes the next worse way when the best one is
//! not possible; with them it refuses (MySQL 8.0 manual 17.12.1, MariaDB "ALTER TABLE", and the
//! recorded cases). MySQL takes no LOCK with ALGORITHM=INSTANT (error 1221).

use super::{Fix, FixKind, Runs, Step, edited, insert_after};
use crate::effect::{Algorithm, Online, OnlineLock, StatementEffects};
use crate::schema::{Origin, Schema};
use crate::sql::ast::{ActionKind, MyAction, ObjectKind, Statement, StatementKind};
use crate::sql::{ObjectName, Script, ServerKind, ident_if_needed as ident};

/// Returns the statement with the clause written out.
pub(super) fn fix(
    script: &Script,
    statement: &Statement,
    schema: &Schema,
    effects: &StatementEffects,
) -> Option<Fix> {
    let online = effects.online.filter(|online| online.algorithm != Algorithm::Copy)?;
    #[expect(clippy::wildcard_enum_match_arm, reason = "most statements have no such clause")]
    let (table, comma) = match &statement.kind {
        StatementKind::AlterTable(alter) => {
            let fits = alter.actions.iter().all(|action| takes_clause(&action.kind));
            (Some(&alter.name).filter(|_| fits && !alter.actions.is_empty())?, true)
        }
        StatementKind::CreateIndex(create) => (
            Some(&create.table).filter(|_| create.algorithm.is_none() && create.lock.is_none())?,
            false,
        ),
        StatementKind::Drop(drop) if drop.object == ObjectKind::Index => {
            let written = drop.algorithm.is_some() || drop.lock.is_some();
            (drop.on_table.as_ref().filter(|_| !written)?, false)
        }
        _ => return None,
    };
    if is_new(schema, table) {
        return None;
    }
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others take the clause at their end")]
    let sql = match &statement.kind {
        // MariaDB's DROP INDEX takes no clause (error 1064, measured on 10.11).
        StatementKind::Drop(drop) if schema.server.kind == ServerKind::Mariadb => {
            let [index] = drop.names.as_slice() else { return None };
            if drop.wait_seconds.is_some() {
                return None;
            }
            let words = if drop.if_exists { "DROP INDEX IF EXISTS" } else { "DROP INDEX" };
            let quoted = |name: &ObjectName| {
                let parts = name.parts.iter().map(|part| ident(ServerKind::Mariadb, &part.value));
                parts.collect::<Vec<_>>().join(".")
            };
            let clause = clause(online, true);
            format!("ALTER TABLE {} {words} {}{clause}", quoted(table), quoted(index))
        }
        _ => {
            let edit = insert_after(statement.span, &clause(online, comma));
            edited(script, statement.span, vec![edit])
        }
    };
    Some(Fix {
        rules: vec!["mysql-algorithm-clause-missing", "mysql-lock-clause-missing"],
        span: statement.span,
        kind: FixKind::NameAlgorithm,
        steps: vec![Step { sql, runs: Runs::WithNeighbours }],
    })
}

fn is_new(schema: &Schema, table: &ObjectName) -> bool {
    let made = Origin::Migration(schema.migration);
    schema.find(table).is_some_and(|table| table.origin == made)
}

fn clause(online: Online, comma: bool) -> String {
    let separator = if comma { ", " } else { " " };
    let algorithm = online.algorithm.as_str();
    match online.lock {
        OnlineLock::Default => format!("{separator}ALGORITHM={algorithm}"),
        lock @ (OnlineLock::None | OnlineLock::Shared | OnlineLock::Exclusive) => {
            format!("{separator}ALGORITHM={algorithm}{separator}LOCK={}", lock.as_str())
        }
    }
}

/// Partition statements refuse the clause or ignore it, and nobody writes it twice.
const fn takes_clause(action: &ActionKind) -> bool {
    !matches!(
        action,
        ActionKind::Mysql(
            MyAction::Algorithm(_)
                | MyAction::Lock(_)
                | MyAction::Partition(_)
                | MyAction::PartitionBy(_)
                | MyAction::RemovePartitioning
                | MyAction::Tablespace { .. }
        ) | ActionKind::RenameTo(_)
    )
}
