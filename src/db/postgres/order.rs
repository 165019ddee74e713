//! Puts objects in an order in which they load.
//!
//! Of all objects whose dependencies are written, the one of the lowest rank and name comes next,
//! so the order follows from the schema alone and not from the history of its numbers.

use std::collections::BTreeSet;

use super::class::{Key, Rank};
use super::node::{Edge, Node, Nodes};
use crate::db::snapshot::SnapshotObject;
use crate::schema::Name;

/// What decides between objects that could both come next.
type Sort = (Rank, Name, Option<Name>, usize);

/// Returns the objects in order.
pub(super) fn in_order(mut nodes: Nodes) -> Vec<SnapshotObject> {
    let mut blocked_by = vec![BTreeSet::<Edge>::new(); nodes.list.len()];
    let mut blocks = vec![Vec::<Edge>::new(); nodes.list.len()];
    for edge in &nodes.edges {
        if edge.from == edge.on {
            continue;
        }
        if let Some(set) = blocked_by.get_mut(edge.from) {
            set.insert(*edge);
        }
        if let Some(list) = blocks.get_mut(edge.on) {
            list.push(*edge);
        }
    }
    let mut ready: BTreeSet<Sort> = BTreeSet::new();
    let mut waiting: BTreeSet<Sort> = BTreeSet::new();
    for (index, node) in nodes.list.iter().enumerate() {
        let free = blocked_by.get(index).is_none_or(BTreeSet::is_empty);
        let set = if free { &mut ready } else { &mut waiting };
        set.insert(sort(node, index));
    }
    let mut objects = Vec::with_capacity(nodes.list.len());
    let mut outside: Vec<(BTreeSet<Edge>, Node)> = Vec::new();
    while !(ready.is_empty() && waiting.is_empty()) {
        let Some(next) = ready.pop_first() else {
            unblock(&mut nodes, &mut blocked_by, &mut ready, &mut waiting, &mut outside);
            continue;
        };
        let index = next.3;
        if let Some(node) = nodes.list.get(index) {
            objects.push(finished(node));
        }
        for edge in blocks.get(index).into_iter().flatten() {
            let Some(set) = blocked_by.get_mut(edge.from) else { continue };
            if set.remove(edge) && set.is_empty() {
                free(&nodes, edge.from, &mut ready, &mut waiting);
            }
        }
        for (edges, node) in &mut outside {
            let before = edges.len();
            edges.retain(|edge| edge.on != index);
            if before > 0 && edges.is_empty() {
                objects.push(finished(node));
            }
        }
    }
    objects
}

/// Moves an object from those that wait to those that are ready.
fn free(nodes: &Nodes, index: usize, ready: &mut BTreeSet<Sort>, waiting: &mut BTreeSet<Sort>) {
    if let Some(node) = nodes.list.get(index) {
        let key = sort(node, index);
        if waiting.remove(&key) {
            ready.insert(key);
        }
    }
}

/// Breaks a circle: a table whose defaults or checks cause it is written without them, and they
/// follow as statements of their own. Without such a table, the first object is written as it is.
fn unblock(
    nodes: &mut Nodes,
    blocked_by: &mut [BTreeSet<Edge>],
    ready: &mut BTreeSet<Sort>,
    waiting: &mut BTreeSet<Sort>,
    outside: &mut Vec<(BTreeSet<Edge>, Node)>,
) {
    let movable = waiting.iter().find(|sort| {
        let edges = blocked_by.get(sort.3);
        edges.is_some_and(|edges| edges.iter().all(|edge| edge.part.is_some()))
    });
    let Some(index) = movable.or_else(|| waiting.first()).map(|sort| sort.3) else { return };
    let Some(edges) = blocked_by.get_mut(index).map(std::mem::take) else { return };
    let parts: BTreeSet<Key> = edges.iter().filter_map(|edge| edge.part).collect();
    for part in parts {
        let moved = nodes.list.get_mut(index).and_then(|node| {
            let sql = node.table.as_mut()?.move_outside(part)?;
            let (rank, relation) = (Rank::Constraint, node.name.clone());
            Some(Node::new(rank, "default", relation.clone(), sql).on(relation))
        });
        if let Some(node) = moved {
            let mut after: BTreeSet<Edge> =
                edges.iter().filter(|edge| edge.part == Some(part)).copied().collect();
            after.insert(Edge { from: index, on: index, part: None });
            outside.push((after, node));
        }
    }
    free(nodes, index, ready, waiting);
}

/// Returns what decides the order of an object.
fn sort(node: &Node, index: usize) -> Sort {
    let relation = node.relation.clone();
    match &relation {
        // Indexes, triggers and the like stand table by table.
        Some(table) if node.rank >= Rank::Attach => {
            (node.rank, table.clone(), Some(node.name.clone()), index)
        }
        Some(_) | None => (node.rank, node.name.clone(), relation, index),
    }
}

/// Returns the object as it stands in the snapshot.
fn finished(node: &Node) -> SnapshotObject {
    let mut statements = match &node.table {
        Some(table) => table.statements(),
        None => Vec::new(),
    };
    statements.extend(node.statements.iter().cloned());
    let mut comments = node.comments.clone();
    comments.sort();
    statements.extend(comments);
    SnapshotObject {
        kind: node.kind.to_owned(),
        name: node.name.clone(),
        relation: node.relation.clone(),
        note: node.note.clone(),
        statements,
    }
}
