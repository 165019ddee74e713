//! The examples on real servers: `given` and `good` are taken, `bad` is refused only where a
//! failure was predicted for the statement, and always where it was said to be certain.
//!
//! An example whose version or whose `not_run` says that the server at hand cannot run it is
//! counted and left out.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use lockwise::db::{ConnectOptions, Connection, MissingFile, Secrets, Target};
use lockwise::effect::{EffectKind, StatementRun};
use lockwise::rule::{Example, Rule};
use lockwise::sql::{Migration, Server, ServerKind, TransactionMode};

/// How many examples run at a time on one server.
const WORKERS: usize = 4;

/// Session facts and declarations that say why a server refuses a statement.
const REFUSALS: [&str; 4] = [
    "begin-inside-transaction",
    "transaction-in-wrapped-file",
    "identifier-too-long",
    "index-duplicate-column",
];

/// One text of one example.
struct Case {
    rule: Rule,
    example: Example,
    text: String,
    good: bool,
}

/// What came of all cases on a server.
#[derive(Default)]
struct Outcome {
    run: usize,
    left_out: usize,
    complaints: String,
}

#[test]
fn examples_on_postgresql() {
    check(ServerKind::Postgres, &url("LOCKWISE_TEST_POSTGRES"));
}

#[test]
fn examples_on_mariadb() {
    check(ServerKind::Mariadb, &url("LOCKWISE_TEST_MARIADB"));
}

#[test]
fn examples_on_sqlite() {
    check(ServerKind::Sqlite, "");
}

/// Debian has no MySQL server: `tests/run --with-mysql` starts one.
#[test]
fn examples_on_mysql() {
    if let Ok(url) = std::env::var("LOCKWISE_TEST_MYSQL") {
        check(ServerKind::Mysql, &url);
    }
}

fn url(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: start the tests with tests/run"))
}

#[track_caller]
fn check(kind: ServerKind, url: &str) {
    let only = std::env::var("LOCKWISE_RULE").ok();
    let cases = cases(kind, only.as_deref());
    let (next, outcome) = (AtomicUsize::new(0), Mutex::new(Outcome::default()));
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (cases, next, outcome) = (&cases, &next, &outcome);
            scope.spawn(move || {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let place = Place::new(kind, url, worker);
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let complaint = runtime.block_on(place.run(case));
                    let mut outcome = outcome.lock().unwrap();
                    match complaint {
                        None => outcome.left_out += 1,
                        Some(complaint) => {
                            outcome.run += 1;
                            outcome.complaints.push_str(&complaint);
                        }
                    }
                }
                runtime.block_on(place.remove());
            });
        }
    });
    let outcome = outcome.into_inner().unwrap();
    eprintln!("{kind}: {} texts run, {} left out", outcome.run, outcome.left_out);
    assert!(outcome.run > 0 || only.is_some(), "nothing ran on {kind}");
    assert!(outcome.complaints.is_empty(), "\n{}", outcome.complaints);
}

fn cases(kind: ServerKind, only: Option<&str>) -> Vec<Case> {
    let mut cases = Vec::new();
    for in_force in super::rules().iter() {
        let rule = &in_force.rule;
        if only.is_some_and(|only| only != rule.id) {
            continue;
        }
        for example in &rule.examples {
            let servers = if example.servers.is_empty() { &rule.servers } else { &example.servers };
            let texts = [(&example.bad, false), (&example.good, true)];
            for (text, good) in texts.into_iter().filter(|_| servers.contains(&kind)) {
                cases.extend(text.as_ref().map(|text| Case {
                    rule: rule.clone(),
                    example: example.clone(),
                    text: text.clone(),
                    good,
                }));
            }
        }
    }
    cases
}

/// Where one worker runs its cases: a database that is made anew for each.
struct Place {
    kind: ServerKind,
    admin: Option<Target>,
    name: String,
    folder: tempfile::TempDir,
}

impl Place {
    fn new(kind: ServerKind, url: &str, worker: usize) -> Self {
        let admin =
            (kind != ServerKind::Sqlite).then(|| Target::parse(url, &Secrets::default()).unwrap());
        let name = format!("lw_rules_{}_{worker}", std::process::id());
        Self { kind, admin, name, folder: tempfile::tempdir().unwrap() }
    }

    async fn open(target: &Target) -> Connection {
        let options =
            ConnectOptions { missing_file: MissingFile::Create, ..ConnectOptions::default() };
        Connection::open(target, &options).await.unwrap()
    }

