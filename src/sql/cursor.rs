//! Walks over the tokens of one statement: what every grammar here is written with.

use super::ast::{ReferentialAction, Statement, StatementKind};
use super::lexer::{Token, TokenKind};
use super::name::{Ident, ObjectName};
use super::server::Server;
use super::source::Span;

/// Why a statement is not understood: a lower-case line, and the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// `expected a column name`, …
    pub message: String,
    /// The token that is in the way.
    pub at: Span,
}

/// The result of reading a part of a statement.
pub(super) type Parsed<T> = Result<T, SyntaxError>;

/// A place among the tokens of one statement.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    tokens: &'a [Token],
    position: usize,
    server: Server,
    /// How many bodies in strings this one stands in.
    bodies: u8,
    /// What was read of the statement where it is not understood further on.
    begun: Option<Box<StatementKind>>,
}

/// How many bodies in strings are looked into, one inside the other.
const DEEPEST_BODY: u8 = 8;

impl<'a> Cursor<'a> {
    /// Returns a cursor at the first token.
    pub(super) const fn new(text: &'a str, tokens: &'a [Token], server: Server) -> Self {
        Self { text, tokens, position: 0, server, bodies: 0, begun: None }
    }

    /// Returns a cursor over the tokens of a body in one of the strings here; none where bodies
    /// are nested too deeply to be meant.
    pub(super) fn within<'b>(&self, text: &'b str, tokens: &'b [Token]) -> Option<Cursor<'b>> {
        let bodies = self.bodies + 1;
        let server = self.server;
        (bodies <= DEEPEST_BODY).then_some(Cursor { bodies, ..Cursor::new(text, tokens, server) })
    }

