//! Files to folders, and folders to migrations in order.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::changelog::{changesets, sqitch_changes, way_back};
use super::decode::decode;
use super::detect::{Evidence, Surroundings, detect};
use super::name::{Dialect, file_name};
use super::role::{Role, role};
use super::roots::{
    Entry, Sidecars, by_root, entry, is_sql, is_unit_file, join, join_flyway, path_order,
    split_path, whole,
};
use super::sections::marked;
use super::{Arrangement, Content, Draft, Given, Group, InputFile, LayoutError, Problem, Skipped};
use crate::sql::migration::{Convention, Section, Version};
use crate::sql::source::{Position, Source};

/// How many bytes of text are kept until they are parsed. A small folder is read once; of a large
/// one, the files are read again one by one, so that memory does not grow with them.
const KEPT: usize = 2 * 1024 * 1024;

/// Arranges what was given. Without a convention, each folder's own is found.
///
/// Files given one by one keep their order; those of a folder get the order in which their tool
/// runs them.
pub fn arrange(given: Vec<Given>, convention: Option<Convention>) -> Arrangement {
    let mut arranging = Arranging { out: Arrangement::default(), convention, kept: 0 };
    let mut single: Vec<(InputFile, Vec<InputFile>)> = Vec::new();
    for given in given {
        match given {
            Given::File { file, beside } => {
                single.push((file, beside));
                continue;
            }
            Given::Folder { path, files } => {
                arranging.single_files(std::mem::take(&mut single));
                arranging.folder(&path, files);
            }
            Given::Stdin { bytes } => {
                arranging.single_files(std::mem::take(&mut single));
                arranging.stdin(bytes);
            }
        }
    }
    arranging.single_files(single);
    arranging.out
}

struct Arranging {
    out: Arrangement,
    convention: Option<Convention>,
    /// Bytes of text that drafts hold.
    kept: usize,
}

impl Arranging {
    fn stdin(&mut self, bytes: Vec<u8>) {
        match decode(InputFile { path: "<stdin>".to_owned(), content: Content::Bytes(bytes) }) {
            Err(error) => self.out.errors.push(error),
            Ok(source) => {
                let entry = entry(source, 0, true);
                let draft = self.draft(&entry, Convention::Stdin, Version::new(""), "", None);
                self.push_group(String::new(), Convention::Stdin, vec![draft]);
            }
        }
    }

    fn push_group(&mut self, folder: String, convention: Convention, drafts: Vec<Draft>) {
        self.out.groups.push(Group { folder, convention, unrelated: false, drafts });
    }

    fn decode(&mut self, file: InputFile) -> Option<Source> {
        match decode(file) {
            Ok(source) => Some(source),
            Err(error) => {
                self.out.errors.push(error);
                None
            }
        }
    }

    /// Files named one by one: the convention is that of all files named in the same folder, the
    /// order is the one given.
    fn single_files(&mut self, files: Vec<(InputFile, Vec<InputFile>)>) {
        let mut entries = Vec::new();
        let mut beside_all: Vec<InputFile> = Vec::new();
        for (given, (file, beside)) in files.into_iter().enumerate() {
            for file in beside {
                if !beside_all.iter().any(|known| known.path == file.path) {
                    beside_all.push(file);
                }
            }
            if let Some(source) = self.decode(file) {
                entries.push(entry(source, given, true));
            }
        }
        if entries.is_empty() {
            return;
        }
        let (sql, sidecars): (Vec<_>, Vec<_>) =
            beside_all.into_iter().partition(|file| is_sql(&file.path));
        for file in sql {
            let known = entries.iter().any(|entry| entry.source.path() == file.path);
            if let Some(source) = (!known).then(|| decode(file).ok()).flatten() {
                entries.push(entry(source, usize::MAX, false));
            }
        }
        let sidecars = Sidecars::new(sidecars);
        let mut drafts: Vec<(usize, Draft)> = Vec::new();
        let mut convention = Convention::Plain;
        for (root, entries) in by_root(entries, |entry| entry.source.path(), "") {
            convention = self.convention_of(&root, &entries, &sidecars);
            let places: BTreeMap<String, usize> =
                entries.iter().map(|entry| (entry.source.path().to_owned(), entry.given)).collect();
            let found = self.drafts(&root, entries, convention, &sidecars);
            drafts.extend(
                found
                    .into_iter()
                    .map(|draft| (places.get(draft.path()).copied().unwrap_or(usize::MAX), draft)),
            );
        }
        // A file beside a named one is read for its way back only.
        drafts.retain(|&(place, _)| place != usize::MAX);
        drafts.sort_by_key(|&(place, _)| place);
        let drafts = drafts.into_iter().map(|(_, draft)| draft).collect();
        self.push_group(String::new(), convention, drafts);
    }

