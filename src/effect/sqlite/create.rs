//! CREATE TABLE, INDEX, VIEW, TRIGGER and REINDEX.
//!
//! sqlite.org/lang_createtable.html, lang_createindex.html, lang_createtrigger.html; measured on
//! SQLite 3.40 to 3.54, testdata/servers/sqlite.

use super::{CONSTRAINT, SQL_ERROR, Scene, is_reserved, same};
use crate::effect::During;
use crate::schema::{Column, Name, Origin, Place, Relation, RelationKind, is_collation};
use crate::sql::ast::{
    ColumnDef, ConstraintKind, CreateIndex, CreateTable, CreateTrigger, CreateView,
    GeneratedStorage, IndexKind, Key, KeyPart, Persistence, Reindex,
};
use crate::sql::{Ident, ObjectName};

impl Scene<'_> {
    pub(super) fn create_table(&mut self, create: &CreateTable) {
        let temporary = create.persistence == Persistence::Temporary;
        if temporary && create.name.schema().is_some_and(|home| !same(home, "temp")) {
            let detail = "temporary table name must be unqualified".to_owned();
            self.told.fails("syntax", SQL_ERROR, detail);
        }
        let name = self.schema().new_name(&create.name);
        let name = if temporary { Name::new("temp", name.name) } else { name };
        if self.schema().relation(&name).is_some() {
            if !create.if_not_exists {
                let detail = format!("table {} already exists", name.name);
                self.told.fails("duplicate-object", SQL_ERROR, detail);
            }
            return;
        }
        if self.schema().index_tables.contains_key(&name) {
            let detail = format!("there is already an index named {}", name.name);
            self.told.fails("duplicate-object", SQL_ERROR, detail);
        }
        self.name_is_free(&name);
        if create.foreign {
            self.module(create);
        } else {
            self.new_columns(create, &name);
            self.new_keys(create, &name);
        }
        if let Some(query) = &create.query {
            self.query_of_table(query);
            self.told.leaves("constraints-lost", name.to_string(), &name);
        }
        if !temporary {
            let catalog = Self::catalog();
            self.locks(&catalog, "create-table", During::Instant);
        }
    }

    /// Names that begin with `sqlite_` are SQLite's, unless `writable_schema` is on, and those of
    /// the tables of a virtual table are taken.
    fn name_is_free(&mut self, name: &Name) {
        let reserved = is_reserved(&name.name);
        if reserved && self.flag("writable_schema") != Some(true) {
            let detail = format!("object name reserved for internal use: {}", name.name);
            self.told.fails("duplicate-object", SQL_ERROR, detail);
        } else if !reserved && self.schema().is_taken(name) {
            let detail = format!("table {} already exists", name.name);
            self.told.fails("duplicate-object", SQL_ERROR, detail);
        }
    }

    fn new_columns(&mut self, create: &CreateTable, name: &Name) {
        let strict = create.options.iter().any(|(option, _)| option == "strict");
        let table = new_table(create, name);
        for (at, column) in create.columns.iter().enumerate() {
            self.told.span = column.span;
            let earlier = create.columns.iter().take(at);
            if earlier.into_iter().any(|other| same(other.name.as_str(), column.name.as_str())) {
                let detail = format!("duplicate column name: {}", column.name);
                self.told.fails("duplicate-parts", SQL_ERROR, detail);
            }
            if strict {
                let full = format!("{}.{}", name.name, column.name);
                self.strict_type(column.data_type.as_ref(), &full);
            }
            self.column_clauses(column, &table);
        }
        self.computed_in_a_circle(create);
        let computed = |column: &ColumnDef| column.generated.is_some();
        if !create.columns.is_empty() && create.columns.iter().all(computed) {
            let detail = "must have at least one non-generated column".to_owned();
            self.told.fails("missing-column", SQL_ERROR, detail);
        }
    }

    /// A virtual column is not computed from itself, nor from one that is computed from it: 3.44
    /// and later refuse the table, 3.43 and before what reads or writes the column (measured).
    fn computed_in_a_circle(&mut self, create: &CreateTable) {
        let version = self.schema().server.version;
        if !version.at_least(3, 44, 0) {
            return;
        }
        let computed = |name: &str| {
            let mut all = create.columns.iter();
            let column = all.find(|column| same(column.name.as_str(), name))?;
            let generated = column.generated.as_ref()?;
            let stored = generated.storage == GeneratedStorage::Stored;
            (!stored).then_some(&generated.expr.columns)
        };
        for column in &create.columns {
            let name = column.name.as_str();
            let mut queue: Vec<&String> = computed(name).into_iter().flatten().collect();
            let mut seen: Vec<&String> = Vec::new();
            while let Some(next) = queue.pop() {
                if same(next, name) {
                    self.told.span = column.span;
                    let detail = format!("generated column loop on \"{name}\"");
                    self.told.fails("type-mismatch", SQL_ERROR, detail);
                    return;
                }
                if !seen.contains(&next) {
                    seen.push(next);
                    queue.extend(computed(next).into_iter().flatten());
                }
            }
        }
    }

    fn new_keys(&mut self, create: &CreateTable, name: &Name) {
        let written = create.columns.iter().flat_map(|column| &column.constraints);
        let all: Vec<_> = written.chain(&create.constraints).collect();
        let is_primary = |kind: &ConstraintKind| matches!(kind, ConstraintKind::PrimaryKey(_));
        let primaries = all.iter().filter(|found| is_primary(&found.kind)).count();
        if primaries > 1 {
            let detail = format!("table \"{}\" has more than one primary key", name.name);
            self.told.fails("duplicate-object", SQL_ERROR, detail);
        }
        let without_rowid = create.options.iter().any(|(option, _)| option == "without rowid");
        if without_rowid && primaries == 0 {
            let detail = format!("PRIMARY KEY missing on table {}", name.name);
            self.told.fails("missing-object", SQL_ERROR, detail);
        }
        for column in create.columns.iter().filter(|column| column.auto_increment) {
            self.told.span = column.span;
            let downward = |kind: &ConstraintKind| {
                matches!(kind, ConstraintKind::PrimaryKey(key)
                    if key.parts.iter().any(|part| part.descending))
            };
            let is_integer = column.data_type.as_ref().is_some_and(|t| same(&t.name, "integer"))
                && !column.constraints.iter().any(|constraint| downward(&constraint.kind));
            if without_rowid {
                let detail = "AUTOINCREMENT not allowed on WITHOUT ROWID tables".to_owned();
                self.told.fails("identity-misuse", SQL_ERROR, detail);
            } else if !is_integer {
                let detail = "AUTOINCREMENT is only allowed on an INTEGER PRIMARY KEY".to_owned();
                self.told.fails("identity-misuse", SQL_ERROR, detail);
            }
        }
        for constraint in all {
            self.told.span = constraint.span;
            match &constraint.kind {
                ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
                    self.key_columns_exist(create, &key.parts);
                    if is_primary(&constraint.kind) {
                        self.key_is_stored(create, &key.parts);
                    }
                    for part in &key.parts {
                        self.collation(part.collation.as_deref());
                    }
                }
                ConstraintKind::ForeignKey(key) => self.reference(create, name, key),
                ConstraintKind::Check(check) => {
                    self.expression(check, &new_table(create, name), Place::Check);
                }
                ConstraintKind::PrimaryKeyUsingIndex(_)
                | ConstraintKind::UniqueUsingIndex(_)
                | ConstraintKind::Exclude(_)
                | ConstraintKind::NotNull(_) => {}
            }
        }
        if primaries == 0 && create.query.is_none() && create.partition_of.is_none() {
            self.told.leaves("no-primary-key", name.to_string(), name);
        }
    }

    fn key_is_stored(&mut self, create: &CreateTable, parts: &[KeyPart]) {
        let computed = |part: &KeyPart| {
            create.columns.iter().any(|column| {
                column.generated.is_some()
                    && part.key.column().is_some_and(|key| same(key, column.name.as_str()))
            })
        };
        if parts.iter().any(computed) {
            let detail = "generated columns cannot be part of the PRIMARY KEY".to_owned();
            self.told.fails("type-mismatch", SQL_ERROR, detail);
        }
    }

    fn key_columns_exist(&mut self, create: &CreateTable, parts: &[KeyPart]) {
        for part in parts {
            let Some(column) = part.key.column() else {
                let detail = "expressions prohibited in PRIMARY KEY and UNIQUE constraints";
                self.told.fails("type-mismatch", SQL_ERROR, detail.to_owned());
                continue;
            };
            if !create.columns.iter().any(|found| same(found.name.as_str(), column)) {
                let detail = format!("no such column: {column}");
                self.told.fails("missing-column", SQL_ERROR, detail);
            }
        }
    }

    /// A foreign key is not looked at when it is made: with `foreign_keys` on, the first row that
    /// needs a parent fails where the parent has no such key ("foreign key mismatch").
    fn reference(&mut self, create: &CreateTable, name: &Name, key: &crate::sql::ast::ForeignKey) {
        let missing =
            |c: &&Ident| !create.columns.iter().any(|f| same(f.name.as_str(), c.as_str()));
        if let Some(column) = key.columns.iter().find(missing) {
            let detail = format!("unknown column \"{column}\" in foreign key definition");
            self.told.fails("missing-column", SQL_ERROR, detail);
        }
        let (own, wanted) = (key.columns.len().max(1), key.parent_columns.len());
        if wanted > 0 && own != wanted {
            let detail = "number of columns in foreign key does not match".to_owned();
            self.told.fails("type-mismatch", SQL_ERROR, detail);
        }
        if same(key.parent.name(), &name.name) {
            return;
        }
        let Some(parent) = self.schema().find(&key.parent) else {
            if self.schema().is_absent(&key.parent) {
                self.told.leaves("fk-parent-missing", name.to_string(), name);
            }
            return;
        };
        if parent.complete && !is_unique(parent, &key.parent_columns) {
            self.told.leaves("fk-parent-not-unique", name.to_string(), name);
        }
    }

    pub(super) fn create_index(&mut self, create: &CreateIndex) {
        // An index is made in the database of its table.
        let table_name =
            create.table.within(create.schema.as_ref().filter(|home| !same(home.as_str(), "temp")));
        let table = self.table(&table_name);
        let Some(written) = &create.index.name else { return };
        if let Some(table) = table
            && create.schema.as_ref().is_some_and(|home| same(home.as_str(), "temp"))
            && table.persistence != Persistence::Temporary
        {
            let detail = format!("cannot create a TEMP index on non-TEMP table {}", table.name);
            self.told.fails("wrong-object-kind", SQL_ERROR, detail);
        }
        let home = table.map_or_else(|| "main".to_owned(), |found| found.name.schema.clone());
        let full = self.schema().key(&Name::new(home, written.as_str()));
        if self.schema().index_tables.contains_key(&full) {
            if !create.if_not_exists {
                let detail = format!("index {written} already exists");
                self.told.fails("duplicate-object", SQL_ERROR, detail);
            }
            return;
        }
        if is_reserved(written.as_str()) {
            let detail = format!("object name reserved for internal use: {written}");
            self.told.fails("duplicate-object", SQL_ERROR, detail);
        }
        if self.schema().relation(&full).is_some() {
            let detail = format!("there is already a table named {written}");
            self.told.fails("duplicate-object", SQL_ERROR, detail);
        }
        let name = self.schema().resolve(&table_name);
        if is_reserved(&name.name) {
            let detail = format!("table {} may not be indexed", name.name);
            self.told.fails("wrong-object-kind", SQL_ERROR, detail);
        }
        if let Some(table) = table {
            match table.kind {
                RelationKind::View => {
                    let detail = "views may not be indexed".to_owned();
                    self.told.fails("wrong-object-kind", SQL_ERROR, detail);
                }
                RelationKind::Foreign => {
                    let detail = "virtual tables may not be indexed".to_owned();
                    self.told.fails("wrong-object-kind", SQL_ERROR, detail);
                }
                RelationKind::Table | RelationKind::MaterializedView | RelationKind::Sequence => {
                    self.index_columns_exist(table, &create.index.parts);
                    let words = create.index.predicate.as_ref();
                    if let Some(expr) = words {
                        self.expression(expr, table, Place::PartialIndex);
                    }
                }
            }
        } else if self.schema().is_absent(&table_name) {
            return;
        }
        if create.index.kind == IndexKind::Unique {
            let detail = crate::sql::ast::same_key(&create.index.parts);
            self.told.may_fail("duplicates-present", CONSTRAINT, detail);
        }
        self.told.build(&name, written.as_str(), "create-index", false);
        self.locks(&name, "create-index", During::IndexBuild);
    }

    fn index_columns_exist(&mut self, table: &Relation, parts: &[KeyPart]) {
        for part in parts {
            self.told.span = part.span;
            self.collation(part.collation.as_deref());
            match &part.key {
                Key::Column(ident) => self.index_column_exists(table, ident),
                Key::Expr(expr) => self.expression(expr, table, Place::IndexKey),
            }
        }
    }

    /// A name in double quotes that is no column is read as a string: the index is over one
    /// constant (builds with SQLITE_DQS on, which is the default).
    fn index_column_exists(&mut self, table: &Relation, ident: &Ident) {
        let known = !table.complete
            || table.columns.iter().any(|column| same(&column.name, ident.as_str()));
        if known {
            return;
        }
        let written = ident.span.end - ident.span.start;
        if usize::try_from(written).is_ok_and(|length| length > ident.value.len()) {
            let full = format!("{}.{}", table.name, ident);
            self.told.leaves("index-on-constant", full, &table.name);
        } else {
            let detail = format!("no such column: {ident}");
            self.told.fails("missing-column", SQL_ERROR, detail);
        }
    }

    /// What a view reads is not looked at when it is made.
    pub(super) fn create_view(&mut self, view: &CreateView) {
        let name = self.schema().new_name(&view.name);
        let name = if view.temporary { Name::new("temp", name.name) } else { name };
        if self.schema().relation(&name).is_some() {
            if !view.if_not_exists {
                let detail = format!("view {} already exists", name.name);
                self.told.fails("duplicate-object", SQL_ERROR, detail);
            }
            return;
        }
        if self.schema().index_tables.contains_key(&name) {
            let detail = format!("there is already an index named {}", name.name);
            self.told.fails("duplicate-object", SQL_ERROR, detail);
        }
        self.name_is_free(&name);
        let mut named = view.query.reads.iter().filter_map(|read| read.schema());
        if let Some(home) = named.find(|home| !view.temporary && !same(home, &name.schema)) {
            let detail = format!("view {} cannot reference objects in database {home}", name.name);
            self.told.fails("wrong-object-kind", SQL_ERROR, detail);
        }
        let gone = view
            .query
            .reads
            .iter()
            .find(|read| self.schema().is_absent(read) && !is_reserved(read.name()));
        if gone.is_some() {
            self.told.leaves("view-broken", name.to_string(), &name);
        }
        if !view.temporary {
            let catalog = Self::catalog();
            self.locks(&catalog, "create-view", During::Instant);
        }
    }

    /// What the body of a trigger names is not looked at when it is made: the first event fails.
    pub(super) fn create_trigger(&mut self, trigger: &CreateTrigger) {
        self.stays_at_home(trigger);
        if trigger.name.parts.len() > 2 {
            let detail = "temporary trigger may not have qualified name".to_owned();
            self.told.fails("syntax", SQL_ERROR, detail);
        }
        let home = trigger.name.parts.split_last().and_then(|(_, home)| home.first());
        let home = home.filter(|home| !same(home.as_str(), "temp"));
        let written = trigger.table.within(home);
        if Self::is_catalog(&written) {
            let there = self.has_trigger(trigger.name.name());
            if !there || !trigger.if_not_exists {
                let detail = "cannot create trigger on system table".to_owned();
                self.told.fails("wrong-object-kind", SQL_ERROR, detail);
            }
            return;
        }
        let Some(table) = self.table(&written) else {
            if !self.schema().is_absent(&written) {
                let name = self.schema().resolve(&written);
                self.locks(&name, "create-trigger", During::Instant);
            }
            return;
        };
        let written = trigger.name.name();
        if table.kind == RelationKind::Foreign {
            let detail = "cannot create triggers on virtual tables".to_owned();
            self.told.fails("wrong-object-kind", SQL_ERROR, detail);
        }
        if self.has_trigger(written) {
            if !trigger.if_not_exists {
                let detail = format!("trigger {written} already exists");
                self.told.fails("duplicate-object", SQL_ERROR, detail);
            }
            return;
        }
        let instead = trigger.timing == "instead of";
        let is_view = table.kind == RelationKind::View;
        if is_view != instead {
            let what = if is_view { "view" } else { "table" };
            let timing = trigger.timing.to_uppercase();
            let detail = format!("cannot create {timing} trigger on {what}: {}", table.name.name);
            self.told.fails("wrong-object-kind", SQL_ERROR, detail);
        }
        let broken =
            trigger.statements.iter().any(|statement| self.names_something_gone(statement));
        if broken {
            self.told.leaves("view-broken", format!("{}.{written}", table.name), &table.name);
        }
        let object = crate::sql::ast::ObjectKind::Trigger;
        self.told.breaks("new-trigger", object, format!("{}.{written}", table.name), &table.name);
        self.locks(&table.name, "create-trigger", During::Instant);
    }

    fn has_trigger(&self, name: &str) -> bool {
        let has = |found: &Relation| found.triggers.iter().any(|t| same(&t.name, name));
        self.schema().all_relations().any(has)
    }

    /// A trigger names what is in its own database, unless it is temporary.
    fn stays_at_home(&mut self, trigger: &CreateTrigger) {
        let home = trigger.name.schema().unwrap_or("main");
        if same(home, "temp") {
            return;
        }
        // A trigger on a temporary table is one of `temp` itself.
        let on = trigger.table.schema().filter(|on| !same(on, home) && !same(on, "temp"));
        if let (Some(on), None) = (on, trigger.name.schema()) {
            let name = trigger.name.name();
            let detail = format!("trigger {name} cannot reference objects in database {on}");
            self.told.fails("wrong-object-kind", SQL_ERROR, detail);
            return;
        }
        let of = |statement: &crate::sql::ast::Statement| -> Vec<String> {
            let crate::sql::ast::StatementKind::Dml(dml) = &statement.kind else {
                return Vec::new();
            };
            let named = dml.query.reads.iter().filter_map(|read| read.schema());
            named.filter(|other| !same(other, home)).map(str::to_owned).collect()
        };
        if let Some(other) = trigger.statements.iter().flat_map(of).next() {
            let name = trigger.name.name();
            let detail = format!("trigger {name} cannot reference objects in database {other}");
            self.told.fails("wrong-object-kind", SQL_ERROR, detail);
        }
    }

    fn names_something_gone(&self, statement: &crate::sql::ast::Statement) -> bool {
        let crate::sql::ast::StatementKind::Dml(dml) = &statement.kind else { return false };
        let mut names = dml.targets.iter().chain(&dml.query.reads);
        names.any(|name| self.schema().is_absent(name))
    }

    pub(super) fn reindex(&mut self, reindex: &Reindex) {
        let schema = self.schema();
        let mut indexes: Vec<(Name, String)> = Vec::new();
        let mut collect = |table: &Relation| {
            let own = table.indexes.iter().map(|index| (table.name.clone(), index.name.clone()));
            indexes.extend(own);
        };
        match &reindex.name {
            None => self.stored_tables().for_each(&mut collect),
            Some(name) => {
                if let Some((_, table, index)) = schema.find_index(name) {
                    indexes.push((table.name.clone(), index.name.clone()));
                } else if let Some(table) = schema.find(name) {
                    collect(table);
                } else if schema.complete && !is_collation(name.name()) {
                    let detail = "unable to identify the object to be reindexed".to_owned();
                    self.told.fails("missing-object", SQL_ERROR, detail);
                }
            }
        }
        for (table, index) in &indexes {
            self.told.build(table, index, "reindex", false);
            self.locks(table, "reindex", During::IndexBuild);
        }
    }

    /// Says whether a name means the schema table itself.
    pub(super) fn is_catalog(name: &ObjectName) -> bool {
        ["sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema"]
            .iter()
            .any(|own| same(own, name.name()))
    }
}

