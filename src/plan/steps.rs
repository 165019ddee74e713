//! A migration and its effects to steps: what is sent, in which transaction, with which limits.
//!
//! Pure. The same effects that the linter judges decide here, so the two never disagree.

use std::collections::BTreeMap;

use super::batch::PlannedBatch;
use super::digest::Digest;
use super::model::{DataLoss, Group, Nature, PlannedLock, Step, Timeouts};
use crate::effect::{
    During, Effect, EffectKind, HeldUntil, Lock, MigrationEffects, StatementRun, TableState,
    TransactionRule,
};
use crate::sql::ast::{
    ActionKind, DmlKind, MaintenanceKind, MyAction, ObjectKind, PartitionAction, Statement,
    StatementKind, TableAction, Transaction,
};
use crate::sql::{
    Batch, Migration, ObjectName, PieceKind, Position, Server, ServerKind, TransactionMode,
    batches, ident,
};

/// Limits that configuration sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A statement that makes others wait gives up waiting itself after this.
    pub lock_timeout_ms: u64,
    /// A statement in a transaction is stopped after this; zero means never.
    pub statement_timeout_ms: u64,
}

/// How much longer a statement may wait for a lock when nobody queues up behind it.
const PATIENCE: u64 = 5;
/// How long a change of catalogs may take once it has its lock.
const INSTANT_MS: u64 = 15_000;

/// Returns what takes back the SET statements of a migration.
pub const fn session_reset(kind: ServerKind) -> &'static [&'static str] {
    match kind {
        ServerKind::Postgres => &["RESET SESSION AUTHORIZATION", "RESET ALL"],
        ServerKind::Mysql | ServerKind::Mariadb => {
            &["SET SESSION foreign_key_checks = DEFAULT, SESSION unique_checks = DEFAULT, \
             SESSION sql_mode = DEFAULT, SESSION time_zone = DEFAULT"]
        }
        ServerKind::Sqlite => &[],
    }
}

/// Something in a file that the runner cannot run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}:{column}: {what}")]
pub struct CannotRun {
    /// The file.
    pub path: String,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
    /// What it is.
    pub what: String,
}

/// Returns the groups of steps of a migration; numbers go on from `first`, and `tools` holds the
/// commands of statements that are handed over.
pub(super) fn groups(
    migration: &Migration,
    effects: &MigrationEffects,
    kind: ServerKind,
    limits: Limits,
    first: u32,
    mut tools: BTreeMap<usize, Vec<String>>,
) -> Result<Vec<Group>, Vec<CannotRun>> {
    let explicit = migration.up.statements.iter().any(is_begin);
    let mut builder = Builder {
        migration,
        kind,
        limits,
        alone: explicit || migration.transaction == TransactionMode::Unwrapped,
        number: first,
        open: false,
        foreign_keys: false,
        groups: Vec::new(),
        errors: Vec::new(),
    };
    builder.others();
    builder.way_back();
    let mut batches = builder.batches();
    let statements = migration.up.statements.iter().zip(&effects.statements);
    for (at, (statement, run)) in statements.enumerate() {
        match batches.remove(&at) {
            Some(batch) => builder.batch(statement, run, batch),
            None => builder.statement(statement, run, tools.remove(&at).unwrap_or_default()),
        }
    }
    if builder.errors.is_empty() { Ok(builder.groups) } else { Err(builder.errors) }
}

fn is_begin(statement: &Statement) -> bool {
    matches!(statement.kind, StatementKind::Transaction(Transaction::Begin(_)))
}

struct Builder<'m> {
    migration: &'m Migration,
    kind: ServerKind,
    limits: Limits,
    /// Statements stand alone unless the file opens a transaction.
    alone: bool,
    number: u32,
    /// The file opened a transaction.
    open: bool,
    /// SQLite: the file switched foreign keys on.
    foreign_keys: bool,
    groups: Vec<Group>,
    errors: Vec<CannotRun>,
}

