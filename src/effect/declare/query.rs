//! Data changes and commands: what they reach, and how they are written.

use super::Teller;
use crate::effect::TableState;
use crate::sql::ast::{Dml, DmlKind, ObjectKind, Other, Set, SetScope, Transaction};

impl Teller<'_> {
    /// INSERT, UPDATE, DELETE and their like.
    pub(super) fn dml(&mut self, dml: &Dml) {
        let Some(target) = dml.targets.first() else { return };
        let table = self.schema.resolve(target).to_string();
        let state = self.state(target);
        let object = ObjectKind::Table;
        match dml.kind {
            DmlKind::Update | DmlKind::Delete => self.change(dml, &table, state),
            DmlKind::Insert | DmlKind::Replace => {
                if dml.columns.is_empty() {
                    let name = table.clone();
                    self.add("insert-without-columns", object, name, "INSERT", None, state);
                }
                if dml.from_query {
                    let name = table.clone();
                    self.add("bulk-insert", object, name, "INSERT … SELECT", None, state);
                }
            }
            DmlKind::Merge | DmlKind::Load => {
                self.add("bulk-insert", object, table.clone(), "MERGE", None, state);
            }
            DmlKind::Select => {}
        }
        if dml.query.star && dml.from_query {
            self.add("select-star", object, table, "*", None, state);
        }
    }

    fn change(&mut self, dml: &Dml, table: &str, state: TableState) {
        let object = ObjectKind::Table;
        let word = if dml.kind == DmlKind::Update { "UPDATE" } else { "DELETE" };
        let everything = match &dml.filter {
            None => true,
            Some(filter) => is_always_true(&filter.text),
        };
        let name = || table.to_owned();
        if everything && !dml.limit {
            self.add("change-of-every-row", object, name(), word, None, state);
        }
        let few = dml.filter.as_ref().is_some_and(|filter| names_rows(&filter.text));
        if !dml.limit && !dml.picked && !few {
            let size = dml.targets.first().and_then(|target| self.schema.find(target)?.size);
            self.add("bulk-change", object, name(), word, size.map(|size| size.rows), state);
        }
        if dml.limit {
            self.add("change-with-limit", object, name(), word, None, state);
        }
        if dml.order_by {
            self.add("change-with-order", object, name(), word, None, state);
        }
        let filter = dml.filter.as_ref().map(|filter| filter.text.to_ascii_uppercase());
        let filter = filter.unwrap_or_default();
        if ["= NULL", "<> NULL", "!= NULL"].iter().any(|wrong| filter.contains(wrong)) {
            self.add("null-comparison", object, name(), word, None, state);
        }
        if filter.contains("LIKE '%") {
            self.add("leading-wildcard", object, name(), word, None, state);
        }
        let mut seen: Vec<&str> = Vec::new();
        for column in &dml.columns {
            if seen.contains(&column.as_str()) {
                let full = format!("{table}.{column}");
                let object = ObjectKind::Column;
                self.add("column-assigned-twice", object, full, word, None, state);
            }
            seen.push(column.as_str());
        }
    }

    /// COMMIT in a file whose transactions are the runner's business.
    pub(super) fn transaction(&mut self, transaction: &Transaction) {
        if let Transaction::Commit { .. } = transaction {
            self.tell("explicit-commit", ObjectKind::Parameter, String::new(), "COMMIT");
        }
    }

    /// SET ROLE and settings that a policy may want or refuse.
    pub(super) fn set(&mut self, set: &Set) {
        for one in set.each() {
            let value = one.value.as_deref().unwrap_or("DEFAULT");
            let what = match one.name.as_str() {
                "role" | "session_authorization" | "session authorization" => "set-role",
                _ if matches!(one.scope, SetScope::Global | SetScope::NextStart) => "set-global",
                _ => "setting",
            };
            self.tell(what, ObjectKind::Parameter, one.name.clone(), value);
        }
    }

    /// Statements known by their first words.
    pub(super) fn other(&mut self, other: &Other) {
        let name = other.names.first().map(ToString::to_string).unwrap_or_default();
        let object = other.object.unwrap_or(ObjectKind::Parameter);
        self.tell("statement", object, name.clone(), other.what);
        let password = other.options.iter().any(|option| {
            let option = option.to_ascii_lowercase();
            option.starts_with("password") || option.starts_with("identified by")
        });
        if password {
            self.add("readable-password", object, name, other.what, None, TableState::Existing);
        }
    }
}

/// Says whether a condition picks rows by a literal: `id = 7`, `code IN ('a', 'b')`.
fn names_rows(condition: &str) -> bool {
    let text = without_queries(&condition.to_ascii_lowercase());
    let literal = |rest: &str| {
        let rest = rest.trim_start_matches([' ', '(']);
        rest.starts_with('\'')
            || rest.starts_with('$')
            || rest.starts_with(|c: char| c.is_ascii_digit())
    };
    let compared = |operator: &str| text.split(operator).skip(1).any(literal);
    let equal = text
        .split('=')
        .zip(text.split('=').skip(1))
        .any(|(left, right)| !left.ends_with(['<', '>', '!']) && literal(right));
    (equal || compared(" in ") || compared(" in(")) && !text.contains(" or ")
}

/// Takes queries in parentheses out: what they pick are rows of other tables.
fn without_queries(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('(') {
        let (before, inside) = rest.split_at(at);
        out.push_str(before);
        let mut depth = 0_usize;
        let end = inside.find(|c: char| {
            depth = match c {
                '(' => depth + 1,
                ')' => depth.saturating_sub(1),
                _ => depth,
            };
            depth == 0
        });
        let words = inside.trim_start_matches(['(', ' ']);
        match end.filter(|_| words.starts_with("select ") || words.starts_with("with ")) {
            Some(end) => rest = inside.get(end + 1..).unwrap_or(""),
            None => {
                out.push('(');
                rest = inside.get(1..).unwrap_or("");
            }
        }
    }
    out + rest
}

/// Says whether a condition holds for every row, however it is written.
fn is_always_true(condition: &str) -> bool {
    let text: String = condition
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '(' | ')'))
        .collect::<String>()
        .to_ascii_lowercase();
    if matches!(text.as_str(), "true" | "1" | "nottfalse" | "notfalse") {
        return true;
    }
    text.split_once('=').is_some_and(|(left, right)| {
        let literal = |text: &str| {
            let quoted = text.len() > 1 && text.starts_with('\'') && text.ends_with('\'');
            quoted || (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
        };
        left == right && literal(left)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_that_pick_rows_by_a_literal() {
        assert!(names_rows("id = 7"));
        assert!(names_rows("code IN ('a', 'b')"));
        assert!(!names_rows("total >= 7"));
        assert!(!names_rows("email IS NULL"));
        assert!(!names_rows("id = 7 OR parent IS NULL"));
        assert!(!names_rows("shop IN (SELECT id FROM shops WHERE kind = 'x' AND (a = 1))"));
        assert!(names_rows("a IN (SELECT b FROM c) AND (id = 7)"));
    }

    #[test]
    fn tautologies_are_seen_through() {
        assert!(is_always_true("1 = 1"));
        assert!(is_always_true("(TRUE)"));
        assert!(is_always_true("'a' = 'a'"));
        assert!(!is_always_true("a = 1"));
        assert!(!is_always_true("id = id"));
    }
}
