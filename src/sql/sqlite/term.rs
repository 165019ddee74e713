//! Expressions of SQLite, read into a tree.
//!
//! The operators and what binds tighter than what: <https://sqlite.org/lang_expr.html>, section 2.

use super::column::data_type;
use super::name::name;
use super::select;
use crate::sql::ast::{Call, Expr, InList, Operator, Sort, Term, TermKind, Tree, Window};
use crate::sql::cursor::{Cursor, Parsed, SyntaxError};
use crate::sql::expr;
use crate::sql::lexer::TokenKind;
use crate::sql::name::{Ident, ObjectName};

/// How deeply expressions and queries may be nested (`SQLITE_MAX_EXPR_DEPTH` is 1,000; this is
/// what a stack of ours stands).
const DEEPEST: usize = 120;

/// Binding powers of operators, weakest first.
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const EQUALITY: u8 = 4;
const ORDER: u8 = 5;
const ESCAPE: u8 = 6;
const BITS: u8 = 7;
const SUM: u8 = 8;
const PRODUCT: u8 = 9;
const CONCAT: u8 = 10;
const COLLATE: u8 = 11;
const SIGN: u8 = 12;

/// Takes an expression.
pub(super) fn term(c: &mut Cursor<'_>) -> Parsed<Term> {
    Reader { depth: 0 }.term(c, 0)
}

/// Takes what stands behind ORDER BY.
pub(super) fn sorts(c: &mut Cursor<'_>) -> Parsed<Vec<Sort>> {
    Reader { depth: 0 }.sorts(c)
}

/// Takes a window in parentheses, which are next.
pub(super) fn window(c: &mut Cursor<'_>) -> Parsed<Window> {
    Reader { depth: 0 }.window(c)
}

/// Takes an expression and returns the facts about it, its tree among them.
pub(super) fn expression(c: &mut Cursor<'_>) -> Parsed<Expr> {
    let start = c.position();
    let tree = Tree::of(term(c)?);
    Ok(Expr { tree, ..expr::facts(&c.sub(start, c.position())) })
}

/// Takes an expression in parentheses, which are next.
pub(super) fn in_parentheses(c: &mut Cursor<'_>) -> Parsed<Expr> {
    c.expect_symbol("(")?;
    let expression = expression(c)?;
    c.expect_symbol(")")?;
    Ok(expression)
}

/// Where a frame of a window begins or ends, in the order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    First,
    Before,
    Current,
    After,
    Last,
}

/// Reads expressions and counts how deeply they are nested.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    pub(super) depth: usize,
}

impl Reader {
    /// Goes one level deeper.
    pub(super) fn deeper(self, c: &Cursor<'_>) -> Parsed<Self> {
        if self.depth < DEEPEST {
            return Ok(Self { depth: self.depth + 1 });
        }
        let message = format!("nested more than {DEEPEST} levels deep");
        Err(SyntaxError { message, at: c.place() })
    }

    pub(super) fn terms(self, c: &mut Cursor<'_>) -> Parsed<Vec<Term>> {
        let mut terms = vec![self.term(c, 0)?];
        while c.accept_symbol(",") {
            terms.push(self.term(c, 0)?);
        }
        Ok(terms)
    }

    pub(super) fn sorts(self, c: &mut Cursor<'_>) -> Parsed<Vec<Sort>> {
        let mut sorts = Vec::new();
        loop {
            let term = self.term(c, 0)?;
            c.accept_any(&["ASC", "DESC"]);
            if c.accept(&["NULLS"]) && c.accept_any(&["FIRST", "LAST"]).is_none() {
                return Err(c.expected("FIRST or LAST"));
            }
            sorts.push(Sort { term });
            if !c.accept_symbol(",") {
                return Ok(sorts);
            }
        }
    }

    /// Takes an expression of operators that bind at least as tightly as `least`.
    pub(super) fn term(self, c: &mut Cursor<'_>, least: u8) -> Parsed<Term> {
        let inner = self.deeper(c)?;
        let start = c.position();
        let mut left = inner.prefix(c)?;
        loop {
            left.span = c.span_from(start);
            let Some((power, operator)) = infix(c).filter(|(power, _)| *power >= least) else {
                return Ok(left);
            };
            let kind = inner.behind(c, left, power, operator)?;
            left = Term { span: c.span_from(start), kind };
        }
    }

