//! Reads the schema of a live database, and loads a schema into an empty one.

use super::connection::Connection;
use super::error::{Attempt as _, Error, ServerError};
use super::snapshot::{Scope, Snapshot, SnapshotObject, SnapshotOptions};
use super::{mysql, postgres, sqlite};
use crate::schema::Name;
use crate::sql::{ServerKind, ident};

/// Reads the whole schema in a fixed number of queries.
///
/// Inside an open transaction it sees what that transaction has done; it changes no setting of the
/// session.
pub async fn snapshot(
    connection: &mut Connection,
    options: &SnapshotOptions,
) -> Result<Snapshot, Error> {
    read(connection, options, None).await
}

/// Reads the objects of a scope: a work that does not grow with the schema on MySQL and MariaDB,
/// where it is done after every statement. Elsewhere the whole schema is read.
pub async fn snapshot_of(
    connection: &mut Connection,
    options: &SnapshotOptions,
    scope: &Scope,
) -> Result<Snapshot, Error> {
    read(connection, options, Some(scope)).await
}

async fn read(
    connection: &mut Connection,
    options: &SnapshotOptions,
    scope: Option<&Scope>,
) -> Result<Snapshot, Error> {
    let mut snapshot = match connection.server().kind {
        ServerKind::Postgres => postgres::snapshot(connection, options).await,
        ServerKind::Mysql | ServerKind::Mariadb => {
            mysql::snapshot(connection, options, scope).await
        }
        ServerKind::Sqlite => sqlite::snapshot(connection, options).await,
    }?;
    let is_own = |name: &Name| {
        options.own_prefix.as_ref().is_some_and(|prefix| name.name.starts_with(prefix.as_str()))
    };
    snapshot
        .objects
        .retain(|object| !is_own(&object.name) && !object.relation.as_ref().is_some_and(is_own));
    snapshot.sizes.retain(|name, _| !is_own(name));
    Ok(snapshot)
}

/// What loading a snapshot could not do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Statements left out, and why: a role, a tablespace or an extension that is not there.
    pub skipped: Vec<(String, ServerError)>,
}

/// Loads a snapshot into an empty database.
///
/// What depends on the server and not on the database (roles, tablespaces, versions of extensions)
/// is left out where it is missing, and reported.
pub async fn load(connection: &mut Connection, snapshot: &Snapshot) -> Result<LoadReport, Error> {
    let mut report = LoadReport::default();
    let kind = connection.server().kind;
    if kind == ServerKind::Postgres {
        for setting in ["SET search_path = ''", "SET check_function_bodies = off"] {
            connection.execute(setting).await.attempt("cannot prepare the session")?;
        }
    }
    for object in &snapshot.objects {
        // A subscription that is switched on connects to the server that it names.
        let sent = |sql: &&String| object.kind != "subscription" || !sql.ends_with(" ENABLE");
        for statement in object.statements.iter().filter(sent) {
            let done = load_statement(connection, object, statement).await;
            let done = match done {
                Ok(()) => disarm_after(connection, statement).await,
                Err(cause) => Err(cause),
            };
            if let Err(cause) = done {
                if !is_optional(&object.kind) {
                    let what = format!("cannot load the {} {}", object.kind, object.name);
                    return Err(cause).attempt(&what);
                }
                report.skipped.push((statement.clone(), cause));
            }
        }
        let invalid = object.note.as_deref() == Some(postgres::INVALID);
        if kind == ServerKind::Postgres && object.kind == "index" && invalid {
            let done = connection.execute(&postgres::invalidate(&object.name)).await;
            report.skipped.extend(done.err().map(|cause| ("an invalid index".to_owned(), cause)));
        }
    }
    // A view without data refuses to be read, and to be refreshed concurrently. One that cannot be
    // filled here is as it would be without trying.
    for object in snapshot.objects.iter().filter(|object| object.kind == "materialized-view") {
        let (schema, name) = (&object.name.schema, &object.name.name);
        let name = format!("{}.{}", ident(kind, schema), ident(kind, name));
        let _ = connection.execute(&format!("REFRESH MATERIALIZED VIEW {name}")).await;
    }
    if kind == ServerKind::Postgres {
        for setting in ["RESET search_path", "RESET check_function_bodies"] {
            connection.execute(setting).await.attempt("cannot reset the session")?;
        }
    }
    Ok(report)
}

/// Keeps foreign tables of a throw-away database from reaching their servers: wrappers that came
/// with an extension lose the function that does so, which no snapshot shows.
///
/// To be called after a statement, which may have made an extension.
pub async fn disarm_after(connection: &mut Connection, sql: &str) -> Result<(), ServerError> {
    let makes = sql.trim_start().get(..16).is_some_and(|s| s.eq_ignore_ascii_case(EXTENSION));
    if connection.server().kind == ServerKind::Postgres && makes {
        connection.execute(postgres::DISARM).await?;
    }
    Ok(())
}

/// How a statement that makes an extension begins.
const EXTENSION: &str = "CREATE EXTENSION";

/// Says whether a statement failed because of [`disarm_after`].
pub fn is_disarmed(error: &ServerError) -> bool {
    // object_not_in_prerequisite_state, "foreign-data wrapper … has no handler"
    error.code.as_deref() == Some("55000") && error.message.ends_with("has no handler")
}

/// Sends one statement; an extension that is not there in this version is taken in another one.
async fn load_statement(
    connection: &mut Connection,
    object: &SnapshotObject,
    statement: &str,
) -> Result<(), ServerError> {
    let done = connection.execute(statement).await;
    let without_version = statement.rsplit_once(" VERSION ").map(|(before, _)| before);
    match (done, without_version) {
        (Ok(_), _) => Ok(()),
        (Err(_), Some(before)) if object.kind == "extension" => {
            connection.execute(before).await.map(|_| ())
        }
        (Err(cause), _) => Err(cause),
    }
}

/// Says whether an object is about roles or places that belong to the server.
fn is_optional(kind: &str) -> bool {
    matches!(
        kind,
        "grant" | "owner" | "tablespace" | "default-privileges" | "user-mapping" | "subscription"
    )
}
