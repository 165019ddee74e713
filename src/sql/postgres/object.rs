//! Naming any object, as COMMENT, DROP, SECURITY LABEL and ALTER do.

use super::{expr, names, types};
use crate::sql::ast::{ObjectKind, OwnerTo, Rename, SetSchema, Signature, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::expr as facts;
use crate::sql::name::{Ident, ObjectName};

/// An object: its kind, its name, and what else it takes to tell it from others.
#[derive(Debug)]
pub(super) struct Address {
    /// The kind.
    pub object: ObjectKind,
    /// The name; a text made up of the words written where it has none, as casts.
    pub name: ObjectName,
    /// The table (or domain) of a constraint, trigger, rule or policy.
    pub on: Option<ObjectName>,
    /// The types of a routine, an operator or a cast.
    pub signature: Option<Signature>,
}

impl Address {
    /// Returns the object of a kind with a name of its own.
    pub(super) fn named(object: ObjectKind, name: ObjectName) -> Self {
        Self { object, name, on: None, signature: None }
    }
}

/// The words of the grammar for each kind, longer ones before their beginnings.
const KINDS: &[(&[&str], ObjectKind)] = &[
    (&["TABLE"], ObjectKind::Table),
    (&["COLUMN"], ObjectKind::Column),
    (&["INDEX"], ObjectKind::Index),
    (&["VIEW"], ObjectKind::View),
    (&["MATERIALIZED", "VIEW"], ObjectKind::MaterializedView),
    (&["FUNCTION"], ObjectKind::Function),
    (&["PROCEDURE"], ObjectKind::Procedure),
    (&["ROUTINE"], ObjectKind::Routine),
    (&["AGGREGATE"], ObjectKind::Aggregate),
    (&["TYPE"], ObjectKind::Type),
    (&["DOMAIN"], ObjectKind::Domain),
    (&["SEQUENCE"], ObjectKind::Sequence),
    (&["SCHEMA"], ObjectKind::Schema),
    (&["TRIGGER"], ObjectKind::Trigger),
    (&["POLICY"], ObjectKind::Policy),
    (&["EXTENSION"], ObjectKind::Extension),
    (&["CONSTRAINT"], ObjectKind::Constraint),
    (&["RULE"], ObjectKind::Rule),
    (&["EVENT", "TRIGGER"], ObjectKind::EventTrigger),
    (&["FOREIGN", "TABLE"], ObjectKind::ForeignTable),
    (&["FOREIGN", "DATA", "WRAPPER"], ObjectKind::ForeignDataWrapper),
    (&["SERVER"], ObjectKind::Server),
    (&["PUBLICATION"], ObjectKind::Publication),
    (&["SUBSCRIPTION"], ObjectKind::Subscription),
    (&["STATISTICS"], ObjectKind::Statistics),
    (&["DATABASE"], ObjectKind::Database),
    (&["ROLE"], ObjectKind::Role),
    (&["TABLESPACE"], ObjectKind::Tablespace),
    (&["OPERATOR", "CLASS"], ObjectKind::OperatorClass),
    (&["OPERATOR", "FAMILY"], ObjectKind::OperatorFamily),
    (&["OPERATOR"], ObjectKind::Operator),
    (&["TEXT", "SEARCH", "CONFIGURATION"], ObjectKind::TextSearchConfiguration),
    (&["TEXT", "SEARCH", "DICTIONARY"], ObjectKind::TextSearchDictionary),
    (&["TEXT", "SEARCH", "PARSER"], ObjectKind::TextSearchParser),
    (&["TEXT", "SEARCH", "TEMPLATE"], ObjectKind::TextSearchTemplate),
    (&["ACCESS", "METHOD"], ObjectKind::AccessMethod),
    (&["COLLATION"], ObjectKind::Collation),
    (&["CONVERSION"], ObjectKind::Conversion),
    (&["CAST"], ObjectKind::Cast),
    (&["LANGUAGE"], ObjectKind::Language),
    (&["PROCEDURAL", "LANGUAGE"], ObjectKind::Language),
    (&["TRUSTED", "LANGUAGE"], ObjectKind::Language),
    (&["LARGE", "OBJECT"], ObjectKind::LargeObject),
    (&["TRANSFORM"], ObjectKind::Transform),
];

/// Takes the words for a kind of object, where they are next.
pub(super) fn kind(c: &mut Cursor<'_>) -> Option<ObjectKind> {
    KINDS.iter().find(|(words, _)| c.accept(words)).map(|&(_, kind)| kind)
}

/// Takes the object that follows the words for its kind.
pub(super) fn address(c: &mut Cursor<'_>, object: ObjectKind) -> Parsed<Address> {
    use ObjectKind as K;
    if matches!(object, K::Function | K::Procedure | K::Routine) {
        let name = names::function(c, "a function name")?;
        let signature = signature(c, arguments)?;
        return Ok(Address { object, name, on: None, signature });
    }
    if object == K::Aggregate {
        let name = names::function(c, "an aggregate name")?;
        let signature = signature(c, aggregate_arguments)?;
        if signature.is_none() {
            return Err(c.expected("("));
        }
        return Ok(Address { object, name, on: None, signature });
    }
    if object == K::Operator {
        return operator(c);
    }
    if matches!(object, K::OperatorClass | K::OperatorFamily) {
        let name = names::qualified(c, "a name")?;
        c.expect(&["USING"])?;
        let on = Some(ObjectName::bare(names::column_id(c, "an index method")?));
        return Ok(Address { object, name, on, signature: None });
    }
    if matches!(object, K::Type | K::Domain) {
        return Ok(Address::named(object, type_as_name(c)?));
    }
    if matches!(object, K::Constraint | K::Trigger | K::Rule | K::Policy) {
        return on_table(c, object);
    }
    if matches!(object, K::Cast | K::Transform | K::LargeObject | K::Role) {
        return without_name(c, object);
    }
    if has_no_schema(object) {
        let name = names::column_id(c, "a name")?;
        return Ok(Address::named(object, ObjectName::bare(name)));
    }
    Ok(Address::named(object, names::qualified(c, "a name")?))
}

fn type_as_name(c: &mut Cursor<'_>) -> Parsed<ObjectName> {
    let start = c.position();
    let data_type = types::data_type(c)?;
    let span = c.span_from(start);
    let parts = data_type.schema.iter().chain([&data_type.name]);
    Ok(ObjectName { parts: parts.map(|part| Ident::new(part.clone(), span)).collect() })
}

/// Takes an object that is told by the words written.
fn without_name(c: &mut Cursor<'_>, object: ObjectKind) -> Parsed<Address> {
    let start = c.position();
    let mut signature = None;
    if object == ObjectKind::Cast {
        c.expect_symbol("(")?;
        let from = types::data_type(c)?;
        c.expect(&["AS"])?;
        let to = types::data_type(c)?;
        c.expect_symbol(")")?;
        signature = Some(Signature { types: vec![from, to], input: Vec::new() });
    } else if object == ObjectKind::Transform {
        c.expect(&["FOR"])?;
        types::data_type(c)?;
        c.expect(&["LANGUAGE"])?;
        names::column_id(c, "a language")?;
    } else if object == ObjectKind::LargeObject {
        names::integer(c)?;
    } else {
        names::role(c)?;
    }
    Ok(Address { signature, ..Address::named(object, text_since(c, start)) })
}

/// Kinds whose names have one part.
fn has_no_schema(object: ObjectKind) -> bool {
    use ObjectKind as K;
    matches!(
        object,
        K::EventTrigger
            | K::Extension
            | K::Publication
            | K::Subscription
            | K::Tablespace
            | K::Schema
            | K::Database
            | K::Language
            | K::AccessMethod
            | K::ForeignDataWrapper
            | K::Server
    )
}

/// Returns a name of one part that is the text since a position.
fn text_since(c: &Cursor<'_>, start: usize) -> ObjectName {
    let tokens = c.sub(start, c.position());
    ObjectName::bare(Ident::new(facts::text(c, tokens.tokens()), c.span_from(start)))
}

fn on_table(c: &mut Cursor<'_>, object: ObjectKind) -> Parsed<Address> {
    let name = ObjectName::bare(names::column_id(c, "a name")?);
    c.expect(&["ON"])?;
    let domain = object == ObjectKind::Constraint && c.accept(&["DOMAIN"]);
    let on = Some(names::qualified(c, "a table name")?);
    let object = if domain { ObjectKind::DomainConstraint } else { object };
    Ok(Address { object, name, on, signature: None })
}

fn operator(c: &mut Cursor<'_>) -> Parsed<Address> {
    let start = c.position();
    expr::any_operator(c)?;
    let name = text_since(c, start);
    if c.text_at(1) == ")" {
        c.advance();
        return Err(c.expected("a type or NONE"));
    }
    let signature = signature(c, |c| {
        let side = |c: &mut Cursor<'_>| match c.accept(&["NONE"]) {
            true => Ok(None),
            false => types::data_type(c).map(Some),
        };
        let left = side(c)?;
        c.expect_symbol(",")?;
        let types = left.into_iter().chain(side(c)?).collect();
        Ok(Signature { types, input: Vec::new() })
    })?;
    if signature.is_none() {
        return Err(c.expected("("));
    }
    Ok(Address { object: ObjectKind::Operator, name, on: None, signature })
}

