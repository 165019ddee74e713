//! Names in MySQL and MariaDB, and the words that cannot be one without quotes.
//!
//! The lists are what `CREATE TABLE t (<word> INT)` refuses: measured on MySQL 9.7.4, MariaDB
//! 10.11.19 and 11.8.9; earlier versions from the manuals ("Keywords and Reserved Words").

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::sql::cursor::{Cursor, Parsed, SyntaxError};
use crate::sql::lexer::TokenKind;
use crate::sql::name::{Ident, ObjectName};
use crate::sql::server::{Server, ServerKind};

/// Reserved by both servers.
const BOTH: &str = "\
    accessible add all alter analyze and as asc asensitive before between bigint binary blob \
    both by call cascade case change char character check collate column condition constraint \
    continue convert create cross current_date current_time current_timestamp current_user \
    cursor databases day_hour day_microsecond day_minute day_second dec decimal declare \
    default delayed delete desc describe deterministic distinct distinctrow div double drop \
    dual each else elseif enclosed escaped except exists exit explain false fetch float float4 \
    float8 for force foreign from fulltext grant group having high_priority hour_microsecond \
    hour_minute hour_second if ignore in index infile inner inout insensitive insert int int1 \
    int2 int3 int4 int8 integer intersect interval into is iterate join key keys kill leading \
    leave left like limit linear lines load localtime localtimestamp lock long longblob \
    longtext loop low_priority match maxvalue mediumblob mediumint mediumtext middleint \
    minute_microsecond minute_second mod modifies natural no_write_to_binlog not null numeric \
    on optimize optionally or order out outer outfile over partition precision primary \
    procedure purge range read read_write reads real recursive references regexp release \
    rename repeat replace require resignal restrict return revoke right rlike row_number rows \
    schemas second_microsecond select sensitive separator set show signal smallint spatial \
    specific sql sql_big_result sql_calc_found_rows sql_small_result sqlexception sqlstate \
    sqlwarning ssl starting straight_join table terminated then tinyblob tinyint tinytext to \
    trailing trigger true undo union unique unlock unsigned update usage use using utc_date \
    utc_time utc_timestamp values varbinary varchar varcharacter varying when where while with \
    write xor year_month zerofill";

/// Reserved by MySQL alone, in all versions since 8.0.
const MYSQL: &str = "\
    cube cume_dist database dense_rank empty first_value function generated get grouping \
    groups io_after_gtids io_before_gtids json_table lag last_value lateral lead nth_value \
    ntile of optimizer_costs option percent_rank rank row schema stored system virtual window";

/// Reserved by MariaDB alone, in all versions since 10.6.
const MARIADB: &str = "\
    current_role delete_domain_id do_domain_ids ignore_domain_ids master_demote_to_replica \
    master_demote_to_slave offset page_checksum parse_vcol_expr portion ref_system_id \
    returning stats_auto_recalc stats_persistent stats_sample_pages";

/// Reserved from a version on, or up to one.
fn is_reserved_by_version(word: &str, server: Server) -> bool {
    let version = server.version;
    match (server.kind, word) {
        (ServerKind::Mysql, "qualify" | "tablesample") => version.at_least(8, 4, 0),
        (ServerKind::Mysql, "library") => version.at_least(9, 2, 0),
        (ServerKind::Mysql, "external") => version.at_least(9, 4, 0),
        (ServerKind::Mysql, "master_bind") => !version.at_least(8, 4, 0),
        (ServerKind::Mysql, "master_ssl_verify_server_cert") => !version.at_least(8, 4, 0),
        (ServerKind::Mariadb, "master_ssl_verify_server_cert") => !version.at_least(11, 8, 0),
        (ServerKind::Mariadb, "vector") => version.at_least(11, 7, 0),
        (ServerKind::Mariadb, "sql_after_gtids" | "sql_before_gtids") => version.at_least(11, 3, 0),
        _ => false,
    }
}

/// Says whether a word is no name unless it is quoted.
pub(super) fn is_reserved(word: &str, server: Server) -> bool {
    let word = word.to_ascii_lowercase();
    let own = match server.kind {
        ServerKind::Mariadb => &MARIADB_WORDS,
        ServerKind::Mysql | ServerKind::Postgres | ServerKind::Sqlite => &MYSQL_WORDS,
    };
    own.contains(word.as_str()) || is_reserved_by_version(&word, server)
}

static MYSQL_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| BOTH.split(' ').chain(MYSQL.split(' ')).collect());
static MARIADB_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| BOTH.split(' ').chain(MARIADB.split(' ')).collect());

/// Says whether MariaDB's grammar is read, not MySQL's.
pub(super) fn is_mariadb(cursor: &Cursor<'_>) -> bool {
    cursor.server().kind == ServerKind::Mariadb
}

/// Says whether the server is MariaDB of this version or later.
pub(super) fn mariadb_since(cursor: &Cursor<'_>, major: u16, minor: u16) -> bool {
    is_mariadb(cursor) && cursor.server().version.at_least(major, minor, 0)
}

/// Says whether the server is MySQL of this version or later.
pub(super) fn mysql_since(cursor: &Cursor<'_>, major: u16, minor: u16, patch: u16) -> bool {
    !is_mariadb(cursor) && cursor.server().version.at_least(major, minor, patch)
}

/// Says whether a name is next.
pub(super) fn at_name(cursor: &Cursor<'_>) -> bool {
    cursor.at_placeholder()
        || cursor.peek().is_some_and(|token| {
            let word = || !is_reserved(cursor.slice(token.span), cursor.server());
            token.kind == TokenKind::QuotedName || token.kind == TokenKind::Word && word()
        })
}

