//! What is refused about the columns of a key.
//!
//! MySQL manual, InnoDB Limits, CREATE INDEX; MariaDB the same where nothing else is said; measured
//! on MariaDB 10.11, 11.8 and MySQL 9.7, testdata/servers.

use super::alteration::Alteration;
use super::refuse::is_geometry;
use super::refuse_expr::Place;
use super::refuse_key::partition_columns;
use super::refuse_period::is_period;
use super::{Scene, same};
use crate::schema::{Column, Relation, max_bytes};
use crate::sql::ast::{
    ActionKind, DataType, Expr, ExprShape, IndexDef, IndexKind, Key, KeyPart, MyAction, Nullability,
};

/// InnoDB keys have at most this many bytes with the row formats DYNAMIC and COMPRESSED.
const KEY_BYTES: u64 = 3072;

impl Scene<'_> {
    /// Tells what is wrong with the columns of a key of a table as it is in the end.
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
        if kind == IndexKind::Fulltext {
            self.one_charset(table, parts);
        }
        let mut total = 0;
        for (at, part) in parts.iter().enumerate() {
            if let Key::Expr(expr) = &part.key {
                self.computed_part(table, expr);
            }
            let Key::Column(name) = &part.key else { continue };
            let Some(column) = table.column_any_case(name.as_str()) else {
                if table.complete && !is_period(table, name.as_str()) {
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
        // MariaDB tells the rows of a unique key apart by a hash where it is too long.
        let in_order = kind == IndexKind::Plain || kind == IndexKind::Unique && !self.is_mariadb();
        let limit = key_bytes(table);
        if in_order && parts.len() > 1 && limit.is_some_and(|limit| total > limit) {
            let detail = format!("specified key was too long: {total} bytes");
            self.told.fails("key-too-long", "1071", detail);
        }
        self.ordered_geometry(table, parts, kind);
    }

    /// An index over an expression is over columns of the table, and its values are computed.
    fn computed_part(&mut self, table: &Relation, expr: &Expr) {
        let missing = expr.columns.iter().find(|word| table.column_any_case(word).is_none());
        if let Some(word) = missing.filter(|_| table.complete) {
            let detail = format!("unknown column '{word}' in 'functional index'");
            self.told.fails("missing-column", "1054", detail);
        }
        self.expression(Place::Index, expr);
        if expr.shape == ExprShape::Column {
            let detail = "a functional index on a column: it is over the column itself".to_owned();
            self.told.fails("type-mismatch", "3762", detail);
        }
        let detail = "a value that the index computes may not fit".to_owned();
        self.told.may_fail("values-do-not-fit", "3751", detail);
    }

    /// The columns of a FULLTEXT index have one character set.
    fn one_charset(&mut self, table: &Relation, parts: &[KeyPart]) {
        let mut sets = parts.iter().filter_map(|part| {
            let column = table.column_any_case(part.key.column()?)?;
            let data_type = column.data_type.as_ref()?;
            Some((data_type.charset.as_deref(), data_type.collation.as_deref()))
        });
        let first = sets.next();
        if sets.any(|set| Some(set) != first) {
            let detail = "the columns of a FULLTEXT index have several collations".to_owned();
            self.told.fails("type-mismatch", "1283", detail);
        }
    }

    /// MySQL makes a SPATIAL index of an ordinary one over a geometry: over it alone, with no NULL
    /// and no order, and telling no rows apart (measured on 9.7).
    fn ordered_geometry(&mut self, table: &Relation, parts: &[KeyPart], kind: IndexKind) {
        let ordered = matches!(kind, IndexKind::Plain | IndexKind::Unique);
        let shaped = |part: &&KeyPart| {
            let column = part.key.column().and_then(|name| table.column_any_case(name));
            column.and_then(|c| c.data_type.as_ref()).is_some_and(|t| is_geometry(&t.name))
        };
        let Some(part) = parts.iter().find(shaped).filter(|_| ordered && !self.is_mariadb()) else {
            return;
        };
        let column = part.key.column().and_then(|name| table.column_any_case(name));
        let (code, detail) = if kind == IndexKind::Unique {
            ("3728", "spatial indexes can't be primary or unique indexes")
        } else if parts.len() > 1 {
            ("1070", "too many key parts specified: a SPATIAL index has one")
        } else if part.descending {
            ("1221", "a SPATIAL index has no order")
        } else if column.is_some_and(|found| !found.not_null) {
            ("1252", "all parts of a SPATIAL index must be NOT NULL")
        } else {
            return;
        };
        self.told.fails("type-mismatch", code, detail.to_owned());
        if parts.len() > 1 {
            let detail = "too many key parts specified: a SPATIAL index has one".to_owned();
            self.told.fails("type-mismatch", "1070", detail);
        }
    }

    /// MySQL: a hash has no order (error 1221, before anything is committed).
    pub(super) fn order_of_hash(&mut self, index: &IndexDef) {
        let hash = index.method.as_ref().is_some_and(|method| same(method, "hash"));
        if hash && index.parts.iter().any(|part| part.descending) && !self.is_mariadb() {
            let detail = "incorrect usage of hash index and explicit index order".to_owned();
            self.told.fails("type-mismatch", "1221", detail);
            self.does_not_commit();
        }
    }

    /// MariaDB: rows are not ordered by what is computed when it is read.
    pub(super) fn primary_over_virtual(&mut self, table: &Relation, parts: &[KeyPart]) {
        let computed = parts.iter().any(|part| {
            let column = part.key.column().and_then(|name| table.column_any_case(name));
            column.is_some_and(|found| found.generated.is_some())
        });
        if computed && self.is_mariadb() {
            let detail = "primary key cannot be defined upon a generated column".to_owned();
            self.told.fails("type-mismatch", "1903", detail);
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
        self.ordered_part(table, column, part, kind)
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
            if name.ends_with("text") || name.ends_with("blob") || is_geometry(name) {
                let detail = "a BLOB or TEXT column is in a key without a length".to_owned();
                self.told.fails("blob-key-without-length", "1170", detail);
            } else if sized && data_type.number(0).unwrap_or(1) * width > KEY_BYTES {
                let detail = format!("specified key was too long: at most {KEY_BYTES} bytes");
                self.told.fails("key-too-long", "1071", detail);
            } else if sized
                && self.charset_is_assumed(table, data_type)
                && data_type.number(0).unwrap_or(1) * 4 > KEY_BYTES
            {
                let detail = format!("utf8mb4 makes the key too long: at most {KEY_BYTES} bytes");
                self.told.may_fail("key-too-long", "1071", detail);
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
        part: &KeyPart,
        kind: IndexKind,
    ) -> u64 {
        let Some(data_type) = &column.data_type else { return 0 };
        let name = data_type.name.as_str();
        // What MariaDB cuts to fit takes all there is; a unique key becomes a hash.
        let cut = if kind == IndexKind::Plain { key_bytes(table).unwrap_or(0) } else { 0 };
        let long = name.ends_with("text") || name.ends_with("blob");
        let width = data_type.charset.as_deref().map_or(1, max_bytes);
        let text = long || matches!(name, "char" | "varchar" | "binary" | "varbinary");
        let length = data_type.number(0).unwrap_or(1);
        if let Some(prefix) = part.prefix {
            let too_much = text && !long && u64::from(prefix) > length;
            let whole = packed_bytes(data_type) == Some(u64::from(prefix));
            if too_much || (!text && !is_geometry(name) && !whole) {
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
            let whole = name.starts_with("tiny");
            return if self.is_mariadb() { if whole { cut.min(255) } else { cut } } else { 0 };
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
        let limit = if super::is_innodb(table) { Some(limit) } else { key_bytes(table) };
        if limit.is_some_and(|limit| bytes > limit) {
            if !self.is_mariadb() {
                let detail = format!("specified key was too long: {bytes} bytes");
                self.told.fails("key-too-long", "1071", detail);
            }
            return if self.is_mariadb() { cut } else { 0 };
        }
        bytes
    }

    /// MySQL refuses a primary key over a column that the same statement says is NULL.
    pub(super) fn nullable_parts(&mut self, alter: &Alteration<'_>, parts: &[KeyPart]) {
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
        let missing = partition_columns(by, before).into_iter().any(|column| {
            !parts.iter().any(|part| part.key.column().is_some_and(|found| same(found, &column)))
        });
        if missing {
            let detail =
                "a UNIQUE INDEX must include all columns in the table's partitioning function";
            self.told.fails("partition-bound", "1503", detail.to_owned());
        }
    }
}

/// Returns how many bytes a key has at most: InnoDB's with DYNAMIC rows, MyISAM's, Aria's.
fn key_bytes(table: &Relation) -> Option<u64> {
    match super::option(table, "engine").map(str::to_ascii_lowercase).as_deref() {
        None | Some("innodb") => Some(KEY_BYTES),
        Some("myisam") => Some(1000),
        Some("aria") => Some(2300),
        Some(_) => None,
    }
}

/// Returns how many bytes a number takes in a key: a prefix of that length is the whole column.
fn packed_bytes(data_type: &DataType) -> Option<u64> {
    Some(match data_type.name.as_str() {
        "tinyint" | "year" => 1,
        "smallint" => 2,
        "mediumint" | "date" => 3,
        "int" | "float" => 4,
        "bigint" | "double" => 8,
        "datetime" => 5 + data_type.number(0).unwrap_or(0).div_ceil(2),
        "timestamp" => 4 + data_type.number(0).unwrap_or(0).div_ceil(2),
        "time" => 3 + data_type.number(0).unwrap_or(0).div_ceil(2),
        "decimal" => {
            let (digits, scale) =
                (data_type.number(0).unwrap_or(10), data_type.number(1).unwrap_or(0));
            let half = |digits: u64| digits / 9 * 4 + (digits % 9).div_ceil(2);
            half(digits.saturating_sub(scale)) + half(scale)
        }
        _ => return None,
    })
}

/// Says whether MariaDB tells the rows of a unique key apart by a hash: it is over values that are
/// too long for a key (manual, "Unique Index", "BLOB and TEXT").
pub(super) fn is_long_unique(table: &Relation, index: &crate::schema::Index) -> bool {
    let parts = index.parts.iter().map(|part| {
        let column = part.key.column().and_then(|name| table.column_any_case(name));
        let Some(data_type) = column.and_then(|found| found.data_type.as_ref()) else { return 0 };
        let name = data_type.name.as_str();
        let width = data_type.charset.as_deref().map_or(1, max_bytes);
        match part.prefix {
            Some(prefix) => u64::from(prefix) * width,
            None if name.ends_with("text") || name.ends_with("blob") || name == "json" => u64::MAX,
            None if is_geometry(name) => u64::MAX,
            None if name.contains("char") || name.contains("binary") => {
                data_type.number(0).unwrap_or(1) * width
            }
            None => packed_bytes(data_type).unwrap_or(8),
        }
    });
    let total = parts.fold(0_u64, u64::saturating_add);
    index.kind == IndexKind::Unique && !index.primary && total > KEY_BYTES
}
