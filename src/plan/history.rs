//! What the journal says was done, and what is left to do.
//!
//! In: journal rows and the migrations of the folder. Out: the state of each version, the pending
//! migrations, and every contradiction between the two. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::batch::Position;
use super::digest::Digest;
use crate::db::{Entry, Event};
use crate::sql::{Migration, ServerKind};

/// The version of a migration as the journal keeps it: its version, `R:name` for one that runs
/// whenever it changes, the file's name where there is no version.
pub fn version_of(migration: &Migration) -> String {
    if migration.repeatable {
        let named = !migration.name.is_empty();
        let name = if named { &migration.name } else { migration.version.as_str() };
        format!("R:{name}")
    } else if migration.version.as_str().is_empty() {
        migration.name.clone()
    } else {
        migration.version.as_str().to_owned()
    }
}

/// What the steps of a rollback have behind the version in the journal.
pub const DOWN: &str = "/down";

/// The digests of a migration file.
pub fn digests_of(migration: &Migration, kind: ServerKind) -> (Digest, Digest) {
    let section = &migration.up.section;
    // Where a file holds many migrations, more are added at its end.
    let text = if migration.convention.shares_files() {
        section.source.slice(section.range)
    } else {
        section.source.text()
    };
    let raw = Digest::of_bytes(text.as_bytes());
    (raw, Digest::of_script(&migration.up, kind, migration.transaction))
}

/// The state of every version that the journal knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Versions that are applied, in the order in which they were.
    pub applied: Vec<Applied>,
    /// Versions that were begun and not finished, with the steps that are settled.
    pub begun: BTreeMap<String, Begun>,
    /// The number of the last row.
    pub last_seq: u64,
}

/// An applied migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its version.
    pub version: String,
    /// Its name.
    pub name: String,
    /// How it came to be applied.
    pub event: Event,
    /// The row that says so.
    pub seq: u64,
    /// When.
    pub at: String,
    /// By which run.
    pub run_id: String,
    /// By which plan.
    pub plan_digest: String,
    /// The digest of its bytes then.
    pub raw: Option<Digest>,
    /// The digest of its meaning then.
    pub semantic: Option<Digest>,
}

/// A migration in the middle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Begun {
    /// Its name.
    pub name: String,
    /// What was last said of each step, by number.
    pub steps: BTreeMap<u32, StepEntry>,
}

/// The last row about a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepEntry {
    /// What it says.
    pub event: Event,
    /// The attempt.
    pub attempt: u32,
    /// The digest of the statement.
    pub raw: Option<String>,
    /// The fingerprint of the schema before it, where it was taken.
    pub before: Option<String>,
    /// How far a back-fill had come, as its last batch wrote it.
    pub progress: Option<String>,
}

impl StepEntry {
    /// Returns how far a back-fill had come.
    pub fn position(&self) -> Option<Position> {
        serde_json::from_str(self.progress.as_deref()?).ok()
    }
}

impl History {
    /// Reads the rows of a journal.
    pub fn of(entries: &[Entry]) -> Self {
        let mut history = Self::default();
        for row in entries {
            history.last_seq = history.last_seq.max(row.seq);
            history.take(row);
        }
        history
    }