/// Takes an argument list in parentheses, where there is one.
fn signature<'a>(
    c: &mut Cursor<'a>,
    inner: impl FnOnce(&mut Cursor<'a>) -> Parsed<Signature>,
) -> Parsed<Option<Signature>> {
    if !c.accept_symbol("(") {
        return Ok(None);
    }
    let found = if c.at_symbol(")") { Signature::default() } else { inner(c)? };
    c.expect_symbol(")")?;
    Ok(Some(found))
}

fn arguments(c: &mut Cursor<'_>) -> Parsed<Signature> {
    let mut found = Signature::default();
    for argument in names::list(c, super::routine::argument)? {
        found.types.push(argument.data_type.clone());
        found.input.extend((!argument.out).then_some(argument.data_type));
    }
    Ok(found)
}

/// Takes `*`, `args`, `args ORDER BY args` or `ORDER BY args`.
pub(super) fn aggregate_arguments(c: &mut Cursor<'_>) -> Parsed<Signature> {
    let mut found = Signature::default();
    if c.accept_symbol("*") {
        return Ok(found);
    }
    if !c.at(&["ORDER", "BY"]) {
        found = arguments(c)?;
    }
    if c.accept(&["ORDER", "BY"]) {
        let ordered = arguments(c)?;
        found.types.extend(ordered.types);
        found.input.extend(ordered.input);
    }
    Ok(found)
}

