//! The README's transcripts are what the commands print.
//!
//! Every fenced block marked `console` is run: a line that begins with `$ ` is a command, what
//! follows up to the next one is its output, standard output before standard error. Commands that
//! change something run in a folder of their own.

#![expect(clippy::unwrap_used, reason = "a test says by panicking what is wrong")]

use std::path::Path;
use std::process::Command;

/// One command of the README and what it prints.
struct Shown {
    line: usize,
    command: String,
    output: String,
}

fn transcripts(text: &str) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
            continue;
        }
        if !inside {
            continue;
        }
        if let Some(command) = line.strip_prefix("$ ") {
            shown.push(Shown {
                line: number + 1,
                command: command.to_owned(),
                output: String::new(),
            });
        } else if let Some(last) = shown.last_mut() {
            last.output.push_str(line);
            last.output.push('\n');
        }
    }
    shown
}

/// Runs a command line in a shell, with `lockwise` being the one under test.
fn run(command: &str, folder: &Path) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_lockwise"));
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", binary.parent().unwrap().display());
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .env_remove("DATABASE_URL")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).unwrap()
}

#[test]
fn transcripts_are_what_the_commands_print() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("README.md")).unwrap();
    let shown = transcripts(&text);
    assert!(shown.len() >= 3, "the README shows {} commands", shown.len());
    let mut wrong = Vec::new();
    for one in shown {
        let printed = run(&one.command, root);
        if printed.trim_end() != one.output.trim_end() {
            wrong.push(format!(
                "README.md:{}: $ {}\n--- shown\n{}\n--- printed\n{printed}",
                one.line, one.command, one.output
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
