//! Data types of MySQL and MariaDB; the canonical names are listed in the module above.

use super::name::{is_mariadb, mariadb_since, mysql_since, name, name_or_string};
use crate::sql::ast::{DataType, TypeParts};
use crate::sql::cursor::{Cursor, Parsed, SyntaxError};
use crate::sql::lexer::TokenKind;

/// What may follow the name of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Nothing.
    Bare,
    /// A length that may be missing.
    Length,
    /// A length that must be there.
    MustLength,
    /// A display width, then SIGNED, UNSIGNED, ZEROFILL.
    Integer,
    /// Precision and scale or nothing, then the same.
    Real,
    /// One number or both, then the same.
    Decimal,
    /// A length that may be missing, then a character set.
    Text,
    /// A length that must be there, then a character set.
    MustText,
    /// A character set.
    BareText,
    /// Strings in parentheses, then a character set.
    Members,
}

/// Spelling, canonical name and form of the types that are one word.
const TYPES: &[(&str, &str, Form)] = &[
    ("tinyint", "tinyint", Form::Integer),
    ("int1", "tinyint", Form::Integer),
    ("smallint", "smallint", Form::Integer),
    ("int2", "smallint", Form::Integer),
    ("mediumint", "mediumint", Form::Integer),
    ("int3", "mediumint", Form::Integer),
    ("middleint", "mediumint", Form::Integer),
    ("int", "int", Form::Integer),
    ("integer", "int", Form::Integer),
    ("int4", "int", Form::Integer),
    ("bigint", "bigint", Form::Integer),
    ("int8", "bigint", Form::Integer),
    ("year", "year", Form::Integer),
    ("double", "double", Form::Real),
    ("float8", "double", Form::Real),
    ("real", "double", Form::Real),
    ("float", "float", Form::Decimal),
    ("float4", "float", Form::Decimal),
    ("decimal", "decimal", Form::Decimal),
    ("dec", "decimal", Form::Decimal),
    ("numeric", "decimal", Form::Decimal),
    ("fixed", "decimal", Form::Decimal),
    ("bit", "bit", Form::Length),
    ("date", "date", Form::Bare),
    ("time", "time", Form::Length),
    ("datetime", "datetime", Form::Length),
    ("timestamp", "timestamp", Form::Length),
    ("char", "char", Form::Text),
    ("varchar", "varchar", Form::MustText),
    ("varcharacter", "varchar", Form::MustText),
    ("binary", "binary", Form::Length),
    ("varbinary", "varbinary", Form::MustLength),
    ("tinytext", "tinytext", Form::BareText),
    ("text", "text", Form::Text),
    ("mediumtext", "mediumtext", Form::BareText),
    ("longtext", "longtext", Form::BareText),
    ("tinyblob", "tinyblob", Form::Bare),
    ("blob", "blob", Form::Length),
    ("mediumblob", "mediumblob", Form::Bare),
    ("longblob", "longblob", Form::Bare),
    ("enum", "enum", Form::Members),
    ("set", "set", Form::Members),
    ("json", "json", Form::Bare),
    ("geometry", "geometry", Form::Bare),
    ("point", "point", Form::Bare),
    ("linestring", "linestring", Form::Bare),
    ("polygon", "polygon", Form::Bare),
    ("multipoint", "multipoint", Form::Bare),
    ("multilinestring", "multilinestring", Form::Bare),
    ("multipolygon", "multipolygon", Form::Bare),
    ("geometrycollection", "geometrycollection", Form::Bare),
];

/// Takes a type with its arguments and attributes, COLLATE not included.
pub(super) fn data_type(cursor: &mut Cursor<'_>) -> Parsed<DataType> {
    let start = cursor.position();
    let mut data_type = DataType::default();
    let form = type_name(cursor, &mut data_type)?;
    arguments(cursor, form, &mut data_type)?;
    match form {
        Form::Integer | Form::Real | Form::Decimal => sign(cursor, &mut data_type),
        Form::Text | Form::MustText | Form::BareText | Form::Members => {
            charset(cursor, &mut data_type)?;
        }
        Form::Bare | Form::Length | Form::MustLength => {}
    }
    fold_float(&mut data_type);
    data_type.span = cursor.span_from(start);
    Ok(data_type)
}

