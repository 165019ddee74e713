//! Finding objects, and what hangs together: partitions, children, foreign keys, owned sequences.

use super::model::{
    Column, Constraint, Demand, Index, Name, Origin, OtherObject, Relation, RelationKind, Routine,
    Schema, Type,
};
use crate::sql::ast::{DataType, KeyPart, ObjectKind, Persistence};
use crate::sql::{ObjectName, ServerKind};

/// What happens to a column below the table that drops its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LosingColumn {
    /// Tables whose column goes too.
    pub losing: Vec<Name>,
    /// Tables directly below those that keep it.
    pub keeping: Vec<Name>,
}

impl Relation {
    /// Returns the names of its CHECK constraints that children take over.
    pub fn check_names(&self) -> Vec<String> {
        let passed_on = |constraint: &&Constraint| match constraint.kind {
            Demand::Check(_) | Demand::NotNull(_) => !constraint.no_inherit,
            Demand::PrimaryKey(_)
            | Demand::Unique(_)
            | Demand::Exclude(_)
            | Demand::ForeignKey { .. } => false,
        };
        self.constraints.iter().filter(passed_on).map(|c| c.name.clone()).collect()
    }

    /// Returns how often columns came or went INSTANT since the rows were last written anew
    /// (MySQL): what a live database counts, else what the history tells.
    pub fn row_versions(&self) -> u64 {
        self.size.and_then(|size| size.row_versions).unwrap_or(self.row_versions)
    }

    /// Takes another count of row versions.
    pub fn set_row_versions(&mut self, count: u64) {
        self.row_versions = count;
        if let Some(size) = &mut self.size
            && size.row_versions.is_some()
        {
            size.row_versions = Some(count);
        }
    }

    /// Returns a relation of which nothing else is known.
    pub fn new(name: Name, kind: RelationKind, origin: Origin) -> Self {
        Self {
            name,
            kind,
            origin,
            complete: false,
            persistence: Persistence::Permanent,
            size: None,
            has_rows: false,
            columns: Vec::new(),
            constraints: Vec::new(),
            key_copies: Vec::new(),
            indexes: Vec::new(),
            triggers: Vec::new(),
            policies: Vec::new(),
            rules: Vec::new(),
            statistics: Vec::new(),
            row_security: false,
            partition_by: None,
            partition_of: None,
            inherits: Vec::new(),
            of_type: None,
            reads: Vec::new(),
            calls: Vec::new(),
            owner: None,
            rows_deleted: false,
            options: Default::default(),
            access_method: None,
            tablespace: None,
            clustered_on: None,
            replica_identity: None,
            owned_by: None,
            definition: None,
            body: crate::sql::ast::Tree::default(),
            system_versioning: false,
            row_versions: 0,
        }
    }

