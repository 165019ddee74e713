//! What a run tells while it goes on, a line at a time.

use std::io::{self, Write};

use crate::apply::Progress;

/// Writes progress; what repeats itself is written once, or over itself on a terminal.
#[derive(Debug)]
pub struct Lines {
    colors: bool,
    terminal: bool,
    /// What was written last about waiting or working.
    last: String,
    /// The last tenth of a back-fill that a log was told of.
    tenth: u8,
}

impl Lines {
    /// Returns a writer of lines for a terminal or for a log.
    pub const fn new(colors: bool, terminal: bool) -> Self {
        Self { colors, terminal, last: String::new(), tenth: 0 }
    }

    /// Writes one line, or nothing where it would say the same again.
    pub fn write(&mut self, progress: &Progress, out: &mut dyn Write) -> io::Result<()> {
        let (mut text, passing) = sentence(progress);
        if let (true, Progress::Working { percent: Some(percent), .. }) = (self.terminal, progress)
        {
            text = format!("{text} {}", bar(*percent));
        }
        let tenth = if let Progress::Batch { percent, .. } = progress {
            percent.unwrap_or(0) / 10
        } else {
            0
        };
        let news = std::mem::replace(&mut self.tenth, tenth) != tenth;
        if passing && !self.terminal && !news && same_but_for_numbers(&text, &self.last) {
            return Ok(());
        }
        let (dim, reset) = if self.colors { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
        let over = if self.terminal && !self.last.is_empty() { "\x1b[1A\x1b[2K" } else { "" };
        // A passing line is written over by the next one about the same thing.
        let over = if passing && same_but_for_numbers(&text, &self.last) { over } else { "" };
        writeln!(out, "{over}{dim}{text}{reset}")?;
        self.last = if passing { text } else { String::new() };
        Ok(())
    }
}

/// Returns the line, and whether it only says how things stand.
fn sentence(progress: &Progress) -> (String, bool) {
    match progress {
        Progress::WaitingForRun { holder } => {
            let who = holder.as_deref().unwrap_or("somebody");
            (format!("waiting for another run: {who}"), true)
        }
        Progress::Resuming { plan } => (format!("going on with plan {plan}"), false),
        Progress::Migration { version, name, number, of } => {
            (format!("{version} {} ({number} of {of})", name.replace('_', " ")), false)
        }
        Progress::Step { step, of, sql } => (format!("  {step}/{of} {sql}"), false),
        Progress::Blocked { by, waited_ms } => {
            let seconds = waited_ms / 1000;
            (format!("    waiting for {seconds} s, in the way: {}", by.join(" | ")), true)
        }
        Progress::Working { phase, percent } => {
            let percent = percent.map_or_else(String::new, |percent| format!(" {percent} %"));
            (format!("    {phase}{percent}"), true)
        }
        Progress::Batch { rows, percent, rows_per_second, left_ms, .. } => {
            let percent = percent.map_or_else(String::new, |percent| format!(", {percent} %"));
            let left = left_ms.map_or_else(String::new, |left| format!(", {} left", clock(left)));
            (format!("    {rows} rows, {rows_per_second} rows/s{percent}{left}"), true)
        }
        Progress::WaitingForReplica { who, lag_ms } => {
            let lag = lag_ms.map_or_else(
                || "does not say how far it is behind".to_owned(),
                |lag| format!("is {} s behind", lag / 1000),
            );
            (format!("    waiting for the replica {who}: it {lag}"), true)
        }
        Progress::Ended { who } => (format!("    ended {who}"), false),
        Progress::Retry { attempt, pause_ms, error } => {
            (format!("    {error}; attempt {attempt} in {pause_ms} ms"), false)
        }
        Progress::CleanedUp { what } => (format!("    {what}"), false),
        Progress::Recovered { step } => {
            (format!("  {step} was done before the interruption"), false)
        }
        Progress::Done { version, took_ms } => (format!("{version} done in {took_ms} ms"), false),
    }
}

/// Returns a time as minutes and seconds.
fn clock(milliseconds: u64) -> String {
    let seconds = milliseconds.div_ceil(1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// Draws how far something has come, in twenty cells.
fn bar(percent: u8) -> String {
    let done = usize::from(percent.min(100)) / 5;
    format!("{}{}", FULL.repeat(done), EMPTY.repeat(20 - done))
}

const FULL: &str = "█";
const EMPTY: &str = "░";

/// Says whether two lines are about the same thing: numbers and bars do not count.
fn same_but_for_numbers(one: &str, other: &str) -> bool {
    let passing = |c: &char| !c.is_ascii_digit() && !FULL.contains(*c) && !EMPTY.contains(*c);
    let letters =
        |text: &str| text.chars().filter(passing).collect::<String>().trim_end().to_owned();
    letters(one) == letters(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(terminal: bool, progress: &[Progress], expected: &str) {
        let mut lines = Lines::new(false, terminal);
        let mut out = Vec::new();
        for one in progress {
            lines.write(one, &mut out).unwrap();
        }
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn work_is_a_bar_on_a_terminal_and_one_line_in_a_log() {
        let at = |percent| Progress::Working {
            phase: "scanning table".to_owned(),
            percent: Some(percent),
        };
        check(false, &[at(10), at(55)], "    scanning table 10 %\n");
        let (first, second) = ("██░░░░░░░░░░░░░░░░░░", "███████████░░░░░░░░░");
        let expected = format!(
            "    scanning table 10 % {first}\n\x1b[1A\x1b[2K    scanning table 55 % {second}\n"
        );
        check(true, &[at(10), at(55)], &expected);
    }

    #[test]
    fn waiting_is_said_once_in_a_log_and_over_itself_on_a_terminal() {
        let wait = |waited_ms| Progress::Blocked { by: vec!["session 7".to_owned()], waited_ms };
        let done = Progress::Done { version: "1".to_owned(), took_ms: 5 };
        let all = [wait(1000), wait(2000), done];
        check(false, &all, "    waiting for 1 s, in the way: session 7\n1 done in 5 ms\n");
        check(
            true,
            &all,
            "    waiting for 1 s, in the way: session 7\n\x1b[1A\x1b[2K    waiting for 2 s, in the \
             way: session 7\n1 done in 5 ms\n",
        );
    }
}
