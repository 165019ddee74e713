//! From lint to rollback, on every server.

use crate::support::{ALL, Kind, Project, mysql, shop};

#[track_caller]
fn whole_way(kind: Kind) {
    let project = Project::new(kind);
    shop(&project);
    project.expect(0, &["lint", "migrations", "--quiet", "--fail-on", "never"]);
    let empty = project.schema();
    let plan = project.expect(0, &["plan"]);
    plan.says("5 migrations").says("way back").says("customers_email").says("fax");
    assert_eq!(project.schema(), empty, "a plan changes nothing");
    project.expect(0, &["apply", "--yes"]).says("applied: 0001, 0002, 0003, 0004, 0005");
    assert_eq!(project.query("SELECT count(*) FROM orders"), ["2"]);
    project.expect(0, &["apply", "--yes"]).says("nothing to do");
    project.expect(0, &["status"]).says("5 applied, 0 pending");
    project.expect(0, &["verify"]).says("the database is as the migrations make it");
    project.expect(0, &["rollback", "--steps", "2", "--yes"]).says("rolled back: 0005, 0004");
    assert_eq!(project.query("SELECT sum(customer) FROM orders"), ["3"], "renamed back with rows");
    project.expect(0, &["verify"]).says("the database is as the migrations make it");
    project.expect(0, &["apply", "--yes"]).says("applied: 0004, 0005");
    project.expect(0, &["history"]).says("rolled back").says("0005");
    project.expect(0, &["history", "--stats", "--format", "json"]).says("\"rolled_back\": 2");
}

#[test]
fn sqlite_goes_the_whole_way() {
    whole_way(Kind::Sqlite);
}

#[test]
fn postgres_goes_the_whole_way() {
    whole_way(Kind::Postgres);
}

#[test]
fn mariadb_goes_the_whole_way() {
    whole_way(Kind::Mariadb);
}

#[test]
fn mysql_goes_the_whole_way() {
    if let Some(kind) = mysql() {
        whole_way(kind);
    }
}

#[test]
fn everything_can_be_taken_back_one_by_one() {
    for kind in ALL {
        let project = Project::new(kind);
        shop(&project);
        let empty = project.schema();
        project.expect(0, &["apply", "--yes"]);
        project.expect(0, &["rollback", "--steps", "5", "--yes"]);
        assert_eq!(project.schema(), empty, "{kind:?}");
    }
}

#[test]
fn the_plan_is_valid_json_of_its_schema() {
    let schema = include_str!("../../testdata/schemas/plan.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for kind in ALL {
        let project = Project::new(kind);
        shop(&project);
        let answer = project.expect(0, &["plan", "--format", "json", "--out", "plan.json"]);
        let plan: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
        let errors: Vec<String> = validator.iter_errors(&plan).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{kind:?}: {errors:?}");
        let written = std::fs::read_to_string(project.path().join("plan.json")).unwrap();
        assert_eq!(written, answer.stdout);
        let read = lockwise::plan::Plan::parse(&written).unwrap();
        assert_eq!(read.migrations.len(), 5);
    }
}

#[test]
fn the_status_is_valid_json_of_its_schema() {
    let schema = include_str!("../../testdata/schemas/status.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for kind in ALL {
        let project = Project::new(kind);
        shop(&project);
        for applied in [0, 5] {
            let answer = project.expect(0, &["status", "--format", "json"]);
            let status: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
            let errors: Vec<String> =
                validator.iter_errors(&status).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{kind:?}: {errors:?}\n{}", answer.stdout);
            let migrations = status["migrations"].as_array().unwrap();
            let done = migrations.iter().filter(|one| one["state"] == "applied").count();
            assert_eq!(done, applied, "{kind:?}");
            project.expect(0, &["apply", "--yes"]);
        }
    }
}

#[test]
fn every_form_of_the_plan_names_what_goes() {
    let project = Project::new(Kind::Sqlite);
    shop(&project);
    project.expect(0, &["apply", "--yes"]);
    project.write("0006_no_orders.sql", "DROP VIEW order_totals;\nDROP TABLE orders;\n");
    for format in ["text", "json", "markdown", "html"] {
        let answer = project.expect(0, &["plan", "--format", format]);
        answer.says("orders");
        let rows = ["2 rows", "\"rows\": 2"];
        assert!(rows.iter().any(|r| answer.stdout.contains(r)), "{format}\n{}", answer.stdout);
    }
}

#[test]
fn the_digest_of_a_plan_depends_on_files_and_schema_alone() {
    let digest = |project: &Project| {
        let answer = project.expect(0, &["plan", "--format", "json"]);
        let plan: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
        plan["digest"].as_str().unwrap().to_owned()
    };
    for kind in ALL {
        let (one, two) = (Project::new(kind), Project::new(kind));
        shop(&one);
        shop(&two);
        assert_eq!(digest(&one), digest(&two), "{kind:?}");
        two.execute(&["CREATE TABLE other (id int)"]);
        assert_ne!(digest(&one), digest(&two), "{kind:?}: another schema");
        one.write("0005_no_fax.sql", "ALTER TABLE customers ADD COLUMN vip integer;\n");
        assert_ne!(digest(&one), digest(&two), "{kind:?}: another file");
    }
}

