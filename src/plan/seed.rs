//! What of a large schema a dry run needs: what the migrations name, what depends on that, and what
//! those are made of.
//!
//! Pure. Objects are told by the words of their texts, in strings and bodies too, and without
//! regard to case: too many may be taken, never too few. A migration that may reach what it does
//! not name (a block of code, a whole schema) gets the whole schema.

use std::collections::{BTreeSet, HashMap};

use crate::db::{Snapshot, SnapshotObject};
use crate::sql::Migration;
use crate::sql::ast::{ObjectKind, Statement, StatementKind};

/// How much of the schema is loaded for the dry run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeding {
    /// All of a small one, what the migrations concern of a large one.
    BySize,
    /// What the migrations concern.
    Concerned,
}

/// A schema of fewer objects is loaded whole: that takes no time.
const SMALL: usize = 2000;

/// Returns the part of the schema that the migrations concern; none where that is all of it.
pub(super) fn concerned(
    live: &Snapshot,
    pending: &[&Migration],
    seeding: Seeding,
) -> Option<Snapshot> {
    if seeding == Seeding::BySize && live.objects.len() < SMALL {
        return None;
    }
    let mut named = BTreeSet::new();
    for migration in pending {
        for script in std::iter::once(&migration.up).chain(&migration.down) {
            for statement in &script.statements {
                let text = script.slice(statement.span);
                if !names_all(statement) || text.contains("U&\"") || text.contains("u&\"") {
                    return None;
                }
                named.extend(words(text));
            }
        }
    }
    let objects = &live.objects;
    let taken = Reading::of(objects).taken(&named)?;
    let mut part = live.clone();
    let mut keep = taken.into_iter();
    part.objects.retain(|_| keep.next().unwrap_or(true));
    Some(part)
}

/// Says whether a statement names everything that it changes.
fn names_all(statement: &Statement) -> bool {
    let kind = &statement.kind;
    if let StatementKind::Drop(drop) = kind {
        return one_of_many(drop.object);
    }
    if let StatementKind::Rename(rename) = kind {
        return one_of_many(rename.object);
    }
    if let StatementKind::Grant(grant) = kind {
        return !grant.names.is_empty() && one_of_many(grant.object);
    }
    if let StatementKind::Pragma(pragma) = kind {
        return pragma.name != "writable_schema";
    }
    matches!(
        kind,
        StatementKind::CreateTable(_)
            | StatementKind::AlterTable(_)
            | StatementKind::CreateIndex(_)
            | StatementKind::AlterIndex(_)
            | StatementKind::Comment(_)
            | StatementKind::CreateView(_)
            | StatementKind::RefreshMaterializedView(_)
            | StatementKind::CreateSequence(_)
            | StatementKind::AlterSequence(_)
            | StatementKind::CreateType(_)
            | StatementKind::AlterType(_)
            | StatementKind::CreateDomain(_)
            | StatementKind::AlterDomain(_)
            | StatementKind::CreateRoutine(_)
            | StatementKind::CreateTrigger(_)
            | StatementKind::CreateEvent(_)
            | StatementKind::CreateRule(_)
            | StatementKind::Policy(_)
            | StatementKind::CreateSchema(_)
            | StatementKind::Statistics(_)
            | StatementKind::Truncate(_)
            | StatementKind::Dml(_)
            | StatementKind::Transaction(_)
            | StatementKind::Set(_)
            | StatementKind::Lock(_)
    )
}

/// Says whether an object of the kind stands for itself, and not for all that is in it.
fn one_of_many(object: ObjectKind) -> bool {
    let all = [
        ObjectKind::Schema,
        ObjectKind::Database,
        ObjectKind::Extension,
        ObjectKind::Role,
        ObjectKind::Tablespace,
        ObjectKind::Language,
        ObjectKind::AccessMethod,
        ObjectKind::ForeignDataWrapper,
        ObjectKind::Server,
    ];
    !all.contains(&object)
}

/// The words of a text: names may stand in quotes, strings, bodies.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    text.split(move |c| !is_part(c)).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Kinds of which there may be many, and which are taken one by one; others are always taken.
fn is_chosen(kind: &str) -> bool {
    const KINDS: [&str; 24] = [
        "table",
        "foreign-table",
        "view",
        "materialized-view",
        "index",
        "constraint",
        "foreign-key",
        "trigger",
        "rule",
        "policy",
        "statistics",
        "sequence",
        "sequence-owner",
        "partition",
        "index-partition",
        "clustered",
        "replica-identity",
        "tablespace",
        "default",
        "grant",
        "function",
        "procedure",
        "aggregate",
        "event",
    ];
    KINDS.contains(&kind)
}

