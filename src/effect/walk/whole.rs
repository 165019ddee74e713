//! What holds of a migration as a whole: whether it can be run again, and whether its transaction
//! mode fits its statements.
//!
//! PostgreSQL 12 to 18, manual: CREATE INDEX, Building Indexes Concurrently: a failed build leaves
//! an index that IF NOT EXISTS takes for made (measured, testdata/servers/postgres).

use super::settings::is_setting;
use super::{MigrationEffects, StatementRun, session};
use crate::effect::{Declaration, Effect, EffectKind, TableState, TransactionRule};
use crate::sql::ast::{ActionKind, DmlKind, ObjectKind, Statement, StatementKind};
use crate::sql::{Migration, ServerKind, TransactionMode};

/// Adds effects to the statements and to the migration.
pub(super) fn tell(migration: &Migration, server: ServerKind, out: &mut MigrationEffects) {
    count(migration, out);
    let transactional = matches!(server, ServerKind::Postgres | ServerKind::Sqlite);
    if migration.transaction != TransactionMode::Unwrapped || !transactional {
        return;
    }
    let statements = &migration.up.statements;
    let refuses = |run: &StatementRun| run.effects.transaction == TransactionRule::Forbidden;
    let changes: Vec<bool> = statements.iter().map(|statement| changes(&statement.kind)).collect();
    let forbidden = out.statements.iter().any(refuses);
    let in_transaction = out.statements.iter().any(|run| run.in_transaction);
    if let Some(marker) = migration.marker
        && !forbidden
        && !in_transaction
        && !statements.iter().any(|statement| works_in_steps(&statement.kind))
        && changes.contains(&true)
    {
        out.migration.push(session(marker, "transaction-not-needed", migration.name.clone()));
    }
    let total = changes.iter().filter(|&&changes| changes).count();
    let others = out
        .statements
        .iter()
        .zip(&changes)
        .any(|(run, &changes)| changes && !refuses(run) && !run.in_transaction);
    let mut told = false;
    for (run, statement) in out.statements.iter_mut().zip(statements) {
        if refuses(run) && others && !told {
            told = true;
            let what = "mixed-transactional-modes";
            run.effects.effects.push(session(statement.span, what, ""));
        }
        let name = unguarded(statement).filter(|_| total > 1 && !run.in_transaction);
        if let Some(name) = name {
            run.effects.effects.push(session(statement.span, "not-idempotent", name));
        }
    }
}

/// Says whether a statement changes the database, for all that its first words tell.
fn changes(kind: &StatementKind) -> bool {
    let reads = matches!(kind, StatementKind::Dml(dml) if dml.kind == DmlKind::Select);
    !is_setting(kind) && !reads
}

/// Rows that are changed in steps, each committed by itself, are a reason to do without a
/// transaction.
fn works_in_steps(kind: &StatementKind) -> bool {
    let changes = matches!(kind, StatementKind::Dml(dml) if dml.kind != DmlKind::Select);
    changes || matches!(kind, StatementKind::Do(_) | StatementKind::Call { .. })
}

/// Returns the name of what is made or dropped without asking whether it is there.
///
/// `CREATE INDEX CONCURRENTLY` is left out: IF NOT EXISTS would keep an index that is not valid.
fn unguarded(statement: &Statement) -> Option<String> {
    if let StatementKind::CreateTable(create) = &statement.kind {
        (!create.if_not_exists && !create.or_replace).then(|| create.name.to_string())
    } else if let StatementKind::Drop(drop) = &statement.kind {
        let first = drop.names.first().map(ToString::to_string);
        first.filter(|_| !drop.if_exists)
    } else if let StatementKind::CreateIndex(create) = &statement.kind {
        let name = create.index.name.as_ref().map(ToString::to_string);
        name.filter(|_| !create.if_not_exists && !create.concurrently && !create.or_replace)
    } else if let StatementKind::AlterTable(alter) = &statement.kind {
        alter.actions.iter().find_map(|action| {
            if let ActionKind::AddColumn { column, if_not_exists: false, .. } = &action.kind {
                Some(format!("{}.{}", alter.name, column.name))
            } else if let ActionKind::DropColumn { column, if_exists: false, .. } = &action.kind {
                Some(format!("{}.{column}", alter.name))
            } else {
                None
            }
        })
    } else {
        None
    }
}

/// Tells how many statements there are, and whether the session names itself.
fn count(migration: &Migration, out: &mut MigrationEffects) {
    let Some(first) = migration.up.statements.first() else { return };
    let declaration = Declaration {
        what: "statement-count",
        object: ObjectKind::Parameter,
        name: migration.name.clone(),
        value: "statements".to_owned(),
        number: u64::try_from(migration.up.statements.len()).ok(),
        state: TableState::Existing,
    };
    let source = "the file itself";
    let kind = EffectKind::Declares(declaration);
    out.migration.push(Effect { span: first.span, kind, source });
    let source = &migration.up.section.source;
    let comments = migration.up.comments.iter().filter(|comment| comment.start < first.span.start);
    let header: Vec<&str> = comments.map(|comment| source.slice(*comment)).collect();
    let declaration = Declaration {
        what: "migration-header",
        object: ObjectKind::Parameter,
        name: migration.name.clone(),
        value: header.join("\n"),
        number: None,
        state: TableState::Existing,
    };
    let kind = EffectKind::Declares(declaration);
    out.migration.push(Effect { span: first.span, kind, source: "the file itself" });
    let named = migration.up.statements.iter().any(|statement| {
        matches!(&statement.kind, StatementKind::Set(set)
            if set.each().any(|one| one.name == "application_name"))
    });
    if !named {
        out.migration.push(session(first.span, "missing-application-name", ""));
    }
}
