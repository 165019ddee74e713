//! What depends on an object: what goes with it silently, and what only goes with CASCADE.
//!
//! PostgreSQL 12 to 18, "Dependency Tracking" in the manual; what goes silently is measured
//! (testdata/servers/postgres).

use std::collections::BTreeSet;

use super::model::{Demand, Index, Name, Relation, RelationKind, Rule, Schema, TypeBody};
use crate::sql::ast::{DataType, Expr, IndexKind, Key, ObjectKind};

/// An object that depends on another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependent {
    /// What kind of object it is.
    pub object: ObjectKind,
    /// The relation it is or lies on; the name of a type or routine.
    pub relation: Name,
    /// Which part of the relation, or all of it.
    pub part: Part,
    /// It goes without CASCADE.
    pub automatic: bool,
}

/// A part of a relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// A column.
    Column(String),
    /// The default of a column.
    Default(String),
    /// A constraint.
    Constraint(String),
    /// An index.
    Index(String),
    /// A trigger.
    Trigger(String),
    /// A policy.
    Policy(String),
    /// A rule.
    Rule(String),
    /// A statistics object.
    Statistics(Name),
    /// Its place in a publication.
    Published(String),
}

impl Dependent {
    fn new(object: ObjectKind, relation: &Name, part: Part, automatic: bool) -> Self {
        Self { object, relation: relation.clone(), part, automatic }
    }
}

/// Returns the kind of object that a relation is.
pub(super) const fn object_kind(kind: RelationKind) -> ObjectKind {
    match kind {
        RelationKind::Table => ObjectKind::Table,
        RelationKind::Foreign => ObjectKind::ForeignTable,
        RelationKind::View => ObjectKind::View,
        RelationKind::MaterializedView => ObjectKind::MaterializedView,
        RelationKind::Sequence => ObjectKind::Sequence,
    }
}

