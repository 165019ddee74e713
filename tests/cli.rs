//! The command line, case by case: one folder in `testdata/cli/` with the input files, the command
//! line in `cmd`, and what comes of it in `stdout`, `stderr` and `code`.
//!
//! A case runs in a copy of its folder, so that a command may write. `LOCKWISE_ACCEPT=1 cargo test
//! --test cli` writes down what comes out now; read it in review like code.

#![expect(clippy::unwrap_used, reason = "a test says by panicking what is wrong")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

const EXPECTED: [&str; 4] = ["cmd", "stdout", "stderr", "code"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a run of a case gave.
struct Ran {
    stdout: String,
    stderr: String,
    code: i32,
}

/// Copies the input files of a case to a folder of its own.
fn copy(from: &Path, to: &Path, top: bool) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if top && EXPECTED.iter().any(|expected| name == *expected) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(name), false);
        } else {
            fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}

fn run(case: &Path) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    copy(case, folder.path(), true);
    let script = fs::read_to_string(case.join("cmd")).unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_lockwise"));
    let path = std::env::join_paths(
        [binary.parent().unwrap().to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", path.unwrap())
        .env("TESTDATA", root().join("testdata"))
        .env("HOME", folder.path())
        .env("TMPDIR", std::env::temp_dir())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).unwrap();
        text.replace(root().join("testdata").to_str().unwrap(), "$TESTDATA")
    };
    Ran {
        stdout: text(output.stdout),
        stderr: text(output.stderr),
        code: output.status.code().unwrap(),
    }
}

/// Compares one file of a case with what came out; writes it down when that is asked for.
fn compare(case: &Path, file: &str, found: &str) -> Option<String> {
    let path = case.join(file);
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if expected == found {
        return None;
    }
    if std::env::var_os("LOCKWISE_ACCEPT").is_some() {
        if found.is_empty() {
            let _ = fs::remove_file(&path);
        } else {
            fs::write(&path, found).unwrap();
        }
        return None;
    }
    let diff = similar::TextDiff::from_lines(expected.as_str(), found);
    Some(format!("{}\n{}", path.display(), diff.unified_diff()))
}

