//! What a statement was seen to do on the shadow against what was predicted of it.
//!
//! Pure. A difference is told, not settled: whoever decides about the change has to know that one
//! of the two is wrong. The shadow holds no rows, so a scan that was not seen proves nothing;
//! locks and files do not depend on rows.

use std::collections::{BTreeMap, BTreeSet};

use super::model::Step;
use crate::db::{Observation, Snapshot};
use crate::schema::Name;
use crate::sql::ServerKind;

/// The lock modes of PostgreSQL from weak to strong (manual, 13.3.1).
const MODES: [&str; 8] = [
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
];

/// Up to this, a lock is what every query and every change of rows takes.
const EVERYDAY: usize = 2;

fn strength(mode: &str) -> Option<usize> {
    MODES.iter().position(|known| *known == mode)
}

/// The statements of one transaction as they are run, and what has been predicted so far: locks
/// are held to its end, so they add up.
#[derive(Debug)]
pub(super) struct Witness {
    kind: ServerKind,
    /// Tables, views and sequences that were there before the migration.
    known: BTreeSet<Name>,
    /// Those of them that hold rows.
    tables: BTreeSet<Name>,
    predicted: BTreeMap<Name, usize>,
}

impl Witness {
    /// Returns a witness of a transaction that begins.
    pub(super) fn new(before: &Snapshot) -> Self {
        let named = |kinds: &[&str]| -> BTreeSet<Name> {
            let objects = before.objects.iter();
            let fitting = objects.filter(|object| kinds.contains(&object.kind.as_str()));
            fitting.map(|object| object.name.clone()).collect()
        };
        Self {
            kind: before.server.kind,
            known: named(&["table", "view", "materialized-view", "sequence", "foreign-table"]),
            tables: named(&["table", "materialized-view"]),
            predicted: BTreeMap::new(),
        }
    }

    /// Begins another transaction: the locks of the last one are gone.
    pub(super) fn begin(&mut self) {
        self.predicted.clear();
    }

    /// Says how one statement differed from its prediction.
    pub(super) fn compare(
        &mut self,
        step: &Step,
        before: &Observation,
        after: &Observation,
    ) -> Vec<String> {
        let mut told = Vec::new();
        if self.kind == ServerKind::Postgres {
            self.locks(step, before, after, &mut told);
            self.scans(step, before, after, &mut told);
        }
        // The shadow makes the change itself, where the target leaves it to a tool.
        if self.kind != ServerKind::Sqlite && step.tool.is_empty() {
            self.rewrites(step, before, after, &mut told);
        }
        told.into_iter().map(|what| format!("line {}: {what}", step.line)).collect()
    }

    /// Returns the name that a plan writes as the server's catalogs write it.
    pub(super) fn name(&self, written: &str) -> Name {
        match (self.kind, written.split_once('.')) {
            (ServerKind::Postgres, Some((schema, name))) => Name::new(schema, name),
            (_, Some((_, name))) => Name::new("", name),
            (_, None) => Name::new("", written),
        }
    }

    fn locks(
        &mut self,
        step: &Step,
        before: &Observation,
        after: &Observation,
        told: &mut Vec<String>,
    ) {
        for lock in &step.locks {
            let Some(strength) = strength(&lock.mode) else { continue };
            let name = self.name(&lock.relation);
            let held = self.predicted.entry(name).or_insert(strength);
            *held = (*held).max(strength);
        }
        let seen = |observed: &Observation, name: &Name| {
            observed.locks.get(name).and_then(|mode| strength(mode))
        };
        let word = |mode: Option<usize>| {
            mode.and_then(|mode| MODES.get(mode)).map_or("no lock", |mode| *mode)
        };
        let now: BTreeSet<Name> = step.locks.iter().map(|lock| self.name(&lock.relation)).collect();
        for name in self.known.iter().filter(|name| after.files.contains_key(*name)) {
            let (was, is) = (seen(before, name), seen(after, name));
            let predicted = self.predicted.get(name).copied();
            let new = was != is || now.contains(name);
            let matters = is.max(predicted).is_some_and(|mode| mode > EVERYDAY);
            if new && matters && is != predicted {
                let (is, predicted) = (word(is), word(predicted));
                told.push(format!("predicted {predicted} on {name}, the shadow took {is}"));
            }
        }
    }

