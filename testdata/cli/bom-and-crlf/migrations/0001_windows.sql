CREATE TABLE t (id int);

-- 주문
ALTER TABLE t
  ADD COLUMN n int;
