//! The bodies of stored programs: their plain statements, in the order in which they stand.
//!
//! Conditions and loops are read for their structure and not evaluated. A plain statement that is
//! not understood stands in the result as unknown; a body whose blocks do not close is an error.

use super::name::{at_name, full_name, is_mariadb, name};
use crate::sql::ast::Statement;
use crate::sql::cursor::{Cursor, Parsed, SyntaxError};
use crate::sql::parse;

/// How deeply blocks may be nested: deeper ones are no work of people.
const DEEPEST: u16 = 100;

/// What has been read of a body.
#[derive(Default)]
struct Program {
    statements: Vec<Statement>,
    depth: u16,
}

/// Reads the one statement that a body is, mostly `BEGIN … END`.
pub(super) fn body(cursor: &mut Cursor<'_>) -> Parsed<Vec<Statement>> {
    let mut program = Program::default();
    statement(cursor, &mut program)?;
    Ok(program.statements)
}

/// Takes statements, each with its semicolon, up to one of the words that end a list.
fn list(cursor: &mut Cursor<'_>, out: &mut Program) -> Parsed<()> {
    let ends = ["END", "ELSE", "ELSEIF", "WHEN", "UNTIL"];
    while !ends.iter().any(|word| cursor.at(&[word])) {
        if cursor.is_at_end() {
            return Err(cursor.expected("END"));
        }
        statement(cursor, out)?;
        cursor.expect_symbol(";")?;
    }
    Ok(())
}

fn statement(cursor: &mut Cursor<'_>, out: &mut Program) -> Parsed<()> {
    out.depth += 1;
    if out.depth > DEEPEST {
        let message = format!("nested more than {DEEPEST} levels deep");
        return Err(SyntaxError { message, at: cursor.place() });
    }
    one_statement(cursor, out)?;
    out.depth -= 1;
    Ok(())
}

fn one_statement(cursor: &mut Cursor<'_>, out: &mut Program) -> Parsed<()> {
    let labelled = cursor.text_at(1) == ":" && at_name(cursor);
    if labelled {
        name(cursor)?;
        cursor.expect_symbol(":")?;
    }
    if cursor.at(&["BEGIN"]) {
        cursor.accept(&["BEGIN"]);
        cursor.accept(&["NOT", "ATOMIC"]);
        list(cursor, out)?;
        return end(cursor, &["END"], labelled);
    }
    if cursor.accept(&["LOOP"]) {
        list(cursor, out)?;
        return end(cursor, &["END", "LOOP"], labelled);
    }
    if cursor.accept(&["WHILE"]) {
        expression(cursor, &["DO"])?;
        list(cursor, out)?;
        return end(cursor, &["END", "WHILE"], labelled);
    }
    if cursor.accept(&["REPEAT"]) {
        list(cursor, out)?;
        cursor.expect(&["UNTIL"])?;
        expression_before(cursor, &["END"])?;
        return end(cursor, &["END", "REPEAT"], labelled);
    }
    if is_mariadb(cursor) && cursor.accept(&["FOR"]) {
        expression(cursor, &["DO"])?;
        list(cursor, out)?;
        return end(cursor, &["END", "FOR"], labelled);
    }
    if labelled {
        return Err(cursor.expected("BEGIN, LOOP, WHILE or REPEAT"));
    }
    if cursor.accept(&["IF"]) {
        return conditional(cursor, out);
    }
    if cursor.accept(&["CASE"]) {
        return case(cursor, out);
    }
    if cursor.accept(&["DECLARE"]) {
        return declare(cursor, out);
    }
    simple(cursor, out)
}

/// Takes the words that close a block, and the label again.
fn end(cursor: &mut Cursor<'_>, words: &[&str], labelled: bool) -> Parsed<()> {
    cursor.expect(words)?;
    if labelled && at_name(cursor) {
        name(cursor)?;
    }
    Ok(())
}

