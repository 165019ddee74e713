//! Migrations read, in order, and the server they are meant for: what lint and effects begin with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::console::Console;
use super::failure::Failure;
use super::files;
use super::options::{ConventionOption, ServerOptions};
use super::project::Project;
use crate::db::Snapshot;
use crate::effect::{
    FileState, MigrationEffects, WalkOptions, settle, tell_history, tell_set, walk,
};
use crate::plan::schema_of;
use crate::schema::{Name, Schema, Size};
use crate::sql::layout::{Arrangement, Draft, Given, Group, Problem, arrange, guess_server};
use crate::sql::{Convention, Migration, Server, ServerKind};

/// How many files are parsed at once; the statements of the others are not in memory.
const BATCH: usize = 256;

/// What to read.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct HistoryOptions {
    /// Files, folders, globs in quotes, or - for standard input [default: `dir` in lockwise.toml]
    #[arg(value_name = "PATHS")]
    paths: Vec<String>,
    /// Files or folders that come before and are not judged
    #[arg(long, value_name = "PATH")]
    history: Vec<String>,
    /// Schema and table sizes, from `lockwise snapshot` [default: `snapshot` in lockwise.toml]
    ///
    /// Files named one by one are judged against this schema. For folders, whose files tell the
    /// schema themselves, the sizes count.
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    #[command(flatten)]
    server: ServerOptions,
    #[command(flatten)]
    convention: ConventionOption,
}

/// Migrations that are judged, and those before them.
pub(super) struct History {
    /// The server.
    pub(super) server: Server,
    /// Migrations that only build up the schema.
    before: Vec<Group>,
    /// Migrations that are judged, unless they are left out.
    judged: Vec<Group>,
    /// What version control says about the files, where it was asked.
    states: BTreeMap<String, FileState>,
    /// Sizes of tables, where they are known.
    sizes: BTreeMap<Name, Size>,
    /// The schema before the first migration.
    pub(super) start: Schema,
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

impl History {
    /// Reads everything that is named.
    pub(super) fn read(
        options: &HistoryOptions,
        project: &Project,
        console: &mut Console,
    ) -> Result<Self, Failure> {
        let convention = options.convention.convention.or(project.config.convention);
        let paths = match options.paths.as_slice() {
            [] => vec![files::shown(&project.dir(None))],
            paths => paths.to_vec(),
        };
        let configured = project.config.history.iter().map(|path| project.path(path));
        let before: Vec<String> = configured
            .map(|path| files::shown(&path))
            .chain(options.history.iter().cloned())
            .collect();
        let snapshot = read_snapshot(options.snapshot.as_deref(), project)?;
        let given = files::read_all(&paths)?;
        let one_by_one =
            before.is_empty() && !given.iter().any(|given| matches!(given, Given::Folder { .. }));
        let mut before = arrange(files::read_all(&before)?, convention);
        let mut judged = arrange(given, convention);
        let failures = failures(&before).chain(failures(&judged)).collect::<Vec<_>>();
        if judged.groups.iter().all(|group| group.drafts.is_empty()) && failures.is_empty() {
            tell_skipped(&judged, console);
            let hint = "name a file or folder with SQL migrations";
            return Err(Failure::new(format!("no migrations in {}", paths.join(", "))).hint(hint));
        }
        let known = snapshot.as_ref().map(|snapshot| snapshot.server);
        let (server, assumed) = server_of(&options.server, project, &judged, known);
        if let Some(assumed) = assumed {
            console.note(&assumed);
        }
        for group in before.groups.iter_mut().chain(&mut judged.groups) {
            group.select(server);
        }
        tell_skipped(&judged, console);
        tell_unrelated(&judged, console);
        let start = match &snapshot {
            Some(snapshot) if one_by_one => schema_of(snapshot),
            Some(_) | None => Schema::new(server, false),
        };
        Ok(Self {
            server,
            before: before.groups,
            judged: judged.groups,
            states: BTreeMap::new(),
            sizes: snapshot.map(|snapshot| snapshot.sizes).unwrap_or_default(),
            start,
            failures,
        })
    }

    /// Judges only files that were added or edited; the others build up the schema.
    pub(super) fn judge_changed(&mut self, state: impl Fn(&str) -> FileState) {
        let groups = self.before.iter().chain(&self.judged);
        let paths = groups.flat_map(|group| &group.drafts).map(Draft::path);
        self.states = paths.map(|path| (path.to_owned(), state(path))).collect();
    }