    fn prefix(self, c: &mut Cursor<'_>) -> Parsed<Term> {
        let start = c.position();
        let made = |c: &Cursor<'_>, kind| Term { span: c.span_from(start), kind };
        if c.accept(&["NOT"]) {
            let operand = self.term(c, NOT)?;
            return Ok(made(c, TermKind::Apply(Operator::Plain, vec![operand])));
        }
        if let Some(sign) = ["-", "+", "~"].into_iter().find(|sign| c.accept_symbol(sign)) {
            let operand = self.term(c, SIGN)?;
            let kind = match (sign, operand.kind) {
                ("-", TermKind::Integer(number)) => TermKind::Integer(-number),
                ("+", TermKind::Integer(number)) => TermKind::Integer(number),
                (_, kind) => {
                    let operand = Term { kind, ..operand };
                    TermKind::Apply(Operator::Plain, vec![operand])
                }
            };
            return Ok(made(c, kind));
        }
        let kind = self.primary(c)?;
        Ok(made(c, kind))
    }

    fn primary(self, c: &mut Cursor<'_>) -> Parsed<TermKind> {
        let Some(token) = c.peek() else { return Err(c.expected("an expression")) };
        let text = c.slice(token.span);
        match token.kind {
            TokenKind::Punctuation if text == "(" => self.parentheses(c),
            TokenKind::Punctuation => Err(c.expected("an expression")),
            TokenKind::Number => {
                c.advance();
                Ok(text.parse().map_or(TermKind::Literal, TermKind::Integer))
            }
            TokenKind::String if c.text_at(1) != "." => {
                c.advance();
                Ok(TermKind::Literal)
            }
            TokenKind::Parameter if c.at_placeholder() => {
                self.named(c)?;
                Ok(TermKind::Filled)
            }
            TokenKind::Parameter => {
                c.advance();
                let end = token.span.end;
                // `?1` is one parameter.
                if c.peek().is_some_and(|t| t.kind == TokenKind::Number && t.span.start == end) {
                    c.advance();
                }
                Ok(TermKind::Parameter)
            }
            TokenKind::Operator if text == "@" => {
                c.advance();
                name(c)?;
                Ok(TermKind::Parameter)
            }
            TokenKind::Word if text.starts_with('$') => {
                c.advance();
                Ok(TermKind::Parameter)
            }
            TokenKind::Word => self.word(c),
            TokenKind::QuotedName | TokenKind::String => self.named(c),
            TokenKind::DollarString
            | TokenKind::Operator
            | TokenKind::Variable
            | TokenKind::Comment
            | TokenKind::Unterminated
            | TokenKind::Stray => Err(c.expected("an expression")),
        }
    }

    /// `(a)`, `(a, b)`, `(SELECT …)`.
    fn parentheses(self, c: &mut Cursor<'_>) -> Parsed<TermKind> {
        c.expect_symbol("(")?;
        if select::at_select(c) {
            let query = select::select(c, self)?;
            c.expect_symbol(")")?;
            return Ok(TermKind::Select(Box::new(query)));
        }
        let mut terms = self.terms(c)?;
        c.expect_symbol(")")?;
        Ok(match terms.pop() {
            Some(only) if terms.is_empty() => only.kind,
            last => {
                terms.extend(last);
                TermKind::Row(terms)
            }
        })
    }

    fn word(self, c: &mut Cursor<'_>) -> Parsed<TermKind> {
        if c.accept(&["NULL"]) {
            return Ok(TermKind::Null);
        }
        let clock = ["CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME"];
        if c.text_at(1) != "(" && clock.iter().any(|word| c.at(&[word])) {
            let clock = Ident::new(c.text_at(0).to_ascii_lowercase(), c.place());
            c.advance();
            return Ok(TermKind::Call(Box::new(Call::of(clock, Vec::new()))));
        }
        if c.accept(&["CASE"]) {
            return self.case(c);
        }
        let called = c.text_at(1) == "(";
        if called && c.accept(&["CAST"]) {
            c.expect_symbol("(")?;
            let term = self.term(c, 0)?;
            c.expect(&["AS"])?;
            let data_type = data_type(c)?;
            c.expect_symbol(")")?;
            return Ok(TermKind::Cast(Box::new(term), data_type));
        }
        if called && c.accept(&["EXISTS"]) {
            c.expect_symbol("(")?;
            let query = select::select(c, self)?;
            c.expect_symbol(")")?;
            return Ok(TermKind::Exists(Box::new(query)));
        }
        if called && c.accept(&["RAISE"]) {
            return self.raise(c);
        }
        self.named(c)
    }

