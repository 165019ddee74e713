//! What a whole set of migrations shows: two with one version, one out of order, one edited.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::walk::MigrationEffects;
use super::{Effect, EffectKind, TableState};
use crate::schema::Name;
use crate::sql::{Convention, Migration, Span, Version};

/// What version control says about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// It was there before and is the same.
    Unchanged,
    /// It is new.
    Added,
    /// It was there before and has other content.
    Edited,
    /// It was there before under another name.
    Renamed,
}

/// What the set has to know of one of its migrations; the migration itself may be gone.
#[derive(Debug, Clone)]
pub struct Member {
    path: Arc<str>,
    version: Version,
    name: Box<str>,
    convention: Convention,
    repeatable: bool,
    has_down: bool,
    has_statements: bool,
    /// Tables in use that it changes, where that was asked.
    touched: BTreeSet<Name>,
    /// The place that findings about the whole file point at: the first statement.
    pub span: Span,
}

impl Member {
    /// Returns what the set has to know of a migration.
    pub fn of(migration: &Migration) -> Self {
        let start = migration.up.section.range.start;
        let first = migration.up.statements.first().map(|statement| statement.span);
        Self {
            path: migration.up.section.source.shared_path(),
            version: migration.version.clone(),
            name: migration.name.as_str().into(),
            convention: migration.convention,
            repeatable: migration.repeatable,
            has_down: migration.down.is_some(),
            has_statements: first.is_some(),
            touched: BTreeSet::new(),
            span: first.unwrap_or(Span::new(start, start)),
        }
    }

    /// Notes which tables in use the migration changes.
    #[must_use]
    pub fn touching(self, effects: &MigrationEffects) -> Self {
        let all = effects.statements.iter().flat_map(|run| &run.effects.effects);
        let locks = all.filter_map(Effect::lock).filter(|lock| {
            lock.mode.blocks_writes() && !lock.index && lock.relation.state == TableState::Existing
        });
        let touched = locks.map(|lock| lock.relation.name.clone()).collect();
        Self { touched, ..self }
    }

    fn told(&self, what: &'static str, value: String) -> Effect {
        Effect {
            span: self.span,
            kind: EffectKind::Session { what, value },
            source: "lockwise: the files of the folder",
        }
    }
}

/// Another branch, and the migrations that it alone has.
#[derive(Debug, Clone, Default)]
pub struct Branch {
    /// Its name.
    pub name: String,
    /// What it got since the branches parted.
    pub members: Vec<Member>,
}

/// Returns for each migration of a set, in their order, what the others make of it.
///
/// `states` has what version control says of each, or is empty where it was not asked.
pub fn told_by_set(members: &[Member], states: &[FileState], branch: &Branch) -> Vec<Vec<Effect>> {
    let mut told: Vec<Vec<Effect>> = members.iter().map(|_| Vec::new()).collect();
    tell_versions(members, &mut told);
    tell_ways_back(members, &mut told);
    if states.len() == members.len() {
        tell_history(members, states, &mut told);
        let new = members.iter().zip(states).zip(&mut told);
        for ((ours, _), told) in new.filter(|((_, state), _)| **state == FileState::Added) {
            tell_branch(ours, branch, told);
        }
    }
    told
}

/// What another branch makes of a new migration: the same version, the same tables.
fn tell_branch(ours: &Member, branch: &Branch, told: &mut Vec<Effect>) {
    for theirs in &branch.members {
        let place = format!("{} on {}", theirs.path, branch.name);
        let version = ours.version.as_str();
        let unique = !version.is_empty() && ours.convention.has_unique_versions();
        if unique && ours.version.number() == theirs.version.number() {
            let value = format!("{version} is also the version of {place}");
            told.push(ours.told("duplicate-version", value));
        }
        let same: Vec<String> =
            ours.touched.intersection(&theirs.touched).map(ToString::to_string).collect();
        if !same.is_empty() {
            let value = format!("{} ({place})", same.join(", "));
            told.push(ours.told("parallel-change", value));
        }
    }
}

