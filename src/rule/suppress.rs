//! Comments that silence findings.
//!
//! ```sql
//! -- lockwise: allow drop-table: the table has had no readers since May
//! DROP TABLE old_orders;
//! ```
//!
//! The comment stands above the statement, inside it, or after it on its last line. `allow-file`
//! reaches every statement of the file. Several rules are separated by commas.

use crate::sql::{Script, Span};

/// A comment that silences rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suppression {
    /// The comment.
    pub(super) span: Span,
    /// What it silences; none for every rule (other linters' comments).
    pub(super) rules: Option<Vec<String>>,
    /// Why; empty when nothing is given.
    pub(super) reason: String,
    /// The statement it is about; none for the whole file.
    pub(super) statement: Option<usize>,
    /// The tool whose comment it is; none for our own.
    pub(super) tool: Option<&'static str>,
}

/// What the comments of a script say.
#[derive(Debug, Clone, Default)]
pub(super) struct Directives {
    /// Suppressions in order.
    pub(super) suppressions: Vec<Suppression>,
    /// Comments that begin with `lockwise:` and say nothing known: the word and its place.
    pub(super) unknown: Vec<(String, Span)>,
}

/// Reads the comments of a script; those of other linters only when they are adopted.
pub(super) fn directives(script: &Script, adopt: bool) -> Directives {
    let mut found = Directives::default();
    for &span in &script.comments {
        let text = inner(script.slice(span));
        if let Some(rest) = text.strip_prefix("lockwise:") {
            own(script, span, rest.trim(), &mut found);
        } else if adopt {
            found.suppressions.extend(foreign(script, span, text));
        }
    }
    found
}

/// Returns what a comment says without its marks.
fn inner(comment: &str) -> &str {
    let text = comment.trim();
    let text = text
        .strip_prefix("/*")
        .map(|rest| rest.strip_suffix("*/").unwrap_or(rest))
        .unwrap_or_else(|| text.trim_start_matches('-').trim_start_matches('#'));
    text.trim()
}

fn own(script: &Script, span: Span, text: &str, found: &mut Directives) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let file = match word {
        "allow" => false,
        "allow-file" => true,
        // The marker of the transaction mode is read with the folder's convention.
        "no-transaction" => return,
        // Batches are read by `sql::batches`; what is wrong with one is told with the others.
        "batch" => return,
        _ => {
            found.unknown.push((word.to_owned(), span));
            return;
        }
    };
    let (names, reason) = rest.split_once(':').unwrap_or((rest, ""));
    found.suppressions.push(Suppression {
        span,
        rules: Some(list(names)),
        reason: reason.trim().to_owned(),
        statement: if file { None } else { Some(target(script, span)) },
        tool: None,
    });
}

fn list(names: &str) -> Vec<String> {
    let names = names.split([',', ' ']).map(str::trim);
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Returns the statement a comment is about: the one around it, the one that ends on its line, or
/// the next one.
fn target(script: &Script, comment: Span) -> usize {
    let line = |offset: u32| script.section.source.position(offset).line;
    for (index, statement) in script.statements.iter().enumerate() {
        if statement.span.contains(comment) {
            return index;
        }
        let after = statement.span.end <= comment.start;
        if after && line(statement.span.end) == line(comment.start) {
            return index;
        }
        if statement.span.start >= comment.end {
            return index;
        }
    }
    script.statements.len()
}

/// Reads comments of other linters.
///
/// squawk: `squawk-ignore a, b`, `squawk-ignore-file`; Atlas: `atlas:nolint names`; eugene:
/// `eugene: ignore E1`.
fn foreign(script: &Script, span: Span, text: &str) -> Option<Suppression> {
    let (tool, rest, file) = if let Some(rest) = text.strip_prefix("squawk-ignore-file") {
        ("squawk", rest, true)
    } else if let Some(rest) = text.strip_prefix("squawk-ignore") {
        ("squawk", rest, false)
    } else if let Some(rest) = text.strip_prefix("atlas:nolint") {
        ("atlas", rest, is_header(script, span))
    } else if let Some(rest) = text.strip_prefix("eugene: ignore") {
        ("eugene", rest, true)
    } else {
        return None;
    };
    let names = list(rest);
    Some(Suppression {
        span,
        rules: if names.is_empty() { None } else { Some(names) },
        reason: format!("{tool} comment"),
        statement: if file { None } else { Some(target(script, span)) },
        tool: Some(tool),
    })
}

/// Says whether a comment stands before the first statement and a blank line follows it: Atlas
/// reads it for the whole file then.
fn is_header(script: &Script, span: Span) -> bool {
    let first = script.statements.first().map_or(u32::MAX, |statement| statement.span.start);
    let text = script.section.source.text().get(span.end as usize..).unwrap_or("");
    let blank = text
        .trim_start_matches(['\r', ' ', '\t'])
        .strip_prefix('\n')
        .is_some_and(|rest| rest.trim_start_matches(['\r', ' ', '\t']).starts_with('\n'));
    span.end <= first && blank
}

/// Says whether a name in another linter's comment means a rule, by the rule's `known_as`.
pub(super) fn means(tool: &str, name: &str, known_as: &[String]) -> bool {
    let class = match (tool, name) {
        ("atlas", "destructive") => Some("DS"),
        ("atlas", "data_depend") => Some("MF"),
        ("atlas", "incompatible") => Some("BC"),
        ("atlas", "concurrent_index") => Some("PG10"),
        ("atlas", "condrop") => Some("CD"),
        ("atlas", "naming") => Some("NM"),
        _ => None,
    };
    known_as.iter().filter_map(|known| known.split_once(':')).any(|(known_tool, known)| {
        known_tool == tool && (known == name || class.is_some_and(|class| known.starts_with(class)))
    })
}
