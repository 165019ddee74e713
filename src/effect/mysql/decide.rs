//! Which ALGORITHM and LOCK a server accepts for a change of a table.
//!
//! MySQL manual, Online DDL Operations; MariaDB manual, InnoDB Online DDL; measured on MariaDB
//! 10.11, 11.8 and MySQL 9.7, testdata/servers.

use super::change::Changes;
use super::definition::{is_stored, is_virtual};
use super::{Scene, is_innodb, option, same};
use crate::effect::{Algorithm, Online, OnlineLock};
use crate::schema::Relation;
use crate::sql::ast::IndexKind;

/// What the table is like, as far as the decision depends on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// InnoDB keeps the rows.
    pub(super) innodb: bool,
    /// It belongs to the session.
    pub(super) temporary: bool,
    /// `ROW_FORMAT=COMPRESSED`, before or after.
    pub(super) compressed: bool,
    /// `ROW_FORMAT=REDUNDANT`.
    pub(super) redundant: bool,
    /// A FULLTEXT index stays.
    pub(super) fulltext: bool,
    /// There was a FULLTEXT index.
    pub(super) had_fulltext: bool,
    /// How many FULLTEXT indexes there are in the end.
    pub(super) fulltexts: usize,
    /// There is a VECTOR index, before or after.
    pub(super) vector: bool,
    /// A SPATIAL index stays.
    pub(super) spatial: bool,
    /// It is partitioned.
    pub(super) partitioned: bool,
    /// By a function: neither by KEY nor by COLUMNS.
    pub(super) parted_by_function: bool,
    /// Columns of its own tell since and until when a row is valid (MariaDB).
    pub(super) system_columns: bool,
    /// There is an index over a virtual column in the end.
    pub(super) indexed_virtual: bool,
    /// There was an index over a virtual column.
    pub(super) had_indexed_virtual: bool,
    /// A stored generated column stays.
    pub(super) stored: bool,
}

impl Shape {
    /// Returns the shape of a table that changes.
    pub(super) fn of(before: &Relation, after: &Relation) -> Self {
        let has = |table: &Relation, kind: IndexKind| table.indexes.iter().any(|i| i.kind == kind);
        let format = |table: &Relation, wanted: &str| {
            option(table, "row_format").is_some_and(|format| same(format, wanted))
        };
        let zipped = |table: &Relation| {
            format(table, "compressed")
                || option(table, "key_block_size").is_some_and(|size| size != "0")
        };
        let over_virtual = |table: &Relation| {
            let is = |name: &&str| table.column_any_case(name).is_some_and(is_virtual);
            table.indexes.iter().any(|index| index.key_columns().iter().any(is))
        };
        Self {
            innodb: is_innodb(before),
            temporary: before.persistence == crate::sql::ast::Persistence::Temporary,
            compressed: zipped(before) || zipped(after),
            redundant: format(before, "redundant"),
            fulltext: has(before, IndexKind::Fulltext) && has(after, IndexKind::Fulltext),
            had_fulltext: has(before, IndexKind::Fulltext),
            fulltexts: after.indexes.iter().filter(|i| i.kind == IndexKind::Fulltext).count(),
            vector: has(before, IndexKind::Vector) || has(after, IndexKind::Vector),
            spatial: has(after, IndexKind::Spatial),
            partitioned: before.partition_by.is_some(),
            parted_by_function: before.partition_by.as_ref().is_some_and(|by| {
                !by.strategy.ends_with("key") && !by.strategy.ends_with("columns")
            }),
            system_columns: super::refuse_period::periods(before)
                .any(|(name, _)| same(name, "system_time")),
            indexed_virtual: over_virtual(after),
            had_indexed_virtual: over_virtual(before),
            stored: after.columns.iter().any(is_stored),
        }
    }
}

/// Returns an answer without a rebuild.
pub(super) const fn keeps(algorithm: Algorithm, lock: OnlineLock) -> Online {
    Online { algorithm, lock, rebuilds: false }
}

/// Returns an answer with a rebuild inside the engine.
pub(super) const fn rebuilds(lock: OnlineLock) -> Online {
    Online { algorithm: Algorithm::Inplace, lock, rebuilds: true }
}

impl Scene<'_> {
    /// Returns the best algorithm and the weakest lock that the server accepts.
    pub(super) fn decide(&self, shape: Shape, changes: &Changes, before: &Relation) -> Online {
        if shape.temporary {
            let names = changes.rename_table || changes.keys;
            if self.is_mariadb() && names && Self::only_metadata(changes) {
                return keeps(Algorithm::Instant, OnlineLock::None);
            }
            // Nobody else sees the table: what LOCK says means nothing, and rows are copied.
            return Online { algorithm: Algorithm::Copy, lock: OnlineLock::None, rebuilds: false };
        }
        if self.is_mariadb() {
            self.decide_mariadb(shape, changes, before)
        } else {
            self.decide_mysql(shape, changes, before)
        }
    }

    /// Returns what the engines other than InnoDB and Aria's like do: metadata alone, or a copy.
    pub(super) fn only_metadata(changes: &Changes) -> bool {
        !(changes.add_base
            || changes.add_stored
            || changes.add_virtual
            || changes.drop_base
            || changes.drop_virtual
            || changes.copy_cause.is_some()
            || changes.longer
            || changes.collation
            || !changes.not_null.is_empty()
            || changes.nullable
            || changes.loses_auto_increment
            || changes.gains_auto_increment
            || changes.reorder_base
            || changes.reorder_virtual
            || changes.virtual_expression
            || changes.touches_indexes()
            || changes.add_foreign_key
            || changes.drop_foreign_key
            || changes.add_check
            || changes.other_engine
            || changes.rebuild_option
            || changes.copy_option
            || changes.order_by
            || changes.repartition
            || changes.add_versioning
            || changes.drop_versioning)
    }
}
