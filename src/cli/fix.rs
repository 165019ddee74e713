//! `lockwise fix`.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use similar::{ChangeTag, TextDiff};

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::history::{History, HistoryOptions};
use super::project::Project;
use super::track::{Replayed, Use};
use crate::rule::fix::{FileEdit, Fix, FixedMigration, files};
use crate::rule::{Bench, Finding, JudgeOptions, Replacement, RuleSet};
use crate::sql::Migration;

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
    let (mut replayed, failures) = history.replay_all(&project);
    if !failures.is_empty() {
        return Err(Failure::all(failures));
    }
    let judging = JudgeOptions { adopt_comments: project.config.adopt_comments };
    let bench = Bench::new(&rules, server, judging);
    for entry in &mut replayed {
        let findings = match entry.used {
            Use::Before => Vec::new(),
            Use::Judged => bench.hear(&entry.migration, &entry.effects).judged(&bench).findings,
        };
        let wanted =
            |finding: &&Finding| only.is_empty() || finding.rules().any(|id| only.contains(id));
        let findings: Vec<&Finding> = findings.iter().filter(wanted).collect();
        let migration = &entry.migration;
        entry.fixes.retain(|fix| {
            findings.iter().any(|finding| answers(fix, finding)) && fits(migration, fix)
        });
    }
    let edits = edits(replayed, console);
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

/// Says whether a rewrite is the answer to a finding.
fn answers(fix: &Fix, finding: &Finding) -> bool {
    finding.statement == fix.span && finding.rules().any(|id| fix.rules.contains(&id))
}

/// Says whether the folder's convention has room for a rewrite.
pub(super) fn fits(migration: &Migration, fix: &Fix) -> bool {
    !files(&BTreeSet::new(), &[FixedMigration { migration, fixes: vec![fix.clone()] }]).is_empty()
}

/// Returns the change of the file that a rewrite is, where it stays within the file.
pub(super) fn replacement(migration: &Migration, fix: &Fix) -> Option<Replacement> {
    let fixed = FixedMigration { migration, fixes: vec![fix.clone()] };
    let edits = files(&BTreeSet::new(), &[fixed]);
    let [edit] = edits.as_slice() else { return None };
    let old = migration.up.section.source.text();
    if edit.new { None } else { Replacement::between(old, &edit.text) }
}

/// Turns rewrites into files, folder by folder.
fn edits(replayed: Vec<Replayed>, console: &mut Console) -> Vec<FileEdit> {
    let mut edits = Vec::new();
    let mut folder: Vec<Migration> = Vec::new();
    let mut of_folder: Vec<Vec<Fix>> = Vec::new();
    for entry in replayed {
        if entry.first {
            edits.extend(folder_edits(&folder, &of_folder, console));
            folder.clear();
            of_folder.clear();
        }
        folder.push(entry.migration);
        of_folder.push(entry.fixes);
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
            console.note(&format!(
                "{}:{}:{}: {}",
                source.path(),
                at.line,
                at.column,
                fix.kind.title()
            ));
        }
        fixed.push(FixedMigration { migration, fixes: fixes.clone() });
    }
    let versions = folder.iter().map(|migration| migration.version.clone()).collect();
    files(&versions, &fixed)
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
