//! Statements of PostgreSQL.
//!
//! PostgreSQL 12 to 18, the manual's page of each statement; measured, testdata/servers/postgres.

use super::super::change::add;
use super::super::model::{
    Domain, Index, Name, Origin, OtherObject, Publication, Relation, RelationKind, Schema, Trigger,
    Type, TypeBody,
};
use super::super::naming::{index_column_names, made_up_name};
use super::{alter, create, key_copies, partition, rename, routine};
use crate::sql::ast::{
    self, AlterDomain, AlterType, CreateDomain, CreateIndex, CreateTrigger, DoBlock, DomainAction,
    IndexAction, MaintenanceKind, ObjectKind, Sequence, Set, SetScope, Statement, StatementKind,
    TypeAction, TypeKind,
};

/// Runs a statement.
#[expect(clippy::wildcard_enum_match_arm, reason = "the next function matches what is left")]
pub(super) fn apply(schema: &mut Schema, statement: &Statement) {
    if super::apply_shared(schema, statement) {
        if let StatementKind::Dml(dml) = &statement.kind {
            note_change(schema, dml);
        }
        return;
    }
    match &statement.kind {
        StatementKind::CreateTable(table) => {
            create::table(schema, table);
            key_copies::table_came(schema, &create::made_name(schema, table));
        }
        StatementKind::AlterTable(table) => alter::table(schema, table),
        StatementKind::CreateIndex(index) => create_index(schema, index),
        StatementKind::AlterIndex(index) => alter_index(schema, index),
        StatementKind::SetSchema(set) => rename::set_schema(schema, set),
        StatementKind::OwnerTo(owner) => {
            let name = schema.resolve(&owner.name);
            if let Some(relation) = schema.relation_mut(&name) {
                relation.owner = Some(owner.owner.clone());
            }
        }
        StatementKind::CreateSequence(sequence) => create_sequence(schema, sequence),
        StatementKind::AlterSequence(sequence) => own_sequence(schema, sequence),
        StatementKind::CreateTrigger(trigger) => create_trigger(schema, trigger),
        StatementKind::CreateRule(rule) => {
            let table = schema.resolve(&rule.table);
            let made = routine::rule_of(schema, rule);
            schema.relation_or_assumed(&table);
            schema.edit(&table, |_, relation| {
                relation.rules.retain(|known| known.name != made.name);
                relation.rules.push(made);
            });
        }
        StatementKind::Policy(policy) => {
            let made = create::policy(schema, policy);
            let table = schema.resolve(&policy.table);
            schema.edit(&table, |_, relation| {
                relation.policies.retain(|old| old.name != made.name);
                relation.policies.push(made);
            });
        }
        StatementKind::Statistics(statistics) => create_statistics(schema, statistics),
        StatementKind::Do(block) => run_block(schema, block),
        StatementKind::Copy(copy) => {
            if let (Some(table), true) = (&copy.table, copy.from) {
                let name = schema.resolve(table);
                super::rows::fill(schema, &name);
            }
        }
        StatementKind::Set(set) => set_path(schema, set),
        StatementKind::Maintenance(maintenance) => {
            if let (MaintenanceKind::Cluster, Some(index)) = (maintenance.kind, &maintenance.index)
            {
                for table in &maintenance.tables {
                    let name = schema.resolve(table);
                    if let Some(relation) = schema.relation_mut(&name) {
                        relation.clustered_on = Some(index.value.clone());
                    }
                }
            }
        }
        StatementKind::RefreshMaterializedView(refresh) => {
            let name = schema.resolve(&refresh.name);
            if let Some(view) = schema.relation_mut(&name) {
                view.has_rows = !refresh.with_no_data;
            }
        }
        StatementKind::Explain { analyze: true, statement } => apply(schema, statement),
        _ => apply_object(schema, statement),
    }
}

