//! Which type changes write every row again, and which indexes they rebuild.
//!
//! PostgreSQL 12 to 18: a change is free when the new value is the old one seen as another type:
//! binary-coercible casts, limits that grow, domains without constraints, and timestamp to
//! timestamptz where the session's zone is UTC. Manual: ALTER TABLE, Notes; CREATE CAST; pg_cast
//! of the servers; measured, testdata/servers/postgres.

use super::casts;
use crate::effect::Context;
use crate::schema::{Schema, TypeBody};
use crate::sql::ast::{DataType, Expr, ExprShape};

/// What a type change costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    /// Nothing is touched.
    Free,
    /// Every row is written again.
    Rewrite,
    /// The server has no cast that it would use by itself.
    NoCast,
}

/// A type with its domain taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plain {
    name: String,
    args: Vec<String>,
    array_dims: u8,
    /// A user's type: enum, composite, or one that was never seen.
    user: bool,
}

/// Returns the type with every domain above it taken off, and whether one of them is constrained.
fn plain(schema: &Schema, data_type: &DataType) -> (Plain, bool) {
    let mut current = data_type.clone();
    let mut constrained = false;
    let mut depth = 0;
    while current.array_dims == 0
        && let Some(TypeBody::Domain(domain)) = schema.type_of(&current).map(|t| &t.kind)
    {
        constrained |= domain.not_null || !domain.checks.is_empty();
        current = domain.base.clone();
        depth += 1;
        if depth > 32 {
            break;
        }
    }
    let name = match current.name.as_str() {
        "serial" => "integer".to_owned(),
        "bigserial" => "bigint".to_owned(),
        "smallserial" => "smallint".to_owned(),
        other => other.to_owned(),
    };
    let user = schema.type_of(&current).is_some() || !is_built_in(&name);
    let array_dims = current.array_dims.min(1);
    (Plain { name, args: current.args.clone(), array_dims, user }, constrained)
}

/// Returns the server's own scalar type below the domains of a type, none for arrays and for what
/// users and extensions made.
pub(super) fn scalar(schema: &Schema, data_type: &DataType) -> Option<String> {
    let (plain, _) = plain(schema, data_type);
    (plain.array_dims == 0 && !plain.user).then_some(plain.name)
}

/// Says whether values of a type are kept as those of another: nothing is computed to see them so.
pub(super) fn is_kept_alike(schema: &Schema, from: &DataType, to: &DataType) -> bool {
    let ((from, _), (to, _)) = (plain(schema, from), plain(schema, to));
    let same = from.name == to.name && from.array_dims == to.array_dims;
    same || (from.array_dims + to.array_dims == 0 && is_binary(&from.name, &to.name))
}

/// Says whether a column of a type can be an identity.
pub(super) fn may_be_identity(schema: &Schema, data_type: &DataType) -> bool {
    let (plain, _) = plain(schema, data_type);
    plain.array_dims == 0 && matches!(plain.name.as_str(), "smallint" | "integer" | "bigint")
}

/// Says whether a domain, or one below it, has constraints.
pub(super) fn is_constrained(schema: &Schema, data_type: &DataType) -> bool {
    plain(schema, data_type).1
}

/// Says whether the type is a domain.
fn is_domain(schema: &Schema, data_type: &DataType) -> bool {
    data_type.array_dims == 0
        && matches!(schema.type_of(data_type).map(|t| &t.kind), Some(TypeBody::Domain(_)))
}

/// The server's own types, by the names that the grammar gives them, sorted.
const BUILT_IN: &str = "\"char\" aclitem bigint bit boolean box bpchar bytea char cid cidr circle \
    date datemultirange daterange double_precision inet int4multirange int4range int8multirange \
    int8range integer interval json jsonb jsonpath line lseg macaddr macaddr8 money name numeric \
    nummultirange numrange oid oidvector path pg_lsn point polygon real regclass regcollation \
    regconfig regdictionary regnamespace regoper regoperator regproc regprocedure regrole regtype \
    smallint text tid time timestamp timestamptz timetz tsmultirange tsquery tsrange \
    tstzmultirange tstzrange tsvector txid_snapshot uuid varbit varchar xid xid8 xml";

/// Says whether a name is one of the server's own types, `serial` and pseudo-types included.
pub(super) fn is_known(name: &str) -> bool {
    is_built_in(name)
        || matches!(
            name,
            "serial"
                | "bigserial"
                | "smallserial"
                | "trigger"
                | "event_trigger"
                | "void"
                | "record"
        )
        || name.starts_with("any")
        || name.starts_with("pg_")
        || name.ends_with("_handler")
        || matches!(name, "refcursor" | "cstring" | "internal" | "unknown" | "gtsvector")
        || matches!(name, "int2vector" | "cardinal_number" | "sql_identifier")
}

pub(super) fn is_built_in(name: &str) -> bool {
    let name = if name == "double precision" { "double_precision" } else { name };
    BUILT_IN.split_whitespace().any(|known| known == name)
}

