//! The README's transcripts are what the commands print.
//!
//! Every fenced block marked `console` is run: a line that begins with `$ ` is a command, what
//! follows up to the next one is its output, standard output before standard error. Commands that
//! change something run in a folder of their own.
//!
//! Its tables of rules and of recorded cases are generated: `LOCKWISE_ACCEPT=1` writes them anew.

#![expect(clippy::unwrap_used, reason = "a test says by panicking what is wrong")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use lockwise::rule::RuleSet;
use lockwise::sql::ServerKind;
use serde_json::Value;

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

/// The shell steps of the snippet with this line, what installs lockwise left out.
fn steps(text: &str, marker: &str) -> Vec<String> {
    let snippets = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let snippet = snippets.into_iter().find(|snippet| snippet.contains(marker)).unwrap();
    let commands = snippet.lines().filter_map(|line| line.trim().strip_prefix("- "));
    let commands = commands.map(|line| line.strip_prefix("run: ").unwrap_or(line));
    let ours = |line: &&str| line.starts_with("lockwise") || line.starts_with("git");
    commands.filter(ours).map(str::to_owned).collect()
}

/// A repository with a main branch, and a clone of it on a branch that adds an unsafe migration.
fn pull_request(folder: &Path) {
    let script = "set -e; git init -q -b main origin; cd origin; mkdir migrations
        git config user.name a; git config user.email a@example.org
        echo 'CREATE TABLE orders (id bigint PRIMARY KEY);' > migrations/0001_orders.sql
        git add .; git commit -qm one; git checkout -q -b mine
        echo 'DROP TABLE orders;' > migrations/0002_drop.sql; git add .; git commit -qm two
        cd ..; git clone -q origin clone";
    assert_eq!(run(script, folder), "");
}

