//! Which statements a tool for online schema changes runs instead of the server, and the exact
//! command (MySQL, MariaDB).
//!
//! Pure. Such a tool copies the table beside itself while the application goes on, and swaps the
//! two at the end. In: a migration with its effects on tables whose size is known. Out: the command
//! of each statement that is handed over; its effects become those of the swap.

use std::collections::{BTreeMap, BTreeSet};

use crate::effect::{During, EffectKind, MigrationEffects, StatementEffects, TableState};
use crate::schema::{Constraint, Schema};
use crate::sql::ast::{ActionKind, AlterTable, ConstraintKind, MyAction, StatementKind};
use crate::sql::{Migration, Script, Span};

/// A tool for online schema changes, as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnlineTool {
    /// The program and its arguments, with placeholders.
    pub command: Vec<String>,
    /// A tool whose arguments are known; none where `command` holds them all.
    pub preset: Option<Preset>,
    /// Tables of so many bytes or more are handed over.
    pub over: u64,
}

/// A tool whose arguments are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Percona's pt-online-schema-change.
    PtOnlineSchemaChange,
    /// gh-ost.
    GhOst,
}

impl Preset {
    /// Returns the tool that a program is, by its file name.
    pub fn of(program: &str) -> Option<Self> {
        match program.rsplit('/').next() {
            Some("pt-online-schema-change") => Some(Self::PtOnlineSchemaChange),
            Some("gh-ost") => Some(Self::GhOst),
            Some(_) | None => None,
        }
    }

    /// Returns what is added to the arguments that a user gives.
    ///
    /// pt-online-schema-change 3.2 waits 60 s for locks unless it is told otherwise (its manual,
    /// `--set-vars`). gh-ost leaves the old table behind unless it may drop it (its
    /// `doc/command-line-flags.md`, `--ok-to-drop-table`), which would be drift.
    const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::PtOnlineSchemaChange => &[
                "--no-version-check",
                "--set-vars",
                "lock_wait_timeout={lock_wait}",
                "--alter",
                "{alter}",
                "--execute",
                "F={login},D={database},t={table}",
            ],
            Self::GhOst => &[
                "--conf={login}",
                "--host={host}",
                "--port={port}",
                "--cut-over-lock-timeout-seconds={lock_wait}",
                "--initially-drop-ghost-table",
                "--ok-to-drop-table",
                "--database={database}",
                "--table={table}",
                "--alter={alter}",
                "--execute",
            ],
        }
    }
}

/// Returns the tables that such tools do not copy, or not as they are: those with triggers, and
/// both ends of foreign keys, which get other names or other tables (manual of
/// pt-online-schema-change, `--alter-foreign-keys-method`; gh-ost,
/// `doc/requirements-and-limitations.md`).
pub(super) fn tied(schema: &Schema) -> BTreeSet<String> {
    let mut tied = BTreeSet::new();
    for (name, relation) in &schema.relations {
        let parents: Vec<_> = relation.constraints.iter().filter_map(Constraint::parent).collect();
        if !parents.is_empty() || !relation.triggers.is_empty() {
            tied.insert(name.name.clone());
        }
        tied.extend(parents.iter().map(|parent| parent.name.clone()));
    }
    tied
}

/// Returns the command of each statement that is handed over, by its number in the file, and makes
/// its effects those of the tool. Tables that are [`tied`] stay with the server.
pub(super) fn hand_over(
    migration: &Migration,
    effects: &mut MigrationEffects,
    (tool, tied): (&OnlineTool, &BTreeSet<String>),
    (database, lock_timeout_ms): (&str, u64),
) -> BTreeMap<usize, Vec<String>> {
    let mut commands = BTreeMap::new();
    let statements = migration.up.statements.iter().zip(&mut effects.statements);
    for (number, (statement, run)) in statements.enumerate() {
        let StatementKind::AlterTable(alter) = &statement.kind else { continue };
        let large = is_worth_it(&run.effects, tool.over) && !tied.contains(alter.name.name());
        let place = || Place::of(&migration.up, (statement.span, alter), database);
        let Some(place) = large.then(place).flatten() else { continue };
        commands.insert(number, place.command(tool, lock_timeout_ms));
        become_a_swap(&mut run.effects);
    }
    commands
}

