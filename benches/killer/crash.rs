//! Ends sessions, and servers.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lockwise::db::{ConnectOptions, Connection, Secrets, Target};

use crate::support::{Kind, Project, Session, admin_url, block_on};

/// Ends every other session on the database of a project, as a broken network would.
pub(crate) fn cut(project: &Project) {
    let mut session = project.session();
    let ended = match project.kind {
        Kind::Postgres => session.try_query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        ),
        Kind::Mariadb | Kind::Mysql => {
            let others = "SELECT id FROM information_schema.processlist \
                          WHERE db = database() AND id <> connection_id()";
            for id in session.try_query(others).unwrap_or_default() {
                // It may have ended by itself.
                let _ = session.try_query(&format!("KILL CONNECTION {id}"));
            }
            None
        }
        Kind::Sqlite => None,
    };
    drop(ended);
}

/// The server that the trials run on, where `tests/run` started it.
pub(crate) struct Server {
    kind: Kind,
    process: Option<Process>,
    /// The one that we started after the first crash.
    ours: Option<Child>,
}

/// A process, as far as it is needed to start it again.
struct Process {
    id: String,
    arguments: Vec<String>,
    user: String,
    folder: PathBuf,
}

impl Server {
    /// Finds the server. One whose data are not in a folder of `tests/run` is never touched.
    pub(crate) fn of(kind: Kind) -> Self {
        let question = match kind {
            Kind::Postgres => "SHOW data_directory",
            Kind::Mariadb | Kind::Mysql => "SELECT @@datadir",
            Kind::Sqlite => return Self { kind, process: None, ours: None },
        };
        let mut admin = Session::open(&admin_url(kind));
        let folder = admin.query(question).remove(0);
        if kind != Kind::Postgres {
            // The journal promises no more than the server keeps: what is committed is on disk.
            admin.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1");
        }
        let process = folder.contains("lockwise-tests.").then(|| Process::of(kind, &folder));
        Self { kind, process: process.flatten(), ours: None }
    }

    /// Says whether the server may be killed.
    pub(crate) const fn is_ours(&self) -> bool {
        self.process.is_some()
    }

    /// Kills the server and starts it again; returns when it answers.
    pub(crate) fn crash(&mut self) {
        let Some(process) = &mut self.process else { return };
        let killed = Command::new("kill").args(["-KILL", &process.id]).status();
        assert!(killed.is_ok_and(|status| status.success()));
        if let Some(mut child) = self.ours.take() {
            let _ = child.wait();
        }
        let started = Instant::now();
        let mut child = process.start();
        loop {
            if block_on(answers(self.kind)) {
                break;
            }
            // PostgreSQL does not start while children of the dead one hold its shared memory.
            if child.try_wait().is_ok_and(|ended| ended.is_some()) {
                child = process.start();
            }
            assert!(started.elapsed() < Duration::from_secs(120), "the server does not come back");
            std::thread::sleep(Duration::from_millis(100));
        }
        process.id = child.id().to_string();
        self.ours = Some(child);
        if self.kind != Kind::Postgres {
            Session::open(&admin_url(self.kind))
                .execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1");
        }
    }

    /// Ends the server that was started here, which `tests/run` does not know.
    pub(crate) fn stop(self) {
        let Some(mut child) = self.ours else { return };
        let signal = if self.kind == Kind::Postgres { "-INT" } else { "-TERM" };
        let _ = Command::new("kill").args([signal, &child.id().to_string()]).status();
        let _ = child.wait();
    }
}

impl Process {
    /// Reads from `/proc` how the server was started.
    fn of(kind: Kind, folder: &str) -> Option<Self> {
        let folder = PathBuf::from(folder);
        let file = if kind == Kind::Postgres { "postmaster.pid" } else { "pid" };
        let places = [folder.join(file), folder.join("..").join(file)];
        let text = places.iter().find_map(|path| std::fs::read_to_string(path).ok())?;
        let id = text.lines().next()?.trim().to_owned();
        let line = std::fs::read(format!("/proc/{id}/cmdline")).ok()?;
        let words = line.split(|byte| *byte == 0).filter(|word| !word.is_empty());
        let words = words.map(|word| String::from_utf8_lossy(word).into_owned());
        // The file that made the first login is gone once that is done.
        let arguments = words.filter(|word| !word.starts_with("--init-file")).collect();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let user = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        let user = user.split_whitespace().next()?.to_owned();
        Some(Self { id, arguments, user, folder })
    }

    /// Starts the server as it was started before, as the same user.
    fn start(&self) -> Child {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &self.user, "--clear-groups"]).args(&self.arguments);
        command.current_dir(&self.folder).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap_or_else(|error| panic!("cannot start the server again: {error}"))
    }
}

/// Says whether a server takes connections.
async fn answers(kind: Kind) -> bool {
    let target = Target::parse(&admin_url(kind), &Secrets::default()).unwrap();
    Connection::open(&target, &ConnectOptions::default()).await.is_ok()
}
