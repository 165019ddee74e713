CREATE TABLE suppliers (id int UNSIGNED AUTO_INCREMENT PRIMARY KEY, name varchar(100) NOT NULL, country char(2) NOT NULL DEFAULT 'KR', rating decimal(2, 1), UNIQUE KEY suppliers_name (name), CONSTRAINT rating_known CHECK (rating BETWEEN 0 AND 5)) COMMENT = 'who sells to us'
;;
CREATE TABLE warehouses (id int PRIMARY KEY, code varchar(10) CHARACTER SET ascii NOT NULL, city varchar(60) NOT NULL, UNIQUE KEY (code))
;;
CREATE TABLE shelves (warehouse_id int NOT NULL, aisle varchar(5) NOT NULL, level tinyint NOT NULL, capacity smallint NOT NULL DEFAULT 100, PRIMARY KEY (warehouse_id, aisle, level), CONSTRAINT shelves_house FOREIGN KEY (warehouse_id) REFERENCES warehouses (id))
;;
CREATE TABLE products (id bigint AUTO_INCREMENT PRIMARY KEY, sku varchar(40) NOT NULL UNIQUE, title varchar(200) NOT NULL, supplier_id int UNSIGNED, price_cents int NOT NULL, price decimal(12, 2) AS (price_cents / 100) STORED, kind enum('part', 'set', 'service') NOT NULL DEFAULT 'part', FULLTEXT KEY products_title (title), KEY products_supplier (supplier_id), CONSTRAINT products_seller FOREIGN KEY (supplier_id) REFERENCES suppliers (id) ON DELETE SET NULL)
;;
CREATE TABLE stock (product_id bigint NOT NULL, warehouse_id int NOT NULL, quantity int NOT NULL DEFAULT 0, PRIMARY KEY (product_id, warehouse_id), CONSTRAINT stock_product FOREIGN KEY (product_id) REFERENCES products (id), CONSTRAINT stock_house FOREIGN KEY (warehouse_id) REFERENCES warehouses (id))
;;
CREATE TABLE movements (id bigint AUTO_INCREMENT, product_id bigint NOT NULL, delta int NOT NULL, moved_on date NOT NULL, reason text, PRIMARY KEY (id, moved_on), KEY movements_product (product_id, moved_on)) PARTITION BY RANGE COLUMNS (moved_on) (PARTITION old VALUES LESS THAN ('2026-01-01'), PARTITION rest VALUES LESS THAN (MAXVALUE))
;;
CREATE TABLE purchases (id int AUTO_INCREMENT PRIMARY KEY, supplier_id int UNSIGNED NOT NULL, ordered_on date NOT NULL, arrived_on date, KEY purchases_open (arrived_on, ordered_on), CONSTRAINT purchases_seller FOREIGN KEY (supplier_id) REFERENCES suppliers (id), CONSTRAINT arrives_later CHECK (arrived_on IS NULL OR arrived_on >= ordered_on))
;;
CREATE TABLE purchase_items (purchase_id int NOT NULL, product_id bigint NOT NULL, quantity int NOT NULL, PRIMARY KEY (purchase_id, product_id), CONSTRAINT items_purchase FOREIGN KEY (purchase_id) REFERENCES purchases (id) ON DELETE CASCADE, CONSTRAINT items_product FOREIGN KEY (product_id) REFERENCES products (id))
;;
CREATE TABLE carriers (id smallint PRIMARY KEY, name varchar(80) NOT NULL COLLATE utf8mb4_bin, tracking_url varchar(300)) DEFAULT CHARSET = utf8mb4
;;
CREATE TABLE parcels (id bigint PRIMARY KEY, carrier_id smallint NOT NULL, weight_grams mediumint UNSIGNED, sent_at datetime(3), marks set('fragile', 'cold', 'heavy') NOT NULL DEFAULT '', KEY parcels_carrier (carrier_id, sent_at DESC), CONSTRAINT parcels_by FOREIGN KEY (carrier_id) REFERENCES carriers (id))
;;
CREATE TABLE parcel_returns (id int PRIMARY KEY, parcel_id bigint NOT NULL, reason varchar(300) NOT NULL, refunded bit(1) NOT NULL DEFAULT b'0', CONSTRAINT returned FOREIGN KEY (parcel_id) REFERENCES parcels (id))
;;
CREATE TABLE employees (id int PRIMARY KEY, boss_id int, name varchar(100) NOT NULL, badge varbinary(64), hired timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, CONSTRAINT boss FOREIGN KEY (boss_id) REFERENCES employees (id))
;;
CREATE TABLE shifts (employee_id int NOT NULL, starts datetime NOT NULL, ends datetime NOT NULL, PRIMARY KEY (employee_id, starts), CONSTRAINT shift_of FOREIGN KEY (employee_id) REFERENCES employees (id))
;;
CREATE TABLE audit_log (at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), who varchar(80), what json) ROW_FORMAT = COMPRESSED
;;
CREATE TABLE places (id int PRIMARY KEY, spot point NOT NULL, SPATIAL KEY (spot))
;;
CREATE TABLE settings (name varchar(60) PRIMARY KEY, value longtext) ENGINE = MyISAM
;;
CREATE VIEW stock_totals AS SELECT product_id, sum(quantity) AS quantity FROM stock GROUP BY product_id
;;
CREATE VIEW short_of AS SELECT p.sku, p.title, t.quantity FROM products p JOIN stock_totals t ON t.product_id = p.id WHERE t.quantity < 5
;;
CREATE SQL SECURITY INVOKER VIEW open_purchases AS SELECT s.name, u.ordered_on FROM purchases u JOIN suppliers s ON s.id = u.supplier_id WHERE u.arrived_on IS NULL
;;
CREATE VIEW dear AS SELECT id, sku, price_cents FROM products WHERE price_cents > 100000 WITH CASCADED CHECK OPTION
;;
CREATE TRIGGER movements_stock AFTER INSERT ON movements FOR EACH ROW UPDATE stock SET quantity = quantity + NEW.delta WHERE product_id = NEW.product_id
;;
CREATE TRIGGER products_price BEFORE UPDATE ON products FOR EACH ROW BEGIN IF NEW.price_cents > OLD.price_cents * 2 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'too dear'; END IF; END
;;
CREATE TRIGGER parcels_audit AFTER UPDATE ON parcels FOR EACH ROW INSERT INTO audit_log (who, what) VALUES ('carrier', '"moved"')
;;
CREATE FUNCTION stock_of(wanted bigint) RETURNS int READS SQL DATA RETURN (SELECT sum(quantity) FROM stock WHERE product_id = wanted)
;;
CREATE FUNCTION euros(cents int) RETURNS decimal(12, 2) DETERMINISTIC RETURN cents / 100
;;
CREATE PROCEDURE move_stock(IN which bigint, IN pieces int) BEGIN INSERT INTO movements (product_id, delta, moved_on) VALUES (which, pieces, current_date); END
;;
CREATE PROCEDURE forget_audit() DELETE FROM audit_log WHERE at < now() - INTERVAL 1 YEAR
;;
CREATE EVENT audit_ages ON SCHEDULE EVERY 1 DAY STARTS '2026-01-01 03:00:00' ON COMPLETION PRESERVE DISABLE DO CALL forget_audit()