    /// Replays all migrations in their order: what each does to the schema before it.
    ///
    /// Files are parsed on all cores, and walked one after another.
    pub(super) fn replay(self, project: &Project) -> Vec<Replayed> {
        let server = self.server;
        let mut replay = Replay {
            project,
            schema: self.start.clone(),
            start: self.start,
            sizes: self.sizes,
            done: Vec::new(),
            run: 0,
        };
        for (used, groups) in [(Use::Before, self.before), (Use::Judged, self.judged)] {
            for group in groups {
                let anew = group.unrelated;
                replay.begin(anew);
                let mut first = true;
                let mut drafts = group.drafts.into_iter();
                loop {
                    let batch: Vec<Draft> = drafts.by_ref().take(BATCH).collect();
                    if batch.is_empty() {
                        break;
                    }
                    let parsed: Vec<Migration> =
                        batch.into_par_iter().map(|draft| draft.parse(server)).collect();
                    for migration in parsed {
                        let path = migration.up.section.source.path();
                        let out = self.states.get(path) == Some(&FileState::Unchanged);
                        let state = self.states.get(path).copied();
                        let used = if out { Use::Before } else { used };
                        replay.migration(migration, used, state);
                        if let Some(entry) = replay.done.last_mut().filter(|_| first) {
                            (entry.first, entry.anew) = (true, anew);
                        }
                        first = false;
                    }
                }
            }
        }
        replay.finish();
        replay.done
    }
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
    /// Its folder has nothing to do with those before it: the schema starts anew.
    pub(super) anew: bool,
    /// What version control says about its file, where it was asked.
    state: Option<FileState>,
}

/// A replay under way.
struct Replay<'p> {
    project: &'p Project,
    schema: Schema,
    /// The schema before the first of several unrelated folders.
    start: Schema,
    sizes: BTreeMap<Name, Size>,
    done: Vec<Replayed>,
    /// Where in `done` the present history begins.
    run: usize,
}

impl Replay<'_> {
    /// Comes to a folder.
    fn begin(&mut self, anew: bool) {
        if anew {
            self.finish();
            self.schema = self.start.clone();
        } else {
            self.start = self.schema.clone();
        }
    }

    fn migration(&mut self, migration: Migration, used: Use, state: Option<FileState>) {
        let options = walk_options(&migration, self.project);
        fill_sizes(&mut self.schema, &self.sizes);
        let effects = walk(&migration, &mut self.schema, &options);
        let (first, anew) = (false, false);
        self.done.push(Replayed { migration, effects, used, first, anew, state });
    }

    /// Tells each migration of a history what the others make of it.
    fn finish(&mut self) {
        let run = self.done.get_mut(self.run..).unwrap_or_default();
        let states: Vec<FileState> = run.iter().filter_map(|entry| entry.state).collect();
        let (migrations, mut effects): (Vec<&Migration>, Vec<&mut MigrationEffects>) =
            run.iter_mut().map(|entry| (&entry.migration, &mut entry.effects)).unzip();
        tell_set(&migrations, &mut effects);
        if states.len() == migrations.len() {
            tell_history(&migrations, &states, &mut effects);
        }
        settle(&mut effects, &self.schema);
        self.run = self.done.len();
    }
}

/// Two files with one version are readable: what is wrong with them is a finding.
fn failures(arrangement: &Arrangement) -> impl Iterator<Item = Failure> {
    let errors = arrangement.errors.iter();
    errors
        .filter(|error| !matches!(error.problem, Problem::DuplicateVersion { .. }))
        .map(|error| Failure::new(error.to_string()).hint(error.hint()))
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

fn read_snapshot(option: Option<&Path>, project: &Project) -> Result<Option<Snapshot>, Failure> {
    let configured = || project.config.snapshot.as_deref().map(|path| project.path(path));
    let Some(path) = option.map(Path::to_owned).or_else(configured) else { return Ok(None) };
    let failed = || Failure::new(format!("cannot read the snapshot {}", files::shown(&path)));
    let hint = "make it with `lockwise snapshot --url URL`";
    let text =
        std::fs::read_to_string(&path).map_err(|error| failed().because(&error).hint(hint))?;
    let snapshot =
        Snapshot::from_file(&text).map_err(|error| failed().cause(error.to_string()).hint(hint))?;
    Ok(Some(snapshot))
}

/// Returns the server by flag, configuration, URL, or what the files look like, and what to say
/// about it where something was assumed.
pub(super) fn server_of(
    options: &ServerOptions,
    project: &Project,
    arrangement: &Arrangement,
    known: Option<Server>,
) -> (Server, Option<String>) {
    let config = &project.config;
    let named = options.server.or(config.server);
    let version =
        options.server_version.or(config.server_version.filter(|_| named == config.server));
    // A snapshot knows the server it was read from.
    if let Some(known) = known.filter(|known| named.is_none_or(|named| named == known.kind)) {
        return (Server { version: version.unwrap_or(known.version), ..known }, None);
    }
    let mut assumed = None;
    let kind = named.or_else(|| url_kind(project)).unwrap_or_else(|| {
        let guess = guess_server(arrangement);
        assumed = Some(guess.because.unwrap_or_else(|| "nothing says otherwise".to_owned()));
        guess.kind
    });
    let server = Server { kind, version: version.unwrap_or(kind.default_version()) };
    let note = match (assumed, version) {
        (Some(because), _) => Some(format!(
            "assuming {} {} ({because}); --server and --server-version say otherwise",
            kind.title(),
            server.version
        )),
        (None, None) => Some(format!(
            "assuming {} {}; --server-version says otherwise",
            kind.title(),
            server.version
        )),
        (None, Some(_)) => None,
    };
    (server, note)
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
