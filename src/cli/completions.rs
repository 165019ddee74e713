//! `lockwise completions`.

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;

/// Print the completion script of a shell
///
/// Write it where the shell looks for completions, for example with
/// `lockwise completions bash > ~/.local/share/bash-completion/completions/lockwise`.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// Shell to complete in
    shell: clap_complete::Shell,
}

/// Prints the script.
pub(super) fn run(args: &CompletionsArgs, console: &mut Console) -> Result<Exit, Failure> {
    clap_complete::generate(args.shell, &mut super::command(), "lockwise", &mut console.out);
    Ok(Exit::Yes)
}
