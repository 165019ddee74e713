-- +goose Dwn
SELECT 1;
