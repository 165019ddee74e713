//! Rules of the house that no compiler checks: layers, sizes, and what may lie where.

#![expect(clippy::unwrap_used, reason = "a test says by panicking that something is wrong")]

use std::fs;
use std::path::{Path, PathBuf};

/// Which modules a module may use; `cli` may use all.
const LAYERS: &[(&str, &[&str])] = &[
    ("sql", &[]),
    ("schema", &["sql"]),
    ("effect", &["sql", "schema"]),
    ("rule", &["sql", "schema", "effect"]),
    ("db", &["sql", "schema"]),
    ("plan", &["sql", "schema", "effect", "rule", "db"]),
    ("apply", &["sql", "schema", "effect", "db", "plan"]),
    ("report", &["sql", "schema", "effect", "rule", "plan", "apply"]),
    ("config", &["sql", "rule", "plan"]),
];

/// What a pure module must not touch: it gets times, paths and versions as arguments.
const PURE: &[&str] = &["sql", "schema", "effect", "rule", "report"];
const IMPURE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::process",
    "std::net",
    "SystemTime",
    "Instant::now",
    "tokio::",
    "sqlx::",
    "fastrand::",
    "async fn",
];

/// Everything that may lie at the top, dotfiles besides.
const TOP: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "src",
    "rules",
    "tests",
    "testdata",
    "docker-compose.yml",
    "benches",
    "fuzz",
    "target",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The module directly below `src` that a file belongs to.
fn module(path: &Path) -> String {
    let below = path.strip_prefix(root().join("src")).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// A file without its comments and without its tests.
fn code(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn report(problems: &[String]) {
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn modules_use_only_the_layers_below() {
    let mut problems = Vec::new();
    for path in files(&root().join("src"), ".rs") {
        let own = module(&path);
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == own) else { continue };
        let code = code(&fs::read_to_string(&path).unwrap());
        for (at, _) in code.match_indices("crate::") {
            let rest = &code[at + "crate::".len()..];
            let used: Vec<&str> = match rest.strip_prefix('{') {
                Some(list) => list.split('}').next().unwrap().split(',').map(str::trim).collect(),
                None => vec![rest],
            };
            for used in used {
                let word = used.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                let is_module = word == "cli" || LAYERS.iter().any(|(name, _)| *name == word);
                if is_module && word != own && !allowed.contains(&word) {
                    problems.push(format!("{}: {own} may not use {word}", path.display()));
                }
            }
        }
    }
    report(&problems);
}

#[test]
fn only_db_uses_sqlx_and_pure_modules_stay_pure() {
    let mut problems = Vec::new();
    for path in files(&root().join("src"), ".rs") {
        let own = module(&path);
        let code = code(&fs::read_to_string(&path).unwrap());
        if own != "db" && code.contains("sqlx::") {
            problems.push(format!("{}: only db uses sqlx", path.display()));
        }
        if own != "sql" && code.contains("sqlparser::") {
            problems.push(format!("{}: parser types stay in sql", path.display()));
        }
        if !PURE.contains(&own.as_str()) {
            continue;
        }
        for word in IMPURE.iter().filter(|word| code.contains(**word)) {
            problems.push(format!("{}: {own} is pure, but says {word}", path.display()));
        }
    }
    report(&problems);
}

#[test]
fn files_and_lines_keep_their_size() {
    let mut problems = Vec::new();
    for folder in ["src", "tests", "benches"] {
        for path in files(&root().join(folder), ".rs") {
            let text = fs::read_to_string(&path).unwrap();
            for (number, line) in text.lines().enumerate() {
                // A string, a link and the row of a table cannot be broken.
                let whole = line.contains(['"', '\'']) || line.contains("://");
                let row = line.trim_start().starts_with("//! |")
                    || line.trim_start().starts_with("/// |");
                if line.chars().count() > 100 && !whole && !row {
                    problems.push(format!("{}:{}: over 100 columns", path.display(), number + 1));
                }
            }
            let own = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
            if folder == "src" && own.lines().count() > 600 {
                let count = own.lines().count();
                problems.push(format!("{}: {count} lines, at most 600", path.display()));
            }
            if folder == "src" && !text.starts_with("//!") {
                problems.push(format!("{}: begins without a word on what it is", path.display()));
            }
        }
    }
    report(&problems);
}

#[test]
fn facts_name_server_version_and_source() {
    const SERVERS: &[&str] = &["PostgreSQL ", "MySQL ", "MariaDB ", "SQLite "];
    const SOURCES: &[&str] = &["manual", ".c:", ".c)", ".cc)", "sqlite.org/", "pg_proc"];
    let measured = "testdata/servers";
    let mut problems = Vec::new();
    for server in ["postgres", "mysql", "sqlite"] {
        for path in files(&root().join("src/effect").join(server), ".rs") {
            let text = fs::read_to_string(&path).unwrap();
            let top = text.lines().take_while(|line| line.starts_with("//!"));
            let top = top.collect::<Vec<_>>().join(" ");
            let has = |words: &[&str]| words.iter().any(|word| top.contains(word));
            let versioned = SERVERS.iter().any(|name| {
                top.match_indices(name)
                    .any(|(at, _)| top[at + name.len()..].starts_with(|c: char| c.is_ascii_digit()))
            });
            if !versioned {
                problems.push(format!("{}: no version of a server at its top", path.display()));
            }
            if !has(SOURCES) && !top.contains(measured) {
                problems.push(format!("{}: no source at its top", path.display()));
            }
        }
    }
    report(&problems);
}

#[test]
fn rule_files_are_short() {
    let mut problems = Vec::new();
    let rules = files(&root().join("rules"), ".toml");
    assert!(!rules.is_empty(), "no rule files found");
    for path in rules {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        if lines > 80 {
            problems.push(format!("{}: {lines} lines, at most 80", path.display()));
        }
    }
    report(&problems);
}

#[test]
fn nothing_else_lies_at_the_top() {
    let mut problems = Vec::new();
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && !TOP.contains(&name.as_str()) {
            problems.push(name);
        }
    }
    report(&problems);
}

#[test]
fn no_unfinished_work_and_no_paths_of_one_machine() {
    // Put together here so that this file does not find itself.
    let words = [
        ["to", "do!("].concat(),
        ["unimple", "mented!("].concat(),
        ["FIX", "ME"].concat(),
        ["/ro", "ot/"].concat(),
        ["/wo", "rk/"].concat(),
        ["#[ig", "nore"].concat(),
    ];
    let mut problems = Vec::new();
    for (folder, ending) in
        [("src", ".rs"), ("tests", ""), ("benches", ".rs"), ("rules", ".toml"), (".ci", "")]
    {
        for path in files(&root().join(folder), ending) {
            let Ok(text) = fs::read_to_string(&path) else { continue };
            for word in words.iter().filter(|word| text.contains(word.as_str())) {
                problems.push(format!("{}: {word}", path.display()));
            }
        }
    }
    report(&problems);
}