    fn raise(self, c: &mut Cursor<'_>) -> Parsed<TermKind> {
        c.expect_symbol("(")?;
        let message = if c.accept(&["IGNORE"]) {
            None
        } else if c.accept_any(&["ROLLBACK", "ABORT", "FAIL"]).is_some() {
            c.expect_symbol(",")?;
            // Since 3.47 it is any expression (sqlite.org/releaselog/3_47_0.html), before that a
            // string or a name.
            if c.server().version.at_least(3, 47, 0) {
                Some(Box::new(self.term(c, 0)?))
            } else {
                let start = c.position();
                name(c)?;
                Some(Box::new(Term { span: c.span_from(start), kind: TermKind::Literal }))
            }
        } else {
            return Err(c.expected("IGNORE, ROLLBACK, ABORT or FAIL"));
        };
        c.expect_symbol(")")?;
        Ok(TermKind::Raise(message))
    }

    fn case(self, c: &mut Cursor<'_>) -> Parsed<TermKind> {
        let mut parts = Vec::new();
        if !c.at(&["WHEN"]) {
            parts.push(self.term(c, 0)?);
        }
        while c.accept(&["WHEN"]) {
            parts.push(self.term(c, 0)?);
            c.expect(&["THEN"])?;
            parts.push(self.term(c, 0)?);
        }
        if c.accept(&["ELSE"]) {
            parts.push(self.term(c, 0)?);
        }
        c.expect(&["END"])?;
        Ok(TermKind::Apply(Operator::Case, parts))
    }

    /// A column, or a function with its arguments.
    fn named(self, c: &mut Cursor<'_>) -> Parsed<TermKind> {
        let quoted = c.text_at(0).starts_with('"') && c.text_at(1) != ".";
        let first = name(c)?;
        if c.at_symbol("(") && !quoted_by_string(c) {
            return self.call(c, first);
        }
        let mut path = vec![first];
        while path.len() < 3 && c.accept_symbol(".") {
            path.push(name(c)?);
        }
        Ok(TermKind::Column { path, quoted })
    }

    fn call(self, c: &mut Cursor<'_>, function: Ident) -> Parsed<TermKind> {
        let mut call = Call::of(function, Vec::new());
        c.expect_symbol("(")?;
        if c.accept_symbol("*") {
            call.star = true;
        } else if !c.at_symbol(")") {
            call.distinct = c.accept_any(&["DISTINCT", "ALL"]) == Some("DISTINCT");
            call.arguments = self.terms(c)?;
            // Since 3.44 (sqlite.org/lang_aggfunc.html, section 2).
            if c.server().version.at_least(3, 44, 0) && c.accept(&["ORDER", "BY"]) {
                call.order_by = self.sorts(c)?;
            }
        }
        c.expect_symbol(")")?;
        if c.at(&["FILTER"]) && c.text_at(1) == "(" {
            c.advance();
            c.expect_symbol("(")?;
            c.expect(&["WHERE"])?;
            call.filter = Some(self.term(c, 0)?);
            c.expect_symbol(")")?;
        }
        let over = c.at(&["OVER"]) && (c.text_at(1) == "(" || starts_name(c, 1));
        if over && c.accept(&["OVER"]) {
            call.over = Some(if c.at_symbol("(") {
                self.window(c)?
            } else {
                Window { base: Some(name(c)?), ..Window::default() }
            });
        }
        Ok(TermKind::Call(Box::new(call)))
    }

    fn window(self, c: &mut Cursor<'_>) -> Parsed<Window> {
        let mut window = Window::default();
        c.expect_symbol("(")?;
        let clause = ["PARTITION", "ORDER", "RANGE", "ROWS", "GROUPS"];
        if !c.at_symbol(")") && !clause.iter().any(|word| c.at(&[word])) {
            window.base = Some(name(c)?);
        }
        if c.accept(&["PARTITION", "BY"]) {
            window.partition_by = self.terms(c)?;
        }
        if c.accept(&["ORDER", "BY"]) {
            window.order_by = self.sorts(c)?;
        }
        let unit = c.accept_any(&["RANGE", "ROWS", "GROUPS"]);
        if unit.is_some() {
            let between = c.accept(&["BETWEEN"]);
            let first = self.bound(c, &mut window)?;
            if between {
                c.expect(&["AND"])?;
                let last = self.bound(c, &mut window)?;
                if first > last || first == Bound::Last || last == Bound::First {
                    return Err(
                        c.expected("a frame that SQLite supports: it ends before it begins")
                    );
                }
            } else if first > Bound::Current {
                return Err(c.expected("a frame that begins at or before the current row"));
            }
            self.exclude(c)?;
        }
        // sqlite.org/windowfunctions.html, section 2.2.1
        let sorted = window.order_by.len();
        if window.base.is_none()
            && unit == Some("RANGE")
            && sorted != 1
            && !window.bounds.is_empty()
        {
            return Err(c.expected("one ORDER BY expression, as RANGE with an offset requires"));
        }
        if window.base.is_none() && unit == Some("GROUPS") && sorted == 0 {
            return Err(c.expected("ORDER BY, as GROUPS requires"));
        }
        c.expect_symbol(")")?;
        Ok(window)
    }

