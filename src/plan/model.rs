//! What a plan is made of. Serialised, it is the JSON of `lockwise plan --format json`; its form
//! has a version, and `testdata/schemas/plan.json` describes it.

use serde::{Deserialize, Serialize};

use super::approval::{Binding, Class};
use super::batch::PlannedBatch;
use super::digest::{Canon, Digest};

/// The version of the form that is written.
pub const FORMAT: u32 = 1;

/// Everything about a change that is about to be made, for people, for approvers, for `apply`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of the form.
    pub format: u32,
    /// The digest of all that decides what runs; see [`Plan::computed_digest`].
    pub digest: Digest,
    /// The server.
    pub server: PlannedServer,
    /// The database.
    pub target: Target,
    /// The fingerprint of the schema that the plan starts from.
    pub base: Digest,
    /// The digest of the approval policy; none without a policy.
    pub policy: Option<Digest>,
    /// What kind of change it is.
    pub classes: Vec<Class>,
    /// Who must approve: one entry a person.
    pub needs: Vec<String>,
    /// How it looks altogether.
    pub verdict: Verdict,
    /// Pending migrations in the order in which they run.
    pub migrations: Vec<PlannedMigration>,
    /// Where the dry run was made.
    pub shadow: Shadow,
    /// The schema diff of the whole plan: unified, of snapshot texts.
    pub diff: String,
    /// What was looked at in the live database.
    pub preflight: Vec<Check>,
}

/// A server, as far as a plan depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedServer {
    /// `postgres`, `mysql`, `mariadb`, `sqlite`.
    pub kind: String,
    /// The full version.
    pub version: String,
    /// The part of it that the plan is bound to: `15`, `8.4`, `10.11`, `3`.
    pub major: String,
}

/// A database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Where it is, without user and password.
    pub name: String,
    /// The database.
    pub database: String,
}

/// How a plan looks altogether.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// There is nothing to do.
    Nothing,
    /// Nothing speaks against it.
    Ready,
    /// Somebody should look: warnings, a rollback that loses something.
    Careful,
    /// The dry run failed, a check of the live database failed, or findings forbid it.
    Blocked,
}

impl Verdict {
    /// Returns the word used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Ready => "ready",
            Self::Careful => "careful",
            Self::Blocked => "blocked",
        }
    }
}

/// A migration that will run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedMigration {
    /// Its version.
    pub version: String,
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: String,
    /// The digest of the file's bytes.
    pub raw: Digest,
    /// The digest of what its statements mean.
    pub semantic: Digest,
    /// Who wrote it, as far as version control knows; not part of the plan's digest.
    pub authors: Vec<String>,
    /// Statements that take effect together.
    pub groups: Vec<Group>,
    /// What the rules say.
    pub findings: Vec<PlannedFinding>,
    /// The schema diff: unified, of snapshot texts.
    pub diff: String,
    /// Objects that it changes, as the shadow run showed them.
    pub change: Vec<ObjectChange>,
    /// How the dry run went; none where it went well or was not made.
    pub failure: Option<String>,
    /// Differences between what was predicted and what the shadow run showed.
    pub surprises: Vec<String>,
    /// The way back.
    pub rollback: Rollback,
}

impl PlannedMigration {
    /// Returns its steps in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.groups.iter().flat_map(|group| &group.steps)
    }
}

