//! `lockwise adopt`.

use std::io::Write as _;

use super::baseline::{row, write_rows};
use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::live::Live;
use super::options::{DirOption, UrlOption, YesOption};
use super::project::Project;
use super::runtime::block_on;
use crate::db::{Event, NewEntry};
use crate::plan::adopt::{self, Adoption, CannotAdopt, Match, Tool};
use crate::plan::version_of;

/// Take over the history of another migration tool
///
/// Reads the table of sqlx, refinery, diesel, golang-migrate, dbmate, Rails, goose, Flyway, Atlas,
/// Prisma, Liquibase or Sqitch, compares its checksums with the files, and notes in lockwise's own
/// journal what was applied. The other tool's table is never written to, and its lock is held
/// meanwhile where it has one.
#[derive(Debug, clap::Args)]
pub(super) struct AdoptArgs {
    #[command(flatten)]
    dir: DirOption,
    #[command(flatten)]
    url: UrlOption,
    /// Tool whose history it is [default: the one whose table is there]
    #[arg(long, value_name = "TOOL", value_parser = tool)]
    from: Option<Tool>,
    #[command(flatten)]
    yes: YesOption,
}

fn tool(name: &str) -> Result<Tool, String> {
    Tool::named(name).ok_or_else(|| {
        let known = Tool::ALL.map(|tool| tool.as_str().to_ascii_lowercase());
        format!("no such tool; use one of {}", known.join(", ").replace(" or ", ", "))
    })
}

/// Compares, shows, asks, and writes the journal.
pub(super) fn run(args: &AdoptArgs, console: &mut Console) -> Result<Exit, Failure> {
    let project = Project::load(&console.global)?;
    block_on(async {
        let mut live = Live::open(project, &args.dir, &args.url, console).await?;
        if !live.history.applied.is_empty() {
            return Err(Failure::new("lockwise has a history of this database already")
                .hint("run `lockwise status`")
                .exit(Exit::No));
        }
        let tool = adopt::find(&mut live.connection, args.from).await.map_err(failure)?;
        adopt::exclude(&mut live.connection, tool).await.map_err(failure)?;
        let known = adopt::read(&mut live.connection, tool).await.map_err(failure)?;
        let snapshot = live.snapshot().await?.to_file();
        let adoption = adopt::compare(tool, known, &live.migrations);
        show(tool, &adoption, console)?;
        refuse(tool, &adoption)?;
        if adoption.adopted.is_empty() {
            writeln!(console.out, "nothing to take over: {} applied nothing", tool.as_str())?;
            return Ok(Exit::Yes);
        }
        let question =
            format!("take over {} migrations into {}?", adoption.adopted.len(), live.target);
        if !args.yes.yes && !console.confirm(&question)? {
            console.note("nothing was changed");
            return Ok(Exit::No);
        }
        let count = adoption.adopted.len();
        let rows = rows(tool, &adoption, &snapshot, &live);
        write_rows(&live, rows).await?;
        writeln!(console.out, "adopted: {count} migrations of {}", tool.as_str())?;
        Ok(Exit::Yes)
    })
}

fn failure(error: CannotAdopt) -> Failure {
    let failure = Failure::of(&error);
    match error {
        CannotAdopt::NoTool => failure.hint("use `lockwise baseline` for a database without one"),
        CannotAdopt::Unfinished { .. } => {
            failure.hint("finish or repair it with the other tool first").exit(Exit::No)
        }
        CannotAdopt::LockedBy(_) => failure
            .hint("wait until it is done, or run `liquibase release-locks` if its run died")
            .exit(Exit::No),
        CannotAdopt::Running(_) => failure.hint("wait until it is done").exit(Exit::No),
        CannotAdopt::Table { .. } | CannotAdopt::Database(_) => failure,
    }
}

fn show(tool: Tool, adoption: &Adoption<'_>, console: &mut Console) -> Result<(), Failure> {
    writeln!(console.out, "history of {} in {}", tool.as_str(), tool.table())?;
    for one in &adoption.adopted {
        let (version, name) = (version_of(one.migration), one.migration.name.replace('_', " "));
        writeln!(console.out, "  applied  {version} {name}: {}", one.matched.as_str())?;
    }
    for known in &adoption.missing {
        writeln!(console.out, "  applied  {}: NO FILE", known.version)?;
    }
    for migration in &adoption.pending {
        let name = migration.name.replace('_', " ");
        writeln!(console.out, "  pending  {} {name}", version_of(migration))?;
    }
    Ok(())
}

/// What was applied must be what is in the folder.
fn refuse(tool: Tool, adoption: &Adoption<'_>) -> Result<(), Failure> {
    let different = adoption.adopted.iter().filter(|one| one.matched == Match::Different);
    let different = different.map(|one| {
        let path = one.migration.up.section.source.path();
        Failure::new(format!("{path} is not what {} applied", tool.as_str()))
            .hint("restore the file from version control")
    });
    let missing = adoption.missing.iter().map(|known| {
        Failure::new(format!("migration {} is applied and has no file", known.version))
            .hint("restore the file, or name the right folder with --dir")
    });
    let failures: Vec<Failure> = different.chain(missing).collect();
    if failures.is_empty() { Ok(()) } else { Err(Failure::all(failures).exit(Exit::No)) }
}

fn rows(tool: Tool, adoption: &Adoption<'_>, snapshot: &str, live: &Live) -> Vec<NewEntry> {
    let last = adoption.adopted.len();
    let adopted = adoption.adopted.iter().zip(1..);
    adopted
        .map(|(one, number)| {
            let mut detail = serde_json::json!({
                "imported_from": tool.as_str(), "version": one.known.version,
                "checksum": one.known.checksum, "files": one.matched.as_str(),
            });
            if number == last
                && let Some(detail) = detail.as_object_mut()
            {
                // What the history starts from: `verify` compares with it.
                detail.insert("snapshot".to_owned(), snapshot.into());
            }
            NewEntry {
                detail: Some(detail.to_string()),
                ..row(one.migration, live.server.kind, Event::Adopted)
            }
        })
        .collect()
}
