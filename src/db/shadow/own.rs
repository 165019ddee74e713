//! A temporary server of our own, started from installed binaries.
//!
//! It listens on a socket in its own folder only, does not sync, and runs as an ordinary user
//! even when we are root, which the servers refuse to be. A watching shell ends it and removes
//! its folder as soon as our end of a pipe closes, so nothing is left behind however this process
//! ends.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use super::binaries::{self, Binaries};
use super::{ShadowOptions, connect_options};
use crate::db::connection::Connection;
use crate::db::error::Error;
use crate::db::target::{Network, Place, Target, Tls};
use crate::sql::ServerKind;

/// How long a server may take to start.
const START_LIMIT: Duration = Duration::from_secs(60);

/// What the watching shell does: a line means that all is done, the end of the pipe that it must
/// clean up. Arguments: signal, process, folder.
const WATCH: &str = "read -r _ && exit 0
kill -\"$1\" \"$2\" 2>/dev/null
tries=0
while kill -0 \"$2\" 2>/dev/null && [ \"$tries\" -lt 100 ]; do sleep 0.05; tries=$((tries+1)); done
kill -KILL \"$2\" 2>/dev/null
rm -rf \"$3\"";

/// A running server with its folder. Dropping it ends the one and removes the other.
#[derive(Debug)]
pub(super) struct OwnServer {
    server: Child,
    watch: Child,
    pipe: Option<ChildStdin>,
    admin: Target,
    folder: tempfile::TempDir,
}

/// Who the server runs as.
#[derive(Debug, Clone, Copy)]
struct Identity {
    user: u32,
    group: u32,
}

impl OwnServer {
    /// Makes a data directory, starts a server on it and waits until it answers.
    pub(super) async fn start(options: &ShadowOptions) -> Result<Self, Error> {
        let kind = options.server.kind;
        let binaries = binaries::find(options.server, &options.folders);
        let binaries = binaries.ok_or_else(|| no_binaries(kind))?;
        let folder = folder().map_err(|cause| files_failed("the temporary folder", cause))?;
        let identity = identity(kind, folder.path())?;
        let data = folder.path().join("data");
        install(kind, &binaries, folder.path(), options, identity)?;
        let mut serve = Command::new(&binaries.serve);
        match kind {
            ServerKind::Postgres => serve_postgres(&mut serve, &data, folder.path()),
            ServerKind::Mysql | ServerKind::Mariadb => {
                serve_mysql(&mut serve, &data, folder.path(), options);
            }
            ServerKind::Sqlite => {}
        }
        let server = spawn(&mut serve, folder.path(), identity)?;
        let (mut watch, signal) = (Command::new("sh"), stop_signal(kind));
        let id = server.id().to_string();
        watch.args(["-c", WATCH, "lockwise-shadow", signal, &id]).arg(folder.path());
        watch.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut watch = watch.spawn().map_err(|cause| files_failed("sh", cause))?;
        let pipe = watch.stdin.take();
        let admin = admin(kind, folder.path(), &options.user);
        let mut own = Self { server, watch, pipe, admin, folder };
        own.wait_until_ready().await?;
        Ok(own)
    }

    /// Returns the login of the administrator.
    pub(super) fn admin(&self) -> Target {
        self.admin.clone()
    }

