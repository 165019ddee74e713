//! Casts between types: which the server makes by itself, and which it makes when asked to.
//!
//! Read from pg_cast of PostgreSQL 12.22, 13.23, 14.23, 15.18, 16.14, 17.10 and 18.4: a line a
//! cast with its context, its method, and the first and last major version where not all have it.
//! What pg_cast does not list goes through text (manual: CREATE CAST; find_coercion_pathway of
//! parse_coerce.c): to a string when a value is stored, from a string when it is asked for.

use crate::schema::{Schema, TypeBody};
use crate::sql::ast::{DataType, ObjectKind};

const LIST: &str = include_str!("casts.txt");

/// Where a cast is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Context {
    /// In an expression: operators, arguments, keys.
    Implicit,
    /// To store a value.
    Assignment,
    /// Where it is written.
    Explicit,
}

/// Says whether the server can turn values of a type into another. Of a type that nobody was seen
/// making it is believed when it is written, and for those of extensions that store texts.
pub(super) fn exists(schema: &Schema, from: &DataType, to: &DataType, context: Context) -> bool {
    exists_at(schema, from, to, context, 0)
}

/// Says whether it is known of both types which casts they have.
pub(super) fn are_known(schema: &Schema, from: &DataType, to: &DataType) -> bool {
    class(schema, from).is_some() && class(schema, to).is_some()
}

fn exists_at(schema: &Schema, from: &DataType, to: &DataType, context: Context, depth: u8) -> bool {
    let (from, to) = (base(schema, from), base(schema, to));
    if same(&from, &to) || has_own_casts(schema, &from, &to) {
        return true;
    }
    let text = |whole: &DataType| whole.array_dims == 0 && is_string(schema, &whole.name);
    let (Some(source), Some(target)) = (class(schema, &from), class(schema, &to)) else {
        let takes = matches!(to.name.as_str(), "citext" | "geometry" | "geography" | "hstore");
        return context == Context::Explicit || takes || text(&to);
    };
    // An array becomes another one where its elements do.
    if from.array_dims > 0 && to.array_dims > 0 && depth < 4 {
        let element = |whole: &DataType| whole.with_dims(0);
        return exists_at(schema, &element(&from), &element(&to), context, depth + 1);
    }
    let scalars = from.array_dims == 0 && to.array_dims == 0;
    if scalars
        && source == Class::Own
        && target == Class::Own
        && listed(schema, &from, &to, context)
    {
        return true;
    }
    match context {
        Context::Implicit => false,
        Context::Assignment => text(&to),
        Context::Explicit => text(&to) || text(&from),
    }
}

/// Returns the type below the domains of a type.
pub(super) fn base(schema: &Schema, data_type: &DataType) -> DataType {
    let mut current = data_type.clone();
    for _ in 0..32 {
        let domain = match schema.type_of(&current).map(|found| &found.kind) {
            Some(TypeBody::Domain(domain)) if current.array_dims == 0 => domain.base.clone(),
            _ => return current,
        };
        current = domain;
    }
    current
}

/// What is known of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// The server's own.
    Own,
    /// A user's: an enum, a composite or a range.
    User,
}

fn class(schema: &Schema, data_type: &DataType) -> Option<Class> {
    match schema.type_of(data_type).map(|found| &found.kind) {
        Some(TypeBody::Enum { .. } | TypeBody::Composite(_) | TypeBody::Range) => Some(Class::User),
        // A base type brings its casts along.
        Some(TypeBody::Base | TypeBody::Domain(_)) => None,
        None if data_type.schema.is_none() => {
            let known = super::types::is_built_in(own_name(&data_type.name));
            known.then_some(Class::Own)
        }
        None => None,
    }
}

fn same(from: &DataType, to: &DataType) -> bool {
    own_name(&from.name) == own_name(&to.name)
        && from.array_dims.min(1) == to.array_dims.min(1)
        && (from.schema == to.schema || from.schema.is_none() || to.schema.is_none())
}

