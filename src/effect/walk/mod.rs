//! Drives a whole migration: what surrounds each statement, and what they do together.
//!
//! In: a migration and the schema before it. Out: the effects of each statement in its place, and
//! the schema after. What only shows across statements is added to the statement that causes it:
//! locks held too long, settings that are missing, statements in the wrong kind of transaction.

use std::collections::BTreeMap;

use super::model::StatementEffects;
use super::{Context, Effect};
use crate::schema::Schema;
use crate::sql::{Migration, Span};

/// What a walk has to know besides the migration and the schema.
#[derive(Debug, Clone, Default)]
pub struct WalkOptions {
    /// Settings in force before the first statement, by lower-case name: those that the role has
    /// or that the runner sets, `lock_timeout` above all.
    pub settings: BTreeMap<String, String>,
}

/// What one migration does.
#[derive(Debug, Clone, Default)]
pub struct MigrationEffects {
    /// One entry for each statement of `up`, in the same order.
    pub statements: Vec<StatementRun>,
    /// What holds of the migration as a whole.
    pub migration: Vec<Effect>,
}

/// One statement in its place.
#[derive(Debug, Clone)]
pub struct StatementRun {
    /// The statement.
    pub span: Span,
    /// It runs inside a transaction.
    pub in_transaction: bool,
    /// What it does there.
    pub effects: StatementEffects,
}

/// Returns what a migration does, and leaves `schema` as it is after it.
pub fn walk(migration: &Migration, schema: &mut Schema, options: &WalkOptions) -> MigrationEffects {
    schema.migration += 1;
    let mut out = MigrationEffects::default();
    let context = Context { in_transaction: false, settings: options.settings.clone() };
    for statement in &migration.up.statements {
        let effects = super::of(statement, schema, &context);
        schema.apply(statement);
        out.statements.push(StatementRun { span: statement.span, in_transaction: false, effects });
    }
    out
}
