//! Migrations read, in order, and the server they are meant for: what lint and effects begin with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::console::Console;
use super::failure::Failure;
use super::files;
use super::live::Live;
use super::options::{ConventionOption, ServerOptions, UrlOption};
use super::project::Project;
use super::runtime::block_on;
use super::since::Changed;
use super::track::{self, End, Listener, Replayed, Stage, Use};
use crate::db::Snapshot;
use crate::effect::{Branch, FileState, Member, WalkOptions, settle, walk};
use crate::plan::schema_of;
use crate::schema::{Name, Schema, Size};
use crate::sql::layout::{Arrangement, Draft, Given, Group, Problem, arrange, guess_server};
use crate::sql::{Server, ServerKind};

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
    /// Database whose schema and table sizes are read, as a snapshot of this moment
    #[arg(long, value_name = "URL", conflicts_with = "snapshot")]
    url: Option<String>,
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
    /// The branch that the files are compared with.
    branch: Branch,
    /// Sizes of tables, where they are known.
    sizes: BTreeMap<Name, Size>,
    /// Settings of the live server, where they are known.
    settings: BTreeMap<String, String>,
    /// The schema before the first migration.
    start: Schema,
    /// What could not be read.
    failures: Vec<Failure>,
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
        let snapshot = match &options.url {
            Some(url) => Some(live_snapshot(url, console)?),
            None => read_snapshot(options.snapshot.as_deref(), project)?,
        };
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
            branch: Branch::default(),
            settings: snapshot.as_ref().map(Snapshot::server_settings).unwrap_or_default(),
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

    /// Compares new files with those that a revision got since the branches parted; tells which
    /// published files of the same folders are gone.
    pub(super) fn compare(&mut self, revision: &str, changed: Changed, console: &mut Console) {
        let folder = |path: &str| path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let drafts = || self.judged.iter().flat_map(|group| &group.drafts);
        let folders: BTreeSet<String> = drafts().map(|draft| folder(draft.path())).collect();
        for path in changed.gone.iter().filter(|path| folders.contains(&folder(path))) {
            console.warn(&format!("{path} was published and is gone: databases have run it"));
        }
        let Some(convention) = drafts().next().map(|draft| draft.convention) else { return };
        let folder = Given::Folder { path: String::new(), files: changed.theirs };
        let groups = arrange(vec![folder], Some(convention)).groups;
        let mut schema = Schema::new(self.server, false);
        let theirs = groups.into_iter().flat_map(|group| group.drafts);
        let members = theirs.filter_map(|draft| draft.parse(self.server).ok()).map(|migration| {
            let effects = walk(&migration, &mut schema, &WalkOptions::default());
            Member::of(&migration).touching(&effects)
        });
        self.branch = Branch { name: revision.to_owned(), members: members.collect() };
    }

    /// Replays all migrations: histories on all cores, the migrations of each in their order. What
    /// `listener` makes of a history goes to `take`, in the order of the histories.
    ///
    /// Returns what could not be read.
    pub(super) fn replay<L: Listener>(
        self,
        project: &Project,
        listener: &L,
        take: impl FnMut(L::Told) + Send,
    ) -> Vec<Failure> {
        let Self { server, before, judged, states, branch, sizes, settings, start, failures } =
            self;
        let before = before.into_iter().map(|group| (Use::Before, group));
        let groups: Vec<(Use, Group)> =
            before.chain(judged.into_iter().map(|group| (Use::Judged, group))).collect();
        let stage = Stage { project, server, states, branch, sizes, settings, listener };
        let mut failures = failures;
        failures.extend(track::histories(&stage, start, groups, take));
        failures
    }

    /// Replays all migrations and keeps them.
    pub(super) fn replay_all(self, project: &Project) -> (Vec<Replayed>, Vec<Failure>) {
        let mut all = Vec::new();
        let failures = self.replay(project, &Keeper, |history| all.extend(history));
        (all, failures)
    }
}

/// Keeps everything, with what the whole history tells.
struct Keeper;

impl Listener for Keeper {
    type Heard = Replayed;
    type Told = Vec<Replayed>;
    const EACH: bool = true;

    fn hear(&self, replayed: Replayed) -> Replayed {
        replayed
    }

    fn tell(&self, mut history: Vec<Replayed>, end: &End<'_>) -> Vec<Replayed> {
        for (entry, told) in history.iter_mut().zip(&end.told) {
            entry.effects.migration.extend(told.iter().cloned());
        }
        let mut effects: Vec<_> = history.iter_mut().map(|entry| &mut entry.effects).collect();
        settle(&mut effects, end.schema);
        history
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

/// Reads schema and sizes of a database; nothing is written to it.
fn live_snapshot(url: &str, console: &Console) -> Result<Snapshot, Failure> {
    let project = Project::load(&console.global)?;
    let url = UrlOption { url: Some(url.to_owned()) };
    block_on(async { Live::without_folder(project, &url).await?.snapshot().await })
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
