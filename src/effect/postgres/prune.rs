//! Which partitions a query leaves alone, and which take a row.
//!
//! PostgreSQL 12 to 18 compare the condition with the bounds when they plan, and lock no partition
//! that is ruled out by constants (partprune.c: get_matching_list_bounds,
//! get_matching_range_bounds, get_matching_hash_bounds; manual: Partition Pruning). Rows find their
//! partition in the same way (execPartition.c: get_partition_for_tuple). Measured,
//! testdata/servers/postgres.

use std::cmp::Ordering;

use super::bounds::{self, Place};
use super::hash;
use super::sheet::Sheet;
use super::terms::{self, Operator, Term};
use crate::schema::{Name, Relation, Schema};
use crate::sql::ast::{DataType, Key, PartitionBound, PartitionBy};

/// How a table is divided into partitions.
pub(super) struct Division<'s> {
    schema: &'s Schema,
    table: &'s Relation,
    by: &'s PartitionBy,
    /// The bounds of all its partitions.
    bounds: Vec<&'s PartitionBound>,
}

impl<'s> Division<'s> {
    /// Returns how a table is divided, none where it is not.
    pub(super) fn of(sheet: &Sheet<'s>, table: &Name) -> Option<Self> {
        let schema = sheet.schema;
        let table = schema.relation(table)?;
        let by = table.partition_by.as_ref()?;
        let parts = schema.partitions(&table.name);
        let bounds = parts.into_iter().filter_map(|part| Some(&part.partition_of.as_ref()?.1));
        Some(Self { schema, table, by, bounds: bounds.collect() })
    }