/// Takes `[NO] DEPENDS ON EXTENSION name`, where it is next.
pub(super) fn depends_on_extension(c: &mut Cursor<'_>) -> Parsed<Option<Ident>> {
    if !c.at(&["DEPENDS"]) && !c.at(&["NO", "DEPENDS"]) {
        return Ok(None);
    }
    c.accept(&["NO"]);
    c.expect(&["DEPENDS", "ON", "EXTENSION"])?;
    names::column_id(c, "an extension").map(Some)
}

/// Takes `RENAME TO`, `OWNER TO`, `SET SCHEMA` or `DEPENDS ON EXTENSION`, where one is next.
pub(super) fn common_action(
    c: &mut Cursor<'_>,
    address: &Address,
    if_exists: bool,
) -> Parsed<Option<StatementKind>> {
    let object = address.object;
    let name = address.name.clone();
    if c.accept(&["RENAME", "TO"]) {
        let to = ObjectName::bare(names::word(c, "a name")?);
        let pairs = vec![(name, to)];
        let on = address.on.clone();
        let signature = address.signature.clone();
        let found = Rename { object, pairs, on, signature, if_exists };
        return Ok(Some(StatementKind::Rename(found)));
    }
    if c.accept(&["OWNER", "TO"]) {
        let owner = names::role(c)?;
        let signature = address.signature.clone();
        return Ok(Some(StatementKind::OwnerTo(OwnerTo { object, name, signature, owner })));
    }
    if c.accept(&["SET", "SCHEMA"]) {
        let schema = names::column_id(c, "a schema")?;
        let signature = address.signature.clone();
        let found = SetSchema { object, name, signature, schema, if_exists };
        return Ok(Some(StatementKind::SetSchema(found)));
    }
    let no = c.at(&["NO"]);
    if let Some(extension) = depends_on_extension(c)? {
        let mut other = super::other("depends-on-extension", Some(object), vec![name]);
        other.names.push(ObjectName::bare(extension));
        other.names.extend(address.on.clone());
        other.options.extend(no.then(|| "no".to_owned()));
        return Ok(Some(StatementKind::Other(other)));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn common_actions() {
        check("ALTER TYPE a RENAME TO b", "Rename(Rename { object: Type, pairs: [(a, b)] })");
        check(
            "ALTER FUNCTION app.f(int) OWNER TO joe",
            "OwnerTo(OwnerTo { object: Function, name: app.f, signature: Some(Signature { types: \
            [DataType { name: \"integer\" }], input: [DataType { name: \"integer\" }] }), \
            owner: \"joe\" })",
        );
        check("ALTER SCHEMA a RENAME TO b", "Rename(Rename { object: Schema, pairs: [(a, b)] })");
        check(
            "ALTER TRIGGER g ON t RENAME TO h",
            "Rename(Rename { object: Trigger, pairs: [(g, h)], on: Some(t) })",
        );
        check(
            "ALTER DOMAIN d SET SCHEMA app",
            "SetSchema(SetSchema { object: Domain, name: d, schema: app })",
        );
        check(
            "ALTER FUNCTION f DEPENDS ON EXTENSION e",
            "Other(Other { what: \"depends-on-extension\", object: Some(Function), names: [f, \
            e] })",
        );
        check(
            "ALTER TRIGGER g ON t",
            "! expected RENAME TO, OWNER TO or SET SCHEMA, found the end of the statement",
        );
        check(
            "ALTER COLLATION c REFRESH VERSION",
            "Other(Other { what: \"alter-collation\", object: Some(Collation), names: [c] })",
        );
    }
}
