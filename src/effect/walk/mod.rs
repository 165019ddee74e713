//! Drives a whole migration: what surrounds each statement, and what they do together.
//!
//! In: a migration and the schema before it. Out: the effects of each statement in its place, and
//! the schema after. What only shows across statements is added to the statement that causes it:
//! locks held too long, settings that are missing, statements in the wrong kind of transaction.
//!
//! DDL is rolled back by PostgreSQL 12 to 18 and SQLite (sqlite.org/lang_transaction.html), and
//! commits on MySQL and MariaDB (MySQL manual, Statements That Cause an Implicit Commit).

mod across;
mod body;
mod connection;
mod excuse;
mod held;
mod left;
mod passing;
mod settings;
mod smell;
mod tool;
mod transaction;
mod whole;

use std::collections::{BTreeMap, BTreeSet};

use self::across::Across;
use self::connection::Connection;
use self::settings::Settings;
use self::transaction::Open;
use super::model::StatementEffects;
use super::{Context, During, Effect, EffectKind, HeldUntil, TableState, TransactionRule};
use crate::schema::{Name, Schema};
use crate::sql::ast::{Statement, StatementKind};
use crate::sql::{Migration, Server, ServerKind, Span, TransactionMode, batches};

pub(crate) use excuse::standing;
pub use excuse::{is_settled, settle};

/// What a walk has to know besides the migration and the schema.
#[derive(Debug, Clone, Default)]
pub struct WalkOptions {
    /// Settings in force before the first statement, by lower-case name: those that the role has
    /// or that the runner sets, `lock_timeout` above all.
    pub settings: BTreeMap<String, String>,
    /// lockwise's own runner runs the migration.
    pub by_lockwise: bool,
}

/// What one migration does.
#[derive(Debug, Clone, Default)]
pub struct MigrationEffects {
    /// One entry for each statement of `up`, in the same order.
    pub statements: Vec<StatementRun>,
    /// What holds of the migration as a whole.
    pub migration: Vec<Effect>,
    /// Tables that are dropped and made anew, and of which nothing was known before.
    replaced_unknown: Vec<Name>,
}

/// One statement in its place.
#[derive(Debug, Clone)]
pub struct StatementRun {
    /// The statement.
    pub span: Span,
    /// It runs inside a transaction.
    pub in_transaction: bool,
    /// A timeout ends its wait for locks.
    pub lock_timeout: bool,
    /// It may do more than is known.
    pub opaque: bool,
    /// What it does there.
    pub effects: StatementEffects,
    /// Effects, by their place in `effects`, that a later statement makes harmless: a table is
    /// renamed and a view takes its name. They are facts all the same, but nothing to object to.
    pub excused: BTreeSet<usize>,
}

/// Returns what a migration does, and leaves `schema` as it is after it.
pub fn walk(migration: &Migration, schema: &mut Schema, options: &WalkOptions) -> MigrationEffects {
    walk_each(migration, schema, options, |_, _, _| {})
}

/// Looks at a statement with the schema before it and what it does.
pub trait Show: FnMut(&Statement, &Schema, &StatementEffects) {}

impl<F: FnMut(&Statement, &Schema, &StatementEffects)> Show for F {}

/// Walks like [`walk`], and shows each statement with the schema before it and what it does.
pub fn walk_each(
    migration: &Migration,
    schema: &mut Schema,
    options: &WalkOptions,
    mut show: impl Show,
) -> MigrationEffects {
    schema.next_migration();
    let mut walker = Walker::new(migration, schema, options);
    walker.start();
    for (at, statement) in migration.up.statements.iter().enumerate() {
        if walker.batched.contains(&at) {
            walker.batch(statement, &mut show);
        } else {
            walker.statement(statement, &mut show);
        }
    }
    walker.finish();
    let mut out = walker.out;
    whole::tell(migration, schema.server.kind, &mut out);
    excuse::within(migration, &mut out, schema);
    out
}

/// The walk so far.
struct Walker<'w> {
    migration: &'w Migration,
    schema: &'w mut Schema,
    mode: TransactionMode,
    settings: Settings,
    /// The transaction that is open now.
    open: Option<Open>,
    /// What is told once in a migration and was told already.
    told: BTreeSet<&'static str>,
    across: Across,
    /// What a connection to SQLite has.
    connection: Connection,
    /// Statements, by number, that run in batches.
    batched: BTreeSet<usize>,
    /// A statement ran SQL that is not known: objects may be there or gone because of it.
    opaque: bool,
    out: MigrationEffects,
}

