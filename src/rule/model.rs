//! What a rule is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::effect::{Algorithm, During, HeldUntil, LockMode, OnlineLock};
use crate::sql::ast::ObjectKind;
use crate::sql::{ServerKind, ServerVersion};

/// How loud a finding is; later variants are louder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Hurts briefly, or only some.
    Warning,
    /// Stops readers or writers for long, loses data, or fails.
    Error,
}

impl Severity {
    /// Every severity, quietest first.
    pub const ALL: [Self; 3] = [Self::Note, Self::Warning, Self::Error];

    /// Returns the word used in rule files, configuration and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// Returns the severity of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == word)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One rule, as its file says.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Names what is found; the file stem.
    pub id: String,
    /// The version of lockwise that had it first.
    pub since: String,
    /// How loud it is unless lockwise.toml says otherwise.
    pub severity: Severity,
    /// A matter of taste or house style: off until switched on.
    pub policy: bool,
    /// The servers it speaks of.
    pub servers: Vec<ServerKind>,
    /// Server versions it is limited to.
    pub versions: BTreeMap<ServerKind, VersionRange>,
    /// What was found, one line.
    pub title: String,
    /// The finding's message with `{placeholders}`; without it the effect speaks for itself.
    pub message: Option<String>,
    /// What hurts whom for how long.
    pub why: String,
    /// What to write, or that there is no safe way.
    pub instead: std::sync::Arc<str>,
    /// Ids it had before.
    pub aliases: Vec<String>,
    /// What other linters call it, as `tool:name`.
    pub known_as: Vec<String>,
    /// One finding stands for all of this kind.
    pub once: Option<Once>,
    /// Whether it may stand at the head of a finding.
    pub leads: Leads,
    /// Values that lockwise.toml may change, with their defaults.
    pub options: BTreeMap<String, OptionValue>,
    /// The effect must satisfy one of these.
    pub matches: Vec<Match>,
    /// Its tests.
    pub examples: Vec<Example>,
}

/// How far one finding of a rule reaches: what it says of the first holds of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Once {
    /// For a table in a migration.
    Table,
    /// For a migration.
    Migration,
}

/// Whether a rule may stand at the head of a finding, or is told under that of another rule on
/// the same clause; later variants stand back further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leads {
    /// As its severity says.
    Always,
    /// Only where no other rule speaks of the clause.
    Alone,
    /// Never: it adds to what others say, and says nothing by itself.
    Never,
}

/// A value that lockwise.toml may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionValue {
    /// A number.
    Number(u64),
    /// A regular expression or another text.
    Text(String),
    /// A list of words.
    List(Vec<String>),
}

impl OptionValue {
    /// Names the kind of value for messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list of texts",
        }
    }
}

/// Versions from one (included) up to another (excluded).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VersionRange {
    /// `>=`.
    pub from: Option<ServerVersion>,
    /// `<`.
    pub below: Option<ServerVersion>,
}

impl VersionRange {
    /// Reads `>=12`, `<8.0.29` or `>=14, <14.4`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut range = Self::default();
        for part in text.split(',').map(str::trim) {
            if let Some(version) = part.strip_prefix(">=") {
                range.from = Some(version.parse().ok()?);
            } else if let Some(version) = part.strip_prefix('<') {
                range.below = Some(version.parse().ok()?);
            } else {
                return None;
            }
        }
        Some(range)
    }

    /// Says whether a version lies in the range.
    pub fn contains(self, version: ServerVersion) -> bool {
        self.from.is_none_or(|from| version >= from)
            && self.below.is_none_or(|below| version < below)
    }
}

/// A number in a match, or the option that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Number {
    /// Written in the rule.
    Fixed(u64),
    /// `"$name"`.
    Option(String),
}

/// A regular expression in a match, or the option that holds it.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// Written in the rule.
    Fixed(regex::Regex),
    /// `"$name"`.
    Option(String),
}

/// A list in a match, or the option that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    /// Written in the rule.
    Fixed(Vec<String>),
    /// `"$name"`.
    Option(String),
}

