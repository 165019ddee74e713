//! Copies on MySQL and MariaDB, where no transaction holds a table between its copy and its drop.
//!
//! Pure. The copy is made while others read and write. Right before the drop the session locks the
//! table and the copy, takes over what was written since, and drops under that lock: LOCK TABLES
//! lasts through the drop, and ends with the session if that ends first (manuals, "LOCK TABLES").
//! An attempt that fails gives the lock back, and the next one takes over again.

use super::Copy;
use crate::plan::model::{Around, Step};
use crate::sql::{ServerKind, ident};

/// Returns the statements that make a copy while everybody goes on.
///
/// A copy that is complete is not made again: CREATE TABLE … SELECT is atomic (MySQL since 8.0.21,
/// MariaDB since 10.6, manuals, "Atomic DDL"). Where rows cannot be told apart by a key, all of
/// them are copied under the lock.
pub(super) fn prepare(copy: &Copy, kind: ServerKind) -> Vec<String> {
    let (name, table) = (copy.name(kind), &copy.table.name);
    let columns = copy.columns(kind).join(", ");
    let create = if is_keyed(copy) {
        let key = copy.table.key.join(", ");
        format!("{name} (PRIMARY KEY ({key})) AS SELECT {columns} FROM {table}")
    } else {
        format!("{name} AS SELECT {columns} FROM {table} LIMIT 0")
    };
    vec![format!("DROP TABLE IF EXISTS {name}"), format!("CREATE TABLE IF NOT EXISTS {create}")]
}

/// Surrounds the statement that drops with a lock under which the copies are completed.
pub(super) fn surround(step: &mut Step, copies: &[Copy], kind: ServerKind) {
    let mut tables: Vec<String> = Vec::new();
    let mut completed = Vec::new();
    for copy in copies {
        let name = copy.name(kind);
        tables.push(format!("{} WRITE", copy.table.name));
        tables.push(format!("{name} WRITE"));
        tables.push(format!("{name} AS kept WRITE"));
        completed.extend(complete(copy, kind));
        for lock in step.locks.iter_mut().filter(|lock| lock.relation == copy.table.relation) {
            lock.blocks = ["reads", "writes"].map(str::to_owned).into();
            lock.during = "scan".to_owned();
        }
        step.scans.push(copy.table.relation.clone());
    }
    // Several columns of one table go together.
    let mut seen = std::collections::BTreeSet::new();
    tables.retain(|table| seen.insert(table.clone()));
    step.scans.dedup();
    let lock = format!("LOCK TABLES {}", tables.join(", "));
    let before = std::iter::once(lock).chain(completed).collect();
    step.around = Some(Around { before, after: vec!["UNLOCK TABLES".to_owned()] });
}

/// Says whether rows of the copy are found by the primary key of the table.
fn is_keyed(copy: &Copy) -> bool {
    copy.table.whole_key && !copy.table.key.is_empty()
}

/// Returns what makes a copy equal to its table.
fn complete(copy: &Copy, kind: ServerKind) -> Vec<String> {
    let (name, table) = (copy.name(kind), &copy.table.name);
    let columns = copy.columns(kind);
    let list = columns.join(", ");
    let source: Vec<String> = columns.iter().map(|column| format!("{table}.{column}")).collect();
    let source = source.join(", ");
    if !is_keyed(copy) {
        return vec![
            format!("DELETE FROM {name}"),
            format!("INSERT INTO {name} ({list}) SELECT {source} FROM {table}"),
        ];
    }
    let key = &copy.table.key;
    let same = key.iter().map(|key| format!("kept.{key} = {table}.{key}"));
    let same = same.collect::<Vec<_>>().join(" AND ");
    let first = key.first().map_or("", String::as_str);
    // Two texts that are equal in a collation may be written with other letters.
    let differs = |column: &String| {
        format!(
            "NOT (kept.{column} <=> {table}.{column} AND CAST(kept.{column} AS BINARY) <=> \
             CAST({table}.{column} AS BINARY))"
        )
    };
    let differs = columns.iter().map(differs);
    let missing = format!("kept.{first} IS NULL");
    let news = std::iter::once(missing).chain(differs).collect::<Vec<_>>().join(" OR ");
    let mut statements = vec![format!(
        "REPLACE INTO {name} ({list}) SELECT {source} FROM {table} LEFT JOIN {name} AS kept \
         ON {same} WHERE {news}"
    )];
    if copy.column.is_none() {
        // Rows that are gone meanwhile do not come back.
        statements.push(format!(
            "DELETE FROM {} USING {} AS kept LEFT JOIN {table} ON {same} WHERE {table}.{first} \
             IS NULL",
            ident(kind, "kept"),
            name
        ));
    }
    statements
}
