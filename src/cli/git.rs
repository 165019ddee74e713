//! Who wrote a file, as far as git knows.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// Returns the addresses of everybody who committed to a file, whatever it was called then.
pub(super) fn of_one(path: &Path) -> Vec<String> {
    let Some(name) = path.file_name() else { return Vec::new() };
    let folder = path.parent().unwrap_or(Path::new(""));
    let Some(text) = log(folder, &["--follow", "--format=%ae", "--"], Some(name)) else {
        return Vec::new();
    };
    sorted(text.lines().map(str::to_owned).collect())
}

/// Returns the addresses of everybody who committed to each file directly in a folder, in one
/// call. A file that came from another folder has the authors it got here.
pub(super) fn of_all(folder: &Path) -> BTreeMap<OsString, Vec<String>> {
    let arguments = ["--format=@%ae", "--name-status", "--relative", "-M", "--", "."];
    let mut authors: BTreeMap<OsString, Vec<String>> = BTreeMap::new();
    // What a file is called now, by what it was called before; the log begins with the newest.
    let mut now: BTreeMap<String, String> = BTreeMap::new();
    let mut who = String::new();
    for line in log(folder, &arguments, None).unwrap_or_default().lines() {
        if let Some(address) = line.strip_prefix('@') {
            address.clone_into(&mut who);
            continue;
        }
        let mut words = line.split('\t').skip(1);
        let (Some(first), second) = (words.next(), words.next()) else { continue };
        let last = second.unwrap_or(first);
        let name = now.get(last).cloned().unwrap_or_else(|| last.to_owned());
        if second.is_some() {
            now.insert(first.to_owned(), name.clone());
        }
        authors.entry(OsString::from(name)).or_default().push(who.clone());
    }
    authors.into_iter().map(|(name, who)| (name, sorted(who))).collect()
}

fn log(folder: &Path, arguments: &[&str], file: Option<&std::ffi::OsStr>) -> Option<String> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "core.quotePath=false", "log"])
        .args(arguments)
        .args(file)
        .output();
    output.ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn sorted(mut authors: Vec<String>) -> Vec<String> {
    authors.sort();
    authors.dedup();
    authors
}
