//! Renames to the statements that take them back.
//!
//! A rename keeps the data, which dropping and creating would lose, so it is undone as a rename,
//! before anything else is compared. What counts for tables and their columns is where each of
//! them ended up, not the steps between: names may have been swapped, reused, or dropped since.

use super::items::items;
use crate::db::{Snapshot, SnapshotObject};
use crate::schema::Name;
use crate::sql::ast::{
    ActionKind, AlterTable, Drop, IndexAction, MyAction, ObjectKind, PgAction, Rename, SetSchema,
    Statement, StatementKind, TypeAction,
};
use crate::sql::{Ident, ObjectName, Script, ServerKind, ident, literal};

/// Returns what undoes the renames of these statements. `now` is the schema after them.
pub fn undo_renames(script: &Script, before: &Snapshot, now: &Snapshot) -> Vec<String> {
    let kind = before.server.kind;
    let mut undo = Undo { script, before, now, kind, moved: Moved::default() };
    for statement in &script.statements {
        undo.statement(statement);
    }
    undo.written()
}

/// What was there before and has another name now.
#[derive(Default)]
struct Moved {
    schemas: Vec<Pair>,
    relations: Vec<Relation>,
    /// Statements about everything else, in the order in which they undo the last rename last.
    others: Vec<String>,
    /// Names that others have now: kind and last part.
    other_names: Vec<(ObjectKind, String)>,
}

/// A name before and now.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pair {
    was: String,
    is: String,
}

/// A table or view that was there before.
struct Relation {
    was: Name,
    is: Name,
    /// Columns that were there before and have another name.
    columns: Vec<Pair>,
    /// Columns made since, by the name that they have now.
    added: Vec<String>,
    dropped: bool,
}

struct Undo<'a> {
    script: &'a Script,
    before: &'a Snapshot,
    now: &'a Snapshot,
    kind: ServerKind,
    moved: Moved,
}

/// Says whether RENAME of such a thing renames a relation.
const fn is_table(object: ObjectKind) -> bool {
    matches!(
        object,
        ObjectKind::Table
            | ObjectKind::ForeignTable
            | ObjectKind::View
            | ObjectKind::MaterializedView
    )
}

fn is_relation(object: &SnapshotObject) -> bool {
    matches!(object.kind.as_str(), "table" | "view" | "materialized-view" | "foreign-table")
}

