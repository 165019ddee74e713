//! What the server refuses of CREATE TABLE, whatever rows there are.
//!
//! PostgreSQL 12 to 18, manual: CREATE TABLE; measured, testdata/servers/postgres.

use super::create::constraints;
use super::sheet::Sheet;
use super::{column, foreign_table, functions, method, reloptions, table_refused, there};
use crate::schema::{Column, Demand, Origin, Relation, RelationKind};
use crate::sql::ObjectName;
use crate::sql::ast::{
    ColumnDef, ConstraintKind, CreateTable, DataType, ExcludeConstraint, Expr, ForeignKey,
    GeneratedStorage, Key, KeyPart,
};

/// What the server refuses whatever exists.
pub(super) fn refused(sheet: &mut Sheet<'_>, create: &CreateTable) -> bool {
    if there::lacks_home(sheet, &create.name)
        || foreign_table::create_refused(sheet, create)
        || sources_refused(sheet, create)
        || parents_refused(sheet, create)
    {
        return true;
    }
    for column in &create.columns {
        sheet.at(column.span);
        if column_refused(sheet, create, column) {
            return true;
        }
    }
    if constraints_refused(sheet, create)
        || partitioning_refused(sheet, create)
        || storage_refused(sheet, create)
        || foreign_keys_refused(sheet, create)
    {
        return true;
    }
    let keys = constraints(create)
        .filter(|(added, _)| matches!(added.kind, ConstraintKind::PrimaryKey(_)));
    if keys.count() > 1 {
        let detail = format!("multiple primary keys for table \"{}\"", create.name);
        sheet.fails("duplicate-object", "42P16", detail);
        return true;
    }
    false
}

fn column_refused(sheet: &mut Sheet<'_>, create: &CreateTable, column: &ColumnDef) -> bool {
    if create.columns.iter().filter(|c| c.name.value == column.name.value).count() > 1 {
        let detail = format!("column \"{}\" specified more than once", column.name);
        sheet.fails("duplicate-parts", "42701", detail);
        return true;
    }
    if column::type_refused(sheet, column) {
        return true;
    }
    let serial = column
        .data_type
        .as_ref()
        .is_some_and(|data_type| data_type.schema.is_none() && data_type.name.ends_with("serial"));
    let sources = [
        (serial, "default of serial"),
        (column.default.is_some(), "default"),
        (column.identity.is_some(), "identity"),
        (column.generated.is_some(), "generation expression"),
    ];
    let mut written = sources.iter().filter(|(written, _)| *written).map(|(_, what)| *what);
    if let (Some(one), Some(other)) = (written.next(), written.next()) {
        let detail = format!("both {one} and {other} specified for column \"{}\"", column.name);
        sheet.fails("syntax", "42601", detail);
        return true;
    }
    if let Some(generated) = &column.generated {
        let lacks = match generated.storage {
            GeneratedStorage::Stored => false,
            GeneratedStorage::Virtual => sheet.needs_version(18, "VIRTUAL"),
            GeneratedStorage::Unspecified => sheet.needs_version(18, "GENERATED without STORED"),
        };
        if lacks {
            return true;
        }
        if expression_refused(sheet, create, &generated.expr, true) {
            return true;
        }
        if let Some(function) = functions::not_immutable(sheet.schema, &generated.expr) {
            let detail = format!("generation expression is not immutable: {function}()");
            sheet.fails("not-immutable", "42P17", detail);
            return true;
        }
    }
    if let Some(default) = &column.default {
        let data_type = column.data_type.as_ref();
        if column::default_reads(sheet, default)
            || column::uses_fresh_value(sheet, column)
            || column::missing_function(sheet, default)
            || data_type.is_some_and(|t| super::literal::refused(sheet, t, default))
        {
            return true;
        }
    }
    for (option, major) in [("compression", 14), ("storage", 16)] {
        let written = column.options.iter().any(|(name, _)| name == option);
        if written && sheet.needs_version(major, "this column option") {
            return true;
        }
    }
    false
}

