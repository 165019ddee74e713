//! How long to wait before trying again, and when to stop trying.

/// Limits of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How often a statement that gave up is tried again.
    pub retries: u32,
    /// How long others may have been kept waiting by this run, all told.
    pub blocking_budget_ms: u64,
}

/// Returns the pause before an attempt (from 1): doubling from half a second to 15 seconds, the
/// latter half of it chosen by a random number, so that two runs do not meet again and again.
pub const fn pause_ms(attempt: u32, random: u64) -> u64 {
    let doublings = if attempt > 6 { 5 } else { attempt.saturating_sub(1) };
    let whole = 500 << doublings;
    let whole = if whole > 15_000 { 15_000 } else { whole };
    whole / 2 + random % (whole / 2 + 1)
}

/// What others have been made to wait, and what is left of what they may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Milliseconds in which somebody could be waiting for us.
    pub blocking_ms: u64,
}

impl Patience {
    /// Says which limit forbids another attempt that may block for so long, if one does.
    pub const fn refuses(self, attempt: u32, spent: Spent, next_ms: u64) -> Option<&'static str> {
        if attempt > self.retries {
            Some("the number of retries")
        } else if spent.blocking_ms + next_ms > self.blocking_budget_ms {
            Some("the blocking budget")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let longest = |attempt| (0..8_000).map(|random| pause_ms(attempt, random)).max().unwrap();
        assert_eq!(
            [1, 2, 3, 4, 5, 6, 7].map(longest),
            [500, 1000, 2000, 4000, 8000, 15_000, 15_000]
        );
        assert_eq!([1, 2, 3].map(|attempt| pause_ms(attempt, 0)), [250, 500, 1000]);
        assert!(pause_ms(u32::MAX, u64::MAX) <= 15_000);
    }

    #[test]
    fn limits_end_the_attempts() {
        let patience = Patience { retries: 3, blocking_budget_ms: 10_000 };
        let spent = Spent { blocking_ms: 8_000 };
        assert_eq!(patience.refuses(3, spent, 2_000), None);
        assert_eq!(patience.refuses(4, spent, 2_000), Some("the number of retries"));
        assert_eq!(patience.refuses(3, spent, 2_001), Some("the blocking budget"));
    }
}
