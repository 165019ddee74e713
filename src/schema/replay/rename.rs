//! RENAME and SET SCHEMA: everything that points at an object follows it.
//!
//! PostgreSQL 12 to 18 and MySQL 8.0 to 9.x, manuals: ALTER TABLE, RENAME TABLE; measured,
//! testdata/servers.

use super::super::model::{Demand, Index, Name, Relation, Schema};
use crate::sql::ObjectName;
use crate::sql::ast::{Expr, Key, ObjectKind, Rename, SetSchema};

/// `ALTER … RENAME TO` of what is no table, and MySQL's `RENAME TABLE`.
#[expect(clippy::wildcard_enum_match_arm, reason = "other kinds are kept by kind and name alone")]
pub(super) fn apply(schema: &mut Schema, statement: &Rename) {
    for (from, to) in &statement.pairs {
        match statement.object {
            ObjectKind::Table
            | ObjectKind::ForeignTable
            | ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::Sequence => {
                let old = schema.resolve(from);
                let home = to.schema().map_or_else(|| old.schema.clone(), ToOwned::to_owned);
                let new = schema.key(&Name::new(home, to.name()));
                relation(schema, &old, new);
            }
            ObjectKind::Index => index(schema, from, to.name()),
            ObjectKind::Type | ObjectKind::Domain => {
                let old = schema.find_type(from).map(|found| found.name.clone());
                if let Some(old) = old {
                    let new = Name::new(old.schema.clone(), to.name());
                    type_name(schema, &old, new);
                }
            }
            ObjectKind::Schema => schema_name(schema, from.name(), to.name()),
            ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => {
                if let Some(table) = &statement.on {
                    let table = schema.resolve(table);
                    part_of(schema, &table, statement.object, from.name(), to.name());
                }
            }
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
                let found = schema.find_routines(from).map(|(full, all)| (full, all.to_vec()));
                if let Some((old, routines)) = found {
                    let new = Name::new(old.schema.clone(), to.name());
                    schema.set_routines(old, None);
                    schema.set_routines(new, Some(routines));
                }
            }
            ObjectKind::DomainConstraint => {
                domain_constraint(schema, statement, from.name(), to.name());
            }
            kind => other(schema, kind, from, to.name()),
        }
    }
}

/// Renames an object of a kind without a model of its own; what is made of it follows.
fn other(schema: &mut Schema, kind: ObjectKind, from: &ObjectName, to: &str) {
    let found = schema.find_other(kind, from).map(|(full, found)| (full, found.clone()));
    let Some((old, object)) = found else { return };
    let new = Name::new(old.schema.clone(), to);
    schema.set_other(kind.as_str(), old.clone(), None);
    schema.set_other_object(kind.as_str(), new, Some(object));
    let made_of = |kind| match kind {
        "server" => Some(ObjectKind::ForeignDataWrapper),
        "user mapping" => Some(ObjectKind::Server),
        _ => None,
    };
    let following = schema
        .others
        .iter()
        .filter(|((own, _), object)| made_of(own) == Some(kind) && object.of == old.name);
    let following: Vec<_> = following.map(|(key, object)| (key.clone(), object.clone())).collect();
    for ((own, name), mut object) in following {
        to.clone_into(&mut object.of);
        schema.set_other_object(own, name, Some(object));
    }
    if kind == ObjectKind::Server {
        for table in schema.foreign_tables_of(&old.name) {
            schema.edit(&table, |_, relation| {
                relation.options.insert("server".to_owned(), to.to_owned());
            });
        }
    }
}

fn domain_constraint(schema: &mut Schema, statement: &Rename, from: &str, to: &str) {
    let domain = statement.on.as_ref().and_then(|on| schema.find_type(on));
    let Some(name) = domain.map(|found| found.name.clone()) else { return };
    if let Some(super::super::model::TypeBody::Domain(domain)) =
        schema.type_mut(&name).map(|found| &mut found.kind)
    {
        for (check, _, _) in domain.checks.iter_mut().filter(|(check, _, _)| check == from) {
            to.clone_into(check);
        }
    }
}

