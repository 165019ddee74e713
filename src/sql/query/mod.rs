//! Queries and data changes of MySQL, MariaDB and SQLite: what they read, write and lock.
//!
//! In: the tokens of one statement, or of the query inside another one. Out: the facts, which come
//! from the tokens alone, so that they hold for whatever the server accepts. Whether the text is
//! SQL at all is judged by sqlparser; where it refuses what is well formed to the token reader,
//! the refusal is noted and the facts stand. (`postgres` has a grammar of its own.)

mod change;
mod judge;
mod walk;

use super::ast::{Dml, Query};
use super::cursor::{Cursor, Parsed};

/// Returns what the query that all tokens of a cursor make touches.
pub(super) fn query(cursor: &Cursor<'_>) -> Parsed<Query> {
    let mut cursor = cursor.clone();
    cursor.reset(0);
    let mut walk = walk::Walk::new();
    walk.query(&mut cursor)?;
    cursor.end()?;
    let mut query = walk.finish(cursor.span_from(0));
    query.refused = judge::refusal(&cursor, 0);
    Ok(query)
}

/// Reads SELECT, INSERT, UPDATE, DELETE, REPLACE, LOAD, WITH, VALUES or TABLE to the end.
pub(super) fn dml(cursor: &mut Cursor<'_>) -> Parsed<Dml> {
    let start = cursor.position();
    let mut dml = change::dml(cursor)?;
    cursor.end()?;
    dml.query.refused = judge::refusal(cursor, start);
    Ok(dml)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::server::{Server, ServerKind};

    fn read(kind: ServerKind, sql: &str) -> Parsed<Dml> {
        let server = Server::of(kind);
        let lexing = crate::sql::Lexing::of(server);
        let span = crate::sql::Span::new(0, u32::try_from(sql.len()).unwrap());
        let tokens = crate::sql::split(sql, lexing, span, &crate::sql::Reading::default()).tokens;
        dml(&mut Cursor::new(sql, &tokens, server))
    }

    /// Prints what a statement does: `kind targets < reads ! locks`, and flags.
    #[track_caller]
    fn check(kind: ServerKind, sql: &str, expected: &str) {
        let found = match read(kind, sql) {
            Ok(dml) => {
                let join = |names: &[crate::sql::ObjectName]| {
                    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
                };
                let mut text = format!("{:?} {}", dml.kind, join(&dml.targets));
                text.push_str(&format!(" < {}", join(&dml.query.reads)));
                if !dml.query.row_locks.is_empty() {
                    text.push_str(&format!(" ! {}", join(&dml.query.row_locks)));
                }
                if !dml.columns.is_empty() {
                    let columns: Vec<_> = dml.columns.iter().map(|c| c.as_str()).collect();
                    text.push_str(&format!(" set {}", columns.join(",")));
                }
                for (flag, word) in [
                    (dml.filter.is_some(), "filter"),
                    (dml.from_query, "query"),
                    (dml.limit, "limit"),
                    (dml.order_by, "order"),
                    (dml.on_conflict, "conflict"),
                    (dml.query.star, "star"),
                ] {
                    if flag {
                        text.push_str(&format!(" {word}"));
                    }
                }
                text
            }
            Err(error) => error.message,
        };
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn reads_come_from_from_clauses_and_subqueries() {
        let my = ServerKind::Mysql;
        check(my, "SELECT * FROM a JOIN b USING (id), c AS x", "Select  < a,b,c star");
        check(
            my,
            "SELECT a, (SELECT max(b) FROM d) FROM t WHERE x IN (SELECT y FROM u)",
            "Select  < d,t,u",
        );
        check(my, "WITH r AS (SELECT 1 FROM a) SELECT * FROM r, shop.b", "Select  < a,shop.b star");
        check(my, "SELECT EXTRACT(YEAR FROM d), TRIM(LEADING 'x' FROM y) FROM t", "Select  < t");
        check(my, "SELECT 1 UNION ALL (SELECT 2 FROM u ORDER BY 1) LIMIT 3", "Select  < u");
        check(my, "SELECT a IS NOT DISTINCT FROM b FROM t", "Select  < t");
        check(my, "TABLE t", "Select  < t star");
    }

    #[test]
    fn what_only_one_server_has() {
        let (my, maria) = (ServerKind::Mysql, ServerKind::Mariadb);
        check(maria, "INSERT INTO t VALUES (1) RETURNING a", "Insert t < ");
        check(
            my,
            "INSERT INTO t VALUES (1) RETURNING a",
            "expected the end of the statement, found \"RETURNING\"",
        );
        check(maria, "SELECT a FROM t FOR SYSTEM_TIME AS OF now() WHERE b", "Select  < t");
        check(maria, "DELETE HISTORY FROM t BEFORE SYSTEM_TIME now()", "Delete t <  filter");
        check(maria, "DELETE FROM t FOR PORTION OF p FROM '1' TO '2'", "Delete t < ");
        check(my, "SELECT count(*) OVER w FROM t WINDOW w AS (PARTITION BY a)", "Select  < t");
    }

    #[test]
    fn row_locks_name_the_tables() {
        let my = ServerKind::Mysql;
        check(my, "SELECT 1 FROM a JOIN b ON 1 FOR UPDATE", "Select  < a,b ! a,b");
        check(my, "SELECT 1 FROM a x JOIN b ON 1 FOR SHARE OF x SKIP LOCKED", "Select  < a,b ! a");
        check(my, "SELECT 1 FROM a LOCK IN SHARE MODE", "Select  < a ! a");
    }

    #[test]
    fn changes_name_their_targets() {
        let my = ServerKind::Mysql;
        check(my, "INSERT IGNORE INTO t (a, b) VALUES (1, 2)", "Insert t <  set a,b conflict");
        check(
            my,
            "INSERT INTO t SET a = 1 ON DUPLICATE KEY UPDATE a = 2",
            "Insert t <  set a conflict",
        );
        check(my, "REPLACE INTO t SELECT * FROM u", "Replace t < u query conflict star");
        check(my, "UPDATE a, b SET a.x = b.y WHERE a.id = b.id", "Update a < a,b set x filter");
        check(
            my,
            "UPDATE t SET x = 1 WHERE y = 2 ORDER BY z LIMIT 10",
            "Update t < t set x filter limit order",
        );
        check(
            my,
            "DELETE sr.* FROM sync_run sr JOIN rule s ON s.id = sr.rule WHERE 1",
            "Delete sync_run < sync_run,rule filter",
        );
        check(
            my,
            "DELETE FROM t1, t2 USING t1 INNER JOIN t2 WHERE t1.id = t2.id",
            "Delete t1,t2 < t1,t2 filter",
        );
        check(my, "DELETE FROM t LIMIT 5", "Delete t <  limit");
        check(my, "LOAD DATA INFILE 'x' INTO TABLE t (a, b)", "Load t < ");
    }

    #[test]
    fn changes_of_sqlite() {
        let lite = ServerKind::Sqlite;
        check(lite, "INSERT OR REPLACE INTO t VALUES (1)", "Insert t <  conflict");
        check(
            lite,
            "INSERT INTO t(a) SELECT b FROM u WHERE true ON CONFLICT(a) DO NOTHING",
            "Insert t < u set a query conflict",
        );
        check(lite, "UPDATE t SET x = u.y FROM u WHERE u.id = t.id", "Update t < u set x filter");
        check(lite, "WITH x AS (SELECT 1) DELETE FROM t WHERE a IN x", "Delete t <  filter");
    }

    #[test]
    fn what_is_no_sql_is_refused() {
        let my = ServerKind::Mysql;
        check(my, "UPDATE t STE x = 1", "expected SET, found \"x\"");
        check(my, "INSERT INTO t VALUES (1,", "a parenthesis is never closed");
        check(
            my,
            "INSERT INTO t (a) VALEUS (1)",
            "expected VALUES, SET or a query, found \"VALEUS\"",
        );
        check(my, "DELETE t WHERE a = 1", "expected FROM, found \"WHERE\"");
        check(my, "SELECT FROM t", "expected an expression, found \"FROM\"");
    }

    #[test]
    fn what_sqlparser_refuses_keeps_its_facts() {
        let sql = "UPDATE query_log, users SET user_display = display WHERE query_log.u = users.u";
        let found = read(ServerKind::Mysql, sql).unwrap();
        assert_eq!(found.targets.len(), 2);
    }
}