    /// Connects again and again until the server answers or has ended.
    async fn wait_until_ready(&mut self) -> Result<(), Error> {
        let started = Instant::now();
        loop {
            match Connection::open(&self.admin, &connect_options()).await {
                Ok(connection) => return connection.close().await,
                Err(error) => {
                    let ended = self.server.try_wait().ok().flatten().is_some();
                    if ended || started.elapsed() > START_LIMIT {
                        let log = last_lines(&self.folder.path().join("log"));
                        let why = if log.is_empty() { error.to_string() } else { log };
                        return Err(start_failed(&why));
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // The shell ends the server and removes the folder; we only take note of both ends.
        drop(self.pipe.take());
        let _ = self.server.wait();
        let _ = self.watch.wait();
    }
}

/// Returns a private folder with a short name: the path of a socket has about 100 characters.
fn folder() -> std::io::Result<tempfile::TempDir> {
    let short = Path::new("/tmp");
    let mut builder = tempfile::Builder::new();
    builder.prefix("lockwise-");
    if short.is_dir() { builder.tempdir_in(short) } else { builder.tempdir() }
}

/// Decides who the server runs as, and gives it the folder: ourselves, or an ordinary user when we
/// are root. The folder was made by us, so its owner is who we are.
fn identity(kind: ServerKind, folder: &Path) -> Result<Option<Identity>, Error> {
    let failed = |cause| files_failed("the temporary folder", cause);
    if folder.metadata().map_err(failed)?.uid() != 0 {
        return Ok(None);
    }
    let own = if kind == ServerKind::Postgres { "postgres" } else { "mysql" };
    let users = std::fs::read_to_string("/etc/passwd").map_err(failed)?;
    let find = |name: &str| {
        users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            match fields.as_slice() {
                [user, _, id, group, ..] if *user == name => {
                    Some(Identity { user: id.parse().ok()?, group: group.parse().ok()? })
                }
                _ => None,
            }
        })
    };
    let identity = find(own).or_else(|| find("nobody")).ok_or_else(|| Error::Shadow {
        message: format!("neither user {own} nor user nobody exists, and servers refuse root"),
        hint: "run as an ordinary user, or give a server with --shadow URL".to_owned(),
    })?;
    chown(folder, Some(identity.user), Some(identity.group)).map_err(failed)?;
    Ok(Some(identity))
}

/// Makes the data directory.
fn install(
    kind: ServerKind,
    binaries: &Binaries,
    folder: &Path,
    options: &ShadowOptions,
    identity: Option<Identity>,
) -> Result<(), Error> {
    let data = folder.join("data");
    let mut command = Command::new(&binaries.install);
    match kind {
        ServerKind::Postgres => {
            command.arg("-D").arg(&data).args(["-U", &options.user, "-A", "trust", "-N"]);
            command.args(["-E", "UTF8", "--locale=C"]);
        }
        ServerKind::Mariadb => {
            command.arg("--no-defaults").arg(format!("--datadir={}", data.display()));
            command.args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
            command.args(lower_case_table_names(options));
        }
        ServerKind::Mysql => {
            command.args(["--no-defaults", "--initialize-insecure"]);
            command.arg(format!("--datadir={}", data.display()));
            command.args(lower_case_table_names(options));
        }
        ServerKind::Sqlite => {}
    }
    let mut child = spawn(&mut command, folder, identity)?;
    let status = child.wait().map_err(|cause| files_failed("the server's installer", cause))?;
    if status.success() { Ok(()) } else { Err(start_failed(&last_lines(&folder.join("log")))) }
}

/// Whether names keep their case is decided when the data directory is made (MySQL manual,
/// "Identifier Case Sensitivity").
fn lower_case_table_names(options: &ShadowOptions) -> Option<String> {
    let value = options.settings.get("lower_case_table_names")?;
    Some(format!("--lower-case-table-names={value}"))
}

/// Sets the arguments of PostgreSQL: fast, forgetful, on a socket only.
fn serve_postgres(command: &mut Command, data: &Path, folder: &Path) {
    command.arg("-D").arg(data);
    let socket = format!("unix_socket_directories={}", folder.display());
    let settings = [
        "listen_addresses=",
        "fsync=off",
        "full_page_writes=off",
        "synchronous_commit=off",
        "autovacuum=off",
        "max_connections=20",
        "shared_buffers=32MB",
        "max_prepared_transactions=4",
        "log_min_messages=fatal",
        &socket,
    ];
    for setting in settings {
        command.args(["-c", setting]);
    }
}

/// Sets the arguments of MySQL and MariaDB.
fn serve_mysql(command: &mut Command, data: &Path, folder: &Path, options: &ShadowOptions) {
    let folder = folder.display();
    command.arg("--no-defaults").arg(format!("--datadir={}", data.display()));
    command.arg(format!("--socket={folder}/s"));
    command.arg(format!("--pid-file={folder}/pid"));
    command.arg(format!("--tmpdir={folder}"));
    command.args(["--skip-networking", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0"]);
    command.args(["--innodb-buffer-pool-size=32M", "--innodb-doublewrite=0"]);
    command.args(lower_case_table_names(options));
    if options.server.kind == ServerKind::Mysql {
        command.arg("--mysqlx=OFF");
    }
    let copied = [
        ("sql_mode", "--sql-mode"),
        ("server_charset", "--character-set-server"),
        ("server_collation", "--collation-server"),
        ("explicit_defaults_for_timestamp", "--explicit-defaults-for-timestamp"),
        ("innodb_default_row_format", "--innodb-default-row-format"),
        ("innodb_file_per_table", "--innodb-file-per-table"),
    ];
    for (name, argument) in copied {
        if let Some(value) = options.settings.get(name) {
            command.arg(format!("{argument}={value}"));
        }
    }
}

/// Starts a program in its own process group, away from our Ctrl-C, its words going to the log.
fn spawn(command: &mut Command, folder: &Path, identity: Option<Identity>) -> Result<Child, Error> {
    let log = folder.join("log");
    let failed = |cause| files_failed(&command_name(&log), cause);
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&log).map_err(failed)?;
    let other = file.try_clone().map_err(failed)?;
    command.stdin(Stdio::null()).stdout(file).stderr(other).current_dir(folder).process_group(0);
    command.env("LC_ALL", "C").env("TMPDIR", folder).env_remove("PGDATA").env("HOME", folder);
    if let Some(identity) = identity {
        command.gid(identity.group).uid(identity.user);
    }
    let program = command.get_program().to_string_lossy().into_owned();
    command.spawn().map_err(|cause| files_failed(&program, cause))
}

/// Names a file for an error.
fn command_name(path: &Path) -> String {
    path.display().to_string()
}

/// The signal that ends a server at once: PostgreSQL's "immediate shutdown" frees its shared
/// memory; the others have nothing to lose.
const fn stop_signal(kind: ServerKind) -> &'static str {
    match kind {
        ServerKind::Postgres => "QUIT",
        ServerKind::Mysql | ServerKind::Mariadb | ServerKind::Sqlite => "KILL",
    }
}

/// Returns the login of the administrator.
fn admin(kind: ServerKind, folder: &Path, user: &str) -> Target {
    let (socket, user, database): (PathBuf, &str, _) = match kind {
        ServerKind::Postgres => (folder.to_owned(), user, Some("postgres".to_owned())),
        ServerKind::Mysql | ServerKind::Mariadb | ServerKind::Sqlite => {
            (folder.join("s"), "root", None)
        }
    };
    let network = Network {
        host: "localhost".to_owned(),
        port: if kind == ServerKind::Postgres { 5432 } else { 3306 },
        socket: Some(socket),
        user: user.to_owned(),
        password: None,
        database,
        tls: Tls::Disable,
        tls_ca: None,
    };
    let is_postgres = kind == ServerKind::Postgres;
    let place = if is_postgres { Place::Postgres(network) } else { Place::Mysql(network) };
    Target { place }
}

/// Returns the end of a log.
fn last_lines(path: &Path) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().rev().take(4).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}

/// There are no binaries of this server.
fn no_binaries(kind: ServerKind) -> Error {
    let title = kind.title();
    let package = match kind {
        ServerKind::Postgres => "postgresql",
        ServerKind::Mysql => "mysql-server",
        ServerKind::Mariadb | ServerKind::Sqlite => "mariadb-server",
    };
    Error::Shadow {
        message: format!("no {title} server is installed here to try the migration on"),
        hint: format!("install {package}, or give a server with --shadow URL"),
    }
}

/// The server did not come up.
fn start_failed(log: &str) -> Error {
    Error::Shadow {
        message: format!("the temporary server did not start: {log}"),
        hint: "give a server with --shadow URL instead".to_owned(),
    }
}

/// A file or program could not be used.
fn files_failed(what: &str, cause: std::io::Error) -> Error {
    Error::File { path: what.to_owned(), cause }
}
