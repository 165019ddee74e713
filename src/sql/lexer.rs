//! Bytes to tokens, without copying and without failing.
//!
//! One lexer for the four servers; what differs is decided by [`Lexing`]. A string or comment that
//! never ends becomes one [`TokenKind::Unterminated`] up to the end of the text, so that whoever
//! reads the tokens can say so with a place.

use super::server::{Server, ServerKind};
use super::source::Span;

/// One token and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// An unquoted word: keyword or name.
    Word,
    /// A quoted name.
    QuotedName,
    /// A string of any spelling, prefix (`E`, `N`, `X`, `U&`) included.
    String,
    /// A dollar-quoted string (PostgreSQL).
    DollarString,
    /// A number.
    Number,
    /// One of `( ) [ ] { } , . : ;`, `::`, `:=`, `..`.
    Punctuation,
    /// An operator.
    Operator,
    /// `$1`, `?`, `:name`; `${name}` with what is written next to it, where a tool fills it in.
    Parameter,
    /// `@name`, `@@name` (MySQL).
    Variable,
    /// A comment; kept for suppressions and markers, never seen by the grammar.
    Comment,
    /// A string, name or comment that never ends.
    Unterminated,
    /// A character that belongs to no token.
    Stray,
}

/// How a server reads characters.
#[derive(Debug, Clone, Copy)]
pub struct Lexing {
    /// The kind of server.
    pub kind: ServerKind,
    /// The version as one number in the manner of version comments: 8.0.13 is 80013.
    pub version_number: u32,
    /// MySQL's `ANSI_QUOTES`: `"` quotes names.
    pub ansi_quotes: bool,
    /// `${name}` is a parameter that a tool fills in.
    pub placeholders: bool,
}

impl Lexing {
    /// Returns how a server reads characters with its default settings.
    pub fn of(server: Server) -> Self {
        let version = server.version;
        let numbers = [version.major, version.minor, version.patch].map(u32::from);
        let [major, minor, patch] = numbers;
        let version_number = major * 10_000 + minor * 100 + patch;
        Self { kind: server.kind, version_number, ansi_quotes: false, placeholders: false }
    }
}

/// Reads tokens from a text, starting anywhere.
#[derive(Debug)]
pub struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    position: usize,
    lexing: Lexing,
    /// Inside a version comment whose contents are read: its `*/` is skipped.
    in_version_comment: bool,
}

impl<'a> Lexer<'a> {
    /// Returns a lexer at the start of a text.
    pub fn new(text: &'a str, lexing: Lexing) -> Self {
        Self { text, bytes: text.as_bytes(), position: 0, lexing, in_version_comment: false }
    }

    /// Returns where the next token is looked for.
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Goes on somewhere else; `position` must be a character boundary.
    pub const fn seek(&mut self, position: usize) {
        self.position = position;
    }

    /// Changes what double quotes mean from here on (MySQL's `ANSI_QUOTES`).
    pub const fn set_ansi_quotes(&mut self, ansi_quotes: bool) {
        self.lexing.ansi_quotes = ansi_quotes;
    }

    /// Skips white space and returns where the next token would start.
    pub fn skip_space(&mut self) -> usize {
        while let Some(byte) = self.peek(0) {
            if byte.is_ascii_whitespace() || byte == 0x0b {
                self.position += 1;
            } else if self.position == 0 && self.rest().starts_with(BYTE_ORDER_MARK) {
                self.position += BYTE_ORDER_MARK.len_utf8();
            } else {
                break;
            }
        }
        self.position
    }

    /// Returns the next token, comments included; none at the end.
    pub fn next_token(&mut self) -> Option<Token> {
        let start = self.skip_space();
        let byte = self.peek(0)?;
        if self.in_version_comment && self.rest().starts_with("*/") {
            self.position += 2;
            self.in_version_comment = false;
            return self.next_token();
        }
        let kind = self.scan(byte);
        Some(Token { kind, span: span(start, self.position) })
    }