    /// Returns a column by its exact name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns a column by its name in any case, as MySQL, MariaDB and SQLite compare them.
    pub fn column_any_case(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| same_in_any_case(&column.name, name))
    }

    /// Returns a column to change.
    pub fn column_mut(&mut self, name: &str) -> Option<&mut Column> {
        self.columns.iter_mut().find(|column| column.name == name)
    }

    /// Returns a constraint.
    pub fn constraint(&self, name: &str) -> Option<&Constraint> {
        self.constraints.iter().find(|constraint| constraint.name == name)
    }

    /// Returns the server of a foreign table (PostgreSQL).
    pub fn server(&self) -> Option<&str> {
        let foreign = self.kind == RelationKind::Foreign;
        self.options.get("server").filter(|_| foreign).map(String::as_str)
    }

    /// Returns the partitioned table of which it is a part.
    pub fn partitioned_parent(&self) -> Option<&Name> {
        self.partition_of.as_ref().map(|(parent, _)| parent)
    }

    /// Forgets the copies of foreign keys that are there no more.
    pub(super) fn forget_copies(&mut self) {
        let constraints = &self.constraints;
        self.key_copies.retain(|copy| constraints.iter().any(|c| c.name == copy.key));
    }

    /// Returns an index.
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name == name)
    }

    /// Returns the columns of the primary key, none where there is none.
    pub fn primary_key(&self) -> Option<&[String]> {
        self.constraints.iter().find_map(|constraint| match &constraint.kind {
            Demand::PrimaryKey(columns) => Some(columns.as_slice()),
            Demand::Unique(_)
            | Demand::Check(_)
            | Demand::Exclude(_)
            | Demand::ForeignKey { .. }
            | Demand::NotNull(_) => None,
        })
    }

    /// Says whether it is partitioned.
    pub const fn is_partitioned(&self) -> bool {
        self.partition_by.is_some()
    }

    /// Says whether rows are stored in it: not in a view, sequence or partitioned table.
    pub const fn has_storage(&self) -> bool {
        match self.kind {
            RelationKind::Table => self.partition_by.is_none(),
            RelationKind::MaterializedView => true,
            RelationKind::Foreign | RelationKind::View | RelationKind::Sequence => false,
        }
    }

    /// Returns every relation that this one mentions.
    pub fn mentions(&self) -> Vec<Name> {
        let mut names: Vec<Name> = self.inherits.clone();
        names.extend(self.partition_of.iter().map(|(parent, _)| parent.clone()));
        names.extend(self.reads.iter().map(|(name, _)| name.clone()));
        names.extend(self.owned_by.iter().map(|(table, _)| table.clone()));
        names.extend(self.policies.iter().flat_map(|policy| policy.reads.clone()));
        let of_rules = self.rules.iter().flat_map(|rule| rule.reads.iter().chain(&rule.writes));
        names.extend(of_rules.cloned());
        names.extend(self.constraints.iter().filter_map(|constraint| match &constraint.kind {
            Demand::ForeignKey { parent, .. } => Some(parent.clone()),
            Demand::PrimaryKey(_)
            | Demand::Unique(_)
            | Demand::Check(_)
            | Demand::Exclude(_)
            | Demand::NotNull(_) => None,
        }));
        names
    }
}

impl Column {
    /// Returns a column of which only the name is known.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            data_type: None,
            not_null: false,
            not_null_not_valid: false,
            default: None,
            generated: None,
            identity: None,
            auto_increment: false,
            on_update: false,
            invisible: false,
            inherited: false,
            local: true,
            origin: Origin::Assumed,
        }
    }
}

impl Constraint {
    /// Returns the referenced table of a foreign key.
    pub const fn parent(&self) -> Option<&Name> {
        match &self.kind {
            Demand::ForeignKey { parent, .. } => Some(parent),
            Demand::PrimaryKey(_)
            | Demand::Unique(_)
            | Demand::Check(_)
            | Demand::Exclude(_)
            | Demand::NotNull(_) => None,
        }
    }

    /// Returns the columns that it is about; those a CHECK names.
    pub fn columns(&self) -> Vec<&str> {
        match &self.kind {
            Demand::PrimaryKey(columns)
            | Demand::Unique(columns)
            | Demand::Exclude(columns)
            | Demand::ForeignKey { columns, .. } => columns.iter().map(String::as_str).collect(),
            Demand::Check(check) => check.columns.iter().map(String::as_str).collect(),
            Demand::NotNull(column) => vec![column.as_str()],
        }
    }

    /// Says whether an index stands behind it.
    pub const fn has_index(&self) -> bool {
        match self.kind {
            Demand::PrimaryKey(_) | Demand::Unique(_) | Demand::Exclude(_) => true,
            Demand::Check(_) | Demand::ForeignKey { .. } | Demand::NotNull(_) => false,
        }
    }
}

impl Index {
    /// Returns the columns of its key that are plain columns.
    pub fn key_columns(&self) -> Vec<&str> {
        self.parts.iter().filter_map(|part| part.key.column()).collect()
    }

