//! A whole schema as canonical SQL.
//!
//! In: what the introspection of one server read. Out: objects in an order in which they load
//! into an empty database, equal for equal schemas; as one text, as a file that a person can
//! commit, and as fingerprints.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::schema::{Name, Size};
use crate::sql::{Server, ServerKind};

/// What a snapshot reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotOptions {
    /// Write down who owns what.
    pub owners: bool,
    /// Write down privileges.
    pub grants: bool,
    /// Read rows and bytes of each table as well.
    pub sizes: bool,
    /// Names of our own tables and views, which are no part of the schema.
    pub own: BTreeSet<String>,
    /// Tables whose names begin so are no part of the schema either.
    pub own_prefix: Option<String>,
    /// Schemas left out besides the server's own.
    pub without_schemas: BTreeSet<String>,
}

impl Default for SnapshotOptions {
    fn default() -> Self {
        let own = ["lockwise_journal", "lockwise_history"].map(str::to_owned).into();
        Self {
            owners: false,
            grants: true,
            sizes: false,
            own,
            own_prefix: None,
            without_schemas: BTreeSet::new(),
        }
    }
}

/// Which objects are read where not the whole schema is: names, as they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Tables, views and sequences, with everything that is on them.
    pub relations: BTreeSet<String>,
    /// Routines and events.
    pub programs: BTreeSet<String>,
}

/// A whole schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The server it was read from.
    pub server: Server,
    /// The database it was read from.
    pub database: String,
    /// Settings of the database that new objects take over: `charset`, `collation`, `encoding`, …
    pub settings: BTreeMap<String, String>,
    /// The objects in the order in which they load.
    pub objects: Vec<SnapshotObject>,
    /// Rows and bytes by table, where they were asked for.
    pub sizes: BTreeMap<Name, Size>,
    /// Roles that grants and policies name (PostgreSQL), users that definers name as `user@host`
    /// (MySQL, MariaDB).
    pub roles: BTreeSet<String>,
    /// Objects that exist and are not written down, in words: `3 operators`.
    pub left_out: Vec<String>,
}

/// What stands in place of a password or a connection that the snapshot must not hold.
pub const HIDDEN: &str = "(hidden)";

/// The note of a partition that PostgreSQL detached concurrently and that waits for FINALIZE.
pub const DETACHING: &str = "detached concurrently, not finalized";

/// One object with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotObject {
    /// What it is: `table`, `index`, `view`, `function`, …
    pub kind: String,
    /// Its name; functions carry their argument types.
    pub name: Name,
    /// The table or view that it belongs to: of an index, a trigger, a policy, a grant.
    pub relation: Option<Name>,
    /// A state that no statement makes, such as an index that a failed build left invalid.
    pub note: Option<String>,
    /// The statements that make it, without semicolons.
    pub statements: Vec<String>,
}

impl SnapshotObject {
    /// Returns the statements as SQL text, a note before them.
    pub fn sql(&self) -> String {
        let mut text = String::new();
        if let Some(note) = &self.note {
            let _ = writeln!(text, "-- {note}");
        }
        for statement in &self.statements {
            text.push_str(statement);
            text.push_str(";\n");
        }
        text
    }

    /// Returns the SHA-256 of the text, in hexadecimal.
    pub fn fingerprint(&self) -> String {
        hex(&Sha256::digest(self.sql()))
    }

    /// Says whether the object is one of these, or belongs to one of them.
    pub fn concerns(&self, names: &BTreeSet<Name>) -> bool {
        names.contains(&self.name)
            || self.relation.as_ref().is_some_and(|relation| names.contains(relation))
    }
}

impl Snapshot {
    /// Returns the whole schema as one SQL text: equal texts for equal schemas.
    pub fn text(&self) -> String {
        let texts: Vec<String> = self.objects.iter().map(SnapshotObject::sql).collect();
        texts.join("\n")
    }

    /// Returns the SHA-256 of [`Self::text`], in hexadecimal.
    pub fn fingerprint(&self) -> String {
        hex(&Sha256::digest(self.text()))
    }

    /// Returns a fingerprint of these objects alone and what belongs to them.
    pub fn fingerprint_of(&self, names: &BTreeSet<Name>) -> String {
        let mut hash = Sha256::new();
        for object in self.objects.iter().filter(|object| object.concerns(names)) {
            hash.update(object.sql());
            hash.update([0]);
        }
        hex(&hash.finalize())
    }

    /// Returns the statements in the order in which they load.
    pub fn statements(&self) -> impl Iterator<Item = &str> {
        self.objects.iter().flat_map(|object| object.statements.iter().map(String::as_str))
    }

    /// Returns the settings that decide what statements do.
    pub fn server_settings(&self) -> BTreeMap<String, String> {
        let mut settings = self.settings.clone();
        if !self.server.kind.is_mysql_family() {
            settings.retain(|name, _| name == "timezone");
        }
        settings
    }