/// Keys and partitions by columns that the table lacks, and names that two constraints have.
fn constraints_refused(sheet: &mut Sheet<'_>, create: &CreateTable) -> bool {
    let alone = is_alone(create);
    let has = |name: &str| create.columns.iter().any(|column| column.name.as_str() == name);
    let mut names: Vec<&str> = Vec::new();
    for (added, _) in constraints(create) {
        sheet.at(added.span);
        if let Some(name) = &added.name {
            if names.contains(&name.as_str()) {
                let detail = format!("constraint \"{name}\" exists already");
                sheet.fails("duplicate-object", "42710", detail);
                return true;
            }
            names.push(name.as_str());
        }
        if let ConstraintKind::Check(check) = &added.kind
            && expression_refused(sheet, create, check, false)
        {
            return true;
        }
        if let ConstraintKind::Exclude(exclude) = &added.kind
            && lacks_class(sheet, create, exclude)
        {
            return true;
        }
        let (ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key)) = &added.kind else {
            continue;
        };
        if !key.without_overlaps && parts_lack_class(sheet, create, &key.parts, "btree") {
            return true;
        }
        let keys = key.parts.iter().filter_map(|part| part.key.column());
        let included = key.include.iter().map(crate::sql::Ident::as_str);
        if let Some(missing) = keys.chain(included).find(|column| alone && !has(column)) {
            let detail = format!("column \"{missing}\" named in key does not exist");
            sheet.fails("missing-column", "42703", detail);
            return true;
        }
    }
    false
}

/// A column of EXCLUDE whose type has no operators for the method.
fn lacks_class(sheet: &mut Sheet<'_>, create: &CreateTable, exclude: &ExcludeConstraint) -> bool {
    let method = exclude.method.as_deref().unwrap_or("btree");
    parts_lack_class(sheet, create, &exclude.parts, method)
}

fn parts_lack_class(
    sheet: &mut Sheet<'_>,
    create: &CreateTable,
    parts: &[KeyPart],
    method: &str,
) -> bool {
    parts.iter().filter(|part| part.opclass.is_none()).any(|part| {
        let named = |column: &&ColumnDef| Some(column.name.as_str()) == part.key.column();
        let data_type = create.columns.iter().find(named).and_then(|own| own.data_type.as_ref());
        data_type.is_some_and(|data_type| method::type_lacks_class(sheet, data_type, method))
    })
}

/// An expression over the row names columns of the table; one that generates a column, no other
/// generated one.
fn expression_refused(
    sheet: &mut Sheet<'_>,
    create: &CreateTable,
    expr: &Expr,
    generates: bool,
) -> bool {
    // Fields of a composite column and what a query names have the form of columns too.
    if expr.has_subquery || expr.text.contains(").") {
        return false;
    }
    for word in &expr.columns {
        let found = create.columns.iter().find(|column| column.name.as_str() == word);
        let system = word == create.name.name() || there::SYSTEM.contains(&word.as_str());
        if found.is_none() && is_alone(create) && !system {
            let detail = format!("column \"{word}\" does not exist");
            sheet.fails("missing-column", "42703", detail);
            return true;
        }
        if generates && found.is_some_and(|column| column.generated.is_some()) {
            let detail = "cannot use a generated column in a column generation expression";
            sheet.fails("column-in-use", "42P17", detail.to_owned());
            return true;
        }
    }
    false
}

/// INHERITS takes tables, LIKE what has columns of its own, OF a composite type.
fn sources_refused(sheet: &mut Sheet<'_>, create: &CreateTable) -> bool {
    let schema = sheet.schema;
    let known = |name: &ObjectName| {
        schema.find(name).filter(|found| found.origin != Origin::Assumed).map(|found| found.kind)
    };
    for parent in &create.inherits {
        let kind = known(parent);
        if kind.is_some_and(|kind| !matches!(kind, RelationKind::Table | RelationKind::Foreign)) {
            let detail = format!("inherited relation \"{parent}\" is not a table or foreign table");
            sheet.fails("wrong-object-kind", "42809", detail);
            return true;
        }
    }
    for like in &create.likes {
        if known(&like.source) == Some(RelationKind::Sequence) {
            let detail = format!("relation \"{}\" is invalid in LIKE clause", like.source);
            sheet.fails("wrong-object-kind", "42809", detail);
            return true;
        }
    }
    create.of_type.as_ref().is_some_and(|of| table_refused::no_composite(sheet, of))
}

