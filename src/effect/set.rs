//! What a whole set of migrations shows: two with one version, one out of order, one edited.

use std::collections::{BTreeMap, BTreeSet};

use super::walk::MigrationEffects;
use super::{Effect, EffectKind};
use crate::sql::{Migration, Span};

/// What version control says about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// It was there before and is the same.
    Unchanged,
    /// It is new.
    Added,
    /// It was there before and has other content.
    Edited,
}

/// Adds to each migration what the others make of it. Both slices are in the order of the set.
pub fn tell_set(migrations: &[&Migration], effects: &mut [&mut MigrationEffects]) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let with_down = migrations.iter().filter(|migration| migration.down.is_some()).count();
    // A folder where a way back is written now and then leaves it to the runner to make one.
    let habit = with_down > 0 && with_down * 2 >= migrations.len();
    let mut doubtful = false;
    let mut told_before: BTreeSet<String> = BTreeSet::new();
    for (migration, effects) in migrations.iter().zip(effects.iter_mut()) {
        let path = migration.up.section.source.path();
        let version = migration.version.as_str();
        if !version.is_empty() && migration.convention.has_unique_versions() {
            match seen.get(&migration.version.number()) {
                Some(first) => {
                    let value = format!("{version} is also the version of {first}");
                    effects.migration.push(told(migration, "duplicate-version", value));
                }
                None => drop(seen.insert(migration.version.number(), path)),
            }
        }
        // One file without a way back among others that have one was forgotten; a folder without
        // any follows another custom.
        let changes = !migration.up.statements.is_empty();
        doubtful |= migration.after_unknown;
        chain(effects, &mut doubtful, &mut told_before);
        if habit && migration.down.is_none() && changes && !migration.repeatable {
            effects.migration.push(told(migration, "no-way-back", migration.name.clone()));
        }
    }
}

/// Excuses conflicts with earlier migrations where these are not all known, and those that were
/// told before: what is missing once is missing from then on, and is one mistake.
fn chain(effects: &mut MigrationEffects, doubtful: &mut bool, told_before: &mut BTreeSet<String>) {
    for run in &mut effects.statements {
        for (place, effect) in run.effects.effects.iter().enumerate() {
            let Some(failure) = effect.failure().filter(|failure| {
                matches!(failure.when, "duplicate-object" | "missing-object" | "missing-column")
            }) else {
                continue;
            };
            if *doubtful || !told_before.insert(failure.detail.clone()) {
                run.excused.insert(place);
            }
        }
        *doubtful |= run.opaque;
    }
}

/// Adds what version control shows: a new file that sorts before published ones, a published file
/// that was edited. All slices are in the order of the set.
pub fn tell_history(
    migrations: &[&Migration],
    states: &[FileState],
    effects: &mut [&mut MigrationEffects],
) {
    let published = migrations
        .iter()
        .zip(states)
        .filter(|&(migration, &state)| state != FileState::Added && !migration.repeatable)
        .map(|(migration, _)| &migration.version)
        .max();
    for ((migration, state), effects) in migrations.iter().zip(states).zip(effects.iter_mut()) {
        if migration.repeatable {
            continue;
        }
        match state {
            FileState::Added => {
                if let Some(last) = published.filter(|&last| migration.version < *last) {
                    let value = format!("{} comes before {last}", migration.version);
                    effects.migration.push(told(migration, "non-linear-history", value));
                }
            }
            FileState::Edited => {
                let value = migration.name.clone();
                effects.migration.push(told(migration, "migration-edited", value));
            }
            FileState::Unchanged => {}
        }
    }
}

/// Makes an effect of a whole file; it points at the first statement.
fn told(migration: &Migration, what: &'static str, value: String) -> Effect {
    let start = migration.up.section.range.start;
    let first = migration.up.statements.first().map(|statement| statement.span);
    Effect {
        span: first.unwrap_or(Span::new(start, start)),
        kind: EffectKind::Session { what, value },
        source: "lockwise: the files of the folder",
    }
}
