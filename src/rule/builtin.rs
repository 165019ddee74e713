//! The rule files that are compiled in. `tests/rules.rs` compares the list with the folder.

/// File stem and text of each rule in `rules/`, sorted.
#[rustfmt::skip]
pub const BUILTIN: &[(&str, &str)] = &[
];
