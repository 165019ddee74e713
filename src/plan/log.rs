//! Journal rows to what a person asks about: which change, when, by whom, with whose approval.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::db::{Entry, Event};

/// One change of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// When it was settled.
    pub at: String,
    /// The migration.
    pub version: String,
    /// Its name.
    pub name: String,
    /// `migration-applied`, `migration-rolled-back`, `baseline`, `adopted`, `amended`.
    pub event: String,
    /// How long it took, where it was run.
    pub took_ms: Option<u64>,
    /// Attempts that failed before.
    pub failures: u32,
    /// The user of the database.
    pub db_user: String,
    /// The run.
    pub run: String,
    /// The plan.
    pub plan: String,
    /// Who approved it.
    pub approvals: Vec<ApprovalUsed>,
}

/// An approval that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApprovalUsed {
    /// Who.
    pub approver: String,
    /// For which role.
    pub role: Option<String>,
    /// With which key.
    pub key: String,
    /// When it was signed.
    pub signed_at: String,
}

/// One month.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Month {
    /// `2026-03`.
    pub month: String,
    /// Migrations applied.
    pub applied: u32,
    /// Migrations rolled back.
    pub rolled_back: u32,
    /// Attempts that failed.
    pub failures: u32,
    /// Runs that did not come to their end.
    pub interrupted_runs: u32,
    /// Time spent applying.
    pub took_ms: u64,
    /// Changes with at least one approval.
    pub approved: u32,
    /// From the last approval to the change, on average.
    pub approval_to_applied_s: Option<u64>,
}

/// Returns the changes in the order in which they were made.
pub fn changes_of(entries: &[Entry]) -> Vec<Change> {
    let mut approvals: BTreeMap<&str, Vec<ApprovalUsed>> = BTreeMap::new();
    let mut failures: BTreeMap<&str, u32> = BTreeMap::new();
    let mut changes = Vec::new();
    for row in entries {
        let entry = &row.entry;
        match entry.event {
            Event::Approval => {
                approvals.entry(&entry.run_id).or_default().extend(approval(entry.detail.as_ref()));
            }
            Event::Failed => *failures.entry(base(&entry.version)).or_default() += 1,
            Event::MigrationApplied
            | Event::MigrationRolledBack
            | Event::Baseline
            | Event::Adopted
            | Event::Amended => changes.push(Change {
                at: row.at.clone(),
                version: entry.version.clone(),
                name: entry.name.clone(),
                event: entry.event.as_str().to_owned(),
                took_ms: number(entry.detail.as_ref(), "took_ms"),
                failures: failures.remove(entry.version.as_str()).unwrap_or(0),
                db_user: row.db_user.clone(),
                run: entry.run_id.clone(),
                plan: entry.plan_digest.clone(),
                approvals: approvals.get(entry.run_id.as_str()).cloned().unwrap_or_default(),
            }),
            Event::RunStarted
            | Event::RunFinished
            | Event::RunInterrupted
            | Event::Intent
            | Event::Applied
            | Event::Recovered
            | Event::Progress
            | Event::CleanedUp
            | Event::Decision => {}
        }
    }
    changes
}

/// Sums up by month.
pub fn months_of(entries: &[Entry]) -> Vec<Month> {
    let mut months: BTreeMap<String, (Month, Vec<u64>)> = BTreeMap::new();
    let key = |at: &str| at.get(..7).unwrap_or(at).to_owned();
    for change in changes_of(entries) {
        let (month, waits) = months.entry(key(&change.at)).or_default();
        month.failures += change.failures;
        match change.event.as_str() {
            "migration-applied" => month.applied += 1,
            "migration-rolled-back" => month.rolled_back += 1,
            _ => continue,
        }
        month.took_ms += change.took_ms.unwrap_or(0);
        if let Some(last) = change.approvals.iter().map(|a| a.signed_at.as_str()).max() {
            month.approved += 1;
            waits.extend(seconds_between(last, &change.at));
        }
    }
    for row in entries.iter().filter(|row| row.entry.event == Event::RunInterrupted) {
        months.entry(key(&row.at)).or_default().0.interrupted_runs += 1;
    }
    let finish = |(name, (mut month, waits)): (String, (Month, Vec<u64>))| {
        month.month = name;
        let count = u64::try_from(waits.len()).unwrap_or(1).max(1);
        month.approval_to_applied_s =
            (!waits.is_empty()).then(|| waits.iter().sum::<u64>() / count);
        month
    };
    months.into_iter().map(finish).collect()
}

/// Steps of a rollback stand under `<version>/down`.
fn base(version: &str) -> &str {
    version.strip_suffix("/down").unwrap_or(version)
}

fn seconds_between(from: &str, to: &str) -> Option<u64> {
    let instant = |text: &str| -> Option<super::time::Instant> {
        format!("{}Z", text.get(..19)?).parse().ok()
    };
    u64::try_from(instant(to)?.unix() - instant(from)?.unix()).ok()
}

fn number(detail: Option<&String>, name: &str) -> Option<u64> {
    let detail: serde_json::Value = serde_json::from_str(detail?).ok()?;
    detail.get(name)?.as_u64()
}

fn approval(detail: Option<&String>) -> Option<ApprovalUsed> {
    let detail: serde_json::Value = serde_json::from_str(detail?).ok()?;
    let text = |name: &str| detail.get(name).and_then(|v| v.as_str()).map(str::to_owned);
    Some(ApprovalUsed {
        approver: text("approver")?,
        role: text("role"),
        key: text("key")?,
        signed_at: text("signed_at")?,
    })
}
