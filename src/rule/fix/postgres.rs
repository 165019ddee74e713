//! Safe forms for PostgreSQL.
//!
//! The locks named here are those of the effects: `CREATE INDEX` holds SHARE for the whole build,
//! `CONCURRENTLY` SHARE UPDATE EXCLUSIVE; `VALIDATE CONSTRAINT` scans under SHARE UPDATE EXCLUSIVE
//! what `ADD CONSTRAINT` would scan under ACCESS EXCLUSIVE or SHARE ROW EXCLUSIVE (PostgreSQL 12
//! to 18, manual "ALTER TABLE" and "CREATE INDEX", and the recorded cases).
//!
//! DETACH PARTITION has no fix: CONCURRENTLY leaves a CHECK constraint on the partition (manual,
//! "ALTER TABLE", PostgreSQL 14 to 18), so the schema after it is another one.

use std::cell::OnceCell;

use super::{Edit, Fix, FixKind, Runs, Step, edited, insert_after, tokens};
use crate::schema::{Constraint, Demand, Origin, Relation, RelationKind, Schema};
use crate::sql::ast::{
    ActionKind, AlterTable, ConstraintKind, CreateIndex, Drop, Key, KeyConstraint, ObjectKind,
    Persistence, Reindex, ReindexTarget, Statement, StatementKind, TableAction, TableConstraint,
};
use crate::sql::{Script, ServerKind, Span, Token, ident_if_needed};

/// Returns the safe form of a PostgreSQL statement.
pub(super) fn fix(script: &Script, statement: &Statement, schema: &Schema) -> Option<Fix> {
    let fixer = Fixer { script, statement, schema, tokens: OnceCell::new() };
    #[expect(clippy::wildcard_enum_match_arm, reason = "most statements have no other form")]
    match &statement.kind {
        StatementKind::CreateIndex(create) => fixer.create_index(create),
        StatementKind::Drop(drop) if drop.object == ObjectKind::Index => fixer.drop_index(drop),
        StatementKind::Reindex(reindex) => fixer.reindex(reindex),
        StatementKind::RefreshMaterializedView(refresh) if !refresh.concurrently => {
            fixer.refresh(&refresh.name, refresh.with_no_data)
        }
        StatementKind::AlterTable(alter) if alter.object == ObjectKind::Table => {
            fixer.alter_table(alter)
        }
        _ => None,
    }
}

struct Fixer<'a> {
    script: &'a Script,
    statement: &'a Statement,
    schema: &'a Schema,
    /// The tokens of the statement with their words, once they were asked for.
    tokens: OnceCell<Vec<(Token, &'a str)>>,
}

