//! `lockwise verify`.

use std::io::Write as _;

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::live::{Live, database};
use super::options::{DirOption, UrlOption, YesOption};
use super::project::Project;
use super::replay::{replay, start_of};
use super::runtime::block_on;
use super::targets::{self, TargetsOption, What};
use crate::plan::rollback::{Difference, compare};
use crate::plan::{self, Order, snapshot_options};

/// Compare the history with the files and with the database
///
/// Files: a changed literal is an error, changed formatting or line ends are a note. Database: the
/// applied migrations are run on a shadow, and what differs from the live schema is shown as a
/// diff. Exit code 1 when something does not fit.
#[derive(Debug, clap::Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    dir: DirOption,
    #[command(flatten)]
    url: UrlOption,
    #[command(flatten)]
    targets: TargetsOption,
    /// Database server for the shadow, `auto` to start one, `off` to compare files only
    #[arg(long, value_name = "URL")]
    shadow: Option<String>,
}

/// Compares files with the journal, then the live schema with the expected one.
pub(super) fn run(args: &VerifyArgs, console: &mut Console) -> Result<Exit, Failure> {
    if args.targets.targets {
        return targets::run(What::Look, &args.url, YesOption::default(), console);
    }
    let project = Project::load(&console.global)?;
    block_on(async {
        let mut live = Live::open(project, &args.dir, &args.url, console).await?;
        live.details().await?;
        let pending = plan::pending(&live.migrations, &live.history, live.server.kind, Order::Free);
        for note in &pending.notes {
            console.note(note);
        }
        if !pending.troubles.is_empty() {
            return Err(super::live::troubles(&pending.troubles));
        }
        let applied = live.history.applied.len();
        writeln!(console.out, "files: the {applied} applied migrations are as they were")?;
        match compared(&mut live, args.shadow.as_deref()).await? {
            Compared::Not(reason) => {
                console.warn(&format!("the live schema was not compared: {reason}"));
                Ok(Exit::Yes)
            }
            Compared::With(difference) => report(&difference, console),
        }
    })
}

/// How the live schema compares with what the files make.
pub(super) enum Compared {
    /// It was not tried, and why.
    Not(String),
    /// The difference.
    With(Difference),
}

/// Runs the applied migrations, as their files are, on a shadow, and compares.
pub(super) async fn compared(live: &mut Live, shadow: Option<&str>) -> Result<Compared, Failure> {
    let snapshot = live.snapshot().await?;
    let mut shadow = live.shadow(&snapshot, shadow).await?;
    if let Some(reason) = shadow.missing() {
        return Ok(Compared::Not(reason.to_owned()));
    }
    let start = start_of(live)?;
    let Some(mut connection) = shadow.seeded(&start).await.map_err(database)? else {
        return Ok(Compared::Not("there is no shadow".to_owned()));
    };
    replay(&mut connection, live, &live.history.applied).await?;
    let expected = crate::db::snapshot(&mut connection, &snapshot_options()).await;
    let expected = expected.map_err(database)?;
    drop(connection);
    shadow.stop().await.map_err(database)?;
    Ok(Compared::With(compare(&expected, &snapshot)))
}

fn report(difference: &Difference, console: &mut Console) -> Result<Exit, Failure> {
    match difference {
        Difference::None => {
            writeln!(console.out, "schema: the database is as the migrations make it")?;
            Ok(Exit::Yes)
        }
        Difference::ColumnOrder(diff) => {
            console.note("columns stand in another order than the migrations put them");
            write!(console.out, "{diff}")?;
            Ok(Exit::Yes)
        }
        Difference::Something(diff) => {
            let diff = diff.replacen("--- before", "--- as the migrations make it", 1);
            let diff = diff.replacen("+++ after", "+++ as the database is", 1);
            write!(console.out, "{diff}")?;
            Err(Failure::new("the schema of the database is not what the migrations make")
                .hint("put the difference into a migration, or take it back by hand")
                .exit(Exit::No))
        }
    }
}
