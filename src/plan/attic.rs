//! Where dropped tables and columns are kept aside, so that a rollback brings their rows back.

/// The schema of the attic on PostgreSQL, and the prefix of its tables elsewhere.
pub(super) const SCHEMA: &str = "lockwise_attic";
