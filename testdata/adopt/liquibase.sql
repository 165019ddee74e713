--liquibase formatted sql

--changeset mina:1
CREATE TABLE persons (
    id int,   -- the number
    name varchar(100)
);
INSERT INTO persons VALUES (1, 'it''s; me');
--rollback DROP TABLE persons;

--changeset mina:2 splitStatements:false
CREATE TABLE orders (id int);

--changeset mina:3 stripComments:false endDelimiter:/
-- a comment that counts
CREATE TABLE lines (id int)
/
CREATE TABLE more (id int)
/

--changeset joon:4 runOnChange:true context:prod labels:x
--comment: what for
CREATE VIEW v AS SELECT   id
  FROM persons;
/* liquibase rollback
DROP VIEW v;
*/

--changeset joon:5 dbms:postgresql,mariadb,sqlite
/* block
   comment */
ALTER TABLE orders ADD COLUMN note varchar(10);


--changeset joon:6 runInTransaction:false
CREATE INDEX lines_id ON lines (id);   

--changeset joon:7 runAlways:true
CREATE OR REPLACE VIEW w AS SELECT name FROM persons;