    fn scan(&mut self, byte: u8) -> TokenKind {
        let kind = self.lexing.kind;
        let mysql = kind.is_mysql_family();
        match byte {
            b'\'' => self.quoted(b'\'', mysql, TokenKind::String),
            b'"' if mysql && !self.lexing.ansi_quotes => self.quoted(b'"', true, TokenKind::String),
            b'"' => self.quoted(b'"', false, TokenKind::QuotedName),
            b'`' if kind != ServerKind::Postgres => self.quoted(b'`', false, TokenKind::QuotedName),
            b'[' if kind == ServerKind::Sqlite => self.bracket_name(),
            b'-' if self.at_line_comment() => self.line_comment(),
            b'#' if mysql => self.line_comment(),
            b'/' if self.peek(1) == Some(b'*') => self.block_comment(),
            b'$' if self.at_placeholder() => self.filled_in(),
            b'$' => self.dollar(),
            b'@' if mysql => self.variable(),
            b'?' if kind != ServerKind::Postgres => self.take(1, TokenKind::Parameter),
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_some_and(|b| b.is_ascii_digit()) && !self.after_name() => {
                self.number()
            }
            b'.' if self.peek(1) == Some(b'.') => self.take(2, TokenKind::Punctuation),
            b':' => self.colon(),
            b'(' | b')' | b'[' | b']' | b'{' | b'}' | b',' | b'.' | b';' => {
                self.take(1, TokenKind::Punctuation)
            }
            _ if is_word_start(byte) => self.word(),
            _ if is_operator(byte) => self.operator(),
            _ => self.take(1, TokenKind::Stray),
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.position + ahead).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or("")
    }

    /// A dot right behind a name or a closing bracket is a separator, not a decimal point.
    fn after_name(&self) -> bool {
        let before = self.position.checked_sub(1).and_then(|at| self.bytes.get(at));
        before.is_some_and(|&b| is_word_part(b) || matches!(b, b'"' | b'`' | b']' | b')'))
    }

    const fn take(&mut self, count: usize, kind: TokenKind) -> TokenKind {
        self.position += count;
        kind
    }

    fn quoted(&mut self, quote: u8, backslash: bool, kind: TokenKind) -> TokenKind {
        self.position += 1;
        while let Some(byte) = self.peek(0) {
            if byte == quote {
                if self.peek(1) != Some(quote) {
                    return self.take(1, kind);
                }
                self.position += 2;
            } else if byte == b'\\' && backslash {
                self.position += 2;
            } else {
                self.position += 1;
            }
        }
        self.unterminated()
    }

    fn unterminated(&mut self) -> TokenKind {
        self.position = self.bytes.len();
        TokenKind::Unterminated
    }

    fn bracket_name(&mut self) -> TokenKind {
        match self.rest().find(']') {
            Some(end) => self.take(end + 1, TokenKind::QuotedName),
            None => self.unterminated(),
        }
    }

    fn at_line_comment(&self) -> bool {
        if self.peek(1) != Some(b'-') {
            return false;
        }
        // MySQL and MariaDB want white space or a control character behind the two dashes.
        !self.lexing.kind.is_mysql_family() || self.peek(2).is_none_or(|b| b <= b' ')
    }

    fn line_comment(&mut self) -> TokenKind {
        let end = self.rest().find('\n').unwrap_or(self.rest().len());
        let comment = self.rest().get(..end).unwrap_or("");
        self.position += comment.strip_suffix('\r').unwrap_or(comment).len();
        TokenKind::Comment
    }

