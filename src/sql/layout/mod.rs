//! Files to migrations: which convention a folder follows, and what its names and markers say.
//!
//! In: paths and bytes, read by the caller. Out: an [`Arrangement`]: migrations in the order in
//! which their tool runs them, not parsed yet, since the server may have to be guessed from them
//! first. What cannot be read is a [`LayoutError`]; what is no migration is told as [`Skipped`].
//!
//! Conventions are those of the tools people have (sqlx, refinery, diesel, golang-migrate, dbmate,
//! goose, Flyway, Prisma, Atlas, …): names, markers and who opens a transaction, as each tool's
//! documentation and source define them.

mod arrange;
mod changelog;
mod decode;
mod detect;
mod draft;
mod error;
mod guess;
mod name;
mod next;
mod role;
mod roots;
mod sections;

use std::fmt;
use std::sync::Arc;

pub use arrange::arrange;
pub use draft::Draft;
pub use error::{LayoutError, Problem};
pub use guess::{Guess, guess_server};
pub use next::{CannotName, NewFile, next_files};

use super::migration::{Convention, Version};
use super::server::{Server, ServerKind};

/// A file as it was found.
#[derive(Debug, Clone)]
pub struct InputFile {
    /// The path as it is shown, with `/` between its parts.
    pub path: String,
    /// What is in it.
    pub content: Content,
}

/// What is in a file.
#[derive(Debug, Clone)]
pub enum Content {
    /// It was read.
    Bytes(Vec<u8>),
    /// It is read when it is needed, and again where it was let go of in between.
    Unread(Reader),
}

/// Reads a file by the path that is shown; an error says in one lower-case line what is wrong.
#[derive(Clone)]
pub struct Reader(Arc<ReadFile>);

type ReadFile = dyn Fn(&str) -> Result<Vec<u8>, String> + Send + Sync;

impl Reader {
    /// Returns the reader that calls a function.
    pub fn new(read: impl Fn(&str) -> Result<Vec<u8>, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, LayoutError> {
        (self.0)(path).map_err(|error| LayoutError {
            path: path.to_owned(),
            position: None,
            problem: Problem::Unreadable { error },
        })
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

/// Something named on the command line.
#[derive(Debug, Clone)]
pub enum Given {
    /// A folder or a glob: everything found there, in any order.
    Folder {
        /// The folder, or the part of a glob before its first special character.
        path: String,
        /// All SQL files below it, and the files beside them that say something about them
        /// (see [`is_sidecar`]). Those that are not read yet are read folder by folder.
        files: Vec<InputFile>,
    },
    /// One file.
    File {
        /// The file.
        file: InputFile,
        /// What stands beside it and says something about it.
        beside: Vec<InputFile>,
    },
    /// Standard input.
    Stdin {
        /// What was read.
        bytes: Vec<u8>,
    },
}

/// Says whether a file that is no migration says something about migrations.
pub fn is_sidecar(file_name: &str) -> bool {
    matches!(
        file_name,
        "atlas.sum" | "metadata.toml" | "sqitch.plan" | "_journal.json" | "migration_lock.toml"
    ) || file_name.ends_with(".sql.conf")
        || name::code_version(file_name).is_some()
}

/// Migrations in their order, and what could not be read.
#[derive(Debug, Clone, Default)]
pub struct Arrangement {
    /// Folders with the migrations in them.
    pub groups: Vec<Group>,
    /// What could not be read.
    pub errors: Vec<LayoutError>,
    /// SQL files that are no migrations by the convention of their folder.
    pub skipped: Vec<Skipped>,
}

/// Migrations that belong together.
#[derive(Debug, Clone)]
pub struct Group {
    /// The folder; empty for files named one by one.
    pub folder: String,
    /// Its convention.
    pub convention: Convention,
    /// It is one of several unrelated folders below a given one: its history starts anew.
    pub unrelated: bool,
    /// Its migrations in the order in which they run.
    pub drafts: Vec<Draft>,
}

impl Group {
    /// Leaves out the files that are meant for other servers (pop's `.mysql.up.sql`).
    pub fn select(&mut self, server: Server) {
        use name::Dialect;
        let matches = |dialect: Option<Dialect>| match dialect {
            None => Some(false),
            Some(Dialect::Foreign) => None,
            Some(Dialect::Known(kind)) => (kind == server.kind
                || (kind == ServerKind::Mysql && server.kind == ServerKind::Mariadb))
                .then_some(true),
        };
        let is_exact = |draft: &Draft| matches(draft.dialect) == Some(true);
        let name = |draft: &Draft| (draft.version.clone(), draft.name.clone());
        self.drafts.retain(|draft| draft.runs_on(server.kind) && matches(draft.dialect).is_some());
        // A file for this very server takes the place of the one for all.
        let exact: std::collections::BTreeSet<(Version, String)> =
            self.drafts.iter().filter(|draft| is_exact(draft)).map(name).collect();
        if !exact.is_empty() {
            self.drafts.retain(|draft| is_exact(draft) || !exact.contains(&name(draft)));
        }
        self.drafts.shrink_to_fit();
    }
}

/// An SQL file that is not judged, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// The path.
    pub path: String,
    /// Why, one lower-case line.
    pub reason: &'static str,
}
