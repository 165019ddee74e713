//! A plan that was written to a file: it runs as it was shown, or not at all.

use crate::support::{ALL, Answer, Kind, Project, shop};

/// Returns a project whose plan is in `plan.json`.
fn planned(kind: Kind) -> Project {
    let project = Project::new(kind);
    shop(&project);
    project.expect(0, &["plan", "--out", "plan.json"]);
    project
}

const APPLY: [&str; 4] = ["apply", "--yes", "--plan", "plan.json"];

#[track_caller]
fn refused(project: &Project, why: &str) -> Answer {
    let answer = project.run(&APPLY);
    assert!(matches!(answer.code, Some(1 | 2)), "{:?}: {}", project.kind, answer.all());
    answer.says(why);
    project.run(&["status"]).says(": 0 applied, ");
    answer
}

#[test]
fn a_plan_runs_as_it_was_shown() {
    for kind in ALL {
        let project = planned(kind);
        project.expect(0, &APPLY).says("applied: 0001, 0002, 0003, 0004, 0005");
        project.expect(0, &APPLY).says("nothing to do");
        project.expect(0, &["verify"]);
    }
}

#[test]
fn a_plan_serves_every_database_with_the_same_schema() {
    let (one, two) = (planned(Kind::Postgres), Project::new(Kind::Postgres));
    let plan = one.path().join("plan.json").display().to_string();
    shop(&two);
    two.expect(0, &["apply", "--yes", "--plan", &plan]).says("applied: 0001");
    one.expect(0, &APPLY).says("applied: 0001");
    assert_eq!(one.schema(), two.schema());
}

#[test]
fn a_plan_of_other_files_is_refused() {
    for kind in ALL {
        let project = planned(kind);
        project.write("0005_no_fax.sql", "ALTER TABLE customers ADD COLUMN vip int;\n");
        refused(&project, "migrations/0005_no_fax.sql is not what it was").says("hint:");
        shop(&project);
        project.write("0006_more.sql", "CREATE TABLE more (id int);\n");
        refused(&project, "other migrations are pending");
    }
}

#[test]
fn a_plan_for_another_schema_is_refused() {
    for kind in ALL {
        let project = planned(kind);
        project.execute(&["CREATE TABLE by_hand (id int)"]);
        refused(&project, "the schema of the database changed");
    }
}

#[test]
fn a_plan_that_was_tampered_with_is_refused() {
    let project = planned(Kind::Sqlite);
    let file = project.path().join("plan.json");
    let text = std::fs::read_to_string(&file).unwrap();
    for (from, to, why) in [
        ("DROP COLUMN fax", "DROP COLUMN email", "cannot be used"),
        ("\"format\": 1", "\"format\": 99", "cannot be used"),
        ("{", "[", "cannot be used"),
    ] {
        let other = text.replacen(from, to, 1);
        assert_ne!(other, text, "{from}");
        std::fs::write(&file, other).unwrap();
        refused(&project, why);
    }
    std::fs::write(&file, text).unwrap();
    project.expect(0, &APPLY).says("applied: 0001");
}

#[test]
fn a_plan_for_another_server_is_refused() {
    let (project, other) = (planned(Kind::Sqlite), Project::new(Kind::Postgres));
    let plan = project.path().join("plan.json").display().to_string();
    shop(&other);
    let answer = other.expect(1, &["apply", "--yes", "--plan", &plan]);
    answer.says("it is for sqlite 3");
    assert!(other.schema().is_empty());
}
