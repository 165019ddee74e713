//! Every example of every rule: `bad` fires its rule, `good` fires none, and real servers take
//! and refuse them as predicted. And every rule file is listed, well formed and well written.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says by panicking that something is wrong"
)]
#![expect(clippy::print_stderr, reason = "what is left out is seen with --nocapture")]

mod servers;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::OnceLock;

use lockwise::effect::{
    Branch, Chain, FileState, Member, MigrationEffects, WalkOptions, settle, told_by_set, walk,
};
use lockwise::rule::{
    BUILTIN, Example, Finding, JudgeOptions, Level, Rule, RuleSet, RuleSettings, judge,
};
use lockwise::schema::{Name, Schema, Size};
use lockwise::sql::{
    Convention, Migration, Section, Server, ServerKind, Source, Span, TransactionMode, Version,
    parse,
};

fn rules() -> RuleSet {
    static RULES: OnceLock<RuleSet> = OnceLock::new();
    RULES.get_or_init(load).clone()
}

fn load() -> RuleSet {
    match RuleSet::builtin() {
        Ok(rules) => rules,
        Err(errors) => {
            let lines: Vec<String> = errors
                .iter()
                .map(|e| format!("{e} ({})", e.hint.as_deref().unwrap_or("")))
                .collect();
            panic!("rule files do not load:\n{}", lines.join("\n"));
        }
    }
}

/// Splits a text at its `-- file:` lines; without one it is a file by itself. After the name may
/// stand what version control says: `added`, `edited`, `elsewhere` (another branch). A line
/// `-- down` begins the way back.
fn files(text: &str, first_version: usize) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("-- file:") {
            files.push((name.trim().to_owned(), String::new()));
            continue;
        }
        if files.is_empty() {
            files.push((format!("{first_version:04}_example.sql"), String::new()));
        }
        if let Some((_, sql)) = files.last_mut() {
            sql.push_str(line);
            sql.push('\n');
        }
    }
    files
}

fn migration(path: &str, sql: &str, transaction: TransactionMode, server: Server) -> Migration {
    let stem = path.strip_suffix(".sql").unwrap_or(path);
    let (version, name) = stem.split_once('_').unwrap_or((stem, ""));
    let marker = sql.find("-- lockwise:no-transaction").map(|start| {
        let start = u32::try_from(start).unwrap();
        Span::new(start, start + 26)
    });
    let source = Source::new(format!("migrations/{path}"), sql);
    let whole = u32::try_from(sql.len()).unwrap();
    let end = sql.find("-- down").map_or(whole, |at| u32::try_from(at).unwrap());
    let part = |start: u32, end: u32| Section {
        source: source.clone(),
        range: Span::new(start, end),
        reading: Default::default(),
    };
    let section = part(0, end);
    Migration {
        version: Version::new(version),
        name: name.to_owned(),
        convention: Convention::Lockwise,
        transaction: if marker.is_some() { TransactionMode::Unwrapped } else { transaction },
        marker,
        repeatable: false,
        after_unknown: false,
        up: parse(section, server),
        down: (end < whole).then(|| parse(part(end, whole), server)),
    }
}

/// The migrations of an example and what they do; the first `given` of them are not judged.
struct Walked {
    migrations: Vec<Migration>,
    effects: Vec<MigrationEffects>,
    given: usize,
}

/// Judges `text` after `given`, with the rule under test switched on.
fn findings(rule: &Rule, example: &Example, text: &str, server: Server) -> Vec<Finding> {
    let mut rules = rules();
    let settings = RuleSettings {
        level: rule.policy.then_some(Level::On),
        options: example.options.clone(),
        ignore: Vec::new(),
    };
    rules.configure(&rule.id, &settings).unwrap();
    let Walked { migrations, effects, given } = walked(example, text, server);
    let options = JudgeOptions { adopt_comments: true };
    migrations
        .iter()
        .zip(&effects)
        .skip(given)
        .flat_map(|(migration, effects)| {
            judge(migration, effects, &rules, server, options).findings
        })
        .collect()
}

