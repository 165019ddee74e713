//! Collects what one statement does.
//!
//! A relation is locked once, in the strongest mode asked for; rewritten, scanned and indexed once.
//! What a lock is held for is the longest work that the statement does: locks are taken before the
//! work starts and kept to the end.
//!
//! PostgreSQL 12 to 18, manual: Explicit Locking (locks last until the transaction ends);
//! PreventInTransactionBlock (xact.c) for 25001; measured, testdata/servers/postgres.

use std::collections::BTreeSet;

use super::source;
use crate::effect::{
    Context, During, Effect, EffectKind, Failure, HeldUntil, Lock, LockMode, Loss,
    StatementEffects, Subject, TableState, TransactionRule,
};
use crate::schema::{Name, Origin, Relation, Schema};
use crate::sql::ast::ObjectKind;
use crate::sql::{ObjectName, Span};

/// What a statement does, as far as it is known.
pub(super) struct Sheet<'a> {
    /// The schema before it.
    pub(super) schema: &'a Schema,
    /// What surrounds it.
    pub(super) context: &'a Context,
    /// Whether it may run in a transaction.
    pub(super) transaction: TransactionRule,
    /// Words may be variables of a block or arguments of a function as well as columns.
    pub(super) has_variables: bool,
    /// The query that is looked at has a condition, an order or a limit.
    pub(super) planner_chooses: bool,
    /// The table that the statement itself makes: nobody can be using it.
    pub(super) made: Option<Name>,
    span: Span,
    locks: Vec<(Span, Name, LockMode, bool, &'static str, &'static str)>,
    rest: Vec<Effect>,
    /// Locks that are let go when the statement ends, whatever surrounds it.
    let_go: BTreeSet<Name>,
    rewritten: BTreeSet<Name>,
    scanned: BTreeSet<Name>,
    built: BTreeSet<Name>,
    work: During,
}

impl<'a> Sheet<'a> {
    /// Returns an empty sheet.
    pub(super) fn new(schema: &'a Schema, context: &'a Context, span: Span) -> Self {
        Self {
            schema,
            context,
            transaction: TransactionRule::Allowed,
            has_variables: false,
            planner_chooses: false,
            made: None,
            span,
            locks: Vec::new(),
            rest: Vec::new(),
            let_go: BTreeSet::new(),
            rewritten: BTreeSet::new(),
            scanned: BTreeSet::new(),
            built: BTreeSet::new(),
            work: During::Instant,
        }
    }

    /// Says whether the server is of this major version or later.
    pub(super) fn since(&self, major: u16) -> bool {
        self.schema.server.version.at_least(major, 0, 0)
    }

    /// Lets the next facts point at a clause.
    pub(super) const fn at(&mut self, span: Span) {
        self.span = span;
    }

    /// Returns the place that facts point at now.
    pub(super) const fn span(&self) -> Span {
        self.span
    }

