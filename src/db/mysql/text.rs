//! Texts as `information_schema` prints them, made independent of the database's name.

/// Takes `` `database`. `` out of an expression or query, but not out of its strings.
pub(super) fn without_database(text: &str, database: &str) -> String {
    let prefix = format!("`{}`.", database.replace('`', "``"));
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix(prefix.as_str()) {
            rest = after;
            continue;
        }
        let end = match c {
            '\'' | '"' => quoted_end(rest, c, true),
            '`' => quoted_end(rest, c, false),
            _ => c.len_utf8(),
        };
        let (part, after) = rest.split_at(end);
        result.push_str(part);
        rest = after;
    }
    result
}

/// Returns where a quoted text ends that begins here.
pub(super) fn quoted_end(text: &str, quote: char, escapes: bool) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && escapes {
            chars.next();
        } else if c == quote {
            let is_doubled = chars.peek().is_some_and(|(_, next)| *next == quote);
            if is_doubled {
                chars.next();
            } else {
                return at + c.len_utf8();
            }
        }
    }
    text.len()
}

/// Takes the backslashes out that MySQL 8 and 9 put before quotes in expressions.
///
/// Measured on 9.7: `generation_expression`, `check_clause`, `column_default` of expressions and
/// `expression` of index parts print `_utf8mb4\'x\'`.
pub(super) fn unescaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => result.extend(chars.next()),
            other => result.push(other),
        }
    }
    result
}

/// Returns the names that a query uses with the database before them: views, mostly.
pub(super) fn used_names(text: &str, database: &str) -> Vec<String> {
    let prefix = format!("`{}`.`", database.replace('`', "``"));
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(prefix.as_str()) {
        let quoted = format!("`{after}");
        let end = quoted_end(&quoted, '`', false);
        let name = quoted.get(1..end.saturating_sub(1)).unwrap_or("");
        names.push(name.replace("``", "`"));
        rest = after;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_taken_out_of_names_only() {
        let text = "select `shop`.`a`.`x` AS `x`,'`shop`.`y`' from `shop`.`a` join `other`.`b`";
        let wanted = "select `a`.`x` AS `x`,'`shop`.`y`' from `a` join `other`.`b`";
        assert_eq!(without_database(text, "shop"), wanted);
        assert_eq!(without_database("'it''s \\' `d`.'", "d"), "'it''s \\' `d`.'");
    }

    #[test]
    fn names_after_the_database_are_found() {
        assert_eq!(used_names("from `d`.`a``b` join `d`.`c`", "d"), ["a`b", "c"]);
    }
}
