//! ALGORITHM and LOCK of MySQL 8.0, 8.4 and 9.x.
//!
//! INSTANT takes no LOCK but DEFAULT. What it does not do goes to INPLACE, with a rebuild or
//! without, and what that does not do to COPY, which blocks writes. Actions together are as bad as
//! the worst of them, and none but a few go INSTANT together.
//!
//! MySQL manual of 8.0, 8.4 and 9.x, Online DDL Operations; measured on 9.7,
//! testdata/servers/mysql.

use super::Scene;
use super::change::Changes;
use super::decide::{Shape, keeps, rebuilds};
use crate::effect::{Algorithm, Online, OnlineLock};
use crate::schema::Relation;
use crate::sql::ast::IndexKind;

/// All rows are copied while writers wait.
const COPY: Online =
    Online { algorithm: Algorithm::Copy, lock: OnlineLock::Shared, rebuilds: true };

impl Scene<'_> {
    /// Returns the best that MySQL accepts.
    pub(super) fn decide_mysql(
        &self,
        shape: Shape,
        changes: &Changes,
        before: &Relation,
    ) -> Online {
        let instant = keeps(Algorithm::Instant, OnlineLock::Default);
        if changes.is_nothing() {
            return self.instant_or_inplace(instant);
        }
        if !shape.innodb {
            let only = Self::only_metadata(changes) && !changes.names_check;
            let online = if only { instant } else { COPY };
            return Online { rebuilds: changes.other_engine && online == COPY, ..online };
        }
        if self.mysql_copies(changes) {
            return COPY;
        }
        // Before INSTANT a column that comes was a rebuild.
        let rebuilt = (changes.add_base || changes.drop_base) && !self.mysql_since(8, 0, 12);
        let instantly = self.mysql_instant(shape, changes, before) && !rebuilt;
        if instantly && !self.lacks_row_version(before, changes) {
            return self.instant_or_inplace(instant);
        }
        let rebuild = self.mysql_rebuilds(changes);
        let first_fulltext = changes.builds_kind(IndexKind::Fulltext) && !shape.had_fulltext;
        if changes.add_virtual || changes.drop_virtual {
            // Manual, "Online DDL Operations": it "cannot be combined with other ALTER TABLE
            // actions", except those on indexes that are not unique (measured on 9.7).
            if rebuild || first_fulltext || shape.partitioned || changes.beside_virtual() {
                return COPY;
            }
        }
        let lock = if self.mysql_blocks_writes(shape, changes, rebuild) {
            OnlineLock::Shared
        } else {
            OnlineLock::None
        };
        // A column that counts is filled in place even so (measured on 9.7).
        if rebuild && shape.fulltext && !changes.add_auto_increment {
            return COPY;
        }
        if rebuild || first_fulltext { rebuilds(lock) } else { keeps(Algorithm::Inplace, lock) }
    }

    /// INSTANT came with 8.0.12 (manual, "ALTER TABLE Statement"); before, metadata changes were
    /// INPLACE without a rebuild.
    fn instant_or_inplace(&self, instant: Online) -> Online {
        if self.mysql_since(8, 0, 12) {
            instant
        } else {
            keeps(Algorithm::Inplace, OnlineLock::None)
        }
    }

    fn mysql_copies(&self, changes: &Changes) -> bool {
        changes.copy_cause.is_some()
            || changes.switches_keys_beside()
            || changes.keyed_partitions
            || changes.add_stored
            || changes.add_computed_default
            || changes.add_check
            || (changes.add_foreign_key && self.foreign_key_checks())
            || changes.loses_key
            || changes.other_engine
            || changes.copy_option
            || changes.repartition
            || changes.order_by
            || changes.loses_auto_increment
            || changes.gains_auto_increment
            || !changes.collated_indexes.is_empty()
            || changes.builds_collated
            || (!changes.not_null.is_empty() && !self.is_strict())
    }

    /// Renaming, adding and dropping columns go INSTANT, alone or together; so does what changes
    /// no row and no index at all.
    pub(super) fn mysql_instant(&self, shape: Shape, changes: &Changes, before: &Relation) -> bool {
        let other = changes.longer
            || changes.collation
            || !changes.not_null.is_empty()
            || changes.nullable
            || changes.touches_indexes()
            || changes.renamed_indexes
            || changes.index_visibility
            || changes.add_foreign_key
            || changes.drop_foreign_key
            || changes.rebuild_option
            || changes.option
            || changes.default_charset
            || changes.converts
            || changes.order_by
            || changes.add_auto_increment
            || changes.add_zero_date
            || changes.drop_virtual_before_another;
        if other {
            return false;
        }
        let (adds, drops) = (changes.add_base, changes.drop_base);
        let virtual_ones = changes.add_virtual || changes.drop_virtual;
        if (adds || drops) && (shape.compressed || shape.fulltext) {
            return false;
        }
        // Virtual columns may go together with others that go, not with others that come.
        if adds && changes.drop_virtual {
            return false;
        }
        if virtual_ones && !changes.renamed.is_empty() {
            return false;
        }
        let since_8_0_29 = self.mysql_since(8, 0, 29);
        // Since columns are added anywhere, other columns may change their places with them.
        if changes.reorder_base && !((adds || drops) && since_8_0_29) {
            return false;
        }
        if (drops || changes.add_inside) && !since_8_0_29 {
            return false;
        }
        if adds && !since_8_0_29 && (virtual_ones || shape.partitioned && changes.add_virtual) {
            return false;
        }
        changes.renamed.is_empty()
            || (self.mysql_since(8, 0, 28) && !self.renames_parent_column(before, changes))
    }

    fn mysql_rebuilds(&self, changes: &Changes) -> bool {
        changes.add_base
            || changes.drop_base
            || changes.reorder_base
            || !changes.not_null.is_empty()
            || changes.nullable
            || changes.add_primary
            || changes.other_order
            || changes.rebuild_option
            || changes.converts_text
    }

    fn mysql_blocks_writes(&self, shape: Shape, changes: &Changes, rebuild: bool) -> bool {
        let functional = changes
            .built
            .iter()
            .any(|index| index.parts.iter().any(|part| part.key.column().is_none()));
        changes.builds_kind(IndexKind::Fulltext)
            || changes.builds_kind(IndexKind::Spatial)
            || changes.add_auto_increment
            || changes.built_over_new_virtual
            || changes.converts_text
            || functional
            || (rebuild && (shape.spatial || changes.becomes_binary))
            || changes.built_over_geometry
    }
}
