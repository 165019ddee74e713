//! A history with every kind of step, in the words of each server: transactions, statements that
//! commit by themselves, several in a file, programs, rebuilds, data in batches. The rows of
//! `ledger` and the sum of `a.n` count what was done.

use crate::support::{Kind, Project};

/// Writes the migrations.
pub(crate) fn write(project: &Project) {
    let files = match project.kind {
        Kind::Postgres => POSTGRES,
        Kind::Mariadb | Kind::Mysql => MARIADB,
        Kind::Sqlite => SQLITE,
    };
    for (name, sql) in files {
        project.write(name, sql);
    }
}

type Files = &'static [(&'static str, &'static str)];

const POSTGRES: Files = &[
    (
        "0001_tables.sql",
        "CREATE TABLE ledger (step int);\nCREATE TABLE a (id int PRIMARY KEY, n int, t text);\n\
                 INSERT INTO a SELECT i, 0, 'x' FROM generate_series(1, 200) i;\n\
                 INSERT INTO ledger VALUES (1);\n",
    ),
    (
        "0002_column.sql",
        "ALTER TABLE a ADD COLUMN b int;\nUPDATE a SET n = n + 1;\n\
                 INSERT INTO ledger VALUES (2);\n",
    ),
    ("0003_index.sql", "CREATE INDEX CONCURRENTLY a_n ON a (n);\n"),
    (
        "0004_mixed.sql",
        "CREATE UNIQUE INDEX CONCURRENTLY a_t ON a (id, t);\n\
                 ALTER TABLE a ADD CONSTRAINT a_b CHECK (b > 0) NOT VALID;\n\
                 UPDATE a SET n = n + 1;\nINSERT INTO ledger VALUES (4);\n\
                 DROP INDEX CONCURRENTLY a_n;\n",
    ),
    (
        "0005_view.sql",
        "CREATE TABLE c AS SELECT id FROM a;\nCREATE VIEW v AS SELECT id FROM c;\n\
                 INSERT INTO ledger VALUES (5);\n",
    ),
    ("0006_upkeep.sql", "REINDEX INDEX CONCURRENTLY a_t;\nVACUUM a;\n"),
    ("0007_last.sql", "CREATE TABLE d (id int);\nINSERT INTO ledger VALUES (7);\n"),
    (
        "0008_fill.sql",
        "-- lockwise: batch key=id size=40 pause=0ms\nUPDATE a SET n = n + 1;\n\
                 INSERT INTO ledger VALUES (8);\n",
    ),
    (
        "0009_parts.sql",
        "CREATE TABLE p (id int NOT NULL) PARTITION BY RANGE (id);\n\
                 CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);\n\
                 CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);\n\
                 CREATE MATERIALIZED VIEW m AS SELECT id FROM a;\n\
                 CREATE UNIQUE INDEX m_id ON m (id);\nINSERT INTO ledger VALUES (9);\n",
    ),
    (
        "0010_kin.sql",
        "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;\n\
                 REFRESH MATERIALIZED VIEW CONCURRENTLY m;\n\
                 CREATE INDEX CONCURRENTLY IF NOT EXISTS a_b2 ON a (b);\n\
                 INSERT INTO ledger VALUES (10);\nREINDEX TABLE CONCURRENTLY a;\n",
    ),
];

