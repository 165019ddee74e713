//! lockwise reviews database schema changes and runs migrations.
//!
//! ```text
//! lint:   files → migrations → statements → effects → findings → report
//! apply:  files → plan (shadow run, schema diff, findings, rollback) → approval → apply → history
//! ```
//!
//! The modules are listed in reading order; each uses only those above it, as `tests/tidy.rs`
//! checks. Facts about servers live in [`effect`], opinions in the rule files, and the linter and
//! the runner share both.

// Tables of cases are long, and what a test prints may fall through; the build without tests has
// checked everything else.
#![cfg_attr(
    test,
    allow(
        clippy::too_many_lines,
        clippy::wildcard_enum_match_arm,
        reason = "tests are tables of cases"
    )
)]

pub mod sql;
pub mod schema;
pub mod effect;
pub mod rule;
pub mod db;
pub mod plan;
pub mod apply;
pub mod report;
pub mod config;
pub mod cli;
