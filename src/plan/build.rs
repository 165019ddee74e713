//! Pending migrations and a live schema to a plan.

use std::collections::BTreeMap;

use super::approval::{Class, Policy};
use super::attic;
use super::digest::Digest;
use super::dry_run::{self, Ground, Ran};
use super::estimate;
use super::hand_over::{OnlineTool, hand_over, tied};
use super::history::{digests_of, version_of};
use super::known::Known;
use super::live::schema_of;
use super::losses;
use super::model::{
    Check, CheckState, FORMAT, Plan, PlannedFinding, PlannedMigration, PlannedServer, Proof,
    Rollback, Step, Target, Verdict,
};
use super::rollback::unified;
use super::seed::{Seeding, concerned};
use super::shadow::Shadow;
use super::steps::{CannotRun, Limits, groups};
use crate::db::{self, Connection, Snapshot};
use crate::effect::{MigrationEffects, WalkOptions, walk};
use crate::rule::{Bench, JudgeOptions, RuleSet, Severity};
use crate::sql::ast::StatementKind;
use crate::sql::{Migration, Server, ServerKind};

/// Everything that a plan is made from.
#[derive(Debug)]
pub struct Material<'a> {
    /// Migrations to run, in order.
    pub pending: Vec<&'a Migration>,
    /// The live schema, with sizes.
    pub live: &'a Snapshot,
    /// The database, without user and password.
    pub target: Target,
    /// What is judged by.
    pub rules: &'a RuleSet,
    /// How comments are read.
    pub judging: JudgeOptions,
    /// Who must agree.
    pub policy: Option<&'a Policy>,
    /// Limits of statements.
    pub limits: Limits,
    /// Who wrote each migration, by version.
    pub authors: BTreeMap<String, Vec<String>>,
    /// What was seen in the live database.
    pub preflight: Vec<Check>,
    /// How thorough the dry run is.
    pub dry_run: DryRun,
    /// Whether dropped tables and columns are kept aside.
    pub dropped: Dropped,
    /// How much of the schema is loaded for the dry run.
    pub seeding: Seeding,
    /// What changes large tables instead of the server.
    pub online_tool: Option<OnlineTool>,
}

/// What becomes of rows that a migration drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// They are gone.
    Gone,
    /// They are copied first.
    Kept,
}

/// How thorough a dry run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRun {
    /// Each migration is run up and down, with a look at the schema before and after.
    Each,
    /// All migrations are run up, with a look at the schema before the first and after the last,
    /// and at what a statement names where it commits by itself: the work grows with their number,
    /// not with its square.
    Together,
}

/// More pending migrations than these are tried together.
const TRIED_ONE_BY_ONE: usize = 50;

impl DryRun {
    /// Returns how thorough the dry run of so many migrations is.
    pub const fn of(pending: usize) -> Self {
        if pending > TRIED_ONE_BY_ONE { Self::Together } else { Self::Each }
    }
}

/// Why the way back of a migration is not in a plan of many.
const WORKED_OUT_LATER: &str =
    "with so many migrations at once, the way back is worked out when it is asked for";

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A database said no.
    #[error(transparent)]
    Database(#[from] db::Error),
    /// Files hold what cannot be run.
    #[error("{} of the pending migrations cannot be run", .0.len())]
    CannotRun(Vec<CannotRun>),
}