    fn take(&mut self, row: &Entry) {
        let entry = &row.entry;
        match entry.event {
            Event::MigrationApplied | Event::Baseline | Event::Adopted | Event::Amended => {
                self.settle(&entry.version);
                let place = self.applied.iter().position(|one| one.version == entry.version);
                let digest = |text: &Option<String>| text.as_ref().and_then(|t| t.parse().ok());
                let applied = Applied {
                    version: entry.version.clone(),
                    name: entry.name.clone(),
                    event: entry.event,
                    seq: row.seq,
                    at: row.at.clone(),
                    run_id: entry.run_id.clone(),
                    plan_digest: entry.plan_digest.clone(),
                    raw: digest(&entry.raw_digest),
                    semantic: digest(&entry.semantic_digest),
                };
                match place.and_then(|place| self.applied.get_mut(place)) {
                    // An amended migration is where it was: the order of application stays.
                    Some(there) if entry.event == Event::Amended => *there = applied,
                    Some(_) | None => {
                        self.applied.retain(|one| one.version != entry.version);
                        self.applied.push(applied);
                    }
                }
            }
            Event::MigrationRolledBack => {
                self.settle(&entry.version);
                self.applied.retain(|applied| applied.version != entry.version);
            }
            Event::Intent | Event::Applied | Event::Recovered | Event::Failed | Event::Progress => {
                let Some(step) = entry.step_no else { return };
                let begun = self.begun.entry(entry.version.clone()).or_default();
                begun.name.clone_from(&entry.name);
                let raw = entry.raw_digest.clone();
                let attempt = entry.attempt.unwrap_or(1);
                let known = begun.steps.remove(&step);
                // A row about a failure does not repeat what was noted with the intent.
                let noted = known.as_ref().and_then(|known| known.before.clone());
                let before = entry.fp_before.clone().or(noted);
                let progress = if entry.event == Event::Progress {
                    entry.detail.clone()
                } else {
                    known.and_then(|known| known.progress)
                };
                let event = entry.event;
                begun.steps.insert(step, StepEntry { event, attempt, raw, before, progress });
            }
            Event::RunStarted
            | Event::RunFinished
            | Event::RunInterrupted
            | Event::Approval
            | Event::CleanedUp
            | Event::Decision => {}
        }
    }

    /// Forgets the steps of a migration that is settled, and those of its way back.
    fn settle(&mut self, version: &str) {
        self.begun.remove(version);
        self.begun.remove(&format!("{version}{DOWN}"));
    }

    /// Returns what is known of an applied version.
    pub fn applied(&self, version: &str) -> Option<&Applied> {
        self.applied.iter().find(|applied| applied.version == version)
    }

    /// Says whether something of a migration may be there: statements that failed left nothing.
    pub fn is_begun(&self, version: &str) -> bool {
        let done = |step: &StepEntry| {
            step.progress.is_some()
                || matches!(step.event, Event::Applied | Event::Recovered | Event::Intent)
        };
        self.begun.get(version).is_some_and(|begun| begun.steps.values().any(done))
    }
}

/// A contradiction between the folder and the history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The statements of an applied migration are not those that ran.
    #[error("migration {version} was applied and its statements were changed since ({path})")]
    Edited {
        /// The version.
        version: String,
        /// Its file.
        path: String,
    },
    /// The file of an applied migration is not there.
    #[error("migration {version} ({name}) is applied and has no file")]
    Missing {
        /// The version.
        version: String,
        /// Its name in the history.
        name: String,
    },
    /// A pending migration has a lower version than an applied one.
    #[error("migration {version} is new and comes before {applied}, which is applied ({path})")]
    OutOfOrder {
        /// The new one.
        version: String,
        /// The highest applied one.
        applied: String,
        /// Its file.
        path: String,
    },
    /// Two files have one version.
    #[error("two migrations have the version {version}: {first} and {second}")]
    Duplicate {
        /// The version.
        version: String,
        /// A file.
        first: String,
        /// Another file.
        second: String,
    },
    /// A migration was begun, and other migrations stand before it now, or it has no file.
    #[error("migration {version} was begun and not finished, and its file is not there")]
    BegunMissing {
        /// The version.
        version: String,
    },
}

impl Trouble {
    /// Returns what to do about it, in one sentence.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Edited { .. } => {
                "restore the file from version control, and put the change into a new migration; \
                 `lockwise amend` accepts one that makes the same schema"
            }
            Self::Missing { .. } => {
                "restore the file from version control, or name the right folder with --dir"
            }
            Self::OutOfOrder { .. } => {
                "give it a higher version, or pass --out-of-order when the order does not matter"
            }
            Self::Duplicate { .. } => "give one of them another version",
            Self::BegunMissing { .. } => "restore the file, so that the migration can be finished",
        }
    }
}

/// What is left to do, and what contradicts it.
#[derive(Debug, Default)]
pub struct Pending<'m> {
    /// Migrations to run, in order.
    pub migrations: Vec<&'m Migration>,
    /// Contradictions; nothing may run while there is one.
    pub troubles: Vec<Trouble>,
    /// Remarks, one sentence each: files that were reformatted since.
    pub notes: Vec<String>,
}

/// Whether new migrations may come before applied ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// They may not.
    Strict,
    /// They may.
    Free,
}