    /// Says whether an index of a partition can be its part there: of one method, over the same
    /// columns and expressions with the same operators and collations, with the same WHERE; the
    /// order of the values does not matter (PostgreSQL 12 to 18, CompareIndexInfo).
    pub fn is_served_by(&self, own: &Self) -> bool {
        let text = |key: &crate::sql::ast::Key| match key {
            crate::sql::ast::Key::Column(column) => column.value.clone(),
            crate::sql::ast::Key::Expr(expr) => format!("({})", expr.text),
        };
        let same = |(a, b): (&KeyPart, &KeyPart)| {
            text(&a.key) == text(&b.key) && a.collation == b.collation && a.opclass == b.opclass
        };
        own.kind == self.kind
            && own.method == self.method
            && own.nulls_not_distinct == self.nulls_not_distinct
            && own.include.len() == self.include.len()
            && own.parts.len() == self.parts.len()
            && own.parts.iter().zip(&self.parts).all(same)
            && own.predicate.as_ref().map(|p| &p.text) == self.predicate.as_ref().map(|p| &p.text)
            && (self.constraint.is_none() || own.constraint.is_some())
    }

    /// Says whether it mentions a column anywhere: key, INCLUDE, expression or WHERE.
    pub fn mentions_column(&self, column: &str) -> bool {
        let in_key = self.parts.iter().any(|part| match &part.key {
            crate::sql::ast::Key::Column(ident) => ident.as_str() == column,
            crate::sql::ast::Key::Expr(expr) => expr.columns.iter().any(|name| name == column),
        });
        let in_where = self.predicate.iter().any(|p| p.columns.iter().any(|c| c == column));
        in_key || in_where || self.include.iter().any(|name| name == column)
    }
}

impl Schema {
    /// Returns the key under which a name is kept: SQLite does not tell cases apart.
    pub fn key(&self, name: &Name) -> Name {
        match self.server.kind {
            ServerKind::Sqlite => {
                Name::new(name.schema.to_ascii_lowercase(), name.name.to_ascii_lowercase())
            }
            ServerKind::Postgres | ServerKind::Mysql | ServerKind::Mariadb => name.clone(),
        }
    }

    /// Returns the schema in which an unqualified name is made.
    pub fn home(&self) -> &str {
        self.search_path.first().map_or(self.server.kind.default_schema(), String::as_str)
    }

    /// Returns the full names that a written one may mean, likeliest first.
    pub fn candidates(&self, name: &ObjectName) -> Vec<Name> {
        let made = |schema: &str| self.key(&Name::new(schema, name.name()));
        if let Some(schema) = name.schema() {
            return vec![made(schema)];
        }
        let temporary = match self.server.kind {
            ServerKind::Postgres => Some("pg_temp"),
            ServerKind::Sqlite => Some("temp"),
            ServerKind::Mysql | ServerKind::Mariadb => None,
        };
        let path = self.search_path.iter().map(String::as_str);
        let mut found: Vec<Name> = temporary.into_iter().chain(path).map(made).collect();
        if self.search_path.is_empty() {
            found.push(made(self.server.kind.default_schema()));
        }
        found
    }

    /// Returns the full name that a written one means: of the relation found, else of the one
    /// that would be made.
    pub fn resolve(&self, name: &ObjectName) -> Name {
        let candidates = self.candidates(name);
        let known = candidates.iter().find(|full| self.relations.contains_key(full));
        known.cloned().unwrap_or_else(|| self.new_name(name))
    }

    /// Returns the full name that an object made now gets.
    pub fn new_name(&self, name: &ObjectName) -> Name {
        let schema = name.schema().unwrap_or_else(|| self.home());
        self.key(&Name::new(schema, name.name()))
    }

    /// Returns a relation.
    pub fn find(&self, name: &ObjectName) -> Option<&Relation> {
        self.candidates(name).iter().find_map(|full| self.relation(full))
    }

    /// Returns a relation by its full name.
    pub fn relation(&self, name: &Name) -> Option<&Relation> {
        self.relations.get(name).map(Box::as_ref)
    }

