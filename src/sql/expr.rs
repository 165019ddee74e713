//! The facts about an expression, from its tokens.
//!
//! A server's behaviour depends on which columns an expression names, which functions it calls and
//! whether it is one literal. The tokens tell that for every expression that the server accepts,
//! so nothing here refuses one.

use super::ast::{DataType, Expr, ExprShape, TypeParts};
use super::cursor::{Cursor, Parsed};
use super::lexer::{Token, TokenKind};
use super::name::{Ident, ObjectName};

/// Takes an expression in parentheses, which are next.
pub(super) fn in_parentheses(cursor: &mut Cursor<'_>) -> Parsed<Expr> {
    let (start, end) = cursor.parentheses()?;
    if start == end {
        return Err(cursor.expected("an expression"));
    }
    Ok(facts(&cursor.sub(start, end)))
}

/// Takes an expression up to a comma, a closing bracket, or one of the keywords in `stop`, each
/// outside of brackets; at least one token.
pub(super) fn until(cursor: &mut Cursor<'_>, stop: &[&str]) -> Parsed<Expr> {
    let start = cursor.position();
    let mut depth = 0_usize;
    while let Some(token) = cursor.peek() {
        let text = cursor.slice(token.span);
        if token.kind == TokenKind::Punctuation {
            match text {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" if depth == 0 => break,
                ")" | "]" | "}" => depth -= 1,
                "," | ";" if depth == 0 => break,
                _ => {}
            }
        }
        let stops = depth == 0
            && cursor.position() > start
            && token.kind == TokenKind::Word
            && stop.iter().any(|keyword| text.eq_ignore_ascii_case(keyword));
        if stops {
            break;
        }
        cursor.advance();
    }
    if cursor.position() == start {
        return Err(cursor.expected("an expression"));
    }
    Ok(facts(&cursor.sub(start, cursor.position())))
}

/// Returns the facts about the expression that all tokens of a cursor make.
pub(super) fn facts(cursor: &Cursor<'_>) -> Expr {
    let tokens = cursor.tokens();
    let span = match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => cursor.place(),
    };
    let mut expr = Expr { span, text: text(cursor, tokens), ..Expr::default() };
    collect_names(cursor, &mut expr);
    expr.shape = shape(cursor, tokens, &expr);
    expr.proves_not_null = proofs(cursor, tokens);
    expr
}

/// Returns tokens joined as SQL is usually written.
pub(super) fn text(cursor: &Cursor<'_>, tokens: &[Token]) -> String {
    let mut out = String::new();
    let mut previous: Option<(Token, &str)> = None;
    // The token before was a sign: `-1`, `(-1`, `a = -1`, but not `a - 1`.
    let mut signed = false;
    for &token in tokens {
        let this = cursor.slice(token.span);
        let glued = previous.is_none_or(|(before, text)| {
            matches!(text, "(" | "[" | "." | "::")
                || matches!(this, ")" | "]" | "[" | "," | "." | "::")
                || (signed && token.kind == TokenKind::Number)
                || (this == "("
                    && before.kind == TokenKind::Word
                    && before.span.end == token.span.start)
        });
        if !glued {
            out.push(' ');
        }
        out.push_str(this);
        signed = matches!(this, "-" | "+")
            && previous.is_none_or(|(before, text)| {
                before.kind == TokenKind::Operator || matches!(text, "(" | "[" | ",")
            });
        previous = Some((token, this));
    }
    out
}

/// Words that are neither columns nor functions where they stand alone.
const KEYWORDS: &[&str] = &[
    "all",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "between",
    "both",
    "by",
    "case",
    "cast",
    "collate",
    "desc",
    "distinct",
    "else",
    "end",
    "escape",
    "exists",
    "false",
    "filter",
    "first",
    "for",
    "from",
    "glob",
    "group",
    "having",
    "ilike",
    "in",
    "interval",
    "is",
    "isnull",
    "last",
    "leading",
    "like",
    "limit",
    "match",
    "not",
    "notnull",
    "null",
    "nulls",
    "of",
    "offset",
    "on",
    "or",
    "order",
    "over",
    "partition",
    "regexp",
    "rlike",
    "row",
    "select",
    "similar",
    "some",
    "symmetric",
    "then",
    "to",
    "trailing",
    "true",
    "unknown",
    "using",
    "when",
    "where",
    "with",
    "within",
    "xor",
    "binary",
    "div",
    "mod",
    "default",
    "at",
    "zone",
    "time",
    "operator",
];

