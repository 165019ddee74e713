//! `lockwise fix`.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use similar::{ChangeTag, TextDiff};

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::history::{History, HistoryOptions, Replayed, Use};
use super::project::Project;
use crate::rule::fix::{FileEdit, Fix, FixedMigration, files, fix};
use crate::rule::{Finding, JudgeOptions, RuleSet, judge};
use crate::schema::Schema;
use crate::sql::{Migration, Server};

/// Rewrite migrations into their safe form
///
/// Shows the change as a diff; with --write, makes it. A statement is rewritten only where a rule
/// found something, and only into steps that lead to the same schema. Steps that need a transaction
/// of their own, or none, move to files of their own where the tool wraps files in transactions.
#[derive(Debug, clap::Args)]
pub(super) struct FixArgs {
    #[command(flatten)]
    history: HistoryOptions,
    /// Only findings of this rule; may be given several times
    #[arg(long, value_name = "RULE")]
    rule: Vec<String>,
    /// Show the change as a diff; nothing is written
    #[arg(long, conflicts_with = "write")]
    diff: bool,
    /// Write the files
    #[arg(long)]
    write: bool,
}

/// Finds, rewrites, and shows or writes.
pub(super) fn run(args: &FixArgs, console: &mut Console) -> Result<Exit, Failure> {
    let project = Project::load(&console.global)?;
    let rules = project.rules()?;
    let only = wanted_rules(&args.rule, &rules)?;
    let history = History::read(&args.history, &project, console)?;
    let server = history.server;
    let failures = history.failures.clone();
    if !failures.is_empty() {
        return Err(Failure::all(failures));
    }
    let start = history.start.clone();
    let replayed = history.replay(&project);
    let findings = findings(&replayed, server, &rules, &only, &project);
    let fixes = offers(&replayed, &findings, start);
    let edits = edits(replayed, fixes, console);
    if edits.is_empty() {
        console.note("nothing to rewrite");
        return Ok(Exit::Yes);
    }
    for edit in &edits {
        if args.write {
            write(edit)?;
            writeln!(console.out, "{}", edit.path)?;
        } else {
            show(edit, console)?;
        }
    }
    if !args.write {
        console.note("nothing is written: --write changes the files");
    }
    Ok(Exit::Yes)
}

fn wanted_rules(ids: &[String], rules: &RuleSet) -> Result<BTreeSet<String>, Failure> {
    let mut wanted = BTreeSet::new();
    for id in ids {
        wanted.insert(super::explain::find(rules, id)?.rule.id.clone());
    }
    Ok(wanted)
}

/// Judges each migration; those that are not judged have no findings.
fn findings(
    replayed: &[Replayed],
    server: Server,
    rules: &RuleSet,
    only: &BTreeSet<String>,
    project: &Project,
) -> Vec<Vec<Finding>> {
    let options = JudgeOptions { adopt_comments: project.config.adopt_comments };
    let wanted = |finding: &Finding| only.is_empty() || named(finding).any(|id| only.contains(id));
    replayed
        .iter()
        .map(|entry| match entry.used {
            Use::Before => Vec::new(),
            Use::Judged => {
                let judged = judge(&entry.migration, &entry.effects, rules, server, options);
                judged.findings.into_iter().filter(wanted).collect()
            }
        })
        .collect()
}

/// Returns the rules that a finding names.
fn named(finding: &Finding) -> impl Iterator<Item = &str> {
    let also = finding.also.iter().map(|note| note.rule.as_str());
    std::iter::once(finding.rule.as_str()).chain(also)
}

