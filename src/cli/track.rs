//! Histories replayed: files are parsed ahead on all cores, and walked one after another.
//!
//! What is in memory at a time are the schema, a few files under way, and what the listener keeps.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::failure::Failure;
use super::project::Project;
use crate::config::Runner;
use crate::effect::{
    Branch, Chain, Effect, FileState, Member, MigrationEffects, WalkOptions, told_by_set, walk_each,
};
use crate::rule::fix::{Fix, fix};
use crate::schema::{Name, Schema, Size};
use crate::sql::layout::{Draft, Group, LayoutError};
use crate::sql::{Convention, Migration, Server};

/// How many files are parsed at once.
const BATCH: usize = 8;

/// What is done with a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It only builds up the schema.
    Before,
    /// It is judged.
    Judged,
}

/// A migration, and what it does in its place.
pub(super) struct Replayed {
    /// The migration.
    pub(super) migration: Migration,
    /// What it does.
    pub(super) effects: MigrationEffects,
    /// What it is for.
    pub(super) used: Use,
    /// It is the first of its folder.
    pub(super) first: bool,
    /// Safe forms of its statements, whether something is found there or not.
    pub(super) fixes: Vec<Fix>,
}

/// Who listens to a replay.
pub(super) trait Listener: Sync {
    /// What is kept of a migration until its history ends.
    type Heard: Send;
    /// What becomes of a history.
    type Told: Send;
    /// Each statement of a file of data is wanted, though it repeats the one before it.
    const EACH: bool;

    /// Takes a migration that was walked; later ones are under way already.
    fn hear(&self, replayed: Replayed) -> Self::Heard;

    /// Comes to the end of a history.
    fn tell(&self, heard: Vec<Self::Heard>, end: &End<'_>) -> Self::Told;
}

/// What is known at the end of a history.
pub(super) struct End<'e> {
    /// The last schema.
    pub(super) schema: &'e Schema,
    /// What the others make of each migration, in their order.
    pub(super) told: Vec<Vec<Effect>>,
}

/// What is the same for all histories of a replay.
pub(super) struct Stage<'s, L> {
    /// The configuration.
    pub(super) project: &'s Project,
    /// The server.
    pub(super) server: Server,
    /// What version control says about the files, where it was asked.
    pub(super) states: BTreeMap<String, FileState>,
    /// The branch that the files are compared with.
    pub(super) branch: Branch,
    /// Sizes of tables, where they are known.
    pub(super) sizes: BTreeMap<Name, Size>,
    /// Settings of the live server, where they are known.
    pub(super) settings: BTreeMap<String, String>,
    /// Who listens.
    pub(super) listener: &'s L,
}

/// Replays the histories of folders. An unrelated folder begins one; the others go on with the one
/// before them.
///
/// Unrelated folders share the schema that the last folder before them found, so that histories of
/// one folder each can run at the same time.
pub(super) fn histories<L: Listener>(
    stage: &Stage<'_, L>,
    start: Schema,
    groups: Vec<(Use, Group)>,
    take: impl FnMut(L::Told) + Send,
) -> Vec<Failure> {
    let mut start = start;
    let out = Mutex::new(InOrder { next: 0, waiting: BTreeMap::new(), take });
    let failures = Mutex::new(Vec::new());
    let mut number = 0;
    let mut groups = groups.into_iter().peekable();
    while groups.peek().is_some() {
        let mut tasks: Vec<(usize, Track<'_, L>, Use, Group)> = Vec::new();
        while let Some((used, group)) = groups.next() {
            let mut track = Track::new(stage, start.clone());
            let (mut used, mut group) = (used, group);
            // The folders of a history but the last find the schema that others start from.
            while let Some((next_used, next)) = groups.next_if(|(_, next)| !next.unrelated) {
                track.folder(used, group);
                start = track.schema.clone();
                (used, group) = (next_used, next);
            }
            tasks.push((number, track, used, group));
            number += 1;
            let continues = groups.peek().is_some_and(|(_, group)| !group.unrelated);
            if continues {
                break;
            }
        }
        tasks.into_iter().par_bridge().for_each(|(number, mut track, used, group)| {
            track.folder(used, group);
            let found = std::mem::take(&mut track.failures);
            if !found.is_empty() {
                let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                failures.push((number, found));
            }
            let told = track.end();
            out.lock().unwrap_or_else(PoisonError::into_inner).put(number, told);
        });
    }
    let mut failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    failures.sort_by_key(|&(number, _)| number);
    failures.into_iter().flat_map(|(_, failures)| failures).collect()
}

/// Hands on in order what comes in any.
struct InOrder<T, F> {
    next: usize,
    waiting: BTreeMap<usize, T>,
    take: F,
}

impl<T, F: FnMut(T)> InOrder<T, F> {
    fn put(&mut self, number: usize, one: T) {
        self.waiting.insert(number, one);
        while let Some(one) = self.waiting.remove(&self.next) {
            self.next += 1;
            (self.take)(one);
        }
    }
}

/// One history under way.
struct Track<'s, L: Listener> {
    stage: &'s Stage<'s, L>,
    schema: Schema,
    members: Vec<Member>,
    chain: Chain,
    states: Vec<FileState>,
    heard: Vec<L::Heard>,
    failures: Vec<Failure>,
}

