--liquibase formatted sql

--changeset ann:1
CREATE TABLE orders (id int PRIMARY KEY);
--rollback DROP TABLE orders;

--changeset ann:2 runInTransaction:false
CREATE INDEX CONCURRENTLY orders_note ON orders (note);