#[test]
fn f18_a_rollback_never_takes_back_everything_by_itself() {
    let project = Project::new(Kind::Sqlite);
    shop(&project);
    project.expect(0, &["apply", "--yes"]);
    project.expect(2, &["rollback", "--yes"]).says("say how far");
    project.expect(2, &["rollback", "--to", "0009", "--yes"]).says("is not applied");
    project.expect(0, &["status"]).says("5 applied");
    project.expect(2, &["rollback", "--to", "0003"]).says("orders").never_says("rolled back:");
    project.expect(0, &["status"]).says("5 applied");
    project.expect(0, &["rollback", "--to", "0003", "--yes"]).says("rolled back: 0005, 0004");
    let answer = project.expect(0, &["rollback", "--to", "0001", "--yes"]);
    answer.says("orders").says("2 rows").says("rolled back: 0003, 0002");
}

#[test]
fn a_rollback_refuses_what_somebody_changed_since() {
    let project = Project::new(Kind::Sqlite);
    shop(&project);
    project.expect(0, &["apply", "--yes"]);
    project.execute(&["ALTER TABLE customers ADD COLUMN fax text"]);
    project.expect(1, &["rollback", "--steps", "1", "--yes"]).says("the database changed since");
    project.expect(1, &["verify"]).says("+").says("fax");
}

#[test]
fn drift_stops_an_apply_before_the_first_statement() {
    for kind in ALL {
        let project = Project::new(kind);
        shop(&project);
        project.expect(0, &["apply", "--yes"]);
        project.execute(&["CREATE TABLE by_hand (id int)"]);
        project.expect(1, &["verify"]).says("by_hand");
    }
}

#[test]
fn a_baseline_counts_without_running() {
    for kind in ALL {
        let project = Project::new(kind);
        shop(&project);
        project.expect(0, &["apply", "--yes"]);
        project.execute(&["DROP VIEW lockwise_history", "DROP TABLE lockwise_journal"]);
        project.expect(0, &["baseline", "--to", "0004", "--yes"]).says("4 migrations");
        project.expect(0, &["status"]).says("4 applied, 1 pending");
        project.expect(0, &["baseline", "--yes"]).says("1 migrations");
        project.expect(0, &["verify"]).says("as the migrations make it");
        project.expect(1, &["rollback", "--steps", "1", "--yes"]).says("did not run it");
    }
}

#[test]
fn a_snapshot_is_the_same_for_the_same_schema() {
    for kind in ALL {
        let (one, two) = (Project::new(kind), Project::new(kind));
        for project in [&one, &two] {
            shop(project);
            project.expect(0, &["apply", "--yes"]);
        }
        assert_eq!(one.schema(), two.schema(), "{kind:?}");
        one.expect(0, &["snapshot"]).says("-- lockwise snapshot 1").says("customers_email");
    }
}

#[test]
fn the_history_of_another_tool_is_taken_over_and_left_as_it_is() {
    let text = "CREATE TABLE persons (id int);\nINSERT INTO persons VALUES (1);\n";
    let sum = "a65598b9e07a1cf250597ad3152cb60801a17d8e14e01f7050775af7f6dd648a1849992709eefe46875c1a9\
               bf3e591a9";
    for kind in ALL {
        let project = Project::new(kind);
        project.write("20240101000000_persons.sql", text);
        project.write("20240102000000_more.sql", "CREATE TABLE more (id int);\n");
        project.config("convention = \"sqlx\"\n");
        let (bytes, value) = match kind {
            Kind::Sqlite => ("blob", format!("x'{sum}'")),
            Kind::Postgres => ("bytea", format!("'\\x{sum}'")),
            Kind::Mariadb | Kind::Mysql => ("blob", format!("x'{sum}'")),
        };
        project.execute(&[
            "CREATE TABLE persons (id int)",
            &format!(
                "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text \
                 NOT NULL, success boolean NOT NULL, checksum {bytes} NOT NULL, \
                 execution_time bigint NOT NULL)"
            ),
            &format!(
                "INSERT INTO _sqlx_migrations VALUES (20240101000000, 'persons', true, {value}, 1)"
            ),
        ]);
        let answer = project.expect(0, &["adopt", "--yes"]);
        answer.says("history of sqlx").says("persons: same").says("adopted: 1");
        assert_eq!(project.query("SELECT count(*) FROM _sqlx_migrations"), ["1"]);
        project.expect(0, &["apply", "--yes"]).says("applied: 20240102000000");
        assert_eq!(project.query("SELECT count(*) FROM _sqlx_migrations"), ["1"]);
        project.expect(1, &["adopt", "--yes"]).says("has a history of this database already");
    }
}

#[test]
fn a_file_that_differs_from_what_was_applied_is_not_taken_over() {
    let project = Project::new(Kind::Sqlite);
    project.write("20240101000000_persons.sql", "CREATE TABLE persons (id bigint);\n");
    project.config("convention = \"sqlx\"\n");
    project.execute(&[
        "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text, \
         success boolean, checksum blob, execution_time bigint)",
        "INSERT INTO _sqlx_migrations VALUES (20240101000000, 'persons', true, x'00', 1)",
    ]);
    project.expect(1, &["adopt", "--yes"]).says("is not what sqlx applied");
}