    fn bound(self, c: &mut Cursor<'_>, window: &mut Window) -> Parsed<Bound> {
        if c.accept(&["CURRENT", "ROW"]) {
            return Ok(Bound::Current);
        }
        let whole = c.accept(&["UNBOUNDED"]);
        if !whole {
            window.bounds.push(self.term(c, NOT)?);
        }
        match (c.accept_any(&["PRECEDING", "FOLLOWING"]), whole) {
            (Some("PRECEDING"), true) => Ok(Bound::First),
            (Some("PRECEDING"), false) => Ok(Bound::Before),
            (Some(_), false) => Ok(Bound::After),
            (Some(_), true) => Ok(Bound::Last),
            (None, _) => Err(c.expected("PRECEDING or FOLLOWING")),
        }
    }

    fn exclude(self, c: &mut Cursor<'_>) -> Parsed<()> {
        if !c.accept(&["EXCLUDE"]) {
            return Ok(());
        }
        let known = c.accept(&["NO", "OTHERS"])
            || c.accept(&["CURRENT", "ROW"])
            || c.accept_any(&["GROUP", "TIES"]).is_some();
        if known { Ok(()) } else { Err(c.expected("NO OTHERS, CURRENT ROW, GROUP or TIES")) }
    }

    /// Takes an infix or postfix operator that [`infix`] found, and what stands behind it.
    fn behind(
        self,
        c: &mut Cursor<'_>,
        left: Term,
        power: u8,
        operator: Infix,
    ) -> Parsed<TermKind> {
        match operator {
            Infix::Plain | Infix::Compare => {
                c.advance();
                let right = self.term(c, power + 1)?;
                let kind =
                    if operator == Infix::Compare { Operator::Compare } else { Operator::Plain };
                Ok(TermKind::Apply(kind, vec![left, right]))
            }
            Infix::Json => {
                let arrow = Ident::new(c.text_at(0), c.place());
                c.advance();
                let right = self.term(c, power + 1)?;
                Ok(TermKind::Call(Box::new(Call::of(arrow, vec![left, right]))))
            }
            Infix::Is => {
                c.expect(&["IS"])?;
                let negated = c.accept(&["NOT"]);
                let distinct = c.at(&["DISTINCT", "FROM"]) && c.server().version.at_least(3, 39, 0);
                if distinct {
                    c.accept(&["DISTINCT", "FROM"]);
                }
                if !negated && !distinct && c.accept(&["NULL"]) {
                    return Ok(TermKind::Apply(Operator::Plain, vec![left]));
                }
                let right = self.term(c, power + 1)?;
                Ok(TermKind::Apply(Operator::Compare, vec![left, right]))
            }
            Infix::Null => {
                if c.accept(&["NOT"]) {
                    c.expect(&["NULL"])?;
                } else {
                    c.advance();
                }
                Ok(TermKind::Apply(Operator::Plain, vec![left]))
            }
            Infix::Collate => {
                c.expect(&["COLLATE"])?;
                Ok(TermKind::Collate(Box::new(left), name(c)?))
            }
            Infix::Word => self.behind_word(c, left),
        }
    }

    /// `[NOT] BETWEEN`, `[NOT] IN`, `[NOT] LIKE …`.
    fn behind_word(self, c: &mut Cursor<'_>, left: Term) -> Parsed<TermKind> {
        c.accept(&["NOT"]);
        if c.accept(&["BETWEEN"]) {
            let low = self.term(c, NOT)?;
            c.expect(&["AND"])?;
            let high = self.term(c, ORDER)?;
            return Ok(TermKind::Apply(Operator::Between, vec![left, low, high]));
        }
        if c.accept(&["IN"]) {
            return Ok(TermKind::In(Box::new(left), self.in_list(c)?));
        }
        let word = c.text_at(0).to_ascii_lowercase();
        let like = Ident::new(word, c.place());
        c.advance();
        let mut arguments = vec![self.term(c, ORDER)?, left];
        if c.accept(&["ESCAPE"]) {
            arguments.push(self.term(c, ESCAPE + 1)?);
        }
        Ok(TermKind::Call(Box::new(Call::of(like, arguments))))
    }

