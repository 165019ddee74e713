//! Migrations read, in order, and the server they are meant for: what lint and effects begin with.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::console::Console;
use super::failure::Failure;
use super::files;
use super::options::ServerOptions;
use super::project::Project;
use crate::effect::WalkOptions;
use crate::schema::Schema;
use crate::sql::layout::{Arrangement, Draft, Group, arrange, guess_server};
use crate::sql::{Convention, Migration, Server, ServerKind};

/// How many files are parsed at once; the statements of the others are not in memory.
const BATCH: usize = 256;

/// Migrations that are judged, and those before them.
pub(super) struct History {
    /// The server.
    pub(super) server: Server,
    /// Migrations that only build up the schema.
    before: Vec<Group>,
    /// Migrations that are judged, unless they are left out.
    judged: Vec<Group>,
    /// Paths among them that only build up the schema.
    left_out: BTreeSet<String>,
    /// What could not be read.
    pub(super) failures: Vec<Failure>,
}

/// What is done with a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It only builds up the schema.
    Before,
    /// It is judged.
    Judged,
}

/// Where a history stands when a migration comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// What the migration is for.
    pub(super) used: Use,
    /// It is the first of its folder.
    first: bool,
    /// Its folder has nothing to do with the folders before it: the schema starts anew.
    anew: bool,
}

impl History {
    /// Reads everything that is named.
    pub(super) fn read(
        paths: &[String],
        before: &[String],
        server: &ServerOptions,
        convention: Option<Convention>,
        project: &Project,
        console: &mut Console,
    ) -> Result<Self, Failure> {
        let convention = convention.or(project.config.convention);
        let paths = match paths {
            [] => vec![files::shown(&project.dir(None))],
            paths => paths.to_vec(),
        };
        let configured = project.config.history.iter().map(|path| project.path(path));
        let before: Vec<String> =
            configured.map(|path| files::shown(&path)).chain(before.iter().cloned()).collect();
        let mut before = arrange(files::read_all(&before)?, convention);
        let mut judged = arrange(files::read_all(&paths)?, convention);
        let failures = failures(&before).chain(failures(&judged)).collect::<Vec<_>>();
        if judged.groups.iter().all(|group| group.drafts.is_empty()) && failures.is_empty() {
            tell_skipped(&judged, console);
            let hint = "name a file or folder with SQL migrations";
            return Err(Failure::new(format!("no migrations in {}", paths.join(", "))).hint(hint));
        }
        let server = choose_server(server, project, &judged, console);
        for group in before.groups.iter_mut().chain(&mut judged.groups) {
            group.select(server);
        }
        tell_skipped(&judged, console);
        tell_unrelated(&judged, console);
        Ok(Self {
            server,
            before: before.groups,
            judged: judged.groups,
            left_out: BTreeSet::new(),
            failures,
        })
    }

    /// Takes the files that do not match as history only.
    pub(super) fn judge_only(&mut self, matches: impl Fn(&str) -> bool) {
        let drafts = self.judged.iter().flat_map(|group| &group.drafts);
        let others = drafts.map(Draft::path).filter(|path| !matches(path));
        self.left_out = others.map(str::to_owned).collect();
    }

    /// Parses the migrations and hands them over in order. Files are parsed on all cores, a batch
    /// at a time.
    pub(super) fn each<E>(
        self,
        mut visit: impl FnMut(&Migration, Turn) -> Result<(), E>,
    ) -> Result<(), E> {
        let server = self.server;
        let groups = [(Use::Before, self.before), (Use::Judged, self.judged)];
        let mut drafts: Vec<(Draft, Turn)> = Vec::new();
        for (used, groups) in groups {
            for group in groups {
                for (index, draft) in group.drafts.into_iter().enumerate() {
                    let out = self.left_out.contains(draft.path());
                    let used = if out { Use::Before } else { used };
                    let first = index == 0;
                    let turn = Turn { used, first, anew: first && group.unrelated };
                    drafts.push((draft, turn));
                }
            }
        }
        let mut drafts = drafts.into_iter();
        loop {
            let batch: Vec<(Draft, Turn)> = drafts.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                return Ok(());
            }
            let parsed: Vec<(Migration, Turn)> =
                batch.into_par_iter().map(|(draft, turn)| (draft.parse(server), turn)).collect();
            for (migration, turn) in &parsed {
                visit(migration, *turn)?;
            }
        }
    }
}

