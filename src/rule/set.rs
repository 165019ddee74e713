//! The rules in force: built in, the user's own, and what lockwise.toml says about each.

use std::collections::BTreeMap;

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::builtin::BUILTIN;
use super::load::load;
use super::model::{Leads, Match, OptionValue, Rule, Severity};
use super::read::RuleError;
use crate::sql::nearest;

/// Rules and their settings, in the order of their ids.
#[derive(Debug, Clone)]
pub struct RuleSet {
    rules: Vec<RuleInForce>,
    /// Known tables with at most so many rows are small: what a lock there costs is told as a note.
    pub small_rows: u64,
}

/// A rule and what the configuration makes of it.
#[derive(Debug, Clone)]
pub struct RuleInForce {
    /// The rule as its file says.
    pub rule: Rule,
    /// It looks for findings.
    pub enabled: bool,
    /// How loud it is.
    pub severity: Severity,
    /// Whether it may stand at the head of a finding: always where lockwise.toml switches it on.
    pub leads: Leads,
    /// Its options.
    pub options: BTreeMap<String, OptionValue>,
    /// Its conditions with the options put in.
    pub(super) matches: Vec<Match>,
    /// Files it does not speak of.
    ignored: GlobSet,
}

/// What lockwise.toml says about one rule.
#[derive(Debug, Clone, Default)]
pub struct RuleSettings {
    /// Off, on, or on with another severity.
    pub level: Option<Level>,
    /// Values for its options.
    pub options: BTreeMap<String, OptionValue>,
    /// Globs of files it does not speak of.
    pub ignore: Vec<String>,
}

/// Whether a rule looks for findings, and how loud they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Silent.
    Off,
    /// As loud as its file says.
    On,
    /// As loud as this.
    At(Severity),
}

impl Level {
    /// Returns the level of a word in lockwise.toml.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "off" => Some(Self::Off),
            "on" => Some(Self::On),
            _ => Severity::from_word(word).map(Self::At),
        }
    }

    /// The words there are.
    pub const WORDS: [&'static str; 5] = ["off", "on", "note", "warning", "error"];
}

/// A setting that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// No rule has that id.
    #[error("there is no rule \"{id}\"")]
    UnknownRule {
        /// The id.
        id: String,
        /// The nearest known one.
        nearest: Option<String>,
    },
    /// The rule has no such option.
    #[error("the rule {rule} has no option \"{option}\"")]
    UnknownOption {
        /// The rule.
        rule: String,
        /// The option.
        option: String,
        /// The nearest known one.
        nearest: Option<String>,
    },
    /// The value does not fit.
    #[error("{message}")]
    BadValue {
        /// What is wrong.
        message: String,
    },
}

impl SettingError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownRule { nearest: Some(near), .. }
            | Self::UnknownOption { nearest: Some(near), .. } => Some(format!("write {near}")),
            Self::UnknownRule { nearest: None, .. } => {
                Some("run `lockwise rules` for the list".to_owned())
            }
            Self::UnknownOption { nearest: None, rule, .. } => {
                Some(format!("run `lockwise explain {rule}` for its options"))
            }
            Self::BadValue { .. } => None,
        }
    }
}

impl RuleSet {
    /// Returns the built-in rules with their own settings.
    pub fn builtin() -> Result<Self, Vec<RuleError>> {
        let mut set = Self::empty();
        let mut errors = Vec::new();
        for (stem, text) in BUILTIN {
            if let Err(found) = set.add(&format!("rules/{stem}.toml"), stem, text) {
                errors.extend(found);
            }
        }
        if errors.is_empty() { Ok(set) } else { Err(errors) }
    }

    /// Returns a set without rules.
    pub const fn empty() -> Self {
        Self { rules: Vec::new(), small_rows: 10_000 }
    }

    /// Adds a rule from the text of its file; `stem` is the file's name without `.toml`.
    ///
    /// A rule with the id of another takes its place: users replace built-in rules that way.
    pub fn add(&mut self, path: &str, stem: &str, text: &str) -> Result<(), Vec<RuleError>> {
        let rule = load(path, stem, text)?;
        let matches = rule.matches.iter().map(|found| found.resolve(&rule.options));
        let matches = matches.collect::<Result<Vec<Match>, String>>().map_err(|message| {
            vec![RuleError { path: path.to_owned(), line: 1, column: 1, message, hint: None }]
        })?;
        let in_force = RuleInForce {
            enabled: !rule.policy,
            severity: rule.severity,
            leads: rule.leads,
            options: rule.options.clone(),
            matches,
            ignored: GlobSet::empty(),
            rule,
        };
        match self.rules.binary_search_by(|known| known.rule.id.cmp(&in_force.rule.id)) {
            Ok(at) => {
                if let Some(known) = self.rules.get_mut(at) {
                    *known = in_force;
                }
            }
            Err(at) => self.rules.insert(at, in_force),
        }
        Ok(())
    }

    /// Applies what lockwise.toml says about a rule.
    pub fn configure(&mut self, id: &str, settings: &RuleSettings) -> Result<(), SettingError> {
        let Some(at) = self.position(id) else {
            return Err(SettingError::UnknownRule { id: id.to_owned(), nearest: self.nearest(id) });
        };
        let Some(rule) = self.rules.get_mut(at) else { return Ok(()) };
        match settings.level {
            Some(Level::Off) => rule.enabled = false,
            Some(Level::On) => {
                rule.enabled = true;
                rule.leads = Leads::Always;
            }
            Some(Level::At(severity)) => {
                rule.enabled = true;
                rule.leads = Leads::Always;
                rule.severity = severity;
            }
            None => {}
        }
        rule.set_options(&settings.options)?;
        rule.ignored = globs(&settings.ignore)?;
        Ok(())
    }

    fn position(&self, id: &str) -> Option<usize> {
        self.rules.iter().position(|rule| rule.rule.names().any(|name| name == id))
    }

    /// Returns a rule by its id or a former one.
    pub fn get(&self, id: &str) -> Option<&RuleInForce> {
        self.position(id).and_then(|at| self.rules.get(at))
    }

    /// Returns all rules in the order of their ids, those that are off too.
    pub fn iter(&self) -> impl Iterator<Item = &RuleInForce> {
        self.rules.iter()
    }

    /// Returns the id nearest to a mistyped one.
    pub fn nearest(&self, id: &str) -> Option<String> {
        let names = self.rules.iter().flat_map(|rule| rule.rule.names());
        nearest(id, names).first().map(|&near| near.to_owned())
    }
}

impl RuleInForce {
    fn set_options(&mut self, values: &BTreeMap<String, OptionValue>) -> Result<(), SettingError> {
        for (name, value) in values {
            if !self.options.contains_key(name) {
                let known = self.options.keys().map(String::as_str);
                return Err(SettingError::UnknownOption {
                    rule: self.rule.id.clone(),
                    option: name.clone(),
                    nearest: nearest(name, known).first().map(|&near| near.to_owned()),
                });
            }
            self.options.insert(name.clone(), value.clone());
        }
        let matches = self.rule.matches.iter().map(|found| found.resolve(&self.options));
        self.matches = matches
            .collect::<Result<_, String>>()
            .map_err(|message| SettingError::BadValue { message })?;
        Ok(())
    }

    /// Says whether the rule speaks of that file.
    pub fn speaks_of(&self, path: &str) -> bool {
        !self.ignored.is_match(path)
    }
}

fn globs(patterns: &[String]) -> Result<GlobSet, SettingError> {
    let bad = |error: globset::Error| SettingError::BadValue { message: error.to_string() };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern).map_err(bad)?);
    }
    set.build().map_err(bad)
}
