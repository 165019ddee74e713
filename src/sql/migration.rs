//! Migrations: what a folder of files holds, whoever's convention it follows.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::ast::Statement;
use super::source::{Source, Span};

/// The version of a migration as its file name writes it: `0042`, `20240131120000`, `1.2.1`.
///
/// Versions order by their numbers: `9` comes before `10`, and `1.9` before `1.10`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(Arc<str>);

impl Version {
    /// Returns the version of that text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares two texts as versions.
    pub(super) fn compare(left: &str, right: &str) -> Ordering {
        natural(left, right).then_with(|| left.cmp(right))
    }

    /// Returns a text that is the same for versions that tools take as one: `2` and `0002`.
    pub fn number(&self) -> String {
        self.parts().collect::<Vec<_>>().join(".")
    }

    /// Compares two versions; those that tools take as one are equal.
    pub fn compare_numbers(&self, other: &Self) -> Ordering {
        self.parts().cmp(other.parts())
    }

    fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('.').map(|part| part.trim_start_matches('0'))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        Self::compare(&self.0, &other.0)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares runs of digits as numbers and everything else as text.
fn natural(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left, right);
    while !left.is_empty() && !right.is_empty() {
        let ((a, left_rest), (b, right_rest)) = (run(left), run(right));
        let numbers = a.starts_with(|c: char| c.is_ascii_digit())
            && b.starts_with(|c: char| c.is_ascii_digit());
        let order = if numbers {
            let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
            a.len().cmp(&b.len()).then_with(|| a.cmp(b))
        } else {
            a.cmp(b)
        };
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    left.len().cmp(&right.len())
}

/// Splits off the leading run of digits or of anything else.
fn run(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    text.split_at(end)
}

/// Whose convention a file follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Convention {
    /// `<version>_<name>.sql` with optional `<version>_<name>.down.sql`.
    Lockwise,
    /// sqlx.
    Sqlx,
    /// refinery.
    Refinery,
    /// diesel.
    Diesel,
    /// golang-migrate.
    GolangMigrate,
    /// dbmate.
    Dbmate,
    /// goose.
    Goose,
    /// Flyway.
    Flyway,
    /// Prisma.
    Prisma,
    /// Atlas.
    Atlas,
    /// Rails' SQL files.
    Rails,
    /// pop and popx: `<version>_<name>.<server>.up.sql`.
    Pop,
    /// tern.
    Tern,
    /// graphile-migrate.
    Graphile,
    /// drizzle-kit.
    Drizzle,
    /// Liquibase's formatted SQL.
    Liquibase,
    /// Sqitch.
    Sqitch,
    /// Any other SQL file, in the order of its path.
    Plain,
    /// Standard input.
    Stdin,
}

impl Convention {
    /// Every convention that a folder can have, in the order in which they are listed to people.
    pub const ALL: [Self; 18] = [
        Self::Lockwise,
        Self::Sqlx,
        Self::Refinery,
        Self::Diesel,
        Self::GolangMigrate,
        Self::Dbmate,
        Self::Goose,
        Self::Flyway,
        Self::Prisma,
        Self::Atlas,
        Self::Rails,
        Self::Pop,
        Self::Tern,
        Self::Graphile,
        Self::Drizzle,
        Self::Liquibase,
        Self::Sqitch,
        Self::Plain,
    ];

    /// Says whether two migrations with one version are a mistake: the tool knows them by it.
    pub const fn has_unique_versions(self) -> bool {
        match self {
            Self::Lockwise
            | Self::Sqlx
            | Self::Refinery
            | Self::Diesel
            | Self::GolangMigrate
            | Self::Dbmate
            | Self::Goose
            | Self::Flyway
            | Self::Atlas
            | Self::Rails
            | Self::Pop
            | Self::Tern
            | Self::Graphile => true,
            Self::Prisma
            | Self::Drizzle
            | Self::Liquibase
            | Self::Sqitch
            | Self::Plain
            | Self::Stdin => false,
        }
    }

    /// Says whether one file holds several migrations.
    pub const fn shares_files(self) -> bool {
        matches!(self, Self::Liquibase)
    }

    /// Says whether its tool keeps a list of its files, in which a new one would be missing.
    pub const fn keeps_a_list(self) -> bool {
        matches!(self, Self::Graphile | Self::Drizzle | Self::Liquibase | Self::Sqitch)
    }

