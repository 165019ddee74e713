//! `lockwise lint`.

use std::path::PathBuf;

use rayon::prelude::*;

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::files::shown;
use super::history::{History, HistoryOptions, Replayed, Use};
use super::project::Project;
use super::since;
use crate::config::FailOn;
use crate::report::lint::{LintFormat, LintReport};
use crate::rule::{Baseline, Finding, JudgeOptions, Judged, RuleSet, judge};
use crate::schema::Schema;
use crate::sql::ast::StatementKind;
use crate::sql::{Migration, PieceKind, Server};

/// Find what is unsafe in migrations
///
/// Judges every file that is named. Earlier paths are history for later ones, and the files of a
/// folder are taken in the order in which its tool runs them. Exits with 1 when there are findings
/// at or over the limit, with 2 when something could not be read.
#[derive(Debug, clap::Args)]
pub(super) struct LintArgs {
    #[command(flatten)]
    history: HistoryOptions,
    /// Judge only files that were added or changed since this git revision
    ///
    /// The others build up the schema. The comparison starts where the branch left the revision.
    #[arg(long, value_name = "REV")]
    since: Option<String>,
    /// File of findings that are accepted [default: `baseline` in lockwise.toml]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Accept all present findings: write them to the baseline file
    #[arg(long, requires = "baseline")]
    write_baseline: bool,
    /// Severity from which on findings make the run fail: error, warning, note or never
    #[arg(long, value_name = "SEVERITY", value_parser = fail_on)]
    fail_on: Option<FailOn>,
    /// Form of the output
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    #[arg(
        help = "Form of the output: text, json, sarif, github, gitlab, junit, checkstyle, markdown"
    )]
    format: Format,
}

/// Forms of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
    Sarif,
    Github,
    Gitlab,
    Junit,
    Checkstyle,
    Markdown,
}

fn fail_on(word: &str) -> Result<FailOn, String> {
    let known = FailOn::WORDS.iter().find(|(name, _)| *name == word);
    known.map(|&(_, level)| level).ok_or_else(|| "use error, warning, note or never".to_owned())
}

/// Everything that was found so far.
#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
    suppressed: usize,
    files: Vec<String>,
    statements: usize,
    unknown: usize,
}

/// Replays the migrations, judges each, and reports.
pub(super) fn run(args: &LintArgs, console: &mut Console) -> Result<Exit, Failure> {
    let project = Project::load(&console.global)?;
    let rules = project.rules()?;
    let mut baseline = read_baseline(args, &project)?;
    let mut history = History::read(&args.history, &project, console)?;
    if let Some(revision) = &args.since {
        let changed = since::changed_files(revision)?;
        history.judge_changed(|path| changed.state(path));
    }
    let server = history.server;
    let failures = history.failures.clone();
    let start = history.start.clone();
    let replayed = history.replay(&project);
    let mut bench = Bench { server, rules: &rules, project: &project, baseline: &mut baseline };
    let found = bench.judge_all(&replayed, start, console);
    if args.write_baseline {
        return write_baseline(args, &found.findings, console);
    }
    let report = LintReport {
        server,
        findings: &found.findings,
        suppressed: found.suppressed,
        files: &found.files,
        statements: found.statements,
        unknown: found.unknown,
        rules: &rules,
    };
    let format = match args.format {
        Format::Text => LintFormat::Text { colors: console.out.colors },
        Format::Json => LintFormat::Json,
        Format::Sarif => LintFormat::Sarif,
        Format::Github => LintFormat::Github,
        Format::Gitlab => LintFormat::Gitlab,
        Format::Junit => LintFormat::Junit,
        Format::Checkstyle => LintFormat::Checkstyle,
        Format::Markdown => LintFormat::Markdown,
    };
    report.write(format, &mut console.out)?;
    if !failures.is_empty() {
        return Err(Failure::all(failures));
    }
    let limit = args.fail_on.unwrap_or(project.config.fail_on);
    let blocked = found.findings.iter().any(|finding| limit.blocks(finding.severity));
    Ok(if blocked { Exit::No } else { Exit::Yes })
}

/// What migrations are judged by.
struct Bench<'b> {
    server: Server,
    rules: &'b RuleSet,
    project: &'b Project,
    baseline: &'b mut Baseline,
}