impl<'s, L: Listener> Track<'s, L> {
    fn new(stage: &'s Stage<'s, L>, schema: Schema) -> Self {
        Self {
            stage,
            schema,
            members: Vec::new(),
            chain: Chain::default(),
            states: Vec::new(),
            heard: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Replays a folder: while some files are parsed, those before them are walked, and those
    /// before these are heard.
    fn folder(&mut self, used: Use, group: Group) {
        let (server, listener) = (self.stage.server, self.stage.listener);
        let mut first = true;
        self.heard.reserve_exact(group.drafts.len());
        self.members.reserve_exact(group.drafts.len());
        // Taken off the end, so that the room of those that are parsed can be given back.
        let mut drafts = group.drafts;
        drafts.reverse();
        let mut parsed: Vec<Result<Migration, LayoutError>> = Vec::new();
        let mut walked: Vec<Replayed> = Vec::new();
        loop {
            let mut batch = drafts.split_off(drafts.len().saturating_sub(BATCH));
            batch.reverse();
            if drafts.len() < drafts.capacity() / 2 {
                drafts.shrink_to_fit();
            }
            if batch.is_empty() && parsed.is_empty() && walked.is_empty() {
                break;
            }
            let read = if L::EACH { Draft::parse } else { Draft::skim };
            let parse =
                || -> Vec<_> { batch.into_par_iter().map(|draft| read(draft, server)).collect() };
            let hear = || -> Vec<L::Heard> {
                walked.into_par_iter().map(|replayed| listener.hear(replayed)).collect()
            };
            let (next, (now, heard)) =
                rayon::join(parse, || rayon::join(|| self.walk(parsed, used, &mut first), hear));
            (parsed, walked) = (next, now);
            self.heard.extend(heard);
        }
    }

    fn walk(
        &mut self,
        parsed: Vec<Result<Migration, LayoutError>>,
        used: Use,
        first: &mut bool,
    ) -> Vec<Replayed> {
        let mut walked = Vec::with_capacity(parsed.len());
        for migration in parsed {
            match migration {
                Ok(migration) => walked.push(self.migration(migration, used, first)),
                Err(error) => {
                    self.failures.push(Failure::new(error.to_string()).hint(error.hint()));
                }
            }
        }
        walked
    }

    fn migration(&mut self, migration: Migration, used: Use, first: &mut bool) -> Replayed {
        let path = migration.up.section.source.path();
        let state = self.stage.states.get(path).copied();
        self.states.extend(state);
        let used = if state == Some(FileState::Unchanged) { Use::Before } else { used };
        let mut options = walk_options(&migration, self.stage.project);
        options.settings.extend(self.stage.settings.clone());
        fill_sizes(&mut self.schema, &self.stage.sizes);
        let mut fixes: Vec<Fix> = Vec::new();
        let mut effects =
            walk_each(&migration, &mut self.schema, &options, |statement, schema, done| {
                if used == Use::Judged {
                    fixes.extend(fix(&migration, statement, schema, done));
                }
            });
        self.chain.follow(&migration, &mut effects);
        let member = Member::of(&migration);
        let new = state == Some(FileState::Added) && !self.stage.branch.members.is_empty();
        self.members.push(if new { member.touching(&effects) } else { member });
        Replayed { migration, effects, used, first: std::mem::take(first), fixes }
    }

    fn end(self) -> L::Told {
        let told = told_by_set(&self.members, &self.states, &self.stage.branch);
        self.stage.listener.tell(self.heard, &End { schema: &self.schema, told })
    }
}

/// Tells the schema how large its tables are; a table that the next migration makes is small.
fn fill_sizes(schema: &mut Schema, sizes: &BTreeMap<Name, Size>) {
    for (name, &size) in sizes {
        // MySQL's model has no name for the current database.
        let bare = Name::new("", name.name.clone());
        let known = if schema.relation(name).is_some() { name } else { &bare };
        if let Some(relation) = schema.relation_mut(known) {
            relation.size = Some(size);
        }
    }
}

/// Returns who runs a migration and the settings that are in force when it starts.
pub(super) fn walk_options(migration: &Migration, project: &Project) -> WalkOptions {
    let by_lockwise = is_run_by_lockwise(migration.convention, project);
    let mut options = WalkOptions { by_lockwise, ..WalkOptions::default() };
    if project.file.is_some() && by_lockwise {
        let timeout = project.config.runner.lock_timeout.as_millis();
        options.settings.insert("lock_timeout".to_owned(), format!("{timeout}ms"));
    }
    options
}

/// lockwise runs the files of its own convention. Those without any belong to it where there is a
/// lockwise.toml, and those of another tool where that says on what database, or how.
fn is_run_by_lockwise(convention: Convention, project: &Project) -> bool {
    let config = &project.config;
    match convention {
        Convention::Lockwise => true,
        Convention::Plain | Convention::Stdin => project.file.is_some(),
        Convention::Sqlx
        | Convention::Refinery
        | Convention::Diesel
        | Convention::GolangMigrate
        | Convention::Dbmate
        | Convention::Goose
        | Convention::Flyway
        | Convention::Prisma
        | Convention::Atlas
        | Convention::Rails
        | Convention::Pop
        | Convention::Tern
        | Convention::Graphile
        | Convention::Drizzle
        | Convention::Liquibase
        | Convention::Sqitch => {
            let runs = config.runner != Runner::default() || config.targets.is_some();
            runs || config.url.is_some() || config.url_env.is_some()
        }
    }
}
