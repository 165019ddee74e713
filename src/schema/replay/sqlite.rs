//! Statements of SQLite.
//!
//! Names are compared without case. A dropped table leaves the foreign keys and views that name it
//! as they are; a renamed one takes them along, unless it was dropped before: that is how a table
//! made anew takes the place of the old one.
//!
//! SQLite 3.35 and later, sqlite.org/lang_altertable.html, section 2; measured,
//! testdata/servers/sqlite.

use super::super::change::add;
use super::super::model::{
    Constraint, Demand, Index, Name, Origin, Relation, RelationKind, Schema, Trigger,
};
use super::super::own::lenient;
use super::super::resolve::Meaning;
use super::create::{column, foreign_key};
use super::mysql::{touched, words_read};
use super::{create, rename, sqlite_bodies as bodies};
use crate::sql::ObjectName;
use crate::sql::ast::{
    ActionKind, AlterTable, ColumnDef, ConstraintKind, CreateIndex, CreateTable, CreateTrigger,
    Drop, IndexKind, KeyConstraint, KeyPart, MaintenanceKind, Nullability, ObjectKind, Other,
    Statement, StatementKind, TableConstraint, TypeParts,
};

/// Where the origin of a dropped table is kept, for the table that takes its place.
const REPLACED: &str = "replaced table";

/// Under what it is kept that a renamed table leaves views and triggers as they are, in the session
/// of one migration (sqlite.org/pragma.html#pragma_legacy_alter_table).
const LEGACY: &str = "legacy_alter_table";
const LEGACY_ON: &[&str] = &["on", "1", "true", "yes"];

/// Runs a statement.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest is shared, or changes no schema")]
pub(super) fn apply(schema: &mut Schema, statement: &Statement) {
    match &statement.kind {
        StatementKind::CreateTable(create) => create_table(schema, create),
        StatementKind::AlterTable(alter) => alter_table(schema, alter),
        StatementKind::CreateIndex(create) => create_index(schema, create),
        StatementKind::CreateView(view) => bodies::create_view(schema, view),
        StatementKind::CreateTrigger(trigger) => create_trigger(schema, trigger),
        StatementKind::Other(other) => attach(schema, other),
        StatementKind::Drop(drop) => drop_objects(schema, drop),
        StatementKind::Maintenance(maintenance) if maintenance.kind == MaintenanceKind::Analyze => {
            analyze(schema, &maintenance.tables);
        }
        StatementKind::Pragma(pragma) if pragma.name == "legacy_alter_table" => {
            let on = pragma.value.as_deref().filter(|value| LEGACY_ON.contains(value));
            let origin = on.map(|_| schema.origin());
            schema.set_other(LEGACY, Name::new("main", ""), origin);
        }
        _ => {
            super::apply_shared(schema, statement);
        }
    }
}

fn same(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}

fn create_table(schema: &mut Schema, create: &CreateTable) {
    let name = create::made_name(schema, create);
    if schema.relation(&name).is_some_and(|old| old.origin != Origin::Assumed) {
        return;
    }
    let kind = if create.foreign { RelationKind::Foreign } else { RelationKind::Table };
    let mut table = Relation::new(name, kind, schema.origin());
    table.complete = true;
    table.persistence = create.persistence;
    table.access_method.clone_from(&create.access_method);
    table.options = create.options.iter().cloned().collect();
    for definition in &create.columns {
        add_column(schema, &mut table, definition);
    }
    for constraint in &create.constraints {
        add_constraint(schema, &mut table, constraint, None);
    }
    if let Some(query) = &create.query {
        match query.tree.get() {
            Some(select) => bodies::fill_from_query(schema, &mut table, select),
            None => create::fill_from_query(schema, &mut table, query),
        }
        table.has_rows = true;
    }
    if table.columns.iter().any(|column| column.auto_increment) {
        schema.note_kept(&table.name.schema.clone(), "sqlite_sequence");
    }
    let name = table.name.clone();
    schema.put_relation(table);
    bodies::show_views(schema, &name);
}

/// ANALYZE writes what it finds into tables of the databases it looks at.
fn analyze(schema: &mut Schema, tables: &[ObjectName]) {
    let home = |name: &ObjectName| name.schema().unwrap_or(schema.home()).to_owned();
    let homes: Vec<String> = match tables.first() {
        Some(name) => vec![home(name)],
        None => vec!["main".to_owned()],
    };
    for home in homes {
        schema.note_kept(&home, "sqlite_stat1");
    }
}

