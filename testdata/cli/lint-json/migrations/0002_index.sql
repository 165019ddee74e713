-- 고객별 주문
CREATE INDEX orders_customer ON orders (customer_id);
ALTER TABEL orders;
DROP TABLE orders;
