//! Entries of select lists: what column they show, and under which name.
//!
//! PostgreSQL 12 to 18, FigureColname: a column gives its name, a cast that of its argument, a
//! function its own. What is anything else has a name that is not looked for here.

use crate::sql::ast::{DataType, Shown};
use crate::sql::cursor::Cursor;
use crate::sql::lexer::{Token, TokenKind};

/// Returns what an expression with these tokens shows.
pub(super) fn entry(c: &Cursor<'_>, cast: Option<&DataType>, label: Option<String>) -> Shown {
    let tokens = c.tokens();
    let Some(path) = path(c, tokens) else {
        if let Some((data_type, name)) = constant(c, tokens) {
            let label = label.unwrap_or_else(|| name.to_owned());
            return Shown::Constant { data_type: DataType::named(data_type), label };
        }
        return Shown::Other(label.or_else(|| call(c, tokens)).or_else(|| operation(c, tokens)));
    };
    let behind = tokens.get(path.len() * 2 - 1..).unwrap_or_default();
    let text = |token: Option<&Token>| token.map_or("", |token| c.slice(token.span));
    let (owner, column) = match path.as_slice() {
        [column] => (None, *column),
        [.., owner, column] => (Some(c.fold(*owner)), *column),
        [] => return Shown::Other(label),
    };
    if text(behind.first()) == "." && text(behind.get(1)) == "*" && behind.len() == 2 {
        return Shown::All(Some(c.fold(column)));
    }
    // `a::varchar(10)`, and no operator behind that.
    let is_cast = text(behind.first()) == "::" && behind.iter().skip(1).all(|t| in_type(c, *t));
    match (behind.is_empty(), is_cast, cast) {
        (true, _, _) => Shown::Column { owner, column: c.fold(column), cast: None, label },
        (false, true, Some(cast)) => {
            Shown::Column { owner, column: c.fold(column), cast: Some(cast.clone()), label }
        }
        (false, _, _) => Shown::Other(label.or_else(|| operation(c, tokens))),
    }
}

fn in_type(c: &Cursor<'_>, token: Token) -> bool {
    let text = c.slice(token.span);
    matches!(token.kind, TokenKind::Word | TokenKind::QuotedName | TokenKind::Number)
        || matches!(text, "(" | ")" | "," | "[" | "]" | ".")
}

/// Returns the names of `a.b.c` that the tokens begin with, where they begin with a column.
fn path(c: &Cursor<'_>, tokens: &[Token]) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = tokens.iter();
    loop {
        let token = rest.next()?;
        let word = c.slice(token.span);
        let free = !found.is_empty() || super::names::class(word) == super::names::Class::Free;
        let name = token.kind == TokenKind::QuotedName || (token.kind == TokenKind::Word && free);
        if !name {
            return None;
        }
        found.push(*token);
        let mut ahead = rest.clone();
        let next = ahead.next().map_or("", |token| c.slice(token.span));
        let after = ahead.next().map_or("", |token| c.slice(token.span));
        match next {
            "." if after != "*" => rest.next(),
            "(" | "[" => return None,
            _ if next.starts_with('\'') => return None,
            _ => return Some(found),
        };
    }
}

/// The name of what has none (FigureColname).
const UNNAMED: &str = "?column?";

/// Returns the type of a constant, and the name it has.
fn constant(c: &Cursor<'_>, tokens: &[Token]) -> Option<(&'static str, &'static str)> {
    let (sign, rest) = match tokens {
        [sign, rest @ ..] if matches!(c.slice(sign.span), "-" | "+") => (true, rest),
        _ => (false, tokens),
    };
    let [token] = rest else { return None };
    let text = c.slice(token.span);
    let word = |wanted: &str| token.kind == TokenKind::Word && text.eq_ignore_ascii_case(wanted);
    if token.kind == TokenKind::Number {
        return match text.parse::<i64>() {
            Ok(number) if i32::try_from(number).is_ok() => Some(("integer", UNNAMED)),
            Ok(_) => Some(("bigint", UNNAMED)),
            Err(_) => {
                let plain = text.chars().all(|c| c.is_ascii_digit() || c == '.');
                plain.then_some(("numeric", UNNAMED))
            }
        };
    }
    let string = matches!(token.kind, TokenKind::String | TokenKind::DollarString);
    let bits = text.starts_with(['b', 'x', 'B', 'X']);
    match (sign, string) {
        (true, _) => None,
        (false, true) => (!bits).then_some(("text", UNNAMED)),
        (false, false) if word("true") || word("false") => Some(("boolean", "bool")),
        (false, false) => word("null").then_some(("text", UNNAMED)),
    }
}

/// Returns the name of operands with operators between them, which is none.
fn operation(c: &Cursor<'_>, tokens: &[Token]) -> Option<String> {
    const OTHERS: &[&str] = &["CASE", "AT", "COLLATE", "OVER", "FILTER", "WITHIN", "ARRAY", "ROW"];
    let (mut depth, mut operators) = (0_i32, 0_u32);
    for (at, token) in tokens.iter().enumerate() {
        let text = c.slice(token.span);
        match text {
            "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            _ if depth > 0 => {}
            _ if OTHERS.iter().any(|word| text.eq_ignore_ascii_case(word)) => return None,
            _ if token.kind == TokenKind::Operator && at > 0 => operators += 1,
            _ => {}
        }
    }
    (operators > 0).then(|| UNNAMED.to_owned())
}

/// Returns the name of a function whose call is all there is.
fn call(c: &Cursor<'_>, tokens: &[Token]) -> Option<String> {
    let (name, rest) = tokens.split_first()?;
    let symbol = |token: &Token| c.slice(token.span);
    let free = super::names::class(symbol(name)) == super::names::Class::Free;
    let opens = rest.first().is_some_and(|token| symbol(token) == "(");
    let mut depth = 0_i32;
    let ends = rest.iter().position(|token| {
        depth += match symbol(token) {
            "(" => 1,
            ")" => -1,
            _ => 0,
        };
        depth == 0
    });
    let whole = ends.is_some_and(|at| at + 1 == rest.len());
    (name.kind == TokenKind::Word && free && opens && whole).then(|| c.fold(*name))
}
