//! ALTER TABLE on PostgreSQL, action by action.
//!
//! PostgreSQL 12 to 18, manual: ALTER TABLE; tablecmds.c: ATExecAddColumn and the other ATExec… of
//! each action; measured, testdata/servers/postgres.

use super::super::model::{Constraint, Demand, Name, Origin, Relation, RelationKind, Schema};
use super::{create, drop, key_copies, partition, rename};
use crate::sql::ast::{
    ActionKind, AlterTable, ColumnDef, DataType, DetachMode, ObjectKind, PgAction, ReplicaIdentity,
    RowSecurity, TableAction, TableConstraint, TypeAction,
};

#[expect(clippy::wildcard_enum_match_arm, reason = "every other action keeps the name")]
/// Runs every action on the table and on those below it.
pub(super) fn table(schema: &mut Schema, alter: &AlterTable) {
    let mut name = schema.resolve(&alter.name);
    if alter.object == ObjectKind::Index || schema.find_index(&alter.name).is_some() {
        // `ALTER TABLE <index> RENAME TO …` works on indexes too.
        for action in &alter.actions {
            if let ActionKind::RenameTo(to) = &action.kind {
                rename::index(schema, &alter.name, to.name());
            }
        }
        return;
    }
    if schema.relation(&name).is_none() && (alter.if_exists || schema.is_absent(&alter.name)) {
        return;
    }
    schema.relation_or_assumed(&name);
    let mut actions: Vec<&TableAction> = alter.actions.iter().collect();
    actions.sort_by_key(|action| action.kind.pass());
    for action in actions {
        match &action.kind {
            ActionKind::RenameTo(to) => {
                let new = Name::new(name.schema.clone(), to.name());
                rename::relation(schema, &name, new.clone());
                name = new;
            }
            ActionKind::Postgres(PgAction::SetSchema(to)) => {
                let new = Name::new(to.value.clone(), name.name.clone());
                rename::relation(schema, &name, new.clone());
                name = new;
            }
            kind => run(schema, &name, kind, alter.only),
        }
    }
    key_copies::complete(schema, &name);
}

/// Returns the table and, unless ONLY is written, all below it.
fn family(schema: &Schema, name: &Name, only: bool) -> Vec<Name> {
    let mut names = vec![name.clone()];
    if !only {
        names.extend(schema.descendants(name).iter().map(|child| child.name.clone()));
    }
    names
}

fn run(schema: &mut Schema, name: &Name, action: &ActionKind, only: bool) {
    match action {
        ActionKind::AddColumn { column, .. } => add_column(schema, name, column, only),
        ActionKind::DropColumn { column, cascade, .. } => {
            drop::column(schema, name, column.as_str(), *cascade, only);
        }
        ActionKind::RenameColumn { from, to, .. } => {
            for table in family(schema, name, false) {
                rename::column(schema, &table, from.as_str(), to.as_str());
            }
        }
        ActionKind::SetDefault { column, default } => {
            for table in family(schema, name, only) {
                edit_column(schema, &table, column.as_str(), |found| {
                    found.default = Some(Box::new(default.clone()));
                });
            }
        }
        ActionKind::DropDefault { column } => {
            for table in family(schema, name, only) {
                edit_column(schema, &table, column.as_str(), |found| {
                    found.default = None;
                    found.auto_increment = false;
                });
            }
        }
        ActionKind::SetNotNull { column } => {
            for table in family(schema, name, only) {
                schema.edit(&table, |schema, table| {
                    create::set_not_null(schema, table, column.as_str(), None, true);
                });
            }
        }
        ActionKind::DropNotNull { column } => {
            for table in family(schema, name, only) {
                drop_not_null(schema, &table, column.as_str());
            }
        }
        ActionKind::AddConstraint(constraint) => add_constraint(schema, name, constraint, only),
        ActionKind::DropConstraint { name: constraint, cascade, .. } => {
            drop::constraint(schema, name, constraint.as_str(), *cascade, only);
        }
        ActionKind::Postgres(action) => postgres(schema, name, action, only),
        ActionKind::RenameTo(_) | ActionKind::Mysql(_) => {}
    }
}