/// Which kind of effect a match is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EffectWord {
    /// A lock.
    Lock,
    /// A rewrite.
    Rewrite,
    /// A scan.
    Scan,
    /// An index build.
    IndexBuild,
    /// A loss.
    Loss,
    /// A break of running code.
    Break,
    /// A failure.
    Failure,
    /// Something left behind.
    LeftBehind,
    /// A plain fact about what is written.
    Declares,
    /// A session command, a setting, a place in a transaction or in the set of migrations.
    Session,
    /// A statement that was not analysed.
    Unknown,
}

impl EffectWord {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Lock,
        Self::Rewrite,
        Self::Scan,
        Self::IndexBuild,
        Self::Loss,
        Self::Break,
        Self::Failure,
        Self::LeftBehind,
        Self::Declares,
        Self::Session,
        Self::Unknown,
    ];

    /// Returns the word used in rule files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::Rewrite => "rewrite",
            Self::Scan => "scan",
            Self::IndexBuild => "index-build",
            Self::Loss => "loss",
            Self::Break => "break",
            Self::Failure => "failure",
            Self::LeftBehind => "left-behind",
            Self::Declares => "declares",
            Self::Session => "session",
            Self::Unknown => "unknown",
        }
    }
}

/// Whom a lock stops at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blocks {
    /// Readers wait, and writers with them.
    Reads,
    /// Writers wait, whether readers do or not.
    Writes,
    /// Writers wait and readers do not.
    WritesOnly,
    /// Neither waits.
    Nothing,
}

/// Which tables a match is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableWord {
    /// It was there before the migration and is not known to be empty.
    Existing,
    /// It was made in the same migration.
    New,
    /// It may hold rows: existing, or made and filled in the same migration.
    Filled,
    /// It was there before and is known to be empty.
    Empty,
}

/// One set of conditions. All that are given must hold for the same effect.
#[derive(Debug, Clone)]
pub struct Match {
    /// `effect`.
    pub effect: EffectWord,
    /// `cause`, `how`, `what` or `when`, whichever the effect has; empty for any.
    pub words: Vec<String>,
    /// `blocks`: of the lock, or of the strongest lock on the same table in the statement.
    pub blocks: Option<Blocks>,
    /// `during`: what is done under the lock.
    pub during: Vec<During>,
    /// `mode`: the lock's name.
    pub modes: Vec<LockMode>,
    /// `held_until`.
    pub held_until: Option<HeldUntil>,
    /// `table`; empty for any.
    pub tables: Vec<TableWord>,
    /// `object`; empty for any.
    pub objects: Vec<ObjectKind>,
    /// `rows_over`; a table of unknown size counts as larger.
    pub rows_over: Option<Number>,
    /// `bytes_over`; a table of unknown size counts as larger.
    pub bytes_over: Option<Number>,
    /// `algorithm`: of the statement.
    pub algorithms: Vec<Algorithm>,
    /// `online_lock`: of the statement.
    pub online_locks: Vec<OnlineLock>,
    /// `beside`: another effect of the same statement has one of these causes.
    pub beside: Vec<String>,
    /// `true` and `false` keys by name.
    pub flags: BTreeMap<Flag, bool>,
    /// `name_like`, `name_unlike`: on the last part of the object's name.
    pub name: TextMatch,
    /// `value_like`, `value_unlike`, `value_in`, `value_not_in`: on the value.
    pub value: TextMatch,
    /// `path_like`, `path_unlike`: on the file's path.
    pub path: TextMatch,
    /// `number_over`.
    pub number_over: Option<Number>,
    /// `number_under`.
    pub number_under: Option<Number>,
}

/// Conditions on a text. Lists and texts compare without regard to case.
#[derive(Debug, Clone, Default)]
pub struct TextMatch {
    /// The pattern must be found.
    pub like: Option<Pattern>,
    /// The pattern must not be found.
    pub unlike: Option<Pattern>,
    /// The text must be one of these.
    pub one_of: Option<Words>,
    /// The text must be none of these.
    pub none_of: Option<Words>,
}

