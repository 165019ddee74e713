//! The URL of a database.
//!
//! In: `postgres://…`, `mysql://…`, `mariadb://…`, `sqlite:…` or a file path. Out: a [`Target`],
//! which prints itself without user and password.

use std::fmt;
use std::path::{Path, PathBuf};

use super::secrets::{Login, Secrets};

/// How much TLS a connection wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// Where the server has it.
    #[default]
    Prefer,
    /// Never.
    Disable,
    /// Always, whoever signed the certificate.
    Require,
    /// Always, with a certificate of a known authority.
    VerifyCa,
    /// Always, with a certificate of a known authority for this host.
    VerifyFull,
}

/// A database to connect to. Prints itself as scheme, host, port and database only.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    pub(super) place: Place,
}

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A PostgreSQL server.
    Postgres(Network),
    /// A MySQL or MariaDB server; which of them, it says itself.
    Mysql(Network),
    /// A SQLite file.
    SqliteFile(PathBuf),
    /// A SQLite database that lives as long as its connection.
    SqliteMemory,
}

/// A server, a database on it, and who asks.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Network {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) socket: Option<PathBuf>,
    pub(super) user: String,
    pub(super) password: Option<String>,
    pub(super) database: Option<String>,
    pub(super) tls: Tls,
    pub(super) tls_ca: Option<PathBuf>,
}

/// The URL of a database is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The scheme is none of ours.
    #[error("unknown database URL scheme \"{0}\"")]
    Scheme(String),
    /// The port is no number.
    #[error("the port in the database URL is not a number from 1 to 65535")]
    Port,
    /// A `%` is not followed by two hexadecimal digits, or the bytes are not UTF-8.
    #[error("the database URL has a broken % escape in its {0}")]
    Escape(&'static str),
    /// A parameter is not known.
    #[error("unknown parameter \"{0}\" in the database URL")]
    Parameter(String),
    /// A parameter has a value that it cannot have.
    #[error("parameter \"{name}\" of the database URL cannot be \"{value}\"")]
    Value {
        /// The parameter.
        name: String,
        /// What stands there.
        value: String,
    },
    /// No user is named anywhere.
    #[error("the database URL names no user")]
    NoUser,
    /// Nothing is written at all.
    #[error("the database URL is empty")]
    Empty,
}

impl TargetError {
    /// Returns what to write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::Scheme(_) | Self::Empty => {
                "write postgres://, mysql://, mariadb:// or sqlite: and a file path".to_owned()
            }
            Self::Port => "write the port after the host: postgres://host:5432/database".to_owned(),
            Self::Escape(_) => "write special characters as %XX, for example %40 for @".to_owned(),
            Self::Parameter(_) => {
                "known parameters: sslmode, sslrootcert, host, port, socket, user, password, dbname"
                    .to_owned()
            }
            Self::Value { .. } => {
                "sslmode is one of disable, prefer, require, verify-ca, verify-full".to_owned()
            }
            Self::NoUser => "write the user before the host: postgres://user@host/database".into(),
        }
    }
}

