//! PostgreSQL: reads the catalogs in a fixed number of queries and writes them down as SQL.
//!
//! The server's own functions print expressions, views and routines (`pg_get_expr` and its kin), so
//! that what is written down means what is there. An empty `search_path` makes every name a full
//! one, as in pg_dump.

mod catalog;
mod class;
mod column;
mod create;
mod definition;
mod depend;
mod fragment;
mod grant;
mod node;
mod object;
mod order;
mod routine;
mod table;

use super::connection::Connection;
use super::error::{Attempt as _, Error, ServerError};
use super::rows::Rows;
use super::snapshot::{Snapshot, SnapshotOptions};
use crate::schema::{Name, Size};
use crate::sql::{ServerKind, ident, literal};
use catalog::Reader;
use node::Nodes;

pub(super) use table::INVALID;

/// Returns the statement that marks an index as one that a failed build left behind. Only a
/// superuser may do that, and only on a throw-away database.
pub(super) fn invalidate(index: &Name) -> String {
    let kind = ServerKind::Postgres;
    let name = format!("{}.{}", ident(kind, &index.schema), ident(kind, &index.name));
    let name = literal(kind, &name);
    format!("UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid = {name}::regclass")
}

/// Takes the handler from every wrapper of an extension.
pub(super) const DISARM: &str = "DO $$ DECLARE w name; BEGIN \
    FOR w IN SELECT f.fdwname FROM pg_catalog.pg_foreign_data_wrapper f \
      JOIN pg_catalog.pg_depend d ON d.objid = f.oid AND d.deptype = 'e' \
        AND d.classid = 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass \
      WHERE f.fdwhandler <> 0 \
    LOOP EXECUTE pg_catalog.format('ALTER FOREIGN DATA WRAPPER %I NO HANDLER', w); END LOOP; END $$";

/// Settings that change how the server prints what it keeps.
///
/// Compiling queries costs more than running them once: `jit` is off.
const PRINTING: &str = "SELECT set_config('search_path', '', true), \
    set_config('DateStyle', 'ISO, MDY', true), set_config('IntervalStyle', 'postgres', true), \
    set_config('TimeZone', 'UTC', true), set_config('extra_float_digits', '1', true), \
    set_config('bytea_output', 'hex', true), set_config('quote_all_identifiers', 'off', true), \
    set_config('xmloption', 'content', true), set_config('jit', 'off', true)";

/// Reads the whole schema.
pub(super) async fn snapshot(
    connection: &mut Connection,
    options: &SnapshotOptions,
) -> Result<Snapshot, Error> {
    let attempt = "cannot read the schema";
    let inside = enter(connection).await.attempt(attempt)?;
    let read = read(connection, options).await;
    let left = leave(connection, inside).await;
    let snapshot = read.attempt(attempt)?;
    left.attempt(attempt)?;
    Ok(snapshot)
}

/// Whether a transaction was open before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Transaction,
    Nothing,
}

/// Opens a savepoint, or a transaction of our own where none is open, and sets the printing.
async fn enter(connection: &mut Connection) -> Result<Inside, ServerError> {
    let inside = match connection.execute("SAVEPOINT lockwise_snapshot").await {
        Ok(_) => Inside::Transaction,
        // no_active_sql_transaction
        Err(error) if error.code.as_deref() == Some("25P01") => {
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
            Inside::Nothing
        }
        Err(error) => return Err(error),
    };
    connection.query(PRINTING).await?;
    Ok(inside)
}

/// Ends what [`enter`] opened; both ways take the settings back.
async fn leave(connection: &mut Connection, inside: Inside) -> Result<(), ServerError> {
    match inside {
        Inside::Transaction => {
            connection.execute("ROLLBACK TO SAVEPOINT lockwise_snapshot").await?;
            connection.execute("RELEASE SAVEPOINT lockwise_snapshot").await?;
        }
        Inside::Nothing => {
            connection.execute("ROLLBACK").await?;
        }
    }
    Ok(())
}

/// Reads the catalogs one after the other.
async fn read(
    connection: &mut Connection,
    options: &SnapshotOptions,
) -> Result<Snapshot, ServerError> {
    let mut snapshot = Snapshot::empty(connection.server());
    connection.database().clone_into(&mut snapshot.database);
    let version = connection.server().version;
    let reader = &mut Reader::new(connection, options, version.major);
    settings(&reader.query(SETTINGS).await?, &mut snapshot);
    let mut nodes = Nodes::default();
    object::schemas(reader, &mut nodes).await?;
    object::extensions(reader, &mut nodes).await?;
    definition::definitions(reader, &mut nodes).await?;
    object::types(reader, &mut nodes).await?;
    object::sequences(reader, &mut nodes).await?;
    routine::routines(reader, &mut nodes).await?;
    table::relations(reader, &mut nodes).await?;
    table::indexes(reader, &mut nodes).await?;
    object::on_tables(reader, &mut nodes).await?;
    object::of_database(reader, &mut nodes).await?;
    depend::comments(reader, &mut nodes).await?;
    depend::edges(reader, &mut nodes).await?;
    if options.grants {
        grant::grants(reader, &mut nodes).await?;
        snapshot.roles.extend(nodes.roles.iter().cloned());
    }
    if options.owners {
        grant::owners(reader, &mut nodes).await?;
    }
    if options.sizes {
        sizes(&reader.query(&reader.fill(SIZES)).await?, &mut snapshot);
    }
    snapshot.roles.extend(nodes.roles.iter().cloned());
    snapshot.objects = order::in_order(nodes);
    Ok(snapshot)
}

/// Settings of the database that a copy needs, and those that new sessions have: printing has
/// changed some of them for now, hence `reset_val`.
const SETTINGS: &str = "SELECT 'encoding', pg_encoding_to_char(encoding) FROM pg_database \
      WHERE datname = current_database() \
    UNION ALL SELECT 'collate', datcollate FROM pg_database WHERE datname = current_database() \
    UNION ALL SELECT 'ctype', datctype FROM pg_database WHERE datname = current_database() \
    UNION ALL SELECT lower(name), reset_val FROM pg_settings WHERE lower(name) IN \
      ('timezone', 'search_path', 'datestyle', 'intervalstyle', 'default_table_access_method')";

/// Takes the settings of the database.
fn settings(rows: &Rows, snapshot: &mut Snapshot) {
    for row in rows {
        snapshot.settings.insert(row.text(0).to_owned(), row.text(1).to_owned());
    }
}

/// Rows and bytes. `reltuples` is -1 (before 14: 0) where nothing was counted yet; a table with
/// pages is not empty then, and 64 bytes a row is a guess on the high side.
const SIZES: &str = "SELECT n.nspname, c.relname, \
    CASE WHEN c.reltuples > 0 THEN c.reltuples::bigint ELSE pg_relation_size(c.oid) / 64 END, \
    pg_total_relation_size(c.oid) \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p', 'm') AND {schema} AND {not_own}";

/// Takes the sizes.
fn sizes(rows: &Rows, snapshot: &mut Snapshot) {
    for row in rows {
        let size = Size { rows: row.count(2), bytes: row.count(3), ..Size::default() };
        snapshot.sizes.insert(Name::new(row.text(0), row.text(1)), size);
    }
}

/// Writes a list of names as SQL literals, never empty.
fn literals<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let mut list: Vec<String> =
        names.map(|name| literal(ServerKind::Postgres, name.as_str())).collect();
    list.push("''".to_owned());
    list.join(", ")
}