/// Says whether somebody made a cast that may be this one.
fn has_own_casts(schema: &Schema, from: &DataType, to: &DataType) -> bool {
    let mentions = |text: &str, name: &str| {
        text.contains(name) || spellings(name).iter().any(|other| text.contains(other))
    };
    schema.others.keys().any(|(kind, name)| {
        let sides = name.name.split_once(" AS ").filter(|_| *kind == ObjectKind::Cast.as_str());
        sides.is_some_and(|(own, other)| mentions(own, &from.name) && mentions(other, &to.name))
    })
}

/// Returns how else the name of a type is written.
fn spellings(name: &str) -> &'static [&'static str] {
    match own_name(name) {
        "integer" => &["int", "int4"],
        "bigint" => &["int8"],
        "smallint" => &["int2"],
        "real" => &["float4"],
        "double precision" => &["float8", "float"],
        "boolean" => &["bool"],
        "numeric" => &["decimal"],
        "varchar" => &["character varying"],
        "bpchar" => &["char"],
        "timestamptz" => &["timestamp with time zone"],
        "timetz" => &["time with time zone"],
        _ => &[],
    }
}

/// Returns the name of a type in the list: what stands behind `serial`, and `char` with a length.
pub(super) fn own_name(name: &str) -> &str {
    match name {
        "serial" => "integer",
        "bigserial" => "bigint",
        "smallserial" => "smallint",
        "char" => "bpchar",
        other => other,
    }
}

/// Says whether pg_cast has a cast.
pub(super) fn is_listed(schema: &Schema, from: &DataType, to: &DataType) -> bool {
    let scalars = from.array_dims == 0 && to.array_dims == 0;
    scalars && (same(from, to) || listed(schema, from, to, Context::Explicit))
}

/// Says whether pg_cast has a cast for a context.
fn listed(schema: &Schema, from: &DataType, to: &DataType, context: Context) -> bool {
    let written = |name: &str| own_name(name).replace(' ', "_");
    let (from, to) = (written(&from.name), written(&to.name));
    let version = schema.server.version;
    LIST.lines().any(|line| {
        let mut words = line.split(' ');
        if words.next() != Some(from.as_str()) || words.next() != Some(to.as_str()) {
            return false;
        }
        let kind = match words.next() {
            Some("i") => Context::Implicit,
            Some("a") => Context::Assignment,
            _ => Context::Explicit,
        };
        words.next();
        let mut versions = words.filter_map(|word| word.parse::<u16>().ok());
        let since = versions.next().is_none_or(|first| version.at_least(first, 0, 0));
        let until = versions.next().is_none_or(|last| !version.at_least(last + 1, 0, 0));
        kind <= context && since && until
    })
}

/// Says whether a type is in the category of strings (pg_type.typcategory): `"char"` left it with
/// PostgreSQL 15.
fn is_string(schema: &Schema, name: &str) -> bool {
    matches!(own_name(name), "text" | "varchar" | "bpchar" | "name")
        || (name == "\"char\"" && !schema.server.version.at_least(15, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{Server, ServerKind, ServerVersion};

    #[track_caller]
    fn check(version: u16, from: &str, to: &str, contexts: [bool; 3]) {
        let version = ServerVersion::new(version, 0, 0);
        let schema = Schema::new(Server { kind: ServerKind::Postgres, version }, true);
        let named = |name: &str| match name.strip_suffix("[]") {
            Some(element) => DataType::named(element).with_dims(1),
            None => DataType::named(name),
        };
        let all = [Context::Implicit, Context::Assignment, Context::Explicit];
        let found = all.map(|context| exists(&schema, &named(from), &named(to), context));
        assert_eq!(found, contexts, "{from} to {to}");
    }

    #[test]
    fn casts_by_context() {
        check(15, "integer", "bigint", [true, true, true]);
        check(15, "bigint", "integer", [false, true, true]);
        check(15, "timestamp", "bigint", [false, false, false]);
        check(15, "integer", "text", [false, true, true]);
        check(15, "text", "integer", [false, false, true]);
        check(15, "integer[]", "bigint", [false, false, false]);
        check(15, "integer[]", "bigint[]", [true, true, true]);
        check(15, "integer[]", "text", [false, true, true]);
        check(17, "integer", "bytea", [false, false, false]);
        check(18, "integer", "bytea", [false, false, true]);
        check(14, "path", "point", [false, false, true]);
        check(15, "path", "point", [false, false, false]);
        check(15, "ratio", "point", [false, false, true]);
    }
}
