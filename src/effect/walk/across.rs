//! What two statements of one migration do together, whatever their transactions.

use super::{StatementRun, Walker, session, smell};
use crate::effect::{Declaration, During, Effect, EffectKind, Failure, TableState};
use crate::schema::{Constraint, Demand, Index, Name, Origin, Relation};
use crate::sql::ast::{
    ActionKind, AlterTable, ColumnDef, ConstraintKind, CreateIndex, Dml, DmlKind, Drop, IndexKind,
    MyAction, Nullability, ObjectKind, Statement, StatementKind,
};
use crate::sql::{Ident, ObjectName, ServerKind, Span};

/// What earlier statements of the migration did to tables in use.
#[derive(Debug, Default)]
pub(super) struct Across {
    dropped_columns: Vec<(Name, String)>,
    /// Columns added NOT NULL with a default.
    defaulted_columns: Vec<(Name, String)>,
    dropped_tables: Vec<Name>,
    /// Those of them that nobody was seen making.
    unknown_tables: Vec<Name>,
    /// Tables whose rows were copied elsewhere.
    copied: Vec<Name>,
    /// Columns added.
    added_columns: Vec<(Name, String)>,
    /// Those of them that hold nothing but NULL.
    null_columns: Vec<(Name, String)>,
    /// Foreign keys dropped: table and columns.
    dropped_keys: Vec<(Name, Vec<String>)>,
    /// Indexes dropped: table, key columns, name.
    dropped_indexes: Vec<(Name, Vec<String>, String)>,
    /// Columns that are known to be unique: those of keys that were dropped, and those that were
    /// numbered when they were added.
    dropped_unique: Vec<(Name, Vec<String>)>,
    /// Tables that an ALTER TABLE read or wrote in full.
    worked_on: Vec<Name>,
    /// Columns whose NULLs an UPDATE replaced.
    filled_columns: Vec<(Name, String)>,
}

