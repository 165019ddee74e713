//! CREATE VIRTUAL TABLE: whether its module is there, and takes what it is given.
//!
//! sqlite.org/vtab.html; measured on SQLite 3.35 to 3.54, testdata/servers/sqlite.

use super::{SQL_ERROR, Scene, same};
use crate::sql::ast::{ColumnDef, CreateTable};

/// The modules of virtual tables that builds of SQLite usually have.
const BUILT_IN_MODULES: &[&str] =
    &["fts3", "fts3tokenize", "fts4", "fts4aux", "fts5", "fts5vocab", "rtree", "rtree_i32"];

/// The options of FTS5, and in which 3.x they came (sqlite.org/fts5.html, section 4; contentless
/// ones measured on 3.42 and 3.43).
const TEXT_OPTIONS: &[(&str, u16)] = &[
    ("columnsize", 0),
    ("content", 0),
    ("content_rowid", 0),
    ("contentless_delete", 43),
    ("contentless_unindexed", 47),
    ("detail", 0),
    ("locale", 47),
    ("prefix", 0),
    ("tokendata", 45),
    ("tokenize", 0),
];

/// Those that some builds have, or known extensions bring.
const OPTIONAL_MODULES: &[&str] = &[
    "bloom_filter",
    "closure",
    "completion",
    "csv",
    "dbstat",
    "fsdir",
    "fuzzer",
    "geopoly",
    "spellfix1",
    "swarmvtab",
    "transitive_closure",
    "unionvtab",
    "vec0",
    "virtualelementary",
    "virtualspatialindex",
    "vss0",
    "zipfile",
];

impl Scene<'_> {
    /// The module of a virtual table is built in, or a program brings it.
    pub(super) fn module(&mut self, create: &CreateTable) {
        let name = create.access_method.as_deref().unwrap_or("");
        let detail = format!("no such module: {name}");
        if BUILT_IN_MODULES.contains(&name) {
            self.module_arguments(create, name);
        } else if OPTIONAL_MODULES.contains(&name) {
            self.told.may_fail("missing-object", SQL_ERROR, detail);
        } else {
            self.told.fails("missing-object", SQL_ERROR, detail);
        }
    }

    /// What full text search and R-trees want of their columns (sqlite.org/fts5.html, section 4;
    /// sqlite.org/rtree.html, section 3.1; measured on 3.35 to 3.54).
    fn module_arguments(&mut self, create: &CreateTable, module: &str) {
        let columns = &create.columns;
        let is = |column: &ColumnDef, name: &str| same(column.name.as_str(), name);
        let stored = columns.iter().filter(|column| !column.invisible).count();
        let (rtree, text) = (module.starts_with("rtree"), module == "fts5");
        let reserved =
            ["rank", "rowid"].into_iter().find(|name| columns.iter().any(|c| is(c, name)));
        let twice = columns.iter().enumerate().any(|(at, column)| {
            columns.iter().take(at).any(|other| is(other, column.name.as_str()))
        });
        let version = self.schema().server.version;
        let unknown = create.options.iter().filter_map(|(option, _)| {
            let word = option.strip_prefix("argument ")?;
            let since = TEXT_OPTIONS.iter().find(|(known, _)| *known == word);
            let there = since.is_some_and(|(_, minor)| version.at_least(3, *minor, 0));
            (text && !there).then_some(word)
        });
        if let Some(word) = unknown.into_iter().next() {
            let detail = format!("unrecognized option: \"{word}\"");
            self.told.fails("unsupported-version", SQL_ERROR, detail);
        }
        let detail = match reserved {
            _ if rtree && stored < 3 => "Too few columns for an rtree table".to_owned(),
            _ if rtree && stored > 11 => "Too many columns for an rtree table".to_owned(),
            _ if rtree && stored % 2 == 0 => {
                "Wrong number of columns for an rtree table".to_owned()
            }
            Some(name) if text => format!("reserved fts5 column name: {name}"),
            _ if text && (twice || columns.is_empty()) => {
                format!("vtable constructor failed: {}", create.name)
            }
            Some(_) | None => return,
        };
        self.told.fails("type-mismatch", SQL_ERROR, detail);
    }
}
