//! Which files changed since a git revision.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::failure::Failure;
use crate::effect::FileState;
use crate::sql::layout::{Content, InputFile};

/// Files that are new or different.
pub(super) struct Changed {
    /// The folder that git looks after.
    top: PathBuf,
    added: BTreeSet<PathBuf>,
    edited: BTreeSet<PathBuf>,
    renamed: BTreeSet<PathBuf>,
    /// Files that are gone, from the top of the repository.
    pub(super) gone: Vec<String>,
    /// SQL files that the revision got since the branches parted, and that are not here.
    pub(super) theirs: Vec<InputFile>,
}

impl Changed {
    /// Says what happened to a file; the path is as the user wrote it.
    pub(super) fn state(&self, path: &str) -> FileState {
        match std::fs::canonicalize(path) {
            Ok(path) if self.added.contains(&path) => FileState::Added,
            Ok(path) if self.edited.contains(&path) => FileState::Edited,
            Ok(path) if self.renamed.contains(&path) => FileState::Renamed,
            // Standard input is new by nature, and so is what lies outside of the repository.
            Err(_) => FileState::Added,
            Ok(path) if !path.starts_with(&self.top) => FileState::Added,
            Ok(_) => FileState::Unchanged,
        }
    }
}

/// Asks git for the files that were added or changed since this branch left a revision, committed
/// or not.
pub(super) fn changed_files(revision: &str) -> Result<Changed, Failure> {
    let top = PathBuf::from(git(&["rev-parse", "--show-toplevel"], revision)?.trim_end());
    let top = std::fs::canonicalize(&top).unwrap_or(top);
    let unborn = revision == "HEAD" && git(&["rev-parse", "--verify", "HEAD"], revision).is_err();
    // Before the first commit everything is new: the comparison starts from nothing.
    let nothing = unborn.then(|| git(&["hash-object", "-t", "tree", "/dev/null"], revision));
    let nothing = nothing.transpose()?;
    let revision = nothing.as_deref().map_or(revision, str::trim_end);
    let commit = if unborn { revision.to_owned() } else { format!("{revision}^{{commit}}") };
    git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit], revision)?;
    let base = match git(&["merge-base", revision, "HEAD"], revision) {
        Ok(base) => base.trim_end().to_owned(),
        Err(_) if !unborn && is_shallow() => {
            let place = format!("cannot find where this branch left {revision}");
            return Err(Failure::new(place).cause("the clone is shallow").hint(DEEPER));
        }
        // Without a common ancestor, the revision itself is the start.
        Err(_) => revision.to_owned(),
    };
    let others = ["ls-files", "--others", "--exclude-standard", "--full-name", "-z", ":/"];
    let full = |name: &str| std::fs::canonicalize(top.join(name)).ok();
    let mut changed = Changed {
        added: BTreeSet::new(),
        edited: BTreeSet::new(),
        renamed: BTreeSet::new(),
        gone: Vec::new(),
        theirs: theirs(&base, revision, &top)?,
        top: top.clone(),
    };
    let status = git(&["diff", "--name-status", "--find-renames", "-z", &base], revision)?;
    let mut words = status.split('\0');
    while let (Some(state), Some(name)) = (words.next(), words.next()) {
        match state.chars().next() {
            Some('A') => changed.added.extend(full(name)),
            Some('D') => changed.gone.push(name.to_owned()),
            Some('R') => {
                let new = words.next().unwrap_or_default();
                let same_name = Path::new(name).file_name() == Path::new(new).file_name();
                match (same_name, state) {
                    // The folder moved.
                    (true, "R100") => {}
                    (true, _) => changed.edited.extend(full(new)),
                    // To the tool that runs it, it is another migration.
                    (false, _) => changed.renamed.extend(full(new)),
                }
            }
            Some('C') => changed.added.extend(words.next().and_then(full)),
            _ => changed.edited.extend(full(name)),
        }
    }
    let others = git(&others, revision)?;
    changed.added.extend(others.split('\0').filter(|name| !name.is_empty()).filter_map(full));
    Ok(changed)
}

/// Returns the SQL files that the revision got since, as they are there.
fn theirs(base: &str, revision: &str, top: &Path) -> Result<Vec<InputFile>, Failure> {
    let filter = ["diff", "--name-only", "--no-renames", "--diff-filter=A", "-z"];
    let arguments = [filter.as_slice(), &[base, revision, "--", ":/*.sql"]].concat();
    let names = git(&arguments, revision)?;
    let missing = names.split('\0').filter(|name| !name.is_empty() && !top.join(name).exists());
    missing
        .map(|name| {
            let text = git(&["show", &format!("{revision}:{name}")], revision)?;
            Ok(InputFile { path: name.to_owned(), content: Content::Bytes(text.into_bytes()) })
        })
        .collect()
}

/// What to do where a clone lacks commits.
const DEEPER: &str = "fetch its history: `git fetch --unshallow`, or `fetch-depth: 0` in the \
                      checkout step of a GitHub workflow, `GIT_DEPTH: 0` in GitLab CI";

/// Says whether the clone lacks older commits.
fn is_shallow() -> bool {
    git(&["rev-parse", "--is-shallow-repository"], "").is_ok_and(|word| word.trim() == "true")
}

fn git(arguments: &[&str], revision: &str) -> Result<String, Failure> {
    let failure = || Failure::new(format!("cannot ask git what changed since {revision}"));
    let output = Command::new("git")
        .args(arguments)
        .output()
        .map_err(|error| failure().because(&error).hint("install git"))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        let message = message.lines().next().unwrap_or("").trim_start_matches("fatal: ").to_owned();
        let cause = if message.is_empty() {
            format!("there is no revision \"{revision}\"")
        } else {
            message
        };
        let asks_for_commit = arguments.contains(&"--verify");
        let hint = if asks_for_commit && is_shallow() {
            DEEPER
        } else {
            "name a commit, branch or tag of this repository"
        };
        return Err(failure().cause(cause).hint(hint));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