    async fn remove(&self) {
        if let Some(admin) = &self.admin {
            let mut connection = Self::open(admin).await;
            let force = if self.kind == ServerKind::Postgres { " WITH (FORCE)" } else { "" };
            let sql = format!("DROP DATABASE IF EXISTS {}{force}", self.name);
            connection.execute(&sql).await.unwrap();
        }
    }

    /// Opens a session on an empty database.
    async fn session(&self) -> Connection {
        let Some(admin) = &self.admin else {
            let path = self.folder.path().join("example.db");
            let _ = std::fs::remove_file(&path);
            return Self::open(&Target::file(path)).await;
        };
        self.remove().await;
        let mut connection = Self::open(admin).await;
        connection.execute(&format!("CREATE DATABASE {}", self.name)).await.unwrap();
        Self::open(&admin.with_database(&self.name)).await
    }

    /// Runs a case; returns what is wrong, or nothing at all where it cannot run here.
    async fn run(&self, case: &Case) -> Option<String> {
        let Case { rule, example, text, good } = case;
        if example.not_run.is_some() {
            return None;
        }
        let mut session = self.session().await;
        let server = Server { kind: self.kind, version: session.server().version };
        // What is said of another version is tested by the linter alone.
        if example.version.is_some_and(|version| version.major != server.version.major)
            || !rule.covers(server)
        {
            return None;
        }
        let walked = super::walked(example, text, server);
        let mut complaint = String::new();
        let name = format!("  {} on {}, \"{}\"", rule.id, self.kind, example.name);
        for (at, (migration, effects)) in walked.migrations.iter().zip(&walked.effects).enumerate()
        {
            let refused = apply(&mut session, migration, self.kind).await;
            let judged = at >= walked.given;
            let certain = effects.statements.iter().position(is_certain_to_fail);
            match (&refused, certain) {
                (Some((place, error)), _) if judged && !good => {
                    let predicted = effects.statements.iter().take(place + 1).any(may_be_refused);
                    if !predicted {
                        writeln!(complaint, "{name}: bad is refused without notice: {error}")
                            .unwrap();
                    }
                }
                (Some((_, error)), _) => {
                    let which = if judged { "good" } else { "given" };
                    writeln!(complaint, "{name}: {which} is refused: {error}").unwrap();
                }
                (None, Some(_)) if judged => {
                    writeln!(complaint, "{name}: said to fail for certain, but it runs").unwrap();
                }
                (None, _) => {}
            }
            if refused.is_some() {
                break;
            }
        }
        session.close().await.unwrap();
        Some(complaint)
    }
}

/// Runs a migration as its tool would; returns the statement that is refused, and why.
async fn apply(
    session: &mut Connection,
    migration: &Migration,
    kind: ServerKind,
) -> Option<(usize, String)> {
    let wrapped = migration.transaction == TransactionMode::Wrapped && !kind.is_mysql_family();
    if wrapped {
        session.execute("BEGIN").await.unwrap();
    }
    let source = &migration.up.section.source;
    for (place, statement) in migration.up.statements.iter().enumerate() {
        if let Err(error) = session.execute(source.slice(statement.span)).await {
            return Some((place, error.to_string()));
        }
    }
    if wrapped && let Err(error) = session.execute("COMMIT").await {
        return Some((migration.up.statements.len(), error.to_string()));
    }
    None
}

fn is_certain_to_fail(run: &StatementRun) -> bool {
    let standing = run.effects.effects.iter().enumerate();
    standing
        .filter(|(place, _)| !run.excused.contains(place))
        .any(|(_, effect)| matches!(&effect.kind, EffectKind::Failure(failure) if failure.certain))
}

/// Says whether something that was predicted explains that the server refuses the statement.
fn may_be_refused(run: &StatementRun) -> bool {
    run.effects.effects.iter().any(|effect| match &effect.kind {
        EffectKind::Failure(_) | EffectKind::Unknown { .. } => true,
        EffectKind::Session { what, .. } | EffectKind::LeftBehind { what, .. } => {
            REFUSALS.contains(what)
        }
        EffectKind::Declares(declaration) => REFUSALS.contains(&declaration.what),
        EffectKind::Lock(_)
        | EffectKind::Rewrite { .. }
        | EffectKind::Scan { .. }
        | EffectKind::IndexBuild { .. }
        | EffectKind::Loss(_)
        | EffectKind::Break { .. } => false,
    })
}
