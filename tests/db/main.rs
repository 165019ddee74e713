//! The `db` folder against real servers.
//!
//! `tests/run` starts the servers and sets `LOCKWISE_TEST_POSTGRES` and `LOCKWISE_TEST_MARIADB`.
//! Each test makes a database of its own and drops it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    clippy::too_many_lines
)]

mod support;

mod connection;
mod journal;
mod live;
mod parse;
mod shadow;
mod snapshot_mariadb;
mod snapshot_postgres;
mod snapshot_sqlite;
