//! What a plan says about many statements, on databases with objects of every kind.

use lockwise::db::{Secrets, Target};

use crate::support::{Kind, Project, admin_url, block_on};
use crate::ways_back::{check, pieces};

fn review(kind: Kind, given: &[&str], cases: &str) {
    let project = Project::new(kind);
    let statements: Vec<&str> = given.iter().flat_map(|file| pieces(file)).collect();
    project.execute(&statements);
    let secrets = Secrets::default();
    let target = Target::parse(&project.url, &secrets).unwrap();
    let admin = (kind != Kind::Sqlite).then(|| Target::parse(&admin_url(kind), &secrets).unwrap());
    block_on(check(&target, admin, cases));
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
    review(Kind::Mariadb, &[other, given], include_str!("../../testdata/plan/mariadb/cases.sql"));
}

#[test]
fn sqlite_ways_back_restore_or_name_what_is_lost() {
    let given = include_str!("../../testdata/plan/sqlite/given.sql");
    review(Kind::Sqlite, &[given], include_str!("../../testdata/plan/sqlite/cases.sql"));
}
