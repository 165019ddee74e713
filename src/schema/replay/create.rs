//! CREATE TABLE: columns, constraints, indexes, and what a table takes from others.
//!
//! The names made up are PostgreSQL's; MySQL, MariaDB and SQLite make up their own in their files.
//!
//! PostgreSQL 12 to 18, DefineRelation and MergeAttributes (tablecmds.c), transformTableLikeClause
//! (parse_utilcmd.c); manual: CREATE TABLE; measured, testdata/servers/postgres.

use super::super::change::add;
use super::super::model::{
    Column, Constraint, Demand, Index, Name, Origin, Policy, Relation, RelationKind, Schema,
    TypeBody,
};
use super::super::naming::{index_column_names, made_up_name};
use super::partition;
use crate::sql::Ident;
use crate::sql::ast::{
    ColumnDef, ConstraintKind, CreateTable, DataType, Expr, ForeignKey, IndexKind, KeyConstraint,
    LikeClause, Nullability, Query, TableConstraint,
};

/// Returns a column as it is written, without its constraints.
pub(in crate::schema) fn column(definition: &ColumnDef, origin: Origin) -> Column {
    let serial = definition.data_type.as_ref().is_some_and(|t| serial_base(&t.name).is_some());
    let not_null = matches!(definition.nullability, Some(Nullability::NotNull { .. }));
    Column {
        name: definition.name.value.clone(),
        data_type: definition.data_type.clone(),
        not_null: not_null || serial || definition.identity.is_some(),
        not_null_not_valid: false,
        default: definition.default.clone().map(Box::new),
        generated: definition.generated.clone().map(Box::new),
        identity: definition.identity,
        auto_increment: definition.auto_increment || serial,
        on_update: definition.on_update.is_some(),
        invisible: definition.invisible,
        inherited: false,
        local: true,
        origin,
    }
}

/// Returns the integer type behind PostgreSQL's `serial` and its kin.
pub(in crate::schema) fn serial_base(name: &str) -> Option<&'static str> {
    match name {
        "smallserial" | "serial2" => Some("smallint"),
        "serial" | "serial4" => Some("integer"),
        "bigserial" | "serial8" => Some("bigint"),
        _ => None,
    }
}

/// Makes a table, its sequences and its indexes.
pub(super) fn table(schema: &mut Schema, create: &CreateTable) {
    let name = made_name(schema, create);
    let known = schema.relation(&name).is_some_and(|old| old.origin != Origin::Assumed);
    if known {
        return;
    }
    let kind = if create.foreign { RelationKind::Foreign } else { RelationKind::Table };
    let mut table = Relation::new(name.clone(), kind, schema.origin());
    table.complete = true;
    table.persistence = create.persistence;
    table.access_method.clone_from(&create.access_method);
    table.tablespace.clone_from(&create.tablespace);
    table.options = create.options.iter().cloned().collect();
    table.partition_by.clone_from(&create.partition_by);
    table.system_versioning = create.system_versioning;
    take_from_parents(schema, &mut table, create);
    let mut made = Vec::new();
    for definition in &create.columns {
        add_column(schema, &mut table, definition, &mut made);
    }
    for constraint in &create.constraints {
        // A new table has no rows to doubt, foreign ones aside: NOT VALID says nothing (PostgreSQL
        // 12 to 18, transformCheckConstraints; measured, testdata/servers/postgres).
        let not_valid = constraint.not_valid && create.foreign;
        let constraint = TableConstraint { not_valid, ..constraint.clone() };
        add_constraint(schema, &mut table, &constraint, false);
    }
    if let Some(query) = &create.query {
        fill_from_query(schema, &mut table, query);
        table.has_rows = !create.with_no_data;
    }
    if let Some(of) = &create.partition_of {
        let parent = schema.resolve(&of.parent);
        table.partition_of = Some((parent.clone(), of.bound.clone()));
        if let Some(parent) = schema.relation(&parent) {
            partition::take_indexes(schema, parent, &mut table);
        }
    }
    schema.put_relation(table);
    for sequence in made {
        schema.put_relation(sequence);
    }
}

