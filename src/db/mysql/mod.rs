//! MySQL and MariaDB: reads `information_schema` in a fixed number of queries, for every so many
//! tables on MariaDB.
//!
//! `SHOW CREATE` would be one query per object, so tables are put together from their columns,
//! keys and partitions. Only what `information_schema` does not tell all about is asked for one
//! by one: sequences and system-versioned tables (MariaDB 10.6 to 11.8), and programs with a
//! backslash, or on MySQL a quote, in them. The database's own name is taken out of views and
//! defaults, so that the text does not depend on it; counters of AUTO_INCREMENT are data and left
//! out.

mod key;
mod live;
mod partition;
mod privilege;
mod program;
mod table;
mod text;

use std::collections::BTreeSet;

use super::connection::Connection;
use super::error::{Attempt as _, Error, ServerError};
use super::rows::Rows;
use super::snapshot::{Scope, Snapshot, SnapshotObject, SnapshotOptions};
use crate::schema::{Name, Size};
use crate::sql::{ServerKind, literal};

/// What the parts of this folder share.
pub(super) struct Reader<'a> {
    connection: &'a mut Connection,
    kind: ServerKind,
    database: String,
    /// The `sql_mode` that new sessions have.
    sql_mode: String,
    with_definers: bool,
    with_sizes: bool,
    own: BTreeSet<String>,
    /// What is read; everything where there is none.
    scope: Option<Scope>,
    /// The part of all tables that is read now; all of them where there is none.
    part: Option<Part>,
}

/// Tables from the first name to the last, in the order of their bytes.
#[derive(Debug, Clone)]
struct Part {
    first: String,
    last: String,
}

impl Reader<'_> {
    /// Sends a query with `{db}` replaced by the name of the database as a literal.
    async fn ask(&mut self, sql: &str) -> Result<Rows, ServerError> {
        let database = literal(self.kind, &self.database);
        self.connection.query(&sql.replace("{db}", &database)).await
    }

    /// Sends a query that ends with conditions, for the relations of the scope alone.
    ///
    /// MariaDB opens just the table that a condition names with `=` and goes through all of them
    /// where names are listed (manual, "Information Schema", optimization; measured on 10.11), so
    /// each name has a query of its own there, all in one message.
    async fn ask_on(&mut self, sql: &str, columns: &[&str]) -> Result<Rows, ServerError> {
        let names = self.scope.as_ref().map(|scope| &scope.relations);
        match &self.part {
            None => self.ask_for(sql, columns, names.cloned()).await,
            Some(Part { first, last }) => {
                let (first, last) = (literal(self.kind, first), literal(self.kind, last));
                let between = |column: &&str| {
                    format!(" AND {column} COLLATE utf8mb3_bin BETWEEN {first} AND {last}")
                };
                let conditions: String = columns.iter().map(between).collect();
                self.ask(&format!("{sql}{conditions}")).await
            }
        }
    }

    /// Sends a query that ends with conditions, for these names alone where there are any.
    async fn ask_for(
        &mut self,
        sql: &str,
        columns: &[&str],
        names: Option<BTreeSet<String>>,
    ) -> Result<Rows, ServerError> {
        let Some(names) = names else { return self.ask(sql).await };
        if names.is_empty() {
            return Ok(Rows::default());
        }
        let database = literal(self.kind, &self.database);
        let sql = sql.replace("{db}", &database);
        let names: Vec<String> = names.iter().map(|name| literal(self.kind, name)).collect();
        let with = |condition: &dyn Fn(&str) -> String| -> String {
            columns.iter().map(|column| format!(" AND {}", condition(column))).collect()
        };
        let sql = if self.is_mysql() {
            let list = names.join(", ");
            format!("{sql}{}", with(&|column| format!("{column} IN ({list})")))
        } else {
            let one =
                |name: &String| format!("{sql}{}", with(&|column| format!("{column} = {name}")));
            names.iter().map(one).collect::<Vec<_>>().join(" UNION ALL ")
        };
        self.connection.query(&sql).await
    }

    /// Says whether the server is MySQL.
    fn is_mysql(&self) -> bool {
        self.kind == ServerKind::Mysql
    }

    /// Quotes a name.
    fn quote(&self, name: &str) -> String {
        crate::sql::ident(self.kind, name)
    }

    /// Quotes a text; a backslash is doubled, as `SHOW CREATE` prints it.
    fn text(&self, text: &str) -> String {
        format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
    }
}

/// Reads the schema, or what of it is in the scope.
pub(super) async fn snapshot(
    connection: &mut Connection,
    options: &SnapshotOptions,
    scope: Option<&Scope>,
) -> Result<Snapshot, Error> {
    read(connection, options, scope).await.attempt("cannot read the schema")
}

/// Reads one kind of object after the other, in the order in which they load.
async fn read(
    connection: &mut Connection,
    options: &SnapshotOptions,
    scope: Option<&Scope>,
) -> Result<Snapshot, ServerError> {
    let mut snapshot = Snapshot::empty(connection.server());
    connection.database().clone_into(&mut snapshot.database);
    let kind = connection.server().kind;
    let database = snapshot.database.clone();
    if options.sizes && kind == ServerKind::Mysql {
        // MySQL 8 shows sizes as they were up to a day ago (manual, 14.2.7).
        let fresh = "SET SESSION information_schema_stats_expiry = 0";
        let _ = connection.execute(fresh).await;
    }
    let mut reader = Reader {
        connection,
        kind,
        database,
        sql_mode: String::new(),
        with_definers: options.owners,
        with_sizes: options.sizes,
        own: options.own.clone(),
        scope: scope.cloned(),
        part: None,
    };
    settings(&mut reader, &mut snapshot).await?;
    tables(&mut reader, &mut snapshot).await?;
    let objects = &mut snapshot.objects;
    program::routines(&mut reader, objects, &mut snapshot.roles).await?;
    program::views(&mut reader, objects, &mut snapshot.roles).await?;
    program::triggers(&mut reader, objects, &mut snapshot.roles).await?;
    program::events(&mut reader, objects, &mut snapshot.roles).await?;
    if options.sizes {
        live::row_versions(&mut reader, &mut snapshot.sizes).await;
        live::settings(&mut reader, &mut snapshot.settings).await?;
        session_settings(&mut reader, &mut snapshot).await?;
        snapshot.left_out = privilege::missing(&mut reader).await?;
    }
    Ok(snapshot)
}