impl<'a> Fixer<'a> {
    fn tokens(&self) -> &[(Token, &'a str)] {
        self.tokens.get_or_init(|| tokens(self.script, self.statement, self.schema))
    }

    fn finish(&self, rules: &[&'static str], kind: FixKind, steps: Vec<Step>) -> Option<Fix> {
        Some(Fix { rules: rules.to_vec(), span: self.statement.span, kind, steps })
    }

    /// Returns the relation if somebody may be using it.
    fn in_use(&self, name: &crate::sql::ObjectName) -> Option<&Relation> {
        let relation = self.schema.find(name)?;
        let fresh = relation.origin == Origin::Migration(self.schema.migration);
        let used = !fresh && relation.persistence != Persistence::Temporary;
        used.then_some(relation)
    }

    /// Returns a change that puts a word behind the first of these keywords.
    fn keyword_after(&self, keywords: &[&str], word: &str) -> Option<Edit> {
        let found = self
            .tokens()
            .iter()
            .find(|(_, text)| keywords.iter().any(|keyword| text.eq_ignore_ascii_case(keyword)))?;
        Some(insert_after(found.0.span, &format!(" {word}")))
    }

    /// Returns a change that takes words out, if they stand there.
    fn without(&self, words: &[&str]) -> Option<Edit> {
        let window = self.tokens().windows(words.len()).find(|window| {
            window.iter().zip(words).all(|((_, text), word)| text.eq_ignore_ascii_case(word))
        })?;
        let (first, last) = (window.first()?.0.span, window.last()?.0.span);
        let space = u32::from(self.script.slice(Span::new(last.end, last.end + 1)) == " ");
        Some(Edit { at: Span::new(first.start, last.end + space), text: String::new() })
    }

    fn create_index(&self, create: &CreateIndex) -> Option<Fix> {
        if create.concurrently || create.only {
            return None;
        }
        let table = self.in_use(&create.table)?;
        if table.partition_by.is_some() {
            return None;
        }
        let mut edits = vec![self.keyword_after(&["INDEX"], "CONCURRENTLY")?];
        // An invalid leftover of that name would be kept and taken for success.
        edits.extend(self.without(&["IF", "NOT", "EXISTS"]));
        let sql = edited(self.script, self.statement.span, edits);
        let steps = vec![Step { sql, runs: Runs::WithoutTransaction }];
        self.finish(
            &["create-index-blocking", "index-build-prolongs-lock"],
            FixKind::BuildConcurrently,
            steps,
        )
    }

    fn drop_index(&self, drop: &Drop) -> Option<Fix> {
        if drop.concurrently || drop.cascade {
            return None;
        }
        let mut steps = Vec::new();
        for name in &drop.names {
            let (_, table, index) = self.schema.find_index(name)?;
            let partitioned = table.partition_by.is_some() || index.parent.is_some();
            if index.constraint.is_some() || partitioned {
                return None;
            }
            let exists = if drop.if_exists { "IF EXISTS " } else { "" };
            let written = self.script.slice(name.span());
            let sql = format!("DROP INDEX CONCURRENTLY {exists}{written}");
            steps.push(Step { sql, runs: Runs::WithoutTransaction });
        }
        self.finish(&["drop-index-blocking"], FixKind::DropConcurrently, steps)
    }

    fn reindex(&self, reindex: &Reindex) -> Option<Fix> {
        let target = match reindex.target {
            ReindexTarget::Index => "INDEX",
            ReindexTarget::Table => "TABLE",
            ReindexTarget::Schema => "SCHEMA",
            ReindexTarget::Database => "DATABASE",
            // The system catalogs cannot be rebuilt concurrently.
            ReindexTarget::System | ReindexTarget::Any => return None,
        };
        if reindex.concurrently {
            return None;
        }
        let edit = self.keyword_after(&[target], "CONCURRENTLY")?;
        let sql = edited(self.script, self.statement.span, vec![edit]);
        let steps = vec![Step { sql, runs: Runs::WithoutTransaction }];
        self.finish(&["reindex-blocking"], FixKind::ReindexConcurrently, steps)
    }

    /// CONCURRENTLY wants a unique index over plain columns and without a condition.
    fn refresh(&self, name: &crate::sql::ObjectName, with_no_data: bool) -> Option<Fix> {
        let view = self.in_use(name).filter(|view| view.kind == RelationKind::MaterializedView)?;
        let usable = view.indexes.iter().any(|index| {
            index.kind == crate::sql::ast::IndexKind::Unique
                && index.predicate.is_none()
                && index.parts.iter().all(|part| part.key.column().is_some())
        });
        if with_no_data || !usable {
            return None;
        }
        let edit = self.keyword_after(&["VIEW"], "CONCURRENTLY")?;
        let sql = edited(self.script, self.statement.span, vec![edit]);
        let steps = vec![Step { sql, runs: Runs::WithNeighbours }];
        self.finish(&["refresh-matview-blocking"], FixKind::RefreshConcurrently, steps)
    }

    fn alter_table(&self, alter: &AlterTable) -> Option<Fix> {
        let table = self.in_use(&alter.name)?;
        let at = alter.actions.iter().position(|action| self.is_fixable(action, table))?;
        let action = alter.actions.get(at)?;
        let mut fix = self.fix_action(alter, action, table)?;
        let others: Vec<&str> = alter
            .actions
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != at)
            .map(|(_, action)| self.script.slice(action.span))
            .collect();
        if !others.is_empty() {
            // What the rest of the statement does is done first, as the columns may be made there.
            let sql = format!("{} {}", self.head(alter), others.join(",\n    "));
            fix.steps.insert(0, Step { sql, runs: Runs::WithNeighbours });
        }
        Some(fix)
    }

    fn is_fixable(&self, action: &TableAction, table: &Relation) -> bool {
        let plain = table.partition_by.is_none();
        match &action.kind {
            ActionKind::AddConstraint(constraint) => match &constraint.kind {
                ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
                    plain && !key.without_overlaps
                }
                ConstraintKind::Check(_) => !constraint.not_valid && !constraint.not_enforced,
                ConstraintKind::ForeignKey(_) => {
                    plain && !constraint.not_valid && !constraint.not_enforced
                }
                ConstraintKind::PrimaryKeyUsingIndex(_)
                | ConstraintKind::UniqueUsingIndex(_)
                | ConstraintKind::Exclude(_)
                | ConstraintKind::NotNull(_) => false,
            },
            ActionKind::SetNotNull { column } => !self.proven_not_null(table, column.as_str()),
            ActionKind::AddColumn { .. }
            | ActionKind::DropColumn { .. }
            | ActionKind::RenameColumn { .. }
            | ActionKind::RenameTo(_)
            | ActionKind::SetDefault { .. }
            | ActionKind::DropDefault { .. }
            | ActionKind::DropNotNull { .. }
            | ActionKind::DropConstraint { .. }
            | ActionKind::Postgres(_)
            | ActionKind::Mysql(_) => false,
        }
    }

