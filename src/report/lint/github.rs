//! Workflow commands that GitHub shows as annotations in the diff.

use std::io::{self, Write};

use super::{Place, one_line};
use crate::rule::{Finding, Severity};

pub(super) fn finding(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", command(finding))
}

fn command(finding: &Finding) -> String {
    let word = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let Place { start, last, .. } = Place::of(&finding.source, finding.span);
    // Columns belong to a single line: over several, GitHub takes lines only.
    let columns = if start.line == last.line {
        format!(",col={},endColumn={}", start.column, last.column)
    } else {
        String::new()
    };
    let mut text = finding.message.clone();
    if let Some(fact) = &finding.fact {
        text.push_str(&format!("\neffect: {fact}"));
    }
    for other in &finding.also {
        text.push_str(&format!("\nalso: {} ({} {})", other.message, other.severity, other.rule));
    }
    if !finding.instead.trim().is_empty() {
        text.push_str(&format!("\ninstead: {}", one_line(&finding.instead)));
    }
    format!(
        "::{word} file={},line={},endLine={}{columns},title={}::{}",
        property(finding.source.path()),
        start.line,
        last.line,
        property(&finding.rule),
        data(&text),
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
