\set ON_ERROR_STOP on
\connect shop
CREATE TABLE orders (id bigint PRIMARY KEY);
COPY orders FROM stdin;
1
2
\.
