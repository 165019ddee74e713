//! Where dropped tables and columns are kept aside, so that a rollback brings their rows back.
//!
//! Before a statement that drops rows, steps of our own copy them: a table whole, a column with the
//! primary key of its table. They are steps like all others: shown, approved, journalled. The way
//! back fills what it has made from the copy, and drops the copy. On PostgreSQL copies live in a
//! schema of their own, elsewhere under a prefix; neither is part of the schema that snapshots
//! show.

mod locked;

use std::collections::BTreeSet;

use super::digest::Digest;
use super::model::{DataLoss, Group, Nature, PlannedMigration, Step, Timeouts};
use super::rollback::{TableFacts, table_facts};
use crate::db::Snapshot;
use crate::sql::{ObjectName, ServerKind, ident};

/// The schema of the attic on PostgreSQL, and the prefix of its tables elsewhere.
pub(super) const SCHEMA: &str = "lockwise_attic";

/// The longest name of a table: 63 bytes (PostgreSQL), 64 characters (MySQL, MariaDB).
const LONGEST: usize = 63;

/// Says whether a statement of ours reads or writes the attic.
pub(super) fn concerns(sql: &str) -> bool {
    sql.contains(SCHEMA)
}

/// Says whether a table lies in the attic.
pub(super) fn holds(name: &ObjectName) -> bool {
    name.parts.iter().any(|part| part.value.starts_with(SCHEMA))
}

/// Says whether a statement puts something into the attic.
pub(super) fn fills(sql: &str) -> bool {
    concerns(sql) && sql.starts_with("CREATE TABLE")
}

/// Columns that earlier statements have dropped: a copy of their table has them no more.
pub(super) type Gone = BTreeSet<String>;

/// Puts steps before every step of a migration that drops rows which can be kept.
pub(super) fn keep(
    groups: &mut Vec<Group>,
    version: &str,
    live: &Snapshot,
    first: u32,
    gone: &mut Gone,
) -> Vec<String> {
    let kind = live.server.kind;
    let mut notes = Vec::new();
    let mut number = first;
    let mut kept = Vec::new();
    for mut group in std::mem::take(groups) {
        let (transaction, foreign_keys) = (group.transaction, group.foreign_keys);
        let mut steps = Vec::new();
        for mut step in std::mem::take(&mut group.steps) {
            let (mut before, mut copies) = (Vec::new(), Vec::new());
            let mut losses = std::mem::take(&mut step.loses);
            for loss in &mut losses {
                match copy(loss, version, live, gone) {
                    Some(copy) => {
                        before.extend(copy.statements(kind, &step));
                        loss.kept = Some(copy.name(kind));
                        copies.push(copy);
                    }
                    None if matches!(loss.kind.as_str(), "table" | "column") => {
                        notes.push(format!(
                            "{} {} is not kept: it needs a primary key to find its rows again",
                            loss.kind, loss.name
                        ));
                    }
                    None => {}
                }
            }
            gone.extend(columns_of(&losses));
            step.loses = losses;
            if kind.is_mysql_family() && !copies.is_empty() {
                if step.tool.is_empty() {
                    locked::surround(&mut step, &copies, kind);
                } else {
                    // The tool has a session of its own, which our lock would keep out.
                    notes.push(format!(
                        "line {}: rows written between the copy and the tool's swap are not in \
                         the copy: stop the writers first",
                        step.line
                    ));
                }
            }
            steps.extend(before);
            steps.push(step);
        }
        for step in &mut steps {
            step.number = number;
            number += 1;
        }
        if transaction {
            kept.push(Group { transaction, foreign_keys, steps });
        } else {
            // What stands alone stays alone.
            kept.extend(steps.into_iter().map(|step| Group {
                transaction,
                foreign_keys,
                steps: vec![step],
            }));
        }
    }
    *groups = kept;
    notes
}

/// What is kept of a table.
struct Copy {
    table: TableFacts,
    /// The column kept; none for the whole table.
    column: Option<String>,
    label: String,
}

/// Returns the columns among what is lost.
fn columns_of(losses: &[DataLoss]) -> impl Iterator<Item = String> {
    losses.iter().filter(|loss| loss.kind == "column").map(|loss| loss.name.clone())
}