/// Returns the rewrites that answer findings: one list for each migration, findings likewise.
pub(super) fn offers(
    replayed: &[Replayed],
    findings: &[Vec<Finding>],
    start: Schema,
) -> Vec<Vec<Fix>> {
    let mut schema = start.clone();
    let mut start = start;
    let last = findings.iter().rposition(|findings| !findings.is_empty());
    let mut offers: Vec<Vec<Fix>> = Vec::with_capacity(findings.len());
    let count = last.map_or(0, |last| last + 1);
    for (entry, findings) in replayed.iter().zip(findings).take(count) {
        if entry.anew {
            schema = start.clone();
        } else if entry.first {
            start = schema.clone();
        }
        schema.next_migration();
        let mut fixes = Vec::new();
        let statements = entry.migration.up.statements.iter().zip(&entry.effects.statements);
        for (statement, run) in statements {
            let found: Vec<&Finding> =
                findings.iter().filter(|finding| finding.statement == statement.span).collect();
            if !found.is_empty() {
                let offer = fix(&entry.migration.up, statement, &schema, &run.effects);
                let answers = |fix: &Fix| {
                    found.iter().any(|finding| named(finding).any(|id| fix.rules.contains(&id)))
                };
                fixes.extend(offer.filter(answers).filter(|fix| fits(&entry.migration, fix)));
            }
            schema.apply(statement);
        }
        offers.push(fixes);
    }
    offers.resize_with(findings.len(), Vec::new);
    offers
}

/// Says whether the folder's convention has room for a rewrite.
fn fits(migration: &Migration, fix: &Fix) -> bool {
    !files(&[], &[FixedMigration { migration, fixes: vec![fix.clone()] }]).is_empty()
}

/// Turns rewrites into files, folder by folder.
fn edits(replayed: Vec<Replayed>, fixes: Vec<Vec<Fix>>, console: &mut Console) -> Vec<FileEdit> {
    let mut edits = Vec::new();
    let mut folder: Vec<Migration> = Vec::new();
    let mut of_folder: Vec<Vec<Fix>> = Vec::new();
    for (entry, fixes) in replayed.into_iter().zip(fixes) {
        if entry.first {
            edits.extend(folder_edits(&folder, &of_folder, console));
            folder.clear();
            of_folder.clear();
        }
        folder.push(entry.migration);
        of_folder.push(fixes);
    }
    edits.extend(folder_edits(&folder, &of_folder, console));
    edits
}

fn folder_edits(folder: &[Migration], fixes: &[Vec<Fix>], console: &mut Console) -> Vec<FileEdit> {
    let mut fixed = Vec::new();
    for (migration, fixes) in folder.iter().zip(fixes) {
        let source = &migration.up.section.source;
        for fix in fixes {
            let at = source.position(fix.span.start);
            console.note(&format!("{}:{}:{}: {}", source.path(), at.line, at.column, fix.title));
        }
        fixed.push(FixedMigration { migration, fixes: fixes.clone() });
    }
    files(folder, &fixed)
}

fn old_text(edit: &FileEdit) -> String {
    if edit.new { String::new() } else { std::fs::read_to_string(&edit.path).unwrap_or_default() }
}

fn show(edit: &FileEdit, console: &mut Console) -> Result<(), Failure> {
    let old = old_text(edit);
    let diff = TextDiff::from_lines(old.as_str(), edit.text.as_str());
    let colors = console.out.colors;
    let out = &mut console.out;
    let from = if edit.new { "/dev/null" } else { edit.path.as_str() };
    writeln!(out, "--- {from}\n+++ {}", edit.path)?;
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        writeln!(out, "{}", hunk.header())?;
        for change in hunk.iter_changes() {
            let color = match change.tag() {
                ChangeTag::Delete if colors => "\x1b[31m",
                ChangeTag::Insert if colors => "\x1b[32m",
                ChangeTag::Delete | ChangeTag::Insert | ChangeTag::Equal => "",
            };
            let reset = if color.is_empty() { "" } else { "\x1b[0m" };
            let line = change.value().trim_end_matches(['\n', '\r']);
            writeln!(out, "{color}{}{line}{reset}", change.tag())?;
        }
    }
    Ok(())
}

fn write(edit: &FileEdit) -> Result<(), Failure> {
    let path = Path::new(&edit.path);
    let failed = |error| Failure::new(format!("cannot write {}", edit.path)).because(&error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    if edit.new && path.exists() {
        let hint = "move that file away and run `lockwise fix` again";
        return Err(Failure::new(format!("{} is there already", edit.path)).hint(hint));
    }
    std::fs::write(path, &edit.text).map_err(failed)
}
