//! SQLite: the schema is its own text.

use super::connection::Connection;
use super::error::{Attempt as _, Error};
use super::snapshot::{Snapshot, SnapshotObject, SnapshotOptions};
use crate::schema::{Name, Size};

/// Reads the whole schema in two queries.
///
/// `sqlite_schema` keeps every statement as it was written ("The Schema Table", SQLite manual), so
/// the text is the file's own. Tables come first, then indexes, views and triggers, by name; views
/// and triggers are checked when they are used, so their order does not matter.
pub(super) async fn snapshot(
    connection: &mut Connection,
    options: &SnapshotOptions,
) -> Result<Snapshot, Error> {
    let attempt = "cannot read the schema";
    let pragmas = connection
        .query(
            "SELECT (SELECT encoding FROM pragma_encoding), \
                    (SELECT user_version FROM pragma_user_version), \
                    (SELECT application_id FROM pragma_application_id)",
        )
        .await
        .attempt(attempt)?;
    let mut snapshot = Snapshot::empty(connection.server());
    connection.database().clone_into(&mut snapshot.database);
    if let Some(row) = pragmas.first() {
        snapshot.settings.insert("encoding".to_owned(), row.text(0).to_owned());
        for (index, name) in [(1, "user_version"), (2, "application_id")] {
            if row.count(index) != 0 || row.number(index) < Some(0) {
                let value = row.text(index);
                snapshot.objects.push(SnapshotObject {
                    kind: "pragma".to_owned(),
                    name: Name::new("main", name),
                    relation: None,
                    note: None,
                    statements: vec![format!("PRAGMA {name} = {value}")],
                });
            }
        }
    }
    let rows = connection.query(OBJECTS).await.attempt(attempt)?;
    for row in &rows {
        let (kind, name, table) = (row.text(0), row.text(1), row.text(2));
        if options.own.contains(name) || options.own.contains(table) {
            continue;
        }
        let relation = (name != table).then(|| Name::new("main", table));
        snapshot.objects.push(SnapshotObject {
            kind: kind.to_owned(),
            name: Name::new("main", name),
            relation,
            note: None,
            statements: vec![statement(row.text(3))],
        });
    }
    if options.sizes {
        sizes(connection, &mut snapshot).await?;
    }
    Ok(snapshot)
}

/// Objects that a statement made; automatic indexes and internal tables have no text, and shadow
/// tables of virtual tables come with them.
const OBJECTS: &str = "
SELECT s.type, s.name, s.tbl_name, s.sql
FROM sqlite_schema s
WHERE s.sql IS NOT NULL AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
  AND s.name NOT IN (SELECT t.name FROM pragma_table_list t
    WHERE t.schema = 'main' AND t.type = 'shadow')
ORDER BY CASE s.type WHEN 'table' THEN 0 WHEN 'index' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, s.name";

/// Cuts what follows the statement. SQLite ends the text of a table at its last token, but keeps a
/// comment at the end of a view or trigger, which would swallow the semicolon added later.
fn statement(sql: &str) -> String {
    let sql = sql.trim_end().trim_end_matches(';').trim_end();
    let last = sql.rsplit('\n').next().unwrap_or(sql);
    if last.contains("--") { format!("{sql}\n") } else { sql.to_owned() }
}

/// Counts rows and estimates bytes; `dbstat` is not in every build, so bytes are the pages of the
/// file shared out by rows.
async fn sizes(connection: &mut Connection, snapshot: &mut Snapshot) -> Result<(), Error> {
    let attempt = "cannot count the rows";
    let kind = connection.server().kind;
    let mut counts = Vec::new();
    let mut total = 0_u64;
    let tables: Vec<Name> = snapshot
        .objects
        .iter()
        .filter(|object| object.kind == "table")
        .map(|object| object.name.clone())
        .collect();
    for name in tables {
        let table = crate::sql::ident(kind, &name.name);
        let rows = connection.query(&format!("SELECT count(*) FROM {table}")).await;
        let rows = rows.attempt(attempt)?.first().map_or(0, |row| row.count(0));
        total = total.saturating_add(rows);
        counts.push((name, rows));
    }
    let pages = connection
        .query("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        .await
        .attempt(attempt)?;
    let bytes = pages.first().map_or(0, |row| row.count(0));
    for (name, rows) in counts {
        let share = u128::from(bytes) * u128::from(rows) / u128::from(total.max(1));
        let bytes = u64::try_from(share).unwrap_or(u64::MAX);
        let size = Size { rows, bytes, ..Size::default() };
        snapshot.sizes.insert(name, size);
    }
    Ok(())
}
