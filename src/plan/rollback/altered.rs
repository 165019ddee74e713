//! Objects other than tables that are there before and after, differently: what alters them back
//! without dropping them, since others may depend on them.

use super::items::{Item, parsed};
use crate::sql::ast::{CreateDomain, StatementKind, TypeKind};
use crate::sql::{Server, ServerKind, Span};

/// Returns the statements that lead from `now` back to `before`; none where the object has to be
/// dropped and made again.
pub(super) fn alter_back(before: &Item, now: &Item, server: Server) -> Option<Vec<String>> {
    let (was, is) = (before.create.as_str(), now.create.as_str());
    let kind = parsed(was, server)?.kind;
    if let StatementKind::CreateSequence(_) = kind {
        return sequence(was, server);
    }
    if server.kind != ServerKind::Postgres {
        return None;
    }
    if let StatementKind::CreateRoutine(_) = kind {
        // `pg_get_functiondef` writes name and arguments on the first line, the result on the
        // second; CREATE OR REPLACE changes everything but those (manual, "CREATE FUNCTION").
        let head = |text: &str| text.lines().take(2).map(str::to_owned).collect::<Vec<_>>();
        let replaces = was.starts_with("CREATE OR REPLACE ") && head(was) == head(is);
        return replaces.then(|| vec![was.to_owned()]);
    }
    if let StatementKind::Publication(_) = kind {
        return publication(was, is);
    }
    if let StatementKind::CreateDomain(domain) = &kind {
        let StatementKind::CreateDomain(now) = parsed(is, server)?.kind else { return None };
        return domain_back((was, domain), (is, &now));
    }
    if let StatementKind::CreateType(create) = &kind {
        let StatementKind::CreateType(now) = parsed(is, server)?.kind else { return None };
        let name = slice(was, create.name.span());
        let (TypeKind::Composite(old), TypeKind::Composite(new)) = (&create.kind, &now.kind) else {
            return None;
        };
        let attribute =
            |text: &str, (name, data_type): &(crate::sql::Ident, crate::sql::ast::DataType)| {
                (slice(text, name.span).to_owned(), slice(text, data_type.span).to_owned())
            };
        let old: Vec<_> = old.iter().map(|one| attribute(was, one)).collect();
        let new: Vec<_> = new.iter().map(|one| attribute(is, one)).collect();
        return Some(attributes(name, &old, &new));
    }
    None
}

fn slice(text: &str, span: Span) -> &str {
    text.get(span.start as usize..span.end as usize).unwrap_or("")
}

/// Brings back the attributes of a composite type.
fn attributes(name: &str, old: &[(String, String)], new: &[(String, String)]) -> Vec<String> {
    let find = |list: &[(String, String)], wanted: &str| {
        list.iter().find(|(name, _)| name == wanted).map(|(_, data_type)| data_type.clone())
    };
    let mut statements = Vec::new();
    for (attribute, _) in new.iter().filter(|(attribute, _)| find(old, attribute).is_none()) {
        statements.push(format!("ALTER TYPE {name} DROP ATTRIBUTE {attribute} CASCADE"));
    }
    for (attribute, data_type) in old {
        match find(new, attribute) {
            None => {
                let add =
                    format!("ALTER TYPE {name} ADD ATTRIBUTE {attribute} {data_type} CASCADE");
                statements.push(add);
            }
            Some(now) if now != *data_type => {
                let alter = format!("ALTER TYPE {name} ALTER ATTRIBUTE {attribute}");
                statements.push(format!("{alter} TYPE {data_type} CASCADE"));
            }
            Some(_) => {}
        }
    }
    statements
}

