//! One text to statements, with the place of each. Never fails.
//!
//! What is no SQL (psql meta-commands, the data of `COPY … FROM stdin`, `DELIMITER`) is kept apart
//! as a piece of its own: it is reported, not guessed at.

use std::ops::Range;

use super::lexer::{Lexer, Lexing, Token, TokenKind};
use super::migration::Reading;
use super::server::ServerKind;
use super::source::Span;

/// What a text falls into.
#[derive(Debug, Clone, Default)]
pub struct Pieces {
    /// All tokens but comments, in order.
    pub tokens: Vec<Token>,
    /// All comments, in order.
    pub comments: Vec<Span>,
    /// Statements and what stands between them, in order.
    pub pieces: Vec<Piece>,
}

/// A statement, or something that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// From the first token to the last; the semicolon is not part of it.
    pub span: Span,
    /// Its tokens in [`Pieces::tokens`].
    pub tokens: Range<usize>,
    /// What it is.
    pub kind: PieceKind,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceKind {
    /// A statement.
    Statement,
    /// A psql meta-command, one line.
    MetaCommand,
    /// The data of the `COPY … FROM stdin` before it.
    CopyData,
    /// A `DELIMITER` line of the mysql client.
    Delimiter,
}

/// Splits a text as its tool would. A statement ends with its block at the latest, and a stored
/// program in one does not end before.
pub fn split(text: &str, lexing: Lexing, range: Span, reading: &Reading) -> Pieces {
    let (mut tokens, mut pieces) = (Vec::new(), Vec::new());
    let comments = split_each(text, lexing, range, reading, |piece, own| {
        let start = tokens.len();
        tokens.extend_from_slice(own);
        pieces.push(Piece { tokens: start..tokens.len(), ..piece });
    });
    Pieces { tokens, comments, pieces }
}

/// Splits like [`split`], hands each piece on with its tokens, which are then let go of, and
/// returns the comments.
pub(super) fn split_each(
    text: &str,
    lexing: Lexing,
    range: Span,
    reading: &Reading,
    take: impl FnMut(Piece, &[Token]),
) -> Vec<Span> {
    let text = text.get(..range.end as usize).unwrap_or(text);
    let mut splitter = Splitter {
        text,
        lexer: Lexer::new(text, lexing),
        kind: lexing.kind,
        delimiter: reading.delimiter.as_ref().map(|d| (d.text.as_str(), d.own_line)),
        take,
        comments: Vec::new(),
        tokens: Vec::new(),
        nesting: Nesting::default(),
        reading,
        no_copy_data: false,
    };
    splitter.lexer.seek(range.start as usize);
    splitter.run();
    splitter.comments
}

