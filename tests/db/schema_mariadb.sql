CREATE SEQUENCE invoice_numbers START WITH 1000 INCREMENT BY 5
;;
CREATE TABLE customers (
  id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  email varchar(190) NOT NULL UNIQUE COMMENT 'it''s theirs; a \\ test',
  name varchar(80) CHARACTER SET latin1 COLLATE latin1_german1_ci NOT NULL DEFAULT 'no''body',
  status enum('new','it''s paid','sent') NOT NULL DEFAULT 'new',
  flags set('a','b') DEFAULT NULL,
  born date DEFAULT NULL CHECK (born > '1900-01-01'),
  since timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  seen timestamp NULL,
  at datetime(6) DEFAULT current_timestamp(6),
  payload json DEFAULT NULL,
  secret int INVISIBLE DEFAULT 5,
  upper_name varchar(80) GENERATED ALWAYS AS (upper(name)) VIRTUAL,
  stored_name varchar(90) AS (concat(name, ' x')) STORED,
  token varchar(36) NOT NULL DEFAULT uuid(),
  bits bit(4) NOT NULL DEFAULT b'101',
  price decimal(10,2) unsigned NOT NULL DEFAULT 0.00,
  note text DEFAULT 'hello',
  place point NOT NULL,
  CONSTRAINT price_fits CHECK (price < 1000 and price >= 0),
  KEY by_name (name(10) DESC, born),
  KEY hidden (born) IGNORED,
  UNIQUE KEY a_unique (status, id) COMMENT 'why not',
  FULLTEXT KEY words (note),
  SPATIAL KEY places (place)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci ROW_FORMAT=COMPRESSED COMMENT='people'
;;
INSERT INTO customers (email, place) VALUES ('a@b', point(1, 2))
;;
CREATE TABLE orders (
  id int NOT NULL AUTO_INCREMENT,
  customer_id bigint unsigned NOT NULL,
  number bigint DEFAULT nextval(invoice_numbers),
  total double DEFAULT NULL,
  PRIMARY KEY (id),
  KEY orders_total (total),
  CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE ON UPDATE NO ACTION
)
;;
ALTER TABLE customers ADD COLUMN last_order int, ADD CONSTRAINT customers_order FOREIGN KEY (last_order) REFERENCES orders (id) ON DELETE SET NULL
;;
CREATE TABLE events (id int NOT NULL, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (year(at)) (PARTITION p0 VALUES LESS THAN (2020) COMMENT = 'old', PARTITION p1 VALUES LESS THAN MAXVALUE)
;;
CREATE TABLE events_columns (a int, b varchar(20)) PARTITION BY RANGE COLUMNS (a, b) (PARTITION x VALUES LESS THAN (5, 'm'), PARTITION y VALUES LESS THAN (MAXVALUE, MAXVALUE))
;;
CREATE TABLE regions (code int) PARTITION BY LIST (code) (PARTITION eu VALUES IN (1, 2, NULL), PARTITION rest DEFAULT)
;;
CREATE TABLE hashed (id int) PARTITION BY HASH (id) PARTITIONS 3
;;
CREATE TABLE keyed (id int PRIMARY KEY) PARTITION BY LINEAR KEY (id) PARTITIONS 2
;;
CREATE TABLE subs (id int, at date) PARTITION BY RANGE (id) SUBPARTITION BY HASH (to_days(at)) SUBPARTITIONS 2 (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))
;;
CREATE TABLE prices (id int PRIMARY KEY, price int, note varchar(9) WITHOUT SYSTEM VERSIONING) WITH SYSTEM VERSIONING
;;
CREATE TABLE memory_table (a int, KEY (a) USING HASH) ENGINE=MEMORY
;;
CREATE TABLE `odd ``name` (`select` int PRIMARY KEY, `a b` int) CHARSET=latin1
;;
CREATE VIEW big_orders AS SELECT o.id, c.name, '`x`.' AS text FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.total > 100
;;
CREATE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW a_first AS SELECT id FROM big_orders WHERE id > 1 WITH LOCAL CHECK OPTION
;;
CREATE FUNCTION add_vat(`amount` decimal(10,2), `rate` double) RETURNS decimal(10,2) DETERMINISTIC NO SQL COMMENT 'adds; it''s tax' BEGIN DECLARE x int DEFAULT 1; RETURN amount * (1 + rate); END
;;
CREATE FUNCTION greet(`who` varchar(20) CHARSET latin1 COLLATE latin1_swedish_ci) RETURNS varchar(50) READS SQL DATA SQL SECURITY INVOKER RETURN concat('hi \\\\ it''s ', who)
;;
CREATE PROCEDURE clean(IN `days` int(11), INOUT `n` int(11), OUT `m` varchar(5) CHARSET latin1 COLLATE latin1_swedish_ci) MODIFIES SQL DATA BEGIN DELETE FROM orders WHERE id < days; SET n = 1; END
;;
CREATE TRIGGER `orders_b` BEFORE INSERT ON `orders` FOR EACH ROW SET NEW.total = 1
;;
CREATE TRIGGER `orders_a` BEFORE INSERT ON `orders` FOR EACH ROW BEGIN SET NEW.total = 'x;y'; END
;;
CREATE EVENT `nightly` ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE COMMENT 'cleans' DO DELETE FROM orders
;;
CREATE EVENT `often` ON SCHEDULE EVERY '1:30' MINUTE_SECOND STARTS '2030-01-01 00:00:00' ENDS '2031-01-01 00:00:00' DO BEGIN DELETE FROM orders; END
