//! Tables that SQLite keeps itself: those in which a virtual table holds its rows, and those of
//! AUTOINCREMENT and ANALYZE. They are no relations of the model, but their names are taken.
//!
//! sqlite.org/fileformat2.html, section 2.6; sqlite.org/fts5.html, section 9; sqlite.org/fts3.html,
//! section 9.1; sqlite.org/rtree.html, section 6.1.

use super::model::{Name, Origin, Relation, RelationKind, Schema};
use crate::sql::ServerKind;

/// How the tables are kept that no definition names.
const KEPT: &str = "table of the server";

impl Relation {
    /// Says whether a NULL is passed over or replaced where the column takes none
    /// (sqlite.org/lang_conflict.html).
    pub fn takes_null_leniently(&self, column: &str) -> bool {
        self.options.contains_key(&lenient(column))
    }

    /// Returns what follows the name of a virtual table in the names of its own tables.
    pub fn shadows(&self) -> &'static [&'static str] {
        match self.access_method.as_deref() {
            Some("fts5") => &["data", "idx", "content", "docsize", "config"],
            Some("fts3" | "fts4") => &["content", "segments", "segdir", "docsize", "stat"],
            Some("rtree" | "rtree_i32") => &["node", "parent", "rowid"],
            Some(_) | None => &[],
        }
    }
}

/// Returns the option of a table that says so of a column.
pub(super) fn lenient(column: &str) -> String {
    format!("not null on conflict {}", column.to_ascii_lowercase())
}

impl Schema {
    /// Says whether SQLite keeps a table of that name itself.
    pub(super) fn keeps(&self, name: &Name) -> bool {
        if self.server.kind != ServerKind::Sqlite {
            return false;
        }
        let kept = || self.others.contains_key(&(KEPT, name.clone()));
        let shadow = || {
            let (of, part) = name.name.rsplit_once('_')?;
            let table = self.relation(&Name::new(name.schema.clone(), of))?;
            let is = table.kind == RelationKind::Foreign && table.shadows().contains(&part);
            is.then_some(())
        };
        kept() || shadow().is_some()
    }

    /// Notes that SQLite keeps a table from now on.
    pub(super) fn note_kept(&mut self, database: &str, table: &str) {
        let origin: Origin = self.origin();
        self.set_other(KEPT, self.key(&Name::new(database, table)), Some(origin));
    }
}
