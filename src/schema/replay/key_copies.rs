//! Copies of foreign keys: PostgreSQL keeps one for each partition of the referenced table.
//!
//! Up to version 17 a copy is named as a foreign key without a name would be; from 18 on it has the
//! name of the key with a number behind (ChooseConstraintName in addFkRecurseReferenced and
//! addFkConstraint; measured, testdata/servers/postgres: rec_foreign_key_part2).

use std::cmp::Ordering;

use super::super::model::{Constraint, KeyCopy, Name, Relation, Schema};
use super::super::naming::made_up_name;
use crate::sql::ast::PartitionBound;

/// Makes the copies that the foreign keys of a table lack.
pub(super) fn complete(schema: &mut Schema, table: &Name) {
    let Some(found) = schema.relation(table) else { return };
    // What a partition takes over from above is a copy itself.
    let keys = found.constraints.iter().filter(|key| !key.inherited);
    let mut wanted: Vec<(Constraint, Name)> = Vec::new();
    for key in keys {
        let Some(parent) = key.parent() else { continue };
        for partition in below(schema, parent) {
            if !found.key_copies.iter().any(|copy| copy.key == key.name && copy.of == partition) {
                wanted.push((key.clone(), partition));
            }
        }
    }
    for (key, of) in wanted {
        schema.edit(table, |schema, table| {
            let name = name_of(schema, table, &key);
            table.key_copies.push(KeyCopy { key: key.name.clone(), of, name });
        });
    }
}

/// A table came, perhaps as a partition.
pub(super) fn table_came(schema: &mut Schema, table: &Name) {
    complete(schema, table);
    partition_came(schema, table);
}

/// A partition came: foreign keys that reference the table above it get copies.
pub(super) fn partition_came(schema: &mut Schema, partition: &Name) {
    let mut above = schema.relation(partition).and_then(Relation::partitioned_parent).cloned();
    for _ in 0..32 {
        let Some(parent) = above else { return };
        let referencing: Vec<Name> = schema
            .foreign_keys_to(&parent)
            .into_iter()
            .map(|(table, _)| table.name.clone())
            .collect();
        for table in referencing {
            complete(schema, &table);
        }
        above = schema.relation(&parent).and_then(Relation::partitioned_parent).cloned();
    }
}

/// A partition, and what is below it, references or is referenced no more as a part of the whole.
pub(super) fn partition_went(schema: &mut Schema, partition: &Name) {
    let mut gone = below(schema, partition);
    gone.push(partition.clone());
    let holders: Vec<Name> = schema
        .relations
        .values()
        .filter(|table| table.key_copies.iter().any(|copy| gone.contains(&copy.of)))
        .map(|table| table.name.clone())
        .collect();
    for holder in holders {
        schema.edit(&holder, |_, table| table.key_copies.retain(|c| !gone.contains(&c.of)));
    }
}

fn name_of(schema: &Schema, table: &Relation, key: &Constraint) -> String {
    let home = &table.name.schema;
    let own = |relation: &Relation, name: &str| {
        relation.constraint(name).is_some() || relation.key_copies.iter().any(|c| c.name == name)
    };
    let taken = |name: &str| {
        let mut others = schema.relations.values().filter(|other| other.name.schema == *home);
        own(table, name) || others.any(|other| own(other, name))
    };
    if !schema.server.version.at_least(18, 0, 0) {
        return made_up_name(&table.name.name, &key.columns().join("_"), "fkey", taken);
    }
    let numbered = (1_u32..).map(|number| format!("{}_{number}", key.name));
    numbered.take(10_000).find(|name| !taken(name)).unwrap_or_default()
}

/// Returns the partitions of a table, each followed by its own, in the order of their bounds.
fn below(schema: &Schema, table: &Name) -> Vec<Name> {
    let mut parts = schema.partitions(table);
    parts.sort_by(|a, b| by_bounds(a, b));
    let mut found = Vec::new();
    for part in parts {
        found.push(part.name.clone());
        found.extend(below(schema, &part.name));
    }
    found
}

fn by_bounds(one: &Relation, other: &Relation) -> Ordering {
    let bound =
        |relation: &Relation| relation.partition_of.as_ref().map(|(_, bound)| bound.clone());
    let (Some(one), Some(other)) = (bound(one), bound(other)) else { return Ordering::Equal };
    match (one, other) {
        (PartitionBound::Default, PartitionBound::Default) => Ordering::Equal,
        (PartitionBound::Default, _) => Ordering::Greater,
        (_, PartitionBound::Default) => Ordering::Less,
        (PartitionBound::Range { from: a, .. }, PartitionBound::Range { from: b, .. }) => {
            by_values(&a, &b)
        }
        (PartitionBound::In(a), PartitionBound::In(b)) => by_values(&least(a), &least(b)),
        (
            PartitionBound::Hash { modulus: a, remainder: x },
            PartitionBound::Hash { modulus: b, remainder: y },
        ) => (a, x).cmp(&(b, y)),
        (PartitionBound::Range { .. } | PartitionBound::In(_) | PartitionBound::Hash { .. }, _) => {
            Ordering::Equal
        }
    }
}

fn least(values: Vec<String>) -> Vec<String> {
    values.into_iter().min_by(|a, b| by_value(a, b)).into_iter().collect()
}

fn by_values(one: &[String], other: &[String]) -> Ordering {
    let pairs = one.iter().zip(other);
    pairs.map(|(a, b)| by_value(a, b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// Compares two values of a key: NULL is behind all others.
fn by_value(one: &str, other: &str) -> Ordering {
    let rank = |value: &str| match value.to_ascii_lowercase().as_str() {
        "minvalue" => 0,
        "maxvalue" => 2,
        "null" => 3,
        _ => 1,
    };
    let number = |value: &str| value.trim_matches('\'').parse::<f64>().ok();
    rank(one).cmp(&rank(other)).then_with(|| match (number(one), number(other)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => one.cmp(other),
    })
}