    /// Returns the full name of an index and its table.
    pub fn find_index(&self, name: &ObjectName) -> Option<(Name, &Relation, &Index)> {
        self.candidates(name).into_iter().find_map(|full| {
            let table = self.relation(self.index_tables.get(&full)?)?;
            let index = table.index(&full.name)?;
            Some((full, table, index))
        })
    }

    /// Returns the full name of an index: of the one found, else of the one that would be meant.
    pub fn resolve_index(&self, name: &ObjectName) -> Name {
        let found = self.find_index(name).map(|(full, _, _)| full);
        found.unwrap_or_else(|| self.new_name(name))
    }

    /// Returns a type by its written name.
    pub fn find_type(&self, name: &ObjectName) -> Option<&Type> {
        self.candidates(name).iter().find_map(|full| self.types.get(full))
    }

    /// Returns the user-made type that a column's type names.
    pub fn type_of(&self, data_type: &DataType) -> Option<&Type> {
        match &data_type.schema {
            Some(schema) => self.types.get(&Name::new(schema.as_str(), data_type.name.as_str())),
            None => self
                .search_path
                .iter()
                .find_map(|s| self.types.get(&Name::new(s.as_str(), data_type.name.as_str()))),
        }
    }

    /// Returns the key of an object of a kind without a model of its own: some live in a schema,
    /// others in the database (PostgreSQL).
    pub fn other_key(&self, kind: ObjectKind, name: &ObjectName) -> Name {
        if kind.has_schema() { self.new_name(name) } else { Name::new("", name.name()) }
    }

    /// Returns an object of a kind without a model of its own (PostgreSQL).
    pub fn find_other(&self, kind: ObjectKind, name: &ObjectName) -> Option<(Name, &OtherObject)> {
        let candidates = match kind.has_schema() {
            true => self.candidates(name),
            false => vec![self.other_key(kind, name)],
        };
        candidates.into_iter().find_map(|full| {
            let found = self.others.get(&(kind.as_str(), full.clone()))?;
            Some((full, found))
        })
    }

    /// Returns the routines of a name.
    pub fn find_routines(&self, name: &ObjectName) -> Option<(Name, &[Routine])> {
        self.candidates(name)
            .into_iter()
            .find_map(|full| self.routines.get(&full).map(|found| (full, found.as_slice())))
    }

    /// Returns every relation, in order of their names.
    pub fn all_relations(&self) -> impl Iterator<Item = &Relation> {
        self.relations.values().map(Box::as_ref)
    }

    /// Returns the relations that may mention one: a superset, in order of their names.
    pub fn referrers(&self, name: &Name) -> impl Iterator<Item = &Relation> {
        self.referrers
            .get(name)
            .into_iter()
            .flatten()
            .filter_map(|referrer| self.relation(referrer))
    }

    /// Returns the partitions of a table, not those below them.
    pub fn partitions(&self, name: &Name) -> Vec<&Relation> {
        let is_part = |relation: &&Relation| {
            relation.partition_of.as_ref().is_some_and(|(parent, _)| parent == name)
        };
        self.referrers(name).filter(is_part).collect()
    }

    /// Returns the tables directly below one: partitions and children by inheritance.
    pub fn children(&self, name: &Name) -> Vec<&Relation> {
        let is_child = |relation: &&Relation| {
            relation.partition_of.as_ref().is_some_and(|(parent, _)| parent == name)
                || relation.inherits.contains(name)
        };
        self.referrers(name).filter(is_child).collect()
    }

    /// Returns the tables directly above one: the partitioned one, or parents by inheritance.
    pub fn parents(&self, name: &Name) -> Vec<&Relation> {
        let Some(table) = self.relations.get(name) else { return Vec::new() };
        let partitioned = table.partition_of.iter().map(|(parent, _)| parent);
        let parents = table.inherits.iter().chain(partitioned);
        parents.filter_map(|parent| self.relation(parent)).collect()
    }

