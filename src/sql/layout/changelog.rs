//! Files that hold or order several changes: Liquibase's formatted SQL and Sqitch's plan.

use super::sections::lines;
use crate::sql::migration::Delimiter;
use crate::sql::source::{Source, Span};

/// Says whether a line is `--liquibase formatted sql`.
pub(super) fn is_liquibase_header(line: &str) -> bool {
    comment(line).is_some_and(|text| {
        let mut words = text.split_whitespace().map(str::to_ascii_lowercase);
        words.next().as_deref() == Some("liquibase") && words.next().as_deref() == Some("formatted")
    })
}

fn comment(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("--").map(str::trim_start)
}

/// One changeset of a Liquibase file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changeset {
    /// `author:id`
    pub(super) id: String,
    /// From its line to the next one.
    pub(super) span: Span,
    /// The line, when it says `runInTransaction:false`.
    pub(super) no_transaction: Option<Span>,
    /// `runOnChange` or `runAlways`.
    pub(super) repeatable: bool,
    /// `splitStatements:false`: it is sent in one piece.
    pub(super) whole: bool,
    /// `endDelimiter`.
    pub(super) delimiter: Option<Delimiter>,
    /// `dbms`: the only servers it runs on, or with `!` those it does not run on.
    pub(super) dbms: Vec<String>,
}

/// Returns the changesets of a Liquibase file.
pub(super) fn changesets(source: &Source) -> Vec<Changeset> {
    let mut found: Vec<Changeset> = Vec::new();
    let end = u32::try_from(source.text().len()).unwrap_or(u32::MAX);
    for line in lines(source.text()) {
        let Some(words) = comment(line.text).and_then(changeset_words) else { continue };
        if let Some(last) = found.last_mut() {
            last.span.end = line.span.start;
        }
        let says = |attribute: &str, wanted: &str| {
            value(words, attribute).is_some_and(|value| value.eq_ignore_ascii_case(wanted))
        };
        let id = words.split_whitespace().next().unwrap_or("").to_owned();
        let dbms = value(words, "dbms").unwrap_or_default();
        found.push(Changeset {
            id,
            span: Span::new(line.span.start, end),
            no_transaction: says("runInTransaction", "false").then_some(line.span),
            repeatable: says("runOnChange", "true") || says("runAlways", "true"),
            whole: says("splitStatements", "false"),
            delimiter: value(words, "endDelimiter").and_then(end_delimiter),
            dbms: dbms.split(',').map(|name| name.trim().to_ascii_lowercase()).collect(),
        });
    }
    found
}

/// Returns the value of `attribute:value`, quotes left out.
fn value<'a>(words: &'a str, attribute: &str) -> Option<&'a str> {
    let mut rest = words;
    while let Some(at) = rest.find(':') {
        let (name, behind) = (rest.get(..at)?, rest.get(at + 1..)?);
        let name = name.rsplit(char::is_whitespace).next().unwrap_or(name);
        let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''));
        let value = match quote {
            Some(quote) => behind.get(1..)?.split(quote).next().unwrap_or(""),
            None => behind.split(char::is_whitespace).next().unwrap_or(""),
        };
        if name.eq_ignore_ascii_case(attribute) {
            return Some(value);
        }
        rest = behind.get(value.len() + if quote.is_some() { 2 } else { 0 }..).unwrap_or("");
    }
    None
}

/// Reads an endDelimiter. It is a regular expression; those in use are plain text, often with a
/// line break in front. `/` and `GO` count only alone on their line.
fn end_delimiter(written: &str) -> Option<Delimiter> {
    let plain = written.trim_start_matches("\\n").trim_start_matches("\\r\\n");
    let text = plain.trim_end_matches("\\n").trim_end_matches('$').replace('\\', "");
    let own_line = plain.len() < written.len() || text == "/" || text.eq_ignore_ascii_case("go");
    (!text.is_empty() && text != ";").then_some(Delimiter { text, own_line })
}

fn changeset_words(comment: &str) -> Option<&str> {
    let (word, rest) = comment.split_at_checked("changeset".len())?;
    (word.eq_ignore_ascii_case("changeset") && rest.starts_with([' ', '\t'])).then(|| rest.trim())
}

/// Returns the changes of a `sqitch.plan` in their order.
///
/// A change that was reworked stands there twice, with a tag in between; its last file is the one
/// without the tag in its name, so the last place counts.
pub(super) fn sqitch_changes(plan: &str) -> Vec<&str> {
    let mut changes: Vec<&str> = Vec::new();
    for line in plan.lines() {
        let line = line.trim();
        let pragma = line.is_empty() || line.starts_with(['%', '#', '@']);
        let name = line.split_whitespace().next().unwrap_or("");
        if pragma || name.is_empty() {
            continue;
        }
        let name = name.strip_prefix('+').unwrap_or(name);
        changes.retain(|&change| change != name);
        changes.push(name);
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changesets_are_parts_of_a_file() {
        let text = "--liquibase formatted sql\n\n--changeset ann:1\nA;\n--rollback B;\n\
                    --changeset ann:2 runInTransaction:false splitStatements:false\nC;\n";
        let source = Source::new("a.sql", text);
        let found = changesets(&source);
        let ids: Vec<&str> = found.iter().map(|set| set.id.as_str()).collect();
        assert_eq!(ids, ["ann:1", "ann:2"]);
        assert_eq!(source.slice(found[0].span), "--changeset ann:1\nA;\n--rollback B;\n");
        assert!(found[0].no_transaction.is_none());
        assert!(found[1].no_transaction.is_some());
    }

    #[test]
    fn a_plan_orders_changes() {
        let plan = "%syntax-version=1.0.0\n%project=shop\n\norders 2024-01-31T12:00:00Z A <a@b>\n\
                    customers [orders] 2024-02-01T12:00:00Z A <a@b> # note\n@v1 2024 A <a@b>\n\
                    orders [orders@v1] 2024-03-01T12:00:00Z A <a@b>\n";
        assert_eq!(sqitch_changes(plan), ["customers", "orders"]);
    }
}