    fn rewrites(
        &self,
        step: &Step,
        before: &Observation,
        after: &Observation,
        told: &mut Vec<String>,
    ) {
        let predicted: BTreeSet<Name> = step.rewrites.iter().map(|name| self.name(name)).collect();
        // TRUNCATE gives a table a new file, which is no copy of its rows.
        if first_word(step) == "truncate" {
            return;
        }
        // What another table held before was renamed, not written.
        let renamed = |name: &Name| {
            let file = after.files.get(name);
            before.files.iter().any(|(other, held)| other != name && Some(held) == file)
        };
        let there = |name: &Name| {
            self.tables.contains(name)
                && after.files.contains_key(name)
                && before.files.get(name).is_some_and(|file| *file > 0)
        };
        let seen: BTreeSet<Name> = after
            .rewritten_since(before)
            .into_iter()
            .filter(there)
            .filter(|n| !renamed(n))
            .collect();
        for name in seen.difference(&predicted) {
            told.push(format!("{name} was written anew on the shadow, which was not predicted"));
        }
        for name in predicted.difference(&seen).filter(|name| there(name)) {
            told.push(format!("{name} was predicted to be written anew, and was not"));
        }
    }

    fn scans(
        &self,
        step: &Step,
        before: &Observation,
        after: &Observation,
        told: &mut Vec<String>,
    ) {
        // What a change of rows reads depends on the rows.
        let word = first_word(step);
        let rows = ["select", "insert", "update", "delete", "merge", "with", "copy", "call", "do"];
        if rows.contains(&word.as_str()) {
            return;
        }
        let predicted: BTreeSet<Name> =
            step.scans.iter().chain(&step.rewrites).map(|name| self.name(name)).collect();
        let builds = !step.builds.is_empty();
        for name in after.scanned_since(before) {
            let locked = step.locks.iter().any(|lock| self.name(&lock.relation) == name);
            if self.known.contains(&name) && !predicted.contains(&name) && !(builds && locked) {
                told.push(format!(
                    "{name} was read in full on the shadow, which was not predicted"
                ));
            }
        }
    }
}

fn first_word(step: &Step) -> String {
    step.sql.split_whitespace().next().unwrap_or("").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::model::{Nature, PlannedLock};

    fn step(mode: &str, rewrites: &[&str]) -> Step {
        let lock = PlannedLock {
            relation: "public.t".to_owned(),
            mode: mode.to_owned(),
            blocks: Vec::new(),
            held_until: "transaction-end".to_owned(),
            during: "instant".to_owned(),
            in_use: true,
            rows: None,
            bytes: None,
            estimate: None,
        };
        Step {
            line: 3,
            locks: vec![lock],
            rewrites: rewrites.iter().map(|name| (*name).to_owned()).collect(),
            ..Step::plain("ALTER TABLE t …", Nature::Atomic)
        }
    }

    fn seen(mode: &str, file: u64) -> Observation {
        let t = Name::new("public", "t");
        let locks = (!mode.is_empty()).then(|| (t.clone(), mode.to_owned()));
        Observation {
            locks: locks.into_iter().collect(),
            files: [(t, file)].into(),
            scans: BTreeMap::new(),
        }
    }

    fn told(mode: &str, rewrites: &[&str], before: &Observation, after: &Observation) -> String {
        let known: BTreeSet<Name> = [Name::new("public", "t")].into();
        let (kind, tables) = (ServerKind::Postgres, known.clone());
        let mut witness = Witness { kind, known, tables, predicted: BTreeMap::new() };
        witness.compare(&step(mode, rewrites), before, after).join("; ")
    }

    #[test]
    fn what_is_as_predicted_is_not_told() {
        assert_eq!(told("SHARE", &[], &seen("", 1), &seen("SHARE", 1)), "");
        let rewritten = seen("ACCESS EXCLUSIVE", 2);
        assert_eq!(told("ACCESS EXCLUSIVE", &["public.t"], &seen("", 1), &rewritten), "");
    }

    #[test]
    fn stronger_and_weaker_locks_are_told() {
        assert_eq!(
            told("SHARE", &[], &seen("", 1), &seen("ACCESS EXCLUSIVE", 1)),
            "line 3: predicted SHARE on public.t, the shadow took ACCESS EXCLUSIVE"
        );
        assert_eq!(
            told("SHARE", &[], &seen("", 1), &seen("", 1)),
            "line 3: predicted SHARE on public.t, the shadow took no lock"
        );
    }

    #[test]
    fn rewrites_are_told_both_ways() {
        let (one, two) = (seen("ACCESS EXCLUSIVE", 1), seen("ACCESS EXCLUSIVE", 2));
        assert!(told("ACCESS EXCLUSIVE", &[], &one, &two).contains("was written anew"));
        assert!(told("ACCESS EXCLUSIVE", &["public.t"], &one, &one).contains("and was not"));
    }
}
