//! CREATE TABLE and CREATE VIEW: what they take from relations that exist.
//!
//! PostgreSQL 12 to 18, DefineRelation and MergeAttributes (tablecmds.c), transformTableLikeClause
//! (parse_utilcmd.c), DefineVirtualRelation (view.c); measured, testdata/servers/postgres.

use super::foreign_key;
use super::sheet::Sheet;
use super::{create_refused, dml, key, part_index, partition, there, view as columns, words};
use crate::effect::LockMode::{AccessExclusive, AccessShare, ShareUpdateExclusive};
use crate::schema::{Name, Relation, RelationKind};
use crate::sql::ast::{
    ColumnDef, ConstraintKind, CreateTable, CreateView, ForeignKey, KeyConstraint, KeyPart,
    ObjectKind, Persistence, TableConstraint,
};

/// Effects of CREATE TABLE.
///
/// The new table is locked too, but nobody can see it. Referenced tables are locked against writes
/// (SHARE ROW EXCLUSIVE), parents by inheritance against schema changes, the parent of a partition
/// against everything.
pub(super) fn table(sheet: &mut Sheet<'_>, create: &CreateTable) {
    let name = sheet.schema.new_name(&create.name);
    if exists(sheet, create, &name) {
        return;
    }
    if create_refused::refused(sheet, create) {
        return;
    }
    sheet.made = Some(name.clone());
    for like in &create.likes {
        // A composite type has columns too.
        let composite = sheet.schema.find_type(&like.source).is_some();
        if !composite && let Some(source) = sheet.existing(&like.source, false) {
            sheet.lock(&source, AccessShare, "create-table-like");
        }
    }
    for parent in &create.inherits {
        if sheet.schema.find(parent).is_some_and(Relation::is_partitioned) {
            let detail = format!("cannot inherit from partitioned table \"{parent}\"");
            sheet.fails("wrong-object-kind", "42809", detail);
            return;
        }
        if sheet.schema.find(parent).is_some_and(|found| found.partition_of.is_some()) {
            let detail = format!("cannot inherit from partition \"{parent}\"");
            sheet.fails("wrong-object-kind", "42809", detail);
            return;
        }
        if let Some(parent) = sheet.existing(parent, false) {
            sheet.lock(&parent, ShareUpdateExclusive, "create-table-inherits");
        }
    }
    if let Some(of) = &create.partition_of
        && let Some(parent) = sheet.existing(&of.parent, false)
    {
        let wrong = create.persistence == Persistence::Temporary
            && sheet.table(&parent).is_some_and(|p| p.persistence != Persistence::Temporary);
        if wrong {
            let detail = "cannot create a temporary partition of a permanent table".to_owned();
            sheet.fails("wrong-object-kind", "42809", detail);
            return;
        }
        partition::create_of(sheet, &parent, &of.bound);
    }
    for (added, on) in constraints(create) {
        sheet.at(added.span);
        add(sheet, create, &name, added, on);
    }
    copied_indexes(sheet, create, &name);
    if let Some(query) = &create.query {
        let written = create.columns.iter().map(|column| &column.name);
        if words::refused(sheet, query) || columns::names_twice(sheet, query, written) {
            return;
        }
        let how = if create.with_no_data { dml::Use::Stored } else { dml::Use::Run };
        dml::reads(sheet, query, "create-table-as", how);
        if create.columns.is_empty() {
            sheet.leaves("no-primary-key", name.to_string(), &name);
        }
    } else if is_keyless(sheet, create) {
        sheet.leaves("no-primary-key", name.to_string(), &name);
    }
}

/// Returns the table constraints and those of the columns, in order.
pub(super) fn constraints(
    create: &CreateTable,
) -> impl Iterator<Item = (&TableConstraint, Option<&ColumnDef>)> {
    let inline = create
        .columns
        .iter()
        .flat_map(|column| column.constraints.iter().map(move |added| (added, Some(column))));
    inline.chain(create.constraints.iter().map(|added| (added, None)))
}

fn exists(sheet: &mut Sheet<'_>, create: &CreateTable, name: &Name) -> bool {
    let known = sheet.table(name).is_some_and(|old| old.origin != crate::schema::Origin::Assumed);
    let temporary = create.persistence == Persistence::Temporary;
    if !(known || sheet.schema.index_tables.contains_key(name)) || temporary {
        return false;
    }
    if !create.if_not_exists {
        let detail = format!("relation \"{}\" exists already", create.name);
        sheet.fails("duplicate-object", "42P07", detail);
    }
    true
}

