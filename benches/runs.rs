//! How long a run takes beside the servers' own shells, and beside other runners that are here.
//!
//! `tests/run --servers cargo bench --bench runs -- [--migrations 1000] [--times 3]` starts the
//! servers; `--server sqlite`, `postgres`, `mariadb` or `mysql` measures one alone. One psql,
//! sqlite3, mariadb or mysql runs the same files with one insert into a history table each.
//! Printed: the best of each, and the ratio to it.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lockwise::db::{ConnectOptions, Connection, Secrets, Target};

type Fail = Box<dyn Error>;

fn main() -> Result<(), Fail> {
    let (mut count, mut times, mut only) = (1000, 3, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--migrations" => count = arguments.next().ok_or("a number is missing")?.parse()?,
            "--times" => times = arguments.next().ok_or("a number is missing")?.parse()?,
            "--server" => only = arguments.next(),
            // Cargo passes this to every bench.
            "--bench" => {}
            other => return Err(format!("no option is called \"{other}\"").into()),
        }
    }
    let folder = tempfile::tempdir()?;
    let files = Files::write(folder.path(), count)?;
    say(&format!("{count} migrations, the best of {times}"))?;
    let wanted = |server: &str| only.as_deref().is_none_or(|only| only == server);
    if wanted("sqlite") {
        sqlite(&files, times)?;
    }
    for (server, name) in [("postgres", "PostgreSQL"), ("mariadb", "MariaDB"), ("mysql", "MySQL")] {
        let variable = format!("LOCKWISE_TEST_{}", server.to_uppercase());
        match std::env::var(&variable) {
            _ if !wanted(server) => {}
            Ok(url) if server == "postgres" => postgres(&files, &url, times)?,
            Ok(url) => mysql(&files, &url, times, name)?,
            Err(_) => say(&format!("{name}: not measured, {variable} is not set"))?,
        }
    }
    Ok(())
}

fn say(line: &str) -> Result<(), Fail> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// The migrations, in the forms that each runner reads.
struct Files {
    folder: PathBuf,
    /// For lockwise and sqlx.
    plain: PathBuf,
    /// With the markers of dbmate.
    marked: PathBuf,
    /// One script for each shell.
    psql: PathBuf,
    sqlite3: PathBuf,
    mysql: PathBuf,
}

impl Files {
    /// Writes tables, columns, indexes and rows, one statement a file.
    fn write(folder: &Path, count: usize) -> Result<Self, Fail> {
        let files = Self {
            folder: folder.to_owned(),
            plain: folder.join("plain"),
            marked: folder.join("marked"),
            psql: folder.join("psql.sql"),
            sqlite3: folder.join("sqlite3.sql"),
            mysql: folder.join("mysql.sql"),
        };
        std::fs::create_dir(&files.plain)?;
        std::fs::create_dir(&files.marked)?;
        let history = "CREATE TABLE history (version text, name text, at varchar(40) DEFAULT \
                       CURRENT_TIMESTAMP);\n";
        let (mut psql, mut sqlite3) = (history.to_owned(), history.to_owned());
        let mut mysql = history.replace("varchar(40)", "timestamp");
        for number in 1..=count {
            let table = format!("t{}", number.div_ceil(4));
            let sql = match number % 4 {
                1 => format!(
                    "CREATE TABLE {table} (id bigint PRIMARY KEY, name varchar(99) NOT NULL);\n"
                ),
                2 => format!("ALTER TABLE {table} ADD COLUMN note text;\n"),
                3 => format!("CREATE INDEX {table}_name ON {table} (name);\n"),
                _ => format!("INSERT INTO {table} (id, name) VALUES (1, 'one'), (2, 'two');\n"),
            };
            let name = format!("{number:06}_step.sql");
            let path = files.plain.join(&name);
            std::fs::write(&path, &sql)?;
            let marked = format!("-- migrate:up\n{sql}\n-- migrate:down\n");
            std::fs::write(files.marked.join(&name), marked)?;
            let path = path.display();
            let noted = format!("INSERT INTO history (version, name) VALUES ('{number}', 'step');");
            psql.push_str(&format!("BEGIN;\n\\i {path}\n{noted}\nCOMMIT;\n"));
            sqlite3.push_str(&format!("BEGIN;\n.read {path}\n{noted}\nCOMMIT;\n"));
            // Every statement commits by itself there.
            mysql.push_str(&format!("source {path}\n{noted}\n"));
        }
        std::fs::write(&files.psql, psql)?;
        std::fs::write(&files.sqlite3, sqlite3)?;
        std::fs::write(&files.mysql, mysql)?;
        Ok(files)
    }
}

