CREATE TABLE names AS SELECT DISTINCT email FROM customers;
INSERT INTO names SELECT email FROM customers;
CREATE UNIQUE INDEX names_email ON names (email);
