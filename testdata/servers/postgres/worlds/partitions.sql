-- with ONLY: t | id a b c n dt p_id nope
-- with ONLY: t1 | id a c n dt p_id
-- with ONLY: t2 | id a dt
CREATE TABLE t (id int NOT NULL, a int, b varchar(10), c text DEFAULT 'x', n numeric(10,2), ts timestamp, d dplain, e st, arr int[], j jsonb, dt date NOT NULL DEFAULT '2024-01-01', p_id int, CONSTRAINT t_a_pos CHECK (a > 0)) PARTITION BY RANGE (dt);
CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE t2 PARTITION OF t FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (a);
CREATE TABLE t2a PARTITION OF t2 FOR VALUES IN (1, 2, 3);
CREATE TABLE t2d PARTITION OF t2 DEFAULT;
CREATE TABLE tdef PARTITION OF t DEFAULT;
INSERT INTO t (id,a,b,c,n,ts,d,e,arr,j,dt,p_id) SELECT g, g, 'b'||g, 'c', 1, now(), 'd', 'a', '{1}', '{}', date '2024-06-01' + g*3, 1+g%300 FROM generate_series(1,300) g;
INSERT INTO t2a (id, a, dt, p_id) VALUES (901, 1, '2025-05-05', 1), (902, 2, '2025-05-06', 2);
CREATE INDEX t_a ON t (a);
CREATE INDEX t_lower ON t (lower(c));
CREATE INDEX t1_own ON t1 (n);
ALTER TABLE t ADD CONSTRAINT t_fk FOREIGN KEY (p_id) REFERENCES p(id);
CREATE TRIGGER tr AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tf();
CREATE TABLE loose (id int NOT NULL, a int, b varchar(10), c text DEFAULT 'x', n numeric(10,2), ts timestamp, d dplain, e st, arr int[], j jsonb, dt date NOT NULL DEFAULT '2024-01-01', p_id int, CONSTRAINT t_a_pos CHECK (a > 0));
INSERT INTO loose (id,a,b,dt) SELECT g, g, 'b', '2026-05-05' FROM generate_series(1,100) g;
CREATE TABLE loose2 (LIKE loose INCLUDING ALL);
ALTER TABLE loose2 ADD CONSTRAINT l2 CHECK (dt >= '2027-01-01' AND dt < '2028-01-01');
INSERT INTO loose2 (id,a,b,dt) SELECT g, g, 'b', '2027-05-05' FROM generate_series(1,100) g;