/// Returns the table that a statement makes, as its own expressions see it.
fn new_table(create: &CreateTable, name: &Name) -> Relation {
    let mut table = Relation::new(name.clone(), RelationKind::Table, Origin::Assumed);
    table.complete = true;
    table.options = create.options.iter().cloned().collect();
    let columns = create.columns.iter();
    table.columns = columns.map(|column| Column::named(column.name.as_str())).collect();
    table
}

/// Says whether a parent has a key over exactly these columns; none means its primary key.
pub(super) fn is_unique(parent: &Relation, columns: &[Ident]) -> bool {
    use crate::schema::Demand;
    let equal = |key: &[String]| {
        columns.is_empty()
            || (key.len() == columns.len()
                && columns.iter().all(|c| key.iter().any(|k| same(k, c.as_str()))))
    };
    let by_constraint = parent.constraints.iter().any(|constraint| match &constraint.kind {
        Demand::PrimaryKey(key) => equal(key),
        Demand::Unique(key) => !columns.is_empty() && equal(key),
        Demand::Check(_) | Demand::ForeignKey { .. } | Demand::Exclude(_) | Demand::NotNull(_) => {
            false
        }
    });
    by_constraint
        || parent.indexes.iter().any(|index| {
            let key: Vec<String> = index.key_columns().into_iter().map(ToOwned::to_owned).collect();
            index.kind == IndexKind::Unique && index.predicate.is_none() && equal(&key)
        })
}