    fn proven_not_null(&self, table: &Relation, column: &str) -> bool {
        let known = table.columns.iter().any(|c| c.name == column && c.not_null);
        known
            || table.constraints.iter().any(|constraint| match &constraint.kind {
                Demand::Check(check) => {
                    constraint.valid
                        && constraint.enforced
                        && check.proves_not_null.iter().any(|proven| proven == column)
                }
                Demand::PrimaryKey(_)
                | Demand::Unique(_)
                | Demand::Exclude(_)
                | Demand::ForeignKey { .. }
                | Demand::NotNull(_) => false,
            })
    }

    fn fix_action(
        &self,
        alter: &AlterTable,
        action: &TableAction,
        table: &Relation,
    ) -> Option<Fix> {
        if let ActionKind::AddConstraint(constraint) = &action.kind {
            return self.add_constraint(alter, constraint, table);
        }
        if let ActionKind::SetNotNull { column } = &action.kind {
            return self.set_not_null(alter, column.as_str(), table);
        }
        None
    }

    fn add_constraint(
        &self,
        alter: &AlterTable,
        constraint: &TableConstraint,
        table: &Relation,
    ) -> Option<Fix> {
        match &constraint.kind {
            ConstraintKind::PrimaryKey(key) => self.key(alter, constraint, key, "PRIMARY KEY"),
            ConstraintKind::Unique(key) => self.key(alter, constraint, key, "UNIQUE"),
            ConstraintKind::Check(_) => {
                self.validate_later(alter, constraint, table, "add-check-validating")
            }
            ConstraintKind::ForeignKey(_) => {
                self.validate_later(alter, constraint, table, "add-foreign-key-validating")
            }
            ConstraintKind::PrimaryKeyUsingIndex(_)
            | ConstraintKind::UniqueUsingIndex(_)
            | ConstraintKind::Exclude(_)
            | ConstraintKind::NotNull(_) => None,
        }
    }

    /// Returns `ALTER TABLE [IF EXISTS] [ONLY] name` as it is written.
    fn head(&self, alter: &AlterTable) -> String {
        let exists = if alter.if_exists { "IF EXISTS " } else { "" };
        let only = if alter.only { "ONLY " } else { "" };
        format!("ALTER TABLE {exists}{only}{}", self.script.slice(alter.name.span()))
    }

    fn validate_later(
        &self,
        alter: &AlterTable,
        constraint: &TableConstraint,
        table: &Relation,
        rule: &'static str,
    ) -> Option<Fix> {
        let name = self.constraint_name(alter, constraint, table)?;
        let head = self.head(alter);
        let written = self.script.slice(constraint.span);
        let named = if constraint.name.is_some() {
            written.to_owned()
        } else {
            format!("CONSTRAINT {} {written}", quote(&name))
        };
        let steps = vec![
            Step { sql: format!("{head} ADD {named} NOT VALID"), runs: Runs::WithNeighbours },
            Step {
                sql: format!("{head} VALIDATE CONSTRAINT {}", quote(&name)),
                runs: Runs::InNewTransaction,
            },
        ];
        self.finish(&[rule], FixKind::ValidateLater, steps)
    }

    /// Returns the name a constraint has or gets from the server.
    fn constraint_name(
        &self,
        alter: &AlterTable,
        constraint: &TableConstraint,
        table: &Relation,
    ) -> Option<String> {
        if let Some(name) = &constraint.name {
            return Some(name.value.clone());
        }
        let mut alone = alter.clone();
        alone.actions.retain(|action| {
            matches!(&action.kind, ActionKind::AddConstraint(c) if c.span == constraint.span)
        });
        let kind = StatementKind::AlterTable(Box::new(alone));
        let mut after = self.schema.clone();
        after.apply(&Statement { span: self.statement.span, kind });
        let known = |new: &&Constraint| table.constraints.iter().all(|old| old.name != new.name);
        let changed = after.relations.get(&table.name)?;
        changed.constraints.iter().find(known).map(|made| made.name.clone())
    }