    /// Returns a relation.
    pub(super) fn table(&self, name: &Name) -> Option<&'a Relation> {
        self.schema.relation(name)
    }

    /// Notes a lock on a relation.
    pub(super) fn lock(&mut self, name: &Name, mode: LockMode, cause: &'static str) {
        self.lock_from(name, mode, false, cause, source::LOCKING);
    }

    /// Notes a lock that is let go when the statement ends.
    pub(super) fn lock_briefly(&mut self, name: &Name, mode: LockMode, cause: &'static str) {
        self.lock(name, mode, cause);
        self.let_go.insert(name.clone());
    }

    /// Notes a lock on an index that the lock on its table does not say.
    pub(super) fn lock_index(&mut self, name: &Name, mode: LockMode, cause: &'static str) {
        self.lock_from(name, mode, true, cause, source::LOCKING);
    }

    fn lock_from(
        &mut self,
        name: &Name,
        mode: LockMode,
        index: bool,
        cause: &'static str,
        source: &'static str,
    ) {
        // Nobody else can see a temporary table.
        let temporary = self
            .table(name)
            .is_some_and(|table| table.persistence == crate::sql::ast::Persistence::Temporary);
        if self.is_system(name) || temporary {
            return;
        }
        match self.locks.iter_mut().find(|lock| lock.1 == *name) {
            Some(lock) if lock.2 < mode => {
                lock.2 = mode;
                lock.4 = cause;
                lock.0 = self.span;
            }
            Some(_) => {}
            None => self.locks.push((self.span, name.clone(), mode, index, cause, source)),
        }
    }

    /// Notes a rewrite of a table with all its indexes.
    pub(super) fn rewrite(&mut self, name: &Name, cause: &'static str, source: &'static str) {
        if self.table(name).is_some_and(|table| !table.has_storage()) {
            return;
        }
        self.rewrite_rows(name, cause, source);
        let indexes: Vec<Name> = self.indexes_of(name);
        for index in indexes {
            self.build(name, &index, "rewrite", false);
        }
    }

    /// Notes a rewrite that leaves the indexes alone.
    pub(super) fn rewrite_rows(&mut self, name: &Name, cause: &'static str, source: &'static str) {
        self.work = During::Rewrite;
        if self.rewritten.insert(name.clone()) {
            let relation = self.subject(name);
            self.push(EffectKind::Rewrite { relation, cause }, source);
        }
    }

    /// Returns the full names of the indexes of a table.
    pub(super) fn indexes_of(&self, name: &Name) -> Vec<Name> {
        let indexes = self.table(name).into_iter().flat_map(|table| &table.indexes);
        indexes.map(|index| Name::new(name.schema.clone(), index.name.clone())).collect()
    }

    /// Notes that every row of a table is read.
    pub(super) fn scan(&mut self, name: &Name, cause: &'static str, source: &'static str) {
        self.scan_how(name, cause, source, false);
    }

    /// Notes that every row of a table may be read: the planner chooses between that and an index.
    pub(super) fn scan_unless_indexed(
        &mut self,
        name: &Name,
        cause: &'static str,
        source: &'static str,
    ) {
        self.scan_how(name, cause, source, true);
    }

    fn scan_how(
        &mut self,
        name: &Name,
        cause: &'static str,
        source: &'static str,
        unless_indexed: bool,
    ) {
        if self.is_system(name) || self.table(name).is_some_and(|table| !table.has_storage()) {
            return;
        }
        self.work = self.work.max(During::Scan);
        if self.scanned.insert(name.clone()) {
            let relation = self.subject(name);
            self.push(EffectKind::Scan { relation, cause, unless_indexed }, source);
        } else if !unless_indexed {
            self.is_read_whole(name);
        }
    }

    /// A second reason to read a table may leave the planner no choice.
    fn is_read_whole(&mut self, name: &Name) {
        for effect in &mut self.rest {
            if let EffectKind::Scan { relation, unless_indexed, .. } = &mut effect.kind
                && relation.name == *name
            {
                *unless_indexed = false;
            }
        }
    }

    /// Notes that an index is built, which reads the table.
    pub(super) fn build(
        &mut self,
        table: &Name,
        index: &Name,
        cause: &'static str,
        concurrent: bool,
    ) {
        self.work = self.work.max(During::IndexBuild);
        if self.built.insert(index.clone()) {
            let relation = self.subject(table);
            let index = index.clone();
            let kind = EffectKind::IndexBuild { relation, index, cause, concurrent };
            self.push(kind, source::INDEX);
        }
    }

    /// Notes an index that is made anew over an emptied table, at no cost.
    pub(super) fn build_empty(&mut self, table: &Name, index: &Name, cause: &'static str) {
        let work = self.work;
        self.build(table, index, cause, false);
        self.work = work;
    }

    /// Notes that something vanishes.
    pub(super) fn lose(&mut self, object: ObjectKind, name: &str, rows: bool, cascade: bool) {
        let state = self.state_of_text(name);
        self.lose_in(object, name.to_owned(), rows, cascade, state);
    }

    /// Notes that a part of a table vanishes.
    pub(super) fn lose_part(
        &mut self,
        object: ObjectKind,
        table: &Name,
        part: &str,
        rows: bool,
        cascade: bool,
    ) {
        let state = self.state(table);
        self.lose_in(object, format!("{table}.{part}"), rows, cascade, state);
        let found = self.table(table).filter(|_| object == ObjectKind::Constraint);
        let copies = found.into_iter().flat_map(|table| &table.key_copies);
        for copy in copies.filter(|copy| copy.key == part) {
            self.lose_in(object, format!("{table}.{}", copy.name), false, true, state);
        }
    }

    /// Notes that the copies of foreign keys vanish that reference a partition, or one below it.
    pub(super) fn lose_copies_of(&mut self, partition: &Name) {
        let gone = self.family(partition, false);
        let schema = self.schema;
        for table in schema.relations.values() {
            for copy in table.key_copies.iter().filter(|copy| gone.contains(&copy.of)) {
                let state = self.state(&table.name);
                let name = format!("{}.{}", table.name, copy.name);
                self.lose_in(ObjectKind::Constraint, name, false, true, state);
            }
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the others are alike here")]
    fn lose_in(
        &mut self,
        object: ObjectKind,
        name: String,
        rows: bool,
        cascade: bool,
        state: TableState,
    ) {
        let loss = Loss { object, name, rows, cascade, state };
        let known = self.rest.iter().any(|effect| match &effect.kind {
            EffectKind::Loss(known) => known.object == loss.object && known.name == loss.name,
            _ => false,
        });
        if !known {
            self.push(EffectKind::Loss(loss), source::DROP);
        }
    }

    /// Notes what running code meets afterwards.
    pub(super) fn breaks(
        &mut self,
        how: &'static str,
        object: ObjectKind,
        name: String,
        table: &Name,
    ) {
        let state = self.state(table);
        self.push(EffectKind::Break { how, object, name, state }, source::OBJECT);
    }

    /// Notes a certain failure.
    pub(super) fn fails(&mut self, when: &'static str, code: &'static str, detail: String) {
        let failure = Failure { when, certain: true, detail, code: Some(code) };
        self.push(EffectKind::Failure(failure), source::OBJECT);
    }

    /// Notes a failure that the data, or what is not known of the schema, decides.
    pub(super) fn may_fail(&mut self, when: &'static str, code: &'static str, detail: String) {
        let failure = Failure { when, certain: false, detail, code: Some(code) };
        self.push(EffectKind::Failure(failure), source::OBJECT);
    }

    /// Notes something left to do or to regret.
    pub(super) fn leaves(&mut self, what: &'static str, name: String, table: &Name) {
        let state = self.state(table);
        self.push(EffectKind::LeftBehind { what, name, by: String::new(), state }, source::OBJECT);
    }

    /// Notes that the statement was not analysed.
    pub(super) fn unknown(&mut self, reason: impl Into<String>) {
        self.push(EffectKind::Unknown { reason: reason.into() }, source::OBJECT);
    }

    /// Notes that the server refuses the statement inside a transaction block.
    pub(super) fn refuses_transaction(&mut self, what: &str) {
        self.transaction = TransactionRule::Forbidden;
        if self.context.in_transaction {
            let detail = format!("{what} cannot run inside a transaction block");
            let failure =
                Failure { when: "in-transaction", certain: true, detail, code: Some("25001") };
            self.push(EffectKind::Failure(failure), source::TRANSACTION);
        }
    }

    /// Notes that a version before `major` does not read the clause. Says whether it is so.
    pub(super) fn needs_version(&mut self, major: u16, clause: &str) -> bool {
        let lacks = !self.since(major);
        if lacks {
            let detail = format!("{clause} exists from PostgreSQL {major} on");
            let failure =
                Failure { when: "unsupported-version", certain: true, detail, code: Some("42601") };
            self.push(EffectKind::Failure(failure), source::SYNTAX);
        }
        lacks
    }

    fn push(&mut self, kind: EffectKind, source: &'static str) {
        self.rest.push(Effect { span: self.span, kind, source });
    }

    /// Returns a relation with what is known of it.
    pub(super) fn subject(&self, name: &Name) -> Subject {
        let size = self.table(name).and_then(|table| table.size);
        Subject {
            name: name.clone(),
            state: self.state(name),
            rows: size.map(|size| size.rows),
            bytes: size.map(|size| size.bytes),
        }
    }

    /// Returns the state of a table.
    pub(super) fn state(&self, name: &Name) -> TableState {
        let owner = self.schema.index_tables.get(name).unwrap_or(name);
        if self.made.as_ref() == Some(owner) {
            return TableState::NewEmpty;
        }
        let Some(table) = self.table(owner) else { return TableState::Existing };
        let new = table.origin == Origin::Migration(self.schema.migration);
        match (new, table.has_rows, table.size) {
            (true, false, _) => TableState::NewEmpty,
            (true, true, _) => TableState::NewFilled,
            (false, _, Some(size)) if size.rows == 0 && size.bytes <= 8192 => TableState::Empty,
            (false, _, _) => TableState::Existing,
        }
    }

    fn state_of_text(&self, name: &str) -> TableState {
        let (schema, object) = name.split_once('.').unwrap_or(("", name));
        self.state(&Name::new(schema, object))
    }

    /// Returns the full name of a table that must exist, and notes a failure where it does not.
    pub(super) fn existing(&mut self, name: &ObjectName, if_exists: bool) -> Option<Name> {
        if self.schema.is_absent(name) {
            if !if_exists {
                let detail = format!("relation \"{name}\" does not exist");
                self.fails("missing-object", "42P01", detail);
            }
            return None;
        }
        if self.schema.find(name).is_none() && self.schema.find_index(name).is_some() {
            let detail = format!("\"{name}\" is an index");
            self.fails("wrong-object-kind", "42809", detail);
            return None;
        }
        if !if_exists && self.schema.find(name).is_none() {
            let detail = format!("relation \"{name}\" is made by no migration that was read");
            self.may_fail("missing-object", "42P01", detail);
        }
        Some(self.schema.resolve(name))
    }

    /// Says whether a relation belongs to the server: its locks concern nobody. A bare name that
    /// begins with `pg_` is one of pg_catalog, unless a table of that name is known.
    fn is_system(&self, name: &Name) -> bool {
        let bare = name.schema == "public" && name.name.starts_with("pg_");
        matches!(name.schema.as_str(), "pg_catalog" | "information_schema" | "pg_toast")
            || (bare && self.table(name).is_none() && !self.schema.index_tables.contains_key(name))
    }

    /// Returns the table and, unless ONLY is written, all tables below it.
    pub(super) fn family(&self, name: &Name, only: bool) -> Vec<Name> {
        let mut names = vec![name.clone()];
        if !only {
            names.extend(self.schema.descendants(name).iter().map(|child| child.name.clone()));
        }
        names
    }

    /// Takes over what a statement inside this one does to what existed before both.
    #[expect(clippy::wildcard_enum_match_arm, reason = "other effects are told as they are")]
    pub(super) fn absorb(&mut self, found: StatementEffects) {
        for effect in found.effects {
            match effect.kind {
                EffectKind::Lock(lock) => {
                    let name = &lock.relation.name;
                    let there = self.schema.is_taken(name) || !self.schema.complete;
                    let new = matches!(lock.relation.state, TableState::NewEmpty);
                    if there || !new {
                        self.lock_from(name, lock.mode, lock.index, lock.cause, effect.source);
                    }
                    self.work = self.work.max(lock.during);
                }
                kind => self.rest.push(Effect { kind, ..effect }),
            }
        }
    }

    /// Returns the whole, with what each lock is held for.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others are alike here")]
    pub(super) fn finish(self) -> StatementEffects {
        let mut effects: Vec<Effect> = Vec::with_capacity(self.locks.len() + self.rest.len());
        for (span, name, mode, index, cause, source) in &self.locks {
            let relation = self.subject(name);
            let held_until = if self.context.in_transaction && !self.let_go.contains(name) {
                HeldUntil::TransactionEnd
            } else {
                HeldUntil::StatementEnd
            };
            let lock =
                Lock { relation, mode: *mode, cause, held_until, during: self.work, index: *index };
            effects.push(Effect { span: *span, kind: EffectKind::Lock(lock), source });
        }
        let rewritten = self.rewritten;
        effects.extend(self.rest.into_iter().filter(|effect| match &effect.kind {
            // A table that is rewritten is read by that, once.
            EffectKind::Scan { relation, .. } => !rewritten.contains(&relation.name),
            _ => true,
        }));
        StatementEffects { effects, online: None, transaction: self.transaction }
    }
}
