//! `lockwise lint` beside squawk-cli, on the same files, one after the other.
//!
//! `cargo bench --bench speed -- [--binary PATH] [FOLDER…]` prints wall clock, processor time and
//! peak memory of both for each folder, and for a generated history of 10,000 migrations. Each runs
//! three times, and the best run counts. GNU time does the measuring (`getrusage` of the child);
//! squawk comes with `pip install squawk-cli`. What is not installed is left out, and said.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How many migrations the generated folder has.
const GENERATED: usize = 10_000;
const RUNS: usize = 3;

fn main() -> io::Result<()> {
    let mut binary = PathBuf::from(env!("CARGO_BIN_EXE_lockwise"));
    let mut folders = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Cargo passes this to every bench.
            "--bench" => {}
            "--binary" => binary = arguments.next().map(PathBuf::from).unwrap_or(binary),
            folder => folders.push(PathBuf::from(folder)),
        }
    }
    let mut out = io::stdout().lock();
    for folder in &folders {
        compare(&folder.display().to_string(), folder, &binary, &mut out)?;
    }
    let generated = tempfile::tempdir()?;
    generate(generated.path())?;
    let name = format!("one history of {GENERATED} migrations");
    compare(&name, generated.path(), &binary, &mut out)
}

/// What one run took.
#[derive(Debug, Clone, Copy)]
struct Cost {
    wall: f64,
    user: f64,
    system: f64,
    peak_kilobytes: f64,
}

fn compare(name: &str, folder: &Path, binary: &Path, out: &mut impl Write) -> io::Result<()> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    let bytes: u64 = files.iter().filter_map(|file| Some(file.metadata().ok()?.len())).sum();
    let count = count(files.len());
    let megabytes = f64::from(u32::try_from(bytes / 1000).unwrap_or(u32::MAX)) / 1000.0;
    writeln!(out, "{name}: {} files, {megabytes:.1} MB", files.len())?;
    let lint = ["lint", "--server", "postgres", "--quiet"];
    let lockwise = best(binary, &lint, &[folder.to_owned()]);
    let squawk = best(Path::new("squawk"), &[], &files);
    for (tool, cost) in [("lockwise lint", lockwise), ("squawk", squawk)] {
        let Some(Cost { wall, user, system, peak_kilobytes }) = cost else {
            writeln!(out, "  {tool:14} not measured: it and GNU time must be installed")?;
            continue;
        };
        let (speed, peak) = (count / wall.max(0.001), peak_kilobytes / 1024.0);
        writeln!(
            out,
            "  {tool:14} wall {wall:5.2} s  user {user:5.2} s  system {system:5.2} s  \
             peak {peak:4.0} MB  {speed:6.0} files/s"
        )?;
    }
    if let (Some(ours), Some(theirs)) = (lockwise, squawk) {
        writeln!(
            out,
            "  ratio          wall {:5.2}    user {:5.2}                      peak {:4.2}",
            ours.wall / theirs.wall.max(0.001),
            ours.user / theirs.user.max(0.001),
            ours.peak_kilobytes / theirs.peak_kilobytes.max(1.0)
        )?;
    }
    Ok(())
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Returns the cost of the quickest of several runs; none where one did not come to its end.
fn best(program: &Path, options: &[&str], paths: &[PathBuf]) -> Option<Cost> {
    let runs: Option<Vec<Cost>> = (0..RUNS).map(|_| run(program, options, paths)).collect();
    runs?.into_iter().min_by(|a, b| a.wall.total_cmp(&b.wall))
}

fn run(program: &Path, options: &[&str], paths: &[PathBuf]) -> Option<Cost> {
    let report = tempfile::NamedTempFile::new().ok()?;
    let status = Command::new("time")
        .args(["--quiet", "--format", "%e %U %S %M", "--output"])
        .arg(report.path())
        .arg(program)
        .args(options)
        .args(paths)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .ok()?;
    // Both exit with 1 when they find something.
    if status.code().is_none_or(|code| code > 1) {
        return None;
    }
    let text = std::fs::read_to_string(report.path()).ok()?;
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|n| n.parse().ok()).collect();
    let &[wall, user, system, peak_kilobytes] = numbers.as_slice() else { return None };
    Some(Cost { wall, user, system, peak_kilobytes })
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else if path.extension().is_some_and(|extension| extension == "sql") {
        files.push(path.to_owned());
    }
    Ok(())
}

/// Writes a history in which every tenth migration makes a table and the others change one.
fn generate(folder: &Path) -> io::Result<()> {
    for number in 0..GENERATED {
        let mut sql = String::new();
        let table = number / 10;
        let written = match number % 10 {
            0 => writeln!(
                sql,
                "CREATE TABLE item_{table} (\n  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY \
                 KEY,\n  name text NOT NULL,\n  created timestamptz NOT NULL DEFAULT now()\n);"
            ),
            1 => writeln!(sql, "CREATE INDEX item_{table}_name ON item_{table} (name);"),
            2 => writeln!(
                sql,
                "ALTER TABLE item_{table} ADD COLUMN parent bigint REFERENCES item_{} (id);",
                table.saturating_sub(1)
            ),
            3 => writeln!(sql, "UPDATE item_{table} SET name = 'x' WHERE name = '';"),
            step => writeln!(
                sql,
                "-- Step {step} of table {table}.\nALTER TABLE item_{table} ADD COLUMN step_{step} \
                 integer NOT NULL DEFAULT {step};\nCOMMENT ON COLUMN item_{table}.step_{step} IS \
                 'what the step is for';"
            ),
        };
        written.map_err(io::Error::other)?;
        std::fs::write(folder.join(format!("{number:05}_step.sql")), sql)?;
    }
    Ok(())
}
