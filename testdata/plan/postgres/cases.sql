-- case: add a column
ALTER TABLE accounts ADD COLUMN phone text;
-- case: add a column with a default
ALTER TABLE accounts ADD COLUMN active boolean NOT NULL DEFAULT true;
-- case: add a column with a reference
ALTER TABLE plain ADD COLUMN account_id bigint REFERENCES accounts (id);
-- case: add a unique column and a check
ALTER TABLE plain ADD COLUMN code text UNIQUE CHECK (code <> '');
-- case: add a column if it is not there
ALTER TABLE accounts ADD COLUMN IF NOT EXISTS email text;
-- case: add a serial column
ALTER TABLE plain ADD COLUMN id bigserial;
-- case: add an identity column
ALTER TABLE plain ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY;
-- case: add a generated column
ALTER TABLE accounts ADD COLUMN lower_mail text GENERATED ALWAYS AS (lower(email)) STORED;
-- case: drop the last column | loses column public.lines.what
ALTER TABLE lines DROP COLUMN what;
-- case: drop a column in the middle | order | loses column public.accounts.fax
ALTER TABLE accounts DROP COLUMN fax;
-- case: drop a column with an index | order | loses column public.invoices.placed
ALTER TABLE invoices DROP COLUMN placed;
-- case: drop a column with views on it | order | loses column public.invoices.total
ALTER TABLE invoices DROP COLUMN total CASCADE;
-- case: drop a column with a foreign key | order | loses column public.invoices.account_id
ALTER TABLE invoices DROP COLUMN account_id CASCADE;
-- case: drop the primary key's column | order | loses column public.accounts.id
ALTER TABLE accounts DROP COLUMN id CASCADE;
-- case: drop a generated column | restores
ALTER TABLE accounts DROP COLUMN upper_name;
-- case: drop a column with a serial default | order | loses column public.invoices.id
ALTER TABLE invoices DROP COLUMN id CASCADE;
-- case: rename a column
ALTER TABLE accounts RENAME COLUMN email TO mail;
-- case: rename a column without the word
ALTER TABLE accounts RENAME email TO mail;
-- case: rename a table
ALTER TABLE accounts RENAME TO clients;
-- case: rename a table and a column of it
ALTER TABLE accounts RENAME TO clients;
ALTER TABLE clients RENAME COLUMN email TO mail;
-- case: swap two columns by name
ALTER TABLE plain RENAME COLUMN a TO tmp;
ALTER TABLE plain RENAME COLUMN c TO a;
ALTER TABLE plain RENAME COLUMN tmp TO c;
-- case: rename and then change
ALTER TABLE plain RENAME COLUMN b TO label;
ALTER TABLE plain ALTER COLUMN label SET NOT NULL;
ALTER TABLE plain ADD COLUMN d int;
-- case: rename an index
ALTER INDEX invoices_account_idx RENAME TO by_account;
-- case: rename a constraint
ALTER TABLE accounts RENAME CONSTRAINT accounts_age_check TO grown_up;
-- case: rename a view
ALTER VIEW open_invoices RENAME TO unpaid;
-- case: rename a view's column
ALTER VIEW open_invoices RENAME COLUMN total TO amount;
-- case: rename a materialized view
ALTER MATERIALIZED VIEW per_state RENAME TO states;
-- case: rename a sequence
ALTER SEQUENCE ticket_numbers RENAME TO numbers;
-- case: rename a type
ALTER TYPE mood RENAME TO feeling;
-- case: rename a type's attribute
ALTER TYPE point3 RENAME ATTRIBUTE z TO depth;
-- case: rename an enum value
ALTER TYPE mood RENAME VALUE 'ok' TO 'fine';
-- case: rename a domain
ALTER DOMAIN percent RENAME TO hundredths;
-- case: rename a domain's constraint
ALTER DOMAIN percent RENAME CONSTRAINT percent_check TO in_range;
-- case: rename a function
ALTER FUNCTION vat(numeric) RENAME TO tax;
-- case: rename a procedure
ALTER PROCEDURE tidy(integer) RENAME TO clean_up;
-- case: rename a trigger
ALTER TRIGGER invoices_stamp ON invoices RENAME TO stamped;
-- case: rename a policy
ALTER POLICY seen ON invoices RENAME TO visible;
-- case: rename a rule
ALTER RULE keep ON plain RENAME TO never;
-- case: rename a schema
ALTER SCHEMA shop RENAME TO store;
-- case: rename a publication
ALTER PUBLICATION out_there RENAME TO abroad;
-- case: rename statistics
ALTER STATISTICS invoices_stats RENAME TO stats_of_invoices;
-- case: rename an event trigger
ALTER EVENT TRIGGER watch_ddl RENAME TO ddl_watch;
-- case: a table to another schema
ALTER TABLE plain SET SCHEMA shop;
-- case: a type to another schema
ALTER TYPE mood SET SCHEMA shop;
-- case: a function to another schema
ALTER FUNCTION vat(numeric) SET SCHEMA shop;
-- case: a view to another schema
ALTER VIEW open_invoices SET SCHEMA shop;
-- case: a sequence to another schema
ALTER SEQUENCE ticket_numbers SET SCHEMA shop;
-- case: a larger type
ALTER TABLE accounts ALTER COLUMN age TYPE bigint;
-- case: a type with an expression
ALTER TABLE plain ALTER COLUMN a TYPE text USING a::text;
-- case: a text to a number
ALTER TABLE plain ALTER COLUMN c TYPE numeric(10,2);
-- case: a type that has no cast back
ALTER TABLE plain ALTER COLUMN a TYPE boolean USING a > 0;
-- case: a text with a limit
ALTER TABLE accounts ALTER COLUMN fax TYPE varchar(200);
-- case: a type with a collation
ALTER TABLE plain ALTER COLUMN b TYPE text COLLATE "C";
-- case: a date to a timestamp
ALTER TABLE accounts ALTER COLUMN born TYPE timestamptz;
-- case: an enum to a text
ALTER TABLE accounts ALTER COLUMN mood DROP DEFAULT;
ALTER TABLE accounts ALTER COLUMN mood TYPE text;
-- case: a text to json
ALTER TABLE plain ALTER COLUMN b TYPE jsonb USING to_jsonb(b);
-- case: an integer to an array
ALTER TABLE plain ALTER COLUMN a TYPE integer[] USING ARRAY[a];
-- case: set a default
ALTER TABLE accounts ALTER COLUMN name SET DEFAULT 'nobody';
-- case: change a default
ALTER TABLE accounts ALTER COLUMN age SET DEFAULT 21;
-- case: drop a default
ALTER TABLE accounts ALTER COLUMN age DROP DEFAULT;
-- case: require a column
ALTER TABLE plain ALTER COLUMN a SET NOT NULL;
-- case: require no column
ALTER TABLE accounts ALTER COLUMN email DROP NOT NULL;
-- case: require a column with the safe steps
ALTER TABLE plain ADD CONSTRAINT a_there CHECK (a IS NOT NULL) NOT VALID;
ALTER TABLE plain VALIDATE CONSTRAINT a_there;
ALTER TABLE plain ALTER COLUMN a SET NOT NULL;
ALTER TABLE plain DROP CONSTRAINT a_there;
-- case: drop a generation expression
ALTER TABLE accounts ALTER COLUMN upper_name DROP EXPRESSION;
-- case: add an identity
ALTER TABLE plain ALTER COLUMN a SET NOT NULL;
ALTER TABLE plain ALTER COLUMN a ADD GENERATED ALWAYS AS IDENTITY;
-- case: change an identity
ALTER TABLE accounts ALTER COLUMN id SET GENERATED ALWAYS;
-- case: change an identity's sequence
ALTER TABLE accounts ALTER COLUMN id SET INCREMENT BY 10 SET CACHE 5;
-- case: drop an identity
ALTER TABLE accounts ALTER COLUMN id DROP IDENTITY;
-- case: a column's statistics
ALTER TABLE accounts ALTER COLUMN email SET STATISTICS 500;
-- case: a column's storage
ALTER TABLE accounts ALTER COLUMN email SET STORAGE EXTERNAL;
-- case: a column's compression
ALTER TABLE accounts ALTER COLUMN email SET COMPRESSION pglz;
-- case: a column's options
ALTER TABLE accounts ALTER COLUMN email SET (n_distinct = 100);
-- case: a table's options
ALTER TABLE accounts SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
-- case: take back a table's options
ALTER TABLE shop.customers RESET (fillfactor);
-- case: change an option of a partition's toast table
ALTER TABLE shop.customers SET (toast.autovacuum_enabled = true);
-- case: a check
ALTER TABLE accounts ADD CONSTRAINT named CHECK (name <> '');
-- case: a check that is not validated
ALTER TABLE accounts ADD CONSTRAINT named CHECK (name <> '') NOT VALID;
-- case: a check without a name
ALTER TABLE plain ADD CHECK (a > 0);
-- case: validate a constraint
ALTER TABLE shop.orders VALIDATE CONSTRAINT orders_total;
-- case: validate a foreign key
ALTER TABLE shop.orders VALIDATE CONSTRAINT orders_customer;
-- case: drop a check
ALTER TABLE accounts DROP CONSTRAINT accounts_age_check;
-- case: a unique constraint
ALTER TABLE plain ADD CONSTRAINT plain_b UNIQUE (b);
-- case: a unique constraint over an index
CREATE UNIQUE INDEX plain_b ON plain (b);
ALTER TABLE plain ADD CONSTRAINT plain_b_key UNIQUE USING INDEX plain_b;
-- case: drop a unique constraint
ALTER TABLE accounts DROP CONSTRAINT accounts_email_key;
-- case: a primary key
ALTER TABLE plain ADD PRIMARY KEY (a);
-- case: drop a primary key
ALTER TABLE lines DROP CONSTRAINT lines_pkey;
-- case: drop a primary key that others refer to
ALTER TABLE accounts DROP CONSTRAINT accounts_pkey CASCADE;
-- case: a foreign key
ALTER TABLE plain ADD CONSTRAINT plain_invoice FOREIGN KEY (a) REFERENCES invoices (id) ON DELETE CASCADE;
-- case: a foreign key that is not validated
ALTER TABLE plain ADD CONSTRAINT plain_invoice FOREIGN KEY (a) REFERENCES invoices (id) NOT VALID;
-- case: drop a foreign key
ALTER TABLE invoices DROP CONSTRAINT invoices_account;
-- case: make a foreign key deferrable
ALTER TABLE invoices ALTER CONSTRAINT invoices_account DEFERRABLE INITIALLY DEFERRED;
-- case: an exclusion constraint
ALTER TABLE accounts ADD CONSTRAINT no_twins EXCLUDE USING btree (email WITH =);
-- case: replace a check
ALTER TABLE accounts DROP CONSTRAINT accounts_age_check, ADD CONSTRAINT accounts_age_check CHECK (age >= 18);
-- case: an index
CREATE INDEX accounts_name ON accounts (name);
-- case: an index built concurrently
CREATE INDEX CONCURRENTLY accounts_name ON accounts (name);
-- case: a unique index on an expression
CREATE UNIQUE INDEX accounts_mail ON accounts (lower(email)) WHERE age > 0;
-- case: an index without a name
CREATE INDEX ON accounts (born);
-- case: an index of another method
CREATE INDEX shop_tags ON shop.customers USING gin (tags);
-- case: drop an index
DROP INDEX invoices_account_idx;
-- case: drop an index concurrently
DROP INDEX CONCURRENTLY invoices_open;
-- case: an index's options
ALTER INDEX invoices_open SET (fillfactor = 50);
-- case: rebuild an index
REINDEX INDEX invoices_open;
-- case: cluster a table
ALTER TABLE invoices CLUSTER ON invoices_account_idx;
-- case: an index on a partitioned table
CREATE INDEX logs_line ON logs (line);
-- case: a table
CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account_id bigint REFERENCES accounts, body text);
CREATE INDEX notes_account ON notes (account_id);
COMMENT ON TABLE notes IS 'what they say';
-- case: a table like another
CREATE TABLE twin (LIKE invoices INCLUDING ALL);
-- case: a table from a query
CREATE TABLE copy AS SELECT * FROM accounts;
-- case: an unlogged table
CREATE UNLOGGED TABLE cache (k text PRIMARY KEY, v jsonb);
-- case: a table that inherits
CREATE TABLE special (extra int) INHERITS (plain);
-- case: drop a table | restores | loses table public.plain
DROP TABLE plain;
-- case: drop a table with everything on it | restores | loses table public.invoices
DROP TABLE invoices CASCADE;
-- case: drop two tables | restores | loses table public.lines, table public.invoices
DROP TABLE lines, invoices CASCADE;
-- case: drop a table if it is there
DROP TABLE IF EXISTS nothing_here;
-- case: drop a partitioned table | restores | loses table public.logs, table public.logs_2024, table public.logs_2025
DROP TABLE logs;
-- case: drop a partition | restores | loses table public.logs_2024
DROP TABLE logs_2024;
-- case: drop an unlogged table | restores | loses table public.scratch
DROP TABLE scratch;
-- case: a logged table
ALTER TABLE scratch SET LOGGED;
-- case: an unlogged table of a logged one
ALTER TABLE plain SET UNLOGGED;
-- case: a new partition
CREATE TABLE logs_2027 PARTITION OF logs FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
-- case: a default partition
CREATE TABLE logs_rest PARTITION OF logs DEFAULT;
-- case: attach a partition
ALTER TABLE logs ATTACH PARTITION logs_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
-- case: detach a partition
ALTER TABLE logs DETACH PARTITION logs_2024;
-- case: detach a partition concurrently
ALTER TABLE logs DETACH PARTITION logs_2024 CONCURRENTLY;
-- case: a new partitioned table
CREATE TABLE m (id int, at date) PARTITION BY LIST (id);
CREATE TABLE m_1 PARTITION OF m FOR VALUES IN (1);
-- case: a partitioned table's new column
ALTER TABLE logs ADD COLUMN level int DEFAULT 1;
-- case: a partitioned table's column goes | restores | loses column public.logs.line
ALTER TABLE logs DROP COLUMN line;
-- case: a partitioned table's check
ALTER TABLE logs ADD CONSTRAINT not_empty CHECK (line <> '');
-- case: a partitioned table's key
ALTER TABLE logs ADD PRIMARY KEY (at);
-- case: inherit
ALTER TABLE plain ADD COLUMN d int;
CREATE TABLE child (a integer, b text, c integer, d integer);
ALTER TABLE child INHERIT plain;
-- case: inherit no more | stays
ALTER TABLE shop.vans NO INHERIT shop.cars;
-- case: a view
CREATE VIEW adults AS SELECT id, email FROM accounts WHERE age >= 18;
-- case: replace a view
CREATE OR REPLACE VIEW open_invoices AS SELECT id, account_id, total, placed FROM invoices WHERE state = 'open';
-- case: replace a view by another
CREATE OR REPLACE VIEW open_invoices AS SELECT id, account_id, total FROM invoices WHERE state IN ('open', 'sent');
-- case: a view's options
ALTER VIEW open_invoices SET (security_barrier = true);
-- case: a view's default
ALTER VIEW open_invoices ALTER COLUMN total SET DEFAULT 3;
-- case: drop a view
DROP VIEW open_invoices;
-- case: drop a view that others read
DROP VIEW shop.big_orders CASCADE;
-- case: a materialized view
CREATE MATERIALIZED VIEW ages AS SELECT age, count(*) FROM accounts GROUP BY age;
CREATE INDEX ages_age ON ages (age);
-- case: drop a materialized view
DROP MATERIALIZED VIEW per_state;
-- case: refresh a materialized view
REFRESH MATERIALIZED VIEW per_state;
-- case: an enum
CREATE TYPE colour AS ENUM ('red', 'green');
-- case: an enum's new value
ALTER TYPE mood ADD VALUE 'ecstatic';
-- case: an enum's new value in the middle
ALTER TYPE mood ADD VALUE 'meh' BEFORE 'ok';
-- case: an enum that nothing uses gets a value
CREATE TYPE unused AS ENUM ('a');
ALTER TYPE unused ADD VALUE 'b';
-- case: drop an enum and what has it | order | loses column public.accounts.mood
DROP TYPE mood CASCADE;
-- case: a composite type
CREATE TYPE pair AS (a int, b text);
-- case: a composite type's new attribute
ALTER TYPE point3 ADD ATTRIBUTE w int;
-- case: a composite type's attribute goes | loses attribute public.point3.z
ALTER TYPE point3 DROP ATTRIBUTE z;
-- case: a composite type's attribute changes
ALTER TYPE point3 ALTER ATTRIBUTE z TYPE bigint;
-- case: drop a composite type
DROP TYPE point3;
-- case: a range type
CREATE TYPE float_range AS RANGE (subtype = float8);
-- case: a domain
CREATE DOMAIN zip AS text CHECK (VALUE ~ '^\d{5}$');
-- case: a domain's default
ALTER DOMAIN percent SET DEFAULT 5;
-- case: a domain's default goes
ALTER DOMAIN percent DROP DEFAULT;
-- case: a domain requires a value
ALTER DOMAIN percent SET NOT NULL;
-- case: a domain's constraint
ALTER DOMAIN percent ADD CONSTRAINT even CHECK (VALUE % 2 = 0) NOT VALID;
-- case: a domain's constraint goes
ALTER DOMAIN percent DROP CONSTRAINT percent_check;
-- case: a domain's constraint is validated
ALTER DOMAIN shop.email VALIDATE CONSTRAINT short;
-- case: drop a domain and what has it | order | loses column public.accounts.share
DROP DOMAIN percent CASCADE;
-- case: a sequence
CREATE SEQUENCE more_numbers INCREMENT 5 START 10;
-- case: change a sequence
ALTER SEQUENCE ticket_numbers INCREMENT BY 2 MAXVALUE 100000 CACHE 20 CYCLE;
-- case: a sequence of another type
ALTER SEQUENCE ticket_numbers AS integer;
-- case: a sequence that a column owns
ALTER SEQUENCE ticket_numbers OWNED BY invoices.number;
-- case: a sequence that no column owns
ALTER SEQUENCE shop.invoice_numbers OWNED BY NONE;
-- case: a sequence starts elsewhere
ALTER SEQUENCE ticket_numbers START WITH 500 RESTART;
-- case: drop a sequence
DROP SEQUENCE shop.countdown;
-- case: drop a sequence and what has it
DROP SEQUENCE ticket_numbers CASCADE;
-- case: a function
CREATE FUNCTION twice(x int) RETURNS int LANGUAGE sql AS 'SELECT x * 2';
-- case: replace a function
CREATE OR REPLACE FUNCTION vat(amount numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT amount * 0.07';
-- case: a function of another result
DROP FUNCTION vat(numeric);
CREATE FUNCTION vat(amount numeric) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT (amount * 0.07)::text';
-- case: a function's options
ALTER FUNCTION vat(numeric) STABLE SECURITY DEFINER COST 50;
-- case: a function's settings
ALTER FUNCTION vat(numeric) SET search_path = public;
-- case: a function of another overload
CREATE FUNCTION vat(amount numeric, rate numeric) RETURNS numeric LANGUAGE sql AS 'SELECT amount * rate';
-- case: drop a function
DROP FUNCTION vat(numeric);
-- case: drop a function and its trigger
DROP FUNCTION stamp() CASCADE;
-- case: a procedure
CREATE PROCEDURE nothing() LANGUAGE sql AS 'SELECT 1';
-- case: replace a procedure
CREATE OR REPLACE PROCEDURE tidy(days integer) LANGUAGE sql AS 'SELECT 2';
-- case: drop a procedure
DROP PROCEDURE tidy(integer);
-- case: an aggregate
CREATE AGGREGATE mul(numeric) (SFUNC = numeric_mul, STYPE = numeric, INITCOND = '1');
-- case: drop an aggregate
DROP AGGREGATE shop.total(numeric) CASCADE;
-- case: a trigger
CREATE TRIGGER again BEFORE INSERT ON invoices FOR EACH ROW EXECUTE FUNCTION stamp();
-- case: drop a trigger
DROP TRIGGER invoices_stamp ON invoices;
-- case: switch a trigger off
ALTER TABLE invoices DISABLE TRIGGER invoices_stamp;
-- case: switch a trigger on
ALTER TABLE shop.orders ENABLE TRIGGER orders_touch;
-- case: switch every trigger off
ALTER TABLE invoices DISABLE TRIGGER USER;
-- case: a trigger that always fires
ALTER TABLE invoices ENABLE ALWAYS TRIGGER invoices_stamp;
-- case: row security
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
-- case: forced row security
ALTER TABLE invoices FORCE ROW LEVEL SECURITY;
-- case: no row security
ALTER TABLE shop.customers DISABLE ROW LEVEL SECURITY;
ALTER TABLE shop.customers NO FORCE ROW LEVEL SECURITY;
-- case: a policy
CREATE POLICY own ON invoices FOR ALL TO PUBLIC USING (account_id = 1) WITH CHECK (total > 0);
-- case: change a policy
ALTER POLICY seen ON invoices USING (state <> 'secret');
-- case: drop a policy
DROP POLICY seen ON invoices;
-- case: a rule
CREATE RULE silent AS ON UPDATE TO plain DO INSTEAD NOTHING;
-- case: drop a rule
DROP RULE keep ON plain;
-- case: switch a rule off
ALTER TABLE plain DISABLE RULE keep;
-- case: replica identity
ALTER TABLE accounts REPLICA IDENTITY FULL;
-- case: replica identity by an index
ALTER TABLE accounts REPLICA IDENTITY USING INDEX accounts_email_key;
-- case: a comment
COMMENT ON COLUMN accounts.name IS 'first and last';
-- case: another comment
COMMENT ON TABLE accounts IS 'who really buys';
-- case: no comment
COMMENT ON COLUMN accounts.email IS NULL;
-- case: comments on all kinds of things
COMMENT ON INDEX invoices_open IS 'i';
COMMENT ON VIEW open_invoices IS 'v';
COMMENT ON SEQUENCE ticket_numbers IS 's';
COMMENT ON TYPE mood IS 't';
COMMENT ON DOMAIN percent IS 'd';
COMMENT ON FUNCTION vat(numeric) IS 'f';
COMMENT ON CONSTRAINT accounts_age_check ON accounts IS 'c';
COMMENT ON TRIGGER invoices_stamp ON invoices IS 'g';
COMMENT ON POLICY seen ON invoices IS 'p';
COMMENT ON SCHEMA shop IS 'other';
COMMENT ON RULE keep ON plain IS 'r';
COMMENT ON STATISTICS invoices_stats IS 'st';
COMMENT ON PROCEDURE tidy(integer) IS 'pr';
COMMENT ON MATERIALIZED VIEW per_state IS 'm';
COMMENT ON PUBLICATION out_there IS 'pub';
-- case: a schema
CREATE SCHEMA billing;
CREATE TABLE billing.t (a int);
-- case: a schema with what is in it
CREATE SCHEMA billing CREATE TABLE t (a int) CREATE VIEW v AS SELECT a FROM t;
-- case: drop a schema | restores | loses table Odd Schema.Odd Table
DROP SCHEMA "Odd Schema" CASCADE;
-- case: an extension
CREATE EXTENSION IF NOT EXISTS pg_trgm;
-- case: an extension in use
CREATE EXTENSION hstore;
ALTER TABLE plain ADD COLUMN tags hstore;
-- case: a grant
GRANT SELECT, INSERT ON plain TO PUBLIC;
-- case: a revoke
REVOKE SELECT ON accounts FROM PUBLIC;
-- case: a grant on a column
GRANT UPDATE (total) ON invoices TO PUBLIC;
-- case: a revoke of a column
REVOKE SELECT (id) ON invoices FROM PUBLIC;
-- case: a revoke of a function
REVOKE EXECUTE ON FUNCTION vat(numeric) FROM PUBLIC;
-- case: a grant on a schema
GRANT USAGE, CREATE ON SCHEMA shop TO PUBLIC;
-- case: a grant on all tables
GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC;
-- case: privileges of new tables
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC;
-- case: a publication
CREATE PUBLICATION few FOR TABLE plain;
-- case: a publication's new table
ALTER PUBLICATION out_there ADD TABLE accounts;
-- case: a publication's table goes
ALTER PUBLICATION out_there DROP TABLE invoices;
-- case: a publication's options
ALTER PUBLICATION out_there SET (publish = 'insert');
-- case: drop a publication
DROP PUBLICATION out_there;
-- case: statistics
CREATE STATISTICS accounts_stats (dependencies) ON age, born FROM accounts;
-- case: change statistics
ALTER STATISTICS invoices_stats SET STATISTICS 100;
-- case: drop statistics
DROP STATISTICS invoices_stats;
-- case: an event trigger
CREATE FUNCTION on_event() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE EVENT TRIGGER noted ON sql_drop EXECUTE FUNCTION on_event();
-- case: switch an event trigger on
ALTER EVENT TRIGGER watch_ddl ENABLE;
-- case: drop an event trigger
DROP EVENT TRIGGER watch_ddl;
-- case: a collation
CREATE COLLATION german (provider = icu, locale = 'de-u-co-phonebk');
ALTER TABLE plain ALTER COLUMN b TYPE text COLLATE german;
-- case: a text search configuration
CREATE TEXT SEARCH CONFIGURATION shop_words (COPY = pg_catalog.simple);
ALTER TEXT SEARCH CONFIGURATION shop_words ALTER MAPPING FOR word WITH english_stem;
-- case: a foreign table
CREATE FOREIGN DATA WRAPPER files;
CREATE SERVER there FOREIGN DATA WRAPPER files OPTIONS (host 'x');
CREATE FOREIGN TABLE far (a int OPTIONS (column_name 'b'), b text) SERVER there OPTIONS (table_name 'far');
-- case: data only
INSERT INTO plain VALUES (5, 'y', 6);
-- case: a column filled from another
ALTER TABLE accounts ADD COLUMN full_name text;
UPDATE accounts SET full_name = name;
ALTER TABLE accounts ALTER COLUMN full_name SET DEFAULT '';
-- case: a column split in two | order | loses column public.accounts.name
DROP VIEW account_totals;
ALTER TABLE accounts DROP COLUMN upper_name;
ALTER TABLE accounts ADD COLUMN first_name text, ADD COLUMN last_name text;
ALTER TABLE accounts DROP COLUMN name;
-- case: a table replaced by another
ALTER TABLE plain RENAME TO plain_old;
CREATE TABLE plain (a bigint PRIMARY KEY, b text);
INSERT INTO plain SELECT a, b FROM plain_old;
-- case: several changes of one table
ALTER TABLE accounts ADD COLUMN x int, ALTER COLUMN age SET NOT NULL, ALTER COLUMN age SET DEFAULT 5, DROP CONSTRAINT accounts_age_check, ADD CONSTRAINT x_small CHECK (x < 9);
-- case: two changes of one column
ALTER TABLE accounts ALTER COLUMN age TYPE smallint;
ALTER TABLE accounts ALTER COLUMN age SET DEFAULT 3, ALTER COLUMN age SET NOT NULL;
-- case: typed tables
ALTER TABLE shop.typed NOT OF;
-- case: an anonymous block
DO $$ BEGIN EXECUTE 'CREATE TABLE made_by_do (a int)'; END $$;
-- case: truncate a table | loses table public.plain
TRUNCATE plain;
-- case: vacuum
VACUUM plain;
-- case: change a table with a view on it
DROP VIEW account_totals;
ALTER TABLE accounts ALTER COLUMN email TYPE varchar(200);
CREATE VIEW account_totals AS SELECT a.id, a.email, sum(i.total) AS total FROM accounts a JOIN invoices i ON i.account_id = a.id GROUP BY a.id, a.email;
-- case: the access method's default
ALTER TABLE plain SET WITHOUT OIDS;
-- case: a table's tablespace
ALTER TABLE plain SET TABLESPACE pg_default;
-- case: make a foreign server, a login and a table of it
CREATE SERVER elsewhere FOREIGN DATA WRAPPER nowhere OPTIONS (host 'a');
CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (password 'x');
CREATE FOREIGN TABLE far (id int NOT NULL, name text OPTIONS (column_name 'n')) SERVER elsewhere;
GRANT SELECT ON far TO PUBLIC;
-- case: make a foreign data wrapper
CREATE FOREIGN DATA WRAPPER more OPTIONS (a 'b');
COMMENT ON FOREIGN DATA WRAPPER more IS 'x';
-- case: drop a foreign table
DROP FOREIGN TABLE def.remote CASCADE;
-- case: drop a login that nobody may read | not run
DROP USER MAPPING FOR PUBLIC SERVER other;
-- case: change a server's options | fails
ALTER SERVER other OPTIONS (SET host 'b');
-- case: change a login | unseen
ALTER USER MAPPING FOR PUBLIC SERVER other OPTIONS (ADD password 'x');
-- case: make a collation and use it
CREATE COLLATION loose (PROVIDER = icu, LOCALE = 'und-u-ks-level1', DETERMINISTIC = false);
ALTER TABLE plain ADD COLUMN nick text COLLATE loose;
-- case: drop a collation
DROP COLLATION def.plain;
-- case: rename a collation
ALTER COLLATION def.mixed RENAME TO blended;
-- case: make a cast
CREATE FUNCTION as_bool(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = ''y''';
CREATE CAST (text AS boolean) WITH FUNCTION as_bool(text) AS ASSIGNMENT;
-- case: drop a cast
DROP CAST (def.pair AS text);
-- case: make operators and a class of them
CREATE TYPE pt AS (x int, y int);
CREATE FUNCTION pt_eq(pt, pt) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).x = ($2).x';
CREATE OPERATOR === (FUNCTION = pt_eq, LEFTARG = pt, RIGHTARG = pt, COMMUTATOR = ===);
CREATE FUNCTION pt_hash(pt) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT ($1).x';
CREATE OPERATOR CLASS pt_ops FOR TYPE pt USING hash AS OPERATOR 1 ===, FUNCTION 1 pt_hash(pt);
-- case: drop an operator
DROP OPERATOR def.!! (NONE, def.money);
-- case: drop an operator class and its family
DROP OPERATOR CLASS def.money_hash_ops USING hash;
DROP OPERATOR FAMILY def.money_hash USING hash;
-- case: make an operator family
CREATE OPERATOR FAMILY fam USING btree;
-- case: make a text search configuration
CREATE TEXT SEARCH DICTIONARY dict (TEMPLATE = pg_catalog.simple, ACCEPT = 'true');
CREATE TEXT SEARCH CONFIGURATION conf (COPY = pg_catalog.simple);
ALTER TEXT SEARCH CONFIGURATION conf ALTER MAPPING FOR asciiword WITH dict;
COMMENT ON TEXT SEARCH CONFIGURATION conf IS 'x';
-- case: change a text search configuration
ALTER TEXT SEARCH CONFIGURATION def.english ALTER MAPPING FOR asciiword WITH pg_catalog.simple;
-- case: drop a mapping and a configuration
ALTER TEXT SEARCH CONFIGURATION def.english DROP MAPPING FOR numword;
DROP TEXT SEARCH CONFIGURATION def.bare;
-- case: make a text search parser and template
CREATE TEXT SEARCH PARSER pars (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE temp (LEXIZE = dsimple_lexize);
-- case: make a type of which only the name is there
CREATE TYPE later_on;
-- case: make a language and a function in it
CREATE TRUSTED LANGUAGE reckon HANDLER plpgsql_call_handler;
CREATE FUNCTION two() RETURNS int LANGUAGE reckon AS 'BEGIN RETURN 2; END';
-- case: drop a language
DROP LANGUAGE calc CASCADE;
-- case: make a conversion, an access method, a transform
CREATE CONVERSION conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE ACCESS METHOD bush TYPE INDEX HANDLER bthandler;
CREATE TRANSFORM FOR bigint LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal));
-- case: drop a conversion and an access method
DROP CONVERSION def.latin;
DROP ACCESS METHOD tree;
-- case: make an event trigger
CREATE FUNCTION ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION ddl();
-- case: default privileges
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
-- case: a role belongs to the whole server | not run
CREATE ROLE lockwise_case_role;
-- case: a privilege on a database | not run
DO 'BEGIN END';
GRANT CONNECT ON DATABASE postgres TO PUBLIC;
-- case: an owner of what was there | unseen
ALTER TABLE plain OWNER TO CURRENT_USER;
-- case: an owner of what is made
CREATE TABLE owned (id int);
ALTER TABLE owned OWNER TO CURRENT_USER;
-- case: a subscription reaches its publisher | not run
CREATE SUBSCRIPTION sub CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p;
-- case: a foreign schema is read from its server | not run
IMPORT FOREIGN SCHEMA public FROM SERVER other INTO public;
-- case: a table of another server is read | not run
CREATE EXTENSION IF NOT EXISTS file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE passwords (line text) SERVER files OPTIONS (filename '/etc/passwd');
INSERT INTO plain (b) SELECT line FROM passwords;
-- case: drop a table and make it anew, empty | loses table public.plain
DROP TABLE plain;
CREATE TABLE plain (a integer, b text, c integer);
-- case: rename a table away and make it anew, empty | loses table public.plain
ALTER TABLE plain RENAME TO plain_old;
CREATE TABLE plain (a integer, b text, c integer);
DROP TABLE plain_old;
-- case: drop a table whose rows were taken over
CREATE TABLE plain_new (a integer, b text, c integer);
INSERT INTO plain_new SELECT * FROM plain;
DROP TABLE plain;
ALTER TABLE plain_new RENAME TO plain;
-- case: empty a table and change another | loses table public.plain
TRUNCATE TABLE plain;
CREATE TABLE fresh (a int);
