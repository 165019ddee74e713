//! `lockwise new`.

use std::io::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::files::{read_folder, shown};
use super::options::{ConventionOption, DirOption};
use super::project::Project;
use crate::plan::Instant;
use crate::sql::Convention;
use crate::sql::layout::{Group, NewFile, arrange, next_files};

/// Create an empty migration
///
/// The file gets the next version and is named as the other files of the folder are; an empty
/// folder gets <time>_<name>.sql and <time>_<name>.down.sql. Prints the paths.
#[derive(Debug, clap::Args)]
pub(super) struct NewArgs {
    /// What the migration does, for example "add email to users"
    name: String,
    #[command(flatten)]
    dir: DirOption,
    #[command(flatten)]
    convention: ConventionOption,
    /// Make no file for the way back
    #[arg(long)]
    no_down: bool,
}

/// Names the files, makes them, prints their paths.
pub(super) fn run(args: &NewArgs, console: &mut Console) -> Result<Exit, Failure> {
    let project = Project::load(&console.global)?;
    let dir = project.dir(args.dir.dir.as_deref());
    let convention = args.convention.convention.or(project.config.convention);
    let group = existing(&dir, convention)?;
    let mut files = next_files(&group, group.convention, &args.name, &now()?)
        .map_err(|error| Failure::of(&error).hint(error.hint()))?;
    if args.no_down {
        files.retain(|file| !file.path.ends_with("down.sql"));
    }
    for file in &files {
        let path = dir.join(&file.path);
        create(&path, file)?;
        writeln!(console.out, "{}", shown(&path))?;
    }
    Ok(Exit::Yes)
}

/// Returns the migrations that are there; a folder that is not there yet has none.
fn existing(dir: &Path, convention: Option<Convention>) -> Result<Group, Failure> {
    let none = Group {
        folder: shown(dir),
        convention: convention.unwrap_or(Convention::Lockwise),
        unrelated: false,
        drafts: Vec::new(),
    };
    if !dir.exists() {
        return Ok(none);
    }
    let arrangement = arrange(vec![read_folder(dir)?], convention);
    let folder = shown(dir);
    Ok(arrangement.groups.into_iter().find(|group| group.folder == folder).unwrap_or(none))
}

fn now() -> Result<String, Failure> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.ok().and_then(|since| i64::try_from(since.as_secs()).ok());
    let seconds = seconds.ok_or_else(|| Failure::new("the clock of this machine is not set"))?;
    let text = Instant::from_unix(seconds).to_string();
    Ok(text.chars().filter(char::is_ascii_digit).collect())
}

fn create(path: &Path, file: &NewFile) -> Result<(), Failure> {
    let failed = |error: &std::io::Error| {
        Failure::new(format!("cannot create {}", shown(path))).because(error)
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let mut opened = opened.map_err(|error| failed(&error))?;
    opened.write_all(file.text.as_bytes()).map_err(|error| failed(&error))
}
