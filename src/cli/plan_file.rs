//! A plan that was made before, by `lockwise plan --out`: it runs as it was shown, or not at all.

use std::path::Path;

use super::exit::Exit;
use super::failure::Failure;
use super::live::Live;
use super::plan::{PlanningOptions, failure, material};
use crate::plan::{self, DryRun, Group, Nature, Plan, PlannedMigration, Shadow, Step};
use crate::sql::Migration;

/// Reads a plan file and makes sure that it is what these files and this server make.
///
/// Everything that can be worked out again without a dry run is: statements, transactions, limits,
/// and who must agree. The schema is compared later, under the migration lock.
pub(super) async fn read(
    path: &Path,
    live: &mut Live,
    pending: &[Migration],
    options: &PlanningOptions,
) -> Result<Plan, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(format!("cannot read {}", path.display())).cause(error.to_string())
    })?;
    let mut plan = Plan::parse(&text).map_err(|bad| {
        Failure::new(format!("{} cannot be used", path.display())).cause(bad.to_string())
    })?;
    let snapshot = live.snapshot().await?;
    let rules = live.project.rules()?;
    let mut material = material(live, pending, options, &snapshot, &rules);
    material.dry_run = DryRun::Together;
    let mut shadow = Shadow::none("it was made when the plan was made");
    let now = plan::build(&material, &mut shadow).await.map_err(failure)?;
    if let Some(difference) = difference(&plan, &now) {
        return Err(Failure::new(format!(
            "plan {} is not the plan of now: {difference}",
            plan.digest.short()
        ))
        .hint("make it again with `lockwise plan --out`, and have it approved again")
        .exit(Exit::No));
    }
    // What a file says about who must agree is not believed.
    (plan.needs, plan.classes) = (now.needs, now.classes);
    Ok(plan)
}

/// Says in words what differs between a plan and one that was made now without a dry run.
fn difference(then: &Plan, now: &Plan) -> Option<String> {
    let (server, current) = (&then.server, &now.server);
    if (&server.kind, &server.major) != (&current.kind, &current.major) {
        return Some(format!("it is for {} {}", server.kind, server.major));
    }
    if then.policy != now.policy {
        return Some("the approval policy changed".to_owned());
    }
    if then.base != now.base {
        return Some("the schema of the database changed".to_owned());
    }
    let versions = |plan: &Plan| -> Vec<String> {
        plan.migrations.iter().map(|migration| migration.version.clone()).collect()
    };
    if versions(then) != versions(now) {
        return Some("other migrations are pending".to_owned());
    }
    let changed = then.migrations.iter().zip(&now.migrations).find(|(then, now)| !same(then, now));
    changed.map(|(then, _)| format!("{} is not what it was", then.path))
}

/// Says whether two migrations send the same; how a statement takes effect may have been settled
/// by the dry run.
fn same(then: &PlannedMigration, now: &PlannedMigration) -> bool {
    let step = |(then, now): (&Step, &Step)| {
        let settled = [Nature::Blind, Nature::Repeatable];
        let settled = if now.twice_is_once { &settled[..] } else { &settled[..1] };
        let nature = then.nature == now.nature
            || (now.nature == Nature::Visible && settled.contains(&then.nature));
        nature
            && (&then.sql, &then.raw, &then.semantic) == (&now.sql, &now.raw, &now.semantic)
            && (then.session, then.timeouts) == (now.session, now.timeouts)
            && then.around == now.around
    };
    let group = |(then, now): (&Group, &Group)| {
        (then.transaction, then.foreign_keys) == (now.transaction, now.foreign_keys)
            && then.steps.len() == now.steps.len()
            && then.steps.iter().zip(&now.steps).all(step)
    };
    (&then.raw, &then.semantic) == (&now.raw, &now.semantic)
        && then.groups.len() == now.groups.len()
        && then.groups.iter().zip(&now.groups).all(group)
}