    /// Returns a cursor over other tokens of the same text.
    pub(super) const fn over<'b>(&self, tokens: &'b [Token]) -> Cursor<'b>
    where
        'a: 'b,
    {
        Cursor {
            text: self.text,
            tokens,
            position: 0,
            server: self.server,
            bodies: self.bodies,
            begun: None,
        }
    }

    /// Keeps what was read of a statement that is not understood further on.
    pub(super) fn leave(&mut self, begun: StatementKind) {
        self.begun = Some(Box::new(begun));
    }

    /// Returns what was kept.
    pub(super) fn begun(&mut self) -> Option<Box<StatementKind>> {
        self.begun.take()
    }

    /// Returns the server whose grammar is read.
    pub(super) const fn server(&self) -> Server {
        self.server
    }

    /// Returns how many tokens have been read.
    pub(super) const fn position(&self) -> usize {
        self.position
    }

    /// Goes back (or on) to a place taken earlier.
    pub(super) const fn reset(&mut self, position: usize) {
        self.position = position;
    }

    /// Returns a cursor over the tokens from `start` up to but not including `end`.
    pub(super) fn sub(&self, start: usize, end: usize) -> Self {
        let tokens = self.tokens.get(start..end.max(start)).unwrap_or(&[]);
        Self { tokens, position: 0, ..self.clone() }
    }

    /// Returns all tokens of the statement.
    pub(super) const fn tokens(&self) -> &'a [Token] {
        self.tokens
    }

    /// Returns the text of the file.
    pub(super) const fn text(&self) -> &'a str {
        self.text
    }

    /// Returns the text at a place.
    pub(super) fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Returns the next token without taking it.
    pub(super) fn peek(&self) -> Option<Token> {
        self.peek_at(0)
    }

    /// Returns a token further on without taking it.
    pub(super) fn peek_at(&self, ahead: usize) -> Option<Token> {
        self.tokens.get(self.position + ahead).copied()
    }

    /// Takes the next token.
    pub(super) fn advance(&mut self) -> Option<Token> {
        let token = self.peek()?;
        self.position += 1;
        Some(token)
    }

    /// Says whether everything is read.
    pub(super) const fn is_at_end(&self) -> bool {
        self.position >= self.tokens.len()
    }

    /// Returns the text of a token further on; empty at the end.
    pub(super) fn text_at(&self, ahead: usize) -> &'a str {
        self.peek_at(ahead).map_or("", |token| self.slice(token.span))
    }

    /// Says whether the tokens ahead are these keywords.
    pub(super) fn at(&self, keywords: &[&str]) -> bool {
        keywords.iter().enumerate().all(|(ahead, keyword)| self.is_keyword(ahead, keyword))
    }

    fn is_keyword(&self, ahead: usize, keyword: &str) -> bool {
        self.peek_at(ahead).is_some_and(|token| {
            token.kind == TokenKind::Word && self.slice(token.span).eq_ignore_ascii_case(keyword)
        })
    }

    /// Takes these keywords if they are next, all or none.
    pub(super) fn accept(&mut self, keywords: &[&str]) -> bool {
        let found = self.at(keywords);
        if found {
            self.position += keywords.len();
        }
        found
    }

    /// Takes one of these keywords and returns it in the spelling given here.
    pub(super) fn accept_any<'k>(&mut self, keywords: &[&'k str]) -> Option<&'k str> {
        let found = keywords.iter().find(|keyword| self.at(&[keyword])).copied()?;
        self.position += 1;
        Some(found)
    }

    /// Takes these keywords or fails.
    pub(super) fn expect(&mut self, keywords: &[&str]) -> Parsed<()> {
        if self.accept(keywords) { Ok(()) } else { Err(self.expected(&keywords.join(" "))) }
    }

    /// Says whether the next token is this punctuation or operator.
    pub(super) fn at_symbol(&self, symbol: &str) -> bool {
        self.peek().is_some_and(|token| {
            matches!(token.kind, TokenKind::Punctuation | TokenKind::Operator)
                && self.slice(token.span) == symbol
        })
    }

    /// Takes this punctuation or operator if it is next.
    pub(super) fn accept_symbol(&mut self, symbol: &str) -> bool {
        let found = self.at_symbol(symbol);
        self.position += usize::from(found);
        found
    }

    /// Takes this punctuation or operator or fails.
    pub(super) fn expect_symbol(&mut self, symbol: &str) -> Parsed<()> {
        if self.accept_symbol(symbol) { Ok(()) } else { Err(self.expected(symbol)) }
    }

    /// Returns the error that something else was expected here.
    pub(super) fn expected(&self, what: &str) -> SyntaxError {
        let found = match self.peek() {
            Some(token) if token.kind == TokenKind::Unterminated => {
                "a quote or comment that never ends".to_owned()
            }
            Some(token) => format!("\"{}\"", shorten(self.slice(token.span))),
            None => "the end of the statement".to_owned(),
        };
        SyntaxError { message: format!("expected {what}, found {found}"), at: self.place() }
    }

    /// Returns the place of the next token, or of the last one at the end.
    pub(super) fn place(&self) -> Span {
        let token = self.peek().or_else(|| self.tokens.last().copied());
        token.map_or_else(Span::default, |token| token.span)
    }

    /// Returns the place of the token before.
    pub(super) fn last_span(&self) -> Span {
        let before = self.position.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.map_or_else(|| self.place(), |token| token.span)
    }

    /// Returns the place from a position taken earlier up to here.
    pub(super) fn span_from(&self, position: usize) -> Span {
        let start = self.tokens.get(position).map_or_else(|| self.place(), |token| token.span);
        start.to(self.last_span())
    }

    /// Says whether the next token can be a name: a word or a quoted name.
    pub(super) fn at_name(&self) -> bool {
        let mysql_string = |token: Token| {
            // SQLite takes strings for names in many places; MySQL does for aliases only.
            self.server.kind == super::server::ServerKind::Sqlite && token.kind == TokenKind::String
        };
        self.at_placeholder()
            || self.peek().is_some_and(|token| {
                matches!(token.kind, TokenKind::Word | TokenKind::QuotedName) || mysql_string(token)
            })
    }

    /// Says whether something is next that a tool or psql replaces before the server sees it.
    pub(super) fn at_placeholder(&self) -> bool {
        let postgres = self.server.kind == super::server::ServerKind::Postgres;
        self.peek().is_some_and(|token| {
            let text = self.slice(token.span);
            token.kind == TokenKind::Parameter
                && (text.contains("${") || (postgres && text.starts_with(':')))
        })
    }

    /// Takes a name, folded as the server folds it. Keywords are not refused.
    pub(super) fn ident(&mut self) -> Parsed<Ident> {
        if !self.at_name() {
            return Err(self.expected("a name"));
        }
        let token = self.advance().ok_or_else(|| self.expected("a name"))?;
        Ok(Ident::new(self.fold(token), token.span))
    }

    /// Takes a name with dots.
    pub(super) fn object_name(&mut self) -> Parsed<ObjectName> {
        let mut parts = vec![self.ident()?];
        while self.at_symbol(".") {
            self.position += 1;
            parts.push(self.ident()?);
        }
        Ok(ObjectName { parts })
    }

    /// Takes names with dots, separated by commas.
    pub(super) fn object_names(&mut self) -> Parsed<Vec<ObjectName>> {
        let mut names = vec![self.object_name()?];
        while self.accept_symbol(",") {
            names.push(self.object_name()?);
        }
        Ok(names)
    }

    /// Takes names in parentheses.
    pub(super) fn ident_list(&mut self) -> Parsed<Vec<Ident>> {
        self.expect_symbol("(")?;
        let mut names = vec![self.ident()?];
        while self.accept_symbol(",") {
            names.push(self.ident()?);
        }
        self.expect_symbol(")")?;
        Ok(names)
    }

    /// Returns the name a token stands for.
    pub(super) fn fold(&self, token: Token) -> String {
        fold(self.slice(token.span), token.kind, self.server)
    }

    /// Takes everything from an opening parenthesis (next) to its closing one and returns the
    /// positions of the tokens between them.
    pub(super) fn parentheses(&mut self) -> Parsed<(usize, usize)> {
        let opening = self.clone();
        self.expect_symbol("(")?;
        let start = self.position;
        let mut depth = 1_usize;
        while let Some(token) = self.advance() {
            if token.kind == TokenKind::Punctuation {
                match self.slice(token.span) {
                    "(" => depth += 1,
                    ")" => depth -= 1,
                    _ => {}
                }
            }
            if depth == 0 {
                return Ok((start, self.position - 1));
            }
        }
        Err(SyntaxError {
            message: "a parenthesis is never closed".to_owned(),
            at: opening.place(),
        })
    }

    /// Takes a string and returns what it stands for.
    pub(super) fn string(&mut self) -> Parsed<String> {
        match self.peek() {
            Some(token) if matches!(token.kind, TokenKind::String | TokenKind::DollarString) => {
                self.position += 1;
                Ok(unquote_string(self.slice(token.span)))
            }
            _ => Err(self.expected("a string")),
        }
    }

    /// Takes everything that is left.
    pub(super) const fn skip_rest(&mut self) {
        self.position = self.tokens.len();
    }

    /// Fails when something is left.
    pub(super) fn end(&self) -> Parsed<()> {
        if self.is_at_end() { Ok(()) } else { Err(self.expected("the end of the statement")) }
    }

    /// Takes what a foreign key does, behind ON DELETE or ON UPDATE.
    pub(super) fn referential_action(&mut self) -> Parsed<ReferentialAction> {
        let known: [(&[&str], ReferentialAction); 5] = [
            (&["SET", "NULL"], ReferentialAction::SetNull),
            (&["SET", "DEFAULT"], ReferentialAction::SetDefault),
            (&["NO", "ACTION"], ReferentialAction::NoAction),
            (&["CASCADE"], ReferentialAction::Cascade),
            (&["RESTRICT"], ReferentialAction::Restrict),
        ];
        let found = known.into_iter().find(|(words, _)| self.accept(words));
        let wanted = "CASCADE, RESTRICT, SET NULL, SET DEFAULT or NO ACTION";
        found.map(|(_, action)| action).ok_or_else(|| self.expected(wanted))
    }

    /// Returns the statement that the whole token list makes.
    pub(super) fn statement(&self, kind: StatementKind) -> Statement {
        let ends = (self.tokens.first(), self.tokens.last());
        let span = match ends {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => Span::default(),
        };
        Statement { span, kind }
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or("")),
        None => text.to_owned(),
    }
}

