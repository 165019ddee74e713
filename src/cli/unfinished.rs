//! A run that did not finish: whether its plan goes on, and which one that is.

use super::exit::Exit;
use super::failure::Failure;
use super::live::Live;
use crate::apply::Direction;
use crate::db::Event;
use crate::plan::{self, Plan, PlannedMigration, digests_of, version_of};
use crate::sql::Migration;

/// Returns the plan of a run that stopped in the middle of a migration.
pub(super) async fn unfinished(
    live: &mut Live,
    direction: Direction,
) -> Result<Option<Plan>, Failure> {
    let down = |version: &str| version.ends_with("/down");
    let begun = live.history.begun.iter().find(|(version, begun)| {
        !begun.steps.is_empty() && down(version) == (direction == Direction::Down)
    });
    let Some(version) = begun.map(|(version, _)| version.clone()) else {
        return match direction {
            Direction::Up => between_migrations(live).await,
            Direction::Down => Ok(None),
        };
    };
    live.details().await?;
    let version = &version;
    let of_run = |event: Event| {
        live.entries.iter().rev().find(|row| {
            row.entry.event == event
                && (event == Event::RunStarted || row.entry.version == *version)
        })
    };
    // The last run that touched the migration holds the plan that it followed.
    let run = [Event::Intent, Event::Applied, Event::Failed, Event::Recovered]
        .into_iter()
        .filter_map(of_run)
        .max_by_key(|row| row.seq)
        .map(|row| row.entry.run_id.clone());
    let started = live.entries.iter().find(|row| {
        row.entry.event == Event::RunStarted && Some(&row.entry.run_id) == run.as_ref()
    });
    let text = started.and_then(|row| row.entry.detail.as_deref()).ok_or_else(|| {
        Failure::new(format!("migration {version} was begun, and its plan is not in the journal"))
    })?;
    let plan = Plan::parse(text).map_err(|bad| {
        Failure::new(format!("the plan of migration {version} in the journal cannot be used"))
            .cause(bad.to_string())
    })?;
    if direction == Direction::Up
        && let Err(changed) = check_files(&plan, live, version)
    {
        // Where nothing of it is there, a corrected file is planned anew.
        return if live.history.is_begun(version) { Err(changed) } else { Ok(None) };
    }
    Ok(Some(plan))
}

/// Returns the plan of a run that stopped between two migrations, where what is left of it is what
/// is pending first: who agreed to the plan agreed to the rest of it.
async fn between_migrations(live: &mut Live) -> Result<Option<Plan>, Failure> {
    let last = live.entries.iter().rev().find(|row| row.entry.event == Event::RunStarted);
    let Some(run) = last.map(|row| row.entry.run_id.clone()) else { return Ok(None) };
    let of_run = |event: Event| {
        live.entries.iter().any(|row| row.entry.run_id == run && row.entry.event == event)
    };
    if of_run(Event::RunFinished) || !of_run(Event::MigrationApplied) {
        return Ok(None);
    }
    live.details().await?;
    let text = live
        .entries
        .iter()
        .find(|row| row.entry.run_id == run && row.entry.event == Event::RunStarted)
        .and_then(|row| row.entry.detail.as_deref());
    let Some(plan) = text.and_then(|text| Plan::parse(text).ok()) else { return Ok(None) };
    let pending =
        plan::pending(&live.migrations, &live.history, live.server.kind, plan::Order::Strict);
    let left: Vec<&PlannedMigration> = plan
        .migrations
        .iter()
        .filter(|planned| live.history.applied(&planned.version).is_none())
        .collect();
    let same = |(planned, file): (&&PlannedMigration, &&Migration)| {
        planned.version == version_of(file) && planned.raw == digests_of(file, live.server.kind).0
    };
    let fits = pending.troubles.is_empty()
        && !left.is_empty()
        && left.len() <= pending.migrations.len()
        && left.iter().zip(&pending.migrations).all(same);
    Ok(fits.then_some(plan))
}

/// Makes sure that the files are still those that were begun.
fn check_files(plan: &Plan, live: &Live, begun: &str) -> Result<(), Failure> {
    for planned in &plan.migrations {
        let file = live.migrations.iter().find(|m| version_of(m) == planned.version);
        let raw = file.map(|file| digests_of(file, live.server.kind).0);
        if raw.is_some_and(|raw| raw == planned.raw)
            || live.history.applied(&planned.version).is_some()
        {
            continue;
        }
        return Err(Failure::new(format!(
            "migration {begun} is half done, and {} is not what it was then",
            planned.path
        ))
        .hint("restore the files, so that it can be finished; then write a new migration")
        .exit(Exit::No));
    }
    Ok(())
}
