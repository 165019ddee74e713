CREATE TABLE orders (
  id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
  customer_id bigint NOT NULL,
  note varchar(60) NULL,
  total decimal(10, 2) NOT NULL,
  state enum('open', 'paid') NOT NULL,
  KEY orders_customer (customer_id)
);
