//! A migration up and down on a shadow database: what changes, and whether the way back restores.

use super::attic;
use super::beyond;
use super::change::changes;
use super::known::Known;
use super::model::{
    Group, Nature, ObjectChange, PlannedMigration, Proof, Rollback, RollbackSource, Step,
};
use super::rollback::{Difference, Way, compare, undo_renames, unified, way_back};
use super::shadow::snapshot_options;
use super::surprise::Witness;
use crate::db::{self, Connection, Observation, Scope, ServerError, Snapshot};
use crate::sql::ast::StatementKind;
use crate::sql::{Migration, ServerKind};

/// What one migration did to the shadow.
#[derive(Debug)]
pub(super) struct Upped {
    /// The schema before.
    pub(super) before: Snapshot,
    /// The schema after.
    pub(super) after: Snapshot,
}

/// Whose server the shadow is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// It was started for the dry run.
    Own,
    /// The user gave it: nothing but the throw-away database may change.
    Given,
}

/// Runs a migration on the shadow and notes what it changes. None where a statement failed, which
/// the plan says then, or where one must not be run, which the rollback says.
pub(super) async fn up(
    shadow: &mut Connection,
    before: Snapshot,
    planned: &mut PlannedMigration,
    ground: Ground,
) -> Result<Option<Upped>, db::Error> {
    let mut last = before.clone();
    let mut stage = Stage::new(planned, Some(Witness::new(&before)), ground);
    let mut groups = planned.groups.iter_mut().peekable();
    while let Some(group) = groups.next() {
        let done = run_group(shadow, group, &mut stage).await;
        planned.surprises.append(&mut stage.surprises);
        if let Err(stop) = done {
            stop.note(planned);
            return Ok(None);
        }
        if !group.transaction {
            let now = db::snapshot(shadow, &snapshot_options()).await?;
            for step in &mut group.steps {
                step.change = changes(&last, &now);
                step.nature = settle(step);
            }
            last = now;
        } else if groups.peek().is_some_and(|next| !next.transaction) {
            // What the next one changes is told from what this one changed.
            last = db::snapshot(shadow, &snapshot_options()).await?;
        }
    }
    let after = db::snapshot(shadow, &snapshot_options()).await?;
    planned.diff = unified(&before, &after);
    planned.change = changes(&before, &after);
    Ok(Some(Upped { before, after }))
}

/// Runs a migration on the shadow; looks at the schema only around statements that commit by
/// themselves, whose effect must be known after a crash: at what they name where the rest is
/// known, at everything where not.
pub(super) async fn up_unseen(
    shadow: &mut Connection,
    planned: &mut PlannedMigration,
    ground: Ground,
    mut known: Option<&mut Known>,
) -> Result<Ran, db::Error> {
    let mut stage = Stage::new(planned, None, ground);
    for group in &mut planned.groups {
        let seen = !group.transaction && group.steps.iter().any(|s| s.nature == Nature::Visible);
        let last = match known {
            None if seen => Some(db::snapshot(shadow, &snapshot_options()).await?),
            None | Some(_) => None,
        };
        let done = run_group(shadow, group, &mut stage).await;
        planned.surprises.append(&mut stage.surprises);
        if let Err(stop) = done {
            stop.note(planned);
            return Ok(Ran::NotToItsEnd);
        }
        let change = match (&mut known, last) {
            (Some(known), _) if seen => seen_of(shadow, known, &group.steps).await?,
            (None, Some(last)) => changes(&last, &db::snapshot(shadow, &snapshot_options()).await?),
            (Some(_), _) | (None, None) => continue,
        };
        for step in &mut group.steps {
            step.change.clone_from(&change);
            step.nature = settle(step);
        }
    }
    Ok(Ran::Whole)
}

/// How far a migration ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    /// To its end.
    Whole,
    /// Up to a statement that failed, or that must not be run.
    NotToItsEnd,
}

/// Looks at what statements name, and returns what they changed.
async fn seen_of(
    shadow: &mut Connection,
    known: &mut Known,
    steps: &[Step],
) -> Result<Vec<ObjectChange>, db::Error> {
    let mut all = Some(Scope::default());
    for step in steps {
        match (&mut all, known.scope(step)) {
            (Some(all), Some(scope)) => {
                all.relations.extend(scope.relations);
                all.programs.extend(scope.programs);
            }
            (_, None) => all = None,
            (None, Some(_)) => {}
        }
    }
    if let Some(scope) = all {
        let now = db::snapshot_of(shadow, &snapshot_options(), &scope).await?;
        return Ok(known.update(&scope, now));
    }
    let now = db::snapshot(shadow, &snapshot_options()).await?;
    let change = known.changes_to(&now);
    *known = Known::of(&now);
    Ok(change)
}

