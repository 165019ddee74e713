//! The allowed_signers file: which key belongs to whom (ssh-keygen(1), ALLOWED SIGNERS).

use ssh_key::{HashAlg, PublicKey};

use crate::plan::Instant;

/// All keys that may sign.
#[derive(Debug, Clone, Default)]
pub struct AllowedSigners(Vec<Signer>);

/// One line of the file.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The line, from 1.
    pub line: usize,
    /// People the key belongs to, as patterns.
    pub principals: Vec<String>,
    /// Namespaces the key may sign in; none means all.
    pub namespaces: Option<Vec<String>>,
    /// Signatures made earlier do not count.
    pub valid_after: Option<Instant>,
    /// Signatures made later do not count.
    pub valid_before: Option<Instant>,
    /// The key.
    pub key: PublicKey,
}

/// A file that cannot be read as allowed_signers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct BadSigners {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl AllowedSigners {
    /// Reads the text of the file. One bad line spoils the file: a signer who is missing by
    /// mistake is found now, not at two in the morning.
    pub fn parse(text: &str) -> Result<Self, BadSigners> {
        let mut signers = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let signer = Signer::parse(index + 1, line)
                .map_err(|reason| BadSigners { line: index + 1, reason })?;
            signers.push(signer);
        }
        Ok(Self(signers))
    }

    /// Returns every line that lists this key.
    pub fn of_key<'a>(
        &'a self,
        key: &'a ssh_key::public::KeyData,
    ) -> impl Iterator<Item = &'a Signer> {
        self.0.iter().filter(move |signer| signer.key.key_data() == key)
    }

    /// Returns all lines.
    pub fn iter(&self) -> std::slice::Iter<'_, Signer> {
        self.0.iter()
    }
}

impl Signer {
    fn parse(line: usize, text: &str) -> Result<Self, String> {
        let (principals, mut rest) = next_field(text);
        let mut signer = Self {
            line,
            principals: principals.trim_matches('"').split(',').map(str::to_owned).collect(),
            namespaces: None,
            valid_after: None,
            valid_before: None,
            key: PublicKey::new(ssh_key::public::KeyData::Ed25519(NO_KEY), ""),
        };
        let (field, after) = next_field(rest);
        if !is_key_type(field) {
            for option in split_options(field) {
                signer.option(option)?;
            }
            rest = after;
        }
        signer.key = PublicKey::from_openssh(rest).map_err(|error| {
            format!("expected a key type and a key after the people and options: {error}")
        })?;
        Ok(signer)
    }

    fn option(&mut self, option: &str) -> Result<(), String> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.trim_matches('"');
        let time = || {
            let bad = || format!("\"{value}\" is not a time: write YYYYMMDD or YYYYMMDDHHMM[SS]Z");
            Instant::from_compact(value).map(Some).ok_or_else(bad)
        };
        match name.to_ascii_lowercase().as_str() {
            "namespaces" => self.namespaces = Some(value.split(',').map(str::to_owned).collect()),
            "valid-after" => self.valid_after = time()?,
            "valid-before" => self.valid_before = time()?,
            "cert-authority" => {
                return Err("certificates are not supported: list the keys themselves".to_owned());
            }
            _ => return Err(format!("unknown option \"{name}\"")),
        }
        Ok(())
    }

    /// Says whether the line lists this person.
    pub fn is_for(&self, principal: &str) -> bool {
        matches_any(self.principals.iter().map(String::as_str), principal)
    }

    /// Says whether the line lets the key sign in a namespace.
    pub fn allows(&self, namespace: &str) -> bool {
        let listed = |list: &Vec<String>| matches_any(list.iter().map(String::as_str), namespace);
        self.namespaces.as_ref().is_none_or(listed)
    }

    /// Returns the fingerprint as ssh-keygen prints it.
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }
}

/// Stands in while the rest of a line is read.
const NO_KEY: ssh_key::public::Ed25519PublicKey = ssh_key::public::Ed25519PublicKey([0; 32]);

fn is_key_type(field: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"].iter().any(|prefix| field.starts_with(prefix))
}

/// Splits off the first field; white space in quotes does not end it.
fn next_field(text: &str) -> (&str, &str) {
    let mut quoted = false;
    let end = text.find(|c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    });
    let (field, rest) = text.split_at(end.unwrap_or(text.len()));
    (field, rest.trim_start())
}

/// Splits options at the commas that are not in quotes.
fn split_options(text: &str) -> Vec<&str> {
    let mut quoted = false;
    text.split(|c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
    .filter(|option| !option.is_empty())
    .collect()
}

/// Matches a list of patterns as OpenSSH does: `*` and `?`, and `!` refuses whatever else matches.
pub(super) fn matches_any<'a>(patterns: impl Iterator<Item = &'a str>, text: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(pattern.as_bytes(), text.as_bytes()) => return false,
            Some(_) => {}
            None => found |= matches(pattern.as_bytes(), text.as_bytes()),
        }
    }
    found
}

fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), None) => matches(rest, text),
        (Some((b'*', rest)), Some((_, after))) => matches(rest, text) || matches(pattern, after),
        (Some((b'?', rest)), Some((_, after))) => matches(rest, after),
        (Some((want, rest)), Some((found, after))) => want == found && matches(rest, after),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    #[test]
    fn lines_of_git_and_ssh_are_read() {
        let text = format!(
            "# the team\n\nmina@shop.example,*@dba.shop.example \
             namespaces=\"lockwise,git\",valid-after=20260101,valid-before=\"20270101000000Z\" \
             {KEY} laptop\njoon@shop.example {KEY}\n"
        );
        let signers = AllowedSigners::parse(&text).unwrap();
        let [first, second] = signers.0.as_slice() else { panic!("{signers:?}") };
        assert_eq!(first.line, 3);
        assert!(first.is_for("x@dba.shop.example"));
        assert!(first.allows("lockwise"));
        assert!(!first.allows("file"));
        assert_eq!(
            first.valid_after.map(|t| t.to_string()).as_deref(),
            Some("2026-01-01T00:00:00Z")
        );
        assert!(second.allows("anything"));
        assert_eq!(second.principals, ["joon@shop.example"]);
    }

    #[test]
    fn bad_lines_are_named() {
        for (text, reason) in [
            ("mina", "expected a key"),
            ("mina namespace=\"x\" ssh-ed25519 AAAA", "unknown option \"namespace\""),
            ("mina valid-after=soon ssh-ed25519 AAAA", "\"soon\" is not a time"),
            ("mina cert-authority ssh-ed25519 AAAA", "certificates"),
            ("mina ssh-ed25519 AAAA", "expected a key"),
        ] {
            let error = AllowedSigners::parse(&format!("\n{text}")).unwrap_err();
            assert_eq!(error.line, 2);
            assert!(error.reason.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn patterns_match_as_in_openssh() {
        let check = |patterns: &str, text| matches_any(patterns.split(','), text);
        assert!(check("a*c", "abbc"));
        assert!(check("a?c", "abc"));
        assert!(!check("a?c", "ac"));
        assert!(!check("*@x,!bad@x", "bad@x"));
        assert!(!check("!bad@x", "good@x"));
    }
}
