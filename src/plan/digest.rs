//! Digests of bytes, of statements and of whole plans.
//!
//! A raw digest (`sha256:…`) changes with every byte. A semantic digest (`v1:…`) changes only when
//! the server could tell the difference: comments, white space, line ends, a byte order mark and
//! the case of keywords do not count, literals do. The algorithm's name is part of the text, so
//! that a later algorithm never passes for this one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::sql::{Lexer, Lexing, Script, ServerKind, Span, Token, TokenKind, TransactionMode};

/// A digest with the name of its algorithm: `sha256:<64 hex digits>` or `v1:<64 hex digits>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    /// Returns the raw digest of some bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(format!("sha256:{}", hex(&Sha256::digest(bytes))))
    }

    /// Returns the semantic digest of a section of a migration file.
    ///
    /// What is no statement but reaches the server or decides how it does (COPY data, psql
    /// commands, the transaction mode) counts as well.
    pub fn of_script(script: &Script, kind: ServerKind, mode: TransactionMode) -> Self {
        let mut canon = Canon::new("lockwise script");
        canon.text("mode", mode_word(mode));
        let text = script.section.source.text();
        for statement in &script.statements {
            canon.text("statement", &semantic_text(text, statement.span, kind));
        }
        for other in &script.others {
            if other.kind != crate::sql::PieceKind::Delimiter {
                canon.text("other", &unix_lines(script.slice(other.span)));
            }
        }
        canon.finish_as("v1")
    }

    /// Returns the semantic digest of one statement.
    pub fn of_statement(text: &str, span: Span, kind: ServerKind) -> Self {
        let mut canon = Canon::new("lockwise statement");
        canon.text("statement", &semantic_text(text, span, kind));
        canon.finish_as("v1")
    }

    /// Returns the whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first twelve hex digits, for people and file names.
    pub fn short(&self) -> &str {
        let hex = self.0.split_once(':').map_or(self.0.as_str(), |(_, hex)| hex);
        hex.get(..12).unwrap_or(hex)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl TryFrom<String> for Digest {
    type Error = BadDigest;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for Digest {
    type Err = BadDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadDigest(text.to_owned());
        let (algorithm, hex) = text.split_once(':').ok_or_else(bad)?;
        let known = matches!(algorithm, "sha256" | "v1");
        let digits = hex.len() == 64
            && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if known && digits { Ok(Self(text.to_owned())) } else { Err(bad()) }
    }
}

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a digest: it reads sha256: or v1: and 64 lower-case hex digits")]
pub struct BadDigest(pub String);

/// Feeds named, length-prefixed fields to SHA-256, so that no two inputs look the same.
#[derive(Debug)]
pub struct Canon(Sha256);

impl Canon {
    /// Returns an empty canonical form of that kind.
    pub fn new(kind: &str) -> Self {
        let mut canon = Self(Sha256::new());
        canon.text("kind", kind);
        canon
    }

    /// Adds a field.
    pub fn text(&mut self, name: &str, value: &str) {
        for part in [name, value] {
            self.0.update((part.len() as u64).to_be_bytes());
            self.0.update(part.as_bytes());
        }
    }

    /// Adds a list: its length first, then its entries.
    pub fn list<'a>(&mut self, name: &str, values: impl IntoIterator<Item = &'a str>) {
        let values: Vec<&str> = values.into_iter().collect();
        self.text(name, &values.len().to_string());
        for value in values {
            self.text("", value);
        }
    }

    /// Returns the digest of all fields.
    pub fn finish(self) -> Digest {
        self.finish_as("sha256")
    }

    fn finish_as(self, algorithm: &str) -> Digest {
        Digest(format!("{algorithm}:{}", hex(&self.0.finalize())))
    }
}

/// Returns bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

const fn mode_word(mode: TransactionMode) -> &'static str {
    match mode {
        TransactionMode::Wrapped => "wrapped",
        TransactionMode::Unwrapped => "unwrapped",
        TransactionMode::Grouped => "grouped",
    }
}

/// Returns the tokens of a place, one space between them, keywords in lower case.
fn semantic_text(text: &str, span: Span, kind: ServerKind) -> String {
    // The contents of every version comment count, whatever version reads them.
    let lexing = Lexing { kind, version_number: 999_999, ansi_quotes: false, placeholders: false };
    let mut lexer = Lexer::new(text.get(..span.end as usize).unwrap_or(text), lexing);
    lexer.seek(span.start as usize);
    let mut out = String::new();
    while let Some(token) = lexer.next_token() {
        if token.kind == TokenKind::Comment {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&semantic_token(text, token, kind));
    }
    out
}

fn semantic_token(text: &str, token: Token, kind: ServerKind) -> String {
    let written = text.get(token.span.start as usize..token.span.end as usize).unwrap_or("");
    match token.kind {
        TokenKind::Word if folds(written, kind) => written.to_ascii_lowercase(),
        TokenKind::Word
        | TokenKind::QuotedName
        | TokenKind::Number
        | TokenKind::Punctuation
        | TokenKind::Operator
        | TokenKind::Parameter
        | TokenKind::Variable
        | TokenKind::Stray => written.to_owned(),
        TokenKind::String
        | TokenKind::DollarString
        | TokenKind::Unterminated
        | TokenKind::Comment => unix_lines(written),
    }
}

