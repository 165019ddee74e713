-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION one() RETURNS int AS 'BEGIN RETURN 1; END;' LANGUAGE plpgsql;
-- +goose StatementEnd
