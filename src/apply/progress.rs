//! What a run tells while it goes on.

/// Something that happened, or is going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Another run holds the migration lock.
    WaitingForRun {
        /// Who, as far as the server says.
        holder: Option<String>,
    },
    /// A run that did not finish is gone on with.
    Resuming {
        /// The plan's digest.
        plan: String,
    },
    /// A migration begins.
    Migration {
        /// Its version.
        version: String,
        /// Its name.
        name: String,
        /// Its number in the run, from 1.
        number: usize,
        /// How many there are.
        of: usize,
    },
    /// A statement is sent.
    Step {
        /// The statement, from 1.
        step: usize,
        /// How many the migration has.
        of: usize,
        /// Its first words.
        sql: String,
    },
    /// A statement waits for a lock.
    Blocked {
        /// Who is in the way, one each.
        by: Vec<String>,
        /// For how long so far.
        waited_ms: u64,
    },
    /// A long statement has come so far.
    Working {
        /// What it does now, in the server's words.
        phase: String,
        /// How much is done, in hundredths, where it is known.
        percent: Option<u8>,
    },
    /// A batch is done.
    Batch {
        /// Rows changed so far.
        rows: u64,
        /// Batches so far.
        batches: u64,
        /// How much is done, in hundredths, where keys are numbers.
        percent: Option<u8>,
        /// Rows a second in this run.
        rows_per_second: u64,
        /// How long the rest is likely to take.
        left_ms: Option<u64>,
    },
    /// The next batch waits until a replica has caught up.
    WaitingForReplica {
        /// Which one.
        who: String,
        /// How far it is behind, where that is known.
        lag_ms: Option<u64>,
    },
    /// A statement gave up and is tried again.
    Retry {
        /// The attempt that follows.
        attempt: u32,
        /// After so long.
        pause_ms: u64,
        /// Why the last one gave up.
        error: String,
    },
    /// What a failed statement left behind was tidied up.
    CleanedUp {
        /// How.
        what: String,
    },
    /// What was in the way was ended, as a rule allows.
    Ended {
        /// Whose work.
        who: String,
    },
    /// A statement was found done after a crash.
    Recovered {
        /// The statement, from 1.
        step: usize,
    },
    /// A migration is done.
    Done {
        /// Its version.
        version: String,
        /// How long it took.
        took_ms: u64,
    },
}
