//! Statements of MySQL and MariaDB.
//!
//! Names of columns and indexes are compared without case, those of tables with it, as on a server
//! with `lower_case_table_names=0`. Every schema change commits the transaction that is open.
//!
//! MySQL 8.0 to 9.x manual, Identifier Case Sensitivity, Statements That Cause an Implicit Commit;
//! MariaDB the same.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an action or statement that is not named here does not touch what is changed"
)]

mod alter;
mod table;

pub use alter::{Altered, altered};

use super::super::model::{Name, Relation, RelationKind, Routine, Schema, Trigger};
use super::{create, rename};
pub(in crate::schema) use crate::schema::same_in_any_case as same;
use crate::sql::ObjectName;
use crate::sql::ast::{
    CreateIndex, CreateRoutine, CreateTrigger, Drop, ObjectKind, Rename, Statement, StatementKind,
};

/// Runs a statement.
pub(super) fn apply(schema: &mut Schema, statement: &Statement) {
    match &statement.kind {
        StatementKind::CreateTable(create) => {
            if create.persistence != crate::sql::ast::Persistence::Temporary {
                schema.commit();
            }
            table::create(schema, create);
        }
        StatementKind::AlterTable(found) => {
            schema.commit();
            alter::apply(schema, found);
        }
        StatementKind::CreateIndex(found) => {
            schema.commit();
            create_index(schema, found);
        }
        StatementKind::Drop(drop) => {
            if !drop.temporary {
                schema.commit();
            }
            drop_objects(schema, drop);
        }
        StatementKind::Rename(found) if found.object == ObjectKind::Table => {
            schema.commit();
            rename_tables(schema, found);
        }
        StatementKind::CreateTrigger(trigger) => {
            schema.commit();
            create_trigger(schema, trigger);
        }
        StatementKind::CreateRoutine(routine) => {
            schema.commit();
            create_routine(schema, routine);
        }
        StatementKind::CreateEvent(event) => {
            let name = schema.new_name(&event.name);
            let origin = schema.origin();
            schema.set_other(ObjectKind::Event.as_str(), name, Some(origin));
        }
        StatementKind::CreateSchema(created) => {
            if let Some(name) = &created.name {
                let origin = schema.origin();
                schema.set_schema(name.value.clone(), Some(origin));
            }
        }
        StatementKind::SetStatement { statement, .. } => apply(schema, statement),
        _ => {
            super::apply_shared(schema, statement);
        }
    }
}

fn create_index(schema: &mut Schema, create: &CreateIndex) {
    let name = schema.resolve(&create.table);
    schema.edit(&name, |schema, relation| {
        if let Some(written) = &create.index.name {
            let there = relation.indexes.iter().any(|index| same(&index.name, written.as_str()));
            if there && create.if_not_exists {
                return;
            }
            if create.or_replace {
                table::drop_index(relation, written.as_str());
            }
        }
        table::add_index(schema, relation, &create.index);
    });
}

fn drop_objects(schema: &mut Schema, statement: &Drop) {
    match (statement.object, &statement.on_table) {
        (ObjectKind::Index, Some(table)) => {
            let table = schema.resolve(table);
            for name in &statement.names {
                schema.edit(&table, |_, relation| table::drop_index(relation, name.name()));
            }
        }
        (ObjectKind::Trigger, _) => {
            for name in &statement.names {
                drop_trigger(schema, name);
            }
        }
        (ObjectKind::Table | ObjectKind::View, _) => {
            for name in &statement.names {
                // Foreign keys and views that name the table stay as they are.
                let full = schema.resolve(name);
                schema.take_relation(&full);
            }
        }
        (ObjectKind::Schema | ObjectKind::Database, _) => {
            for name in &statement.names {
                let inside = |full: &&Name| full.schema == name.name();
                let all: Vec<Name> = schema.relations.keys().filter(inside).cloned().collect();
                for full in all {
                    schema.take_relation(&full);
                }
                schema.set_schema(name.name().to_owned(), None);
            }
        }
        _ => super::drop::apply(schema, statement),
    }
}

