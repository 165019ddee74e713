//! `lockwise effects`.

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::history::{History, HistoryOptions};
use super::project::Project;
use super::track::Use;
use crate::report::effects::{self, MigrationReport};

/// Show what each statement locks, rewrites, scans, loses
///
/// Facts without an opinion: the locks each statement takes, what they block and for how long,
/// which tables are rewritten or read, which indexes are built, what vanishes, when it fails.
/// Earlier paths are history for later ones.
#[derive(Debug, clap::Args)]
pub(super) struct EffectsArgs {
    #[command(flatten)]
    history: HistoryOptions,
    /// Form of the output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Forms of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Tables.
    Text,
    /// One JSON object.
    Json,
}

/// Replays the migrations and prints what each statement does.
pub(super) fn run(args: &EffectsArgs, console: &mut Console) -> Result<Exit, Failure> {
    let project = Project::load(&console.global)?;
    let history = History::read(&args.history, &project, console)?;
    let server = history.server;
    let (replayed, failures) = history.replay_all(&project);
    let reports: Vec<MigrationReport> = replayed
        .iter()
        .filter(|entry| entry.used == Use::Judged)
        .map(|entry| MigrationReport::of(&entry.migration, &entry.effects))
        .collect();
    match args.format {
        Format::Text => effects::text(server, &reports, console.out.colors, &mut console.out)?,
        Format::Json => effects::json(server, &reports, &mut console.out)?,
    }
    if failures.is_empty() { Ok(Exit::Yes) } else { Err(Failure::all(failures)) }
}