/// Makes an effect of the kind that commands and their absence have.
fn session(span: Span, what: &'static str, value: impl Into<String>) -> Effect {
    let source = "lockwise: the order of statements and settings in the migration";
    Effect { span, kind: EffectKind::Session { what, value: value.into() }, source }
}

impl<'w> Walker<'w> {
    fn new(migration: &'w Migration, schema: &'w mut Schema, options: &WalkOptions) -> Self {
        let begins = |statement: &Statement| {
            matches!(
                statement.kind,
                StatementKind::Transaction(crate::sql::ast::Transaction::Begin(_))
            )
        };
        // A file that opens its own transactions is left alone by lockwise's runner.
        let explicit = migration.up.statements.iter().any(begins);
        let mode = if explicit && migration.transaction == TransactionMode::Grouped {
            TransactionMode::Unwrapped
        } else {
            migration.transaction
        };
        let mut settings = Settings::new(schema.server.kind, options.settings.clone());
        if options.by_lockwise {
            settings.runner_sets_timeouts();
        }
        Self {
            migration,
            batched: batched(migration, schema.server),
            schema,
            mode,
            settings,
            open: None,
            told: BTreeSet::new(),
            across: Across::default(),
            connection: Connection::default(),
            opaque: false,
            out: MigrationEffects::default(),
        }
    }

    fn kind(&self) -> ServerKind {
        self.schema.server.kind
    }

    fn statement(&mut self, statement: &Statement, show: &mut impl Show) {
        let mut run = self.effects(statement);
        excuse::without_rows(statement, self.schema, &mut run);
        excuse::soften(statement, self.schema, &mut run);
        passing::own_parts(self.schema, &mut run);
        let all = &self.migration.up.statements;
        passing::made_from_a_query((statement, all), self.schema, &mut run);
        if self.opaque {
            excuse::doubt(&mut run);
        }
        run.opaque = excuse::is_opaque(statement, &run);
        self.opaque |= run.opaque;
        self.command(statement, &mut run);
        self.held(statement, &mut run);
        self.across(statement, &mut run);
        self.left(statement, &mut run);
        self.timeouts(statement, &mut run);
        if self.kind().is_mysql_family() {
            self.implicit_commit(statement, &mut run);
        }
        run.effects.effects.shrink_to_fit();
        show(statement, self.schema, &run.effects);
        self.schema.apply(statement);
        self.row_versions(statement, &run);
        if self.open.is_none() {
            self.autocommit(statement);
        }
        self.out.statements.push(run);
    }

    /// Counts how often columns came or went INSTANT; a rewrite begins anew (MySQL). A table
    /// without rows is rebuilt rather than given a version (measured on MySQL 9.7).
    fn row_versions(&mut self, statement: &Statement, run: &StatementRun) {
        let emptied = if let StatementKind::Truncate(truncate) = &statement.kind {
            truncate.tables.iter().map(|table| self.schema.resolve(table)).collect()
        } else {
            Vec::new()
        };
        let rewritten = run.effects.effects.iter().filter_map(|effect| match effect.work() {
            Some((subject, During::Rewrite)) => Some(subject.name.clone()),
            Some(_) | None => None,
        });
        for name in emptied.into_iter().chain(rewritten) {
            if let Some(table) = self.schema.relation_mut(&name) {
                table.set_row_versions(0);
            }
        }
        let counts = run.effects.effects.iter().any(|effect| {
            matches!(&effect.kind, EffectKind::Declares(declared)
                if declared.what == "row-versions-left" && declared.state != TableState::NewEmpty)
        });
        if let StatementKind::AlterTable(alter) = &statement.kind
            && counts
        {
            let name = self.schema.resolve(&alter.name);
            if let Some(table) = self.schema.relation_mut(&name) {
                table.set_row_versions(table.row_versions() + 1);
            }
        }
    }

