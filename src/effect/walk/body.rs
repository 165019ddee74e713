//! `DO` blocks: what the statements inside them do.
//!
//! Conditions and loops are not evaluated, so a failure inside a block is never certain.

use crate::effect::{Context, EffectKind, StatementEffects, TransactionRule};
use crate::schema::Schema;
use crate::sql::ast::{DoBlock, Statement, StatementKind, Transaction};
use crate::sql::{Ident, Span};

/// Returns the effects of everything that is written plainly in a block. The schema is as before
/// when this returns.
pub(super) fn effects(
    block: &DoBlock,
    span: Span,
    schema: &mut Schema,
    context: &Context,
) -> StatementEffects {
    let mut out = StatementEffects::default();
    let savepoint = || Ident::new("lockwise do block", span);
    let command = |transaction: Transaction| Statement {
        span,
        kind: StatementKind::Transaction(transaction),
    };
    schema.apply(&command(Transaction::Savepoint(savepoint())));
    for statement in &block.statements {
        let mut inner = crate::effect::of(statement, schema, context);
        super::mark_new(statement, schema, &mut inner);
        out.effects.extend(inner.effects.into_iter().map(|mut effect| {
            if let EffectKind::Failure(failure) = &mut effect.kind {
                failure.certain = false;
            }
            effect
        }));
        crate::effect::declare::declare(statement, schema, &mut out.effects);
        if inner.transaction == TransactionRule::CommitsImplicitly {
            out.transaction = TransactionRule::CommitsImplicitly;
        }
        out.online = out.online.or(inner.online);
        schema.apply(statement);
    }
    schema.apply(&command(Transaction::RollbackTo(savepoint())));
    schema.apply(&command(Transaction::Release(savepoint())));
    let known = matches!(block.language.as_str(), "plpgsql" | "sql" | "");
    if block.dynamic {
        out.effects.push(super::session(span, "dynamic-sql", "EXECUTE"));
    } else if !known {
        out.effects.push(super::session(span, "dynamic-sql", block.language.clone()));
    }
    out
}
