//! The locks of each table over the statements of a plan.
//!
//! A table, not a drawing: rows are relations, columns are statements, and a cell says which lock
//! is taken there or that one is still held. Screen readers and paper get the same.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::plan::{Plan, PlannedLock, Step};
use crate::report::plan::words::telling_locks;

/// What a relation is under while one statement runs.
enum Cell<'a> {
    Free,
    /// With what an earlier statement of the transaction still blocks beyond it.
    Taken(&'a PlannedLock, Option<&'a PlannedLock>),
    Held(&'a PlannedLock),
}

/// Returns the section with the timeline; nothing where no table in use is locked.
pub(super) fn timeline(plan: &Plan) -> Markup {
    let rows = rows(plan);
    html! {
        section aria-labelledby="locks" {
            h2 id="locks" { "Who waits, statement by statement" }
            @if rows.is_empty() {
                p { "No table that existed before is locked against reads or writes." }
            } @else if plan.steps().count() > COLUMNS {
                (list(plan))
            } @else {
                div class="scroll" tabindex="0" role="region" aria-label="Locks by table and statement" {
                    table class="timeline" {
                        caption { "A lock taken in a transaction is held until it commits." }
                        thead {
                            tr {
                                th scope="col" { "Table" }
                                @for step in plan.steps() { th scope="col" { "Statement " (step.number) } }
                            }
                        }
                        tbody {
                            @for (relation, cells) in &rows {
                                tr {
                                    th scope="row" { (relation) }
                                    @for cell in cells { (show(cell)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// More statements than these do not stand beside each other on any screen.
const COLUMNS: usize = 8;

/// The locks of a long plan: a row for each, in the order in which they are taken.
fn list(plan: &Plan) -> Markup {
    let migrations = plan.migrations.iter();
    let steps = migrations.flat_map(|one| one.steps().map(move |step| (one, step)));
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Locks in the order they are taken" {
            table class="timeline" {
                caption { "A lock taken in a transaction is held until it commits." }
                thead {
                    tr {
                        @for head in ["Statement", "Table", "Lock", "Who waits", "How long"] {
                            th scope="col" { (head) }
                        }
                    }
                }
                tbody {
                    @for (migration, step) in steps {
                        @for lock in telling_locks(step).into_iter().filter(|lock| lock.waits()) {
                            tr {
                                td { (step.number) " of " (migration.version) }
                                th scope="row" { (lock.relation) }
                                td class=(class(lock)) { strong { (lock.mode) } }
                                td { (waiting(lock)) " wait: " (lock.during) }
                                td {
                                    @if let Some(estimate) = &lock.estimate {
                                        span title=(estimate.basis) {
                                            (super::migration::duration(estimate))
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Names the table that others wait for longest, and how long at most.
pub(super) fn longest(plan: &Plan) -> Option<String> {
    let locks =
        plan.steps().flat_map(|step| telling_locks(step).into_iter().map(move |lock| (step, lock)));
    let waited = locks.filter(|(_, lock)| lock.waits());
    let timed = waited.filter_map(|(step, lock)| Some((step, lock, lock.estimate.as_ref()?)));
    let (step, lock, estimate) = timed.max_by_key(|(.., estimate)| estimate.high_ms)?;
    Some(format!(
        "Longest wait: {} of {}, {} (statement {}).",
        waiting(lock),
        lock.relation,
        super::migration::duration(estimate),
        step.number
    ))
}

fn rows(plan: &Plan) -> BTreeMap<&str, Vec<Cell<'_>>> {
    let groups = || plan.migrations.iter().flat_map(|migration| &migration.groups);
    let relations: Vec<&str> = plan
        .steps()
        .flat_map(telling_locks)
        .filter(|lock| lock.waits())
        .map(|lock| lock.relation.as_str())
        .collect();
    let mut rows = BTreeMap::new();
    for relation in relations {
        let mut cells = Vec::new();
        for group in groups() {
            let mut held: Option<&PlannedLock> = None;
            for step in &group.steps {
                let (cell, after) = cell(step, relation, held);
                cells.push(cell);
                held = after.filter(|_| group.transaction);
            }
        }
        rows.insert(relation, cells);
    }
    rows
}

/// How a plan says that a lock is held until the transaction ends.
const TO_END: &str = "transaction-end";

/// Returns what a relation is under during a step, the lock that makes the most trouble, and what
/// stays for the next one: an EXCLUSIVE of SQLite that is there for a moment comes with the commit,
/// so the lock before it stays.
fn cell<'a>(
    step: &'a Step,
    relation: &str,
    held: Option<&'a PlannedLock>,
) -> (Cell<'a>, Option<&'a PlannedLock>) {
    let here = |lock: &&PlannedLock| lock.relation == relation && lock.waits();
    match (telling_locks(step).into_iter().find(here), held) {
        (Some(most), _) => {
            let first = step.locks.iter().find(here).filter(|_| most.during == "instant");
            let stays = Some(first.unwrap_or(most)).filter(|lock| lock.held_until == TO_END);
            let beyond = held.filter(|held| held.blocks.len() > most.blocks.len());
            // Of two the last counts where they block the same.
            let after = held.into_iter().chain(stays).max_by_key(|lock| lock.blocks.len());
            (Cell::Taken(most, beyond), after)
        }
        (None, Some(held)) => (Cell::Held(held), Some(held)),
        (None, None) => (Cell::Free, None),
    }
}

fn show(cell: &Cell<'_>) -> Markup {
    match cell {
        Cell::Free => html! { td { "–" } },
        Cell::Held(lock) => html! { td class="held" { "still " (lock.mode) } },
        Cell::Taken(lock, beyond) => html! {
            td class=(class(lock)) {
                @if let Some(held) = beyond {
                    "still " (held.mode) ": " (waiting(held)) " wait" br;
                }
                strong { (lock.mode) }
                br;
                (waiting(lock)) " wait: " (lock.during)
                @if let Some(estimate) = &lock.estimate {
                    br; span title=(estimate.basis) { (super::migration::duration(estimate)) }
                }
            }
        },
    }
}

fn class(lock: &PlannedLock) -> &'static str {
    let reads = lock.blocks.iter().any(|blocked| blocked == "reads");
    match (reads, lock.during.as_str()) {
        (_, "instant") => "warn",
        _ => "bad",
    }
}

/// Says who waits for a lock.
fn waiting(lock: &PlannedLock) -> &'static str {
    if lock.blocks.iter().any(|blocked| blocked == "reads") { "reads and writes" } else { "writes" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_still_held_is_told_where_a_later_statement_takes_less() {
        let text = include_str!("../../../testdata/plan/careful.json");
        let mut plan: Plan = serde_json::from_str(text).unwrap();
        let steps = &mut plan.migrations[0].groups[0].steps;
        steps[1].locks = steps[0].locks.clone();
        let less = &mut steps[1].locks[0];
        "SHARE".clone_into(&mut less.mode);
        less.blocks.remove(0);
        let page = timeline(&plan).into_string();
        assert!(page.contains("still ACCESS EXCLUSIVE: reads and writes wait"), "{page}");
        plan.migrations[0].groups[0].transaction = false;
        let page = timeline(&plan).into_string();
        assert!(!page.contains("still "), "{page}");
    }
}
