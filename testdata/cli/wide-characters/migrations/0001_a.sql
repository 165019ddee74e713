CREATE TABLE "주문" (id bigint PRIMARY KEY, "고객" bigint);
