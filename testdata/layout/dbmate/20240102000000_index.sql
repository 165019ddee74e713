-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY orders_note ON orders (note);

-- migrate:down transaction:false
DROP INDEX orders_note;