    /// Returns the schemas in which new sessions look for names (PostgreSQL); none where that is
    /// not known. One that is named after the user is left out.
    pub fn search_path(&self) -> Option<Vec<String>> {
        let path = self.settings.get("search_path")?.split(',');
        let schemas = path.map(|schema| schema.trim().trim_matches('"').to_owned());
        let known: Vec<String> =
            schemas.filter(|schema| !schema.is_empty() && schema != "$user").collect();
        (!known.is_empty()).then_some(known)
    }

    /// Finds an object by kind and name.
    pub fn object(&self, kind: &str, name: &Name) -> Option<&SnapshotObject> {
        self.objects.iter().find(|object| object.kind == kind && object.name == *name)
    }

    /// Returns the text of a snapshot file: format, server, settings and sizes as comments, then
    /// every object after a line that says what it is.
    pub fn to_file(&self) -> String {
        let mut text = format!("{FILE_HEAD}{FILE_FORMAT}\n");
        let _ = writeln!(text, "--@ server {} {}", self.server.kind, self.server.version);
        let _ = writeln!(text, "--@ database {}", word(&self.database));
        for (name, value) in &self.settings {
            let _ = writeln!(text, "--@ setting {} {}", word(name), word(value));
        }
        for role in &self.roles {
            let _ = writeln!(text, "--@ role {}", word(role));
        }
        for left_out in &self.left_out {
            let _ = writeln!(text, "--@ without {}", word(left_out));
        }
        for (name, size) in &self.sizes {
            let (schema, table) = (word(&name.schema), word(&name.name));
            let _ = write!(text, "--@ size {schema} {table} {} {}", size.rows, size.bytes);
            let counted =
                [("row-versions", size.row_versions), ("auto-increment", size.auto_increment)];
            for (what, number) in counted {
                let _ = number.map(|number| write!(text, " {what}={number}"));
            }
            text.push('\n');
        }
        for object in &self.objects {
            let (schema, name) = (word(&object.name.schema), word(&object.name.name));
            let _ = write!(text, "\n--@ object {} {schema} {name}", object.kind);
            if let Some(relation) = &object.relation {
                let (schema, name) = (word(&relation.schema), word(&relation.name));
                let _ = write!(text, " of {schema} {name}");
            }
            if let Some(note) = &object.note {
                let _ = write!(text, "\n--@ note {}", word(note));
            }
            text.push('\n');
            for statement in &object.statements {
                let _ = writeln!(text, "{statement};\n--@ end");
            }
        }
        text
    }

    /// Reads a snapshot file.
    pub fn from_file(text: &str) -> Result<Self, BadSnapshot> {
        let bad = |line: usize| BadSnapshot::Line(line + 1);
        let mut lines = text.lines().enumerate();
        let head = lines.next().map(|(_, line)| line).unwrap_or_default();
        let format = head.strip_prefix(FILE_HEAD).ok_or(BadSnapshot::NoSnapshot)?;
        if format.trim() != FILE_FORMAT {
            return Err(BadSnapshot::Format(format.trim().to_owned()));
        }
        let mut snapshot = Self::empty(Server::of(ServerKind::Postgres));
        let mut statement = String::new();
        for (number, line) in lines {
            let Some(mark) = line.strip_prefix("--@ ") else {
                if !(statement.is_empty() && line.is_empty()) {
                    statement.push_str(line);
                    statement.push('\n');
                }
                continue;
            };
            if mark == "end" {
                let sql = std::mem::take(&mut statement);
                let sql = sql.trim_end_matches('\n');
                let sql = sql.strip_suffix(';').ok_or_else(|| bad(number))?.to_owned();
                let object = snapshot.objects.last_mut().ok_or_else(|| bad(number))?;
                object.statements.push(sql);
            } else {
                snapshot.read_mark(mark).ok_or_else(|| bad(number))?;
            }
        }
        Ok(snapshot)
    }

    /// Returns a snapshot of an empty database.
    pub fn empty(server: Server) -> Self {
        Self {
            server,
            database: String::new(),
            settings: BTreeMap::new(),
            objects: Vec::new(),
            sizes: BTreeMap::new(),
            roles: BTreeSet::new(),
            left_out: Vec::new(),
        }
    }