fn add(
    sheet: &mut Sheet<'_>,
    create: &CreateTable,
    name: &Name,
    added: &TableConstraint,
    on: Option<&ColumnDef>,
) {
    if added.not_enforced && sheet.needs_version(18, "NOT ENFORCED") {
        return;
    }
    match &added.kind {
        ConstraintKind::PrimaryKey(key) => new_key(sheet, create, name, added, key, "pkey"),
        ConstraintKind::Unique(key) => new_key(sheet, create, name, added, key, "key"),
        ConstraintKind::Exclude(exclude) => {
            let key = KeyConstraint { parts: exclude.parts.clone(), ..KeyConstraint::default() };
            new_key(sheet, create, name, added, &key, "excl");
        }
        ConstraintKind::ForeignKey(key) => new_foreign_key(sheet, create, name, added, key),
        ConstraintKind::Check(check) => {
            if check.has_subquery {
                let detail = "cannot use a subquery in a check constraint".to_owned();
                sheet.fails("check-with-subquery", "0A000", detail);
            }
        }
        ConstraintKind::NotNull(_) => {
            if on.is_none() {
                sheet.needs_version(18, "NOT NULL as a table constraint");
            }
        }
        ConstraintKind::PrimaryKeyUsingIndex(_) | ConstraintKind::UniqueUsingIndex(_) => {}
    }
}

fn new_key(
    sheet: &mut Sheet<'_>,
    create: &CreateTable,
    table: &Name,
    added: &TableConstraint,
    key: &KeyConstraint,
    label: &str,
) {
    if (key.nulls_not_distinct && sheet.needs_version(15, "NULLS NOT DISTINCT"))
        || (key.without_overlaps && sheet.needs_version(18, "WITHOUT OVERLAPS"))
    {
        return;
    }
    if let Some(by) = &create.partition_by {
        if !key::covers(&key.parts, by) {
            let detail = "a unique key of a partitioned table has to hold all partition columns";
            sheet.fails("unique-on-expression", "0A000", detail.to_owned());
        }
        return;
    }
    let cause = match label {
        "pkey" => "add-primary-key",
        "key" => "add-unique",
        _ => "add-exclusion",
    };
    let name = match &added.name {
        Some(name) => name.value.clone(),
        None => made_up(sheet, table, &key.parts, key, label),
    };
    let index = Name::new(table.schema.clone(), name);
    sheet.build_empty(table, &index, cause);
}

fn made_up(
    sheet: &Sheet<'_>,
    table: &Name,
    parts: &[KeyPart],
    key: &KeyConstraint,
    label: &str,
) -> String {
    let columns = crate::schema::index_column_names(parts, &key.include);
    let columns = if label == "pkey" { String::new() } else { columns.join("_") };
    let taken = |name: &str| sheet.schema.is_taken(&Name::new(table.schema.clone(), name));
    crate::schema::made_up_name(&table.name, &columns, label, taken)
}

fn new_foreign_key(
    sheet: &mut Sheet<'_>,
    create: &CreateTable,
    name: &Name,
    added: &TableConstraint,
    key: &ForeignKey,
) {
    if (key.period && sheet.needs_version(18, "PERIOD"))
        || (key.set_columns && sheet.needs_version(15, "SET NULL (columns)"))
    {
        return;
    }
    let own = key.parent.name() == name.name
        && key.parent.schema().is_none_or(|schema| schema == name.schema);
    if !own
        && let Some(parent) = foreign_key::referenced(sheet, name, Some(create.persistence), key)
    {
        foreign_key::lock_referenced(sheet, &parent, "create-table-foreign-key");
    }
    let leads = |parts: &[KeyPart]| {
        let wanted: Vec<&str> = key.columns.iter().map(crate::sql::Ident::as_str).collect();
        parts.len() >= wanted.len()
            && parts
                .iter()
                .take(wanted.len())
                .all(|part| part.key.column().is_some_and(|column| wanted.contains(&column)))
    };
    let indexed = constraints(create).any(|(other, _)| match &other.kind {
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => leads(&key.parts),
        ConstraintKind::PrimaryKeyUsingIndex(_)
        | ConstraintKind::UniqueUsingIndex(_)
        | ConstraintKind::Check(_)
        | ConstraintKind::ForeignKey(_)
        | ConstraintKind::Exclude(_)
        | ConstraintKind::NotNull(_) => false,
    });
    if !indexed {
        let label = added.name.as_ref().map_or_else(
            || key.columns.iter().map(crate::sql::Ident::as_str).collect::<Vec<_>>().join("_"),
            |name| name.value.clone(),
        );
        sheet.leaves("fk-without-index", format!("{name}.{label}"), name);
    }
}

