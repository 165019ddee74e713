//! A migration up and down on a shadow database: what changes, and whether the way back restores.

use super::change::changes;
use super::model::{
    Group, Nature, ObjectChange, PlannedMigration, Proof, Rollback, RollbackSource,
};
use super::rollback::{Difference, Way, compare, undo_renames, unified, way_back};
use super::shadow::snapshot_options;
use crate::db::{self, Connection, ServerError, Snapshot};
use crate::sql::ast::StatementKind;
use crate::sql::{Migration, ServerKind};

/// What one migration did to the shadow.
#[derive(Debug)]
pub(super) struct Upped {
    /// The schema before.
    pub(super) before: Snapshot,
    /// The schema after.
    pub(super) after: Snapshot,
}

/// Runs a migration on the shadow and notes what it changes; the error is the statement's.
pub(super) async fn up(
    shadow: &mut Connection,
    before: Snapshot,
    planned: &mut PlannedMigration,
) -> Result<Upped, db::Error> {
    let mut last = before.clone();
    let mut groups = planned.groups.iter_mut().peekable();
    while let Some(group) = groups.next() {
        if let Err((number, line, error)) = run_group(shadow, group).await {
            planned.failure = Some(format!("statement {number}, line {line}: {error}"));
            let after = db::snapshot(shadow, &snapshot_options()).await?;
            return Ok(Upped { before, after });
        }
        if !group.transaction {
            let now = db::snapshot(shadow, &snapshot_options()).await?;
            for step in &mut group.steps {
                step.change = changes(&last, &now);
                step.nature = settle(step.nature, &step.change);
            }
            last = now;
        } else if groups.peek().is_some_and(|next| !next.transaction) {
            // What the next one changes is told from what this one changed.
            last = db::snapshot(shadow, &snapshot_options()).await?;
        }
    }
    let after = db::snapshot(shadow, &snapshot_options()).await?;
    planned.diff = unified(&before, &after);
    planned.change = changes(&before, &after);
    Ok(Upped { before, after })
}

/// Runs a migration on the shadow; looks at the schema only around statements that commit by
/// themselves, whose effect must be known after a crash.
pub(super) async fn up_unseen(
    shadow: &mut Connection,
    planned: &mut PlannedMigration,
) -> Result<(), db::Error> {
    for group in &mut planned.groups {
        let seen = !group.transaction && group.steps.iter().any(|s| s.nature == Nature::Visible);
        let last = if seen { Some(db::snapshot(shadow, &snapshot_options()).await?) } else { None };
        if let Err((number, line, error)) = run_group(shadow, group).await {
            planned.failure = Some(format!("statement {number}, line {line}: {error}"));
            return Ok(());
        }
        let Some(last) = last else { continue };
        let now = db::snapshot(shadow, &snapshot_options()).await?;
        for step in &mut group.steps {
            step.change = changes(&last, &now);
            step.nature = settle(step.nature, &step.change);
        }
    }
    Ok(())
}

/// What leaves the schema as it is cannot be told from what did not happen.
fn settle(nature: Nature, change: &[ObjectChange]) -> Nature {
    match nature {
        Nature::Visible if change.is_empty() => Nature::Blind,
        Nature::Visible | Nature::Atomic | Nature::Repeatable | Nature::Batched | Nature::Blind => {
            nature
        }
    }
}

/// Runs one group; an error comes with the number and line of the statement.
async fn run_group(shadow: &mut Connection, group: &Group) -> Result<(), (u32, u32, ServerError)> {
    let first = group.steps.first().map_or((0, 0), |step| (step.number, step.line));
    let at = |(number, line): (u32, u32)| move |error| (number, line, error);
    if !group.transaction {
        for step in &group.steps {
            shadow.execute(&step.sql).await.map_err(at((step.number, step.line)))?;
            if let Some(batch) = &step.batch {
                // A range without an end reaches no row and shows whether the key is right.
                let none = batch.statement(Some("NULL"), "NULL");
                shadow.execute(&none).await.map_err(at((step.number, step.line)))?;
            }
        }
        return Ok(());
    }
    enforce_foreign_keys(shadow, group.foreign_keys).await.map_err(at(first))?;
    shadow.begin().await.map_err(at(first))?;
    for step in &group.steps {
        if let Err(error) = shadow.execute(&step.sql).await {
            // The statement's own error is the news; a failing ROLLBACK would say the same.
            let _ = shadow.rollback().await;
            return Err((step.number, step.line, error));
        }
    }
    shadow.commit().await.map_err(at(first))
}

