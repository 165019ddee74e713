//! A walk over the tokens of a query that knows where relations, aliases and columns stand.

use crate::sql::ast::{Expr, Query};
use crate::sql::cursor::{Cursor, Parsed, SyntaxError};
use crate::sql::expr;
use crate::sql::lexer::TokenKind;
use crate::sql::name::ObjectName;
use crate::sql::source::Span;

/// How deeply parentheses may be nested.
const DEEPEST: u16 = 200;

/// What has been found so far.
#[derive(Debug, Default)]
pub(super) struct Walk {
    query: Query,
    /// Columns and functions.
    facts: Expr,
    /// Names of WITH clauses in force.
    with: Vec<String>,
    /// Relations in FROM clauses in force, by the names they go by.
    pub(super) sources: Vec<(String, ObjectName)>,
    depth: u16,
}

/// What stands around the tokens walked over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// A query.
    Query,
    /// The arguments of a function in which FROM and FOR are separators: `EXTRACT(YEAR FROM d)`.
    Separated,
    /// CAST, whose AS is followed by a type.
    Cast,
    /// Anything else.
    Expression,
}

impl Walk {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Returns the facts as those of a query at a place.
    pub(super) fn finish(self, span: Span) -> Query {
        let Expr { columns, functions, .. } = self.facts;
        Query { span, columns, functions, ..self.query }
    }

