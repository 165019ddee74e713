//! Ways of writing data statements that are slow, or that say less than they seem to.

use super::StatementRun;
use crate::effect::{Declaration, Effect, EffectKind, TableState};
use crate::sql::ast::{Dml, DmlKind, ObjectKind};
use crate::sql::{ServerKind, Span};

/// Texts without white space, and what is wrong with them.
const SMELLS: [(&str, &str); 6] = [
    ("NOTIN(SELECT", "NOT IN with a query is never true once the query gives a NULL"),
    ("ORDERBYRAND()", "ORDER BY RAND() sorts every row"),
    ("ORDERBYRANDOM()", "ORDER BY RANDOM() sorts every row"),
    ("NATURALJOIN", "NATURAL JOIN changes its meaning with every new column"),
    ("SELECTDISTINCT*", "DISTINCT * hides a join that gives rows twice"),
    ("COUNT(*)>0", "COUNT(*) > 0 counts all rows where EXISTS stops at the first"),
];

/// Clauses whose items are columns, not numbers of columns.
const ORDINALS: [&str; 2] = ["ORDERBY", "GROUPBY"];

/// Tells what is written badly in a data statement.
pub(super) fn tell(text: &str, dml: &Dml, server: ServerKind, run: &mut StatementRun, span: Span) {
    let words = folded(text);
    let text: String = words.split(' ').collect();
    let mut add = |what: &'static str, value: &str| {
        let declaration = Declaration {
            what,
            object: ObjectKind::Table,
            name: dml.targets.first().map(ToString::to_string).unwrap_or_default(),
            value: value.to_owned(),
            number: None,
            state: TableState::Existing,
        };
        let kind = EffectKind::Declares(declaration);
        run.effects.effects.push(Effect { span, kind, source: "the statement itself" });
    };
    for (smell, why) in SMELLS {
        if text.contains(smell) {
            add("query-smell", why);
        }
    }
    let ordinal = |clause: &str| {
        text.split(clause).skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    if ORDINALS.iter().any(|clause| ordinal(clause)) {
        add(
            "query-smell",
            "a number in ORDER BY or GROUP BY is another column when the list changes",
        );
    }
    // MySQL, MariaDB: `seen = seen` beside others keeps ON UPDATE CURRENT_TIMESTAMP from firing
    // (MySQL manual, Automatic Initialization and Updating for TIMESTAMP and DATETIME).
    let on_purpose = server.is_mysql_family() && dml.columns.len() > 1;
    if dml.kind == DmlKind::Update
        && !on_purpose
        && let Some(column) = assigned_to_itself(&words)
    {
        add("self-assignment", &column.to_lowercase());
    }
}

/// Finds `a = a` among the assignments of an UPDATE.
fn assigned_to_itself(text: &str) -> Option<&str> {
    let (_, assignments) = text.split_once(" SET ")?;
    let ends = [" WHERE ", " FROM ", " ORDER BY ", " RETURNING "];
    let end = ends.iter().filter_map(|end| assignments.find(end)).min();
    let assignments = assignments.get(..end.unwrap_or(assignments.len()))?;
    assignments.split(',').find_map(|one| {
        let (left, right) = one.split_once('=')?;
        (!left.trim().is_empty() && left.trim() == right.trim()).then_some(left.trim())
    })
}

/// Returns a statement in capitals with single spaces, without quotes of names and texts.
fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, part) in text.split('\'').enumerate() {
        // Every second part is a text.
        if at % 2 == 0 {
            let plain = part.replace(['"', '`'], "").to_uppercase();
            for word in plain.split_whitespace() {
                out.push_str(word);
                out.push(' ');
            }
        } else {
            out.push_str("'' ");
        }
    }
    out.truncate(out.trim_end().trim_end_matches(';').len());
    out
}
