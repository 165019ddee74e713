//! Places where a test ends the process, as a crash would: nothing is cleaned up.

use std::sync::atomic::{AtomicU32, Ordering};

/// Counts the actions of a run and ends the process at one of them.
#[derive(Debug, Default)]
pub struct Faults {
    /// The action at which the process ends; none in ordinary runs.
    at: Option<u32>,
    passed: AtomicU32,
}

impl Faults {
    /// Returns a counter that ends the process at that action, counted from 1.
    pub const fn at(action: u32) -> Self {
        Self { at: Some(action), passed: AtomicU32::new(0) }
    }

    /// Passes one place between two actions.
    pub(super) fn pass(&self, place: &'static str) {
        let Some(at) = self.at else { return };
        if self.passed.fetch_add(1, Ordering::SeqCst) + 1 == at {
            tracing::error!(place, "crash for a test");
            std::process::abort();
        }
    }
}