/// Statements that take effect together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// They share a transaction with their journal rows (else: one statement on its own).
    pub transaction: bool,
    /// SQLite: foreign keys are enforced statement by statement (else checked before COMMIT).
    #[serde(default)]
    pub foreign_keys: bool,
    /// The statements.
    pub steps: Vec<Step>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its number in the plan, from 1.
    pub number: u32,
    /// Its place in the file.
    pub line: u32,
    /// Its place in the line.
    pub column: u32,
    /// What is sent, byte for byte.
    pub sql: String,
    /// The digest of the statement as it is written in the file.
    pub raw: Digest,
    /// The digest of what it means.
    pub semantic: Digest,
    /// How it takes effect.
    pub nature: Nature,
    /// Where it changes nothing in the schema, running it twice is as good as once; known while the
    /// plan is made.
    #[serde(skip)]
    pub twice_is_once: bool,
    /// It sets something for the session: it runs again when the migration is resumed.
    #[serde(default)]
    pub session: bool,
    /// How it goes through a table in batches; none for a statement that is sent as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<PlannedBatch>,
    /// The command of the tool for online schema changes that makes the change; none where the
    /// server does. `{login}` and the like stand for what is no part of a plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool: Vec<String>,
    /// What is sent right before and after it in the same session, on every attempt anew; none for
    /// a statement that is sent alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub around: Option<Around>,
    /// How long it may wait and run.
    pub timeouts: Timeouts,
    /// Locks on what existed before.
    pub locks: Vec<PlannedLock>,
    /// Tables written anew.
    pub rewrites: Vec<String>,
    /// Tables read in full.
    pub scans: Vec<String>,
    /// Indexes built.
    pub builds: Vec<String>,
    /// The way MySQL or MariaDB runs it: `INSTANT`, `INPLACE`, …, and the lock.
    pub online: Option<(String, String)>,
    /// Why it was not understood.
    pub unknown: Option<String>,
    /// What it makes fail or wait, in words.
    pub breaks: Vec<String>,
    /// Data that go.
    pub loses: Vec<DataLoss>,
    /// Objects that it changes, as the shadow run showed them.
    pub change: Vec<ObjectChange>,
}

impl Step {
    /// Returns a step that does nothing which has to be told.
    pub(super) fn plain(sql: impl Into<String>, nature: Nature) -> Self {
        let sql = sql.into();
        let digest = Digest::of_bytes(sql.as_bytes());
        Self {
            number: 1,
            line: 1,
            column: 1,
            sql,
            raw: digest.clone(),
            semantic: digest,
            nature,
            twice_is_once: false,
            session: false,
            batch: None,
            tool: Vec::new(),
            around: None,
            timeouts: Timeouts::default(),
            locks: Vec::new(),
            rewrites: Vec::new(),
            scans: Vec::new(),
            builds: Vec::new(),
            online: None,
            unknown: None,
            breaks: Vec::new(),
            loses: Vec::new(),
            change: Vec::new(),
        }
    }

    /// Returns what is sent before the statement.
    pub fn before(&self) -> &[String] {
        self.around.as_ref().map_or(&[], |around| &around.before)
    }

    /// Returns what is sent after the statement, however it ended.
    pub fn after(&self) -> &[String] {
        self.around.as_ref().map_or(&[], |around| &around.after)
    }

    /// Returns the statement as it was written, and the ALGORITHM and LOCK that were added to it;
    /// none where nothing was added.
    pub(super) fn without_clause(&self) -> Option<(String, String)> {
        let at = self.sql.rfind(" ALGORITHM=")?;
        let plain = self.sql.get(..at)?.trim_end_matches(',');
        let clause = self.sql.get(at..)?;
        (Digest::of_bytes(plain.as_bytes()) == self.raw)
            .then(|| (plain.to_owned(), clause.to_owned()))
    }
}

/// What surrounds a statement: locks that its session takes first and gives back at last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Around {
    /// Sent before it, in order.
    pub before: Vec<String>,
    /// Sent after it, in order, however it ended.
    pub after: Vec<String>,
}

/// How a step takes effect, which decides what may be done after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nature {
    /// It commits together with its journal row: it is done exactly when the row says so.
    Atomic,
    /// It changes the schema on its own; before and after can be told apart.
    Visible,
    /// It leaves the schema as it is, and running it twice does no harm (VACUUM, ANALYZE, REINDEX,
    /// `IF NOT EXISTS` over something that exists).
    Repeatable,
    /// It goes through a table in batches, each of which commits together with its journal row.
    Batched,
    /// It commits on its own and changes something that cannot be seen in the schema.
    Blind,
}

impl Nature {
    /// Returns the word used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Atomic => "atomic",
            Self::Visible => "visible",
            Self::Repeatable => "repeatable",
            Self::Batched => "batched",
            Self::Blind => "blind",
        }
    }
}