/// Keys of a match that are true or false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flag {
    /// The failure does not depend on data.
    Certain,
    /// The loss was not named in the statement.
    Cascade,
    /// Rows or values are lost, not only a definition.
    Rows,
    /// The index is built concurrently.
    Concurrent,
    /// The lock is on an index.
    Index,
    /// The statement runs in a transaction.
    InTransaction,
    /// MySQL, MariaDB: the statement builds the table anew.
    Rebuilds,
    /// A timeout ends the wait for locks.
    LockTimeout,
    /// How many rows the table has is known.
    RowsKnown,
}

impl Flag {
    /// Every flag.
    pub const ALL: [Self; 9] = [
        Self::Certain,
        Self::Cascade,
        Self::Rows,
        Self::Concurrent,
        Self::Index,
        Self::InTransaction,
        Self::Rebuilds,
        Self::LockTimeout,
        Self::RowsKnown,
    ];

    /// Returns the key.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Cascade => "cascade",
            Self::Rows => "rows",
            Self::Concurrent => "concurrent",
            Self::Index => "index",
            Self::InTransaction => "in_transaction",
            Self::Rebuilds => "rebuilds",
            Self::LockTimeout => "lock_timeout",
            Self::RowsKnown => "rows_known",
        }
    }
}

/// One example: documentation and test.
///
/// Texts may hold several files, each begun by a line `-- file: 0002_name.sql`.
#[derive(Debug, Clone)]
pub struct Example {
    /// What is special about it.
    pub name: String,
    /// The servers it is for; empty for all of the rule's.
    pub servers: Vec<ServerKind>,
    /// The server version, where the default one will not do.
    pub version: Option<ServerVersion>,
    /// `wrapped`, `unwrapped` or `grouped` (as lockwise runs it, the default).
    pub transaction: crate::sql::TransactionMode,
    /// Rows of tables, where the example is about size.
    pub rows: BTreeMap<String, u64>,
    /// Settings of the server, where the example is about them.
    pub settings: BTreeMap<String, String>,
    /// Options of the rule for this example.
    pub options: BTreeMap<String, OptionValue>,
    /// Why a real server cannot run it; empty where it can.
    pub not_run: Option<String>,
    /// Earlier migrations.
    pub given: Option<String>,
    /// What fires the rule.
    pub bad: Option<String>,
    /// What does the same job and fires no rule.
    pub good: Option<String>,
}

impl Rule {
    /// Says whether it speaks of that kind and version of server.
    pub fn covers(&self, server: crate::sql::Server) -> bool {
        self.servers.contains(&server.kind)
            && self.versions.get(&server.kind).is_none_or(|range| range.contains(server.version))
    }

    /// Returns the id and every former one.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.aliases.iter().map(String::as_str))
    }

    /// Returns the names of options that its matches use.
    pub fn used_options(&self) -> BTreeSet<&str> {
        self.matches.iter().flat_map(Match::used_options).collect()
    }
}

impl Match {
    /// Returns the names of options that it uses.
    pub fn used_options(&self) -> Vec<&str> {
        let numbers = [&self.rows_over, &self.bytes_over, &self.number_over, &self.number_under];
        let mut names: Vec<&str> = numbers
            .into_iter()
            .filter_map(|number| match number {
                Some(Number::Option(name)) => Some(name.as_str()),
                Some(Number::Fixed(_)) | None => None,
            })
            .collect();
        for text in [&self.name, &self.value, &self.path] {
            for pattern in [&text.like, &text.unlike] {
                if let Some(Pattern::Option(name)) = pattern {
                    names.push(name);
                }
            }
            for words in [&text.one_of, &text.none_of] {
                if let Some(Words::Option(name)) = words {
                    names.push(name);
                }
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_ranges() {
        let inside = |range: &str, version: &str| {
            VersionRange::parse(range)
                .is_some_and(|range| version.parse().is_ok_and(|version| range.contains(version)))
        };
        assert!(inside(">=14, <14.4", "14.3"));
        assert!(!inside(">=14, <14.4", "14.4"));
        assert!(inside("<8.0.29", "8.0.28"));
        assert!(VersionRange::parse("12").is_none());
    }
}