/// Says whether a statement may call nextval() or setval(), by a default or a function.
#[expect(clippy::wildcard_enum_match_arm, reason = "other statements run no expression")]
pub(super) fn may_draw(statement: &Statement) -> bool {
    match &statement.kind {
        StatementKind::Dml(dml) => {
            dml.kind != ast::DmlKind::Select || !dml.query.functions.is_empty()
        }
        StatementKind::Copy(_)
        | StatementKind::Do(_)
        | StatementKind::Call { .. }
        | StatementKind::Explain { .. }
        | StatementKind::AlterTable(_)
        | StatementKind::CreateTable(_)
        | StatementKind::CreateView(_)
        | StatementKind::RefreshMaterializedView(_)
        | StatementKind::Other(_)
        | StatementKind::Unknown { .. } => true,
        _ => false,
    }
}

/// Notes an object of a kind that has no model of its own.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others need nothing that is told")]
fn make_other(schema: &mut Schema, other: &ast::Other) {
    let (Some(kind), Some(name)) = (other.object, other.names.first()) else { return };
    let handler = || other.options.iter().find_map(|option| option.strip_prefix("handler "));
    let key = schema.other_key(kind, name);
    if other.what == "alter-foreign-data-wrapper" {
        let none = other.options.iter().any(|option| option == "no handler");
        let of = handler().map(ToOwned::to_owned).or_else(|| none.then(String::new));
        let old = schema.find_other(kind, name).map(|(_, old)| old.clone());
        if let (Some(of), Some(old)) = (of, old) {
            schema.set_other_object(kind.as_str(), key, Some(OtherObject { of, ..old }));
        }
        return;
    }
    if !other.what.starts_with("create-") {
        return;
    }
    let of = match kind {
        ObjectKind::ForeignDataWrapper => handler().unwrap_or_default().to_owned(),
        ObjectKind::Server => other.names.get(1).map_or_else(String::new, ToString::to_string),
        ObjectKind::UserMapping => name.name().to_owned(),
        ObjectKind::EventTrigger => {
            other.names.get(1).map_or_else(String::new, |function| function.name().to_owned())
        }
        ObjectKind::Cast => {
            let function = other.options.iter().find_map(|o| o.strip_prefix("function "));
            let last = function.and_then(|function| function.rsplit('.').next());
            last.unwrap_or_default().to_owned()
        }
        _ => String::new(),
    };
    let object = OtherObject { origin: schema.origin(), of };
    schema.set_other_object(kind.as_str(), key, Some(object));
}

/// Notes rows that are deleted, and `UPDATE pg_index SET indisvalid = …` by hand.
fn note_change(schema: &mut Schema, dml: &ast::Dml) {
    let catalog = |name: &crate::sql::ObjectName| name.name() == "pg_index";
    if dml.kind == ast::DmlKind::Update && dml.targets.iter().any(catalog) {
        let text = dml.filter.as_ref().map_or("", |filter| filter.text.as_str());
        let marks = dml.columns.iter().any(|column| column.as_str() == "indisvalid");
        let named: Vec<String> =
            text.split('\'').skip(1).step_by(2).map(ToOwned::to_owned).collect();
        for name in named.iter().filter(|_| marks) {
            let ident = crate::sql::Ident::new(name.as_str(), Default::default());
            let written = crate::sql::ObjectName::bare(ident);
            let found = schema.find_index(&written).map(|(_, table, _)| table.name.clone());
            if let Some(relation) = found.and_then(|table| schema.relation_mut(&table)) {
                for index in relation.indexes.iter_mut().filter(|index| index.name == *name) {
                    index.valid = false;
                }
            }
        }
    }
    if dml.kind == ast::DmlKind::Delete {
        for target in &dml.targets {
            let name = schema.resolve(target);
            if let Some(relation) = schema.relation_mut(&name) {
                relation.rows_deleted = true;
            }
        }
    }
}

