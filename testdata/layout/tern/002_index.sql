---- tern: disable-tx ----
CREATE INDEX CONCURRENTLY orders_note ON orders (note);
