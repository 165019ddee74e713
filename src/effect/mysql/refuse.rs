//! What ALTER TABLE refuses whatever the rows are: columns, defaults, options.
//!
//! MySQL manual, ALTER TABLE, Server Error Message Reference; MariaDB manual, Error Codes; measured
//! on MariaDB 10.11, 11.8 and MySQL 9.7, testdata/servers.

use super::types::{TypeChange, type_change};
use super::{Scene, same};
use crate::schema::{Charset, Column, Demand, Relation, has_charset, max_bytes};
use crate::sql::Ident;
use crate::sql::ast::{
    ActionKind, AlterTable, ColumnDef, ColumnPosition, ConstraintKind, DataType, ExprShape,
    MyAction, Nullability, ReferentialAction,
};

impl Scene<'_> {
    /// Tells which names of the statement mean nothing in the table, or something else.
    pub(super) fn refusals(&mut self, before: &Relation, alter: &AlterTable) {
        for action in &alter.actions {
            self.told.span = action.span;
            match &action.kind {
                ActionKind::AddColumn { column, if_not_exists, position } => {
                    let there = before.column_any_case(column.name.as_str()).is_some();
                    let dropped = drops_or_renames(alter, column.name.as_str());
                    if there && !dropped {
                        if !if_not_exists {
                            let detail = format!("duplicate column name '{}'", column.name);
                            self.told.fails("duplicate-object", "1060", detail);
                        }
                        continue;
                    }
                    self.position(before, alter, position);
                    self.column_definition(before, column);
                    self.written_keys(before, alter, column);
                }
                ActionKind::DropColumn { column, if_exists, .. } => {
                    self.drop_column(before, alter, column, *if_exists);
                }
                ActionKind::RenameColumn { from, to, if_exists } => {
                    if self.known_column(before, from, "1054", *if_exists) {
                        self.renames(before, alter, from, to);
                    }
                }
                ActionKind::SetDefault { column, default } => {
                    if self.known_column(before, column, "1054", false) {
                        let old = before.column_any_case(column.as_str());
                        let data_type = old.and_then(|found| found.data_type.as_ref());
                        self.set_default(column.as_str(), data_type, default);
                    }
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

    fn refusals_of(&mut self, before: &Relation, alter: &AlterTable, action: &MyAction) {
        match action {
            MyAction::ModifyColumn { column, if_exists, position } => {
                // MariaDB defines a column that the same statement adds.
                let added =
                    self.is_mariadb() && super::refuse_key::makes(alter, column.name.as_str());
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
            MyAction::ConvertTo { charset, collation } => {
                self.charset(charset.as_deref(), collation.as_deref());
            }
            MyAction::AddIndex { .. }
            | MyAction::DropIndex { .. }
            | MyAction::DropPrimaryKey { .. }
            | MyAction::DropForeignKey { .. }
            | MyAction::DropCheck { .. }
            | MyAction::AlterCheck { .. }
            | MyAction::RenameIndex { .. }
            | MyAction::IndexVisibility { .. } => self.refusals_of_keys(before, alter, action),
            MyAction::PartitionBy(by) => self.partition_keys(before, by),
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
    fn written_keys(&mut self, before: &Relation, alter: &AlterTable, column: &ColumnDef) {
        for constraint in &column.constraints {
            let foreign = matches!(constraint.kind, ConstraintKind::ForeignKey(_));
            let read = self.mysql_since(9, 0, 0) || self.mariadb_since(10, 5);
            if !foreign || read {
                self.added_key(before, alter, constraint);
            }
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

    fn position(&mut self, before: &Relation, alter: &AlterTable, position: &ColumnPosition) {
        let ColumnPosition::After(name) = position else { return };
        let behind_itself = |action: &MyAction| {
            matches!(action, MyAction::ModifyColumn { column, position: at, .. }
                if same(column.name.as_str(), name.as_str()) && at == position)
        };
        let itself = alter.actions.iter().any(
            |action| matches!(&action.kind, ActionKind::Mysql(action) if behind_itself(action)),
        );
        if itself {
            let detail = format!("unknown column '{name}': a column is not behind itself");
            return self.told.fails("missing-column", "1054", detail);
        }
        let added = alter.actions.iter().any(|action| match &action.kind {
            ActionKind::AddColumn { column, .. } => same(column.name.as_str(), name.as_str()),
            ActionKind::RenameColumn { to, .. } => same(to.as_str(), name.as_str()),
            ActionKind::Mysql(MyAction::ChangeColumn { column, .. }) => {
                same(column.name.as_str(), name.as_str())
            }
            ActionKind::Mysql(_)
            | ActionKind::Postgres(_)
            | ActionKind::DropColumn { .. }
            | ActionKind::RenameTo(_)
            | ActionKind::SetDefault { .. }
            | ActionKind::DropDefault { .. }
            | ActionKind::SetNotNull { .. }
            | ActionKind::DropNotNull { .. }
            | ActionKind::AddConstraint(_)
            | ActionKind::DropConstraint { .. } => false,
        });
        if !added && drops_or_renames(alter, name.as_str()) {
            let detail = format!("unknown column '{name}': another action takes it away");
            self.told.fails("missing-column", "1054", detail);
        } else if !added {
            self.known_column(before, name, "1054", false);
        }
    }

    fn drop_column(
        &mut self,
        before: &Relation,
        alter: &AlterTable,
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
            if uses && !drops(alter, &other.name) {
                let code = self.code("1054", "3108");
                let detail = format!("column '{name}' has a generated column dependency");
                self.told.fails("column-in-use", code, detail);
            }
        }
        self.partition_column(before, name, "1072", true);
        self.check_column(before, alter, name);
        self.default_column(before, alter, name);
    }

    /// Foreign keys keep the columns they are over, on both sides.
    fn keeps_column(&mut self, before: &Relation, alter: &AlterTable, name: &str) {
        for constraint in &before.constraints {
            let Demand::ForeignKey { columns, .. } = &constraint.kind else { continue };
            let over = columns.iter().any(|found| same(found, name));
            if over && !drops_constraint(alter, &constraint.name) {
                let mariadb = if self.foreign_key_checks() { "1553" } else { "1828" };
                let code = self.code(mariadb, "1828");
                let detail = format!("column '{name}' is needed in '{}'", constraint.name);
                self.told.fails("foreign-key-references", code, detail);
            }
        }
        let schema = self.schema();
        for (child, constraint) in schema.foreign_keys_to(&before.name) {
            let Demand::ForeignKey { parent_columns, .. } = &constraint.kind else { continue };
            let over = parent_columns.iter().any(|found| same(found, name));
            if over && child.name != before.name {
                let detail = format!("column '{name}' is needed in a key of '{}'", child.name);
                self.told.fails("foreign-key-references", "1829", detail);
            }
        }
    }

    fn partition_column(
        &mut self,
        before: &Relation,
        name: &str,
        mariadb: &'static str,
        drops: bool,
    ) {
        let used = before.partition_by.iter().flat_map(|by| &by.keys).any(|part| match &part.key {
            crate::sql::ast::Key::Column(column) => same(column.as_str(), name),
            crate::sql::ast::Key::Expr(expr) => expr.columns.iter().any(|c| same(c, name)),
        });
        if used && (drops || !self.is_mariadb()) {
            let code = self.code(mariadb, "3855");
            let detail = format!("column '{name}' has a partitioning function dependency");
            self.told.fails("column-in-use", code, detail);
        }
    }

    /// A CHECK over this column alone goes with it; one over others too is in the way.
    fn check_column(&mut self, before: &Relation, alter: &AlterTable, name: &str) {
        for constraint in &before.constraints {
            let Demand::Check(check) = &constraint.kind else { continue };
            let uses = check.columns.iter().any(|word| same(word, name));
            let others = check
                .columns
                .iter()
                .any(|word| !same(word, name) && before.column_any_case(word).is_some());
            if uses && others && !drops_constraint(alter, &constraint.name) {
                let code = self.code("1054", "3959");
                let detail = format!("check constraint '{}' uses column '{name}'", constraint.name);
                self.told.fails("column-in-use", code, detail);
            }
        }
    }

    fn default_column(&mut self, before: &Relation, alter: &AlterTable, name: &str) {
        for other in before.columns.iter().filter(|other| !same(&other.name, name)) {
            let uses = other.default.as_ref().is_some_and(|default| {
                default.shape == ExprShape::Other && default.columns.iter().any(|c| same(c, name))
            });
            if uses && !drops(alter, &other.name) {
                let code = self.code("1054", "3774");
                let detail = format!("column '{name}' has a default value expression dependency");
                self.told.fails("column-in-use", code, detail);
            }
        }
    }

    fn renames(&mut self, before: &Relation, alter: &AlterTable, from: &Ident, to: &Ident) {
        let taken = before.column_any_case(to.as_str()).is_some()
            && !same(from.as_str(), to.as_str())
            && !drops_or_renames(alter, to.as_str());
        if taken {
            let detail = format!("duplicate column name '{to}'");
            self.told.fails("duplicate-object", "1060", detail);
        }
        // MariaDB writes the expressions anew.
        if self.is_mariadb() || same(from.as_str(), to.as_str()) {
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
                && !drops_constraint(alter, &constraint.name)
        });
        if checked {
            let detail = format!("a check constraint uses column '{name}'");
            self.told.fails("column-in-use", "3959", detail);
        }
        self.partition_column(before, name, "1072", false);
    }

    fn redefinition(
        &mut self,
        before: &Relation,
        alter: &AlterTable,
        from: &Ident,
        definition: &ColumnDef,
    ) {
        self.column_definition(before, definition);
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
        let new = super::values::resolved(self.schema(), before, definition);
        let types = old.data_type.as_ref().zip(new.as_ref());
        let server = self.schema().server.kind;
        let refused = |change: TypeChange| match change {
            TypeChange::Copy(_) => true,
            // MariaDB refuses a longer or recollated column of a foreign key too.
            TypeChange::Longer | TypeChange::Collation => self.is_mariadb(),
            TypeChange::None | TypeChange::Members => false,
        };
        if let Some((left, right)) = types
            && refused(type_change(server, left, right, false))
            && (self.is_mariadb() || !same_family_longer(left, right))
        {
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

    /// A name ends without a blank (1166) and has 64 characters at most (1059).
    fn column_name(&mut self, name: &str) {
        if name.ends_with(' ') {
            self.told.fails("syntax", "1166", format!("incorrect column name '{name}'"));
        } else if name.chars().count() > 64 {
            self.told.fails("syntax", "1059", format!("identifier name '{name}' is too long"));
            self.does_not_commit();
        }
    }

    /// Tells of lengths that a type does not have. Where it is not strict the server makes a TEXT
    /// or BLOB of a VARCHAR or VARBINARY that is too long (measured on 10.11, 11.8 and 9.7).
    fn too_long(&mut self, column: &ColumnDef, data_type: &DataType, width: u64) {
        let length = data_type.number(0);
        let (limit, code) = match data_type.name.as_str() {
            "varchar" | "varbinary" if self.is_strict() => (65_535 / width, "1074"),
            "char" | "binary" => (255, "1074"),
            "vector" => (16_383, self.code("1074", "6137")),
            _ => return,
        };
        let detail = format!("column length too big for column '{}' (max = {limit})", column.name);
        if length.is_some_and(|length| length > limit) {
            self.told.fails("values-do-not-fit", code, detail);
            if !data_type.name.starts_with("var") {
                self.does_not_commit();
            }
        } else if data_type.name == "vector" && length == Some(0) && self.is_mariadb() {
            self.told.fails("values-do-not-fit", "1063", detail);
            self.does_not_commit();
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
        let parted = all.iter().find(|member| member.contains(','));
        if let Some(member) = parted.filter(|_| data_type.name == "set") {
            let detail = format!("illegal set '{member}' value found during parsing");
            self.told.fails("type-mismatch", "1367", detail);
        }
    }

    /// Tells what no column may be defined as.
    pub(super) fn column_definition(&mut self, table: &Relation, column: &ColumnDef) {
        self.column_name(column.name.as_str());
        let Some(data_type) = &column.data_type else { return };
        self.charset(data_type.charset.as_deref(), data_type.collation.as_deref());
        let default = Charset::of_table(self.schema().server, table);
        let charset = Charset::of_type(self.schema().server, data_type, &default);
        let width = charset.as_ref().map_or(1, |found| max_bytes(&found.name));
        self.too_long(column, data_type, width);
        self.members(column, data_type);
        if let Some(default) = &column.default {
            let not_null = matches!(column.nullability, Some(Nullability::NotNull { .. }));
            if not_null && default.shape == ExprShape::Null {
                let detail = format!("invalid default value for '{}'", column.name);
                self.told.fails("type-mismatch", "1067", detail);
                self.does_not_commit();
            }
            self.default_value(column.name.as_str(), Some(data_type), default);
            if self.is_long_literal(data_type, default) {
                self.does_not_commit();
            }
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

    fn table_option(&mut self, before: &Relation, name: &str, value: &str) {
        match name {
            "engine" => {
                self.known_engine(value);
                self.engine_with_keys(before, value);
            }
            "charset" => self.charset(Some(value), None),
            _ => {}
        }
    }
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

/// Says whether only the length of a text or binary column grows.
pub(super) fn same_family_longer(old: &DataType, new: &DataType) -> bool {
    old.name == new.name
        && old.charset == new.charset
        && matches!(old.name.as_str(), "varchar" | "varbinary")
        && new.number(0) >= old.number(0)
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

pub(super) fn drops(alter: &AlterTable, name: &str) -> bool {
    alter.actions.iter().any(|action| {
        matches!(&action.kind, ActionKind::DropColumn { column, .. } if same(column.as_str(), name))
    })
}

pub(super) fn drops_or_renames(alter: &AlterTable, name: &str) -> bool {
    drops(alter, name)
        || alter.actions.iter().any(|action| {
            matches!(&action.kind,
                ActionKind::RenameColumn { from, .. }
                | ActionKind::Mysql(MyAction::ChangeColumn { from, .. })
                    if same(from.as_str(), name))
        })
}

pub(super) fn drops_constraint(alter: &AlterTable, name: &str) -> bool {
    alter.actions.iter().any(|action| {
        matches!(&action.kind,
            ActionKind::DropConstraint { name: gone, .. }
            | ActionKind::Mysql(
                MyAction::DropForeignKey { name: gone, .. } | MyAction::DropCheck { name: gone },
            ) if same(gone.as_str(), name))
    })
}

/// The character sets of both servers (SHOW CHARACTER SET).
pub(super) const CHARSETS: &[&str] = &[
    "armscii8", "ascii", "big5", "binary", "cp1250", "cp1251", "cp1256", "cp1257", "cp850",
    "cp852", "cp866", "cp932", "dec8", "eucjpms", "euckr", "gb18030", "gb2312", "gbk", "geostd8",
    "greek", "hebrew", "hp8", "keybcs2", "koi8r", "koi8u", "latin1", "latin2", "latin5", "latin7",
    "macce", "macroman", "sjis", "swe7", "tis620", "ucs2", "ujis", "utf16", "utf16le", "utf32",
    "utf8", "utf8mb3", "utf8mb4",
];
