//! The history of a database as a table, as JSON and as CSV.

use std::io::{self, Write};

use super::table::Table;
use crate::plan::{Change, Month};

/// The history, ready to be written.
#[derive(Debug, Clone)]
pub struct Log {
    /// Every change in order.
    pub changes: Vec<Change>,
    /// The same by month.
    pub months: Vec<Month>,
}

impl Log {
    /// Writes a table of the changes.
    pub fn text(&self, colors: bool, out: &mut dyn Write) -> io::Result<()> {
        if self.changes.is_empty() {
            return writeln!(out, "nothing was done yet");
        }
        let mut table = Table::new(&["when", "what", "version", "name", "took", "approved by"]);
        for change in &self.changes {
            let who: Vec<&str> = change.approvals.iter().map(|a| a.approver.as_str()).collect();
            table.row(vec![
                change.at.get(..19).unwrap_or(&change.at).replace('T', " "),
                change.event.trim_start_matches("migration-").replace('-', " "),
                change.version.clone(),
                change.name.replace('_', " "),
                change.took_ms.map_or_else(|| "–".to_owned(), |took| format!("{took} ms")),
                if who.is_empty() { "–".to_owned() } else { who.join(", ") },
            ]);
        }
        table.write(out, "", colors)
    }

    /// Writes a table of the months.
    pub fn stats_text(&self, colors: bool, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(&[
            "month",
            "applied",
            "rolled back",
            "failed tries",
            "broken off",
            "time",
            "approved",
            "approval to applied",
        ]);
        for month in &self.months {
            table.row(vec![
                month.month.clone(),
                month.applied.to_string(),
                month.rolled_back.to_string(),
                month.failures.to_string(),
                month.interrupted_runs.to_string(),
                format!("{} ms", month.took_ms),
                month.approved.to_string(),
                month.approval_to_applied_s.map_or_else(|| "–".to_owned(), |s| format!("{s} s")),
            ]);
        }
        table.write(out, "", colors)
    }

    /// Writes the changes as JSON.
    pub fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let answer = serde_json::json!({ "format": 1, "changes": self.changes });
        serde_json::to_writer_pretty(&mut *out, &answer)?;
        writeln!(out)
    }

    /// Writes the months as JSON.
    pub fn stats_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let answer = serde_json::json!({ "format": 1, "months": self.months });
        serde_json::to_writer_pretty(&mut *out, &answer)?;
        writeln!(out)
    }

    /// Writes the changes as CSV (RFC 4180).
    pub fn csv(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "at,event,version,name,took_ms,failures,db_user,run,plan,approvers")?;
        for change in &self.changes {
            let who: Vec<&str> = change.approvals.iter().map(|a| a.approver.as_str()).collect();
            let cells = [
                change.at.clone(),
                change.event.clone(),
                change.version.clone(),
                change.name.clone(),
                change.took_ms.map_or_else(String::new, |took| took.to_string()),
                change.failures.to_string(),
                change.db_user.clone(),
                change.run.clone(),
                change.plan.clone(),
                who.join(" "),
            ];
            line(&cells, out)?;
        }
        Ok(())
    }

    /// Writes the months as CSV.
    pub fn stats_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "month,applied,rolled_back,failures,interrupted_runs,took_ms,approved,\
             approval_to_applied_s"
        )?;
        for month in &self.months {
            let wait = month.approval_to_applied_s;
            let cells = [
                month.month.clone(),
                month.applied.to_string(),
                month.rolled_back.to_string(),
                month.failures.to_string(),
                month.interrupted_runs.to_string(),
                month.took_ms.to_string(),
                month.approved.to_string(),
                wait.map_or_else(String::new, |seconds| seconds.to_string()),
            ];
            line(&cells, out)?;
        }
        Ok(())
    }
}

fn line(cells: &[String], out: &mut dyn Write) -> io::Result<()> {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    writeln!(out, "{}", cells.join(","))
}

fn quoted(cell: &str) -> String {
    // A cell that begins like a formula is one to a spreadsheet.
    let cell =
        if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_as_spreadsheets_want_it() {
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"x\""), "\"say \"\"x\"\"\"");
        assert_eq!(quoted("=1+1"), "'=1+1");
        assert_eq!(quoted("plain"), "plain");
    }
}
