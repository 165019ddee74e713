//! Compares a table before ALTER TABLE with the table after it.
//!
//! In: the two definitions, and the actions for what a definition does not show. Out: [`Changes`].
//!
//! MySQL: fill_alter_inplace_info (sql_table.cc), MariaDB the same; measured on MariaDB 10.11, 11.8
//! and MySQL 9.7, testdata/servers.

use super::alteration::Alteration;
use super::change::Changes;
use super::definition::*;
use super::types::{TypeChange, type_change};
use super::{Scene, is_innodb, option, same};
use crate::schema::{Altered, Column, Demand, Index, Relation};
use crate::sql::ServerKind;
use crate::sql::ast::{ActionKind, Expr, GeneratedStorage, IndexKind, MyAction};

impl Changes {
    /// Returns the differences.
    #[expect(clippy::wildcard_enum_match_arm, reason = "two actions define columns anew")]
    pub(super) fn between(scene: &Scene<'_>, before: &Relation, alter: &Alteration<'_>) -> Self {
        let after = &alter.after;
        let redefined = alter.actions.iter().filter_map(|action| match &action.kind {
            ActionKind::Mysql(MyAction::ModifyColumn { column, .. }) => Some(&column.name),
            ActionKind::Mysql(MyAction::ChangeColumn { from, .. }) => Some(from),
            _ => None,
        });
        let redefined = redefined.map(|name| name.value.clone()).collect();
        let mut changes = Self { redefined, ..Self::default() };
        changes.columns(scene, before, after);
        changes.order(before, after);
        changes.indexes(scene, before, after, alter);
        changes.clustered(scene, before, after);
        changes.built_over_geometry = changes.built.iter().any(|index| {
            index.key_columns().iter().any(|name| {
                let column = after.table.column_any_case(name);
                let data_type = column.and_then(|c| c.data_type.as_ref());
                data_type.is_some_and(|t| super::refuse::is_geometry(&t.name))
            })
        });
        changes.built_over_new_virtual = changes.built.iter().any(|index| {
            index.key_columns().iter().any(|name| {
                let new = |(column, origin): (&Column, &Option<usize>)| {
                    origin.is_none() && is_virtual(column) && same(&column.name, name)
                };
                after.table.columns.iter().zip(&after.origins).any(new)
            })
        });
        changes.builds_collated = changes.built.iter().any(|index| {
            let collated = |name: &&str| changes.collated_columns.iter().any(|c| same(c, name));
            index.key_columns().iter().any(collated)
        });
        changes.becomes_binary = becomes_binary(before, after);
        changes.converts_text =
            before.columns.iter().zip(&after.table.columns).any(|(old, new)| {
                let types = old.data_type.as_ref().zip(new.data_type.as_ref());
                types.is_some_and(|(old, new)| {
                    let to = |found: &crate::sql::ast::DataType| {
                        found.charset.as_deref() == Some("binary")
                    };
                    let binary = to(new) && !to(old);
                    binary
                        || (new.name == "char" || new.name.ends_with("text"))
                            && old.collation != new.collation
                })
            }) && alter
                .actions
                .iter()
                .any(|action| matches!(action.kind, ActionKind::Mysql(MyAction::ConvertTo { .. })));
        changes.keeps_unique_key = keeps_unique_key(before, alter);
        changes.lengthened(scene, before, after, alter);
        changes.ignore = alter.ignore;
        let long = |index: &Index| super::refuse_part::is_long_unique(&after.table, index);
        changes.builds_long_unique = changes.built.iter().any(long);
        changes.builds_over_period = changes.built.iter().any(|index| {
            index.key_columns().iter().any(|c| super::refuse_period::is_period(&after.table, c))
        });
        changes.keyed_partitions = before
            .partition_by
            .as_ref()
            .is_some_and(|by| by.keys.is_empty() && by.strategy.ends_with("key"))
            && (changes.add_primary || changes.drop_primary);
        changes.constraints(before, after, alter);
        changes.actions(scene, before, alter);
        changes
    }

