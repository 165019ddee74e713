//! Statements as one short line, for the tests of the grammars.

use std::sync::LazyLock;

use regex::Regex;

use super::ast::{Statement, StatementKind};
use super::migration::Section;
use super::server::Server;
use super::source::{Source, Span};

/// Reads a text as statements.
pub(super) fn read(server: Server, sql: &str) -> Vec<Statement> {
    let source = Source::new("test.sql", sql);
    let range = Span::new(0, u32::try_from(sql.len()).unwrap());
    super::parse(Section { source, range, reading: Default::default() }, server).statements
}

/// What is left out or shortened, as often as it is found.
static STEPS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let steps = [
        (r"Span \{ start: \d+, end: \d+ \}", "None"),
        (
            concat!(
                r"(?:Ident|ObjectName) \{ (?:value|parts): ",
                r#"("(?:[^"\\]|\\.)*"|\[[^\[\]]*\])(?:, span: None)? \}"#
            ),
            "$1",
        ),
        (
            concat!(
                r#"\b\w+: (?:None|false|\[\]|""|0|Span|Tree|Other|Unspecified|Unchanged|"#,
                r"NoAction|Permanent|Volatile|Session)(?:, | )"
            ),
            "",
        ),
        (r"\[((?:[^\[\]{}]|\.)*)\]", "$1"),
        (r"Some\(([^()]*|\([^()]*\))\)", "$1"),
        (
            concat!(
                r"\b(?:DataType|ColumnDef|TableConstraint|KeyConstraint|KeyPart|Expr|",
                r"TableAction|IndexDef|ForeignKey) \{"
            ),
            "{",
        ),
        (r", \}", " }"),
        (r#"\{ (?:name|kind|text|parts): ("[^"]*"|\w+(?:\([^()]*\))?) \}"#, "$1"),
        (r"\{ key: Column\(([^()]*)\) \}", "$1"),
        (r"\{ key: Column\(([^()]*)\)", "{ $1"),
    ];
    steps.into_iter().map(|(from, to)| (Regex::new(from).unwrap(), to)).collect()
});

/// Returns all that is written in a statement: places, and what is not there, are left out.
pub(super) fn brief(kind: &StatementKind) -> String {
    if let StatementKind::Unknown { reason, .. } = kind {
        return format!("unknown: {reason}");
    }
    let mut text = format!("{kind:?}");
    loop {
        let mut next = text.clone();
        for (from, to) in STEPS.iter() {
            next = from.replace_all(&next, *to).into_owned();
        }
        if next == text {
            return text;
        }
        text = next;
    }
}

/// Reads a list of texts recorded from real servers: who took them, a tab, the text.
pub(super) fn recorded(list: &str) -> impl Iterator<Item = (&str, &str)> {
    list.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
}

/// Says whether a text is understood, the statements inside of bodies included.
pub(super) fn is_understood(server: Server, sql: &str) -> bool {
    fn understood(statement: &Statement) -> bool {
        match &statement.kind {
            StatementKind::Unknown { .. } => false,
            StatementKind::CreateRoutine(routine) => routine.statements.iter().all(understood),
            StatementKind::CreateTrigger(trigger) => trigger.statements.iter().all(understood),
            StatementKind::CreateEvent(event) => event.statements.iter().all(understood),
            StatementKind::Do(block) => block.statements.iter().all(understood),
            StatementKind::Explain { statement, .. }
            | StatementKind::SetStatement { statement, .. } => understood(statement),
            _ => true,
        }
    }
    read(server, sql).iter().all(understood)
}

/// Checks a list of statements: a server and a statement, then what it is read as.
#[track_caller]
pub(super) fn check_statements(list: &str) {
    let mut lines = list.lines().filter(|line| !line.starts_with('#'));
    let mut wrong = Vec::new();
    let mut count = 0;
    while let (Some(given), Some(expected)) = (lines.next(), lines.next()) {
        let (server, sql) = given.split_once("> ").unwrap();
        let statements = read(Server::of(server.parse().unwrap()), sql);
        let found: Vec<String> = statements.iter().map(|s| brief(&s.kind)).collect();
        if found.join(" | ") != expected {
            wrong.push(format!("{given}\n  found    {}\n  expected {expected}", found.join(" | ")));
        }
        count += 1;
    }
    assert!(count > 20, "the list is read");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
