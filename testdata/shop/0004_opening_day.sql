-- The stock of the opening day and the first orders, taken over from the paper ledger.
INSERT INTO customers (id, email, full_name, phone, fax) VALUES
    (1, 'marta.lindqvist@example.com', 'Marta Lindqvist', '+46 8 5550 1201', '+46 8 5550 1202'),
    (2, 'k.owusu@example.org',         'Kwame Owusu',     NULL,              NULL),
    (3, '김서연@example.net',           '김서연',           '+82 2 555 0147',  NULL),
    (4, 'atelier@example.fr',          'Atelier Brun',    '+33 1 5555 0199', '+33 1 5555 0198'),
    (5, 'p.novak@example.cz',          'Petra Nováková',  NULL,              NULL);

INSERT INTO addresses (customer_id, street, city, postcode, country) VALUES
    (1, 'Hornsgatan 12',       'Stockholm', '118 20',  'SE'),
    (2, 'Kantstraße 148',      'Berlin',    '10623',   'DE'),
    (3, '종로 1',               '서울',       '03154',   'KR'),
    (4, '9 rue des Teinturiers', 'Avignon', '84000',   'FR'),
    (5, 'Dlouhá 33',           'Praha',     '110 00',  'CZ');

INSERT INTO products (id, sku, title, description) VALUES
    (1, 'LIN-APR', 'Linen apron',      'Stonewashed, two pockets'),
    (2, 'OAK-BRD', 'Oak cutting board', 'End grain, oiled'),
    (3, 'ENM-MUG', 'Enamel mug',       '350 ml, chipped ones are sold as seconds'),
    (4, 'WAX-CND', 'Beeswax candle',   'Burns for 40 hours');

INSERT INTO variants (id, product_id, size, price_cents, in_stock) VALUES
    (1, 1, 'M', 4900, 24), (2, 1, 'L', 4900, 18),
    (3, 2, '30 cm', 6900, 7), (4, 2, '45 cm', 9900, 3),
    (5, 3, '350 ml', 1400, 120), (6, 4, '40 h', 1900, 60);

INSERT INTO orders (id, customer_id, status, placed_at) VALUES
    (1, 1, 'shipped', '2024-03-02 09:14:00'), (2, 2, 'shipped', '2024-03-02 11:40:00'),
    (3, 3, 'shipped', '2024-03-05 02:03:00'), (4, 4, 'paid',    '2024-03-06 16:21:00'),
    (5, 1, 'paid',    '2024-03-07 08:55:00'), (6, 5, 'placed',  '2024-03-07 19:30:00');

INSERT INTO order_lines (order_id, variant_id, quantity, price_cents) VALUES
    (1, 1, 1, 4900), (1, 5, 4, 1400), (2, 3, 1, 6900), (3, 6, 6, 1900), (3, 5, 2, 1400),
    (4, 2, 12, 4500), (4, 6, 24, 1700), (5, 4, 1, 9900), (6, 5, 1, 1400);
