//! What a live MySQL or MariaDB counts, and how it is set up, reaches the rules.

use crate::support::{Kind, Project, mysql};

/// A database with the first migration applied, on each of the two servers.
fn with(first: &str) -> impl Iterator<Item = Project> {
    let kinds = [Some(Kind::Mariadb), mysql()].into_iter().flatten();
    kinds.map(move |kind| applied(kind, first))
}

fn applied(kind: Kind, first: &str) -> Project {
    let project = Project::new(kind);
    project.write("0001_first.sql", first);
    project.expect(0, &["apply", "--yes"]);
    project
}

/// Lints and plans the second migration; both say the same.
#[track_caller]
fn says(project: &Project, text: &str) {
    project.run(&["lint", "migrations", "--url", &project.url]).says(text);
    project.run(&["plan"]).says(text);
}

#[test]
fn auto_increment_near_the_end_of_its_type_is_told() {
    let tables = "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY);
        CREATE TABLE u (id bigint AUTO_INCREMENT PRIMARY KEY);";
    for project in with(tables) {
        project.execute(&[
            "ALTER TABLE t AUTO_INCREMENT = 2000000000",
            "ALTER TABLE u AUTO_INCREMENT = 2000000000",
        ]);
        project.write("0002_note.sql", "ALTER TABLE t ADD COLUMN note varchar(20);");
        says(&project, "AUTO_INCREMENT of `t` is close to the end of its type");
        says(&project, "2000000000 of 2147483647");
        project.write("0002_note.sql", "ALTER TABLE u ADD COLUMN note varchar(20);");
        let lint = project.run(&["lint", "migrations", "--url", &project.url]);
        lint.never_says("AUTO_INCREMENT");
        // What no migration touches, the look around tells.
        project.run(&["plan"]).says("t.id has counted to 2000000000 of 2147483647");
    }
}

#[test]
fn a_server_that_online_tools_refuse_is_told() {
    for project in with("CREATE TABLE t (id int PRIMARY KEY, total int);") {
        // The servers of the tests keep no binary log.
        project.write("0002_total.sql", "ALTER TABLE t MODIFY total bigint;");
        project.config("[rules]\nosc-server-config = \"on\"\n");
        says(&project, "log_bin = OFF");
        let rule = "[rule.osc-server-config]\nseverity = \"on\"\noptions.accepted =";
        project.config(&format!("{rule} [\"log_bin = OFF\"]\n"));
        let lint = project.expect(0, &["lint", "migrations", "--url", &project.url]);
        lint.says("no findings");
        project.config(&format!("{rule} 3\n"));
        project.expect(2, &["lint", "migrations"]).says("accepted is a list of texts");
    }
}

/// MySQL 9.7: 255 versions of rows. The change after them is a rebuild.
#[test]
fn row_versions_that_come_to_their_end_are_told() {
    let Some(kind) = mysql() else { return };
    let project = applied(kind, "CREATE TABLE `t-1` (id int PRIMARY KEY, b int);");
    project.execute(&["INSERT INTO `t-1` VALUES (1, 1)"]);
    let pair = ["ALTER TABLE `t-1` ADD COLUMN a int", "ALTER TABLE `t-1` DROP COLUMN a"];
    project.execute(&pair.repeat(120));
    project.write("0002_a.sql", "ALTER TABLE `t-1` ADD COLUMN a int;");
    let early = project.run(&["lint", "migrations", "--url", &project.url]);
    early.never_says("INSTANT changes of columns");
    project.execute(&pair.repeat(7));
    says(&project, "0 of 255");
    project.execute(&["ALTER TABLE `t-1` DROP COLUMN b"]);
    let full = project.run(&["effects", "migrations", "--url", &project.url]);
    full.says("INPLACE");
    project.write("0002_a.sql", "ALTER TABLE `t-1` ADD COLUMN a int, ALGORITHM=INSTANT;");
    says(&project, "as many row versions as it may have");
}
