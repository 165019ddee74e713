//! What a statement leaves behind that only its table's other indexes and keys show.
//!
//! MySQL 8.0 to 9.x and MariaDB make the index of a foreign key and drop it for another (MySQL
//! manual, FOREIGN KEY Constraints); PostgreSQL 12 to 18 and SQLite make none (manual: Foreign
//! Keys; sqlite.org/foreignkeys.html, section 3).

use super::{StatementRun, Walker, session};
use crate::effect::{Effect, EffectKind, Failure, TableState};
use crate::schema::{Demand, Index, Name, Origin, Relation};
use crate::sql::ast::{
    ActionKind, AlterTable, ConstraintKind, CreateTable, DataType, ForeignKey, IndexDef, IndexKind,
    KeyPart, MyAction, PartitionBound, PgAction, Statement, StatementKind, TableConstraint,
};
use crate::sql::{ObjectName, ServerKind, Span};

impl Walker<'_> {
    /// Tells what a statement leaves behind. Called before the schema changes.
    pub(super) fn left(&mut self, statement: &Statement, run: &mut StatementRun) {
        let span = statement.span;
        if let StatementKind::CreateIndex(create) = &statement.kind {
            let table = self.schema.resolve(&create.table);
            self.new_index(&table, &create.index, span, run);
            let exists = !self.is_new(&table);
            if create.concurrently && create.if_not_exists && exists {
                let name = create.index.name.as_ref().map_or("", |name| name.as_str());
                leave(run, span, "invalid-index-kept", format!("{}.{name}", table.schema));
            }
        } else if let StatementKind::CreateTable(create) = &statement.kind {
            self.new_table(create, span, run);
        } else if let StatementKind::AlterTable(alter) = &statement.kind {
            self.altered(alter, span, run);
        }
    }

    fn is_new(&self, table: &Name) -> bool {
        let found = self.schema.relation(table);
        found.is_some_and(|found| found.origin == Origin::Migration(self.schema.migration))
    }

    fn new_table(&mut self, create: &CreateTable, span: Span, run: &mut StatementRun) {
        let table = self.schema.new_name(&create.name);
        let keyed = |name: &str| {
            create.constraints.iter().any(|constraint| {
                matches!(&constraint.kind, ConstraintKind::ForeignKey(key)
                    if key.columns.iter().any(|column| column.as_str() == name))
            })
        };
        for column in create.columns.iter().filter(|column| !keyed(column.name.as_str())) {
            self.id_type(&table, column, span, run);
        }
        let inline = create.columns.iter().flat_map(|column| &column.constraints);
        for constraint in create.constraints.iter().chain(inline) {
            self.constraint(&table, constraint, span, run);
        }
        let keys = create
            .constraints
            .iter()
            .chain(create.columns.iter().flat_map(|column| &column.constraints));
        for constraint in keys {
            if let ConstraintKind::ForeignKey(key) = &constraint.kind {
                let own = |name: &str| {
                    let found = create.columns.iter().find(|column| column.name.as_str() == name);
                    found.and_then(|column| column.data_type.as_ref())
                };
                let at = if constraint.span.is_empty() { span } else { constraint.span };
                self.key_types(&table, key, &own, at, run);
            }
        }
        if let Some(part) = &create.partition_of {
            self.bound(&part.parent, &part.bound, span, run);
        }
        for (place, index) in create.indexes.iter().enumerate() {
            duplicate_columns(&table, &index.parts, index.span, run);
            let covering = create.indexes.iter().enumerate().find(|(other, longer)| {
                let later_twin = columns(&longer.parts) == columns(&index.parts) && *other < place;
                let longer_one = longer.parts.len() > index.parts.len();
                (longer_one || later_twin) && covers(&longer.parts, index)
            });
            if let (Some(name), Some((_, longer))) = (&index.name, covering) {
                let by = longer.name.as_ref().map_or("", |name| name.as_str());
                leave_by(run, index.span, "redundant-index", format!("{table}.{name}"), by);
            }
        }
    }

    fn altered(&mut self, alter: &AlterTable, span: Span, run: &mut StatementRun) {
        let table = self.schema.resolve(&alter.name);
        for action in &alter.actions {
            let at = if action.span.is_empty() { span } else { action.span };
            if let ActionKind::AddConstraint(constraint) = &action.kind {
                self.constraint(&table, constraint, at, run);
            } else if let ActionKind::AddColumn { column, .. } = &action.kind {
                self.id_type(&table, column, at, run);
                for constraint in &column.constraints {
                    self.constraint(&table, constraint, at, run);
                }
            } else if let ActionKind::Postgres(PgAction::AttachPartition { bound, .. }) =
                &action.kind
            {
                self.bound(&alter.name, bound, at, run);
            } else if let ActionKind::Mysql(MyAction::AddIndex { index, .. }) = &action.kind {
                self.new_index(&table, index, at, run);
            } else if self.drops_primary_key(&table, &action.kind) && !adds_primary_key(alter) {
                let value = table.to_string();
                run.effects.effects.push(session(at, "primary-key-dropped", value));
            }
        }
    }

    /// `customer_id` beside a table `customers` with a key of another type.
    fn id_type(
        &self,
        table: &Name,
        column: &crate::sql::ast::ColumnDef,
        span: Span,
        run: &mut StatementRun,
    ) {
        let key = |c: &TableConstraint| matches!(c.kind, ConstraintKind::ForeignKey(_));
        let Some(data_type) = column.data_type.as_ref() else { return };
        if column.constraints.iter().any(key) {
            return;
        }
        let Some(stem) = column.name.as_str().strip_suffix("_id") else { return };
        let names = [stem.to_owned(), format!("{stem}s"), format!("{stem}es")];
        let parents = names.iter().map(|name| Name::new(table.schema.clone(), name.clone()));
        for parent in parents.filter(|parent| parent != table) {
            let Some(found) = self.schema.relation(&parent) else { continue };
            let Some([id]) = found.primary_key() else { continue };
            let theirs = found.column(id).and_then(|column| column.data_type.as_ref());
            if theirs.is_some_and(|theirs| other_integer(data_type, theirs)) {
                let at = if column.span.is_empty() { span } else { column.span };
                leave(run, at, "id-type-mismatch", format!("{table}.{}", column.name));
            }
        }
    }

    fn drops_primary_key(&self, table: &Name, action: &ActionKind) -> bool {
        let known = self.schema.relation(table);
        if self.is_new(table) {
            return false;
        }
        if let ActionKind::DropConstraint { name, .. } = action {
            match known.and_then(|found| found.constraint(name.as_str())) {
                Some(constraint) => matches!(constraint.kind, Demand::PrimaryKey(_)),
                None => name.as_str() == format!("{}_pkey", table.name),
            }
        } else {
            matches!(action, ActionKind::Mysql(MyAction::DropPrimaryKey { .. }))
        }
    }

    fn constraint(
        &self,
        table: &Name,
        constraint: &TableConstraint,
        span: Span,
        run: &mut StatementRun,
    ) {
        let at = if constraint.span.is_empty() { span } else { constraint.span };
        match &constraint.kind {
            ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
                duplicate_columns(table, &key.parts, at, run);
            }
            // PostgreSQL's own effects tell it; MySQL and MariaDB make the index themselves.
            ConstraintKind::ForeignKey(key) if self.kind() == ServerKind::Sqlite => {
                let joined: Vec<&str> = key.columns.iter().map(|column| column.as_str()).collect();
                let table = match self.rebuilt(table) {
                    Some((old, _)) if has_key(old, &joined) => return,
                    Some((_, name)) => name,
                    None => table.clone(),
                };
                let label = match &constraint.name {
                    Some(name) => name.value.clone(),
                    None => joined.join("_"),
                };
                leave(run, at, "fk-without-index", format!("{table}.{label}"));
            }
            ConstraintKind::ForeignKey(_)
            | ConstraintKind::PrimaryKeyUsingIndex(_)
            | ConstraintKind::UniqueUsingIndex(_)
            | ConstraintKind::Check(_)
            | ConstraintKind::Exclude(_)
            | ConstraintKind::NotNull(_) => {}
        }
    }

    /// SQLite: returns the table whose place a table that is made takes, and the name it will have.
    fn rebuilt(&self, table: &Name) -> Option<(&Relation, Name)> {
        crate::effect::rebuilds(&self.migration.up.statements).iter().find_map(|rebuild| {
            let (old, new) = if rebuild.old_first {
                (&rebuild.temporary, &rebuild.table)
            } else {
                (&rebuild.table, &rebuild.temporary)
            };
            let old = self.schema.find(old).filter(|_| self.schema.new_name(new) == *table)?;
            Some((old, self.schema.new_name(&rebuild.table)))
        })
    }

    /// MySQL and MariaDB drop the index they made for a foreign key once another one serves it.
    fn belongs_to_foreign_key(&self, relation: &Relation, index: &Index) -> bool {
        self.kind().is_mysql_family()
            && relation.constraints.iter().any(|constraint| {
                constraint.parent().is_some() && constraint.columns() == index.key_columns()
            })
    }

    /// Columns of one family and another width, which the server compares after a conversion.
    fn key_types<'c>(
        &self,
        table: &Name,
        key: &ForeignKey,
        own: &dyn Fn(&str) -> Option<&'c DataType>,
        span: Span,
        run: &mut StatementRun,
    ) {
        let Some(parent) = self.schema.find(&key.parent) else { return };
        let theirs: Vec<&str> = if key.parent_columns.is_empty() {
            parent.primary_key().unwrap_or(&[]).iter().map(String::as_str).collect()
        } else {
            key.parent_columns.iter().map(|column| column.as_str()).collect()
        };
        for (column, other) in key.columns.iter().zip(theirs) {
            let right = parent.column(other).and_then(|column| column.data_type.as_ref());
            let (Some(left), Some(right)) = (own(column.as_str()), right) else { continue };
            if let (Some(a), Some(b)) = (integer_bytes(left), integer_bytes(right))
                && a != b
            {
                leave(run, span, "fk-type-mismatch", format!("{table}.{column}"));
            }
        }
    }

    /// PostgreSQL: a bound is of the kind that the parent's strategy has (error 42P16).
    fn bound(
        &self,
        parent: &ObjectName,
        bound: &PartitionBound,
        span: Span,
        run: &mut StatementRun,
    ) {
        let found = self.schema.find(parent).and_then(|found| found.partition_by.as_ref());
        let Some(by) = found else { return };
        let fits = match bound {
            PartitionBound::Default => by.strategy != "hash",
            PartitionBound::In(_) => by.strategy == "list",
            PartitionBound::Range { .. } => by.strategy == "range",
            PartitionBound::Hash { .. } => by.strategy == "hash",
        };
        if !fits {
            let failure = Failure {
                when: "partition-bound",
                certain: true,
                detail: format!("\"{parent}\" is partitioned by {}", by.strategy),
                code: Some("42P16"),
            };
            let source = "PostgreSQL manual, CREATE TABLE, PARTITION OF";
            let kind = EffectKind::Failure(failure);
            run.effects.effects.push(Effect { span, kind, source });
        }
    }

    fn new_index(&self, table: &Name, index: &IndexDef, span: Span, run: &mut StatementRun) {
        duplicate_columns(table, &index.parts, span, run);
        let Some(relation) = self.schema.relation(table) else { return };
        let own = index.name.as_ref().map(|name| name.as_str());
        for known in relation.indexes.iter().filter(|known| own != Some(known.name.as_str())) {
            if !plain(known) || self.belongs_to_foreign_key(relation, known) {
                continue;
            }
            let new = own.unwrap_or("index");
            let (name, by) = if covers(&known.parts, index) && same_method(known, index) {
                (new, known.name.as_str())
            } else if is_prefix_of(relation, known, index) {
                (known.name.as_str(), new)
            } else {
                continue;
            };
            leave_by(run, span, "redundant-index", format!("{table}.{name}"), by);
            return;
        }
    }
}

