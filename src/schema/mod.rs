//! Tables, columns, indexes and constraints as data.
//!
//! A [`Schema`] is built by running statements on it. What it has not seen is unknown, not absent,
//! unless it is [`Schema::complete`].

mod model;
mod replay;

pub use model::*;
