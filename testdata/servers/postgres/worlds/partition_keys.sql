-- with ONLY: t | id a dt
-- with ONLY: t1 | id a dt
-- table: kid | id t_id t_dt
-- table: hp | id a
-- table: hk | k a
CREATE TABLE t (id int NOT NULL, a int, b varchar(10), c text, dt date NOT NULL, p_id int, PRIMARY KEY (id, dt)) PARTITION BY RANGE (dt);
CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE t2 PARTITION OF t FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO t SELECT g, g, 'b'||g, 'c', date '2024-01-01' + g * 2, g FROM generate_series(1,300) g;
CREATE TABLE kid (id int PRIMARY KEY, t_id int, t_dt date, CONSTRAINT kid_t FOREIGN KEY (t_id, t_dt) REFERENCES t (id, dt));
INSERT INTO kid SELECT g, g, date '2024-01-01' + g * 2 FROM generate_series(1,100) g;
CREATE TABLE hp (id int, a int) PARTITION BY HASH (id);
CREATE TABLE hp0 PARTITION OF hp FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE hp1 PARTITION OF hp FOR VALUES WITH (MODULUS 4, REMAINDER 1);
INSERT INTO hp SELECT g, g FROM generate_series(1,200) g
  WHERE satisfies_hash_partition('hp'::regclass, 4, 0, g) OR satisfies_hash_partition('hp'::regclass, 4, 1, g);
CREATE TABLE hk (id int, a int, k text, UNIQUE (k)) PARTITION BY LIST (k);
CREATE TABLE hk1 PARTITION OF hk FOR VALUES IN ('x', NULL);
CREATE TABLE hkd PARTITION OF hk DEFAULT;
INSERT INTO hk VALUES (1,1,'x'),(2,2,'y');
