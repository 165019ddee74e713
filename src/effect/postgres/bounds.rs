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
pub(super) fn terms_exclude(known: &[Term], bound: &PartitionBound) -> bool {
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
                    && !found.iter().any(|one| values.iter().any(|value| same_literal(one, value)))
            }
            Term::NotIn(found) => {
                values.iter().all(|value| found.iter().any(|one| same(one, value)))
            }
            Term::Compare(operator, limit) => {
                values.iter().all(|value| operator.holds(value, limit) == Some(false))
            }
        }),
        PartitionBound::Default | PartitionBound::Hash { .. } => false,
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
pub(super) fn is_open(value: &str) -> bool {
    value.eq_ignore_ascii_case("minvalue") || value.eq_ignore_ascii_case("maxvalue")
}

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
    fn holds(self, value: &str, limit: &str) -> Option<bool> {
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

fn terms(table: &Relation, key: &str) -> Vec<Term> {
    let mut found = Vec::new();
    for constraint in table.constraints.iter().filter(|c| c.valid && c.enforced) {
        let Demand::Check(check) = &constraint.kind else { continue };
        found.extend(terms_of(&check.text, key));
    }
    found
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

/// Says whether a row with this literal as its key is in a partition; none where it is not known.
pub(super) fn holds(value: &str, bound: &PartitionBound) -> Option<bool> {
    if !is_literal(value) {
        return None;
    }
    match bound {
        PartitionBound::Range { from, to } => {
            within(&[value], from, to).map(|place| place == Place::Inside)
        }
        PartitionBound::In(values) => Some(values.iter().any(|listed| same_literal(listed, value))),
        PartitionBound::Default | PartitionBound::Hash { .. } => None,
    }
}

/// Where a key is, as far as its first columns tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Between the bounds.
    Inside,
    /// Below the lower or not below the upper bound.
    Outside,
    /// The columns that are not known decide.
    Open,
}

/// Says where a key, or the first columns of one, is among the bounds of a range; none where
/// literals cannot be compared. The upper bound is outside, and NULL is in no range.
pub(super) fn within(key: &[&str], from: &[String], to: &[String]) -> Option<Place> {
    if key.iter().any(|value| value.eq_ignore_ascii_case("null")) {
        return Some(Place::Outside);
    }
    let side = |bound: &[String]| -> Option<Ordering> {
        for (value, limit) in key.iter().zip(bound) {
            let order = match limit {
                limit if limit.eq_ignore_ascii_case("minvalue") => Ordering::Greater,
                limit if limit.eq_ignore_ascii_case("maxvalue") => Ordering::Less,
                limit => compare(value, limit)?,
            };
            if order != Ordering::Equal {
                return Some(order);
            }
        }
        Some(Ordering::Equal)
    };
    let (low, high) = (side(from)?, side(to)?);
    let whole = key.len() >= from.len();
    Some(match (low, high) {
        (Ordering::Less, _) | (_, Ordering::Greater) => Place::Outside,
        (_, Ordering::Equal) if whole => Place::Outside,
        (Ordering::Equal, _) | (_, Ordering::Equal) if !whole => Place::Open,
        _ => Place::Inside,
    })
}

/// Says whether two partitions would hold the same rows.
pub(super) fn overlap(one: &PartitionBound, other: &PartitionBound) -> bool {
    match (one, other) {
        (
            PartitionBound::Range { from: from_one, to: to_one },
            PartitionBound::Range { from: from_other, to: to_other },
        ) => starts_before(from_one, to_other) && starts_before(from_other, to_one),
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
        PartitionBound::Range { from, to } => {
            matches!(order(from, to), Some(Ordering::Greater | Ordering::Equal))
        }
        PartitionBound::In(_) | PartitionBound::Default | PartitionBound::Hash { .. } => false,
    }
}

/// Says whether one range begins before another ends.
fn starts_before(from: &[String], to: &[String]) -> bool {
    order(from, to) == Some(Ordering::Less)
}

/// Compares bounds column by column.
fn order(one: &[String], other: &[String]) -> Option<Ordering> {
    let is = |value: &str, word: &str| value.eq_ignore_ascii_case(word);
    for (left, right) in one.iter().zip(other) {
        let order = match (is_open(left), is_open(right)) {
            (true, true) if left.eq_ignore_ascii_case(right) => Ordering::Equal,
            (true, _) if is(left, "minvalue") => Ordering::Less,
            (_, true) if is(right, "maxvalue") => Ordering::Less,
            (true, _) | (_, true) => Ordering::Greater,
            (false, false) => compare(left, right)?,
        };
        if order != Ordering::Equal {
            return Some(order);
        }
    }
    Some(Ordering::Equal)
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
        true => super::literal::unquoted(plain).is_some(),
        false => {
            plain.starts_with(|c: char| c.is_ascii_digit()) && number.trim().parse::<f64>().is_ok()
        }
    }
}

/// Texts are the same only when they are written alike, which `compare` cannot say of NULL.
fn same_literal(left: &str, right: &str) -> bool {
    let null = |text: &str| text.eq_ignore_ascii_case("null");
    if null(left) || null(right) { null(left) && null(right) } else { same(left, right) }
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

fn split_or(text: &str) -> Option<(&str, &str)> {
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

fn term(text: &str, key: &str) -> Option<Term> {
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

fn same(left: &str, right: &str) -> bool {
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

/// The term says that the key is at least the value.
pub(super) fn at_least(term: &Term, bound: &str) -> bool {
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
pub(super) fn below(term: &Term, bound: &str) -> bool {
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