/// Keywords that call a function without parentheses.
const CALLS: &[&str] = &[
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "session_user",
    "user",
    "utc_date",
    "utc_time",
    "utc_timestamp",
];

fn collect_names(cursor: &Cursor<'_>, expr: &mut Expr) {
    let mut cursor = cursor.clone();
    cursor.reset(0);
    while !cursor.is_at_end() {
        step(&mut cursor, expr);
    }
}

/// Takes the next token, or the name or the cast that begins there, and notes what it tells.
pub(super) fn step(cursor: &mut Cursor<'_>, expr: &mut Expr) {
    let Some(token) = cursor.peek() else { return };
    let word = cursor.slice(token.span);
    let is_word = token.kind == TokenKind::Word;
    if is_word && word.eq_ignore_ascii_case("select") {
        expr.has_subquery = true;
    }
    let keyword = is_word && KEYWORDS.iter().any(|k| word.eq_ignore_ascii_case(k));
    let called = cursor.text_at(1) == "(";
    let is = |expected: &str| is_word && word.eq_ignore_ascii_case(expected);
    if is("as") || word == "::" {
        cursor.advance();
        cast(cursor, expr);
    } else if is("interval") && !called {
        interval(cursor, expr);
    } else if is("collate") || is("using") {
        cursor.advance();
        if cursor.at_name() {
            cursor.advance();
        }
    } else if is_word && CALLS.iter().any(|k| word.eq_ignore_ascii_case(k)) {
        let name = Ident::new(word.to_ascii_lowercase(), token.span);
        function(ObjectName::bare(name), expr);
        cursor.advance();
    } else if keyword && !(called && matches!(word.to_ascii_lowercase().as_str(), "mod" | "row")) {
        cursor.advance();
    } else if is_word || token.kind == TokenKind::QuotedName {
        name(cursor, expr);
    } else {
        cursor.advance();
    }
}

/// Units of time, which are no columns behind INTERVAL and in EXTRACT.
const UNITS: &[&str] = &[
    "microsecond",
    "second",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "second_microsecond",
    "minute_microsecond",
    "minute_second",
    "hour_microsecond",
    "hour_second",
    "hour_minute",
    "day_microsecond",
    "day_second",
    "day_minute",
    "day_hour",
    "year_month",
];

/// Takes `INTERVAL 1 DAY`, `INTERVAL (a + 1) DAY`, `INTERVAL '1 day'`.
fn interval(cursor: &mut Cursor<'_>, expr: &mut Expr) {
    cursor.advance();
    let end = match cursor.clone().parentheses() {
        Ok((_, end)) => end + 1,
        Err(_) => cursor.position() + 1,
    };
    while cursor.position() < end && !cursor.is_at_end() {
        step(cursor, expr);
    }
    cursor.accept_any(UNITS);
}

/// Says whether the word at a position is the unit in `EXTRACT(YEAR FROM d)` and its like.
fn is_unit(cursor: &Cursor<'_>, position: usize) -> bool {
    let text = |back: usize| {
        let token = position.checked_sub(back).and_then(|at| cursor.tokens().get(at));
        token.map_or("", |token| cursor.slice(token.span))
    };
    let known = |words: &[&str], text: &str| words.iter().any(|w| text.eq_ignore_ascii_case(w));
    text(1) == "("
        && known(&["extract", "timestampdiff", "timestampadd"], text(2))
        && known(UNITS, text(0))
}

/// Notes a function, each once.
fn function(name: ObjectName, expr: &mut Expr) {
    let known = |known: &ObjectName| {
        let values = known.parts.iter().map(Ident::as_str);
        values.eq(name.parts.iter().map(Ident::as_str))
    };
    if !expr.functions.iter().any(known) {
        expr.functions.push(name);
    }
}

/// Takes a column, a function or a typed literal (`date '2024-01-01'`).
fn name(cursor: &mut Cursor<'_>, expr: &mut Expr) {
    let start = cursor.position();
    let Ok(name) = cursor.object_name() else {
        cursor.advance();
        return;
    };
    let literal = cursor.peek().is_some_and(|next| next.kind == TokenKind::String);
    if cursor.at_symbol("(") {
        function(name, expr);
    } else if !(literal || is_unit(cursor, start) && name.parts.len() == 1) {
        let column = name.name().to_owned();
        if !expr.columns.contains(&column) {
            expr.columns.push(column);
        }
    }
}