/// `ALTER … SET SCHEMA` of what is no table.
#[expect(clippy::wildcard_enum_match_arm, reason = "other kinds are kept by kind and name alone")]
pub(super) fn set_schema(schema: &mut Schema, statement: &SetSchema) {
    let home = statement.schema.value.clone();
    match statement.object {
        ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Sequence
        | ObjectKind::Table
        | ObjectKind::ForeignTable => {
            let old = schema.resolve(&statement.name);
            let new = Name::new(home, old.name.clone());
            relation(schema, &old, new);
        }
        ObjectKind::Type | ObjectKind::Domain => {
            let old = schema.find_type(&statement.name).map(|found| found.name.clone());
            if let Some(old) = old {
                let new = Name::new(home, old.name.clone());
                type_name(schema, &old, new);
            }
        }
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
            let found = schema.find_routines(&statement.name);
            let found = found.map(|(full, routines)| (full, routines.to_vec()));
            if let Some((old, routines)) = found {
                schema.set_routines(old.clone(), None);
                schema.set_routines(Name::new(home, old.name), Some(routines));
            }
        }
        _ => {}
    }
}

/// Gives a relation another name or schema; owned sequences follow into another schema.
pub(super) fn relation(schema: &mut Schema, old: &Name, new: Name) {
    if *old == new || schema.relation(&new).is_some() {
        return;
    }
    let owned = schema.owned_sequences(old, None);
    let sequences: Vec<Name> = owned.iter().map(|sequence| sequence.name.clone()).collect();
    let referrers: Vec<Name> = schema.referrers(old).map(|other| other.name.clone()).collect();
    let Some(mut relation) = schema.take_relation(old) else {
        schema.note_gone(old.clone());
        schema.forget_gone(&new);
        return;
    };
    relation.name = new.clone();
    follow(&mut relation, old, &new);
    schema.put_relation(relation);
    for other in referrers.iter().filter(|other| *other != old) {
        schema.edit(other, |_, other| follow(other, old, &new));
    }
    if old.schema != new.schema {
        for sequence in sequences {
            let moved = Name::new(new.schema.clone(), sequence.name.clone());
            self::relation(schema, &sequence, moved);
        }
    }
    follow_routines(schema, old, &new);
    follow_publications(schema, old, &new);
}

fn follow_publications(schema: &mut Schema, old: &Name, new: &Name) {
    let holding = schema.publications.iter().filter(|(_, body)| body.tables.contains(old));
    let holding: Vec<(String, _)> =
        holding.map(|(name, body)| (name.clone(), body.clone())).collect();
    for (name, mut body) in holding {
        let columns = body.columns.iter_mut().map(|(table, _)| table);
        let parts = columns.chain(&mut body.restricted);
        for table in body.tables.iter_mut().chain(parts).filter(|table| *table == old) {
            *table = new.clone();
        }
        schema.set_publication(name, Some(body));
    }
}

fn follow_routines(schema: &mut Schema, old: &Name, new: &Name) {
    let touching: Vec<Name> = schema
        .routines
        .iter()
        .filter(|(_, all)| all.iter().any(|r| r.parsed_body && r.touches.contains(old)))
        .map(|(name, _)| name.clone())
        .collect();
    for name in touching {
        let mut routines = schema.routines.get(&name).cloned().unwrap_or_default();
        for touched in routines.iter_mut().flat_map(|routine| &mut routine.touches) {
            if touched == old {
                *touched = new.clone();
            }
        }
        schema.set_routines(name, Some(routines));
    }
}

fn follow(relation: &mut Relation, old: &Name, new: &Name) {
    let swap = |name: &mut Name| {
        if name == old {
            *name = new.clone();
        }
    };
    relation.inherits.iter_mut().for_each(swap);
    relation.key_copies.iter_mut().for_each(|copy| swap(&mut copy.of));
    relation.partition_of.iter_mut().for_each(|(parent, _)| swap(parent));
    relation.reads.iter_mut().for_each(|(name, _)| swap(name));
    relation.owned_by.iter_mut().for_each(|(table, _)| swap(table));
    relation.policies.iter_mut().flat_map(|policy| &mut policy.reads).for_each(swap);
    for rule in &mut relation.rules {
        rule.reads.iter_mut().chain(&mut rule.writes).for_each(swap);
    }
    relation.triggers.iter_mut().flat_map(|trigger| &mut trigger.touches).for_each(swap);
    for constraint in &mut relation.constraints {
        if let Demand::ForeignKey { parent, .. } = &mut constraint.kind {
            swap(parent);
        }
    }
}

/// Renames a column and follows it through the table, its referrers and its views.
pub(super) fn column(schema: &mut Schema, table: &Name, from: &str, to: &str) {
    let referrers: Vec<Name> = schema.referrers(table).map(|other| other.name.clone()).collect();
    schema.edit(table, |_, relation| {
        for column in relation.columns.iter_mut().filter(|column| column.name == from) {
            to.clone_into(&mut column.name);
        }
        rename_in_table(relation, from, to);
    });
    for other in referrers {
        schema.edit(&other, |_, other| rename_in_referrer(other, table, from, to));
    }
}