impl Undo<'_> {
    fn text(&self, ident: &Ident) -> &str {
        self.script.slice(ident.span)
    }

    fn quoted(&self, name: &str) -> String {
        ident(self.kind, name)
    }

    fn full(&self, name: &Name) -> String {
        match self.kind {
            ServerKind::Postgres => {
                format!("{}.{}", self.quoted(&name.schema), self.quoted(&name.name))
            }
            ServerKind::Mysql | ServerKind::Mariadb | ServerKind::Sqlite => self.quoted(&name.name),
        }
    }

    fn same(&self, one: &str, other: &str) -> bool {
        match self.kind {
            ServerKind::Postgres => one == other,
            ServerKind::Mysql | ServerKind::Mariadb | ServerKind::Sqlite => {
                one.eq_ignore_ascii_case(other)
            }
        }
    }

    fn fits(&self, there: &Name, name: &ObjectName) -> bool {
        self.same(&there.name, name.name())
            && name.schema().is_none_or(|schema| {
                self.kind != ServerKind::Postgres || self.same(&there.schema, schema)
            })
    }

    /// Says whether something of that name was there before.
    fn existed(&self, name: &ObjectName) -> bool {
        self.before.objects.iter().any(|object| {
            let last = object.name.name.split('(').next().unwrap_or(&object.name.name);
            let there = Name::new(object.name.schema.clone(), last);
            self.fits(&there, name)
        })
    }

    /// Returns the relation that has this name now; none where it was made since.
    fn relation(&mut self, name: &ObjectName) -> Option<usize> {
        let moved = &self.moved.relations;
        let here = |relation: &Relation| !relation.dropped && self.fits(&relation.is, name);
        if let Some(at) = moved.iter().position(here) {
            return Some(at);
        }
        let objects = self.before.objects.iter().filter(|object| is_relation(object));
        let mut found: Vec<&Name> =
            objects.map(|object| &object.name).filter(|there| self.fits(there, name)).collect();
        found.retain(|there| !moved.iter().any(|relation| relation.was == **there));
        // Without a schema, `public` comes before the others (PostgreSQL's default search path).
        found.sort_by_key(|there| there.schema != "public");
        let was = (*found.first()?).clone();
        let is = was.clone();
        let relation = Relation { was, is, columns: vec![], added: vec![], dropped: false };
        self.moved.relations.push(relation);
        Some(self.moved.relations.len() - 1)
    }

    fn with_relation(&mut self, name: &ObjectName, change: impl FnOnce(&mut Relation)) {
        let at = self.relation(name);
        if let Some(relation) = at.and_then(|at| self.moved.relations.get_mut(at)) {
            change(relation);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        if let StatementKind::AlterTable(alter) = &statement.kind {
            self.alter_table(alter);
        } else if let StatementKind::AlterIndex(alter) = &statement.kind {
            if let IndexAction::RenameTo(new) = &alter.action {
                self.other(ObjectKind::Index, &alter.name, new, None);
            }
        } else if let StatementKind::Rename(rename) = &statement.kind {
            self.rename(rename);
        } else if let StatementKind::SetSchema(set) = &statement.kind {
            self.set_schema(set);
        } else if let StatementKind::Drop(drop) = &statement.kind {
            self.dropped(drop);
        } else if let StatementKind::AlterType(alter) = &statement.kind
            && self.existed(&alter.name)
        {
            let name = self.script.slice(alter.name.span()).to_owned();
            let undone = alter.actions.iter().filter_map(|action| self.type_action(&name, action));
            let undone: Vec<String> = undone.collect();
            self.moved.others.extend(undone);
        }
    }

    fn dropped(&mut self, drop: &Drop) {
        if matches!(
            drop.object,
            ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView
        ) {
            for name in &drop.names {
                self.with_relation(name, |relation| relation.dropped = true);
            }
        }
    }

    fn alter_table(&mut self, alter: &AlterTable) {
        let Some(at) = self.relation(&alter.name) else { return };
        // A rename of the table comes last in MySQL's combined ALTER, and stands alone elsewhere.
        for action in &alter.actions {
            self.table_action(at, &action.kind);
        }
    }

    fn table_action(&mut self, at: usize, action: &ActionKind) {
        let table = self.moved.relations.get(at).map(|relation| self.full(&relation.was));
        let (table, kind) = (table.unwrap_or_default(), self.kind);
        let Some(relation) = self.moved.relations.get_mut(at) else { return };
        let part = |ident: &Ident| crate::sql::ident(kind, ident.as_str());
        if let ActionKind::RenameTo(new) = action {
            new.name().clone_into(&mut relation.is.name);
        } else if let ActionKind::RenameColumn { from, to, .. } = action {
            relation.rename_column(from.as_str(), to.as_str());
        } else if let ActionKind::AddColumn { column, .. } = action {
            relation.added.push(column.name.value.clone());
        } else if let ActionKind::DropColumn { column, .. } = action {
            relation.drop_column(column.as_str());
        } else if let ActionKind::Postgres(PgAction::SetSchema(new)) = action {
            new.as_str().clone_into(&mut relation.is.schema);
        } else if let ActionKind::Mysql(MyAction::ChangeColumn { from, column, .. }) = action {
            relation.rename_column(from.as_str(), column.name.as_str());
        } else if let ActionKind::Postgres(PgAction::RenameConstraint { from, to }) = action {
            let (from, to) = (part(from), part(to));
            self.moved.others.push(format!("ALTER TABLE {table} RENAME CONSTRAINT {to} TO {from}"));
        } else if let ActionKind::Mysql(MyAction::RenameIndex { from, to }) = action {
            let (from, to) = (part(from), part(to));
            self.moved.others.push(format!("ALTER TABLE {table} RENAME INDEX {to} TO {from}"));
        }
    }

    fn rename(&mut self, rename: &Rename) {
        for (old, new) in &rename.pairs {
            let Some(short) = new.parts.last() else { continue };
            let object = rename.object;
            if is_table(object) {
                let name = short.value.clone();
                self.with_relation(old, |relation| relation.is.name = name);
            } else if let (ObjectKind::Column, Some(on)) = (object, &rename.on) {
                let (from, to) = (old.name().to_owned(), short.value.clone());
                self.with_relation(on, |relation| relation.rename_column(&from, &to));
            } else if object == ObjectKind::Schema {
                self.schema_renamed(old.name().to_owned(), short.value.clone());
            } else {
                self.other(object, old, short, rename.on.as_ref());
            }
        }
    }

    fn schema_renamed(&mut self, was: String, is: String) {
        if let Some(pair) = self.moved.schemas.iter_mut().find(|pair| pair.is == was) {
            pair.is = is;
        } else if self.before.objects.iter().any(|o| o.kind == "schema" && o.name.name == was) {
            self.moved.schemas.push(Pair { was, is });
        }
    }

    /// Notes the rename of something that is no relation.
    fn other(
        &mut self,
        object: ObjectKind,
        old: &ObjectName,
        new: &Ident,
        on: Option<&ObjectName>,
    ) {
        let now = (object, old.name().to_owned());
        let renamed = self.moved.other_names.contains(&now);
        if !renamed && !self.existed(old) && on.is_none() {
            return;
        }
        self.moved.other_names.push((object, new.value.clone()));
        let (word, last) = (object.as_str().to_uppercase(), self.quoted(old.name()));
        let short = self.text(new).to_owned();
        let schema = old.parts.iter().rev().nth(1).map(|schema| self.text(schema).to_owned());
        let renamed = match &schema {
            Some(schema) => format!("{schema}.{short}"),
            None => short.clone(),
        };
        let on = on.map(|on| match self.relation(on).and_then(|at| self.moved.relations.get(at)) {
            Some(relation) => self.full(&relation.was),
            None => self.script.slice(on.span()).to_owned(),
        });
        self.moved.others.push(match on {
            Some(on) if object == ObjectKind::DomainConstraint => {
                format!("ALTER DOMAIN {on} RENAME CONSTRAINT {short} TO {last}")
            }
            Some(on) if object == ObjectKind::Constraint => {
                format!("ALTER TABLE {on} RENAME CONSTRAINT {short} TO {last}")
            }
            Some(on) => format!("ALTER {word} {short} ON {on} RENAME TO {last}"),
            None => format!("ALTER {word} {renamed} RENAME TO {last}"),
        });
    }

    fn set_schema(&mut self, set: &SetSchema) {
        let new = set.schema.value.clone();
        if matches!(set.object, ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView)
        {
            self.with_relation(&set.name, |relation| relation.is.schema = new);
            return;
        }
        let old = set.name.parts.iter().rev().nth(1);
        let old = old.map_or("public", |schema| self.text(schema));
        let (word, new) = (set.object.as_str().to_uppercase(), self.text(&set.schema));
        let name = self.quoted(set.name.name());
        let undone = format!("ALTER {word} {new}.{name} SET SCHEMA {old}");
        self.moved.others.push(undone);
    }

    fn type_action(&self, name: &str, action: &TypeAction) -> Option<String> {
        if let TypeAction::RenameValue { from, to } = action {
            let (from, to) = (literal(self.kind, from), literal(self.kind, to));
            return Some(format!("ALTER TYPE {name} RENAME VALUE {to} TO {from}"));
        }
        let TypeAction::RenameAttribute { from, to, .. } = action else { return None };
        let (from, to) = (self.quoted(from.as_str()), self.quoted(to.as_str()));
        Some(format!("ALTER TYPE {name} RENAME ATTRIBUTE {to} TO {from}"))
    }

    /// Writes the statements: schemas, then tables, then their columns, then the rest.
    fn written(&self) -> Vec<String> {
        let mut statements: Vec<String> = self
            .moved
            .schemas
            .iter()
            .filter(|pair| pair.was != pair.is)
            .map(|pair| {
                let (is, was) = (self.quoted(&pair.is), self.quoted(&pair.was));
                format!("ALTER SCHEMA {is} RENAME TO {was}")
            })
            .collect();
        self.relations(&mut statements);
        for relation in self.moved.relations.iter().filter(|relation| !relation.dropped) {
            self.columns(relation, &mut statements);
        }
        statements.extend(self.moved.others.iter().rev().cloned());
        statements
    }

    fn relations(&self, statements: &mut Vec<String>) {
        let there: Vec<&Relation> =
            self.moved.relations.iter().filter(|relation| !relation.dropped).collect();
        let mut pairs: Vec<(Name, Name)> = there
            .iter()
            .filter(|relation| relation.was != relation.is)
            .map(|relation| (relation.was.clone(), relation.is.clone()))
            .collect();
        // What was made since under an old name makes way; it is about to be dropped.
        for (was, _) in &pairs {
            let taken = self.now.objects.iter().any(|o| is_relation(o) && o.name == *was);
            if taken && !there.iter().any(|relation| relation.is == *was) {
                let aside = Name::new(was.schema.clone(), format!("lockwise_new_{}", was.name));
                self.rename_relation(was, &aside, statements);
            }
        }
        while let Some((was, is)) = next(&mut pairs, |name| {
            Name::new(name.schema.clone(), format!("lockwise_moving_{}", name.name))
        }) {
            self.rename_relation(&is, &was, statements);
        }
    }

    fn rename_relation(&self, from: &Name, to: &Name, statements: &mut Vec<String>) {
        if self.kind.is_mysql_family() {
            statements.push(format!("RENAME TABLE {} TO {}", self.full(from), self.full(to)));
            return;
        }
        let mut from = from.clone();
        if from.schema != to.schema {
            let schema = self.quoted(&to.schema);
            statements.push(format!("ALTER TABLE {} SET SCHEMA {schema}", self.full(&from)));
            from.schema.clone_from(&to.schema);
        }
        if from.name != to.name {
            let name = self.quoted(&to.name);
            statements.push(format!("ALTER TABLE {} RENAME TO {name}", self.full(&from)));
        }
    }

    /// Renames the columns of a table that has its old name back.
    fn columns(&self, relation: &Relation, statements: &mut Vec<String>) {
        let columns = relation.columns.iter().filter(|pair| pair.was != pair.is);
        let mut pairs: Vec<(String, String)> =
            columns.map(|pair| (pair.was.clone(), pair.is.clone())).collect();
        let table = self.full(&relation.was);
        let mut rename = |from: &str, to: &str| {
            let (from, to) = (self.quoted(from), self.quoted(to));
            statements.push(format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"));
        };
        let there = self.columns_now(&relation.is);
        for (was, _) in &pairs {
            let taken = there.iter().any(|column| self.same(column, was));
            if taken && !pairs.iter().any(|(_, is)| self.same(is, was)) {
                rename(was, &format!("lockwise_new_{was}"));
            }
        }
        while let Some((was, is)) = next(&mut pairs, |name| format!("lockwise_moving_{name}")) {
            rename(&is, &was);
        }
    }

    fn columns_now(&self, relation: &Name) -> Vec<String> {
        let object = self.now.objects.iter().find(|o| o.kind == "table" && o.name == *relation);
        let items = object.map(|object| items(object, self.now.server)).unwrap_or_default();
        let table = items.into_iter().find_map(|item| item.parts);
        table.map_or_else(Vec::new, |table| {
            table.ast.columns.iter().map(|column| column.name.value.clone()).collect()
        })
    }
}

impl Relation {
    fn rename_column(&mut self, from: &str, to: &str) {
        let same = |name: &str| name.eq_ignore_ascii_case(from);
        if let Some(added) = self.added.iter_mut().find(|name| same(name)) {
            to.clone_into(added);
        } else if let Some(pair) = self.columns.iter_mut().find(|pair| same(&pair.is)) {
            to.clone_into(&mut pair.is);
        } else {
            self.columns.push(Pair { was: from.to_owned(), is: to.to_owned() });
        }
    }

    fn drop_column(&mut self, name: &str) {
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        self.added.retain(|added| !same(added));
        self.columns.retain(|pair| !same(&pair.is));
    }
}

/// Takes the next pair whose old name is free, as (to, from); where all wait for each other, one
/// gets a name in between.
fn next<N: Clone + PartialEq>(
    pairs: &mut Vec<(N, N)>,
    between: impl Fn(&N) -> N,
) -> Option<(N, N)> {
    let free = pairs
        .iter()
        .position(|(was, is)| !pairs.iter().any(|(_, other)| other == was && other != is));
    if let Some(at) = free {
        return Some(pairs.remove(at));
    }
    let first = pairs.first_mut()?;
    let (moving, is) = (between(&first.0), first.1.clone());
    first.1 = moving.clone();
    Some((moving, is))
}