fn leave(run: &mut StatementRun, span: Span, what: &'static str, name: String) {
    leave_by(run, span, what, name, "");
}

fn leave_by(run: &mut StatementRun, span: Span, what: &'static str, name: String, by: &str) {
    let told = run.effects.effects.iter().any(|effect| {
        matches!(&effect.kind, EffectKind::LeftBehind { what: known, .. } if *known == what)
            && effect.span == span
    });
    if !told {
        let (by, state) = (by.to_owned(), TableState::Existing);
        let kind = EffectKind::LeftBehind { what, name, by, state };
        let source = "the keys and indexes of the table, and the server's manual on indexes";
        run.effects.effects.push(Effect { span, kind, source });
    }
}

/// Returns how many bytes an integer type has; none for other types.
fn integer_bytes(data_type: &DataType) -> Option<u8> {
    match data_type.name.as_str() {
        "tinyint" => Some(1),
        "smallint" | "smallserial" => Some(2),
        "mediumint" => Some(3),
        "integer" | "int" | "serial" => Some(4),
        "bigint" | "bigserial" => Some(8),
        _ => None,
    }
}

/// Says whether integers of two types are compared only after one of them is converted.
fn other_integer(left: &DataType, right: &DataType) -> bool {
    let kinds = integer_bytes(left).zip(integer_bytes(right));
    kinds.is_some_and(|(a, b)| a != b || left.unsigned != right.unsigned)
}

