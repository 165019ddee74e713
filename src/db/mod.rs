//! Live databases: connect, introspect, lock, execute, journal. The only user of sqlx.
//!
//! In: a [`Target`] and plain SQL. Out: [`Rows`] of text cells, a [`Snapshot`] of the whole schema,
//! and [`ServerError`]s whose kind says what a runner needs to know. Nothing above this folder sees
//! a driver's type, and nothing in here reads the environment or prints.

mod error;
mod target;
mod secrets;
mod rows;
mod connection;
mod driver;
mod session;
mod snapshot;
mod sqlite;
mod mysql;
mod postgres;
mod introspect;
mod lock;
mod login;
mod journal;
mod observe;
mod pooler;
mod preflight;
mod shadow;

pub use crate::sql::{ident, literal};
pub use connection::{Access, ConnectOptions, Connection, MissingFile};
pub use error::{Error, ErrorKind, ServerError};
pub use introspect::{LoadReport, disarm_after, is_disarmed, load, snapshot, snapshot_of};
pub use journal::{Entry, Event, JOURNAL_FORMAT, Journal, JournalOptions, NewEntry, UnknownEvent};
pub use lock::{Holder, LockOptions, MigrationLock};
pub use login::Login;
pub use observe::{Observation, observe};
pub use pooler::pooler;
pub use preflight::{Dependent, HeldLock, LiveQuery, dependents, held_locks, live_queries};
pub use rows::{Row, Rows};
pub use secrets::Secrets;
pub use session::{PoolerSign, Timeouts};
pub use shadow::{Shadow, ShadowOptions};
pub use snapshot::{
    BadSnapshot, DETACHING, HIDDEN, Scope, Snapshot, SnapshotObject, SnapshotOptions,
};
pub use target::{Target, TargetError, Tls};
