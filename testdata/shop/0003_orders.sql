CREATE TABLE orders (
    id           INTEGER PRIMARY KEY,
    customer_id  INTEGER NOT NULL REFERENCES customers (id),
    status       TEXT NOT NULL DEFAULT 'placed',
    placed_at    TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX orders_customer ON orders (customer_id);

CREATE TABLE order_lines (
    order_id     INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    variant_id   INTEGER NOT NULL REFERENCES variants (id),
    quantity     INTEGER NOT NULL CHECK (quantity > 0),
    price_cents  INTEGER NOT NULL,
    PRIMARY KEY (order_id, variant_id)
) WITHOUT ROWID;

CREATE INDEX order_lines_variant ON order_lines (variant_id);
