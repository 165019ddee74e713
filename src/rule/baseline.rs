//! A baseline accepts the findings that were there when it was made, and no others.
//!
//! It counts fingerprints: a second finding of the same kind on the same SQL is new. Lines may
//! move without making a finding new.

use std::collections::BTreeMap;

use super::finding::{Finding, Judged, Suppressed};

/// Accepted findings: how often each fingerprint may occur.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    accepted: BTreeMap<String, u32>,
}

impl Baseline {
    /// Returns the baseline that accepts these findings.
    pub fn of<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        let mut baseline = Self::default();
        for finding in findings {
            *baseline.accepted.entry(finding.fingerprint()).or_insert(0) += 1;
        }
        baseline
    }

    /// Reads the text of a baseline file: a count and a fingerprint a line; `#` begins a comment.
    pub fn parse(text: &str) -> Result<Self, BadBaseline> {
        let mut baseline = Self::default();
        for (number, line) in (1_u32..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let entry = line.split_once(' ').and_then(|(count, fingerprint)| {
                count.parse::<u32>().ok().map(|count| (count, fingerprint))
            });
            let (count, fingerprint) = entry.ok_or(BadBaseline { line: number })?;
            *baseline.accepted.entry(fingerprint.to_owned()).or_insert(0) += count;
        }
        Ok(baseline)
    }

    /// Returns the text of the file, sorted, so that it merges well.
    pub fn to_text(&self) -> String {
        let mut text = String::from(
            "# Findings that `lockwise lint` accepts: how many, the rule, the file, the SQL.\n",
        );
        for (fingerprint, count) in &self.accepted {
            text.push_str(&format!("{count} {fingerprint}\n"));
        }
        text
    }

    /// Moves accepted findings to the suppressed ones, each as often as it is accepted.
    pub fn accept(&mut self, judged: &mut Judged) {
        let findings = std::mem::take(&mut judged.findings);
        for finding in findings {
            match self.accepted.get_mut(&finding.fingerprint()) {
                Some(left) if *left > 0 => {
                    *left -= 1;
                    let reason = "in the baseline".to_owned();
                    judged.suppressed.push(Suppressed { finding, reason });
                }
                Some(_) | None => judged.findings.push(finding),
            }
        }
    }

    /// Returns what is accepted and no longer found, after all migrations were judged.
    pub fn left_over(&self) -> impl Iterator<Item = &str> {
        self.accepted.iter().filter(|&(_, &left)| left > 0).map(|(text, _)| text.as_str())
    }
}

/// A line of a baseline file that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the baseline is no count and fingerprint")]
pub struct BadBaseline {
    /// The line, counted from 1.
    pub line: u32,
}
