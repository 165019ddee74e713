//! ALTER TABLE: rename, drop and, since 3.53, NOT NULL and CHECK.
//!
//! sqlite.org/lang_altertable.html; measured on SQLite 3.40 to 3.54, testdata/servers/sqlite.

use super::names::Step;
use super::{CONSTRAINT, SQL_ERROR, Scene, is_reserved, same};
use crate::effect::During;
use crate::schema::{Constraint, Demand, Index, Name, Place, Relation, RelationKind};
use crate::sql::ast::{ActionKind, AlterTable, ConstraintKind, GeneratedStorage, Key, ObjectKind};

impl Scene<'_> {
    pub(super) fn alter_table(&mut self, alter: &AlterTable) {
        let name = self.schema().resolve(&alter.name);
        let table = self.table(&alter.name);
        if table.is_none() && self.schema().is_absent(&alter.name) {
            return;
        }
        for action in &alter.actions {
            self.told.span = action.span;
            if is_reserved(&name.name) {
                let detail = format!("table {} may not be altered", name.name);
                self.told.fails("wrong-object-kind", SQL_ERROR, detail);
            }
            match &action.kind {
                ActionKind::AddColumn { column, .. } => self.add_column(&name, table, column),
                ActionKind::DropColumn { column, .. } => {
                    self.drop_column(&name, table, column.as_str(), alter);
                }
                ActionKind::RenameColumn { from, to, .. } => {
                    self.rename_column(&name, table, (from.as_str(), to.as_str()), alter);
                }
                ActionKind::RenameTo(to) => self.rename_table(&name, table, to.name(), alter),
                ActionKind::SetNotNull { column } => {
                    if !self.has_constraints(table) || !self.has_column(table, column.as_str()) {
                        continue;
                    }
                    self.told.scan(&name, "set-not-null");
                    let detail = format!("column \"{column}\" of \"{}\" may hold NULL", name.name);
                    self.told.may_fail("nulls-present", CONSTRAINT, detail);
                    self.breaks_column("new-not-null", &name, column.as_str());
                    self.locks(&name, "set-not-null", During::Scan);
                }
                ActionKind::DropNotNull { column } => {
                    if !self.has_constraints(table) || !self.has_column(table, column.as_str()) {
                        continue;
                    }
                    self.breaks_column("drop-not-null", &name, column.as_str());
                    self.locks(&name, "drop-not-null", During::Instant);
                }
                ActionKind::AddConstraint(constraint) => {
                    let written = constraint.name.as_ref().map_or("", |name| name.as_str());
                    if !self.has_constraints(table) {
                        continue;
                    }
                    if let (Some(table), ConstraintKind::Check(check)) = (table, &constraint.kind) {
                        self.expression(check, table, Place::Check);
                    }
                    self.add_check(&name, table, written);
                }
                ActionKind::DropConstraint { name: constraint, .. } => {
                    self.drop_constraint(&name, table, constraint.as_str());
                }
                ActionKind::SetDefault { .. }
                | ActionKind::DropDefault { .. }
                | ActionKind::Postgres(_)
                | ActionKind::Mysql(_) => {
                    let detail = "SQLite has no such action".to_owned();
                    self.told.fails("no-such-database-feature", SQL_ERROR, detail);
                }
            }
        }
    }

    /// Constraints are those of tables (SQLite 3.53 and 3.54, measured).
    fn has_constraints(&mut self, table: Option<&Relation>) -> bool {
        self.is_table(table, "cannot edit constraints of")
    }

    /// A column of a table with a rowid takes no name of the rowid: since 3.54 (not on 3.53.4).
    pub(super) fn hides_rowid(&mut self, table: Option<&Relation>, column: &str, what: &str) {
        let named = ["rowid", "oid", "_rowid_"].iter().any(|name| same(name, column));
        let rowid = table.is_some_and(|found| !found.options.contains_key("without rowid"));
        if named && rowid && self.schema().server.version.at_least(3, 54, 0) {
            let detail = format!("cannot {what} rowid alias: {column}");
            self.told.fails("duplicate-object", SQL_ERROR, detail);
        }
    }

    fn add_check(&mut self, name: &Name, table: Option<&Relation>, written: &str) {
        self.told.scan(name, "add-check");
        let detail = "fails if a row violates the CHECK".to_owned();
        self.told.may_fail("rows-violate", CONSTRAINT, detail);
        let taken = table.is_some_and(|found| {
            found.constraints.iter().any(|c| !written.is_empty() && same(&c.name, written))
        });
        if taken {
            let detail = format!("constraint {written} already exists");
            self.told.fails("duplicate-object", SQL_ERROR, detail);
        }
        let full = format!("{name}.{written}");
        self.told.breaks("new-check", ObjectKind::Constraint, full, name);
        self.locks(name, "add-check", During::Scan);
    }

    fn drop_constraint(&mut self, name: &Name, table: Option<&Relation>, written: &str) {
        if !self.has_constraints(table) {
            return;
        }
        let known = table.filter(|found| found.complete);
        let keyed = |kind: &Demand| matches!(kind, Demand::PrimaryKey(_) | Demand::Unique(_));
        let mut all = table.into_iter().flat_map(|found| &found.constraints);
        if all.any(|c| same(&c.name, written) && keyed(&c.kind)) {
            let detail = format!("constraint may not be dropped: {written}");
            self.told.fails("wrong-object-kind", SQL_ERROR, detail);
        }
        let named = format!("named {}", written.to_ascii_lowercase());
        let has = |t: &Relation| {
            t.options.contains_key(&named) || t.constraints.iter().any(|c| same(&c.name, written))
        };
        if known.is_some_and(|table| !has(table)) {
            let detail = format!("no such constraint: {written}");
            self.told.fails("missing-object", SQL_ERROR, detail);
        }
        let full = format!("{name}.{written}");
        self.told.loses(ObjectKind::Constraint, full.clone(), false, name);
        self.told.breaks("drop-constraint", ObjectKind::Constraint, full, name);
        self.locks(name, "drop-check", During::Instant);
    }

    pub(super) fn breaks_column(&mut self, how: &'static str, table: &Name, column: &str) {
        self.told.breaks(how, ObjectKind::Column, format!("{table}.{column}"), table);
    }

    /// Tells that a column is missing where all columns are known.
    pub(super) fn has_column(&mut self, table: Option<&Relation>, column: &str) -> bool {
        let known = table.filter(|found| found.complete && found.kind == RelationKind::Table);
        let missing =
            known.is_some_and(|found| !found.columns.iter().any(|c| same(&c.name, column)));
        if missing {
            let detail = format!("no such column: \"{column}\"");
            self.told.fails("missing-column", SQL_ERROR, detail);
        }
        !missing
    }

    /// DROP COLUMN writes every row of the table again; a virtual column is not stored.
    ///
    /// sqlite.org/lang_altertable.html, section 5, says where it is refused.
    fn drop_column(
        &mut self,
        name: &Name,
        table: Option<&Relation>,
        column: &str,
        alter: &AlterTable,
    ) {
        let version = self.schema().server.version;
        if !version.at_least(3, 35, 0) {
            let detail = format!("SQLite {version} has no DROP COLUMN: it came with 3.35");
            self.told.fails("unsupported-version", SQL_ERROR, detail);
        }
        if !self.is_table(table, "cannot drop column from") || !self.has_column(table, column) {
            return;
        }
        if let Some(table) = table {
            self.column_in_use(table, column);
            if table.complete && table.columns.len() == 1 {
                let detail = format!("cannot drop column \"{column}\": no other columns exist");
                self.told.fails("column-in-use", SQL_ERROR, detail);
            }
        }
        self.hides_rowid(table, column, "drop");
        self.reread(name, alter, Step::DropColumn);
        let is_virtual = table.and_then(|found| found.column_any_case(column)).is_some_and(|c| {
            c.generated.as_ref().is_some_and(|g| g.storage != GeneratedStorage::Stored)
        });
        let during = if is_virtual { During::Instant } else { During::Rewrite };
        self.told.loses(ObjectKind::Column, format!("{name}.{column}"), !is_virtual, name);
        self.lose_inline_keys(name, table, column);
        self.breaks_column("drop-column", name, column);
        if !is_virtual {
            self.told.rewrite(name, "drop-column");
        }
        self.locks(name, "drop-column", during);
    }

    /// A foreign key written on the column goes with it, without a word.
    fn lose_inline_keys(&mut self, name: &Name, table: Option<&Relation>, column: &str) {
        for constraint in table.into_iter().flat_map(|found| &found.constraints) {
            if let Demand::ForeignKey { columns, parent, .. } = &constraint.kind
                && on_column(constraint, column)
                && columns.iter().any(|c| same(c, column))
            {
                let full = format!("{name}.{column} → {parent}");
                self.told.loses_too(ObjectKind::Constraint, full, false, name);
            }
        }
    }

    fn column_in_use(&mut self, table: &Relation, column: &str) {
        let uses = |words: &[String]| words.iter().any(|word| same(word, column));
        let mut user: Option<String> = None;
        for constraint in &table.constraints {
            match &constraint.kind {
                Demand::PrimaryKey(columns) if uses(columns) => {
                    user = Some(format!("cannot drop PRIMARY KEY column: \"{column}\""));
                }
                Demand::Unique(columns) if uses(columns) => {
                    user = Some(format!("cannot drop UNIQUE column: \"{column}\""));
                }
                Demand::Check(check) if uses(&check.columns) => {
                    if !on_column(constraint, column) {
                        user = Some(format!("a CHECK of {} uses {column}", table.name.name));
                    }
                }
                Demand::ForeignKey { columns, .. }
                    if uses(columns) && !on_column(constraint, column) =>
                {
                    user = Some(format!("unknown column \"{column}\" in foreign key definition"));
                }
                Demand::PrimaryKey(_)
                | Demand::Unique(_)
                | Demand::Check(_)
                | Demand::ForeignKey { .. }
                | Demand::Exclude(_)
                | Demand::NotNull(_) => {}
            }
        }
        let indexes = table.indexes.iter().filter(|index| index.constraint.is_none());
        for index in indexes.filter(|index| mentions(index, column)) {
            let text = "error in index {} after drop column: no such column: {}";
            let detail = text.replacen("{}", &index.name, 1).replacen("{}", column, 1);
            user = Some(detail);
        }
        for other in &table.columns {
            let generated = other.generated.as_ref().is_some_and(|g| uses(&g.expr.columns));
            if generated && !same(&other.name, column) {
                user = Some(format!("generated column {} uses {column}", other.name));
            }
        }
        let keyed = user.as_ref().is_some_and(|detail| detail.starts_with("cannot drop"));
        if let Some(detail) = user.filter(|_| keyed || !self.lets_pass()) {
            self.told.fails("column-in-use", SQL_ERROR, detail);
        }
    }

    /// Tells that a view or virtual table is not to be altered so.
    pub(super) fn is_table(&mut self, table: Option<&Relation>, action: &str) -> bool {
        let Some(table) = table else { return true };
        let what = match table.kind {
            RelationKind::View => "view",
            RelationKind::Foreign => "virtual table",
            RelationKind::Table | RelationKind::MaterializedView | RelationKind::Sequence => {
                return true;
            }
        };
        let detail = format!("{action} {what} \"{}\"", table.name.name);
        self.told.fails("wrong-object-kind", SQL_ERROR, detail);
        false
    }

    fn rename_column(
        &mut self,
        name: &Name,
        table: Option<&Relation>,
        (from, to): (&str, &str),
        alter: &AlterTable,
    ) {
        if !self.is_table(table, "cannot rename columns of") || !self.has_column(table, from) {
            return;
        }
        let taken = table.is_some_and(|found| {
            found.columns.iter().any(|c| same(&c.name, to) && !same(&c.name, from))
        });
        if taken {
            let detail = format!("duplicate column name: {to}");
            self.told.fails("duplicate-object", SQL_ERROR, detail);
        }
        self.hides_rowid(table, from, "rename from");
        self.hides_rowid(table, to, "rename to");
        self.reread(name, alter, Step::RenameColumn);
        self.breaks_column("rename-column", name, from);
        self.locks(name, "rename", During::Instant);
    }

    /// Indexes and triggers are read again by the name of their table, the old one and the new: one
    /// of `temp` comes before it.
    fn hidden_by_temporary(&mut self, table: &Relation, to: &str, when: &str) {
        let schema = self.schema();
        let hiding = schema.relation(&schema.key(&Name::new("temp", to)));
        let Some(hiding) = hiding.filter(|_| table.name.schema != "temp") else { return };
        let view = hiding.kind == RelationKind::View;
        let lacks = |index: &&Index| {
            let has = |column: &&str| hiding.column_any_case(column).is_some();
            view || !index.key_columns().iter().all(has)
        };
        let mut indexes = table.indexes.iter().filter(|index| index.constraint.is_none());
        let blocked = match (indexes.find(lacks), table.triggers.first().filter(|_| view)) {
            (Some(index), _) => format!("index {}", index.name),
            (None, Some(trigger)) => format!("trigger {}", trigger.name),
            (None, None) => return,
        };
        let detail = format!("error in {blocked}{when}: temp.{to} hides the table");
        self.told.fails("dependents-exist", SQL_ERROR, detail);
    }

    /// RENAME TO writes the text of everything that names the table: indexes, triggers, views, and
    /// the REFERENCES of its children.
    fn rename_table(
        &mut self,
        name: &Name,
        table: Option<&Relation>,
        to: &str,
        alter: &AlterTable,
    ) {
        if table.is_some_and(|found| found.kind == RelationKind::View) {
            let detail = format!("view {} may not be altered", name.name);
            self.told.fails("wrong-object-kind", SQL_ERROR, detail);
            return;
        }
        let new = self.schema().key(&Name::new(name.schema.clone(), to));
        if is_reserved(to) {
            let detail = format!("object name reserved for internal use: {to}");
            self.told.fails("duplicate-object", SQL_ERROR, detail);
        } else if self.schema().is_taken(&new) || same(&name.name, to) {
            let detail = format!("there is already another table or index with this name: {to}");
            self.told.fails("duplicate-object", SQL_ERROR, detail);
        }
        self.reread(name, alter, Step::RenameTable);
        if let Some(table) = table {
            self.hidden_by_temporary(table, &name.name, "");
            self.hidden_by_temporary(table, to, " after rename");
        }
        self.told.breaks("rename-table", ObjectKind::Table, name.to_string(), name);
        let children = self.schema().foreign_keys_to(name);
        let children: Vec<Name> =
            children.into_iter().map(|(child, _)| child.name.clone()).collect();
        if self.flag("legacy_alter_table") != Some(true) {
            for child in children.iter().filter(|child| *child != name) {
                self.told.leaves("references-rewritten", child.to_string(), child);
            }
        }
        self.locks(name, "rename-table", During::Instant);
    }
}

/// Says whether a constraint is written on a column, and gone with it.
fn on_column(constraint: &Constraint, column: &str) -> bool {
    constraint.written_on.as_ref().is_some_and(|on| same(on, column))
}

fn mentions(index: &Index, column: &str) -> bool {
    let in_key = index.parts.iter().any(|part| match &part.key {
        Key::Column(ident) => same(ident.as_str(), column),
        Key::Expr(expr) => expr.columns.iter().any(|word| same(word, column)),
    });
    let in_where = |p: &crate::sql::ast::Expr| p.columns.iter().any(|word| same(word, column));
    in_key || index.predicate.as_deref().is_some_and(in_where)
}
