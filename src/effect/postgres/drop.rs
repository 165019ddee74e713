//! DROP of anything.
//!
//! PostgreSQL 12 to 18, RangeVarCallbackForDropRelation (tablecmds.c), index_drop (index.c),
//! RemoveObjects (dropcmds.c); manual: the DROP commands; measured, testdata/servers/postgres.

use super::missing::{self, Named};
use super::sheet::Sheet;
use super::{dependents, partition, referential};
use crate::effect::LockMode::{AccessExclusive, ShareUpdateExclusive};
use crate::schema::{Dependent, Name, Part, Relation, RelationKind};
use crate::sql::ObjectName;
use crate::sql::ast::{Drop, ObjectKind};

/// Effects of DROP.
#[expect(clippy::wildcard_enum_match_arm, reason = "other kinds touch no relation")]
pub(super) fn drop(sheet: &mut Sheet<'_>, drop: &Drop) {
    match drop.object {
        ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Sequence => relations(sheet, drop),
        ObjectKind::Index => indexes(sheet, drop),
        ObjectKind::Type | ObjectKind::Domain => {
            for name in &drop.names {
                drop_type(sheet, drop, name);
            }
        }
        ObjectKind::Function
        | ObjectKind::Procedure
        | ObjectKind::Routine
        | ObjectKind::Aggregate => {
            for (at, name) in drop.names.iter().enumerate() {
                let object = named(drop, at, name);
                let gone = drop.if_exists && missing::is_missing(sheet, object);
                if !gone && !missing::lacks(sheet, object) && !missing::is_aggregate(sheet, object)
                {
                    routine(sheet, drop, name);
                }
            }
        }
        ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => part(sheet, drop),
        ObjectKind::Schema => {
            for name in &drop.names {
                schema(sheet, drop, name.name());
            }
        }
        ObjectKind::Statistics => {
            for name in &drop.names {
                statistics(sheet, drop, name);
            }
        }
        ObjectKind::Extension => {
            for name in &drop.names {
                extension(sheet, drop, name.name());
            }
        }
        ObjectKind::Database => {
            sheet.refuses_transaction("DROP DATABASE");
            object(sheet, drop);
        }
        ObjectKind::Tablespace => {
            sheet.refuses_transaction("DROP TABLESPACE");
            object(sheet, drop);
        }
        _ => object(sheet, drop),
    }
}

fn object(sheet: &mut Sheet<'_>, drop: &Drop) {
    for (at, name) in drop.names.iter().enumerate() {
        let object = named(drop, at, name);
        if (drop.if_exists && missing::is_missing(sheet, object)) || missing::lacks(sheet, object) {
            continue;
        }
        if drop.object == ObjectKind::Language && name.name() == "plpgsql" {
            let detail = "extension plpgsql requires language plpgsql".to_owned();
            sheet.fails("dependents-exist", "2BP01", detail);
            continue;
        }
        let full = sheet.schema.other_key(drop.object, name);
        let found = sheet.schema.dependents_of_other(drop.object, &full);
        let what = format!("{} {name}", drop.object.as_str());
        let blocked = !drop.cascade && !found.is_empty();
        dependents::drop_with(sheet, &what, &found, &[], drop.cascade, "drop-cascade");
        if blocked {
            continue;
        }
        sheet.lose(drop.object, &name.to_string(), false, false);
        let table = sheet.schema.new_name(name);
        sheet.breaks("drop-object", drop.object, name.to_string(), &table);
    }
}

fn named<'d>(drop: &'d Drop, at: usize, name: &'d ObjectName) -> Named<'d> {
    let signature = drop.signatures.get(at).and_then(Option::as_ref);
    Named { kind: drop.object, name, on: drop.on_table.as_ref(), signature }
}

/// Says whether a kind of relation goes by the word that a statement uses for it.
pub(super) const fn fits(object: ObjectKind, kind: RelationKind) -> bool {
    matches!(
        (object, kind),
        (ObjectKind::Table, RelationKind::Table)
            | (ObjectKind::ForeignTable, RelationKind::Foreign)
            | (ObjectKind::View, RelationKind::View)
            | (ObjectKind::MaterializedView, RelationKind::MaterializedView)
            | (ObjectKind::Sequence, RelationKind::Sequence)
    )
}

