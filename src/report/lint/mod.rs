//! Findings in the forms that people and other programs read.

mod checkstyle;
mod github;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod sarif;
mod text;

use std::io::{self, Write};

use super::place::Place;
use crate::rule::{Finding, RuleSet, Severity};
use crate::sql::Server;

/// All that a lint run found.
#[derive(Debug, Clone, Copy)]
pub struct LintReport<'a> {
    /// The server that was judged for.
    pub server: Server,
    /// What was found, in the order of files and places.
    pub findings: &'a [Finding],
    /// How many findings a comment or a baseline silenced.
    pub suppressed: usize,
    /// The files that were judged.
    pub files: &'a [String],
    /// How many statements they hold.
    pub statements: usize,
    /// How many of them were not understood.
    pub unknown: usize,
    /// The rules in force, for their help texts.
    pub rules: &'a RuleSet,
}

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LintFormat {
    /// Source excerpts for people.
    Text {
        /// With colours.
        colors: bool,
    },
    /// One JSON object.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of GitHub workflows.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// A test report.
    Junit,
    /// An XML that many tools read.
    Checkstyle,
    /// A comment for a pull request.
    Markdown,
}

impl LintReport<'_> {
    /// Writes the report.
    pub fn write(&self, format: LintFormat, out: &mut dyn Write) -> io::Result<()> {
        match format {
            LintFormat::Text { colors } => text::write(self, colors, out),
            LintFormat::Json => json::write(self, out),
            LintFormat::Sarif => sarif::write(self, out),
            LintFormat::Github => github::write(self, out),
            LintFormat::Gitlab => gitlab::write(self, out),
            LintFormat::Junit => junit::write(self, out),
            LintFormat::Checkstyle => checkstyle::write(self, out),
            LintFormat::Markdown => markdown::write(self, out),
        }
    }

    /// Counts the findings of a severity.
    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Says in one line what was found: `2 errors and 1 warning in 4 files`.
    fn verdict(&self) -> String {
        let counts: Vec<String> = Severity::ALL
            .into_iter()
            .rev()
            .map(|severity| (severity, self.count(severity)))
            .filter(|&(_, count)| count > 0)
            .map(|(severity, count)| counted(count, severity.as_str()))
            .collect();
        let found = match counts.as_slice() {
            [] => "no findings".to_owned(),
            [only] => only.clone(),
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
        };
        let files = counted(self.files.len(), "file");
        let statements = counted(self.statements, "statement");
        let mut line = format!("{found} in {files}, {statements}");
        if self.suppressed > 0 {
            line.push_str(&format!("; {} suppressed", self.suppressed));
        }
        line
    }
}

/// Writes a number with its noun: `1 file`, `2 files`.
fn counted(count: usize, noun: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{end}")
}

/// Returns a text on one line: rule texts are wrapped for their files.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Escapes a text for XML; characters that XML cannot hold are left out.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            control if control.is_control() => {}
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_holds_any_text() {
        assert_eq!(xml("a<b> & \"c\"\n\u{1}"), "a&lt;b&gt; &amp; &quot;c&quot;&#10;");
    }
}