/// Types, routines, schemas, extensions and publications.
#[expect(clippy::wildcard_enum_match_arm, reason = "other statements leave no trace in a schema")]
fn apply_object(schema: &mut Schema, statement: &Statement) {
    match &statement.kind {
        StatementKind::CreateType(create) => create_type(schema, create),
        StatementKind::AlterType(alter) => alter_type(schema, alter),
        StatementKind::CreateDomain(domain) => create_domain(schema, domain),
        StatementKind::AlterDomain(domain) => alter_domain(schema, domain),
        StatementKind::CreateRoutine(routine) => routine::create(schema, routine),
        StatementKind::AlterRoutine(routine) => {
            let found = schema.find_routines(&routine.name);
            let found = found.map(|(full, all)| (full, all.to_vec()));
            if let (Some((full, mut all)), Some(volatility)) = (found, routine.volatility) {
                for overload in &mut all {
                    overload.volatility = volatility;
                }
                schema.set_routines(full, Some(all));
            }
        }
        StatementKind::CreateSchema(create) => {
            if let Some(name) = &create.name {
                let origin = schema.origin();
                schema.set_schema(name.value.clone(), Some(origin));
                let path = schema.search_path.clone();
                schema.search_path.insert(0, name.value.clone());
                for element in &create.elements {
                    apply(schema, element);
                }
                schema.search_path = path;
            }
        }
        StatementKind::Extension(extension) if !extension.alter => {
            let origin = schema.origin();
            schema.set_extension(extension.name.value.clone(), Some(origin));
        }
        StatementKind::Other(other) => make_other(schema, other),
        StatementKind::Publication(publication) => publish(schema, publication),
        _ => {}
    }
}

fn create_index(schema: &mut Schema, create: &CreateIndex) {
    let table = schema.resolve(&create.table);
    let new = index_of(schema, create, &table);
    let full = Name::new(table.schema.clone(), new.name.clone());
    if schema.is_taken(&full) {
        return;
    }
    schema.edit(&table, |_, relation| add(&mut relation.indexes, new.clone()));
    if create.only {
        return;
    }
    let parent = schema.relation(&table).cloned();
    let Some(parent) = parent.filter(|parent| parent.partition_by.is_some()) else { return };
    partition::attach_below(schema, &parent, &new);
}

fn index_of(schema: &Schema, create: &CreateIndex, table: &Name) -> Index {
    let definition = &create.index;
    let name = definition.name.as_ref().map(|name| name.value.clone()).unwrap_or_else(|| {
        let columns = index_column_names(&definition.parts, &definition.include).join("_");
        let taken = |name: &str| schema.is_taken(&Name::new(table.schema.clone(), name));
        made_up_name(&table.name, &columns, "idx", taken)
    });
    let parts_below = !schema.partitions(table).is_empty();
    Index {
        name,
        kind: definition.kind,
        primary: false,
        constraint: None,
        method: definition.method.clone().unwrap_or_else(|| "btree".to_owned()),
        parts: definition.parts.clone(),
        include: definition.include.iter().map(|column| column.value.clone()).collect(),
        predicate: definition.predicate.clone().map(Box::new),
        valid: !(create.only && parts_below),
        invisible: false,
        parent: None,
        tablespace: definition.tablespace.clone(),
        nulls_not_distinct: definition.nulls_not_distinct,
        origin: schema.origin(),
    }
}

fn alter_index(schema: &mut Schema, alter: &ast::AlterIndex) {
    match &alter.action {
        IndexAction::RenameTo(to) => rename::index(schema, &alter.name, to.as_str()),
        IndexAction::SetTablespace(tablespace) => {
            if let Some((full, table)) =
                schema.find_index(&alter.name).map(|(full, table, _)| (full, table.name.clone()))
            {
                schema.edit(&table, |_, relation| {
                    for index in relation.indexes.iter_mut().filter(|i| i.name == full.name) {
                        index.tablespace = (tablespace != "pg_default").then(|| tablespace.clone());
                    }
                });
            }
        }
        IndexAction::AttachPartition(child) => attach_index(schema, alter, child),
        IndexAction::DependsOnExtension(_)
        | IndexAction::Options(_)
        | IndexAction::SetStatistics(_)
        | IndexAction::OwnerTo
        | IndexAction::AllInTablespace(_) => {}
    }
}

