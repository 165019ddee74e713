//! Whether CHECK and NOT NULL constraints prove that rows fit a partition bound.
//!
//! PostgreSQL 12 to 18 skip the scan of ATTACH PARTITION when the constraints of the table imply
//! the bound (manual: Table Partitioning, 5.12.2.2). Only what a person writes for that purpose is
//! understood here: comparisons of the key with literals, joined by AND, `IN` lists, and for the
//! default partition their negation. What is not understood proves nothing.

use std::cmp::Ordering;

use crate::schema::{Demand, Relation};
use crate::sql::ast::{Key, PartitionBound, PartitionBy};

/// Says whether the rows of a table are known to fit a bound of one key column.
pub(super) fn implies(table: &Relation, by: &PartitionBy, bound: &PartitionBound) -> bool {
    let Some(key) = single_key(by) else { return false };
    let known = terms(table, key);
    let not_null = is_not_null(table, key);
    match bound {
        PartitionBound::Range { from, to } => {
            let (Some(from), Some(to)) = (from.first(), to.first()) else { return false };
            let lower = is_open(from) || known.iter().any(|term| at_least(term, from));
            let upper = is_open(to) || known.iter().any(|term| below(term, to));
            not_null && lower && upper
        }
        PartitionBound::In(values) => {
            let nulls = values.iter().any(|value| value.eq_ignore_ascii_case("null"));
            let listed = known.iter().any(|term| match term {
                Term::In(found) => {
                    found.iter().all(|one| values.iter().any(|value| same(one, value)))
                }
                Term::Compare(_, _) => false,
            });
            listed && (nulls || not_null)
        }
        PartitionBound::Default | PartitionBound::Hash => false,
    }
}

/// Says whether the rows of the default partition are known to stay outside a new bound.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are alike here")]
pub(super) fn excludes(table: &Relation, by: &PartitionBy, bound: &PartitionBound) -> bool {
    let Some(key) = single_key(by) else { return false };
    let checks = table.constraints.iter().filter(|c| c.valid && c.enforced);
    let texts = checks.filter_map(|constraint| match &constraint.kind {
        Demand::Check(check) => Some(check.text.as_str()),
        _ => None,
    });
    let known = terms(table, key);
    match bound {
        PartitionBound::Range { from, to } => {
            let (Some(from), Some(to)) = (from.first(), to.first()) else { return false };
            let before = known.iter().any(|term| below(term, from));
            let after = known.iter().any(|term| at_least(term, to));
            let either = texts.into_iter().any(|text| {
                let Some((left, right)) = split_or(text) else { return false };
                let (Some(left), Some(right)) = (term(left, key), term(right, key)) else {
                    return false;
                };
                (below(&left, from) && at_least(&right, to))
                    || (below(&right, from) && at_least(&left, to))
            });
            before || after || either
        }
        PartitionBound::In(values) => known.iter().any(|term| match term {
            Term::In(found) => !found.iter().any(|one| values.iter().any(|value| same(one, value))),
            Term::Compare(Operator::NotEqual, found) => {
                values.len() == 1 && values.iter().all(|value| same(found, value))
            }
            Term::Compare(_, _) => false,
        }),
        PartitionBound::Default | PartitionBound::Hash => false,
    }
}

fn single_key(by: &PartitionBy) -> Option<&str> {
    match by.keys.as_slice() {
        [part] => match &part.key {
            Key::Column(column) => Some(column.as_str()),
            Key::Expr(_) => None,
        },
        _ => None,
    }
}

fn is_not_null(table: &Relation, key: &str) -> bool {
    table.column(key).is_some_and(|column| column.not_null && !column.not_null_not_valid)
        || table.constraints.iter().any(|constraint| {
            constraint.valid
                && constraint.enforced
                && matches!(&constraint.kind, Demand::Check(check) if proves(check, key))
        })
}

/// A bound that is open: MINVALUE, MAXVALUE.
fn is_open(value: &str) -> bool {
    value.eq_ignore_ascii_case("minvalue") || value.eq_ignore_ascii_case("maxvalue")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    NotEqual,
}

/// What one AND term says of the key.
#[derive(Debug, Clone)]
enum Term {
    Compare(Operator, String),
    In(Vec<String>),
}

