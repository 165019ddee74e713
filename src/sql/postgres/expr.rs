//! Expressions: where they end, and what they name and call.
//!
//! Operators of one level are read in a loop, since nothing here depends on precedence. What the
//! server's grammar refuses is refused, so that a misspelt clause behind an expression is not
//! taken for a part of it.

use super::found::Found;
use super::{call, names, select, types};
use crate::sql::ast::Expr;
use crate::sql::cursor::{Cursor, Parsed, SyntaxError};
use crate::sql::lexer::{Token, TokenKind};

/// How much of the grammar an expression may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// Everything.
    Full,
    /// What DEFAULT allows: no AND, OR, NOT, IN, LIKE, BETWEEN, IS NULL outside of parentheses.
    Restricted,
}

/// Takes an expression.
pub(super) fn a_expr(c: &mut Cursor<'_>) -> Parsed<Expr> {
    let (start, mut found) = (c.position(), Found::default());
    walk(c, &mut found, Level::Full)?;
    Ok(found.into_expr(c, start))
}

/// Takes an expression as DEFAULT allows it.
pub(super) fn b_expr(c: &mut Cursor<'_>) -> Parsed<Expr> {
    let (start, mut found) = (c.position(), Found::default());
    walk(c, &mut found, Level::Restricted)?;
    Ok(found.into_expr(c, start))
}

/// Takes an expression in parentheses; its span leaves them out.
pub(super) fn in_parentheses(c: &mut Cursor<'_>) -> Parsed<Expr> {
    c.expect_symbol("(")?;
    let expr = a_expr(c)?;
    c.expect_symbol(")")?;
    Ok(expr)
}

/// Takes a function call or another expression that needs no parentheses as an index key.
pub(super) fn call_like(c: &mut Cursor<'_>) -> Parsed<Expr> {
    let (start, mut found) = (c.position(), Found::default());
    primary(c, &mut found)?;
    Ok(found.into_expr(c, start))
}

/// Walks over a full expression.
pub(super) fn full(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    walk(c, f, Level::Full)
}

/// Walks over full expressions separated by commas.
pub(super) fn full_list(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    full(c, f)?;
    while c.accept_symbol(",") {
        full(c, f)?;
    }
    Ok(())
}

/// Walks over an expression.
pub(super) fn walk(c: &mut Cursor<'_>, f: &mut Found, level: Level) -> Parsed<()> {
    f.enter(c)?;
    operand(c, f, level)?;
    operators(c, f, level)?;
    f.leave();
    Ok(())
}

/// Walks over prefix operators and what they apply to.
fn operand(c: &mut Cursor<'_>, f: &mut Found, level: Level) -> Parsed<()> {
    loop {
        if level == Level::Full && c.accept(&["NOT"]) {
            continue;
        }
        match c.peek() {
            Some(token) if token.kind == TokenKind::Operator && is_prefix(c.slice(token.span)) => {
                c.advance();
            }
            _ if c.at(&["OPERATOR"]) && c.text_at(1) == "(" => named_operator(c)?,
            _ => break,
        }
    }
    primary(c, f)
}

fn is_prefix(operator: &str) -> bool {
    // `*`, `<`, `=` and their like stand between two operands only.
    matches!(operator, "+" | "-") || !is_common(operator)
}

/// The operators with a precedence of their own.
fn is_common(operator: &str) -> bool {
    matches!(
        operator,
        "+" | "-" | "*" | "/" | "%" | "^" | "<" | ">" | "=" | "<=" | ">=" | "<>" | "!=" | "=>"
    )
}

/// Takes `OPERATOR(schema.+)`.
fn named_operator(c: &mut Cursor<'_>) -> Parsed<()> {
    c.expect(&["OPERATOR"])?;
    c.expect_symbol("(")?;
    any_operator(c)?;
    c.expect_symbol(")")
}

/// Takes an operator with its schema.
pub(super) fn any_operator(c: &mut Cursor<'_>) -> Parsed<()> {
    while !names::at_kind(c, TokenKind::Operator) {
        names::column_id(c, "an operator")?;
        c.expect_symbol(".")?;
    }
    if c.at_symbol("=>") {
        return Err(c.expected("an operator"));
    }
    c.advance();
    Ok(())
}