/// Compares the folder with the history.
pub fn pending<'m>(
    migrations: &'m [Migration],
    history: &History,
    kind: ServerKind,
    order: Order,
) -> Pending<'m> {
    let mut pending = Pending::default();
    let mut seen: BTreeMap<String, &Migration> = BTreeMap::new();
    // The order of the folder counts, not that of the versions: some conventions have none.
    let last = migrations.iter().enumerate().rev().find_map(|(at, migration)| {
        let version = version_of(migration);
        let applied = !migration.repeatable && history.applied(&version).is_some();
        applied.then_some((at, version))
    });
    for (at, migration) in migrations.iter().enumerate() {
        let version = version_of(migration);
        let path = migration.up.section.source.path();
        if let Some(first) = seen.insert(version.clone(), migration) {
            let first = first.up.section.source.path().to_owned();
            let second = path.to_owned();
            pending.troubles.push(Trouble::Duplicate { version, first, second });
            continue;
        }
        match history.applied(&version) {
            Some(applied) => check_applied(&mut pending, migration, applied, kind),
            None => {
                let late = last.as_ref().filter(|(last, _)| {
                    order == Order::Strict
                        && !migration.repeatable
                        && at < *last
                        && !history.is_begun(&version)
                });
                if let Some((_, applied)) = late {
                    let (applied, path) = (applied.clone(), path.to_owned());
                    pending.troubles.push(Trouble::OutOfOrder { version, applied, path });
                } else {
                    pending.migrations.push(migration);
                }
            }
        }
    }
    let files: BTreeSet<&String> = seen.keys().collect();
    for applied in history.applied.iter().filter(|applied| !files.contains(&applied.version)) {
        let (version, name) = (applied.version.clone(), applied.name.clone());
        pending.troubles.push(Trouble::Missing { version, name });
    }
    for version in history.begun.keys() {
        let file = version.strip_suffix(DOWN).unwrap_or(version).to_owned();
        if !files.contains(&file) && history.is_begun(version) {
            pending.troubles.push(Trouble::BegunMissing { version: version.clone() });
        }
    }
    pending
}

