//! `COMMENT ON` and `SECURITY LABEL`.

use super::{names, object, other};
use crate::sql::ast::{Comment, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};

/// Takes what follows `COMMENT`.
pub(super) fn comment(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    c.expect(&["ON"])?;
    let address = described(c)?;
    let text = text(c)?;
    let object::Address { object, name, on, signature: _ } = address;
    Ok(StatementKind::Comment(Comment { object, name, on, text }))
}

fn described(c: &mut Cursor<'_>) -> Parsed<object::Address> {
    match object::kind(c) {
        Some(kind) => object::address(c, kind),
        None => Err(c.expected("TABLE, COLUMN or another kind of object")),
    }
}

/// Takes `IS 'text'` or `IS NULL`.
fn text(c: &mut Cursor<'_>) -> Parsed<Option<String>> {
    c.expect(&["IS"])?;
    if c.accept(&["NULL"]) { Ok(None) } else { names::string(c).map(Some) }
}

/// Takes what follows `SECURITY LABEL`.
pub(super) fn security_label(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    if c.accept(&["FOR"]) {
        if names::at_string(c) {
            names::string(c)?;
        } else {
            names::word(c, "a provider")?;
        }
    }
    c.expect(&["ON"])?;
    let address = described(c)?;
    text(c)?;
    Ok(StatementKind::Other(other("security-label", Some(address.object), vec![address.name])))
}
