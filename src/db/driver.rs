//! The three drivers behind one face: open, send one statement, read text cells.
//!
//! Statements go through the simple (text) protocol, which every DDL statement accepts.

use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgDatabaseError, PgErrorPosition, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tracing::log::LevelFilter;

use super::error::{ErrorKind, ServerError};
use super::rows::{Row, Rows};
use super::target::{Network, Tls};

/// One session.
#[derive(Debug)]
pub(super) enum Driver {
    Postgres(PgConnection),
    Mysql(MySqlConnection),
    Sqlite(SqliteConnection),
}

/// How a SQLite file is opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct SqliteOpening<'a> {
    pub(super) path: Option<&'a std::path::Path>,
    pub(super) read_only: bool,
    pub(super) create: bool,
}

/// Opens a session on PostgreSQL.
///
/// The time zone of the session is UTC, so that times are printed alike wherever lockwise runs.
pub(super) async fn open_postgres(
    network: &Network,
    application_name: &str,
    settings: &[(&str, &str)],
) -> Result<Driver, ServerError> {
    let mut options = PgConnectOptions::new_without_pgpass()
        .port(network.port)
        .username(&network.user)
        .application_name(application_name)
        .ssl_mode(match network.tls {
            Tls::Prefer => PgSslMode::Prefer,
            Tls::Disable => PgSslMode::Disable,
            Tls::Require => PgSslMode::Require,
            Tls::VerifyCa => PgSslMode::VerifyCa,
            Tls::VerifyFull => PgSslMode::VerifyFull,
        })
        // A startup parameter that PgBouncer refuses; without it, poolers are found by other signs.
        .extra_float_digits(None)
        .statement_cache_capacity(0)
        .log_statements(LevelFilter::Off)
        .log_slow_statements(LevelFilter::Off, Duration::MAX);
    options = match &network.socket {
        Some(socket) => options.socket(socket),
        None => options.host(&network.host),
    };
    if let Some(password) = &network.password {
        options = options.password(password);
    }
    if let Some(database) = &network.database {
        options = options.database(database);
    }
    if let Some(ca) = &network.tls_ca {
        options = options.ssl_root_cert(ca);
    }
    if !settings.is_empty() {
        options = options.options(settings.iter().copied());
    }
    let connection = PgConnection::connect_with(&options).await;
    connection.map(Driver::Postgres).map_err(|error| connecting(server_error(error, "")))
}

/// Opens a session on MySQL or MariaDB. Its `sql_mode` and time zone stay the server's own.
pub(super) async fn open_mysql(network: &Network) -> Result<Driver, ServerError> {
    let mut options = MySqlConnectOptions::new()
        .host(&network.host)
        .port(network.port)
        .username(&network.user)
        .ssl_mode(match network.tls {
            Tls::Prefer => MySqlSslMode::Preferred,
            Tls::Disable => MySqlSslMode::Disabled,
            Tls::Require => MySqlSslMode::Required,
            Tls::VerifyCa => MySqlSslMode::VerifyCa,
            Tls::VerifyFull => MySqlSslMode::VerifyIdentity,
        })
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .statement_cache_capacity(0)
        .log_statements(LevelFilter::Off)
        .log_slow_statements(LevelFilter::Off, Duration::MAX);
    if let Some(socket) = &network.socket {
        options = options.socket(socket);
    }
    if let Some(password) = &network.password {
        options = options.password(password);
    }
    if let Some(database) = &network.database {
        options = options.database(database);
    }
    if let Some(ca) = &network.tls_ca {
        options = options.ssl_ca(ca);
    }
    let connection = MySqlConnection::connect_with(&options).await;
    connection.map(Driver::Mysql).map_err(|error| connecting(server_error(error, "")))
}

/// Opens a SQLite file, or a database in memory.
///
/// Foreign keys are off, as in a plain SQLite session: whoever needs them checked says so.
pub(super) async fn open_sqlite(opening: SqliteOpening<'_>) -> Result<Driver, ServerError> {
    let options = SqliteConnectOptions::new()
        .foreign_keys(false)
        .busy_timeout(Duration::from_secs(1))
        .statement_cache_capacity(0)
        .log_statements(LevelFilter::Off)
        .log_slow_statements(LevelFilter::Off, Duration::MAX);
    let options = match opening.path {
        Some(path) => {
            options.filename(path).read_only(opening.read_only).create_if_missing(opening.create)
        }
        None => options.in_memory(true),
    };
    let connection = SqliteConnection::connect_with(&options).await;
    connection.map(Driver::Sqlite).map_err(|error| server_error(error, ""))
}