/// The server's own types whose values are all of one length (pg_type.typstorage is `p`).
const FIXED_LENGTH: &str = "\"char\" bigint boolean box cid circle date double_precision integer \
    interval line lseg macaddr macaddr8 money name oid pg_lsn point real regclass regcollation \
    regconfig regdictionary regnamespace regoper regoperator regproc regprocedure regrole regtype \
    smallint tid time timestamp timestamptz timetz uuid xid xid8";

/// Says whether all values of a type have one length.
pub(super) fn is_fixed_length(schema: &Schema, data_type: &DataType) -> bool {
    let (plain, _) = plain(schema, data_type);
    let of_enum = matches!(schema.type_of(data_type).map(|t| &t.kind), Some(TypeBody::Enum { .. }));
    let name = plain.name.replace(' ', "_");
    let built_in = !plain.user && FIXED_LENGTH.split_whitespace().any(|known| known == name);
    plain.array_dims == 0 && (of_enum || built_in)
}

/// Returns what it costs to turn a column of one type into another.
pub(super) fn cost(
    schema: &Schema,
    context: &Context,
    old: &DataType,
    new: &DataType,
    using: Option<&Expr>,
) -> Cost {
    let Some(using) = using else { return step(schema, context, old, new, false) };
    if using.shape != ExprShape::Column && !is_cast_chain(using) {
        return Cost::Rewrite;
    }
    let mut current = old.clone();
    let mut free = true;
    for cast in &using.casts {
        match step(schema, context, &current, cast, true) {
            Cost::Free => {}
            Cost::Rewrite => free = false,
            Cost::NoCast => return Cost::NoCast,
        }
        current = cast.clone();
    }
    match step(schema, context, &current, new, false) {
        Cost::NoCast => Cost::NoCast,
        Cost::Free if free => Cost::Free,
        Cost::Free | Cost::Rewrite => Cost::Rewrite,
    }
}

/// Says whether a type takes every value of another, so that no row can make the change fail or
/// lose something. Manual, chapter 8: the ranges of the types.
pub(super) fn takes_all(schema: &Schema, old: Option<&DataType>, new: &DataType) -> bool {
    const RANKS: [&[&str]; 2] =
        [&["smallint", "integer", "bigint", "numeric"], &["date", "timestamp"]];
    let (to, constrained) = plain(schema, new);
    let unlimited = to.args.is_empty() && !constrained && to.array_dims == 0;
    if unlimited && matches!(to.name.as_str(), "text" | "varchar" | "citext") {
        return true;
    }
    let Some(old) = old else { return false };
    let (from, _) = plain(schema, old);
    if constrained || from.array_dims != to.array_dims || is_domain(schema, old) {
        return false;
    }
    let wider = RANKS.iter().any(|ranks| {
        let rank = |name: &str| ranks.iter().position(|known| *known == name);
        rank(&from.name).zip(rank(&to.name)).is_some_and(|(old, new)| old < new)
    });
    let zone = |name: &str| matches!(name, "timestamp" | "timestamptz");
    match (from.name.as_str(), to.name.as_str()) {
        (a, b) if a == b || (zone(a) && zone(b)) => limit(&to, Some(&from)) == Cost::Free,
        ("json", "jsonb") | ("jsonb", "json") | ("real", "double precision") => true,
        ("date", "timestamptz") => true,
        _ => wider && to.args.is_empty(),
    }
}

/// Says whether an expression is one column under casts.
fn is_cast_chain(expr: &Expr) -> bool {
    let text = expr.text.trim();
    let chain = text.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("cast("));
    chain
        && expr.columns.len() == 1
        && expr.functions.is_empty()
        && expr.casts.len() == 1
        && !text.contains(['+', '-', '*', '/', '|'])
}

/// One coercion.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are alike here")]
fn step(
    schema: &Schema,
    context: &Context,
    old: &DataType,
    new: &DataType,
    explicit: bool,
) -> Cost {
    let same_written = old.name == new.name && old.array_dims == new.array_dims;
    if same_written && is_domain(schema, new) {
        return Cost::Free;
    }
    let (from, _) = plain(schema, old);
    let (to, constrained) = plain(schema, new);
    // What a domain column holds has no limit of its own as far as the coercion can see.
    let limits_known = !is_domain(schema, old);
    let wanted = if explicit { casts::Context::Explicit } else { casts::Context::Assignment };
    let castable = casts::exists(schema, old, new, wanted);
    match coerce(context, &from, &to, limits_known, castable) {
        Cost::Free if constrained => Cost::Rewrite,
        other => other,
    }
}

fn coerce(context: &Context, from: &Plain, to: &Plain, limits_known: bool, castable: bool) -> Cost {
    let by_cast = if castable { Cost::Rewrite } else { Cost::NoCast };
    if from.array_dims > 0 || to.array_dims > 0 {
        let same = from.name == to.name && from.args == to.args && from.array_dims == to.array_dims;
        return if same { Cost::Free } else { by_cast };
    }
    if from.name == to.name {
        return limit(to, limits_known.then_some(from));
    }
    if is_binary(&from.name, &to.name) {
        return limit(to, None);
    }
    if matches!(
        (from.name.as_str(), to.name.as_str()),
        ("timestamp", "timestamptz") | ("timestamptz", "timestamp")
    ) && is_utc(context)
    {
        return limit(to, None);
    }
    by_cast
}

