//! What tables below others take over: columns, constraints, indexes, triggers.
//!
//! PostgreSQL 12 to 18, manual: Inheritance, Table Partitioning; MergeAttributes and
//! ATExecAttachPartition (tablecmds.c); measured, testdata/servers/postgres.

use super::super::model::{Constraint, Demand, Index, Name, Origin, Relation, Schema};
use super::super::naming::{index_column_names, made_up_name};
use super::{create, key_copies};
use crate::sql::Ident;
use crate::sql::ast::PartitionBound;

/// Takes over the columns and inheritable constraints of a parent.
pub(super) fn take_columns(parent: &Relation, child: &mut Relation, origin: Origin) {
    child.complete &= parent.complete;
    for column in &parent.columns {
        match child.column_mut(&column.name) {
            Some(own) => {
                own.inherited = true;
                own.not_null |= column.not_null;
            }
            None => {
                let mut copy = column.clone();
                copy.inherited = true;
                copy.local = false;
                copy.auto_increment = false;
                copy.identity = None;
                copy.origin = origin;
                child.columns.push(copy);
            }
        }
    }
    for constraint in &parent.constraints {
        let inherits = match constraint.kind {
            Demand::Check(_) | Demand::NotNull(_) => !constraint.no_inherit,
            Demand::PrimaryKey(_)
            | Demand::Unique(_)
            | Demand::Exclude(_)
            | Demand::ForeignKey { .. } => false,
        };
        let own = child.constraints.iter_mut().find(|own| match (&own.kind, &constraint.kind) {
            (Demand::NotNull(a), Demand::NotNull(b)) => a == b,
            _ => own.name == constraint.name,
        });
        match own {
            Some(own) if inherits => own.inherited = true,
            None if inherits => {
                child.constraints.push(Constraint {
                    inherited: true,
                    origin,
                    ..constraint.clone()
                });
            }
            Some(_) | None => {}
        }
    }
}

/// Takes over the indexes, keys, foreign keys and row triggers of a partitioned parent.
pub(super) fn take_indexes(schema: &Schema, parent: &Relation, child: &mut Relation) {
    for index in &parent.indexes {
        copy_index(schema, parent, index, child, true);
    }
    for constraint in parent.constraints.iter().filter(|c| c.parent().is_some()) {
        take_foreign_key(schema, constraint, child);
    }
    for trigger in parent.triggers.iter().filter(|trigger| trigger.for_each_row) {
        if !child.triggers.iter().any(|own| own.name == trigger.name) {
            let mut copy = trigger.clone();
            copy.inherited = true;
            child.triggers.push(copy);
        }
    }
}

/// Takes over a foreign key under the same name, or a numbered one where that is taken.
pub(super) fn take_foreign_key(schema: &Schema, constraint: &Constraint, child: &mut Relation) {
    let same = child.constraints.iter_mut().find(|own| own.kind == constraint.kind);
    if let Some(own) = same {
        own.inherited = true;
        return;
    }
    let mut copy = Constraint { inherited: true, ..constraint.clone() };
    copy.origin = schema.origin();
    if child.constraint(&copy.name).is_some() {
        let columns = constraint.columns().join("_");
        let taken = |name: &str| child.constraint(name).is_some();
        copy.name = made_up_name(&child.name.name, &columns, "fkey", taken);
    }
    child.constraints.push(copy);
}

/// Copies an index to another table, under the name the server makes up there. A partition keeps
/// an equal index of its own, which is attached.
pub(super) fn copy_index(
    schema: &Schema,
    source: &Relation,
    index: &Index,
    table: &mut Relation,
    attach: bool,
) {
    let full = Name::new(source.name.schema.clone(), index.name.clone());
    if attach && table.indexes.iter().any(|own| own.parent.as_ref() == Some(&full)) {
        return;
    }
    if attach && let Some(own) = matching_index(index, table) {
        own.parent = Some(full);
        return;
    }
    let include: Vec<Ident> = index
        .include
        .iter()
        .map(|name| Ident::new(name.as_str(), crate::sql::Span::default()))
        .collect();
    let columns = index_column_names(&index.parts, &include).join("_");
    let label = match (&index.constraint, index.primary) {
        (_, true) => "pkey",
        (Some(_), false) if index.kind == crate::sql::ast::IndexKind::Unique => "key",
        (Some(_), false) => "excl",
        (None, false) => "idx",
    };
    let columns = if index.primary { "" } else { columns.as_str() };
    let taken = |name: &str| create::is_taken(schema, table, name);
    let name = made_up_name(&table.name.name, columns, label, taken);
    let mut copy = index.clone();
    copy.name.clone_from(&name);
    copy.origin = schema.origin();
    copy.parent = attach.then_some(full);
    copy.constraint = index.constraint.as_ref().map(|_| name.clone());
    table.indexes.push(copy);
    let behind = index.constraint.as_ref().and_then(|of| source.constraint(of));
    if let Some(constraint) = behind {
        table.constraints.push(Constraint {
            name,
            inherited: attach,
            origin: schema.origin(),
            ..constraint.clone()
        });
    }
}