/// Walks over what follows an operand: operators with their operands, tests, casts.
pub(super) fn operators(c: &mut Cursor<'_>, f: &mut Found, level: Level) -> Parsed<()> {
    // `a < b < c` is refused: comparisons do not chain.
    let mut compared = false;
    loop {
        let Some(token) = c.peek() else { return Ok(()) };
        let more = match token.kind {
            TokenKind::Operator => binary(c, f, level, token, &mut compared)?,
            TokenKind::Punctuation => c.at_symbol("::") && cast(c, f)?,
            TokenKind::Word => word_operator(c, f, level, &mut compared)?,
            TokenKind::QuotedName
            | TokenKind::String
            | TokenKind::DollarString
            | TokenKind::Number
            | TokenKind::Parameter
            | TokenKind::Variable
            | TokenKind::Comment
            | TokenKind::Unterminated
            | TokenKind::Stray => false,
        };
        if !more {
            return Ok(());
        }
    }
}

fn cast(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<bool> {
    c.expect_symbol("::")?;
    let data_type = types::data_type(c)?;
    f.casts.push(data_type);
    Ok(true)
}

fn binary(
    c: &mut Cursor<'_>,
    f: &mut Found,
    level: Level,
    token: Token,
    compared: &mut bool,
) -> Parsed<bool> {
    let operator = c.slice(token.span);
    if operator == "=>" {
        return Ok(false);
    }
    let compares = matches!(operator, "<" | ">" | "=" | "<=" | ">=" | "<>" | "!=");
    if compares && *compared {
        return Err(c.expected("parentheses around one of two comparisons"));
    }
    c.advance();
    if level == Level::Full && quantified(c, f)? {
        return Ok(true);
    }
    *compared = *compared || compares;
    operand(c, f, level)?;
    Ok(true)
}

/// Takes `ANY (…)`, `SOME (…)` or `ALL (…)` behind an operator, where it is next.
fn quantified(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<bool> {
    if c.accept_any(&["ANY", "SOME", "ALL"]).is_none() {
        return Ok(false);
    }
    if !c.at_symbol("(") {
        return Err(c.expected("("));
    }
    select::parentheses(c, f)?;
    Ok(true)
}

fn word_operator(
    c: &mut Cursor<'_>,
    f: &mut Found,
    level: Level,
    compared: &mut bool,
) -> Parsed<bool> {
    if c.accept(&["IS"]) {
        *compared = false;
        return is_test(c, f, level).map(|()| true);
    }
    if c.at(&["OPERATOR"]) && c.text_at(1) == "(" {
        named_operator(c)?;
        if level == Level::Restricted || !quantified(c, f)? {
            operand(c, f, level)?;
        }
        return Ok(true);
    }
    if level == Level::Restricted {
        return Ok(false);
    }
    if c.accept_any(&["AND", "OR"]).is_some() {
        *compared = false;
        return operand(c, f, level).map(|()| true);
    }
    if c.accept_any(&["ISNULL", "NOTNULL"]).is_some() {
        *compared = false;
        return Ok(true);
    }
    if c.accept(&["COLLATE"]) {
        return names::qualified(c, "a collation").map(|_| true);
    }
    if c.accept(&["AT", "LOCAL"]) {
        return Ok(true);
    }
    if c.accept(&["AT", "TIME", "ZONE"]) || c.accept(&["OVERLAPS"]) {
        return operand(c, f, level).map(|()| true);
    }
    matching(c, f, level)
}

/// Takes `[NOT] LIKE …`, `[NOT] BETWEEN …`, `[NOT] IN …`, where one is next.
fn matching(c: &mut Cursor<'_>, f: &mut Found, level: Level) -> Parsed<bool> {
    let start = c.position();
    let not = c.accept(&["NOT"]);
    if c.accept_any(&["LIKE", "ILIKE"]).is_some() || c.accept(&["SIMILAR", "TO"]) {
        if !quantified(c, f)? {
            operand(c, f, level)?;
        }
        // What binds tighter than ESCAPE is read here; the rest by the caller's loop.
        tighter(c, f)?;
        if c.accept(&["ESCAPE"]) {
            operand(c, f, level)?;
        }
        return Ok(true);
    }
    if c.accept(&["BETWEEN"]) {
        c.accept_any(&["SYMMETRIC", "ASYMMETRIC"]);
        walk(c, f, Level::Restricted)?;
        c.expect(&["AND"])?;
        return operand(c, f, level).map(|()| true);
    }
    if c.accept(&["IN"]) {
        if !c.at_symbol("(") {
            return Err(c.expected("("));
        }
        select::parentheses(c, f)?;
        return Ok(true);
    }
    if not {
        c.reset(start);
    }
    Ok(false)
}

/// Walks over the operators that bind tighter than LIKE, so that ESCAPE is found behind them.
fn tighter(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    loop {
        if c.at_symbol("::") {
            cast(c, f)?;
        } else if c.peek().is_some_and(|token| {
            let text = c.slice(token.span);
            token.kind == TokenKind::Operator
                && (!is_common(text) || matches!(text, "+" | "-" | "*" | "/" | "%" | "^"))
        }) {
            c.advance();
            operand(c, f, Level::Full)?;
        } else if c.accept(&["COLLATE"]) {
            names::qualified(c, "a collation")?;
        } else {
            return Ok(());
        }
    }
}

/// Takes what follows IS.
fn is_test(c: &mut Cursor<'_>, f: &mut Found, level: Level) -> Parsed<()> {
    c.accept(&["NOT"]);
    if c.accept(&["DISTINCT", "FROM"]) {
        return operand(c, f, level);
    }
    if c.accept(&["DOCUMENT"]) {
        return Ok(());
    }
    if level == Level::Restricted {
        return Err(c.expected("DISTINCT FROM"));
    }
    if c.accept_any(&["NULL", "TRUE", "FALSE", "UNKNOWN", "NORMALIZED"]).is_some() {
        return Ok(());
    }
    if c.accept_any(&["NFC", "NFD", "NFKC", "NFKD"]).is_some() {
        return c.expect(&["NORMALIZED"]);
    }
    if c.accept(&["JSON"]) {
        c.accept_any(&["VALUE", "ARRAY", "OBJECT", "SCALAR"]);
        if c.accept_any(&["WITH", "WITHOUT"]).is_some() {
            c.expect(&["UNIQUE"])?;
            c.accept(&["KEYS"]);
        }
        return Ok(());
    }
    Err(c.expected("NULL, TRUE, FALSE, UNKNOWN, DISTINCT FROM or another test"))
}

/// Walks over an operand without operators around it.
pub(super) fn primary(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    let Some(token) = c.peek() else { return Err(c.expected("an expression")) };
    match token.kind {
        TokenKind::Number => number(c, token),
        TokenKind::String | TokenKind::DollarString => names::string(c).map(|_| ()),
        TokenKind::Parameter => {
            c.advance();
            indirection(c, f).map(|_| ())
        }
        TokenKind::Punctuation if c.at_symbol("(") => {
            select::parentheses(c, f)?;
            indirection(c, f).map(|_| ())
        }
        TokenKind::QuotedName => reference(c, f),
        TokenKind::Word => word(c, f),
        TokenKind::Punctuation
        | TokenKind::Operator
        | TokenKind::Variable
        | TokenKind::Comment
        | TokenKind::Unterminated
        | TokenKind::Stray => Err(c.expected("an expression")),
    }
}

/// Takes a number. `1_000` and `0xFF` are read from version 16 on, `1x` and `100_` by none.
fn number(c: &mut Cursor<'_>, token: Token) -> Parsed<()> {
    let text = c.slice(token.span);
    let glued = c
        .peek_at(1)
        .is_some_and(|next| next.kind == TokenKind::Word && next.span.start == token.span.end);
    let prefix = text.len() > 1 && text.starts_with('0');
    let based =
        prefix && text.get(1..2).is_some_and(|c| c.starts_with(|c: char| c.is_alphabetic()));
    let bare = text.ends_with('_')
        || text.contains("__")
        || text.contains("_.")
        || text.contains("._")
        || (based && text.len() < 3);
    if glued || bare {
        let message = format!("\"{text}\" is no number, or something is glued to it");
        return Err(SyntaxError { message, at: token.span });
    }
    c.advance();
    Ok(())
}

/// Takes an operand that begins with a word.
fn word(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    if c.accept_any(&["NULL", "TRUE", "FALSE", "DEFAULT"]).is_some() {
        return Ok(());
    }
    if c.accept(&["CASE"]) {
        return case(c, f);
    }
    if c.accept(&["ARRAY"]) {
        if c.at_symbol("[") {
            array_items(c, f)?;
        } else {
            select::subquery(c, f)?;
        }
        return indirection(c, f).map(|_| ());
    }
    if c.at(&["EXISTS"]) && c.text_at(1) == "(" {
        c.advance();
        return select::subquery(c, f);
    }
    if c.at(&["ROW"]) && c.text_at(1) == "(" {
        c.advance();
        c.expect_symbol("(")?;
        if !c.at_symbol(")") {
            full_list(c, f)?;
        }
        return c.expect_symbol(")");
    }
    if call::keyword_value(c, f)? || call::special(c, f)? || typed_literal(c, f)? {
        return indirection(c, f).map(|_| ());
    }
    reference(c, f)
}

fn case(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    if !c.at(&["WHEN"]) {
        full(c, f)?;
    }
    c.expect(&["WHEN"])?;
    loop {
        full(c, f)?;
        c.expect(&["THEN"])?;
        full(c, f)?;
        if !c.accept(&["WHEN"]) {
            break;
        }
    }
    if c.accept(&["ELSE"]) {
        full(c, f)?;
    }
    c.expect(&["END"])
}

/// Takes `[1, 2]`, `[[1], [2]]`.
fn array_items(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    f.enter(c)?;
    c.expect_symbol("[")?;
    if !c.at_symbol("]") {
        loop {
            if c.at_symbol("[") {
                array_items(c, f)?;
            } else {
                full(c, f)?;
            }
            if !c.accept_symbol(",") {
                break;
            }
        }
    }
    f.leave();
    c.expect_symbol("]")
}

/// Takes `timestamp with time zone '…'`, `interval '1' day`, `numeric(3, 1) '…'`.
fn typed_literal(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<bool> {
    let start = c.position();
    let interval = c.at(&["INTERVAL"]);
    let data_type = match types::special(c) {
        Ok(Some(data_type)) => data_type,
        // `json('…')` and other calls by a type's name are not literals.
        Ok(None) | Err(_) => {
            c.reset(start);
            return Ok(false);
        }
    };
    if !names::at_string(c) {
        c.reset(start);
        return Ok(false);
    }
    names::string(c)?;
    let mut data_type = data_type;
    if interval && data_type.args.is_empty() {
        types::interval_fields(c, &mut data_type.args)?;
    }
    f.casts.push(data_type);
    Ok(true)
}

/// Takes a column, a function call or a literal typed by a name.
fn reference(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    let start = c.position();
    let (callable, column) = (names::at_type_name(c), names::at_column_id(c));
    let dotted = c.text_at(1) == ".";
    let first = if dotted || !callable {
        names::column_id(c, "an expression")?
    } else {
        names::type_name(c, "an expression")?
    };
    let mut name = crate::sql::name::ObjectName::bare(first);
    while c.at_symbol(".") && c.text_at(1) != "*" {
        c.advance();
        name.parts.push(names::label(c, "a column name")?);
    }
    let function = dotted || callable;
    if function && c.at_symbol("(") {
        let called = call::arguments(c, f, name)?;
        if called == call::Called::Function {
            return indirection(c, f).map(|_| ());
        }
        return Ok(());
    }
    if function && names::at_string(c) {
        c.reset(start);
        let data_type = types::simple(c)?;
        names::string(c)?;
        f.casts.push(data_type);
        return Ok(());
    }
    if !column {
        c.reset(start);
        return Err(c.expected("an expression"));
    }
    let whole_row = indirection(c, f)?;
    if whole_row {
        f.all_columns(Some(&name));
    } else {
        f.column_of(&name);
    }
    Ok(())
}

/// Takes `.field`, `[1]`, `[1:2]`, `.*` behind an operand; says whether it ends in `.*`.
pub(super) fn indirection(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<bool> {
    loop {
        if c.accept_symbol(".") {
            if c.accept_symbol("*") {
                return Ok(true);
            }
            names::label(c, "a field name")?;
        } else if c.accept_symbol("[") {
            subscript(c, f)?;
        } else {
            return Ok(false);
        }
    }
}

/// Takes what follows `[`: an index or a slice whose bounds may be missing.
fn subscript(c: &mut Cursor<'_>, f: &mut Found) -> Parsed<()> {
    // The lexer takes `:n` for a parameter where a slice is meant.
    let slice = |c: &Cursor<'_>| c.at_symbol(":") || c.text_at(0).starts_with(':');
    if !slice(c) {
        full(c, f)?;
    }
    if c.accept_symbol(":") {
        if !c.at_symbol("]") {
            full(c, f)?;
        }
    } else if slice(c) {
        c.advance();
        operators(c, f, Level::Full)?;
    }
    c.expect_symbol("]")
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn shapes_and_names() {
        check(
            "ALTER TABLE t ALTER a SET DEFAULT now()",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            SetDefault { column: a, default: Expr { text: \"now()\", functions: [now] } } }] \
            })",
        );
        check(
            "ALTER TABLE t ALTER a SET DEFAULT ('x'::app.status)",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            SetDefault { column: a, default: Expr { text: \"('x'::app.status)\", shape: \
            ParenthesizedLiteral, casts: [DataType { schema: Some(\"app\"), name: \"status\" \
            }] } } }] })",
        );
        check(
            "ALTER TABLE t ALTER a SET DEFAULT CAST(1 AS numeric(3, 1))",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            SetDefault { column: a, default: Expr { text: \"CAST(1 AS numeric(3, 1))\", \
            shape: Literal, casts: [DataType { name: \"numeric\", args: [\"3\", \"1\"] }] } \
            } }] })",
        );
        check(
            "ALTER TABLE t ALTER a SET DEFAULT interval '1' day",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            SetDefault { column: a, default: Expr { text: \"interval '1' day\", shape: \
            Literal, casts: [DataType { name: \"interval\", args: [\"day\"] }] } } }] })",
        );
        check(
            "ALTER TABLE t ALTER a SET DEFAULT CASE WHEN b.c IS NULL THEN random() ELSE d[1] \
            END",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            SetDefault { column: a, default: Expr { text: \"CASE WHEN b.c IS NULL THEN \
            random() ELSE d[1] END\", columns: [\"c\", \"d\"], functions: [random] } } }] })",
        );
        check(
            "ALTER TABLE t ALTER a SET DEFAULT -1",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            SetDefault { column: a, default: Expr { text: \"-1\", shape: Literal } } }] })",
        );
        check(
            "ALTER TABLE t ALTER a SET DEFAULT (SELECT max(x) FROM u)",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            SetDefault { column: a, default: Expr { text: \"(SELECT max(x) FROM u)\", columns: \
            [\"x\"], functions: [max], has_subquery: true, reads: [u], plain_query: true } } }] \
            })",
        );
        check(
            "ALTER TABLE t ALTER a SET DEFAULT CURRENT_TIMESTAMP(3) AT TIME ZONE 'utc'",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            SetDefault { column: a, default: Expr { text: \"CURRENT_TIMESTAMP(3) AT TIME \
            ZONE 'utc'\", functions: [current_timestamp] } } }] })",
        );
        check(
            "ALTER TABLE t ALTER a SET DEFAULT extract(year FROM x) || trim(BOTH 'a' FROM y)",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            SetDefault { column: a, default: Expr { text: \"extract(year FROM x) || \
            trim(BOTH 'a' FROM y)\", columns: [\"x\", \"y\"], functions: [extract, trim] } } \
            }] })",
        );
        check(
            "ALTER TABLE t ALTER a SET DEFAULT json_object('k': v)",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            SetDefault { column: a, default: Expr { text: \"json_object('k' : v)\", columns: \
            [\"v\"], functions: [json_object] } } }] })",
        );
    }

    #[test]
    fn proofs() {
        check(
            "ALTER TABLE t ADD CHECK (a IS NOT NULL AND (b IS NOT NULL) AND c > 1)",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            AddConstraint(TableConstraint { kind: Check(Expr { text: \"a IS NOT NULL AND (b \
            IS NOT NULL) AND c > 1\", columns: [\"a\", \"b\", \"c\"], proves_not_null: \
            [\"a\", \"b\"] }) }) }] })",
        );
        check(
            "ALTER TABLE t ADD CHECK (a IS NOT NULL OR b)",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            AddConstraint(TableConstraint { kind: Check(Expr { text: \"a IS NOT NULL OR b\", \
            columns: [\"a\", \"b\"] }) }) }] })",
        );
    }

    #[test]
    fn the_end_of_a_default_is_found() {
        check(
            "CREATE TABLE t (a int DEFAULT 1 NOT NULL)",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"integer\" }), nullability: Some(NotNull {}), default: \
            Some(Expr { text: \"1\", shape: Literal }) }] })",
        );
        check("CREATE TABLE t (a int DEFAULT 1 NTO NULL)", "! expected ), found \"NTO\"");
        check(
            "CREATE TABLE t (a int DEFAULT b IS NULL)",
            "! expected DISTINCT FROM, found \"NULL\"",
        );
        check("SELECT 1x", "! \"1\" is no number, or something is glued to it");
        check(
            "SELECT a < b < c",
            "! expected parentheses around one of two comparisons, found \"<\"",
        );
        check("SELECT a b c", "! expected the end of the statement, found \"c\"");
        check("SELECT a IN 1", "! expected (, found \"1\"");
        check("SELECT 'a' 'b'", "! expected the end of the statement, found \"'b'\"");
    }
}
