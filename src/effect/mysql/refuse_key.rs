//! What is refused about keys, constraints and the columns of partitions.
//!
//! MySQL manual, CREATE INDEX, FOREIGN KEY Constraints, Server Error Message Reference; MariaDB
//! manual, Error Codes; measured on MariaDB 10.11, 11.8 and MySQL 9.7, testdata/servers.

use super::alteration::Alteration;
use super::refuse_expr::Place;
use super::{Scene, same};
use crate::schema::{Column, Demand, Relation};
use crate::sql::Ident;
use crate::sql::ast::{
    ActionKind, ConstraintKind, IndexDef, IndexKind, Key, MyAction, PartitionBy, TableConstraint,
};

impl Scene<'_> {
    pub(super) fn added_key(
        &mut self,
        before: &Relation,
        alter: &Alteration<'_>,
        constraint: &TableConstraint,
    ) {
        let written = constraint.name.as_ref();
        match &constraint.kind {
            ConstraintKind::PrimaryKey(key) => {
                let several = alter.actions.iter().filter(|action| {
                    matches!(&action.kind, ActionKind::AddConstraint(added)
                        if matches!(added.kind, ConstraintKind::PrimaryKey(_)))
                });
                let there = before.primary_key().is_some() && !drops_primary_key(before, alter);
                if there || several.count() > 1 {
                    let detail = "multiple primary key defined".to_owned();
                    self.told.fails("duplicate-object", "1068", detail);
                }
                self.key_parts_of(&alter.after.table, &key.parts, IndexKind::Unique);
                self.unique_in_partitions(before, &key.parts);
                self.nullable_parts(alter, &key.parts);
                self.long_primary_key(&alter.after.table, &key.parts);
                self.primary_over_virtual(&alter.after.table, &key.parts);
            }
            ConstraintKind::Unique(key) => {
                let name = written.or(key.index_name.as_ref());
                self.new_index_name(before, alter, name, constraint.if_not_exists);
                self.key_parts_of(&alter.after.table, &key.parts, IndexKind::Unique);
                self.unique_in_partitions(before, &key.parts);
            }
            ConstraintKind::ForeignKey(key) => {
                if let Some(name) = written {
                    let there = before
                        .constraints
                        .iter()
                        .any(|c| c.parent().is_some() && same(&c.name, name.as_str()));
                    // Also if the same statement drops it (measured on 10.11, 11.8 and 9.7).
                    let drops = alter.drops_constraint(name.as_str());
                    if there && (drops || !constraint.if_not_exists) {
                        let detail = format!("duplicate foreign key constraint name '{name}'");
                        let mariadb = if self.foreign_key_checks() { "1005" } else { "1826" };
                        let code = self.code(mariadb, "1826");
                        self.told.fails("duplicate-object", code, detail);
                    }
                }
                self.refused_key(&alter.after.table, key, Some(alter));
            }
            ConstraintKind::Check(check) => {
                if let Some(name) = written {
                    self.long_name(name.as_str());
                    let there = before.constraints.iter().any(|c| same(&c.name, name.as_str()));
                    let drops = alter.drops_constraint(name.as_str());
                    if there && !drops && !constraint.if_not_exists {
                        let code = self.code("1826", "3822");
                        let detail = format!("duplicate check constraint name '{name}'");
                        self.told.fails("duplicate-object", code, detail);
                    }
                }
                self.check(before, alter, check);
            }
            ConstraintKind::PrimaryKeyUsingIndex(_)
            | ConstraintKind::UniqueUsingIndex(_)
            | ConstraintKind::Exclude(_)
            | ConstraintKind::NotNull(_) => {}
        }
    }

    fn check(&mut self, before: &Relation, alter: &Alteration<'_>, check: &crate::sql::ast::Expr) {
        if check.has_subquery {
            let code = self.code("1970", "3815");
            let detail = "a CHECK may not contain a query".to_owned();
            self.told.fails("check-with-subquery", code, detail);
            if self.is_mariadb() {
                self.does_not_commit();
            }
            return;
        }
        self.expression(Place::Check, check);
        let counts = |word: &String| {
            before.column_any_case(word).is_some_and(|column| column.auto_increment)
        };
        if check.columns.iter().any(counts) {
            let code = self.code("1901", "3818");
            let detail = "a CHECK cannot refer to an AUTO_INCREMENT column".to_owned();
            self.told.fails("type-mismatch", code, detail);
        }
        let missing = check.columns.iter().find(|word| {
            let gone = before.column_any_case(word).is_none() || alter.drops_or_renames(word);
            before.complete && gone && !alter.makes(word)
        });
        if let Some(word) = missing {
            let code = self.code("1054", "1054");
            let detail = format!("the CHECK names an unknown column '{word}'");
            self.told.fails("missing-column", code, detail);
        }
    }

    /// An index is not called PRIMARY, and its name has an end.
    fn key_name(&mut self, name: &str) {
        if same(name, "PRIMARY") || name.is_empty() || name.ends_with(' ') {
            let detail = format!("incorrect index name '{name}'");
            self.told.fails("duplicate-object", "1280", detail);
        } else {
            self.long_name(name);
        }
    }

    fn long_name(&mut self, name: &str) {
        if name.chars().count() > 64 {
            self.told.fails("syntax", "1059", format!("identifier name '{name}' is too long"));
        }
    }

    pub(super) fn dropped_constraint(&mut self, before: &Relation, name: &Ident, if_exists: bool) {
        let there = before.constraints.iter().any(|c| same(&c.name, name.as_str()));
        if there || !before.complete || if_exists {
            // The index of a foreign key stays when the key goes, though both have one name.
            let foreign = before
                .constraints
                .iter()
                .any(|c| c.parent().is_some() && same(&c.name, name.as_str()));
            if !foreign && before.indexes.iter().any(|i| same(&i.name, name.as_str())) {
                self.keeps_index(before, name.as_str(), None);
            }
            return;
        }
        let code = self.code("1091", "3940");
        let detail = format!("constraint '{name}' does not exist");
        self.told.fails("missing-object", code, detail);
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "called for actions on keys")]
    pub(super) fn refusals_of_keys(
        &mut self,
        before: &Relation,
        alter: &Alteration<'_>,
        action: &MyAction,
    ) {
        match action {
            MyAction::AddIndex { index, if_not_exists } => {
                self.added_index(before, alter, index, *if_not_exists);
            }
            MyAction::DropIndex { name, if_exists }
                if self.known_index(before, name, "1091", *if_exists) =>
            {
                self.keeps_index(before, name.as_str(), Some(alter));
            }
            MyAction::DropPrimaryKey { if_exists } => {
                if before.primary_key().is_none() && before.complete {
                    if !if_exists {
                        let detail = "can't DROP 'PRIMARY': check that it exists".to_owned();
                        self.told.fails("missing-object", "1091", detail);
                    }
                } else {
                    self.keeps_index(before, "PRIMARY", Some(alter));
                }
            }
            MyAction::DropForeignKey { .. }
                if self.is_mariadb() && before.partition_by.is_some() =>
            {
                let detail = "partitioned tables do not support FOREIGN KEY".to_owned();
                self.told.fails("foreign-key-unsupported", "1506", detail);
            }
            MyAction::DropForeignKey { name, if_exists } => {
                let there = before
                    .constraints
                    .iter()
                    .any(|c| c.parent().is_some() && same(&c.name, name.as_str()));
                // MySQL leaves it to an engine that has none.
                let looks = self.is_mariadb() || super::is_innodb(before);
                if !there && looks && before.complete && !if_exists {
                    let detail = format!("can't DROP '{name}': check that it exists");
                    self.told.fails("missing-object", "1091", detail);
                }
            }
            MyAction::DropCheck { name } | MyAction::AlterCheck { name, .. } => {
                let there = before
                    .constraints
                    .iter()
                    .any(|c| matches!(c.kind, Demand::Check(_)) && same(&c.name, name.as_str()));
                if !there && before.complete {
                    let code = self.code("1091", "3821");
                    let detail = format!("check constraint '{name}' is not found in the table");
                    self.told.fails("missing-object", code, detail);
                }
            }
            MyAction::RenameIndex { from, .. } if same(from.as_str(), "PRIMARY") => {
                self.key_name(from.as_str());
            }
            MyAction::RenameIndex { from, to } if self.known_index(before, from, "1176", false) => {
                let taken = before.indexes.iter().any(|i| same(&i.name, to.as_str()));
                if taken && !same(from.as_str(), to.as_str()) {
                    let detail = format!("duplicate key name '{to}'");
                    self.told.fails("duplicate-object", "1061", detail);
                }
            }
            MyAction::IndexVisibility { name, .. } => {
                let implicit = before.primary_key().is_none()
                    && super::definition::clustered_key(before)
                        .is_some_and(|key| same(&key.name, name.as_str()));
                if implicit && !self.is_mariadb() {
                    let detail = "a primary key index cannot be invisible".to_owned();
                    self.told.fails("type-mismatch", "3522", detail);
                }
                self.known_index(before, name, "1176", false);
            }
            _ => {}
        }
    }

    fn known_index(
        &mut self,
        before: &Relation,
        name: &Ident,
        code: &'static str,
        if_exists: bool,
    ) -> bool {
        let there = before.indexes.iter().any(|index| same(&index.name, name.as_str()));
        if !there && before.complete && !if_exists {
            let detail = format!("key '{name}' doesn't exist in table '{}'", before.name);
            self.told.fails("missing-object", code, detail);
        }
        there
    }

    pub(super) fn added_index(
        &mut self,
        before: &Relation,
        alter: &Alteration<'_>,
        index: &IndexDef,
        if_not_exists: bool,
    ) {
        let there = index
            .name
            .as_ref()
            .is_some_and(|name| before.indexes.iter().any(|old| same(&old.name, name.as_str())));
        if there && if_not_exists {
            return;
        }
        self.new_index_name(before, alter, index.name.as_ref(), if_not_exists);
        self.order_of_hash(index);
        let comment = index.options.iter().find(|(option, _)| option == "comment");
        if comment.is_some_and(|(_, text)| text.chars().count() > 1024) {
            let detail = "the comment of the index is too long (max = 1024)".to_owned();
            self.told.fails("values-do-not-fit", "1688", detail);
        }
        self.key_parts_of(&alter.after.table, &index.parts, index.kind);
        if index.kind == IndexKind::Unique {
            self.unique_in_partitions(before, &index.parts);
        }
        let fulltext = alter
            .actions
            .iter()
            .filter(|action| {
                matches!(&action.kind, ActionKind::Mysql(MyAction::AddIndex { index, .. })
                    if index.kind == IndexKind::Fulltext)
            })
            .count();
        // MySQL takes the index of a foreign key away for a new one that begins as it does, and
        // finds that a FULLTEXT one does not serve (measured on 9.7).
        let first = index.parts.first().and_then(|part| part.key.column());
        let of_key = before.indexes.iter().find(|old| {
            is_auto(before, old)
                && first.is_some_and(|f| old.key_columns().first().is_some_and(|c| same(c, f)))
        });
        if let Some(old) =
            of_key.filter(|_| index.kind == IndexKind::Fulltext && !self.is_mariadb())
        {
            self.index_is_needed(&old.name.clone());
        }
        if fulltext > 0 && before.partition_by.is_some() && !self.is_mariadb() {
            // MySQL manual, "Restrictions and Limitations on Partitioning".
            let detail = "a partitioned table takes no FULLTEXT index".to_owned();
            self.told.fails("fulltext-conflict", "1214", detail);
        }
        if fulltext > 1 && !self.is_mariadb() && super::is_innodb(before) {
            let detail = "InnoDB supports one FULLTEXT index creation at a time".to_owned();
            self.told.fails("fulltext-conflict", "1795", detail);
        }
    }

    fn new_index_name(
        &mut self,
        before: &Relation,
        alter: &Alteration<'_>,
        name: Option<&Ident>,
        if_not_exists: bool,
    ) {
        let Some(name) = name else { return };
        self.key_name(name.as_str());
        let there = before
            .indexes
            .iter()
            .any(|index| same(&index.name, name.as_str()) && !is_auto(before, index));
        let goes = alter.actions.iter().any(|action| {
            matches!(&action.kind,
                ActionKind::Mysql(
                    MyAction::DropIndex { name: gone, .. }
                    | MyAction::RenameIndex { from: gone, .. },
                )
                | ActionKind::DropConstraint { name: gone, .. }
                    if same(gone.as_str(), name.as_str()))
        });
        if there && !goes && !if_not_exists {
            let detail = format!("duplicate key name '{name}'");
            self.told.fails("duplicate-object", "1061", detail);
        }
    }

    pub(super) fn partition_keys(&mut self, before: &Relation, by: &PartitionBy) {
        self.partitions_of_engine(before);
        let columns = partition_columns(by, before);
        // Neither columns nor a key to take them from.
        if columns.is_empty() && by.strategy.ends_with("key") && before.complete {
            let detail = "there is no key to partition by".to_owned();
            self.told.fails("partition-bound", "1488", detail);
        }
        for index in before.indexes.iter().filter(|i| i.kind == IndexKind::Unique) {
            let key = index.key_columns();
            let missing = columns.iter().any(|c| !key.iter().any(|found| same(found, c)));
            if missing {
                let kind = if index.primary { "PRIMARY KEY" } else { "UNIQUE INDEX" };
                let detail =
                    format!("a {kind} must include all columns in the partitioning function");
                self.told.fails("partition-bound", "1503", detail);
                break;
            }
        }
        let listed = by.strategy.ends_with("columns") || by.strategy.ends_with("key");
        for column in &columns {
            if before.complete && before.column_any_case(column).is_none() {
                let detail = format!("unknown column '{column}' in 'partition function'");
                let code = if listed { "1488" } else { "1054" };
                self.told.fails("missing-column", code, detail);
            }
        }
        let has_key = before.constraints.iter().any(|c| c.parent().is_some())
            || !self.schema().foreign_keys_to(&before.name).is_empty();
        if has_key && super::is_innodb(before) {
            let code = self.code("1217", "1506");
            let detail = "foreign keys are not supported in conjunction with partitioning";
            self.told.fails("foreign-key-unsupported", code, detail.to_owned());
        }
        if before.indexes.iter().any(|index| index.kind == IndexKind::Vector) {
            let detail = "partitioned tables do not support VECTOR".to_owned();
            self.told.fails("no-such-database-feature", "1506", detail);
        }
        let fulltext = before.indexes.iter().any(|i| i.kind == IndexKind::Fulltext);
        if fulltext && super::is_innodb(before) && !self.is_mariadb() {
            let detail = "the used table type doesn't support FULLTEXT indexes".to_owned();
            self.told.fails("fulltext-conflict", "1214", detail);
        }
    }

    /// An index that a foreign key needs stays, unless another one takes its place.
    ///
    /// MariaDB lets it go with `foreign_key_checks=0`, and lets a primary key go that another
    /// table references (measured: `drop_index_needed_by_fk_parent`).
    fn keeps_index(&mut self, before: &Relation, name: &str, alter: Option<&Alteration<'_>>) {
        let Some(index) = before.indexes.iter().find(|i| same(&i.name, name)) else { return };
        if self.is_mariadb() && !self.foreign_key_checks() {
            return;
        }
        let remaining: Vec<_> = alter
            .map_or(&before.indexes, |alter| &alter.after.table.indexes)
            .iter()
            .filter(|other| alter.is_some() || !same(&other.name, name))
            .collect();
        let covers = |other: &crate::schema::Index, columns: &[String]| {
            other.parts.len() >= columns.len()
                && columns.iter().zip(&other.parts).all(|(column, part)| {
                    part.key.column().is_some_and(|found| same(found, column))
                })
        };
        for constraint in &before.constraints {
            let Demand::ForeignKey { columns, .. } = &constraint.kind else { continue };
            let goes = alter.is_some_and(|alter| alter.drops_constraint(&constraint.name));
            // The index that the server makes again for the key is not another one.
            let other = remaining.iter().any(|other| {
                covers(other, columns)
                    && !is_auto(before, other)
                    && other.constraint.as_deref() != Some(constraint.name.as_str())
            });
            if covers(index, columns) && !goes && !other {
                self.index_is_needed(name);
                return;
            }
        }
        if self.is_mariadb() {
            let primary = index.primary;
            let schema = self.schema();
            let needed = schema.foreign_keys_to(&before.name).into_iter().any(|(_, c)| {
                matches!(&c.kind, Demand::ForeignKey { parent_columns, .. }
                    if covers(index, parent_columns)
                        && !remaining.iter().any(|other| covers(other, parent_columns)))
            });
            if needed && !primary {
                self.index_is_needed(name);
            } else if needed {
                self.told.leaves("parent-key-lost", before.name.to_string(), &before.name);
            }
            return;
        }
        let schema = self.schema();
        let needed = schema.foreign_keys_to(&before.name).into_iter().any(|(_, c)| {
            matches!(&c.kind, Demand::ForeignKey { parent_columns, .. }
                if covers(index, parent_columns)
                    && !remaining.iter().any(|other| covers(other, parent_columns)))
        });
        if needed {
            self.index_is_needed(name);
        }
    }

    fn index_is_needed(&mut self, name: &str) {
        let detail = format!("cannot drop index '{name}': needed in a foreign key constraint");
        self.told.fails("foreign-key-references", "1553", detail);
    }

    /// MySQL makes and copies no table without a primary key where that is required.
    pub(super) fn without_primary_key(&mut self, table: &Relation) {
        let required = self.flag("sql_require_primary_key") == Some(true);
        if required && table.complete && table.primary_key().is_none() && !self.is_mariadb() {
            let detail = "unable to create or change a table without a primary key".to_owned();
            self.told.fails("primary-key-missing", "3750", detail);
        }
    }

    /// There is one AUTO_INCREMENT column, and an index begins with it.
    pub(super) fn auto_increment_key(&mut self, after: &Relation) {
        let counted: Vec<&Column> = after.columns.iter().filter(|c| c.auto_increment).collect();
        let keyless = counted.iter().any(|column| {
            !after.indexes.iter().any(|index| {
                index.key_columns().first().is_some_and(|first| same(first, &column.name))
            })
        });
        if counted.len() > 1 || (keyless && after.complete) {
            let detail = "there can be only one auto column and it must be defined as a key";
            self.told.fails("identity-misuse", "1075", detail.to_owned());
        }
    }

    /// Tells of indexes that another one makes superfluous.
    pub(super) fn index_remarks(&mut self, before: &Relation, index: &IndexDef) {
        let key: Vec<&str> = index.parts.iter().filter_map(|part| part.key.column()).collect();
        let plain = index.kind == IndexKind::Plain && key.len() == index.parts.len();
        let covering = before.indexes.iter().find(|old| {
            let columns = old.key_columns();
            plain
                && old.kind != IndexKind::Fulltext
                && columns.len() >= key.len()
                && key.iter().zip(&columns).all(|(left, right)| same(left, right))
        });
        if let Some(longer) = covering {
            let name = index.name.as_ref().map_or("", |name| name.as_str());
            let full = format!("{}.{name}", before.name);
            self.told.leaves_redundant(full, &longer.name, &before.name);
        }
    }
}

