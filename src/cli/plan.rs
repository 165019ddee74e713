//! `lockwise plan`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::live::{Live, database};
use super::options::{DirOption, UrlOption, YesOption};
use super::project::Project;
use super::runtime::block_on;
use super::targets::{self, TargetsOption, What};
use crate::config::Shadow as Wanted;
use crate::db::Snapshot;
use crate::plan::preflight::Pooled;
use crate::plan::{
    self, Check, CheckState, Dropped, DryRun, Limits, Material, Order, Plan, PlanError, Seeding,
    Shadow, Target, Verdict, preflight,
};
use crate::report::{plan as report, plan_html, wrapped};
use crate::rule::{JudgeOptions, RuleSet};
use crate::sql::{Migration, ServerKind};

/// Show what the pending migrations would do
///
/// Reads the database without changing it, runs the pending migrations up and down on a throw-away
/// shadow database, and shows findings, locks with table sizes, the schema diff, the way back, what
/// was seen in the live database, and who has to approve.
#[derive(Debug, clap::Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    dir: DirOption,
    #[command(flatten)]
    url: UrlOption,
    #[command(flatten)]
    targets: TargetsOption,
    #[command(flatten)]
    planning: PlanningOptions,
    /// Form of the output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Write the plan as JSON to this file as well
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Options of the commands that make a plan.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct PlanningOptions {
    /// Database server for the dry run, `auto` to start one, `off` for none
    #[arg(long, value_name = "URL")]
    pub(super) shadow: Option<String>,
    /// Run new migrations even if later ones are applied
    #[arg(long)]
    pub(super) out_of_order: bool,
    /// Run through a pooler that lends sessions to others between transactions (PostgreSQL)
    ///
    /// Only migrations whose every statement runs in a transaction; settings with SET LOCAL.
    #[arg(long)]
    pub(super) pooled: bool,
    /// Who wrote the migrations [default: whom git names]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) author: Vec<String>,
    /// The plan is run at once, by the command that makes it.
    #[arg(skip)]
    pub(super) about_to_run: bool,
    /// The plan takes migrations back.
    #[arg(skip)]
    pub(super) backwards: bool,
}

/// Forms of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For the terminal.
    Text,
    /// One JSON object.
    Json,
    /// A comment for a pull request.
    Markdown,
    /// One self-contained page.
    Html,
}

/// Makes the plan and prints it.
pub(super) fn run(args: &PlanArgs, console: &mut Console) -> Result<Exit, Failure> {
    if args.targets.targets {
        return targets::run(What::Look, &args.url, YesOption::default(), console);
    }
    let project = Project::load(&console.global)?;
    let plan = block_on(async {
        let mut live = Live::open(project, &args.dir, &args.url, console).await?;
        live.pooled |= args.planning.pooled;
        let order = order(&args.planning);
        let pending = live.pending(order, console)?.into_iter().cloned().collect::<Vec<_>>();
        make(&mut live, &pending, &args.planning, console).await
    })?;
    if let Some(path) = &args.out {
        write_plan(&plan, path)?;
    }
    match args.format {
        Format::Text => show(&plan, console)?,
        Format::Json => report::json(&plan, &mut console.out)?,
        Format::Markdown => report::markdown(&plan, &mut console.out)?,
        Format::Html => plan_html(&plan, &mut console.out)?,
    }
    Ok(if plan.verdict == Verdict::Blocked { Exit::No } else { Exit::Yes })
}

/// Prints a plan as text, broken to the width of the terminal.
pub(super) fn show(plan: &Plan, console: &mut Console) -> std::io::Result<()> {
    let mut text = Vec::new();
    report::text(plan, console.out.colors, &mut text)?;
    let text = String::from_utf8_lossy(&text);
    match console.out.width {
        Some(width) => console.out.write_all(wrapped(&text, width).as_bytes()),
        None => console.out.write_all(text.as_bytes()),
    }
}

/// Returns the order that the options ask for.
pub(super) const fn order(options: &PlanningOptions) -> Order {
    if options.out_of_order { Order::Free } else { Order::Strict }
}

/// Writes the plan for `lockwise approve` and `lockwise apply`.
fn write_plan(plan: &Plan, path: &Path) -> Result<(), Failure> {
    let mut text = Vec::new();
    report::json(plan, &mut text)?;
    std::fs::write(path, text).map_err(|error| {
        Failure::new(format!("cannot write {}", path.display())).cause(error.to_string())
    })
}

