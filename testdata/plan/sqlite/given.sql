CREATE TABLE customers (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE, name TEXT, fax TEXT, age INTEGER DEFAULT 18 CHECK (age >= 0), upper_name TEXT GENERATED ALWAYS AS (upper(name)) VIRTUAL)
;;
INSERT INTO customers (email, fax) VALUES ('a@shop.example', '1'), ('b@shop.example', NULL)
;;
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, -- the key
  customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
  total REAL CHECK (total >= 0),
  state TEXT NOT NULL DEFAULT 'open'
) STRICT
;;
INSERT INTO orders (customer_id, total) VALUES (1, 5), (2, 6)
;;
CREATE TABLE lines (order_id INTEGER NOT NULL REFERENCES orders, pos INTEGER NOT NULL, what TEXT, PRIMARY KEY (order_id, pos)) WITHOUT ROWID
;;
CREATE TABLE plain (a INTEGER, b TEXT, c)
;;
INSERT INTO plain VALUES (1, 'x', 2)
;;
CREATE INDEX orders_customer ON orders (customer_id) WHERE total > 0
;;
CREATE UNIQUE INDEX customers_lower ON customers (lower(email))
;;
CREATE VIEW big AS SELECT * FROM orders WHERE total > 100 -- big ones
;;
CREATE VIEW totals AS SELECT c.email, sum(o.total) AS total FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.email
;;
CREATE TRIGGER orders_seen AFTER INSERT ON orders BEGIN UPDATE customers SET name = 'seen' WHERE id = new.customer_id; END
;;
CREATE TABLE "odd name" (b PRIMARY KEY, a GENERATED ALWAYS AS (b + 1)) WITHOUT ROWID
;;
CREATE VIRTUAL TABLE words USING fts5(body)