impl Builder<'_> {
    /// Refuses what is no SQL: it would be skipped otherwise.
    fn others(&mut self) {
        let others: Vec<_> = self.migration.up.others.clone();
        for other in others {
            let what = match other.kind {
                PieceKind::MetaCommand => "a psql command: only psql itself can run it",
                PieceKind::CopyData => "data of COPY: write INSERT, or load the file with psql",
                PieceKind::Statement | PieceKind::Delimiter => continue,
            };
            self.refuse(other.span.start, what);
        }
    }

    /// Refuses batches on an author's way back, which runs as one: they would be left out silently.
    fn way_back(&mut self) {
        let Some(down) = &self.migration.down else { return };
        for declared in batches(down, Server::of(self.kind)) {
            let Position { line, column } = down.section.source.position(declared.comment.start);
            let path = down.section.source.path().to_owned();
            let what = "a batch on the way back, which runs as one: write a new migration instead";
            self.errors.push(CannotRun { path, line, column, what: what.to_owned() });
        }
    }

    /// Returns the statements that run in batches; a comment that cannot be followed is an error.
    fn batches(&mut self) -> BTreeMap<usize, Batch> {
        let mut found = BTreeMap::new();
        for declared in batches(&self.migration.up, Server::of(self.kind)) {
            match (declared.statement, declared.batch) {
                (Some(at), Ok(batch)) => drop(found.insert(at, batch)),
                (_, Err(why)) => self.refuse(declared.comment.start, format!("batch: {why}")),
                (None, Ok(_)) => {}
            }
        }
        found
    }

    /// Adds a statement that goes through a table in batches: a group of its own.
    fn batch(&mut self, statement: &Statement, run: &StatementRun, batch: Batch) {
        if self.open {
            let what = "a batch between BEGIN and COMMIT: each batch is a transaction of its own";
            self.refuse(statement.span.start, what);
        }
        let max_lock = batch.pace.max_lock;
        let lock_ms = max_lock.map_or(self.limits.lock_timeout_ms, |time| {
            u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
        });
        let statement_ms = self.limits.statement_timeout_ms;
        let step = Step {
            nature: Nature::Batched,
            batch: Some(PlannedBatch::of(batch)),
            timeouts: Timeouts { lock_ms, statement_ms },
            ..self.step(statement, run)
        };
        self.number += 1;
        self.groups.retain(|group| !group.steps.is_empty());
        let foreign_keys = self.foreign_keys;
        self.groups.push(Group { transaction: false, foreign_keys, steps: vec![step] });
    }

    fn position(&self, offset: u32) -> Position {
        self.migration.up.section.source.position(offset)
    }

    fn refuse(&mut self, offset: u32, what: impl Into<String>) {
        let Position { line, column } = self.position(offset);
        let path = self.migration.up.section.source.path().to_owned();
        self.errors.push(CannotRun { path, line, column, what: what.into() });
    }

    fn statement(&mut self, statement: &Statement, run: &StatementRun, tool: Vec<String>) {
        if let StatementKind::Transaction(command) = &statement.kind {
            self.command(command, statement.span.start);
            return;
        }
        if let StatementKind::Pragma(pragma) = &statement.kind
            && pragma.name == "foreign_keys"
        {
            let on = matches!(pragma.value.as_deref(), Some("on" | "1" | "true" | "yes"));
            // The switch does nothing inside a transaction (manual, "PRAGMA foreign_keys"), so it
            // belongs to the group; what follows starts a new one where the setting changes.
            self.foreign_keys = on;
            return;
        }
        if matches!(&statement.kind, StatementKind::Other(other) if other.what == "discard-all") {
            // It gives back every advisory lock of the session (PostgreSQL manual, "DISCARD").
            let what = "DISCARD ALL gives back the migration lock: write DISCARD PLANS, SEQUENCES \
                        or TEMP, or RESET ALL";
            self.refuse(statement.span.start, what);
            return;
        }
        for sql in one_by_one(statement, self.kind).unwrap_or_else(|| vec![None]) {
            let mut step = Step { tool: tool.clone(), ..self.step(statement, run) };
            if let Some(sql) = sql {
                step.sql = sql;
            }
            self.add(step);
        }
    }

    /// Adds a step to the group that is open, or to one of its own.
    fn add(&mut self, step: Step) {
        self.number += 1;
        let transaction = step.nature == Nature::Atomic;
        let joins = transaction && (self.open || !self.alone);
        if joins
            && let Some(group) = self.groups.last_mut()
            && group.transaction
            && group.foreign_keys == self.foreign_keys
            && !group.steps.is_empty()
        {
            group.steps.push(step);
            return;
        }
        if let Some(group) = self.groups.last_mut().filter(|group| group.steps.is_empty()) {
            group.transaction = transaction;
            group.steps.push(step);
            return;
        }
        let foreign_keys = self.foreign_keys;
        self.groups.push(Group { transaction, foreign_keys, steps: vec![step] });
    }

    fn command(&mut self, command: &Transaction, offset: u32) {
        match command {
            Transaction::Begin(_) | Transaction::Commit { .. } => {
                self.open = matches!(command, Transaction::Begin(_));
                // What follows does not join what came before.
                let foreign_keys = self.foreign_keys;
                self.groups.retain(|group| !group.steps.is_empty());
                self.groups.push(Group { transaction: true, foreign_keys, steps: Vec::new() });
            }
            Transaction::Rollback { .. } => {
                self.refuse(offset, "ROLLBACK in a migration: leave out what is taken back");
            }
            Transaction::Prepare | Transaction::FinishPrepared => {
                self.refuse(offset, "a prepared transaction: it would outlive the run");
            }
            Transaction::Savepoint(_)
            | Transaction::Release(_)
            | Transaction::RollbackTo(_)
            | Transaction::SetMode
            | Transaction::SetConstraints => {
                self.refuse(offset, "a transaction command: the runner opens the transactions");
            }
        }
    }

    fn step(&self, statement: &Statement, run: &StatementRun) -> Step {
        let source = &self.migration.up.section.source;
        let written = source.slice(statement.span);
        let facts = Facts::of(&run.effects.effects);
        let online = run
            .effects
            .online
            .map(|online| (online.algorithm.as_str().to_owned(), online.lock.as_str().to_owned()));
        let Position { line, column } = self.position(statement.span.start);
        Step {
            number: self.number,
            line,
            column,
            sql: self.sent(statement, run, written),
            raw: Digest::of_bytes(written.as_bytes()),
            semantic: Digest::of_statement(source.text(), statement.span, self.kind),
            nature: nature(statement, run.effects.transaction, self.kind),
            twice_is_once: twice_is_once(statement),
            session: matches!(statement.kind, StatementKind::Set(_)),
            batch: None,
            tool: Vec::new(),
            around: None,
            timeouts: self.timeouts(&run.effects.effects, run.effects.transaction),
            locks: facts.locks,
            rewrites: facts.rewrites,
            scans: facts.scans,
            builds: facts.builds,
            online,
            unknown: facts.unknown,
            breaks: facts.breaks,
            loses: facts.loses,
            change: Vec::new(),
        }
    }

    /// Adds the algorithm and lock that were predicted, so that MySQL and MariaDB refuse rather
    /// than copy the table when the prediction is wrong.
    fn sent(&self, statement: &Statement, run: &StatementRun, written: &str) -> String {
        let Some(online) = run.effects.online.filter(|_| self.kind.is_mysql_family()) else {
            return written.to_owned();
        };
        if online.algorithm == crate::effect::Algorithm::Copy || !on_existing_table(run) {
            return written.to_owned();
        }
        let lock = match online.lock {
            crate::effect::OnlineLock::Default => None,
            crate::effect::OnlineLock::None
            | crate::effect::OnlineLock::Shared
            | crate::effect::OnlineLock::Exclusive => Some(online.lock.as_str()),
        };
        let algorithm = online.algorithm.as_str();
        if let StatementKind::AlterTable(alter) = &statement.kind {
            let spoken_for = alter.online
                || alter.actions.iter().any(|action| {
                    matches!(
                        action.kind,
                        ActionKind::Mysql(
                            MyAction::Algorithm(_) | MyAction::Lock(_) | MyAction::Partition(_)
                        )
                    )
                });
            if spoken_for || alter.actions.is_empty() {
                return written.to_owned();
            }
            let lock = lock.map_or_else(String::new, |lock| format!(", LOCK={lock}"));
            return format!("{written}, ALGORITHM={algorithm}{lock}");
        }
        let free = if let StatementKind::CreateIndex(index) = &statement.kind {
            index.algorithm.is_none() && index.lock.is_none()
        } else if let StatementKind::Drop(drop) = &statement.kind {
            // MariaDB's DROP INDEX takes neither (error 1064, measured on 10.11).
            let takes = self.kind == ServerKind::Mysql && drop.on_table.is_some();
            takes && drop.algorithm.is_none() && drop.lock.is_none()
        } else {
            false
        };
        let lock = lock.map_or_else(String::new, |lock| format!(" LOCK={lock}"));
        if free { format!("{written} ALGORITHM={algorithm}{lock}") } else { written.to_owned() }
    }

    /// One class of statement, one pair of limits.
    fn timeouts(&self, effects: &[Effect], rule: TransactionRule) -> Timeouts {
        let locks: Vec<&Lock> = effects.iter().filter_map(lock_of).collect();
        let blocking: Vec<&&Lock> = locks
            .iter()
            .filter(|lock| lock.mode.blocks_writes() && in_use(lock.relation.state))
            .collect();
        let works = effects.iter().any(|effect| {
            matches!(
                effect.kind,
                EffectKind::Rewrite { .. }
                    | EffectKind::Scan { .. }
                    | EffectKind::IndexBuild { .. }
            )
        });
        let instant = blocking.iter().all(|lock| lock.during == During::Instant) && !works;
        let Limits { lock_timeout_ms, statement_timeout_ms } = self.limits;
        // A concurrent build waits for transactions again and again; a limit would leave an
        // invalid index behind. The driver watches it instead.
        let concurrent = rule == TransactionRule::Forbidden && self.kind == ServerKind::Postgres;
        let lock_ms = match (concurrent, blocking.is_empty()) {
            (true, _) => 0,
            (false, true) => lock_timeout_ms.saturating_mul(PATIENCE),
            (false, false) => lock_timeout_ms,
        };
        let statement_ms = match (concurrent, statement_timeout_ms) {
            (true, _) => 0,
            (false, 0) if instant && !blocking.is_empty() => lock_ms + INSTANT_MS,
            (false, limit) => limit,
        };
        Timeouts { lock_ms, statement_ms }
    }
}