fn failures(arrangement: &Arrangement) -> impl Iterator<Item = Failure> {
    arrangement.errors.iter().map(|error| Failure::new(error.to_string()).hint(error.hint()))
}

fn tell_skipped(arrangement: &Arrangement, console: &mut Console) {
    const SHOWN: usize = 5;
    for skipped in arrangement.skipped.iter().take(SHOWN) {
        console.note(&format!("{} is not judged: {}", skipped.path, skipped.reason));
    }
    if let Some(more) = arrangement.skipped.len().checked_sub(SHOWN).filter(|&more| more > 0) {
        console.note(&format!("{more} more files are not judged"));
    }
}

fn tell_unrelated(arrangement: &Arrangement, console: &mut Console) {
    let folders = arrangement.groups.iter().filter(|group| group.unrelated).count();
    if folders > 0 {
        console.note(&format!(
            "{} folders with migrations: each is a history of its own",
            arrangement.groups.len()
        ));
    }
}

/// Finds the server: flag, configuration, URL, or what the files look like; says what was assumed.
fn choose_server(
    options: &ServerOptions,
    project: &Project,
    arrangement: &Arrangement,
    console: &mut Console,
) -> Server {
    let config = &project.config;
    let mut assumed = None;
    let kind =
        options.server.or(config.server).or_else(|| url_kind(project)).unwrap_or_else(|| {
            let guess = guess_server(arrangement);
            assumed = Some(guess.because.unwrap_or_else(|| "nothing says otherwise".to_owned()));
            guess.kind
        });
    let version = options
        .server_version
        .or(config.server_version.filter(|_| config.server.is_none_or(|known| known == kind)));
    let server = Server { kind, version: version.unwrap_or(kind.default_version()) };
    match (assumed, version) {
        (Some(because), _) => console.note(&format!(
            "assuming {} {} ({because}); --server and --server-version say otherwise",
            kind.title(),
            server.version
        )),
        (None, None) => console.note(&format!(
            "assuming {} {}; --server-version says otherwise",
            kind.title(),
            server.version
        )),
        (None, Some(_)) => {}
    }
    server
}

/// The scheme of a URL tells the server; nothing connects to it.
fn url_kind(project: &Project) -> Option<ServerKind> {
    let config = &project.config;
    let variable = config.url_env.as_deref().unwrap_or("DATABASE_URL");
    let url = config.url.clone().or_else(|| std::env::var(variable).ok())?;
    let scheme = url.split(':').next()?;
    scheme.parse().ok()
}

/// Returns the settings that are in force when a migration starts.
///
/// lockwise's own runner sets a lock timeout; a folder that it runs has a lockwise.toml.
pub(super) fn walk_options(migration: &Migration, project: &Project) -> WalkOptions {
    let mut options = WalkOptions::default();
    if project.file.is_some() && migration.convention == Convention::Lockwise {
        let timeout = project.config.runner.lock_timeout.as_millis();
        options.settings.insert("lock_timeout".to_owned(), format!("{timeout}ms"));
    }
    options
}

/// The schema that migrations meet, one after another.
pub(super) struct Schemas {
    /// Before the first of several unrelated folders.
    start: Schema,
    now: Schema,
}

impl Schemas {
    /// Returns a schema of which nothing is known yet.
    pub(super) fn new(server: Server) -> Self {
        Self::from(Schema::new(server, false))
    }

    /// Returns the schema for the next migration.
    pub(super) fn at(&mut self, turn: Turn) -> &mut Schema {
        if turn.anew {
            self.now = self.start.clone();
        } else if turn.first {
            self.start = self.now.clone();
        }
        &mut self.now
    }
}

impl From<Schema> for Schemas {
    fn from(schema: Schema) -> Self {
        Self { start: schema.clone(), now: schema }
    }
}
