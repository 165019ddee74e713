//! A plan to a changed database: the pure step machine, and the driver that does what it says.

mod next;

pub use next::{Action, Answer, Journal, Live, Outcome, Reason, after, next};
