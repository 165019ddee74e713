//! What became of files and schema since: edited, reformatted, amended, drifted; and the numbers.

use crate::support::{ALL, Kind, Project};

fn applied(kind: Kind) -> Project {
    let project = Project::new(kind);
    project.write(
        "0001_orders.sql",
        "CREATE TABLE orders (id int PRIMARY KEY, state varchar(20));\n\
         INSERT INTO orders VALUES (1, 'new');\n",
    );
    project.write("0002_note.sql", "ALTER TABLE orders ADD COLUMN note varchar(20);\n");
    project.expect(0, &["apply", "--yes"]);
    project
}

#[test]
fn f12_line_ends_are_a_note_and_a_changed_literal_is_an_error() {
    for kind in ALL {
        let project = applied(kind);
        project.write("0002_note.sql", "alter table orders\r\n  add column note VARCHAR(20);\r\n");
        let answer = project.expect(0, &["verify"]);
        answer.says("0002_note.sql was reformatted after it was applied");
        project.expect(0, &["apply", "--yes"]).says("nothing to do");
        project.write("0002_note.sql", "ALTER TABLE orders ADD COLUMN note varchar(21);\n");
        let answer = project.expect(1, &["verify"]);
        answer.says("0002 was applied and its statements were changed since");
        project.expect(1, &["apply", "--yes"]).says("lockwise amend");
        project.expect(1, &["status"]);
    }
}

#[test]
fn f15_a_change_that_makes_the_same_schema_can_be_accepted() {
    for kind in ALL {
        let project = applied(kind);
        project.write(
            "0001_orders.sql",
            "CREATE TABLE orders (id int PRIMARY KEY, state varchar(20));\n\
             INSERT INTO orders VALUES (1, 'open');\n",
        );
        project.expect(1, &["verify"]);
        let reason = ["--reason", "the word gave something away"];
        let answer = project.expect(0, &["amend", "0001", "--yes", reason[0], reason[1]]);
        answer.says("amended: 0001");
        project.expect(0, &["verify"]);
        project.expect(0, &["amend", "0001", "--yes", reason[0], reason[1]]).says("nothing to do");
        let detail = project.query("SELECT detail FROM lockwise_journal WHERE event = 'amended'");
        assert!(detail[0].contains("the word gave something away"), "{detail:?}");
        assert!(detail[0].contains("\"semantic\":\"v1:"), "{detail:?}");
        project.expect(0, &["rollback", "--steps", "2", "--yes"]).says("rolled back: 0002, 0001");
    }
}

#[test]
fn f15_a_change_that_makes_another_schema_cannot() {
    for kind in ALL {
        let project = applied(kind);
        project.write("0002_note.sql", "ALTER TABLE orders ADD COLUMN remark varchar(20);\n");
        let answer = project.expect(1, &["amend", "0002", "--yes", "--reason", "a better name"]);
        answer.says("make another schema than the database has").says("remark");
        project.expect(1, &["verify"]);
        project.expect(2, &["amend", "0009", "--yes", "--reason", "x"]).says("is not applied");
    }
}

#[test]
fn drift_is_shown_as_a_diff() {
    for kind in ALL {
        let project = applied(kind);
        project.execute(&["ALTER TABLE orders ADD COLUMN by_hand int"]);
        let answer = project.expect(1, &["verify"]);
        answer.says("--- as the migrations make it").says("by_hand").says("is not what");
    }
}

#[test]
fn a_baseline_counts_in_the_order_of_the_folder() {
    for kind in ALL {
        let project = Project::new(kind);
        project.write("9_orders.sql", "CREATE TABLE orders (id int PRIMARY KEY);\n");
        project.write("10_note.sql", "ALTER TABLE orders ADD COLUMN note varchar(20);\n");
        project.write("11_more.sql", "ALTER TABLE orders ADD COLUMN more varchar(20);\n");
        project.execute(&["CREATE TABLE orders (id int PRIMARY KEY, note varchar(20))"]);
        project.expect(2, &["baseline", "--to", "12", "--yes"]).says("no migration 12");
        project.expect(0, &["baseline", "--to", "10", "--yes"]).says("baseline: 2 migrations");
        project.expect(0, &["apply", "--yes"]).says("applied: 11");
        project.expect(0, &["verify"]).says("as the migrations make it");
        project.expect(1, &["rollback", "--steps", "2", "--yes"]).says("baseline");
    }
}

#[test]
fn the_numbers_of_a_month_add_up() {
    let project = applied(Kind::Sqlite);
    project.expect(0, &["rollback", "--steps", "1", "--yes"]);
    project.expect(0, &["apply", "--yes"]);
    let answer = project.expect(0, &["history", "--stats", "--format", "json"]);
    let stats: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    let months = stats["months"].as_array().unwrap();
    assert_eq!(months.len(), 1, "{stats}");
    assert_eq!(months[0]["applied"], 3, "{stats}");
    assert_eq!(months[0]["rolled_back"], 1, "{stats}");
    project.expect(0, &["history", "--format", "csv"]).says("0002").says("migration-rolled-back");
    project.expect(0, &["history"]).says("rolled back");
}
