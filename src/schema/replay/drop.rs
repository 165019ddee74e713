//! DROP of anything, and what goes with it.
//!
//! PostgreSQL 12 to 18, manual: Dependency Tracking; what goes along is found in `depend`.

use super::super::depend::{Dependent, Part};
use super::super::model::{Demand, Name, Schema};
use super::key_copies;
use crate::sql::ObjectName;
use crate::sql::ast::{Drop, ObjectKind};

/// Drops objects and, with CASCADE or silently, what depends on them.
pub(super) fn apply(schema: &mut Schema, statement: &Drop) {
    for name in &statement.names {
        object(schema, statement, name);
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "other kinds are kept by kind and name alone")]
fn object(schema: &mut Schema, statement: &Drop, name: &ObjectName) {
    match statement.object {
        ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Sequence => {
            let full = schema.resolve(name);
            relation(schema, &full, statement.cascade);
        }
        ObjectKind::Index => {
            let full = schema.resolve_index(name);
            index(schema, &full, statement.cascade);
        }
        ObjectKind::Type | ObjectKind::Domain => {
            let full = schema.find_type(name).map(|found| found.name.clone());
            let Some(full) = full else { return };
            let dependents = schema.dependents_of_type(&full);
            remove(schema, &dependents, statement.cascade);
            schema.set_type(full, None);
        }
        ObjectKind::Function
        | ObjectKind::Procedure
        | ObjectKind::Routine
        | ObjectKind::Aggregate => {
            let full = schema.find_routines(name).map(|(full, _)| full);
            let Some(full) = full else { return };
            let mut dependents = schema.dependents_of_routine(&full);
            dependents.extend(schema.dependents_of_other(ObjectKind::Function, &full));
            remove(schema, &dependents, statement.cascade);
            schema.set_routines(full, None);
        }
        ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => {
            if let Some(table) = &statement.on_table {
                let table = schema.resolve(table);
                part_of(schema, &table, statement.object, name.name());
            }
        }
        ObjectKind::Schema => {
            everything_in(schema, statement, name.name());
            schema.set_schema(name.name().to_owned(), None);
        }
        ObjectKind::Extension => {
            schema.set_extension(name.name().to_owned(), None);
            schema.note_gone(Name::new("", name.name()));
        }
        ObjectKind::Publication => schema.set_publication(name.name().to_owned(), None),
        ObjectKind::Statistics => {
            let full = schema.new_name(name);
            statistics(schema, &full);
        }
        other => {
            let found = schema.find_other(other, name).map(|(full, _)| full);
            let full = found.unwrap_or_else(|| schema.new_name(name));
            let dependents = schema.dependents_of_other(other, &full);
            remove(schema, &dependents, statement.cascade);
            schema.set_other(other.as_str(), full, None);
        }
    }
}

/// Drops what lives in a schema, with CASCADE.
fn everything_in(schema: &mut Schema, statement: &Drop, home: &str) {
    let inside = |full: &&Name| full.schema == home;
    let names: Vec<Name> = schema.relations.keys().filter(inside).cloned().collect();
    if statement.cascade {
        for full in names {
            relation(schema, &full, true);
        }
        let types: Vec<Name> = schema.types.keys().filter(inside).cloned().collect();
        for full in types {
            let dependents = schema.dependents_of_type(&full);
            remove(schema, &dependents, true);
            schema.set_type(full, None);
        }
        let routines: Vec<Name> = schema.routines.keys().filter(inside).cloned().collect();
        for full in routines {
            schema.set_routines(full, None);
        }
    }
}

/// Drops a relation. Without CASCADE only what goes silently goes with it.
pub(super) fn relation(schema: &mut Schema, name: &Name, cascade: bool) {
    let dependents = schema.dependents_of_relation(name);
    remove(schema, &dependents, cascade);
    key_copies::partition_went(schema, name);
    schema.take_relation(name);
}

