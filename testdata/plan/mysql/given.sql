CREATE TABLE accounts (
  id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
  email varchar(190) NOT NULL,
  name varchar(80) DEFAULT NULL COMMENT 'first and last',
  fax varchar(40) DEFAULT NULL,
  age int NOT NULL DEFAULT 18,
  born date DEFAULT NULL,
  score decimal(8,2) unsigned NOT NULL DEFAULT 0.00,
  mood enum('sad','ok') NOT NULL DEFAULT 'ok',
  changed timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  upper_name varchar(80) GENERATED ALWAYS AS (upper(name)) VIRTUAL,
  UNIQUE KEY accounts_email (email),
  KEY accounts_born (born),
  CONSTRAINT grown CHECK (age >= 0)
) COMMENT='who buys'
;;
INSERT INTO accounts (email, name, fax) VALUES ('a@shop.example', 'A', '1'), ('b@shop.example', NULL, NULL)
;;
CREATE TABLE invoices (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  account_id bigint NOT NULL,
  total decimal(12,2) DEFAULT 0.00,
  state varchar(20) NOT NULL DEFAULT 'open',
  KEY by_account (account_id),
  KEY by_state (state, total),
  CONSTRAINT invoices_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
)
;;
INSERT INTO invoices (account_id, total) VALUES (1, 10), (2, 20)
;;
CREATE TABLE plain (a int, b varchar(20), c int)
;;
INSERT INTO plain VALUES (1, 'x', 2)
;;
CREATE TABLE logs (id int NOT NULL, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (year(at)) (PARTITION p2023 VALUES LESS THAN (2024), PARTITION p2024 VALUES LESS THAN (2025), PARTITION p2025 VALUES LESS THAN (2026))
;;
INSERT INTO logs VALUES (1, '2023-03-04')
;;
CREATE TABLE spread (id int NOT NULL PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 4
;;
CREATE VIEW open_invoices AS SELECT id, account_id, total FROM invoices WHERE state = 'open'
;;
CREATE FUNCTION vat(`amount` decimal(10,2)) RETURNS decimal(10,2) DETERMINISTIC RETURN amount * 0.19
;;
CREATE PROCEDURE tidy(IN `days` int) DELETE FROM plain WHERE a < days
;;
CREATE TRIGGER stamp BEFORE INSERT ON plain FOR EACH ROW SET NEW.c = 1
