//! Effects that a later statement makes harmless.

use std::collections::BTreeSet;

use super::{MigrationEffects, StatementRun};
use crate::effect::{Effect, EffectKind};
use crate::schema::{Constraint, Name, Origin, Relation, Schema};
use crate::sql::Migration;
use crate::sql::ast::{ActionKind, AlterTable, ObjectKind, Statement, StatementKind};

/// Excuses what the same migration makes good: a rename whose old name becomes a view or a
/// generated column, a drop whose object is made again, a foreign key whose index follows.
pub(super) fn within(migration: &Migration, out: &mut MigrationEffects, schema: &Schema) {
    let statements = &migration.up.statements;
    if schema.server.kind == crate::sql::ServerKind::Sqlite {
        rebuilt(statements, out);
    }
    for (index, run) in out.statements.iter_mut().enumerate() {
        let later = statements.get(index + 1..).unwrap_or(&[]);
        let from_here = statements.get(index..).unwrap_or(&[]);
        for (place, effect) in run.effects.effects.iter().enumerate() {
            let again = made_again(effect, later, schema) || added_again(effect, from_here);
            if again || is_settled(effect, schema) {
                run.excused.insert(place);
            }
        }
    }
}

/// Excuses what later migrations made good, once all were walked: constraints validated since,
/// indexes and keys added since. `effects` are in order, `schema` is the last one.
///
/// A constraint that the very last migration leaves NOT VALID has had no chance yet.
pub fn settle(effects: &mut [&mut MigrationEffects], schema: &Schema) {
    let last = effects.len().saturating_sub(1);
    for (index, migration) in effects.iter_mut().enumerate() {
        for run in &mut migration.statements {
            for (place, effect) in run.effects.effects.iter().enumerate() {
                let fresh = index == last && left(effect) == Some("not-valid");
                if fresh || is_settled(effect, schema) {
                    run.excused.insert(place);
                }
            }
        }
    }
}

/// SQLite: a table that is made anew, filled and renamed has lost nothing when the old one goes.
fn rebuilt(statements: &[Statement], out: &mut MigrationEffects) {
    for rebuild in crate::effect::rebuilds(statements) {
        if rebuild.copied.is_none() {
            continue;
        }
        for at in [rebuild.dropped, rebuild.renamed] {
            let Some(run) = out.statements.get_mut(at) else { continue };
            for (place, effect) in run.effects.effects.iter().enumerate() {
                let told = match &effect.kind {
                    EffectKind::Loss(loss) => loss.object != ObjectKind::Trigger,
                    EffectKind::Break { .. } => true,
                    EffectKind::Declares(declaration) => declaration.what == "dropped-table",
                    EffectKind::Session { what, .. } => *what == "create-table-replaces",
                    EffectKind::Lock(_)
                    | EffectKind::Rewrite { .. }
                    | EffectKind::Scan { .. }
                    | EffectKind::IndexBuild { .. }
                    | EffectKind::Failure(_)
                    | EffectKind::LeftBehind { .. }
                    | EffectKind::Unknown { .. } => false,
                };
                if told {
                    run.excused.insert(place);
                }
            }
        }
    }
}

/// Excuses failures that only rows can cause, where the table has none.
pub(super) fn without_rows(statement: &Statement, schema: &Schema, run: &mut StatementRun) {
    let table = if let StatementKind::AlterTable(alter) = &statement.kind {
        &alter.name
    } else if let StatementKind::CreateIndex(create) = &statement.kind {
        &create.table
    } else if let StatementKind::CreateTable(create) = &statement.kind {
        &create.name
    } else {
        return;
    };
    let Some(relation) = schema.find(table) else { return };
    let new = relation.origin == Origin::Migration(schema.migration);
    let empty = relation.size.is_some_and(|size| size.rows == 0);
    let unfilled = new && !relation.has_rows;
    if !empty && !unfilled {
        return;
    }
    for (place, effect) in run.effects.effects.iter().enumerate() {
        let idle = match &effect.kind {
            EffectKind::Failure(failure) => !failure.certain && NEEDS_ROWS.contains(&failure.when),
            // No row of this table, so none of another is looked up.
            EffectKind::Scan { .. } => true,
            EffectKind::Lock(_)
            | EffectKind::Rewrite { .. }
            | EffectKind::IndexBuild { .. }
            | EffectKind::Loss(_)
            | EffectKind::Break { .. }
            | EffectKind::LeftBehind { .. }
            | EffectKind::Declares(_)
            | EffectKind::Session { .. }
            | EffectKind::Unknown { .. } => false,
        };
        if idle {
            run.excused.insert(place);
        }
    }
}

