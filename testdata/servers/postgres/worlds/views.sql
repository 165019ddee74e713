-- table: vw | id a nope
-- table: mv | id c
-- table: un | id s a
-- table: ty | x y
-- table: ft | id a c
-- table: sq | last_value
-- table: ust | id e r x
-- table: t | id a n c
CREATE TABLE t (id int PRIMARY KEY, a int, b varchar(10), c text DEFAULT 'x', n numeric(10,2), ts timestamp, d dplain, e st, arr int[], j jsonb, dt date NOT NULL DEFAULT '2024-01-01', p_id int);
INSERT INTO t (id,a,b,c,n,ts,d,e,arr,j,dt,p_id) SELECT g, g, 'b'||g, 'c', 1, now(), 'd', 'a', '{1}', '{}', '2024-01-01', g FROM generate_series(1,300) g;
CREATE VIEW vw AS SELECT id, a, b FROM t;
CREATE MATERIALIZED VIEW mv AS SELECT id, c FROM t;
CREATE UNIQUE INDEX mv_id ON mv (id);
CREATE RULE ru AS ON UPDATE TO t DO ALSO NOTHING;
CREATE POLICY pol ON t USING (n > 0);
CREATE UNLOGGED TABLE un (id int PRIMARY KEY, s serial, a int);
INSERT INTO un SELECT g, g FROM generate_series(1,100) g;
CREATE TABLE ty OF comp;
INSERT INTO ty SELECT g, 'x' FROM generate_series(1,100) g;
CREATE FOREIGN DATA WRAPPER fdw;
CREATE SERVER srv FOREIGN DATA WRAPPER fdw;
CREATE FOREIGN TABLE ft (id int, a int, c text) SERVER srv;
CREATE TABLE ust (id int, e st, r comp, x pos);
INSERT INTO ust SELECT g, 'a', (1,'x')::comp, 1 FROM generate_series(1,100) g;
