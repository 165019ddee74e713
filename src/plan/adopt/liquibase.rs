//! The checksum of a Liquibase changeset in formatted SQL.
//!
//! It is that of the statements without the changeset's own lines, so that a changeset gets the
//! checksum of its meaning. Where attributes or properties come into it that lockwise does not
//! read, or another version of the algorithm, it cannot be compared, and that is what is said.

use super::Match;
use super::checksum::{self, LiquibaseVersion};
use crate::sql::Migration;

/// Compares the checksum in Liquibase's table with the changeset in the file.
pub(super) fn matched(known: &str, migration: &Migration) -> Match {
    let version = match known.split_once(':') {
        _ if known.is_empty() => return Match::Trusted,
        Some(("8", _)) => LiquibaseVersion::V8,
        Some(("9", _)) => LiquibaseVersion::V9,
        Some(_) | None => return Match::NotComparable,
    };
    let section = &migration.up.section;
    let text = section.source.slice(section.range);
    let settings = settings(text);
    let sql = statements(text);
    let sums = |sql: &str| checksum::liquibase(sql, version, &settings) == known;
    // Properties are filled in, and texts expanded, before the checksum is taken: that it differs
    // does not show that somebody changed the statements.
    if sums(&sql) { Match::Same } else { Match::NotComparable }
}

/// Returns the text of the statements: without the lines that speak to Liquibase.
fn statements(text: &str) -> String {
    const OWN: [&str; 8] = [
        "changeset",
        "rollback",
        "comment:",
        "preconditions",
        "precondition-",
        "validchecksum",
        "liquibase",
        "property",
    ];
    let mut lines = Vec::new();
    let mut rolling_back = false;
    for line in text.lines() {
        let plain = line.trim();
        let lower = plain.to_ascii_lowercase();
        if lower.starts_with("/*") && lower.contains("liquibase rollback") {
            rolling_back = true;
        }
        if rolling_back {
            rolling_back = !plain.ends_with("*/");
            continue;
        }
        let words = lower.strip_prefix("--").map(str::trim_start);
        if words.is_some_and(|words| OWN.iter().any(|own| words.starts_with(own))) {
            continue;
        }
        lines.push(line);
    }
    lines.join("\n").trim().to_owned()
}

/// Returns the attributes of the changeset as version 8 hashes them: delimiter, splitting,
/// comments.
fn settings(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    let value = |name: &str| {
        line.split_whitespace().find_map(|word| {
            let (key, value) = word.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    };
    let split = value("splitStatements").unwrap_or("true");
    let strip = value("stripComments").unwrap_or("true");
    format!("{}:{split}:{strip}:", value("endDelimiter").unwrap_or("null"))
}
