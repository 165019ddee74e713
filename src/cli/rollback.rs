//! `lockwise rollback`.

use std::io::Write as _;

use super::approvals;
use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::live::Live;
use super::options::{DirOption, UrlOption, YesOption};
use super::plan::{PlanningOptions, make, show};
use super::project::Project;
use super::replay;
use super::running::{self, Asked};
use super::runtime::block_on;
use super::unfinished::unfinished;
use crate::apply::Direction;
use crate::plan::{self, Applied, Kept, NoWayBack, Plan, Proof, RollbackSource, Verdict, drifted};
use crate::sql::{Migration, Version};

/// Take applied migrations back
///
/// Shows the plan first, with the rows that would go. Runs the way back that was planned and
/// proven when the migration was applied, and refuses when somebody changed the same objects since.
/// It never takes back everything by itself: say how far.
#[derive(Debug, clap::Args)]
pub(super) struct RollbackArgs {
    #[command(flatten)]
    dir: DirOption,
    #[command(flatten)]
    url: UrlOption,
    #[command(flatten)]
    how_far: HowFar,
    #[command(flatten)]
    planning: PlanningOptions,
    #[command(flatten)]
    yes: YesOption,
}

/// How far back.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(multiple = false)]
pub(super) struct HowFar {
    /// Take back everything after this version
    #[arg(long, value_name = "VERSION")]
    pub(super) to: Option<String>,
    /// Take back so many migrations, the last one first
    #[arg(long, value_name = "N")]
    pub(super) steps: Option<usize>,
}

impl HowFar {
    /// Says whether nothing was said.
    pub(super) const fn is_unsaid(&self) -> bool {
        self.to.is_none() && self.steps.is_none()
    }
}

/// Makes the plan of the way back, has it agreed to, and performs it.
pub(super) fn run(args: &RollbackArgs, console: &mut Console) -> Result<Exit, Failure> {
    let project = Project::load(&console.global)?;
    block_on(async {
        let mut live = Live::open(project, &args.dir, &args.url, console).await?;
        live.pooled |= args.planning.pooled;
        if let Some(plan) = unfinished(&mut live, Direction::Down).await? {
            console.note(&format!(
                "rollback {} was begun and not finished: it goes on now",
                plan.digest.short()
            ));
            let Some(asked) = agree(&plan, &live, args, console)? else { return Ok(Exit::No) };
            return running::perform(&mut live, &plan, asked, Direction::Down, console).await;
        }
        let plan = plan_back(&mut live, &args.how_far, &args.planning, console).await?;
        if plan.migrations.is_empty() {
            writeln!(console.out, "nothing to take back")?;
            return Ok(Exit::Yes);
        }
        show(&plan, console)?;
        writeln!(console.out)?;
        if plan.verdict == Verdict::Blocked {
            return Err(Failure::new("the rollback is blocked: nothing was changed")
                .hint("correct what the plan names, and run the command again")
                .exit(Exit::No));
        }
        let Some(asked) = agree(&plan, &live, args, console)? else { return Ok(Exit::No) };
        running::perform(&mut live, &plan, asked, Direction::Down, console).await
    })
}

/// Makes the plan of the way back.
pub(super) async fn plan_back(
    live: &mut Live,
    how_far: &HowFar,
    planning: &PlanningOptions,
    console: &mut Console,
) -> Result<Plan, Failure> {
    live.details().await?;
    let mut chosen = choose(live, how_far)?;
    work_out(live, &mut chosen, planning).await?;
    unchanged_since(live, &chosen).await?;
    let back: Vec<Migration> = chosen
        .iter()
        .map(|(applied, kept)| plan::as_migration(applied, kept, live.server))
        .collect();
    let planning = PlanningOptions { backwards: true, ..planning.clone() };
    make(live, &back, &planning, console).await
}

