//! Data changes that go through a table in batches, as a comment above the statement declares them.
//!
//! ```sql
//! -- lockwise: batch key=id size=1000 pause=50ms max_lag=10s max_lock=2s adapt=500ms
//! UPDATE orders SET state = 'new' WHERE state IS NULL;
//! ```
//!
//! In: a script. Out: for each such comment the statement it is about and how it is cut into
//! ranges of the key, or why it cannot be. One UPDATE, DELETE or INSERT … SELECT a comment.

use std::time::Duration;

use super::ast::{Dml, DmlKind, Statement, StatementKind};
use super::lexer::{Lexer, Lexing, Token, TokenKind};
use super::migration::Script;
use super::nearest::nearest;
use super::server::Server;
use super::source::Span;

/// A statement cut at the place where the range of a batch belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The table whose keys are gone through, as the statement writes it.
    pub table: String,
    /// The key column with what tells it from columns of other tables: `o.id`.
    pub column: String,
    /// The key column alone, as the comment writes it.
    pub key: String,
    /// The statement up to the range, the author's condition in parentheses included.
    pub head: String,
    /// What follows the range.
    pub tail: String,
    /// How large and how fast batches are.
    pub pace: Pace,
}

/// How large and how fast batches are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Keys in a batch.
    pub size: u64,
    /// The rest between two batches.
    pub pause: Duration,
    /// Replicas may be behind by so much; more makes the next batch wait.
    pub max_lag: Option<Duration>,
    /// A batch waits so long for locks; then it is rolled back and tried again later.
    pub max_lock: Option<Duration>,
    /// The size is changed until a batch takes about so long.
    pub adapt: Option<Duration>,
}

impl Default for Pace {
    fn default() -> Self {
        let pause = Duration::from_millis(50);
        Self { size: 1000, pause, max_lag: None, max_lock: None, adapt: None }
    }
}

/// A comment that declares batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The comment.
    pub comment: Span,
    /// The number of the statement in the script, from 0; none where nothing follows.
    pub statement: Option<usize>,
    /// What it says, or what is wrong with it: one line in lower case.
    pub batch: Result<Batch, String>,
}

/// Returns the comments of a script that declare batches.
pub fn batches(script: &Script, server: Server) -> Vec<Declared> {
    let mut found: Vec<Declared> = Vec::new();
    for &comment in &script.comments {
        let Some(words) = declaration(script.slice(comment)) else { continue };
        let after = |statement: &Statement| statement.span.start >= comment.end;
        let at = script.statements.iter().position(after);
        let statement = at.and_then(|at| script.statements.get(at));
        let twice = found.iter().any(|earlier| earlier.statement == at);
        let batch = match statement {
            None => Err("no statement follows".to_owned()),
            Some(_) if twice => Err("the statement has a batch already".to_owned()),
            Some(statement) => read(words, script, statement, server),
        };
        found.push(Declared { comment, statement: at, batch });
    }
    found
}

/// Returns what follows `lockwise: batch` in a comment.
fn declaration(comment: &str) -> Option<&str> {
    let text = comment.trim();
    let text = match text.strip_prefix("/*") {
        Some(rest) => rest.strip_suffix("*/").unwrap_or(rest),
        None => text.trim_start_matches('-').trim_start_matches('#'),
    };
    let rest = text.trim().strip_prefix("lockwise:")?.trim().strip_prefix("batch")?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some(rest)
}

fn read(
    words: &str,
    script: &Script,
    statement: &Statement,
    server: Server,
) -> Result<Batch, String> {
    const KEYS: [&str; 6] = ["key", "size", "pause", "max_lag", "max_lock", "adapt"];
    let mut pace = Pace::default();
    let mut key = None;
    for word in words.split([' ', '\t', ',', '\n', '\r']).filter(|word| !word.is_empty()) {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        match name {
            "key" if is_plain(value) => key = Some(value),
            "key" => return Err(format!("key is the name of one column, not \"{value}\"")),
            "size" => {
                let size = value.parse().ok().filter(|size| *size > 0);
                pace.size = size.ok_or_else(|| format!("size is a number of rows: \"{value}\""))?;
            }
            "pause" => pace.pause = span_of_time(name, value)?,
            "max_lag" => pace.max_lag = Some(span_of_time(name, value)?),
            "max_lock" => pace.max_lock = Some(span_of_time(name, value)?),
            "adapt" => pace.adapt = Some(span_of_time(name, value)?),
            _ => {
                let near = nearest(name, KEYS).first().map(|near| format!(" (nearest: {near})"));
                return Err(format!("unknown word \"{name}\"{}", near.unwrap_or_default()));
            }
        }
    }
    let key = key.ok_or("the column to go by is missing: write key=id")?;
    let StatementKind::Dml(dml) = &statement.kind else {
        return Err("only UPDATE, DELETE and INSERT … SELECT run in batches".to_owned());
    };
    if dml.columns.iter().any(|column| column.as_str().eq_ignore_ascii_case(bare(key)))
        && dml.kind == DmlKind::Update
    {
        return Err(format!("the statement changes {key}, the key that batches go by"));
    }
    let cut = Cutter::new(script.section.source.text(), statement.span, server).cut(dml)?;
    let Cut { table, qualifier, head, tail } = cut;
    let column = format!("{qualifier}.{key}");
    Ok(Batch { table, column, key: key.to_owned(), head, tail, pace })
}

