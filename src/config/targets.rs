//! The `[targets]` table: many databases that get the same migrations.

use crate::rule::{Reader, Table};

use super::number;

/// Databases that get the same migrations: tenants, shards, regions.
///
/// | key | meaning | default |
/// |---|---|---|
/// | `databases` | URLs, or names of databases on the server of `url`, in the order in which they are changed | none |
/// | `query` | a query on `url` whose rows are such URLs or names | none |
/// | `canary` | so many of them go first, one after the other | `1` |
/// | `concurrency` | so many of the others are changed at once | `4` |
/// | `on_failure` | `stop`: begin no other one; `continue` | `stop` |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets {
    /// URLs, or names of databases on the server of `url`.
    pub databases: Vec<String>,
    /// A query on `url` whose rows are such URLs or names.
    pub query: Option<String>,
    /// So many go first, one after the other.
    pub canary: usize,
    /// So many of the others are changed at once.
    pub concurrency: usize,
    /// What a failure means for those that were not begun.
    pub on_failure: OnFailure,
}

/// What a failure on one database means for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// None of them is begun.
    #[default]
    Stop,
    /// They go on.
    Continue,
}

impl OnFailure {
    const WORDS: [(&'static str, Self); 2] = [("stop", Self::Stop), ("continue", Self::Continue)];
}

pub(super) fn read(reader: &mut Reader, mut table: Table<'_>) -> Targets {
    let count = |reader: &mut Reader, table: &mut Table<'_>, key, default| {
        number(reader, table, key).map_or(default, |n| usize::try_from(n).unwrap_or(usize::MAX))
    };
    let canary = count(reader, &mut table, "canary", 1);
    let concurrency = count(reader, &mut table, "concurrency", 4).max(1);
    let databases = table.texts(reader, "databases").into_iter().map(|(text, _)| text).collect();
    let query = table.text(reader, "query").map(|(text, _)| text);
    let words = table.words(reader, "on_failure", &OnFailure::WORDS);
    let on_failure = words.first().copied().unwrap_or_default();
    table.finish(reader);
    Targets { databases, query, canary, concurrency, on_failure }
}