/// Indexes that LIKE … INCLUDING INDEXES and PARTITION OF make.
fn copied_indexes(sheet: &mut Sheet<'_>, create: &CreateTable, name: &Name) {
    let likes = create.likes.iter().filter(|like| {
        like.including.iter().any(|word| word == "all" || word == "indexes")
            && !like.excluding.iter().any(|word| word == "indexes")
    });
    let sources: Vec<&Relation> = likes
        .map(|like| &like.source)
        .chain(create.partition_of.iter().map(|of| &of.parent))
        .filter_map(|source| sheet.schema.find(source))
        .collect();
    if create.partition_by.is_some() || create.foreign {
        return;
    }
    let made = Relation::new(name.clone(), RelationKind::Table, sheet.schema.origin());
    for source in sources {
        for index in &source.indexes {
            let columns = part_index::index_columns(index);
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            let full =
                part_index::part_index_name(sheet, &made, &columns, part_index::label(index));
            sheet.build_empty(name, &full, "create-index");
        }
    }
}

fn is_keyless(sheet: &Sheet<'_>, create: &CreateTable) -> bool {
    let keyed =
        constraints(create).any(|(added, _)| matches!(added.kind, ConstraintKind::PrimaryKey(_)));
    let copied = create.likes.iter().any(|like| {
        like.including.iter().any(|word| word == "all" || word == "indexes")
            && sheet.schema.find(&like.source).is_none_or(|s| s.primary_key().is_some())
    });
    let below = create
        .partition_of
        .as_ref()
        .is_some_and(|of| sheet.schema.find(&of.parent).is_none_or(|p| p.primary_key().is_some()));
    let temporary = create.persistence == Persistence::Temporary;
    !(keyed || copied || below || temporary || create.foreign)
}

/// Effects of CREATE VIEW and CREATE MATERIALIZED VIEW.
pub(super) fn view(sheet: &mut Sheet<'_>, view: &CreateView) {
    if there::lacks_home(sheet, &view.name) {
        return;
    }
    let name = sheet.schema.new_name(&view.name);
    let there = sheet.table(&name);
    if view.materialized {
        if there.is_some() && !view.if_not_exists {
            let detail = format!("relation \"{}\" exists already", view.name);
            sheet.fails("duplicate-object", "42P07", detail);
            return;
        }
        if words::refused(sheet, &view.query)
            || columns::names_twice(sheet, &view.query, view.columns.iter())
        {
            return;
        }
        let filled = !view.with_no_data && there.is_none();
        let how = if filled { dml::Use::Run } else { dml::Use::Stored };
        dml::reads(sheet, &view.query, "create-matview", how);
        return;
    }
    if view.options.iter().any(|(option, _)| option == "security_invoker")
        && sheet.needs_version(15, "security_invoker")
    {
        return;
    }
    if super::reloptions::view_refused(sheet, &view.options)
        || words::refused(sheet, &view.query)
        || columns::names_too_many(sheet, view)
        || columns::names_twice(sheet, &view.query, view.columns.iter())
    {
        return;
    }
    dml::reads(sheet, &view.query, "create-view", dml::Use::Stored);
    let Some(old) = there else { return };
    if !view.or_replace {
        let detail = format!("relation \"{}\" exists already", view.name);
        sheet.fails("duplicate-object", "42P07", detail);
        return;
    }
    if old.kind != RelationKind::View {
        let detail = format!("\"{}\" is not a view", view.name);
        sheet.fails("wrong-object-kind", "42809", detail);
        return;
    }
    sheet.lock(&name, AccessExclusive, "create-view");
    sheet.breaks("replace-view", ObjectKind::View, name.to_string(), &name);
    columns::replaced(sheet, view, old);
}