/// Makes or attaches the index of a partitioned table on every partition, level by level.
pub(super) fn attach_below(schema: &mut Schema, parent: &Relation, index: &Index) {
    let children: Vec<Name> =
        schema.partitions(&parent.name).iter().map(|child| child.name.clone()).collect();
    for child in children {
        schema.edit(&child, |schema, table| {
            copy_index(schema, parent, index, table, true);
        });
        let full = Name::new(parent.name.schema.clone(), index.name.clone());
        let Some(table) = schema.relation(&child).cloned() else { continue };
        let made = table.indexes.iter().find(|own| own.parent.as_ref() == Some(&full)).cloned();
        if let (Some(made), true) = (made, table.is_partitioned()) {
            attach_below(schema, &table, &made);
        }
    }
}

/// Returns the index of a table that is equal to a partitioned one and not attached elsewhere.
pub(super) fn matching_index<'t>(index: &Index, table: &'t mut Relation) -> Option<&'t mut Index> {
    table.indexes.iter_mut().find(|own| own.parent.is_none() && index.is_served_by(own))
}

/// Says whether a table is another or below it: the server refuses such a parent, and what goes
/// from table to table would not come to an end.
pub(super) fn is_below(schema: &Schema, table: &Name, above: &Name) -> bool {
    table == above || schema.descendants(above).iter().any(|below| below.name == *table)
}

/// ATTACH PARTITION.
pub(super) fn attach(schema: &mut Schema, parent: &Name, child: &Name, bound: &PartitionBound) {
    if is_below(schema, parent, child) {
        return;
    }
    let from = schema.relation(parent).cloned();
    schema.edit(child, |schema, table| {
        table.partition_of = Some((parent.clone(), bound.clone()));
        if let Some(parent) = &from {
            take_columns(parent, table, schema.origin());
            for column in &mut table.columns {
                column.local = false;
            }
            take_indexes(schema, parent, table);
        }
    });
    schema.note_mention(parent, child);
    key_copies::partition_came(schema, child);
}

/// DETACH PARTITION: what was taken over stays as its own.
pub(super) fn detach(schema: &mut Schema, child: &Name) {
    key_copies::partition_went(schema, child);
    schema.edit(child, |_, table| {
        table.partition_of = None;
        for column in &mut table.columns {
            column.inherited = false;
            column.local = true;
        }
        for constraint in &mut table.constraints {
            constraint.inherited = false;
        }
        for index in &mut table.indexes {
            index.parent = None;
        }
        table.triggers.retain(|trigger| !trigger.inherited);
    });
}

/// NO INHERIT: what no other parent has stays as the table's own.
pub(super) fn no_inherit(schema: &mut Schema, parent: &Name, child: &Name) {
    schema.edit(child, |_, table| table.inherits.retain(|of| of != parent));
    let columns: Vec<String> = schema
        .relation(child)
        .map(|table| table.columns.iter().map(|column| column.name.clone()).collect())
        .unwrap_or_default();
    for column in columns {
        disown(schema, child, &column);
    }
    let checks: Vec<String> = schema.parents(child).iter().flat_map(|p| p.check_names()).collect();
    schema.edit(child, |_, table| {
        for constraint in &mut table.constraints {
            constraint.inherited &= checks.contains(&constraint.name);
        }
    });
}

/// A parent of the table lost a column without taking it along: the table's own is what other
/// parents give, or its own.
pub(super) fn disown(schema: &mut Schema, child: &Name, column: &str) {
    let given = schema.parents(child).iter().any(|parent| parent.column(column).is_some());
    schema.edit(child, |_, table| {
        if let Some(own) = table.column_mut(column)
            && own.inherited
        {
            own.inherited = given;
            own.local |= !given;
        }
    });
}