/// Removes dependents.
pub(super) fn remove(schema: &mut Schema, dependents: &[Dependent], cascade: bool) {
    for dependent in dependents.iter().filter(|found| found.automatic || cascade) {
        let name = &dependent.relation;
        match &dependent.part {
            Part::Whole => whole(schema, dependent),
            Part::Column(gone) => column(schema, name, gone, true, false),
            Part::Default(of) => {
                if let Some(found) = schema.relation_mut(name).and_then(|t| t.column_mut(of)) {
                    found.default = None;
                    found.auto_increment = false;
                }
            }
            Part::Constraint(gone) => {
                schema.edit(name, |_, table| {
                    table.indexes.retain(|i| i.constraint.as_deref() != Some(gone.as_str()));
                    table.constraints.retain(|constraint| constraint.name != *gone);
                    table.forget_copies();
                });
            }
            Part::Index(gone) => {
                schema.edit(name, |_, table| {
                    table.indexes.retain(|index| index.name != *gone);
                    table.constraints.retain(|c| !c.has_index() || c.name != *gone);
                });
            }
            Part::Trigger(gone) => part_of(schema, name, ObjectKind::Trigger, gone),
            Part::Policy(gone) => part_of(schema, name, ObjectKind::Policy, gone),
            Part::Rule(gone) => part_of(schema, name, ObjectKind::Rule, gone),
            Part::Statistics(gone) => statistics(schema, gone),
            Part::Published(publication) => {
                let Some(mut body) = schema.publications.get(publication).cloned() else {
                    continue;
                };
                body.tables.retain(|table| table != name);
                body.columns.retain(|(table, _)| table != name);
                body.restricted.retain(|table| table != name);
                schema.set_publication(publication.clone(), Some(body));
            }
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "every other kind is a relation")]
fn whole(schema: &mut Schema, dependent: &Dependent) {
    match dependent.object {
        ObjectKind::Type | ObjectKind::Domain => schema.set_type(dependent.relation.clone(), None),
        ObjectKind::Function => schema.set_routines(dependent.relation.clone(), None),
        ObjectKind::Server
        | ObjectKind::UserMapping
        | ObjectKind::EventTrigger
        | ObjectKind::Cast => {
            schema.set_other(dependent.object.as_str(), dependent.relation.clone(), None);
        }
        _ => {
            schema.take_relation(&dependent.relation);
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "called for these three kinds")]
/// Drops a trigger, policy or rule.
fn part_of(schema: &mut Schema, table: &Name, object: ObjectKind, name: &str) {
    let mut names = vec![table.clone()];
    if object == ObjectKind::Trigger {
        names.extend(schema.descendants(table).iter().map(|child| child.name.clone()));
    }
    for (at, table) in names.into_iter().enumerate() {
        let Some(relation) = schema.relation_mut(&table) else { continue };
        match object {
            ObjectKind::Policy => relation.policies.retain(|policy| policy.name != name),
            ObjectKind::Rule => relation.rules.retain(|rule| rule.name != name),
            _ => relation.triggers.retain(|t| t.name != name || (at > 0 && !t.inherited)),
        }
    }
}

fn statistics(schema: &mut Schema, name: &Name) {
    let on = |relation: &super::super::model::Relation| {
        relation.statistics.iter().any(|(of, _)| of == name)
    };
    let table = schema.relations.values().find(|r| on(r)).map(|found| found.name.clone());
    if let Some(relation) = table.and_then(|table| schema.relation_mut(&table)) {
        relation.statistics.retain(|(of, _)| of != name);
    }
}

/// Drops an index; those attached to a partitioned one go with it.
pub(super) fn index(schema: &mut Schema, name: &Name, cascade: bool) {
    let Some(table) = schema.index_tables.get(name).cloned() else {
        schema.note_gone(name.clone());
        return;
    };
    let mut dependents = Vec::new();
    if let Some(found) = schema.relation(&table).and_then(|table| table.index(&name.name)) {
        if found.constraint.is_some() && !cascade {
            return;
        }
        dependents = schema.dependents_of_key(&table, &found.name);
    }
    remove(schema, &dependents, cascade);
    let mut tables = vec![table.clone()];
    tables.extend(schema.descendants(&table).iter().map(|child| child.name.clone()));
    let mut gone = vec![name.clone()];
    for table in tables {
        schema.edit(&table, |_, relation| {
            let home = relation.name.schema.clone();
            relation.indexes.retain(|index| {
                let full = Name::new(home.clone(), index.name.clone());
                let goes = full == *name || index.parent.as_ref().is_some_and(|p| gone.contains(p));
                if goes {
                    gone.push(full);
                }
                !goes
            });
        });
    }
    schema.note_gone(name.clone());
}

/// Drops a column and what cannot be without it, on the tables below too.
pub(super) fn column(schema: &mut Schema, table: &Name, column: &str, cascade: bool, only: bool) {
    let below = schema.losing_column(table, column);
    let mut tables = vec![table.clone()];
    let mut keeping = below.keeping;
    if only {
        keeping = schema.children(table).iter().map(|child| child.name.clone()).collect();
    } else {
        tables.extend(below.losing);
    }
    for table in tables {
        let dependents = schema.dependents_of_column(&table, column);
        // The column goes first, so that a dependent that leads back here finds nothing.
        if let Some(relation) = schema.relation_mut(&table) {
            relation.columns.retain(|found| found.name != column);
        }
        remove(schema, &dependents, cascade);
    }
    for child in keeping {
        super::partition::disown(schema, &child, column);
    }
}

/// Drops a constraint with its index, on the tables below too.
pub(super) fn constraint(
    schema: &mut Schema,
    table: &Name,
    constraint: &str,
    cascade: bool,
    only: bool,
) {
    let found = schema.relation(table).and_then(|t| t.constraint(constraint)).cloned();
    let mut tables = vec![table.clone()];
    if !only {
        tables.extend(schema.descendants(table).iter().map(|child| child.name.clone()));
    }
    if let Some(found) = found.as_ref().filter(|found| found.has_index()) {
        let dependents = schema.dependents_of_key(table, &found.name);
        remove(schema, &dependents, cascade);
    }
    let full = Name::new(table.schema.clone(), constraint);
    for (at, table) in tables.into_iter().enumerate() {
        schema.edit(&table, |_, relation| {
            let attached: Vec<String> = relation
                .indexes
                .iter()
                .filter(|index| index.parent.as_ref() == Some(&full))
                .map(|index| index.name.clone())
                .collect();
            let goes = |name: &str, inherited: bool| {
                (name == constraint && (at == 0 || inherited)) || attached.iter().any(|a| a == name)
            };
            if let Some(Demand::NotNull(column)) = found.as_ref().map(|found| &found.kind)
                && let Some(column) = relation.column_mut(column)
            {
                column.not_null = false;
            }
            let gone: Vec<String> = relation
                .constraints
                .iter()
                .filter(|c| goes(&c.name, c.inherited))
                .map(|c| c.name.clone())
                .collect();
            relation.constraints.retain(|c| !gone.contains(&c.name));
            relation.forget_copies();
            relation.indexes.retain(|i| !i.constraint.as_ref().is_some_and(|of| gone.contains(of)));
        });
    }
}