/// Returns the name that a written one stands for.
fn fold(text: &str, kind: TokenKind, server: Server) -> String {
    use super::server::ServerKind;
    if kind == TokenKind::Parameter {
        return text.replace(['"', '\''], "");
    }
    if kind != TokenKind::Word {
        return unquote_name(text);
    }
    match server.kind {
        // PostgreSQL folds unquoted names to lower case, ASCII letters only in UTF-8 databases.
        ServerKind::Postgres => text.to_ascii_lowercase(),
        // The others keep the spelling and compare without case; see `schema` for comparing.
        ServerKind::Mysql | ServerKind::Mariadb | ServerKind::Sqlite => text.to_owned(),
    }
}

fn unquote_name(text: &str) -> String {
    let bare = text.strip_prefix("U&").or_else(|| text.strip_prefix("u&"));
    let inside = bare.unwrap_or(text);
    let mut chars = inside.chars();
    let (Some(open), Some(close)) = (chars.next(), chars.next_back()) else {
        return inside.to_owned();
    };
    if open == '[' {
        return chars.as_str().to_owned();
    }
    let doubled: String = [close, close].iter().collect();
    let name = chars.as_str().replace(&doubled, &close.to_string());
    if bare.is_some() { unescaped(&name) } else { name }
}

/// Replaces `\\0441` and `\\+000441` (PostgreSQL, with the usual escape character).
fn unescaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        if let Some(tail) = after.strip_prefix('\\') {
            out.push('\\');
            rest = tail;
            continue;
        }
        let (digits, skipped) = if after.starts_with('+') { (1..7, 7) } else { (0..4, 4) };
        let code = after.get(digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        out.extend(code.and_then(char::from_u32));
        rest = after.get(skipped..).unwrap_or("");
    }
    out.push_str(rest);
    out
}

/// Returns what a string literal stands for; escapes with a backslash stay as they are.
pub(super) fn unquote_string(text: &str) -> String {
    if text.starts_with('$') {
        let tag = text.get(1..).and_then(|rest| rest.find('$')).map_or(0, |end| end + 2);
        let end = text.len().saturating_sub(tag);
        return text.get(tag..end).unwrap_or("").to_owned();
    }
    let Some(open) = text.find(['\'', '"']) else { return text.to_owned() };
    let quote = text.get(open..=open).unwrap_or("'");
    let inner = text.get(open + 1..text.len().saturating_sub(1)).unwrap_or("");
    inner.replace(&quote.repeat(2), quote)
}
