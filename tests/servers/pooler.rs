//! F05: a pooler that lends sessions to others is found out, refused, or worked with as asked.
//!
//! These tests start the pgbouncer of this machine between lockwise and the test server; where
//! there is none they say so and test nothing (`tests/run` installs it where it can).

use std::process::{Child, Command, Stdio};

use crate::support::{Answer, Kind, Project, admin_url, with_database};

/// A pgbouncer in front of the test server, gone at the end.
struct Pooler {
    process: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> Option<&'static str> {
    ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"]
        .into_iter()
        .find(|path| std::path::Path::new(path).exists())
}

/// Starts a pooler with settings of its own.
fn pooler(project: &Project, settings: &str) -> Pooler {
    let program = program().unwrap_or_else(|| panic!("no pgbouncer: install it, or run tests/run"));
    let admin = admin_url(Kind::Postgres);
    let rest = admin.strip_prefix("postgres://").unwrap();
    let (login, address) = rest.split_once('@').unwrap();
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let (host, port) = address.split('/').next().unwrap().split_once(':').unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pgbouncer.ini");
    std::fs::write(
        &file,
        format!(
            "[databases]\n* = host={host} port={port} user={user} password={password}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {free}\nauth_type = any\n\
             unix_socket_dir =\npool_mode = transaction\nmax_client_conn = 100\n\
             default_pool_size = 10\n{settings}\n"
        ),
    )
    .unwrap();
    let mut command = Command::new(program);
    if is_root() {
        // It refuses to run as root.
        open_to_all(folder.path(), &file);
        command.args(["-u", "nobody"]);
    }
    let process = command.arg("-q").arg(&file).stderr(Stdio::null()).spawn().unwrap();
    let database = project.url.rsplit('/').next().unwrap();
    let pooled = format!("postgres://{user}@127.0.0.1:{free}/postgres");
    let mut pooler = Pooler { process, url: with_database(&pooled, database), _folder: folder };
    let started = std::time::Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", free)).is_err() {
        let gone = pooler.process.try_wait().unwrap();
        assert!(gone.is_none() && started.elapsed().as_secs() < 30, "pgbouncer: {gone:?}");
        std::thread::yield_now();
    }
    pooler
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.starts_with(b"0")
}

#[cfg(unix)]
fn open_to_all(folder: &std::path::Path, file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).unwrap();
}

#[cfg(not(unix))]
fn open_to_all(_folder: &std::path::Path, _file: &std::path::Path) {}

/// Runs a command through the pooler.
fn through(project: &Project, pooler: &Pooler, arguments: &[&str]) -> Answer {
    let mut all = arguments.to_vec();
    all.extend(["--url", &pooler.url]);
    project.run(&all)
}

#[test]
fn f05_a_pooler_is_refused_with_advice_and_left_as_it_was() {
    for settings in ["", "ignore_startup_parameters = options", "default_pool_size = 1"] {
        let project = Project::new(Kind::Postgres);
        let pooler = pooler(&project, settings);
        project.write("0001_a.sql", "CREATE TABLE a (id int);\n");
        let answer = through(&project, &pooler, &["apply", "--yes"]);
        assert_eq!(answer.code, Some(1), "{settings}: {}", answer.all());
        answer.says("a pooler lends the session to others").says("--pooled");
        assert_eq!(project.query("SELECT count(*) FROM pg_tables WHERE tablename = 'a'"), ["0"]);
        // The session of the pooler is still fit for the application: it takes writes.
        through(&project, &pooler, &["status"]).says("1 pending");
        project.execute(&["CREATE TABLE application (id int)"]);
        let mut writer = Command::new("psql");
        writer.args(["-qAtX", &pooler.url, "-c", "INSERT INTO application VALUES (1)"]);
        if let Ok(output) = writer.output() {
            assert!(output.status.success(), "{settings}: {output:?}");
        }
    }
}

#[test]
fn f05_a_session_pool_is_as_good_as_the_server_itself() {
    let project = Project::new(Kind::Postgres);
    let pooler = pooler(&project, "pool_mode = session");
    project.write("0001_a.sql", "CREATE TABLE a (id int);\n");
    project.write("0002_b.sql", "CREATE INDEX CONCURRENTLY a_id ON a (id);\n");
    let answer = through(&project, &pooler, &["apply", "--yes"]);
    assert_eq!(answer.code, Some(0), "{}", answer.all());
    answer.says("applied: 0001, 0002");
}

#[test]
fn f05_transactions_run_through_a_pooler_as_asked() {
    let project = Project::new(Kind::Postgres);
    let pooler = pooler(&project, "");
    project.write("0001_a.sql", "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\n");
    project.write("0002_b.sql", "SET LOCAL work_mem = '8MB';\nALTER TABLE a ADD COLUMN b int;\n");
    project
        .write("0003_c.sql", "CREATE TABLE c AS SELECT current_setting('synchronous_commit') s;\n");
    let answer = through(&project, &pooler, &["apply", "--pooled", "--yes"]);
    assert_eq!(answer.code, Some(0), "{}", answer.all());
    answer.says("applied: 0001, 0002, 0003");
    assert_eq!(project.query("SELECT count(*), sum(id) FROM a"), ["1|1"]);
    let off = "SELECT setting FROM pg_settings WHERE name = 'synchronous_commit'";
    assert_eq!(project.query(off), ["off"], "as tests/run starts the server");
    assert_eq!(project.query("SELECT s FROM c"), ["on"], "what is committed is kept");
    project.expect(0, &["verify"]);
    let back = through(&project, &pooler, &["rollback", "--steps", "2", "--pooled", "--yes"]);
    assert_eq!(back.code, Some(0), "{}", back.all());
    std::fs::remove_file(project.migration("0003_c.sql")).unwrap();
    project.write("0002_b.sql", "CREATE INDEX CONCURRENTLY a_id ON a (id);\n");
    let refused = through(&project, &pooler, &["apply", "--pooled", "--yes"]);
    assert_eq!(refused.code, Some(1), "{}", refused.all());
    refused.says("runs outside of a transaction, which --pooled does not");
    project.write("0002_b.sql", "SET work_mem = '8MB';\n");
    through(&project, &pooler, &["apply", "--pooled", "--yes"]).says("write SET LOCAL");
}

#[test]
fn f05_runs_through_a_pooler_exclude_each_other_and_direct_ones() {
    let project = Project::new(Kind::Postgres);
    let pooler = pooler(&project, "");
    project.write("0001_a.sql", "CREATE TABLE a (id int);\n");
    project.write("0002_b.sql", "INSERT INTO a VALUES (1);\nSELECT pg_sleep(0.2);\n");
    project.write("0003_c.sql", "INSERT INTO a VALUES (2);\n");
    let mut children = Vec::new();
    for _ in 0..4 {
        children.push(project.start(&["apply", "--pooled", "--yes", "--url", &pooler.url]));
    }
    children.push(project.start(&["apply", "--yes"]));
    let answers: Vec<Answer> =
        children.into_iter().map(|child| Answer::of(&child.wait_with_output().unwrap())).collect();
    assert_eq!(project.query("SELECT id, count(*) FROM a GROUP BY id ORDER BY id"), ["1|1", "2|1"]);
    for answer in &answers {
        let fine = answer.code == Some(0) || answer.stderr.contains("another run was faster");
        assert!(fine, "{}", answer.all());
    }
    project.expect(0, &["status"]).says("3 applied, 0 pending");
}