/// Walks over `given` and `text`.
fn walked(example: &Example, text: &str, server: Server) -> Walked {
    let given = files(example.given.as_deref().unwrap_or(""), 1);
    let (theirs, judged): (Vec<_>, Vec<_>) = files(text, given.len() + 1)
        .into_iter()
        .partition(|(name, _)| name.ends_with(" elsewhere"));
    let states: Vec<FileState> = given
        .iter()
        .chain(&judged)
        .map(|(name, _)| match name.split_once(' ') {
            Some((_, "added")) => FileState::Added,
            Some((_, "edited")) => FileState::Edited,
            _ => FileState::Unchanged,
        })
        .collect();
    let mut schema = Schema::new(server, false);
    let migrations: Vec<Migration> = given
        .iter()
        .chain(&judged)
        .map(|(path, sql)| {
            let path = path.split(' ').next().unwrap_or(path);
            migration(path, sql, example.transaction, server)
        })
        .collect();
    let mut effects: Vec<MigrationEffects> = Vec::new();
    let mut chain = Chain::default();
    for (index, migration) in migrations.iter().enumerate() {
        if index == given.len() {
            for (table, &rows) in &example.rows {
                let (home, name) =
                    table.split_once('.').unwrap_or((server.kind.default_schema(), table));
                if let Some(relation) = schema.relation_mut(&Name::new(home, name)) {
                    relation.size = Some(Size { rows, bytes: rows * 100, ..Size::default() });
                }
            }
        }
        let settings = example.settings.clone();
        let by_lockwise = example.transaction == TransactionMode::Grouped;
        let mut done = walk(migration, &mut schema, &WalkOptions { settings, by_lockwise });
        chain.follow(migration, &mut done);
        effects.push(done);
    }
    settle(&mut effects.iter_mut().collect::<Vec<_>>(), &schema);
    let member = |(migration, effects)| Member::of(migration).touching(effects);
    let set: Vec<Member> = migrations.iter().zip(&effects).map(member).collect();
    let mut branch = Branch { name: "main".to_owned(), members: Vec::new() };
    for (path, sql) in &theirs {
        let path = path.split(' ').next().unwrap_or(path);
        let other = migration(path, sql, example.transaction, server);
        let mut schema = Schema::new(server, false);
        let done = walk(&other, &mut schema, &WalkOptions::default());
        branch.members.push(Member::of(&other).touching(&done));
    }
    for (effects, told) in effects.iter_mut().zip(told_by_set(&set, &states, &branch)) {
        effects.migration.extend(told);
    }
    Walked { migrations, effects, given: given.len() }
}

fn fires(findings: &[Finding], id: &str) -> bool {
    findings.iter().any(|found| found.rule == id || found.also.iter().any(|note| note.rule == id))
}

fn summary(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings
        .iter()
        .map(|found| {
            let also: Vec<&str> = found.also.iter().map(|note| note.rule.as_str()).collect();
            format!("      {}[{}]: {} (also {also:?})", found.severity, found.rule, found.message)
        })
        .collect();
    if lines.is_empty() { "      nothing".to_owned() } else { lines.join("\n") }
}

fn server_of(kind: ServerKind, example: &Example) -> Server {
    Server { kind, version: example.version.unwrap_or(kind.default_version()) }
}

