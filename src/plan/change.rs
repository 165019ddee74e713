//! Which objects a statement or a migration changes: what is compared after a crash, and before a
//! rollback.

use std::collections::BTreeMap;

use super::digest::Digest;
use super::model::ObjectChange;
use super::rollback::{meaning, same_object};
use crate::db::{Scope, Snapshot, SnapshotObject};
use crate::sql::Server;

/// Returns the objects that differ between two snapshots.
pub fn changes(before: &Snapshot, after: &Snapshot) -> Vec<ObjectChange> {
    let was: BTreeMap<_, _> = before.objects.iter().map(|object| (key(object), object)).collect();
    let is: BTreeMap<_, _> = after.objects.iter().map(|object| (key(object), object)).collect();
    let mut changes = Vec::new();
    for (key, object) in &was {
        let now = is.get(key);
        if now.is_none_or(|now| !same_object(object, now, before.server)) {
            changes.push(change(key, Some(object), now.copied(), before.server));
        }
    }
    for (key, object) in is.iter().filter(|(key, _)| !was.contains_key(*key)) {
        changes.push(change(key, None, Some(object), before.server));
    }
    changes
}

fn change(
    (kind, name): &(String, String),
    before: Option<&SnapshotObject>,
    after: Option<&SnapshotObject>,
    server: Server,
) -> ObjectChange {
    let digest = |object| digest(object, server);
    let (before, after) = (before.map(digest), after.map(digest));
    ObjectChange { kind: kind.clone(), name: name.clone(), before, after }
}

/// Returns the digest of what an object means.
fn digest(object: &SnapshotObject, server: Server) -> Digest {
    Digest::of_bytes(meaning(object, server).as_bytes())
}

pub(super) fn key(object: &SnapshotObject) -> (String, String) {
    let on = object.relation.as_ref().map_or_else(String::new, |on| format!(" on {on}"));
    (object.kind.clone(), format!("{}{on}", object.name))
}

/// Returns which objects tell whether a change is there.
pub fn scope_of(change: &[ObjectChange]) -> Scope {
    let mut scope = Scope::default();
    for one in change {
        let own = ["function", "procedure", "event"].contains(&one.kind.as_str());
        let names = if own { &mut scope.programs } else { &mut scope.relations };
        names.insert(one.name.clone());
        // `key on table`: either name may hold the word itself, so every reading of it counts.
        let on = one
            .name
            .match_indices(" on ")
            .filter_map(|(at, word)| one.name.get(at + word.len()..).map(str::to_owned));
        scope.relations.extend(on);
    }
    scope
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
    /// A partition of the change is detached concurrently and waits for FINALIZE.
    Detaching,
    /// These objects are neither, or some are before and some after.
    Neither(Vec<String>),
}

/// Compares a live schema with a change.
pub fn see(change: &[ObjectChange], live: &Snapshot) -> Seen {
    let there: BTreeMap<_, _> = live.objects.iter().map(|object| (key(object), object)).collect();
    let find = |one: &ObjectChange| there.get(&(one.kind.clone(), one.name.clone())).copied();
    let state = |one: &ObjectChange| find(one).map(|object| digest(object, live.server));
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
    let waits = |object: &SnapshotObject| {
        object.kind == "partition" && object.note.as_deref() == Some(crate::db::DETACHING)
    };
    if change.iter().filter(|one| one.after.is_none()).filter_map(find).any(waits) {
        return Seen::Detaching;
    }
    let odd = change.iter().filter(|one| state(one) != one.after);
    Seen::Neither(odd.map(|one| format!("{} {}", one.kind, one.name)).collect())
}

/// Returns the objects that are not as several migrations left them, in words; the last applied
/// migration comes first.
///
/// An object is compared as the last of them left it, and what an earlier one left must be what
/// the next one found.
pub fn drifted<'c>(
    newest_first: impl IntoIterator<Item = &'c [ObjectChange]>,
    live: &Snapshot,
) -> Vec<String> {
    let there: BTreeMap<_, _> = live.objects.iter().map(|object| (key(object), object)).collect();
    let mut expected: BTreeMap<(&str, &str), Option<&Digest>> = BTreeMap::new();
    let mut odd = Vec::new();
    for change in newest_first.into_iter().flatten() {
        let place = (change.kind.as_str(), change.name.as_str());
        let fits = match expected.get(&place) {
            Some(found) => *found == change.after.as_ref(),
            None => {
                let now = there.get(&(change.kind.clone(), change.name.clone()));
                now.map(|now| digest(now, live.server)) == change.after
            }
        };
        if !fits {
            odd.push(format!("{} {}", change.kind, change.name));
        }
        expected.insert(place, change.before.as_ref());
    }
    odd.sort_unstable();
    odd.dedup();
    odd
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Name;
    use crate::sql::{Server, ServerKind};

    fn table(columns: &str) -> SnapshotObject {
        SnapshotObject {
            kind: "table".to_owned(),
            name: Name::new("public", "orders"),
            relation: None,
            note: None,
            statements: vec![format!("CREATE TABLE public.orders ({columns})")],
        }
    }

    fn live(columns: &str) -> Snapshot {
        let mut snapshot = Snapshot::empty(Server::of(ServerKind::Postgres));
        snapshot.objects.push(table(columns));
        snapshot
    }

    fn from_to(before: Option<&str>, after: &str) -> Vec<ObjectChange> {
        let digest = |columns: &str| Digest::of_bytes(table(columns).sql().as_bytes());
        vec![ObjectChange {
            kind: "table".to_owned(),
            name: "public.orders".to_owned(),
            before: before.map(digest),
            after: Some(digest(after)),
        }]
    }

    #[test]
    fn drift_is_seen_in_the_last_state_and_between_two_migrations() {
        let (first, second) = (from_to(None, "a"), from_to(Some("a"), "a, b"));
        let chain = [second.as_slice(), first.as_slice()];
        assert_eq!(drifted(chain, &live("a, b")), Vec::<String>::new());
        assert_eq!(drifted(chain, &live("a, b, c")), ["table public.orders"]);
        let between = from_to(Some("a, x"), "a, b");
        let broken = [between.as_slice(), first.as_slice()];
        assert_eq!(drifted(broken, &live("a, b")), ["table public.orders"]);
    }
}
