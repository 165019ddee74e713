//! A comment for a pull request.

use std::io::{self, Write};

use super::{LintReport, Place, one_line};
use crate::rule::Finding;

pub(super) fn write(report: &LintReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "### lockwise: {}\n", report.verdict())?;
    if report.findings.is_empty() {
        let server = report.server;
        return writeln!(out, "Judged for {} {}.", server.kind.title(), server.version);
    }
    writeln!(out, "| | Where | What |")?;
    writeln!(out, "|---|---|---|")?;
    for finding in &report.findings {
        let place = Place::of(&finding.source, finding.span);
        writeln!(
            out,
            "| **{}** | `{}:{}` | {} (`{}`) |",
            finding.severity,
            cell(finding.source.path()),
            place.start.line,
            cell(&escaped(&finding.message)),
            finding.rule,
        )?;
    }
    for finding in &report.findings {
        details(finding, out)?;
    }
    let server = report.server;
    writeln!(out, "\nJudged for {} {}.", server.kind.title(), server.version)
}

fn details(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let place = Place::of(&finding.source, finding.span);
    let path = html(finding.source.path());
    writeln!(
        out,
        "\n<details><summary><code>{path}:{}</code> {}</summary>\n",
        place.start.line,
        html(&finding.message),
    )?;
    let sql = finding.source.slice(finding.statement);
    let fence = fence(sql);
    writeln!(out, "{fence}sql\n{}\n{fence}\n", sql.trim_end())?;
    if let Some(fact) = &finding.fact {
        writeln!(out, "- **effect:** {}", escaped(fact))?;
    }
    for other in &finding.also {
        writeln!(out, "- **also:** {} (`{}`)", escaped(&other.message), other.rule)?;
    }
    writeln!(out, "- **instead:** {}", escaped(&one_line(&finding.instead)))?;
    writeln!(out, "\n</details>")
}

/// A fence that is longer than any run of backticks in the text.
fn fence(text: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for character in text.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    "`".repeat((longest + 1).max(3))
}

/// Keeps a text from being read as markup; code between backticks stays code.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let mut code = false;
    for character in text.chars() {
        match character {
            '`' => code = !code,
            '*' | '_' | '[' | ']' | '<' | '>' | '#' if !code => out.push('\\'),
            _ => {}
        }
        out.push(character);
    }
    out
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
