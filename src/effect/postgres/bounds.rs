//! Whether CHECK and NOT NULL constraints prove that rows fit a partition bound.
//!
//! PostgreSQL 12 to 18 skip the scan of ATTACH PARTITION when the constraints of the table imply
//! the bound (manual: Table Partitioning, 5.12.2.2). Only what a person writes for that purpose is
//! understood here: comparisons of the key with literals, joined by AND, `IN` lists, and for the
//! default partition their negation. What is not understood proves nothing.

use std::cmp::Ordering;

use crate::schema::{Demand, Relation};
use crate::sql::ast::{Expr, Key, PartitionBound, PartitionBy};

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
                Term::NotIn(_) | Term::Compare(_, _) => false,
            });
            listed && (nulls || not_null)
        }
        PartitionBound::Default | PartitionBound::Hash { .. } => false,
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
    let either = match bound {
        PartitionBound::Range { from, to } => match (from.first(), to.first()) {
            (Some(from), Some(to)) => texts.into_iter().any(|text| {
                let Some((left, right)) = split_or(text) else { return false };
                let (Some(left), Some(right)) = (term(left, key), term(right, key)) else {
                    return false;
                };
                (below(&left, from) && at_least(&right, to))
                    || (below(&right, from) && at_least(&left, to))
            }),
            _ => false,
        },
        PartitionBound::In(_) | PartitionBound::Default | PartitionBound::Hash { .. } => false,
    };
    either || terms_exclude(&known, bound)
}

/// Says whether no key for which the terms hold is within a bound.
fn terms_exclude(known: &[Term], bound: &PartitionBound) -> bool {
    match bound {
        PartitionBound::Range { from, to } => {
            let (Some(from), Some(to)) = (from.first(), to.first()) else { return false };
            known.iter().any(|term| below(term, from) || at_least(term, to))
                || known.iter().any(|term| {
                    matches!(term, Term::In(found)
                        if found.iter().all(|one| holds(one, bound) == Some(false)))
                })
        }
        PartitionBound::In(values) => known.iter().any(|term| match term {
            Term::In(found) => {
                found.iter().all(|one| is_literal(one))
                    && !found.iter().any(|one| values.iter().any(|value| same(one, value)))
            }
            Term::NotIn(found) => {
                values.iter().all(|value| found.iter().any(|one| same(one, value)))
            }
            Term::Compare(_, _) => false,
        }),
        PartitionBound::Default | PartitionBound::Hash { .. } => false,
    }
}

pub(super) fn single_key(by: &PartitionBy) -> Option<&str> {
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
}

/// What one AND term says of the key.
#[derive(Debug, Clone)]
enum Term {
    Compare(Operator, String),
    In(Vec<String>),
    NotIn(Vec<String>),
}

fn terms(table: &Relation, key: &str) -> Vec<Term> {
    let mut found = Vec::new();
    for constraint in table.constraints.iter().filter(|c| c.valid && c.enforced) {
        let Demand::Check(check) = &constraint.kind else { continue };
        found.extend(terms_of(&check.text, key));
    }
    found
}

/// Returns what the AND terms of a condition say of the key.
fn terms_of(text: &str, key: &str) -> Vec<Term> {
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

/// Says whether no row that a condition lets through can be in a partition: in the default one are
/// none that others hold.
pub(super) fn rules_out(
    filter: &Expr,
    by: &PartitionBy,
    bound: &PartitionBound,
    others: &[&PartitionBound],
) -> bool {
    let Some(key) = single_key(by) else { return false };
    if filter.has_subquery {
        return false;
    }
    let known = terms_of(&filter.text, key);
    let held = |value: &String| others.iter().any(|other| holds(value, other) == Some(true));
    let elsewhere = |term: &Term| matches!(term, Term::In(found) if found.iter().all(held));
    (*bound == PartitionBound::Default && known.iter().any(elsewhere))
        || terms_exclude(&known, bound)
}

/// Says whether a row with this literal as its key is in a partition; none where it is not known.
pub(super) fn holds(value: &str, bound: &PartitionBound) -> Option<bool> {
    if !is_literal(value) {
        return None;
    }
    match bound {
        PartitionBound::Range { from, to } => {
            let ([from], [to]) = (from.as_slice(), to.as_slice()) else { return None };
            let above = is_open(from) || compare(value, from)? != Ordering::Less;
            let below = is_open(to) || compare(value, to)? == Ordering::Less;
            Some(above && below)
        }
        PartitionBound::In(values) => Some(values.iter().any(|listed| same_literal(listed, value))),
        PartitionBound::Default | PartitionBound::Hash { .. } => None,
    }
}

/// Says whether two partitions would hold the same rows.
pub(super) fn overlap(one: &PartitionBound, other: &PartitionBound) -> bool {
    match (one, other) {
        (
            PartitionBound::Range { from: from_one, to: to_one },
            PartitionBound::Range { from: from_other, to: to_other },
        ) => {
            let ([from_one], [to_one]) = (from_one.as_slice(), to_one.as_slice()) else {
                return false;
            };
            let ([from_other], [to_other]) = (from_other.as_slice(), to_other.as_slice()) else {
                return false;
            };
            starts_before(from_one, to_other) && starts_before(from_other, to_one)
        }
        (PartitionBound::In(one), PartitionBound::In(other)) => {
            one.iter().any(|value| other.iter().any(|listed| same_literal(listed, value)))
        }
        (PartitionBound::Default, PartitionBound::Default) => true,
        (
            PartitionBound::Hash { modulus: one, remainder: first },
            PartitionBound::Hash { modulus: other, remainder: second },
        ) => {
            // Of two moduli the smaller divides the larger: its keys are the larger's too.
            let smaller = (*one).min(*other);
            smaller > 0 && first % smaller == second % smaller
        }
        (PartitionBound::Range { .. }, _)
        | (PartitionBound::In(_), _)
        | (PartitionBound::Default, _)
        | (PartitionBound::Hash { .. }, _) => false,
    }
}

/// Returns what is wrong with the modulus and the remainder of a hash partition beside others:
/// every modulus divides the next larger one (PostgreSQL 12 to 18, check_new_partition_bound).
pub(super) fn wrong_hash(
    bound: &PartitionBound,
    others: &[&PartitionBound],
) -> Option<&'static str> {
    let PartitionBound::Hash { modulus, remainder } = bound else { return None };
    if *modulus == 0 {
        return Some("modulus for hash partition must be an integer value greater than zero");
    }
    if remainder >= modulus {
        return Some("remainder for hash partition must be less than modulus");
    }
    let fits = |other: &&PartitionBound| match other {
        PartitionBound::Hash { modulus: other, .. } => {
            let (small, large) = ((*modulus).min(*other), (*modulus).max(*other));
            small > 0 && large % small == 0
        }
        PartitionBound::Range { .. } | PartitionBound::In(_) | PartitionBound::Default => true,
    };
    let all = others.iter().all(fits);
    (!all).then_some("every hash partition modulus must be a factor of the next larger modulus")
}