/// Changes a column; one that was never seen is assumed, unless the whole table is known.
fn edit_column(
    schema: &mut Schema,
    table: &Name,
    column: &str,
    change: impl FnOnce(&mut super::super::model::Column),
) {
    let Some(relation) = schema.relation_mut(table) else { return };
    if relation.column(column).is_none() && !relation.complete {
        relation.columns.push(create::plain_column(column, None, Origin::Assumed));
    }
    if let Some(found) = relation.column_mut(column) {
        change(found);
    }
}

fn add_column(schema: &mut Schema, name: &Name, column: &ColumnDef, only: bool) {
    let there = |schema: &Schema, table: &Name| {
        schema.relation(table).is_some_and(|t| t.column(column.name.as_str()).is_some())
    };
    if there(schema, name) {
        return;
    }
    let mut made = Vec::new();
    let before = Parts::of(schema, name);
    schema.edit(name, |schema, table| create::add_column(schema, table, column, &mut made));
    for sequence in made {
        schema.put_relation(sequence);
    }
    pass_on(schema, name, before, only);
}

/// How many constraints and indexes a table had: those after them are new.
#[derive(Clone, Copy)]
struct Parts {
    constraints: usize,
    indexes: usize,
}

impl Parts {
    fn of(schema: &Schema, name: &Name) -> Self {
        schema.relation(name).map_or(Self { constraints: 0, indexes: 0 }, |table| Self {
            constraints: table.constraints.len(),
            indexes: table.indexes.len(),
        })
    }
}

/// Tables below take over new columns and CHECKs, partitions new indexes and foreign keys too.
fn pass_on(schema: &mut Schema, name: &Name, before: Parts, only: bool) {
    let Some(parent) = schema.relation(name).cloned() else { return };
    let keys = parent.constraints.iter().skip(before.constraints).filter(|c| c.parent().is_some());
    let keys: Vec<&Constraint> = keys.filter(|_| parent.is_partitioned()).collect();
    for child in family(schema, name, only).into_iter().skip(1) {
        schema.edit(&child, |schema, table| {
            partition::take_columns(&parent, table, schema.origin());
            for key in &keys {
                partition::take_foreign_key(schema, key, table);
            }
        });
    }
    for index in parent.indexes.iter().skip(before.indexes).filter(|_| parent.is_partitioned()) {
        if only {
            // It becomes valid when every partition has its part.
            let alone = schema.partitions(name).is_empty();
            schema.edit(name, |_, table| {
                for own in table.indexes.iter_mut().filter(|own| own.name == index.name) {
                    own.valid = alone;
                }
            });
        } else {
            partition::attach_below(schema, &parent, index);
        }
    }
}

fn drop_not_null(schema: &mut Schema, table: &Name, column: &str) {
    edit_column(schema, table, column, |found| {
        found.not_null = false;
        found.not_null_not_valid = false;
    });
    if let Some(relation) = schema.relation_mut(table) {
        relation
            .constraints
            .retain(|constraint| !matches!(&constraint.kind, Demand::NotNull(of) if of == column));
    }
}

