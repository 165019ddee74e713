//! Whether two snapshots show the same schema.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use similar::TextDiff;

use super::items::items;
use super::{key, only_in};
use crate::db::{Snapshot, SnapshotObject};
use crate::sql::{Lexer, Lexing, Server, ServerKind, TokenKind};

/// How two schemas differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Not at all.
    None,
    /// Only in the order of columns.
    ColumnOrder(String),
    /// In something else. The text is a unified diff.
    Something(String),
}

/// Compares two schemas. Names that are quoted in one and not in the other are the same name:
/// SQLite keeps the words of whoever made a table, and writes its own after a RENAME.
pub fn compare(before: &Snapshot, after: &Snapshot) -> Difference {
    let server = before.server;
    let (was, is) = (only_in(before, after), only_in(after, before));
    let there: BTreeMap<_, _> = is.iter().map(|object| (key(object), *object)).collect();
    let mut order_only = true;
    let mut same = was.len() == is.len();
    for object in &was {
        match there.get(&key(object)) {
            Some(other) if same_object(object, other, server) => {}
            Some(other) => {
                same = false;
                order_only &= same_but_for_order(object, other, server);
            }
            None => (same, order_only) = (false, false),
        }
    }
    if same {
        return Difference::None;
    }
    order_only &= was.len() == is.len();
    let diff = unified(before, after);
    if order_only { Difference::ColumnOrder(diff) } else { Difference::Something(diff) }
}

/// Returns a unified diff of what differs, objects that do not left out.
pub fn unified(before: &Snapshot, after: &Snapshot) -> String {
    let (was, is) = (only_in(before, after), only_in(after, before));
    if was.is_empty() && is.is_empty() {
        return String::new();
    }
    let there: BTreeMap<_, _> = is.iter().map(|object| (key(object), *object)).collect();
    let server = before.server;
    let mut out = String::from("--- before\n+++ after\n");
    let mut shown = Vec::new();
    for object in &was {
        let other = there.get(&key(object));
        if other.is_some_and(|other| same_object(object, other, server)) {
            shown.push(key(object));
            continue;
        }
        let text = other.map_or_else(String::new, |other| other.sql());
        hunk(&mut out, object, &object.sql(), &text);
        shown.push(key(object));
    }
    for object in is.iter().filter(|object| !shown.contains(&key(object))) {
        hunk(&mut out, object, "", &object.sql());
    }
    if out.lines().count() > 2 { out } else { String::new() }
}

/// Writes the diff of one object under a line that names it.
fn hunk(out: &mut String, object: &SnapshotObject, before: &str, after: &str) {
    let diff = TextDiff::from_lines(before, after);
    let of = object.relation.as_ref().map_or_else(String::new, |on| format!(" on {on}"));
    let title = format!("{} {}{of}", object.kind, object.name);
    for (number, hunk) in diff.unified_diff().context_radius(3).iter_hunks().enumerate() {
        let text = hunk.to_string();
        let (head, body) = text.split_once('\n').unwrap_or((&text, ""));
        let title = if number == 0 { title.as_str() } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(out, "{} {title}\n{body}", head.trim_end());
    }
}

pub(crate) fn same_object(one: &SnapshotObject, other: &SnapshotObject, server: Server) -> bool {
    one.note == other.note
        && one.statements.len() == other.statements.len()
        && one.statements.iter().zip(&other.statements).all(|(a, b)| same_text(a, b, server))
}

/// Says whether two statements have the same tokens, quotes of names aside.
pub(super) fn same_text(one: &str, other: &str, server: Server) -> bool {
    one == other
        || (server.kind == ServerKind::Sqlite && words(one, server).eq(words(other, server)))
}

/// Returns what two objects that are the same have in common: the text, on SQLite its words, since
/// that keeps the text as somebody wrote it.
pub(crate) fn meaning(object: &SnapshotObject, server: Server) -> String {
    if server.kind != ServerKind::Sqlite {
        return object.sql();
    }
    let statements = object.statements.iter();
    let note = object.note.iter().map(String::clone);
    let texts = statements.map(|one| words(one, server).collect::<Vec<_>>().join(" "));
    note.chain(texts).collect::<Vec<_>>().join("\n")
}

fn words(text: &str, server: Server) -> impl Iterator<Item = String> {
    let lexing = Lexing {
        kind: server.kind,
        version_number: 999_999,
        ansi_quotes: false,
        placeholders: false,
    };
    let mut lexer = Lexer::new(text, lexing);
    std::iter::from_fn(move || lexer.next_token()).filter_map(move |token| {
        let written = text.get(token.span.start as usize..token.span.end as usize)?;
        match token.kind {
            TokenKind::Comment => None,
            TokenKind::QuotedName => {
                let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or(written);
                Some(inner.replace("\"\"", "\"").to_lowercase())
            }
            TokenKind::Word => Some(written.to_lowercase()),
            TokenKind::String
            | TokenKind::DollarString
            | TokenKind::Number
            | TokenKind::Punctuation
            | TokenKind::Operator
            | TokenKind::Parameter
            | TokenKind::Variable
            | TokenKind::Unterminated
            | TokenKind::Stray => Some(written.to_owned()),
        }
    })
}

/// Says whether two tables have the same parts in another order. Snapshots write each part on a
/// line of its own; SQLite keeps the author's text, of which the parts are read.
fn same_but_for_order(one: &SnapshotObject, other: &SnapshotObject, server: Server) -> bool {
    let parts = |object: &SnapshotObject| -> Option<Vec<String>> {
        // Privileges and statistics of columns follow the order of the columns.
        if matches!(object.kind.as_str(), "grant" | "statistics") {
            let text = object.sql();
            let mut words: Vec<String> = text.split([' ', ',', '\n']).map(str::to_owned).collect();
            words.sort_unstable();
            return Some(words);
        }
        if object.kind != "table" {
            return None;
        }
        let mut parts = Vec::new();
        for item in items(object, server) {
            let Some(table) = item.parts.filter(|_| server.kind == ServerKind::Sqlite) else {
                parts.extend(item.create.lines().map(|line| line.trim_end_matches(',').to_owned()));
                continue;
            };
            parts.extend(table.ast.columns.iter().map(|c| table.slice(c.span).to_owned()));
            parts.extend(table.ast.constraints.iter().map(|c| table.slice(c.span).to_owned()));
            parts.push(format!("{:?} {:?}", table.ast.options, table.ast.persistence));
        }
        parts.sort_unstable();
        Some(parts)
    };
    parts(one).is_some_and(|one| parts(other).is_some_and(|other| one == other))
}