    /// Returns the convention of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|convention| convention.as_str() == name)
    }

    /// Returns the name used in configuration, in JSON and in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lockwise => "lockwise",
            Self::Sqlx => "sqlx",
            Self::Refinery => "refinery",
            Self::Diesel => "diesel",
            Self::GolangMigrate => "golang-migrate",
            Self::Dbmate => "dbmate",
            Self::Goose => "goose",
            Self::Flyway => "flyway",
            Self::Prisma => "prisma",
            Self::Atlas => "atlas",
            Self::Rails => "rails",
            Self::Pop => "pop",
            Self::Tern => "tern",
            Self::Graphile => "graphile",
            Self::Drizzle => "drizzle",
            Self::Liquibase => "liquibase",
            Self::Sqitch => "sqitch",
            Self::Plain => "plain",
            Self::Stdin => "stdin",
        }
    }
}

/// Who opens a transaction around the statements of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionMode {
    /// The tool wraps the whole file in one transaction; a statement that refuses it fails.
    Wrapped,
    /// Nobody: each statement commits by itself unless the file says BEGIN.
    Unwrapped,
    /// lockwise's own runner: neighbours that allow it share a transaction, the others stand alone.
    Grouped,
}

/// A part of a file: the up or the down section.
#[derive(Debug, Clone)]
pub struct Section {
    /// The file.
    pub source: Source,
    /// The part of it.
    pub range: Span,
    /// How its tool reads it.
    pub reading: Reading,
}

/// What a tool's markers say about how a text falls into statements.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Places that are sent as they are, whatever they hold: goose's `StatementBegin` …
    /// `StatementEnd`, Liquibase's `splitStatements:false`. Sorted, without overlaps.
    pub blocks: Vec<Span>,
    /// Places within the range that belong to other sections. Sorted, without overlaps.
    pub skipped: Vec<Span>,
    /// What ends a statement besides the semicolon.
    pub delimiter: Option<Delimiter>,
    /// `DELIMITER` lines are read, whatever the server's own client does with them.
    pub delimiter_lines: bool,
    /// The tool puts something in place of `${name}` before the server sees it.
    pub placeholders: bool,
    /// Its statements stand in comments: Liquibase's `--rollback` lines.
    pub in_comments: bool,
}

/// What ends a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delimiter {
    /// The text.
    pub text: String,
    /// It counts only alone on its line.
    pub own_line: bool,
}

/// One migration: a file, or a folder with a file, read and parsed.
#[derive(Debug, Clone)]
pub struct Migration {
    /// Its version; empty for plain files and standard input.
    pub version: Version,
    /// Its name without version and suffix.
    pub name: String,
    /// Whose convention it follows.
    pub convention: Convention,
    /// Who opens a transaction.
    pub transaction: TransactionMode,
    /// Where the transaction mode is written, when a marker says it.
    pub marker: Option<Span>,
    /// It runs again whenever it changes (Flyway's `R__`).
    pub repeatable: bool,
    /// What runs before it is not all known: the file of a migration is not there, or only the
    /// names of files tell their order.
    pub after_unknown: bool,
    /// The statements that change the schema.
    pub up: Script,
    /// The statements that change it back, where the author wrote them.
    pub down: Option<Script>,
}

/// A section, split and parsed.
#[derive(Debug, Clone)]
pub struct Script {
    /// The text.
    pub section: Section,
    /// Its statements in order.
    pub statements: Vec<Statement>,
    /// How many more there are that only repeat the ones before them, where that was asked.
    pub repeated: usize,
    /// Its comments in order.
    pub comments: Vec<Span>,
    /// What is there besides: psql meta-commands, COPY data, DELIMITER lines.
    pub others: Vec<super::split::Piece>,
}

impl Script {
    /// Returns the text of a place.
    pub fn slice(&self, span: Span) -> &str {
        self.section.source.slice(span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_order_by_number() {
        let mut versions = ["10", "9", "0042", "1.10", "1.9", "20240131"].map(Version::new);
        versions.sort();
        let texts: Vec<&str> = versions.iter().map(Version::as_str).collect();
        assert_eq!(texts, ["1.9", "1.10", "9", "10", "0042", "20240131"]);
    }
}
