-- The order list added up its lines on every page view; keep the sum with the order.
ALTER TABLE orders ADD COLUMN total_cents INTEGER NOT NULL DEFAULT 0;

UPDATE orders
SET total_cents = (
    SELECT COALESCE(SUM(quantity * price_cents), 0)
    FROM order_lines
    WHERE order_lines.order_id = orders.id
)
WHERE total_cents = 0;

CREATE TRIGGER order_lines_total AFTER INSERT ON order_lines
BEGIN
    UPDATE orders SET total_cents = total_cents + NEW.quantity * NEW.price_cents
    WHERE id = NEW.order_id;
END;
