//! Bodies: SQL functions, `BEGIN ATOMIC`, `RETURN`, DO blocks.

use super::{expr, names, plpgsql};
use crate::sql::ast::{Dml, DmlKind, DoBlock, Query, Statement, StatementKind, Tree};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::lexer::{Lexing, Token, TokenKind};
use crate::sql::source::Span;
use crate::sql::split::{PieceKind, Pieces, split};

/// The longest file in which bodies with doubled quotes are looked into: each one takes a copy.
const LONGEST: usize = 256 * 1024;

/// Takes `RETURN expr` or `BEGIN ATOMIC … END`, where one is next.
pub(super) fn unquoted(c: &mut Cursor<'_>) -> Parsed<Option<Vec<Statement>>> {
    if c.at(&["RETURN"]) {
        return Ok(Some(vec![returned(c)?]));
    }
    if !c.accept(&["BEGIN", "ATOMIC"]) {
        return Ok(None);
    }
    let mut statements = Vec::new();
    while !c.accept(&["END"]) {
        if c.accept_symbol(";") {
            continue;
        }
        if c.at(&["RETURN"]) {
            statements.push(returned(c)?);
        } else {
            statements.push(nested(c)?);
        }
        c.expect_symbol(";")?;
    }
    Ok(Some(statements))
}

/// Reads a statement inside another one.
pub(super) fn nested(c: &mut Cursor<'_>) -> Parsed<Statement> {
    let start = c.position();
    let kind = super::statement(c)?;
    Ok(Statement { span: c.span_from(start), kind })
}

/// Takes `RETURN expr`, which is a query without FROM.
fn returned(c: &mut Cursor<'_>) -> Parsed<Statement> {
    let start = c.position();
    c.expect(&["RETURN"])?;
    let mut found = super::found::Found::default();
    expr::full(c, &mut found)?;
    let query = found.into_query(c, start);
    Ok(Statement { span: c.span_from(start), kind: select(query) })
}

/// Returns a query as a statement.
pub(super) fn select(query: Query) -> StatementKind {
    StatementKind::Dml(Box::new(Dml {
        kind: DmlKind::Select,
        targets: Vec::new(),
        query,
        filter: None,
        columns: Vec::new(),
        from_query: false,
        rows: None,
        limit: false,
        picked: false,
        order_by: false,
        on_conflict: false,
        tree: Tree::default(),
    }))
}

/// Returns the place of a string without its quotes.
pub(super) fn inner(c: &Cursor<'_>, token: Token) -> Span {
    let text = c.slice(token.span);
    let width = |bytes: usize| u32::try_from(bytes).unwrap_or(0);
    let (before, after) = if token.kind == TokenKind::DollarString {
        let tag = text.get(1..).and_then(|rest| rest.find('$')).map_or(0, |end| end + 2);
        (width(tag), width(tag))
    } else {
        (width(text.find('\'').map_or(0, |at| at + 1)), 1)
    };
    let start = token.span.start.saturating_add(before).min(token.span.end);
    Span::new(start, token.span.end.saturating_sub(after).max(start))
}

/// What reads the pieces of a string: the text they stand in, their tokens, and the pieces.
type Reader<'r, R> = dyn FnMut(&Cursor<'_>, &Pieces) -> R + 'r;

/// Lends the statements inside a string to a reader, with their places in the file.
///
/// Doubled quotes and escapes are evened out in a copy of the same length, so that places hold.
/// Nothing is returned for strings that cannot be read in this way.
pub(super) fn with_pieces<R>(c: &Cursor<'_>, token: Token, read: &mut Reader<'_, R>) -> Option<R> {
    let span = inner(c, token);
    let plain = c.slice(span);
    let quoted = token.kind == TokenKind::String;
    let escapes = quoted && !c.slice(token.span).starts_with('\'');
    if escapes && plain.contains('\\') {
        return None;
    }
    let lexing = Lexing::of(c.server());
    if quoted && plain.contains("''") {
        if c.text().len() > LONGEST {
            return None;
        }
        let mut copy = c.text().to_owned();
        copy.replace_range(span.start as usize..span.end as usize, &undoubled(plain));
        let pieces = split(&copy, lexing, span, &crate::sql::Reading::default());
        let cursor = c.within(&copy, &pieces.tokens)?;
        return Some(read(&cursor, &pieces));
    }
    let pieces = split(c.text(), lexing, span, &crate::sql::Reading::default());
    let cursor = c.within(c.text(), &pieces.tokens)?;
    Some(read(&cursor, &pieces))
}

/// Turns each doubled quote into one and a space beside it, outside of the string it delimits.
fn undoubled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut open = false;
    while let Some(at) = rest.find("''") {
        let (before, behind) = rest.split_at(at);
        out.push_str(before);
        if open && behind.starts_with("''''") {
            // A quote inside the string.
            out.push_str("''  ");
            rest = behind.get(4..).unwrap_or("");
            continue;
        }
        out.push_str(if open { "' " } else { " '" });
        open = !open;
        rest = behind.get(2..).unwrap_or("");
    }
    out.push_str(rest);
    out
}

/// Reads the statements of an SQL body.
pub(super) fn sql(c: &Cursor<'_>, token: Token) -> Vec<Statement> {
    let read = with_pieces(c, token, &mut |cursor, pieces| {
        let statements = pieces.pieces.iter().filter(|piece| piece.kind == PieceKind::Statement);
        statements
            .map(|piece| {
                let cursor = cursor.sub(piece.tokens.start, piece.tokens.end);
                crate::sql::parse::statement(cursor)
            })
            .collect()
    });
    read.unwrap_or_default()
}

/// Takes what follows `DO`.
pub(super) fn anonymous(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let mut language = "plpgsql".to_owned();
    let mut code = None;
    loop {
        if c.accept(&["LANGUAGE"]) {
            language = match names::at_string(c) {
                true => names::string(c)?,
                false => names::word(c, "a language")?.value,
            };
        } else if names::at_string(c) && code.is_none() {
            code = c.peek();
            names::string(c)?;
        } else {
            break;
        }
    }
    let Some(token) = code else { return Err(c.expected("a body as a string")) };
    let mut block = DoBlock {
        language: language.to_ascii_lowercase(),
        body: inner(c, token),
        statements: Vec::new(),
        dynamic: true,
    };
    if block.language == "plpgsql" {
        let found = with_pieces(c, token, &mut |cursor, pieces| plpgsql::read(cursor, pieces));
        if let Some(found) = found {
            block.statements = found.statements;
            block.dynamic = found.dynamic;
        }
    } else if block.language == "sql" {
        block.statements = sql(c, token);
        block.dynamic = false;
    }
    Ok(StatementKind::Do(Box::new(block)))
}
