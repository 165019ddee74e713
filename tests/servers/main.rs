//! Lint, plan, approve, apply and roll back on real servers: SQLite, PostgreSQL and MariaDB.
//!
//! The servers come from `tests/run`, which sets `LOCKWISE_TEST_POSTGRES` and
//! `LOCKWISE_TEST_MARIADB` to the URLs of logins that may create databases, and with
//! `tests/run --with-mysql` also `LOCKWISE_TEST_MYSQL`. Every test makes a
//! database of its own and drops it. Tests of failures bear the number of the failure.

#![expect(clippy::unwrap_used, reason = "a test says by panicking that something is wrong")]
#![expect(clippy::panic, reason = "a test says by panicking that something is wrong")]

mod adopt;
mod approvals;
mod attic;
mod backfill;
mod bad_input;
mod clients;
mod crashes;
mod cuts;
mod leftovers;
mod history;
mod lifecycle;
mod limits;
mod locks;
mod many;
mod pooler;
mod proxy;
mod page;
mod review;
mod support;
mod targets;
mod telemetry;
mod ways_back;