impl Target {
    /// Reads a URL or a file path; what the URL leaves out comes from `secrets`.
    pub fn parse(text: &str, secrets: &Secrets) -> Result<Self, TargetError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TargetError::Empty);
        }
        let place = match text.split_once("://") {
            Some(("postgres" | "postgresql", rest)) => {
                let mut network = network(rest, 5432)?;
                complete_postgres(&mut network, secrets)?;
                Place::Postgres(network)
            }
            Some(("mysql" | "mariadb", rest)) => {
                let mut network = network(rest, 3306)?;
                complete_mysql(&mut network, secrets);
                Place::Mysql(network)
            }
            Some(("sqlite" | "sqlite3", rest)) => sqlite(rest),
            Some((scheme, _)) if !scheme.contains(['/', '\\']) => {
                return Err(TargetError::Scheme(scheme.to_owned()));
            }
            Some(_) | None => {
                let rest = text.strip_prefix("sqlite:").or_else(|| text.strip_prefix("file:"));
                sqlite(rest.unwrap_or(text))
            }
        };
        Ok(Self { place })
    }

    /// Returns a SQLite database in memory.
    pub const fn memory() -> Self {
        Self { place: Place::SqliteMemory }
    }

    /// Returns a SQLite database in a file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { place: Place::SqliteFile(path.into()) }
    }

    /// Returns the path of a SQLite file.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::SqliteFile(path) => Some(path),
            Place::Postgres(_) | Place::Mysql(_) | Place::SqliteMemory => None,
        }
    }

    /// Returns the name of the database that the URL names.
    pub fn database(&self) -> Option<&str> {
        match &self.place {
            Place::Postgres(network) | Place::Mysql(network) => network.database.as_deref(),
            Place::SqliteFile(_) | Place::SqliteMemory => None,
        }
    }

    /// Returns the same server and login with another database.
    pub fn with_database(&self, database: &str) -> Self {
        let mut target = self.clone();
        match &mut target.place {
            Place::Postgres(network) | Place::Mysql(network) => {
                network.database = Some(database.to_owned());
            }
            Place::SqliteFile(_) | Place::SqliteMemory => {}
        }
        target
    }

    /// Says whether this is SQLite.
    pub const fn is_sqlite(&self) -> bool {
        matches!(self.place, Place::SqliteFile(_) | Place::SqliteMemory)
    }

    /// Says whether the URL is one of PostgreSQL.
    pub const fn is_postgres(&self) -> bool {
        matches!(self.place, Place::Postgres(_))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, network) = match &self.place {
            Place::Postgres(network) => ("postgres", network),
            Place::Mysql(network) => ("mysql", network),
            Place::SqliteFile(path) => return write!(f, "sqlite:{}", path.display()),
            Place::SqliteMemory => return f.write_str("sqlite::memory:"),
        };
        let database = network.database.as_deref().unwrap_or("");
        match &network.socket {
            Some(socket) => write!(f, "{scheme}:{}/{database}", socket.display()),
            None if network.host.contains(':') => {
                write!(f, "{scheme}://[{}]:{}/{database}", network.host, network.port)
            }
            None => write!(f, "{scheme}://{}:{}/{database}", network.host, network.port),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

/// Reads what follows `sqlite:`; a query part is the driver's business and left out.
fn sqlite(rest: &str) -> Place {
    let path = rest.split('?').next().unwrap_or(rest);
    if path.is_empty() || path == ":memory:" {
        Place::SqliteMemory
    } else {
        Place::SqliteFile(PathBuf::from(path))
    }
}

/// Reads `[user[:password]@][host[:port]][/database][?name=value&…]`.
fn network(rest: &str, default_port: u16) -> Result<Network, TargetError> {
    let (before, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (login, place) = before.rsplit_once('@').unwrap_or(("", before));
    let (address, database) = place.split_once('/').unwrap_or((place, ""));
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(decode(password, "password")?)),
        None => (login, None),
    };
    let (host, port) = address_parts(address)?;
    let mut network = Network {
        host: decode(host, "host")?,
        port: port.unwrap_or(default_port),
        socket: None,
        user: decode(user, "user")?,
        password,
        database: Some(decode(database, "database")?).filter(|name| !name.is_empty()),
        tls: Tls::default(),
        tls_ca: None,
    };
    for pair in parameters.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        set_parameter(&mut network, name, decode(value, "parameters")?)?;
    }
    if network.host.starts_with('/') {
        network.socket = Some(PathBuf::from(std::mem::take(&mut network.host)));
    }
    if network.host.is_empty() {
        "localhost".clone_into(&mut network.host);
    }
    Ok(network)
}

/// Splits host and port; an IPv6 address stands in brackets.
fn address_parts(address: &str) -> Result<(&str, Option<u16>), TargetError> {
    let (host, port) = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match address.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    match port {
        None | Some("") => Ok((host, None)),
        Some(port) => Ok((host, Some(port_number(port)?))),
    }
}

/// Reads a port.
fn port_number(text: &str) -> Result<u16, TargetError> {
    text.parse().ok().filter(|port| *port > 0).ok_or(TargetError::Port)
}

/// Takes one parameter of the query part.
fn set_parameter(network: &mut Network, name: &str, value: String) -> Result<(), TargetError> {
    match name {
        "sslmode" | "ssl-mode" | "ssl_mode" => {
            network.tls = match value.to_ascii_lowercase().replace('_', "-").as_str() {
                "disable" | "disabled" => Tls::Disable,
                "allow" | "prefer" | "preferred" => Tls::Prefer,
                "require" | "required" => Tls::Require,
                "verify-ca" => Tls::VerifyCa,
                "verify-full" | "verify-identity" => Tls::VerifyFull,
                _ => return Err(TargetError::Value { name: name.to_owned(), value }),
            }
        }
        "sslrootcert" | "ssl-root-cert" | "ssl-ca" | "ssl_ca" => {
            network.tls_ca = Some(PathBuf::from(value));
        }
        "socket" => network.socket = Some(PathBuf::from(value)),
        "host" => network.host = value,
        "port" => network.port = port_number(&value)?,
        "user" => network.user = value,
        "password" => network.password = Some(value),
        "dbname" => network.database = Some(value),
        // Common in URLs written for other tools, without a meaning here.
        "schema" | "connect_timeout" | "application_name" | "charset" | "pool_max" => {}
        _ => return Err(TargetError::Parameter(name.to_owned())),
    }
    Ok(())
}