impl Schema {
    /// Returns what goes or stands in the way when a relation is dropped, nearest first.
    pub fn dependents_of_relation(&self, name: &Name) -> Vec<Dependent> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::from([name.clone()]);
        self.collect_relation(name, &mut found, &mut seen);
        found
    }

    fn collect_relation(&self, name: &Name, found: &mut Vec<Dependent>, seen: &mut BTreeSet<Name>) {
        for other in self.referrers(name) {
            if seen.contains(&other.name) {
                continue;
            }
            if let Some(automatic) = self.goes_with(name, other) {
                seen.insert(other.name.clone());
                let kind = object_kind(other.kind);
                found.push(Dependent::new(kind, &other.name, Part::Whole, automatic));
                if other.kind == RelationKind::Sequence {
                    continue;
                }
                let from = found.len();
                self.collect_relation(&other.name, found, seen);
                for inner in found.get_mut(from..).unwrap_or(&mut []) {
                    inner.automatic &= automatic;
                }
                continue;
            }
            for constraint in &other.constraints {
                if constraint.parent() == Some(name) {
                    let part = Part::Constraint(constraint.name.clone());
                    found.push(Dependent::new(ObjectKind::Constraint, &other.name, part, false));
                }
            }
            for policy in other.policies.iter().filter(|policy| policy.reads.contains(name)) {
                let part = Part::Policy(policy.name.clone());
                found.push(Dependent::new(ObjectKind::Policy, &other.name, part, false));
            }
            let uses = |rule: &&Rule| rule.reads.contains(name) || rule.writes.contains(name);
            for rule in other.rules.iter().filter(uses) {
                let part = Part::Rule(rule.name.clone());
                found.push(Dependent::new(ObjectKind::Rule, &other.name, part, false));
            }
        }
        if self.relations.get(name).is_some_and(|r| r.kind == RelationKind::Sequence) {
            self.collect_sequence_users(name, found);
        } else {
            self.collect_row_type_users(name, found);
        }
    }

    /// Says whether a relation goes when another does, and whether it does so silently.
    fn goes_with(&self, name: &Name, other: &Relation) -> Option<bool> {
        if other.partition_of.as_ref().is_some_and(|(parent, _)| parent == name) {
            return Some(true);
        }
        if other.owned_by.as_ref().is_some_and(|(table, _)| table == name) {
            return Some(true);
        }
        let inherits = other.inherits.contains(name);
        let reads = other.reads.iter().any(|(read, _)| read == name);
        (inherits || reads).then_some(false)
    }

    fn collect_sequence_users(&self, name: &Name, found: &mut Vec<Dependent>) {
        for table in self.relations.values() {
            for column in &table.columns {
                let uses = column.default.as_ref().is_some_and(|d| uses_sequence(d, name));
                let owns = column.auto_increment
                    && self.relations.get(name).is_some_and(|sequence| {
                        sequence.owned_by.as_ref()
                            == Some(&(table.name.clone(), column.name.clone()))
                    });
                if uses || owns {
                    let part = Part::Default(column.name.clone());
                    found.push(Dependent::new(ObjectKind::Column, &table.name, part, false));
                }
            }
        }
    }

    fn collect_row_type_users(&self, name: &Name, found: &mut Vec<Dependent>) {
        for (routine, overloads) in &self.routines {
            let uses = overloads.iter().any(|routine| {
                let touches = routine.parsed_body && routine.touches.contains(name);
                let typed = routine.arguments.iter().chain(&routine.returns);
                touches || typed.into_iter().any(|t| names_type(t, name))
            });
            if uses {
                found.push(Dependent::new(ObjectKind::Function, routine, Part::Whole, false));
            }
        }
    }

    /// Returns what goes or stands in the way when a column is dropped.
    pub fn dependents_of_column(&self, table: &Name, column: &str) -> Vec<Dependent> {
        let Some(relation) = self.relations.get(table) else { return Vec::new() };
        let mut found = Vec::new();
        let mut keys = Vec::new();
        for constraint in &relation.constraints {
            if constraint.columns().contains(&column) {
                let part = Part::Constraint(constraint.name.clone());
                found.push(Dependent::new(ObjectKind::Constraint, table, part, true));
                keys.push(constraint.name.as_str());
            }
        }
        for index in relation.indexes.iter().filter(|index| index.mentions_column(column)) {
            let part = Part::Index(index.name.clone());
            found.push(Dependent::new(ObjectKind::Index, table, part, true));
            if let Some(constraint) = &index.constraint
                && !keys.contains(&constraint.as_str())
            {
                let part = Part::Constraint(constraint.clone());
                found.push(Dependent::new(ObjectKind::Constraint, table, part, true));
            }
        }
        for (statistics, columns) in &relation.statistics {
            if columns.iter().any(|name| name == column) {
                let part = Part::Statistics(statistics.clone());
                found.push(Dependent::new(ObjectKind::Statistics, table, part, true));
            }
        }
        for sequence in self.owned_sequences(table, Some(column)) {
            let kind = ObjectKind::Sequence;
            found.push(Dependent::new(kind, &sequence.name, Part::Whole, true));
        }
        self.collect_column_users(relation, column, &mut found);
        found
    }

    fn collect_column_users(&self, table: &Relation, column: &str, found: &mut Vec<Dependent>) {
        let name = &table.name;
        // PostgreSQL 12 to 14 drop a generated column silently with the column it reads.
        let silent = !self.server.version.at_least(15, 0, 0);
        for other in &table.columns {
            let generated = other.generated.as_ref();
            if generated.is_some_and(|g| g.expr.columns.iter().any(|c| c == column)) {
                let part = Part::Column(other.name.clone());
                found.push(Dependent::new(ObjectKind::Column, name, part, silent));
            }
        }
        for trigger in table.triggers.iter().filter(|t| t.columns.iter().any(|c| c == column)) {
            let part = Part::Trigger(trigger.name.clone());
            found.push(Dependent::new(ObjectKind::Trigger, name, part, false));
        }
        for policy in table.policies.iter().filter(|p| p.columns.iter().any(|c| c == column)) {
            let part = Part::Policy(policy.name.clone());
            found.push(Dependent::new(ObjectKind::Policy, name, part, false));
        }
        for (publication, body) in &self.publications {
            if body.columns.iter().any(|(of, listed)| of == name && listed == column) {
                let part = Part::Published(publication.clone());
                found.push(Dependent::new(ObjectKind::Publication, name, part, false));
            }
        }
        for routine in self.routines_of_column(name, column) {
            let kind = ObjectKind::Function;
            found.push(Dependent::new(kind, &routine, Part::Whole, false));
        }
        for view in self.views_of_column(name, column) {
            if found.iter().any(|seen| seen.relation == view) {
                continue;
            }
            let kind = self.relations.get(&view).map_or(ObjectKind::View, |v| object_kind(v.kind));
            found.push(Dependent::new(kind, &view, Part::Whole, false));
            found.extend(self.dependents_of_relation(&view));
        }
        for (other, constraint) in self.foreign_keys_to(name) {
            let Demand::ForeignKey { parent_columns, .. } = &constraint.kind else { continue };
            let primary = parent_columns.is_empty()
                && table.primary_key().is_some_and(|key| key.iter().any(|c| c == column));
            if primary || parent_columns.iter().any(|c| c == column) {
                let part = Part::Constraint(constraint.name.clone());
                let seen = found.iter().any(|d| d.relation == other.name && d.part == part);
                if !seen {
                    let kind = ObjectKind::Constraint;
                    found.push(Dependent::new(kind, &other.name, part, false));
                }
            }
        }
    }

    /// Returns the routines whose recorded body names a column.
    pub fn routines_of_column(&self, table: &Name, column: &str) -> Vec<Name> {
        let names = |routine: &super::model::Routine| {
            routine.parsed_body
                && routine.touches.contains(table)
                && routine.columns.iter().any(|word| word == column)
        };
        let found = self.routines.iter().filter(|(_, all)| all.iter().any(names));
        found.map(|(name, _)| name.clone()).collect()
    }

    /// Returns the views that show a column, not those above them.
    pub fn views_of_column(&self, table: &Name, column: &str) -> Vec<Name> {
        let shows = |view: &&Relation| {
            view.reads
                .iter()
                .any(|(read, columns)| read == table && columns.iter().any(|name| name == column))
        };
        self.referrers(table).filter(shows).map(|view| view.name.clone()).collect()
    }

    /// Returns the foreign keys that rely on a unique index of a table: of several over the same
    /// columns they take the oldest (PostgreSQL 12 to 18, transformFkeyCheckAttrs).
    pub fn dependents_of_key(&self, table: &Name, index: &str) -> Vec<Dependent> {
        let Some(relation) = self.relations.get(table) else { return Vec::new() };
        let mut found = Vec::new();
        for (other, constraint) in self.foreign_keys_to(table) {
            let Demand::ForeignKey { parent_columns, .. } = &constraint.kind else { continue };
            let used: Vec<&str> = if parent_columns.is_empty() {
                let primary = relation.primary_key().unwrap_or(&[]);
                primary.iter().map(String::as_str).collect()
            } else {
                parent_columns.iter().map(String::as_str).collect()
            };
            let serves = |own: &&Index| {
                let key = own.key_columns();
                own.kind == IndexKind::Unique
                    && own.predicate.is_none()
                    && own.parts.len() == used.len()
                    && key.len() == used.len()
                    && used.iter().all(|column| key.contains(column))
            };
            if relation.indexes.iter().find(serves).is_some_and(|own| own.name == index) {
                let part = Part::Constraint(constraint.name.clone());
                let kind = ObjectKind::Constraint;
                found.push(Dependent::new(kind, &other.name, part, false));
            }
        }
        found
    }

    /// Returns what uses a type or domain.
    pub fn dependents_of_type(&self, name: &Name) -> Vec<Dependent> {
        let mut found = Vec::new();
        for relation in self.relations.values() {
            if matches!(relation.kind, RelationKind::View | RelationKind::MaterializedView) {
                // The types of its columns follow those of the tables, which are told.
                continue;
            }
            if relation.of_type.as_ref() == Some(name) {
                let kind = ObjectKind::Table;
                found.push(Dependent::new(kind, &relation.name, Part::Whole, false));
                found.extend(self.dependents_of_relation(&relation.name));
            }
            for column in &relation.columns {
                if column.data_type.as_ref().is_some_and(|t| names_type(t, name)) {
                    let part = Part::Column(column.name.clone());
                    let kind = ObjectKind::Column;
                    found.push(Dependent::new(kind, &relation.name, part, false));
                    let more = self.dependents_of_column(&relation.name, &column.name);
                    found.extend(more);
                }
            }
        }
        for (routine, overloads) in &self.routines {
            let uses = overloads.iter().any(|routine| {
                routine.arguments.iter().chain(&routine.returns).any(|t| names_type(t, name))
            });
            if uses {
                found.push(Dependent::new(ObjectKind::Function, routine, Part::Whole, false));
            }
        }
        for (other, body) in &self.types {
            let uses = match &body.kind {
                TypeBody::Domain(domain) => names_type(&domain.base, name),
                TypeBody::Composite(fields) => fields.iter().any(|(_, t)| names_type(t, name)),
                TypeBody::Enum { .. } | TypeBody::Range | TypeBody::Base => false,
            };
            if uses {
                found.push(Dependent::new(ObjectKind::Type, other, Part::Whole, false));
                found.extend(self.dependents_of_type(other));
            }
        }
        found
    }

    /// Returns the foreign tables of a server (PostgreSQL).
    pub fn foreign_tables_of(&self, server: &str) -> Vec<Name> {
        let of = |table: &&Relation| table.server() == Some(server);
        self.all_relations().filter(of).map(|table| table.name.clone()).collect()
    }

    /// Returns what depends on an object of a kind without a model of its own: the servers of a
    /// wrapper, the user mappings and tables of a server, the routines in a language, the event
    /// triggers and casts of a function (PostgreSQL).
    #[expect(clippy::wildcard_enum_match_arm, reason = "what depends on the others is not told")]
    pub fn dependents_of_other(&self, kind: ObjectKind, name: &Name) -> Vec<Dependent> {
        let made_of = |wanted: ObjectKind| -> Vec<Dependent> {
            let found = self
                .others
                .iter()
                .filter(|((own, _), object)| *own == wanted.as_str() && object.of == name.name);
            found.map(|((_, full), _)| Dependent::new(wanted, full, Part::Whole, false)).collect()
        };
        match kind {
            ObjectKind::ForeignDataWrapper => {
                let servers = made_of(ObjectKind::Server);
                let below = servers
                    .iter()
                    .flat_map(|server| self.dependents_of_other(server.object, &server.relation));
                let below: Vec<Dependent> = below.collect();
                servers.into_iter().chain(below).collect()
            }
            ObjectKind::Server => {
                let mut found = made_of(ObjectKind::UserMapping);
                for table in self.foreign_tables_of(&name.name) {
                    let kind = ObjectKind::ForeignTable;
                    found.push(Dependent::new(kind, &table, Part::Whole, false));
                    found.extend(self.dependents_of_relation(&table));
                }
                found
            }
            ObjectKind::Language => {
                let written_in = self
                    .routines
                    .iter()
                    .filter(|(_, all)| all.iter().any(|routine| routine.language == name.name));
                let kind = ObjectKind::Function;
                written_in.map(|(full, _)| Dependent::new(kind, full, Part::Whole, false)).collect()
            }
            ObjectKind::Function => {
                let mut found = made_of(ObjectKind::EventTrigger);
                found.extend(made_of(ObjectKind::Cast));
                found
            }
            _ => Vec::new(),
        }
    }

    /// Returns what calls a routine.
    pub fn dependents_of_routine(&self, name: &Name) -> Vec<Dependent> {
        let mut found = Vec::new();
        for relation in self.relations.values() {
            let table = &relation.name;
            for column in &relation.columns {
                if column.default.as_ref().is_some_and(|d| calls(d, name)) {
                    let part = Part::Default(column.name.clone());
                    found.push(Dependent::new(ObjectKind::Column, table, part, false));
                }
                if column.generated.as_ref().is_some_and(|g| calls(&g.expr, name)) {
                    let part = Part::Column(column.name.clone());
                    found.push(Dependent::new(ObjectKind::Column, table, part, false));
                }
            }
            for constraint in &relation.constraints {
                if matches!(&constraint.kind, Demand::Check(check) if calls(check, name)) {
                    let part = Part::Constraint(constraint.name.clone());
                    found.push(Dependent::new(ObjectKind::Constraint, table, part, false));
                }
            }
            for index in relation.indexes.iter().filter(|index| index_calls(index, name)) {
                let part = Part::Index(index.name.clone());
                found.push(Dependent::new(ObjectKind::Index, table, part, false));
            }
            for trigger in relation.triggers.iter().filter(|t| t.function.as_ref() == Some(name)) {
                let part = Part::Trigger(trigger.name.clone());
                found.push(Dependent::new(ObjectKind::Trigger, table, part, false));
            }
            for policy in relation.policies.iter().filter(|p| p.calls.contains(&name.name)) {
                let part = Part::Policy(policy.name.clone());
                found.push(Dependent::new(ObjectKind::Policy, table, part, false));
            }
            if relation.calls.contains(&name.name) {
                let kind = object_kind(relation.kind);
                found.push(Dependent::new(kind, table, Part::Whole, false));
                found.extend(self.dependents_of_relation(table));
            }
        }
        found
    }
}