fn lock_of(effect: &Effect) -> Option<&Lock> {
    if let EffectKind::Lock(lock) = &effect.kind { Some(lock) } else { None }
}

const fn in_use(state: TableState) -> bool {
    match state {
        TableState::Existing | TableState::Empty => true,
        TableState::NewEmpty | TableState::NewFilled => false,
    }
}

fn on_existing_table(run: &StatementRun) -> bool {
    let locks = run.effects.effects.iter().filter_map(lock_of);
    locks.into_iter().any(|lock| in_use(lock.relation.state))
}

/// Returns the statements that drop several tables of MariaDB one by one.
///
/// MariaDB drops them one after the other: when one cannot be dropped, those before it are gone
/// and the statement is an error (measured on 10.11). MySQL 8 drops all or none.
fn one_by_one(statement: &Statement, kind: ServerKind) -> Option<Vec<Option<String>>> {
    let StatementKind::Drop(drop) = &statement.kind else { return None };
    let (table, view) = (drop.object == ObjectKind::Table, drop.object == ObjectKind::View);
    let splits = kind == ServerKind::Mariadb && drop.wait_seconds.is_none() && (table || view);
    if !splits || drop.names.len() < 2 {
        return None;
    }
    let what = match (view, drop.temporary) {
        (true, _) => "VIEW",
        (false, true) => "TEMPORARY TABLE",
        (false, false) => "TABLE",
    };
    let exists = if drop.if_exists { "IF EXISTS " } else { "" };
    let sql = |name: &ObjectName| {
        let parts: Vec<String> = name.parts.iter().map(|part| ident(kind, part.as_str())).collect();
        Some(format!("DROP {what} {exists}{}", parts.join(".")))
    };
    Some(drop.names.iter().map(sql).collect())
}

