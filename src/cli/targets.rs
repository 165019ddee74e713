//! One command on many databases: each in a process of its own, canaries first.
//!
//! Every database keeps its own journal and its own lock, so that running the command again goes on
//! where it stopped: those that are done have nothing to do.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::Stdio;

use tokio::process::Command;
use tokio::task::JoinSet;

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::live::{self, database};
use super::options::{UrlOption, YesOption};
use super::project::Project;
use super::runtime::block_on;
use crate::config::{OnFailure, Targets};
use crate::db::{Access, ConnectOptions, Connection, Target};

/// Whether the command is for many databases.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(super) struct TargetsOption {
    /// Do it on every database of [targets] in lockwise.toml: canaries first, then several at once
    #[arg(long)]
    pub(super) targets: bool,
}

/// What is asked of each database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// It is changed.
    Apply,
    /// It is looked at.
    Look,
}

/// One database and what came of it.
struct One {
    /// How it is shown.
    name: String,
    /// With the password, if it has one.
    url: String,
    outcome: Option<Outcome>,
}

/// What a process answered.
struct Outcome {
    exit: Exit,
    stdout: String,
    stderr: String,
}

/// Runs the present command on every database of `[targets]`.
pub(super) fn run(
    what: What,
    url: &UrlOption,
    yes: YesOption,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let project = Project::load(&console.global)?;
    let Some(targets) = project.config.targets.clone() else {
        return Err(Failure::new("lockwise.toml has no [targets]")
            .hint("write databases = [\"…\"] or query = \"SELECT …\" under [targets]"));
    };
    block_on(async {
        let mut all = find(&project, &targets, url).await?;
        if all.is_empty() {
            return Err(Failure::new("[targets] names no database")
                .hint("write databases = [\"…\"] or query = \"SELECT …\" under [targets]"));
        }
        if what == What::Apply && !agree(&all, &targets, yes, console).await? {
            console.note("nothing was changed");
            return Ok(Exit::No);
        }
        each(&mut all, &targets, what, console).await?;
        summary(&all, what, console)
    })
}

/// Returns the databases in their order.
async fn find(project: &Project, targets: &Targets, url: &UrlOption) -> Result<Vec<One>, Failure> {
    let mut names = targets.databases.clone();
    if let Some(query) = &targets.query {
        let target = live::target(url, project)?;
        let options = ConnectOptions { access: Access::ReadOnly, ..ConnectOptions::default() };
        let mut connection = Connection::open(&target, &options).await.map_err(database)?;
        let rows = connection.query(query).await.map_err(|error| {
            Failure::new("the query of [targets] failed")
                .cause(error.to_string())
                .hint("correct `query` under [targets]")
        })?;
        names.extend(rows.iter().map(|row| row.text(0).to_owned()));
    }
    let mut all: Vec<One> = Vec::new();
    for name in names {
        let is_url = name.contains("://") || name.starts_with("sqlite:");
        let full = if is_url { name.clone() } else { beside(&name, project, url)? };
        let target = Target::parse(&full, &crate::db::Secrets::default()).map_err(|error| {
            Failure::of(&error).hint("correct `databases` or `query` under [targets]")
        })?;
        let name = if is_url { target.to_string() } else { name };
        if all.iter().all(|one| one.url != full) {
            all.push(One { name, url: full, outcome: None });
        }
    }
    Ok(all)
}

