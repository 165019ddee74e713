//! GitLab's code quality report: a JSON array in the form of Code Climate issues.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{LintReport, Place, one_line};
use crate::rule::{Finding, Severity};

pub(super) fn write(report: &LintReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let issues: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            let print = finding.fingerprint();
            let count = seen.entry(print.clone()).or_default();
            *count += 1;
            issue(finding, &hash(&format!("{count} {print}")))
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &issues)?;
    writeln!(out)
}

fn issue(finding: &Finding, fingerprint: &str) -> Value {
    let place = Place::of(&finding.source, finding.span);
    json!({
        "description": finding.message,
        "check_name": finding.rule,
        "fingerprint": fingerprint,
        "severity": match finding.severity {
            Severity::Error => "critical",
            Severity::Warning => "major",
            Severity::Note => "info",
        },
        "content": { "body": one_line(&finding.instead) },
        "location": {
            "path": finding.source.path(),
            "lines": { "begin": place.start.line, "end": place.last.line },
        },
    })
}

/// The same finding has the same fingerprint in every run, and no other has it.
fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
