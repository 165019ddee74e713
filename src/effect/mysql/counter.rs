//! What the server counts and what ends: versions of rows, values of AUTO_INCREMENT.
//!
//! MySQL manual, Online DDL Operations and Integer Types; measured on MariaDB 10.11, 11.8 and MySQL
//! 9.7, testdata/servers.

use super::Scene;
use super::change::Changes;
use crate::effect::{Algorithm, Declaration, EffectKind, Online};
use crate::schema::{Column, Relation};
use crate::sql::ast::ObjectKind;

impl Scene<'_> {
    /// Returns how many versions of rows a table may have: every INSTANT change that adds or drops
    /// ordinary columns makes one, and a rebuild begins anew.
    ///
    /// MySQL since 8.0.29: 64, since 9.1: 255 (manual, "Online DDL Operations", "Column
    /// Operations"; 255 measured on 9.7). MariaDB has no limit (700 in a row, measured on 10.11).
    fn row_version_limit(&self) -> Option<u64> {
        let counts = self.mysql_since(8, 0, 29);
        counts.then(|| if self.mysql_since(9, 1, 0) { 255 } else { 64 })
    }

    /// Says whether a change of columns would make one version of rows too many: it is a rebuild
    /// then, and refused where INSTANT is asked for (4092; measured on MySQL 9.7).
    pub(super) fn lacks_row_version(&self, before: &Relation, changes: &Changes) -> bool {
        let counts = changes.add_base || changes.drop_base;
        counts && self.row_version_limit().is_some_and(|limit| before.row_versions() >= limit)
    }

    /// Tells how many more changes of columns a table takes INSTANT after this one.
    pub(super) fn row_versions(&mut self, before: &Relation, changes: &Changes, online: Online) {
        let counts = changes.add_base || changes.drop_base;
        let Some(limit) = self.row_version_limit().filter(|_| counts) else { return };
        if online.algorithm == Algorithm::Instant {
            let left = limit.saturating_sub(before.row_versions() + 1);
            self.count("row-versions-left", before, ObjectKind::Table, (left, limit), left);
        }
    }

    /// Tells which part of its type a column has counted through, where the next value is known:
    /// from a live database, or because the table was made with it.
    pub(super) fn counted_through(&mut self, before: &Relation, after: &Relation) {
        let Some(column) = after.columns.iter().find(|column| column.auto_increment) else {
            return;
        };
        let written = after.options.get("auto_increment").and_then(|next| next.parse().ok());
        let live = before.size.and_then(|size| size.auto_increment);
        let Some((next, largest)) = live.max(written).zip(largest(column)) else { return };
        let percent = u64::try_from(u128::from(next) * 100 / u128::from(largest));
        let percent = percent.unwrap_or(u64::MAX);
        self.count("auto-increment-used", after, ObjectKind::Column, (next, largest), percent);
    }

    fn count(
        &mut self,
        what: &'static str,
        table: &Relation,
        object: ObjectKind,
        (done, end): (u64, u64),
        number: u64,
    ) {
        let (name, state) = (table.name.to_string(), self.told.state(&table.name));
        let (value, number) = (format!("{done} of {end}"), Some(number));
        let declared = Declaration { what, object, name, value, number, state };
        self.told.add(EffectKind::Declares(declared));
    }
}

/// Returns the largest value of an integer column (MySQL manual, 13.1.2; MariaDB the same).
fn largest(column: &Column) -> Option<u64> {
    let data_type = column.data_type.as_ref()?;
    let bits = match data_type.name.as_str() {
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "int" | "integer" => 32,
        "bigint" | "serial" => 64,
        _ => return None,
    };
    let signed = !(data_type.unsigned || data_type.name == "serial");
    Some(u64::MAX >> (64 - bits + u32::from(signed)))
}