    fn enter(&mut self, c: &Cursor<'_>) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let message = format!("nested more than {DEEPEST} levels deep");
            return Err(SyntaxError { message, at: c.place() });
        }
        Ok(())
    }

    /// Says whether a query begins here, parentheses around it not counted.
    pub(super) fn at_query(c: &Cursor<'_>) -> bool {
        let mut ahead = 0;
        while c.text_at(ahead) == "(" {
            ahead += 1;
        }
        let word = c.text_at(ahead);
        let known = ["SELECT", "WITH", "VALUES", "TABLE", "VALUE"];
        known.iter().any(|known| word.eq_ignore_ascii_case(known))
    }

    /// Walks over a query up to the end, a closing parenthesis, or what ends an INSERT … SELECT.
    pub(super) fn query(&mut self, c: &mut Cursor<'_>) -> Parsed<()> {
        self.enter(c)?;
        let (with, sources) = (self.with.len(), self.sources.len());
        if c.at(&["WITH"]) {
            self.with_clause(c)?;
        }
        if !Self::at_query(c) {
            return Err(c.expected("SELECT, VALUES, TABLE or WITH"));
        }
        self.expressions(c, Inside::Query)?;
        self.with.truncate(with);
        self.sources.truncate(sources);
        self.depth -= 1;
        Ok(())
    }

    /// Walks over `WITH name AS (…), …`, which is next. The names stay in force.
    pub(super) fn with_clause(&mut self, c: &mut Cursor<'_>) -> Parsed<()> {
        c.expect(&["WITH"])?;
        c.accept(&["RECURSIVE"]);
        loop {
            let name = c.ident()?;
            self.with.push(name.value.to_lowercase());
            if c.at_symbol("(") {
                c.ident_list()?;
            }
            c.expect(&["AS"])?;
            c.accept(&["NOT"]);
            c.accept(&["MATERIALIZED"]);
            c.expect_symbol("(")?;
            self.query(c)?;
            self.close(c)?;
            if !c.accept_symbol(",") {
                return Ok(());
            }
        }
    }

    fn close(&mut self, c: &mut Cursor<'_>) -> Parsed<()> {
        if c.is_at_end() {
            return Err(unclosed(c));
        }
        c.expect_symbol(")")
    }

    /// Walks over expressions and clauses up to a closing parenthesis, the end, or `ON CONFLICT`
    /// and `ON DUPLICATE KEY`.
    fn expressions(&mut self, c: &mut Cursor<'_>, inside: Inside) -> Parsed<()> {
        let start = c.position();
        while let Some(token) = c.peek() {
            if token.kind == TokenKind::Unterminated {
                return Err(c.expected("the end of a quote or comment"));
            }
            if c.at_symbol(")") || at_conflict(c) {
                break;
            }
            if inside == Inside::Query && c.at(&["SELECT"]) {
                self.select(c)?;
            } else if inside != Inside::Separated && c.at(&["FROM"]) && !after_distinct(c) {
                c.advance();
                self.relations(c)?;
            } else if join(c) {
                self.factor(c)?;
            } else if inside == Inside::Query && c.at(&["TABLE"]) {
                c.advance();
                self.query.star = true;
                self.relation(c)?;
            } else if at_lock(c) {
                self.lock(c)?;
            } else if c.at(&["AS"]) && inside != Inside::Cast {
                c.advance();
                // An alias, unless it is the frame in `WINDOW w AS (…)`.
                if !c.at_symbol("(") {
                    c.advance();
                }
            } else if c.at_symbol("(") {
                self.parentheses(c, start)?;
            } else {
                expr::step(c, &mut self.facts);
            }
        }
        Ok(())
    }

    /// Takes SELECT and the words behind it; an expression must follow.
    fn select(&mut self, c: &mut Cursor<'_>) -> Parsed<()> {
        c.expect(&["SELECT"])?;
        while c
            .accept_any(&[
                "ALL",
                "DISTINCT",
                "DISTINCTROW",
                "HIGH_PRIORITY",
                "STRAIGHT_JOIN",
                "SQL_SMALL_RESULT",
                "SQL_BIG_RESULT",
                "SQL_BUFFER_RESULT",
                "SQL_NO_CACHE",
                "SQL_CACHE",
                "SQL_CALC_FOUND_ROWS",
            ])
            .is_some()
        {}
        let nothing = c.is_at_end() || c.at_symbol(",") || c.at_symbol(")") || c.at(&["FROM"]);
        if nothing {
            return Err(c.expected("an expression"));
        }
        self.stars(c);
        Ok(())
    }

    /// Looks for `*` and `t.*` in the select list ahead.
    fn stars(&mut self, c: &Cursor<'_>) {
        let mut ahead = c.clone();
        let (mut depth, mut operand) = (0_i32, false);
        while let Some(token) = ahead.advance() {
            let text = ahead.slice(token.span);
            match text {
                "(" => depth += 1,
                ")" => depth -= 1,
                "*" if depth == 0 && !operand => self.query.star = true,
                _ => {}
            }
            if depth < 0 || (depth == 0 && text.eq_ignore_ascii_case("from")) {
                return;
            }
            // `a * b` multiplies; `, *` and `t.*` do not.
            operand = !matches!(text, "," | ".") && token.kind != TokenKind::Operator;
        }
    }

    /// Takes parentheses: a query, arguments, or an expression.
    fn parentheses(&mut self, c: &mut Cursor<'_>, start: usize) -> Parsed<()> {
        let before = if c.position() > start { c.slice(c.last_span()) } else { "" };
        let is = |words: &[&str]| words.iter().any(|word| before.eq_ignore_ascii_case(word));
        let opening = c.place();
        let query = c.text_at(1).eq_ignore_ascii_case("select")
            || c.text_at(1).eq_ignore_ascii_case("with")
            || Self::at_query(c);
        let inside = if is(&["EXTRACT", "TRIM", "SUBSTRING", "SUBSTR", "MID", "POSITION"]) {
            Inside::Separated
        } else if is(&["CAST", "CONVERT", "TRY_CAST"]) {
            Inside::Cast
        } else {
            Inside::Expression
        };
        c.expect_symbol("(")?;
        self.enter(c)?;
        if query && inside == Inside::Expression {
            let sources = self.sources.len();
            self.query(c)?;
            self.sources.truncate(sources);
        } else {
            self.expressions(c, inside)?;
        }
        self.depth -= 1;
        if c.is_at_end() {
            let message = "a parenthesis is never closed".to_owned();
            return Err(SyntaxError { message, at: opening });
        }
        c.expect_symbol(")")
    }

    /// Takes relations, separated by commas and joins.
    pub(super) fn relations(&mut self, c: &mut Cursor<'_>) -> Parsed<()> {
        self.factor(c)?;
        loop {
            if c.accept_symbol(",") || join(c) {
                self.factor(c)?;
            } else if c.at(&["ON"]) && !at_conflict(c) {
                c.advance();
                self.condition(c)?;
            } else if c.accept(&["USING"]) {
                for column in c.ident_list()? {
                    self.column(column.as_str());
                }
            } else {
                return Ok(());
            }
        }
    }

    fn column(&mut self, name: &str) {
        if !self.facts.columns.iter().any(|known| known == name) {
            self.facts.columns.push(name.to_owned());
        }
    }

    /// Walks over a join condition up to the next join or clause.
    fn condition(&mut self, c: &mut Cursor<'_>) -> Parsed<()> {
        let start = c.position();
        while !c.is_at_end() {
            if at_clause(c) || c.at_symbol(")") || c.at_symbol(",") || at_join(c) {
                break;
            }
            if c.at_symbol("(") {
                self.parentheses(c, start)?;
            } else {
                expr::step(c, &mut self.facts);
            }
        }
        if c.position() == start { Err(c.expected("a condition")) } else { Ok(()) }
    }

    /// Takes one relation with its alias: a name, a query, a function, parentheses.
    fn factor(&mut self, c: &mut Cursor<'_>) -> Parsed<()> {
        c.accept(&["LATERAL"]);
        if c.at_symbol("(") {
            let opening = c.clone();
            c.advance();
            self.enter(c)?;
            if Self::at_query(c) && !c.at_symbol("(") {
                self.query(c)?;
            } else {
                self.relations(c)?;
                // `((SELECT 1) UNION (SELECT 2))` shows late that it is a query.
                self.expressions(c, Inside::Query)?;
            }
            self.depth -= 1;
            if c.is_at_end() {
                return Err(unclosed(&opening));
            }
            c.expect_symbol(")")?;
            alias(c)?;
            return Ok(());
        }
        if c.at_name() && c.text_at(1) == "(" {
            let start = c.position();
            expr::step(c, &mut self.facts);
            self.parentheses(c, start)?;
            alias(c)?;
            return Ok(());
        }
        self.relation(c)
    }

    /// Takes the name of a relation, what MySQL allows behind it, and an alias.
    fn relation(&mut self, c: &mut Cursor<'_>) -> Parsed<()> {
        if at_clause(c) {
            return Err(c.expected("a table name"));
        }
        let name = c.object_name()?;
        if c.accept(&["PARTITION"]) {
            c.ident_list()?;
        }
        // MariaDB: `FOR SYSTEM_TIME AS OF …`.
        if c.accept(&["FOR", "SYSTEM_TIME"]) {
            while !c.is_at_end() && !at_clause(c) && !c.at_symbol(",") && !c.at_symbol(")") {
                if c.at_symbol("(") {
                    c.parentheses()?;
                } else {
                    c.advance();
                }
            }
        }
        let known_as = alias(c)?.unwrap_or_else(|| name.name().to_owned());
        hints(c)?;
        self.read(&name);
        self.sources.push((known_as, name));
        Ok(())
    }

    /// Forgets the relations read so far: they are the ones changed.
    pub(super) fn forget_reads(&mut self) {
        self.query.reads.clear();
    }

    /// Notes relations that are read in an order of rows, or up to a number of them.
    pub(super) fn read_all(&mut self, names: &[ObjectName]) {
        for name in names {
            self.read(name);
        }
    }

    fn is_with(&self, name: &ObjectName) -> bool {
        let bare = name.parts.len() == 1;
        bare && self.with.contains(&name.name().to_lowercase())
    }

    fn read(&mut self, name: &ObjectName) {
        if !self.is_with(name) && !holds(&self.query.reads, name) {
            self.query.reads.push(name.clone());
        }
    }

    /// Takes `FOR UPDATE [OF t] …`, `FOR SHARE`, `LOCK IN SHARE MODE`, which is next.
    fn lock(&mut self, c: &mut Cursor<'_>) -> Parsed<()> {
        let mut of = Vec::new();
        if c.accept(&["LOCK", "IN", "SHARE", "MODE"]) {
        } else {
            c.expect(&["FOR"])?;
            c.accept_any(&["UPDATE", "SHARE"]);
            if c.accept(&["OF"]) {
                of = c.object_names()?;
            }
        }
        if c.accept(&["WAIT"]) {
            c.advance();
        } else if !c.accept(&["NOWAIT"]) {
            c.accept(&["SKIP", "LOCKED"]);
        }
        for (alias, name) in &self.sources {
            let meant = of.is_empty() || of.iter().any(|of| of.name() == alias);
            let with = name.parts.len() == 1 && self.with.contains(&name.name().to_lowercase());
            if meant && !with && !holds(&self.query.row_locks, name) {
                self.query.row_locks.push(name.clone());
            }
        }
        Ok(())
    }

    /// Walks over what is left: conditions, assignments, ORDER BY. Commas and clauses included.
    pub(super) fn rest(
        &mut self,
        c: &mut Cursor<'_>,
        stop: impl Fn(&Cursor<'_>) -> bool,
    ) -> Parsed<()> {
        let start = c.position();
        while !c.is_at_end() && !stop(c) {
            if c.peek().is_some_and(|token| token.kind == TokenKind::Unterminated) {
                return Err(c.expected("the end of a quote or comment"));
            }
            if c.at_symbol("(") {
                self.parentheses(c, start)?;
            } else if c.at_symbol(")") {
                return Err(c.expected("the end of the statement"));
            } else {
                expr::step(c, &mut self.facts);
            }
        }
        Ok(())
    }
}

