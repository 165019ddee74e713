//! Effects that a later statement makes harmless.

use std::collections::BTreeSet;

use super::left::is_redundant;
use super::{MigrationEffects, StatementRun, passing};
use crate::effect::{Effect, EffectKind};
use crate::schema::{Constraint, Name, Origin, Relation, RelationKind, Schema};
use crate::sql::ast::{
    ActionKind, AlterTable, ConstraintKind, ObjectKind, PgAction, Statement, StatementKind,
    TableAction,
};
use crate::sql::{Migration, ObjectName};

/// Excuses what the same migration makes good: a rename whose old name becomes a view or a
/// generated column, a drop whose object is made again, a foreign key whose index follows.
pub(super) fn within(migration: &Migration, out: &mut MigrationEffects, schema: &Schema) {
    let statements = &migration.up.statements;
    if schema.server.kind == crate::sql::ServerKind::Sqlite {
        rebuilt(statements, schema, out);
    }
    replaced(statements, schema, out);
    for (index, run) in out.statements.iter_mut().enumerate() {
        let earlier = statements.get(..index).unwrap_or(&[]);
        let alter = statements.get(index).and_then(|statement| {
            if let StatementKind::AlterTable(alter) = &statement.kind { Some(alter) } else { None }
        });
        for (place, effect) in run.effects.effects.iter().enumerate() {
            let own = made_before(effect, earlier, schema);
            if own || alter.is_some_and(|alter| goes_with_its_constraint(effect, alter)) {
                run.excused.insert(place);
            }
        }
    }
    passing::excuse(statements, schema, out);
    for (index, run) in out.statements.iter_mut().enumerate() {
        let later = statements.get(index + 1..).unwrap_or(&[]);
        let from_here = statements.get(index..).unwrap_or(&[]);
        for (place, effect) in run.effects.effects.iter().enumerate() {
            let again = made_again(effect, later, schema) || added_again(effect, from_here);
            if again || is_made_good(effect, schema) || commented(effect, later, schema) {
                run.excused.insert(place);
            }
        }
    }
}

/// PostgreSQL: says whether a later statement gives the comment that is missed.
fn commented(effect: &Effect, later: &[Statement], schema: &Schema) -> bool {
    let EffectKind::Declares(missed) = &effect.kind else { return false };
    if !matches!(missed.what, "table-without-comment" | "column-without-comment") {
        return false;
    }
    later.iter().any(|statement| {
        let StatementKind::Comment(comment) = &statement.kind else { return false };
        let full = match (comment.object, comment.name.parts.split_last()) {
            (ObjectKind::Column, Some((column, table))) => {
                let table = ObjectName { parts: table.to_vec() };
                format!("{}.{column}", schema.resolve(&table))
            }
            (_, _) => schema.resolve(&comment.name).to_string(),
        };
        comment.object == missed.object && comment.text.is_some() && full == missed.name
    })
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
                if is_settled(effect, schema, index == last) {
                    run.excused.insert(place);
                }
            }
        }
    }
}

/// Says whether the last schema of a history shows that nothing is left of what an effect leaves
/// behind; `last` where the effect is of the very last migration.
pub fn is_settled(effect: &Effect, schema: &Schema, last: bool) -> bool {
    let fresh = || effect.left_behind().is_some_and(|(what, _)| what == "not-valid");
    (last && fresh()) || is_made_good(effect, schema)
}

/// SQLite: a table that is made anew, filled and renamed has lost nothing when the old one goes.
fn rebuilt(statements: &[Statement], schema: &Schema, out: &mut MigrationEffects) {
    for rebuild in crate::effect::rebuilds(statements) {
        if rebuild.copied.is_none() {
            continue;
        }
        for at in [rebuild.dropped, rebuild.renamed] {
            let Some(run) = out.statements.get_mut(at) else { continue };
            for (place, effect) in run.effects.effects.iter().enumerate() {
                let trigger = matches!(&effect.kind,
                    EffectKind::Loss(loss) if loss.object == ObjectKind::Trigger);
                let back = at == rebuild.dropped && shows_again(effect, schema);
                if (tells_drop(effect) && !trigger) || back {
                    run.excused.insert(place);
                }
            }
        }
    }
}

/// Says whether a view that named the table while it was away finds in the schema after it all
/// columns that it shows.
fn shows_again(effect: &Effect, schema: &Schema) -> bool {
    let Some(("view-broken", name)) = effect.left_behind() else { return false };
    let Some(view) = relation(name, schema).filter(|found| found.kind == RelationKind::View) else {
        return false;
    };
    let tables: Vec<_> = view.reads.iter().map(|(read, _)| schema.relation(read)).collect();
    let has = |column: &String| {
        let mut tables = tables.iter().flatten();
        column == "*" || tables.any(|table| table.column_any_case(column).is_some())
    };
    tables.iter().all(Option::is_some) && view.reads.iter().all(|(_, c)| c.iter().all(has))
}