impl Bench<'_> {
    fn judge_all(&mut self, replayed: &[Replayed], start: Schema, console: &mut Console) -> Found {
        let (server, rules) = (self.server, self.rules);
        let options = JudgeOptions { adopt_comments: self.project.config.adopt_comments };
        let judged: Vec<Judged> = replayed
            .par_iter()
            .map(|entry| match entry.used {
                Use::Before => Judged::default(),
                Use::Judged => judge(&entry.migration, &entry.effects, rules, server, options),
            })
            .collect();
        let (mut findings, suppressed): (Vec<Vec<Finding>>, Vec<_>) =
            judged.into_iter().map(|judged| (judged.findings, judged.suppressed)).unzip();
        let fixes = super::fix::offers(replayed, &findings, start);
        for (findings, fixes) in findings.iter_mut().zip(fixes) {
            for finding in findings {
                let fix = fixes.iter().find(|fix| fix.span == finding.statement);
                finding.fix = fix.map(|fix| fix.title);
            }
        }
        let mut found = Found::default();
        for ((entry, findings), suppressed) in replayed.iter().zip(findings).zip(suppressed) {
            if entry.used == Use::Before {
                continue;
            }
            let migration = &entry.migration;
            if migration.up.statements.is_empty() {
                let path = migration.up.section.source.path();
                console.warn(&format!("{path}:1:1: no statements: finish the file or delete it"));
            }
            tell_meta_commands(migration, console);
            let mut judged = Judged { findings, suppressed };
            self.baseline.accept(&mut judged);
            found.add(migration, judged);
        }
        for accepted in self.baseline.left_over() {
            console.note(&format!("no longer found, take it out of the baseline: {accepted}"));
        }
        found
    }
}

impl Found {
    fn add(&mut self, migration: &Migration, judged: Judged) {
        let path = migration.up.section.source.path();
        if self.files.last().is_none_or(|last| last != path) {
            self.files.push(path.to_owned());
        }
        self.suppressed += judged.suppressed.len();
        self.findings.extend(judged.findings);
        let statements = &migration.up.statements;
        self.statements += statements.len();
        self.unknown += statements
            .iter()
            .filter(|statement| matches!(statement.kind, StatementKind::Unknown { .. }))
            .count();
    }
}

/// Commands of psql are no SQL: what they do is known to nobody but psql.
fn tell_meta_commands(migration: &Migration, console: &mut Console) {
    let others = &migration.up.others;
    let mut commands = others.iter().filter(|piece| piece.kind == PieceKind::MetaCommand);
    let Some(first) = commands.next() else { return };
    let source = &migration.up.section.source;
    let at = source.position(first.span.start);
    let more = match commands.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let command = source.slice(first.span).trim();
    let path = source.path();
    console.warn(&format!(
        "{path}:{}:{}: psql's `{command}`{more} is not judged: only psql runs it",
        at.line, at.column
    ));
}

fn baseline_path(args: &LintArgs, project: &Project) -> Option<PathBuf> {
    let configured = || project.config.baseline.as_deref().map(|path| project.path(path));
    args.baseline.clone().or_else(configured)
}

fn read_baseline(args: &LintArgs, project: &Project) -> Result<Baseline, Failure> {
    let Some(path) = baseline_path(args, project).filter(|_| !args.write_baseline) else {
        return Ok(Baseline::default());
    };
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Failure::new(format!("cannot read the baseline {}", shown(&path)))
            .because(&error)
            .hint("make it with `lockwise lint --baseline FILE --write-baseline`")
    })?;
    Baseline::parse(&text).map_err(|error| {
        Failure::new(format!("cannot read the baseline {}", shown(&path))).cause(error.to_string())
    })
}

fn write_baseline(
    args: &LintArgs,
    findings: &[Finding],
    console: &mut Console,
) -> Result<Exit, Failure> {
    let Some(path) = &args.baseline else { return Ok(Exit::Yes) };
    std::fs::write(path, Baseline::of(findings).to_text()).map_err(|error| {
        Failure::new(format!("cannot write the baseline {}", shown(path))).because(&error)
    })?;
    console.note(&format!("{} accepts {} findings", shown(path), findings.len()));
    Ok(Exit::Yes)
}