    /// A statement that goes through its table in batches: each is a transaction of its own, by
    /// lockwise's runner, whoever else's convention the folder follows.
    fn batch(&mut self, statement: &Statement, show: &mut impl Show) {
        let wrapped = self.open.is_some() && self.mode == TransactionMode::Wrapped;
        self.close_group();
        let mode = std::mem::replace(&mut self.mode, TransactionMode::Unwrapped);
        self.statement(statement, show);
        self.mode = mode;
        if let Some(run) = self.out.statements.last_mut() {
            run.effects.effects.retain(|effect| !is_bulk(&effect.kind));
        }
        if wrapped {
            self.start();
        }
    }

    /// Returns the effects of a statement in its place, and opens or closes the runner's groups.
    fn effects(&mut self, statement: &Statement) -> StatementRun {
        let mut in_transaction = self.open.is_some();
        if self.mode == TransactionMode::Grouped && self.has_transactional_ddl() {
            in_transaction = true;
        }
        let mut effects = self.effects_of(statement, in_transaction);
        let forbidden = effects.transaction == TransactionRule::Forbidden;
        if self.mode == TransactionMode::Grouped && self.has_transactional_ddl() {
            if forbidden {
                self.close_group();
                in_transaction = false;
                effects = self.effects_of(statement, false);
            } else {
                self.open_group();
            }
        }
        if in_transaction && forbidden {
            transaction::refuse(statement, &mut effects);
        }
        if !in_transaction {
            for effect in &mut effects.effects {
                if let EffectKind::Lock(lock) = &mut effect.kind {
                    lock.held_until = HeldUntil::StatementEnd;
                }
            }
        }
        StatementRun {
            span: statement.span,
            in_transaction,
            lock_timeout: self.settings.has_lock_timeout(),
            opaque: false,
            effects,
            excused: BTreeSet::new(),
        }
    }

    fn effects_of(&mut self, statement: &Statement, in_transaction: bool) -> StatementEffects {
        let context = Context { in_transaction, settings: self.settings.in_force() };
        let mut effects = if let StatementKind::Do(block) = &statement.kind {
            let mut inside = body::effects(block, statement.span, self.schema, &context);
            if self.kind().is_mysql_family() {
                inside.effects.extend(super::of(statement, self.schema, &context).effects);
            }
            inside
        } else {
            super::of(statement, self.schema, &context)
        };
        mark_new(statement, self.schema, &mut effects);
        super::declare::declare(statement, self.schema, &mut effects.effects);
        effects
    }

    /// PostgreSQL and SQLite take DDL back; MySQL and MariaDB commit at each.
    fn has_transactional_ddl(&self) -> bool {
        !self.kind().is_mysql_family()
    }
}

/// Returns the statements of a migration that run in batches.
fn batched(migration: &Migration, server: Server) -> BTreeSet<usize> {
    let declared = batches(&migration.up, server).into_iter();
    declared.filter(|found| found.batch.is_ok()).filter_map(|found| found.statement).collect()
}

/// Says whether an effect is one that batches take away: many rows changed at once.
fn is_bulk(effect: &EffectKind) -> bool {
    const BULK: [&str; 3] = ["bulk-change", "bulk-insert", "change-of-every-row"];
    matches!(effect, EffectKind::Declares(declared) if BULK.contains(&declared.what))
}

/// What a statement makes nobody uses yet, whatever it does to it besides.
fn mark_new(statement: &Statement, schema: &Schema, effects: &mut StatementEffects) {
    let made = if let StatementKind::CreateTable(create) = &statement.kind {
        schema.new_name(&create.name)
    } else if let StatementKind::CreateView(view) = &statement.kind {
        schema.new_name(&view.name)
    } else {
        return;
    };
    if schema.relation(&made).is_some() {
        return;
    }
    for effect in &mut effects.effects {
        let subject = match &mut effect.kind {
            EffectKind::Lock(lock) => &mut lock.relation,
            EffectKind::Rewrite { relation, .. }
            | EffectKind::Scan { relation, .. }
            | EffectKind::IndexBuild { relation, .. } => relation,
            EffectKind::Loss(_)
            | EffectKind::Break { .. }
            | EffectKind::Failure(_)
            | EffectKind::LeftBehind { .. }
            | EffectKind::Declares(_)
            | EffectKind::Session { .. }
            | EffectKind::Unknown { .. } => continue,
        };
        if subject.name == made {
            subject.state = TableState::NewEmpty;
        }
    }
}