/// Limits of one statement; zero means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timeouts {
    /// For a lock.
    pub lock_ms: u64,
    /// For the statement, waiting included.
    pub statement_ms: u64,
}

/// A lock that a step takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedLock {
    /// The relation.
    pub relation: String,
    /// The server's name of the mode.
    pub mode: String,
    /// What waits: `reads`, `writes`, `schema-changes`.
    pub blocks: Vec<String>,
    /// `statement-end` or `transaction-end`.
    pub held_until: String,
    /// `instant`, `scan`, `index build`, `rewrite`.
    pub during: String,
    /// The relation was there before the migration and may be in use.
    pub in_use: bool,
    /// Rows of the relation, where they are known.
    pub rows: Option<u64>,
    /// Bytes of the relation, where they are known.
    pub bytes: Option<u64>,
    /// How long it is likely to be held.
    pub estimate: Option<Estimate>,
}

impl PlannedLock {
    /// Says whether somebody who reads or writes waits for it.
    pub fn waits(&self) -> bool {
        self.blocks.iter().any(|blocked| blocked == "reads" || blocked == "writes")
    }

    /// Returns what orders the locks on one relation by the trouble they make: what stops readers
    /// or writers for more than a moment first, then what stops more of them.
    pub fn weight(&self) -> (bool, usize) {
        (self.waits() && self.during != "instant", self.blocks.len())
    }
}

/// How long something is likely to take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// At least.
    pub low_ms: u64,
    /// At most.
    pub high_ms: u64,
    /// What it rests on.
    pub basis: String,
}

/// A finding of the linter on a pending migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFinding {
    /// The rule.
    pub rule: String,
    /// `error`, `warning`, `note`.
    pub severity: String,
    /// Its line in the file.
    pub line: u32,
    /// Its column.
    pub column: u32,
    /// What was found.
    pub message: String,
    /// What to write instead.
    pub instead: String,
}

/// Data that a change removes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataLoss {
    /// `table`, `column`, `rows`, …
    pub kind: String,
    /// Its full name.
    pub name: String,
    /// How many rows go, or hold a value that goes; where it is known.
    pub rows: Option<u64>,
    /// Where they are kept aside.
    pub kept: Option<String>,
}

/// One object before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectChange {
    /// `table`, `index`, `view`, …
    pub kind: String,
    /// Its full name.
    pub name: String,
    /// The digest of its definition before; none where it did not exist.
    pub before: Option<Digest>,
    /// The digest of its definition after; none where it does not exist any more.
    pub after: Option<Digest>,
}

/// The way back from one migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    /// Who wrote it.
    pub source: RollbackSource,
    /// Statements in order.
    pub statements: Vec<String>,
    /// SQLite: foreign keys are enforced meanwhile.
    #[serde(default)]
    pub foreign_keys: bool,
    /// Whether it restores the schema.
    pub proof: Proof,
    /// What no statement brings back.
    pub loses: Vec<DataLoss>,
    /// Remarks, one sentence each.
    pub notes: Vec<String>,
}

/// Who wrote a rollback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RollbackSource {
    /// The author: a down file or section.
    Authored,
    /// lockwise: the inverse of what the shadow run showed.
    Generated,
    /// Nobody: there is nothing to undo in the schema, or no way to do it.
    None,
}

/// What running up and down on the shadow showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Proof {
    /// The schema afterwards is the schema before.
    Restores,
    /// The same but for the order of columns, which no server can put back without a copy.
    ColumnOrder {
        /// The unified diff.
        diff: String,
    },
    /// What a snapshot shows is as before; the migration changes more than that.
    Unseen {
        /// What no snapshot shows, one sentence each.
        what: Vec<String>,
    },
    /// Something differs.
    Differs {
        /// The unified diff.
        diff: String,
    },
    /// A statement failed.
    Fails {
        /// The statement.
        statement: String,
        /// The server's words.
        error: String,
    },
    /// It was not run.
    NotRun {
        /// Why.
        reason: String,
    },
}

/// Where the dry run was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadow {
    /// `memory`, `own-server`, `given`, `none`.
    pub kind: String,
    /// What it is, or why there is none.
    pub detail: String,
}

