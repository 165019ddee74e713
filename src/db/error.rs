//! What a server answered when it did not do what was asked.

use std::fmt;

/// The kinds of failure that a runner treats differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A lock was not granted in time: nothing was done, trying again is safe.
    LockTimeout,
    /// The server chose this session as the victim of a deadlock.
    Deadlock,
    /// The transaction collided with another and can be run again.
    Serialization,
    /// The statement ran longer than allowed.
    StatementTimeout,
    /// Somebody cancelled the statement.
    Cancelled,
    /// The connection broke: what the statement did is not known.
    ConnectionLost,
    /// No connection could be made.
    Unreachable,
    /// The user may not do this.
    Permission,
    /// The user or password was refused.
    Authentication,
    /// The database or file does not exist.
    MissingDatabase,
    /// The server, the session or the file is read-only.
    ReadOnly,
    /// The server does not understand the statement.
    Syntax,
    /// The data violate a constraint.
    Constraint,
    /// Out of disk, memory or connections.
    Resources,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// Returns the word used in journals and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LockTimeout => "lock-timeout",
            Self::Deadlock => "deadlock",
            Self::Serialization => "serialization",
            Self::StatementTimeout => "statement-timeout",
            Self::Cancelled => "cancelled",
            Self::ConnectionLost => "connection-lost",
            Self::Unreachable => "unreachable",
            Self::Permission => "permission",
            Self::Authentication => "authentication",
            Self::MissingDatabase => "missing-database",
            Self::ReadOnly => "read-only",
            Self::Syntax => "syntax",
            Self::Constraint => "constraint",
            Self::Resources => "resources",
            Self::Other => "other",
        }
    }

    /// Says whether the same statement may succeed when it is sent again later.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::LockTimeout | Self::Deadlock | Self::Serialization | Self::Unreachable)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error of a server, or of the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError {
    /// What it means.
    pub kind: ErrorKind,
    /// SQLSTATE (PostgreSQL), error number (MySQL, MariaDB), extended result code (SQLite).
    pub code: Option<String>,
    /// The server's own words.
    pub message: String,
    /// More of the server's words (PostgreSQL DETAIL).
    pub detail: Option<String>,
    /// The server's advice (PostgreSQL HINT).
    pub advice: Option<String>,
    /// Byte offset in the statement sent, where the server names a place.
    pub position: Option<usize>,
}

impl ServerError {
    /// Returns an error that no server sent.
    pub(super) fn local(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, code: None, message, detail: None, advice: None, position: None }
    }

    /// Returns an error of lockwise itself, in the place of a server's.
    pub fn own(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::local(kind, message)
    }

    /// Says whether the server itself refused. If not, what it did could not be found out.
    ///
    /// A refusal proves that nothing happened only where the statement is atomic: MariaDB's
    /// `DROP TABLE a, missing` fails and has dropped `a` (measured on 10.11).
    pub const fn was_answered(&self) -> bool {
        !matches!(self.kind, ErrorKind::ConnectionLost)
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message.trim_end().replace('\n', " ").as_str())?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        if let Some(detail) = &self.detail {
            write!(f, ": {}", detail.replace('\n', " "))?;
        }
        Ok(())
    }
}

impl std::error::Error for ServerError {}