/// What has a body made of statements in MySQL and MariaDB.
const PROGRAMS: &[&str] = &["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "PACKAGE"];

struct Splitter<'a, 'r, F> {
    text: &'a str,
    lexer: Lexer<'a>,
    kind: ServerKind,
    /// The delimiter in force; whether it counts only alone on its line.
    delimiter: Option<(&'r str, bool)>,
    /// Takes what was found.
    take: F,
    comments: Vec<Span>,
    /// The tokens of the statement being read.
    tokens: Vec<Token>,
    nesting: Nesting,
    reading: &'r Reading,
    /// No `\.` stands in the rest of the text, so that it need not be looked for again.
    no_copy_data: bool,
}

/// Where in a statement the reader is: a semicolon ends it only outside of everything.
#[derive(Debug, Default)]
struct Nesting {
    parentheses: usize,
    /// Open BEGIN, CASE, IF, LOOP … of a body.
    blocks: usize,
    /// The statement has a body made of statements.
    body: bool,
}

impl<'a: 'r, 'r, F: FnMut(Piece, &[Token])> Splitter<'a, 'r, F> {
    fn run(&mut self) {
        loop {
            let before = self.lexer.position();
            let at = self.lexer.skip_space();
            if self.skips(at) {
                continue;
            }
            if self.at_statement_start() && self.line_command(at) {
                continue;
            }
            if self.takes_delimiter(before, at) {
                continue;
            }
            let Some(token) = self.next_token() else { break };
            self.accept(token);
        }
        self.end_statement();
    }

    /// Steps over a part that belongs to another section.
    fn skips(&mut self, at: usize) -> bool {
        let skipped = &self.reading.skipped;
        let holds = |part: &&Span| part.start as usize <= at && at < part.end as usize;
        let Some(part) = skipped.iter().find(holds) else { return false };
        self.end_statement();
        self.lexer.seek(part.end as usize);
        true
    }

    /// Takes the delimiter, if it stands between two places or at the second one.
    fn takes_delimiter(&mut self, before: usize, at: usize) -> bool {
        let Some((delimiter, own_line)) = self.delimiter else { return false };
        let blank = self.text.get(before..at).unwrap_or("");
        if delimiter.trim().is_empty() {
            // Empty lines divide the statements (atlas:delimiter \n\n\n).
            if blank.contains(delimiter) {
                self.end_statement();
            }
            return false;
        }
        let rest = self.text.get(at..).unwrap_or("");
        let is_it = rest.get(..delimiter.len()).is_some_and(|text| {
            text == delimiter || (own_line && text.eq_ignore_ascii_case(delimiter))
        });
        let alone = || {
            let behind = rest.get(delimiter.len()..).unwrap_or("").lines().next().unwrap_or("");
            (before == 0 || blank.contains('\n')) && behind.trim().is_empty()
        };
        if !is_it || (own_line && !alone()) {
            return false;
        }
        self.lexer.seek(at + delimiter.len());
        self.end_statement();
        true
    }

    /// Reads a token, but not across the delimiter that the mysql client would see first.
    fn next_token(&mut self) -> Option<Token> {
        let token = self.lexer.next_token()?;
        let Some((delimiter, false)) = self.delimiter else { return Some(token) };
        if matches!(token.kind, TokenKind::Word | TokenKind::Operator | TokenKind::Stray) {
            let text = self.slice(token.span);
            if let Some(found) = text.find(delimiter).filter(|&found| found > 0) {
                let end = token.span.start + u32::try_from(found).unwrap_or(0);
                self.lexer.seek(end as usize);
                return Some(Token { kind: token.kind, span: Span::new(token.span.start, end) });
            }
        }
        Some(token)
    }

    fn accept(&mut self, token: Token) {
        if token.kind == TokenKind::Comment {
            self.comments.push(token.span);
            return;
        }
        if !self.reading.blocks.is_empty() && self.leaves_block(token.span) {
            self.end_statement();
        }
        if self.is_meta_command(token) {
            self.end_statement();
            self.line_command(token.span.start as usize);
            return;
        }
        if self.is_semicolon(token) {
            if self.ends_here(token) {
                let copy = self.is_copy_from_stdin();
                self.end_statement();
                if copy {
                    self.copy_data();
                }
                return;
            }
            self.nesting.parentheses = 0;
        }
        self.tokens.push(token);
        self.track(token);
    }

    /// psql reads a backslash outside of quotes itself; most of its commands send what stands
    /// before them (`SELECT 1 \gset`).
    fn is_meta_command(&self, token: Token) -> bool {
        self.kind == ServerKind::Postgres
            && token.kind == TokenKind::Stray
            && self.slice(token.span) == "\\"
    }

    fn is_semicolon(&self, token: Token) -> bool {
        token.kind == TokenKind::Punctuation && self.slice(token.span) == ";"
    }

    fn ends_here(&self, token: Token) -> bool {
        // A block is sent as one text too. What it holds is told apart by the rules below; they
        // fail on stored programs without BEGIN only, which nothing but the block's end ends.
        if self.kind.is_mysql_family() && self.block(token.span).is_some() {
            return self.nesting.blocks == 0 && !self.creates(PROGRAMS);
        }
        // The mysql client sends all up to its delimiter in one piece, of which the server takes
        // statement by statement; a stored program is one of them, whatever is in it.
        if self.delimiter.is_some() && self.kind.is_mysql_family() {
            return self.nesting.blocks == 0 && !self.creates(PROGRAMS);
        }
        // A rule's actions stand in parentheses: `DO ALSO (INSERT …; DELETE …)`.
        let rule =
            self.nesting.parentheses > 0 && self.word(0) == "CREATE" && self.has_word("RULE");
        self.nesting.blocks == 0 && !rule
    }

    /// Returns the block that a place lies in.
    fn block(&self, span: Span) -> Option<Span> {
        let behind = self.reading.blocks.partition_point(|block| block.start <= span.start);
        let block = behind.checked_sub(1).and_then(|at| self.reading.blocks.get(at));
        block.filter(|block| block.contains(span)).copied()
    }

    /// Says whether the statement being read began in a block that ends before a place.
    fn leaves_block(&self, span: Span) -> bool {
        let first = self.tokens.first();
        let block = first.and_then(|token| self.block(token.span));
        block.is_some_and(|block| !block.contains(span))
    }

    fn at_statement_start(&self) -> bool {
        self.tokens.is_empty()
    }

    fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Returns the upper-case keyword at a position of the current statement.
    fn word(&self, index: usize) -> String {
        let token = self.tokens.get(index);
        let word = token.filter(|t| t.kind == TokenKind::Word);
        word.map_or_else(String::new, |t| self.slice(t.span).to_ascii_uppercase())
    }

    fn has_word(&self, word: &str) -> bool {
        let tokens = &self.tokens;
        tokens.iter().take(12).any(|t| self.slice(t.span).eq_ignore_ascii_case(word))
    }

    /// Counts what opens and closes, so that semicolons inside do not end the statement.
    fn track(&mut self, token: Token) {
        let text = self.slice(token.span);
        match token.kind {
            TokenKind::Punctuation => match text {
                "(" => self.nesting.parentheses += 1,
                ")" => self.nesting.parentheses = self.nesting.parentheses.saturating_sub(1),
                _ => {}
            },
            TokenKind::Word => self.track_word(text),
            TokenKind::QuotedName
            | TokenKind::String
            | TokenKind::DollarString
            | TokenKind::Number
            | TokenKind::Operator
            | TokenKind::Parameter
            | TokenKind::Variable
            | TokenKind::Comment
            | TokenKind::Unterminated
            | TokenKind::Stray => {}
        }
    }

    fn track_word(&mut self, word: &str) {
        let index = self.tokens.len() - 1;
        let is = |expected: &str| word.eq_ignore_ascii_case(expected);
        if !self.nesting.body {
            self.nesting.body = match self.kind {
                // `BEGIN ATOMIC` is the only body that PostgreSQL does not quote.
                ServerKind::Postgres => is("ATOMIC") && self.previous_is("BEGIN", index),
                ServerKind::Sqlite => is("BEGIN") && self.creates(&["TRIGGER"]),
                ServerKind::Mysql | ServerKind::Mariadb => self.starts_program(word, index),
            };
            if self.nesting.body {
                self.nesting.blocks = 1;
            }
            return;
        }
        if is("END") {
            self.nesting.blocks = self.nesting.blocks.saturating_sub(1);
        } else if self.opens_block(word, index) {
            self.nesting.blocks += 1;
        }
    }

    /// Says whether a word inside a body opens something that `END` closes.
    fn opens_block(&self, word: &str, index: usize) -> bool {
        let is = |expected: &str| word.eq_ignore_ascii_case(expected);
        if self.previous_is("END", index) {
            return false;
        }
        if is("CASE") {
            return true;
        }
        if !self.kind.is_mysql_family() {
            return is("BEGIN");
        }
        if is("BEGIN") {
            return self.begins_block(index);
        }
        // IF, REPEAT and REPLACE are functions too; a statement starts after a semicolon, a label
        // or one of these words.
        let starts = self.starts_statement(index);
        (is("IF") || is("LOOP") || is("WHILE") || is("REPEAT") || is("FOR")) && starts
    }

    /// Says whether a word starts the body of a stored program of MySQL or MariaDB.
    fn starts_program(&self, word: &str, index: usize) -> bool {
        let is = |expected: &str| word.eq_ignore_ascii_case(expected);
        if is("ATOMIC") {
            return self.previous_is("NOT", index);
        }
        let blocks = ["IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR"];
        let block = blocks.iter().any(|block| is(block));
        if block && index == 0 {
            return self.kind == ServerKind::Mariadb;
        }
        if !self.creates(PROGRAMS) {
            return false;
        }
        if self.creates(&["PACKAGE"]) {
            return is("AS") || is("IS");
        }
        // Behind the header of the program: `FOR EACH ROW IF …`, `p() LOOP …`, `NO SQL CASE …`.
        let headers = ["ROW", ")", ":", "DO", "SQL", "DATA", "DETERMINISTIC", "DEFINER", "INVOKER"];
        let header = || headers.iter().any(|header| self.previous_is(header, index));
        is("BEGIN") && self.begins_block(index) || block && header()
    }

    /// Says whether BEGIN opens a block here; it is a name where a value is expected.
    fn begins_block(&self, index: usize) -> bool {
        let values = [".", ",", "(", "=", "SELECT", "AS", "SET", "AND", "OR", "NOT", "WHERE", "BY"];
        !values.iter().any(|value| self.previous_is(value, index))
    }

    fn starts_statement(&self, index: usize) -> bool {
        let before = index.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.is_none_or(|token| {
            let text = self.slice(token.span).to_ascii_uppercase();
            matches!(
                text.as_str(),
                ";" | ":" | "BEGIN" | "THEN" | "ELSE" | "DO" | "LOOP" | "REPEAT"
            ) || (text == "ROW" || text == "ATOMIC" || self.slice(token.span) == ")") && index < 40
        })
    }

    fn previous_is(&self, expected: &str, index: usize) -> bool {
        let before = index.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.is_some_and(|token| self.slice(token.span).eq_ignore_ascii_case(expected))
    }

    fn creates(&self, objects: &[&str]) -> bool {
        self.word(0) == "CREATE"
            && self
                .created()
                .is_some_and(|kind| objects.iter().any(|object| kind.eq_ignore_ascii_case(object)))
    }

    /// Returns the kind of object behind CREATE and its options.
    fn created(&self) -> Option<&'a str> {
        let tokens = self.tokens.get(1..)?;
        let mut words = tokens.iter().map(|token| (token.kind, self.slice(token.span)));
        while let Some((kind, text)) = words.next() {
            let option = ["OR", "REPLACE", "TEMP", "TEMPORARY", "AGGREGATE", "CONSTRAINT"];
            if text.eq_ignore_ascii_case("DEFINER") {
                // `= name@host`: the sign, the account; the host is a variable to the lexer.
                words.nth(1)?;
                continue;
            }
            let account = matches!(kind, TokenKind::Variable | TokenKind::Punctuation);
            if !account && !option.iter().any(|option| text.eq_ignore_ascii_case(option)) {
                return Some(text);
            }
        }
        None
    }

    fn is_copy_from_stdin(&self) -> bool {
        self.kind == ServerKind::Postgres
            && self.word(0) == "COPY"
            && self.tokens.windows(2).any(|pair| {
                let word = |at: usize| pair.get(at).map_or("", |t: &Token| self.slice(t.span));
                word(0).eq_ignore_ascii_case("from") && word(1).eq_ignore_ascii_case("stdin")
            })
    }

    /// Takes the lines up to `\.`, if there is one: without it, no data follow.
    fn copy_data(&mut self) {
        if self.no_copy_data {
            return;
        }
        let start = self.lexer.position();
        let rest = self.text.get(start..).unwrap_or("");
        let mut offset = 0;
        for line in rest.split_inclusive('\n') {
            offset += line.len();
            if line.trim_end() == "\\." {
                self.lexer.seek(start + offset);
                self.push_piece(start, start + offset, PieceKind::CopyData);
                return;
            }
        }
        self.no_copy_data = true;
    }

    /// Takes a line that a client program reads itself.
    fn line_command(&mut self, at: usize) -> bool {
        let rest = self.text.get(at..).unwrap_or("");
        // Between statements the mysql client takes `--x` for a comment, too (measured with the
        // client of MariaDB 10.11); within one, and for the server, it is no comment.
        if self.kind.is_mysql_family() && rest.starts_with("--") {
            let line = rest.split('\n').next().unwrap_or("").trim_end();
            self.lexer.seek(at + line.len());
            self.comments.push(span(at, at + line.len()));
            return true;
        }
        let backslash = self.kind == ServerKind::Postgres && rest.starts_with('\\');
        let word = rest.get(..9).unwrap_or("");
        let delimits = self.kind.is_mysql_family() || self.reading.delimiter_lines;
        let delimiter = delimits && word.eq_ignore_ascii_case("delimiter");
        if !backslash && !delimiter {
            return false;
        }
        let line = rest.split('\n').next().unwrap_or("").trim_end();
        if backslash {
            self.lexer.seek(at + line.len());
            self.push_piece(at, at + line.len(), PieceKind::MetaCommand);
            return true;
        }
        let word = line.split_ascii_whitespace().next().unwrap_or("");
        if !word.eq_ignore_ascii_case("delimiter") {
            return false;
        }
        let Some(delimiter) = line.split_ascii_whitespace().nth(1) else { return false };
        self.delimiter = (delimiter != ";").then_some((delimiter, false));
        self.lexer.seek(at + line.len());
        self.push_piece(at, at + line.len(), PieceKind::Delimiter);
        true
    }

    /// `SET sql_mode = 'ANSI_QUOTES'` changes what double quotes mean from the next statement on.
    fn note_sql_mode(&mut self) {
        if !self.kind.is_mysql_family() || self.word(0) != "SET" {
            return;
        }
        let tokens = &self.tokens;
        let text = |token: &Token| self.slice(token.span).to_ascii_lowercase();
        let mut words = tokens.iter().map(text).skip_while(|word| !word.ends_with("sql_mode"));
        if words.next().is_some() {
            let ansi = words.any(|word| word.contains("ansi"));
            self.lexer.set_ansi_quotes(ansi);
        }
    }

    fn push_piece(&mut self, start: usize, end: usize, kind: PieceKind) {
        (self.take)(Piece { span: span(start, end), tokens: 0..0, kind }, &[]);
    }

    fn end_statement(&mut self) {
        // `END; //`: the semicolon in front of the client's delimiter is none of the statement,
        // nor is the one in front of a marker that ends a block.
        while self.tokens.last().is_some_and(|&token| self.is_semicolon(token)) {
            self.tokens.pop();
        }
        self.note_sql_mode();
        if let (Some(first), Some(last)) = (self.tokens.first(), self.tokens.last()) {
            let (span, tokens) = (first.span.to(last.span), 0..self.tokens.len());
            (self.take)(Piece { span, tokens, kind: PieceKind::Statement }, &self.tokens);
        }
        self.tokens.clear();
        self.nesting = Nesting::default();
    }
}

