//! Which objects a statement or a migration changes: what is compared after a crash, and before a
//! rollback.

use std::collections::BTreeMap;

use super::digest::Digest;
use super::model::ObjectChange;
use super::rollback::same_object;
use crate::db::{Snapshot, SnapshotObject};

/// Returns the objects that differ between two snapshots.
pub fn changes(before: &Snapshot, after: &Snapshot) -> Vec<ObjectChange> {
    let was: BTreeMap<_, _> = before.objects.iter().map(|object| (key(object), object)).collect();
    let is: BTreeMap<_, _> = after.objects.iter().map(|object| (key(object), object)).collect();
    let mut changes = Vec::new();
    for (key, object) in &was {
        let now = is.get(key);
        if now.is_none_or(|now| !same_object(object, now, before.server)) {
            changes.push(change(key, Some(object), now.copied()));
        }
    }
    for (key, object) in is.iter().filter(|(key, _)| !was.contains_key(*key)) {
        changes.push(change(key, None, Some(object)));
    }
    changes
}

fn change(
    (kind, name): &(String, String),
    before: Option<&SnapshotObject>,
    after: Option<&SnapshotObject>,
) -> ObjectChange {
    let digest = |object: &SnapshotObject| Digest::of_bytes(object.sql().as_bytes());
    let (before, after) = (before.map(digest), after.map(digest));
    ObjectChange { kind: kind.clone(), name: name.clone(), before, after }
}

fn key(object: &SnapshotObject) -> (String, String) {
    let on = object.relation.as_ref().map_or_else(String::new, |on| format!(" on {on}"));
    (object.kind.clone(), format!("{}{on}", object.name))
}

/// What a live schema shows of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Every object is as before.
    Before,
    /// Every object is as after.
    After,
    /// An index of the change is there, invalid; its quoted full name.
    Invalid(String),
    /// These objects are neither, or some are before and some after.
    Neither(Vec<String>),
}

/// Compares a live schema with a change.
pub fn see(change: &[ObjectChange], live: &Snapshot) -> Seen {
    let there: BTreeMap<_, _> = live.objects.iter().map(|object| (key(object), object)).collect();
    let find = |one: &ObjectChange| there.get(&(one.kind.clone(), one.name.clone())).copied();
    let state =
        |one: &ObjectChange| find(one).map(|object| Digest::of_bytes(object.sql().as_bytes()));
    if change.iter().all(|one| state(one) == one.after) {
        return Seen::After;
    }
    if change.iter().all(|one| state(one) == one.before) {
        return Seen::Before;
    }
    let invalid = change.iter().filter(|one| one.before.is_none()).filter_map(find).find(|found| {
        found.kind == "index" && found.note.as_deref().is_some_and(|n| n.contains("invalid"))
    });
    if let Some(index) = invalid {
        let kind = live.server.kind;
        let name = crate::sql::ident(kind, &index.name.name);
        let schema = crate::sql::ident(kind, &index.name.schema);
        return Seen::Invalid(format!("{schema}.{name}"));
    }
    let odd = change.iter().filter(|one| state(one) != one.after);
    Seen::Neither(odd.map(|one| format!("{} {}", one.kind, one.name)).collect())
}
