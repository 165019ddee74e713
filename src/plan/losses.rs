//! Which of the rows that statements take away are lost when the whole migration has run.
//!
//! Pure. A table that is dropped after its rows were copied, and that is there again at the end,
//! was rebuilt: its rows are not lost. One that is dropped and made anew has lost them all, though
//! the schema is the same.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{ObjectChange, PlannedMigration, Proof, RollbackSource};
use crate::db::Snapshot;
use crate::sql::ast::{ActionKind, Dml, Statement, StatementKind};
use crate::sql::{Migration, ObjectName, Script};

/// Leaves out what is not lost in the end, and tells the other tables by the names that they have
/// before the migration.
pub(super) fn settle(planned: &mut PlannedMigration, migration: &Migration, live: &Snapshot) {
    let copies = Copies::of(&migration.up);
    let seen = !matches!(planned.rollback.proof, Proof::NotRun { .. });
    let change = std::mem::take(&mut planned.change);
    let gone = |name: &str| change.iter().any(|one| one.name == name && one.after.is_none());
    let there = |name: &str| {
        let last = last_part(name);
        change.iter().any(|one| one.name == name && one.before.is_some())
            || live
                .objects
                .iter()
                .any(|object| object.kind == "table" && object.name.name.eq_ignore_ascii_case(last))
    };
    for step in planned.groups.iter_mut().flat_map(|group| &mut group.steps) {
        if !step.sql.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("drop")) {
            continue;
        }
        let at = (step.line, step.column);
        step.loses.retain_mut(|loss| {
            if loss.kind != "table" {
                return true;
            }
            let last = last_part(&loss.name).to_lowercase();
            let first = copies.first_name(&last, at);
            if first != last && !there(&loss.name) {
                let before = loss.name.len() - last.len();
                loss.name.replace_range(before.., &first);
            }
            let rebuilt = seen && copies.copied(&first, at) && !gone(&loss.name);
            !rebuilt && (there(&loss.name) || !copies.made(&last, at))
        });
    }
    planned.change = change;
}

/// Names in the rollback what the migration takes away and the way back does not speak of: rows of
/// a table that is emptied or made anew, a partition, whatever the author's own way back does not
/// bring back. A generated way back speaks of tables and columns itself, and fills materialized
/// views again.
pub(super) fn name(planned: &mut PlannedMigration) {
    let generated = planned.rollback.source == RollbackSource::Generated;
    let goes = |change: &[ObjectChange], name: &str| {
        change.iter().any(|one| one.name == name && one.after.is_none())
    };
    let lost: Vec<_> = planned.steps().flat_map(|step| &step.loses).cloned().collect();
    for loss in lost {
        let spoken_of = match loss.kind.as_str() {
            "column" | "materialized view" => generated,
            "table" => generated && goes(&planned.change, &loss.name),
            _ => false,
        };
        let known = &planned.rollback.loses;
        if !spoken_of && !known.iter().any(|one| one.kind == loss.kind && one.name == loss.name) {
            planned.rollback.loses.push(loss);
        }
    }
}

/// A place in a file: line and column.
type Place = (u32, u32);

/// What a migration does with whole tables, by the last part of their names in lower case.
#[derive(Default)]
struct Copies {
    /// Where the rows of a table were first read into another one.
    read: BTreeMap<String, Place>,
    /// Where tables were made.
    made: BTreeSet<(String, Place)>,
    /// Renames: from, to, and where.
    renamed: Vec<(String, String, Place)>,
}

impl Copies {
    fn of(script: &Script) -> Self {
        let mut copies = Self::default();
        for statement in &script.statements {
            let position = script.section.source.position(statement.span.start);
            copies.take(statement, (position.line, position.column));
        }
        copies
    }

    fn take(&mut self, statement: &Statement, at: Place) {
        if let StatementKind::CreateTable(create) = &statement.kind {
            self.made.insert((lower(&create.name), at));
            let reads = create.query.iter().flat_map(|query| &query.reads);
            self.reads(reads, std::slice::from_ref(&create.name), at);
        } else if let StatementKind::Dml(dml) = &statement.kind {
            let Dml { targets, query, from_query, .. } = &**dml;
            if *from_query {
                self.reads(&query.reads, targets, at);
            }
        } else if let StatementKind::Rename(rename) = &statement.kind {
            for (from, to) in &rename.pairs {
                self.renamed.push((lower(from), lower(to), at));
            }
        } else if let StatementKind::AlterTable(alter) = &statement.kind {
            for action in &alter.actions {
                if let ActionKind::RenameTo(to) = &action.kind {
                    self.renamed.push((lower(&alter.name), lower(to), at));
                }
            }
        }
    }

    fn reads<'n>(
        &mut self,
        reads: impl IntoIterator<Item = &'n ObjectName>,
        into: &[ObjectName],
        at: Place,
    ) {
        for name in reads.into_iter().map(lower) {
            if !into.iter().any(|target| lower(target) == name) {
                // What it is called now may be another name than that before the migration.
                let first = self.first_name(&name, at);
                self.read.entry(first).or_insert(at);
            }
        }
    }

    /// Returns the name that a table had before the migration.
    fn first_name(&self, name: &str, at: Place) -> String {
        let earlier = self.renamed.iter().rev().filter(|(.., place)| *place < at);
        earlier.fold(
            name.to_owned(),
            |name, (from, to, _)| {
                if *to == name { from.clone() } else { name }
            },
        )
    }

    /// Says whether the rows of a table were read into another one before.
    fn copied(&self, first: &str, at: Place) -> bool {
        self.read.get(first).is_some_and(|place| *place < at)
    }

    /// Says whether a table was made before.
    fn made(&self, name: &str, at: Place) -> bool {
        self.made.iter().any(|(made, place)| made == name && *place < at)
    }
}

fn lower(name: &ObjectName) -> String {
    name.name().to_lowercase()
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
