-- Two accounts with one address got each other's invoices.
CREATE UNIQUE INDEX customers_email ON customers (email);