impl Walker<'_> {
    /// Compares a statement with those before it. Called before the schema changes.
    pub(super) fn across(&mut self, statement: &Statement, run: &mut StatementRun) {
        if let StatementKind::AlterTable(alter) = &statement.kind {
            self.alter_table(alter, statement.span, run);
        } else if let StatementKind::Drop(drop) = &statement.kind {
            self.drop(drop, statement.span, run);
        } else if let StatementKind::CreateTable(create) = &statement.kind {
            let read = create.query.iter().flat_map(|query| &query.reads);
            self.across.copied.extend(read.map(|name| self.schema.resolve(name)));
            let name = self.schema.new_name(&create.name);
            if self.across.dropped_tables.contains(&name) && create.query.is_none() {
                let value = name.to_string();
                run.effects.effects.push(session(statement.span, "create-table-replaces", value));
                if self.across.unknown_tables.contains(&name) {
                    self.out.replaced_unknown.push(name);
                }
            }
        } else if let StatementKind::CreateIndex(create) = &statement.kind {
            self.create_index(create, run, statement.span);
        } else if let StatementKind::Dml(dml) = &statement.kind {
            self.fill(dml, run);
            self.copy(dml, statement.span, run);
            smell::tell(self.text(statement), dml, self.kind(), run, statement.span);
            self.rebuild_copy(dml, statement, run);
        }
        if self.kind().is_mysql_family() {
            self.online_tool(statement, run);
        }
    }

    fn text(&self, statement: &Statement) -> &str {
        self.migration.up.section.source.slice(statement.span)
    }

    /// Notes what is copied elsewhere, and tells of rows that are changed without that.
    fn copy(&mut self, dml: &Dml, span: Span, run: &mut StatementRun) {
        if dml.from_query {
            let read = dml.query.reads.iter().map(|name| self.schema.resolve(name));
            self.across.copied.extend(read);
        }
        let Some(target) = dml.targets.first() else { return };
        let name = self.schema.resolve(target);
        let is_new = |column: &Ident| {
            self.across.added_columns.contains(&(name.clone(), column.value.clone()))
        };
        let overwrites = match dml.kind {
            DmlKind::Delete => true,
            DmlKind::Update => !dml.columns.iter().all(is_new),
            DmlKind::Insert
            | DmlKind::Replace
            | DmlKind::Merge
            | DmlKind::Load
            | DmlKind::Select => false,
        };
        if overwrites && self.in_use(target) && !self.across.copied.contains(&name) {
            let bulk = run.effects.effects.iter().find_map(|effect| {
                let EffectKind::Declares(declared) = &effect.kind else { return None };
                (declared.what == "bulk-change").then(|| declared.clone())
            });
            if let Some(bulk) = bulk {
                let declaration = Declaration { what: "change-without-copy", ..bulk };
                let kind = EffectKind::Declares(declaration);
                run.effects.effects.push(Effect { span, kind, source: "the statement itself" });
            }
        }
    }

    /// Says whether a table was there before the migration, as far as is known.
    pub(super) fn in_use(&self, table: &ObjectName) -> bool {
        self.schema
            .find(table)
            .is_none_or(|found| found.origin != Origin::Migration(self.schema.migration))
    }

    fn alter_table(&mut self, alter: &AlterTable, span: Span, run: &mut StatementRun) {
        if !self.in_use(&alter.name) {
            return;
        }
        let table = self.schema.resolve(&alter.name);
        self.visibility(alter, span, run);
        for action in &alter.actions {
            let at = if action.span.is_empty() { span } else { action.span };
            if let ActionKind::AddColumn { column, .. } = &action.kind {
                self.add_column(&table, column, at, run);
            } else if let ActionKind::DropColumn { column, .. } = &action.kind {
                self.across.dropped_columns.push((table.clone(), column.value.clone()));
            } else if let ActionKind::DropDefault { column } = &action.kind {
                let key = (table.clone(), column.value.clone());
                if self.across.defaulted_columns.contains(&key) {
                    let value = format!("{table}.{}", column.value);
                    run.effects.effects.push(session(at, "new-default-dropped", value));
                }
            } else if let ActionKind::DropConstraint { name, .. } = &action.kind {
                self.drop_constraint(&table, name.as_str());
            } else if let ActionKind::AddConstraint(added) = &action.kind {
                self.constraint_again(&table, &added.kind, at, run);
            } else if let ActionKind::Mysql(MyAction::DropIndex { name, .. }) = &action.kind {
                self.visible_index(&table, name.as_str(), at, run);
                self.drop_index(&table, name.as_str());
            } else if let ActionKind::SetNotNull { column } = &action.kind {
                self.excuse_nulls(&table, column.as_str(), at, run);
            } else if let ActionKind::Mysql(
                MyAction::ModifyColumn { column, .. } | MyAction::ChangeColumn { column, .. },
            ) = &action.kind
            {
                self.excuse_nulls(&table, column.name.as_str(), at, run);
            } else if let ActionKind::Mysql(MyAction::AddIndex { index, .. }) = &action.kind {
                self.replaces(&table, &index.parts, at, run);
            }
        }
        self.merge(&table, span, run);
    }

    fn add_column(&mut self, table: &Name, column: &ColumnDef, at: Span, run: &mut StatementRun) {
        let key = (table.clone(), column.name.value.clone());
        if self.across.dropped_columns.contains(&key) {
            let value = format!("{table}.{}", column.name);
            run.effects.effects.push(session(at, "column-dropped-and-added", value));
            // The drop runs first, also within one ALTER TABLE.
            excuse_failures(run, at, "duplicate-object");
        }
        let counts = column.data_type.as_ref().is_some_and(|t| t.name.ends_with("serial"));
        if counts || column.identity.is_some() {
            self.across.dropped_unique.push((table.clone(), vec![column.name.value.clone()]));
        }
        if !counts && column.default.is_none() && column.generated.is_none() {
            self.across.null_columns.push(key.clone());
        }
        self.across.added_columns.push(key.clone());
        let required = matches!(column.nullability, Some(Nullability::NotNull { .. }));
        if required && column.default.is_some() {
            self.across.defaulted_columns.push(key);
        }
    }

    /// Two ALTER TABLEs that each go through the whole table could be one.
    fn merge(&mut self, table: &Name, span: Span, run: &mut StatementRun) {
        let works =
            run.effects.effects.iter().filter_map(Effect::work).any(|(relation, during)| {
                let in_full = matches!(during, During::Scan | During::Rewrite);
                in_full && relation.name == *table && relation.state == TableState::Existing
            });
        let rebuilds = run.effects.online.is_some_and(|online| online.rebuilds);
        if !works && !rebuilds {
            return;
        }
        if self.across.worked_on.contains(table) {
            run.effects.effects.push(session(span, "separate-alter-tables", table.to_string()));
        } else {
            self.across.worked_on.push(table.clone());
        }
    }

    fn drop(&mut self, drop: &Drop, span: Span, run: &mut StatementRun) {
        for name in &drop.names {
            if drop.object == ObjectKind::Table && self.in_use(name) {
                if self.schema.find(name).is_none() {
                    self.across.unknown_tables.push(self.schema.resolve(name));
                }
                let table = self.schema.resolve(name);
                self.across.dropped_unique.extend(unique_keys(self.schema.relation(&table)));
                self.across.dropped_tables.push(table);
            } else if drop.object == ObjectKind::Index {
                match &drop.on_table {
                    Some(table) => {
                        let table = self.schema.resolve(table);
                        self.visible_index(&table, name.name(), span, run);
                        self.drop_index(&table, name.name());
                    }
                    None => {
                        let table = self.schema.find_index(name).map(|(_, t, _)| t.name.clone());
                        if let Some(table) = table {
                            self.drop_index(&table, name.name());
                        }
                    }
                }
            }
        }
    }

    fn drop_index(&mut self, table: &Name, index: &str) {
        let Some(relation) = self.schema.relation(table) else { return };
        if relation.origin == Origin::Migration(self.schema.migration) {
            return;
        }
        let Some(found) = relation.index(index) else { return };
        let columns: Vec<String> = found.key_columns().into_iter().map(str::to_owned).collect();
        if found.kind == IndexKind::Unique && found.predicate.is_none() {
            self.across.dropped_unique.push((table.clone(), columns.clone()));
        }
        self.across.dropped_indexes.push((table.clone(), columns, index.to_owned()));
    }

    /// Notes the key that a dropped constraint was.
    fn drop_constraint(&mut self, table: &Name, name: &str) {
        let Some(relation) = self.schema.relation(table) else { return };
        let Some(constraint) = relation.constraint(name) else { return };
        let columns: Vec<String> = constraint.columns().into_iter().map(str::to_owned).collect();
        if constraint.parent().is_some() {
            self.across.dropped_keys.push((table.clone(), columns));
        } else if constraint.has_index() {
            self.across.dropped_unique.push((table.clone(), columns));
        }
    }

    /// A key that is dropped and added again asks of the rows what it asked before.
    fn constraint_again(
        &self,
        table: &Name,
        kind: &ConstraintKind,
        at: Span,
        run: &mut StatementRun,
    ) {
        if let ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) = kind {
            let columns: Vec<&str> = key.parts.iter().filter_map(|p| p.key.column()).collect();
            self.excuse_known(table, &columns, at, run);
        } else if let ConstraintKind::ForeignKey(key) = kind {
            let same = |(known, columns): &(Name, Vec<String>)| {
                known == table && columns.iter().eq(key.columns.iter().map(|c| &c.value))
            };
            if self.across.dropped_keys.iter().any(same) {
                excuse_where(run, |effect| {
                    let left = effect.left_behind().is_some_and(|(w, _)| w == "fk-without-index");
                    left && at.contains(effect.span)
                });
            }
        }
    }

    /// What was unique until now is so still.
    fn excuse_known(&self, table: &Name, columns: &[&str], at: Span, run: &mut StatementRun) {
        let all = |(known, old): &(Name, Vec<String>)| {
            known == table && !old.is_empty() && old.iter().all(|c| columns.contains(&c.as_str()))
        };
        let known = unique_keys(self.schema.relation(table));
        // NULLs are no duplicates of each other.
        let null = self
            .across
            .null_columns
            .iter()
            .any(|(known, column)| known == table && columns.contains(&column.as_str()));
        if null || self.across.dropped_unique.iter().chain(&known).any(all) {
            excuse_failures(run, at, "duplicates-present");
        }
    }

    fn create_index(&mut self, create: &CreateIndex, run: &mut StatementRun, span: Span) {
        let table = self.schema.resolve(&create.table);
        self.replaces(&table, &create.index.parts, span, run);
    }

    /// An index that serves the queries of one dropped before is built too late.
    fn replaces(
        &self,
        table: &Name,
        parts: &[crate::sql::ast::KeyPart],
        at: Span,
        run: &mut StatementRun,
    ) {
        let new: Vec<&str> = parts.iter().map_while(|part| part.key.column()).collect();
        self.excuse_known(table, &new, at, run);
        let replaced = self.across.dropped_indexes.iter().find(|(dropped_table, columns, _)| {
            let old: Vec<&str> = columns.iter().map(String::as_str).collect();
            dropped_table == table && !old.is_empty() && new.starts_with(&old)
        });
        if let Some((_, _, name)) = replaced {
            run.effects.effects.push(session(at, "index-dropped-before-its-successor", name));
        }
    }
}

