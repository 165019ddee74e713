//! What uses a table, as the model of the schema knows it.
//!
//! Pure. For servers that record less themselves: MySQL and MariaDB know no more than foreign keys
//! and triggers, and SQLite only the texts.

use std::collections::BTreeSet;

use crate::db::Dependent;
use crate::schema::{Demand, Name, Relation, RelationKind, Schema};

/// Returns what uses one of these tables or views directly.
pub(super) fn dependents(schema: &Schema, used: &BTreeSet<Name>) -> BTreeSet<Dependent> {
    schema.relations.values().flat_map(|relation| of(relation, used)).collect()
}

/// Returns how a relation, and what is on it, uses others.
fn of(relation: &Relation, used: &BTreeSet<Name>) -> Vec<Dependent> {
    let mut found = Vec::new();
    let mut add = |on: &Name, kind: &str, name: String| {
        if used.contains(on) {
            found.push(Dependent { relation: on.clone(), kind: kind.to_owned(), name });
        }
    };
    let own = &relation.name;
    for constraint in &relation.constraints {
        if let Demand::ForeignKey { parent, .. } = &constraint.kind {
            add(parent, "foreign-key", format!("{} on {}", constraint.name, own.name));
        }
    }
    for trigger in &relation.triggers {
        for on in std::iter::once(own).chain(&trigger.touches) {
            add(on, "trigger", trigger.name.clone());
        }
    }
    if matches!(relation.kind, RelationKind::View | RelationKind::MaterializedView) {
        for (on, _) in &relation.reads {
            add(on, "view", own.name.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Snapshot, SnapshotObject};
    use crate::plan::schema_of;
    use crate::sql::{Server, ServerKind};

    #[track_caller]
    fn check(kind: ServerKind, schema: &str) {
        let sql = "CREATE TABLE parents (id int PRIMARY KEY);\n\
                   CREATE TABLE parents_old (id int PRIMARY KEY);\n\
                   CREATE TABLE children (id int, parent int, CONSTRAINT to_parent \
                   FOREIGN KEY (parent) REFERENCES parents (id));\n\
                   CREATE VIEW readers AS SELECT id FROM parents;\n\
                   CREATE VIEW others AS SELECT id FROM parents_old;\n\
                   CREATE TRIGGER counting AFTER INSERT ON children FOR EACH ROW \
                   BEGIN UPDATE parents SET id = id; END";
        let mut snapshot = Snapshot::empty(Server::of(kind));
        snapshot.objects.push(SnapshotObject {
            kind: "table".to_owned(),
            name: Name::new(schema, "all"),
            relation: None,
            note: None,
            statements: sql.split(";\n").map(str::to_owned).collect(),
        });
        let found = dependents(&schema_of(&snapshot), &[Name::new(schema, "parents")].into());
        let found: Vec<String> =
            found.iter().map(|one| format!("{} {}", one.kind, one.name)).collect();
        assert_eq!(
            found,
            ["foreign-key to_parent on children", "trigger counting", "view readers"]
        );
    }

    #[test]
    fn keys_views_and_triggers_use_what_they_name_and_nothing_that_is_named_alike() {
        check(ServerKind::Mariadb, "");
        check(ServerKind::Mysql, "");
        check(ServerKind::Sqlite, "main");
    }
}
