//! A plan for the terminal.

use std::io::{self, Write};

use super::words;
use crate::plan::{
    Check, CheckState, Group, Plan, PlannedFinding, PlannedMigration, Proof, Step, Verdict,
};

/// Colours of the terminal; empty where none are wanted.
struct Paint {
    bold: &'static str,
    dim: &'static str,
    red: &'static str,
    green: &'static str,
    yellow: &'static str,
    blue: &'static str,
    reset: &'static str,
}

const COLORS: Paint = Paint {
    bold: "\x1b[1m",
    dim: "\x1b[2m",
    red: "\x1b[31m",
    green: "\x1b[32m",
    yellow: "\x1b[33m",
    blue: "\x1b[36m",
    reset: "\x1b[0m",
};

const PLAIN: Paint =
    Paint { bold: "", dim: "", red: "", green: "", yellow: "", blue: "", reset: "" };

/// The widest line of a statement.
const WIDTH: usize = 92;

/// Writes a plan as text.
pub fn text(plan: &Plan, colors: bool, out: &mut dyn Write) -> io::Result<()> {
    let paint = if colors { &COLORS } else { &PLAIN };
    let Paint { bold, dim, reset, .. } = paint;
    writeln!(out, "{bold}{}{reset}", words::title(plan))?;
    let color = match plan.verdict {
        Verdict::Nothing | Verdict::Ready => paint.green,
        Verdict::Careful => paint.yellow,
        Verdict::Blocked => paint.red,
    };
    writeln!(out, "verdict: {color}{bold}{}{reset}", words::verdict(plan.verdict))?;
    if plan.migrations.is_empty() {
        return Ok(());
    }
    writeln!(out, "{dim}dry run: {}{reset}", plan.shadow.detail)?;
    for migration in &plan.migrations {
        writeln!(out)?;
        one(migration, paint, out)?;
    }
    if !plan.preflight.is_empty() {
        writeln!(out, "\n{bold}seen in the live database{reset}")?;
        for check in &plan.preflight {
            preflight(check, paint, out)?;
        }
    }
    writeln!(out, "\n{bold}approvals{reset}: {}", words::approvals(plan))?;
    writeln!(out, "{bold}plan{reset}: {}", plan.digest)
}

fn one(migration: &PlannedMigration, paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    let Paint { bold, dim, red, yellow, reset, .. } = paint;
    let PlannedMigration { version, name, path, .. } = migration;
    writeln!(out, "{bold}{version} {}{reset}  {dim}{path}{reset}", name.replace('_', " "))?;
    for group in &migration.groups {
        statements(group, paint, out)?;
    }
    if let Some(failure) = &migration.failure {
        writeln!(out, "  {red}{bold}the dry run failed:{reset} {failure}")?;
    }
    for surprise in &migration.surprises {
        writeln!(out, "  {yellow}otherwise than predicted:{reset} {surprise}")?;
    }
    for finding in &migration.findings {
        self::finding(finding, paint, out)?;
    }
    if !migration.diff.is_empty() {
        writeln!(out, "  {bold}schema{reset}")?;
        diff(&migration.diff, paint, out)?;
    }
    way_back(migration, paint, out)
}

fn statements(group: &Group, paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    let Paint { dim, reset, .. } = paint;
    let how = match (group.transaction, group.steps.len()) {
        (true, 1) => "in a transaction",
        (true, _) => "in one transaction",
        (false, _) if group.steps.iter().any(|step| step.batch.is_some()) => {
            "in batches: each commits by itself"
        }
        (false, _) => "on its own: it commits by itself",
    };
    writeln!(out, "  {dim}{how}{reset}")?;
    for step in &group.steps {
        statement(step, paint, out)?;
    }
    Ok(())
}

fn statement(step: &Step, paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    let Paint { dim, yellow, reset, .. } = paint;
    let sent = step.before().iter().chain([&step.sql]).chain(step.after());
    for sql in sent {
        let mut line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((end, _)) = line.char_indices().nth(WIDTH - 8) {
            line.truncate(end);
            line.push('…');
        }
        writeln!(out, "  {dim}{:>4}{reset}  {line}", step.line)?;
    }
    for lock in words::telling_locks(step) {
        writeln!(out, "        {yellow}{}{reset}", words::lock(lock))?;
    }
    for work in words::work(step) {
        writeln!(out, "        {yellow}{work}{reset}")?;
    }
    Ok(())
}

fn finding(finding: &PlannedFinding, paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    let color = match finding.severity.as_str() {
        "error" => paint.red,
        "warning" => paint.yellow,
        _ => paint.blue,
    };
    let PlannedFinding { severity, rule, line, message, instead, .. } = finding;
    writeln!(out, "  {color}{severity}[{rule}]{}: line {line}: {message}", paint.reset)?;
    let instead = instead.split_whitespace().collect::<Vec<_>>().join(" ");
    if instead.is_empty() {
        return Ok(());
    }
    writeln!(out, "    {}instead:{} {instead}", paint.dim, paint.reset)
}

fn diff(diff: &str, paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    for line in diff.lines().skip_while(|line| line.starts_with("--- ") || line.starts_with("+++ "))
    {
        let color = match line.chars().next() {
            Some('+') => paint.green,
            Some('-') => paint.red,
            Some('@') => paint.blue,
            Some(_) | None => "",
        };
        let line = line.strip_prefix("@@ ").map_or(line, |head| {
            // The object's name says more than its line numbers.
            head.split_once("@@").map_or(head, |(_, title)| title.trim_start())
        });
        let reset = if color.is_empty() { "" } else { paint.reset };
        if !line.is_empty() {
            writeln!(out, "    {color}{line}{reset}")?;
        }
    }
    Ok(())
}

fn way_back(migration: &PlannedMigration, paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    let Paint { bold, dim, red, green, yellow, reset, .. } = paint;
    let rollback = &migration.rollback;
    let color = match rollback.proof {
        Proof::Restores => green,
        Proof::ColumnOrder { .. } | Proof::Unseen { .. } | Proof::NotRun { .. } => yellow,
        Proof::Differs { .. } | Proof::Fails { .. } => red,
    };
    writeln!(out, "  {bold}way back{reset}: {color}{}{reset}", words::rollback(rollback))?;
    for statement in &rollback.statements {
        let line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = line.chars().take(WIDTH - 6).collect();
        let more = if short.len() < line.len() { "…" } else { "" };
        writeln!(out, "    {dim}{short}{more}{reset}")?;
    }
    for loss in &rollback.loses {
        match &loss.kept {
            Some(_) => writeln!(out, "    {green}kept aside:{reset} {}", words::loss(loss))?,
            None => writeln!(out, "    {red}comes back empty:{reset} {}", words::loss(loss))?,
        }
    }
    for note in &rollback.notes {
        writeln!(out, "    {yellow}{note}{reset}")?;
    }
    if let Proof::Differs { diff: text } | Proof::ColumnOrder { diff: text } = &rollback.proof {
        diff(text, paint, out)?;
    }
    Ok(())
}

fn preflight(check: &Check, paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    let (color, mark) = match check.state {
        CheckState::Fine => (paint.green, "fine"),
        CheckState::Unknown => (paint.dim, "unknown"),
        CheckState::Warning => (paint.yellow, "warning"),
        CheckState::Blocked => (paint.red, "blocked"),
    };
    let what = check.what.replace('-', " ");
    writeln!(out, "  {color}{mark:<8}{}{what}: {}", paint.reset, check.detail)
}
