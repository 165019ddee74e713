//! The grammar understands every statement of a snapshot.

use lockwise::db::{Snapshot, SnapshotOptions, snapshot};
use lockwise::sql::ast::StatementKind;
use lockwise::sql::{Section, ServerKind, Source, Span, parse};

use crate::snapshot_postgres::statements;
use crate::support::{Database, run};

async fn taken(kind: ServerKind, script: &str) -> Snapshot {
    let database = Database::new(kind).await;
    let mut connection = database.connect().await;
    let major = connection.server().version.major;
    for sql in statements(script, major) {
        connection.execute(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    }
    let taken = snapshot(&mut connection, &SnapshotOptions::default()).await.expect("snapshot");
    drop(connection);
    database.drop().await;
    taken
}

/// Parses each statement by itself; returns those that are not understood, or not one.
fn unknown(snapshot: &Snapshot) -> Vec<String> {
    let mut unknown = Vec::new();
    for sql in snapshot.statements() {
        let range = Span::new(0, u32::try_from(sql.len()).expect("short"));
        let section =
            Section { source: Source::new("snapshot", sql), range, reading: Default::default() };
        let script = parse(section, snapshot.server);
        if script.statements.len() != 1 {
            unknown.push(format!("{} statements: {sql}", script.statements.len()));
        }
        for statement in script.statements {
            if let StatementKind::Unknown { reason, .. } = statement.kind {
                unknown.push(format!("{reason}: {sql}"));
            }
        }
    }
    unknown
}

#[test]
fn every_statement_of_a_snapshot_is_understood() {
    let scripts = [
        (ServerKind::Postgres, include_str!("schema_postgres.sql")),
        (ServerKind::Postgres, include_str!("schema_definitions.sql")),
        (ServerKind::Mariadb, include_str!("schema_mariadb.sql")),
    ];
    for (kind, script) in scripts {
        let unknown = unknown(&run(taken(kind, script)));
        assert!(unknown.is_empty(), "{}", unknown.join("\n\n"));
    }
}
