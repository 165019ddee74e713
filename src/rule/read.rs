//! Reads TOML tables strictly: every key must be asked for, every value must fit.
//!
//! All mistakes of a file are collected, each with its line and the nearest known name.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::sql::nearest;

/// A mistake in a rule file or in its configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}:{column}: {message}")]
pub struct RuleError {
    /// The file.
    pub path: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The character in the line, counted from 1.
    pub column: u32,
    /// What is wrong, one lower-case line.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A file being read, and the mistakes found so far.
#[derive(Debug)]
pub(crate) struct Reader {
    source: crate::sql::Source,
    /// The mistakes.
    pub(crate) errors: Vec<RuleError>,
}

impl Reader {
    /// Returns a reader of that file.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { source: crate::sql::Source::new(path, text), errors: Vec::new() }
    }

    /// Parses the file.
    pub(crate) fn parse<'t>(&mut self, text: &'t str) -> Option<Spanned<DeTable<'t>>> {
        match DeTable::parse(text) {
            Ok(table) => Some(table),
            Err(error) => {
                let span = error.span().unwrap_or(0..0);
                let message = error.message().lines().next().unwrap_or("not TOML").to_owned();
                self.error(&span, message, None);
                None
            }
        }
    }

    /// Returns the line and column of a place.
    pub(crate) fn position(&self, at: &Range<usize>) -> crate::sql::Position {
        self.source.position(u32::try_from(at.start).unwrap_or(u32::MAX))
    }

    /// Notes a mistake.
    pub(crate) fn error(&mut self, at: &Range<usize>, message: String, hint: Option<String>) {
        let position = self.position(at);
        self.errors.push(RuleError {
            path: self.source.path().to_owned(),
            line: position.line,
            column: position.column,
            message,
            hint,
        });
    }

    /// Notes that a word is none of those known.
    pub(crate) fn unknown(
        &mut self,
        at: &Range<usize>,
        what: &str,
        word: &str,
        known: &[&'static str],
    ) {
        let hint = match nearest(word, known.iter().copied()).first() {
            Some(close) => format!("write {close}"),
            None if known.len() > 20 => format!("use one of the {} known ones", known.len()),
            None => format!("use one of: {}", known.join(", ")),
        };
        self.error(at, format!("unknown {what} \"{word}\""), Some(hint));
    }
}

/// A table being read.
pub(crate) struct Table<'t> {
    /// What it is called in messages: `[match]`.
    name: &'static str,
    entries: &'t DeTable<'t>,
    span: Range<usize>,
    asked: Vec<&'static str>,
}

/// A value and its place.
pub(crate) type Placed<T> = (T, Range<usize>);

impl<'t> Table<'t> {
    /// Wraps a parsed table.
    pub(crate) const fn new(
        name: &'static str,
        entries: &'t DeTable<'t>,
        span: Range<usize>,
    ) -> Self {
        Self { name, entries, span, asked: Vec::new() }
    }

    /// Returns where the table stands.
    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns a value as it is.
    pub(crate) fn value(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.push(key);
        self.entries.get(key)
    }

    /// Returns a text.
    pub(crate) fn text(
        &mut self,
        reader: &mut Reader,
        key: &'static str,
    ) -> Option<Placed<String>> {
        let value = self.value(key)?;
        match value.get_ref().as_str() {
            Some(text) => Some((text.to_owned(), value.span())),
            None => wrong(reader, value, key, "a text"),
        }
    }

    /// Returns a text that has to be there and not be empty.
    pub(crate) fn required_text(&mut self, reader: &mut Reader, key: &'static str) -> String {
        let text = self.text(reader, key).map(|(text, _)| text.trim().to_owned());
        if text.as_deref().unwrap_or("").is_empty() {
            let message = format!("{} has no {key}", self.name);
            reader.error(&self.span, message, Some(format!("write {key} = \"…\"")));
        }
        text.unwrap_or_default()
    }

    /// Returns true or false.
    pub(crate) fn flag(&mut self, reader: &mut Reader, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        value.get_ref().as_bool().or_else(|| wrong(reader, value, key, "true or false"))
    }

    /// Returns one text or a list of them.
    pub(crate) fn texts(&mut self, reader: &mut Reader, key: &'static str) -> Vec<Placed<String>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        if let Some(text) = value.get_ref().as_str() {
            return vec![(text.to_owned(), value.span())];
        }
        let Some(items) = value.get_ref().as_array() else {
            return wrong(reader, value, key, "a text or a list of texts").unwrap_or_default();
        };
        let mut texts = Vec::new();
        for item in items.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push((text.to_owned(), item.span())),
                None => drop(wrong::<()>(reader, item, key, "a list of texts")),
            }
        }
        texts
    }

    /// Returns words of a closed list, as what they stand for.
    pub(crate) fn words<T: Copy>(
        &mut self,
        reader: &mut Reader,
        key: &'static str,
        known: &[(&'static str, T)],
    ) -> Vec<T> {
        let mut found = Vec::new();
        for (word, span) in self.texts(reader, key) {
            match known.iter().find(|(name, _)| *name == word) {
                Some(&(_, value)) => found.push(value),
                None => {
                    let names: Vec<&'static str> = known.iter().map(|&(name, _)| name).collect();
                    reader.unknown(&span, key, &word, &names);
                }
            }
        }
        found
    }

    /// Returns a table inside.
    pub(crate) fn table(
        &mut self,
        reader: &mut Reader,
        key: &'static str,
        name: &'static str,
    ) -> Option<Table<'t>> {
        let value = self.value(key)?;
        match value.get_ref().as_table() {
            Some(entries) => Some(Table::new(name, entries, value.span())),
            None => wrong(reader, value, key, "a table"),
        }
    }

    /// Returns tables inside: `[key]` or `[[key]]`.
    pub(crate) fn tables(
        &mut self,
        reader: &mut Reader,
        key: &'static str,
        name: &'static str,
    ) -> Vec<Table<'t>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        if let Some(entries) = value.get_ref().as_table() {
            return vec![Table::new(name, entries, value.span())];
        }
        let Some(items) = value.get_ref().as_array() else {
            return wrong(reader, value, key, "a table").unwrap_or_default();
        };
        let mut tables = Vec::new();
        for item in items.iter() {
            match item.get_ref().as_table() {
                Some(entries) => tables.push(Table::new(name, entries, item.span())),
                None => drop(wrong::<()>(reader, item, key, "a table")),
            }
        }
        tables
    }

    /// Returns every entry, for tables whose keys are free.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Placed<(&'t str, &'t DeValue<'t>)>> {
        self.entries
            .iter()
            .map(|(key, value)| ((key.get_ref().as_ref(), value.get_ref()), value.span()))
    }

    /// Notes every key that nobody asked for.
    pub(crate) fn finish(self, reader: &mut Reader) {
        for (key, _) in self.entries {
            if !self.asked.contains(&key.get_ref().as_ref()) {
                let what = format!("key in {}", self.name);
                reader.unknown(&key.span(), &what, key.get_ref(), &self.asked);
            }
        }
    }
}

/// Notes a value of the wrong kind.
fn wrong<T>(
    reader: &mut Reader,
    value: &Spanned<DeValue<'_>>,
    key: &str,
    wanted: &str,
) -> Option<T> {
    let found = value.get_ref().type_str();
    reader.error(&value.span(), format!("{key} is {wanted}, not a TOML {found}"), None);
    None
}
