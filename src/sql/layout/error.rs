//! What can be wrong with the files of migrations.

use std::fmt;

use crate::sql::source::Position;

/// A file that cannot be read as a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutError {
    /// The file.
    pub path: String,
    /// The place in it, where there is one.
    pub position: Option<Position>,
    /// What is wrong.
    pub problem: Problem,
}

impl std::error::Error for LayoutError {}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(at) = self.position {
            write!(f, ":{}:{}", at.line, at.column)?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A byte that is no UTF-8.
    #[error("not UTF-8: byte 0x{byte:02X} at offset {offset} is no character")]
    NotUtf8 {
        /// Bytes before it.
        offset: usize,
        /// The byte.
        byte: u8,
    },
    /// The file could not be read.
    #[error("cannot read it: {error}")]
    Unreadable {
        /// Why.
        error: String,
    },
    /// The file is not what it was a moment ago.
    #[error("changed while it was read")]
    Changed,
    /// The file starts with a byte order mark of UTF-16.
    #[error("not UTF-8: the file starts like UTF-16")]
    Utf16,
    /// Places in a file are 32 bits wide.
    #[error("{bytes} bytes are too long for a migration")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Two files with one version.
    #[error("version {version} is taken by {other}")]
    DuplicateVersion {
        /// The version.
        version: String,
        /// The file that has it, too.
        other: String,
    },
    /// The name starts with something that the tool does not read as a version.
    #[error("\"{version}\" is no version: {tool} wants {wants}")]
    NotAVersion {
        /// What stands there.
        version: String,
        /// Whose convention it is.
        tool: &'static str,
        /// What it wants.
        wants: &'static str,
    },
    /// No marker starts the up section.
    #[error("no `{marker}` section")]
    NoUpSection {
        /// The marker.
        marker: &'static str,
    },
    /// Statements where dbmate allows only comments.
    #[error("a statement before the first `-- migrate:up`")]
    BeforeFirstSection,
    /// A goose block that never ends.
    #[error("StatementBegin without a StatementEnd after it")]
    BeginWithoutEnd,
    /// A goose block that never began.
    #[error("StatementEnd without a StatementBegin before it")]
    EndWithoutBegin,
    /// A marker that the tool does not have.
    #[error("unknown marker `{marker}`")]
    UnknownMarker {
        /// The line.
        marker: String,
        /// What may be meant.
        near: Option<String>,
    },
    /// `-- lockwise:no-transaction` where it is overlooked.
    #[error("`-- lockwise:no-transaction` is not the first line")]
    MarkerNotFirst,
    /// The plan names a change without a file.
    #[error("change \"{change}\" has no file in deploy/")]
    NoDeployFile {
        /// The change.
        change: String,
    },
}

impl LayoutError {
    /// Says what to do about it.
    pub fn hint(&self) -> String {
        match &self.problem {
            Problem::NotUtf8 { .. } | Problem::Utf16 => {
                "save the file as UTF-8, for example with `iconv -t UTF-8`".to_owned()
            }
            Problem::Unreadable { .. } => {
                "check that the file is there, and who may read it".to_owned()
            }
            Problem::Changed => "run the command again".to_owned(),
            Problem::TooLong { .. } => {
                "load data with the server's own tool, and keep migrations to schema changes"
                    .to_owned()
            }
            Problem::DuplicateVersion { .. } => {
                "give the later file a version of its own, after all others".to_owned()
            }
            Problem::NotAVersion { .. } => {
                "rename the file, or move it out of the folder if it is no migration".to_owned()
            }
            Problem::NoUpSection { marker } => {
                format!("write `{marker}` on a line before the first statement")
            }
            Problem::BeforeFirstSection => "move it below the marker".to_owned(),
            Problem::BeginWithoutEnd => {
                "write `-- +goose StatementEnd` after the statement".to_owned()
            }
            Problem::EndWithoutBegin => {
                "write `-- +goose StatementBegin` before the statement".to_owned()
            }
            Problem::UnknownMarker { near: Some(near), .. } => format!("write `{near}`"),
            Problem::UnknownMarker { near: None, .. } => "remove the line".to_owned(),
            Problem::MarkerNotFirst => "move it to the first line of the file".to_owned(),
            Problem::NoDeployFile { change } => {
                format!("add deploy/{change}.sql, or take the change out of sqitch.plan")
            }
        }
    }
}