fn adds_primary_key(alter: &AlterTable) -> bool {
    alter.actions.iter().any(|action| {
        matches!(&action.kind, ActionKind::AddConstraint(constraint) if matches!(
            constraint.kind,
            ConstraintKind::PrimaryKey(_) | ConstraintKind::PrimaryKeyUsingIndex(_)
        ))
    })
}

fn columns(parts: &[KeyPart]) -> Vec<Option<&str>> {
    parts.iter().map(|part| part.key.column()).collect()
}

fn duplicate_columns(table: &Name, parts: &[KeyPart], span: Span, run: &mut StatementRun) {
    let names = columns(parts);
    let twice = names
        .iter()
        .enumerate()
        .find_map(|(place, name)| name.filter(|_| names.iter().take(place).any(|n| n == name)));
    if let Some(column) = twice {
        leave(run, span, "index-duplicate-column", format!("{table}.{column}"));
    }
}

/// Says whether an index over these parts serves every search that a plain, new one serves.
fn covers(longer: &[KeyPart], index: &IndexDef) -> bool {
    let simple = index.kind == IndexKind::Plain
        && index.predicate.is_none()
        && index.include.is_empty()
        && !index.parts.is_empty();
    simple && longer.len() >= index.parts.len() && index.parts.iter().zip(longer).all(alike)
}