/// Columns of parents and of LIKE: of one name, parents have one type, and LIKE none beside it.
fn parents_refused(sheet: &mut Sheet<'_>, create: &CreateTable) -> bool {
    let mut inherited: Vec<Shape<'_>> = Vec::new();
    for parent in &create.inherits {
        let Some(parent) = sheet.schema.find(parent) else { continue };
        for column in parent.columns.iter().map(shape) {
            if inherited.iter().any(|other| conflicts(other, &column)) {
                let detail = format!("inherited column \"{}\" has a type conflict", column.0);
                sheet.fails("type-mismatch", "42804", detail);
                return true;
            }
            inherited.push(column);
        }
    }
    let written = create.columns.iter();
    let mut own: Vec<Shape<'_>> =
        written.map(|column| (column.name.as_str(), column.data_type.as_ref())).collect();
    for like in &create.likes {
        let Some(source) = sheet.schema.find(&like.source) else { continue };
        for column in source.columns.iter().map(shape) {
            if own.iter().any(|other| other.0 == column.0) {
                let detail = format!("column \"{}\" specified more than once", column.0);
                sheet.fails("duplicate-parts", "42701", detail);
                return true;
            }
            own.push(column);
        }
    }
    let conflict = own.iter().find(|column| inherited.iter().any(|other| conflicts(other, column)));
    if let Some((conflict, _)) = conflict {
        let detail = format!("column \"{conflict}\" has a type conflict");
        sheet.fails("type-mismatch", "42804", detail);
        return true;
    }
    let twice = create.inherits.iter().enumerate().find(|(at, parent)| {
        create.inherits.iter().take(*at).any(|other| other.to_string() == parent.to_string())
    });
    if let Some((_, parent)) = twice {
        let detail = format!("relation \"{parent}\" would be inherited from more than once");
        sheet.fails("duplicate-object", "42P07", detail);
    }
    twice.is_some() || checks_refused(sheet, create)
}

/// A CHECK has the name of one that is inherited only where both say the same (PostgreSQL 12 to 18,
/// MergeCheckConstraint, MergeWithExistingConstraint).
fn checks_refused(sheet: &mut Sheet<'_>, create: &CreateTable) -> bool {
    let mut known: Vec<(&str, String)> = Vec::new();
    let of = create.partition_of.iter().map(|of| &of.parent);
    let parents = create.inherits.iter().chain(of);
    let parents = parents.filter_map(|parent| sheet.schema.find(parent));
    let inherited = parents.flat_map(|parent| &parent.constraints).filter(|own| !own.no_inherit);
    let own = create.constraints.iter().chain(create.columns.iter().flat_map(|c| &c.constraints));
    let inherited = inherited.filter_map(|own| match &own.kind {
        Demand::Check(check) => Some((own.name.as_str(), said(check))),
        Demand::PrimaryKey(_)
        | Demand::Unique(_)
        | Demand::Exclude(_)
        | Demand::ForeignKey { .. }
        | Demand::NotNull(_) => None,
    });
    let own = own.filter_map(|added| match (&added.name, &added.kind) {
        (Some(name), ConstraintKind::Check(check)) => Some((name.as_str(), said(check))),
        _ => None,
    });
    for (name, check) in inherited.chain(own) {
        if known.iter().any(|(other, said)| *other == name && *said != check) {
            let detail = format!("constraint \"{name}\" exists already with another expression");
            sheet.fails("duplicate-object", "42710", detail);
            return true;
        }
        known.push((name, check));
    }
    false
}

/// What a condition says, however it is spaced and put in parentheses.
pub(super) fn said(check: &Expr) -> String {
    let plain = |c: &char| !c.is_whitespace() && !matches!(c, '(' | ')');
    check.text.to_ascii_lowercase().chars().filter(plain).collect()
}

/// The name and the type of a column.
type Shape<'c> = (&'c str, Option<&'c DataType>);

fn shape(column: &Column) -> Shape<'_> {
    (column.name.as_str(), column.data_type.as_ref())
}

/// Says whether two columns have one name and different types.
fn conflicts(one: &Shape<'_>, other: &Shape<'_>) -> bool {
    let kind = |data_type: &DataType| (plain(&data_type.name).to_owned(), data_type.array_dims > 0);
    match (one.1, other.1) {
        (Some(left), Some(right)) => {
            one.0 == other.0 && (kind(left) != kind(right) || left.args != right.args)
        }
        _ => false,
    }
}

/// The type that stands behind `serial` and its kin.
fn plain(name: &str) -> &str {
    match name {
        "serial" => "integer",
        "bigserial" => "bigint",
        "smallserial" => "smallint",
        other => other,
    }
}

/// Says whether the columns of a new table are those written, and no others.
fn is_alone(create: &CreateTable) -> bool {
    create.likes.is_empty()
        && create.inherits.is_empty()
        && create.partition_of.is_none()
        && create.of_type.is_none()
        && create.query.is_none()
}