/// What leaves the schema as it is cannot be told from what did not happen: it is done again where
/// that does no harm (a rebuild, what is there already), and a person decides where it may.
fn settle(step: &Step) -> Nature {
    match step.nature {
        Nature::Visible if !step.change.is_empty() => Nature::Visible,
        Nature::Visible if step.twice_is_once => Nature::Repeatable,
        Nature::Visible => Nature::Blind,
        Nature::Atomic | Nature::Repeatable | Nature::Batched | Nature::Blind => step.nature,
    }
}

/// Why a dry run stopped.
enum Stop {
    /// A statement failed: its number, its line, the server's words.
    Failed(u32, u32, ServerError),
    /// A statement must not be run: its line, and why.
    MustNot(u32, String),
}

impl Stop {
    /// Writes it into the plan.
    fn note(self, planned: &mut PlannedMigration) {
        match self {
            Self::Failed(number, line, error) => {
                planned.failure = Some(format!("statement {number}, line {line}: {error}"));
                let reason = "the dry run of the migration failed".to_owned();
                planned.rollback.proof = Proof::NotRun { reason };
            }
            Self::MustNot(line, why) => {
                let reason = format!("line {line} was not tried, nor what follows: {why}");
                planned.rollback.proof = Proof::NotRun { reason };
            }
        }
    }
}

/// Tells a statement that failed from one that needs a server which the shadow keeps out of reach.
fn failed(step: &Step, error: ServerError) -> Stop {
    if db::is_disarmed(&error) {
        let why = "it reaches a foreign server, which a dry run must not";
        return Stop::MustNot(step.line, why.to_owned());
    }
    Stop::Failed(step.number, step.line, error)
}

/// What is known while the groups of a migration are run.
struct Stage {
    /// Compares what is seen with what was predicted; none where nobody looks.
    witness: Option<Witness>,
    /// The migration fills the attic itself. The shadow has no other, so that without there is
    /// nothing to bring back.
    filled: bool,
    ground: Ground,
    surprises: Vec<String>,
    /// What was seen after the last statement, where that stood alone and nothing came since.
    left: Option<Observation>,
}

impl Stage {
    fn new(planned: &PlannedMigration, witness: Option<Witness>, ground: Ground) -> Self {
        let filled = planned.steps().any(|step| attic::fills(&step.sql));
        Self { witness, filled, ground, surprises: Vec::new(), left: None }
    }

    /// Refuses a statement that would reach beyond the shadow.
    fn refusal(&self, step: &Step, shadow: &Connection) -> Option<Stop> {
        let given = self.ground == Ground::Given;
        let why = beyond::forbidden(&step.sql, shadow.server(), given)?;
        Some(Stop::MustNot(step.line, why))
    }

    fn skips(&self, step: &Step) -> bool {
        !self.filled && attic::concerns(&step.sql)
    }

    async fn look(&self, shadow: &mut Connection) -> Observation {
        match self.witness {
            // What cannot be seen is not compared.
            Some(_) => db::observe(shadow).await.unwrap_or_default(),
            None => Observation::default(),
        }
    }

    fn compare(
        &mut self,
        step: &Step,
        before: &Observation,
        mut after: Observation,
    ) -> Observation {
        if let Some(witness) = &mut self.witness {
            if step.nature != Nature::Atomic {
                // It has committed: its locks are gone, and those of now would say nothing.
                let locks = step.locks.iter();
                let held = locks.map(|lock| (witness.name(&lock.relation), lock.mode.clone()));
                after.locks = held.collect();
            }
            self.surprises.extend(witness.compare(step, before, &after));
        }
        after
    }
}

