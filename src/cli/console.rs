//! Where a command prints: results to stdout, notes, progress and errors to stderr.
//!
//! A closed pipe ends the output, not the run: what was to be printed is dropped, and the exit code
//! stays the answer. A run that changes a database is never cut short by `| head`.

use std::io::{self, BufWriter, IsTerminal, Write};

use tracing_subscriber::EnvFilter;

use super::exit::Exit;
use super::failure::Failure;
use super::options::{ColorChoice, GlobalOptions, LogForm};

/// The standard streams of one run, and the options of every command.
pub(super) struct Console {
    /// Results.
    pub(super) out: Output,
    /// Notes, progress and errors.
    pub(super) err: Output,
    /// Options of every command.
    pub(super) global: GlobalOptions,
}

impl Console {
    /// Opens the streams of the process.
    pub(super) fn open(global: GlobalOptions) -> Self {
        let choice = global.color;
        let stdout = io::stdout();
        let stderr = io::stderr();
        let out_terminal = stdout.is_terminal();
        let err_terminal = stderr.is_terminal();
        Self {
            out: Output::new(Box::new(BufWriter::new(stdout)), choice, out_terminal),
            err: Output::new(Box::new(stderr), choice, err_terminal),
            global,
        }
    }

    /// Sends log lines to stderr when `-v` asks for them.
    pub(super) fn start_log(&self) {
        let level = match self.global.verbose {
            0 => return,
            1 => "lockwise=info",
            2 => "lockwise=debug",
            _ => "trace",
        };
        let log = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(level))
            .with_ansi(self.err.colors)
            .with_writer(io::stderr);
        match self.global.log {
            LogForm::Text => log.init(),
            LogForm::Json => log.json().init(),
        }
    }

    /// Tells something about the run that is no result: `note: …` on stderr, unless `--quiet`.
    pub(super) fn note(&mut self, text: &str) {
        self.remark("note", "\x1b[1;32m", text);
    }

    /// Tells of something amiss that does not stop the run: `warning: …` on stderr.
    pub(super) fn warn(&mut self, text: &str) {
        self.remark("warning", "\x1b[1;33m", text);
    }

    fn remark(&mut self, word: &str, color: &str, text: &str) {
        if self.global.quiet {
            return;
        }
        let (color, reset) = if self.err.colors { (color, "\x1b[0m") } else { ("", "") };
        // Whoever closed stderr does not want to be told.
        let _ = writeln!(self.err, "{color}{word}{reset}: {text}");
    }

    /// Asks a question that `y` or `yes` confirms. Only a terminal can answer.
    pub(super) fn confirm(&mut self, question: &str) -> Result<bool, Failure> {
        if !io::stdin().is_terminal() {
            return Err(Failure::new(format!("{question} nobody is there to answer"))
                .hint("pass --yes to go on without asking"));
        }
        self.out.flush()?;
        write!(self.err, "{question} [y/N] ")?;
        self.err.flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map_err(|error| {
            Failure::new("cannot read the answer from the terminal").because(&error)
        })?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Prints why there is no answer, and returns the exit code for it.
    pub(super) fn print_failure(&mut self, failure: &Failure) -> Exit {
        // Results written so far come first, whatever the streams are connected to.
        let _ = self.out.flush();
        let text = failure.render(self.err.colors);
        let _ = self.err.write_all(text.as_bytes());
        failure.code()
    }

    /// Writes what is still buffered. Output that could not be written is no answer.
    pub(super) fn close(mut self, exit: Exit) -> Exit {
        match self.out.flush() {
            Ok(()) => exit,
            Err(error) => self.print_failure(&Failure::from(error)).max(exit),
        }
    }
}

/// One stream.
pub(super) struct Output {
    writer: Box<dyn Write + Send>,
    /// Colours are wanted here.
    pub(super) colors: bool,
    /// A person is watching.
    pub(super) terminal: bool,
    /// The columns of the terminal, where there is one.
    pub(super) width: Option<usize>,
    closed: bool,
}

impl Output {
    fn new(writer: Box<dyn Write + Send>, choice: ColorChoice, terminal: bool) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let colors = match choice {
            ColorChoice::Auto => terminal && !no_color && !dumb,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        };
        let size = terminal_size::terminal_size().filter(|_| terminal);
        let width = size.map(|(terminal_size::Width(columns), _)| usize::from(columns));
        Self { writer, colors, terminal, width, closed: false }
    }

    /// Notes a closed pipe, and takes everything from then on as written.
    fn absorb<T>(&mut self, result: io::Result<T>, done: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(done)
            }
            other => other,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        let result = self.writer.write(bytes);
        self.absorb(result, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let result = self.writer.flush();
        self.absorb(result, ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_closed_pipe_swallows_the_rest_and_a_full_disk_does_not() {
        let output = |kind| Output::new(Box::new(Broken(kind)), ColorChoice::Never, false);
        let mut pipe = output(io::ErrorKind::BrokenPipe);
        assert!(writeln!(pipe, "finding").is_ok());
        assert!(pipe.flush().is_ok());
        let mut disk = output(io::ErrorKind::StorageFull);
        assert!(writeln!(disk, "finding").is_err());
    }
}
