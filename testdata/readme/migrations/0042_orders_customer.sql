SET lock_timeout = '2s';

-- The page "my orders" reads the whole table.
CREATE INDEX orders_customer ON orders (customer_id);