fn swap_word(words: &mut [String], from: &str, to: &str) {
    for word in words.iter_mut().filter(|word| *word == from) {
        to.clone_into(word);
    }
}

fn rename_in_expr(expr: &mut Expr, from: &str, to: &str) {
    if expr.columns.iter().any(|column| column == from) {
        expr.text = replace_word(&expr.text, from, to);
    }
    swap_word(&mut expr.columns, from, to);
    swap_word(&mut expr.proves_not_null, from, to);
}

/// Replaces a whole word outside of single quotes.
fn replace_word(text: &str, from: &str, to: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, part) in text.split('\'').enumerate() {
        if at > 0 {
            out.push('\'');
        }
        if at % 2 == 1 {
            out.push_str(part);
            continue;
        }
        let mut rest = part;
        while let Some(found) = rest.find(from) {
            let (before, tail) = rest.split_at(found);
            let after = tail.get(from.len()..).unwrap_or("");
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let whole = !before.ends_with(is_word) && !after.starts_with(is_word);
            out.push_str(before);
            out.push_str(if whole { to } else { from });
            rest = after;
        }
        out.push_str(rest);
    }
    out
}

fn rename_in_index(index: &mut Index, from: &str, to: &str) {
    for part in &mut index.parts {
        match &mut part.key {
            Key::Column(column) if column.value == from => to.clone_into(&mut column.value),
            Key::Column(_) => {}
            Key::Expr(expr) => rename_in_expr(expr, from, to),
        }
    }
    if let Some(predicate) = &mut index.predicate {
        rename_in_expr(predicate, from, to);
    }
    swap_word(&mut index.include, from, to);
}

fn rename_in_table(relation: &mut Relation, from: &str, to: &str) {
    let own = relation.name.clone();
    for constraint in &mut relation.constraints {
        match &mut constraint.kind {
            Demand::PrimaryKey(columns) | Demand::Unique(columns) | Demand::Exclude(columns) => {
                swap_word(columns, from, to);
            }
            Demand::Check(check) => rename_in_expr(check, from, to),
            Demand::ForeignKey { columns, parent, parent_columns, .. } => {
                swap_word(columns, from, to);
                if *parent == own {
                    swap_word(parent_columns, from, to);
                }
            }
            Demand::NotNull(column) if column == from => to.clone_into(column),
            Demand::NotNull(_) => {}
        }
    }
    for index in &mut relation.indexes {
        rename_in_index(index, from, to);
    }
    for column in &mut relation.columns {
        if let Some(generated) = &mut column.generated {
            rename_in_expr(&mut generated.expr, from, to);
        }
    }
    for trigger in &mut relation.triggers {
        swap_word(&mut trigger.columns, from, to);
    }
    for policy in &mut relation.policies {
        swap_word(&mut policy.columns, from, to);
    }
    for rule in &mut relation.rules {
        swap_word(&mut rule.columns, from, to);
    }
    for (_, columns) in &mut relation.statistics {
        swap_word(columns, from, to);
    }
    for part in relation.partition_by.iter_mut().flat_map(|by| &mut by.keys) {
        match &mut part.key {
            Key::Column(column) if column.value == from => to.clone_into(&mut column.value),
            Key::Column(_) => {}
            Key::Expr(expr) => rename_in_expr(expr, from, to),
        }
    }
}

fn rename_in_referrer(relation: &mut Relation, table: &Name, from: &str, to: &str) {
    for constraint in &mut relation.constraints {
        if let Demand::ForeignKey { parent, parent_columns, .. } = &mut constraint.kind
            && parent == table
        {
            swap_word(parent_columns, from, to);
        }
    }
    for (read, columns) in &mut relation.reads {
        if read == table {
            swap_word(columns, from, to);
        }
    }
    if let Some((owner, column)) = &mut relation.owned_by
        && owner == table
        && column == from
    {
        to.clone_into(column);
    }
}

/// Renames a constraint and the index behind it.
pub(super) fn constraint(schema: &mut Schema, table: &Name, from: &str, to: &str) {
    schema.edit(table, |_, relation| {
        for constraint in relation.constraints.iter_mut().filter(|c| c.name == from) {
            to.clone_into(&mut constraint.name);
        }
        for copy in relation.key_copies.iter_mut().filter(|copy| copy.key == from) {
            to.clone_into(&mut copy.key);
        }
        for index in &mut relation.indexes {
            if index.constraint.as_deref() == Some(from) {
                index.constraint = Some(to.to_owned());
                to.clone_into(&mut index.name);
            }
        }
    });
}

