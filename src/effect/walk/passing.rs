//! Effects on what a migration itself makes, replaces or takes away: nobody meets them.

use super::left::is_redundant;
use super::{MigrationEffects, StatementRun};
use crate::effect::{Effect, EffectKind};
use crate::schema::{Name, Origin, RelationKind, Schema};
use crate::sql::ObjectName;
use crate::sql::ast::{
    ActionKind, DmlKind, MyAction, ObjectKind, Statement, StatementKind, TableAction,
};

/// Excuses what a statement does to columns and constraints that the migration made, and the loss
/// of an index whose searches another one serves. Called before the schema changes.
pub(super) fn own_parts(schema: &Schema, run: &mut StatementRun) {
    for (place, effect) in run.effects.effects.iter().enumerate() {
        let harmless =
            |(object, name)| is_own(object, name, schema) || is_spare(object, name, schema);
        if lost(effect).is_some_and(harmless) {
            run.excused.insert(place);
        }
    }
}

/// Says whether an index is one of whose searches another serves all.
fn is_spare(object: ObjectKind, name: &str, schema: &Schema) -> bool {
    let Some((table, index)) = name.rsplit_once('.').filter(|_| object == ObjectKind::Index) else {
        return false;
    };
    // PostgreSQL and SQLite name the schema before it, MySQL and MariaDB the table.
    let table = schema.index_tables.get(&full(name)).cloned().unwrap_or_else(|| full(table));
    let relation = schema.relation(&table);
    relation.is_some_and(|found| found.index(index).is_some_and(|i| is_redundant(found, i)))
}

/// Says whether a part of a table was made by the migration that runs.
fn is_own(object: ObjectKind, name: &str, schema: &Schema) -> bool {
    let Some((table, part)) = name.rsplit_once('.') else { return false };
    let Some(relation) = schema.relation(&full(table)) else { return false };
    let origin = if object == ObjectKind::Column {
        relation.column_any_case(part).map(|column| column.origin)
    } else if object == ObjectKind::Constraint {
        relation.constraint(part).map(|constraint| constraint.origin)
    } else {
        None
    };
    origin == Some(Origin::Migration(schema.migration))
}

fn full(name: &str) -> Name {
    let (home, table) = name.rsplit_once('.').unwrap_or(("", name));
    Name::new(home, table)
}

/// A unique key of a table or a materialized view that the migration makes from a query: the query
/// decides about duplicates, no row that was there before. REFRESH CONCURRENTLY wants such a key
/// (PostgreSQL 12 to 18, manual: REFRESH MATERIALIZED VIEW).
pub(super) fn made_from_a_query(
    (statement, all): (&Statement, &[Statement]),
    schema: &Schema,
    run: &mut StatementRun,
) {
    let table = if let StatementKind::CreateIndex(create) = &statement.kind {
        &create.table
    } else if let StatementKind::AlterTable(alter) = &statement.kind {
        &alter.name
    } else {
        return;
    };
    let effects = run.effects.effects.iter().enumerate();
    let duplicates = effects.filter(|(_, effect)| {
        effect.failure().is_some_and(|failure| failure.when == "duplicates-present")
    });
    let duplicates: Vec<usize> = duplicates.map(|(place, _)| place).collect();
    let own = !duplicates.is_empty()
        && schema.find(table).is_some_and(|found| {
            let view = found.kind == RelationKind::MaterializedView;
            found.origin == Origin::Migration(schema.migration)
                && (view || is_from_query(table, all, schema))
        });
    if own {
        run.excused.extend(duplicates);
    }
}

/// Says whether statements make a table from a query, and nothing else fills it.
fn is_from_query(table: &ObjectName, all: &[Statement], schema: &Schema) -> bool {
    let is_it = |name: &ObjectName| schema.resolve(name) == schema.resolve(table);
    let made = all.iter().any(|statement| {
        matches!(&statement.kind, StatementKind::CreateTable(create)
            if create.query.is_some() && is_it(&create.name))
    });
    let filled = all.iter().any(|statement| {
        matches!(&statement.kind, StatementKind::Dml(dml) if dml.targets.iter().any(is_it))
    });
    made && !filled
}

/// Excuses, once a migration was walked, columns whose values moved to a column that then took
/// their name, tables that were filled again, parts of tables that go as a whole later, and locks
/// on parents that the migration drops as well.
pub(super) fn excuse(statements: &[Statement], schema: &Schema, out: &mut MigrationEffects) {
    let dropped = dropped_tables(statements, schema);
    let replaced = replaced_columns(statements, schema);
    for (at, run) in out.statements.iter_mut().enumerate() {
        let later: Vec<&Name> =
            dropped.iter().filter(|(drop, _)| *drop > at).map(|(_, table)| table).collect();
        for (place, effect) in run.effects.effects.iter().enumerate() {
            if locks_dropped_parent(effect, &dropped)
                || loses_replaced(effect, &replaced)
                || goes_with_its_table(effect, &later)
                || is_filled_again(effect, statements, schema)
                || is_made_from_a_query(effect, statements.get(at + 1..), schema)
            {
                run.excused.insert(place);
            }
        }
    }
}