fn cases() -> Vec<PathBuf> {
    let folder = root().join("testdata/cli");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

#[test]
fn every_case_gives_what_is_written_down() {
    let cases = cases();
    assert!(cases.len() > 10, "the cases are gone");
    let differences: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = cases
            .chunks(cases.len().div_ceil(4))
            .map(|chunk| {
                scope.spawn(move || {
                    let mut differences = Vec::new();
                    for case in chunk {
                        let ran = run(case);
                        let code = format!("{}\n", ran.code);
                        for (file, found) in
                            [("stdout", &ran.stdout), ("stderr", &ran.stderr), ("code", &code)]
                        {
                            differences.extend(compare(case, file, found));
                        }
                    }
                    differences
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn schema(name: &str) -> jsonschema::Validator {
    let text = fs::read_to_string(root().join("testdata/schemas").join(name)).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

/// Every JSON that a case prints, with the schema it must keep to.
fn json_outputs() -> Vec<(PathBuf, &'static str, Value)> {
    let mut outputs = Vec::new();
    for case in cases() {
        let cmd = fs::read_to_string(case.join("cmd")).unwrap();
        let known = [
            ("lint", "json", "lint.json"),
            ("lint", "sarif", "sarif-2.1.0.json"),
            ("effects", "json", "effects.json"),
            ("rules", "json", "rules.json"),
            ("explain", "json", "explain.json"),
        ];
        let found = known.into_iter().find(|(command, format, _)| {
            cmd.starts_with(&format!("lockwise {command} "))
                && cmd.contains(&format!("--format {format}"))
        });
        let Some((_, _, name)) = found else { continue };
        let stdout = fs::read_to_string(case.join("stdout")).unwrap_or_default();
        if stdout.is_empty() {
            continue;
        }
        outputs.push((case, name, serde_json::from_str(&stdout).unwrap()));
    }
    outputs
}

#[test]
fn json_keeps_to_its_schema() {
    let outputs = json_outputs();
    for name in ["lint.json", "sarif-2.1.0.json", "effects.json", "rules.json", "explain.json"] {
        assert!(outputs.iter().any(|(_, schema, _)| *schema == name), "no case for {name}");
        let schema = schema(name);
        for (case, _, value) in outputs.iter().filter(|(_, of, _)| *of == name) {
            let errors: Vec<String> =
                schema.iter_errors(value).map(|e| format!("{} {e}", e.instance_path())).collect();
            assert!(errors.is_empty(), "{}: {}", case.display(), errors.join("\n"));
        }
    }
}

#[test]
fn a_schema_refuses_what_does_not_keep_to_it() {
    let schema = schema("lint.json");
    for (_, _, mut value) in json_outputs().into_iter().filter(|(_, of, _)| *of == "lint.json") {
        assert!(schema.is_valid(&value));
        value["summary"]["error"] = Value::from(-1);
        assert!(!schema.is_valid(&value));
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let binary = env!("CARGO_BIN_EXE_lockwise");
    let mut child = Command::new(binary)
        .args(["effects", "--server", "sqlite", "--format", "json"])
        .arg(root().join("testdata/shop"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!stderr.contains("error"), "{stderr}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_full_disk_is_an_error() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let output = Command::new(env!("CARGO_BIN_EXE_lockwise"))
        .args(["rules", "--quiet"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("error: cannot write the output\n  cause:"), "{stderr}");
}

/// One file with a byte order mark, Windows line ends, wide characters, and a name that every
/// format has to escape.
const HARD: &str = "\u{feff}-- 주문\r\nSELECT 1;\r\n/* 가나 */ DROP TABLE \"주문<&'|\u{1}>\";\r\n";

/// Lints a folder in one format.
fn linted(folder: &Path, format: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_lockwise"))
        .args(["lint", "--quiet", "--server", "postgres", "--server-version", "15"])
        .args(["--format", format, "m"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stdout).unwrap()
}

/// Reads XML strictly: returns each element's name and attributes, or panics.
fn xml(text: &str) -> Vec<(String, String)> {
    let bad = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    assert!(!text.contains(bad), "a control character: {text:?}");
    let (mut open, mut found) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some((data, markup)) = rest.split_once('<') {
        for entity in data.split('&').skip(1) {
            let name = entity.split(';').next().unwrap();
            assert!(["amp", "lt", "gt", "quot", "apos"].contains(&name) || name.starts_with('#'));
        }
        let (tag, after) = markup.split_once('>').unwrap();
        rest = after;
        let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap().to_owned();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        // Attributes are quoted, and hold neither a quote nor a bracket.
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        if !tag.starts_with('?') && !tag.ends_with('/') {
            open.push(name.clone());
        }
        found.push((name, tag.to_owned()));
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    found
}

#[test]
fn every_format_counts_lines_and_characters_from_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("m")).unwrap();
    fs::write(folder.path().join("m/0001_a.sql"), HARD).unwrap();
    let lint = |format: &str| linted(folder.path(), format);
    let json = |format: &str| -> Value { serde_json::from_str(&lint(format)).unwrap() };

    let found = &json("json")["findings"][0];
    assert_eq!((&found["line"], &found["column"]), (&Value::from(3), &Value::from(10)));
    let log = json("sarif");
    assert!(schema("sarif-2.1.0.json").is_valid(&log));
    assert_eq!(log["runs"][0]["columnKind"], "unicodeCodePoints");
    let region = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startLine"], &region["startColumn"]), (&3.into(), &10.into()));
    assert_eq!(json("gitlab")[0]["location"]["lines"]["begin"], 3);
    assert!(lint("github").contains("line=3,endLine=3,col=10,"), "{}", lint("github"));
    assert!(lint("text").contains("m/0001_a.sql:3:10\n"), "{}", lint("text"));
    assert!(lint("markdown").contains("`m/0001_a.sql:3`"), "{}", lint("markdown"));

    let checkstyle = xml(&lint("checkstyle"));
    let error = checkstyle.iter().find(|(name, _)| name == "error").unwrap();
    assert!(error.1.contains("line=\"3\" column=\"10\""), "{}", error.1);
    let junit = xml(&lint("junit"));
    let case = junit.iter().find(|(name, _)| name == "testcase").unwrap();
    assert!(case.1.contains(" at 3:10\""), "{}", case.1);
}

/// A table row of markdown has as many cells whatever the names hold.
#[test]
fn names_do_not_break_tables_or_commands() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("m")).unwrap();
    fs::write(folder.path().join("m/0001_a.sql"), HARD).unwrap();
    let markdown = linted(folder.path(), "markdown");
    let row = markdown.lines().find(|line| line.contains("0001_a.sql:3")).unwrap();
    assert_eq!(row.replace("\\|", "").matches('|').count(), 4, "{row}");
    assert!(!row.contains("주문<"), "{row}");
    let github = linted(folder.path(), "github");
    assert_eq!(github.lines().filter(|line| line.starts_with("::")).count(), 1, "{github}");
}

#[test]
fn a_closed_pipe_ends_every_format_quietly() {
    for format in ["text", "json", "sarif", "github", "gitlab", "junit", "checkstyle", "markdown"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lockwise"))
            .args(["lint", "--server", "sqlite", "--format", format, "testdata/shop"])
            .current_dir(root())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("error"), "{format}: {stderr}");
    }
}