#[test]
fn every_example_fires_as_it_says() {
    let only = std::env::var("LOCKWISE_RULE").ok();
    let mut failures = String::new();
    for in_force in rules().iter() {
        let rule = &in_force.rule;
        if only.as_ref().is_some_and(|only| *only != rule.id) {
            continue;
        }
        for example in &rule.examples {
            let servers = if example.servers.is_empty() { &rule.servers } else { &example.servers };
            for &kind in servers {
                let server = server_of(kind, example);
                let place = format!("{} on {kind}, \"{}\"", rule.id, example.name);
                if let Some(bad) = &example.bad {
                    let found = findings(rule, example, bad, server);
                    if !fires(&found, &rule.id) {
                        let list = summary(&found);
                        writeln!(failures, "  {place}: bad does not fire; found:\n{list}").unwrap();
                    }
                }
                if let Some(good) = &example.good {
                    let found = findings(rule, example, good, server);
                    if !found.is_empty() {
                        let list = summary(&found);
                        writeln!(failures, "  {place}: good is not quiet:\n{list}").unwrap();
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// One cause is one finding: what other rules say of the same clause are notes under it.
#[test]
fn a_clause_that_fires_several_rules_is_one_finding() {
    let given = "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int);";
    for (kind, sql) in [
        (ServerKind::Postgres, "ALTER TABLE t ALTER COLUMN a TYPE smallint;"),
        (ServerKind::Postgres, "ALTER TABLE t ADD UNIQUE (a);"),
        (ServerKind::Postgres, "ALTER TABLE t DROP COLUMN a CASCADE;"),
        (ServerKind::Mysql, "ALTER TABLE t MODIFY a smallint NOT NULL;"),
        (ServerKind::Mariadb, "ALTER TABLE t MODIFY a smallint NOT NULL;"),
        (ServerKind::Sqlite, "ALTER TABLE t DROP COLUMN a;"),
    ] {
        let rules = rules();
        let rule = &rules.get("drop-column").unwrap().rule;
        let example = Example { given: Some(given.to_owned()), ..rule.examples[0].clone() };
        let found = findings(rule, &example, sql, Server::of(kind));
        assert_eq!(found.len(), 1, "{kind}, {sql}:\n{}", summary(&found));
        let mut said: Vec<&str> = found[0].also.iter().map(|note| note.message.as_str()).collect();
        said.push(&found[0].message);
        said.sort_unstable();
        said.dedup();
        assert_eq!(said.len(), found[0].also.len() + 1, "{kind}, {sql}: said twice");
    }
}

#[test]
fn the_embedded_rules_are_those_of_the_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut stems: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.strip_suffix(".toml").expect("only rule files").to_owned())
        .collect();
    stems.sort();
    let embedded: Vec<&str> = BUILTIN.iter().map(|&(stem, _)| stem).collect();
    assert_eq!(embedded, stems, "src/rule/builtin.rs lists other files than rules/ holds");
}

#[test]
fn ids_are_never_used_twice() {
    let rules = rules();
    let mut names: Vec<&str> = rules.iter().flat_map(|rule| rule.rule.names()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn every_rule_is_well_written() {
    let mut failures = String::new();
    for ((stem, text), in_force) in BUILTIN.iter().zip(rules().iter()) {
        let rule = &in_force.rule;
        let mut complain = |what: &str| writeln!(failures, "  {stem}: {what}").unwrap();
        if text.lines().count() > 80 {
            complain("longer than 80 lines");
        }
        if text.lines().any(|line| line.chars().count() > 100) {
            complain("a line is longer than 100 columns");
        }
        let prose = format!("{}\n{}\n{}", rule.title, rule.why, rule.instead).to_lowercase();
        for word in ["should", "consider", "please", "best practice"] {
            if prose.contains(word) {
                complain(&format!("says \"{word}\""));
            }
        }
        if rule.title.ends_with('.') || rule.title.contains('\n') || rule.title.len() > 90 {
            complain("the title is one line without a full stop");
        }
        if !rule.title.starts_with(|c: char| c.is_uppercase()) {
            complain("the title begins with a capital letter");
        }
        if rule.message.as_ref().is_some_and(|m| m.ends_with('.') || m.contains('\n')) {
            complain("the message is one line without a full stop");
        }
        if !rule.why.ends_with('.') || !rule.instead.ends_with('.') {
            complain("why and instead are sentences");
        }
        if !rule.examples.iter().any(|example| example.bad.is_some()) {
            complain("no example fires it");
        }
        if rule.options.keys().any(|name| !rule.used_options().contains(name.as_str())) {
            complain("an option is used by no match");
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}