pub(super) fn made_name(schema: &Schema, create: &CreateTable) -> Name {
    let temporary = create.persistence == crate::sql::ast::Persistence::Temporary;
    if temporary && create.name.schema().is_none() {
        let home = match schema.server.kind {
            crate::sql::ServerKind::Postgres => "pg_temp",
            crate::sql::ServerKind::Sqlite => "temp",
            crate::sql::ServerKind::Mysql | crate::sql::ServerKind::Mariadb => "",
        };
        return schema.key(&Name::new(home, create.name.name()));
    }
    schema.new_name(&create.name)
}

/// Takes over what LIKE, INHERITS, PARTITION OF and OF give.
fn take_from_parents(schema: &Schema, table: &mut Relation, create: &CreateTable) {
    for like in &create.likes {
        take_like(schema, table, like);
    }
    let parents = create.inherits.iter().chain(create.partition_of.iter().map(|of| &of.parent));
    for written in parents {
        let parent = schema.resolve(written);
        match schema.relation(&parent) {
            Some(parent) => partition::take_columns(parent, table, schema.origin()),
            None => table.complete = false,
        }
    }
    table.inherits = create.inherits.iter().map(|parent| schema.resolve(parent)).collect();
    if let Some(of) = &create.of_type {
        table.of_type = schema.find_type(of).map(|found| found.name.clone());
        take_fields(schema, table, of);
    }
}

/// Takes over the fields of a composite type.
fn take_fields(schema: &Schema, table: &mut Relation, written: &crate::sql::ObjectName) {
    match schema.find_type(written).map(|found| &found.kind) {
        Some(TypeBody::Composite(fields)) => {
            let origin = schema.origin();
            let column = |(name, kind): &(String, _)| {
                plain_column(name, Some(DataType::clone(kind)), origin)
            };
            table.columns.extend(fields.iter().map(column));
        }
        _ => table.complete = false,
    }
}

/// Returns a column of which only name and type are known.
pub(super) fn plain_column(name: &str, data_type: Option<DataType>, origin: Origin) -> Column {
    Column { data_type, origin, ..Column::named(name) }
}

/// LIKE: columns and NOT NULL always, the rest when INCLUDING says so.
fn take_like(schema: &Schema, table: &mut Relation, like: &LikeClause) {
    let Some(source) = schema.find(&like.source) else {
        take_fields(schema, table, &like.source);
        return;
    };
    let includes = |what: &str| {
        let has = |list: &[String], word: &str| list.iter().any(|entry| entry == word);
        (has(&like.including, what) || has(&like.including, "all")) && !has(&like.excluding, what)
    };
    table.complete &= source.complete;
    let origin = schema.origin();
    for column in &source.columns {
        let mut copy = column.clone();
        copy.origin = origin;
        copy.inherited = false;
        copy.local = true;
        copy.auto_increment = false;
        if !includes("defaults") {
            copy.default = None;
        }
        if column.auto_increment && includes("defaults") {
            // The copy calls nextval() of the sequence that the source goes on owning.
            copy.default = Some(Box::new(sequence_call(source, column)));
        }
        if !includes("generated") {
            copy.generated = None;
        }
        if !includes("identity") {
            copy.identity = None;
        }
        add(&mut table.columns, copy);
    }
    for constraint in &source.constraints {
        let copied = match constraint.kind {
            Demand::Check(_) => includes("constraints"),
            Demand::NotNull(_) => true,
            Demand::PrimaryKey(_)
            | Demand::Unique(_)
            | Demand::Exclude(_)
            | Demand::ForeignKey { .. } => false,
        };
        if copied {
            let copy = Constraint { inherited: false, valid: true, origin, ..constraint.clone() };
            add(&mut table.constraints, copy);
        }
    }
    if includes("indexes") {
        for index in &source.indexes {
            partition::copy_index(schema, source, index, table, false);
        }
    }
}

fn sequence_call(source: &Relation, column: &Column) -> Expr {
    let sequence = format!("{}_{}_seq", source.name.name, column.name);
    Expr {
        text: format!("nextval('{}.{sequence}')", source.name.schema),
        functions: vec![crate::sql::ObjectName::bare(Ident::new("nextval", Default::default()))],
        ..Expr::default()
    }
}