/// Takes the type behind `::` or `AS`: a name of several words, arguments, brackets.
fn cast(cursor: &mut Cursor<'_>, expr: &mut Expr) {
    let start = cursor.position();
    let Ok(name) = cursor.object_name() else { return };
    while cursor
        .accept_any(&["varying", "precision", "without", "with", "time", "zone", "local"])
        .is_some()
    {}
    let mut args = Vec::new();
    if cursor.at_symbol("(")
        && let Ok((from, to)) = cursor.parentheses()
    {
        args.push(text(cursor, cursor.sub(from, to).tokens()));
    }
    let mut array_dims = 0_u8;
    while cursor.accept_symbol("[") {
        while !cursor.is_at_end() && !cursor.accept_symbol("]") {
            cursor.advance();
        }
        array_dims = array_dims.saturating_add(1);
    }
    let parts = TypeParts {
        schema: name.schema().map(ToOwned::to_owned),
        name: name.name().to_ascii_lowercase(),
        args,
        array_dims,
        ..TypeParts::default()
    };
    expr.casts.push(DataType { span: cursor.span_from(start), ..parts.into() });
}

pub(super) fn shape(cursor: &Cursor<'_>, tokens: &[Token], expr: &Expr) -> ExprShape {
    let (inner, wrapped) = strip_parentheses(cursor, tokens);
    if !expr.functions.is_empty() || expr.has_subquery {
        return ExprShape::Other;
    }
    let uncast = strip_cast(cursor, inner);
    let signed = match uncast {
        [sign, rest @ ..] if matches!(cursor.slice(sign.span), "-" | "+") => rest,
        all => all,
    };
    let literal = |token: &Token| {
        matches!(token.kind, TokenKind::String | TokenKind::DollarString | TokenKind::Number)
            || ["true", "false"].iter().any(|w| cursor.slice(token.span).eq_ignore_ascii_case(w))
    };
    match signed {
        [one] if cursor.slice(one.span).eq_ignore_ascii_case("null") => ExprShape::Null,
        [one] if literal(one) && wrapped => ExprShape::ParenthesizedLiteral,
        [one] if literal(one) => ExprShape::Literal,
        [typed @ .., last] if last.kind == TokenKind::String && is_type_name(cursor, typed) => {
            ExprShape::Literal
        }
        [cast, open, value @ .., close]
            if cursor.slice(cast.span).eq_ignore_ascii_case("cast")
                && cursor.slice(open.span) == "("
                && cursor.slice(close.span) == ")" =>
        {
            cast_shape(cursor, value, wrapped)
        }
        [word, text, fields @ ..]
            if cursor.slice(word.span).eq_ignore_ascii_case("interval")
                && text.kind == TokenKind::String
                && fields.iter().all(|token| token.kind == TokenKind::Word) =>
        {
            ExprShape::Literal
        }
        [one] if matches!(one.kind, TokenKind::Word | TokenKind::QuotedName) => ExprShape::Column,
        _ => ExprShape::Other,
    }
}

/// Returns the shape of `CAST(value AS type)` without its parentheses: that of a literal value.
fn cast_shape(cursor: &Cursor<'_>, inner: &[Token], wrapped: bool) -> ExprShape {
    let text = |token: &Token| cursor.slice(token.span);
    let value = match inner {
        [sign, value, keyword, ..] if matches!(text(sign), "-" | "+") => (value, keyword),
        [value, keyword, ..] => (value, keyword),
        _ => return ExprShape::Other,
    };
    let (value, keyword) = value;
    if !text(keyword).eq_ignore_ascii_case("as") {
        return ExprShape::Other;
    }
    let literal = matches!(value.kind, TokenKind::String | TokenKind::Number)
        || ["true", "false"].iter().any(|word| text(value).eq_ignore_ascii_case(word));
    match literal {
        _ if text(value).eq_ignore_ascii_case("null") => ExprShape::Null,
        true if wrapped => ExprShape::ParenthesizedLiteral,
        true => ExprShape::Literal,
        false => ExprShape::Other,
    }
}