fn drop_trigger(schema: &mut Schema, name: &ObjectName) {
    let has = |relation: &&Relation| relation.triggers.iter().any(|t| t.name == name.name());
    let owner = schema.all_relations().find(has).map(|found| found.name.clone());
    if let Some(relation) = owner.and_then(|owner| schema.relation_mut(&owner)) {
        relation.triggers.retain(|trigger| trigger.name != name.name());
    }
}

/// Foreign keys follow a renamed table; views, triggers and routines go on naming the old one.
fn rename_tables(schema: &mut Schema, statement: &Rename) {
    for (from, to) in &statement.pairs {
        let old = schema.resolve(from);
        let home = to.schema().map_or_else(|| old.schema.clone(), ToOwned::to_owned);
        rename_table(schema, &old, Name::new(home, to.name()));
    }
}

/// Gives a table another name.
fn rename_table(schema: &mut Schema, old: &Name, new: Name) {
    if *old == new {
        return;
    }
    let is_view = |found: &&Relation| found.kind == RelationKind::View;
    let views: Vec<Relation> = schema.referrers(old).filter(is_view).cloned().collect();
    rename::relation(schema, old, new);
    for view in views {
        if let Some(relation) = schema.relation_mut(&view.name) {
            relation.reads = view.reads;
        }
    }
}

fn create_trigger(schema: &mut Schema, create: &CreateTrigger) {
    let table = schema.resolve(&create.table);
    let trigger = Trigger {
        name: create.name.name().to_owned(),
        function: None,
        columns: words(&create.statements),
        touches: touched(schema, &create.statements),
        for_each_row: true,
        inherited: false,
        text: None,
        body: crate::sql::ast::Tree::default(),
    };
    if let Some(relation) = schema.relation_mut(&table) {
        let there = relation.triggers.iter().any(|found| found.name == trigger.name);
        if there && create.or_replace {
            relation.triggers.retain(|found| found.name != trigger.name);
        } else if there {
            return;
        }
        relation.triggers.push(trigger);
    }
}

fn create_routine(schema: &mut Schema, create: &CreateRoutine) {
    let name = schema.new_name(&create.name);
    let known = schema.routines.get(&name).is_some_and(|all| !all.is_empty());
    if known && !create.or_replace {
        return;
    }
    let routine = Routine {
        arguments: create.arguments.clone(),
        procedure: create.procedure,
        aggregate: create.aggregate,
        returns: create.returns.clone(),
        language: create.language.clone(),
        volatility: create.volatility,
        touches: touched(schema, &create.statements),
        writes: Vec::new(),
        columns: Vec::new(),
        inlined: None,
        parsed_body: false,
        origin: schema.origin(),
    };
    schema.set_routines(name, Some(vec![routine]));
}

/// Returns the words in statements that may be columns, those that are written among them.
fn words(statements: &[Statement]) -> Vec<String> {
    let mut found = words_read(statements);
    for statement in statements {
        if let StatementKind::Dml(dml) = &statement.kind {
            found.extend(dml.columns.iter().map(|column| column.value.clone()));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Returns the words in expressions of statements that may be columns.
pub(super) fn words_read(statements: &[Statement]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for statement in statements {
        if let StatementKind::Dml(dml) = &statement.kind {
            found.extend(dml.query.columns.iter().cloned());
            found.extend(dml.filter.iter().flat_map(|filter| filter.columns.iter().cloned()));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Returns the relations that statements read and write.
pub(super) fn touched(schema: &Schema, statements: &[Statement]) -> Vec<Name> {
    let mut found: Vec<Name> = Vec::new();
    for statement in statements {
        if let StatementKind::Dml(dml) = &statement.kind {
            let names = dml.targets.iter().chain(&dml.query.reads);
            found.extend(names.map(|name| schema.resolve(name)));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Notes that a table is there which no statement made.
fn assumed(schema: &mut Schema, name: &ObjectName) -> Name {
    let full = schema.resolve(name);
    if schema.relation(&full).is_none() && !schema.is_absent(name) {
        let origin = super::super::model::Origin::Assumed;
        schema.put_relation(Relation::new(full.clone(), RelationKind::Table, origin));
    }
    full
}

/// Takes over columns from the query of CREATE TABLE … SELECT.
fn from_query(schema: &Schema, table: &mut Relation, query: &crate::sql::ast::Query) {
    create::fill_from_query(schema, table, query);
}