const MARIADB: Files = &[
    (
        "0001_tables.sql",
        "CREATE TABLE ledger (step int);\n\
                 CREATE TABLE a (id int PRIMARY KEY AUTO_INCREMENT, n int, t varchar(9));\n\
                 CREATE TABLE x (id int);\nCREATE TABLE y (id int);\n\
                 INSERT INTO a (n, t) WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 \
                 FROM s WHERE i < 200) SELECT 0, 'x' FROM s;\nINSERT INTO ledger VALUES (1);\n",
    ),
    (
        "0002_column.sql",
        "ALTER TABLE a ADD COLUMN b int;\nUPDATE a SET n = n + 1;\n\
                 INSERT INTO ledger VALUES (2);\n",
    ),
    ("0003_index.sql", "CREATE INDEX a_n ON a (n);\nDROP TABLE x, y;\n"),
    (
        "0004_mixed.sql",
        "CREATE UNIQUE INDEX a_t ON a (id, t);\nALTER TABLE a MODIFY t varchar(300);\n\
                 UPDATE a SET n = n + 1;\nINSERT INTO ledger VALUES (4);\nDROP INDEX a_n ON a;\n",
    ),
    (
        "0005_view.sql",
        "CREATE TABLE c (id int);\nCREATE VIEW v AS SELECT id FROM c;\n\
                 INSERT INTO ledger VALUES (5);\n",
    ),
    ("0006_upkeep.sql", "ANALYZE TABLE a;\nRENAME TABLE c TO e;\nRENAME TABLE e TO c;\n"),
    ("0007_last.sql", "CREATE TABLE d (id int);\nINSERT INTO ledger VALUES (7);\n"),
    (
        "0008_fill.sql",
        "-- lockwise: batch key=id size=40 pause=0ms\nUPDATE a SET n = n + 1;\n\
                 INSERT INTO ledger VALUES (8);\n",
    ),
    (
        "0009_programs.sql",
        "DELIMITER //\nCREATE PROCEDURE step(IN number int) BEGIN\n\
                 INSERT INTO ledger VALUES (number);\nEND//\n\
                 CREATE TRIGGER a_t BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.b = 1; END//\n\
                 DELIMITER ;\nINSERT INTO ledger VALUES (9);\n",
    ),
    (
        "0010_several.sql",
        "CREATE TABLE f (id int PRIMARY KEY);\nCREATE TABLE g (id int, f int);\n\
                 ALTER TABLE g ADD CONSTRAINT g_f FOREIGN KEY (f) REFERENCES f (id);\n\
                 CREATE OR REPLACE VIEW v AS SELECT id, id + 1 AS next FROM c;\n\
                 INSERT INTO ledger VALUES (10);\nALTER TABLE a ENGINE=InnoDB, ALGORITHM=COPY;\n\
                 DROP VIEW v;\nDROP TABLE g, f;\nDROP TRIGGER a_t;\n",
    ),
];

const SQLITE: Files = &[
    (
        "0001_tables.sql",
        "CREATE TABLE ledger (step int);\n\
                 CREATE TABLE a (id integer PRIMARY KEY, n int, t text);\n\
                 INSERT INTO a (n, t) WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 \
                 FROM s WHERE i < 200) SELECT 0, 'x' FROM s;\nINSERT INTO ledger VALUES (1);\n",
    ),
    (
        "0002_column.sql",
        "ALTER TABLE a ADD COLUMN b int;\nUPDATE a SET n = n + 1;\n\
                 INSERT INTO ledger VALUES (2);\n",
    ),
    ("0003_index.sql", "CREATE INDEX a_n ON a (n);\n"),
    (
        "0004_rebuild.sql",
        "PRAGMA foreign_keys = OFF;\nCREATE TABLE a2 (id integer PRIMARY KEY, n int NOT \
                 NULL, t text);\nINSERT INTO a2 SELECT id, n + 1, t FROM a;\nDROP TABLE a;\n\
                 ALTER TABLE a2 RENAME TO a;\nINSERT INTO ledger VALUES (4);\n",
    ),
    (
        "0005_view.sql",
        "CREATE TABLE c AS SELECT id FROM a;\nCREATE VIEW v AS SELECT id FROM c;\n\
                 INSERT INTO ledger VALUES (5);\n",
    ),
    ("0006_upkeep.sql", "ANALYZE;\nVACUUM;\n"),
    ("0007_last.sql", "CREATE TABLE d (id int);\nINSERT INTO ledger VALUES (7);\n"),
    (
        "0008_fill.sql",
        "-- lockwise: batch key=id size=40 pause=0ms\nUPDATE a SET n = n + 1;\n\
                 INSERT INTO ledger VALUES (8);\n",
    ),
    (
        "0009_programs.sql",
        "CREATE TRIGGER a_t AFTER INSERT ON a BEGIN INSERT INTO ledger VALUES (99); END;\n\
                 INSERT INTO ledger VALUES (9);\nPRAGMA journal_mode = WAL;\n",
    ),
    (
        "0010_several.sql",
        "BEGIN;\nCREATE TABLE f (id integer PRIMARY KEY);\nINSERT INTO ledger VALUES (10);\n\
                 COMMIT;\nBEGIN;\nALTER TABLE f ADD COLUMN g int;\nDROP VIEW v;\nCOMMIT;\n\
                 REINDEX;\nDROP TRIGGER a_t;\n",
    ),
];
