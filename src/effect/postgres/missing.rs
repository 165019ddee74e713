//! Whether the object that a statement names is there: COMMENT, GRANT, ALTER, DROP of any kind.
//!
//! PostgreSQL 12 to 18 look it up before they do anything (get_object_address of objectaddress.c,
//! LookupFuncWithArgs of parse_func.c; measured, testdata/servers/postgres). What is not there is
//! only told where all is known: of a schema that is complete. An extension brings objects that no
//! statement names, and what belongs to the whole server is made by no migration: there it is only
//! possible that it is missing.

use super::sheet::Sheet;
use super::{casts, functions, there, types};
use crate::schema::{Name, Relation, RelationKind, Routine, Schema, TypeBody};
use crate::sql::ObjectName;
use crate::sql::ast::{DataType, ObjectKind, Signature};

/// An object that a statement names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    /// Its kind.
    pub(super) kind: ObjectKind,
    /// Its name.
    pub(super) name: &'a ObjectName,
    /// The table (or domain) of a part of it.
    pub(super) on: Option<&'a ObjectName>,
    /// The types that tell it from others.
    pub(super) signature: Option<&'a Signature>,
}

/// Why an object cannot be meant.
#[derive(Debug)]
struct Lack {
    when: &'static str,
    code: &'static str,
    detail: String,
}

impl Lack {
    fn missing(kind: ObjectKind, name: &impl std::fmt::Display, code: &'static str) -> Self {
        let detail = format!("{} \"{name}\" does not exist", kind.as_str());
        Self { when: "missing-object", code, detail }
    }

    fn wrong(detail: String) -> Self {
        Self { when: "wrong-object-kind", code: "42809", detail }
    }
}

/// Notes an object that is not there, or is of another kind. Says whether it is so for sure.
pub(super) fn lacks(sheet: &mut Sheet<'_>, named: Named<'_>) -> bool {
    let Some(lack) = lack(sheet, named) else { return false };
    let extended = lack.when == "missing-object"
        && !sheet.schema.extensions.is_empty()
        && !matches!(named.kind, ObjectKind::Extension | ObjectKind::Publication)
        && named.on.is_none();
    if extended || belongs_to_server(named.kind) {
        sheet.may_fail(lack.when, lack.code, lack.detail);
        return false;
    }
    sheet.fails(lack.when, lack.code, lack.detail);
    true
}

/// Says whether an object is known to be missing.
pub(super) fn is_missing(sheet: &Sheet<'_>, named: Named<'_>) -> bool {
    let known = sheet.schema.extensions.is_empty() && !belongs_to_server(named.kind);
    // A name that is not unique is there twice.
    let missing = |lack: Lack| lack.when == "missing-object" && lack.code != "42725";
    known && lack(sheet, named).is_some_and(missing)
}

/// Kinds whose objects all databases of a server share, or that the machine brings.
const fn belongs_to_server(kind: ObjectKind) -> bool {
    matches!(
        kind,
        ObjectKind::Role
            | ObjectKind::Database
            | ObjectKind::Tablespace
            | ObjectKind::Collation
            | ObjectKind::LargeObject
    )
}