/// Makes a plan.
pub async fn build(material: &Material<'_>, shadow: &mut Shadow) -> Result<Plan, PlanError> {
    let server = material.live.server;
    let mut migrations = planned(material, server)?;
    let mut diff = String::new();
    let part = concerned(material.live, &material.pending, material.seeding);
    let seed = part.as_ref().unwrap_or(material.live);
    if let Some(reason) = shadow.missing() {
        for (planned, migration) in migrations.iter_mut().zip(&material.pending) {
            planned.rollback = dry_run::unproven(migration, reason);
        }
    } else if !migrations.is_empty()
        && let Some(connection) = shadow.seeded(seed).await?
    {
        diff = match material.dry_run {
            DryRun::Each => dry(connection, (material, seed), &mut migrations, shadow).await?,
            DryRun::Together => {
                dry_together(connection, (material, seed), &mut migrations, shadow).await?
            }
        };
    }
    if part.is_some() && shadow.missing().is_none() {
        shadow.holds_part(seed.objects.len(), material.live.objects.len());
    }
    estimate::fill(&mut migrations, &material.live.sizes, server.kind);
    for (planned, migration) in migrations.iter_mut().zip(&material.pending) {
        losses::settle(planned, migration, material.live);
        losses::name(planned);
        if planned.failure.is_none() {
            planned.failure = invalid_in_the_way(migration, material.live);
        }
    }
    Ok(finished(material, server, migrations, diff, shadow))
}

/// Returns the migrations with their effects, findings and steps.
fn planned(material: &Material<'_>, server: Server) -> Result<Vec<PlannedMigration>, PlanError> {
    let mut schema = schema_of(material.live);
    let bench = Bench::new(material.rules, server, material.judging);
    let mut number = 1;
    let mut gone = attic::Gone::new();
    let mut all = Vec::new();
    let mut errors = Vec::new();
    for migration in &material.pending {
        let settings = material.live.server_settings();
        let tool = material.online_tool.as_ref().filter(|_| server.kind.is_mysql_family());
        let tool = tool.map(|tool| (tool, tied(&schema)));
        let options = WalkOptions { settings, by_lockwise: true };
        let mut effects = walk(migration, &mut schema, &options);
        let tools = tool.map(|(tool, tied)| {
            let place = (material.target.database.as_str(), material.limits.lock_timeout_ms);
            hand_over(migration, &mut effects, (tool, &tied), place)
        });
        let tools = tools.unwrap_or_default();
        match groups(migration, &effects, server.kind, material.limits, number, tools) {
            Ok(mut groups) => {
                let notes = match material.dropped {
                    Dropped::Gone => Vec::new(),
                    Dropped::Kept => {
                        let version = version_of(migration);
                        attic::keep(&mut groups, &version, material.live, number, &mut gone)
                    }
                };
                let steps: usize = groups.iter().map(|group| group.steps.len()).sum();
                number += u32::try_from(steps).unwrap_or(u32::MAX);
                let mut planned = one((material, &bench), migration, &effects, groups, server);
                planned.rollback.notes = notes;
                all.push(planned);
            }
            Err(found) => errors.extend(found),
        }
    }
    if errors.is_empty() { Ok(all) } else { Err(PlanError::CannotRun(errors)) }
}

fn one(
    (material, bench): (&Material<'_>, &Bench<'_>),
    migration: &Migration,
    effects: &MigrationEffects,
    groups: Vec<super::model::Group>,
    server: Server,
) -> PlannedMigration {
    let judged = bench.hear(migration, effects).judged(bench);
    let findings = judged.findings.iter().map(|finding| {
        let at = finding.source.position(finding.span.start);
        PlannedFinding {
            rule: finding.rule.clone(),
            severity: finding.severity.as_str().to_owned(),
            line: at.line,
            column: at.column,
            message: finding.message.clone(),
            instead: finding.instead.to_string(),
        }
    });
    let version = version_of(migration);
    let (raw, semantic) = digests_of(migration, server.kind);
    PlannedMigration {
        authors: material.authors.get(&version).cloned().unwrap_or_default(),
        version,
        name: migration.name.clone(),
        path: migration.up.section.source.path().to_owned(),
        raw,
        semantic,
        groups,
        findings: findings.collect(),
        diff: String::new(),
        change: Vec::new(),
        failure: None,
        surprises: Vec::new(),
        rollback: dry_run::unproven(migration, "an earlier migration did not run to its end"),
    }
}

