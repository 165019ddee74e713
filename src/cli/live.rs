//! What the commands on a database begin with: the target, a session, the folder, the journal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::console::Console;
use super::failure::Failure;
use super::files;
use super::git;
use super::options::{DirOption, UrlOption};
use super::project::Project;
use crate::db::{
    self, Access, ConnectOptions, Connection, Entry, Journal, JournalOptions, MissingFile, Secrets,
    ShadowOptions, Snapshot, Target,
};
use crate::plan::{self, History, Order, Shadow, version_of};
use crate::sql::layout::{Arrangement, arrange};
use crate::sql::{Migration, Server};

/// A database that a command looks at, and the folder that belongs to it.
pub(super) struct Live {
    /// The configuration.
    pub(super) project: Project,
    /// Where the database is.
    pub(super) target: Target,
    /// A session that only reads.
    pub(super) connection: Connection,
    /// The kind and version that the server says it is.
    pub(super) server: Server,
    /// Replicas that batches wait for.
    pub(super) replicas: Vec<Target>,
    /// A pooler lends the sessions to others between transactions, and that is known.
    pub(super) pooled: bool,
    /// The journal's place.
    pub(super) journal: Journal,
    /// Its rows; without their details until [`Live::details`] is called.
    pub(super) entries: Vec<Entry>,
    /// What they say.
    pub(super) history: History,
    /// The folder of the migrations.
    pub(super) dir: PathBuf,
    /// The migrations in it, in order.
    pub(super) migrations: Vec<Migration>,
}

impl Live {
    /// Connects, and reads journal and folder. Nothing is created.
    pub(super) async fn open(
        project: Project,
        dir: &DirOption,
        url: &UrlOption,
        console: &mut Console,
    ) -> Result<Self, Failure> {
        let dir = project.dir(dir.dir.as_deref());
        let arrangement = read_dir(&dir, &project)?;
        let mut live = Self::without_folder(project, url).await?;
        live.dir = dir;
        live.migrations = parse(arrangement, live.server, console)?;
        Ok(live)
    }

    /// Connects and reads the journal.
    pub(super) async fn without_folder(project: Project, url: &UrlOption) -> Result<Self, Failure> {
        let target = target(url, &project)?;
        let replicas = replicas(&project)?;
        let options = ConnectOptions {
            application_name: "lockwise".to_owned(),
            access: Access::ReadOnly,
            missing_file: MissingFile::Empty,
            ..ConnectOptions::default()
        };
        let mut connection = Connection::open(&target, &options).await.map_err(database)?;
        let server = connection.server();
        let journal = Journal::new(server.kind, &JournalOptions::default());
        let entries = journal.read_states(&mut connection).await.map_err(database)?;
        let history = History::of(&entries);
        let (dir, migrations) = (PathBuf::new(), Vec::new());
        let pooled = project.config.runner.pooled;
        Ok(Self {
            project,
            pooled,
            target,
            connection,
            server,
            replicas,
            journal,
            entries,
            history,
            dir,
            migrations,
        })
    }

    /// Reads the journal again, with the details of its rows.
    pub(super) async fn details(&mut self) -> Result<(), Failure> {
        self.entries = self.journal.read(&mut self.connection).await.map_err(database)?;
        self.history = History::of(&self.entries);
        Ok(())
    }

    /// Returns the migrations to run; contradictions are an error with exit code 1.
    pub(super) fn pending(
        &self,
        order: Order,
        console: &mut Console,
    ) -> Result<Vec<&Migration>, Failure> {
        let pending = plan::pending(&self.migrations, &self.history, self.server.kind, order);
        for note in &pending.notes {
            console.note(note);
        }
        if pending.troubles.is_empty() {
            Ok(pending.migrations)
        } else {
            Err(troubles(&pending.troubles))
        }
    }

    /// Reads the live schema with sizes.
    pub(super) async fn snapshot(&mut self) -> Result<Snapshot, Failure> {
        let options = db::SnapshotOptions { sizes: true, ..plan::snapshot_options() };
        db::snapshot(&mut self.connection, &options).await.map_err(database)
    }

    /// Starts the shadow that options and configuration ask for.
    pub(super) async fn shadow(
        &self,
        snapshot: &Snapshot,
        option: Option<&str>,
    ) -> Result<Shadow, Failure> {
        use crate::config::Shadow as Wanted;
        let wanted = match option {
            Some("auto") => Wanted::Auto,
            Some("off" | "none") => Wanted::Off,
            Some(url) => Wanted::Url(url.to_owned()),
            None => self.project.config.runner.shadow.clone(),
        };
        let mut options = ShadowOptions::of(snapshot);
        options.folders = std::env::var_os("PATH")
            .map(|path| std::env::split_paths(&path).collect())
            .unwrap_or_default();
        match wanted {
            Wanted::Off => return Ok(Shadow::none("the dry run is switched off")),
            Wanted::Auto => {}
            Wanted::Url(url) => {
                let target = Target::parse(&url, &secrets(&self.project));
                options.url = Some(target.map_err(|error| of_target(&error))?);
            }
        }
        Ok(Shadow::start(options).await)
    }

