//! A test report: each finding is a failed test, each file without one a test that passed.

use std::io::{self, Write};

use super::{LintReport, Place, one_line, xml};
use crate::rule::{Finding, Severity};

pub(super) fn write(report: &LintReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    let tests = report.findings.len() + report.clean.len();
    let failures = report.findings.iter().filter(|finding| fails(finding)).count();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">")?;
    writeln!(
        out,
        "  <testsuite name=\"lockwise\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">"
    )?;
    for finding in &report.findings {
        case(finding, out)?;
    }
    for path in &report.clean {
        let path = xml(path);
        writeln!(out, "    <testcase classname=\"{path}\" name=\"no findings\"/>")?;
    }
    writeln!(out, "  </testsuite>")?;
    writeln!(out, "</testsuites>")
}

/// A note is told with a test that passed.
const fn fails(finding: &Finding) -> bool {
    match finding.severity {
        Severity::Error | Severity::Warning => true,
        Severity::Note => false,
    }
}

fn case(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let place = Place::of(&finding.source, finding.span);
    let path = xml(finding.source.path());
    let (line, column) = (place.start.line, place.start.column);
    let name = format!("{} at {line}:{column}", finding.rule);
    let mut text = format!("{}:{line}:{column}: {}", finding.source.path(), finding.message);
    if let Some(fact) = &finding.fact {
        text.push_str(&format!("\neffect: {fact}"));
    }
    text.push_str(&format!("\ninstead: {}", one_line(&finding.instead)));
    writeln!(out, "    <testcase classname=\"{path}\" name=\"{}\">", xml(&name))?;
    if fails(finding) {
        let (message, text) = (xml(&finding.message), xml(&text));
        let kind = finding.severity.as_str();
        writeln!(out, "      <failure message=\"{message}\" type=\"{kind}\">{text}</failure>")?;
    } else {
        writeln!(out, "      <system-out>{}</system-out>", xml(&text))?;
    }
    writeln!(out, "    </testcase>")
}
