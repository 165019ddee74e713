//! How a table is written into the snapshot: one `CREATE`, and what must stand outside of it.

use std::collections::BTreeMap;

use super::class::Key;

/// A table as it will stand in the snapshot.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    pub(super) quoted: String,
    pub(super) words: &'static str,
    pub(super) columns: Vec<Column>,
    /// Keys and checks, by name.
    pub(super) constraints: BTreeMap<String, (Key, String)>,
    pub(super) parents: Vec<String>,
    pub(super) partition_by: Option<String>,
    pub(super) access_method: Option<String>,
    pub(super) options: Option<String>,
    /// Server and options of a foreign table.
    pub(super) foreign: Option<String>,
}

impl Table {
    /// Returns the statements that make the table.
    pub(super) fn statements(&self) -> Vec<String> {
        let inherits = !self.parents.is_empty();
        let written = self.columns.iter().filter(|column| column.local || !inherits);
        let mut lines: Vec<String> =
            written.map(|column| format!("    {}", column.definition())).collect();
        for (name, (_, definition)) in &self.constraints {
            lines.push(format!("    CONSTRAINT {name} {definition}"));
        }
        let mut create = format!("CREATE {} {} (", self.words, self.quoted);
        if !lines.is_empty() {
            create.push('\n');
            create.push_str(&lines.join(",\n"));
            create.push('\n');
        }
        create.push(')');
        if inherits {
            create.push_str(&format!("\nINHERITS ({})", self.parents.join(", ")));
        }
        if let Some(key) = &self.partition_by {
            create.push_str(&format!("\nPARTITION BY {key}"));
        }
        if let Some(method) = &self.access_method {
            create.push_str(&format!("\nUSING {method}"));
        }
        if let Some(options) = &self.options {
            create.push_str(&format!("\nWITH ({options})"));
        }
        if let Some(foreign) = &self.foreign {
            create.push('\n');
            create.push_str(foreign);
        }
        let mut statements = vec![create];
        for column in &self.columns {
            let alter = format!("ALTER TABLE ONLY {} ALTER COLUMN {}", self.quoted, column.quoted);
            if inherits && !column.local {
                let default = column.default.as_ref().filter(|_| column.generated.is_none());
                let set =
                    default.map(|(_, expression)| format!("{alter} SET DEFAULT {expression}"));
                statements.extend(set);
                statements.extend(column.not_null.then(|| format!("{alter} SET NOT NULL")));
            }
            statements.extend(column.settings.iter().map(|setting| format!("{alter} {setting}")));
        }
        statements
    }

    /// Takes a default or a check out of the table and returns the statement that adds it later.
    pub(super) fn move_outside(&mut self, part: Key) -> Option<String> {
        let quoted = &self.quoted;
        for column in &mut self.columns {
            let is_it = column.default.as_ref().is_some_and(|(key, _)| *key == part);
            if is_it && column.generated.is_none() {
                let (_, expression) = column.default.take()?;
                let column = &column.quoted;
                let alter = format!("ALTER TABLE ONLY {quoted} ALTER COLUMN {column}");
                return Some(format!("{alter} SET DEFAULT {expression}"));
            }
        }
        let found = self.constraints.iter().find(|(_, (key, _))| *key == part);
        let name = found.map(|(name, _)| name.clone())?;
        let (_, definition) = self.constraints.remove(&name)?;
        Some(format!("ALTER TABLE {quoted} ADD CONSTRAINT {name} {definition}"))
    }
}

/// A column as it stands in `CREATE TABLE`.
#[derive(Debug, Clone, Default)]
pub(super) struct Column {
    pub(super) number: u64,
    pub(super) quoted: String,
    pub(super) data_type: String,
    pub(super) collation: Option<String>,
    pub(super) not_null: bool,
    /// The name of its NOT NULL constraint where that is not the server's own choice (18).
    pub(super) not_null_name: Option<String>,
    /// The NOT NULL constraint is not valid, or not for children: it stands outside or is marked.
    pub(super) not_null_no_inherit: bool,
    pub(super) default: Option<(Key, String)>,
    pub(super) generated: Option<&'static str>,
    pub(super) identity: Option<String>,
    /// Declared here, and not only inherited.
    pub(super) local: bool,
    /// `SET STORAGE`, `SET STATISTICS` and the like, as ends of `ALTER COLUMN` statements.
    pub(super) settings: Vec<String>,
    /// The options of a column of a foreign table.
    pub(super) foreign: String,
}

impl Column {
    /// Returns the line of the column.
    pub(super) fn definition(&self) -> String {
        let mut text = format!("{} {}{}", self.quoted, self.data_type, self.foreign);
        if let Some(collation) = &self.collation {
            text.push_str(" COLLATE ");
            text.push_str(collation);
        }
        match (&self.default, self.generated) {
            (Some((_, expression)), Some(kind)) => {
                text.push_str(&format!(" GENERATED ALWAYS AS ({expression}) {kind}"));
            }
            (Some((_, expression)), None) => text.push_str(&format!(" DEFAULT {expression}")),
            (None, _) => {}
        }
        if let Some(identity) = &self.identity {
            text.push(' ');
            text.push_str(identity);
        }
        if self.not_null {
            if let Some(name) = &self.not_null_name {
                text.push_str(&format!(" CONSTRAINT {name}"));
            }
            text.push_str(" NOT NULL");
            if self.not_null_no_inherit {
                text.push_str(" NO INHERIT");
            }
        }
        text
    }
}