    fn in_list(self, c: &mut Cursor<'_>) -> Parsed<InList> {
        if !c.at_symbol("(") {
            let mut parts = vec![name(c)?];
            if c.accept_symbol(".") {
                parts.push(name(c)?);
            }
            let arguments = if c.at_symbol("(") { self.arguments(c)? } else { Vec::new() };
            return Ok(InList::Table(ObjectName { parts }, arguments));
        }
        if c.text_at(1).eq_ignore_ascii_case("select")
            || c.text_at(1).eq_ignore_ascii_case("values")
            || c.text_at(1).eq_ignore_ascii_case("with")
        {
            c.expect_symbol("(")?;
            let query = select::select(c, self)?;
            c.expect_symbol(")")?;
            return Ok(InList::Select(Box::new(query)));
        }
        Ok(InList::Terms(self.arguments(c)?))
    }

    /// Takes expressions in parentheses, or nothing in them.
    pub(super) fn arguments(self, c: &mut Cursor<'_>) -> Parsed<Vec<Term>> {
        c.expect_symbol("(")?;
        let terms = if c.at_symbol(")") { Vec::new() } else { self.terms(c)? };
        c.expect_symbol(")")?;
        Ok(terms)
    }
}

/// The ways in which an operator goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Infix {
    Plain,
    Json,
    Compare,
    Is,
    Null,
    Collate,
    Word,
}

/// Returns the operator that is next behind an expression, and how tightly it binds.
fn infix(c: &Cursor<'_>) -> Option<(u8, Infix)> {
    let token = c.peek()?;
    let text = c.slice(token.span);
    if token.kind == TokenKind::Operator {
        return match text {
            "=" | "==" | "<>" | "!=" => Some((EQUALITY, Infix::Compare)),
            "<" | "<=" | ">" | ">=" => Some((ORDER, Infix::Compare)),
            "&" | "|" | "<<" | ">>" => Some((BITS, Infix::Plain)),
            "+" | "-" => Some((SUM, Infix::Plain)),
            "*" | "/" | "%" => Some((PRODUCT, Infix::Plain)),
            "||" => Some((CONCAT, Infix::Plain)),
            // Since 3.38 (sqlite.org/json1.html, section 4.10).
            "->" | "->>" if c.server().version.at_least(3, 38, 0) => Some((CONCAT, Infix::Json)),
            _ => None,
        };
    }
    if token.kind != TokenKind::Word {
        return None;
    }
    let words: [(&[&str], u8, Infix); 14] = [
        (&["OR"], OR, Infix::Plain),
        (&["AND"], AND, Infix::Plain),
        (&["IS"], EQUALITY, Infix::Is),
        (&["ISNULL"], EQUALITY, Infix::Null),
        (&["NOTNULL"], EQUALITY, Infix::Null),
        (&["NOT", "NULL"], EQUALITY, Infix::Null),
        (&["BETWEEN"], EQUALITY, Infix::Word),
        (&["IN"], EQUALITY, Infix::Word),
        (&["LIKE"], EQUALITY, Infix::Word),
        (&["GLOB"], EQUALITY, Infix::Word),
        (&["REGEXP"], EQUALITY, Infix::Word),
        (&["MATCH"], EQUALITY, Infix::Word),
        (&["NOT"], EQUALITY, Infix::Word),
        (&["COLLATE"], COLLATE, Infix::Collate),
    ];
    let (found, power, operator) = words.into_iter().find(|(words, _, _)| c.at(words))?;
    let negated = found == ["NOT"].as_slice();
    let predicate = ["BETWEEN", "IN", "LIKE", "GLOB", "REGEXP", "MATCH"];
    let stray = negated && !predicate.iter().any(|word| c.text_at(1).eq_ignore_ascii_case(word));
    (!stray).then_some((power, operator))
}

fn quoted_by_string(c: &Cursor<'_>) -> bool {
    c.slice(c.last_span()).starts_with('\'')
}

/// Says whether a token ahead can be a name.
fn starts_name(c: &Cursor<'_>, ahead: usize) -> bool {
    c.peek_at(ahead)
        .is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedName))
}
