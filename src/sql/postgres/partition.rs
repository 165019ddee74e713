//! Partition keys and bounds.

use super::{expr, index, names};
use crate::sql::ast::{PartitionBound, PartitionBy};
use crate::sql::cursor::{Cursor, Parsed, SyntaxError};

/// Takes `PARTITION BY strategy (keys)`.
pub(super) fn by(c: &mut Cursor<'_>) -> Parsed<PartitionBy> {
    c.expect(&["PARTITION", "BY"])?;
    let strategy = names::word(c, "RANGE, LIST or HASH")?;
    let strategy = strategy.value.to_ascii_lowercase();
    if !["range", "list", "hash"].contains(&strategy.as_str()) {
        let message = format!("expected RANGE, LIST or HASH, found \"{strategy}\"");
        return Err(SyntaxError { message, at: c.last_span() });
    }
    let keys = index::key_parts(c)?;
    Ok(PartitionBy { strategy, keys, partitions: Vec::new() })
}

/// Takes `FOR VALUES …` or `DEFAULT`.
pub(super) fn bound(c: &mut Cursor<'_>) -> Parsed<PartitionBound> {
    if c.accept(&["DEFAULT"]) {
        return Ok(PartitionBound::Default);
    }
    c.expect(&["FOR", "VALUES"])?;
    if c.accept(&["IN"]) {
        return Ok(PartitionBound::In(values(c)?));
    }
    if c.accept(&["FROM"]) {
        let from = values(c)?;
        c.expect(&["TO"])?;
        return Ok(PartitionBound::Range { from, to: values(c)? });
    }
    c.expect(&["WITH"])?;
    c.expect_symbol("(")?;
    let (mut modulus, mut remainder) = (0, 0);
    names::list(c, |c| {
        let what = names::word(c, "MODULUS or REMAINDER")?;
        // What is too large for the server is as wrong as zero.
        let number = names::integer(c)?.parse().unwrap_or(0);
        match what.as_str() {
            "modulus" => modulus = number,
            _ => remainder = number,
        }
        Ok(())
    })?;
    c.expect_symbol(")")?;
    Ok(PartitionBound::Hash { modulus, remainder })
}

fn values(c: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    c.expect_symbol("(")?;
    let values = names::list(c, |c| Ok(expr::a_expr(c)?.text))?;
    c.expect_symbol(")")?;
    Ok(values)
}
