//! `lockwise.toml`, read strictly.
//!
//! In: the text of the file. Out: a [`Config`], or every mistake in it at once, each with its line
//! and the nearest known name. Paths are as written: relative to the folder of the file.
//!
//! | key | meaning | default |
//! |---|---|---|
//! | `dir` | folder of the migrations | `migrations` |
//! | `convention` | whose convention it follows: `lockwise`, `sqlx`, `flyway`, … | found by names and markers |
//! | `server`, `server_version` | what the SQL is meant for | from the URL, else from the files |
//! | `url`, `url_env` | database, or the variable that holds its URL | `DATABASE_URL` |
//! | `password_file` | file whose first line is the password | – |
//! | `rules` | folders and files of own rules | `[]` |
//! | `enable`, `disable` | rules to switch on and off | `[]` |
//! | `fail_on` | what makes `lint` exit with 1: `error`, `warning`, `note`, `never` | `error` |
//! | `small_rows` | tables with at most so many rows are small | `10000` |
//! | `history` | files and folders that come before those that are judged | `[]` |
//! | `snapshot` | schema and sizes of the database, from `lockwise snapshot` | – |
//! | `baseline` | file of accepted findings | – |
//! | `adopt_comments` | comments of other linters silence findings | `false` |
//! | `[rule.<id>]` | `severity` (`off`, `on`, `note`, `warning`, `error`), `ignore` (globs), `options` | – |
//! | `[runner]` | see [`Runner`] | – |
//! | `[targets]` | see [`Targets`] | one database |
//! | `[approval]` | see [`Policy`] | no approval needed |

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::plan::approval::Policy;
use crate::rule::{
    Level, OptionValue, Placed, Reader, RuleSet, RuleSettings, SettingError, Severity, Table,
    option_value,
};
use crate::sql::{Convention, ServerKind, ServerVersion};

mod online;
mod runner;
mod targets;

pub use crate::rule::RuleError as ConfigError;
pub use crate::sql::duration;
pub use runner::{Cancel, Runner, Shadow};
pub use targets::{OnFailure, Targets};

/// What `lockwise.toml` says. The default is what holds without a file.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Folder of the migrations.
    pub dir: Option<PathBuf>,
    /// Whose convention it follows.
    pub convention: Option<Convention>,
    /// What the SQL is meant for.
    pub server: Option<ServerKind>,
    /// In which version.
    pub server_version: Option<ServerVersion>,
    /// The database.
    pub url: Option<String>,
    /// The environment variable that holds its URL.
    pub url_env: Option<String>,
    /// The file whose first line is the password.
    pub password_file: Option<PathBuf>,
    /// Folders and files of own rules.
    pub rules: Vec<PathBuf>,
    /// What makes `lint` say no.
    pub fail_on: FailOn,
    /// Tables with at most so many rows are small.
    pub small_rows: Option<u64>,
    /// Files and folders before those that are judged.
    pub history: Vec<PathBuf>,
    /// Schema and sizes of the database.
    pub snapshot: Option<PathBuf>,
    /// File of accepted findings.
    pub baseline: Option<PathBuf>,
    /// Comments of other linters silence findings.
    pub adopt_comments: bool,
    /// How migrations run.
    pub runner: Runner,
    /// Many databases that get the same migrations.
    pub targets: Option<Targets>,
    /// Who has to agree.
    pub approval: Option<Policy>,
    /// What is said of single rules, with the place where it is said.
    settings: Vec<(String, RuleSettings, Position)>,
    path: String,
}

/// A line and a column.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    line: u32,
    column: u32,
}

/// From which severity on findings make `lint` say no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailOn {
    /// Errors.
    #[default]
    Error,
    /// Errors and warnings.
    Warning,
    /// Any finding.
    Note,
    /// Nothing.
    Never,
}

impl FailOn {
    /// The words there are.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("error", Self::Error),
        ("warning", Self::Warning),
        ("note", Self::Note),
        ("never", Self::Never),
    ];

    /// Says whether a finding of that severity blocks.
    pub fn blocks(self, severity: Severity) -> bool {
        match self {
            Self::Error => severity >= Severity::Error,
            Self::Warning => severity >= Severity::Warning,
            Self::Note => true,
            Self::Never => false,
        }
    }
}

