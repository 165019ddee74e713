//! Pending migrations to a plan: what will run, what it does, how to go back, who must agree.

pub mod adopt;
pub mod approval;
mod around;
mod attic;
mod back;
mod batch;
mod beyond;
mod build;
mod change;
mod count;
mod dependents;
mod digest;
mod dry_run;
mod estimate;
mod hand_over;
mod history;
mod known;
mod live;
mod log;
mod losses;
mod model;
pub mod preflight;
pub mod rollback;
mod seed;
mod shadow;
mod steps;
mod surprise;
mod time;

pub use around::look_around;
pub use back::{Kept, NoWayBack, as_migration, kept};
pub use batch::{Keys, PlannedBatch, Position};
pub use build::{Dropped, DryRun, Material, PlanError, build, major};
pub use change::{Seen, changes, drifted, scope_of, see};
pub use count::count_losses;
pub use digest::{BadDigest, Canon, Digest, hex};
pub use dry_run::{enforce_foreign_keys, foreign_keys_switch};
pub use hand_over::{OnlineTool, Preset, filled};
pub use history::{
    Applied, Begun, DOWN, History, Order, Pending, StepEntry, Trouble, digests_of, pending,
    version_of,
};
pub use live::schema_of;
pub use log::{ApprovalUsed, Change, Month, changes_of, months_of};
pub use model::*;
pub use seed::Seeding;
pub use shadow::{Shadow, snapshot_options};
pub use steps::{CannotRun, Limits, session_reset};
pub use time::{BadInstant, BadPeriod, Instant, Period};