/// Keys of partitions: of columns that are there, of functions that are IMMUTABLE, and one alone
/// for lists.
fn partitioning_refused(sheet: &mut Sheet<'_>, create: &CreateTable) -> bool {
    let Some(by) = &create.partition_by else { return false };
    if by.strategy == "list" && by.keys.len() > 1 {
        let detail = "cannot use \"list\" partition strategy with more than one column".to_owned();
        sheet.fails("partition-bound", "42P17", detail);
        return true;
    }
    if !create.inherits.is_empty() {
        let detail = "cannot create partitioned table as inheritance child".to_owned();
        sheet.fails("wrong-object-kind", "42P16", detail);
        return true;
    }
    for part in &by.keys {
        if key_refused(sheet, create, part) {
            return true;
        }
    }
    false
}

fn key_refused(sheet: &mut Sheet<'_>, create: &CreateTable, part: &KeyPart) -> bool {
    let has = |name: &str| create.columns.iter().any(|column| column.name.as_str() == name);
    let words: Vec<&str> = match &part.key {
        Key::Column(column) => vec![column.as_str()],
        Key::Expr(expr) => expr.columns.iter().map(String::as_str).collect(),
    };
    if let Some(missing) = words.into_iter().find(|column| is_alone(create) && !has(column)) {
        let detail = format!("column \"{missing}\" named in partition key does not exist");
        sheet.fails("missing-column", "42703", detail);
        return true;
    }
    if let Key::Expr(expr) = &part.key
        && functions::not_immutable(sheet.schema, expr).is_some()
    {
        let detail = "functions in partition key expression must be marked IMMUTABLE".to_owned();
        sheet.fails("not-immutable", "42P17", detail);
        return true;
    }
    false
}

/// Storage parameters and the access method.
fn storage_refused(sheet: &mut Sheet<'_>, create: &CreateTable) -> bool {
    if let Some(method) = &create.access_method
        && there::lacks_method(sheet, method, &["heap"])
    {
        return true;
    }
    if let Some(tablespace) = &create.tablespace {
        there::may_lack_tablespace(sheet, tablespace);
    }
    let heap = create.access_method.as_deref().is_none_or(|method| method == "heap");
    let stored = heap && create.partition_by.is_none() && !create.foreign;
    stored && reloptions::refused(sheet, &create.options)
}

/// Foreign keys between columns that cannot be compared.
fn foreign_keys_refused(sheet: &mut Sheet<'_>, create: &CreateTable) -> bool {
    for (added, _) in constraints(create) {
        let ConstraintKind::ForeignKey(key) = &added.kind else { continue };
        sheet.at(added.span);
        let own = key.parent.parts.len() == 1 && key.parent.name() == create.name.name();
        let keyed = constraints(create)
            .any(|(other, _)| matches!(other.kind, ConstraintKind::PrimaryKey(_)));
        if own && is_alone(create) && key.parent_columns.is_empty() && !keyed {
            let detail =
                format!("there is no primary key for referenced table \"{}\"", create.name);
            sheet.fails("parent-not-unique", "42704", detail);
            return true;
        }
        let Some(parent) = sheet.schema.find(&key.parent) else { continue };
        if key_differs(sheet, create, key, parent) {
            return true;
        }
    }
    false
}

fn key_differs(
    sheet: &mut Sheet<'_>,
    create: &CreateTable,
    key: &ForeignKey,
    parent: &Relation,
) -> bool {
    if super::foreign_key::width_differs(sheet, key, &parent.name) {
        return true;
    }
    let referenced: Vec<String> = match key.parent_columns.as_slice() {
        [] => parent.primary_key().map(<[String]>::to_vec).unwrap_or_default(),
        written => written.iter().map(|column| column.value.clone()).collect(),
    };
    for (child, other) in key.columns.iter().zip(&referenced) {
        let own = create.columns.iter().find(|column| column.name.value == child.value);
        let Some(own) = own.and_then(|column| column.data_type.as_ref()) else { continue };
        let Some(other) = parent.column(other).and_then(|column| column.data_type.as_ref()) else {
            continue;
        };
        if super::foreign_key::are_incomparable(sheet, own, other) {
            let detail = format!(
                "key columns \"{child}\" ({}) and ({}) are of incompatible types",
                own.name, other.name
            );
            sheet.fails("type-mismatch", "42804", detail);
            return true;
        }
    }
    false
}
