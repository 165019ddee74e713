//! What a condition says of one column, and how literals compare.
//!
//! Only what a person writes of a partition key is understood: comparisons with literals, joined by
//! AND and OR, lists, NULL. Of the rest nothing is known (PostgreSQL 12 to 18, manual: Comparison
//! Functions and Operators).

use std::cmp::Ordering;

use super::literal;

/// How a comparison orders the key and a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    /// Says whether a literal is on the side of another that the operator wants.
    pub(super) fn holds(self, value: &str, limit: &str) -> Option<bool> {
        let order = compare(value, limit)?;
        Some(match self {
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
            Self::Greater => order == Ordering::Greater,
            Self::GreaterOrEqual => order != Ordering::Less,
        })
    }

    /// The same with its sides exchanged.
    const fn flipped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

/// What one AND term says of the key.
#[derive(Debug, Clone)]
pub(super) enum Term {
    Compare(Operator, String),
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl Term {
    /// Says whether a literal is known not to be what the term wants. NULL is let through.
    pub(super) fn refuses(&self, value: &str) -> bool {
        if !is_literal(value) || value.eq_ignore_ascii_case("null") {
            return false;
        }
        match self {
            Self::Compare(operator, limit) => operator.holds(value, limit) == Some(false),
            Self::In(found) => {
                found.iter().all(|one| is_literal(one)) && !found.iter().any(|one| same(one, value))
            }
            Self::NotIn(found) => found.iter().any(|one| same(one, value)),
        }
    }
}

/// Returns what the AND terms of a condition say of the key.
pub(super) fn terms_of(text: &str, key: &str) -> Vec<Term> {
    let mut found = Vec::new();
    for part in split_and(text) {
        if let Some((low, high)) = between(part, key) {
            found.push(Term::Compare(Operator::GreaterOrEqual, low));
            found.push(Term::Compare(Operator::LessOrEqual, high));
        } else if let Some(one) = any_of(part, key).or_else(|| term(part, key)) {
            found.push(one);
        }
    }
    found
}

/// `k = 1 OR k = 2` is a list too.
fn any_of(text: &str, key: &str) -> Option<Term> {
    let sides = split_word(strip(text), " or ");
    if sides.len() < 2 {
        return None;
    }
    let mut values = Vec::new();
    for side in sides {
        let Some(Term::In(found)) = term(side, key) else { return None };
        values.extend(found);
    }
    Some(Term::In(values))
}

/// Splits at AND; the one of BETWEEN is no such word.
pub(super) fn split_and(text: &str) -> Vec<&str> {
    const AND: &str = " and ";
    let text = strip(text);
    if split_word(text, " or ").len() > 1 {
        return vec![text];
    }
    let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
    for part in split_word(text, AND) {
        let end = at + part.len();
        let whole = text.get(from..end).unwrap_or("");
        let lower = whole.to_ascii_lowercase();
        at = end + AND.len();
        if !lower.contains(" between ") || lower.contains(AND) {
            parts.push(strip(whole));
            from = at;
        }
    }
    parts.extend(text.get(from..).filter(|rest| !rest.is_empty()).map(strip));
    parts
}

pub(super) fn split_or(text: &str) -> Option<(&str, &str)> {
    match split_word(strip(text), " or ").as_slice() {
        [left, right] => Some((strip(left), strip(right))),
        _ => None,
    }
}

/// Splits at a word outside of parentheses and quotes.
pub(super) fn split_word<'t>(text: &'t str, word: &str) -> Vec<&'t str> {
    let lower = text.to_ascii_lowercase();
    let (mut parts, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0_i32, false);
    let mut at = 0;
    while at < text.len() {
        match lower.as_bytes().get(at) {
            Some(b'\'') => quoted = !quoted,
            Some(b'(') if !quoted => depth += 1,
            Some(b')') if !quoted => depth -= 1,
            _ => {}
        }
        let here = lower.get(at..).is_some_and(|rest| rest.starts_with(word));
        if here && depth == 0 && !quoted {
            parts.push(text.get(start..at).unwrap_or(""));
            at += word.len();
            start = at;
        } else {
            at += 1;
        }
    }
    parts.push(text.get(start..).unwrap_or(""));
    parts
}

/// Takes off white space and parentheses around everything.
pub(super) fn strip(text: &str) -> &str {
    let mut text = text.trim();
    while let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        let mut depth = 0_i32;
        let balanced = inner.chars().all(|character| {
            depth += match character {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth >= 0
        });
        if !balanced {
            break;
        }
        text = inner.trim();
    }
    text
}

fn between(text: &str, key: &str) -> Option<(String, String)> {
    let lower = text.to_ascii_lowercase();
    let at = lower.find(" between ")?;
    if !is_key(text.get(..at)?, key) {
        return None;
    }
    let rest = text.get(at + " between ".len()..)?;
    let end = rest.to_ascii_lowercase().find(" and ")?;
    let low = rest.get(..end)?.trim().to_owned();
    let high = rest.get(end + " and ".len()..)?.trim().to_owned();
    (!high.to_ascii_lowercase().contains(" and ")).then_some((low, high))
}

/// Says whether a text is the key, a relation before it or not.
fn is_key(text: &str, key: &str) -> bool {
    let text = text.trim();
    let last = text.rsplit('.').next().unwrap_or(text);
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '.');
    last.trim_matches('"') == key && text.chars().all(plain)
}

