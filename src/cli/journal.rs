//! `lockwise history`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::live::Live;
use super::options::{DirOption, UrlOption};
use super::project::Project;
use super::runtime::block_on;
use crate::plan::{DOWN, changes_of, months_of, version_of};
use crate::report::history;

/// Show what was done to a database, when and by whom
///
/// Every migration applied or rolled back, with the approvals that were used; `--stats` sums it up
/// by month.
#[derive(Debug, clap::Args)]
pub(super) struct HistoryArgs {
    #[command(flatten)]
    url: UrlOption,
    /// Only what was done with the migrations of this folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Sum up by month
    #[arg(long)]
    stats: bool,
    /// Form of the output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Forms of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A table.
    Text,
    /// One JSON object.
    Json,
    /// One line a change, for spreadsheets.
    Csv,
}

/// Reads the journal and prints it.
pub(super) fn run(args: &HistoryArgs, console: &mut Console) -> Result<Exit, Failure> {
    let project = Project::load(&console.global)?;
    let mut live = block_on(async {
        let mut live = match &args.dir {
            None => Live::without_folder(project, &args.url).await?,
            Some(dir) => {
                let dir = DirOption { dir: Some(dir.clone()) };
                Live::open(project, &dir, &args.url, console).await?
            }
        };
        live.details().await?;
        Ok::<_, Failure>(live)
    })?;
    if args.dir.is_some() {
        let versions: BTreeSet<String> = live.migrations.iter().map(version_of).collect();
        let is_in = |version: &str| versions.contains(version.trim_end_matches(DOWN));
        live.entries.retain(|row| row.entry.version.is_empty() || is_in(&row.entry.version));
    }
    let log = history::Log { changes: changes_of(&live.entries), months: months_of(&live.entries) };
    let out = &mut console.out;
    match (args.format, args.stats) {
        (Format::Text, false) => log.text(out.colors, out)?,
        (Format::Text, true) => log.stats_text(out.colors, out)?,
        (Format::Json, false) => log.json(out)?,
        (Format::Json, true) => log.stats_json(out)?,
        (Format::Csv, false) => log.csv(out)?,
        (Format::Csv, true) => log.stats_csv(out)?,
    }
    Ok(Exit::Yes)
}
