//! What is refused about the columns of a key.
//!
//! MySQL manual, InnoDB Limits, CREATE INDEX; MariaDB the same where nothing else is said; measured
//! on MariaDB 10.11, 11.8 and MySQL 9.7, testdata/servers.

use super::refuse::is_geometry;
use super::refuse_key::partition_columns;
use super::{Scene, same};
use crate::schema::{Column, Relation, max_bytes};
use crate::sql::ast::{
    ActionKind, AlterTable, DataType, IndexKind, Key, KeyPart, MyAction, Nullability,
};

/// InnoDB keys have at most this many bytes with the row formats DYNAMIC and COMPRESSED.
const KEY_BYTES: u64 = 3072;

impl Scene<'_> {
    /// Tells what is wrong with the columns of a key.
    pub(super) fn key_parts(
        &mut self,
        before: &Relation,
        alter: &AlterTable,
        parts: &[KeyPart],
        kind: IndexKind,
    ) {
        let after = crate::schema::altered(self.schema(), before, alter).table;
        self.key_parts_of(&after, parts, kind);
    }

    /// Tells what is wrong with the columns of a key of a finished table.
    pub(super) fn key_parts_of(&mut self, table: &Relation, parts: &[KeyPart], kind: IndexKind) {
        if !self.is_mariadb() && parts.len() > 16 {
            let detail = "too many key parts specified: at most 16".to_owned();
            self.told.fails("key-too-long", "1070", detail);
        }
        if kind == IndexKind::Vector && parts.len() > 1 {
            let detail = "a VECTOR index is over one column".to_owned();
            self.told.fails("syntax", "1064", detail);
            self.does_not_commit();
        }
        let mut total = 0;
        for (at, part) in parts.iter().enumerate() {
            let Key::Column(name) = &part.key else { continue };
            let Some(column) = table.column_any_case(name.as_str()) else {
                if table.complete {
                    let detail = format!("key column '{name}' doesn't exist in table");
                    self.told.fails("missing-column", "1072", detail);
                }
                continue;
            };
            let again = parts.iter().take(at).any(|earlier| {
                earlier.key.column().is_some_and(|found| same(found, name.as_str()))
            });
            if again {
                let detail = format!("duplicate column name '{name}'");
                self.told.fails("duplicate-parts", "1060", detail);
            }
            total += self.key_part(table, column, part, kind);
        }
        let in_order = matches!(kind, IndexKind::Plain | IndexKind::Unique);
        if total > KEY_BYTES && in_order && parts.len() > 1 && super::is_innodb(table) {
            let detail = format!("specified key was too long: {total} of at most 3072 bytes");
            self.told.fails("key-too-long", "1071", detail);
        }
    }

    /// Tells what is wrong with one column of a key, and returns its bytes.
    fn key_part(
        &mut self,
        table: &Relation,
        column: &Column,
        part: &KeyPart,
        kind: IndexKind,
    ) -> u64 {
        let Some(data_type) = &column.data_type else { return 0 };
        let name = data_type.name.as_str();
        match kind {
            IndexKind::Fulltext => {
                let text = name.ends_with("text") || matches!(name, "char" | "varchar");
                if !text {
                    let detail =
                        format!("column '{}' cannot be part of FULLTEXT index", column.name);
                    self.told.fails("type-mismatch", "1283", detail);
                }
                return 0;
            }
            IndexKind::Spatial => {
                if !is_geometry(name) {
                    let code = self.code("1210", "1687");
                    let detail = "a SPATIAL index may only contain a geometrical column".to_owned();
                    self.told.fails("type-mismatch", code, detail);
                } else if !column.not_null {
                    let detail = "all parts of a SPATIAL index must be NOT NULL".to_owned();
                    self.told.fails("nulls-present", "1252", detail);
                }
                return 0;
            }
            IndexKind::Vector => {
                self.vector_part(table, column, name);
                return 0;
            }
            IndexKind::Plain | IndexKind::Unique => {}
        }
        if name == "vector" && !self.is_mariadb() {
            let detail = format!("non-scalar column '{}' cannot be used as key", column.name);
            self.told.fails("type-mismatch", "6134", detail);
            return 0;
        }
        self.ordered_part(table, column, data_type, part)
    }

    /// MariaDB cuts other keys to what fits, but not the one that tells rows apart (measured on
    /// 10.11 and 11.8).
    pub(super) fn long_primary_key(&mut self, table: &Relation, parts: &[KeyPart]) {
        let mariadb = self.is_mariadb();
        for part in parts.iter().filter(|part| mariadb && part.prefix.is_none()) {
            let column = part.key.column().and_then(|name| table.column_any_case(name));
            let Some(data_type) = column.and_then(|found| found.data_type.as_ref()) else {
                continue;
            };
            let name = data_type.name.as_str();
            let width = data_type.charset.as_deref().map_or(1, max_bytes);
            let sized = name.contains("char") || name.contains("binary");
            if name.ends_with("text") || name.ends_with("blob") {
                let detail = "a BLOB or TEXT column is in a key without a length".to_owned();
                self.told.fails("blob-key-without-length", "1170", detail);
            } else if sized && data_type.number(0).unwrap_or(1) * width > KEY_BYTES {
                let detail = format!("specified key was too long: at most {KEY_BYTES} bytes");
                self.told.fails("key-too-long", "1071", detail);
            }
        }
    }

    /// A VECTOR index is over one vector that is always there, and a table has one such index
    /// (MariaDB 11.8, measured).
    fn vector_part(&mut self, table: &Relation, column: &Column, name: &str) {
        let several = table.indexes.iter().filter(|i| i.kind == IndexKind::Vector).count() > 1;
        if name != "vector" {
            let detail = "incorrect arguments to VECTOR INDEX".to_owned();
            self.told.fails("type-mismatch", "1210", detail);
        } else if !column.not_null {
            let detail = "all parts of a VECTOR index must be NOT NULL".to_owned();
            self.told.fails("nulls-present", "1252", detail);
        } else if several {
            let detail = "a table has one VECTOR index at most".to_owned();
            self.told.fails("no-such-database-feature", "1235", detail);
        }
    }

    fn ordered_part(
        &mut self,
        table: &Relation,
        column: &Column,
        data_type: &DataType,
        part: &KeyPart,
    ) -> u64 {
        let name = data_type.name.as_str();
        let long = name.ends_with("text") || name.ends_with("blob");
        let width = data_type.charset.as_deref().map_or(1, max_bytes);
        let text = long || matches!(name, "char" | "varchar" | "binary" | "varbinary");
        let length = data_type.number(0).unwrap_or(1);
        if let Some(prefix) = part.prefix {
            let too_much = text && !long && u64::from(prefix) > length;
            if too_much || (!text && !is_geometry(name)) {
                let detail = "incorrect prefix key: longer than the column, or no text".to_owned();
                self.told.fails("unique-on-expression", "1089", detail);
                return 0;
            }
        }
        if name == "json" && !self.is_mariadb() {
            let detail = format!("JSON column '{}' cannot be indexed directly", column.name);
            self.told.fails("type-mismatch", "3152", detail);
            return 0;
        }
        if long && part.prefix.is_none() {
            if !self.is_mariadb() {
                let detail =
                    format!("BLOB/TEXT column '{}' used in a key without a length", column.name);
                self.told.fails("blob-key-without-length", "1170", detail);
            }
            // MariaDB cuts the key to what fits, and says so in a note.
            return 0;
        }
        let bytes = match part.prefix {
            Some(prefix) => u64::from(prefix) * width,
            None if text => length * width,
            None => 8,
        };
        let limit = if super::option(table, "row_format")
            .is_some_and(|format| same(format, "compact") || same(format, "redundant"))
        {
            767
        } else {
            KEY_BYTES
        };
        if bytes > limit && super::is_innodb(table) {
            if !self.is_mariadb() {
                let detail =
                    format!("specified key was too long: {bytes} of at most {limit} bytes");
                self.told.fails("key-too-long", "1071", detail);
            }
            return 0;
        }
        bytes
    }

    /// MySQL refuses a primary key over a column that the same statement says is NULL.
    pub(super) fn nullable_parts(&mut self, alter: &AlterTable, parts: &[KeyPart]) {
        let null = |name: &str| {
            alter.actions.iter().any(|action| {
                matches!(&action.kind, ActionKind::Mysql(
                    MyAction::ModifyColumn { column, .. } | MyAction::ChangeColumn { column, .. })
                    if same(column.name.as_str(), name)
                        && column.nullability == Some(Nullability::Null))
            })
        };
        if !self.is_mariadb() && parts.iter().filter_map(|part| part.key.column()).any(null) {
            let detail = "all parts of a PRIMARY KEY must be NOT NULL".to_owned();
            self.told.fails("nulls-present", "1171", detail);
        }
    }

    /// A unique key of a partitioned table has to hold all columns it is partitioned by.
    pub(super) fn unique_in_partitions(&mut self, before: &Relation, parts: &[KeyPart]) {
        let Some(by) = &before.partition_by else { return };
        let missing = partition_columns(by).into_iter().any(|column| {
            !parts.iter().any(|part| part.key.column().is_some_and(|found| same(found, &column)))
        });
        if missing {
            let detail =
                "a UNIQUE INDEX must include all columns in the table's partitioning function";
            self.told.fails("partition-bound", "1503", detail.to_owned());
        }
    }
}
