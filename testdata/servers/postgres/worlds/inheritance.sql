-- with ONLY: t | id a b c n dt nope
-- with ONLY: c1 | id a x1
-- table: c2 | a extra
-- table: multi | a m o
-- with ONLY: other | o z
CREATE TABLE t (id int PRIMARY KEY, a int, b varchar(10), c text DEFAULT 'x', n numeric(10,2), ts timestamp, d dplain, e st, arr int[], j jsonb, dt date NOT NULL DEFAULT '2024-01-01', p_id int, CONSTRAINT t_a_pos CHECK (a > 0), CONSTRAINT t_ni CHECK (n > 0) NO INHERIT);
CREATE TABLE c1 (x1 int) INHERITS (t);
CREATE TABLE c2 (a int, extra int) INHERITS (t);
CREATE TABLE g1 (y1 int) INHERITS (c1);
CREATE TABLE other (o int, z int);
CREATE TABLE multi (m int) INHERITS (c1, other);
INSERT INTO t (id,a,n,p_id) SELECT g, g, 1, g FROM generate_series(1,100) g;
INSERT INTO c1 (id,a,n,p_id) SELECT g, g, 1, g FROM generate_series(1,100) g;
INSERT INTO c2 (id,a,n,p_id) SELECT g, g, 1, g FROM generate_series(1,100) g;
INSERT INTO g1 (id,a,n,p_id) SELECT g, g, 1, g FROM generate_series(1,100) g;
INSERT INTO multi (id,a,n,p_id) SELECT g, g, 1, g FROM generate_series(1,100) g;
INSERT INTO other SELECT g, g FROM generate_series(1,100) g;
CREATE INDEX t_a ON t (a);
CREATE INDEX c1_a ON c1 (a);
CREATE TABLE lone (id int NOT NULL, a int, b varchar(10), c text DEFAULT 'x', n numeric(10,2), ts timestamp, d dplain, e st, arr int[], j jsonb, dt date NOT NULL DEFAULT '2024-01-01', p_id int, CONSTRAINT t_a_pos CHECK (a > 0));
INSERT INTO lone (id,a,n) SELECT g, g, 1 FROM generate_series(1,100) g;
