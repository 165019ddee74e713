//! Large tables are left to a tool for online schema changes: pt-online-schema-change, and programs
//! that behave as no tool should.

use std::process::Command;

use crate::support::{Answer, Kind, Project, signal};

const TOOL: &str = r#"["pt-online-schema-change", "--max-load", "Threads_running=500"]"#;

/// What a script does that behaves.
const PERCONA: &str = "exec pt-online-schema-change --no-version-check --alter \"$4\" --execute \
                       \"F=$1,D=$2,t=$3\"";

/// A database with a large and a small table, and a migration that copies both.
fn project(command: &str) -> Project {
    let project = Project::new(Kind::Mariadb);
    project.config(&format!("[runner.online_tool]\ncommand = {command}\nover = \"256KB\"\n"));
    project.write(
        "0001_tables.sql",
        "CREATE TABLE orders (id int PRIMARY KEY, total int, note varchar(200));
         CREATE TABLE states (id int PRIMARY KEY, total int);",
    );
    project.expect(0, &["apply", "--yes"]);
    project.execute(&[
        "INSERT INTO orders SELECT seq, seq, repeat('x', 200) FROM seq_1_to_5000",
        "ANALYZE TABLE orders",
    ]);
    project.write(
        "0002_totals.sql",
        "ALTER TABLE orders MODIFY total bigint;\nALTER TABLE states MODIFY total bigint;",
    );
    project
}

/// A project whose tool is a script.
fn scripted(text: &str) -> Project {
    let command = r#"["sh", "tool.sh", "{login}", "{database}", "{table}", "{alter}"]"#;
    let project = project(command);
    script(&project, text);
    project
}

fn script(project: &Project, text: &str) {
    std::fs::write(project.path().join("tool.sh"), text).unwrap();
}

fn types(project: &Project) -> Vec<String> {
    project.query(
        "SELECT table_name, column_type FROM information_schema.columns \
         WHERE table_schema = database() AND column_name = 'total' ORDER BY 1",
    )
}

/// Says whether a program with this word in its command runs.
fn runs(word: &str) -> bool {
    let found = Command::new("pgrep").args(["-f", "--", word]).output().unwrap();
    found.status.success()
}

/// Waits until no program with this word in its command runs.
#[track_caller]
fn ends(word: &str) {
    let started = std::time::Instant::now();
    while runs(word) {
        assert!(started.elapsed().as_secs() < 60, "{word} goes on");
        std::thread::yield_now();
    }
}

#[test]
fn a_large_table_is_left_to_the_tool_up_and_down() {
    let project = project(TOOL);
    let plan = project.run(&["plan"]);
    plan.says("handed over: pt-online-schema-change --max-load Threads_running=500");
    plan.says("lock_wait_timeout=2 --alter 'MODIFY total bigint' --execute");
    plan.says(",t=orders").never_says(",t=states");
    plan.says("rewrites states").never_says("rewrites orders");
    plan.never_says("otherwise than predicted");
    project.run(&["plan", "--format", "html"]).says("handed over: pt-online-schema-change");

    // The application writes meanwhile.
    let mut writer = project.session();
    let mut apply = project.start(&["apply", "--yes"]);
    let mut written = 0;
    while apply.try_wait().unwrap().is_none() {
        written += 1;
        let id = 100_000 + written;
        writer.execute(&format!("INSERT INTO orders VALUES ({id}, 1, 'while it runs')"));
    }
    let applied = Answer::of(&apply.wait_with_output().unwrap());
    assert_eq!(applied.code, Some(0), "{}", applied.all());
    applied.says("Successfully altered");
    assert!(written > 0);
    assert_eq!(types(&project), ["orders|bigint(20)", "states|bigint(20)"]);
    let rows = project.query("SELECT count(*) FROM orders");
    assert_eq!(rows, [(5000 + written).to_string()]);
    let left = "SELECT table_name FROM information_schema.tables \
                WHERE table_schema = database() AND table_name LIKE '\\_%'";
    assert!(project.query(left).is_empty());
    project.expect(0, &["verify"]);

    let back = project.expect(0, &["rollback", "--steps", "1", "--yes"]);
    back.says("Successfully altered");
    assert_eq!(types(&project), ["orders|int(11)", "states|int(11)"]);
}

#[test]
fn tables_that_the_tool_cannot_copy_stay_with_the_server() {
    let project = project(TOOL);
    project.write("0002_totals.sql", "ALTER TABLE orders ADD UNIQUE KEY (total);");
    project.run(&["plan"]).never_says("handed over");
    project.execute(&[
        "CREATE TABLE items (id int PRIMARY KEY, order_id int, FOREIGN KEY (order_id) REFERENCES orders (id))",
    ]);
    project.write("0002_totals.sql", "ALTER TABLE orders MODIFY total bigint;");
    project.run(&["plan"]).never_says("handed over");
}

#[test]
fn what_the_tool_did_is_looked_up() {
    let lies = project(r#"["true", "{alter}"]"#);
    let stopped = lies.expect(3, &["apply", "--yes"]);
    stopped.says("its effect is not the one that was planned");
    assert_eq!(types(&lies), ["orders|int(11)", "states|int(11)"]);

    // A plan that was begun goes on with its own command, whatever the configuration says now.
    let fails = scripted("echo no room for it; exit 7");
    fails.expect(3, &["apply", "--yes"]).says("the tool ended with 7: no room for it");
    script(&fails, PERCONA);
    fails.expect(0, &["apply", "--yes"]).says("Successfully altered");
    assert_eq!(types(&fails), ["orders|bigint(20)", "states|bigint(20)"]);

    let absent = project(r#"["no-such-tool", "{alter}"]"#);
    absent.expect(3, &["apply", "--yes"]).says("no-such-tool");
}

#[test]
fn the_tool_ends_with_lockwise() {
    // The number tells it from other programs of this machine.
    let seconds = format!("600.{:09}", fastrand::u32(1..1_000_000_000));
    for name in ["INT", "KILL"] {
        let project = scripted(&format!("echo under way; sleep {seconds}; exit 1"));
        let mut apply = project.start(&["apply", "--yes"]);
        while !runs(&seconds) {
            assert!(apply.try_wait().unwrap().is_none(), "it ended without the tool");
            std::thread::yield_now();
        }
        let answer = signal(apply, name);
        ends(&seconds);
        if name == "INT" {
            assert_eq!(answer.code, Some(3), "{}", answer.all());
        }
        script(&project, PERCONA);
        project.expect(0, &["apply", "--yes"]);
        assert_eq!(types(&project), ["orders|bigint(20)", "states|bigint(20)"]);
    }
}

#[test]
fn the_login_of_the_tool_is_nowhere_to_be_seen() {
    let project = scripted("ps -ef; head -1 $1; ls -l $1; exit 1");
    project.run(&["plan", "--format", "json"]).says("{login}");
    let user = format!("tool_{:08x}", fastrand::u32(..));
    project.execute(&[
        &format!("CREATE USER {user}@'%' IDENTIFIED BY 'topsecret-pw'"),
        &format!("GRANT ALL ON *.* TO {user}@'%'"),
    ]);
    let (_, rest) = project.url.split_once('@').unwrap();
    let url = format!("mariadb://{user}:topsecret-pw@{rest}");
    let answer = project.run(&["apply", "--yes", "--url", &url]);
    project.execute(&[&format!("DROP USER {user}@'%'")]);
    answer.says("[client]").says("-rw-------");
    let shown = answer.all().replace(&url, "");
    assert!(!shown.contains("topsecret-pw"), "{shown}");
}