/// Runs a command and returns how long it took from start to exit.
fn time(command: &mut Command) -> Result<Duration, Fail> {
    command.env("NO_COLOR", "1").stdout(Stdio::null()).stderr(Stdio::piped());
    let started = Instant::now();
    let output = command.output()?;
    let took = started.elapsed();
    if output.status.success() {
        return Ok(took);
    }
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{command:?} failed: {words}").into())
}

fn lockwise(files: &Files, url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockwise"));
    command.current_dir(&files.folder).args(["apply", "--yes", "--dir"]).arg(&files.plain);
    command.args(["--url", url]);
    command
}

/// Says whether a program is here.
fn is_here(program: &str) -> bool {
    let asked = Command::new(program).arg("--version").stdout(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

fn sqlx(files: &Files, url: &str) -> Command {
    let mut command = Command::new("sqlx");
    command.args(["migrate", "run", "--source"]).arg(&files.plain);
    command.args(["--database-url", url]);
    command
}

fn dbmate(files: &Files, url: &str) -> Command {
    let mut command = Command::new("dbmate");
    command.args(["--no-dump-schema", "--url", url, "--migrations-dir"]).arg(&files.marked);
    command.arg("migrate");
    command
}

/// The best times of each runner.
#[derive(Default)]
struct Times {
    shell: Option<Duration>,
    lockwise: Option<Duration>,
    nothing: Option<Duration>,
    connection: Option<Duration>,
    sqlx: Option<Duration>,
    dbmate: Option<Duration>,
}

fn best(slot: &mut Option<Duration>, took: Duration) {
    *slot = Some(slot.map_or(took, |best| best.min(took)));
}

impl Times {
    fn print(&self, server: &str, shell: &str) -> Result<(), Fail> {
        let base = self.shell.unwrap_or_default().as_secs_f64();
        let rows = [
            (shell, self.shell),
            ("lockwise apply", self.lockwise),
            ("sqlx migrate run", self.sqlx),
            ("dbmate migrate", self.dbmate),
        ];
        for (name, took) in rows {
            match took.map(|took| took.as_secs_f64()) {
                Some(took) => {
                    let ratio = took / base;
                    say(&format!("{server}: {name:<18} {took:8.2} s  {ratio:5.2} times {shell}"))?;
                }
                None => say(&format!("{server}: {name:<18} not installed"))?,
            }
        }
        let ms = |time: Option<Duration>| time.unwrap_or_default().as_secs_f64() * 1000.0;
        let (nothing, connection) = (ms(self.nothing), ms(self.connection));
        let beyond = nothing - connection;
        say(&format!(
            "{server}: nothing to do      {nothing:8.1} ms, {beyond:.1} ms beyond a connection"
        ))
    }
}

fn sqlite(files: &Files, times: usize) -> Result<(), Fail> {
    let mut found = Times::default();
    let path = files.folder.join("bench.db");
    let url = format!("sqlite:{}", path.display());
    let clean = || -> Result<(), Fail> {
        if path.exists() { Ok(std::fs::remove_file(&path)?) } else { Ok(()) }
    };
    for _ in 0..times {
        clean()?;
        let script = std::fs::File::open(&files.sqlite3)?;
        let mut shell = Command::new("sqlite3");
        best(&mut found.shell, time(shell.args(["-bail"]).arg(&path).stdin(script))?);
        clean()?;
        best(&mut found.lockwise, time(&mut lockwise(files, &url))?);
        best(&mut found.connection, connection(&url)?);
        best(&mut found.nothing, time(&mut lockwise(files, &url))?);
        if is_here("sqlx") {
            clean()?;
            std::fs::File::create(&path)?;
            best(&mut found.sqlx, time(&mut sqlx(files, &url))?);
        }
        if is_here("dbmate") {
            clean()?;
            best(&mut found.dbmate, time(&mut dbmate(files, &url))?);
        }
    }
    clean()?;
    found.print("SQLite", "sqlite3")
}

fn postgres(files: &Files, admin: &str, times: usize) -> Result<(), Fail> {
    let mut found = Times::default();
    let folder = std::env::var("LOCKWISE_TEST_POSTGRES_BIN").map(PathBuf::from);
    let psql = folder.map_or_else(|_| PathBuf::from("psql"), |folder| folder.join("psql"));
    let (base, _) = admin.rsplit_once('/').ok_or("the URL names no database")?;
    let url = format!("{base}/lockwise_bench");
    let fresh = || -> Result<(), Fail> {
        for sql in ["DROP DATABASE IF EXISTS lockwise_bench", "CREATE DATABASE lockwise_bench"] {
            time(Command::new(&psql).args(["-qX", "-d", admin, "-c", sql]))?;
        }
        Ok(())
    };
    for _ in 0..times {
        fresh()?;
        let mut shell = Command::new(&psql);
        shell.args(["-qX", "-v", "ON_ERROR_STOP=1", "-d", &url, "-f"]).arg(&files.psql);
        best(&mut found.shell, time(&mut shell)?);
        fresh()?;
        best(&mut found.lockwise, time(&mut lockwise(files, &url))?);
        best(&mut found.connection, connection(&url)?);
        best(&mut found.nothing, time(&mut lockwise(files, &url))?);
        if is_here("sqlx") {
            fresh()?;
            best(&mut found.sqlx, time(&mut sqlx(files, &url))?);
        }
        if is_here("dbmate") {
            fresh()?;
            best(&mut found.dbmate, time(&mut dbmate(files, &format!("{url}?sslmode=disable")))?);
        }
    }
    time(Command::new(&psql).args(["-qX", "-d", admin, "-c", "DROP DATABASE lockwise_bench"]))?;
    found.print("PostgreSQL", "psql")
}

/// MySQL and MariaDB, each with the client of MariaDB, which speaks to both.
fn mysql(files: &Files, admin: &str, times: usize, name: &str) -> Result<(), Fail> {
    let mut found = Times::default();
    let (_, address) = admin.split_once("://").ok_or("no URL")?;
    let (login, place) = address.split_once('@').ok_or("the URL names no login")?;
    let (user, password) = login.split_once(':').ok_or("the URL names no password")?;
    let (host, port) = place.split('/').next().and_then(|p| p.split_once(':')).ok_or("no port")?;
    let client = |database: &str| {
        let mut client = Command::new("mariadb");
        client.env("MYSQL_PWD", password).args(["--no-defaults", "--protocol=tcp", "-h", host]);
        client.args(["-P", port, "-u", user, database]);
        client
    };
    let (base, _) = admin.rsplit_once('/').ok_or("the URL names no database")?;
    let url = format!("{base}/lockwise_bench");
    let drop = "DROP DATABASE IF EXISTS lockwise_bench";
    let fresh = || -> Result<(), Fail> {
        time(client("mysql").args(["-e", &format!("{drop}; CREATE DATABASE lockwise_bench")]))?;
        Ok(())
    };
    for _ in 0..times {
        fresh()?;
        let script = std::fs::File::open(&files.mysql)?;
        best(&mut found.shell, time(client("lockwise_bench").stdin(script))?);
        fresh()?;
        best(&mut found.lockwise, time(lockwise(files, &url).args(["--shadow", admin]))?);
        best(&mut found.connection, connection(&url)?);
        best(&mut found.nothing, time(&mut lockwise(files, &url))?);
        if is_here("sqlx") {
            fresh()?;
            best(&mut found.sqlx, time(&mut sqlx(files, &url))?);
        }
        if is_here("dbmate") {
            fresh()?;
            let url = url.replacen("mariadb://", "mysql://", 1);
            best(&mut found.dbmate, time(&mut dbmate(files, &url))?);
        }
    }
    time(client("mysql").args(["-e", drop]))?;
    found.print(name, "mariadb")
}

/// Returns how long it takes to open a session and to end it.
fn connection(url: &str) -> Result<Duration, Fail> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let target = Target::parse(url, &Secrets::default())?;
    let started = Instant::now();
    runtime.block_on(async {
        let session = Connection::open(&target, &ConnectOptions::default()).await?;
        session.close().await
    })?;
    Ok(started.elapsed())
}
