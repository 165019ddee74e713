//! Numbers and blobs as SQLite's own tokenizer takes them
//! (<https://sqlite.org/lang_expr.html>, section 3; measured on 3.35 to 3.54).

use crate::sql::cursor::{Cursor, Parsed, SyntaxError};
use crate::sql::lexer::{Token, TokenKind};

/// Refuses what SQLite calls an unrecognized token.
pub(super) fn all_known(c: &Cursor<'_>) -> Parsed<()> {
    let tokens = c.tokens().get(c.position()..).unwrap_or_default();
    for (at, token) in tokens.iter().enumerate() {
        let text = c.slice(token.span);
        let next = tokens.get(at + 1).filter(|next| next.span.start == token.span.end);
        let known = match token.kind {
            TokenKind::Number => is_number(text, c) && !next.is_some_and(|next| goes_on(next, c)),
            TokenKind::String => is_blob(text),
            TokenKind::Word
            | TokenKind::QuotedName
            | TokenKind::DollarString
            | TokenKind::Punctuation
            | TokenKind::Operator
            | TokenKind::Parameter
            | TokenKind::Variable
            | TokenKind::Comment
            | TokenKind::Unterminated
            | TokenKind::Stray => true,
        };
        if !known {
            let message = format!("unrecognized token: \"{text}\"");
            return Err(SyntaxError { message, at: token.span });
        }
    }
    Ok(())
}

/// Says whether a token is glued to the number before it: `1e`, `12abc`.
fn goes_on(next: &Token, c: &Cursor<'_>) -> bool {
    next.kind == TokenKind::Word && !c.slice(next.span).starts_with('$')
}

/// Digits are grouped by underscores since 3.46 (sqlite.org/releaselog/3_46_0.html), one between
/// two digits; hexadecimal is the only other base.
fn is_number(text: &str, c: &Cursor<'_>) -> bool {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let grouped = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_').all(|(at, _)| {
        c.server().version.at_least(3, 46, 0) && at > 0 && digit(at - 1) && digit(at + 1)
    });
    let base = text.get(..2).unwrap_or_default();
    grouped && !["0b", "0B", "0o", "0O"].contains(&base)
}

/// A blob has two hexadecimal digits for each byte; other letters before a string are none of it.
fn is_blob(text: &str) -> bool {
    if text.starts_with(['U', 'u']) {
        return false;
    }
    let Some(digits) = text.strip_prefix(['x', 'X']) else { return true };
    let digits = digits.trim_matches('\'');
    digits.len() % 2 == 0 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}