    fn folder(&mut self, path: &str, files: Vec<InputFile>) {
        let (sql, sidecars): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| is_sql(&file.path));
        let sidecars = Sidecars::new(sidecars);
        let first = self.out.groups.len();
        let mut flyways = Vec::new();
        for (root, files) in by_root(sql, |file| &file.path, path) {
            let entries = self.entries(files);
            let convention = self.convention_of(&root, &entries, &sidecars);
            if matches!(convention, Convention::Flyway | Convention::Refinery) {
                flyways.push((root, convention, entries));
            } else {
                self.group(root, entries, convention, &sidecars);
            }
        }
        join_flyway(&mut flyways);
        for (root, convention, entries) in flyways {
            self.group(root, entries, convention, &sidecars);
        }
        let added = self.out.groups.get_mut(first..).unwrap_or_default();
        added.sort_by(|a, b| path_order(&a.folder, &b.folder));
        for group in added.iter_mut().skip(1) {
            group.unrelated = true;
        }
    }

    /// Reads the files of one folder.
    fn entries(&mut self, files: Vec<InputFile>) -> Vec<Entry> {
        let read = |file: InputFile| {
            let reader = match &file.content {
                Content::Bytes(_) => None,
                Content::Unread(reader) => Some(reader.clone()),
            };
            decode(file).map(|source| Entry { reader, ..entry(source, 0, false) })
        };
        let read: Vec<Result<Entry, LayoutError>> = files.into_par_iter().map(read).collect();
        let mut entries = Vec::with_capacity(read.len());
        for entry in read {
            match entry {
                Ok(entry) => entries.push(entry),
                Err(error) => self.out.errors.push(error),
            }
        }
        entries
    }

    /// Turns the files of one folder into a group; what can be read again is let go of when enough
    /// is kept.
    fn group(
        &mut self,
        root: String,
        entries: Vec<Entry>,
        convention: Convention,
        sidecars: &Sidecars,
    ) {
        let mut drafts = self.drafts(&root, entries, convention, sidecars);
        for draft in &mut drafts {
            self.kept += draft.held();
            if self.kept > KEPT {
                self.kept -= draft.let_go();
            }
        }
        if !drafts.is_empty() {
            self.push_group(root, convention, drafts);
        }
    }

    fn convention_of(&self, root: &str, entries: &[Entry], sidecars: &Sidecars) -> Convention {
        if let Some(convention) = self.convention {
            return convention;
        }
        let beside = Surroundings {
            atlas_sum: sidecars.has(root, "atlas.sum"),
            drizzle_journal: sidecars.has(root, "meta/_journal.json"),
            sqitch_plan: sidecars.has(root, "sqitch.plan"),
            rails: root.ends_with("db/migrate"),
        };
        let numbered =
            |entry: &Entry| split_path(&entry.folder).1.starts_with(|c: char| c.is_ascii_digit());
        // `migration.sql` and `up.sql` mean something only in a folder with a version.
        let evidence: Vec<Evidence<'_>> = entries
            .iter()
            .filter(|entry| !is_unit_file(&entry.file) || numbered(entry))
            .filter_map(|entry| {
                let name = file_name(&entry.file)?;
                Some(Evidence { file: &entry.file, name, source: &entry.source })
            })
            .collect();
        detect(&evidence, beside)
    }

    /// Turns the files of one folder into migrations in order.
    fn drafts(
        &mut self,
        root: &str,
        entries: Vec<Entry>,
        convention: Convention,
        sidecars: &Sidecars,
    ) -> Vec<Draft> {
        if convention == Convention::Liquibase {
            return self.liquibase(entries);
        }
        if convention == Convention::Sqitch {
            return self.sqitch(root, &entries, sidecars);
        }
        let mut ups: Vec<Draft> = Vec::with_capacity(entries.len());
        let mut downs: BTreeMap<(String, String), Source> = BTreeMap::new();
        for entry in &entries {
            match role(entry, root, convention) {
                Role::Up { version, name, repeatable, baseline } => {
                    let dialect = file_name(&entry.file).and_then(|name| name.dialect);
                    let mut draft = self.draft(entry, convention, version, &name, dialect);
                    draft.repeatable = repeatable;
                    draft.baseline |= baseline;
                    draft.no_transaction_beside = sidecars.says_no_transaction(entry)
                        || file_name(&entry.file).is_some_and(|name| name.autocommit);
                    ups.push(draft);
                }
                Role::Down { version, name } => {
                    downs.insert((version.as_str().to_owned(), name), entry.source.clone());
                }
                Role::Skip(reason) => {
                    let path = entry.source.path().to_owned();
                    self.out.skipped.push(Skipped { path, reason });
                }
                Role::Bad(problem) => {
                    let path = entry.source.path().to_owned();
                    let position = Some(Position { line: 1, column: 1 });
                    self.out.errors.push(LayoutError { path, position, problem });
                }
            }
        }
        sort(&mut ups, convention);
        self.drop_baselines(&mut ups);
        self.report_duplicates(&ups);
        attach_downs(&mut ups, &mut downs);
        for ((version, _), source) in downs {
            doubt_after(&mut ups, &Version::new(version));
            let reason = "a way back without the way there";
            self.out.skipped.push(Skipped { path: source.path().to_owned(), reason });
        }
        for version in sidecars.code(root, convention) {
            doubt_after(&mut ups, &version);
        }
        if convention == Convention::Plain {
            doubt_order(&mut ups);
        }
        ups
    }

    fn draft(
        &mut self,
        entry: &Entry,
        convention: Convention,
        version: Version,
        name: &str,
        dialect: Option<Dialect>,
    ) -> Draft {
        let source = &entry.source;
        let marked = marked(source, convention);
        for (offset, problem) in marked.problems {
            let position = Some(source.position(offset));
            let path = source.path().to_owned();
            self.out.errors.push(LayoutError { path, position, problem });
        }
        let mut back = marked.reading.clone();
        back.skipped = marked.skipped_by_down;
        let section = |range, reading| Section { source: source.clone(), range, reading };
        Draft {
            version,
            name: name.to_owned(),
            convention,
            no_transaction: marked.no_transaction,
            no_transaction_beside: false,
            repeatable: false,
            after_unknown: convention == Convention::Flyway && names_code(source.text()),
            baseline: marked.checkpoint,
            up: section(marked.up, marked.reading),
            down: marked.down.map(|range| section(range, back)),
            dialect,
            dbms: Vec::new(),
            reader: entry.reader.clone(),
        }
    }

    /// A baseline (Flyway's `B`, Atlas' checkpoint) stands for all migrations before it, for new
    /// databases. Where those are there, the history is told by them.
    fn drop_baselines(&mut self, ups: &mut Vec<Draft>) {
        if ups.iter().all(|draft| draft.baseline) {
            return;
        }
        let first = ups.iter().find(|draft| !draft.baseline && !draft.repeatable);
        let first = first.map(|draft| draft.version.clone());
        let skipped = &mut self.out.skipped;
        ups.retain(|draft| {
            let keeps = !draft.baseline || first.as_ref().is_none_or(|f| draft.version < *f);
            if !keeps {
                let reason = "a baseline of the migrations before it";
                skipped.push(Skipped { path: draft.path().to_owned(), reason });
            }
            keeps
        });
    }

    fn report_duplicates(&mut self, drafts: &[Draft]) {
        let mut seen: Vec<&Draft> = Vec::new();
        for draft in drafts.iter().filter(|draft| has_unique_version(draft)) {
            let number = draft.version.number();
            let same =
                |other: &&Draft| other.version.number() == number && other.dialect == draft.dialect;
            // Sorted by version: only the last few can have the same one.
            if let Some(other) = seen.iter().rev().take(8).copied().find(|other| same(other)) {
                self.out.errors.push(LayoutError {
                    path: draft.path().to_owned(),
                    position: Some(Position { line: 1, column: 1 }),
                    problem: Problem::DuplicateVersion {
                        version: draft.version.as_str().to_owned(),
                        other: other.path().to_owned(),
                    },
                });
            }
            seen.push(draft);
        }
    }

    fn liquibase(&mut self, mut entries: Vec<Entry>) -> Vec<Draft> {
        entries.sort_by(|a, b| path_order(a.source.path(), b.source.path()));
        let mut drafts = Vec::new();
        for entry in &entries {
            for set in changesets(&entry.source) {
                let version = Version::new(set.id.as_str());
                let mut draft = self.draft(entry, Convention::Liquibase, version, "", None);
                draft.up.range = set.span;
                draft.no_transaction = set.no_transaction;
                draft.repeatable = set.repeatable;
                draft.dbms = set.dbms;
                draft.up.reading.delimiter = set.delimiter;
                draft.up.reading.blocks.extend(set.whole.then_some(set.span));
                draft.down = way_back(&entry.source, set.span).map(|_| {
                    let mut down = draft.up.clone();
                    down.reading.in_comments = true;
                    down
                });
                drafts.push(draft);
            }
        }
        drafts
    }

    fn sqitch(&mut self, root: &str, entries: &[Entry], sidecars: &Sidecars) -> Vec<Draft> {
        let plan_path = join(root, "sqitch.plan");
        let plan = sidecars.text(&plan_path).unwrap_or_default();
        let mut drafts = Vec::new();
        for change in sqitch_changes(&plan) {
            let find = |folder: &str| {
                let path = join(root, &format!("{folder}/{change}.sql"));
                entries.iter().find(|entry| entry.source.path() == path)
            };
            let Some(deploy) = find("deploy") else {
                let problem = Problem::NoDeployFile { change: change.to_owned() };
                let path = plan_path.clone();
                self.out.errors.push(LayoutError { path, position: None, problem });
                continue;
            };
            let version = Version::new("");
            let mut draft = self.draft(deploy, Convention::Sqitch, version, change, None);
            draft.down = find("revert").map(|entry| whole(&entry.source));
            drafts.push(draft);
        }
        drafts
    }
}