    /// Returns the columns of the key; none where one is an expression.
    pub(super) fn columns(&self) -> Option<Vec<&'s str>> {
        let column = |key: &'s Key| match key {
            Key::Column(column) => Some(column.as_str()),
            Key::Expr(_) => None,
        };
        self.by.keys.iter().map(|part| column(&part.key)).collect()
    }

    fn data_type(&self, column: &str) -> Option<&'s DataType> {
        self.table.column(column)?.data_type.as_ref()
    }

    /// Says whether a row with these literals as its key is in a partition; none where it is not
    /// known. In the default one is what no other takes.
    pub(super) fn takes(&self, key: &[&str], bound: &PartitionBound) -> Option<bool> {
        if !key.iter().all(|value| terms::is_literal(value)) {
            return None;
        }
        match bound {
            PartitionBound::Default => {
                let others = self.bounds.iter().filter(|other| ***other != PartitionBound::Default);
                let mut taken = Some(false);
                for other in others {
                    match self.takes(key, other) {
                        Some(true) => return Some(false),
                        Some(false) => {}
                        None => taken = None,
                    }
                }
                taken.map(|taken| !taken)
            }
            PartitionBound::Range { from, to } => match bounds::within(key, from, to)? {
                Place::Inside => Some(true),
                Place::Outside => Some(false),
                Place::Open => None,
            },
            PartitionBound::In(_) => bounds::holds(key.first()?, bound),
            PartitionBound::Hash { modulus, remainder } => {
                let columns = self.columns()?;
                let typed: Option<Vec<(&str, &DataType)>> = key
                    .iter()
                    .zip(columns)
                    .map(|(value, column)| Some((*value, self.data_type(column)?)))
                    .collect();
                let hash = hash::of_key(self.schema, &typed?)?;
                Some(hash.checked_rem(u64::from(*modulus))? == u64::from(*remainder))
            }
        }
    }

    /// Says whether no row that a condition lets through can be in a partition.
    fn rules_out(&self, condition: &str, bound: &PartitionBound) -> bool {
        let sides = terms::split_word(terms::strip(condition), " or ");
        if sides.len() > 1 {
            return sides.into_iter().all(|side| self.rules_out(side, bound));
        }
        let Some(columns) = self.columns() else { return false };
        let parts = terms::split_and(condition);
        let alternatives = |part: &&str| terms::split_word(part, " or ").len() > 1;
        if parts.iter().filter(|part| alternatives(part)).any(|part| self.rules_out(part, bound)) {
            return true;
        }
        let said = |column: &str| -> Vec<Term> { terms::terms_of(condition, column) };
        if columns.iter().any(|column| self.is_never_null(column, &said(column))) {
            return true;
        }
        match (bound, columns.as_slice()) {
            (PartitionBound::Hash { .. }, columns) => {
                let known: Option<Vec<Vec<String>>> =
                    columns.iter().map(|column| listed(said(column))).collect();
                let all = known.as_deref().and_then(keys);
                all.is_some_and(|all| all.iter().all(|key| self.takes(key, bound) == Some(false)))
            }
            (PartitionBound::Default, [column]) => self.default_is_out(&said(column)),
            (PartitionBound::In(values), [column]) => {
                let known = said(column);
                // A comparison is true of no NULL.
                let null = |value: &&String| value.eq_ignore_ascii_case("null");
                let wants = known.iter().any(|term| match term {
                    Term::In(found) => found.iter().any(|value| null(&value)),
                    Term::NotIn(_) | Term::Compare(_, _) => false,
                });
                let left = values.iter().filter(|value| wants || !null(value)).cloned().collect();
                !known.is_empty() && bounds::terms_exclude(&known, &PartitionBound::In(left))
            }
            (PartitionBound::Range { .. }, [column]) => bounds::terms_exclude(&said(column), bound),
            (PartitionBound::Range { from, to }, columns) => {
                let known = columns.iter().map_while(|column| listed(said(column)));
                let known: Vec<Vec<String>> = known.collect();
                let next = columns.get(known.len()).map(|column| said(column)).unwrap_or_default();
                let outside = |key: &Vec<&str>| {
                    bounds::within(key, from, to) == Some(Place::Outside)
                        || is_beyond(key, &next, from, to)
                };
                let some = !known.is_empty() || !next.is_empty();
                some && keys(&known).is_some_and(|all| all.iter().all(outside))
            }
            (PartitionBound::Default | PartitionBound::In(_), _) => false,
        }
    }

    /// PostgreSQL 17 and later know that no row has NULL in a column that is NOT NULL.
    fn is_never_null(&self, column: &str, terms: &[Term]) -> bool {
        let null = |value: &String| value.eq_ignore_ascii_case("null");
        let wanted = terms.iter().any(|term| match term {
            Term::In(found) => found.iter().all(null),
            Term::NotIn(_) | Term::Compare(_, _) => false,
        });
        let marked = self.table.column(column).is_some_and(|column| column.not_null);
        wanted && marked && self.schema.server.version.at_least(17, 0, 0)
    }

    /// The default partition holds nothing that others hold: single values, and for ranges what
    /// lies between two limits.
    fn default_is_out(&self, known: &[Term]) -> bool {
        let held = |value: &String| {
            self.bounds.iter().any(|other| bounds::holds(value, other) == Some(true))
        };
        known.iter().any(|term| match term {
            Term::In(found) => found.iter().all(held),
            Term::NotIn(_) | Term::Compare(_, _) => false,
        }) || (self.by.strategy == "range" && self.is_covered(known))
    }

    /// Says whether ranges without a gap hold everything between the limits that terms set.
    fn is_covered(&self, known: &[Term]) -> bool {
        let limit = |wanted: fn(Operator) -> bool| {
            known.iter().find_map(|term| match term {
                Term::Compare(operator, limit) if wanted(*operator) => {
                    Some((*operator, limit.as_str()))
                }
                Term::Compare(_, _) | Term::In(_) | Term::NotIn(_) => None,
            })
        };
        let low = limit(|o| matches!(o, Operator::Greater | Operator::GreaterOrEqual));
        let high = limit(|o| matches!(o, Operator::Less | Operator::LessOrEqual));
        if low.is_none() && high.is_none() {
            return false;
        }
        let mut reached = low.map_or("minvalue", |(_, limit)| limit);
        for _ in 0..=self.bounds.len() {
            let next = self.bounds.iter().find_map(|bound| match bound {
                PartitionBound::Range { from, to } => {
                    let (from, to) = (from.first()?, to.first()?);
                    let starts = from.eq_ignore_ascii_case("minvalue")
                        || terms::compare(from, reached).is_some_and(Ordering::is_le);
                    let goes_on = to.eq_ignore_ascii_case("maxvalue")
                        || reached == "minvalue"
                        || terms::compare(to, reached).is_some_and(Ordering::is_gt);
                    (starts && goes_on).then_some(to.as_str())
                }
                PartitionBound::In(_) | PartitionBound::Default | PartitionBound::Hash { .. } => {
                    None
                }
            });
            let Some(to) = next else { return false };
            let enough = to.eq_ignore_ascii_case("maxvalue")
                || high.is_some_and(|(operator, limit)| match terms::compare(to, limit) {
                    Some(Ordering::Greater) => true,
                    Some(Ordering::Equal) => operator == Operator::Less,
                    Some(Ordering::Less) | None => false,
                });
            if enough {
                return true;
            }
            reached = to;
        }
        false
    }
}