/// A view over several tables may mean another table's column of the same name.
pub(super) fn soften(statement: &Statement, schema: &Schema, run: &mut StatementRun) {
    let StatementKind::AlterTable(alter) = &statement.kind else { return };
    let table = schema.resolve(&alter.name);
    let sure = alter.actions.iter().any(|action| {
        let ActionKind::DropColumn { column, .. } = &action.kind else { return true };
        let views = schema.views_of_column(&table, column.as_str());
        let over_one = |view: &Name| schema.relation(view).is_some_and(|v| v.reads.len() < 2);
        views.is_empty() || views.iter().any(over_one)
    });
    if sure {
        return;
    }
    for effect in &mut run.effects.effects {
        if let EffectKind::Failure(failure) = &mut effect.kind
            && failure.when == "dependents-exist"
        {
            failure.certain = false;
        }
    }
}

/// Says whether a statement may have done more than is known.
pub(super) fn is_opaque(statement: &Statement, run: &StatementRun) -> bool {
    let hidden = |effect: &Effect| match &effect.kind {
        EffectKind::Session { what, .. } => *what == "dynamic-sql",
        EffectKind::Unknown { .. } => true,
        EffectKind::Lock(_)
        | EffectKind::Rewrite { .. }
        | EffectKind::Scan { .. }
        | EffectKind::IndexBuild { .. }
        | EffectKind::Loss(_)
        | EffectKind::Break { .. }
        | EffectKind::Failure(_)
        | EffectKind::LeftBehind { .. }
        | EffectKind::Declares(_) => false,
    };
    matches!(statement.kind, StatementKind::Call { .. }) || run.effects.effects.iter().any(hidden)
}

/// After a statement that is not known through and through nothing about objects is certain.
pub(super) fn doubt(run: &mut StatementRun) {
    for effect in &mut run.effects.effects {
        if let EffectKind::Failure(failure) = &mut effect.kind {
            let about_objects = ["duplicate-object", "missing-object", "missing-column"];
            failure.certain &= !about_objects.contains(&failure.when);
        }
    }
}

/// Failures that need a row to happen.
const NEEDS_ROWS: [&str; 8] = [
    "default-missing",
    "default-not-constant",
    "duplicates-present",
    "nulls-present",
    "orphans-present",
    "rows-present",
    "rows-violate",
    "values-do-not-fit",
];

/// Returns the word of what an effect leaves behind.
fn left(effect: &Effect) -> Option<&'static str> {
    match &effect.kind {
        EffectKind::LeftBehind { what, .. } => Some(what),
        EffectKind::Lock(_)
        | EffectKind::Rewrite { .. }
        | EffectKind::Scan { .. }
        | EffectKind::IndexBuild { .. }
        | EffectKind::Loss(_)
        | EffectKind::Break { .. }
        | EffectKind::Failure(_)
        | EffectKind::Declares(_)
        | EffectKind::Session { .. }
        | EffectKind::Unknown { .. } => None,
    }
}

