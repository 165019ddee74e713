//! Servers that a test starts for itself, where one alone is not enough or would be disturbed: a
//! primary with its replica, a server with settings of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::support::{Kind, Session};

/// A server in a folder of its own; it ends with the test.
pub(crate) struct Own {
    kind: Kind,
    /// The URL of a login that may do everything.
    pub(crate) url: String,
    port: u16,
    process: Child,
    folder: tempfile::TempDir,
}

/// The ordinary user that servers run as: they refuse root.
fn user(kind: Kind) -> &'static str {
    if kind == Kind::Postgres { "postgres" } else { "mysql" }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.starts_with(b"0\n")
}

/// Returns a command that runs as that user.
fn command(kind: Kind, program: &Path, folder: &Path) -> Command {
    if !is_root() {
        let mut command = Command::new(program);
        command.current_dir(folder);
        return command;
    }
    let mut command = Command::new("setpriv");
    let user = user(kind);
    command.args(["--reuid", user, "--regid", user, "--clear-groups"]).arg(program);
    command.current_dir(folder);
    command
}

/// Finds a program of a server.
fn program(kind: Kind, names: &[&str]) -> PathBuf {
    let mut folders: Vec<PathBuf> = Vec::new();
    if kind == Kind::Postgres {
        folders.extend(std::env::var_os("LOCKWISE_TEST_POSTGRES_BIN").map(PathBuf::from));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    folders.push("/usr/sbin".into());
    let found = folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
    found.into_iter().find(|path| path.is_file()).unwrap_or_else(|| {
        panic!("this test starts a server of its own and finds no {names:?}: install it")
    })
}

#[track_caller]
fn done(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {words}");
}

fn folder(kind: Kind) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    if is_root() {
        done(Command::new("chown").arg(user(kind)).arg(folder.path()));
    }
    folder
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Own {
    /// Starts PostgreSQL with these settings.
    pub(crate) fn postgres(settings: &[&str]) -> Self {
        let (kind, folder) = (Kind::Postgres, folder(Kind::Postgres));
        let mut install = command(kind, &program(kind, &["initdb"]), folder.path());
        done(install.args(["-D", "data", "-U", "lockwise", "-A", "trust", "-N", "--locale", "C"]));
        Self::serve(kind, folder, settings)
    }

    /// Starts a replica of a PostgreSQL server.
    pub(crate) fn postgres_replica(primary: &Self) -> Self {
        let (kind, folder) = (Kind::Postgres, folder(Kind::Postgres));
        let mut copy = command(kind, &program(kind, &["pg_basebackup"]), folder.path());
        copy.args(["-D", "data", "-R", "-X", "stream", "-c", "fast", "-h", "127.0.0.1"]);
        done(copy.args(["-U", "lockwise", "-p", &primary.port.to_string()]));
        Self::serve(kind, folder, &[])
    }

    /// Starts MariaDB; a primary and its replica differ in their number.
    pub(crate) fn mariadb(number: u32) -> Self {
        let (kind, folder) = (Kind::Mariadb, folder(Kind::Mariadb));
        let install = program(kind, &["mariadb-install-db"]);
        let mut install = command(kind, &install, folder.path());
        let data = format!("--datadir={}", folder.path().join("data").display());
        install.args(["--no-defaults", &data, "--auth-root-authentication-method=normal"]);
        done(install.arg("--skip-test-db"));
        let init = folder.path().join("init.sql");
        let login = "CREATE USER lockwise@'127.0.0.1' IDENTIFIED BY 'lockwise'; \
                     GRANT ALL ON *.* TO lockwise@'127.0.0.1' WITH GRANT OPTION;\n";
        std::fs::write(&init, login.replace("; ", ";\n")).unwrap();
        let init = format!("--init-file={}", init.display());
        let number = format!("--server-id={number}");
        let settings = [data.as_str(), &init, &number, "--log-bin", "--skip-name-resolve"];
        Self::serve(kind, folder, &settings)
    }

    /// Makes this server a replica of another one; it begins where the other one is now.
    pub(crate) fn follow(&self, primary: &Self) {
        let position = Session::open(&primary.url).query("SELECT @@gtid_binlog_pos").remove(0);
        let mut session = Session::open(&self.url);
        session.execute("RESET MASTER");
        session.execute(&format!("SET GLOBAL gtid_slave_pos = '{position}'"));
        session.execute(&format!(
            "CHANGE MASTER TO master_host = '127.0.0.1', master_port = {}, master_user = \
             'lockwise', master_password = 'lockwise', master_use_gtid = slave_pos",
            primary.port
        ));
        session.execute("START SLAVE");
    }

    fn serve(kind: Kind, folder: tempfile::TempDir, settings: &[&str]) -> Self {
        let port = free_port();
        let number = port.to_string();
        let mut serve = if kind == Kind::Postgres {
            let mut serve = command(kind, &program(kind, &["postgres"]), folder.path());
            serve.args(["-D", "data", "-p", &number, "-c", "listen_addresses=127.0.0.1"]);
            serve.args(["-c", "fsync=off", "-c", "synchronous_commit=off"]);
            serve.args(["-c", &format!("unix_socket_directories={}", folder.path().display())]);
            serve.args(settings.iter().flat_map(|setting| ["-c", setting]));
            serve
        } else {
            let mut serve = command(kind, &program(kind, &["mariadbd"]), folder.path());
            serve.args(["--no-defaults", "--bind-address=127.0.0.1", "--socket=s", "--port"]);
            serve.arg(&number).args(settings).args(["--innodb-flush-log-at-trx-commit=0"]);
            serve.arg("--innodb-buffer-pool-size=32M");
            serve
        };
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        serve.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let process = serve.spawn().unwrap();
        let url = match kind {
            Kind::Postgres => format!("postgres://lockwise@127.0.0.1:{port}/postgres"),
            Kind::Mariadb | Kind::Mysql | Kind::Sqlite => {
                format!("mariadb://lockwise:lockwise@127.0.0.1:{port}/mysql")
            }
        };
        let mut own = Self { kind, url, port, process, folder };
        own.wait();
        own
    }

    /// Waits until the server answers.
    fn wait(&mut self) {
        let started = Instant::now();
        while !Session::answers(&self.url) {
            let ended = self.process.try_wait().unwrap().is_some();
            if ended || started.elapsed().as_secs() > 60 {
                let log = std::fs::read_to_string(self.folder.path().join("log"));
                panic!("{:?} does not start: {}", self.kind, log.unwrap_or_default());
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let signal = if self.kind == Kind::Postgres { "-INT" } else { "-TERM" };
        let _ = Command::new("kill").args([signal, &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}
