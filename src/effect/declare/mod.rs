//! Plain facts about what is written, straight from the syntax: types, names, options, grants.
//!
//! Policy rules match them. They say nothing about locks or work. What is told of a table says
//! whether the table is new in the migration, so that rules can keep to new tables or to old ones.

mod column;
mod index;
mod members;
mod name;
mod query;
mod security;
mod table;

use super::{Declaration, Effect, EffectKind, TableState};
use crate::schema::{Name, Origin, Schema};
use crate::sql::ast::{ObjectKind, Statement, StatementKind};
use crate::sql::{ObjectName, ServerKind, Span};

/// Adds the declarations of a statement, given the schema before it.
#[expect(clippy::wildcard_enum_match_arm, reason = "most statements declare nothing")]
pub(super) fn declare(statement: &Statement, schema: &Schema, out: &mut Vec<Effect>) {
    let mut teller = Teller { schema, out, span: statement.span };
    teller.written(statement.span);
    match &statement.kind {
        StatementKind::CreateTable(create) => teller.create_table(create),
        StatementKind::AlterTable(alter) => teller.alter_table(alter),
        StatementKind::CreateIndex(create) => teller.create_index(create),
        StatementKind::Drop(drop) => teller.drop(drop),
        StatementKind::Rename(rename) => teller.rename(rename),
        StatementKind::CreateView(view) => teller.create_view(view),
        StatementKind::CreateSequence(sequence) => {
            teller.named("sequence-name", ObjectKind::Sequence, &sequence.name);
        }
        StatementKind::CreateType(create) => teller.create_type(create),
        StatementKind::AlterType(alter) => teller.alter_type(alter),
        StatementKind::CreateDomain(domain) => teller.create_domain(domain),
        StatementKind::CreateRoutine(routine) => teller.create_routine(routine),
        StatementKind::CreateTrigger(trigger) => teller.create_trigger(trigger),
        StatementKind::CreateEvent(event) => {
            teller.tell("stored-program", ObjectKind::Event, event.name.to_string(), "event");
            teller.definer(ObjectKind::Event, &event.name, event.definer.as_deref());
        }
        StatementKind::CreateRule(rule) => {
            teller.tell("create-rule", ObjectKind::Rule, rule.name.value.clone(), &rule.event);
        }
        StatementKind::CreateSchema(create) => teller.create_schema(create),
        StatementKind::Policy(policy) => teller.policy(policy),
        StatementKind::Grant(grant) => teller.grant(grant),
        StatementKind::Extension(extension) => teller.extension(extension),
        StatementKind::Dml(dml) => teller.dml(dml),
        StatementKind::Transaction(transaction) => teller.transaction(transaction),
        StatementKind::Set(set) => teller.set(set),
        StatementKind::Other(other) => teller.other(other),
        StatementKind::SetStatement { statement, .. } => {
            let inner = statement.as_ref();
            declare(inner, schema, teller.out);
        }
        _ => {}
    }
}

/// Collects the declarations of one statement.
struct Teller<'t> {
    schema: &'t Schema,
    out: &'t mut Vec<Effect>,
    /// The clause that is looked at.
    span: Span,
}

impl Teller<'_> {
    fn kind(&self) -> ServerKind {
        self.schema.server.kind
    }

    /// Adds a fact whose object stands by itself.
    fn tell(&mut self, what: &'static str, object: ObjectKind, name: String, value: &str) {
        self.add(what, object, name, value, None, TableState::Existing);
    }

    fn add(
        &mut self,
        what: &'static str,
        object: ObjectKind,
        name: String,
        value: &str,
        number: Option<u64>,
        state: TableState,
    ) {
        let value = value.to_owned();
        let kind = EffectKind::Declares(Declaration { what, object, name, value, number, state });
        self.out.push(Effect { span: self.span, kind, source: "the statement itself" });
    }

    /// Looks at a clause for a while.
    fn within(&mut self, span: Span, tell: impl FnOnce(&mut Self)) {
        let outer = self.span;
        if !span.is_empty() {
            self.span = span;
        }
        tell(self);
        self.span = outer;
    }

    /// Returns whether anybody can be using a table yet.
    fn state(&self, table: &ObjectName) -> TableState {
        match self.schema.find(table) {
            Some(found) if found.origin == Origin::Migration(self.schema.migration) => {
                if found.has_rows { TableState::NewFilled } else { TableState::NewEmpty }
            }
            Some(found) if found.size.is_some_and(|size| size.rows == 0) => TableState::Empty,
            Some(_) | None => TableState::Existing,
        }
    }

    fn full(&self, name: &ObjectName) -> Name {
        self.schema.new_name(name)
    }

    /// Tells how long a statement is.
    fn written(&mut self, span: Span) {
        let length = u64::from(span.end.saturating_sub(span.start));
        let (object, state) = (ObjectKind::Parameter, TableState::Existing);
        self.add("statement-length", object, String::new(), "bytes", Some(length), state);
    }
}