    /// Takes one marked line of a snapshot file.
    fn read_mark(&mut self, mark: &str) -> Option<()> {
        let words: Vec<String> = mark.split(' ').map(unword).collect::<Option<_>>()?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["server", kind, version] => {
                self.server = Server { kind: kind.parse().ok()?, version: version.parse().ok()? };
            }
            ["database", name] => (*name).clone_into(&mut self.database),
            ["setting", name, value] => {
                self.settings.insert((*name).to_owned(), (*value).to_owned());
            }
            ["role", role] => {
                self.roles.insert((*role).to_owned());
            }
            ["without", what] => self.left_out.push((*what).to_owned()),
            ["size", schema, name, rows, bytes, counted @ ..] => {
                let (rows, bytes) = (rows.parse().ok()?, bytes.parse().ok()?);
                let mut size = Size { rows, bytes, ..Size::default() };
                for one in counted {
                    match one.split_once('=')? {
                        ("row-versions", number) => size.row_versions = Some(number.parse().ok()?),
                        ("auto-increment", next) => size.auto_increment = Some(next.parse().ok()?),
                        _ => return None,
                    }
                }
                self.sizes.insert(Name::new(*schema, *name), size);
            }
            ["object", kind, schema, name, rest @ ..] => {
                let relation = match rest {
                    [] => None,
                    ["of", schema, name] => Some(Name::new(*schema, *name)),
                    _ => return None,
                };
                let (kind, name) = ((*kind).to_owned(), Name::new(*schema, *name));
                let statements = Vec::new();
                self.objects.push(SnapshotObject { kind, name, relation, note: None, statements });
            }
            ["note", note] => self.objects.last_mut()?.note = Some((*note).to_owned()),
            _ => return None,
        }
        Some(())
    }
}

/// The first line of a snapshot file, up to its format number.
const FILE_HEAD: &str = "-- lockwise snapshot ";

/// The format that is written, and read.
const FILE_FORMAT: &str = "1";

/// A text that is no snapshot file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSnapshot {
    /// The first line is another.
    #[error("this is not a lockwise snapshot: its first line is another")]
    NoSnapshot,
    /// A format of another version.
    #[error("snapshot format {0} is not known to this version")]
    Format(String),
    /// A marked line is not understood.
    #[error("line {0} of the snapshot is not understood")]
    Line(usize),
}

/// Writes a text as one word: blanks, control characters and `%` as `%XX`, nothing as `%`.
fn word(text: &str) -> String {
    if text.is_empty() {
        return "%".to_owned();
    }
    let mut word = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '%' || c == ' ' || (c.is_ascii_control()) {
            let _ = write!(word, "%{:02x}", u32::from(c));
        } else {
            word.push(c);
        }
    }
    word
}

/// Reads a word written by [`word`].
fn unword(word: &str) -> Option<String> {
    if word == "%" {
        return Some(String::new());
    }
    let mut parts = word.split('%');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let code = u32::from_str_radix(part.get(..2)?, 16).ok()?;
        text.push(char::from_u32(code)?);
        text.push_str(part.get(2..)?);
    }
    Some(text)
}

/// Writes bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Snapshot {
        let server = Server { kind: ServerKind::Sqlite, version: "3.51.3".parse().unwrap() };
        let mut snapshot = Snapshot::empty(server);
        snapshot.database = "shop 100%".to_owned();
        snapshot.settings.insert("encoding".to_owned(), "UTF-8".to_owned());
        let orders = Name::new("main", "or ders");
        snapshot.sizes.insert(
            orders.clone(),
            Size { rows: 3, bytes: 4096, auto_increment: Some(7), ..Size::default() },
        );
        snapshot.objects.push(SnapshotObject {
            kind: "table".to_owned(),
            name: orders.clone(),
            relation: None,
            note: None,
            statements: vec!["CREATE TABLE \"or ders\" (\n\n  id int -- ; no end\n)".to_owned()],
        });
        snapshot.objects.push(SnapshotObject {
            kind: "index".to_owned(),
            name: Name::new("main", "i"),
            relation: Some(orders),
            note: Some("invalid".to_owned()),
            statements: vec!["CREATE INDEX i ON \"or ders\" (id)".to_owned()],
        });
        snapshot
    }

    #[test]
    fn a_file_reads_back_as_it_was() {
        let snapshot = sample();
        assert_eq!(Snapshot::from_file(&snapshot.to_file()), Ok(snapshot));
    }

    #[test]
    fn other_files_are_refused() {
        assert_eq!(Snapshot::from_file("CREATE TABLE t ();"), Err(BadSnapshot::NoSnapshot));
        let other = "-- lockwise snapshot 9\n";
        assert_eq!(Snapshot::from_file(other), Err(BadSnapshot::Format("9".into())));
        let broken = "-- lockwise snapshot 1\n--@ colour blue\n";
        assert_eq!(Snapshot::from_file(broken), Err(BadSnapshot::Line(2)));
    }

    #[test]
    fn a_scoped_fingerprint_follows_the_table_and_what_is_on_it() {
        let names = BTreeSet::from([Name::new("main", "or ders")]);
        let (before, mut snapshot) = (sample().fingerprint_of(&names), sample());
        snapshot.objects[1].note = None;
        assert_ne!(snapshot.fingerprint_of(&names), before);
        let other = BTreeSet::from([Name::new("main", "else")]);
        assert_eq!(snapshot.fingerprint_of(&other), sample().fingerprint_of(&other));
    }
}
