-- migrate:up
CREATE TABLE orders (id int PRIMARY KEY);

-- migrate:down
DROP TABLE orders;
