//! A plan as text for the terminal, as JSON, and as Markdown for a pull request.

mod markdown;
mod text;
pub(in crate::report) mod words;

use std::io::{self, Write};

pub use markdown::markdown;
pub use text::text;
pub(super) use words::course;

use crate::plan::Plan;

/// Writes a plan as JSON; `testdata/schemas/plan.json` describes it.
pub fn json(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, plan)?;
    writeln!(out)
}