/// CREATE TABLE AS: columns whose names stand in the query and in what it reads.
pub(super) fn fill_from_query(schema: &Schema, table: &mut Relation, query: &Query) {
    table.complete = false;
    let origin = schema.origin();
    let sources: Vec<&Relation> = query.reads.iter().filter_map(|name| schema.find(name)).collect();
    for source in &sources {
        for column in &source.columns {
            let named = query.star || query.columns.contains(&column.name);
            if named && table.column(&column.name).is_none() {
                let copy = plain_column(&column.name, column.data_type.clone(), origin);
                add(&mut table.columns, copy);
            }
        }
    }
    let all_known = sources.len() == query.reads.len() && sources.iter().all(|s| s.complete);
    // `SELECT * FROM t`; anything besides may give a column more, or a column another name.
    let plain = query.star && query.columns.is_empty() && query.functions.is_empty();
    table.complete = plain && all_known && sources.len() == 1;
}

/// Adds a column with its sequence and its constraints; columns of that name are merged.
pub(super) fn add_column(
    schema: &Schema,
    table: &mut Relation,
    definition: &ColumnDef,
    made: &mut Vec<Relation>,
) {
    let new = column(definition, schema.origin());
    let name = new.name.clone();
    if new.auto_increment || new.identity.is_some() {
        made.push(owned_sequence(schema, table, &name));
    }
    match table.column_mut(&name) {
        Some(old) => {
            old.local = true;
            old.not_null |= new.not_null;
            old.default = new.default.or_else(|| old.default.take());
            old.generated = new.generated.or_else(|| old.generated.take());
        }
        None => add(&mut table.columns, new),
    }
    if let Some(Nullability::NotNull { name: Some(written) }) = &definition.nullability {
        push_not_null(schema, table, &name, Some(written.value.clone()), true);
    } else if table.column(&name).is_some_and(|column| column.not_null) {
        push_not_null(schema, table, &name, None, true);
    }
    for constraint in &definition.constraints {
        add_constraint(schema, table, constraint, false);
    }
}

/// Returns the sequence behind a serial or identity column.
pub(super) fn owned_sequence(schema: &Schema, table: &Relation, column: &str) -> Relation {
    let home = &table.name.schema;
    let taken = |name: &str| is_taken(schema, table, name);
    let name = made_up_name(&table.name.name, column, "seq", taken);
    let full = Name::new(home.clone(), name);
    let mut sequence = Relation::new(full, RelationKind::Sequence, schema.origin());
    sequence.complete = true;
    sequence.persistence = table.persistence;
    sequence.owned_by = Some((table.name.clone(), column.to_owned()));
    sequence
}

/// Says whether a relation or index of the table's schema, or of the table itself, has a name.
pub(super) fn is_taken(schema: &Schema, table: &Relation, name: &str) -> bool {
    table.name.name == name
        || table.index(name).is_some()
        || schema.is_taken(&Name::new(table.name.schema.clone(), name))
}

fn is_constraint_taken(schema: &Schema, table: &Relation, name: &str) -> bool {
    // Names of keys are relation names too; CHECK and foreign key names hold the table's name, so
    // that another table of the schema cannot have them but by design.
    table.constraint(name).is_some()
        || schema.index_tables.contains_key(&Name::new(table.name.schema.clone(), name))
}

/// Notes the NOT NULL constraint that PostgreSQL 18 has a name for.
pub(super) fn push_not_null(
    schema: &Schema,
    table: &mut Relation,
    column: &str,
    name: Option<String>,
    valid: bool,
) {
    let named = schema.server.kind == crate::sql::ServerKind::Postgres
        && schema.server.version.at_least(18, 0, 0);
    let there = table
        .constraints
        .iter()
        .any(|constraint| matches!(&constraint.kind, Demand::NotNull(of) if of == column));
    if !named || there {
        return;
    }
    let taken = |name: &str| is_constraint_taken(schema, table, name);
    let name = name.unwrap_or_else(|| made_up_name(&table.name.name, column, "not_null", taken));
    add(
        &mut table.constraints,
        Constraint {
            name,
            kind: Demand::NotNull(column.to_owned()),
            valid,
            enforced: true,
            written_on: None,
            deferrable: false,
            inherited: false,
            no_inherit: false,
            origin: schema.origin(),
        },
    );
}

