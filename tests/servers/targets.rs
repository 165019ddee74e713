//! Many databases in one run: canaries first, a failure stops the rest, a second run goes on.

use crate::support::{Kind, Project};

/// Returns a project with a folder of migrations and the URLs of so many SQLite files.
fn tenants(count: usize, settings: &str) -> (Project, Vec<String>) {
    let project = Project::new(Kind::Sqlite);
    let urls: Vec<String> = (1..=count).map(|n| format!("sqlite:tenant_{n}.db")).collect();
    let list = urls.iter().map(|url| format!("\"{url}\"")).collect::<Vec<_>>().join(", ");
    project.config(&format!("[targets]\ndatabases = [{list}]\n{settings}\n"));
    project.write("0001_orders.sql", "CREATE TABLE orders (id integer PRIMARY KEY, n int);\n");
    (project, urls)
}

fn count(project: &Project, url: &str) -> String {
    let answer = project.run(&["status", "--url", url]);
    answer.stdout.lines().rfind(|line| line.contains("pending")).unwrap().to_owned()
}

#[test]
fn every_target_gets_the_migrations() {
    let (project, urls) = tenants(5, "canary = 2\nconcurrency = 2");
    let answer = project.expect(0, &["apply", "--targets", "--yes"]);
    answer.says("5 databases; the plan of the first").says("CREATE TABLE orders");
    answer.says("tenant_5.db: applied: 0001").says("5 databases: 5 done, 0 failed, 0 not begun");
    for url in &urls {
        assert!(count(&project, url).contains("1 applied, 0 pending"), "{url}");
    }
    project.expect(0, &["apply", "--targets", "--yes"]).says("tenant_1.db: nothing to do");
    project.expect(0, &["status", "--targets"]).says("5 done").says("1 applied, 0 pending");
}

#[test]
fn a_canary_that_fails_keeps_the_others_as_they_are() {
    let (project, urls) = tenants(4, "canary = 1");
    project.expect(0, &["apply", "--targets", "--yes"]);
    project.write("0002_unique.sql", "CREATE UNIQUE INDEX orders_n ON orders (n);\n");
    let canary = two_alike(&project, &urls[0]);
    assert!(canary, "two rows with one value");
    let answer = project.expect(3, &["apply", "--targets", "--yes"]);
    answer.says("tenant_1.db: NOT FINISHED").says("UNIQUE").says("1 failed, 3 not begun");
    answer.says("not begun: sqlite:tenant_2.db");
    assert!(count(&project, &urls[1]).contains("1 applied, 1 pending"));
    project.config(&format!(
        "[targets]\ndatabases = [\"{}\", \"{}\"]\non_failure = \"continue\"\n",
        urls[0], urls[1]
    ));
    let answer = project.expect(3, &["apply", "--targets", "--yes"]);
    answer.says("1 done, 1 failed, 0 not begun");
}

/// Writes two rows with one value.
fn two_alike(project: &Project, url: &str) -> bool {
    let file = project.path().join(url.trim_start_matches("sqlite:"));
    let status = std::process::Command::new("sqlite3")
        .arg(file)
        .arg("INSERT INTO orders (n) VALUES (1), (1)")
        .status();
    status.is_ok_and(|status| status.success())
}

#[test]
fn targets_are_found_by_a_query_and_named_by_their_database() {
    let project = Project::new(Kind::Postgres);
    let others = [Project::new(Kind::Postgres), Project::new(Kind::Postgres)];
    let names = others.each_ref().map(|other| other.url.rsplit('/').next().unwrap().to_owned());
    project.write("0001_a.sql", "CREATE TABLE a (id int);\n");
    project.config(&format!(
        "url = \"{}\"\n[targets]\nquery = \"SELECT datname FROM pg_database WHERE datname IN \
         ('{}', '{}') ORDER BY datname\"\n",
        project.url, names[0], names[1]
    ));
    let answer = project.expect(0, &["apply", "--targets", "--yes"]);
    answer.says("2 databases: 2 done").never_says(&password(&project.url));
    for other in &others {
        assert_eq!(other.query("SELECT count(*) FROM a"), ["0"]);
    }
}

fn password(url: &str) -> String {
    let login = url.split_once("://").unwrap().1.split_once('@').unwrap().0;
    login.split_once(':').map_or("no password at all", |(_, password)| password).to_owned()
}

#[test]
fn what_is_wrong_with_targets_is_said() {
    let project = Project::new(Kind::Sqlite);
    project.write("0001_a.sql", "CREATE TABLE a (id int);\n");
    project.expect(2, &["apply", "--targets", "--yes"]).says("has no [targets]");
    project.config("[targets]\ncanary = 1\n");
    project.expect(2, &["apply", "--targets", "--yes"]).says("names no database");
    project.config("[targets]\ndatabase = [\"x\"]\n");
    project.expect(2, &["apply", "--targets", "--yes"]).says("databases");
    project.config("[targets]\ndatabases = [\"sqlite:x.db\"]\non_failure = \"stopp\"\n");
    project.expect(2, &["apply", "--targets", "--yes"]).says("stop");
}