/// Switches foreign keys of SQLite, which a transaction cannot; nothing elsewhere.
pub async fn enforce_foreign_keys(
    connection: &mut Connection,
    on: bool,
) -> Result<(), ServerError> {
    if connection.server().kind != ServerKind::Sqlite {
        return Ok(());
    }
    let word = if on { "ON" } else { "OFF" };
    connection.execute(&format!("PRAGMA foreign_keys = {word}")).await.map(|_| ())
}

/// Makes the way back from a migration and runs it; the shadow is where the migration left it, and
/// is where it began afterwards when the proof says so.
pub(super) async fn down(
    shadow: &mut Connection,
    migration: &Migration,
    upped: &Upped,
) -> Result<Rollback, db::Error> {
    if let Some(script) = &migration.down {
        let statements = script.statements.iter().map(|s| script.slice(s.span).to_owned());
        let way = Way { statements: statements.collect(), ..Way::default() };
        let failure = run_all(shadow, &way.statements).await;
        return finish(shadow, RollbackSource::Authored, way, failure, upped).await;
    }
    let mut way = Way { statements: undo_renames(&migration.up, &upped.before), ..Way::default() };
    let mut failure = run_all(shadow, &way.statements).await;
    if failure.is_none() {
        let now = db::snapshot(shadow, &snapshot_options()).await?;
        let rest = way_back(&upped.before, &now);
        failure = run_all(shadow, &rest.statements).await;
        way.statements.extend(rest.statements);
        way.loses = rest.loses;
        way.notes = rest.notes;
        way.notes.extend(data_changes(migration, &upped.before));
    }
    finish(shadow, RollbackSource::Generated, way, failure, upped).await
}

/// Says which statements change rows of tables that were there before: no schema change undoes
/// them.
fn data_changes(migration: &Migration, before: &Snapshot) -> Option<String> {
    let script = &migration.up;
    let there = |name: &crate::sql::ObjectName| {
        before.objects.iter().any(|object| {
            object.kind == "table" && object.name.name.eq_ignore_ascii_case(name.name())
        })
    };
    let changing = script.statements.iter().filter(|statement| {
        matches!(&statement.kind, StatementKind::Dml(dml) if dml.targets.iter().any(there))
    });
    let lines: Vec<String> =
        changing.map(|s| script.section.source.position(s.span.start).line.to_string()).collect();
    let (word, it) = if lines.len() == 1 { ("line", "changes") } else { ("lines", "change") };
    let list = lines.join(", ");
    (!lines.is_empty()).then(|| format!("rows that {word} {list} {it} stay as they are"))
}

/// Runs statements one by one; returns the one that failed.
async fn run_all(shadow: &mut Connection, statements: &[String]) -> Option<(String, ServerError)> {
    let off = enforce_foreign_keys(shadow, false).await;
    if let Err(error) = off {
        return Some((String::new(), error));
    }
    for statement in statements {
        if let Err(error) = shadow.execute(statement).await {
            return Some((statement.clone(), error));
        }
    }
    None
}

/// Compares the schema with the one before, and says what that proves.
async fn finish(
    shadow: &mut Connection,
    source: RollbackSource,
    way: Way,
    failure: Option<(String, ServerError)>,
    upped: &Upped,
) -> Result<Rollback, db::Error> {
    let proof = match failure {
        Some((statement, error)) => Proof::Fails { statement, error: error.to_string() },
        None => {
            let now = db::snapshot(shadow, &snapshot_options()).await?;
            match compare(&upped.before, &now) {
                Difference::None => Proof::Restores,
                Difference::ColumnOrder(diff) => Proof::ColumnOrder { diff },
                Difference::Something(diff) => Proof::Differs { diff },
            }
        }
    };
    let Way { statements, loses, notes } = way;
    let source = if statements.is_empty() { RollbackSource::None } else { source };
    Ok(Rollback { source, statements, foreign_keys: false, proof, loses, notes })
}

/// Returns the rollback of a migration that was not run anywhere.
pub(super) fn unproven(migration: &Migration, reason: &str) -> Rollback {
    let authored = migration.down.as_ref().map(|script| {
        let statements = script.statements.iter();
        statements.map(|s| script.slice(s.span).to_owned()).collect::<Vec<_>>()
    });
    let source = if authored.is_some() { RollbackSource::Authored } else { RollbackSource::None };
    Rollback {
        source,
        statements: authored.unwrap_or_default(),
        foreign_keys: false,
        proof: Proof::NotRun { reason: reason.to_owned() },
        loses: Vec::new(),
        notes: Vec::new(),
    }
}
