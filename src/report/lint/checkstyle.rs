//! The XML of Checkstyle, which many review tools read.

use std::io::{self, Write};

use super::{LintReport, Place, one_line, xml};
use crate::rule::{Finding, Severity};

pub(super) fn write(report: &LintReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<checkstyle version=\"4.3\">")?;
    for findings in report.findings.chunk_by(|a, b| a.source.path() == b.source.path()) {
        let Some(first) = findings.first() else { continue };
        writeln!(out, "  <file name=\"{}\">", xml(first.source.path()))?;
        for finding in findings {
            error(finding, out)?;
        }
        writeln!(out, "  </file>")?;
    }
    writeln!(out, "</checkstyle>")
}

fn error(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let place = Place::of(&finding.source, finding.span);
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "info",
    };
    let text = format!("{}; instead: {}", finding.message, one_line(&finding.instead));
    writeln!(
        out,
        "    <error line=\"{}\" column=\"{}\" severity=\"{severity}\" message=\"{}\" \
         source=\"lockwise.{}\"/>",
        place.start.line,
        place.start.column,
        xml(&text),
        xml(&finding.rule),
    )
}
