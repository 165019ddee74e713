//! Data types and their canonical names.
//!
//! | written | canonical |
//! |---|---|
//! | `int`, `integer`, `int4` | `integer` |
//! | `bigint`, `int8` | `bigint` |
//! | `smallint`, `int2` | `smallint` |
//! | `real`, `float4`, `float(1..24)` | `real` |
//! | `double precision`, `float8`, `float`, `float(25..53)` | `double precision` |
//! | `numeric`, `decimal`, `dec` | `numeric`; `numeric(p)` has the arguments `p`, `0` |
//! | `boolean`, `bool` | `boolean` |
//! | `char`, `character`, `nchar`, `bpchar(n)` | `char`; without a length the argument is `1` |
//! | `bpchar` without a length | `bpchar` |
//! | `"char"` | `"char"`, quotes included |
//! | `varchar`, `character varying`, `national character varying` | `varchar` |
//! | `bit`, `bit varying`, `varbit` | `bit` (without a length `1`), `varbit` |
//! | `timestamp [without time zone]`, `timestamp with time zone`, `timestamptz` | `timestamp`, `timestamptz` |
//! | `time [without time zone]`, `time with time zone`, `timetz` | `time`, `timetz` |
//! | `interval …` | `interval`; the arguments are the precision, then the fields in lower case |
//! | `serial`, `serial4`; `bigserial`, `serial8`; `smallserial`, `serial2` | `serial`, `bigserial`, `smallserial` |
//! | anything else | as PostgreSQL keeps the name |
//!
//! The schema `pg_catalog` is left out, since it is always searched.

use super::names;
use crate::sql::ast::{DataType, TypeParts};
use crate::sql::cursor::{Cursor, Parsed};

/// Takes a type with its arguments and array brackets.
pub(super) fn data_type(c: &mut Cursor<'_>) -> Parsed<DataType> {
    let start = c.position();
    let mut data_type = simple(c)?;
    data_type.array_dims = array_dims(c)?;
    data_type.span = c.span_from(start);
    Ok(data_type)
}

/// Takes `[SETOF] type`, also `name%TYPE`: what functions take and return.
pub(super) fn function_type(c: &mut Cursor<'_>) -> Parsed<DataType> {
    c.accept(&["SETOF"]);
    let start = c.position();
    let mut found = data_type(c)?;
    if c.accept_symbol("%") {
        c.expect(&["TYPE"])?;
        found.name = format!("{}%type", found.name);
        found.span = c.span_from(start);
    }
    Ok(found)
}

fn array_dims(c: &mut Cursor<'_>) -> Parsed<u8> {
    if c.accept(&["ARRAY"]) {
        if c.accept_symbol("[") {
            names::integer(c)?;
            c.expect_symbol("]")?;
        }
        return Ok(1);
    }
    let mut dims = 0_u8;
    while c.accept_symbol("[") {
        if !c.at_symbol("]") {
            names::integer(c)?;
        }
        c.expect_symbol("]")?;
        dims = dims.saturating_add(1);
    }
    Ok(dims)
}

/// Takes a type without array brackets.
pub(super) fn simple(c: &mut Cursor<'_>) -> Parsed<DataType> {
    match special(c)? {
        Some(found) => Ok(found),
        None => generic(c),
    }
}