/// Takes the words of the name and fills in what they stand for.
fn type_name(cursor: &mut Cursor<'_>, data_type: &mut DataType) -> Parsed<Form> {
    if cursor.peek().is_none_or(|token| token.kind != TokenKind::Word) {
        return Err(cursor.expected("a data type"));
    }
    if let Some(form) = words(cursor, data_type) {
        return Ok(form);
    }
    let word = cursor.text_at(0).to_ascii_lowercase();
    let known = TYPES.iter().find(|(spelling, ..)| *spelling == word);
    if let Some((_, canonical, form)) = known.copied() {
        cursor.advance();
        canonical.clone_into(&mut data_type.name);
        if word == "double" {
            cursor.accept(&["PRECISION"]);
        }
        return Ok(form);
    }
    match own_type(cursor, &word) {
        Some(form) => {
            cursor.advance();
            data_type.name =
                if word == "geomcollection" { "geometrycollection".into() } else { word };
            Ok(form)
        }
        None => Err(unknown(cursor)),
    }
}

/// Types that one of the two servers has, from a version on.
fn own_type(cursor: &Cursor<'_>, word: &str) -> Option<Form> {
    let (form, exists) = match word {
        "geomcollection" => (Form::Bare, !is_mariadb(cursor)),
        "vector" if is_mariadb(cursor) => (Form::MustLength, mariadb_since(cursor, 11, 7)),
        "vector" => (Form::Length, mysql_since(cursor, 9, 0, 0)),
        "inet6" => (Form::Bare, is_mariadb(cursor)),
        "uuid" => (Form::Bare, mariadb_since(cursor, 10, 7)),
        "inet4" => (Form::Bare, mariadb_since(cursor, 10, 10)),
        "xmltype" => (Form::Bare, mariadb_since(cursor, 12, 3)),
        _ => return None,
    };
    exists.then_some(form)
}

/// Error 4161 of MariaDB, a syntax error of MySQL.
fn unknown(cursor: &mut Cursor<'_>) -> SyntaxError {
    let at = cursor.place();
    match name(cursor) {
        Ok(name) => SyntaxError { message: format!("unknown data type \"{name}\""), at },
        Err(_) => cursor.expected("a data type"),
    }
}

/// Takes the types that are several words, and those that stand for another one with arguments.
fn words(cursor: &mut Cursor<'_>, data_type: &mut DataType) -> Option<Form> {
    let data_type: &mut TypeParts = data_type;
    let mut named = |name: &str| name.clone_into(&mut data_type.name);
    if cursor.accept_any(&["BOOL", "BOOLEAN"]).is_some() {
        named("tinyint");
        data_type.args.push("1".to_owned());
        return Some(Form::Bare);
    }
    if cursor.accept(&["LONG"]) {
        if cursor.accept(&["VARBINARY"]) {
            named("mediumblob");
            return Some(Form::Bare);
        }
        if cursor.accept_any(&["VARCHAR", "VARCHARACTER"]).is_none() {
            let _ = cursor.accept(&["CHAR", "VARYING"]) || cursor.accept(&["CHARACTER", "VARYING"]);
        }
        named("mediumtext");
        return Some(Form::BareText);
    }
    let national =
        cursor.accept(&["NATIONAL"]) || cursor.at(&["NCHAR"]) || cursor.at(&["NVARCHAR"]);
    let varying = cursor.accept(&["NVARCHAR"])
        || cursor.accept(&["NCHAR", "VARYING"])
        || cursor.accept(&["NCHAR", "VARCHAR"])
        || cursor.accept(&["NCHAR", "VARCHARACTER"])
        || cursor.accept(&["CHAR", "VARYING"])
        || cursor.accept(&["CHARACTER", "VARYING"])
        || (national && cursor.accept_any(&["VARCHAR", "VARCHARACTER"]).is_some());
    let plain = !varying
        && (cursor.accept(&["NCHAR"])
            || cursor.accept(&["CHARACTER"])
            || (national && cursor.accept(&["CHAR"])));
    if national {
        data_type.charset = Some("utf8mb3".to_owned());
    }
    if varying {
        named("varchar");
        return Some(Form::MustText);
    }
    if plain {
        named("char");
        return Some(Form::Text);
    }
    None
}