fn lack(sheet: &Sheet<'_>, named: Named<'_>) -> Option<Lack> {
    let schema = sheet.schema;
    let Named { kind, name, .. } = named;
    if !schema.complete {
        return None;
    }
    match kind {
        ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Sequence => {
            schema.is_absent(name).then(|| Lack::missing(kind, name, "42P01"))
        }
        ObjectKind::Index => index(schema, name),
        ObjectKind::Type | ObjectKind::Domain => data_type(schema, named),
        ObjectKind::Function
        | ObjectKind::Procedure
        | ObjectKind::Routine
        | ObjectKind::Aggregate => routine(schema, named),
        ObjectKind::Schema => (!there::may_have_schema(sheet, name.name()))
            .then(|| Lack::missing(kind, name, "3F000")),
        ObjectKind::Trigger | ObjectKind::Rule | ObjectKind::Policy | ObjectKind::Constraint => {
            part(schema, named)
        }
        ObjectKind::DomainConstraint => domain_constraint(schema, named),
        ObjectKind::Extension => {
            (!there::has_extension(schema, name.name())).then(|| Lack::missing(kind, name, "42704"))
        }
        ObjectKind::Publication => (!schema.publications.contains_key(name.name()))
            .then(|| Lack::missing(kind, name, "42704")),
        ObjectKind::Statistics => {
            (!there::has_statistics(schema, name)).then(|| Lack::missing(kind, name, "42704"))
        }
        ObjectKind::Cast => cast(schema, named),
        ObjectKind::Operator => other(schema, named).map(|lack| Lack { code: "42883", ..lack }),
        ObjectKind::Language
        | ObjectKind::AccessMethod
        | ObjectKind::Collation
        | ObjectKind::Conversion
        | ObjectKind::OperatorClass
        | ObjectKind::OperatorFamily
        | ObjectKind::ForeignDataWrapper
        | ObjectKind::Server
        | ObjectKind::EventTrigger
        | ObjectKind::Subscription
        | ObjectKind::TextSearchConfiguration
        | ObjectKind::TextSearchDictionary
        | ObjectKind::TextSearchParser
        | ObjectKind::TextSearchTemplate
        | ObjectKind::Transform
        | ObjectKind::Role
        | ObjectKind::Tablespace => other(schema, named),
        ObjectKind::Database => other(schema, named).map(|lack| Lack { code: "3D000", ..lack }),
        ObjectKind::UserMapping => mapping(schema, named),
        ObjectKind::LargeObject => Some(Lack::missing(kind, name, "42704")),
        ObjectKind::Column
        | ObjectKind::Attribute
        | ObjectKind::Parameter
        | ObjectKind::Event
        | ObjectKind::Package => None,
    }
}

fn index(schema: &Schema, name: &ObjectName) -> Option<Lack> {
    if schema.find_index(name).is_some() {
        return None;
    }
    if schema.find(name).is_some() {
        return Some(Lack::wrong(format!("\"{name}\" is not an index")));
    }
    schema.is_absent(name).then(|| Lack::missing(ObjectKind::Index, name, "42P01"))
}

fn data_type(schema: &Schema, named: Named<'_>) -> Option<Lack> {
    let Named { kind, name, .. } = named;
    let wrong = || Lack::wrong(format!("\"{name}\" is not a domain"));
    if let Some(found) = schema.find_type(name) {
        let domain = matches!(found.kind, TypeBody::Domain(_));
        return (kind == ObjectKind::Domain && !domain).then(wrong);
    }
    // Every relation has a type for its rows, sequences had one before PostgreSQL 14.
    let rows = schema.find(name).is_some();
    let own = name.schema().is_none_or(|schema| schema == "pg_catalog");
    let written = name.name();
    if rows || (own && (types::is_known(written) || written.contains(' '))) || is_array(written) {
        return (kind == ObjectKind::Domain).then(wrong);
    }
    Some(Lack::missing(kind, name, "42704"))
}

/// The array of a user's type has a name of its own, and a type may be told by a column.
fn is_array(name: &str) -> bool {
    name.starts_with('_') || name.contains('%')
}

#[expect(clippy::wildcard_enum_match_arm, reason = "functions are what is left")]
fn routine(schema: &Schema, named: Named<'_>) -> Option<Lack> {
    let Named { kind, name, signature, .. } = named;
    let missing = || Lack::missing(kind, &called(name, signature), "42883");
    if functions::is_built_in(name) {
        return None;
    }
    let Some((_, overloads)) = schema.find_routines(name) else { return Some(missing()) };
    let meant: Vec<&Routine> =
        overloads.iter().filter(|own| signature.is_none_or(|types| takes(own, types))).collect();
    let fits = |own: &&&Routine| match kind {
        ObjectKind::Procedure => own.procedure,
        ObjectKind::Aggregate => own.aggregate,
        ObjectKind::Routine => true,
        _ => !own.procedure,
    };
    match (meant.is_empty(), meant.iter().filter(fits).count(), signature) {
        (true, _, _) | (_, 0, None) => Some(missing()),
        (_, 0, Some(_)) => Some(Lack::wrong(format!("{name} is not a {}", kind.as_str()))),
        (_, 1, _) | (_, _, Some(_)) => None,
        (_, _, None) => Some(Lack {
            when: "missing-object",
            code: "42725",
            detail: format!("{} name \"{name}\" is not unique", kind.as_str()),
        }),
    }
}

