-- case: add a column
ALTER TABLE plain ADD COLUMN d TEXT;
-- case: add a column with a default
ALTER TABLE orders ADD COLUMN paid INTEGER NOT NULL DEFAULT 0;
-- case: add a column with a check
ALTER TABLE plain ADD COLUMN d INTEGER CHECK (d > 0);
-- case: add a column with a reference
ALTER TABLE plain ADD COLUMN customer_id INTEGER REFERENCES customers (id);
-- case: add two columns
ALTER TABLE plain ADD COLUMN d TEXT;
ALTER TABLE plain ADD COLUMN e TEXT DEFAULT 'x';
-- case: add a generated column
ALTER TABLE plain ADD COLUMN d AS (a + 1) VIRTUAL;
-- case: add a column and an index on it
ALTER TABLE plain ADD COLUMN d TEXT;
CREATE INDEX plain_d ON plain (d);
-- case: drop a column | restores | loses column main.customers.fax
ALTER TABLE customers DROP COLUMN fax;
-- case: drop the last column | restores | loses column main.lines.what
ALTER TABLE lines DROP COLUMN what;
-- case: drop a generated column
ALTER TABLE customers DROP COLUMN upper_name;
-- case: drop a column and its index | restores | loses column main.plain.b
CREATE INDEX plain_b ON plain (b);
DROP INDEX plain_b;
ALTER TABLE plain DROP COLUMN b;
-- case: rename a column
ALTER TABLE customers RENAME COLUMN email TO mail;
-- case: rename a column without the word
ALTER TABLE plain RENAME b TO label;
-- case: rename a table
ALTER TABLE customers RENAME TO clients;
-- case: rename a table and a column of it
ALTER TABLE customers RENAME TO clients;
ALTER TABLE clients RENAME COLUMN name TO full_name;
-- case: rename and add
ALTER TABLE plain RENAME COLUMN a TO x;
ALTER TABLE plain ADD COLUMN a TEXT;
-- case: a table
CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL, at TEXT DEFAULT CURRENT_TIMESTAMP);
CREATE INDEX notes_at ON notes (at);
-- case: a table if it is not there
CREATE TABLE IF NOT EXISTS customers (id INTEGER);
-- case: a table from a query
CREATE TABLE copy AS SELECT * FROM customers;
-- case: a strict table
CREATE TABLE tight (a INTEGER, b ANY) STRICT;
-- case: drop a table | restores | loses table main.plain
DROP TABLE plain;
-- case: drop a table with an index and a trigger | restores | loses table main.orders
DROP VIEW totals;
DROP VIEW big;
DROP TABLE orders;
-- case: drop a table if it is there
DROP TABLE IF EXISTS nothing_here;
-- case: drop a virtual table | loses table main.words, table main.words_config, table main.words_content, table main.words_data, table main.words_docsize, table main.words_idx
DROP TABLE words;
-- case: an index
CREATE INDEX plain_b ON plain (b);
-- case: a unique index on an expression
CREATE UNIQUE INDEX IF NOT EXISTS plain_b ON plain (lower(b)) WHERE a > 0;
-- case: drop an index
DROP INDEX orders_customer;
-- case: replace an index
DROP INDEX orders_customer;
CREATE INDEX orders_customer ON orders (customer_id, state);
-- case: a view
CREATE VIEW small AS SELECT id FROM orders WHERE total < 10;
-- case: drop a view
DROP VIEW totals;
-- case: replace a view
DROP VIEW big;
CREATE VIEW big AS SELECT id FROM orders WHERE total > 1000;
-- case: a trigger
CREATE TRIGGER plain_log AFTER DELETE ON plain BEGIN INSERT INTO words VALUES (old.b); END;
-- case: drop a trigger
DROP TRIGGER orders_seen;
-- case: replace a trigger
DROP TRIGGER orders_seen;
CREATE TRIGGER orders_seen BEFORE INSERT ON orders BEGIN SELECT RAISE(ABORT, 'no'); END;
-- case: a virtual table
CREATE VIRTUAL TABLE ideas USING fts5(title, body);
-- case: a table made anew with another type
PRAGMA foreign_keys = OFF;
CREATE TABLE plain_new (a TEXT, b TEXT, c);
INSERT INTO plain_new SELECT a, b, c FROM plain;
DROP TABLE plain;
ALTER TABLE plain_new RENAME TO plain;
PRAGMA foreign_keys = ON;
-- case: a table made anew with a column required
PRAGMA foreign_keys = OFF;
BEGIN;
CREATE TABLE orders_new (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE, total REAL NOT NULL DEFAULT 0 CHECK (total >= 0), state TEXT NOT NULL DEFAULT 'open') STRICT;
DROP VIEW totals;
DROP VIEW big;
INSERT INTO orders_new SELECT * FROM orders;
DROP TABLE orders;
ALTER TABLE orders_new RENAME TO orders;
CREATE INDEX orders_customer ON orders (customer_id) WHERE total > 0;
CREATE VIEW big AS SELECT * FROM orders WHERE total > 100;
CREATE VIEW totals AS SELECT c.email, sum(o.total) AS total FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.email;
CREATE TRIGGER orders_seen AFTER INSERT ON orders BEGIN UPDATE customers SET name = 'seen' WHERE id = new.customer_id; END;
COMMIT;
PRAGMA foreign_keys = ON;
-- case: a table without rowid
CREATE TABLE kv (k TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID;
-- case: a table swapped for another
ALTER TABLE plain RENAME TO plain_old;
CREATE TABLE plain (a INTEGER PRIMARY KEY, b TEXT);
INSERT INTO plain SELECT a, b FROM plain_old;
-- case: data only
INSERT INTO plain VALUES (3, 'y', 4);
-- case: the odd name
ALTER TABLE "odd name" ADD COLUMN "select" TEXT;
-- case: analyse
ANALYZE;
-- case: the user's version
PRAGMA user_version = 12;
-- case: drop a table and make it anew, empty | loses table main.plain
DROP TABLE plain;
CREATE TABLE plain (a INTEGER, b TEXT, c);
-- case: rename a table away and make it anew, empty | loses table main.plain
ALTER TABLE plain RENAME TO plain_old;
CREATE TABLE plain (a INTEGER, b TEXT, c);
DROP TABLE plain_old;
-- case: drop a table whose rows were taken over
CREATE TABLE plain_new (a INTEGER, b TEXT, c);
INSERT INTO plain_new SELECT * FROM plain;
DROP TABLE plain;
ALTER TABLE plain_new RENAME TO plain;
-- case: empty a table and change another | loses table main.plain
DELETE FROM plain;
CREATE TABLE fresh (a int);
