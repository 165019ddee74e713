//! Data changes in batches: each row exactly once, whenever the run ends.

use crate::support::{ALL, Answer, Kind, Project, mysql};

/// Makes a table with so many rows, of which `n` counts how often a row was changed.
pub(crate) fn counters(project: &Project, rows: u32) {
    project.write(
        "0001_counters.sql",
        "CREATE TABLE counters (id bigint NOT NULL PRIMARY KEY, n int NOT NULL);\n",
    );
    project.expect(0, &["apply", "--yes"]);
    let numbers = match project.kind {
        Kind::Postgres => format!("SELECT i, 0 FROM generate_series(1, {rows}) i"),
        Kind::Mariadb | Kind::Mysql | Kind::Sqlite => format!(
            "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {rows}) \
             SELECT i, 0 FROM c"
        ),
    };
    let deeper = match project.kind {
        Kind::Mariadb => vec!["SET SESSION max_recursive_iterations = 1000000".to_owned()],
        Kind::Mysql => vec!["SET SESSION cte_max_recursion_depth = 1000000".to_owned()],
        Kind::Postgres | Kind::Sqlite => vec![],
    };
    let insert = format!("INSERT INTO counters {numbers}");
    let statements: Vec<&str> =
        deeper.iter().map(String::as_str).chain([insert.as_str()]).collect();
    project.execute(&statements);
}

const STATE: &str = "SELECT min(n), max(n), count(*) FROM counters";

/// Runs a back-fill with a crash at each action in turn.
#[track_caller]
fn crash_in_every_batch(kind: Kind) {
    let mut crashes = 0;
    for action in 1.. {
        let project = Project::new(kind);
        counters(&project, 5);
        project.write(
            "0002_fill.sql",
            "-- lockwise: batch key=id size=2 pause=0ms\nUPDATE counters SET n = n + 1;\n",
        );
        let mut command = project.command(&["apply", "--yes"]);
        command.env("LOCKWISE_CRASH_AT", action.to_string());
        let first = Answer::of(&command.output().unwrap());
        if first.code == Some(0) {
            break;
        }
        assert_eq!(first.code, None, "{kind:?}, action {action}: {}", first.all());
        crashes += 1;
        project.expect(0, &["apply", "--yes"]);
        assert_eq!(project.query(STATE), ["1|1|5"], "{kind:?}, crash at action {action}");
        project.expect(0, &["apply", "--yes"]).says("nothing to do");
    }
    assert!(crashes > 12, "{kind:?}: only {crashes} actions");
}

#[test]
fn a_back_fill_survives_a_crash_at_every_action_on_sqlite() {
    crash_in_every_batch(Kind::Sqlite);
}

#[test]
fn a_back_fill_survives_a_crash_at_every_action_on_postgres() {
    crash_in_every_batch(Kind::Postgres);
}

#[test]
fn a_back_fill_survives_a_crash_at_every_action_on_mariadb() {
    crash_in_every_batch(Kind::Mariadb);
}

#[test]
fn a_back_fill_survives_a_crash_at_every_action_on_mysql() {
    if let Some(kind) = mysql() {
        crash_in_every_batch(kind);
    }
}

/// Kills the run in the middle with SIGKILL and runs it again.
#[track_caller]
fn kill_and_resume(kind: Kind) {
    let project = Project::new(kind);
    counters(&project, 4_000);
    project.write(
        "0002_fill.sql",
        "-- lockwise: batch key=id size=50 pause=20ms\nUPDATE counters SET n = n + 1;\n",
    );
    for batches in [5, 20] {
        let mut child = project.start(&["apply", "--yes"]);
        project.wait_for(&format!(
            "SELECT 1 FROM lockwise_journal WHERE event = 'progress' GROUP BY event \
             HAVING count(*) >= {batches}"
        ));
        child.kill().unwrap();
        child.wait().unwrap();
        let [state] = project.query(STATE).try_into().unwrap();
        assert_eq!(state, "0|1|4000", "{kind:?}: in the middle");
    }
    let answer = project.expect(0, &["apply", "--yes"]);
    answer.says("applied: 0002").says("rows/s");
    assert_eq!(project.query(STATE), ["1|1|4000"], "{kind:?}");
    let [detail] = project
        .query("SELECT detail FROM lockwise_journal WHERE event = 'applied' AND version = '0002'")
        .try_into()
        .unwrap();
    assert!(detail.contains("\"rows\":4000,\"batches\":80"), "{kind:?}: {detail:?}");
}

#[test]
fn a_killed_back_fill_goes_on_where_it_stopped() {
    for kind in ALL {
        kill_and_resume(kind);
    }
}