/// Returns the number of values of a range bound.
pub(super) const fn width(bound: &PartitionBound) -> Option<usize> {
    match bound {
        PartitionBound::Range { from, .. } => Some(from.len()),
        PartitionBound::In(_) | PartitionBound::Default | PartitionBound::Hash { .. } => None,
    }
}

/// Says whether a bound is of the kind that a strategy takes.
pub(super) fn is_of_strategy(bound: &PartitionBound, strategy: &str) -> bool {
    match bound {
        PartitionBound::Default => strategy != "hash",
        PartitionBound::In(_) => strategy == "list",
        PartitionBound::Range { .. } => strategy == "range",
        PartitionBound::Hash { .. } => strategy == "hash",
    }
}

/// Says whether a range ends before it begins.
pub(super) fn is_empty(bound: &PartitionBound) -> bool {
    match bound {
        PartitionBound::Range { from, to } => match (from.as_slice(), to.as_slice()) {
            ([from], [to]) if !is_open(from) && !is_open(to) => {
                matches!(compare(from, to), Some(Ordering::Greater | Ordering::Equal))
            }
            _ => false,
        },
        PartitionBound::In(_) | PartitionBound::Default | PartitionBound::Hash { .. } => false,
    }
}

/// Says whether one range begins before another ends.
fn starts_before(from: &str, to: &str) -> bool {
    from.eq_ignore_ascii_case("minvalue")
        || to.eq_ignore_ascii_case("maxvalue")
        || compare(from, to) == Some(Ordering::Less)
}

fn is_literal(text: &str) -> bool {
    let first = text.trim_start_matches(['-', '+', ' ']).chars().next();
    first.is_some_and(|c| c == '\'' || c.is_ascii_digit()) || text.eq_ignore_ascii_case("null")
}

/// Texts are the same only when they are written alike, which `compare` cannot say of NULL.
fn same_literal(left: &str, right: &str) -> bool {
    let null = |text: &str| text.eq_ignore_ascii_case("null");
    if null(left) || null(right) { null(left) && null(right) } else { same(left, right) }
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
    let is_key = |left: &str| left.trim().trim_matches('"') == key;
    let list = |text: &str| -> Vec<String> {
        strip(text).split(',').map(|value| value.trim().to_owned()).collect()
    };
    for (word, negated) in [(" not in ", true), (" in ", false)] {
        if let Some(at) = lower.find(word) {
            let values = list(text.get(at + word.len()..)?);
            let term = if negated { Term::NotIn(values) } else { Term::In(values) };
            return is_key(text.get(..at)?).then_some(term);
        }
    }
    for (symbol, operator) in [(">=", Operator::GreaterOrEqual), ("<=", Operator::LessOrEqual)] {
        if let Some((left, right)) = text.split_once(symbol) {
            return is_key(left).then(|| Term::Compare(operator, right.trim().to_owned()));
        }
    }
    for symbol in ["<>", "!="] {
        if let Some((left, right)) = text.split_once(symbol) {
            return is_key(left).then(|| Term::NotIn(vec![right.trim().to_owned()]));
        }
    }
    for (symbol, operator) in [(">", Operator::Greater), ("<", Operator::Less)] {
        if let Some((left, right)) = text.split_once(symbol) {
            return is_key(left).then(|| Term::Compare(operator, right.trim().to_owned()));
        }
    }
    let (left, right) = text.split_once('=')?;
    is_key(left).then(|| Term::In(array(right).map_or_else(|| vec![right.trim().to_owned()], list)))
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
        Term::NotIn(_) | Term::Compare(_, _) => false,
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
        Term::NotIn(_) | Term::Compare(_, _) => false,
    }
}

/// Says whether a condition is only true where a column is not NULL.
fn proves(check: &crate::sql::ast::Expr, column: &str) -> bool {
    check.proves_not_null.iter().any(|proven| proven == column)
}