/// Says whether a text is one name, quoted or not.
fn is_plain(text: &str) -> bool {
    let plain = bare(text);
    !plain.is_empty() && plain.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$')
}

fn bare(name: &str) -> &str {
    let quoted = |mark: char| name.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
    quoted('"').or_else(|| quoted('`')).unwrap_or(name)
}

fn span_of_time(name: &str, value: &str) -> Result<Duration, String> {
    duration(value).ok_or_else(|| format!("{name} is a span of time like 50ms or 10s: \"{value}\""))
}

/// Reads a span of time: `500ms`, `2s`, `5m`, `12h`, `14d`.
pub fn duration(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let number: u64 = number.parse().ok()?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

struct Cut {
    table: String,
    qualifier: String,
    head: String,
    tail: String,
}

/// Finds the condition of a statement among its tokens; what stands in parentheses does not count.
struct Cutter<'t> {
    text: &'t str,
    span: Span,
    tokens: Vec<Token>,
}

impl<'t> Cutter<'t> {
    fn new(text: &'t str, span: Span, server: Server) -> Self {
        let upto = text.get(..span.end as usize).unwrap_or(text);
        let mut lexer = Lexer::new(upto, Lexing::of(server));
        lexer.seek(span.start as usize);
        let mut tokens = Vec::new();
        let mut depth = 0_u32;
        while let Some(token) = lexer.next_token() {
            let written = text.get(token.span.start as usize..token.span.end as usize);
            match (token.kind, written.unwrap_or("")) {
                (TokenKind::Comment, _) => continue,
                (TokenKind::Punctuation, "(" | "[" | "{") => depth += 1,
                (TokenKind::Punctuation, ")" | "]" | "}") => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        // A closed parenthesis stands for all that is in it.
                        tokens.push(Token { kind: TokenKind::Stray, span: token.span });
                    }
                }
                _ if depth == 0 => tokens.push(token),
                _ => {}
            }
        }
        Self { text, span, tokens }
    }

    fn slice(&self, start: u32, end: u32) -> &'t str {
        self.text.get(start as usize..end as usize).unwrap_or("").trim()
    }

    fn word(&self, at: usize) -> &'t str {
        let token = self.tokens.get(at);
        token.map_or("", |token| self.slice(token.span.start, token.span.end))
    }

    fn is(&self, at: usize, word: &str) -> bool {
        let word_token = self.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Word);
        let qualified = at > 0 && self.word(at - 1) == ".";
        word_token && !qualified && self.word(at).eq_ignore_ascii_case(word)
    }

    fn find(&self, from: usize, words: &[&str]) -> Option<usize> {
        (from..self.tokens.len()).find(|&at| words.iter().any(|word| self.is(at, word)))
    }

    /// Returns where the condition ends that begins at a token, or would.
    fn end(&self, from: usize, kind: DmlKind) -> usize {
        let ends = |at: usize| {
            let conflict = self.is(at + 1, "CONFLICT") || self.is(at + 1, "DUPLICATE");
            let query = kind == DmlKind::Insert
                && (self.is(at, "ORDER")
                    || self.is(at, "FOR")
                    || (self.is(at, "LOCK") && self.is(at + 1, "IN"))
                    || (self.is(at, "ON") && conflict));
            query || self.is(at, "RETURNING")
        };
        (from..self.tokens.len()).find(|&at| ends(at)).unwrap_or(self.tokens.len())
    }

    fn cut(&self, dml: &Dml) -> Result<Cut, String> {
        // The words of a WITH before the statement stand in parentheses, its names do not matter.
        let from = match dml.kind {
            DmlKind::Update => {
                let from = self.find(0, &["UPDATE"]).map(|at| self.skip_modifiers(at + 1));
                from.filter(|_| !dml.limit && !dml.order_by)
            }
            DmlKind::Delete => {
                let from = self.find(0, &["FROM"]).map(|at| at + 1);
                from.filter(|_| !dml.limit && !dml.order_by)
            }
            DmlKind::Insert if dml.from_query => {
                let select = self.find(0, &["SELECT"]);
                select.map(|select| self.whole_query(select)).transpose()?
            }
            DmlKind::Insert
            | DmlKind::Select
            | DmlKind::Merge
            | DmlKind::Replace
            | DmlKind::Load => {
                return Err("only UPDATE, DELETE and INSERT … SELECT run in batches".to_owned());
            }
        };
        let from =
            from.ok_or("the statement has a LIMIT or ORDER BY, or no table to go through")?;
        let (table, qualifier, next) = self.table(from)?;
        let place = self.find(next, &["WHERE"]);
        let end = self.end(place.unwrap_or(next), dml.kind);
        let before = |at: usize| match self.tokens.get(at) {
            Some(token) => token.span.start,
            None => self.span.end,
        };
        let condition = place.map(|place| self.slice(before(place + 1), before_end(self, end)));
        let head = match (place, condition) {
            (Some(place), Some(condition)) => {
                let start = self.slice(self.span.start, before(place));
                format!("{start} WHERE ({condition}) AND ")
            }
            _ => format!("{} WHERE ", self.slice(self.span.start, before_end(self, end))),
        };
        let tail = self.slice(before(end), self.span.end);
        let tail = if tail.is_empty() { String::new() } else { format!(" {tail}") };
        Ok(Cut { table, qualifier, head, tail })
    }

    /// Makes sure that the query gives the same rows in parts; returns where its first table is.
    fn whole_query(&self, select: usize) -> Result<usize, String> {
        const WHOLE: [&str; 11] = [
            "UNION",
            "INTERSECT",
            "EXCEPT",
            "GROUP",
            "HAVING",
            "DISTINCT",
            "LIMIT",
            "OFFSET",
            "FETCH",
            "OVER",
            "WINDOW",
        ];
        if let Some(at) = self.find(select, &WHOLE) {
            let word = self.word(at).to_ascii_uppercase();
            return Err(format!("{word} in parts is not {word} of the whole"));
        }
        let from = self.find(select, &["FROM"]);
        from.map(|at| at + 1).ok_or_else(|| "the query reads no table".to_owned())
    }

    fn skip_modifiers(&self, mut at: usize) -> usize {
        if self.is(at, "OR") {
            at += 2;
        }
        while self.is(at, "LOW_PRIORITY") || self.is(at, "IGNORE") {
            at += 1;
        }
        at
    }

    /// Reads a table and its alias; returns both and what follows.
    fn table(&self, mut at: usize) -> Result<(String, String, usize), String> {
        const NO_ALIAS: [&str; 22] = [
            "SET",
            "WHERE",
            "USING",
            "FROM",
            "JOIN",
            "INNER",
            "LEFT",
            "RIGHT",
            "FULL",
            "CROSS",
            "NATURAL",
            "STRAIGHT_JOIN",
            "ON",
            "ORDER",
            "LIMIT",
            "GROUP",
            "RETURNING",
            "FOR",
            "USE",
            "FORCE",
            "IGNORE",
            "PARTITION",
        ];
        if self.is(at, "ONLY") {
            at += 1;
        }
        let is_name = |at: usize| {
            let kind = self.tokens.get(at).map(|token| token.kind);
            matches!(kind, Some(TokenKind::Word | TokenKind::QuotedName))
        };
        let start = at;
        while is_name(at) && self.word(at + 1) == "." {
            at += 2;
        }
        if !is_name(at) {
            return Err("the table to go through is not found".to_owned());
        }
        let name = (start..=at).map(|at| self.word(at)).collect::<String>();
        let mut alias = self.word(at);
        at += 1;
        if self.word(at) == "*" {
            at += 1;
        }
        let named = self.is(at, "AS");
        at += usize::from(named);
        if is_name(at) && (named || !NO_ALIAS.iter().any(|word| self.is(at, word))) {
            alias = self.word(at);
            at += 1;
        }
        Ok((name, alias.to_owned(), at))
    }
}

