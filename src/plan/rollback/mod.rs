//! The way back from a migration, made from what the shadow run showed.
//!
//! In: the schema before and after, and the statements between. Out: statements that bring the
//! schema back, and what they cannot bring back. Nothing here is believed: the plan runs every way
//! back on the shadow and compares.

mod altered;
mod compare;
mod enums;
mod facts;
mod items;
mod mysql_tables;
mod renames;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

pub use compare::{Difference, compare, unified};
pub(super) use compare::{meaning, same_object};
pub use facts::{TableFacts, table_facts};
pub use renames::undo_renames;

pub(super) use self::items::parsed;
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
///
/// First goes what is new, last made first, and with it what tables got since; then everything
/// that was there comes back, in the order in which it was made; types go last, since columns
/// have them until then.
pub fn way_back(before: &Snapshot, now: &Snapshot) -> Way {
    let server = before.server;
    let mut change = Change::between(before, now);
    let mut way = Way::default();
    let mut altered = change.alter_tables(before, &mut way);
    change.alter_others(before, now, &mut altered, &mut way);
    match server.kind {
        ServerKind::Sqlite => change.renew_around(before, now, &altered.rebuilt),
        ServerKind::Postgres => {
            change.renew_readers(before, now, &altered.rebuilt);
            change.grant_again(before);
        }
        ServerKind::Mysql | ServerKind::Mariadb => {}
    }
    let (mut last, mut removed) = (Vec::new(), altered.shrunk);
    let attached = attached_indexes(now);
    change.remove.retain(|item| !item.is_one_of(&attached));
    for item in &change.remove {
        let Some(remove) = item.remove.clone().filter(|_| !change.goes_with_its_table(item)) else {
            continue;
        };
        let replaced = change.create.iter().any(|other| other.identity == item.identity);
        let list = if item.supports_columns() && !replaced { &mut last } else { &mut removed };
        list.push((item.at, remove));
    }
    // Stable sorts: what belongs to one object keeps its order, and goes backwards with it.
    removed.reverse();
    removed.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let mut made = altered.grown;
    for item in &change.create {
        let (settings, after) = item.around.clone();
        let statements = settings.into_iter().chain([item.create.clone()]).chain(after);
        made.extend(statements.map(|statement| (item.at, statement)));
        made.extend(item.refresh().map(|statement| (item.at, statement)));
    }
    made.sort_by_key(|(at, _)| *at);
    last.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let placed = removed.into_iter().chain(made).chain(last);
    way.statements = placed.map(|(_, statement)| statement).collect();
    // A foreign table has its rows elsewhere; a virtual one of SQLite has them here.
    let foreign =
        |table: &items::TableText| table.ast.foreign && server.kind == ServerKind::Postgres;
    let holds_rows = |item: &&Item| item.parts.as_ref().is_some_and(|table| !foreign(table));
    way.loses.extend(change.create.iter().filter(holds_rows).map(|item| {
        let name = full_name(item.identity.trim_start_matches("table "), server);
        DataLoss { kind: "table".to_owned(), name, rows: None, kept: None }
    }));
    way
}

