//! What a statement of PostgreSQL leaves behind when it is stopped half-way, and the statement that
//! tidies it up.
//!
//! `CREATE INDEX CONCURRENTLY` leaves an invalid index of its name, `REINDEX CONCURRENTLY` indexes
//! whose names end in `_ccnew` or `_ccold` (manual, "REINDEX", "Rebuilding Indexes Concurrently"),
//! `DETACH PARTITION CONCURRENTLY` a partition that waits for `FINALIZE` (manual, "ALTER TABLE",
//! 14 and later).

use crate::plan::Step;

/// What is left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Leftover {
    /// An invalid index, by its quoted full name.
    Index(String),
    /// A partition that is detached half-way.
    Detaching,
}

impl Leftover {
    /// Returns the statement that tidies up after a step.
    pub(super) fn statement(&self, step: &Step) -> String {
        match self {
            Self::Index(name) => format!("DROP INDEX CONCURRENTLY IF EXISTS {name}"),
            Self::Detaching => finalize(&step.sql),
        }
    }

    /// Returns it in words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Index(name) => format!("removed the invalid index {name}"),
            Self::Detaching => "finished the detaching of the partition".to_owned(),
        }
    }
}

/// `… DETACH PARTITION p CONCURRENTLY` becomes `… DETACH PARTITION p FINALIZE`.
fn finalize(sql: &str) -> String {
    let word = "CONCURRENTLY";
    let at = sql.to_ascii_uppercase().rfind(word).unwrap_or(sql.len());
    let (before, rest) = sql.split_at(at);
    format!("{before}FINALIZE{}", rest.get(word.len()..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detaching_is_finished_in_the_words_of_the_step() {
        assert_eq!(
            finalize("alter table p detach partition \"concurrently\" concurrently"),
            "alter table p detach partition \"concurrently\" FINALIZE"
        );
    }
}
