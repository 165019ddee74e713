//! Kills runs at random moments, on real servers, and demands that running again finishes.
//!
//! `tests/run --servers cargo bench --bench killer -- --server postgres --trials 200` starts the
//! servers. `--seed N` repeats a series. Most trials end the process with SIGKILL; some cut its
//! connections, some kill the server itself and start it again (only one that `tests/run` started).
//! Checked after each: the next undisturbed run exits with 0, the schema is the right one, every
//! statement took effect exactly once, no index is invalid, no lock is left, nothing is left to do.

#![expect(clippy::unwrap_used, reason = "a trial says by panicking that something is wrong")]
#![expect(clippy::panic, reason = "a trial says by panicking that something is wrong")]

#[path = "killer/crash.rs"]
mod crash;
#[path = "killer/history.rs"]
mod history;
#[path = "../tests/servers/support.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{Answer, Kind, Project};

/// What the command line asks for.
struct Options {
    kinds: Vec<Kind>,
    trials: usize,
    seed: u64,
}

/// How a trial disturbs the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Blow {
    /// The process is killed.
    Process,
    /// The server ends its sessions.
    Connection,
    /// The server is killed and started again.
    Server,
}

fn main() {
    let options = options();
    for kind in &options.kinds {
        series(*kind, &options);
    }
}

fn options() -> Options {
    let mut options = Options { kinds: Vec::new(), trials: 200, seed: fastrand::u64(..) };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_default();
        match argument.as_str() {
            // Cargo passes this to every bench.
            "--bench" => {}
            "--server" => options.kinds.extend(match value().as_str() {
                "postgres" => vec![Kind::Postgres],
                "mariadb" => vec![Kind::Mariadb],
                "mysql" => vec![Kind::Mysql],
                "sqlite" => vec![Kind::Sqlite],
                other => panic!("no server is called \"{other}\""),
            }),
            "--trials" => options.trials = value().parse().unwrap(),
            "--seed" => options.seed = value().parse().unwrap(),
            other => panic!("no option is called \"{other}\""),
        }
    }
    if options.kinds.is_empty() {
        options.kinds = vec![Kind::Sqlite, Kind::Postgres, Kind::Mariadb];
    }
    options
}

/// What every trial of a series is compared with.
struct Reference {
    schema: String,
    history: Vec<String>,
    plan: PathBuf,
    lines: usize,
    took: Duration,
}

