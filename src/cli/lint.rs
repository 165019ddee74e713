//! `lockwise lint`.

use std::path::{Path, PathBuf};

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::files::{self, shown};
use super::fix::{fits, replacement};
use super::history::{History, HistoryOptions};
use super::project::Project;
use super::since;
use super::track::{End, Listener, Replayed, Use};
use crate::config::FailOn;
use crate::report::lint::{LintFormat, LintReport, LintedFile};
use crate::rule::fix::Fix;
use crate::rule::{Baseline, Bench, Case, Finding, JudgeOptions, Replacement};
use crate::sql::ast::StatementKind;
use crate::sql::{Migration, PieceKind, Span};

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
    #[arg(long)]
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

/// Replays the migrations, judges each, and reports.
pub(super) fn run(args: &LintArgs, console: &mut Console) -> Result<Exit, Failure> {
    let project = Project::load(&console.global)?;
    let rules = project.rules()?;
    if args.write_baseline && baseline_path(args, &project).is_none() {
        return Err(no_baseline());
    }
    let mut baseline = read_baseline(args, &project)?;
    let mut history = History::read(&args.history, &project, console)?;
    if let Some(revision) = &args.since {
        let changed = since::changed_files(revision)?;
        history.judge_changed(|path| changed.state(path));
        history.compare(revision, changed, console);
    }
    let server = history.server;
    let judging = JudgeOptions { adopt_comments: project.config.adopt_comments };
    let docket = Docket { bench: Bench::new(&rules, server, judging) };
    let limit = args.fail_on.unwrap_or(project.config.fail_on);
    let mut clerk = Clerk {
        report: LintReport::new(form(args.format, console), server, &rules),
        limit,
        blocked: false,
        accepted: args.write_baseline.then(Vec::new),
        written: Ok(()),
    };
    let failures = history.replay(&project, &docket, |told| {
        for heard in told {
            for warning in &heard.warnings {
                console.warn(warning);
            }
            let mut file = heard.judged(&docket.bench);
            baseline.accept(&mut file.judged);
            clerk.take(file, console);
        }
    });
    for accepted in baseline.left_over() {
        console.note(&format!("no longer found, take it out of the baseline: {accepted}"));
    }
    let Clerk { mut report, blocked, accepted, written, .. } = clerk;
    if let Some(accepted) = accepted.filter(|_| failures.is_empty()) {
        let path = baseline_path(args, &project).ok_or_else(no_baseline)?;
        return write_baseline(&path, &accepted, console);
    }
    if !args.write_baseline {
        written?;
        report.unread(failures.len());
        report.finish(&mut console.out)?;
    }
    if !failures.is_empty() {
        return Err(Failure::all(failures));
    }
    Ok(if blocked { Exit::No } else { Exit::Yes })
}

fn form(format: Format, console: &Console) -> LintFormat {
    match format {
        Format::Text => LintFormat::Text { colors: console.out.colors },
        Format::Json => LintFormat::Json,
        Format::Sarif => LintFormat::Sarif,
        Format::Github => LintFormat::Github,
        Format::Gitlab => LintFormat::Gitlab,
        Format::Junit => LintFormat::Junit,
        Format::Checkstyle => LintFormat::Checkstyle,
        Format::Markdown => LintFormat::Markdown,
    }
}

/// Takes down what is found, file by file.
struct Clerk<'r> {
    report: LintReport<'r>,
    limit: FailOn,
    /// A finding is at or over the limit.
    blocked: bool,
    /// All findings, where they are to be accepted and not to be reported.
    accepted: Option<Vec<Finding>>,
    written: std::io::Result<()>,
}

impl Clerk<'_> {
    fn take(&mut self, file: LintedFile, console: &mut Console) {
        let findings = &file.judged.findings;
        self.blocked |= findings.iter().any(|finding| self.limit.blocks(finding.severity));
        if let Some(accepted) = &mut self.accepted {
            accepted.extend(file.judged.findings);
        } else if self.written.is_ok() {
            self.written = self.report.add(file, &mut console.out);
        }
    }
}

/// What migrations are judged by.
struct Docket<'r> {
    bench: Bench<'r>,
}

/// A migration that was heard.
struct Heard<'r> {
    case: Case<'r>,
    /// The rewrites that fit: the statement, the rules whose findings they answer, their names.
    fixes: Box<[Offer]>,
    warnings: Box<[String]>,
    statements: usize,
    unknown: usize,
}

