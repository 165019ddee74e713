//! Which server a statement is meant for.

use std::fmt;
use std::str::FromStr;

/// The kinds of server. MySQL and MariaDB are two: their facts differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ServerKind {
    /// PostgreSQL.
    Postgres,
    /// MySQL.
    Mysql,
    /// MariaDB.
    Mariadb,
    /// SQLite.
    Sqlite,
}

impl ServerKind {
    /// Every kind, in the order in which they are listed to people.
    pub const ALL: [Self; 4] = [Self::Postgres, Self::Mysql, Self::Mariadb, Self::Sqlite];

    /// Returns the name used on the command line, in configuration and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Mariadb => "mariadb",
            Self::Sqlite => "sqlite",
        }
    }

    /// Returns the name as its makers spell it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL",
            Self::Mariadb => "MariaDB",
            Self::Sqlite => "SQLite",
        }
    }

    /// Says whether this is MySQL or MariaDB, which share a grammar.
    pub const fn is_mysql_family(self) -> bool {
        matches!(self, Self::Mysql | Self::Mariadb)
    }

    /// Returns the version assumed when nobody names one.
    pub const fn default_version(self) -> ServerVersion {
        match self {
            Self::Postgres => ServerVersion::new(17, 0, 0),
            Self::Mysql => ServerVersion::new(8, 4, 0),
            Self::Mariadb => ServerVersion::new(11, 4, 0),
            Self::Sqlite => ServerVersion::new(3, 51, 3),
        }
    }

    /// Returns the schema that an unqualified name belongs to, as far as it is known from SQL
    /// alone.
    ///
    /// MySQL and MariaDB have no schemas within a database; the current database has no name here.
    pub const fn default_schema(self) -> &'static str {
        match self {
            Self::Postgres => "public",
            Self::Mysql | Self::Mariadb => "",
            Self::Sqlite => "main",
        }
    }
}

impl fmt::Display for ServerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ServerKind {
    type Err = UnknownServer;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" | "pg" => Ok(Self::Postgres),
            "mysql" => Ok(Self::Mysql),
            "mariadb" => Ok(Self::Mariadb),
            "sqlite" | "sqlite3" => Ok(Self::Sqlite),
            _ => Err(UnknownServer(text.to_owned())),
        }
    }
}

/// A name that is no server's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown server \"{0}\": use postgres, mysql, mariadb or sqlite")]
pub struct UnknownServer(pub String);

/// A server version: `15`, `15.4`, `8.0.36`, `10.11.6`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerVersion {
    /// The first number.
    pub major: u16,
    /// The second number.
    pub minor: u16,
    /// The third number.
    pub patch: u16,
}

impl ServerVersion {
    /// Returns the version of these three numbers.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }

    /// Says whether this version is `major.minor.patch` or later.
    pub fn at_least(self, major: u16, minor: u16, patch: u16) -> bool {
        self >= Self::new(major, minor, patch)
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.minor, self.patch) {
            (0, 0) => write!(f, "{}", self.major),
            (minor, 0) => write!(f, "{}.{minor}", self.major),
            (minor, patch) => write!(f, "{}.{minor}.{patch}", self.major),
        }
    }
}

impl FromStr for ServerVersion {
    type Err = BadVersion;

    /// Reads the leading numbers and ignores what follows them: servers add build names
    /// (`15.18 (Debian 15.18-0+deb12u1)`, `10.11.6-MariaDB-log`).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.trim().split(|c: char| !c.is_ascii_digit() && c != '.').next();
        let mut parts = numbers.unwrap_or("").split('.').map(str::parse::<u16>);
        let bad = || BadVersion(text.to_owned());
        let major = parts.next().and_then(Result::ok).ok_or_else(bad)?;
        let minor = parts.next().transpose().map_err(|_| bad())?.unwrap_or(0);
        let patch = parts.next().transpose().map_err(|_| bad())?.unwrap_or(0);
        Ok(Self { major, minor, patch })
    }
}

/// A text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a server version: write for example 15, 8.0.36 or 10.11")]
pub struct BadVersion(pub String);

/// A kind of server and its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Server {
    /// The kind.
    pub kind: ServerKind,
    /// The version.
    pub version: ServerVersion,
}

impl Server {
    /// Returns a server of the given kind in the version assumed for it.
    pub const fn of(kind: ServerKind) -> Self {
        Self { kind, version: kind.default_version() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_write_them() {
        let read = |text: &str| text.parse::<ServerVersion>().map(|v| v.to_string());
        assert_eq!(read("15").as_deref(), Ok("15"));
        assert_eq!(read("15.18 (Debian 15.18-0+deb12u1)").as_deref(), Ok("15.18"));
        assert_eq!(read("10.11.6-MariaDB-log").as_deref(), Ok("10.11.6"));
        assert!(read("").is_err());
        assert!(read("latest").is_err());
        assert!(read("8.0.99999999").is_err());
    }
}