fn add_column(schema: &Schema, table: &mut Relation, definition: &ColumnDef) {
    if table.columns.iter().any(|old| same(&old.name, definition.name.as_str())) {
        return;
    }
    let mut new = column(definition, schema.origin());
    let collate = definition.options.iter().find(|(name, _)| name == "collate");
    if let (None, Some((_, collation))) = (&new.data_type, collate) {
        let collation = Some(collation.clone());
        new.data_type = Some(TypeParts { collation, ..TypeParts::default() }.into());
    }
    // `SERIAL` is a type without meaning here.
    new.auto_increment = definition.auto_increment;
    new.not_null = matches!(definition.nullability, Some(Nullability::NotNull { .. }));
    add(&mut table.columns, new);
    if let Some(Nullability::NotNull { name: Some(name) }) = &definition.nullability {
        table.constraints.push(Constraint {
            name: name.value.clone(),
            kind: Demand::NotNull(definition.name.value.clone()),
            valid: true,
            enforced: true,
            written_on: Some(definition.name.value.clone()),
            deferrable: false,
            inherited: false,
            no_inherit: false,
            origin: schema.origin(),
        });
    }
    for (_, name) in definition.options.iter().filter(|(option, _)| option == "named") {
        table.options.insert(format!("named {}", name.to_ascii_lowercase()), String::new());
    }
    let passes = |(option, word): &&(String, String)| {
        option == "not null on conflict" && matches!(word.as_str(), "ignore" | "replace")
    };
    if definition.options.iter().any(|option| passes(&option)) {
        table.options.insert(lenient(definition.name.as_str()), String::new());
    }
    for constraint in &definition.constraints {
        add_constraint(schema, table, constraint, Some(definition.name.as_str()));
    }
}

fn add_constraint(
    schema: &Schema,
    table: &mut Relation,
    constraint: &TableConstraint,
    written_on: Option<&str>,
) {
    let mut name = constraint.name.as_ref().map(|name| name.value.clone()).unwrap_or_default();
    let columns = |key: &KeyConstraint| -> Vec<String> {
        key.parts.iter().filter_map(|part| part.key.column()).map(ToOwned::to_owned).collect()
    };
    let kind = match &constraint.kind {
        ConstraintKind::PrimaryKey(key) => {
            if table.options.contains_key("without rowid") {
                for column in columns(key) {
                    if let Some(found) = table.columns.iter_mut().find(|c| same(&c.name, &column)) {
                        found.not_null = true;
                    }
                }
            }
            if !is_rowid(table, key, written_on) {
                push_auto_index(schema, table, key, &mut name, true);
            }
            Demand::PrimaryKey(columns(key))
        }
        ConstraintKind::Unique(key) => {
            push_auto_index(schema, table, key, &mut name, false);
            Demand::Unique(columns(key))
        }
        ConstraintKind::Check(check) => Demand::Check(check.clone()),
        ConstraintKind::ForeignKey(key) => foreign_key(schema, table, key),
        ConstraintKind::PrimaryKeyUsingIndex(_)
        | ConstraintKind::UniqueUsingIndex(_)
        | ConstraintKind::Exclude(_)
        | ConstraintKind::NotNull(_) => return,
    };
    table.constraints.push(Constraint {
        name,
        kind,
        valid: true,
        enforced: true,
        written_on: written_on.map(ToOwned::to_owned),
        // Without INITIALLY DEFERRED it is immediate (sqlite.org/foreignkeys.html, section 4.2).
        deferrable: constraint.initially_deferred,
        inherited: false,
        no_inherit: false,
        origin: schema.origin(),
    });
}

/// INTEGER PRIMARY KEY is the rowid and has no index (sqlite.org/lang_createtable.html,
/// section 5); `INTEGER PRIMARY KEY DESC` on the column is not.
fn is_rowid(table: &Relation, key: &KeyConstraint, written_on: Option<&str>) -> bool {
    let [part] = key.parts.as_slice() else { return false };
    let integer = part.key.column().and_then(|name| table.column_any_case(name)).is_some_and(|c| {
        c.data_type.as_ref().is_some_and(|t| same(&t.name, "integer") && t.args.is_empty())
    });
    integer
        && !table.options.contains_key("without rowid")
        && !(part.descending && written_on.is_some())
}

