//! The `lockwise` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    lockwise::cli::run()
}
