//! What a rule found.

use std::sync::Arc;

use super::model::Severity;
use crate::effect::Effect;
use crate::sql::{Source, Span};

/// One finding: a cause in the user's SQL, the worst rule it fires, and the others as notes.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: String,
    /// How loud it is here.
    pub severity: Severity,
    /// The file; of its text, at least the lines of the statement.
    pub source: Source,
    /// The clause.
    pub span: Span,
    /// The statement it is part of; the clause itself where there is none.
    pub statement: Span,
    /// What was found, one lower-case line that names the object.
    pub message: String,
    /// What to write.
    pub instead: Arc<str>,
    /// The fact behind it; none for findings about comments and files.
    pub effect: Option<Effect>,
    /// The fact in words: `SHARE lock on orders until the build ends`.
    pub fact: Option<String>,
    /// Other rules that the same clause fires.
    pub also: Vec<Note>,
    /// The name of the rewrite that `lockwise fix` has for it.
    pub fix: Option<&'static str>,
    /// That rewrite, where it stays within the file.
    pub replacement: Option<Replacement>,
}

/// A change of a file: the bytes that go, and what comes in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The bytes that go.
    pub span: Span,
    /// What comes instead.
    pub text: String,
}

impl Replacement {
    /// Returns the smallest change that turns one text into another.
    pub fn between(old: &str, new: &str) -> Option<Self> {
        let same = |(a, b): &(char, char)| a == b;
        let alike = old.chars().zip(new.chars()).take_while(same);
        let head: usize = alike.map(|(c, _)| c.len_utf8()).sum();
        let (old_rest, new_rest) = (old.get(head..)?, new.get(head..)?);
        let alike = old_rest.chars().rev().zip(new_rest.chars().rev()).take_while(same);
        let tail: usize = alike.map(|(c, _)| c.len_utf8()).sum();
        let start = u32::try_from(head).ok()?;
        let end = u32::try_from(old.len().checked_sub(tail)?).ok()?;
        let text = new_rest.get(..new_rest.len().checked_sub(tail)?)?.to_owned();
        Some(Self { span: Span::new(start, end), text })
    }
}

/// A rule that the clause of a finding fires besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The rule.
    pub rule: String,
    /// How loud it would be by itself.
    pub severity: Severity,
    /// The clause.
    pub span: Span,
    /// What was found.
    pub message: String,
    /// What to write.
    pub instead: Arc<str>,
}

/// A finding that a comment or a baseline silenced.
#[derive(Debug, Clone)]
pub struct Suppressed {
    /// What was found.
    pub finding: Finding,
    /// The reason given.
    pub reason: String,
}

/// What was found in one migration.
#[derive(Debug, Clone, Default)]
pub struct Judged {
    /// Findings in the order of their places.
    pub findings: Vec<Finding>,
    /// Findings that comments silenced.
    pub suppressed: Vec<Suppressed>,
}

impl Finding {
    /// Returns the rules that it names, the worst first.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        let also = self.also.iter().map(|note| note.rule.as_str());
        std::iter::once(self.rule.as_str()).chain(also)
    }

    /// Returns a text that stays the same when lines move: rule, file and the SQL it is about.
    ///
    /// The caller that keeps a baseline counts how often a text occurs.
    pub fn fingerprint(&self) -> String {
        let sql = self.source.slice(self.span);
        let sql: Vec<&str> = sql.split_whitespace().collect();
        let path = self.source.path().rsplit(['/', '\\']).next().unwrap_or_default();
        format!("{} {path} {}", self.rule, sql.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_is_as_small_as_it_can_be() {
        let old = "CREATE INDEX a ON t (b);\n";
        let new = "CREATE INDEX CONCURRENTLY a ON t (b);\n";
        let found = Replacement::between(old, new).unwrap();
        assert_eq!((found.span, found.text.as_str()), (Span::new(13, 13), "CONCURRENTLY "));
        let found = Replacement::between("aaa", "aa").unwrap();
        assert_eq!((found.span, found.text.as_str()), (Span::new(2, 3), ""));
    }
}