/// Says whether the schema shows that nothing is left of what an effect leaves behind.
fn is_settled(effect: &Effect, schema: &Schema) -> bool {
    let (what, name) = match &effect.kind {
        EffectKind::LeftBehind { what, name, .. } => (*what, name),
        EffectKind::Session { what, value } => (*what, value),
        EffectKind::Lock(_)
        | EffectKind::Rewrite { .. }
        | EffectKind::Scan { .. }
        | EffectKind::IndexBuild { .. }
        | EffectKind::Loss(_)
        | EffectKind::Break { .. }
        | EffectKind::Failure(_)
        | EffectKind::Declares(_)
        | EffectKind::Unknown { .. } => return false,
    };
    match what {
        "not-valid" => match constraint(name, schema) {
            Some((_, constraint)) => constraint.valid,
            None => relation_of_part(name, schema).is_some_and(|relation| relation.complete),
        },
        "fk-without-index" => match foreign_key(name, schema) {
            Some((relation, constraint)) => leads_an_index(relation, &constraint.columns()),
            None => relation_of_part(name, schema).is_none_or(|relation| relation.complete),
        },
        "redundant-index" => match name.rsplit_once('.') {
            Some((table, index)) => {
                relation(table, schema).is_some_and(|found| found.index(index).is_none())
            }
            None => false,
        },
        "no-primary-key" | "primary-key-dropped" => {
            relation(name, schema).is_none_or(|relation| relation.primary_key().is_some())
        }
        _ => false,
    }
}

fn relation<'s>(name: &str, schema: &'s Schema) -> Option<&'s Relation> {
    let (home, table) = name.rsplit_once('.').unwrap_or(("", name));
    schema.relation(&Name::new(home, table))
}

/// Returns the table in `schema.table.part`.
fn relation_of_part<'s>(name: &str, schema: &'s Schema) -> Option<&'s Relation> {
    name.rsplit_once('.').and_then(|(table, _)| relation(table, schema))
}

fn constraint<'s>(name: &str, schema: &'s Schema) -> Option<(&'s Relation, &'s Constraint)> {
    let (_, part) = name.rsplit_once('.')?;
    let relation = relation_of_part(name, schema)?;
    Some((relation, relation.constraint(part)?))
}

/// Returns a foreign key by its name, or by its columns joined where it has none.
fn foreign_key<'s>(name: &str, schema: &'s Schema) -> Option<(&'s Relation, &'s Constraint)> {
    let (_, part) = name.rsplit_once('.')?;
    let relation = relation_of_part(name, schema)?;
    let found = relation.constraints.iter().find(|constraint| {
        let joined = constraint.columns().join("_");
        constraint.parent().is_some() && (constraint.name == part || joined == part)
    })?;
    Some((relation, found))
}

/// Says whether an index over all rows begins with these columns, in any order.
fn leads_an_index(relation: &Relation, columns: &[&str]) -> bool {
    relation.indexes.iter().any(|index| {
        let keys: Vec<&str> =
            index.parts.iter().take(columns.len()).filter_map(|part| part.key.column()).collect();
        index.predicate.is_none()
            && keys.len() == columns.len()
            && columns.iter().all(|column| keys.contains(column))
    })
}

/// Says whether later statements make again what an effect takes away.
fn made_again(effect: &Effect, later: &[Statement], schema: &Schema) -> bool {
    match &effect.kind {
        EffectKind::Break { how, object, name, .. } => match *how {
            "rename-table" | "rename-view" | "drop-view" => {
                makes(later, schema, &[ObjectKind::View], name)
            }
            "rename-column" => adds_generated_column(later, schema, name),
            how if how.starts_with("drop-") => makes(later, schema, &[*object], name),
            _ => false,
        },
        EffectKind::Loss(loss) => !loss.rows && makes(later, schema, &[loss.object], &loss.name),
        EffectKind::Lock(_)
        | EffectKind::Rewrite { .. }
        | EffectKind::Scan { .. }
        | EffectKind::IndexBuild { .. }
        | EffectKind::Failure(_)
        | EffectKind::LeftBehind { .. }
        | EffectKind::Declares(_)
        | EffectKind::Session { .. }
        | EffectKind::Unknown { .. } => false,
    }
}

/// Says whether statements make an object of one of these kinds under a name.
fn makes(later: &[Statement], schema: &Schema, kinds: &[ObjectKind], name: &str) -> bool {
    let name = name.split('(').next().unwrap_or(name);
    let bare = |full: &str| full.rsplit('.').next().unwrap_or_default().to_owned();
    later.iter().filter_map(|statement| made(statement, schema)).any(|(object, made)| {
        // Parts of tables are known by their last name alone.
        let part = matches!(object, ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule);
        let same = if part { bare(&made) == bare(name) } else { made == name };
        same && kinds.iter().any(|&kind| alike(kind, object))
    })
}