#[test]
fn a_back_fill_of_every_form_reaches_every_row() {
    for kind in ALL {
        let project = Project::new(kind);
        counters(&project, 25);
        let text = if kind.is_mysql_family() { "varchar(20)" } else { "text" };
        project.write(
            "0002_copies.sql",
            format!(
                "CREATE TABLE names (name {text} NOT NULL PRIMARY KEY, size int);\n\
                 -- lockwise: batch key=id size=4 pause=0ms\n\
                 INSERT INTO names (name, size) SELECT {}, c.n FROM counters c WHERE c.id > 3;\n\
                 -- lockwise: batch key=name size=5 pause=0ms adapt=1ms\n\
                 UPDATE names SET size = 7 WHERE size = 0 OR size = 1;\n\
                 -- lockwise: batch key=id size=3 pause=0ms\n\
                 DELETE FROM counters WHERE id > 3;\n",
                match kind {
                    Kind::Mariadb | Kind::Mysql => "concat('it''s ', c.id)",
                    Kind::Sqlite | Kind::Postgres => "'it''s ' || c.id",
                }
            ),
        );
        project.expect(0, &["plan"]).says("in batches of 4 rows of counters by id");
        project.expect(0, &["apply", "--yes"]);
        let names = "SELECT count(*), min(size), max(size) FROM names";
        assert_eq!(project.query(names), ["22|7|7"], "{kind:?}");
        assert_eq!(project.query("SELECT count(*) FROM counters"), ["3"], "{kind:?}");
    }
}

#[test]
fn a_batch_that_meets_a_lock_waits_its_turn() {
    for kind in [Kind::Postgres, Kind::Mariadb] {
        let project = Project::new(kind);
        counters(&project, 10);
        project.write(
            "0002_fill.sql",
            "-- lockwise: batch key=id size=4 pause=0ms max_lock=1s\n\
             UPDATE counters SET n = n + 1;\n",
        );
        let mut holder = project.session();
        holder.execute(if kind == Kind::Postgres { "BEGIN" } else { "START TRANSACTION" });
        holder.execute("UPDATE counters SET n = n WHERE id = 6");
        let child = project.start(&["apply", "--yes"]);
        project.wait_for("SELECT 1 FROM lockwise_journal WHERE event = 'failed'");
        holder.execute("COMMIT");
        let answer = Answer::of(&child.wait_with_output().unwrap());
        assert_eq!(answer.code, Some(0), "{kind:?} {}", answer.all());
        assert_eq!(project.query(STATE), ["1|1|10"], "{kind:?}");
    }
}

#[test]
fn a_batch_that_cannot_be_is_refused_before_anything_runs() {
    let project = Project::new(Kind::Sqlite);
    project.write("0001_a.sql", "CREATE TABLE a (id integer PRIMARY KEY, n int);\n");
    project.expect(0, &["apply", "--yes"]);
    for (comment, sql, why) in [
        ("key=id sise=2", "UPDATE a SET n = 1", "nearest: size"),
        ("size=2", "UPDATE a SET n = 1", "write key=id"),
        ("key=id", "INSERT INTO a (n) SELECT count(*) FROM a GROUP BY n", "GROUP in parts"),
        ("key=id", "DROP TABLE a", "only UPDATE, DELETE and INSERT"),
    ] {
        project.write("0002_b.sql", format!("-- lockwise: batch {comment}\n{sql};\n"));
        project.expect(2, &["apply", "--yes"]).says(why).says("0002_b.sql:1:1");
        project.expect(1, &["lint", "migrations", "--fail-on", "note"]).says("batch:");
    }
    project.write("0002_b.sql", "-- lockwise: batch key=id\nUPDATE a SET n = 1;\n");
    project.write("0002_b.down.sql", "-- lockwise: batch key=id\nUPDATE a SET n = 0;\n");
    let answer = project.expect(2, &["apply", "--yes"]);
    answer.says("0002_b.down.sql:1:1: a batch on the way back");
    std::fs::remove_file(project.migration("0002_b.down.sql")).unwrap();
    project.write("0002_b.sql", "-- lockwise: batch key=nr\nUPDATE a SET n = 1;\n");
    project.expect(1, &["apply", "--yes"]).says("nr").says("the dry run failed");
    project.write("0002_b.sql", "-- lockwise: batch key=n\nUPDATE a SET id = id;\n");
    project.execute(&["INSERT INTO a (n) VALUES (NULL)"]);
    project.expect(3, &["apply", "--yes"]).says("rows of a have no n");
}