/// Says whether the server would work on a table in use that is as large.
///
/// Work that stops nobody counts as well: replicas do it after the primary, and are behind for as
/// long (MySQL 8.4 manual, 17.12.8 "Online DDL Limitations").
fn is_worth_it(effects: &StatementEffects, over: u64) -> bool {
    effects.effects.iter().filter_map(|effect| effect.work()).any(|(relation, _)| {
        relation.state == TableState::Existing && relation.bytes.is_some_and(|bytes| bytes >= over)
    })
}

/// The tool's work happens beside the table; what is left is the moment of the swap.
fn become_a_swap(effects: &mut StatementEffects) {
    effects.effects.retain(|effect| effect.work().is_none());
    for effect in &mut effects.effects {
        if let EffectKind::Lock(lock) = &mut effect.kind {
            lock.during = During::Instant;
        }
    }
    effects.online = None;
}

/// What is changed, and where.
struct Place<'m> {
    database: &'m str,
    table: &'m str,
    alter: &'m str,
}

impl<'m> Place<'m> {
    /// Returns none for what such tools do not do, or not without losing rows: they copy with
    /// INSERT IGNORE, so that a new unique key silently drops duplicates (manual of
    /// pt-online-schema-change, `--check-unique-key-change`; gh-ost,
    /// `doc/requirements-and-limitations.md`).
    fn of(
        script: &'m Script,
        (statement, alter): (Span, &'m AlterTable),
        database: &'m str,
    ) -> Option<Self> {
        let asks_more = alter.ignore || alter.online || alter.wait_seconds.is_some();
        if asks_more || !alter.actions.iter().all(|one| is_for_tools(&one.kind)) {
            return None;
        }
        let actions = Span::new(alter.name.span().end, statement.end);
        let actions = script.section.source.slice(actions).trim();
        let (table, schema) = match alter.name.parts.as_slice() {
            [table] => (table.as_str(), database),
            [schema, table] => (table.as_str(), schema.as_str()),
            [] | [_, _, ..] => return None,
        };
        // In a DSN and in the names that tools make up, other characters mean something else.
        let plain = |name: &str| {
            !name.is_empty()
                && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$' || c == '-')
        };
        (plain(table) && plain(schema)).then_some(Self { database: schema, table, alter: actions })
    }

    /// Returns the command; what belongs to the login stays open in a plan.
    fn command(&self, tool: &OnlineTool, lock_timeout_ms: u64) -> Vec<String> {
        let seconds = lock_timeout_ms.div_ceil(1000).max(1).to_string();
        let added = tool.preset.map_or(&[][..], Preset::arguments).iter();
        let words = tool.command.iter().map(String::as_str).chain(added.copied());
        let known = [
            ("{lock_wait}", seconds.as_str()),
            ("{database}", self.database),
            ("{table}", self.table),
            ("{alter}", self.alter),
        ];
        words.map(|word| filled(word, &known)).collect()
    }
}

/// Fills in placeholders; what stands in their place is not looked into again.
pub fn filled(word: &str, known: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if let Some((name, value)) = known.iter().find(|(name, _)| from.starts_with(name)) {
            out.push_str(value);
            rest = from.get(name.len()..).unwrap_or_default();
        } else {
            out.push('{');
            rest = from.get(1..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    out
}

/// Says whether tools that copy a table do this as well as the server.
fn is_for_tools(action: &ActionKind) -> bool {
    match action {
        ActionKind::AddColumn { column, .. } => column.constraints.is_empty(),
        ActionKind::AddConstraint(constraint) => {
            matches!(constraint.kind, ConstraintKind::Check(_))
        }
        ActionKind::DropColumn { .. }
        | ActionKind::SetDefault { .. }
        | ActionKind::DropDefault { .. } => true,
        ActionKind::Mysql(MyAction::ModifyColumn { column, .. }) => column.constraints.is_empty(),
        ActionKind::Mysql(action) => matches!(
            action,
            MyAction::AddIndex { .. }
                | MyAction::DropIndex { .. }
                | MyAction::ConvertTo { .. }
                | MyAction::Option { .. }
                | MyAction::Force
        ),
        ActionKind::DropConstraint { .. }
        | ActionKind::RenameColumn { .. }
        | ActionKind::RenameTo(_)
        | ActionKind::SetNotNull { .. }
        | ActionKind::DropNotNull { .. }
        | ActionKind::Postgres(_) => false,
    }
}
