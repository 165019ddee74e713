//! What a plan says about many statements, on databases with objects of every kind.

use std::collections::BTreeSet;

use lockwise::db::{Secrets, Target};

use crate::support::{ALL, Kind, Project, admin_url, block_on, mysql};
use crate::ways_back::{check, pieces};

/// Fills a database and plans every case on it, with a login that may only read.
fn review(kind: Kind, given: &[&str], cases: &str) {
    let project = Project::new(kind);
    let statements: Vec<&str> = given.iter().flat_map(|file| pieces(file)).collect();
    project.execute(&statements);
    let secrets = Secrets::default();
    let admin = (kind != Kind::Sqlite).then(|| Target::parse(&admin_url(kind), &secrets).unwrap());
    reading(&project, |url| {
        let target = Target::parse(url, &secrets).unwrap();
        block_on(check(&target, admin.clone(), cases));
    });
}

/// Gives a login that may only read to the database of a project, for as long as `look` takes.
fn reading<T>(project: &Project, look: impl FnOnce(&str) -> T) -> T {
    if project.kind == Kind::Sqlite {
        let file = project.path().join("shop.db");
        let before = std::fs::metadata(&file).unwrap().permissions();
        let mut permissions = before.clone();
        permissions.set_readonly(true);
        std::fs::set_permissions(&file, permissions).unwrap();
        let seen = look(&project.url);
        std::fs::set_permissions(&file, before).unwrap();
        return seen;
    }
    let login = format!("lockwise_reader_{:08x}", fastrand::u32(..));
    let database = project.url.rsplit('/').next().unwrap();
    let statements = reader(project.kind, &login, database);
    let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
    project.execute(&statements);
    let seen = look(&login_as(&project.url, &login));
    let drop = if project.kind == Kind::Postgres { "ROLE" } else { "USER" };
    project.execute(&[&format!("DROP {drop} {login}")]);
    seen
}

#[test]
fn postgres_ways_back_restore_or_name_what_is_lost() {
    let other = include_str!("../db/schema_postgres.sql");
    let older = pieces(other).filter(|sql| !sql.starts_with("-- since 18"));
    let older: Vec<&str> = older.collect();
    let older = older.join("\n;;\n");
    let given = include_str!("../../testdata/plan/postgres/given.sql");
    let definitions = include_str!("../db/schema_definitions.sql");
    review(
        Kind::Postgres,
        &[&older, definitions, given],
        include_str!("../../testdata/plan/postgres/cases.sql"),
    );
}

#[test]
fn mariadb_ways_back_restore_or_name_what_is_lost() {
    let other = include_str!("../db/schema_mariadb.sql");
    let given = include_str!("../../testdata/plan/mariadb/given.sql");
    let warehouse = include_str!("../../testdata/plan/mariadb/warehouse.sql");
    review(
        Kind::Mariadb,
        &[other, given, warehouse],
        include_str!("../../testdata/plan/mariadb/cases.sql"),
    );
}

/// MySQL is taken through the cases of MariaDB, as far as it knows the words, and some of its own.
#[test]
fn mysql_ways_back_restore_or_name_what_is_lost() {
    let Some(kind) = mysql() else { return };
    let other = include_str!("../mysql/schema.sql");
    let given = include_str!("../../testdata/plan/mariadb/given.sql");
    let warehouse = include_str!("../../testdata/plan/mariadb/warehouse.sql");
    review(kind, &[other, given, warehouse], include_str!("../../testdata/plan/mariadb/cases.sql"));
}

#[test]
fn sqlite_ways_back_restore_or_name_what_is_lost() {
    let given = include_str!("../../testdata/plan/sqlite/given.sql");
    let warehouse = include_str!("../../testdata/plan/sqlite/warehouse.sql");
    review(Kind::Sqlite, &[given, warehouse], include_str!("../../testdata/plan/sqlite/cases.sql"));
}

/// What a login needs to plan: nothing that writes.
fn reader(kind: Kind, login: &str, database: &str) -> Vec<String> {
    let grants: &[&str] = match kind {
        Kind::Sqlite => &[],
        Kind::Postgres => &[
            "CREATE ROLE {login} LOGIN PASSWORD 'readonly'",
            "GRANT pg_read_all_data, pg_monitor TO {login}",
        ],
        Kind::Mariadb => &[
            "CREATE USER {login}@'%' IDENTIFIED BY 'readonly'",
            "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON {database}.* TO {login}@'%'",
            "GRANT SELECT ON mysql.proc TO {login}@'%'",
            "GRANT PROCESS ON *.* TO {login}@'%'",
        ],
        Kind::Mysql => &[
            "CREATE USER {login}@'%' IDENTIFIED BY 'readonly'",
            "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON {database}.* TO {login}@'%'",
            "GRANT SHOW_ROUTINE, PROCESS ON *.* TO {login}@'%'",
            "GRANT SELECT ON performance_schema.* TO {login}@'%'",
        ],
    };
    let fill = |sql: &&str| sql.replace("{login}", login).replace("{database}", database);
    grants.iter().map(fill).collect()
}

/// Puts another login into a URL.
fn login_as(url: &str, login: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, address) = rest.rsplit_once('@').unwrap();
    format!("{scheme}://{login}:readonly@{address}")
}