/// Says how a statement takes effect. The shadow run corrects it where it sees no change.
fn nature(statement: &Statement, rule: TransactionRule, kind: ServerKind) -> Nature {
    let harmless = matches!(
        statement.kind,
        StatementKind::Reindex(_)
            | StatementKind::Set(_)
            | StatementKind::Explain { .. }
            | StatementKind::Pragma(_)
            | StatementKind::RefreshMaterializedView(_)
    );
    let upkeep = matches!(
        &statement.kind,
        StatementKind::Maintenance(maintenance) if maintenance.kind != MaintenanceKind::Cluster
    );
    // A copy in the attic that is gone already is gone.
    let cleared = matches!(
        &statement.kind,
        StatementKind::Drop(drop) if drop.if_exists && drop.names.iter().all(super::attic::holds)
    );
    let repeatable = harmless || upkeep || cleared;
    // They do nothing inside a transaction, or are errors there (SQLite manual, "PRAGMA
    // journal_mode", "PRAGMA synchronous").
    let outside = matches!(
        &statement.kind,
        StatementKind::Pragma(pragma) if pragma.value.is_some()
            && ["journal_mode", "synchronous"].contains(&pragma.name.as_str())
    );
    let rule = if outside { TransactionRule::Forbidden } else { rule };
    let data = matches!(&statement.kind, StatementKind::Dml(dml) if dml.kind != DmlKind::Load);
    match kind {
        ServerKind::Postgres | ServerKind::Sqlite => match rule {
            TransactionRule::Forbidden if repeatable => Nature::Repeatable,
            TransactionRule::Forbidden => Nature::Visible,
            TransactionRule::Allowed | TransactionRule::CommitsImplicitly => Nature::Atomic,
        },
        ServerKind::Mysql | ServerKind::Mariadb if data => Nature::Atomic,
        ServerKind::Mysql | ServerKind::Mariadb if repeatable => Nature::Repeatable,
        ServerKind::Mysql | ServerKind::Mariadb => Nature::Visible,
    }
}

