//! Whether a query with LIMIT picks the rows that an UPDATE or DELETE changes.

use std::ops::Range;

use super::cursor::Cursor;

/// Where the clauses of a change stand, as positions of tokens; empty where they are not.
#[derive(Debug, Clone, Default)]
pub(super) struct Clauses {
    /// WITH.
    pub with: Range<usize>,
    /// FROM or USING, or the tables joined.
    pub from: Range<usize>,
    /// WHERE.
    pub filter: Range<usize>,
}

impl Clauses {
    /// Says whether no more rows are changed than a LIMIT lets through: the rows are joined to
    /// those of a limited query, or looked for among them with IN or ANY.
    pub(super) fn pick_few(&self, c: &Cursor<'_>) -> bool {
        let filter = words(c, &self.filter);
        let looks_elsewhere = !self.from.is_empty() || filter.iter().any(|word| word == "SELECT");
        is_limited(&words(c, &self.from))
            || looks_among_few(&filter)
            || (is_limited(&words(c, &self.with)) && looks_elsewhere)
    }
}

fn words(c: &Cursor<'_>, range: &Range<usize>) -> Vec<String> {
    let part = c.sub(range.start, range.end);
    part.tokens().iter().map(|token| c.slice(token.span).to_ascii_uppercase()).collect()
}

fn is_limited(words: &[String]) -> bool {
    words.iter().any(|word| matches!(word.as_str(), "LIMIT" | "FETCH"))
}

/// Says whether IN or ANY looks among the rows of a query with LIMIT. A query that is compared
/// with `=` gives one value, which many rows may have.
fn looks_among_few(words: &[String]) -> bool {
    let mut open: Vec<bool> = Vec::new();
    let mut before = "";
    for word in words {
        match word.as_str() {
            "(" => {
                let inside = open.last().copied().unwrap_or(false);
                open.push(inside || matches!(before, "IN" | "ANY" | "SOME"));
            }
            ")" => {
                open.pop();
            }
            "LIMIT" | "FETCH" if open.last() == Some(&true) => return true,
            _ => {}
        }
        before = word;
    }
    false
}
