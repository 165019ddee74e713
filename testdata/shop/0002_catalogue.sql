-- What the shop sells: a title, and one variant for each size it comes in.
CREATE TABLE products (
    id           INTEGER PRIMARY KEY,
    sku          TEXT NOT NULL UNIQUE,
    title        TEXT NOT NULL,
    description  TEXT NOT NULL DEFAULT '',
    discontinued INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE variants (
    id           INTEGER PRIMARY KEY,
    product_id   INTEGER NOT NULL REFERENCES products (id),
    size         TEXT NOT NULL,
    price_cents  INTEGER NOT NULL CHECK (price_cents >= 0),
    in_stock     INTEGER NOT NULL DEFAULT 0,
    UNIQUE (product_id, size)
);
