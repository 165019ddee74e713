//! What the tests of the grammar compare: a statement in short.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::sql::ast::StatementKind;
use crate::sql::{Section, Server, ServerKind, Source, Span, parse};

/// Reads one statement for PostgreSQL and compares it, printed in short, with `expected`: places,
/// and fields that are empty or have their usual value, are left out; names stand without quotes.
/// Of what is not understood the reason is compared.
#[track_caller]
pub(super) fn check(sql: &str, expected: &str) {
    let range = Span::new(0, u32::try_from(sql.len()).unwrap());
    let section =
        Section { source: Source::new("test.sql", sql), range, reading: Default::default() };
    let script = parse(section, Server::of(ServerKind::Postgres));
    assert_eq!(script.statements.len(), 1, "one statement: {sql}");
    let found = match &script.statements[0].kind {
        StatementKind::Unknown { reason, .. } => format!("! {reason}"),
        kind => short(&format!("{kind:?}")),
    };
    assert_eq!(found, expected, "{sql}");
}

/// What is left out or shortened, in this order.
static SHORTER: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let usual = r#"\b\w+: (?:None|false|\[\]|""|0|NoAction|Permanent|Unchanged|Other|Tree)"#;
    let rules = [
        (r", span: Span \{ start: \d+, end: \d+ \}".to_owned(), ""),
        (r"span: Span \{ start: \d+, end: \d+ \}, ".to_owned(), ""),
        (r"Span \{ start: (\d+), end: (\d+) \}".to_owned(), "$1..$2"),
        (r#"Ident \{ value: "((?:[^"\\]|\\.)*)" \}"#.to_owned(), "$1"),
        (format!("{usual}, "), ""),
        (format!(r"(?:, | ){usual} \}}"), " }"),
    ];
    rules.map(|(pattern, with)| (Regex::new(&pattern).unwrap(), with)).into()
});

static NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"ObjectName \{ parts: \[([^\]]*)\] \}").unwrap());

fn short(printed: &str) -> String {
    let mut text = printed.to_owned();
    for (pattern, with) in SHORTER.iter() {
        text = pattern.replace_all(&text, *with).into_owned();
    }
    let dotted = |found: &Captures<'_>| found[1].replace(", ", ".");
    NAME.replace_all(&text, dotted).replace("{ }", "{}")
}