fn add_constraint(schema: &mut Schema, name: &Name, constraint: &TableConstraint, only: bool) {
    let before = Parts::of(schema, name);
    schema.edit(name, |schema, table| create::add_constraint(schema, table, constraint, false));
    pass_on(schema, name, before, only);
    let Some(parent) = schema.relation(name).filter(|table| table.is_partitioned()) else { return };
    let key = parent.constraints.iter().skip(before.constraints).find_map(|new| match &new.kind {
        Demand::PrimaryKey(columns) => Some(columns.clone()),
        Demand::Unique(_)
        | Demand::Check(_)
        | Demand::Exclude(_)
        | Demand::ForeignKey { .. }
        | Demand::NotNull(_) => None,
    });
    for child in family(schema, name, only).into_iter().skip(1) {
        for column in key.iter().flatten() {
            schema.edit(&child, |_, table| {
                if let Some(found) = table.column_mut(column) {
                    found.not_null = true;
                }
            });
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the next function matches what is left")]
fn postgres(schema: &mut Schema, name: &Name, action: &PgAction, only: bool) {
    match action {
        PgAction::AlterType { column, data_type, .. } => {
            for table in family(schema, name, only) {
                set_type(schema, &table, column.as_str(), data_type);
            }
        }
        PgAction::SetExpression { column, expr } => {
            for table in family(schema, name, only) {
                edit_column(schema, &table, column.as_str(), |found| {
                    if let Some(generated) = &mut found.generated {
                        generated.expr = expr.clone();
                    }
                });
            }
        }
        PgAction::DropExpression { column, .. } => {
            for table in family(schema, name, only) {
                edit_column(schema, &table, column.as_str(), |found| found.generated = None);
            }
        }
        PgAction::AddIdentity { column, kind } => {
            edit_column(schema, name, column.as_str(), |found| found.identity = Some(*kind));
            if let Some(table) = schema.relation(name) {
                let sequence = create::owned_sequence(schema, table, column.as_str());
                schema.put_relation(sequence);
            }
        }
        PgAction::DropIdentity { column, .. } => {
            edit_column(schema, name, column.as_str(), |found| found.identity = None);
            let owned = schema.owned_sequences(name, Some(column.as_str()));
            let names: Vec<Name> = owned.iter().map(|sequence| sequence.name.clone()).collect();
            for sequence in names {
                schema.take_relation(&sequence);
            }
        }
        PgAction::AlterConstraint { name: constraint, enforced, deferrable, inherit } => {
            edit_constraint(schema, name, constraint.as_str(), |found| {
                found.enforced = enforced.unwrap_or(found.enforced);
                found.valid = enforced.unwrap_or(found.valid);
                found.deferrable = deferrable.unwrap_or(found.deferrable);
                found.no_inherit = inherit.map_or(found.no_inherit, |inherit| !inherit);
            });
        }
        PgAction::ValidateConstraint { name: constraint } => {
            for table in family(schema, name, only) {
                validate(schema, &table, constraint.as_str());
            }
        }
        PgAction::RenameConstraint { from, to } => {
            for table in family(schema, name, only) {
                rename::constraint(schema, &table, from.as_str(), to.as_str());
            }
        }
        other => hierarchy(schema, name, other),
    }
}

/// Partitions and inheritance.
#[expect(clippy::wildcard_enum_match_arm, reason = "the next function matches what is left")]
fn hierarchy(schema: &mut Schema, name: &Name, action: &PgAction) {
    match action {
        PgAction::AttachPartition { partition: child, bound } => {
            let child = schema.resolve(child);
            partition::attach(schema, name, &child, bound);
        }
        PgAction::DetachPartition { partition: child, mode } => {
            let child = schema.resolve(child);
            match mode {
                DetachMode::Plain | DetachMode::Concurrently | DetachMode::Finalize => {
                    partition::detach(schema, &child);
                }
            }
        }
        PgAction::Inherit(parent) => {
            let parent = schema.resolve(parent);
            if partition::is_below(schema, &parent, name) {
                return;
            }
            let from = schema.relation(&parent).cloned();
            schema.edit(name, |schema, table| {
                table.inherits.push(parent.clone());
                if let Some(parent) = &from {
                    partition::take_columns(parent, table, schema.origin());
                }
            });
        }
        PgAction::NoInherit(parent) => {
            let parent = schema.resolve(parent);
            partition::no_inherit(schema, &parent, name);
        }
        other => options(schema, name, other),
    }
}

fn set_type(schema: &mut Schema, table: &Name, column: &str, data_type: &DataType) {
    edit_column(schema, table, column, |found| {
        found.data_type = Some(data_type.clone());
    });
}

fn edit_constraint(
    schema: &mut Schema,
    table: &Name,
    constraint: &str,
    change: impl FnOnce(&mut Constraint),
) {
    let Some(relation) = schema.relation_mut(table) else { return };
    let found = relation.constraints.iter_mut().find(|found| found.name == constraint);
    if let Some(found) = found {
        change(found);
    }
}

fn validate(schema: &mut Schema, table: &Name, constraint: &str) {
    edit_constraint(schema, table, constraint, |found| found.valid = true);
    let Some(relation) = schema.relation_mut(table) else { return };
    let column = relation.constraint(constraint).and_then(|found| match &found.kind {
        Demand::NotNull(column) => Some(column.clone()),
        Demand::PrimaryKey(_)
        | Demand::Unique(_)
        | Demand::Check(_)
        | Demand::Exclude(_)
        | Demand::ForeignKey { .. } => None,
    });
    if let Some(found) = column.and_then(|column| relation.column_mut(&column)) {
        found.not_null_not_valid = false;
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "most actions leave no trace in the model")]
/// The actions that only change how the table is kept.
fn options(schema: &mut Schema, name: &Name, action: &PgAction) {
    use crate::sql::ast::Persistence;
    let sequences: Vec<Name> = match action {
        PgAction::SetLogged | PgAction::SetUnlogged | PgAction::OwnerTo(_) => {
            let owned = schema.owned_sequences(name, None);
            owned.iter().map(|sequence| sequence.name.clone()).collect()
        }
        _ => Vec::new(),
    };
    for target in std::iter::once(name).chain(&sequences) {
        let Some(relation) = schema.relation_mut(target) else { continue };
        match action {
            PgAction::SetLogged => relation.persistence = Persistence::Permanent,
            PgAction::SetUnlogged => relation.persistence = Persistence::Unlogged,
            PgAction::OwnerTo(owner) => relation.owner = Some(owner.clone()),
            _ => {}
        }
    }
    let Some(relation) = schema.relation_mut(name) else { return };
    option(relation, action);
}

#[expect(clippy::wildcard_enum_match_arm, reason = "most actions leave no trace in the model")]
fn option(relation: &mut Relation, action: &PgAction) {
    match action {
        PgAction::RowSecurity(switch) => match switch {
            RowSecurity::Enable => relation.row_security = true,
            RowSecurity::Disable => relation.row_security = false,
            RowSecurity::Force | RowSecurity::NoForce => {}
        },
        PgAction::NotOf => relation.of_type = None,
        PgAction::ClusterOn(index) => relation.clustered_on = Some(index.value.clone()),
        PgAction::SetWithoutCluster => relation.clustered_on = None,
        PgAction::SetAccessMethod(method) => {
            relation.access_method = (method != "default").then(|| method.clone());
        }
        PgAction::SetTablespace(tablespace) => {
            relation.tablespace = (tablespace != "pg_default").then(|| tablespace.clone());
        }
        PgAction::SetOptions(options) => relation.options.extend(options.iter().cloned()),
        PgAction::ResetOptions(names) => {
            relation.options.retain(|option, _| !names.contains(option));
        }
        PgAction::ReplicaIdentity(identity) => {
            relation.replica_identity = match identity {
                ReplicaIdentity::Index(index) => Some(index.value.clone()),
                ReplicaIdentity::Default | ReplicaIdentity::Full | ReplicaIdentity::Nothing => None,
            };
        }
        PgAction::Trigger { .. } if relation.kind == RelationKind::View => {}
        _ => {}
    }
}

/// Changes a table made OF a composite type as the type is changed.
pub(super) fn typed_table(schema: &mut Schema, table: &Name, action: &TypeAction) {
    match action {
        TypeAction::AddAttribute { name, data_type, .. } => {
            for member in family(schema, table, false) {
                let data_type = Some(data_type.clone());
                let column = create::plain_column(name.as_str(), data_type, schema.origin());
                schema.edit(&member, |_, relation| relation.columns.push(column));
            }
        }
        TypeAction::DropAttribute { name, .. } => {
            drop::column(schema, table, name.as_str(), true, false);
        }
        TypeAction::AlterAttribute { name, data_type, .. } => {
            for member in family(schema, table, false) {
                set_type(schema, &member, name.as_str(), data_type);
            }
        }
        TypeAction::RenameAttribute { from, to, .. } => {
            for member in family(schema, table, false) {
                rename::column(schema, &member, from.as_str(), to.as_str());
            }
        }
        TypeAction::AddValue { .. } | TypeAction::RenameValue { .. } | TypeAction::Options => {}
    }
}
