//! `lockwise status`.

use std::io::Write as _;

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::live::Live;
use super::options::{DirOption, UrlOption, YesOption};
use super::project::Project;
use super::runtime::block_on;
use super::targets::{self, TargetsOption, What};
use crate::plan::{self, Order, version_of};

/// Show which migrations are applied and which are pending
///
/// Exit code 0: the answer was given, whether or not something is pending. 1: files and history
/// contradict each other, or a migration was begun and not finished.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    dir: DirOption,
    #[command(flatten)]
    url: UrlOption,
    #[command(flatten)]
    targets: TargetsOption,
    /// Form of the output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Forms of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For the terminal.
    Text,
    /// One JSON object.
    Json,
}

/// One line of the answer.
struct Line {
    version: String,
    name: String,
    state: &'static str,
    since: String,
}

/// Compares folder and journal.
pub(super) fn run(args: &StatusArgs, console: &mut Console) -> Result<Exit, Failure> {
    if args.targets.targets {
        return targets::run(What::Look, &args.url, YesOption::default(), console);
    }
    let project = Project::load(&console.global)?;
    let live = block_on(Live::open(project, &args.dir, &args.url, console))?;
    let pending = plan::pending(&live.migrations, &live.history, live.server.kind, Order::Strict);
    let begun: Vec<&String> = live
        .history
        .begun
        .iter()
        .filter(|(_, begun)| !begun.steps.is_empty())
        .map(|(version, _)| version)
        .collect();
    let lines: Vec<Line> = live.migrations.iter().map(|m| line(m, &live, &begun)).collect();
    match args.format {
        Format::Json => {
            let migrations: Vec<_> = lines
                .iter()
                .map(|line| {
                    serde_json::json!({"version": line.version, "name": line.name,
                        "state": line.state, "at": line.since})
                })
                .collect();
            let troubles: Vec<String> = pending.troubles.iter().map(ToString::to_string).collect();
            let answer = serde_json::json!({"format": 1, "target": live.target.to_string(),
                "migrations": migrations, "begun": begun, "troubles": troubles,
                "notes": pending.notes});
            serde_json::to_writer_pretty(&mut console.out, &answer)
                .map_err(|error| Failure::from(std::io::Error::from(error)))?;
            writeln!(console.out)?;
        }
        Format::Text => {
            for line in &lines {
                let Line { version, name, state, since } = line;
                let since = if since.is_empty() { String::new() } else { format!("  {since}") };
                writeln!(console.out, "{state:<8} {version} {}{since}", name.replace('_', " "))?;
            }
            let applied = live.history.applied.len();
            let left = pending.migrations.len();
            writeln!(console.out, "{}: {applied} applied, {left} pending", live.target)?;
            for note in &pending.notes {
                console.note(note);
            }
        }
    }
    if !pending.troubles.is_empty() {
        return Err(super::live::troubles(&pending.troubles));
    }
    if let [version, ..] = begun.as_slice() {
        return Err(Failure::new(format!("migration {version} was begun and not finished"))
            .hint("run `lockwise apply` (or `lockwise rollback`) again: it goes on")
            .exit(Exit::No));
    }
    Ok(Exit::Yes)
}

fn line(migration: &crate::sql::Migration, live: &Live, begun: &[&String]) -> Line {
    let version = version_of(migration);
    let applied = live.history.applied(&version);
    let state = match applied {
        Some(_) => "applied",
        None if begun.contains(&&version) => "begun",
        None => "pending",
    };
    let since = applied.map_or_else(String::new, |applied| applied.at.clone());
    Line { version, name: migration.name.clone(), state, since }
}
