//! `CREATE` and `ALTER` of functions and procedures.

use super::{body, expr, names, object, options, session, types};
use crate::sql::ast::{
    AlterRoutine, CreateRoutine, DataType, ObjectKind, StatementKind, Volatility,
};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::lexer::Token;

/// One argument of a routine.
#[derive(Debug)]
pub(super) struct Argument {
    /// The type.
    pub data_type: DataType,
    /// `OUT`: no part of the signature.
    pub out: bool,
}

/// Takes `[mode] [name] type [DEFAULT value]`.
pub(super) fn argument(c: &mut Cursor<'_>) -> Parsed<Argument> {
    let mut out = false;
    let before = mode(c, &mut out);
    let start = c.position();
    let data_type = match types::function_type(c) {
        Ok(data_type) if at_end(c) => data_type,
        Ok(_) | Err(_) => {
            c.reset(start);
            if !names::at_type_name(c) && !names::at_column_id(c) {
                return Err(c.expected("an argument"));
            }
            names::word(c, "an argument name")?;
            if !before {
                mode(c, &mut out);
            }
            types::function_type(c)?
        }
    };
    if c.accept(&["DEFAULT"]) || c.accept_symbol("=") || c.accept_symbol(":=") {
        expr::a_expr(c)?;
    }
    Ok(Argument { data_type, out })
}

fn mode(c: &mut Cursor<'_>, out: &mut bool) -> bool {
    if matches!(c.text_at(1), "," | ")") {
        return false;
    }
    if c.accept(&["IN", "OUT"]) {
        return true;
    }
    let word = c.accept_any(&["IN", "OUT", "INOUT", "VARIADIC"]);
    *out |= word == Some("OUT");
    word.is_some()
}

fn at_end(c: &Cursor<'_>) -> bool {
    c.at_symbol(",")
        || c.at_symbol(")")
        || c.at_symbol("=")
        || c.at_symbol(":=")
        || c.at(&["DEFAULT"])
        || c.at(&["ORDER"])
        || c.is_at_end()
}

/// What the options behind the arguments say.
#[derive(Debug, Default)]
struct Options {
    language: Option<String>,
    volatility: Option<Volatility>,
    security_definer: bool,
    sets_search_path: bool,
    words: Vec<String>,
    /// The string behind AS.
    definition: Option<Token>,
}

/// Takes what follows `CREATE [OR REPLACE] FUNCTION` or `PROCEDURE`.
pub(super) fn create(
    c: &mut Cursor<'_>,
    procedure: bool,
    or_replace: bool,
) -> Parsed<StatementKind> {
    let name = names::function(c, "a function name")?;
    c.expect_symbol("(")?;
    let arguments = match c.at_symbol(")") {
        true => Vec::new(),
        false => names::list(c, argument)?,
    };
    c.expect_symbol(")")?;
    let mut returns_table = Vec::new();
    let returns = if procedure { None } else { returns(c, &mut returns_table)? };
    let mut found = Options::default();
    while option(c, &mut found)? {}
    let start = c.position();
    let mut statements = body::unquoted(c)?;
    let parsed_body = statements.is_some();
    let language = found.language.unwrap_or_else(|| "sql".to_owned());
    let body = match (parsed_body, found.definition) {
        (true, _) => c.span_from(start),
        (false, Some(token)) => body::inner(c, token),
        (false, None) => return Err(c.expected("AS, RETURN or BEGIN ATOMIC")),
    };
    if let (false, "sql", Some(token)) = (parsed_body, language.as_str(), found.definition) {
        statements = Some(body::sql(c, token));
    }
    let signature = arguments.into_iter().filter(|argument| procedure || !argument.out);
    Ok(StatementKind::CreateRoutine(Box::new(CreateRoutine {
        name,
        procedure,
        aggregate: false,
        or_replace,
        if_not_exists: false,
        arguments: signature.map(|argument| argument.data_type).collect(),
        returns,
        returns_table,
        language,
        volatility: found.volatility.unwrap_or_default(),
        security_definer: found.security_definer,
        sets_search_path: found.sets_search_path,
        definer: None,
        body,
        statements: statements.unwrap_or_default(),
        parsed_body,
    })))
}

