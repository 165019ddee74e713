//! Which files changed since a git revision.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::failure::Failure;

/// Files that are new or different.
pub(super) struct Changed {
    files: BTreeSet<PathBuf>,
}

impl Changed {
    /// Says whether a file is among them; the path is as the user wrote it.
    pub(super) fn contains(&self, path: &str) -> bool {
        std::fs::canonicalize(path).is_ok_and(|path| self.files.contains(&path))
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
    let changed = git(&["diff", "--name-only", "-z", "--diff-filter=d", &base], revision)?;
    let new =
        git(&["ls-files", "--others", "--exclude-standard", "--full-name", "-z", ":/"], revision)?;
    let files = changed
        .split('\0')
        .chain(new.split('\0'))
        .filter(|name| !name.is_empty())
        .filter_map(|name| std::fs::canonicalize(top.join(Path::new(name))).ok())
        .collect();
    Ok(Changed { files })
}

fn git(arguments: &[&str], revision: &str) -> Result<String, Failure> {
    let failure = || Failure::new(format!("cannot ask git what changed since {revision}"));
    let output = Command::new("git")
        .args(arguments)
        .output()
        .map_err(|error| failure().cause(error.to_string()).hint("install git"))?;
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
