//! Migration folders of the tools people have: one tree a case in `testdata/layout/`, and in
//! `arrangement` what is read from it. `LOCKWISE_ACCEPT=1` writes down what is read now.

#![expect(clippy::unwrap_used, reason = "a test says by panicking that something is wrong")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use lockwise::sql::layout::{Content, Given, InputFile, arrange, guess_server};
use lockwise::sql::{Section, Server, Span};

const EXPECTED: &str = "arrangement";

fn files(folder: &Path, below: &str, found: &mut Vec<InputFile>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let shown = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        if path.is_dir() {
            files(&path, &shown, found);
        } else if !(below.is_empty() && name == EXPECTED) {
            found
                .push(InputFile { path: shown, content: Content::Bytes(fs::read(&path).unwrap()) });
        }
    }
}

/// Writes a section as its statements, shortened.
fn statements(section: &Section) -> String {
    let text = section.source.slice(section.range);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("--"));
    lines.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn describe(case: &Path) -> String {
    let mut input = Vec::new();
    files(case, "", &mut input);
    let mut arrangement = arrange(vec![Given::Folder { path: String::new(), files: input }], None);
    let server = Server::of(guess_server(&arrangement).kind);
    let mut out = format!("server {}\n", server.kind);
    for group in &mut arrangement.groups {
        group.select(server);
        let unrelated = if group.unrelated { ", unrelated" } else { "" };
        writeln!(out, "folder {:?}: {}{unrelated}", group.folder, group.convention.as_str())
            .unwrap();
        for draft in &group.drafts {
            let migration = draft.clone().parse(server).unwrap();
            let marker = |span: Span| draft.up.source.slice(span).to_owned();
            writeln!(out, "  {} \"{}\" {}", draft.version, draft.name, draft.path()).unwrap();
            writeln!(
                out,
                "    {:?}{}",
                migration.transaction,
                match draft.no_transaction {
                    Some(span) => format!(" by `{}`", marker(span)),
                    None => String::new(),
                }
            )
            .unwrap();
            writeln!(out, "    up: {} ({})", statements(&draft.up), migration.up.statements.len())
                .unwrap();
            if let Some(down) = &migration.down {
                writeln!(out, "    down: {}", statements(&down.section)).unwrap();
            }
            if draft.repeatable {
                writeln!(out, "    repeatable").unwrap();
            }
        }
    }
    for skipped in &arrangement.skipped {
        writeln!(out, "skipped {}: {}", skipped.path, skipped.reason).unwrap();
    }
    for error in &arrangement.errors {
        writeln!(out, "error {error}\n  hint {}", error.hint()).unwrap();
    }
    out
}

#[test]
fn every_folder_is_read_as_its_tool_reads_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/layout");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 15, "the cases are gone");
    let mut differences = Vec::new();
    for case in cases {
        let found = describe(&case);
        let path = case.join(EXPECTED);
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if found == expected {
            continue;
        }
        if std::env::var_os("LOCKWISE_ACCEPT").is_some() {
            fs::write(&path, found).unwrap();
        } else {
            let diff = similar::TextDiff::from_lines(&expected, &found);
            differences.push(format!("{}\n{}", path.display(), diff.unified_diff()));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
