//! `lockwise man`.

use std::path::{Path, PathBuf};

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;

/// Print the manual page
///
/// The page of lockwise, or of one of its commands. With `--out`, all pages are written to a
/// folder, ready for `man -M`.
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Command whose page is printed
    #[arg(conflicts_with = "out")]
    command: Option<String>,
    /// Folder to write all pages to
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints or writes the pages.
pub(super) fn run(args: &ManArgs, console: &mut Console) -> Result<Exit, Failure> {
    let mut root = super::command();
    root.build();
    if let Some(folder) = &args.out {
        write_all(&root, folder)?;
        return Ok(Exit::Yes);
    }
    let page = match &args.command {
        None => root,
        Some(name) => page_of(&root, name)?,
    };
    render(page, &mut console.out)?;
    Ok(Exit::Yes)
}

fn page_of(root: &clap::Command, name: &str) -> Result<clap::Command, Failure> {
    let found = root.get_subcommands().find(|command| command.get_name() == name);
    found.map(titled).ok_or_else(|| {
        let known = root.get_subcommands().map(clap::Command::get_name);
        let failure = Failure::new(format!("there is no command \"{name}\""));
        match crate::sql::nearest(name, known).as_slice() {
            [] => failure.hint("run `lockwise --help` for the list of commands"),
            [near, ..] => failure.hint(format!("write {near}")),
        }
    })
}

/// Gives the page of a command the name that `man` looks for: `lockwise-lint`.
fn titled(command: &clap::Command) -> clap::Command {
    let name = format!("lockwise-{}", command.get_name());
    command.clone().name(name)
}

fn write_all(root: &clap::Command, folder: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!("cannot write manual pages to {}", folder.display())).because(&error)
    };
    let pages = folder.join("man1");
    std::fs::create_dir_all(&pages).map_err(failed)?;
    for page in std::iter::once(root.clone()).chain(root.get_subcommands().map(titled)) {
        let mut bytes = Vec::new();
        let path = pages.join(format!("{}.1", page.get_name()));
        render(page, &mut bytes)?;
        std::fs::write(path, bytes).map_err(failed)?;
    }
    Ok(())
}

fn render(page: clap::Command, out: &mut dyn std::io::Write) -> Result<(), Failure> {
    clap_mangen::Man::new(page).render(out)?;
    out.flush()?;
    Ok(())
}