impl Config {
    /// Reads the text of a file.
    pub fn parse(path: &str, text: &str) -> Result<Self, Vec<ConfigError>> {
        let mut reader = Reader::new(path, text);
        let Some(parsed) = reader.parse(text) else { return Err(reader.errors) };
        let mut table = Table::new("lockwise.toml", parsed.get_ref(), 0..0);
        let mut config = read(&mut reader, &mut table, path);
        config.approval = approval(&mut reader, &mut table, text);
        table.finish(&mut reader);
        if reader.errors.is_empty() {
            Ok(config)
        } else {
            reader.errors.sort_by_key(|error| (error.line, error.column));
            Err(reader.errors)
        }
    }

    /// Sets the rules as the file says. A rule that there is not is an error with its place.
    pub fn configure(&self, rules: &mut RuleSet) -> Result<(), Vec<ConfigError>> {
        if let Some(rows) = self.small_rows {
            rules.small_rows = rows;
        }
        let mut errors = Vec::new();
        for (id, settings, at) in &self.settings {
            if let Err(error) = rules.configure(id, settings) {
                errors.push(self.error(&error, *at));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn error(&self, error: &SettingError, at: Position) -> ConfigError {
        ConfigError {
            path: self.path.clone(),
            line: at.line,
            column: at.column,
            message: error.to_string(),
            hint: error.hint(),
        }
    }
}

fn read(reader: &mut Reader, table: &mut Table<'_>, path: &str) -> Config {
    let file = |text: Option<Placed<String>>| text.map(|(text, _)| PathBuf::from(text));
    let servers = ServerKind::ALL.map(|kind| (kind.as_str(), kind));
    let conventions = Convention::ALL.map(|convention| (convention.as_str(), convention));
    let plain = |text: Option<Placed<String>>| text.map(|(text, _)| text);
    let mut config = Config {
        path: path.to_owned(),
        dir: file(table.text(reader, "dir")),
        convention: table.words(reader, "convention", &conventions).first().copied(),
        server: table.words(reader, "server", &servers).first().copied(),
        server_version: version(reader, table),
        url: plain(table.text(reader, "url")),
        url_env: plain(table.text(reader, "url_env")),
        password_file: file(table.text(reader, "password_file")),
        fail_on: table
            .words(reader, "fail_on", &FailOn::WORDS)
            .first()
            .copied()
            .unwrap_or_default(),
        small_rows: number(reader, table, "small_rows"),
        history: paths(reader, table, "history"),
        snapshot: file(table.text(reader, "snapshot")),
        baseline: file(table.text(reader, "baseline")),
        adopt_comments: table.flag(reader, "adopt_comments").unwrap_or_default(),
        ..Config::default()
    };
    for (key, level) in [("disable", Level::Off), ("enable", Level::On)] {
        for (id, span) in table.texts(reader, key) {
            let settings = RuleSettings { level: Some(level), ..RuleSettings::default() };
            config.settings.push((id, settings, place(reader, &span)));
        }
    }
    // `rules = […]` names files; `[rules.<id>]` is understood as `[rule.<id>]`.
    let is_table = table.value("rules").is_some_and(|value| value.get_ref().as_table().is_some());
    if is_table {
        rule_settings(reader, table, "rules", &mut config.settings);
    } else {
        config.rules = paths(reader, table, "rules");
    }
    rule_settings(reader, table, "rule", &mut config.settings);
    if let Some(section) = table.table(reader, "runner", "[runner]") {
        config.runner = runner::read(reader, section);
    }
    config.targets =
        table.table(reader, "targets", "[targets]").map(|section| targets::read(reader, section));
    config
}

fn place(reader: &Reader, span: &std::ops::Range<usize>) -> Position {
    let position = reader.position(span);
    Position { line: position.line, column: position.column }
}

fn version(reader: &mut Reader, table: &mut Table<'_>) -> Option<ServerVersion> {
    let value = table.value("server_version")?;
    // `server_version = 15` and `10.11` are what people write first; both are taken at their text.
    let written = value.get_ref();
    let number = written.as_integer().map(|number| number.as_str());
    let number = number.or_else(|| written.as_float().map(|number| number.as_str()));
    let text = number.or_else(|| written.as_str()).unwrap_or("").to_owned();
    match text.parse() {
        Ok(version) => Some(version),
        Err(error) => {
            let error: crate::sql::BadVersion = error;
            reader.error(&value.span(), error.to_string(), None);
            None
        }
    }
}

fn number(reader: &mut Reader, table: &mut Table<'_>, key: &'static str) -> Option<u64> {
    let value = table.value(key)?;
    match option_value(value.get_ref()) {
        Some(OptionValue::Number(number)) => Some(number),
        Some(OptionValue::Text(_) | OptionValue::List(_)) | None => {
            reader.error(&value.span(), format!("{key} is a whole number from 0 on"), None);
            None
        }
    }
}

fn paths(reader: &mut Reader, table: &mut Table<'_>, key: &'static str) -> Vec<PathBuf> {
    table.texts(reader, key).into_iter().map(|(path, _)| PathBuf::from(path)).collect()
}

/// Reads `[rule.<id>]`, or `rule.<id> = "off"`.
fn rule_settings(
    reader: &mut Reader,
    table: &mut Table<'_>,
    key: &'static str,
    settings: &mut Vec<(String, RuleSettings, Position)>,
) {
    let Some(section) = table.table(reader, key, "[rule]") else { return };
    for ((id, value), span) in section.entries() {
        let at = place(reader, &span);
        if let Some(word) = value.as_str() {
            let level = level(reader, word, &span);
            settings.push((id.to_owned(), RuleSettings { level, ..RuleSettings::default() }, at));
            continue;
        }
        let Some(entries) = value.as_table() else {
            let message = format!("{id} is a table or a word, not a TOML {}", value.type_str());
            reader.error(&span, message, Some("write severity = \"off\"".to_owned()));
            continue;
        };
        let mut rule = Table::new("[rule.<id>]", entries, span);
        let found = rule_table(reader, &mut rule);
        rule.finish(reader);
        settings.push((id.to_owned(), found, at));
    }
}

fn rule_table(reader: &mut Reader, rule: &mut Table<'_>) -> RuleSettings {
    let severity = rule.text(reader, "severity");
    let level = severity.and_then(|(word, span)| level(reader, &word, &span));
    let ignore = rule.texts(reader, "ignore").into_iter().map(|(glob, _)| glob).collect();
    let mut options = BTreeMap::new();
    if let Some(table) = rule.table(reader, "options", "options of the rule") {
        for ((name, value), span) in table.entries() {
            match option_value(value) {
                Some(value) => drop(options.insert(name.to_owned(), value)),
                None => {
                    let message = format!("{name} is no number, text or list of texts");
                    reader.error(&span, message, None);
                }
            }
        }
    }
    RuleSettings { level, options, ignore }
}

fn level(reader: &mut Reader, word: &str, span: &std::ops::Range<usize>) -> Option<Level> {
    let level = Level::from_word(word);
    if level.is_none() {
        reader.unknown(span, "severity", word, &Level::WORDS);
    }
    level
}

/// Reads the `[approval]` table, which has a type of its own: an approval is bound to it.
fn approval(reader: &mut Reader, table: &mut Table<'_>, text: &str) -> Option<Policy> {
    const KEYS: [&str; 7] = [
        "allowed_signers",
        "allowed_signers_rev",
        "revoked",
        "valid_for",
        "author_may_approve",
        "roles",
        "needs",
    ];
    const NEEDS: [&str; 4] = ["loss", "errors", "locks", "clean"];
    #[derive(Deserialize)]
    struct Approval {
        approval: Policy,
    }
    let mut section = table.table(reader, "approval", "[approval]")?;
    let known = reader.errors.len();
    for key in KEYS {
        section.value(key);
    }
    if let Some(mut needs) = section.table(reader, "needs", "[approval.needs]") {
        for key in NEEDS {
            needs.value(key);
        }
        needs.finish(reader);
    }
    section.finish(reader);
    if reader.errors.len() > known {
        return None;
    }
    match toml::from_str::<Approval>(text) {
        Ok(found) => Some(found.approval),
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            let message = error.message().lines().next().unwrap_or("not understood").to_owned();
            reader.error(&span, format!("[approval]: {message}"), None);
            None
        }
    }
}

/// Reads a span of time.
fn period(reader: &mut Reader, table: &mut Table<'_>, key: &'static str) -> Option<Duration> {
    let (text, span) = table.text(reader, key)?;
    let found = duration(&text);
    if found.is_none() {
        let message = format!("{key} is no span of time: \"{text}\"");
        reader.error(&span, message, Some("write it like 500ms, 2s, 5m or 1h".to_owned()));
    }
    found
}

#[cfg(test)]
mod tests;
