-- lockwise: allow drop-column: no code has read it since the last fax machine was sold
ALTER TABLE customers DROP COLUMN fax;