/// What a table or view cannot do without, whoever uses it.
fn is_part(kind: &str) -> bool {
    ["constraint", "index", "default", "partition", "index-partition", "sequence-owner"]
        .contains(&kind)
}

/// Ends of names that PostgreSQL makes up; which number follows depends on the names there are.
const MADE_UP: [&str; 9] =
    ["_idx", "_key", "_pkey", "_fkey", "_check", "_seq", "_excl", "_stat", "_not_null"];

/// So much of a table's name is in a made-up name, however long the columns' names are.
const STEM: usize = 20;

/// Objects with their words.
struct Reading<'a> {
    objects: &'a [SnapshotObject],
    /// The words of each object's name.
    names: Vec<Vec<String>>,
    /// The words of each object's text.
    texts: Vec<BTreeSet<String>>,
    /// Objects whose name begins with a word.
    named: HashMap<String, Vec<usize>>,
    /// Objects whose text has a word.
    mentioning: HashMap<String, Vec<usize>>,
    /// Objects that belong to a relation.
    parts: HashMap<&'a crate::schema::Name, Vec<usize>>,
}

impl<'a> Reading<'a> {
    fn of(objects: &'a [SnapshotObject]) -> Self {
        let mut reading = Self {
            objects,
            names: Vec::with_capacity(objects.len()),
            texts: Vec::with_capacity(objects.len()),
            named: HashMap::new(),
            mentioning: HashMap::new(),
            parts: HashMap::new(),
        };
        for (at, object) in objects.iter().enumerate() {
            // A routine's name carries its argument types.
            let name = object.name.name.split('(').next().unwrap_or_default();
            let name: Vec<String> = words(name).collect();
            let mut text: BTreeSet<String> =
                object.statements.iter().flat_map(|sql| words(sql)).collect();
            text.extend(object.relation.iter().flat_map(|relation| words(&relation.name)));
            if let Some(first) = name.first() {
                reading.named.entry(first.clone()).or_default().push(at);
            }
            for word in &text {
                reading.mentioning.entry(word.clone()).or_default().push(at);
            }
            if let Some(relation) = &object.relation {
                reading.parts.entry(relation).or_default().push(at);
            }
            reading.names.push(name);
            reading.texts.push(text);
        }
        reading
    }

    /// Returns the objects whose names are among these words.
    fn named_by(&self, words: &BTreeSet<String>) -> Vec<usize> {
        let candidates = words.iter().filter_map(|word| self.named.get(word)).flatten().copied();
        let whole = |at: &usize| {
            self.names.get(*at).is_some_and(|name| name.iter().all(|word| words.contains(word)))
        };
        candidates.filter(whole).collect()
    }

    /// Returns the objects that mention this one.
    fn users_of(&self, at: usize) -> Vec<usize> {
        let Some(name) = self.names.get(at) else { return Vec::new() };
        let Some(first) = name.first().and_then(|word| self.mentioning.get(word)) else {
            return Vec::new();
        };
        let all = |user: &usize| {
            self.texts.get(*user).is_some_and(|text| name.iter().all(|word| text.contains(word)))
        };
        first.iter().copied().filter(all).collect()
    }

    /// Says which objects are taken; none where it cannot be told.
    fn taken(&self, named: &BTreeSet<String>) -> Option<Vec<bool>> {
        let mut touched = vec![false; self.objects.len()];
        let mut open = self.named_by(named);
        open.extend(self.made_up(&open));
        while let Some(at) = open.pop() {
            let Some(mark) = touched.get_mut(at).filter(|mark| !**mark) else { continue };
            *mark = true;
            open.extend(self.users_of(at));
        }
        let mut taken = touched.clone();
        for (mark, object) in taken.iter_mut().zip(self.objects) {
            *mark |= !is_chosen(&object.kind);
        }
        let mut open: Vec<usize> =
            taken.iter().enumerate().filter_map(|(at, taken)| taken.then_some(at)).collect();
        while let Some(at) = open.pop() {
            let (Some(object), Some(text)) = (self.objects.get(at), self.texts.get(at)) else {
                continue;
            };
            let routine = matches!(object.kind.as_str(), "function" | "procedure" | "event");
            if routine && (text.contains("execute") || text.contains("prepare")) {
                // It may put names together.
                return None;
            }
            let parts = self.parts.get(&object.name).into_iter().flatten().copied();
            let parts = parts.filter(|at| self.objects.get(*at).is_some_and(|o| is_part(&o.kind)));
            for needed in self.named_by(text).into_iter().chain(parts) {
                if let Some(mark) = taken.get_mut(needed).filter(|mark| !**mark) {
                    *mark = true;
                    open.push(needed);
                }
            }
        }
        Some(taken)
    }

