//! `lockwise.toml`, read strictly.
