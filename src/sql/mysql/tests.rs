//! What the two servers take, and what is made of it.

use crate::sql::brief::{brief, check_statements, is_understood, read, recorded};
use crate::sql::server::{Server, ServerKind, ServerVersion};

const fn server(kind: ServerKind, major: u16, minor: u16, patch: u16) -> Server {
    Server { kind, version: ServerVersion::new(major, minor, patch) }
}

/// The servers of the columns in `testdata/grammar/mysql.tsv`.
const RECORDED: [Server; 3] = [
    server(ServerKind::Mysql, 9, 7, 4),
    server(ServerKind::Mariadb, 11, 8, 9),
    server(ServerKind::Mariadb, 10, 11, 19),
];

#[test]
fn each_server_refuses_what_its_parser_refuses() {
    let list = include_str!("../../../testdata/grammar/mysql.tsv");
    let mut wrong = Vec::new();
    let mut count = 0;
    for (marks, sql) in recorded(list) {
        for (server, mark) in RECORDED.into_iter().zip(marks.chars()) {
            count += 1;
            if is_understood(server, sql) != (mark == '+') {
                wrong.push(format!("{} {}: {sql}", server.kind, server.version));
            }
        }
    }
    assert!(count > 3_000, "the list is read");
    assert!(wrong.is_empty(), "read otherwise than by the server:\n{}", wrong.join("\n"));
}

#[test]
fn statements_keep_what_is_written() {
    check_statements(include_str!("../../../testdata/grammar/mysql.txt"));
}

#[track_caller]
fn check(server: Server, sql: &str, expected: &str) {
    let statements = read(server, sql);
    let kinds: Vec<String> = statements.iter().map(|s| brief(&s.kind)).collect();
    assert_eq!(kinds.join(" | "), expected, "{sql}");
}

#[test]
fn words_and_clauses_depend_on_the_version() {
    let table = "CREATE TABLE t (a INT)";
    check(server(ServerKind::Mysql, 8, 0, 36), table, &brief_of(table));
    let qualify = "DROP TABLE qualify";
    check(server(ServerKind::Mysql, 8, 0, 36), qualify, &brief_of(qualify));
    check(
        server(ServerKind::Mysql, 8, 4, 0),
        qualify,
        "unknown: expected a name, and \"qualify\" is reserved: quote it with `…`",
    );
    let vector = "ALTER TABLE t ADD a VECTOR(3)";
    check(server(ServerKind::Mysql, 8, 4, 0), vector, "unknown: unknown data type \"VECTOR\"");
    check(server(ServerKind::Mariadb, 11, 7, 0), vector, &brief_of(vector));
}

fn brief_of(sql: &str) -> String {
    let newest = server(ServerKind::Mysql, 9, 0, 0);
    let older = server(ServerKind::Mysql, 8, 0, 36);
    let server = if is_understood(newest, sql) { newest } else { older };
    read(server, sql).iter().map(|statement| brief(&statement.kind)).collect()
}

#[test]
fn version_comments_hold_clauses() {
    check(
        server(ServerKind::Mysql, 8, 4, 0),
        "CREATE TABLE t (a INT /*!80023 INVISIBLE */) /*!50100 PARTITION BY HASH (a) */",
        &brief_of("CREATE TABLE t (a INT INVISIBLE) PARTITION BY HASH (a)"),
    );
}

#[test]
fn deep_nesting_is_refused_and_not_a_crash() {
    let mariadb = server(ServerKind::Mariadb, 11, 4, 0);
    for (open, close) in [("BEGIN ", "END; "), ("IF 1 THEN ", "END IF; "), ("EXPLAIN ", "")] {
        let sql = format!("CREATE PROCEDURE p() {} {}", open.repeat(50_000), close.repeat(50_000));
        assert!(!is_understood(mariadb, &sql), "{open}");
        assert!(!is_understood(mariadb, &open.repeat(50_000)), "{open}");
    }
    let sql = "SET STATEMENT a = 1 FOR ".repeat(50_000);
    assert!(!is_understood(mariadb, &format!("{sql} SELECT 1")));
    assert!(!is_understood(mariadb, &format!("{} SELECT 1", "ANALYZE ".repeat(50_000))));
}