/// Brings back default, NOT NULL and constraints of a domain; its type cannot change.
fn domain_back(
    (was, before): (&str, &CreateDomain),
    (is, now): (&str, &CreateDomain),
) -> Option<Vec<String>> {
    if slice(was, before.data_type.span) != slice(is, now.data_type.span) {
        return None;
    }
    let alter = format!("ALTER DOMAIN {}", slice(was, before.name.span()));
    let default = |text: &str, domain: &CreateDomain| {
        domain.default.as_ref().map(|expr| slice(text, expr.span).to_owned())
    };
    let mut statements = Vec::new();
    // The snapshot writes each constraint on a line of its own.
    let constraints = |text: &str| -> Vec<String> {
        text.lines().skip(1).map(|line| line.trim().to_owned()).collect()
    };
    let (old, new) = (constraints(was), constraints(is));
    for line in new.iter().filter(|line| !old.contains(line)) {
        let name = line.strip_prefix("CONSTRAINT ")?.split(" CHECK ").next()?;
        statements.push(format!("{alter} DROP CONSTRAINT {name}"));
    }
    match (default(was, before), default(is, now)) {
        (one, other) if one == other => {}
        (Some(default), _) => statements.push(format!("{alter} SET DEFAULT {default}")),
        (None, _) => statements.push(format!("{alter} DROP DEFAULT")),
    }
    match (before.not_null, now.not_null) {
        (true, false) => statements.push(format!("{alter} SET NOT NULL")),
        (false, true) => statements.push(format!("{alter} DROP NOT NULL")),
        (true, true) | (false, false) => {}
    }
    for line in old.iter().filter(|line| !new.contains(line)) {
        statements.push(format!("{alter} ADD {line}"));
    }
    Some(statements)
}

/// Brings back what a publication publishes, without ending its subscriptions.
fn publication(was: &str, is: &str) -> Option<Vec<String>> {
    let parts = |text: &str| -> Option<(String, String, String)> {
        let (head, options) = text.rsplit_once(" WITH (publish")?;
        let (name, what) = head.split_once(" FOR ").unwrap_or((head, ""));
        let name = name.strip_prefix("CREATE PUBLICATION ")?;
        Some((name.to_owned(), what.to_owned(), format!("(publish{options}")))
    };
    let ((name, what, options), (_, what_now, options_now)) = (parts(was)?, parts(is)?);
    let mut statements = Vec::new();
    if what != what_now {
        // A list of tables can be replaced by another list, not by nothing and not by ALL TABLES.
        if [&what, &what_now].iter().any(|list| list.is_empty() || list.starts_with("ALL")) {
            return None;
        }
        statements.push(format!("ALTER PUBLICATION {name} SET {what}"));
    }
    if options != options_now {
        let via = "publish_via_partition_root";
        let reset = options_now.contains(via) && !options.contains(via);
        let options = options.trim_end_matches(')');
        let more = if reset { format!(", {via} = false") } else { String::new() };
        statements.push(format!("ALTER PUBLICATION {name} SET {options}{more})"));
    }
    Some(statements)
}

/// Sets every option of a sequence as it was.
fn sequence(was: &str, server: Server) -> Option<Vec<String>> {
    let StatementKind::CreateSequence(create) = parsed(was, server)?.kind else { return None };
    let name = slice(was, create.name.span());
    let tail = was.get(create.name.span().end as usize..)?.trim();
    if server.kind != ServerKind::Postgres {
        // MariaDB writes every option; the engine cannot be changed.
        let tail = tail.split(" ENGINE=").next().unwrap_or(tail);
        return Some(vec![format!("ALTER SEQUENCE {name} {tail}")]);
    }
    let words: Vec<&str> = tail.split_whitespace().collect();
    let data_type = words.iter().position(|word| *word == "AS");
    let data_type = data_type.and_then(|at| words.get(at + 1)).copied().unwrap_or("bigint");
    let options = sequence_options(tail).join(" ");
    Some(vec![format!("ALTER SEQUENCE {name} AS {data_type} {options}")])
}

/// Returns every option of a sequence of PostgreSQL, those included that are not written because
/// the server would have chosen them.
pub(super) fn sequence_options(written: &str) -> Vec<String> {
    let words: Vec<&str> = written.split_whitespace().collect();
    let value = |first: &str, skip: usize| {
        let at = words.iter().position(|word| *word == first)?;
        words.get(at + skip).copied()
    };
    let increment = value("INCREMENT", 2).unwrap_or("1");
    let bound = |word: &str| {
        value(word, 1).map_or_else(|| format!("NO {word}"), |number| format!("{word} {number}"))
    };
    let first = match (value("START", 2), increment.starts_with('-')) {
        (Some(start), _) => start,
        (None, false) => value("MINVALUE", 1).unwrap_or("1"),
        (None, true) => value("MAXVALUE", 1).unwrap_or("-1"),
    };
    let cycle = if words.contains(&"CYCLE") { "CYCLE" } else { "NO CYCLE" };
    vec![
        format!("INCREMENT BY {increment}"),
        bound("MINVALUE"),
        bound("MAXVALUE"),
        format!("START WITH {first}"),
        format!("CACHE {}", value("CACHE", 1).unwrap_or("1")),
        cycle.to_owned(),
    ]
}
