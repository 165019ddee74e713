//! Paths on the command line to files in memory: folders, files, globs and standard input.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use super::failure::{Failure, words};
use crate::sql::layout::{Content, Given, InputFile, Reader, is_sidecar};

/// Folders that hold other people's files.
const FOREIGN_FOLDERS: [&str; 2] = ["node_modules", "target"];

/// Reads everything that is named. All that cannot be read is told at once.
pub(super) fn read_all(paths: &[String]) -> Result<Vec<Given>, Failure> {
    let mut given = Vec::new();
    let mut failures = Vec::new();
    for path in paths {
        match read(path) {
            Ok(found) => given.push(found),
            Err(failure) => failures.push(failure),
        }
    }
    if failures.is_empty() { Ok(given) } else { Err(Failure::all(failures)) }
}

/// Reads one path, glob or `-`.
fn read(path: &str) -> Result<Given, Failure> {
    if path == "-" {
        let mut bytes = Vec::new();
        return match io::stdin().lock().read_to_end(&mut bytes) {
            Ok(_) => Ok(Given::Stdin { bytes }),
            Err(error) => Err(cannot_read("standard input", &error)),
        };
    }
    let place = Path::new(path);
    match fs::metadata(place) {
        Ok(found) if found.is_dir() => read_folder(place),
        Ok(_) => read_file(place),
        Err(_) if path.contains(['*', '?', '[', '{']) => read_glob(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(cannot_read(path, &error).hint(near_hint(place)))
        }
        Err(error) => Err(cannot_read(path, &error)),
    }
}

fn cannot_read(path: &str, error: &io::Error) -> Failure {
    Failure::new(format!("cannot read {path}")).because(error)
}

/// Offers a file with a similar name in the same folder.
fn near_hint(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter().flatten();
    let names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    let wanted = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
    match crate::sql::nearest(wanted, names.iter().map(String::as_str)).first() {
        Some(near) => format!("write {}", shown(&path.with_file_name(near))),
        None => "name a file, a folder, a glob in quotes, or - for standard input".to_owned(),
    }
}

/// Reads all migrations below a folder.
pub(super) fn read_folder(folder: &Path) -> Result<Given, Failure> {
    let mut paths = Vec::new();
    search(folder, &mut Vec::new(), &mut paths)?;
    Ok(Given::Folder { path: shown(folder), files: found_files(&paths)? })
}

/// Looks for files below a folder. `above` are the folders it was found in: a link back to one of
/// them leads to nothing new.
fn search(
    folder: &Path,
    above: &mut Vec<PathBuf>,
    found: &mut Vec<PathBuf>,
) -> Result<(), Failure> {
    let cannot = |error: io::Error| cannot_read(&shown(folder), &error);
    above.push(folder.to_owned());
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| cannot_read(&shown(&path), &error))?;
        // A link counts as what it points to.
        let is_folder = kind.is_dir() || (kind.is_symlink() && path.is_dir());
        if is_folder {
            let foreign = name.starts_with('.') || FOREIGN_FOLDERS.contains(&name.as_ref());
            let back = kind.is_symlink() && leads_back(&path, above);
            if !foreign && !back {
                search(&path, above, found)?;
            }
        } else if is_wanted(&name) {
            // A pipe or a device would be waited for.
            let ordinary = kind.is_file() || fs::metadata(&path).is_ok_and(|file| file.is_file());
            if !ordinary && path.exists() {
                let hint = "name it on the command line to read it all the same";
                return Err(Failure::new(format!("{} is no file", shown(&path))).hint(hint));
            }
            found.push(path);
        }
    }
    above.pop();
    Ok(())
}

fn leads_back(link: &Path, above: &[PathBuf]) -> bool {
    let place = |path: &Path| fs::canonicalize(path).ok();
    let target = place(link);
    above.iter().any(|folder| place(folder) == target)
}

