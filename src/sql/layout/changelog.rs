//! Files that hold or order several changes: Liquibase's formatted SQL and Sqitch's plan.

use super::sections::lines;
use crate::sql::migration::{Delimiter, Section};
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

/// Returns the ways back that the comments of a changeset hold: `--rollback DROP TABLE a;`, line by
/// line, and the lines between `/* liquibase rollback` and `*/`.
///
/// Nothing where no comment speaks of one, or where it names another changeset; an empty list where
/// `--rollback empty` or `--rollback not required` says that nothing has to be done.
pub(super) fn way_back(source: &Source, changeset: Span) -> Option<Vec<Span>> {
    let mut found: Option<Vec<Span>> = None;
    let mut in_block = false;
    for line in lines(source.slice(changeset)) {
        let (start, end) = (changeset.start + line.span.start, changeset.start + line.span.end);
        if in_block {
            in_block = line.text.trim() != "*/";
            found.get_or_insert_default().extend(in_block.then_some(Span::new(start, end)));
            continue;
        }
        in_block = is_block_start(line.text);
        let Some(sql) = comment(line.text).and_then(|text| after_word(text, "rollback")) else {
            continue;
        };
        let said = sql.trim().to_ascii_lowercase();
        if said.contains("changesetid:") {
            return None;
        }
        let nothing = said == "empty" || said.starts_with("not required");
        let length = u32::try_from(sql.len()).unwrap_or(u32::MAX);
        let place = Span::new(end.saturating_sub(length), end);
        found.get_or_insert_default().extend((!nothing).then_some(place));
    }
    found
}

fn is_block_start(line: &str) -> bool {
    let words = line.trim().strip_prefix("/*").map(str::split_whitespace);
    words.is_some_and(|mut words| {
        let mut is = |wanted: &str| words.next().is_some_and(|w| w.eq_ignore_ascii_case(wanted));
        is("liquibase") && is("rollback")
    })
}

/// Takes the way back of a changeset out of its comments: what remains of the text up to its end
/// stands where it stood, and all else is blank.
pub(super) fn out_of_comments(section: Section) -> Section {
    let text = section.source.slice(Span::new(0, section.range.end));
    let places = way_back(&section.source, section.range).unwrap_or_default();
    let mut blank: Vec<u8> =
        text.bytes().map(|byte| if byte == b'\n' { byte } else { b' ' }).collect();
    for place in places {
        let range = place.start as usize..place.end as usize;
        if let (Some(to), Some(from)) = (blank.get_mut(range.clone()), text.as_bytes().get(range)) {
            to.copy_from_slice(from);
        }
    }
    let text = String::from_utf8(blank).unwrap_or_default();
    Section { source: Source::new(section.source.path(), text), ..section }
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
    after_word(comment, "changeset").map(str::trim)
}

/// Returns what follows a word and a blank.
fn after_word<'a>(comment: &'a str, word: &str) -> Option<&'a str> {
    let (found, rest) = comment.split_at_checked(word.len())?;
    (found.eq_ignore_ascii_case(word) && rest.starts_with([' ', '\t'])).then_some(rest)
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
    fn ways_back_stand_in_comments() {
        let back = |text: &str| {
            let source = Source::new("a.sql", text);
            let set = changesets(&source).remove(0);
            let found = way_back(&source, set.span)?;
            let range = set.span;
            let section = Section { source: source.clone(), range, reading: Default::default() };
            let taken = out_of_comments(section).source;
            assert_eq!(taken.text().len(), set.span.end as usize);
            assert!(found.iter().all(|&place| taken.slice(place) == source.slice(place)));
            Some(taken.text().split_whitespace().collect::<Vec<_>>().join(" "))
        };
        let text = "--changeset ann:1\nA; -- 주문\n--rollback DROP\n-- ROLLBACK TABLE 주문;\n\
                    --changeset ann:2\nC;\n--rollback D;\n";
        assert_eq!(back(text).as_deref(), Some("DROP TABLE 주문;"));
        let text = "--changeset ann:1\nA;\n/* liquibase rollback\n  B;\n  C;\n*/\n";
        assert_eq!(back(text).as_deref(), Some("B; C;"));
        assert_eq!(back("--changeset ann:1\nA;\n--rollback not required\n").as_deref(), Some(""));
        assert_eq!(back("--changeset ann:1\nA;\n--rollback empty\n").as_deref(), Some(""));
        let named = "--changeset ann:1\nA;\n--rollback changesetId:2 changesetAuthor:ann\n";
        assert_eq!(back(named), None);
        assert_eq!(back("--changeset ann:1\nA;\n-- rollbacks are rare\n"), None);
    }

    #[test]
    fn a_plan_orders_changes() {
        let plan = "%syntax-version=1.0.0\n%project=shop\n\norders 2024-01-31T12:00:00Z A <a@b>\n\
                    customers [orders] 2024-02-01T12:00:00Z A <a@b> # note\n@v1 2024 A <a@b>\n\
                    orders [orders@v1] 2024-03-01T12:00:00Z A <a@b>\n";
        assert_eq!(sqitch_changes(plan), ["customers", "orders"]);
    }
}