fn returns(c: &mut Cursor<'_>, table: &mut Vec<DataType>) -> Parsed<Option<DataType>> {
    if c.at(&["RETURNS", "NULL", "ON"]) || !c.accept(&["RETURNS"]) {
        return Ok(None);
    }
    if c.at(&["TABLE"]) && c.text_at(1) == "(" {
        c.advance();
        let start = c.position();
        c.expect_symbol("(")?;
        *table = names::list(c, |c| {
            names::word(c, "a column name")?;
            types::function_type(c)
        })?;
        c.expect_symbol(")")?;
        return Ok(Some(DataType { span: c.span_from(start), ..DataType::named("record") }));
    }
    types::function_type(c).map(Some)
}

/// Takes one option, where one is next.
fn option(c: &mut Cursor<'_>, found: &mut Options) -> Parsed<bool> {
    if c.accept(&["LANGUAGE"]) {
        let language = match names::at_string(c) {
            true => names::string(c)?,
            false => names::word(c, "a language")?.value,
        };
        found.language = Some(language.to_ascii_lowercase());
        return Ok(true);
    }
    if c.accept(&["AS"]) {
        let Some(token) = c.peek() else { return Err(c.expected("the body as a string")) };
        names::string(c)?;
        found.definition = Some(token);
        if c.accept_symbol(",") {
            names::string(c)?;
        }
        return Ok(true);
    }
    if c.accept(&["TRANSFORM"]) {
        names::list(c, |c| {
            c.expect(&["FOR", "TYPE"])?;
            types::data_type(c)
        })?;
        return Ok(true);
    }
    if c.accept(&["WINDOW"]) {
        return Ok(true);
    }
    common_option(c, found)
}

/// Takes an option that ALTER knows too.
fn common_option(c: &mut Cursor<'_>, found: &mut Options) -> Parsed<bool> {
    const PLAIN: &[&[&str]] = &[
        &["STRICT"],
        &["LEAKPROOF"],
        &["NOT", "LEAKPROOF"],
        &["CALLED", "ON", "NULL", "INPUT"],
        &["RETURNS", "NULL", "ON", "NULL", "INPUT"],
        &["SECURITY", "INVOKER"],
        &["EXTERNAL", "SECURITY", "INVOKER"],
    ];
    let start = c.position();
    if PLAIN.iter().any(|words| c.accept(words)) {
    } else if let Some(word) = c.accept_any(&["IMMUTABLE", "STABLE", "VOLATILE"]) {
        found.volatility = Some(match word {
            "IMMUTABLE" => Volatility::Immutable,
            "STABLE" => Volatility::Stable,
            _ => Volatility::Volatile,
        });
    } else if c.accept(&["SECURITY", "DEFINER"]) || c.accept(&["EXTERNAL", "SECURITY", "DEFINER"]) {
        found.security_definer = true;
    } else if c.accept_any(&["COST", "ROWS"]).is_some() {
        names::integer(c)?;
    } else if c.accept(&["SUPPORT"]) {
        names::qualified(c, "a function name")?;
    } else if c.accept(&["PARALLEL"]) {
        names::column_id(c, "SAFE, RESTRICTED or UNSAFE")?;
    } else if c.accept(&["SET"]) {
        let (name, _) = session::setting(c)?;
        found.sets_search_path |= name == "search_path";
    } else if c.accept(&["RESET"]) {
        session::reset(c)?;
    } else {
        return Ok(false);
    }
    let words = c.sub(start, c.position());
    let text = crate::sql::expr::text(c, words.tokens()).to_ascii_lowercase();
    found.words.push(text);
    Ok(true)
}

/// Takes what follows `ALTER FUNCTION`, `ALTER PROCEDURE`, `ALTER ROUTINE`.
pub(super) fn alter(c: &mut Cursor<'_>, object: ObjectKind) -> Parsed<StatementKind> {
    let address = object::address(c, object)?;
    if let Some(common) = object::common_action(c, &address, false)? {
        return Ok(common);
    }
    let mut found = Options::default();
    while common_option(c, &mut found)? {}
    if found.words.is_empty() {
        return Err(c.expected("RENAME TO, OWNER TO, SET SCHEMA or an option"));
    }
    names::cascade(c);
    Ok(StatementKind::AlterRoutine(AlterRoutine {
        object,
        name: address.name,
        signature: address.signature,
        volatility: found.volatility,
        options: found.words,
    }))
}