/// Renames an index and the constraint that it stands behind.
pub(super) fn index(schema: &mut Schema, name: &ObjectName, to: &str) {
    let Some((full, table, constraint)) = schema
        .find_index(name)
        .map(|(full, table, index)| (full, table.name.clone(), index.constraint.clone()))
    else {
        // `ALTER INDEX` renames tables too.
        let old = schema.resolve(name);
        if schema.relation(&old).is_some() {
            let new = Name::new(old.schema.clone(), to);
            relation(schema, &old, new);
        }
        return;
    };
    if let Some(constraint) = constraint {
        self::constraint(schema, &table, &constraint, to);
    }
    let children: Vec<Name> = schema.children(&table).iter().map(|c| c.name.clone()).collect();
    schema.edit(&table, |_, relation| {
        for index in relation.indexes.iter_mut().filter(|index| index.name == full.name) {
            to.clone_into(&mut index.name);
        }
        for mark in [&mut relation.clustered_on, &mut relation.replica_identity] {
            if mark.as_deref() == Some(full.name.as_str()) {
                *mark = Some(to.to_owned());
            }
        }
    });
    for child in children {
        schema.edit(&child, |_, relation| {
            for index in &mut relation.indexes {
                if index.parent.as_ref() == Some(&full) {
                    index.parent = Some(Name::new(full.schema.clone(), to));
                }
            }
        });
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "called for three kinds")]
fn part_of(schema: &mut Schema, table: &Name, object: ObjectKind, from: &str, to: &str) {
    let mut tables = vec![table.clone()];
    if object == ObjectKind::Trigger {
        tables.extend(schema.descendants(table).iter().map(|child| child.name.clone()));
    }
    for table in tables {
        let Some(relation) = schema.relation_mut(&table) else { continue };
        match object {
            ObjectKind::Policy => {
                for policy in relation.policies.iter_mut().filter(|policy| policy.name == from) {
                    to.clone_into(&mut policy.name);
                }
            }
            ObjectKind::Rule => {
                for rule in relation.rules.iter_mut().filter(|rule| rule.name == from) {
                    to.clone_into(&mut rule.name);
                }
            }
            _ => {
                for trigger in relation.triggers.iter_mut().filter(|t| t.name == from) {
                    to.clone_into(&mut trigger.name);
                }
            }
        }
    }
}

/// Gives a type another name; columns of the type follow.
fn type_name(schema: &mut Schema, old: &Name, new: Name) {
    let Some(mut found) = schema.types.get(old).cloned() else { return };
    let users: Vec<Name> = schema
        .relations
        .values()
        .filter(|relation| {
            let typed = relation.columns.iter().filter_map(|column| column.data_type.as_ref());
            typed.into_iter().any(|data_type| super::super::depend::names_type(data_type, old))
        })
        .map(|relation| relation.name.clone())
        .collect();
    found.name = new.clone();
    schema.set_type(old.clone(), None);
    schema.set_type(new.clone(), Some(found));
    for user in users {
        let Some(relation) = schema.relation_mut(&user) else { continue };
        for data_type in relation.columns.iter_mut().filter_map(|c| c.data_type.as_mut()) {
            if super::super::depend::names_type(data_type, old) {
                data_type.name.clone_from(&new.name);
                if data_type.schema.is_some() || new.schema != old.schema {
                    data_type.schema = Some(new.schema.clone());
                }
            }
        }
    }
}

/// Renames a schema with everything in it.
fn schema_name(schema: &mut Schema, from: &str, to: &str) {
    let inside = |name: &&Name| name.schema == from;
    let relations: Vec<Name> = schema.relations.keys().filter(inside).cloned().collect();
    for old in relations {
        let new = Name::new(to, old.name.clone());
        relation(schema, &old, new);
    }
    let types: Vec<Name> = schema.types.keys().filter(inside).cloned().collect();
    for old in types {
        let new = Name::new(to, old.name.clone());
        type_name(schema, &old, new);
    }
    let routines: Vec<Name> = schema.routines.keys().filter(inside).cloned().collect();
    for old in routines {
        let found = schema.routines.get(&old).cloned();
        schema.set_routines(old.clone(), None);
        schema.set_routines(Name::new(to, old.name), found);
    }
    let origin = schema.schemas.get(from).copied();
    schema.set_schema(from.to_owned(), None);
    schema.set_schema(to.to_owned(), origin.or(Some(super::super::model::Origin::Assumed)));
}
