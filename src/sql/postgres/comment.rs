//! `COMMENT ON` and `SECURITY LABEL`.

use super::{names, object, other};
use crate::sql::ast::{Comment, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};

/// Takes what follows `COMMENT`.
pub(super) fn comment(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    c.expect(&["ON"])?;
    let address = described(c)?;
    let text = text(c)?;
    let object::Address { object, name, on, signature } = address;
    Ok(StatementKind::Comment(Comment { object, name, on, signature, text }))
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

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn forms() {
        check(
            "COMMENT ON TABLE app.t IS 'x''y'",
            "Comment(Comment { object: Table, name: app.t, text: Some(\"x'y\") })",
        );
        check(
            "COMMENT ON COLUMN app.t.c IS NULL",
            "Comment(Comment { object: Column, name: app.t.c })",
        );
        check(
            "COMMENT ON CONSTRAINT c ON DOMAIN d IS 'x'",
            "Comment(Comment { object: DomainConstraint, name: c, on: Some(d), text: \
            Some(\"x\") })",
        );
        check(
            "COMMENT ON FUNCTION f(int) IS 'a'\n'b'",
            "Comment(Comment { object: Function, name: f, signature: Some(Signature { types: \
            [DataType { name: \"integer\" }], input: [DataType { name: \"integer\" }] }), text: \
            Some(\"ab\") })",
        );
        check(
            "SECURITY LABEL FOR p ON TABLE t IS 'x'",
            "Other(Other { what: \"security-label\", object: Some(Table), names: [t] })",
        );
        check("COMMENT ON TABLE t 'x'", "! expected IS, found \"'x'\"");
    }
}
