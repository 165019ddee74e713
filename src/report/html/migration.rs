//! One migration: its statements with what they do, its findings, its diff, the way back.

use maud::{Markup, html};

use super::{badge, diff, loss_sentence};
use crate::plan::{
    Estimate, PlannedFinding, PlannedMigration, Proof, Rollback, RollbackSource, Step,
};
use crate::report::plan::course;
use crate::report::plan::words::telling_locks;

/// Returns the section of a migration.
pub(super) fn section(migration: &PlannedMigration, number: usize) -> Markup {
    let id = format!("migration-{number}");
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (migration.version) " " (migration.name.replace('_', " ")) }
            p class="quiet" {
                code { (migration.path) }
                @if !migration.authors.is_empty() { " by " (migration.authors.join(", ")) }
            }
            @if let Some(failure) = &migration.failure {
                p { (badge("bad", "dry run failed")) " " (failure) }
            }
            @for surprise in &migration.surprises {
                p { (badge("warn", "the dry run showed otherwise")) " " (surprise) }
            }
            @for finding in &migration.findings { (show_finding(finding)) }
            @for group in &migration.groups {
                h3 { @if group.transaction { "In one transaction" } @else { "On its own" } }
                @for step in &group.steps { (show_step(step)) }
            }
            @if !migration.diff.is_empty() {
                h3 { "What becomes of the schema" }
                (diff::side_by_side(&migration.diff, "Schema before and after this migration"))
            }
            (way_back(&migration.rollback))
        }
    }
}

fn show_finding(finding: &PlannedFinding) -> Markup {
    let class = match finding.severity.as_str() {
        "error" => "bad",
        "warning" => "warn",
        _ => "quiet",
    };
    html! {
        div class={ "finding " (class) } {
            p { (badge(class, &finding.severity)) " " strong { (finding.message) } }
            p { (finding.instead) }
            p class="quiet" { (finding.rule) ", line " (finding.line) ", column " (finding.column) }
        }
    }
}

fn show_step(step: &Step) -> Markup {
    html! {
        div class="step" {
            pre tabindex="0" aria-label={ "Statement " (step.number) } {
                @for sql in step.before() { code { (sql) ";\n" } }
                code { (step.sql) }
                @for sql in step.after() { code { ";\n" (sql) } }
            }
            ul {
                li { span class="quiet" { "statement " (step.number) ", line " (step.line) } }
                @for lock in telling_locks(step) {
                    li {
                        (lock.mode) " on " (lock.relation)
                        ": blocks " (lock.blocks.join(", ")) ", " (lock.during)
                        @if let Some(estimate) = &lock.estimate {
                            ", " (duration(estimate)) " " span class="quiet" { "(" (estimate.basis) ")" }
                        }
                    }
                }
                @for how in course(step) { li { (how) } }
                @for table in &step.rewrites { li { "writes every row of " (table) } }
                @for table in &step.scans { li { "reads every row of " (table) } }
                @for index in &step.builds { li { "builds " (index) } }
                @if let Some((algorithm, lock)) = &step.online { li { "ALGORITHM=" (algorithm) ", LOCK=" (lock) } }
                @for what in &step.breaks { li { (what) } }
                @for loss in &step.loses { li { (badge("bad", "data go")) " " (loss_sentence(loss)) } }
                @if let Some(reason) = &step.unknown { li { (badge("warn", "not analysed")) " " (reason) } }
            }
        }
    }
}

fn way_back(rollback: &Rollback) -> Markup {
    let source = match rollback.source {
        RollbackSource::Authored => "written by the author",
        RollbackSource::Generated => "generated",
        RollbackSource::None => "none",
    };
    html! {
        h3 { "The way back" }
        p { (proof(&rollback.proof)) " " span class="quiet" { (source) } }
        @if !rollback.statements.is_empty() {
            pre tabindex="0" aria-label="Statements that undo this migration" {
                code { (rollback.statements.join(";\n")) ";" }
            }
        }
        @for loss in &rollback.loses {
            p {
                @if loss.kept.is_some() { (badge("good", "kept aside")) }
                @else { (badge("bad", "not restored")) }
                " " (loss_sentence(loss))
            }
        }
        @for note in &rollback.notes { p class="quiet" { (note) } }
    }
}

fn proof(proof: &Proof) -> Markup {
    match proof {
        Proof::Restores => {
            html! { (badge("good", "proven")) " the schema afterwards is the schema before" }
        }
        Proof::ColumnOrder { diff } => html! {
            (badge("good", "proven")) " but for the order of columns"
            (diff::side_by_side(diff, "Difference in the order of columns"))
        },
        Proof::Unseen { what } => html! {
            (badge("warn", "not proven")) " what a snapshot shows is as before, and more changes:"
            ul { @for one in what { li { (one) } } }
        },
        Proof::Differs { diff } => html! {
            (badge("bad", "does not restore the schema"))
            (diff::side_by_side(diff, "What the way back leaves different"))
        },
        Proof::Fails { statement, error } => html! {
            (badge("bad", "fails")) " " code { (statement) } ": " (error)
        },
        Proof::NotRun { reason } => html! { (badge("warn", "not run")) " " (reason) },
    }
}

/// Says how long something takes.
pub(super) fn duration(estimate: &Estimate) -> String {
    let (low, high) = (seconds(estimate.low_ms), seconds(estimate.high_ms));
    if low == high { format!("about {high}") } else { format!("{low} to {high}") }
}

fn seconds(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..120_000 => format!("{} s", ms.div_ceil(1_000)),
        _ => format!("{} min", ms.div_ceil(60_000)),
    }
}
