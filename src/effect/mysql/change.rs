//! How a table before ALTER TABLE differs from the table after it.
//!
//! The servers compare the two definitions and not the words of the statement: dropping an index
//! and adding the same again is no change. So does this.
//!
//! MySQL: fill_alter_inplace_info (sql_table.cc), MariaDB the same; measured on MariaDB 10.11, 11.8
//! and MySQL 9.7, testdata/servers.

use crate::effect::OnlineLock;
use crate::schema::Index;
use crate::sql::ast::IndexKind;

/// The differences that decide about ALGORITHM and LOCK.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes {
    /// Ordinary columns are added.
    pub(super) add_base: bool,
    /// One of them not at the end.
    pub(super) add_inside: bool,
    /// An AUTO_INCREMENT column is added.
    pub(super) add_auto_increment: bool,
    /// A default of an added column is computed by the server layer, row by row or once.
    pub(super) add_computed_default: bool,
    /// An added DATE or DATETIME column has no valid value for the rows that exist.
    pub(super) add_zero_date: bool,
    /// Stored generated columns are added.
    pub(super) add_stored: bool,
    /// Virtual columns are added.
    pub(super) add_virtual: bool,
    /// Ordinary or stored columns are dropped.
    pub(super) drop_base: bool,
    /// Virtual columns are dropped.
    pub(super) drop_virtual: bool,
    /// A virtual column behind a dropped one stays.
    pub(super) drop_virtual_before_another: bool,
    /// Columns are renamed, these by their old names.
    pub(super) renamed: Vec<String>,
    /// Why values are written anew.
    pub(super) copy_cause: Option<&'static str>,
    /// The columns they are of, and why.
    pub(super) copied: Vec<(String, &'static str)>,
    /// A column gets longer in place.
    pub(super) longer: bool,
    /// A column gets another collation in place.
    pub(super) collation: bool,
    /// Indexes over columns whose collation changes.
    pub(super) collated_indexes: Vec<String>,
    /// Columns whose collation changes, by their new names.
    pub(super) collated_columns: Vec<String>,
    /// The collation of those differs in more than the character set it is for.
    pub(super) other_collation: bool,
    /// Columns that become NOT NULL.
    pub(super) not_null: Vec<String>,
    /// A column becomes NULL.
    pub(super) nullable: bool,
    /// Those columns.
    pub(super) nullable_columns: Vec<String>,
    /// A default, comment or visibility changes.
    pub(super) metadata: bool,
    /// AUTO_INCREMENT is taken from a column.
    pub(super) loses_auto_increment: bool,
    /// AUTO_INCREMENT is given to a column.
    pub(super) gains_auto_increment: bool,
    /// A unique key without NULLs tells the rows apart meanwhile.
    pub(super) keeps_unique_key: bool,
    /// Stored columns change their order.
    pub(super) reorder_base: bool,
    /// Virtual columns change their order.
    pub(super) reorder_virtual: bool,
    /// A virtual column is counted at another place, if only because one before it came or went.
    pub(super) moves_virtual: bool,
    /// The expression of a virtual column changes.
    pub(super) virtual_expression: bool,
    /// That of one with an index over it.
    pub(super) indexed_expression: bool,
    /// Indexes that are built.
    pub(super) built: Vec<Index>,
    /// One of them over geometries.
    pub(super) built_over_geometry: bool,
    /// One of them over a virtual column that is added too.
    pub(super) built_over_new_virtual: bool,
    /// One of them over a column whose collation changes.
    pub(super) builds_collated: bool,
    /// Indexes that MySQL builds anew because a column of theirs gets longer.
    pub(super) lengthened_indexes: Vec<String>,
    /// Indexes that go.
    pub(super) dropped: Vec<String>,
    /// A unique one is among those that are built or go.
    pub(super) touches_unique: bool,
    /// Indexes that get another name.
    pub(super) renamed_indexes: bool,
    /// Indexes become visible or invisible.
    pub(super) index_visibility: bool,
    /// The primary key is made, dropped, or replaced.
    pub(super) add_primary: bool,
    /// The primary key goes.
    pub(super) drop_primary: bool,
    /// The key that orders the rows goes, and no other takes its place.
    pub(super) loses_key: bool,
    /// The rows are ordered by another key from now on.
    pub(super) other_order: bool,
    /// `ALTER IGNORE`: rows that are in the way are deleted (MariaDB).
    pub(super) ignore: bool,
    /// A stored generated column changes its place.
    pub(super) moves_stored: bool,
    /// Foreign keys are made.
    pub(super) add_foreign_key: bool,
    /// Foreign keys go.
    pub(super) drop_foreign_key: bool,
    /// A CHECK is made, or enforced from now on.
    pub(super) add_check: bool,
    /// The only checks made stand on columns: MariaDB does not look at rows for them.
    pub(super) adds_only_column_checks: bool,
    /// A CHECK goes, or is no longer enforced.
    pub(super) drop_check: bool,
    /// The statement names one that goes.
    pub(super) drops_named_check: bool,
    /// The statement says anything of a CHECK of the table.
    pub(super) names_check: bool,
    /// Another engine.
    pub(super) other_engine: bool,
    /// FORCE, the same engine again, ROW_FORMAT, KEY_BLOCK_SIZE.
    pub(super) rebuild_option: bool,
    /// Options without effect on rows: COMMENT, AUTO_INCREMENT, STATS_….
    pub(super) option: bool,
    /// Options that only the server layer can change.
    pub(super) copy_option: bool,
    /// The default character set of the table.
    pub(super) default_charset: bool,
    /// The server gives a reason where it refuses another ALGORITHM: options of the engine's own,
    /// a second FULLTEXT index, hidden columns (MariaDB).
    pub(super) explained: bool,
    /// A unique key over values too long for one is built (MariaDB).
    pub(super) builds_long_unique: bool,
    /// A key WITHOUT OVERLAPS is built (MariaDB).
    pub(super) builds_over_period: bool,
    /// The key changes that `PARTITION BY KEY ()` takes its columns from.
    pub(super) keyed_partitions: bool,
    /// The server accepts any ALGORITHM and goes on as ever (MariaDB: PARTITION BY, and temporary
    /// tables of 10.11).
    pub(super) ignores_algorithm: bool,
    /// The server refuses another ALGORITHM without a reason (error 1845 instead of 1846).
    pub(super) unexplained: bool,
    /// The LOCK of a copy that is asked for.
    pub(super) copy_lock: Option<OnlineLock>,
    /// Columns that are defined anew by MODIFY or CHANGE, by their old names.
    pub(super) redefined: Vec<String>,
    /// CONVERT TO CHARACTER SET.
    pub(super) converts: bool,
    /// CHAR or TEXT columns are among those converted: MySQL builds the table anew for them.
    pub(super) converts_text: bool,
    /// Text becomes bytes, in place or not.
    pub(super) becomes_binary: bool,
    /// ORDER BY.
    pub(super) order_by: bool,
    /// RENAME TO.
    pub(super) rename_table: bool,
    /// RENAME TO is written, be it the same name.
    pub(super) renames: bool,
    /// ENABLE KEYS, DISABLE KEYS.
    pub(super) keys: bool,
    /// PARTITION BY, REMOVE PARTITIONING.
    pub(super) repartition: bool,
    /// ADD SYSTEM VERSIONING.
    pub(super) add_versioning: bool,
    /// DROP SYSTEM VERSIONING.
    pub(super) drop_versioning: bool,
    /// Only the count of row versions keeps it from being INSTANT (MySQL).
    pub(super) lacks_row_version: bool,
}