    /// Returns who wrote each of these migrations, as far as git knows.
    pub(super) fn authors<'m>(
        &self,
        named: &[String],
        migrations: impl IntoIterator<Item = &'m Migration>,
    ) -> BTreeMap<String, Vec<String>> {
        let migrations: Vec<&Migration> = migrations.into_iter().collect();
        let path = |migration: &Migration| Path::new(migration.up.section.source.path()).to_owned();
        // Where somebody's approval of a change of their own is refused, every file is followed
        // through its renames; for a long list that is only shown, one look at git is enough.
        let exact = self.project.config.approval.is_some() || migrations.len() <= FOLLOWED;
        let all = if exact || !named.is_empty() { BTreeMap::new() } else { git::of_all(&self.dir) };
        let who = |migration: &Migration| match (named, exact) {
            ([], true) => git::of_one(&path(migration)),
            ([], false) => {
                let name = path(migration);
                name.file_name().and_then(|name| all.get(name)).cloned().unwrap_or_default()
            }
            (named, _) => named.to_vec(),
        };
        migrations.into_iter().map(|migration| (version_of(migration), who(migration))).collect()
    }
}

/// So many files are followed through their renames, one call of git for each.
const FOLLOWED: usize = 20;

/// All contradictions at once.
pub(super) fn troubles(troubles: &[plan::Trouble]) -> Failure {
    let failures = troubles.iter().map(|trouble| {
        Failure::new(trouble.to_string()).hint(trouble.hint()).exit(super::exit::Exit::No)
    });
    Failure::all(failures).exit(super::exit::Exit::No)
}

/// Returns the URL that option, environment or configuration name.
pub(super) fn url(url: &UrlOption, project: &Project) -> Option<String> {
    let config = &project.config;
    let variable = config.url_env.as_deref().filter(|_| url.url.is_none());
    let named = variable.and_then(|variable| std::env::var(variable).ok());
    named.or_else(|| url.url.clone()).or_else(|| config.url.clone())
}

/// Returns the database that option, environment or configuration name.
pub(super) fn target(option: &UrlOption, project: &Project) -> Result<Target, Failure> {
    let written = url(option, project).ok_or_else(|| {
        Failure::new("no database is named")
            .hint("pass --url, set DATABASE_URL, or write `url` in lockwise.toml")
    })?;
    Target::parse(&written, &secrets(project)).map_err(|error| of_target(&error))
}

/// Returns the replicas that the configuration names.
fn replicas(project: &Project) -> Result<Vec<Target>, Failure> {
    let secrets = secrets(project);
    let named = project.config.runner.replicas.iter();
    let parse = |url: &String| Target::parse(url, &secrets).map_err(|error| of_target(&error));
    named.map(parse).collect()
}

fn of_target(error: &db::TargetError) -> Failure {
    Failure::of(error).hint(error.hint())
}

/// Reads what the servers' own tools read passwords from.
fn secrets(project: &Project) -> Secrets {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let in_home = |name: &str| home.as_ref().map(|home| home.join(name));
    let read = |path: Option<PathBuf>| path.and_then(|path| std::fs::read_to_string(path).ok());
    let own = project.config.password_file.as_ref().map(|path| project.path(path));
    let own = read(own).and_then(|text| text.lines().next().map(str::to_owned));
    let variable = |name: &str| std::env::var(name).ok();
    let pgpass = std::env::var_os("PGPASSFILE").map(PathBuf::from).or_else(|| in_home(".pgpass"));
    Secrets {
        pg_password: own.clone().or_else(|| variable("PGPASSWORD")),
        pgpass: read(pgpass),
        mysql_pwd: own.or_else(|| variable("MYSQL_PWD")),
        my_cnf: read(in_home(".my.cnf")),
        user: variable("USER"),
    }
}

/// Returns an error of the database for printing.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
pub(super) fn database(error: db::Error) -> Failure {
    let failure = Failure::of(&error);
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Reads the folder; everything that is wrong with it is told at once.
fn read_dir(dir: &Path, project: &Project) -> Result<Arrangement, Failure> {
    if !dir.is_dir() {
        return Err(Failure::new(format!("no folder {}", files::shown(dir)))
            .hint("name the folder of the migrations with --dir or `dir` in lockwise.toml"));
    }
    let arrangement = arrange(vec![files::read_folder(dir)?], project.config.convention);
    let failures: Vec<Failure> = arrangement
        .errors
        .iter()
        .map(|error| Failure::new(error.to_string()).hint(error.hint()))
        .collect();
    if failures.is_empty() { Ok(arrangement) } else { Err(Failure::all(failures)) }
}

/// Parses the migrations of a folder as the server would.
fn parse(
    arrangement: Arrangement,
    server: Server,
    console: &mut Console,
) -> Result<Vec<Migration>, Failure> {
    let mut groups = arrangement.groups;
    if groups.iter().filter(|group| group.unrelated).count() > 0 {
        let folders: Vec<&str> = groups.iter().map(|group| group.folder.as_str()).collect();
        return Err(Failure::new(format!(
            "{} folders of migrations that have nothing to do with each other: {}",
            folders.len(),
            folders.join(", ")
        ))
        .hint("name one of them with --dir"));
    }
    for skipped in &arrangement.skipped {
        console.note(&format!("{} is not run: {}", skipped.path, skipped.reason));
    }
    for group in &mut groups {
        group.select(server);
    }
    let drafts: Vec<_> = groups.into_iter().flat_map(|group| group.drafts).collect();
    let parsed: Result<Vec<_>, _> =
        drafts.into_par_iter().map(|draft| draft.parse(server)).collect();
    parsed.map_err(|error| Failure::new(error.to_string()).hint(error.hint()))
}
