//! What ALTER TABLE refuses whatever the rows are: columns, defaults, options.
//!
//! MySQL manual, ALTER TABLE, Server Error Message Reference; MariaDB manual, Error Codes; measured
//! on MariaDB 10.11, 11.8 and MySQL 9.7, testdata/servers.

use super::alteration::Alteration;
use super::types::{TypeChange, type_change};
use super::{Scene, same};
use crate::schema::{Charset, Column, Demand, Relation, has_charset, max_bytes};
use crate::sql::Ident;
use crate::sql::ast::{
    ActionKind, ColumnDef, ColumnPosition, ConstraintKind, DataType, Expr, MyAction, Nullability,
    ReferentialAction, TableConstraint,
};

impl Scene<'_> {
    /// Tells which names of the statement mean nothing in the table, or something else.
    pub(super) fn refusals(&mut self, before: &Relation, alter: &Alteration<'_>) {
        for action in &alter.actions {
            self.told.span = action.span;
            match &action.kind {
                ActionKind::AddColumn { column, if_not_exists, position } => {
                    let there = before.column_any_case(column.name.as_str()).is_some();
                    let dropped = alter.drops_or_renames(column.name.as_str());
                    if there && !dropped {
                        if !if_not_exists {
                            let detail = format!("duplicate column name '{}'", column.name);
                            self.told.fails("duplicate-object", "1060", detail);
                        }
                        continue;
                    }
                    self.position(before, alter, position);
                    self.column_definition(before, column);
                    self.expressions_of(&alter.after.table, column);
                    self.written_keys(before, alter, column);
                }
                ActionKind::DropColumn { column, if_exists, .. } => {
                    self.drop_column(before, alter, column, *if_exists);
                }
                ActionKind::RenameColumn { from, to, if_exists } => {
                    if self.known_column(before, from, "1054", *if_exists) {
                        self.column_name(to.as_str());
                        self.renames(before, alter, from, to);
                    }
                }
                ActionKind::SetDefault { column, default } => {
                    let old = before.column_any_case(column.as_str());
                    if let Some(old) = old {
                        self.new_default(alter, old, default);
                    }
                    self.known_column(before, column, "1054", false);
                }
                ActionKind::DropDefault { column } => {
                    self.known_column(before, column, "1054", false);
                }
                ActionKind::AddConstraint(constraint) => {
                    self.added_key(before, alter, constraint);
                }
                ActionKind::DropConstraint { name, if_exists, .. } => {
                    self.dropped_constraint(before, name, *if_exists);
                }
                ActionKind::Mysql(action) => self.refusals_of(before, alter, action),
                ActionKind::RenameTo(to) => self.new_table_name(before, to),
                ActionKind::SetNotNull { .. }
                | ActionKind::DropNotNull { .. }
                | ActionKind::Postgres(_) => {}
            }
        }
    }

    /// Tells which default a column does not get. MariaDB gives it to the column as MODIFY or
    /// CHANGE define it, where they move it and keep its name: type and nullability are the new
    /// ones, in whichever order the two stand (measured on 10.11 and 11.8; 9.7 finds no column).
    fn new_default(&mut self, alter: &Alteration<'_>, old: &Column, default: &Expr) {
        self.default_expression(&alter.after.table, &old.name, default);
        let moved = moved_column(alter, &old.name).filter(|_| self.is_mariadb());
        let Some(new) = moved else { return self.set_default(old, default) };
        let not_null = matches!(new.nullability, Some(Nullability::NotNull { .. }));
        let column = Column {
            data_type: new.data_type.clone(),
            not_null,
            generated: new.generated.clone().map(Box::new),
            ..old.clone()
        };
        self.set_default(&column, default);
    }

    fn refusals_of(&mut self, before: &Relation, alter: &Alteration<'_>, action: &MyAction) {
        match action {
            MyAction::ModifyColumn { column, if_exists, position } => {
                // MariaDB defines a column that the same statement adds.
                let added = self.is_mariadb() && alter.makes(column.name.as_str());
                if added || self.known_column(before, &column.name, "1054", *if_exists) {
                    self.position(before, alter, position);
                    self.redefinition(before, alter, &column.name, column);
                    self.written_keys(before, alter, column);
                }
            }
            MyAction::ChangeColumn { from, column, if_exists, position } => {
                if self.known_column(before, from, "1054", *if_exists) {
                    self.position(before, alter, position);
                    if !same(from.as_str(), column.name.as_str()) {
                        self.renames(before, alter, from, &column.name);
                    }
                    self.redefinition(before, alter, from, column);
                    self.written_keys(before, alter, column);
                }
            }
            MyAction::ColumnVisibility { column, .. } => {
                self.known_column(before, column, "1054", false);
            }
            MyAction::Option { name, value } => self.table_option(before, name, value),
            MyAction::ConvertTo { .. } => self.converted_keys(before, alter),
            MyAction::AddIndex { .. }
            | MyAction::DropIndex { .. }
            | MyAction::DropPrimaryKey { .. }
            | MyAction::DropForeignKey { .. }
            | MyAction::DropCheck { .. }
            | MyAction::AlterCheck { .. }
            | MyAction::RenameIndex { .. }
            | MyAction::IndexVisibility { .. } => self.refusals_of_keys(before, alter, action),
            MyAction::PartitionBy(by) => self.partition_keys(&alter.after.table, by),
            MyAction::RemovePartitioning if before.complete && before.partition_by.is_none() => {
                let detail = "the table is not partitioned".to_owned();
                self.told.fails("partition-bound", "1505", detail);
            }
            MyAction::DropSystemVersioning if by_system_time(before) => {
                let detail = "the table is partitioned BY SYSTEM_TIME".to_owned();
                self.told.fails("dependents-exist", "4131", detail);
            }
            MyAction::AddSystemVersioning if before.system_versioning => {
                let detail = format!("table '{}' is already system-versioned", before.name);
                self.told.fails("duplicate-object", "4135", detail);
            }
            MyAction::DropSystemVersioning if before.complete && !before.system_versioning => {
                let detail = format!("table '{}' is not system-versioned", before.name);
                self.told.fails("missing-object", "4124", detail);
            }
            MyAction::RemovePartitioning
            | MyAction::DropSystemVersioning
            | MyAction::AddSystemVersioning
            | MyAction::AddPeriod { .. }
            | MyAction::DropPeriod { .. }
            | MyAction::Force
            | MyAction::OrderBy
            | MyAction::Keys { .. }
            | MyAction::Tablespace { .. }
            | MyAction::Algorithm(_)
            | MyAction::Lock(_)
            | MyAction::Validation(_)
            | MyAction::Partition(_) => {}
        }
    }

    /// Tells what is refused about the keys that stand on a column.
    fn written_keys(&mut self, before: &Relation, alter: &Alteration<'_>, column: &ColumnDef) {
        for constraint in &column.constraints {
            let foreign = matches!(constraint.kind, ConstraintKind::ForeignKey(_));
            let read = self.mysql_since(9, 0, 0) || self.mariadb_since(10, 5);
            self.check_of_column(column.name.as_str(), constraint);
            if !foreign || read {
                self.added_key(before, alter, constraint);
            }
        }
    }

    /// MySQL: a CHECK that stands on a column is about this one alone.
    pub(super) fn check_of_column(&mut self, column: &str, constraint: &TableConstraint) {
        let ConstraintKind::Check(check) = &constraint.kind else { return };
        if !self.is_mariadb() && check.columns.iter().any(|word| !same(word, column)) {
            let detail = "a column check constraint references another column".to_owned();
            self.told.fails("type-mismatch", "3813", detail);
        }
    }

    fn known_column(
        &mut self,
        before: &Relation,
        column: &Ident,
        code: &'static str,
        if_exists: bool,
    ) -> bool {
        let there = before.column_any_case(column.as_str()).is_some();
        if there || !before.complete {
            return true;
        }
        if !if_exists {
            let detail = format!("unknown column '{column}' in '{}'", before.name);
            self.told.fails("missing-column", code, detail);
        }
        false
    }

    fn position(&mut self, before: &Relation, alter: &Alteration<'_>, position: &ColumnPosition) {
        let ColumnPosition::After(name) = position else { return };
        let behind_itself = |action: &MyAction| {
            matches!(action,
                MyAction::ModifyColumn { column, position: at, .. }
                | MyAction::ChangeColumn { column, position: at, .. }
                if same(column.name.as_str(), name.as_str()) && at == position)
        };
        let itself = alter.actions.iter().any(
            |action| matches!(&action.kind, ActionKind::Mysql(action) if behind_itself(action)),
        );
        if itself {
            let detail = format!("unknown column '{name}': a column is not behind itself");
            return self.told.fails("missing-column", "1054", detail);
        }
        let added = alter.makes(name.as_str());
        if !added && alter.drops_or_renames(name.as_str()) {
            let detail = format!("unknown column '{name}': another action takes it away");
            self.told.fails("missing-column", "1054", detail);
        } else if !added {
            self.known_column(before, name, "1054", false);
        }
    }

    fn drop_column(
        &mut self,
        before: &Relation,
        alter: &Alteration<'_>,
        column: &Ident,
        if_exists: bool,
    ) {
        if before.complete && before.column_any_case(column.as_str()).is_none() {
            if !if_exists {
                let detail = format!("can't DROP '{column}': check that it exists");
                self.told.fails("missing-column", "1091", detail);
            }
            return;
        }
        let name = column.as_str();
        self.keeps_column(before, alter, name);
        for other in &before.columns {
            let uses = other.generated.as_ref().is_some_and(|generated| {
                generated.expr.columns.iter().any(|word| same(word, name))
            });
            if uses && !alter.drops(&other.name) {
                let code = self.code("1054", "3108");
                let detail = format!("column '{name}' has a generated column dependency");
                self.told.fails("column-in-use", code, detail);
            }
        }
        self.functional_index(before, alter, name);
        self.partition_column(before, name, "1072", true);
        self.check_column(before, alter, name);
        self.default_column(before, alter, name);
    }

    fn renames(&mut self, before: &Relation, alter: &Alteration<'_>, from: &Ident, to: &Ident) {
        let taken = before.column_any_case(to.as_str()).is_some()
            && !same(from.as_str(), to.as_str())
            && !alter.drops_or_renames(to.as_str());
        if taken {
            let detail = format!("duplicate column name '{to}'");
            self.told.fails("duplicate-object", "1060", detail);
        }
        // MariaDB writes the expressions anew.
        if self.is_mariadb() || from.as_str() == to.as_str() {
            return;
        }
        self.partition_column(before, from.as_str(), "1072", false);
        self.functional_index(before, alter, from.as_str());
        if same(from.as_str(), to.as_str()) {
            return;
        }
        let name = from.as_str();
        let generated = before.columns.iter().any(|other| {
            other
                .generated
                .as_ref()
                .is_some_and(|found| found.expr.columns.iter().any(|word| same(word, name)))
        });
        if generated {
            let detail = format!("column '{name}' has a generated column dependency");
            self.told.fails("column-in-use", "3108", detail);
        }
        let checked = before.constraints.iter().any(|constraint| {
            matches!(&constraint.kind, Demand::Check(check)
                if check.columns.iter().any(|word| same(word, name)))
                && !alter.drops_constraint(&constraint.name)
        });
        if checked {
            let detail = format!("a check constraint uses column '{name}'");
            self.told.fails("column-in-use", "3959", detail);
        }
    }

    fn redefinition(
        &mut self,
        before: &Relation,
        alter: &Alteration<'_>,
        from: &Ident,
        definition: &ColumnDef,
    ) {
        self.column_definition(before, definition);
        self.expressions_of(&alter.after.table, definition);
        let Some(old) = before.column_any_case(from.as_str()) else { return };
        self.generated_status(old, definition);
        let primary = before
            .indexes
            .iter()
            .any(|index| index.primary && index.key_columns().iter().any(|c| same(c, &old.name)));
        if primary && definition.nullability == Some(Nullability::Null) && !self.is_mariadb() {
            let detail = "all parts of a PRIMARY KEY must be NOT NULL".to_owned();
            self.told.fails("nulls-present", "1171", detail);
        }
        self.partition_type(before, &old.name, definition);
        let new = super::values::resolved(self.schema(), before, definition);
        let types = old.data_type.as_ref().zip(new.as_ref());
        let server = self.schema().server.kind;
        let changes = |(left, right)| match type_change(server, left, right, false) {
            // MariaDB refuses a longer or recollated column of a foreign key too.
            TypeChange::Copy(_) | TypeChange::Longer | TypeChange::Collation => true,
            TypeChange::None | TypeChange::Members => false,
        };
        if types.is_some_and(changes) {
            self.refused_type_change(before, alter, &old.name);
        }
        let not_null = matches!(definition.nullability, Some(Nullability::NotNull { .. }));
        let set_null = before.constraints.iter().any(|constraint| {
            matches!(&constraint.kind, Demand::ForeignKey { columns, on_delete, on_update, .. }
                if columns.iter().any(|c| same(c, &old.name))
                    && [on_delete, on_update].contains(&&ReferentialAction::SetNull))
        });
        if not_null && !old.not_null && set_null {
            let detail = format!("column '{}' cannot be NOT NULL: SET NULL", old.name);
            self.told.fails("foreign-key-unsupported", "1830", detail);
        }
    }

    fn generated_status(&mut self, old: &Column, definition: &ColumnDef) {
        use super::definition::{is_stored, is_virtual};
        let stored = |generated: Option<&crate::sql::ast::Generated>| {
            generated.map(|found| found.storage == crate::sql::ast::GeneratedStorage::Stored)
        };
        let new = stored(definition.generated.as_ref());
        let refused =
            (is_virtual(old) && new != Some(false)) || (!is_virtual(old) && new == Some(false));
        let _ = is_stored(old);
        if refused {
            let code = self.code("1907", "3106");
            let detail = "changing whether a generated column is stored is not supported";
            self.told.fails("type-mismatch", code, detail.to_owned());
        }
    }

    /// A name has an end that is no blank.
    pub(super) fn column_name(&mut self, name: &str) {
        if name.ends_with(' ') || name.is_empty() || name.chars().count() > 64 {
            self.told.fails("syntax", "1166", format!("incorrect column name '{name}'"));
        }
    }

    /// Tells of lengths that no row has room for. Where it is not strict the server makes a TEXT or
    /// BLOB of a VARCHAR or VARBINARY that is too long (measured on 10.11, 11.8 and 9.7).
    fn too_long(&mut self, column: &ColumnDef, data_type: &DataType, width: u64) {
        let varying = matches!(data_type.name.as_str(), "varchar" | "varbinary");
        let limit = 65_535 / width;
        if varying && self.is_strict() && data_type.number(0).is_some_and(|length| length > limit) {
            let detail =
                format!("column length too big for column '{}' (max = {limit})", column.name);
            self.told.fails("values-do-not-fit", "1074", detail);
        }
    }

    /// Members are told apart without regard to case and blanks at their end; a comma parts those
    /// of a SET.
    fn members(&mut self, column: &ColumnDef, data_type: &DataType) {
        if !matches!(data_type.name.as_str(), "enum" | "set") {
            return;
        }
        let binary = data_type.binary
            || data_type.collation.as_ref().is_some_and(|name| name.ends_with("_bin"));
        let equal = |a: &str, b: &str| if binary { a == b } else { same(a, b) };
        let all = &data_type.args;
        let twice = all.iter().enumerate().find(|(at, member)| {
            all.iter().take(*at).any(|other| equal(other.trim_end(), member.trim_end()))
        });
        if let Some((_, member)) = twice.filter(|_| self.is_strict()) {
            let detail = format!("column '{}' has duplicated value '{member}'", column.name);
            self.told.fails("duplicate-parts", "1291", detail);
        }
        if all.len() > if data_type.name == "set" { 64 } else { 65_535 } {
            let detail = format!("too many strings for column '{}'", column.name);
            self.told.fails("values-do-not-fit", "1097", detail);
        }
        let parted = all.iter().find(|member| member.contains(','));
        if let Some(member) = parted.filter(|_| data_type.name == "set") {
            let detail = format!("illegal set '{member}' value found during parsing");
            self.told.fails("type-mismatch", "1367", detail);
        }
    }

    /// The default of the server stands in for that of the database, which is not known: latin1 of
    /// MariaDB before 11.6, where most have utf8mb4.
    pub(super) fn charset_is_assumed(&self, table: &Relation, data_type: &DataType) -> bool {
        let server = self.schema().server;
        let of_table = ["charset", "collate"].iter().any(|name| table.options.contains_key(*name));
        let default = Charset::of_server(server);
        !of_table
            && data_type.charset.as_ref().is_none_or(|name| *name == default.name)
            && has_charset(&data_type.name)
            && max_bytes(&default.name) < 4
    }

    /// Tells what no column may be defined as.
    pub(super) fn column_definition(&mut self, table: &Relation, column: &ColumnDef) {
        self.column_name(column.name.as_str());
        if column.comment.as_ref().is_some_and(|text| text.chars().count() > 1024) {
            let detail = format!("comment for field '{}' is too long (max = 1024)", column.name);
            self.told.fails("values-do-not-fit", "1629", detail);
        }
        let Some(data_type) = &column.data_type else { return };
        let default = Charset::of_table(self.schema().server, table);
        let charset = Charset::of_type(self.schema().server, data_type, &default);
        let width = charset.as_ref().map_or(1, |found| max_bytes(&found.name));
        self.too_long(column, data_type, width);
        if self.charset_is_assumed(table, data_type) && data_type.name == "varchar" {
            let limit = 65_535 / 4;
            let long = data_type.number(0).is_some_and(|l| l > limit && l <= 65_535 / width);
            if long && self.is_strict() {
                let name = &column.name;
                let detail = format!("utf8mb4 makes column '{name}' too long (max = {limit})");
                self.told.may_fail("values-do-not-fit", "1074", detail);
            }
        }
        let written = column.default.is_some() || column.generated.is_some();
        let not_null = matches!(column.nullability, Some(Nullability::NotNull { .. }));
        let of_system = column.options.iter().any(|(option, _)| option.starts_with("row "));
        let bare = not_null && !written && !column.auto_increment && !of_system;
        if column.invisible && bare && self.is_mariadb() {
            let detail = format!("invisible column '{}' must have a default", column.name);
            self.told.fails("type-mismatch", "4108", detail);
        }
        self.members(column, data_type);
        if let Some(default) = &column.default {
            self.default_value(column.name.as_str(), Some(data_type), default);
        }
        if let Some(generated) = &column.generated {
            let missing = generated.expr.columns.iter().find(|word| {
                table.complete
                    && table.column_any_case(word).is_none()
                    && !same(word, column.name.as_str())
            });
            if let Some(word) = missing {
                let detail = format!("unknown column '{word}' in 'GENERATED ALWAYS AS'");
                self.told.may_fail("missing-column", "1054", detail);
            }
        }
    }

    /// The columns of a foreign key keep their character set.
    fn converted_keys(&mut self, before: &Relation, alter: &Alteration<'_>) {
        let after = &alter.after;
        for (new, origin) in after.table.columns.iter().zip(&after.origins) {
            let old = origin.and_then(|at| before.columns.get(at));
            let sets =
                |column: &Column| column.data_type.as_ref().and_then(|found| found.charset.clone());
            if old.is_some_and(|old| sets(old) != sets(new)) {
                self.refused_type_change(before, alter, &new.name);
            }
        }
    }
}