/// Adds a constraint and the index behind it, under the name that PostgreSQL would give.
pub(super) fn add_constraint(
    schema: &Schema,
    table: &mut Relation,
    constraint: &TableConstraint,
    inherited: bool,
) {
    let written = constraint.name.as_ref().map(|name| name.value.clone());
    let (kind, name) = match &constraint.kind {
        ConstraintKind::PrimaryKey(key) => {
            add_key(schema, table, constraint, key, true, inherited);
            return;
        }
        ConstraintKind::Unique(key) => {
            add_key(schema, table, constraint, key, false, inherited);
            return;
        }
        ConstraintKind::PrimaryKeyUsingIndex(index) => {
            use_index(schema, table, constraint, index.as_str(), true);
            return;
        }
        ConstraintKind::UniqueUsingIndex(index) => {
            use_index(schema, table, constraint, index.as_str(), false);
            return;
        }
        ConstraintKind::NotNull(column) => {
            set_not_null(schema, table, column.as_str(), written, !constraint.not_valid);
            return;
        }
        ConstraintKind::Exclude(exclude) => {
            let key = KeyConstraint { parts: exclude.parts.clone(), ..KeyConstraint::default() };
            let name = written.unwrap_or_else(|| key_name(schema, table, &key, "excl"));
            let mut index = new_index(schema, name.clone(), &key, IndexKind::Plain);
            index.method = exclude.method.clone().unwrap_or_else(|| "btree".to_owned());
            index.predicate = exclude.predicate.clone().map(Box::new);
            index.constraint = Some(name.clone());
            add(&mut table.indexes, index);
            (Demand::Exclude(key_columns(&key)), name)
        }
        ConstraintKind::Check(check) => {
            let name = written.unwrap_or_else(|| check_name(schema, table, check));
            (Demand::Check(check.clone()), name)
        }
        ConstraintKind::ForeignKey(key) => {
            let name = written.unwrap_or_else(|| foreign_key_name(schema, table, &key.columns));
            (foreign_key(schema, table, key), name)
        }
    };
    add(&mut table.constraints, made(schema, constraint, kind, name, inherited));
}

fn made(
    schema: &Schema,
    constraint: &TableConstraint,
    kind: Demand,
    name: String,
    inherited: bool,
) -> Constraint {
    Constraint {
        name,
        kind,
        valid: !constraint.not_valid && !constraint.not_enforced,
        enforced: !constraint.not_enforced,
        written_on: None,
        deferrable: constraint.deferrable,
        inherited,
        no_inherit: constraint.no_inherit,
        origin: schema.origin(),
    }
}

/// Returns what a foreign key demands, its parent looked up.
pub(in crate::schema) fn foreign_key(
    schema: &Schema,
    table: &Relation,
    key: &ForeignKey,
) -> Demand {
    let own = key.parent.name() == table.name.name
        && key.parent.schema().is_none_or(|schema| schema == table.name.schema);
    let parent = if own { table.name.clone() } else { schema.resolve(&key.parent) };
    let mut parent_columns: Vec<String> =
        key.parent_columns.iter().map(|column| column.value.clone()).collect();
    if parent_columns.is_empty() {
        let relation = if own { Some(table) } else { schema.relation(&parent) };
        parent_columns =
            relation.and_then(Relation::primary_key).map(<[String]>::to_vec).unwrap_or_default();
    }
    Demand::ForeignKey {
        columns: key.columns.iter().map(|column| column.value.clone()).collect(),
        parent,
        parent_columns,
        on_delete: key.on_delete,
        on_update: key.on_update,
    }
}

/// Returns the name PostgreSQL makes up for a CHECK: with the column if it names exactly one.
pub(super) fn check_name(schema: &Schema, table: &Relation, check: &Expr) -> String {
    let known: Vec<&String> = check
        .columns
        .iter()
        .filter(|word| table.column(word).is_some() || !table.complete)
        .collect();
    let column = match known.as_slice() {
        [one] => one.as_str(),
        _ => "",
    };
    let taken = |name: &str| is_constraint_taken(schema, table, name);
    made_up_name(&table.name.name, column, "check", taken)
}

/// Returns the name PostgreSQL makes up for a foreign key.
pub(super) fn foreign_key_name(schema: &Schema, table: &Relation, columns: &[Ident]) -> String {
    let joined = columns.iter().map(Ident::as_str).collect::<Vec<_>>().join("_");
    let taken = |name: &str| is_constraint_taken(schema, table, name);
    made_up_name(&table.name.name, &joined, "fkey", taken)
}

fn key_name(schema: &Schema, table: &Relation, key: &KeyConstraint, label: &str) -> String {
    let names = index_column_names(&key.parts, &key.include).join("_");
    let taken =
        |name: &str| is_taken(schema, table, name) || is_constraint_taken(schema, table, name);
    made_up_name(&table.name.name, &names, label, taken)
}

