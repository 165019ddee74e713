//! Whether CHECK and NOT NULL constraints prove that rows fit a partition bound.
//!
//! PostgreSQL 12 to 18 skip the scan of ATTACH PARTITION when the constraints of the table imply
//! the bound (manual: Table Partitioning, 5.12.2.2). Only what a person writes for that purpose is
//! understood here: comparisons of the key with literals, joined by AND, `IN` lists, and for the
//! default partition their negation. What is not understood proves nothing.

use std::cmp::Ordering;

use super::terms::{
    Operator, Term, compare, is_literal, same, same_literal, split_or, term, terms_of,
};
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

fn terms(table: &Relation, key: &str) -> Vec<Term> {
    let mut found = Vec::new();
    for constraint in table.constraints.iter().filter(|c| c.valid && c.enforced) {
        let Demand::Check(check) = &constraint.kind else { continue };
        found.extend(terms_of(&check.text, key));
    }
    found
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