fn arguments(cursor: &mut Cursor<'_>, form: Form, data_type: &mut DataType) -> Parsed<()> {
    let (least, most) = match form {
        Form::Bare | Form::BareText => return Ok(()),
        Form::Length | Form::Text | Form::Integer => (1, 1),
        Form::Real => (2, 2),
        Form::Decimal => (1, 2),
        Form::MustLength | Form::MustText | Form::Members => (1, 1),
    };
    let optional = !matches!(form, Form::MustLength | Form::MustText | Form::Members);
    if optional && !cursor.at_symbol("(") {
        return Ok(());
    }
    cursor.expect_symbol("(")?;
    loop {
        data_type.args.push(argument(cursor, form)?);
        if !cursor.accept_symbol(",") {
            break;
        }
    }
    let count = data_type.args.len();
    if form != Form::Members && (count < least || count > most) {
        return Err(cursor.expected("as many arguments as the type has"));
    }
    cursor.expect_symbol(")")
}

fn argument(cursor: &mut Cursor<'_>, form: Form) -> Parsed<String> {
    let Some(token) = cursor.peek() else { return Err(cursor.expected("an argument")) };
    if token.kind == TokenKind::String && form == Form::Members {
        return cursor.string();
    }
    if token.kind == TokenKind::Number {
        cursor.advance();
        return Ok(cursor.slice(token.span).to_owned());
    }
    Err(cursor.expected(if form == Form::Members { "a string" } else { "a number" }))
}

fn sign(cursor: &mut Cursor<'_>, data_type: &mut DataType) {
    while let Some(word) = cursor.accept_any(&["SIGNED", "UNSIGNED", "ZEROFILL"]) {
        // ZEROFILL makes a column UNSIGNED (manual, "Numeric Type Syntax").
        data_type.unsigned |= word != "SIGNED";
        data_type.zerofill |= word == "ZEROFILL";
    }
}

/// Takes a character set and BINARY, each at most once and in any order.
fn charset(cursor: &mut Cursor<'_>, data_type: &mut DataType) -> Parsed<()> {
    let mut written = false;
    loop {
        if !data_type.binary && cursor.accept(&["BINARY"]) {
            data_type.binary = true;
        } else if written {
            return Ok(());
        } else if cursor.accept(&["BYTE"]) {
            let bytes = match data_type.name.as_str() {
                "char" => "binary".to_owned(),
                "varchar" => "varbinary".to_owned(),
                text => text.replace("text", "blob"),
            };
            data_type.name = bytes;
            return Ok(());
        } else if cursor.accept(&["ASCII"]) {
            data_type.charset = Some("latin1".to_owned());
            written = true;
        } else if cursor.accept(&["UNICODE"]) {
            data_type.charset = Some("ucs2".to_owned());
            written = true;
        } else if at_charset(cursor) {
            data_type.charset = Some(charset_name(cursor)?);
            written = true;
        } else {
            return Ok(());
        }
    }
}

/// Takes the words `CHARACTER SET`, if they are next.
pub(super) fn at_charset(cursor: &mut Cursor<'_>) -> bool {
    cursor.accept(&["CHARACTER", "SET"])
        || cursor.accept(&["CHAR", "SET"])
        || cursor.accept(&["CHARSET"])
}

/// Takes a character set and folds the old name of utf8mb3.
pub(super) fn charset_name(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let name = name_or_string(cursor)?.to_ascii_lowercase();
    // `utf8` is utf8mb3 (MySQL 8.0 and 8.4 manual; MariaDB's old_mode has UTF8_IS_UTF8MB3).
    Ok(if name == "utf8" { "utf8mb3".to_owned() } else { name })
}

/// Takes a collation, and folds the old name of utf8mb3 in it.
pub(super) fn collation_name(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let name = name_or_string(cursor)?.to_ascii_lowercase();
    Ok(name.strip_prefix("utf8_").map_or(name.clone(), |rest| format!("utf8mb3_{rest}")))
}

/// `FLOAT(p)` is FLOAT up to 24 and DOUBLE above (manual, "Floating-Point Types").
fn fold_float(data_type: &mut DataType) {
    let precision = data_type.number(0).unwrap_or(0);
    if data_type.name == "float" && data_type.args.len() == 1 && precision <= 53 {
        if data_type.number(0).is_some_and(|precision| precision > 24) {
            "double".clone_into(&mut data_type.name);
        }
        data_type.args.clear();
    }
}