/// Two migrations with one version are a mistake where the tool knows them by it. Where a folder
/// has had three of one version, it does not: its tool goes by whole names.
fn tell_versions(members: &[Member], told: &mut [Vec<Effect>]) {
    let numbered = members.iter().zip(told);
    let mut numbered: Vec<(&Member, &mut Vec<Effect>)> =
        numbered.filter(|(member, _)| !member.version.as_str().is_empty()).collect();
    // Those of one version stay in their order.
    numbered.sort_by(|(a, _), (b, _)| a.version.compare_numbers(&b.version));
    let same = |a: &(&Member, &mut Vec<Effect>), b: &(&Member, &mut Vec<Effect>)| {
        a.0.version.compare_numbers(&b.0.version).is_eq()
    };
    if numbered.chunk_by(same).any(|one| one.len() > 2) {
        return;
    }
    for one in numbered.chunk_by_mut(same) {
        if let [(first, _), (second, told)] = one
            && second.convention.has_unique_versions()
        {
            let value = format!("{} is also the version of {}", second.version, first.path);
            told.push(second.told("duplicate-version", value));
        }
    }
}

/// One file without a way back among others that have one was forgotten; a folder where a way back
/// is written now and then leaves it to the runner to make one.
fn tell_ways_back(members: &[Member], told: &mut [Vec<Effect>]) {
    let with_down = members.iter().filter(|member| member.has_down).count();
    if with_down == 0 || with_down * 2 < members.len() {
        return;
    }
    for (member, told) in members.iter().zip(told) {
        if !member.has_down && member.has_statements && !member.repeatable {
            told.push(member.told("no-way-back", member.name.to_string()));
        }
    }
}

/// Tells what version control shows: a new file that sorts before published ones, a published file
/// that was edited.
fn tell_history(members: &[Member], states: &[FileState], told: &mut [Vec<Effect>]) {
    let published = members
        .iter()
        .zip(states)
        .filter(|&(member, &state)| state != FileState::Added && !member.repeatable)
        .map(|(member, _)| &member.version)
        .max();
    for ((member, state), told) in members.iter().zip(states).zip(told) {
        if member.repeatable {
            continue;
        }
        match state {
            FileState::Added => {
                if let Some(last) = published.filter(|&last| member.version < *last) {
                    let value = format!("{} comes before {last}", member.version);
                    told.push(member.told("non-linear-history", value));
                }
            }
            FileState::Edited | FileState::Renamed => {
                let done = if *state == FileState::Edited { "edited" } else { "renamed" };
                let value = format!("{} was {done}", member.name);
                told.push(member.told("migration-edited", value));
            }
            FileState::Unchanged => {}
        }
    }
}

/// Failures that what is known of earlier migrations shows.
const ABOUT_OBJECTS: [&str; 5] =
    ["column-in-use", "dependents-exist", "duplicate-object", "missing-column", "missing-object"];

/// What the migrations so far say about failures of the later ones.
#[derive(Debug, Default)]
pub struct Chain {
    /// The migrations so far are not all known.
    doubtful: bool,
    told: BTreeSet<String>,
}

impl Chain {
    /// Excuses conflicts with earlier migrations where these are not all known, and those that were
    /// told before: what is missing once is missing from then on, and is one mistake.
    pub fn follow(&mut self, migration: &Migration, effects: &mut MigrationEffects) {
        self.doubtful |= migration.after_unknown;
        for run in &mut effects.statements {
            for (place, effect) in run.effects.effects.iter().enumerate() {
                let Some(failure) =
                    effect.failure().filter(|failure| ABOUT_OBJECTS.contains(&failure.when))
                else {
                    continue;
                };
                if self.doubtful || !self.told.insert(failure.detail.clone()) {
                    run.excused.insert(place);
                }
            }
            self.doubtful |= run.opaque;
        }
    }
}
