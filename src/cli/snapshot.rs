//! `lockwise snapshot`.

use std::io::Write as _;
use std::path::PathBuf;

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::live::Live;
use super::options::UrlOption;
use super::project::Project;
use super::runtime::block_on;

/// Print the schema of a database, with table sizes
///
/// The output is SQL that loads into an empty database, equal for equal schemas. Commit it, name it
/// as `snapshot` in lockwise.toml, and `lockwise lint` knows the real tables and their sizes
/// without access to the database.
#[derive(Debug, clap::Args)]
pub(super) struct SnapshotArgs {
    #[command(flatten)]
    url: UrlOption,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Reads the schema and prints it.
pub(super) fn run(args: &SnapshotArgs, console: &mut Console) -> Result<Exit, Failure> {
    let project = Project::load(&console.global)?;
    let snapshot = block_on(async {
        let mut live = Live::without_folder(project, &args.url).await?;
        live.snapshot().await
    })?;
    for left_out in &snapshot.left_out {
        console.warn(&format!("not written down: {left_out}"));
    }
    let text = snapshot.to_file();
    match &args.out {
        None => console.out.write_all(text.as_bytes())?,
        Some(path) => std::fs::write(path, text).map_err(|error| {
            Failure::new(format!("cannot write {}", path.display())).cause(error.to_string())
        })?,
    }
    Ok(Exit::Yes)
}