fn series(kind: Kind, options: &Options) {
    let folder = tempfile::tempdir().unwrap();
    let reference = reference(kind, folder.path().join("plan.json"));
    let mut random = fastrand::Rng::with_seed(options.seed);
    let mut server = crash::Server::of(kind);
    let mut counts = std::collections::BTreeMap::<Blow, (usize, usize)>::new();
    let started = Instant::now();
    for trial in 1..=options.trials {
        let blow = match (kind, random.u32(0..100)) {
            (Kind::Sqlite, _) | (_, 0..70) => Blow::Process,
            (_, 70..88) => Blow::Connection,
            _ if server.is_ours() => Blow::Server,
            _ => Blow::Connection,
        };
        let count = counts.entry(blow).or_default();
        count.0 += 1;
        let project = Project::new(kind);
        history::write(&project);
        let blows = if random.u32(0..10) < 3 { 2 } else { 1 };
        let mut log = format!("{kind:?}, seed {}, trial {trial}, {blow:?}\n", options.seed);
        let mut disturbed = false;
        for _ in 0..blows {
            let moment = Moment {
                line: random.usize(0..=reference.lines),
                pause: Duration::from_micros(random.u64(0..20_000)),
                first: reference.took.mul_f64(random.f64()),
            };
            let (answer, hit) = disturb(&project, &reference, moment, blow, &mut server);
            disturbed |= hit;
            log.push_str(&format!("{moment:?}: {}\n", answer.all()));
        }
        count.1 += usize::from(disturbed);
        check(&project, &reference, &log);
        if trial % 20 == 0 {
            say(&format!("{kind:?}: {trial} trials, {:.0} s", started.elapsed().as_secs_f64()));
        }
    }
    server.stop();
    for (blow, (trials, hit)) in counts {
        say(&format!(
            "{kind:?}: {blow:?}: {trials} trials, {hit} with the journal left in the middle"
        ));
    }
    say(&format!("{kind:?}: {} trials, none failed (seed {})", options.trials, options.seed));
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// When a run is disturbed: so many lines after its beginning, and a little later.
#[derive(Debug, Clone, Copy)]
struct Moment {
    line: usize,
    pause: Duration,
    /// Before the first line.
    first: Duration,
}

fn apply(project: &Project, reference: &Reference) -> Command {
    let mut command = project.command(&["apply", "--yes"]);
    // The plan is the same every time: it is made once. What is left of it is planned again.
    let fresh = project.query("SELECT 1").len() == 1 && project.schema().is_empty();
    if fresh {
        command = Command::new(env!("CARGO_BIN_EXE_lockwise"));
        command.current_dir(project.path()).env("NO_COLOR", "1");
        command.args(["apply", "--yes", "--url", &project.url, "--plan"]).arg(&reference.plan);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs once and disturbs it; says whether the journal was left in the middle.
fn disturb(
    project: &Project,
    reference: &Reference,
    moment: Moment,
    blow: Blow,
    server: &mut crash::Server,
) -> (Answer, bool) {
    let mut child = apply(project, reference).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    if moment.line == 0 {
        std::thread::sleep(moment.first);
    }
    for _ in 0..moment.line {
        if lines.read_line(&mut text).unwrap() == 0 {
            break;
        }
    }
    std::thread::sleep(moment.pause);
    match blow {
        Blow::Process => child.kill().unwrap(),
        Blow::Connection => crash::cut(project),
        Blow::Server => server.crash(),
    }
    std::io::Read::read_to_string(&mut lines, &mut text).unwrap();
    let mut answer = Answer::of(&child.wait_with_output().unwrap());
    answer.stderr = text;
    // Orphans of the server finish or are ended; what they leave is what the next run meets.
    let hit = project
        .session()
        .try_query("SELECT count(*) FROM lockwise_journal WHERE event = 'run-finished'")
        .is_none_or(|rows| rows == ["0"]);
    (answer, hit)
}

#[track_caller]
fn check(project: &Project, reference: &Reference, log: &str) {
    let answer = Answer::of(&apply(project, reference).output().unwrap());
    assert_eq!(answer.code, Some(0), "{log}\nthe next run: {}", answer.all());
    assert_eq!(project.schema(), reference.schema, "{log}");
    assert_eq!(project.history(), reference.history, "{log}");
    let ledger = project.query("SELECT step, count(*) FROM ledger GROUP BY step ORDER BY step");
    let once = ["1|1", "2|1", "4|1", "5|1", "7|1", "8|1", "9|1", "10|1"];
    assert_eq!(ledger, once, "{log}");
    assert_eq!(project.query("SELECT sum(n) FROM a"), ["600"], "{log}");
    if project.kind == Kind::Postgres {
        let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
        assert_eq!(project.query(invalid), ["0"], "{log}");
    }
    let started = Instant::now();
    let again = project.run(&["apply", "--yes"]);
    assert_eq!(again.code, Some(0), "{log}\n{}", again.all());
    again.says("nothing to do");
    assert!(started.elapsed() < Duration::from_secs(20), "a lock was left\n{log}");
}

fn reference(kind: Kind, plan: PathBuf) -> Reference {
    let project = Project::new(kind);
    history::write(&project);
    let path = plan.display().to_string();
    project.expect(0, &["plan", "--out", &path]);
    let started = Instant::now();
    let answer = project.expect(0, &["apply", "--yes", "--plan", &path, "--url", &project.url]);
    Reference {
        schema: project.schema(),
        history: project.history(),
        plan,
        lines: answer.stderr.lines().count(),
        took: started.elapsed(),
    }
}