fn sort(ups: &mut [Draft], convention: Convention) {
    ups.sort_by(|a, b| {
        let paths = || path_order(a.path(), b.path());
        match convention {
            // Atlas and Prisma compare texts.
            Convention::Atlas => a.version.as_str().cmp(b.version.as_str()).then_with(paths),
            Convention::Prisma => a.path().cmp(b.path()),
            Convention::Plain | Convention::Stdin => paths(),
            Convention::Flyway if a.repeatable || b.repeatable => {
                let repeatable = a.repeatable.cmp(&b.repeatable);
                repeatable.then_with(|| a.name.cmp(&b.name))
            }
            Convention::Lockwise
            | Convention::Sqlx
            | Convention::Refinery
            | Convention::Diesel
            | Convention::GolangMigrate
            | Convention::Dbmate
            | Convention::Goose
            | Convention::Flyway
            | Convention::Rails
            | Convention::Pop
            | Convention::Tern
            | Convention::Graphile
            | Convention::Drizzle
            | Convention::Liquibase
            | Convention::Sqitch => a.version.cmp(&b.version).then_with(paths),
        }
    });
}

/// A migration is missing: what the later ones meet is not all known.
fn doubt_after(ups: &mut [Draft], missing: &Version) {
    if let Some(next) = ups.iter_mut().find(|draft| draft.version > *missing) {
        next.after_unknown = true;
    }
}