/// Returns the definition by which MODIFY or CHANGE move a column that keeps its name.
pub(super) fn moved_column<'a>(alter: &'a Alteration<'_>, name: &str) -> Option<&'a ColumnDef> {
    alter.actions.iter().find_map(|action| {
        let (from, column, position) = if let ActionKind::Mysql(MyAction::ModifyColumn {
            column,
            position,
            ..
        }) = &action.kind
        {
            (&column.name, column, position)
        } else if let ActionKind::Mysql(MyAction::ChangeColumn { from, column, position, .. }) =
            &action.kind
        {
            (from, column, position)
        } else {
            return None;
        };
        let moves = *position != ColumnPosition::Unchanged;
        let keeps = same(from.as_str(), name) && same(column.name.as_str(), name);
        (moves && keeps).then_some(column.as_ref())
    })
}

/// Says whether history is kept in partitions of its own (MariaDB).
fn by_system_time(table: &Relation) -> bool {
    table.partition_by.as_ref().is_some_and(|by| by.strategy.starts_with("system"))
}

pub(super) fn row_bytes(column: &Column) -> u64 {
    let Some(data_type) = &column.data_type else { return 0 };
    let width = data_type.charset.as_deref().map_or(1, max_bytes);
    let length = data_type.number(0).unwrap_or(1) * width;
    match data_type.name.as_str() {
        "varchar" | "varbinary" => length + if length > 255 { 2 } else { 1 },
        "char" | "binary" => length,
        "bigint" | "double" | "datetime" => 8,
        "int" | "float" | "timestamp" => 4,
        name if has_charset(name) || name.ends_with("blob") => 10,
        _ => 4,
    }
}

/// Says whether a type holds geometries.
pub(super) fn is_geometry(name: &str) -> bool {
    matches!(
        name,
        "geometry"
            | "point"
            | "linestring"
            | "polygon"
            | "multipoint"
            | "multilinestring"
            | "multipolygon"
            | "geometrycollection"
    )
}

/// The character sets of both servers (SHOW CHARACTER SET).
pub(super) const CHARSETS: &[&str] = &[
    "armscii8", "ascii", "big5", "binary", "cp1250", "cp1251", "cp1256", "cp1257", "cp850",
    "cp852", "cp866", "cp932", "dec8", "eucjpms", "euckr", "gb18030", "gb2312", "gbk", "geostd8",
    "greek", "hebrew", "hp8", "keybcs2", "koi8r", "koi8u", "latin1", "latin2", "latin5", "latin7",
    "macce", "macroman", "sjis", "swe7", "tis620", "ucs2", "ujis", "utf16", "utf16le", "utf32",
    "utf8", "utf8mb3", "utf8mb4",
];