/// The partitioned index becomes valid when every partition has its part.
fn attach_index(schema: &mut Schema, alter: &ast::AlterIndex, child: &crate::sql::ObjectName) {
    let parent = schema.find_index(&alter.name).map(|(full, table, _)| (full, table.name.clone()));
    let child = schema.find_index(child).map(|(full, table, _)| (full, table.name.clone()));
    let (Some((parent, parent_table)), Some((child, child_table))) = (parent, child) else {
        return;
    };
    schema.edit(&child_table, |_, relation| {
        for index in relation.indexes.iter_mut().filter(|index| index.name == child.name) {
            index.parent = Some(parent.clone());
        }
    });
    let all = schema
        .partitions(&parent_table)
        .iter()
        .all(|part| part.indexes.iter().any(|index| index.parent.as_ref() == Some(&parent)));
    schema.edit(&parent_table, |_, relation| {
        for index in relation.indexes.iter_mut().filter(|index| index.name == parent.name) {
            index.valid |= all;
        }
    });
}

fn create_sequence(schema: &mut Schema, create: &Sequence) {
    let mut name = schema.new_name(&create.name);
    if create.persistence == ast::Persistence::Temporary && create.name.schema().is_none() {
        "pg_temp".clone_into(&mut name.schema);
    }
    if schema.relation(&name).is_some() {
        return;
    }
    let mut sequence = Relation::new(name, RelationKind::Sequence, schema.origin());
    sequence.complete = true;
    sequence.persistence = create.persistence;
    schema.put_relation(sequence);
    own_sequence(schema, create);
}

/// OWNED BY.
fn own_sequence(schema: &mut Schema, sequence: &Sequence) {
    let Some(path) = &sequence.owned_by else { return };
    let name = schema.resolve(&sequence.name);
    let owner = match path.split_last() {
        Some((column, table)) if !table.is_empty() => {
            let table = crate::sql::ObjectName { parts: table.to_vec() };
            Some((schema.resolve(&table), column.value.clone()))
        }
        _ => None,
    };
    if schema.relation(&name).is_some() {
        schema.edit(&name, |_, relation| relation.owned_by = owner);
    }
}

fn create_trigger(schema: &mut Schema, create: &CreateTrigger) {
    let mut columns: Vec<String> = create.columns.iter().map(|c| c.value.clone()).collect();
    columns.extend(create.when.iter().flat_map(|when| when.columns.iter().cloned()));
    let function = create.function.as_ref().map(|function| {
        let found = schema.find_routines(function).map(|(full, _)| full);
        found.unwrap_or_else(|| schema.new_name(function))
    });
    let trigger = Trigger {
        name: create.name.name().to_owned(),
        function,
        columns,
        touches: Vec::new(),
        for_each_row: create.for_each_row,
        inherited: false,
        text: None,
        body: crate::sql::ast::Tree::default(),
    };
    let table = schema.resolve(&create.table);
    let mut tables = vec![(table.clone(), false)];
    if create.for_each_row {
        let below = schema.descendants(&table);
        let parts = below.iter().filter(|child| child.partition_of.is_some());
        tables.extend(parts.map(|child| (child.name.clone(), true)));
    }
    for (table, inherited) in tables {
        let relation = schema.relation_or_assumed(&table);
        relation.triggers.retain(|old| old.name != trigger.name);
        relation.triggers.push(Trigger { inherited, ..trigger.clone() });
    }
}