/// Says whether the column behind the first ones of a key is below the lower or above the upper
/// bound where those are the bound's own.
fn is_beyond(key: &[&str], next: &[Term], from: &[String], to: &[String]) -> bool {
    let same = |bound: &[String]| {
        let mut pairs = key.iter().zip(bound);
        pairs.all(|(value, limit)| terms::compare(value, limit) == Some(Ordering::Equal))
    };
    let (low, high) = (from.get(key.len()), to.get(key.len()));
    let below = low.filter(|_| same(from));
    let above = high.filter(|_| same(to));
    let last = to.len() == key.len() + 1;
    below.is_some_and(|low| next.iter().any(|term| bounds::below(term, low)))
        || above.is_some_and(|high| last && next.iter().any(|term| bounds::at_least(term, high)))
}

/// Returns the literals that a column can be where terms hold; none where they list none.
fn listed(terms: Vec<Term>) -> Option<Vec<String>> {
    terms.into_iter().find_map(|term| match term {
        Term::In(found) => Some(found),
        Term::NotIn(_) | Term::Compare(_, _) => None,
    })
}

/// The keys that are looked at one by one.
const FEW_KEYS: usize = 1_000;

/// Returns every key that lists of values, one a column, make; none where they are many.
fn keys(columns: &[Vec<String>]) -> Option<Vec<Vec<&str>>> {
    let count = columns.iter().map(Vec::len).try_fold(1_usize, usize::checked_mul)?;
    if count > FEW_KEYS {
        return None;
    }
    let mut keys: Vec<Vec<&str>> = vec![Vec::new()];
    for values in columns {
        let mut longer = Vec::new();
        for key in &keys {
            longer.extend(values.iter().map(|value| {
                let mut key = key.clone();
                key.push(value.as_str());
                key
            }));
        }
        keys = longer;
    }
    Some(keys)
}

/// Returns a partitioned table with the partitions that a condition does not rule out, level by
/// level.
pub(super) fn reached(sheet: &Sheet<'_>, table: &Name, condition: &str) -> Vec<Name> {
    filtered(sheet, table, &|division, bound| !division.rules_out(condition, bound))
}

/// Returns a partitioned table with the partitions that a test lets in, level by level.
pub(super) fn filtered(
    sheet: &Sheet<'_>,
    table: &Name,
    fits: &dyn Fn(&Division<'_>, &PartitionBound) -> bool,
) -> Vec<Name> {
    let mut found = vec![table.clone()];
    let Some(division) = Division::of(sheet, table) else { return found };
    for child in sheet.schema.partitions(table) {
        let bound = child.partition_of.as_ref().map(|(_, bound)| bound);
        if bound.is_none_or(|bound| fits(&division, bound)) {
            found.extend(filtered(sheet, &child.name, fits));
        }
    }
    found
}