/// Says whether a written type is the named one, or an array of it.
pub(super) fn names_type(data_type: &DataType, name: &Name) -> bool {
    data_type.name == name.name
        && data_type.schema.as_ref().is_none_or(|schema| *schema == name.schema)
}

fn calls(expr: &Expr, name: &Name) -> bool {
    expr.functions.iter().any(|function| {
        function.name() == name.name && function.schema().is_none_or(|schema| schema == name.schema)
    })
}

fn index_calls(index: &Index, name: &Name) -> bool {
    let in_key = index.parts.iter().any(|part| match &part.key {
        Key::Column(_) => false,
        Key::Expr(expr) => calls(expr, name),
    });
    in_key || index.predicate.as_ref().is_some_and(|p| calls(p, name))
}

/// Says whether an expression calls `nextval('…')` of a sequence.
pub(super) fn uses_sequence(expr: &Expr, name: &Name) -> bool {
    let called = expr
        .functions
        .iter()
        .any(|function| matches!(function.name(), "nextval" | "currval" | "setval"));
    called
        && sequence_names(expr).any(|written| {
            let (schema, bare) =
                written.rsplit_once('.').map_or((None, written), |(s, n)| (Some(s), n));
            bare.trim_matches('"') == name.name
                && schema.is_none_or(|schema| schema.trim_matches('"') == name.schema)
        })
}

/// Returns the texts in single quotes of an expression.
fn sequence_names(expr: &Expr) -> impl Iterator<Item = &str> {
    expr.text.split('\'').skip(1).step_by(2)
}
