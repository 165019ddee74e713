CREATE TABLE orders (id int PRIMARY KEY);
--> statement-breakpoint
ALTER TABLE orders ADD COLUMN note text;
