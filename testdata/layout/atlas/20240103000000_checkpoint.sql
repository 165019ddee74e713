-- atlas:checkpoint

CREATE TABLE orders (id int PRIMARY KEY);
