//! Routines and rules: what the statements inside them touch.

use super::super::model::{Name, Routine, Rule, Schema};
use crate::sql::ast::{self, CreateRoutine, Statement, StatementKind};

/// CREATE FUNCTION and CREATE PROCEDURE.
pub(super) fn create(schema: &mut Schema, create: &CreateRoutine) {
    let name = schema.new_name(&create.name);
    let touches = touched(schema, &create.statements);
    let routine = Routine {
        arguments: create.arguments.clone(),
        procedure: create.procedure,
        aggregate: create.aggregate,
        returns: create.returns.clone(),
        language: create.language.clone(),
        volatility: create.volatility,
        touches,
        writes: written(schema, &create.statements),
        columns: touched_columns(&create.statements),
        inlined: inlined(create),
        parsed_body: create.parsed_body,
        origin: schema.origin(),
    };
    let mut all = schema.routines.get(&name).cloned().unwrap_or_default();
    all.retain(|old| old.arguments != routine.arguments);
    all.push(routine);
    schema.set_routines(name, Some(all));
}

/// Returns a rule with what its commands read and change.
#[expect(clippy::wildcard_enum_match_arm, reason = "rules hold data changes alone")]
pub(super) fn rule_of(schema: &Schema, create: &ast::CreateRule) -> Rule {
    let of_row = |name: &crate::sql::ObjectName| matches!(name.name(), "old" | "new");
    let commands = create.statements.iter().filter_map(|statement| match &statement.kind {
        StatementKind::Dml(dml) => Some(dml),
        _ => None,
    });
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    for dml in commands {
        let plain = dml.query.reads.iter().filter(|name| !of_row(name));
        reads.extend(plain.map(|name| schema.resolve(name)));
        let changed = dml.targets.iter().chain(&dml.query.writes);
        writes.extend(changed.map(|name| schema.resolve(name)));
    }
    Rule {
        name: create.name.value.clone(),
        event: create.event.clone(),
        columns: rule_words(&create.statements),
        reads,
        writes,
    }
}

/// Returns the words in the commands of a rule that may be columns.
fn rule_words(statements: &[Statement]) -> Vec<String> {
    let mut words = Vec::new();
    for statement in statements {
        if let StatementKind::Dml(dml) = &statement.kind {
            words.extend(dml.query.columns.iter().cloned());
            words.extend(dml.filter.iter().flat_map(|filter| filter.columns.iter().cloned()));
        }
    }
    words
}

/// Returns the words of statements that may be columns.
fn touched_columns(statements: &[Statement]) -> Vec<String> {
    let mut words = rule_words(statements);
    for statement in statements {
        if let StatementKind::Dml(dml) = &statement.kind {
            words.extend(dml.columns.iter().map(|column| column.value.clone()));
        }
    }
    words
}

/// Returns what an SQL function of one expression calls.
fn inlined(create: &CreateRoutine) -> Option<Vec<crate::sql::ObjectName>> {
    let [one] = create.statements.as_slice() else { return None };
    let StatementKind::Dml(dml) = &one.kind else { return None };
    let plain = create.language == "sql"
        && !create.procedure
        && !create.security_definer
        && !create.sets_search_path
        && dml.kind == ast::DmlKind::Select
        && dml.query.reads.is_empty()
        && dml.query.writes.is_empty();
    plain.then(|| dml.query.functions.clone())
}

/// Returns the relations that statements change.
fn written(schema: &Schema, statements: &[Statement]) -> Vec<Name> {
    let mut names = Vec::new();
    for statement in statements {
        if let StatementKind::Dml(dml) = &statement.kind {
            names.extend(dml.targets.iter().map(|name| schema.resolve(name)));
        }
    }
    names
}

/// Returns the relations that statements read or write.
fn touched(schema: &Schema, statements: &[Statement]) -> Vec<Name> {
    let mut names = Vec::new();
    for statement in statements {
        if let StatementKind::Dml(dml) = &statement.kind {
            let all = dml.targets.iter().chain(&dml.query.reads).chain(&dml.query.writes);
            names.extend(all.map(|name| schema.resolve(name)));
        }
    }
    names
}