    fn columns(&mut self, scene: &Scene<'_>, before: &Relation, after: &Altered) {
        let server = scene.schema().server.kind;
        let redundant = option(before, "row_format").is_some_and(|f| same(f, "redundant"));
        for (at, column) in after.table.columns.iter().enumerate() {
            let origin = after.origins.get(at).copied().flatten();
            match origin.and_then(|origin| before.columns.get(origin)) {
                Some(old) => self.column(scene, before, (old, column), (server, redundant)),
                None => self.added(scene, column, at, after),
            }
        }
        let dropped: Vec<(usize, &Column)> = before
            .columns
            .iter()
            .enumerate()
            .filter(|(at, _)| !after.origins.contains(&Some(*at)))
            .collect();
        for (at, column) in dropped {
            if !is_virtual(column) {
                self.drop_base = true;
                continue;
            }
            self.drop_virtual = true;
            let later = before.columns.iter().enumerate().skip(at + 1);
            self.drop_virtual_before_another |= later
                .into_iter()
                .any(|(later, other)| is_virtual(other) && after.origins.contains(&Some(later)));
        }
    }

    fn added(&mut self, scene: &Scene<'_>, column: &Column, at: usize, after: &Altered) {
        if let Some(generated) = &column.generated {
            if generated.storage == GeneratedStorage::Stored {
                self.add_stored = true;
            } else {
                self.add_virtual = true;
            }
            return;
        }
        self.add_base = true;
        self.add_inside |= after.origins.iter().skip(at).any(Option::is_some);
        self.add_auto_increment |= column.auto_increment;
        if let Some(default) = &column.default {
            self.add_computed_default |= scene.computes_default(default);
        }
        let name = column.data_type.as_ref().map_or("", |t| t.name.as_str());
        self.add_zero_date |=
            column.not_null && column.default.is_none() && matches!(name, "date" | "datetime");
    }

    fn column(
        &mut self,
        scene: &Scene<'_>,
        table: &Relation,
        (old, new): (&Column, &Column),
        (server, redundant): (ServerKind, bool),
    ) {
        if !old.name.eq_ignore_ascii_case(&new.name) {
            self.renamed.push(old.name.clone());
        }
        self.metadata |= old.name != new.name;
        let comparable = old.data_type.as_ref().zip(new.data_type.as_ref());
        let change = comparable
            .map_or(TypeChange::None, |(old, new)| type_change(server, old, new, redundant));
        match change {
            TypeChange::None | TypeChange::Members => {}
            TypeChange::Longer => self.longer(scene, table, old),
            TypeChange::Collation => {
                self.recollated(table, old, new, scene.is_mariadb());
            }
            TypeChange::Copy(cause) => {
                self.copy_cause = self.copy_cause.or(Some(cause));
                self.copied.push((new.name.clone(), cause));
            }
        }
        // A longer column may get another collation at the same time.
        if change == TypeChange::Longer
            && comparable.is_some_and(|(old, new)| old.collation != new.collation)
        {
            self.recollated(table, old, new, scene.is_mariadb());
        }
        self.generated(scene, table, old, new);
        match (old.not_null, new.not_null) {
            (false, true) => self.not_null.push(new.name.clone()),
            (true, false) => {
                self.nullable = true;
                self.nullable_columns.push(new.name.clone());
            }
            (false, false) | (true, true) => {}
        }
        self.loses_auto_increment |= old.auto_increment && !new.auto_increment;
        self.gains_auto_increment |= !old.auto_increment && new.auto_increment;
        let text = |expr: &Option<Box<Expr>>| expr.as_ref().map(|expr| expr.text.to_lowercase());
        self.metadata |= text(&old.default) != text(&new.default)
            || old.invisible != new.invisible
            || old.on_update != new.on_update
            || change == TypeChange::Members;
    }

    /// MariaDB builds the indexes over a longer VARBINARY anew (measured on 10.11 and 11.8).
    fn longer(&mut self, scene: &Scene<'_>, table: &Relation, old: &Column) {
        self.longer = true;
        let binary = old.data_type.as_ref().is_some_and(|found| found.name == "varbinary");
        if scene.is_mariadb() && binary {
            let over = |index: &&Index| index.key_columns().iter().any(|c| same(c, &old.name));
            self.collated_indexes.extend(table.indexes.iter().filter(over).map(|i| i.name.clone()));
            self.other_collation = true;
        }
    }