    /// Returns objects whose names the server may have made up for one of these, and would not
    /// make up again.
    fn made_up(&self, touched: &[usize]) -> Vec<usize> {
        let stem = |name: &str| name.chars().take(STEM).collect::<String>();
        let stems: BTreeSet<String> = touched
            .iter()
            .filter_map(|at| self.objects.get(*at))
            .map(|object| stem(&object.name.name))
            .collect();
        let is_made_up = |object: &SnapshotObject| {
            let name = &object.name.name;
            let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
            MADE_UP.iter().any(|end| bare.ends_with(end))
                && stems.iter().any(|stem| name.starts_with(stem.as_str()))
        };
        let objects = self.objects.iter().enumerate();
        objects.filter_map(|(at, object)| is_made_up(object).then_some(at)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Name;
    use crate::sql::{Server, ServerKind};

    fn snapshot() -> Snapshot {
        let mut snapshot = Snapshot::empty(Server::of(ServerKind::Postgres));
        let all = [
            ("type", "state", None, "CREATE TYPE state AS ENUM ('a')"),
            ("function", "f(integer)", None, "CREATE FUNCTION f(integer) … 'SELECT 1 FROM logs'"),
            ("table", "customers", None, "CREATE TABLE public.customers (id int)"),
            ("table", "orders", None, "CREATE TABLE public.orders (id int, s state)"),
            ("table", "lines", None, "CREATE TABLE public.lines (id int)"),
            ("table", "logs", None, "CREATE TABLE public.logs (id int)"),
            ("constraint", "customers_pkey", Some("customers"), "ALTER TABLE … PRIMARY KEY (id)"),
            (
                "foreign-key",
                "orders_customer",
                Some("orders"),
                "ALTER TABLE public.orders ADD … REFERENCES public.customers",
            ),
            (
                "foreign-key",
                "lines_order",
                Some("lines"),
                "ALTER TABLE public.lines ADD … REFERENCES public.orders",
            ),
            ("view", "open", None, "CREATE VIEW public.open AS SELECT * FROM \"orders\""),
            ("view", "Far Away", None, "CREATE VIEW \"Far Away\" AS SELECT f(id) FROM open"),
        ];
        for (kind, name, relation, sql) in all {
            snapshot.objects.push(SnapshotObject {
                kind: kind.to_owned(),
                name: Name::new("public", name),
                relation: relation.map(|name| Name::new("public", name)),
                note: None,
                statements: vec![sql.to_owned()],
            });
        }
        snapshot
    }

    fn taken(text: &str) -> Vec<String> {
        let snapshot = snapshot();
        let named = words(text).collect();
        let taken = Reading::of(&snapshot.objects).taken(&named).expect("no code is run");
        let objects = snapshot.objects.iter().zip(taken).filter(|(_, taken)| *taken);
        objects.map(|(object, _)| object.name.name.clone()).collect()
    }

    #[test]
    fn what_is_named_comes_with_its_users_and_what_they_are_made_of() {
        assert_eq!(taken("ALTER TABLE other ADD a int"), ["state"]);
        let logs = taken("DROP TABLE logs");
        assert_eq!(logs, ["state", "f(integer)", "orders", "logs", "open", "Far Away"]);
        let orders = taken("ALTER TABLE orders ADD a int");
        let wanted = [
            "state",
            "f(integer)",
            "customers",
            "orders",
            "lines",
            "logs",
            "customers_pkey",
            "orders_customer",
            "lines_order",
            "open",
            "Far Away",
        ];
        assert_eq!(orders, wanted);
        let lines = taken("ALTER TABLE lines ADD a int");
        assert_eq!(lines, ["state", "orders", "lines", "lines_order"]);
    }

    #[test]
    fn a_name_that_the_server_made_up_is_kept_from_being_made_up_twice() {
        let found = taken("ALTER TABLE customers ADD UNIQUE (a)");
        assert!(found.contains(&"customers_pkey".to_owned()), "{found:?}");
    }
}