fn push_auto_index(
    schema: &Schema,
    table: &mut Relation,
    key: &KeyConstraint,
    name: &mut String,
    primary: bool,
) {
    let count = table.indexes.iter().filter(|index| index.constraint.is_some()).count() + 1;
    let index = format!("sqlite_autoindex_{}_{count}", table.name.name);
    if name.is_empty() {
        name.clone_from(&index);
    }
    let mut made = new_index(schema, index, key.parts.clone(), IndexKind::Unique);
    made.primary = primary;
    made.constraint = Some(name.clone());
    add(&mut table.indexes, made);
}

fn new_index(schema: &Schema, name: String, parts: Vec<KeyPart>, kind: IndexKind) -> Index {
    Index {
        name,
        kind,
        primary: false,
        constraint: None,
        method: "btree".to_owned(),
        parts,
        include: Vec::new(),
        predicate: None,
        valid: true,
        invisible: false,
        parent: None,
        tablespace: None,
        nulls_not_distinct: false,
        origin: schema.origin(),
    }
}

fn create_index(schema: &mut Schema, create: &CreateIndex) {
    let Some(written) = &create.index.name else { return };
    let home = create.schema.as_ref().filter(|home| !same(home.as_str(), "temp"));
    let table = create.table.within(home);
    if schema.is_absent(&table) {
        return;
    }
    let name = schema.resolve(&table);
    let full = schema.key(&Name::new(name.schema.clone(), written.as_str()));
    if schema.is_taken(&full) {
        return;
    }
    schema.edit(&name, |schema, table| {
        let parts = create.index.parts.clone();
        let mut index = new_index(schema, full.name.clone(), parts, create.index.kind);
        index.predicate = create.index.predicate.clone().map(Box::new);
        add(&mut table.indexes, index);
    });
}

/// A database that is attached brings tables of which nothing is known, unless it is made in
/// memory; one that is detached takes its tables along.
fn attach(schema: &mut Schema, other: &Other) {
    let Some(name) = other.names.first().map(|name| name.name().to_ascii_lowercase()) else {
        return;
    };
    match other.what {
        "attach" => {
            let origin = schema.origin();
            let empty = other.options.iter().any(|file| file == "':memory:'" || file == "''");
            schema.set_schema(name, Some(if empty { origin } else { Origin::Assumed }));
        }
        "detach" => {
            let inside = schema.relations.keys().filter(|full| full.schema == name);
            for full in inside.cloned().collect::<Vec<_>>() {
                schema.take_relation(&full);
            }
            schema.set_schema(name, None);
        }
        _ => {}
    }
}

