//! Indexes and the parts of partitioned ones: how they are named and built.
//!
//! PostgreSQL 12 to 18, DefineIndex (indexcmds.c), CompareIndexInfo (index.c); measured,
//! testdata/servers/postgres.

use super::sheet::Sheet;
use super::source;
use crate::schema::{Index, Name, Relation, RelationKind, made_up_name};
use crate::sql::Ident;
use crate::sql::ast::IndexKind;

/// Notes an index build that reads the whole table.
pub(super) fn build(sheet: &mut Sheet<'_>, table: &Name, index: &Name, cause: &'static str) {
    if sheet.table(table).is_some_and(|found| !found.has_storage()) {
        return;
    }
    sheet.scan(table, cause, source::INDEX);
    sheet.build(table, index, cause, false);
}

/// Returns the name that an index of a partitioned table gets on a partition.
pub(super) fn part_index_name(
    sheet: &Sheet<'_>,
    table: &Relation,
    columns: &[&str],
    label: &str,
) -> Name {
    let home = table.name.schema.clone();
    let columns = if label == "pkey" { String::new() } else { columns.join("_") };
    let taken = |name: &str| sheet.schema.is_taken(&Name::new(home.clone(), name));
    let name = made_up_name(&table.name.name, &columns, label, taken);
    Name::new(home, name)
}

/// Builds the part of a partitioned index on a partition, and on what lies below it, where there is
/// no equal index that serves as the part.
pub(super) fn build_below(sheet: &mut Sheet<'_>, child: &Relation, index: &Index) {
    if child.kind == RelationKind::Foreign {
        return;
    }
    let columns = index_columns(index);
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let name = part_index_name(sheet, child, &columns, label(index));
    let cause = if index.primary { "add-primary-key" } else { "create-index" };
    build(sheet, &child.name, &name, cause);
    build_on_partitions(sheet, child, index);
}

/// Builds the parts of an index on the partitions of a table.
pub(super) fn build_on_partitions(sheet: &mut Sheet<'_>, table: &Relation, index: &Index) {
    for part in sheet.schema.partitions(&table.name) {
        if !part.indexes.iter().any(|own| is_equal(index, own)) {
            build_below(sheet, part, index);
        }
    }
}

/// Says whether an index of a partition serves as its part of a partitioned one.
pub(super) fn is_equal(index: &Index, own: &Index) -> bool {
    own.parent.is_none() && index.is_served_by(own)
}

/// Returns the columns that the made-up name of an index shows.
pub(super) fn index_columns(index: &Index) -> Vec<String> {
    let include = index.include.iter();
    let include: Vec<Ident> =
        include.map(|name| Ident::new(name.as_str(), crate::sql::Span::default())).collect();
    crate::schema::index_column_names(&index.parts, &include)
}

/// Returns the label of an index's made-up name.
pub(super) fn label(index: &Index) -> &'static str {
    match (&index.constraint, index.primary) {
        (_, true) => "pkey",
        (Some(_), false) if index.kind == IndexKind::Unique => "key",
        (Some(_), false) => "excl",
        (None, false) => "idx",
    }
}
