//! Findings in the forms that people and other programs read.

mod checkstyle;
mod github;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod sarif;
mod text;

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::place::Place;
use crate::rule::{Finding, Judged, RuleSet, Severity};
use crate::sql::Server;

/// All that a lint run finds, written as it is found where the form allows it.
#[derive(Debug)]
pub struct LintReport<'r> {
    format: LintFormat,
    /// The server that is judged for.
    server: Server,
    /// The rules in force, for their help texts.
    rules: &'r RuleSet,
    /// What was found, in the order of files and places; only where the form needs it at the end.
    findings: Vec<Finding>,
    /// How many findings there are of each severity, quietest first.
    counts: [usize; 3],
    /// How many findings a comment or a baseline silenced.
    suppressed: usize,
    /// The last file, and how many there are.
    file: String,
    files: usize,
    /// Files without findings, for the form that lists them.
    clean: Vec<String>,
    /// How many statements the files hold.
    statements: usize,
    /// How many of them were not understood.
    unknown: usize,
    /// Files that could not be read.
    unread: usize,
}

/// What was found in one migration.
#[derive(Debug)]
pub struct LintedFile {
    /// The file.
    pub path: String,
    /// What the rules say.
    pub judged: Judged,
    /// How many statements it holds.
    pub statements: usize,
    /// How many of them were not understood.
    pub unknown: usize,
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

impl<'r> LintReport<'r> {
    /// Returns a report in which nothing is found yet.
    pub const fn new(format: LintFormat, server: Server, rules: &'r RuleSet) -> Self {
        Self {
            format,
            server,
            rules,
            findings: Vec::new(),
            counts: [0; 3],
            suppressed: 0,
            file: String::new(),
            files: 0,
            clean: Vec::new(),
            statements: 0,
            unknown: 0,
            unread: 0,
        }
    }

    /// Notes how many files could not be read.
    pub const fn unread(&mut self, files: usize) {
        self.unread = files;
    }

    /// Adds a migration.
    pub fn add(&mut self, file: LintedFile, out: &mut dyn Write) -> io::Result<()> {
        let LintedFile { path, judged, statements, unknown } = file;
        if self.files == 0 || self.file != path {
            self.files += 1;
            self.file = path;
        }
        if judged.findings.is_empty() && self.format == LintFormat::Junit {
            self.clean.push(self.file.clone());
        }
        self.statements += statements;
        self.unknown += unknown;
        self.suppressed += judged.suppressed.len();
        for finding in judged.findings {
            match self.format {
                LintFormat::Text { colors } => text::finding(&finding, colors, out)?,
                LintFormat::Json => json::finding(self, &finding, out)?,
                LintFormat::Github => github::finding(&finding, out)?,
                LintFormat::Sarif
                | LintFormat::Gitlab
                | LintFormat::Junit
                | LintFormat::Checkstyle
                | LintFormat::Markdown => {}
            }
            if let Some(count) = self.counts.get_mut(finding.severity as usize) {
                *count += 1;
            }
            if !self.format.is_written_at_once() {
                self.findings.push(finding);
            }
        }
        Ok(())
    }

    /// Writes what comes when all is found.
    pub fn finish(mut self, out: &mut dyn Write) -> io::Result<()> {
        match self.format {
            LintFormat::Text { .. } => writeln!(out, "{}", self.verdict()),
            LintFormat::Json => json::finish(&self, out),
            LintFormat::Sarif => sarif::write(&self, out),
            LintFormat::Github => writeln!(out, "lockwise: {}", self.verdict()),
            LintFormat::Gitlab => gitlab::write(&self, out),
            LintFormat::Junit => {
                let with: BTreeSet<&str> = self.findings.iter().map(|f| f.source.path()).collect();
                self.clean.retain(|path| !with.contains(path.as_str()));
                self.clean.dedup();
                junit::write(&self, out)
            }
            LintFormat::Checkstyle => checkstyle::write(&self, out),
            LintFormat::Markdown => markdown::write(&self, out),
        }
    }

    /// Counts the findings of a severity.
    fn count(&self, severity: Severity) -> usize {
        self.counts.get(severity as usize).copied().unwrap_or(0)
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
        let files = counted(self.files, "file");
        let statements = counted(self.statements, "statement");
        let mut line = format!("{found} in {files}, {statements}");
        if self.suppressed > 0 {
            line.push_str(&format!("; {} suppressed", self.suppressed));
        }
        if self.unread > 0 {
            line.push_str(&format!("; {} not read", counted(self.unread, "file")));
        }
        line
    }
}

impl LintFormat {
    /// Says whether a finding is written when it is found, and not kept.
    const fn is_written_at_once(self) -> bool {
        match self {
            Self::Text { .. } | Self::Json | Self::Github => true,
            Self::Sarif | Self::Gitlab | Self::Junit | Self::Checkstyle | Self::Markdown => false,
        }
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
