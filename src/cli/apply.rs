//! `lockwise apply`.

use std::io::Write as _;
use std::path::PathBuf;

use super::approvals;
use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::live::Live;
use super::options::{DirOption, UrlOption, YesOption};
use super::plan::{PlanningOptions, make, order, show};
use super::plan_file;
use super::project::Project;
use super::running::{self, Asked};
use super::runtime::block_on;
use super::targets::{self, TargetsOption, What};
use super::unfinished::unfinished;
use crate::apply::Direction;
use crate::plan::{Plan, Verdict};

/// Apply the pending migrations
///
/// Shows the plan, makes sure that it is approved or asks, takes the migration lock, and runs every
/// statement with limits and retries. A crash at any point leaves a state from which the same
/// command goes on.
#[derive(Debug, clap::Args)]
pub(super) struct ApplyArgs {
    #[command(flatten)]
    dir: DirOption,
    #[command(flatten)]
    url: UrlOption,
    #[command(flatten)]
    targets: TargetsOption,
    #[command(flatten)]
    planning: PlanningOptions,
    #[command(flatten)]
    yes: YesOption,
    /// Run this plan, written by `lockwise plan --out`, and no other; no dry run is made
    #[arg(long, value_name = "FILE", conflicts_with = "shadow")]
    plan: Option<PathBuf>,
    /// Say what became of a statement that the journal cannot know: VERSION.STEP=done or =undone
    #[arg(long, value_name = "DECISION")]
    settle: Vec<String>,
    /// Why, for the journal
    #[arg(long, value_name = "TEXT", requires = "settle")]
    reason: Option<String>,
}

/// Makes the plan, has it agreed to, and performs it.
pub(super) fn run(args: &ApplyArgs, console: &mut Console) -> Result<Exit, Failure> {
    if args.targets.targets {
        return targets::run(What::Apply, &args.url, args.yes, console);
    }
    let project = Project::load(&console.global)?;
    block_on(async {
        let mut live = Live::open(project, &args.dir, &args.url, console).await?;
        live.pooled |= args.planning.pooled;
        if !args.settle.is_empty() {
            let reason = args.reason.as_deref().unwrap_or("");
            live = running::settle(live, &args.settle, reason, console).await?;
        }
        if let Some(plan) = unfinished(&mut live, Direction::Up).await? {
            console.note(&format!(
                "plan {} was begun and not finished: it goes on now",
                plan.digest.short()
            ));
            let Some(asked) = agree(&plan, &live, args, console)? else { return Ok(Exit::No) };
            let exit = running::perform(&mut live, &plan, asked, Direction::Up, console).await?;
            if exit != Exit::Yes {
                return Ok(exit);
            }
            live = Live::open(live.project, &args.dir, &args.url, console).await?;
            live.pooled |= args.planning.pooled;
        }
        let pending = live.pending(order(&args.planning), console)?;
        let pending: Vec<_> = pending.into_iter().cloned().collect();
        if pending.is_empty() {
            writeln!(
                console.out,
                "nothing to do: {} migrations are applied",
                live.history.applied.len()
            )?;
            return Ok(Exit::Yes);
        }
        let plan = match &args.plan {
            Some(path) => plan_file::read(path, &mut live, &pending, &args.planning).await?,
            None => {
                let planning = PlanningOptions { about_to_run: true, ..args.planning.clone() };
                make(&mut live, &pending, &planning, console).await?
            }
        };
        show(&plan, console)?;
        writeln!(console.out)?;
        if plan.verdict == Verdict::Blocked {
            return Err(Failure::new("the plan is blocked: nothing was changed")
                .hint("correct what the plan names, and run the command again")
                .exit(Exit::No));
        }
        let Some(asked) = agree(&plan, &live, args, console)? else { return Ok(Exit::No) };
        running::perform(&mut live, &plan, asked, Direction::Up, console).await
    })
}

/// Makes sure that the plan may run; none means that somebody said no.
fn agree(
    plan: &Plan,
    live: &Live,
    args: &ApplyArgs,
    console: &mut Console,
) -> Result<Option<Asked>, Failure> {
    if let Some(policy) = &live.project.config.approval {
        let audit = approvals::check(plan, policy, live, &args.planning.author, console)?;
        if !plan.needs.is_empty() {
            return Ok(Some(Asked { audit }));
        }
    }
    let question = format!("apply plan {} to {}?", plan.digest.short(), live.target);
    if args.yes.yes || console.confirm(&question)? {
        return Ok(Some(Asked::default()));
    }
    console.note("nothing was changed");
    Ok(None)
}
