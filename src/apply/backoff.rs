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
/// latter half of it chosen by `jitter` (0 to 1), so that two runs do not meet again and again.
pub fn pause_ms(attempt: u32, jitter: f64) -> u64 {
    let whole = 500_u64.saturating_mul(1 << attempt.saturating_sub(1).min(5)).min(15_000);
    let half = u32::try_from(whole / 2).unwrap_or(u32::MAX);
    let part = std::time::Duration::from_millis(u64::from(half)).mul_f64(jitter.max(0.0).min(1.0));
    whole / 2 + u64::try_from(part.as_millis()).unwrap_or(0)
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
        let longest: Vec<u64> = (1..=8).map(|attempt| pause_ms(attempt, 1.0)).collect();
        assert_eq!(longest, [500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
        let shortest: Vec<u64> = (1..=3).map(|attempt| pause_ms(attempt, 0.0)).collect();
        assert_eq!(shortest, [250, 500, 1000]);
        assert_eq!(pause_ms(1, f64::NAN), 250);
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
