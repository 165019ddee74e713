CREATE TABLE customers (
  id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  email varchar(190) NOT NULL UNIQUE COMMENT 'it''s theirs; a \\ test',
  name varchar(80) CHARACTER SET latin1 COLLATE latin1_german1_ci NOT NULL DEFAULT 'no''body',
  status enum('new','it''s paid','sent') NOT NULL DEFAULT 'new',
  born date DEFAULT NULL,
  since timestamp NOT NULL DEFAULT current_timestamp ON UPDATE current_timestamp,
  seen timestamp NULL,
  at datetime(6) DEFAULT current_timestamp(6) ON UPDATE current_timestamp(6),
  payload json DEFAULT (json_array()),
  secret int INVISIBLE DEFAULT 5,
  upper_name varchar(80) GENERATED ALWAYS AS (concat(upper(name), ' it''s')) VIRTUAL,
  stored_name varchar(90) AS (concat(name, ' x')) STORED NOT NULL,
  token varchar(36) NOT NULL DEFAULT (uuid()),
  bits bit(4) NOT NULL DEFAULT b'101',
  price decimal(10,2) unsigned NOT NULL DEFAULT 0.00 CHECK (price < 1000),
  note text DEFAULT ('hello'),
  place point NOT NULL SRID 4326,
  CONSTRAINT name_there CHECK (name <> 'it''s' AND price >= 0) NOT ENFORCED,
  KEY by_name (name(10) DESC, born),
  KEY by_expression ((lower(email)), (price + 1)),
  KEY hidden (born) INVISIBLE,
  FULLTEXT KEY words (note),
  SPATIAL KEY places (place)
) COLLATE=utf8mb4_unicode_ci ROW_FORMAT=COMPRESSED COMMENT='people'
;;
CREATE TABLE orders (
  id int NOT NULL AUTO_INCREMENT,
  customer_id bigint unsigned NOT NULL,
  total double DEFAULT NULL,
  PRIMARY KEY (id),
  CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE ON UPDATE RESTRICT
)
;;
CREATE TABLE events (id int NOT NULL, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (year(at)) (PARTITION p0 VALUES LESS THAN (2020) COMMENT = 'old', PARTITION p1 VALUES LESS THAN MAXVALUE)
;;
CREATE TABLE regions (code int) PARTITION BY LIST COLUMNS (code) (PARTITION eu VALUES IN (1, 2, NULL), PARTITION rest VALUES IN (0))
;;
CREATE TABLE hashed (id int) PARTITION BY HASH (id) PARTITIONS 3
;;
CREATE TABLE keyed (id int PRIMARY KEY) PARTITION BY LINEAR KEY (id) PARTITIONS 2
;;
CREATE VIEW big_orders AS SELECT o.id, c.name, 'x' AS text FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.total > 100
;;
CREATE SQL SECURITY INVOKER VIEW a_first AS SELECT id FROM big_orders WHERE id > 1 WITH LOCAL CHECK OPTION
;;
CREATE FUNCTION add_vat(`amount` decimal(10,2), `rate` double) RETURNS decimal(10,2) DETERMINISTIC NO SQL COMMENT 'adds; it''s tax' BEGIN DECLARE x int DEFAULT 1; RETURN amount * (1 + rate); END
;;
CREATE PROCEDURE clean(IN `days` int, OUT `m` varchar(5)) MODIFIES SQL DATA BEGIN DELETE FROM orders WHERE id < days; SET m = 'it''s'; END
;;
CREATE TRIGGER `orders_b` BEFORE INSERT ON `orders` FOR EACH ROW SET NEW.total = 1
;;
CREATE EVENT `nightly` ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE COMMENT 'cleans' DO DELETE FROM orders
