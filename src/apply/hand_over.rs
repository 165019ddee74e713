//! Hands a statement over to a tool for online schema changes, and waits for its end.
//!
//! The tool lives as long as a pipe that lockwise holds: when lockwise wants it to stop, or dies,
//! the pipe closes, and the shell that started the tool asks it to end. What it did is looked up
//! afterwards in the schema, as after any other statement.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader, Lines};
use tokio::process::{Child, Command};

use super::progress::Progress;
use super::runner::Runner;
use crate::db::{ErrorKind, Login, ServerError};
use crate::plan::{Step, filled};

/// Starts the tool in the background, asks it and what it started to end when standard input does,
/// and ends as it ends. The shell leads a process group of its own.
const KEEPER: &str = r#"trap : TERM
exec 3<&0
"$@" 3<&- </dev/null &
tool=$!
{ trap - TERM; cat <&3; kill -TERM 0; } >/dev/null 2>&1 &
keeper=$!
wait "$tool"
status=$?
while kill -0 "$tool" 2>/dev/null; do
  wait "$tool"
  status=$?
done
kill -KILL "$keeper" 2>/dev/null
exit "$status""#;

/// How often the session that holds the migration lock is kept alive.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// How much of what the tool said last is told when it fails.
const LAST_LINES: usize = 12;

impl Runner<'_> {
    /// Runs the command of a step to its end.
    pub(super) async fn hand_over(&mut self, step: &Step) -> Result<(), ServerError> {
        let Some(login) = self.target.login() else {
            return Err(other("the tool needs a MySQL or MariaDB server"));
        };
        if login.wants_tls && !step.tool.iter().any(|word| speaks_of_tls(word)) {
            return Err(other(
                "the URL wants TLS, and the tool would connect without: add its arguments for TLS \
                 to `command` under [runner.online_tool]",
            ));
        }
        let file = login_file(&login).map_err(|error| failed("write its option file", &error))?;
        let child = start(&step.tool, &login, &file.path().to_string_lossy());
        let child = child.map_err(|error| failed("start a shell for it", &error))?;
        self.follow(child).await
    }

    /// Listens to the tool until it ends, and keeps the session alive meanwhile.
    async fn follow(&mut self, mut child: Child) -> Result<(), ServerError> {
        let mut leash = child.stdin.take();
        let (mut out, mut err) = (lines(child.stdout.take()), lines(child.stderr.take()));
        let mut last: Vec<String> = Vec::new();
        let mut lost: Option<ServerError> = None;
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        let stop = self.stop.clone();
        let status = loop {
            let line = tokio::select! {
                line = next(&mut out) => line,
                line = next(&mut err) => line,
                status = child.wait() => break status,
                _ = heartbeat.tick() => {
                    if let Err(error) = self.connection.execute("DO 0").await {
                        // Without its session the run has no lock: nobody may go on.
                        lost = Some(error);
                        leash = None;
                    }
                    continue;
                }
                () = stop.wanted(), if leash.is_some() => {
                    leash = None;
                    continue;
                }
            };
            self.hear(line, &mut last);
        };
        drop(leash);
        // What it said at the very end; somebody else may hold the streams open.
        while out.is_some() || err.is_some() {
            let rest = async {
                tokio::select! { line = next(&mut out) => line, line = next(&mut err) => line }
            };
            let Ok(line) = tokio::time::timeout(Duration::from_secs(1), rest).await else { break };
            self.hear(line, &mut last);
        }
        let status = status.map_err(|error| failed("wait for it", &error))?;
        if let Some(error) = lost {
            return Err(error);
        }
        if status.success() {
            return Ok(());
        }
        if stop.is_wanted() {
            let message = "the tool was asked to end";
            return Err(ServerError::own(ErrorKind::Cancelled, message));
        }
        let code = status.code().map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        Err(other(&format!("the tool ended with {code}: {}", last.join("\n"))))
    }

    /// Tells a line of the tool, and keeps the last ones.
    fn hear(&mut self, line: Option<String>, last: &mut Vec<String>) {
        let Some(line) = line.filter(|line| !line.trim().is_empty()) else { return };
        if last.len() == LAST_LINES {
            last.remove(0);
        }
        last.push(line.clone());
        self.tell(Progress::Working { phase: line, percent: None });
    }
}

fn other(message: &str) -> ServerError {
    ServerError::own(ErrorKind::Other, message)
}

fn failed(what: &str, error: &std::io::Error) -> ServerError {
    other(&format!("cannot hand the statement over: cannot {what}: {error}"))
}

fn speaks_of_tls(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word.contains("ssl") || word.contains("tls")
}

/// Writes the login where only its owner reads it; the file goes with what is returned.
fn login_file(login: &Login) -> std::io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("lockwise-").suffix(".cnf").tempfile()?;
    file.write_all(login.option_file().as_bytes())?;
    file.flush()?;
    Ok(file)
}

/// Starts the tool in a process group of its own, so that Ctrl-C reaches lockwise alone.
fn start(command: &[String], login: &Login, file: &str) -> std::io::Result<Child> {
    let port = login.port.to_string();
    let known = [
        ("{login}", file),
        ("{host}", login.host.as_str()),
        ("{port}", port.as_str()),
        ("{user}", login.user.as_str()),
    ];
    let mut shell = Command::new("sh");
    shell.args(["-c", KEEPER, "sh"]).args(command.iter().map(|word| filled(word, &known)));
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    shell.process_group(0);
    shell.spawn()
}

type Told<R> = Option<Lines<BufReader<R>>>;

fn lines<R: AsyncRead + Unpin>(stream: Option<R>) -> Told<R> {
    stream.map(|stream| BufReader::new(stream).lines())
}

/// Returns the next line; forgets a stream that has ended, and never comes back to it.
async fn next<R: AsyncRead + Unpin>(stream: &mut Told<R>) -> Option<String> {
    let Some(lines) = stream else { return std::future::pending().await };
    let line = lines.next_line().await.ok().flatten();
    if line.is_none() {
        *stream = None;
    }
    line
}
