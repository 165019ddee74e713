//! Tables, columns, indexes and constraints as data.
//!
//! A [`Schema`] is built by running statements on it. What it has not seen is unknown, not absent,
//! unless it is [`Schema::complete`].

mod model;
mod charset;
mod change;
mod lookup;
mod naming;
mod outline;
mod own;
mod depend;
mod replay;
mod resolve;

pub use charset::{Charset, has_charset, max_bytes};
pub use depend::{Dependent, Part};
pub use lookup::LosingColumn;
pub(crate) use lookup::same_in_any_case;
pub use model::*;
pub use naming::{index_column_names, made_up_name, truncated};
pub use outline::ShownColumn;
pub use replay::mysql::{Altered, altered};
pub(crate) use resolve::is_collation;
pub use resolve::{
    Checked, Meaning, Object, Place, Purpose, Reason, Refusal, Resolver, is_constant,
};