fn relations(sheet: &mut Sheet<'_>, drop: &Drop) {
    let mut names = Vec::new();
    for written in &drop.names {
        let Some(name) = sheet.existing(written, drop.if_exists) else { continue };
        let kind = sheet.table(&name).map(|found| (found.kind, found.origin));
        if let Some((kind, origin)) = kind
            && !fits(drop.object, kind)
            && origin != crate::schema::Origin::Assumed
        {
            let detail = format!("\"{written}\" is not a {}", drop.object.as_str());
            sheet.fails("wrong-object-kind", "42809", detail);
            return;
        }
        names.push(name);
    }
    // What goes silently with them stands in nobody's way either.
    let mut going = names.clone();
    for name in &names {
        let found = sheet.schema.dependents_of_relation(name);
        let silent = found.into_iter().filter(|d| d.automatic && d.part == Part::Whole);
        going.extend(silent.map(|dependent| dependent.relation));
    }
    for name in &names {
        relation(sheet, drop, name, &names, &going);
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the others are alike here")]
fn relation(sheet: &mut Sheet<'_>, drop: &Drop, name: &Name, named: &[Name], going: &[Name]) {
    let (cause, how) = match drop.object {
        ObjectKind::View | ObjectKind::MaterializedView => ("drop-view", "drop-view"),
        ObjectKind::Sequence => ("drop-sequence", "drop-object"),
        _ => ("drop-table", "drop-table"),
    };
    sheet.lock(name, AccessExclusive, cause);
    if drop.object == ObjectKind::Sequence && is_of_identity(sheet, name) {
        let detail = format!("cannot drop sequence {name}: an identity column requires it");
        sheet.fails("dependents-exist", "2BP01", detail);
        return;
    }
    let mut found = sheet.schema.dependents_of_relation(name);
    found.retain(|dependent| dependent.automatic || !going.contains(&dependent.relation));
    let what = format!("{} {name}", drop.object.as_str());
    let blocked = !drop.cascade && found.iter().any(|dependent| !dependent.automatic);
    dependents::drop_with(sheet, &what, &found, named, drop.cascade, cause);
    if blocked {
        return;
    }
    let owner = sheet.table(name).and_then(|table| table.owned_by.clone());
    if let (ObjectKind::Sequence, true, Some((table, _))) = (drop.object, drop.cascade, owner) {
        sheet.lock(&table, AccessExclusive, "drop-cascade");
    }
    dependents::foreign_key_parents(sheet, name, "drop-table-parent");
    partition_of(sheet, drop, name);
    let rows = matches!(drop.object, ObjectKind::Table | ObjectKind::MaterializedView);
    sheet.lose(drop.object, &name.to_string(), rows, false);
    sheet.breaks(how, drop.object, name.to_string(), name);
}

/// Says whether a sequence is that of an identity column: it goes with the column alone.
pub(super) fn is_of_identity(sheet: &Sheet<'_>, name: &Name) -> bool {
    let owner = sheet.table(name).and_then(|sequence| sequence.owned_by.as_ref());
    let column = owner.and_then(|(table, column)| sheet.table(table)?.column(column));
    column.is_some_and(|column| column.identity.is_some())
}

/// A partition takes locks on its parent, the default partition, and tables that reference the
/// parent: dropping one that is referenced is refused.
fn partition_of(sheet: &mut Sheet<'_>, drop: &Drop, name: &Name) {
    partition::lock_parent_of(sheet, name);
    let parent = sheet.table(name).and_then(|t| t.partition_of.as_ref()).map(|(of, _)| of.clone());
    let Some(parent) = parent else { return };
    let referencing = referential::keys_to(sheet, &parent);
    for (other, constraint) in referencing {
        if !drop.cascade {
            let detail = format!("\"{}\" references the parent of the partition", other.name);
            sheet.fails("foreign-key-references", "2BP01", detail);
            return;
        }
        dependents::constraint(sheet, &other.name, &constraint.name, true, "drop-cascade");
    }
}

/// Effects of DROP INDEX.
fn indexes(sheet: &mut Sheet<'_>, drop: &Drop) {
    if drop.concurrently {
        sheet.refuses_transaction("DROP INDEX CONCURRENTLY");
        if drop.cascade || drop.names.len() > 1 {
            let detail = "DROP INDEX CONCURRENTLY takes one index and no CASCADE".to_owned();
            sheet.fails("concurrently-with-cascade", "0A000", detail);
            return;
        }
    }
    for written in &drop.names {
        let found = sheet.schema.find_index(written);
        let Some((full, table, index)) = found else {
            missing_index(sheet, drop, written);
            continue;
        };
        if let Some(constraint) = &index.constraint {
            let detail = format!("constraint \"{constraint}\" requires index \"{written}\"");
            sheet.fails("dependents-exist", "2BP01", detail);
            return;
        }
        if index.parent.is_some() {
            let detail = format!("a partitioned index requires index \"{written}\"");
            sheet.fails("dependents-exist", "2BP01", detail);
            return;
        }
        one_index(sheet, drop, &full, table);
    }
}

fn missing_index(sheet: &mut Sheet<'_>, drop: &Drop, written: &ObjectName) {
    if sheet.schema.find(written).is_some() {
        let detail = format!("\"{written}\" is not an index");
        sheet.fails("wrong-object-kind", "42809", detail);
        return;
    }
    if sheet.schema.is_absent(written) {
        if !drop.if_exists {
            let detail = format!("index \"{written}\" does not exist");
            sheet.fails("missing-object", "42704", detail);
        }
        return;
    }
    let full = sheet.schema.resolve_index(written);
    sheet.lock_index(&full, AccessExclusive, "drop-index");
    sheet.lose(ObjectKind::Index, &full.to_string(), false, false);
    sheet.breaks("drop-index", ObjectKind::Index, full.to_string(), &full);
}

fn one_index(sheet: &mut Sheet<'_>, drop: &Drop, full: &Name, table: &Relation) {
    let partitioned = table.partition_by.is_some();
    if drop.concurrently && partitioned {
        let detail = format!("cannot drop partitioned index \"{full}\" concurrently");
        sheet.fails("concurrently-on-partitioned", "0A000", detail);
        return;
    }
    let mode = if drop.concurrently { ShareUpdateExclusive } else { AccessExclusive };
    sheet.lock(&table.name, mode, "drop-index");
    sheet.lock_index(full, AccessExclusive, "drop-index");
    if partitioned {
        for child in sheet.family(&table.name, false).into_iter().skip(1) {
            sheet.lock(&child, AccessExclusive, "drop-index");
        }
    }
    let used = sheet.schema.dependents_of_key(&table.name, &full.name);
    let blocked = !used.is_empty() && !drop.cascade;
    dependents::drop_with(sheet, &format!("index {full}"), &used, &[], drop.cascade, "drop-index");
    if blocked {
        return;
    }
    if table.replica_identity.as_deref() == Some(full.name.as_str()) {
        sheet.leaves("replica-identity-lost", full.to_string(), &table.name);
    }
    sheet.lose(ObjectKind::Index, &full.to_string(), false, false);
    if partitioned {
        lose_attached(sheet, full);
    }
    sheet.breaks("drop-index", ObjectKind::Index, full.to_string(), &table.name);
}

/// The indexes of partitions that are attached to an index go with it, level by level.
fn lose_attached(sheet: &mut Sheet<'_>, full: &Name) {
    let schema = sheet.schema;
    let mut queue = vec![full.clone()];
    while let Some(above) = queue.pop() {
        for (own, table) in &schema.index_tables {
            let index = schema.relation(table).and_then(|table| table.index(&own.name));
            if index.is_some_and(|index| index.parent.as_ref() == Some(&above)) {
                sheet.lose(ObjectKind::Index, &own.to_string(), false, true);
                queue.push(own.clone());
            }
        }
    }
}

fn drop_type(sheet: &mut Sheet<'_>, drop: &Drop, written: &ObjectName) {
    if sheet.schema.find(written).is_some() {
        let detail = format!("cannot drop type {written}: a relation of that name requires it");
        sheet.fails("dependents-exist", "2BP01", detail);
        return;
    }
    let found = sheet.schema.find_type(written);
    if drop.object == ObjectKind::Domain
        && found.is_some_and(|found| !matches!(found.kind, crate::schema::TypeBody::Domain(_)))
    {
        sheet.fails("wrong-object-kind", "42809", format!("\"{written}\" is not a domain"));
        return;
    }
    let Some(name) = found.map(|found| found.name.clone()) else {
        if sheet.schema.complete && !drop.if_exists {
            let detail = format!("type \"{written}\" does not exist");
            sheet.fails("missing-object", "42704", detail);
        } else if !sheet.schema.complete {
            sheet.lose(drop.object, &sheet.schema.new_name(written).to_string(), false, false);
        }
        return;
    };
    let found = sheet.schema.dependents_of_type(&name);
    finish(sheet, drop, &name, &found, drop.object);
}

fn routine(sheet: &mut Sheet<'_>, drop: &Drop, written: &ObjectName) {
    let Some((name, overloads)) = sheet.schema.find_routines(written) else {
        let name = sheet.schema.new_name(written);
        if sheet.schema.complete && !drop.if_exists {
            let detail = format!("function {written} does not exist");
            sheet.fails("missing-object", "42883", detail);
        } else if !sheet.schema.complete {
            sheet.lose(ObjectKind::Function, &name.to_string(), false, false);
            sheet.breaks("drop-function", ObjectKind::Function, name.to_string(), &name);
        }
        return;
    };
    // What calls an overload cannot be told from what calls another.
    let found =
        if overloads.len() == 1 { sheet.schema.dependents_of_routine(&name) } else { Vec::new() };
    let mut found = found;
    found.extend(sheet.schema.dependents_of_other(ObjectKind::Function, &name));
    finish(sheet, drop, &name, &found, ObjectKind::Function);
}

fn finish(
    sheet: &mut Sheet<'_>,
    drop: &Drop,
    name: &Name,
    found: &[Dependent],
    object: ObjectKind,
) {
    let what = format!("{} {name}", object.as_str());
    let cause = if object == ObjectKind::Function { "drop-routine" } else { "drop-cascade" };
    let blocked = !drop.cascade && found.iter().any(|dependent| !dependent.automatic);
    dependents::drop_with(sheet, &what, found, &[], drop.cascade, cause);
    if blocked {
        return;
    }
    let how = if object == ObjectKind::Function { "drop-function" } else { "drop-object" };
    sheet.lose(object, &name.to_string(), false, false);
    sheet.breaks(how, object, name.to_string(), name);
}

/// DROP TRIGGER, POLICY and RULE lock their table as strongly as there is.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are alike here")]
fn part(sheet: &mut Sheet<'_>, drop: &Drop) {
    let Some(written) = &drop.on_table else { return };
    let (Some(table), Some(name)) = (sheet.existing(written, drop.if_exists), drop.names.first())
    else {
        return;
    };
    let name = name.name();
    let cause = match drop.object {
        ObjectKind::Policy => "drop-policy",
        ObjectKind::Rule => "drop-rule",
        _ => "drop-trigger",
    };
    if let Some(found) = sheet.table(&table) {
        let known = match drop.object {
            ObjectKind::Policy => found.policies.iter().any(|policy| policy.name == name),
            ObjectKind::Rule => found.rules.iter().any(|rule| rule.name == name),
            _ => found.triggers.iter().any(|trigger| trigger.name == name),
        };
        if found.complete && !known {
            // IF EXISTS looks at the table for a moment, which nobody waits for.
            if !drop.if_exists {
                let detail = format!("{} \"{name}\" does not exist", drop.object.as_str());
                sheet.fails("missing-object", "42704", detail);
            }
            return;
        }
        let cloned = drop.object == ObjectKind::Trigger
            && found.triggers.iter().any(|trigger| trigger.name == name && trigger.inherited);
        if cloned {
            let detail = format!("trigger \"{name}\" belongs to the partitioned parent");
            sheet.fails("dependents-exist", "2BP01", detail);
            return;
        }
        let rows =
            found.triggers.iter().any(|trigger| trigger.name == name && trigger.for_each_row);
        if drop.object == ObjectKind::Trigger && rows && found.partition_by.is_some() {
            for child in sheet.family(&table, false).into_iter().skip(1) {
                sheet.lock(&child, AccessExclusive, cause);
                sheet.lose_part(drop.object, &child, name, false, true);
            }
        }
    }
    sheet.lock(&table, AccessExclusive, cause);
    sheet.lose_part(drop.object, &table, name, false, false);
    let how = if drop.object == ObjectKind::Policy { "policy" } else { "drop-object" };
    sheet.breaks(how, drop.object, format!("{table}.{name}"), &table);
}

fn schema(sheet: &mut Sheet<'_>, drop: &Drop, name: &str) {
    let inside: Vec<Name> =
        sheet.schema.relations.keys().filter(|full| full.schema == name).cloned().collect();
    let types = sheet.schema.types.keys().any(|full| full.schema == name);
    let routines = sheet.schema.routines.keys().any(|full| full.schema == name);
    let known = sheet.schema.schemas.contains_key(name) || !inside.is_empty();
    if !known && sheet.schema.complete {
        if !drop.if_exists {
            let detail = format!("schema \"{name}\" does not exist");
            sheet.fails("missing-object", "3F000", detail);
        }
        return;
    }
    if !drop.cascade && (!inside.is_empty() || types || routines) {
        let detail = format!("cannot drop schema {name}: it is not empty");
        sheet.fails("dependents-exist", "2BP01", detail);
        return;
    }
    for full in &inside {
        sheet.lock(full, AccessExclusive, "drop-cascade");
        let found = sheet.schema.dependents_of_relation(full);
        dependents::drop_with(sheet, "schema", &found, &inside, true, "drop-cascade");
        dependents::foreign_key_parents(sheet, full, "drop-table-parent");
        let kind = sheet.table(full).map(|found| found.kind);
        let (object, rows) = match kind {
            Some(RelationKind::View) => (ObjectKind::View, false),
            Some(RelationKind::Sequence) => (ObjectKind::Sequence, false),
            Some(RelationKind::MaterializedView) => (ObjectKind::MaterializedView, true),
            Some(RelationKind::Foreign) => (ObjectKind::ForeignTable, false),
            Some(RelationKind::Table) | None => (ObjectKind::Table, true),
        };
        sheet.lose(object, &full.to_string(), rows, true);
    }
    let types: Vec<Name> =
        sheet.schema.types.keys().filter(|full| full.schema == name).cloned().collect();
    for full in types {
        let found = sheet.schema.dependents_of_type(&full);
        dependents::drop_with(sheet, "schema", &found, &inside, true, "drop-cascade");
        sheet.lose(ObjectKind::Type, &full.to_string(), false, true);
    }
    lose_statistics(sheet, name);
    sheet.lose(ObjectKind::Schema, name, false, false);
    let full = Name::new(name, "");
    sheet.breaks("drop-object", ObjectKind::Schema, name.to_owned(), &full);
}

/// Extended statistics may live in another schema than their table.
fn lose_statistics(sheet: &mut Sheet<'_>, home: &str) {
    let schema = sheet.schema;
    for table in schema.relations.values().filter(|table| table.name.schema != home) {
        for (full, _) in table.statistics.iter().filter(|(full, _)| full.schema == home) {
            sheet.lock(&table.name, ShareUpdateExclusive, "drop-cascade");
            sheet.lose(ObjectKind::Statistics, &full.to_string(), false, true);
        }
    }
}

fn statistics(sheet: &mut Sheet<'_>, drop: &Drop, written: &ObjectName) {
    let full = sheet.schema.new_name(written);
    let on = |table: &&Relation| table.statistics.iter().any(|(name, _)| *name == full);
    match sheet.schema.all_relations().find(on).map(|table| table.name.clone()) {
        Some(table) => {
            sheet.lock(&table, ShareUpdateExclusive, "drop-statistics");
            sheet.lose(ObjectKind::Statistics, &full.to_string(), false, false);
        }
        None if sheet.schema.complete && !drop.if_exists => {
            let detail = format!("statistics object \"{written}\" does not exist");
            sheet.fails("missing-object", "42704", detail);
        }
        None => sheet.lose(ObjectKind::Statistics, &full.to_string(), false, false),
    }
}

/// Types that the extensions shipped with the server bring.
fn extension_types(name: &str) -> &'static [&'static str] {
    match name {
        "citext" => &["citext"],
        "hstore" => &["hstore"],
        "ltree" => &["ltree", "lquery", "ltxtquery"],
        "cube" => &["cube"],
        "seg" => &["seg"],
        "isn" => &["isbn", "ean13", "issn", "ismn", "upc", "isbn13", "issn13", "ismn13"],
        "postgis" => &["geometry", "geography", "box2d", "box3d"],
        "vector" => &["vector", "halfvec", "sparsevec"],
        _ => &[],
    }
}

fn extension(sheet: &mut Sheet<'_>, drop: &Drop, name: &str) {
    let from_start = name == "plpgsql" && !sheet.schema.gone.contains_key(&Name::new("", name));
    if sheet.schema.complete && !from_start && !sheet.schema.extensions.contains_key(name) {
        if !drop.if_exists {
            let detail = format!("extension \"{name}\" does not exist");
            sheet.fails("missing-object", "42704", detail);
        }
        return;
    }
    let mut found = Vec::new();
    for kind in extension_types(name) {
        let home = sheet.schema.home().to_owned();
        found.extend(sheet.schema.dependents_of_type(&Name::new(home, *kind)));
    }
    if name == "plpgsql" {
        let language = Name::new("", name);
        found.extend(sheet.schema.dependents_of_other(ObjectKind::Language, &language));
    }
    let full = Name::new("", name);
    let what = format!("extension {name}");
    let blocked = !drop.cascade && found.iter().any(|dependent| !dependent.automatic);
    dependents::drop_with(sheet, &what, &found, &[], drop.cascade, "drop-cascade");
    if !blocked {
        sheet.lose(ObjectKind::Extension, name, false, false);
        sheet.breaks("drop-object", ObjectKind::Extension, name.to_owned(), &full);
    }
}
