//! `lockwise baseline`.

use std::io::Write as _;

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::live::{Live, database};
use super::options::{DirOption, UrlOption, YesOption};
use super::project::Project;
use super::running;
use super::runtime::block_on;
use crate::apply::{Direction, Faults, Progress, Runner, Stop};
use crate::db::{Event, NewEntry};
use crate::plan::{History, digests_of, version_of};
use crate::sql::Migration;

/// Count migrations as applied without running them
///
/// For a database that has the schema already. Writes the journal and nothing else.
#[derive(Debug, clap::Args)]
pub(super) struct BaselineArgs {
    #[command(flatten)]
    dir: DirOption,
    #[command(flatten)]
    url: UrlOption,
    /// The last version that counts as applied [default: the last one in the folder]
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    #[command(flatten)]
    yes: YesOption,
}

/// Shows what will count as applied, asks, and writes it down.
pub(super) fn run(args: &BaselineArgs, console: &mut Console) -> Result<Exit, Failure> {
    let project = Project::load(&console.global)?;
    block_on(async {
        let mut live = Live::open(project, &args.dir, &args.url, console).await?;
        let chosen: Vec<Migration> =
            choose(&live, args.to.as_deref())?.into_iter().cloned().collect();
        if chosen.is_empty() {
            writeln!(console.out, "nothing to do: every migration is in the history")?;
            return Ok(Exit::Yes);
        }
        for migration in &chosen {
            writeln!(console.out, "{} {}", version_of(migration), migration.name)?;
        }
        let question = format!(
            "count these {} migrations as applied to {}, without running them?",
            chosen.len(),
            live.target
        );
        if !args.yes.yes && !console.confirm(&question)? {
            console.note("nothing was changed");
            return Ok(Exit::No);
        }
        let snapshot = live.snapshot().await?.to_file();
        let mut rows: Vec<NewEntry> =
            chosen.iter().map(|m| row(m, live.server.kind, Event::Baseline)).collect();
        if let Some(last) = rows.last_mut() {
            // What the history starts from: `verify` compares with it.
            last.detail = Some(serde_json::json!({ "snapshot": snapshot }).to_string());
        }
        write_rows(&live, rows).await?;
        writeln!(console.out, "baseline: {} migrations count as applied", chosen.len())?;
        Ok(Exit::Yes)
    })
}

fn choose<'m>(live: &'m Live, to: Option<&str>) -> Result<Vec<&'m Migration>, Failure> {
    let within = match to {
        None => live.migrations.len(),
        // The order of the folder counts, not that of the versions: some conventions have none.
        Some(to) => match live.migrations.iter().position(|m| version_of(m) == to) {
            Some(at) => at + 1,
            None => {
                return Err(Failure::new(format!("no migration {to} in {}", live.dir.display()))
                    .hint("name a version of the folder"));
            }
        },
    };
    let new = |migration: &&Migration| live.history.applied(&version_of(migration)).is_none();
    Ok(live.migrations.iter().take(within).filter(new).collect())
}

/// Returns the row that says how a migration came to be applied.
pub(super) fn row(migration: &Migration, kind: crate::sql::ServerKind, event: Event) -> NewEntry {
    let (raw, semantic) = digests_of(migration, kind);
    NewEntry {
        version: version_of(migration),
        name: migration.name.clone(),
        raw_digest: Some(raw.to_string()),
        semantic_digest: Some(semantic.to_string()),
        ..NewEntry::new("", "", event)
    }
}

/// Takes the lock and appends rows, unless the history changed meanwhile.
pub(super) async fn write_rows(live: &Live, rows: Vec<NewEntry>) -> Result<(), Failure> {
    let (options, connect) = running::options(live, Direction::Up);
    let run_id = options.run_id.clone();
    let mut silent = |_: Progress| {};
    let runner = Runner::open(
        live.target.clone(),
        connect,
        live.journal.clone(),
        options,
        (Stop::default(), Faults::default()),
        &mut silent,
    );
    let failed = |error| running::failure(&error, Exit::NoAnswer);
    let mut runner = runner.await.map_err(failed)?;
    let written = append(&mut runner, live, rows, &run_id).await;
    runner.finish().await.map_err(failed)?;
    written
}

async fn append(
    runner: &mut Runner<'_>,
    live: &Live,
    mut rows: Vec<NewEntry>,
    run_id: &str,
) -> Result<(), Failure> {
    runner.lock().await.map_err(|error| running::failure(&error, Exit::NoAnswer))?;
    let entries = live.journal.read(runner.connection()).await.map_err(database)?;
    if History::of(&entries).last_seq != live.history.last_seq {
        return Err(Failure::new("the history of the database changed meanwhile")
            .hint("run the command again")
            .exit(Exit::No));
    }
    for row in &mut rows {
        run_id.clone_into(&mut row.run_id);
    }
    live.journal.append(runner.connection(), &rows).await.map_err(database)
}
