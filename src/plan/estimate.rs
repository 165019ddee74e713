//! How long a lock is likely to be held: what the statement has to read and write under it, at the
//! speed of ordinary hardware.
//!
//! Pure. An estimate is a range and says what it rests on; where a size is not known there is none.

use std::collections::BTreeMap;

use super::model::{Estimate, Group, PlannedMigration, Step};
use crate::schema::{Name, Size};
use crate::sql::ServerKind;

/// Megabytes a second, slow and fast: between a busy disk in the cloud and an idle machine with
/// everything in memory.
struct Speed {
    verb: &'static str,
    slow: u64,
    fast: u64,
}

const REWRITE: Speed = Speed { verb: "written anew", slow: 20, fast: 200 };
const BUILD: Speed = Speed { verb: "indexed", slow: 15, fast: 120 };
const SCAN: Speed = Speed { verb: "read", slow: 100, fast: 1500 };

/// A change of the catalog alone.
const CATALOG: (u64, u64) = (1, 50);

/// What a statement does under its locks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Work {
    low_ms: u64,
    high_ms: u64,
    parts: Vec<String>,
}

/// Fills in an estimate for every lock that makes others wait.
pub(super) fn fill(
    migrations: &mut [PlannedMigration],
    sizes: &BTreeMap<Name, Size>,
    server: ServerKind,
) {
    for group in migrations.iter_mut().flat_map(|migration| &mut migration.groups) {
        fill_group(group, sizes, server);
    }
}

fn fill_group(group: &mut Group, sizes: &BTreeMap<Name, Size>, server: ServerKind) {
    let works: Vec<Option<Work>> = group.steps.iter().map(|step| work(step, sizes)).collect();
    for (number, step) in group.steps.iter_mut().enumerate() {
        for lock in step.locks.iter_mut().filter(|lock| lock.in_use && !lock.blocks.is_empty()) {
            // SQLite takes it to write the journal back, when the transaction commits.
            let commit = server == ServerKind::Sqlite && lock.mode == "EXCLUSIVE";
            if commit && lock.during == "instant" {
                let (low_ms, high_ms) = CATALOG;
                lock.estimate =
                    Some(Estimate { low_ms, high_ms, basis: "the commit alone".to_owned() });
                continue;
            }
            let to_end = group.transaction && lock.held_until == "transaction-end";
            let last = if to_end { works.len() } else { number + 1 };
            let held: Option<Vec<&Work>> =
                works.iter().take(last).skip(number).map(Option::as_ref).collect();
            lock.estimate = held.map(|works| sum(&works, lock.held_until == "statement-end"));
        }
    }
}

fn sum(works: &[&Work], one: bool) -> Estimate {
    let low_ms = works.iter().map(|work| work.low_ms).sum();
    let high_ms = works.iter().map(|work| work.high_ms).sum();
    let parts: Vec<&str> = works.iter().flat_map(|work| &work.parts).map(String::as_str).collect();
    let span = match (one, works.len()) {
        (true, _) | (false, 1) => String::new(),
        (false, 2) => ", and the statement after it in the transaction".to_owned(),
        (false, count) => {
            format!(", and the {} statements after it in the transaction", count - 1)
        }
    };
    let basis = if parts.is_empty() {
        format!("changes of the catalog alone{span}")
    } else {
        format!("{}{span}", parts.join("; "))
    };
    Estimate { low_ms, high_ms, basis }
}

/// Returns what a statement does; none where a table has no known size.
fn work(step: &Step, sizes: &BTreeMap<Name, Size>) -> Option<Work> {
    let mut work = Work { low_ms: CATALOG.0, high_ms: CATALOG.1, parts: Vec::new() };
    for table in &step.rewrites {
        work.add(table, size(table, sizes)?, &REWRITE);
    }
    let rest = step.scans.iter().filter(|table| !step.rewrites.contains(table));
    for table in rest {
        work.add(table, size(table, sizes)?, &SCAN);
    }
    if !step.builds.is_empty() && step.rewrites.is_empty() {
        // An index does not say its table: it is the one that the statement locks.
        let table = step
            .locks
            .iter()
            .filter(|lock| lock.during == "index build" || lock.during == "index-build")
            .map(|lock| &lock.relation)
            .next()
            .or_else(|| step.locks.first().map(|lock| &lock.relation))?;
        let size = size(table, sizes)?;
        for _ in &step.builds {
            work.add(table, size, &BUILD);
        }
    }
    Some(work)
}

impl Work {
    fn add(&mut self, table: &str, size: Size, speed: &Speed) {
        let milliseconds = |rate: u64| size.bytes / (rate * 1000);
        self.low_ms += milliseconds(speed.fast);
        self.high_ms += milliseconds(speed.slow);
        let Speed { verb, slow, fast } = speed;
        self.parts.push(format!(
            "{} of {table} ({} rows) {verb} at {slow} to {fast} MB/s (assumed)",
            bytes(size.bytes),
            size.rows
        ));
    }
}

fn size(table: &str, sizes: &BTreeMap<Name, Size>) -> Option<Size> {
    let name = match table.rsplit_once('.') {
        Some((schema, name)) => Name::new(schema, name),
        None => Name::new("", table),
    };
    let bare =
        || sizes.iter().find(|(there, _)| there.name == name.name && there.schema.is_empty());
    sizes.get(&name).copied().or_else(|| bare().map(|(_, size)| *size))
}

/// Writes a number of bytes for people.
pub(super) fn bytes(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes;
    let mut tenths = 0;
    let mut unit = 0;
    while value >= 1000 && unit + 1 < units.len() {
        tenths = value % 1000 / 100;
        value /= 1000;
        unit += 1;
    }
    let unit = units.get(unit).copied().unwrap_or("B");
    if tenths > 0 && value < 10 {
        format!("{value}.{tenths} {unit}")
    } else {
        format!("{value} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_for_people() {
        let written = [0, 999, 8_192, 12_345_678, 1_500_000_000].map(bytes);
        assert_eq!(written, ["0 B", "999 B", "8.1 kB", "12 MB", "1.5 GB"]);
    }

    #[test]
    fn work_follows_the_size_of_the_table() {
        let mut work = Work::default();
        work.add("public.t", Size { rows: 10, bytes: 2_000_000_000, ..Size::default() }, &REWRITE);
        assert_eq!((work.low_ms, work.high_ms), (10_000, 100_000));
        assert_eq!(
            work.parts,
            ["2 GB of public.t (10 rows) written anew at 20 to 200 MB/s (assumed)"]
        );
    }
}