/// Returns what the new limit costs: nothing where it cannot cut or round a value.
fn limit(to: &Plain, from: Option<&Plain>) -> Cost {
    if to.args.is_empty() {
        return Cost::Free;
    }
    let old = from.map(|from| from.args.as_slice());
    if old == Some(to.args.as_slice()) {
        return Cost::Free;
    }
    let number = |args: &[String], at: usize| -> Option<i64> { args.get(at)?.parse().ok() };
    let grows = |at: usize| match (old.and_then(|old| number(old, at)), number(&to.args, at)) {
        (Some(old), Some(new)) => new >= old,
        _ => false,
    };
    let free = match to.name.as_str() {
        "varchar" | "varbit" => grows(0),
        "numeric" => {
            let same_scale = old.and_then(|old| number(old, 1)) == number(&to.args, 1);
            same_scale && grows(0)
        }
        // Six digits are all that is kept.
        "timestamp" | "timestamptz" | "time" | "timetz" => {
            grows(0) || number(&to.args, 0).is_some_and(|digits| digits >= 6)
        }
        "interval" => interval_grows(old, &to.args),
        _ => false,
    };
    if free { Cost::Free } else { Cost::Rewrite }
}

/// Fields of an interval, largest first.
const FIELDS: &[&str] = &["year", "month", "day", "hour", "minute", "second"];

/// An interval keeps what its last field says and everything larger; the first field cuts nothing.
fn interval_grows(old: Option<&[String]>, new: &[String]) -> bool {
    let Some(old) = old else { return false };
    let parse = |args: &[String]| {
        let digits = args.iter().find_map(|arg| arg.parse::<i64>().ok());
        let fields = args.iter().find(|arg| arg.parse::<i64>().is_err());
        let last = fields.and_then(|f| f.rsplit(' ').next()).unwrap_or("second");
        (digits.unwrap_or(6), FIELDS.iter().position(|field| *field == last).unwrap_or(5))
    };
    let ((old_digits, old_last), (new_digits, new_last)) = (parse(old), parse(new));
    new_last >= old_last && (new_last < 5 || old_last < 5 || new_digits >= old_digits)
}

/// The casts of pg_cast that change nothing (castmethod `b`), one way.
fn is_binary(from: &str, to: &str) -> bool {
    const REG: &[&str] = &[
        "regclass",
        "regcollation",
        "regconfig",
        "regdictionary",
        "regnamespace",
        "regoper",
        "regoperator",
        "regproc",
        "regprocedure",
        "regrole",
        "regtype",
    ];
    let id = |name: &str| matches!(name, "integer" | "oid") || REG.contains(&name);
    let related = |a: &str, b: &str| {
        matches!(
            (a, b),
            ("regproc", "regprocedure")
                | ("regprocedure", "regproc")
                | ("regoper", "regoperator")
                | ("regoperator", "regoper")
        )
    };
    if id(from) && id(to) {
        return matches!(from, "integer" | "oid")
            || matches!(to, "integer" | "oid")
            || related(from, to);
    }
    matches!(
        (from, to),
        ("text", "varchar" | "char" | "bpchar" | "citext")
            | ("varchar", "text" | "char" | "bpchar" | "citext")
            | ("citext", "text" | "varchar")
            | ("char", "bpchar")
            | ("bpchar", "char")
            | ("xml", "text" | "varchar" | "char" | "bpchar")
            | ("cidr", "inet")
            | ("bit", "varbit")
            | ("varbit", "bit")
    )
}

/// Says whether the session's time zone is at a constant offset of zero.
fn is_utc(context: &Context) -> bool {
    context.settings.get("timezone").is_some_and(|zone| {
        let zone = zone.trim_matches('\'').to_ascii_lowercase();
        matches!(
            zone.as_str(),
            "utc"
                | "gmt"
                | "etc/utc"
                | "etc/gmt"
                | "zulu"
                | "etc/zulu"
                | "uct"
                | "etc/uct"
                | "universal"
                | "etc/universal"
                | "greenwich"
                | "etc/greenwich"
                | "gmt0"
                | "gmt+0"
                | "gmt-0"
                | "etc/gmt+0"
                | "etc/gmt-0"
                | "etc/gmt0"
                | "0"
                | "+0"
                | "+00"
        )
    })
}

/// The operator class family that an index uses by default: where it changes with the type, the
/// index is built anew though no row changes.
pub(super) fn index_family(schema: &Schema, data_type: &DataType) -> String {
    let (plain, _) = plain(schema, data_type);
    if plain.array_dims > 0 {
        return format!("{}[]", plain.name);
    }
    match plain.name.as_str() {
        "text" | "varchar" => "text",
        "cidr" | "inet" => "inet",
        "char" | "bpchar" => "bpchar",
        "oid" | "regclass" | "regproc" | "regtype" | "regrole" | "regnamespace" | "regoper"
        | "regoperator" | "regprocedure" | "regconfig" | "regdictionary" | "regcollation" => "oid",
        other => other,
    }
    .to_owned()
}
