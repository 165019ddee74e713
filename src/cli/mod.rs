//! The command line: one file per command, and the only place that prints, reads the environment,
//! or exits.
//!
//! A command is a struct of arguments and one `run`, which reads like the pipeline: load, compute,
//! report. To add one: its file here, a variant of [`Command`], an arm in [`Command::run`].

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

mod console;
mod exit;
mod failure;
mod files;
mod history;
mod options;
mod project;
mod replay;
mod track;
mod since;
mod runtime;
mod approvals;
mod live;
mod running;

mod completions;
mod effects;
mod explain;
mod fix;
mod git;
mod lint;
mod lsp;
mod man;
mod new;
mod rules;
mod plan;
mod plan_file;
mod approve;
mod apply;
mod rollback;
mod status;
mod unfinished;
mod verify;
mod journal;
mod adopt;
mod baseline;
mod amend;
mod examples;
mod snapshot;
mod targets;
mod telemetry;

use console::Console;
use exit::Exit;
use failure::Failure;
use options::GlobalOptions;

/// Review database schema changes and run them
///
/// Says what each statement of a migration will lock, rewrite, lose or break on PostgreSQL, MySQL,
/// MariaDB or SQLite, and applies migrations without stalling the application.
#[derive(Debug, Parser)]
#[command(name = "lockwise", version, propagate_version = false, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
#[command(disable_help_subcommand = true, after_long_help = examples::ROOT)]
struct Arguments {
    #[command(flatten)]
    global: GlobalOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Lint(lint::LintArgs),
    Effects(effects::EffectsArgs),
    Fix(fix::FixArgs),
    Rules(rules::RulesArgs),
    Explain(explain::ExplainArgs),
    Lsp(lsp::LspArgs),
    Plan(plan::PlanArgs),
    Approve(approve::ApproveArgs),
    Apply(apply::ApplyArgs),
    Rollback(rollback::RollbackArgs),
    Status(status::StatusArgs),
    New(new::NewArgs),
    Verify(verify::VerifyArgs),
    History(journal::HistoryArgs),
    Adopt(adopt::AdoptArgs),
    Baseline(baseline::BaselineArgs),
    Amend(amend::AmendArgs),
    Snapshot(snapshot::SnapshotArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

impl Command {
    fn run(&self, console: &mut Console) -> Result<Exit, Failure> {
        match self {
            Self::Lint(args) => lint::run(args, console),
            Self::Effects(args) => effects::run(args, console),
            Self::Fix(args) => fix::run(args, console),
            Self::Rules(args) => rules::run(args, console),
            Self::Explain(args) => explain::run(args, console),
            Self::Lsp(args) => lsp::run(args, console),
            Self::Plan(args) => plan::run(args, console),
            Self::Approve(args) => approve::run(args, console),
            Self::Apply(args) => apply::run(args, console),
            Self::Rollback(args) => rollback::run(args, console),
            Self::Status(args) => status::run(args, console),
            Self::New(args) => new::run(args, console),
            Self::Verify(args) => verify::run(args, console),
            Self::History(args) => journal::run(args, console),
            Self::Adopt(args) => adopt::run(args, console),
            Self::Baseline(args) => baseline::run(args, console),
            Self::Amend(args) => amend::run(args, console),
            Self::Snapshot(args) => snapshot::run(args, console),
            Self::Completions(args) => completions::run(args, console),
            Self::Man(args) => man::run(args, console),
        }
    }
}

/// Runs the command that the arguments of the process name.
pub fn run() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let arguments = match parse(&words) {
        Ok(arguments) => arguments,
        // Help goes to stdout with 0, a usage error to stderr with 2; a closed pipe is no news.
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::NoAnswer } else { Exit::Yes }.into();
        }
    };
    let mut console = Console::open(arguments.global);
    console.start_log();
    let exit = match arguments.command.run(&mut console) {
        Ok(exit) => exit,
        Err(failure) => console.print_failure(&failure),
    };
    console.close(exit).into()
}

fn parse(words: &[OsString]) -> Result<Arguments, clap::Error> {
    let matches = command().color(help_color(words)).try_get_matches_from(words)?;
    Arguments::from_arg_matches(&matches)
}

/// Returns the whole command line as data: for parsing, completions and manual pages.
fn command() -> clap::Command {
    examples::add(Arguments::command())
}

/// Finds `--color` before the arguments are parsed, for the errors of parsing itself.
fn help_color(words: &[OsString]) -> clap::ColorChoice {
    let separate = words.windows(2).find_map(|pair| match pair {
        [flag, value] if flag == "--color" => Some(value.as_os_str()),
        _ => None,
    });
    let joined = || words.iter().find_map(|word| word.to_str()?.strip_prefix("--color="));
    match separate.or_else(|| joined().map(OsStr::new)).and_then(OsStr::to_str) {
        Some("always") => clap::ColorChoice::Always,
        Some("never") => clap::ColorChoice::Never,
        _ => clap::ColorChoice::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declaration_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn help_has_colours_only_as_asked() {
        let choice =
            |words: &[&str]| help_color(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(choice(&["lockwise", "--color", "never"]), clap::ColorChoice::Never);
        assert_eq!(choice(&["lockwise", "--color=always"]), clap::ColorChoice::Always);
        assert_eq!(choice(&["lockwise", "lint"]), clap::ColorChoice::Auto);
    }
}