/// Returns where the token before a place ends, so that comments behind it are left out.
fn before_end(cutter: &Cutter<'_>, at: usize) -> u32 {
    let last = at.checked_sub(1).and_then(|at| cutter.tokens.get(at));
    last.map_or(cutter.span.start, |token| token.span.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{Section, ServerKind, Source, parse};

    fn declared(kind: ServerKind, text: &str) -> Vec<Declared> {
        let range = Span::new(0, u32::try_from(text.len()).unwrap());
        let section =
            Section { source: Source::new("m.sql", text), range, reading: Default::default() };
        batches(&parse(section, Server::of(kind)), Server::of(kind))
    }

    #[track_caller]
    fn check(kind: ServerKind, sql: &str, table: &str, expected: &str) {
        let found = declared(kind, &format!("-- lockwise: batch key=id\n{sql};"));
        let batch = found[0].batch.clone().unwrap();
        assert_eq!(batch.table, table);
        let range = format!("{}<RANGE {}>{}", batch.head, batch.column, batch.tail);
        assert_eq!(range, expected);
    }

    #[track_caller]
    fn refused(text: &str, why: &str) {
        let found = declared(ServerKind::Postgres, text);
        let error = found[0].batch.clone().unwrap_err();
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn the_range_joins_the_condition() {
        let pg = ServerKind::Postgres;
        check(
            pg,
            "UPDATE orders SET a = 1 WHERE b OR c -- why",
            "orders",
            "UPDATE orders SET a = 1 WHERE (b OR c) AND <RANGE orders.id>",
        );
        check(
            pg,
            "UPDATE ONLY shop.orders AS o SET a = (SELECT 1 FROM x WHERE y) FROM z RETURNING a",
            "shop.orders",
            "UPDATE ONLY shop.orders AS o SET a = (SELECT 1 FROM x WHERE y) FROM z WHERE \
             <RANGE o.id> RETURNING a",
        );
        check(
            pg,
            "WITH w AS (SELECT 1 WHERE true) DELETE FROM \"Orders\" USING w WHERE w.a = b",
            "\"Orders\"",
            "WITH w AS (SELECT 1 WHERE true) DELETE FROM \"Orders\" USING w WHERE (w.a = b) AND \
             <RANGE \"Orders\".id>",
        );
        check(
            pg,
            "INSERT INTO t (a) SELECT o.a FROM orders o JOIN p ON p.id = o.p WHERE p.x \
             ON CONFLICT (a) DO UPDATE SET a = 1 WHERE t.b",
            "orders",
            "INSERT INTO t (a) SELECT o.a FROM orders o JOIN p ON p.id = o.p WHERE (p.x) AND \
             <RANGE o.id> ON CONFLICT (a) DO UPDATE SET a = 1 WHERE t.b",
        );
        check(
            ServerKind::Mysql,
            "INSERT IGNORE INTO t SELECT * FROM `orders` ON DUPLICATE KEY UPDATE a = 1",
            "`orders`",
            "INSERT IGNORE INTO t SELECT * FROM `orders` WHERE <RANGE `orders`.id> ON DUPLICATE \
             KEY UPDATE a = 1",
        );
        check(
            ServerKind::Mariadb,
            "UPDATE IGNORE orders o JOIN p USING (q) SET o.a = p.a",
            "orders",
            "UPDATE IGNORE orders o JOIN p USING (q) SET o.a = p.a WHERE <RANGE o.id>",
        );
        check(
            ServerKind::Sqlite,
            "UPDATE OR IGNORE orders SET a = 1",
            "orders",
            "UPDATE OR IGNORE orders SET a = 1 WHERE <RANGE orders.id>",
        );
    }

    #[test]
    fn what_batches_would_change_is_refused() {
        let with = |sql: &str| format!("-- lockwise: batch key=id\n{sql};");
        refused(&with("UPDATE t SET id = id + 1"), "changes id");
        refused(&with("INSERT INTO t SELECT a FROM o GROUP BY a"), "GROUP");
        refused(&with("INSERT INTO t SELECT DISTINCT a FROM o"), "DISTINCT");
        refused(&with("INSERT INTO t SELECT a FROM o UNION SELECT a FROM p"), "UNION");
        refused(&with("INSERT INTO t VALUES (1)"), "only UPDATE");
        refused(&with("ALTER TABLE t ADD a int"), "only UPDATE");
        refused("UPDATE t SET a = 1;\n-- lockwise: batch key=id\n", "no statement follows");
    }

    #[test]
    fn words_are_read_strictly() {
        refused("-- lockwise: batch size=10\nUPDATE t SET a = 1", "key=id");
        refused("-- lockwise: batch key=id sise=10\nUPDATE t SET a = 1", "nearest: size");
        refused("-- lockwise: batch key=id size=0\nUPDATE t SET a = 1", "number of rows");
        refused("-- lockwise: batch key=id pause=5\nUPDATE t SET a = 1", "span of time");
        refused("-- lockwise: batch key=lower(a)\nUPDATE t SET a = 1", "one column");
        let all = "/* lockwise: batch key=id size=5, pause=0ms max_lag=10s max_lock=1s adapt=1s */\n\
                   UPDATE t SET a = 1";
        let batch = declared(ServerKind::Mysql, all)[0].batch.clone().unwrap();
        assert_eq!(batch.pace.size, 5);
        assert_eq!(batch.pace.max_lag, Some(Duration::from_secs(10)));
        assert_eq!(batch.pace.adapt, Some(Duration::from_secs(1)));
    }
}