fn unclosed(c: &Cursor<'_>) -> SyntaxError {
    SyntaxError { message: "a parenthesis is never closed".to_owned(), at: c.place() }
}

fn holds(names: &[ObjectName], name: &ObjectName) -> bool {
    let values = |name: &ObjectName| name.parts.iter().map(|p| p.value.clone()).collect::<Vec<_>>();
    names.iter().any(|known| values(known) == values(name))
}

/// `IS [NOT] DISTINCT FROM` compares.
fn after_distinct(c: &Cursor<'_>) -> bool {
    c.slice(c.last_span()).eq_ignore_ascii_case("distinct")
}

fn at_lock(c: &Cursor<'_>) -> bool {
    c.at(&["FOR", "UPDATE"]) || c.at(&["FOR", "SHARE"]) || c.at(&["LOCK", "IN", "SHARE", "MODE"])
}

/// Says whether the clause begins that says what happens to duplicates.
pub(super) fn at_conflict(c: &Cursor<'_>) -> bool {
    c.at(&["ON", "CONFLICT"]) || c.at(&["ON", "DUPLICATE", "KEY"]) || c.at(&["RETURNING"])
}

/// Says whether a clause begins that ends a list of relations.
fn at_clause(c: &Cursor<'_>) -> bool {
    [
        "WHERE",
        "GROUP",
        "HAVING",
        "ORDER",
        "LIMIT",
        "UNION",
        "INTERSECT",
        "EXCEPT",
        "SET",
        "WINDOW",
        "FOR",
        "LOCK",
        "PROCEDURE",
        "INTO",
        "OFFSET",
        "FETCH",
        "RETURNING",
        "QUALIFY",
    ]
    .iter()
    .any(|word| c.at(&[word]))
        || at_conflict(c)
}

