ALTER TABLE orders ADD COLUMN note text;
ALTER TABLE orders DROP COLUMN note;