impl Walker<'_> {
    /// Notes which NULLs an UPDATE replaces: all of a column's, as far as its condition shows.
    fn fill(&mut self, dml: &Dml, run: &mut StatementRun) {
        let written: Vec<Name> = dml.targets.iter().map(|name| self.schema.resolve(name)).collect();
        self.across.null_columns.retain(|(table, _)| !written.contains(table));
        if dml.kind != DmlKind::Update || dml.limit {
            return;
        }
        let Some(target) = dml.targets.first() else { return };
        let table = self.schema.resolve(target);
        let is_new = |column: &Ident| {
            let key = (table.clone(), column.value.clone());
            self.across.added_columns.contains(&key)
        };
        if dml.columns.iter().all(is_new) {
            // A new column is given its values: no condition was forgotten.
            excuse_where(run, |effect| {
                matches!(&effect.kind, EffectKind::Declares(declaration)
                    if declaration.what == "change-of-every-row")
            });
        }
        for column in &dml.columns {
            let condition = format!("{} IS NULL", column.as_str().to_ascii_uppercase());
            let reaches = dml.filter.as_ref().is_none_or(|filter| {
                let text = filter.text.replace(['"', '`'], "").to_ascii_uppercase();
                text == condition || text.ends_with(&format!(".{condition}"))
            });
            if reaches {
                self.across.filled_columns.push((table.clone(), column.value.clone()));
            }
        }
    }

    /// SQLite: the copy of a rebuild into a column that has become NOT NULL.
    fn rebuild_copy(&self, dml: &Dml, statement: &Statement, run: &mut StatementRun) {
        if self.kind() != ServerKind::Sqlite || !dml.from_query {
            return;
        }
        let replaces_null = dml.query.functions.iter().any(|function| {
            matches!(function.name().to_ascii_lowercase().as_str(), "coalesce" | "ifnull")
        });
        let statements = &self.migration.up.statements;
        let rebuild = crate::effect::rebuilds(statements).into_iter().find(|rebuild| {
            let copied = rebuild.copied.and_then(|at| statements.get(at));
            copied.is_some_and(|copied| copied.span == statement.span)
        });
        let Some(rebuild) = rebuild.filter(|_| !replaces_null) else { return };
        let (old, new) = if rebuild.old_first {
            (&rebuild.temporary, &rebuild.table)
        } else {
            (&rebuild.table, &rebuild.temporary)
        };
        let (Some(old), Some(new)) = (self.schema.find(old), self.schema.find(new)) else { return };
        let column = new.columns.iter().find(|column| {
            let before = old.column_any_case(&column.name);
            let filled = self.is_filled(&self.schema.resolve(&rebuild.table), &column.name);
            column.not_null && !filled && before.is_some_and(|before| !before.not_null)
        });
        if let Some(column) =
            column.filter(|column| !old.primary_key().is_some_and(|key| key.contains(&column.name)))
        {
            let failure = Failure {
                when: "nulls-copied",
                certain: false,
                detail: format!(
                    "column \"{}\" becomes NOT NULL and rows may hold NULL",
                    column.name
                ),
                code: Some("SQLITE_CONSTRAINT"),
            };
            let source = "SQLite manual, ALTER TABLE, section 7";
            let kind = EffectKind::Failure(failure);
            run.effects.effects.push(Effect { span: statement.span, kind, source });
        }
    }

    fn is_filled(&self, table: &Name, column: &str) -> bool {
        let same =
            |(known, name): &(Name, String)| known == table && name.eq_ignore_ascii_case(column);
        self.across.filled_columns.iter().any(same)
    }

    /// A column that was just filled holds no NULL.
    fn excuse_nulls(&self, table: &Name, column: &str, at: Span, run: &mut StatementRun) {
        if !self.is_filled(table, column) {
            return;
        }
        // What MySQL and MariaDB do is told of the table, and names the column.
        let named = format!("`{column}`");
        excuse_where(run, |effect| {
            effect.failure().is_some_and(|failure| {
                let here = at.contains(effect.span) || failure.detail.contains(&named);
                failure.when == "nulls-present" && here
            })
        });
    }

    /// MySQL, MariaDB: an index that was never hidden goes without a trial.
    fn visible_index(&self, table: &Name, index: &str, at: Span, run: &mut StatementRun) {
        let known = self.schema.relation(table);
        if known.is_some_and(|found| found.origin == Origin::Migration(self.schema.migration)) {
            return;
        }
        let hidden = known.and_then(|found| found.index(index)).is_some_and(|i| i.invisible);
        if !hidden {
            let value = format!("{table}.{index}");
            run.effects.effects.push(session(at, "visible-index-dropped", value));
        }
    }

    /// MySQL, MariaDB: hiding an index together with a rebuild cannot be undone in a moment.
    fn visibility(&self, alter: &AlterTable, span: Span, run: &mut StatementRun) {
        let hides = alter.actions.iter().any(|action| {
            matches!(action.kind, ActionKind::Mysql(MyAction::IndexVisibility { .. }))
        });
        if hides && run.effects.online.is_some_and(|online| online.rebuilds) {
            let value = alter.name.to_string();
            run.effects.effects.push(session(span, "visibility-with-rebuild", value));
        }
    }
}