impl Changes {
    /// Says whether something is done that neither server does in place beside virtual columns
    /// that come, go or move: anything but work on indexes that are not unique.
    pub(super) fn beside_virtual(&self) -> bool {
        self.renames_or_extends()
            || self.touches_unique
            || self.metadata
            || self.option
            || self.default_charset
            || self.converts
            || self.renames
            || self.index_visibility
            || self.drops_named_check
            || self.loses_auto_increment
    }

    /// Says whether a column, by its new name, is changed for a cause.
    pub(super) fn caused(&self, column: &str, cause: &str) -> bool {
        let is = |name: &String| super::same(name, column);
        let copied = self.copied.iter().any(|(name, why)| *why == cause && is(name));
        copied
            || match cause {
                "nullability" => {
                    self.not_null.iter().any(is) || self.nullable_columns.iter().any(is)
                }
                "convert-charset" => self.collated_columns.iter().any(is),
                "type-change" => self.copied.iter().any(|(name, _)| is(name)) || self.longer,
                "auto-increment" => self.gains_auto_increment || self.loses_auto_increment,
                "virtual-generated" => self.virtual_expression,
                "alter-table" => self.metadata,
                _ => false,
            }
    }

    /// Says whether nothing changes that MariaDB's InnoDB looks at: defaults, comments, members of
    /// an ENUM, a CHECK that goes.
    pub(super) fn is_ignored_by_engine(&self) -> bool {
        let rest =
            Self { metadata: false, drop_check: false, index_visibility: false, ..self.clone() };
        rest.is_nothing()
    }

