-- An order was once 'shiped'. SQLite cannot add a CHECK to a table, so the table is built anew;
-- the trigger that names it makes way and comes back.
DROP TRIGGER order_lines_total;

CREATE TABLE orders_new (
    id           INTEGER PRIMARY KEY,
    customer_id  INTEGER NOT NULL REFERENCES customers (id),
    status       TEXT NOT NULL DEFAULT 'placed'
                 CHECK (status IN ('placed', 'paid', 'shipped', 'returned')),
    placed_at    TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    total_cents  INTEGER NOT NULL DEFAULT 0
);

INSERT INTO orders_new (id, customer_id, status, placed_at, total_cents)
SELECT id, customer_id, status, placed_at, total_cents FROM orders;

DROP TABLE orders;
ALTER TABLE orders_new RENAME TO orders;

CREATE INDEX orders_customer ON orders (customer_id);

CREATE TRIGGER order_lines_total AFTER INSERT ON order_lines
BEGIN
    UPDATE orders SET total_cents = total_cents + NEW.quantity * NEW.price_cents
    WHERE id = NEW.order_id;
END;