/// Returns the columns of a table that are known to be unique together.
fn unique_keys(table: Option<&Relation>) -> Vec<(Name, Vec<String>)> {
    let Some(table) = table else { return Vec::new() };
    let keys = table.constraints.iter().filter(|constraint| {
        matches!(constraint.kind, Demand::PrimaryKey(_) | Demand::Unique(_)) && constraint.valid
    });
    let keys = keys.map(Constraint::columns);
    let indexes = table.indexes.iter().filter(|index| {
        let plain = index.parts.iter().all(|part| part.key.column().is_some());
        index.kind == IndexKind::Unique && index.valid && index.predicate.is_none() && plain
    });
    let all = keys.chain(indexes.map(Index::key_columns));
    let owned = |columns: Vec<&str>| columns.into_iter().map(str::to_owned).collect();
    all.map(|columns| (table.name.clone(), owned(columns))).collect()
}

/// Excuses failures of one kind within a clause.
fn excuse_failures(run: &mut StatementRun, at: Span, when: &str) {
    excuse_where(run, |effect| {
        at.contains(effect.span) && effect.failure().is_some_and(|failure| failure.when == when)
    });
}

fn excuse_where(run: &mut StatementRun, harmless: impl Fn(&Effect) -> bool) {
    let places = run.effects.effects.iter().enumerate();
    run.excused.extend(places.filter(|(_, effect)| harmless(effect)).map(|(place, _)| place));
}
