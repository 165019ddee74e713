//! The `lockwise` command.

fn main() {}
