CREATE TABLE suppliers (id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE, country TEXT NOT NULL DEFAULT 'KR', rating REAL CHECK (rating BETWEEN 0 AND 5))
;;
CREATE TABLE warehouses (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE, city TEXT NOT NULL) STRICT
;;
CREATE TABLE shelves (warehouse_id INTEGER NOT NULL REFERENCES warehouses (id), aisle TEXT NOT NULL, level INTEGER NOT NULL, capacity INTEGER NOT NULL DEFAULT 100, PRIMARY KEY (warehouse_id, aisle, level)) WITHOUT ROWID
;;
CREATE TABLE products (id INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE, title TEXT NOT NULL, supplier_id INTEGER REFERENCES suppliers (id) ON DELETE SET NULL, price_cents INTEGER NOT NULL CHECK (price_cents >= 0), price REAL GENERATED ALWAYS AS (price_cents / 100.0) STORED)
;;
CREATE TABLE stock (product_id INTEGER NOT NULL REFERENCES products (id), warehouse_id INTEGER NOT NULL, aisle TEXT NOT NULL, level INTEGER NOT NULL, quantity INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (product_id, warehouse_id, aisle, level), FOREIGN KEY (warehouse_id, aisle, level) REFERENCES shelves (warehouse_id, aisle, level)) WITHOUT ROWID
;;
CREATE TABLE movements (id INTEGER PRIMARY KEY AUTOINCREMENT, product_id INTEGER NOT NULL REFERENCES products (id), delta INTEGER NOT NULL CHECK (delta <> 0), moved_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, reason TEXT)
;;
CREATE TABLE purchases (id INTEGER PRIMARY KEY, supplier_id INTEGER NOT NULL REFERENCES suppliers (id), ordered_on TEXT NOT NULL, arrived_on TEXT, CHECK (arrived_on IS NULL OR arrived_on >= ordered_on))
;;
CREATE TABLE purchase_items (purchase_id INTEGER NOT NULL REFERENCES purchases (id) ON DELETE CASCADE, product_id INTEGER NOT NULL REFERENCES products (id), quantity INTEGER NOT NULL, PRIMARY KEY (purchase_id, product_id))
;;
CREATE TABLE carriers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, tracking_url TEXT)
;;
CREATE TABLE parcels (id INTEGER PRIMARY KEY, carrier_id INTEGER NOT NULL REFERENCES carriers (id), weight_grams INTEGER, sent_at TEXT, state TEXT NOT NULL DEFAULT 'packed' CHECK (state IN ('packed', 'sent', 'delivered', 'lost')))
;;
CREATE TABLE returns (id INTEGER PRIMARY KEY, parcel_id INTEGER NOT NULL REFERENCES parcels (id), reason TEXT NOT NULL, refunded INTEGER NOT NULL DEFAULT 0) STRICT
;;
CREATE TABLE employees (id INTEGER PRIMARY KEY, boss_id INTEGER REFERENCES employees (id), name TEXT NOT NULL, badge BLOB)
;;
CREATE TABLE shifts (employee_id INTEGER NOT NULL REFERENCES employees (id), starts TEXT NOT NULL, ends TEXT NOT NULL, PRIMARY KEY (employee_id, starts)) WITHOUT ROWID
;;
CREATE TABLE audit_log (at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, who TEXT, what ANY) STRICT
;;
CREATE VIRTUAL TABLE product_texts USING fts5(title, content='products', content_rowid='id')
;;
CREATE INDEX products_supplier ON products (supplier_id)
;;
CREATE INDEX products_dear ON products (price_cents DESC) WHERE price_cents > 100000
;;
CREATE UNIQUE INDEX suppliers_name ON suppliers (name COLLATE NOCASE)
;;
CREATE INDEX stock_place ON stock (warehouse_id, aisle, level)
;;
CREATE INDEX movements_product ON movements (product_id, moved_at)
;;
CREATE INDEX movements_day ON movements (date(moved_at, '+0 days'))
;;
CREATE INDEX purchases_supplier ON purchases (supplier_id)
;;
CREATE INDEX purchases_open ON purchases (ordered_on) WHERE arrived_on IS NULL
;;
CREATE INDEX purchase_items_product ON purchase_items (product_id)
;;
CREATE INDEX parcels_carrier ON parcels (carrier_id, state)
;;
CREATE INDEX returns_parcel ON returns (parcel_id)
;;
CREATE INDEX employees_boss ON employees (boss_id)
;;
CREATE VIEW stock_totals AS SELECT product_id, sum(quantity) AS quantity FROM stock GROUP BY product_id
;;
CREATE VIEW short_of AS SELECT p.sku, p.title, t.quantity FROM products p JOIN stock_totals t ON t.product_id = p.id WHERE t.quantity < 5
;;
CREATE VIEW open_purchases AS SELECT s.name, u.ordered_on FROM purchases u JOIN suppliers s ON s.id = u.supplier_id WHERE u.arrived_on IS NULL
;;
CREATE VIEW chain (id, top) AS WITH RECURSIVE up (id, boss) AS (SELECT id, boss_id FROM employees UNION ALL SELECT up.id, e.boss_id FROM up JOIN employees e ON e.id = up.boss) SELECT id, max(boss) FROM up GROUP BY id
;;
CREATE TRIGGER movements_stock AFTER INSERT ON movements BEGIN UPDATE stock SET quantity = quantity + new.delta WHERE product_id = new.product_id; END
;;
CREATE TRIGGER products_price BEFORE UPDATE OF price_cents ON products WHEN new.price_cents > old.price_cents * 2 BEGIN SELECT raise(ABORT, 'too dear'); END
;;
CREATE TRIGGER parcels_audit AFTER UPDATE OF state ON parcels BEGIN INSERT INTO audit_log (who, what) VALUES ('carrier', new.state); END
;;
CREATE TRIGGER short_of_order INSTEAD OF DELETE ON short_of BEGIN INSERT INTO audit_log (who, what) VALUES ('stock', old.sku); END
;;
CREATE TRIGGER products_texts AFTER INSERT ON products BEGIN INSERT INTO product_texts (rowid, title) VALUES (new.id, new.title); END
;;
CREATE TABLE holidays (day TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID
;;
CREATE INDEX shifts_day ON shifts (starts, ends)
;;
CREATE VIEW lost_parcels AS SELECT id, carrier_id FROM parcels WHERE state = 'lost'
;;
CREATE TRIGGER employees_boss_of_none BEFORE DELETE ON employees BEGIN SELECT raise(ABORT, 'still a boss') WHERE EXISTS (SELECT 1 FROM employees WHERE boss_id = old.id); END
