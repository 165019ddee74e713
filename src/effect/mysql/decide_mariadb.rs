//! ALGORITHM and LOCK of MariaDB 10.6 to 11.x.
//!
//! INSTANT changes metadata, NOCOPY works on indexes, INPLACE may rebuild, COPY copies all rows.
//! Since 11.2 a copy applies what writers did meanwhile, so that LOCK=NONE goes with it.
//!
//! MariaDB manual, InnoDB Online DDL; measured on 10.11 and 11.8, testdata/servers/mariadb.

use super::change::Changes;
use super::decide::{Shape, keeps, rebuilds};
use super::{Scene, has_cascade, same};
use crate::effect::{Algorithm, Online, OnlineLock};
use crate::schema::Relation;
use crate::sql::ast::IndexKind;

impl Scene<'_> {
    /// Returns the best that MariaDB accepts.
    pub(super) fn decide_mariadb(
        &self,
        shape: Shape,
        changes: &Changes,
        before: &Relation,
    ) -> Online {
        // Alone, renaming and switching keys are done under the exclusive lock.
        let rest = Changes { rename_table: false, keys: false, ..changes.clone() };
        let alone = rest.is_nothing();
        let lock = if alone && (changes.renames || changes.keys) {
            OnlineLock::Exclusive
        } else {
            OnlineLock::None
        };
        if changes.is_nothing() {
            return keeps(Algorithm::Instant, lock);
        }
        let online = self.mariadb_engine(shape, changes, before);
        Online { lock: online.lock.max(lock), ..online }
    }

    fn mariadb_engine(&self, shape: Shape, changes: &Changes, before: &Relation) -> Online {
        let instant = keeps(Algorithm::Instant, OnlineLock::None);
        let copy = self.mariadb_copy(changes, before);
        if !shape.innodb {
            let online = if Self::only_metadata(changes) { instant } else { copy };
            return Online { rebuilds: changes.other_engine && online != instant, ..online };
        }
        if self.mariadb_copies(shape, changes) {
            return copy;
        }
        // Beside a VECTOR index, a graph of its own in another file, the server layer does all work
        // on indexes (measured on 11.8).
        if shape.vector && (changes.touches_indexes() || changes.renamed_indexes) {
            return copy;
        }
        let index_work = changes.touches_indexes()
            || changes.other_collation && !changes.collated_indexes.is_empty();
        let supports_instant = self.mariadb_supports_instant(shape, changes);
        let virtual_ones = changes.add_virtual
            || changes.drop_virtual
            || changes.reorder_virtual
            || changes.moves_virtual;
        if virtual_ones && self.mariadb_virtual_copies(shape, changes, supports_instant) {
            return copy;
        }
        let only_options = (changes.option || changes.default_charset)
            && !index_work
            && !virtual_ones
            && !self.mariadb_rebuilds(changes)
            && !changes.renames_or_extends();
        if (supports_instant || only_options) && !index_work {
            return instant;
        }
        let first_fulltext = changes.builds_kind(IndexKind::Fulltext) && !shape.had_fulltext;
        let rebuild = self.mariadb_rebuilds(changes) && !supports_instant;
        let indexed_virtual = changes.drop_base && shape.had_indexed_virtual;
        // InnoDB makes no more than one FULLTEXT index in a rebuild.
        if rebuild && (changes.indexed_expression || indexed_virtual || shape.fulltexts > 1) {
            return copy;
        }
        let blocked = self.mariadb_rebuilds(changes)
            && (shape.fulltext || shape.spatial || shape.indexed_virtual);
        let shared = blocked
            || changes.add_auto_increment
            || changes.drop_versioning
            || changes.built_over_new_virtual
            || changes.builds_kind(IndexKind::Fulltext)
            || changes.builds_kind(IndexKind::Spatial);
        let lock = if shared { OnlineLock::Shared } else { OnlineLock::None };
        if rebuild || first_fulltext { rebuilds(lock) } else { keeps(Algorithm::Nocopy, lock) }
    }

    /// Says whether columns change in the metadata alone, whatever indexes do meanwhile.
    ///
    /// Options beside other actions keep those from being INSTANT, unless columns are added,
    /// dropped or moved (measured on 10.11 and 11.8).
    fn mariadb_supports_instant(&self, shape: Shape, changes: &Changes) -> bool {
        let columns = changes.add_base || changes.drop_base || changes.reorder_base;
        let moved = columns || changes.nullable && shape.redundant;
        let as_it_is = if moved {
            !shape.compressed && !shape.had_fulltext && !shape.had_indexed_virtual
        } else {
            !(changes.option || changes.default_charset)
        };
        let needs_rebuild = !changes.not_null.is_empty()
            || (changes.nullable && !shape.redundant)
            || changes.other_order
            || changes.rebuild_option
            || changes.add_auto_increment
            || changes.drop_versioning
            || !changes.built.is_empty()
            || changes.other_collation && !changes.collated_indexes.is_empty();
        as_it_is && !needs_rebuild
    }

    /// Says whether virtual columns come, go or move together with something that keeps InnoDB
    /// from doing it in place.
    fn mariadb_virtual_copies(&self, shape: Shape, changes: &Changes, instant: bool) -> bool {
        let columns = changes.add_base || (changes.drop_base || changes.reorder_base) && !instant;
        let first_fulltext = changes.builds_kind(IndexKind::Fulltext) && !shape.had_fulltext;
        columns
            || changes.reorder_virtual
            || shape.partitioned
            || first_fulltext
            || (changes.drop_virtual && changes.built_over_new_virtual)
            || self.mariadb_rebuilds(&Changes {
                drop_base: false,
                reorder_base: false,
                ..changes.clone()
            })
            || changes.beside_virtual()
    }

    /// Since 11.2 writers go on during a copy (release notes, "Online Schema Change"), unless
    /// cascading foreign keys change the table, rows are ignored, or a column counts from now on
    /// and no key tells its rows apart.
    pub(super) fn mariadb_copy(&self, changes: &Changes, before: &Relation) -> Online {
        let online = self.mariadb_since(11, 2)
            && !has_cascade(before)
            && !changes.ignore
            && !changes.drop_versioning
            && !changes.add_auto_increment
            && (!changes.gains_auto_increment
                || changes.keeps_unique_key
                || self.has_sql_mode("NO_AUTO_VALUE_ON_ZERO", false));
        let lock = if online { OnlineLock::None } else { OnlineLock::Shared };
        Online { algorithm: Algorithm::Copy, lock, rebuilds: true }
    }

    fn mariadb_copies(&self, shape: Shape, changes: &Changes) -> bool {
        let two_fulltext =
            changes.built.iter().filter(|index| index.kind == IndexKind::Fulltext).count() > 1;
        changes.copy_cause.is_some()
            || changes.switches_keys_beside()
            || changes.keyed_partitions
            || changes.builds_long_unique
            || changes.builds_over_period
            || changes.add_stored
            || changes.add_computed_default
            || changes.add_check && !changes.adds_only_column_checks
            || (changes.add_foreign_key && self.foreign_key_checks())
            || changes.loses_key
            || (shape.parted_by_function && changes.other_order)
            || (shape.system_columns
                && changes.builds_kind(IndexKind::Fulltext)
                && !shape.had_fulltext)
            || ((shape.stored || shape.had_indexed_virtual) && !changes.not_null.is_empty())
            || changes.moves_stored
            || changes.indexed_expression
            || changes.ignore
            || changes.other_engine
            || changes.copy_option
            || changes.repartition
            || changes.order_by
            || changes.add_versioning
            || changes.gains_auto_increment
            || two_fulltext
    }

    fn mariadb_rebuilds(&self, changes: &Changes) -> bool {
        changes.add_base
            || changes.drop_base
            || changes.reorder_base
            || !changes.not_null.is_empty()
            || changes.nullable
            || changes.other_order
            || changes.rebuild_option
            || changes.add_auto_increment
            || changes.drop_versioning
    }

    /// Says whether an engine is one that the server has.
    pub(super) fn is_engine(&self, name: &str) -> bool {
        let common = [
            "innodb",
            "myisam",
            "memory",
            "heap",
            "csv",
            "archive",
            "blackhole",
            "merge",
            "mrg_myisam",
            "federated",
            "ndb",
            "ndbcluster",
        ];
        let mariadb = [
            "aria",
            "maria",
            "rocksdb",
            "spider",
            "sequence",
            "connect",
            "columnstore",
            "s3",
            "mroonga",
            "sphinx",
            "oqgraph",
        ];
        let is = |list: &[&str]| list.iter().any(|known| same(known, name));
        is(&common) || (self.is_mariadb() && is(&mariadb))
    }

    /// Says whether a renamed column is referenced from another table.
    pub(super) fn renames_parent_column(&self, before: &Relation, changes: &Changes) -> bool {
        use crate::schema::Demand;
        self.schema().foreign_keys_to(&before.name).iter().any(|(_, constraint)| {
            matches!(&constraint.kind, Demand::ForeignKey { parent_columns, .. }
                if parent_columns.iter().any(|c| changes.renamed.iter().any(|r| same(r, c))))
        })
    }
}