/// Takes what follows `CREATE [OR REPLACE] AGGREGATE`.
pub(super) fn create_aggregate(c: &mut Cursor<'_>, or_replace: bool) -> Parsed<StatementKind> {
    let name = names::function(c, "an aggregate name")?;
    let start = c.position();
    let old = c.text_at(2) == "=";
    let mut arguments = Vec::new();
    if !old {
        c.expect_symbol("(")?;
        if !c.at_symbol(")") {
            arguments = object::aggregate_arguments(c)?.input;
        }
        c.expect_symbol(")")?;
    }
    options::settings(c)?;
    Ok(StatementKind::CreateRoutine(Box::new(CreateRoutine {
        name,
        procedure: false,
        aggregate: true,
        or_replace,
        if_not_exists: false,
        arguments,
        returns: None,
        returns_table: Vec::new(),
        language: "internal".to_owned(),
        volatility: Volatility::Immutable,
        security_definer: false,
        sets_search_path: false,
        definer: None,
        body: c.span_from(start),
        statements: Vec::new(),
        parsed_body: false,
    })))
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn functions() {
        check(
            "CREATE OR REPLACE FUNCTION app.f(a int, INOUT b text DEFAULT 'x', OUT c int, \
            VARIADIC d int[]) RETURNS SETOF record LANGUAGE plpgsql IMMUTABLE STRICT \
            SECURITY DEFINER SET search_path = app, pg_temp COST 10 AS $$ BEGIN END $$",
            "CreateRoutine(CreateRoutine { name: app.f, or_replace: true, arguments: \
            [DataType { name: \"integer\" }, DataType { name: \"text\" }, DataType { name: \
            \"integer\", array_dims: 1 }], returns: Some(DataType { name: \"record\" }), \
            language: \"plpgsql\", volatility: Immutable, security_definer: true, \
            sets_search_path: true, body: 211..222 })",
        );
        check(
            "CREATE FUNCTION f() RETURNS TABLE (a int, b t.c%TYPE) LANGUAGE sql STABLE RETURN \
            1",
            "CreateRoutine(CreateRoutine { name: f, returns: Some(DataType { name: \"record\" \
            }), returns_table: [DataType { name: \"integer\" }, DataType { schema: Some(\"t\"), \
            name: \"c%type\" }], language: \"sql\", volatility: Stable, body: 74..82, \
            statements: [Statement { kind: Dml(Dml { kind: Select, query: Query {} }) }], \
            parsed_body: true })",
        );
        check(
            "CREATE PROCEDURE p(a int) LANGUAGE sql AS 'INSERT INTO t VALUES (a); DELETE FROM \
            u'",
            "CreateRoutine(CreateRoutine { name: p, procedure: true, arguments: [DataType { \
            name: \"integer\" }], language: \"sql\", volatility: Volatile, body: 43..82, \
            statements: [Statement { kind: Dml(Dml { kind: Insert, targets: [t], query: \
            Query { columns: [\"a\"] }, rows: Some([[\"a\"]]) }) }, Statement { kind: Dml(Dml { kind: Delete, \
            targets: [u], query: Query {} }) }] })",
        );
        check(
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC INSERT INTO t VALUES (1); SELECT \
            CASE WHEN true THEN 1 END; END",
            "CreateRoutine(CreateRoutine { name: f, returns: Some(DataType { name: \
            \"integer\" }), language: \"sql\", volatility: Volatile, body: 32..108, \
            statements: [Statement { kind: Dml(Dml { kind: Insert, targets: [t], query: \
            Query {}, rows: Some([[\"1\"]]) }) }, Statement { kind: Dml(Dml { kind: Select, query: Query {} }) }], \
            parsed_body: true })",
        );
        check(
            "ALTER FUNCTION f(int) STABLE ROWS 10 RESET ALL",
            "AlterRoutine(AlterRoutine { object: Function, name: f, signature: Some(Signature { \
            types: [DataType { name: \"integer\" }], input: [DataType { name: \"integer\" }] \
            }), volatility: Some(Stable), options: [\"stable\", \"rows 10\", \"reset all\"] })",
        );
        check(
            "CREATE AGGREGATE s (int ORDER BY text) (sfunc = f, stype = int[])",
            "CreateRoutine(CreateRoutine { name: s, aggregate: true, arguments: [DataType { \
            name: \"integer\" }, DataType { name: \"text\" }], language: \"internal\", \
            volatility: Immutable, body: 19..65 })",
        );
        check(
            "CREATE AGGREGATE s (basetype = int, sfunc = f, stype = int)",
            "CreateRoutine(CreateRoutine { name: s, aggregate: true, language: \"internal\", \
            volatility: Immutable, body: 19..59 })",
        );
        check(
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql",
            "! expected AS, RETURN or BEGIN ATOMIC, found the end of the statement",
        );
        check("CREATE FUNCTION f RETURNS int AS 'x'", "! expected (, found \"RETURNS\"");
    }
}
