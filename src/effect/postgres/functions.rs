//! The server's own functions: how volatile they are and since when they exist.
//!
//! Read from pg_proc of PostgreSQL 12.22, 13.23, 14.23, 15.18, 16.14, 17.10 and 18.4: a line a name
//! with the volatilities of its overloads and the first major version that has it.

use std::sync::OnceLock;

use crate::schema::{Relation, Schema};
use crate::sql::ObjectName;
use crate::sql::ast::{Expr, Volatility};

const LIST: &str = include_str!("functions.txt");

/// A function of the server.
#[derive(Debug, Clone, Copy)]
struct BuiltIn {
    /// The least volatile of its overloads.
    least: Volatility,
    /// The most volatile of its overloads.
    most: Volatility,
    /// The first major version.
    since: u16,
}

fn first_word(line: &str) -> &str {
    line.split(' ').next().unwrap_or("")
}

fn built_in(name: &str) -> Option<BuiltIn> {
    static LINES: OnceLock<Vec<&'static str>> = OnceLock::new();
    let lines = LINES.get_or_init(|| LIST.lines().collect());
    let at = lines.binary_search_by(|line| first_word(line).cmp(name)).ok()?;
    let mut words = lines.get(at)?.split(' ').skip(1);
    let kinds = words.next()?;
    let since = words.next()?.parse().ok()?;
    let volatility = |letter: Option<char>| match letter {
        Some('i') => Volatility::Immutable,
        Some('s') => Volatility::Stable,
        _ => Volatility::Volatile,
    };
    let (least, most) = (volatility(kinds.chars().next()), volatility(kinds.chars().last()));
    Some(BuiltIn { least, most, since })
}

/// Says whether a written name may be that of a function of the server.
pub(super) fn is_built_in(function: &ObjectName) -> bool {
    function.schema().is_none_or(|schema| schema == "pg_catalog")
        && built_in(function.name()).is_some()
}

/// Keywords that act as functions: all are STABLE.
const KEYWORDS: &[&str] = &[
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "session_user",
    "user",
];

/// Forms of the grammar that look like calls and are IMMUTABLE.
const FORMS: &[&str] = &[
    "array",
    "cast",
    "coalesce",
    "exists",
    "grouping",
    "greatest",
    "least",
    "nullif",
    "overlay",
    "position",
    "row",
    "trim",
    "xmlconcat",
    "xmlelement",
    "xmlforest",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "json",
    "json_array",
    "json_object",
    "json_scalar",
    "json_serialize",
    "json_value",
    "json_query",
    "json_exists",
    "treat",
    "collation",
    "values",
    "in",
    "any",
    "all",
    "some",
    "not",
    "and",
    "or",
    "case",
    "when",
    "interval",
];

/// VOLATILE functions of the extensions that are shipped with the server (pg_proc of PostgreSQL 15
/// with each made), and of others that give random keys, which are taken for VOLATILE.
const EXTENSION_VOLATILE: &[&str] = &[
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
    "gen_random_bytes",
    "gen_salt",
    "uuid_generate_v7",
    "pgp_sym_encrypt",
    "pgp_sym_encrypt_bytea",
    "pgp_pub_encrypt",
    "pgp_pub_encrypt_bytea",
    "normal_rand",
    "nanoid",
    "gen_ulid",
    "generate_ulid",
    "cuid",
];

/// Functions of those extensions that are IMMUTABLE or STABLE (pg_proc of PostgreSQL 15;
/// those of PostGIS by its script, 2.5).
const EXTENSION_STABLE: &[&str] = &[
    "citext",
    "crypt",
    "digest",
    "hmac",
    "encrypt",
    "decrypt",
    "encrypt_iv",
    "decrypt_iv",
    "armor",
    "dearmor",
    "hstore",
    "akeys",
    "avals",
    "similarity",
    "word_similarity",
    "strict_word_similarity",
    "show_trgm",
    "uuid_generate_v3",
    "uuid_generate_v5",
    "uuid_nil",
    "uuid_ns_dns",
    "uuid_ns_oid",
    "uuid_ns_url",
    "uuid_ns_x500",
    "text2ltree",
    "ltree2text",
    "nlevel",
    "subpath",
    "subltree",
    "lca",
    "cube",
    "unaccent",
    "soundex",
    "levenshtein",
    "metaphone",
    "dmetaphone",
    "earth_distance",
    "ll_to_earth",
    "icount",
    "sort",
    "uniq",
    "st_makepoint",
    "st_setsrid",
    "st_point",
    "st_geomfromtext",
    "st_transform",
    "geography",
    "geometry",
    "to_tsquery",
];