fn conditional(cursor: &mut Cursor<'_>, out: &mut Program) -> Parsed<()> {
    expression(cursor, &["THEN"])?;
    list(cursor, out)?;
    while cursor.accept(&["ELSEIF"]) {
        expression(cursor, &["THEN"])?;
        list(cursor, out)?;
    }
    if cursor.accept(&["ELSE"]) {
        list(cursor, out)?;
    }
    cursor.expect(&["END", "IF"])
}

fn case(cursor: &mut Cursor<'_>, out: &mut Program) -> Parsed<()> {
    if !cursor.at(&["WHEN"]) {
        expression_before(cursor, &["WHEN"])?;
    }
    while cursor.accept(&["WHEN"]) {
        expression(cursor, &["THEN"])?;
        list(cursor, out)?;
    }
    if cursor.accept(&["ELSE"]) {
        list(cursor, out)?;
    }
    cursor.expect(&["END", "CASE"])
}

/// Takes an expression and the word behind it.
fn expression(cursor: &mut Cursor<'_>, end: &[&str]) -> Parsed<()> {
    expression_before(cursor, end)?;
    cursor.expect(end)
}

/// Takes an expression up to a word outside of parentheses and of CASE … END.
fn expression_before(cursor: &mut Cursor<'_>, end: &[&str]) -> Parsed<()> {
    let start = cursor.position();
    let (mut parentheses, mut cases) = (0_usize, 0_usize);
    while let Some(token) = cursor.peek() {
        let text = cursor.slice(token.span);
        if parentheses == 0 && cases == 0 && (cursor.at(end) || text == ";") {
            break;
        }
        match text {
            "(" => parentheses += 1,
            ")" => parentheses = parentheses.saturating_sub(1),
            _ if text.eq_ignore_ascii_case("case") => cases += 1,
            _ if text.eq_ignore_ascii_case("end") => cases = cases.saturating_sub(1),
            _ => {}
        }
        cursor.advance();
    }
    if cursor.position() == start { Err(cursor.expected("an expression")) } else { Ok(()) }
}

/// Takes what follows DECLARE: variables, a condition, a cursor, a handler with its statement.
fn declare(cursor: &mut Cursor<'_>, out: &mut Program) -> Parsed<()> {
    let handler = ["CONTINUE", "EXIT", "UNDO"].iter().any(|word| cursor.at(&[word, "HANDLER"]));
    if handler {
        cursor.advance();
        cursor.expect(&["HANDLER", "FOR"])?;
        loop {
            condition(cursor)?;
            if !cursor.accept_symbol(",") {
                return statement(cursor, out);
            }
        }
    }
    name(cursor)?;
    if cursor.accept(&["CURSOR"]) {
        if is_mariadb(cursor) && cursor.at_symbol("(") {
            cursor.parentheses()?;
        }
        cursor.expect(&["FOR"])?;
        return simple(cursor, out);
    }
    skip_to_semicolon(cursor);
    Ok(())
}

fn condition(cursor: &mut Cursor<'_>) -> Parsed<()> {
    if cursor.accept(&["SQLSTATE"]) {
        cursor.accept(&["VALUE"]);
        cursor.string()?;
    } else if cursor.accept_any(&["SQLWARNING", "SQLEXCEPTION"]).is_none()
        && !cursor.accept(&["NOT", "FOUND"])
        && super::name::number(cursor).is_err()
    {
        full_name(cursor)?;
    }
    Ok(())
}

/// Takes a statement without blocks. Those that only steer the program are not kept.
fn simple(cursor: &mut Cursor<'_>, out: &mut Program) -> Parsed<()> {
    let start = cursor.position();
    let steering = ["RETURN", "OPEN", "CLOSE", "FETCH", "LEAVE", "ITERATE"];
    let steers = steering.iter().any(|word| cursor.at(&[word]));
    skip_to_semicolon(cursor);
    if cursor.position() == start {
        return Err(cursor.expected("a statement"));
    }
    if !steers {
        out.statements.push(parse::statement(cursor.sub(start, cursor.position())));
    }
    Ok(())
}

fn skip_to_semicolon(cursor: &mut Cursor<'_>) {
    while !cursor.is_at_end() && !cursor.at_symbol(";") {
        cursor.advance();
    }
}