/// Takes a type whose name is a keyword of the grammar, as `timestamp with time zone` is.
///
/// A name behind a dot is never one of them: `app.time` is a type of that schema.
pub(super) fn special(c: &mut Cursor<'_>) -> Parsed<Option<DataType>> {
    if !super::names::at_kind(c, crate::sql::lexer::TokenKind::Word) || c.text_at(1) == "." {
        return Ok(None);
    }
    let plain = |name: &str| Ok(Some(DataType::named(name)));
    if c.accept_any(&["INT", "INTEGER"]).is_some() {
        return plain("integer");
    }
    if let Some(word) = c.accept_any(&["BIGINT", "SMALLINT", "REAL", "BOOLEAN", "JSON"]) {
        return plain(&word.to_ascii_lowercase());
    }
    if c.accept(&["DOUBLE", "PRECISION"]) {
        return plain("double precision");
    }
    if c.accept(&["FLOAT"]) {
        return float(c).map(Some);
    }
    if c.accept_any(&["DECIMAL", "DEC", "NUMERIC"]).is_some() {
        return Ok(Some(canonical("numeric", arguments(c)?)));
    }
    if c.accept(&["BIT"]) {
        let name = if c.accept(&["VARYING"]) { "varbit" } else { "bit" };
        return Ok(Some(canonical(name, arguments(c)?)));
    }
    if let Some(name) = character(c)? {
        return Ok(Some(canonical(name, arguments(c)?)));
    }
    if let Some(word) = c.accept_any(&["TIMESTAMP", "TIME"]) {
        return date_time(c, word).map(Some);
    }
    if c.accept(&["INTERVAL"]) {
        return interval(c).map(Some);
    }
    Ok(None)
}

fn float(c: &mut Cursor<'_>) -> Parsed<DataType> {
    let args = arguments(c)?;
    let bits = args.first().and_then(|arg| arg.parse::<u32>().ok()).unwrap_or(53);
    Ok(DataType::named(if bits <= 24 { "real" } else { "double precision" }))
}

