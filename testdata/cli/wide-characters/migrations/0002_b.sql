/* 고객별 */ CREATE INDEX "주문_고객" ON "주문" ("고객");
