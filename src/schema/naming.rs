//! Names that PostgreSQL makes up for what is not named.
//!
//! PostgreSQL 12 to 18, `makeObjectName` and its callers: table, columns and a label joined by
//! underscores, cut to 63 bytes by shortening the longer part first, and numbered until free.

use crate::sql::ast::{Expr, Key, KeyPart};
use crate::sql::{Ident, ObjectName};

/// The bytes that a PostgreSQL name can have (NAMEDATALEN less the closing zero byte).
const MAX_BYTES: usize = 63;

/// Returns a name cut as the server cuts one that is too long: at a character boundary.
pub fn truncated(name: &str) -> &str {
    let mut end = name.len().min(MAX_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or(name)
}

/// Returns the first free name made of a table, columns and a label.
pub fn made_up_name(
    table: &str,
    columns: &str,
    label: &str,
    taken: impl Fn(&str) -> bool,
) -> String {
    let mut pass = 0_u32;
    loop {
        let numbered = if pass == 0 { label.to_owned() } else { format!("{label}{pass}") };
        let name = joined(table, columns, &numbered);
        if !taken(&name) || pass > 10_000 {
            return name;
        }
        pass += 1;
    }
}

fn joined(table: &str, columns: &str, label: &str) -> String {
    let mut overhead = label.len() + 1;
    if !columns.is_empty() {
        overhead += 1;
    }
    let room = MAX_BYTES.saturating_sub(overhead);
    let (mut first, mut second) = (table.len(), columns.len());
    while first + second > room && first + second > 0 {
        if first > second {
            first -= 1;
        } else {
            second -= 1;
        }
    }
    let table = clipped(table, first);
    let columns = clipped(columns, second);
    if columns.is_empty() {
        format!("{table}_{label}")
    } else {
        format!("{table}_{columns}_{label}")
    }
}

fn clipped(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

/// Returns what stands for each column in a made-up index name: its name, for an expression what it
/// calls.
pub fn index_column_names(parts: &[KeyPart], include: &[Ident]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let keys = parts.iter().map(|part| match &part.key {
        Key::Column(column) => column.value.clone(),
        Key::Expr(expr) => expression_name(expr),
    });
    for base in keys.chain(include.iter().map(|column| column.value.clone())) {
        let mut name = base.clone();
        let mut pass = 1_u32;
        while names.contains(&name) {
            name = format!("{base}{pass}");
            pass += 1;
        }
        names.push(name);
    }
    names
}

/// PostgreSQL 12 to 18, FigureIndexColname: an outermost function gives its name, a cast that of
/// its argument, anything else `expr`.
fn expression_name(expr: &Expr) -> String {
    let mut text = expr.text.trim();
    while let Some(inner) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        let balanced = !inner.contains(')') || inner.find('(') < inner.find(')');
        if !balanced {
            break;
        }
        text = inner.trim();
    }
    let whole_call = |name: &str| {
        let rest = text.get(name.len()..).map(str::trim_start);
        let starts = text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
        starts && rest.is_some_and(|rest| rest.starts_with('(') && closes_at_end(rest))
    };
    let outer = expr.functions.iter().map(ObjectName::to_string).find(|f| whole_call(f));
    if let Some(outer) = outer {
        return outer.rsplit('.').next().unwrap_or("expr").to_owned();
    }
    if whole_call("coalesce") {
        return "coalesce".to_owned();
    }
    if let Some((inner, _)) = text.rsplit_once("::")
        && closes_or_plain(inner)
    {
        let inner = inner.trim_matches(['(', ')', ' ']);
        if expr.columns.iter().any(|column| column == inner) {
            return inner.to_owned();
        }
    }
    "expr".to_owned()
}

fn closes_or_plain(text: &str) -> bool {
    !text.contains(' ') || (text.starts_with('(') && closes_at_end(text))
}

fn closes_at_end(text: &str) -> bool {
    let mut depth = 0_i32;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1 == text.len();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbered_until_free() {
        let taken = |name: &str| matches!(name, "t_a_idx" | "t_a_idx1");
        assert_eq!(made_up_name("t", "a", "idx", taken), "t_a_idx2");
        assert_eq!(made_up_name("t", "", "pkey", taken), "t_pkey");
    }

    #[test]
    fn the_longer_part_is_cut_first() {
        let name = made_up_name(&"t".repeat(60), &"c".repeat(20), "idx", |_| false);
        assert_eq!(name.len(), 63);
        assert_eq!(name, format!("{}_{}_idx", "t".repeat(38), "c".repeat(20)));
    }
}
