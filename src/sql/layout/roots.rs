//! Which files belong together: the folders that hold whole histories.

use std::collections::BTreeMap;

use super::name::{Prefix, code_version, file_name, is_version_folder};
use super::{Content, InputFile, Reader};
use crate::sql::migration::{Convention, Section, Version};
use crate::sql::source::{Source, Span};

/// One SQL file on its way to a migration.
pub(super) struct Entry {
    pub(super) source: Source,
    /// Reads it again.
    pub(super) reader: Option<Reader>,
    pub(super) folder: String,
    pub(super) file: String,
    /// Its place among the files given one by one.
    pub(super) given: usize,
    /// It was named itself: a name that fits no convention is no reason to leave it out.
    pub(super) named: bool,
}

/// Splits a path into folder and file name.
pub(super) fn split_path(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

pub(super) fn parent(folder: &str) -> &str {
    split_path(folder).0
}

pub(super) fn is_sql(path: &str) -> bool {
    file_name(split_path(path).1).is_some()
}

pub(super) fn entry(source: Source, given: usize, named: bool) -> Entry {
    let (folder, file) = split_path(source.path());
    let (folder, file) = (folder.to_owned(), file.to_owned());
    Entry { source, reader: None, folder, file, given, named }
}

pub(super) fn join(folder: &str, file: &str) -> String {
    if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") }
}

pub(super) fn whole(source: &Source) -> Section {
    let end = u32::try_from(source.text().len()).unwrap_or(u32::MAX);
    Section { source: source.clone(), range: Span::new(0, end), reading: Default::default() }
}

/// Says whether the folder of a file, not its name, is the migration.
pub(super) fn is_unit_file(file: &str) -> bool {
    matches!(file, "up.sql" | "down.sql" | "migration.sql")
}

/// Folders with what belongs to them.
pub(super) type Roots<T> = Vec<(String, Vec<T>)>;

/// Groups files by the folder that holds the whole history: above `<version>_<name>/up.sql`, above
/// `deploy/`, and above folders that are named like versions (`v1.4/`), but not above the folder
/// that was given.
pub(super) fn by_root<T>(files: Vec<T>, path: impl Fn(&T) -> &str, given: &str) -> Roots<T> {
    let mut roots: BTreeMap<String, Vec<T>> = BTreeMap::new();
    for one in files {
        let (mut root, file) = split_path(path(&one));
        let name = split_path(root).1;
        let numbered = name.starts_with(|c: char| c.is_ascii_digit());
        let part_of_sqitch = matches!(name, "deploy" | "revert" | "verify");
        if (is_unit_file(file) && numbered) || part_of_sqitch {
            root = parent(root);
        } else {
            while root.len() > given.len() && is_version_folder(split_path(root).1) {
                root = parent(root);
            }
        }
        match roots.get_mut(root) {
            Some(known) => known.push(one),
            None => drop(roots.insert(root.to_owned(), vec![one])),
        }
    }
    let mut roots: Roots<T> = roots.into_iter().collect();
    roots.sort_by(|(a, _), (b, _)| path_order(a, b));
    roots
}

/// Orders paths part by part, numbers in them as numbers: `v1.9/a.sql` before `v1.10/a.sql`.
pub(super) fn path_order(left: &str, right: &str) -> std::cmp::Ordering {
    let (mut left, mut right) = (left.split('/'), right.split('/'));
    loop {
        let order = match (left.next(), right.next()) {
            (Some(a), Some(b)) => Version::compare(a, b),
            (a, b) => return a.is_some().cmp(&b.is_some()),
        };
        if order != std::cmp::Ordering::Equal {
            return order;
        }
    }
}

/// Flyway and refinery read folders below theirs, too: one history, unless versions collide, as
/// they do where several projects lie side by side.
pub(super) fn join_flyway(roots: &mut Vec<(String, Convention, Vec<Entry>)>) {
    let mut versions = std::collections::BTreeSet::new();
    for (_, _, entries) in roots.iter() {
        for name in entries.iter().filter_map(|entry| file_name(&entry.file)) {
            let versioned = matches!(name.prefix, Prefix::Versioned | Prefix::None);
            let key = name.version.replace('_', ".");
            if versioned && !key.is_empty() && !versions.insert(key) {
                return;
            }
        }
    }
    let mut joined = std::mem::take(roots).into_iter();
    if let Some((root, convention, mut entries)) = joined.next() {
        entries.extend(joined.flat_map(|(_, _, entries)| entries));
        roots.push((root, convention, entries));
    }
}

/// Files that say something about migrations and are none.
pub(super) struct Sidecars(BTreeMap<String, Vec<u8>>);

impl Sidecars {
    pub(super) fn new(files: Vec<InputFile>) -> Self {
        let bytes = |file: InputFile| match file.content {
            Content::Bytes(bytes) => (file.path, bytes),
            Content::Unread(reader) => {
                let bytes = reader.read(&file.path).unwrap_or_default();
                (file.path, bytes)
            }
        };
        Self(files.into_iter().map(bytes).collect())
    }

    pub(super) fn has(&self, folder: &str, file: &str) -> bool {
        self.0.contains_key(&join(folder, file))
    }

    pub(super) fn text(&self, path: &str) -> Option<String> {
        self.0.get(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Returns the versions of migrations in another language than SQL. Those of Flyway lie in a
    /// folder of their own (`src/main/java/db/migration`).
    pub(super) fn code(&self, root: &str, convention: Convention) -> Vec<Version> {
        let here = |path: &str| {
            let beside = matches!(convention, Convention::Refinery | Convention::Goose);
            convention == Convention::Flyway || (beside && split_path(path).0 == root)
        };
        let paths = self.0.keys().filter(|path| here(path));
        let found = paths.filter_map(|path| code_version(split_path(path).1));
        found.map(|version| Version::new(version.replace('_', "."))).collect()
    }

    /// Diesel's `metadata.toml` with `run_in_transaction = false`, Flyway's `<script>.conf` with
    /// `executeInTransaction=false`.
    pub(super) fn says_no_transaction(&self, entry: &Entry) -> bool {
        let says = |path: String, key: &str| {
            self.text(&path).is_some_and(|text| {
                text.lines().any(|line| {
                    let setting: String = line.chars().filter(|c| !c.is_whitespace()).collect();
                    setting.split('#').next() == Some(&format!("{key}=false"))
                })
            })
        };
        says(join(&entry.folder, "metadata.toml"), "run_in_transaction")
            || says(format!("{}.conf", entry.source.path()), "executeInTransaction")
    }
}