/// One look at the live database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at, as a word: `long-transactions`, `free-space`, …
    pub what: String,
    /// Whether it speaks against the change.
    pub state: CheckState,
    /// What was seen, in a sentence.
    pub detail: String,
}

/// Whether a check speaks against the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// It does not.
    Fine,
    /// It could not be found out.
    Unknown,
    /// Somebody should know.
    Warning,
    /// The change would fail or stall.
    Blocked,
}

impl CheckState {
    /// Returns the word used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Blocked => "blocked",
        }
    }
}

/// A plan file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPlan {
    /// Not JSON, or keys missing.
    #[error("not a plan file: {0}")]
    Unreadable(String),
    /// Written by a later lockwise.
    #[error("its format is {0}, this lockwise reads format {FORMAT}")]
    Format(u64),
    /// The contents are not what the digest says.
    #[error("its contents do not match its digest: it was changed after it was written")]
    Digest,
}

impl Plan {
    /// Reads the JSON of a plan and checks its digest.
    pub fn parse(text: &str) -> Result<Self, BadPlan> {
        let unreadable = |error: serde_json::Error| BadPlan::Unreadable(error.to_string());
        let value: serde_json::Value = serde_json::from_str(text).map_err(unreadable)?;
        let format = value.get("format").and_then(serde_json::Value::as_u64).unwrap_or(0);
        if format != u64::from(FORMAT) {
            return Err(BadPlan::Format(format));
        }
        let plan: Self = serde_json::from_value(value).map_err(unreadable)?;
        if plan.computed_digest() == plan.digest { Ok(plan) } else { Err(BadPlan::Digest) }
    }

    /// Returns its steps in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.migrations.iter().flat_map(PlannedMigration::steps)
    }

    /// Returns what approvals are bound to.
    pub fn binding(&self) -> Binding {
        let migrations = self.migrations.iter();
        Binding {
            plan: self.digest.clone(),
            server: format!("{} {}", self.server.kind, self.server.major),
            base: self.base.clone(),
            policy: self.policy.clone(),
            migrations: migrations.map(|m| (m.version.clone(), m.raw.clone())).collect(),
        }
    }

    /// Returns the digest of all that decides what runs: server, base, policy, files, steps and
    /// rollback. Sizes, findings, times and names of databases do not count, so that a plan made on
    /// a staging database with the same schema is the same plan.
    pub fn computed_digest(&self) -> Digest {
        let mut canon = Canon::new("lockwise plan 1");
        canon.text("server", &self.server.kind);
        canon.text("major", &self.server.major);
        canon.text("base", self.base.as_str());
        canon.text("policy", self.policy.as_ref().map_or("", Digest::as_str));
        for migration in &self.migrations {
            canon.text("version", &migration.version);
            canon.text("raw", migration.raw.as_str());
            canon.text("semantic", migration.semantic.as_str());
            for group in &migration.groups {
                canon.text("group", if group.transaction { "transaction" } else { "alone" });
                canon.text("foreign-keys", if group.foreign_keys { "on" } else { "off" });
                for step in &group.steps {
                    canon.text("step", step.nature.as_str());
                    canon.text("sql", &step.sql);
                    if let Some(batch) = &step.batch {
                        batch.digest(&mut canon);
                    }
                    if !step.tool.is_empty() {
                        canon.list("tool", step.tool.iter().map(String::as_str));
                    }
                    if let Some(Around { before, after }) = &step.around {
                        canon.list("before", before.iter().map(String::as_str));
                        canon.list("after", after.iter().map(String::as_str));
                    }
                    canon.text("lock-ms", &step.timeouts.lock_ms.to_string());
                    canon.text("statement-ms", &step.timeouts.statement_ms.to_string());
                }
            }
            canon.list("rollback", migration.rollback.statements.iter().map(String::as_str));
        }
        canon.finish()
    }

    /// Returns everything that goes and is not kept aside.
    pub fn losses(&self) -> impl Iterator<Item = &DataLoss> {
        self.steps().flat_map(|step| &step.loses).filter(|loss| loss.kept.is_none())
    }
}
