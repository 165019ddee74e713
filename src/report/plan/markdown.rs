//! A plan as a comment on a pull request.

use std::io::{self, Write};

use super::words;
use crate::plan::{CheckState, Plan, PlannedMigration, Proof};

/// Writes a plan as Markdown.
pub fn markdown(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## {}\n", escape(&words::title(plan)))?;
    writeln!(out, "**{}** · plan `{}`\n", words::verdict(plan.verdict), plan.digest.short())?;
    if plan.migrations.is_empty() {
        return Ok(());
    }
    let losses: Vec<_> = plan.losses().collect();
    if !losses.is_empty() {
        writeln!(out, "**Data that go:**\n")?;
        for loss in losses {
            writeln!(out, "- {}", escape(&words::loss(loss)))?;
        }
        writeln!(out)?;
    }
    for migration in &plan.migrations {
        one(migration, out)?;
    }
    let seen: Vec<_> =
        plan.preflight.iter().filter(|check| check.state > CheckState::Fine).collect();
    if !seen.is_empty() {
        writeln!(out, "### Seen in the live database\n")?;
        for check in seen {
            let (state, what) = (check.state.as_str(), check.what.replace('-', " "));
            writeln!(out, "- **{state}** {what}: {}", escape(&check.detail))?;
        }
        writeln!(out)?;
    }
    writeln!(
        out,
        "Approvals: {}. Dry run: {}.",
        words::approvals(plan),
        escape(&plan.shadow.detail)
    )
}

fn one(migration: &PlannedMigration, out: &mut dyn Write) -> io::Result<()> {
    let name = migration.name.replace('_', " ");
    writeln!(out, "### {} {}\n", escape(&migration.version), escape(&name))?;
    if let Some(failure) = &migration.failure {
        writeln!(out, "**The dry run failed:** {}\n", escape(failure))?;
    }
    for finding in &migration.findings {
        writeln!(
            out,
            "- **{}** `{}` line {}: {}",
            finding.severity,
            finding.rule,
            finding.line,
            escape(&finding.message)
        )?;
    }
    for surprise in &migration.surprises {
        writeln!(out, "- **otherwise than predicted**: {}", escape(surprise))?;
    }
    if !migration.findings.is_empty() || !migration.surprises.is_empty() {
        writeln!(out)?;
    }
    writeln!(out, "| line | statement | locks and work |\n|---:|---|---|")?;
    for step in migration.steps() {
        let one = |sql: &String| {
            let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
            code(&sql.chars().take(160).collect::<String>())
        };
        let sent = step.before().iter().chain([&step.sql]).chain(step.after());
        let sql: Vec<String> = sent.map(one).collect();
        let locks = words::telling_locks(step).into_iter();
        let cell: Vec<String> = locks.map(words::lock).chain(words::work(step)).collect();
        let cell = if cell.is_empty() { "–".to_owned() } else { escape(&cell.join("; ")) };
        writeln!(out, "| {} | {} | {cell} |", step.line, sql.join("<br>"))?;
    }
    writeln!(out)?;
    fold("Schema diff", "diff", &migration.diff, out)?;
    let rollback = &migration.rollback;
    writeln!(out, "Way back: {}\n", escape(&words::rollback(rollback)))?;
    fold("Rollback statements", "sql", &rollback.statements.join(";\n"), out)?;
    if let Proof::Differs { diff } = &rollback.proof {
        fold("What stays different", "diff", diff, out)?;
    }
    Ok(())
}

/// Writes a text that is folded until it is asked for.
fn fold(title: &str, language: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    // More backticks than the text has in a row.
    let fence = "`".repeat(longest_run(text, '`').max(2) + 1);
    let text = text.trim_end();
    writeln!(
        out,
        "<details><summary>{title}</summary>\n\n{fence}{language}\n{text}\n{fence}\n\n</details>\n"
    )
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|c| c != wanted).map(str::len).max().unwrap_or(0)
}

/// Returns a text as inline code that a table cell can hold.
fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text, '`') + 1);
    let space = if text.contains('`') { " " } else { "" };
    format!("{fence}{space}{}{space}{fence}", text.replace('|', "\\|"))
}

/// Keeps a text from being read as Markdown or HTML.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}