#[test]
fn the_snippets_for_pipelines_do_what_they_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("README.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    pull_request(folder.path());
    let clone = folder.path().join("clone");
    let pipeline = |marker: &str, variable: &str| {
        let steps = steps(&text, marker);
        assert!(!steps.is_empty(), "no steps in the snippet with {marker}");
        let script = format!("export {variable}=main; {}; echo \"code $?\"", steps.join(" && "));
        run(&script, &clone)
    };
    let github = pipeline("runs-on: ubuntu-latest", "GITHUB_BASE_REF");
    assert!(github.contains("::error file=migrations/0002_drop.sql,line=1,"), "{github}");
    assert!(!github.contains("0001_orders") && github.contains("code 1"), "{github}");
    let gitlab = pipeline("gl-code-quality-report", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME");
    assert!(gitlab.contains("code 1"), "{gitlab}");
    let report = fs::read_to_string(clone.join("gl-code-quality-report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let found = report.as_array().unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found.first().unwrap()["location"]["path"], "migrations/0002_drop.sql");
}

/// The four servers in the order of the README's tables, with their folders in testdata/servers.
const SERVERS: [(&str, ServerKind); 4] = [
    ("postgres", ServerKind::Postgres),
    ("mysql", ServerKind::Mysql),
    ("mariadb", ServerKind::Mariadb),
    ("sqlite", ServerKind::Sqlite),
];

#[test]
fn tables_are_what_they_are_made_from() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(&path).unwrap();
    let made = with_table(&text, "rules", &rules_table());
    let made = with_table(&made, "checks", &checks_table());
    let made = with_table(&made, "recorded cases", &cases_table());
    if made == text {
        return;
    }
    assert!(
        std::env::var_os("LOCKWISE_ACCEPT").is_some(),
        "README.md is behind rules/ or testdata:\n{}\
         run `LOCKWISE_ACCEPT=1 cargo test --test readme`",
        similar::TextDiff::from_lines(&text, &made).unified_diff()
    );
    fs::write(&path, made).unwrap();
}

/// Puts a table between its marks.
fn with_table(text: &str, name: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = text.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    format!("{before}{begin}\n{table}\n{end}{after}")
}

fn rules_table() -> String {
    let rules = RuleSet::builtin().unwrap();
    let (on, off): (Vec<_>, Vec<_>) = rules.iter().partition(|rule| rule.enabled);
    let mut table = format!(
        "<details><summary>{} rules on by default, {} to switch on</summary>\n\n\
         | rule | finds | severity | servers |\n|---|---|---|---|\n",
        on.len(),
        off.len()
    );
    for in_force in on.iter().chain(&off) {
        let rule = &in_force.rule;
        let all = rule.servers.len() == ServerKind::ALL.len();
        let names: Vec<&str> = rule.servers.iter().map(|server| server.as_str()).collect();
        let servers = if all { "all".to_owned() } else { names.join(", ") };
        let title = rule.title.replace('|', "\\|");
        let off = if in_force.enabled { "" } else { ", off" };
        writeln!(table, "| `{}` | {title} | {}{off} | {servers} |", rule.id, rule.severity)
            .unwrap();
    }
    table + "\n</details>\n"
}

/// Counts the recorded cases of each server, in all and by family.
fn cases_table() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/servers");
    let mut families: BTreeMap<String, [usize; 4]> = BTreeMap::new();
    let mut table = "| server | versions | recorded cases | test |\n|---|---|---|---|\n".to_owned();
    for (place, (name, kind)) in SERVERS.into_iter().enumerate() {
        let mut count = 0;
        let mut versions: Vec<(u64, u64)> = Vec::new();
        for file in ["cases", "recorded", "wide"] {
            let path = folder.join(name).join(format!("{file}.jsonl"));
            if file == "wide" && !path.exists() {
                continue;
            }
            let text = fs::read_to_string(path).unwrap();
            for row in text.lines() {
                let row: Value = serde_json::from_str(row).unwrap();
                let family =
                    row.get("family").and_then(|family| family.as_str()).unwrap().replace('_', " ");
                if let Some(count) = families.entry(family).or_default().get_mut(place) {
                    *count += 1;
                }
                count += 1;
                versions.extend(versions_of(&row));
            }
        }
        versions.sort_unstable();
        versions.dedup();
        let shown = |&(major, minor): &(u64, u64)| match kind {
            ServerKind::Postgres => major.to_string(),
            ServerKind::Mysql | ServerKind::Mariadb | ServerKind::Sqlite => {
                format!("{major}.{minor}")
            }
        };
        let versions = versions.iter().map(shown).collect::<Vec<_>>().join(", ");
        let test = match kind {
            ServerKind::Postgres => "effects_postgres",
            ServerKind::Mysql | ServerKind::Mariadb => "effects_mysql",
            ServerKind::Sqlite => "effects_sqlite",
        };
        writeln!(table, "| {} | {versions} | {} | `{test}` |", kind.title(), grouped(count))
            .unwrap();
    }
    table.push_str(
        "\n<details><summary>By family of statements</summary>\n\n\
         | family | PostgreSQL | MySQL | MariaDB | SQLite |\n|---|---|---|---|---|\n",
    );
    for (family, counts) in families {
        let counts = counts.map(|count| if count == 0 { String::new() } else { grouped(count) });
        writeln!(table, "| {family} | {} |", counts.join(" | ")).unwrap();
    }
    table + "\n</details>\n"
}

/// Returns the versions a case was recorded on, as major and minor number.
fn versions_of(row: &Value) -> Vec<(u64, u64)> {
    if let Some(version) = row["version"].as_str() {
        let mut numbers = version.split('.').map(|number| number.parse().unwrap());
        return vec![(numbers.next().unwrap(), numbers.next().unwrap())];
    }
    let results = row["results"].as_array().unwrap().iter();
    let versions = results.flat_map(|result| result["versions"].as_array().unwrap());
    versions.map(|version| (version.as_u64().unwrap(), 0)).collect()
}

/// Writes a number with commas: `1,363`.
fn grouped(number: usize) -> String {
    if number < 1000 {
        number.to_string()
    } else {
        format!("{},{:03}", grouped(number / 1000), number % 1000)
    }
}

/// The checks of the field that are off or no rules, and why.
fn checks_table() -> String {
    let mut table = "| check | why |\n|---|---|\n".to_owned();
    for check in checks().iter().filter(|check| !check.why.is_empty()) {
        writeln!(table, "| `{}` | {} |", check.id, check.why).unwrap();
    }
    table
}

/// A check that tools of this field have.
struct Check {
    id: &'static str,
    /// A matter of house style: off until switched on.
    policy: bool,
    /// Why it is off, or no rule; empty for those that are on.
    why: &'static str,
}

fn checks() -> Vec<Check> {
    let rows = include_str!("../testdata/checks.tsv").lines().skip(1);
    let check = |row: &'static str| {
        let mut cells = row.split('\t').skip(1);
        let mut cell = || cells.next().unwrap();
        Check { id: cell(), policy: cell() == "policy", why: cell() }
    };
    rows.map(check).collect()
}

/// Every safety check of the field is a rule that is on, every policy check one that is off, and
/// an exception says why.
#[test]
fn every_check_of_the_field_is_a_rule_or_has_a_reason() {
    let rules = RuleSet::builtin().unwrap();
    let mut wrong = String::new();
    for Check { id, policy, why } in checks() {
        let found = rules.get(id).map(|rule| rule.enabled);
        let fits = match (found, why) {
            (Some(true), "") => !policy,
            (Some(false), "") => policy,
            (Some(true), _) => false,
            (Some(false) | None, why) => !why.is_empty(),
        };
        if !fits {
            writeln!(wrong, "{id}: policy {policy}, on {found:?}, why \"{why}\"").unwrap();
        }
    }
    assert!(wrong.is_empty(), "testdata/checks.tsv and rules/ disagree:\n{wrong}");
}