/// Returns a routine as the server writes it.
fn called(name: &ObjectName, signature: Option<&Signature>) -> String {
    let types = signature.map(|signature| {
        let names: Vec<&str> = signature.types.iter().map(|t| t.name.as_str()).collect();
        format!("({})", names.join(", "))
    });
    format!("{name}{}", types.unwrap_or_default())
}

/// Says whether two lists of arguments are the same.
pub(super) fn same_types(one: &[DataType], other: &[DataType]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(same_type)
}

fn same_type((one, other): (&DataType, &DataType)) -> bool {
    casts::own_name(&one.name) == casts::own_name(&other.name)
        && (one.array_dims > 0) == (other.array_dims > 0)
}

/// Notes an aggregate that a statement takes for a function. Says whether it is one.
pub(super) fn is_aggregate(sheet: &mut Sheet<'_>, named: Named<'_>) -> bool {
    let found = sheet.schema.find_routines(named.name);
    let mut meant = found
        .into_iter()
        .flat_map(|(_, all)| all)
        .filter(|own| named.signature.is_none_or(|types| takes(own, types)));
    let aggregate =
        named.kind == ObjectKind::Function && meant.next().is_some_and(|own| own.aggregate);
    if aggregate {
        let detail = format!("\"{}\" is an aggregate function", named.name);
        sheet.fails("wrong-object-kind", "42809", detail);
    }
    aggregate
}

/// Says whether a routine is the one with these types.
pub(super) fn takes(routine: &Routine, signature: &Signature) -> bool {
    let all = |types: &[DataType]| same_types(types, &routine.arguments);
    // OUT arguments of a procedure may be left out.
    let begins = signature.types.len() < routine.arguments.len()
        && signature.types.iter().zip(&routine.arguments).all(same_type);
    all(&signature.input) || all(&signature.types) || (routine.procedure && begins)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "constraints are what is left")]
fn part(schema: &Schema, named: Named<'_>) -> Option<Lack> {
    let Named { kind, name, on, .. } = named;
    let on = on?;
    let Some(table) = schema.find(on) else {
        return schema.is_absent(on).then(|| Lack::missing(ObjectKind::Table, on, "42P01"));
    };
    let own = name.name();
    // The rule of a view has a name of its own.
    let has = |table: &Relation| match kind {
        ObjectKind::Trigger => table.triggers.iter().any(|trigger| trigger.name == own),
        ObjectKind::Rule => {
            let view = matches!(table.kind, RelationKind::View | RelationKind::MaterializedView);
            (view && own == "_RETURN") || table.rules.iter().any(|rule| rule.name == own)
        }
        ObjectKind::Policy => table.policies.iter().any(|policy| policy.name == own),
        _ => table.constraint(own).is_some(),
    };
    if !table.complete || has(table) {
        return None;
    }
    let detail = format!("{} \"{name}\" for table \"{on}\" does not exist", kind.as_str());
    Some(Lack { when: "missing-object", code: "42704", detail })
}

fn domain_constraint(schema: &Schema, named: Named<'_>) -> Option<Lack> {
    let Named { name, on, .. } = named;
    let on = on?;
    if let Some(lack) = data_type(schema, Named { kind: ObjectKind::Domain, name: on, ..named }) {
        return Some(lack);
    }
    let TypeBody::Domain(domain) = &schema.find_type(on)?.kind else { return None };
    // NOT NULL has a name from PostgreSQL 17 on, which is not kept.
    let known = domain.not_null || domain.checks.iter().any(|(own, _, _)| own == name.name());
    (!known).then(|| {
        let detail = format!("constraint \"{name}\" for domain {on} does not exist");
        Lack { when: "missing-object", code: "42704", detail }
    })
}

fn cast(schema: &Schema, named: Named<'_>) -> Option<Lack> {
    let [from, to] = named.signature?.types.as_slice() else { return None };
    let made = schema.find_other(ObjectKind::Cast, named.name).is_some();
    let there = made || casts::is_listed(schema, from, to);
    let detail = format!("cast from type {} to type {} does not exist", from.name, to.name);
    (!there).then_some(Lack { when: "missing-object", code: "42704", detail })
}

