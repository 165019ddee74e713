//! The approval file: a statement in plain words and an SSH signature over exactly those bytes.
//!
//! ```json
//! {"format": 1, "statement": "lockwise approval 1\nplan: sha256:…\n…", "signature": "-----BEGIN…"}
//! ```
//!
//! The statement can be checked without lockwise:
//! `jq -j .statement FILE | ssh-keygen -Y verify -n lockwise -f SIGNERS -I WHO -s FILE.sig`.

use serde::{Deserialize, Serialize};

use crate::plan::Digest;
use crate::plan::Instant;

/// The version of the file's form that is written.
const FORMAT: u32 = 1;

/// What a plan is bound to; each part can change on its own, and a refusal names the part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The digest of the whole plan.
    pub plan: Digest,
    /// The server's kind and major version.
    pub server: String,
    /// The schema that the plan starts from.
    pub base: Digest,
    /// The policy; none where there is none.
    pub policy: Option<Digest>,
    /// Version and raw digest of each migration.
    pub migrations: Vec<(String, Digest)>,
}

/// What an approver signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What was approved.
    pub binding: Binding,
    /// The database the plan was made for, as shown to the approver.
    pub target: String,
    /// Who wrote the change, as far as it was known.
    pub authors: Vec<String>,
    /// Who approves.
    pub approver: String,
    /// When.
    pub signed_at: Instant,
    /// Until when it counts.
    pub expires_at: Instant,
    /// A remark; may be empty.
    pub comment: String,
}

/// An approval file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalFile {
    /// The version of the form.
    pub format: u32,
    /// The text that is signed.
    pub statement: String,
    /// The armoured SSH signature; empty before it is signed.
    pub signature: String,
}

/// A file that is no approval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadApproval {
    /// Not JSON, or keys missing.
    #[error("not an approval file: {0}")]
    Unreadable(String),
    /// Written by a later lockwise.
    #[error("its format is {0}, this lockwise reads format {FORMAT}")]
    Format(u32),
}

impl ApprovalFile {
    /// Returns the file of a statement that is not signed yet.
    pub fn unsigned(statement: &Statement) -> Self {
        Self { format: FORMAT, statement: statement.to_text(), signature: String::new() }
    }

    /// Reads the text of a file.
    pub fn parse(text: &str) -> Result<Self, BadApproval> {
        let unreadable = |error: serde_json::Error| BadApproval::Unreadable(error.to_string());
        let value: serde_json::Value = serde_json::from_str(text).map_err(unreadable)?;
        let format = value.get("format").and_then(serde_json::Value::as_u64).unwrap_or(0);
        if format != u64::from(FORMAT) {
            return Err(BadApproval::Format(u32::try_from(format).unwrap_or(u32::MAX)));
        }
        serde_json::from_value(value).map_err(unreadable)
    }

    /// Returns the text of the file.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

impl Statement {
    /// Returns the text that is signed: one fact a line.
    pub fn to_text(&self) -> String {
        let Binding { plan, server, base, policy, migrations } = &self.binding;
        let mut lines = vec![
            format!("lockwise approval {FORMAT}"),
            format!("plan: {plan}"),
            format!("server: {}", one_line(server)),
            format!("base: {base}"),
            format!("policy: {}", policy.as_ref().map_or("none", Digest::as_str)),
        ];
        for (version, raw) in migrations {
            lines.push(format!("migration: {raw} {}", one_line(version)));
        }
        lines.push(format!("target: {}", one_line(&self.target)));
        lines.extend(self.authors.iter().map(|author| format!("author: {}", one_line(author))));
        lines.push(format!("approver: {}", one_line(&self.approver)));
        lines.push(format!("signed-at: {}", self.signed_at));
        lines.push(format!("expires-at: {}", self.expires_at));
        lines.push(format!("comment: {}", one_line(&self.comment)));
        lines.join("\n") + "\n"
    }

    /// Reads a signed text; a line that is missing, unknown or out of place is refused.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n').peekable();
        let first = lines.next()?;
        (first == format!("lockwise approval {FORMAT}")).then_some(())?;
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(": ");
        let plan = field("plan")?.parse().ok()?;
        let server = field("server")?.to_owned();
        let base = field("base")?.parse().ok()?;
        let policy = match field("policy")? {
            "none" => None,
            digest => Some(digest.parse().ok()?),
        };
        let mut migrations = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with("migration: ")) {
            let (raw, version) = line.strip_prefix("migration: ")?.split_once(' ')?;
            migrations.push((version.to_owned(), raw.parse().ok()?));
        }
        let target = lines.next()?.strip_prefix("target: ")?.to_owned();
        let mut authors = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with("author: ")) {
            authors.push(line.strip_prefix("author: ")?.to_owned());
        }
        let approver = lines.next()?.strip_prefix("approver: ")?.to_owned();
        let signed_at = lines.next()?.strip_prefix("signed-at: ")?.parse().ok()?;
        let expires_at = lines.next()?.strip_prefix("expires-at: ")?.parse().ok()?;
        let comment = lines.next()?.strip_prefix("comment: ")?.to_owned();
        let binding = Binding { plan, server, base, policy, migrations };
        let statement = Self { binding, target, authors, approver, signed_at, expires_at, comment };
        (lines.next().is_none() && statement.to_text() == text).then_some(statement)
    }
}

/// Returns a text without line ends and other control characters, which could fake a line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement() -> Statement {
        Statement {
            binding: Binding {
                plan: Digest::of_bytes(b"plan"),
                server: "postgres 15".to_owned(),
                base: Digest::of_bytes(b"base"),
                policy: Some(Digest::of_bytes(b"policy")),
                migrations: vec![("0042 x".to_owned(), Digest::of_bytes(b"file"))],
            },
            target: "shop at db.shop.example".to_owned(),
            authors: vec!["joon@shop.example".to_owned()],
            approver: "mina@shop.example".to_owned(),
            signed_at: Instant::from_unix(0),
            expires_at: Instant::from_unix(60),
            comment: String::new(),
        }
    }

    #[test]
    fn a_statement_is_read_as_it_was_written() {
        let text = statement().to_text();
        assert_eq!(Statement::parse(&text), Some(statement()));
        let mut bare = statement();
        bare.binding.policy = None;
        bare.binding.migrations.clear();
        bare.authors.clear();
        assert_eq!(Statement::parse(&bare.to_text()), Some(bare));
    }

    #[test]
    fn no_value_can_fake_a_line() {
        let mut sly = statement();
        sly.comment = "fine\napprover: boss@shop.example".to_owned();
        let read = Statement::parse(&sly.to_text()).unwrap();
        assert_eq!(read.approver, "mina@shop.example");
    }

    #[test]
    fn other_lines_are_refused() {
        let text = statement().to_text();
        for changed in [
            text.replace("base:", "bass:"),
            text.clone() + "more: x\n",
            text.replace("approval 1", "approval 2"),
            text.trim_end().to_owned(),
        ] {
            assert_eq!(Statement::parse(&changed), None, "{changed}");
        }
    }

    #[test]
    fn files_of_the_first_format_are_read_and_later_ones_refused() {
        let file = ApprovalFile::unsigned(&statement());
        assert_eq!(ApprovalFile::parse(&file.to_text()), Ok(file));
        let later = "{\"format\": 2, \"statement\": \"\", \"signature\": \"\"}";
        assert_eq!(ApprovalFile::parse(later), Err(BadApproval::Format(2)));
        assert!(matches!(ApprovalFile::parse("{"), Err(BadApproval::Unreadable(_))));
    }
}