/// Takes a name.
pub(super) fn name(cursor: &mut Cursor<'_>) -> Parsed<Ident> {
    if at_name(cursor) {
        return cursor.ident();
    }
    let word = cursor.text_at(0);
    if cursor.at_name() && is_reserved(word, cursor.server()) {
        let message = format!("expected a name, and \"{word}\" is reserved: quote it with `…`");
        return Err(SyntaxError { message, at: cursor.place() });
    }
    Err(cursor.expected("a name"))
}

/// Takes a name that may have a database in front; behind a dot no word is reserved.
pub(super) fn full_name(cursor: &mut Cursor<'_>) -> Parsed<ObjectName> {
    let mut parts = vec![name(cursor)?];
    while parts.len() < 3 && cursor.accept_symbol(".") {
        parts.push(cursor.ident()?);
    }
    Ok(ObjectName { parts })
}

/// Takes names that may have a database in front, separated by commas.
pub(super) fn full_names(cursor: &mut Cursor<'_>) -> Parsed<Vec<ObjectName>> {
    let mut names = vec![full_name(cursor)?];
    while cursor.accept_symbol(",") {
        names.push(full_name(cursor)?);
    }
    Ok(names)
}

/// Takes a column; MariaDB takes the table in front of it, too.
pub(super) fn column_name(cursor: &mut Cursor<'_>) -> Parsed<Ident> {
    let mut column = name(cursor)?;
    while is_mariadb(cursor) && cursor.accept_symbol(".") {
        column = cursor.ident()?;
    }
    Ok(column)
}

/// Takes names separated by commas.
pub(super) fn names(cursor: &mut Cursor<'_>) -> Parsed<Vec<Ident>> {
    let mut names = vec![name(cursor)?];
    while cursor.accept_symbol(",") {
        names.push(name(cursor)?);
    }
    Ok(names)
}

/// Takes names in parentheses.
pub(super) fn name_list(cursor: &mut Cursor<'_>) -> Parsed<Vec<Ident>> {
    cursor.expect_symbol("(")?;
    let names = names(cursor)?;
    cursor.expect_symbol(")")?;
    Ok(names)
}

/// Takes the name of a character set, a collation, an engine: a name, a string, or `binary`.
pub(super) fn name_or_string(cursor: &mut Cursor<'_>) -> Parsed<String> {
    if cursor.peek().is_some_and(|token| token.kind == TokenKind::String) {
        return cursor.string();
    }
    if cursor.accept(&["BINARY"]) {
        return Ok("binary".to_owned());
    }
    Ok(name(cursor)?.value)
}

/// Takes a plain number.
pub(super) fn number(cursor: &mut Cursor<'_>) -> Parsed<String> {
    match cursor.peek() {
        Some(token) if token.kind == TokenKind::Number => {
            cursor.advance();
            Ok(cursor.slice(token.span).to_owned())
        }
        _ => Err(cursor.expected("a number")),
    }
}

/// Takes `IF EXISTS`, which only MariaDB has in most places.
pub(super) fn mariadb_if_exists(cursor: &mut Cursor<'_>) -> bool {
    is_mariadb(cursor) && cursor.accept(&["IF", "EXISTS"])
}

/// Takes `IF NOT EXISTS`, which only MariaDB has in most places.
pub(super) fn mariadb_if_not_exists(cursor: &mut Cursor<'_>) -> bool {
    is_mariadb(cursor) && cursor.accept(&["IF", "NOT", "EXISTS"])
}

/// Takes MariaDB's `WAIT n` or `NOWAIT`.
pub(super) fn wait(cursor: &mut Cursor<'_>) -> Parsed<Option<u32>> {
    if !is_mariadb(cursor) {
        return Ok(None);
    }
    if cursor.accept(&["NOWAIT"]) {
        return Ok(Some(0));
    }
    if !cursor.accept(&["WAIT"]) {
        return Ok(None);
    }
    let seconds = number(cursor)?;
    Ok(Some(seconds.parse::<f64>().map_or(0, whole_seconds)))
}

/// MariaDB takes fractions here and rounds them.
fn whole_seconds(seconds: f64) -> u32 {
    format!("{:.0}", seconds.max(0.0)).parse().unwrap_or(u32::MAX)
}

/// Takes an account: `name`, `'name'@'host'`, `CURRENT_USER`.
pub(super) fn account(cursor: &mut Cursor<'_>) -> Parsed<String> {
    if let Some(word) = cursor.accept_any(&["CURRENT_USER", "CURRENT_ROLE"]) {
        if cursor.accept_symbol("(") {
            cursor.expect_symbol(")")?;
        }
        return Ok(word.to_ascii_lowercase());
    }
    let mut account = match cursor.peek() {
        Some(token) if token.kind == TokenKind::String => cursor.string()?,
        _ => name(cursor)?.value,
    };
    if let Some(host) = cursor.peek().filter(|token| token.kind == TokenKind::Variable) {
        cursor.advance();
        let text = cursor.slice(host.span);
        let bare: String = text.chars().filter(|c| !matches!(c, '\'' | '"' | '`')).collect();
        account.push_str(&bare);
    }
    Ok(account)
}

/// Takes `DEFINER = account`, if it is next.
pub(super) fn definer(cursor: &mut Cursor<'_>) -> Parsed<Option<String>> {
    if !cursor.accept(&["DEFINER"]) {
        return Ok(None);
    }
    cursor.expect_symbol("=")?;
    Ok(Some(account(cursor)?))
}
