//! What the server refuses of CREATE INDEX, whatever rows there are.
//!
//! PostgreSQL 12 to 18, manual: CREATE INDEX; measured, testdata/servers/postgres.

use super::sheet::Sheet;
use super::{functions, key, method, reloptions, there};
use crate::schema::Name;
use crate::sql::Ident;
use crate::sql::ast::{CreateIndex, Expr, GeneratedStorage, IndexKind, Key, KeyPart, ObjectKind};

/// Notes the first thing that the server refuses. Says whether there is one.
pub(super) fn refused(sheet: &mut Sheet<'_>, create: &CreateIndex, table: &Name) -> bool {
    let definition = &create.index;
    if definition.nulls_not_distinct && sheet.needs_version(15, "NULLS NOT DISTINCT") {
        return true;
    }
    if let Some(tablespace) = &definition.tablespace {
        there::may_lack_tablespace(sheet, tablespace);
    }
    let found = sheet.table(table);
    reloptions::index_refused(sheet, definition.method.as_deref(), &definition.options)
        || definition.parts.iter().any(|part| key_refused(sheet, table, &part.key))
        || definition
            .parts
            .iter()
            .any(|part| lacks_class(sheet, definition.method.as_deref(), part))
        || there::lacks_column(sheet, table, definition.include.iter().map(Ident::as_str))
        || method::refused(sheet, definition, found)
        || definition.predicate.iter().any(|predicate| predicate_refused(sheet, table, predicate))
        || is_uncovered(sheet, create, table)
}

fn key_refused(sheet: &mut Sheet<'_>, table: &Name, key: &Key) -> bool {
    let found = sheet.table(table);
    match key {
        Key::Column(column) => {
            if there::lacks_column(sheet, table, std::iter::once(column.as_str())) {
                return true;
            }
            let known = found.and_then(|found| found.column(column.as_str()));
            let generated = known.and_then(|known| known.generated.as_ref());
            let computed = generated.is_some_and(|g| g.storage != GeneratedStorage::Stored);
            if computed {
                let detail = "indexes on virtual generated columns are not supported".to_owned();
                sheet.fails("unique-on-expression", "0A000", detail);
            }
            computed
        }
        Key::Expr(expr) => {
            if there::expr_lacks_column(sheet, table, expr) {
                return true;
            }
            let function = functions::not_immutable(sheet.schema, expr);
            let mutable = function.is_some()
                || found.is_some_and(|found| functions::depends_on_session(found, expr));
            if mutable {
                let detail = "functions in index expression must be marked IMMUTABLE".to_owned();
                sheet.fails("not-immutable", "42P17", detail);
            }
            mutable
        }
    }
}

fn predicate_refused(sheet: &mut Sheet<'_>, table: &Name, predicate: &Expr) -> bool {
    if there::expr_lacks_column(sheet, table, predicate) {
        return true;
    }
    if let Some(function) = functions::not_immutable(sheet.schema, predicate) {
        let detail = format!("function {function}() in an index predicate is not immutable");
        sheet.fails("not-immutable", "42P17", detail);
        return true;
    }
    if predicate.has_subquery {
        let detail = "cannot use a subquery in an index predicate".to_owned();
        sheet.fails("check-with-subquery", "0A000", detail);
    }
    predicate.has_subquery
}

/// The operator classes of the server: method and name, read from pg_opclass of PostgreSQL 12.22
/// to 18.4.
const CLASSES: &str = include_str!("opclasses.txt");

/// Notes an operator class that nobody made. Says whether it is missing. Collations are those of
/// the machine.
fn lacks_class(sheet: &mut Sheet<'_>, method: Option<&str>, part: &KeyPart) -> bool {
    const EVERYWHERE: &[&str] = &["default", "C", "POSIX", "ucs_basic", "unicode", "und-x-icu"];
    let schema = sheet.schema;
    let made = |kind: ObjectKind| schema.others.keys().any(|(known, _)| *known == kind.as_str());
    let closed = schema.complete && schema.extensions.is_empty();
    if let Some(collation) = part.collation.as_deref()
        && !EVERYWHERE.contains(&collation)
        && closed
        && !made(ObjectKind::Collation)
    {
        let detail = format!("collation \"{collation}\" may be missing");
        sheet.may_fail("missing-object", "42704", detail);
    }
    let Some(class) = part.opclass.as_deref() else { return false };
    let method = method.unwrap_or("btree");
    // Parameters of the class and its schema are written with it.
    let name = class.split('(').next().unwrap_or(class).trim();
    let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
    let known = CLASSES.lines().any(|line| line.split_once(' ') == Some((method, name)));
    let missing = !known && closed && !made(ObjectKind::OperatorClass) && !name.contains('.');
    if missing {
        let detail = format!("operator class \"{name}\" does not exist for method \"{method}\"");
        sheet.fails("missing-object", "42704", detail);
    }
    missing
}

/// A unique index of a partitioned table holds all the columns that it is partitioned by, and those
/// that its partitions are, where it is made there too.
fn is_uncovered(sheet: &mut Sheet<'_>, create: &CreateIndex, table: &Name) -> bool {
    if create.index.kind != IndexKind::Unique {
        return false;
    }
    let parts = &create.index.parts;
    let family = sheet.family(table, create.only);
    let mut divided = family.iter().filter_map(|member| sheet.table(member)?.partition_by.as_ref());
    let uncovered = divided.any(|by| !key::covers(parts, by));
    if uncovered {
        let detail = "a unique index on a partitioned table has to hold all partition columns";
        sheet.fails("unique-on-expression", "0A000", detail.to_owned());
    }
    uncovered
}
