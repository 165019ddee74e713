//! Operators, casts, collations, languages, text search: objects that are defined by a list.

use super::{call, expr, names, object, options, other, types};
use crate::sql::ast::{ObjectKind, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::lexer::TokenKind;
use crate::sql::name::{Ident, ObjectName};

/// Takes one of these behind `CREATE`, where one is next.
pub(super) fn create(c: &mut Cursor<'_>) -> Parsed<Option<StatementKind>> {
    let found = if c.accept(&["CAST"]) {
        cast(c)?
    } else if c.accept(&["OPERATOR", "CLASS"]) {
        operator_class(c)?
    } else if c.accept(&["OPERATOR", "FAMILY"]) {
        let address = object::address(c, ObjectKind::OperatorFamily)?;
        done("create-operator-family", address.object, address.name)
    } else if c.accept(&["OPERATOR"]) {
        let start = c.position();
        expr::any_operator(c)?;
        let name = since(c, start);
        options::settings(c)?;
        done("create-operator", ObjectKind::Operator, name)
    } else if c.accept(&["COLLATION"]) {
        collation(c)?
    } else if c.accept(&["DEFAULT", "CONVERSION"]) || c.accept(&["CONVERSION"]) {
        let name = names::qualified(c, "a conversion name")?;
        c.expect(&["FOR"])?;
        names::string(c)?;
        c.expect(&["TO"])?;
        names::string(c)?;
        c.expect(&["FROM"])?;
        names::qualified(c, "a function name")?;
        done("create-conversion", ObjectKind::Conversion, name)
    } else if c.accept(&["ACCESS", "METHOD"]) {
        let name = ObjectName::bare(names::column_id(c, "an access method name")?);
        c.expect(&["TYPE"])?;
        if c.accept_any(&["INDEX", "TABLE"]).is_none() {
            return Err(c.expected("INDEX or TABLE"));
        }
        c.expect(&["HANDLER"])?;
        names::qualified(c, "a function name")?;
        done("create-access-method", ObjectKind::AccessMethod, name)
    } else if c.at(&["TEXT", "SEARCH"]) {
        text_search(c)?
    } else {
        return Ok(None);
    };
    Ok(Some(found))
}

fn done(what: &'static str, object: ObjectKind, name: ObjectName) -> StatementKind {
    StatementKind::Other(other(what, Some(object), vec![name]))
}

/// Returns a name of one part that is the text since a position.
fn since(c: &Cursor<'_>, start: usize) -> ObjectName {
    let tokens = c.sub(start, c.position());
    ObjectName::bare(Ident::new(crate::sql::expr::text(c, tokens.tokens()), c.span_from(start)))
}

fn cast(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let start = c.position();
    let address = object::address(c, ObjectKind::Cast)?;
    let end = c.position();
    let mut function = None;
    if c.accept(&["WITH", "FUNCTION"]) {
        function = Some(object::address(c, ObjectKind::Function)?.name);
    } else if !c.accept(&["WITHOUT", "FUNCTION"]) {
        c.expect(&["WITH", "INOUT"])?;
    }
    if c.accept(&["AS"]) && c.accept_any(&["IMPLICIT", "ASSIGNMENT"]).is_none() {
        return Err(c.expected("IMPLICIT or ASSIGNMENT"));
    }
    let (from, to) = cast_types(&mut c.sub(start, end))?;
    let names = vec![address.name, from, to];
    let mut found = other("create-cast", Some(ObjectKind::Cast), names);
    found.options.extend(function.map(|function| format!("function {function}")));
    Ok(StatementKind::Other(found))
}

/// Takes the names of the types in `(a AS b)`.
fn cast_types(c: &mut Cursor<'_>) -> Parsed<(ObjectName, ObjectName)> {
    let name = |written: crate::sql::ast::DataType| {
        let parts = written.schema.clone().into_iter().chain([written.name.clone()]);
        ObjectName { parts: parts.map(|part| Ident::new(part, written.span)).collect() }
    };
    c.expect_symbol("(")?;
    let from = types::data_type(c)?;
    c.expect(&["AS"])?;
    Ok((name(from), name(types::data_type(c)?)))
}

fn operator_class(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let name = names::qualified(c, "an operator class name")?;
    c.accept(&["DEFAULT"]);
    c.expect(&["FOR", "TYPE"])?;
    types::data_type(c)?;
    c.expect(&["USING"])?;
    names::column_id(c, "an index method")?;
    if c.accept(&["FAMILY"]) {
        names::qualified(c, "an operator family")?;
    }
    c.expect(&["AS"])?;
    names::list(c, class_item)?;
    Ok(done("create-operator-class", ObjectKind::OperatorClass, name))
}

/// Takes `OPERATOR 1 <`, `FUNCTION 1 f(int)`, `STORAGE int`.
fn class_item(c: &mut Cursor<'_>) -> Parsed<()> {
    if c.accept(&["STORAGE"]) {
        return types::data_type(c).map(|_| ());
    }
    if c.accept(&["OPERATOR"]) {
        names::integer(c)?;
        expr::any_operator(c)?;
        if c.at_symbol("(") {
            operand_types(c)?;
        }
        if c.accept(&["FOR", "ORDER", "BY"]) {
            names::qualified(c, "an operator family")?;
        } else {
            c.accept(&["FOR", "SEARCH"]);
        }
        c.accept(&["RECHECK"]);
        return Ok(());
    }
    c.expect(&["FUNCTION"])?;
    names::integer(c)?;
    if c.at_symbol("(") {
        operand_types(c)?;
    }
    object::address(c, ObjectKind::Function).map(|_| ())
}

fn operand_types(c: &mut Cursor<'_>) -> Parsed<()> {
    call::enclosed(c, |c| {
        names::list(
            c,
            |c| {
                if c.accept(&["NONE"]) { Ok(()) } else { types::data_type(c).map(|_| ()) }
            },
        )
        .map(|_| ())
    })
}

fn collation(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let if_not_exists = names::if_not_exists(c);
    let name = names::qualified(c, "a collation name")?;
    if c.accept(&["FROM"]) {
        names::qualified(c, "a collation")?;
    } else {
        options::settings(c)?;
    }
    let mut found = other("create-collation", Some(ObjectKind::Collation), vec![name]);
    found.options.extend(if_not_exists.then(|| "if not exists".to_owned()));
    Ok(StatementKind::Other(found))
}

fn text_search(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let Some(object) = object::kind(c) else {
        return Err(c.expected("TEXT SEARCH CONFIGURATION, DICTIONARY, PARSER or TEMPLATE"));
    };
    let name = names::qualified(c, "a name")?;
    options::settings(c)?;
    Ok(done("create-text-search", object, name))
}

/// Takes what follows `CREATE [OR REPLACE] [TRUSTED] [PROCEDURAL] LANGUAGE`.
pub(super) fn create_language(c: &mut Cursor<'_>, or_replace: bool) -> Parsed<StatementKind> {
    let name = ObjectName::bare(names::column_id(c, "a language name")?);
    if c.accept(&["HANDLER"]) {
        names::qualified(c, "a function name")?;
        if c.accept(&["INLINE"]) {
            names::qualified(c, "a function name")?;
        }
        if c.accept(&["VALIDATOR"]) {
            names::qualified(c, "a function name")?;
        } else {
            c.accept(&["NO", "VALIDATOR"]);
        }
    }
    let mut found = other("create-language", Some(ObjectKind::Language), vec![name]);
    found.options.extend(or_replace.then(|| "or replace".to_owned()));
    Ok(StatementKind::Other(found))
}

/// Takes what follows `CREATE [OR REPLACE] TRANSFORM`.
pub(super) fn create_transform(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let address = object::address(c, ObjectKind::Transform)?;
    call::enclosed(c, |c| {
        names::list(c, |c| {
            if c.accept_any(&["FROM", "TO"]).is_none() {
                return Err(c.expected("FROM SQL or TO SQL"));
            }
            c.expect(&["SQL", "WITH", "FUNCTION"])?;
            object::address(c, ObjectKind::Function)
        })
        .map(|_| ())
    })?;
    Ok(done("create-transform", ObjectKind::Transform, address.name))
}

/// Takes what follows `ALTER` and the words for one of these kinds.
pub(super) fn alter(c: &mut Cursor<'_>, object: ObjectKind) -> Parsed<StatementKind> {
    use ObjectKind as K;
    let address = object::address(c, object)?;
    if let Some(common) = object::common_action(c, &address, false)? {
        return Ok(common);
    }
    let what = if object == K::Operator {
        c.expect(&["SET"])?;
        options::settings(c)?;
        "alter-operator"
    } else if object == K::OperatorFamily {
        family(c)?;
        "alter-operator-family"
    } else if object == K::Collation {
        c.expect(&["REFRESH", "VERSION"])?;
        "alter-collation"
    } else if object == K::TextSearchDictionary {
        options::settings(c)?;
        "alter-text-search"
    } else if object == K::TextSearchConfiguration {
        mapping(c)?;
        "alter-text-search"
    } else {
        return Err(c.expected("RENAME TO, OWNER TO or SET SCHEMA"));
    };
    Ok(done(what, object, address.name))
}

fn family(c: &mut Cursor<'_>) -> Parsed<()> {
    match c.accept_any(&["ADD", "DROP"]) {
        Some("ADD") => names::list(c, class_item).map(|_| ()),
        Some(_) => names::list(c, |c| {
            if c.accept_any(&["OPERATOR", "FUNCTION"]).is_none() {
                return Err(c.expected("OPERATOR or FUNCTION"));
            }
            names::integer(c)?;
            operand_types(c)
        })
        .map(|_| ()),
        None => Err(c.expected("ADD, DROP, RENAME TO, OWNER TO or SET SCHEMA")),
    }
}

fn mapping(c: &mut Cursor<'_>) -> Parsed<()> {
    let tokens = |c: &mut Cursor<'_>| names::list(c, |c| names::column_id(c, "a token type"));
    let dictionaries = |c: &mut Cursor<'_>| names::qualified_list(c, "a dictionary");
    match c.accept_any(&["ADD", "ALTER", "DROP"]) {
        Some("DROP") => {
            c.expect(&["MAPPING"])?;
            names::if_exists(c);
            c.expect(&["FOR"])?;
            tokens(c)?;
            Ok(())
        }
        Some(_) => {
            c.expect(&["MAPPING"])?;
            if c.accept(&["FOR"]) {
                tokens(c)?;
            }
            if c.accept(&["REPLACE"]) {
                names::qualified(c, "a dictionary")?;
            }
            c.expect(&["WITH"])?;
            dictionaries(c).map(|_| ())
        }
        None => Err(c.expected("ADD MAPPING, ALTER MAPPING or DROP MAPPING")),
    }
}

/// Takes what follows `ALTER LARGE OBJECT`.
pub(super) fn alter_large_object(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    if !names::at_kind(c, TokenKind::Number) {
        return Err(c.expected("a number"));
    }
    alter(c, ObjectKind::LargeObject)
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn forms() {
        check(
            "CREATE CAST (app.a AS text) WITH FUNCTION f(app.a) AS IMPLICIT",
            "Other(Other { what: \"create-cast\", object: Some(Cast), names: [(app.a AS \
            text), app.a, text], options: [\"function f\"] })",
        );
        check(
            "CREATE OPERATOR app.=== (leftarg = int, rightarg = int, function = f, commutator \
            = OPERATOR(app.===))",
            "Other(Other { what: \"create-operator\", object: Some(Operator), names: \
            [app.===] })",
        );
        check(
            "CREATE OPERATOR CLASS c DEFAULT FOR TYPE int USING btree AS OPERATOR 1 <, \
            FUNCTION 1 f(int, int), STORAGE int",
            "Other(Other { what: \"create-operator-class\", object: Some(OperatorClass), \
            names: [c] })",
        );
        check(
            "CREATE COLLATION IF NOT EXISTS c (provider = icu, locale = 'de')",
            "Other(Other { what: \"create-collation\", object: Some(Collation), names: [c], \
            options: [\"if not exists\"] })",
        );
        check(
            "CREATE TRUSTED LANGUAGE l HANDLER h INLINE i VALIDATOR v",
            "Other(Other { what: \"create-language\", object: Some(Language), names: [l] })",
        );
        check(
            "ALTER OPERATOR + (int, int) SET (RESTRICT = NONE)",
            "Other(Other { what: \"alter-operator\", object: Some(Operator), names: [+] })",
        );
        check(
            "ALTER TEXT SEARCH CONFIGURATION c ADD MAPPING FOR a, b WITH d",
            "Other(Other { what: \"alter-text-search\", object: \
            Some(TextSearchConfiguration), names: [c] })",
        );
        check(
            "CREATE TRANSFORM FOR int LANGUAGE l (FROM SQL WITH FUNCTION f(internal), TO SQL \
            WITH FUNCTION g(internal))",
            "Other(Other { what: \"create-transform\", object: Some(Transform), names: [FOR \
            int LANGUAGE l] })",
        );
        check("CREATE OPERATOR x ()", "! expected ., found \"(\"");
    }
}