/// Compares an applied migration with its file.
fn check_applied<'m>(
    pending: &mut Pending<'m>,
    migration: &'m Migration,
    applied: &Applied,
    kind: ServerKind,
) {
    let (raw, semantic) = digests_of(migration, kind);
    if applied.raw.as_ref().is_none_or(|then| *then == raw) {
        return;
    }
    let path = migration.up.section.source.path().to_owned();
    if migration.repeatable {
        if applied.semantic.as_ref() != Some(&semantic) {
            pending.migrations.push(migration);
        }
        return;
    }
    let version = applied.version.clone();
    if applied.semantic.as_ref() == Some(&semantic) {
        pending.notes.push(format!(
            "{path} was reformatted after it was applied: only white space, comments, line ends \
             or the case of keywords differ"
        ));
    } else {
        pending.troubles.push(Trouble::Edited { version, path });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::NewEntry;
    use crate::sql::{Convention, Section, Server, Source, Span, TransactionMode, Version, parse};

    fn migration(version: &str, sql: &str) -> Migration {
        let source = Source::new(format!("m/{version}.sql"), sql);
        let range = Span::new(0, u32::try_from(sql.len()).unwrap());
        let section = Section { source, range, reading: Default::default() };
        Migration {
            version: Version::new(version),
            name: "x".to_owned(),
            convention: Convention::Lockwise,
            transaction: TransactionMode::Grouped,
            marker: None,
            repeatable: false,
            after_unknown: false,
            up: parse(section, Server::of(ServerKind::Sqlite)),
            down: None,
        }
    }

    fn row(seq: u64, version: &str, event: Event, of: Option<&Migration>) -> Entry {
        let mut entry = NewEntry::new("run", "plan", event);
        version.clone_into(&mut entry.version);
        if let Some(of) = of {
            let (raw, semantic) = digests_of(of, ServerKind::Sqlite);
            entry.raw_digest = Some(raw.to_string());
            entry.semantic_digest = Some(semantic.to_string());
        }
        if matches!(event, Event::Intent | Event::Applied | Event::Failed) {
            entry.step_no = Some(1);
        }
        Entry { seq, at: String::new(), db_user: String::new(), entry }
    }

    #[track_caller]
    fn check(migrations: &[Migration], rows: &[Entry], runs: &[&str], troubles: &[Trouble]) {
        let history = History::of(rows);
        let pending = pending(migrations, &history, ServerKind::Sqlite, Order::Strict);
        let versions: Vec<String> = pending.migrations.iter().map(|m| version_of(m)).collect();
        assert_eq!(versions, runs);
        assert_eq!(pending.troubles, troubles);
    }

    #[test]
    fn what_is_not_applied_is_pending() {
        let all = [migration("1", "SELECT 1"), migration("2", "SELECT 2")];
        check(&all, &[], &["1", "2"], &[]);
        let one = row(1, "1", Event::MigrationApplied, Some(&all[0]));
        check(&all, std::slice::from_ref(&one), &["2"], &[]);
        let back = row(2, "1", Event::MigrationRolledBack, None);
        check(&all, &[one, back], &["1", "2"], &[]);
    }

    #[test]
    fn an_edited_migration_is_told_from_a_reformatted_one() {
        let then = migration("1", "SELECT 1");
        let rows = [row(1, "1", Event::MigrationApplied, Some(&then))];
        let version = "1".to_owned();
        let path = "m/1.sql".to_owned();
        let edited = migration("1", "SELECT 2");
        check(&[edited], &rows, &[], &[Trouble::Edited { version, path }]);
        let reformatted = [migration("1", "select\r\n1; -- one")];
        let history = History::of(&rows);
        let pending = pending(&reformatted, &history, ServerKind::Sqlite, Order::Strict);
        assert!(pending.troubles.is_empty());
        assert_eq!(pending.notes.len(), 1);
    }

    #[test]
    fn a_missing_file_is_told() {
        let gone = migration("1", "SELECT 1");
        let rows = [row(1, "1", Event::MigrationApplied, Some(&gone))];
        let (version, name) = ("1".to_owned(), String::new());
        check(&[migration("2", "SELECT 2")], &rows, &["2"], &[Trouble::Missing { version, name }]);
    }

    #[test]
    fn a_lower_version_that_appears_later_is_told() {
        let all = [migration("1", "SELECT 1"), migration("2", "SELECT 2")];
        let rows = [row(1, "2", Event::MigrationApplied, Some(&all[1]))];
        let version = "1".to_owned();
        let (applied, path) = ("2".to_owned(), "m/1.sql".to_owned());
        check(&all, &rows, &[], &[Trouble::OutOfOrder { version, applied, path }]);
        let free = pending(&all, &History::of(&rows), ServerKind::Sqlite, Order::Free);
        assert_eq!(free.migrations.len(), 1);
    }

    #[test]
    fn two_files_with_one_version_are_told() {
        let all = [migration("1", "SELECT 1"), migration("1", "SELECT 2")];
        let (version, first) = ("1".to_owned(), "m/1.sql".to_owned());
        let second = first.clone();
        check(&all, &[], &["1"], &[Trouble::Duplicate { version, first, second }]);
    }

    #[test]
    fn a_begun_migration_is_pending_whatever_came_after_it() {
        let all = [migration("1", "SELECT 1"), migration("2", "SELECT 2")];
        let rows =
            [row(1, "1", Event::Intent, None), row(2, "2", Event::MigrationApplied, Some(&all[1]))];
        check(&all, &rows, &["1"], &[]);
        let only = [all[1].clone()];
        let version = "1".to_owned();
        check(&only, &rows, &[], &[Trouble::BegunMissing { version }]);
    }

    #[test]
    fn a_settled_rollback_leaves_nothing_begun() {
        let one = migration("1", "SELECT 1");
        let rows = [
            row(1, "1", Event::MigrationApplied, Some(&one)),
            row(2, "1/down", Event::Applied, None),
            row(3, "1", Event::MigrationRolledBack, None),
        ];
        assert!(History::of(&rows[..2]).begun.contains_key("1/down"));
        assert!(History::of(&rows).begun.is_empty());
        check(&[one], &rows, &["1"], &[]);
    }

    #[test]
    fn the_last_row_about_a_step_counts() {
        let rows = [
            row(1, "1", Event::Intent, None),
            row(2, "1", Event::Failed, None),
            row(3, "1", Event::Intent, None),
            row(4, "1", Event::Applied, None),
        ];
        let history = History::of(&rows);
        assert_eq!(history.begun["1"].steps[&1].event, Event::Applied);
        assert_eq!(history.last_seq, 4);
    }
}