/// Files without a convention, in several folders or without numbers: their names tell no order.
fn doubt_order(ups: &mut [Draft]) {
    let place = |draft: &Draft| {
        let (folder, file) = split_path(draft.path());
        (folder.to_owned(), file.starts_with(|c: char| c.is_ascii_digit()))
    };
    let Some(first) = ups.first().map(place) else { return };
    let mut others = ups.iter_mut().skip(1);
    if let Some(other) = others.find(|draft| place(draft) != first || !first.1) {
        other.after_unknown = true;
    }
}

/// Says whether a comment speaks of a migration in Java: what that does is in no SQL file.
fn names_code(text: &str) -> bool {
    let lines = text.lines().map(str::trim_start);
    let comments = lines.filter(|line| line.starts_with(['-', '*', '/']));
    comments.map(str::to_ascii_lowercase).any(|comment| {
        let mut words = comment.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| word == "java") && comment.contains("migration")
    })
}

fn has_unique_version(draft: &Draft) -> bool {
    let version = draft.version.as_str();
    draft.convention.has_unique_versions() && !draft.repeatable && !version.is_empty()
}

/// Gives each way back to the migration with its version and, where several share it, its name.
fn attach_downs(drafts: &mut [Draft], downs: &mut BTreeMap<(String, String), Source>) {
    for draft in drafts.iter_mut().filter(|draft| draft.down.is_none()) {
        let version = draft.version.as_str().to_owned();
        let exact = (version.clone(), draft.name.clone());
        let found = downs.remove(&exact).or_else(|| {
            let key = downs.keys().find(|(v, _)| *v == version && !version.is_empty()).cloned()?;
            downs.remove(&key)
        });
        draft.down = found.map(|source| whole(&source));
    }
}