fn create_statistics(schema: &mut Schema, statistics: &ast::Statistics) {
    let Some(table) = statistics.table.as_ref().filter(|_| !statistics.alter) else { return };
    let table = schema.resolve(table);
    let columns: Vec<String> = statistics.columns.iter().map(|c| c.value.clone()).collect();
    let name = match &statistics.name {
        Some(name) => schema.new_name(name),
        None => {
            let name = made_up_name(&table.name, &columns.join("_"), "stat", |_| false);
            Name::new(table.schema.clone(), name)
        }
    };
    let relation = schema.relation_or_assumed(&table);
    relation.statistics.push((name, columns));
}

#[expect(clippy::wildcard_enum_match_arm, reason = "every other statement is run as it is")]
/// DO: its plain statements, whether or not the conditions around them hold.
fn run_block(schema: &mut Schema, block: &DoBlock) {
    for statement in &block.statements {
        match &statement.kind {
            StatementKind::Drop(drop) => {
                apply(schema, statement);
                // Whether the drop ran is not known, so nothing is known to be absent.
                for name in &drop.names {
                    for full in schema.candidates(name) {
                        schema.gone.remove(&full);
                    }
                }
            }
            StatementKind::AlterTable(alter) => {
                apply(schema, statement);
                let name = schema.resolve(&alter.name);
                if let Some(relation) = schema.relation_mut(&name) {
                    relation.complete = false;
                }
            }
            StatementKind::Transaction(_) => {}
            _ => apply(schema, statement),
        }
    }
}

fn set_path(schema: &mut Schema, set: &Set) {
    if set.name != "search_path" {
        return;
    }
    let path = match &set.value {
        Some(value) => value
            .split(',')
            .map(|entry| entry.trim().trim_matches(['"', '\'']).to_owned())
            .filter(|entry| !entry.is_empty() && entry != "$user")
            .collect(),
        None => schema.session_path.clone(),
    };
    schema.set_search_path(path, set.scope == SetScope::Local);
}

fn create_type(schema: &mut Schema, create: &ast::CreateType) {
    let name = schema.new_name(&create.name);
    if schema.types.contains_key(&name) {
        return;
    }
    let kind = match &create.kind {
        TypeKind::Enum(values) => TypeBody::Enum { values: values.clone(), fresh: Vec::new() },
        TypeKind::Composite(fields) => TypeBody::Composite(
            fields.iter().map(|(name, kind)| (name.value.clone(), kind.clone())).collect(),
        ),
        TypeKind::Range => TypeBody::Range,
        TypeKind::Base => TypeBody::Base,
    };
    let origin = schema.origin();
    schema.set_type(name.clone(), Some(Type { name, kind, origin }));
}

fn alter_type(schema: &mut Schema, alter: &AlterType) {
    let Some(name) = schema.find_type(&alter.name).map(|found| found.name.clone()) else { return };
    for action in &alter.actions {
        for table in schema.typed_tables(&name) {
            alter::typed_table(schema, &table, action);
        }
        let Some(found) = schema.type_mut(&name) else { return };
        match (&mut found.kind, action) {
            (TypeBody::Enum { values, fresh }, TypeAction::AddValue { value, .. })
                if !values.contains(value) =>
            {
                values.push(value.clone());
                fresh.push(value.clone());
            }
            (TypeBody::Enum { values, .. }, TypeAction::RenameValue { from, to }) => {
                for value in values.iter_mut().filter(|value| *value == from) {
                    value.clone_from(to);
                }
            }
            (TypeBody::Composite(fields), TypeAction::AddAttribute { name, data_type, .. }) => {
                fields.push((name.value.clone(), data_type.clone()));
            }
            (TypeBody::Composite(fields), TypeAction::DropAttribute { name, .. }) => {
                fields.retain(|(field, _)| *field != name.value);
            }
            (TypeBody::Composite(fields), TypeAction::AlterAttribute { name, data_type, .. }) => {
                for (_, kind) in fields.iter_mut().filter(|(field, _)| *field == name.value) {
                    kind.clone_from(data_type);
                }
            }
            (TypeBody::Composite(fields), TypeAction::RenameAttribute { from, to, .. }) => {
                for (field, _) in fields.iter_mut().filter(|(field, _)| *field == from.value) {
                    field.clone_from(&to.value);
                }
            }
            _ => {}
        }
    }
}