/// Makes the plan of these migrations.
pub(super) async fn make(
    live: &mut Live,
    pending: &[Migration],
    options: &PlanningOptions,
    console: &mut Console,
) -> Result<Plan, Failure> {
    let snapshot = live.snapshot().await?;
    let mut shadow = if pending.is_empty() {
        Shadow::none("nothing is pending")
    } else if options.about_to_run && is_bootstrap(live, pending, options, &snapshot) {
        Shadow::none("the database is empty, and a dry run of so much is the run itself")
    } else {
        live.shadow(&snapshot, options.shadow.as_deref()).await?
    };
    let rules = live.project.rules()?;
    let preflight = if pending.is_empty() {
        Vec::new()
    } else {
        let mut checks = preflight::look(&mut live.connection).await;
        let pooled = if live.pooled { Pooled::Yes } else { Pooled::No };
        checks.extend(preflight::pooler(&mut live.connection, pooled).await);
        let unseen = snapshot.left_out.iter().map(|detail| Check {
            what: "privileges".to_owned(),
            state: CheckState::Warning,
            detail: detail.clone(),
        });
        checks.extend(unseen);
        checks
    };
    let material = Material { preflight, ..material(live, pending, options, &snapshot, &rules) };
    let plan = plan::build(&material, &mut shadow).await;
    let stopped = shadow.stop().await;
    let mut plan = plan.map_err(failure)?;
    if let Err(error) = stopped {
        console.warn(&format!("the shadow was not cleaned up: {error}"));
    }
    plan::count_losses(&mut plan, &mut live.connection, &snapshot).await;
    plan::look_around(&mut plan, &mut live.connection, &snapshot).await;
    if live.pooled
        && let Some(detail) = preflight::not_pooled(&plan)
    {
        plan.verdict = Verdict::Blocked;
        let (what, state) = ("pooled".to_owned(), CheckState::Blocked);
        plan.preflight.push(Check { what, state, detail });
    }
    without_replicas(&plan, live)?;
    Ok(plan)
}

/// Batches that wait for replicas need to know them; only PostgreSQL's primary does by itself.
fn without_replicas(plan: &Plan, live: &Live) -> Result<(), Failure> {
    if !live.server.kind.is_mysql_family() || !live.replicas.is_empty() {
        return Ok(());
    }
    for migration in &plan.migrations {
        let waits = |step: &&plan::Step| {
            step.batch.as_ref().is_some_and(|batch| batch.max_lag_ms.is_some())
        };
        if let Some(step) = migration.steps().find(waits) {
            let at = format!("{}:{}", migration.path, step.line);
            return Err(Failure::new(format!("{at}: max_lag is given and no replica is known"))
                .hint("name the URLs of the replicas in `replicas` under [runner]"));
        }
    }
    Ok(())
}

/// Says whether a long history is about to be run on an empty database of PostgreSQL or SQLite: a
/// migration that fails there is rolled back whole, and there is nothing to lose, so that the run
/// itself shows what a dry run elsewhere would.
fn is_bootstrap(
    live: &Live,
    pending: &[Migration],
    options: &PlanningOptions,
    snapshot: &Snapshot,
) -> bool {
    let kind = live.server.kind;
    let unasked = options.shadow.is_none() && live.project.config.runner.shadow == Wanted::Auto;
    let empty = !snapshot.objects.iter().any(|object| object.kind == "table");
    unasked
        && empty
        && live.project.config.approval.is_none()
        && matches!(kind, ServerKind::Postgres | ServerKind::Sqlite)
        && DryRun::of(pending.len()) == DryRun::Together
}

/// Returns what a plan of these migrations on that schema is made from.
pub(super) fn material<'m>(
    live: &'m Live,
    pending: &'m [Migration],
    options: &PlanningOptions,
    snapshot: &'m Snapshot,
    rules: &'m RuleSet,
) -> Material<'m> {
    let runner = &live.project.config.runner;
    let milliseconds = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(0);
    let limits = Limits {
        lock_timeout_ms: milliseconds(runner.lock_timeout),
        statement_timeout_ms: runner.statement_timeout.map_or(0, milliseconds),
    };
    Material {
        pending: pending.iter().collect(),
        live: snapshot,
        target: Target {
            name: live.target.to_string(),
            database: live.target.database().map_or_else(|| live.target.to_string(), str::to_owned),
        },
        rules,
        judging: JudgeOptions { adopt_comments: live.project.config.adopt_comments },
        policy: live.project.config.approval.as_ref(),
        limits,
        authors: live.authors(&options.author, pending),
        preflight: Vec::new(),
        dry_run: DryRun::of(pending.len()),
        dropped: if runner.keep_dropped && !options.backwards {
            Dropped::Kept
        } else {
            Dropped::Gone
        },
        seeding: Seeding::BySize,
        online_tool: runner.online_tool.clone(),
    }
}

/// Returns why there is no plan.
pub(super) fn failure(error: PlanError) -> Failure {
    match error {
        PlanError::Database(error) => database(error),
        PlanError::CannotRun(found) => Failure::all(found.iter().map(|one| {
            Failure::new(one.to_string()).hint("correct it, or take it out of the migration")
        })),
    }
}
