//! What engines refuse of a table: those without long values, generated columns, or partitions.
//!
//! MySQL manual, Alternative Storage Engines, MariaDB the same; measured on MariaDB 10.11, 11.8 and
//! MySQL 9.7, testdata/servers.

use super::alteration::Alteration;
use super::definition::{is_now, is_virtual};
use super::refuse::is_geometry;
use super::{Scene, is_innodb, option, same};
use crate::schema::{Column, Relation};
use crate::sql::ast::{ExprShape, IndexKind};

impl Scene<'_> {
    /// Tells what the engine of a table does not take; the clause of a statement is that of the
    /// column or the index.
    pub(super) fn engine_limits(&mut self, table: &Relation, alter: Option<&Alteration<'_>>) {
        // InnoDB takes all of it, but for geometries in partitions.
        if is_innodb(table) && table.partition_by.is_none() {
            return;
        }
        for column in &table.columns {
            if let Some(alter) = alter {
                self.told.span = alter.clause_of_column(&column.name);
            }
            self.geometry_in_partitions(table, column);
            if is_memory(table) {
                self.memory_column(column);
            }
        }
        for index in table.indexes.iter().filter(|_| !is_innodb(table)) {
            if let Some(alter) = alter {
                self.told.span = alter.clause_of_index(index);
            }
            if index.kind == IndexKind::Fulltext && is_memory(table) {
                let detail = "the engine doesn't support FULLTEXT indexes".to_owned();
                self.told.fails("fulltext-conflict", "1214", detail);
            }
            if self.is_mariadb() {
                continue;
            }
            if index.parts.iter().any(|part| part.descending) {
                let detail = "the engine doesn't support descending indexes".to_owned();
                self.told.fails("no-such-database-feature", "1178", detail);
            }
            let computed = |name: &&str| table.column_any_case(name).is_some_and(is_virtual);
            if index.key_columns().iter().any(computed) {
                let detail = "the engine doesn't index virtual columns".to_owned();
                self.told.fails("no-such-database-feature", "1478", detail);
            }
        }
    }

    fn memory_column(&mut self, column: &Column) {
        let name = column.data_type.as_ref().map_or("", |found| found.name.as_str());
        if name.ends_with("text") || name.ends_with("blob") || name == "json" {
            let detail = "the MEMORY engine doesn't support BLOB and TEXT columns".to_owned();
            self.told.fails("no-such-database-feature", "1163", detail);
        }
        if column.generated.is_some() {
            let detail = "the MEMORY engine doesn't support generated columns".to_owned();
            self.told.fails("no-such-database-feature", self.code("1910", "3106"), detail);
        }
        let computed = |default: &crate::sql::ast::Expr| {
            !matches!(default.shape, ExprShape::Null | ExprShape::Literal) && !is_now(default)
        };
        if column.default.as_deref().is_some_and(computed) && !self.is_mariadb() {
            let detail = "the MEMORY engine doesn't support default value expressions".to_owned();
            self.told.fails("no-such-database-feature", "3774", detail);
        }
    }

    /// Partitions hold no geometries; those of MariaDB 11.8 do.
    fn geometry_in_partitions(&mut self, table: &Relation, column: &Column) {
        let shaped = column.data_type.as_ref().is_some_and(|found| is_geometry(&found.name));
        if shaped && table.partition_by.is_some() && !self.mariadb_since(11, 8) {
            let detail = "partitions do not support GEOMETRY".to_owned();
            self.told.fails("no-such-database-feature", "1178", detail);
        }
    }

    /// MySQL leaves partitions to the engine, and only InnoDB has them. Neither server parts a
    /// temporary table.
    pub(super) fn partitions_of_engine(&mut self, table: &Relation) {
        if self.is_temporary(Some(table)) {
            let detail = "cannot create temporary table with partitions".to_owned();
            self.told.fails("wrong-object-kind", self.code("1478", "1562"), detail);
        }
        if !is_innodb(table) && !self.is_mariadb() {
            let detail = "the engine does not support native partitioning".to_owned();
            self.told.fails("no-such-database-feature", "1178", detail);
        }
    }
}

fn is_memory(table: &Relation) -> bool {
    option(table, "engine").is_some_and(|engine| same(engine, "memory") || same(engine, "heap"))
}