/// Runs everything up and then down on the shadow; returns the total diff.
async fn dry(
    mut connection: Connection,
    (material, seed): (&Material<'_>, &Snapshot),
    migrations: &mut [PlannedMigration],
    shadow: &mut Shadow,
) -> Result<String, db::Error> {
    let mut before = db::snapshot(&mut connection, &super::shadow::snapshot_options()).await?;
    let (start, ground) = (before.clone(), shadow.ground());
    let mut done = Vec::new();
    for planned in migrations.iter_mut() {
        let Some(upped) = dry_run::up(&mut connection, before, planned, ground).await? else {
            break;
        };
        before = upped.after.clone();
        done.push(upped);
    }
    let total = done.last().map_or_else(String::new, |last| unified(&start, &last.after));
    // Backwards, so that each way back begins where the way up ended.
    let mut fresh: Option<Connection> = None;
    let pairs = migrations.iter_mut().zip(&material.pending).zip(&done);
    for ((planned, migration), upped) in pairs.rev() {
        let current = fresh.as_mut().unwrap_or(&mut connection);
        let notes = std::mem::take(&mut planned.rollback.notes);
        planned.rollback = dry_run::down(current, migration, upped, planned, ground).await?;
        planned.rollback.notes.extend(notes);
        if planned.rollback.proof != Proof::Restores {
            // The shadow is not where the migration began: the next one gets another.
            fresh = shadow.seeded(&upped.before).await?;
        }
    }
    let restored = migrations.iter().all(|one| one.rollback.proof == Proof::Restores);
    if restored && !material.pending.iter().any(|migration| writes_rows(migration)) {
        shadow.give_back(seed, connection);
    }
    Ok(total)
}

/// Runs everything up; returns the total diff.
async fn dry_together(
    mut connection: Connection,
    (material, seed): (&Material<'_>, &Snapshot),
    migrations: &mut Vec<PlannedMigration>,
    shadow: &mut Shadow,
) -> Result<String, db::Error> {
    let ground = shadow.ground();
    let before = db::snapshot(&mut connection, &super::shadow::snapshot_options()).await?;
    if !before.server.kind.is_mysql_family() {
        return ups((&mut connection, ground), material, migrations, &before, None).await;
    }
    let untried = migrations.clone();
    let mut known = Known::of(&before);
    let place = (&mut connection, ground);
    let diff = ups(place, material, migrations, &before, Some(&mut known)).await?;
    let after = db::snapshot(&mut connection, &super::shadow::snapshot_options()).await?;
    if known.changes_to(&after).is_empty() {
        return Ok(diff);
    }
    // A statement reached further than its words say: everything is looked at after each.
    let Some(mut connection) = shadow.seeded(seed).await? else { return Ok(diff) };
    *migrations = untried;
    ups((&mut connection, ground), material, migrations, &before, None).await
}

/// Runs everything up; returns the total diff.
async fn ups(
    (connection, ground): (&mut Connection, Ground),
    material: &Material<'_>,
    migrations: &mut [PlannedMigration],
    before: &Snapshot,
    mut known: Option<&mut Known>,
) -> Result<String, db::Error> {
    for (planned, migration) in migrations.iter_mut().zip(&material.pending) {
        let known = known.as_deref_mut();
        if dry_run::up_unseen(connection, planned, ground, known).await? == Ran::NotToItsEnd {
            return Ok(String::new());
        }
        planned.rollback = dry_run::unproven(migration, WORKED_OUT_LATER);
    }
    let after = db::snapshot(connection, &super::shadow::snapshot_options()).await?;
    Ok(unified(before, &after))
}

/// Says whether a migration may leave rows in tables, which no comparison of schemas shows.
fn writes_rows(migration: &Migration) -> bool {
    migration.up.statements.iter().any(|statement| {
        matches!(
            statement.kind,
            StatementKind::Dml(_)
                | StatementKind::Do(_)
                | StatementKind::Call { .. }
                | StatementKind::Unknown { .. }
        )
    })
}

/// Says that an index is there, invalid, under a name that `IF NOT EXISTS` would be content with.
/// The shadow cannot show it: an index that is loaded there is valid.
fn invalid_in_the_way(migration: &Migration, live: &Snapshot) -> Option<String> {
    let script = &migration.up;
    script.statements.iter().find_map(|statement| {
        let StatementKind::CreateIndex(create) = &statement.kind else { return None };
        let name = create.index.name.as_ref().filter(|_| create.if_not_exists)?;
        let there = live.objects.iter().find(|object| {
            object.kind == "index"
                && object.name.name == name.value
                && object.note.as_deref().is_some_and(|note| note.contains("invalid"))
        })?;
        let line = script.section.source.position(statement.span.start).line;
        Some(format!(
            "line {line}: the index {} is there and invalid, and IF NOT EXISTS would be content \
             with it: drop it first",
            there.name
        ))
    })
}

fn finished(
    material: &Material<'_>,
    server: Server,
    migrations: Vec<PlannedMigration>,
    diff: String,
    shadow: &Shadow,
) -> Plan {
    let classes = classes_of(&migrations);
    let needs = match material.policy {
        Some(policy) if !migrations.is_empty() => policy.needs_for(&classes),
        Some(_) | None => Vec::new(),
    };
    let mut plan = Plan {
        format: FORMAT,
        digest: Digest::of_bytes(b""),
        server: PlannedServer {
            kind: server.kind.as_str().to_owned(),
            version: server.version.to_string(),
            major: major(server),
        },
        target: material.target.clone(),
        base: Digest::of_bytes(material.live.text().as_bytes()),
        policy: material.policy.map(Policy::digest),
        verdict: verdict(&migrations, &material.preflight),
        classes,
        needs,
        migrations,
        shadow: shadow.described(),
        diff,
        preflight: material.preflight.clone(),
    };
    plan.digest = plan.computed_digest();
    plan
}

/// Returns the part of a version that a plan is bound to.
pub fn major(server: Server) -> String {
    let version = server.version;
    match server.kind {
        ServerKind::Postgres | ServerKind::Sqlite => version.major.to_string(),
        ServerKind::Mysql | ServerKind::Mariadb => format!("{}.{}", version.major, version.minor),
    }
}

/// Says what kind of change the migrations are together.
fn classes_of(migrations: &[PlannedMigration]) -> Vec<Class> {
    let steps = || migrations.iter().flat_map(PlannedMigration::steps);
    let gone = |step: &Step| step.loses.iter().any(|loss| loss.kept.is_none());
    let loses = steps().any(|step| step.unknown.is_some() || gone(step));
    let errors = migrations.iter().flat_map(|m| &m.findings).any(|f| f.severity == "error");
    let blocks = steps().flat_map(|step| &step.locks).any(|lock| {
        lock.in_use && lock.blocks.iter().any(|what| what == "reads" || what == "writes")
    });
    let mut classes = Vec::new();
    for (holds, class) in [(loses, Class::Loss), (errors, Class::Errors), (blocks, Class::Locks)] {
        if holds {
            classes.push(class);
        }
    }
    if classes.is_empty() {
        classes.push(Class::Clean);
    }
    classes
}

/// Says how a change looks altogether.
pub(super) fn verdict(migrations: &[PlannedMigration], preflight: &[Check]) -> Verdict {
    let failed = migrations.iter().any(|m| m.failure.is_some());
    let worst = preflight.iter().map(|check| check.state).max().unwrap_or(CheckState::Fine);
    if migrations.is_empty() {
        return Verdict::Nothing;
    }
    if failed || worst == CheckState::Blocked {
        return Verdict::Blocked;
    }
    let finding = |severity: Severity| {
        let word = severity.as_str();
        migrations.iter().flat_map(|m| &m.findings).any(|f| f.severity == word)
    };
    let one_way = |rollback: &Rollback| {
        !matches!(rollback.proof, Proof::Restores | Proof::ColumnOrder { .. })
    };
    let careful = finding(Severity::Error)
        || finding(Severity::Warning)
        || worst == CheckState::Warning
        || migrations.iter().any(|m| {
            one_way(&m.rollback)
                || !m.surprises.is_empty()
                || m.steps().any(|step| step.unknown.is_some() || !step.loses.is_empty())
        });
    if careful { Verdict::Careful } else { Verdict::Ready }
}