/// Runs one group, and notes where it does something else than was predicted.
async fn run_group(
    shadow: &mut Connection,
    group: &mut Group,
    stage: &mut Stage,
) -> Result<(), Stop> {
    let first = group.steps.first().map_or((0, 0), |step| (step.number, step.line));
    let at = |(number, line): (u32, u32)| move |error| Stop::Failed(number, line, error);
    if let Some(witness) = &mut stage.witness {
        witness.begin();
    }
    if !group.transaction {
        for step in &mut group.steps {
            if stage.skips(step) {
                continue;
            }
            if let Some(stop) = stage.refusal(step, shadow) {
                return Err(stop);
            }
            let before = match stage.left.take() {
                Some(before) => before,
                None => stage.look(shadow).await,
            };
            alone(shadow, step, &mut stage.surprises).await?;
            let after = stage.look(shadow).await;
            let files = stage.compare(step, &before, after).files;
            stage.left = Some(Observation { files, ..Observation::default() });
        }
        return Ok(());
    }
    stage.left = None;
    let switch = foreign_keys_switch(shadow.server().kind, group.foreign_keys);
    shadow.begin_after(switch).await.map_err(at(first))?;
    let mut before = stage.look(shadow).await;
    for step in &group.steps {
        if stage.skips(step) {
            continue;
        }
        let stopped = match stage.refusal(step, shadow) {
            Some(stop) => Some(stop),
            None => shadow.execute(&step.sql).await.err().map(|error| failed(step, error)),
        };
        if let Some(stop) = stopped {
            // The statement's own error is the news; a failing ROLLBACK would say the same.
            let _ = shadow.rollback().await;
            return Err(stop);
        }
        db::disarm_after(shadow, &step.sql).await.map_err(at(first))?;
        let after = stage.look(shadow).await;
        before = stage.compare(step, &before, after);
    }
    shadow.commit().await.map_err(at(first))
}

/// Runs a statement outside a transaction. ALGORITHM and LOCK that were predicted and that the
/// server refuses are left out, and told.
async fn alone(
    shadow: &mut Connection,
    step: &mut Step,
    surprises: &mut Vec<String>,
) -> Result<(), Stop> {
    let line = step.line;
    let Err(error) = send(shadow, step).await else {
        if let Some(batch) = &step.batch {
            // A range without an end reaches no row and shows whether the key is right.
            let none = batch.statement(Some("NULL"), "NULL");
            shadow.execute(&none).await.map_err(|error| failed(step, error))?;
        }
        return Ok(());
    };
    let refused = matches!(error.code.as_deref(), Some("1845" | "1846"));
    let Some((plain, clause)) = step.without_clause().filter(|_| refused) else {
        return Err(failed(step, error));
    };
    surprises.push(format!("line {line}: predicted{clause}, which the server refuses: {error}"));
    step.sql = plain;
    step.online = None;
    send(shadow, step).await.map_err(|error| failed(step, error))
}

/// Sends a statement with what surrounds it.
async fn send(shadow: &mut Connection, step: &Step) -> Result<(), ServerError> {
    let mut sent = Ok(());
    for sql in step.before().iter().chain([&step.sql]) {
        sent = shadow.execute(sql).await.map(drop);
        if sent.is_err() {
            break;
        }
    }
    for sql in step.after() {
        sent = sent.and(shadow.execute(sql).await.map(drop));
    }
    sent
}

/// Switches foreign keys of SQLite, which a transaction cannot; nothing elsewhere.
pub async fn enforce_foreign_keys(
    connection: &mut Connection,
    on: bool,
) -> Result<(), ServerError> {
    match foreign_keys_switch(connection.server().kind, on) {
        Some(switch) => connection.execute(switch).await.map(drop),
        None => Ok(()),
    }
}

/// Returns the statement that switches foreign keys, where the server has one.
pub fn foreign_keys_switch(kind: ServerKind, on: bool) -> Option<&'static str> {
    let switch = if on { "PRAGMA foreign_keys = ON" } else { "PRAGMA foreign_keys = OFF" };
    (kind == ServerKind::Sqlite).then_some(switch)
}

/// Makes the way back from a migration and runs it; the shadow is where the migration left it, and
/// is where it began afterwards when the proof says so.
pub(super) async fn down(
    shadow: &mut Connection,
    migration: &Migration,
    upped: &Upped,
    planned: &PlannedMigration,
    ground: Ground,
) -> Result<Rollback, db::Error> {
    let unseen = beyond::unseen(migration, &upped.before);
    if let Some(script) = &migration.down {
        let statements = script.statements.iter().map(|s| script.slice(s.span).to_owned());
        let mut way = Way { statements: statements.collect(), ..Way::default() };
        attic::restore(&mut way.statements, &mut way.loses, planned, &upped.before);
        let failure = run_all(shadow, &way.statements, ground).await;
        return finish(shadow, RollbackSource::Authored, way, failure, (upped, unseen)).await;
    }
    let renames = undo_renames(&migration.up, &upped.before, &upped.after);
    let mut way = Way { statements: renames, ..Way::default() };
    let mut failure = run_all(shadow, &way.statements, ground).await;
    if failure.is_none() {
        let renamed = !way.statements.is_empty();
        let now =
            if renamed { &db::snapshot(shadow, &snapshot_options()).await? } else { &upped.after };
        let mut rest = way_back(&upped.before, now);
        attic::restore(&mut rest.statements, &mut rest.loses, planned, &upped.before);
        failure = run_all(shadow, &rest.statements, ground).await;
        way.statements.extend(rest.statements);
        way.loses = rest.loses;
        way.notes = rest.notes;
        way.notes.extend(data_changes(migration, &upped.before));
    }
    finish(shadow, RollbackSource::Generated, way, failure, (upped, unseen)).await
}

