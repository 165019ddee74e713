--! Previous: -
--! Hash: sha1:x

CREATE TABLE orders (id int PRIMARY KEY);