/// Everything that can go wrong in this folder.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL of a database is not understood.
    #[error(transparent)]
    Target(#[from] super::TargetError),
    /// No session could be opened.
    #[error("cannot connect to {target}")]
    Connect {
        /// The database, without user and password.
        target: String,
        /// Why.
        #[source]
        cause: Box<ServerError>,
    },
    /// The server refused a statement, or the connection broke.
    #[error("{attempt}")]
    Server {
        /// What was attempted: `cannot read the schema`.
        attempt: String,
        /// Why it failed.
        #[source]
        cause: Box<ServerError>,
    },
    /// Another run holds the migration lock.
    #[error("{}", locked(*waited_ms, holder.as_deref()))]
    Locked {
        /// How long it was tried.
        waited_ms: u64,
        /// Who holds it, as far as that can be seen.
        holder: Option<Box<super::Holder>>,
    },
    /// The migration lock was not ours any more when it was given back.
    #[error("the migration lock was lost before the end of the run")]
    LockLost,
    /// A row of the journal is not understood.
    #[error("row {seq} of the journal cannot be read: {why}")]
    Journal {
        /// Its number.
        seq: u64,
        /// Why.
        why: String,
    },
    /// No shadow database.
    #[error("{message}")]
    Shadow {
        /// What went wrong.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// A file beside the database.
    #[error("cannot use {path}")]
    File {
        /// The file.
        path: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

/// Says who holds the lock.
fn locked(waited_ms: u64, holder: Option<&super::Holder>) -> String {
    let holder = holder.map_or_else(|| "another session".to_owned(), ToString::to_string);
    let seconds = std::time::Duration::from_millis(waited_ms).as_secs_f32();
    format!("the migration lock was not free within {seconds} s: {holder} holds it")
}

impl Error {
    /// Returns the server's part of the error.
    pub const fn cause(&self) -> Option<&ServerError> {
        match self {
            Self::Target(_)
            | Self::Locked { .. }
            | Self::LockLost
            | Self::Journal { .. }
            | Self::Shadow { .. }
            | Self::File { .. } => None,
            Self::Connect { cause, .. } | Self::Server { cause, .. } => Some(cause),
        }
    }

    /// Returns what to do next, in one sentence.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Target(error) => Some(error.hint()),
            Self::Connect { cause, .. } => connect_hint(cause.kind).map(str::to_owned),
            Self::Server { cause, .. } => server_hint(cause),
            Self::Locked { .. } => {
                Some("wait until that run has ended, or end its session, and run again".to_owned())
            }
            Self::LockLost => Some(
                "connect to the server directly: a pooler gave the session to somebody else"
                    .to_owned(),
            ),
            Self::Journal { .. } => Some("use the version of lockwise that wrote it".to_owned()),
            Self::Shadow { hint, .. } => Some(hint.clone()),
            Self::File { .. } => Some("check that its folder exists and is writable".to_owned()),
        }
    }
}

/// Returns the advice for a connection that did not come about.
const fn connect_hint(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::Unreachable | ErrorKind::ConnectionLost => {
            Some("check that the server runs and that host, port or socket are right")
        }
        ErrorKind::Authentication => {
            Some("give the password in PGPASSWORD or MYSQL_PWD, in a password file, or in the URL")
        }
        ErrorKind::MissingDatabase => Some("create the database first, or correct its name"),
        ErrorKind::Permission => Some("use a login that may connect to this database"),
        ErrorKind::Resources => Some("wait until the server has a free connection"),
        ErrorKind::LockTimeout
        | ErrorKind::Deadlock
        | ErrorKind::Serialization
        | ErrorKind::StatementTimeout
        | ErrorKind::Cancelled
        | ErrorKind::ReadOnly
        | ErrorKind::Syntax
        | ErrorKind::Constraint
        | ErrorKind::Other => None,
    }
}

/// Returns the advice for a refusal: the server's own, or what its kind asks for.
fn server_hint(cause: &ServerError) -> Option<String> {
    let own = match cause.kind {
        ErrorKind::Permission => Some("use a login that has this privilege, or grant it"),
        ErrorKind::ReadOnly => Some("connect to the primary with a login that may write"),
        ErrorKind::Resources => Some("free disk space, memory or connections on the server"),
        ErrorKind::ConnectionLost => Some("run `lockwise status`, then run the command again"),
        ErrorKind::LockTimeout
        | ErrorKind::Deadlock
        | ErrorKind::Serialization
        | ErrorKind::StatementTimeout
        | ErrorKind::Cancelled
        | ErrorKind::Unreachable
        | ErrorKind::Authentication
        | ErrorKind::MissingDatabase
        | ErrorKind::Syntax
        | ErrorKind::Constraint
        | ErrorKind::Other => None,
    };
    cause.advice.clone().or_else(|| own.map(str::to_owned))
}

/// Gives a server's error the attempt it belongs to.
pub(super) trait Attempt<T> {
    /// Names what was attempted.
    fn attempt(self, what: &str) -> Result<T, Error>;
}

impl<T> Attempt<T> for Result<T, ServerError> {
    fn attempt(self, what: &str) -> Result<T, Error> {
        self.map_err(|cause| Error::Server { attempt: what.to_owned(), cause: Box::new(cause) })
    }
}
