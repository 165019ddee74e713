//! Small schemas, and many statements to try on each of them.
//!
//! `testdata/servers/postgres/worlds` holds a schema a file (`base.sql` comes before each) and the
//! statements that are made for it alone. `clauses.txt` lists the statements that every table is
//! tried with, and every column that the head of the schema's file names. What servers did is in
//! the `.jsonl` file beside it: statements with the same results share a line.

use std::path::{Path, PathBuf};

/// The schemas, by the names of their files.
pub(crate) const NAMES: &[&str] = &[
    "plain",
    "views",
    "partitions",
    "partition_keys",
    "partition_levels",
    "hash_partitions",
    "inheritance",
    "many_parents",
    "objects",
    "casts",
];

/// A schema, and what is tried on it.
pub(crate) struct World {
    /// The name of its files.
    pub(crate) name: &'static str,
    /// What makes it.
    pub(crate) setup: String,
    /// The statements, each once.
    pub(crate) statements: Vec<String>,
}

/// Returns the folder of the worlds.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/servers/postgres/worlds")
}

fn file(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).expect("a file of a world")
}

/// Reads a world.
pub(crate) fn world(name: &'static str) -> World {
    let own = file(&format!("{name}.sql"));
    let clauses = file("clauses.txt");
    let clauses: Vec<&str> = clauses.lines().filter(|line| !line.starts_with('#')).collect();
    let mut statements: Vec<String> = Vec::new();
    for table in own.lines().filter_map(Table::read) {
        for clause in &clauses {
            statements.extend(table.variants(clause));
        }
    }
    statements.extend(file(&format!("{name}.txt")).lines().map(ToOwned::to_owned));
    let mut seen = std::collections::BTreeSet::new();
    statements.retain(|statement| seen.insert(statement.clone()));
    World { name, setup: format!("{}{own}", file("base.sql")), statements }
}

/// A table to try clauses on: `-- table: name | columns`, or `-- with ONLY: name | columns`.
struct Table<'t> {
    name: &'t str,
    columns: Vec<&'t str>,
    only: bool,
}

impl<'t> Table<'t> {
    fn read(line: &'t str) -> Option<Self> {
        let (kind, rest) = line.strip_prefix("-- ")?.split_once(": ")?;
        let (name, columns) = rest.split_once(" | ")?;
        let columns = columns.split(' ').collect();
        Some(Self { name, columns, only: kind == "with ONLY" })
    }

    fn variants(&self, clause: &str) -> Vec<String> {
        let plain = clause.replace("{table}", self.name);
        let mut found: Vec<String> = if plain.contains("{column}") {
            self.columns.iter().map(|column| plain.replace("{column}", column)).collect()
        } else {
            vec![plain]
        };
        if self.only {
            let alone = |sql: &String| {
                Some(format!("ALTER TABLE ONLY {}", sql.strip_prefix("ALTER TABLE ")?))
            };
            let more: Vec<String> = found.iter().filter_map(alone).collect();
            found.extend(more);
        }
        found
    }
}
