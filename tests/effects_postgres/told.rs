//! What is predicted for a case, in the words of the recordings.

use std::collections::{BTreeMap, BTreeSet};

use lockwise::effect::{EffectKind, HeldUntil, LockMode, MigrationEffects, TransactionRule};
use lockwise::schema::{Name, Schema};

/// What is predicted, in the words of the recordings.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) locks: BTreeMap<String, LockMode>,
    /// Locks that end with the statement: a transaction is not seen holding them.
    pub(crate) brief: BTreeSet<String>,
    /// Locks of tables that rows found, or given, lead to.
    pub(crate) by_rows: BTreeSet<String>,
    pub(crate) rewrites: BTreeSet<String>,
    pub(crate) scans: BTreeSet<String>,
    /// Scans that the planner may spare by an index.
    pub(crate) unless_indexed: BTreeSet<String>,
    /// Scans that only keys in the other table cause.
    pub(crate) looked_up: BTreeSet<String>,
    pub(crate) builds: BTreeSet<String>,
    pub(crate) losses: BTreeSet<String>,
    pub(crate) certain: Vec<String>,
    pub(crate) possible: Vec<String>,
    pub(crate) unknown: Vec<String>,
    pub(crate) forbidden: bool,
}

impl Told {
    /// Collects it from the statements of a migration.
    pub(crate) fn new(before: &Schema, effects: &MigrationEffects) -> Self {
        let mut told = Self::default();
        for run in &effects.statements {
            told.forbidden |= run.effects.transaction == TransactionRule::Forbidden;
            for effect in &run.effects.effects {
                told.note(before, &effect.kind);
            }
        }
        told
    }

    fn note(&mut self, before: &Schema, kind: &EffectKind) {
        let there = |name: &Name| {
            before.relations.contains_key(name) || before.index_tables.contains_key(name)
        };
        match kind {
            EffectKind::Lock(lock) if there(&lock.relation.name) => {
                if lock.held_until == HeldUntil::StatementEnd {
                    self.brief.insert(short(&lock.relation.name));
                }
                if ["foreign-key-rows", "partition-routing", "partition-check"]
                    .contains(&lock.cause)
                {
                    self.by_rows.insert(short(&lock.relation.name));
                }
                let mode = self.locks.entry(short(&lock.relation.name)).or_insert(lock.mode);
                *mode = (*mode).max(lock.mode);
            }
            EffectKind::Rewrite { relation, .. } if there(&relation.name) => {
                self.rewrites.insert(short(&relation.name));
            }
            EffectKind::Scan { relation, cause, unless_indexed } if there(&relation.name) => {
                self.scans.insert(short(&relation.name));
                if *unless_indexed {
                    self.unless_indexed.insert(short(&relation.name));
                }
                if cause.ends_with("-parent") || *cause == "foreign-key-rows" {
                    self.looked_up.insert(short(&relation.name));
                }
            }
            EffectKind::IndexBuild { index, .. } => {
                self.builds.insert(short(index));
            }
            EffectKind::Loss(loss) => {
                let name = loss.name.strip_prefix("public.").unwrap_or(&loss.name);
                self.losses.insert(name.to_owned());
            }
            EffectKind::Failure(failure) if failure.when != "in-transaction" => {
                let text = format!("{} {}", failure.code.unwrap_or("-"), failure.detail);
                if failure.certain {
                    self.certain.push(text);
                } else {
                    self.possible.push(text);
                }
            }
            EffectKind::Unknown { reason } => self.unknown.push(reason.clone()),
            _ => {}
        }
    }
}

/// Returns a name as the recordings have it: without the schema `public`.
pub(crate) fn short(name: &Name) -> String {
    let text = name.to_string();
    text.strip_prefix("public.").unwrap_or(&text).to_owned()
}
