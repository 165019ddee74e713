//! The one place where names and texts are quoted for a server.

use crate::sql::ServerKind;

/// Quotes a name for a server, always.
///
/// PostgreSQL and SQLite double the double quote, MySQL and MariaDB the backtick; the latter also
/// refuse NUL, which no server stores in a name.
pub fn ident(kind: ServerKind, name: &str) -> String {
    match kind {
        ServerKind::Postgres | ServerKind::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
        ServerKind::Mysql | ServerKind::Mariadb => format!("`{}`", name.replace('`', "``")),
    }
}

/// Quotes a text as a string literal for a server.
///
/// PostgreSQL: `E'…'` where a backslash occurs, which holds with either setting of
/// `standard_conforming_strings`. MySQL and MariaDB: a hexadecimal literal where a backslash occurs,
/// because `NO_BACKSLASH_ESCAPES` changes what a backslash means.
pub fn literal(kind: ServerKind, text: &str) -> String {
    let quoted = text.replace('\'', "''");
    match kind {
        ServerKind::Postgres if text.contains('\\') => {
            format!("E'{}'", quoted.replace('\\', "\\\\"))
        }
        ServerKind::Mysql | ServerKind::Mariadb if text.contains('\\') => {
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("_utf8mb4 0x{hex}")
        }
        ServerKind::Postgres | ServerKind::Sqlite | ServerKind::Mysql | ServerKind::Mariadb => {
            format!("'{quoted}'")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(ident(ServerKind::Postgres, "a\"b"), "\"a\"\"b\"");
        assert_eq!(ident(ServerKind::Mariadb, "a`b"), "`a``b`");
        assert_eq!(literal(ServerKind::Sqlite, "it's"), "'it''s'");
        assert_eq!(literal(ServerKind::Postgres, "a\\'b"), "E'a\\\\''b'");
        assert_eq!(literal(ServerKind::Mysql, "\\"), "_utf8mb4 0x5c");
    }
}