/// Returns how volatile a call is; none when nobody knows the function.
pub(super) fn volatility(schema: &Schema, function: &ObjectName) -> Option<Volatility> {
    let name = function.name();
    if let Some((_, routines)) = schema.find_routines(function) {
        let kinds = routines.iter().map(|routine| routine.volatility);
        return kinds.max_by_key(|kind| rank(*kind));
    }
    let own = function.schema().is_none_or(|schema| schema == "pg_catalog");
    if own && KEYWORDS.contains(&name) {
        return Some(Volatility::Stable);
    }
    if own && FORMS.contains(&name) {
        return Some(Volatility::Immutable);
    }
    if own && let Some(known) = built_in(name) {
        // Where overloads differ, the volatile one is the odd one (`timezone` of a timetz).
        let mixed = rank(known.least) < rank(known.most);
        return Some(if mixed && known.most == Volatility::Volatile {
            Volatility::Stable
        } else {
            known.most
        });
    }
    if EXTENSION_VOLATILE.contains(&name) {
        return Some(Volatility::Volatile);
    }
    EXTENSION_STABLE.contains(&name).then_some(Volatility::Stable)
}

const fn rank(volatility: Volatility) -> u8 {
    match volatility {
        Volatility::Immutable => 0,
        Volatility::Stable => 1,
        Volatility::Volatile => 2,
    }
}

/// Says whether an expression is computed anew for every row. A function that nobody knows is
/// taken for what CREATE FUNCTION makes where nothing is written: VOLATILE.
pub(super) fn is_volatile(schema: &Schema, expr: &Expr) -> bool {
    any_volatile(schema, &expr.functions, 0)
}

/// An SQL function of one expression stands for that expression.
fn any_volatile(schema: &Schema, functions: &[ObjectName], depth: u8) -> bool {
    functions.iter().any(|function| {
        let inlined = schema.find_routines(function).and_then(|(_, routines)| match routines {
            [one] => one.inlined.as_deref(),
            _ => None,
        });
        match inlined {
            Some(inner) if depth < 8 => any_volatile(schema, inner, depth + 1),
            Some(_) | None => {
                volatility(schema, function).is_none_or(|kind| kind == Volatility::Volatile)
            }
        }
    })
}

/// Returns a function of the expression that is known not to be IMMUTABLE in any form.
pub(super) fn not_immutable<'e>(schema: &Schema, expr: &'e Expr) -> Option<&'e ObjectName> {
    expr.functions.iter().find(|function| {
        if schema.find_routines(function).is_none()
            && let Some(known) = built_in(function.name())
        {
            return known.least != Volatility::Immutable;
        }
        // An SQL function is put in place of its call first, and may be immutable then (PostgreSQL
        // manual, 36.5: inlining); CREATE INDEX accepts it, so nothing is certain.
        let own = schema.find_routines(function).map(|(_, routines)| routines);
        volatility(schema, function).is_some_and(|kind| kind != Volatility::Immutable)
            && own.is_some_and(|own| own.iter().all(|routine| routine.language != "sql"))
    })
}

/// Says whether an expression over a table is known to depend on the session's settings though its
/// functions have an IMMUTABLE form: on the zone where it takes a part of a `timestamptz`, on the
/// configuration where a text search names none (manual: Text Search Functions; pg_proc).
pub(super) fn depends_on_session(table: &Relation, expr: &Expr) -> bool {
    let text = expr.text.to_ascii_lowercase();
    let searches = ["to_tsvector(", "to_tsquery(", "plainto_tsquery(", "phraseto_tsquery("];
    let without = searches.iter().any(|call| {
        text.find(call).is_some_and(|at| {
            let arguments = text.get(at + call.len()..).unwrap_or("");
            !arguments.contains(',')
        })
    });
    let zoned = |column: &String| {
        let data_type = table.column(column).and_then(|column| column.data_type.as_ref());
        data_type.is_some_and(|t| t.name == "timestamptz" && t.array_dims == 0)
    };
    const CUTS: &[&str] = &["age", "date", "date_part", "date_trunc", "extract"];
    let cuts = expr.functions.iter().any(|f| CUTS.contains(&f.name()))
        || expr.casts.iter().any(|cast| {
            matches!(cast.name.as_str(), "date" | "time" | "timestamp" | "text" | "varchar")
        });
    let plain = expr.functions.len() + expr.casts.len() == 1;
    let zone = text.contains("time zone") || text.contains("timezone(");
    without || (expr.columns.len() == 1 && expr.columns.iter().any(zoned) && cuts && plain && !zone)
}

/// Returns a function that this version of the server lacks, with the version that has it.
pub(super) fn missing<'e>(schema: &Schema, expr: &'e Expr) -> Option<(&'e ObjectName, u16)> {
    expr.functions.iter().find_map(|function| {
        let own = function.schema().is_none_or(|schema| schema == "pg_catalog");
        let known = built_in(function.name()).filter(|_| own)?;
        let lacks = !schema.server.version.at_least(known.since, 0, 0)
            && schema.find_routines(function).is_none()
            // The extension brought it before the server did.
            && !(function.name() == "gen_random_uuid"
                && schema.extensions.contains_key("pgcrypto"));
        lacks.then_some((function, known.since))
    })
}