    fn recollated(&mut self, table: &Relation, old: &Column, new: &Column, mariadb: bool) {
        self.collation = true;
        let over = |index: &&Index| index.key_columns().iter().any(|c| same(c, &old.name));
        self.collated_columns.push(new.name.clone());
        self.collated_indexes.extend(table.indexes.iter().filter(over).map(|i| i.name.clone()));
        let rest = |column: &Column| {
            let data_type = column.data_type.as_ref()?;
            let collation = data_type.collation.as_ref()?;
            let charset = data_type.charset.as_ref()?;
            let own = collation.strip_prefix(charset.as_str()).unwrap_or(collation);
            Some(own.trim_start_matches('_').to_owned())
        };
        let other = rest(old) != rest(new);
        self.other_collation |= other;
        // MariaDB computes generated values anew where it keeps them (measured on 10.11 and 11.8).
        let kept = is_stored(new)
            || is_virtual(new)
                && table.indexes.iter().any(|i| i.key_columns().iter().any(|c| same(c, &old.name)));
        if kept && mariadb {
            self.copy_cause = self.copy_cause.or(Some("generated-expression"));
            self.copied.push((new.name.clone(), "generated-expression"));
        }
        // MariaDB: a key over a part of a TEXT is compared by the collation too.
        let text = new.data_type.as_ref().is_some_and(|t| t.name.ends_with("text"));
        let keyed = table.indexes.iter().any(|index| {
            index.kind != IndexKind::Fulltext
                && index.key_columns().iter().any(|c| same(c, &old.name))
        });
        if other && text && keyed && mariadb {
            self.copy_cause = self.copy_cause.or(Some("convert-charset"));
        }
    }

    /// MySQL keeps an index over a column that gets longer in place, if all that the statement does
    /// is to define columns; beside any other action it builds the index anew (measured on 9.7).
    fn lengthened(
        &mut self,
        scene: &Scene<'_>,
        before: &Relation,
        after: &Altered,
        alter: &Alteration<'_>,
    ) {
        let defines = |action: &ActionKind| {
            matches!(
                action,
                ActionKind::RenameColumn { .. }
                    | ActionKind::Mysql(
                        MyAction::ModifyColumn { .. } | MyAction::ChangeColumn { .. }
                    )
            )
        };
        if scene.is_mariadb() || !self.longer || alter.actions.iter().all(|a| defines(&a.kind)) {
            return;
        }
        let longer = |name: &str| {
            let at = after.table.columns.iter().position(|c| same(&c.name, name));
            let old = at.and_then(|at| after.origins.get(at).copied().flatten());
            let types = old
                .and_then(|old| before.columns.get(old)?.data_type.as_ref())
                .zip(at.and_then(|at| after.table.columns.get(at)?.data_type.as_ref()));
            types.is_some_and(|(old, new)| old.args != new.args && old.name.contains("char"))
        };
        for index in &after.table.indexes {
            let over = index
                .parts
                .iter()
                .any(|part| part.prefix.is_none() && part.key.column().is_some_and(longer));
            if over && !self.built.iter().any(|built| built.name == index.name) {
                self.lengthened_indexes.push(index.name.clone());
            }
        }
    }

    fn generated(&mut self, scene: &Scene<'_>, table: &Relation, old: &Column, new: &Column) {
        let (Some(before), Some(after)) = (&old.generated, &new.generated) else {
            if old.generated.is_some() != new.generated.is_some() {
                self.copy_cause = self.copy_cause.or(Some("stored-generated"));
                self.copied.push((new.name.clone(), "stored-generated"));
            }
            return;
        };
        let stored = after.storage == GeneratedStorage::Stored;
        // MariaDB takes a stored column that is defined anew for another one (measured on 10.11 and
        // 11.8).
        let anew =
            scene.is_mariadb() && stored && self.redefined.iter().any(|c| same(c, &old.name));
        if fold(&before.expr) == fold(&after.expr) && !anew {
            return;
        }
        if stored || !scene.is_mariadb() {
            self.copy_cause = self.copy_cause.or(Some("generated-expression"));
            self.copied.push((new.name.clone(), "generated-expression"));
        } else {
            self.virtual_expression = true;
            let over = |index: &Index| index.key_columns().iter().any(|c| same(c, &old.name));
            self.indexed_expression |= table.indexes.iter().any(over);
        }
    }

