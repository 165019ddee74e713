CREATE TABLE orders (id bigint PRIMARY KEY);
CREATE TABLE items (id bigint PRIMARY KEY);
CREATE TABLE lines (id bigint PRIMARY KEY,);
ALTER TABLE orders ADD COLUMN note text;
FROBNICATE orders;
