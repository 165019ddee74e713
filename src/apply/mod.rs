//! A plan to a changed database: the pure step machine, and the driver that does what it says.

mod alone;
mod backoff;
mod batch;
mod cancel;
mod case;
mod error;
mod faults;
mod hand_over;
mod lag;
mod leftover;
mod migration;
mod next;
mod pooled;
mod progress;
mod runner;
mod tidy_up;
mod trace;
mod watch;

pub use backoff::{Patience, Spent, pause_ms};
pub use cancel::{CancelRule, End};
pub use error::{ApplyError, Left};
pub use faults::Faults;
pub use next::{Action, Answer, Journal, Live, Outcome, Reason, after, next};
pub use progress::Progress;
pub use runner::{Direction, RunOptions, Runner, Stop, Summary, Tell};
pub use trace::{Span, SpanKind, Trace};
