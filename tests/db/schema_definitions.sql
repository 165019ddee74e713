CREATE SCHEMA def
;;
COMMENT ON SCHEMA def IS 'objects that a list defines'
;;
CREATE TYPE def.money
;;
CREATE FUNCTION def.money_in(cstring) RETURNS def.money LANGUAGE internal IMMUTABLE STRICT AS 'int4in'
;;
CREATE FUNCTION def.money_out(def.money) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out'
;;
CREATE TYPE def.money (INPUT = def.money_in, OUTPUT = def.money_out, INTERNALLENGTH = 4, PASSEDBYVALUE, ALIGNMENT = int4, DEFAULT = '0', CATEGORY = 'N', DELIMITER = ';')
;;
COMMENT ON TYPE def.money IS 'in cents'
;;
CREATE TYPE def.promised
;;
CREATE TYPE def.pair AS (a int, b int)
;;
CREATE FUNCTION def.to_int(def.money) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'int4up'
;;
CREATE CAST (def.money AS integer) WITH FUNCTION def.to_int(def.money) AS ASSIGNMENT
;;
CREATE CAST (integer AS def.money) WITHOUT FUNCTION
;;
CREATE CAST (def.pair AS text) WITH INOUT AS IMPLICIT
;;
COMMENT ON CAST (def.pair AS text) IS 'as it prints'
;;
CREATE FUNCTION def.lt(def.money, def.money) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4lt'
;;
CREATE FUNCTION def.le(def.money, def.money) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4le'
;;
CREATE FUNCTION def.eq(def.money, def.money) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq'
;;
CREATE FUNCTION def.ge(def.money, def.money) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4ge'
;;
CREATE FUNCTION def.gt(def.money, def.money) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4gt'
;;
CREATE FUNCTION def.compare(def.money, def.money) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp'
;;
CREATE OPERATOR def.< (FUNCTION = def.lt, LEFTARG = def.money, RIGHTARG = def.money, COMMUTATOR = OPERATOR(def.>), NEGATOR = OPERATOR(def.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel)
;;
CREATE OPERATOR def.> (FUNCTION = def.gt, LEFTARG = def.money, RIGHTARG = def.money, COMMUTATOR = OPERATOR(def.<), NEGATOR = OPERATOR(def.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel)
;;
CREATE OPERATOR def.<= (FUNCTION = def.le, LEFTARG = def.money, RIGHTARG = def.money, COMMUTATOR = OPERATOR(def.>=), NEGATOR = OPERATOR(def.>))
;;
CREATE OPERATOR def.>= (FUNCTION = def.ge, LEFTARG = def.money, RIGHTARG = def.money, COMMUTATOR = OPERATOR(def.<=), NEGATOR = OPERATOR(def.<))
;;
CREATE OPERATOR def.= (FUNCTION = def.eq, LEFTARG = def.money, RIGHTARG = def.money, COMMUTATOR = OPERATOR(def.=), HASHES, MERGES, RESTRICT = eqsel, JOIN = eqjoinsel)
;;
CREATE OPERATOR def.!! (FUNCTION = def.to_int, RIGHTARG = def.money)
;;
COMMENT ON OPERATOR def.!! (NONE, def.money) IS 'its cents'
;;
CREATE OPERATOR CLASS def.money_ops DEFAULT FOR TYPE def.money USING btree AS OPERATOR 1 def.<, OPERATOR 2 def.<=, OPERATOR 3 def.=, OPERATOR 4 def.>=, OPERATOR 5 def.>, FUNCTION 1 def.compare(def.money, def.money)
;;
CREATE OPERATOR FAMILY def.money_hash USING hash
;;
CREATE OPERATOR CLASS def.money_hash_ops FOR TYPE def.money USING hash FAMILY def.money_hash AS OPERATOR 1 def.=, FUNCTION 1 hashint4(int)
;;
CREATE FUNCTION def.compare_int(def.money, int) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp'
;;
CREATE FUNCTION def.lt_int(def.money, int) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4lt'
;;
CREATE OPERATOR def.< (FUNCTION = def.lt_int, LEFTARG = def.money, RIGHTARG = int)
;;
ALTER OPERATOR FAMILY def.money_ops USING btree ADD OPERATOR 1 def.<(def.money, int), FUNCTION 1 def.compare_int(def.money, int)
;;
CREATE FUNCTION def.first(def.money, def.money) RETURNS def.money LANGUAGE internal IMMUTABLE STRICT AS 'int4smaller'
;;
CREATE AGGREGATE def.least(def.money) (SFUNC = def.first, STYPE = def.money, SORTOP = OPERATOR(def.<))
;;
CREATE COLLATION def.plain (LOCALE = 'C')
;;
CREATE COLLATION def.mixed (LC_COLLATE = 'C', LC_CTYPE = 'POSIX')
;;
CREATE COLLATION def.folded (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false)
;;
COMMENT ON COLLATION def.folded IS 'case does not count'
;;
CREATE DOMAIN def.name AS text COLLATE def.folded
;;
CREATE CONVERSION def.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8
;;
CREATE TEXT SEARCH PARSER def.words (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, HEADLINE = prsd_headline, LEXTYPES = prsd_lextype)
;;
CREATE TEXT SEARCH TEMPLATE def.plain (INIT = dsimple_init, LEXIZE = dsimple_lexize)
;;
CREATE TEXT SEARCH DICTIONARY def.simple (TEMPLATE = def.plain, ACCEPT = 'false')
;;
COMMENT ON TEXT SEARCH DICTIONARY def.simple IS 'it''s simple'
;;
CREATE TEXT SEARCH CONFIGURATION def.english (COPY = pg_catalog.english)
;;
ALTER TEXT SEARCH CONFIGURATION def.english ALTER MAPPING FOR asciiword WITH def.simple, english_stem
;;
CREATE TEXT SEARCH CONFIGURATION def.bare (PARSER = def.words)
;;
CREATE TABLE def.pages (id int PRIMARY KEY, price def.money DEFAULT '7', title def.name, body text, words tsvector GENERATED ALWAYS AS (to_tsvector('def.english'::regconfig, body)) STORED)
;;
CREATE INDEX pages_price ON def.pages (price def.money_ops)
;;
CREATE VIEW def.cheap AS SELECT id, price FROM def.pages WHERE price OPERATOR(def.<) 100
;;
CREATE FOREIGN DATA WRAPPER nowhere OPTIONS (debug 'true')
;;
COMMENT ON FOREIGN DATA WRAPPER nowhere IS 'reads nothing'
;;
CREATE SERVER other TYPE 'none' VERSION '1' FOREIGN DATA WRAPPER nowhere OPTIONS (host 'it''s', port '1')
;;
COMMENT ON SERVER other IS 'far away'
;;
CREATE USER MAPPING FOR PUBLIC SERVER other
;;
CREATE FOREIGN TABLE def.remote (id int OPTIONS (column_name 'ident') NOT NULL, name text COLLATE "C" DEFAULT 'x', at date, CONSTRAINT positive CHECK (id > 0)) SERVER other OPTIONS (table_name 'theirs')
;;
COMMENT ON FOREIGN TABLE def.remote IS 'theirs'
;;
COMMENT ON COLUMN def.remote.id IS 'their key'
;;
CREATE VIEW def.remote_names AS SELECT name FROM def.remote
;;
CREATE TABLE def.parted (at date, id int) PARTITION BY RANGE (at)
;;
CREATE FOREIGN TABLE def.parted_old PARTITION OF def.parted FOR VALUES FROM (MINVALUE) TO ('2020-01-01') SERVER other
;;
GRANT USAGE ON FOREIGN SERVER other TO PUBLIC
;;
GRANT SELECT ON def.remote TO PUBLIC
;;
CREATE LANGUAGE calc HANDLER plpgsql_call_handler INLINE plpgsql_inline_handler VALIDATOR plpgsql_validator
;;
CREATE FUNCTION def.one() RETURNS int LANGUAGE calc AS 'BEGIN RETURN 1; END'
;;
CREATE ACCESS METHOD tree TYPE INDEX HANDLER bthandler
;;
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal))