/// The mapping of a user belongs to a server; the same user goes by several names.
fn mapping(schema: &Schema, named: Named<'_>) -> Option<Lack> {
    let server = ObjectName::bare(named.name.parts.last()?.clone());
    let of = Named { kind: ObjectKind::Server, name: &server, ..named };
    if let Some(lack) = other(schema, of) {
        return Some(lack);
    }
    let kind = ObjectKind::UserMapping.as_str();
    let mut all = schema.others.iter();
    let any = all.any(|((own, _), object)| *own == kind && object.of == server.name());
    (!any).then(|| {
        let detail = format!("no user mapping exists for server \"{server}\"");
        Lack { when: "missing-object", code: "42704", detail }
    })
}

fn other(schema: &Schema, named: Named<'_>) -> Option<Lack> {
    let Named { kind, name, .. } = named;
    if let (ObjectKind::OperatorClass | ObjectKind::OperatorFamily, Some(method)) = (kind, named.on)
    {
        let kind = ObjectKind::AccessMethod;
        if let Some(lack) = other(schema, Named { kind, name: method, on: None, signature: None }) {
            return Some(lack);
        }
    }
    let there = schema.find_other(kind, name).is_some() || is_own(kind, name);
    (!there).then(|| Lack::missing(kind, name, "42704"))
}

/// Says whether an object of a kind without a model of its own has this name already.
pub(super) fn is_taken(schema: &Schema, kind: ObjectKind, name: &Name) -> bool {
    let bare = ObjectName::bare(crate::sql::Ident::new(name.name.as_str(), Default::default()));
    let own = !matches!(kind, ObjectKind::OperatorFamily | ObjectKind::Conversion);
    schema.others.contains_key(&(kind.as_str(), name.clone()))
        || (own && !kind.has_schema() && is_own(kind, &bare))
}

/// The operators of the server, without those of one version (pg_operator of PostgreSQL 12 to 18).
const OPERATORS: &str = "!! !~ !~* !~~ !~~* # ## #- #> #>> % & && &< &<| &> * *< *<= *<> *= *> *>= \
    + - -> ->> -|- / < <-> << <<= <<| <= <> <@ <^ = > >= >> >>= >^ ? ?# ?& ?- ?-| ?| ?|| @ @-@ @> \
    @? @@ @@@ ^ ^@ | |&> |/ |>> || ||/ ~ ~* ~<=~ ~<~ ~= ~>=~ ~>~ ~~ ~~* !";

/// Says whether the server brings an object (pg_language, pg_am, pg_ts_config and their like of
/// PostgreSQL 12 to 18).
#[expect(clippy::wildcard_enum_match_arm, reason = "of the other kinds it brings none")]
fn is_own(kind: ObjectKind, name: &ObjectName) -> bool {
    let own = name.name();
    let listed = |list: &str| list.split(' ').any(|known| known == own);
    match kind {
        ObjectKind::Language => listed("internal c sql plpgsql"),
        ObjectKind::AccessMethod => listed("heap btree hash gist gin spgist brin"),
        ObjectKind::Collation => listed("default C POSIX ucs_basic") || own.ends_with("-x-icu"),
        ObjectKind::Conversion => own.contains("_to_"),
        ObjectKind::OperatorClass | ObjectKind::OperatorFamily => own.ends_with("_ops"),
        ObjectKind::Operator => {
            let symbol = own.rsplit('.').next().unwrap_or(own);
            OPERATORS.split_whitespace().any(|known| known == symbol.trim())
        }
        ObjectKind::TextSearchConfiguration => listed(CONFIGURATIONS),
        ObjectKind::TextSearchDictionary => own == "simple" || own.ends_with("_stem"),
        ObjectKind::TextSearchParser => own == "default",
        ObjectKind::TextSearchTemplate => listed("simple synonym ispell thesaurus snowball"),
        ObjectKind::Role => listed("postgres public current_user session_user current_role"),
        ObjectKind::Tablespace => listed("pg_default pg_global"),
        ObjectKind::Database => listed("postgres template0 template1"),
        _ => false,
    }
}

/// Text search configurations (pg_ts_config of PostgreSQL 12 to 18).
const CONFIGURATIONS: &str = "arabic armenian basque catalan danish dutch english estonian finnish \
    french german greek hindi hungarian indonesian irish italian lithuanian nepali norwegian \
    portuguese romanian russian serbian simple spanish swedish tamil turkish yiddish";