/// Returns a place from two offsets; a text is at most 4 GiB long by the time it gets here.
fn span(start: usize, end: usize) -> Span {
    let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span::new(narrow(start), narrow(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_blocks(blocks: &[Span]) -> Reading {
        Reading { blocks: blocks.to_vec(), ..Reading::default() }
    }

    #[track_caller]
    fn check(kind: ServerKind, text: &str, expected: &[&str]) {
        let lexing =
            Lexing { kind, version_number: 80_400, ansi_quotes: false, placeholders: false };
        let whole = Span::new(0, u32::try_from(text.len()).unwrap());
        let pieces = split(text, lexing, whole, &Reading::default());
        let found: Vec<&str> = pieces
            .pieces
            .iter()
            .filter(|piece| piece.kind == PieceKind::Statement)
            .map(|piece| &text[piece.span.start as usize..piece.span.end as usize])
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn semicolons_in_strings_comments_and_bodies_do_not_split() {
        check(
            ServerKind::Postgres,
            "SELECT ';' -- ;\n; /* ; /* ; */ ; */ DO $x$ BEGIN; $$ END $x$; SELECT E'\\';'",
            &["SELECT ';'", "DO $x$ BEGIN; $$ END $x$", "SELECT E'\\';'"],
        );
    }

    #[test]
    fn atomic_bodies_hold_statements() {
        check(
            ServerKind::Postgres,
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END; \
             SELECT 2",
            &[
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; \
                 END",
                "SELECT 2",
            ],
        );
    }

    #[test]
    fn trigger_bodies_of_sqlite_hold_statements() {
        check(
            ServerKind::Sqlite,
            "BEGIN; CREATE TRIGGER a AFTER INSERT ON t BEGIN DELETE FROM u; END; COMMIT;",
            &["BEGIN", "CREATE TRIGGER a AFTER INSERT ON t BEGIN DELETE FROM u; END", "COMMIT"],
        );
    }

    #[test]
    fn delimiters_of_the_mysql_client_are_honoured() {
        check(
            ServerKind::Mysql,
            "DELIMITER $$\nCREATE PROCEDURE p() BEGIN SELECT 1; END$$\nDELIMITER ;\nSELECT 2;",
            &["CREATE PROCEDURE p() BEGIN SELECT 1; END", "SELECT 2"],
        );
    }

    #[test]
    fn procedures_without_a_delimiter_line_stay_whole() {
        check(
            ServerKind::Mysql,
            "CREATE PROCEDURE p() BEGIN IF a THEN SET b = IF(c, 1, 2); END IF; END; SELECT 2;",
            &["CREATE PROCEDURE p() BEGIN IF a THEN SET b = IF(c, 1, 2); END IF; END", "SELECT 2"],
        );
    }

    #[test]
    fn semicolons_before_the_delimiter_end_statements_too() {
        check(
            ServerKind::Mysql,
            "DELIMITER //\nDROP PROCEDURE IF EXISTS p; CREATE PROCEDURE p() BEGIN SELECT 1; END; \
             //\nCALL p()//",
            &["DROP PROCEDURE IF EXISTS p", "CREATE PROCEDURE p() BEGIN SELECT 1; END", "CALL p()"],
        );
    }

    #[test]
    fn delimiters_are_of_any_kind() {
        for delimiter in ["//", "$$", ";;", "|", "@@", "//|"] {
            check(
                ServerKind::Mysql,
                &format!(
                    "delimiter {delimiter}  \n-- a {delimiter} comment\nCREATE TRIGGER t AFTER \
                     INSERT ON u FOR EACH ROW l: BEGIN INSERT INTO v VALUES ('{delimiter}'); \
                     END{delimiter}\nDELIMITER ;\nSELECT 2;"
                ),
                &[
                    &format!(
                        "CREATE TRIGGER t AFTER INSERT ON u FOR EACH ROW l: BEGIN INSERT INTO v \
                         VALUES ('{delimiter}'); END"
                    ),
                    "SELECT 2",
                ],
            );
        }
    }

    #[test]
    fn two_dashes_between_statements_of_mysql_are_a_comment() {
        check(
            ServerKind::Mysql,
            "--DROP TABLE t;\nSELECT 1; --- x; y\n  --SELECT 2;\r\nSELECT 3",
            &["SELECT 1", "SELECT 3"],
        );
    }

    #[test]
    fn comments_and_strings_of_mysql_hide_semicolons() {
        check(
            ServerKind::Mysql,
            "SELECT 1 # a; b\n, 'it\\'s;', \"x;\"\"\"; SELECT 5--2; SELECT `a;```; -- ;\nSELECT 3",
            &[
                "SELECT 1 # a; b\n, 'it\\'s;', \"x;\"\"\"",
                "SELECT 5--2",
                "SELECT `a;```",
                "SELECT 3",
            ],
        );
    }

    #[test]
    fn the_semicolon_before_the_end_of_a_block_is_no_part_of_its_statement() {
        let text = "CREATE TRIGGER t AFTER INSERT ON u BEGIN DELETE FROM v; END; ";
        let lexing = Lexing {
            kind: ServerKind::Sqlite,
            version_number: 35_100,
            ansi_quotes: false,
            placeholders: false,
        };
        let whole = Span::new(0, u32::try_from(text.len()).unwrap());
        let pieces = split(text, lexing, whole, &in_blocks(&[whole])).pieces;
        let found: Vec<&str> = pieces
            .iter()
            .map(|piece| &text[piece.span.start as usize..piece.span.end as usize])
            .collect();
        assert_eq!(found, ["CREATE TRIGGER t AFTER INSERT ON u BEGIN DELETE FROM v; END"]);
    }

    #[test]
    fn handlers_and_bodies_without_begin_stay_whole() {
        check(
            ServerKind::Mysql,
            "CREATE PROCEDURE p() BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; \
             END; SELECT CASE a WHEN 1 THEN 2 END; END; CREATE TRIGGER t BEFORE INSERT ON u FOR \
             EACH ROW IF NEW.a THEN SET NEW.b = 1; END IF; SELECT 2",
            &[
                "CREATE PROCEDURE p() BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN \
                 ROLLBACK; END; SELECT CASE a WHEN 1 THEN 2 END; END",
                "CREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW IF NEW.a THEN SET NEW.b = 1; \
                 END IF",
                "SELECT 2",
            ],
        );
    }

    #[test]
    fn tables_with_the_names_of_programs_have_no_bodies() {
        check(
            ServerKind::Mysql,
            "CREATE TABLE event (begin DATETIME, end DATETIME); SELECT 1; SELECT 2;",
            &["CREATE TABLE event (begin DATETIME, end DATETIME)", "SELECT 1", "SELECT 2"],
        );
    }

    #[test]
    fn double_quotes_follow_the_sql_mode_that_the_file_sets() {
        check(
            ServerKind::Mysql,
            "SET SESSION sql_mode = ansi; CREATE TABLE \"a;\\\" (b INT); SELECT 1",
            &["SET SESSION sql_mode = ansi", "CREATE TABLE \"a;\\\" (b INT)", "SELECT 1"],
        );
    }

    #[test]
    fn version_comments_are_read_when_the_server_reads_them() {
        check(
            ServerKind::Mysql,
            "/*!40000 ALTER TABLE t ENABLE KEYS */;",
            &["ALTER TABLE t ENABLE KEYS"],
        );
        check(ServerKind::Mysql, "/*!99999 DROP TABLE t */; SELECT 1", &["SELECT 1"]);
    }

    #[test]
    fn meta_commands_end_the_statement_before_them() {
        check(
            ServerKind::Postgres,
            "SELECT 1 AS a \\gset\nSELECT 2;\n\\if :a\nSELECT 3;",
            &["SELECT 1 AS a", "SELECT 2", "SELECT 3"],
        );
    }

    #[test]
    fn a_byte_order_mark_is_white_space_at_the_start_only() {
        check(ServerKind::Postgres, "\u{feff}SELECT 1", &["SELECT 1"]);
        check(ServerKind::Postgres, "SELECT 1;\u{feff}SELECT 2", &["SELECT 1", "\u{feff}SELECT 2"]);
        check(ServerKind::Mysql, "SELECT\u{a0}1", &["SELECT\u{a0}1"]);
    }

    #[test]
    fn a_block_ends_its_last_statement_and_keeps_programs_whole() {
        #[track_caller]
        fn check(kind: ServerKind, text: &str, block: &str, expected: &[&str]) {
            let lexing =
                Lexing { kind, version_number: 0, ansi_quotes: false, placeholders: false };
            let whole = Span::new(0, u32::try_from(text.len()).unwrap());
            let start = u32::try_from(text.find(block).unwrap()).unwrap();
            let block = Span::new(start, start + u32::try_from(block.len()).unwrap());
            let found = split(text, lexing, whole, &in_blocks(&[block]));
            let texts: Vec<&str> = found
                .pieces
                .iter()
                .map(|piece| &text[piece.span.start as usize..piece.span.end as usize])
                .collect();
            assert_eq!(texts, expected);
        }
        let text = "SELECT 1; SELECT 2 /* end */ SELECT 3";
        check(
            ServerKind::Postgres,
            text,
            "SELECT 1; SELECT 2",
            &["SELECT 1", "SELECT 2", "SELECT 3"],
        );
        let program = "CREATE PROCEDURE p() IF a THEN SELECT 1; END IF;";
        check(
            ServerKind::Mysql,
            &format!("SELECT 1; {program} SELECT 2;"),
            program,
            &["SELECT 1", "CREATE PROCEDURE p() IF a THEN SELECT 1; END IF", "SELECT 2"],
        );
    }

    #[test]
    fn copy_data_and_meta_commands_are_no_statements() {
        check(
            ServerKind::Postgres,
            "\\connect shop\nCOPY t FROM stdin;\n1;2\n\\.\nSELECT 1;",
            &["COPY t FROM stdin", "SELECT 1"],
        );
    }
}