/// Says which statements change rows of tables that were there before: no schema change undoes
/// them.
fn data_changes(migration: &Migration, before: &Snapshot) -> Option<String> {
    let script = &migration.up;
    let there = |name: &crate::sql::ObjectName| {
        before.objects.iter().any(|object| {
            object.kind == "table" && object.name.name.eq_ignore_ascii_case(name.name())
        })
    };
    let changing = script.statements.iter().filter(|statement| {
        matches!(&statement.kind, StatementKind::Dml(dml) if dml.targets.iter().any(there))
    });
    let lines: Vec<String> =
        changing.map(|s| script.section.source.position(s.span.start).line.to_string()).collect();
    let (word, it) = if lines.len() == 1 { ("line", "changes") } else { ("lines", "change") };
    let list = lines.join(", ");
    (!lines.is_empty()).then(|| format!("rows that {word} {list} {it} stay as they are"))
}

/// Why a way back did not reach its end.
enum Broke {
    /// A statement failed.
    Failed(String, ServerError),
    /// A statement must not be run, or cannot be written down.
    MustNot(String),
}

/// Runs statements one by one; returns why it stopped.
async fn run_all(shadow: &mut Connection, statements: &[String], ground: Ground) -> Option<Broke> {
    let off = enforce_foreign_keys(shadow, false).await;
    if let Err(error) = off {
        return Some(Broke::Failed(String::new(), error));
    }
    for statement in statements {
        if statement.contains(db::HIDDEN) {
            let why = "a login that the snapshot does not hold has to be written in";
            return Some(Broke::MustNot(why.to_owned()));
        }
        let server = shadow.server();
        if let Some(why) = beyond::forbidden(statement, server, ground == Ground::Given) {
            return Some(Broke::MustNot(why));
        }
        if let Err(error) = shadow.execute(statement).await {
            return Some(Broke::Failed(statement.clone(), error));
        }
        if let Err(error) = db::disarm_after(shadow, statement).await {
            return Some(Broke::Failed(statement.clone(), error));
        }
    }
    None
}

/// Compares the schema with the one before, and says what that proves.
async fn finish(
    shadow: &mut Connection,
    source: RollbackSource,
    way: Way,
    failure: Option<Broke>,
    (upped, unseen): (&Upped, Vec<String>),
) -> Result<Rollback, db::Error> {
    let proof = match failure {
        Some(Broke::Failed(statement, error)) => {
            Proof::Fails { statement, error: error.to_string() }
        }
        Some(Broke::MustNot(reason)) => Proof::NotRun { reason },
        None => {
            let now = db::snapshot(shadow, &snapshot_options()).await?;
            match compare(&upped.before, &now) {
                Difference::None | Difference::ColumnOrder(_) if !unseen.is_empty() => {
                    Proof::Unseen { what: unseen }
                }
                Difference::None => Proof::Restores,
                Difference::ColumnOrder(diff) => Proof::ColumnOrder { diff },
                Difference::Something(diff) => Proof::Differs { diff },
            }
        }
    };
    let Way { statements, loses, notes } = way;
    let source = if statements.is_empty() { RollbackSource::None } else { source };
    Ok(Rollback { source, statements, foreign_keys: false, proof, loses, notes })
}

/// Returns the rollback of a migration that was not run anywhere.
pub(super) fn unproven(migration: &Migration, reason: &str) -> Rollback {
    let authored = migration.down.as_ref().map(|script| {
        let statements = script.statements.iter();
        statements.map(|s| script.slice(s.span).to_owned()).collect::<Vec<_>>()
    });
    let source = if authored.is_some() { RollbackSource::Authored } else { RollbackSource::None };
    Rollback {
        source,
        statements: authored.unwrap_or_default(),
        foreign_keys: false,
        proof: Proof::NotRun { reason: reason.to_owned() },
        loses: Vec::new(),
        notes: Vec::new(),
    }
}
