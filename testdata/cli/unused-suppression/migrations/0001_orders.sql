-- lockwise: allow drop-table: it is empty
CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint);
-- lockwise: allow drop-tabel: it is empty
DROP TABLE x;
