-- case: add a column
ALTER TABLE accounts ADD COLUMN phone varchar(30);
-- case: add a column first
ALTER TABLE plain ADD COLUMN id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY FIRST;
-- case: add a column after another
ALTER TABLE accounts ADD COLUMN active tinyint(1) NOT NULL DEFAULT 1 COMMENT 'it''s on' AFTER email;
-- case: add columns with a key
ALTER TABLE plain ADD COLUMN d int, ADD KEY by_d (d);
-- case: add columns in brackets
ALTER TABLE plain ADD COLUMN (d int, e int);
-- case: add a unique column
ALTER TABLE plain ADD COLUMN code varchar(9) UNIQUE;
-- case: add a generated column
ALTER TABLE plain ADD COLUMN twice int AS (a * 2) STORED;
-- case: add a column if it is not there | only mariadb
ALTER TABLE accounts ADD COLUMN IF NOT EXISTS email varchar(190);
-- case: drop the last column | restores | loses column plain.c
DROP TRIGGER stamp;
ALTER TABLE plain DROP COLUMN c;
-- case: drop a column in the middle | restores | loses column accounts.fax
ALTER TABLE accounts DROP COLUMN fax;
-- case: drop a column with a key | restores | loses column invoices.state
DROP VIEW open_invoices;
ALTER TABLE invoices DROP COLUMN state;
-- case: drop a generated column
ALTER TABLE accounts DROP COLUMN upper_name;
-- case: drop two columns | restores | loses column accounts.fax, column accounts.born
ALTER TABLE accounts DROP COLUMN fax, DROP COLUMN born;
-- case: rename a column
ALTER TABLE accounts RENAME COLUMN email TO mail;
-- case: rename a column by CHANGE
ALTER TABLE accounts CHANGE COLUMN email mail varchar(190) NOT NULL;
-- case: rename and retype a column by CHANGE | only mariadb
ALTER TABLE accounts CHANGE name full_name varchar(200) NOT NULL DEFAULT '';
-- case: change a column in place by CHANGE
ALTER TABLE accounts CHANGE name name varchar(120);
-- case: rename a table
RENAME TABLE accounts TO clients;
-- case: rename a table by ALTER
ALTER TABLE accounts RENAME TO clients;
-- case: rename two tables
RENAME TABLE plain TO plain_old, invoices TO bills;
-- case: rename a table and a column of it
ALTER TABLE plain RENAME TO simple;
ALTER TABLE simple RENAME COLUMN b TO label;
-- case: swap two tables
CREATE TABLE plain_new (a int PRIMARY KEY, b text);
RENAME TABLE plain TO plain_old, plain_new TO plain;
-- case: rename an index
ALTER TABLE accounts RENAME INDEX accounts_born TO by_birth;
-- case: a larger type
ALTER TABLE plain MODIFY a bigint;
-- case: a type and required
ALTER TABLE plain MODIFY COLUMN b varchar(20) NOT NULL;
-- case: a smaller text
ALTER TABLE accounts MODIFY name varchar(40);
-- case: another character set of a column
ALTER TABLE plain MODIFY b varchar(20) CHARACTER SET latin1;
-- case: an enum's new value
ALTER TABLE accounts MODIFY mood enum('sad','ok','happy') NOT NULL DEFAULT 'ok';
-- case: an enum's value goes
ALTER TABLE accounts MODIFY mood enum('ok') NOT NULL DEFAULT 'ok';
-- case: move a column
ALTER TABLE accounts MODIFY born date AFTER id;
-- case: move a column to the front
ALTER TABLE plain MODIFY c int FIRST;
-- case: move two columns
ALTER TABLE accounts MODIFY fax varchar(40) FIRST, MODIFY born date AFTER fax;
-- case: a column's default
ALTER TABLE accounts ALTER COLUMN age SET DEFAULT 21;
-- case: a column's default goes
ALTER TABLE accounts ALTER age DROP DEFAULT;
-- case: an expression as default
ALTER TABLE plain ALTER COLUMN b SET DEFAULT (uuid());
-- case: a column's comment
ALTER TABLE accounts MODIFY name varchar(80) COMMENT 'another';
-- case: a counter
ALTER TABLE accounts AUTO_INCREMENT = 1000;
-- case: a counter goes
ALTER TABLE invoices MODIFY id int NOT NULL;
-- case: a key
ALTER TABLE accounts ADD KEY by_name (name);
-- case: a key by CREATE INDEX
CREATE INDEX by_name ON accounts (name(10) DESC, age);
-- case: a unique key
CREATE UNIQUE INDEX by_name ON accounts (name);
-- case: a unique key without a name
ALTER TABLE accounts ADD UNIQUE (name);
-- case: a full text key
ALTER TABLE accounts ADD FULLTEXT KEY words (name);
-- case: a primary key
ALTER TABLE plain ADD PRIMARY KEY (a);
-- case: drop a primary key
ALTER TABLE spread REMOVE PARTITIONING;
ALTER TABLE spread DROP PRIMARY KEY;
-- case: another primary key
ALTER TABLE logs DROP PRIMARY KEY, ADD PRIMARY KEY (at, id);
-- case: drop a key
DROP INDEX by_state ON invoices;
-- case: drop a key by ALTER
ALTER TABLE accounts DROP KEY accounts_born;
-- case: drop a unique key
ALTER TABLE accounts DROP INDEX accounts_email;
-- case: replace a key
ALTER TABLE invoices DROP KEY by_state, ADD KEY by_state (state);
-- case: a hidden key | only mariadb
ALTER TABLE accounts ALTER INDEX accounts_born IGNORED;
-- case: an invisible key | only mysql
ALTER TABLE accounts ALTER INDEX accounts_born INVISIBLE;
-- case: a functional key | only mysql
CREATE INDEX by_lower ON accounts ((lower(name)));
-- case: a foreign key
ALTER TABLE plain ADD CONSTRAINT plain_invoice FOREIGN KEY (a) REFERENCES invoices (id);
-- case: a foreign key without a name
ALTER TABLE plain ADD FOREIGN KEY (a) REFERENCES invoices (id) ON DELETE SET NULL;
-- case: drop a foreign key
ALTER TABLE invoices DROP FOREIGN KEY invoices_account;
-- case: drop a foreign key and its index
ALTER TABLE invoices DROP FOREIGN KEY invoices_account, DROP KEY by_account;
-- case: replace a foreign key
ALTER TABLE invoices DROP FOREIGN KEY invoices_account;
ALTER TABLE invoices ADD CONSTRAINT invoices_account FOREIGN KEY (account_id) REFERENCES accounts (id);
-- case: a check
ALTER TABLE accounts ADD CONSTRAINT named CHECK (name <> '');
-- case: a check without a name
ALTER TABLE plain ADD CHECK (a > 0);
-- case: drop a check
ALTER TABLE accounts DROP CONSTRAINT grown;
-- case: a check that is not enforced | only mysql
ALTER TABLE accounts ALTER CHECK grown NOT ENFORCED;
-- case: a table
CREATE TABLE notes (id int AUTO_INCREMENT PRIMARY KEY, account_id bigint, body text, FOREIGN KEY (account_id) REFERENCES accounts (id)) ENGINE=InnoDB;
-- case: a table like another
CREATE TABLE twin LIKE accounts;
-- case: a table from a query
CREATE TABLE copy AS SELECT * FROM invoices;
-- case: a table if it is not there
CREATE TABLE IF NOT EXISTS accounts (id int);
-- case: drop a table | restores | loses table plain
DROP TABLE plain;
-- case: drop two tables | restores | loses table invoices, table plain
DROP TABLE invoices, plain;
-- case: drop a table if it is there
DROP TABLE IF EXISTS nothing_here;
-- case: drop a partitioned table | restores | loses table logs
DROP TABLE logs;
-- case: truncate a table | loses table plain
TRUNCATE TABLE plain;
-- case: a table's comment
ALTER TABLE accounts COMMENT = 'who really buys';
-- case: a table's comment goes
ALTER TABLE accounts COMMENT = '';
-- case: a table's row format
ALTER TABLE accounts ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8;
-- case: a table's engine
ALTER TABLE plain ENGINE=MyISAM;
-- case: a table's own engine again
ALTER TABLE plain ENGINE=InnoDB;
-- case: a table's default character set
ALTER TABLE plain DEFAULT CHARACTER SET latin1;
-- case: a table's character set
ALTER TABLE plain CONVERT TO CHARACTER SET latin1;
-- case: a table's collation
ALTER TABLE accounts CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
-- case: a table's statistics
ALTER TABLE accounts STATS_PERSISTENT=1 STATS_AUTO_RECALC=0;
-- case: a new partition
ALTER TABLE logs ADD PARTITION (PARTITION p2026 VALUES LESS THAN (2027));
-- case: a partition goes | loses table logs.p2023
ALTER TABLE logs DROP PARTITION p2023;
-- case: partitions are divided
ALTER TABLE logs REORGANIZE PARTITION p2025 INTO (PARTITION p2025 VALUES LESS THAN (2026), PARTITION later VALUES LESS THAN MAXVALUE);
-- case: more partitions
ALTER TABLE spread ADD PARTITION PARTITIONS 2;
-- case: fewer partitions
ALTER TABLE spread COALESCE PARTITION 2;
-- case: no partitions
ALTER TABLE spread REMOVE PARTITIONING;
-- case: partitions for a plain table
ALTER TABLE plain PARTITION BY HASH (a) PARTITIONS 3;
-- case: a partition is emptied | loses table logs.p2023
ALTER TABLE logs TRUNCATE PARTITION p2023;
-- case: a view
CREATE VIEW adults AS SELECT id, email FROM accounts WHERE age >= 18;
-- case: replace a view
CREATE OR REPLACE VIEW open_invoices AS SELECT id, account_id FROM invoices WHERE state = 'open';
-- case: change a view
ALTER VIEW open_invoices AS SELECT id FROM invoices;
-- case: drop a view
DROP VIEW open_invoices;
-- case: rename a view
RENAME TABLE open_invoices TO unpaid;
-- case: a trigger
CREATE TRIGGER again BEFORE UPDATE ON plain FOR EACH ROW SET NEW.b = 'x';
-- case: drop a trigger
DROP TRIGGER stamp;
-- case: a function
CREATE FUNCTION twice(x int) RETURNS int DETERMINISTIC RETURN x * 2;
-- case: drop a function
DROP FUNCTION vat;
-- case: change a function
DROP FUNCTION vat;
CREATE FUNCTION vat(amount decimal(10,2)) RETURNS decimal(10,2) DETERMINISTIC RETURN amount * 0.07;
-- case: a procedure
CREATE PROCEDURE nothing() SELECT 1;
-- case: drop a procedure
DROP PROCEDURE tidy;
-- case: a procedure's comment
ALTER PROCEDURE tidy COMMENT 'tidies' SQL SECURITY INVOKER;
-- case: an event
CREATE EVENT weekly ON SCHEDULE EVERY 1 WEEK STARTS '2030-01-01 00:00:00' DISABLE DO DELETE FROM plain;
-- case: change an event
ALTER EVENT nightly COMMENT 'cleans more';
-- case: drop an event
DROP EVENT nightly;
-- case: rename an event
ALTER EVENT nightly RENAME TO every_night;
-- case: a sequence | only mariadb
CREATE SEQUENCE numbers START WITH 5 INCREMENT BY 5;
-- case: change a sequence | only mariadb
ALTER SEQUENCE invoice_numbers INCREMENT BY 7;
-- case: drop a sequence | only mariadb
ALTER TABLE orders ALTER COLUMN number DROP DEFAULT;
DROP SEQUENCE invoice_numbers;
-- case: system versioning | only mariadb
ALTER TABLE plain ADD SYSTEM VERSIONING;
-- case: an invisible column
ALTER TABLE plain ADD COLUMN hidden int INVISIBLE DEFAULT 5;
-- case: several changes of one table | restores | loses column accounts.fax
ALTER TABLE accounts ADD COLUMN x int, MODIFY age bigint NOT NULL DEFAULT 5, DROP CONSTRAINT grown, DROP COLUMN fax, ADD KEY by_x (x);
-- case: data only
INSERT INTO plain VALUES (5, 'y', 6);
-- case: a column filled from another
ALTER TABLE accounts ADD COLUMN full_name varchar(80);
UPDATE accounts SET full_name = name;
-- case: a replaced trigger | only mariadb
CREATE OR REPLACE TRIGGER stamp BEFORE INSERT ON plain FOR EACH ROW SET NEW.c = 2;
-- case: optimise
OPTIMIZE TABLE plain;
-- case: a privilege belongs to the whole server | not run
GRANT SELECT ON accounts TO PUBLIC;
-- case: a user belongs to the whole server | not run
CREATE USER lockwise_case_user;
-- case: a setting of the whole server | not run
SET GLOBAL max_statement_time = 0;
-- case: drop a table and make it anew, empty | loses table plain
DROP TABLE plain;
CREATE TABLE plain (a int, b varchar(20), c int);
-- case: rename a table away and make it anew, empty | loses table plain
ALTER TABLE plain RENAME TO plain_old;
CREATE TABLE plain (a int, b varchar(20), c int);
DROP TABLE plain_old;
-- case: drop a table whose rows were taken over
CREATE TABLE plain_new (a int, b varchar(20), c int);
INSERT INTO plain_new SELECT * FROM plain;
DROP TABLE plain;
ALTER TABLE plain_new RENAME TO plain;
-- case: empty a table and change another | loses table plain
TRUNCATE TABLE plain;
CREATE TABLE fresh (a int);