fn alike(left: ObjectKind, right: ObjectKind) -> bool {
    let view = |kind| matches!(kind, ObjectKind::View | ObjectKind::MaterializedView);
    let routine = |kind| {
        matches!(
            kind,
            ObjectKind::Function
                | ObjectKind::Procedure
                | ObjectKind::Routine
                | ObjectKind::Aggregate
        )
    };
    left == right || (view(left) && view(right)) || (routine(left) && routine(right))
}

/// Returns what a statement makes, with its full name.
fn made(statement: &Statement, schema: &Schema) -> Option<(ObjectKind, String)> {
    if let StatementKind::CreateView(view) = &statement.kind {
        Some((ObjectKind::View, schema.new_name(&view.name).to_string()))
    } else if let StatementKind::CreateRoutine(routine) = &statement.kind {
        Some((ObjectKind::Function, schema.new_name(&routine.name).to_string()))
    } else if let StatementKind::CreateTrigger(trigger) = &statement.kind {
        Some((ObjectKind::Trigger, trigger.name.to_string()))
    } else if let StatementKind::Policy(policy) = &statement.kind {
        (!policy.alter).then(|| (ObjectKind::Policy, policy.name.to_string()))
    } else if let StatementKind::CreateRule(rule) = &statement.kind {
        Some((ObjectKind::Rule, rule.name.to_string()))
    } else if let StatementKind::CreateType(kind) = &statement.kind {
        Some((ObjectKind::Type, schema.new_name(&kind.name).to_string()))
    } else if let StatementKind::CreateSequence(sequence) = &statement.kind {
        Some((ObjectKind::Sequence, schema.new_name(&sequence.name).to_string()))
    } else {
        None
    }
}

/// Says whether a constraint that goes is added again, in the same statement or a later one.
fn added_again(effect: &Effect, from_here: &[Statement]) -> bool {
    match &effect.kind {
        EffectKind::Break { how, name, .. } => {
            *how == "drop-constraint" && adds_constraint(from_here, name)
        }
        EffectKind::Loss(loss) => {
            loss.object == ObjectKind::Constraint && adds_constraint(from_here, &loss.name)
        }
        EffectKind::Lock(_)
        | EffectKind::Rewrite { .. }
        | EffectKind::Scan { .. }
        | EffectKind::IndexBuild { .. }
        | EffectKind::Failure(_)
        | EffectKind::LeftBehind { .. }
        | EffectKind::Declares(_)
        | EffectKind::Session { .. }
        | EffectKind::Unknown { .. } => false,
    }
}

fn alters(later: &[Statement]) -> impl Iterator<Item = &AlterTable> {
    later.iter().filter_map(|statement| {
        if let StatementKind::AlterTable(alter) = &statement.kind {
            Some(alter.as_ref())
        } else {
            None
        }
    })
}

fn adds_constraint(later: &[Statement], name: &str) -> bool {
    let (table, constraint) = name.rsplit_once('.').unwrap_or(("", name));
    let table = table.rsplit('.').next().unwrap_or_default();
    alters(later).any(|alter| {
        alter.name.name() == table
            && alter.actions.iter().any(|action| {
                matches!(&action.kind, ActionKind::AddConstraint(added)
                    if added.name.as_ref().is_some_and(|name| name.as_str() == constraint))
            })
    })
}

/// Says whether the old name of a column comes back as a generated column.
fn adds_generated_column(later: &[Statement], schema: &Schema, name: &str) -> bool {
    let Some((table, column)) = name.rsplit_once('.') else { return false };
    alters(later).any(|alter| {
        schema.resolve(&alter.name).to_string() == table
            && alter.actions.iter().any(|action| {
                matches!(&action.kind, ActionKind::AddColumn { column: added, .. }
                    if added.name.as_str() == column && added.generated.is_some())
            })
    })
}

/// Returns the effects that are neither excused nor told twice.
pub(crate) fn standing<'r>(
    effects: &'r [Effect],
    excused: &'r BTreeSet<usize>,
) -> impl Iterator<Item = &'r Effect> {
    effects
        .iter()
        .enumerate()
        .filter(move |(place, _)| !excused.contains(place))
        .map(|(_, effect)| effect)
}
