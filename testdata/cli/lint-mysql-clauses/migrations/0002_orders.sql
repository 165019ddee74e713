SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders
  ADD COLUMN shipped_at datetime NULL AFTER total,
  MODIFY COLUMN note varchar(255) NULL,
  MODIFY COLUMN state enum('new', 'open', 'paid') NOT NULL,
  DROP INDEX orders_customer,
  ADD UNIQUE INDEX orders_note (note);
