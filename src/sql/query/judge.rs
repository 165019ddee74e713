//! Whether a text is SQL, by sqlparser.

use sqlparser::dialect::{Dialect, GenericDialect, MySqlDialect};
use sqlparser::parser::Parser;

use crate::sql::cursor::Cursor;
use crate::sql::server::ServerKind;

/// The longest text that is judged. Beyond it stand bulk inserts, whose shape the tokens tell.
const LONGEST: usize = 64 * 1024;

/// Returns why sqlparser refuses the tokens since `start`, if it does.
pub(super) fn refusal(cursor: &Cursor<'_>, start: usize) -> Option<String> {
    let text = cursor.slice(cursor.span_from(start));
    if text.len() > LONGEST {
        return None;
    }
    let dialect: &dyn Dialect = match cursor.server().kind {
        ServerKind::Mysql | ServerKind::Mariadb => &MySqlDialect {},
        ServerKind::Postgres => &GenericDialect {},
        // It has a grammar of its own for all of it.
        ServerKind::Sqlite => return None,
    };
    Parser::parse_sql(dialect, text).err().map(|error| error.to_string())
}
