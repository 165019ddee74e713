//! What SQLite takes, and what is made of it.

use crate::sql::brief::{brief, check_statements, is_understood, read, recorded};
use crate::sql::server::{Server, ServerKind, ServerVersion};

const fn version(major: u16, minor: u16, patch: u16) -> Server {
    Server { kind: ServerKind::Sqlite, version: ServerVersion::new(major, minor, patch) }
}

#[test]
fn what_its_parser_refuses_is_refused() {
    let list = include_str!("../../../testdata/grammar/sqlite.tsv");
    let server = version(3, 40, 1);
    let wrong: Vec<&str> = recorded(list)
        .filter(|(mark, sql)| is_understood(server, sql) != (*mark == "+"))
        .map(|(_, sql)| sql)
        .collect();
    assert!(recorded(list).count() > 250, "the list is read");
    assert!(wrong.is_empty(), "read otherwise than by SQLite:\n{}", wrong.join("\n"));
}

#[test]
fn statements_keep_what_is_written() {
    check_statements(include_str!("../../../testdata/grammar/sqlite.txt"));
}

#[track_caller]
fn check(server: Server, sql: &str, expected: &str) {
    let kinds: Vec<String> = read(server, sql).iter().map(|s| brief(&s.kind)).collect();
    assert_eq!(kinds.join(" | "), expected, "{sql}");
}

/// Measured on 3.51.3 and 3.53.4.
#[test]
fn constraints_are_altered_since_3_53() {
    for (sql, action) in [
        ("ALTER TABLE t ALTER a SET NOT NULL", "{ kind: SetNotNull { column: \"a\" } }"),
        ("ALTER TABLE t ALTER COLUMN a DROP NOT NULL", "{ kind: DropNotNull { column: \"a\" } }"),
        ("ALTER TABLE t DROP CONSTRAINT c", "{ kind: DropConstraint \"c\" }"),
    ] {
        let expected = format!("name: \"t\", object: Table, actions: [{action}]");
        check(version(3, 53, 0), sql, &format!("AlterTable(AlterTable {{ {expected} }})"));
        assert!(!is_understood(version(3, 51, 3), sql), "{sql}");
    }
    assert!(is_understood(version(3, 53, 0), "ALTER TABLE t ADD CHECK (a > 0)"));
    assert!(!is_understood(version(3, 53, 0), "ALTER TABLE t ADD UNIQUE (a)"));
}

#[test]
fn strict_tables_exist_since_3_37() {
    assert!(is_understood(version(3, 37, 0), "CREATE TABLE t (a INT) STRICT"));
    assert!(!is_understood(version(3, 36, 0), "CREATE TABLE t (a INT) STRICT"));
}

#[test]
fn deep_nesting_is_refused_and_not_a_crash() {
    let sql = format!("{} SELECT 1", "EXPLAIN ".repeat(50_000));
    assert!(!is_understood(version(3, 51, 3), &sql));
}