fn create_trigger(schema: &mut Schema, create: &CreateTrigger) {
    let home = create.name.parts.split_last().and_then(|(_, home)| home.first());
    let home = home.filter(|home| !same(home.as_str(), "temp"));
    let table = schema.resolve(&create.table.within(home));
    // What a body writes is not looked for when a column goes (measured on 3.40 and 3.51).
    let mut columns = words_read(&create.statements);
    columns.extend(create.when.iter().flat_map(|when| when.columns.iter().cloned()));
    let trigger = Trigger {
        name: create.name.name().to_owned(),
        function: None,
        columns,
        touches: touched(schema, &create.statements),
        for_each_row: true,
        inherited: false,
        text: create.text.clone(),
        body: bodies::trigger_body(create),
    };
    if let Some(relation) = schema.relation_mut(&table)
        && !relation.triggers.iter().any(|found| same(&found.name, &trigger.name))
    {
        relation.triggers.push(trigger);
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the grammar has four kinds")]
fn drop_objects(schema: &mut Schema, statement: &Drop) {
    for name in &statement.names {
        match statement.object {
            ObjectKind::Table | ObjectKind::View => {
                let full = schema.resolve(name);
                let origin = schema.relation(&full).map(|found| found.origin);
                schema.take_relation(&full);
                schema.set_other(REPLACED, full, origin);
            }
            ObjectKind::Trigger => {
                let has = |r: &&Relation| r.triggers.iter().any(|t| same(&t.name, name.name()));
                let owner = schema.all_relations().find(has).map(|r| r.name.clone());
                if let Some(relation) = owner.and_then(|owner| schema.relation_mut(&owner)) {
                    relation.triggers.retain(|trigger| !same(&trigger.name, name.name()));
                }
            }
            _ => {
                let full = schema.resolve_index(name);
                super::drop::index(schema, &full, false);
            }
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the grammar has these actions only")]
fn alter_table(schema: &mut Schema, alter: &AlterTable) {
    if schema.is_absent(&alter.name) {
        return;
    }
    let name = schema.resolve(&alter.name);
    for action in &alter.actions {
        match &action.kind {
            ActionKind::RenameTo(to) => {
                forget_trigger_texts(schema);
                rename_table(schema, &name, to.name());
                let new = schema.key(&Name::new(name.schema.clone(), to.name()));
                bodies::show_views(schema, &new);
            }
            ActionKind::RenameColumn { from, to, .. } => {
                forget_trigger_texts(schema);
                let written = schema.relation(&name).and_then(|t| t.column_any_case(from.as_str()));
                let from = written.map_or_else(|| from.value.clone(), |found| found.name.clone());
                bodies::rename(schema, |meaning| match meaning {
                    Meaning::Column(table, column) if *table == name && same(column, &from) => {
                        Some(to.value.clone())
                    }
                    Meaning::Column(..) | Meaning::Table(_) => None,
                });
                rename::column(schema, &name, &from, to.as_str());
                bodies::show_views(schema, &name);
            }
            ActionKind::AddColumn { column, .. } => {
                schema.edit(&name, |schema, table| add_column(schema, table, column));
                bodies::show_views(schema, &name);
            }
            ActionKind::DropColumn { column, .. } => {
                schema.edit(&name, |_, table| drop_column(table, column.as_str()));
                bodies::show_views(schema, &name);
            }
            ActionKind::SetNotNull { column } | ActionKind::DropNotNull { column } => {
                let not_null = matches!(action.kind, ActionKind::SetNotNull { .. });
                schema.edit(&name, |_, table| {
                    let named = |kind: &Demand| {
                        matches!(kind, Demand::NotNull(of) if same(of, column.as_str()))
                    };
                    table.constraints.retain(|constraint| !named(&constraint.kind));
                    let mut all = table.columns.iter_mut();
                    if let Some(found) = all.find(|c| same(&c.name, column.as_str())) {
                        found.not_null = not_null;
                    }
                });
            }
            ActionKind::AddConstraint(constraint) => {
                schema.edit(&name, |schema, table| add_constraint(schema, table, constraint, None));
            }
            ActionKind::DropConstraint { name: gone, .. } => {
                schema.edit(&name, |_, table| {
                    let of = |c: &Constraint| match &c.kind {
                        Demand::NotNull(of) if same(&c.name, gone.as_str()) => Some(of.clone()),
                        _ => None,
                    };
                    for column in table.constraints.iter().filter_map(of).collect::<Vec<_>>() {
                        let all = table.columns.iter_mut().filter(|c| same(&c.name, &column));
                        all.for_each(|found| found.not_null = false);
                    }
                    table.constraints.retain(|c| !same(&c.name, gone.as_str()));
                    table.options.remove(&format!("named {}", gone.as_str().to_ascii_lowercase()));
                });
            }
            _ => {}
        }
    }
}

/// A renaming writes the new name into every trigger that has the old one.
fn forget_trigger_texts(schema: &mut Schema) {
    let with: Vec<Name> = schema
        .relations
        .values()
        .filter(|relation| !relation.triggers.is_empty())
        .map(|relation| relation.name.clone())
        .collect();
    for name in with {
        let triggers = schema.relation_mut(&name).into_iter().flat_map(|r| &mut r.triggers);
        triggers.for_each(|trigger| trigger.text = None);
    }
}

fn drop_column(table: &mut Relation, column: &str) {
    table.columns.retain(|found| !same(&found.name, column));
    table
        .constraints
        .retain(|constraint| !constraint.written_on.as_ref().is_some_and(|on| same(on, column)));
}

fn rename_table(schema: &mut Schema, old: &Name, to: &str) {
    let new = schema.key(&Name::new(old.schema.clone(), to));
    if schema.is_taken(&new) {
        return;
    }
    let legacy = schema.others.get(&(LEGACY, Name::new("main", ""))).map(|said| said.origin);
    if legacy != Some(schema.origin()) {
        bodies::rename(schema, |meaning| match meaning {
            Meaning::Table(table) if table == old => Some(to.to_owned()),
            Meaning::Table(_) | Meaning::Column(..) => None,
        });
    }
    rename::relation(schema, old, new.clone());
    let key = (REPLACED, new.clone());
    if let Some(origin) = schema.others.get(&key).map(|replaced| replaced.origin) {
        schema.set_other(REPLACED, new.clone(), None);
        if let Some(relation) = schema.relation_mut(&new) {
            relation.origin = origin;
        }
    }
}