/// A migration of many families, on a database with objects of every kind.
fn many_families(project: &Project) {
    let (given, migration) = match project.kind {
        Kind::Sqlite => (
            vec![include_str!("../../testdata/plan/sqlite/given.sql")],
            "CREATE TABLE more (id integer PRIMARY KEY, note text);\n\
             ALTER TABLE customers ADD COLUMN phone text;\n\
             CREATE INDEX more_note ON more (note);\n\
             CREATE VIEW mores AS SELECT * FROM more;\n",
        ),
        Kind::Postgres => (
            vec![
                include_str!("../db/schema_definitions.sql"),
                include_str!("../../testdata/plan/postgres/given.sql"),
            ],
            "CREATE TYPE humour AS ENUM ('good');\n\
             ALTER TABLE accounts ADD COLUMN phone text, DROP COLUMN fax;\n\
             CREATE INDEX lines_what ON lines (what);\n\
             CREATE FUNCTION fortune() RETURNS int LANGUAGE sql AS 'SELECT 1';\n\
             CREATE FOREIGN TABLE far (id int) SERVER other;\n\
             CREATE VIEW fars AS SELECT * FROM far;\n",
        ),
        Kind::Mariadb | Kind::Mysql => (
            vec![include_str!("../../testdata/plan/mariadb/given.sql")],
            "ALTER TABLE accounts ADD COLUMN phone varchar(20);\n\
             CREATE TABLE more (id bigint PRIMARY KEY, note varchar(20));\n\
             CREATE VIEW mores AS SELECT * FROM more;\n",
        ),
    };
    let statements: Vec<&str> = given.into_iter().flat_map(pieces).collect();
    project.execute(&statements);
    project.write("0001_many.sql", migration);
}

#[test]
fn a_login_that_may_only_read_sees_all_that_a_plan_is_made_of() {
    for kind in ALL {
        let project = Project::new(kind);
        many_families(&project);
        let before = project.schema();
        let plan = |arguments: &[&str]| {
            let arguments = [&["plan", "--format", "json"], arguments].concat();
            let answer = project.expect(0, &arguments);
            serde_json::from_str::<serde_json::Value>(&answer.stdout).unwrap()
        };
        let wanted = plan(&[]);
        let found = reading(&project, |url| plan(&["--url", url]));
        assert_eq!(found["base"], wanted["base"], "{kind:?}");
        assert_eq!(found["digest"], wanted["digest"], "{kind:?}");
        assert_eq!(found["migrations"][0]["diff"], wanted["migrations"][0]["diff"], "{kind:?}");
        let proof = &found["migrations"][0]["rollback"]["proof"]["result"];
        assert!(["restores", "column-order"].iter().any(|known| proof == known), "{proof}");
        let preflight = found["preflight"].as_array().unwrap();
        let blind = |check: &&serde_json::Value| {
            let detail = check["detail"].as_str().unwrap_or_default();
            detail.contains("cannot be seen") || detail.contains("may not see")
        };
        assert_eq!(preflight.iter().find(blind), None, "{kind:?}");
        assert_eq!(project.schema(), before, "{kind:?}");
        // What was shown is what comes out.
        project.expect(0, &["apply", "--yes"]);
        let diff = wanted["diff"].as_str().unwrap();
        let shown = |sign: char, header: &str| -> BTreeSet<String> {
            let lines = diff.lines().filter(|line| !line.starts_with(header));
            lines.filter_map(|line| line.strip_prefix(sign)).map(str::to_owned).collect()
        };
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
        let (before, after) = (lines(&before), lines(&project.schema()));
        let gone: BTreeSet<_> = before.difference(&after).cloned().collect();
        let new: BTreeSet<_> = after.difference(&before).cloned().collect();
        assert!(!new.is_empty(), "{kind:?}");
        assert_eq!(gone, &shown('-', "---") - &after, "{kind:?}");
        assert_eq!(new, &shown('+', "+++") - &before, "{kind:?}");
    }
}

#[test]
fn a_login_that_may_not_see_triggers_is_told_so() {
    let project = Project::new(Kind::Mariadb);
    many_families(&project);
    let login = format!("lockwise_blind_{:08x}", fastrand::u32(..));
    let database = project.url.rsplit('/').next().unwrap();
    project.execute(&[
        &format!("CREATE USER {login}@'%' IDENTIFIED BY 'readonly'"),
        &format!("GRANT SELECT, SHOW VIEW, EVENT ON {database}.* TO {login}@'%'"),
    ]);
    let answer = project.run(&["plan", "--url", &login_as(&project.url, &login)]);
    project.execute(&[&format!("DROP USER {login}")]);
    answer.says("the login may not see triggers: it lacks TRIGGER");
    answer.says("the login may not see routines: it lacks SELECT on mysql.proc");
}

#[test]
fn the_shadow_has_the_settings_of_the_target() {
    let project = Project::new(Kind::Postgres);
    let database = project.url.rsplit('/').next().unwrap();
    project.execute(&[
        "CREATE SCHEMA app",
        "CREATE TABLE app.t (at timestamptz)",
        &format!("ALTER DATABASE {database} SET timezone = 'Asia/Kolkata'"),
        &format!("ALTER DATABASE {database} SET search_path = app, public"),
    ]);
    project.write("0001_zone.sql", "ALTER TABLE t ALTER COLUMN at TYPE timestamp;\n");
    let answer = project.expect(0, &["plan", "--format", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    let migration = &plan["migrations"][0];
    // The name is found in the schema of the target's path. Sessions of a run are in UTC, where the
    // stored values stay as they are (PostgreSQL, ALTER TABLE, Notes).
    assert_eq!(migration["surprises"], serde_json::json!([]));
    let step = &migration["groups"][0]["steps"][0];
    assert_eq!(step["locks"][0]["relation"], "app.t");
    assert_eq!(step["rewrites"], serde_json::json!([]));
}
