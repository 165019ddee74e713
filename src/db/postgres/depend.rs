//! Comments, and what depends on what.

use super::catalog::Reader;
use super::class::Class;
use super::node::{Edge, Nodes};
use crate::db::error::ServerError;
use crate::sql::{ServerKind, literal};

/// Comments on objects of users; 16384 is the first number that the server gives to them
/// (`FirstNormalObjectId`). The schema `public` has a comment of its own in every database.
const COMMENTS: &str = "SELECT d.classoid::regclass, d.objoid, d.objsubid, d.description \
    FROM pg_description d WHERE d.objoid >= 16384 \
    AND NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid \
                    AND e.deptype = 'e')";

/// Reads all comments.
pub(super) async fn comments(
    reader: &mut Reader<'_>,
    nodes: &mut Nodes,
) -> Result<(), ServerError> {
    for row in &reader.query(COMMENTS).await? {
        let Some(class) = Class::of(row.text(0)) else { continue };
        let (key, column) = ((class, row.count(1)), row.count(2));
        let address = if column > 0 {
            let relation = nodes.relations.get(&key.1).map(|(_, quoted)| quoted);
            let column = nodes.columns.get(&(key.1, column));
            relation.zip(column).map(|(relation, column)| format!("COLUMN {relation}.{column}"))
        } else {
            nodes.addresses.get(&key).cloned()
        };
        let Some(address) = address else { continue };
        let text = literal(ServerKind::Postgres, row.text(3));
        if let Some(node) = nodes.get_mut(key) {
            node.comments.push(format!("COMMENT ON {address} IS {text}"));
        }
    }
    Ok(())
}

/// Dependencies between objects of users. What belongs to an extension stands for the extension.
const DEPENDENCIES: &str = "SELECT DISTINCT d.classid::regclass::text, d.objid, \
    d.refclassid::regclass::text, d.refobjid, d.deptype \
    FROM pg_depend d \
    WHERE d.refobjid >= 16384 AND d.deptype IN ('n', 'a', 'i', 'P', 'S') \
    AND d.refclassid NOT IN ('pg_namespace'::regclass, 'pg_attrdef'::regclass, \
                             'pg_trigger'::regclass, 'pg_policy'::regclass)";

/// Members of extensions that others may depend on.
const MEMBERS: &str = "SELECT d.classid::regclass::text, d.objid, d.refobjid FROM pg_depend d \
    WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass";

/// Reads who depends on whom.
pub(super) async fn edges(reader: &mut Reader<'_>, nodes: &mut Nodes) -> Result<(), ServerError> {
    for row in &reader.query(MEMBERS).await? {
        if let Some(class) = Class::of(row.text(0)) {
            nodes.alias((class, row.count(1)), (Class::Extension, row.count(2)));
        }
    }
    for row in &reader.query(DEPENDENCIES).await? {
        let (Some(class), Some(other)) = (Class::of(row.text(0)), Class::of(row.text(2))) else {
            continue;
        };
        let (from, mut on) = ((class, row.count(1)), (other, row.count(3)));
        // A function that reads the values of a base type needs no more of it than its name.
        if class == Class::Routine && nodes.reads_values.contains(&(from.1, on.1)) {
            on = (Class::ShellType, on.1);
        }
        let is_ownership = row.text(4) == "a" && class == Class::Relation;
        let owner_of_sequence = is_ownership && nodes.relations.contains_key(&from.1);
        let (Some(from_place), Some(on_place)) =
            (nodes.places.get(&from).copied(), nodes.places.get(&on).copied())
        else {
            continue;
        };
        // `OWNED BY` is a statement of its own, after sequence and table.
        let sequence = nodes.list.get(from_place).is_some_and(|node| node.kind == "sequence");
        if owner_of_sequence && sequence || from_place == on_place {
            continue;
        }
        let part = nodes.parts.contains_key(&from).then_some(from);
        nodes.edges.insert(Edge { from: from_place, on: on_place, part });
    }
    Ok(())
}