/// Says whether an index was made for a foreign key and not written.
fn is_auto(table: &Relation, index: &crate::schema::Index) -> bool {
    index.kind == IndexKind::Plain
        && index.constraint.as_ref().is_some_and(|of| {
            table.constraints.iter().any(|c| c.parent().is_some() && c.name == *of)
        })
}

/// Returns the columns that a table is partitioned by: those of its key where `KEY ()` names none.
pub(super) fn partition_columns(by: &PartitionBy, table: &Relation) -> Vec<String> {
    if by.keys.is_empty() && by.strategy.ends_with("key") {
        let key = super::definition::clustered_key(table);
        return key.map_or_else(Vec::new, |index| {
            index.key_columns().iter().map(|column| (*column).to_owned()).collect()
        });
    }
    by.keys
        .iter()
        .flat_map(|part| match &part.key {
            Key::Column(column) => vec![column.value.clone()],
            Key::Expr(expr) => expr.columns.clone(),
        })
        .collect()
}

/// Says whether the primary key goes, by name or with all its columns.
fn drops_primary_key(before: &Relation, alter: &Alteration<'_>) -> bool {
    let columns = before.primary_key().unwrap_or_default();
    columns.iter().all(|column| alter.drops(column)) || alter.drops_index("PRIMARY")
}
