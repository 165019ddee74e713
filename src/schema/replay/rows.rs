//! Which tables may have rows.

use super::super::model::{Name, Relation, Schema};
use crate::sql::ast::{Dml, DmlKind};

/// Notes that rows may be in a table since INSERT, COPY, MERGE or a writing WITH.
pub(super) fn note_rows(schema: &mut Schema, dml: &Dml) {
    let inserts = match dml.kind {
        DmlKind::Insert | DmlKind::Merge | DmlKind::Replace | DmlKind::Load => true,
        DmlKind::Select | DmlKind::Update | DmlKind::Delete => false,
    };
    let targets = dml.targets.iter().filter(|_| inserts).chain(&dml.query.writes);
    let names: Vec<Name> = targets.map(|target| schema.resolve(target)).collect();
    for name in names {
        fill(schema, &name);
    }
}

/// Notes that rows may be in a table and its partitions.
pub(super) fn fill(schema: &mut Schema, name: &Name) {
    let mut names = vec![name.clone()];
    if schema.relation(name).is_some_and(Relation::is_partitioned) {
        names.extend(schema.descendants(name).iter().map(|part| part.name.clone()));
    }
    for name in names {
        if let Some(relation) = schema.relation_mut(&name) {
            relation.has_rows = true;
        }
    }
}
