//! ORDER BY and window specifications.

use super::expr::{any_operator, full, full_list};
use super::found::Found;
use super::names;
use crate::sql::cursor::{Cursor, Parsed};

/// Takes `ORDER BY …`, which is next.
pub(super) fn order_by(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    c.expect(&["ORDER", "BY"])?;
    loop {
        full(c, f)?;
        if c.accept(&["USING"]) {
            if c.accept(&["OPERATOR"]) {
                c.expect_symbol("(")?;
                any_operator(c)?;
                c.expect_symbol(")")?;
            } else {
                any_operator(c)?;
            }
        } else {
            c.accept_any(&["ASC", "DESC"]);
        }
        if c.accept(&["NULLS"]) && c.accept_any(&["FIRST", "LAST"]).is_none() {
            return Err(c.expected("FIRST or LAST"));
        }
        if !c.accept_symbol(",") {
            return Ok(());
        }
    }
}

/// Takes `(… PARTITION BY … ORDER BY … frame)`.
pub(super) fn specification(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    c.expect_symbol("(")?;
    let clause = ["PARTITION", "ORDER", "RANGE", "ROWS", "GROUPS"].iter().any(|w| c.at(&[w]));
    if !c.at_symbol(")") && !clause {
        names::column_id(c, "a window")?;
    }
    if c.accept(&["PARTITION", "BY"]) {
        full_list(c, f)?;
    }
    if c.at(&["ORDER"]) {
        order_by(c, f)?;
    }
    if c.accept_any(&["RANGE", "ROWS", "GROUPS"]).is_some() {
        if c.accept(&["BETWEEN"]) {
            bound(c, f)?;
            c.expect(&["AND"])?;
        }
        bound(c, f)?;
        if c.accept(&["EXCLUDE"]) {
            let known = c.accept(&["CURRENT", "ROW"])
                || c.accept(&["NO", "OTHERS"])
                || c.accept_any(&["GROUP", "TIES"]).is_some();
            if !known {
                return Err(c.expected("CURRENT ROW, GROUP, TIES or NO OTHERS"));
            }
        }
    }
    c.expect_symbol(")")
}

fn bound(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    if c.accept(&["CURRENT", "ROW"]) {
        return Ok(());
    }
    if !c.accept(&["UNBOUNDED", "PRECEDING"]) && !c.accept(&["UNBOUNDED", "FOLLOWING"]) {
        // Restricted, so that the AND of BETWEEN is left alone.
        super::expr::walk(c, f, super::expr::Level::Restricted)?;
        if c.accept_any(&["PRECEDING", "FOLLOWING"]).is_none() {
            return Err(c.expected("PRECEDING or FOLLOWING"));
        }
    }
    Ok(())
}