fn key_columns(key: &KeyConstraint) -> Vec<String> {
    key.parts.iter().filter_map(|part| part.key.column()).map(ToOwned::to_owned).collect()
}

fn new_index(schema: &Schema, name: String, key: &KeyConstraint, kind: IndexKind) -> Index {
    Index {
        name,
        kind,
        primary: false,
        constraint: None,
        method: if key.without_overlaps { "gist" } else { "btree" }.to_owned(),
        parts: key.parts.clone(),
        include: key.include.iter().map(|column| column.value.clone()).collect(),
        predicate: None,
        valid: true,
        invisible: false,
        parent: None,
        tablespace: key.tablespace.clone(),
        nulls_not_distinct: key.nulls_not_distinct,
        origin: schema.origin(),
    }
}

fn add_key(
    schema: &Schema,
    table: &mut Relation,
    constraint: &TableConstraint,
    key: &KeyConstraint,
    primary: bool,
    inherited: bool,
) {
    let columns = key_columns(key);
    if primary && !inherited {
        // The statement is taken to have worked: an earlier key was gone, whoever dropped it.
        table.constraints.retain(|known| !matches!(known.kind, Demand::PrimaryKey(_)));
        table.indexes.retain(|known| !known.primary);
    }
    let name = constraint.name.as_ref().map(|name| name.value.clone()).unwrap_or_else(|| {
        if primary {
            let taken = |name: &str| is_taken(schema, table, name);
            made_up_name(&table.name.name, "", "pkey", taken)
        } else {
            key_name(schema, table, key, "key")
        }
    });
    if primary {
        for column in &columns {
            set_not_null(schema, table, column, None, true);
        }
    }
    let mut index = new_index(schema, name.clone(), key, IndexKind::Unique);
    index.primary = primary;
    index.constraint = Some(name.clone());
    add(&mut table.indexes, index);
    let kind = if primary { Demand::PrimaryKey(columns) } else { Demand::Unique(columns) };
    add(&mut table.constraints, made(schema, constraint, kind, name, inherited));
}

/// PRIMARY KEY or UNIQUE USING INDEX: the index takes the constraint's name.
fn use_index(
    schema: &Schema,
    table: &mut Relation,
    constraint: &TableConstraint,
    index: &str,
    primary: bool,
) {
    let name = constraint.name.as_ref().map_or_else(|| index.to_owned(), |n| n.value.clone());
    let Some(found) = table.indexes.iter_mut().find(|found| found.name == index) else {
        table.complete = false;
        return;
    };
    found.name.clone_from(&name);
    found.primary = primary;
    found.constraint = Some(name.clone());
    let columns: Vec<String> = found.key_columns().iter().map(|c| (*c).to_owned()).collect();
    if primary {
        for column in &columns {
            set_not_null(schema, table, column, None, true);
        }
    }
    let kind = if primary { Demand::PrimaryKey(columns) } else { Demand::Unique(columns) };
    add(&mut table.constraints, made(schema, constraint, kind, name, false));
}

/// Makes a column NOT NULL.
pub(super) fn set_not_null(
    schema: &Schema,
    table: &mut Relation,
    column: &str,
    name: Option<String>,
    valid: bool,
) {
    let origin = schema.origin();
    if table.column(column).is_none() && !table.complete {
        add(&mut table.columns, plain_column(column, None, Origin::Assumed));
    }
    if let Some(found) = table.column_mut(column) {
        found.not_null = true;
        found.not_null_not_valid = !valid;
    }
    for constraint in &mut table.constraints {
        if matches!(&constraint.kind, Demand::NotNull(of) if of == column) && valid {
            constraint.valid = true;
        }
    }
    let _ = origin;
    push_not_null(schema, table, column, name, valid);
}

/// Returns a policy as the model keeps it.
pub(super) fn policy(schema: &Schema, policy: &crate::sql::ast::Policy) -> Policy {
    let mut made = Policy {
        name: policy.name.value.clone(),
        columns: Vec::new(),
        calls: Vec::new(),
        reads: Vec::new(),
    };
    for expr in policy.using.iter().chain(&policy.with_check) {
        made.columns.extend(expr.columns.iter().cloned());
        made.calls.extend(expr.functions.iter().map(|f| f.name().to_owned()));
        if expr.has_subquery {
            made.reads.extend(schema.relations_named(expr));
        }
    }
    made
}
