-- lockwise: allow create-index-blocking: the table has 40 rows
CREATE INDEX orders_customer ON orders (customer);
-- lockwise: allow create-index-bloking: no such rule
SELECT 1;
