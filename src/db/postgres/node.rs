//! Objects with what they depend on, before they are put in order.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::class::{Class, Key, Rank};
use super::create::Table;
use crate::db::rows::Row;
use crate::schema::Name;

/// An object.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) rank: Rank,
    pub(super) kind: &'static str,
    pub(super) name: Name,
    pub(super) relation: Option<Name>,
    pub(super) note: Option<String>,
    pub(super) statements: Vec<String>,
    /// Tables are written last, when it is known which parts must stand outside.
    pub(super) table: Option<Box<Table>>,
    /// Comments come after everything else about the object.
    pub(super) comments: Vec<String>,
}

impl Node {
    /// Returns an object with one statement.
    pub(super) fn new(rank: Rank, kind: &'static str, name: Name, statement: String) -> Self {
        let statements = vec![statement];
        let (relation, note, table, comments) = (None, None, None, Vec::new());
        Self { rank, kind, name, relation, note, statements, table, comments }
    }

    /// Says which table or view it belongs to.
    pub(super) fn on(mut self, relation: Name) -> Self {
        self.relation = Some(relation);
        self
    }
}

/// One dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    /// Who depends.
    pub(super) from: usize,
    /// On whom.
    pub(super) on: usize,
    /// The part of the table that causes it, where that part can stand outside the table.
    pub(super) part: Option<Key>,
}

/// What a sequence belongs to, kept until its table is known.
#[derive(Debug)]
pub(super) struct OwnedSequence {
    pub(super) sequence: Key,
    pub(super) table: u64,
    pub(super) name: Name,
    pub(super) statement: String,
}

/// All objects, and where each catalog entry went.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    pub(super) list: Vec<Node>,
    /// Which object a catalog entry belongs to.
    pub(super) places: HashMap<Key, usize>,
    /// How comments and grants name a catalog entry: `TABLE public.orders`.
    pub(super) addresses: HashMap<Key, String>,
    pub(super) edges: BTreeSet<Edge>,
    pub(super) roles: BTreeSet<String>,
    /// Column names of relations by number, for comments.
    pub(super) columns: HashMap<(u64, u64), String>,
    /// Quoted names of relations.
    pub(super) relations: HashMap<u64, (Name, String)>,
    /// Parts of tables that may stand outside: defaults and checks.
    pub(super) parts: BTreeMap<Key, usize>,
    /// Sequences that a column owns.
    pub(super) owned: Vec<OwnedSequence>,
    /// Functions that read or write the values of a base type, and that type.
    pub(super) reads_values: BTreeSet<(u64, u64)>,
    /// Partitions by their table.
    pub(super) partitions: HashMap<u64, Vec<u64>>,
    made_up: u64,
}

impl Nodes {
    /// Adds an object that stands in a catalog.
    pub(super) fn add(&mut self, key: Key, address: &str, node: Node) -> usize {
        let place = self.list.len();
        self.list.push(node);
        self.places.insert(key, place);
        if !address.is_empty() {
            self.addresses.insert(key, address.to_owned());
        }
        place
    }

    /// Adds something that follows other objects.
    pub(super) fn follow(&mut self, after: &[Key], node: Node) {
        self.made_up += 1;
        let from = self.add((Class::After, self.made_up), "", node);
        for key in after {
            if let Some(on) = self.places.get(key).copied() {
                self.edges.insert(Edge { from, on, part: None });
            }
        }
    }

    /// Lets one object wait for another.
    pub(super) fn depend(&mut self, key: Key, other: Key) {
        if let (Some(from), Some(on)) = (self.places.get(&key), self.places.get(&other)) {
            self.edges.insert(Edge { from: *from, on: *on, part: None });
        }
    }

    /// Lets what stands on a partitioned table wait until its partitions are attached.
    pub(super) fn after_partitions(&mut self, key: Key, table: u64) {
        let mut attached = self.partitions.get(&table).cloned().unwrap_or_default();
        attached.push(table);
        for partition in attached {
            self.depend(key, (Class::Attach, partition));
        }
    }

    /// Lets another catalog entry be part of an object.
    pub(super) fn alias(&mut self, key: Key, of: Key) {
        if let Some(place) = self.places.get(&of).copied() {
            self.places.entry(key).or_insert(place);
        }
    }

    /// Returns the object that a catalog entry went to.
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Node> {
        let place = *self.places.get(&key)?;
        self.list.get_mut(place)
    }
}

/// Reads a name from two cells.
pub(super) fn name(row: &Row, index: usize) -> Name {
    Name::new(row.text(index), row.text(index + 1))
}