    fn order(&mut self, before: &Relation, after: &Altered) {
        let ordered = |virtual_ones: bool| {
            let kept: Vec<usize> = after
                .origins
                .iter()
                .flatten()
                .copied()
                .filter(|at| before.columns.get(*at).is_some_and(|c| is_virtual(c) == virtual_ones))
                .collect();
            kept.windows(2).all(|pair| matches!(pair, [left, right] if left < right))
        };
        let stored: Vec<usize> = after
            .origins
            .iter()
            .flatten()
            .copied()
            .filter(|at| before.columns.get(*at).is_some_and(is_stored))
            .collect();
        let kept: Vec<usize> = after.origins.iter().flatten().copied().collect();
        let all_ordered = kept.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        // A stored generated column that changes places with an ordinary one.
        let swapped = kept.windows(2).any(
            |pair| matches!(pair, [a, b] if a > b && (stored.contains(a) || stored.contains(b))),
        );
        self.moves_stored = swapped;
        self.moves_virtual = after.origins.iter().enumerate().any(|(at, origin)| {
            let old = origin.filter(|old| *old != at);
            old.and_then(|old| before.columns.get(old)).is_some_and(is_virtual)
        });
        self.reorder_base = !ordered(false);
        self.reorder_virtual = !all_ordered && !self.reorder_base;
    }