/// `date`, `timestamp with time zone`, `interval`: what may stand before a string to type it.
fn is_type_name(cursor: &Cursor<'_>, tokens: &[Token]) -> bool {
    !tokens.is_empty()
        && tokens.len() <= 4
        && tokens.iter().all(|token| {
            let word = cursor.slice(token.span);
            token.kind == TokenKind::Word
                && !["and", "or", "not", "like", "is", "in"]
                    .iter()
                    .any(|k| word.eq_ignore_ascii_case(k))
        })
}

/// Takes off parentheses that enclose everything.
fn strip_parentheses<'t>(cursor: &Cursor<'_>, tokens: &'t [Token]) -> (&'t [Token], bool) {
    let mut tokens = tokens;
    let mut wrapped = false;
    while let [open, inner @ .., close] = tokens {
        let outer = cursor.slice(open.span) == "(" && cursor.slice(close.span) == ")";
        if !outer || !is_balanced(cursor, inner) {
            break;
        }
        tokens = inner;
        wrapped = true;
    }
    (tokens, wrapped)
}

fn is_balanced(cursor: &Cursor<'_>, tokens: &[Token]) -> bool {
    let mut depth = 0_i32;
    for token in tokens {
        match cursor.slice(token.span) {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

/// Takes off a trailing `::type`, as often as there is one.
fn strip_cast<'t>(cursor: &Cursor<'_>, tokens: &'t [Token]) -> &'t [Token] {
    let cast = tokens.iter().position(|token| cursor.slice(token.span) == "::");
    let inner = cast.and_then(|at| tokens.get(..at)).unwrap_or(tokens);
    strip_parentheses(cursor, inner).0
}

/// Returns the columns that AND terms prove not to be NULL.
pub(super) fn proofs(cursor: &Cursor<'_>, tokens: &[Token]) -> Vec<String> {
    let (tokens, _) = strip_parentheses(cursor, tokens);
    let mut proven = Vec::new();
    for term in and_terms(cursor, tokens) {
        let (term, wrapped) = strip_parentheses(cursor, term);
        if wrapped {
            let inner = and_terms(cursor, term);
            if inner.len() > 1 {
                proven.extend(proofs(cursor, term));
                continue;
            }
        }
        proven.extend(proof_of_term(cursor, term));
    }
    proven
}

fn proof_of_term(cursor: &Cursor<'_>, term: &[Token]) -> Option<String> {
    let word = |token: &Token| cursor.slice(token.span).to_ascii_lowercase();
    let words: Vec<String> = term.iter().map(word).collect();
    let texts: Vec<&str> = words.iter().map(String::as_str).collect();
    let column = |at: usize| {
        let token = term.get(at).copied()?;
        let named = matches!(token.kind, TokenKind::Word | TokenKind::QuotedName);
        named.then(|| cursor.fold(token))
    };
    match texts.as_slice() {
        [_, "is", "not", "null"] | [_, "notnull"] => column(0),
        ["(", _, ")", "is", "not", "null"] => column(1),
        ["not", "(", _, "is", "null", ")"] | ["not", "(", _, "isnull", ")"] => column(2),
        ["not", "(", "(", _, "is", "null", ")", ")"] => column(3),
        ["not", _, "is", "null"] => column(1),
        _ => None,
    }
}

/// Splits at AND outside of parentheses; an OR there means that nothing is proven.
fn and_terms<'t>(cursor: &Cursor<'_>, tokens: &'t [Token]) -> Vec<&'t [Token]> {
    let mut terms = Vec::new();
    let (mut depth, mut start) = (0_i32, 0_usize);
    let mut between = false;
    for (at, token) in tokens.iter().enumerate() {
        let word = cursor.slice(token.span);
        match word {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ if depth > 0 || token.kind != TokenKind::Word => {}
            _ if word.eq_ignore_ascii_case("or") => return Vec::new(),
            _ if word.eq_ignore_ascii_case("between") => between = true,
            _ if word.eq_ignore_ascii_case("and") && between => between = false,
            _ if word.eq_ignore_ascii_case("and") => {
                terms.push(tokens.get(start..at).unwrap_or(&[]));
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(tokens.get(start..).unwrap_or(&[]));
    terms
}