pub(super) fn term(text: &str, key: &str) -> Option<Term> {
    let text = strip(text);
    let lower = text.to_ascii_lowercase();
    let list = |text: &str| -> Vec<String> {
        strip(text).split(',').map(|value| value.trim().to_owned()).collect()
    };
    if let Some(left) = lower.strip_suffix(" is not null") {
        let left = text.get(..left.len())?;
        return is_key(left, key).then(|| Term::NotIn(vec!["NULL".to_owned()]));
    }
    if lower.starts_with("not ") {
        return match term(text.get("not ".len()..)?, key)? {
            Term::In(found) => Some(Term::NotIn(found)),
            Term::NotIn(_) | Term::Compare(_, _) => None,
        };
    }
    if let Some(left) = lower.strip_suffix(" is null") {
        let left = text.get(..left.len())?;
        return is_key(left, key).then(|| Term::In(vec!["NULL".to_owned()]));
    }
    for (word, negated) in [(" not in ", true), (" in ", false)] {
        if let Some(at) = lower.find(word) {
            let values = list(text.get(at + word.len()..)?);
            let term = if negated { Term::NotIn(values) } else { Term::In(values) };
            return is_key(text.get(..at)?, key).then_some(term);
        }
    }
    let compared = |symbol: &str, operator: Operator| {
        let (left, right) = text.split_once(symbol)?;
        let value = |side: &str| side.trim().to_owned();
        let term = if is_key(left, key) {
            Some(Term::Compare(operator, value(right)))
        } else {
            is_key(right, key).then(|| Term::Compare(operator.flipped(), value(left)))
        };
        Some(term)
    };
    for (symbol, operator) in [(">=", Operator::GreaterOrEqual), ("<=", Operator::LessOrEqual)] {
        if let Some(term) = compared(symbol, operator) {
            return term;
        }
    }
    for symbol in ["<>", "!="] {
        if let Some((left, right)) = text.split_once(symbol) {
            return is_key(left, key).then(|| Term::NotIn(vec![right.trim().to_owned()]));
        }
    }
    for (symbol, operator) in [(">", Operator::Greater), ("<", Operator::Less)] {
        if let Some(term) = compared(symbol, operator) {
            return term;
        }
    }
    let (left, right) = text.split_once('=')?;
    let (left, right) = if is_key(right, key) { (right, left) } else { (left, right) };
    is_key(left, key)
        .then(|| Term::In(array(right).map_or_else(|| vec![right.trim().to_owned()], list)))
}

/// Returns the inside of `ANY (ARRAY[…])`.
fn array(text: &str) -> Option<&str> {
    let text = text.trim();
    let rest = text.get(..3).filter(|head| head.eq_ignore_ascii_case("any"))?;
    let inner = strip(text.get(rest.len()..)?);
    let head = inner.get(..5).filter(|head| head.eq_ignore_ascii_case("array"))?;
    let open = inner.get(head.len()..)?.trim_start().strip_prefix('[')?;
    open.split_once(']').map(|(values, _)| values)
}

/// Returns the value of a literal without quotes, casts and type words.
fn value(text: &str) -> &str {
    let text = strip(text.split("::").next().unwrap_or(text));
    match (text.find('\''), text.rfind('\'')) {
        (Some(open), Some(close)) if close > open => text.get(open + 1..close).unwrap_or(text),
        _ => text,
    }
}

pub(super) fn same(left: &str, right: &str) -> bool {
    compare(left, right) == Some(Ordering::Equal)
}

/// Compares two literals: as numbers, else as dates and texts of the same form.
pub(super) fn compare(left: &str, right: &str) -> Option<Ordering> {
    if !is_literal(left) || !is_literal(right) {
        return None;
    }
    let (left, right) = (value(left), value(right));
    if let (Ok(left), Ok(right)) = (left.parse::<f64>(), right.parse::<f64>()) {
        return left.partial_cmp(&right);
    }
    if left == right {
        return Some(Ordering::Equal);
    }
    let date = |text: &str| {
        let bytes = text.as_bytes();
        bytes.len() >= 10 && bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-')
    };
    if date(left) && date(right) {
        // `2025-01-01` is the first instant of that day.
        let full = |text: &str| format!("{text: <19}").replace(' ', "0");
        let fill = |text: &str| {
            if text.len() == 10 { format!("{text} 00:00:00") } else { full(text) }
        };
        return Some(fill(left).cmp(&fill(right)));
    }
    None
}

/// Says whether a text is a literal, perhaps with a type in front or behind. One with a time zone
/// stands for another instant in another session.
pub(super) fn is_literal(text: &str) -> bool {
    let lower = strip(text).to_ascii_lowercase();
    if matches!(lower.as_str(), "null" | "true" | "false") {
        return true;
    }
    let typed = ["date ", "timestamp ", "uuid "].iter().find_map(|word| lower.strip_prefix(word));
    let plain = typed.unwrap_or(&lower).trim_start_matches(['-', '+', ' ']);
    if plain.contains("timestamptz") || plain.contains("with time zone") {
        return false;
    }
    let number = plain.split("::").next().unwrap_or(plain);
    match plain.starts_with('\'') {
        true => literal::unquoted(plain).is_some(),
        false => {
            plain.starts_with(|c: char| c.is_ascii_digit()) && number.trim().parse::<f64>().is_ok()
        }
    }
}

/// Texts are the same only when they are written alike, which `compare` cannot say of NULL.
pub(super) fn same_literal(left: &str, right: &str) -> bool {
    let null = |text: &str| text.eq_ignore_ascii_case("null");
    if null(left) || null(right) { null(left) && null(right) } else { same(left, right) }
}