    /// Says whether the rows are copied for a reason that the servers give when they refuse another
    /// algorithm (error 1846 instead of 1845).
    pub(super) fn copies_for_a_reason(&self) -> bool {
        !self.unexplained
            && (self.copy_cause.is_some()
                || self.loses_key
                || self.add_foreign_key
                || self.explained)
    }

    /// Says whether all that is copied are generated columns.
    pub(super) fn copies_generated(&self) -> bool {
        let generated = |(_, cause): &(String, &'static str)| *cause == "generated-expression";
        !self.copied.is_empty() && self.copied.iter().all(generated)
    }

    /// Says whether keys are switched on or off beside another change: the rows are copied.
    pub(super) fn switches_keys_beside(&self) -> bool {
        let rest = Self { keys: false, rename_table: false, ..self.clone() };
        self.keys && !rest.is_nothing()
    }

    /// Says whether names, lengths, collations or foreign keys change in the metadata.
    pub(super) fn renames_or_extends(&self) -> bool {
        !self.renamed.is_empty()
            || self.renamed_indexes
            || self.longer
            || self.collation
            || self.add_foreign_key
            || self.drop_foreign_key
    }

    /// Says whether an index of a kind is built.
    pub(super) fn builds_kind(&self, kind: IndexKind) -> bool {
        self.built.iter().any(|index| index.kind == kind)
    }

    /// Says whether indexes are built or dropped.
    pub(super) fn touches_indexes(&self) -> bool {
        !self.built.is_empty() || !self.dropped.is_empty()
    }

    /// Says whether nothing at all changes.
    pub(super) fn is_nothing(&self) -> bool {
        !(self.add_base
            || self.add_stored
            || self.add_virtual
            || self.drop_base
            || self.drop_virtual
            || !self.renamed.is_empty()
            || self.copy_cause.is_some()
            || self.longer
            || self.collation
            || !self.not_null.is_empty()
            || self.nullable
            || self.metadata
            || self.loses_auto_increment
            || self.gains_auto_increment
            || self.reorder_base
            || self.reorder_virtual
            || self.virtual_expression
            || self.touches_indexes()
            || self.renamed_indexes
            || self.index_visibility
            || self.add_foreign_key
            || self.drop_foreign_key
            || self.add_check
            || self.drop_check
            || self.other_engine
            || self.rebuild_option
            || self.option
            || self.copy_option
            || self.default_charset
            || self.converts
            || self.order_by
            || self.rename_table
            || self.keys
            || self.repartition
            || self.add_versioning
            || self.drop_versioning)
    }
}