    /// Returns the tables below one that lose a column with it: those whose own has no other
    /// source. Those that only stop inheriting it are told apart (PostgreSQL 12 to 18,
    /// ATExecDropColumn).
    pub fn losing_column(&self, name: &Name, column: &str) -> LosingColumn {
        let mut found = LosingColumn::default();
        let mut queue = vec![name.clone()];
        while let Some(parent) = queue.pop() {
            for child in self.children(&parent) {
                let known = found.losing.contains(&child.name);
                let own = child.column(column);
                let sources = |c: &Column| {
                    let gone = |p: &&&Relation| p.name == *name || found.losing.contains(&p.name);
                    let parents = self.parents(&child.name);
                    let left = parents.iter().filter(|p| p.column(column).is_some());
                    c.local || left.filter(|p| !gone(p)).count() > 0
                };
                if known || (own.is_none() && child.complete) {
                    continue;
                }
                if own.is_some_and(sources) {
                    found.keeping.push(child.name.clone());
                } else {
                    found.losing.push(child.name.clone());
                    queue.push(child.name.clone());
                }
            }
        }
        found.keeping.retain(|kept| !found.losing.contains(kept));
        found
    }

    /// Returns all tables below one, each once, nearest first.
    pub fn descendants(&self, name: &Name) -> Vec<&Relation> {
        let mut found: Vec<&Relation> = Vec::new();
        let mut queue = vec![name.clone()];
        while let Some(parent) = queue.pop() {
            for child in self.children(&parent) {
                if !found.iter().any(|seen| seen.name == child.name) {
                    found.push(child);
                    queue.push(child.name.clone());
                }
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// Returns the tables made OF a composite type.
    pub fn typed_tables(&self, name: &Name) -> Vec<Name> {
        let typed = self.relations.values().filter(|table| table.of_type.as_ref() == Some(name));
        typed.map(|table| table.name.clone()).collect()
    }

    /// Returns the default partition of a table.
    pub fn default_partition(&self, name: &Name) -> Option<&Relation> {
        let is_default = |relation: &&Relation| {
            let bound = relation.partition_of.as_ref().map(|(_, bound)| bound);
            matches!(bound, Some(crate::sql::ast::PartitionBound::Default))
        };
        self.partitions(name).into_iter().find(is_default)
    }

    /// Returns the foreign keys of other tables, and of itself, that reference a table.
    pub fn foreign_keys_to(&self, name: &Name) -> Vec<(&Relation, &Constraint)> {
        self.referrers(name)
            .flat_map(|table| table.constraints.iter().map(move |c| (table, c)))
            .filter(|(_, constraint)| constraint.parent() == Some(name))
            .collect()
    }

    /// Returns the sequences that a table, or one column of it, owns.
    pub fn owned_sequences(&self, table: &Name, column: Option<&str>) -> Vec<&Relation> {
        let owned = |sequence: &&Relation| {
            sequence.owned_by.as_ref().is_some_and(|(owner, owner_column)| {
                owner == table && column.is_none_or(|column| column == owner_column)
            })
        };
        self.referrers(table).filter(owned).collect()
    }

    /// Says whether a relation or index has this name.
    pub fn is_taken(&self, name: &Name) -> bool {
        self.relations.contains_key(name)
            || self.index_tables.contains_key(name)
            || self.keeps(name)
    }

    /// Says whether a relation is known to be absent.
    pub fn is_absent(&self, name: &ObjectName) -> bool {
        let candidates = self.candidates(name);
        let known = |full: &Name| self.is_taken(full);
        if candidates.iter().any(known) {
            return false;
        }
        self.complete || candidates.iter().any(|full| self.gone.contains_key(full))
    }
}

impl Schema {
    /// Returns the relations that the subqueries of an expression read.
    pub fn relations_named(&self, expr: &crate::sql::ast::Expr) -> Vec<Name> {
        expr.reads.iter().map(|read| self.resolve(read)).collect()
    }
}

/// Says whether two names are the same where the case of no letter counts (MySQL, MariaDB).
pub(crate) fn same_in_any_case(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
        || !(left.is_ascii() || right.is_ascii()) && left.to_lowercase() == right.to_lowercase()
}
