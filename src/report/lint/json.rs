//! The JSON of findings.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{LintReport, Place, one_line};
use crate::effect::{Effect, EffectKind, HeldUntil, Subject};
use crate::report::effects::ServerReport;
use crate::rule::{Finding, Severity};

/// Writes a finding; before the first one, what comes before all.
pub(super) fn finding(
    report: &LintReport<'_>,
    finding: &Finding,
    out: &mut dyn Write,
) -> io::Result<()> {
    if report.counts == [0; 3] {
        begin(report, out)?;
    } else {
        write!(out, ",")?;
    }
    serde_json::to_writer(&mut *out, &value(finding))?;
    Ok(())
}

fn begin(report: &LintReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\"format\":1,\"server\":")?;
    serde_json::to_writer(&mut *out, &ServerReport::of(report.server))?;
    write!(out, ",\"findings\":[")
}

/// Writes what comes after the findings.
pub(super) fn finish(report: &LintReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    if report.counts == [0; 3] {
        begin(report, out)?;
    }
    let summary = json!({
        "error": report.count(Severity::Error),
        "warning": report.count(Severity::Warning),
        "note": report.count(Severity::Note),
        "suppressed": report.suppressed,
        "files": report.files,
        "statements": report.statements,
        "unknown": report.unknown,
    });
    write!(out, "],\"summary\":")?;
    serde_json::to_writer(&mut *out, &summary)?;
    writeln!(out, "}}")
}

fn value(finding: &Finding) -> Value {
    let place = Place::of(&finding.source, finding.span);
    let also: Vec<Value> = finding
        .also
        .iter()
        .map(|note| {
            let place = Place::of(&finding.source, note.span);
            json!({
                "rule": note.rule,
                "severity": note.severity.as_str(),
                "line": place.start.line,
                "column": place.start.column,
                "end_line": place.last.line,
                "end_column": place.last.column,
                "message": note.message,
                "instead": one_line(&note.instead),
            })
        })
        .collect();
    json!({
        "rule": finding.rule,
        "severity": finding.severity.as_str(),
        "path": finding.source.path(),
        "line": place.start.line,
        "column": place.start.column,
        "end_line": place.last.line,
        "end_column": place.last.column,
        "message": finding.message,
        "instead": one_line(&finding.instead),
        "effect": finding.effect.as_ref().map(|known| effect(known, finding.fact.as_deref())),
        "also": also,
        "fix": finding.fix,
    })
}

/// One effect: its kind, the words that rules match, the fact in words, and where it is known from.
fn effect(effect: &Effect, fact: Option<&str>) -> Value {
    let mut value = kind(&effect.kind);
    if let Some(object) = value.as_object_mut() {
        object.insert("fact".to_owned(), json!(fact));
        object.insert("source".to_owned(), json!(effect.source));
    }
    value
}

fn subject(subject: &Subject) -> Value {
    json!({ "name": subject.name.to_string(), "rows": subject.rows, "bytes": subject.bytes })
}

fn kind(kind: &EffectKind) -> Value {
    match kind {
        EffectKind::Lock(lock) => json!({
            "kind": "lock",
            "relation": subject(&lock.relation),
            "mode": lock.mode.as_str(),
            "held_until": match lock.held_until {
                HeldUntil::StatementEnd => "statement-end",
                HeldUntil::TransactionEnd => "transaction-end",
            },
            "during": lock.during.as_str(),
        }),
        EffectKind::Rewrite { relation, cause } => {
            json!({ "kind": "rewrite", "relation": subject(relation), "cause": cause })
        }
        EffectKind::Scan { relation, cause, .. } => {
            json!({ "kind": "scan", "relation": subject(relation), "cause": cause })
        }
        EffectKind::IndexBuild { relation, index, cause, concurrent } => json!({
            "kind": "index-build",
            "relation": subject(relation),
            "index": index.to_string(),
            "cause": cause,
            "concurrent": concurrent,
        }),
        EffectKind::Loss(loss) => json!({
            "kind": "loss",
            "object": loss.object.as_str(),
            "name": loss.name,
            "rows": loss.rows,
            "cascade": loss.cascade,
        }),
        EffectKind::Break { how, object, name, .. } => {
            json!({ "kind": "break", "how": how, "object": object.as_str(), "name": name })
        }
        EffectKind::Failure(failure) => json!({
            "kind": "failure",
            "when": failure.when,
            "certain": failure.certain,
            "detail": failure.detail,
            "code": failure.code,
        }),
        EffectKind::LeftBehind { what, name, .. } => {
            json!({ "kind": "left-behind", "what": what, "name": name })
        }
        EffectKind::Declares(declaration) => json!({
            "kind": "declares",
            "what": declaration.what,
            "name": declaration.name,
            "value": declaration.value,
            "number": declaration.number,
        }),
        EffectKind::Session { what, value } => {
            json!({ "kind": "session", "what": what, "value": value })
        }
        EffectKind::Unknown { reason } => json!({ "kind": "unknown", "reason": reason }),
    }
}