fn create_domain(schema: &mut Schema, create: &CreateDomain) {
    let name = schema.new_name(&create.name);
    if schema.types.contains_key(&name) {
        return;
    }
    let mut checks: Vec<(String, ast::Expr, bool)> = Vec::new();
    for (written, check) in &create.checks {
        let taken = |name: &str| checks.iter().any(|(known, _, _)| known == name);
        let check_name = written
            .as_ref()
            .map(|name| name.value.clone())
            .unwrap_or_else(|| made_up_name(&name.name, "", "check", taken));
        checks.push((check_name, check.clone(), true));
    }
    let domain = Domain {
        base: create.data_type.clone(),
        default: create.default.clone(),
        not_null: create.not_null,
        checks,
    };
    let origin = schema.origin();
    let kind = TypeBody::Domain(Box::new(domain));
    schema.set_type(name.clone(), Some(Type { name, kind, origin }));
}

fn alter_domain(schema: &mut Schema, alter: &AlterDomain) {
    let Some(name) = schema.find_type(&alter.name).map(|found| found.name.clone()) else { return };
    let Some(TypeBody::Domain(domain)) = schema.type_mut(&name).map(|found| &mut found.kind) else {
        return;
    };
    match &alter.action {
        DomainAction::SetDefault(default) => domain.default = Some(default.clone()),
        DomainAction::DropDefault => domain.default = None,
        DomainAction::SetNotNull | DomainAction::AddNotNull { .. } => domain.not_null = true,
        DomainAction::DropNotNull => domain.not_null = false,
        DomainAction::AddCheck { name: written, check, not_valid } => {
            let taken = |name: &str| domain.checks.iter().any(|(known, _, _)| known == name);
            let made = written
                .as_ref()
                .map(|name| name.value.clone())
                .unwrap_or_else(|| made_up_name(&name.name, "", "check", taken));
            domain.checks.push((made, check.clone(), !not_valid));
        }
        DomainAction::DropConstraint { name, .. } => {
            domain.checks.retain(|(known, _, _)| known != name.as_str());
        }
        DomainAction::ValidateConstraint(name) => {
            for (known, _, valid) in &mut domain.checks {
                *valid |= known == name.as_str();
            }
        }
    }
}

fn publish(schema: &mut Schema, statement: &ast::Publication) {
    let tables: Vec<Name> = statement.tables.iter().map(|table| schema.resolve(table)).collect();
    let name = statement.name.value.clone();
    let old = schema.publications.get(&name).cloned();
    let columns = statement.columns.iter();
    let columns: Vec<(Name, String)> =
        columns.map(|(table, column)| (schema.resolve(table), column.value.clone())).collect();
    let restricted = statement.restricted.iter();
    let restricted: Vec<Name> = restricted.map(|table| schema.resolve(table)).collect();
    let mut made = old.unwrap_or(Publication {
        all_tables: false,
        tables: Vec::new(),
        columns: Vec::new(),
        restricted: Vec::new(),
        via_root: false,
        origin: if statement.alter { Origin::Assumed } else { schema.origin() },
    });
    match statement.action.as_deref() {
        Some("drop") => {
            made.tables.retain(|table| !tables.contains(table));
            made.columns.retain(|(table, _)| !tables.contains(table));
            made.restricted.retain(|table| !tables.contains(table));
        }
        Some("set") if !tables.is_empty() => {
            made.tables = tables;
            made.columns = columns;
            made.restricted = restricted;
        }
        _ => {
            made.tables.extend(tables);
            made.columns.extend(columns);
            made.restricted.extend(restricted);
        }
    }
    made.via_root = statement.via_root.unwrap_or(made.via_root);
    made.all_tables |= statement.all_tables;
    schema.set_publication(name, Some(made));
}
