//! The way back from a migration, made from what the shadow run showed.
//!
//! In: the schema before and after, and the statements between. Out: statements that bring the
//! schema back, and what they cannot bring back. Nothing here is believed: the plan runs every way
//! back on the shadow and compares.

mod compare;
mod items;
mod renames;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use compare::same_object;
pub use compare::{Difference, compare, unified};
pub use renames::undo_renames;

use self::items::{Item, items};
use super::model::DataLoss;
use crate::db::{Snapshot, SnapshotObject};
use crate::sql::{Server, ServerKind};

/// A way back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Way {
    /// Statements in order.
    pub statements: Vec<String>,
    /// Tables and columns that come back empty.
    pub loses: Vec<DataLoss>,
    /// What stays different, one sentence each.
    pub notes: Vec<String>,
}

/// Returns the statements that lead from `now` back to `before`, renames set aside.
pub fn way_back(before: &Snapshot, now: &Snapshot) -> Way {
    let server = before.server;
    let mut change = Change::between(before, now);
    let mut way = Way::default();
    let altered = change.alter_tables(server, &mut way);
    if server.kind == ServerKind::Sqlite {
        change.renew_around(before, now, &altered.rebuilt);
    }
    for item in change.remove.iter().rev() {
        if let Some(remove) = &item.remove
            && !change.goes_with_its_table(item)
        {
            way.statements.push(remove.clone());
        }
    }
    way.statements.extend(altered.statements);
    way.statements.extend(change.create.iter().map(|item| item.create.clone()));
    way.loses.extend(change.create.iter().filter(|item| item.parts.is_some()).map(|item| {
        let name = item.identity.trim_start_matches("table ").to_owned();
        DataLoss { kind: "table".to_owned(), name, rows: None, kept: None }
    }));
    way
}

/// What differs between two snapshots, statement by statement.
struct Change {
    /// What is there now and was not, in the order of its making.
    remove: Vec<Item>,
    /// What was there and is not, in the order of its making.
    create: Vec<Item>,
    /// Tables that were and are there, differently: before and now.
    tables: Vec<(Item, Item)>,
}

/// Statements that bring changed tables back.
#[derive(Default)]
struct Altered {
    statements: Vec<String>,
    /// Tables made anew, by the last part of their name.
    rebuilt: BTreeSet<String>,
}

impl Change {
    fn between(before: &Snapshot, now: &Snapshot) -> Self {
        let server = before.server;
        let (was, is) = (only_in(before, now), only_in(now, before));
        let was: Vec<Item> = was.into_iter().flat_map(|object| items(object, server)).collect();
        let is: Vec<Item> = is.into_iter().flat_map(|object| items(object, server)).collect();
        let old: BTreeMap<&str, &Item> = was.iter().map(|i| (i.identity.as_str(), i)).collect();
        let new: BTreeMap<&str, &Item> = is.iter().map(|i| (i.identity.as_str(), i)).collect();
        let same = |one: &Item, other: Option<&&Item>| {
            other.is_some_and(|other| compare::same_text(&one.create, &other.create, server))
        };
        let mut tables = Vec::new();
        let mut create = Vec::new();
        for item in &was {
            let there = new.get(item.identity.as_str());
            match there {
                _ if same(item, there) => {}
                Some(now) if item.parts.is_some() && now.parts.is_some() => {
                    tables.push((item.clone(), (*now).clone()));
                }
                Some(_) | None => create.push(item.clone()),
            }
        }
        let paired = |item: &&Item| tables.iter().any(|(_, now)| now.identity == item.identity);
        let remove = is
            .iter()
            .filter(|item| !same(item, old.get(item.identity.as_str())) && !paired(item))
            .cloned()
            .collect();
        Self { remove, create, tables }
    }

    /// Brings changed tables back, and notes which of their columns come back empty.
    fn alter_tables(&self, server: Server, way: &mut Way) -> Altered {
        let mut altered = Altered::default();
        for (before, now) in &self.tables {
            let (Some(was), Some(is)) = (&before.parts, &now.parts) else { continue };
            let back = tables::way_back(was, is, server);
            let table = before.identity.trim_start_matches("table ");
            way.loses.extend(back.empty_columns.iter().map(|column| DataLoss {
                kind: "column".to_owned(),
                name: format!("{table}.{column}"),
                rows: None,
                kept: None,
            }));
            way.notes.extend(back.notes);
            altered.statements.extend(back.statements);
            if back.rebuilt {
                altered.rebuilt.insert(was.ast.name.name().to_lowercase());
            }
        }
        altered
    }

    /// An index, a trigger, a constraint of a table that is dropped needs no DROP of its own.
    fn goes_with_its_table(&self, item: &Item) -> bool {
        let dropped = |table: &String| {
            self.remove.iter().any(|other| other.identity == *table && other.parts.is_some())
        };
        item.table.as_ref().is_some_and(dropped)
    }

    /// SQLite: what hangs on a table that is made anew goes with it and comes back afterwards, and
    /// views and triggers that read it make way, because RENAME checks them (manual, "ALTER TABLE",
    /// section 7).
    fn renew_around(&mut self, before: &Snapshot, now: &Snapshot, rebuilt: &BTreeSet<String>) {
        if rebuilt.is_empty() {
            return;
        }
        let server = before.server;
        let concerns = |item: &Item| {
            let on = item.table.as_deref().map(|t| t.trim_start_matches("table ").to_lowercase());
            let on = on.is_some_and(|table| rebuilt.contains(last_part(&table)));
            let reads = item.reads.iter().any(|name| rebuilt.contains(&name.to_lowercase()));
            (on, reads)
        };
        let collect = |snapshot: &Snapshot| -> Vec<Item> {
            let others = snapshot.objects.iter().filter(|object| object.kind != "table");
            others.flat_map(|object| items(object, server)).collect()
        };
        for item in collect(now) {
            let (on, reads) = concerns(&item);
            let known = self.remove.iter().any(|other| other.identity == item.identity);
            if reads && !on && !known {
                self.remove.push(item);
            } else if on {
                // It goes with the table that is dropped.
                self.remove.retain(|other| other.identity != item.identity);
            }
        }
        let mut create = std::mem::take(&mut self.create);
        for item in collect(before) {
            let (on, reads) = concerns(&item);
            if (on || reads) && !create.iter().any(|other| other.identity == item.identity) {
                create.push(item);
            }
        }
        self.create = create;
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Returns the objects of one snapshot that the other does not hold in the same words.
fn only_in<'a>(one: &'a Snapshot, other: &Snapshot) -> Vec<&'a SnapshotObject> {
    let there: BTreeMap<_, _> =
        other.objects.iter().map(|object| (key(object), &object.statements)).collect();
    let known = |object: &&SnapshotObject| {
        there.get(&key(object)).is_some_and(|statements| **statements == object.statements)
    };
    one.objects.iter().filter(|object| !known(object)).collect()
}

/// What an object is called: two objects with one key are the same one before and after.
pub(super) fn key(object: &SnapshotObject) -> (&str, String, Option<String>) {
    let relation = object.relation.as_ref().map(ToString::to_string);
    (object.kind.as_str(), object.name.to_string(), relation)
}