impl Driver {
    /// Sends one statement and returns how many rows it says to have touched.
    pub(super) async fn execute(&mut self, sql: &str) -> Result<u64, ServerError> {
        let raw = sqlx::raw_sql(AssertSqlSafe(sql));
        let touched = match self {
            Self::Postgres(connection) => {
                raw.execute(connection).await.map(|done| done.rows_affected())
            }
            Self::Mysql(connection) => {
                raw.execute(connection).await.map(|done| done.rows_affected())
            }
            Self::Sqlite(connection) => {
                raw.execute(connection).await.map(|done| done.rows_affected())
            }
        };
        touched.map_err(|error| server_error(error, sql))
    }

    /// Sends one query and returns its rows.
    pub(super) async fn query(&mut self, sql: &str) -> Result<Rows, ServerError> {
        let raw = sqlx::raw_sql(AssertSqlSafe(sql));
        let rows = match self {
            Self::Postgres(connection) => {
                let rows = raw.fetch_all(connection).await.map_err(|e| server_error(e, sql))?;
                rows.iter().map(text_row::<_, &str>).collect::<Result<Vec<_>, _>>()
            }
            Self::Mysql(connection) => {
                let rows = raw.fetch_all(connection).await.map_err(|e| server_error(e, sql))?;
                rows.iter().map(text_row::<_, &[u8]>).collect()
            }
            Self::Sqlite(connection) => {
                let rows = raw.fetch_all(connection).await.map_err(|e| server_error(e, sql))?;
                rows.iter().map(text_row::<_, &[u8]>).collect()
            }
        };
        Ok(Rows { rows: rows? })
    }

    /// Says goodbye to the server and waits until the session is closed.
    pub(super) async fn close(self) -> Result<(), ServerError> {
        let closed = match self {
            Self::Postgres(connection) => connection.close().await,
            Self::Mysql(connection) => connection.close().await,
            Self::Sqlite(connection) => connection.close().await,
        };
        closed.map_err(|error| server_error(error, ""))
    }
}

/// Reads every cell as text, through the type `C` that the driver decodes unconverted.
fn text_row<'r, R, C>(row: &'r R) -> Result<Row, ServerError>
where
    R: sqlx::Row,
    usize: sqlx::ColumnIndex<R>,
    C: AsRef<[u8]> + sqlx::Decode<'r, R::Database>,
{
    let cells = (0..row.len()).map(|index| {
        let cell = row.try_get_unchecked::<Option<C>, _>(index);
        let cell = cell.map_err(|error| server_error(error, ""))?;
        Ok(cell.map(|bytes| String::from_utf8_lossy(bytes.as_ref()).into_owned()))
    });
    cells.collect::<Result<Vec<_>, _>>().map(Row)
}

/// A connection that breaks before it stands is one that was not reached.
fn connecting(mut error: ServerError) -> ServerError {
    if error.kind == ErrorKind::ConnectionLost {
        error.kind = ErrorKind::Unreachable;
    }
    error
}

/// Translates a driver's error; `sql` is the statement that was sent.
fn server_error(error: sqlx::Error, sql: &str) -> ServerError {
    let lost = matches!(
        error,
        sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed
    );
    let sqlx::Error::Database(database) = error else {
        let kind = if lost { ErrorKind::ConnectionLost } else { ErrorKind::Other };
        return ServerError::local(kind, error.to_string());
    };
    if let Some(error) = database.try_downcast_ref::<PgDatabaseError>() {
        return postgres_error(error, sql);
    }
    if let Some(error) = database.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        let mut own = ServerError::local(mysql_kind(error.number()), error.message());
        own.code = Some(error.number().to_string());
        return own;
    }
    let code = database.code().map(std::borrow::Cow::into_owned);
    let number = code.as_deref().and_then(|code| code.parse::<u32>().ok()).unwrap_or(1);
    let mut own = ServerError::local(sqlite_kind(number, database.message()), database.message());
    own.code = code;
    own
}

/// Translates an error of PostgreSQL, whose positions count characters from 1.
fn postgres_error(error: &PgDatabaseError, sql: &str) -> ServerError {
    let position = match error.position() {
        Some(PgErrorPosition::Original(at)) => {
            sql.char_indices().nth(at.saturating_sub(1)).map(|(offset, _)| offset)
        }
        Some(PgErrorPosition::Internal { .. }) | None => None,
    };
    ServerError {
        kind: postgres_kind(error.code(), error.message()),
        code: Some(error.code().to_owned()),
        message: error.message().to_owned(),
        detail: error.detail().map(str::to_owned),
        advice: error.hint().map(str::to_owned),
        position,
    }
}

