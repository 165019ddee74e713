CREATE VIEW best_sellers AS
SELECT products.sku, products.title, SUM(order_lines.quantity) AS sold
FROM order_lines
JOIN variants ON variants.id = order_lines.variant_id
JOIN products ON products.id = variants.product_id
GROUP BY products.id
ORDER BY sold DESC;
