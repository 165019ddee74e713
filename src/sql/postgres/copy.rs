//! `COPY`.

use super::{dml, expr, names, options, select};
use crate::sql::ast::{Copy, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};

/// Takes what follows `COPY`.
pub(super) fn copy(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    c.accept(&["BINARY"]);
    let mut copy =
        Copy { table: None, columns: Vec::new(), query: None, from: false, stdin: false };
    if c.at_symbol("(") {
        let start = c.position() + 1;
        c.expect_symbol("(")?;
        let mut found = super::found::Found::default();
        if let Some(change) = dml::any(c, &mut found)? {
            for target in &change.targets {
                found.write(target);
            }
        }
        copy.query = Some(found.into_query(c, start));
        c.expect_symbol(")")?;
    } else {
        copy.table = Some(names::qualified(c, "a table name")?);
        copy.columns = names::optional_column_list(c)?;
    }
    copy.from = match c.accept_any(&["FROM", "TO"]) {
        Some(word) => word == "FROM",
        None => return Err(c.expected("FROM or TO")),
    };
    if copy.from && copy.query.is_some() {
        return Err(c.expected("TO: a query cannot be copied into"));
    }
    copy.stdin = place(c)?;
    if c.accept(&["USING"]) {
        c.expect(&["DELIMITERS"])?;
        names::string(c)?;
    } else if c.accept(&["DELIMITERS"]) {
        names::string(c)?;
    }
    c.accept(&["WITH"]);
    if c.at_symbol("(") {
        options::utility(c)?;
    } else {
        while option(c)? {}
    }
    if copy.from && c.accept(&["WHERE"]) {
        expr::a_expr(c)?;
    }
    Ok(StatementKind::Copy(Box::new(copy)))
}

/// Takes a file, a program or a standard stream; says whether it is standard input.
fn place(c: &mut Cursor<'_>) -> Parsed<bool> {
    if let Some(word) = c.accept_any(&["STDIN", "STDOUT"]) {
        return Ok(word == "STDIN");
    }
    c.accept(&["PROGRAM"]);
    // psql puts the value of a variable in before the server sees it.
    if c.text_at(0).starts_with(':') {
        c.advance();
        return Ok(false);
    }
    names::string(c).map(|_| false)
}

/// Takes one option of the older form, where one is next.
fn option(c: &mut Cursor<'_>) -> Parsed<bool> {
    if c.accept_any(&["BINARY", "FREEZE", "CSV", "HEADER"]).is_some() {
        return Ok(true);
    }
    if c.accept_any(&["DELIMITER", "NULL", "QUOTE", "ESCAPE", "ENCODING"]).is_some() {
        c.accept(&["AS"]);
        return names::string(c).map(|_| true);
    }
    if c.accept(&["FORCE"]) {
        if !c.accept(&["QUOTE"]) && !c.accept(&["NOT", "NULL"]) {
            c.expect(&["NULL"])?;
        }
        if !c.accept_symbol("*") {
            names::list(c, |c| names::column_id(c, "a column name"))?;
        }
        return Ok(true);
    }
    Ok(false)
}

/// Takes what follows `DECLARE`.
pub(super) fn declare(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    names::column_id(c, "a cursor name")?;
    while c.accept_any(&["BINARY", "INSENSITIVE", "ASENSITIVE", "SCROLL"]).is_some()
        || c.accept(&["NO", "SCROLL"])
    {}
    c.expect(&["CURSOR"])?;
    if c.accept_any(&["WITH", "WITHOUT"]).is_some() {
        c.expect(&["HOLD"])?;
    }
    c.expect(&["FOR"])?;
    let query = select::query(c)?;
    Ok(StatementKind::Other(super::other("declare-cursor", None, query.reads)))
}

/// Takes what follows `FETCH` or `MOVE`.
pub(super) fn fetch(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let start = c.position();
    direction(c)?;
    c.accept_any(&["FROM", "IN"]);
    if c.is_at_end() && c.position() > start {
        // The direction word was the name of the cursor.
        c.reset(start);
    }
    names::column_id(c, "a cursor name")?;
    Ok(StatementKind::Other(super::other("fetch", None, Vec::new())))
}

fn direction(c: &mut Cursor<'_>) -> Parsed<()> {
    if c.accept_any(&["NEXT", "PRIOR", "FIRST", "LAST"]).is_some() || c.accept(&["ALL"]) {
        return Ok(());
    }
    if c.accept_any(&["ABSOLUTE", "RELATIVE"]).is_some() {
        return names::integer(c).map(|_| ());
    }
    let way = c.accept_any(&["FORWARD", "BACKWARD"]).is_some();
    let number = matches!(c.text_at(0), "-" | "+")
        || names::at_kind(c, crate::sql::lexer::TokenKind::Number);
    if way && c.accept(&["ALL"]) {
        return Ok(());
    }
    if number {
        names::integer(c)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn forms() {
        check(
            "COPY t (a, b) FROM STDIN WITH (FORMAT csv, FORCE_NULL (a)) WHERE a > 1",
            "Copy(Copy { table: Some(t), columns: [a, b], from: true, stdin: true })",
        );
        check(
            "COPY (SELECT * FROM t) TO PROGRAM 'x'",
            "Copy(Copy { query: Some(Query { reads: [t], star: true }) })",
        );
        check("COPY t TO '/x' CSV HEADER QUOTE AS '\"'", "Copy(Copy { table: Some(t) })");
        check("COPY t FROM '/x' DELIMITERS ','", "Copy(Copy { table: Some(t), from: true })");
        check(
            "DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT * FROM t",
            "Other(Other { what: \"declare-cursor\", names: [t] })",
        );
        check("FETCH FORWARD 5 FROM c", "Other(Other { what: \"fetch\" })");
        check("FETCH c", "Other(Other { what: \"fetch\" })");
        check("COPY t", "! expected FROM or TO, found the end of the statement");
        check(
            "COPY (SELECT 1) FROM STDIN",
            "! expected TO: a query cannot be copied into, found \"STDIN\"",
        );
    }
}
