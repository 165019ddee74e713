//! Pending migrations to a plan that can be signed: shadow run, diff, findings, rollback, digest.
