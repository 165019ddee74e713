CREATE TABLE orders (id int PRIMARY KEY);
---- create above / drop below ----
DROP TABLE orders;