/// Returns the tables that are dropped, each with the number of the statement.
fn dropped_tables(statements: &[Statement], schema: &Schema) -> Vec<(usize, Name)> {
    let drops = statements.iter().enumerate().filter_map(|(at, statement)| {
        if let StatementKind::Drop(drop) = &statement.kind { Some((at, drop)) } else { None }
    });
    let tables = drops.filter(|(_, drop)| drop.object == ObjectKind::Table);
    let names = tables.flat_map(|(at, drop)| drop.names.iter().map(move |name| (at, name)));
    names.map(|(at, name)| (at, schema.new_name(name))).collect()
}

fn locks_dropped_parent(effect: &Effect, dropped: &[(usize, Name)]) -> bool {
    effect.lock().is_some_and(|lock| {
        matches!(lock.cause, "drop-table-parent" | "drop-foreign-key-parent")
            && dropped.iter().any(|(_, table)| *table == lock.relation.name)
    })
}

/// Says whether a part of a table is lost that goes as a whole a few statements later.
fn goes_with_its_table(effect: &Effect, dropped: &[&Name]) -> bool {
    let Some((object, name)) = lost(effect) else { return false };
    let part = matches!(object, ObjectKind::Column | ObjectKind::Constraint);
    let Some((table, _)) = name.rsplit_once('.').filter(|_| part) else { return false };
    dropped.iter().any(|name| name.to_string() == table)
}

/// Says whether a table that goes is made again from a query.
fn is_made_from_a_query(effect: &Effect, later: Option<&[Statement]>, schema: &Schema) -> bool {
    let Some((ObjectKind::Table, name)) = lost(effect) else { return false };
    later.unwrap_or(&[]).iter().any(|statement| {
        matches!(&statement.kind, StatementKind::CreateTable(create)
            if create.query.is_some() && schema.new_name(&create.name).to_string() == name)
    })
}

/// Says whether the rows of a table that is made anew were put aside before and come back later.
fn is_filled_again(effect: &Effect, statements: &[Statement], schema: &Schema) -> bool {
    let Some(("create-table-replaces", name)) = effect.session() else { return false };
    let is_it = |table: &ObjectName| schema.new_name(table).to_string() == name;
    let aside = statements.iter().position(|statement| {
        if let StatementKind::Dml(dml) = &statement.kind {
            dml.from_query && dml.query.reads.iter().any(is_it)
        } else if let StatementKind::CreateTable(create) = &statement.kind {
            create.query.iter().any(|query| query.reads.iter().any(is_it))
        } else {
            false
        }
    });
    let Some(aside) = aside else { return false };
    statements.iter().skip(aside + 1).any(|statement| {
        matches!(&statement.kind, StatementKind::Dml(dml)
            if dml.from_query && dml.targets.iter().any(is_it))
    })
}

fn loses_replaced(effect: &Effect, replaced: &[String]) -> bool {
    lost(effect).is_some_and(|(object, name)| {
        object == ObjectKind::Column && replaced.iter().any(|column| column == name)
    })
}

/// Returns what is lost, or what code that uses it misses.
fn lost(effect: &Effect) -> Option<(ObjectKind, &str)> {
    if let EffectKind::Loss(loss) = &effect.kind {
        Some((loss.object, &loss.name))
    } else if let EffectKind::Break { object, name, how, .. } = &effect.kind {
        let gone = how.starts_with("drop-") || how.starts_with("rename-");
        (gone || *how == "change-default").then_some((*object, name))
    } else {
        None
    }
}

/// Returns columns whose values an UPDATE copied to another one, which took over the name later.
fn replaced_columns(statements: &[Statement], schema: &Schema) -> Vec<String> {
    let mut copies: Vec<(&ObjectName, &str, &[String])> = Vec::new();
    let mut replaced = Vec::new();
    for statement in statements {
        if let StatementKind::Dml(dml) = &statement.kind
            && dml.kind == DmlKind::Update
            && let [table] = dml.targets.as_slice()
        {
            let columns = dml.columns.iter();
            copies.extend(columns.map(|to| (table, to.as_str(), dml.query.columns.as_slice())));
        } else if let StatementKind::AlterTable(alter) = &statement.kind {
            for (from, to) in alter.actions.iter().filter_map(renamed) {
                let copied = |(table, new, read): &(&ObjectName, &str, &[String])| {
                    schema.resolve(table) == schema.resolve(&alter.name)
                        && new.eq_ignore_ascii_case(from)
                        && read.iter().any(|column| column.eq_ignore_ascii_case(to))
                };
                if copies.iter().any(copied) {
                    replaced.push(format!("{}.{to}", schema.resolve(&alter.name)));
                }
            }
        }
    }
    replaced
}

/// Returns the old and the new name of a column.
fn renamed(action: &TableAction) -> Option<(&str, &str)> {
    if let ActionKind::RenameColumn { from, to, .. } = &action.kind {
        Some((from.as_str(), to.as_str()))
    } else if let ActionKind::Mysql(MyAction::ChangeColumn { from, column, .. }) = &action.kind {
        Some((from.as_str(), column.name.as_str()))
    } else {
        None
    }
}