impl<'r> Heard<'r> {
    fn judged(self, bench: &Bench<'r>) -> LintedFile {
        let Self { case, fixes, statements, unknown, .. } = self;
        let path = case.path().to_owned();
        let mut judged = case.judged(bench);
        name_fixes(&mut judged.findings, &fixes);
        LintedFile { path, judged, statements, unknown }
    }
}

impl<'r> Listener for Docket<'r> {
    /// Nothing is kept of a migration that only builds up the schema.
    type Heard = Option<Box<Heard<'r>>>;
    /// What is found is put together one migration at a time, when it is written.
    type Told = Vec<Box<Heard<'r>>>;
    const EACH: bool = false;

    fn hear(&self, replayed: Replayed) -> Option<Box<Heard<'r>>> {
        let Replayed { migration, effects, used, fixes, .. } = replayed;
        if used == Use::Before {
            return None;
        }
        let case = self.bench.hear(&migration, &effects);
        let fits = |fix: &Fix| case.names(fix.span, &fix.rules) && fits(&migration, fix);
        let fixes = fixes.into_iter().filter(fits);
        let offer = |fix: Fix| Offer {
            replacement: replacement(&migration, &fix),
            span: fix.span,
            rules: fix.rules,
            title: fix.kind.title(),
        };
        let fixes = fixes.map(offer).collect();
        let statements = &migration.up.statements;
        let unknown = statements
            .iter()
            .filter(|statement| matches!(statement.kind, StatementKind::Unknown { .. }))
            .count();
        Some(Box::new(Heard {
            case,
            fixes,
            warnings: warnings(&migration).into(),
            statements: statements.len() + migration.up.repeated,
            unknown,
        }))
    }

    fn tell(&self, heard: Vec<Option<Box<Heard<'r>>>>, end: &End<'_>) -> Self::Told {
        let count = heard.len();
        let mut told = Vec::with_capacity(heard.iter().flatten().count());
        for (number, (heard, neighbours)) in (1..).zip(heard.into_iter().zip(&end.told)) {
            let Some(mut heard) = heard else { continue };
            heard.case.settle(end.schema, number == count);
            for effect in neighbours {
                heard.case.add(effect, &self.bench, files::text_again);
            }
            told.push(heard);
        }
        told
    }
}

/// A rewrite that fits.
struct Offer {
    /// The statement.
    span: Span,
    /// The rules whose findings it answers.
    rules: Vec<&'static str>,
    title: &'static str,
    /// The change, where it stays within the file.
    replacement: Option<Replacement>,
}

/// Names the rewrite of a statement at each finding that it answers.
fn name_fixes(findings: &mut [Finding], offers: &[Offer]) {
    for offer in offers {
        for finding in findings.iter_mut().filter(|finding| {
            finding.statement == offer.span && finding.rules().any(|id| offer.rules.contains(&id))
        }) {
            finding.fix.get_or_insert(offer.title);
            let lines = finding.source.range();
            finding.replacement =
                offer.replacement.clone().filter(|change| lines.contains(change.span));
        }
    }
}

/// What to say of a file besides its findings.
fn warnings(migration: &Migration) -> Vec<String> {
    let path = migration.up.section.source.path();
    let empty = migration.up.statements.is_empty();
    let empty = empty.then(|| format!("{path}:1:1: no statements: finish the file or delete it"));
    empty.into_iter().chain(meta_commands(migration)).collect()
}

/// Commands of psql are no SQL: what they do is known to nobody but psql.
fn meta_commands(migration: &Migration) -> Option<String> {
    let others = &migration.up.others;
    let mut commands = others.iter().filter(|piece| piece.kind == PieceKind::MetaCommand);
    let first = commands.next()?;
    let source = &migration.up.section.source;
    let at = source.position(first.span.start);
    let more = match commands.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let command = source.slice(first.span).trim();
    let path = source.path();
    Some(format!(
        "{path}:{}:{}: psql's `{command}`{more} is not judged: only psql runs it",
        at.line, at.column
    ))
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

fn no_baseline() -> Failure {
    Failure::new("there is no baseline file to write")
        .hint("name it with --baseline FILE, or as `baseline` in lockwise.toml")
}

fn write_baseline(
    path: &Path,
    findings: &[Finding],
    console: &mut Console,
) -> Result<Exit, Failure> {
    std::fs::write(path, Baseline::of(findings).to_text()).map_err(|error| {
        Failure::new(format!("cannot write the baseline {}", shown(path))).because(&error)
    })?;
    let end = if findings.len() == 1 { "" } else { "s" };
    console.note(&format!("{} accepts {} finding{end}", shown(path), findings.len()));
    Ok(Exit::Yes)
}
