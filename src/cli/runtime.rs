//! The async runtime, for the commands that talk to a database.

use std::future::Future;

use super::failure::Failure;

/// Runs a future to its end. Commands that need no database never start a runtime.
pub(super) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    // One session waits for one answer at a time: a second thread would only be woken for nothing.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("cannot start the runtime").because(&error))?;
    runtime.block_on(future)
}
