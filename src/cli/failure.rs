//! Errors of a run, as they are printed: what failed, why, and what to do next.

use std::error::Error;
use std::fmt::Write as _;
use std::io;

use super::exit::Exit;

/// Why a command has no answer. It may hold several problems: all configuration errors are told
/// at once.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    problems: Vec<Problem>,
    exit: Exit,
}

/// One error: `error: …`, `cause: …`, `hint: …`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
}

impl Failure {
    /// Returns an error with a message of its own: one lower-case line without a full stop.
    pub(super) fn new(message: impl Into<String>) -> Self {
        let problem = Problem { message: message.into(), causes: Vec::new(), hint: None };
        Self { problems: vec![problem], exit: Exit::NoAnswer }
    }

    /// Returns an error of one of the folders: its text, and its sources as causes.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Self {
        let mut failure = Self::new(error.to_string());
        let mut source = error.source();
        while let Some(cause) = source {
            failure = failure.cause(cause.to_string());
            source = cause.source();
        }
        failure
    }

    /// Collects the problems of several failures into one.
    pub(super) fn all(failures: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self { problems: Vec::new(), exit: Exit::NoAnswer };
        for failure in failures {
            all.exit = all.exit.max(failure.exit);
            all.problems.extend(failure.problems);
        }
        all
    }

    /// Adds what lies behind the last problem.
    pub(super) fn cause(mut self, cause: impl Into<String>) -> Self {
        let cause = cause.into();
        if let Some(problem) = self.problems.last_mut() {
            // A wrapper often repeats its source; once is enough.
            if problem.message != cause && problem.causes.last() != Some(&cause) {
                problem.causes.push(cause);
            }
        }
        self
    }

    /// Adds what the operating system says, in its words: `no such file or directory`.
    pub(super) fn because(self, error: &io::Error) -> Self {
        self.cause(words(error))
    }

    /// Says what to do about the last problem: one imperative sentence.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(problem) = self.problems.last_mut() {
            problem.hint = Some(hint.into());
        }
        self
    }

    /// Sets the exit code, where it is not [`Exit::NoAnswer`].
    pub(super) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Returns the exit code.
    pub(super) fn code(&self) -> Exit {
        self.exit
    }

    /// Returns the problems without causes and hints, for a place where one line fits.
    pub(super) fn one_line(&self) -> String {
        let messages: Vec<&str> = self.problems.iter().map(|p| p.message.as_str()).collect();
        messages.join("; ")
    }

    /// Returns the text for stderr.
    pub(super) fn render(&self, colors: bool) -> String {
        let (red, bold, reset) =
            if colors { ("\x1b[1;31m", "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
        let mut text = String::new();
        for problem in &self.problems {
            let _ = writeln!(text, "{red}error{reset}{bold}: {}{reset}", problem.message);
            for cause in &problem.causes {
                let _ = writeln!(text, "  {bold}cause{reset}: {}", indent(cause));
            }
            if let Some(hint) = &problem.hint {
                let _ = writeln!(text, "  {bold}hint{reset}: {}", indent(hint));
            }
        }
        text
    }
}

/// Returns what the system says, as part of a sentence.
pub(super) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

/// Keeps the further lines of a text under its first one.
fn indent(text: &str) -> String {
    text.trim_end().replace('\n', "\n    ")
}

impl From<io::Error> for Failure {
    /// An error while writing results; reading a file says which file with [`Failure::new`].
    fn from(error: io::Error) -> Self {
        Self::new("cannot write the output").because(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_printed_one_after_another() {
        let first = Failure::new("cannot read a.sql").cause("no such file").hint("check the path");
        let second = Failure::new("two\nlines").cause("one\ntwo").exit(Exit::Unfinished);
        let all = Failure::all([first, second]);
        assert_eq!(all.code(), Exit::Unfinished);
        assert_eq!(
            all.render(false),
            "error: cannot read a.sql\n  cause: no such file\n  hint: check the path\n\
             error: two\nlines\n  cause: one\n    two\n"
        );
        assert!(all.render(true).starts_with("\x1b[1;31merror\x1b[0m"));
    }

    #[test]
    fn sources_become_causes_once() {
        let inner = io::Error::other("disk full");
        let outer = io::Error::other(inner);
        assert_eq!(Failure::of(&outer).render(false), "error: disk full\n");
    }
}
