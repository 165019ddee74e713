//! Pending migrations to a plan: what will run, what it does, how to go back, who must agree.

pub mod approval;
mod digest;
mod model;
pub mod rollback;
mod time;

pub use digest::{BadDigest, Canon, Digest, hex};
pub use model::*;
pub use time::{BadInstant, BadPeriod, Instant, Period};
