//! What ALTER TABLE refuses of the table as a whole: engine, character set, keys, row size.
//!
//! MySQL manual, Limits on Table Column Count and Row Size; MariaDB the same where nothing else is
//! said; measured on MariaDB 10.11, 11.8 and MySQL 9.7, testdata/servers.

use super::alteration::Alteration;
use super::refuse::*;
use super::{Scene, same};
use crate::effect::{Algorithm, Online};
use crate::schema::{Column, Index, Relation};
use crate::sql::ast::{ActionKind, ConstraintKind, IndexKind, MyAction, TableAction};

impl Scene<'_> {
    /// Foreign keys are InnoDB's own: no other engine takes a table over that has some.
    pub(super) fn engine_with_keys(&mut self, before: &Relation, value: &str) {
        // Manual, "Partitioning Limitations Relating to Storage Engines".
        let native = ["innodb", "ndb", "ndbcluster"].iter().any(|engine| same(engine, value));
        if before.partition_by.is_some() && !native && !self.is_mariadb() && self.is_engine(value) {
            let detail = format!("the engine {value} does not support native partitioning");
            self.told.fails("no-such-database-feature", "1178", detail);
        }
        let has_key = before.constraints.iter().any(|c| c.parent().is_some())
            || !self.schema().foreign_keys_to(&before.name).is_empty();
        if has_key && super::is_innodb(before) && !same(value, "innodb") && self.is_engine(value) {
            let code = self.code("1217", "3776");
            let detail = format!("cannot change the engine of '{}': foreign keys", before.name);
            self.told.fails("foreign-key-unsupported", code, detail);
        }
    }

    /// An engine that is not there is an error with NO_ENGINE_SUBSTITUTION, which is the default.
    pub(super) fn known_engine(&mut self, name: &str) {
        if self.is_engine(name) || !self.has_sql_mode("NO_ENGINE_SUBSTITUTION", true) {
            return;
        }
        let detail = format!("unknown storage engine '{name}'");
        self.told.fails("missing-object", "1286", detail);
        if !self.is_mariadb() {
            self.does_not_commit();
        }
    }

    /// Tells of a character set that is none, or a collation that is another's.
    pub(super) fn charset(&mut self, charset: Option<&str>, collation: Option<&str>) {
        let written = charset.filter(|name| *name != "default");
        if let Some(name) = written.filter(|name| !CHARSETS.contains(name)) {
            return self.refused(
                "missing-object",
                "1115",
                format!("unknown character set '{name}'"),
            );
        }
        let Some(collation) = collation.filter(|name| *name != "default") else { return };
        // Every collation has the name of its character set in front, but for MariaDB's newest.
        let of = |set: &&&str| {
            collation
                .strip_prefix(**set)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        let shared = self.is_mariadb() && collation.starts_with("uca1400");
        let Some(set) = CHARSETS.iter().find(of).copied().or(shared.then_some("")) else {
            return self.refused(
                "missing-object",
                "1273",
                format!("unknown collation '{collation}'"),
            );
        };
        let other = |name: &&str| *name != set && !shared && !(*name == "utf8mb3" && set == "utf8");
        if let Some(name) = written.filter(other) {
            let detail = format!("COLLATION '{collation}' is not valid for CHARACTER SET '{name}'");
            self.refused("type-mismatch", "1253", detail);
        }
    }

    /// Tells of character sets and collations that contradict each other.
    ///
    /// MySQL 9.7 takes the declarations one after the other, CONVERT among them; MariaDB 10.11 and
    /// 11.8 compare sets with sets, collations with collations, and CONVERT with CONVERT.
    #[expect(clippy::wildcard_enum_match_arm, reason = "three actions name character sets")]
    pub(super) fn charsets_together(&mut self, actions: &[TableAction]) {
        let set_of = |collation: &str| {
            collation.split('_').next().unwrap_or_default().replace("uca1400", "utf8mb4")
        };
        let (mut set, mut collation): (Option<String>, Option<String>) = (None, None);
        let mut converted: Option<String> = None;
        for action in actions {
            let ActionKind::Mysql(action_kind) = &action.kind else { continue };
            let (new_set, new_collation) = match action_kind {
                MyAction::Option { name, value } if name == "charset" => (Some(value), None),
                MyAction::Option { name, value } if name == "collate" => (None, Some(value)),
                MyAction::ConvertTo { charset, .. } if self.is_mariadb() => {
                    let differs = converted.as_ref().zip(charset.as_ref());
                    if differs.is_some_and(|(old, new)| !same(old, new)) {
                        self.conflicting(action.span, "1302");
                    }
                    converted = converted.or_else(|| charset.clone());
                    continue;
                }
                MyAction::ConvertTo { charset, collation } => {
                    (charset.as_ref(), collation.as_ref())
                }
                _ => continue,
            };
            if let Some(new) = new_set.filter(|new| *new != "default") {
                if set.as_ref().is_some_and(|old| !same(old, new)) {
                    let code = if collation.is_some() { self.code("1253", "1302") } else { "1302" };
                    self.conflicting(action.span, code);
                }
                set = Some(new.clone());
            }
            if let Some(new) = new_collation {
                let other_set = set.as_ref().is_some_and(|old| !same(old, &set_of(new)));
                if other_set && set.as_ref().is_some_and(|old| old != "utf8") {
                    let again = collation.is_some() && self.is_mariadb();
                    self.conflicting(action.span, if again { "1302" } else { "1253" });
                }
                collation = Some(new.clone());
                set = set.or_else(|| Some(set_of(new)));
            }
        }
    }

    fn conflicting(&mut self, span: crate::sql::Span, code: &'static str) {
        self.told.span = span;
        let detail = "conflicting declarations of the character set".to_owned();
        self.told.fails("type-mismatch", code, detail);
        self.does_not_commit();
    }

    /// InnoDB in strict mode, the default, takes KEY_BLOCK_SIZE with compressed rows only.
    pub(super) fn key_block_size(
        &mut self,
        after: &Relation,
        alter: &Alteration<'_>,
        best: Online,
    ) {
        let written = alter.actions.iter().find(|action| {
            matches!(&action.kind, ActionKind::Mysql(MyAction::Option { name, .. })
                if matches!(name.as_str(), "row_format" | "key_block_size"))
        });
        let sized = super::option(after, "key_block_size").is_some_and(|size| size != "0");
        let plain = super::option(after, "row_format").is_some_and(|format| {
            ["compact", "dynamic", "redundant"].iter().any(|known| same(known, format))
        });
        let strict = self.flag("innodb_strict_mode").unwrap_or(true);
        let refused = sized && plain && strict && super::is_innodb(after);
        if let Some(action) = written.filter(|_| refused) {
            self.told.span = action.span;
            let detail = "KEY_BLOCK_SIZE goes with ROW_FORMAT=COMPRESSED only".to_owned();
            let copies = best.algorithm == Algorithm::Copy;
            let code = if copies { self.code("1005", "1031") } else { "1478" };
            self.told.fails("type-mismatch", code, detail);
        }
    }

    pub(super) fn new_table_name(&mut self, before: &Relation, to: &crate::sql::ObjectName) {
        let new = self.schema().resolve(to);
        // A table of the session hides another one of the same name.
        let hides =
            |found: &&Relation| self.is_temporary(Some(before)) && !self.is_temporary(Some(found));
        let there = self.schema().relation(&new).filter(|found| !hides(found));
        if new != before.name && there.is_some() {
            let detail = format!("table '{new}' already exists");
            self.told.fails("duplicate-object", "1050", detail);
        }
    }

    /// Tells what only the whole result shows.
    pub(super) fn refusals_of_result(
        &mut self,
        before: &Relation,
        after: &Relation,
        alter: &Alteration<'_>,
    ) {
        if before.complete && after.columns.is_empty() {
            self.told.span = alter.actions.last().map_or_else(|| alter.name.span(), |a| a.span);
            let detail = "you can't delete all columns with ALTER TABLE: use DROP TABLE".to_owned();
            self.told.fails("column-in-use", "1090", detail);
        }
        if let Some(counted) = after.columns.iter().rfind(|column| column.auto_increment) {
            self.told.span = alter.clause_of_column(&counted.name);
            self.auto_increment_key(after);
        }
        self.wider_rows(before, alter);
        self.longer_keys(before, after, alter);
        self.engine_limits(after, Some(alter));
        self.refused_periods(before, alter);
        self.checks_beside_keys(alter);
        self.versioned_table(before, alter);
    }

    /// A column that gets longer may make the keys over it too long.
    pub(super) fn longer_keys(
        &mut self,
        before: &Relation,
        after: &Relation,
        alter: &Alteration<'_>,
    ) {
        let types = after.columns.iter().zip(&alter.after.origins).filter_map(|(new, origin)| {
            let old = before.columns.get((*origin)?)?;
            (old.data_type != new.data_type).then_some(new.name.as_str())
        });
        let changed: Vec<&str> = types.collect();
        let was = |name: &str| before.indexes.iter().any(|old| same(&old.name, name));
        for index in after.indexes.iter().filter(|_| !changed.is_empty()) {
            let key = index.key_columns();
            let over = changed.iter().find(|name| key.iter().any(|column| same(name, column)));
            if let Some(column) = over.filter(|_| was(&index.name)) {
                self.told.span = alter.clause_of_column(column);
                self.key_parts_of(after, &index.parts, index.kind);
                if index.primary {
                    self.long_primary_key(after, &index.parts);
                }
                if index.kind != IndexKind::Spatial {
                    self.becomes_spatial(after, column);
                }
                self.longer_column_of_key(after, index, column);
            }
        }
        if !self.is_mariadb() {
            return;
        }
        // MariaDB does not shorten a key that says which rows are the same (error 1072).
        for index in before.indexes.iter().filter(|i| i.kind == crate::sql::ast::IndexKind::Unique)
        {
            let key = index.key_columns();
            let gone: Vec<&&str> = key.iter().filter(|column| alter.drops(column)).collect();
            let explicit = alter.drops_index(&index.name);
            if let Some(column) = gone.first().filter(|_| gone.len() < key.len() && !explicit) {
                self.told.span = alter.clause_of_column(column);
                let detail = format!("a column of the unique key '{}' is dropped", index.name);
                self.told.fails("column-in-use", "1072", detail);
            }
        }
    }

    /// MariaDB cuts a new key to what fits into the row format, and not one that is there.
    fn longer_column_of_key(&mut self, after: &Relation, index: &Index, column: &str) {
        let short = super::option(after, "row_format")
            .is_some_and(|format| same(format, "compact") || same(format, "redundant"));
        let whole = index.parts.iter().any(|part| {
            part.prefix.is_none() && part.key.column().is_some_and(|found| same(found, column))
        });
        let bytes = after.column_any_case(column).map_or(0, row_bytes);
        if self.is_mariadb() && short && whole && bytes > 769 {
            let detail = "the maximum column size of a key is 767 bytes".to_owned();
            self.told.fails("key-too-long", "1709", detail);
        }
    }

    /// MySQL makes a SPATIAL index of a key over geometries: one that is there has an order.
    fn becomes_spatial(&mut self, after: &Relation, column: &str) {
        let data_type = after.column_any_case(column).and_then(|found| found.data_type.as_ref());
        if !self.is_mariadb() && data_type.is_some_and(|found| is_geometry(&found.name)) {
            let detail = "a SPATIAL index has no order".to_owned();
            self.told.fails("type-mismatch", "1221", detail);
        }
    }

    /// MariaDB keeps the history of a table as it is, unless told to (error 4119).
    pub(super) fn versioned_table(&mut self, before: &Relation, alter: &Alteration<'_>) {
        let keeps = self
            .context
            .settings
            .get("system_versioning_alter_history")
            .is_some_and(|value| value.eq_ignore_ascii_case("keep") || value == "1");
        let changes = |action: &&TableAction| {
            // A new key is over rows of the past too.
            let key = matches!(&action.kind, ActionKind::AddConstraint(added)
                if matches!(added.kind, ConstraintKind::PrimaryKey(_) | ConstraintKind::Unique(_)));
            let column = matches!(
                &action.kind,
                ActionKind::AddColumn { .. }
                    | ActionKind::DropColumn { .. }
                    | ActionKind::Mysql(
                        MyAction::ModifyColumn { .. } | MyAction::ChangeColumn { .. }
                    )
            );
            key || column
        };
        let changed = alter.actions.iter().find(changes).filter(|_| self.is_mariadb() && !keeps);
        if let Some(action) = changed.filter(|_| before.system_versioning) {
            self.told.span = action.span;
            let text = "change of a system-versioned table is not allowed: set \
                        system_versioning_alter_history to KEEP";
            self.told.fails("dependents-exist", "4119", text.to_owned());
        }
    }

    /// The clause that makes rows too long is the one that makes them longer by the most.
    fn wider_rows(&mut self, before: &Relation, alter: &Alteration<'_>) {
        let after = &alter.after.table;
        let growth = |(new, origin): &(&Column, &Option<usize>)| {
            let old = origin.and_then(|at| before.columns.get(at));
            row_bytes(new).saturating_sub(old.map_or(0, row_bytes))
        };
        let widest = after.columns.iter().zip(&alter.after.origins).max_by_key(growth);
        if let Some((column, _)) = widest {
            self.told.span = alter.clause_of_column(&column.name);
            self.row_size(before, after);
        }
    }

    /// Rows have at most 65,535 bytes, BLOB and TEXT counted by their pointers.
    pub(super) fn row_size(&mut self, before: &Relation, after: &Relation) {
        // What is too long for a row becomes a TEXT or BLOB where the server is not strict.
        let pointer = |bytes: u64| if bytes > 65_535 && !self.is_strict() { 10 } else { bytes };
        let size = |table: &Relation| -> u64 {
            table.columns.iter().map(|column| pointer(row_bytes(column))).sum()
        };
        let (old, new) = (size(before), size(after));
        if new > 65_535 && new > old && after.complete {
            let detail = format!("row size too large: {new} bytes of at most 65535");
            self.told.fails("values-do-not-fit", "1118", detail);
        }
    }
}