/// Works out the ways back that the journal does not hold, because the migrations were applied
/// without a dry run of each.
async fn work_out(
    live: &mut Live,
    chosen: &mut [(Applied, Kept)],
    planning: &PlanningOptions,
) -> Result<(), Failure> {
    let open = |kept: &Kept| matches!(kept.rollback.proof, Proof::NotRun { .. });
    let mut versions: Vec<String> = chosen
        .iter()
        .filter(|(_, kept)| open(kept))
        .map(|(applied, _)| applied.version.clone())
        .collect();
    versions.reverse();
    if versions.is_empty() {
        return Ok(());
    }
    let found = replay::ways_back(live, &versions, planning).await?;
    let mut found: Vec<(String, Kept)> =
        versions.into_iter().zip(found.unwrap_or_default()).collect();
    for (applied, kept) in chosen.iter_mut().filter(|(_, kept)| open(kept)) {
        match found.iter().position(|(version, _)| *version == applied.version) {
            Some(at) => *kept = found.swap_remove(at).1,
            // The author's own way back can run without a proof; there is no other.
            None if kept.rollback.source == RollbackSource::Authored => {}
            None => {
                return Err(Failure::of(&NoWayBack::NotKept(applied.version.clone()))
                    .hint("give a server for the shadow with --shadow: it is worked out there")
                    .exit(Exit::No));
            }
        }
    }
    Ok(())
}

/// Returns the migrations to take back, the last one first.
fn choose(live: &Live, how_far: &HowFar) -> Result<Vec<(Applied, Kept)>, Failure> {
    if how_far.is_unsaid() {
        return Err(Failure::new("say how far to go back")
            .hint("pass --steps 1 for the last migration, or --to VERSION"));
    }
    let mut applied = live.history.applied.clone();
    applied.reverse();
    let chosen: Vec<Applied> = match (&how_far.to, how_far.steps) {
        (Some(version), _) => {
            if live.history.applied(version).is_none() {
                return Err(unknown_version(version, live));
            }
            applied.into_iter().take_while(|one| one.version != *version).collect()
        }
        (None, Some(steps)) => applied.into_iter().take(steps).collect(),
        (None, None) => Vec::new(),
    };
    chosen
        .into_iter()
        .map(|one| match plan::kept(&live.entries, &one) {
            Ok(kept) => Ok((one, kept)),
            Err(error) => Err(Failure::of(&error)
                .hint("write a new migration that does what is wanted")
                .exit(Exit::No)),
        })
        .collect()
}

fn unknown_version(version: &str, live: &Live) -> Failure {
    let failure = Failure::new(format!("migration {version} is not applied"));
    let wanted = Version::new(version);
    let before =
        live.history.applied.iter().rev().find(|a| Version::new(a.version.as_str()) < wanted);
    match before {
        Some(near) => {
            failure.hint(format!("the nearest applied one before it is {}", near.version))
        }
        None => failure.hint("run `lockwise status` for what is applied"),
    }
}

/// Refuses when the objects of the migrations are not as these left them.
async fn unchanged_since(live: &mut Live, chosen: &[(Applied, Kept)]) -> Result<(), Failure> {
    let snapshot = live.snapshot().await?;
    let objects = drifted(chosen.iter().map(|(_, kept)| kept.change.as_slice()), &snapshot);
    let Some((earliest, _)) = chosen.last().filter(|_| !objects.is_empty()) else { return Ok(()) };
    Err(Failure::new(format!(
        "the database changed since migration {} was applied: {}",
        earliest.version,
        objects.join(", ")
    ))
    .hint("run `lockwise verify` to see the difference, and write a new migration")
    .exit(Exit::No))
}

/// Makes sure that the way back may run; none means that somebody said no.
fn agree(
    plan: &Plan,
    live: &Live,
    args: &RollbackArgs,
    console: &mut Console,
) -> Result<Option<Asked>, Failure> {
    if let Some(policy) = &live.project.config.approval {
        let audit = approvals::check(plan, policy, live, &args.planning.author, console)?;
        if !plan.needs.is_empty() {
            return Ok(Some(Asked { audit }));
        }
    }
    let versions: Vec<&str> = plan.migrations.iter().map(|m| m.version.as_str()).collect();
    let question = format!("take back {} on {}?", versions.join(", "), live.target);
    if args.yes.yes || console.confirm(&question)? {
        return Ok(Some(Asked::default()));
    }
    console.note("nothing was changed");
    Ok(None)
}
