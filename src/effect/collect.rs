//! Gathers the effects of one statement, clause by clause.
//!
//! In: what happens, in words of the server's file. Out: [`StatementEffects`], each effect with its
//! clause, its source, and what is known of the table it is about.

use super::{
    During, Effect, EffectKind, Failure, HeldUntil, Lock, LockMode, Loss, StatementEffects,
    Subject, TableState,
};
use crate::schema::{Name, Origin, Relation, Schema};
use crate::sql::Span;
use crate::sql::ast::ObjectKind;

/// The effects gathered so far, the clause they belong to, and where they are known from.
pub(super) struct Collector<'a> {
    /// The schema before the statement.
    pub(super) schema: &'a Schema,
    /// The clause that the next effects belong to.
    pub(super) span: Span,
    /// Where the next effects are known from.
    pub(super) source: &'static str,
    /// What is told so far.
    pub(super) out: StatementEffects,
}

impl<'a> Collector<'a> {
    /// Returns an empty collector.
    pub(super) fn new(schema: &'a Schema, span: Span, source: &'static str) -> Self {
        Self { schema, span, source, out: StatementEffects::default() }
    }

    /// Adds an effect of the current clause.
    pub(super) fn add(&mut self, kind: EffectKind) {
        let same = |effect: &Effect| effect.kind == kind;
        if !self.out.effects.iter().any(same) {
            self.out.effects.push(Effect { span: self.span, kind, source: self.source });
        }
    }

    /// Returns what is known of a table.
    pub(super) fn subject(&self, name: &Name) -> Subject {
        let relation = self.schema.relation(name);
        let size = relation.and_then(|found| found.size);
        Subject {
            name: name.clone(),
            state: self.state(name),
            rows: size.map(|size| size.rows),
            bytes: size.map(|size| size.bytes),
        }
    }

    /// Returns whether anybody can be using a table yet.
    pub(super) fn state(&self, name: &Name) -> TableState {
        self.schema.relation(name).map_or(TableState::Existing, |found| state(self.schema, found))
    }

    /// Adds a lock.
    pub(super) fn lock(
        &mut self,
        name: &Name,
        mode: LockMode,
        cause: &'static str,
        (held_until, during): (HeldUntil, During),
    ) {
        let relation = self.subject(name);
        let lock = Lock { relation, mode, cause, held_until, during, index: false };
        self.add(EffectKind::Lock(lock));
    }

    /// Adds a rewrite of all rows.
    pub(super) fn rewrite(&mut self, name: &Name, cause: &'static str) {
        let relation = self.subject(name);
        self.add(EffectKind::Rewrite { relation, cause });
    }

    /// Adds a read of all rows.
    pub(super) fn scan(&mut self, name: &Name, cause: &'static str) {
        let relation = self.subject(name);
        self.add(EffectKind::Scan { relation, cause, unless_indexed: false });
    }

    /// Adds an index build.
    pub(super) fn build(
        &mut self,
        table: &Name,
        index: &str,
        cause: &'static str,
        concurrent: bool,
    ) {
        let relation = self.subject(table);
        let index = Name::new(table.schema.clone(), index);
        self.add(EffectKind::IndexBuild { relation, index, cause, concurrent });
    }

    /// Adds something that vanishes because the statement names it.
    pub(super) fn loses(&mut self, object: ObjectKind, name: String, rows: bool, table: &Name) {
        let state = self.state(table);
        self.add(EffectKind::Loss(Loss { object, name, rows, cascade: false, state }));
    }

    /// Adds something that vanishes together with what the statement names.
    pub(super) fn loses_too(&mut self, object: ObjectKind, name: String, rows: bool, table: &Name) {
        let state = self.state(table);
        self.add(EffectKind::Loss(Loss { object, name, rows, cascade: true, state }));
    }

    /// Adds what code that runs now meets afterwards.
    pub(super) fn breaks(
        &mut self,
        how: &'static str,
        object: ObjectKind,
        name: String,
        table: &Name,
    ) {
        let state = self.state(table);
        self.add(EffectKind::Break { how, object, name, state });
    }

    /// Adds a failure that does not depend on the data.
    pub(super) fn fails(&mut self, when: &'static str, code: &'static str, detail: String) {
        let code = (!code.is_empty()).then_some(code);
        self.add(EffectKind::Failure(Failure { when, certain: true, detail, code }));
    }

    /// Adds a failure that the data, or what is not known of the schema, decide about.
    pub(super) fn may_fail(&mut self, when: &'static str, code: &'static str, detail: String) {
        let code = (!code.is_empty()).then_some(code);
        self.add(EffectKind::Failure(Failure { when, certain: false, detail, code }));
    }

    /// Adds what is left to do or to regret.
    pub(super) fn leaves(&mut self, what: &'static str, name: String, table: &Name) {
        let state = self.state(table);
        self.add(EffectKind::LeftBehind { what, name, by: String::new(), state });
    }

    /// Notes an index that another one makes superfluous.
    pub(super) fn leaves_redundant(&mut self, name: String, by: &str, table: &Name) {
        let (what, by, state) = ("redundant-index", by.to_owned(), self.state(table));
        self.add(EffectKind::LeftBehind { what, name, by, state });
    }

    /// Says whether a failure that does not depend on the data is among the effects.
    pub(super) fn is_refused(&self) -> bool {
        let refused = |effect: &Effect| match &effect.kind {
            EffectKind::Failure(failure) => failure.certain,
            EffectKind::Lock(_)
            | EffectKind::Rewrite { .. }
            | EffectKind::Scan { .. }
            | EffectKind::IndexBuild { .. }
            | EffectKind::Loss(_)
            | EffectKind::Break { .. }
            | EffectKind::LeftBehind { .. }
            | EffectKind::Declares(_)
            | EffectKind::Session { .. }
            | EffectKind::Unknown { .. } => false,
        };
        self.out.effects.iter().any(refused)
    }
}

/// Returns whether anybody can be using a table yet.
pub(super) fn state(schema: &Schema, table: &Relation) -> TableState {
    let new = table.origin == Origin::Migration(schema.migration);
    match (new, table.has_rows) {
        (true, false) => TableState::NewEmpty,
        (true, true) => TableState::NewFilled,
        (false, _) if table.size.is_some_and(|size| size.rows == 0) => TableState::Empty,
        (false, _) => TableState::Existing,
    }
}
