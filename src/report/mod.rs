//! Findings, effects, plans and progress as text, JSON and other formats, written to a writer.

pub mod effects;
pub mod history;
pub mod lint;
mod place;
pub mod otlp;
pub mod plan;
pub mod progress;
pub mod rules;
pub mod table;
mod wrap;

mod html;

pub use html::plan_html;
pub use wrap::wrapped;