/// Returns the URL of another database on the server of the main one.
fn beside(name: &str, project: &Project, url: &UrlOption) -> Result<String, Failure> {
    let main = live::url(url, project).ok_or_else(|| {
        Failure::new(format!("the target \"{name}\" is a name, and no server is named"))
            .hint("pass --url, or write a whole URL")
    })?;
    let (scheme, rest) = main.split_once("://").ok_or_else(|| {
        Failure::new(format!("the target \"{name}\" is a name, and {main} has no server"))
    })?;
    let (address, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let host = address.split('/').next().unwrap_or(address);
    let mark = if parameters.is_empty() { "" } else { "?" };
    Ok(format!("{scheme}://{host}/{name}{mark}{parameters}"))
}

/// Shows what the first database would get, and asks.
async fn agree(
    all: &[One],
    targets: &Targets,
    yes: YesOption,
    console: &mut Console,
) -> Result<bool, Failure> {
    let Some(first) = all.first() else { return Ok(false) };
    writeln!(console.out, "{} databases; the plan of the first, {}:\n", all.len(), first.name)?;
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut words: Vec<OsString> = own_words(words);
    for word in &mut words {
        if word == "apply" {
            *word = OsString::from("plan");
        }
    }
    let plan = answer(words, first.url.clone()).await?;
    console.out.write_all(plan.stdout.as_bytes())?;
    writeln!(console.out)?;
    console.out.flush()?;
    if plan.exit != Exit::Yes {
        let _ = console.err.write_all(plan.stderr.as_bytes());
        return Err(Failure::new(format!("the plan of {} cannot be run", first.name))
            .hint("correct it; no database was changed")
            .exit(plan.exit));
    }
    let canary = targets.canary.min(all.len());
    let question = format!(
        "apply to {} databases, {canary} first and then {} at once?",
        all.len(),
        targets.concurrency
    );
    if yes.yes { Ok(true) } else { console.confirm(&question) }
}

/// Goes through the databases.
async fn each(
    all: &mut [One],
    targets: &Targets,
    what: What,
    console: &mut Console,
) -> Result<(), Failure> {
    let mut words = own_words(std::env::args_os().skip(1).collect());
    if what == What::Apply {
        words.push("--yes".into());
    }
    let canary = if what == What::Apply { targets.canary.min(all.len()) } else { 0 };
    let stops = |one: &One| {
        what == What::Apply
            && targets.on_failure == OnFailure::Stop
            && one.outcome.as_ref().is_some_and(|outcome| outcome.exit != Exit::Yes)
    };
    let (first, rest) = all.split_at_mut(canary);
    for one in first.iter_mut() {
        one.outcome = Some(answer(words.clone(), one.url.clone()).await?);
        tell(one, console)?;
        if stops(one) {
            return Ok(());
        }
    }
    let mut running: JoinSet<(usize, Result<Outcome, Failure>)> = JoinSet::new();
    let mut waiting: Vec<(usize, String)> =
        rest.iter().enumerate().map(|(at, one)| (at, one.url.clone())).rev().collect();
    let mut stopped = false;
    loop {
        while !stopped && running.len() < targets.concurrency {
            let Some((at, url)) = waiting.pop() else { break };
            let words = words.clone();
            running.spawn(async move { (at, answer(words, url).await) });
        }
        let Some(done) = running.join_next().await else { return Ok(()) };
        let (at, outcome) =
            done.map_err(|error| Failure::new("a run was lost").cause(error.to_string()))?;
        let Some(one) = rest.get_mut(at) else { continue };
        one.outcome = Some(outcome?);
        tell(one, console)?;
        stopped |= stops(one);
    }
}

/// Returns the words of this command for one of its databases.
fn own_words(words: Vec<OsString>) -> Vec<OsString> {
    let mut kept: Vec<OsString> = Vec::new();
    let mut value_follows = false;
    for word in words {
        let text = word.to_string_lossy().into_owned();
        if value_follows {
            value_follows = false;
            continue;
        }
        match text.as_str() {
            "--targets" | "--yes" | "-y" => {}
            "--url" => value_follows = true,
            _ if text.starts_with("--url=") => {}
            _ => kept.push(word),
        }
    }
    kept
}

/// Runs a command of lockwise on one database. The URL goes through the environment, where other
/// users of the machine cannot read it.
async fn answer(words: Vec<OsString>, url: String) -> Result<Outcome, Failure> {
    let failed = |error: std::io::Error| Failure::new("cannot start lockwise").because(&error);
    let program = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(program);
    command.args(words).env("DATABASE_URL", url).env("NO_COLOR", "1").stdin(Stdio::null());
    let output = command.output().await.map_err(failed)?;
    let exit = match output.status.code() {
        Some(0) => Exit::Yes,
        Some(1) => Exit::No,
        Some(2) => Exit::NoAnswer,
        Some(_) | None => Exit::Unfinished,
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Outcome { exit, stdout: text(&output.stdout), stderr: text(&output.stderr) })
}

/// Prints what one database answered: its last line, or what went wrong.
fn tell(one: &One, console: &mut Console) -> Result<(), Failure> {
    let Some(outcome) = &one.outcome else { return Ok(()) };
    let wanted = |line: &&str| !line.trim().is_empty() && !line.starts_with("way back");
    let last = outcome.stdout.lines().rev().find(wanted).unwrap_or("");
    if outcome.exit == Exit::Yes {
        writeln!(console.out, "{}: {last}", one.name)?;
    } else {
        writeln!(console.out, "{}: {}", one.name, failed_word(outcome.exit))?;
        let problem =
            if outcome.stderr.trim().is_empty() { &outcome.stdout } else { &outcome.stderr };
        let start = problem.lines().position(|line| line.starts_with("error")).unwrap_or(0);
        for line in problem.lines().skip(start) {
            writeln!(console.out, "    {line}")?;
        }
    }
    console.out.flush()?;
    Ok(())
}

const fn failed_word(exit: Exit) -> &'static str {
    match exit {
        Exit::Yes => "done",
        Exit::No => "NO",
        Exit::NoAnswer => "NO ANSWER",
        Exit::Unfinished => "NOT FINISHED",
    }
}

/// Says how many are done, and what the worst answer was.
fn summary(all: &[One], what: What, console: &mut Console) -> Result<Exit, Failure> {
    let with = |exit: Exit| {
        let outcomes = all.iter().filter_map(|one| one.outcome.as_ref());
        outcomes.filter(|outcome| outcome.exit == exit).count()
    };
    let not_begun: Vec<&str> =
        all.iter().filter(|one| one.outcome.is_none()).map(|one| one.name.as_str()).collect();
    let done = with(Exit::Yes);
    let failed = all.len() - done - not_begun.len();
    writeln!(
        console.out,
        "\n{} databases: {done} done, {failed} failed, {} not begun",
        all.len(),
        not_begun.len()
    )?;
    if !not_begun.is_empty() {
        console.note(&format!("not begun: {}", not_begun.join(", ")));
    }
    if failed > 0 && what == What::Apply {
        console.note("run the same command again when it is mended: what is done stays done");
    }
    let worst = [Exit::Unfinished, Exit::NoAnswer, Exit::No].into_iter();
    Ok(worst.filter(|exit| with(*exit) > 0).max().unwrap_or(Exit::Yes))
}