    fn key(
        &self,
        alter: &AlterTable,
        constraint: &TableConstraint,
        key: &KeyConstraint,
        word: &str,
    ) -> Option<Fix> {
        let table = self.in_use(&alter.name)?;
        let name = quote(&self.constraint_name(alter, constraint, table)?);
        let nullable = |part: &Key| {
            let column = part.column().unwrap_or("");
            !self.proven_not_null(table, column)
        };
        // PRIMARY KEY USING INDEX would scan for NULLs under ACCESS EXCLUSIVE.
        if word == "PRIMARY KEY" && key.parts.iter().any(|part| nullable(&part.key)) {
            return None;
        }
        let parts: Vec<&str> = key.parts.iter().map(|part| self.script.slice(part.span)).collect();
        let include: Vec<String> =
            key.include.iter().map(|column| quote(column.as_str())).collect();
        let include = match include.as_slice() {
            [] => String::new(),
            columns => format!(" INCLUDE ({})", columns.join(", ")),
        };
        let nulls = if key.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
        let tablespace = key.tablespace.as_ref();
        let tablespace =
            tablespace.map_or_else(String::new, |t| format!(" TABLESPACE {}", quote(t)));
        let index = format!(
            "CREATE UNIQUE INDEX CONCURRENTLY {name} ON {} ({}){include}{nulls}{tablespace}",
            self.script.slice(alter.name.span()),
            parts.join(", "),
        );
        let deferrable = match (constraint.deferrable, constraint.initially_deferred) {
            (_, true) => " DEFERRABLE INITIALLY DEFERRED",
            (true, false) => " DEFERRABLE",
            (false, false) => "",
        };
        let using = format!(
            "{} ADD CONSTRAINT {name} {word} USING INDEX {name}{deferrable}",
            self.head(alter)
        );
        let rule = match word {
            "UNIQUE" => "add-unique-constraint-builds-index",
            _ => "add-primary-key-builds-index",
        };
        let steps = vec![
            Step { sql: index, runs: Runs::WithoutTransaction },
            Step { sql: using, runs: Runs::InNewTransaction },
        ];
        self.finish(&[rule], FixKind::AdoptIndex, steps)
    }

    fn set_not_null(&self, alter: &AlterTable, column: &str, table: &Relation) -> Option<Fix> {
        let head = self.head(alter);
        let column_sql = quote(column);
        let name = quote(&free_name(table, &format!("{}_{column}_not_null", table.name.name)));
        let rules = &["set-not-null-scan"];
        if self.schema.server.version.at_least(18, 0, 0) {
            let steps = vec![
                Step {
                    sql: format!("{head} ADD CONSTRAINT {name} NOT NULL {column_sql} NOT VALID"),
                    runs: Runs::WithNeighbours,
                },
                Step {
                    sql: format!("{head} VALIDATE CONSTRAINT {name}"),
                    runs: Runs::InNewTransaction,
                },
            ];
            return self.finish(rules, FixKind::ValidateNotNull, steps);
        }
        let step = |sql: String, runs: Runs| Step { sql, runs };
        let check = format!("CHECK ({column_sql} IS NOT NULL) NOT VALID");
        let steps = vec![
            step(format!("{head} ADD CONSTRAINT {name} {check}"), Runs::WithNeighbours),
            step(format!("{head} VALIDATE CONSTRAINT {name}"), Runs::InNewTransaction),
            step(format!("{head} ALTER COLUMN {column_sql} SET NOT NULL"), Runs::InNewTransaction),
            step(format!("{head} DROP CONSTRAINT {name}"), Runs::WithNeighbours),
        ];
        self.finish(rules, FixKind::ProveNotNull, steps)
    }
}

/// Returns a constraint name that the table does not have.
fn free_name(table: &Relation, wanted: &str) -> String {
    let taken = |name: &str| table.constraints.iter().any(|constraint| constraint.name == name);
    let mut name = wanted.to_owned();
    let mut number = 0_u32;
    while taken(&name) {
        number += 1;
        name = format!("{wanted}{number}");
    }
    name
}

fn quote(name: &str) -> String {
    ident_if_needed(ServerKind::Postgres, name)
}