fn is_wanted(name: &str) -> bool {
    let sql = Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("sql"));
    (sql && !name.starts_with('.')) || is_sidecar(name)
}

/// Returns the files of a folder. Migrations are read later, when it is their turn; what says
/// something about them, and what has a name that cannot be shown as it is, is read at once.
fn found_files(paths: &[PathBuf]) -> Result<Vec<InputFile>, Failure> {
    let reader = Reader::new(|path| fs::read(path).map_err(|error| why(path, &error)));
    let mut files = Vec::with_capacity(paths.len());
    let mut failures = Vec::new();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str());
        let sidecar = name.is_none_or(is_sidecar) || path.to_str().is_none();
        let file = if sidecar {
            load(path)
        } else {
            Ok(InputFile { path: shown(path), content: Content::Unread(reader.clone()) })
        };
        match file {
            Ok(file) => files.push(file),
            Err(failure) => failures.push(failure),
        }
    }
    if failures.is_empty() { Ok(files) } else { Err(Failure::all(failures)) }
}

/// Says why a file cannot be read.
fn why(path: &str, error: &io::Error) -> String {
    let leads_nowhere = error.kind() == io::ErrorKind::NotFound && Path::new(path).is_symlink();
    if leads_nowhere { "it is a link to nothing".to_owned() } else { words(error) }
}

fn load(path: &Path) -> Result<InputFile, Failure> {
    let bytes = fs::read(path).map_err(|error| cannot_read(&shown(path), &error))?;
    Ok(InputFile { path: shown(path), content: Content::Bytes(bytes) })
}

/// Reads a file, and what stands beside it and says something about it.
fn read_file(path: &Path) -> Result<Given, Failure> {
    let file = load(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let mut beside: Vec<PathBuf> = ["atlas.sum", "metadata.toml", "meta/_journal.json"]
        .iter()
        .map(|sidecar| folder.join(sidecar))
        .collect();
    beside.push(folder.join(format!("{name}.conf")));
    let stem = name.strip_suffix(".sql").unwrap_or(&name);
    let stem = stem.strip_suffix(".up").unwrap_or(stem);
    let down = match name.as_str() {
        "up.sql" | "migration.sql" => "down.sql".to_owned(),
        _ => format!("{stem}.down.sql"),
    };
    beside.push(folder.join(down));
    let beside = beside.iter().filter_map(|path| load(path).ok()).collect();
    Ok(Given::File { file, beside })
}

/// Reads the files that a pattern matches, in the order of their versions, as those of a folder.
fn read_glob(pattern: &str) -> Result<Given, Failure> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build().map_err(|error| {
        Failure::new(format!("\"{pattern}\" is no path and no pattern")).cause(error.to_string())
    })?;
    let matcher = glob.compile_matcher();
    let fixed: PathBuf = Path::new(pattern)
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']))
        .collect();
    let base = if fixed.as_os_str().is_empty() { Path::new(".") } else { fixed.as_path() };
    let mut paths = Vec::new();
    if base.is_dir() {
        search(base, &mut Vec::new(), &mut paths)?;
    }
    paths.retain(|path| {
        let shown = shown(path);
        matcher.is_match(&shown) || is_sidecar(shown.rsplit('/').next().unwrap_or(""))
    });
    let files = found_files(&paths)?;
    let any = files.iter().any(|file| matcher.is_match(&file.path));
    if !any {
        let hint = "check the pattern; in the shell, quote it";
        return Err(Failure::new(format!("no SQL file matches {pattern}")).hint(hint));
    }
    Ok(Given::Folder { path: shown(base), files })
}

/// Reads a file that was read before; nothing where it is gone by now.
pub(super) fn text_again(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text)
}

/// Returns a path as it is shown: with `/`, and without a leading `./`.
pub(super) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
    let text = text.strip_prefix("./").unwrap_or(&text);
    text.trim_end_matches('/').to_owned()
}
