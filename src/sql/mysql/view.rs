//! Views of MySQL and MariaDB.

use super::at_query;
use super::name::{definer, full_name, is_mariadb, mysql_since, name_list};
use crate::sql::ast::{CreateView, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::query;

/// Reads `[ALGORITHM = …] [DEFINER = …] [SQL SECURITY …] VIEW …` behind `CREATE [OR REPLACE]`.
pub(super) fn create(cursor: &mut Cursor<'_>, or_replace: bool) -> Parsed<StatementKind> {
    view(cursor, or_replace, false)
}

/// Reads the same behind ALTER, which replaces a view that exists.
pub(super) fn alter(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    view(cursor, true, true)
}

fn view(cursor: &mut Cursor<'_>, or_replace: bool, alter: bool) -> Parsed<StatementKind> {
    let mut options = Vec::new();
    if alter {
        options.push(("alter".to_owned(), String::new()));
    }
    if cursor.accept(&["ALGORITHM"]) {
        cursor.expect_symbol("=")?;
        match cursor.accept_any(&["undefined", "merge", "temptable"]) {
            Some(word) => options.push(("algorithm".to_owned(), word.to_owned())),
            None => return Err(cursor.expected("UNDEFINED, MERGE or TEMPTABLE")),
        }
    }
    if let Some(definer) = definer(cursor)? {
        options.push(("definer".to_owned(), definer));
    }
    if cursor.accept(&["SQL", "SECURITY"]) {
        match cursor.accept_any(&["definer", "invoker"]) {
            Some(word) => options.push(("sql_security".to_owned(), word.to_owned())),
            None => return Err(cursor.expected("DEFINER or INVOKER")),
        }
    }
    cursor.expect(&["VIEW"])?;
    // MySQL has IF NOT EXISTS here since 9.1 (manual, "CREATE VIEW Statement").
    let allowed = is_mariadb(cursor) || mysql_since(cursor, 9, 1, 0);
    let if_not_exists = allowed && !alter && cursor.accept(&["IF", "NOT", "EXISTS"]);
    if if_not_exists && or_replace && !is_mariadb(cursor) {
        return Err(cursor.expected("OR REPLACE or IF NOT EXISTS, not both"));
    }
    let name = full_name(cursor)?;
    let columns = if cursor.at_symbol("(") { name_list(cursor)? } else { Vec::new() };
    cursor.expect(&["AS"])?;
    let start = cursor.position();
    let end = check_option(cursor, &mut options);
    if !at_query(cursor) || end <= start {
        return Err(cursor.expected("a query"));
    }
    let selected = selected(&cursor.sub(start, end)).filter(|_| !columns.is_empty());
    options.extend(selected.map(|count| ("selected".to_owned(), count.to_string())));
    let query = query::query(&cursor.sub(start, end))?;
    cursor.skip_rest();
    Ok(StatementKind::CreateView(Box::new(CreateView {
        name,
        materialized: false,
        or_replace,
        if_not_exists,
        temporary: false,
        recursive: false,
        columns,
        query,
        with_no_data: false,
        options,
    })))
}

/// Returns how many columns a SELECT has; none where `*` or a WITH clause hide it.
fn selected(query: &Cursor<'_>) -> Option<usize> {
    let mut cursor = query.clone();
    if !cursor.accept(&["SELECT"]) {
        return None;
    }
    let (mut depth, mut count, mut at_start) = (0_usize, 1, true);
    while !cursor.is_at_end() {
        match cursor.text_at(0) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "," if depth == 0 => count += 1,
            "*" if depth == 0 && at_start => return None,
            _ if depth == 0 && ["FROM", "UNION"].iter().any(|word| cursor.at(&[word])) => break,
            _ => {}
        }
        at_start = matches!(cursor.text_at(0), "," | ".")
            || at_start && ["DISTINCT", "ALL"].iter().any(|word| cursor.at(&[word]));
        cursor.advance();
    }
    Some(count)
}

/// Returns where the query ends: before `WITH [CASCADED | LOCAL] CHECK OPTION`.
fn check_option(cursor: &Cursor<'_>, options: &mut Vec<(String, String)>) -> usize {
    let end = cursor.tokens().len();
    for (words, value) in [
        (&["WITH", "CASCADED", "CHECK", "OPTION"][..], "cascaded"),
        (&["WITH", "LOCAL", "CHECK", "OPTION"], "local"),
        (&["WITH", "CHECK", "OPTION"], "cascaded"),
    ] {
        let mut tail = cursor.clone();
        tail.reset(end.saturating_sub(words.len()));
        if tail.at(words) {
            options.push(("check_option".to_owned(), value.to_owned()));
            return end - words.len();
        }
    }
    end
}
