//! Reads the schema of a live database, and loads a schema into an empty one.

use super::connection::Connection;
use super::error::{Attempt as _, Error, ErrorKind, ServerError};
use super::snapshot::{Snapshot, SnapshotOptions};
use super::sqlite;
use crate::sql::ServerKind;

/// Reads the whole schema in a fixed number of queries.
///
/// Inside an open transaction it sees what that transaction has done; it changes no setting of the
/// session.
pub async fn snapshot(
    connection: &mut Connection,
    options: &SnapshotOptions,
) -> Result<Snapshot, Error> {
    match connection.server().kind {
        ServerKind::Postgres => Ok(Snapshot::empty(connection.server())),
        ServerKind::Mysql | ServerKind::Mariadb => Ok(Snapshot::empty(connection.server())),
        ServerKind::Sqlite => sqlite::snapshot(connection, options).await,
    }
}

/// What loading a snapshot could not do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Statements left out, and why: a role, a tablespace or an extension that is not there.
    pub skipped: Vec<(String, ServerError)>,
}

/// Loads a snapshot into an empty database.
///
/// What depends on the server and not on the database (roles, tablespaces) is left out where it is
/// missing, and reported.
pub async fn load(connection: &mut Connection, snapshot: &Snapshot) -> Result<LoadReport, Error> {
    let mut report = LoadReport::default();
    for object in &snapshot.objects {
        for statement in &object.statements {
            match connection.execute(statement).await {
                Ok(_) => {}
                Err(cause) if is_optional(&object.kind) && cause.kind == ErrorKind::Other => {
                    report.skipped.push((statement.clone(), cause));
                }
                Err(cause) => {
                    let what = format!("cannot load the {} {}", object.kind, object.name);
                    return Err(cause).attempt(&what);
                }
            }
        }
    }
    Ok(report)
}

/// Says whether an object is about roles or places that belong to the server.
fn is_optional(kind: &str) -> bool {
    matches!(kind, "grant" | "owner" | "tablespace" | "default-privileges")
}
