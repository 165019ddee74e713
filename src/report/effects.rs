//! What statements do, as a table for people and as JSON for machines.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde::Serialize;

use super::place::Place;
use super::table::{Table, shortened};
use crate::effect::{
    Effect, EffectKind, Failure, HeldUntil, Lock, MigrationEffects, StatementRun, TransactionRule,
};
use crate::sql::ast::{Statement, StatementKind};
use crate::sql::{Migration, Server, TransactionMode};

/// What one migration does, as the JSON has it.
#[derive(Debug, Clone, Serialize)]
pub struct MigrationReport {
    version: String,
    name: String,
    path: String,
    transactional: bool,
    statements: Vec<StatementReport>,
}

#[derive(Debug, Clone, Serialize)]
struct StatementReport {
    kind: String,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    sql: String,
    locks: Vec<LockReport>,
    rewrites: Vec<String>,
    scans: Vec<String>,
    /// Those of them that the planner may spare by an index.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scans_unless_indexed: Vec<String>,
    builds: Vec<String>,
    online: Option<OnlineReport>,
    loses: Vec<LossReport>,
    transaction: &'static str,
    fails_if: Vec<FailureReport>,
    unknown: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct LockReport {
    relation: String,
    mode: &'static str,
    blocks: Vec<&'static str>,
    held_until: &'static str,
    during: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct OnlineReport {
    algorithm: &'static str,
    lock: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct LossReport {
    kind: &'static str,
    name: String,
}

#[derive(Debug, Clone, Serialize)]
struct FailureReport {
    when: &'static str,
    certain: bool,
    detail: String,
    code: Option<&'static str>,
}

impl MigrationReport {
    /// Returns what is told about a migration.
    pub fn of(migration: &Migration, effects: &MigrationEffects) -> Self {
        let statements = migration.up.statements.iter().zip(&effects.statements);
        Self {
            version: migration.version.as_str().to_owned(),
            name: migration.name.clone(),
            path: migration.up.section.source.path().to_owned(),
            transactional: is_transactional(migration, effects),
            statements: statements
                .map(|(statement, run)| statement_report(migration, statement, run))
                .collect(),
        }
    }
}

/// Says whether the whole migration is one transaction.
fn is_transactional(migration: &Migration, effects: &MigrationEffects) -> bool {
    let mut rules = effects.statements.iter().map(|run| run.effects.transaction);
    match migration.transaction {
        TransactionMode::Unwrapped => false,
        TransactionMode::Wrapped => rules.all(|rule| rule != TransactionRule::CommitsImplicitly),
        TransactionMode::Grouped => rules.all(|rule| rule == TransactionRule::Allowed),
    }
}

fn statement_report(
    migration: &Migration,
    statement: &Statement,
    run: &StatementRun,
) -> StatementReport {
    let source = &migration.up.section.source;
    let Place { start, last, .. } = Place::of(source, statement.span);
    let effects = &run.effects.effects;
    let unknown = if let StatementKind::Unknown { reason, .. } = &statement.kind {
        Some(reason.clone())
    } else {
        effects.iter().find_map(|effect| {
            let EffectKind::Unknown { reason } = &effect.kind else { return None };
            Some(reason.clone())
        })
    };
    let online = run.effects.online.map(|online| OnlineReport {
        algorithm: online.algorithm.as_str(),
        lock: online.lock.as_str(),
    });
    StatementReport {
        kind: statement.kind.word(),
        line: start.line,
        column: start.column,
        end_line: last.line,
        end_column: last.column,
        sql: source.slice(statement.span).to_owned(),
        locks: locks(effects),
        rewrites: names(effects, |kind| {
            let EffectKind::Rewrite { relation, .. } = kind else { return None };
            Some(relation.name.to_string())
        }),
        scans: names(effects, |kind| {
            let EffectKind::Scan { relation, .. } = kind else { return None };
            Some(relation.name.to_string())
        }),
        scans_unless_indexed: names(effects, |kind| {
            let EffectKind::Scan { relation, unless_indexed: true, .. } = kind else {
                return None;
            };
            Some(relation.name.to_string())
        }),
        builds: names(effects, |kind| {
            let EffectKind::IndexBuild { index, .. } = kind else { return None };
            Some(index.to_string())
        }),
        online,
        loses: losses(effects),
        transaction: run.effects.transaction.as_str(),
        fails_if: failures(effects),
        unknown,
    }
}

fn names(effects: &[Effect], name: impl Fn(&EffectKind) -> Option<String>) -> Vec<String> {
    let names: BTreeSet<String> = effects.iter().filter_map(|effect| name(&effect.kind)).collect();
    names.into_iter().collect()
}

/// One entry a relation: the strongest mode, the longest work and the latest release among its
/// locks.
fn locks(effects: &[Effect]) -> Vec<LockReport> {
    let mut strongest: Vec<Lock> = Vec::new();
    for effect in effects {
        let EffectKind::Lock(lock) = &effect.kind else { continue };
        match strongest.iter_mut().find(|known| known.relation.name == lock.relation.name) {
            None => strongest.push(lock.clone()),
            Some(known) => {
                known.mode = known.mode.max(lock.mode);
                known.during = known.during.max(lock.during);
                if lock.held_until == HeldUntil::TransactionEnd {
                    known.held_until = HeldUntil::TransactionEnd;
                }
            }
        }
    }
    strongest.iter().map(lock_report).collect()
}

fn lock_report(lock: &Lock) -> LockReport {
    LockReport {
        relation: lock.relation.name.to_string(),
        mode: lock.mode.as_str(),
        blocks: [
            lock.mode.blocks_reads().then_some("reads"),
            lock.mode.blocks_writes().then_some("writes"),
        ]
        .into_iter()
        .flatten()
        .collect(),
        held_until: match lock.held_until {
            HeldUntil::StatementEnd => "statement-end",
            HeldUntil::TransactionEnd => "transaction-end",
        },
        during: lock.during.as_str(),
    }
}

fn losses(effects: &[Effect]) -> Vec<LossReport> {
    let losses: BTreeSet<LossReport> = effects
        .iter()
        .filter_map(|effect| {
            let EffectKind::Loss(loss) = &effect.kind else { return None };
            Some(LossReport { kind: loss.object.as_str(), name: loss.name.clone() })
        })
        .collect();
    losses.into_iter().collect()
}

fn failures(effects: &[Effect]) -> Vec<FailureReport> {
    let mut failures: Vec<FailureReport> = Vec::new();
    for effect in effects {
        let EffectKind::Failure(Failure { when, certain, detail, code }) = &effect.kind else {
            continue;
        };
        let again = failures.iter().any(|known| known.when == *when && known.detail == *detail);
        if !again {
            let detail = detail.clone();
            failures.push(FailureReport { when, certain: *certain, detail, code: *code });
        }
    }
    failures
}

/// Writes the JSON.
pub fn json(server: Server, migrations: &[MigrationReport], out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Report<'a> {
        format: u32,
        server: ServerReport,
        migrations: &'a [MigrationReport],
    }
    let report = Report { format: 1, server: ServerReport::of(server), migrations };
    serde_json::to_writer(&mut *out, &report)?;
    writeln!(out)
}

/// A server in JSON.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct ServerReport {
    kind: &'static str,
    version: String,
}

impl ServerReport {
    pub(in crate::report) fn of(server: Server) -> Self {
        Self { kind: server.kind.as_str(), version: server.version.to_string() }
    }
}

/// Writes a table for each migration: statement, lock, what it blocks, work, how long it is held.
pub fn text(
    server: Server,
    migrations: &[MigrationReport],
    colors: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (bold, dim, reset) = if colors { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
    for (index, migration) in migrations.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let how = if migration.transactional { "one transaction" } else { "no transaction" };
        let (kind, version) = (server.kind.title(), server.version);
        writeln!(out, "{bold}{}{reset} {dim}({kind} {version}, {how}){reset}", migration.path)?;
        if migration.statements.is_empty() {
            writeln!(out, "  no statements")?;
            continue;
        }
        let mut table = Table::new(&["LINE", "STATEMENT", "LOCK", "BLOCKS", "WORK", "HELD"]);
        for statement in &migration.statements {
            table.row(statement_row(statement));
        }
        table.write(out, "  ", colors)?;
    }
    Ok(())
}

fn statement_row(statement: &StatementReport) -> Vec<String> {
    // Locks that stop nobody are left to the JSON, unless there are no others.
    let blocking = |lock: &&LockReport| !lock.blocks.is_empty();
    let mut locks: Vec<&LockReport> = statement.locks.iter().filter(blocking).collect();
    if locks.is_empty() {
        locks = statement.locks.iter().collect();
    }
    let lines = |line: fn(&LockReport) -> String| {
        locks.iter().map(|lock| line(lock)).collect::<Vec<String>>().join("\n")
    };
    vec![
        statement.line.to_string(),
        shortened(&statement.sql, 44),
        lines(|lock| format!("{} on {}", lock.mode, lock.relation)),
        lines(|lock| match lock.blocks.as_slice() {
            [] => "nothing".to_owned(),
            blocks => blocks.join(", "),
        }),
        work(statement),
        lines(|lock| match lock.held_until {
            "transaction-end" => format!("{}, then to the end of the transaction", lock.during),
            _ => lock.during.to_owned(),
        }),
    ]
}

/// What the server does besides changing its catalogs, a line each.
fn work(statement: &StatementReport) -> String {
    let mut lines = Vec::new();
    if let Some(reason) = &statement.unknown {
        lines.push(format!("not analysed: {}", shortened(reason, 40)));
    }
    for (verb, names) in [
        ("rewrites", &statement.rewrites),
        ("reads all of", &statement.scans),
        ("builds", &statement.builds),
    ] {
        lines.extend(names.iter().map(|name| format!("{verb} {name}")));
    }
    if let Some(online) = &statement.online {
        lines.push(format!("ALGORITHM={}, LOCK={}", online.algorithm, online.lock));
    }
    lines.extend(statement.loses.iter().map(|loss| format!("loses {} {}", loss.kind, loss.name)));
    for failure in statement.fails_if.iter().filter(|failure| failure.certain) {
        lines.push(format!("fails: {}", shortened(&failure.detail, 48)));
    }
    if lines.is_empty() { "–".to_owned() } else { lines.join("\n") }
}
