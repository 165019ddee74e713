--! Previous: sha1:x
--! Hash: sha1:y
--! no-transaction

CREATE INDEX CONCURRENTLY orders_note ON orders (note);