fn alike((a, b): (&KeyPart, &KeyPart)) -> bool {
    a.key.column().is_some()
        && a.key.column() == b.key.column()
        && a.prefix == b.prefix
        && a.descending == b.descending
        && a.opclass == b.opclass
        && a.collation == b.collation
}

fn same_method(known: &Index, index: &IndexDef) -> bool {
    let method = index.method.as_deref().unwrap_or("btree");
    known.method.is_empty() && method == "btree" || known.method.eq_ignore_ascii_case(method)
}

/// Says whether another index of the table serves every search that this one serves.
pub(super) fn is_redundant(relation: &Relation, index: &Index) -> bool {
    let simple = index.kind == IndexKind::Plain
        && index.predicate.is_none()
        && index.include.is_empty()
        && !index.parts.is_empty();
    simple
        && relation.indexes.iter().any(|other| {
            other.name != index.name
                && plain(other)
                && other.method.eq_ignore_ascii_case(&index.method)
                && other.parts.len() >= index.parts.len()
                && index.parts.iter().zip(&other.parts).all(alike)
        })
}

/// Says whether an index can serve plain searches over all rows.
fn plain(index: &Index) -> bool {
    index.valid
        && index.predicate.is_none()
        && matches!(index.kind, IndexKind::Plain | IndexKind::Unique)
}

/// Says whether a known plain index is a true prefix of the new one and belongs to no key.
fn is_prefix_of(relation: &Relation, known: &Index, index: &IndexDef) -> bool {
    let needed = relation.replica_identity.as_deref() == Some(known.name.as_str());
    known.kind == IndexKind::Plain
        && known.constraint.is_none()
        && known.include.is_empty()
        && !needed
        && !known.parts.is_empty()
        && index.predicate.is_none()
        && matches!(index.kind, IndexKind::Plain | IndexKind::Unique)
        && same_method(known, index)
        && index.parts.len() > known.parts.len()
        && known.parts.iter().zip(&index.parts).all(alike)
}

/// Says whether a table has a foreign key over these columns.
fn has_key(table: &Relation, columns: &[&str]) -> bool {
    table.constraints.iter().filter(|constraint| constraint.parent().is_some()).any(|key| {
        let own = key.columns();
        let mut pairs = own.iter().zip(columns);
        own.len() == columns.len() && pairs.all(|(a, b)| a.eq_ignore_ascii_case(b))
    })
}