/// Reads sequences, tables and foreign keys, part by part.
async fn tables(reader: &mut Reader<'_>, snapshot: &mut Snapshot) -> Result<(), ServerError> {
    let (mut sequences, mut foreign_keys) = (Vec::new(), Vec::new());
    let mut written = Vec::new();
    for part in parts(reader).await? {
        reader.part = part;
        let tables = table::tables(reader).await?;
        if let Some(scope) = &mut reader.scope {
            scope.relations = tables.iter().map(|table| table.name.clone()).collect();
        }
        table::sequences(reader, &tables, &mut sequences).await?;
        table::write(reader, &tables, &mut written).await?;
        key::foreign_keys(reader, &mut foreign_keys).await?;
        if reader.with_sizes {
            snapshot.sizes.extend(sizes(&tables));
        }
    }
    reader.part = None;
    snapshot.objects = sequences;
    snapshot.objects.append(&mut written);
    snapshot.objects.append(&mut foreign_keys);
    Ok(())
}

/// Divides the tables of MariaDB into parts of which all definitions fit into the server's cache.
///
/// Most views of `information_schema` open every table that they show (manual, "Information
/// Schema", optimization). The cache holds 400 tables by default: of 10,000 each view would open
/// each anew, while the later views of a part find its tables open. Names are compared before a
/// table is opened; so a part costs a look at the folder more (measured on 10.11).
async fn parts(reader: &mut Reader<'_>) -> Result<Vec<Option<Part>>, ServerError> {
    if reader.is_mysql() || reader.scope.is_some() {
        return Ok(vec![None]);
    }
    let cache = reader.ask("SELECT @@table_definition_cache").await?;
    let cache = cache.first().and_then(|row| usize::try_from(row.count(0)).ok()).unwrap_or(400);
    let rows = reader
        .ask("SELECT table_name FROM information_schema.tables WHERE table_schema = {db}")
        .await?;
    let mut names: Vec<&str> = rows.iter().map(|row| row.text(0)).collect();
    names.sort_unstable();
    let most = (cache / 4 * 3).max(100);
    if names.len() <= most {
        return Ok(vec![None]);
    }
    let ends = names.chunks(most).filter_map(|part| Some((part.first()?, part.last()?)));
    let part = |(first, last): (&&str, &&str)| Part {
        first: (*first).to_owned(),
        last: (*last).to_owned(),
    };
    Ok(ends.map(|ends| Some(part(ends))).collect())
}

/// Reads what new objects take over from the database and the server.
async fn settings(reader: &mut Reader<'_>, snapshot: &mut Snapshot) -> Result<(), ServerError> {
    let rows = reader
        .ask(
            "SELECT s.default_character_set_name, s.default_collation_name, @@global.sql_mode, \
             @@global.lower_case_table_names, @@global.character_set_server, \
             @@global.collation_server, @@global.explicit_defaults_for_timestamp \
             FROM information_schema.schemata s WHERE s.schema_name = {db}",
        )
        .await?;
    let names = [
        "charset",
        "collation",
        "sql_mode",
        "lower_case_table_names",
        "server_charset",
        "server_collation",
        "explicit_defaults_for_timestamp",
    ];
    if let Some(row) = rows.first() {
        for (index, name) in names.into_iter().enumerate() {
            snapshot.settings.insert(name.to_owned(), row.text(index).to_owned());
        }
        row.text(2).clone_into(&mut reader.sql_mode);
    }
    Ok(())
}

/// Reads what new sessions begin with, as far as it changes what statements do; not every server
/// has all of it.
async fn session_settings(
    reader: &mut Reader<'_>,
    snapshot: &mut Snapshot,
) -> Result<(), ServerError> {
    let more = "SHOW GLOBAL VARIABLES WHERE variable_name IN ('default_storage_engine', \
                'foreign_key_checks', 'innodb_default_row_format', 'innodb_strict_mode', \
                'innodb_file_per_table', 'alter_algorithm', 'sql_require_primary_key', \
                'sql_generate_invisible_primary_key', 'time_zone')";
    for row in &reader.ask(more).await? {
        snapshot.settings.insert(row.text(0).to_lowercase(), row.text(1).to_owned());
    }
    Ok(())
}

/// Returns rows and bytes by table.
fn sizes(tables: &[table::TableFacts]) -> impl Iterator<Item = (Name, Size)> {
    let base = tables.iter().filter(|table| table.is_table());
    base.map(|table| (Name::new("", table.name.clone()), table.size))
}

/// Returns an object of the current database.
fn object(kind: &str, name: &str, statements: Vec<String>) -> SnapshotObject {
    SnapshotObject {
        kind: kind.to_owned(),
        name: Name::new("", name),
        relation: None,
        note: None,
        statements,
    }
}
