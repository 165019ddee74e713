//! Options that several commands share.

use std::path::PathBuf;

use crate::sql::{Convention, ServerKind, ServerVersion};

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct GlobalOptions {
    /// Configuration file [default: the nearest lockwise.toml, upwards from here]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    #[arg(help = "When to use colours: auto, always or never")]
    pub(super) color: ColorChoice,
    /// Print results only: no notes, no progress
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Log what happens to stderr; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Form of the log: text or json
    #[arg(
        long,
        global = true,
        value_name = "FORM",
        default_value = "text",
        hide_possible_values = true
    )]
    pub(super) log: LogForm,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum LogForm {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// Which server the SQL is meant for.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Server")]
pub(super) struct ServerOptions {
    /// Server the SQL is meant for: postgres, mysql, mariadb or sqlite
    ///
    /// Without it, the URL, lockwise.toml, or the convention of the folder and the SQL decide.
    #[arg(long, value_name = "SERVER")]
    pub(super) server: Option<ServerKind>,
    /// Version of that server, for example 15, 8.0.36 or 10.11
    #[arg(long, value_name = "VERSION")]
    pub(super) server_version: Option<ServerVersion>,
}

/// Whose convention the files follow.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct ConventionOption {
    /// Whose convention the files follow [default: found by names and markers]
    ///
    /// One of lockwise, sqlx, refinery, diesel, golang-migrate, dbmate, goose, flyway, prisma,
    /// atlas, rails, pop, tern, graphile, drizzle, liquibase, sqitch, plain.
    #[arg(long, value_name = "TOOL", value_parser = convention)]
    pub(super) convention: Option<Convention>,
}

fn convention(name: &str) -> Result<Convention, String> {
    Convention::named(name).ok_or_else(|| {
        let known = Convention::ALL.map(Convention::as_str);
        match crate::sql::nearest(name, known).first() {
            Some(near) => format!("no such convention; write {near}"),
            None => format!("no such convention; use one of {}", known.join(", ")),
        }
    })
}

/// Where the migrations are.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct DirOption {
    /// Folder of the migrations [default: `dir` in lockwise.toml, else ./migrations]
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

/// Which database.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct UrlOption {
    /// Database, for example postgres://user@host/shop or sqlite://shop.db
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub(super) url: Option<String>,
}

/// Whether to ask.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(super) struct YesOption {
    /// Do not ask: go on, as a pipeline has to
    #[arg(long, short)]
    pub(super) yes: bool,
}