/// Says whether a statement that changes nothing in the schema may run twice: a rebuild, options as
/// they are, what is there already or gone already. Rows that go or change places with others are
/// another matter.
fn twice_is_once(statement: &Statement) -> bool {
    let moves_rows = |action: &TableAction| {
        let ActionKind::Mysql(action) = &action.kind else { return false };
        matches!(action, MyAction::Partition(_) | MyAction::Tablespace { .. })
            && !matches!(action, MyAction::Partition(PartitionAction::Maintain { .. }))
    };
    if let StatementKind::AlterTable(alter) = &statement.kind {
        return !alter.actions.iter().any(moves_rows);
    }
    matches!(&statement.kind, StatementKind::CreateView(_) | StatementKind::Grant(_))
        || matches!(&statement.kind, StatementKind::Drop(drop) if drop.if_exists)
        || matches!(
            &statement.kind,
            StatementKind::CreateTable(create) if create.if_not_exists && !create.or_replace
        )
}

/// What the effects of one statement say to a plan.
#[derive(Default)]
struct Facts {
    locks: Vec<PlannedLock>,
    rewrites: Vec<String>,
    scans: Vec<String>,
    builds: Vec<String>,
    unknown: Option<String>,
    breaks: Vec<String>,
    loses: Vec<DataLoss>,
}

impl Facts {
    fn of(effects: &[Effect]) -> Self {
        let mut facts = Self::default();
        for effect in effects {
            facts.take(&effect.kind);
        }
        for list in [&mut facts.rewrites, &mut facts.scans, &mut facts.builds, &mut facts.breaks] {
            list.sort_unstable();
            list.dedup();
        }
        facts
    }

    fn take(&mut self, effect: &EffectKind) {
        match effect {
            EffectKind::Lock(lock) => self.lock(lock),
            EffectKind::Rewrite { relation, .. } => self.rewrites.push(relation.name.to_string()),
            EffectKind::Scan { relation, .. } => self.scans.push(relation.name.to_string()),
            EffectKind::IndexBuild { index, .. } => self.builds.push(index.to_string()),
            EffectKind::Loss(loss) if loss.rows && in_use(loss.state) => {
                let rows = (loss.state == TableState::Empty).then_some(0);
                let kind = loss.object.as_str().to_owned();
                self.loses.push(DataLoss { kind, name: loss.name.clone(), rows, kept: None });
            }
            EffectKind::Break { how, name, state, .. } if in_use(*state) => {
                self.breaks.push(format!("{how}: {name}"));
            }
            EffectKind::Unknown { reason } => self.unknown = Some(reason.clone()),
            EffectKind::Loss(_)
            | EffectKind::Break { .. }
            | EffectKind::Failure(_)
            | EffectKind::LeftBehind { .. }
            | EffectKind::Declares(_)
            | EffectKind::Session { .. } => {}
        }
    }

    fn lock(&mut self, lock: &Lock) {
        let mut blocks = Vec::new();
        for (blocked, what) in [
            (lock.mode.blocks_reads(), "reads"),
            (lock.mode.blocks_writes(), "writes"),
            (lock.mode.blocks_schema_changes(), "schema-changes"),
        ] {
            if blocked {
                blocks.push(what.to_owned());
            }
        }
        let held_until = match lock.held_until {
            HeldUntil::StatementEnd => "statement-end",
            HeldUntil::TransactionEnd => "transaction-end",
        };
        self.locks.push(PlannedLock {
            relation: lock.relation.name.to_string(),
            mode: lock.mode.as_str().to_owned(),
            blocks,
            held_until: held_until.to_owned(),
            during: lock.during.as_str().to_owned(),
            in_use: in_use(lock.relation.state),
            rows: lock.relation.rows,
            bytes: lock.relation.bytes,
            estimate: None,
        });
    }
}