/// Fills in what a PostgreSQL URL leaves out, as libpq does: the database is named as the user.
fn complete_postgres(network: &mut Network, secrets: &Secrets) -> Result<(), TargetError> {
    if network.user.is_empty() {
        network.user = secrets.user.clone().ok_or(TargetError::NoUser)?;
    }
    if network.database.is_none() {
        network.database = Some(network.user.clone());
    }
    if network.password.is_none() {
        let login = Login {
            host: &network.host,
            port: network.port,
            database: network.database.as_deref().unwrap_or(""),
            user: &network.user,
        };
        network.password = secrets.postgres(login);
    }
    Ok(())
}

/// Fills in what a MySQL URL leaves out.
fn complete_mysql(network: &mut Network, secrets: &Secrets) {
    if network.user.is_empty() {
        let user = secrets.mysql_user().or_else(|| secrets.user.clone());
        network.user = user.unwrap_or_else(|| "root".to_owned());
    }
    if network.password.is_none() {
        network.password = secrets.mysql();
    }
}

/// Replaces `%XX`.
fn decode(text: &str, part: &'static str) -> Result<String, TargetError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next(), rest.next()];
            let value = digits.into_iter().try_fold(0_u32, |sum, digit| {
                let digit = char::from(digit?).to_digit(16)?;
                Some(sum * 16 + digit)
            });
            let value = value.and_then(|value| u8::try_from(value).ok());
            bytes.push(value.ok_or(TargetError::Escape(part))?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| TargetError::Escape(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, printed: &str) -> Target {
        let secrets = Secrets { user: Some("os".into()), ..Secrets::default() };
        let target = Target::parse(url, &secrets).expect("the URL is good");
        assert_eq!(target.to_string(), printed);
        assert!(!format!("{target:?}").contains("geheim"));
        target
    }

    #[test]
    fn urls_print_without_user_and_password() {
        check("postgres://app:geheim@db:5433/shop", "postgres://db:5433/shop");
        check("postgresql://db/shop?sslmode=require", "postgres://db:5432/shop");
        check("mysql://app:geh%65im@[::1]/shop", "mysql://[::1]:3306/shop");
        check("mariadb://root@localhost/shop?socket=/run/s", "mysql:/run/s/shop");
        check("postgres://%2Ftmp%2Fpg/shop?user=app", "postgres:/tmp/pg/shop");
        check("postgres:///shop?host=/tmp/pg", "postgres:/tmp/pg/shop");
        check("sqlite::memory:", "sqlite::memory:");
        check("sqlite://shop.db?mode=rwc", "sqlite:shop.db");
        check("./data/shop.db", "sqlite:./data/shop.db");
    }

    #[test]
    fn the_password_comes_from_the_url_then_the_variable_then_the_file() {
        let secrets = Secrets {
            pg_password: Some("variable".into()),
            pgpass: Some("*:*:*:*:file".into()),
            ..Secrets::default()
        };
        let password = |url: &str, secrets: &Secrets| match Target::parse(url, secrets) {
            Ok(Target { place: Place::Postgres(network) }) => network.password,
            _ => None,
        };
        assert_eq!(password("postgres://a:url@h/d", &secrets).as_deref(), Some("url"));
        assert_eq!(password("postgres://a@h/d", &secrets).as_deref(), Some("variable"));
        let secrets = Secrets { pg_password: None, ..secrets };
        assert_eq!(password("postgres://a@h/d", &secrets).as_deref(), Some("file"));
    }

    #[test]
    fn bad_urls_say_what_is_wrong() {
        let error = |url: &str| Target::parse(url, &Secrets::default()).map(|_| ()).unwrap_err();
        assert_eq!(error("oracle://h/d"), TargetError::Scheme("oracle".into()));
        assert_eq!(error("postgres://a@h:x/d"), TargetError::Port);
        assert_eq!(error("postgres://a%zz@h/d"), TargetError::Escape("user"));
        assert_eq!(error("postgres://h/d"), TargetError::NoUser);
        assert_eq!(error("mysql://h/d?ssl=1"), TargetError::Parameter("ssl".into()));
        assert_eq!(error(" "), TargetError::Empty);
    }
}
