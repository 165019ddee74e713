-- Add up migration script here
CREATE TABLE orders (id int PRIMARY KEY);