/// A table that is dropped and made anew is told once, where it is made anew. Tables of which
/// nothing is known, a baseline as a dump writes it, are told together.
fn replaced(statements: &[Statement], schema: &Schema, out: &mut MigrationEffects) {
    let mut unknown: Vec<(usize, usize)> = Vec::new();
    let mut anew: BTreeSet<Name> = BTreeSet::new();
    for (at, run) in out.statements.iter().enumerate() {
        let runs = run.effects.effects.iter().enumerate();
        for (place, effect) in runs {
            let Some(("create-table-replaces", name)) = effect.session() else { continue };
            let name = full_name(name);
            // A known table has a definition; this one is but what the migration itself made.
            if out.replaced_unknown.contains(&name) {
                unknown.push((at, place));
            }
            anew.insert(name);
        }
    }
    if let [first, others @ ..] = unknown.as_slice()
        && !others.is_empty()
    {
        for &(at, place) in others {
            if let Some(run) = out.statements.get_mut(at) {
                run.excused.insert(place);
            }
        }
        let all: Vec<String> = out.replaced_unknown.iter().map(ToString::to_string).collect();
        let effect =
            out.statements.get_mut(first.0).and_then(|run| run.effects.effects.get_mut(first.1));
        if let Some(Effect { kind: EffectKind::Session { value, .. }, .. }) = effect {
            *value = all.join(", ");
        }
    }
    for (statement, run) in statements.iter().zip(&mut out.statements) {
        let StatementKind::Drop(drop) = &statement.kind else { continue };
        let all = drop.object == ObjectKind::Table
            && drop.names.iter().all(|name| anew.contains(&schema.new_name(name)));
        let effects = run.effects.effects.iter().enumerate().filter(|_| all);
        run.excused.extend(effects.filter(|(_, e)| tells_drop(e)).map(|(place, _)| place));
    }
}

fn full_name(name: &str) -> Name {
    let (home, table) = name.rsplit_once('.').unwrap_or(("", name));
    Name::new(home, table)
}

/// Says whether an effect is one of a table that goes: lost, broken, or made anew.
fn tells_drop(effect: &Effect) -> bool {
    match &effect.kind {
        EffectKind::Loss(_) | EffectKind::Break { .. } => true,
        EffectKind::Declares(declaration) => {
            matches!(declaration.what, "dropped-table" | "drop-cascade")
        }
        EffectKind::Session { what, .. } => *what == "create-table-replaces",
        EffectKind::Lock(_)
        | EffectKind::Rewrite { .. }
        | EffectKind::Scan { .. }
        | EffectKind::IndexBuild { .. }
        | EffectKind::Failure(_)
        | EffectKind::LeftBehind { .. }
        | EffectKind::Unknown { .. } => false,
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
        // No row of this table, so none of another is looked up.
        let idle = matches!(effect.kind, EffectKind::Scan { .. })
            || effect
                .failure()
                .is_some_and(|failure| !failure.certain && NEEDS_ROWS.contains(&failure.when));
        if idle {
            run.excused.insert(place);
        }
    }
}

/// A view over several tables may mean another table's column of the same name, where it does
/// not say which.
pub(super) fn soften(statement: &Statement, schema: &Schema, run: &mut StatementRun) {
    let StatementKind::AlterTable(alter) = &statement.kind else { return };
    if schema.server.kind == crate::sql::ServerKind::Sqlite {
        // Its views are read as the server reads them.
        return;
    }
    let table = schema.resolve(&alter.name);
    for action in &alter.actions {
        let (ActionKind::DropColumn { column, .. }
        | ActionKind::Postgres(PgAction::AlterType { column, .. })) = &action.kind
        else {
            continue;
        };
        let views = schema.views_of_column(&table, column.as_str());
        let over_one = |view: &Name| schema.relation(view).is_some_and(|v| v.reads.len() < 2);
        if views.is_empty() || views.iter().any(over_one) {
            continue;
        }
        for effect in run.effects.effects.iter_mut().filter(|e| action.span.contains(e.span)) {
            if let Some(failure) = effect.failure_mut() {
                failure.certain &= !matches!(failure.when, "dependents-exist" | "column-in-use");
            }
        }
    }
}