fn character(c: &mut Cursor<'_>) -> Parsed<Option<&'static str>> {
    if c.accept(&["VARCHAR"]) {
        return Ok(Some("varchar"));
    }
    let national = c.accept(&["NATIONAL"]);
    let known: &[&str] =
        if national { &["CHARACTER", "CHAR"] } else { &["CHARACTER", "CHAR", "NCHAR"] };
    if c.accept_any(known).is_none() {
        return if national { Err(c.expected("CHARACTER")) } else { Ok(None) };
    }
    Ok(Some(if c.accept(&["VARYING"]) { "varchar" } else { "char" }))
}

fn date_time(c: &mut Cursor<'_>, word: &str) -> Parsed<DataType> {
    let args = arguments(c)?;
    let zone = c.accept(&["WITH", "TIME", "ZONE"]);
    if !zone {
        c.accept(&["WITHOUT", "TIME", "ZONE"]);
    }
    let name = match (word, zone) {
        ("TIMESTAMP", true) => "timestamptz",
        ("TIMESTAMP", false) => "timestamp",
        (_, true) => "timetz",
        (_, false) => "time",
    };
    Ok(TypeParts { name: name.to_owned(), args, ..TypeParts::default() }.into())
}

fn interval(c: &mut Cursor<'_>) -> Parsed<DataType> {
    let mut args = arguments(c)?;
    if args.is_empty() {
        interval_fields(c, &mut args)?;
    }
    Ok(TypeParts { name: "interval".to_owned(), args, ..TypeParts::default() }.into())
}

/// Takes `YEAR TO MONTH`, `SECOND(3)`, … behind `INTERVAL` or behind its literal.
pub(super) fn interval_fields(c: &mut Cursor<'_>, args: &mut Vec<String>) -> Parsed<()> {
    const FIELDS: &[&str] = &["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"];
    let Some(from) = c.accept_any(FIELDS) else { return Ok(()) };
    let mut fields = from.to_ascii_lowercase();
    let mut last = from;
    if c.at(&["TO"]) && FIELDS.iter().any(|field| c.text_at(1).eq_ignore_ascii_case(field)) {
        c.advance();
        last = c.accept_any(FIELDS).unwrap_or(last);
        fields = format!("{fields} to {}", last.to_ascii_lowercase());
    }
    if last == "SECOND" {
        args.extend(arguments(c)?);
    }
    args.push(fields);
    Ok(())
}

fn generic(c: &mut Cursor<'_>) -> Parsed<DataType> {
    let quoted = names::at_kind(c, crate::sql::lexer::TokenKind::QuotedName);
    let behind = c.text_at(1);
    let first =
        if behind == "." { names::column_id(c, "a type")? } else { names::type_name(c, "a type")? };
    let mut name = names::rest(c, first, "a type")?;
    let args = arguments(c)?;
    let schema = name.schema().filter(|schema| *schema != "pg_catalog").map(ToOwned::to_owned);
    let last = name.parts.pop().map_or_else(String::new, |part| part.value);
    if schema.is_some() {
        return Ok(TypeParts { schema, name: last, args, ..TypeParts::default() }.into());
    }
    if last == "char" && (quoted || !name.parts.is_empty()) {
        return Ok(TypeParts { name: "\"char\"".to_owned(), args, ..TypeParts::default() }.into());
    }
    Ok(canonical(&last, args))
}

/// Returns the type that PostgreSQL knows under several names.
fn canonical(name: &str, mut args: Vec<String>) -> DataType {
    let common = match name {
        "int4" => "integer",
        "int8" => "bigint",
        "int2" => "smallint",
        "float4" => "real",
        "float8" => "double precision",
        "bool" => "boolean",
        "decimal" => "numeric",
        "bpchar" if !args.is_empty() => "char",
        "serial4" => "serial",
        "serial8" => "bigserial",
        "serial2" => "smallserial",
        other => other,
    };
    match (common, args.len()) {
        ("char" | "bit", 0) => args.push("1".to_owned()),
        ("numeric", 1) => args.push("0".to_owned()),
        _ => {}
    }
    TypeParts { name: common.to_owned(), args, ..TypeParts::default() }.into()
}

/// Takes `(10, 2)`, where it is next.
fn arguments(c: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    if !c.accept_symbol("(") {
        return Ok(Vec::new());
    }
    let args = names::list(c, |c| {
        if names::at_string(c) {
            return names::string(c);
        }
        Ok(super::expr::a_expr(c)?.text)
    })?;
    c.expect_symbol(")")?;
    Ok(args)
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn names_are_canonical() {
        check(
            "CREATE TABLE t (a int4)",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"integer\" }) }] })",
        );
        check(
            "CREATE TABLE t (a decimal(10))",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"numeric\", args: [\"10\", \"0\"] }) }] })",
        );
        check(
            "CREATE TABLE t (a character varying(20))",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"varchar\", args: [\"20\"] }) }] })",
        );
        check(
            "CREATE TABLE t (a char)",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"char\", args: [\"1\"] }) }] })",
        );
        check(
            "CREATE TABLE t (a \"char\")",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"\\\"char\\\"\" }) }] })",
        );
        check(
            "CREATE TABLE t (a bpchar)",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"bpchar\" }) }] })",
        );
        check(
            "CREATE TABLE t (a timestamp(3) with time zone)",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"timestamptz\", args: [\"3\"] }) }] })",
        );
        check(
            "CREATE TABLE t (a time)",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"time\" }) }] })",
        );
        check(
            "CREATE TABLE t (a interval day to second(3))",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"interval\", args: [\"3\", \"day to second\"] }) }] })",
        );
        check(
            "CREATE TABLE t (a float(24))",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"real\" }) }] })",
        );
        check(
            "CREATE TABLE t (a double precision)",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"double precision\" }) }] })",
        );
        check(
            "CREATE TABLE t (a bit varying(5))",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"varbit\", args: [\"5\"] }) }] })",
        );
        check(
            "CREATE TABLE t (a national character varying(3))",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"varchar\", args: [\"3\"] }) }] })",
        );
        check(
            "CREATE TABLE t (a pg_catalog.int8[])",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"bigint\", array_dims: 1 }) }] })",
        );
        check(
            "CREATE TABLE t (a app.status[][])",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { schema: Some(\"app\"), name: \"status\", array_dims: 2 }) }] })",
        );
        check(
            "CREATE TABLE t (a int array[4])",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"integer\", array_dims: 1 }) }] })",
        );
        check(
            "CREATE TABLE t (a \"Odd\")",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"Odd\" }) }] })",
        );
    }

    #[test]
    fn what_is_no_type_is_refused() {
        check("CREATE TABLE t (a with)", "! expected a type, found \"with\"");
        check("CREATE TABLE t (a)", "! expected AS, found the end of the statement");
        check("CREATE TABLE t (a int[)", "! expected a number, found \")\"");
    }
}
