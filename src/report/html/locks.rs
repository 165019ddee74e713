//! The locks of each table over the statements of a plan.
//!
//! A table, not a drawing: rows are relations, columns are statements, and a cell says which lock
//! is taken there or that one is still held. Screen readers and paper get the same.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::plan::{Plan, PlannedLock, Step};

/// What a relation is under while one statement runs.
enum Cell<'a> {
    Free,
    Taken(&'a PlannedLock),
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
                        @for lock in step.locks.iter().filter(|lock| lock.in_use && waits(lock)) {
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
    let locks = plan.steps().flat_map(|step| step.locks.iter().map(move |lock| (step, lock)));
    let waited = locks.filter(|(_, lock)| lock.in_use && waits(lock));
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
        .flat_map(|step| &step.locks)
        .filter(|lock| lock.in_use && waits(lock))
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

/// Returns what a relation is under during a step, and what stays for the next one.
fn cell<'a>(
    step: &'a Step,
    relation: &str,
    held: Option<&'a PlannedLock>,
) -> (Cell<'a>, Option<&'a PlannedLock>) {
    let taken = step.locks.iter().find(|lock| lock.relation == relation && waits(lock));
    match (taken, held) {
        (Some(taken), _) => {
            let stays = taken.held_until == "transaction-end";
            (Cell::Taken(taken), Some(taken).filter(|_| stays).or(held))
        }
        (None, Some(held)) => (Cell::Held(held), Some(held)),
        (None, None) => (Cell::Free, None),
    }
}

fn waits(lock: &PlannedLock) -> bool {
    lock.blocks.iter().any(|blocked| blocked == "reads" || blocked == "writes")
}

fn show(cell: &Cell<'_>) -> Markup {
    match cell {
        Cell::Free => html! { td { "–" } },
        Cell::Held(lock) => html! { td class="held" { "still " (lock.mode) } },
        Cell::Taken(lock) => html! {
            td class=(class(lock)) {
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