fn terms(table: &Relation, key: &str) -> Vec<Term> {
    let mut found = Vec::new();
    for constraint in table.constraints.iter().filter(|c| c.valid && c.enforced) {
        let Demand::Check(check) = &constraint.kind else { continue };
        for part in split_and(&check.text) {
            if let Some((low, high)) = between(part, key) {
                found.push(Term::Compare(Operator::GreaterOrEqual, low));
                found.push(Term::Compare(Operator::LessOrEqual, high));
            } else if let Some(one) = term(part, key) {
                found.push(one);
            }
        }
    }
    found
}

fn split_and(text: &str) -> Vec<&str> {
    let text = strip(text);
    let lower = text.to_ascii_lowercase();
    if lower.contains(" between ") || split_or(text).is_some() {
        return vec![text];
    }
    split_word(text, " and ").into_iter().map(strip).collect()
}

fn split_or(text: &str) -> Option<(&str, &str)> {
    match split_word(strip(text), " or ").as_slice() {
        [left, right] => Some((strip(left), strip(right))),
        _ => None,
    }
}

/// Splits at a word outside of parentheses and quotes.
fn split_word<'t>(text: &'t str, word: &str) -> Vec<&'t str> {
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
fn strip(text: &str) -> &str {
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
    if text.get(..at)?.trim().trim_matches('"') != key {
        return None;
    }
    let rest = text.get(at + " between ".len()..)?;
    let end = rest.to_ascii_lowercase().find(" and ")?;
    let low = rest.get(..end)?.trim().to_owned();
    let high = rest.get(end + " and ".len()..)?.trim().to_owned();
    (!high.to_ascii_lowercase().contains(" and ")).then_some((low, high))
}

fn term(text: &str, key: &str) -> Option<Term> {
    let text = strip(text);
    let lower = text.to_ascii_lowercase();
    if let Some(at) = lower.find(" in ") {
        let named = text.get(..at)?.trim().trim_matches('"') == key;
        let list = strip(text.get(at + " in ".len()..)?);
        let values = list.split(',').map(|value| value.trim().to_owned()).collect();
        return named.then_some(Term::In(values));
    }
    for (symbol, operator) in [
        ("<>", Operator::NotEqual),
        ("!=", Operator::NotEqual),
        (">=", Operator::GreaterOrEqual),
        ("<=", Operator::LessOrEqual),
        (">", Operator::Greater),
        ("<", Operator::Less),
    ] {
        if let Some((left, right)) = text.split_once(symbol) {
            let named = left.trim().trim_matches('"') == key;
            return named.then(|| Term::Compare(operator, right.trim().to_owned()));
        }
    }
    let (left, right) = text.split_once('=')?;
    let named = left.trim().trim_matches('"') == key;
    named.then(|| Term::In(vec![right.trim().to_owned()]))
}

/// Returns the value of a literal without quotes, casts and type words.
fn value(text: &str) -> &str {
    let text = text.split("::").next().unwrap_or(text).trim();
    match (text.find('\''), text.rfind('\'')) {
        (Some(open), Some(close)) if close > open => text.get(open + 1..close).unwrap_or(text),
        _ => text,
    }
}

fn same(left: &str, right: &str) -> bool {
    compare(left, right) == Some(Ordering::Equal)
}

/// Compares two literals: as numbers, else as dates and texts of the same form.
fn compare(left: &str, right: &str) -> Option<Ordering> {
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

/// The term says that the key is at least the value.
fn at_least(term: &Term, bound: &str) -> bool {
    match term {
        Term::Compare(Operator::GreaterOrEqual | Operator::Greater, found) => {
            matches!(compare(found, bound), Some(Ordering::Greater | Ordering::Equal))
        }
        Term::In(found) => found
            .iter()
            .all(|one| matches!(compare(one, bound), Some(Ordering::Greater | Ordering::Equal))),
        Term::Compare(_, _) => false,
    }
}

/// The term says that the key is below the value.
fn below(term: &Term, bound: &str) -> bool {
    match term {
        Term::Compare(Operator::Less, found) => {
            matches!(compare(found, bound), Some(Ordering::Less | Ordering::Equal))
        }
        Term::Compare(Operator::LessOrEqual, found) => {
            compare(found, bound) == Some(Ordering::Less)
        }
        Term::In(found) => found.iter().all(|one| compare(one, bound) == Some(Ordering::Less)),
        Term::Compare(_, _) => false,
    }
}

/// Says whether a condition is only true where a column is not NULL.
fn proves(check: &crate::sql::ast::Expr, column: &str) -> bool {
    check.proves_not_null.iter().any(|proven| proven == column)
}