/// Says whether the case of a word means nothing to the server.
///
/// PostgreSQL folds every unquoted word (manual 4.1.1). The others keep the case of names, and
/// MySQL on Linux tells `Users` from `users`: only words that are keywords first of all are folded.
fn folds(word: &str, kind: ServerKind) -> bool {
    kind == ServerKind::Postgres
        || KEYWORDS.binary_search(&word.to_ascii_lowercase().as_str()).is_ok()
}

fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// Words that nobody uses as an unquoted name on MySQL, MariaDB or SQLite. Sorted.
const KEYWORDS: &[&str] = &[
    "add",
    "after",
    "algorithm",
    "all",
    "alter",
    "and",
    "as",
    "asc",
    "auto_increment",
    "autoincrement",
    "before",
    "begin",
    "between",
    "bigint",
    "binary",
    "blob",
    "boolean",
    "by",
    "cascade",
    "case",
    "change",
    "char",
    "character",
    "charset",
    "check",
    "collate",
    "column",
    "commit",
    "conflict",
    "constraint",
    "convert",
    "create",
    "cross",
    "current_timestamp",
    "database",
    "datetime",
    "decimal",
    "default",
    "deferrable",
    "delete",
    "desc",
    "distinct",
    "double",
    "drop",
    "each",
    "else",
    "end",
    "engine",
    "enum",
    "exists",
    "fields",
    "float",
    "for",
    "foreign",
    "from",
    "fulltext",
    "function",
    "generated",
    "glob",
    "group",
    "having",
    "if",
    "immediate",
    "in",
    "index",
    "inner",
    "insert",
    "int",
    "integer",
    "into",
    "is",
    "join",
    "key",
    "left",
    "like",
    "limit",
    "longblob",
    "longtext",
    "mediumint",
    "mediumtext",
    "modify",
    "not",
    "null",
    "numeric",
    "on",
    "or",
    "order",
    "outer",
    "pragma",
    "primary",
    "procedure",
    "real",
    "references",
    "rename",
    "replace",
    "restrict",
    "right",
    "rollback",
    "row",
    "rowid",
    "select",
    "set",
    "smallint",
    "spatial",
    "stored",
    "strict",
    "table",
    "temporary",
    "text",
    "then",
    "timestamp",
    "tinyint",
    "to",
    "trigger",
    "truncate",
    "union",
    "unique",
    "unsigned",
    "update",
    "using",
    "values",
    "varbinary",
    "varchar",
    "view",
    "virtual",
    "when",
    "where",
    "with",
    "without",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{Section, Server, Source, parse};

    #[track_caller]
    fn script(text: &str, kind: ServerKind) -> Digest {
        let range = Span::new(0, u32::try_from(text.len()).unwrap());
        let section =
            Section { source: Source::new("m.sql", text), range, reading: Default::default() };
        Digest::of_script(&parse(section, Server::of(kind)), kind, TransactionMode::Grouped)
    }

    #[test]
    fn keywords_are_sorted() {
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn formatting_does_not_count() {
        let one = script("ALTER TABLE t ADD c int;", ServerKind::Postgres);
        let two = script("-- why\r\nalter  table T\r\n\tadd C INT\r\n;\r\n", ServerKind::Postgres);
        assert_eq!(one, two);
        assert!(one.as_str().starts_with("v1:"));
    }

    #[test]
    fn literals_count() {
        let of = |text| script(text, ServerKind::Postgres);
        assert_ne!(of("INSERT INTO t VALUES ('a')"), of("INSERT INTO t VALUES ('A')"));
        assert_ne!(of("SELECT 'a b'"), of("SELECT 'a  b'"));
        assert_eq!(of("SELECT 'a\r\nb'"), of("SELECT 'a\nb'"));
    }

    #[test]
    fn names_of_mysql_keep_their_case() {
        let of = |text| script(text, ServerKind::Mysql);
        assert_ne!(of("DROP TABLE Users"), of("DROP TABLE users"));
        assert_eq!(of("drop table users"), of("DROP TABLE users"));
    }

    #[test]
    fn statements_do_not_run_together() {
        let of = |text| script(text, ServerKind::Sqlite);
        assert_ne!(of("SELECT 1; SELECT 2"), of("SELECT 1 SELECT 2"));
    }

    #[test]
    fn digests_are_read_strictly() {
        let digest = Digest::of_bytes(b"");
        assert_eq!(digest.as_str().parse::<Digest>(), Ok(digest.clone()));
        assert_eq!(digest.short(), "e3b0c44298fc");
        assert!("md5:00".parse::<Digest>().is_err());
        assert!(digest.as_str().to_uppercase().parse::<Digest>().is_err());
    }
}
