//! The applied migrations run again on a shadow: what the schema should be, and the ways back that
//! were not worked out when the migrations ran.

use super::failure::Failure;
use super::live::{Live, database};
use super::plan::{PlanningOptions, failure, material};
use crate::db::{self, Connection, Event, Snapshot};
use crate::plan::{
    self, Applied, DryRun, Kept, PlannedMigration, enforce_foreign_keys, snapshot_options,
    version_of,
};
use crate::sql::Migration;
use crate::sql::ast::{DmlKind, StatementKind};

/// Returns the schema that the history starts from: that of the last baseline, or nothing.
pub(super) fn start_of(live: &Live) -> Result<Snapshot, Failure> {
    let baseline = live.entries.iter().rev().find_map(|row| {
        let wanted = matches!(row.entry.event, Event::Baseline | Event::Adopted);
        let detail = row.entry.detail.as_deref().filter(|_| wanted)?;
        let detail: serde_json::Value = serde_json::from_str(detail).ok()?;
        detail.get("snapshot")?.as_str().map(str::to_owned)
    });
    match baseline {
        None => Ok(Snapshot::empty(live.server)),
        Some(text) => Snapshot::from_file(&text).map_err(|bad| {
            Failure::new("the snapshot of the baseline in the journal cannot be read")
                .cause(bad.to_string())
        }),
    }
}

/// Runs applied migrations, in the order in which they were applied.
pub(super) async fn replay(
    shadow: &mut Connection,
    live: &Live,
    applied: &[Applied],
) -> Result<(), Failure> {
    let off = enforce_foreign_keys(shadow, false).await;
    off.map_err(|error| Failure::of(&error))?;
    for applied in applied {
        if matches!(applied.event, Event::Baseline | Event::Adopted) {
            continue;
        }
        let file = live.migrations.iter().find(|m| version_of(m) == applied.version);
        let Some(migration) = file else { continue };
        run_file(shadow, migration).await?;
    }
    Ok(())
}

async fn run_file(shadow: &mut Connection, migration: &Migration) -> Result<(), Failure> {
    let script = &migration.up;
    for statement in &script.statements {
        // Rows make no schema, and those of then may not fit what was done to the data since.
        if matches!(&statement.kind, StatementKind::Dml(dml) if dml.kind != DmlKind::Select) {
            continue;
        }
        let sql = script.slice(statement.span);
        if let Err(error) = shadow.execute(sql).await {
            let at = script.section.source.position(statement.span.start);
            let path = script.section.source.path();
            return Err(Failure::new(format!(
                "{path}:{}: the applied migration does not run on the shadow",
                at.line
            ))
            .cause(error.to_string()));
        }
    }
    Ok(())
}

/// Works out the ways back from migrations that were applied without: the history before them is
/// run on a shadow, then each of them up and down. They come and go in the order of application;
/// nothing where there is no shadow.
pub(super) async fn ways_back(
    live: &mut Live,
    versions: &[String],
    options: &PlanningOptions,
) -> Result<Option<Vec<Kept>>, Failure> {
    let snapshot = live.snapshot().await?;
    let mut shadow = live.shadow(&snapshot, options.shadow.as_deref()).await?;
    if shadow.missing().is_some() {
        return Ok(None);
    }
    let start = start_of(live)?;
    let Some(mut connection) = shadow.seeded(&start).await.map_err(database)? else {
        return Ok(None);
    };
    let history = &live.history.applied;
    let first = history.iter().position(|one| versions.contains(&one.version));
    let before = history.get(..first.unwrap_or(history.len())).unwrap_or_default();
    replay(&mut connection, live, before).await?;
    let base = db::snapshot(&mut connection, &snapshot_options()).await.map_err(database)?;
    drop(connection);
    let file = |version: &String| {
        let found = live.migrations.iter().find(|m| version_of(m) == *version);
        found.cloned().ok_or_else(|| {
            Failure::new(format!("migration {version} has no file"))
                .hint("restore it from version control: the way back is worked out from it")
        })
    };
    let files: Vec<Migration> = versions.iter().map(file).collect::<Result<_, _>>()?;
    let rules = live.project.rules()?;
    let mut material = material(live, &files, options, &base, &rules);
    material.dry_run = DryRun::Each;
    let plan = plan::build(&material, &mut shadow).await.map_err(failure)?;
    shadow.stop().await.map_err(database)?;
    plan.migrations.into_iter().map(as_kept).collect::<Result<_, _>>().map(Some)
}

fn as_kept(planned: PlannedMigration) -> Result<Kept, Failure> {
    match planned.failure {
        None => Ok(Kept { rollback: planned.rollback, change: planned.change, path: planned.path }),
        Some(error) => Err(Failure::new(format!(
            "{}: the applied migration does not run on the shadow",
            planned.path
        ))
        .cause(error)),
    }
}