/// Returns a name as plans write it: SQLite's snapshots leave out the schema.
fn full_name(name: &str, server: Server) -> String {
    if server.kind == ServerKind::Sqlite { format!("main.{name}") } else { name.to_owned() }
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

/// A statement, and the place in the snapshot of the object that it is about.
type Placed = (usize, String);

/// Statements that bring back what was and is there, differently.
#[derive(Default)]
struct Altered {
    /// Take away what tables got since; places of the schema now.
    shrunk: Vec<Placed>,
    /// Bring back what was; places of the schema before.
    grown: Vec<Placed>,
    /// Tables made anew (SQLite), or with columns of another type (PostgreSQL).
    rebuilt: BTreeSet<String>,
}

impl Change {
    fn between(before: &Snapshot, now: &Snapshot) -> Self {
        let server = before.server;
        let (was, is) = (items_only_in(before, now), items_only_in(now, before));
        let old: BTreeMap<&str, &Item> = was.iter().map(|i| (i.identity.as_str(), i)).collect();
        let new: BTreeMap<&str, &Item> = is.iter().map(|i| (i.identity.as_str(), i)).collect();
        let same = |one: &Item, other: Option<&&Item>| {
            other.is_some_and(|other| {
                one.around == other.around && compare::same_text(&one.create, &other.create, server)
            })
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

    /// Brings changed tables back, and notes which of their columns come back empty. What a
    /// partition has from its table comes back with that.
    fn alter_tables(&self, before: &Snapshot, way: &mut Way) -> Altered {
        let server = before.server;
        let partitions = partitions(before);
        let mut altered = Altered::default();
        let mut pairs = Vec::new();
        for (was, is) in &self.tables {
            let (Some(old), Some(new)) = (&was.parts, &is.parts) else { continue };
            pairs.push((was, is, old, new, tables::way_back(old, new, server)));
        }
        let of_parents: BTreeSet<String> = pairs
            .iter()
            .filter(|(_, _, old, ..)| old.ast.partition_by.is_some())
            .flat_map(|(_, _, old, _, back)| {
                let actions = back.shrink.iter().chain(&back.adds).chain(&back.actions);
                actions.map(|action| format!("{} {action}", old.name))
            })
            .collect();
        for (was, is, old, new, mut back) in pairs {
            let table = was.identity.trim_start_matches("table ");
            let parents = ancestors(table, &partitions);
            let own = |action: &String| {
                !parents.iter().any(|parent| of_parents.contains(&format!("{parent} {action}")))
            };
            for actions in [&mut back.shrink, &mut back.adds, &mut back.actions] {
                actions.retain(own);
            }
            let name = full_name(table, server);
            let comes_with_parent = |column: &&String| {
                parents.is_empty() || back.adds.iter().any(|add| add.contains(column.as_str()))
            };
            let empty = back.empty_columns.iter().filter(comes_with_parent);
            way.loses.extend(empty.map(|column| DataLoss {
                kind: "column".to_owned(),
                name: format!("{name}.{column}"),
                rows: None,
                kept: None,
            }));
            way.notes.extend(back.notes);
            let alter = |actions: &[String]| {
                let table = &new.name;
                (!actions.is_empty()).then(|| format!("ALTER TABLE {table} {}", actions.join(", ")))
            };
            altered.shrunk.extend(alter(&back.shrink).map(|sql| (is.at, sql)));
            altered.grown.extend(alter(&back.adds).map(|sql| (was.at, sql)));
            altered.grown.extend(alter(&back.actions).map(|sql| (was.at, sql)));
            altered.grown.extend(back.statements.into_iter().map(|sql| (was.at, sql)));
            if back.rebuilt {
                altered.rebuilt.insert(old.ast.name.to_string());
            }
        }
        altered
    }

    /// Taking a privilege on a whole table takes it on every column (PostgreSQL manual, "REVOKE"),
    /// so those that were given column by column are given again.
    fn grant_again(&mut self, before: &Snapshot) {
        let taken: BTreeSet<String> = self
            .remove
            .iter()
            .filter_map(|item| item.remove.as_deref()?.strip_prefix("REVOKE "))
            .filter_map(|rest| rest.split_once(" ON TABLE "))
            .map(|(_, rest)| rest.split(" FROM ").next().unwrap_or("").to_owned())
            .collect();
        for item in all_items(before, |object| object.kind == "grant") {
            let on = item.create.split_once(" ON TABLE ").map(|(_, rest)| rest);
            let on = on.and_then(|rest| rest.split(" TO ").next()).unwrap_or("");
            let known = self.create.iter().any(|other| other.create == item.create);
            if taken.contains(on) && !known {
                self.create.push(item);
            }
        }
    }

    /// Brings back what can be altered, so that what depends on it can stay.
    fn alter_others(
        &mut self,
        before: &Snapshot,
        now: &Snapshot,
        altered: &mut Altered,
        way: &mut Way,
    ) {
        let pairs: Vec<(Item, Item)> = self
            .create
            .iter()
            .filter_map(|item| {
                let now = self.remove.iter().find(|now| now.identity == item.identity)?;
                Some((item.clone(), now.clone()))
            })
            .collect();
        for (was, is) in pairs {
            let statements = match altered::alter_back(&was, &is, before.server) {
                Some(statements) => statements,
                None => match enums::rebuilt((&was, before), (&is, now)) {
                    Some(rebuilt) => {
                        altered.rebuilt.extend(rebuilt.tables);
                        way.notes.extend(rebuilt.note);
                        rebuilt.statements
                    }
                    None => continue,
                },
            };
            altered.grown.extend(statements.into_iter().map(|sql| (was.at, sql)));
            self.create.retain(|item| item.identity != was.identity);
            self.remove.retain(|item| item.identity != was.identity);
        }
    }

    /// An index, a trigger, a constraint of a table that is dropped needs no DROP of its own.
    fn goes_with_its_table(&self, item: &Item) -> bool {
        let dropped = |table: &String| {
            self.remove.iter().any(|other| other.identity == *table && other.parts.is_some())
        };
        item.table.as_ref().is_some_and(dropped)
    }

    /// PostgreSQL: views that read a table or view which is made anew, or of which a column gets
    /// another type, have to make way, with everything that hangs on them.
    fn renew_readers(&mut self, before: &Snapshot, now: &Snapshot, tables: &BTreeSet<String>) {
        let mut anew = tables.clone();
        for item in &self.remove {
            anew.insert(item.identity.split_once(' ').map_or("", |(_, name)| name).to_owned());
        }
        for item in self.remove.iter().filter(|item| item.identity.starts_with("materialized")) {
            anew.insert(item.identity.trim_start_matches("materialized view ").to_owned());
        }
        let views = |snapshot: &Snapshot| -> Vec<Item> {
            all_items(snapshot, |object| object.kind.ends_with("view"))
                .into_iter()
                .filter(|item| !item.reads.is_empty())
                .collect()
        };
        let mut renewed = BTreeSet::new();
        loop {
            let more = views(now).into_iter().find(|view| {
                !self.remove.iter().any(|other| other.identity == view.identity)
                    && view.reads.iter().any(|name| anew.contains(name))
            });
            let Some(view) = more else { break };
            let name = view.relation_name().to_owned();
            anew.insert(name.clone());
            renewed.insert(name);
            self.remove.push(view);
        }
        let back = all_items(before, |object| {
            let relation = object.relation.as_ref().unwrap_or(&object.name);
            renewed.contains(&relation.to_string())
        });
        for item in back {
            if !self.create.iter().any(|other| other.identity == item.identity) {
                self.create.push(item);
            }
        }
    }

    /// SQLite: what hangs on a table that is made anew goes with it and comes back afterwards, and
    /// views and triggers that read it make way, because RENAME checks them (manual, "ALTER TABLE",
    /// section 7).
    fn renew_around(&mut self, before: &Snapshot, now: &Snapshot, rebuilt: &BTreeSet<String>) {
        let rebuilt: BTreeSet<String> = rebuilt.iter().map(|name| name.to_lowercase()).collect();
        if rebuilt.is_empty() {
            return;
        }
        let concerns = |item: &Item| {
            let on = item.table.as_deref().map(|t| t.trim_start_matches("table ").to_lowercase());
            let on = on.is_some_and(|table| rebuilt.contains(last_part(&table)));
            let reads = item.reads.iter().any(|name| rebuilt.contains(&name.to_lowercase()));
            (on, reads)
        };
        for item in all_items(now, |object| object.kind != "table") {
            let (on, reads) = concerns(&item);
            let known = self.remove.iter().any(|other| other.identity == item.identity);
            if reads && !on && !known {
                self.remove.push(item);
            } else if on {
                // It goes with the table that is dropped.
                self.remove.retain(|other| other.identity != item.identity);
            }
        }
        for item in all_items(before, |object| object.kind != "table") {
            let (on, reads) = concerns(&item);
            if (on || reads) && !self.create.iter().any(|other| other.identity == item.identity) {
                self.create.push(item);
            }
        }
    }
}

/// Returns the tables of which each table is a partition, as SQL names.
fn partitions(snapshot: &Snapshot) -> BTreeMap<String, String> {
    let attached = snapshot.objects.iter().filter(|object| object.kind == "partition");
    attached
        .filter_map(|object| {
            let statement = object.statements.first()?;
            let parent = statement.strip_prefix("ALTER TABLE ONLY ")?;
            Some((object.name.to_string(), parent.split(" ATTACH ").next()?.to_owned()))
        })
        .collect()
}

/// Returns the tables above a partition, as SQL names.
fn ancestors(table: &str, partitions: &BTreeMap<String, String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut name = table.to_owned();
    while let Some(parent) = partitions.get(&name).filter(|parent| !found.contains(parent)) {
        found.push(parent.clone());
        name = parent.replace('"', "");
    }
    found
}

/// Returns the indexes that go with the index of a partitioned table, by full name.
fn attached_indexes(snapshot: &Snapshot) -> BTreeSet<String> {
    let attached = snapshot.objects.iter().filter(|object| object.kind == "index-partition");
    attached.map(|object| object.name.to_string()).collect()
}

/// Returns the items of the objects that pass, with their places.
fn all_items(snapshot: &Snapshot, passes: impl Fn(&SnapshotObject) -> bool) -> Vec<Item> {
    let objects = snapshot.objects.iter().enumerate().filter(|(_, object)| passes(object));
    objects
        .flat_map(|(at, object)| {
            items(object, snapshot.server).into_iter().map(move |item| Item { at, ..item })
        })
        .collect()
}

/// Returns the items of the objects of one snapshot that the other does not hold in the same words.
fn items_only_in(one: &Snapshot, other: &Snapshot) -> Vec<Item> {
    let there = keyed(other);
    all_items(one, |object| !is_known(object, &there))
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

type Key<'a> = (&'a str, String, Option<String>);

fn keyed(snapshot: &Snapshot) -> BTreeMap<Key<'_>, &Vec<String>> {
    snapshot.objects.iter().map(|object| (key(object), &object.statements)).collect()
}

fn is_known(object: &SnapshotObject, there: &BTreeMap<Key<'_>, &Vec<String>>) -> bool {
    there.get(&key(object)).is_some_and(|statements| **statements == object.statements)
}

/// Returns the objects of one snapshot that the other does not hold in the same words.
fn only_in<'a>(one: &'a Snapshot, other: &Snapshot) -> Vec<&'a SnapshotObject> {
    let there = keyed(other);
    one.objects.iter().filter(|object| !is_known(object, &there)).collect()
}

/// What an object is called: two objects with one key are the same one before and after.
pub(super) fn key(object: &SnapshotObject) -> Key<'_> {
    let relation = object.relation.as_ref().map(ToString::to_string);
    (object.kind.as_str(), object.name.to_string(), relation)
}