fn copy(loss: &DataLoss, version: &str, live: &Snapshot, gone: &Gone) -> Option<Copy> {
    let (name, column) = match loss.kind.as_str() {
        "table" => (loss.name.as_str(), None),
        "column" => {
            let (table, column) = loss.name.rsplit_once('.')?;
            (table, Some(column.to_owned()))
        }
        _ => return None,
    };
    let mut table = table_facts(live, name)?;
    let kind = live.server.kind;
    let dropped: BTreeSet<String> = gone
        .iter()
        .filter_map(|gone| gone.strip_prefix(name)?.strip_prefix('.'))
        .map(|column| ident(kind, column))
        .collect();
    table.stored.retain(|column| !dropped.contains(column));
    if table.key.iter().any(|column| dropped.contains(column)) {
        table.key.clear();
    }
    if column.is_some() && table.key.is_empty() {
        return None;
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    let mut label = match &column {
        Some(column) => format!("{version}_{last}_{column}"),
        None => format!("{version}_{last}"),
    };
    let prefix = if live.server.kind == ServerKind::Postgres { 0 } else { SCHEMA.len() + 1 };
    if label.len() + prefix > LONGEST {
        let digest = Digest::of_bytes(label.as_bytes());
        label = digest.as_str().chars().filter(char::is_ascii_alphanumeric).take(24).collect();
    }
    Some(Copy { table, column, label })
}

impl Copy {
    fn name(&self, kind: ServerKind) -> String {
        match kind {
            ServerKind::Postgres => format!("{SCHEMA}.{}", ident(kind, &self.label)),
            ServerKind::Mysql | ServerKind::Mariadb | ServerKind::Sqlite => {
                ident(kind, &format!("{SCHEMA}_{}", self.label))
            }
        }
    }

    fn statements(&self, kind: ServerKind, dropping: &Step) -> Vec<Step> {
        let (table, name) = (&self.table.name, self.name(kind));
        let select = format!("SELECT {} FROM {table}", self.columns(kind).join(", "));
        let plain = |sql: String, nature: Nature| step(dropping, sql, nature);
        match kind {
            ServerKind::Postgres => {
                // Nothing may be written between the copy and the drop.
                let mut lock =
                    plain(format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"), Nature::Atomic);
                lock.locks.clone_from(&dropping.locks);
                lock.locks.retain(|lock| lock.relation == self.table.relation);
                vec![
                    plain(format!("CREATE SCHEMA IF NOT EXISTS {SCHEMA}"), Nature::Atomic),
                    lock,
                    plain(format!("CREATE TABLE {name} AS {select}"), Nature::Atomic),
                ]
            }
            ServerKind::Sqlite => {
                vec![plain(format!("CREATE TABLE {name} AS {select}"), Nature::Atomic)]
            }
            ServerKind::Mysql | ServerKind::Mariadb => {
                let statements = locked::prepare(self, kind).into_iter();
                statements.map(|sql| plain(sql, Nature::Repeatable)).collect()
            }
        }
    }

    /// Returns the columns that are copied, as SQL.
    fn columns(&self, kind: ServerKind) -> Vec<String> {
        match &self.column {
            None => self.table.stored.clone(),
            Some(column) => self.table.key.iter().cloned().chain([ident(kind, column)]).collect(),
        }
    }
}

/// Returns a step of our own beside the one that drops.
fn step(dropping: &Step, sql: String, nature: Nature) -> Step {
    let timeouts = Timeouts { lock_ms: dropping.timeouts.lock_ms, statement_ms: 0 };
    let (line, column) = (dropping.line, dropping.column);
    Step { line, column, timeouts, ..Step::plain(sql, nature) }
}

/// Adds to the way back what brings the rows back, and marks what is kept.
pub(super) fn restore(
    statements: &mut Vec<String>,
    loses: &mut [DataLoss],
    planned: &PlannedMigration,
    before: &Snapshot,
) {
    let kind = before.server.kind;
    let mut cleared = Vec::new();
    let mut gone = Gone::new();
    for loss in planned.steps().flat_map(|step| &step.loses) {
        let Some(attic) = &loss.kept else { continue };
        let Some(copy) = copy(loss, &planned.version, before, &gone) else { continue };
        gone.extend(columns_of(std::slice::from_ref(loss)));
        for one in loses.iter_mut().filter(|one| one.kind == loss.kind && one.name == loss.name) {
            one.kept = Some(attic.clone());
        }
        let table = &copy.table;
        let mut fill = match &copy.column {
            None => vec![table.insert_from(attic, kind)],
            Some(column) => vec![table.update_from(attic, &ident(kind, column), kind)],
        };
        if copy.column.is_none() {
            fill.extend(table.counters(kind));
        }
        let at = made_at(statements, &copy).unwrap_or(statements.len());
        statements.splice(at..at, fill);
        cleared.push(format!("DROP TABLE IF EXISTS {attic}"));
    }
    statements.extend(cleared);
}

/// Returns the place after the statement that makes the table or column again.
fn made_at(statements: &[String], copy: &Copy) -> Option<usize> {
    let table = &copy.table.name;
    let makes = |sql: &String| match &copy.column {
        None => ["TABLE", "UNLOGGED TABLE"].iter().any(|word| {
            sql.strip_prefix(&format!("CREATE {word} {table}"))
                .is_some_and(|rest| rest.starts_with([' ', '(', '\n']))
        }),
        Some(column) => {
            sql.starts_with("ALTER TABLE")
                && sql.contains(table.as_str())
                && sql.contains("ADD COLUMN")
                && sql.contains(column.as_str())
        }
    };
    // SQLite makes the whole table anew: its rows are there after the last rename.
    statements.iter().position(makes).map(|at| at + 1)
}
