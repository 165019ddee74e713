//! Which files changed since a git revision.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use super::failure::Failure;
use crate::effect::FileState;

/// Files that are new or different.
pub(super) struct Changed {
    added: BTreeSet<PathBuf>,
    edited: BTreeSet<PathBuf>,
}

impl Changed {
    /// Says what happened to a file; the path is as the user wrote it.
    pub(super) fn state(&self, path: &str) -> FileState {
        match std::fs::canonicalize(path) {
            Ok(path) if self.added.contains(&path) => FileState::Added,
            Ok(path) if self.edited.contains(&path) => FileState::Edited,
            // Standard input is new by nature.
            Err(_) => FileState::Added,
            Ok(_) => FileState::Unchanged,
        }
    }
}

/// Asks git for the files that were added or changed since this branch left a revision, committed
/// or not.
pub(super) fn changed_files(revision: &str) -> Result<Changed, Failure> {
    let top = PathBuf::from(git(&["rev-parse", "--show-toplevel"], revision)?.trim_end());
    let commit = format!("{revision}^{{commit}}");
    git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit], revision)?;
    // Without a common ancestor, the revision itself is the start.
    let base = git(&["merge-base", revision, "HEAD"], revision);
    let base = base.map_or_else(|_| revision.to_owned(), |base| base.trim_end().to_owned());
    let diff = |filter: &str| git(&["diff", "--name-only", "-z", filter, &base], revision);
    let others = ["ls-files", "--others", "--exclude-standard", "--full-name", "-z", ":/"];
    let paths = |names: &str| -> BTreeSet<PathBuf> {
        let names = names.split('\0').filter(|name| !name.is_empty());
        names.filter_map(|name| std::fs::canonicalize(top.join(name)).ok()).collect()
    };
    let mut added = paths(&diff("--diff-filter=ARC")?);
    added.extend(paths(&git(&others, revision)?));
    Ok(Changed { added, edited: paths(&diff("--diff-filter=MT")?) })
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
        return Err(failure().cause(cause).hint("name a commit, branch or tag of this repository"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
