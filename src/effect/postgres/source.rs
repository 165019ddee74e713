//! Where the facts of PostgreSQL 12 to 18 are known from.
//!
//! "Measured" means that the behaviour was recorded on servers of the versions named; the
//! recordings are in testdata/servers/postgres and are tests.

pub(super) const ALTER_TABLE: &str =
    "PostgreSQL 12-18, manual: ALTER TABLE; measured, testdata/servers/postgres";
pub(super) const ADD_COLUMN: &str =
    "PostgreSQL 12-18, manual: ALTER TABLE, Notes; measured, testdata/servers/postgres";
pub(super) const TYPE_CHANGE: &str = "PostgreSQL 12-18, manual: ALTER TABLE, Notes; CREATE CAST; \
     measured, testdata/servers/postgres";
pub(super) const FOREIGN_KEY: &str = "PostgreSQL 12-18, manual: ALTER TABLE, ADD table_constraint; \
     measured, testdata/servers/postgres";
pub(super) const PARTITION: &str =
    "PostgreSQL 12-18, manual: Table Partitioning; measured, testdata/servers/postgres";
pub(super) const INDEX: &str = "PostgreSQL 12-18, manual: CREATE INDEX, Building Indexes \
     Concurrently; measured, testdata/servers/postgres";
pub(super) const DROP: &str =
    "PostgreSQL 12-18, manual: Dependency Tracking; measured, testdata/servers/postgres";
pub(super) const LOCKING: &str =
    "PostgreSQL 12-18, manual: Explicit Locking; measured, testdata/servers/postgres";
pub(super) const DOMAIN: &str =
    "PostgreSQL 12-18, manual: ALTER DOMAIN; measured, testdata/servers/postgres";
pub(super) const OBJECT: &str =
    "PostgreSQL 12-18, manual: SQL Commands; measured, testdata/servers/postgres";
pub(super) const TRANSACTION: &str =
    "PostgreSQL 12-18, manual: Notes of the command; measured, testdata/servers/postgres";
pub(super) const SYNTAX: &str =
    "PostgreSQL 12-18, release notes; measured, testdata/servers/postgres";