/// Says whether a statement may have done more than is known.
pub(super) fn is_opaque(statement: &Statement, run: &StatementRun) -> bool {
    let hidden = |effect: &Effect| {
        matches!(effect.kind, EffectKind::Unknown { .. })
            || effect.session().is_some_and(|(what, _)| what == "dynamic-sql")
    };
    matches!(statement.kind, StatementKind::Call { .. }) || run.effects.effects.iter().any(hidden)
}

/// After a statement that is not known through and through nothing about objects is certain.
pub(super) fn doubt(run: &mut StatementRun) {
    for effect in &mut run.effects.effects {
        if let Some(failure) = effect.failure_mut() {
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

/// Says whether the schema shows that nothing is left of what an effect leaves behind.
fn is_made_good(effect: &Effect, schema: &Schema) -> bool {
    let Some((what, name)) = effect.left_behind().or_else(|| effect.session()) else {
        return false;
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
            Some((table, index)) => relation(table, schema)
                .is_some_and(|found| found.index(index).is_none_or(|i| !is_redundant(found, i))),
            None => false,
        },
        "fk-parent-missing" | "fk-parent-not-unique" if relation(name, schema).is_none() => {
            // A rebuild gave the table another name since.
            relation_of_part(name, schema).is_none()
        }
        "no-primary-key" | "primary-key-dropped" => {
            relation(name, schema).is_none_or(|relation| relation.primary_key().is_some())
        }
        _ => false,
    }
}

fn relation<'s>(name: &str, schema: &'s Schema) -> Option<&'s Relation> {
    schema.relation(&full_name(name))
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

/// Says whether an effect breaks what the migration itself made: a helper that goes again.
fn made_before(effect: &Effect, earlier: &[Statement], schema: &Schema) -> bool {
    if let EffectKind::Break { how, object, name, .. } = &effect.kind {
        let whole = how.starts_with("drop-") || matches!(*how, "owner" | "revoke");
        let table = matches!(object, ObjectKind::Table | ObjectKind::Column);
        whole && !table && makes(earlier, schema, &[*object], name)
    } else {
        false
    }
}

/// Says whether an index goes because its constraint is dropped by name, which is told.
fn goes_with_its_constraint(effect: &Effect, alter: &AlterTable) -> bool {
    let EffectKind::Loss(loss) = &effect.kind else { return false };
    loss.object == ObjectKind::Index
        && alter.actions.iter().any(|action| {
            matches!(&action.kind, ActionKind::DropConstraint { name, .. }
                if name.as_str() == last_part(&loss.name))
        })
}

/// Says whether later statements make again what an effect takes away.
fn made_again(effect: &Effect, later: &[Statement], schema: &Schema) -> bool {
    if let EffectKind::Break { how, object, name, .. } = &effect.kind {
        match *how {
            "rename-table" => {
                makes(later, schema, &[ObjectKind::View], name) || renamed_to(later, schema, name)
            }
            "rename-view" | "drop-view" => makes(later, schema, &[ObjectKind::View], name),
            "rename-column" => adds_generated_column(later, schema, name),
            how if how.starts_with("drop-") => makes(later, schema, &[*object], name),
            _ => false,
        }
    } else if let EffectKind::Loss(loss) = &effect.kind {
        !loss.rows && makes(later, schema, &[loss.object], &loss.name)
    } else {
        false
    }
}

/// Says whether another table takes a name: the two are swapped.
fn renamed_to(later: &[Statement], schema: &Schema, name: &str) -> bool {
    let takes = |to: &ObjectName| schema.new_name(to).name == last_part(name);
    later.iter().any(|statement| {
        if let StatementKind::AlterTable(alter) = &statement.kind {
            let names_anew = |action: &TableAction| {
                matches!(&action.kind, ActionKind::RenameTo(to) if takes(to))
            };
            alter.actions.iter().any(names_anew)
        } else if let StatementKind::Rename(rename) = &statement.kind {
            rename.object == ObjectKind::Table && rename.pairs.iter().any(|(_, to)| takes(to))
        } else {
            matches!(&statement.kind, StatementKind::CreateTable(create) if takes(&create.name))
        }
    })
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
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
    if let EffectKind::Break { how: "drop-constraint", name, .. } = &effect.kind {
        adds_constraint(from_here, name)
    } else if let EffectKind::Loss(loss) = &effect.kind {
        loss.object == ObjectKind::Constraint && adds_constraint(from_here, &loss.name)
    } else {
        false
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
                let ActionKind::AddConstraint(added) = &action.kind else { return false };
                let key = matches!(added.kind, ConstraintKind::PrimaryKey(_));
                match &added.name {
                    Some(name) => name.as_str() == constraint,
                    // The name that the server gives.
                    None => key && constraint == format!("{table}_pkey"),
                }
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