const JOINS: &[&str] =
    &["JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "STRAIGHT_JOIN"];

/// Says whether a join begins; `LEFT(a, 1)` is a function.
fn at_join(c: &Cursor<'_>) -> bool {
    JOINS.iter().any(|word| c.at(&[word])) && c.text_at(1) != "("
        || (c.at(&["JOIN"]) || c.at(&["STRAIGHT_JOIN"]))
}

/// Takes the words of a join up to JOIN.
fn join(c: &mut Cursor<'_>) -> bool {
    let start = c.position();
    if c.accept(&["STRAIGHT_JOIN"]) {
        return true;
    }
    while c.accept_any(&["NATURAL", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "OUTER"]).is_some() {
    }
    if c.accept(&["JOIN"]) {
        return true;
    }
    c.reset(start);
    false
}

/// Takes `[AS] alias [(columns)]`, where it is next.
fn alias(c: &mut Cursor<'_>) -> Parsed<Option<String>> {
    let written = c.accept(&["AS"]);
    let word =
        ["ON", "USING", "USE", "FORCE", "IGNORE", "TABLESAMPLE", "INDEXED", "NOT", "PARTITION"];
    let taken = at_clause(c) || at_join(c) || word.iter().any(|word| c.at(&[word]));
    let string = c.peek().is_some_and(|token| token.kind == TokenKind::String);
    if !written && (taken || !c.at_name()) {
        return Ok(None);
    }
    let alias = if string { c.string()? } else { c.ident()?.value };
    if c.at_symbol("(") {
        c.parentheses()?;
    }
    Ok(Some(alias))
}

/// Takes `USE INDEX (…)`, `INDEXED BY …` and their like.
fn hints(c: &mut Cursor<'_>) -> Parsed<()> {
    loop {
        if c.accept(&["INDEXED", "BY"]) {
            c.ident()?;
        } else if c.accept(&["NOT", "INDEXED"]) {
        } else if c.accept_any(&["USE", "FORCE", "IGNORE"]).is_some() {
            if c.accept_any(&["INDEX", "KEY"]).is_none() {
                return Err(c.expected("INDEX"));
            }
            if c.accept(&["FOR"]) {
                c.accept_any(&["JOIN", "ORDER", "GROUP"]);
                c.accept(&["BY"]);
            }
            c.parentheses()?;
            c.accept_symbol(",");
        } else {
            return Ok(());
        }
    }
}