/// PostgreSQL manual, appendix A "PostgreSQL Error Codes" (12 to 18).
fn postgres_kind(code: &str, message: &str) -> ErrorKind {
    match code {
        "55P03" => ErrorKind::LockTimeout,
        "40P01" => ErrorKind::Deadlock,
        "40001" => ErrorKind::Serialization,
        // One code for two causes; only the words tell them apart.
        "57014" if message.contains("statement timeout") => ErrorKind::StatementTimeout,
        "57014" => ErrorKind::Cancelled,
        "25P04" => ErrorKind::StatementTimeout,
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => ErrorKind::ConnectionLost,
        "42501" => ErrorKind::Permission,
        "3D000" | "57P04" => ErrorKind::MissingDatabase,
        "25006" => ErrorKind::ReadOnly,
        "42601" => ErrorKind::Syntax,
        _ => match code.get(..2).unwrap_or("") {
            "08" => ErrorKind::ConnectionLost,
            "28" => ErrorKind::Authentication,
            "23" => ErrorKind::Constraint,
            "53" => ErrorKind::Resources,
            _ => ErrorKind::Other,
        },
    }
}

/// MySQL 8.4 error reference and MariaDB "Error Codes"; 1927 and 1969 are MariaDB's own, 3024 and
/// 3572 MySQL's.
const fn mysql_kind(number: u16) -> ErrorKind {
    match number {
        1205 | 3572 => ErrorKind::LockTimeout,
        1213 => ErrorKind::Deadlock,
        1020 => ErrorKind::Serialization,
        1969 | 3024 => ErrorKind::StatementTimeout,
        1317 => ErrorKind::Cancelled,
        1053 | 1152 | 1158 | 1159 | 1160 | 1161 | 1927 | 2006 | 2013 | 4031 => {
            ErrorKind::ConnectionLost
        }
        1044 | 1142 | 1143 | 1227 | 1370 | 1410 => ErrorKind::Permission,
        1045 | 1251 | 1524 | 1698 | 1820 | 1862 | 4151 => ErrorKind::Authentication,
        1049 => ErrorKind::MissingDatabase,
        1290 | 1792 | 1836 => ErrorKind::ReadOnly,
        1064 | 1149 => ErrorKind::Syntax,
        1022 | 1048 | 1062 | 1216 | 1217 | 1451 | 1452 | 1586 | 1859 | 3819 | 4025 => {
            ErrorKind::Constraint
        }
        1021 | 1037 | 1038 | 1040 | 1041 | 1114 | 1203 | 1226 => ErrorKind::Resources,
        _ => ErrorKind::Other,
    }
}

/// SQLite "Result and Error Codes": the low byte of an extended code is the primary code.
fn sqlite_kind(code: u32, message: &str) -> ErrorKind {
    match code & 0xff {
        5 | 6 => ErrorKind::LockTimeout,
        8 => ErrorKind::ReadOnly,
        3 | 23 => ErrorKind::Permission,
        14 => ErrorKind::MissingDatabase,
        19 => ErrorKind::Constraint,
        9 => ErrorKind::Cancelled,
        7 | 13 => ErrorKind::Resources,
        1 if message.contains("syntax error") || message.contains("incomplete input") => {
            ErrorKind::Syntax
        }
        _ => ErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_kinds() {
        assert_eq!(postgres_kind("55P03", ""), ErrorKind::LockTimeout);
        assert_eq!(
            postgres_kind("57014", "canceling statement due to statement timeout"),
            ErrorKind::StatementTimeout
        );
        assert_eq!(postgres_kind("57014", "due to user request"), ErrorKind::Cancelled);
        assert_eq!(postgres_kind("08006", ""), ErrorKind::ConnectionLost);
        assert_eq!(postgres_kind("28P01", ""), ErrorKind::Authentication);
        assert_eq!(mysql_kind(1205), ErrorKind::LockTimeout);
        assert_eq!(mysql_kind(1927), ErrorKind::ConnectionLost);
        assert_eq!(sqlite_kind(517, ""), ErrorKind::LockTimeout);
        assert_eq!(sqlite_kind(1, "near \"x\": syntax error"), ErrorKind::Syntax);
    }
}