    fn constraints(&mut self, before: &Relation, after: &Altered, alter: &Alteration<'_>) {
        let is_key = |demand: &Demand| matches!(demand, Demand::ForeignKey { .. });
        let is_check = |demand: &Demand| matches!(demand, Demand::Check(_));
        let count = |table: &Relation, wanted: &dyn Fn(&Demand) -> bool| {
            table.constraints.iter().filter(|c| wanted(&c.kind)).count()
        };
        let adds = |wanted: &dyn Fn(&Demand) -> bool| {
            after.table.constraints.iter().any(|new| {
                let there = |old: &crate::schema::Constraint| {
                    same(&old.name, &new.name) && wanted(&old.kind)
                };
                wanted(&new.kind) && new.enforced && !before.constraints.iter().any(there)
            })
        };
        self.add_foreign_key = adds(&is_key);
        self.add_check = adds(&is_check);
        self.drop_foreign_key = before
            .constraints
            .iter()
            .any(|old| is_key(&old.kind) && alter.drops_constraint(&old.name));
        self.drops_named_check = before
            .constraints
            .iter()
            .any(|old| is_check(&old.kind) && alter.drops_constraint(&old.name));
        self.drop_check = count(before, &is_check) > count(&after.table, &is_check);
        for action in &alter.actions {
            if let ActionKind::Mysql(MyAction::AlterCheck { enforced, .. }) = &action.kind {
                self.add_check |= *enforced;
                self.drop_check |= !enforced;
            }
        }
        // The same name again: what is dropped and made anew is checked anew.
        let replaced = alter.actions.iter().any(|action| {
            matches!(&action.kind, ActionKind::AddConstraint(found)
                if matches!(found.kind, crate::sql::ast::ConstraintKind::Check(_))
                    && !found.not_enforced)
        });
        self.add_check |= replaced;
        let checks = alter.actions.iter().any(|action| {
            matches!(&action.kind, ActionKind::Mysql(MyAction::AlterCheck { .. }))
                || matches!(&action.kind, ActionKind::AddConstraint(found)
                    if matches!(found.kind, crate::sql::ast::ConstraintKind::Check(_)))
        });
        self.names_check = checks || self.drops_named_check;
        // A CHECK that is not enforced is kept, and nothing else.
        self.metadata |= alter.actions.iter().any(|action| {
            matches!(&action.kind, ActionKind::AddConstraint(found)
                if matches!(found.kind, crate::sql::ast::ConstraintKind::Check(_)))
        });
        self.adds_only_column_checks = self.add_check && !replaced;
        let foreign = alter.actions.iter().any(|action| {
            matches!(&action.kind, ActionKind::AddConstraint(found)
                if matches!(found.kind, crate::sql::ast::ConstraintKind::ForeignKey(_)))
        });
        self.add_foreign_key |= foreign;
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the others show in the two tables")]
    fn actions(&mut self, scene: &Scene<'_>, before: &Relation, alter: &Alteration<'_>) {
        for action in &alter.actions {
            match &action.kind {
                ActionKind::RenameTo(to) => {
                    self.renames = true;
                    self.rename_table |= scene.schema().resolve(to) != before.name;
                }
                ActionKind::Mysql(MyAction::Option { name, value }) => {
                    self.table_option(scene, before, name, value);
                }
                ActionKind::Mysql(MyAction::Force) => self.rebuild_option = true,
                ActionKind::Mysql(MyAction::OrderBy) => self.order_by = true,
                ActionKind::Mysql(MyAction::Keys { .. }) => self.keys = true,
                ActionKind::Mysql(MyAction::IndexVisibility { name, .. }) => {
                    // Also if it is as it should be already.
                    self.index_visibility |=
                        before.indexes.iter().any(|index| same(&index.name, name.as_str()));
                }
                ActionKind::Mysql(MyAction::ConvertTo { .. }) => self.converts = true,
                ActionKind::Mysql(MyAction::PartitionBy(_) | MyAction::RemovePartitioning) => {
                    self.repartition = true
                }
                ActionKind::Mysql(MyAction::AddSystemVersioning) => self.add_versioning = true,
                ActionKind::Mysql(MyAction::DropSystemVersioning) => self.drop_versioning = true,
                ActionKind::Mysql(MyAction::ModifyColumn { column, .. }) => {
                    self.metadata |= knows(before, column.name.as_str());
                }
                // Engines without a dictionary of their own are copied for it (MySQL 9.7).
                ActionKind::Mysql(MyAction::ColumnVisibility { column, .. }) => {
                    self.metadata |= knows(before, column.as_str());
                    self.copy_option |= !scene.is_mariadb() && !is_innodb(before);
                }
                ActionKind::Mysql(MyAction::ChangeColumn { from: column, .. })
                | ActionKind::SetDefault { column, .. }
                | ActionKind::DropDefault { column } => {
                    self.metadata |= knows(before, column.as_str());
                }
                _ => {}
            }
        }
    }

    fn table_option(&mut self, scene: &Scene<'_>, before: &Relation, name: &str, value: &str) {
        match name {
            "engine" => {
                let old = option(before, "engine").unwrap_or("innodb");
                if same(old, value) {
                    self.rebuild_option = true;
                } else if scene.is_engine(value) {
                    self.other_engine = true;
                } else {
                    // The engine stays, and to MySQL the option is written even so.
                    self.option |= !scene.is_mariadb();
                }
            }
            "key_block_size" if !is_innodb(before) => self.option = true,
            // The engine keeps the counter and the character set in its file.
            "auto_increment" | "charset" | "collate" if !is_innodb(before) => {
                self.copy_option = true;
            }
            "row_format" | "key_block_size" => self.rebuild_option = true,
            "page_compressed" | "page_compression_level" | "encrypted" | "encryption_key_id" => {
                self.rebuild_option = true;
                self.explained = true;
            }
            // What is not encrypted stays so in place (MySQL 9.7).
            "encryption"
                if same(value, "n") && option(before, name).is_none_or(|v| same(v, "n")) =>
            {
                self.option = true;
            }
            "encryption" | "tablespace" => self.copy_option = true,
            "charset" | "collate" => self.default_charset = true,
            _ if is_innodb(before) => self.option = true,
            _ => self.option = true,
        }
    }
}

/// Says whether text becomes bytes.
fn becomes_binary(before: &Relation, after: &Altered) -> bool {
    type Type = crate::sql::ast::DataType;
    let bytes = |t: &Type| t.charset.as_deref() == Some("binary") || t.name == "varbinary";
    after.table.columns.iter().zip(&after.origins).any(|(new, at)| {
        let old = at.and_then(|at| before.columns.get(at)).and_then(|c| c.data_type.as_ref());
        old.is_some_and(|old| old.charset.is_some() && !bytes(old))
            && new.data_type.as_ref().is_some_and(bytes)
    })
}
