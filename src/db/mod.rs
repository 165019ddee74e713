//! Live databases: connect, introspect, lock, execute, journal. The only user of sqlx.