    fn block_comment(&mut self) -> TokenKind {
        if self.lexing.kind.is_mysql_family() && self.enter_version_comment() {
            return TokenKind::Comment;
        }
        let nested = self.lexing.kind == ServerKind::Postgres;
        let mut depth = 0_usize;
        while self.position < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (Some(b'/'), Some(b'*')) if nested || depth == 0 => {
                    depth += 1;
                    self.position += 2;
                }
                (Some(b'*'), Some(b'/')) => {
                    depth -= 1;
                    self.position += 2;
                    if depth == 0 {
                        return TokenKind::Comment;
                    }
                }
                _ => self.position += 1,
            }
        }
        // SQLite ends an open comment at the end of the file.
        if self.lexing.kind == ServerKind::Sqlite {
            return TokenKind::Comment;
        }
        self.unterminated()
    }

    /// Steps over `/*!80013` when this server runs what is inside; the contents follow as tokens.
    fn enter_version_comment(&mut self) -> bool {
        let rest = self.rest();
        let mariadb = self.lexing.kind == ServerKind::Mariadb;
        let body = match (rest.strip_prefix("/*!"), rest.strip_prefix("/*M!")) {
            (Some(body), _) => body,
            (None, Some(body)) if mariadb => body,
            (None, _) => return false,
        };
        let digits = body.bytes().take(6).take_while(u8::is_ascii_digit).count();
        let number: u32 = body.get(..digits).and_then(|d| d.parse().ok()).unwrap_or(0);
        // MariaDB skips the numbers of MySQL 5.7 and later, which it does not follow.
        let foreign = mariadb && rest.starts_with("/*!") && (50_700..=99_999).contains(&number);
        if digits > 0 && (digits < 5 || number > self.lexing.version_number || foreign) {
            return false;
        }
        self.position += rest.len() - body.len() + digits;
        self.in_version_comment = true;
        true
    }

    fn at_placeholder(&self) -> bool {
        self.lexing.placeholders && self.placeholder_length().is_some()
    }

    /// Returns how long `${name}` is, if it is next.
    fn placeholder_length(&self) -> Option<usize> {
        let name = self.rest().strip_prefix("${")?;
        let end = name.find('}').filter(|&end| end > 0)?;
        name.bytes().take(end).all(|b| b.is_ascii_graphic() && b != b'{').then_some(end + 3)
    }

    /// Takes `${name}` and the parts of a name around further ones: `${a}_${b}_orders`.
    fn filled_in(&mut self) -> TokenKind {
        loop {
            match self.placeholder_length() {
                Some(length) => self.position += length,
                None if self.peek(0).is_some_and(|b| is_word_part(b) && b != b'$') => {
                    self.position += 1;
                }
                None => return TokenKind::Parameter,
            }
        }
    }

    fn dollar(&mut self) -> TokenKind {
        if self.lexing.kind != ServerKind::Postgres {
            return match self.peek(1) {
                Some(b) if is_word_part(b) => self.word(),
                _ => self.take(1, TokenKind::Stray),
            };
        }
        let rest = self.rest().get(1..).unwrap_or("");
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            return self.take(1 + digits, TokenKind::Parameter);
        }
        let tag = rest.bytes().take_while(|&b| is_word_part(b) && b != b'$').count();
        if rest.as_bytes().get(tag) != Some(&b'$') {
            return self.take(1, TokenKind::Stray);
        }
        let delimiter = self.rest().get(..tag + 2).unwrap_or("$$");
        let body = self.rest().get(tag + 2..).unwrap_or("");
        match body.find(delimiter) {
            Some(end) => self.take(end + 2 * delimiter.len(), TokenKind::DollarString),
            None => self.unterminated(),
        }
    }

    fn variable(&mut self) -> TokenKind {
        while self.peek(0) == Some(b'@') {
            self.position += 1;
        }
        match self.peek(0) {
            Some(quote @ (b'`' | b'\'' | b'"')) => {
                self.quoted(quote, false, TokenKind::Variable);
            }
            _ => {
                while self.peek(0).is_some_and(|b| is_word_part(b) || b == b'.') {
                    self.position += 1;
                }
            }
        }
        TokenKind::Variable
    }

    fn number(&mut self) -> TokenKind {
        let hexadecimal = self.peek(0) == Some(b'0')
            && matches!(self.peek(1), Some(b'x' | b'X' | b'b' | b'B' | b'o' | b'O'));
        let digit = |b: u8| b.is_ascii_hexdigit() || b == b'_';
        if hexadecimal && self.peek(2).is_some_and(digit) {
            self.position += 2;
            self.skip_while(digit);
            return TokenKind::Number;
        }
        self.skip_while(|b| b.is_ascii_digit() || b == b'_');
        if self.peek(0) == Some(b'.') && self.peek(1) != Some(b'.') {
            self.position += 1;
            self.skip_while(|b| b.is_ascii_digit() || b == b'_');
        }
        if matches!(self.peek(0), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.peek(1), Some(b'+' | b'-')));
            if self.peek(1 + sign).is_some_and(|b| b.is_ascii_digit()) {
                self.position += 1 + sign;
                self.skip_while(|b| b.is_ascii_digit() || b == b'_');
            }
        }
        // `2fa` is a name in MySQL and MariaDB, and refused by the others either way.
        if self.lexing.kind.is_mysql_family() && self.peek(0).is_some_and(is_word_part) {
            self.skip_while(is_word_part);
            return TokenKind::Word;
        }
        TokenKind::Number
    }

    fn skip_while(&mut self, keep: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&keep) {
            self.position += 1;
        }
    }

    fn colon(&mut self) -> TokenKind {
        match self.peek(1) {
            Some(b':' | b'=') => self.take(2, TokenKind::Punctuation),
            Some(quote @ (b'\'' | b'"')) if self.lexing.kind == ServerKind::Postgres => {
                self.position += 1;
                self.quoted(quote, false, TokenKind::Parameter)
            }
            Some(b) if is_word_start(b) && (self.parameter_may_follow() || self.ends_with_it()) => {
                self.position += 1;
                self.skip_while(is_word_part);
                TokenKind::Parameter
            }
            _ => self.take(1, TokenKind::Punctuation),
        }
    }

    /// `a[1:n]` is a slice, and `label: LOOP` a label; a parameter has white space or an operator
    /// in front.
    fn parameter_may_follow(&self) -> bool {
        let before = self.position.checked_sub(1).and_then(|at| self.bytes.get(at));
        !before.is_some_and(|&b| is_word_part(b) || matches!(b, b'"' | b'`' | b']' | b')'))
    }

    /// `CREATE TABLE t (…):options;`: psql fills in what stands at the end of a statement.
    fn ends_with_it(&self) -> bool {
        let before = self.position.checked_sub(1).and_then(|at| self.bytes.get(at));
        let name = self.rest().get(1..).unwrap_or("");
        let behind = name.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let behind = behind.trim_start();
        before == Some(&b')') && (behind.is_empty() || behind.starts_with(';'))
    }

    fn word(&mut self) -> TokenKind {
        let start = self.position;
        while self.peek(0).is_some_and(is_word_part) {
            if self.at_placeholder() {
                return self.filled_in();
            }
            self.position += 1;
        }
        let prefix = self.text.get(start..self.position).unwrap_or("");
        if let (b"u" | b"U", Some(b'&'), Some(quote @ (b'\'' | b'"'))) =
            (prefix.as_bytes(), self.peek(0), self.peek(1))
        {
            self.position += 1;
            let kind = if quote == b'"' { TokenKind::QuotedName } else { TokenKind::String };
            return self.quoted(quote, false, kind);
        }
        if self.peek(0) != Some(b'\'') {
            return TokenKind::Word;
        }
        let mysql = self.lexing.kind.is_mysql_family();
        match prefix.as_bytes() {
            b"e" | b"E" if self.lexing.kind == ServerKind::Postgres => {
                self.quoted(b'\'', true, TokenKind::String)
            }
            b"b" | b"B" | b"x" | b"X" | b"n" | b"N" => self.quoted(b'\'', mysql, TokenKind::String),
            _ if mysql && prefix.starts_with('_') => self.quoted(b'\'', true, TokenKind::String),
            _ => TokenKind::Word,
        }
    }

    fn operator(&mut self) -> TokenKind {
        let start = self.position;
        self.position += 1;
        while let Some(byte) = self.peek(0) {
            let comment = matches!((byte, self.peek(1)), (b'-', Some(b'-')) | (b'/', Some(b'*')));
            if !is_operator(byte) || comment {
                break;
            }
            // Elsewhere operators are known ones; `=-1` is two of them.
            if self.lexing.kind != ServerKind::Postgres && matches!(byte, b'-' | b'+' | b'@') {
                break;
            }
            self.position += 1;
        }
        if self.lexing.kind == ServerKind::Postgres {
            self.give_back_signs(start);
        }
        TokenKind::Operator
    }

    /// `=-1` is `=` and `-1`: only an operator with one of these characters may end in a sign.
    fn give_back_signs(&mut self, start: usize) {
        let operator = self.bytes.get(start..self.position).unwrap_or(&[]);
        if operator.iter().any(|b| b"~!@#%^&|`?".contains(b)) {
            return;
        }
        while self.position > start + 1
            && matches!(self.bytes.get(self.position - 1), Some(b'+' | b'-'))
        {
            self.position -= 1;
        }
    }
}

/// Returns a span from two offsets; a text is at most 4 GiB long by the time it gets here.
fn span(start: usize, end: usize) -> Span {
    let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span::new(narrow(start), narrow(end))
}

const fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

const fn is_word_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

const fn is_operator(byte: u8) -> bool {
    matches!(
        byte,
        b'+' | b'-'
            | b'*'
            | b'/'
            | b'<'
            | b'>'
            | b'='
            | b'~'
            | b'!'
            | b'@'
            | b'#'
            | b'%'
            | b'^'
            | b'&'
            | b'|'
            | b'?'
    )
}

/// Editors put it first in a file. Anywhere else it is a letter to all four servers, as are the
/// no-break space and other wide spaces: they glue words together, and the statement is refused.
const BYTE_ORDER_MARK: char = '\u{feff}';
